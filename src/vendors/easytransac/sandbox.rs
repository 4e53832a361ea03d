//! Simulates Easytransac.
//!
//! The documentation is silent on these points, so we decided them:
//!
//! - A mandate starts as `pending` and becomes `active` after the signature.
//! - The body of an error is `{"success": false, "date": ..., "code": ...}`. The code is 5 for a missing field and 101
//!   for any other violation of the spec.
//! - A token lasts 300 seconds.
//! - A payment is `captured` immediately. An `orderId` in use is refused with 400.
//! - A customer's `uid` for another person overwrites nothing, because no operation reads a customer back.

use super::Config;
use crate::{
    mandate::MandateRef,
    sandbox::{MANDATES, Reply, Request, Sandbox, SimulatedVendor, Simulation, Spec, Step, Store, Violation, word_for},
    vocabulary::{MandateStatus, Provider, VocabularyRow},
};
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::{Value, json};
use std::sync::LazyLock;

/// The example key of the vendor's documentation.
const KEY: &str = "et_test_abcabcabc12-abcabc12-abcabc12-abcabc12-abcabc12-abcabc12";

/// Easytransac, with an empty store.
pub(crate) fn simulated() -> SimulatedVendor {
    static DOCUMENT: LazyLock<Spec> = LazyLock::new(|| Spec::read(super::SPEC));
    SimulatedVendor::new(Provider::Easytransac, &DOCUMENT, &Simulated)
}

impl Sandbox {
    /// The configuration for Easytransac as simulated here.
    pub fn easytransac(&self) -> Config {
        Config::new(self.base_url(Provider::Easytransac), KEY)
    }
}

const LIFETIME: TimeDelta = TimeDelta::seconds(300);

const TOKENS: &str = "tokens";
const TRANSACTIONS: &str = "transactions";
const ORDER: &str = "order-1";

/// RFC 3339 with an offset, 25 characters.
fn atom(instant: DateTime<Utc>) -> String {
    instant.to_rfc3339_opts(SecondsFormat::Secs, false)
}

fn good(call: &Request, data: &Value) -> Reply {
    Reply::new(200, json!({"success": true, "date": atom(call.now), "data": data}))
}

fn refused(status: u16, call: &Request) -> Reply {
    Reply::new(status, json!({"success": false, "date": atom(call.now)}))
}

/// Creates a payment, captured immediately.
fn transaction(call: &Request, store: &mut Store) -> Result<Value, Reply> {
    let order = call.text("orderId");
    // All samples of the vendor use the same `orderId`, so it may be repeated.
    if order.is_some_and(|order| order != ORDER)
        && store.all(TRANSACTIONS).any(|known| known["orderId"].as_str() == order)
    {
        return Err(refused(400, call));
    }
    // A number of more than 64 bits could not be returned as a whole number.
    let amount = call.body["amount"].as_u64().ok_or_else(|| refused(400, call))?;
    let letters = store.random(12).to_uppercase();
    let tid = [&letters[..4], &letters[4..8], &letters[8..]].join("-");
    let mut transaction = json!({
        "tid": tid,
        "status": "captured",
        "amount": amount,
        "dateCreated": atom(call.now),
    });
    if let Some(order) = order {
        transaction["orderId"] = order.into();
    }
    if call.operation == "init_open_banking" {
        let link = format!("https://api.sandbox.easytransac.com/v2/public/transaction/{tid}/redirect");
        transaction["redirectUrl"] = link.into();
    }
    Ok(store.put(TRANSACTIONS, tid, transaction))
}

pub(crate) struct Simulated;

impl Simulation for Simulated {
    fn vocabulary(&self) -> Vec<VocabularyRow> {
        super::adapter::vocabulary()
    }

    fn credentials(&self) -> &'static [(&'static str, &'static str)] {
        &[("apiKey", KEY)]
    }

    fn begin(&self, store: &mut Store) {
        let (mandate, tid, date) = ("abcabcabcabcabcabc12", "ABC1-ABC1-ABC1", "2024-12-31T23:59:59+02:00");
        store.put(MANDATES, mandate, json!({"mandateId": mandate, "status": "active", "dateCreated": date}));
        store.put(
            TRANSACTIONS,
            tid,
            json!({"tid": tid, "status": "captured", "amount": 1000, "dateCreated": date, "orderId": ORDER}),
        );
    }

    fn admit(&self, call: &Request, store: &Store) -> Result<(), Reply> {
        let token = call.header("authorization").and_then(|header| header.strip_prefix("Bearer "));
        let until = token.and_then(|token| store.get(TOKENS, token)).and_then(Value::as_i64);
        let valid = until.is_some_and(|until| call.now.timestamp() < until);
        if valid || call.operation == "generate_token" { Ok(()) } else { Err(refused(401, call)) }
    }

    fn invalid(&self, call: &Request, violations: &[Violation]) -> Reply {
        let missing = violations.iter().any(|violation| violation.missing);
        let code = if missing { 5 } else { 101 };
        Reply::new(400, json!({"success": false, "date": atom(call.now), "code": code}))
    }

    fn answer(&self, call: &Request, store: &mut Store) -> Result<Reply, Reply> {
        let mandate = call.path.get("mandateId").map(String::as_str).unwrap_or_default();
        Ok(match call.operation.as_str() {
            "generate_token" if call.text("apiKey") == Some(KEY) => {
                let (token, until) = (format!("sandbox.token.{}", store.random(20)), call.now + LIFETIME);
                store.put(TOKENS, &token, until.timestamp().into());
                let data = json!({"token": token, "expiresIn": LIFETIME.num_seconds(), "expiresDate": atom(until)});
                good(call, &data)
            }
            "generate_token" => refused(401, call),
            "create_mandate" => {
                let id = store.random(20);
                let mandate = json!({"mandateId": id, "status": "pending", "dateCreated": atom(call.now)});
                good(call, &store.put(MANDATES, id, mandate))
            }
            "get_mandate_status" => good(call, store.get(MANDATES, mandate).ok_or_else(|| refused(404, call))?),
            "debit_mandate" => match store.get(MANDATES, mandate).ok_or_else(|| refused(404, call))? {
                mandate if mandate["status"] == "active" => good(call, &transaction(call, store)?),
                _ => refused(400, call),
            },
            "init_open_banking" => good(call, &transaction(call, store)?),
            "get_transaction_status" => {
                let wanted = |transaction: &&Value| {
                    ["tid", "orderId"].iter().any(|key| {
                        let value = call.query.get(*key).filter(|value| !value.is_empty());
                        value.is_some_and(|value| transaction[*key] == value.as_str())
                    })
                };
                good(call, store.all(TRANSACTIONS).find(wanted).ok_or_else(|| refused(404, call))?)
            }
            _ => self.no_such_operation(),
        })
    }

    fn no_such_operation(&self) -> Reply {
        Reply::empty(404)
    }

    fn reference(&self, record: &Value) -> Option<MandateRef> {
        Some(MandateRef::easytransac(record["mandateId"].as_str()?))
    }

    fn step(&self, _: &Value, step: Step) -> Option<Value> {
        let status = match step {
            Step::Sign | Step::Activate => MandateStatus::Active,
            Step::Revoke | Step::Fail => MandateStatus::Invalid,
            Step::Verify | Step::Suspend | Step::Expire => return None,
        };
        word_for(&self.vocabulary(), status)
    }
}
