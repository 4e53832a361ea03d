//! Maps Easytransac's responses to the statuses of this crate.

use super::{Client, debit, generated::operations, types};
use crate::{
    adapter::{Adapter, Checkup},
    debit::{Debit, DebitRef, RecordRef},
    mandate::{Lookup, Mandate, MandateRef, Source},
    transport::{OperationSpec, Vendor, VendorResponse, exchange},
    vocabulary::{Error, Provider, VocabularyRow},
    wire,
};
use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;
use types::MandateStatus as Word;

const READ: &OperationSpec = &operations::GET_MANDATE_STATUS;

impl Client {
    async fn read_mandate(&self, lookup: Lookup<'_>, now: DateTime<Utc>) -> Result<Mandate, Error> {
        let id = lookup.reference.id();
        let answer = self.get_mandate_status().mandate_id(id).send().await?;
        let types::MandateReading { mandate_id, status, date_created, extra, .. } = answer.data;
        if mandate_id.as_str() != id {
            let what = "data.mandateId is not the requested mandateId";
            return Err(Error::decode(Provider::Easytransac, READ.id, what));
        }
        let mandate = Mandate::new(lookup.reference.clone(), status.as_str(), status.meaning(), Source::Read, now);
        Ok(Mandate { created: date_created, extra, ..mandate })
    }
}

impl Adapter for Client {
    fn read<'a>(&'a self, lookup: Lookup<'a>, now: DateTime<Utc>) -> BoxFuture<'a, Result<Mandate, Error>> {
        Box::pin(self.read_mandate(lookup, now))
    }

    fn read_debit<'a>(&'a self, reference: &'a DebitRef, now: DateTime<Utc>) -> BoxFuture<'a, Result<Debit, Error>> {
        Box::pin(self.debit_of(reference, now))
    }

    fn probe<'a>(
        &'a self,
        reference: RecordRef<'a>,
    ) -> BoxFuture<'a, Result<(&'static OperationSpec, VendorResponse), Error>> {
        Box::pin(async move {
            let (operation, request) = match reference {
                RecordRef::Mandate(mandate) => (READ, self.get_mandate_status().mandate_id(mandate.id()).request()),
                RecordRef::Debit(debit) => (debit::READ, self.transaction_of(debit).request()),
            };
            Ok((operation, exchange(self, operation, request).await?))
        })
    }

    /// Asks for the status of a mandate that does not exist. This call also shows if the account has direct debit.
    fn checkup(&self) -> Checkup<'_> {
        let client = self.with_attempts(1);
        Checkup {
            transport: self.transport(),
            spec: super::SPEC_ORIGIN,
            test_address: Some(super::SANDBOX),
            address_code: Some("11"),
            health: None,
            call: Box::pin(async move {
                let request = client.get_mandate_status().mandate_id("mandat00doctor000000").request();
                let answer = exchange(&client, READ, request).await?;
                answer.decode::<types::GetMandateStatusResponse>(READ).map(|_| answer.seen)
            }),
            operation: READ.id,
        }
    }

    fn concurrency(&self) -> usize {
        self.transport().concurrency()
    }
}

/// Lists every status word of Easytransac's spec with its meaning.
pub(crate) fn vocabulary() -> Vec<VocabularyRow> {
    let row = |word: &Word| VocabularyRow::new(Provider::Easytransac, word.to_string(), word.meaning());
    Word::KNOWN.iter().map(row).collect()
}

/// Converts the response to the creation of a mandate. This response proves no status: read the mandate before you
/// collect.
impl From<&types::CreateMandateResponse> for Mandate {
    fn from(answer: &types::CreateMandateResponse) -> Self {
        let types::Mandate { mandate_id, status, date_created, extra, .. } = &answer.data;
        let reference = MandateRef::easytransac(mandate_id.as_str());
        let mandate = Mandate::new(reference, status.as_str(), status.meaning(), Source::Created, Utc::now());
        Mandate { created: date_created.clone(), extra: wire::Extra::clone(extra), ..mandate }
    }
}
