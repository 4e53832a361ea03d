//! The data of the page: the rows of a file in a compact form, without the cells that only the program needs.

use super::{
    super::{
        connect::is_not_configured,
        file::{Field, Record, Table, instant, read_vendor_word},
    },
    reasons::{Reason, shown},
};
use chrono::{DateTime, Utc};
use mandat::{Change, MandateRef, MandateStatus, NextStep, Permission, Provider, VocabularyRow, vocabulary};
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};

/// The rows of a file, one list for each column. A row has the same place in each list. Repeated values are numbers of
/// a place in a list of words, or -1 for no value.
#[derive(Debug, Serialize)]
pub struct Data {
    /// The name of the file.
    file: String,
    /// The time of the report, in seconds since 1970. The other times count from this one.
    made: i64,
    /// The language of the page, or `None` for that of the browser.
    language: Option<&'static str>,
    vendors: Vec<&'static str>,
    statuses: Vec<&'static str>,
    verdicts: Vec<&'static str>,
    changes: Vec<&'static str>,
    steps: Vec<&'static str>,
    raws: Vec<String>,
    reasons: Vec<Reason>,
    /// The combinations of reasons that occur.
    sets: Vec<Vec<usize>>,
    causes: Vec<String>,
    rows: Rows,
}

#[derive(Debug, Default, Serialize)]
struct Rows {
    line: Vec<usize>,
    reference: Vec<String>,
    vendor: Vec<i32>,
    status: Vec<i32>,
    raw: Vec<i32>,
    verdict: Vec<i32>,
    set: Vec<i32>,
    change: Vec<i32>,
    step: Vec<i32>,
    cause: Vec<i32>,
    since: Vec<Option<i64>>,
    read: Vec<Option<i64>>,
}

/// The changes that a run writes in addition to those of the crate.
const CHANGES: [&str; 2] = ["First", "Same status"];
/// The steps of a row in addition to those of a status. The first is for a mandate that was not read. The second is for
/// a mandate in force that may not be used.
const STEPS: [&str; 2] = ["ReadAgain", "ResolveReasons"];

impl Data {
    pub fn of(table: &Table, file: String, language: Option<&'static str>, made: DateTime<Utc>) -> Self {
        let mut data = Self {
            file,
            made: made.timestamp(),
            language,
            vendors: Provider::ALL.iter().map(|provider| provider.name()).collect(),
            statuses: MandateStatus::ALL.iter().map(|status| status.as_str()).collect(),
            verdicts: Permission::ALL.iter().map(|verdict| verdict.as_str()).collect(),
            changes: CHANGES.into_iter().chain(Change::ALL.iter().map(|change| change.as_str())).collect(),
            steps: STEPS.into_iter().chain(NextStep::ALL.iter().map(|step| step.as_str())).collect(),
            raws: Vec::new(),
            reasons: Vec::new(),
            sets: Vec::new(),
            causes: Vec::new(),
            rows: Rows::default(),
        };
        let (mut raws, mut reasons, mut sets, mut causes) =
            (Words::default(), Words::default(), Words::default(), Words::default());
        let meanings = vocabulary();
        for (row, place) in table.rows.iter().zip(0..) {
            let record = table.record(place);
            let cell = |field: Field| record[field].trimmed();
            let reference: Option<MandateRef> = cell(Field::Reference).parse().ok();
            let provider = reference.as_ref().map(MandateRef::provider);
            let status: Option<MandateStatus> = cell(Field::Status).parse().ok();
            let verdict: Option<Permission> = cell(Field::Verdict).parse().ok();
            let raw = (!record[Field::Raw].is_blank()).then(|| read_vendor_word(cell(Field::Raw)));
            let seconds = |at: Option<DateTime<Utc>>| at.map(|at| at.timestamp().saturating_sub(made.timestamp()));
            let rows = &mut data.rows;
            rows.line.push(row.line);
            // A cell that is no reference may be a name or an IBAN, so the page shows only its line.
            rows.reference.push(reference.map_or_else(String::new, |reference| reference.to_string()));
            rows.vendor.push(number(Provider::ALL, provider));
            rows.status.push(number(MandateStatus::ALL, status));
            rows.verdict.push(number(Permission::ALL, verdict));
            rows.change.push(word(&data.changes, cell(Field::Change)));
            rows.step.push(word(&data.steps, step(&record, &meanings, provider, status, verdict, raw.as_deref())));
            rows.raw.push(raw.map_or(-1, |raw| raws.number(shown(&raw))));
            let set: Vec<usize> = Reason::all(cell(Field::Reasons)).map(|reason| reasons.place(reason)).collect();
            rows.set.push(if set.is_empty() { -1 } else { sets.number(set) });
            rows.cause.push(if cell(Field::Error).is_empty() { -1 } else { causes.number(cause(cell(Field::Error))) });
            rows.since.push(seconds(instant(cell(Field::Since))));
            rows.read.push(seconds(record.observed_at()));
        }
        data.raws = raws.list();
        data.reasons = reasons.list();
        data.sets = sets.list();
        data.causes = causes.list();
        data
    }
}

/// Numbers the values of a column in the order in which they occur.
struct Words<T>(HashMap<T, usize>);

impl<T> Default for Words<T> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<T: std::hash::Hash + Eq> Words<T> {
    fn place(&mut self, value: T) -> usize {
        let next = self.0.len();
        *self.0.entry(value).or_insert(next)
    }

    fn number(&mut self, value: T) -> i32 {
        or_none(Some(self.place(value)))
    }

    fn list(self) -> Vec<T> {
        let ordered: BTreeMap<usize, T> = self.0.into_iter().map(|(value, place)| (place, value)).collect();
        ordered.into_values().collect()
    }
}

fn number<T: PartialEq>(all: &[T], value: Option<T>) -> i32 {
    or_none(value.and_then(|value| all.iter().position(|other| *other == value)))
}

fn word(words: &[&str], text: &str) -> i32 {
    or_none(words.iter().position(|word| word.eq_ignore_ascii_case(text)))
}

fn or_none(place: Option<usize>) -> i32 {
    place.and_then(|place| i32::try_from(place).ok()).unwrap_or(-1)
}

/// Returns the next step of a row. A vendor's word can say more than its status.
fn step(
    record: &Record,
    meanings: &[VocabularyRow],
    provider: Option<Provider>,
    status: Option<MandateStatus>,
    verdict: Option<Permission>,
    raw: Option<&str>,
) -> &'static str {
    let Some(status) = status.filter(|_| record[Field::Error].is_blank()) else { return "ReadAgain" };
    let meaning = meanings
        .iter()
        .find(|row| Some(row.provider) == provider && Some(row.raw.as_str()) == raw && row.status == status);
    match meaning.map_or_else(|| status.next_step(), |row| row.next_step) {
        NextStep::Use if verdict != Some(Permission::Allowed) => "ResolveReasons",
        step => step.as_str(),
    }
}

fn is_operation(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'_')
}

/// Returns the cause of a failure: the text of an error without the number of the line, the trace id and the delay. So
/// many rows have the same cause. A text that is no error of this program may be personal, so the page hides it.
fn cause(error: &str) -> String {
    let text = match error.split_once(", ") {
        Some((line, rest)) if line.strip_prefix("line ").is_some_and(is_number) => rest,
        _ => error,
    };
    // The name of the vendor, and mostly the operation.
    let of_vendor = |provider: &Provider| {
        let operation = text.strip_prefix(provider.name()).and_then(|rest| Some(rest.split_once(": ")?.0));
        operation.is_some_and(|name| name.is_empty() || name.strip_prefix(' ').is_some_and(is_operation))
    };
    let of_cell = |field: Field| text.starts_with(&format!("`{}`: ", field.name()));
    let own = Provider::ALL.iter().any(of_vendor) || Field::ALL.into_iter().any(of_cell) || is_not_configured(text);
    if !own {
        return "an error that this version of mandat does not know".into();
    }
    let differing = [(", trace ", ")", ")"), (" (trace ", ")", ""), ("; try again after ", " s", "")];
    differing.into_iter().fold(text.to_owned(), |text, (start, end, kept)| {
        let around = text.split_once(start).and_then(|(before, rest)| Some((before, rest.split_once(end)?.1)));
        around.map_or_else(|| text.clone(), |(before, after)| format!("{before}{kept}{after}"))
    })
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}
