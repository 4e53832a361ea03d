//! What is known of a mandate, and what a reading changes about it. No I/O, no clock.

use super::{Account, Facts, Mandate, MandateRef, Past, Source, Verdict};
use crate::vocabulary::{
    Change, Error, MandateStatus, Phase, Purpose, RawStatus, UnknownWord, shown_as_stored, stable_text,
};
use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use std::{borrow::Cow, collections::BTreeMap, str::FromStr};

/// A [`Verdict`] without its reasons.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Permission {
    /// Yes.
    Allowed,
    /// No.
    Refused,
    /// Not known.
    Undetermined,
    /// The question has no meaning for this mandate.
    NotApplicable,
}

stable_text!(Permission { Allowed, Refused, Undetermined, NotApplicable } else Self::Undetermined);
shown_as_stored!(Permission);

impl Verdict {
    /// The answer without its reasons, as it is stored and compared.
    pub fn permission(&self) -> Permission {
        match self {
            Self::Allowed => Permission::Allowed,
            Self::Refused(_) => Permission::Refused,
            Self::Undetermined(_) => Permission::Undetermined,
            Self::NotApplicable => Permission::NotApplicable,
        }
    }
}

/// What you have stored of a mandate: its last reading in short, one column for each field.
///
/// The texts are stable, and are read in any case. [`columns`](Self::columns) gives them, and
/// [`from_columns`](Self::from_columns) reads them back and refuses what is half stored:
///
/// ```
/// use chrono::Utc;
/// use mandat::{Known, MandateStatus, RawStatus};
///
/// let known = Known::new(MandateStatus::Revoked, RawStatus::new("3"), Utc::now());
/// let row = known.columns();
/// let column = |name| row.iter().find(|(column, _)| *column == name).and_then(|(_, text)| text.as_deref());
/// assert_eq!(Known::from_columns(column)?, Some(known));
///
/// // A row that was never read, and one that has lost a column.
/// assert_eq!(Known::from_columns(|_| None::<&str>)?, None);
/// assert!(Known::from_columns(|name| (name == "status").then_some("Revoked")).is_err());
/// # Ok::<(), mandat::Error>(())
/// ```
///
/// Serde reads and writes it as well. Serde reads a word that a newer version of this crate stored as `Unrecognized` or
/// `Undetermined`, and no verdict is `Allowed` by that.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Known {
    /// Its state.
    pub status: MandateStatus,
    /// The vendor's own word for it.
    pub raw: RawStatus,
    /// The vendor's own word for the state of the client that granted it (Seqino), if it was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<RawStatus>,
    /// The answer of `may_collect` or `may_represent` at [`observed_at`](Self::observed_at), if there was one. Changes are
    /// compared with it. Ask again before each use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Permission>,
    /// Its last status that was not `Unrecognized`. Changes are compared with it, so that a mandate which had ended
    /// cannot come back unseen through a word that nobody knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recognized: Option<MandateStatus>,
    /// The ended status from which it came back, until you acknowledge that. No verdict is `Allowed` before you do, by
    /// [`acknowledge`](Self::acknowledge) or by [`Facts::last_acknowledged`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reinstated_from: Option<MandateStatus>,
    /// [`Facts::last_acknowledged`] as you stated it when the mandate was read as ended, as back, or with a word that
    /// nobody knows. The same status again does not acknowledge its return.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged_before: Option<MandateStatus>,
    /// Whether it was read or only created; where nothing was stored, it was read.
    #[serde(default = "read", skip_serializing_if = "is_read")]
    pub source: Source,
    /// When it was first read in this state.
    pub since: DateTime<Utc>,
    /// When it was read last.
    pub observed_at: DateTime<Utc>,
}

impl Known {
    /// The columns of a row, by the names of the fields.
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

    /// A reading of which nothing but this was stored.
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

    /// The columns of a row with their texts; `None` is null, or an empty cell.
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

    /// Reads the columns of a row. `column` gives the text of a column by its name, each of [`COLUMNS`](Self::COLUMNS)
    /// once or more. An empty text is null. `None` is a row with nothing in it, which was never read.
    ///
    /// `status` and `observed_at` are needed. `raw` may be empty, as a vendor's word may be. Without `since` it is
    /// `observed_at`, and without `recognized` it is `status`: earlier versions did not store them.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest) with the column, if the row is half stored or a
    /// text cannot be read. Nothing is guessed, and no value is shown.
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

    /// Its last state that was recognized, or `Unrecognized`.
    fn last_recognized(&self) -> MandateStatus {
        recognized(self.status).or(self.recognized).unwrap_or(MandateStatus::Unrecognized)
    }

    pub(crate) fn past(&self) -> Option<Past> {
        let Self { source, reinstated_from, acknowledged_before, .. } = *self;
        Past { status: self.last_recognized(), reinstated_from, acknowledged_before }.of(source)
    }

    /// Acknowledges that a mandate which had ended is back: you know why, and use it again. Store the result.
    ///
    /// It changes nothing while the mandate is ended or its status is not recognized. A later return needs an
    /// acknowledgement of its own.
    pub fn acknowledge(&mut self) {
        if !matches!(self.status.phase(), Phase::Ended | Phase::Unknown) {
            (self.reinstated_from, self.acknowledged_before) = (None, None);
        }
    }

    /// The stored state after a reading that failed: the same without the verdict, which belongs to an earlier time.
    #[must_use]
    pub fn unread(&self) -> Self {
        Self { verdict: None, ..self.clone() }
    }

    /// What to store of a reading. `earlier` is the stored state before it. A mandate to collect on gets a verdict only
    /// with `facts`. Of a mandate to represent by, only [`Facts::last_acknowledged`] counts.
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
        // An empty word is one that was not read: in a row the two are the same.
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
        // That it was read once stays proof that the vendor had it.
        if earlier.source == Source::Read {
            known.source = Source::Read;
        }
        if earlier.status == known.status {
            known.since = earlier.since;
        }
        known
    }

    /// Whether a later reading tells nothing new, whenever it was made. That the client could not be read says nothing
    /// of it.
    fn covers(&self, later: &Self, mandate: &Mandate) -> bool {
        let unread = mandate.account == Account::NotRead && self.account.is_some();
        let same_verdict = later.verdict.is_none() || self.verdict == later.verdict || unread;
        let same_account = later.account.is_none() || self.account == later.account;
        // What was only created and is read now has proof, and can be missing from now on.
        let same_state = (self.status, &self.raw, self.source) == (later.status, &later.raw, later.source);
        let same_return =
            (self.reinstated_from, self.acknowledged_before) == (later.reinstated_from, later.acknowledged_before);
        same_state && same_verdict && same_account && same_return
    }
}

/// The columns that hold something.
struct Row<T>(BTreeMap<&'static str, T>);

impl<T: AsRef<str>> Row<T> {
    fn parsed<V: FromStr>(&self, name: &str, expected: impl Fn(V::Err) -> String) -> Result<Option<V>, Error> {
        let parsed = self.0.get(name).map(|text| text.as_ref().trim().parse()).transpose();
        parsed.map_err(|e| Error::invalid(None, format!("`{name}` is {}", expected(e))))
    }

    fn word<V: FromStr<Err = UnknownWord>>(&self, name: &str) -> Result<Option<V>, Error> {
        self.parsed(name, |e| format!("{e}. Correct it, or read it with the version of mandat that wrote it"))
    }

    fn instant(&self, name: &str) -> Result<Option<DateTime<Utc>>, Error> {
        self.parsed(name, |_| "not an instant. Use 2026-09-01T12:00:00Z".to_owned())
    }

    fn lacks(&self, name: &str) -> Error {
        let there: Vec<_> = self.0.keys().map(|name| format!("`{name}`")).collect();
        let there = there.join(", ");
        Error::invalid(None, format!("`{name}` is missing beside {there}. Fill it in, or leave all of them empty"))
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

/// A mandate that is not as it was known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Changed {
    /// Which mandate.
    pub reference: MandateRef,
    /// What its change of status is, compared with the last state that was recognized; `None` if the status is the same
    /// and something else changed (the vendor's word, the client, the verdict, or that it was only created before), and
    /// at the first reading.
    pub class: Option<Change>,
    /// What was known; `None` at the first reading.
    pub from: Option<Known>,
    /// What is known now: store it.
    pub to: Known,
}

impl Changed {
    /// Compares a reading with what was known; `None` if nothing changed.
    pub fn between(
        known: Option<&Known>,
        mandate: &Mandate,
        facts: Option<&Facts>,
        now: DateTime<Utc>,
    ) -> Option<Self> {
        let to = Known::of(mandate, known, facts, now);
        if known.is_some_and(|known| known.covers(&to, mandate)) {
            return None;
        }
        let class = known.filter(|known| known.status != to.status).map(|known| {
            // Back in the state that it had before a word that nobody knows.
            let from = known.last_recognized();
            from.change_to(to.status).unwrap_or(Change::Forward)
        });
        Some(Self { reference: mandate.reference.clone(), class, from: known.cloned(), to })
    }
}
