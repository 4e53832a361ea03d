//! The stored state of a mandate, and the change that a new reading brings. This module does no I/O and reads no clock.

use super::{Account, Facts, Mandate, MandateRef, Past, Source, Verdict};
use crate::vocabulary::{
    Change, Error, MandateStatus, Phase, Purpose, RawStatus, UnknownWord, shown_as_stored, stable_text,
};
use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use std::{borrow::Cow, collections::BTreeMap, str::FromStr};

/// A [`Verdict`] without its reasons, to store and compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Permission {
    /// You may use the mandate.
    Allowed,
    /// You must not use the mandate.
    Refused,
    /// The information is not enough to allow or refuse the use.
    Undetermined,
    /// The question does not apply to this mandate, because its vendor's mandates have another purpose.
    NotApplicable,
}

stable_text!(Permission { Allowed, Refused, Undetermined, NotApplicable } else Self::Undetermined);
shown_as_stored!(Permission);

impl Verdict {
    /// Returns the verdict without its reasons, to store and compare.
    pub fn permission(&self) -> Permission {
        match self {
            Self::Allowed => Permission::Allowed,
            Self::Refused(_) => Permission::Refused,
            Self::Undetermined(_) => Permission::Undetermined,
            Self::NotApplicable => Permission::NotApplicable,
        }
    }
}

/// The stored state of a mandate: a summary of its last reading, with one column for each field.
///
/// [`columns`](Self::columns) writes the fields as texts, which stay the same between versions.
/// [`from_columns`](Self::from_columns) reads these texts in upper or lower case, and refuses an incomplete row:
///
/// ```
/// use chrono::Utc;
/// use mandat::{StoredState, MandateStatus, RawStatus};
///
/// let known = StoredState::new(MandateStatus::Revoked, RawStatus::new("3"), Utc::now());
/// let row = known.columns();
/// let column = |name| row.iter().find(|(column, _)| *column == name).and_then(|(_, text)| text.as_deref());
/// assert_eq!(StoredState::from_columns(column)?, Some(known));
///
/// // A row without any text is a mandate that was never read. A row that has lost a column is an error.
/// assert_eq!(StoredState::from_columns(|_| None::<&str>)?, None);
/// assert!(StoredState::from_columns(|name| (name == "status").then_some("Revoked")).is_err());
/// # Ok::<(), mandat::Error>(())
/// ```
///
/// Serde can serialize and deserialize the state too. A value from a newer version of this crate is read as
/// `Unrecognized` or `Undetermined`, which never makes a verdict `Allowed`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct StoredState {
    /// The status.
    pub status: MandateStatus,
    /// The vendor's word for the status.
    pub raw: RawStatus,
    /// The vendor's word for the state of the client that granted the mandate (Seqino), if it was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<RawStatus>,
    /// The verdict of `may_collect` or `may_represent` when this state was made, if there was one. Changes are found by
    /// comparison with this verdict. Compute a new verdict before each use of the mandate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Permission>,
    /// The last status that was not `Unrecognized`. A new status is compared with this one. So the return of an ended
    /// mandate is noticed even after an unrecognized status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recognized: Option<MandateStatus>,
    /// The ended status from which the mandate was reinstated, until you acknowledge the return. To acknowledge, call
    /// [`acknowledge`](Self::acknowledge) or set [`Facts::last_acknowledged`]. Until then no verdict is `Allowed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reinstated_from: Option<MandateStatus>,
    /// The value of [`Facts::last_acknowledged`] when the mandate was last read as ended, reinstated or unrecognized.
    /// To state the same status again does not acknowledge the return.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged_before: Option<MandateStatus>,
    /// The origin of the state: a read, or only a creation. If the stored value is missing, the state comes from a
    /// read.
    #[serde(default = "read", skip_serializing_if = "is_read")]
    pub source: Source,
    /// The time of the first reading with this status.
    pub since: DateTime<Utc>,
    /// The time of the last reading.
    pub observed_at: DateTime<Utc>,
}

impl StoredState {
    /// The names of the database columns, which are the names of the fields.
    pub const COLUMNS: [&'static str; 10] = [
        "status",
        "raw",
        "account",
        "verdict",
        "recognized",
        "reinstated_from",
        "acknowledged_before",
        "source",
        "since",
        "observed_at",
    ];

    /// Makes the state of a mandate that was read, from its status, the vendor's word and the time of reading.
    pub fn new(status: MandateStatus, raw: RawStatus, observed_at: DateTime<Utc>) -> Self {
        Self {
            status,
            raw,
            account: None,
            verdict: None,
            recognized: recognized(status),
            reinstated_from: None,
            acknowledged_before: None,
            source: Source::Read,
            since: observed_at,
            observed_at,
        }
    }

    /// Returns the names of the columns with their texts. `None` stands for null or an empty cell.
    pub fn columns(&self) -> [(&'static str, Option<String>); 10] {
        let status = |status: MandateStatus| status.as_str().to_owned();
        let instant = |at: DateTime<Utc>| Some(at.to_rfc3339_opts(SecondsFormat::AutoSi, true));
        let texts = [
            Some(status(self.status)),
            Some(self.raw.as_str().to_owned()),
            self.account.as_ref().map(|raw| raw.as_str().to_owned()),
            self.verdict.map(|verdict| verdict.as_str().to_owned()),
            self.recognized.map(status),
            self.reinstated_from.map(status),
            self.acknowledged_before.map(status),
            Some(self.source).filter(|source| !is_read(source)).map(|source| source.as_str().to_owned()),
            instant(self.since),
            instant(self.observed_at),
        ];
        let mut texts = texts.into_iter();
        Self::COLUMNS.map(|name| (name, texts.next().flatten()))
    }

    /// Reads the columns of a row. `column` returns the text of a column by its name, and is called at least once for
    /// each of [`COLUMNS`](Self::COLUMNS). An empty text counts as null.
    ///
    /// Returns `None` for an empty row, because the mandate was never read. The columns `status` and `observed_at` are
    /// required. `raw` may be empty, because a vendor's word may be empty. Earlier versions did not store `since` and
    /// `recognized`. Their defaults are `observed_at` and `status`.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest) if a required column is missing or a text cannot
    /// be read. The error names the column and never shows a value.
    pub fn from_columns<T: AsRef<str>>(column: impl Fn(&'static str) -> Option<T>) -> Result<Option<Self>, Error> {
        let texts = Self::COLUMNS.into_iter().filter_map(|name| Some((name, column(name)?)));
        let row = Row(texts.filter(|(_, text)| !text.as_ref().trim().is_empty()).collect());
        if row.0.is_empty() {
            return Ok(None);
        }
        let raw = column("raw").map(|text| RawStatus::new(text.as_ref())).unwrap_or(RawStatus::new(""));
        let status = row.word("status")?.ok_or_else(|| row.lacks("status"))?;
        let observed_at = row.instant("observed_at")?.ok_or_else(|| row.lacks("observed_at"))?;
        let mut known = Self::new(status, raw, observed_at);
        known.account = row.0.get("account").map(|text| RawStatus::new(text.as_ref()));
        known.verdict = row.word("verdict")?;
        known.recognized = row.word("recognized")?.or(known.recognized);
        known.reinstated_from = row.word("reinstated_from")?;
        known.acknowledged_before = row.word("acknowledged_before")?;
        known.source = row.word("source")?.unwrap_or(Source::Read);
        known.since = row.instant("since")?.unwrap_or(observed_at);
        Ok(Some(known))
    }

    /// The last recognized status, or `Unrecognized` if there was none.
    fn last_recognized(&self) -> MandateStatus {
        recognized(self.status).or(self.recognized).unwrap_or(MandateStatus::Unrecognized)
    }

    pub(crate) fn past(&self) -> Option<Past> {
        let Self { source, reinstated_from, acknowledged_before, .. } = *self;
        Past { status: self.last_recognized(), reinstated_from, acknowledged_before }.of(source)
    }

    /// Acknowledges the return of a mandate that had ended. Call this when you know the cause and want to use the
    /// mandate again. Then store the result.
    ///
    /// The call changes nothing while the mandate is ended or its status is unrecognized. If the mandate is reinstated
    /// again later, you have to acknowledge it again.
    pub fn acknowledge(&mut self) {
        if !matches!(self.status.phase(), Phase::Ended | Phase::Unknown) {
            (self.reinstated_from, self.acknowledged_before) = (None, None);
        }
    }

    /// Returns the state to store after a failed reading. The returned state has no verdict, because the earlier
    /// verdict is out of date.
    #[must_use]
    pub fn unread(&self) -> Self {
        Self { verdict: None, ..self.clone() }
    }

    /// Makes the state to store from a reading. `earlier` is the state that is stored so far.
    ///
    /// A direct-debit mandate gets a verdict only if you pass `facts`. For an e-invoicing mandate, only
    /// [`Facts::last_acknowledged`] is used.
    pub fn of(mandate: &Mandate, earlier: Option<&Self>, facts: Option<&Facts>, now: DateTime<Utc>) -> Self {
        let mandate = match earlier.and_then(Self::past) {
            Some(past) if !mandate.follows(past) => {
                let mut mandate = mandate.clone();
                mandate.follow(past);
                Cow::Owned(mandate)
            }
            _ => Cow::Borrowed(mandate),
        };
        let last_acknowledged = facts.and_then(|facts| facts.last_acknowledged);
        let mut known = Self::new(mandate.status, mandate.raw.clone(), mandate.observed_at);
        known.source = mandate.source;
        // Do not store an empty word of the account: in a row, an empty word looks like an account that was not read.
        if let Account::Read { raw, .. } = &mandate.account
            && !raw.as_str().trim().is_empty()
        {
            known.account = Some(raw.clone());
        }
        known.verdict = match mandate.reference.provider().purpose() {
            Purpose::Represent => Some(mandate.may_represent(last_acknowledged, now).permission()),
            Purpose::Collect => facts.map(|facts| mandate.may_collect(facts, now).permission()),
        };
        known.reinstated_from = mandate.unacknowledged_return(last_acknowledged);
        if known.reinstated_from.is_some() || matches!(known.status.phase(), Phase::Ended | Phase::Unknown) {
            known.acknowledged_before = if facts.is_some() { last_acknowledged } else { mandate.acknowledged_before };
        }
        let Some(earlier) = earlier else { return known };
        known.recognized = known.recognized.or(recognized(earlier.last_recognized()));
        // A single successful read proves permanently that the vendor had the mandate, so a later creation does not
        // change the origin.
        if earlier.source == Source::Read {
            known.source = Source::Read;
        }
        if earlier.status == known.status {
            known.since = earlier.since;
        }
        known
    }

    /// Returns true if a later reading brings no change. A new time of reading is not a change. A client that could not
    /// be read is not a change either.
    fn covers(&self, later: &Self, mandate: &Mandate) -> bool {
        let unread = mandate.account == Account::NotRead && self.account.is_some();
        let same_verdict = later.verdict.is_none() || self.verdict == later.verdict || unread;
        let same_account = later.account.is_none() || self.account == later.account;
        // The first read after the creation counts as a change, because it proves that the vendor has the mandate.
        let same_state = (self.status, &self.raw, self.source) == (later.status, &later.raw, later.source);
        let same_return =
            (self.reinstated_from, self.acknowledged_before) == (later.reinstated_from, later.acknowledged_before);
        same_state && same_verdict && same_account && same_return
    }
}

/// The columns of a row that are not empty, by their names.
struct Row<T>(BTreeMap<&'static str, T>);

impl<T: AsRef<str>> Row<T> {
    fn parsed<V: FromStr>(&self, name: &str, expected: impl Fn(V::Err) -> String) -> Result<Option<V>, Error> {
        let parsed = self.0.get(name).map(|text| text.as_ref().trim().parse()).transpose();
        parsed.map_err(|e| Error::invalid(None, format!("`{name}` is {}", expected(e))))
    }

    fn word<V: FromStr<Err = UnknownWord>>(&self, name: &str) -> Result<Option<V>, Error> {
        self.parsed(name, |e| format!("{e}. Correct it, or use the version of mandat that wrote it"))
    }

    fn instant(&self, name: &str) -> Result<Option<DateTime<Utc>>, Error> {
        self.parsed(name, |_| "not an instant. Use 2026-09-01T12:00:00Z".to_owned())
    }

    fn lacks(&self, name: &str) -> Error {
        let there: Vec<_> = self.0.keys().map(|name| format!("`{name}`")).collect();
        let there = there.join(", ");
        Error::invalid(
            None,
            format!("`{name}` is missing, but the row has {there}. Fill it in, or leave all columns empty"),
        )
    }
}

fn recognized(status: MandateStatus) -> Option<MandateStatus> {
    Some(status).filter(|status| *status != MandateStatus::Unrecognized)
}

fn read() -> Source {
    Source::Read
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde's form")]
fn is_read(source: &Source) -> bool {
    *source == Source::Read
}

/// A mandate whose new reading differs from its stored state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct MandateChange {
    /// The reference of the mandate.
    pub reference: MandateRef,
    /// The kind of change, compared with the last recognized status.
    ///
    /// `None` at the first reading, and if the status is the same. If the status is the same, another part of the state
    /// changed: the vendor's word, the client, the verdict, or the origin.
    pub class: Option<Change>,
    /// The stored state before the change. `None` at the first reading.
    pub from: Option<StoredState>,
    /// The state after the change. Store this state.
    pub to: StoredState,
}

impl MandateChange {
    /// Compares a reading with the stored state. Returns `None` if nothing changed.
    pub fn between(
        known: Option<&StoredState>,
        mandate: &Mandate,
        facts: Option<&Facts>,
        now: DateTime<Utc>,
    ) -> Option<Self> {
        let to = StoredState::of(mandate, known, facts, now);
        if known.is_some_and(|known| known.covers(&to, mandate)) {
            return None;
        }
        let class = known.filter(|known| known.status != to.status).map(|known| {
            // `change_to` returns `None` if the mandate has the same status as before one or more unrecognized
            // statuses.
            let from = known.last_recognized();
            from.change_to(to.status).unwrap_or(Change::Forward)
        });
        Some(Self { reference: mandate.reference.clone(), class, from: known.cloned(), to })
    }
}
