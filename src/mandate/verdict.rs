//! Decides whether a mandate may be used, with every reason. This module does no I/O and reads no clock.

use super::{Account, Mandate, Source};
use crate::{
    sepa::paris_day,
    vocabulary::{AccountStatus, Change, Evidence, MandateStatus, Purpose, RawStatus, stable_text},
    wire,
};
use chrono::{DateTime, Months, NaiveDate, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use std::{fmt, time::Duration};

/// A mandate lapses 36 months after the last collection that was presented, even if that collection failed (SEPA Core
/// and B2B rulebooks).
const DORMANCY: Months = Months::new(36);

/// The tolerated difference between two clocks. A reading whose time is further in the future is not trusted.
const CLOCKS_DIFFER: TimeDelta = TimeDelta::minutes(10);

/// No direct debit is older than this day, so an earlier day is a typing error: `26-09-01` is read as a day in the year
/// 26.
pub(super) const EARLIEST: NaiveDate = NaiveDate::from_ymd_opt(1970, 1, 1).expect("1970-01-01 is a valid day");

/// The facts that only you know about a mandate on which you want to collect money.
///
/// State each fact. Use `None` for a fact that you do not know. There is no `Default` on purpose: a default for "not
/// revoked" could be wrong, and would then collect money that nobody owes.
///
/// The struct is exhaustive on purpose. When a later version needs one more fact, your code does not compile until you
/// state that fact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The day in Paris on which the debtor signed. A creditor has to keep this date anyway. Use `None` if you do not
    /// know the day.
    pub signed_on: Option<NaiveDate>,
    /// True if you have the signed document, or have seen the day of signature at the vendor. Use `None` if you do not
    /// know.
    ///
    /// This fact is needed where the vendor's word for active may also mean unsigned. Today that is the case at
    /// Easytransac and SafeDebit.
    pub signature_confirmed: Option<bool>,
    /// The last collection that you presented on this mandate, even if it failed.
    pub last_collection: LastCollection,
    /// True if the debtor has revoked the mandate by a message to you, for example by letter. The vendor may not know
    /// of this revocation. Use `None` if you do not know.
    pub revoked_by_debtor: Option<bool>,
    /// True if the mandate was for one collection, which you have presented and which was not rejected. A rejected
    /// collection may be presented again. Use `None` if you do not know.
    pub one_off_used: Option<bool>,
    /// The greatest age of a reading that you still use. An older reading does not allow a collection.
    pub max_age: Duration,
    /// The last status that you know and have acted on. Use `None` at the first reading.
    ///
    /// A reinstated mandate is not allowed until you state its present status here. A status that you already stated
    /// here while the mandate was ended does not acknowledge the return.
    pub last_acknowledged: Option<MandateStatus>,
}

/// The last collection that you presented on a mandate. The mandate lapses 36 months after this collection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LastCollection {
    /// You do not know the day of the last collection.
    NotKnown,
    /// You have presented no collection on the mandate.
    Never,
    /// The day on which you presented the collection. The due date of the collection may be in the future, but not this
    /// day.
    On(NaiveDate),
}

/// The name of one of the [`Facts`], or of a fact of a [`Collection`](super::Collection).
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
    /// [`Collection::notified_on`](super::Collection::notified_on).
    NotifiedOn,
    /// A fact that only a newer version of this crate uses.
    Other,
}

stable_text!(Fact {
    SignedOn, SignatureConfirmed, LastCollection, RevokedByDebtor, OneOffUsed, NotifiedOn, Other
} else Self::Other);

/// `Display` shows the name of the field in [`Facts`].
impl fmt::Display for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::SignedOn => "signed_on",
            Self::SignatureConfirmed => "signature_confirmed",
            Self::LastCollection => "last_collection",
            Self::RevokedByDebtor => "revoked_by_debtor",
            Self::OneOffUsed => "one_off_used",
            Self::NotifiedOn => "notified_on",
            Self::Other => "a fact that this version of mandat does not know",
        })
    }
}

impl Facts {
    /// Returns the reasons in these facts that speak against a collection on `day`, which is today or later.
    fn reasons(&self, today: NaiveDate, day: NaiveDate) -> Vec<Reason> {
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
        // The 36 months count from the later of the signature and the last collection.
        let possible = |day: &NaiveDate| (EARLIEST..=today).contains(day);
        let [signed, collected] = [self.signed_on, collected].map(|day| day.filter(possible));
        let since = signed.max(collected).filter(|since| has_lapsed(*since, day));
        let signed_lately = signed.is_some_and(|signed| !has_lapsed(signed, day));
        match (self.last_collection, since) {
            // If the day of the last collection is unknown, it matters only if the signature is more than 36 months
            // old.
            (LastCollection::NotKnown, _) if signed_lately => {}
            (LastCollection::NotKnown, _) => reasons.push(Reason::FactMissing { fact: Fact::LastCollection }),
            (_, Some(since)) => reasons.push(Reason::Dormant { since }),
            (_, None) => {}
        }
        reasons
    }

    /// Finds pairs of facts that contradict each other. One of the two facts must be wrong.
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

fn has_lapsed(since: NaiveDate, day: NaiveDate) -> bool {
    since.checked_add_months(DORMANCY).is_none_or(|last_day| day > last_day)
}

impl Mandate {
    /// Decides whether you may collect on this mandate at the time `now`.
    ///
    /// The status alone is never enough. The verdict lists every reason. Days are days in Paris. A mandate that is not
    /// for collections (Seqino) gives [`Verdict::NotApplicable`].
    ///
    /// A reading that followed a [`StoredState`](crate::StoredState) can show that the mandate was reinstated; see
    /// [`Mandates::statuses`](crate::Mandates::statuses). For a reading without an earlier state, only `facts` can show
    /// this.
    ///
    /// # What `Allowed` does not cover
    ///
    /// - Advance notice: notify the debtor 14 days before, unless you agreed otherwise.
    /// - Refunds: the debtor has eight weeks without a reason, and thirteen months for an unauthorised debit.
    /// - The B2B scheme. The debtor's bank must register the mandate first, and a consumer cannot be a debtor. No
    ///   vendor documents whether its mandates are Core or B2B.
    /// - A block at the debtor's bank, because nobody informs the creditor of it.
    /// - A change of the IBAN. Such a change is an amendment of the mandate, and the debtor must agree.
    /// - The due date. You present a collection at least one business day before its due date, so no collection is due
    ///   today. This verdict therefore ignores business days and lead times, and measures dormancy at `now`. Call
    ///   [`may_collect_on`](Self::may_collect_on) for the verdict on a due date.
    ///
    /// See the chapter [Verdicts](crate::book::verdicts).
    pub fn may_collect(&self, facts: &Facts, now: DateTime<Utc>) -> Verdict {
        self.reasons_against_collecting(facts, now, paris_day(now)).map_or(Verdict::NotApplicable, Verdict::of)
    }

    /// Returns the reasons that hold now or on `day`. Returns `None` if the mandate is not for collections.
    pub(super) fn reasons_against_collecting(
        &self,
        facts: &Facts,
        now: DateTime<Utc>,
        day: NaiveDate,
    ) -> Option<Vec<Reason>> {
        if self.reference.provider().purpose() != Purpose::Collect {
            return None;
        }
        let mut reasons = self.common_reasons(facts.last_acknowledged, now);
        let age = self.age(now);
        if age > facts.max_age {
            reasons.push(Reason::TooOld { age });
        }
        // If the meaning of the vendor's word for active is not documented, the word may also mean an unsigned mandate.
        if self.status == MandateStatus::Active && self.evidence != Evidence::Documented {
            reasons.extend(match facts.signature_confirmed {
                Some(true) => None,
                Some(false) => Some(Reason::SignatureNotConfirmed),
                None => Some(Reason::FactMissing { fact: Fact::SignatureConfirmed }),
            });
        }
        let today = paris_day(now);
        reasons.extend(facts.reasons(today, day.max(today)));
        Some(reasons)
    }

    /// Decides whether you may act as the grantor's e-invoicing platform under this mandate at the time `now`.
    ///
    /// The verdict does not check the age of the reading: compare [`age`](Self::age) with your own limit.
    ///
    /// `last_acknowledged` is the last status that you know and have acted on, as in [`Facts::last_acknowledged`]. Use
    /// `None` at the first reading. A reinstated mandate is not allowed until you state its present status.
    ///
    /// The verdict is allowed only if the client is active. This rule is our inference; Seqino does not document it. A
    /// mandate that is not for e-invoicing (SEPA direct debit) gives [`Verdict::NotApplicable`].
    ///
    /// # What `Allowed` does not cover
    ///
    /// The ability of the company to receive invoices is not checked. An active mandate may not be enough, so read the
    /// directory entry. See the chapter [Verdicts](crate::book::verdicts).
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
        if self.observed_at - now > CLOCKS_DIFFER {
            reasons.push(Reason::ReadAhead { observed_at: self.observed_at });
        }
        match self.starts.as_ref().map(wire::DateTime::get) {
            Some(None) => reasons.push(Reason::DateUnreadable { which: DateField::Start }),
            Some(Some(starts)) if now < starts => reasons.push(Reason::BeforeStart { starts: starts.to_utc() }),
            _ => {}
        }
        match self.ends.as_ref().map(wire::DateTime::get) {
            Some(None) => reasons.push(Reason::DateUnreadable { which: DateField::End }),
            Some(Some(ends)) if now >= ends => reasons.push(Reason::AfterEnd { ends: ends.to_utc() }),
            _ => {}
        }
        // Report a return also if only the status that the caller stated shows it. An unrecognized status may have
        // hidden an end of the mandate.
        let stated = last_acknowledged.filter(|from| {
            *from == MandateStatus::Unrecognized || from.change_to(self.status) == Some(Change::Reinstated)
        });
        if let Some(from) = self.unacknowledged_return(last_acknowledged).or(stated) {
            reasons.push(Reason::Reinstated { from });
        }
        reasons
    }

    /// Returns the ended status from which the mandate was reinstated. Returns `None` if `last_acknowledged`
    /// acknowledges the return.
    pub(crate) fn unacknowledged_return(&self, last_acknowledged: Option<MandateStatus>) -> Option<MandateStatus> {
        let acknowledges = last_acknowledged == Some(self.status)
            && last_acknowledged != self.acknowledged_before
            && self.status != MandateStatus::Unrecognized;
        self.reinstated_from.filter(|_| !acknowledges)
    }
}

/// The decision whether a mandate may be used now, with the reasons against its use.
///
/// Serde writes and reads a verdict as `{"verdict": "Refused", "reasons": [...]}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(tag = "verdict", content = "reasons")]
#[must_use]
pub enum Verdict {
    /// The mandate may be used, as far as the vendor's data and your facts show.
    Allowed,
    /// The mandate must not be used. The list has every reason, including reasons that alone make a verdict
    /// undetermined.
    Refused(Vec<Reason>),
    /// The information is not enough to allow or refuse the use of the mandate. The list has every reason.
    Undetermined(Vec<Reason>),
    /// The question does not apply to this mandate, because its vendor's mandates have another purpose.
    NotApplicable,
}

impl Verdict {
    pub(super) fn of(reasons: Vec<Reason>) -> Self {
        if reasons.is_empty() {
            Self::Allowed
        } else if reasons.iter().any(Reason::refuses) {
            Self::Refused(reasons)
        } else {
            Self::Undetermined(reasons)
        }
    }

    /// Returns true if the verdict is [`Verdict::Allowed`].
    pub fn is_allowed(&self) -> bool {
        *self == Self::Allowed
    }

    /// Returns the reasons against the use of the mandate. The list is empty if the verdict is allowed or not
    /// applicable.
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

/// A reason why the verdict on a mandate is refused or undetermined.
///
/// A single reason that refuses makes the verdict [`Verdict::Refused`]. If no reason refuses, the verdict is
/// [`Verdict::Undetermined`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(tag = "reason")]
#[non_exhaustive]
pub enum Reason {
    /// The mandate is not in force. The verdict is refused.
    NotActive {
        /// The status of the mandate.
        status: MandateStatus,
        /// The vendor's word for the status.
        raw: RawStatus,
    },
    /// The vendor's word for the status is not in this crate's tables. Alone, this reason makes the verdict
    /// undetermined.
    Unrecognized {
        /// The raw word.
        raw: RawStatus,
    },
    /// The mandate was created, but not read since. Alone, this reason makes the verdict undetermined.
    NotReadBack,
    /// The start of the mandate is in the future. The verdict is refused.
    BeforeStart {
        /// The start of the mandate.
        starts: DateTime<Utc>,
    },
    /// The end of the mandate has been reached, or will be by the due date. The verdict is refused.
    AfterEnd {
        /// The end of the mandate.
        ends: DateTime<Utc>,
    },
    /// A date from the vendor could not be read. Alone, this reason makes the verdict undetermined.
    DateUnreadable {
        /// The date that could not be read.
        which: DateField,
    },
    /// The reading is older than [`Facts::max_age`]. Alone, this reason makes the verdict undetermined.
    TooOld {
        /// The age of the reading. Serde stores whole seconds.
        #[serde(with = "seconds")]
        #[cfg_attr(feature = "schemars", schemars(with = "u64"))]
        age: Duration,
    },
    /// The time of the reading is more than ten minutes in the future, so a clock is wrong. Alone, this reason makes
    /// the verdict undetermined.
    ReadAhead {
        /// The time of the reading.
        observed_at: DateTime<Utc>,
    },
    /// The day of signature that you stated is in the future. The verdict is refused.
    NotYetSigned {
        /// The stated day of signature.
        signed_on: NaiveDate,
    },
    /// No collection was presented for 36 months, at `now` or by the due date. The verdict is refused.
    Dormant {
        /// The day of the last collection, or of the signature.
        since: NaiveDate,
    },
    /// The mandate was for one collection, which has been presented. The verdict is refused.
    OneOffUsed,
    /// The debtor has revoked the mandate by a message to you. The verdict is refused.
    RevokedByDebtor,
    /// The vendor reinstated an ended mandate, and you have not acknowledged the return. Alone, this reason makes the
    /// verdict undetermined.
    Reinstated {
        /// The ended status before the return, or `Unrecognized` if that status was not recognized.
        from: MandateStatus,
    },
    /// You did not state a fact that the verdict needs. Alone, this reason makes the verdict undetermined.
    FactMissing {
        /// The missing fact.
        fact: Fact,
    },
    /// TARGET is closed on the due date. The verdict is refused.
    NotBusinessDay {
        /// The due date.
        day: NaiveDate,
    },
    /// It is too late to present a collection for this due date. The verdict is refused.
    TooSoon {
        /// The first due date for which a presentation is in time.
        earliest: NaiveDate,
    },
    /// The debtor was notified too late for this due date. The verdict is refused.
    NotifiedTooLate {
        /// The first due date that leaves the agreed notice.
        earliest: NaiveDate,
    },
    /// A stated fact is impossible: a day before 1970, or a last collection or notification after today. The verdict is
    /// refused.
    FactImpossible {
        /// The impossible fact.
        fact: Fact,
    },
    /// Two stated facts contradict each other, such as a collection before the signature. Alone, this reason makes the
    /// verdict undetermined.
    FactsContradict {
        /// The first of the two facts.
        first: Fact,
        /// The second of the two facts.
        second: Fact,
    },
    /// The vendor's word for active may also mean unsigned, and you did not confirm the signature. Alone, this reason
    /// makes the verdict undetermined.
    SignatureNotConfirmed,
    /// The client that granted the mandate is not active. The verdict is refused.
    AccountNotActive {
        /// The status of the client.
        status: AccountStatus,
        /// The vendor's word for the status.
        raw: RawStatus,
    },
    /// The vendor's word for the client's state is not in this crate's tables. Alone, this reason makes the verdict
    /// undetermined.
    AccountUnrecognized {
        /// The raw word.
        raw: RawStatus,
    },
    /// The client that granted the mandate could not be read. Alone, this reason makes the verdict undetermined.
    AccountNotRead,
    /// The mandate belongs to another client than its reference says. Alone, this reason makes the verdict
    /// undetermined.
    AccountDiffers,
    /// A reason that a newer version of this crate stored. Alone, this reason makes the verdict undetermined.
    #[serde(other)]
    Other,
}

/// A date of a mandate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DateField {
    /// The start of the mandate, when it comes into force.
    Start,
    /// The end of the mandate, from which it is no longer in force.
    End,
}

stable_text!(DateField { Start, End } else Self::End);

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
    /// Returns true if this reason makes the verdict refused. Otherwise this reason alone makes the verdict
    /// undetermined.
    pub fn refuses(&self) -> bool {
        match self {
            Self::NotActive { .. }
            | Self::BeforeStart { .. }
            | Self::AfterEnd { .. }
            | Self::NotYetSigned { .. }
            | Self::Dormant { .. }
            | Self::OneOffUsed
            | Self::RevokedByDebtor
            | Self::NotBusinessDay { .. }
            | Self::TooSoon { .. }
            | Self::NotifiedTooLate { .. }
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
            Self::NotReadBack => f.write_str("the mandate was created, but not read since"),
            Self::BeforeStart { starts } => write!(f, "before its start, {}", starts.format("%FT%TZ")),
            Self::AfterEnd { ends } => write!(f, "after its end, {}", ends.format("%FT%TZ")),
            Self::DateUnreadable { which: DateField::Start } => f.write_str("the start date cannot be read"),
            Self::DateUnreadable { which: DateField::End } => f.write_str("the end date cannot be read"),
            Self::TooOld { age } => write!(f, "read {} s ago, too old", age.as_secs()),
            Self::ReadAhead { observed_at } => {
                write!(f, "the reading is from the future, {}: check the clocks", observed_at.format("%FT%TZ"))
            }
            Self::NotYetSigned { signed_on } => {
                write!(f, "not signed yet: the day of signature, {signed_on}, is in the future")
            }
            Self::Dormant { since } => write!(f, "dormant: no collection for 36 months since {since}"),
            Self::OneOffUsed => f.write_str("one-off mandate already used"),
            Self::RevokedByDebtor => f.write_str("the debtor has revoked the mandate by a message to you"),
            Self::NotBusinessDay { day } => write!(f, "TARGET is closed on {day}"),
            Self::TooSoon { earliest } => write!(f, "too late to present it: the earliest due date is {earliest}"),
            Self::NotifiedTooLate { earliest } => {
                write!(f, "debtor notified too late: the earliest due date is {earliest}")
            }
            Self::Reinstated { from } => write!(f, "reinstated after {from}, and you have not acknowledged the return"),
            Self::FactMissing { fact } => write!(f, "{fact} not known"),
            Self::FactImpossible { fact } => write!(f, "{fact} is impossible: the day is before 1970 or after today"),
            Self::FactsContradict { first, second } => write!(f, "{first} and {second} contradict each other"),
            Self::SignatureNotConfirmed => {
                f.write_str("signature not confirmed: the vendor's word for active may also mean an unsigned mandate")
            }
            Self::AccountNotActive { status, raw } => write!(f, "client not active: {status} ({raw})"),
            Self::AccountUnrecognized { raw } => write!(f, "client status unrecognized ({raw})"),
            Self::AccountNotRead => f.write_str("the state of the client could not be read"),
            Self::AccountDiffers => f.write_str("the mandate belongs to another client than its reference says"),
            Self::Other => f.write_str("a reason that this version of mandat does not know"),
        }
    }
}
