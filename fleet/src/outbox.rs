//! Delivers the changes in the outbox to a consumer, at least once and in order.

use crate::{Failure, database::Database};
use chrono::{DateTime, Utc};
use futures_util::{FutureExt, StreamExt};
use serde::Serialize;
use serde_json::Value;
use std::{fmt, time::Duration};

/// A change of a mandate, as the outbox has it.
#[derive(Clone, Debug, Serialize)]
pub struct Change {
    /// The number of the change. A change has the same number each time it is delivered, and a later change has a
    /// greater one. Use it to recognise a change that you have processed.
    pub id: i64,
    /// The account.
    pub account: String,
    /// The vendor.
    pub vendor: String,
    /// The reference of the mandate.
    pub reference: String,
    /// The version of the mandate. It grows with each change of the mandate.
    pub version: i64,
    /// The class of a change of status: see the chapter "Statuses and changes" of mandat.
    pub class: Option<String>,
    /// The columns of the stored state before. `None` at the first reading.
    pub from: Option<Value>,
    /// The columns of the stored state after the change. `StoredState` of mandat reads them with serde.
    pub to: Value,
    /// The time of the database when the change was stored.
    pub recorded_at: DateTime<Utc>,
}

/// A reader of the outbox with a cursor in the database. Use one consumer of a name at a time: two of them both receive
/// each change.
pub struct Consumer {
    database: Database,
    name: String,
    last_id: i64,
    notifications: graphile_worker::NotificationStream,
}

impl fmt::Debug for Consumer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Consumer({}, {})", self.name, self.last_id)
    }
}

/// A notification can be lost with its connection. So the consumer also looks after this time.
const POLL: Duration = Duration::from_secs(5);

impl Consumer {
    /// Continues after the last change that the consumer of this name has processed. A new consumer begins with the first
    /// change.
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub async fn new(database: &Database, name: &str) -> Result<Self, Failure> {
        // Listen first: a change between the two statements would otherwise wait for the next poll.
        let notifications = database.listen("mandat_fleet_change").await?;
        let client = database.connection().await?;
        client.execute("INSERT INTO mandat_fleet.consumer (name) VALUES ($1) ON CONFLICT DO NOTHING", &[&name]).await?;
        let last_id =
            client.query_one("SELECT last_id FROM mandat_fleet.consumer WHERE name = $1", &[&name]).await?.get(0);
        Ok(Self { database: database.clone(), name: name.to_owned(), last_id, notifications })
    }

    /// Returns the next changes, up to `most`, and none if there is no change yet. Process them, and then call
    /// [`done`](Self::done). Without `done`, the next consumer of this name receives them again.
    ///
    /// # Errors
    /// If the database cannot be reached. Call this again.
    pub async fn poll(&mut self, most: i64) -> Result<Vec<Change>, Failure> {
        let client = self.database.connection().await?;
        let next = "SELECT id, account, vendor, reference, version, class, from_state, to_state, recorded_at
                    FROM mandat_fleet.change WHERE id > $1 ORDER BY id LIMIT $2";
        let next = client.prepare_cached(next).await?;
        let rows = client.query(&next, &[&self.last_id, &most]).await?;
        let change = |row: &tokio_postgres::Row| Change {
            id: row.get(0),
            account: row.get(1),
            vendor: row.get(2),
            reference: row.get(3),
            version: row.get(4),
            class: row.get(5),
            from: row.get(6),
            to: row.get(7),
            recorded_at: row.get(8),
        };
        let changes: Vec<Change> = rows.iter().map(change).collect();
        if let Some(last) = changes.last() {
            self.last_id = last.id;
        }
        Ok(changes)
    }

    /// Waits for the next changes. [`poll`](Self::poll) has the details.
    ///
    /// # Errors
    /// If the database cannot be reached. Call this again.
    pub async fn next(&mut self, most: i64) -> Result<Vec<Change>, Failure> {
        loop {
            // One look finds the changes of all notifications so far.
            while self.notifications.next().now_or_never().flatten().is_some() {}
            let changes = self.poll(most).await?;
            if !changes.is_empty() {
                return Ok(changes);
            }
            // A timeout is no failure: the consumer then looks without a notification.
            let _ = tokio::time::timeout(POLL, self.notifications.next()).await;
        }
    }

    /// Stores that all changes up to this number are processed.
    ///
    /// # Errors
    /// If the database cannot be reached. The changes are then delivered again.
    pub async fn done(&mut self, id: i64) -> Result<(), Failure> {
        let done = "UPDATE mandat_fleet.consumer SET last_id = greatest(last_id, $2) WHERE name = $1";
        self.database.connection().await?.execute(done, &[&self.name, &id]).await?;
        Ok(())
    }
}
