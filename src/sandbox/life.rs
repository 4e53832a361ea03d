//! The life of a debit. The calendar decides until the collection. A control request can return or refund the debit.

use super::world::World;
use crate::{
    debit::DebitRef,
    mandate::MandateRef,
    sepa::{
        LeadTimes, ReasonCode, Scheme, add_business_days, business_day_on_or_after, finality, is_business_day,
        last_presentation, paris_day,
    },
    vocabulary::{DebitRow, Error, ErrorKind},
};
use chrono::{DateTime, NaiveDate, Utc};
use serde_json::{Value, json};

/// How a vendor keeps debits.
pub(crate) struct Debits {
    /// The kind of their records.
    pub kind: &'static str,
    /// The vendor's words for the state of a debit.
    pub vocabulary: fn() -> Vec<DebitRow>,
    /// Reads a record. Returns `None` if the record is not a debit.
    pub read: fn(&Value, DateTime<Utc>) -> Option<Debit>,
    /// Writes the vendor's words for a rejection, a return or a refund into the record.
    pub bring_back: fn(&mut Value, &WayBack, DateTime<Utc>),
    /// Returns the signed notification that the vendor would send now. Returns `None` if the vendor documents none.
    pub notification: fn(&Value, DateTime<Utc>) -> Option<String>,
}

/// A debit, with its state at one time.
pub(crate) struct Debit {
    /// The id of the record.
    pub id: String,
    /// Every reference of the debit. A list of debits shows the first one.
    pub references: Vec<DebitRef>,
    pub mandate: MandateRef,
    pub amount: Option<u64>,
    pub due: NaiveDate,
    pub word: String,
    /// `None` if the calendar does not move the debit: the debit waits for the consumer, or has ended.
    pub course: Option<Course>,
}

/// The steps of a debit that follow from the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Course {
    Scheduled,
    /// The bank has the debit, from the end of the last business day before the due date.
    Submitted,
    /// The money was collected. Known from the business day after the due date.
    Collected,
}

/// How a debit ended without the money.
pub(crate) enum WayBack {
    /// The bank refused the debit before the money was collected.
    Rejected(ReasonCode),
    /// The money went back through the banks.
    Returned(ReasonCode),
    /// The creditor or the vendor refunded the debtor.
    Refunded,
}

impl WayBack {
    pub fn reason(&self) -> Option<&ReasonCode> {
        match self {
            Self::Rejected(reason) | Self::Returned(reason) => Some(reason),
            Self::Refunded => None,
        }
    }
}

impl Course {
    pub fn of(due: NaiveDate, now: DateTime<Utc>) -> Self {
        let today = paris_day(now);
        let settled = business_day_on_or_after(due).and_then(|due| add_business_days(due, 1));
        if settled.is_some_and(|settled| today >= settled) {
            Self::Collected
        } else if is_too_late(due, now) {
            Self::Submitted
        } else {
            Self::Scheduled
        }
    }
}

impl Course {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Scheduled => "Scheduled",
            Self::Submitted => "Submitted",
            Self::Collected => "Collected",
        }
    }

    /// Returns the next step of a debit, and an instant on the first day in Paris of this step.
    pub fn next(self, due: NaiveDate) -> Option<(Self, DateTime<Utc>)> {
        let (step, day) = match self {
            Self::Scheduled => {
                (Self::Submitted, last_presentation(due, Scheme::Core, &LeadTimes::default())?.succ_opt()?)
            }
            Self::Submitted => (Self::Collected, add_business_days(business_day_on_or_after(due)?, 1)?),
            Self::Collected => return None,
        };
        Some((step, day.and_hms_opt(10, 0, 0)?.and_utc()))
    }
}

/// Returns true if the last day to present the debit is over.
fn is_too_late(due: NaiveDate, now: DateTime<Utc>) -> bool {
    last_presentation(due, Scheme::Core, &LeadTimes::default()).is_none_or(|last| paris_day(now) > last)
}

/// Returns the reason for which a strict vendor refuses a due date.
pub(crate) fn refused_due_date(due: NaiveDate, now: DateTime<Utc>) -> Option<&'static str> {
    if !is_business_day(due) {
        return Some("the due date is a day on which TARGET is closed");
    }
    is_too_late(due, now).then_some("the due date is too early. A debit is presented at least one business day before")
}

impl World {
    /// Finds a debit and its record, with the functions of the vendor.
    fn debit(&mut self, reference: &DebitRef) -> Result<(Debits, Debit, &mut Value), Error> {
        let (now, provider) = (self.clock.now(), reference.provider());
        let unknown = || Error::new(ErrorKind::NotFound).at(Some(provider)).detail("the sandbox has no such debit");
        let vendor = self.vendor(provider).ok_or_else(unknown)?;
        let debits = vendor.simulation.debits().ok_or_else(unknown)?;
        let mut all = vendor.store.all(debits.kind).filter_map(|record| (debits.read)(record, now));
        let debit = all.find(|debit| debit.references.contains(reference)).ok_or_else(unknown)?;
        drop(all);
        let record = vendor.store.get_mut(debits.kind, &debit.id).ok_or_else(unknown)?;
        Ok((debits, debit, record))
    }

    /// Rejects or returns a debit with a reason. Refunds the debit if there is no reason.
    pub fn bring_back(&mut self, reference: &DebitRef, reason: Option<ReasonCode>) -> Result<(), Error> {
        let now = self.clock.now();
        let (debits, debit, record) = self.debit(reference)?;
        let refused = |why: &str| {
            Err(Error::new(ErrorKind::Refused).at(Some(reference.provider())).detail(format!("the sandbox: {why}")))
        };
        let periods = finality(debit.due, Scheme::Core, now);
        let (way, last) = match (debit.course, reason) {
            (Some(Course::Submitted), Some(reason)) => (WayBack::Rejected(reason), None),
            (Some(Course::Collected), Some(reason)) => {
                let last = match reason {
                    ReasonCode::MD01 => Some(periods.contestable_until),
                    ReasonCode::MD06 => periods.refundable_until,
                    _ => Some(periods.returnable_until),
                };
                (WayBack::Returned(reason), last)
            }
            (Some(Course::Collected), None) => (WayBack::Refunded, None),
            (Some(Course::Scheduled), _) => {
                return refused("the debit is not at the bank yet. Advance the clock to its due date");
            }
            (Some(Course::Submitted), None) => {
                return refused("the debit is not collected. Advance the clock to the business day after its due date");
            }
            (None, _) => return refused("the debit waits, or has ended already"),
        };
        if last.is_some_and(|last| paris_day(now) > last) {
            return refused("the period for a return with this reason is over");
        }
        (debits.bring_back)(record, &way, now);
        Ok(())
    }

    pub fn notification(&mut self, reference: &DebitRef) -> Option<String> {
        let now = self.clock.now();
        let (debits, _, record) = self.debit(reference).ok()?;
        (debits.notification)(record, now)
    }

    /// Lists every debit, for a control request.
    pub fn debits(&self) -> Value {
        let now = self.clock.now();
        let all = self.vendors.iter().filter_map(|vendor| Some((vendor, vendor.simulation.debits()?)));
        let all = all.flat_map(|(vendor, debits)| {
            vendor.store.all(debits.kind).filter_map(move |record| {
                let Debit { references, mandate, due, word, .. } = (debits.read)(record, now)?;
                let notification = (debits.notification)(record, now);
                Some(json!({
                    "debit": references.first(), "mandate": mandate, "due": due, "word": word,
                    "reason": record["reason"], "notification": notification,
                }))
            })
        });
        all.collect()
    }
}
