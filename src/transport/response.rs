//! Turns an HTTP response into the requested data or an error.

use super::{
    Effect, OperationSpec, Request, Speaker, Transport, Vendor, VendorVerdict,
    connections::{Response, SendError, causes},
    decision::Failure,
    meta::{date, trace_id},
    settings::LONGEST,
};
use crate::{
    vocabulary::{Error, ErrorKind, Outcome, Seen},
    wire::{self, shape},
};
use bytes::{Bytes, BytesMut};
use futures_util::{FutureExt, future::Either};
use reqwest::{
    StatusCode,
    header::{CONTENT_ENCODING, HeaderMap, HeaderValue, RETRY_AFTER},
};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::{
    any::Any,
    future::ready,
    io,
    time::{Duration, SystemTime},
};
use tokio::{
    task::spawn_blocking,
    time::{Instant, timeout_at},
};

/// A response of a vendor that was read to its end.
#[derive(Debug)]
pub(crate) struct VendorResponse {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub retry_after: Option<Duration>,
    pub body: Bytes,
    /// The reason why the vendor's success flag is unclear: it is neither true nor false. Such a body is not decoded.
    pub unclear: Option<String>,
    /// The facts about the connection and the sender, for a check of the set-up.
    pub seen: Seen,
}

/// The headers of a response to a request for a list. They are searched only on demand, because most calls need no
/// paging headers.
pub(crate) struct Pages(pub(super) HeaderMap);

impl Pages {
    /// Returns true if the paging headers announce more items than the `read` ones.
    pub fn go_on_after(&self, read: usize) -> bool {
        let Paging { next, total } = Paging::of(&self.0);
        next || total.is_some_and(|total| total > read as u64)
    }
}

/// The content of paging headers: whether there is a further page, and the total number of items. No vendor documents
/// paging headers, so the names are those in common use.
#[derive(Default)]
struct Paging {
    next: bool,
    total: Option<u64>,
}

impl Paging {
    const NEXT: [&str; 2] = ["x-next-page", "x-next-cursor"];
    const MORE: [&str; 3] = ["x-has-more", "x-has-next", "x-has-next-page"];
    const PAGES: [&str; 4] = ["x-total-pages", "x-page-count", "x-pages", "x-pagination-page-count"];
    const TOTALS: [&str; 6] =
        ["x-total-count", "x-total", "total-count", "x-total-items", "x-pagination-total", "x-pagination-total-count"];

    fn of(headers: &HeaderMap) -> Self {
        let texts = |name: &str| headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
        let rel_next = |link: &str| {
            let rel = link.to_ascii_lowercase().replace(' ', "");
            let rel = rel.split(';').find_map(|part| part.strip_prefix("rel=").map(str::to_owned));
            rel.is_some_and(|rel| rel.contains("next"))
        };
        let mut links = texts("link").flat_map(|links| links.split(','));
        let any =
            |names: &[&str], is: fn(&str) -> bool| names.iter().any(|name| texts(name).any(|text| is(text.trim())));
        let further = any(&Self::NEXT, |text| !text.is_empty())
            || any(&Self::MORE, |text| text == "1" || text.eq_ignore_ascii_case("true"))
            || any(&Self::PAGES, |text| text.parse::<u64>().is_ok_and(|pages| pages > 1))
            // The end `/*` means that there may be further items, because the total number is unknown.
            || any(&["content-range"], |range| range.ends_with("/*"));
        // Read the total number of items from a header such as `items 0-99/250`.
        let range = texts("content-range").filter_map(|range| range.rsplit_once('/')).map(|(_, total)| total);
        let totals = Self::TOTALS.iter().flat_map(|name| texts(name)).chain(range);
        let totals = totals.filter_map(|total| total.trim().parse().ok());
        let objects = texts("x-pagination").filter_map(|text| serde_json::from_str(text).ok());
        let object = objects
            .map(|object| Self::of_object(&object))
            .reduce(|one, other| Self { next: one.next || other.next, total: one.total.max(other.total) });
        let object = object.unwrap_or_default();
        Self { next: further || links.any(rel_next) || object.next, total: totals.max().max(object.total) }
    }

    /// Reads a paging header in the form of ASP.NET, such as `{"totalCount":250,"pageSize":100}`. The case of its keys
    /// does not matter.
    fn of_object(object: &Map<String, Value>) -> Self {
        let plain = |key: &str| -> String {
            key.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
        };
        let named = |names: &'static [&str]| {
            object.iter().filter(move |(key, _)| names.contains(&plain(key).as_str())).map(|(_, value)| value)
        };
        let is = |value: &Value| !matches!(value, Value::Null | Value::Bool(false)) && *value != "" && *value != 0;
        let next = named(&["next", "nextpage", "nextpagelink", "hasnext", "hasnextpage", "hasmore"]).any(is)
            || named(&["totalpages", "pagecount"]).filter_map(Value::as_u64).any(|pages| pages > 1);
        Self { next, total: named(&["total", "totalcount", "totalitems"]).filter_map(Value::as_u64).max() }
    }
}

/// A failed attempt, with its error and the delay that the vendor requested.
pub(super) struct Failed {
    pub error: Error,
    pub failure: Failure,
    pub retry_after: Option<Duration>,
}

impl Failed {
    fn new(operation: &OperationSpec, failure: Failure, error: Error) -> Self {
        // Without a connection, nothing was sent. After any other failure, the vendor may have received the request.
        let no_connection = failure == Failure::NoConnection;
        let outcome = if no_connection { Outcome::NotSent } else { Outcome::Unknown };
        let error = error.saw(Seen { no_connection, ..Seen::default() });
        Self { error: error.outcome_is(operation.outcome(outcome)), failure, retry_after: None }
    }
}

/// Sends the request once and reads the response, within the timeout and the size limit.
pub(super) fn receive(
    transport: &Transport,
    operation: &OperationSpec,
    request: Request,
    fresh: bool,
    until: Instant,
) -> impl Future<Output = Result<VendorResponse, Failed>> + Send {
    let settings = &transport.settings;
    let cap = if operation.document { settings.max_document } else { settings.max_answer };
    let sent = SystemTime::now();
    let sending = transport.connections.send(operation.effect, fresh, request);
    let whole = timeout_at(until, async move {
        let mut response = sending.await.map_err(|error| match lost(operation, &error) {
            Failed { failure: Failure::Broken, error: lost, .. } if error.idle => {
                Failed::new(operation, Failure::Stale, lost)
            }
            failed => failed,
        })?;
        let status = response.status;
        // An unreadable `Retry-After` counts as at least one second. If the caller set a maximum of zero, the call then
        // ends instead of retrying at once.
        let patience = settings.max_retry_after.max(Duration::from_secs(1));
        let retry_after = retry_after(&response.headers, patience);
        let seen = Seen { clock_ahead: clock_ahead(&response.headers, sent), ..Seen::default() };
        let body = read(operation, &mut response, cap).await;
        let body = body.map_err(|failed| Failed { error: failed.error.status(status.as_u16()).saw(seen), ..failed })?;
        Ok(VendorResponse { status, headers: response.headers, retry_after, body, unclear: None, seen })
    });
    let late = || Failed::new(operation, Failure::Timeout, Error::new(ErrorKind::Timeout));
    whole.map(move |answer| answer.unwrap_or_else(|_| Err(late())))
}

/// The size in bytes from which a body is decoded outside the async runtime, because a long decoding would delay other
/// calls.
const LARGE: usize = 64 << 10;

/// Decodes a response with the function `read`. A large response is decoded on a blocking thread, until the deadline of
/// the call.
pub(super) fn aside<T: Send + 'static>(
    operation: &OperationSpec,
    answer: VendorResponse,
    until: Instant,
    read: impl FnOnce(VendorResponse) -> T + Send + 'static,
) -> impl Future<Output = Result<T, Failed>> + Send {
    if answer.body.len() < LARGE {
        return Either::Left(ready(Ok(read(answer))));
    }
    let status = answer.status;
    let read = Box::new(move || -> Done { Box::new(read(answer)) });
    Either::Right(Box::pin(async move {
        let read = beside(operation, status, until, read).await?;
        read.downcast().map(|read| *read).map_err(|_| unread(operation, status, STOPPED))
    }))
}

/// The result of a task, without its type. The compiler would otherwise translate the code of tokio's tasks for the
/// type of each response.
type Done = Box<dyn Any + Send>;

/// Runs a function on a blocking thread.
async fn beside(
    operation: &OperationSpec,
    status: StatusCode,
    until: Instant,
    read: Box<dyn FnOnce() -> Done + Send>,
) -> Result<Done, Failed> {
    match timeout_at(until, spawn_blocking(read)).await {
        Ok(Ok(read)) => Ok(read),
        // The blocking task was cancelled, because the runtime is shutting down.
        Ok(Err(_)) => Err(unread(operation, status, STOPPED)),
        Err(_) => Err(unread(operation, status, (ErrorKind::Timeout, "decoding the response took too long"))),
    }
}

const STOPPED: (ErrorKind, &str) = (ErrorKind::Decode, "the runtime stopped while decoding the response");

fn unread(operation: &OperationSpec, status: StatusCode, (kind, detail): (ErrorKind, &str)) -> Failed {
    let failed = Failed::new(operation, Failure::Unread, Error::new(kind).detail(detail));
    Failed { error: failed.error.status(status.as_u16()), ..failed }
}

impl From<Failed> for Error {
    fn from(failed: Failed) -> Self {
        failed.error
    }
}

/// Describes a failed request. The texts of reqwest are not shown, because they contain the URL, and a URL may contain
/// an IBAN.
fn lost(operation: &OperationSpec, error: &SendError) -> Failed {
    let failure = match (error.connect, error.timeout) {
        (true, _) => Failure::NoConnection,
        (false, true) => Failure::Timeout,
        (false, false) => Failure::Broken,
    };
    let kind = if error.timeout { ErrorKind::Timeout } else { ErrorKind::Transport };
    let what = if error.connect { "no connection could be made" } else { "the connection broke off" };
    let why = why(&*error.source).map(|why| format!(": {why}")).unwrap_or_default();
    Failed::new(operation, failure, Error::new(kind).detail(format!("{what}{why}")))
}

/// Returns the cause of a failed request, if known. The texts of the libraries are searched for known causes, but never
/// shown.
fn why(error: &(dyn std::error::Error + 'static)) -> Option<String> {
    for inner in causes(error) {
        if let Some(io) = inner.downcast_ref::<io::Error>()
            && io.kind() != io::ErrorKind::Other
            && io.raw_os_error().is_some()
        {
            return Some(io.kind().to_string());
        }
        let said = inner.to_string().to_lowercase();
        // A TLS alert comes from the server, so the alert concerns the certificate of this machine.
        if said.contains("alert") && said.contains("certificate") {
            return Some("the server does not accept the client certificate, or needs one".into());
        }
        if said.contains("certificate") {
            return Some(format!("the vendor's certificate is not accepted{}", objection(&said)));
        }
        for (words, why) in [
            ("dns error", "the name of the vendor's host cannot be resolved"),
            ("corrupt message", "the server does not speak TLS"),
            ("wrong version number", "the server does not speak TLS"),
            ("scheme is not http", "this build has no TLS. Turn on the feature `rustls` or `native-tls`"),
        ] {
            if said.contains(words) {
                return Some(why.into());
            }
        }
    }
    None
}

/// Returns the objection to a certificate, by the words of rustls or OpenSSL.
fn objection(said: &str) -> &'static str {
    const OBJECTIONS: [(&str, &str); 11] = [
        ("expired", ": it has expired"),
        ("not valid yet", ": it is not valid yet. Check the clock of this machine"),
        ("notvalidyet", ": it is not valid yet. Check the clock of this machine"),
        ("not valid for", ": it is for another host"),
        ("notvalidforname", ": it is for another host"),
        ("mismatch", ": it is for another host"),
        ("badsignature", ": its signature is not that of its authority"),
        ("signature failure", ": its signature is not that of its authority"),
        ("unknownissuer", ": this machine does not know its authority"),
        ("issuer", ": this machine does not know its authority"),
        ("self-signed", ": this machine does not know its authority"),
    ];
    OBJECTIONS.into_iter().find(|(words, _)| said.contains(words)).map_or("", |(_, objection)| objection)
}

/// Returns the seconds by which the vendor's clock is ahead of this machine's clock, or behind if negative. The vendor
/// wrote its `Date` between `sent` and now, in whole seconds, so a smaller difference counts as none.
fn clock_ahead(headers: &HeaderMap, sent: SystemTime) -> Option<i64> {
    let since_epoch = |at: SystemTime| Some(at.duration_since(SystemTime::UNIX_EPOCH).ok()?.as_secs_f64());
    let date = since_epoch(date(headers)?)?;
    let (least, most) = (date - since_epoch(SystemTime::now())?, date + 1.0 - since_epoch(sent)?);
    Some(least.max(0.0) as i64 + most.min(0.0) as i64)
}

/// Returns true if a text names an IP address, as the refusal of an address does that is not listed.
fn names_address(body: &[u8]) -> bool {
    let text = String::from_utf8_lossy(body.get(..LARGE).unwrap_or(body)).to_lowercase();
    text.split(|c: char| !c.is_alphanumeric()).any(|word| matches!(word, "ip" | "ips" | "ipv4" | "ipv6"))
}

async fn read(operation: &OperationSpec, response: &mut Response, cap: usize) -> Result<Bytes, Failed> {
    let too_large = || {
        let error = Error::new(ErrorKind::TooLarge).detail(format!("the response has more than {cap} bytes"));
        Failed::new(operation, Failure::Unread, error)
    };
    if response.content_length().is_some_and(|length| length > cap as u64) {
        return Err(too_large());
    }
    let compressed = compressed(&response.headers);
    // Most bodies arrive in one chunk. Return a single chunk without a copy.
    let mut body = response.chunk().await.map_err(|e| lost(operation, &e))?.unwrap_or_default();
    let mut rest = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(|e| lost(operation, &e))? {
        if rest.is_empty() {
            rest.extend_from_slice(&body);
        }
        if rest.len() + chunk.len() > cap {
            return Err(too_large());
        }
        rest.extend_from_slice(&chunk);
    }
    if !rest.is_empty() {
        body = rest.freeze();
    }
    if body.len() > cap {
        return Err(too_large());
    }
    // Some servers send a `Content-Encoding` header although the body is not compressed.
    if compressed && !starts_as_json(&body) {
        let error = Error::new(ErrorKind::Decode)
            .detail("the response is compressed, although the request accepts no compression");
        return Err(Failed::new(operation, Failure::Unread, error));
    }
    Ok(body)
}

/// Returns true if the header `Content-Encoding` names a compression. Some servers set it to `UTF-8` or another value
/// that is none.
fn compressed(headers: &HeaderMap) -> bool {
    const CODINGS: [&str; 11] =
        ["gzip", "x-gzip", "deflate", "compress", "x-compress", "br", "zstd", "bzip2", "xz", "dcb", "dcz"];
    let values = headers.get_all(CONTENT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    let mut codings = values.flat_map(|value| value.split(',')).map(str::trim);
    codings.any(|coding| CODINGS.iter().any(|known| coding.eq_ignore_ascii_case(known)))
}

/// Returns true if the first byte of a body can begin JSON, or if the body is empty. A byte order mark and whitespace
/// are skipped.
fn starts_as_json(body: &[u8]) -> bool {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body).trim_ascii_start();
    body.first().is_none_or(|byte| matches!(byte, b'{' | b'[' | b'"' | b'-' | b'0'..=b'9' | b't' | b'f' | b'n'))
}

/// Returns the longest wait among the `Retry-After` headers. A header that cannot be read, or that has a time in the
/// past, counts as `patience`.
pub(super) fn retry_after(headers: &HeaderMap, patience: Duration) -> Option<Duration> {
    let mut wishes = headers.get_all(RETRY_AFTER).iter().peekable();
    wishes.peek()?;
    // If the response has a `Date` header, use the vendor's clock instead of the local clock, which may differ.
    let now = date(headers).unwrap_or_else(SystemTime::now);
    let wish = |value: &HeaderValue| {
        let text = value.to_str().ok()?.trim();
        if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
            // Count a wait of more than a year as a year, because a longer wait can overflow.
            return Some(Duration::from_secs(text.parse::<f64>().ok()?.ceil().min(LONGEST.as_secs_f64()) as u64));
        }
        httpdate::parse_http_date(text).ok()?.duration_since(now).ok()
    };
    wishes.map(|value| wish(value).unwrap_or(patience).min(LONGEST)).max()
}

impl VendorResponse {
    /// The response for a removal that an earlier attempt had completed.
    pub fn no_content() -> Self {
        Self {
            status: StatusCode::NO_CONTENT,
            headers: HeaderMap::new(),
            retry_after: None,
            body: Bytes::new(),
            unclear: None,
            seen: Seen::default(),
        }
    }

    /// Returns the response if the vendor accepted the request. Otherwise returns an error with the meaning of the
    /// refusal.
    pub(super) fn judge<V: Vendor>(self, operation: &OperationSpec) -> Result<Self, Failed> {
        let success = self.status.is_success();
        let refusal = match V::word(self.status, &self.body) {
            VendorVerdict::Silent if success => match self.doubt(operation) {
                Some(why) => return Err(self.doubtful(operation, why)),
                None => return Ok(self),
            },
            VendorVerdict::Unclear(why) if success && operation.effect == Effect::Removal => {
                return Err(self.doubtful(operation, &why));
            }
            VendorVerdict::Unclear(why) if success => return Ok(Self { unclear: Some(why), ..self }),
            VendorVerdict::Silent | VendorVerdict::Unclear(_) => None,
            VendorVerdict::Refused(refusal) => Some(refusal),
        };
        let speaker = match (&refusal, self.body.is_empty()) {
            (Some(_), _) => Speaker::Vendor,
            (None, false) => Speaker::Other,
            (None, true) => Speaker::Nobody,
        };
        let (mut kind, mut outcome) = meaning(self.status, self.retry_after, speaker == Speaker::Vendor);
        let refusal = refusal.unwrap_or_default();
        let of_status = || V::advice(operation, self.status, speaker).or(advice(self.status, speaker));
        // The vendor's code is more precise than the HTTP status. Exceptions are 408, 429 and 5xx, which describe the
        // state of the server, not the request.
        if let (Some(own), false) = (refusal.kind, matches!(self.status.as_u16(), 408 | 429 | 500..)) {
            kind = own;
            if own == ErrorKind::Unavailable {
                outcome = Outcome::Unknown;
            }
        }
        // A 403 without a vendor code may concern the requested record and not the credentials. If the request
        // exchanges a key for a token, the 403 concerns the key.
        let of_caller = self.status == StatusCode::UNAUTHORIZED || refusal.kind.is_some() || !operation.authenticated;
        let refused = matches!(self.status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN);
        let mut error = Error::new(kind)
            .status(self.status.as_u16())
            .saw(Seen {
                own_words: speaker == Speaker::Vendor,
                names_address: refused && names_address(&self.body),
                ..self.seen
            })
            .refusing_caller(kind == ErrorKind::Auth && of_caller)
            .outcome_is(operation.outcome(outcome))
            .vendor(refusal.code, refusal.trace_id.filter(|id| shape::is_trace_id(id)).or_else(|| self.trace_id()))
            .advise(refusal.kind.map_or_else(of_status, |_| refusal.advice));
        if let Some(detail) = refusal.detail {
            error = error.detail(detail);
        }
        let failure = if success { Failure::Refusal } else { Failure::Status(self.status) };
        Err(Failed { error, failure, retry_after: self.retry_after })
    }

    /// Returns the reason why a success status does not prove that the vendor performed the operation.
    fn doubt(&self, operation: &OperationSpec) -> Option<&'static str> {
        let status = self.status.as_u16();
        match operation.answer {
            [] if operation.code == "204" => (status != 204).then_some("the documented status is 204 without content"),
            // The spec documents neither status nor body. A body may then be a refusal, or come from a proxy.
            [] if !matches!(status, 200 | 204 | 205) => Some("the status does not confirm that the vendor has acted"),
            [] => match self.body.trim_ascii() {
                b"" | b"null" | b"{}" | b"true" => None,
                _ => Some("the body of the response is neither empty nor a plain success"),
            },
            _ => (status > 205).then_some("the HTTP status means a partial or a multiple response"),
        }
    }

    fn doubtful(&self, operation: &OperationSpec, why: &str) -> Failed {
        Failed { error: self.undecodable(operation, why.into()), failure: Failure::Doubtful, retry_after: None }
    }

    fn trace_id(&self) -> Option<String> {
        trace_id(&self.headers).map(str::to_owned)
    }

    pub(super) fn undecodable(&self, operation: &OperationSpec, detail: String) -> Error {
        Error::new(ErrorKind::Decode)
            .status(self.status.as_u16())
            .saw(self.seen)
            .vendor(None, self.trace_id())
            .detail(detail)
            .outcome_is(operation.outcome(Outcome::Unknown))
            .advise(Some("compare the response with the spec"))
    }

    /// Creates the error for a response that has another value at `place` than the request.
    pub(super) fn of_another(&self, operation: &OperationSpec, place: &str) -> Error {
        self.undecodable(
            operation,
            format!("{place} is not the requested value, so the response belongs to another request"),
        )
    }

    /// Decodes the body of a response that [`judge`](Self::judge) has accepted.
    ///
    /// # Errors
    /// An error if the body cannot be decoded. The error names the place and the expected type, never the value.
    pub fn decode<T: DeserializeOwned>(&self, operation: &OperationSpec) -> Result<T, Error> {
        let decoded = match self.content(operation) {
            Ok(Some(body)) => wire::decode(body),
            Ok(None) => serde_json::from_str("null").map_err(|_| "the response has no content".into()),
            Err(why) => Err(why),
        };
        decoded.map_err(|why| self.undecodable(operation, why))
    }

    /// Returns the body to decode, or `None` if a success status is the complete response.
    fn content(&self, operation: &OperationSpec) -> Result<Option<&[u8]>, String> {
        if let Some(why) = &self.unclear {
            return Err(why.clone());
        }
        Ok(match operation.answer {
            // The spec documents no body.
            [] => None,
            [("", "any", _)] if self.body.is_empty() => None,
            _ => Some(&self.body[..]),
        })
    }
}

/// Maps an HTTP status to a kind of error and the outcome of a write. If `own_words` is true, the body comes from the
/// vendor. Otherwise a proxy may have sent the status, and only a clear refusal shows that the vendor did not act.
fn meaning(status: StatusCode, retry_after: Option<Duration>, own_words: bool) -> (ErrorKind, Outcome) {
    match status.as_u16() {
        200..=299 => (ErrorKind::Refused, Outcome::Refused),
        400 | 405 | 413 | 415 | 422 => (ErrorKind::InvalidRequest, Outcome::Refused),
        401 | 403 => (ErrorKind::Auth, Outcome::Refused),
        404 | 410 if own_words => (ErrorKind::NotFound, Outcome::Refused),
        404 | 410 => (ErrorKind::Unavailable, Outcome::Unknown),
        408 => (ErrorKind::Timeout, Outcome::Unknown),
        409 => (ErrorKind::Conflict, Outcome::Refused),
        429 => (ErrorKind::RateLimited { retry_after }, Outcome::Refused),
        // A proxy sends a status such as 460 or 499 when its client disconnects. Such a status shows nothing about the
        // vendor.
        402..=499 if own_words || status.canonical_reason().is_some() => (ErrorKind::Refused, Outcome::Refused),
        _ => (ErrorKind::Unavailable, Outcome::Unknown),
    }
}

fn advice(status: StatusCode, speaker: Speaker) -> Option<&'static str> {
    match (status.as_u16(), speaker) {
        (300..=399, _) => Some("the server redirects, and mandat never follows a redirect: check the base URL"),
        (401, _) => Some("check the credentials"),
        (403, Speaker::Other) => Some(
            "the response does not come from the vendor: a firewall or a proxy refused the request. Check that it \
             allows this machine's IP address and this `User-Agent`",
        ),
        (404 | 410, Speaker::Other | Speaker::Nobody) => {
            Some("the response does not come from the vendor: check the base URL")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{LARGE, VendorResponse, aside};
    use crate::{ErrorKind, Outcome, transport::Effect, transport::OperationSpec};
    use std::{sync::mpsc, thread, time::Duration};
    use tokio::time::Instant;

    const OPERATION: OperationSpec = OperationSpec {
        id: "test",
        method: "POST",
        path: "/",
        outside: None,
        effect: Effect::Write,
        authenticated: false,
        document: false,
        code: "200",
        lost_answer: "",
        answer: &[],
        repeats: &[],
    };

    fn answer(length: usize) -> VendorResponse {
        VendorResponse { body: vec![b' '; length].into(), ..VendorResponse::no_content() }
    }

    #[tokio::test]
    async fn a_large_answer_is_decoded_on_a_blocking_thread() {
        let until = Instant::now() + Duration::from_secs(60);
        let here = thread::current().id();
        for (length, beside) in [(0, false), (LARGE - 1, false), (LARGE, true)] {
            let read = aside(&OPERATION, answer(length), until, |_| thread::current().id()).await;
            assert_eq!(read.ok().unwrap() != here, beside, "{length}");
        }
    }

    #[tokio::test]
    async fn decoding_ends_at_the_deadline_of_the_call() {
        let (end, ended) = mpsc::channel::<()>();
        let until = Instant::now() + Duration::from_millis(1);
        let read = aside(&OPERATION, answer(LARGE), until, move |_| ended.recv());
        let error = read.await.err().unwrap().error;
        assert_eq!((error.kind(), error.outcome()), (ErrorKind::Timeout, Some(Outcome::Unknown)));
        drop(end);
    }
}
