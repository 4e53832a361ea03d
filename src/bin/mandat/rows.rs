//! One line for each mandate: what is written is what can be read again as known.

use chrono::{DateTime, NaiveDate, Utc};
use mandat::{Changed, Error, Facts, Known, LastCollection, Mandate, MandateRef, MandateStatus, RawStatus, Tracked};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The first columns of CSV, by which a file of ours is known.
pub const HEADER: &str = "reference,status,raw,account,verdict,recognized,";

/// A line of CSV or JSON.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Row {
    pub reference: String,
    #[serde(default)]
    pub status: Option<MandateStatus>,
    #[serde(default)]
    pub raw: Option<String>,
    #[serde(default)]
    pub account: Option<String>,
    #[serde(default)]
    pub verdict: Option<mandat::Permission>,
    #[serde(default)]
    pub recognized: Option<MandateStatus>,
    #[serde(default)]
    pub reinstated_from: Option<MandateStatus>,
    #[serde(default)]
    pub acknowledged_before: Option<MandateStatus>,
    #[serde(default)]
    pub since: Option<DateTime<Utc>>,
    #[serde(default)]
    pub observed_at: Option<DateTime<Utc>>,
    /// What only the caller knows of a mandate to collect on, and is carried along.
    #[serde(default)]
    pub signed_on: Option<NaiveDate>,
    #[serde(default)]
    pub signature_confirmed: Option<bool>,
    #[serde(default)]
    pub last_collection: Option<NaiveDate>,
    #[serde(default)]
    pub revoked_by_debtor: Option<bool>,
    #[serde(default)]
    pub one_off_used: Option<bool>,
    #[serde(default)]
    pub last_acknowledged: Option<MandateStatus>,
    /// What the reading changed: the class of the change, `First`, `Same status`, or nothing.
    #[serde(default)]
    pub change: Option<String>,
    /// Why it could not be read; what was known stands beside it.
    #[serde(default)]
    pub error: Option<String>,
}

impl Row {
    /// A line that names no mandate.
    pub fn refused(text: &str, why: String) -> Self {
        Self { reference: text.into(), error: Some(why), ..Self::default() }
    }

    pub fn of(tracked: &Tracked, result: Result<Mandate, String>, now: DateTime<Utc>) -> Self {
        let (known, facts) = (tracked.known.as_ref(), tracked.facts.as_ref());
        match result {
            Err(error) => Self { error: Some(error), ..Self::from((tracked, known)) },
            Ok(mandate) => {
                let to = Known::of(&mandate, known, facts, now);
                let change = Changed::between(known, &mandate, facts, now);
                let change = change.map(|change| match (change.from, change.class) {
                    (None, _) => "First".into(),
                    (_, Some(class)) => class.to_string(),
                    (_, None) => "Same status".into(),
                });
                Self { change, ..Self::from((tracked, Some(&to))) }
            }
        }
    }

    /// What to look at: a reference, and what is known if the line has it.
    pub fn tracked(&self) -> Result<Tracked, Error> {
        let mut tracked: Tracked = self.reference.parse::<MandateRef>()?.into();
        let facts = Facts {
            signed_on: self.signed_on,
            signature_confirmed: self.signature_confirmed,
            last_collection: self.last_collection.map_or(LastCollection::NotKnown, LastCollection::On),
            revoked_by_debtor: self.revoked_by_debtor,
            one_off_used: self.one_off_used,
            // It is judged when it is read.
            max_age: Duration::from_secs(60),
            last_acknowledged: self.last_acknowledged,
        };
        tracked.facts = Some(facts);
        if let (Some(status), Some(observed_at)) = (self.status, self.observed_at) {
            let raw = RawStatus::new(self.raw.as_deref().unwrap_or_default());
            let mut known = Known::new(status, raw, observed_at);
            known.account = self.account.as_deref().map(RawStatus::new);
            known.verdict = self.verdict;
            known.recognized = self.recognized.or(known.recognized);
            known.reinstated_from = self.reinstated_from;
            known.acknowledged_before = self.acknowledged_before;
            known.since = self.since.unwrap_or(observed_at);
            tracked.known = Some(known);
        }
        Ok(tracked)
    }
}

/// A mandate with what is known of it now.
impl From<(&Tracked, Option<&Known>)> for Row {
    fn from((tracked, known): (&Tracked, Option<&Known>)) -> Self {
        let facts = tracked.facts.as_ref();
        Self {
            reference: tracked.reference.to_string(),
            status: known.map(|known| known.status),
            raw: known.map(|known| known.raw.as_str().to_owned()),
            account: known.and_then(|known| known.account.as_ref()).map(|raw| raw.as_str().to_owned()),
            verdict: known.and_then(|known| known.verdict),
            recognized: known.and_then(|known| known.recognized),
            reinstated_from: known.and_then(|known| known.reinstated_from),
            acknowledged_before: known.and_then(|known| known.acknowledged_before),
            since: known.map(|known| known.since),
            observed_at: known.map(|known| known.observed_at),
            signed_on: facts.and_then(|facts| facts.signed_on),
            signature_confirmed: facts.and_then(|facts| facts.signature_confirmed),
            last_collection: facts.and_then(|facts| match facts.last_collection {
                LastCollection::On(day) => Some(day),
                LastCollection::NotKnown | LastCollection::Never => None,
            }),
            revoked_by_debtor: facts.and_then(|facts| facts.revoked_by_debtor),
            one_off_used: facts.and_then(|facts| facts.one_off_used),
            last_acknowledged: facts.and_then(|facts| facts.last_acknowledged),
            ..Self::default()
        }
    }
}
