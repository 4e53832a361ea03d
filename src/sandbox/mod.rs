//! Simulates the vendors on loopback, for your tests and for a first look. You need no account and no network.
//!
//! A [`Sandbox`] keeps mandates, clients and tokens like a vendor. It accepts the requests that the specs describe,
//! and refuses wrong credentials like each vendor. A test can change the status of a mandate. Each sandbox is
//! independent: it has its own port and its own state. It stops when it is dropped. It starts in a fraction of a
//! millisecond, so each test can have its own sandbox.
//!
//! # Test a revocation by the debtor
//!
//! ```
//! # #[cfg(feature = "safedebit")]
//! # mod example {
//! use chrono::Utc;
//! use mandat::{Error, Facts, LastCollection, Mandate, MandateRef, Mandates, Verdict, sandbox::Sandbox};
//! use std::time::Duration;
//!
//! /// The code under test: it asks for a verdict before a collection.
//! async fn may_i_collect(mandates: &Mandates, reference: &MandateRef, facts: &Facts) -> Result<bool, Error> {
//!     let mandate = mandates.status(reference).await?;
//!     Ok(mandate.may_collect(facts, Utc::now()) == Verdict::Allowed)
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # pub async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let sandbox = Sandbox::start().await?;
//! let mandates = sandbox.mandates();
//! let request = mandates.safedebit()?.create_mandate().body_map(|body| {
//!     body.safedebit_consumer_reference(Sandbox::CONSUMER)
//!         .url_ok("https://example.com/ok")
//!         .url_ko("https://example.com/ko")
//!         .url_cancel("https://example.com/cancel")
//!         .umr("RUM-2026-0042")
//! });
//! let reference = Mandate::from(&request.send().await?).reference;
//! let facts = Facts {
//!     signed_on: Some(mandat::sepa::paris_day(Utc::now())),
//!     signature_confirmed: Some(true),
//!     last_collection: LastCollection::Never,
//!     revoked_by_debtor: Some(false),
//!     one_off_used: Some(false),
//!     max_age: Duration::from_secs(60),
//!     last_acknowledged: None,
//! };
//!
//! // Nobody has signed yet.
//! assert!(!may_i_collect(&mandates, &reference, &facts).await?);
//! sandbox.sign(&reference)?;
//! assert!(may_i_collect(&mandates, &reference, &facts).await?);
//! sandbox.revoke(&reference)?;
//! assert!(!may_i_collect(&mandates, &reference, &facts).await?);
//! # Ok(())
//! # }
//! # }
//! # #[cfg(feature = "safedebit")]
//! # example::main().unwrap();
//! ```
//!
//! # Behaviour that a vendor does not document
//!
//! If a vendor does not document a behaviour, the sandbox does the simplest plausible thing. The first lines of each
//! `src/vendors/<vendor>/sandbox.rs` list these decisions. The sandbox is as strict as the spec: it refuses each
//! request that breaks the spec, each word that the spec does not list, and a parameter that a request has twice. A field
//! or query parameter that the spec does not list has no effect.
//!
//! The sandbox follows your own spec in `MANDAT_SPECS` (see [When a vendor changes](crate::book::changes)). Keys have
//! their new names, an added required field of a response has the value of the example, and an added operation returns
//! its example. The records of the sandbox keep the keys of this crate's spec.
//!
//! A response of the sandbox is no evidence for the behaviour of a vendor. Each response has the header `Server:
//! mandat-sandbox`. The text of a refusal that the vendor does not document begins with `sandbox:`, and its code at
//! SafeDebit with `SANDBOX_`.
//!
//! # Pages
//!
//! The page at `/` shows the mandates, debits, the clock and the requests, live and masked. It has a button or a form
//! for each control request, so that a demonstration needs no other program. Its buttons "New at ..." and "Debit"
//! create sample records. After the signature of a sample the browser goes to `/_shop/ok`, which stands for the site of
//! a merchant.
//!
//! Some responses contain a link: SafeDebit's `signature_url`, its links for transfers and beneficiaries, and Seqino's
//! `onboarding_url`. Each link leads to a page of the sandbox at `/<vendor>/pages/<token>`. The page is in French or
//! English: `?lang=` or the browser's languages decide. Without a browser, post `decision=agree` or `decision=cancel`
//! to the page as a form. The page then redirects to the address that the request named, if it is an `http` or `https`
//! address. Otherwise it shows that the decision was made.
//!
//! SafeDebit's link is valid for one day and one signature. Its page posts UMR, IBAN and BIC to `url_ok`. Seqino's
//! link is valid for a week. A link that has expired or was used gets a response 410. A second click on the button
//! shows the result of the first. An unknown link gets 404, another method than GET, HEAD and POST 405. A page shows no
//! complete IBAN and no e-mail address. Only the hidden form of SafeDebit's page has the IBAN, because the browser
//! posts it to `url_ok`.
//!
//! # From other programs
//!
//! `mandat sandbox` (feature `cli`) runs a sandbox as a program. It prints the address and the credentials of each
//! vendor. The program and a [`Sandbox`] both accept control requests under `/_control`, as JSON. The response is also
//! JSON. The response to an invalid control request is 400, 404 or 409 with `{"error": "..."}`.
//!
//! Each request needs exactly one `Host` header. Otherwise the response is 400. The host has to be `localhost`, a
//! loopback address, the address that the sandbox listens on, or one of [`Options::hosts`]. Otherwise the status is 421.
//!
//! A control request from a page of another site (`Origin`, `Sec-Fetch-Site`) gets 403, and so does a decision on a page.
//! A control request whose `Content-Type` is not JSON gets 415. So no web site can control the sandbox through a browser.
//!
//! | method, path | body or query | effect |
//! |---|---|---|
//! | `GET /_control` | | lists these control requests |
//! | `GET /_control/state` | | returns every record, by vendor, kind and id, masked as in [`requests`](Sandbox::requests) |
//! | `PATCH /_control/state/{vendor}/{kind}/{id}` | a JSON merge patch | changes a record, and returns it, masked |
//! | `POST /_control/reset` | | restores the initial state |
//! | `GET /_control/clock` | | returns the time |
//! | `POST /_control/clock` | `{"advance_seconds": 60}` | advances the clock |
//! | | `{"until": "2027-01-04T10:00:00Z"}` | advances the clock to an instant |
//! | `GET /_control/vendors` | | returns each vendor's path, credentials, operations and statuses, and the reasons of the banks |
//! | `GET /_control/overview` | a query `?search=` | returns the data of the page at `/`: the first 100 mandates and debits with their possible steps, faults, scripts and the last 100 requests |
//! | `GET /_control/mandates` | | returns each mandate's reference and the vendor's word for its status |
//! | `POST /_control/mandates` | `{"mandate": "safedebit:RUM-1", "step": "sign"}` | [`sign`](Sandbox::sign); also `verify`, `activate`, `suspend`, `expire`, `revoke`, `fail` |
//! | | `{"mandate": ..., "status": "Suspended"}` | [`set_status`](Sandbox::set_status) |
//! | | `{"mandate": ..., "word": "brand_new"}` | [`answer`](Sandbox::answer): any word or JSON |
//! | | `{"mandate": ..., "forget": true}` | [`forget`](Sandbox::forget) |
//! | `POST /_control/samples` | `{"mandate_at": "safedebit"}` | creates a sample mandate by the vendor's own operation, and returns its reference |
//! | | `{"debit_on": "safedebit:RUM-1"}` | creates a sample debit on an active mandate |
//! | `GET /_control/debits` | | returns each debit with its mandate, its due date, the vendor's word, the reason of the bank, and the [`notification`](Sandbox::notification) |
//! | `POST /_control/debits` | `{"debit": "safedebit:umr=RUM-1/sdd=SDD-1", "return": "AM04"}` | [`return_debit`](Sandbox::return_debit) |
//! | | `{"debit": ..., "refund": true}` | [`refund_debit`](Sandbox::refund_debit) |
//! | `GET /_control/faults` | | returns the number of faults |
//! | `POST /_control/faults` | `{"fault": "status", "status": 503, "times": 1}` | [`inject`](Sandbox::inject): any [`Fault`]. [Testing](crate::book::testing#faults) lists the kinds and their fields; each may have `after_effect`, `provider`, `operation`, `times`, `probability` with `seed` |
//! | `DELETE /_control/faults` | | removes all faults |
//! | `POST /_control/scripts` | `{"provider": "seqino", "operation": "get_client", "answers": [{"status": 200, "body": {}}]}` | [`script`](Sandbox::script): the next responses of an operation |
//! | `DELETE /_control/scripts` | | removes all scripts |
//! | `GET /_control/journal` | a query `?operation=` | returns the received requests, masked as in [`requests`](Sandbox::requests) |
//! | `DELETE /_control/journal` | | removes all received requests |

#[cfg(test)]
mod contract;
mod control;
mod fault;
mod host;
mod life;
mod overview;
mod page;
mod patched;
mod request;
mod server;
mod spec;
mod store;
mod world;

pub use fault::Fault;
pub(crate) use life::{Course, Debit, Debits, WayBack, refused_due_date};
pub(crate) use overview::Sample;
pub(crate) use page::{Closed, Decision, Link, Onward, Page, Shown, Text, Why, ends};
pub(crate) use request::{Reply, Request};
pub(crate) use spec::{Spec, Violation};
pub(crate) use store::{MANDATES, Store};
pub use world::Received;
pub(crate) use world::SimulatedVendor;

use crate::{
    debit::DebitRef,
    mandate::MandateRef,
    sepa::ReasonCode,
    vocabulary::{Error, ErrorKind, MandateStatus, Provider, VocabularyRow},
};
use chrono::{DateTime, TimeDelta, Utc};
use control::merge;
use host::Hosts;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};
use world::World;

/// The simulation of one vendor. The folder of the vendor implements the trait, and the store keeps the state.
pub(crate) trait Simulation: Sync {
    /// Returns the vendor's words for the status of a mandate.
    fn vocabulary(&self) -> Vec<VocabularyRow>;

    /// Returns the names and values of the credentials that the vendor accepts.
    fn credentials(&self) -> &'static [(&'static str, &'static str)];

    /// Adds the initial records, which the vendor's samples mention.
    fn begin(&self, store: &mut Store);

    /// Refuses a call with wrong or missing credentials.
    fn admit(&self, call: &Request, store: &Store) -> Result<(), Reply>;

    /// Returns the response that refuses a call because it breaks the spec.
    fn invalid(&self, call: &Request, violations: &[Violation]) -> Reply;

    /// Performs an operation of the vendor, or returns the response that refuses the operation.
    fn answer(&self, call: &Request, store: &mut Store) -> Result<Reply, Reply>;

    /// Notes the status of the response to a call, for the statistics of the vendor.
    fn note(&self, _: &Request, _status: u16, _: &mut Store) {}

    /// Returns the response to a request for an unknown operation.
    fn no_such_operation(&self) -> Reply;

    /// Returns the reference of the mandate that a record holds.
    fn reference(&self, record: &Value) -> Option<MandateRef>;

    /// Returns the fields that a step changes in the record of a mandate, or `None` if the vendor has no such step from
    /// the present word.
    fn step(&self, mandate: &Value, step: Step, now: DateTime<Utc>) -> Option<Value>;

    /// Returns the functions of a vendor that has debits.
    fn debits(&self) -> Option<Debits> {
        None
    }

    /// Returns the row of the vocabulary for a word whose meaning depends on the dates of the mandate.
    fn dated_word(&self, _mandate: &Value, _now: DateTime<Utc>) -> Option<String> {
        None
    }

    /// Returns the masked IBAN, or the company number, of the party that gave the mandate.
    fn account(&self, _mandate: &Value, _: &Store) -> Option<String> {
        None
    }

    /// Returns the token of the page on which the mandate can be signed now.
    fn open_page(&self, _mandate: &Value, _: &Store, _now: DateTime<Utc>) -> Option<String> {
        None
    }

    /// Completes the call that creates a sample. Returns `None` if the vendor has no such operation.
    fn sample(&self, _: &Sample<'_>, _: Request, _: &mut Store) -> Option<Request>;

    /// Returns the page behind a link.
    fn page(&self, _: &Store, _token: &str, _now: DateTime<Utc>) -> Option<Page> {
        None
    }

    /// Applies the decision that a person made on an open page.
    fn decide(&self, _: &mut Store, _token: &str, _: Decision, _now: DateTime<Utc>) -> Option<Onward> {
        None
    }
}

/// An event that changes a mandate without a request to the vendor's API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Step {
    Sign,
    Verify,
    Activate,
    Suspend,
    Expire,
    Revoke,
    Fail,
}

impl Step {
    const ALL: [Self; 7] =
        [Self::Sign, Self::Verify, Self::Activate, Self::Suspend, Self::Expire, Self::Revoke, Self::Fail];
}

/// A response that a test sets by [`Sandbox::script`].
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ScriptedResponse {
    /// The HTTP status of the response.
    pub status: u16,
    /// The body of the response as JSON, if the response has a body.
    pub body: Option<Value>,
}

impl ScriptedResponse {
    /// Creates a response from an HTTP status and a body. `None` stands for no body.
    pub fn new(status: u16, body: impl Into<Option<Value>>) -> Self {
        Self { status, body: body.into() }
    }
}

/// The address, the seed and the hosts of a sandbox, for [`Sandbox::start_with`].
///
/// ```
/// use mandat::sandbox::Options;
///
/// // In a container: other containers reach the sandbox as `sandbox`, and a browser reaches it as `localhost:8080`.
/// let options = Options::default().with_listen(([0, 0, 0, 0], 4010).into()).host("sandbox").host("localhost:8080");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// The address on which the sandbox listens. The default is a free port on loopback. On any other address, every
    /// machine that reaches the address can read and change all data in the sandbox. Use such an address only in a
    /// container that contains nothing else.
    pub listen: SocketAddr,
    /// The seed of the random numbers. The default is 0. The same seed gives the same ids and the same random faults.
    pub seed: u64,
    /// More host names of the sandbox, in addition to `localhost`, loopback addresses and `listen`. The default is
    /// none. Links such as `signature_url` contain the first name, with its port if the name has one.
    pub hosts: Vec<String>,
}

impl Options {
    crate::setters::setters! {
        with_listen listen: SocketAddr,
        with_seed seed: u64,
        with_hosts hosts: Vec<String>,
    }

    /// Adds a host name of the sandbox, such as `sandbox` or `localhost:8080`.
    #[must_use]
    pub fn host(mut self, name: impl Into<String>) -> Self {
        self.hosts.push(name.into());
        self
    }
}

impl Default for Options {
    fn default() -> Self {
        Self { listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), seed: 0, hosts: Vec::new() }
    }
}

/// A simulation of all vendors on one port. See the [module](self).
pub struct Sandbox {
    address: SocketAddr,
    hosts: Arc<Hosts>,
    world: Arc<Mutex<World>>,
    clock: Arc<VirtualClock>,
    /// The task of the server, and the channel that stops the server.
    server: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
}

/// `Debug` of a sandbox shows only its address.
impl std::fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Sandbox({})", self.address)
    }
}

/// The maximum advance of the sandbox's clock, in milliseconds: a thousand years.
const FARTHEST: i64 = 1000 * 365 * 24 * 3600 * 1000;

/// The clock of the sandbox: the clock of the system plus an advance.
#[derive(Debug, Default)]
pub(crate) struct VirtualClock(AtomicI64);

impl VirtualClock {
    pub fn now(&self) -> DateTime<Utc> {
        Utc::now() + TimeDelta::milliseconds(self.0.load(Ordering::Relaxed))
    }

    /// Advances the clock. The total advance stops at `FARTHEST`, so that no sum overflows.
    pub fn advance(&self, by: Duration) {
        let milliseconds = i64::try_from(by.as_millis()).unwrap_or(i64::MAX).min(FARTHEST);
        let ahead = |now: i64| Some((now + milliseconds).min(FARTHEST));
        // The closure `ahead` always returns a value, so the update always succeeds.
        let _ = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, ahead);
    }

    pub fn reset(&self) {
        self.0.store(0, Ordering::Relaxed);
    }
}

/// Locks the state even after a panic of another thread. A second panic here would hide the first panic of a test.
fn lock(world: &Mutex<World>) -> MutexGuard<'_, World> {
    world.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Sandbox {
    /// Starts a sandbox that simulates these vendors.
    pub(crate) async fn simulate(vendors: Vec<SimulatedVendor>, options: Options) -> io::Result<Self> {
        let listener = TcpListener::bind(options.listen).await?;
        let address = listener.local_addr()?;
        let hosts = Arc::new(Hosts::new(address, &options.hosts)?);
        if !address.ip().is_loopback() {
            tracing::warn!(
                %address,
                "every machine that reaches this address can read and change all data in the sandbox. Listen on \
                 127.0.0.1, unless the sandbox has a container of its own."
            );
        }
        let clock = Arc::new(VirtualClock::default());
        let world = Arc::new(Mutex::new(World::new(vendors, clock.clone(), options.seed)));
        let (stop, stopped) = oneshot::channel();
        let server = tokio::spawn(server::serve(listener, hosts.clone(), world.clone(), stopped));
        Ok(Self { address, hosts, world, clock, server: Some((stop, server)) })
    }

    /// Stops the sandbox after it has sent all unfinished responses. To stop immediately, drop the sandbox.
    pub async fn stop(mut self) {
        if let Some((stop, server)) = self.server.take() {
            drop(stop);
            // Ignore a panic of the server task, because the sandbox is stopped anyway.
            let _ = server.await;
        }
    }

    /// Returns the address of the sandbox.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the URL for control requests from this machine, such as `http://127.0.0.1:4010/_control`.
    pub fn control_url(&self) -> String {
        format!("http://{}/_control", self.hosts.local())
    }

    /// Returns the URL of the page that shows and controls the sandbox, for a browser on this machine.
    pub fn page_url(&self) -> String {
        format!("http://{}/", self.hosts.local())
    }

    /// Returns the base URL of a vendor, for callers on this machine.
    pub fn base_url(&self, provider: Provider) -> String {
        self.url(&self.hosts.local().to_string(), provider)
    }

    /// Returns the base URL of a vendor at the first of [`Options::hosts`]. Without hosts, the URL equals
    /// [`base_url`](Self::base_url).
    pub fn public_url(&self, provider: Provider) -> String {
        self.url(&self.hosts.public(), provider)
    }

    fn url(&self, host: &str, provider: Provider) -> String {
        let path = lock(&self.world).vendor(provider).map_or("", |vendor| vendor.spec.base_path());
        format!("http://{host}/{}{path}", provider.as_str())
    }

    /// Returns the names and values of a vendor's credentials, for callers other than this crate. The credentials are
    /// public and work only in the sandbox. The result is empty for a vendor whose feature is off.
    pub fn credentials(&self, provider: Provider) -> &'static [(&'static str, &'static str)] {
        lock(&self.world).vendor(provider).map_or(&[], |vendor| vendor.simulation.credentials())
    }

    /// Returns the present time on the clock of the sandbox and of its facade.
    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    pub(crate) fn clock(&self) -> Arc<VirtualClock> {
        self.clock.clone()
    }

    /// Advances the clock of the sandbox.
    pub fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    /// Restores the initial state of the sandbox: removes records, faults, scripted responses and received requests,
    /// and resets the clock.
    pub fn reset(&self) {
        lock(&self.world).reset();
    }

    /// Returns the last 100,000 requests since the start of the sandbox. Personal and secret values are masked.
    pub fn requests(&self) -> Vec<Received> {
        lock(&self.world).journal.iter().cloned().collect()
    }

    /// Returns the number of requests that the sandbox received for an operation.
    ///
    /// # Panics
    /// If no simulated vendor has the operation. A count of a misspelt operation would always be 0.
    #[track_caller]
    pub fn count(&self, operation: &str) -> usize {
        let counted = lock(&self.world).count(operation);
        match counted {
            Ok(count) => count,
            Err(why) => panic!("{why}"),
        }
    }

    /// Adds a fault. If several faults apply to a call, the sandbox uses the first one.
    ///
    /// # Panics
    /// If the fault is limited to an operation that no simulated vendor has, or not the vendor of the fault. Such a
    /// fault would never occur.
    #[track_caller]
    pub fn inject(&self, fault: Fault) {
        let injected = lock(&self.world).inject(fault);
        if let Err(why) = injected {
            panic!("{why}");
        }
    }

    /// Removes all faults of the sandbox.
    pub fn clear_faults(&self) {
        lock(&self.world).faults.clear();
    }

    /// Sets the responses to the next calls of an operation. These calls have no effect. Later calls work as usual.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRequest`] if the vendor has no such operation.
    pub fn script(
        &self,
        provider: Provider,
        operation: impl Into<String>,
        answers: impl IntoIterator<Item = ScriptedResponse>,
    ) -> Result<(), Error> {
        let answers = answers.into_iter().collect();
        let result = lock(&self.world).script(provider, operation.into(), answers);
        result.map_err(|why| Error::invalid(Some(provider), why))
    }

    /// Simulates that the debtor signs the mandate.
    ///
    /// # Errors
    /// For this and the other steps: [`ErrorKind::NotFound`] if the mandate does not exist, [`ErrorKind::Refused`] if
    /// the vendor has no such step from the mandate's current status.
    pub fn sign(&self, mandate: &MandateRef) -> Result<(), Error> {
        lock(&self.world).step(mandate, Step::Sign)
    }

    /// Simulates that the mandate passes the vendor's checks of the identity or the company.
    ///
    /// # Errors
    /// As [`sign`](Self::sign).
    pub fn verify(&self, mandate: &MandateRef) -> Result<(), Error> {
        lock(&self.world).step(mandate, Step::Verify)
    }

    /// Simulates that the mandate comes into force.
    ///
    /// # Errors
    /// As [`sign`](Self::sign).
    pub fn activate(&self, mandate: &MandateRef) -> Result<(), Error> {
        lock(&self.world).step(mandate, Step::Activate)
    }

    /// Simulates that the vendor suspends the mandate.
    ///
    /// # Errors
    /// As [`sign`](Self::sign).
    pub fn suspend(&self, mandate: &MandateRef) -> Result<(), Error> {
        lock(&self.world).step(mandate, Step::Suspend)
    }

    /// Simulates that the mandate expires.
    ///
    /// # Errors
    /// As [`sign`](Self::sign).
    pub fn expire(&self, mandate: &MandateRef) -> Result<(), Error> {
        lock(&self.world).step(mandate, Step::Expire)
    }

    /// Simulates that a party ends the mandate without a request to the vendor's API.
    ///
    /// # Errors
    /// As [`sign`](Self::sign).
    pub fn revoke(&self, mandate: &MandateRef) -> Result<(), Error> {
        lock(&self.world).step(mandate, Step::Revoke)
    }

    /// Simulates that the vendor refuses the mandate, or fails to set it up.
    ///
    /// # Errors
    /// As [`sign`](Self::sign).
    pub fn fail(&self, mandate: &MandateRef) -> Result<(), Error> {
        lock(&self.world).step(mandate, Step::Fail)
    }

    /// Makes the simulated vendor return its word for this status from now on, whatever the previous status.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] if the mandate does not exist, [`ErrorKind::Refused`] if the vendor has no word for the
    /// status.
    pub fn set_status(&self, mandate: &MandateRef, status: MandateStatus) -> Result<(), Error> {
        lock(&self.world).set_status(mandate, status)
    }

    /// Makes the simulated vendor return this value as the mandate's status from now on. The value can be any word or
    /// any JSON.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] if the mandate does not exist.
    pub fn answer(&self, mandate: &MandateRef, status: impl Into<Value>) -> Result<(), Error> {
        self.edit(mandate, |record| record["status"] = status.into())
    }

    /// Simulates the bank or the debtor, who rejects or returns a debit with this reason. A debit at the bank is
    /// rejected, and a collected debit is returned.
    ///
    /// The state of a debit follows the calendar of TARGET and the clock of the sandbox. The bank has the debit from
    /// the end of the last business day before the due date. The money is collected from the business day after the due
    /// date.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] if the debit does not exist. [`ErrorKind::Refused`] if the debit waits, is not at the
    /// bank yet or has ended, or if the period for this reason is over. The period is thirteen months for `MD01`, eight
    /// weeks for `MD06`, and five business days for each other reason.
    pub fn return_debit(&self, debit: &DebitRef, reason: ReasonCode) -> Result<(), Error> {
        lock(&self.world).bring_back(debit, Some(reason))
    }

    /// Simulates a refund of a collected debit by the creditor or the vendor.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] if the debit does not exist. [`ErrorKind::Refused`] if the money was not collected.
    pub fn refund_debit(&self, debit: &DebitRef) -> Result<(), Error> {
        lock(&self.world).bring_back(debit, None)
    }

    /// Returns the body of the signed notification that the vendor would post now about a debit. Returns `None` if the
    /// debit does not exist, or if the vendor documents no notification. Only Easytransac documents one.
    pub fn notification(&self, debit: &DebitRef) -> Option<String> {
        lock(&self.world).notification(debit)
    }

    /// Changes the record of a mandate. The record has the fields of the vendor's response.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] if the mandate does not exist.
    pub fn edit(&self, mandate: &MandateRef, change: impl FnOnce(&mut Value)) -> Result<(), Error> {
        lock(&self.world).edit(mandate, change)
    }

    /// Changes a record that is no mandate. For example, a Seqino client is `("clients", "client_abc123")`. `GET
    /// /_control/state` lists all kinds and ids.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] if there is no such record.
    pub fn edit_record(
        &self,
        provider: Provider,
        kind: &str,
        id: &str,
        change: impl FnOnce(&mut Value),
    ) -> Result<(), Error> {
        let mut world = lock(&self.world);
        let record = world.vendor(provider).and_then(|vendor| vendor.store.get_mut(kind, id));
        let what = "the sandbox has no such record";
        record.map(change).ok_or_else(|| Error::new(ErrorKind::NotFound).at(Some(provider)).detail(what))
    }

    /// Returns the record of a mandate at the simulated vendor. Personal data is not masked.
    pub fn record(&self, mandate: &MandateRef) -> Option<Value> {
        lock(&self.world).mandate(mandate).cloned()
    }

    /// Returns the references of all mandates in the sandbox.
    pub fn references(&self) -> Vec<MandateRef> {
        let world = lock(&self.world);
        let of = |vendor: &SimulatedVendor| -> Vec<_> {
            vendor.store.all(MANDATES).filter_map(|record| vendor.simulation.reference(record)).collect()
        };
        world.vendors.iter().flat_map(of).collect()
    }

    /// Returns the number of mandates at a simulated vendor.
    pub fn mandates_at(&self, provider: Provider) -> usize {
        lock(&self.world).vendor(provider).map_or(0, |vendor| vendor.store.count(MANDATES))
    }

    /// Deletes the mandate, so that the simulated vendor no longer knows it.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] if the mandate does not exist.
    pub fn forget(&self, mandate: &MandateRef) -> Result<(), Error> {
        lock(&self.world).forget(mandate)
    }
}

impl World {
    fn step(&mut self, mandate: &MandateRef, step: Step) -> Result<(), Error> {
        let provider = mandate.provider();
        let (record, now) = (self.mandate(mandate).cloned().ok_or_else(|| unknown(mandate))?, self.clock.now());
        let change = self.vendor(provider).and_then(|vendor| vendor.simulation.step(&record, step, now));
        let what = format!(
            "the sandbox: this vendor has no such step from the present status of the mandate ({step:?}). Use \
             `set_status` or `answer`"
        );
        let change = change.ok_or_else(|| Error::new(ErrorKind::Refused).at(Some(provider)).detail(what))?;
        self.edit(mandate, |record| merge(record, change))
    }

    fn set_status(&mut self, mandate: &MandateRef, status: MandateStatus) -> Result<(), Error> {
        let provider = mandate.provider();
        let what = format!("the sandbox: this vendor has no word for the status {status}. Use `answer`");
        let words = self.vendor(provider).map(|vendor| vendor.simulation.vocabulary()).unwrap_or_default();
        let word = word_for(&words, status);
        let word = word.ok_or_else(|| Error::new(ErrorKind::Refused).at(Some(provider)).detail(what))?;
        self.edit(mandate, |record| record["status"] = word)
    }

    fn edit(&mut self, mandate: &MandateRef, change: impl FnOnce(&mut Value)) -> Result<(), Error> {
        self.mandate(mandate).map(change).ok_or_else(|| unknown(mandate))
    }

    fn forget(&mut self, mandate: &MandateRef) -> Result<(), Error> {
        let vendor = self.vendor(mandate.provider());
        let gone = vendor.and_then(|vendor| vendor.store.remove(MANDATES, mandate.id()));
        gone.map(drop).ok_or_else(|| unknown(mandate))
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        if let Some((_, server)) = &self.server {
            server.abort();
        }
    }
}

fn unknown(mandate: &MandateRef) -> Error {
    Error::new(ErrorKind::NotFound).at(Some(mandate.provider())).detail("the sandbox has no such mandate")
}

/// Returns the change of a record to a vendor's word for this status.
pub(crate) fn to_status(vocabulary: &[VocabularyRow], status: MandateStatus) -> Option<Value> {
    word_for(vocabulary, status).map(|word| json!({"status": word}))
}

/// Returns the first word in a vendor's vocabulary that means this status.
fn word_for(vocabulary: &[VocabularyRow], status: MandateStatus) -> Option<Value> {
    let row = vocabulary.iter().find(|row| row.status == status)?;
    Some(row.raw.clone().into())
}
