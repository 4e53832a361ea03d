//! A due date is allowed only if the mandate, the calendar, the bank and the notice to the debtor all allow it.

use crate::{
    support::{day, good_facts, noon},
    verdicts::{any_facts, any_mandate, debit, platform},
};
use chrono::{Datelike, Days, Months, NaiveDate, TimeDelta, Weekday};
use mandat::{
    Collection, Fact, Facts, LastCollection, Reason, Verdict,
    sepa::{LeadTimes, Scheme, is_business_day, paris_day},
};
use proptest::prelude::*;

/// A collection whose debtor was notified two weeks before [`noon`].
fn due(on: &str) -> Collection {
    Collection::new(day(on)).with_notified_on(day("2026-11-06"))
}

fn verdict(collection: impl Into<Collection>) -> Verdict {
    debit().may_collect_on(collection, &good_facts(), noon())
}

#[test]
fn first_business_day_for_which_bank_and_notice_are_in_time_is_allowed() {
    // Noon is on a Friday, so the collection is presented today, and due on Monday.
    assert_eq!(verdict(due("2026-11-23")), Verdict::Allowed);
    assert_eq!(platform().may_collect_on(due("2026-11-23"), &good_facts(), noon()), Verdict::NotApplicable);
}

#[test]
fn yesterday_today_a_sunday_and_christmas_are_refused() {
    let [monday, sunday] = ["2026-11-23", "2026-11-22"].map(day);
    let (earliest, closed) = (Reason::TooSoon { earliest: monday }, |day| Reason::NotBusinessDay { day });
    for (on, reasons) in [
        ("2026-11-19", vec![earliest.clone()]),
        ("2026-11-20", vec![earliest.clone()]),
        ("2026-11-22", vec![closed(sunday), earliest]),
        ("2026-12-25", vec![closed(day("2026-12-25"))]),
    ] {
        // The debtor was notified early enough for all other days.
        let notified = Collection::new(day(on)).with_notified_on(day("2026-11-01"));
        assert_eq!(verdict(notified), Verdict::Refused(reasons), "{on}");
    }
    let said = verdict(due("2026-12-25")).to_string();
    assert_eq!(said, "refused: TARGET is closed on 2026-12-25");
}

#[test]
fn notice_to_the_debtor_has_to_be_known_and_in_time() {
    let monday = day("2026-11-23");
    let missing = Reason::FactMissing { fact: Fact::NotifiedOn };
    assert_eq!(verdict(monday), Verdict::Undetermined(vec![missing.clone()]));
    assert_eq!(verdict(day("2027-11-22")), Verdict::Undetermined(vec![missing]));

    // Notified on 10 November, so the first day is 24 November.
    let late = Collection::new(monday).with_notified_on(day("2026-11-10"));
    assert_eq!(verdict(late), Verdict::Refused(vec![Reason::NotifiedTooLate { earliest: day("2026-11-24") }]));
    // The notice ends on a Sunday.
    let late = Collection::new(day("2026-11-27")).with_notified_on(day("2026-11-15"));
    assert_eq!(verdict(late), Verdict::Refused(vec![Reason::NotifiedTooLate { earliest: day("2026-11-30") }]));

    let mut agreed = LeadTimes::default();
    agreed.pre_notification = 5;
    assert_eq!(verdict(late.with_lead(agreed)), Verdict::Allowed);
    agreed.pre_notification = 0;
    assert_eq!(verdict(Collection::new(monday).with_lead(agreed)), Verdict::Allowed);

    // Notified in time to the day: two weeks before, today, and on the earliest possible day.
    for (on, notified) in [("2026-11-24", "2026-11-10"), ("2026-12-04", "2026-11-20"), ("2026-11-23", "1970-01-01")] {
        assert_eq!(verdict(Collection::new(day(on)).with_notified_on(day(notified))), Verdict::Allowed, "{notified}");
    }

    for impossible in ["2026-11-21", "0026-11-06", "1969-12-31"] {
        let collection = Collection::new(day("2026-12-28")).with_notified_on(day(impossible));
        let reason = Reason::FactImpossible { fact: Fact::NotifiedOn };
        assert_eq!(verdict(collection), Verdict::Refused(vec![reason]));
    }
}

#[test]
fn unknown_scheme_counts_as_the_slower_one() {
    let mut lead = LeadTimes::default();
    lead.b2b = 3;
    let monday = due("2026-11-23").with_lead(lead);
    let refused = Verdict::Refused(vec![Reason::TooSoon { earliest: day("2026-11-25") }]);
    assert_eq!(verdict(monday.with_scheme(Scheme::Core)), Verdict::Allowed);
    assert_eq!(verdict(monday.with_scheme(Scheme::B2b)), refused);
    assert_eq!(verdict(monday), refused);
    lead.cut_off = "11:00:00".parse().ok();
    assert!(!verdict(monday.with_scheme(Scheme::Core).with_lead(lead)).is_allowed());
}

#[test]
fn mandate_that_is_dormant_by_the_due_date_is_refused() {
    // Signed on 10 May 2023 and never used: dormant from 11 May 2026.
    let now = "2026-05-09T10:00:00Z".parse().unwrap();
    let facts = |last_collection| Facts { signed_on: Some(day("2023-05-10")), last_collection, ..good_facts() };
    let mut mandate = debit();
    mandate.observed_at = now;
    let on = |due: &str, facts: &Facts| {
        mandate.may_collect_on(Collection::new(day(due)).with_notified_on(day("2026-04-20")), facts, now)
    };
    let never = facts(LastCollection::Never);
    assert_eq!(mandate.may_collect(&never, now), Verdict::Allowed);
    let since = day("2023-05-10");
    assert_eq!(on("2026-05-25", &never), Verdict::Refused(vec![Reason::Dormant { since }]));
    let missing = Reason::FactMissing { fact: Fact::LastCollection };
    assert_eq!(on("2026-05-25", &facts(LastCollection::NotKnown)), Verdict::Undetermined(vec![missing]));
    assert_eq!(on("2026-05-25", &facts(LastCollection::On(day("2023-06-10")))), Verdict::Allowed);
}

#[test]
fn mandate_has_to_be_in_force_for_the_whole_due_date() {
    for (ends, allowed) in [
        // Midnight in Paris after Monday, a second before, and noon on Monday.
        ("2026-11-23T23:00:00Z", true),
        ("2026-11-23T22:59:59Z", false),
        ("2026-11-23T11:00:00Z", false),
        ("2026-11-20T12:00:01Z", false),
    ] {
        let mut mandate = debit();
        mandate.ends = Some(ends.parse::<chrono::DateTime<chrono::Utc>>().unwrap().into());
        assert_eq!(mandate.may_collect(&good_facts(), noon()), Verdict::Allowed);
        let verdict = mandate.may_collect_on(due("2026-11-23"), &good_facts(), noon());
        let ends = ends.parse().unwrap();
        let expected = if allowed { Verdict::Allowed } else { Verdict::Refused(vec![Reason::AfterEnd { ends }]) };
        assert_eq!(verdict, expected, "{ends}");
    }
}

#[test]
fn reasons_of_today_hold_for_each_due_date() {
    let mut mandate = debit();
    // A mandate that ends now is not in force, and the verdict says so once.
    mandate.ends = Some(noon().into());
    let now = Verdict::Refused(vec![Reason::AfterEnd { ends: noon() }]);
    assert_eq!(mandate.may_collect_on(due("2026-11-23"), &good_facts(), noon()), now);

    mandate.ends = Some((noon() - TimeDelta::hours(1)).into());
    let facts = Facts { revoked_by_debtor: Some(true), ..good_facts() };
    let said = mandate.may_collect_on(due("2026-11-23"), &facts, noon()).to_string();
    assert_eq!(
        said,
        "refused: after its end, 2026-11-20T11:00:00Z; the debtor has revoked the mandate by a message to you"
    );
}

prop_compose! {
    fn any_collection()(
        in_days in prop_oneof![-10_i64..60, -3000_i64..3000],
        notified in proptest::option::of(prop_oneof![-40_i64..2, -800_000_i64..3000]),
        scheme in proptest::option::of(proptest::sample::select(vec![Scheme::Core, Scheme::B2b])),
        core in 0_u8..4,
        b2b in 0_u8..4,
        pre_notification in prop_oneof![Just(0_u16), Just(14), 0_u16..30],
        cut_off in proptest::option::of(0_u32..86_400),
    ) -> Collection {
        let around = |days| noon().date_naive() + TimeDelta::days(days);
        let mut lead = LeadTimes::default();
        (lead.core, lead.b2b, lead.pre_notification) = (core, b2b, pre_notification);
        lead.cut_off = cut_off.and_then(|s| chrono::NaiveTime::from_num_seconds_from_midnight_opt(s, 0));
        let mut collection = Collection::new(around(in_days)).with_lead(lead);
        (collection.notified_on, collection.scheme) = (notified.map(around), scheme);
        collection
    }
}

/// Counts business days one by one, without the functions that the verdict uses.
fn business_days_between(from: NaiveDate, to: NaiveDate) -> usize {
    from.iter_days().skip(1).take_while(|day| *day <= to).filter(|day| is_business_day(*day)).count()
}

proptest! {
    #[test]
    fn no_due_date_allows_more_than_today(mandate in any_mandate(), facts in any_facts(), collection in any_collection()) {
        let today = mandate.may_collect(&facts, noon());
        let then = mandate.may_collect_on(collection, &facts, noon());
        prop_assert!(today.is_allowed() || !then.is_allowed(), "{today}; {then}");
        // Each reason that refuses a collection today also refuses the collection on the due date.
        for reason in today.reasons().iter().filter(|reason| reason.refuses()) {
            prop_assert!(then.reasons().contains(reason), "{reason} is not in {then}");
        }
        prop_assert_eq!(today == Verdict::NotApplicable, then == Verdict::NotApplicable);
    }

    #[test]
    fn fact_that_is_removed_never_permits_more(facts in any_facts(), collection in any_collection(), which in 0..7) {
        let (mut less, mut planned) = (facts.clone(), collection);
        match which {
            0 => less.signed_on = None,
            1 => less.signature_confirmed = None,
            2 => less.last_collection = LastCollection::NotKnown,
            3 => less.revoked_by_debtor = None,
            4 => less.one_off_used = None,
            5 => planned.notified_on = None,
            _ => planned.scheme = None,
        }
        let full = debit().may_collect_on(collection, &facts, noon());
        // An impossible or contradictory fact counts against the use. Without it, the verdict may allow more, so skip
        // it.
        let sound = |reason: &Reason| !matches!(reason, Reason::FactImpossible { .. } | Reason::FactsContradict { .. });
        if full.reasons().iter().all(sound) {
            let fewer = debit().may_collect_on(planned, &less, noon());
            prop_assert!(full.is_allowed() || !fewer.is_allowed(), "{full}; {planned:?}; {less:?}");
        }
    }

    #[test]
    fn allowed_due_date_keeps_every_rule(facts in any_facts(), collection in any_collection()) {
        let Collection { due, scheme, lead, notified_on, .. } = collection;
        let now = noon();
        if debit().may_collect_on(collection, &facts, now).is_allowed() {
            prop_assert!(!matches!(due.weekday(), Weekday::Sat | Weekday::Sun) && is_business_day(due));
            let days = match scheme { Some(Scheme::Core) => lead.core, Some(Scheme::B2b) => lead.b2b, None => lead.core.max(lead.b2b) };
            prop_assert!(business_days_between(paris_day(now), due) >= usize::from(days.max(1)));
            if lead.pre_notification > 0 {
                prop_assert!(notified_on.unwrap() + Days::new(lead.pre_notification.into()) <= due);
            }
            let alive = |day: NaiveDate| due <= day + Months::new(36);
            match facts.last_collection {
                LastCollection::On(day) => prop_assert!(alive(day)),
                LastCollection::NotKnown | LastCollection::Never => prop_assert!(alive(facts.signed_on.unwrap())),
            }
        }
    }

    #[test]
    fn extreme_due_dates_do_not_panic(due in any::<i32>(), notified in any::<i32>(), notice in any::<u16>(), core in any::<u8>()) {
        let at = |days| NaiveDate::from_num_days_from_ce_opt(days).unwrap_or(NaiveDate::MAX);
        let mut lead = LeadTimes::default();
        (lead.pre_notification, lead.core) = (notice, core);
        for due in [at(due), NaiveDate::MIN, NaiveDate::MAX] {
            let collection = Collection::new(due).with_notified_on(at(notified)).with_lead(lead);
            for now in [noon(), chrono::DateTime::<chrono::Utc>::MIN_UTC, chrono::DateTime::<chrono::Utc>::MAX_UTC] {
                let verdict = debit().may_collect_on(collection, &good_facts(), now);
                prop_assert!(!verdict.is_allowed() || is_business_day(due));
            }
        }
    }
}
