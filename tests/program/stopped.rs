//! A run of `mandat refresh` that is stopped, killed or disturbed loses no row and writes no row twice.

use crate::support::{Ended, Vendors, column, rows};
use mandat::{MandateRef, sandbox::Fault};
use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    os::unix::fs::symlink,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// The number of mandates in a run.
const MANY: usize = 150;

/// Delays all responses of the sandbox, and the last response by `last`, so that a test can disturb the run.
fn slow(vendors: &Vendors, last: Duration) {
    vendors.sandbox.inject(Fault::delay(last).on("get_mandate_status"));
    vendors.sandbox.inject(Fault::delay(Duration::from_millis(20)));
}

/// A delay that is longer than the test waits.
const FOR_EVER: Duration = Duration::from_secs(600);

fn many(test: &str) -> (Vendors, Vec<String>) {
    let vendors = Vendors::start(test);
    let mut wanted = vendors.make(MANY);
    wanted.insert(5, "stripe:1".into());
    wanted.insert(9, "seqino:client_abc123/mdt_abc123".into());
    wanted.push("easytransac:abcabcabcabcabcabc12".into());
    vendors.write(
        "in.csv",
        format!(
            "reference;x_line\n{}",
            wanted.iter().enumerate().map(|(i, w)| format!("{w};{i}\n")).collect::<String>()
        ),
    );
    (vendors, wanted)
}

/// Waits until the run has written `count` readings to its journal.
fn wait_for_readings(vendors: &Vendors, out: &str, count: usize, child: &mut Child) {
    let since = Instant::now();
    while vendors.kept(out) < count && child.try_wait().unwrap().is_none() {
        assert!(since.elapsed() < Duration::from_secs(60), "the run made no progress for 60 seconds");
        thread::sleep(Duration::from_millis(1));
    }
}

pub fn signal(child: &Child, name: &str) {
    assert!(Command::new("kill").args([format!("-{name}"), child.id().to_string()]).status().unwrap().success());
}

fn assert_complete(vendors: &Vendors, out: &str, wanted: &[String]) {
    let text = vendors.read(out);
    let (written, own): (Vec<String>, Vec<String>) = if out.ends_with("jsonl") {
        let lines = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        let cell = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        lines.map(|line| (cell(&line["reference"]), cell(&line["x_line"]))).unzip()
    } else {
        (column(&rows(&text), "reference"), column(&rows(&text), "x_line"))
    };
    assert_eq!(written, wanted);
    assert_eq!(own, (0..wanted.len()).map(|i| i.to_string()).collect::<Vec<_>>());
    assert!(!vendors.files().iter().any(|name| name.ends_with(".mandat")), "{:?}", vendors.files());
}

#[test]
fn killed_run_resumes_where_it_stopped() {
    for (out, format) in [("out.csv", "csv"), ("out.jsonl", "jsonl")] {
        let (vendors, wanted) = many(&format!("killed-{format}"));
        slow(&vendors, FOR_EVER);
        let run = || vendors.command(&["refresh", "in.csv", "--out", out, "--resume", "--format", format, "--sorted"]);
        for part in 1..=3 {
            let mut child = run().spawn().unwrap();
            wait_for_readings(&vendors, out, part * 30, &mut child);
            assert!(child.try_wait().unwrap().is_none(), "the run ended before it could be killed");
            child.kill().unwrap();
            child.wait().unwrap();
            assert!(!vendors.files().contains(&out.to_owned()), "an incomplete file has the final name");
        }
        // Append an incomplete line to the journal, as a killed process leaves one.
        let journal = vendors.folder.join(format!("{out}.mandat/journal"));
        fs::OpenOptions::new().append(true).open(journal).unwrap().write_all(b"{\"given\":[\"safedebit:RU").unwrap();
        let asked = vendors.sandbox.count("search_mandate");
        vendors.sandbox.clear_faults();
        let ended = Ended::of(run().spawn().unwrap());
        assert_eq!(ended.code, Some(3), "{}", ended.err);
        let told = ended.err.lines().find(|line| line.ends_with("have a reading from the stopped run")).unwrap();
        assert!(told.split(' ').next().unwrap().parse::<usize>().unwrap() >= 80, "{told}");
        // Up to 64 requests were still on their way when the process was killed.
        assert!(vendors.sandbox.count("search_mandate") - asked <= MANY - 90 + 64);
        assert_complete(&vendors, out, &wanted);
        // A run that is complete cannot be resumed.
        let before = vendors.read(out);
        let ended = Ended::of(run().spawn().unwrap());
        assert!(ended.code == Some(1) && ended.err.contains("there is nothing to resume"), "{}", ended.err);
        assert_eq!(vendors.read(out), before);
    }
}

#[test]
fn signal_at_the_start_of_a_run_prints_advice_to_resume() {
    let (vendors, _) = many("early-signal");
    // Many rows make the start of the run long enough for the test to disturb it.
    vendors.write("long.csv", (0..2_000).map(|i| format!("safedebit:RUM-{i}\n")).collect::<String>());
    slow(&vendors, FOR_EVER);
    let mut child = vendors.command(&["refresh", "long.csv", "--out", "out.csv"]).spawn().unwrap();
    while !vendors.files().contains(&"out.csv.mandat".to_owned()) {
        assert!(child.try_wait().unwrap().is_none(), "the run ended by itself");
        thread::sleep(Duration::from_millis(1));
    }
    signal(&child, "INT");
    let ended = Ended::of(child);
    assert_eq!(ended.code, Some(130), "{}", ended.err);
    assert!(ended.err.contains("stopped.") && ended.err.contains("--resume"), "{}", ended.err);
    // A run that has saved no row leaves no folder.
    let is_kept = vendors.files().contains(&"out.csv.mandat".to_owned());
    assert_eq!(ended.err.contains("No row is saved"), !is_kept, "{}", ended.err);
}

#[test]
fn signal_ends_a_run_and_prints_advice_to_resume() {
    for (name, code) in [("INT", 130), ("TERM", 143)] {
        let (vendors, wanted) = many(&format!("signal-{name}"));
        slow(&vendors, FOR_EVER);
        let mut child = vendors.command(&["refresh", "in.csv", "--out", "out.csv"]).spawn().unwrap();
        wait_for_readings(&vendors, "out.csv", 20, &mut child);
        signal(&child, name);
        let ended = Ended::of(child);
        assert_eq!(ended.code, Some(code), "{}", ended.err);
        assert!(ended.err.contains("stopped.") && ended.err.contains("--resume"), "{}", ended.err);
        vendors.sandbox.clear_faults();
        // Without the option `--resume`, a new run does not continue the stopped one.
        let ended = vendors.mandat(&["refresh", "in.csv", "--out", "out.csv"]);
        assert!(ended.code == Some(1) && ended.err.contains("--resume"), "{}", ended.err);
        assert_eq!(vendors.mandat(&["refresh", "in.csv", "--out", "out.csv", "--resume"]).code, Some(3));
        assert_complete(&vendors, "out.csv", &wanted);
    }
}

#[test]
fn signal_ends_a_run_blocked_on_a_full_pipe() {
    let (vendors, wanted) = many("stuck");
    // Each row is long, so that the output is larger than the buffer of a pipe.
    let note = "-".repeat(2000);
    vendors.write(
        "in.csv",
        format!("reference;x_note\n{}", wanted.iter().map(|w| format!("{w};{note}\n")).collect::<String>()),
    );
    let mut child = vendors.command(&["refresh", "in.csv"]).spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    for _ in 0..2 {
        out.read_line(&mut String::new()).unwrap();
    }
    signal(&child, "INT");
    assert_eq!(child.wait().unwrap().code(), Some(130));
}

#[test]
fn run_that_reaches_the_file_size_limit_loses_no_reading() {
    let (vendors, wanted) = many("limit");
    // `ulimit -f` counts blocks of 512 bytes. At the limit the signal XFSZ ends the process. If the process ignores the
    // signal, the write fails instead.
    for limit in ["ulimit -f 60; ", "trap '' XFSZ; ulimit -f 60; ", "ulimit -f 90; "] {
        let script = format!("{limit} exec \"$0\" refresh in.csv --out out.csv --resume");
        let mut command = Command::new("sh");
        let program = vendors.command(&[]);
        command.args(["-c", &script]).arg(program.get_program()).current_dir(&vendors.folder);
        command.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let ended = Ended::of(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap());
        assert!(ended.code.is_none() || ended.code == Some(1) && ended.err.contains("--resume"), "{ended:?}");
        assert!(!vendors.files().contains(&"out.csv".to_owned()));
    }
    for _ in 0..2 {
        vendors.mandat(&["refresh", "in.csv", "--out", "out.csv", "--resume"]);
    }
    assert_complete(&vendors, "out.csv", &wanted);
}

#[test]
fn concurrent_runs_into_one_file_are_refused() {
    let (vendors, wanted) = many("two");
    slow(&vendors, Duration::from_secs(2));
    let mut first = vendors.command(&["refresh", "in.csv", "--out", "d.csv"]).spawn().unwrap();
    wait_for_readings(&vendors, "d.csv", 10, &mut first);
    signal(&first, "STOP");
    vendors.sandbox.clear_faults();
    for more in [&[][..], &["--resume"]] {
        let ended = vendors.mandat(&[&["refresh", "in.csv", "--out", "d.csv"], more].concat());
        assert!(ended.code == Some(1) && ended.err.contains("another run is writing the output file"), "{}", ended.err);
    }
    let other = vendors.mandat(&["refresh", "in.csv", "--out", "d.jsonl", "--format", "jsonl"]);
    signal(&first, "CONT");
    assert_eq!((other.code, Ended::of(first).code), (Some(3), Some(3)));
    assert_complete(&vendors, "d.csv", &wanted);
    assert_complete(&vendors, "d.jsonl", &wanted);
    // Start several runs at the same moment.
    let runs: Vec<Child> = (0..6)
        .map(|_| vendors.command(&["refresh", "in.csv", "--out", "e.csv", "--resume"]).spawn().unwrap())
        .collect();
    let codes: Vec<_> = runs.into_iter().map(|run| Ended::of(run).code).collect();
    assert_eq!(codes.iter().filter(|code| **code == Some(3)).count(), 1, "{codes:?}");
    assert_complete(&vendors, "e.csv", &wanted);
}

#[test]
fn files_that_the_program_did_not_write_are_left_unchanged() {
    let (vendors, wanted) = many("way");
    vendors.write("p1.part", "mine");
    vendors.write("target.csv", "mine");
    symlink("target.csv", vendors.folder.join("link.csv")).unwrap();
    symlink("nowhere.csv", vendors.folder.join("dangling.csv")).unwrap();
    vendors.write("file.csv.mandat", "mine");
    fs::create_dir(vendors.folder.join("folder.csv.mandat")).unwrap();
    vendors.write("folder.csv.mandat/notes", "mine");
    fs::create_dir(vendors.folder.join("journal.csv.mandat")).unwrap();
    vendors.write("journal.csv.mandat/journal", "{\"mine\": 1}\n");
    fs::create_dir(vendors.folder.join("elsewhere")).unwrap();
    symlink("elsewhere", vendors.folder.join("led.csv.mandat")).unwrap();
    let before = vendors.files();
    for out in ["link.csv", "dangling.csv", "file.csv", "folder.csv", "journal.csv", "led.csv"] {
        for more in [&[][..], &["--resume"]] {
            let ended = vendors.mandat(&[&["refresh", "in.csv", "--out", out], more].concat());
            assert_eq!(ended.code, Some(1), "{out}: {}", ended.err);
            assert_eq!(vendors.files(), before);
        }
    }
    assert_eq!(vendors.sandbox.count("search_mandate"), 0);
    assert_eq!(vendors.mandat(&["refresh", "in.csv", "--out", "p1.csv", "--resume"]).code, Some(3));
    let ours = ["file.csv.mandat", "folder.csv.mandat", "journal.csv.mandat", "led.csv.mandat"];
    assert_eq!(vendors.files().iter().filter(|name| name.ends_with(".mandat")).collect::<Vec<_>>(), ours);
    assert_eq!(column(&rows(&vendors.read("p1.csv")), "reference"), wanted);
}

#[test]
fn file_created_during_the_run_is_not_overwritten() {
    let (vendors, wanted) = many("meanwhile");
    slow(&vendors, Duration::from_secs(3));
    let mut child = vendors.command(&["refresh", "in.csv", "--out", "out.csv"]).spawn().unwrap();
    wait_for_readings(&vendors, "out.csv", 20, &mut child);
    vendors.write("out.csv", "mine");
    let ended = Ended::of(child);
    assert!(ended.code == Some(1) && ended.err.contains("--resume"), "{}", ended.err);
    assert_eq!(vendors.read("out.csv"), "mine");
    fs::remove_file(vendors.folder.join("out.csv")).unwrap();
    let asked = vendors.sandbox.count("search_mandate");
    assert_eq!(vendors.mandat(&["refresh", "in.csv", "--out", "out.csv", "--resume"]).code, Some(3));
    assert_eq!(vendors.sandbox.count("search_mandate"), asked);
    assert_complete(&vendors, "out.csv", &wanted);
}

#[test]
fn empty_output_file_may_be_overwritten() {
    let (vendors, wanted) = many("made");
    vendors.write("out.csv", "");
    assert_eq!(vendors.mandat(&["refresh", "in.csv", "--out", "out.csv"]).code, Some(3));
    assert_complete(&vendors, "out.csv", &wanted);
}

#[test]
fn resumed_run_rereads_changed_and_outdated_rows() {
    let vendors = Vendors::start("otherwise");
    vendors.make(3);
    let header = "reference,signed_on,signature_confirmed,last_collection,revoked_by_debtor,one_off_used";
    let input = |revoked: &str| {
        let lines: String = (0..3)
            .map(|i| {
                format!("safedebit:RUM-{i},2026-01-05,true,never,{},false\n", if i == 1 { revoked } else { "false" })
            })
            .collect();
        vendors.write("in.csv", format!("{header}\n{lines}"));
    };
    let stop = |vendors: &Vendors| {
        vendors.sandbox.inject(Fault::delay(Duration::from_secs(60)).on("get_mandate_status"));
        let mut more = vendors.read("in.csv");
        more += "easytransac:abcabcabcabcabcabc12\n";
        vendors.write("in.csv", more);
        let mut child = vendors.command(&["refresh", "in.csv", "--out", "out.csv", "--resume"]).spawn().unwrap();
        wait_for_readings(vendors, "out.csv", 3, &mut child);
        child.kill().unwrap();
        child.wait().unwrap();
        vendors.sandbox.clear_faults();
    };
    input("false");
    stop(&vendors);
    // The debtor's revocation letter arrives between the stopped run and the resumed one.
    input("true");
    let asked = vendors.sandbox.count("search_mandate");
    let ended = vendors.mandat(&["refresh", "in.csv", "--out", "out.csv", "--resume"]);
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    assert_eq!(vendors.sandbox.count("search_mandate"), asked + 1);
    assert_eq!(column(&rows(&vendors.read("out.csv")), "verdict"), ["Allowed", "Refused", "Allowed"]);
    fs::remove_file(vendors.folder.join("out.csv")).unwrap();
    input("false");
    stop(&vendors);
    input("false");
    let asked = vendors.sandbox.count("search_mandate");
    let ended = vendors.mandat(&["refresh", "in.csv", "--out", "out.csv", "--resume", "--max-age", "0s"]);
    assert_eq!((ended.code, vendors.sandbox.count("search_mandate")), (Some(0), asked + 3), "{}", ended.err);
}

#[test]
fn rows_are_written_to_devices_and_pipes_in_order() {
    let (vendors, wanted) = many("devices");
    let asked = vendors.sandbox.requests().len();
    for more in [&[][..], &["--resume"]] {
        let ended = vendors.mandat(&[&["refresh", "in.csv", "--out", "/dev/full"], more].concat());
        assert!(ended.code == Some(1) && ended.err.contains("/dev/full: No space left"), "{}", ended.err);
    }
    assert_eq!(vendors.sandbox.requests().len(), asked);
    assert_eq!(vendors.mandat(&["refresh", "in.csv", "--out", "/dev/null"]).code, Some(3));
    for out in ["/dev/stdout", "-"] {
        let ended = vendors.mandat(&["refresh", "in.csv", "--out", out]);
        assert_eq!((ended.code, column(&ended.rows(), "reference")), (Some(3), wanted.clone()), "{}", ended.err);
    }
    let pipe = vendors.folder.join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let child = vendors.command(&["refresh", "in.csv", "--out", "pipe", "--resume"]).spawn().unwrap();
    let mut text = String::new();
    fs::File::open(&pipe).unwrap().read_to_string(&mut text).unwrap();
    assert_eq!((Ended::of(child).code, column(&rows(&text), "reference")), (Some(3), wanted));
    assert_eq!(vendors.files(), ["in.csv", "pipe"]);
}

#[test]
fn run_ends_if_the_reader_of_its_output_pipe_closes_it() {
    let (vendors, _) = many("head");
    slow(&vendors, FOR_EVER);
    let mut child = vendors.command(&["refresh", "in.csv"]).spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    out.read_line(&mut String::new()).unwrap();
    drop(out);
    let ended = Ended::of(child);
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    assert!(ended.err.contains("nobody reads the output any more") && !ended.err.contains("panicked"), "{}", ended.err);
    assert!(vendors.sandbox.count("search_mandate") < MANY);
}

#[test]
fn resume_with_another_login_uses_no_reading_of_the_first_login() {
    let (vendors, _) = many("login");
    slow(&vendors, FOR_EVER);
    let mut child = vendors.command(&["refresh", "in.csv", "--out", "out.csv"]).spawn().unwrap();
    wait_for_readings(&vendors, "out.csv", 20, &mut child);
    child.kill().unwrap();
    child.wait().unwrap();
    vendors.sandbox.clear_faults();
    let mut command = vendors.command(&["refresh", "in.csv", "--out", "out.csv", "--resume"]);
    command.env("SAFEDEBIT_LOGIN", "another");
    // SafeDebit refuses this login. So a status could only come from a reading of the first account.
    assert_eq!(Ended::of(command.spawn().unwrap()).code, Some(3));
    let rows = rows(&vendors.read("out.csv"));
    let mut debits = rows.iter().filter(|row| row["reference"].starts_with("safedebit:"));
    assert!(debits.all(|row| row["status"].is_empty()));
}

#[test]
fn resume_with_another_account_reads_every_mandate_again() {
    let (vendors, wanted) = many("account");
    slow(&vendors, FOR_EVER);
    let mut child = vendors.command(&["refresh", "in.csv", "--out", "out.csv"]).spawn().unwrap();
    wait_for_readings(&vendors, "out.csv", 20, &mut child);
    child.kill().unwrap();
    child.wait().unwrap();
    vendors.sandbox.clear_faults();
    let asked = vendors.sandbox.count("search_mandate");
    let mut command = vendors.command(&["refresh", "in.csv", "--out", "out.csv", "--resume"]);
    let url = vendors.sandbox.base_url(mandat::Provider::SafeDebit).replace("127.0.0.1", "localhost");
    command.env("SAFEDEBIT_URL", url);
    assert_eq!(Ended::of(command.spawn().unwrap()).code, Some(3));
    // Up to 64 requests were still on their way when the process was killed, so the count is a minimum.
    assert!(vendors.sandbox.count("search_mandate") >= asked + MANY);
    assert_complete(&vendors, "out.csv", &wanted);
    // The sandbox must still have the mandates that this test created.
    assert!(vendors.sandbox.record(&MandateRef::safedebit("RUM-1")).is_some());
}
