//! Maps Easytransac's responses to the vocabulary.

use super::{Client, generated::operations, types};
use crate::{
    adapter::{Adapter, BatchReader, OneByOne},
    mandate::{Lookup, Mandate, MandateRef, Source},
    transport::{OperationSpec, Vendor, VendorResponse, exchange},
    vocabulary::{Error, Provider, VocabularyRow},
    wire,
};
use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;
use std::sync::Arc;
use types::MandateStatus as Word;

const READ: &OperationSpec = &operations::GET_MANDATE_STATUS;

impl Client {
    async fn read_mandate(&self, lookup: Lookup<'_>, now: DateTime<Utc>) -> Result<Mandate, Error> {
        let id = lookup.reference.id();
        let answer = self.get_mandate_status().mandate_id(id).send().await?;
        let types::MandateReading { mandate_id, status, date_created, extra, .. } = answer.data;
        if mandate_id.as_str() != id {
            let what = "data.mandateId differs from the requested one";
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

    fn probe<'a>(
        &'a self,
        reference: &'a MandateRef,
    ) -> BoxFuture<'a, Result<(&'static OperationSpec, VendorResponse), Error>> {
        Box::pin(async move {
            let request = self.get_mandate_status().mandate_id(reference.id()).request();
            Ok((READ, exchange(self, READ, request).await?))
        })
    }

    fn batch_reader(self: Arc<Self>) -> Arc<dyn BatchReader> {
        Arc::new(OneByOne(self))
    }

    fn concurrency(&self) -> usize {
        self.transport().concurrency()
    }
}

/// Every word of the spec with its meaning.
pub(crate) fn vocabulary() -> Vec<VocabularyRow> {
    let row = |word: &Word| VocabularyRow::new(Provider::Easytransac, word.to_string(), word.meaning());
    Word::KNOWN.iter().map(row).collect()
}

/// The mandate in the response to its creation. It proves no status: read the mandate back before you collect.
impl From<&types::CreateMandateResponse> for Mandate {
    fn from(answer: &types::CreateMandateResponse) -> Self {
        let types::Mandate { mandate_id, status, date_created, extra, .. } = &answer.data;
        let reference = MandateRef::easytransac(mandate_id.as_str());
        let mandate = Mandate::new(reference, status.as_str(), status.meaning(), Source::Created, Utc::now());
        Mandate { created: date_created.clone(), extra: wire::Extra::clone(extra), ..mandate }
    }
}
