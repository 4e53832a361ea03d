//! The data of the page at `/`: the records, and the control requests that are possible for each record now.

use super::{
    Simulation, Step,
    life::{Course, Debit, Debits},
    page::shown_reference,
    request::{Reply, Request},
    spec::operations,
    store::MANDATES,
    world::{SimulatedVendor, World},
};
use crate::{
    debit::DebitRef,
    mandate::MandateRef,
    sepa::ReasonCode,
    vocabulary::{DebitStatus, Error, ErrorKind, MandateStatus, Provider},
};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

/// The maximum number of mandates, debits and requests in an overview. A search narrows them down.
const ROWS: usize = 100;

/// A record that a control request creates, so that a demonstration needs no program.
pub(crate) enum Sample<'a> {
    Mandate,
    /// A debit on the mandate with this record.
    Debit(&'a Value),
}

impl dyn Simulation {
    /// Returns the meaning of the word of a mandate.
    fn status(&self, mandate: &Value, now: DateTime<Utc>) -> MandateStatus {
        let rows = self.vocabulary();
        let meaning = |word: &str| rows.iter().find(|row| row.raw == word).map(|row| row.status);
        let dated = self.dated_word(mandate, now);
        dated
            .or(mandate["status"].as_str().map(str::to_owned))
            .and_then(|word| meaning(&word))
            .unwrap_or(MandateStatus::Unrecognized)
    }
}

/// Returns true if a mandate or a debit matches the text of a search, in its reference or in its word.
fn fits(search: &str, reference: &str, word: &Value) -> bool {
    let word = word.as_str().unwrap_or_default();
    reference.to_lowercase().contains(search) || (!search.is_empty() && word.eq_ignore_ascii_case(search))
}

impl World {
    /// Returns the vendors with their addresses, credentials, operations and words, and the reasons of the banks.
    pub fn vendors_shown(&self) -> Value {
        let vendor = |vendor: &SimulatedVendor| {
            let credentials = vendor.simulation.credentials().iter();
            let statuses = vendor.simulation.vocabulary();
            let mut statuses: Vec<MandateStatus> = statuses.iter().map(|row| row.status).collect();
            statuses.sort();
            statuses.dedup();
            let operations = operations(vendor.spec.document()).map(|(.., operation)| operation["operationId"].clone());
            json!({
                "provider": vendor.provider, "name": vendor.provider.name(),
                "path": format!("/{}{}", vendor.provider.as_str(), vendor.spec.base_path()),
                "credentials": credentials.map(|(name, value)| json!([name, value])).collect::<Vec<_>>(),
                "statuses": statuses, "operations": operations.collect::<Vec<_>>(),
            })
        };
        let reason = |code: &ReasonCode| json!({"code": code, "en": code.label(), "fr": code.label_fr()});
        json!({
            "vendors": self.vendors.iter().map(vendor).collect::<Vec<_>>(),
            "reasons": ReasonCode::KNOWN.iter().map(reason).collect::<Vec<_>>(),
        })
    }

    /// Returns the state of the sandbox for its page. `search` selects mandates and debits by reference or word.
    pub fn overview(&self, search: &str) -> Value {
        let (now, search) = (self.clock.now(), search.trim().to_lowercase());
        let (mut found, mut mandates) = (0, Vec::new());
        for vendor in &self.vendors {
            for record in vendor.store.all(MANDATES) {
                let Some(reference) = vendor.simulation.reference(record) else { continue };
                if fits(&search, &reference.to_string(), &record["status"]) {
                    found += 1;
                    if mandates.len() < ROWS {
                        mandates.push(mandate(vendor, &reference, record, now));
                    }
                }
            }
        }
        let (mut due, mut debits) = (0, Vec::new());
        for vendor in &self.vendors {
            let Some(functions) = vendor.simulation.debits() else { continue };
            for record in vendor.store.all(functions.kind) {
                let Some(read) = (functions.read)(record, now) else { continue };
                let Some(reference) = read.references.first() else { continue };
                if fits(&search, &reference.to_string(), &read.word.as_str().into()) {
                    due += 1;
                    if debits.len() < ROWS {
                        debits.push(debit(&functions, reference, &read, record, now));
                    }
                }
            }
        }
        let newest = self.journal.iter().enumerate().rev().take(ROWS).map(|(place, received)| {
            let mut row = serde_json::to_value(received).unwrap_or_default();
            row["number"] = (self.received - (self.journal.len() - place) as u64).into();
            row
        });
        let scripts = self.scripts.iter().filter(|script| !script.answers.is_empty()).map(|script| {
            json!({"provider": script.provider, "operation": script.operation, "answers": script.answers.len()})
        });
        json!({
            "now": now,
            "mandates": {"found": found, "rows": mandates},
            "debits": {"found": due, "rows": debits},
            "faults": self.faults.iter().map(super::Fault::shown).collect::<Vec<_>>(),
            "scripts": scripts.collect::<Vec<_>>(),
            "journal": {"found": self.journal.len(), "rows": newest.collect::<Vec<_>>()},
        })
    }

    /// Creates a sample mandate at a vendor, by the vendor's own operation. Returns its reference.
    pub fn new_mandate(&mut self, provider: Provider, pages: &str) -> Result<MandateRef, Error> {
        let reply = self.sample(provider, None, pages)?;
        let simulation = self.vendor(provider).map(|vendor| vendor.simulation);
        let body = reply.body.unwrap_or_default();
        let reference = simulation.and_then(|it| it.reference(&body).or_else(|| it.reference(&body["data"])));
        reference.ok_or_else(|| impossible(provider, "the response to the creation has no reference"))
    }

    /// Creates a sample debit on a mandate, by the vendor's own operation.
    pub fn new_debit(&mut self, mandate: &MandateRef, pages: &str) -> Result<(), Error> {
        self.sample(mandate.provider(), Some(mandate), pages).map(drop)
    }

    fn sample(&mut self, provider: Provider, on: Option<&MandateRef>, pages: &str) -> Result<Reply, Error> {
        let now = self.clock.now();
        let unknown = |what| Error::new(ErrorKind::NotFound).at(Some(provider)).detail(what);
        let vendor = self.vendor(provider).ok_or_else(|| unknown("the sandbox does not simulate this vendor"))?;
        let record = match on {
            None => None,
            Some(mandate) => Some(
                vendor
                    .store
                    .get(MANDATES, mandate.id())
                    .cloned()
                    .ok_or_else(|| unknown("the sandbox has no such mandate"))?,
            ),
        };
        let sample = record.as_ref().map_or(Sample::Mandate, Sample::Debit);
        let call = Request { now, pages: format!("{pages}{}/pages/", provider.as_str()), ..Request::default() };
        let call = vendor.simulation.sample(&sample, call, &mut vendor.store);
        let call = call.ok_or_else(|| impossible(provider, "this vendor has no debits"))?;
        vendor.simulation.answer(&call, &mut vendor.store).map_err(|refused| {
            let body = refused.body.unwrap_or_default();
            let why = ["message", "error", "code"].iter().find_map(|key| body[*key].as_str());
            impossible(provider, why.unwrap_or("the mandate is not active"))
        })
    }
}

fn impossible(provider: Provider, why: &str) -> Error {
    let why = why.strip_prefix("sandbox: ").unwrap_or(why);
    Error::new(ErrorKind::Refused).at(Some(provider)).detail(format!("the sandbox: {why}"))
}

fn mandate(vendor: &SimulatedVendor, reference: &MandateRef, record: &Value, now: DateTime<Utc>) -> Value {
    let simulation = vendor.simulation;
    let leads =
        |step: &Step| simulation.step(record, *step, now).is_some_and(|change| change["status"] != record["status"]);
    json!({
        "mandate": reference, "shown": shown_reference(&reference.to_string()), "provider": vendor.provider,
        "word": record["status"], "status": simulation.status(record, now),
        "account": simulation.account(record, &vendor.store),
        "page": simulation.open_page(record, &vendor.store, now)
            .map(|token| format!("/{}/pages/{token}", vendor.provider.as_str())),
        "steps": Step::ALL.iter().filter(|step| leads(step)).collect::<Vec<_>>(),
        "debits": simulation.debits().is_some(),
    })
}

fn debit(functions: &Debits, reference: &DebitRef, read: &Debit, record: &Value, now: DateTime<Utc>) -> Value {
    let rows = (functions.vocabulary)();
    let status = rows.iter().find(|row| row.raw == read.word).map_or(DebitStatus::Unrecognized, |row| row.status);
    let next = read.course.and_then(|course| course.next(read.due));
    json!({
        "debit": reference, "shown": shown_reference(&reference.to_string()), "provider": reference.provider(),
        "mandate": shown_reference(&read.mandate.to_string()), "amount": read.amount, "due": read.due,
        "word": read.word, "status": status, "reason": record["reason"],
        "next": next.map(|(course, at)| json!({"step": course.as_str(), "at": at})),
        "returnable": matches!(read.course, Some(Course::Submitted | Course::Collected)),
        "refundable": read.course == Some(Course::Collected),
        "notification": (functions.notification)(record, now),
    })
}
