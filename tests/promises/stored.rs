//! This version and an older version of the crate can read the values that a caller stored. Snapshots fix the stored
//! form.

use crate::snapshot;
use mandat::{
    Account, AccountStatus, Change, DateField, Debit, ErrorKind, Fact, Facts, LastCollection, Mandate, MandateChange,
    MandateStatus, Permission, RawStatus, Reason, Source, StoredState, Verdict,
};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::{collections::BTreeMap, time::Duration};

const MANDATE: &str = r#"{"reference": "seqino:client_abc123/m-1", "status": "Active", "raw": "active",
    "account": {"Read": {"status": "Suspended", "raw": "suspended"}}, "starts": "2026-09-01T00:00:00Z", "ends": null,
    "created": "yesterday", "observed_at": "2026-09-01T12:00:00Z", "source": "Read", "extra": {"new": [1]},
    "next_step": "Use"}"#;

const DEBIT: &str = r#"{"reference": "safedebit:umr=RUM-1/sdd=SDD-1", "status": "Returned", "raw": "RETURNED",
    "evidence": "Documented", "reason": "AM04", "amount_cents": 1250, "due": "2026-09-01", "created": null,
    "observed_at": "2026-09-05T12:00:00Z", "source": "Read", "extra": {"code": "AM04"}}"#;

fn debit() -> Debit {
    serde_json::from_str(DEBIT).unwrap()
}

fn mandate() -> Mandate {
    serde_json::from_str(MANDATE).unwrap()
}

fn now() -> chrono::DateTime<chrono::Utc> {
    "2026-09-02T12:00:00Z".parse().unwrap()
}

/// Lists every reason of a verdict once.
fn reasons() -> Vec<Reason> {
    let raw = || RawStatus::new("word");
    let today = now().date_naive();
    vec![
        Reason::NotActive { status: MandateStatus::Revoked, raw: raw() },
        Reason::Unrecognized { raw: raw() },
        Reason::NotReadBack,
        Reason::BeforeStart { starts: now() },
        Reason::AfterEnd { ends: now() },
        Reason::DateUnreadable { which: DateField::Start },
        Reason::TooOld { age: Duration::from_secs(90) },
        Reason::ReadAhead { observed_at: now() },
        Reason::NotYetSigned { signed_on: today },
        Reason::Dormant { since: today },
        Reason::OneOffUsed,
        Reason::RevokedByDebtor,
        Reason::NotBusinessDay { day: today },
        Reason::TooSoon { earliest: today },
        Reason::NotifiedTooLate { earliest: today },
        Reason::Reinstated { from: MandateStatus::Expired },
        Reason::FactMissing { fact: Fact::SignedOn },
        Reason::FactImpossible { fact: Fact::LastCollection },
        Reason::FactsContradict { first: Fact::SignedOn, second: Fact::LastCollection },
        Reason::SignatureNotConfirmed,
        Reason::AccountNotActive { status: AccountStatus::Suspended, raw: raw() },
        Reason::AccountUnrecognized { raw: raw() },
        Reason::AccountNotRead,
        Reason::AccountDiffers,
    ]
}

fn changed() -> MandateChange {
    let earlier = StoredState::new(
        MandateStatus::Suspended,
        RawStatus::new("suspended"),
        "2026-08-01T12:00:00Z".parse().unwrap(),
    );
    MandateChange::between(Some(&earlier), &mandate(), None, now()).unwrap()
}

#[test]
fn stored_values_are_written_to_json_and_read_back_unchanged() {
    let again: Mandate = serde_json::from_value(serde_json::to_value(mandate()).unwrap()).unwrap();
    assert_eq!(again, mandate());
    for verdict in
        [Verdict::Allowed, Verdict::Refused(reasons()), Verdict::Undetermined(reasons()), Verdict::NotApplicable]
    {
        let again: Verdict = serde_json::from_value(serde_json::to_value(&verdict).unwrap()).unwrap();
        assert_eq!(again, verdict);
    }
    let again: MandateChange = serde_json::from_value(serde_json::to_value(changed()).unwrap()).unwrap();
    assert_eq!(again, changed());
}

#[test]
fn stored_form_of_each_type_matches_the_snapshot() {
    let all = json!({
        "mandate": mandate(),
        "change": changed(),
        "verdicts": [Verdict::Allowed, Verdict::Refused(reasons()), Verdict::NotApplicable],
    });
    snapshot!("stored", serde_json::to_string_pretty(&all).unwrap());
}

#[test]
fn values_stored_by_newer_versions_are_read_and_allow_no_use() {
    let newer =
        MANDATE.replace("\"Active\"", "\"Frozen\"").replace("\"Use\"", "\"Thaw\"").replace("Suspended", "Hibernating");
    let newer = newer.replace("\"extra\"", "\"invented\": 1, \"extra\"");
    let read: Mandate = serde_json::from_str(&newer).unwrap();
    assert_eq!((read.status, read.raw.as_str()), (MandateStatus::Unrecognized, "active"));
    assert!(!read.may_represent(None, now()).is_allowed());
    let mut newer = serde_json::to_value(mandate()).unwrap();
    newer["account"] = json!({"Merged": {"into": "client_xyz"}});
    let read: Mandate = serde_json::from_value(newer).unwrap();
    assert_eq!(read.account, Account::NotRead);
    assert!(read.may_represent(None, now()).reasons().contains(&Reason::AccountNotRead));
    let verdict = json!({"verdict": "Refused", "reasons": [{"reason": "MoonInTheWrongHouse", "house": 7}, {"reason": "OneOffUsed"}]});
    let verdict: Verdict = serde_json::from_value(verdict).unwrap();
    assert_eq!(verdict, Verdict::Refused(vec![Reason::Other, Reason::OneOffUsed]));
    let mut change = serde_json::to_value(changed()).unwrap();
    change["class"] = "Teleported".into();
    change["to"]["status"] = "Frozen".into();
    change["to"]["verdict"] = "Perhaps".into();
    change["to"]["invented"] = 1.into();
    let change: MandateChange = serde_json::from_value(change).unwrap();
    assert_eq!(change.class, Some(Change::Anomalous));
    assert_eq!((change.to.status, change.to.verdict), (MandateStatus::Unrecognized, Some(Permission::Undetermined)));
    // A row that the first version stored had fewer columns.
    let row = json!({"status": "Active", "raw": "1", "since": now(), "observed_at": now()});
    let known: StoredState = serde_json::from_value(row).unwrap();
    assert_eq!((known.account, known.verdict, known.recognized), (None, None, None));
}

#[test]
fn mandate_that_was_only_created_is_not_stored_as_read() {
    let mut created = mandate();
    created.source = Source::Created;
    let text = serde_json::to_string(&created).unwrap();
    let read: Mandate = serde_json::from_str(&text).unwrap();
    assert!(
        matches!(read.may_represent(None, now()), Verdict::Refused(reasons) if reasons.contains(&Reason::NotReadBack))
    );
}

#[test]
fn stored_values_match_the_reviewed_schemas() {
    let schemas = [
        ("Mandate", schemars::schema_for!(Mandate), serde_json::to_value(mandate()).unwrap()),
        ("MandateStatus", schemars::schema_for!(MandateStatus), json!("Active")),
        ("Debit", schemars::schema_for!(Debit), serde_json::to_value(debit()).unwrap()),
        ("Verdict", schemars::schema_for!(Verdict), serde_json::to_value(Verdict::Refused(reasons())).unwrap()),
        ("Changed", schemars::schema_for!(MandateChange), serde_json::to_value(changed()).unwrap()),
    ];
    let mut all = BTreeMap::new();
    for (name, schema, example) in schemas {
        let schema = serde_json::to_value(schema).unwrap();
        let validator = jsonschema::validator_for(&schema).unwrap();
        let wrong: Vec<String> = validator.iter_errors(&example).map(|error| error.to_string()).collect();
        assert!(wrong.is_empty(), "{name}: {wrong:?}");
        assert!(!validator.is_valid(&json!(7)), "{name}: the schema accepts a bare number");
        let mut schema = without_prose(schema);
        let parts = schema.as_object_mut().unwrap().remove("$defs").unwrap_or_default();
        all.extend(parts.as_object().into_iter().flatten().map(|(name, part)| (name.clone(), part.to_string())));
        all.insert(name.into(), schema.to_string());
    }
    // Write one line for each type into the snapshot.
    snapshot!("schemas", all.iter().map(|(name, schema)| format!("{name}: {schema}\n")).collect::<String>());
}

/// Removes the descriptions from a JSON schema, because a reviewer reads them in the sources.
fn without_prose(schema: Value) -> Value {
    match schema {
        Value::Object(fields) => {
            let kept = fields
                .into_iter()
                .filter(|(key, value)| !(["description", "$schema"].contains(&key.as_str()) && value.is_string()));
            kept.map(|(key, value)| (key, without_prose(value))).collect()
        }
        Value::Array(items) => items.into_iter().map(without_prose).collect(),
        other => other,
    }
}

#[test]
fn verdict_on_a_collection_is_stored_only_with_facts() {
    let mandate: Mandate = serde_json::from_str(
        &MANDATE
            .replace("seqino:client_abc123/m-1", "safedebit:RUM-1")
            .replace(r#"{"Read": {"status": "Suspended", "raw": "suspended"}}"#, "\"NotApplicable\""),
    )
    .unwrap();
    let facts = Facts {
        signed_on: Some("2026-08-01".parse().unwrap()),
        signature_confirmed: Some(true),
        last_collection: LastCollection::Never,
        revoked_by_debtor: Some(true),
        one_off_used: Some(false),
        max_age: Duration::from_secs(7 * 24 * 3600),
        last_acknowledged: None,
    };
    assert_eq!(StoredState::of(&mandate, None, None, now()).verdict, None);
    let known = StoredState::of(&mandate, None, Some(&facts), now());
    assert_eq!(known.verdict, Some(Permission::Refused));
    // A revocation letter of the debtor is a change, even if the vendor reports the same status.
    let before =
        StoredState::of(&mandate, None, Some(&Facts { revoked_by_debtor: Some(false), ..facts.clone() }), now());
    let change = MandateChange::between(Some(&before), &mandate, Some(&facts), now()).unwrap();
    assert_eq!((change.class, change.to.verdict), (None, Some(Permission::Refused)));
}

fn column<'a>(row: &'a [(&'static str, Option<String>)], name: &str) -> Option<&'a str> {
    row.iter().find(|(column, _)| *column == name).and_then(|(_, text)| text.as_deref())
}

fn any_status() -> impl Strategy<Value = MandateStatus> {
    proptest::sample::select(MandateStatus::ALL)
}

prop_compose! {
    fn any_known()(
        status in any_status(),
        raw in "[ -~éß]{0,12}",
        account in proptest::option::of("[a-z]{1,8}"),
        verdict in proptest::option::of(proptest::sample::select(Permission::ALL)),
        states in [any_status(), any_status(), any_status()].prop_map(|all| all.map(Some)),
        given in any::<[bool; 3]>(),
        created in any::<bool>(),
        seconds in [0_i64..4_000_000_000, 0_i64..4_000_000_000],
        nanos in 0_u32..1_000_000_000,
    ) -> StoredState {
        let at = |seconds| chrono::DateTime::from_timestamp(seconds, nanos).unwrap();
        let mut known = StoredState::new(status, RawStatus::new(&raw), at(seconds[0]));
        known.account = account.as_deref().map(RawStatus::new);
        known.verdict = verdict;
        known.recognized = states[0].filter(|_| given[0]).or(known.recognized);
        known.reinstated_from = states[1].filter(|_| given[1]);
        known.acknowledged_before = states[2].filter(|_| given[2]);
        known.source = if created { Source::Created } else { Source::Read };
        known.since = at(seconds[1]);
        known
    }
}

/// Returns the text in another letter case, or with blanks around it.
fn in_another_style(text: &str, style: u8) -> String {
    match style {
        0 => text.to_owned(),
        1 => text.to_lowercase(),
        2 => text.to_uppercase(),
        _ => format!("  {} ", text.to_lowercase()),
    }
}

const WORDS: [&str; 6] = ["status", "verdict", "recognized", "reinstated_from", "acknowledged_before", "source"];

proptest! {
    #[test]
    fn stored_rows_are_read_back_in_any_letter_case(known in any_known(), style in 0_u8..4) {
        let row = known.columns();
        prop_assert_eq!(row.each_ref().map(|(name, _)| *name), StoredState::COLUMNS);
        let read = StoredState::from_columns(|name| {
            let text = column(&row, name)?;
            Some(if WORDS.contains(&name) { in_another_style(text, style) } else { text.to_owned() })
        });
        prop_assert_eq!(read.unwrap(), Some(known.clone()));
        let json = serde_json::to_value(&known).unwrap();
        prop_assert_eq!(serde_json::from_value::<StoredState>(json).unwrap(), known);
    }

    #[test]
    fn incomplete_stored_row_is_an_error(
        known in any_known(),
        lost in prop::collection::btree_set(proptest::sample::select(StoredState::COLUMNS.as_slice()), 1..10),
        blank in any::<bool>(),
    ) {
        let row = known.columns();
        let text = |name| if lost.contains(name) { blank.then_some(" ") } else { column(&row, name) };
        let left = StoredState::COLUMNS.iter().any(|name| text(name).is_some_and(|text| !text.trim().is_empty()));
        let read = StoredState::from_columns(text);
        match ["status", "observed_at"].iter().find(|name| lost.contains(*name)) {
            None => prop_assert_eq!(read.unwrap().unwrap().status, known.status),
            Some(_) if !left => prop_assert_eq!(read.unwrap(), None),
            Some(missing) => {
                let error = read.unwrap_err();
                prop_assert_eq!(error.kind(), ErrorKind::InvalidRequest);
                prop_assert!(error.to_string().contains(&format!("`{missing}` is missing")), "{}", error);
            }
        }
    }

    #[test]
    fn error_about_an_invalid_stored_text_names_the_column(
        known in any_known(),
        place in proptest::sample::select([&WORDS[..], &["since", "observed_at"]].concat()),
        text in "[A-Za-z0-9/:_-]{1,20}",
    ) {
        let fits = match place {
            "source" => text.parse::<Source>().is_ok(),
            "verdict" => text.parse::<Permission>().is_ok(),
            "since" | "observed_at" => text.parse::<chrono::DateTime<chrono::Utc>>().is_ok(),
            _ => text.parse::<MandateStatus>().is_ok(),
        };
        prop_assume!(!fits);
        let row = known.columns();
        let error = StoredState::from_columns(|name| if name == place { Some(text.as_str()) } else { column(&row, name) });
        let error = error.unwrap_err().to_string();
        prop_assert!(error.contains(&format!("`{place}` is n")), "{error}");
    }
}

#[test]
fn error_about_a_stored_column_gives_the_expected_format_without_the_value() {
    let read = |place: &'static str, text: &'static str| {
        let known = StoredState::new(MandateStatus::Revoked, RawStatus::new("3"), now());
        let row = known.columns().map(|(name, text)| (name, text.map(String::leak)));
        let column = |name: &str| row.iter().find(|(column, _)| *column == name).and_then(|(_, text)| text.as_deref());
        StoredState::from_columns(|name| if name == place { Some(text) } else { column(name) }).unwrap_err().to_string()
    };
    assert_eq!(
        [read("verdict", crate::support::IBAN), read("since", "01/09/2026"), read("observed_at", "")],
        [
            "not valid: `verdict` is not one of Allowed, Refused, Undetermined, NotApplicable. Correct it, or use \
             the version of mandat that wrote it",
            "not valid: `since` is not an instant. Use 2026-09-01T12:00:00Z",
            "not valid: `observed_at` is missing, but the row has `raw`, `recognized`, `since`, `status`. \
             Fill it in, or leave all columns empty",
        ]
    );
}

#[test]
fn stored_statuses_are_read_in_any_letter_case() {
    for status in MandateStatus::ALL {
        for style in 0..3 {
            let text = in_another_style(status.as_str(), style);
            assert_eq!(text.parse(), Ok(*status));
            assert_eq!(serde_json::from_value::<MandateStatus>(text.into()).unwrap(), *status);
        }
    }
}
