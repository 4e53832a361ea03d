//! The program `mandat` reads credentials from environment variables and from files.

use crate::support::{Running, Vendors, credentials, folder, mandat};
use std::{
    fs,
    io::Write,
    process::{Command, Stdio},
};

#[test]
fn error_about_an_unreadable_env_file_shows_no_secret() {
    let file = folder("secret").join("env");
    fs::write(&file, "# comment\nSEQINO_API_KEY: s3cret-k3y\n").unwrap();
    let (code, out, err) = mandat(&["--env-file", file.to_str().unwrap(), "status", "seqino:a/b"]);
    assert_eq!((code, out.as_str()), (Some(1), ""));
    assert!(err.contains("line 2") && !err.contains("s3cret"), "{err}");
}

#[test]
fn error_about_missing_credentials_names_the_variables() {
    let (running, folder) = (Running::start(), folder("environment"));
    let file = fs::read_to_string(credentials(&running, &folder)).unwrap();
    let values = file.lines().map(|line| line.trim_start_matches("export ").split_once('=').unwrap());
    let mut child = Command::new(env!("CARGO_BIN_EXE_mandat"))
        .args(["refresh", "-", "--format", "jsonl"])
        .env_clear()
        .envs(
            values
                .filter(|(name, _)| !name.starts_with("SEQINO"))
                .map(|(name, value)| (name, value.trim_matches(['\'', '"']))),
        )
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    input
        .write_all(b"safedebit:XXXXXXXXXXXXX\neasytransac:abcabcabcabcabcabc12\nseqino:client_abc123/mdt_abc123\n")
        .unwrap();
    drop(input);
    let done = child.wait_with_output().unwrap();
    assert_eq!(done.status.code(), Some(3));
    let mut rows: Vec<serde_json::Value> =
        String::from_utf8(done.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    rows.sort_by_key(|row| row["reference"].to_string());
    assert_eq!(rows.len(), 3);
    assert!(rows[..2].iter().all(|row| row["status"].is_string() && row["error"].is_null()), "{rows:?}");
    assert_eq!(rows[2]["error"], "the credentials of this vendor are missing. Set SEQINO_API_KEY");
}

/// Runs the program with SafeDebit's login and password from this file only.
fn with_file(vendors: &Vendors, file: &str) -> (Option<i32>, String) {
    vendors.write("env", file);
    let mut command = vendors.command(&["--env-file", "env", "status", "safedebit:XXXXXXXXXXXXX"]);
    command.env_remove("SAFEDEBIT_PASSWORD").env_remove("SAFEDEBIT_LOGIN");
    let ended = crate::support::Ended::of(command.spawn().unwrap());
    (ended.code, ended.err)
}

#[test]
fn values_in_an_env_file_exclude_comments_quotes_and_blanks() {
    let vendors = Vendors::start("env-file");
    for file in [
        "SAFEDEBIT_LOGIN=sandbox\nSAFEDEBIT_PASSWORD=sandbox-password\n",
        "\u{feff}SAFEDEBIT_LOGIN = sandbox \r\nSAFEDEBIT_PASSWORD=sandbox-password\t\r\n",
        "SAFEDEBIT_LOGIN=sandbox # mine\nSAFEDEBIT_PASSWORD=sandbox-password\t# not \"yours\"\n",
        "export SAFEDEBIT_LOGIN='sandbox'\n export\tSAFEDEBIT_PASSWORD=\"sandbox-password\" # mine\r\n",
        "# SAFEDEBIT_LOGIN=other\n\nSAFEDEBIT_LOGIN=\"sandbox\"\nSAFEDEBIT_PASSWORD='sandbox-password'#",
    ] {
        let (code, err) = with_file(&vendors, file);
        // In the last file no blank precedes the `#`, so the `#` belongs to the password and starts no comment.
        let expected = if file.ends_with("'#") { Some(1) } else { Some(0) };
        assert_eq!(code, expected, "{file}: {err}");
        assert!(!err.contains("sandbox-password"), "{err}");
    }
}

#[test]
fn error_about_an_ambiguous_env_file_line_shows_only_its_number() {
    let vendors = Vendors::start("env-quotes");
    for (file, line) in [
        ("SAFEDEBIT_PASSWORD='s3cret\n", 1),
        ("SAFEDEBIT_LOGIN=sandbox\nSAFEDEBIT_PASSWORD=\"s3cret\"b\n", 2),
        ("SAFEDEBIT_PASSWORD=s3cret\nSAFEDEBIT_PASSWORD=s3cret2\n", 2),
        ("SAFEDEBIT PASSWORD=s3cret\n", 1),
        ("=s3cret\n", 1),
        ("SAFEDEBIT_LOGIN=sandbox\n\ns3cret\n", 3),
    ] {
        let (code, err) = with_file(&vendors, file);
        assert!(code == Some(1) && err.contains(&format!("line {line}")), "{file}: {err}");
        assert!(!err.contains("s3cret"), "{err}");
    }
}

#[test]
fn empty_variable_does_not_override_the_env_file() {
    let vendors = Vendors::start("env-empty");
    vendors.write("env", "SAFEDEBIT_LOGIN=sandbox\nSAFEDEBIT_PASSWORD=sandbox-password\n");
    for empty in ["", "  "] {
        let mut command = vendors.command(&["--env-file", "env", "status", "safedebit:XXXXXXXXXXXXX"]);
        command.env("SAFEDEBIT_LOGIN", empty).env("SAFEDEBIT_PASSWORD", empty);
        let ended = crate::support::Ended::of(command.spawn().unwrap());
        assert_eq!(ended.code, Some(0), "{}", ended.err);
    }
}

#[test]
fn plain_http_is_refused_unless_the_caller_names_the_host() {
    let vendors = Vendors::start("plain");
    let plain = |more: &[&str]| {
        let mut command = vendors.command(&[&["status", "safedebit:XXXXXXXXXXXXX"], more].concat());
        // No server has this host name, so the request cannot arrive anywhere.
        command.env("SAFEDEBIT_URL", "http://sandbox.invalid:1/safedebit/ssp");
        crate::support::Ended::of(command.spawn().unwrap())
    };
    let ended = plain(&[]);
    assert!(ended.code == Some(1) && ended.err.contains("is not https"), "{}", ended.err);
    let ended = plain(&["--allow-plain-http-to", "sandbox.invalid"]);
    assert!(ended.code == Some(4) && ended.err.contains("plain HTTP to sandbox.invalid"), "{}", ended.err);
}

#[test]
fn blanks_around_a_variable_are_trimmed_and_reported() {
    let vendors = Vendors::start("env-blanks");
    let mut command = vendors.command(&["status", "safedebit:XXXXXXXXXXXXX"]);
    command.env("SAFEDEBIT_PASSWORD", "sandbox-password\n");
    let ended = crate::support::Ended::of(command.spawn().unwrap());
    assert!(ended.code == Some(0) && ended.err.contains("SAFEDEBIT_PASSWORD: the blanks"), "{}", ended.err);
}
