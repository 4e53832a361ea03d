//! The summary of a run: how many rows are new, changed, or were not read, and why.

use super::{
    file::{Field, Record},
    forms::{CauseForm, SummaryForm},
};
use mandat::{Error, ErrorKind, Provider};
use std::{collections::BTreeMap, fmt};

/// The reason why a mandate has no reading.
#[derive(Clone, Debug)]
pub struct Cause {
    /// The label of the cause. Rows with the same label have the same cause.
    pub label: String,
    /// The text for the cell `error` of the row.
    pub text: String,
    pub kind: Kind,
}

/// The kinds of causes, which the summary and the exit code treat differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    NotRead,
    /// The vendor had refused the caller's credentials earlier, so the run sent no more requests to this vendor.
    NotAsked(Provider),
    /// The vendor responded that it does not know the mandate.
    UnknownToVendor,
}

impl Cause {
    /// Returns the cause of an error. `text` is the text of the error for a user of the program.
    pub fn of(error: &Error, text: String) -> Self {
        let beside = [
            error.http_status().map(|status| format!("HTTP {status}")),
            error.vendor_code().map(|code| format!("code {code}")),
        ];
        let beside: Vec<String> = beside.into_iter().flatten().collect();
        let at = error.provider().map(|provider| format!("{provider}: ")).unwrap_or_default();
        let beside = if beside.is_empty() { String::new() } else { format!(" ({})", beside.join(", ")) };
        Self {
            label: format!("{at}{}{beside}", error.kind().name()),
            text,
            kind: match (error.kind(), error.provider()) {
                (ErrorKind::NotFound, _) => Kind::UnknownToVendor,
                (ErrorKind::NotAsked, Some(provider)) => Kind::NotAsked(provider),
                _ => Kind::NotRead,
            },
        }
    }
}

impl Kind {
    /// Returns a short reason for a row without a reading.
    pub fn reason(self) -> &'static str {
        match self {
            Self::NotRead => "not read in this run",
            Self::NotAsked(_) => "not requested in this run",
            Self::UnknownToVendor => "the vendor does not know the mandate",
        }
    }
}

/// Counts the rows of a run by their result.
#[derive(Default)]
pub struct Summary {
    rows: usize,
    /// The number of rows whose reading comes from the stopped run.
    pub resumed: usize,
    new: usize,
    changed: usize,
    statuses: BTreeMap<String, usize>,
    /// For each label of a cause: the error of the first row, and the line numbers of all rows.
    failed: BTreeMap<String, (String, Vec<usize>)>,
    unknown: Vec<usize>,
    not_asked: BTreeMap<Provider, usize>,
}

impl Summary {
    pub fn read(&mut self, record: &Record) {
        self.rows += 1;
        match record[Field::Change].shown() {
            "" => {}
            "First" => self.new += 1,
            _ => self.changed += 1,
        }
        *self.statuses.entry(record[Field::Status].shown().to_owned()).or_default() += 1;
    }

    pub fn failed(&mut self, line: usize, cause: &Cause) {
        self.rows += 1;
        match cause.kind {
            Kind::UnknownToVendor => self.unknown.push(line),
            Kind::NotAsked(provider) => *self.not_asked.entry(provider).or_default() += 1,
            Kind::NotRead => {
                let of_cause = self.failed.entry(cause.label.clone());
                of_cause.or_insert_with(|| (cause.text.clone(), Vec::new())).1.push(line);
            }
        }
    }

    pub fn not_read(&self) -> usize {
        let failed: usize = self.failed.values().map(|(_, lines)| lines.len()).sum();
        failed + self.not_asked.values().sum::<usize>()
    }

    /// Returns the summary for programs.
    pub fn form(&self) -> SummaryForm {
        let cause = |(cause, (example, lines)): (&String, &(String, Vec<usize>))| CauseForm {
            cause: cause.clone(),
            example: example.clone(),
            lines: lines.clone(),
        };
        SummaryForm {
            rows: self.rows,
            new: self.new,
            changed: self.changed,
            not_read: self.not_read(),
            not_requested: self.not_asked.values().sum(),
            unknown_to_the_vendor: self.unknown.len(),
            resumed: self.resumed,
            statuses: self.statuses.clone(),
            causes: self.failed.iter().map(cause).collect(),
        }
    }

    /// Returns true if no row has a response of a vendor.
    pub fn none_read(&self) -> bool {
        self.rows > 0 && self.not_read() == self.rows
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rows, new, changed, .. } = self;
        write!(f, "{rows} rows: {new} new, {changed} changed, {} not read", self.not_read())?;
        if !self.unknown.is_empty() {
            write!(f, ", {} unknown to the vendor", self.unknown.len())?;
        }
        writeln!(f)?;
        if self.resumed > 0 {
            writeln!(f, "{} rows have a reading from the stopped run", self.resumed)?;
        }
        for (status, count) in &self.statuses {
            writeln!(f, "  {status:<21} {count:>8}")?;
        }
        if !self.unknown.is_empty() {
            writeln!(f, "Unknown to the vendor: {}", Lines(&self.unknown))?;
        }
        if !self.unknown.is_empty() && self.unknown.len() == *rows {
            writeln!(f, "The vendors know none of the mandates. Are the credentials those of the right account?")?;
        }
        f.write_str(&not_asked(&self.not_asked, "Mandates"))?;
        let mut failed: Vec<_> = self.failed.iter().collect();
        failed.sort_by_key(|(_, (_, lines))| std::cmp::Reverse(lines.len()));
        for (label, (example, lines)) in failed {
            writeln!(f, "Not read, {}: {label}, {}", lines.len(), Lines(lines))?;
            writeln!(f, "  {example}")?;
        }
        Ok(())
    }
}

/// Returns one line for each vendor that refused the caller's credentials. `records` names the counted records.
pub fn not_asked(counts: &BTreeMap<Provider, usize>, records: &str) -> String {
    let line = |(provider, count): (&Provider, &usize)| {
        format!(
            "{provider} refused the caller, so the run sent no more requests to {provider}. {records} not requested: \
             {count}.\n"
        )
    };
    counts.iter().map(line).collect()
}

/// Shows the first few of these line numbers.
struct Lines<'a>(&'a [usize]);

impl fmt::Display for Lines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 10;
        let mut lines = self.0.to_vec();
        lines.sort_unstable();
        let shown: Vec<String> = lines.iter().take(SHOWN).map(usize::to_string).collect();
        let (word, more) = (if lines.len() == 1 { "line" } else { "lines" }, lines.len().saturating_sub(SHOWN));
        write!(f, "{word} {}", shown.join(", "))?;
        if more > 0 { write!(f, " and {more} more") } else { Ok(()) }
    }
}
