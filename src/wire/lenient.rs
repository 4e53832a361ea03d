//! Single values of a response, such as a date or a number. A value that cannot be read is kept as text.

use super::{
    InvalidValue,
    raw::{Raw, Unreadable},
};
use chrono::{Datelike, FixedOffset, NaiveDate, SecondsFormat, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use std::{borrow::Cow, fmt, str::FromStr};

/// The text form of a single value in requests and responses, such as a date or a number.
pub trait Format: Sealed {
    /// The Rust type of the value.
    type Value: Copy + PartialEq + fmt::Debug;
    /// The expected form for an error message, with an article: `a date like 2026-01-31`.
    const WANTED: &'static str;
    /// True if the value is a JSON string. False if the value is a JSON number or boolean.
    const QUOTED: bool = true;
    /// Reads a value from its text. Returns `None` if the text does not have this form.
    fn read(text: &str) -> Option<Self::Value>;
    /// Writes the value as text.
    fn show(value: Self::Value) -> String;
    /// Returns true if a request may contain this value.
    fn valid(_: Self::Value) -> bool {
        true
    }
}

mod sealed {
    /// A trait that prevents other crates from implementing [`Format`](super::Format): they cannot name this trait.
    pub trait Sealed {}
    impl Sealed for super::format::IsoDate {}
    impl Sealed for super::format::IsoDateTime {}
    impl Sealed for super::format::FrenchDate {}
    impl<const MIN: i64, const MAX: i64> Sealed for super::format::Integer<MIN, MAX> {}
    impl<const DIGITS: u32> Sealed for super::format::Cents<DIGITS> {}
    impl<const MIN: u64> Sealed for super::format::CentsNumber<MIN> {}
    impl Sealed for super::format::Euros {}
    impl Sealed for super::format::Decimal {}
    impl Sealed for super::format::Boolean {}
}
use sealed::Sealed;

/// A format whose values a caller may pass as text. Amounts are excluded, because the text of an amount does not name
/// the unit.
pub trait FromText: Format {}

/// The formats behind [`Date`], [`DateTime`], [`FrenchDate`], [`Int`], [`Number`], [`Flag`],
/// [`Cents`](super::Cents), [`CentsNumber`](super::CentsNumber) and [`Euros`](super::Euros).
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
    /// A whole number of cents as text, with at most `DIGITS` digits.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub enum Cents<const DIGITS: u32> {}
    /// A whole number of cents as a JSON number of at least `MIN`.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub enum CentsNumber<const MIN: u64> {}
    /// Euros with decimals, as text.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub enum Euros {}
    /// A number.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub enum Decimal {}
    /// A boolean.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub enum Boolean {}
}

/// A calendar day, `2026-01-31`, without a time zone.
pub type Date = Lenient<format::IsoDate>;
/// An instant with its offset from UTC, `2026-01-31T23:59:59+02:00`.
pub type DateTime = Lenient<format::IsoDateTime>;
/// A calendar day as SafeDebit writes it, `31/01/2026`, without a time zone.
pub type FrenchDate = Lenient<format::FrenchDate>;
/// A whole number. The bounds apply to requests. A number outside them in a response is still read.
pub type Int<const MIN: i64 = { i64::MIN }, const MAX: i64 = { i64::MAX }> = Lenient<format::Integer<MIN, MAX>>;
/// A number.
pub type Number = Lenient<format::Decimal>;
/// A boolean.
pub type Flag = Lenient<format::Boolean>;

/// A value, or the vendor's text that could not be read as such a value.
#[derive(Clone, PartialEq)]
pub enum Lenient<F: Format> {
    /// The value.
    Read(F::Value),
    /// The text that the vendor sent, because it could not be read.
    Unread(Unread),
}

/// The text of a vendor's value that could not be read. The text may be personal data, so `Debug` shows only its
/// length.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Unread(Box<str>);

impl Unread {
    pub(super) fn new(text: String) -> Self {
        Self(text.into())
    }

    /// Returns the content of a JSON string, or the JSON text of any other value.
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
    /// Returns the value, if it could be read.
    pub fn get(&self) -> Option<F::Value> {
        match self {
            Self::Read(value) => Some(*value),
            Self::Unread(_) => None,
        }
    }

    /// Returns the vendor's text, if the value could not be read.
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
    type Err = InvalidValue;
    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let value = F::read(text).filter(|value| F::valid(*value));
        value.map(Self::Read).ok_or_else(|| InvalidValue(format!("the value is not {}", F::WANTED)))
    }
}

impl<F: FromText> TryFrom<&str> for Lenient<F> {
    type Error = InvalidValue;
    fn try_from(text: &str) -> Result<Self, InvalidValue> {
        text.parse()
    }
}

impl<F: Format> Serialize for Lenient<F> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Read(value) if F::QUOTED => s.serialize_str(&F::show(*value)),
            // The text form of a number or a boolean is valid JSON.
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

/// Implements a format for which every value of the Rust type is valid in a request.
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

simple!(IsoDate, NaiveDate, "a date like 2026-01-31", true, |text| day(text, "%Y-%m-%d"), ToString::to_string);
simple!(FrenchDate, NaiveDate, "a date like 31/01/2026", true, |text| day(text, "%d/%m/%Y"), |date: &NaiveDate| date
    .format("%d/%m/%Y")
    .to_string());
simple!(
    IsoDateTime,
    chrono::DateTime<FixedOffset>,
    "an instant like 2026-01-31T23:59:59+02:00",
    true,
    // Systems write 1970-01-01 for a missing instant, because it is the number zero. No vendor existed then, so this
    // instant is not read.
    |text| chrono::DateTime::parse_from_rfc3339(text).ok().filter(|instant| instant.year() > 1970),
    |instant: &chrono::DateTime<FixedOffset>| instant
        .to_rfc3339_opts(SecondsFormat::AutoSi, instant.offset().local_minus_utc() == 0)
);
simple!(
    Decimal,
    f64,
    "a number",
    false,
    |text: &str| text.parse().ok().filter(|number: &f64| number.is_finite()),
    ToString::to_string
);
simple!(Boolean, bool, "true or false", false, |text: &str| text.parse().ok(), ToString::to_string);

/// Reads a day of exactly ten characters. The crate chrono alone would also accept `1/1/26` and the year `+12345`.
///
/// A day up to the year 1900 is not read. Systems write `0001-01-01` or the first day of 1753 or 1900 for a missing
/// date.
fn day(text: &str, form: &str) -> Option<NaiveDate> {
    let day = (text.len() == 10).then(|| NaiveDate::parse_from_str(text, form).ok()).flatten();
    day.filter(|day| day.year() > 1900 && day.format(form).to_string() == text)
}

/// Reads a whole number in every form that JSON allows for it: `300`, `300.0`, `3e2`.
pub(super) fn whole(text: &str) -> Option<i64> {
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
    // The number of zeros that follow the last digit other than zero.
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
    const WANTED: &'static str = "a whole number within its bounds";
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
            type Error = InvalidValue;
            fn try_from(number: $number) -> Result<Self, InvalidValue> {
                let within = i64::try_from(number).ok().filter(|number| (MIN..=MAX).contains(number));
                within.map(Self::Read).ok_or_else(|| InvalidValue(match (MIN, MAX) {
                    (min, i64::MAX) => format!("the value is less than {min}"),
                    (min, max) => format!("the value is not between {min} and {max}"),
                }))
            }
        }
    )+};
}
whole_numbers!(i32, i64, u16, u32, u64);
