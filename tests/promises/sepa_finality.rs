//! A collection is final only after the last day on which the debtor or the bank can return it.

use chrono::{DateTime, Days, NaiveDate, Utc};
use mandat::sepa::{Finality, ReasonCode, Representation, Scheme, Stage, finality};

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// Returns noon of a day in UTC.
fn on(day: NaiveDate) -> DateTime<Utc> {
    day.and_hms_opt(12, 0, 0).unwrap().and_utc()
}

/// Returns the stage of a collection on the day `last`, and its stage on the next day.
fn around(due: &str, scheme: Scheme, last: &str) -> (Stage, Stage) {
    let at = |now| finality(day(due), scheme, on(now)).stage;
    (at(day(last)), at(day(last) + Days::new(1)))
}

#[test]
fn each_refund_period_includes_its_last_day() {
    // The due date is the Thursday before Good Friday.
    let (due, core) = ("2027-03-25", Scheme::Core);
    assert_eq!(around(due, core, "2027-03-24"), (Stage::NotDue, Stage::Returnable));
    assert_eq!(around(due, core, "2027-04-05"), (Stage::Returnable, Stage::Refundable));
    assert_eq!(around(due, core, "2027-05-20"), (Stage::Refundable, Stage::Contestable));
    assert_eq!(around(due, core, "2028-04-25"), (Stage::Contestable, Stage::Final));
    let b2b = Scheme::B2b;
    assert_eq!(around(due, b2b, "2027-04-01"), (Stage::Returnable, Stage::Contestable));
    assert_eq!(around(due, b2b, "2028-04-25"), (Stage::Contestable, Stage::Final));
    let Finality { returnable_until, refundable_until, contestable_until, .. } = finality(day(due), b2b, on(day(due)));
    assert_eq!((returnable_until, refundable_until, contestable_until), (day("2027-04-01"), None, day("2028-04-25")));
}

#[test]
fn periods_after_a_due_date_on_a_closing_day_start_on_the_next_business_day() {
    let moved = finality(day("2027-03-26"), Scheme::Core, on(day("2027-03-29")));
    assert_eq!((moved.stage, moved.debited_on), (Stage::NotDue, day("2027-03-30")));
    assert_eq!(moved.contestable_until, day("2028-04-30"));
}

#[test]
fn period_of_thirteen_months_ends_on_the_last_day_of_a_shorter_month() {
    assert_eq!(finality(day("2026-12-31"), Scheme::Core, on(day("2027-01-01"))).contestable_until, day("2028-01-31"));
    assert_eq!(finality(day("2025-01-31"), Scheme::Core, on(day("2027-01-01"))).contestable_until, day("2026-02-28"));
}

#[test]
fn stage_of_a_collection_changes_at_midnight_in_paris() {
    let at = |now: &str| finality(day("2026-01-15"), Scheme::Core, now.parse().unwrap()).stage;
    assert_eq!(at("2026-01-14T22:59:59Z"), Stage::NotDue);
    assert_eq!(at("2026-01-14T23:00:00Z"), Stage::Returnable);
}

#[test]
fn debit_on_the_last_representable_day_is_never_final() {
    for scheme in [Scheme::Core, Scheme::B2b] {
        assert_ne!(finality(NaiveDate::MAX, scheme, DateTime::<Utc>::MAX_UTC).stage, Stage::Final);
        assert_eq!(finality(NaiveDate::MIN, scheme, DateTime::<Utc>::MAX_UTC).stage, Stage::Final);
    }
}

#[test]
fn stored_finality_names_the_scheme_by_its_iso_20022_word() {
    assert_eq!(serde_json::to_value([Scheme::Core, Scheme::B2b]).unwrap(), serde_json::json!(["CORE", "B2B"]));
    let stored = finality(day("2026-01-15"), Scheme::B2b, on(day("2026-01-15")));
    assert_eq!(serde_json::from_value::<Finality>(serde_json::to_value(stored).unwrap()).unwrap(), stored);
}

#[test]
fn reason_codes_of_banks_match_the_snapshot() {
    let other = ReasonCode::from("?");
    let rows = ReasonCode::KNOWN.iter().chain([&other]).map(|reason| {
        format!(
            "{:<5} {:<18} {:<17} {:<13} {} / {}\n",
            reason.as_str(),
            format!("{:?}", reason.mandate_effect()),
            format!("{:?}", reason.representation()),
            format!("{:?}", reason.actor()),
            reason.label(),
            reason.label_fr(),
        )
    });
    let table = rows.collect::<String>();
    insta::with_settings!({prepend_module_to_snapshot => false, omit_expression => true}, {
        insta::assert_snapshot!("reasons", table);
    });
}

#[test]
fn reason_code_is_read_in_any_letter_case_and_an_unknown_code_is_kept() {
    assert_eq!(ReasonCode::from(" am04 "), ReasonCode::AM04);
    for reason in ReasonCode::KNOWN {
        assert_eq!(ReasonCode::from(reason.as_str()), *reason);
        assert_eq!(reason.may_be_presented_automatically(), reason.representation() == Representation::Later);
    }
    let unknown: ReasonCode = serde_json::from_str("\"Jean Dupond\"").unwrap();
    assert_eq!(unknown.as_str(), "Jean Dupond");
    assert_eq!(serde_json::to_string(&unknown).unwrap(), "\"Jean Dupond\"");
    assert_eq!(format!("{unknown:?} {:?}", ReasonCode::MD01), "Other(11 bytes) MD01");
    assert!(!unknown.may_be_presented_automatically());
}
