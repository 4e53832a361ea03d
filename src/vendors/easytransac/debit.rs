//! Maps Easytransac's transactions to debits.

use super::{Client, generated::operations, types};
use crate::{
    debit::{Debit, DebitRef, DebitSource},
    transport::OperationSpec,
    vocabulary::{DebitRow, DebitStatus, Error, Evidence, Provider},
    wire::{Extra, Json},
};
use chrono::{DateTime, Utc};
use types::TransactionStatus as Word;

/// Every word of the spec with its meaning.
pub(crate) fn vocabulary() -> Vec<DebitRow> {
    Word::KNOWN.iter().map(|word| DebitRow::new(Provider::Easytransac, word, word.debit())).collect()
}

pub(super) const READ: &OperationSpec = &operations::GET_TRANSACTION_STATUS;

impl Client {
    pub(super) fn transaction_of(&self, reference: &DebitRef) -> super::builder::GetTransactionStatus<'_> {
        self.get_transaction_status().tid(reference.part("tid")).order_id(reference.part("orderId"))
    }

    pub(super) async fn debit_of(&self, reference: &DebitRef, now: DateTime<Utc>) -> Result<Debit, Error> {
        let found = self.transaction_of(reference).send().await?.data;
        for (key, has) in [("tid", Some(&found.tid)), ("orderId", found.order_id.as_ref())] {
            let wanted = reference.part(key);
            if wanted.is_some_and(|wanted| has.is_none_or(|has| has.trim() != wanted)) {
                let what = format!("data.{key} is missing, or differs from the requested one");
                return Err(Error::decode(Provider::Easytransac, READ.id, what));
            }
        }
        Ok(debit(reference.clone(), found, DebitSource::Read, now))
    }
}

fn debit(reference: DebitRef, found: types::Transaction, source: DebitSource, now: DateTime<Utc>) -> Debit {
    let types::Transaction { status, amount, date_created, extra, .. } = found;
    let mut debit = Debit::new(reference, status.as_str(), status.debit(), source, now, extra);
    debit.amount = debit.take("amount", amount);
    Debit { created: date_created, ..debit }
}

/// The debit in the response to its creation. It proves no later status: read the debit.
#[cfg(feature = "unverified")]
impl From<&types::DebitMandateResponse> for Debit {
    fn from(answer: &types::DebitMandateResponse) -> Self {
        let reference = DebitRef::easytransac(answer.data.tid.as_str());
        debit(reference, answer.data.clone(), DebitSource::Created, Utc::now())
    }
}

/// The debit in a notification. It is only a hint: read the debit. Not every notification is about a debit: see
/// `operation_type`.
///
/// No word says that a debit was returned. A `DateChargeback` means `Returned`, and one with a `DateRepresentment`
/// means `Unrecognized`. A `DateRefund` means `Refunded`. All three are inferred from the names.
impl From<&types::Notification> for Debit {
    fn from(notice: &types::Notification) -> Self {
        let given =
            |moment: &Option<types::ParisTime>| moment.as_ref().is_some_and(|text| !text.as_str().trim().is_empty());
        let (returned, again) = (given(&notice.date_chargeback), given(&notice.date_representment));
        let status = match notice.status.debit().0 {
            _ if returned && again => DebitStatus::Unrecognized,
            _ if returned => DebitStatus::Returned,
            _ if given(&notice.date_refund) => DebitStatus::Refunded,
            status => status,
        };
        let (reference, word) = (DebitRef::easytransac(notice.tid.as_str()), notice.status.as_str());
        let meaning = (status, Evidence::Inferred);
        let mut debit =
            Debit::new(reference, word, meaning, DebitSource::Notified, Utc::now(), Extra::clone(&notice.extra));
        let further = notice.additional_error.as_ref().map(|json| Json::clone(json).into_value());
        let further: Vec<&str> = match &further {
            Some(serde_json::Value::Array(all)) => all.iter().filter_map(|error| error.as_str()).collect(),
            one => one.iter().filter_map(|error| error.as_str()).collect(),
        };
        let own = [&notice.error, &notice.message].into_iter().flatten().map(types::FreeText::as_str);
        let unknown = debit.extra.values().filter_map(|value| value.as_str());
        debit.reason = debit.reason_in(own.chain(further).chain(unknown));
        for (key, text) in [("Error", &notice.error), ("Message", &notice.message)] {
            if let Some(text) = text {
                debit.extra.push(key, &text.as_str().into());
            }
        }
        if let Some(json) = &notice.additional_error {
            debit.extra.push("AdditionalError", &Json::clone(json).into_value());
        }
        // Amounts are in the currency of the application, and `AmountCents` is in euros.
        let euros = notice.currency.as_deref().is_none_or(|currency| currency.trim().eq_ignore_ascii_case("EUR"));
        debit.amount = debit.take("Amount", notice.amount.clone().filter(|_| euros));
        let others = [("Amount", &notice.amount, !euros), ("AmountRefund", &notice.amount_refund, true)];
        for (key, amount, _) in others.into_iter().filter(|(.., kept)| *kept) {
            if let Some(amount) = amount {
                debit.extra.push(key, &serde_json::to_value(amount).unwrap_or_default());
            }
        }
        debit
    }
}
