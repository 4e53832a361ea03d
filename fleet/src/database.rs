//! The connection to PostgreSQL, and the tables.

use crate::Failure;
use graphile_worker::{WorkerUtils, tokio_postgres::TokioPostgresDatabase};
use std::time::Duration;
use tokio_postgres::Config;

/// The schema of the engine's tables. Migrations name it, so it is not a setting.
pub(crate) const ENGINE: &str = "graphile_worker";

const MIGRATIONS: [&str; 1] = [include_str!("../migrations/0001_mandates.sql")];

/// A pool of connections. Clones share it.
#[derive(Clone, Debug)]
pub struct Database(TokioPostgresDatabase);

/// A connection of the pool.
pub(crate) type Connection = deadpool_postgres::Object;

impl Database {
    /// Prepares connections to a database, such as `postgres://user:password@host/name`. Nothing is sent yet. The pool has
    /// two connections at least, because a migration uses two.
    ///
    /// # Errors
    /// If the address cannot be read. The error does not contain the address, which may hold a password.
    pub fn new(url: &str, connections: usize) -> Result<Self, Failure> {
        let mut config: Config = url
            .parse()
            .map_err(|_| "the address of the database cannot be read. Use postgres://user:password@host/name")?;
        config.application_name("mandat-fleet").connect_timeout(Duration::from_secs(5));
        // Notice a lost connection in seconds. Otherwise a statement could wait for a quarter of an hour.
        config.keepalives_idle(Duration::from_secs(5)).tcp_user_timeout(Duration::from_secs(10));
        Ok(Self(TokioPostgresDatabase::from_config(config, connections.max(2))?))
    }

    pub(crate) fn engine(&self) -> graphile_worker::Database {
        self.0.clone().into()
    }

    pub(crate) async fn connection(&self) -> Result<Connection, Failure> {
        Ok(self.0.pool().get().await.map_err(|e| format!("no connection to the database: {}", told(&e)))?)
    }

    /// Returns a stream that yields an item for each notification on a channel, and connects again after a failure.
    pub(crate) async fn listen(&self, channel: &str) -> Result<graphile_worker::NotificationStream, Failure> {
        let listening = self.engine().listen(channel).await?;
        listening.ok_or_else(|| "the database driver cannot listen".into())
    }

    /// Creates or updates the tables of the engine and of this package. Many programs may call this at the same time. The
    /// user of the database needs the right to create a schema only if there is something to create.
    ///
    /// # Errors
    /// If the database is newer than this program, or refuses a statement.
    pub async fn migrate(&self) -> Result<(), Failure> {
        let mut client = self.connection().await?;
        // One program at a time. The lock ends with the transaction.
        let transaction = client.transaction().await?;
        transaction.execute("SELECT pg_advisory_xact_lock(hashtextextended('mandat_fleet.migration', 0))", &[]).await?;
        WorkerUtils::new(self.engine(), ENGINE.to_owned()).migrate().await?;
        let exists = "SELECT to_regclass('mandat_fleet.migration') IS NOT NULL";
        if !transaction.query_one(exists, &[]).await?.get::<_, bool>(0) {
            transaction
                .batch_execute(
                    "CREATE SCHEMA IF NOT EXISTS mandat_fleet;
                     CREATE TABLE mandat_fleet.migration (
                         number integer PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())",
                )
                .await?;
        }
        let done = transaction.query_one("SELECT count(*) FROM mandat_fleet.migration", &[]).await?.get::<_, i64>(0);
        if done > MIGRATIONS.len() as i64 {
            return Err("a newer version of mandat-fleet has changed the tables. Use that version".into());
        }
        for (number, statements) in (1_i32..).zip(MIGRATIONS).skip(usize::try_from(done)?) {
            transaction.batch_execute("SET LOCAL search_path = mandat_fleet").await?;
            transaction.batch_execute(statements).await?;
            transaction.execute("INSERT INTO mandat_fleet.migration (number) VALUES ($1)", &[&number]).await?;
        }
        Ok(transaction.commit().await?)
    }
}

/// The text of an error with its causes. A database error names tables and constraints. Its detail can quote a row, and
/// is left out.
pub fn told(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let message = error.downcast_ref::<tokio_postgres::error::DbError>().map(|e| e.message().to_owned());
        text = format!("{text}: {}", message.unwrap_or_else(|| error.to_string()));
        cause = error.source();
    }
    text
}
