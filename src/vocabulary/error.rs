//! The error type of the facade and of every call to a vendor.

use super::Provider;
use crate::wire::shape;
use std::{fmt, time::Duration};

/// An error: its kind, the vendor, the operation, the outcome of a write, and advice.
///
/// `Display` and `Debug` never show the body of a response, the query of a URL, a credential or personal data. The
/// error for an unreadable response names the place in the response, not the value. The error has no `source`, because
/// the errors of other libraries quote values and URLs.
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    provider: Option<Provider>,
    operation: Option<&'static str>,
    http_status: Option<u16>,
    vendor_code: Option<String>,
    trace_id: Option<String>,
    outcome: Option<Outcome>,
    harmless_again: bool,
    refuses_caller: bool,
    detail: Option<String>,
    advice: Option<&'static str>,
    seen: Seen,
}

/// The facts about the connection and about the sender of the response. A check of the set-up uses these facts.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Seen {
    /// True if no connection could be made.
    pub no_connection: bool,
    /// True if the refusal has the form of the vendor. Otherwise a server in front of the vendor may have sent it.
    pub own_words: bool,
    /// True if the vendor, or a server in front of it, refused the request and named an IP address.
    pub names_address: bool,
    /// The seconds by which the vendor's clock is ahead of this machine's clock, if the response has a `Date`.
    pub clock_ahead: Option<i64>,
}

/// The kind of an [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The request breaks a documented rule of the vendor. This crate did not send the request, or the vendor refused
    /// it.
    InvalidRequest,
    /// The vendor refuses the credentials, the account or the caller's IP address.
    Auth,
    /// The vendor does not know the requested record.
    NotFound,
    /// The record exists already, or another record prevents the request, such as a reference in use or a client with
    /// mandates.
    Conflict,
    /// The vendor refused the request for a reason that no other kind covers; see [`Error::vendor_code`].
    Refused,
    /// The vendor received too many requests from you. Wait before the next call.
    RateLimited {
        /// The delay that the vendor requests, if the response contains one.
        retry_after: Option<Duration>,
    },
    /// The vendor, or a proxy in front of the vendor, cannot respond now.
    Unavailable,
    /// No response arrived in time.
    Timeout,
    /// The connection failed.
    Transport,
    /// The response is larger than the limit in [`Settings`](crate::Settings).
    TooLarge,
    /// The response does not match the spec.
    Decode,
    /// The vendor is not configured, or its configuration is not valid.
    NotConfigured,
    /// This crate sent no request, because the vendor has already refused the caller in the same run or in another
    /// watch; see [`Error::refuses_caller`].
    NotAsked,
    /// The vendor has no such record, such as a debit at Seqino.
    NotApplicable,
}

/// The outcome of a write or removal that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// The request was never sent, so the vendor cannot have acted.
    NotSent,
    /// The vendor refused the request and has not acted.
    Refused,
    /// The vendor may have acted. Find out before you send the request again. The documentation of each write explains
    /// how to find out.
    Unknown,
}

/// The result of a write that you sent again because the response to the first call was lost.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "look up the record if the reference is in use"]
pub enum Resent<T> {
    /// The vendor did nothing, because the reference is in use. If nobody used the reference before, the first call
    /// used it.
    ///
    /// The vendor returns no record. Look up the record: at SafeDebit with `find_consumer`, `find_debit` or
    /// `find_payment`. The record has the values of the **first** call, so its amount and date may differ from those of
    /// this call.
    InUse,
    /// The vendor accepted this call. If the vendor accepted the first call too, there are two records. Look for a
    /// duplicate.
    Done(T),
}

/// The maximum length of the detail of an error, in characters. A vendor can list any number of invalid fields.
const LONGEST_DETAIL: usize = 400;

impl Error {
    /// The kind of error.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The vendor that the error concerns, if known.
    pub fn provider(&self) -> Option<Provider> {
        self.0.provider
    }

    /// The id, in the spec, of the operation that failed, if there was one.
    pub fn operation(&self) -> Option<&'static str> {
        self.0.operation
    }

    /// The HTTP status of the vendor's response, if there was a response.
    pub fn http_status(&self) -> Option<u16> {
        self.0.http_status
    }

    /// The vendor's own error code, such as `AUTH_003` or `11`.
    pub fn vendor_code(&self) -> Option<&str> {
        self.0.vendor_code.as_deref()
    }

    /// The vendor's trace id. Pass it to the vendor's support.
    pub fn trace_id(&self) -> Option<&str> {
        self.0.trace_id.as_deref()
    }

    /// The outcome of the write or removal that failed. `None` for a read.
    pub fn outcome(&self) -> Option<Outcome> {
        self.0.outcome
    }

    /// The advice on how to resolve the error, if there is any.
    pub fn advice(&self) -> Option<&'static str> {
        self.0.advice
    }

    /// Returns true if you can repeat the same call later without a change.
    ///
    /// Returns false for a write whose [`outcome`](Self::outcome) is [`Unknown`](Outcome::Unknown), because a repeated
    /// write may act twice. Returns true for a removal with this outcome, because a repeated removal is harmless.
    pub fn is_retryable(&self) -> bool {
        match self.outcome() {
            Some(Outcome::Unknown) => self.0.harmless_again,
            _ => matches!(
                self.kind(),
                ErrorKind::RateLimited { .. } | ErrorKind::Unavailable | ErrorKind::Timeout | ErrorKind::Transport
            ),
        }
    }

    /// Returns true if the vendor refused the caller and not the request. The reason may be the login, the password,
    /// the key, the account or the IP address.
    ///
    /// Stop sending requests and correct the configuration. The vendor will refuse every further request, and repeated
    /// refusals can lock an account.
    pub fn refuses_caller(&self) -> bool {
        self.0.refuses_caller
    }

    pub(crate) fn new(kind: ErrorKind) -> Self {
        Self(Box::new(Inner {
            kind,
            provider: None,
            operation: None,
            http_status: None,
            vendor_code: None,
            trace_id: None,
            outcome: None,
            harmless_again: false,
            refuses_caller: false,
            detail: None,
            advice: None,
            seen: Seen::default(),
        }))
    }

    /// Creates the error for a value that is refused before any request is sent.
    pub(crate) fn invalid(provider: Option<Provider>, detail: impl Into<String>) -> Self {
        Self::new(ErrorKind::InvalidRequest).at(provider).detail(detail)
    }

    pub(crate) fn not_configured(provider: Provider, detail: impl Into<String>) -> Self {
        Self::new(ErrorKind::NotConfigured).at(Some(provider)).detail(detail)
    }

    pub(crate) fn at(mut self, provider: Option<Provider>) -> Self {
        self.0.provider = provider;
        self
    }

    /// Sets the detail: the invalid value's place and the reason. Never pass a value from a vendor or a caller, because
    /// the detail is shown.
    pub(crate) fn detail(mut self, detail: impl Into<String>) -> Self {
        let mut detail: String = detail.into();
        if let Some((end, _)) = detail.char_indices().nth(LONGEST_DETAIL) {
            detail.truncate(end);
        }
        self.0.detail = Some(detail);
        self
    }
}

/// The transport and the vendor adapters add this information to an error.
impl Error {
    /// Sets the vendor and the operation of an error that has none. When a call needs a new token and the login fails,
    /// the error names the login.
    pub(crate) fn during(mut self, provider: Provider, operation: &'static str) -> Self {
        self.0.provider.get_or_insert(provider);
        self.0.operation.get_or_insert(operation);
        self
    }

    pub(crate) fn status(mut self, status: u16) -> Self {
        self.0.http_status = Some(status);
        self
    }

    /// Marks the failed call as a removal, which may be repeated without harm.
    pub(crate) fn harmless_again(mut self) -> Self {
        self.0.harmless_again = true;
        self
    }

    pub(crate) fn refusing_caller(mut self, refuses: bool) -> Self {
        self.0.refuses_caller = refuses;
        self
    }

    pub(crate) fn outcome_is(mut self, outcome: Option<Outcome>) -> Self {
        self.0.outcome = outcome;
        self
    }

    pub(crate) fn advise(mut self, advice: Option<&'static str>) -> Self {
        self.0.advice = advice;
        self
    }

    /// Replaces the advice if the outcome is unknown, because finding out the outcome is more important than any other
    /// advice.
    pub(crate) fn advise_if_unknown(self, advice: &'static str) -> Self {
        if self.outcome() == Some(Outcome::Unknown) { self.advise(Some(advice)) } else { self }
    }

    pub(crate) fn saw(mut self, seen: Seen) -> Self {
        self.0.seen = seen;
        self
    }

    pub(crate) fn seen(&self) -> Seen {
        self.0.seen
    }

    /// The detail of the error, without its vendor, kind and advice.
    pub(crate) fn what(&self) -> Option<&str> {
        self.0.detail.as_deref()
    }

    /// Sets the vendor's code and trace id. A text that does not look like a code or a trace id is dropped, because it
    /// may be personal data.
    pub(crate) fn vendor(mut self, code: Option<String>, trace_id: Option<String>) -> Self {
        self.0.vendor_code = code.filter(|code| shape::is_code(code));
        self.0.trace_id = trace_id.filter(|id| shape::is_trace_id(id));
        self
    }

    pub(crate) fn not_found(provider: Provider, operation: &'static str) -> Self {
        Self::new(ErrorKind::NotFound).during(provider, operation).detail("the vendor does not know this mandate")
    }

    /// Creates the error for a request that was not sent, because the vendor has refused the caller before.
    pub(crate) fn not_asked(provider: Provider) -> Self {
        Self::new(ErrorKind::NotAsked)
            .at(Some(provider))
            .detail("the vendor has refused the caller before, so this request was not sent")
            .advise(Some("correct the credentials, the account or the listed IP addresses, then try again"))
    }

    /// Creates the error for a debit at a vendor without debits.
    pub(crate) fn no_debits(provider: Provider) -> Self {
        Self::new(ErrorKind::NotApplicable).at(Some(provider)).detail("this vendor has no debits")
    }

    /// Creates the error for a response with a missing or unexpected value. `detail` names the place in the response.
    pub(crate) fn decode(provider: Provider, operation: &'static str, detail: impl Into<String>) -> Self {
        Self::new(ErrorKind::Decode)
            .during(provider, operation)
            .detail(detail)
            .advise(Some("compare the response with the spec: `Mandates::probe` reports its shape without values"))
    }
}

impl ErrorKind {
    /// The name of the kind, without the delay of `RateLimited`, for logs and metrics.
    pub fn name(self) -> &'static str {
        self.told().0
    }

    /// Returns the description of the kind for error messages.
    pub(crate) fn words(self) -> &'static str {
        self.told().1
    }

    /// Returns the name of the kind, and its description for error messages.
    fn told(self) -> (&'static str, &'static str) {
        match self {
            Self::InvalidRequest => ("InvalidRequest", "the request is invalid"),
            Self::Auth => ("Auth", "access is refused"),
            Self::NotFound => ("NotFound", "not found"),
            Self::Conflict => ("Conflict", "conflict"),
            Self::Refused => ("Refused", "the vendor refused"),
            Self::RateLimited { .. } => ("RateLimited", "too many requests"),
            Self::Unavailable => ("Unavailable", "the vendor is unavailable"),
            Self::Timeout => ("Timeout", "no response in time"),
            Self::Transport => ("Transport", "the connection failed"),
            Self::TooLarge => ("TooLarge", "the response is too large"),
            Self::Decode => ("Decode", "the response is not as documented"),
            Self::NotConfigured => ("NotConfigured", "not configured"),
            Self::NotAsked => ("NotAsked", "no request was sent"),
            Self::NotApplicable => ("NotApplicable", "not applicable"),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &self.0;
        if let Some(provider) = inner.provider {
            write!(f, "{provider}")?;
            if let Some(operation) = inner.operation {
                write!(f, " {operation}")?;
            }
            f.write_str(": ")?;
        }
        f.write_str(match inner.kind {
            // An error without an operation concerns a value, not a request.
            ErrorKind::InvalidRequest if inner.operation.is_none() => "not valid",
            kind => kind.told().1,
        })?;
        let beside = [
            inner.http_status.map(|status| format!("HTTP {status}")),
            inner.vendor_code.as_ref().map(|code| format!("code {code}")),
            inner.trace_id.as_ref().map(|id| format!("trace {id}")),
        ];
        let beside: Vec<String> = beside.into_iter().flatten().collect();
        if !beside.is_empty() {
            write!(f, " ({})", beside.join(", "))?;
        }
        if let Some(detail) = &inner.detail {
            write!(f, ": {detail}")?;
        }
        if let ErrorKind::RateLimited { retry_after: Some(delay) } = inner.kind {
            write!(f, "; try again after {} s", delay.as_secs())?;
        }
        let unknown = inner.outcome == Some(Outcome::Unknown);
        if unknown {
            f.write_str("; the vendor may have acted")?;
        }
        match inner.advice {
            Some(advice) if unknown => write!(f, ". To find out: {advice}"),
            Some(advice) => write!(f, "; {advice}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Error({:?}, outcome {:?}, \"{self}\")", self.kind(), self.outcome())
    }
}

impl std::error::Error for Error {}
