//! Reads the due mandates of a lane. This is the job that the engine runs.

use crate::{
    Failure,
    accounts::Accounts,
    database::{Database, told},
    lease::{self, Busy, IDLE, Lane, Lease},
    mandates::{Batch, Stored},
    metrics::{ByAccount, ByKind, Metrics},
    pace::{self, Pace},
};
use chrono::Utc;
use futures_util::StreamExt;
use graphile_worker::{IntoTaskHandlerResult, TaskHandler, WorkerContext};
use mandat::{ErrorKind, MandateStatus, Mandates, Schedule, StatusQuery};
use serde::{Deserialize, Serialize};
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{sync::watch, time::Instant};

/// The payload of the job.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ReadLane(Lane);

/// A job ends after this time, so that the engine can give the lane to another worker. It is below a minute.
const LONGEST_JOB: Duration = Duration::from_secs(30);
/// The planned time of a batch. A crash repeats at most the readings of a batch.
const BATCH: u32 = 3;
/// The size of a batch without a rate.
const UNLIMITED_BATCH: u32 = 1000;
/// The readings that one statement stores.
const CHUNK: usize = 200;

/// What all jobs of a process share.
#[derive(Debug)]
pub(crate) struct Reader {
    pub database: Database,
    pub accounts: Accounts,
    pub metrics: Metrics,
    pub schedules: Schedules,
    pub stopping: watch::Receiver<bool>,
    clients: Mutex<HashMap<Lane, (Pace, Mandates)>>,
}

/// The schedule of each account that does not have the default one.
#[derive(Debug, Default)]
pub(crate) struct Schedules(Mutex<HashMap<(String, String), Schedule>>);

impl Schedules {
    fn of(&self, Lane { account, vendor, .. }: &Lane) -> Schedule {
        let schedules = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        schedules.get(&(account.clone(), vendor.clone())).cloned().unwrap_or_default()
    }

    /// Fits the wait of mandates in force to the rate: one pass over them takes this time. Other readings have a tenth of
    /// the rate.
    pub fn fit(&self, account: String, vendor: String, calls: u32, per_second: u32) {
        let fitted = Schedule::default().paced(u64::from(calls), f64::from(per_second) * 0.9);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert((account, vendor), fitted);
    }
}

/// The number of jobs that this process has started, for the names of holders.
static JOBS: AtomicU64 = AtomicU64::new(0);

impl TaskHandler for ReadLane {
    const IDENTIFIER: &'static str = "read_lane";

    async fn run(self, context: WorkerContext) -> impl IntoTaskHandlerResult {
        let reader = context.get_ext::<Arc<Reader>>().ok_or("the worker has no reader")?;
        // The name differs for each run. So a job that the engine starts again does not take the lease of its first run.
        let holder = format!("{}/{}", context.worker_id(), JOBS.fetch_add(1, Ordering::Relaxed));
        // The engine stores and logs the text of an error, so it must not hold the row of a failed statement.
        reader.run(&self.0, &holder).await.map_err(|error| told(&*error))
    }
}

/// The end of a batch.
enum End {
    Read,
    /// The lane had nothing due.
    Nothing,
    /// The vendor refuses the caller.
    Refused,
    Stopping,
}

impl Reader {
    pub fn new(database: Database, accounts: Accounts, metrics: Metrics, stopping: watch::Receiver<bool>) -> Self {
        let (schedules, clients) = (Schedules::default(), Mutex::default());
        Self { database, accounts, metrics, schedules, stopping, clients }
    }

    async fn run(&self, lane: &Lane, holder: &str) -> Result<(), Failure> {
        let began = Instant::now();
        let lease = match Lease::take(&self.database, lane, holder).await? {
            Ok(lease) => lease,
            Err(busy) => {
                let wait = match busy {
                    Busy::Held(wait) => wait,
                    Busy::Refused => IDLE,
                    Busy::NotAccepted => Duration::from_secs(2),
                    Busy::NoSuchLane => return Ok(()),
                };
                return lease::queue(&self.database.connection().await?, lane, wait, 0).await;
            }
        };
        let (pace, mandates) = self.client(lane, &lease)?;
        let mut accepted = lease.accepted;
        let ended = loop {
            let batch = tokio::select! {
                batch = self.batch(lane, &mut accepted, pace, &mandates) => batch,
                () = lease.lost() => return Err("the lease of the lane was lost, because the database did not renew it".into()),
            };
            match batch? {
                End::Read if began.elapsed() < LONGEST_JOB => {}
                ended => break ended,
            }
        };
        let least = if matches!(ended, End::Refused) { IDLE } else { Duration::ZERO };
        lease.release(least).await
    }

    /// Returns the client of a lane. It is kept, because its rate limit, its connections and its token are.
    fn client(&self, lane: &Lane, lease: &Lease) -> Result<(Pace, Mandates), Failure> {
        let number = u32::try_from(lane.lane)?;
        let share = lease.rate.map(|rate| pace::share(rate, lease.lanes, number));
        let pace = Pace::of(share).ok_or("the share of the lane is too small. Set a higher rate, or fewer lanes")?;
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((kept, mandates)) = clients.get(lane)
            && *kept == pace
        {
            return Ok((pace, mandates.clone()));
        }
        let mandates = self.accounts.connect(&lane.account, &lane.vendor, pace)?;
        clients.insert(lane.clone(), (pace, mandates.clone()));
        Ok((pace, mandates))
    }

    /// Reads one batch, and stores each reading. Dropping this future drops all calls under way.
    async fn batch(&self, lane: &Lane, accepted: &mut bool, pace: Pace, mandates: &Mandates) -> Result<End, Failure> {
        if *self.stopping.borrow() {
            return Ok(End::Stopping);
        }
        let most = pace.rate().map_or(UNLIMITED_BATCH, |rate| rate.saturating_mul(BATCH));
        let client = self.database.connection().await?;
        let Batch { mut due, order, began, refused } = Batch::due(&client, lane, i64::from(most)).await?;
        if refused {
            return Ok(End::Refused);
        }
        if order.is_empty() {
            return Ok(End::Nothing);
        }
        let queries: Vec<StatusQuery> =
            order.iter().filter_map(|key| due.get(key)).map(|due| due.query.clone()).collect();
        let schedule = self.schedules.of(lane);
        let labels = ByAccount { account: lane.account.clone(), vendor: lane.vendor.clone() };
        let mut readings = mandates.statuses(queries).sorted_by_client();
        let mut stopping = self.stopping.clone();
        let (mut waiting, mut end) = (Stored::default(), End::Read);
        loop {
            let reading = tokio::select! {
                reading = readings.next() => reading,
                _ = stopping.wait_for(|stopping| *stopping) => {
                    // The readings so far are stored. The other mandates stay due.
                    end = End::Stopping;
                    None
                }
            };
            let Some(reading) = reading else { break };
            let key = reading.query.reference.to_string();
            let Some(row) = due.remove(&key) else { continue };
            let now = Utc::now();
            match reading.result {
                Ok(mandate) => {
                    self.metrics.lateness.get_or_create(&labels).observe(row.late.as_secs_f64());
                    if mandate.status == MandateStatus::Unrecognized {
                        self.metrics.unknown_words.get_or_create(&labels).inc();
                    }
                    if let Some(change) = waiting.read(key, &row, &mandate, &schedule, now) {
                        let kind = change.class.map_or(
                            if change.from.is_none() { "First" } else { "Same status" },
                            mandat::Change::as_str,
                        );
                        self.metrics.changes.get_or_create(&labels.kind(kind)).inc();
                    }
                    if !std::mem::replace(accepted, true) {
                        accept(&client, lane).await?;
                    }
                }
                Err(error) => {
                    if error.refuses_caller() {
                        refuse(&client, lane).await?;
                    }
                    if error.refuses_caller() || error.kind() == ErrorKind::NotAsked {
                        end = End::Refused;
                        continue;
                    }
                    self.metrics.failures.get_or_create(&labels.kind(error.kind().name())).inc();
                    waiting.failed(key, &row, error.kind(), now);
                }
            }
            if waiting.len() >= CHUNK {
                // The calls continue meanwhile, because they are tasks of their own.
                std::mem::take(&mut waiting).store(&client, lane, began).await?;
            }
        }
        drop(readings);
        waiting.store(&client, lane, began).await?;
        Ok(end)
    }
}

impl ByAccount {
    fn kind(&self, kind: &str) -> ByKind {
        ByKind { account: self.account.clone(), vendor: self.vendor.clone(), kind: kind.to_owned() }
    }
}

/// Lets all lanes of the account send requests, because the vendor accepts its credentials.
async fn accept(client: &crate::database::Connection, Lane { account, vendor, .. }: &Lane) -> Result<(), Failure> {
    let statement = "UPDATE mandat_fleet.account SET accepted_at = clock_timestamp()
                     WHERE account = $1 AND vendor = $2 AND accepted_at IS NULL";
    client.execute(statement, &[account, vendor]).await?;
    Ok(())
}

/// Stops all lanes of the account. Each further request with a wrong password could lock the account.
async fn refuse(client: &crate::database::Connection, Lane { account, vendor, .. }: &Lane) -> Result<(), Failure> {
    let statement = "UPDATE mandat_fleet.account SET refused_at = clock_timestamp() WHERE account = $1 AND vendor = $2";
    client.execute(statement, &[account, vendor]).await?;
    tracing::error!(
        account,
        vendor,
        "the vendor refuses the caller. Correct the credentials, then run `mandat-fleet resume`"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fitted_schedule_waits_for_one_pass() {
        let schedules = Schedules::default();
        let lane = |vendor: &str| Lane { account: "main".into(), vendor: vendor.into(), lane: 0 };
        schedules.fit("main".into(), "safedebit".into(), 3_240_000, 100);
        schedules.fit("main".into(), "seqino".into(), 10, 100);
        let hours = |vendor| schedules.of(&lane(vendor)).in_force.as_secs_f64() / 3600.0;
        // Nobody gains from more than a reading an hour.
        assert_eq!([hours("safedebit"), hours("seqino"), hours("easytransac")], [10.0, 1.0, 24.0]);
    }
}
