//! Sends every request: adds credentials, applies deadlines and limits, retries, and returns an answer or an
//! [`Error`](crate::Error).
//!
//! Generated code builds a request with a [`Draft`] and calls [`perform`]. The trait [`Vendor`] holds the differences
//! between vendors.

mod answer;
mod connections;
mod credential;
mod decision;
mod draft;
mod limits;
mod path;
mod repeats;
mod settings;
#[cfg(test)]
mod tests;
mod trace;

pub(crate) use answer::{Answer, Pages};
pub(crate) use credential::{credential, is_format, secret_header};
pub(crate) use draft::{Built, Draft, file_part};
pub(crate) use path::path_fault;
pub(crate) use repeats::Sent;
pub use settings::Settings;
pub(crate) use settings::{Endpoint, endpoint_methods};

use crate::{
    vocabulary::{Error, ErrorKind, Outcome, Provider, Resent},
    wire,
};
use answer::{Failed, aside};
use connections::Connections;
use decision::{Attempt, Delays, Next, Progress};
use limits::Limits;
use path::encode_path;
use reqwest::{
    Request, StatusCode, Url,
    header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, HeaderValue},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use std::{
    borrow::Cow,
    num::NonZeroU32,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};
use tokio::time::{Instant, sleep, timeout_at};
use tower::retry::budget::Budget;
use trace::Call;

/// The effect of an operation on the vendor's state. It decides which failures may be retried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Changes nothing.
    Read,
    /// Creates or changes something. A repeated request may do so twice.
    Write,
    /// Deletes or revokes. Safe to repeat, unsafe to abandon, so the transport retries it.
    Removal,
}

/// The facts about an operation that the transport needs. The build script generates one for each operation.
#[derive(Debug)]
pub(crate) struct Operation {
    /// The id in the spec.
    pub id: &'static str,
    pub method: &'static str,
    /// The path template in the spec.
    pub path: &'static str,
    /// For an operation outside the base path of the spec: that base path and the operation's own.
    pub outside: Option<(&'static str, &'static str)>,
    pub effect: Effect,
    /// True if the request carries credentials.
    pub authenticated: bool,
    /// True if the answer contains a document, which allows a larger response.
    pub document: bool,
    /// The HTTP status of success in the spec: `204`, or `2XX` where none is documented.
    pub code: &'static str,
    /// Advice from the spec for a write or a removal whose response was lost.
    pub lost_answer: &'static str,
    /// The values of the answer: place, JSON type, and true if the spec requires it. Empty if the spec has no answer.
    pub answer: &'static [(&'static str, &'static str, bool)],
    /// Places in the answer that repeat a value of the request.
    pub repeats: &'static [(&'static str, Sent)],
}

impl Operation {
    /// Returns `None` for a read: only writes and removals have an outcome.
    pub fn outcome(&self, outcome: Outcome) -> Option<Outcome> {
        (self.effect != Effect::Read).then_some(outcome)
    }
}

/// The differences between vendors from a built request to a decoded answer.
pub(crate) trait Vendor: Sync + 'static {
    const PROVIDER: Provider;

    fn transport(&self) -> &Transport;

    /// Returns the `Authorization` header. Some vendors need a login call first.
    fn authorization(&self) -> impl Future<Output = Result<HeaderValue, Error>> + Send;

    /// Called when the vendor refused this header with 401. Returns true if another header can be obtained, so that a
    /// retry makes sense. `renewed` is true if the call already used another header before.
    fn refused(&self, _header: &HeaderValue, _renewed: bool) -> bool {
        false
    }

    /// Called when the vendor accepted the credentials in this header.
    fn taken(&self, _header: &HeaderValue, _renewed: bool) {}

    /// Returns false if the vendor has refused this header to another call in the meantime.
    fn holds(&self, _header: &HeaderValue) -> bool {
        true
    }

    /// Reads from the body if the vendor refused the request.
    fn word(status: StatusCode, body: &[u8]) -> Word;

    /// Advice for a refusal by its HTTP status. Used if the vendor sent no code with a known meaning.
    fn advice(_operation: &Operation, _status: StatusCode, _speaker: Speaker) -> Option<&'static str> {
        None
    }
}

/// The sender of a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Speaker {
    /// The vendor's API, in its own form.
    Vendor,
    /// A firewall, a proxy or a server in front of the API: the body has another form.
    Other,
    /// Unknown: there is no body.
    Nobody,
}

/// The result of a request according to the body of the response.
#[derive(Debug)]
pub(crate) enum Word {
    /// No refusal. The HTTP status decides, and the body is the requested data.
    Silent,
    /// A refusal.
    Refused(Refusal),
    /// Neither success nor refusal, with the reason.
    Unclear(String),
}

impl Word {
    /// Reads the success flag of a vendor that sends one in every body. Only `true` means success. `refusal` builds the
    /// refusal from the values of the fields `names`.
    pub fn of_flag<const N: usize>(
        body: &[u8],
        flag: &str,
        names: [&str; N],
        refusal: impl FnOnce([Value; N]) -> Refusal,
    ) -> Self {
        match wire::said(body, flag, names) {
            Ok((Some(true), _)) => Self::Silent,
            Ok((Some(false), said)) => Self::Refused(refusal(said)),
            Ok((None, _)) => Self::Unclear(format!("`{flag}` is neither true nor false")),
            Err(why) => Self::Unclear(why),
        }
    }
}

/// A refusal as the vendor's body describes it.
#[derive(Debug, Default)]
pub(crate) struct Refusal {
    /// The kind of error, if the vendor's code is more precise than the HTTP status.
    pub kind: Option<ErrorKind>,
    pub code: Option<String>,
    pub trace_id: Option<String>,
    /// The fields that the vendor refuses, without their values.
    pub detail: Option<String>,
    pub advice: Option<&'static str>,
}

/// A connection pool to one vendor and its limits.
pub(crate) struct Transport {
    base_url: String,
    base: Url,
    connections: Connections,
    settings: Settings,
    limits: Limits,
}

impl Transport {
    pub fn new(provider: Provider, endpoint: Endpoint) -> Result<Self, Error> {
        let Endpoint { base_url, settings, http, plain_to, live } = endpoint;
        let refuse = |what: &str| Error::not_configured(provider, format!("the base URL {what}"));
        let url = Url::parse(&base_url).map_err(|_| refuse("is no URL"))?;
        let loopback = match url.host() {
            Some(url::Host::Domain(name)) => name == "localhost",
            Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
            Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
            None => return Err(refuse("has no host")),
        };
        let settings = settings.bounded(loopback);
        let plain = url.scheme() == "http";
        let in_clear = plain && !loopback;
        if in_clear {
            let named = plain_to.as_deref().map(|host| host.trim().to_lowercase());
            match (named, url.host_str()) {
                (Some(_), _) if live => return Err(refuse("is not https, which a live key has to have")),
                // An IPv6 address may be named without the brackets of a URL.
                (Some(named), Some(host)) if named == host || format!("[{named}]") == host => {}
                (Some(_), _) => return Err(refuse("is not https, and `allow_plain_http_to` names another host")),
                (None, _) => return Err(refuse("is not https: a credential would travel in the clear")),
            }
        } else if !plain && url.scheme() != "https" {
            return Err(refuse("is not https"));
        }
        if url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() || url.password().is_some() {
            return Err(refuse("holds more than a host and a path"));
        }
        let connections = Connections::new(http, plain, loopback || in_clear, &settings)
            .map_err(|_| Error::not_configured(provider, "the HTTP client cannot start"))?;
        if in_clear {
            tracing::warn!(
                provider = provider.as_str(),
                host = url.host_str(),
                "credentials and personal data travel in the clear to this host, as allow_plain_http_to says"
            );
        }
        Ok(Self {
            base_url: url.as_str().trim_end_matches('/').into(),
            base: url,
            connections,
            limits: Limits::new(&settings),
            settings,
        })
    }

    /// The base URL without a slash at its end.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// How many calls a batch should start at once. More would time out while they wait for `rate_per_second`.
    pub fn concurrency(&self) -> usize {
        let Settings { concurrency, rate_per_second, overall_timeout, .. } = &self.settings;
        let in_time = |rate: &NonZeroU32| (rate.get() as usize).saturating_mul(overall_timeout.as_secs() as usize) / 4;
        (*concurrency).min(rate_per_second.as_ref().map_or(usize::MAX, in_time)).max(1)
    }

    /// The path in front of the operation's path. An operation outside the documented base path is on the same host:
    /// its own base path replaces the documented one at the end of the configured URL.
    fn base_path(&self, operation: &Operation) -> Result<Cow<'_, str>, String> {
        let configured = self.base.path().trim_end_matches('/');
        let Some((documented, own)) = operation.outside else { return Ok(configured.into()) };
        match configured {
            "" => Ok(own.into()),
            path => match path.strip_suffix(documented) {
                Some(before) => Ok(format!("{before}{own}").into()),
                None => Err(format!(
                    "`{}` is outside of `{documented}`. Configure a base URL that ends with it",
                    operation.id
                )),
            },
        }
    }
}

/// A call as a boxed future. Unboxed, each future around it would copy its large state.
type Calling<'a, T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 'a>>;

/// Sends a request of generated code and decodes the answer. Refuses an answer that belongs to another request.
pub(crate) fn perform<'a, V: Vendor, T: DeserializeOwned + Serialize + Send + 'static>(
    vendor: &'a V,
    operation: &'static Operation,
    request: Built,
) -> Calling<'a, T> {
    let base = vendor.transport().base_path(operation).unwrap_or_default();
    let expected = request.as_ref().map(|request| repeats::expected(operation, &base, request));
    let expected = expected.unwrap_or_default();
    Run { vendor, operation }.call(request, move |answer| {
        let decoded = answer.decode(operation)?;
        match repeats::other(&expected, &decoded) {
            Some(place) => Err(answer.of_another(operation, place)),
            None => Ok(decoded),
        }
    })
}

/// Like [`perform`] for a list. Also returns the paging headers.
pub(crate) fn perform_page<'a, V: Vendor, T: DeserializeOwned + Send + 'static>(
    vendor: &'a V,
    operation: &'static Operation,
    request: Built,
) -> Calling<'a, (T, Pages)> {
    Run { vendor, operation }.call(request, |answer| Ok((answer.decode(operation)?, answer.pages)))
}

/// Like [`perform`], but returns the accepted answer undecoded.
pub(crate) fn exchange<'a, V: Vendor>(
    vendor: &'a V,
    operation: &'static Operation,
    request: Built,
) -> Calling<'a, Answer> {
    Run { vendor, operation }.call(request, Ok)
}

/// Interprets the result of a write that was repeated after its first response was lost. A vendor code in `in_use`
/// means that the reference exists already.
pub(crate) fn resent<T>(result: Result<T, Error>, in_use: &[&str]) -> Result<Resent<T>, Error> {
    match result {
        Ok(answer) => Ok(Resent::Done(answer)),
        Err(e) if e.vendor_code().is_some_and(|code| in_use.contains(&code)) => Ok(Resent::InUse),
        Err(e) => Err(e),
    }
}

/// Advice for a vendor's own 404 to a removal.
const GONE_ALREADY: &str = "it is not there: if the answer to an earlier removal was lost, that one was done";

tokio::task_local! {
    static SHUT: Arc<AtomicBool>;
}

/// Runs calls until a refusal of the caller sets `shut`. No call is sent after that: each one would count towards a lock
/// of the account, and many calls of a run wait for their turn.
pub(crate) fn unless_shut<F: Future>(shut: Arc<AtomicBool>, calls: F) -> impl Future<Output = F::Output> {
    SHUT.scope(shut, calls)
}

fn is_shut() -> bool {
    SHUT.try_with(|shut| shut.load(Ordering::Acquire)).unwrap_or(false)
}

/// One call: its attempts, within the limits and the deadline.
struct Run<'a, V> {
    vendor: &'a V,
    operation: &'static Operation,
}

impl<'a, V: Vendor> Run<'a, V> {
    fn call<T: Send + 'static>(
        self,
        request: Built,
        read: impl FnOnce(Answer) -> Result<T, Error> + Send + 'static,
    ) -> Calling<'a, T> {
        Box::pin(async move {
            let call = Call::new(V::PROVIDER, self.operation);
            let deadline = Instant::now() + self.vendor.transport().settings.overall_timeout;
            let result = call.within(async {
                let answer = self.attempts(request, &call, deadline).await?;
                call.answered(answer.status);
                aside(self.operation, answer, deadline, read).await?
            });
            let result = result.await.map_err(|e| {
                if e.refuses_caller() {
                    // A call outside of a run has no flag.
                    let _ = SHUT.try_with(|shut| shut.store(true, Ordering::Release));
                }
                let e = e.during(V::PROVIDER, self.operation.id).advise_if_unknown(self.operation.lost_answer);
                match self.operation.effect {
                    Effect::Removal if e.kind() == ErrorKind::NotFound => e.advise(Some(GONE_ALREADY)),
                    Effect::Removal => e.harmless_again(),
                    Effect::Read | Effect::Write => e,
                }
            });
            call.ended(result.as_ref().err());
            result
        })
    }

    async fn attempts(&self, request: Built, call: &Call, deadline: Instant) -> Result<Answer, Error> {
        let (operation, transport) = (self.operation, self.vendor.transport());
        let settings = &transport.settings;
        let mut request = built(operation, transport, request)?;
        let mut delays = Delays::new(settings.backoff, settings.attempts);
        let mut progress = Progress::START;
        transport.limits.budget.deposit();
        loop {
            let again = request.try_clone();
            // A failure before this attempt is sent leaves the outcome of the earlier attempts unchanged.
            let ready = timeout_at(deadline, async {
                loop {
                    let header = self.authorize(&mut request).await?;
                    let turn = transport.limits.turn().await;
                    if header.as_ref().is_none_or(|header| self.vendor.holds(header)) {
                        return Ok((header, turn));
                    }
                }
            });
            let late = || {
                let advice = "begin fewer calls at once, or raise `rate_per_second` or `concurrency` of `Settings`";
                Error::new(ErrorKind::Timeout).detail("while waiting to send").advise(Some(advice))
            };
            let ready = ready.await.unwrap_or_else(|_| Err(late()));
            let (header, turn) = ready.map_err(|e| e.outcome_is(operation.outcome(progress.outcome)))?;
            // A call that reached the vendor reports what came of that.
            if progress == Progress::START && is_shut() {
                return Err(Error::not_asked(V::PROVIDER).outcome_is(operation.outcome(progress.outcome)));
            }
            call.attempt();
            let until = deadline.min(Instant::now() + settings.attempt_timeout);
            let answer = answer::receive(transport, operation, request, progress.fresh, until).await;
            drop(turn);
            let judged = match answer {
                Ok(answer) => aside(operation, answer, deadline, |answer| answer.judge::<V>(operation)).await,
                Err(failed) => Err(failed),
            };
            let judged = judged.and_then(|judged| judged);
            // A refusal for another reason proves that the vendor accepted the credentials.
            let took = match &judged {
                Ok(_) => true,
                Err(Failed { error, .. }) => matches!(
                    error.kind(),
                    ErrorKind::InvalidRequest | ErrorKind::NotFound | ErrorKind::Conflict | ErrorKind::Refused
                ),
            };
            if let Some(header) = &header
                && took
            {
                self.vendor.taken(header, progress.renewed);
            }
            let Failed { error, failure, retry_after } = match judged {
                Ok(answer) => return Ok(answer),
                Err(failed) => failed,
            };
            let (outcome, not_found) = (error.outcome(), error.kind() == ErrorKind::NotFound);
            let attempt = Attempt { failure, outcome, not_found, repeatable: again.is_some() };
            let before = progress;
            let (next, after) = decision::decide(operation.effect, before, attempt);
            progress = after;
            let error = error.outcome_is(operation.outcome(progress.outcome));
            match (next, again) {
                (Next::Removed, _) => return Ok(Answer::no_content()),
                (Next::Renew, Some(again)) => match header {
                    Some(header) if self.vendor.refused(&header, before.renewed) => request = again,
                    _ => return Err(error),
                },
                (Next::Fresh, Some(again)) => request = again,
                (Next::Again, Some(again)) => {
                    let Some(delay) = delays.next() else { return Err(error) };
                    let delay = delay.max(retry_after.unwrap_or_default());
                    let too_long = retry_after.is_some_and(|asked| asked > settings.max_retry_after);
                    if too_long || Instant::now() + delay >= deadline || !transport.limits.budget.withdraw() {
                        return Err(error);
                    }
                    sleep(delay).await;
                    request = again;
                }
                (Next::Stop, _) | (_, None) => return Err(error),
            }
        }
    }

    /// Sets the headers: accepted encoding and type, and credentials if the operation needs them.
    async fn authorize(&self, request: &mut Request) -> Result<Option<HeaderValue>, Error> {
        request.headers_mut().insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        if !self.operation.answer.is_empty() {
            request.headers_mut().insert(ACCEPT, HeaderValue::from_static("application/json"));
        }
        if !self.operation.authenticated {
            return Ok(None);
        }
        let header = self.vendor.authorization().await?;
        request.headers_mut().insert(AUTHORIZATION, header.clone());
        Ok(Some(header))
    }
}

/// Returns the request, after checking that its URL has the path of the operation.
fn built(operation: &Operation, transport: &Transport, request: Built) -> Result<Request, Error> {
    let refuse = |what: String| Error::invalid(None, what).outcome_is(operation.outcome(Outcome::NotSent));
    let request = request.map_err(refuse)?;
    let base = transport.base_path(operation).map_err(refuse)?;
    let path = request.url().path().strip_prefix(&*base);
    if !path.is_some_and(|path| path::matches(path, operation.path)) {
        return Err(refuse("an id would change the path of the request. Use the id that the vendor gave".into()));
    }
    Ok(request)
}
