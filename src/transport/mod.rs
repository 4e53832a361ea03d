//! What every request shares: one way out, with credentials, deadlines, limits and further attempts, and one way back,
//! into an answer or an [`Error`](crate::Error).
//!
//! Generated code builds a request with a [`Draft`] and hands it to [`perform`]. What differs by vendor is behind [`Vendor`].

mod answer;
mod connections;
mod credential;
mod draft;
mod limits;
mod path;
mod repeats;
mod retry;
mod settings;
#[cfg(test)]
mod tests;
mod trace;

pub(crate) use answer::{Answer, Pages};
pub(crate) use credential::{credential, secret_header};
pub(crate) use draft::{Built, Draft};
pub(crate) use path::path_fault;
pub(crate) use repeats::Sent;
pub use settings::Settings;
pub(crate) use settings::{Endpoint, endpoint_methods};

use crate::{Error, ErrorKind, Outcome, Provider, Resent, wire};
use answer::{Failed, aside};
use connections::Connections;
use limits::Limits;
use path::encode_path;
use reqwest::{
    Request, StatusCode, Url,
    header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, HeaderValue},
};
use retry::{Delays, Failure, Next};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use std::{borrow::Cow, num::NonZeroU32, pin::Pin};
use tokio::time::{Instant, sleep, timeout_at};
use tower::retry::budget::Budget;
use trace::Call;

/// What an operation does to the vendor's state, which decides whether it may be sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Nothing.
    Read,
    /// It makes or changes something: sent twice, it may do so twice.
    Write,
    /// It takes a right away: sent twice it does no harm, given up half-way it does.
    Removal,
}

/// What the transport knows of an operation; the build script writes one for each.
#[derive(Debug)]
pub(crate) struct Operation {
    /// Its id in the spec.
    pub id: &'static str,
    pub method: &'static str,
    /// Its path in the spec.
    pub path: &'static str,
    /// The documented base path of the others and its own, if its own differs.
    pub outside: Option<(&'static str, &'static str)>,
    pub effect: Effect,
    /// Whether credentials go with it.
    pub authenticated: bool,
    /// Whether its answer holds a document.
    pub document: bool,
    /// The HTTP status of its answer in the spec: `204`, or `2XX` where none is documented.
    pub code: &'static str,
    /// What a caller can do when the answer to a write or a removal was lost; in the spec's words.
    pub lost_answer: &'static str,
    /// Where each value of the answer stands, its JSON type, and whether the spec requires it. Empty: no answer.
    pub answer: &'static [(&'static str, &'static str, bool)],
    /// Which values of the answer repeat which of the request.
    pub repeats: &'static [(&'static str, Sent)],
}

impl Operation {
    /// An outcome is a matter of writes.
    pub fn outcome(&self, outcome: Outcome) -> Option<Outcome> {
        (self.effect != Effect::Read).then_some(outcome)
    }
}

/// What differs by vendor between a built request and a decoded answer.
pub(crate) trait Vendor: Sync + 'static {
    const PROVIDER: Provider;

    fn transport(&self) -> &Transport;

    /// The header that proves who is calling. It may take a call of its own to get it.
    fn authorization(&self) -> impl Future<Output = Result<HeaderValue, Error>> + Send;

    /// The vendor refused this header, with 401. Whether another can be had, so that sending again makes sense.
    /// `renewed`: the call had been sent with another before.
    fn refused(&self, _header: &HeaderValue, _renewed: bool) -> bool {
        false
    }

    /// The vendor took a call with this header.
    fn taken(&self, _header: &HeaderValue, _renewed: bool) {}

    /// Whether it has not refused this header meanwhile, to another call.
    fn holds(&self, _header: &HeaderValue) -> bool {
        true
    }

    /// What the vendor itself says, whatever the HTTP status.
    fn word(status: StatusCode, body: &[u8]) -> Word;

    /// What to do about a refusal by its HTTP status, where the vendor's words do not say more.
    fn advice(_operation: &Operation, _status: StatusCode, _speaker: Speaker) -> Option<&'static str> {
        None
    }
}

/// Who speaks in a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Speaker {
    /// The vendor's API, in its own form.
    Vendor,
    /// A page or another text: that of a firewall, a proxy or a server before the API.
    Other,
    /// Nobody: there is no body.
    Nobody,
}

/// What a vendor itself says of a request.
#[derive(Debug)]
pub(crate) enum Word {
    /// Nothing: the HTTP status tells, and the body is what was asked for.
    Silent,
    /// It refuses.
    Refused(Refusal),
    /// It says neither yes nor no; why not.
    Unclear(String),
}

impl Word {
    /// Of a vendor that puts a flag on each answer: only true is yes. A refusal is told by what stands under `names`.
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

/// A vendor's refusal in its own words.
#[derive(Debug, Default)]
pub(crate) struct Refusal {
    /// What it means, where the HTTP status does not tell.
    pub kind: Option<ErrorKind>,
    pub code: Option<String>,
    pub trace_id: Option<String>,
    /// Which fields it is about, without their values.
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
                (Some(named), Some(host)) if named == host => {}
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

    /// Without a slash at its end.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// How many calls may be begun at once: as many as are let through before their time is over.
    pub fn concurrency(&self) -> usize {
        let Settings { concurrency, rate_per_second, overall_timeout, .. } = &self.settings;
        let in_time = |rate: &NonZeroU32| (rate.get() as usize).saturating_mul(overall_timeout.as_secs() as usize) / 4;
        (*concurrency).min(rate_per_second.as_ref().map_or(usize::MAX, in_time)).max(1)
    }

    /// The path before that of the operation. An operation outside of the documented base path is at the same host: its own
    /// base path replaces the documented one at the end of the configured URL.
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

/// A call, on the heap: each future around it would copy the whole of it.
type Calling<'a, T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 'a>>;

/// Sends what generated code has built, and decodes the answer.
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

/// The same of a list, with what the answer says of items that are not in it.
pub(crate) fn perform_page<'a, V: Vendor, T: DeserializeOwned + Send + 'static>(
    vendor: &'a V,
    operation: &'static Operation,
    request: Built,
) -> Calling<'a, (T, Pages)> {
    Run { vendor, operation }.call(request, |answer| Ok((answer.decode(operation)?, answer.pages)))
}

/// The same, up to an answer that is no refusal.
pub(crate) fn exchange<'a, V: Vendor>(
    vendor: &'a V,
    operation: &'static Operation,
    request: Built,
) -> Calling<'a, Answer> {
    Run { vendor, operation }.call(request, Ok)
}

/// What it means that a write was sent again whose first answer was lost.
pub(crate) fn resent<T>(result: Result<T, Error>, in_use: &[&str]) -> Result<Resent<T>, Error> {
    match result {
        Ok(answer) => Ok(Resent::Done(answer)),
        Err(e) if e.vendor_code().is_some_and(|code| in_use.contains(&code)) => Ok(Resent::InUse),
        Err(e) => Err(e),
    }
}

/// What a vendor's own 404 to a removal says.
const GONE_ALREADY: &str = "it is not there: if the answer to an earlier removal was lost, that one was done";

/// One call: as many attempts as its effect, the limits and the deadline allow.
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
        // What became of a write so far. Once it is unknown, only a success makes it known again.
        let mut outcome = Outcome::NotSent;
        let (mut renewed, mut arrived, mut fresh) = (false, false, false);
        transport.limits.budget.deposit();
        loop {
            let again = request.try_clone();
            // What fails before anything is sent leaves the outcome as it is.
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
            let (header, turn) = ready.map_err(|e| e.outcome_is(operation.outcome(outcome)))?;
            call.attempt();
            let until = deadline.min(Instant::now() + settings.attempt_timeout);
            let answer = answer::receive(transport, operation, request, fresh, until).await;
            drop(turn);
            let judged = match answer {
                Ok(answer) => aside(operation, answer, deadline, |answer| answer.judge::<V>(operation)).await,
                Err(failed) => Err(failed),
            };
            let judged = judged.and_then(|judged| judged);
            // A refusal for another reason proves that the vendor took the credentials.
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
                self.vendor.taken(header, renewed);
            }
            let Failed { mut error, failure, retry_after } = match judged {
                Ok(answer) => return Ok(answer),
                Err(failed) => failed,
            };
            // The vendor no longer knows what an earlier attempt that may have arrived was to remove: that one did it.
            if operation.effect == Effect::Removal && arrived && error.kind() == ErrorKind::NotFound {
                return Ok(Answer::no_content());
            }
            if outcome == Outcome::Unknown {
                error = error.outcome_is(operation.outcome(Outcome::Unknown));
            }
            outcome = error.outcome().unwrap_or(outcome);
            match (retry::decide(operation.effect, failure), again) {
                (Next::Renew, Some(again)) => match header {
                    Some(header) if self.vendor.refused(&header, renewed) => (renewed, request) = (true, again),
                    _ => return Err(error),
                },
                (Next::Fresh, Some(again)) => (fresh, request) = (true, again),
                (Next::Again, Some(again)) => {
                    let Some(delay) = delays.next() else { return Err(error) };
                    let delay = delay.max(retry_after.unwrap_or_default());
                    let too_long = retry_after.is_some_and(|asked| asked > settings.max_retry_after);
                    if too_long || Instant::now() + delay >= deadline || !transport.limits.budget.withdraw() {
                        return Err(error);
                    }
                    sleep(delay).await;
                    arrived |= failure != Failure::NoConnection;
                    request = again;
                }
                // Nothing more to do, or a body that can be sent once only.
                (Next::Stop, _) | (_, None) => return Err(error),
            }
        }
    }

    /// Puts on a request what is read, and credentials, if it is to have any.
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

/// The request, if the values of the caller made one and its URL has the path of the operation.
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
