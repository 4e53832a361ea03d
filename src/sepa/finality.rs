//! The periods in which a debtor or a bank can return a collection.

use super::{
    calendar::{Scheme, add_business_days, business_day_on_or_after},
    paris::paris_day,
};
use chrono::{DateTime, Days, Months, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

/// The ways in which a collection can still come back, from the most to none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub enum Stage {
    /// The due date of the collection is still ahead.
    NotDue,
    /// The bank of the debtor can return the debit, and the debtor can have it refunded or contest it.
    Returnable,
    /// The debtor can have the debit refunded without a reason, or contest it. Only in the scheme Core.
    Refundable,
    /// The debtor can contest the debit as unauthorised.
    Contestable,
    /// All periods are over, so the collection cannot come back.
    Final,
}

/// The stage of a collection, and the last day of each period.
///
/// A debtor can act until the end of a day. The money can leave your account some days later, because the banks first
/// settle the return between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Finality {
    /// The present stage of the collection.
    pub stage: Stage,
    /// The day of the debit: the due date, or the next business day.
    pub debited_on: NaiveDate,
    /// The last day on which the bank of the debtor can return the debit. In the scheme Core this is the fifth business
    /// day after the debit, in the scheme B2B the third.
    pub returnable_until: NaiveDate,
    /// The last day for a refund without a reason: eight weeks after the debit. `None` in the scheme B2B.
    pub refundable_until: Option<NaiveDate>,
    /// The last day to contest the debit as unauthorised: thirteen months after the debit.
    pub contestable_until: NaiveDate,
}

/// How final is a collection that was presented and not returned? Days are those of Paris.
///
/// A day that chrono cannot represent counts as its last day, so that nothing is final too early.
///
/// ```
/// use mandat::sepa::{Scheme, Stage, finality};
///
/// let due = "2026-01-15".parse()?;
/// let core = finality(due, Scheme::Core, "2026-01-23T12:00:00Z".parse()?);
/// assert_eq!(core.stage, Stage::Refundable);
/// assert_eq!(core.refundable_until.unwrap().to_string(), "2026-03-12");
/// let b2b = finality(due, Scheme::B2b, "2026-01-23T12:00:00Z".parse()?);
/// assert_eq!((b2b.stage, b2b.refundable_until), (Stage::Contestable, None));
/// # Ok::<(), chrono::ParseError>(())
/// ```
pub fn finality(due: NaiveDate, scheme: Scheme, now: DateTime<Utc>) -> Finality {
    let or_last = |day: Option<NaiveDate>| day.unwrap_or(NaiveDate::MAX);
    let debited_on = or_last(business_day_on_or_after(due));
    let (return_days, refund_weeks) = match scheme {
        Scheme::Core => (5, Some(8)),
        Scheme::B2b => (3, None),
    };
    let returnable_until = or_last(add_business_days(debited_on, return_days));
    let refundable_until = refund_weeks.map(|weeks| or_last(debited_on.checked_add_days(Days::new(weeks * 7))));
    let contestable_until = or_last(debited_on.checked_add_months(Months::new(13)));
    let today = paris_day(now);
    let stage = if today < debited_on {
        Stage::NotDue
    } else if today <= returnable_until {
        Stage::Returnable
    } else if refundable_until.is_some_and(|last| today <= last) {
        Stage::Refundable
    } else if today <= contestable_until {
        Stage::Contestable
    } else {
        Stage::Final
    };
    Finality { stage, debited_on, returnable_until, refundable_until, contestable_until }
}
