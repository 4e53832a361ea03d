//! The HTTP interface of the sandbox under `/_control`, with which tests in any language control the sandbox. Requests
//! and responses are JSON. The method of [`Sandbox`](super::Sandbox) with the same name documents each control request.

use super::{
    ScriptedResponse, Step,
    fault::Fault,
    request::Reply,
    spec::is_personal,
    store::MANDATES,
    world::{Script, SimulatedVendor, World},
};
use crate::{
    debit::DebitRef,
    mandate::MandateRef,
    sepa::ReasonCode,
    vocabulary::{Error, ErrorKind, MandateStatus, Provider},
};
use chrono::{DateTime, Utc};
use hyper::Method;
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};
use std::{collections::BTreeMap, time::Duration};

/// The control requests that `GET /_control` lists, each with its effect.
const INDEX: &[(&str, &str)] = &[
    ("GET /_control/state", "returns every record, by vendor, kind and id, masked"),
    ("POST /_control/reset", "restores the initial state of the sandbox"),
    ("GET /_control/clock", "returns the time of the sandbox"),
    ("POST /_control/clock {\"advance_seconds\": 60}", "advances the clock of the sandbox"),
    ("POST /_control/clock {\"until\": \"2027-01-04T10:00:00Z\"}", "advances the clock to an instant"),
    ("GET /_control/vendors", "returns paths, credentials, operations and statuses, and the reasons of the banks"),
    (
        "GET /_control/overview",
        "returns the data of the page at /: mandates and debits with their possible steps, faults, scripts, requests. \
         ?search= selects mandates and debits",
    ),
    (
        "POST /_control/samples {\"mandate_at\": \"safedebit\"}",
        "creates a sample mandate by the vendor's own operation, and returns its reference",
    ),
    ("POST /_control/samples {\"debit_on\": \"safedebit:RUM-1\"}", "creates a sample debit on an active mandate"),
    ("GET /_control/mandates", "returns the reference and the vendor's word of each mandate"),
    (
        "POST /_control/mandates {\"mandate\": \"safedebit:RUM-1\", \"step\": \"sign\"}",
        "performs a step of the mandate: sign, verify, activate, suspend, expire, revoke or fail",
    ),
    (
        "POST /_control/mandates {\"mandate\": ..., \"status\": \"Suspended\"}",
        "sets the mandate to the vendor's word for this status",
    ),
    (
        "POST /_control/mandates {\"mandate\": ..., \"word\": \"brand_new\"}",
        "sets any word or JSON as the status of the mandate",
    ),
    ("POST /_control/mandates {\"mandate\": ..., \"forget\": true}", "deletes the mandate at the vendor"),
    (
        "GET /_control/debits",
        "returns each debit with its mandate, due date, word, reason of the bank, and signed notification",
    ),
    (
        "POST /_control/debits {\"debit\": \"safedebit:umr=RUM-1/sdd=SDD-1\", \"return\": \"AM04\"}",
        "rejects or returns a debit, with the reason of the bank",
    ),
    ("POST /_control/debits {\"debit\": ..., \"refund\": true}", "refunds a debit"),
    ("PATCH /_control/state/{vendor}/{kind}/{id}", "changes a record (JSON merge patch)"),
    ("GET, DELETE /_control/faults", "returns the number of faults; removes all faults"),
    (
        "POST /_control/faults {\"fault\": \"status\", \"status\": 503, ...}",
        "adds a fault. A status also takes with_body and retry_after. Other faults: reset, empty, truncated, html, \
         oversized (bytes), delay (milliseconds), two_bodies, byte_order_mark, latin1, field (name, value), merge \
         (patch), php_lists (empty), items (count), header (name, value), late_second_answer, stale_connection. Each \
         also takes after_effect, provider, operation, times, probability and seed",
    ),
    (
        "POST /_control/scripts {\"provider\": ..., \"operation\": ..., \"answers\": [{\"status\": 200, \"body\": {}}]}",
        "sets the responses to the next calls of an operation",
    ),
    ("DELETE /_control/scripts", "removes all scripted responses"),
    (
        "GET, DELETE /_control/journal",
        "returns the received requests, masked, with ?operation= only those of one operation; removes all requests",
    ),
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    advance_seconds: Option<u64>,
    until: Option<DateTime<Utc>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewSample {
    mandate_at: Option<Provider>,
    debit_on: Option<MandateRef>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MandateChange {
    mandate: MandateRef,
    step: Option<Step>,
    status: Option<MandateStatus>,
    #[serde(default, deserialize_with = "even_null")]
    word: Option<Value>,
    #[serde(default)]
    forget: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DebitChange {
    debit: DebitRef,
    #[serde(rename = "return")]
    reason: Option<ReasonCode>,
    #[serde(default)]
    refund: bool,
}

pub(super) fn even_null<'de, D: Deserializer<'de>>(d: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(d).map(Some)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewScript {
    provider: Provider,
    operation: String,
    answers: Vec<ScriptedResponse>,
}

/// A refusal of a control request: the HTTP status and the reason.
type Refused = (u16, String);

pub(super) fn answer(
    world: &mut World,
    method: &Method,
    path: &str,
    query: BTreeMap<String, String>,
    body: &[u8],
    host: &str,
) -> Reply {
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    let done = Ok(json!({"done": true}));
    let parameters: &[&str] = match (method.as_str(), parts.as_slice()) {
        ("GET", ["journal"]) => &["operation"],
        ("GET", ["overview"]) => &["search"],
        _ => &[],
    };
    let result = match (method.as_str(), parts.as_slice()) {
        // Without its misspelt filter, a request would select every record.
        _ if query.keys().any(|name| !parameters.contains(&name.as_str())) => {
            Err((400, "the control request does not take this query parameter. GET /_control shows its form".into()))
        }
        ("GET", [""]) => Ok(INDEX.iter().map(|(call, what)| json!({"call": call, "what": what})).collect()),
        ("GET", ["state"]) => {
            Ok(world.vendors.iter().map(|vendor| (vendor.provider.as_str().to_owned(), vendor.shown())).collect())
        }
        ("PATCH", ["state", vendor, kind, id]) => change(world, vendor, kind, id, body),
        ("POST", ["reset"]) => {
            world.reset();
            done
        }
        ("GET", ["clock"]) => Ok(json!({"now": world.clock.now()})),
        ("POST", ["clock"]) => read::<Advance>(body).and_then(|wanted| {
            world.clock.advance(ahead(&wanted, world.clock.now())?);
            Ok(json!({"now": world.clock.now()}))
        }),
        ("GET", ["vendors"]) => Ok(world.vendors_shown()),
        ("GET", ["overview"]) => Ok(world.overview(query.get("search").map_or("", String::as_str))),
        ("POST", ["samples"]) => read(body).and_then(|wanted| sample(world, wanted, host)),
        ("GET", ["mandates"]) => Ok(world
            .vendors
            .iter()
            .flat_map(|vendor| {
                vendor.store.all(MANDATES).filter_map(|record| {
                    let reference = vendor.simulation.reference(record)?;
                    Some(json!({"mandate": reference, "word": record["status"]}))
                })
            })
            .collect()),
        ("POST", ["mandates"]) => read(body).and_then(|wanted| mandate(world, wanted)).and(done),
        ("GET", ["debits"]) => Ok(world.debits()),
        ("POST", ["debits"]) => read(body).and_then(|wanted| debit(world, wanted)).and(done),
        ("GET", ["faults"]) => Ok(json!({"faults": world.faults.len()})),
        ("DELETE", ["faults"]) => {
            world.faults.clear();
            done
        }
        ("POST", ["faults"]) => read::<Fault>(body).and_then(|fault| {
            world.inject(fault).map_err(|why| (400, why))?;
            done
        }),
        ("DELETE", ["scripts"]) => {
            world.scripts.clear();
            done
        }
        ("POST", ["scripts"]) => read::<NewScript>(body).and_then(|script| {
            let NewScript { provider, operation, answers } = script;
            if answers.iter().any(|answer| !(200..600).contains(&answer.status)) {
                return Err((400, "the HTTP status of a response is a number from 200 to 599".into()));
            }
            world.script(provider, operation, answers).map_err(|why| (400, why))?;
            done
        }),
        ("GET", ["journal"]) => {
            let wanted = query.get("operation");
            let known = wanted.map_or(Ok(()), |operation| world.knows(None, operation));
            known.map_err(|why| (400, why)).and_then(|()| {
                let chosen = world.journal.iter().filter(|r| wanted.is_none() || r.operation.as_ref() == wanted);
                serde_json::to_value(chosen.collect::<Vec<_>>()).map_err(|e| (500, e.to_string()))
            })
        }
        ("DELETE", ["journal"]) => {
            world.journal.clear();
            done
        }
        _ => Err((404, "the sandbox has no such control request. GET /_control lists all control requests".into())),
    };
    match result {
        Ok(body) => Reply::new(200, body),
        Err((status, why)) => Reply::new(status, json!({"error": format!("sandbox: {why}")})),
    }
}

fn read<T: for<'a> Deserialize<'a>>(body: &[u8]) -> Result<T, Refused> {
    serde_json::from_slice(body)
        .map_err(|e| (400, format!("the body of the control request is not valid: {e}. GET /_control shows its form")))
}

fn error(e: Error) -> Refused {
    (if e.kind() == ErrorKind::NotFound { 404 } else { 409 }, e.to_string())
}

/// Returns the time by which to advance the clock.
fn ahead(wanted: &Advance, now: DateTime<Utc>) -> Result<Duration, Refused> {
    match *wanted {
        Advance { advance_seconds: Some(seconds), until: None } => Ok(Duration::from_secs(seconds)),
        Advance { advance_seconds: None, until: Some(until) } => (until - now).to_std().map_err(|_| {
            (409, "the clock is later already. The clock only advances. To set it back, reset the sandbox".into())
        }),
        _ => Err((400, "send exactly one of advance_seconds, until".into())),
    }
}

fn sample(world: &mut World, wanted: NewSample, host: &str) -> Result<Value, Refused> {
    let address = format!("http://{host}/");
    match (wanted.mandate_at, wanted.debit_on) {
        (Some(provider), None) => {
            world.new_mandate(provider, &address).map(|mandate| json!({"mandate": mandate})).map_err(error)
        }
        (None, Some(mandate)) => world.new_debit(&mandate, &address).map(|()| json!({"done": true})).map_err(error),
        _ => Err((400, "send exactly one of mandate_at, debit_on".into())),
    }
}

fn debit(world: &mut World, wanted: DebitChange) -> Result<(), Refused> {
    let DebitChange { debit, reason, refund } = wanted;
    if reason.is_some() == refund {
        return Err((400, "send exactly one of return, refund".into()));
    }
    world.bring_back(&debit, reason).map_err(error)
}

fn mandate(world: &mut World, wanted: MandateChange) -> Result<(), Refused> {
    let MandateChange { mandate, step, status, word, forget } = wanted;
    match (step, status, word, forget) {
        (Some(step), None, None, false) => world.step(&mandate, step).map_err(error),
        // An unknown text parses as `Unrecognized`, so refuse it here.
        (None, Some(MandateStatus::Unrecognized), None, false) => {
            let all: Vec<&str> = MandateStatus::ALL.iter().map(|status| status.as_str()).collect();
            Err((400, format!("the status of a mandate is one of {}. For any other word use `word`", all.join(", "))))
        }
        (None, Some(status), None, false) => world.set_status(&mandate, status).map_err(error),
        (None, None, Some(word), false) => world.edit(&mandate, |record| record["status"] = word).map_err(error),
        (None, None, None, true) => world.forget(&mandate).map_err(error),
        _ => Err((400, "the body needs exactly one of step, status, word, forget".into())),
    }
}

fn change(world: &mut World, vendor: &str, kind: &str, id: &str, body: &[u8]) -> Result<Value, Refused> {
    let patch: Value = read(body)?;
    if !patch.is_object() {
        return Err((400, "the body is not an object. Send the fields to change as an object".into()));
    }
    let id = percent_encoding::percent_decode_str(id).decode_utf8_lossy();
    let missing = || (404, "the sandbox has no such record. GET /_control/state lists all records".to_owned());
    let vendor = world.named(vendor).ok_or_else(missing)?;
    let record = vendor.store.get_mut(kind, &id).ok_or_else(missing)?;
    merge(record, patch);
    Ok(vendor.spec.masked(record))
}

/// Applies a JSON merge patch (RFC 7396) to a value.
pub(super) fn merge(into: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *into = patch;
        return;
    };
    if !into.is_object() {
        *into = json!({});
    }
    let Some(fields) = into.as_object_mut() else { return };
    for (name, value) in patch {
        if value.is_null() {
            fields.remove(&name);
        } else {
            merge(fields.entry(name).or_insert(Value::Null), value);
        }
    }
}

impl SimulatedVendor {
    /// Returns every record of the sandbox, by kind and id, without personal data.
    fn shown(&self) -> Value {
        let id = |(place, id): (usize, &String)| match is_personal(id) {
            true => format!("(masked id {})", place + 1),
            false => id.clone(),
        };
        let shown = |records: &BTreeMap<String, Value>| -> Value {
            let ids = records.keys().enumerate().map(id);
            ids.zip(records.values().map(|record| self.spec.masked(record))).collect()
        };
        self.store.kinds().map(|(kind, records)| (kind.to_owned(), shown(records))).collect()
    }
}

impl World {
    pub fn script(
        &mut self,
        provider: Provider,
        operation: String,
        answers: Vec<ScriptedResponse>,
    ) -> Result<(), String> {
        self.knows(Some(provider), &operation)?;
        self.scripts.push(Script { provider, operation, answers: answers.into() });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    /// The documentation of the module must list every control request that `GET /_control` lists.
    #[test]
    fn every_control_request_is_documented() {
        let documented = include_str!("mod.rs");
        for (call, _) in super::INDEX {
            let (call, body) = call.split_once(" {\"").unwrap_or((call, ""));
            let (methods, path) = call.rsplit_once(' ').unwrap();
            for method in methods.split(", ") {
                assert!(documented.contains(&format!("`{method} {path}`")), "{method} {path}");
            }
            // Check that the documentation contains each JSON key in the body of the control request.
            for part in body.split('"').filter(|part| part.chars().all(|c| c.is_ascii_lowercase()) && part.len() > 3) {
                assert!(documented.contains(part), "{part}");
            }
        }
    }
}
