//! One error for the facade and for every typed call.

use super::Provider;
use crate::wire::shape;
use std::{fmt, time::Duration};

/// What went wrong: at which vendor, in which operation, what it means, and what to do.
///
/// Neither `Display` nor `Debug` ever holds an answer's body, the query of a URL, a credential or personal data, and
/// no error of a library below is reachable through it: those quote values and URLs. A decoding error says where, not
/// what.
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
    /// The request breaks a documented rule: ours refused to send it, or the vendor refused it.
    InvalidRequest,
    /// The credentials, the account or the caller's address are refused.
    Auth,
    /// The vendor does not know what was asked for.
    NotFound,
    /// It is there already, or in the way: a reference in use, a client that has mandates.
    Conflict,
    /// The vendor refused it for a reason of its own; see [`Error::vendor_code`].
    Refused,
    /// Too many requests; ask again after the delay, if the vendor gave one.
    RateLimited {
        /// How long to wait.
        retry_after: Option<Duration>,
    },
    /// The vendor, or something before it, cannot answer now.
    Unavailable,
    /// No answer in time.
    Timeout,
    /// The connection failed.
    Transport,
    /// The answer is larger than the cap.
    TooLarge,
    /// The answer is not what the spec says.
    Decode,
    /// The provider is not configured, or its configuration is refused.
    NotConfigured,
    /// It was not asked: the vendor had refused the caller already, in the same run or to another watch; see
    /// [`Error::refuses_caller`].
    NotAsked,
}

/// What became of a write that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// It never left: the vendor cannot have acted.
    NotSent,
    /// The vendor refused it: it has not acted.
    Refused,
    /// The vendor may have acted. Find out before you send it again; the documentation of each write says how.
    Unknown,
}

/// What came of a write that was sent again, as its first answer was lost.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a reference in use has to be looked up"]
pub enum Resent<T> {
    /// The vendor says that the reference is in use, and did nothing. If the reference was new, the first call used it.
    ///
    /// No answer comes with it. Look the record up: at SafeDebit with `find_consumer`, `find_debit` or `find_payment`.
    /// What the vendor has is what the **first** call said: its amount and its date may differ from those of this call.
    InUse,
    /// The vendor took this call. A first call that it took as well would be a second record: look for one.
    Done(T),
}

/// In characters. What a vendor lists as wrong has no end of its own.
const LONGEST_DETAIL: usize = 400;

impl Error {
    /// What went wrong.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// At which vendor.
    pub fn provider(&self) -> Option<Provider> {
        self.0.provider
    }

    /// In which operation, by its id in the spec.
    pub fn operation(&self) -> Option<&'static str> {
        self.0.operation
    }

    /// The HTTP status of the answer, if there was one.
    pub fn http_status(&self) -> Option<u16> {
        self.0.http_status
    }

    /// The vendor's own error code: `AUTH_003`, `11`.
    pub fn vendor_code(&self) -> Option<&str> {
        self.0.vendor_code.as_deref()
    }

    /// The vendor's trace id, to be given to its support.
    pub fn trace_id(&self) -> Option<&str> {
        self.0.trace_id.as_deref()
    }

    /// For a write: what became of it. `None` for a read.
    pub fn outcome(&self) -> Option<Outcome> {
        self.0.outcome
    }

    /// What to do, where there is something to say.
    pub fn advice(&self) -> Option<&'static str> {
        self.0.advice
    }

    /// Whether the same call can be made again later, without any change. A write of which the
    /// [`outcome`](Self::outcome) is [`Unknown`](Outcome::Unknown) cannot: it might be done twice. A removal of which it
    /// is unknown can, whatever failed: it does no harm twice.
    pub fn is_retryable(&self) -> bool {
        match self.outcome() {
            Some(Outcome::Unknown) => self.0.harmless_again,
            _ => matches!(
                self.kind(),
                ErrorKind::RateLimited { .. } | ErrorKind::Unavailable | ErrorKind::Timeout | ErrorKind::Transport
            ),
        }
    }

    /// Whether the vendor refused the caller rather than the request: login, password, key, account or IP address. It
    /// will refuse every further request alike, and repeated refusals can lock an account: stop asking, and mend the
    /// configuration first.
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

    /// A value that cannot be right, refused before anything was sent.
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

    /// What is wrong and where, in words that hold no value of a vendor or a caller.
    pub(crate) fn detail(mut self, detail: impl Into<String>) -> Self {
        let mut detail: String = detail.into();
        if let Some((end, _)) = detail.char_indices().nth(LONGEST_DETAIL) {
            detail.truncate(end);
        }
        self.0.detail = Some(detail);
        self
    }
}

/// What the transport and the providers add.
impl Error {
    /// The call that failed first is the one to name: a token may be asked for within another call.
    pub(crate) fn during(mut self, provider: Provider, operation: &'static str) -> Self {
        self.0.provider.get_or_insert(provider);
        self.0.operation.get_or_insert(operation);
        self
    }

    pub(crate) fn status(mut self, status: u16) -> Self {
        self.0.http_status = Some(status);
        self
    }

    /// The call removes something.
    pub(crate) fn harmless_again(mut self) -> Self {
        self.0.harmless_again = true;
        self
    }

    /// The vendor refused who is asking.
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

    /// How to find out what became of a write outweighs what else there is to say.
    pub(crate) fn advise_if_unknown(self, advice: &'static str) -> Self {
        if self.outcome() == Some(Outcome::Unknown) { self.advise(Some(advice)) } else { self }
    }

    /// A code and a trace id come from outside: what does not look like one is not taken.
    pub(crate) fn vendor(mut self, code: Option<String>, trace_id: Option<String>) -> Self {
        self.0.vendor_code = code.filter(|code| shape::is_code(code));
        self.0.trace_id = trace_id.filter(|id| shape::is_trace_id(id));
        self
    }

    pub(crate) fn not_found(provider: Provider, operation: &'static str) -> Self {
        Self::new(ErrorKind::NotFound).during(provider, operation).detail("the vendor knows no such mandate")
    }

    /// A further request would have been refused like an earlier one.
    pub(crate) fn not_asked(provider: Provider) -> Self {
        Self::new(ErrorKind::NotAsked)
            .at(Some(provider))
            .detail("the vendor had refused the caller before")
            .advise(Some("mend the credentials, the account or the listed IP addresses, then read it again"))
    }

    /// What was looked for in an answer, and is not there or not as it should be.
    pub(crate) fn decode(provider: Provider, operation: &'static str, detail: impl Into<String>) -> Self {
        Self::new(ErrorKind::Decode)
            .during(provider, operation)
            .detail(detail)
            .advise(Some("compare the response with the spec: `Mandates::probe` reports its shape without values"))
    }
}

impl ErrorKind {
    /// The kind without its data, for logs and metrics.
    pub fn name(self) -> &'static str {
        self.told().0
    }

    /// Its name, and how it is said in a message.
    fn told(self) -> (&'static str, &'static str) {
        match self {
            Self::InvalidRequest => ("InvalidRequest", "the request is invalid"),
            Self::Auth => ("Auth", "access is refused"),
            Self::NotFound => ("NotFound", "not found"),
            Self::Conflict => ("Conflict", "conflict"),
            Self::Refused => ("Refused", "the vendor refused"),
            Self::RateLimited { .. } => ("RateLimited", "too many requests"),
            Self::Unavailable => ("Unavailable", "the vendor is unavailable"),
            Self::Timeout => ("Timeout", "no answer in time"),
            Self::Transport => ("Transport", "the connection failed"),
            Self::TooLarge => ("TooLarge", "the answer is too large"),
            Self::Decode => ("Decode", "the answer is not as documented"),
            Self::NotConfigured => ("NotConfigured", "not configured"),
            Self::NotAsked => ("NotAsked", "not asked"),
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
            // Nothing was asked for yet.
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
            write!(f, "; ask again after {} s", delay.as_secs())?;
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
