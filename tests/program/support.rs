//! Helper functions for the tests of the program `mandat`.

use mandat::{Provider, sandbox::Sandbox};
use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

/// A running process of `mandat sandbox`, and the lines that it printed at the start.
pub struct Running {
    pub child: Child,
    pub greeting: Vec<String>,
}

impl Running {
    pub fn start() -> Self {
        Self::with(&["--listen", "127.0.0.1:0", "--seed", "7"])
    }

    pub fn with(arguments: &[&str]) -> Self {
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

    pub fn address(&self) -> &str {
        let control = self.greeting.last().unwrap();
        control.split_once("http://").unwrap().1.strip_suffix("/_control").unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // The kill may fail, because the process may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn get(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// Runs the program `mandat` until it ends. Returns the exit code, the output and the error output.
pub fn mandat(arguments: &[&str]) -> (Option<i32>, String, String) {
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

/// Returns every command, such as `status` and `spec print`. Each has a manual page, so no list can forget one.
pub fn commands(test: &str) -> Vec<String> {
    let pages = folder(test).join("man1");
    let (code, _, err) = mandat(&["man", pages.to_str().unwrap()]);
    assert_eq!(code, Some(0), "{err}");
    let names = fs::read_dir(pages).unwrap().map(|page| page.unwrap().file_name().into_string().unwrap());
    let names = names.filter_map(|name| Some(name.strip_prefix("mandat-")?.strip_suffix(".1")?.replace('-', " ")));
    let mut names: Vec<String> = names.collect();
    names.sort();
    assert!(names.len() >= 18, "{names:?}");
    names
}

/// Returns the arguments with the option `--format` after the name of the command.
pub fn formatted<'a>(arguments: &[&'a str], format: &'a str) -> Vec<&'a str> {
    let command = arguments.iter().position(|argument| !argument.starts_with("--")).unwrap();
    let place = command + if arguments[command] == "spec" { 2 } else { 1 };
    [&arguments[..place], &["--format", format], &arguments[place..]].concat()
}

/// Compares the text with the snapshot of this name in `snapshots/`.
pub fn snapshot(name: &str, text: &str) {
    insta::with_settings!({prepend_module_to_snapshot => false, omit_expression => true}, {
        insta::assert_snapshot!(name, text);
    });
}

/// Creates an empty folder for one test.
pub fn folder(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("program").join(name);
    drop(fs::remove_dir_all(&folder));
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// Writes a file with the URLs and credentials of the sandbox, for another process.
pub fn credentials(running: &Running, folder: &Path) -> PathBuf {
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

pub fn post(address: &str, path: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    let length = body.len();
    // The secret is the Base64 of `sandbox:sandbox-password`.
    let secret = "authorization: Basic c2FuZGJveDpzYW5kYm94LXBhc3N3b3Jk";
    let head = format!(
        "host: {address}\r\nconnection: close\r\n{secret}\r\ncontent-type: application/json\r\ncontent-length: {length}"
    );
    write!(stream, "POST {path} HTTP/1.1\r\n{head}\r\n\r\n{body}").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// A sandbox in the process of the test, and the program `mandat`, which sends its requests to the sandbox.
pub struct Vendors {
    pub sandbox: Sandbox,
    _runtime: tokio::runtime::Runtime,
    pub folder: PathBuf,
}

impl Vendors {
    /// Starts the sandbox, with a folder for the files of this test.
    pub fn start(test: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let sandbox = runtime.block_on(Sandbox::start()).unwrap();
        Self { sandbox, _runtime: runtime, folder: folder(test) }
    }

    /// Creates and signs `count` mandates at SafeDebit. Returns their references.
    pub fn make(&self, count: usize) -> Vec<String> {
        let made = (0..count).map(|i| {
            let body = format!(
                r#"{{"safedebit_consumer_reference": "XXXXXXXXXXXXX", "umr": "RUM-{i}",
                    "url_ok": "https://example.com", "url_ko": "https://example.com",
                    "url_cancel": "https://example.com"}}"#
            );
            let answer = post(&self.sandbox.address().to_string(), "/safedebit/ssp/create_mandate", &body);
            assert!(answer.contains("signature_url"), "{answer}");
            self.sandbox.sign(&mandat::MandateRef::safedebit(format!("RUM-{i}"))).unwrap();
            format!("safedebit:RUM-{i}")
        });
        made.collect()
    }

    /// Returns the command that starts the program in the folder of the test, with the credentials of the sandbox.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mandat"));
        command.args(arguments).env_clear().env("COLUMNS", "80").current_dir(&self.folder);
        for (provider, name) in
            [(Provider::Easytransac, "EASYTRANSAC"), (Provider::SafeDebit, "SAFEDEBIT"), (Provider::Seqino, "SEQINO")]
        {
            command.env(format!("{name}_URL"), self.sandbox.base_url(provider));
            for (what, value) in self.sandbox.credentials(provider) {
                let what = match *what {
                    "login" => "LOGIN",
                    "password" => "PASSWORD",
                    _ => "API_KEY",
                };
                command.env(format!("{name}_{what}"), value);
            }
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs the program `mandat` until it ends.
    pub fn mandat(&self, arguments: &[&str]) -> Ended {
        Ended::of(self.command(arguments).spawn().unwrap())
    }

    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        fs::write(self.folder.join(name), bytes).unwrap();
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.folder.join(name)).unwrap()
    }

    /// Lists the names of the files in the folder of the test.
    pub fn files(&self) -> Vec<String> {
        let names = fs::read_dir(&self.folder).unwrap();
        let mut names: Vec<_> = names.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// Counts the readings in the journal of the run that writes the file `out`.
    pub fn kept(&self, out: &str) -> usize {
        let journal = self.folder.join(format!("{out}.mandat/journal"));
        fs::read_to_string(journal).unwrap_or_default().lines().count().saturating_sub(1)
    }
}

/// The exit code, the output and the error output of a run that has ended.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Ended {
    pub fn of(child: Child) -> Self {
        let output = child.wait_with_output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// Returns the rows of the CSV output. Each row maps column names to cells.
    pub fn rows(&self) -> Vec<Row> {
        rows(&self.out)
    }
}

pub type Row = std::collections::BTreeMap<String, String>;

pub fn rows(csv: &str) -> Vec<Row> {
    csv::Reader::from_reader(csv.as_bytes()).into_deserialize().map(Result::unwrap).collect()
}

/// Returns the cells of one column, in the order of the rows.
pub fn column(rows: &[Row], name: &str) -> Vec<String> {
    rows.iter().map(|row| row[name].clone()).collect()
}
