//! Snapshots and tables list the evidence mark of each fact in the specs, so that a reviewer notices each change of a
//! mark.

use crate::snapshot;
use serde_json::Value;
use std::{fmt::Write, sync::LazyLock};

const SPECS: [(&str, &str); 3] = [
    ("Easytransac", include_str!("../../specs/easytransac.yaml")),
    ("SafeDebit", include_str!("../../specs/safedebit.yaml")),
    ("Seqino", include_str!("../../specs/seqino.yaml")),
];

/// Returns the name and the spec of each vendor. The specs are read once for all tests.
pub fn specs() -> impl Iterator<Item = (&'static str, &'static Value)> {
    static READ: LazyLock<Vec<Value>> =
        LazyLock::new(|| SPECS.iter().map(|(_, text)| serde_saphyr::from_str(text).unwrap()).collect());
    SPECS.iter().map(|(vendor, _)| *vendor).zip(READ.iter())
}

/// Returns the id and the evidence mark of each operation, in the order of the spec.
pub fn operations(spec: &Value) -> Vec<(&str, &str)> {
    let items = spec["paths"].as_object().unwrap().values().flat_map(|item| item.as_object().unwrap().values());
    let operations = items.filter(|item| item.get("operationId").is_some());
    operations.map(|item| (item["operationId"].as_str().unwrap(), item["x-evidence"].as_str().unwrap())).collect()
}

/// Collects the evidence marks below the operations and components of a spec, each with a short path.
pub fn marks(place: &str, value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            let fields_of = |key: &str| ["properties", "schema", "content", "items", "schemas"].contains(&key);
            let place = match (fields.get("operationId"), fields.get("in")) {
                (Some(id), _) => id.as_str().unwrap().to_owned(),
                (_, Some(_)) => format!("{place} {}", fields["name"].as_str().unwrap()),
                _ => place.to_owned(),
            };
            if let (Some(mark), None) = (fields.get("x-evidence"), fields.get("operationId")) {
                found.push(format!("{place}: {}", mark.as_str().unwrap()));
            }
            for (key, value) in fields.iter().filter(|(key, _)| !["example", "default"].contains(&key.as_str())) {
                let place = match key.as_str() {
                    key if fields_of(key) => place.clone(),
                    key if place.is_empty() => key.to_owned(),
                    key => format!("{place}.{key}"),
                };
                marks(&place, value, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| marks(place, item, found)),
        _ => {}
    }
}

#[test]
fn evidence_marks_of_the_specs_match_the_snapshots() {
    for (vendor, spec) in specs() {
        let mut text: String = operations(spec).iter().map(|(id, mark)| format!("{id}: {mark}\n")).collect();
        let mut weaker = Vec::new();
        marks("", &spec["paths"], &mut weaker);
        marks("", &spec["components"], &mut weaker);
        writeln!(text, "\nWithin them:\n{}", weaker.join("\n")).unwrap();
        snapshot!(format!("evidence-{}", vendor.to_lowercase()), text);
    }
}

/// Returns the operations of a spec.
fn described(spec: &Value) -> impl Iterator<Item = &Value> {
    let items = spec["paths"].as_object().unwrap().values().flat_map(|item| item.as_object().unwrap().values());
    items.filter(|item| item.get("operationId").is_some())
}

fn deletions(spec: &Value) -> impl Iterator<Item = &Value> {
    spec["paths"].as_object().unwrap().values().filter_map(|item| item.get("delete"))
}

/// The advice for each operation begins with the records that may exist or the removals that may be done. The advice
/// never recommends both the same reference and a new one.
#[test]
fn advice_starts_with_the_possible_effect_of_the_operation() {
    let mut found = 0;
    for (vendor, spec) in specs() {
        for operation in described(spec) {
            let removal = operation["x-effect"] == "removal" || deletions(spec).any(|deletion| deletion == operation);
            let Some(advice) = operation["x-lost-answer"].as_str() else { continue };
            let place = format!("{vendor} {}", operation["operationId"]);
            if removal {
                assert!(advice.starts_with("Send it again: a second "), "{place} begins: {advice}");
                continue;
            }
            let (first, rest) = advice.split_once(". ").unwrap_or_else(|| panic!("{place}: {advice}"));
            assert!(first.contains(" may "), "{place} begins: {first}");
            assert!(!advice.contains("landed") && !rest.is_empty(), "{place}");
            let same = advice.contains("*same*");
            let new = advice.contains("new one") && !advice.contains("never a new one");
            assert!(!new || !same, "{place} advises a new reference");
            if advice.contains("Look for it first") {
                assert!(["Found proves", "proves that"].iter().any(|word| advice.contains(word)), "{place}");
                assert!(advice.contains("proves nothing"), "{place}");
            }
            found += 1;
        }
    }
    assert!(found > 25, "{found}");
}

#[test]
fn description_of_an_inferred_operation_starts_with_a_warning() {
    let guessed = [
        "init_open_banking",
        "debit_mandate",
        "get_mandate_status",
        "search_mandate",
        "search_payment",
        "create_consumer",
        "payment",
        "initiate_transfer",
        "add_rp_sdd",
        "cancel_order",
        "list_mandates",
        "get_mandate",
    ];
    let mut seen = 0;
    for operation in specs().flat_map(|(_, spec)| described(spec)) {
        let id = operation["operationId"].as_str().unwrap();
        let text = operation["description"].as_str().unwrap_or_default();
        let first = text.split("\n\n").next().unwrap();
        let says = ["guess", "which only the page's sample shows"].iter().any(|word| first.contains(word));
        let in_use = operation.get("x-in-use").is_some();
        assert!(says || !(in_use || guessed.contains(&id)), "{id}: {first}");
        assert!(!in_use || operation["x-in-use"]["x-evidence"] == "inferred", "{id}");
        seen += usize::from(guessed.contains(&id));
    }
    assert_eq!(seen, guessed.len());
}

/// Checks fields and labels that were corrected after a second reading of the vendors' pages.
#[test]
fn labels_and_required_fields_in_the_specs_match_the_vendors_pages() {
    let spec = |vendor| specs().find(|(name, _)| *name == vendor).unwrap().1;
    let required = |spec: &Value, schema: &str| -> Vec<String> {
        let schema = &spec["components"]["schemas"][schema];
        schema["required"].as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect()
    };
    let safedebit = spec("SafeDebit");
    assert!(operations(safedebit).iter().any(|(id, _)| *id == "onboard_beneficiary"));
    assert_eq!(
        required(safedebit, "OnboardBeneficiaryRequest"),
        ["social_reference", "trade_name", "email", "url_callback"]
    );
    assert!(required(safedebit, "ValidatePaymentRequest").contains(&"validation_type".to_owned()));
    let seqino = spec("Seqino");
    assert_eq!(required(seqino, "WebhookEventTypesResponse"), ["event_types"]);
    let servers: Vec<&Value> = seqino["servers"].as_array().unwrap().iter().map(|server| &server["url"]).collect();
    assert_eq!(servers, ["https://pdp.seqino.dev/api", "http://localhost:8052"]);
    let easytransac = spec("Easytransac");
    for schema in ["InitOpenBankingResponse", "DebitMandateResponse", "GetTransactionStatusResponse"] {
        assert_eq!(required(easytransac, schema), ["success", "data"], "{schema}");
    }
    for (spec, place, label) in [
        (safedebit, "BeneficiaryCode", "The beneficiary's code at the merchant"),
        (safedebit, "InitiateBeneficiaryRequest/properties/shop_reference", "internal reference of the beneficiary"),
        (safedebit, "CreateRefundLinkRequest/properties/shop_reference", "Reference of the campaign"),
        (safedebit, "CreateConsumerRequest/properties/consumer_other_last_name", "*first* names"),
        (safedebit, "ValidatePaymentRequest/properties/sdd_reference", "presented again"),
        (safedebit, "InitiateTransferRequest/properties/sms_option", "Send the link of the payment by SMS"),
        (safedebit, "InitiateTransferRequest/properties/email_option", "Send the link of the payment by e-mail"),
        (safedebit, "CreateMandateRequest/properties/status", "initial status"),
        (safedebit, "FileCheck/properties/social_reference", "name of the company is valid"),
        (safedebit, "FileCheck/properties/siren", "SIREN is valid"),
        (safedebit, "FileDescription", "CNI recto, verso"),
        (easytransac, "ReturnUrl", "Inferred"),
        (easytransac, "Timestamp", "only beside the `date`"),
        (easytransac, "BirthDate", "(ATOM)"),
        (seqino, "DirectoryEntry/properties/addressable", "Whether the company is addressable"),
        (seqino, "DirectoryEntry/properties/address", "Address of the establishment"),
        (seqino, "DirectoryEntry/properties/suffix", "simple nomenclature of SIREN and suffix"),
        (seqino, "DirectoryEntry/properties/created_at", "creation of the entry"),
        (seqino, "DirectoryEntry/properties/updated_at", "last update of the entry"),
    ] {
        let value = spec["components"]["schemas"].pointer(&format!("/{place}/description"));
        let text = value.and_then(Value::as_str).unwrap_or_else(|| panic!("{place}"));
        assert!(text.contains(label), "{place}: {text}");
    }
    for (component, longest) in [
        ("CompanyName64", 64),
        ("TradeName", 64),
        ("CallbackUrl128", 128),
        ("PhoneNumber32", 32),
        ("Address120", 120),
        ("AnnexCode1", 1),
        ("AnnexCode2", 2),
    ] {
        assert_eq!(safedebit["components"]["schemas"][component]["maxLength"], longest, "{component}");
    }
    let banks = safedebit.to_string();
    for bank in ["Société Générale", "Crédit Agricole", "Crédit Mutuel", "Boursorama", "BNP Paribas"] {
        assert!(banks.contains(bank), "{bank}");
    }
}

/// Each page names Seqino's role by its old and by its new name, because a reader may know only one of the two.
#[test]
fn each_page_about_seqino_gives_the_new_name_of_a_platform_once() {
    for (page, text) in [
        ("README.md", include_str!("../../README.md")),
        ("docs/seqino.md", include_str!("../../docs/seqino.md")),
        ("specs/seqino.yaml", SPECS[2].1),
    ] {
        assert_eq!(
            text.matches("plateforme agréée").count() + text.matches("plateforme\n    agréée").count(),
            1,
            "{page}"
        );
        assert!(!text.contains("as their platform"), "{page}: a client in grey label designates Seqino itself");
    }
}

#[test]
fn evidence_table_in_the_specs_readme_matches_the_specs() {
    let mut table = String::from("| vendor | documented | partial | inferred |\n|---|---|---|---|\n");
    for (vendor, spec) in specs() {
        let all = operations(spec);
        let cell = |wanted: &str| {
            let ids: Vec<_> = all.iter().filter(|(_, mark)| *mark == wanted).map(|(id, _)| format!("`{id}`")).collect();
            format!("{}: {}", ids.len(), ids.join(" "))
        };
        let cells = ["documented", "partial", "inferred"].map(|mark| cell(mark).trim_end_matches(": ").to_owned());
        writeln!(table, "| {vendor} ({}) | {} |", all.len(), cells.join(" | ")).unwrap();
    }
    let readme = include_str!("../../specs/README.md");
    assert!(readme.contains(&table), "specs/README.md should hold this table:\n\n{table}");
}

#[test]
fn table_of_described_operations_lists_all_operations_of_seqino() {
    let readme = include_str!("../../specs/README.md");
    let (_, table) = readme.split_once("## Operations of Seqino, and how far they are described").unwrap();
    let (_, spec) = specs().last().unwrap();
    for (id, _) in operations(spec) {
        assert_eq!(table.matches(&format!("`{id}`")).count(), 1, "{id}");
    }
}
