//! Single statements: ask for a reading, acknowledge a return, change a rate.

use crate::{Failure, accounts::check, database::Database, pace};
use chrono::NaiveDate;
use mandat::{MandateRef, Phase, Provider};

/// Starts the jobs of all lanes of an account now.
const WAKE: &str = "SELECT mandat_fleet.queue_lane(account, vendor, lane, clock_timestamp())
                    FROM mandat_fleet.lane WHERE account = $1 AND vendor = $2";

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
    /// Each lane keeps its old share until its job ends, at most half a minute.
    ///
    /// # Errors
    /// If the rate is too low, or if the lanes shall change while a worker holds one.
    pub async fn set_rate(
        &self,
        account: &str,
        vendor: Provider,
        rate: Option<u32>,
        lanes: Option<u32>,
    ) -> Result<(), Failure> {
        check(account)?;
        let most = rate.map(|rate| rate / pace::LOWEST_RATE);
        if most == Some(0) {
            return Err(format!("the rate is below {}. The fleet cannot keep such a rate", pace::LOWEST_RATE).into());
        }
        if lanes == Some(0) || lanes.zip(most).is_some_and(|(lanes, most)| lanes > most) {
            let most = most.unwrap_or(u32::MAX);
            return Err(format!("this rate allows 1 to {most} lanes. Change --lanes, or the rate").into());
        }
        let number = |number: u32| i32::try_from(number).map_err(|_| Failure::from("the number is too large"));
        let (vendor, new_rate) = (vendor.as_str(), rate.map(number).transpose()?);
        let mut client = self.connection().await?;
        let transaction = client.transaction().await?;
        let usual = number(lanes.unwrap_or_else(|| pace::lanes(rate)))?;
        transaction
            .execute("SELECT mandat_fleet.add_account($1, $2, $3, $4)", &[&account, &vendor, &new_rate, &usual])
            .await?;
        // The lock on the account keeps jobs from taking a lane until the commit.
        let kept = "SELECT lanes, (SELECT count(*) FROM mandat_fleet.lane AS l
                        WHERE l.account = a.account AND l.vendor = a.vendor AND l.free_at > clock_timestamp())
                    FROM mandat_fleet.account AS a WHERE account = $1 AND vendor = $2 FOR UPDATE";
        transaction.query_one(kept, &[&account, &vendor]).await?;
        // The first statement may have waited for the lock. The second sees the lanes as they are now.
        let kept = transaction.query_one(kept, &[&account, &vendor]).await?;
        let (now, held): (i32, i64) = (kept.get(0), kept.get(1));
        let lanes = match lanes {
            Some(lanes) => number(lanes)?,
            None => now,
        };
        if let Some(most) = most
            && i64::from(lanes) > i64::from(most)
        {
            return Err(
                format!("the account has {lanes} lanes, and this rate allows {most}. Add --lanes {most}").into()
            );
        }
        if lanes != now && held > 0 {
            return Err("a worker holds a lane of this account. Stop the workers, wait ten seconds, and repeat".into());
        }
        let set = "UPDATE mandat_fleet.account SET rate = $3, lanes = $4 WHERE account = $1 AND vendor = $2";
        transaction.execute(set, &[&account, &vendor, &new_rate, &lanes]).await?;
        if lanes != now {
            let old = "DELETE FROM mandat_fleet.lane WHERE account = $1 AND vendor = $2 AND lane >= $3";
            transaction.execute(old, &[&account, &vendor, &lanes]).await?;
            transaction
                .execute("SELECT mandat_fleet.add_account($1, $2, $3, $4)", &[&account, &vendor, &new_rate, &lanes])
                .await?;
            let moved = "UPDATE mandat_fleet.mandate SET lane = mandat_fleet.lane_of(client, reference, $3)
                         WHERE account = $1 AND vendor = $2 AND lane <> mandat_fleet.lane_of(client, reference, $3)";
            transaction.execute(moved, &[&account, &vendor, &lanes]).await?;
        }
        transaction.execute(WAKE, &[&account, &vendor]).await?;
        Ok(transaction.commit().await?)
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
