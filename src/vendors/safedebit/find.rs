//! Searches for a SafeDebit record whose request was sent, but whose response was lost.
//!
//! The form of the search responses is partly inferred, so a response without the exact reference is an error. A result
//! proves that the record exists. An empty result proves nothing: the documentation does not say which records a search
//! shows.

use super::{Client, generated::operations, types};
use crate::{
    transport::{OperationSpec, Pages, perform_page},
    vocabulary::{Error, Provider},
    wire::List,
};

/// A debit that [`Client::find_debit`] found. The debit has the values of the request that created it. These values may
/// differ from those of your last request.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FoundDebit {
    /// The reference of the debit's payment, for `validate_payment`.
    pub payment_reference: types::PaymentReference,
    /// The UMR of the debit's mandate, if the response contains it. Compare the UMR with that of your mandate.
    pub umr: Option<types::Umr>,
    /// The amount, the date and the status of the debit, as far as the response contains them.
    pub debit: types::FoundSdd,
}

impl Client {
    /// Looks for the consumer with your reference after a lost response to `create_consumer`. The result contains
    /// SafeDebit's reference of the consumer, which the next step needs. It also contains the data of the request that
    /// created the consumer.
    ///
    /// **A result proves that the consumer exists. `None` proves nothing**: the documentation does not say which
    /// consumers the search shows.
    ///
    /// # Errors
    /// The errors of `search_consumer`. [`Decode`](crate::ErrorKind::Decode) if a consumer in the response has no
    /// reference, if two have this reference, or if the consumer may be on a further page.
    pub async fn find_consumer(&self, consumer_reference: &str) -> Result<Option<types::Consumer>, Error> {
        const SEARCH: &OperationSpec = &operations::SEARCH_CONSUMER;
        let request = self.search_consumer().consumer_reference(consumer_reference).request();
        let (answer, pages): (types::SearchConsumerResponse, _) = perform_page(self, SEARCH, request).await?;
        let consumers = listed(SEARCH, answer.datas)?;
        let read = consumers.len();
        if let Some(at) = consumers.iter().position(|consumer| consumer.consumer_reference.is_none()) {
            return Err(missing(SEARCH, at, "consumer_reference"));
        }
        let is =
            |own: &types::Consumer| own.consumer_reference.as_ref().is_some_and(|own| same(own, consumer_reference));
        let found = only(SEARCH, "consumer_reference", consumers.into_iter().filter(is))?;
        match found {
            Some(consumer) if consumer.safedebit_consumer_reference.is_none() => {
                Err(missing(SEARCH, 0, "safedebit_consumer_reference"))
            }
            None => none(SEARCH, &pages, read),
            found => Ok(found),
        }
    }

    /// Looks for the debit with your reference among the payments on a mandate. Use it after a lost response to
    /// `payment` or `add_rp_sdd`. Use it also before you validate, change or cancel a debit whose status you do not
    /// know.
    ///
    /// **A result proves that the debit exists. `None` proves nothing**: the documentation does not say which payments
    /// the search shows. The amount and the date are those of the request that created the debit. They may differ from
    /// those of your last request.
    ///
    /// # Errors
    /// The errors of `search_payment`. [`Decode`](crate::ErrorKind::Decode) if a payment has no debits, if two debits
    /// have this reference, or if the debit may be on a further page. It is inferred that the debits are in the field
    /// `sdd`.
    pub async fn find_debit(&self, umr: &str, sdd_reference: &str) -> Result<Option<FoundDebit>, Error> {
        const SEARCH: &OperationSpec = &operations::SEARCH_PAYMENT;
        types::SddReference::try_from(sdd_reference).map_err(|why| {
            Error::invalid(Some(Provider::SafeDebit), format!("`sdd_reference` is not valid: {why}"))
                .during(Provider::SafeDebit, SEARCH.id)
        })?;
        let request = self.search_payment().umr(umr).request();
        let (answer, pages): (types::SearchPaymentResponse, _) = perform_page(self, SEARCH, request).await?;
        let payments = listed(SEARCH, answer.datas)?;
        let read = payments.len();
        let without = payments.iter().position(|payment| payment.sdd.is_blank());
        let mut found = Vec::new();
        for types::Payment { payment_reference, umr, sdd, .. } in payments {
            for debit in all_read(SEARCH, sdd)?.into_iter().filter(|debit| same(&debit.sdd_reference, sdd_reference)) {
                let (payment_reference, umr) = (payment_reference.clone(), umr.clone());
                found.push(FoundDebit { payment_reference, umr, debit });
            }
        }
        match (only(SEARCH, "sdd_reference", found.into_iter())?, without) {
            // A payment without readable debits may contain the debit, so `None` would be wrong.
            (None, Some(at)) => Err(missing(SEARCH, at, "sdd")),
            (None, None) => none(SEARCH, &pages, read),
            (found, _) => Ok(found),
        }
    }

    /// Looks for the payment with this reference after a lost response to `initiate_transfer`. The reference has at
    /// most 35 characters.
    ///
    /// **A result proves that the payment exists. `None` proves nothing**: the documentation does not say which
    /// payments the search shows. No operation returns the payment's link for the payer again.
    ///
    /// # Errors
    /// The errors of `search_payment`. [`Decode`](crate::ErrorKind::Decode) for a response that has two payments with
    /// this reference, or if the payment may be on a further page.
    pub async fn find_payment(&self, payment_reference: &str) -> Result<Option<types::Payment>, Error> {
        const SEARCH: &OperationSpec = &operations::SEARCH_PAYMENT;
        let request = self.search_payment().payment_reference(payment_reference).request();
        let (answer, pages): (types::SearchPaymentResponse, _) = perform_page(self, SEARCH, request).await?;
        let payments = listed(SEARCH, answer.datas)?;
        let read = payments.len();
        let is = |payment: &types::Payment| same(&payment.payment_reference, payment_reference);
        match only(SEARCH, "payment_reference", payments.into_iter().filter(is))? {
            None => none(SEARCH, &pages, read),
            found => Ok(found),
        }
    }
}

/// Compares two references. Blanks at the ends do not count, because a request does not send them.
fn same(own: &impl AsRef<str>, wanted: &str) -> bool {
    own.as_ref().trim() == wanted.trim()
}

/// Returns an error unless the response has a list: only an empty list shows that the search found no record.
fn listed<T>(operation: &OperationSpec, list: List<T>) -> Result<Vec<T>, Error> {
    if !list.is_explicit() {
        return Err(refuse(operation, "`datas` is not a list, so the record may still exist"));
    }
    all_read(operation, list)
}

fn all_read<T>(operation: &OperationSpec, list: List<T>) -> Result<Vec<T>, Error> {
    match list.unread().first() {
        Some(item) => Err(refuse(operation, format!("item {} of the list: {}", item.index, item.why))),
        None => Ok(list.into_vec()),
    }
}

fn only<T>(operation: &OperationSpec, key: &str, mut found: impl Iterator<Item = T>) -> Result<Option<T>, Error> {
    match (found.next(), found.next()) {
        (_, Some(_)) => Err(refuse(operation, format!("`datas` has more than one record with this `{key}`"))),
        (found, None) => Ok(found),
    }
}

/// Returns `None`, or an error if the headers of the response announce more items than the `read` ones.
fn none<T>(operation: &OperationSpec, pages: &Pages, read: usize) -> Result<Option<T>, Error> {
    match pages.go_on_after(read) {
        true => Err(refuse(operation, MORE)),
        false => Ok(None),
    }
}

pub(super) const MORE: &str = "the record is not in the response, which announces further records";

fn missing(operation: &OperationSpec, at: usize, key: &str) -> Error {
    refuse(operation, format!("datas[{at}].{key} is missing, so the requested record may be this one"))
}

fn refuse(operation: &OperationSpec, what: impl Into<String>) -> Error {
    Error::decode(Provider::SafeDebit, operation.id, what)
}
