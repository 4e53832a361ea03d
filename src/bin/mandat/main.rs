//! The program `mandat` offers the functions of this crate in a shell. Each command has its own file.

mod calendar;
mod check;
mod connect;
mod create;
mod debit;
mod doctor;
mod env_file;
mod fields;
mod file;
mod forms;
mod input;
mod journal;
mod layout;
mod man;
mod output;
mod probe;
mod refresh;
mod report;
mod revoke;
mod sandbox;
mod sign;
mod sink;
mod spec;
mod status;
mod stop;
mod summary;
mod table;
mod watch;
mod write;

use clap::{CommandFactory, Parser, Subcommand};
use output::{complain, remark, tell, visible};
use std::{env, fmt, io, net::SocketAddr, process::ExitCode};

/// Show the status of mandates at French vendors, and if you may use them.
///
/// The name of a mandate is easytransac:<mandateId>, safedebit:<umr> or seqino:<client_id>/<mandate_id>.
#[derive(Parser)]
#[command(name = "mandat", version, about, max_term_width = 80, after_help = ENVIRONMENT)]
struct Arguments {
    #[command(flatten)]
    connection: connect::Options,
    #[command(flatten)]
    look: output::Look,
    #[command(subcommand)]
    command: Command,
}

const ENVIRONMENT: &str = "\
Credentials of the vendors that you use:
  EASYTRANSAC_API_KEY    [EASYTRANSAC_URL: the vendor's test environment]
  SAFEDEBIT_URL, SAFEDEBIT_LOGIN, SAFEDEBIT_PASSWORD
  SEQINO_API_KEY         [SEQINO_URL: the vendor's development server]

Exit codes: 0 success; 1 failure, or `check` found a wrong value; 2 invalid
arguments; 3 some mandates could not be read; 4 no mandate could be read; 5 the
vendor does not know a named mandate (in a file such a mandate counts as read);
6 a write may have taken effect, and its response was lost; 130 and 143 stopped
by a signal. Debits count like mandates.

Examples:
  mandat --sandbox status        # no account, no network
  mandat refresh mandates.csv --out monday.csv
  mandat help status";

#[derive(Subcommand)]
enum Command {
    Status(status::Arguments),
    Debit(debit::Arguments),
    Refresh(refresh::Arguments),
    Watch(watch::Arguments),
    Create(create::Arguments),
    Sign(sign::Arguments),
    Revoke(revoke::Arguments),
    Doctor(doctor::Arguments),
    Report(report::Arguments),
    Probe(probe::Arguments),
    Table(table::Arguments),
    Check(check::Arguments),
    Calendar(calendar::Arguments),
    Sandbox(sandbox::Arguments),
    #[command(subcommand)]
    Spec(spec::Command),
    Schema(forms::Arguments),
    /// Print completions for a shell.
    #[command(after_help = "Example:\n  mandat completions bash > ~/.local/share/bash-completion/completions/mandat")]
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    Man(man::Arguments),
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
    /// A write may have taken effect, but its response was lost.
    Lost,
    /// A failure that the command has already reported.
    Failed,
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

/// An error in the arguments that only the command itself can find.
#[derive(Debug)]
struct Usage(String);

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Usage {}

#[tokio::main]
async fn main() -> ExitCode {
    if let Some(why) = missing_equals() {
        output::begin(output::Look::default());
        return failed(&Usage(why).into());
    }
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(why) => return refused(&why),
    };
    output::begin(arguments.look);
    match run(arguments).await {
        Ok(End::Complete) => ExitCode::SUCCESS,
        Ok(End::Failed) => ExitCode::FAILURE,
        Ok(End::Incomplete) => ExitCode::from(3),
        Ok(End::Nothing) => ExitCode::from(4),
        Ok(End::Unknown) => ExitCode::from(5),
        Ok(End::Lost) => ExitCode::from(6),
        Ok(End::Stopped(code)) => ExitCode::from(code),
        // The reader of the output pipe has ended, as in `mandat table | head -1`. This is no failure.
        Err(why) if why.downcast_ref().is_some_and(|e: &io::Error| e.kind() == io::ErrorKind::BrokenPipe) => {
            ExitCode::SUCCESS
        }
        Err(why) => failed(&why),
    }
}

/// Returns an error for a value after an option that takes its value only after `=`, such as `--sandbox 127.0.0.1:4010`.
/// clap takes such a value as the name of a mandate or of a file.
fn missing_equals() -> Option<String> {
    let arguments: Vec<String> = env::args_os().map(|one| one.to_string_lossy().into_owned()).collect();
    let command = Arguments::command();
    let takes_equals = |command: &clap::Command, name: &str| {
        command.get_arguments().any(|option| option.get_long() == Some(name) && option.is_require_equals_set())
    };
    let is_value = |text: &str| {
        let is_address = text.parse::<SocketAddr>().is_ok() || text.starts_with("localhost:");
        is_address || text.starts_with("http://") || file::boolean(text).is_some()
    };
    arguments.windows(2).filter(|pair| is_value(&pair[1])).find_map(|pair| {
        let (name, value) = (pair[0].strip_prefix("--")?, &pair[1]);
        let known = std::iter::once(&command).chain(command.get_subcommands()).any(|one| takes_equals(one, name));
        known.then(|| format!("--{name} takes its value after `=`. Write --{name}={value}"))
    })
}

/// Reports an error of clap, which can also be the help text or the version.
fn refused(why: &clap::Error) -> ExitCode {
    if why.use_stderr() && wants_json() {
        let text = why.to_string();
        // After a blank line, clap shows the usage.
        let message = text.split("\n\n").next().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ");
        report(forms::ErrorForm::plain("Usage", message.strip_prefix("error: ").unwrap_or(&message)));
    } else if why.use_stderr() {
        // clap writes the texts of this program without regard to the width of the terminal.
        output::begin(output::Look::default());
        tell(&why.to_string());
    } else {
        // Ignore a closed stream.
        let _ = why.print();
    }
    ExitCode::from(u8::try_from(why.exit_code()).unwrap_or(2))
}

fn failed(why: &Failure) -> ExitCode {
    let text = why.to_string();
    match (why.downcast_ref::<Usage>(), why.downcast_ref::<mandat::Error>()) {
        (Some(_), _) if wants_json() => report(forms::ErrorForm::plain("Usage", &text)),
        (_, Some(error)) if wants_json() => report(forms::ErrorForm::of(error)),
        _ if wants_json() => report(forms::ErrorForm::plain("Failure", &text)),
        (Some(_), _) => tell(&format!("error: {text}\n\nFor more information, try '--help'.\n")),
        (_, Some(error)) => complain(&connect::told(error)),
        _ => complain(&text),
    }
    ExitCode::from(if why.is::<Usage>() { 2 } else { 1 })
}

/// Writes an error as a line of JSON to standard error.
fn report(error: forms::ErrorForm) {
    let form = forms::FailureForm { reference: None, error };
    tell(&file::json_line(&form).unwrap_or_else(|why| format!("mandat: {why}\n")));
}

/// Returns true if the arguments ask for JSON. Reads them without clap, because an error in the arguments is reported
/// in this format, too.
fn wants_json() -> bool {
    let arguments: Vec<_> = env::args_os().collect();
    let is_json = |text: &std::ffi::OsStr| text == "json" || text == "jsonl";
    arguments.windows(2).any(|pair| pair[0] == "--format" && is_json(&pair[1]))
        || arguments.iter().any(|one| one == "--json" || one == "--format=json" || one == "--format=jsonl")
}

impl Command {
    /// Returns true if the command uses vendors.
    fn connects(&self) -> bool {
        use Command::{Create, Debit, Doctor, Probe, Refresh, Revoke, Sign, Status, Watch};
        matches!(
            self,
            Status(_) | Debit(_) | Refresh(_) | Watch(_) | Create(_) | Sign(_) | Revoke(_) | Doctor(_) | Probe(_)
        )
    }
}

async fn run(Arguments { connection: before, look: _, command }: Arguments) -> Result<End, Failure> {
    if let Some(name) = before.given().filter(|_| !command.connects()) {
        return Err(Usage(format!("this command uses no vendor, so {name} has no meaning. Leave it out")).into());
    }
    // The options of the connection may stand before the command or after it. A command connects once its arguments are
    // valid.
    match command {
        Command::Status(arguments) => status::run(arguments, before).await,
        Command::Debit(arguments) => debit::run(arguments, before).await,
        Command::Refresh(arguments) => refresh::run(arguments, before).await,
        Command::Watch(arguments) => watch::run(arguments, before).await,
        Command::Create(arguments) => create::run(arguments, before).await,
        Command::Sign(arguments) => sign::run(arguments, before).await,
        Command::Revoke(arguments) => revoke::run(arguments, before).await,
        Command::Doctor(arguments) => doctor::run(arguments, before).await,
        Command::Report(arguments) => report::run(&arguments),
        Command::Probe(arguments) => probe::run(arguments, before).await,
        Command::Table(arguments) => table::run(&arguments),
        Command::Check(arguments) => check::run(&arguments),
        Command::Calendar(arguments) => calendar::run(&arguments),
        Command::Sandbox(arguments) => sandbox::run(arguments).await,
        Command::Spec(command) => spec::run(&command),
        Command::Schema(arguments) => forms::run(&arguments),
        Command::Completions { shell } => {
            let mut text = Vec::new();
            clap_complete::generate(shell, &mut Arguments::command(), "mandat", &mut text);
            output::write_out(&text)?;
            Ok(End::Complete)
        }
        Command::Man(arguments) => man::run(&arguments),
    }
}
