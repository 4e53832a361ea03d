//! The report of a mistake in a spec.

use std::ops::Deref;

/// A line and a column of a spec. Both start at 1. The line 0 stands for the whole file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    pub line: u64,
    pub column: u64,
    /// True in the file of a user.
    pub theirs: bool,
}

/// A value in a spec, with its place.
#[derive(Clone, Debug, Default)]
pub struct Located<T> {
    pub place: Place,
    pub value: T,
}

impl<T> Deref for Located<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

/// A mistake in a spec: its place, the cause and the fix.
#[derive(Clone, Debug)]
pub struct Problem {
    pub place: Place,
    pub what: String,
    fix: String,
}

pub type Problems = Vec<Problem>;

impl Problem {
    pub fn new(place: Place, what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { place, what: what.into(), fix: fix.into() }
    }

    /// Moves the mistake to another place.
    pub fn at(&self, place: Place) -> Self {
        Self { place, ..self.clone() }
    }

    /// Formats the mistake as one line, because cargo shows one line for each message: `specs/seqino.yaml:12:7: what is
    /// wrong. Fix: what to do`.
    pub fn within(&self, file: &str) -> String {
        let (what, fix) = (one_line(&self.what), one_line(&self.fix));
        match self.place {
            Place { line: 0, .. } => format!("{file}: {what}. Fix: {fix}"),
            Place { line, column, .. } => format!("{file}:{line}:{column}: {what}. Fix: {fix}"),
        }
    }
}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Self {
        vec![problem]
    }
}

pub fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
