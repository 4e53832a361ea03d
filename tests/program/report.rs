//! Tests of `mandat report`: the page about a file of mandates, also in a real browser if one is installed.

use crate::support::{Vendors, folder, mandat};
use base64::prelude::{BASE64_STANDARD, Engine};
use chrono::{DateTime, TimeDelta, Utc};
use mandat::{AccountStatus, DateField, Fact, MandateStatus, RawStatus, Reason as Why};
use reasons::{Reason, TEXTS};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::{
    env,
    fmt::Write as _,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

#[allow(dead_code, reason = "a part of the program")]
#[path = "../../src/bin/mandat/report/reasons.rs"]
mod reasons;

const SCRIPT: &str =
    concat!(include_str!("../../src/sandbox/element.js"), include_str!("../../src/bin/mandat/report/page.js"));
const STYLE: &str = include_str!("../../src/bin/mandat/report/page.css");

/// A file of mandates with every kind of row: usable, refused with several reasons, not read, changed, hostile, and a
/// row that is no reference.
fn file() -> String {
    let at = |minutes: i64| (Utc::now() - TimeDelta::minutes(minutes)).format("%FT%TZ").to_string();
    let rows = [
        ("safedebit:RUM-1", "Active", "1", "Allowed", "", "", "", at(3)),
        (
            "safedebit:RUM-2",
            "Suspended",
            "2",
            "Refused",
            "not active: Suspended (2) / one_off_used not known",
            "",
            "Anomalous",
            at(2),
        ),
        (
            "safedebit:RUM-10",
            "Revoked",
            "3",
            "Refused",
            "not active: Revoked (3) / dormant: no collection for 36 months since 2020-01-15",
            "",
            "Forward",
            at(2),
        ),
        (
            "seqino:client_1/mdt_1",
            "Active",
            "active",
            "Undetermined",
            "the state of the client could not be read",
            "",
            "First",
            at(1),
        ),
        (
            "easytransac:abcabcabcabcabcabc12",
            "Active",
            "active",
            "Undetermined",
            "not read in this run",
            "Easytransac get_mandate_status: the vendor is unavailable (HTTP 503, trace 0af7651916cd43dd); retry later",
            "",
            at(60 * 24 * 3),
        ),
        (
            "safedebit:<img src=x onerror=alert(1)>",
            "AwaitingSignature",
            "4",
            "Refused",
            "not active: AwaitingSignature (4)",
            "",
            "",
            at(1),
        ),
        (
            "safedebit:<!--<script>alert(2)",
            "Active",
            "1",
            "Undetermined",
            "dormant: Jeanne Dupont",
            "SafeDebit search_mandate: <b onclick=alert(3)>\u{2028}</b>",
            "Reinstated",
            at(1),
        ),
        (
            "Jeanne Dupont FR7630001007941234567890185",
            "",
            "",
            "Undetermined",
            "not read in this run",
            "line 9, `reference`: not valid: a reference begins with a vendor.",
            "",
            String::new(),
        ),
    ];
    let mut text = "reference,status,raw,verdict,reasons,error,change,observed_at,since,Customer\n".to_owned();
    for (reference, status, raw, verdict, reasons, error, change, observed_at) in rows {
        let _ = writeln!(
            text,
            "{reference},{status},{raw},{verdict},\"{reasons}\",\"{error}\",{change},{observed_at},{observed_at},Martin"
        );
    }
    text
}

fn report(folder: &Path, csv: &str, options: &[&str]) -> (Option<i32>, String, PathBuf) {
    let (input, html) = (folder.join("monday.csv"), folder.join("monday.html"));
    fs::write(&input, csv).unwrap();
    let arguments = [&["report", input.to_str().unwrap(), "--html", html.to_str().unwrap()], options].concat();
    let (code, out, err) = mandat(&arguments);
    assert_eq!(out, "");
    (code, err, html)
}

/// Returns the data in a page.
fn data(page: &str) -> Value {
    let (_, rest) = page.split_once(r#"<script type="application/json" id="data">"#).unwrap();
    serde_json::from_str(rest.split_once("</script>").unwrap().0).unwrap()
}

#[test]
fn page_is_one_file_that_allows_only_its_own_script_and_style() {
    let (code, err, html) = report(&folder("report-page"), &file(), &[]);
    assert_eq!((code, err.as_str()), (Some(0), ""));
    let page = fs::read_to_string(html).unwrap();
    for text in [SCRIPT, STYLE] {
        assert!(page.contains(text));
        assert!(page.contains(&format!("'sha256-{}'", BASE64_STANDARD.encode(Sha256::digest(text)))));
    }
    assert!(page.contains("default-src 'none'"));
    for outside in ["http://", "https://", "//cdn", " src=\"", " href=\"", "@import", "url("] {
        assert!(!page.contains(outside), "{outside}");
    }
    // Hostile texts cannot end the data.
    assert_eq!(page.matches("</script").count(), 2);
    let data_only = page.split_once("id=\"data\">").unwrap().1.split_once("</script>").unwrap().0;
    assert!(!data_only.contains(['<', '>', '&', '\u{2028}']));
}

#[test]
fn page_has_no_personal_data_but_the_references() {
    let (_, _, html) = report(&folder("report-personal"), &file(), &[]);
    let page = fs::read_to_string(html).unwrap();
    for personal in ["Martin", "Customer", "Dupont", "FR7630001007941234567890185"] {
        assert!(!page.contains(personal), "{personal}");
    }
    let data = data(&page);
    assert_eq!(data["rows"]["reference"][0], "safedebit:RUM-1");
    assert_eq!((&data["rows"]["reference"][7], &data["rows"]["line"][7]), (&"".into(), &9.into()));
}

#[test]
fn causes_leave_out_the_line_the_trace_id_and_the_delay() {
    let (_, _, html) = report(&folder("report-causes"), &file(), &[]);
    let data = data(&fs::read_to_string(html).unwrap());
    assert_eq!(
        data["causes"],
        serde_json::json!([
            "Easytransac get_mandate_status: the vendor is unavailable (HTTP 503); retry later",
            "SafeDebit search_mandate: <b onclick=alert(3)>\u{2028}</b>",
            "`reference`: not valid: a reference begins with a vendor.",
        ])
    );
}

#[test]
fn error_that_the_program_did_not_write_is_counted_without_its_text() {
    let rows = [
        "safedebit:RUM-1,Jeanne Dupont has moved",
        "safedebit:RUM-2,\"line 3, Jeanne Dupont\"",
        "safedebit:RUM-3,the credentials of this vendor are missing. Set SEQINO_API_KEY",
        "safedebit:RUM-4,SafeDebit find_mandate: too many requests (trace 0af7651916cd43dd); try again after 5 s",
        "safedebit:RUM-5,SafeDebit find_mandate: too many requests (trace 1bf7651916cd43dd); try again after 10 s",
    ];
    let (code, _, html) = report(&folder("report-errors"), &format!("reference,error\n{}\n", rows.join("\n")), &[]);
    let page = fs::read_to_string(html).unwrap();
    assert!(code == Some(0) && !page.contains("Dupont"));
    let data = data(&page);
    assert_eq!(
        data["causes"],
        serde_json::json!([
            "an error that this version of mandat does not know",
            "the credentials of this vendor are missing. Set SEQINO_API_KEY",
            "SafeDebit find_mandate: too many requests",
        ])
    );
    assert_eq!(data["rows"]["cause"], serde_json::json!([0, 0, 1, 2, 2]));
}

#[test]
fn output_of_refresh_is_reported_with_its_next_steps() {
    let vendors = Vendors::start("report-refresh");
    let made = vendors.make(3);
    vendors.write("in.csv", format!("reference,x_customer\n{}\nsafedebit:nobody,Dupont\n", made.join(",Dupont\n")));
    for (input, out) in [("in.csv", "monday.csv"), ("monday.csv", "tuesday.csv")] {
        assert_eq!(vendors.mandat(&["refresh", input, "--out", out]).code, Some(0));
    }
    let ended = vendors.mandat(&["report", "tuesday.csv", "--html", "tuesday.html", "--lang", "fr"]);
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""));
    let page = vendors.read("tuesday.html");
    assert!(page.contains("<html lang=\"fr\">") && !page.contains("Dupont"));
    let data = data(&page);
    let words = |list: &str, column: &str| -> Vec<String> {
        let places = data["rows"][column].as_array().unwrap().iter();
        let word = |place: &Value| usize::try_from(place.as_i64().unwrap()).ok().map(|place| data[list][place].clone());
        places.map(|place| word(place).map_or_else(String::new, |word| word.as_str().unwrap().to_owned())).collect()
    };
    assert_eq!((&data["file"], &data["language"]), (&"tuesday.csv".into(), &"fr".into()));
    assert_eq!(words("statuses", "status"), ["Active", "Active", "Active", ""]);
    assert_eq!(words("steps", "step"), ["ResolveReasons", "ResolveReasons", "ResolveReasons", "ReadAgain"]);
    assert_eq!(words("verdicts", "verdict"), ["Undetermined"; 4]);
    assert_eq!(words("vendors", "vendor"), ["SafeDebit"; 4]);
    let reasons: Vec<_> =
        data["reasons"].as_array().unwrap().iter().map(|reason| reason["key"].as_str().unwrap()).collect();
    assert!(reasons.contains(&"FactMissing") && reasons.contains(&"UnknownToVendor"), "{reasons:?}");
    assert!(!reasons.contains(&"Other"), "{reasons:?}");
}

#[test]
fn existing_page_and_unusable_file_are_refused() {
    let folder = folder("report-refused");
    let (_, _, html) = report(&folder, &file(), &[]);
    fs::write(&html, "mine").unwrap();
    let (code, err, html) = report(&folder, &file(), &[]);
    assert_eq!(code, Some(1));
    assert!(err.contains("never overwrites"), "{err}");
    assert_eq!(fs::read_to_string(&html).unwrap(), "mine");
    fs::remove_file(&html).unwrap();
    for (csv, expected) in [("", "no mandate"), ("name,iban\nDupont,x\n", "line 1"), ("reference\n", "no mandate")] {
        let (code, err, html) = report(&folder, csv, &[]);
        assert_eq!(code, Some(1), "{csv}");
        assert!(err.contains(expected) && !err.contains("Dupont"), "{err}");
        assert!(!html.exists());
    }
    let (code, _, err) = mandat(&["report", folder.to_str().unwrap(), "--html", "-"]);
    assert_eq!(code, Some(1), "{err}");
    let (code, out, _) = mandat(&["report", folder.join("none.csv").to_str().unwrap(), "--html", "-"]);
    assert_eq!((code, out.as_str()), (Some(1), ""));
    fs::write(folder.join("monday.csv"), file()).unwrap();
    let (code, out, _) = mandat(&["report", folder.join("monday.csv").to_str().unwrap(), "--html", "-"]);
    assert_eq!(code, Some(0));
    assert!(out.starts_with("<!DOCTYPE html>") && out.ends_with("</html>"));
}

#[test]
fn every_reason_is_read_and_has_words_in_both_languages() {
    let (raw, day) = (|| RawStatus::new("2"), "2026-09-01".parse().unwrap());
    let at: DateTime<Utc> = "2026-09-01T08:00:00Z".parse().unwrap();
    let mut all = vec![
        (Why::NotActive { status: MandateStatus::Suspended, raw: raw() }, "NotActive", vec!["Suspended", "2"]),
        (Why::Unrecognized { raw: raw() }, "Unrecognized", vec!["2"]),
        (Why::NotReadBack, "NotReadBack", vec![]),
        (Why::BeforeStart { starts: at }, "BeforeStart", vec!["2026-09-01T08:00:00Z"]),
        (Why::AfterEnd { ends: at }, "AfterEnd", vec!["2026-09-01T08:00:00Z"]),
        (Why::DateUnreadable { which: DateField::Start }, "StartUnreadable", vec![]),
        (Why::DateUnreadable { which: DateField::End }, "EndUnreadable", vec![]),
        (Why::TooOld { age: Duration::from_secs(90) }, "TooOld", vec!["90"]),
        (Why::ReadAhead { observed_at: at }, "ReadAhead", vec!["2026-09-01T08:00:00Z"]),
        (Why::NotYetSigned { signed_on: day }, "NotYetSigned", vec!["2026-09-01"]),
        (Why::Dormant { since: day }, "Dormant", vec!["2026-09-01"]),
        (Why::OneOffUsed, "OneOffUsed", vec![]),
        (Why::RevokedByDebtor, "RevokedByDebtor", vec![]),
        (Why::Reinstated { from: MandateStatus::Revoked }, "Reinstated", vec!["Revoked"]),
        (Why::NotBusinessDay { day }, "NotBusinessDay", vec!["2026-09-01"]),
        (Why::TooSoon { earliest: day }, "TooSoon", vec!["2026-09-01"]),
        (Why::NotifiedTooLate { earliest: day }, "NotifiedTooLate", vec!["2026-09-01"]),
        (Why::FactImpossible { fact: Fact::LastCollection }, "FactImpossible", vec!["last_collection"]),
        (
            Why::FactsContradict { first: Fact::SignedOn, second: Fact::LastCollection },
            "FactsContradict",
            vec!["signed_on", "last_collection"],
        ),
        (Why::SignatureNotConfirmed, "SignatureNotConfirmed", vec![]),
        (
            Why::AccountNotActive { status: AccountStatus::Suspended, raw: raw() },
            "AccountNotActive",
            vec!["Suspended", "2"],
        ),
        (Why::AccountUnrecognized { raw: raw() }, "AccountUnrecognized", vec!["2"]),
        (Why::AccountNotRead, "AccountNotRead", vec![]),
        (Why::AccountDiffers, "AccountDiffers", vec![]),
        (Why::Other, "Other", vec![]),
    ];
    for fact in
        [Fact::SignedOn, Fact::SignatureConfirmed, Fact::LastCollection, Fact::RevokedByDebtor, Fact::OneOffUsed]
    {
        all.push((Why::FactMissing { fact }, "FactMissing", vec![]));
    }
    for (reason, key, values) in all {
        let read = Reason::read(&reason.to_string());
        assert_eq!(read.key, key, "{reason}");
        if key != "FactMissing" {
            assert_eq!(read.values, values, "{reason}");
        }
    }
    let cell = "not active: Suspended (2) / one_off_used not known";
    assert_eq!(Reason::all(cell).map(|reason| reason.key).collect::<Vec<_>>(), ["NotActive", "FactMissing"]);
    let personal = Reason::read("status unrecognized (Jeanne Dupont)");
    assert_eq!((personal.key, personal.values), ("Unrecognized", vec!["…".to_owned()]));
    assert_eq!(Reason::read("Jeanne Dupont"), Reason { key: "Other", values: Vec::new() });
    let named = TEXTS.iter().map(|(key, _)| *key).chain(MandateStatus::ALL.iter().map(|status| status.as_str()));
    let named = named.chain(AccountStatus::ALL.iter().map(|status| status.as_str()));
    for key in named {
        let uses = SCRIPT.matches(&format!("{key}: ")).count();
        assert!(uses >= 2, "{key} should have words in both languages");
    }
}

/// Returns the path of the first of these programs that is on the `PATH`.
fn program(names: &[&str]) -> Option<PathBuf> {
    let folders: Vec<PathBuf> = env::split_paths(&env::var_os("PATH")?).collect();
    names.iter().find_map(|name| folders.iter().map(|folder| folder.join(name)).find(|path| path.is_file()))
}

#[test]
fn page_works_in_a_browser() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let tools = here.join("target/tools/node_modules");
    let chromium = program(&["chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"]);
    let library = tools.join("playwright-core").is_dir() && tools.join("axe-core").is_dir();
    let (Some(node), Some(chromium), true) = (program(&["node"]), chromium, library) else {
        assert!(env::var_os("MANDAT_BROWSER").is_none(), "node, Chromium, playwright-core or axe-core is missing");
        // Cargo hides the output of `eprintln` for a passing test, so write to stderr directly.
        return drop(writeln!(
            std::io::stderr(),
            "skipped: the report in a browser; .ci/browser installs one and runs it"
        ));
    };
    let (small, large) = (folder("report-browser"), folder("report-browser-large"));
    let (_, _, page) = report(&small, &file(), &[]);
    let mut rows = "reference,status,raw,verdict,reasons,change,observed_at,since\n".to_owned();
    for row in 0..100_000 {
        let (status, raw, verdict, reasons) = match row % 10 {
            0 => ("Revoked", "3", "Refused", "not active: Revoked (3)"),
            1 => ("AwaitingSignature", "5", "Refused", "not active: AwaitingSignature (5)"),
            _ => ("Active", "1", "Allowed", ""),
        };
        let at = format!("2026-09-{:02}T08:{:02}:00Z", row % 28 + 1, row % 60);
        let _ = writeln!(rows, "safedebit:RUM-{row:06},{status},{raw},{verdict},{reasons},,{at},{at}");
    }
    let (code, err, large) = report(&large, &rows, &[]);
    assert_eq!((code, err.as_str()), (Some(0), ""));
    let script = here.join("tests/program/report.mjs");
    let output = Command::new(node)
        .arg(script)
        .env("PAGE", page)
        .env("LARGE", large)
        .env("CHROMIUM", chromium)
        .env("TOOLS", tools)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
}
