//! Maps SafeDebit's responses to the vocabulary.

use super::{Client, generated::operations, types};
use crate::{
    adapter::{Adapter, BatchReader, OneByOne},
    mandate::{Lookup, Mandate, MandateRef, Source},
    transport::{OperationSpec, Vendor, VendorResponse, exchange, perform_page},
    vocabulary::{Error, Provider, VocabularyRow},
};
use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;
use std::sync::Arc;
use types::MandateStatus as Word;

const SEARCH: &OperationSpec = &operations::SEARCH_MANDATE;

impl Client {
    /// The response of the search is inferred, so it is accepted only if it contains the exact UMR once.
    async fn read_mandate(&self, lookup: Lookup<'_>, now: DateTime<Utc>) -> Result<Mandate, Error> {
        let umr = lookup.reference.id();
        let request = self.search_mandate().umr(umr).request();
        let (answer, pages): (types::SearchMandateResponse, _) = perform_page(self, SEARCH, request).await?;
        let found = answer.datas;
        let refuse = |what: &str| Error::decode(Provider::SafeDebit, SEARCH.id, what);
        if !found.is_explicit() {
            return Err(refuse("expected a list, at datas. Another value does not prove that there is no item"));
        }
        if let Some(item) = found.unread().first() {
            return Err(refuse(&format!("datas[{}]: {}", item.index, item.why)));
        }
        if let Some(other) = found.iter().position(|mandate| mandate.umr.as_str() != umr) {
            return Err(refuse(&format!("datas[{other}].umr differs from the requested one")));
        }
        if found.is_empty() && pages.go_on_after(0) {
            return Err(refuse(super::find::MORE));
        }
        let mut found = found.into_iter();
        let types::Mandate { status, extra, .. } =
            found.next().ok_or_else(|| Error::not_found(Provider::SafeDebit, SEARCH.id))?;
        if found.next().is_some() {
            return Err(refuse("datas has more than one mandate with this UMR"));
        }
        let mandate = Mandate::new(lookup.reference.clone(), status.as_str(), status.meaning(), Source::Read, now);
        Ok(Mandate { extra, ..mandate })
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
            let request = self.search_mandate().umr(reference.id()).request();
            Ok((SEARCH, exchange(self, SEARCH, request).await?))
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
    let row = |word: &Word| VocabularyRow::new(Provider::SafeDebit, word.to_string(), word.meaning());
    Word::KNOWN.iter().map(row).collect()
}

/// The mandate in the response to its creation. It proves no status: the vendor's sample returns "active" beside a
/// link that nobody has signed. Read the mandate back before you collect.
impl From<&types::CreateMandateResponse> for Mandate {
    fn from(answer: &types::CreateMandateResponse) -> Self {
        let word = answer.status.clone().unwrap_or_else(|| Word::Unrecognized(String::new()));
        let reference = MandateRef::safedebit(answer.umr.as_str());
        let mandate = Mandate::new(reference, word.as_str(), word.meaning(), Source::Created, Utc::now());
        Mandate { extra: answer.extra.clone(), ..mandate }
    }
}
