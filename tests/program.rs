//! The program `mandat`, as a process.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// One that runs, and the address that it printed.
struct Running {
    child: Child,
    greeting: Vec<String>,
}

impl Running {
    fn start() -> Self {
        Self::with(&["--listen", "127.0.0.1:0", "--seed", "7"])
    }

    fn with(arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_mandat"))
            .arg("sandbox")
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let mut greeting = Vec::new();
        for line in lines {
            let last = line.starts_with("control");
            greeting.push(line);
            if last {
                break;
            }
        }
        Self { child, greeting }
    }

    fn address(&self) -> &str {
        let control = self.greeting.last().unwrap();
        control.split_once("http://").unwrap().1.strip_suffix("/_control").unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn get(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn it_says_where_each_vendor_is_and_what_it_accepts_and_answers_there() {
    let running = Running::start();
    let greeting = running.greeting.join("\n");
    for provider in mandat::Provider::ALL {
        let base = format!("http://{}/{}", running.address(), provider.as_str());
        assert!(greeting.contains(&base) && greeting.contains(provider.name()), "{greeting}");
    }
    for credential in ["et_test_abcabcabc12-", "sandbox-password", "YOUR_API_KEY_HERE", "seed 7"] {
        assert!(greeting.contains(credential), "{greeting}");
    }
    assert!(get(running.address(), "/_control").starts_with("HTTP/1.1 200"));
}

#[test]
fn an_address_in_use_is_refused_with_a_way_out() {
    let running = Running::start();
    let second =
        Command::new(env!("CARGO_BIN_EXE_mandat")).args(["sandbox", "--listen", running.address()]).output().unwrap();
    let said = String::from_utf8(second.stderr).unwrap();
    assert_eq!(second.status.code(), Some(1));
    assert!(said.contains("is in use") && said.contains("--listen 127.0.0.1:0"), "{said}");
    assert!(!said.contains("panicked"), "{said}");
}

#[test]
fn a_sandbox_that_lets_others_in_warns_and_answers_to_the_names_that_it_was_given() {
    assert!(!Running::start().greeting.join("\n").contains("WARNING"));
    let running = Running::with(&["--listen", "0.0.0.0:0", "--host", "sandbox", "--host", "proxy.example.com:80"]);
    let greeting = running.greeting.join("\n");
    assert!(greeting.contains("WARNING: every machine that reaches this address"), "{greeting}");
    let port = running.address().split_once(':').unwrap().1;
    for url in [format!("http://127.0.0.1:{port}/seqino/api"), format!("http://sandbox:{port}/seqino/api")] {
        assert!(greeting.contains(&url), "{url} in {greeting}");
    }
    for (host, status) in [("sandbox", 200), ("proxy.example.com:1", 200), ("evil.example.com", 421)] {
        let mut stream = TcpStream::connect(running.address()).unwrap();
        write!(stream, "GET /_control HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{host}: {answer}");
    }
    let (code, _, said) = mandat(&["sandbox", "--listen", "127.0.0.1:0", "--host", "http://sandbox"]);
    assert_eq!(code, Some(1));
    assert!(said.contains("--host") && said.contains("is no host"), "{said}");
}

#[cfg(unix)]
#[test]
fn a_signal_stops_it_even_while_a_connection_stays_open() {
    for signal in ["INT", "TERM"] {
        let mut running = Running::start();
        let silent = TcpStream::connect(running.address()).unwrap();
        assert!(get(running.address(), "/_control/clock").contains("now"));
        let since = Instant::now();
        let sent = Command::new("kill").args([format!("-{signal}"), running.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
        assert_eq!(running.child.wait().unwrap().code(), Some(0), "{signal}");
        assert!(since.elapsed() < Duration::from_secs(5), "{signal}: {:?}", since.elapsed());
        drop(silent);
    }
}

/// Runs it to its end.
fn mandat(arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_mandat"))
        .args(arguments)
        .env_clear()
        .env("COLUMNS", "80")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// Compares with a snapshot beside this file, without the noise of a header.
fn snapshot(name: &str, text: &str) {
    insta::with_settings!({prepend_module_to_snapshot => false, omit_expression => true}, {
        insta::assert_snapshot!(name, text);
    });
}

/// A folder of one test.
fn folder(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("program").join(name);
    drop(fs::remove_dir_all(&folder));
    fs::create_dir_all(&folder).unwrap();
    folder
}

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
    let readme = include_str!("../README.md");
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

#[test]
fn a_secret_in_a_file_that_cannot_be_read_is_not_told() {
    let file = folder("secret").join("env");
    fs::write(&file, "# comment\nSEQINO_API_KEY: s3cret-k3y\n").unwrap();
    let (code, out, err) = mandat(&["--env-file", file.to_str().unwrap(), "status", "seqino:a/b"]);
    assert_eq!((code, out.as_str()), (Some(1), ""));
    assert!(err.contains("line 2") && !err.contains("s3cret"), "{err}");
}

/// A sandbox and a way to reach it from another process.
fn credentials(running: &Running, folder: &Path) -> PathBuf {
    let base = |vendor: &str| {
        let line = running.greeting.iter().find(|line| line.contains(&format!("/{vendor}/"))).unwrap();
        line.split_whitespace().last().unwrap().to_owned()
    };
    let path = folder.join("env");
    let text = format!(
        "EASYTRANSAC_URL={}\nEASYTRANSAC_API_KEY='{}'\nSAFEDEBIT_URL={}\nSAFEDEBIT_LOGIN=sandbox\n\
         export SAFEDEBIT_PASSWORD=\"sandbox-password\"\nSEQINO_URL={}\nSEQINO_API_KEY=YOUR_API_KEY_HERE\n",
        base("easytransac"),
        running
            .greeting
            .iter()
            .find_map(|line| line.split_whitespace().find(|word| word.starts_with("et_test_")))
            .unwrap(),
        base("safedebit"),
        base("seqino"),
    );
    fs::write(&path, text).unwrap();
    path
}

fn post(address: &str, path: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    let length = body.len();
    // sandbox:sandbox-password
    let secret = "authorization: Basic c2FuZGJveDpzYW5kYm94LXBhc3N3b3Jk";
    let head = format!("host: {address}\r\nconnection: close\r\n{secret}\r\ncontent-length: {length}");
    write!(stream, "POST {path} HTTP/1.1\r\n{head}\r\n\r\n{body}").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn a_refresh_that_was_killed_goes_on_where_it_was() {
    killed("csv", &[]);
}

#[test]
fn so_does_one_that_writes_json_and_reads_sorted_references() {
    killed("jsonl", &["--sorted"]);
}

fn killed(format: &str, more: &[&str]) {
    let (running, folder) = (Running::start(), folder(&format!("killed-{format}")));
    let env = credentials(&running, &folder);
    // Three that are there, others that are not, and what is no reference: each is one line.
    let mut wanted: Vec<String> =
        ["easytransac:abcabcabcabcabcabc12", "safedebit:XXXXXXXXXXXXX", "seqino:client_abc123/mdt_abc123", "stripe:1"]
            .map(str::to_owned)
            .into();
    for i in 0..400 {
        let body = format!(
            r#"{{"safedebit_consumer_reference": "XXXXXXXXXXXXX", "umr": "RUM-{i}", "url_ok": "https://example.com",
                "url_ko": "https://example.com", "url_cancel": "https://example.com"}}"#
        );
        let made = post(running.address(), "/safedebit/ssp/create_mandate", &body);
        assert!(made.contains("signature_url"), "{made}");
        wanted.push(format!("safedebit:RUM-{i}"));
    }
    // As it is not written out.
    wanted.push("seqino:client%5Fabc123/none".into());
    let (input, output) = (folder.join("input.txt"), folder.join("output"));
    fs::write(&input, wanted.join("\n")).unwrap();
    let slow = r#"{"fault": "delay", "milliseconds": 20}"#;
    assert!(post(running.address(), "/_control/faults", slow).starts_with("HTTP/1.1 200"), "{slow}");
    let command = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mandat"));
        command.arg("--env-file").arg(&env).arg("refresh").arg(&input).arg("--out").arg(&output);
        command.args(["--resume", "--format", format]).args(more);
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        command
    };
    let lines = || fs::read_to_string(&output).unwrap_or_default().lines().count();
    let mut killed = 0;
    for _ in 0..3 {
        let before = lines();
        let mut child = command().spawn().unwrap();
        while lines() < before + 40 && child.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_millis(1));
        }
        killed += usize::from(child.try_wait().unwrap().is_none());
        // It may have ended.
        let _ = child.kill();
        child.wait().unwrap();
    }
    assert!(killed > 0 && lines() < wanted.len(), "it was never stopped half-way");
    // A line that was cut off is no line.
    fs::OpenOptions::new().append(true).open(&output).unwrap().write_all(b"safedebit:RUM-39").unwrap();
    let done = command().output().unwrap();
    assert_eq!(done.status.code(), Some(3), "{}", String::from_utf8_lossy(&done.stderr));
    let text = fs::read_to_string(&output).unwrap();
    let reference = |line: &str| match format {
        "csv" => line.split(',').next().unwrap().to_owned(),
        _ => serde_json::from_str::<serde_json::Value>(line).unwrap()["reference"].as_str().unwrap().to_owned(),
    };
    let header = usize::from(format == "csv");
    let mut written: Vec<String> = text.lines().skip(header).map(reference).collect();
    wanted.pop();
    wanted.push("seqino:client%255Fabc123/none".into());
    written.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(written, wanted);
    // What could not be read is tried again, and tells again that it could not.
    let done = command().output().unwrap();
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(done.status.code() == Some(3) && said.contains("2 looked at") && said.contains("403 were there"), "{said}");
    let text = fs::read_to_string(&output).unwrap();
    // Without saying so, nothing that is there is written over.
    let again = Command::new(env!("CARGO_BIN_EXE_mandat"))
        .arg("--env-file")
        .arg(&env)
        .arg("refresh")
        .arg(&input)
        .arg("--out")
        .arg(&output)
        .output()
        .unwrap();
    assert_eq!(again.status.code(), Some(1));
    assert_eq!(fs::read_to_string(&output).unwrap(), text);
}

#[test]
fn credentials_come_from_the_environment_too_and_what_is_missing_is_told_by_its_name() {
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
    assert_eq!(rows[2]["error"], "no credentials: set SEQINO_API_KEY");
}

#[test]
fn what_a_refresh_wrote_is_what_the_next_one_knows() {
    let (running, folder) = (Running::start(), folder("known"));
    let env = credentials(&running, &folder);
    let run = |arguments: &[&str]| {
        let (code, out, err) = mandat(&[&["--env-file", env.to_str().unwrap(), "refresh"][..], arguments].concat());
        assert_eq!(code, Some(0), "{err}");
        out
    };
    let input = folder.join("input.txt");
    fs::write(&input, "\u{feff}# mine\r\neasytransac:abcabcabcabcabcabc12\r\n\r\nsafedebit:XXXXXXXXXXXXX\nseqino:client_abc123/mdt_abc123\n").unwrap();
    let first = folder.join("first.csv");
    fs::write(&first, run(&[input.to_str().unwrap()])).unwrap();
    assert_eq!(fs::read_to_string(&first).unwrap().matches(",First,").count(), 3);
    assert_eq!(run(&[first.to_str().unwrap(), "--changes", "--format", "jsonl"]), "");
    post(running.address(), "/_control/mandates", r#"{"mandate": "safedebit:XXXXXXXXXXXXX", "step": "revoke"}"#);
    let changed = run(&[first.to_str().unwrap(), "--changes", "--format", "jsonl"]);
    let changed: serde_json::Value = serde_json::from_str(&changed).unwrap();
    assert_eq!(
        (&changed["reference"], &changed["status"], &changed["change"]),
        (&"safedebit:XXXXXXXXXXXXX".into(), &"Revoked".into(), &"Forward".into())
    );
}

#[test]
fn a_watch_prints_the_first_reading_at_once() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_mandat"))
        .args(["--sandbox", "watch", "--json", "safedebit:XXXXXXXXXXXXX"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let first = BufReader::new(child.stdout.take().unwrap()).lines().next().unwrap().unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    let first: serde_json::Value = serde_json::from_str(&first).unwrap();
    assert_eq!((&first["to"]["status"], &first["from"]), (&"Active".into(), &serde_json::Value::Null));
}

#[test]
fn a_file_of_somebody_elses_is_left_alone() {
    let folder = folder("foreign");
    let (input, foreign) = (folder.join("input.txt"), folder.join("notes.txt"));
    fs::write(&input, "safedebit:XXXXXXXXXXXXX\nsafedebit:last").unwrap();
    let refresh = |arguments: &[&Path]| {
        let arguments: Vec<&str> = arguments.iter().map(|path| path.to_str().unwrap()).collect();
        mandat(&[&["--sandbox", "refresh"][..], &arguments].concat())
    };
    let (resume, out, jsonl) = (Path::new("--resume"), Path::new("--out"), Path::new("--format=jsonl"));
    for text in ["my notes", "my notes\n", "reference,status\nsafedebit:a,Active\n", "\n\n", "{\"a\": 1}\n"] {
        for format in [Path::new("--format=csv"), jsonl] {
            fs::write(&foreign, text).unwrap();
            let (code, _, said) = refresh(&[&input, out, &foreign, resume, format]);
            assert_eq!((code, fs::read_to_string(&foreign).unwrap().as_str()), (Some(1), text), "{said}");
        }
    }
    let before = fs::read_to_string(&input).unwrap();
    let (code, _, said) = refresh(&[&input, out, &input, resume]);
    assert_eq!((code, fs::read_to_string(&input).unwrap()), (Some(1), before), "{said}");
    let (code, _, said) = refresh(&[&folder]);
    assert!(code == Some(1) && said.contains("is a folder"), "{said}");
}

#[test]
fn a_file_from_a_spreadsheet_is_read_and_facts_give_a_verdict() {
    let input = folder("spreadsheet").join("input.csv");
    let text = "\u{feff}id;reference;signed_on\r\n1;safedebit:XXXXXXXXXXXXX;2020-01-01\r\n2;stripe:1;\r\n\
                3;easytransac:abcabcabcabcabcabc12;soon\r\n";
    fs::write(&input, text).unwrap();
    let (code, out, said) = mandat(&["--sandbox", "refresh", "--format", "jsonl", input.to_str().unwrap()]);
    assert_eq!(code, Some(3), "{said}");
    let rows: Vec<serde_json::Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rows.len(), 3, "{out}");
    let read = rows.iter().find(|row| row["error"].is_null()).unwrap();
    // Dormant.
    assert_eq!((&read["verdict"], &read["signed_on"]), (&"Refused".into(), &"2020-01-01".into()));
    assert!(rows.iter().any(|row| row["reference"] == "(line 4)"), "{out}");
}
