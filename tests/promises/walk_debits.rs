//! The debits of the random lives in `walk`: each allowed collection is presented, then followed and brought back.

use crate::debit_life::{debit_at_easytransac, word};
use chrono::{DateTime, Days, Months, NaiveDate, Utc};
use fastrand::Rng;
use mandat::{
    Collection, DebitRef, ErrorKind, Facts, LastCollection, Mandate, MandateRef, Mandates, Provider,
    sandbox::Sandbox,
    sepa::{ReasonCode, Scheme, Stage, finality, is_business_day, paris_day},
    wire::AmountCents,
};
use serde_json::Value;
use std::time::Duration;

/// The debits that the caller of the facade has presented.
#[derive(Default)]
pub struct Ledger {
    debits: Vec<Debit>,
    made: usize,
    /// Counters, as in the walk: presented debits, debits that came back, and debits that are final.
    pub presented: usize,
    pub back: usize,
    pub end: usize,
}

struct Debit {
    mandate: MandateRef,
    reference: DebitRef,
    due: NaiveDate,
    /// The word after a cancellation or a return.
    ended: Option<&'static str>,
}

fn previous_business_day(day: NaiveDate) -> NaiveDate {
    std::iter::successors(day.pred_opt(), NaiveDate::pred_opt).find(|day| is_business_day(*day)).unwrap()
}

fn next_business_day(day: NaiveDate) -> NaiveDate {
    day.iter_days().skip(1).find(|day| is_business_day(*day)).unwrap()
}

/// The position of a debit by the calendar: 0 scheduled, 1 at the bank, 2 collected.
fn step(due: NaiveDate, now: DateTime<Utc>) -> usize {
    let today = paris_day(now);
    usize::from(today > previous_business_day(due)) + usize::from(today >= next_business_day(due))
}

impl Debit {
    fn word(&self, now: DateTime<Utc>) -> &'static str {
        let words = match self.mandate.provider() {
            Provider::Easytransac => ["pending", "pending", "captured"],
            _ => ["CREATED", "ISSUED", "SETTLED"],
        };
        self.ended.unwrap_or(words[step(self.due, now)])
    }
}

/// The rules for a due date, written a second time.
fn day_allows(collection: &Collection, facts: &Facts, now: DateTime<Utc>) -> bool {
    let due = collection.due;
    let alive = |day: NaiveDate| due <= day + Months::new(36);
    let used = match facts.last_collection {
        LastCollection::On(day) => alive(day),
        _ => facts.signed_on.is_some_and(alive),
    };
    is_business_day(due)
        && paris_day(now) <= previous_business_day(due)
        && collection.notified_on.is_some_and(|day| day <= paris_day(now) && day + Days::new(14) <= due)
        && used
}

impl Ledger {
    /// A one-off mandate is used if a debit of it was presented, and neither cancelled nor rejected.
    pub fn has_used(&self, mandate: &MandateRef) -> bool {
        let counts = |debit: &Debit| debit.mandate == *mandate && !matches!(debit.ended, Some("CANCELED" | "REJECTED"));
        self.debits.iter().any(counts)
    }

    /// Plans a collection on a random day. The facade allows it exactly if the rules do, and then the vendor takes it.
    pub async fn plan(
        &mut self,
        (sandbox, mandates, random): (&Sandbox, &Mandates, &mut Rng),
        mandate: &Mandate,
        facts: &Facts,
        allowed_today: bool,
    ) {
        let (now, reference) = (sandbox.now(), &mandate.reference);
        let today = paris_day(now);
        let mut collection = Collection::new(today - Days::new(3) + Days::new(random.u64(..60)));
        collection.notified_on = (random.u8(..10) > 0).then(|| today + Days::new(1) - Days::new(random.u64(..30)));
        let verdict = mandate.may_collect_on(collection, facts, now);
        let allowed = allowed_today && day_allows(&collection, facts, now);
        assert_eq!(verdict.is_allowed(), allowed, "{reference}: {verdict}; {collection:?}; {facts:?}");
        if !allowed {
            return;
        }
        self.made += 1;
        self.presented += 1;
        let own = format!("SDD-{}", self.made);
        let (debit, due) = if reference.provider() == Provider::Easytransac {
            let created = debit_at_easytransac(sandbox, reference.id(), &own).await;
            // The request has no due date, so the vendor chose one.
            let id = created["tid"].as_str().unwrap_or_else(|| panic!("{reference}: {created}")).to_owned();
            let mut due = Value::Null;
            sandbox
                .edit_record(Provider::Easytransac, "transactions", &id, |record| due = record["due"].clone())
                .unwrap();
            (DebitRef::easytransac(id), due.as_str().unwrap().parse().unwrap())
        } else {
            let request = mandates.safedebit().unwrap().payment().body_map(|body| {
                body.amount(AmountCents::from_cents(4990))
                    .due_date(collection.due)
                    .sdd_reference(own.as_str())
                    .umr(reference.id())
                    .safedebit_consumer_reference(Sandbox::CONSUMER)
            });
            drop(
                request.send().await.unwrap_or_else(|error| panic!("{reference}: {error}; {collection:?}; {facts:?}")),
            );
            (DebitRef::safedebit(reference.id(), own), collection.due)
        };
        self.debits.push(Debit { mandate: reference.clone(), reference: debit, due, ended: None });
    }

    /// Reads a random debit, then cancels it or brings it back.
    pub async fn follow(&mut self, (sandbox, mandates, random): (&Sandbox, &Mandates, &mut Rng)) {
        let now = sandbox.now();
        let Some(debit) = random.choice(&mut self.debits) else { return };
        let provider = debit.mandate.provider();
        assert_eq!(word(mandates, &debit.reference).await, debit.word(now), "{} due {}", debit.mandate, debit.due);
        let step = step(debit.due, now);
        let periods = finality(debit.due, Scheme::Core, now);
        self.end += usize::from(periods.stage == Stage::Final);
        let easytransac = provider == Provider::Easytransac;
        let (done, possible, word) = match random.u8(..6) {
            0 if !easytransac => {
                let request = mandates.safedebit().unwrap().cancel_sdd();
                let done = request
                    .body_map(|body| body.sdd_reference(debit.reference.part("sdd").unwrap()))
                    .send()
                    .await
                    .map(drop);
                (done, step == 0, "CANCELED")
            }
            1 => {
                let word = if easytransac { "refunded" } else { "REMBOURSE" };
                (sandbox.refund_debit(&debit.reference), step == 2, word)
            }
            2 | 3 => {
                let reason = ReasonCode::from(*random.choice(&["AM04", "MD06", "MD01", "ZZ99"]).unwrap());
                let stage = match reason {
                    ReasonCode::MD01 => Stage::Contestable,
                    ReasonCode::MD06 => Stage::Refundable,
                    _ => Stage::Returnable,
                };
                let word = match (easytransac, step) {
                    (true, _) => "failed",
                    (false, 1) => "REJECTED",
                    (false, _) => "RETURNED",
                };
                (sandbox.return_debit(&debit.reference, reason), step > 0 && periods.stage <= stage, word)
            }
            // Some debits live until nobody can bring them back.
            4 => {
                return if random.u8(..4) == 0 {
                    sandbox.advance(Duration::from_secs(420 * 24 * 3600))
                };
            }
            _ => return,
        };
        let possible = possible && debit.ended.is_none();
        assert_eq!(done.is_ok(), possible, "{} due {}: {word}", debit.mandate, debit.due);
        match done {
            Ok(()) => {
                debit.ended = Some(word);
                self.back += 1;
            }
            Err(error) => assert_eq!(error.kind(), ErrorKind::Refused),
        }
    }

    /// Forgets the debits, because the sandbox was reset.
    pub fn reset(&mut self) {
        self.debits.clear();
    }
}
