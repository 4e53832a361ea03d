//! What the reads of one run share: the list of clients, and turns for what no list has.

use super::{Client, adapter::account};
use crate::Account;
use chrono::{DateTime, TimeDelta, Utc};
use std::{collections::BTreeMap, sync::Arc};
use tokio::sync::{Mutex, OnceCell, Semaphore, SemaphorePermit};

/// So long a run goes by the clients that it has read.
const KEPT: TimeDelta = TimeDelta::minutes(5);

/// The state of each client, and when it was read.
type Accounts = (DateTime<Utc>, Arc<Listed<Account>>);

#[derive(Default)]
pub(crate) struct Run {
    accounts: Mutex<Option<Accounts>>,
    turns: OnceCell<Semaphore>,
}

impl Run {
    /// The state of a client: from the list of all, or read alone where that has it not.
    pub async fn account(&self, client: &Client, client_id: &str, now: DateTime<Utc>) -> Account {
        let accounts = {
            let mut kept = self.accounts.lock().await;
            match &*kept {
                Some((read, accounts)) if now - *read < KEPT => accounts.clone(),
                _ => kept.insert((now, Arc::new(accounts(client).await))).1.clone(),
            }
        };
        match accounts.get(client_id) {
            Some(Some(account)) => account.clone(),
            _ => client.account_of(client_id).await,
        }
    }

    /// A turn to read what a list lacks, so that its time begins when it is asked.
    pub async fn turn(&self, concurrency: usize) -> Option<SemaphorePermit<'_>> {
        let turns = self.turns.get_or_init(|| async { Semaphore::new(concurrency) }).await;
        // It is never closed.
        turns.acquire().await.ok()
    }
}

async fn accounts(client: &Client) -> Listed<Account> {
    let clients = client.list_clients().send().await.unwrap_or_default();
    by_id(clients.into_iter().filter_map(|client| Some((client.client_id?, account(&client.status)))))
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
