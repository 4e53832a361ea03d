//! Help, output in a pipe, completions.

use crate::support::{mandat, snapshot};

#[test]
fn its_help_is_as_reviewed_and_fits_eighty_columns() {
    let mut all = String::new();
    for command in [
        &["--help"][..],
        &["status", "--help"],
        &["refresh", "--help"],
        &["watch", "--help"],
        &["probe", "--help"],
        &["table", "--help"],
        &["sandbox", "--help"],
    ] {
        let (code, out, err) = mandat(command);
        assert_eq!((code, err.as_str()), (Some(0), ""));
        all += &format!("$ mandat {}\n{out}\n", command.join(" "));
    }
    let long: Vec<_> = all.lines().filter(|line| line.chars().count() > 80).collect();
    assert!(long.is_empty(), "{long:#?}");
    snapshot("program-help", &all);
}

#[test]
fn what_it_prints_in_a_pipe_is_as_reviewed() {
    let mut all = String::new();
    for command in [
        &["--sandbox", "status"][..],
        &["--sandbox", "status", "--signed-on", "2020-01-01", "safedebit:XXXXXXXXXXXXX"],
        &["--sandbox", "status", "safedebit:nobody", "easytransac:abcabcabcabcabcabc12"],
        &["--sandbox", "probe", "seqino:client_abc123/mdt_abc123"],
        &["status"],
        &["status", "safedebit:RUM-1"],
        &["status", "stripe:1"],
        &["status", "--signed-on", "yesterday", "safedebit:RUM-1"],
        &["refresh", "--sandbox", "/nowhere/at/all"],
        &["--env-file", "/nowhere/at/all", "status", "safedebit:RUM-1"],
        &["table"],
    ] {
        let (code, out, err) = mandat(command);
        assert!(!out.contains('\u{1b}') && !err.contains('\u{1b}'), "colours in a pipe");
        all += &format!("$ mandat {}\n{out}{err}exit code {}\n\n", command.join(" "), code.unwrap());
    }
    snapshot("program-output", &all);
}

#[test]
fn the_readme_shows_the_diagram_that_it_draws() {
    let (_, out, _) = mandat(&["table", "--mermaid"]);
    let readme = include_str!("../../README.md");
    assert!(readme.contains(&format!("```mermaid\n{out}```")), "README.md should hold this diagram:\n\n{out}");
}

#[test]
fn completions_name_its_commands() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let (code, out, _) = mandat(&["completions", shell]);
        assert_eq!(code, Some(0));
        assert!(["status", "refresh", "watch", "probe", "table", "sandbox"].iter().all(|name| out.contains(name)));
    }
}
