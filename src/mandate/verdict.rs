//! Decides if a mandate may be used, with every reason. This module does no I/O and reads no clock.

use super::{Account, Mandate, Source};
use crate::{
    sepa::paris_day,
    vocabulary::{AccountStatus, Change, Evidence, MandateStatus, Purpose, RawStatus, stable_text},
    wire,
};
use chrono::{DateTime, Months, NaiveDate, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use std::{fmt, time::Duration};

/// A mandate lapses 36 months after the last collection that was presented, even if that one failed
/// (SEPA Core and B2B rulebooks).
const DORMANCY: Months = Months::new(36);

/// The tolerated difference between two clocks. A reading from further in the future is not trusted.
const CLOCKS_DIFFER: TimeDelta = TimeDelta::minutes(10);

/// No direct debit is older than this day. An earlier day is a typing error: `26-09-01` reads as the year 26.
pub(super) const EARLIEST: NaiveDate = NaiveDate::from_ymd_opt(1970, 1, 1).expect("it is a day");

/// The facts that only you know about a mandate on which you want to collect.
///
/// State each fact. Use `None` for a fact that you do not know. There is no `Default` on purpose: an omitted fact would
/// be an assumed fact, and a wrong "not revoked" collects money that nobody owes.
///
/// The struct is exhaustive. When a later version needs one more fact, your code does not compile until you state it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The day in Paris on which the debtor signed. A creditor must keep this date in any case. `None`: not known.
    pub signed_on: Option<NaiveDate>,
    /// True if you hold the signed document, or have seen the day of signature at the vendor. `None`: not known.
    ///
    /// This fact is needed where a vendor's word for active may also mean unsigned: today at Easytransac and SafeDebit.
    pub signature_confirmed: Option<bool>,
    /// The last collection that you presented on this mandate, even if it failed.
    pub last_collection: LastCollection,
    /// True if the debtor has revoked the mandate with you, for example by letter. The vendor may not know this.
    /// `None`: not known.
    pub revoked_by_debtor: Option<bool>,
    /// True if the mandate was for one collection, which you have presented and which was not rejected. A rejected
    /// collection may be presented again. `None`: not known.
    pub one_off_used: Option<bool>,
    /// The oldest reading on which you act.
    pub max_age: Duration,
    /// The last status that you know and have acted on. `None` at the first reading.
    ///
    /// A reinstated mandate is not allowed until you state its present status here. A status that you already stated
    /// while the mandate was ended does not acknowledge its return.
    pub last_acknowledged: Option<MandateStatus>,
}

/// The last collection that you presented on a mandate. A mandate lapses 36 months after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LastCollection {
    /// You do not know the day.
    NotKnown,
    /// You have presented no collection.
    Never,
    /// The day on which you presented it. Its due date may be in the future, but this day may not.
    On(NaiveDate),
}

/// One of [`Facts`], or of the facts of a [`Collection`](super::Collection).
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
    /// A fact that a newer version of this crate asks for.
    Other,
}

stable_text!(Fact {
    SignedOn, SignatureConfirmed, LastCollection, RevokedByDebtor, OneOffUsed, NotifiedOn, Other
} else Self::Other);

/// Shows the name of the field.
impl fmt::Display for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::SignedOn => "signed_on",
            Self::SignatureConfirmed => "signature_confirmed",
            Self::LastCollection => "last_collection",
            Self::RevokedByDebtor => "revoked_by_debtor",
            Self::OneOffUsed => "one_off_used",
            Self::NotifiedOn => "notified_on",
            Self::Other => "a fact that this version does not know",
        })
    }
}

impl Facts {
    /// Returns the reasons in these facts against collecting on `day`. It is today or a later day.
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
        // Count dormancy from the later of the two possible days.
        let possible = |day: &NaiveDate| (EARLIEST..=today).contains(day);
        let [signed, collected] = [self.signed_on, collected].map(|day| day.filter(possible));
        let since = signed.max(collected).filter(|since| has_lapsed(*since, day));
        let signed_lately = signed.is_some_and(|signed| !has_lapsed(signed, day));
        match (self.last_collection, since) {
            // An unknown collection may have kept the mandate alive, unless the signature is recent enough.
            (LastCollection::NotKnown, _) if signed_lately => {}
            (LastCollection::NotKnown, _) => reasons.push(Reason::FactMissing { fact: Fact::LastCollection }),
            (_, Some(since)) => reasons.push(Reason::Dormant { since }),
            (_, None) => {}
        }
        reasons
    }

    /// Finds pairs of facts that contradict each other, so that one of them must be wrong.
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
    /// May you collect on this mandate? `now` is compared with its dates and with the time of the reading.
    ///
    /// The status alone is never enough. The verdict lists every reason. Days are those of Paris. A mandate that is not
    /// for collections (Seqino) gives [`Verdict::NotApplicable`].
    ///
    /// A reading that followed a [`StoredState`](crate::StoredState) can tell if the mandate was reinstated; see
    /// [`Mandates::statuses`](crate::Mandates::statuses). A reading by reference alone relies on `facts` for that.
    ///
    /// # What `Allowed` does not cover
    ///
    /// - Advance notice: notify the debtor 14 days before, unless you agreed otherwise.
    /// - Refunds: the debtor has eight weeks without a reason, and thirteen months for an unauthorised debit.
    /// - The B2B scheme. The debtor's bank must register the mandate first, and a consumer cannot be a debtor. No
    ///   vendor documents which scheme it uses.
    /// - A block at the debtor's bank. Nobody informs the creditor.
    /// - A change of the IBAN. This is an amendment, and the debtor must agree.
    /// - The due date. A collection is presented at least one business day before, so none is due today. That is why
    ///   this verdict does not look at business days and lead times, and measures dormancy at `now`. For a due date ask
    ///   [`may_collect_on`](Self::may_collect_on), which has all reasons of this verdict and more.
    ///
    /// See the chapter [Verdicts](crate::book::verdicts).
    pub fn may_collect(&self, facts: &Facts, now: DateTime<Utc>) -> Verdict {
        self.reasons_against_collecting(facts, now, paris_day(now)).map_or(Verdict::NotApplicable, Verdict::of)
    }

    /// The reasons that hold now or on `day`. `None` if the mandate is not for collections.
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
        // Without documentation, the vendor's word for active may also mean an unsigned mandate.
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

    /// May you act as the grantor's platform under this mandate? `now` is compared with its dates.
    ///
    /// The age of the reading is not checked: compare [`age`](Self::age) with your own limit.
    ///
    /// `last_acknowledged` is the last status that you know and have acted on, as in [`Facts::last_acknowledged`]. Use
    /// `None` at the first reading. A reinstated mandate is not allowed until you state its present status.
    ///
    /// The verdict also needs an active client. This rule is our inference; Seqino does not document it. A mandate that
    /// is not for e-invoicing (SEPA direct debit) gives [`Verdict::NotApplicable`].
    ///
    /// # What `Allowed` does not cover
    ///
    /// The ability of the company to receive invoices. An active mandate may not be enough, so read the directory
    /// entry. See the chapter [Verdicts](crate::book::verdicts).
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
        // Also report a return that only the caller's stated status shows. An unrecognized status may hide an end.
        let stated = last_acknowledged.filter(|from| {
            *from == MandateStatus::Unrecognized || from.change_to(self.status) == Some(Change::Reinstated)
        });
        if let Some(from) = self.unacknowledged_return(last_acknowledged).or(stated) {
            reasons.push(Reason::Reinstated { from });
        }
        reasons
    }

    /// Returns the ended status from which the mandate came back, unless `last_acknowledged` acknowledges the return.
    pub(crate) fn unacknowledged_return(&self, last_acknowledged: Option<MandateStatus>) -> Option<MandateStatus> {
        let acknowledges = last_acknowledged == Some(self.status)
            && last_acknowledged != self.acknowledged_before
            && self.status != MandateStatus::Unrecognized;
        self.reinstated_from.filter(|_| !acknowledges)
    }
}

/// The answer to "may I use this mandate now?".
///
/// Serde writes and reads it as `{"verdict": "Refused", "reasons": [...]}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(tag = "verdict", content = "reasons")]
#[must_use]
pub enum Verdict {
    /// Yes, as far as the vendor's data and your facts show.
    Allowed,
    /// No. Lists every reason, including those that only leave the answer open.
    Refused(Vec<Reason>),
    /// The information is not enough for an answer. Lists every reason.
    Undetermined(Vec<Reason>),
    /// The question does not apply to this mandate.
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

    /// The reasons. Empty if the verdict is allowed or not applicable.
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

/// A reason why a mandate may not be used, or why the answer is open.
///
/// A reason that refuses makes the verdict [`Verdict::Refused`]. If all reasons leave the answer open, the verdict is
/// [`Verdict::Undetermined`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(tag = "reason")]
#[non_exhaustive]
pub enum Reason {
    /// The mandate is not in force. Refuses.
    NotActive {
        /// The status of the mandate.
        status: MandateStatus,
        /// The vendor's word for the status.
        raw: RawStatus,
    },
    /// The vendor's word for the status is not in this crate's tables. Leaves the answer open.
    Unrecognized {
        /// The raw word.
        raw: RawStatus,
    },
    /// The mandate was created but not read back since. Leaves the answer open.
    NotReadBack,
    /// The start of the mandate is in the future. Refuses.
    BeforeStart {
        /// The start.
        starts: DateTime<Utc>,
    },
    /// The end of the mandate has been reached, or will be by the due date. Refuses.
    AfterEnd {
        /// The end.
        ends: DateTime<Utc>,
    },
    /// A date from the vendor could not be read. Leaves the answer open.
    DateUnreadable {
        /// The date that could not be read.
        which: DateField,
    },
    /// The reading is older than [`Facts::max_age`]. Leaves the answer open.
    TooOld {
        /// The age of the reading. Serde stores whole seconds.
        #[serde(with = "seconds")]
        #[cfg_attr(feature = "schemars", schemars(with = "u64"))]
        age: Duration,
    },
    /// The reading is more than ten minutes in the future: a clock is wrong. Leaves the answer open.
    ReadAhead {
        /// The time of the reading.
        observed_at: DateTime<Utc>,
    },
    /// The day of signature that you stated is in the future. Refuses.
    NotYetSigned {
        /// That day.
        signed_on: NaiveDate,
    },
    /// No collection was presented for 36 months, at `now` or by the due date. Refuses.
    Dormant {
        /// The day of the last collection, or of the signature.
        since: NaiveDate,
    },
    /// The mandate was for one collection, which has been presented. Refuses.
    OneOffUsed,
    /// The debtor has revoked the mandate with you. Refuses.
    RevokedByDebtor,
    /// The vendor reinstated an ended mandate, and you have not acknowledged the return. Leaves the answer open.
    Reinstated {
        /// The ended status before the return, or `Unrecognized` if that status was not recognized.
        from: MandateStatus,
    },
    /// A fact that decides is not stated. Leaves the answer open.
    FactMissing {
        /// The missing fact.
        fact: Fact,
    },
    /// TARGET is closed on the due date. Refuses.
    NotBusinessDay {
        /// The due date.
        day: NaiveDate,
    },
    /// It is too late to present a collection for this due date. Refuses.
    TooSoon {
        /// The first due date for which a presentation is in time.
        earliest: NaiveDate,
    },
    /// The debtor was notified too late for this due date. Refuses.
    NotifiedTooLate {
        /// The first due date that leaves the agreed notice.
        earliest: NaiveDate,
    },
    /// A fact is impossible: a day before 1970, or a last collection or a notification after today. Refuses.
    FactImpossible {
        /// The impossible fact.
        fact: Fact,
    },
    /// Two facts contradict each other, such as a collection before the signature. Leaves the answer open.
    FactsContradict {
        /// One of the two facts.
        first: Fact,
        /// The other fact.
        second: Fact,
    },
    /// The vendor's word for active may also mean unsigned, and you have not seen the signature. Leaves the answer
    /// open.
    SignatureNotConfirmed,
    /// The client is not active. Refuses.
    AccountNotActive {
        /// The status of the client.
        status: AccountStatus,
        /// The vendor's word for the status.
        raw: RawStatus,
    },
    /// The vendor's word for the client's state is not in this crate's tables. Leaves the answer open.
    AccountUnrecognized {
        /// The raw word.
        raw: RawStatus,
    },
    /// The client could not be read. Leaves the answer open.
    AccountNotRead,
    /// The mandate belongs to another client than its reference says. Leaves the answer open.
    AccountDiffers,
    /// A reason that a newer version of this crate stored. Leaves the answer open.
    #[serde(other)]
    Other,
}

/// A date of a mandate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DateField {
    /// The start, when the mandate comes into force.
    Start,
    /// The end, when the mandate is no longer in force.
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
    /// Returns true if this reason makes the verdict refused. Otherwise it leaves the answer open.
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
            Self::NotReadBack => f.write_str("created but not read back"),
            Self::BeforeStart { starts } => write!(f, "before its start, {}", starts.format("%FT%TZ")),
            Self::AfterEnd { ends } => write!(f, "after its end, {}", ends.format("%FT%TZ")),
            Self::DateUnreadable { which: DateField::Start } => f.write_str("its start date cannot be read"),
            Self::DateUnreadable { which: DateField::End } => f.write_str("its end date cannot be read"),
            Self::TooOld { age } => write!(f, "read {} s ago, too old", age.as_secs()),
            Self::ReadAhead { observed_at } => {
                write!(f, "read in the future, {}: check the clocks", observed_at.format("%FT%TZ"))
            }
            Self::NotYetSigned { signed_on } => write!(f, "not signed yet: signature on {signed_on}"),
            Self::Dormant { since } => write!(f, "dormant: no collection for 36 months since {since}"),
            Self::OneOffUsed => f.write_str("one-off mandate already used"),
            Self::RevokedByDebtor => f.write_str("revoked by the debtor with you"),
            Self::NotBusinessDay { day } => write!(f, "TARGET is closed on {day}"),
            Self::TooSoon { earliest } => write!(f, "too late to present it: the earliest due date is {earliest}"),
            Self::NotifiedTooLate { earliest } => {
                write!(f, "debtor notified too late: the earliest due date is {earliest}")
            }
            Self::Reinstated { from } => write!(f, "reinstated after {from}, not yet acknowledged"),
            Self::FactMissing { fact } => write!(f, "{fact} not known"),
            Self::FactImpossible { fact } => write!(f, "{fact} is impossible: it is before 1970 or after today"),
            Self::FactsContradict { first, second } => write!(f, "{first} and {second} contradict each other"),
            Self::SignatureNotConfirmed => {
                f.write_str("signature not confirmed, and the vendor's word may also mean an unsigned mandate")
            }
            Self::AccountNotActive { status, raw } => write!(f, "client not active: {status} ({raw})"),
            Self::AccountUnrecognized { raw } => write!(f, "client status unrecognized ({raw})"),
            Self::AccountNotRead => f.write_str("client not read"),
            Self::AccountDiffers => f.write_str("belongs to another client than its reference says"),
            Self::Other => f.write_str("a reason that this version does not know"),
        }
    }
}
