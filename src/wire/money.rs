//! Amounts of money.

use super::{Format, InvalidValue, Lenient, Sealed, Sent, format, lenient::whole, optional::required};
use std::fmt;

/// An amount of money in **cents**: 1250 is 12.50 euros.
///
/// There is no conversion from a number or a text without a unit. Name the unit with [`from_cents`](Self::from_cents)
/// or [`from_euros`](Self::from_euros).
///
/// ```
/// use mandat::wire::AmountCents;
///
/// assert_eq!(AmountCents::from_euros(12, 50), Some(AmountCents::from_cents(1250)));
/// assert_eq!(AmountCents::from_cents(1250).to_string(), "12.50");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AmountCents(u64);

impl AmountCents {
    /// Makes an amount from a number of cents.
    pub const fn from_cents(cents: u64) -> Self {
        Self(cents)
    }

    /// Makes an amount from euros and cents. Returns `None` if `cents` is 100 or more, or if the amount is too large.
    pub fn from_euros(euros: u64, cents: u8) -> Option<Self> {
        euros.checked_mul(100)?.checked_add(u64::from(cents)).filter(|_| cents < 100).map(Self)
    }

    /// Returns the amount in cents.
    pub const fn cents(self) -> u64 {
        self.0
    }
}

/// `Display` shows the amount in euros with two decimals.
impl fmt::Display for AmountCents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:02}", self.0 / 100, self.0 % 100)
    }
}

impl fmt::Debug for AmountCents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} cents", self.0)
    }
}

/// An amount that is sent as a whole number of cents, in a text of at most `DIGITS` digits.
pub type Cents<const DIGITS: u32 = 18> = Lenient<format::Cents<DIGITS>>;
/// An amount that is sent as a whole number of cents, as a JSON number of at least `MIN`.
pub type CentsNumber<const MIN: u64 = 0> = Lenient<format::CentsNumber<MIN>>;
/// An amount that is sent in euros with decimals, as a text: `3.33`.
///
/// A whole number is kept unread, because it may be an amount in cents; see [`Lenient::unread`].
pub type Euros = Lenient<format::Euros>;

impl<const DIGITS: u32> Format for format::Cents<DIGITS> {
    type Value = AmountCents;
    const WANTED: &'static str = "a whole number of cents";
    fn valid(amount: AmountCents) -> bool {
        10_u64.checked_pow(DIGITS).is_none_or(|too_much| amount.0 < too_much)
    }
    fn read(text: &str) -> Option<AmountCents> {
        text.parse().ok().map(AmountCents)
    }
    fn show(amount: AmountCents) -> String {
        amount.0.to_string()
    }
}

impl<const MIN: u64> Format for format::CentsNumber<MIN> {
    type Value = AmountCents;
    const WANTED: &'static str = "a whole number of cents within its bounds";
    const QUOTED: bool = false;
    fn valid(amount: AmountCents) -> bool {
        amount.0 >= MIN && i64::try_from(amount.0).is_ok()
    }
    fn read(text: &str) -> Option<AmountCents> {
        whole(text)?.try_into().ok().map(AmountCents)
    }
    fn show(amount: AmountCents) -> String {
        amount.0.to_string()
    }
}

impl Format for format::Euros {
    type Value = AmountCents;
    const WANTED: &'static str = "an amount in euros like 3.33";
    /// Reads an amount in euros with decimals. A whole number is not read, because it does not show its unit: `333` may
    /// be 333 cents at a vendor that uses both units.
    fn read(text: &str) -> Option<AmountCents> {
        let (euros, decimals) = text.split_once('.')?;
        let cents = match decimals.as_bytes() {
            [tens @ b'0'..=b'9'] => 10 * (tens - b'0'),
            [tens @ b'0'..=b'9', ones @ b'0'..=b'9'] => 10 * (tens - b'0') + (ones - b'0'),
            _ => return None,
        };
        AmountCents::from_euros(euros.parse().ok()?, cents)
    }
    fn show(amount: AmountCents) -> String {
        amount.to_string()
    }
}

impl<const DIGITS: u32> TryFrom<AmountCents> for Cents<DIGITS> {
    type Error = InvalidValue;
    fn try_from(amount: AmountCents) -> Result<Self, InvalidValue> {
        match format::Cents::<DIGITS>::valid(amount) {
            true => Ok(Self::Read(amount)),
            false => Err(InvalidValue(format!("the amount has more than {DIGITS} digits in cents"))),
        }
    }
}

impl<const MIN: u64> TryFrom<AmountCents> for CentsNumber<MIN> {
    type Error = InvalidValue;
    fn try_from(amount: AmountCents) -> Result<Self, InvalidValue> {
        match format::CentsNumber::<MIN>::valid(amount) {
            true => Ok(Self::Read(amount)),
            false => Err(InvalidValue(format!("it is less than {MIN} cents, or too large"))),
        }
    }
}

impl From<AmountCents> for Euros {
    fn from(amount: AmountCents) -> Self {
        Self::Read(amount)
    }
}

/// An argument for an amount of money: an [`AmountCents`], or an amount from a response. An optional field also takes
/// an `Option` of it.
///
/// ```
/// # #[cfg(feature = "easytransac")] {
/// use mandat::{easytransac::types::InitOpenBankingRequest, wire::AmountCents};
///
/// let _ = InitOpenBankingRequest::builder().amount(AmountCents::from_cents(1250));
/// # }
/// ```
///
/// A bare number does not name its unit, so it does not compile:
///
/// ```compile_fail,E0277
/// use mandat::easytransac::types::InitOpenBankingRequest;
///
/// let _ = InitOpenBankingRequest::builder().amount(1250);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an amount of money",
    label = "for 12.50 euros, write `AmountCents::from_cents(1250)`",
    note = "import `mandat::wire::AmountCents`. `AmountCents::from_euros(12, 50)` returns an `Option`"
)]
pub trait Amount<T> {
    /// Converts and checks the amount. The error names the field `name` and the reason.
    #[doc(hidden)]
    fn amount(self, name: &str, _: Sealed) -> Result<T, String>;
}

#[diagnostic::do_not_recommend]
impl<F: Format> Amount<Lenient<F>> for AmountCents
where
    Lenient<F>: TryFrom<AmountCents, Error: fmt::Display> + Sent,
{
    fn amount(self, name: &str, _: Sealed) -> Result<Lenient<F>, String> {
        required(self, name)
    }
}

#[diagnostic::do_not_recommend]
impl<F: Format<Value = AmountCents>> Amount<Lenient<F>> for Lenient<F> {
    fn amount(self, name: &str, _: Sealed) -> Result<Lenient<F>, String> {
        required(self, name)
    }
}

#[diagnostic::do_not_recommend]
impl<F: Format, A: Amount<Lenient<F>>> Amount<Option<Lenient<F>>> for A {
    fn amount(self, name: &str, sealed: Sealed) -> Result<Option<Lenient<F>>, String> {
        Amount::<Lenient<F>>::amount(self, name, sealed).map(Some)
    }
}

#[diagnostic::do_not_recommend]
impl<F: Format, A: Amount<Lenient<F>>> Amount<Option<Lenient<F>>> for Option<A> {
    fn amount(self, name: &str, sealed: Sealed) -> Result<Option<Lenient<F>>, String> {
        self.map(|amount| Amount::<Lenient<F>>::amount(amount, name, sealed)).transpose()
    }
}
