//! Tests of `mandat doctor`: its output, and its exit codes.

use crate::support::{Ended, Vendors, mandat};

const STEPS: [&str; 9] =
    ["address", "DNS", "connection", "TLS", "response", "IP address", "credentials", "call", "clock"];

#[test]
fn each_configured_vendor_has_a_line_for_each_step() {
    let vendors = Vendors::start("doctor");
    let ended = vendors.mandat(&["doctor"]);
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""), "{}", ended.out);
    for vendor in ["easytransac", "safedebit", "seqino"] {
        let lines = ended.out.lines().map(|line| line.split('\t').collect::<Vec<_>>());
        let lines: Vec<_> = lines.filter(|cells| cells[0] == vendor && cells[1] != "health check").collect();
        let steps: Vec<_> = lines.iter().map(|cells| cells[1]).collect();
        assert_eq!(steps, [&STEPS[..], &["spec"]].concat());
        assert!(lines.iter().all(|cells| cells[2] == if cells[1] == "TLS" { "-" } else { "ok" }), "{}", ended.out);
    }
    assert_eq!(ended.out.matches("\thealth check\t").count(), 1);
}

#[test]
fn failed_vendor_sets_the_exit_code_and_others_are_still_checked() {
    let vendors = Vendors::start("doctor-failed");
    let run = |arguments: &[&str]| {
        let mut command = vendors.command(arguments);
        command.env("SAFEDEBIT_PASSWORD", "w.r.o.n.g");
        Ended::of(command.spawn().unwrap())
    };
    let ended = run(&["doctor", "--format", "csv"]);
    assert_eq!(ended.code, Some(3), "{}", ended.err);
    let failed: Vec<_> = ended.rows().into_iter().filter(|row| row["result"] == "FAIL").collect();
    assert_eq!(failed.len(), 1, "{failed:?}");
    assert_eq!((failed[0]["vendor"].as_str(), failed[0]["step"].as_str()), ("safedebit", "credentials"));
    assert!(failed[0]["advice"].contains("password is wrong") && !ended.out.contains("w.r.o.n.g"), "{failed:?}");
    let before = vendors.sandbox.count("search_mandate");
    assert_eq!(run(&["doctor", "safedebit", "safedebit"]).code, Some(4));
    assert_eq!(vendors.sandbox.count("search_mandate") - before, 1, "a wrong password should be sent once");
    assert_eq!(run(&["doctor", "seqino"]).code, Some(0));
}

#[test]
fn vendor_without_credentials_is_an_error_only_if_it_is_named() {
    let vendors = Vendors::start("doctor-named");
    let run = |arguments: &[&str]| {
        let mut command = vendors.command(arguments);
        command.env_remove("SEQINO_API_KEY");
        Ended::of(command.spawn().unwrap())
    };
    let all = run(&["doctor"]);
    assert_eq!(all.code, Some(0));
    assert!(all.err.contains("Seqino PDP: not checked") && all.err.contains("SEQINO_API_KEY"), "{}", all.err);
    let named = run(&["doctor", "seqino"]);
    assert_eq!((named.code, named.out.as_str()), (Some(4), ""));
    assert!(named.err.contains("Set SEQINO_API_KEY"), "{}", named.err);
    let (code, _, err) = mandat(&["doctor", "stripe"]);
    assert_eq!(code, Some(2), "{err}");
}
