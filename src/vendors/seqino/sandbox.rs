//! Simulates Seqino PDP.
//!
//! Seqino does not document these points. The sandbox behaves as follows:
//!
//! - A client starts as `active`. A mandate starts as `created`. After the signature it waits for checks
//!   (`pending_kyc`). After the checks it is `active`. No date changes its word.
//! - A mandate that ends before it starts is refused with 400. A batch with one such mandate is refused completely.
//! - The response to a wrong key is 401. A mandate is read by its id for any client in the header.
//! - An onboarding link is for the client in `X-PDP-Client-Id`, or else for the newest client. It is valid for a week.
//!   An agreement signs that client's new mandates if the link includes the signature, and passes their checks if it
//!   includes KYC.
//! - Usage counts each response by the day in Paris, except 401. A week begins on Monday. A period ends today, and the
//!   last day of a custom period is included.
//! - A response 401 names the scheme `ApiKey`. `object_id` without `object_type` is refused.
//! - The response to a new draft has its id in `draft_id`.
//! - A file is an invoice if it begins like a PDF or like XML. The sandbox extracts nothing from the file, so the data
//!   is that of an empty invoice of the seller.
//! - The sandbox never calls a webhook.

use super::Config;
use crate::{
    mandate::MandateRef,
    sandbox::{
        Closed, Decision, Link, MANDATES, Onward, Page, Reply, Request, Sample, Sandbox, Shown, SimulatedVendor,
        Simulation, Spec, Step, Store, Text, Violation, Why, to_status,
    },
    sepa::paris_day,
    vocabulary::{MandateStatus, Provider, VocabularyRow},
};
use chrono::{DateTime, Datelike, NaiveDate, SecondsFormat, TimeDelta, Utc, Weekday};
use hyper::header::HeaderValue;
use serde_json::{Value, json};
use std::{collections::BTreeMap, ops::RangeInclusive, sync::LazyLock};

/// The sample API key in the vendor's documentation.
const KEY: &str = "YOUR_API_KEY_HERE";
const SAMPLE: &str = Sandbox::CLIENT;

/// Returns a simulated Seqino PDP with an empty store.
pub(crate) fn simulated() -> SimulatedVendor {
    static DOCUMENT: LazyLock<Spec> =
        LazyLock::new(|| Spec::read(include_str!(concat!(env!("OUT_DIR"), "/seqino.sandbox.json"))));
    SimulatedVendor::new(Provider::Seqino, &DOCUMENT, &Simulated)
}

impl Sandbox {
    /// Returns the configuration that connects a client to the simulated Seqino PDP.
    pub fn seqino(&self) -> Config {
        Config::new(self.base_url(Provider::Seqino), KEY)
    }
}

const CLIENTS: &str = "clients";
const PDP_CLIENTS: &str = "pdp_clients";
const DIRECTORY: &str = "directory";
const DRAFTS: &str = "drafts";
const INVOICES: &str = "invoices";
const EVENTS: &str = "events";
const LINKS: &str = "links";
const SETTINGS: &str = "settings";
const USAGE: &str = "usage";
const WEBHOOKS: &str = "webhooks";

fn stamp(instant: DateTime<Utc>) -> String {
    instant.to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn refused(status: u16, error: &str) -> Reply {
    let body = json!({"error": format!("sandbox: {error}"), "code": status, "trace_id": "trace-sandbox"});
    // The key has no prefix, so the scheme has no registered name.
    Reply::new(status, body).challenge("ApiKey")
}

fn missing(what: &str) -> Reply {
    refused(404, &format!("{what} not found"))
}

fn text<'a>(record: &'a Value, key: &str) -> &'a str {
    record[key].as_str().unwrap_or_default()
}

fn client(id: &str, request: &Value, now: DateTime<Utc>) -> Value {
    json!({
        "client_id": id,
        "organization_name": request["organization_name"],
        "contact_email": request["contact_email"],
        "external_ref": request["external_ref"],
        "sponsor_id": "sponsor_sandbox",
        "status": "active",
        "created_at": stamp(now),
        "updated_at": null,
    })
}

/// Returns the id of the client in the header of the request.
fn acting(call: &Request, store: &Store) -> Result<String, Reply> {
    let id = call.header("x-pdp-client-id").unwrap_or_default();
    let known = store.get(CLIENTS, id).is_some() || store.get(PDP_CLIENTS, id).is_some();
    // Two pages of the vendor list their status codes without a 404, so these operations use the status 400.
    let status = if matches!(call.operation.as_str(), "submit_invoice_file" | "set_periodicity") { 400 } else { 404 };
    if known { Ok(id.to_owned()) } else { Err(refused(status, "Client not found")) }
}

fn instant(value: &Value) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(value.as_str()?).ok().map(|instant| instant.to_utc())
}

/// Refuses a mandate whose end is not after its start.
fn possible(request: &Value) -> Result<(), Reply> {
    match (instant(&request["start_date"]), instant(&request["end_date"])) {
        (Some(starts), Some(ends)) if ends <= starts => Err(refused(400, "end_date is not after start_date")),
        _ => Ok(()),
    }
}

fn new_mandate(client: &str, request: &Value, store: &mut Store, now: DateTime<Utc>) -> Value {
    let id = store.numbered("mdt_");
    let mandate = json!({
        "id": id,
        "client_id": client,
        "start_date": request["start_date"],
        "end_date": request["end_date"],
        "status": "created",
        "directory_entry": request["directory_entry"],
        "created_at": stamp(now),
        "updated_at": null,
    });
    let entry = &request["directory_entry"];
    store.put(DIRECTORY, scope(entry), entry.clone());
    event(store, client, "mandate", &id, "MandateLifecycleStatus.CREATED", now);
    store.put(MANDATES, id, mandate)
}

/// Returns the scope of an entry in the state directory: its SIREN, SIRET, suffix and routing code.
fn scope(entry: &Value) -> String {
    ["siren", "suffix", "siret", "routing_identifier"].map(|key| text(entry, key)).join("/")
}

fn event(store: &mut Store, client: &str, kind: &str, id: &str, word: &str, now: DateTime<Utc>) {
    let key = store.numbered("event_");
    let event = json!({"status_code": word, "timestamp": stamp(now), "emitter": "PDPE", "is_mandatory": false});
    store.put(EVENTS, key, json!({"client": client, "object_type": kind, "object_id": id, "event": event}));
}

fn new_invoice(store: &mut Store, client: &str, data: &Value, now: DateTime<Utc>) -> String {
    let id = store.numbered("inv_");
    store.put(INVOICES, &id, json!({"client_id": client, "data": data}));
    event(store, client, "invoice", &id, "InvoiceLifecycleStatus.DEPOSITED", now);
    id
}

/// Returns the requests for a client on these days, by endpoint and method: the successes and the failures.
fn used(store: &Store, client: &str, days: RangeInclusive<NaiveDate>) -> BTreeMap<(String, String), (u64, u64)> {
    let mut used = BTreeMap::new();
    for usage in store.all(USAGE).filter(|usage| usage["client_id"] == client) {
        if text(usage, "day").parse().is_ok_and(|day| days.contains(&day)) {
            let endpoint = (text(usage, "endpoint").to_owned(), text(usage, "method").to_owned());
            let (good, bad) = used.entry(endpoint).or_insert((0, 0));
            *good += usage["good"].as_u64().unwrap_or(0);
            *bad += usage["bad"].as_u64().unwrap_or(0);
        }
    }
    used
}

/// Returns the first day of the period of this name that contains a day. A week begins on Monday.
fn first_day(period: &str, day: NaiveDate) -> NaiveDate {
    let first = match period {
        "daily" => Some(day),
        "weekly" => Some(day.week(Weekday::Mon).first_day()),
        "yearly" => day.with_ordinal(1),
        _ => day.with_day(1),
    };
    first.unwrap_or(day)
}

fn metrics(call: &Request, client: &str, store: &Store) -> Value {
    let period = call.query.get("period").map_or("monthly", String::as_str);
    let day = |key: &str| call.query.get(key).and_then(|day| day.parse().ok());
    let until = day("end_date").unwrap_or_else(|| paris_day(call.now));
    let from = day("start_date").unwrap_or_else(|| first_day(period, until));
    let used = used(store, client, from..=until);
    let (good, bad) = used.values().fold((0, 0), |(good, bad), usage| (good + usage.0, bad + usage.1));
    let endpoints = used.iter().map(|((endpoint, method), (good, bad))| {
        json!({
            "endpoint": endpoint,
            "method": method,
            "call_count": good + bad,
            "success_count": good,
            "error_count": bad,
            "avg_response_time_ms": 1.0,
        })
    });
    json!({
        "company_id": client,
        "period": period,
        "start_date": from,
        "end_date": until,
        "total_api_calls": good + bad,
        "total_successful_calls": good,
        "total_failed_calls": bad,
        "success_rate": if good + bad == 0 { 100.0 } else { 100.0 * good as f64 / (good + bad) as f64 },
        "endpoint_usage": endpoints.collect::<Vec<_>>(),
        "generated_at": stamp(call.now),
    })
}

fn summary(call: &Request, client: &str, store: &Store) -> Value {
    let today = paris_day(call.now);
    let first = first_day("monthly", today);
    let last_month = first.pred_opt().map(|last| first_day("monthly", last)..=last);
    let calls = |days| used(store, client, days).values().map(|(good, bad)| good + bad).sum::<u64>();
    let (total, before) = (calls(first..=today), last_month.map_or(0, calls));
    let change = if before == 0 { 0.0 } else { 100.0 * (total as f64 - before as f64) / before as f64 };
    let used = used(store, client, first..=today);
    let by_calls = |usage: &(&(String, String), &(u64, u64))| usage.1.0 + usage.1.1;
    let name = |usage: (&(String, String), &(u64, u64))| usage.0.0.clone();
    let peak = first.iter_days().take_while(|day| *day <= today).map(|day| (calls(day..=day), day)).max();
    let peak = peak.filter(|(calls, _)| *calls > 0);
    json!({
        "company_id": client,
        "current_month_calls": total,
        "previous_month_calls": before,
        "month_over_month_change": change,
        "most_used_endpoint": used.iter().max_by_key(by_calls).map(name),
        "least_used_endpoint": used.iter().min_by_key(by_calls).map(name),
        "peak_usage_day": peak.map(|(_, day)| day),
        "peak_usage_count": peak.map(|(calls, _)| calls),
    })
}

pub(crate) struct Simulated;

impl Simulated {
    fn invoices(call: &Request, id: &str, store: &mut Store) -> Result<Reply, Reply> {
        let now = call.now;
        let client = acting(call, store)?;
        Ok(match call.operation.as_str() {
            "create_draft" => {
                let id = store.numbered("draft_");
                store.put(DRAFTS, &id, json!({"client_id": client, "data": call.body}));
                Reply::new(201, json!({"draft_id": id}))
            }
            "get_draft" | "update_draft" | "delete_draft" => {
                let draft = store.get_mut(DRAFTS, id).filter(|draft| draft["client_id"] == client.as_str());
                let draft = draft.ok_or_else(|| missing("Draft"))?;
                if call.operation == "update_draft" {
                    draft["data"] = call.body.clone();
                }
                let shown = Reply::new(200, draft["data"].clone());
                if call.operation == "delete_draft" {
                    store.remove(DRAFTS, id);
                    return Ok(Reply::empty(204));
                }
                shown
            }
            "validate_draft_data" => Reply::new(200, json!({"valid": true})),
            "get_invoice_data" => {
                let invoice = store.get(INVOICES, id).filter(|invoice| invoice["client_id"] == client.as_str());
                Reply::new(200, invoice.ok_or_else(|| missing("Invoice"))?["data"].clone())
            }
            "submit_invoice_file" => {
                let Some(file) = &call.file else { return Err(refused(400, "no file")) };
                if !file.content.starts_with(b"%PDF") && !file.content.starts_with(b"<") {
                    return Err(refused(400, "The file is neither Factur-X, UBL nor CII"));
                }
                let seller = json!({"name": "Seqino", "postal_address": {"city_name": "Paris"}});
                let today = paris_day(now).to_string();
                let data = json!({"issue_date": today, "type_code": "380", "currency_code": "EUR", "seller": seller});
                let id = new_invoice(store, &client, &data, now);
                let (name, size) = (&file.name, file.content.len());
                Reply::new(201, json!({"invoice_id": id, "status": "submitted", "file_name": name, "file_size": size}))
            }
            "submit_exempt_invoice" => {
                let id = new_invoice(store, &client, &call.body["model"], now);
                Reply::new(201, json!({"invoice_id": id}))
            }
            "list_lifecycle_events" => {
                if call.query.contains_key("object_id") && !call.query.contains_key("object_type") {
                    return Err(refused(400, "object_id alone is not documented. Send it together with object_type"));
                }
                let wanted = |record: &&Value| {
                    let same = |key: &str| call.query.get(key).is_none_or(|value| record[key] == value.as_str());
                    record["client"] == client.as_str() && same("object_type") && same("object_id")
                };
                Reply::new(200, store.all(EVENTS).filter(wanted).map(|record| record["event"].clone()).collect())
            }
            "get_usage_metrics" => Reply::new(200, metrics(call, &client, store)),
            "get_usage_summary" => Reply::new(200, summary(call, &client, store)),
            // The vendor's documentation cuts off the names of the fields, so the response is empty.
            "get_usage_limits" => Reply::new(200, json!({})),
            "get_periodicity" => {
                Reply::new(200, store.get(SETTINGS, &client).cloned().ok_or_else(|| missing("Settings"))?)
            }
            "set_periodicity" => {
                store.put(SETTINGS, client, call.body.clone());
                Reply::new(200, Value::Null)
            }
            _ => return Err(Self.no_such_operation()),
        })
    }

    fn try_answer(&self, call: &Request, store: &mut Store) -> Result<Reply, Reply> {
        let id = call.path.values().next().map(String::as_str).unwrap_or_default();
        let now = call.now;
        Ok(match call.operation.as_str() {
            "list_clients" => match call.query.get("external_ref") {
                None => Reply::new(200, store.all(CLIENTS).cloned().collect()),
                Some(wanted) => match store.all(CLIENTS).find(|client| client["external_ref"] == wanted.as_str()) {
                    Some(client) => Reply::new(200, client.clone()),
                    None => Reply::new(200, json!([])),
                },
            },
            "create_client" => {
                if store.all(CLIENTS).any(|client| client["external_ref"] == call.body["external_ref"]) {
                    return Err(refused(409, "external_ref is in use"));
                }
                let id = store.numbered("client_");
                Reply::new(201, store.put(CLIENTS, &id, client(&id, &call.body, now)))
            }
            "create_pdp_client" => {
                let reference = &call.body["external_reference"];
                if store.all(PDP_CLIENTS).any(|client| client["external_reference"] == *reference) {
                    return Err(refused(409, "external_reference is in use"));
                }
                let id = store.numbered("pdp_");
                let client = json!({
                    "pdp_client_id": id,
                    "external_reference": reference,
                    "client_name": call.body["client_name"],
                    "status": "active",
                    "created_at": stamp(now),
                    "message": "Client created successfully",
                });
                Reply::new(201, store.put(PDP_CLIENTS, id, client))
            }
            "get_client" => Reply::new(200, store.get(CLIENTS, id).cloned().ok_or_else(|| missing("Client"))?),
            "update_client" => {
                let own = call.text("external_ref");
                let taken = |client: &Value| client["external_ref"].as_str() == own && client["client_id"] != id;
                if own.is_some() && store.all(CLIENTS).any(taken) {
                    return Err(refused(409, "external_ref is in use"));
                }
                let client = store.get_mut(CLIENTS, id).ok_or_else(|| missing("Client"))?;
                for (key, value) in call.body.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null()) {
                    client[key] = value.clone();
                }
                client["updated_at"] = stamp(now).into();
                Reply::new(200, client.clone())
            }
            "delete_client" => {
                if store.all(MANDATES).any(|mandate| mandate["client_id"] == id) {
                    return Err(refused(409, "Client has mandates"));
                }
                store.remove(CLIENTS, id).map(|_| Reply::empty(204)).ok_or_else(|| missing("Client"))?
            }
            "create_onboarding_link" => {
                let age = |client: &&Value| [text(client, "created_at"), text(client, "client_id")].map(str::to_owned);
                let newest = || store.all(CLIENTS).max_by_key(age).map(|client| text(client, "client_id").to_owned());
                let client = match call.headers.contains_key("x-pdp-client-id") {
                    true => acting(call, store)?,
                    false => newest().ok_or_else(|| missing("Client"))?,
                };
                let id = store.random(16);
                let flag = |key: &str| call.body[key] == true;
                let link = json!({
                    "onboarding_url": format!("{}{id}", call.pages),
                    "link_id": id,
                    "expires_at": stamp(now + TimeDelta::days(7)),
                    "includes_kyc": flag("include_kyc"),
                    "includes_signature": flag("include_signature"),
                    "callback_url": call.body["callback_url"],
                });
                store.put(LINKS, &id, json!({"link": link, "client_id": client, "used": false}));
                Reply::new(201, link)
            }
            "list_mandates" => {
                let client = acting(call, store)?;
                let wanted = |mandate: &&Value| {
                    let status = call.query.get("status_filter");
                    mandate["client_id"] == client.as_str()
                        && status.is_none_or(|status| mandate["status"] == status.as_str())
                };
                Reply::new(200, store.all(MANDATES).filter(wanted).cloned().collect())
            }
            "create_mandate" => {
                let client = acting(call, store)?;
                possible(&call.body)?;
                Reply::new(201, new_mandate(&client, &call.body, store, now))
            }
            "create_mandates_batch" => {
                let client = acting(call, store)?;
                let requests = call.body["mandates"].as_array().map(Vec::as_slice).unwrap_or_default();
                // A single mandate with impossible dates refuses the whole batch.
                requests.iter().try_for_each(possible)?;
                Reply::new(201, requests.iter().map(|request| new_mandate(&client, request, store, now)).collect())
            }
            "get_mandate" => Reply::new(200, store.get(MANDATES, id).cloned().ok_or_else(|| missing("Mandate"))?),
            "revoke_mandate" => {
                let client = acting(call, store)?;
                if store.get(MANDATES, id).is_none_or(|mandate| mandate["client_id"] != client.as_str()) {
                    return Err(missing("Mandate"));
                }
                // The revocation leaves the mandate's entry in the state directory, as the vendor documents.
                store.remove(MANDATES, id);
                Reply::empty(204)
            }
            "list_directory_entries" | "get_directory_entry" => {
                if call.operation == "get_directory_entry" {
                    acting(call, store)?;
                }
                let entries: Vec<&Value> = store.all(DIRECTORY).filter(|entry| entry["siren"] == id).collect();
                let first = *entries.first().ok_or_else(|| missing("Entry of this SIREN"))?;
                let all = call.operation == "list_directory_entries";
                Reply::new(200, if all { entries.into_iter().cloned().collect() } else { first.clone() })
            }
            "get_health" => Reply::new(200, Value::Null),
            "create_webhook" => {
                if store.count(WEBHOOKS) > 0 {
                    return Err(refused(409, "A webhook exists"));
                }
                let (id, secret) = (store.numbered("webhook_"), store.random(64));
                let all: Value = super::types::WebhookEventType::KNOWN.iter().map(|event| event.as_str()).collect();
                let events = if call.body["events"].is_null() { &all } else { &call.body["events"] };
                let webhook = json!({
                    "webhook_id": id,
                    "url": call.body["url"],
                    "events": events,
                    "is_active": true,
                    "created_at": stamp(now),
                });
                store.put(WEBHOOKS, &id, webhook);
                let created = stamp(now);
                let url = &call.body["url"];
                Reply::new(
                    201,
                    json!({"webhook_id": id, "url": url, "secret": secret, "events": events, "created_at": created}),
                )
            }
            "get_webhook" => Reply::new(200, store.all(WEBHOOKS).next().cloned().ok_or_else(|| missing("Webhook"))?),
            "list_webhook_event_types" => {
                let types = super::types::WebhookEventType::KNOWN.iter().map(|event| {
                    let word = event.as_str();
                    let payload = json!({
                        "event_id": "evt_abc123def456",
                        "event_type": word,
                        "timestamp": stamp(now),
                        "sponsor_id": "sponsor_sandbox",
                    });
                    json!({"event_type": word, "description": format!("{word} happened"), "example_payload": payload})
                });
                Reply::new(200, json!({"event_types": types.collect::<Vec<_>>()}))
            }
            _ => return Self::invoices(call, id, store),
        })
    }
}

impl Simulation for Simulated {
    fn vocabulary(&self) -> Vec<VocabularyRow> {
        super::adapter::vocabulary()
    }

    fn credentials(&self) -> &'static [(&'static str, &'static str)] {
        &[("API key", KEY)]
    }

    fn begin(&self, store: &mut Store) {
        let request = json!({
            "organization_name": "Acme Corporation",
            "contact_email": "contact@acme.com",
            "external_ref": "EXT-00000",
        });
        store.put(CLIENTS, SAMPLE, client(SAMPLE, &request, DateTime::UNIX_EPOCH));
        let entry = json!({"siren": "123456789", "name": "Acme Corporation"});
        store.put(DIRECTORY, scope(&entry), entry.clone());
        let mandate = json!({
            "id": "mdt_abc123",
            "client_id": SAMPLE,
            "start_date": "2024-01-15T00:00:00Z",
            "end_date": null,
            "status": "active",
            "directory_entry": entry,
            "created_at": "2024-01-15T00:00:00Z",
            "updated_at": null,
        });
        store.put(MANDATES, "mdt_abc123", mandate);
        let draft = json!({
            "issue_date": "2024-01-15",
            "type_code": "380",
            "currency_code": "EUR",
            "seller": {"name": "Seqino", "postal_address": {"city_name": "Paris"}},
        });
        let owned = json!({"client_id": SAMPLE, "data": draft});
        store.put(DRAFTS, "string", owned.clone());
        store.put(INVOICES, "string", owned);
    }

    fn admit(&self, call: &Request, _: &Store) -> Result<(), Reply> {
        if call.operation == "get_health" || call.header("authorization") == Some(KEY) {
            Ok(())
        } else {
            Err(refused(401, "Invalid API key"))
        }
    }

    fn invalid(&self, _: &Request, violations: &[Violation]) -> Reply {
        let issue = |violation: &Violation| {
            let kind = if violation.missing { "missing" } else { "value_error" };
            json!({"loc": violation.place, "msg": violation.what, "type": kind})
        };
        Reply::new(422, json!({"detail": violations.iter().map(issue).collect::<Vec<_>>()}))
    }

    fn answer(&self, call: &Request, store: &mut Store) -> Result<Reply, Reply> {
        self.try_answer(call, store)
    }

    /// Counts a request for a known client, by day, endpoint and success. A request without a valid key counts for
    /// nobody.
    fn note(&self, call: &Request, status: u16, store: &mut Store) {
        let Ok(client) = acting(call, store) else { return };
        if status == 401 {
            return;
        }
        let (endpoint, method, day) = (&call.template, &call.method, paris_day(call.now));
        let key = format!("{client} {method} {endpoint} {day}");
        let mut usage = store.get(USAGE, &key).cloned().unwrap_or_else(
            || json!({"client_id": client, "endpoint": endpoint, "method": method, "day": day, "good": 0, "bad": 0}),
        );
        let counted = if status < 400 { "good" } else { "bad" };
        usage[counted] = usage[counted].as_u64().unwrap_or(0).saturating_add(1).into();
        store.put(USAGE, key, usage);
    }

    fn no_such_operation(&self) -> Reply {
        Reply::new(404, json!({"detail": "Not Found"}))
    }

    fn reference(&self, record: &Value) -> Option<MandateRef> {
        Some(MandateRef::seqino(record["client_id"].as_str()?, record["id"].as_str()?))
    }

    fn step(&self, mandate: &Value, step: Step, _now: DateTime<Utc>) -> Option<Value> {
        let status = match step {
            Step::Sign if mandate["status"] == "created" || mandate["status"] == "processing" => {
                MandateStatus::AwaitingVerification
            }
            Step::Verify | Step::Activate => MandateStatus::Active,
            Step::Expire => MandateStatus::Expired,
            Step::Fail => MandateStatus::Invalid,
            Step::Sign | Step::Suspend | Step::Revoke => return None,
        };
        to_status(&self.vocabulary(), status)
    }

    fn dated_word(&self, mandate: &Value, now: DateTime<Utc>) -> Option<String> {
        let (starts, ends) = (instant(&mandate["start_date"]), instant(&mandate["end_date"]));
        match (text(mandate, "status"), starts, ends) {
            ("active", _, Some(ends)) if now >= ends => Some("active, end_date reached".into()),
            ("active", Some(starts), _) if now < starts => Some("active, start_date ahead".into()),
            _ => None,
        }
    }

    fn account(&self, mandate: &Value, _: &Store) -> Option<String> {
        mandate["directory_entry"]["siren"].as_str().map(|siren| format!("SIREN {siren}"))
    }

    fn open_page(&self, mandate: &Value, store: &Store, now: DateTime<Utc>) -> Option<String> {
        let tokens = store.all(LINKS).filter(|record| record["client_id"] == mandate["client_id"]);
        let mut tokens = tokens.map(|record| text(&record["link"], "link_id"));
        let waits = matches!(text(mandate, "status"), "created" | "processing" | "pending_kyc");
        let open = |token: &&str| self.page(store, token, now).is_some_and(|page| page.closed.is_none());
        tokens.find(open).filter(|_| waits).map(str::to_owned)
    }

    fn sample(&self, wanted: &Sample<'_>, call: Request, store: &mut Store) -> Option<Request> {
        let Sample::Mandate = wanted else { return None };
        let mut call = call;
        call.headers.insert("x-pdp-client-id", HeaderValue::from_static(SAMPLE));
        let shop = call.pages.replace("/seqino/pages/", "/_shop/ok");
        call.operation = "create_onboarding_link".into();
        call.body = json!({"include_kyc": true, "include_signature": true, "callback_url": shop});
        self.try_answer(&call, store).ok()?;
        call.operation = "create_mandate".into();
        let entry = json!({"siren": "123456789", "name": "Acme Corporation"});
        call.body = json!({"start_date": stamp(call.now), "end_date": null, "directory_entry": entry});
        Some(call)
    }

    fn page(&self, store: &Store, token: &str, now: DateTime<Utc>) -> Option<Page> {
        let record = store.get(LINKS, token)?;
        let link = &record["link"];
        let used = record["used"] == true;
        let back = Link::of(&link["callback_url"]);
        let why = if used {
            Some(Why::Used)
        } else {
            instant(&link["expires_at"]).filter(|until| now >= *until).map(|_| Why::Expired)
        };
        let client = store.get(CLIENTS, text(record, "client_id")).unwrap_or(&Value::Null);
        let yes = |key: &str| {
            let answer = if link[key] == true { Text { fr: "oui", en: "yes" } } else { Text { fr: "non", en: "no" } };
            Shown::Translated(answer)
        };
        Some(Page {
            title: Text { fr: "Accepter le mandat de facturation électronique", en: "Accept the e-invoicing mandate" },
            intro: Text {
                fr: "En acceptant, vous autorisez la plateforme à recevoir et à suivre vos factures électroniques en votre \
                     nom.",
                en: "By accepting you allow the platform to receive and track your electronic invoices in your name.",
            },
            terms: vec![
                (Text { fr: "Entreprise", en: "Company" }, Shown::text(text(client, "organization_name"))),
                (Text { fr: "Vérification d’identité (KYC)", en: "Identity check (KYC)" }, yes("includes_kyc")),
                (Text { fr: "Signature électronique", en: "Electronic signature" }, yes("includes_signature")),
            ],
            agree: Text { fr: "Accepter", en: "Accept" },
            carried: Vec::new(),
            closed: why.map(|why| Closed {
                why,
                back: back.clone(),
                result: used.then(|| back.map_or(Onward::Stay, Onward::Go)),
            }),
        })
    }

    fn decide(&self, store: &mut Store, token: &str, decision: Decision, _now: DateTime<Utc>) -> Option<Onward> {
        let record = store.get_mut(LINKS, token)?;
        let callback = Link::of(&record["link"]["callback_url"]);
        if decision == Decision::Cancel {
            return Some(Onward::Stay);
        }
        record["used"] = true.into();
        let record = record.clone();
        let has = |key: &str| record["link"][key] == true;
        let own = store.all(MANDATES).filter(|mandate| mandate["client_id"] == record["client_id"]);
        let own: Vec<String> = own.map(|mandate| text(mandate, "id").to_owned()).collect();
        for id in own {
            let Some(mandate) = store.get_mut(MANDATES, &id) else { continue };
            if has("includes_signature") && matches!(text(mandate, "status"), "created" | "processing") {
                mandate["status"] = "pending_kyc".into();
            }
            if has("includes_kyc") && mandate["status"] == "pending_kyc" {
                mandate["status"] = "active".into();
            }
        }
        Some(callback.map_or(Onward::Stay, Onward::Go))
    }
}
