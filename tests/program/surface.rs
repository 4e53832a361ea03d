//! Tests of the help texts, and of the output in a pipe, of the program `mandat`.

use crate::support::{commands, folder, mandat, snapshot};

#[test]
fn help_texts_match_the_snapshot_and_fit_80_columns() {
    let mut all = String::new();
    let commands = commands("help");
    for name in [""].into_iter().chain(commands.iter().map(String::as_str)) {
        let command: Vec<&str> = name.split_whitespace().chain(["--help"]).collect();
        let (code, out, err) = mandat(&command);
        assert_eq!((code, err.as_str()), (Some(0), ""));
        all += &format!("$ mandat {}\n{out}\n", command.join(" "));
    }
    let long: Vec<_> = all.lines().filter(|line| line.chars().count() > 80).collect();
    assert!(long.is_empty(), "{long:#?}");
    snapshot("program-help", &all);
}

#[test]
fn output_to_a_pipe_matches_the_snapshot_and_has_no_colours() {
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
        &["--sandbox", "debit", "safedebit:umr=nobody/sdd=none", "easytransac:orderId=order-1"],
        &["debit"],
        &["debit", "seqino:client_abc123/mdt_abc123"],
        &["debit", "safedebit:RUM-1"],
        &["debit", "--scheme", "sepa", "safedebit:umr=RUM-1/sdd=1"],
        &["--sandbox", "probe", "easytransac:tid=ABC1-ABC1-ABC1"],
        &["table"],
        &["table", "--debits"],
        &["spec", "versions"],
        &["spec", "print", "stripe"],
        &["calendar", "--year", "2027"],
        &["calendar", "--year", "1999"],
    ] {
        let (code, out, err) = mandat(command);
        assert!(!out.contains('\u{1b}') && !err.contains('\u{1b}'), "output to a pipe must have no colours");
        all += &format!("$ mandat {}\n{out}{err}exit code {}\n\n", command.join(" "), code.unwrap());
    }
    snapshot("program-output", &all);
}

#[test]
fn spec_is_printed_as_json() {
    let (code, out, _) = mandat(&["spec", "print", "seqino"]);
    let spec: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(
        (code, &spec["paths"]["/mandates/{mandate_id}"]["get"]["operationId"]),
        (Some(0), &"get_mandate".into())
    );
}

#[test]
fn report_is_written_to_a_new_file_only() {
    let file = folder("probe-patch").join("seqino.patch.yaml");
    let probe = ["--sandbox", "probe", "seqino:client_abc123/mdt_abc123", "--patch", file.to_str().unwrap()];
    let (code, _, err) = mandat(&probe);
    assert_eq!((code, err.as_str()), (Some(0), ""));
    let written = std::fs::read_to_string(&file).unwrap();
    assert!(written.contains("x-evidence: observed ") && !written.contains("mdt_abc123"), "{written}");
    let (code, _, err) = mandat(&probe);
    assert_eq!(code, Some(1));
    assert!(err.contains("Name a new file"), "{err}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), written);
    let (code, _, err) = mandat(&["--sandbox", "probe", "--patch", "x", "safedebit:RUM-1", "seqino:a/b"]);
    assert_eq!(code, Some(2));
    assert!(err.contains("one reference"), "{err}");
}

#[test]
fn readme_shows_the_diagram_that_the_program_prints() {
    let (_, out, _) = mandat(&["table", "--mermaid"]);
    let readme = include_str!("../../README.md");
    assert!(readme.contains(&format!("```mermaid\n{out}```")), "README.md should hold this diagram:\n\n{out}");
}
