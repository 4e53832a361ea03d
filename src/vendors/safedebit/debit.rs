//! Maps SafeDebit's debits to the vocabulary.

use super::{Client, FoundDebit, generated::operations, types};
use crate::{
    debit::{Debit, DebitRef, DebitSource},
    sepa::Sequence,
    transport::OperationSpec,
    vocabulary::{DebitRow, Error, Provider},
};
use chrono::{DateTime, Utc};
use types::SddStatus as Word;

/// Every word of the spec with its meaning.
pub(crate) fn vocabulary() -> Vec<DebitRow> {
    Word::KNOWN.iter().map(|word| DebitRow::new(Provider::SafeDebit, word, word.debit())).collect()
}

pub(super) const SEARCH: &OperationSpec = &operations::SEARCH_PAYMENT;

impl Client {
    /// The response of the search is inferred, so it is accepted only if it contains this debit once, with a status.
    pub(super) async fn debit_of(&self, reference: &DebitRef, now: DateTime<Utc>) -> Result<Debit, Error> {
        let part = |name| reference.part(name).unwrap_or_default();
        let refuse = |what| Error::decode(Provider::SafeDebit, SEARCH.id, what);
        let FoundDebit { umr, debit: found, .. } =
            self.find_debit(part("umr"), part("sdd")).await?.ok_or_else(|| {
                let what = "the search shows no such debit on this mandate. The debit may still exist";
                Error::not_found(Provider::SafeDebit, SEARCH.id).detail(what)
            })?;
        if umr.is_some_and(|umr| umr.as_str().trim() != part("umr")) {
            return Err(refuse("the umr of the payment differs from the requested one"));
        }
        let types::FoundSdd { amount, due_date, status, extra, .. } = found;
        let word = status.ok_or_else(|| refuse("the status of the debit is missing"))?;
        let mut debit = Debit::new(reference.clone(), word.as_str(), word.debit(), DebitSource::Read, now, extra);
        debit.amount = debit.take("amount", amount);
        debit.due = debit.take("due_date", due_date);
        Ok(debit)
    }
}

/// Implements `From` for a pair of the UMR and a response, which does not contain the UMR.
macro_rules! from_response {
    ($(#[$doc:meta])* $name:ident: $source:ident, $sdd:ident, $status:ident $(, $field:ident = $value:ident)*) => {
        $(#[$doc])*
        impl From<(&str, &types::$name)> for Debit {
            fn from((umr, answer): (&str, &types::$name)) -> Self {
                let reference = DebitRef::safedebit(umr, answer.$sdd.as_str());
                let (word, now, extra) = (&answer.$status, Utc::now(), answer.extra.clone());
                #[allow(unused_mut, reason = "a response without amount and due date")]
                let mut debit =
                    Debit::new(reference, word.as_str(), word.debit(), DebitSource::$source, now, extra);
                $(debit.$field = debit.take(stringify!($value), answer.$value.clone());)*
                debit
            }
        }
    };
}
from_response! {
    /// The debit in the response to `payment`, on the mandate of this UMR. It proves no later status: read the debit.
    PaymentResponse: Created, sdd_reference, status, due = due_date
}
from_response! {
    /// A debit in the response to `validate_payment`, on the mandate of this UMR.
    ValidatedSdd: Changed, sdd_reference, status, amount = amount, due = due_date
}
from_response! {
    /// A debit in the response to `cancel_order`, on the mandate of this UMR. The amount is in euros there.
    OrderSdd: Changed, sdd_reference, sdd_status, amount = amount, due = due_date
}
from_response! {
    /// A debit in the response to `cancel_sdd_batch`, on the mandate of this UMR. A debit that SafeDebit did not cancel
    /// keeps its status.
    BatchSdd: Changed, sdd, status
}

impl From<Sequence> for types::SequenceType {
    fn from(sequence: Sequence) -> Self {
        match sequence {
            Sequence::OneOff => Self::SingleUse,
            Sequence::Recurring => Self::Recurring,
        }
    }
}
