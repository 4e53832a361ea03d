//! Maps Seqino's responses to the statuses of this crate.

use super::{Client, batch::Batches, generated::operations, types};
use crate::{
    adapter::{Adapter, BatchReader, Checkup},
    debit::RecordRef,
    mandate::{Account, Lookup, Mandate, MandateRef, Source},
    transport::{OperationSpec, Vendor, VendorResponse, exchange, unless_shut},
    vocabulary::{Error, ErrorKind, Evidence, MandateStatus, Meaning, Provider, RawStatus, VocabularyRow},
    wire,
};
use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;
use std::sync::Arc;
use types::MandateStatus as Word;

/// Applies the start and end dates to an `active` mandate. Before the start, the mandate is not yet in force. From the
/// end on, it is expired. This rule is inferred. The vendor explains the dates, but does not say that the word stays
/// `active`.
fn dated(
    meaning: Meaning,
    starts: Option<&wire::DateTime>,
    ends: Option<&wire::DateTime>,
    now: DateTime<Utc>,
) -> Meaning {
    if meaning.status != MandateStatus::Active {
        return meaning;
    }
    let reached = |date: Option<&wire::DateTime>| date.and_then(wire::DateTime::get).map(|date| date <= now);
    match (reached(starts), reached(ends)) {
        (_, Some(true)) => Meaning::new(MandateStatus::Expired, Evidence::Inferred),
        (Some(false), _) => Meaning::new(MandateStatus::AwaitingActivation, Evidence::Inferred),
        _ => meaning,
    }
}

pub(super) fn account(word: &types::ClientStatus) -> Account {
    Account::Read { status: word.account(), raw: RawStatus::new(word.as_str()) }
}

fn observe(
    reference: MandateRef,
    read: types::Mandate,
    account: Account,
    source: Source,
    now: DateTime<Utc>,
) -> Mandate {
    let account = if reference.client_id() == Some(&read.client_id) { account } else { Account::Differs };
    let meaning = dated(read.status.meaning(), Some(&read.start_date), read.end_date.as_ref(), now);
    Mandate {
        account,
        starts: Some(read.start_date),
        ends: read.end_date,
        created: read.created_at,
        extra: read.extra,
        ..Mandate::new(reference, read.status.as_str(), meaning, source, now)
    }
}

/// Maps the vendor's response to the mandate that was requested.
pub(super) fn judge(
    lookup: Lookup<'_>,
    read: Result<types::Mandate, Error>,
    account: Account,
    now: DateTime<Utc>,
) -> Result<Mandate, Error> {
    let reference = lookup.reference.clone();
    let read = match read {
        // Seqino responds 404 or 410 for a mandate that it knew before. The mandate is missing, and not the client,
        // because the client was just read.
        Err(e) if e.kind() == ErrorKind::NotFound && lookup.known && matches!(account, Account::Read { .. }) => {
            let meaning = Meaning::new(MandateStatus::Gone, Evidence::Inferred);
            let status = e.http_status().unwrap_or(404).to_string();
            return Ok(Mandate { account, ..Mandate::new(reference, &status, meaning, Source::Read, now) });
        }
        read => read?,
    };
    if read.id.as_deref() != Some(reference.id()) {
        return Err(Error::decode(Provider::Seqino, READ.id, "`id` is not the requested mandate id"));
    }
    Ok(observe(reference, read, account, Source::Read, now))
}

const READ: &OperationSpec = &operations::GET_MANDATE;

impl Client {
    pub(super) fn mandate_of<'a>(&'a self, reference: &'a MandateRef) -> super::builder::GetMandate<'a> {
        self.get_mandate().mandate_id(reference.id()).x_pdp_client_id(reference.client_id().unwrap_or_default())
    }

    /// Reads the state of a client. A failed read does not change the status of the client's mandates.
    ///
    /// # Errors
    /// An error only if the vendor refuses the caller.
    pub(super) async fn account_of(&self, client_id: &str) -> Result<Account, Error> {
        match self.get_client().client_id(client_id).send().await {
            Ok(client) if client.client_id.as_deref() == Some(client_id) => Ok(account(&client.status)),
            Err(error) if error.refuses_caller() => Err(error),
            _ => Ok(Account::NotRead),
        }
    }

    async fn read_mandate(&self, lookup: Lookup<'_>, now: DateTime<Utc>) -> Result<Mandate, Error> {
        let client_id = lookup.reference.client_id().unwrap_or_default();
        // An API key may have the right to read mandates but not clients. So a refusal of this request does not stop
        // the other requests.
        let account = unless_shut(Arc::default(), self.account_of(client_id));
        let (read, account) = tokio::join!(self.mandate_of(lookup.reference).send(), account);
        judge(lookup, read, account.unwrap_or(Account::NotRead), now)
    }
}

impl Adapter for Client {
    fn read<'a>(&'a self, lookup: Lookup<'a>, now: DateTime<Utc>) -> BoxFuture<'a, Result<Mandate, Error>> {
        Box::pin(self.read_mandate(lookup, now))
    }

    fn probe<'a>(
        &'a self,
        reference: RecordRef<'a>,
    ) -> BoxFuture<'a, Result<(&'static OperationSpec, VendorResponse), Error>> {
        Box::pin(async move {
            match reference {
                RecordRef::Mandate(mandate) => {
                    Ok((READ, exchange(self, READ, self.mandate_of(mandate).request()).await?))
                }
                RecordRef::Debit(_) => Err(Error::no_debits(Provider::Seqino)),
            }
        })
    }

    /// Lists the types of events, which are the same for each caller. A list of clients would contain their names.
    fn checkup(&self) -> Checkup<'_> {
        const HEALTH: &OperationSpec = &operations::GET_HEALTH;
        const TYPES: &OperationSpec = &operations::LIST_WEBHOOK_EVENT_TYPES;
        let client = self.with_attempts(1);
        let other = client.clone();
        Checkup {
            transport: self.transport(),
            spec: super::SPEC_ORIGIN,
            test_address: Some(super::DEVELOPMENT),
            address_code: None,
            health: Some(Box::pin(async move {
                exchange(&client, HEALTH, client.get_health().request()).await.map(|answer| answer.seen)
            })),
            call: Box::pin(async move {
                let answer = exchange(&other, TYPES, other.list_webhook_event_types().request()).await?;
                answer.decode::<types::WebhookEventTypesResponse>(TYPES).map(|_| answer.seen)
            }),
            operation: TYPES.id,
        }
    }

    fn batch_reader(self: Arc<Self>) -> Option<Arc<dyn BatchReader>> {
        Some(Arc::new(Batches::new(self)))
    }

    fn concurrency(&self) -> usize {
        self.transport().concurrency()
    }
}

/// Lists every status word of Seqino's spec with its meaning, and the meanings of `active` before the start and after
/// the end.
pub(crate) fn vocabulary() -> Vec<VocabularyRow> {
    let row = |raw: String, meaning| VocabularyRow::new(Provider::Seqino, raw, meaning);
    let active = Word::KNOWN.iter().filter(|word| word.meaning().status == MandateStatus::Active);
    let dated = active.flat_map(|word| {
        [("start_date ahead", MandateStatus::AwaitingActivation), ("end_date reached", MandateStatus::Expired)]
            .map(|(when, status)| row(format!("{word}, {when}"), Meaning::new(status, Evidence::Inferred)))
    });
    Word::KNOWN.iter().map(|word| row(word.to_string(), word.meaning())).chain(dated).collect()
}

/// Converts the response to the creation of a mandate. This response proves no status: read the mandate before you act
/// on it.
impl TryFrom<&types::Mandate> for Mandate {
    type Error = Error;

    fn try_from(answer: &types::Mandate) -> Result<Self, Error> {
        let missing = || Error::decode(Provider::Seqino, operations::CREATE_MANDATE.id, "`id` is missing");
        let id = answer.id.clone().ok_or_else(missing)?;
        let reference = MandateRef::seqino(answer.client_id.clone(), id);
        Ok(observe(reference, answer.clone(), Account::NotRead, Source::Created, Utc::now()))
    }
}
