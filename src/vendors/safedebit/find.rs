//! How to look for a record whose creation was not answered.
//!
//! The searches are inferred in part, so an answer has to show the very reference, or it is an error. Found proves that the
//! record exists. Not found proves nothing: which records a search shows is not documented.

use super::{Client, generated::operations, types};
use crate::{
    transport::Operation,
    vocabulary::{Error, Provider},
    wire::List,
};

/// A debit that [`Client::find_debit`] found. It has the values of the call that made it, which may be another call than
/// the one you know of.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FoundDebit {
    /// The reference of its payment, which `validate_payment` takes.
    pub payment_reference: types::PaymentReference,
    /// The mandate that it is collected on, if the answer says so. Compare it with yours.
    pub umr: Option<types::Umr>,
    /// Its amount, its date and its state, as far as the answer says them.
    pub debit: types::FoundSdd,
}

impl Client {
    /// Looks for the consumer with this reference of yours, after a lost `create_consumer`. What is found has SafeDebit's
    /// reference, which the next step needs, and the data of the call that made it.
    ///
    /// **Found proves that the consumer exists. `None` proves nothing**: which consumers the search shows is not
    /// documented.
    ///
    /// # Errors
    /// Those of `search_consumer`, and [`Decode`](crate::ErrorKind::Decode) for an answer that does not show the
    /// references of each consumer, or shows two consumers with this one.
    pub async fn find_consumer(&self, consumer_reference: &str) -> Result<Option<types::Consumer>, Error> {
        const SEARCH: &Operation = &operations::SEARCH_CONSUMER;
        let answer = self.search_consumer().consumer_reference(consumer_reference).send().await?;
        let consumers = listed(SEARCH, answer.datas)?;
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
            found => Ok(found),
        }
    }

    /// Looks for the debit with this reference of yours among the payments on a mandate, after a lost `payment` or
    /// `add_rp_sdd`, and before you validate, change or cancel one whose state you do not know.
    ///
    /// **Found proves that the debit exists. `None` proves nothing**: which payments the search shows is not documented.
    /// The amount and the date are those of the call that made it, and may differ from yours.
    ///
    /// # Errors
    /// Those of `search_payment`, and [`Decode`](crate::ErrorKind::Decode) for an answer that does not show the debits of
    /// each payment, or shows two debits with this reference. That they stand under `sdd` is inferred.
    pub async fn find_debit(&self, umr: &str, sdd_reference: &str) -> Result<Option<FoundDebit>, Error> {
        const SEARCH: &Operation = &operations::SEARCH_PAYMENT;
        types::SddReference::try_from(sdd_reference).map_err(|why| {
            Error::invalid(Some(Provider::SafeDebit), format!("`sdd_reference` is refused: {why}"))
                .during(Provider::SafeDebit, SEARCH.id)
        })?;
        let answer = self.search_payment().umr(umr).send().await?;
        let payments = listed(SEARCH, answer.datas)?;
        let without = payments.iter().position(|payment| payment.sdd.is_blank());
        let mut found = Vec::new();
        for types::Payment { payment_reference, umr, sdd, .. } in payments {
            for debit in all_read(SEARCH, sdd)?.into_iter().filter(|debit| same(&debit.sdd_reference, sdd_reference)) {
                let (payment_reference, umr) = (payment_reference.clone(), umr.clone());
                found.push(FoundDebit { payment_reference, umr, debit });
            }
        }
        match (only(SEARCH, "sdd_reference", found.into_iter())?, without) {
            // It may be a debit of this payment.
            (None, Some(at)) => Err(missing(SEARCH, at, "sdd")),
            (found, _) => Ok(found),
        }
    }

    /// Looks for the payment with this reference, of 35 characters at most, after a lost `initiate_transfer`.
    ///
    /// **Found proves that the payment exists. `None` proves nothing**: which payments the search shows is not documented.
    /// No operation gives its link again.
    ///
    /// # Errors
    /// Those of `search_payment`, and [`Decode`](crate::ErrorKind::Decode) for an answer that shows two payments with this
    /// reference.
    pub async fn find_payment(&self, payment_reference: &str) -> Result<Option<types::Payment>, Error> {
        const SEARCH: &Operation = &operations::SEARCH_PAYMENT;
        let answer = self.search_payment().payment_reference(payment_reference).send().await?;
        let payments = listed(SEARCH, answer.datas)?.into_iter();
        only(
            SEARCH,
            "payment_reference",
            payments.filter(|payment| same(&payment.payment_reference, payment_reference)),
        )
    }
}

/// Blanks at the ends of a reference are not sent, and not meant.
fn same(own: &impl AsRef<str>, wanted: &str) -> bool {
    own.as_ref().trim() == wanted.trim()
}

/// Only a list says that there is none.
fn listed<T>(operation: &Operation, list: List<T>) -> Result<Vec<T>, Error> {
    if !list.is_explicit() {
        return Err(refuse(operation, "expected a list, at datas: what stands there does not say that there is none"));
    }
    all_read(operation, list)
}

fn all_read<T>(operation: &Operation, list: List<T>) -> Result<Vec<T>, Error> {
    match list.unread().first() {
        Some(item) => Err(refuse(operation, format!("item {}: {}", item.index, item.why))),
        None => Ok(list.into_vec()),
    }
}

fn only<T>(operation: &Operation, key: &str, mut found: impl Iterator<Item = T>) -> Result<Option<T>, Error> {
    match (found.next(), found.next()) {
        (_, Some(_)) => Err(refuse(operation, format!("datas has more than one of this `{key}`"))),
        (found, None) => Ok(found),
    }
}

fn missing(operation: &Operation, at: usize, key: &str) -> Error {
    refuse(operation, format!("datas[{at}].{key} is missing, so that nothing can be told"))
}

fn refuse(operation: &Operation, what: impl Into<String>) -> Error {
    Error::decode(Provider::SafeDebit, operation.id, what)
}
