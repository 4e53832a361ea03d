//! Simulates SafeDebit.
//!
//! SafeDebit does not document these points. The sandbox behaves as follows:
//!
//! - The sandbox has codes of its own, in addition to the documented ones. `SANDBOX_001` is for a request that breaks
//!   its spec, `SANDBOX_002` for an unknown record, `SANDBOX_003` for a step that is not possible now. `SANDBOX_004`
//!   is for a missing field that other fields require, `SANDBOX_005` for an undocumented filter. A `message` has the
//!   details and begins with `sandbox:`.
//! - Without a UMR in the request, the sandbox creates one. It refuses a UMR in use.
//! - A mandate from `create_mandate` waits for signature (5). After the signature it is active (1), or has the status
//!   that the request named. A mandate that was added unsigned is to be signed (4).
//! - A signature link is valid for one day and one signature. Its page returns the UMR in the query. It also posts
//!   `umr`, `iban` and `bic` to `url_ok` as a form. A second click on the button shows the result of the first.
//! - A filter of a search matches the field of the same name, and no record without this field. Mandates and debits
//!   also have the fields of their consumer. No page lists the values of `payment_status` and `encours_type`, so the
//!   sandbox refuses these filters.
//! - The one-time code is 123456, for a signature and for a payment. It signs only a mandate that waits for a
//!   signature. A debit of 1,000 euros or more waits for it.
//! - A debit without a UMR uses any active mandate of the consumer. A one-off mandate (`OOFF`) takes one debit, and
//!   another only if the first was cancelled or rejected. A debit whose mandate is no longer active is neither validated
//!   nor presented again.
//! - `edit_sdd` finds a debit only if each given reference matches. It ignores `ics`.
//! - A due date is a business day of TARGET that is still in time. SafeDebit presents a debit at the end of the
//!   business day before its due date. The page says "day before". The debit is then `ISSUED`, and `SETTLED` from the
//!   business day after its due date. Days are those of Paris.
//! - A bank rejects a debit (`REJECTED`) before the settlement, and returns it (`RETURNED`) afterwards. A refunded
//!   debit is `REMBOURSE`. No page shows the reason of a bank, so no response has a reason.
//! - A guarantee of more than 10,000 euros is refused.
//! - Every check of a consumer returns the score 100. A search of payments shows their debits like `validate_payment`.
//!   Each payment has one debit.
//! - A beneficiary is waiting (1) after the start of its onboarding. The later steps are not simulated.
//! - The vendor's samples use `XXXXXXXXXXXXX` for every reference. It names a record of each kind. That record can be
//!   created again, and every step is possible on it. A code or an edit still revives no revoked mandate, and a code no
//!   cancelled payment.
//! - `edit_mandate` leaves a revoked mandate revoked. It neither activates nor suspends a mandate that nobody has
//!   signed.
//! - A `consumer_reference` in use is refused, for a new consumer and for an edit.

use super::Config;
use crate::{
    debit::DebitRef,
    mandate::MandateRef,
    sandbox::{
        Closed, Course, Debit, Debits, Decision, Link, MANDATES, Onward, Page, Reply, Request, Sample, Sandbox, Shown,
        SimulatedVendor, Simulation, Spec, Step, Store, Text, Violation, WayBack, Why, ends, refused_due_date,
        to_status,
    },
    sepa::{LeadTimes, Scheme, earliest_due_date, paris_day},
    vocabulary::{MandateStatus, Provider, VocabularyRow},
};
use base64::prelude::{BASE64_STANDARD, Engine};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde_json::{Value, json};
use std::sync::LazyLock;

const LOGIN: &str = "sandbox";
const PASSWORD: &str = "sandbox-password";
/// The authentication header in the vendor's samples.
const SAMPLE_HEADER: &str = "JQheySHkalSNuakkmSmm==";
/// The reference in the vendor's samples, which every kind of record has.
const SAMPLE: &str = Sandbox::CONSUMER;
const IBAN: &str = "FR7630001007941234567890185";
const CODE: &str = "123456";
/// The creditor on the page of a mandate whose consumer has no beneficiary.
const CREDITOR: &str = "Sandbox SAS, ICS FR72ZZZ123456";

/// Returns a simulated SafeDebit with an empty store.
pub(crate) fn simulated() -> SimulatedVendor {
    static DOCUMENT: LazyLock<Spec> =
        LazyLock::new(|| Spec::read(include_str!(concat!(env!("OUT_DIR"), "/safedebit.sandbox.json"))));
    SimulatedVendor::new(Provider::SafeDebit, &DOCUMENT, &Simulated)
}

impl Sandbox {
    /// Returns the configuration that connects a client to the simulated SafeDebit.
    pub fn safedebit(&self) -> Config {
        Config::new(self.base_url(Provider::SafeDebit), LOGIN, PASSWORD)
    }
}

const CONSUMERS: &str = "consumers";
const FILES: &str = "files";
const BENEFICIARIES: &str = "beneficiaries";
const DEBITS: &str = "debits";
const GUARANTEES: &str = "guarantees";
const TRANSFERS: &str = "transfers";
const LINKS: &str = "links";

/// Returns true for a placeholder of the vendor's samples, such as `XX`.
fn placeholder(text: &str) -> bool {
    !text.is_empty() && text.trim_matches('X').is_empty()
}

/// Returns true for the reference that the vendor's samples use.
fn sample(reference: &str) -> bool {
    reference == SAMPLE
}

/// Returns true for the right code, and for the placeholder of the vendor's samples at their own record.
fn right(code: Option<&str>, reference: &str) -> bool {
    code.is_some_and(|code| code == CODE || sample(reference) && placeholder(code))
}

fn good(mut answer: Value) -> Reply {
    answer["result"] = true.into();
    Reply::new(200, answer)
}

fn done() -> Reply {
    good(json!({}))
}

fn refused(code: &str) -> Reply {
    Reply::new(200, json!({"result": false, "code": code}))
}

fn no(code: &str, why: &str) -> Reply {
    Reply::new(200, json!({"result": false, "code": code, "message": format!("sandbox: {why}")}))
}

fn unknown(what: &str) -> Reply {
    no("SANDBOX_002", &format!("this {what} is unknown"))
}

fn impossible(why: &str) -> Reply {
    no("SANDBOX_003", why)
}

fn text<'a>(record: &'a Value, key: &str) -> &'a str {
    record[key].as_str().unwrap_or_default()
}

fn day(text: &str) -> Option<NaiveDate> {
    text.parse::<crate::wire::FrenchDate>().ok()?.get()
}

fn french(day: NaiveDate) -> String {
    day.format("%d/%m/%Y").to_string()
}

fn cents(record: &Value, key: &str) -> u64 {
    text(record, key).parse().unwrap_or(0)
}

/// Returns the fields among `keys` that the record has.
fn some(record: &Value, keys: &[&str]) -> Value {
    let present = keys.iter().filter(|key| !record[**key].is_null());
    present.map(|key| ((*key).to_owned(), record[*key].clone())).collect()
}

/// Returns true if a record matches the query parameters, such as `x`, `x_min` and `x_max`. A record without the field
/// does not match.
fn matches(record: &Value, call: &Request) -> bool {
    call.query.iter().all(|(key, wanted)| {
        let bound = key.strip_suffix("_min").map(|k| (k, true)).or(key.strip_suffix("_max").map(|k| (k, false)));
        let (key, bound) = bound.map_or((key.as_str(), None), |(key, lower)| (key, Some(lower)));
        let (key, listed) = key.strip_suffix("_list").map_or((key, false), |key| (key, true));
        let Some(has) = record[key].as_str() else { return false };
        if listed {
            return references(wanted).is_some_and(|all| all.iter().any(|wanted| wanted == has));
        }
        let order = match (day(has), day(wanted)) {
            (Some(has), Some(wanted)) => has.cmp(&wanted),
            _ if key == "amount" => has.parse::<u64>().ok().cmp(&wanted.parse().ok()),
            _ => has.cmp(wanted),
        };
        match bound {
            None => order.is_eq(),
            Some(true) => order.is_ge(),
            Some(false) => order.is_le(),
        }
    })
}

/// Reads a list of references, as JSON in a text.
fn references(json: &str) -> Option<Vec<String>> {
    serde_json::from_str(json).ok()
}

/// Refuses a filter with values that the vendor does not document. The placeholder of the vendor's samples is allowed,
/// and matches no record.
fn documented_filters(call: &Request) -> Result<(), Reply> {
    for key in ["payment_status", "encours_type"] {
        if call.query.get(key).is_some_and(|wanted| !placeholder(wanted)) {
            let why =
                format!("query.{key}: SafeDebit does not document the values of this filter. Leave out the filter");
            return Err(no("SANDBOX_005", &why));
        }
    }
    if call.query.get("payment_reference_list").is_some_and(|list| references(list).is_none()) {
        let why = r#"query.payment_reference_list: this is not a JSON list of texts. Send a list such as ["PAY-1"]"#;
        return Err(no("SANDBOX_005", why));
    }
    Ok(())
}

/// Adds the data of the consumer to a mandate or a debit, for a search.
fn with_consumer(record: &Value, store: &Store) -> Value {
    let consumer = store.get(CONSUMERS, text(record, "safedebit_consumer_reference"));
    let mut all = consumer.cloned().unwrap_or_else(|| json!({}));
    for (key, value) in record.as_object().into_iter().flatten() {
        all[key] = value.clone();
    }
    all
}

/// Returns a consumer in the keys of a search. `create_consumer` has another key for the date of birth.
fn with_birth_day(consumer: &Value) -> Value {
    let mut consumer = consumer.clone();
    if consumer["consumer_birth_day"].is_null() {
        consumer["consumer_birth_day"] = consumer["consumer_birth_date"].clone();
    }
    consumer
}

/// Returns true if the debtor can still sign the mandate.
fn awaits_signature(mandate: &Value) -> bool {
    matches!(text(mandate, "status"), "4" | "5") && mandate["sign_date"].is_null()
}

/// Signs a mandate. It then has the status that the request for the mandate named.
fn sign(mandate: &mut Value, now: DateTime<Utc>) {
    mandate["status"] = mandate["after_signing"].clone();
    mandate["sign_date"] = french(paris_day(now)).into();
}

/// Copies the fields of a request to a record, except the fields in `but`.
fn overwrite(record: &mut Value, call: &Request, but: &[&str]) {
    for (key, value) in call.body.as_object().into_iter().flatten().filter(|(key, _)| !but.contains(&key.as_str())) {
        record[key] = value.clone();
    }
}

fn consumer<'a>(call: &Request, store: &'a Store) -> Result<&'a Value, Reply> {
    let reference = call.given("safedebit_consumer_reference").unwrap_or_default();
    store.get(CONSUMERS, reference).ok_or_else(|| refused("EXIST_002"))
}

fn mandate<'a>(call: &Request, store: &'a mut Store) -> Result<&'a mut Value, Reply> {
    store.get_mut(MANDATES, call.given("umr").unwrap_or_default()).ok_or_else(|| unknown("mandate"))
}

fn new_mandate(call: &Request, store: &mut Store, status: &str, after_signing: &str) -> Result<Value, Reply> {
    consumer(call, store)?;
    let umr = call.text("umr").map_or_else(|| store.numbered("RUM-SANDBOX-"), str::to_owned);
    if store.get(MANDATES, &umr).is_some() && !sample(&umr) {
        return Err(impossible("another mandate already has this UMR"));
    }
    let mut mandate = json!({
        "umr": umr,
        "status": status,
        "after_signing": after_signing,
        "sequence_type": call.text("sequence_type").unwrap_or("RCUR"),
    });
    overwrite(&mut mandate, call, &["umr", "status"]);
    Ok(store.put(MANDATES, umr, mandate))
}

/// Returns the mandate of a debit: the mandate that the request names, or any active mandate of the consumer.
fn charged(call: &Request, store: &Store) -> Result<String, Reply> {
    let reference = call.given("safedebit_consumer_reference");
    let usable =
        |mandate: &Value| mandate["status"] == "1" && mandate["safedebit_consumer_reference"].as_str() == reference;
    let mandate = match call.text("umr") {
        Some(umr) => match store.get(MANDATES, umr).ok_or_else(|| unknown("mandate"))? {
            mandate if usable(mandate) => mandate,
            _ => return Err(impossible("the mandate is not active, or belongs to another consumer")),
        },
        None => {
            let found = store.all(MANDATES).find(|mandate| usable(mandate));
            found.ok_or_else(|| impossible("the consumer has no active mandate"))?
        }
    };
    let counts =
        |debit: &Value| debit["umr"] == mandate["umr"] && !matches!(text(debit, "status"), "CANCELED" | "REJECTED");
    if mandate["sequence_type"] == "OOFF" && call.operation == "payment" && store.all(DEBITS).any(counts) {
        return Err(impossible("the mandate is for one debit, and has one already"));
    }
    Ok(text(mandate, "umr").to_owned())
}

/// Refuses a step for a debit whose mandate is not active, except for the debit of the vendor's samples.
fn still_charged(debit: &Value, store: &Store) -> Result<(), Reply> {
    let active = store.get(MANDATES, text(debit, "umr")).is_some_and(|mandate| mandate["status"] == "1");
    let refused = || impossible("the mandate of the debit is not active");
    if active || sample(text(debit, "sdd_reference")) { Ok(()) } else { Err(refused()) }
}

/// Returns the state of a debit by the calendar. Returns `None` for a debit that waits for the consumer or has ended.
fn course(debit: &Value, now: DateTime<Utc>) -> Option<Course> {
    match text(debit, "status") {
        "CREATED" | "ISSUED" | "SETTLED" | "GUARANTEED" => Some(Course::of(day(text(debit, "due_date"))?, now)),
        "CREDITED" | "TOREMBOURSE" | "WAITINGREMBOURSE" => Some(Course::Collected),
        _ => None,
    }
}

/// Returns a debit with the status that it has at the instant `now`.
fn aged(debit: &Value, now: DateTime<Utc>) -> Value {
    let mut debit = debit.clone();
    if debit["status"] == "CREATED" {
        debit["status"] = match course(&debit, now) {
            Some(Course::Submitted) => "ISSUED".into(),
            Some(Course::Collected) => "SETTLED".into(),
            Some(Course::Scheduled) | None => return debit,
        };
    }
    debit
}

/// Returns true if the vendor has not sent the debit to the bank yet.
fn open(debit: &Value, now: DateTime<Utc>) -> bool {
    let early = || day(text(debit, "due_date")).is_some_and(|due| Course::of(due, now) == Course::Scheduled);
    sample(text(debit, "sdd_reference"))
        || matches!(text(debit, "status"), "CREATED" | "PENDING" | "GUARANTEED") && early()
}

/// Refuses a due date that is not in time. The vendor's samples may keep their due date, which is in the past.
fn due_date(call: &Request) -> Result<(), Reply> {
    let of_samples =
        ["sdd_reference_origin", "sdd_reference"].iter().find_map(|key| call.text(key)).is_some_and(sample);
    let due = call.text("due_date").and_then(day).filter(|_| !of_samples);
    due.and_then(|due| refused_due_date(due, call.now)).map_or(Ok(()), |why| Err(impossible(why)))
}

/// Returns the status of a debit after a cancellation in a batch.
fn cancelled(debit: &Value, now: DateTime<Utc>) -> Value {
    let debit = aged(debit, now);
    match text(&debit, "status") {
        _ if open(&debit, now) => "CANCELED".into(),
        "SETTLED" | "CREDITED" => "TOREMBOURSE".into(),
        // The debit is already at the bank and cannot be stopped.
        other => other.into(),
    }
}

fn new_debit(call: &Request, store: &mut Store, umr: String, guarantee: Option<&str>) -> Result<Value, Reply> {
    let reference = call.text("sdd_reference").unwrap_or_default().to_owned();
    if store.get(DEBITS, &reference).is_some() && !sample(&reference) {
        return Err(refused("EXIST_003"));
    }
    let waits = call.operation == "payment" && cents(&call.body, "amount") >= 100_000;
    let payment = if sample(&reference) { SAMPLE.to_owned() } else { store.numbered("PAY") };
    let mut debit = json!({
        "payment_reference": payment,
        "status": if waits { "PENDING" } else { "CREATED" },
        "creation_date": french(paris_day(call.now)),
        "safedebit_secure_reference": guarantee,
    });
    overwrite(&mut debit, call, &[]);
    debit["umr"] = umr.into();
    Ok(store.put(DEBITS, reference, debit))
}

fn debit<'a>(call: &Request, store: &'a mut Store) -> Result<&'a mut Value, Reply> {
    store.get_mut(DEBITS, call.text("sdd_reference").unwrap_or_default()).ok_or_else(|| unknown("debit"))
}

/// Creates a link to a page, which is valid for one day.
fn link(call: &Request, store: &mut Store, what: &str, id: &str) -> String {
    let token = store.random(16);
    let until = call.now + TimeDelta::days(1);
    let urls = some(&call.body, &["url_ok", "url_ko", "url_cancel", "url_callback"]);
    store.put(LINKS, &token, json!({"what": what, "id": id, "until": until.timestamp(), "urls": urls}));
    format!("{}{token}", call.pages)
}

fn files(store: &Store, consumer: &str) -> Vec<Value> {
    let own = |record: &&Value| text(record, "safedebit_consumer_reference") == consumer;
    let uploaded = store.all(FILES).filter(own).cloned();
    let mandates = store.all(MANDATES).filter(own).filter(|mandate| !text(mandate, "sign_date").is_empty());
    let mandates =
        mandates.map(|mandate| json!({"file_type": "1", "file_key": format!("mandat_{}", text(mandate, "umr"))}));
    uploaded.chain(mandates).collect()
}

fn document(record: Option<&Value>) -> Value {
    let data = record.map(|record| text(record, "file_data")).filter(|data| !data.is_empty());
    data.map_or_else(|| BASE64_STANDARD.encode("%PDF-1.4 sandbox"), str::to_owned).into()
}

pub(crate) struct Simulated;

impl Simulated {
    fn debits(call: &Request, store: &mut Store) -> Result<Reply, Reply> {
        let now = call.now;
        Ok(match call.operation.as_str() {
            "payment" => {
                consumer(call, store)?;
                due_date(call)?;
                let umr = charged(call, store)?;
                let debit = new_debit(call, store, umr, None)?;
                let mut answer = some(&debit, &["status", "sdd_reference", "due_date", "payment_reference"]);
                if debit["status"] == "PENDING" {
                    answer["validation_type"] = "OTP".into();
                }
                good(answer)
            }
            "validate_payment" => {
                let consumer = consumer(call, store)?["safedebit_consumer_reference"].clone();
                let (payment, sdd) = (call.text("payment_reference"), call.text("sdd_reference"));
                let wanted = |debit: &&Value| {
                    debit["payment_reference"].as_str() == payment
                        && debit["safedebit_consumer_reference"] == consumer
                        && (sdd.is_none() || debit["sdd_reference"].as_str() == sdd)
                };
                let found = store.all(DEBITS).find(wanted).ok_or_else(|| unknown("payment"))?;
                let (reference, charged) = (text(found, "sdd_reference").to_owned(), still_charged(found, store));
                let debit = store.get_mut(DEBITS, &reference).ok_or_else(|| unknown("payment"))?;
                if debit["status"] != "PENDING" && (debit["status"] != "CREATED" || !sample(&reference)) {
                    return Err(impossible("the payment does not wait for validation"));
                }
                if !right(call.text("validation_value"), &reference) {
                    return Err(refused("NOK_001"));
                }
                charged?;
                if !open(debit, now) {
                    return Err(impossible("it is too late for the due date of the debit"));
                }
                debit["status"] = "CREATED".into();
                debit["validation_date"] = french(paris_day(now)).into();
                let sdd = some(debit, &["sdd_reference", "amount", "due_date", "status"]);
                good(json!({"status": "VALIDATED", "payment_reference": payment, "sdd": [sdd]}))
            }
            "secure" => {
                let debtor = consumer(call, store)?.clone();
                due_date(call)?;
                charged(call, store)?;
                if cents(&call.body, "amount") > 1_000_000 {
                    return Err(refused("NOK_001"));
                }
                let covered: Vec<&str> =
                    call.body["sdd"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
                let key = "safedebit_consumer_reference";
                let own = |debit: &&Value| debit[key] == debtor[key];
                if covered.iter().any(|sdd| store.get(DEBITS, sdd).filter(own).is_none()) {
                    return Err(unknown("debit"));
                }
                let reference = store.numbered("SF_");
                for sdd in covered {
                    if let Some(debit) = store.get_mut(DEBITS, sdd) {
                        debit["safedebit_secure_reference"] = reference.clone().into();
                    }
                }
                let mut guarantee = json!({"safedebit_secure_reference": reference, "iban": debtor["iban"]});
                overwrite(&mut guarantee, call, &[]);
                guarantee["date"] = french(paris_day(now)).into();
                store.put(GUARANTEES, &reference, guarantee);
                good(json!({"safedebit_secure_reference": reference}))
            }
            "edit_sdd" => {
                due_date(call)?;
                let debit = debit(call, store)?;
                let other = |key: &&str| call.text(key).is_some_and(|given| debit[*key] != given);
                if ["umr", "payment_reference"].iter().any(other) {
                    return Err(unknown("debit"));
                }
                let guaranteed = !debit["safedebit_secure_reference"].is_null();
                let amount = call.text("amount").is_some_and(|amount| debit["amount"] != amount);
                if !open(debit, now) || guaranteed && amount {
                    return Err(impossible("the debit is already at the bank, or its amount is guaranteed"));
                }
                overwrite(debit, call, &["ics"]);
                good(some(debit, &["safedebit_secure_reference"]))
            }
            "cancel_sdd" => match debit(call, store)? {
                debit if open(debit, now) => {
                    debit["status"] = "CANCELED".into();
                    done()
                }
                _ => return Err(impossible("the debit is already at the bank, or is cancelled")),
            },
            "cancel_sdd_batch" => {
                let wanted: Vec<&str> =
                    call.body["sdds"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
                if wanted.iter().any(|sdd| store.get(DEBITS, sdd).is_none()) {
                    return Err(unknown("debit"));
                }
                let mut left = Vec::new();
                for sdd in wanted {
                    if let Some(debit) = store.get_mut(DEBITS, sdd) {
                        debit["status"] = cancelled(debit, now);
                        left.push(json!({"sdd": sdd, "status": debit["status"]}));
                    }
                }
                good(json!({"sdds": left}))
            }
            "cancel_order" => {
                let payment = call.text("payment_reference");
                let of_it = store.all(DEBITS).filter(|debit| debit["payment_reference"].as_str() == payment);
                let of_it: Vec<String> = of_it.map(|debit| text(debit, "sdd_reference").to_owned()).collect();
                if of_it.is_empty() {
                    return Err(unknown("payment"));
                }
                let mut left = Vec::new();
                for sdd in of_it {
                    if let Some(debit) = store.get_mut(DEBITS, &sdd) {
                        debit["status"] = cancelled(debit, now);
                        let amount = crate::wire::AmountCents::from_cents(cents(debit, "amount")).to_string();
                        let (status, due) = (&debit["status"], &debit["due_date"]);
                        left.push(
                            json!({"sdd_reference": sdd, "sdd_status": status, "amount": amount, "due_date": due}),
                        );
                    }
                }
                good(json!({"sdds": left}))
            }
            "add_rp_sdd" => {
                due_date(call)?;
                let origin = store.get(DEBITS, call.text("sdd_reference_origin").unwrap_or_default());
                let origin = origin.cloned().ok_or_else(|| unknown("debit"))?;
                let failed = matches!(text(&origin, "status"), "REJECTED" | "RETURNED");
                let guarantee = origin["safedebit_secure_reference"].as_str();
                if !sample(text(&origin, "sdd_reference")) && (!failed || guarantee.is_none()) {
                    return Err(impossible("the original debit has not failed, or is not guaranteed"));
                }
                still_charged(&origin, store)?;
                let sdd = new_debit(call, store, text(&origin, "umr").to_owned(), guarantee)?;
                if let Some(debit) = store.get_mut(DEBITS, text(&sdd, "sdd_reference")) {
                    let key = "safedebit_consumer_reference";
                    debit[key] = origin[key].clone();
                }
                done()
            }
            "search_control" => {
                documented_filters(call)?;
                let found = store.all(GUARANTEES).filter(|guarantee| matches(guarantee, call));
                let found = found.map(|guarantee| some(guarantee, &["iban", "safedebit_secure_reference"]));
                good(json!({"datas": found.collect::<Vec<_>>()}))
            }
            "search_payment" => {
                documented_filters(call)?;
                let found = store.all(DEBITS).filter_map(|debit| {
                    let mut payment = with_consumer(&aged(debit, now), store);
                    // Each payment of the sandbox has one debit, which SafeDebit makes.
                    (payment["payment_method"], payment["echeance_number"]) = ("SAFEDEBIT".into(), "1".into());
                    matches(&payment, call).then(|| {
                        json!({
                            "payment_reference": payment["payment_reference"],
                            "beneficiary_reference": payment["beneficiary_reference"],
                            "consumer_store": payment["consumer_store"],
                            "umr": payment["umr"],
                            "sdd": [some(&payment, &["sdd_reference", "amount", "due_date", "status"])],
                        })
                    })
                });
                good(json!({"datas": found.collect::<Vec<_>>()}))
            }
            _ => return Err(Self.no_such_operation()),
        })
    }
}

impl Simulation for Simulated {
    fn vocabulary(&self) -> Vec<VocabularyRow> {
        super::adapter::vocabulary()
    }

    fn credentials(&self) -> &'static [(&'static str, &'static str)] {
        &[("login", LOGIN), ("password", PASSWORD)]
    }

    fn begin(&self, store: &mut Store) {
        let consumer = json!({
            "safedebit_consumer_reference": SAMPLE,
            "consumer_reference": "SAMPLE",
            "consumer_first_name": "ABCabc123",
            "consumer_last_name": "ABCabc123",
            "iban": IBAN,
        });
        store.put(CONSUMERS, SAMPLE, consumer);
        let mandate = json!({
            "umr": SAMPLE,
            "status": "1",
            "after_signing": "1",
            "sequence_type": "RCUR",
            "safedebit_consumer_reference": SAMPLE,
            "sign_date": "02/01/2020",
            "sign_city": "ABCabc123",
        });
        store.put(MANDATES, SAMPLE, mandate);
        let debit = json!({
            "sdd_reference": SAMPLE,
            "payment_reference": SAMPLE,
            "safedebit_consumer_reference": SAMPLE,
            "umr": SAMPLE,
            "status": "CREATED",
            "amount": "333",
            "due_date": "02/01/2020",
        });
        store.put(DEBITS, SAMPLE, debit);
        let beneficiary = json!({"beneficiary_reference": SAMPLE, "iban": IBAN, "status": "2"});
        store.put(BENEFICIARIES, SAMPLE, beneficiary);
        let file = json!({
            "safedebit_consumer_reference": SAMPLE,
            "file_type": "2",
            "file_key": "cni_xxx",
            "file_data": BASE64_STANDARD.encode("%PDF-1.4 sandbox"),
        });
        store.put(FILES, "cni_xxx", file);
    }

    fn admit(&self, call: &Request, _: &Store) -> Result<(), Reply> {
        let pair = call.credentials("Basic");
        if pair == Some(SAMPLE_HEADER) {
            return Ok(());
        }
        let pair =
            pair.and_then(|pair| BASE64_STANDARD.decode(pair).ok()).and_then(|pair| String::from_utf8(pair).ok());
        match pair.as_deref().and_then(|pair| pair.split_once(':')) {
            Some((LOGIN, PASSWORD)) => Ok(()),
            Some((LOGIN, _)) => Err(refused("AUTH_002")),
            _ => Err(refused("AUTH_001")),
        }
    }

    fn invalid(&self, _: &Request, violations: &[Violation]) -> Reply {
        no("SANDBOX_001", &Violation::describe(violations))
    }

    fn answer(&self, call: &Request, store: &mut Store) -> Result<Reply, Reply> {
        let now = call.now;
        Ok(match call.operation.as_str() {
            "create_mandate" => {
                let mandate = new_mandate(call, store, "5", call.text("status").unwrap_or("1"))?;
                let umr = text(&mandate, "umr");
                // As in the vendor's sample, the response has the status after the signature and not the present one.
                let status = &mandate["after_signing"];
                let signature_url = link(call, store, "mandate", umr);
                if let Some(record) = store.get_mut(MANDATES, umr) {
                    record["token"] = signature_url.strip_prefix(&call.pages).into();
                }
                good(json!({"signature_url": signature_url, "umr": umr, "status": status}))
            }
            "add_mandate" => {
                let signed = call.text("sign_date").is_some();
                if signed && call.text("sign_city").is_none() {
                    return Err(no("SANDBOX_004", "body.sign_city: this field is required with sign_date"));
                }
                new_mandate(call, store, if signed { "1" } else { "4" }, "1")?;
                done()
            }
            "edit_mandate" => {
                let (known, wanted) = (&*mandate(call, store)?, call.text("status"));
                if known["status"] == "3" && wanted.is_some_and(|wanted| wanted != "3") {
                    return Err(impossible("the mandate is revoked. Create a new mandate"));
                }
                if awaits_signature(known) && matches!(wanted, Some("1" | "2" | "6")) {
                    return Err(impossible("the debtor has not signed the mandate"));
                }
                overwrite(mandate(call, store)?, call, &[]);
                done()
            }
            "revoque_mandate" => {
                mandate(call, store)?["status"] = "3".into();
                done()
            }
            "search_mandate" => {
                // Look up the mandate by its UMR directly, because a run over many mandates sends one search for each.
                let candidates: Vec<&Value> = match call.query.get("umr") {
                    Some(umr) => store.get(MANDATES, umr).into_iter().collect(),
                    None => store.all(MANDATES).collect(),
                };
                let found = candidates.into_iter().filter(|mandate| matches(&with_consumer(mandate, store), call));
                let found = found.map(|mandate| json!({"umr": mandate["umr"], "status": mandate["status"]}));
                good(json!({"datas": found.collect::<Vec<_>>()}))
            }
            "download_mandate_file" => {
                let consumer = &consumer(call, store)?["safedebit_consumer_reference"];
                let own = |mandate: &&Value| mandate["safedebit_consumer_reference"] == *consumer;
                match call.query.get("umr").map(|umr| store.get(MANDATES, umr).filter(own)) {
                    Some(None) => return Err(unknown("mandate")),
                    mandate => good(json!({"file_data": document(mandate.flatten())})),
                }
            }
            "otu_confirm_mandat" => {
                let mandate = mandate(call, store)?;
                let of_samples = sample(text(mandate, "umr"));
                if !awaits_signature(mandate) && (mandate["status"] == "3" || !of_samples) {
                    return Err(impossible("the mandate does not wait for a signature"));
                }
                if !right(call.text("otu_value"), text(mandate, "umr")) {
                    return Err(no("NOK_001", "the code is wrong"));
                }
                sign(mandate, now);
                done()
            }
            "otu_reset_mandat" => mandate(call, store).map(|_| done())?,
            "create_consumer" => {
                let own = call.text("consumer_reference");
                if own.is_some() && store.all(CONSUMERS).any(|known| known["consumer_reference"].as_str() == own) {
                    return Err(refused("EXIST_001"));
                }
                let reference = store.numbered("SDC");
                let mut consumer = json!({"safedebit_consumer_reference": reference});
                overwrite(&mut consumer, call, &[]);
                store.put(CONSUMERS, &reference, consumer);
                good(json!({"safedebit_consumer_reference": reference}))
            }
            "edit_consumer" => {
                consumer(call, store)?;
                let reference = call.text("safedebit_consumer_reference").unwrap_or_default();
                let own = call.text("consumer_reference");
                let taken = |known: &Value| {
                    known["consumer_reference"].as_str() == own
                        && text(known, "safedebit_consumer_reference") != reference
                };
                if own.is_some() && store.all(CONSUMERS).any(taken) {
                    return Err(refused("EXIST_001"));
                }
                if let Some(consumer) = store.get_mut(CONSUMERS, reference) {
                    overwrite(consumer, call, &[]);
                }
                done()
            }
            "search_consumer" => {
                let found = store.all(CONSUMERS).filter(|consumer| matches(&with_birth_day(consumer), call));
                let found = found.map(|known| some(known, &["safedebit_consumer_reference", "consumer_reference"]));
                good(json!({"datas": found.collect::<Vec<_>>()}))
            }
            "secure_consumer" => good(json!({"score": "100"})),
            "initiate_consumer" | "create_refund_link" => done(),
            "upload_file" => {
                consumer(call, store)?;
                let kind = match call.text("file_type") {
                    Some("1") => "mandat",
                    Some("2") => "cni",
                    Some("3") => "iban",
                    Some("4") => "kbis",
                    _ => "doc",
                };
                let key = store.numbered(&format!("{kind}_"));
                let mut file = json!({"file_key": key});
                overwrite(&mut file, call, &[]);
                store.put(FILES, key, file);
                done()
            }
            "get_available_files" => {
                let consumer = text(consumer(call, store)?, "safedebit_consumer_reference").to_owned();
                let listed = files(store, &consumer).into_iter().map(|file| {
                    let kind: u64 = cents(&file, "file_type");
                    json!({"file_type": kind, "file_key": file["file_key"]})
                });
                good(json!({"data": listed.collect::<Vec<_>>()}))
            }
            "download_archive_file" => {
                let consumer = text(consumer(call, store)?, "safedebit_consumer_reference").to_owned();
                let key = call.query.get("file_key").map(String::as_str);
                let file = files(store, &consumer).into_iter().find(|file| file["file_key"].as_str() == key);
                good(json!({"file_data": document(Some(&file.ok_or_else(|| unknown("file"))?))}))
            }
            "onboard_beneficiary" => {
                let reference = store.numbered("BEN");
                let mut new = json!({"beneficiary_reference": reference, "status": "1"});
                overwrite(&mut new, call, &[]);
                good(some(&store.put(BENEFICIARIES, reference, new), &["beneficiary_reference", "status"]))
            }
            "create_beneficiary" | "initiate_beneficiary" => {
                let code = call.text("code");
                let same = |known: &&Value| code.is_some() && known["code"].as_str() == code;
                let known = store.all(BENEFICIARIES).find(same).cloned();
                let beneficiary = known.unwrap_or_else(|| {
                    let reference = store.numbered("BEN");
                    let mut new = json!({"beneficiary_reference": reference, "status": "0"});
                    overwrite(&mut new, call, &[]);
                    store.put(BENEFICIARIES, reference, new)
                });
                let reference = text(&beneficiary, "beneficiary_reference");
                let mut answer = json!({"beneficiary_reference": reference});
                if call.operation == "initiate_beneficiary" {
                    answer["url"] = link(call, store, "beneficiary", reference).into();
                    answer["status"] = beneficiary["status"].clone();
                }
                good(answer)
            }
            "update_beneficiary" => {
                let reference = call.text("beneficiary_reference").unwrap_or_default();
                overwrite(store.get_mut(BENEFICIARIES, reference).ok_or_else(|| unknown("beneficiary"))?, call, &[]);
                done()
            }
            "initiate_transfer" => {
                let has = |key| call.text(key).is_some();
                let named = has("consumer_first_name") && has("consumer_last_name") && has("code_bank");
                if !has("safedebit_consumer_reference") && !named {
                    return Err(no(
                        "SANDBOX_004",
                        "body: send safedebit_consumer_reference, or first name, last name and code_bank",
                    ));
                }
                if !has("url_ok") && !has("url_callback") {
                    return Err(no("SANDBOX_004", "body: send url_ok or url_callback"));
                }
                if has("safedebit_consumer_reference") {
                    consumer(call, store)?;
                }
                let own = call.text("consumer_reference");
                if own.is_some() && store.all(CONSUMERS).any(|known| known["consumer_reference"].as_str() == own) {
                    return Err(refused("EXIST_001"));
                }
                let reference = call.text("payment_reference").unwrap_or_default().to_owned();
                if store.get(TRANSFERS, &reference).is_some() && !sample(&reference) {
                    return Err(refused("EXIST_005"));
                }
                let mut transfer = call.body.clone();
                transfer["status"] = "CREATED".into();
                store.put(TRANSFERS, &reference, transfer);
                good(json!({"link": link(call, store, "transfer", &reference)}))
            }
            _ => return Self::debits(call, store),
        })
    }

    fn no_such_operation(&self) -> Reply {
        Reply::empty(404)
    }

    fn reference(&self, record: &Value) -> Option<MandateRef> {
        Some(MandateRef::safedebit(record["umr"].as_str()?))
    }

    fn step(&self, mandate: &Value, step: Step, now: DateTime<Utc>) -> Option<Value> {
        let status = match step {
            Step::Sign if mandate["status"] == "4" || mandate["status"] == "5" => {
                let mut signed = mandate.clone();
                sign(&mut signed, now);
                return Some(signed);
            }
            Step::Activate => MandateStatus::Active,
            Step::Suspend => MandateStatus::Suspended,
            Step::Revoke => MandateStatus::Revoked,
            Step::Sign | Step::Verify | Step::Expire | Step::Fail => return None,
        };
        to_status(&self.vocabulary(), status)
    }

    fn account(&self, mandate: &Value, store: &Store) -> Option<String> {
        let consumer = store.get(CONSUMERS, text(mandate, "safedebit_consumer_reference")).unwrap_or(&Value::Null);
        mandate["iban"].as_str().or(consumer["iban"].as_str()).and_then(ends)
    }

    fn open_page(&self, mandate: &Value, store: &Store, now: DateTime<Utc>) -> Option<String> {
        let token = text(mandate, "token");
        self.page(store, token, now).filter(|page| page.closed.is_none()).map(|_| token.to_owned())
    }

    fn sample(&self, wanted: &Sample<'_>, call: Request, store: &mut Store) -> Option<Request> {
        let debits = store.count(DEBITS) + 1;
        let (operation, body) = match wanted {
            Sample::Mandate => {
                let shop = call.pages.replace("/safedebit/pages/", "/_shop/");
                let body = json!({
                    "safedebit_consumer_reference": SAMPLE, "url_ok": format!("{shop}ok"),
                    "url_ko": format!("{shop}ko"), "url_cancel": format!("{shop}cancel"),
                });
                ("create_mandate", body)
            }
            Sample::Debit(mandate) => {
                let lead = LeadTimes { pre_notification: 0, ..LeadTimes::default() };
                let body = json!({
                    "safedebit_consumer_reference": mandate["safedebit_consumer_reference"], "umr": mandate["umr"],
                    "sdd_reference": format!("SDD-SANDBOX-{debits:06}"), "amount": "1250",
                    "due_date": french(earliest_due_date(call.now, Scheme::Core, &lead)?),
                });
                ("payment", body)
            }
        };
        Some(Request { operation: operation.into(), body, ..call })
    }

    fn debits(&self) -> Option<Debits> {
        Some(Debits {
            vocabulary: super::debit::vocabulary,
            kind: DEBITS,
            read: |record, now| {
                Some(Debit {
                    id: text(record, "sdd_reference").to_owned(),
                    references: vec![DebitRef::safedebit(text(record, "umr"), text(record, "sdd_reference"))],
                    mandate: MandateRef::safedebit(text(record, "umr")),
                    amount: text(record, "amount").parse().ok(),
                    due: day(text(record, "due_date"))?,
                    word: text(&aged(record, now), "status").to_owned(),
                    course: course(record, now),
                })
            },
            bring_back: |record, way, now| {
                record["status"] = match way {
                    WayBack::Rejected(_) => "REJECTED",
                    WayBack::Returned(_) => "RETURNED",
                    WayBack::Refunded => "REMBOURSE",
                }
                .into();
                if let Some(reason) = way.reason() {
                    record["reason"] = reason.as_str().into();
                    record["reject_date"] = french(paris_day(now)).into();
                }
            },
            notification: |_, _| None,
        })
    }

    fn page(&self, store: &Store, token: &str, now: DateTime<Utc>) -> Option<Page> {
        let link = store.get(LINKS, token)?;
        let id = text(link, "id");
        let kind = match text(link, "what") {
            "mandate" => MANDATES,
            "transfer" => TRANSFERS,
            _ => BENEFICIARIES,
        };
        let record = store.get(kind, id)?;
        let waits = match kind {
            MANDATES => awaits_signature(record),
            TRANSFERS => record["status"] == "CREATED",
            _ => matches!(text(record, "status"), "0" | "1"),
        };
        let agreed = link["agreed"] == true;
        let why = if agreed || !waits {
            Some(Why::Used)
        } else {
            link["until"].as_i64().filter(|until| now.timestamp() >= *until).map(|_| Why::Expired)
        };
        let consumer = store.get(CONSUMERS, text(record, "safedebit_consumer_reference")).unwrap_or(&Value::Null);
        let iban = record["iban"].as_str().unwrap_or(text(consumer, "iban"));
        let name = format!("{} {}", text(consumer, "consumer_first_name"), text(consumer, "consumer_last_name"));
        let beneficiary = store.get(BENEFICIARIES, text(consumer, "beneficiary_reference"));
        let creditor = beneficiary.map(|beneficiary| text(beneficiary, "social_reference"));
        let creditor = creditor.filter(|name| !name.is_empty()).unwrap_or(CREDITOR);
        let kind_of_debit = match text(record, "sequence_type") {
            "OOFF" => Text { fr: "ponctuel", en: "one-off" },
            _ => Text { fr: "récurrent", en: "recurring" },
        };
        let closed = why.map(|why| Closed {
            why,
            back: Link::of(&link["urls"]["url_ko"]).filter(|_| !agreed),
            result: agreed.then(|| onward(link)),
        });
        Some(match kind {
            MANDATES => Page {
                title: Text { fr: "Signer un mandat de prélèvement SEPA", en: "Sign a SEPA direct debit mandate" },
                intro: Text {
                    fr: "En signant, vous autorisez le créancier à débiter ce compte, et votre banque à le faire sur son \
                         instruction. Vous pouvez demander à votre banque le remboursement d’un prélèvement dans les huit \
                         semaines qui le suivent.",
                    en: "By signing you allow the creditor to debit this account, and your bank to do so on the creditor's \
                         instructions. You can ask your bank to refund a debit within eight weeks after it.",
                },
                terms: vec![
                    (Text { fr: "Débiteur", en: "Debtor" }, Shown::text(name.trim())),
                    (Text { fr: "IBAN", en: "IBAN" }, Shown::iban(iban)),
                    (Text { fr: "Créancier", en: "Creditor" }, Shown::text(creditor)),
                    (
                        Text { fr: "Référence unique du mandat (RUM)", en: "Unique mandate reference (UMR)" },
                        Shown::text(id),
                    ),
                    (Text { fr: "Type de prélèvement", en: "Kind of debit" }, Shown::Translated(kind_of_debit)),
                ],
                agree: Text { fr: "Signer", en: "Sign" },
                carried: vec![("umr", id.to_owned()), ("iban", iban.to_owned()), ("bic", "CMCIFRPP".to_owned())],
                closed,
            },
            TRANSFERS => Page {
                title: Text { fr: "Payer par virement", en: "Pay by transfer" },
                intro: Text { fr: "Vous allez payer ce montant.", en: "You are about to pay this amount." },
                terms: vec![(Text { fr: "Montant", en: "Amount" }, Shown::Amount(cents(record, "amount")))],
                agree: Text { fr: "Payer", en: "Pay" },
                carried: Vec::new(),
                closed,
            },
            _ => Page {
                title: Text { fr: "Compléter un bénéficiaire", en: "Complete a beneficiary" },
                intro: Text { fr: "Confirmez ces données.", en: "Confirm this data." },
                terms: vec![(
                    Text { fr: "Raison sociale", en: "Company name" },
                    Shown::text(text(record, "social_reference")),
                )],
                agree: Text { fr: "Confirmer", en: "Confirm" },
                carried: Vec::new(),
                closed,
            },
        })
    }

    fn decide(&self, store: &mut Store, token: &str, decision: Decision, now: DateTime<Utc>) -> Option<Onward> {
        let link = store.get_mut(LINKS, token)?;
        if decision == Decision::Cancel {
            return Some(Link::of(&link["urls"]["url_cancel"]).map_or(Onward::Stay, Onward::Go));
        }
        link["agreed"] = true.into();
        let link = link.clone();
        let id = text(&link, "id");
        match text(&link, "what") {
            "mandate" => sign(store.get_mut(MANDATES, id)?, now),
            "transfer" => store.get_mut(TRANSFERS, id)?["status"] = "SETTLED".into(),
            _ => store.get_mut(BENEFICIARIES, id)?["status"] = "2".into(),
        }
        Some(onward(&link))
    }
}

/// Returns the next step after an agreement on the page of a link.
fn onward(link: &Value) -> Onward {
    let ok = Link::of(&link["urls"]["url_ok"]);
    match text(link, "what") {
        "mandate" => ok.map_or(Onward::Stay, |ok| Onward::Post(ok.with("umr", text(link, "id")))),
        "transfer" => ok.map_or(Onward::Stay, Onward::Go),
        _ => Onward::Stay,
    }
}
