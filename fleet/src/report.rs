//! The state of the fleet: what is due, how late, and what failed.

use crate::{Failure, database::Database};
use serde::Serialize;
use std::fmt;

/// The state of all accounts.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Each account at each vendor.
    pub accounts: Vec<AccountReport>,
    /// The mandates whose last reading failed.
    pub failures: Vec<Failures>,
    /// Each consumer of the outbox.
    pub consumers: Vec<ConsumerReport>,
}

/// The state of one account at one vendor.
#[derive(Clone, Debug, Serialize)]
pub struct AccountReport {
    /// The account.
    pub account: String,
    /// The vendor.
    pub vendor: String,
    /// The requests in a second. `None` is no limit.
    pub rate: Option<i32>,
    /// The number of lanes.
    pub lanes: i32,
    /// The lanes that a worker holds now.
    pub held: i64,
    /// All mandates.
    pub mandates: i64,
    /// The mandates that are due.
    pub due: i64,
    /// Half of the due mandates are late by at most this number of seconds.
    pub median_seconds: f64,
    /// The greatest lateness in seconds.
    pub longest_seconds: f64,
    /// True if the vendor has refused the caller, and no request is sent.
    pub refused: bool,
}

/// The mandates whose last reading failed with one kind of error.
#[derive(Clone, Debug, Serialize)]
pub struct Failures {
    /// The account.
    pub account: String,
    /// The vendor.
    pub vendor: String,
    /// The kind of error.
    pub kind: String,
    /// The number of mandates.
    pub mandates: i64,
}

/// The changes that a consumer has not processed.
#[derive(Clone, Debug, Serialize)]
pub struct ConsumerReport {
    /// The name of the consumer.
    pub name: String,
    /// The number of changes after its cursor.
    pub waiting: i64,
}

/// Reads the state of the fleet.
///
/// # Errors
/// If the database cannot be reached.
pub async fn report(database: &Database) -> Result<Report, Failure> {
    let client = database.connection().await?;
    let accounts = "
        SELECT a.account, a.vendor, a.rate, a.lanes, a.refused_at IS NOT NULL,
            (SELECT count(*) FROM mandat_fleet.lane AS l
             WHERE l.account = a.account AND l.vendor = a.vendor AND l.holder IS NOT NULL AND l.free_at > clock_timestamp()),
            m.mandates, m.due, coalesce(m.median, 0), coalesce(m.longest, 0)
        FROM mandat_fleet.account AS a, LATERAL (
            SELECT count(*) AS mandates, count(late) AS due,
                percentile_cont(0.5) WITHIN GROUP (ORDER BY late) AS median, max(late) AS longest
            FROM (
                SELECT CASE WHEN next_check <= clock_timestamp()
                    THEN greatest(0, extract(epoch FROM clock_timestamp() - next_check))::float8 END AS late
                FROM mandat_fleet.mandate WHERE account = a.account AND vendor = a.vendor) AS each) AS m
        ORDER BY 1, 2";
    let account = |row: &tokio_postgres::Row| AccountReport {
        account: row.get(0),
        vendor: row.get(1),
        rate: row.get(2),
        lanes: row.get(3),
        refused: row.get(4),
        held: row.get(5),
        mandates: row.get(6),
        due: row.get(7),
        median_seconds: row.get(8),
        longest_seconds: row.get(9),
    };
    let accounts = client.query(accounts, &[]).await?.iter().map(account).collect();
    let failures = "SELECT account, vendor, failure, count(*) FROM mandat_fleet.mandate
                    WHERE failure IS NOT NULL GROUP BY 1, 2, 3 ORDER BY 4 DESC";
    let failure = |row: &tokio_postgres::Row| Failures {
        account: row.get(0),
        vendor: row.get(1),
        kind: row.get(2),
        mandates: row.get(3),
    };
    let failures = client.query(failures, &[]).await?.iter().map(failure).collect();
    let consumers = "SELECT name, (SELECT count(*) FROM mandat_fleet.change WHERE id > last_id) FROM mandat_fleet.consumer ORDER BY 1";
    let consumer = |row: &tokio_postgres::Row| ConsumerReport { name: row.get(0), waiting: row.get(1) };
    let consumers = client.query(consumers, &[]).await?.iter().map(consumer).collect();
    Ok(Report { accounts, failures, consumers })
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let header = ["account", "vendor", "mandates", "due", "late (half)", "late (most)", "rate", "lanes held"];
        let mut lines = vec![header.map(str::to_owned)];
        for one in &self.accounts {
            let rate = if one.refused {
                "refused".to_owned()
            } else {
                one.rate.map_or("no limit".into(), |rate| format!("{rate}/s"))
            };
            let (half, most) = (seconds(one.median_seconds), seconds(one.longest_seconds));
            let held = format!("{} of {}", one.held, one.lanes);
            lines.push([
                one.account.clone(),
                one.vendor.clone(),
                one.mandates.to_string(),
                one.due.to_string(),
                half,
                most,
                rate,
                held,
            ]);
        }
        let widths: Vec<usize> =
            (0..header.len()).map(|column| lines.iter().map(|line| line[column].len()).max().unwrap_or(0)).collect();
        for line in &lines {
            let cells: Vec<String> = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
            writeln!(f, "{}", cells.join("  ").trim_end())?;
        }
        for Failures { account, vendor, kind, mandates } in &self.failures {
            writeln!(f, "{account}/{vendor}: the last reading of {mandates} mandates failed with {kind}")?;
        }
        for one in self.accounts.iter().filter(|one| one.refused) {
            let (account, vendor) = (&one.account, &one.vendor);
            writeln!(
                f,
                "{account}/{vendor}: the vendor refuses the caller. Correct the credentials, then run `mandat-fleet resume {account} {vendor}`"
            )?;
        }
        for ConsumerReport { name, waiting } in &self.consumers {
            writeln!(f, "consumer {name}: {waiting} changes wait")?;
        }
        Ok(())
    }
}

/// A duration in its largest fitting unit.
fn seconds(seconds: f64) -> String {
    match seconds {
        s if s < 120.0 => format!("{s:.0} s"),
        s if s < 7200.0 => format!("{:.0} min", s / 60.0),
        s if s < 172_800.0 => format!("{:.0} h", s / 3600.0),
        s => format!("{:.0} d", s / 86_400.0),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_duration_has_a_fitting_unit() {
        assert_eq!([0.4, 119.0, 121.0, 7201.0, 200_000.0].map(super::seconds), ["0 s", "119 s", "2 min", "2 h", "2 d"]);
    }
}
