//! Computes how long a collection can still be returned, refunded or contested.

use super::{
    calendar::{Scheme, add_business_days, business_day_on_or_after},
    paris::paris_day,
};
use chrono::{DateTime, Days, Months, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

/// The ways in which a collection can still be reversed. Each stage has fewer ways than the stage before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Stage {
    /// The due date of the collection is in the future.
    NotDue,
    /// The bank of the debtor can return the debit. The debtor can claim a refund of the debit, or contest it.
    Returnable,
    /// The debtor can claim a refund of the debit without a reason, or contest the debit. Only the scheme Core has this
    /// stage.
    Refundable,
    /// The debtor can contest the debit as unauthorised.
    Contestable,
    /// All periods are over, so the collection can no longer be reversed.
    Final,
}

/// The stage of a collection, and the last day of each period in which it can be reversed.
///
/// The debtor can act until the end of a day. The money can leave your account some days later, because the banks first
/// settle among themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Finality {
    /// The stage of the collection at the given time.
    pub stage: Stage,
    /// The day of the debit: the due date, or the next business day.
    pub debited_on: NaiveDate,
    /// The last day for a return by the bank of the debtor: the fifth business day after the debit. In the scheme B2B,
    /// it is the third.
    pub returnable_until: NaiveDate,
    /// The last day for a refund without a reason: eight weeks after the debit. `None` in the scheme B2B, which has no
    /// such refund.
    pub refundable_until: Option<NaiveDate>,
    /// The last day on which the debtor can contest the debit as unauthorised: thirteen months after the debit.
    pub contestable_until: NaiveDate,
}

/// Returns how long a collection can still be reversed after it was presented and not returned. Days are days in Paris.
///
/// If chrono cannot represent the end of a period, the period ends on chrono's last day. So the collection does not
/// become final too early.
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
