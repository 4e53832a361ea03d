//! Holds a lane for one job at a time, even if the engine starts a second job for the lane.
//!
//! The engine runs one job of a queue at a time, unless it believes that the worker of the first job is dead. It is wrong
//! about this after a stop of the database: then all workers seem dead. So a job also takes a lease in the database.
//!
//! # No two holders within two seconds
//!
//! 1. A holder reads its own clock, and then sends the statement that takes or renews the lease.
//! 2. The statement makes the lane free [`LENGTH`] + [`GAP`] after the time of the database.
//! 3. [`LENGTH`] after its own reading of the clock, the holder stops: it drops its calls. It does so without an answer of
//!    the database.
//! 4. A lane that is not free has no new holder.
//!
//! The reading in 1 comes before the statement, so the holder stops at least two seconds before the lane is free. Both
//! sides measure durations, so their clocks need not show the same time. They have to run at the same speed, up to a tenth.
//! The same holds for a job that ends on time: it stops its calls, and then makes the lane free after [`GAP`].
//!
//! A killed worker stops at once, and nobody frees its lane before the end of the lease. A process or machine that is
//! suspended and resumed is the exception. It may start requests until it notices the loss of the lease.

use crate::{
    Failure,
    database::{Database, told},
    mandates::{Batch, urgency},
};
use std::time::Duration;
use tokio::{
    sync::watch,
    task::JoinHandle,
    time::{Instant, sleep, sleep_until},
};

/// The time for which a lease is valid without renewal.
const LENGTH: Duration = Duration::from_secs(8);
/// The pause between two holders of a lane. A dropped request can arrive a second late, and no second may have requests of
/// both. The third second is for clocks that differ by a tenth: of 11 seconds of the database, 10 are left, and 2 after the
/// 8 of the lease.
pub(crate) const GAP: Duration = Duration::from_secs(3);
const RENEWAL: Duration = Duration::from_secs(2);
/// The longest wait until a lane looks for due mandates again.
pub(crate) const IDLE: Duration = Duration::from_secs(60);
/// The shortest wait if no mandate is due. The mandates that become due meanwhile are read together, which costs fewer
/// statements, and at Seqino fewer lists of clients. `ask` ends this wait.
const PAUSE: Duration = Duration::from_secs(10);

/// The name of a lane.
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub(crate) struct Lane {
    pub account: String,
    pub vendor: String,
    pub lane: i32,
}

/// A lane that this process holds. It renews itself until it is released or dropped.
pub(crate) struct Lease {
    database: Database,
    lane: Lane,
    holder: String,
    deadline: watch::Receiver<Instant>,
    renewal: JoinHandle<()>,
    /// The rate of the account, and its number of lanes.
    pub rate: Option<u32>,
    pub lanes: u32,
    /// True if the vendor has accepted the credentials before.
    pub accepted: bool,
}

/// The reason why a lane cannot be held now, with the time to wait.
pub(crate) enum Busy {
    Held(Duration),
    Refused,
    /// Another lane of the account has to show first that the vendor accepts the credentials.
    NotAccepted,
    NoSuchLane,
}

/// Until the vendor has accepted the credentials, one lane of the account is held at a time, so that a wrong password is
/// sent once. The lock on the account makes other jobs wait, so that they see this lane as held. An import does not wait for
/// this lock.
const ACCOUNT: &str = "
    SELECT rate, lanes, accepted_at IS NOT NULL FROM mandat_fleet.account WHERE account = $1 AND vendor = $2
    FOR NO KEY UPDATE";

const TAKE: &str = "
    UPDATE mandat_fleet.lane AS l
    SET holder = $4, free_at = clock_timestamp() + make_interval(secs => $5)
    FROM mandat_fleet.account AS a
    WHERE l.account = $1 AND l.vendor = $2 AND l.lane = $3 AND a.account = l.account AND a.vendor = l.vendor
        AND l.free_at <= clock_timestamp() AND a.closed_until <= clock_timestamp() AND a.refused_at IS NULL
        AND (a.accepted_at IS NOT NULL OR NOT EXISTS (
            SELECT FROM mandat_fleet.lane AS o
            WHERE o.account = l.account AND o.vendor = l.vendor AND o.lane <> l.lane AND o.free_at > clock_timestamp()))";

const FORGET: &str = "
    SELECT graphile_worker.complete_jobs(ARRAY(
        SELECT id FROM graphile_worker.jobs
        WHERE queue_name = $1::text || '/' || $2::text || '/' || $3::int AND key IS NULL AND locked_at IS NULL))";

impl Lease {
    pub async fn take(database: &Database, lane: &Lane, holder: &str) -> Result<Result<Self, Busy>, Failure> {
        let mut client = database.connection().await?;
        let began = Instant::now();
        let transaction = client.transaction().await?;
        let Lane { account, vendor, lane: number } = lane;
        let Some(row) = transaction.query_opt(ACCOUNT, &[account, vendor]).await? else {
            return Ok(Err(Busy::NoSuchLane));
        };
        let held = (LENGTH + GAP).as_secs_f64();
        if transaction.execute(TAKE, &[account, vendor, number, &holder, &held]).await? == 0 {
            return Ok(Err(busy(&transaction, lane).await?));
        }
        transaction.commit().await?;
        drop(client);
        let (sender, deadline) = watch::channel(began + LENGTH);
        let renewal = tokio::spawn(renew(database.clone(), lane.clone(), holder.to_owned(), sender));
        let number = |column| row.get::<_, Option<i32>>(column).and_then(|number| u32::try_from(number).ok());
        let (database, lane, holder) = (database.clone(), lane.clone(), holder.to_owned());
        let (rate, lanes) = (number(0), number(1).unwrap_or(1));
        Ok(Ok(Self { database, lane, holder, deadline, renewal, rate, lanes, accepted: row.get(2) }))
    }

    /// Waits until the lease is lost. Drop all calls then.
    pub async fn lost(&self) {
        let mut deadline = self.deadline.clone();
        loop {
            let until = *deadline.borrow_and_update();
            tokio::select! {
                // Both can be ready at once.
                () = sleep_until(until) => if !deadline.has_changed().unwrap_or(false) { return },
                // The renewal ends if the database has another holder.
                changed = deadline.changed() => if changed.is_err() { return },
            }
        }
    }

    /// Gives the lane back, and queues its next job, in one transaction. The job starts when a mandate is due, but not
    /// before `least`. Call this when no call is under way.
    pub async fn release(self, least: Duration) -> Result<(), Failure> {
        self.renewal.abort();
        let mut client = self.database.connection().await?;
        let transaction = client.transaction().await?;
        let Lane { account, vendor, lane } = &self.lane;
        transaction
            .execute(
                "UPDATE mandat_fleet.lane SET holder = NULL, free_at = clock_timestamp() + make_interval(secs => $5)
                 WHERE account = $1 AND vendor = $2 AND lane = $3 AND holder = $4",
                &[account, vendor, lane, &self.holder, &GAP.as_secs_f64()],
            )
            .await?;
        // The first statement locks the job. So a mandate that somebody imports meanwhile is visible to the last, or moves
        // the job after this transaction.
        queue(&transaction, &self.lane, IDLE, 0).await?;
        // `ask` added these jobs while this one ran. Their mandates are visible to the next statement.
        transaction.execute(FORGET, &[account, vendor, lane]).await?;
        let (wait, urgency) = Batch::next(&transaction, &self.lane).await?.unwrap_or((IDLE, urgency::IN_FORCE));
        let wait = if wait.is_zero() { GAP } else { wait.max(PAUSE) };
        // The engine starts jobs with a smaller priority first.
        queue(&transaction, &self.lane, wait.max(least).min(IDLE), i32::from(urgency)).await?;
        Ok(transaction.commit().await?)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.renewal.abort();
    }
}

/// Queues the next job of a lane.
pub(crate) async fn queue(
    client: &impl deadpool_postgres::GenericClient,
    Lane { account, vendor, lane }: &Lane,
    after: Duration,
    priority: i32,
) -> Result<(), Failure> {
    let queue = "SELECT mandat_fleet.queue_lane($1, $2, $3, clock_timestamp() + make_interval(secs => $4), $5)";
    client.execute(queue, &[account, vendor, lane, &after.as_secs_f64(), &priority]).await?;
    Ok(())
}

async fn busy(client: &impl deadpool_postgres::GenericClient, lane: &Lane) -> Result<Busy, Failure> {
    let why = client
        .query_opt(
            "SELECT extract(epoch FROM greatest(l.free_at, a.closed_until) - clock_timestamp())::float8,
                 a.refused_at IS NOT NULL, a.accepted_at IS NULL AND l.free_at <= clock_timestamp()
             FROM mandat_fleet.lane AS l JOIN mandat_fleet.account AS a USING (account, vendor)
             WHERE l.account = $1 AND l.vendor = $2 AND l.lane = $3",
            &[&lane.account, &lane.vendor, &lane.lane],
        )
        .await?;
    let Some(why) = why else { return Ok(Busy::NoSuchLane) };
    Ok(match (why.get(1), why.get(2)) {
        (true, _) => Busy::Refused,
        (_, true) => Busy::NotAccepted,
        _ => Busy::Held(Duration::try_from_secs_f64(why.get::<_, f64>(0)).unwrap_or_default().min(LENGTH + GAP)),
    })
}

async fn renew(database: Database, lane: Lane, holder: String, deadline: watch::Sender<Instant>) {
    loop {
        sleep(RENEWAL).await;
        let began = Instant::now();
        if began >= *deadline.borrow() {
            // The lease is lost. A renewal now could come after another holder.
            return;
        }
        match renewed(&database, &lane, &holder).await {
            // The answer may arrive after the deadline. The lane was then not free, but the holder has stopped already.
            Ok(true) => _ = deadline.send(began + LENGTH),
            Ok(false) => return,
            Err(error) => {
                tracing::warn!(
                    account = lane.account,
                    vendor = lane.vendor,
                    lane = lane.lane,
                    error = told(&*error),
                    "the lease of a lane was not renewed"
                )
            }
        }
    }
}

async fn renewed(database: &Database, lane: &Lane, holder: &str) -> Result<bool, Failure> {
    let client = database.connection().await?;
    let renew = "UPDATE mandat_fleet.lane SET free_at = clock_timestamp() + make_interval(secs => $5)
                 WHERE account = $1 AND vendor = $2 AND lane = $3 AND holder = $4 AND free_at > clock_timestamp()";
    let renew = client.prepare_cached(renew).await?;
    let held = (LENGTH + GAP).as_secs_f64();
    Ok(client.execute(&renew, &[&lane.account, &lane.vendor, &lane.lane, &holder, &held]).await? == 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::postgres::Postgres;

    #[tokio::test]
    async fn a_lane_has_one_holder_and_rests_between_two() {
        let Some(server) = Postgres::of_test() else { return };
        let database = Database::new(&server.url(), 8).unwrap();
        database.migrate().await.unwrap();
        database.set_rate("main", mandat::Provider::SafeDebit, Some(30), Some(2)).await.unwrap();
        let lane = |lane| Lane { account: "main".into(), vendor: "safedebit".into(), lane };
        let take = async |number, holder: &str| Lease::take(&database, &lane(number), holder).await.unwrap();

        // Until the vendor has accepted the credentials, the other lane waits.
        let first = take(0, "a").await.ok().unwrap();
        assert!(matches!(take(0, "b").await, Err(Busy::Held(_))));
        assert!(matches!(take(1, "b").await, Err(Busy::NotAccepted)));
        assert!(matches!(take(7, "b").await, Err(Busy::NoSuchLane)));
        let client = database.connection().await.unwrap();
        client.execute("UPDATE mandat_fleet.account SET accepted_at = now()", &[]).await.unwrap();
        assert!(take(1, "b").await.is_ok());

        // A holder that renews its lease keeps it. One that died keeps the lane until the end of its lease.
        sleep(RENEWAL * 2).await;
        let Err(Busy::Held(wait)) = take(0, "b").await else { panic!("two holders") };
        assert!(wait > LENGTH - RENEWAL, "{wait:?}");
        let died = Instant::now();
        drop(first);
        let next = loop {
            match take(0, "c").await {
                Ok(lease) => break lease,
                Err(_) => sleep(Duration::from_millis(50)).await,
            }
        };
        assert!(died.elapsed() > LENGTH - RENEWAL + GAP, "{:?}", died.elapsed());

        // After a release the lane rests.
        next.release(Duration::ZERO).await.unwrap();
        let Err(Busy::Held(wait)) = take(0, "d").await else { panic!("no rest") };
        assert!(wait > GAP / 2 && wait <= GAP, "{wait:?}");
        let jobs = client.query_one("SELECT count(*) FROM graphile_worker.jobs", &[]).await.unwrap();
        assert_eq!(jobs.get::<_, i64>(0), 2);
    }

    #[tokio::test]
    async fn a_holder_stops_without_an_answer_of_the_database() {
        let Some(server) = Postgres::of_test() else { return };
        let database = Database::new(&server.url(), 8).unwrap();
        database.migrate().await.unwrap();
        database.set_rate("main", mandat::Provider::SafeDebit, None, Some(1)).await.unwrap();
        let lane = Lane { account: "main".into(), vendor: "safedebit".into(), lane: 0 };
        let lease = Lease::take(&database, &lane, "a").await.unwrap().ok().unwrap();
        server.pause().unwrap();
        tokio::time::timeout(LENGTH * 10, lease.lost()).await.unwrap();
        server.resume().unwrap();
        // The restart does not make the lane free early.
        assert!(Lease::take(&database, &lane, "b").await.unwrap().is_err());
    }
}
