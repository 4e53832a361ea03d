//! Reads the mandates of one run with few requests to Seqino. One request gets the list of clients, and one per client
//! gets the list of its mandates.

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

/// The time for which a run uses the list of clients that it has read.
const KEPT: TimeDelta = TimeDelta::minutes(5);

/// The time when the list of clients was read, and the state of each client.
type Accounts = (DateTime<Utc>, Arc<Listed<Account>>);

pub(super) struct Batches {
    client: Arc<Client>,
    accounts: Mutex<Option<Accounts>>,
    /// Limits the number of simultaneous requests for single mandates.
    turns: Semaphore,
}

impl Batches {
    pub fn new(client: Arc<Client>) -> Self {
        let turns = Semaphore::new(client.transport().concurrency());
        Self { client, accounts: Mutex::default(), turns }
    }

    /// Returns the state of a client from the list of all clients. If the list does not have the client, reads the
    /// client alone.
    ///
    /// # Errors
    /// An error only if the vendor refuses the caller, because every other request would then fail too.
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

    /// Reads a single mandate that the list lacks. First waits until fewer such requests are running, so that the
    /// timeout of the request starts after the wait.
    async fn in_turn<T>(&self, read: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        // The semaphore is never closed, so this does not fail.
        let _turn = self.turns.acquire().await.ok();
        read.await
    }

    /// Returns a mandate from the list. If the list lacks the mandate, reads the mandate alone.
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

    /// Reads the mandates of one client from their list. Reads each mandate that the list lacks alone, because the list
    /// may be incomplete.
    async fn read(&self, lookups: &[Lookup<'_>], now: DateTime<Utc>) -> Vec<Result<Mandate, Error>> {
        let client_id = lookups.first().and_then(|lookup| lookup.reference.client_id()).unwrap_or_default();
        let account = match self.account(client_id, now).await {
            Ok(account) => account,
            Err(e) => return vec![Err(e); lookups.len()],
        };
        let listed = match self.client.list_mandates().x_pdp_client_id(client_id).send().await {
            Ok(list) => by_id(list.into_iter().filter_map(|mandate| Some((mandate.id.clone()?, mandate)))),
            // The list is larger than the limit, or one of its items is not as documented. Read each mandate alone.
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

/// The items of a list by their ids. The value is `None` for an id that occurs twice, because it is unclear which item
/// is right.
pub(super) type Listed<T> = BTreeMap<String, Option<T>>;

pub(super) fn by_id<T>(list: impl Iterator<Item = (String, T)>) -> Listed<T> {
    let mut listed = Listed::new();
    for (id, item) in list {
        listed.entry(id).and_modify(|one| *one = None).or_insert(Some(item));
    }
    listed
}
