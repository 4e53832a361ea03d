//! Reads the reasons of a verdict in the text form of a file, so that the page can show them in both languages.

use mandat::{AccountStatus, MandateStatus};
use serde::Serialize;

/// A reason: its key in the words of the page, and the values in its text.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Reason {
    pub key: &'static str,
    pub values: Vec<String>,
}

/// The texts of all reasons. `{}` stands for a value. A text that another one would also match comes first.
pub const TEXTS: [(&str, &str); 29] = [
    ("NotRead", "not read in this run"),
    ("NotRequested", "not requested in this run"),
    ("UnknownToVendor", "the vendor does not know the mandate"),
    ("NotActive", "not active: {} ({})"),
    ("Unrecognized", "status unrecognized ({})"),
    ("NotReadBack", "the mandate was created, but not read since"),
    ("BeforeStart", "before its start, {}"),
    ("AfterEnd", "after its end, {}"),
    ("StartUnreadable", "the start date cannot be read"),
    ("EndUnreadable", "the end date cannot be read"),
    ("TooOld", "read {} s ago, too old"),
    ("ReadAhead", "the reading is from the future, {}: check the clocks"),
    ("NotYetSigned", "not signed yet: the day of signature, {}, is in the future"),
    ("Dormant", "dormant: no collection for 36 months since {}"),
    ("OneOffUsed", "one-off mandate already used"),
    ("RevokedByDebtor", "the debtor has revoked the mandate by a message to you"),
    ("NotBusinessDay", "TARGET is closed on {}"),
    ("TooSoon", "too late to present it: the earliest due date is {}"),
    ("NotifiedTooLate", "debtor notified too late: the earliest due date is {}"),
    ("Reinstated", "reinstated after {}, and you have not acknowledged the return"),
    (
        "SignatureNotConfirmed",
        "signature not confirmed: the vendor's word for active may also mean an unsigned mandate",
    ),
    ("AccountNotActive", "client not active: {} ({})"),
    ("AccountUnrecognized", "client status unrecognized ({})"),
    ("AccountNotRead", "the state of the client could not be read"),
    ("AccountDiffers", "the mandate belongs to another client than its reference says"),
    ("Other", "a reason that this version of mandat does not know"),
    ("FactImpossible", "{} is impossible: the day is before 1970 or after today"),
    ("FactsContradict", "{} and {} contradict each other"),
    ("FactMissing", "{} not known"),
];

impl Reason {
    /// Reads one reason. A text that is none of this program counts as `Other`, because it may be personal.
    pub fn read(text: &str) -> Self {
        let found = TEXTS.iter().find_map(|(key, form)| Some((*key, values(form, text)?)));
        let (key, mut values) = found.unwrap_or(("Other", Vec::new()));
        values.iter_mut().for_each(|value| *value = shown(value));
        Self { key, values }
    }

    /// Reads the reasons in a cell of a file.
    pub fn all(cell: &str) -> impl Iterator<Item = Self> {
        cell.split(" / ").map(str::trim).filter(|text| !text.is_empty()).map(Self::read)
    }
}

/// Returns the values in a text of this form, or `None` if the text has another form.
fn values(form: &str, text: &str) -> Option<Vec<String>> {
    let mut parts = form.split("{}");
    let mut rest = text.strip_prefix(parts.next()?)?;
    let mut values = Vec::new();
    for part in parts {
        let end = if part.is_empty() { rest.len() } else { rest.find(part)? };
        values.push(rest.get(..end)?.to_owned());
        rest = rest.get(end + part.len()..)?;
    }
    rest.is_empty().then_some(values)
}

/// Returns a word of a vendor, or a value of this program, as the page shows it. A word of an unusual form may be
/// personal, so the page hides it.
pub fn shown(value: &str) -> String {
    let word = value.starts_with(|c: char| c.is_ascii_lowercase())
        && value.chars().all(|c| c.is_ascii_lowercase() || c == '_')
        && value.len() <= 32;
    let number = value.len() <= 5 && value.bytes().all(|byte| byte.is_ascii_digit());
    let known = ["Z", "-"].iter().any(|part| value.contains(part))
        && value.bytes().all(|byte| byte.is_ascii_digit() || b"-:TZ".contains(&byte));
    let status = MandateStatus::ALL.iter().any(|status| status.as_str() == value)
        || AccountStatus::ALL.iter().any(|status| status.as_str() == value);
    if word || number || known || status { value.to_owned() } else { "…".into() }
}
