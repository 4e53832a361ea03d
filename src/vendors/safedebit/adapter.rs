//! Maps SafeDebit's responses to the statuses of this crate.

use super::{Client, debit, generated::operations, types};
use crate::{
    adapter::{Adapter, Checkup},
    debit::{Debit, DebitRef, RecordRef},
    mandate::{Lookup, Mandate, MandateRef, Source},
    transport::{OperationSpec, Vendor, VendorResponse, exchange, perform_page},
    vocabulary::{Error, Provider, VocabularyRow},
};
use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;
use types::MandateStatus as Word;

const SEARCH: &OperationSpec = &operations::SEARCH_MANDATE;

impl Client {
    /// Reads a mandate by a search. The form of the search response is inferred, so this function accepts only a
    /// response that contains the exact UMR once.
    async fn read_mandate(&self, lookup: Lookup<'_>, now: DateTime<Utc>) -> Result<Mandate, Error> {
        let umr = lookup.reference.id();
        let request = self.search_mandate().umr(umr).request();
        let (answer, pages): (types::SearchMandateResponse, _) = perform_page(self, SEARCH, request).await?;
        let found = answer.datas;
        let refuse = |what: &str| Error::decode(Provider::SafeDebit, SEARCH.id, what);
        if !found.is_explicit() {
            return Err(refuse("`datas` is not a list, so the mandate may still exist"));
        }
        if let Some(item) = found.unread().first() {
            return Err(refuse(&format!("datas[{}]: {}", item.index, item.why)));
        }
        if let Some(other) = found.iter().position(|mandate| mandate.umr.as_str() != umr) {
            return Err(refuse(&format!("datas[{other}].umr is not the requested UMR")));
        }
        if found.is_empty() && pages.go_on_after(0) {
            return Err(refuse(super::find::MORE));
        }
        let mut found = found.into_iter();
        let types::Mandate { status, extra, .. } =
            found.next().ok_or_else(|| Error::not_found(Provider::SafeDebit, SEARCH.id))?;
        if found.next().is_some() {
            return Err(refuse("`datas` has more than one mandate with this UMR"));
        }
        let mandate = Mandate::new(lookup.reference.clone(), status.as_str(), status.meaning(), Source::Read, now);
        Ok(Mandate { extra, ..mandate })
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
                RecordRef::Mandate(mandate) => (SEARCH, self.search_mandate().umr(mandate.id()).request()),
                RecordRef::Debit(debit) => (debit::SEARCH, self.search_payment().umr(debit.part("umr")).request()),
            };
            Ok((operation, exchange(self, operation, request).await?))
        })
    }

    /// Searches for a mandate that does not exist. Each reading of a mandate uses this operation.
    fn checkup(&self) -> Checkup<'_> {
        let client = self.with_attempts(1);
        Checkup {
            transport: self.transport(),
            spec: super::SPEC_ORIGIN,
            test_address: None,
            address_code: Some("AUTH_003"),
            health: None,
            call: Box::pin(async move {
                let answer = exchange(&client, SEARCH, client.search_mandate().umr("MANDAT-DOCTOR").request()).await?;
                let found: types::SearchMandateResponse = answer.decode(SEARCH)?;
                match found.datas.is_explicit() {
                    true => Ok(answer.seen),
                    false => {
                        Err(Error::decode(Provider::SafeDebit, SEARCH.id, "`datas` is not a list").saw(answer.seen))
                    }
                }
            }),
            operation: SEARCH.id,
        }
    }

    fn concurrency(&self) -> usize {
        self.transport().concurrency()
    }
}

/// Lists every status word of SafeDebit's spec with its meaning.
pub(crate) fn vocabulary() -> Vec<VocabularyRow> {
    let row = |word: &Word| VocabularyRow::new(Provider::SafeDebit, word.to_string(), word.meaning());
    Word::KNOWN.iter().map(row).collect()
}

/// Converts the response to the creation of a mandate. This response proves no status: the vendor's sample returns
/// "active" beside a link that nobody has signed. Read the mandate before you collect.
impl From<&types::CreateMandateResponse> for Mandate {
    fn from(answer: &types::CreateMandateResponse) -> Self {
        let word = answer.status.clone().unwrap_or_else(|| Word::Unrecognized(String::new()));
        let reference = MandateRef::safedebit(answer.umr.as_str());
        let mandate = Mandate::new(reference, word.as_str(), word.meaning(), Source::Created, Utc::now());
        Mandate { extra: answer.extra.clone(), ..mandate }
    }
}
