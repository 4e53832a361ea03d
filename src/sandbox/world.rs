//! The state of a sandbox, and the processing of a request. This module does no I/O.

use super::{
    ScriptedResponse, Simulation, VirtualClock,
    fault::{Fault, What},
    page::{Decision, Onward, Page},
    request::{Reply, Request},
    spec::Spec,
    store::{MANDATES, Store},
};
use crate::{
    mandate::MandateRef,
    vocabulary::{Provider, similar},
    wire,
};
use chrono::{DateTime, Utc};
use hyper::header::ALLOW;
use serde::Serialize;
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

pub(crate) struct World {
    pub vendors: Vec<SimulatedVendor>,
    pub faults: Vec<Fault>,
    pub scripts: Vec<Script>,
    pub journal: VecDeque<Received>,
    /// The number of requests since the start of the sandbox.
    pub received: u64,
    pub clock: Arc<VirtualClock>,
    seed: u64,
}

pub(crate) struct SimulatedVendor {
    pub provider: Provider,
    pub spec: &'static Spec,
    pub simulation: &'static dyn Simulation,
    pub store: Store,
}

impl SimulatedVendor {
    pub fn new(provider: Provider, spec: &'static Spec, simulation: &'static dyn Simulation) -> Self {
        Self { provider, spec, simulation, store: Store::new(0) }
    }
}

impl SimulatedVendor {
    /// Performs a valid call. The request and the response have the keys of the user's spec.
    fn answer(&mut self, call: &mut Request) -> Reply {
        if let Some(example) = self.spec.patched.then(|| self.spec.added(&call.operation)).flatten() {
            return example;
        }
        let received = (call.body.clone(), call.query.clone(), call.path.clone());
        self.spec.keep_documented(call);
        if self.spec.patched {
            self.spec.in_our_keys(call);
        }
        let mut reply = self.simulation.answer(call, &mut self.store).unwrap_or_else(|refused| refused);
        (call.body, call.query, call.path) = received;
        if self.spec.patched {
            self.spec.in_their_keys(&call.operation, &mut reply);
        }
        reply
    }
}

/// The responses to the next calls of an operation, in their order.
pub(crate) struct Script {
    pub provider: Provider,
    pub operation: String,
    pub answers: VecDeque<ScriptedResponse>,
}

/// A request that the sandbox received. Personal and secret values are masked.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Received {
    /// The time of the request on the clock of the sandbox.
    pub at: DateTime<Utc>,
    /// The vendor to which the request was sent.
    pub provider: Provider,
    /// The id of the operation in the spec. `None` if no operation has this path and method.
    pub operation: Option<String>,
    /// The parameters in the path and the query, and the header with the id of Seqino's client.
    pub parameters: BTreeMap<String, Value>,
    /// The body of the request. Null if the request had none.
    pub body: Value,
    /// The HTTP status of the response, or 0 if the sandbox closed the connection without a complete response.
    pub status: u16,
    /// The errors for which the sandbox refused the request.
    pub violations: Vec<String>,
}

/// The maximum number of requests in the journal of the sandbox.
const LONGEST_JOURNAL: usize = 100_000;

impl World {
    pub fn new(vendors: Vec<SimulatedVendor>, clock: Arc<VirtualClock>, seed: u64) -> Self {
        let mut world = Self {
            vendors,
            faults: Vec::new(),
            scripts: Vec::new(),
            journal: VecDeque::new(),
            received: 0,
            clock,
            seed,
        };
        world.reset();
        world
    }

    /// Restores the initial state of the sandbox.
    pub fn reset(&mut self) {
        for vendor in &mut self.vendors {
            vendor.store = Store::new(self.seed);
            vendor.simulation.begin(&mut vendor.store);
        }
        self.faults.clear();
        self.scripts.clear();
        self.journal.clear();
        self.clock.reset();
    }

    pub fn vendor(&mut self, provider: Provider) -> Option<&mut SimulatedVendor> {
        self.vendors.iter_mut().find(|vendor| vendor.provider == provider)
    }

    pub fn named(&mut self, name: &str) -> Option<&mut SimulatedVendor> {
        self.vendors.iter_mut().find(|vendor| vendor.provider.as_str() == name)
    }

    /// Returns an error if no vendor has the operation, or not this vendor. The error names similar operations.
    pub fn knows(&self, provider: Option<Provider>, operation: &str) -> Result<(), String> {
        let vendors = self.vendors.iter().filter(|vendor| provider.is_none_or(|wanted| wanted == vendor.provider));
        let all: BTreeSet<&str> = vendors.flat_map(|vendor| vendor.spec.operations()).collect();
        if all.contains(operation) {
            return Ok(());
        }
        let near: Vec<String> = similar(operation, all).iter().take(3).map(|name| format!("`{name}`")).collect();
        let meant = if near.is_empty() { String::new() } else { format!(" Did you mean {}?", near.join(" or ")) };
        let who = provider.map_or_else(|| "no vendor has an".into(), |vendor| format!("{vendor} has no"));
        Err(format!("{who} operation `{operation}`.{meant} GET /_control/vendors lists the operations"))
    }

    /// Adds a fault, unless it is limited to an unknown operation.
    pub fn inject(&mut self, fault: Fault) -> Result<(), String> {
        if let (provider, Some(operation)) = fault.aim() {
            self.knows(provider, operation)?;
        }
        self.faults.push(fault);
        Ok(())
    }

    /// Returns the number of requests in the journal for an operation.
    pub fn count(&self, operation: &str) -> Result<usize, String> {
        self.knows(None, operation)?;
        Ok(self.journal.iter().filter(|request| request.operation.as_deref() == Some(operation)).count())
    }

    /// Processes a request. Returns the response and the fault that applies to the response, or `None` for an unknown
    /// vendor.
    pub fn receive(
        &mut self,
        vendor: &str,
        method: &str,
        path: &str,
        mut call: Request,
    ) -> Option<(Reply, Option<What>)> {
        (call.now, call.method) = (self.clock.now(), method.to_owned());
        let Self { vendors, faults, scripts, journal, received, .. } = self;
        let vendor = vendors.iter_mut().find(|known| known.provider.as_str() == vendor)?;
        let (provider, simulation) = (vendor.provider, vendor.simulation);
        let mut violations = Vec::new();
        let (reply, fault) = match vendor.spec.find(method, path) {
            None => match vendor.spec.methods(path) {
                methods if methods.is_empty() => (simulation.no_such_operation(), None),
                methods => (Reply { header: Some((ALLOW, methods.join(", "))), ..Reply::empty(405) }, None),
            },
            Some((route, path)) => {
                (call.operation, call.template, call.path) = (route.operation.clone(), route.template(), path);
                let mut strike = |after| {
                    let mut struck = faults.iter_mut().filter_map(|fault| {
                        fault.applies(provider, &route.operation, after).then(|| fault.what.clone())
                    });
                    struck.next()
                };
                let before = strike(false);
                let script = scripts.iter_mut().find(|script| {
                    script.provider == provider && script.operation == call.operation && !script.answers.is_empty()
                });
                let reply = if before.as_ref().is_some_and(|what| !what.has_an_answer()) {
                    Reply::empty(200)
                } else if let Some(answer) = script.and_then(|script| script.answers.pop_front()) {
                    Reply { body: answer.body, ..Reply::empty(answer.status) }
                } else {
                    let reply = match simulation.admit(&call, &vendor.store) {
                        Err(refused) => refused,
                        Ok(()) => {
                            let found = vendor.spec.violations(route, &call);
                            violations.extend(
                                found.iter().map(|broken| format!("{}: {}", broken.place.join("."), broken.what)),
                            );
                            match found.as_slice() {
                                [] => vendor.answer(&mut call),
                                found => simulation.invalid(&call, found),
                            }
                        }
                    };
                    simulation.note(&call, reply.status, &mut vendor.store);
                    reply
                };
                (reply, before.or_else(|| strike(true)))
            }
        };
        let operation = (!call.operation.is_empty()).then_some(call.operation);
        let client = call.headers.get("x-pdp-client-id").and_then(|value| value.to_str().ok());
        let client = client.map(|client| ("X-PDP-Client-Id".to_owned(), client.to_owned()));
        let parameters = call.path.into_iter().chain(call.query).chain(client);
        *received += 1;
        journal.push_back(Received {
            at: call.now,
            provider,
            operation,
            parameters: parameters
                .map(|(name, value)| (wire::safe_key(&name), vendor.spec.shown(&name, &value.into())))
                .collect(),
            body: vendor.spec.masked(&call.body),
            status: match &fault {
                Some(What::Reset | What::Truncated) => 0,
                Some(What::Status { status, .. }) => *status,
                Some(What::Html | What::Oversized(_)) => 200,
                _ => reply.status,
            },
            violations,
        });
        if journal.len() > LONGEST_JOURNAL {
            journal.pop_front();
        }
        Some((reply, fault))
    }

    /// Returns the page behind a link.
    pub fn page(&mut self, vendor: &str, token: &str) -> Option<Page> {
        let now = self.clock.now();
        let vendor = self.named(vendor)?;
        vendor.simulation.page(&vendor.store, token, now)
    }

    /// Applies the decision that a person made on a page. The page must still accept decisions.
    pub fn decide(&mut self, vendor: &str, token: &str, decision: Decision) -> Option<Onward> {
        let now = self.clock.now();
        let vendor = self.named(vendor)?;
        vendor.simulation.decide(&mut vendor.store, token, decision, now)
    }

    /// Returns the record of a mandate.
    pub fn mandate(&mut self, reference: &MandateRef) -> Option<&mut Value> {
        self.vendor(reference.provider())?.store.get_mut(MANDATES, reference.id())
    }
}
