//! A cell of a file of mandates, and the values that the cell can have.

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveTime, TimeZone, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;
use std::borrow::Cow;

/// A cell as the program read it. The program writes a cell without a valid value back unchanged.
#[derive(Clone, Debug, Default)]
pub enum Cell {
    /// The cell is missing, because the row ends before this column, or the JSON object has no such key.
    #[default]
    Absent,
    /// The text of a CSV cell or of a JSON string.
    Text(Box<str>),
    /// Any JSON value that is not a string, with all its digits.
    Json(Box<RawValue>),
}

impl Cell {
    pub fn text(text: impl Into<Box<str>>) -> Self {
        Self::Text(text.into())
    }

    /// Converts a JSON value into a cell. A JSON string becomes a text.
    pub fn json(value: Box<RawValue>) -> Self {
        match serde_json::from_str::<String>(value.get()) {
            Ok(text) => Self::text(text),
            Err(_) => Self::Json(value),
        }
    }

    /// Returns the text that this cell has in a CSV file.
    pub fn shown(&self) -> &str {
        match self {
            Self::Absent => "",
            Self::Text(text) => text,
            Self::Json(value) if value.get() == "null" => "",
            Self::Json(value) => value.get(),
        }
    }

    /// Returns the text of the cell without blanks at its ends.
    pub fn trimmed(&self) -> &str {
        self.shown().trim_matches(blank)
    }

    pub fn is_blank(&self) -> bool {
        self.trimmed().is_empty()
    }
}

/// Two cells are equal if they have the same text in a CSV file.
impl PartialEq for Cell {
    fn eq(&self, other: &Self) -> bool {
        self.shown() == other.shown()
    }
}

impl From<bool> for Cell {
    fn from(value: bool) -> Self {
        serde_json::value::to_raw_value(&value).map_or(Self::Absent, Self::Json)
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::text(text)
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::text(text)
    }
}

impl From<NaiveDate> for Cell {
    fn from(date: NaiveDate) -> Self {
        date.to_string().into()
    }
}

impl From<DateTime<Utc>> for Cell {
    fn from(at: DateTime<Utc>) -> Self {
        at.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true).into()
    }
}

impl<T: Into<Cell>> From<Option<T>> for Cell {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Absent, Into::into)
    }
}

impl Serialize for Cell {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Absent => s.serialize_none(),
            Self::Text(text) => s.serialize_str(text),
            Self::Json(value) => value.serialize(s),
        }
    }
}

impl<'de> Deserialize<'de> for Cell {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Box::<RawValue>::deserialize(d).map(Self::json)
    }
}

/// Returns true for a character that counts as a blank around a value: also for no-break spaces and characters of no
/// width.
pub fn blank(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{feff}' | '\u{200b}')
}

/// Returns true for an invisible character. A terminal executes some of these characters. Others reorder or hide their
/// neighbours.
pub fn invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// Returns the letters and digits of a column name, in lower case and without accents. Two names count as the same if
/// these texts are equal.
pub fn squeezed(name: &str) -> String {
    let plain = |c: char| match c {
        'à' | 'â' | 'ä' => 'a',
        'ç' => 'c',
        'é' | 'è' | 'ê' | 'ë' => 'e',
        'î' | 'ï' => 'i',
        'ô' | 'ö' => 'o',
        'ù' | 'û' | 'ü' => 'u',
        c => c,
    };
    // macOS writes an accent as a combining character. The filter by `is_alphanumeric` removes this character.
    name.chars().flat_map(char::to_lowercase).map(plain).filter(|c| c.is_alphanumeric()).collect()
}

/// Returns the candidate that is most similar to a misspelt name.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let name = squeezed(name);
    let near = candidates.into_iter().map(|candidate| {
        let meant = squeezed(candidate);
        // Jaro-Winkler similarity favours a common prefix. For short names, the edit distance is better.
        let near = strsim::jaro_winkler(&name, &meant) - 0.2;
        (near.max(strsim::normalized_damerau_levenshtein(&name, &meant)), candidate)
    });
    near.filter(|(near, _)| *near > 0.6).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, candidate)| candidate)
}

/// Returns the end of an error that suggests the candidate most similar to a misspelt name, or an empty text.
pub fn suggestion<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    nearest(name, candidates).map(|meant| format!(" Did you mean `{meant}`?")).unwrap_or_default()
}

/// Returns true if people write this text into an empty cell, such as `n/a`.
pub fn is_nothing(text: &str) -> bool {
    const NOTHING: [&str; 18] = [
        "", "null", "(null)", "<null>", "\\n", "nil", "none", "nan", "n/a", "#n/a", "na", "#na", "n.a.", "n/d", "#n/d",
        "nd", "unknown", "inconnu",
    ];
    let text = text.trim_matches(blank).to_lowercase();
    NOTHING.contains(&&*text) || text.chars().all(|c| matches!(c, '-' | '–' | '—' | '?'))
}

/// Reads a full date in ISO or French format: `2026-09-01` or `01/09/2026`. A spreadsheet program may add the time
/// midnight.
pub fn date(text: &str) -> Option<NaiveDate> {
    let (day, time) = text.split_once([' ', 'T']).unwrap_or((text, ""));
    let midnight = time.trim_end_matches('Z').chars().all(|c| matches!(c, '0' | ':' | '.'));
    bare_date(day).filter(|_| midnight)
}

fn bare_date(text: &str) -> Option<NaiveDate> {
    let number = |text: &str, longest| {
        let digits = (1..=longest).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| text.parse::<u32>().ok()).flatten()
    };
    let parts = |separator| {
        let mut parts = text.split(separator);
        Some((parts.next()?, parts.next()?, parts.next()?)).filter(|_| parts.next().is_none())
    };
    let (year, month, day) = match (parts('-'), parts('/')) {
        (Some((year, month, day)), None) | (None, Some((day, month, year))) => (year, month, day),
        _ => return None,
    };
    // Refuse years of two digits. Also refuse dates of the years 0001, 1900 and 1970, because programs write them for a
    // missing date.
    let year = number(year, 4).filter(|year| (1971..=2199).contains(year))?;
    NaiveDate::from_ymd_opt(year.try_into().ok()?, number(month, 2)?, number(day, 2)?)
}

/// Reads an instant. A time without an offset counts as UTC, because this program writes only UTC and a spreadsheet
/// program may drop the `Z`.
pub fn instant(text: &str) -> Option<DateTime<Utc>> {
    let (day, time) = text.split_once([' ', 'T'])?;
    let (time, offset) = match time.find(['Z', '+', '-']) {
        None => (time, FixedOffset::east_opt(0)?),
        Some(end) if &time[end..] == "Z" => (&time[..end], FixedOffset::east_opt(0)?),
        Some(end) => (&time[..end], time[end..].parse().ok()?),
    };
    let time = ["%H:%M:%S%.f", "%H:%M"].iter().find_map(|form| NaiveTime::parse_from_str(time.trim(), form).ok())?;
    Some(offset.from_local_datetime(&bare_date(day)?.and_time(time)).single()?.to_utc())
}

/// Reads yes or no in English, in French or as a digit.
pub fn boolean(text: &str) -> Option<bool> {
    match &*text.to_lowercase() {
        "true" | "yes" | "vrai" | "oui" | "1" => Some(true),
        "false" | "no" | "faux" | "non" | "0" => Some(false),
        _ => None,
    }
}

/// Returns true if the value of a cell means that the creditor has never collected on the mandate.
pub fn is_never(text: &str) -> bool {
    ["never", "none", "jamais", "aucune", "aucun"].contains(&&*text.to_lowercase())
}

/// Returns the cell for a vendor's status word. An empty word, or a word with odd characters or blanks at an end,
/// becomes a JSON string in ASCII. So no terminal executes the word, no spreadsheet program trims it, and this program
/// reads it back unchanged.
pub fn vendor_word(word: &str) -> String {
    let odd = |c: char| c != ' ' && !c.is_alphanumeric() && !c.is_ascii_punctuation();
    let plain = !word.is_empty() && !word.starts_with([' ', '"']) && !word.ends_with(' ') && !word.contains(odd);
    if plain { word.to_owned() } else { quoted(word) }
}

/// Returns the cell for a word that may be absent. A word that looks like an empty cell also becomes a JSON string.
pub fn optional_word(word: &str) -> String {
    if is_nothing(word) { quoted(word) } else { vendor_word(word) }
}

fn quoted(word: &str) -> String {
    let mut text = String::from("\"");
    for c in word.chars() {
        match c {
            '"' | '\\' => text.extend(['\\', c]),
            ' '..='~' => text.push(c),
            _ => text.extend(c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}"))),
        }
    }
    text + "\""
}

/// Reads a status word that [`vendor_word`] wrote.
pub fn read_vendor_word(text: &str) -> Cow<'_, str> {
    match serde_json::from_str::<String>(text) {
        Ok(word) => word.into(),
        Err(_) => text.into(),
    }
}

/// Puts an apostrophe before a cell that a spreadsheet program would run as a formula. A number with a sign stays
/// unchanged.
pub fn harmless(text: &str) -> Cow<'_, str> {
    if is_run(text.trim_start_matches('\'')) { format!("'{text}").into() } else { text.into() }
}

/// Reads a cell that [`harmless`] wrote, without its apostrophe.
pub fn read_harmless(text: &str) -> &str {
    match text.strip_prefix('\'') {
        Some(rest) if is_run(rest.trim_start_matches('\'')) => rest,
        _ => text,
    }
}

fn is_run(text: &str) -> bool {
    let number = |rest: &str| rest.chars().all(|c| c.is_ascii_digit() || matches!(c, ' ' | '.' | ',' | '\u{a0}'));
    match text.chars().next() {
        Some('+' | '-') => !number(&text[1..]),
        Some('=' | '@' | '\t' | '\r' | '\n' | '＝' | '＋' | '－' | '＠') => true,
        _ => false,
    }
}

/// Describes a value for an error text. The description quotes only a date or a small number. For any other value it
/// only names the form, because a name or an IBAN may be in the wrong column.
pub fn form(text: &str) -> String {
    let count = text.chars().count();
    let digits = text.chars().filter(char::is_ascii_digit).count();
    let harmless = |c: char| c.is_ascii_digit() || matches!(c, '/' | '.' | ',' | '-' | ':' | ' ');
    let capital = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || matches!(c, '#' | '/' | '!' | '?');
    let spreadsheet_error = text.starts_with('#') && text.ends_with(['!', '?']) && text.chars().all(capital);
    match count {
        _ if digits <= 8 && count <= 19 && text.chars().all(harmless) => format!("\"{text}\""),
        _ if spreadsheet_error && count <= 9 => format!("{text}, an error of the spreadsheet,"),
        1 => "one character".into(),
        _ if digits == count => format!("a number of {count} digits"),
        _ => format!("a text of {count} characters"),
    }
}
