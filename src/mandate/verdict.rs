//! Whether a mandate may be used, and why not. No I/O, no clock.

use super::{Account, Mandate, Source};
use crate::{
    vocabulary::{AccountStatus, Change, Evidence, MandateStatus, Purpose, RawStatus, stable_text},
    wire,
};
use chrono::{DateTime, Months, NaiveDate, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use std::{fmt, time::Duration};

/// A mandate lapses 36 months after the last collection that was presented, even if that one failed
/// (SEPA Core and B2B rulebooks).
const DORMANCY: Months = Months::new(36);

/// Two clocks may differ by this much before a reading from the future is not believed.
const CLOCKS_DIFFER: TimeDelta = TimeDelta::minutes(10);

/// No direct debit is older. An earlier day is a slip: `26-09-01` reads as the year 26.
const EARLIEST: NaiveDate = NaiveDate::from_ymd_opt(1970, 1, 1).expect("it is a day");

/// What only you know of a mandate on which you want to collect.
///
/// It is exhaustive and has no `Default` on purpose. A fact that is left out would be a fact that is assumed, and an
/// assumed "not revoked" collects money that nobody owes. State each fact; state `None` for a fact that you do not know.
/// When a later version needs one more fact, your code does not compile until you state it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The day on which the debtor signed. A creditor has to hold it anyway. `None`: not known.
    pub signed_on: Option<NaiveDate>,
    /// Whether you hold the signed document, or have seen the day of signature at the vendor. `None`: not known.
    ///
    /// It decides where the vendor's word for an active mandate may stand for an unsigned one: today at Easytransac and
    /// at SafeDebit.
    pub signature_confirmed: Option<bool>,
    /// The last collection that you presented on this mandate, even if it failed.
    pub last_collection: LastCollection,
    /// Whether the debtor has revoked it with you, by letter say: the vendor may not know. `None`: not known.
    pub revoked_by_debtor: Option<bool>,
    /// Whether it was for one collection, which has been presented and not rejected. A rejected one may be presented
    /// again. `None`: not known.
    pub one_off_used: Option<bool>,
    /// How old a reading may be to act on it.
    pub max_age: Duration,
    /// The last status that you know and have acted on; `None` at the first reading.
    ///
    /// A mandate that had ended and is back is not allowed until you state its present status here. The same word
    /// again, stated already while the mandate was ended, does not acknowledge its return.
    pub last_acknowledged: Option<MandateStatus>,
}

/// The last collection that you presented on a mandate. A mandate lapses 36 months after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LastCollection {
    /// You do not know.
    NotKnown,
    /// You have presented none.
    Never,
    /// The day on which you presented it. Its due date may be ahead; this day cannot be.
    On(NaiveDate),
}

/// One of [`Facts`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fact {
    /// [`Facts::signed_on`].
    SignedOn,
    /// [`Facts::signature_confirmed`].
    SignatureConfirmed,
    /// [`Facts::last_collection`].
    LastCollection,
    /// [`Facts::revoked_by_debtor`].
    RevokedByDebtor,
    /// [`Facts::one_off_used`].
    OneOffUsed,
    /// A fact that a newer version of this crate asks for.
    Other,
}

stable_text!(Fact { SignedOn, SignatureConfirmed, LastCollection, RevokedByDebtor, OneOffUsed, Other } else Self::Other);

/// The name of the field.
impl fmt::Display for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::SignedOn => "signed_on",
            Self::SignatureConfirmed => "signature_confirmed",
            Self::LastCollection => "last_collection",
            Self::RevokedByDebtor => "revoked_by_debtor",
            Self::OneOffUsed => "one_off_used",
            Self::Other => "a fact that this version does not know",
        })
    }
}

impl Facts {
    /// What these facts alone say against collecting today.
    fn reasons(&self, today: NaiveDate) -> Vec<Reason> {
        let mut reasons = Vec::new();
        for (missing, fact) in [
            (self.signed_on.is_none(), Fact::SignedOn),
            (self.revoked_by_debtor.is_none(), Fact::RevokedByDebtor),
            (self.one_off_used.is_none(), Fact::OneOffUsed),
        ] {
            if missing {
                reasons.push(Reason::FactMissing { fact });
            }
        }
        if self.revoked_by_debtor == Some(true) {
            reasons.push(Reason::RevokedByDebtor);
        }
        if self.one_off_used == Some(true) {
            reasons.push(Reason::OneOffUsed);
        }
        let collected = match self.last_collection {
            LastCollection::On(day) => Some(day),
            LastCollection::NotKnown | LastCollection::Never => None,
        };
        if self.signed_on.is_some_and(|day| day < EARLIEST) {
            reasons.push(Reason::FactImpossible { fact: Fact::SignedOn });
        }
        if collected.is_some_and(|day| day < EARLIEST || day > today) {
            reasons.push(Reason::FactImpossible { fact: Fact::LastCollection });
        }
        if let Some(signed_on) = self.signed_on.filter(|day| *day > today) {
            reasons.push(Reason::NotYetSigned { signed_on });
        }
        reasons.extend(self.contradictions(today));
        // Of the days that can be. The later one counts.
        let possible = |day: &NaiveDate| (EARLIEST..=today).contains(day);
        let [signed, collected] = [self.signed_on, collected].map(|day| day.filter(possible));
        let since = signed.max(collected).filter(|since| has_lapsed(*since, today));
        let signed_lately = signed.is_some_and(|day| !has_lapsed(day, today));
        match (self.last_collection, since) {
            // A collection that is not known may have kept it alive.
            (LastCollection::NotKnown, _) if signed_lately => {}
            (LastCollection::NotKnown, _) => reasons.push(Reason::FactMissing { fact: Fact::LastCollection }),
            (_, Some(since)) => reasons.push(Reason::Dormant { since }),
            (_, None) => {}
        }
        reasons
    }

    /// Facts of which one is wrong, whichever it is.
    fn contradictions(&self, today: NaiveDate) -> impl Iterator<Item = Reason> {
        let before_signature = match (self.signed_on, self.last_collection) {
            (Some(signed), LastCollection::On(collected)) => collected < signed,
            _ => false,
        };
        let used_without_collection = self.one_off_used == Some(true) && self.last_collection == LastCollection::Never;
        let confirmed_ahead = self.signature_confirmed == Some(true) && self.signed_on.is_some_and(|day| day > today);
        [
            (before_signature, Fact::SignedOn, Fact::LastCollection),
            (used_without_collection, Fact::LastCollection, Fact::OneOffUsed),
            (confirmed_ahead, Fact::SignedOn, Fact::SignatureConfirmed),
        ]
        .into_iter()
        .filter_map(|(contradict, first, second)| contradict.then_some(Reason::FactsContradict { first, second }))
    }
}

fn has_lapsed(since: NaiveDate, today: NaiveDate) -> bool {
    since.checked_add_months(DORMANCY).is_none_or(|last_day| today > last_day)
}

impl Mandate {
    /// May you collect on this mandate? `now` decides about dates and about the age of the reading.
    ///
    /// The status alone never answers. All reasons are collected; days are counted in UTC. A mandate that is not for
    /// collecting (Seqino) is [`Verdict::NotApplicable`].
    ///
    /// A mandate that [`Mandates::statuses`](crate::Mandates::statuses) read with a [`Known`](crate::Known) knows
    /// whether it came back from an end. Read by its reference alone, it knows only what `facts` say of that.
    ///
    /// # What `Allowed` does not cover
    ///
    /// - Whether you notified the debtor in advance: 14 days, unless you agreed otherwise.
    /// - Refunds: eight weeks without a reason, thirteen months for an unauthorised debit.
    /// - The B2B scheme. There the debtor's bank registers the mandate first, and a consumer cannot be a debtor. No
    ///   vendor documents which scheme it uses.
    /// - A block at the debtor's bank. Nobody tells the creditor.
    /// - A change of the IBAN. It is an amendment, and the debtor has to agree.
    /// - Dormancy on the due date. It is measured at `now`, so ask again on the day on which you collect.
    ///
    /// The chapter [Verdicts](crate::book::verdicts) says more.
    pub fn may_collect(&self, facts: &Facts, now: DateTime<Utc>) -> Verdict {
        if self.reference.provider().purpose() != Purpose::Collect {
            return Verdict::NotApplicable;
        }
        let mut reasons = self.common_reasons(facts.last_acknowledged, now);
        let age = self.age(now);
        if age > facts.max_age {
            reasons.push(Reason::TooOld { age });
        }
        // The vendor may call a mandate active that nobody has signed.
        if self.status == MandateStatus::Active && self.evidence != Evidence::Documented {
            reasons.extend(match facts.signature_confirmed {
                Some(true) => None,
                Some(false) => Some(Reason::SignatureNotConfirmed),
                None => Some(Reason::FactMissing { fact: Fact::SignatureConfirmed }),
            });
        }
        reasons.extend(facts.reasons(now.date_naive()));
        Verdict::of(reasons)
    }

    /// May you act as the grantor's platform by this mandate? `now` decides about dates. How old the reading is does
    /// not count here; look at [`age`](Self::age).
    ///
    /// `last_acknowledged` is the last status that you know and have acted on, as in [`Facts::last_acknowledged`]:
    /// `None` at the first reading. A mandate that had ended and is back is not allowed before you state its present
    /// status.
    ///
    /// That a mandate may be used only while its client is active is our inference; Seqino does not say so. A mandate
    /// that is not for representing (SEPA direct debit) is [`Verdict::NotApplicable`].
    ///
    /// # What `Allowed` does not cover
    ///
    /// Whether the company can receive invoices. An active mandate may not be enough for it, so look at the directory
    /// entry. The chapter [Verdicts](crate::book::verdicts) says more.
    pub fn may_represent(&self, last_acknowledged: Option<MandateStatus>, now: DateTime<Utc>) -> Verdict {
        if self.reference.provider().purpose() != Purpose::Represent {
            return Verdict::NotApplicable;
        }
        let mut reasons = self.common_reasons(last_acknowledged, now);
        match &self.account {
            Account::Read { status: AccountStatus::Active, .. } => {}
            Account::Read { status: AccountStatus::Unrecognized, raw } => {
                reasons.push(Reason::AccountUnrecognized { raw: raw.clone() });
            }
            Account::Read { status, raw } => {
                reasons.push(Reason::AccountNotActive { status: *status, raw: raw.clone() });
            }
            Account::NotRead | Account::NotApplicable => reasons.push(Reason::AccountNotRead),
            Account::Differs => reasons.push(Reason::AccountDiffers),
        }
        Verdict::of(reasons)
    }

    fn common_reasons(&self, last_acknowledged: Option<MandateStatus>, now: DateTime<Utc>) -> Vec<Reason> {
        let mut reasons = Vec::new();
        match self.status {
            MandateStatus::Active => {}
            MandateStatus::Unrecognized => reasons.push(Reason::Unrecognized { raw: self.raw.clone() }),
            status => reasons.push(Reason::NotActive { status, raw: self.raw.clone() }),
        }
        if self.source == Source::Created {
            reasons.push(Reason::NotReadBack);
        }
        if self.observed_at > now + CLOCKS_DIFFER {
            reasons.push(Reason::ReadAhead { observed_at: self.observed_at });
        }
        match self.starts.as_ref().map(wire::DateTime::get) {
            Some(None) => reasons.push(Reason::DateUnreadable { which: Date::Start }),
            Some(Some(starts)) if now < starts => reasons.push(Reason::BeforeStart { starts: starts.to_utc() }),
            _ => {}
        }
        match self.ends.as_ref().map(wire::DateTime::get) {
            Some(None) => reasons.push(Reason::DateUnreadable { which: Date::End }),
            Some(Some(ends)) if now >= ends => reasons.push(Reason::AfterEnd { ends: ends.to_utc() }),
            _ => {}
        }
        // A status that nobody recognizes may have been an end.
        let stated = last_acknowledged.filter(|from| {
            *from == MandateStatus::Unrecognized || from.change_to(self.status) == Some(Change::Reinstated)
        });
        if let Some(from) = self.unacknowledged_return(last_acknowledged).or(stated) {
            reasons.push(Reason::Reinstated { from });
        }
        reasons
    }

    /// The end from which it came back, unless this acknowledges the return.
    pub(crate) fn unacknowledged_return(&self, last_acknowledged: Option<MandateStatus>) -> Option<MandateStatus> {
        let acknowledges = last_acknowledged == Some(self.status)
            && last_acknowledged != self.acknowledged_before
            && self.status != MandateStatus::Unrecognized;
        self.reinstated_from.filter(|_| !acknowledges)
    }
}

/// The answer to "may I?". It is written and read with serde: `{"verdict": "Refused", "reasons": [...]}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(tag = "verdict", content = "reasons")]
#[must_use]
pub enum Verdict {
    /// Yes, as far as the vendor and you have said.
    Allowed,
    /// No; every reason, those that leave it open among them.
    Refused(Vec<Reason>),
    /// Not known; every reason.
    Undetermined(Vec<Reason>),
    /// The question has no meaning for this mandate.
    NotApplicable,
}

impl Verdict {
    fn of(reasons: Vec<Reason>) -> Self {
        if reasons.is_empty() {
            Self::Allowed
        } else if reasons.iter().any(Reason::refuses) {
            Self::Refused(reasons)
        } else {
            Self::Undetermined(reasons)
        }
    }

    /// Whether it is [`Verdict::Allowed`].
    pub fn is_allowed(&self) -> bool {
        *self == Self::Allowed
    }

    /// Why not; empty where allowed or not applicable.
    pub fn reasons(&self) -> &[Reason] {
        match self {
            Self::Refused(reasons) | Self::Undetermined(reasons) => reasons,
            Self::Allowed | Self::NotApplicable => &[],
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self {
            Self::Allowed => "allowed",
            Self::Refused(_) => "refused",
            Self::Undetermined(_) => "undetermined",
            Self::NotApplicable => "not applicable",
        };
        f.write_str(word)?;
        for (i, reason) in self.reasons().iter().enumerate() {
            write!(f, "{} {reason}", if i == 0 { ":" } else { ";" })?;
        }
        Ok(())
    }
}

/// Why a mandate may not be used, or why that is not known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(tag = "reason")]
#[non_exhaustive]
pub enum Reason {
    /// It is not in force. Refuses.
    NotActive {
        /// Its state.
        status: MandateStatus,
        /// The vendor's word for it.
        raw: RawStatus,
    },
    /// The vendor's word is not in our tables. Leaves it open.
    Unrecognized {
        /// The word.
        raw: RawStatus,
    },
    /// It was created and not read back since. Leaves it open.
    NotReadBack,
    /// Its start date is ahead. Refuses.
    BeforeStart {
        /// The start.
        starts: DateTime<Utc>,
    },
    /// Its end date is reached. Refuses.
    AfterEnd {
        /// The end.
        ends: DateTime<Utc>,
    },
    /// A date of the vendor could not be read. Leaves it open.
    DateUnreadable {
        /// Which one.
        which: Date,
    },
    /// The reading is older than you allow. Leaves it open.
    TooOld {
        /// How old it is; stored in whole seconds.
        #[serde(with = "seconds")]
        #[cfg_attr(feature = "schemars", schemars(with = "u64"))]
        age: Duration,
    },
    /// The reading is from the future: a clock is wrong. Leaves it open.
    ReadAhead {
        /// When it was read, it says.
        observed_at: DateTime<Utc>,
    },
    /// The day of signature that you state is ahead. Refuses.
    NotYetSigned {
        /// That day.
        signed_on: NaiveDate,
    },
    /// No collection was presented for 36 months. Refuses.
    Dormant {
        /// The day of the last collection, or of the signature.
        since: NaiveDate,
    },
    /// It was for one collection, which has been presented. Refuses.
    OneOffUsed,
    /// The debtor has revoked it with you. Refuses.
    RevokedByDebtor,
    /// It had ended and the vendor brought it back, and you have not acknowledged its return. Leaves it open.
    Reinstated {
        /// The end from which it came back, or `Unrecognized` if what it was before is not known.
        from: MandateStatus,
    },
    /// A fact is not stated, and the answer depends on it. Leaves it open.
    FactMissing {
        /// Which one.
        fact: Fact,
    },
    /// A fact cannot be: a day before 1970, or a last collection after today. Refuses.
    FactImpossible {
        /// Which one.
        fact: Fact,
    },
    /// Two facts cannot both be: a collection before the signature, say. Leaves it open.
    FactsContradict {
        /// The one.
        first: Fact,
        /// The other.
        second: Fact,
    },
    /// The vendor's word for an active mandate may stand for an unsigned one, and you have not seen the signature. Leaves
    /// it open.
    SignatureNotConfirmed,
    /// The client is not active. Refuses.
    AccountNotActive {
        /// Its state.
        status: AccountStatus,
        /// The vendor's word for it.
        raw: RawStatus,
    },
    /// The vendor's word for the client's state is not in our tables. Leaves it open.
    AccountUnrecognized {
        /// The word.
        raw: RawStatus,
    },
    /// The client could not be read. Leaves it open.
    AccountNotRead,
    /// The mandate belongs to another client than its reference says. Leaves it open.
    AccountDiffers,
    /// A reason that a newer version of this crate stored. Leaves it open.
    #[serde(other)]
    Other,
}

/// A date of a mandate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Date {
    /// When it comes into force.
    Start,
    /// When it ends.
    End,
}

stable_text!(Date { Start, End } else Self::End);

mod seconds {
    use serde::{Deserialize, Deserializer, Serializer};
    use std::time::Duration;

    pub fn serialize<S: Serializer>(age: &Duration, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_u64(age.as_secs())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Duration, D::Error> {
        u64::deserialize(d).map(Duration::from_secs)
    }
}

impl Reason {
    /// Whether this reason says no; otherwise it says that nobody knows.
    pub fn refuses(&self) -> bool {
        match self {
            Self::NotActive { .. }
            | Self::BeforeStart { .. }
            | Self::AfterEnd { .. }
            | Self::NotYetSigned { .. }
            | Self::Dormant { .. }
            | Self::OneOffUsed
            | Self::RevokedByDebtor
            | Self::FactImpossible { .. }
            | Self::AccountNotActive { .. } => true,
            Self::Unrecognized { .. }
            | Self::NotReadBack
            | Self::DateUnreadable { .. }
            | Self::TooOld { .. }
            | Self::ReadAhead { .. }
            | Self::Reinstated { .. }
            | Self::FactMissing { .. }
            | Self::FactsContradict { .. }
            | Self::SignatureNotConfirmed
            | Self::AccountUnrecognized { .. }
            | Self::AccountNotRead
            | Self::AccountDiffers
            | Self::Other => false,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotActive { status, raw } => write!(f, "not active: {status} ({raw})"),
            Self::Unrecognized { raw } => write!(f, "status unrecognized ({raw})"),
            Self::NotReadBack => f.write_str("created but not read back"),
            Self::BeforeStart { starts } => write!(f, "before its start, {}", starts.format("%FT%TZ")),
            Self::AfterEnd { ends } => write!(f, "after its end, {}", ends.format("%FT%TZ")),
            Self::DateUnreadable { which: Date::Start } => f.write_str("its start date cannot be read"),
            Self::DateUnreadable { which: Date::End } => f.write_str("its end date cannot be read"),
            Self::TooOld { age } => write!(f, "read {} s ago, too old", age.as_secs()),
            Self::ReadAhead { observed_at } => write!(f, "read ahead of time, {}", observed_at.format("%FT%TZ")),
            Self::NotYetSigned { signed_on } => write!(f, "to be signed on {signed_on}"),
            Self::Dormant { since } => write!(f, "dormant: no collection for 36 months since {since}"),
            Self::OneOffUsed => f.write_str("one-off and used"),
            Self::RevokedByDebtor => f.write_str("revoked by the debtor with you"),
            Self::Reinstated { from } => write!(f, "reinstated after {from}, not yet acknowledged"),
            Self::FactMissing { fact } => write!(f, "{fact} not known"),
            Self::FactImpossible { fact } => write!(f, "{fact} cannot be: it is before 1970 or after today"),
            Self::FactsContradict { first, second } => write!(f, "{first} and {second} contradict each other"),
            Self::SignatureNotConfirmed => {
                f.write_str("signature not confirmed, and the vendor's word may stand for an unsigned mandate")
            }
            Self::AccountNotActive { status, raw } => write!(f, "client not active: {status} ({raw})"),
            Self::AccountUnrecognized { raw } => write!(f, "client status unrecognized ({raw})"),
            Self::AccountNotRead => f.write_str("client not read"),
            Self::AccountDiffers => f.write_str("belongs to another client than its reference says"),
            Self::Other => f.write_str("a reason that this version does not know"),
        }
    }
}
