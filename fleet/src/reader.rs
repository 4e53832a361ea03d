//! Reads the due mandates of a lane. This is the job that the engine runs.

use crate::{
    Failure,
    accounts::Accounts,
    database::{Connection, Database, told},
    lease::{self, Busy, IDLE, Lane, Lease},
    mandates::{Batch, Due, Stored},
    metrics::{ByAccount, ByKind, Metrics},
    pace::{self, Pace},
};
use chrono::Utc;
use futures_util::{
    Stream, StreamExt,
    stream::{self, FuturesUnordered},
};
use graphile_worker::{IntoTaskHandlerResult, TaskHandler, WorkerContext};
use mandat::{Error, ErrorKind, MandateStatus, Mandates, Schedule, StatusQuery, StatusResult};
use serde::{Deserialize, Serialize};
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};

/// The payload of the job.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ReadLane(Lane);

/// A job ends after this time if another lane waits for a worker of this process.
const SHORT_JOB: Duration = Duration::from_secs(30);
/// A job ends after this time, so that the engine can give the lane to another worker. Each end costs the lane three
/// to four seconds.
pub(crate) const LONG_JOB: Duration = Duration::from_secs(300);
/// A job takes the mandates of this number of seconds at a time. A mandate that somebody asks for waits for those that are
/// taken already.
const BATCH: u32 = 2;
/// The mandates that a job takes at a time without a rate.
const UNLIMITED_BATCH: u32 = 1000;
/// A reading is stored after this time. A crash repeats the calls of this time, and those under way.
const STORE: Duration = Duration::from_secs(1);
/// The readings that one statement stores, unless they come sooner than after this time.
const CHUNK: usize = 500;

/// What all jobs of a process share.
#[derive(Debug)]
pub(crate) struct Reader {
    pub database: Database,
    pub accounts: Accounts,
    pub metrics: Metrics,
    pub schedules: Schedules,
    pub stopping: watch::Receiver<bool>,
    flags: Vec<String>,
    clients: Mutex<HashMap<Lane, (Pace, Mandates)>>,
}

/// The schedule of each account that does not have the default one.
#[derive(Debug, Default)]
pub(crate) struct Schedules(Mutex<HashMap<(String, String), Schedule>>);

impl Schedules {
    fn of(&self, Lane { account, vendor, .. }: &Lane) -> Schedule {
        lock(&self.0).get(&(account.clone(), vendor.clone())).cloned().unwrap_or_default()
    }

    /// Fits the wait of mandates in force to the rate: one pass over them takes this time. Other readings have a tenth of
    /// the rate.
    pub fn fit(&self, account: String, vendor: String, calls: u32, per_second: f64) {
        let fitted = Schedule::default().paced(u64::from(calls), per_second * 0.9);
        lock(&self.0).insert((account, vendor), fitted);
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

/// The reason why a job takes no further mandates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// No further mandate is due, or the job ran long enough.
    Done,
    /// The vendor refuses the caller, or somebody closed the account.
    Closed,
}

fn lock<T>(state: &Mutex<T>) -> MutexGuard<'_, T> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Reader {
    pub fn new(database: Database, accounts: Accounts, metrics: Metrics, stopping: watch::Receiver<bool>) -> Self {
        let (schedules, flags, clients) = (Schedules::default(), accounts.flags(), Mutex::default());
        Self { database, accounts, metrics, schedules, stopping, flags, clients }
    }

    async fn run(&self, lane: &Lane, holder: &str) -> Result<(), Failure> {
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
        let ended = tokio::select! {
            ended = self.read(lane, lease.accepted, pace, &mandates) => ended?,
            () = lease.lost() => return Err("the lease of the lane was lost, because the database did not renew it".into()),
        };
        let least = if ended == End::Closed { IDLE } else { Duration::ZERO };
        lease.release(least).await
    }

    /// Returns the client of a lane. It is kept, because its rate limit, its connections and its token are.
    fn client(&self, lane: &Lane, lease: &Lease) -> Result<(Pace, Mandates), Failure> {
        let number = u32::try_from(lane.lane)?;
        let share = lease.rate.map(|rate| pace::share(rate, lease.lanes, number));
        let pace = Pace::of(share).ok_or("the share of the lane is zero. Set a higher rate, or fewer lanes")?;
        let mut clients = lock(&self.clients);
        if let Some((kept, mandates)) = clients.get(lane)
            && *kept == pace
        {
            return Ok((pace, mandates.clone()));
        }
        let mandates = self.accounts.connect(&lane.account, &lane.vendor, pace)?;
        clients.insert(lane.clone(), (pace, mandates.clone()));
        Ok((pace, mandates))
    }

    /// Reads due mandates, and stores each reading. Dropping this future drops all calls under way.
    async fn read(&self, lane: &Lane, accepted: bool, pace: Pace, mandates: &Mandates) -> Result<End, Failure> {
        let client = &self.database.connection().await?;
        let taking = Taking {
            client,
            lane,
            most: pace.rate().map_or(UNLIMITED_BATCH, |rate| rate.saturating_mul(BATCH)).into(),
            began: Instant::now(),
            stopping: &self.stopping,
            flags: &self.flags,
            taken: Mutex::default(),
            ended: Mutex::new(Ok(End::Done)),
        };
        let mut readings = mandates.statuses(taking.queries()).sorted_by_client();
        let mut job = Job {
            metrics: &self.metrics,
            labels: ByAccount { account: lane.account.clone(), vendor: lane.vendor.clone() },
            schedule: self.schedules.of(lane),
            accepted,
            waiting: Stored::default(),
        };
        let mut stopping = self.stopping.clone();
        // One store runs while the next readings arrive.
        let mut storing = FuturesUnordered::new();
        let mut until = Instant::now() + STORE;
        loop {
            if storing.is_empty() && job.waiting.len() > 0 && (job.waiting.len() >= CHUNK || Instant::now() >= until) {
                let stored = std::mem::take(&mut job.waiting);
                storing.push(async move { stored.store(client, lane).await });
                until = Instant::now() + STORE;
            }
            let reading = tokio::select! {
                Some(stored) = storing.next() => {
                    taking.release(&stored?);
                    continue;
                }
                () = sleep_until(until), if storing.is_empty() && job.waiting.len() > 0 => continue,
                // The readings so far are stored. The other mandates stay due.
                _ = stopping.wait_for(|stopping| *stopping) => break,
                reading = readings.next(), if job.waiting.len() < 2 * CHUNK => reading,
            };
            let Some(StatusResult { query, result, .. }) = reading else { break };
            let Some(due) = taking.due(&query) else { continue };
            if let Err(error) = &result
                && error.refuses_caller()
            {
                refuse(client, lane).await?;
            }
            if job.accepts(&result) {
                accept(client, lane).await?;
            }
            job.read(&query, &due, result);
        }
        drop(readings);
        while let Some(stored) = storing.next().await {
            stored?;
        }
        job.waiting.store(client, lane).await?;
        taking.ended.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The input of a job: it takes the due mandates of a lane, a batch at a time.
struct Taking<'a> {
    client: &'a Connection,
    lane: &'a Lane,
    most: i64,
    began: Instant,
    stopping: &'a watch::Receiver<bool>,
    /// The flags of the jobs that this process may run.
    flags: &'a [String],
    /// The mandates that are taken and whose readings are not stored yet, by reference. They are still due in the database.
    taken: Mutex<HashMap<String, Due>>,
    ended: Mutex<Result<End, Failure>>,
}

impl Taking<'_> {
    fn queries(&self) -> impl Stream<Item = StatusQuery> + Send {
        stream::unfold((), move |()| async move { Some((self.next().await?, ())) }).flat_map(stream::iter)
    }

    /// Returns the next mandates, or `None` if the job takes no more.
    async fn next(&self) -> Option<Vec<StatusQuery>> {
        if *self.stopping.borrow() || self.began.elapsed() >= LONG_JOB {
            return None;
        }
        let taken: Vec<String> = lock(&self.taken).keys().cloned().collect();
        let flags = if self.began.elapsed() >= SHORT_JOB { self.flags } else { &[] };
        match Batch::due(self.client, self.lane, self.most, &taken, flags).await {
            Ok(batch) if batch.closed => {
                *lock(&self.ended) = Ok(End::Closed);
                None
            }
            Ok(batch) if batch.awaited || batch.due.is_empty() => None,
            Ok(batch) => {
                let mut taken = lock(&self.taken);
                let take = |(query, due): (StatusQuery, Due)| {
                    taken.insert(query.reference.to_string(), due);
                    query
                };
                Some(batch.due.into_iter().map(take).collect())
            }
            Err(error) => {
                *lock(&self.ended) = Err(error);
                None
            }
        }
    }

    fn due(&self, query: &StatusQuery) -> Option<Due> {
        lock(&self.taken).get(&query.reference.to_string()).cloned()
    }

    /// Allows these mandates to be taken again. The others stay taken until the job ends. Their rows are locked or have
    /// another version, so the job would read them again and again.
    fn release(&self, stored: &[String]) {
        let mut taken = lock(&self.taken);
        for reference in stored {
            taken.remove(reference);
        }
    }
}

/// The readings of a job.
struct Job<'a> {
    metrics: &'a Metrics,
    labels: ByAccount,
    schedule: Schedule,
    /// True if the database knows that the vendor accepts the credentials.
    accepted: bool,
    waiting: Stored,
}

impl Job<'_> {
    /// Returns true for the first response that shows that the vendor accepts the credentials. The response can also be a
    /// refusal that concerns only the mandate. A proxy in front of the vendor sends no code of the vendor.
    fn accepts<T>(&mut self, result: &Result<T, Error>) -> bool {
        let accepts = match result {
            Ok(_) => true,
            Err(error) => match error.kind() {
                ErrorKind::NotFound => true,
                ErrorKind::Refused | ErrorKind::InvalidRequest | ErrorKind::Conflict => error.vendor_code().is_some(),
                _ => false,
            },
        };
        accepts && !std::mem::replace(&mut self.accepted, true)
    }

    fn read(&mut self, query: &StatusQuery, due: &Due, result: Result<mandat::Mandate, Error>) {
        let (metrics, labels, now) = (self.metrics, &self.labels, Utc::now());
        match result {
            Ok(mandate) => {
                metrics.lateness.get_or_create(labels).observe(due.late.as_secs_f64());
                if mandate.status == MandateStatus::Unrecognized {
                    metrics.unknown_words.get_or_create(labels).inc();
                }
                if let Some(change) = self.waiting.read(query, due, &mandate, &self.schedule, now) {
                    let kind = change
                        .class
                        .map_or(if change.from.is_none() { "First" } else { "Same status" }, mandat::Change::as_str);
                    metrics.changes.get_or_create(&labels.kind(kind)).inc();
                }
            }
            // No request was sent, or the vendor refused the caller and not the mandate. The mandate stays due.
            Err(error) if error.refuses_caller() || error.kind() == ErrorKind::NotAsked => {}
            Err(error) => {
                metrics.failures.get_or_create(&labels.kind(error.kind().name())).inc();
                self.waiting.failed(query, due, error.kind(), now);
            }
        }
    }
}

impl ByAccount {
    fn kind(&self, kind: &str) -> ByKind {
        ByKind { account: self.account.clone(), vendor: self.vendor.clone(), kind: kind.to_owned() }
    }
}

/// Lets all lanes of the account send requests, because the vendor accepts its credentials.
async fn accept(client: &Connection, Lane { account, vendor, .. }: &Lane) -> Result<(), Failure> {
    let statement = "UPDATE mandat_fleet.account SET accepted_at = clock_timestamp()
                     WHERE account = $1 AND vendor = $2 AND accepted_at IS NULL";
    client.execute(statement, &[account, vendor]).await?;
    Ok(())
}

/// Stops all lanes of the account. Each further request with a wrong password could lock the account.
async fn refuse(client: &Connection, Lane { account, vendor, .. }: &Lane) -> Result<(), Failure> {
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
        schedules.fit("main".into(), "safedebit".into(), 3_240_000, 100.0);
        schedules.fit("main".into(), "seqino".into(), 10, 100.0);
        let hours = |vendor| schedules.of(&lane(vendor)).in_force.as_secs_f64() / 3600.0;
        // Nobody gains from more than a reading an hour.
        assert_eq!([hours("safedebit"), hours("seqino"), hours("easytransac")], [10.0, 1.0, 24.0]);
    }
}
