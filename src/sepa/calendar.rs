//! The business days of TARGET, on which banks settle direct debits, and the days around a due date.

use super::paris::paris_time;
use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveTime, Utc, Weekday};
use serde::{Deserialize, Serialize};

/// A day on which TARGET is closed, apart from weekends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ClosingDay {
    /// 1 January.
    NewYear,
    /// The Friday before Easter.
    GoodFriday,
    /// The Monday after Easter.
    EasterMonday,
    /// 1 May.
    LabourDay,
    /// 25 December.
    Christmas,
    /// 26 December.
    BoxingDay,
}

impl std::fmt::Display for ClosingDay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::NewYear => "New Year's Day",
            Self::GoodFriday => "Good Friday",
            Self::EasterMonday => "Easter Monday",
            Self::LabourDay => "Labour Day",
            Self::Christmas => "Christmas Day",
            Self::BoxingDay => "26 December",
        })
    }
}

/// Returns the days of a year on which TARGET is closed, apart from weekends, in their order. Some of these days can be
/// on a weekend.
///
/// The European Central Bank has used this list [since 2002][list]. The list is empty for a year that chrono cannot
/// represent.
///
/// [list]: https://www.ecb.europa.eu/press/pr/date/2000/html/pr001214_4.en.html
pub fn closing_days(year: i32) -> impl Iterator<Item = (NaiveDate, ClosingDay)> {
    let fixed = |month, day| NaiveDate::from_ymd_opt(year, month, day);
    let days = [
        (fixed(1, 1), ClosingDay::NewYear),
        (easter(year).and_then(|day| day.checked_sub_days(Days::new(2))), ClosingDay::GoodFriday),
        (easter(year).and_then(|day| day.succ_opt()), ClosingDay::EasterMonday),
        (fixed(5, 1), ClosingDay::LabourDay),
        (fixed(12, 25), ClosingDay::Christmas),
        (fixed(12, 26), ClosingDay::BoxingDay),
    ];
    // The list is in order, because Easter Monday is before 1 May: its latest date is 26 April.
    days.into_iter().filter_map(|(day, name)| Some((day?, name)))
}

/// Returns Easter Sunday of the Gregorian calendar (algorithm of Meeus, Jones and Butcher).
fn easter(year: i32) -> Option<NaiveDate> {
    let (golden, century, rest) = (year.rem_euclid(19), year.div_euclid(100), year.rem_euclid(100));
    let shift = (century + 8).div_euclid(25);
    let moon =
        (19 * golden + century - century.div_euclid(4) - (century - shift + 1).div_euclid(3) + 15).rem_euclid(30);
    let sunday = (32 + 2 * century.rem_euclid(4) + 2 * (rest / 4) - moon - rest % 4).rem_euclid(7);
    let late = (golden + 11 * moon + 22 * sunday) / 451;
    let days = moon + sunday - 7 * late + 114;
    NaiveDate::from_ymd_opt(year, u32::try_from(days / 31).ok()?, u32::try_from(days % 31 + 1).ok()?)
}

/// Returns true if TARGET is open on this day.
pub fn is_business_day(day: NaiveDate) -> bool {
    !matches!(day.weekday(), Weekday::Sat | Weekday::Sun) && closing_days(day.year()).all(|(closed, _)| closed != day)
}

/// Returns the day itself if it is a business day, or else the next business day. `None` if chrono cannot represent the
/// result.
pub fn business_day_on_or_after(day: NaiveDate) -> Option<NaiveDate> {
    std::iter::successors(Some(day), NaiveDate::succ_opt).find(|day| is_business_day(*day))
}

/// Returns the day itself if it is a business day, or else the last business day before it. `None` if chrono cannot
/// represent the result.
pub fn business_day_on_or_before(day: NaiveDate) -> Option<NaiveDate> {
    std::iter::successors(Some(day), NaiveDate::pred_opt).find(|day| is_business_day(*day))
}

/// Returns the `count`th business day after a day, or before the day if `count` is negative. Zero gives the day itself,
/// even if TARGET is closed. `None` if chrono cannot represent the result.
pub fn add_business_days(day: NaiveDate, count: i16) -> Option<NaiveDate> {
    (0..count.unsigned_abs()).try_fold(day, |day, _| match count > 0 {
        true => business_day_on_or_after(day.succ_opt()?),
        false => business_day_on_or_before(day.pred_opt()?),
    })
}

/// A scheme of SEPA direct debit. Serde writes the words of ISO 20022.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Scheme {
    /// The scheme for any debtor. The debtor can have an authorised debit refunded for eight weeks.
    #[serde(rename = "CORE")]
    Core,
    /// The scheme for debits between companies. The bank of the debtor checks the mandate in advance, and an authorised
    /// debit is not refunded.
    #[serde(rename = "B2B")]
    B2b,
}

/// The time that a collection needs before its due date. [`LeadTimes::default`] has the minimum values of the
/// rulebooks.
///
/// Your bank or your vendor can need more time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct LeadTimes {
    /// The business days between the last presentation and the due date in the scheme Core. Zero counts as one.
    pub core: u8,
    /// The business days between the last presentation and the due date in the scheme B2B. Zero counts as one.
    pub b2b: u8,
    /// The time in Paris from which a presentation counts as one of the next day. `None` stands for midnight.
    pub cut_off: Option<NaiveTime>,
    /// The calendar days between the pre-notification of the debtor and the due date. The number is 14, unless you
    /// agreed on another number with the debtor. Set the number to zero if you have notified the debtor in time.
    pub pre_notification: u16,
}

impl Default for LeadTimes {
    fn default() -> Self {
        Self { core: 1, b2b: 1, cut_off: None, pre_notification: 14 }
    }
}

impl LeadTimes {
    fn presentation(&self, scheme: Scheme) -> i16 {
        let days = match scheme {
            Scheme::Core => self.core,
            Scheme::B2b => self.b2b,
        };
        i16::from(days.max(1))
    }
}

/// The first due date of a collection whose debtor you notify now. It is a business day, and both the pre-notification
/// and the presentation are still in time. `None` if chrono cannot represent that day.
///
/// ```
/// use mandat::sepa::{LeadTimes, Scheme, earliest_due_date};
///
/// let now = "2027-03-25T12:00:00Z".parse()?; // the Thursday before Easter
/// let mut lead = LeadTimes::default();
/// assert_eq!(earliest_due_date(now, Scheme::Core, &lead).unwrap().to_string(), "2027-04-08");
/// lead.pre_notification = 0;
/// assert_eq!(earliest_due_date(now, Scheme::Core, &lead).unwrap().to_string(), "2027-03-30");
/// # Ok::<(), chrono::ParseError>(())
/// ```
pub fn earliest_due_date(now: DateTime<Utc>, scheme: Scheme, lead: &LeadTimes) -> Option<NaiveDate> {
    let now = paris_time(now);
    let late = lead.cut_off.is_some_and(|cut_off| now.time() >= cut_off);
    let presented = if late { now.date().succ_opt()? } else { now.date() };
    let presented = business_day_on_or_after(presented)?;
    let settled = add_business_days(presented, lead.presentation(scheme))?;
    let notified = now.date().checked_add_days(Days::new(lead.pre_notification.into()))?;
    business_day_on_or_after(settled.max(notified))
}

/// Returns the last day on which a collection can be presented, before [`LeadTimes::cut_off`] if it is set. `None` if
/// chrono cannot represent the result.
///
/// A due date on a closing day moves to the next business day.
pub fn last_presentation(due: NaiveDate, scheme: Scheme, lead: &LeadTimes) -> Option<NaiveDate> {
    add_business_days(business_day_on_or_after(due)?, -lead.presentation(scheme))
}

/// Returns the last day on which you can notify the debtor in advance. `None` if chrono cannot represent the result.
///
/// The days are counted from the due date that you announce, even if that is a closing day.
pub fn pre_notification_day(due: NaiveDate, lead: &LeadTimes) -> Option<NaiveDate> {
    due.checked_sub_days(Days::new(lead.pre_notification.into()))
}
