//! Days and times in the time zone of Paris.

use chrono::{DateTime, NaiveDate, NaiveDateTime, Offset, TimeZone, Utc};
use chrono_tz::Europe::Paris;

/// The day in Paris at an instant. It begins one hour before the same day in UTC, in summer two.
///
/// ```
/// # use mandat::sepa::paris_day;
/// let winter = "2026-01-14T23:30:00Z".parse()?;
/// assert_eq!(paris_day(winter).to_string(), "2026-01-15");
/// # Ok::<(), chrono::ParseError>(())
/// ```
pub fn paris_day(now: DateTime<Utc>) -> NaiveDate {
    paris_time(now).date()
}

/// Returns the day and the time of day in Paris.
pub(crate) fn paris_time(now: DateTime<Utc>) -> NaiveDateTime {
    let utc = now.naive_utc();
    // Only the last hours that chrono can represent have no time in Paris. For these hours, return the time in UTC.
    utc.checked_add_offset(Paris.offset_from_utc_datetime(&utc).fix()).unwrap_or(utc)
}
