//! Runs the engine until it is stopped, also after failures of the database.

use crate::{
    Failure,
    accounts::Accounts,
    database::{Connection, Database, ENGINE, told},
    metrics::{ByAccount, Metrics},
    pace,
    reader::{ReadLane, Reader},
};
use graphile_worker::{Worker, WorkerRecoveryConfig, WorkerUtils, worker_utils::types::CleanupTask};
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
    /// True if mandates in force are read as often as the rate allows, and not once a day. Use the same value for all
    /// workers.
    pub paced: bool,
    /// The metrics of this process.
    pub metrics: Metrics,
}

/// The time after a failure of the database until the worker tries again.
const AGAIN: Duration = Duration::from_secs(1);
/// The interval of counting due mandates, and of adding missing jobs.
const CARE: Duration = Duration::from_secs(15);
/// The time of a response for which the schedule is fitted.
const RESPONSE: Duration = Duration::from_millis(100);
/// The rounds of care between two fits of the schedule: a quarter of an hour.
const FIT: u32 = 60;

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
    let Settings { database, accounts, lanes, paced, metrics } = settings;
    database.migrate().await?;
    let client = database.connection().await?;
    for (account, vendor) in accounts.names() {
        add_account(&client, account, vendor).await?;
    }
    drop(client);
    let flags = accounts.flags();
    if flags.is_empty() {
        return Err("no credentials are set. `mandat-fleet worker --help` lists the variables".into());
    }
    let reader = Arc::new(Reader::new(database.clone(), accounts, metrics.clone(), stopping.clone()));
    if paced {
        fit(&reader).await?;
    }
    let care = tokio::spawn(care(reader.clone(), metrics, paced));
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
        .poll_interval(pace::POLL)
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

async fn care(reader: Arc<Reader>, metrics: Metrics, paced: bool) {
    for round in 1_u32.. {
        if let Err(error) = cared(&reader.database, &metrics).await {
            tracing::warn!(error = told(&*error), "the due mandates were not counted");
        }
        if paced
            && round.is_multiple_of(FIT)
            && let Err(error) = fit(&reader).await
        {
            tracing::warn!(error = told(&*error), "the schedule was not fitted to the number of mandates");
        }
        sleep(CARE).await;
    }
}

/// Fits the schedule of each account to the mandates that are in force, and at Seqino to their clients.
async fn fit(reader: &Reader) -> Result<(), Failure> {
    let calls =
        "SELECT a.account, a.vendor, a.rate, count(*) FILTER (WHERE m.client IS NULL) + count(DISTINCT m.client)
                 FROM mandat_fleet.account AS a JOIN mandat_fleet.mandate AS m USING (account, vendor)
                 WHERE m.status IN ('Active', 'Suspended') AND a.rate IS NOT NULL GROUP BY 1, 2, 3";
    for row in reader.database.connection().await?.query(calls, &[]).await? {
        let calls = u32::try_from(row.get::<_, i64>(3)).unwrap_or(u32::MAX);
        let used = pace::used(u32::try_from(row.get::<_, i32>(2))?, RESPONSE);
        reader.schedules.fit(row.get(0), row.get(1), calls, used);
    }
    Ok(())
}

async fn cared(database: &Database, metrics: &Metrics) -> Result<(), Failure> {
    let client = database.connection().await?;
    queue_missing(&client).await?;
    // A job whose worker died after it had queued the next job stays behind, and is never run again.
    WorkerUtils::new(database.engine(), ENGINE.to_owned()).cleanup(&[CleanupTask::DeletePermanentlyFailedJobs]).await?;
    for row in client.query(BACKLOG, &[]).await? {
        let labels = ByAccount { account: row.get(0), vendor: row.get(1) };
        metrics.due.get_or_create(&labels).set(row.get(2));
        metrics.oldest_due.get_or_create(&labels).set(row.get(3));
    }
    Ok(())
}

/// The due mandates of each account, and the seconds since the first of them was due. A backlog can have millions of
/// mandates, and each worker counts. So the count ends at 10,000. The index has the due mandates of a lane and an urgency
/// next to each other, in the order of `next_check`. Without this order, PostgreSQL could collect all of them first.
const BACKLOG: &str = "
    SELECT a.account, a.vendor, c.due, coalesce(extract(epoch FROM now() - o.oldest), 0)::int8
    FROM mandat_fleet.account AS a, LATERAL (
        SELECT count(*) AS due FROM (
            SELECT FROM mandat_fleet.lane AS l, generate_series(0, 4) AS u, LATERAL (
                SELECT FROM mandat_fleet.mandate AS m
                WHERE m.account = l.account AND m.vendor = l.vendor AND m.lane = l.lane AND m.urgency = u
                    AND m.next_check <= now()
                ORDER BY m.next_check LIMIT 10000) AS d
            WHERE l.account = a.account AND l.vendor = a.vendor
            LIMIT 10000) AS counted) AS c, LATERAL (
        SELECT min(d.next_check) AS oldest FROM mandat_fleet.lane AS l, generate_series(0, 4) AS u, LATERAL (
            SELECT m.next_check FROM mandat_fleet.mandate AS m
            WHERE m.account = l.account AND m.vendor = l.vendor AND m.lane = l.lane AND m.urgency = u
                AND m.next_check <= now()
            ORDER BY m.next_check LIMIT 1) AS d
        WHERE l.account = a.account AND l.vendor = a.vendor) AS o";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::postgres::Postgres;

    #[tokio::test]
    async fn a_backlog_is_counted_up_to_ten_thousand_with_its_oldest_mandate() {
        let Some(server) = Postgres::of_test() else { return };
        let (database, metrics) = (Database::new(&server.url(), 4).unwrap(), Metrics::default());
        database.migrate().await.unwrap();
        for vendor in [mandat::Provider::SafeDebit, mandat::Provider::Seqino, mandat::Provider::Easytransac] {
            database.set_rate("main", vendor, Some(30), Some(2)).await.unwrap();
        }
        let client = database.connection().await.unwrap();
        let mandates = "
            INSERT INTO mandat_fleet.mandate (account, reference, vendor, lane, urgency, next_check)
            SELECT 'main', vendor || ':' || n, vendor, abs(n) % 2, abs(n) % 5, now() - make_interval(secs => n)
            FROM (VALUES ('safedebit', 10100), ('seqino', 9)) AS v (vendor, mandates), generate_series(-5, mandates) AS n";
        client.execute(mandates, &[]).await.unwrap();
        cared(&database, &metrics).await.unwrap();
        let text = metrics.text();
        let value = |name: &str, vendor: &str| {
            let start = format!("mandat_fleet_{name}{{account=\"main\",vendor=\"{vendor}\"}} ");
            text.lines().find_map(|line| line.strip_prefix(&start)?.parse::<i64>().ok()).unwrap()
        };
        assert_eq!(["safedebit", "seqino", "easytransac"].map(|vendor| value("due", vendor)), [10_000, 10, 0]);
        assert!((10_100..10_200).contains(&value("oldest_due_seconds", "safedebit")), "{text}");
        assert!((9..100).contains(&value("oldest_due_seconds", "seqino")), "{text}");
        assert_eq!(value("oldest_due_seconds", "easytransac"), 0);
    }
}
