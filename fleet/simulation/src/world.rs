//! The mandates of one vendor, and the times at which they change. The debtors and clients of this world do not know
//! when somebody reads.
//!
//! All instants are in seconds since the start of the simulation.

use fastrand::Rng;
use mandat::{MandateRef, MandateStatus};

pub const HOUR: f64 = 3600.0;
pub const DAY: f64 = 24.0 * HOUR;
/// A month of the model. Each collection repeats after a month.
pub const MONTH: f64 = 30.0 * DAY;

/// The share of all mandates that change in a month.
pub const CHANGES: f64 = 0.02;
/// A mandate of age `a` that waits for its signature is signed at the rate `SIGNATURE / (SLOWNESS + a)`. Half of the
/// debtors sign within three hours, four of five within a day.
const SIGNATURE: f64 = 0.5;
const SLOWNESS: f64 = HOUR;
/// A mandate that nobody has signed in this time is replaced by a new one.
const ABANDONED: f64 = 60.0 * DAY;
/// An ended mandate is replaced by a new one after this time.
const GIVEN_UP: f64 = 90.0 * DAY;
/// The share of ended mandates that are reinstated before that.
const REINSTATED: f64 = 0.01;
/// A mandate for SEPA has a collection ahead for this part of each month, from the pre-notification on.
const AHEAD: f64 = 14.0 * DAY;
/// The rate of change with a collection ahead, relative to the average over the month. The pre-notification reminds the
/// debtor.
const REMINDED: f64 = 1.5;

/// The part of a life in which a mandate is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    Setup,
    InForce,
    Ended,
}

/// The group of mandates for which lateness is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    Setup,
    CollectionAhead,
    AtRest,
    Ended,
}

/// A vendor, as far as its mandates differ.
#[derive(Clone, Copy, Debug)]
pub struct Vendor {
    pub name: &'static str,
    /// The status of a mandate that is set up.
    pub setup: MandateStatus,
    pub reference: fn(u32, u32) -> MandateRef,
    /// The mean number of mandates of a client, if one call reads all mandates of a client.
    pub listed: Option<f64>,
}

pub const VENDORS: [Vendor; 3] = [
    Vendor {
        name: "Easytransac",
        setup: MandateStatus::Pending,
        reference: |_, mandate| MandateRef::easytransac(mandate.to_string()),
        listed: None,
    },
    Vendor {
        name: "SafeDebit",
        setup: MandateStatus::AwaitingSignature,
        reference: |_, mandate| MandateRef::safedebit(mandate.to_string()),
        listed: None,
    },
    Vendor {
        name: "Seqino",
        setup: MandateStatus::AwaitingVerification,
        reference: |client, mandate| MandateRef::seqino(client.to_string(), mandate.to_string()),
        listed: Some(4.0),
    },
];

/// A mandate: its true state, and the state that the last reading found.
#[derive(Clone, Copy, Debug)]
pub struct Mandate {
    changes_at: f64,
    entered: f32,
    pub seen_since: f32,
    life: Life,
    pub seen: Life,
}

/// A change that a reading found.
#[derive(Clone, Copy, Debug)]
pub struct Noticed {
    pub group: Group,
    pub changed_at: f64,
    pub noticed_at: f64,
}

/// The mandates of one vendor.
pub struct World {
    pub vendor: Vendor,
    pub mandates: Vec<Mandate>,
    /// The first mandate of each call, and the number of mandates at the end. One call reads a client at Seqino, and a
    /// mandate at the other vendors.
    firsts: Vec<u32>,
    /// The rate of change of a mandate in force, on average over a month.
    ends: f64,
    rng: Rng,
}

impl World {
    /// Makes a world in its steady state: the shares of lives and their ages stay the same, on average.
    pub fn new(vendor: Vendor, mandates: u32, seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        // As many mandates come into force as end, so each is half of the changes.
        let flow = CHANGES / 2.0 / MONTH;
        let root_at_end = (1.0 + ABANDONED / SLOWNESS).sqrt();
        let created = flow * (1.0 - REINSTATED) / (1.0 - 1.0 / root_at_end);
        let setup = created * 2.0 * SLOWNESS * (root_at_end - 1.0);
        let ended = flow * GIVEN_UP;
        let ends = flow / (1.0 - setup - ended);
        let mut world = Self { vendor, mandates: Vec::new(), firsts: vec![0], ends, rng: rng.fork() };
        for index in 0..mandates {
            let kind = rng.f64();
            let (life, age) = if kind < setup {
                // The age has the density of the mandates that are still unsigned, (1 + age / SLOWNESS)^-0.5.
                let root = 1.0 + rng.f64() * (root_at_end - 1.0);
                (Life::Setup, SLOWNESS * (root * root - 1.0))
            } else if kind < setup + ended {
                (Life::Ended, rng.f64() * GIVEN_UP)
            } else {
                (Life::InForce, GIVEN_UP)
            };
            let since = -age as f32;
            world.mandates.push(Mandate { changes_at: 0.0, entered: since, seen_since: since, life, seen: life });
            world.mandates[index as usize].changes_at = world.next_change(index, 0.0);
        }
        let mut at = 0;
        while at < mandates {
            // Sizes are geometric: most clients have few mandates.
            let size =
                vendor.listed.map_or(1.0, |mean| 1.0 + ((1.0 - rng.f64()).ln() / (1.0 - 1.0 / mean).ln()).floor());
            at = at.saturating_add(size as u32).min(mandates);
            world.firsts.push(at);
        }
        world
    }

    /// The number of calls that read every mandate once.
    pub fn calls(&self) -> u32 {
        self.firsts.len() as u32 - 1
    }

    /// The mandates that one call reads.
    pub fn read_by(&self, call: u32) -> std::ops::Range<u32> {
        self.firsts[call as usize]..self.firsts[call as usize + 1]
    }

    /// The number of calls that read every mandate in force once.
    pub fn calls_in_force(&self) -> u64 {
        let in_force = |call| self.read_by(call).any(|index| self.mandates[index as usize].seen == Life::InForce);
        (0..self.calls()).filter(|call| in_force(*call)).count() as u64
    }

    fn sepa(&self) -> bool {
        self.vendor.listed.is_none()
    }

    /// The time in the month of a mandate. Its collection is at `AHEAD`.
    fn time_of_month(index: u32, now: f64) -> f64 {
        let own = (f64::from(index) * 0.618_033_988_749_895).fract() * MONTH;
        (now + own).rem_euclid(MONTH)
    }

    /// Says whether a collection is ahead. You know this from your own calendar.
    pub fn collects_soon(&self, index: u32, now: f64) -> bool {
        self.sepa() && Self::time_of_month(index, now) < AHEAD
    }

    fn group(&self, index: u32, life: Life, now: f64) -> Group {
        match life {
            Life::Setup => Group::Setup,
            Life::Ended => Group::Ended,
            Life::InForce if self.collects_soon(index, now) => Group::CollectionAhead,
            Life::InForce => Group::AtRest,
        }
    }

    /// The rate at which a mandate changes at this moment, by its true state. The lower bound is made from these rates.
    pub fn rate(&self, index: u32, now: f64) -> f64 {
        let mandate = &self.mandates[index as usize];
        match self.group(index, mandate.life, now) {
            Group::Setup => SIGNATURE / (SLOWNESS + now - f64::from(mandate.entered)),
            Group::CollectionAhead => self.ends * REMINDED,
            Group::AtRest if self.sepa() => self.ends * SELDOM,
            Group::AtRest => self.ends,
            Group::Ended => REINSTATED / GIVEN_UP,
        }
    }

    /// Draws the time of the next change after `from`.
    fn next_change(&mut self, index: u32, from: f64) -> f64 {
        let mandate = self.mandates[index as usize];
        let drawn = 1.0 - self.rng.f64();
        match mandate.life {
            Life::Setup => {
                let entered = f64::from(mandate.entered);
                entered + (SLOWNESS + from - entered) * drawn.powf(-1.0 / SIGNATURE) - SLOWNESS
            }
            Life::Ended => from - drawn.ln() * GIVEN_UP / REINSTATED,
            Life::InForce if !self.sepa() => from - drawn.ln() / self.ends,
            Life::InForce => {
                // `exposed` maps the time of a month to a time at which changes are equally likely, and back.
                let at = Self::time_of_month(index, from);
                let target = exposed(at) - drawn.ln() / self.ends;
                from + (target / MONTH).floor() * MONTH + unexposed(target.rem_euclid(MONTH)) - at
            }
        }
    }

    /// Reads a mandate, and reports the changes since its last reading. Then replaces the mandate if nobody needs it
    /// any more.
    pub fn read(&mut self, index: u32, now: f64, mut noticed: impl FnMut(Noticed)) {
        while self.mandates[index as usize].changes_at <= now {
            let Mandate { changes_at, life, .. } = self.mandates[index as usize];
            noticed(Noticed { group: self.group(index, life, changes_at), changed_at: changes_at, noticed_at: now });
            let next = match life {
                Life::Setup | Life::Ended => Life::InForce,
                Life::InForce => Life::Ended,
            };
            self.enter(index, next, changes_at);
        }
        let mandate = &mut self.mandates[index as usize];
        if mandate.seen != mandate.life {
            (mandate.seen, mandate.seen_since) = (mandate.life, now as f32);
        }
        let lasted = now - f64::from(mandate.seen_since);
        let replaced = match mandate.seen {
            Life::Setup => lasted >= ABANDONED,
            Life::InForce => false,
            Life::Ended => lasted >= GIVEN_UP,
        };
        if replaced {
            self.enter(index, Life::Setup, now);
            let mandate = &mut self.mandates[index as usize];
            (mandate.seen, mandate.seen_since) = (Life::Setup, now as f32);
        }
    }

    fn enter(&mut self, index: u32, life: Life, at: f64) {
        let mandate = &mut self.mandates[index as usize];
        (mandate.life, mandate.entered) = (life, at as f32);
        self.mandates[index as usize].changes_at = self.next_change(index, at);
    }

    /// The changes of a mandate that nobody has noticed at the end of the simulation.
    pub fn unnoticed(&self, index: u32, end: f64) -> Option<Noticed> {
        let Mandate { changes_at, life, .. } = self.mandates[index as usize];
        let group = self.group(index, life, changes_at);
        (changes_at <= end).then_some(Noticed { group, changed_at: changes_at, noticed_at: end })
    }
}

/// The rate of change without a collection ahead, relative to the average over the month.
const SELDOM: f64 = (MONTH - AHEAD * REMINDED) / (MONTH - AHEAD);

fn exposed(time_of_month: f64) -> f64 {
    time_of_month.min(AHEAD) * REMINDED + (time_of_month - AHEAD).max(0.0) * SELDOM
}

fn unexposed(exposed: f64) -> f64 {
    (exposed / REMINDED).min(AHEAD) + (exposed - AHEAD * REMINDED).max(0.0) / SELDOM
}
