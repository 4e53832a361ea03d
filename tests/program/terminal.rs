//! Each command on a terminal of 80 columns, and in a pipe.

use crate::{
    screen::{Shown, WIDTH, on_terminal, steady},
    support::{folder, formatted, mandat, snapshot},
};
use std::{fs, path::Path};

/// A debtor for the sandbox, with the vendor's sample values.
const DEBTOR: &str = r#"{"email": "abc@abc.com", "lastname": "ABCabc123", "iban": "FR7630001007941234567890185",
    "address": "ABCabc123", "zipCode": "01000", "city": "ABCabc123", "country": "FRA"}"#;
const MANDATE: &str = "safedebit_consumer_reference;umr;url_ok;url_ko;url_cancel\nXXXXXXXXXXXXX;RUM-2026-0042;\
                       https://example.com/ok;https://example.com/ko;https://example.com/cancel\n";
const SCOPE: &str =
    r#"{"start_date": "2026-01-15T00:00:00Z", "directory_entry": {"siren": "123456789", "name": "Acme"}}"#;

/// Makes a folder with the files of the examples.
fn files(test: &str) -> std::path::PathBuf {
    let folder = folder(test);
    fs::write(folder.join("debtor.json"), DEBTOR).unwrap();
    fs::write(folder.join("mandate.csv"), MANDATE).unwrap();
    fs::write(folder.join("scope.json"), SCOPE).unwrap();
    fs::write(folder.join("ibans.txt"), "FR7630001007941234567890185\nFR7630001007941234567890186\n").unwrap();
    folder
}

/// The commands of the transcripts, with the text that a person types.
const COMMANDS: [(&[&str], &str); 55] = [
    (&["--sandbox", "status"], ""),
    (&["--sandbox", "status", "--columns", "reference,status,reasons"], ""),
    (&["--sandbox", "status", "safedebit:nobody"], ""),
    (&["--sandbox", "debit"], ""),
    (&["--sandbox", "refresh"], ""),
    (&["--sandbox", "refresh", "--columns", "reference,verdict,observed_at", "--quiet"], ""),
    (&["--sandbox", "refresh", "--out", "monday.csv"], ""),
    (&["report", "monday.csv", "--html", "monday.html"], ""),
    (&["--sandbox", "watch", "safedebit:nobody"], ""),
    (&["status", "--sandbox=127.0.0.1:1", "safedebit:RUM-1"], ""),
    (&["--sandbox", "doctor"], ""),
    (&["doctor", "safedebit"], ""),
    (&["--sandbox", "probe", "safedebit:XXXXXXXXXXXXX"], ""),
    (&["--sandbox", "probe", "safedebit:XXXXXXXXXXXXX", "--columns", "place,response"], ""),
    (&["create", "safedebit", "--fields"], ""),
    (&["create", "easytransac", "--from", "debtor.json", "--dry-run"], ""),
    (&["--sandbox", "create", "easytransac", "--from", "debtor.json"], "no\n"),
    (&["--sandbox", "create", "easytransac", "--from", "debtor.json"], "yes\n"),
    (&["--sandbox", "create", "safedebit", "--from", "mandate.csv"], "yes\n"),
    (&["--sandbox", "create", "seqino", "--client", "client_abc123", "--from", "scope.json", "--yes"], ""),
    (&["--sandbox", "create", "seqino", "--client", "client_abc123", "--from", "scope.json", "--look"], ""),
    (&["create", "safedebit", "--set", "umr=RUM-1", "--set", "url_okay=x"], ""),
    (&["--sandbox", "revoke", "safedebit:XXXXXXXXXXXXX", "--reason", "2", "--dry-run"], ""),
    (&["--sandbox", "revoke", "safedebit:XXXXXXXXXXXXX", "--reason", "2"], "yes\n"),
    (&["--sandbox", "revoke", "seqino:client_abc123/mdt_abc123", "--yes"], ""),
    (&["--sandbox", "revoke", "easytransac:abcabcabcabcabcabc12"], ""),
    (&["sign", "safedebit:RUM-1"], ""),
    (&["sign", "safedebit:RUM-1", "--sandbox"], ""),
    (&["table"], ""),
    (&["table", "--debits"], ""),
    (&["check", "iban", "--from", "ibans.txt"], ""),
    (&["check", "bic", "--columns", "value,valid,error", "BNPAFRPP", "BNPAFRP"], ""),
    (&["calendar", "--year", "2027"], ""),
    (&["spec", "versions"], ""),
    (&["schema"], ""),
    (&["--sandbox", "table"], ""),
    (&["table", "--mermaid"], ""),
    (&["help", "spec"], ""),
    // Wrong arguments are reported before missing credentials.
    (&[], ""),
    (&["stauts"], ""),
    (&["status"], ""),
    (&["status", "SafeDebit:RUM-1"], ""),
    (&["status", "--columns", "verdct", "safedebit:RUM-1"], ""),
    (&["status", "--format", "jsn", "safedebit:RUM-1"], ""),
    (&["status", "--sandbox", "127.0.0.1:4010", "safedebit:RUM-1"], ""),
    (&["status", "safedebit:RUM-1", "--one-off-used", "no"], ""),
    (&["refresh", "monday.csv", "--resume"], ""),
    (&["refresh", "monday.csv", "--rate", "0"], ""),
    (&["watch", "safedebit:RUM-1", "--every", "0s"], ""),
    (&["revoke", "easytransac:abcabcabcabcabcabc12"], ""),
    (&["check", "siret", "35600000049837", "--format", "csv"], ""),
    (&["calendar", "--year", "x"], ""),
    (&["sandbox", "--listen", "localhost:4010"], ""),
    (&["table", "--mermaid", "--format", "csv"], ""),
    (&["schema", "status", "--format", "csv"], ""),
];

fn transcript(run: impl Fn(&[&str], &str) -> (i32, String)) -> String {
    let one = |(arguments, typed): &(&[&str], &str)| {
        let (code, text) = run(arguments, typed);
        format!("$ mandat {}\n{}exit code {code}\n\n", arguments.join(" "), steady(&text))
    };
    COMMANDS.iter().map(one).collect()
}

#[cfg(target_os = "linux")]
#[test]
fn each_command_on_a_terminal_fits_80_columns_and_matches_the_snapshot() {
    let folder = files("terminal");
    let all = transcript(|arguments, typed| {
        let Shown { code, screen, .. } = on_terminal(arguments, typed, &folder, &[("NO_COLOR", "1")]);
        (code, screen)
    });
    snapshot("program-terminal", &all);
    // A link stays in one line, so that a terminal can copy it.
    let links = |line: &&str| line.contains("://") || line.starts_with("$ ");
    let wide: Vec<&str> = all.lines().filter(|line| line.chars().count() > WIDTH && !links(line)).collect();
    assert!(wide.is_empty(), "{wide:#?}");
}

#[test]
fn each_command_in_a_pipe_matches_the_snapshot() {
    let folder = files("pipe");
    let all = transcript(|arguments, _| {
        let (code, out, err) = in_folder(arguments, &folder);
        (code, out + &err)
    });
    snapshot("program-pipe", &all);
}

#[test]
fn each_format_matches_the_snapshot() {
    let folder = files("formats");
    let mut all = String::new();
    for arguments in [
        &["--sandbox", "status", "safedebit:XXXXXXXXXXXXX", "safedebit:nobody"][..],
        &["--sandbox", "debit", "easytransac:tid=ABC1-ABC1-ABC1"],
        &["--sandbox", "refresh"],
        &["--sandbox", "probe", "easytransac:abcabcabcabcabcabc12"],
        &["create", "easytransac", "--from", "debtor.json", "--dry-run"],
        &["check", "bic", "--from", "ibans.txt"],
        &["calendar", "--year", "2027"],
        &["spec", "versions"],
    ] {
        for format in ["json", "jsonl", "csv", "table"] {
            let arguments = formatted(arguments, format);
            let (code, out, err) = in_folder(&arguments, &folder);
            all += &format!("$ mandat {}\n{}exit code {code}\n\n", arguments.join(" "), steady(&(out + &err)));
        }
    }
    snapshot("program-formats", &all);
}

fn in_folder(arguments: &[&str], folder: &Path) -> (i32, String, String) {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_mandat"))
        .args(arguments)
        .env_clear()
        .stdin(std::process::Stdio::null())
        .current_dir(folder)
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[cfg(target_os = "linux")]
#[test]
fn narrow_cells_end_with_an_ellipsis_and_lose_nothing_in_a_pipe() {
    let folder = folder("narrow");
    let arguments = ["--sandbox", "status", "--columns", "reference,status,reasons,next"];
    let shown = on_terminal(&arguments, "", &folder, &[("NO_COLOR", "1")]).screen;
    assert!(shown.contains('…') && shown.starts_with("REFERENCE"), "{shown}");
    let (_, out, _) = mandat(&arguments);
    assert!(!out.contains('…') && out.contains("last_collection not known\t"), "{out}");
}

#[cfg(target_os = "linux")]
#[test]
fn colours_follow_the_option_and_the_variables() {
    let folder = folder("colours");
    let green = "\u{1b}[32m";
    let shown = |arguments: &[&str], variables: &[(&str, &str)]| on_terminal(arguments, "", &folder, variables).raw;
    assert!(shown(&["table"], &[]).contains(green));
    assert!(!shown(&["table"], &[("NO_COLOR", "1")]).contains('\u{1b}'));
    assert!(!shown(&["table"], &[("TERM", "dumb")]).contains(green));
    assert!(!shown(&["table", "--color", "never"], &[("CLICOLOR_FORCE", "1")]).contains(green));
    assert!(shown(&["table", "--color", "always"], &[("NO_COLOR", "1")]).contains(green));
    // In a pipe there are no colours, unless the caller asks for them.
    let piped = |arguments: &[&str], variables: &[(&str, &str)]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_mandat"));
        let output = command.args(arguments).env_clear().envs(variables.iter().copied()).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(!piped(&["table"], &[]).contains('\u{1b}'));
    assert!(piped(&["table", "--color=always"], &[]).contains(green));
    assert!(piped(&["table"], &[("CLICOLOR_FORCE", "1")]).contains(green));
    assert!(!piped(&["table"], &[("CLICOLOR_FORCE", "0")]).contains('\u{1b}'));
    assert!(!piped(&["table"], &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]).contains('\u{1b}'));
    for format in ["json", "csv"] {
        assert!(!piped(&["table", "--color=always", "--format", format], &[]).contains('\u{1b}'));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn progress_has_a_rate_and_leaves_nothing_on_the_screen() {
    let vendors = crate::support::Vendors::start("progress");
    vendors.make(3);
    vendors.sandbox.inject(mandat::sandbox::Fault::delay(std::time::Duration::from_millis(400)).on("search_mandate"));
    vendors.write("in.csv", "reference\nsafedebit:RUM-0\nsafedebit:RUM-1\nsafedebit:RUM-2\n");
    let command = vendors.command(&[]);
    let variables = command.get_envs().filter_map(|(name, value)| Some((name.to_str()?, value?.to_str()?)));
    let variables: Vec<(&str, &str)> = variables.filter(|(name, _)| *name != "COLUMNS").collect();
    let run = |more: &[&str]| {
        let arguments = [&["refresh", "in.csv", "--columns", "reference"], more].concat();
        on_terminal(&arguments, "", &vendors.folder, &variables)
    };
    let Shown { code, raw, screen } = run(&[]);
    assert!(code == 0 && raw.contains("/3  ") && raw.contains("/s") && raw.contains(" left"), "{raw}");
    assert!(!screen.contains(" left") && !screen.contains("/s"), "{screen}");
    let lines: Vec<&str> = screen.lines().take(4).collect();
    assert_eq!(lines, ["REFERENCE", "safedebit:RUM-0", "safedebit:RUM-1", "safedebit:RUM-2"], "{screen}");
    assert!(!run(&["--quiet"]).raw.contains(" left"));
    // Rows that appear one by one on the terminal leave no room for a bar.
    assert!(!run(&["--format", "csv"]).raw.contains(" left"));
}
