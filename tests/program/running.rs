//! The commands that run until Ctrl-C, and those that need a running sandbox, on a terminal of 80 columns and in a pipe.

use crate::{
    screen::{Act, Event, Shown, WIDTH, follow, live, steady},
    stopped::signal,
    support::{Vendors, snapshot},
};
use mandat::{MandateRef, sandbox::Fault};
use std::{path::Path, process::Command, time::Duration};

const MANDATE: &str = r#"{"safedebit_consumer_reference": "XXXXXXXXXXXXX", "umr": "RUM-2026-0042",
    "url_ok": "https://example.com/ok", "url_ko": "https://example.com/ko", "url_cancel": "https://example.com/no"}"#;
const NAME: &str = "safedebit:RUM-2026-0042";

/// Runs the commands, and returns their transcripts. `run` returns the exit code and the output.
fn transcript(test: &str, run: impl Fn(&[&str], &[Event], &Path) -> (i32, String)) -> String {
    let vendors = Vendors::start(test);
    vendors.write("mandate.json", MANDATE);
    let address = &*format!("--sandbox={}", vendors.sandbox.address());
    let of = |arguments: &[&str], events: &[Event]| {
        let (code, text) = run(arguments, events, &vendors.folder);
        steady(&format!("$ mandat {}\n{text}exit code {code}\n\n", arguments.join(" ")))
    };
    let reference: MandateRef = NAME.parse().unwrap();
    let revoke = || vendors.sandbox.revoke(&reference).unwrap();
    // The client of a vendor makes three attempts of a reading.
    let fail = || vendors.sandbox.inject(Fault::status(503).on("search_mandate").times(3));
    let watch = ["watch", NAME, "--every", "1s", address];
    [
        of(&["sandbox", "--listen", "127.0.0.1:0"], &[("/_control", Act::Interrupt)]),
        of(&["sandbox", "--listen", "127.0.0.1:0", "--host", "sandbox"], &[("/_control", Act::Interrupt)]),
        of(&["create", "safedebit", "--from", "mandate.json", address, "--yes"], &[]),
        of(&["sign", NAME, address], &[]),
        of(&["sign", NAME, address], &[]),
        of(&["sign", "safedebit:nobody", address], &[]),
        of(
            &watch,
            &[("Active (1)", Act::Do(&fail)), ("follows later", Act::Do(&revoke)), ("Revoked (3)", Act::Interrupt)],
        ),
        of(&[&watch[..], &["--format", "csv"]].concat(), &[(",Revoked,", Act::Interrupt)]),
        {
            vendors.write("in.csv", format!("reference\nseqino:client_abc123/mdt_abc123\n{NAME}\n"));
            vendors.sandbox.inject(Fault::delay(Duration::from_secs(600)).on("search_mandate"));
            let refresh = ["refresh", "in.csv", "--columns", "reference,status", "--format", "csv", address];
            of(&refresh, &[(",Active", Act::Interrupt)])
        },
    ]
    .concat()
}

#[cfg(target_os = "linux")]
#[test]
fn each_running_command_on_a_terminal_fits_80_columns_and_matches_the_snapshot() {
    let all = transcript("running-terminal", |arguments, events, folder| {
        let Shown { code, screen, .. } = live(arguments, events, folder, &[("NO_COLOR", "1")]);
        (code, screen)
    });
    let wide: Vec<&str> = all.lines().filter(|line| line.chars().count() > WIDTH && !line.starts_with("$ ")).collect();
    assert!(wide.is_empty(), "{wide:#?}");
    snapshot("program-running-terminal", &all);
}

#[test]
fn each_running_command_in_a_pipe_matches_the_snapshot() {
    let all = transcript("running-pipe", |arguments, events, folder| {
        let (reader, writer) = std::io::pipe().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_mandat"));
        command.args(arguments).env_clear().current_dir(folder).stdin(std::process::Stdio::null());
        let mut child = command.stdout(writer.try_clone().unwrap()).stderr(writer).spawn().unwrap();
        // The command holds the other ends of the pipe.
        drop(command);
        let text = follow(reader, events, |act| match act {
            Some(Act::Interrupt) => signal(&child, "INT"),
            Some(Act::Do(happens)) => happens(),
            Some(Act::Type(_)) => panic!("nobody types into a pipe"),
            None => {}
        });
        (child.wait().unwrap().code().unwrap(), text)
    });
    snapshot("program-running-pipe", &all);
}
