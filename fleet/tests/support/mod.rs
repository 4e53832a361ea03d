//! The processes of a test: PostgreSQL, the simulated vendors, the workers.

pub mod postgres;

use postgres::Postgres;
use std::{
    fs,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

/// The program `mandat-fleet` with its variables. No variable of the caller reaches it.
pub fn fleet(server: &Postgres, variables: &[(String, String)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mandat-fleet"));
    command.env_clear().env("DATABASE_URL", server.url()).envs(variables.iter().cloned());
    command
}

/// Runs a command of the program that ends, and returns its output.
pub fn ran(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let (out, error) =
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8_lossy(&output.stderr).into_owned());
    assert!(output.status.success(), "{command:?}: {error}");
    out
}

/// The simulated vendors as a process.
pub struct Vendors {
    child: Child,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
    pub variables: Vec<(String, String)>,
    pub references: Vec<String>,
    pub file: PathBuf,
}

impl Vendors {
    pub fn start(mandates: usize) -> Self {
        let program = Path::new(env!("CARGO_BIN_EXE_mandat-fleet")).with_file_name("examples").join("vendors");
        let file = std::env::temp_dir().join(format!("mandat-fleet-references-{}-{mandates}", std::process::id()));
        let mut child = Command::new(&program)
            .arg(mandates.to_string())
            .arg(&file)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|e| {
                panic!(
                    "{}: {e}. `cargo build --example vendors` builds it, for the benchmark with `--release`",
                    program.display()
                )
            });
        let (requests, mut answers) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        let mut variables = Vec::new();
        loop {
            let mut line = String::new();
            assert!(answers.read_line(&mut line).unwrap() > 0, "the simulated vendors did not start");
            match line.trim_end().split_once('=') {
                Some((name, value)) => variables.push((name.to_owned(), value.to_owned())),
                None => break,
            }
        }
        let references = fs::read_to_string(&file).unwrap().lines().map(str::to_owned).collect();
        Self { child, requests, answers, variables, references, file }
    }

    fn ask(&mut self, request: &str) -> String {
        writeln!(self.requests, "{request}").unwrap();
        let mut answer = String::new();
        self.answers.read_line(&mut answer).unwrap();
        answer.trim_end().to_owned()
    }

    /// Ends a mandate at its vendor.
    pub fn end(&mut self, reference: &str) {
        assert_eq!(self.ask(&format!("end {reference}")), "done");
    }

    /// Makes each response of the vendors take this number of milliseconds.
    #[allow(dead_code, reason = "only the benchmark needs it")]
    pub fn delay(&mut self, milliseconds: u32) {
        assert_eq!(self.ask(&format!("delay {milliseconds}")), "done");
    }

    /// Makes the requests so far count no longer.
    #[allow(dead_code, reason = "only the benchmark needs it")]
    pub fn clear(&mut self) {
        assert_eq!(self.ask("clear"), "done");
    }

    /// The time of the first request that counts, in seconds since 1970.
    #[allow(dead_code, reason = "only the benchmark needs it")]
    pub fn first(&mut self) -> f64 {
        self.ask("first").parse().expect("the vendors have received a request")
    }

    /// The number of the process.
    #[allow(dead_code, reason = "only the benchmark needs it")]
    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// The requests to each vendor.
    pub fn journal(&mut self) -> Vec<(String, Requests)> {
        let report = self.ask("journal");
        let vendor = |part: &str| {
            let (vendor, counts) = part.split_once('=')?;
            let mut counts = counts.split('/').map(|count| count.parse().ok());
            let (all, in_a_second, in_ten_seconds) = (counts.next()??, counts.next()??, counts.next()??);
            Some((vendor.to_owned(), Requests { all, in_a_second, in_ten_seconds }))
        };
        report.split_whitespace().map(|part| vendor(part).unwrap_or_else(|| panic!("{report}"))).collect()
    }
}

/// The requests to a vendor: all of them, and the most in any second and in any ten seconds.
#[derive(Clone, Copy, Debug)]
#[allow(dead_code, reason = "the benchmark reads only one")]
pub struct Requests {
    pub all: usize,
    pub in_a_second: usize,
    pub in_ten_seconds: usize,
}

impl Drop for Vendors {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_file(&self.file);
    }
}

/// Processes that a test may kill. They are killed at its end.
pub struct Killed(pub Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
