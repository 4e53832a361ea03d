//! A caller may use a mandate only if it is known to be in force. A verdict with less information never allows more.

use crate::support::{day, good_facts, noon};
use chrono::{Months, NaiveDate, TimeDelta, Utc};
use mandat::{
    Account, AccountStatus, Evidence, Fact, Facts, LastCollection, Mandate, MandateRef, MandateStatus, Permission,
    Reason, Source, StoredState, Verdict, wire,
};
use proptest::prelude::*;
use serde_json::json;
use std::time::Duration;

/// Returns a mandate in force, which was read one minute before [`noon`].
fn in_force(reference: &MandateRef, account: Account) -> Mandate {
    serde_json::from_value(json!({
        "reference": reference,
        "status": "Active",
        "raw": "active",
        "account": account,
        "observed_at": noon() - TimeDelta::minutes(1),
        "source": "Read",
        "extra": {},
        "next_step": "Use",
    }))
    .unwrap()
}

pub fn debit() -> Mandate {
    in_force(&MandateRef::safedebit("RUM-1"), Account::NotApplicable)
}

pub fn platform() -> Mandate {
    let account = json!({"Read": {"status": "Active", "raw": "active"}});
    in_force(&MandateRef::seqino("client_abc123", "mdt_abc123"), serde_json::from_value(account).unwrap())
}

fn unreadable() -> wire::DateTime {
    serde_json::from_value(json!("some day")).unwrap()
}

/// Returns the reasons of a verdict as text.
fn reasons(verdict: &Verdict) -> Vec<String> {
    verdict.reasons().iter().map(ToString::to_string).collect()
}

#[test]
fn mandate_in_force_may_be_used_only_for_its_own_purpose() {
    assert_eq!(debit().may_collect(&good_facts(), noon()), Verdict::Allowed);
    assert_eq!(debit().may_represent(None, noon()), Verdict::NotApplicable);
    assert_eq!(platform().may_represent(None, noon()), Verdict::Allowed);
    assert_eq!(platform().may_collect(&good_facts(), noon()), Verdict::NotApplicable);
}

#[test]
fn verdict_lists_every_reason_against_the_use() {
    let mut mandate = debit();
    mandate.status = MandateStatus::AwaitingActivation;
    mandate.source = Source::Created;
    mandate.observed_at = noon() - TimeDelta::hours(2);
    let facts = Facts {
        revoked_by_debtor: Some(true),
        one_off_used: Some(true),
        signed_on: Some(day("2020-01-10")),
        last_collection: LastCollection::On(day("2020-02-10")),
        ..good_facts()
    };
    let verdict = mandate.may_collect(&facts, noon());
    assert!(matches!(verdict, Verdict::Refused(_)));
    assert_eq!(
        verdict.to_string(),
        "refused: not active: AwaitingActivation (active); the mandate was created, but not read since; read \
         7200 s ago, too old; the debtor has revoked the mandate by a message to you; one-off mandate already used; \
         dormant: no collection for 36 months since 2020-02-10"
    );
}

#[test]
fn verdict_on_a_created_mandate_is_undetermined_until_it_is_read() {
    let mut mandate = debit();
    mandate.source = Source::Created;
    assert_eq!(mandate.may_collect(&good_facts(), noon()), Verdict::Undetermined(vec![Reason::NotReadBack]));
    let mut mandate = platform();
    mandate.source = Source::Created;
    assert_eq!(mandate.may_represent(None, noon()), Verdict::Undetermined(vec![Reason::NotReadBack]));
}

#[test]
fn reading_up_to_ten_minutes_in_the_future_is_accepted() {
    for (minutes, believed) in [(9, true), (11, false)] {
        let observed_at = noon() + TimeDelta::minutes(minutes);
        let expected = match believed {
            true => Verdict::Allowed,
            false => Verdict::Undetermined(vec![Reason::ReadAhead { observed_at }]),
        };
        let (mut debit, mut platform) = (debit(), platform());
        (debit.observed_at, platform.observed_at) = (observed_at, observed_at);
        assert_eq!(debit.may_collect(&good_facts(), noon()), expected, "{minutes}");
        assert_eq!(platform.may_represent(None, noon()), expected, "{minutes}");
    }
}

#[test]
fn mandate_signed_tomorrow_is_refused_today() {
    let [today, tomorrow] =
        ["2026-11-20", "2026-11-21"].map(|signed_on| Facts { signed_on: Some(day(signed_on)), ..good_facts() });
    assert_eq!(debit().may_collect(&today, noon()), Verdict::Allowed);
    let refused = Verdict::Refused(vec![
        Reason::NotYetSigned { signed_on: day("2026-11-21") },
        Reason::FactsContradict { first: Fact::SignedOn, second: Fact::SignatureConfirmed },
    ]);
    assert_eq!(debit().may_collect(&tomorrow, noon()), refused);
}

#[test]
fn verdict_counts_days_from_midnight_in_paris() {
    let (signed_on, last_collection) = (Some(day("2026-11-21")), LastCollection::On(day("2026-11-21")));
    for facts in [Facts { signed_on, ..good_facts() }, Facts { last_collection, ..good_facts() }] {
        for (now, allowed) in [("2026-11-20T22:59:59Z", false), ("2026-11-20T23:30:00Z", true)] {
            let now = now.parse().unwrap();
            let mut mandate = debit();
            mandate.observed_at = now;
            assert_eq!(mandate.may_collect(&facts, now).is_allowed(), allowed, "{now}");
        }
    }
}

#[test]
fn mandate_becomes_dormant_after_the_last_day_of_36_months() {
    for (signed_on, last_collection, last_day) in [
        ("2023-11-20", None, "2026-11-20"),
        ("2020-01-01", Some("2023-11-20"), "2026-11-20"),
        ("2024-02-29", None, "2027-02-28"),
        ("2021-02-28", None, "2024-02-28"),
    ] {
        let facts = Facts {
            signed_on: Some(day(signed_on)),
            last_collection: last_collection.map_or(LastCollection::Never, |on| LastCollection::On(day(on))),
            ..good_facts()
        };
        // The instant is the last second of the day in Paris, in winter time.
        let at = |date: &str| day(date).and_hms_opt(22, 59, 59).unwrap().and_utc();
        let mut mandate = debit();
        mandate.observed_at = at(last_day);
        assert_eq!(mandate.may_collect(&facts, at(last_day)), Verdict::Allowed, "{signed_on} on {last_day}");
        let next_day = at(last_day) + TimeDelta::seconds(1);
        mandate.observed_at = next_day;
        let since = day(last_collection.unwrap_or(signed_on));
        assert_eq!(mandate.may_collect(&facts, next_day), Verdict::Refused(vec![Reason::Dormant { since }]));
    }
}

#[test]
fn reinstated_mandate_needs_acknowledgement_before_collection() {
    for from in [MandateStatus::Revoked, MandateStatus::Expired, MandateStatus::Invalid, MandateStatus::Gone] {
        let facts = Facts { last_acknowledged: Some(from), ..good_facts() };
        assert_eq!(debit().may_collect(&facts, noon()), Verdict::Undetermined(vec![Reason::Reinstated { from }]));
    }
    let facts = Facts { last_acknowledged: Some(MandateStatus::Active), ..good_facts() };
    assert_eq!(debit().may_collect(&facts, noon()), Verdict::Allowed);
}

#[test]
fn reinstated_mandate_needs_acknowledgement_before_representation() {
    let raw = || mandat::RawStatus::new("active");
    for from in [MandateStatus::Expired, MandateStatus::Invalid, MandateStatus::Gone, MandateStatus::Unrecognized] {
        let verdict = platform().may_represent(Some(from), noon());
        assert_eq!(verdict, Verdict::Undetermined(vec![Reason::Reinstated { from }]));
    }
    assert_eq!(platform().may_represent(Some(MandateStatus::Active), noon()), Verdict::Allowed);
    let stored = StoredState::new(MandateStatus::Expired, raw(), noon());
    let known = StoredState::of(&platform(), Some(&stored), None, noon());
    assert_eq!(known.verdict, Some(Permission::Undetermined));
}

#[test]
fn verdict_is_undetermined_and_names_a_single_missing_fact() {
    let good = good_facts();
    for (facts, fact) in [
        (Facts { signed_on: None, ..good.clone() }, Fact::SignedOn),
        (Facts { signature_confirmed: None, ..good.clone() }, Fact::SignatureConfirmed),
        (Facts { revoked_by_debtor: None, ..good.clone() }, Fact::RevokedByDebtor),
        (Facts { one_off_used: None, ..good.clone() }, Fact::OneOffUsed),
    ] {
        let verdict = debit().may_collect(&facts, noon());
        assert_eq!(verdict, Verdict::Undetermined(vec![Reason::FactMissing { fact }]));
        assert_eq!(verdict.to_string(), format!("undetermined: {fact} not known"));
    }
}

#[test]
fn verdict_names_each_missing_fact() {
    let facts = Facts {
        signed_on: None,
        signature_confirmed: None,
        last_collection: LastCollection::NotKnown,
        revoked_by_debtor: None,
        one_off_used: None,
        max_age: Duration::from_secs(3600),
        last_acknowledged: None,
    };
    let verdict = debit().may_collect(&facts, noon());
    assert_eq!(
        verdict.to_string(),
        "undetermined: signature_confirmed not known; signed_on not known; revoked_by_debtor not known; one_off_used \
         not known; last_collection not known"
    );
}

#[test]
fn unknown_last_collection_is_a_reason_only_36_months_after_the_signature() {
    let facts = |signed_on: &str| Facts {
        signed_on: Some(day(signed_on)),
        last_collection: LastCollection::NotKnown,
        ..good_facts()
    };
    assert_eq!(debit().may_collect(&facts("2023-11-20"), noon()), Verdict::Allowed);
    assert_eq!(
        debit().may_collect(&facts("2023-11-19"), noon()),
        Verdict::Undetermined(vec![Reason::FactMissing { fact: Fact::LastCollection }])
    );
}

#[test]
fn dormancy_counts_from_the_later_of_signature_and_last_collection() {
    let facts = |signed_on: &str, collected: &str| Facts {
        signed_on: Some(day(signed_on)),
        last_collection: LastCollection::On(day(collected)),
        ..good_facts()
    };
    assert_eq!(debit().may_collect(&facts("2015-01-01", "2026-01-01"), noon()), Verdict::Allowed);
    let since = day("2021-05-01");
    assert_eq!(
        debit().may_collect(&facts("2015-01-01", "2021-05-01"), noon()),
        Verdict::Refused(vec![Reason::Dormant { since }])
    );
    // The signature is recent, so one of the two days must be wrong. The verdict must not report the mandate as dormant
    // since 2021.
    assert_eq!(
        debit().may_collect(&facts("2026-01-01", "2021-05-01"), noon()),
        Verdict::Undetermined(vec![Reason::FactsContradict { first: Fact::SignedOn, second: Fact::LastCollection }])
    );
}

#[test]
fn used_one_off_mandate_without_a_collection_is_a_contradiction() {
    let facts = Facts { one_off_used: Some(true), last_collection: LastCollection::Never, ..good_facts() };
    let named = Reason::FactsContradict { first: Fact::LastCollection, second: Fact::OneOffUsed };
    assert_eq!(debit().may_collect(&facts, noon()), Verdict::Refused(vec![Reason::OneOffUsed, named]));
}

#[test]
fn verdict_is_refused_if_a_fact_has_an_impossible_day() {
    let tomorrow = noon().date_naive() + TimeDelta::days(1);
    let far = [NaiveDate::MAX, NaiveDate::MIN, day("2030-01-01"), day("0026-09-01"), day("1969-12-31"), tomorrow];
    for collected in far {
        let facts = Facts { last_collection: LastCollection::On(collected), ..good_facts() };
        let verdict = debit().may_collect(&facts, noon());
        assert!(matches!(verdict, Verdict::Refused(_)), "{collected}: {verdict}");
        let impossible = Reason::FactImpossible { fact: Fact::LastCollection };
        assert!(verdict.reasons().contains(&impossible), "{collected}: {verdict}");
    }
    for signed_on in [day("0026-09-01"), day("1969-12-31"), NaiveDate::MIN] {
        let verdict = debit().may_collect(&Facts { signed_on: Some(signed_on), ..good_facts() }, noon());
        assert!(verdict.reasons().contains(&Reason::FactImpossible { fact: Fact::SignedOn }), "{signed_on}");
        assert!(matches!(verdict, Verdict::Refused(_)), "{signed_on}: {verdict}");
    }
    let epoch = day("1970-01-01");
    let facts = Facts { signed_on: Some(epoch), last_collection: LastCollection::On(epoch), ..good_facts() };
    assert_eq!(debit().may_collect(&facts, noon()), Verdict::Refused(vec![Reason::Dormant { since: epoch }]));
}

#[test]
fn active_mandate_needs_a_confirmed_signature_unless_documented_as_signed() {
    let with = |evidence, signature_confirmed| {
        let facts = Facts { signature_confirmed, ..good_facts() };
        let mut mandate = debit();
        mandate.evidence = evidence;
        mandate.may_collect(&facts, noon())
    };
    for confirmed in [None, Some(false), Some(true)] {
        assert_eq!(with(Evidence::Documented, confirmed), Verdict::Allowed);
    }
    for evidence in [Evidence::WordDocumented, Evidence::Inferred] {
        assert_eq!(with(evidence, Some(true)), Verdict::Allowed);
        assert_eq!(with(evidence, Some(false)), Verdict::Undetermined(vec![Reason::SignatureNotConfirmed]));
        let missing = Reason::FactMissing { fact: Fact::SignatureConfirmed };
        assert_eq!(with(evidence, None), Verdict::Undetermined(vec![missing]));
    }
}

#[test]
fn no_vendor_documents_that_active_mandates_are_signed() {
    for row in mandat::vocabulary() {
        assert!(row.status != MandateStatus::Active || row.evidence != Evidence::Documented, "{row:?}");
    }
}

#[test]
fn stored_mandate_without_an_evidence_mark_counts_as_inferred() {
    // A mandate that an earlier version stored has no field for the evidence.
    assert_eq!(debit().evidence, Evidence::Inferred);
}

#[test]
fn mandate_is_allowed_from_its_start_and_refused_from_its_end() {
    let mut mandate = platform();
    mandate.starts = Some(noon().into());
    mandate.ends = Some((noon() + TimeDelta::seconds(1)).into());
    assert_eq!(mandate.may_represent(None, noon()), Verdict::Allowed);
    assert_eq!(
        reasons(&mandate.may_represent(None, noon() - TimeDelta::seconds(1))),
        ["before its start, 2026-11-20T12:00:00Z"]
    );
    assert_eq!(
        reasons(&mandate.may_represent(None, noon() + TimeDelta::seconds(1))),
        ["after its end, 2026-11-20T12:00:01Z"]
    );
    mandate.ends = Some(unreadable());
    assert_eq!(
        mandate.may_represent(None, noon()),
        Verdict::Undetermined(vec![Reason::DateUnreadable { which: mandat::DateField::End }])
    );
}

#[test]
fn mandate_of_an_inactive_client_is_not_allowed() {
    let account = |status: &str| serde_json::from_value(json!({"Read": {"status": status, "raw": "word"}})).unwrap();
    for (account, shown, refuses) in [
        (account("Inactive"), "client not active: Inactive (word)", true),
        (account("Pending"), "client not active: Pending (word)", true),
        (account("Suspended"), "client not active: Suspended (word)", true),
        (account("Unrecognized"), "client status unrecognized (word)", false),
        (Account::NotRead, "the state of the client could not be read", false),
        (Account::Differs, "the mandate belongs to another client than its reference says", false),
    ] {
        let mut mandate = platform();
        mandate.account = account;
        let verdict = mandate.may_represent(None, noon());
        assert_eq!(reasons(&verdict), [shown]);
        assert_eq!(matches!(verdict, Verdict::Refused(_)), refuses, "{shown}");
    }
}

fn any_status() -> impl Strategy<Value = MandateStatus> {
    proptest::sample::select(MandateStatus::ALL)
}

fn any_date() -> impl Strategy<Value = Option<wire::DateTime>> {
    prop_oneof![
        Just(None),
        Just(Some(unreadable())),
        (-100_i64..100).prop_map(|hours| Some((noon() + TimeDelta::hours(hours)).into())),
    ]
}

fn any_account() -> impl Strategy<Value = Account> {
    let read = proptest::sample::select(AccountStatus::ALL)
        .prop_map(|status| serde_json::from_value(json!({"Read": {"status": status, "raw": "word"}})).unwrap());
    prop_oneof![Just(Account::NotRead), Just(Account::Differs), read]
}

prop_compose! {
    pub fn any_mandate()(
        collects in any::<bool>(),
        status in any_status(),
        starts in any_date(),
        ends in any_date(),
        account in any_account(),
        created in any::<bool>(),
        age in 0_i64..200,
    ) -> Mandate {
        let mut mandate = if collects { debit() } else { platform() };
        mandate.status = status;
        mandate.starts = starts;
        mandate.ends = ends;
        if !collects {
            mandate.account = account;
        }
        mandate.source = if created { Source::Created } else { Source::Read };
        mandate.observed_at = noon() - TimeDelta::minutes(age);
        mandate
    }
}

fn any_last_collection() -> impl Strategy<Value = LastCollection> {
    prop_oneof![Just(LastCollection::NotKnown), Just(LastCollection::Never), any_day().prop_map(LastCollection::On),]
}

/// Generates days: most are in the last years, some are in the future, and a few are impossible.
fn any_day() -> impl Strategy<Value = NaiveDate> {
    let around = |days| noon().date_naive() + TimeDelta::days(days);
    prop_oneof![8 => (-2000_i64..2).prop_map(around), 1 => (0_i64..5000).prop_map(around), 1 => Just(day("0026-09-01"))]
}

prop_compose! {
    pub fn any_facts()(
        signed_on in proptest::option::of(any_day()),
        signature_confirmed in proptest::option::of(proptest::bool::weighted(0.8)),
        last_collection in any_last_collection(),
        revoked_by_debtor in proptest::option::of(proptest::bool::weighted(0.1)),
        one_off_used in proptest::option::of(proptest::bool::weighted(0.1)),
        last_acknowledged in proptest::option::of(any_status()),
    ) -> Facts {
        Facts {
            signed_on,
            signature_confirmed,
            last_collection,
            revoked_by_debtor,
            one_off_used,
            max_age: Duration::from_secs(3600),
            last_acknowledged,
        }
    }
}

/// Returns the verdict on the use for which the mandate was granted.
fn verdict(mandate: &Mandate, facts: &Facts) -> Verdict {
    match mandate.may_collect(facts, noon()) {
        Verdict::NotApplicable => mandate.may_represent(facts.last_acknowledged, noon()),
        verdict => verdict,
    }
}

proptest! {
    #[test]
    fn only_an_active_mandate_is_ever_allowed(mandate in any_mandate(), facts in any_facts()) {
        if verdict(&mandate, &facts).is_allowed() {
            prop_assert_eq!(mandate.status, MandateStatus::Active);
            prop_assert_eq!(mandate.source, Source::Read);
            prop_assert!(mandate.starts.is_none_or(|date| date.get().is_some_and(|date| date <= noon())));
            prop_assert!(mandate.ends.is_none_or(|date| date.get().is_some_and(|date| date > noon())));
        }
    }

    #[test]
    fn verdict_with_less_information_never_allows_more(mandate in any_mandate(), facts in any_facts(), which in 0..5) {
        let mut less = mandate.clone();
        match which {
            0 => less.source = Source::Created,
            1 => less.starts = less.starts.map(|_| unreadable()),
            2 => less.ends = less.ends.map(|_| unreadable()),
            3 if less.account != Account::NotApplicable => less.account = Account::NotRead,
            _ => less.observed_at -= TimeDelta::hours(1),
        }
        prop_assert!(verdict(&mandate, &facts).is_allowed() || !verdict(&less, &facts).is_allowed());
    }

    #[test]
    fn verdict_without_one_fact_never_allows_more(mandate in any_mandate(), facts in any_facts(), which in 0..5) {
        let mut less = facts.clone();
        match which {
            0 => less.signed_on = None,
            1 => less.signature_confirmed = None,
            2 => less.last_collection = LastCollection::NotKnown,
            3 => less.revoked_by_debtor = None,
            _ => less.one_off_used = None,
        }
        let full = verdict(&mandate, &facts);
        // A day that is impossible provides no information, so this test skips it.
        let sound = |reason: &Reason| !matches!(reason, Reason::FactImpossible { .. } | Reason::FactsContradict { .. });
        if full.reasons().iter().all(sound) {
            prop_assert!(full.is_allowed() || !verdict(&mandate, &less).is_allowed(), "{full}: {less:?}");
        }
    }

    #[test]
    fn collection_is_allowed_only_if_all_facts_are_known_and_plausible(facts in any_facts()) {
        let today = noon().date_naive();
        let lapsed = |day: NaiveDate| day + Months::new(36) < today;
        if debit().may_collect(&facts, noon()).is_allowed() {
            let signed_on = facts.signed_on.unwrap();
            prop_assert!(signed_on <= today);
            prop_assert_eq!(facts.signature_confirmed, Some(true));
            prop_assert_eq!((facts.revoked_by_debtor, facts.one_off_used), (Some(false), Some(false)));
            match facts.last_collection {
                LastCollection::On(day) => prop_assert!(signed_on <= day && day <= today && !lapsed(day)),
                LastCollection::NotKnown | LastCollection::Never => prop_assert!(!lapsed(signed_on)),
            }
        }
    }

    #[test]
    fn verdict_names_missing_impossible_and_contradicting_facts(facts in any_facts()) {
        let today = noon().date_naive();
        let named = debit().may_collect(&facts, noon());
        let named = |reason: Reason| named.reasons().contains(&reason);
        prop_assert_eq!(named(Reason::FactMissing { fact: Fact::SignedOn }), facts.signed_on.is_none());
        prop_assert_eq!(
            named(Reason::FactMissing { fact: Fact::SignatureConfirmed }),
            facts.signature_confirmed.is_none()
        );
        prop_assert_eq!(named(Reason::FactMissing { fact: Fact::RevokedByDebtor }), facts.revoked_by_debtor.is_none());
        prop_assert_eq!(named(Reason::FactMissing { fact: Fact::OneOffUsed }), facts.one_off_used.is_none());
        let LastCollection::On(collected) = facts.last_collection else { return Ok(()) };
        let cannot_be = collected > today || collected < day("1970-01-01");
        prop_assert_eq!(named(Reason::FactImpossible { fact: Fact::LastCollection }), cannot_be);
        prop_assert_eq!(
            named(Reason::FactsContradict { first: Fact::SignedOn, second: Fact::LastCollection }),
            facts.signed_on.is_some_and(|signed_on| collected < signed_on)
        );
    }

    #[test]
    fn allowed_verdict_has_no_reason(mandate in any_mandate(), facts in any_facts()) {
        let verdict = verdict(&mandate, &facts);
        prop_assert_eq!(verdict.is_allowed(), verdict.reasons().is_empty());
        prop_assert_eq!(matches!(verdict, Verdict::Refused(_)), verdict.reasons().iter().any(Reason::refuses));
    }

    #[test]
    fn mandates_are_written_to_json_and_read_back_unchanged(mandate in any_mandate()) {
        let stored = serde_json::to_string(&mandate).unwrap();
        prop_assert_eq!(serde_json::from_str::<Mandate>(&stored).unwrap(), mandate);
    }

    #[test]
    fn verdict_on_extreme_dates_does_not_panic(signed in any::<i32>(), days in 0_u32..2_000_000) {
        let far = chrono::DateTime::<Utc>::MIN_UTC + TimeDelta::days(i64::from(days) * 90);
        let signed_on = chrono::NaiveDate::from_num_days_from_ce_opt(signed).unwrap_or(chrono::NaiveDate::MAX);
        let facts = Facts { signed_on: Some(signed_on), last_collection: LastCollection::On(signed_on), ..good_facts() };
        let _ = debit().may_collect(&facts, far);
        let _ = signed_on.checked_add_months(Months::new(36));
    }
}
