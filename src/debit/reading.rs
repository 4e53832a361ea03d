//! One reading of a debit, and the finality of its money.

use super::DebitRef;
use crate::{
    sepa::{Finality, ReasonCode, Scheme, Sequence, Stage, finality},
    vocabulary::{DebitStatus, Evidence, RawStatus, stable_text},
    wire::{self, AmountCents, Extra, Format, Lenient},
};
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeSet;

/// One reading of a debit: its status in this crate's vocabulary, and the vendor's raw word.
///
/// [`Mandates::debit`](crate::Mandates::debit) reads it. `Debit::from` makes it of another response of a vendor: see
/// the page of the vendor. You can write and read it with serde, for your own store and tests.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Debit {
    /// The reference of the debit.
    pub reference: DebitRef,
    /// The status.
    pub status: DebitStatus,
    /// The vendor's word for the status.
    pub raw: RawStatus,
    /// How well the meaning of the raw word is known.
    pub evidence: Evidence,
    /// The reason of a bank, if the debit failed or went back, and the response has exactly one known code.
    ///
    /// No vendor documents the field of a code, so this is inferred. A text that is not exactly a code stays in
    /// [`extra`](Self::extra).
    #[cfg_attr(feature = "schemars", schemars(with = "Option<String>"))]
    pub reason: Option<ReasonCode>,
    /// The amount, if the vendor sends one that can be read. Serde writes it as `amount_cents`.
    #[serde(rename = "amount_cents", serialize_with = "in_cents", deserialize_with = "of_cents", default)]
    #[cfg_attr(feature = "schemars", schemars(with = "Option<u64>"))]
    pub amount: Option<AmountCents>,
    /// The due date, if the vendor sends one that can be read.
    pub due: Option<NaiveDate>,
    /// The time of creation at the vendor, if the vendor sends one.
    #[cfg_attr(feature = "schemars", schemars(with = "Option<wire::Json>"))]
    pub created: Option<wire::DateTime>,
    /// The time of this reading, by the clock of this machine.
    pub observed_at: DateTime<Utc>,
    /// The origin of this reading.
    pub source: DebitSource,
    /// The other fields of the response, as they were received.
    pub extra: Extra,
}

/// The origin of a [`Debit`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DebitSource {
    /// The response to its creation. It proves that the vendor took the request, and no later state.
    Created,
    /// A notification. It is only a hint: read the debit.
    Notified,
    /// The response to a change, such as a cancellation or a validation.
    Changed,
    /// A read from the vendor.
    Read,
}

stable_text!(DebitSource { Created, Notified, Changed, Read } else Self::Created);

fn in_cents<S: Serializer>(amount: &Option<AmountCents>, s: S) -> Result<S::Ok, S::Error> {
    amount.map(AmountCents::cents).serialize(s)
}

fn of_cents<'de, D: Deserializer<'de>>(d: D) -> Result<Option<AmountCents>, D::Error> {
    Ok(Option::<u64>::deserialize(d)?.map(AmountCents::from_cents))
}

impl Debit {
    pub(crate) fn new(
        reference: DebitRef,
        word: &str,
        (status, evidence): (DebitStatus, Evidence),
        source: DebitSource,
        observed_at: DateTime<Utc>,
        extra: Extra,
    ) -> Self {
        let debit = Self {
            reference,
            status,
            raw: RawStatus::new(word),
            evidence,
            reason: None,
            amount: None,
            due: None,
            created: None,
            observed_at,
            source,
            extra,
        };
        let reason = debit.reason_in(debit.extra.values().filter_map(|value| value.as_str()));
        Self { reason, ..debit }
    }

    /// Returns the one known code among these texts. Returns `None` for two different codes, because it is unclear
    /// which is right.
    pub(crate) fn reason_in<'a>(&self, texts: impl Iterator<Item = &'a str>) -> Option<ReasonCode> {
        let ended = matches!(self.status, DebitStatus::Failed | DebitStatus::Returned | DebitStatus::Refunded);
        let codes = texts.map(ReasonCode::from).filter(|code| ended && ReasonCode::KNOWN.contains(code));
        let codes: BTreeSet<ReasonCode> = codes.collect();
        if codes.len() == 1 { codes.into_iter().next() } else { None }
    }

    /// Takes the value of a field. Keeps a text that cannot be read among the other fields.
    pub(crate) fn take<F: Format>(&mut self, key: &str, value: Option<Lenient<F>>) -> Option<F::Value> {
        let value = value?;
        if let Some(unread) = value.unread() {
            self.extra.push(key, &unread.as_str().into());
        }
        value.get()
    }

    /// Returns how final the money is, and the last day of each period. Days are those of Paris.
    ///
    /// **The stage is that of the reading.** A later `now` does not change the stage: read the debit again to learn if
    /// the money went back. So money is [`Final`](Stage::Final) only in a reading of a day after all periods. A debit
    /// that the vendor has not yet sent to the bank stays [`NotDue`](Stage::NotDue). One that the vendor does not call
    /// collected stays [`Returnable`](Stage::Returnable) at most. If the meaning of the word is
    /// [`Inferred`](Evidence::Inferred) or [`Observed`](Evidence::Observed), the debit stays
    /// [`Contestable`](Stage::Contestable) at most: the vendor may have no word for a return.
    ///
    /// You pass the scheme, because no reading names it. If you do not know it, pass [`Scheme::Core`], whose periods
    /// are longer.
    ///
    /// Returns `None` if this reading proves no money: without a due date, for any other status, after a creation, and
    /// for a notification.
    pub fn finality(&self, scheme: Scheme, now: DateTime<Utc>) -> Option<Finality> {
        let latest = match self.status {
            DebitStatus::Scheduled => Stage::NotDue,
            DebitStatus::Submitted => Stage::Returnable,
            DebitStatus::Collected | DebitStatus::PaidOut => Stage::Final,
            _ => return None,
        };
        if !self.source.is_proof() {
            return None;
        }
        let mut found = finality(self.due?, scheme, now.min(self.observed_at));
        let guessed = matches!(self.evidence, Evidence::Inferred | Evidence::Observed);
        let known = if guessed { Stage::Contestable } else { Stage::Final };
        found.stage = found.stage.min(latest).min(known);
        Some(found)
    }

    /// Returns the value for [`Facts::one_off_used`](crate::Facts::one_off_used) of the mandate, by this debit on it.
    /// With several debits, the mandate is used if one of them uses it. `None`: not known.
    ///
    /// A debit that is under way counts as a use. A failed or cancelled debit does not count, if the vendor documents
    /// the meaning of its word. Otherwise the word may also stand for a return by the bank, and the result is `None`.
    pub fn one_off_used(&self, sequence: Sequence) -> Option<bool> {
        match (sequence, self.status) {
            (Sequence::Recurring, _) => Some(false),
            (Sequence::OneOff, DebitStatus::Failed | DebitStatus::Canceled) => {
                let known = self.evidence == Evidence::Documented;
                (self.source.is_proof() && known).then_some(false)
            }
            (Sequence::OneOff, DebitStatus::Unrecognized) => None,
            (Sequence::OneOff, _) => Some(true),
        }
    }
}

impl DebitSource {
    /// Returns true if the vendor stated the present state in response to this crate.
    fn is_proof(self) -> bool {
        matches!(self, Self::Changed | Self::Read)
    }
}
