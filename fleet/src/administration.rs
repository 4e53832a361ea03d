//! Single statements: ask for a reading, acknowledge a return, change a rate.

use crate::{
    Failure,
    accounts::check,
    database::{Connection, Database},
    pace,
};
use chrono::NaiveDate;
use deadpool_postgres::Transaction;
use mandat::{MandateRef, Phase, Provider};
use std::time::Duration;
use tokio::time::{Instant, sleep};
use tokio_postgres::error::SqlState;

/// Starts the jobs of all lanes of an account now.
const WAKE: &str = "SELECT mandat_fleet.queue_lane(account, vendor, lane, clock_timestamp())
                    FROM mandat_fleet.lane WHERE account = $1 AND vendor = $2";

const ADD: &str = "SELECT mandat_fleet.add_account($1, $2, $3, $4)";

/// Begins a transaction that waits up to five seconds for each lock, and then fails.
async fn impatient(client: &mut Connection) -> Result<Transaction<'_>, Failure> {
    let transaction = client.transaction().await?;
    transaction.batch_execute("SET LOCAL lock_timeout = '5s'").await?;
    Ok(transaction)
}

/// Says what to do if an impatient transaction did not get a lock.
fn locked(error: Failure) -> Failure {
    let code = error.downcast_ref::<tokio_postgres::Error>().and_then(tokio_postgres::Error::code);
    if code != Some(&SqlState::LOCK_NOT_AVAILABLE) {
        return error;
    }
    "another program keeps the account or one of its mandates locked. The rate and the lanes are unchanged. End the open \
     transaction, which `pg_stat_activity` shows, and repeat the command"
        .into()
}

impl Database {
    /// Makes a mandate due at once, before all others: after a webhook, or after the debtor came back from the page of a
    /// vendor. Returns false if the account has no such mandate.
    ///
    /// In your own transaction, call `SELECT mandat_fleet.ask(account, reference)`.
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub async fn ask(&self, account: &str, reference: &MandateRef) -> Result<bool, Failure> {
        let client = self.connection().await?;
        Ok(client.query_one("SELECT mandat_fleet.ask($1, $2)", &[&account, &reference.to_string()]).await?.get(0))
    }

    /// Acknowledges the return of a mandate that had ended, and makes the mandate due at once. Returns false if there is
    /// nothing to acknowledge: see `StoredState::acknowledge` of mandat.
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub async fn acknowledge(&self, account: &str, reference: &MandateRef) -> Result<bool, Failure> {
        let statuses = mandat::MandateStatus::ALL.iter();
        let present: Vec<&str> = statuses
            .filter(|status| !matches!(status.phase(), Phase::Ended | Phase::Unknown))
            .map(|status| status.as_str())
            .collect();
        let statement = "UPDATE mandat_fleet.mandate
                         SET reinstated_from = NULL, acknowledged_before = NULL, version = version + 1
                         WHERE account = $1 AND reference = $2 AND reinstated_from IS NOT NULL AND status = ANY ($3)";
        let client = self.connection().await?;
        let changed = client.execute(statement, &[&account, &reference.to_string(), &present]).await?;
        drop(client);
        Ok(changed == 1 && self.ask(account, reference).await?)
    }

    /// Stores the day of the next planned collection. Within two weeks before it, the mandate is read before those at
    /// rest. Returns false if the account has no such mandate.
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub async fn plan_collection(
        &self,
        account: &str,
        reference: &MandateRef,
        day: Option<NaiveDate>,
    ) -> Result<bool, Failure> {
        let statement = "UPDATE mandat_fleet.mandate SET collect_on = $3,
                             urgency = CASE WHEN $3 BETWEEN current_date AND current_date + 14 THEN least(urgency, 1) ELSE urgency END
                         WHERE account = $1 AND reference = $2";
        let client = self.connection().await?;
        Ok(client.execute(statement, &[&account, &reference.to_string(), &day]).await? == 1)
    }

    /// Sets the number of requests that a vendor may receive in a second from an account, and the number of lanes.
    /// `None` as rate is no limit. Without lanes, the lanes stay as they are, or get a usual number in a new account.
    ///
    /// The workers may run. This function waits until they have given back the lanes of the account, some seconds, and
    /// they take the lanes again with their new shares.
    ///
    /// # Errors
    /// If the rate is zero, if there would be more lanes than the rate, if a worker keeps a lane for a minute, or if a
    /// transaction of another program keeps the account or one of its mandates locked for five seconds. The account then
    /// keeps its rate and its lanes.
    pub async fn set_rate(
        &self,
        account: &str,
        vendor: Provider,
        rate: Option<u32>,
        lanes: Option<u32>,
    ) -> Result<(), Failure> {
        check(account)?;
        if rate == Some(0) {
            return Err("the rate is zero. Use a greater number, or `none` for no limit".into());
        }
        let number = |number: u32| i32::try_from(number).map_err(|_| Failure::from("the number is too large"));
        let new_rate = rate.map(number).transpose()?;
        let usual = number(lanes.unwrap_or_else(|| pace::lanes(rate)))?;
        let fits = |lanes: i32| match new_rate.filter(|rate| !(1..=*rate).contains(&lanes)) {
            Some(rate) => {
                Err(format!("the account would have {lanes} lanes. This rate allows 1 to {rate}: use --lanes"))
            }
            None if lanes == 0 => Err("an account has one lane at least".into()),
            None => Ok(()),
        };
        fits(usual)?;
        let now = self.add_account(account, vendor.as_str(), new_rate, usual).await.map_err(locked)?;
        let lanes = lanes.is_some().then_some(usual);
        fits(lanes.unwrap_or(now))?;
        self.change_rate(account, vendor.as_str(), new_rate, lanes).await.map_err(locked)
    }

    /// Creates an account unless it exists. Returns its number of lanes.
    async fn add_account(&self, account: &str, vendor: &str, rate: Option<i32>, lanes: i32) -> Result<i32, Failure> {
        let mut client = self.connection().await?;
        let transaction = impatient(&mut client).await?;
        transaction.execute(ADD, &[&account, &vendor, &rate, &lanes]).await?;
        let now = "SELECT lanes FROM mandat_fleet.account WHERE account = $1 AND vendor = $2";
        let now = transaction.query_one(now, &[&account, &vendor]).await?.get(0);
        transaction.commit().await?;
        Ok(now)
    }

    /// Stores a rate, and a number of lanes if there is one, while no lane of the account runs.
    async fn change_rate(
        &self,
        account: &str,
        vendor: &str,
        rate: Option<i32>,
        lanes: Option<i32>,
    ) -> Result<(), Failure> {
        let began = Instant::now();
        while !self.close(account, vendor).await? {
            if began.elapsed() > Duration::from_secs(60) {
                return Err("a worker keeps a lane of this account. Repeat the command".into());
            }
            sleep(Duration::from_millis(200)).await;
        }
        let mut client = self.connection().await?;
        let transaction = impatient(&mut client).await?;
        // The lock keeps an import from choosing lanes, and another program from changing them.
        let now = "SELECT lanes FROM mandat_fleet.account WHERE account = $1 AND vendor = $2 FOR UPDATE";
        let now: i32 = transaction.query_one(now, &[&account, &vendor]).await?.get(0);
        let lanes = lanes.unwrap_or(now);
        let set = "UPDATE mandat_fleet.account SET rate = $3, lanes = $4, closed_until = 'epoch'
                   WHERE account = $1 AND vendor = $2 AND closed_until > clock_timestamp()";
        if transaction.execute(set, &[&account, &vendor, &rate, &lanes]).await? == 0 {
            return Err("another program changed this account meanwhile. Repeat the command".into());
        }
        if lanes != now {
            let old = "DELETE FROM mandat_fleet.lane WHERE account = $1 AND vendor = $2 AND lane >= $3";
            transaction.execute(old, &[&account, &vendor, &lanes]).await?;
            transaction.execute(ADD, &[&account, &vendor, &rate, &lanes]).await?;
            // In the order of the references, as `ask` and an import lock the rows.
            let moved = "
                WITH n AS (
                    SELECT account, reference FROM mandat_fleet.mandate
                    WHERE account = $1 AND vendor = $2 AND lane <> mandat_fleet.lane_of(client, reference, $3)
                    ORDER BY reference FOR NO KEY UPDATE)
                UPDATE mandat_fleet.mandate AS m SET lane = mandat_fleet.lane_of(m.client, m.reference, $3)
                FROM n WHERE m.account = n.account AND m.reference = n.reference";
            transaction.execute(moved, &[&account, &vendor, &lanes]).await?;
        }
        transaction.execute(WAKE, &[&account, &vendor]).await?;
        Ok(transaction.commit().await?)
    }

    /// Keeps the lanes of an account from starting for a quarter of a minute. Returns true if none of them runs.
    async fn close(&self, account: &str, vendor: &str) -> Result<bool, Failure> {
        let mut client = self.connection().await?;
        let transaction = impatient(&mut client).await?;
        let close = "UPDATE mandat_fleet.account SET closed_until = clock_timestamp() + interval '15 seconds'
                     WHERE account = $1 AND vendor = $2";
        transaction.execute(close, &[&account, &vendor]).await?;
        transaction.commit().await?;
        let free = "SELECT NOT EXISTS (SELECT FROM mandat_fleet.lane
                    WHERE account = $1 AND vendor = $2 AND free_at > clock_timestamp())";
        Ok(client.query_one(free, &[&account, &vendor]).await?.get(0))
    }

    /// Lets the lanes of an account send requests again, after the vendor has refused the caller. One lane tries first.
    /// Returns false if the account is unknown.
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub async fn resume(&self, account: &str, vendor: Provider) -> Result<bool, Failure> {
        let mut client = self.connection().await?;
        let transaction = client.transaction().await?;
        let resume =
            "UPDATE mandat_fleet.account SET refused_at = NULL, accepted_at = NULL WHERE account = $1 AND vendor = $2";
        let resumed = transaction.execute(resume, &[&account, &vendor.as_str()]).await? == 1;
        transaction.execute(WAKE, &[&account, &vendor.as_str()]).await?;
        transaction.commit().await?;
        Ok(resumed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::postgres::Postgres;

    #[tokio::test]
    async fn a_rate_does_not_change_while_another_program_keeps_a_mandate_locked() {
        let Some(server) = Postgres::of_test() else { return };
        let database = Database::new(&server.url(), 8).unwrap();
        database.migrate().await.unwrap();
        let set = async |rate, lanes| database.set_rate("main", Provider::SafeDebit, Some(rate), Some(lanes)).await;
        set(30, 2).await.unwrap();
        let mut theirs = database.connection().await.unwrap();
        let mandate = "INSERT INTO mandat_fleet.mandate (account, reference, vendor, lane)
                       VALUES ('main', 'safedebit:RUM-1', 'safedebit', 1)";
        theirs.execute(mandate, &[]).await.unwrap();
        let transaction = theirs.transaction().await.unwrap();
        transaction.execute("SELECT FROM mandat_fleet.mandate FOR UPDATE", &[]).await.unwrap();

        // With one lane, the mandate would move to the lane 0.
        let error = set(40, 1).await.unwrap_err().to_string();
        assert!(error.contains("pg_stat_activity"), "{error}");
        let now = "SELECT a.rate, a.lanes, m.lane FROM mandat_fleet.account AS a JOIN mandat_fleet.mandate AS m USING (account)";
        let now = async || {
            let row = database.connection().await.unwrap().query_one(now, &[]).await.unwrap();
            [0_usize, 1, 2].map(|column| row.get::<_, i32>(column))
        };
        assert_eq!(now().await, [30, 2, 1]);
        transaction.rollback().await.unwrap();
        set(40, 1).await.unwrap();
        assert_eq!(now().await, [40, 1, 0]);
    }
}
