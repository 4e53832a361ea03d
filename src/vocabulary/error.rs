//! The error type of the facade and of every typed call.

use super::Provider;
use crate::wire::shape;
use std::{fmt, time::Duration};

/// An error: its kind, the vendor, the operation, the outcome of a write, and advice.
///
/// `Display` and `Debug` never show the body of a response, the query of a URL, a credential or personal data. A
/// decoding error shows the place, not the value. The error has no `source`, because the errors of other libraries
/// quote values and URLs.
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
}

/// The kind of an [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The request breaks a documented rule. This crate did not send it, or the vendor refused it.
    InvalidRequest,
    /// The vendor refuses the credentials, the account or the caller's IP address.
    Auth,
    /// The vendor does not know the requested record.
    NotFound,
    /// The record exists already or something blocks the request, such as a reference in use or a client with mandates.
    Conflict,
    /// The vendor refused the request for another reason; see [`Error::vendor_code`].
    Refused,
    /// The vendor received too many requests. Wait before the next call.
    RateLimited {
        /// The delay that the vendor asks for, if it names one.
        retry_after: Option<Duration>,
    },
    /// The vendor, or a proxy in front of it, cannot respond now.
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
    /// No request was sent, because the vendor has already refused the caller in the same run or in another watch; see
    /// [`Error::refuses_caller`].
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
    /// The vendor may have acted. Find out before you send the request again. The documentation of each write says how.
    Unknown,
}

/// The result of a write that you sent again because its first response was lost.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "look up the record if the reference is in use"]
pub enum Resent<T> {
    /// The vendor did nothing, because the reference is in use. If the reference was new, the first call used it.
    ///
    /// The vendor returns no record. Look it up: at SafeDebit with `find_consumer`, `find_debit` or `find_payment`. The
    /// record has the values of the **first** call, so its amount and date may differ from those of this call.
    InUse,
    /// The vendor accepted this call. If it accepted the first call too, there are two records. Look for a duplicate.
    Done(T),
}

/// The longest detail, in characters. A vendor can list any number of faults.
const LONGEST_DETAIL: usize = 400;

impl Error {
    /// The kind of error.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The vendor, if known.
    pub fn provider(&self) -> Option<Provider> {
        self.0.provider
    }

    /// The id of the operation in the spec, if there was one.
    pub fn operation(&self) -> Option<&'static str> {
        self.0.operation
    }

    /// The HTTP status of the response, if there was one.
    pub fn http_status(&self) -> Option<u16> {
        self.0.http_status
    }

    /// The vendor's own error code: `AUTH_003`, `11`.
    pub fn vendor_code(&self) -> Option<&str> {
        self.0.vendor_code.as_deref()
    }

    /// The vendor's trace id. Give it to the vendor's support.
    pub fn trace_id(&self) -> Option<&str> {
        self.0.trace_id.as_deref()
    }

    /// The outcome of a write or removal. `None` for a read.
    pub fn outcome(&self) -> Option<Outcome> {
        self.0.outcome
    }

    /// Advice, if there is any.
    pub fn advice(&self) -> Option<&'static str> {
        self.0.advice
    }

    /// Returns true if you can repeat the same call later without a change.
    ///
    /// Returns false for a write with the [`outcome`](Self::outcome) [`Unknown`](Outcome::Unknown), which could be done
    /// twice. Returns true for a removal with this outcome, because a repeated removal is harmless.
    pub fn is_retryable(&self) -> bool {
        match self.outcome() {
            Some(Outcome::Unknown) => self.0.harmless_again,
            _ => matches!(
                self.kind(),
                ErrorKind::RateLimited { .. } | ErrorKind::Unavailable | ErrorKind::Timeout | ErrorKind::Transport
            ),
        }
    }

    /// Returns true if the vendor refused the caller and not the request: login, password, key, account or IP address.
    ///
    /// Stop sending requests and correct the configuration first. The vendor will refuse every further request, and
    /// repeated refusals can lock an account.
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
        }))
    }

    /// The error for a value that is refused before anything is sent.
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

    /// Sets the detail: the fault and its place. Never pass a value from a vendor or a caller.
    pub(crate) fn detail(mut self, detail: impl Into<String>) -> Self {
        let mut detail: String = detail.into();
        if let Some((end, _)) = detail.char_indices().nth(LONGEST_DETAIL) {
            detail.truncate(end);
        }
        self.0.detail = Some(detail);
        self
    }
}

/// Information that the transport and the vendor adapters add.
impl Error {
    /// Sets the vendor and the operation, unless they are set: a failed login within another call must keep its own.
    pub(crate) fn during(mut self, provider: Provider, operation: &'static str) -> Self {
        self.0.provider.get_or_insert(provider);
        self.0.operation.get_or_insert(operation);
        self
    }

    pub(crate) fn status(mut self, status: u16) -> Self {
        self.0.http_status = Some(status);
        self
    }

    /// Marks the call as a removal, which is harmless to repeat.
    pub(crate) fn harmless_again(mut self) -> Self {
        self.0.harmless_again = true;
        self
    }

    /// Sets the result of [`refuses_caller`](Self::refuses_caller).
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

    /// Sets the advice if the outcome is unknown. Finding out the outcome is more important than any other advice.
    pub(crate) fn advise_if_unknown(self, advice: &'static str) -> Self {
        if self.outcome() == Some(Outcome::Unknown) { self.advise(Some(advice)) } else { self }
    }

    /// Sets the vendor's code and trace id. A text without the right shape is dropped, because it may be personal data.
    pub(crate) fn vendor(mut self, code: Option<String>, trace_id: Option<String>) -> Self {
        self.0.vendor_code = code.filter(|code| shape::is_code(code));
        self.0.trace_id = trace_id.filter(|id| shape::is_trace_id(id));
        self
    }

    pub(crate) fn not_found(provider: Provider, operation: &'static str) -> Self {
        Self::new(ErrorKind::NotFound).during(provider, operation).detail("the vendor does not know this mandate")
    }

    /// The error for a request that was not sent, because the vendor has refused the caller before.
    pub(crate) fn not_asked(provider: Provider) -> Self {
        Self::new(ErrorKind::NotAsked)
            .at(Some(provider))
            .detail("the vendor refused the caller before")
            .advise(Some("correct the credentials, the account or the listed IP addresses, then read it again"))
    }

    /// The error for a debit at a vendor without debits.
    pub(crate) fn no_debits(provider: Provider) -> Self {
        Self::new(ErrorKind::NotApplicable).at(Some(provider)).detail("this vendor has no debits")
    }

    /// The error for a response with a missing or unexpected value. `detail` names the place.
    pub(crate) fn decode(provider: Provider, operation: &'static str, detail: impl Into<String>) -> Self {
        Self::new(ErrorKind::Decode)
            .during(provider, operation)
            .detail(detail)
            .advise(Some("compare the response with the spec: `Mandates::probe` reports its shape without values"))
    }
}

impl ErrorKind {
    /// The name of the kind without its data, for logs and metrics.
    pub fn name(self) -> &'static str {
        self.told().0
    }

    /// Returns the name, and the text for messages.
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
            // Without an operation the error concerns a value, not a request.
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
