//! The data of each command: formats, schemas, columns, errors, quiet runs.

use crate::support::{Ended, Vendors, commands, folder, formatted, mandat};
use mandat::{DebitRef, MandateRef, Provider, sandbox::Fault};
use serde_json::Value;
use std::collections::BTreeSet;

/// Returns the schema that the program prints.
fn schema(name: &str) -> jsonschema::Validator {
    let (code, out, err) = mandat(&["schema", name]);
    assert_eq!(code, Some(0), "{name}: {err}");
    jsonschema::validator_for(&serde_json::from_str(&out).unwrap()).unwrap()
}

#[test]
fn json_of_each_command_matches_its_schema() {
    let file = folder("schemas").join("debtor.json");
    let debtor = r#"{"email": "abc@abc.com", "lastname": "A", "iban": "FR7630001007941234567890185", "address": "A",
                     "zipCode": "01000", "city": "A", "country": "FRA"}"#;
    std::fs::write(&file, debtor).unwrap();
    let file = file.to_str().unwrap();
    for (name, arguments, codes) in [
        ("status", &["--sandbox", "status"][..], [0, 0]),
        ("status", &["--sandbox", "status", "safedebit:nobody", "safedebit:XXXXXXXXXXXXX"], [5, 5]),
        ("status", &["--sandbox", "create", "easytransac", "--from", file, "--yes"], [0, 0]),
        ("status", &["--sandbox", "revoke", "safedebit:XXXXXXXXXXXXX", "--yes"], [0, 0]),
        ("debit", &["--sandbox", "debit"], [0, 0]),
        ("debit", &["--sandbox", "debit", "safedebit:umr=nobody/sdd=none"], [5, 5]),
        ("doctor", &["--sandbox", "doctor"], [0, 0]),
        ("probe", &["--sandbox", "probe"], [0, 0]),
        ("probe", &["--sandbox", "probe", "safedebit:nobody"], [5, 5]),
        ("table", &["table"], [0, 0]),
        ("table", &["table", "--debits"], [0, 0]),
        ("check", &["check", "bic", "BNPAFRPP", "BNPAFRP"], [1, 1]),
        ("check", &["check", "umr", "RUM_42"], [0, 0]),
        ("calendar", &["calendar"], [0, 0]),
        ("spec", &["spec", "versions"], [0, 0]),
        ("fields", &["create", "seqino", "--fields"], [0, 0]),
        ("schema", &["schema"], [0, 0]),
        ("preview", &["create", "easytransac", "--from", file, "--dry-run"], [0, 0]),
        ("row", &["--sandbox", "refresh"], [0, 0]),
    ] {
        let validator = schema(name);
        for (format, code) in ["json", "jsonl"].into_iter().zip(codes) {
            let arguments = formatted(arguments, format);
            let (ended, out, err) = mandat(&arguments);
            assert_eq!(ended, Some(code), "{arguments:?}: {err}");
            let values: Vec<Value> = match format {
                "json" => serde_json::from_str(&out).unwrap(),
                _ => out.lines().map(|line| serde_json::from_str(line).unwrap()).collect(),
            };
            assert!(!values.is_empty());
            for value in values {
                assert!(validator.is_valid(&value), "{name}: {value}: {:?}", validator.iter_errors(&value).next());
                assert!(!value.to_string().contains("\"nanos\""), "{value}");
            }
        }
        assert!(!validator.is_valid(&serde_json::json!({})), "{name}: the schema accepts anything");
    }
}

#[test]
fn one_mandate_has_one_json_form_and_all_reasons() {
    let (_, out, _) = mandat(&["--sandbox", "status", "--format", "json", "safedebit:XXXXXXXXXXXXX"]);
    let json: Value = serde_json::from_str(&out).unwrap();
    let typed: mandat::Verdict = serde_json::from_value(json[0]["verdict"].clone()).unwrap();
    let texts: Vec<String> = typed.reasons().iter().map(ToString::to_string).collect();
    assert_eq!(json[0]["reasons"], serde_json::json!(texts));
    serde_json::from_value::<mandat::Mandate>(json[0]["mandate"].clone()).unwrap();
    let (_, csv, _) = mandat(&["--sandbox", "status", "--format", "csv", "safedebit:XXXXXXXXXXXXX"]);
    assert_eq!(crate::support::rows(&csv)[0]["reasons"], texts.join("; "));
}

#[test]
fn errors_in_json_are_objects_with_their_kind() {
    let vendors = Vendors::start("json-errors");
    let error = schema("error");
    let read = |ended: &Ended| -> Value {
        assert_eq!(ended.out, "");
        let value = serde_json::from_str(&ended.err).unwrap();
        assert!(error.is_valid(&value), "{value}");
        value
    };
    for (arguments, code, kind) in [
        (&["status", "--format", "json", "stripe:1"][..], 2, "Usage"),
        (&["status", "--json", "--columns", "status"], 2, "Usage"),
        (&["check", "--format", "jsonl", "ibna", "x"], 2, "Usage"),
        (&["refresh", "--format=json", "/nowhere/at/all"], 1, "Failure"),
        (&["watch", "--json", "safedebit:nobody"], 5, "NotFound"),
        (&["watch", "--json"], 2, "Usage"),
        (&["debit", "--json"], 2, "Usage"),
        (&["refresh", "--json"], 2, "Usage"),
        (&["probe", "--json", "safedebit:RUM-1", "safedebit:RUM-2", "--patch", "patch.yaml"], 2, "Usage"),
    ] {
        let ended = vendors.mandat(arguments);
        assert_eq!(ended.code, Some(code), "{ended:?}");
        assert_eq!(read(&ended)["error"]["kind"], kind, "{ended:?}");
    }
    let message = read(&vendors.mandat(&["report", "--format=json"]))["error"]["message"].clone();
    assert_eq!(message, "unexpected argument '--format' found");
    let message = read(&vendors.mandat(&["refresh", "--json", "--resume", "in.csv"]))["error"]["message"].clone();
    assert_eq!(message, "the following required arguments were not provided: --out <FILE>");
    vendors.sandbox.inject(Fault::status(429).on("search_mandate"));
    let ended = vendors.mandat(&["status", "--json", "safedebit:XXXXXXXXXXXXX"]);
    let value: Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(
        (&value["reference"], &value["error"]["kind"], &value["error"]["http_status"], &value["error"]["retryable"]),
        (&"safedebit:XXXXXXXXXXXXX".into(), &"RateLimited".into(), &429.into(), &true.into()),
        "{ended:?}"
    );
}

#[test]
fn misspelt_column_and_schema_get_a_suggestion() {
    for (arguments, expected) in [
        (&["table", "--columns", "vendr,word"][..], "no column `vendr`. Did you mean `vendor`?"),
        (&["--sandbox", "status", "--columns", "Observed At,reson"], "Did you mean `reasons`?"),
        (&["--sandbox", "refresh", "--columns", "last_acknowleged"], "Did you mean `last_acknowledged`?"),
        (&["schema", "statuss"], "Did you mean `status`?"),
        (&["create", "safe-debit", "--fields"], "Did you mean `safedebit`?"),
    ] {
        let (code, out, err) = mandat(arguments);
        assert_eq!((code, out.as_str()), (Some(2), ""), "{err}");
        assert!(err.contains(expected), "{err}");
    }
    let (code, out, _) = mandat(&["table", "--columns", "Word,VENDOR", "--format", "csv"]);
    assert_eq!((code, out.lines().next()), (Some(0), Some("word,vendor")));
}

#[test]
fn misspelt_vendor_gets_a_suggestion_in_every_form_of_a_reference() {
    for text in ["SafeDebit:RUM1", " safedebit:RUM1", "safe-debit:RUM1", "safdebit:RUM1", "safedebti:RUM1"] {
        let error = text.parse::<MandateRef>().unwrap_err().to_string();
        assert!(error.contains("Did you mean `safedebit:`?") && !error.contains("RUM1"), "{text}: {error}");
        let text = text.replace("RUM1", "umr=RUM1/sdd=2");
        let error = text.parse::<DebitRef>().unwrap_err().to_string();
        assert!(error.contains("Did you mean `safedebit:`?") && !error.contains("RUM1"), "{text}: {error}");
    }
    for (text, meant) in [("Seqino:a/b", "seqino"), ("Seqino PDP:a/b", "seqino"), ("easytransact:1", "easytransac")] {
        let error = text.parse::<MandateRef>().unwrap_err().to_string();
        assert!(error.contains(&format!("Did you mean `{meant}:`?")), "{text}: {error}");
    }
    assert!("easytransak".parse::<Provider>().unwrap_err().to_string().contains("Did you mean `easytransac`?"));
    for text in ["stripe:1", "RUM-1", "", ":", "FR76 3000 1007 9412 3456 7890 185"] {
        assert!(!text.parse::<MandateRef>().unwrap_err().to_string().contains("Did you mean"), "{text}");
    }
    // A row of a file gets the suggestion, too.
    let vendors = Vendors::start("suggestion");
    vendors.write("in.csv", "reference\nSafeDebit:RUM1\nsafedebit:XXXXXXXXXXXXX\n");
    let ended = vendors.mandat(&["refresh", "in.csv"]);
    assert!(ended.code == Some(3) && ended.out.contains("Did you mean `safedebit:`?"), "{ended:?}");
}

#[test]
fn quiet_run_prints_only_data_and_errors() {
    let vendors = Vendors::start("quiet");
    vendors.write("in.csv", "reference\nsafedebit:XXXXXXXXXXXXX\n");
    assert_eq!(vendors.mandat(&["--quiet", "refresh", "in.csv"]).err, "");
    assert_eq!(vendors.mandat(&["refresh", "-q", "in.csv"]).err, "");
    let ended = vendors.mandat(&["probe", "--quiet", "safedebit:XXXXXXXXXXXXX"]);
    assert!(ended.err.is_empty() && ended.out.contains("matches"), "{ended:?}");
    let ended = vendors.mandat(&["status", "--quiet", "safedebit:nobody"]);
    assert!(ended.code == Some(5) && ended.err.contains("not found"), "{ended:?}");
}

#[test]
fn summary_of_a_run_is_also_json() {
    let vendors = Vendors::start("summary");
    vendors.write("in.csv", "reference\nsafedebit:XXXXXXXXXXXXX\nstripe:1\nsafedebit:nobody\n");
    let ended = vendors.mandat(&["refresh", "in.csv", "--out", "out.csv", "--summary", "json", "--quiet"]);
    let summary: Value = serde_json::from_str(&ended.err).unwrap();
    assert!(schema("summary").is_valid(&summary), "{summary}");
    assert_eq!(
        (ended.code, &summary["rows"], &summary["not_read"], &summary["unknown_to_the_vendor"]),
        (Some(3), &3.into(), &1.into(), &1.into())
    );
    assert_eq!((&summary["statuses"]["Active"], &summary["causes"][0]["lines"]), (&1.into(), &serde_json::json!([3])));
}

#[test]
fn rows_in_each_format_name_the_same_mandates() {
    let vendors = Vendors::start("row-formats");
    vendors.write("in.csv", "reference\nsafedebit:XXXXXXXXXXXXX\neasytransac:abcabcabcabcabcabc12\n");
    let json: Vec<Value> =
        serde_json::from_str(&vendors.mandat(&["refresh", "in.csv", "--format", "json"]).out).unwrap();
    let references: Vec<_> = json.iter().map(|row| row["reference"].as_str().unwrap()).collect();
    assert_eq!(references, ["safedebit:XXXXXXXXXXXXX", "easytransac:abcabcabcabcabcabc12"]);
    vendors.mandat(&["refresh", "in.csv", "--format", "json", "--out", "out.json"]);
    let written: Vec<Value> = serde_json::from_str(&vendors.read("out.json")).unwrap();
    assert_eq!(written.len(), 2);
    let ended = vendors.mandat(&["refresh", "in.csv", "--columns", "status,reference", "--format", "csv"]);
    assert_eq!(ended.out.lines().nth(1), Some("Active,safedebit:XXXXXXXXXXXXX"));
    let ended = vendors.mandat(&["refresh", "in.csv", "--format", "table"]);
    assert!(ended.out.starts_with("safedebit:XXXXXXXXXXXXX\tActive\t"), "{ended:?}");
    let ended = vendors.mandat(&["refresh", "in.csv", "--format", "table", "--out", "table"]);
    assert_eq!((ended.code, vendors.files().contains(&"table".to_owned())), (Some(2), false), "{ended:?}");
    vendors.write("in.csv", "reference\n");
    assert_eq!(vendors.mandat(&["refresh", "in.csv", "--format", "json"]).out, "[]\n");
}

#[test]
fn connection_options_are_refused_by_commands_without_a_vendor() {
    for arguments in [
        &["--sandbox", "table"][..],
        &["--env-file", "x", "check", "iban", "x"],
        &["--rate", "3", "calendar"],
        &["--allow-plain-http-to", "x", "schema"],
        &["table", "--sandbox"],
        &["sandbox", "--sandbox"],
    ] {
        let (code, out, err) = mandat(arguments);
        assert_eq!((code, out.as_str()), (Some(2), ""), "{arguments:?}: {err}");
    }
    for help in ["table", "check", "calendar", "sandbox", "spec", "schema", "man", "completions"] {
        let (_, out, _) = mandat(&[help, "--help"]);
        assert!(!out.contains("--env-file") && !out.contains("      --sandbox"), "{out}");
    }
}

#[test]
fn each_command_has_a_manual_page_and_an_example() {
    let pages = folder("man").join("share/man1");
    let (code, _, err) = mandat(&["man", pages.to_str().unwrap()]);
    assert_eq!(code, Some(0), "{err}");
    // The help lists each command that has no page, too.
    let (_, help, _) = mandat(&["--help"]);
    let listed = help.split("Commands:\n").nth(1).unwrap().split("\n\n").next().unwrap();
    let listed = listed.lines().filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let listed = listed.map(|line| line.split_whitespace().next().unwrap().to_owned()).filter(|name| name != "help");
    let names: BTreeSet<String> = commands("man-names").into_iter().chain(listed).collect();
    for name in names {
        let words: Vec<&str> = name.split(' ').chain(["--help"]).collect();
        let (_, help, _) = mandat(&words);
        assert!(help.contains("Example") && help.contains(&format!("mandat {name}")), "{name}: {help}");
        let page = std::fs::read_to_string(pages.join(format!("mandat-{}.1", name.replace(' ', "-")))).unwrap();
        assert!(page.contains(".TH") && page.contains("Example"), "{name}: {page}");
    }
    assert!(pages.join("mandat.1").exists() && pages.join("mandat-spec-print.1").exists());
    assert!(mandat(&["man"]).1.contains("SAFEDEBIT"));
}

#[test]
fn addresses_of_a_sandbox_are_also_json() {
    use std::io::{BufRead, BufReader};
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_mandat"))
        .args(["sandbox", "--json", "--listen", "127.0.0.1:0"])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let line = BufReader::new(child.stdout.take().unwrap()).lines().next().unwrap().unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    let form: Value = serde_json::from_str(&line).unwrap();
    assert!(schema("sandbox").is_valid(&form), "{form}");
    assert_eq!(form["vendors"].as_array().unwrap().len(), Provider::ALL.len());
    assert!(form["vendors"][1]["url"].as_str().unwrap().contains(form["address"].as_str().unwrap()), "{form}");
}
