//! The cells of a row in the columns of this program. A row in the input has the facts and the stored state of a
//! mandate. A row in the output has the reading.

use super::{
    Field,
    cell::{self, Cell},
};
use chrono::{DateTime, Utc};
use mandat::{
    Facts, LastCollection, Mandate, MandateChange, MandateRef, MandateStatus, Permission, Purpose, RawStatus,
    StatusQuery, StoredState, Verdict,
};
use serde::{Deserialize, Serialize};
use std::{
    ops::{Index, IndexMut},
    time::Duration,
};

/// The cells of one row: one for each column of this program.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Record([Cell; Field::COUNT]);

impl Index<Field> for Record {
    type Output = Cell;
    fn index(&self, field: Field) -> &Cell {
        &self.0[field as usize]
    }
}

impl IndexMut<Field> for Record {
    fn index_mut(&mut self, field: Field) -> &mut Cell {
        &mut self.0[field as usize]
    }
}

/// An invalid cell of a row. The text names the form that the column expects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub column: Field,
    pub text: String,
}

/// The columns that hold the stored state of a mandate.
const STATE: [Field; 9] = [
    Field::Status,
    Field::Raw,
    Field::Account,
    Field::Recognized,
    Field::ReinstatedFrom,
    Field::AcknowledgedBefore,
    Field::Source,
    Field::Since,
    Field::ObservedAt,
];

impl Record {
    /// Returns the row of a mandate without facts or a stored state.
    pub fn named(reference: &MandateRef) -> Self {
        let mut record = Self::default();
        record[Field::Reference] = reference.to_string().into();
        record
    }

    pub fn cells(&self) -> impl Iterator<Item = (Field, &Cell)> {
        Field::ALL.into_iter().zip(&self.0)
    }

    /// Returns the mandate to read, with its facts and stored state. The error lists every invalid cell.
    pub fn tracked(&self) -> Result<StatusQuery, Vec<Fault>> {
        let mut faults = Vec::new();
        let reference = self.reference().map_err(|text| faults.push(Fault { column: Field::Reference, text })).ok();
        let facts = self.facts(&mut faults);
        let known = self.known(&mut faults);
        match reference {
            Some(reference) if faults.is_empty() => {
                Ok(StatusQuery::new(reference).with_stored(known).with_facts(facts))
            }
            _ => Err(faults),
        }
    }

    fn reference(&self) -> Result<MandateRef, String> {
        let text = self[Field::Reference].trimmed();
        let odd = |c: char| cell::invisible(c) || matches!(c, ',' | ';' | '|');
        if cell::is_nothing(text) {
            return Err("the cell is empty. Write the vendor and the id of the mandate: safedebit:RUM-1".into());
        }
        if text.contains(odd) {
            return Err(
                "the cell contains a separator or an invisible character. Write one reference and nothing else".into(),
            );
        }
        if text.contains(" #") {
            return Err("a comment follows the reference. Move the comment to a line or a column of its own".into());
        }
        text.parse().map_err(|error: mandat::Error| error.to_string())
    }

    /// Reads a cell. Returns `None` for an empty cell. For an invalid cell, the function adds a fault and returns
    /// `None`.
    fn read<T>(
        &self,
        column: Field,
        faults: &mut Vec<Fault>,
        expected: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let text = self[column].trimmed();
        if cell::is_nothing(text) {
            return None;
        }
        let value = parse(text);
        if value.is_none() {
            faults.push(Fault { column, text: format!("{} is not {expected}", cell::form(text)) });
        }
        value
    }

    fn facts(&self, faults: &mut Vec<Fault>) -> Facts {
        const DATE: &str = "a date. Use 2026-09-01 or 01/09/2026";
        const COLLECTION: &str = "a date or `never`. Use 2026-09-01 or 01/09/2026";
        const BOOLEAN: &str = "yes or no. Use true or false, oui or non, 1 or 0";
        let last_collection = if cell::is_never(self[Field::LastCollection].trimmed()) {
            LastCollection::Never
        } else {
            let day = self.read(Field::LastCollection, faults, COLLECTION, cell::date);
            day.map_or(LastCollection::NotKnown, LastCollection::On)
        };
        Facts {
            signed_on: self.read(Field::SignedOn, faults, DATE, cell::date),
            signature_confirmed: self.read(Field::SignatureConfirmed, faults, BOOLEAN, cell::boolean),
            last_collection,
            revoked_by_debtor: self.read(Field::RevokedByDebtor, faults, BOOLEAN, cell::boolean),
            one_off_used: self.read(Field::OneOffUsed, faults, BOOLEAN, cell::boolean),
            // A reading may be one minute old, because the program computes the verdict immediately after the reading.
            max_age: Duration::from_secs(60),
            last_acknowledged: self.status(Field::LastAcknowledged, faults),
        }
    }

    fn status(&self, column: Field, faults: &mut Vec<Fault>) -> Option<MandateStatus> {
        let meant = cell::suggestion(self[column].trimmed(), MandateStatus::ALL.iter().map(|status| status.as_str()));
        let expected = format!("a status of this program, such as Active or Revoked.{meant}");
        self.read(column, faults, &expected, |text| text.parse().ok())
    }

    /// Returns the stored state of the row. An incomplete stored state is an error: without a stored revocation, the
    /// run could not report that the mandate is in use again.
    fn known(&self, faults: &mut Vec<Fault>) -> Option<StoredState> {
        const INSTANT: &str = "an instant. Use 2026-09-01T08:00:00Z";
        let before = faults.len();
        let status = self.status(Field::Status, faults);
        let recognized = self.status(Field::Recognized, faults);
        let reinstated_from = self.status(Field::ReinstatedFrom, faults);
        let acknowledged_before = self.status(Field::AcknowledgedBefore, faults);
        let since = self.read(Field::Since, faults, INSTANT, cell::instant);
        let observed_at = self.read(Field::ObservedAt, faults, INSTANT, cell::instant);
        let source = self.read(Field::Source, faults, "Read or Created", |text| text.parse().ok());
        let verdict =
            self.read(Field::Verdict, faults, "a verdict, such as Allowed or Refused", |text| text.parse().ok());
        if faults.len() > before {
            return None;
        }
        let (Some(status), Some(observed_at)) = (status, observed_at) else {
            let stored = STATE.into_iter().find(|column| !cell::is_nothing(self[*column].trimmed()));
            if let Some(stored) = stored {
                let column = if status.is_none() { Field::Status } else { Field::ObservedAt };
                let stored = stored.name();
                let text =
                    format!("the cell is empty, but `{stored}` is not. A stored state needs both: fill or clear both");
                faults.push(Fault { column, text });
            }
            return None;
        };
        let word = |column| RawStatus::new(&cell::read_vendor_word(self[column].trimmed()));
        let mut known = StoredState::new(status, word(Field::Raw), observed_at);
        known.account = (!cell::is_nothing(self[Field::Account].trimmed())).then(|| word(Field::Account));
        known.verdict = verdict;
        known.recognized = recognized.or(known.recognized);
        known.reinstated_from = reinstated_from;
        known.acknowledged_before = acknowledged_before;
        known.source = source.unwrap_or(known.source);
        known.since = since.unwrap_or(observed_at);
        Some(known)
    }

    /// Returns the row after a reading, with all facts of the caller.
    pub fn of_reading(tracked: &StatusQuery, mandate: &Mandate, now: DateTime<Utc>) -> Self {
        let (known, facts) = (tracked.stored.as_ref(), tracked.facts.as_ref());
        let change =
            MandateChange::between(known, mandate, facts, now).map(|change| match (change.from, change.class) {
                (None, _) => "First",
                (_, Some(class)) => class.as_str(),
                (_, None) => "Same status",
            });
        let verdict = match mandate.reference.provider().purpose() {
            Purpose::Represent => Some(mandate.may_represent(facts.and_then(|facts| facts.last_acknowledged), now)),
            _ => facts.map(|facts| mandate.may_collect(facts, now)),
        };
        let reasons = verdict.as_ref().map(Verdict::reasons).unwrap_or_default();
        let mut record = Self::of(tracked, Some(&StoredState::of(mandate, known, facts, now)));
        record[Field::Change] = change.into();
        // Separate the reasons by neither comma nor semicolon, because a spreadsheet program could split the cell
        // there.
        let reasons = reasons.iter().map(ToString::to_string).collect::<Vec<_>>().join(" / ");
        record[Field::Reasons] = Some(reasons).filter(|reasons| !reasons.is_empty()).into();
        record
    }

    /// Returns the row after a failed reading. The row keeps every cell except the verdict, which is no longer known.
    pub fn of_failure(&self, reason: &str, error: &str) -> Self {
        let mut record = self.clone();
        record[Field::Verdict] = Permission::Undetermined.as_str().into();
        record[Field::Reasons] = reason.into();
        record[Field::Error] = error.into();
        record[Field::Change] = Cell::Absent;
        record
    }

    /// Returns true if the mandate of the row has changed or could not be read.
    pub fn tells_something(&self) -> bool {
        !self[Field::Change].is_blank() || !self[Field::Error].is_blank()
    }

    pub fn observed_at(&self) -> Option<DateTime<Utc>> {
        cell::instant(self[Field::ObservedAt].trimmed())
    }

    /// Returns the row of a mandate with its facts and the stored state `known`.
    pub fn of(tracked: &StatusQuery, known: Option<&StoredState>) -> Self {
        let mut record = Self::named(&tracked.reference);
        if let Some(known) = known {
            let status = |status: Option<MandateStatus>| Cell::from(status.map(MandateStatus::as_str));
            record[Field::Status] = known.status.as_str().into();
            record[Field::Raw] = cell::vendor_word(known.raw.as_str()).into();
            record[Field::Account] = known.account.as_ref().map(|word| cell::optional_word(word.as_str())).into();
            record[Field::Verdict] = known.verdict.map(Permission::as_str).into();
            record[Field::Recognized] = status(known.recognized);
            record[Field::ReinstatedFrom] = status(known.reinstated_from);
            record[Field::AcknowledgedBefore] = status(known.acknowledged_before);
            record[Field::Source] = known.source.as_str().into();
            record[Field::Since] = known.since.into();
            record[Field::ObservedAt] = known.observed_at.into();
        }
        if let Some(facts) = &tracked.facts {
            record[Field::SignedOn] = facts.signed_on.into();
            record[Field::SignatureConfirmed] = facts.signature_confirmed.into();
            record[Field::LastCollection] = match facts.last_collection {
                LastCollection::NotKnown => Cell::Absent,
                LastCollection::Never => "never".into(),
                LastCollection::On(day) => day.into(),
            };
            record[Field::RevokedByDebtor] = facts.revoked_by_debtor.into();
            record[Field::OneOffUsed] = facts.one_off_used.into();
            record[Field::LastAcknowledged] = facts.last_acknowledged.map(MandateStatus::as_str).into();
        }
        record
    }
}

/// Returns the names of the columns in which two rows of one mandate differ.
pub fn differing(one: &StatusQuery, other: &StatusQuery) -> Vec<&'static str> {
    let (one, other) = (Record::of(one, one.stored.as_ref()), Record::of(other, other.stored.as_ref()));
    one.cells().zip(other.cells()).filter(|((_, a), (_, b))| a != b).map(|((field, _), _)| field.name()).collect()
}
