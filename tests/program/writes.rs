//! `mandat create`, `mandat revoke` and `mandat sign` send nothing without consent, and show no personal data. A lost
//! response leads to the next step.

use crate::{
    screen::on_terminal,
    support::{Ended, Running, Vendors},
};
use mandat::{MandateRef, sandbox::Fault};
use serde_json::Value;

const MANDATE: &str = r#"{"safedebit_consumer_reference": "XXXXXXXXXXXXX", "umr": "RUM-2026-0042",
    "url_ok": "https://example.com/ok", "url_ko": "https://example.com/ko", "url_cancel": "https://example.com/no"}"#;
const DEBTOR: &str = "email,lastname,iban,address,zipCode,city,country,callingCode\nabc@abc.com,Secret,\
                      FR7630001007941234567890185,Secret street,01000,Secretville,FRA,33\n";
const SCOPE: &str =
    r#"{"start_date": "2026-01-15T00:00:00Z", "directory_entry": {"siren": "123456789", "name": "Acme"}}"#;

fn vendors(test: &str) -> Vendors {
    let vendors = Vendors::start(test);
    vendors.write("mandate.json", MANDATE);
    vendors.write("debtor.csv", DEBTOR);
    vendors.write("scope.json", SCOPE);
    vendors
}

const SAFEDEBIT: [&str; 4] = ["create", "safedebit", "--from", "mandate.json"];

fn with<'a>(arguments: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    [arguments, more].concat()
}

#[test]
fn nothing_is_sent_without_consent() {
    let vendors = vendors("consent");
    for (more, code) in [(&["--dry-run"][..], 0), (&[], 2), (&["--fields"], 2)] {
        let ended = vendors.mandat(&with(&SAFEDEBIT, more));
        assert_eq!(ended.code, Some(code), "{ended:?}");
    }
    for (more, code) in [(&["--dry-run"][..], 0), (&[], 2)] {
        let ended = vendors.mandat(&with(&["revoke", "safedebit:XXXXXXXXXXXXX"], more));
        assert_eq!(ended.code, Some(code), "{ended:?}");
    }
    assert_eq!((vendors.sandbox.count("create_mandate"), vendors.sandbox.count("revoque_mandate")), (0, 0));
}

#[cfg(target_os = "linux")]
#[test]
fn only_yes_on_a_terminal_sends_the_request() {
    let vendors = vendors("answers");
    let command = vendors.command(&[]);
    let variables: Vec<(String, String)> = command
        .get_envs()
        .filter_map(|(name, value)| Some((name.to_str()?.into(), value?.to_str()?.into())))
        .filter(|(name, _): &(String, String)| name != "COLUMNS")
        .collect();
    let variables: Vec<(&str, &str)> = variables.iter().map(|(name, value)| (&**name, &**value)).collect();
    for typed in ["no\n", "\n", "yess\n", ""] {
        let shown = on_terminal(&SAFEDEBIT, typed, &vendors.folder, &variables);
        assert_eq!((shown.code, vendors.sandbox.count("create_mandate")), (1, 0), "{}", shown.screen);
        assert!(shown.screen.contains("nothing was sent"), "{}", shown.screen);
    }
    let shown = on_terminal(&SAFEDEBIT, "yes\n", &vendors.folder, &variables);
    assert_eq!((shown.code, vendors.sandbox.count("create_mandate")), (0, 1), "{}", shown.screen);
    assert!(shown.screen.contains("AwaitingSignature"), "{}", shown.screen);
}

#[test]
fn created_mandate_is_read_back_and_has_the_form_of_a_status() {
    let vendors = vendors("created");
    let ended = vendors.mandat(&with(&SAFEDEBIT, &["--yes", "--format", "jsonl"]));
    let created: Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!((ended.code, &created["mandate"]["source"]), (Some(0), &"Read".into()), "{ended:?}");
    assert!(created["signature_url"].as_str().unwrap().contains("/pages/"));
    let read: Value =
        serde_json::from_str(&vendors.mandat(&["status", "--json", "safedebit:RUM-2026-0042"]).out).unwrap();
    let keys = |form: &Value| form["mandate"].as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&created), keys(&read));
    let stored: mandat::Mandate = serde_json::from_value(read["mandate"].clone()).unwrap();
    assert_eq!(stored.reference, MandateRef::safedebit("RUM-2026-0042"));
}

#[test]
fn each_vendor_takes_its_own_fields() {
    let vendors = vendors("vendors");
    let ended = vendors.mandat(&["create", "easytransac", "--from", "debtor.csv", "--yes", "--format", "csv"]);
    assert_eq!((ended.code, ended.out.lines().count()), (Some(0), 2), "{ended:?}");
    assert!(ended.out.lines().nth(1).unwrap().starts_with("easytransac:"), "{ended:?}");
    let seqino = ["create", "seqino", "--client", "client_abc123", "--from", "scope.json"];
    let ended = vendors.mandat(&with(&seqino, &["--yes"]));
    assert!(ended.code == Some(0) && ended.out.starts_with("seqino:client_abc123/"), "{ended:?}");
    let found = vendors.mandat(&with(&seqino, &["--look"]));
    assert_eq!((found.code, vendors.sandbox.count("create_mandate")), (Some(0), 2), "{found:?}");
    assert!(found.out.contains(ended.out.split('\t').next().unwrap()), "{found:?}");
    let ended = vendors.mandat(&["create", "seqino", "--from", "scope.json", "--yes"]);
    assert!(ended.code == Some(2) && ended.err.contains("--client"), "{ended:?}");
}

#[test]
fn preview_and_errors_show_no_personal_data() {
    let vendors = vendors("private");
    let dry = ["create", "easytransac", "--from", "debtor.csv", "--dry-run"];
    vendors.write("wrong.json", r#"{"iban": "FR7630001007941234567890186", "lastname": 5, "emial": "abc@abc.com"}"#);
    let values = DEBTOR.lines().nth(1).unwrap();
    vendors.write("no-names.csv", format!("{values}\n{values}\n"));
    vendors.write("bad.csv", DEBTOR.replace("90185", "90186").replace("33", "thirty-three"));
    vendors.write("bad2.csv", DEBTOR.replace("90185", "90186").replace("FRA", "Secret country"));
    for arguments in [
        dry.to_vec(),
        with(&dry, &["--format", "json"]),
        vec!["create", "easytransac", "--from", "wrong.json", "--dry-run"],
        vec!["create", "easytransac", "--from", "bad.csv", "--dry-run"],
        vec!["create", "easytransac", "--from", "bad2.csv", "--dry-run"],
        vec!["create", "easytransac", "--from", "no-names.csv", "--dry-run"],
        vec!["create", "easytransac", "--from", "debtor.csv", "--yes"],
    ] {
        let ended = vendors.mandat(&arguments);
        for personal in ["Secret", "567890", "abc@abc.com", "thirty"] {
            assert!(!ended.out.contains(personal) && !ended.err.contains(personal), "{personal}: {ended:?}");
        }
    }
    let ended = vendors.mandat(&dry);
    assert!(ended.out.contains("iban\tFR…0185\n") && ended.out.contains("lastname\t*** (6 characters)\n"), "{ended:?}");
    let ended = vendors.mandat(&["create", "easytransac", "--from", "wrong.json", "--dry-run"]);
    for fault in ["Did you mean `email`?", "`lastname` is not valid", "`email` is missing", "`city` is missing"] {
        assert!(ended.code == Some(1) && ended.err.contains(fault), "{fault}: {ended:?}");
    }
    let ended = vendors.mandat(&["create", "easytransac", "--from", "bad.csv", "--dry-run"]);
    assert!(ended.err.contains("`callingCode` is not valid. Write a whole number"), "{ended:?}");
    // The postal code keeps its zero.
    let ended = vendors.mandat(&with(&dry, &["--set", "zipCode=01000"]));
    assert!(ended.out.contains("zipCode\t") && ended.err.contains("zipCode: other users"), "{ended:?}");
}

#[test]
fn field_with_two_values_is_refused() {
    let vendors = vendors("twice");
    let (names, values) = DEBTOR.trim_end().split_once('\n').unwrap();
    vendors.write("twice.csv", format!("{names},city\n{values},Secretville\n"));
    let ended = vendors.mandat(&["create", "easytransac", "--from", "twice.csv", "--yes"]);
    assert!(ended.code == Some(1) && ended.err.contains("`city` has two values"), "{ended:?}");
    assert_eq!(vendors.sandbox.count("create_mandate"), 0);
}

#[test]
fn repeated_key_of_json_is_refused_with_its_line() {
    let vendors = vendors("repeated-key");
    let scope = SCOPE.replace(r#""siren""#, "\n\"siren\": \"987654321\",\n\"siren\"");
    for (text, at) in [
        (MANDATE.replace(r#""url_ok""#, "\"umr\": null,\n\"url_ok\""), "line 2: the key `umr` occurs twice"),
        (scope, "line 3: the key `siren` occurs twice"),
        (
            SCOPE.replace("Acme\"", "Acme\", \"address\": [{\"Dupont\": 1,\r\n\"Dup\\u006fnt\": 1}]"),
            "line 2: a key occurs",
        ),
    ] {
        vendors.write("twice.json", &text);
        let vendor = if text.contains("umr") { "safedebit" } else { "seqino" };
        let ended = vendors.mandat(&["create", vendor, "--client", "client_abc123", "--from", "twice.json", "--yes"]);
        assert!(ended.code == Some(1) && ended.err.contains(at) && !ended.err.contains("Dupont"), "{text}: {ended:?}");
    }
    assert_eq!(vendors.sandbox.count("create_mandate"), 0);
}

#[test]
fn object_in_a_field_without_a_type_is_accepted_and_masked() {
    let vendors = vendors("object");
    let address = r#""name": "Acme", "address": {"street": "Secret street"}"#;
    vendors.write("address.json", SCOPE.replace(r#""name": "Acme""#, address));
    let dry = ["create", "seqino", "--client", "client_abc123", "--from", "address.json", "--dry-run"];
    let ended = vendors.mandat(&dry);
    assert!(ended.code == Some(0) && ended.out.contains("directory_entry.address\t*** ("), "{ended:?}");
    assert!(!ended.out.contains("Secret"), "{ended:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn output_that_fails_after_a_creation_does_not_look_like_a_refused_creation() {
    let vendors = vendors("full");
    let run = || {
        let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
        Ended::of(vendors.command(&with(&SAFEDEBIT, &["--yes", "--format", "json"])).stdout(full).spawn().unwrap())
    };
    vendors.sandbox.inject(Fault::reset().on("create_mandate").times(1));
    let ended = run();
    assert!(ended.code == Some(6) && ended.err.contains("Do not repeat the command"), "{ended:?}");
    let ended = run();
    assert!(ended.code == Some(3) && ended.err.contains("Do not create it again"), "{ended:?}");
    // No operation returns the link again.
    assert!(ended.err.contains("The debtor signs at http"), "{ended:?}");
}

#[test]
fn closed_output_pipe_does_not_hide_the_outcome_of_a_revocation() {
    let vendors = vendors("closed-pipe");
    let run = |reference: &str| {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let arguments = ["revoke", reference, "--yes", "--format", "json"];
        Ended::of(vendors.command(&arguments).stdout(writer).spawn().unwrap())
    };
    let ended = run("safedebit:nobody");
    assert_eq!(ended.code, Some(5), "{ended:?}");
    vendors.sandbox.inject(Fault::status(503).after_effect().on("revoque_mandate"));
    let ended = run("safedebit:XXXXXXXXXXXXX");
    assert_eq!(ended.code, Some(6), "{ended:?}");
    vendors.sandbox.clear_faults();
    // The revocation took effect, but nobody can read the output.
    let ended = run("seqino:client_abc123/mdt_abc123");
    assert!(ended.code == Some(3) && ended.err.contains("could not be printed"), "{ended:?}");
}

#[test]
fn address_of_a_sandbox_needs_a_host_and_plain_http() {
    let vendors = vendors("address");
    for (address, why) in
        [("https://", "plain HTTP"), ("https://127.0.0.1:4010", "plain HTTP"), ("http://", "no host"), ("/", "no host")]
    {
        let ended = vendors.mandat(&["status", &format!("--sandbox={address}"), "safedebit:RUM-1"]);
        assert!(ended.code == Some(2) && ended.err.contains(why), "{address}: {ended:?}");
    }
    let address = format!("--sandbox=HTTP://{}/_control", vendors.sandbox.address());
    let ended = vendors.mandat(&["status", &address, "safedebit:XXXXXXXXXXXXX"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
}

#[test]
fn umr_is_required_and_a_file_has_one_mandate() {
    let vendors = vendors("one");
    vendors.write("no-umr.json", MANDATE.replace("\"umr\": \"RUM-2026-0042\",", ""));
    let ended = vendors.mandat(&["create", "safedebit", "--from", "no-umr.json", "--yes"]);
    assert!(ended.code == Some(1) && ended.err.contains("`umr` is missing"), "{ended:?}");
    vendors.write("two.csv", format!("{DEBTOR}{}", DEBTOR.lines().nth(1).unwrap()));
    let ended = vendors.mandat(&["create", "easytransac", "--from", "two.csv", "--yes"]);
    assert!(ended.code == Some(1) && ended.err.contains("one mandate at a time"), "{ended:?}");
    assert_eq!(vendors.sandbox.count("create_mandate"), 0);
}

#[test]
fn lost_response_to_a_creation_has_its_own_exit_code_and_is_not_repeated() {
    let vendors = vendors("lost");
    vendors.sandbox.inject(Fault::status(503).after_effect().on("create_mandate").times(1));
    let ended = vendors.mandat(&with(&SAFEDEBIT, &["--yes"]));
    assert_eq!((ended.code, vendors.sandbox.count("create_mandate")), (Some(6), 1), "{ended:?}");
    assert!(ended.err.contains("Do not repeat the command") && ended.err.contains("--look"), "{ended:?}");
    let ended = vendors.mandat(&with(&SAFEDEBIT, &["--look"]));
    assert!(ended.code == Some(0) && ended.out.starts_with("safedebit:RUM-2026-0042\tAwaitingSignature"), "{ended:?}");
    assert_eq!(vendors.sandbox.count("create_mandate"), 1);

    vendors.sandbox.inject(Fault::reset().after_effect().on("create_mandate").times(1));
    let ended = vendors.mandat(&["create", "easytransac", "--from", "debtor.csv", "--yes", "--format", "json"]);
    let failed: Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!((ended.code, &failed[0]["error"]["outcome"]), (Some(6), &"Unknown".into()), "{ended:?}");
    assert!(ended.err.contains("dashboard"), "{ended:?}");
    let ended = vendors.mandat(&["create", "easytransac", "--from", "debtor.csv", "--look"]);
    assert!(ended.code == Some(1) && ended.err.contains("dashboard"), "{ended:?}");
}

#[cfg(unix)]
#[test]
fn signal_during_a_creation_leads_to_the_search() {
    let vendors = vendors("signal");
    vendors.sandbox.inject(Fault::delay(std::time::Duration::from_secs(600)).on("create_mandate"));
    let mut child = vendors.command(&with(&SAFEDEBIT, &["--yes"])).spawn().unwrap();
    while vendors.sandbox.count("create_mandate") == 0 {
        assert!(child.try_wait().unwrap().is_none(), "the command ended by itself");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    crate::stopped::signal(&child, "INT");
    let ended = Ended::of(child);
    assert!(ended.code == Some(6) && ended.err.contains("--look"), "{ended:?}");
}

#[test]
fn search_after_a_lost_response_that_finds_nothing_proves_nothing() {
    let vendors = vendors("nothing-found");
    let ended = vendors.mandat(&with(&SAFEDEBIT, &["--look"]));
    assert!(ended.code == Some(5) && ended.err.contains("This proves nothing"), "{ended:?}");
}

#[test]
fn refused_creation_is_a_failure_without_effect() {
    let vendors = vendors("refused");
    vendors.sandbox.inject(Fault::status(400).on("create_mandate").times(1));
    let ended = vendors.mandat(&with(&SAFEDEBIT, &["--yes"]));
    assert!(ended.code == Some(1) && ended.err.contains("The vendor has not acted"), "{ended:?}");
}

#[test]
fn revocation_is_read_back_at_each_vendor() {
    let vendors = vendors("revoked");
    for (reference, status) in
        [("safedebit:XXXXXXXXXXXXX", "\tRevoked\t"), ("seqino:client_abc123/mdt_abc123", "\tGone\t")]
    {
        let ended = vendors.mandat(&["revoke", reference, "--yes"]);
        assert!(ended.code == Some(0) && ended.out.contains(status), "{ended:?}");
    }
    // An ended mandate needs no request.
    let ended = vendors.mandat(&["revoke", "safedebit:XXXXXXXXXXXXX", "--yes"]);
    assert_eq!((ended.code, vendors.sandbox.count("revoque_mandate")), (Some(0), 1), "{ended:?}");
    let ended = vendors.mandat(&["revoke", "safedebit:nobody", "--yes"]);
    assert_eq!((ended.code, vendors.sandbox.count("revoque_mandate")), (Some(5), 1), "{ended:?}");
    let ended = vendors.mandat(&["revoke", "easytransac:abcabcabcabcabcabc12", "--yes"]);
    assert!(ended.code == Some(1) && ended.err.contains("dashboard"), "{ended:?}");
}

#[test]
fn lost_response_to_a_revocation_asks_for_a_repetition() {
    let vendors = vendors("revocation-lost");
    vendors.sandbox.inject(Fault::status(503).after_effect().on("revoque_mandate"));
    let ended = vendors.mandat(&["revoke", "safedebit:XXXXXXXXXXXXX", "--reason", "2", "--yes"]);
    assert!(ended.code == Some(6) && ended.err.contains("Run the same command again"), "{ended:?}");
    vendors.sandbox.clear_faults();
    let ended = vendors.mandat(&["revoke", "safedebit:XXXXXXXXXXXXX", "--reason", "2", "--yes"]);
    assert!(ended.code == Some(0) && ended.out.contains("Revoked"), "{ended:?}");
}

#[test]
fn running_sandbox_keeps_a_mandate_from_creation_to_revocation() {
    let running = Running::start();
    let vendors = vendors("running");
    let sandbox = format!("--sandbox={}", running.address());
    // Wrong credentials in the environment do not matter, because a sandbox takes none from there.
    let run = |arguments: &[&str]| {
        let mut command = vendors.command(&with(arguments, &[&sandbox]));
        Ended::of(command.env("SAFEDEBIT_PASSWORD", "wrong").spawn().unwrap())
    };
    let status = |ended: &Ended| ended.out.split('\t').nth(1).unwrap_or_default().to_owned();
    let created = run(&with(&SAFEDEBIT, &["--yes"]));
    assert_eq!((created.code, &*status(&created)), (Some(0), "AwaitingSignature"), "{created:?}");
    let signed = run(&["sign", "safedebit:RUM-2026-0042"]);
    assert_eq!((signed.code, &*status(&signed)), (Some(0), "Active"), "{signed:?}");
    let again = run(&["sign", "safedebit:RUM-2026-0042"]);
    assert!(again.code == Some(1) && again.err.contains("the sandbox did not sign"), "{again:?}");
    let revoked = run(&["revoke", "safedebit:RUM-2026-0042", "--yes"]);
    assert_eq!((revoked.code, &*status(&revoked)), (Some(0), "Revoked"), "{revoked:?}");
    assert!(vendors.sandbox.requests().is_empty());
}
