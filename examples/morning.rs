//! Which of my mandates changed since yesterday? A store in SQLite, one column for each field of `Known`.
//!
//! Run it with `cargo run --example morning`: the database is in memory, the vendors are simulated on loopback.
//!
//! On PostgreSQL the same holds with sqlx's feature `postgres` and `PgPool`; placeholders are `$1`, `$2`, and so on.
//! `COLLATE "C"` sorts by bytes, as SQLite does: then the mandates of one Seqino client stand together. The two instants
//! may be `TIMESTAMPTZ` (sqlx's feature `chrono`): give `Known::from_columns` their `to_rfc3339()`.
//!
//! ```sql
//! CREATE TABLE mandates (
//!     reference       TEXT COLLATE "C" PRIMARY KEY,
//!     status          TEXT, raw TEXT, account TEXT, verdict TEXT, recognized TEXT,
//!     reinstated_from TEXT, acknowledged_before TEXT, source TEXT,
//!     since           TEXT, observed_at TEXT
//! );
//! ```

use futures_util::{Stream, StreamExt, stream};
use mandat::{Known, MandateRef, Mandates, Provider, sandbox::Sandbox};
use sqlx::{Row, SqlitePool, sqlite::SqliteRow};
use std::{collections::BTreeMap, error::Error, future::ready, io::Write};

type Failure = Box<dyn Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    run(&mut std::io::stdout()).await
}

pub async fn run(out: &mut impl Write) -> Result<(), Failure> {
    let sandbox = Sandbox::start().await?;
    let mandates = sandbox.mandates();
    // One connection: a database in memory lives as long as it does.
    let pool = sqlx::sqlite::SqlitePoolOptions::new().max_connections(1).connect("sqlite::memory:").await?;
    sqlx::query(
        "CREATE TABLE mandates (reference TEXT PRIMARY KEY, status TEXT, raw TEXT, account TEXT, verdict TEXT, \
         recognized TEXT, reinstated_from TEXT, acknowledged_before TEXT, source TEXT, since TEXT, observed_at TEXT)",
    )
    .execute(&pool)
    .await?;
    // In your program: one row when the mandate is created, with its reference alone.
    for reference in sandbox.references() {
        sqlx::query("INSERT INTO mandates (reference) VALUES (?)").bind(reference.to_string()).execute(&pool).await?;
    }

    writeln!(out, "The first morning:")?;
    morning(&mandates, &pool, usize::MAX, out).await?;
    writeln!(out, "The second, nothing happened:")?;
    morning(&mandates, &pool, usize::MAX, out).await?;

    sandbox.revoke(&MandateRef::safedebit("XXXXXXXXXXXXX"))?;
    sandbox.fail(&MandateRef::easytransac("abcabcabcabcabcabc12"))?;
    sandbox
        .edit_record(Provider::Seqino, "clients", Sandbox::CLIENT, |client| client["status"] = "suspended".into())?;
    writeln!(out, "The third, a debtor revoked, one failed, a client was suspended; stopped after the first:")?;
    morning(&mandates, &pool, 1, out).await?;
    writeln!(out, "Started again:")?;
    morning(&mandates, &pool, usize::MAX, out).await
}

/// Reads every mandate and stores what changed. `stop_after` is there to show that it may be stopped at any time.
async fn morning(
    mandates: &Mandates,
    pool: &SqlitePool,
    stop_after: usize,
    out: &mut impl Write,
) -> Result<(), Failure> {
    let mut broken = None;
    let stored = stored(pool).filter_map(|row| {
        ready(match row {
            Ok(Ok(stored)) => Some(stored),
            // One row that cannot be read does not end the morning, but a database that cannot be.
            Ok(Err(why)) => {
                eprintln!("{why}");
                None
            }
            Err(error) => {
                broken = Some(error);
                None
            }
        })
    });
    let mut changes = mandates.statuses(stored).sorted_by_client().changes().take(stop_after);
    while let Some(reading) = changes.next().await {
        match reading.result {
            Ok(change) => {
                store(pool, &change.reference, &change.to).await?;
                let was = change.from.map_or("new".into(), |from| from.status.to_string());
                let verdict = change.to.verdict.map(|verdict| format!(", {verdict}")).unwrap_or_default();
                writeln!(out, "  {}: {was} -> {}{verdict}", change.reference.provider(), change.to.status)?;
            }
            // The stored state stays, without its verdict. The next morning tries again.
            Err(error) => {
                if let Some(known) = &reading.tracked.known {
                    store(pool, &reading.tracked.reference, &known.unread()).await?;
                }
                writeln!(out, "  {}: {error}", reading.tracked.reference)?;
            }
        }
    }
    drop(changes);
    broken.map_or(Ok(()), Err)
}

/// A row, or why it cannot be read.
type Stored = Result<(MandateRef, Option<Known>), String>;

/// All rows, a page at a time: a hundred thousand mandates are never in memory at once, and no connection is held while
/// vendors are asked. Sorted by reference, a Seqino client's mandates stand together.
fn stored(pool: &SqlitePool) -> impl Stream<Item = Result<Stored, Failure>> + Send {
    stream::unfold(Some(String::new()), move |after| {
        let pool = pool.clone();
        async move {
            Some(match tokio::spawn(page(pool, after?)).await.map_err(Failure::from).flatten() {
                Ok((rows, last)) => (stream::iter(rows), last),
                Err(error) => (stream::iter(vec![Err(error)]), None),
            })
        }
    })
    .flatten()
}

/// A task of its own, which gives its connection back while a change waits for one to be stored. With the rows comes
/// the reference of the last one, if there are any.
async fn page(pool: SqlitePool, after: String) -> Result<(Vec<Result<Stored, Failure>>, Option<String>), Failure> {
    let query = sqlx::query("SELECT * FROM mandates WHERE reference > ? ORDER BY reference LIMIT 1000");
    let rows = query.bind(after).fetch_all(&pool).await?;
    let last = rows.last().map(|row| row.try_get("reference")).transpose()?;
    Ok((rows.iter().map(|row| Ok(known(row))).collect(), last))
}

/// A row, as it is given to `statuses`.
fn known(row: &SqliteRow) -> Stored {
    let reference: String = row.try_get("reference").map_err(|e| e.to_string())?;
    let named = |error: &dyn Error| format!("{reference}: {error}");
    let mandate: MandateRef = reference.parse().map_err(|e| named(&e))?;
    let mut texts: BTreeMap<&str, Option<String>> = BTreeMap::new();
    for column in Known::COLUMNS {
        texts.insert(column, row.try_get(column).map_err(|e| named(&e))?);
    }
    // A row that is half stored is an error: what it says of an end must not be forgotten.
    let known = Known::from_columns(|column| texts[column].as_deref()).map_err(|e| named(&e))?;
    Ok((mandate, known))
}

async fn store(pool: &SqlitePool, reference: &MandateRef, known: &Known) -> Result<(), Failure> {
    // The placeholders are numbered as the columns come.
    let query = sqlx::query(
        "UPDATE mandates SET status = ?2, raw = ?3, account = ?4, verdict = ?5, recognized = ?6, reinstated_from = ?7, \
         acknowledged_before = ?8, source = ?9, since = ?10, observed_at = ?11 WHERE reference = ?1",
    );
    let mut query = query.bind(reference.to_string());
    for (_, text) in known.columns() {
        query = query.bind(text);
    }
    query.execute(pool).await?;
    Ok(())
}
