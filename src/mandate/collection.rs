//! Decides if a planned collection may take place on its due date.

use super::{
    Mandate,
    verdict::{EARLIEST, Fact, Facts, Reason, Verdict},
};
use crate::{
    sepa::{LeadTimes, Scheme, business_day_on_or_after, earliest_due_date, is_business_day, paris_day},
    wire,
};
use chrono::{DateTime, Days, NaiveDate, Utc};

/// A collection that you plan: its due date, and the facts about this day.
///
/// `From<NaiveDate>` makes a collection with a due date alone. Every other fact about it is unknown.
///
/// ```
/// use mandat::Collection;
///
/// let collection = Collection::new("2027-04-09".parse()?).with_notified_on("2027-03-25".parse()?);
/// assert_eq!(collection.lead.pre_notification, 14);
/// # Ok::<(), chrono::ParseError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Collection {
    /// The due date.
    pub due: NaiveDate,
    /// The scheme. Use `None` if you do not know the scheme. The due date then has to fit both schemes.
    pub scheme: Option<Scheme>,
    /// The time that your bank or vendor needs, and the notice that you agreed on with the debtor.
    pub lead: LeadTimes,
    /// The day in Paris on which you notified the debtor of the amount and the due date. Use `None` if you do not know
    /// the day, or have not notified the debtor yet. The day is not needed if [`LeadTimes::pre_notification`] is zero.
    pub notified_on: Option<NaiveDate>,
}

impl Collection {
    /// Makes a collection with this due date, and no other fact.
    pub fn new(due: NaiveDate) -> Self {
        Self { due, scheme: None, lead: LeadTimes::default(), notified_on: None }
    }

    /// Sets [`scheme`](Self::scheme).
    #[must_use]
    pub fn with_scheme(self, scheme: Scheme) -> Self {
        Self { scheme: Some(scheme), ..self }
    }

    /// Sets [`notified_on`](Self::notified_on).
    #[must_use]
    pub fn with_notified_on(self, day: NaiveDate) -> Self {
        Self { notified_on: Some(day), ..self }
    }

    crate::setters::setters! { with_lead lead: LeadTimes }

    /// Returns the reasons against the due date that do not depend on the mandate.
    fn reasons(&self, now: DateTime<Utc>) -> Vec<Reason> {
        // A day that chrono cannot represent is later than each due date.
        let or_never = |day: Option<NaiveDate>| day.unwrap_or(NaiveDate::MAX);
        let (due, today) = (self.due, paris_day(now));
        let mut reasons = Vec::new();
        if !is_business_day(due) {
            reasons.push(Reason::NotBusinessDay { day: due });
        }
        let mut presented = self.lead;
        presented.pre_notification = 0;
        let schemes = self.scheme.map_or([Scheme::Core, Scheme::B2b], |scheme| [scheme; 2]);
        let [one, other] = schemes.map(|scheme| or_never(earliest_due_date(now, scheme, &presented)));
        let earliest = one.max(other);
        if due < earliest {
            reasons.push(Reason::TooSoon { earliest });
        }
        match self.notified_on {
            _ if self.lead.pre_notification == 0 => {}
            None => reasons.push(Reason::FactMissing { fact: Fact::NotifiedOn }),
            Some(day) if day < EARLIEST || day > today => {
                reasons.push(Reason::FactImpossible { fact: Fact::NotifiedOn });
            }
            Some(day) => {
                let notice = day.checked_add_days(Days::new(self.lead.pre_notification.into()));
                let earliest = or_never(notice.and_then(business_day_on_or_after));
                if due < earliest {
                    reasons.push(Reason::NotifiedTooLate { earliest });
                }
            }
        }
        reasons
    }
}

impl From<NaiveDate> for Collection {
    fn from(due: NaiveDate) -> Self {
        Self::new(due)
    }
}

impl Mandate {
    /// Returns whether you may present a collection for this due date now. Pass a day, or a [`Collection`] with further
    /// facts.
    ///
    /// The verdict has each reason of [`may_collect`](Self::may_collect) at `now`, and the reasons that hold on the due
    /// date:
    ///
    /// - The mandate ends on that day or before, or is dormant by then.
    /// - TARGET is closed on that day.
    /// - It is too late to present the collection for that day.
    /// - The debtor was notified too late, or the day of the notification is not known.
    ///
    /// So no due date is allowed while `may_collect` does not allow the mandate. Compute the verdict again on the day
    /// of the presentation: the debtor can revoke the mandate at any time.
    ///
    /// ```
    /// use chrono::{DateTime, NaiveDate, Utc};
    /// use mandat::{Collection, Facts, Mandate, Verdict, sepa::paris_day};
    ///
    /// /// Returns the verdict for a collection whose debtor you notify today.
    /// fn plan(mandate: &Mandate, due: NaiveDate, facts: &Facts, now: DateTime<Utc>) -> Verdict {
    ///     mandate.may_collect_on(Collection::new(due).with_notified_on(paris_day(now)), facts, now)
    /// }
    /// ```
    pub fn may_collect_on(&self, collection: impl Into<Collection>, facts: &Facts, now: DateTime<Utc>) -> Verdict {
        let collection = collection.into();
        let Some(mut reasons) = self.reasons_against_collecting(facts, now, collection.due) else {
            return Verdict::NotApplicable;
        };
        // Nobody knows the hour of the debit, so the mandate has to be in force for the whole day.
        match self.ends.as_ref().and_then(wire::DateTime::get) {
            Some(ends) if now < ends && paris_day(ends.to_utc()) <= collection.due => {
                reasons.push(Reason::AfterEnd { ends: ends.to_utc() });
            }
            _ => {}
        }
        reasons.extend(collection.reasons(now));
        Verdict::of(reasons)
    }
}
