//! The SEPA calendar counts days in the time zone of Paris and business days of TARGET, and computes any day, however
//! far away.

use crate::chance;
use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveTime, TimeDelta, Utc, Weekday};
use mandat::sepa::{
    ClosingDay, LeadTimes, Scheme, add_business_days, business_day_on_or_after, business_day_on_or_before,
    closing_days, earliest_due_date, is_business_day, last_presentation, paris_day, pre_notification_day,
};

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// The closing days of TARGET by the long-term calendar of the European Central Bank, with the published days of
/// Easter. <https://www.ecb.europa.eu/press/pr/date/2000/html/pr001214_4.en.html>
const PUBLISHED: [[&str; 6]; 8] = [
    ["2021-01-01", "2021-04-02", "2021-04-05", "2021-05-01", "2021-12-25", "2021-12-26"],
    ["2022-01-01", "2022-04-15", "2022-04-18", "2022-05-01", "2022-12-25", "2022-12-26"],
    ["2023-01-01", "2023-04-07", "2023-04-10", "2023-05-01", "2023-12-25", "2023-12-26"],
    ["2024-01-01", "2024-03-29", "2024-04-01", "2024-05-01", "2024-12-25", "2024-12-26"],
    ["2025-01-01", "2025-04-18", "2025-04-21", "2025-05-01", "2025-12-25", "2025-12-26"],
    ["2026-01-01", "2026-04-03", "2026-04-06", "2026-05-01", "2026-12-25", "2026-12-26"],
    ["2027-01-01", "2027-03-26", "2027-03-29", "2027-05-01", "2027-12-25", "2027-12-26"],
    ["2028-01-01", "2028-04-14", "2028-04-17", "2028-05-01", "2028-12-25", "2028-12-26"],
];

#[test]
fn closing_days_match_the_calendar_of_the_central_bank() {
    for published in PUBLISHED {
        let published = published.map(day);
        let computed: Vec<_> = closing_days(published[0].year()).map(|(day, _)| day).collect();
        assert_eq!(computed, published);
        let year = NaiveDate::from_ymd_opt(published[0].year(), 1, 1)
            .unwrap()
            .iter_days()
            .take_while(|day| day.year() == published[0].year());
        for day in year {
            let weekend = matches!(day.weekday(), Weekday::Sat | Weekday::Sun);
            assert_eq!(is_business_day(day), !weekend && !published.contains(&day), "{day}");
        }
    }
}

#[test]
fn closing_days_are_right_for_the_earliest_and_the_latest_easter() {
    // The earliest possible Easter Sunday is 22 March, and the latest is 25 April.
    for (year, friday) in
        [(1818, "1818-03-20"), (1943, "1943-04-23"), (2000, "2000-04-21"), (2038, "2038-04-23"), (2285, "2285-03-20")]
    {
        let found = closing_days(year).find(|(_, name)| *name == ClosingDay::GoodFriday).unwrap();
        assert_eq!(found.0, day(friday));
    }
}

#[test]
fn business_days_of_any_year_are_counted_without_panic() {
    for year in [i32::MIN, -262_143, -1, 0, 1, 262_142, i32::MAX] {
        let weekdays: Vec<_> = closing_days(year)
            .filter(|(_, name)| *name == ClosingDay::EasterMonday)
            .map(|(day, _)| day.weekday())
            .collect();
        assert!(weekdays.iter().all(|weekday| *weekday == Weekday::Mon));
        assert!(closing_days(year).count() == if year.unsigned_abs() > 262_143 { 0 } else { 6 }, "{year}");
    }
    for end in [NaiveDate::MIN, NaiveDate::MAX] {
        let lead = LeadTimes::default();
        let _ = (
            business_day_on_or_after(end),
            business_day_on_or_before(end),
            last_presentation(end, Scheme::Core, &lead),
        );
        assert_eq!(add_business_days(end, if end == NaiveDate::MIN { i16::MIN } else { i16::MAX }), None);
        let _ = pre_notification_day(end, &lead);
        assert_eq!(add_business_days(end, 0), Some(end));
    }
    assert_eq!(pre_notification_day(NaiveDate::MIN, &LeadTimes::default()), None);
    for now in [DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC] {
        let _ = (paris_day(now), earliest_due_date(now, Scheme::B2b, &LeadTimes::default()));
    }
}

#[test]
fn business_days_are_counted_over_easter_and_christmas() {
    assert_eq!(add_business_days(day("2027-03-25"), 1), Some(day("2027-03-30")));
    assert_eq!(add_business_days(day("2027-03-30"), -1), Some(day("2027-03-25")));
    assert_eq!(add_business_days(day("2026-12-24"), 1), Some(day("2026-12-28")));
    assert_eq!(add_business_days(day("2026-12-26"), 1), Some(day("2026-12-28")));
    assert_eq!(add_business_days(day("2026-12-26"), 0), Some(day("2026-12-26")));
    assert_eq!(business_day_on_or_after(day("2027-03-26")), Some(day("2027-03-30")));
    assert_eq!(business_day_on_or_before(day("2027-03-29")), Some(day("2027-03-25")));
}

#[test]
fn calendar_day_in_paris_begins_before_the_day_in_utc() {
    for (now, wanted) in [
        ("2026-01-14T22:59:59Z", "2026-01-14"),
        ("2026-01-14T23:00:00Z", "2026-01-15"),
        ("2026-07-14T21:59:59Z", "2026-07-14"),
        ("2026-07-14T22:00:00Z", "2026-07-15"),
        // The tests use the first night and the last night of summer time.
        ("2026-03-28T22:59:59Z", "2026-03-28"),
        ("2026-03-29T22:00:00Z", "2026-03-30"),
        ("2026-10-24T22:00:00Z", "2026-10-25"),
        ("2026-10-25T22:59:59Z", "2026-10-25"),
    ] {
        assert_eq!(paris_day(at(now)), day(wanted), "{now}");
    }
}

#[test]
fn earliest_due_date_leaves_time_for_notification_and_presentation() {
    let mut lead = LeadTimes::default();
    let due = |now: &str, lead: &LeadTimes| earliest_due_date(at(now), Scheme::Core, lead).unwrap();
    // The 14 calendar days of notice end on a Saturday.
    assert_eq!(due("2026-11-20T12:00:00Z", &lead), day("2026-12-04"));
    assert_eq!(due("2026-11-21T12:00:00Z", &lead), day("2026-12-07"));
    lead.pre_notification = 0;
    assert_eq!(due("2026-11-20T12:00:00Z", &lead), day("2026-11-23"));
    // A collection that is presented on a Saturday counts as presented on Monday.
    assert_eq!(due("2026-11-21T12:00:00Z", &lead), day("2026-11-24"));
    // This instant is half past midnight in Paris, but still the previous day in UTC.
    assert_eq!(due("2026-11-22T23:30:00Z", &lead), day("2026-11-24"));
    lead.cut_off = NaiveTime::from_hms_opt(11, 0, 0);
    assert_eq!(due("2026-11-20T09:59:59Z", &lead), day("2026-11-23"));
    assert_eq!(due("2026-11-20T10:00:00Z", &lead), day("2026-11-24"));
    lead.b2b = 3;
    assert_eq!(earliest_due_date(at("2026-11-20T09:00:00Z"), Scheme::B2b, &lead), Some(day("2026-11-25")));
    assert_eq!(last_presentation(day("2026-11-25"), Scheme::B2b, &lead), Some(day("2026-11-20")));
    lead.core = 0;
    assert_eq!(last_presentation(day("2026-11-25"), Scheme::Core, &lead), Some(day("2026-11-24")));
    assert_eq!(last_presentation(day("2026-11-28"), Scheme::Core, &lead), Some(day("2026-11-27")));
    assert_eq!(pre_notification_day(day("2026-11-25"), &LeadTimes::default()), Some(day("2026-11-11")));
}

#[test]
fn business_day_rules_hold_for_random_days() {
    let mut random = fastrand::Rng::with_seed(chance::seed());
    for _ in 0..chance::cases(300) {
        let from = NaiveDate::from_num_days_from_ce_opt(random.i32(600_000..900_000)).unwrap();
        let (after, before) = (business_day_on_or_after(from).unwrap(), business_day_on_or_before(from).unwrap());
        assert!(is_business_day(after) && is_business_day(before));
        assert_eq!(after == from, is_business_day(from));
        assert_eq!(before == from, is_business_day(from));
        // The longest closure of TARGET lasts from Good Friday to Easter Monday.
        assert!((after - before).num_days() <= 5, "{from}");
        let count = random.i16(-60..60);
        let there = add_business_days(after, count).unwrap();
        assert_eq!(add_business_days(there, -count), Some(after), "{after} {count}");
        let between = after.min(there).iter_days().take_while(|day| *day < after.max(there));
        assert_eq!(between.filter(|day| is_business_day(*day)).count(), usize::from(count.unsigned_abs()));

        let mut lead = LeadTimes::default();
        (lead.core, lead.pre_notification) = (random.u8(..6), random.u16(..40));
        lead.cut_off = random.bool().then(|| NaiveTime::from_hms_opt(random.u32(..24), 0, 0).unwrap());
        let now = from.and_hms_opt(0, 0, 0).unwrap().and_utc() + TimeDelta::minutes(random.i64(0..1440));
        let due = earliest_due_date(now, Scheme::Core, &lead).unwrap();
        let in_time = |due| {
            last_presentation(due, Scheme::Core, &lead).unwrap() >= paris_day(now)
                && pre_notification_day(due, &lead).unwrap() >= paris_day(now)
        };
        assert!(is_business_day(due) && in_time(due), "{now} {lead:?}");
        let earlier = business_day_on_or_before(due - Days::new(1)).unwrap();
        assert!(!in_time(earlier) || lead.cut_off.is_some(), "{now} {lead:?}");
    }
}
