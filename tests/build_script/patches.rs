//! A user's patch changes a spec. The build reports each mistake in the patch with the user's file and line.

use crate::{
    SEQINO, SPECS,
    generator::{
        Made, Provider,
        patch::{Ours, Theirs, generate},
    },
    made,
};
use proptest::prelude::*;
use std::{collections::BTreeMap, sync::LazyLock};

/// The hand-written code of a vendor, as the build reads it.
fn code(vendor: &str) -> String {
    let entries = std::fs::read_dir(format!("src/vendors/{vendor}")).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path()).filter(|path| !path.ends_with("sandbox.rs"));
    paths.map(|path| std::fs::read_to_string(path).unwrap()).collect()
}

/// The spec of each vendor, read once for all tests.
static OURS: LazyLock<BTreeMap<&str, Ours>> = LazyLock::new(|| {
    let read = |(vendor, text)| {
        let (file, code) = (format!("specs/{vendor}.yaml").leak(), code(vendor).leak());
        (vendor, Ours::read(file, text, code).unwrap())
    };
    SPECS.into_iter().map(read).collect()
});

fn apply(vendor: &str, text: &str, patch: bool) -> Result<Made, String> {
    let theirs = Theirs { file: if patch { "my.patch.yaml" } else { "my.yaml" }, text, patch };
    generate(&Provider::named(vendor), &OURS[vendor], &theirs, false).map_err(|problems| problems.join("\n"))
}

fn patched(vendor: &str, patch: &str) -> Made {
    apply(vendor, patch, true).unwrap_or_else(|problems| panic!("{patch}\n{problems}"))
}

fn refused(vendor: &str, patch: &str) -> String {
    apply(vendor, patch, true).err().unwrap_or_else(|| panic!("the build accepts this patch:\n{patch}"))
}

/// The lines of the public surface that a patch adds.
fn added<'a>(vendor: &str, patched: &'a Made) -> Vec<&'a str> {
    let ours = &made(vendor, false).surface;
    let lines = patched.surface.lines().filter(|line| !line.ends_with(" lines of Rust"));
    lines.filter(|line| !ours.lines().any(|known| known == *line)).collect()
}

pub const WORD: &str = "
components:
  schemas:
    MandateStatus:
      x-extensible-enum: [processing, created, pending_kyc, active, expired, error, paused]
      x-status:
        paused: {status: Suspended, x-evidence: observed 2026-11-27}
";

pub const RENAMED: &str = "
components:
  schemas:
    SearchMandateResponse:
      required: [result, data]
      properties:
        datas: null
        data: {type: array, items: {$ref: '#/components/schemas/Mandate'}, x-rust-name: datas}
    Mandate:
      required: [rum, status]
      properties:
        umr: null
        rum: {allOf: [{$ref: '#/components/schemas/Umr'}], x-rust-name: umr}
paths:
  /search_mandate:
    get:
      responses:
        '200':
          content:
            application/json:
              example: {datas: null, data: [{rum: XXX, status: '1'}]}
";

const OPERATION: &str = "
paths:
  /settings/language:
    get:
      operationId: get_language
      x-evidence: observed 2026-11-27
      x-source: https://example.com/language
      responses:
        '200':
          description: The language.
          content:
            application/json:
              schema: {$ref: '#/components/schemas/Language'}
              example: {language: fr}
  /settings/periodicity:
    put: null
components:
  schemas:
    Language: {type: object, properties: {language: {type: string}}}
    SetPeriodicityRequest: null
    PaymentPeriodicity: null
    TransactionPeriodicity: null
    VatRegime: null
";

#[test]
fn new_word_has_its_meaning_in_the_generated_table() {
    let made = patched("seqino", WORD);
    assert!(made.code.contains("Self::Paused =>"), "{}", made.code);
    assert!(made.code.contains("Meaning::new(MandateStatus::Suspended, Evidence::Observed)"), "{}", made.code);
    assert!(made.code.contains("\"2026-11-27\".parse().ok()"), "{}", made.code);
}

#[test]
fn renamed_key_keeps_its_field() {
    let made = patched("safedebit", RENAMED);
    assert!(made.code.contains("Needed datas = \"data\""), "{}", made.code);
    assert!(made.code.contains("Needed umr = \"rum\""), "{}", made.code);
    assert_eq!(added("safedebit", &made), [""; 0]);
    assert!(made.simulated.contains("\"x-our-key\":\"datas\"") && made.simulated.contains("\"x-our-key\":\"umr\""));
}

#[test]
fn operation_is_added_and_another_removed() {
    let made = patched("seqino", OPERATION);
    assert_eq!(
        added("seqino", &made),
        ["GetLanguage() -> Language", "struct Language", "    language: Option<String>"]
    );
    assert!(!made.surface.contains("SetPeriodicity("), "{}", made.surface);
    // The sandbox returns the example of the new operation only.
    assert_eq!(made.simulated.matches("\"x-added\":true").count(), 1);
}

#[test]
fn origin_depends_neither_on_comments_nor_on_order() {
    let one = patched("seqino", WORD).origin;
    assert!(one.starts_with("crate::vocabulary::SpecOrigin::Patched(\""), "{one}");
    let mut lines: Vec<&str> = WORD.lines().collect();
    lines.swap(4, 6);
    lines.swap(5, 6);
    lines.swap(4, 5);
    let other = "\n# Seen this morning.\ncomponents:\n  schemas:\n    MandateStatus:\n      x-status: {paused: {x-evidence: observed \
                 2026-11-27, status: Suspended}}\n      x-extensible-enum: [processing, created, pending_kyc, active, \
                 expired, error, paused]\n";
    assert_eq!(patched("seqino", other).origin, one);
    assert_ne!(patched("seqino", &WORD.replace("Suspended", "Pending")).origin, one);
}

/// Reports of `mandat probe --patch`: of the sandbox, and of users.
#[test]
fn reports_of_probes_are_accepted() {
    for (vendor, report) in [
        ("easytransac", include_str!("../promises/fixtures/changed-easytransac.patch.yaml")),
        ("safedebit", include_str!("../promises/fixtures/changed-safedebit.patch.yaml")),
        ("seqino", include_str!("../promises/fixtures/changed-seqino.patch.yaml")),
    ] {
        let made = patched(vendor, report);
        assert!(made.code.contains("Evidence: observed 2026-11-27."), "{vendor}");
    }
}

#[test]
fn patches_and_errors_in_the_book_are_those_of_the_build() {
    let book = include_str!("../../docs/changes.md");
    let blocks: Vec<&str> = book.split("```yaml\n").skip(1).map(|block| block.split("```").next().unwrap()).collect();
    let [word, renamed] = blocks[..] else { panic!("{blocks:?}") };
    assert!(word.starts_with("# specs/seqino.patch.yaml") && renamed.starts_with("# specs/safedebit.patch.yaml"));
    patched("seqino", word);
    patched("safedebit", renamed);
    let without = word.split_once("      x-status:").unwrap().0;
    let removed =
        "# Seen this morning.\ncomponents:\n  schemas:\n    Mandate:\n      properties:\n        start_date: null\n";
    for patch in [without, removed] {
        let said = refused("seqino", patch).replace("my.patch.yaml", "/home/you/shop/specs/seqino.patch.yaml");
        assert!(book.contains(said.lines().next().unwrap()), "{said}");
    }
}

#[test]
fn whole_spec_of_a_user_replaces_ours() {
    let made = apply("seqino", &SEQINO.replace("  /settings/periodicity:", "  /settings/period:"), false);
    let made = made.unwrap_or_else(|problems| panic!("{problems}"));
    assert!(made.origin.starts_with("crate::vocabulary::SpecOrigin::Replaced(\""), "{}", made.origin);
    let said = apply("seqino", &SEQINO.replace("operationId: get_client\n", "operationId: read_client\n"), false)
        .err()
        .unwrap();
    assert!(said.starts_with("my.yaml: the operation `get_client` is gone"), "{said}");
}

#[test]
fn each_mistake_in_a_patch_is_reported_in_its_line() {
    let word = |from: &str, to: &str| WORD.replace(from, to);
    let renamed = |from: &str, to: &str| RENAMED.replace(from, to);
    let operation = |from: &str, to: &str| OPERATION.replace(from, to);
    let mistakes = [
        ("unreadable YAML", "seqino", word("paused: {", "paused: [")),
        ("empty", "seqino", String::new()),
        ("a list", "seqino", "- components\n".into()),
        ("no change", "seqino", "components:\n  schemas:\n    MandateStatus: {type: string}\n".into()),
        ("unknown key at the top", "seqino", word("components:", "componets:")),
        ("unknown kind of component", "seqino", word("  schemas:", "  shemas:")),
        ("unknown schema", "seqino", word("MandateStatus", "MandateState")),
        ("unknown annotation", "seqino", word("x-status", "x-statuses")),
        ("word without a meaning", "seqino", word("        paused: {status: Suspended, x-evidence: observed 2026-11-27}\n", "        paused_: {status: Pending, x-evidence: inferred}\n")),
        ("unknown status", "seqino", word("Suspended", "Halted")),
        ("unknown key of a meaning", "seqino", word("status: Suspended", "stauts: Suspended")),
        ("unknown evidence", "seqino", word("observed 2026-11-27", "observed today")),
        ("meaning without evidence", "seqino", word(", x-evidence: observed 2026-11-27", "")),
        ("guessed word as Active", "seqino", word("Suspended", "Active")),
        ("word twice", "seqino", word("error, paused", "error, paused, Paused")),
        ("word of an account in a mandate", "seqino", word("status: Suspended", "account: Suspended")),
        ("removed meaning", "seqino", word("paused: {status: Suspended, x-evidence: observed 2026-11-27}", "error: null")),
        ("removal of an absent key", "seqino", word("MandateStatus", "MandateStatsu").replace("x-status:", "x-status: null\n      x-states:")),
        ("null in an addition", "seqino", word("x-evidence: observed 2026-11-27", "x-evidence: null")),
        ("removed schema in use", "seqino", "components:\n  schemas:\n    SetPeriodicityRequest: null\n".into()),
        ("removed operation in use", "seqino", "paths:\n  /clients/{client_id}:\n    get: null\n".into()),
        ("removed field in use", "seqino", "components:\n  schemas:\n    Mandate:\n      required: [id, client_id, status]\n      properties:\n        start_date: null\n".into()),
        ("changed field in use", "seqino", "components:\n  schemas:\n    Mandate:\n      properties:\n        created_at: {type: integer, format: null}\n".into()),
        ("renamed key without x-rust-name", "safedebit", renamed(", x-rust-name: datas", "")),
        ("renamed key, example forgotten", "safedebit", renamed("datas: null, data:", "datas:")),
        ("renamed key, required list forgotten", "safedebit", renamed("      required: [result, data]\n", "")),
        ("two fields of one name", "safedebit", renamed("        umr: null\n", "")),
        ("new required value of a request in use", "easytransac",
            "components:\n  schemas:\n    GenerateTokenRequest:\n      required: [apiKey, scope]\n      properties:\n        scope: {type: string}\npaths:\n  /auth:\n    post:\n      requestBody:\n        content:\n          application/json:\n            example: {scope: all}\n".into()),
        ("new required field, not in the example", "seqino", "components:\n  schemas:\n    SetPeriodicityRequest:\n      required: [vat_regime, first_month]\n      properties:\n        first_month: {type: integer}\n".into()),
        ("operation without evidence", "seqino", operation("      x-evidence: observed 2026-11-27\n", "")),
        ("operation with a taken name", "seqino", operation("get_language", "get_client")),
        ("operation with an unknown schema", "seqino", operation("schemas/Language'", "schemas/Langauge'")),
        ("operation without an example", "seqino", operation("              example: {language: fr}\n", "")),
        ("operation under an unknown method", "seqino", operation("    get:\n", "    fetch:\n")),
        ("host of another company", "seqino", "paths:\n  /mandates/{mandate_id}:\n    servers: [{url: 'https://pdp.example.com'}]\n".into()),
        ("invalid pattern", "seqino", "components:\n  schemas:\n    Siren: {pattern: '^([0-9]'}\n".into()),
        ("form that a lowering expects", "seqino", "components:\n  schemas:\n    Siren: {description: x}\n    ClientOrClients: {anyOf: null, type: array, items: {$ref: '#/components/schemas/Client'}}\n".into()),
        ("unknown type", "seqino", "components:\n  schemas:\n    Siren: {type: text}\n".into()),
        ("minimum above the maximum", "seqino", "components:\n  schemas:\n    Siren: {minLength: 99, maxLength: 9}\n".into()),
    ];
    let mut all = String::new();
    for (what, vendor, patch) in mistakes {
        let said = refused(vendor, &patch);
        for line in said.lines() {
            let place = line.strip_prefix("my.patch.yaml:").unwrap_or_else(|| panic!("{what}: {line}"));
            let line_number: usize =
                place.split(':').next().unwrap().parse().unwrap_or_else(|_| panic!("{what}: {line}"));
            assert!(line_number <= patch.lines().count().max(1) && line.contains(". Fix: "), "{what}: {line}");
        }
        all += &format!("{what}\n{said}\n\n");
    }
    insta::with_settings!({prepend_module_to_snapshot => false, omit_expression => true, snapshot_path => "../snapshots"}, {
        insta::assert_snapshot!("patch-errors", all);
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    /// A patch without some lines is merged or refused in its own file, and nothing panics.
    #[test]
    fn damaged_patches_never_panic_the_build(from in 0_usize..60, lines in 1_usize..8) {
        for (vendor, patch) in [("safedebit", RENAMED), ("seqino", OPERATION)] {
            let mut kept: Vec<&str> = patch.lines().collect();
            let from = from % kept.len();
            kept.drain(from..(from + lines).min(kept.len()));
            if let Err(said) = apply(vendor, &kept.join("\n"), true) {
                prop_assert!(said.lines().all(|line| line.starts_with("my.patch.yaml:") && line.contains(". Fix: ")), "{}", said);
            }
        }
    }
}
