//! Says when a mandate is read again, and which of the due mandates is read first.

use crate::world::{DAY, HOUR, Life, Vendor, World};
use chrono::{DateTime, TimeDelta, Utc};
use mandat::{Mandate, MandateStatus, RawStatus, Schedule, StoredState};

/// An order of readings.
#[derive(Clone, Debug, PartialEq)]
pub enum Order {
    /// All mandates, each night at 22:00, one after the other. A night that does not suffice continues the next day.
    Nightly,
    /// Each mandate by the schedule, the urgent ones first.
    Scheduled(Schedule),
}

/// The order among due mandates, as `mandat-fleet` has it. Those with a smaller number are read first.
pub mod urgency {
    /// The debtor has to sign, or a collection is near.
    pub const AWAITED: usize = 0;
    pub const SET_UP: usize = 1;
    pub const IN_FORCE: usize = 2;
    pub const ENDED: usize = 3;
    pub const ALL: usize = 4;
}

/// Plans the next reading of the mandates of one vendor.
pub struct Planner<'a> {
    pub order: &'a Order,
    vendor: Vendor,
    /// A reading and a stored state. Each plan overwrites them, because a new reading for each plan takes more time.
    reading: Mandate,
    stored: StoredState,
    start: DateTime<Utc>,
    /// The life and the last wait of each mandate. The schedule gives the same wait again while a mandate is in force or
    /// ended, so only a new life needs a new computation.
    waits: Vec<(Life, f32)>,
}

impl<'a> Planner<'a> {
    pub fn new(order: &'a Order, world: &World) -> Self {
        let vendor = world.vendor;
        let start = DateTime::UNIX_EPOCH + TimeDelta::days(20_000);
        let reading = serde_json::json!({
            "reference": (vendor.reference)(0, 0).to_string(), "status": "Active", "raw": "1",
            "account": "NotApplicable", "starts": null, "ends": null, "created": null, "observed_at": start.to_rfc3339(),
            "source": "Read", "extra": {}, "next_step": "Use",
        });
        let reading = serde_json::from_value(reading).expect("this is the stored form of a reading");
        let stored = StoredState::new(MandateStatus::Active, RawStatus::new("1"), start);
        Self { order, vendor, reading, stored, start, waits: vec![(Life::Setup, 0.0); world.mandates.len()] }
    }

    /// Returns the time of the next reading by one call, and its urgency. `None` if the call is no longer needed.
    pub fn plan(&mut self, world: &World, call: u32, now: f64) -> Option<(f64, usize)> {
        if *self.order == Order::Nightly {
            return Some((next_night(now), urgency::IN_FORCE));
        }
        let plans = world.read_by(call).filter_map(|index| self.plan_mandate(world, call, index, now));
        plans.reduce(|one, other| (one.0.min(other.0), one.1.min(other.1)))
    }

    fn plan_mandate(&mut self, world: &World, call: u32, index: u32, now: f64) -> Option<(f64, usize)> {
        let seen = world.mandates[index as usize].seen;
        let (life, wait) = self.waits[index as usize];
        let due = if life == seen && life != Life::Setup {
            now + f64::from(wait)
        } else {
            let due = self.next_check(world, call, index, now)?;
            self.waits[index as usize] = (seen, (due - now) as f32);
            due
        };
        let urgency = match seen {
            Life::Setup if self.vendor.setup == MandateStatus::AwaitingSignature => urgency::AWAITED,
            Life::Setup => urgency::SET_UP,
            Life::InForce if world.collects_soon(index, due) => urgency::AWAITED,
            Life::InForce => urgency::IN_FORCE,
            Life::Ended => urgency::ENDED,
        };
        Some((due, urgency))
    }

    /// Asks the schedule.
    pub fn next_check(&mut self, world: &World, call: u32, index: u32, now: f64) -> Option<f64> {
        let Order::Scheduled(schedule) = self.order else { return None };
        let mandate = &world.mandates[index as usize];
        let status = match mandate.seen {
            Life::Setup => self.vendor.setup,
            Life::InForce => MandateStatus::Active,
            Life::Ended => MandateStatus::Revoked,
        };
        let at = self.instant(now);
        self.reading.reference = (self.vendor.reference)(call, index);
        (self.reading.status, self.reading.observed_at) = (status, at);
        (self.stored.status, self.stored.since) = (status, self.instant(f64::from(mandate.seen_since)));
        let next = schedule.next_check(&self.reading, Some(&self.stored), at)?;
        Some((next - self.start).as_seconds_f64())
    }

    fn instant(&self, seconds: f64) -> DateTime<Utc> {
        self.start + TimeDelta::milliseconds((seconds * 1000.0) as i64)
    }
}

fn next_night(now: f64) -> f64 {
    const NIGHT: f64 = 22.0 * HOUR;
    ((now - NIGHT) / DAY).floor() * DAY + DAY + NIGHT
}
