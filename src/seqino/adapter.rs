//! Maps Seqino's responses to the vocabulary.

use super::{
    Client,
    generated::operations,
    run::{Listed, Run, by_id},
    types,
};
use crate::{
    Account, AccountStatus, Error, ErrorKind, Lookup, Mandate, MandateRef, MandateStatus, Provider, RawStatus, Source,
    facade::Adapter,
    status::{Evidence, Meaning},
    transport::{Answer, Operation, Vendor, exchange},
    wire,
};
use chrono::{DateTime, Utc};
use futures_util::{StreamExt, stream};
use types::MandateStatus as Word;

fn meaning(word: &Word) -> Meaning {
    let status = match word {
        Word::Active => MandateStatus::Active,
        Word::Expired => MandateStatus::Expired,
        Word::PendingKyc => MandateStatus::AwaitingVerification,
        Word::Processing | Word::Created => MandateStatus::Pending,
        Word::Error => MandateStatus::Invalid,
        Word::Unrecognized(_) => return Meaning::new(MandateStatus::Unrecognized, Evidence::Inferred),
    };
    Meaning::new(status, Evidence::WordDocumented)
}

/// Applies the dates to `active`: before the start it is not yet in force, and from the end it is expired. Inferred:
/// the vendor explains the dates, but does not say that the word stays the same.
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
    use types::ClientStatus as Word;
    let status = match word {
        Word::Active => AccountStatus::Active,
        Word::Inactive => AccountStatus::Inactive,
        Word::Pending => AccountStatus::Pending,
        Word::Suspended => AccountStatus::Suspended,
        Word::Unrecognized(_) => AccountStatus::Unrecognized,
    };
    Account::Read { status, raw: RawStatus::new(word.as_str()) }
}

fn observe(
    reference: MandateRef,
    read: types::Mandate,
    account: Account,
    source: Source,
    now: DateTime<Utc>,
) -> Mandate {
    let account = if reference.client_id() == Some(&read.client_id) { account } else { Account::Differs };
    let meaning = dated(meaning(&read.status), Some(&read.start_date), read.end_date.as_ref(), now);
    Mandate {
        account,
        starts: Some(read.start_date),
        ends: read.end_date,
        created: read.created_at,
        extra: read.extra,
        ..Mandate::new(reference, read.status.as_str(), meaning, source, now)
    }
}

/// Maps the vendor's response to the requested mandate.
fn judge(
    lookup: Lookup<'_>,
    read: Result<types::Mandate, Error>,
    account: Account,
    now: DateTime<Utc>,
) -> Result<Mandate, Error> {
    let reference = lookup.reference.clone();
    let read = match read {
        // The vendor's own 404 or 410 for a known mandate. It concerns the mandate, because the client exists.
        Err(e) if e.kind() == ErrorKind::NotFound && lookup.known && matches!(account, Account::Read { .. }) => {
            let meaning = Meaning::new(MandateStatus::Gone, Evidence::Inferred);
            let status = e.http_status().unwrap_or(404).to_string();
            return Ok(Mandate { account, ..Mandate::new(reference, &status, meaning, Source::Read, now) });
        }
        read => read?,
    };
    if read.id.as_deref() != Some(reference.id()) {
        return Err(Error::decode(Provider::Seqino, READ.id, "id differs from the requested one"));
    }
    Ok(observe(reference, read, account, Source::Read, now))
}

const READ: &Operation = &operations::GET_MANDATE;

impl Client {
    fn mandate_of<'a>(&'a self, reference: &'a MandateRef) -> super::builder::GetMandate<'a> {
        self.get_mandate().mandate_id(reference.id()).x_pdp_client_id(reference.client_id().unwrap_or_default())
    }

    /// Reads the client. An unreadable client does not change the mandate's own status.
    pub(super) async fn account_of(&self, client_id: &str) -> Account {
        match self.get_client().client_id(client_id).send().await {
            Ok(client) if client.client_id.as_deref() == Some(client_id) => account(&client.status),
            _ => Account::NotRead,
        }
    }

    /// Takes a mandate from the list, or reads it alone.
    async fn listed(
        &self,
        run: &Run,
        listed: &Listed<types::Mandate>,
        lookup: Lookup<'_>,
        account: Account,
        now: DateTime<Utc>,
    ) -> Result<Mandate, Error> {
        let read = match listed.get(lookup.reference.id()) {
            Some(Some(mandate)) => Ok(mandate.clone()),
            _ => run.read(self.transport().concurrency(), self.mandate_of(lookup.reference).send()).await,
        };
        judge(lookup, read, account, now)
    }
}

impl Adapter for Client {
    type Run = Run;

    async fn read(&self, lookup: Lookup<'_>, now: DateTime<Utc>) -> Result<Mandate, Error> {
        let client_id = lookup.reference.client_id().unwrap_or_default();
        let (read, account) = tokio::join!(self.mandate_of(lookup.reference).send(), self.account_of(client_id));
        judge(lookup, read, account, now)
    }

    /// Reads all clients once per run and this client's list once. Then reads one by one the mandates that the list
    /// lacks: a missing item proves nothing.
    async fn read_all(&self, run: &Run, lookups: &[Lookup<'_>], now: DateTime<Utc>) -> Vec<Result<Mandate, Error>> {
        let client_id = lookups.first().and_then(|lookup| lookup.reference.client_id()).unwrap_or_default();
        let account = match run.account(self, client_id, now).await {
            Ok(account) => account,
            Err(e) => return vec![Err(e); lookups.len()],
        };
        let listed = match self.list_mandates().x_pdp_client_id(client_id).send().await {
            Ok(list) => by_id(list.into_iter().filter_map(|mandate| Some((mandate.id.clone()?, mandate)))),
            // The list is too long, or has unknown content. Read the mandates one by one.
            Err(e) if matches!(e.kind(), ErrorKind::TooLarge | ErrorKind::Decode) => Listed::new(),
            Err(e) => return vec![Err(e); lookups.len()],
        };
        let reads: Vec<_> =
            lookups.iter().map(|lookup| self.listed(run, &listed, *lookup, account.clone(), now)).collect();
        stream::iter(reads).buffered(self.transport().concurrency()).collect().await
    }

    async fn probe(&self, reference: &MandateRef) -> Result<(&'static Operation, Answer), Error> {
        Ok((READ, exchange(self, READ, self.mandate_of(reference).request()).await?))
    }

    fn words() -> Vec<(String, Meaning)> {
        let mut rows: Vec<_> = Word::KNOWN.iter().map(|word| (word.to_string(), meaning(word))).collect();
        for (when, status) in
            [("start_date ahead", MandateStatus::AwaitingActivation), ("end_date reached", MandateStatus::Expired)]
        {
            rows.push((format!("{}, {when}", Word::Active), Meaning::new(status, Evidence::Inferred)));
        }
        rows
    }
}

/// The mandate in the response to its creation. It proves no status: read the mandate back before you act on it.
impl TryFrom<&types::Mandate> for Mandate {
    type Error = Error;

    fn try_from(answer: &types::Mandate) -> Result<Self, Error> {
        let missing = || Error::decode(Provider::Seqino, operations::CREATE_MANDATE.id, "`id` is missing");
        let id = answer.id.clone().ok_or_else(missing)?;
        let reference = MandateRef::seqino(answer.client_id.clone(), id);
        Ok(observe(reference, answer.clone(), Account::NotRead, Source::Created, Utc::now()))
    }
}
