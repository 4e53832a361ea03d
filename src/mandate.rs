//! A mandate as it was read, what it is called, and whether it may be used. No I/O, no clock.

use crate::{
    AccountStatus, Change, Error, MandateStatus, NextStep, Provider, Purpose, RawStatus,
    provider::for_each_provider,
    status::Meaning,
    wire::{self, Extra},
};
use chrono::{DateTime, Months, NaiveDate, TimeDelta, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{fmt, str::FromStr, time::Duration};

/// The name of one mandate at one vendor. Its text form round-trips and fits one column of a database:
/// `easytransac:<mandateId>`, `safedebit:<umr>`, `seqino:<client_id>/<mandate_id>`.
///
/// It does not name your account at the vendor: use one [`Mandates`](crate::Mandates) per account.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema), schemars(with = "String"))]
pub struct MandateRef {
    provider: Provider,
    client: Option<Box<str>>,
    id: Box<str>,
}

impl MandateRef {
    fn new(provider: Provider, client: Option<String>, id: String) -> Self {
        Self { provider, client: client.map(Into::into), id: id.into() }
    }

    /// From the parts of its text form: at Seqino two, elsewhere one.
    pub(crate) fn of_parts(provider: Provider, mut parts: Vec<String>) -> Option<Self> {
        let id = parts.pop()?;
        let client = parts.pop();
        let fits = parts.is_empty() && client.is_some() == provider.reference_form().contains('/');
        Some(Self::new(provider, client, id)).filter(|reference| fits && reference.complete().is_ok())
    }

    /// Whether no part of it is empty.
    pub(crate) fn complete(&self) -> Result<(), Error> {
        if self.id.is_empty() || self.client.as_deref() == Some("") {
            let form = self.provider.reference_form();
            return Err(Error::invalid(
                Some(self.provider),
                format!("a part of the reference is empty; it reads {form}"),
            ));
        }
        Ok(())
    }

    /// The vendor.
    pub fn provider(&self) -> Provider {
        self.provider
    }

    /// The vendor's id of the mandate: at SafeDebit the UMR.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The client that granted it; Seqino only.
    pub fn client_id(&self) -> Option<&str> {
        self.client.as_deref()
    }

    /// This reference for [`Mandates::status`](crate::Mandates::status), saying that the vendor has known the mandate:
    /// if Seqino now says that it does not, the answer is [`MandateStatus::Gone`] and no error. (No other vendor says
    /// so plainly enough.)
    pub fn known(&self) -> Lookup<'_> {
        Lookup { reference: self, known: true }
    }
}

/// A constructor for each provider.
macro_rules! constructors {
    ($($feature:literal, $module:ident, $variant:ident, $shown:literal, $use:ident, $form:literal, $parts:tt;)+) => {
        impl MandateRef {
            $(constructors!(@one $module, $variant, concat!("A mandate at ", $shown, ": `", $form, "`."), $parts);)+
        }
    };
    (@one $module:ident, $variant:ident, $doc:expr, [$id:ident]) => {
        #[doc = $doc]
        pub fn $module($id: impl Into<String>) -> Self {
            Self::new(Provider::$variant, None, $id.into())
        }
    };
    (@one $module:ident, $variant:ident, $doc:expr, [$client:ident / $id:ident]) => {
        #[doc = $doc]
        pub fn $module($client: impl Into<String>, $id: impl Into<String>) -> Self {
            Self::new(Provider::$variant, Some($client.into()), $id.into())
        }
    };
}
for_each_provider!(constructors);

impl fmt::Display for MandateRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let provider = self.provider.as_str();
        match &self.client {
            None => write!(f, "{provider}:{}", self.id),
            Some(client) => write!(f, "{provider}:{}/{}", escape(client), escape(&self.id)),
        }
    }
}

/// An id of two parts must not be split at a slash of its own.
fn escape(part: &str) -> String {
    part.replace('%', "%25").replace('/', "%2F")
}

fn unescape(part: &str) -> String {
    part.replace("%2F", "/").replace("%25", "%")
}

impl FromStr for MandateRef {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let (name, id) = text.split_once(':').unwrap_or_default();
        let Ok(provider) = name.parse::<Provider>() else {
            let forms: Vec<&str> = Provider::ALL.iter().map(|provider| provider.reference_form()).collect();
            return Err(Error::invalid(
                None,
                format!("a reference to a mandate begins with its vendor: {}", forms.join(", ")),
            ));
        };
        let reference = if provider.reference_form().contains('/') {
            let (client, id) = id.split_once('/').unwrap_or_default();
            Self::new(provider, Some(unescape(client)), unescape(id))
        } else {
            Self::new(provider, None, id.into())
        };
        reference.complete().map(|()| reference)
    }
}

impl Serialize for MandateRef {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for MandateRef {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

/// What to look up: a reference, and whether the vendor has known the mandate before.
///
/// Made from a [`MandateRef`], or from a [`Mandate`], which was known if it was read and not only created.
#[derive(Clone, Copy, Debug)]
pub struct Lookup<'a> {
    pub(crate) reference: &'a MandateRef,
    pub(crate) known: bool,
}

impl<'a> From<&'a MandateRef> for Lookup<'a> {
    fn from(reference: &'a MandateRef) -> Self {
        Self { reference, known: false }
    }
}

impl<'a> From<&'a Mandate> for Lookup<'a> {
    fn from(mandate: &'a Mandate) -> Self {
        Self { reference: &mandate.reference, known: mandate.source == Source::Read }
    }
}

/// What a vendor said of a mandate, in our words and in its own.
///
/// It is written and read with serde, for your own store and your own tests.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Mandate {
    /// Which mandate.
    pub reference: MandateRef,
    /// Its state.
    pub status: MandateStatus,
    /// The vendor's own word for it.
    pub raw: RawStatus,
    /// The state of the client that granted it, where a vendor keeps one (Seqino).
    #[serde(deserialize_with = "account_or_not_read")]
    pub account: Account,
    /// When it comes into force, if the vendor says so.
    #[cfg_attr(feature = "schemars", schemars(with = "Option<wire::Json>"))]
    pub starts: Option<wire::DateTime>,
    /// When it ends (that instant is no longer within), if the vendor says so.
    #[cfg_attr(feature = "schemars", schemars(with = "Option<wire::Json>"))]
    pub ends: Option<wire::DateTime>,
    /// When the vendor made it, if it says so.
    #[cfg_attr(feature = "schemars", schemars(with = "Option<wire::Json>"))]
    pub created: Option<wire::DateTime>,
    /// When this was read, by this machine's clock.
    pub observed_at: DateTime<Utc>,
    /// Where this comes from.
    pub source: Source,
    /// What the vendor said besides, kept as it came.
    pub extra: Extra,
    #[serde(rename = "next_step")]
    pub(crate) next: NextStep,
}

/// Where a [`Mandate`] comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Source {
    /// From the answer to its creation, which is no proof: SafeDebit's sample answers "active" beside a link that
    /// nobody has signed.
    Created,
    /// Read back from the vendor.
    Read,
}

crate::status::stable_text!(Source { Created, Read } else Self::Created);

/// The state of the account that a mandate belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub enum Account {
    /// The vendor has no such thing (SEPA direct debit).
    NotApplicable,
    /// As it was read.
    Read {
        /// Its state.
        status: AccountStatus,
        /// The vendor's own word for it.
        raw: RawStatus,
    },
    /// It was not read, or could not be.
    NotRead,
    /// The mandate belongs to another client than its reference says.
    Differs,
}

/// What a newer version stored is as good as not read.
fn account_or_not_read<'de, D: Deserializer<'de>>(d: D) -> Result<Account, D::Error> {
    let stored = serde_json::Value::deserialize(d)?;
    Ok(Account::deserialize(stored).unwrap_or(Account::NotRead))
}

impl Mandate {
    pub(crate) fn new(reference: MandateRef, word: &str, meaning: Meaning, source: Source, at: DateTime<Utc>) -> Self {
        Self {
            reference,
            status: meaning.status,
            raw: RawStatus::new(word),
            account: Account::NotApplicable,
            starts: None,
            ends: None,
            created: None,
            observed_at: at,
            source,
            extra: Extra::default(),
            next: meaning.next,
        }
    }

    /// Who has to act next, and how.
    pub fn next_step(&self) -> NextStep {
        match (self.status, self.next) {
            (MandateStatus::AwaitingSignature, NextStep::AskDebtor) => NextStep::AskDebtor,
            (status, _) => status.next_step(),
        }
    }

    /// How long ago this was read.
    pub fn age(&self, now: DateTime<Utc>) -> Duration {
        (now - self.observed_at).to_std().unwrap_or_default()
    }

    /// How this reading differs from an earlier one of the same mandate; `None` if the status is the same.
    pub fn change_since(&self, earlier: MandateStatus) -> Option<Change> {
        earlier.change_to(self.status)
    }

    /// May you collect on this mandate? `now` decides about dates and about the age of the reading.
    ///
    /// The status alone never answers. All reasons are collected; days are counted in UTC. A mandate that is not for
    /// collecting (Seqino) is [`Verdict::NotApplicable`].
    pub fn may_collect(&self, facts: &Facts, now: DateTime<Utc>) -> Verdict {
        if self.reference.provider.purpose() != Purpose::Collect {
            return Verdict::NotApplicable;
        }
        let mut reasons = self.common_reasons(now);
        let age = self.age(now);
        if age > facts.max_age {
            reasons.push(Reason::TooOld { age });
        }
        if facts.revoked_by_debtor {
            reasons.push(Reason::RevokedByDebtor);
        }
        if facts.one_off_used {
            reasons.push(Reason::OneOffUsed);
        }
        let today = now.date_naive();
        if facts.signed_on > today {
            reasons.push(Reason::NotYetSigned { signed_on: facts.signed_on });
        }
        let since = facts.last_collection.unwrap_or(facts.signed_on);
        if since.checked_add_months(DORMANCY).is_none_or(|last_day| today > last_day) {
            reasons.push(Reason::Dormant { since });
        }
        // What came out of a state that nobody knows may have come out of an end.
        if let Some(from) = facts.last_acknowledged
            && (from == MandateStatus::Unrecognized || from.change_to(self.status) == Some(Change::Reinstated))
        {
            reasons.push(Reason::Reinstated { from });
        }
        Verdict::of(reasons)
    }

    /// May you act as the grantor's platform by this mandate? `now` decides about dates. How old the reading is does
    /// not count here; look at [`age`](Self::age).
    ///
    /// That a mandate may be used only while its client is active is our inference; Seqino does not say so. A mandate
    /// that is not for representing (SEPA direct debit) is [`Verdict::NotApplicable`].
    pub fn may_represent(&self, now: DateTime<Utc>) -> Verdict {
        if self.reference.provider.purpose() != Purpose::Represent {
            return Verdict::NotApplicable;
        }
        let mut reasons = self.common_reasons(now);
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

    fn common_reasons(&self, now: DateTime<Utc>) -> Vec<Reason> {
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
        reasons
    }
}

/// A mandate lapses 36 months after the last collection that was presented, even if that one failed
/// (SEPA Core rulebook).
const DORMANCY: Months = Months::new(36);

/// So far two clocks may differ before a reading from the future is not believed.
const CLOCKS_DIFFER: TimeDelta = TimeDelta::minutes(10);

/// What only you know of a mandate on which you want to collect. There is no `Default`: each has to be stated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The day on which the debtor signed. A creditor has to hold it anyway.
    pub signed_on: NaiveDate,
    /// The due date of the last collection that you presented on this mandate, even if it failed; `None` if there was
    /// none.
    pub last_collection: Option<NaiveDate>,
    /// Whether the debtor has revoked it with you, by letter say: the vendor may not know.
    pub revoked_by_debtor: bool,
    /// Whether it was for one collection, which has been presented.
    pub one_off_used: bool,
    /// How old a reading may be to act on it.
    pub max_age: Duration,
    /// The last status that you know and have acted on; `None` at the first reading. A mandate that had ended and is
    /// back is not allowed until you state a later status here.
    pub last_acknowledged: Option<MandateStatus>,
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
    /// It had ended and the vendor brought it back, which you have not acknowledged yet. Leaves it open.
    Reinstated {
        /// The state in which you knew it.
        from: MandateStatus,
    },
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

crate::status::stable_text!(Date { Start, End } else Self::End);

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
            | Self::AccountNotActive { .. } => true,
            Self::Unrecognized { .. }
            | Self::NotReadBack
            | Self::DateUnreadable { .. }
            | Self::TooOld { .. }
            | Self::ReadAhead { .. }
            | Self::Reinstated { .. }
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
            Self::AccountNotActive { status, raw } => write!(f, "client not active: {status} ({raw})"),
            Self::AccountUnrecognized { raw } => write!(f, "client status unrecognized ({raw})"),
            Self::AccountNotRead => f.write_str("client not read"),
            Self::AccountDiffers => f.write_str("belongs to another client than its reference says"),
            Self::Other => f.write_str("a reason that this version does not know"),
        }
    }
}
