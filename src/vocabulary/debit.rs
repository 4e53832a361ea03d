//! The statuses of a debit: one set of words for the state of a collection at any vendor.

use super::{
    Evidence, Provider,
    status::{shown_as_stored, stable_text},
};

/// The status of a debit, the same for every vendor.
///
/// Two states differ here if you act differently on them:
///
/// | question | the states that differ |
/// |---|---|
/// | Can I still cancel? | `Scheduled` before the bank has it, `Submitted` after |
/// | Does somebody have to act, so that money moves? | `AwaitingApproval`: the debtor. `Pending`: not known |
/// | Is the money with the vendor, or on my account? | `Collected`, `PaidOut` |
/// | Did the debit fail before money moved, or did the money go back? | `Failed`, `Returned`. You reverse your books for the second only |
/// | Who refunds the debtor? A second refund costs you the amount | `RefundDue`: you. `RefundPending`: the vendor. `Refunded`: it is done |
///
/// No status says that money is final: see [`Debit::finality`](crate::Debit::finality). There is no `Default`, because
/// a default could make an unread debit look collected. The vendor's own word is in [`Debit::raw`](crate::Debit::raw).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum DebitStatus {
    /// The debit is under way. The vendor does not say which step is next.
    Pending,
    /// Nothing is collected until the debtor approves the debit, for example with a code.
    AwaitingApproval,
    /// The vendor will send the debit to the bank. Until then you can cancel it.
    Scheduled,
    /// The bank has the debit.
    Submitted,
    /// The money was collected, according to the vendor. It can still go back.
    Collected,
    /// The vendor has credited your account. The money can still go back.
    PaidOut,
    /// The debit ended without the money: the vendor or a bank rejected it.
    Failed,
    /// The money was collected, and went back to the debtor through the banks.
    Returned,
    /// You have to refund the debtor.
    RefundDue,
    /// A refund by the vendor is awaited. Do not refund the debtor yourself.
    RefundPending,
    /// The debtor was refunded.
    Refunded,
    /// The debit was cancelled before the money was collected.
    Canceled,
    /// The vendor's word is not in this crate's tables, or its pages contradict each other about it. Read
    /// [`Debit::raw`](crate::Debit::raw), and ask the vendor.
    Unrecognized,
}

stable_text!(DebitStatus {
    Pending, AwaitingApproval, Scheduled, Submitted, Collected, PaidOut, Failed, Returned, RefundDue, RefundPending,
    Refunded, Canceled, Unrecognized
} else Self::Unrecognized);
shown_as_stored!(DebitStatus);

/// One row of the table that maps vendors' words to statuses of debits; see
/// [`debit_vocabulary`](crate::debit_vocabulary).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DebitRow {
    /// The vendor.
    pub provider: Provider,
    /// The vendor's word.
    pub raw: String,
    /// The status that the word means.
    pub status: DebitStatus,
    /// How well the meaning is known.
    pub evidence: Evidence,
}

impl DebitRow {
    pub(crate) fn new(provider: Provider, raw: impl ToString, (status, evidence): (DebitStatus, Evidence)) -> Self {
        Self { provider, raw: raw.to_string(), status, evidence }
    }
}
