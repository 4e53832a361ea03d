//! Scalars of an answer that are kept even where they cannot be read.

use super::{
    Invalid,
    raw::{Raw, Unreadable},
};
use chrono::{Datelike, FixedOffset, NaiveDate, SecondsFormat, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use std::{borrow::Cow, fmt, str::FromStr};

/// How a scalar is written on the wire.
pub trait Format {
    /// What is read.
    type Value: Copy + PartialEq + fmt::Debug;
    /// What a text has to be, for an error message.
    const WANTED: &'static str;
    /// Whether the value is a JSON string, or else a number or a truth.
    const QUOTED: bool = true;
    /// Reads a text; `None` if it is not of this form.
    fn read(text: &str) -> Option<Self::Value>;
    /// The value as text.
    fn show(value: Self::Value) -> String;
    /// Whether a request may hold this value.
    fn valid(_: Self::Value) -> bool {
        true
    }
}

/// A form whose text a caller may give. Of an amount the text does not say the unit.
pub trait FromText: Format {}

/// The formats behind [`Date`], [`DateTime`], [`FrenchDate`], [`Int`], [`Number`], [`Flag`],
/// [`Cents`](super::Cents) and [`Euros`](super::Euros).
pub mod format {
    /// `2026-01-31`.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub enum IsoDate {}
    /// `2026-01-31T23:59:59+02:00` (RFC 3339).
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub enum IsoDateTime {}
    /// `31/01/2026`.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub enum FrenchDate {}
    /// A whole number from `MIN` to `MAX`, both included.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub enum Integer<const MIN: i64, const MAX: i64> {}
    /// A whole number of cents, of at most `DIGITS` digits, as text.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub enum Cents<const DIGITS: u32> {}
    /// Euros with decimals, as text.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub enum Euros {}
    /// A number.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub enum Decimal {}
    /// True or false.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub enum Boolean {}
}

/// A calendar day, `2026-01-31`, without a time zone.
pub type Date = Lenient<format::IsoDate>;
/// An instant with its offset from UTC, `2026-01-31T23:59:59+02:00`.
pub type DateTime = Lenient<format::IsoDateTime>;
/// A calendar day as SafeDebit writes it, `31/01/2026`, without a time zone.
pub type FrenchDate = Lenient<format::FrenchDate>;
/// A whole number. The bounds hold for what is sent; an answer outside of them is still read.
pub type Int<const MIN: i64 = { i64::MIN }, const MAX: i64 = { i64::MAX }> = Lenient<format::Integer<MIN, MAX>>;
/// A number.
pub type Number = Lenient<format::Decimal>;
/// True or false.
pub type Flag = Lenient<format::Boolean>;

/// A value as it was read, or the text that could not be.
#[derive(Clone, PartialEq)]
pub enum Lenient<F: Format> {
    /// The value.
    Read(F::Value),
    /// What the vendor sent instead.
    Unread(Unread),
}

/// What a vendor sent that could not be read. It may be anything, so `Debug` shows its length only.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Unread(Box<str>);

impl Unread {
    pub(super) fn new(text: String) -> Self {
        Self(text.into())
    }

    /// The text of the vendor, or the JSON of what is no text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Unread({} bytes)", self.0.len())
    }
}

impl<F: Format> Lenient<F> {
    /// The value, if it could be read.
    pub fn get(&self) -> Option<F::Value> {
        match self {
            Self::Read(value) => Some(*value),
            Self::Unread(_) => None,
        }
    }

    /// What the vendor sent, if it could not be read.
    pub fn unread(&self) -> Option<&Unread> {
        match self {
            Self::Read(_) => None,
            Self::Unread(text) => Some(text),
        }
    }
}

impl<F: Format> fmt::Debug for Lenient<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(value) => value.fmt(f),
            Self::Unread(text) => text.fmt(f),
        }
    }
}

impl<F: FromText> FromStr for Lenient<F> {
    type Err = Invalid;
    fn from_str(text: &str) -> Result<Self, Invalid> {
        let value = F::read(text).filter(|value| F::valid(*value));
        value.map(Self::Read).ok_or_else(|| Invalid(format!("it is no {}", F::WANTED)))
    }
}

impl<F: FromText> TryFrom<&str> for Lenient<F> {
    type Error = Invalid;
    fn try_from(text: &str) -> Result<Self, Invalid> {
        text.parse()
    }
}

impl<F: Format> Serialize for Lenient<F> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Read(value) if F::QUOTED => s.serialize_str(&F::show(*value)),
            // A number or a truth reads as JSON.
            Self::Read(value) => serde_json::from_str::<Value>(&F::show(*value)).unwrap_or_default().serialize(s),
            Self::Unread(text) => s.serialize_str(text.as_str()),
        }
    }
}

impl<'de, F: Format> Deserialize<'de> for Lenient<F> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let unread = |text: Cow<str>| Self::Unread(Unread::new(text.into_owned()));
        Ok(match Raw::deserialize(d)?.text() {
            Ok(text) => F::read(&text).map_or_else(|| unread(text), Self::Read),
            Err(Unreadable(json)) => unread(json),
        })
    }
}

/// A format of one type, of which every value may be sent.
macro_rules! simple {
    ($format:ident, $value:ty, $wanted:literal, $quoted:literal, $read:expr, $show:expr) => {
        impl Format for format::$format {
            type Value = $value;
            const WANTED: &'static str = $wanted;
            const QUOTED: bool = $quoted;
            fn read(text: &str) -> Option<$value> {
                $read(text)
            }
            fn show(value: $value) -> String {
                $show(&value)
            }
        }

        impl FromText for format::$format {}

        impl From<$value> for Lenient<format::$format> {
            fn from(value: $value) -> Self {
                Self::Read(value)
            }
        }
    };
}

simple!(IsoDate, NaiveDate, "date like 2026-01-31", true, |text| day(text, "%Y-%m-%d"), ToString::to_string);
simple!(FrenchDate, NaiveDate, "date like 31/01/2026", true, |text| day(text, "%d/%m/%Y"), |date: &NaiveDate| date
    .format("%d/%m/%Y")
    .to_string());
simple!(
    IsoDateTime,
    chrono::DateTime<FixedOffset>,
    "instant like 2026-01-31T23:59:59+02:00",
    true,
    // The year 1970 is what systems make of the number zero. No vendor is so old.
    |text| chrono::DateTime::parse_from_rfc3339(text).ok().filter(|instant| instant.year() > 1970),
    |instant: &chrono::DateTime<FixedOffset>| instant
        .to_rfc3339_opts(SecondsFormat::AutoSi, instant.offset().local_minus_utc() == 0)
);
simple!(
    Decimal,
    f64,
    "number",
    false,
    |text: &str| text.parse().ok().filter(|number: &f64| number.is_finite()),
    ToString::to_string
);
simple!(Boolean, bool, "true or false", false, |text: &str| text.parse().ok(), ToString::to_string);

/// A day in exactly ten characters, as it would be written: chrono alone would take `1/1/26` and the year `+12345`.
/// `0001-01-01` is no date: systems write it, and the first days of 1753 and 1900, where they have none. Birth dates are
/// later.
fn day(text: &str, form: &str) -> Option<NaiveDate> {
    let day = (text.len() == 10).then(|| NaiveDate::parse_from_str(text, form).ok()).flatten();
    day.filter(|day| day.year() > 1900 && day.format(form).to_string() == text)
}

/// A whole number in any of the ways that JSON has for it: `300`, `300.0`, `3e2`.
fn whole(text: &str) -> Option<i64> {
    if let Ok(number) = text.parse() {
        return Some(number);
    }
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
        None => (text, 0),
    };
    let (sign, digits) = match mantissa.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", mantissa),
    };
    let (before, after) = digits.split_once('.').unwrap_or((digits, "0"));
    let all_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !all_digits(before) || !all_digits(after) {
        return None;
    }
    let digits = format!("{before}{after}");
    let significant = digits.trim_end_matches('0');
    if significant.is_empty() {
        return Some(0);
    }
    // So many zeros follow the last digit that counts.
    let removed = i64::try_from(digits.len() - significant.len()).ok()?;
    let zeros = exponent.checked_sub(i64::try_from(after.len()).ok()?)?.checked_add(removed)?;
    let zeros = usize::try_from(zeros).ok().filter(|zeros| *zeros < 20)?;
    format!("{sign}{significant}{}", "0".repeat(zeros)).parse().ok()
}

impl From<chrono::DateTime<Utc>> for DateTime {
    fn from(instant: chrono::DateTime<Utc>) -> Self {
        Self::Read(instant.into())
    }
}

impl<const MIN: i64, const MAX: i64> FromText for format::Integer<MIN, MAX> {}

impl<const MIN: i64, const MAX: i64> Format for format::Integer<MIN, MAX> {
    type Value = i64;
    const WANTED: &'static str = "whole number within its bounds";
    const QUOTED: bool = false;
    fn valid(value: i64) -> bool {
        (MIN..=MAX).contains(&value)
    }
    fn read(text: &str) -> Option<i64> {
        whole(text)
    }
    fn show(value: i64) -> String {
        value.to_string()
    }
}

macro_rules! whole_numbers {
    ($($number:ty),+) => {$(
        impl<const MIN: i64, const MAX: i64> TryFrom<$number> for Int<MIN, MAX> {
            type Error = Invalid;
            fn try_from(number: $number) -> Result<Self, Invalid> {
                let within = i64::try_from(number).ok().filter(|number| (MIN..=MAX).contains(number));
                within.map(Self::Read).ok_or_else(|| Invalid(match (MIN, MAX) {
                    (min, i64::MAX) => format!("it is less than {min}"),
                    (min, max) => format!("it is not between {min} and {max}"),
                }))
            }
        }
    )+};
}
whole_numbers!(i32, i64, u16, u32, u64);
