//! Tests of the commands `mandat refresh`, `status`, `probe` and `watch`, which send their requests to a sandbox.

use crate::support::{Ended, Row, Vendors, column, mandat, rows};
use mandat::{
    MandateRef,
    sandbox::{Fault, Sandbox},
};
use std::io::Write;

const ALLOWED: &str = "reference,signed_on,signature_confirmed,last_collection,revoked_by_debtor,one_off_used\n\
                       safedebit:XXXXXXXXXXXXX,2026-01-05,true,never,false,false\n";

fn debit() -> MandateRef {
    MandateRef::safedebit(Sandbox::CONSUMER)
}

fn only(rows: &[Row]) -> &Row {
    assert_eq!(rows.len(), 1, "{rows:?}");
    &rows[0]
}

#[test]
fn refresh_keeps_row_order_and_own_columns() {
    let vendors = Vendors::start("order");
    let mut lines: Vec<String> = vendors.make(40);
    lines.insert(3, "seqino:client_abc123/mdt_abc123".into());
    lines.insert(7, "easytransac:abcabcabcabcabcabc12".into());
    lines.insert(9, "stripe:1".into());
    lines.insert(11, "seqino:client_abc123/none".into());
    lines.push("safedebit:RUM-0".into());
    vendors.sandbox.inject(Fault::delay(std::time::Duration::from_millis(30)).with_probability(0.3, 7));
    let body: String = lines.iter().enumerate().map(|(i, line)| format!("{i};{line};=1+{i}\r\n")).collect();
    vendors.write("in.csv", format!("N°;Reference;x_sum\r\n{body}"));
    let ended = vendors.mandat(&["refresh", "in.csv", "--own", "N°"]);
    assert_eq!(ended.code, Some(3), "{}", ended.err);
    let written = ended.rows();
    assert_eq!(column(&written, "reference"), lines);
    assert_eq!(column(&written, "N°"), (0..lines.len()).map(|i| i.to_string()).collect::<Vec<_>>());
    assert_eq!(column(&written, "x_sum"), (0..lines.len()).map(|i| format!("'=1+{i}")).collect::<Vec<_>>());
    // The program reads a reference once, even if the reference occurs twice in the file.
    assert_eq!(vendors.sandbox.count("search_mandate"), 40);
}

#[test]
fn next_run_compares_each_reading_with_the_stored_state() {
    for format in ["csv", "jsonl"] {
        let vendors = Vendors::start(&format!("known-{format}"));
        vendors.write(
            "in.txt",
            "\u{feff}# mine\r\neasytransac:abcabcabcabcabcabc12\r\n\r\nsafedebit:XXXXXXXXXXXXX\nseqino:client_abc123/mdt_abc123\n",
        );
        let ended = vendors.mandat(&["refresh", "in.txt", "--format", format, "--out", "monday"]);
        assert_eq!(ended.code, Some(0), "{}", ended.err);
        assert!(ended.err.contains("3 rows: 3 new, 0 changed"), "{}", ended.err);
        assert_eq!(vendors.read("monday").matches("First").count(), 3);
        let same = vendors.mandat(&["refresh", "monday", "--changes", "--format", "jsonl"]);
        assert_eq!((same.code, same.out.as_str()), (Some(0), ""));
        assert!(same.err.contains("3 rows: 0 new, 0 changed"), "{}", same.err);
        vendors.sandbox.revoke(&debit()).unwrap();
        let changed = vendors.mandat(&["refresh", "monday", "--changes", "--format", "jsonl"]);
        let changed: serde_json::Value = serde_json::from_str(&changed.out).unwrap();
        assert_eq!(
            (&changed["reference"], &changed["status"], &changed["change"]),
            (&"safedebit:XXXXXXXXXXXXX".into(), &"Revoked".into(), &"Forward".into())
        );
    }
}

#[test]
fn verdict_column_lists_every_reason_and_missing_fact() {
    let vendors = Vendors::start("verdicts");
    vendors.write("in.csv", ALLOWED);
    assert_eq!(only(&vendors.mandat(&["refresh", "in.csv"]).rows())["verdict"], "Allowed");
    for (line, verdict, reasons) in [
        ("2026-01-05,true,never,true,false", "Refused", &["the debtor has revoked"][..]),
        ("2020-01-01,true,never,false,true", "Refused", &["dormant", "one-off"]),
        ("2026-01-05,true,never", "Undetermined", &["revoked_by_debtor", "one_off_used"]),
        ("2026-01-05,true,never,,false", "Undetermined", &["revoked_by_debtor"]),
        (",,,,", "Undetermined", &["signed_on", "signature_confirmed", "last_collection", "one_off_used"]),
    ] {
        let header = ALLOWED.lines().next().unwrap();
        vendors.write("in.csv", format!("{header}\nsafedebit:XXXXXXXXXXXXX,{line}\n"));
        let written = vendors.mandat(&["refresh", "in.csv"]).rows();
        assert_eq!(only(&written)["verdict"], verdict, "{line}");
        for reason in reasons {
            assert!(only(&written)["reasons"].contains(reason), "{line}: {written:?}");
        }
    }
}

#[test]
fn unknown_column_stops_the_run_before_any_request() {
    let vendors = Vendors::start("columns");
    for (text, expected) in [
        (
            "reference,signed_on,Revoked_by_debter\nsafedebit:XXXXXXXXXXXXX,2026-01-05,true\n",
            "Did you mean `revoked_by_debtor`?",
        ),
        ("reference,customer\nsafedebit:XXXXXXXXXXXXX,a\n", "--own \"customer\""),
        ("RUM;IBAN\nRUM-1;FR7630001007941234567890185\n", "no"),
        ("reference,x_note\nsafedebit:XXXXXXXXXXXXX,a,b\n", "line 2: the row has 3 cells"),
        ("PK\u{3}\u{4}", "workbook"),
    ] {
        vendors.write("in.csv", text);
        let ended = vendors.mandat(&["refresh", "in.csv", "--out", "out.csv"]);
        assert!(ended.code == Some(1) && ended.err.contains(expected), "{text}: {}", ended.err);
        assert!(!ended.err.contains("FR76"), "{}", ended.err);
        assert_eq!(vendors.files(), ["in.csv"]);
    }
    assert!(vendors.sandbox.requests().is_empty());
    // The program recognizes the name of the column in any spelling.
    vendors.write("in.csv", "\"Référence\" ,Revoked by debtor \nsafedebit:XXXXXXXXXXXXX,VRAI\n");
    assert_eq!(only(&vendors.mandat(&["refresh", "in.csv"]).rows())["verdict"], "Refused");
}

#[test]
fn mandate_that_was_not_read_in_this_run_is_not_allowed() {
    let vendors = Vendors::start("stale");
    vendors.write("in.csv", ALLOWED);
    vendors.mandat(&["refresh", "in.csv", "--out", "monday.csv"]);
    assert_eq!(only(&rows(&vendors.read("monday.csv")))["verdict"], "Allowed");
    vendors.sandbox.inject(Fault::status(503));
    let ended = vendors.mandat(&["refresh", "monday.csv", "--out", "tuesday.csv"]);
    assert_eq!(ended.code, Some(4), "{}", ended.err);
    let (monday, tuesday) = (rows(&vendors.read("monday.csv")), rows(&vendors.read("tuesday.csv")));
    let (monday, tuesday) = (only(&monday), only(&tuesday));
    assert_eq!((&*tuesday["verdict"], &*tuesday["reasons"]), ("Undetermined", "not read in this run"));
    assert!(tuesday["error"].contains("503") && tuesday["change"].is_empty(), "{tuesday:?}");
    for (name, cell) in monday {
        let told = ["verdict", "reasons", "error", "change"].contains(&name.as_str());
        assert!(told || &tuesday[name] == cell, "{name}: {cell}");
    }
    // Remove the faults, so that the vendor responds normally again.
    vendors.sandbox.clear_faults();
    let ended = vendors.mandat(&["refresh", "tuesday.csv"]);
    assert_eq!((ended.code, &*only(&ended.rows())["verdict"]), (Some(0), "Allowed"));
}

#[test]
fn reinstated_mandate_is_not_allowed_in_later_runs_until_acknowledged() {
    let vendors = Vendors::start("reinstated");
    vendors.sandbox.revoke(&debit()).unwrap();
    vendors.write("in.csv", ALLOWED);
    vendors.mandat(&["refresh", "in.csv", "--out", "1.csv"]);
    vendors.sandbox.activate(&debit()).unwrap();
    vendors.mandat(&["refresh", "1.csv", "--out", "2.csv"]);
    let second = rows(&vendors.read("2.csv"));
    assert_eq!((&*only(&second)["change"], &*only(&second)["verdict"]), ("Reinstated", "Undetermined"));
    for (from, to) in [("2.csv", "3.jsonl"), ("3.jsonl", "4.csv")] {
        let format = if to.ends_with("jsonl") { "jsonl" } else { "csv" };
        vendors.mandat(&["refresh", from, "--out", to, "--format", format]);
        assert!(vendors.read(to).contains("Undetermined") && vendors.read(to).contains("reinstated after Revoked"));
    }
    // The treasurer acknowledges the reinstated mandate in the file.
    let mut fourth = rows(&vendors.read("4.csv"));
    fourth[0].insert("last_acknowledged".into(), "active".into());
    vendors.write("5.jsonl", serde_json::to_string(&fourth[0]).unwrap());
    assert_eq!(only(&vendors.mandat(&["refresh", "5.jsonl"]).rows())["verdict"], "Allowed");
}

#[test]
fn row_with_an_invalid_cell_keeps_its_reference_and_stored_state() {
    let vendors = Vendors::start("cells");
    vendors.write("in.csv", ALLOWED);
    vendors.mandat(&["refresh", "in.csv", "--out", "monday.csv"]);
    let monday = rows(&vendors.read("monday.csv"));
    for (name, cell) in
        [("signed_on", "26-09-01"), ("revoked_by_debtor", "perhaps"), ("status", "Revked"), ("observed_at", "")]
    {
        let mut changed = monday[0].clone();
        changed.insert(name.into(), cell.into());
        vendors.write(
            "in.jsonl",
            format!(
                "{}\n{{\"reference\": \"easytransac:abcabcabcabcabcabc12\"}}",
                serde_json::to_string(&changed).unwrap()
            ),
        );
        let ended = vendors.mandat(&["refresh", "in.jsonl"]);
        assert_eq!(ended.code, Some(3), "{}", ended.err);
        let written = ended.rows();
        assert!(written[0]["error"].starts_with(&format!("line 1, `{name}`: ")), "{written:?}");
        assert_eq!((&*written[0]["verdict"], &*written[1]["status"]), ("Undetermined", "Active"));
        for column in ["reference", "signed_on", "status", "raw", "since", "observed_at", "revoked_by_debtor"] {
            assert_eq!(written[0][column], changed[column], "{name}");
        }
    }
}

#[test]
fn mandate_unknown_to_the_vendor_is_a_result_and_no_failure() {
    let vendors = Vendors::start("unknown");
    vendors.write("in.csv", "reference\nsafedebit:XXXXXXXXXXXXX\nsafedebit:nobody\n");
    let ended = vendors.mandat(&["refresh", "in.csv"]);
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    assert!(ended.err.contains("1 unknown to the vendor") && ended.err.contains("line 3"), "{}", ended.err);
    let written = ended.rows();
    assert_eq!(
        (&*written[1]["verdict"], &*written[1]["reasons"]),
        ("Undetermined", "the vendor does not know the mandate")
    );
    vendors.write("in.csv", "reference\nsafedebit:nobody\n");
    let ended = vendors.mandat(&["refresh", "in.csv"]);
    assert!(ended.code == Some(0) && ended.err.contains("the right account"), "{}", ended.err);
}

#[test]
fn exit_code_differs_for_partial_and_total_failure() {
    let vendors = Vendors::start("causes");
    let references = vendors.make(30).join("\n");
    vendors.write("in.csv", format!("{references}\neasytransac:abcabcabcabcabcabc12\nstripe:1\nstripe:2\n"));
    vendors.sandbox.inject(Fault::status(400).on("search_mandate"));
    let ended = vendors.mandat(&["refresh", "in.csv"]);
    assert_eq!(ended.code, Some(3), "{}", ended.err);
    assert!(ended.err.contains("33 rows: 1 new, 0 changed, 32 not read"), "{}", ended.err);
    assert_eq!(ended.err.matches("Not read, ").count(), 2, "{}", ended.err);
    assert!(
        ended.err.contains("Not read, 30: SafeDebit") && ended.err.contains("Not read, 2: `reference`"),
        "{}",
        ended.err
    );
    assert!(ended.err.contains("lines 32, 33"), "{}", ended.err);
    vendors.write("in.csv", format!("{references}\nstripe:1\n"));
    assert_eq!(vendors.mandat(&["refresh", "in.csv"]).code, Some(4));
}

#[test]
fn vendor_that_refuses_the_caller_gets_one_request_and_is_reported_once() {
    let vendors = Vendors::start("refused");
    let references = vendors.make(30);
    vendors.write("in.csv", format!("{}\neasytransac:abcabcabcabcabcabc12\n", references.join("\n")));
    let run = |arguments: &[&str]| {
        let mut command = vendors.command(arguments);
        command.env("SAFEDEBIT_PASSWORD", "wrong");
        Ended::of(command.spawn().unwrap())
    };
    let ended = run(&["refresh", "in.csv"]);
    assert_eq!((ended.code, vendors.sandbox.count("search_mandate")), (Some(3), 1), "{}", ended.err);
    assert_eq!(ended.err.matches("SafeDebit refused the caller").count(), 1, "{}", ended.err);
    assert!(
        ended.err.contains("not requested: 29.") && ended.err.contains("Not read, 1: SafeDebit: Auth"),
        "{}",
        ended.err
    );
    let reasons = column(&ended.rows(), "reasons");
    assert_eq!(reasons.iter().filter(|reason| *reason == "not requested in this run").count(), 29);
    assert!(!column(&ended.rows(), "verdict").contains(&"Allowed".to_owned()));
    vendors.write("in.csv", references.join("\n"));
    assert_eq!(run(&["refresh", "in.csv"]).code, Some(4));
    let ended = run(&[&["status"][..], &references.iter().map(String::as_str).collect::<Vec<_>>()].concat());
    assert_eq!((ended.code, vendors.sandbox.count("search_mandate")), (Some(4), 3), "{}", ended.err);
    assert_eq!(ended.err.lines().count(), 2, "{}", ended.err);
}

#[test]
fn rows_that_contradict_each_other_about_one_mandate_are_errors() {
    let vendors = Vendors::start("twice");
    let header = ALLOWED.lines().next().unwrap();
    let line = "safedebit:XXXXXXXXXXXXX,2026-01-05,true,never";
    vendors.write(
        "in.csv",
        format!("{header}\n{line},false,false\neasytransac:abcabcabcabcabcabc12\n{line},true,false\n"),
    );
    let ended = vendors.mandat(&["refresh", "in.csv"]);
    assert_eq!(ended.code, Some(3), "{}", ended.err);
    let written = ended.rows();
    assert_eq!(column(&written, "verdict"), ["Undetermined"; 3]);
    for row in [&written[0], &written[2]] {
        assert!(row["error"].contains("lines 2 and 4") && row["error"].contains("revoked_by_debtor"), "{row:?}");
    }
    assert_eq!(vendors.sandbox.count("search_mandate"), 0);
    // Two equal rows of one mandate are no contradiction.
    vendors.write("in.csv", format!("{header}\n{line},false,false\n{line},FAUX,0\n"));
    assert_eq!(column(&vendors.mandat(&["refresh", "in.csv"]).rows(), "verdict"), ["Allowed"; 2]);
}

#[test]
fn file_that_contains_no_mandate_is_reported() {
    let vendors = Vendors::start("empty");
    for text in ["", "\n\n", "# nothing\n", "\u{feff}", ";;;\n"] {
        vendors.write("in.csv", text);
        let ended = vendors.mandat(&["refresh", "in.csv", "--out", "out.csv"]);
        assert!(ended.code == Some(1) && ended.err.contains("is empty"), "{text}: {}", ended.err);
    }
    vendors.write("in.csv", "reference,signed_on\n,,\n");
    let ended = vendors.mandat(&["refresh", "in.csv"]);
    assert!(ended.code == Some(0) && ended.err.contains("no mandate"), "{}", ended.err);
}

#[test]
fn control_characters_from_a_vendor_are_not_printed() {
    let vendors = Vendors::start("control");
    vendors.sandbox.answer(&debit(), "\u{1b}[31mred\u{9b}1m\u{7}").unwrap();
    vendors.write("in.csv", "safedebit:XXXXXXXXXXXXX\n");
    for arguments in [
        &["refresh", "in.csv"][..],
        &["refresh", "in.csv", "--format", "jsonl"],
        &["status", "safedebit:XXXXXXXXXXXXX"],
        &["status", "--json", "safedebit:XXXXXXXXXXXXX"],
    ] {
        let ended = vendors.mandat(arguments);
        let odd = |c: char| c.is_control() && c != '\n' && c != '\t';
        assert!(!ended.out.contains(odd) && !ended.err.contains(odd), "{ended:?}");
    }
    // The next run must not report a change because of the control characters in this status word.
    vendors.mandat(&["refresh", "in.csv", "--out", "out.csv"]);
    let again = vendors.mandat(&["refresh", "out.csv"]);
    assert_eq!(only(&again.rows())["change"], "");
}

#[test]
fn refresh_never_overwrites_files_that_it_did_not_write() {
    let vendors = Vendors::start("foreign");
    vendors.write("in.txt", "safedebit:XXXXXXXXXXXXX\nsafedebit:last");
    for text in ["my notes", "my notes\n", "reference,status\nsafedebit:a,Active\n", "\n\n", "{\"a\": 1}\n"] {
        for more in [&["--resume"][..], &[], &["--resume", "--format=jsonl"]] {
            vendors.write("notes.txt", text);
            let ended = vendors.mandat(&[&["refresh", "in.txt", "--out", "notes.txt"], more].concat());
            assert_eq!((ended.code, vendors.read("notes.txt").as_str()), (Some(1), text), "{}", ended.err);
            assert_eq!(vendors.files(), ["in.txt", "notes.txt"]);
        }
    }
    let before = vendors.read("in.txt");
    let ended = vendors.mandat(&["refresh", "in.txt", "--out", "in.txt", "--resume"]);
    assert_eq!((ended.code, vendors.read("in.txt")), (Some(1), before), "{}", ended.err);
    let ended = vendors.mandat(&["refresh", "."]);
    assert!(ended.code == Some(1) && ended.err.contains("is a folder"), "{}", ended.err);
    let ended = vendors.mandat(&["refresh", "in.txt", "--out", "."]);
    assert_eq!(ended.code, Some(1), "{}", ended.err);
    assert_eq!(vendors.sandbox.count("search_mandate"), 0);
}

#[test]
fn refresh_reads_mandates_from_standard_input() {
    let vendors = Vendors::start("stdin");
    let mut command = vendors.command(&["refresh", "-", "--out", "out.csv"]);
    let mut child = command.stdin(std::process::Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(ALLOWED.as_bytes()).unwrap();
    assert_eq!(Ended::of(child).code, Some(0));
    assert_eq!(only(&rows(&vendors.read("out.csv")))["verdict"], "Allowed");
}

#[test]
fn status_command_lists_the_missing_facts() {
    let vendors = Vendors::start("status");
    let status = |arguments: &[&str]| vendors.mandat(&[&["status", "safedebit:XXXXXXXXXXXXX"], arguments].concat());
    let one = status(&["--signed-on", "05/01/2026"]);
    assert!(
        one.out.contains("Undetermined") && one.out.contains("revoked_by_debtor") && one.out.contains("one_off_used"),
        "{one:?}"
    );
    // If the verdict forbids the use of the mandate, the command must not name "you" as the next to use it.
    assert!(one.out.trim_end().ends_with("you: resolve the reasons first"), "{one:?}");
    let all = [
        "--signed-on=2026-01-05",
        "--signature-confirmed",
        "--last-collection=never",
        "--revoked-by-debtor=non",
        "--one-off-used=no",
    ];
    assert!(status(&all).out.contains("Allowed\t\tyou\n"), "{:?}", status(&all));
    let refused = status(&[&all[..3], &["--revoked-by-debtor", "--one-off-used=no"]].concat());
    assert!(refused.out.contains("Refused\tthe debtor has revoked the mandate"), "{refused:?}");
    assert_eq!(status(&["--signed-on", "26-09-01"]).code, Some(2));
}

#[test]
fn mandate_unknown_to_the_vendor_has_its_own_exit_code() {
    let vendors = Vendors::start("nobody");
    for command in ["status", "probe"] {
        let ended = vendors.mandat(&[command, "safedebit:nobody"]);
        assert_eq!((ended.code, ended.out.as_str()), (Some(5), ""), "{}", ended.err);
        assert!(ended.err.contains("not found"), "{}", ended.err);
        let known = vendors.mandat(&[command, "safedebit:XXXXXXXXXXXXX"]);
        assert_eq!((known.code, known.err.contains("do not sign it")), (Some(0), command == "probe"), "{}", known.err);
    }
}

#[cfg(unix)]
#[test]
fn watch_command_prints_the_first_reading_at_once_and_ends_on_a_signal() {
    use std::io::{BufRead, BufReader, Read};
    let vendors = Vendors::start("watch");
    let mut child = vendors.command(&["watch", "--json", "safedebit:XXXXXXXXXXXXX"]).spawn().unwrap();
    let first = BufReader::new(child.stdout.take().unwrap()).lines().next().unwrap().unwrap();
    crate::stopped::signal(&child, "INT");
    let mut err = String::new();
    child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{err}");
    assert!(err.contains("run the same command again"), "{err}");
    let first: serde_json::Value = serde_json::from_str(&first).unwrap();
    assert_eq!((&first["to"]["status"], &first["from"]), (&"Active".into(), &serde_json::Value::Null));
}

#[test]
fn refresh_without_a_file_reads_sample_mandates_of_the_sandbox() {
    let (code, out, err) = mandat(&["--sandbox", "refresh"]);
    assert_eq!((code, rows(&out).len()), (Some(0), 3), "{err}");
}
