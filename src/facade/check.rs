//! Checks the set-up of each vendor, step by step.

use super::Mandates;
use crate::{
    adapter::Checkup,
    vocabulary::{Error, ErrorKind, Provider, Seen, shown_as_stored, stable_text},
};
use futures_util::future::join_all;
use serde::Serialize;
use std::{
    fmt,
    io::{self, ErrorKind as Io},
};

/// The result of checking the set-up of one vendor; see [`Mandates::check`]. It contains no credential and no personal
/// data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct CheckReport {
    /// The vendor.
    pub provider: Provider,
    /// The base URL.
    pub address: String,
    /// The kind of system behind the base URL.
    pub environment: CheckEnvironment,
    /// The spec of this build: `ours`, or `patched` or `replaced` with the hash of your file; see
    /// [`spec_versions`](crate::spec_versions).
    pub spec: String,
    /// The steps in their order. After a failed step, the next steps are [`NotChecked`](CheckResult::NotChecked).
    pub checks: Vec<Check>,
}

/// One step of a check, and its result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Check {
    /// The step.
    pub step: CheckStep,
    /// The result.
    pub result: CheckResult,
    /// The facts that the step found, in words.
    pub found: String,
    /// The advice on how to resolve a failure or a warning.
    pub advice: Option<String>,
}

/// A step of a check, in the order of a request to a vendor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum CheckStep {
    /// The base URL.
    Address,
    /// The name of the host has an IP address.
    Dns,
    /// The host accepts a connection.
    Connection,
    /// Both sides agree on TLS, and the certificate of the host is accepted.
    Tls,
    /// The vendor's health check responds. Only Seqino has one.
    Health,
    /// A response arrives, and does not say that the vendor is unavailable.
    Response,
    /// The vendor accepts requests from the IP address of this machine.
    IpAddress,
    /// The vendor accepts the credentials.
    Credentials,
    /// A call that changes nothing has its documented response.
    Call,
    /// The clocks of this machine and of the vendor agree.
    Clock,
    /// A step that only a newer version of this crate has.
    Other,
}

stable_text!(CheckStep {
    Address, Dns, Connection, Tls, Health, Response, IpAddress, Credentials, Call, Clock, Other
} else Self::Other);

/// The result of one step of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CheckResult {
    /// The step found no problem.
    Passed,
    /// The set-up works, but something needs your attention.
    Warning,
    /// The step failed, so the set-up does not work.
    Failed,
    /// The step was not reached, or its result cannot be known.
    NotChecked,
}

stable_text!(CheckResult { Passed, Warning, Failed, NotChecked } else Self::NotChecked);

/// The kind of system behind a base URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CheckEnvironment {
    /// The vendor's test environment, by its documented address.
    Test,
    /// This machine: a sandbox or a tunnel.
    ThisMachine,
    /// Another address, such as production. No page that we could read has the address of a production system.
    Other,
}

stable_text!(CheckEnvironment { Test, ThisMachine, Other } else Self::Other);
shown_as_stored!(CheckStep, CheckResult, CheckEnvironment);

/// The largest difference between two clocks without a warning, in seconds.
///
/// A machine with NTP is within a second, and a `Date` has whole seconds, so a minute means a clock that nobody sets. A
/// verdict is wrong by the same time around the start and the end of a mandate. From ten minutes on, a verdict trusts
/// no reading.
const CLOCKS_AGREE: u64 = 60;

impl Mandates {
    /// Checks the set-up of each configured vendor: address, DNS, TLS, IP address, credentials and clock. Sends one
    /// call with credentials to each vendor. The call changes nothing there, and its response has no personal data.
    ///
    /// The check makes one attempt, so it sends a wrong password once. Do not repeat the check in a loop: each refusal
    /// can contribute to a lock of the account.
    ///
    /// ```
    /// # #[cfg(all(feature = "sandbox", feature = "safedebit"))]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use mandat::{CheckResult, sandbox::Sandbox};
    ///
    /// let sandbox = Sandbox::start().await?; // in your program: your own `Mandates`
    /// for report in sandbox.mandates().check().await {
    ///     assert!(report.works());
    ///     assert!(report.checks.iter().all(|check| check.result != CheckResult::Failed), "{report}");
    /// }
    /// # Ok(())
    /// # }
    /// # #[cfg(not(all(feature = "sandbox", feature = "safedebit")))]
    /// # fn main() {}
    /// ```
    pub async fn check(&self) -> Vec<CheckReport> {
        let vendors = self.inner.adapters.keys().copied();
        let reports = join_all(vendors.map(|provider| self.check_vendor(provider))).await;
        // Only a vendor that is not configured has an error.
        reports.into_iter().filter_map(Result::ok).collect()
    }

    /// Checks the set-up of one vendor, as [`check`](Self::check) does.
    ///
    /// # Errors
    /// [`NotConfigured`](crate::ErrorKind::NotConfigured) if the builder has no configuration of this vendor. Any other
    /// failure is a result of the check.
    pub async fn check_vendor(&self, provider: Provider) -> Result<CheckReport, Error> {
        let checkup = self.adapter(provider)?.checkup();
        let mut report = CheckReport {
            provider,
            address: checkup.transport.base_url().into(),
            environment: environment(&checkup),
            spec: checkup.spec.to_string(),
            checks: Vec::new(),
        };
        let has_health = checkup.health.is_some();
        if let Err(failed) = examine(checkup, &mut report).await {
            report.checks.retain(|check| check.step != failed.step);
            report.checks.push(failed);
        }
        for step in CheckStep::ALL.iter().filter(|step| **step != CheckStep::Health || has_health) {
            if *step != CheckStep::Other && report.result(*step).is_none() {
                report.checks.push(Check::new(*step, CheckResult::NotChecked, "an earlier step failed"));
            }
        }
        report.checks.sort_by_key(|check| check.step);
        if report.result(CheckStep::Credentials) == Some(CheckResult::Passed) {
            self.gate(provider).reopen();
        }
        Ok(report)
    }
}

impl CheckReport {
    /// Returns true if no step failed. A warning may remain.
    pub fn works(&self) -> bool {
        self.checks.iter().all(|check| check.result != CheckResult::Failed)
    }

    /// Returns the result of a step, or `None` if this vendor has no such step.
    pub fn result(&self, step: CheckStep) -> Option<CheckResult> {
        self.checks.iter().find(|check| check.step == step).map(|check| check.result)
    }
}

/// `Display` shows one line for each step, and the advice below its step.
impl fmt::Display for CheckReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.provider, self.address)?;
        for Check { step, result, found, advice } in &self.checks {
            write!(f, "\n  {step:<11} {result:<10} {found}")?;
            if let Some(advice) = advice {
                write!(f, "\n{:25}{advice}", "")?;
            }
        }
        Ok(())
    }
}

impl Check {
    fn new(step: CheckStep, result: CheckResult, found: impl Into<String>) -> Self {
        Self { step, result, found: found.into(), advice: None }
    }

    fn advise(self, advice: impl Into<String>) -> Self {
        Self { advice: Some(advice.into()), ..self }
    }
}

fn environment(Checkup { transport, test_address, .. }: &Checkup<'_>) -> CheckEnvironment {
    match test_address {
        _ if transport.is_loopback() => CheckEnvironment::ThisMachine,
        Some(address) if transport.has_host_of(address) => CheckEnvironment::Test,
        _ => CheckEnvironment::Other,
    }
}

/// Takes the steps one by one. The error is the step that failed.
async fn examine(checkup: Checkup<'_>, report: &mut CheckReport) -> Result<(), Check> {
    use CheckResult::{Failed, NotChecked, Passed, Warning};
    let Checkup { transport, address_code, health, call, operation, .. } = checkup;
    let tls = transport.tls();
    let checks = &mut report.checks;
    let address = match report.environment {
        CheckEnvironment::Test => "the vendor's test environment",
        CheckEnvironment::ThisMachine => "this machine: a sandbox or a tunnel",
        CheckEnvironment::Other => "not a documented test environment, so perhaps production",
    };
    checks.push(match tls {
        None if report.environment != CheckEnvironment::ThisMachine => {
            Check::new(CheckStep::Address, Warning, format!("{address}. Credentials are sent unencrypted"))
                .advise("use plain http for a sandbox only, never for a vendor")
        }
        _ => Check::new(CheckStep::Address, Passed, address),
    });
    if transport.is_direct() {
        let addresses = transport.resolve().await.map_err(|why| {
            Check::new(CheckStep::Dns, Failed, reason(&why, "the name of the host cannot be resolved"))
                .advise("compare the host with the address from the vendor, and check the DNS")
        })?;
        let shown: Vec<String> = addresses.iter().take(4).map(|address| address.ip().to_string()).collect();
        checks.push(Check::new(CheckStep::Dns, Passed, shown.join(", ")));
        let opened = transport.open(&addresses).await.map_err(|why| {
            Check::new(CheckStep::Connection, Failed, reason(&why, "the host accepts no connection")).advise(
                "check the port, and that a firewall lets this machine reach the vendor. If it needs a proxy, set \
                 HTTPS_PROXY",
            )
        })?;
        checks.push(Check::new(CheckStep::Connection, Passed, opened.to_string()));
    } else {
        let why = "a proxy of the environment, or your own HTTP client, opens the connections";
        checks.extend([CheckStep::Dns, CheckStep::Connection].map(|step| Check::new(step, NotChecked, why)));
    }
    let mut seen = Vec::new();
    let mut hear = |result: &Result<Seen, Error>| {
        seen.push(match result {
            Ok(seen) => *seen,
            Err(error) => error.seen(),
        });
    };
    let mut unreached = None;
    match health {
        None => {}
        Some(health) => match health.await {
            // Do not send credentials to a server that was not reached.
            Err(error) if error.seen().no_connection => unreached = Some(error),
            health => {
                hear(&health);
                checks.push(match &health {
                    Ok(_) => Check::new(CheckStep::Health, Passed, "the vendor's health check responds"),
                    Err(error) => Check::new(CheckStep::Health, Warning, found(error)).advise(
                        "the health check is outside of the base URL, so it may fail although the API works. The next \
                         steps decide",
                    ),
                });
            }
        },
    }
    let result = match unreached {
        Some(error) => Err(error),
        None => call.await,
    };
    hear(&result);
    checks.push(clock(seen.iter().filter_map(|seen| seen.clock_ahead).next_back()));
    let failed_at = result.as_ref().err().map(|error| match step(error, address_code) {
        // A proxy can fail before TLS begins.
        CheckStep::Tls if tls.is_none() || !(transport.is_direct() || names_tls(error)) => CheckStep::Connection,
        step => step,
    });
    let done = |at: CheckStep| failed_at.is_none_or(|failed| failed > at);
    let pass = |step, text: String| Check::new(step, Passed, text);
    match tls {
        None => checks.push(Check::new(CheckStep::Tls, NotChecked, "plain http has no TLS")),
        Some(library) if done(CheckStep::Tls) => {
            checks.push(pass(CheckStep::Tls, format!("{library} accepts the certificate of the host")));
        }
        Some(_) => {}
    }
    if done(CheckStep::Response) {
        checks.push(pass(CheckStep::Response, "the vendor responds".into()));
    }
    let Some(error) = result.err() else {
        checks.push(pass(CheckStep::IpAddress, "the vendor accepts requests from this machine".into()));
        checks.push(pass(CheckStep::Credentials, "the vendor accepts them".into()));
        checks.push(pass(CheckStep::Call, format!("{operation} has its documented response")));
        return Ok(());
    };
    // Only the vendor's own refusal of this call shows that the credentials are accepted. A server behind a wrong
    // address refuses a request without looking at them, and a refused exchange for a token is another operation.
    let about_request = error.seen().own_words
        && error.operation() == Some(operation)
        && matches!(
            error.kind(),
            ErrorKind::NotFound | ErrorKind::InvalidRequest | ErrorKind::Conflict | ErrorKind::Refused
        );
    let unclear = |step| Check::new(step, NotChecked, "the response does not show if the vendor accepts them");
    match failed_at {
        Some(CheckStep::Call) if about_request => {
            checks.push(pass(CheckStep::IpAddress, "the vendor accepts requests from this machine".into()));
            checks.push(pass(CheckStep::Credentials, "the vendor accepts them".into()));
        }
        Some(CheckStep::Call) => checks.extend([CheckStep::IpAddress, CheckStep::Credentials].map(unclear)),
        Some(CheckStep::Credentials) => checks.push(unclear(CheckStep::IpAddress)),
        _ => {}
    }
    match (failed_at, error.kind()) {
        (Some(CheckStep::Call), ErrorKind::NotFound) if about_request => {
            let text = format!("{operation} responds that it does not know the record, which does not exist");
            checks.push(pass(CheckStep::Call, text));
            Ok(())
        }
        (Some(CheckStep::Call), _) if about_request => {
            checks.push(Check { result: Warning, ..failure(CheckStep::Call, &error) });
            Ok(())
        }
        (at, _) => Err(failure(at.unwrap_or(CheckStep::Call), &error)),
    }
}

/// Returns true if TLS is the known reason why no connection could be made.
fn names_tls(error: &Error) -> bool {
    error.what().is_some_and(|what| what.contains("certificate") || what.contains("TLS"))
}

/// Returns the step at which a call failed.
fn step(error: &Error, address_code: Option<&str>) -> CheckStep {
    let of_address = error.seen().names_address || address_code.is_some() && error.vendor_code() == address_code;
    match error.kind() {
        _ if error.seen().no_connection => CheckStep::Tls,
        ErrorKind::Auth if of_address => CheckStep::IpAddress,
        ErrorKind::Auth if error.refuses_caller() => CheckStep::Credentials,
        ErrorKind::Auth
        | ErrorKind::NotFound
        | ErrorKind::InvalidRequest
        | ErrorKind::Conflict
        | ErrorKind::Refused
        | ErrorKind::Decode
        | ErrorKind::TooLarge => CheckStep::Call,
        _ => CheckStep::Response,
    }
}

fn failure(step: CheckStep, error: &Error) -> Check {
    let reached =
        |what: &str| what.trim_start_matches("no connection could be made").trim_start_matches(": ").to_owned();
    let text = match (step, error.what().map(reached).unwrap_or_default()) {
        (CheckStep::Tls | CheckStep::Connection, what) if !what.is_empty() => what,
        (CheckStep::Tls, _) => "the handshake failed, or took too long".into(),
        (CheckStep::Connection, _) => "no connection could be made".into(),
        _ => found(error),
    };
    let advice = match step {
        CheckStep::Connection => Some("check the proxy, or your own HTTP client"),
        CheckStep::Tls => Some(
            "compare the address with the one from the vendor. If a proxy of your company inspects TLS, pass its \
             certificate to `Config::root_certificates`",
        ),
        CheckStep::IpAddress => Some(
            "ask the vendor to list the public IP address of this machine. Behind a gateway or a proxy, this is the \
             address of the gateway",
        ),
        CheckStep::Response => error.advice().or(Some("try again later. If it lasts, ask the vendor")),
        _ => error.advice(),
    };
    Check { advice: advice.map(Into::into), ..Check::new(step, CheckResult::Failed, text) }
}

/// Describes a failed call, without its vendor and its advice.
fn found(error: &Error) -> String {
    let beside = [
        error.operation().map(str::to_owned),
        error.http_status().map(|status| format!("HTTP {status}")),
        error.vendor_code().map(|code| format!("code {code}")),
        error.trace_id().map(|id| format!("trace {id}")),
    ];
    let beside: Vec<String> = beside.into_iter().flatten().collect();
    let what = error.what().map(|what| format!(": {what}")).unwrap_or_default();
    format!("{} ({}){what}", error.kind().words(), beside.join(", "))
}

/// Describes a failure of the operating system. Its own texts can be in any language, and can quote the host.
fn reason(error: &io::Error, otherwise: &'static str) -> &'static str {
    match error.kind() {
        Io::ConnectionRefused => "the host refuses the connection: no program listens on this port",
        Io::TimedOut => "the host does not respond in time",
        Io::HostUnreachable | Io::NetworkUnreachable | Io::NetworkDown => "the host cannot be reached",
        Io::ConnectionReset | Io::ConnectionAborted => "the host closes the connection",
        _ => otherwise,
    }
}

fn clock(ahead: Option<i64>) -> Check {
    let check = |result, found: String| Check::new(CheckStep::Clock, result, found);
    match ahead {
        None => check(CheckResult::NotChecked, "no response with a time arrived".into()),
        Some(ahead) if ahead.unsigned_abs() <= CLOCKS_AGREE => {
            check(CheckResult::Passed, format!("within {CLOCKS_AGREE} s of the clock of the vendor"))
        }
        Some(ahead) => {
            let side = if ahead > 0 { "behind" } else { "ahead of" };
            let text =
                format!("the clock of this machine is {} s {side} the clock of the vendor", ahead.unsigned_abs());
            check(CheckResult::Warning, text).advise(
                "set the clock of this machine, for example by NTP. A verdict on a mandate near its start or end would \
                 be wrong by this time",
            )
        }
    }
}
