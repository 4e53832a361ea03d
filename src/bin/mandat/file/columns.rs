//! The columns of a file of mandates: the columns of this program, which it finds by name, and the caller's own
//! columns.

use super::cell::{blank, squeezed, suggestion};

/// A column of this program. The variants have the order of the columns in the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(usize)]
pub enum Field {
    Reference,
    Status,
    Raw,
    Account,
    Verdict,
    Reasons,
    Error,
    Change,
    SignedOn,
    SignatureConfirmed,
    LastCollection,
    RevokedByDebtor,
    OneOffUsed,
    LastAcknowledged,
    Recognized,
    ReinstatedFrom,
    AcknowledgedBefore,
    Source,
    Since,
    ObservedAt,
}

impl Field {
    pub const COUNT: usize = Self::ALL.len();

    pub const ALL: [Self; 20] = [
        Self::Reference,
        Self::Status,
        Self::Raw,
        Self::Account,
        Self::Verdict,
        Self::Reasons,
        Self::Error,
        Self::Change,
        Self::SignedOn,
        Self::SignatureConfirmed,
        Self::LastCollection,
        Self::RevokedByDebtor,
        Self::OneOffUsed,
        Self::LastAcknowledged,
        Self::Recognized,
        Self::ReinstatedFrom,
        Self::AcknowledgedBefore,
        Self::Source,
        Self::Since,
        Self::ObservedAt,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Reference => "reference",
            Self::Status => "status",
            Self::Raw => "raw",
            Self::Account => "account",
            Self::Verdict => "verdict",
            Self::Reasons => "reasons",
            Self::Error => "error",
            Self::Change => "change",
            Self::SignedOn => "signed_on",
            Self::SignatureConfirmed => "signature_confirmed",
            Self::LastCollection => "last_collection",
            Self::RevokedByDebtor => "revoked_by_debtor",
            Self::OneOffUsed => "one_off_used",
            Self::LastAcknowledged => "last_acknowledged",
            Self::Recognized => "recognized",
            Self::ReinstatedFrom => "reinstated_from",
            Self::AcknowledgedBefore => "acknowledged_before",
            Self::Source => "source",
            Self::Since => "since",
            Self::ObservedAt => "observed_at",
        }
    }

    /// Finds a column of this program by its name. The comparison ignores letter case, accents and the characters
    /// between words.
    pub fn named(name: &str) -> Option<Self> {
        let name = squeezed(name);
        Self::ALL.into_iter().find(|field| field.name().bytes().filter(|byte| *byte != b'_').eq(name.bytes()))
    }
}

/// The prefix that marks a column as one of the caller's own.
pub const OWN_PREFIX: &str = "x_";

/// Among the names of the caller's own columns, this name stands for every column that is not one of this program.
pub const ANY_OWN: &str = "*";

/// Maps the columns of a file to the columns of this program and to the caller's own columns.
#[derive(Clone, Debug, Default)]
pub struct Columns {
    ours: [Option<usize>; Field::COUNT],
    /// The name and the place of each of the caller's own columns, in the order of the file.
    own: Vec<(String, usize)>,
}

impl Columns {
    /// Maps the names of the columns in a file. `own` names the caller's own columns. Any other unknown column is an
    /// error, because the program would ignore a fact in a misspelt column.
    pub fn of<'a>(names: impl IntoIterator<Item = (usize, &'a str)>, own: &[String]) -> Result<Self, String> {
        let is_own = |name: &str| {
            let prefixed = name.get(..OWN_PREFIX.len()).is_some_and(|start| start.eq_ignore_ascii_case(OWN_PREFIX));
            // Compare a column name that has neither letters nor digits exactly.
            let (exact, loose) = (name, Some(squeezed(name)).filter(|name| !name.is_empty()));
            let same = |own: &String| own.trim_matches(blank) == exact || Some(squeezed(own)) == loose;
            prefixed || own.iter().any(|own| own == ANY_OWN || same(own))
        };
        let (mut columns, mut faults) = (Self::default(), Vec::new());
        for field in own.iter().filter_map(|name| Field::named(name)) {
            faults.push(format!("`{}` is a column of this program. Rename your column.", field.name()));
        }
        for (place, name) in names {
            let name = name.trim_matches(blank);
            match Field::named(name) {
                Some(field) if columns.ours[field as usize].is_some() => {
                    faults.push(format!("two columns are named `{}`. Keep one of them.", field.name()));
                }
                Some(field) => columns.ours[field as usize] = Some(place),
                None if is_own(name) && columns.own.iter().any(|(other, _)| other == name) => {
                    faults.push(format!("two columns are named `{}`. Rename one of them.", shown(name)));
                }
                None if is_own(name) => columns.own.push((name.to_owned(), place)),
                None => faults.push(unknown(name)),
            }
        }
        if columns.ours[Field::Reference as usize].is_none() {
            faults.push("there is no column `reference`. Add this column.".into());
        }
        if faults.is_empty() { Ok(columns) } else { Err(faults.join(" ")) }
    }

    /// Returns the columns of a list of references, which has only the column `reference`.
    pub fn of_list() -> Self {
        let mut columns = Self::default();
        columns.ours[Field::Reference as usize] = Some(0);
        columns
    }

    pub fn place(&self, field: Field) -> Option<usize> {
        self.ours[field as usize]
    }

    pub fn own(&self) -> &[(String, usize)] {
        &self.own
    }
}

fn unknown(name: &str) -> String {
    let meant = suggestion(name, Field::ALL.map(Field::name));
    let name = shown(name);
    format!(
        "the column `{name}` is unknown.{meant} If this column is your own, add --own \"{name}\" or rename it to \
         `{OWN_PREFIX}{name}`."
    )
}

/// Returns the name of a column for a message.
pub fn shown(name: &str) -> String {
    let name = name.trim_matches(blank).replace(char::is_control, "?");
    match name.char_indices().nth(40) {
        Some((end, _)) => format!("{}...", &name[..end]),
        None => name,
    }
}
