//! Long output that the program generates: manual pages, completions, specs, schemas, the page of a report. Also checks
//! that each command has a transcript.

use crate::{
    screen::{on_terminal, steady},
    support::{commands, folder, mandat, snapshot},
};
use std::{collections::BTreeSet, fs, process::Command};

const GENERATED: [&[&str]; 8] = [
    &["man"],
    &["completions", "bash"],
    &["completions", "zsh"],
    &["completions", "fish"],
    &["completions", "powershell"],
    &["completions", "elvish"],
    &["spec", "print", "seqino"],
    &["schema", "status"],
];

/// The number of lines of a text that its transcript shows.
const SHOWN: usize = 8;

#[cfg(target_os = "linux")]
#[test]
fn long_output_begins_as_in_the_snapshot_and_is_the_same_on_a_terminal_and_in_a_pipe() {
    let folder = folder("generated");
    let mut all = String::new();
    for arguments in GENERATED {
        let (code, out, err) = mandat(arguments);
        let shown = on_terminal(arguments, "", &folder, &[("NO_COLOR", "1")]);
        assert_eq!((code, err.as_str()), (Some(shown.code), ""));
        assert!(shown.raw.replace("\r\n", "\n") == out, "{arguments:?} differs on a terminal");
        let head: String = out.lines().take(SHOWN).map(|line| format!("{line:.100}\n")).collect();
        all += &format!("$ mandat {}\n{}[...]\nexit code {}\n\n", arguments.join(" "), steady(&head), shown.code);
    }
    snapshot("program-generated", &all);
}

#[test]
fn manual_page_names_every_command() {
    let (_, page, _) = mandat(&["man"]);
    // A subcommand has its own page, and the page of its command names it.
    for name in commands("man-whole").iter().filter(|name| !name.contains(' ')) {
        assert!(page.contains(&format!("mandat\\-{name}(1)")), "{name}: {page}");
    }
}

#[test]
fn completions_of_each_shell_name_every_command() {
    let commands = commands("completions");
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let (code, out, _) = mandat(&["completions", shell]);
        assert_eq!(code, Some(0));
        let words: BTreeSet<&str> = out.split(|c: char| !c.is_alphanumeric()).collect();
        for name in commands.iter().flat_map(|name| name.split(' ')) {
            assert!(words.contains(name), "{shell}: {name}");
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn bash_completes_each_command_and_its_options() {
    let script = folder("bash").join("mandat.bash");
    fs::write(&script, mandat(&["completions", "bash"]).1).unwrap();
    let complete = |words: &[&str]| -> Vec<String> {
        let run = r#"set -eu; . "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); last="${@: -1}"
                     set +e; _mandat mandat "$last" "${COMP_WORDS[COMP_CWORD - 1]}"; printf '%s\n' "${COMPREPLY[@]}""#;
        let output = Command::new("bash").args(["-c", run]).arg(&script).arg("mandat").args(words).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
        String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
    };
    let offered = complete(&[""]);
    for name in commands("bash-commands") {
        match name.split_once(' ') {
            None => assert!(offered.contains(&name), "{name}: {offered:?}"),
            Some((above, name)) => assert!(complete(&[above, ""]).contains(&name.to_owned()), "{above} {name}"),
        }
    }
    assert_eq!(complete(&["sta"]), ["status"]);
    assert!(complete(&["status", "--form"]).contains(&"--format".to_owned()));
    assert_eq!(complete(&["calendar", "--format", "json"]), ["json", "jsonl"]);
}

/// The transcripts are compared with real runs, so the snapshots show which commands the tests run.
#[test]
fn each_command_has_a_transcript_on_a_terminal_and_in_a_pipe() {
    let read = |name: &str| {
        let file = format!("{}/tests/program/snapshots/program-{name}.snap", env!("CARGO_MANIFEST_DIR"));
        fs::read_to_string(&file).unwrap_or_else(|e| panic!("{file}: {e}"))
    };
    let commands = commands("transcripts");
    for place in ["terminal", "pipe"] {
        let all = [read(place), read(&format!("running-{place}")), read("generated")].concat();
        // The words of a command line without the options: `spec print seqino`.
        let lines = all.lines().filter_map(|line| line.strip_prefix("$ mandat "));
        let lines: Vec<String> = lines
            .map(|line| line.split(' ').filter(|word| !word.starts_with('-')).collect::<Vec<_>>().join(" ") + " ")
            .collect();
        let missing: Vec<&String> =
            commands.iter().filter(|name| !lines.iter().any(|line| line.starts_with(&format!("{name} ")))).collect();
        assert!(missing.is_empty(), "no transcript ({place}) of {missing:?}. Add one to terminal.rs or running.rs");
    }
}
