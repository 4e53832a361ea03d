//! When a vendor changes its API, a developer edits the spec, and compiler errors show each place that must follow.
//! This test makes such changes as `specs/README.md` describes.
//!
//! The test is slow, because it builds copies of the crate. Run it with `cargo test --test change_drill -- --ignored`.

mod elsewhere;

use elsewhere::{CompilerError, Copy};
use std::{
    collections::BTreeSet,
    sync::{Mutex, MutexGuard, PoisonError},
};

const README: &str = include_str!("../specs/README.md");

/// The arguments with which cargo builds and tests the library, the tests in `tests/promises`, and the package that
/// depends on the crate.
const ALL: [&str; 4] = ["--workspace", "--lib", "--test", "promises"];

/// A folder for tests that take turns. One compiler process uses one core, so tests in different folders run beside one
/// another.
struct Folder {
    name: &'static str,
    turn: Mutex<()>,
}

/// Here cargo builds the crate and runs its tests.
static BUILT: Folder = Folder { name: "drill", turn: Mutex::new(()) };
/// Here cargo checks the crate, which takes less time than a build and reports the same errors.
static CHECKED: Folder = Folder { name: "drill-checked", turn: Mutex::new(()) };

/// Copies the crate into the same folder on each run, so that cargo rebuilds little. Beside the crate stands a package
/// that depends on it, configured as `specs/README.md` advises a user.
fn drill(folder: &'static Folder) -> (Copy, MutexGuard<'static, ()>) {
    let guard = folder.turn.lock().unwrap_or_else(PoisonError::into_inner);
    let copy = Copy::of_the_crate(folder.name);
    let living = README.split_once("## Living with a change").unwrap().1;
    let toml = &blocks(living, "toml")[0];
    let (dependencies, patch) = toml.split_at(toml.find("[patch").unwrap());
    let workspace = "[workspace]\nresolver = \"3\"\nmembers = [\"copy\", \"user\"]\n\n";
    copy.write(
        "../Cargo.toml",
        &format!("{workspace}{}\n{}", patch.replace("../mandat", "copy"), elsewhere::profiles()),
    );
    let package = "[package]\nname = \"user\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n";
    let more = "\n[dev-dependencies]\nmandat = { version = \"0.1\", features = [\"sandbox\"] }\n\
                tokio = { version = \"1\", features = [\"macros\", \"rt-multi-thread\"] }\n";
    copy.write("../user/Cargo.toml", &format!("{package}{}{more}", dependencies.trim_end()));
    copy.write("../user/src/lib.rs", include_str!("elsewhere/dependent.rs"));
    copy.write("../user/src/tomorrow.rs", &blocks(living, "rust")[0]);
    (copy, guard)
}

/// Returns the fenced code blocks of one kind in the chapter of `specs/README.md` about a change.
fn blocks(page: &str, kind: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut lines = page.lines().take_while(|line| !line.starts_with("## "));
    let _heading = lines.next();
    while let Some(line) = lines.next() {
        let Some((indent, fence)) = line.split_once("```") else { continue };
        let block = lines.by_ref().take_while(|line| !line.trim_start().starts_with("```"));
        let block = block.map(|line| line.strip_prefix(indent).unwrap_or(line).to_owned() + "\n").collect();
        if fence == kind {
            found.push(block);
        }
    }
    found
}

/// Splits a diff into hunks. Each hunk has the path of the file, the lines before the change, and the lines after.
fn hunks(diff: &str) -> Vec<(String, String, String)> {
    let mut found: Vec<(String, String, String)> = Vec::new();
    for line in diff.lines() {
        if let Some(path) = line.strip_prefix("+++ ") {
            found.push((path.into(), String::new(), String::new()));
        } else if line == "@@" {
            let path = found.last().unwrap().0.clone();
            found.push((path, String::new(), String::new()));
        } else {
            let (_, before, after) = found.last_mut().unwrap();
            let text = line.get(1..).unwrap_or_default().to_owned() + "\n";
            if !line.starts_with('+') {
                before.push_str(&text);
            }
            if !line.starts_with('-') {
                after.push_str(&text);
            }
        }
    }
    found
}

/// Returns each line that occurs more often in one text than in the other: `- old` or `+ new`, once each.
fn difference(before: &str, after: &str) -> Vec<String> {
    let (old, new): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let gone = old.iter().filter(|line| count(&old, line) > count(&new, line)).map(|line| format!("- {line}"));
    let come = new.iter().filter(|line| count(&new, line) > count(&old, line)).map(|line| format!("+ {line}"));
    let mut lines: Vec<String> = Vec::new();
    for line in gone.chain(come) {
        // The number of lines of generated code changes with any edit, and `source:` in a snapshot depends on the root
        // of the workspace. So the comparison ignores both.
        let beside = line.ends_with(" lines of Rust") || line[2..].starts_with("source: ");
        if !beside && !lines.contains(&line) {
            lines.push(line);
        }
    }
    lines
}

fn count(lines: &[&str], line: &str) -> usize {
    lines.iter().filter(|other| **other == line).count()
}

fn snapshot(copy: &Copy, name: &str) -> String {
    let folder = if name.starts_with("requests") { "src/transport/snapshots" } else { "tests/promises/snapshots" };
    copy.read(&format!("{folder}/{name}.snap"))
}

fn places(errors: &[CompilerError]) -> Vec<(&str, &str)> {
    errors.iter().map(|error| (error.file.as_str(), error.code.as_str())).collect()
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(ToString::to_string).collect()
}

#[test]
#[ignore = "builds the crate twice; .ci/run runs it"]
fn steps_in_the_specs_readme_suffice_to_add_a_status_word() {
    let (copy, _guard) = drill(&BUILT);
    let walk = README.split_once("## One change, walked through").unwrap().1;
    let mut diffs = blocks(walk, "diff").into_iter().map(|diff| hunks(&diff));
    let word = diffs.next().unwrap();
    let (shown, decided): (Vec<_>, Vec<_>) = diffs.flatten().partition(|(path, ..)| path.ends_with(".snap"));

    word.iter().for_each(|(path, before, after)| copy.change(path, before, after));
    let said = copy.cargo_fails(&[&["build"][..], &ALL].concat());
    // Compare without line numbers, which change often.
    let plain = |line: &str| -> String { line.chars().filter(|c| !c.is_whitespace() && !c.is_ascii_digit()).collect() };
    let line = blocks(walk, "text").remove(0);
    assert!(plain(&said).contains(&plain(&line)), "the page shows {line:?}, but cargo prints\n{said}");

    decided.iter().for_each(|(path, before, after)| copy.change(path, before, after));
    let (failed, said) = copy.failing_tests(&ALL);
    let expected = [
        "generated_surface::public_items_of_the_generated_clients_match_the_snapshot",
        "vocabulary::meaning_of_each_status_word_matches_the_snapshot",
        "evidence::evidence_marks_of_the_specs_match_the_snapshots",
        // This test is in the dependent package. It fails because the new release of the crate knows the status word.
        "tests::unknown_status_word_is_read_as_unrecognized",
    ];
    assert_eq!(failed, set(&expected), "{said}");

    let names =
        ["surface-easytransac", "surface-safedebit", "surface-seqino", "vocabulary", "evidence-seqino", "quickstart"];
    let before = names.map(|name| snapshot(&copy, name));
    copy.accept(&["-p", "mandat", "--test", "promises", "--", expected[0], expected[1], expected[2]]);
    let mut differs = Vec::new();
    for (name, before) in names.iter().zip(&before) {
        let path = format!("tests/promises/snapshots/{name}.snap");
        differs.extend(difference(before, &snapshot(&copy, name)).into_iter().map(|line| (path.clone(), line)));
    }
    let shown: Vec<_> = shown.into_iter().map(|(path, _, line)| (path, format!("+ {}", line.trim_end()))).collect();
    assert_eq!(differs, shown);
}

#[test]
#[ignore = "builds the crate three times; .ci/release runs it"]
fn additions_to_a_spec_change_snapshots_and_fail_tests() {
    let (copy, _guard) = drill(&BUILT);
    // Add a new status word at two vendors, without a meaning in the code of one of them. The compiler must report one
    // error for each word.
    let (easytransac, safedebit, seqino) = ("specs/easytransac.yaml", "specs/safedebit.yaml", "specs/seqino.yaml");
    copy.change(easytransac, "[active, invalid, pending]", "[active, invalid, pending, paused]");
    copy.change(safedebit, r#"["1", "2", "3", "4", "5", "6"]"#, r#"["1", "2", "3", "4", "5", "6", "7"]"#);
    copy.change(safedebit, "AwaitingSignature, AwaitingActivation]", "AwaitingSignature, AwaitingActivation, Closed]");
    let last = "        - Waiting for activation. We infer that the mandate is signed and not yet in force.\n";
    copy.change(safedebit, last, &format!("{last}        - Closed.\n"));
    let said = copy.cargo_fails(&[&["build"][..], &ALL].concat());
    for told in ["specs/easytransac.yaml:", "the word \"paused\" has no x-status", "the word \"7\" has no x-status"] {
        assert!(said.contains(told), "{told}: {said}");
    }
    let pending = "        pending: {status: Pending, x-evidence: inferred}\n";
    copy.change(
        easytransac,
        pending,
        &format!("{pending}        paused: {{status: Suspended, x-evidence: inferred}}\n"),
    );
    let activation = "        '6': {status: AwaitingActivation, x-evidence: partial}\n";
    copy.change(
        safedebit,
        activation,
        &format!("{activation}        '7': {{status: Revoked, x-evidence: inferred}}\n"),
    );

    // Add an optional field, which no example contains, to a request and to a response.
    let reason = "        revoque_reason:";
    let date = "        revoque_date: {$ref: '#/components/schemas/FrenchDate'}\n";
    copy.change_after(safedebit, "    RevoqueMandateRequest:\n", reason, &format!("{date}{reason}"));
    let fields = "      properties:\n";
    let signed = format!("{fields}        signed: {{type: boolean}}\n");
    copy.change_after(easytransac, "    MandateReading:\n", fields, &signed);
    // Rename a field that no code uses.
    copy.change(safedebit, "otu_sms: true}", "otu_text: true}");
    copy.change(safedebit, "        otu_sms: {", "        otu_text: {");
    // Shorten the maximum length of a text.
    copy.change_after(safedebit, "    ReturnUrl:\n", "maxLength: 256", "maxLength: 200");
    // Remove an operation that no code calls.
    copy.remove_path(safedebit, "/update_beneficiary");
    copy.remove_schema(safedebit, "UpdateBeneficiaryRequest");
    // Add a required field to a request. The build must demand the field in the example, too.
    copy.change(
        seqino,
        "required: [vat_regime, transaction_periodicity, payment_periodicity]\n      properties:\n",
        "required: [vat_regime, first_month, transaction_periodicity, payment_periodicity]\n      properties:\n        \
         first_month: {type: integer, minimum: 1, maximum: 12}\n",
    );
    let said = copy.cargo_fails(&[&["build"][..], &ALL].concat());
    assert!(
        said.contains(
            "the example of the request body of `set_periodicity` lacks `first_month`, which is required. Fix: add it"
        ),
        "{said}"
    );
    copy.change(seqino, "{vat_regime: real_normal_monthly,", "{vat_regime: real_normal_monthly, first_month: 1,");
    // Add a new operation.
    copy.change(
        seqino,
        "  /settings/periodicity:\n",
        "  /settings/language:\n    get:\n      operationId: get_language\n      x-evidence: documented\n      x-source: \
         https://example.com/language\n      responses:\n        '200':\n          description: The language.\n          \
         content:\n            application/json:\n              schema: {$ref: '#/components/schemas/Language'}\n\
         \x20             example: {language: fr}\n\n  /settings/periodicity:\n",
    );
    copy.change(
        seqino,
        "    SetPeriodicityRequest:\n",
        "    Language:\n      type: object\n      properties: {language: {type: string}}\n\n    SetPeriodicityRequest:\n",
    );

    let (failed, said) = copy.failing_tests(&ALL);
    let expected = [
        "generated_surface::public_items_of_the_generated_clients_match_the_snapshot",
        "vocabulary::meaning_of_each_status_word_matches_the_snapshot",
        "readme::status_table_in_the_readme_matches_the_vocabulary",
        "readme::page_of_each_vendor_lists_every_status_word",
        // Easytransac can now return the status Suspended, so the quickstart must show a further status.
        "quickstart::quickstart_shows_every_reachable_status_and_an_unknown_word",
        "transport::tests::safedebit::requests_match_the_spec_examples",
        "transport::tests::seqino::requests_match_the_spec_examples",
        // One operation was added and one removed, so the evidence marks and the tables about them change.
        "evidence::evidence_marks_of_the_specs_match_the_snapshots",
        "evidence::evidence_table_in_the_specs_readme_matches_the_specs",
        "evidence::table_of_described_operations_lists_all_operations_of_seqino",
        // The spec describes more fields than the reports of probes have seen.
        "reports::each_report_becomes_a_fixture_and_a_list_of_findings",
        "site::page_on_evidence_counts_the_marks_of_the_specs",
        // The sandbox does not simulate the new operation yet, so this test of the sandbox must fail.
        "sandbox::contract::every_sandbox_response_is_described_by_its_spec",
        "sandbox::seqino::sandbox_accepts_the_example_requests_of_the_specs",
        // These tests belong to the package that depends on the crate.
        "tests::return_url_of_256_characters_is_accepted",
        "tests::monthly_transmission_is_accepted",
    ];
    assert_eq!(failed, set(&expected), "{said}");
    for told in [
        "`first_month` is missing; calls: 0",
        "get_language",
        "`url_ok` is not valid: the value has 256 characters, at most 200 are allowed; calls: 0",
    ] {
        assert!(said.contains(told), "{told}: {said}");
    }

    let names = ["surface-easytransac", "surface-safedebit", "surface-seqino", "requests-safedebit", "requests-seqino"];
    let before = names.map(|name| snapshot(&copy, name));
    for part in [["--test", "promises", "generated_surface"], ["--lib", "--", "requests_match_the_spec_examples"]] {
        copy.accept(&[&["-p", "mandat"][..], &part].concat());
    }
    let differs: Vec<_> =
        names.iter().zip(before).map(|(name, old)| difference(&old, &snapshot(&copy, name))).collect();
    let surfaces: [&[&str]; 3] = [
        &["+     Paused \"paused\"", "+     signed: Option<Flag>"],
        &[
            "+     Closed \"7\"",
            "+     revoque_date: Option<FrenchDate>",
            "- text ReturnUrl [0..=256] (masked)",
            "+ text ReturnUrl [0..=200] (masked)",
            "-     otu_sms: Option<Flag>",
            "+     otu_text: Option<Flag>",
            "- UpdateBeneficiary(body: UpdateBeneficiaryRequest) -> Done",
            "- struct UpdateBeneficiaryRequest",
            "-     beneficiary_reference: BeneficiaryReference",
            "-     iban: Option<Iban>",
            "-     ics: Option<Ics>",
        ],
        &[
            "+     first_month: Int<1, 12>",
            "+ GetLanguage() -> Language",
            "+ struct Language",
            "+     language: Option<String>",
            "+     extra: Extra",
        ],
    ];
    for (differs, expected) in differs.iter().zip(surfaces) {
        assert_eq!(
            BTreeSet::from_iter(differs.iter().map(String::as_str)),
            BTreeSet::from_iter(expected.iter().copied())
        );
    }
    for (differs, line) in [
        (&differs[3], "-   \"otu_sms\": true,"),
        (&differs[3], "+   \"otu_text\": true,"),
        (&differs[3], "- --- update_beneficiary"),
        (&differs[4], "+ --- get_language"),
        (&differs[4], "+   \"first_month\": 1,"),
    ] {
        assert!(differs.iter().any(|differs| differs == line), "{line}: {differs:?}");
    }
}

#[test]
#[ignore = "builds the crate; .ci/run runs it"]
fn removals_from_a_spec_cause_compiler_errors() {
    let (copy, _guard) = drill(&CHECKED);
    let safedebit = "specs/safedebit.yaml";
    let as_it_is = copy.read(safedebit);
    // Tests of the crate and the dependent package both use this field and this operation.
    copy.write(safedebit, &as_it_is.replace("url_ok", "url_success"));
    copy.remove_path(safedebit, "/get_available_files");
    let errors = copy.errors(&ALL);
    let mut expected = set(&[
        "tests/promises/../../examples/quickstart.rs: `url_ok`",
        "user/src/lib.rs: `get_available_files`",
        "user/src/lib.rs: `url_ok`",
    ]);
    // Rename the field in all tests, because every test that sets the field fails to compile.
    for path in copy.files("tests/promises").into_keys() {
        let path = path.strip_prefix(copy.path()).unwrap().to_str().unwrap();
        if path.ends_with(".rs") && copy.read(path).contains(".url_ok(") {
            expected.insert(format!("{path}: `url_ok`"));
        }
    }
    let missing = |error: &CompilerError| format!("{}: `{}`", error.file, error.shown.split('`').nth(1).unwrap());
    let found: BTreeSet<String> = errors.iter().map(missing).collect();
    assert_eq!(found, expected, "{errors:?}");
    assert!(errors.iter().all(|error| error.code == "E0599"), "{errors:?}");
    copy.write(safedebit, &as_it_is);

    // The library itself uses this response field, this list and this operation.
    let reading = "    MandateReading:\n";
    copy.change_after("specs/easytransac.yaml", reading, "        dateCreated:", "        createdOn:");
    let status = "operationId: get_mandate_status";
    copy.change_after(
        "specs/easytransac.yaml",
        status,
        "                  dateCreated:",
        "                  createdOn:",
    );
    let answer = "    SearchMandateResponse:\n";
    copy.change_after(safedebit, answer, "[result, datas]", "[result, data]");
    copy.change_after(safedebit, answer, "        datas:", "        data:");
    let said = copy.cargo_fails(&[&["check"][..], &ALL].concat());
    assert!(said.contains("the example of the response 200 of `search_mandate` lacks `data`"), "{said}");
    copy.change(safedebit, "{result: true, datas: [{umr:", "{result: true, data: [{umr:");
    copy.remove_path("specs/seqino.yaml", "/clients/{client_id}");
    let errors = copy.errors(&ALL);
    let expected = [
        ("src/vendors/easytransac/adapter.rs", "E0026"),
        ("src/vendors/safedebit/adapter.rs", "E0609"),
        ("src/vendors/safedebit/adapter.rs", "E0609"),
        ("src/vendors/seqino/adapter.rs", "E0599"),
    ];
    assert_eq!(places(&errors), expected, "{errors:?}");
}

#[test]
#[ignore = "builds the crate; .ci/run runs it"]
fn build_writes_only_changed_files_in_its_own_folder() {
    let (copy, _guard) = drill(&CHECKED);
    let sources = copy.files(".");
    let made = copy.made_by_the_build_script(&[]);
    assert_eq!(made.len(), 19, "{made:?}");
    assert_eq!(copy.files("."), sources, "the build must write only into OUT_DIR");
    // A new comment in a spec must not change the generated code.
    copy.write("specs/seqino.yaml", &(copy.read("specs/seqino.yaml") + "# read again\n"));
    assert_eq!(copy.made_by_the_build_script(&[]), made);
    // The build must not generate code for a vendor whose feature is disabled.
    let alone = copy.made_by_the_build_script(&["--no-default-features", "--features", "seqino"]);
    assert_eq!(alone.len(), 7, "{alone:?}");
}

/// A package that depends on the packed crate, with its own patches.
fn patched_user() -> Copy {
    let packed = Copy::packed("package");
    let user = Copy::empty("package-user").with_built_dependencies();
    user.write(".cargo/config.toml", "[env]\nMANDAT_SPECS = { value = \"specs\", relative = true }\n");
    let path = packed.path().display().to_string();
    user.write(
        "Cargo.toml",
        &format!(
            "[package]\nname = \"user\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n[dependencies]\n\
             mandat = {{ path = {path:?}, features = [\"sandbox\", \"schemars\"] }}\n{}\n{}",
            elsewhere::dependencies(),
            elsewhere::profiles()
        ),
    );
    user.write("src/bin/patched.rs", include_str!("elsewhere/patched.rs"));
    user.write("src/bin/probed.rs", include_str!("elsewhere/probed.rs"));
    user.write("Cargo.lock", &packed.read("Cargo.lock"));
    user
}

const PATCHES: [(&str, &str); 3] = [
    ("easytransac", include_str!("elsewhere/easytransac.patch.yaml")),
    ("safedebit", include_str!("elsewhere/safedebit.patch.yaml")),
    ("seqino", include_str!("elsewhere/seqino.patch.yaml")),
];

#[test]
#[ignore = "builds the packed crate; .ci/run runs it"]
fn patches_of_a_user_change_the_packed_crate() {
    let user = patched_user();
    for (vendor, patch) in PATCHES {
        user.write(&format!("specs/{vendor}.patch.yaml"), patch);
    }
    assert_eq!(user.cargo(&["run", "--quiet", "--bin", "patched"]).trim(), "patched");
    let said = user.cargo(&["build", "--bin", "patched"]);
    assert!(!said.contains("mandat"), "nothing changed, and cargo builds again:\n{said}");
    // The removed operation is gone from the user's code.
    user.write(
        "src/bin/removed.rs",
        "fn main() {}\npub fn limits(client: &mandat::seqino::Client) {\n    let _ = client.get_usage_limits();\n}\n",
    );
    let said = user.cargo_fails(&["build", "--bin", "removed"]);
    assert!(said.contains("E0599") && said.contains("src/bin/removed.rs:3"), "{said}");

    // Mistakes: each error of the build names the user's file and line.
    let place = user.path().join("specs").display().to_string();
    let (name, patch) = PATCHES[2];
    let seqino = format!("specs/{name}.patch.yaml");
    let line = 1 + patch.lines().position(|line| line.contains("x-extensible-enum: [processing")).unwrap();
    user.write(&seqino, &patch.replace("paused: {status", "pause: {status"));
    let said = user.cargo_fails(&["build", "--bin", "patched"]);
    let expected = format!("{place}/seqino.patch.yaml:{line}:");
    assert!(said.contains(&expected) && said.contains("the word \"paused\" has no x-status. Fix: "), "{said}");
    user.write(&seqino, patch);
    user.write("specs/seqinoo.patch.yaml", "");
    let said = user.cargo_fails(&["build", "--bin", "patched"]);
    assert!(said.contains(&format!("{place}/seqinoo.patch.yaml: it belongs to no vendor. Fix: ")), "{said}");
    user.remove("specs/seqinoo.patch.yaml");
    user.write("specs/seqino.yaml", "");
    let said = user.cargo_fails(&["build", "--bin", "patched"]);
    assert!(said.contains("Fix: keep one of the two"), "{said}");
    user.remove("specs/seqino.yaml");

    // Build with the reports of probes as patches. The responses in the reports then match the spec.
    let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/promises/fixtures");
    for (vendor, _) in PATCHES {
        let read = |ending: &str| std::fs::read_to_string(format!("{fixtures}/changed-{vendor}.{ending}")).unwrap();
        user.write(&format!("specs/{vendor}.patch.yaml"), &read("patch.yaml"));
        user.write(&format!("src/bin/changed-{vendor}.json"), &read("json"));
    }
    let said = user.cargo(&["run", "--quiet", "--bin", "probed"]);
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.iter().filter(|line| line.ends_with(": matches")).count(), 3, "{said}");
    assert_eq!(lines.iter().filter(|line| line.ends_with(": Active")).count(), 3, "{said}");
    assert_eq!(lines.iter().filter(|line| line.contains(": patched ")).count(), 3, "{said}");

    // One vendor patched, two not.
    user.remove("specs/easytransac.patch.yaml");
    user.remove("specs/seqino.patch.yaml");
    let said = user.cargo(&["run", "--quiet", "--bin", "probed"]);
    assert!(said.contains("safedebit: SafeDebit search_mandate: matches"), "{said}");
    assert!(said.contains("seqino: Seqino PDP get_mandate: differs"), "{said}");
    assert!(said.contains("Easytransac: ours\nSafeDebit: patched ") && said.ends_with("Seqino PDP: ours\n"), "{said}");
}
