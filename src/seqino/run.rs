//! Shared state of the reads of one run: the list of clients, and a limit for the reads of single mandates.

use super::{Client, adapter::account};
use crate::{Account, Error, Provider};
use chrono::{DateTime, TimeDelta, Utc};
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};
use tokio::sync::{Mutex, OnceCell, Semaphore};

/// How long a run uses the clients that it has read.
const KEPT: TimeDelta = TimeDelta::minutes(5);

/// The time of the read, and the state of each client.
type Accounts = (DateTime<Utc>, Arc<Listed<Account>>);

#[derive(Default)]
pub(crate) struct Run {
    accounts: Mutex<Option<Accounts>>,
    turns: OnceCell<Semaphore>,
    /// True if the vendor refuses the caller. Then the run reads no single mandates either.
    refused: AtomicBool,
}

impl Run {
    /// The state of a client, from the list of all clients. Reads the client alone if the list does not have it.
    ///
    /// # Errors
    /// Only if the vendor refuses the caller: then every other request would fail, too.
    pub async fn account(&self, client: &Client, client_id: &str, now: DateTime<Utc>) -> Result<Account, Error> {
        let accounts = {
            let mut kept = self.accounts.lock().await;
            match &*kept {
                Some((read, accounts)) if now - *read < KEPT => accounts.clone(),
                _ => kept.insert((now, Arc::new(accounts(client).await?))).1.clone(),
            }
        };
        match accounts.get(client_id) {
            Some(Some(account)) => Ok(account.clone()),
            _ => Ok(client.account_of(client_id).await),
        }
    }

    /// Reads a mandate that the list lacks. Waits for a free place first, so that the timeout starts after the wait.
    pub async fn read<T>(&self, concurrency: usize, read: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        let turns = self.turns.get_or_init(|| async { Semaphore::new(concurrency) }).await;
        // The semaphore is never closed, so this does not fail.
        let _turn = turns.acquire().await.ok();
        if self.refused.load(Ordering::Relaxed) {
            return Err(Error::not_asked(Provider::Seqino));
        }
        let read = read.await;
        if read.as_ref().is_err_and(Error::refuses_caller) {
            self.refused.store(true, Ordering::Relaxed);
        }
        read
    }
}

async fn accounts(client: &Client) -> Result<Listed<Account>, Error> {
    let clients = match client.list_clients().send().await {
        Err(error) if error.refuses_caller() => return Err(error),
        clients => clients.unwrap_or_default(),
    };
    Ok(by_id(clients.into_iter().filter_map(|client| Some((client.client_id?, account(&client.status))))))
}

/// The items of a list by id. `None` for an id that occurs twice: it is unclear which item is right.
pub(super) type Listed<T> = BTreeMap<String, Option<T>>;

pub(super) fn by_id<T>(list: impl Iterator<Item = (String, T)>) -> Listed<T> {
    let mut listed = Listed::new();
    for (id, item) in list {
        listed.entry(id).and_modify(|one| *one = None).or_insert(Some(item));
    }
    listed
}
