//! Finds the mandates that changed since yesterday. SQLite holds their states, with one column for each field of
//! `StoredState`.
//!
//! Run it with `cargo run --manifest-path examples/morning/Cargo.toml`. The database is in memory, and the sandbox
//! simulates the vendors on loopback.
//!
//! For PostgreSQL use sqlx's feature `postgres` and `PgPool`. Placeholders are then `$1`, `$2`, and so on.
//! `COLLATE "C"` sorts by bytes, as SQLite does, so the mandates of one Seqino client follow one another. The two
//! instants may be `TIMESTAMPTZ` (sqlx's feature `chrono`). Pass their `to_rfc3339()` to `StoredState::from_columns`.
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
use mandat::{MandateRef, Mandates, Provider, StoredState, sandbox::Sandbox};
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
    // Use a single connection, because a database in memory exists only as long as its connection.
    let pool = sqlx::sqlite::SqlitePoolOptions::new().max_connections(1).connect("sqlite::memory:").await?;
    sqlx::query(
        "CREATE TABLE mandates (reference TEXT PRIMARY KEY, status TEXT, raw TEXT, account TEXT, verdict TEXT, \
         recognized TEXT, reinstated_from TEXT, acknowledged_before TEXT, source TEXT, since TEXT, observed_at TEXT)",
    )
    .execute(&pool)
    .await?;
    // In your own program, insert a row with the reference when you create the mandate.
    for reference in sandbox.references() {
        sqlx::query("INSERT INTO mandates (reference) VALUES (?)").bind(reference.to_string()).execute(&pool).await?;
    }

    writeln!(out, "The first morning:")?;
    morning(&mandates, &pool, usize::MAX, out).await?;
    writeln!(out, "The second morning, without any change:")?;
    morning(&mandates, &pool, usize::MAX, out).await?;

    sandbox.revoke(&MandateRef::safedebit("XXXXXXXXXXXXX"))?;
    sandbox.fail(&MandateRef::easytransac("abcabcabcabcabcabc12"))?;
    sandbox
        .edit_record(Provider::Seqino, "clients", Sandbox::CLIENT, |client| client["status"] = "suspended".into())?;
    writeln!(out, "The third morning: revoked, failed, client suspended. Stops after one change:")?;
    morning(&mandates, &pool, 1, out).await?;
    writeln!(out, "The third morning, started again:")?;
    morning(&mandates, &pool, usize::MAX, out).await
}

/// Reads every mandate and stores each change. The argument `stop_after` shows that you may stop a run at any time.
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
            // A row that cannot be read does not end the run. A database that cannot be read ends the run.
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
            // Store the previous state without its verdict, because this reading failed. The next run reads the mandate
            // again.
            Err(error) => {
                if let Some(known) = &reading.query.stored {
                    store(pool, &reading.query.reference, &known.unread()).await?;
                }
                writeln!(out, "  {}: {error}", reading.query.reference)?;
            }
        }
    }
    drop(changes);
    broken.map_or(Ok(()), Err)
}

/// A row of the database, or the reason why the row cannot be read.
type Stored = Result<(MandateRef, Option<StoredState>), String>;

/// Returns all rows page by page, so that a hundred thousand mandates are never in memory at once. The function holds
/// no connection to the database during requests to the vendors. Rows are sorted by reference, so the mandates of one
/// Seqino client follow one another.
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

/// Returns one page of rows, and the reference of the last row, if there is one. The caller runs this function in a
/// separate task. Otherwise the page could hold the only database connection while a change waits for the connection.
async fn page(pool: SqlitePool, after: String) -> Result<(Vec<Result<Stored, Failure>>, Option<String>), Failure> {
    let query = sqlx::query("SELECT * FROM mandates WHERE reference > ? ORDER BY reference LIMIT 1000");
    let rows = query.bind(after).fetch_all(&pool).await?;
    let last = rows.last().map(|row| row.try_get("reference")).transpose()?;
    Ok((rows.iter().map(|row| Ok(known(row))).collect(), last))
}

/// Converts a row of the database into the input of `statuses`.
fn known(row: &SqliteRow) -> Stored {
    let reference: String = row.try_get("reference").map_err(|e| e.to_string())?;
    let named = |error: &dyn Error| format!("{reference}: {error}");
    let mandate: MandateRef = reference.parse().map_err(|e| named(&e))?;
    let mut texts: BTreeMap<&str, Option<String>> = BTreeMap::new();
    for column in StoredState::COLUMNS {
        texts.insert(column, row.try_get(column).map_err(|e| named(&e))?);
    }
    // An incomplete stored state is an error, so that a revocation in the row is not lost.
    let known = StoredState::from_columns(|column| texts[column].as_deref()).map_err(|e| named(&e))?;
    Ok((mandate, known))
}

async fn store(pool: &SqlitePool, reference: &MandateRef, known: &StoredState) -> Result<(), Failure> {
    // The placeholders of the SQL statement have the order of `StoredState::columns`.
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

#[cfg(test)]
mod tests {
    #[tokio::test]
    async fn each_change_is_printed_once() {
        let mut out = Vec::new();
        super::run(&mut out).await.unwrap();
        let text = String::from_utf8(out).unwrap();
        let mut mornings: Vec<Vec<&str>> = Vec::new();
        for line in text.lines() {
            match line.strip_prefix("  ") {
                None => mornings.push(Vec::new()),
                Some(change) => mornings.last_mut().unwrap().push(change),
            }
        }
        // The third morning stops after one change and starts again, and the changes of the vendors have any order.
        let third = mornings.split_off(2).concat();
        mornings.push(third);
        for morning in &mut mornings {
            morning.sort_unstable();
        }
        let expected = [
            vec!["Easytransac: new -> Active", "SafeDebit: new -> Active", "Seqino PDP: new -> Active, Allowed"],
            vec![],
            vec![
                "Easytransac: Active -> Invalid",
                "SafeDebit: Active -> Revoked",
                "Seqino PDP: Active -> Active, Refused",
            ],
        ];
        assert_eq!(mornings, expected, "{text}");
    }
}
