//! Reads the mandates of one run with few requests: one list of clients, and one list of mandates for each client.

use super::{
    Client,
    adapter::{account, judge},
    types,
};
use crate::{
    adapter::BatchReader,
    mandate::{Account, Lookup, Mandate},
    transport::Vendor,
    vocabulary::{Error, ErrorKind},
};
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::{StreamExt, future::BoxFuture, stream};
use std::{collections::BTreeMap, sync::Arc};
use tokio::sync::{Mutex, Semaphore};

/// How long a run uses the clients that it has read.
const KEPT: TimeDelta = TimeDelta::minutes(5);

/// The time of the read, and the state of each client.
type Accounts = (DateTime<Utc>, Arc<Listed<Account>>);

pub(super) struct Batches {
    client: Arc<Client>,
    accounts: Mutex<Option<Accounts>>,
    /// Limits the requests for mandates that no list has.
    turns: Semaphore,
}

impl Batches {
    pub fn new(client: Arc<Client>) -> Self {
        let turns = Semaphore::new(client.transport().concurrency());
        Self { client, accounts: Mutex::default(), turns }
    }

    /// The state of a client, from the list of all clients. Reads the client alone if the list does not have it.
    ///
    /// # Errors
    /// Only if the vendor refuses the caller: then every other request would fail, too.
    async fn account(&self, client_id: &str, now: DateTime<Utc>) -> Result<Account, Error> {
        let accounts = {
            let mut kept = self.accounts.lock().await;
            match &*kept {
                Some((read, accounts)) if now - *read < KEPT => accounts.clone(),
                _ => kept.insert((now, Arc::new(accounts(&self.client).await?))).1.clone(),
            }
        };
        match accounts.get(client_id) {
            Some(Some(account)) => Ok(account.clone()),
            _ => self.client.account_of(client_id).await,
        }
    }

    /// Reads a mandate that the list lacks. Waits for a free place first, so that the timeout starts after the wait.
    async fn in_turn<T>(&self, read: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        // The semaphore is never closed, so this does not fail.
        let _turn = self.turns.acquire().await.ok();
        read.await
    }

    /// A mandate from the list, or read alone.
    async fn mandate(
        &self,
        listed: &Listed<types::Mandate>,
        lookup: Lookup<'_>,
        account: Account,
        now: DateTime<Utc>,
    ) -> Result<Mandate, Error> {
        let read = match listed.get(lookup.reference.id()) {
            Some(Some(mandate)) => Ok(mandate.clone()),
            _ => self.in_turn(self.client.mandate_of(lookup.reference).send()).await,
        };
        judge(lookup, read, account, now)
    }

    /// Reads one by one the mandates that the client's list lacks: their absence from a list proves nothing.
    async fn read(&self, lookups: &[Lookup<'_>], now: DateTime<Utc>) -> Vec<Result<Mandate, Error>> {
        let client_id = lookups.first().and_then(|lookup| lookup.reference.client_id()).unwrap_or_default();
        let account = match self.account(client_id, now).await {
            Ok(account) => account,
            Err(e) => return vec![Err(e); lookups.len()],
        };
        let listed = match self.client.list_mandates().x_pdp_client_id(client_id).send().await {
            Ok(list) => by_id(list.into_iter().filter_map(|mandate| Some((mandate.id.clone()?, mandate)))),
            // The list is too long, or one of its items is not as documented.
            Err(e) if matches!(e.kind(), ErrorKind::TooLarge | ErrorKind::Decode) => Listed::new(),
            Err(e) => return vec![Err(e); lookups.len()],
        };
        let reads: Vec<_> = lookups.iter().map(|lookup| self.mandate(&listed, *lookup, account.clone(), now)).collect();
        stream::iter(reads).buffered(self.client.transport().concurrency()).collect().await
    }
}

impl BatchReader for Batches {
    fn read_batch<'a>(
        &'a self,
        lookups: &'a [Lookup<'a>],
        now: DateTime<Utc>,
    ) -> BoxFuture<'a, Vec<Result<Mandate, Error>>> {
        Box::pin(self.read(lookups, now))
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
