//! Simulates Easytransac.
//!
//! Easytransac does not document these points. The sandbox behaves as follows:
//!
//! - A mandate starts as `pending` and becomes `active` after the signature.
//! - The body of an error is `{"success": false, "date": ..., "code": ...}`. The code is 5 for a missing field and 101
//!   for any other violation of the spec. A `message` then has the details.
//! - A token lasts 300 seconds. A response 401 names the scheme `Bearer`.
//! - A search with both `tid` and `orderId` finds a transaction that has both.
//! - A PayByBank payment is `captured` immediately. An `orderId` in use is refused with 400.
//! - A debit is due on the first business day of TARGET for which a presentation is in time. The debit is `pending`,
//!   and `captured` from the business day after its due date. A returned debit is `failed`, and a refunded debit
//!   `refunded`.
//! - A notification about a debit has the reason of the bank: its label as `Error`, its code in `AdditionalError`. No
//!   page shows the place of the reason in V2.
//! - A customer's `uid` for another person overwrites nothing, because no operation reads a customer back.

use super::Config;
use crate::{
    debit::DebitRef,
    mandate::MandateRef,
    sandbox::{
        Course, Debit, Debits, MANDATES, Reply, Request, Sample, Sandbox, SimulatedVendor, Simulation, Spec, Step,
        Store, Violation, WayBack, ends, to_status,
    },
    sepa::{LeadTimes, ReasonCode, Scheme, earliest_due_date, paris_time},
    vocabulary::{MandateStatus, Provider, VocabularyRow},
    wire::AmountCents,
};
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::{Value, json};
use std::sync::LazyLock;

/// The example API key in the vendor's documentation.
const KEY: &str = "et_test_abcabcabc12-abcabc12-abcabc12-abcabc12-abcabc12-abcabc12";

/// Returns a simulated Easytransac with an empty store.
pub(crate) fn simulated() -> SimulatedVendor {
    static DOCUMENT: LazyLock<Spec> =
        LazyLock::new(|| Spec::read(include_str!(concat!(env!("OUT_DIR"), "/easytransac.sandbox.json"))));
    SimulatedVendor::new(Provider::Easytransac, &DOCUMENT, &Simulated)
}

impl Sandbox {
    /// Returns the configuration that connects a client to the simulated Easytransac.
    pub fn easytransac(&self) -> Config {
        Config::new(self.base_url(Provider::Easytransac), KEY)
    }
}

const LIFETIME: TimeDelta = TimeDelta::seconds(300);

const TOKENS: &str = "tokens";
const TRANSACTIONS: &str = "transactions";
/// The IBANs of the mandates, by the id of the mandate. No response of the vendor shows them.
const DEBTORS: &str = "debtors";
const ORDER: &str = "order-1";

/// Formats an instant by RFC 3339 with an offset, in 25 characters.
fn atom(instant: DateTime<Utc>) -> String {
    instant.to_rfc3339_opts(SecondsFormat::Secs, false)
}

fn good(call: &Request, data: &Value) -> Reply {
    Reply::new(200, json!({"success": true, "date": atom(call.now), "data": data}))
}

fn refused(status: u16, call: &Request) -> Reply {
    Reply::new(status, json!({"success": false, "date": atom(call.now)})).challenge("Bearer")
}

/// Creates a payment: a transfer, which is captured immediately, or a debit on a mandate.
fn transaction(call: &Request, store: &mut Store, mandate: Option<&str>) -> Result<Value, Reply> {
    let order = call.text("orderId");
    // All samples of the vendor use the same `orderId`, so this `orderId` may be repeated.
    if order.is_some_and(|order| order != ORDER)
        && store.all(TRANSACTIONS).any(|known| known["orderId"].as_str() == order)
    {
        return Err(refused(400, call));
    }
    // The sandbox cannot return an amount of more than 64 bits as a whole number, so refuse it.
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
    match mandate {
        Some(mandate) => {
            let lead = LeadTimes { pre_notification: 0, ..LeadTimes::default() };
            transaction["status"] = "pending".into();
            transaction["mandateId"] = mandate.into();
            transaction["due"] = json!(earliest_due_date(call.now, Scheme::Core, &lead));
        }
        None => {
            let link = format!("https://api.sandbox.easytransac.com/v2/public/transaction/{tid}/redirect");
            transaction["redirectUrl"] = link.into();
        }
    }
    Ok(aged(&store.put(TRANSACTIONS, tid, transaction), call.now))
}

/// Returns the state of a debit by the calendar. Returns `None` for a transfer, and for a debit that has ended.
fn course(transaction: &Value, now: DateTime<Utc>) -> Option<Course> {
    let due = transaction["due"].as_str()?.parse().ok()?;
    matches!(transaction["status"].as_str(), Some("pending" | "captured")).then(|| Course::of(due, now))
}

/// Returns a transaction in the vendor's form, with its status at `now`.
fn aged(transaction: &Value, now: DateTime<Utc>) -> Value {
    let mut shown = transaction.clone();
    if transaction["status"] == "pending" && course(transaction, now) == Some(Course::Collected) {
        shown["status"] = "captured".into();
    }
    if let Some(fields) = shown.as_object_mut() {
        fields.retain(|key, _| !["mandateId", "due", "reason", "back"].contains(&key.as_str()));
    }
    shown
}

/// Writes a time in the form of notifications: local time in Paris.
fn local(instant: DateTime<Utc>) -> String {
    paris_time(instant).format("%F %T").to_string()
}

/// Returns the signed notification about a debit.
fn notification(debit: &Value, now: DateTime<Utc>) -> Option<String> {
    debit["mandateId"].as_str()?;
    let amount = AmountCents::from_cents(debit["amount"].as_u64()?).to_string();
    let mut fields = json!({
        "OperationType": "debit", "Tid": debit["tid"], "OrderId": debit["orderId"], "Test": "yes",
        "Status": aged(debit, now)["status"], "Date": local(now), "Amount": amount, "Currency": "EUR",
    });
    if let Some(code) = debit["reason"].as_str() {
        fields["Error"] = ReasonCode::from(code).label().into();
        fields["AdditionalError"] = json!([code]);
    }
    for (name, date) in debit["back"].as_object().into_iter().flatten() {
        fields[name] = date.clone();
    }
    let fields = fields.as_object()?.iter().filter(|(_, value)| !value.is_null());
    super::sign_notification(fields.map(|(name, value)| (name.clone(), value.clone())).collect(), KEY).ok()
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
        let until = call.credentials("Bearer").and_then(|token| store.get(TOKENS, token)).and_then(Value::as_i64);
        let valid = until.is_some_and(|until| call.now.timestamp() < until);
        if valid || call.operation == "generate_token" { Ok(()) } else { Err(refused(401, call)) }
    }

    fn invalid(&self, call: &Request, violations: &[Violation]) -> Reply {
        let missing = violations.iter().any(|violation| violation.missing);
        let code = if missing { 5 } else { 101 };
        let message = format!("sandbox: {}", Violation::describe(violations));
        Reply::new(400, json!({"success": false, "date": atom(call.now), "code": code, "message": message}))
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
                store.put(DEBTORS, &id, json!({"iban": call.body["iban"]}));
                let mandate = json!({"mandateId": id, "status": "pending", "dateCreated": atom(call.now)});
                good(call, &store.put(MANDATES, id, mandate))
            }
            "get_mandate_status" => good(call, store.get(MANDATES, mandate).ok_or_else(|| refused(404, call))?),
            "debit_mandate" => match store.get(MANDATES, mandate).ok_or_else(|| refused(404, call))? {
                record if record["status"] == "active" => good(call, &transaction(call, store, Some(mandate))?),
                _ => refused(400, call),
            },
            "init_open_banking" => good(call, &transaction(call, store, None)?),
            "get_transaction_status" => {
                let wanted = |transaction: &&Value| {
                    let mut given = call.query.iter();
                    !call.query.is_empty() && given.all(|(key, value)| transaction[key] == value.as_str())
                };
                let found = store.all(TRANSACTIONS).find(wanted).ok_or_else(|| refused(404, call))?;
                good(call, &aged(found, call.now))
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

    fn step(&self, mandate: &Value, step: Step, _now: DateTime<Utc>) -> Option<Value> {
        let status = match step {
            Step::Sign if mandate["status"] == "pending" => MandateStatus::Active,
            Step::Activate => MandateStatus::Active,
            Step::Revoke | Step::Fail => MandateStatus::Invalid,
            Step::Sign | Step::Verify | Step::Suspend | Step::Expire => return None,
        };
        to_status(&self.vocabulary(), status)
    }

    fn account(&self, mandate: &Value, store: &Store) -> Option<String> {
        store.get(DEBTORS, mandate["mandateId"].as_str()?)?["iban"].as_str().and_then(ends)
    }

    fn sample(&self, wanted: &Sample<'_>, call: Request, store: &mut Store) -> Option<Request> {
        let order = format!("sample-{}", store.count(TRANSACTIONS) + 1);
        Some(match wanted {
            Sample::Mandate => Request {
                operation: "create_mandate".into(),
                body: json!({"iban": "FR7630001007941234567890185"}),
                ..call
            },
            Sample::Debit(mandate) => Request {
                operation: "debit_mandate".into(),
                path: [("mandateId".to_owned(), mandate["mandateId"].as_str()?.to_owned())].into(),
                body: json!({"amount": 1250, "orderId": order}),
                ..call
            },
        })
    }

    fn debits(&self) -> Option<Debits> {
        Some(Debits {
            vocabulary: super::debit::vocabulary,
            kind: TRANSACTIONS,
            read: |record, now| {
                let (id, order) = (record["tid"].as_str()?, record["orderId"].as_str());
                let references = std::iter::once(DebitRef::easytransac(id));
                Some(Debit {
                    id: id.to_owned(),
                    references: references.chain(order.map(DebitRef::easytransac_order)).collect(),
                    mandate: MandateRef::easytransac(record["mandateId"].as_str()?),
                    amount: record["amount"].as_u64(),
                    due: record["due"].as_str()?.parse().ok()?,
                    word: aged(record, now)["status"].as_str()?.to_owned(),
                    course: course(record, now),
                })
            },
            bring_back: |record, way, now| {
                let (word, back) = match way {
                    WayBack::Rejected(_) => ("failed", json!({})),
                    WayBack::Returned(_) => ("failed", json!({"DateChargeback": local(now)})),
                    WayBack::Refunded => ("refunded", json!({"DateRefund": local(now)})),
                };
                record["status"] = word.into();
                record["back"] = back;
                record["reason"] = json!(way.reason().map(ReasonCode::as_str));
            },
            notification,
        })
    }
}
