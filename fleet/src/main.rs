//! The program `mandat-fleet`.

use clap::{Parser, Subcommand};
use mandat::{MandateRef, Provider};
use mandat_fleet::{Accounts, Consumer, Database, Failure, MAIN, Metrics, Settings};
use std::{
    io::{self, IsTerminal, Read, Write},
    net::SocketAddr,
    path::PathBuf,
    process::ExitCode,
};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
    sync::watch,
};
use tracing_subscriber::{EnvFilter, Layer, layer::SubscriberExt, util::SubscriberInitExt};

/// Reads the mandates of several machines' accounts at Easytransac, SafeDebit and Seqino, with PostgreSQL as the only
/// thing that the machines share.
#[derive(Parser)]
#[command(name = "mandat-fleet", version, max_term_width = 100)]
struct Arguments {
    /// The database: postgres://user:password@host/name. Use the variable, because arguments are visible to other users.
    #[arg(
        long,
        env = "DATABASE_URL",
        hide_env_values = true,
        global = true,
        default_value = "postgres:///mandat?host=/var/run/postgresql",
        hide_default_value = true
    )]
    database: String,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Create or update the tables. Every other command does this, too.
    Migrate,
    /// Read due mandates until a signal stops the program.
    ///
    /// The credentials are in the variables that the program `mandat` reads: EASYTRANSAC_API_KEY, EASYTRANSAC_URL,
    /// SAFEDEBIT_URL, SAFEDEBIT_LOGIN, SAFEDEBIT_PASSWORD, SEQINO_API_KEY, SEQINO_URL. MANDAT_FLEET_ACCOUNTS names
    /// several accounts, such as `main,paris`. The variables of the account `paris` begin with `PARIS_`.
    /// MANDAT_FLEET_PLAIN_HTTP_TO allows plain HTTP to a sandbox in another container. RUST_LOG sets the level of the log.
    Worker {
        /// The number of lanes that this process reads at the same time.
        #[arg(long, value_name = "NUMBER", default_value_t = 16)]
        lanes: usize,
        /// Read mandates in force as often as the rate allows, and not once a day. Use this on all machines or on none.
        #[arg(long)]
        paced: bool,
        /// Serve health, readiness and metrics on this address.
        #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9464")]
        listen: SocketAddr,
    },
    /// Import a file of mandates: CSV, JSON lines or a list of references, as `mandat refresh` reads and writes them.
    Import {
        /// The file. `-` is standard input.
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// The account of the mandates.
        #[arg(long, default_value = MAIN)]
        account: String,
        /// The name of a column of your own, which the import ignores. Repeat the option, or separate names with commas.
        /// `*` stands for every column that the program does not know.
        #[arg(long, value_name = "NAME", value_delimiter = ',')]
        own: Vec<String>,
    },
    /// Show what is due and how late, and the failures.
    Status {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Print the changes in the outbox as JSON lines.
    Changes {
        /// Wait for further changes.
        #[arg(long)]
        follow: bool,
        /// Continue after the last change that this consumer has printed, and store the position.
        #[arg(long, value_name = "NAME", default_value = "changes")]
        consumer: String,
    },
    /// Set the requests that a vendor may receive in a second from an account.
    Rate {
        account: String,
        #[arg(value_parser = vendor)]
        vendor: Provider,
        /// A number, or `none` for no limit.
        #[arg(value_parser = rate)]
        rate: Rate,
        /// The number of parts of the rate. At most this number of workers share the account at the same time.
        #[arg(long, value_name = "NUMBER")]
        lanes: Option<u32>,
    },
    /// Send requests again, after a vendor has refused the caller.
    Resume {
        account: String,
        #[arg(value_parser = vendor)]
        vendor: Provider,
    },
    /// Read a mandate at once.
    Ask {
        #[arg(value_parser = reference)]
        reference: MandateRef,
        #[arg(long, default_value = MAIN)]
        account: String,
    },
    /// Acknowledge the return of a mandate that had ended.
    Acknowledge {
        #[arg(value_parser = reference)]
        reference: MandateRef,
        #[arg(long, default_value = MAIN)]
        account: String,
    },
}

#[derive(Clone, Copy)]
struct Rate(Option<u32>);

fn rate(text: &str) -> Result<Rate, String> {
    match text {
        "none" => Ok(Rate(None)),
        _ => text.parse().map(|rate| Rate(Some(rate))).map_err(|_| "write a number, or `none`".into()),
    }
}

fn vendor(text: &str) -> Result<Provider, mandat::Error> {
    text.parse()
}

fn reference(text: &str) -> Result<MandateRef, mandat::Error> {
    text.parse()
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let metrics = Metrics::default();
    log(&metrics);
    match run(arguments, metrics).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // A reader such as `head` closes the pipe when it has enough.
            if error.downcast_ref::<io::Error>().is_some_and(|e| e.kind() == io::ErrorKind::BrokenPipe) {
                return ExitCode::SUCCESS;
            }
            eprintln!("mandat-fleet: {}", mandat_fleet::told(&*error));
            ExitCode::FAILURE
        }
    }
}

/// Logs JSON lines to standard error, and text on a terminal. The spans of mandat feed the metrics and not the log.
fn log(metrics: &Metrics) {
    let filter =
        || EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn,mandat=warn,mandat_fleet=info"));
    let lines = tracing_subscriber::fmt::layer().with_writer(io::stderr);
    let lines = if io::stderr().is_terminal() { lines.boxed() } else { lines.json().flatten_event(true).boxed() };
    tracing_subscriber::registry().with(metrics.layer()).with(lines.with_filter(filter())).init();
}

async fn run(Arguments { database, command }: Arguments, metrics: Metrics) -> Result<(), Failure> {
    let connections = if let Command::Worker { lanes, .. } = command { lanes * 2 + 4 } else { 2 };
    let database = Database::new(&database, connections)?;
    if let Command::Worker { lanes, paced, listen } = command {
        return worker(database, lanes, paced, listen, metrics).await;
    }
    database.migrate().await?;
    match command {
        Command::Migrate | Command::Worker { .. } => {}
        Command::Import { file, account, own } => {
            let shown = file.display();
            let mut bytes = Vec::new();
            let read = if file.as_os_str() == "-" {
                io::stdin().read_to_end(&mut bytes).map(drop)
            } else {
                std::fs::read(&file).map(|read| bytes = read)
            };
            read.map_err(|e| format!("{shown}: {e}"))?;
            let imported = mandat_fleet::import(&database, &account, &bytes, &own)
                .await
                .map_err(|e| format!("{shown}: {}", mandat_fleet::told(&*e)))?;
            eprintln!("{} rows, {} of them new or with other facts", imported.rows, imported.stored);
        }
        Command::Status { json } => {
            let report = mandat_fleet::report(&database).await?;
            let text = if json { serde_json::to_string_pretty(&report)? + "\n" } else { report.to_string() };
            io::stdout().write_all(text.as_bytes())?;
        }
        Command::Changes { follow, consumer } => changes(&database, follow, &consumer).await?,
        Command::Rate { account, vendor, rate, lanes } => database.set_rate(&account, vendor, rate.0, lanes).await?,
        Command::Resume { account, vendor } => {
            known(database.resume(&account, vendor).await?, "there is no such account at this vendor")?;
        }
        Command::Ask { reference, account } => {
            known(
                database.ask(&account, &reference).await?,
                "the account has no such mandate. Import the mandate first",
            )?;
        }
        Command::Acknowledge { reference, account } => {
            let acknowledged = database.acknowledge(&account, &reference).await?;
            known(
                acknowledged,
                "there is no return to acknowledge: the mandate did not come back, or has ended again",
            )?;
        }
    }
    Ok(())
}

fn known(found: bool, otherwise: &str) -> Result<(), Failure> {
    if found { Ok(()) } else { Err(otherwise.into()) }
}

async fn changes(database: &Database, follow: bool, consumer: &str) -> Result<(), Failure> {
    let mut consumer = Consumer::new(database, consumer).await?;
    loop {
        let changes = if follow { consumer.next(1000).await } else { consumer.poll(1000).await };
        let changes = match changes {
            Err(error) if follow => {
                tracing::warn!(
                    error = mandat_fleet::told(&*error),
                    "the changes were not read. The program tries again"
                );
                tokio::time::sleep(std::time::Duration::from_secs(1)).await;
                continue;
            }
            changes => changes?,
        };
        let Some(last) = changes.last().map(|change| change.id) else { return Ok(()) };
        let mut lines = Vec::new();
        for change in &changes {
            serde_json::to_writer(&mut lines, change)?;
            lines.push(b'\n');
        }
        let mut out = io::stdout();
        out.write_all(&lines)?;
        out.flush()?;
        // Store the position after the lines are written. A stop between the two prints the lines again.
        if let Err(error) = consumer.done(last).await {
            tracing::warn!(
                error = mandat_fleet::told(&*error),
                "the position was not stored. The next program prints these changes again"
            );
        }
    }
}

async fn worker(
    database: Database,
    lanes: usize,
    paced: bool,
    listen: SocketAddr,
    metrics: Metrics,
) -> Result<(), Failure> {
    let accounts = Accounts::read(|name| std::env::var(name).ok())?;
    let listener =
        TcpListener::bind(listen).await.map_err(|e| format!("cannot listen on {listen}: {e}. Use --listen"))?;
    tracing::info!(listen = %listener.local_addr()?, ?accounts, lanes, "the worker starts");
    let (stop, stopping) = watch::channel(false);
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    tokio::spawn(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        tracing::info!("the worker stops. Readings that have arrived are stored");
        stop.send_replace(true);
    });
    let (ready, is_ready) = watch::channel(false);
    let serving =
        tokio::spawn(mandat_fleet::serve(listener, database.clone(), metrics.clone(), is_ready, stopping.clone()));
    mandat_fleet::work(Settings { database, accounts, lanes, paced, metrics }, stopping, &ready).await?;
    // A connection that stays open must not delay the end.
    let _ = tokio::time::timeout(std::time::Duration::from_secs(2), serving).await;
    Ok(())
}
