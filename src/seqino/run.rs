//! What the reads of one run share: the list of clients, and turns for what no list has.

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

/// So long a run goes by the clients that it has read.
const KEPT: TimeDelta = TimeDelta::minutes(5);

/// The state of each client, and when it was read.
type Accounts = (DateTime<Utc>, Arc<Listed<Account>>);

#[derive(Default)]
pub(crate) struct Run {
    accounts: Mutex<Option<Accounts>>,
    turns: OnceCell<Semaphore>,
    /// The vendor refuses the caller, also for what a list lacks.
    refused: AtomicBool,
}

impl Run {
    /// The state of a client: from the list of all, or read alone where that has it not.
    ///
    /// # Errors
    /// Only if the caller is refused: then no other request is of use.
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

    /// Reads what a list lacks when its turn has come, so that its time begins then.
    pub async fn read<T>(&self, concurrency: usize, read: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        let turns = self.turns.get_or_init(|| async { Semaphore::new(concurrency) }).await;
        // It is never closed.
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

/// What a list has, by its id; none where it has two of one id, which is which nobody knows.
pub(super) type Listed<T> = BTreeMap<String, Option<T>>;

pub(super) fn by_id<T>(list: impl Iterator<Item = (String, T)>) -> Listed<T> {
    let mut listed = Listed::new();
    for (id, item) in list {
        listed.entry(id).and_modify(|one| *one = None).or_insert(Some(item));
    }
    listed
}
