//! Runs the engine until it is stopped, also after failures of the database.

use crate::{
    Failure,
    accounts::Accounts,
    database::{Connection, Database, ENGINE, told},
    metrics::{ByAccount, Metrics},
    pace,
    reader::{ReadLane, Reader},
};
use graphile_worker::{Worker, WorkerRecoveryConfig};
use std::{sync::Arc, time::Duration};
use tokio::{sync::watch, time::sleep};

/// A process that reads mandates.
#[derive(Debug)]
pub struct Settings {
    /// The database that all workers share.
    pub database: Database,
    /// The credentials of this process. The worker reads only lanes of these accounts.
    pub accounts: Accounts,
    /// The number of lanes that this process reads at the same time.
    pub lanes: usize,
    /// The metrics of this process.
    pub metrics: Metrics,
}

/// The time after a failure of the database until the worker tries again.
const AGAIN: Duration = Duration::from_secs(1);
/// The interval of counting due mandates, and of adding missing jobs.
const CARE: Duration = Duration::from_secs(15);

/// Reads due mandates until `stopping` becomes true. Readings that have arrived are then stored, and the others stay due.
/// `ready` is true while the worker takes jobs.
///
/// # Errors
/// If the tables cannot be prepared at the start. Later failures of the database are logged, and the worker connects
/// again.
pub async fn work(
    settings: Settings,
    mut stopping: watch::Receiver<bool>,
    ready: &watch::Sender<bool>,
) -> Result<(), Failure> {
    let Settings { database, accounts, lanes, metrics } = settings;
    database.migrate().await?;
    let client = database.connection().await?;
    for (account, vendor) in accounts.names() {
        add_account(&client, account, vendor).await?;
    }
    drop(client);
    let flags: Vec<String> = accounts.names().map(|(account, vendor)| format!("{account}/{vendor}")).collect();
    if flags.is_empty() {
        return Err("no credentials are set. `mandat-fleet worker --help` lists the variables".into());
    }
    let reader = Arc::new(Reader::new(database.clone(), accounts, metrics.clone(), stopping.clone()));
    let care = tokio::spawn(care(database.clone(), metrics));
    while !*stopping.borrow() {
        let ran = run(&database, &reader, lanes, &flags, stopping.clone(), ready).await;
        ready.send_replace(false);
        if let Err(error) = ran {
            tracing::warn!(error = told(&*error), "the worker lost the database, and connects again");
            tokio::select! {
                () = sleep(AGAIN) => {}
                _ = stopping.wait_for(|stopping| *stopping) => {}
            }
        }
    }
    care.abort();
    Ok(())
}

async fn run(
    database: &Database,
    reader: &Arc<Reader>,
    lanes: usize,
    flags: &[String],
    mut stopping: watch::Receiver<bool>,
    ready: &watch::Sender<bool>,
) -> Result<(), Failure> {
    queue_missing(&database.connection().await?).await?;
    // The lease of a lane ends ten seconds after the death of its worker. The engine finds the dead worker by then.
    let recovery = WorkerRecoveryConfig::default()
        .heartbeat_interval(Duration::from_secs(2))
        .sweep_interval(Duration::from_secs(2))
        .sweep_threshold(Duration::from_secs(8))
        .recovery_delay(Duration::ZERO);
    let stop = async move { _ = stopping.wait_for(|stopping| *stopping).await };
    let options = Worker::options()
        .database(database.engine())
        .schema(ENGINE)
        .concurrency(lanes.max(1))
        .worker_recovery(recovery)
        .listen_os_shutdown_signals(false)
        .shutdown_signal(stop)
        .shutdown_grace_period(Duration::from_secs(20))
        .shutdown_interrupted_job_retry_delay(Duration::from_secs(1))
        .add_extension(reader.clone())
        .define_job::<ReadLane>();
    let options = flags.iter().fold(options, |options, flag| options.add_accepted_flag(flag));
    let worker = options.init().await?;
    ready.send_replace(true);
    Ok(worker.run().await?)
}

/// Creates an account at a vendor with the default rate of mandat, unless it exists.
pub(crate) async fn add_account(client: &Connection, account: &str, vendor: &str) -> Result<(), Failure> {
    crate::accounts::check(account)?;
    let rate = mandat::Settings::default().rate_per_second.map(std::num::NonZeroU32::get);
    let lanes = i32::try_from(pace::lanes(rate))?;
    let rate = rate.map(i32::try_from).transpose()?;
    client.execute("SELECT mandat_fleet.add_account($1, $2, $3, $4)", &[&account, &vendor, &rate, &lanes]).await?;
    Ok(())
}

async fn queue_missing(client: &Connection) -> Result<(), Failure> {
    client.execute("SELECT mandat_fleet.queue_missing_lanes()", &[]).await?;
    Ok(())
}

async fn care(database: Database, metrics: Metrics) {
    loop {
        if let Err(error) = cared(&database, &metrics).await {
            tracing::warn!(error = told(&*error), "the due mandates were not counted");
        }
        sleep(CARE).await;
    }
}

async fn cared(database: &Database, metrics: &Metrics) -> Result<(), Failure> {
    let client = database.connection().await?;
    queue_missing(&client).await?;
    let due = "SELECT a.account, a.vendor, (SELECT count(*) FROM mandat_fleet.mandate AS m
                   WHERE m.account = a.account AND m.vendor = a.vendor AND m.next_check <= clock_timestamp())
               FROM mandat_fleet.account AS a";
    for row in client.query(due, &[]).await? {
        metrics.due.get_or_create(&ByAccount { account: row.get(0), vendor: row.get(1) }).set(row.get(2));
    }
    Ok(())
}
