//! The rows of mandates: which are due, and how a reading is stored with its change in one statement.

use crate::{Failure, database::Connection, lease::Lane};
use chrono::{DateTime, NaiveDate, SubsecRound, TimeDelta, Utc};
use futures_util::future::try_join;
use mandat::{
    ErrorKind, Facts, LastCollection, Mandate, MandateChange, MandateStatus, Phase, Schedule, StatusQuery, StoredState,
};
use serde_json::Value;
use std::time::Duration;
use tokio_postgres::{Row, types::ToSql};

/// The column of a field of `StoredState`. `account` names the account of the caller here.
fn column(field: &'static str) -> &'static str {
    if field == "account" { "account_word" } else { field }
}

/// The order among due mandates, stored as a number. A smaller number is read first. 0 is that of the SQL function `ask`:
/// somebody wants a reading now.
pub(crate) mod urgency {
    /// The debtor has to sign, or a collection is near. Somebody waits for the change, or money depends on it.
    pub const AWAITED: i16 = 1;
    /// New to this database, in another set-up status, or with an unknown word.
    pub const SET_UP: i16 = 2;
    pub const IN_FORCE: i16 = 3;
    pub const ENDED: i16 = 4;
}

/// A collection within this number of days makes a mandate urgent.
const COLLECTION_NEAR: TimeDelta = TimeDelta::days(14);

/// The urgency of a mandate with this status.
pub(crate) fn urgency_of(status: Option<MandateStatus>, collect_on: Option<NaiveDate>, now: DateTime<Utc>) -> i16 {
    let today = now.date_naive();
    if collect_on.is_some_and(|day| (today..=today + COLLECTION_NEAR).contains(&day)) {
        return urgency::AWAITED;
    }
    match status {
        Some(MandateStatus::AwaitingSignature) => urgency::AWAITED,
        Some(status) => match status.phase() {
            Phase::InForce | Phase::OnHold => urgency::IN_FORCE,
            Phase::Ended => urgency::ENDED,
            _ => urgency::SET_UP,
        },
        None => urgency::SET_UP,
    }
}

/// A due mandate that a job has taken.
#[derive(Clone, Debug)]
pub(crate) struct Due {
    pub version: i64,
    pub collect_on: Option<NaiveDate>,
    pub failures: i32,
    /// The time since the mandate was due.
    pub late: Duration,
    /// The time at which somebody asked for the mandate, as the job saw it.
    pub asked: Option<DateTime<Utc>>,
}

/// The next due mandates of a lane, with those of each client next to each other.
pub(crate) struct Batch {
    pub due: Vec<(StatusQuery, Due)>,
    /// True if the vendor has refused the caller on another lane, or if somebody closed the account.
    pub closed: bool,
    /// True if the job of another lane waits for a worker of this process.
    pub awaited: bool,
}

/// The state of the account, and whether another lane with a flag in $4 waits. An idle worker looks for jobs every second.
/// So a job that nobody has taken after three seconds waits for a worker.
const ACCOUNT: &str = "
    SELECT a.refused_at IS NOT NULL OR a.closed_until > clock_timestamp(), cardinality($4::text[]) > 0 AND EXISTS (
        SELECT FROM graphile_worker.jobs AS j
        JOIN mandat_fleet.lane AS l ON j.queue_name = l.account || '/' || l.vendor || '/' || l.lane
        WHERE j.locked_at IS NULL AND j.run_at <= now() - interval '3 seconds' AND j.attempts < j.max_attempts
            AND l.account || '/' || l.vendor = ANY ($4) AND (l.account, l.vendor, l.lane) <> ($1, $2, $3)
            AND l.free_at <= clock_timestamp())
    FROM mandat_fleet.account AS a WHERE a.account = $1 AND a.vendor = $2";

/// Up to $4 mandates by urgency. A quarter of them are mandates in force, so that urgent ones never displace them all. The
/// other mandates of the same clients come along if they are due soon, because the same call reads them. `Schedule` spreads
/// equal waits by a fifth. So with a quarter, one call reads a client, and not one call for each of its mandates. The job has
/// the mandates in $5 already. `now()` can be a condition of the index, and `clock_timestamp()` cannot.
const DUE: &str = "
    WITH resting AS (
        SELECT reference, client FROM mandat_fleet.mandate
        WHERE account = $1 AND vendor = $2 AND lane = $3 AND urgency = 3 AND next_check <= now()
            AND reference <> ALL ($5)
        ORDER BY next_check LIMIT ($4::int8 + 3) / 4),
    wanted AS (
        SELECT * FROM resting
        UNION
        SELECT * FROM (
            SELECT d.* FROM generate_series(0, 4) AS u, LATERAL (
                SELECT reference, client FROM mandat_fleet.mandate
                WHERE account = $1 AND vendor = $2 AND lane = $3 AND urgency = u AND next_check <= now()
                    AND reference <> ALL ($5)
                ORDER BY next_check LIMIT $4::int8) AS d
            LIMIT $4::int8 - (SELECT count(*) FROM resting)) AS urgent),
    chosen AS (
        SELECT reference FROM wanted
        UNION
        SELECT m.reference FROM (SELECT DISTINCT client FROM wanted WHERE client IS NOT NULL) AS w
        JOIN mandat_fleet.mandate AS m ON m.client = w.client AND m.account = $1
        WHERE m.vendor = $2 AND m.reference <> ALL ($5)
            AND m.next_check <= now() + greatest(interval '1 hour', (m.next_check - m.read_at) / 4))
    SELECT m.*, greatest(0, extract(epoch FROM now() - m.next_check))::float8 AS late
    FROM chosen JOIN mandat_fleet.mandate AS m ON m.account = $1 AND m.reference = chosen.reference
    ORDER BY m.client, m.urgency, m.next_check";

impl Batch {
    /// Chooses up to `most` due mandates, without those that the job has `taken`. Looks for another waiting lane of the
    /// accounts with these `flags`, because this process cannot read the lanes of other accounts.
    pub async fn due(
        client: &Connection,
        lane: &Lane,
        most: i64,
        taken: &[String],
        flags: &[String],
    ) -> Result<Self, Failure> {
        let Lane { account, vendor, lane: number } = lane;
        let (account_of, due_of) = try_join(client.prepare_cached(ACCOUNT), client.prepare_cached(DUE)).await?;
        // The server receives both statements at once, and executes them in this order.
        let parameters: [&(dyn ToSql + Sync); 4] = [account, vendor, number, &flags];
        let due_parameters: [&(dyn ToSql + Sync); 5] = [account, vendor, number, &most, &taken];
        let (account, rows) =
            try_join(client.query_one(&account_of, &parameters), client.query(&due_of, &due_parameters)).await?;
        let (closed, awaited) = (account.get(0), account.get(1));
        let mut batch = Self { due: Vec::with_capacity(rows.len()), closed, awaited };
        for row in &rows {
            match due(row) {
                Ok(due) => batch.due.push(due),
                // A row that cannot be read must not hide the others. The log names the column.
                Err(error) => {
                    let Lane { account, vendor, .. } = lane;
                    tracing::error!(account, vendor, %error, "a stored mandate cannot be read");
                    unreadable(client, lane, row.get("reference")).await?;
                }
            }
        }
        Ok(batch)
    }

    /// The time until the next mandate of the lane is due, and its urgency.
    pub async fn next(
        client: &impl deadpool_postgres::GenericClient,
        lane: &Lane,
    ) -> Result<Option<(Duration, i16)>, Failure> {
        let next = "
            SELECT extract(epoch FROM d.next_check - clock_timestamp())::float8, u::int2
            FROM generate_series(0, 4) AS u, LATERAL (
                SELECT m.next_check FROM mandat_fleet.mandate AS m
                WHERE m.account = $1 AND m.vendor = $2 AND m.lane = $3 AND m.urgency = u AND m.next_check IS NOT NULL
                ORDER BY m.next_check LIMIT 1) AS d
            ORDER BY d.next_check LIMIT 1";
        let next = client.prepare_cached(next).await?;
        let next = client.query_opt(&next, &[&lane.account, &lane.vendor, &lane.lane]).await?;
        Ok(next.map(|row| (Duration::try_from_secs_f64(row.get(0)).unwrap_or_default(), row.get(1))))
    }
}

fn due(row: &Row) -> Result<(StatusQuery, Due), Failure> {
    let instant = |name: &str| row.get::<_, Option<DateTime<Utc>>>(name);
    let stored = StoredState::from_columns(|field| match field {
        "since" | "observed_at" => instant(field).map(|at| at.to_rfc3339()),
        _ => row.get::<_, Option<String>>(column(field)),
    })?;
    let last_collection = match row.get::<_, Option<&str>>("last_collection") {
        None => LastCollection::NotKnown,
        Some("never") => LastCollection::Never,
        Some(day) => LastCollection::On(day.parse().map_err(|_| "`last_collection` is not a day. Use 2026-09-01")?),
    };
    let last_acknowledged = row.get::<_, Option<&str>>("last_acknowledged").map(str::parse).transpose();
    let facts = Facts {
        signed_on: row.get("signed_on"),
        signature_confirmed: row.get("signature_confirmed"),
        last_collection,
        revoked_by_debtor: row.get("revoked_by_debtor"),
        one_off_used: row.get("one_off_used"),
        // The verdict is computed right after the reading.
        max_age: Duration::from_secs(60),
        last_acknowledged: last_acknowledged.map_err(|e| format!("`last_acknowledged` is {e}"))?,
    };
    let reference = row.get::<_, &str>("reference").parse()?;
    let due = Due {
        version: row.get("version"),
        collect_on: row.get("collect_on"),
        failures: row.get("failures"),
        late: Duration::try_from_secs_f64(row.get("late")).unwrap_or_default(),
        asked: instant("asked_at"),
    };
    Ok((StatusQuery::new(reference).with_stored(stored).with_facts(facts), due))
}

/// Makes an unreadable row due again in an hour. A row that somebody has locked stays due: perhaps somebody corrects it, and
/// a worker waits for no lock on the row of a mandate.
async fn unreadable(client: &Connection, lane: &Lane, reference: &str) -> Result<(), Failure> {
    let statement = "
        WITH n AS (
            SELECT account, reference FROM mandat_fleet.mandate WHERE account = $1 AND reference = $2
            FOR NO KEY UPDATE SKIP LOCKED)
        UPDATE mandat_fleet.mandate AS m
        SET failures = m.failures + 1, failure = 'StoredRow', next_check = clock_timestamp() + interval '1 hour'
        FROM n WHERE m.account = n.account AND m.reference = n.reference";
    client.execute(statement, &[&lane.account, &reference]).await?;
    Ok(())
}

/// A reading that waits to be stored, with the version that was read and the time of the next reading.
struct Reading {
    reference: String,
    version: i64,
    asked: Option<DateTime<Utc>>,
    next: Option<DateTime<Utc>>,
}

/// The readings of a job that wait to be stored.
#[derive(Default)]
pub(crate) struct Stored {
    /// With the urgency.
    unchanged: Vec<(Reading, i16)>,
    /// With the urgency and the change.
    changed: Vec<(Reading, (i16, MandateChange))>,
    /// With the kind of the error.
    failed: Vec<(Reading, &'static str)>,
}

/// The first columns of some readings, as parameters of a statement.
struct Keys<'a> {
    references: Vec<&'a str>,
    versions: Vec<i64>,
    asked: Vec<Option<DateTime<Utc>>>,
    next: Vec<Option<DateTime<Utc>>>,
}

impl<'a> Keys<'a> {
    fn of<T>(readings: &'a [(Reading, T)]) -> Self {
        let readings = || readings.iter().map(|(reading, _)| reading);
        Self {
            references: readings().map(|reading| reading.reference.as_str()).collect(),
            versions: readings().map(|reading| reading.version).collect(),
            asked: readings().map(|reading| reading.asked).collect(),
            next: readings().map(|reading| reading.next).collect(),
        }
    }
}

/// Begins a statement that stores the readings `n`. A row that has another version since is left alone, and is read
/// again. So is a row that somebody has locked: a store never waits for the transaction of somebody else, and so cannot be
/// a part of a deadlock. A row with another `asked_at` stays due, because somebody asked for the mandate since the job
/// chose the row.
macro_rules! store {
    ($parameters:literal, $columns:literal, $rest:literal) => {
        concat!(
            "WITH n AS (
                SELECT n.* FROM unnest($2::text[], $3::int8[], $4::timestamptz[], $5::timestamptz[], ",
            $parameters,
            ") AS n (reference, version, asked, next_check, ",
            $columns,
            ")
                JOIN mandat_fleet.mandate AS m
                    ON m.account = $1 AND m.reference = n.reference AND m.version = n.version
                FOR NO KEY UPDATE OF m SKIP LOCKED)",
            $rest
        )
    };
}

const UNCHANGED: &str = store!(
    "$6::int2[]",
    "urgency",
    "
    UPDATE mandat_fleet.mandate AS m
    SET next_check = CASE WHEN m.asked_at IS DISTINCT FROM n.asked THEN m.next_check ELSE n.next_check END,
        urgency = CASE WHEN m.asked_at IS DISTINCT FROM n.asked THEN m.urgency ELSE n.urgency END,
        read_at = clock_timestamp(), failures = 0, failure = NULL
    FROM n WHERE m.account = $1 AND m.reference = n.reference AND m.version = n.version
    RETURNING m.reference"
);

// The verdict belongs to an earlier reading, so it is removed: see `StoredState::unread`.
const FAILED: &str = store!(
    "$6::text[]",
    "failure",
    "
    UPDATE mandat_fleet.mandate AS m
    SET next_check = CASE WHEN m.asked_at IS DISTINCT FROM n.asked THEN m.next_check ELSE n.next_check END,
        failures = m.failures + 1, failure = n.failure, verdict = NULL, version = m.version + 1
    FROM n WHERE m.account = $1 AND m.reference = n.reference AND m.version = n.version
    RETURNING m.reference"
);

const CHANGED: &str = store!(
    "$6::int2[], $7::text[], $8::jsonb[], $9::jsonb[]",
    "urgency, class, from_state, to_state",
    ",
    stored AS (
        UPDATE mandat_fleet.mandate AS m
        SET next_check = CASE WHEN m.asked_at IS DISTINCT FROM n.asked THEN m.next_check ELSE n.next_check END,
            urgency = CASE WHEN m.asked_at IS DISTINCT FROM n.asked THEN m.urgency ELSE n.urgency END,
            read_at = clock_timestamp(), failures = 0, failure = NULL, version = m.version + 1,
            status = n.to_state ->> 'status', raw = n.to_state ->> 'raw', account_word = n.to_state ->> 'account',
            verdict = n.to_state ->> 'verdict', recognized = n.to_state ->> 'recognized',
            reinstated_from = n.to_state ->> 'reinstated_from',
            acknowledged_before = n.to_state ->> 'acknowledged_before', source = n.to_state ->> 'source',
            since = (n.to_state ->> 'since')::timestamptz,
            observed_at = (n.to_state ->> 'observed_at')::timestamptz
        FROM n WHERE m.account = $1 AND m.reference = n.reference AND m.version = n.version
        RETURNING m.reference, m.version)
    INSERT INTO mandat_fleet.change (account, vendor, reference, version, class, from_state, to_state)
    SELECT $1, $10, n.reference, stored.version, n.class, n.from_state, n.to_state
    FROM stored JOIN n USING (reference)
    RETURNING reference"
);

impl Stored {
    pub fn len(&self) -> usize {
        self.unchanged.len() + self.changed.len() + self.failed.len()
    }

    /// Adds a reading. Returns the change that it brings.
    pub fn read(
        &mut self,
        query: &StatusQuery,
        due: &Due,
        mandate: &Mandate,
        schedule: &Schedule,
        now: DateTime<Utc>,
    ) -> Option<&MandateChange> {
        let StatusQuery { stored, facts, .. } = query;
        let mut change = MandateChange::between(stored.as_ref(), mandate, facts.as_ref(), now);
        if let Some(change) = &mut change {
            // The database keeps microseconds. A change must begin with the state in which the one before ended.
            for at in [&mut change.to.since, &mut change.to.observed_at] {
                *at = at.trunc_subsecs(6);
            }
        }
        if change.as_ref().is_some_and(|change| !can_be_stored(&change.to)) {
            self.failed(query, due, ErrorKind::Decode, now);
            return None;
        }
        let known = change.as_ref().map(|change| &change.to).or(stored.as_ref());
        let reading = reading(query, due, schedule.next_check(mandate, known, now));
        let urgency = urgency_of(Some(mandate.status), due.collect_on, now);
        match change {
            None => {
                self.unchanged.push((reading, urgency));
                None
            }
            Some(change) => {
                self.changed.push((reading, (urgency, change)));
                self.changed.last().map(|(_, (_, change))| change)
            }
        }
    }

    /// Adds a failed reading. The mandate is read again later, after longer and longer waits.
    pub fn failed(&mut self, query: &StatusQuery, due: &Due, kind: ErrorKind, now: DateTime<Utc>) {
        let next = now + retry_after(kind, due.failures);
        self.failed.push((reading(query, due, Some(next)), kind.name()));
    }

    /// Stores the readings, and returns the mandates that are stored. Each statement is a transaction of its own: a change
    /// and its row appear together.
    pub async fn store(
        &self,
        client: &Connection,
        Lane { account, vendor, .. }: &Lane,
    ) -> Result<Vec<String>, Failure> {
        let mut stored = Vec::new();
        if !self.unchanged.is_empty() {
            let Keys { references, versions, asked, next } = Keys::of(&self.unchanged);
            let urgency: Vec<i16> = self.unchanged.iter().map(|(_, urgency)| *urgency).collect();
            let statement = client.prepare_cached(UNCHANGED).await?;
            stored.extend(client.query(&statement, &[account, &references, &versions, &asked, &next, &urgency]).await?);
        }
        if !self.failed.is_empty() {
            let Keys { references, versions, asked, next } = Keys::of(&self.failed);
            let kinds: Vec<&str> = self.failed.iter().map(|(_, kind)| *kind).collect();
            let statement = client.prepare_cached(FAILED).await?;
            stored.extend(client.query(&statement, &[account, &references, &versions, &asked, &next, &kinds]).await?);
        }
        if !self.changed.is_empty() {
            let Keys { references, versions, asked, next } = Keys::of(&self.changed);
            let changes = || self.changed.iter().map(|(_, (_, change))| change);
            let urgency: Vec<i16> = self.changed.iter().map(|(_, (urgency, _))| *urgency).collect();
            let classes: Vec<_> = changes().map(|change| change.class.map(mandat::Change::as_str)).collect();
            let from: Vec<Option<Value>> = changes().map(|change| change.from.as_ref().map(columns)).collect();
            let to: Vec<Value> = changes().map(|change| columns(&change.to)).collect();
            let statement = client.prepare_cached(CHANGED).await?;
            let parameters: [&(dyn ToSql + Sync); 10] =
                [account, &references, &versions, &asked, &next, &urgency, &classes, &from, &to, vendor];
            stored.extend(client.query(&statement, &parameters).await?);
        }
        Ok(stored.iter().map(|row| row.get(0)).collect())
    }
}

fn reading(query: &StatusQuery, due: &Due, next: Option<DateTime<Utc>>) -> Reading {
    Reading { reference: query.reference.to_string(), version: due.version, asked: due.asked, next }
}

/// PostgreSQL stores no text with a null character. One such word of a vendor must not stop the other mandates of a lane.
fn can_be_stored(state: &StoredState) -> bool {
    !state.columns().iter().any(|(_, text)| text.as_deref().is_some_and(|text| text.contains('\0')))
}

/// The columns of a stored state as one JSON object. Serde's form of a `StoredState` differs only in the columns that
/// are null.
fn columns(known: &StoredState) -> Value {
    known.columns().into_iter().filter_map(|(name, text)| Some((name.to_owned(), Value::String(text?)))).collect()
}

/// The wait after a failed reading. It grows with the number of failures before. A failure of the vendor as a whole has
/// a short limit, so that a mandate is not late long after the vendor is back. The rate of the lanes bounds the load.
fn retry_after(kind: ErrorKind, failures: i32) -> TimeDelta {
    let longest = match kind {
        ErrorKind::Unavailable | ErrorKind::Timeout | ErrorKind::Transport | ErrorKind::RateLimited { .. } => {
            TimeDelta::minutes(10)
        }
        _ => TimeDelta::days(1),
    };
    let wait = TimeDelta::minutes(1) * 2_i32.pow(u32::try_from(failures.clamp(0, 11)).unwrap_or(0));
    wait.min(longest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{database::Database, postgres::Postgres};
    use mandat::{MandateRef, Provider, RawStatus};

    #[tokio::test]
    async fn another_lane_is_awaited_only_if_this_process_can_read_it_and_nobody_has_taken_it() {
        let Some(server) = Postgres::of_test() else { return };
        let database = Database::new(&server.url(), 8).unwrap();
        database.migrate().await.unwrap();
        for (account, lanes) in [("main", 2), ("paris", 1)] {
            database.set_rate(account, Provider::SafeDebit, Some(30), Some(lanes)).await.unwrap();
        }
        let client = database.connection().await.unwrap();
        // In a transaction the time of `now()` stands still.
        client.batch_execute("BEGIN").await.unwrap();
        let queue = async |account: &str, lane: i32, due_for: f64| {
            let queue = "SELECT mandat_fleet.queue_lane($1, 'safedebit', $2, now() - make_interval(secs => $3))";
            client.execute(queue, &[&account, &lane, &due_for]).await.unwrap();
        };
        let lane = Lane { account: "main".into(), vendor: "safedebit".into(), lane: 0 };
        let awaited = async |flags: &[String]| Batch::due(&client, &lane, 1, &[], flags).await.unwrap().awaited;
        let flags = ["main/safedebit".to_owned()];

        // The lane of the job itself, a lane that a worker is about to take, and a lane without credentials.
        queue("main", 0, 60.0).await;
        queue("main", 1, 2.0).await;
        queue("paris", 0, 60.0).await;
        assert!(!awaited(&flags).await);
        queue("main", 1, 4.0).await;
        assert!(awaited(&flags).await);
        assert!(!awaited(&[]).await);
        let held = "UPDATE mandat_fleet.lane SET free_at = now() + interval '1 hour' WHERE lane = 1";
        client.execute(held, &[]).await.unwrap();
        assert!(!awaited(&flags).await);
    }

    #[test]
    fn awaited_mandates_come_before_those_at_rest() {
        let now = Utc::now();
        let of = |status| urgency_of(Some(status), None, now);
        assert!(of(MandateStatus::AwaitingSignature) < of(MandateStatus::Pending));
        assert!(of(MandateStatus::Pending) < of(MandateStatus::Active));
        assert!(of(MandateStatus::Unrecognized) < of(MandateStatus::Active));
        assert!(of(MandateStatus::Active) < of(MandateStatus::Revoked));
        let near = Some(now.date_naive() + TimeDelta::days(3));
        let past = Some(now.date_naive() - TimeDelta::days(1));
        assert_eq!(urgency_of(Some(MandateStatus::Active), near, now), urgency::AWAITED);
        assert_eq!(urgency_of(Some(MandateStatus::Active), past, now), urgency::IN_FORCE);
    }

    #[test]
    fn waits_after_failures_grow_up_to_a_limit() {
        let minutes = |kind, failures| retry_after(kind, failures).num_minutes();
        assert_eq!([0, 1, 2, 99].map(|failures| minutes(ErrorKind::Timeout, failures)), [1, 2, 4, 10]);
        assert_eq!([0, 1, 10, 99].map(|failures| minutes(ErrorKind::NotFound, failures)), [1, 2, 1024, 1440]);
    }

    #[test]
    fn a_word_with_a_null_character_cannot_be_stored() {
        let state = |word| StoredState::new(MandateStatus::Unrecognized, RawStatus::new(word), Utc::now());
        assert!(can_be_stored(&state("active")));
        assert!(!can_be_stored(&state("act\0ive")));
    }

    #[test]
    fn the_columns_in_the_outbox_are_those_of_serde() {
        let mut known = StoredState::new(MandateStatus::Active, RawStatus::new("active"), Utc::now());
        known.reinstated_from = Some(MandateStatus::Revoked);
        assert_eq!(serde_json::from_value::<StoredState>(columns(&known)).unwrap(), known);
        let query = StatusQuery::from((MandateRef::safedebit("RUM-1"), known));
        assert!(query.stored.is_some());
    }
}
