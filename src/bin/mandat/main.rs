//! The program `mandat` offers the functions of this crate in a shell. Each command has its own file.

mod calendar;
mod check;
mod connect;
mod debit;
mod doctor;
mod env_file;
mod file;
mod journal;
mod output;
mod probe;
mod refresh;
mod report;
mod sandbox;
mod spec;
mod status;
mod stop;
mod summary;
mod table;
mod watch;

use clap::{CommandFactory, Parser, Subcommand};
use std::{io, process::ExitCode};

/// Show the status of mandates at French vendors, and if you may use them.
///
/// The name of a mandate is easytransac:<mandateId>, safedebit:<umr> or seqino:<client_id>/<mandate_id>.
#[derive(Parser)]
#[command(version, about, max_term_width = 80, after_help = ENVIRONMENT)]
struct Arguments {
    #[command(flatten)]
    options: connect::Options,
    #[command(subcommand)]
    command: Command,
}

const ENVIRONMENT: &str = "\
Credentials of the vendors that you use:
  EASYTRANSAC_API_KEY    [EASYTRANSAC_URL: the vendor's sandbox]
  SAFEDEBIT_URL, SAFEDEBIT_LOGIN, SAFEDEBIT_PASSWORD
  SEQINO_API_KEY         [SEQINO_URL: the development server]

Exit codes: 0 success; 1 failure, or `check` found a wrong value; 2 invalid
arguments; 3 some mandates could not be read; 4 no mandate could be read; 5 the
vendor does not know a named mandate (in a file such a mandate counts as read);
130 and 143 stopped by a signal. Debits count like mandates.";

#[derive(Subcommand)]
enum Command {
    Status(status::Arguments),
    Debit(debit::Arguments),
    Refresh(refresh::Arguments),
    Watch(watch::Arguments),
    Doctor(doctor::Arguments),
    Report(report::Arguments),
    Probe(probe::Arguments),
    Table(table::Arguments),
    Check(check::Arguments),
    Calendar(calendar::Arguments),
    Sandbox(sandbox::Arguments),
    #[command(subcommand)]
    Spec(spec::Command),
    /// Print completions for a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

/// The result of a command that ran without an error of its own.
enum End {
    Complete,
    /// The command could not read some of the mandates.
    Incomplete,
    /// The command could not read any mandate.
    Nothing,
    /// The vendor does not know a mandate that the command line names.
    Unknown,
    /// A signal stopped the command. The value is the exit code for this signal.
    Stopped(u8),
}

impl End {
    /// Returns the result for `named` mandates on the command line, of which `failed` could not be read and `unknown`
    /// do not exist at the vendor.
    fn of(named: usize, failed: usize, unknown: usize) -> Self {
        match failed {
            0 if unknown == 0 => Self::Complete,
            0 => Self::Unknown,
            _ if failed == named => Self::Nothing,
            _ => Self::Incomplete,
        }
    }
}

type Failure = Box<dyn std::error::Error>;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(arguments).await {
        Ok(End::Complete) => ExitCode::SUCCESS,
        Ok(End::Incomplete) => ExitCode::from(3),
        Ok(End::Nothing) => ExitCode::from(4),
        Ok(End::Unknown) => ExitCode::from(5),
        Ok(End::Stopped(code)) => ExitCode::from(code),
        // The reader of the output pipe has ended, as in `mandat table | head -1`. This is no failure.
        Err(why) if why.downcast_ref().is_some_and(|e: &io::Error| e.kind() == io::ErrorKind::BrokenPipe) => {
            ExitCode::SUCCESS
        }
        Err(why) => {
            tell(&format!("mandat: {why}\n"));
            ExitCode::FAILURE
        }
    }
}

/// Writes a message to standard error. Ignores a closed stream, on which `eprint!` would panic.
fn tell(text: &str) {
    let _ = io::Write::write_all(&mut io::stderr(), visible(text).as_bytes());
}

/// Replaces control characters in a text, because a terminal would execute them.
fn visible(text: &str) -> String {
    text.replace(|c: char| file::invisible(c) && !matches!(c, '\n' | '\t'), "?")
}

async fn run(Arguments { options, command }: Arguments) -> Result<End, Failure> {
    let connect = || connect::connect(options);
    match command {
        Command::Status(arguments) => status::run(arguments, connect().await?).await,
        Command::Debit(arguments) => debit::run(arguments, connect().await?).await,
        Command::Refresh(arguments) => refresh::run(arguments, connect().await?).await,
        Command::Watch(arguments) => watch::run(arguments, connect().await?).await,
        Command::Doctor(arguments) => doctor::run(arguments, connect().await?).await,
        Command::Report(arguments) => report::run(&arguments),
        Command::Probe(arguments) => probe::run(arguments, connect().await?).await,
        Command::Table(arguments) => table::run(&arguments),
        Command::Check(arguments) => check::run(&arguments),
        Command::Calendar(arguments) => calendar::run(&arguments),
        Command::Sandbox(arguments) => sandbox::run(arguments).await,
        Command::Spec(command) => spec::run(&command),
        Command::Completions { shell } => {
            let mut text = Vec::new();
            clap_complete::generate(shell, &mut Arguments::command(), "mandat", &mut text);
            io::Write::write_all(&mut io::stdout(), &text)?;
            Ok(End::Complete)
        }
    }
}
