//! From what came back to an answer or an error.

use super::{
    Effect, Operation, Speaker, Transport, Vendor, Word, connections::Unanswered, decision::Failure, settings::LONGEST,
};
use crate::{
    vocabulary::{Error, ErrorKind, Outcome},
    wire,
};
use bytes::{Bytes, BytesMut};
use reqwest::{
    Request, Response, StatusCode,
    header::{CONTENT_ENCODING, DATE, HeaderMap, HeaderValue, RETRY_AFTER},
};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::{
    io,
    time::{Duration, SystemTime},
};
use tokio::{
    task::spawn_blocking,
    time::{Instant, timeout_at},
};

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub status: StatusCode,
    pub retry_after: Option<Duration>,
    pub body: Bytes,
    /// Why it says neither yes nor no, where this vendor says one: then it is nothing to decode.
    pub unclear: Option<String>,
    /// Whether its headers name a further page, and how many items they say that there are.
    pub pages: Pages,
}

/// What the headers of an answer say of items that are not in it. No vendor documents such headers; these are in common
/// use.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Pages {
    next: bool,
    total: Option<u64>,
}

impl Pages {
    const NEXT: [&str; 2] = ["x-next-page", "x-next-cursor"];
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
        let further = Self::NEXT.iter().any(|name| texts(name).any(|text| !text.trim().is_empty()));
        let more =
            texts("x-has-more").any(|text| !["", "0", "false", "no"].contains(&&*text.trim().to_ascii_lowercase()));
        let pages = texts("x-total-pages").filter_map(|pages| pages.trim().parse::<u64>().ok());
        let further = further || more || pages.max().is_some_and(|pages| pages > 1);
        // ASP.NET sends an object: `{"totalCount":250,"pageSize":100}`
        let object = texts("x-pagination").filter_map(|text| serde_json::from_str::<Value>(text).ok());
        let object: Vec<(String, Value)> = object
            .filter_map(|value| value.as_object().cloned())
            .flatten()
            .map(|(key, value)| (plain(&key), value))
            .collect();
        let further = further
            || object.iter().any(|(key, value)| match key.as_str() {
                "hasnext" | "hasmore" | "hasnextpage" => *value != Value::Bool(false),
                "next" | "nextpage" | "nextpagelink" => !matches!(value.as_str(), Some("")) && !value.is_null(),
                "totalpages" | "pagecount" => value.as_u64().is_some_and(|pages| pages > 1),
                _ => false,
            });
        let of_object = object.iter().filter(|(key, _)| ["total", "totalcount", "totalitems"].contains(&key.as_str()));
        // `items 0-99/250`
        let range = texts("content-range").filter_map(|range| range.rsplit_once('/')).map(|(_, total)| total);
        let totals = Self::TOTALS.iter().flat_map(|name| texts(name)).chain(range);
        let totals = totals.filter_map(|total| total.trim().parse().ok());
        let totals = totals.chain(of_object.filter_map(|(_, total)| total.as_u64()));
        Self { next: further || links.any(rel_next), total: totals.max() }
    }

    /// Whether there is more than the items that were read.
    pub fn go_on_after(self, read: usize) -> bool {
        self.next || self.total.is_some_and(|total| total > read as u64)
    }
}

/// A key of an object, however its words are joined.
fn plain(key: &str) -> String {
    key.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

/// An attempt that failed.
pub(super) struct Failed {
    pub error: Error,
    pub failure: Failure,
    pub retry_after: Option<Duration>,
}

impl Failed {
    fn new(operation: &Operation, failure: Failure, error: Error) -> Self {
        // Only when no connection was made is it sure that nothing arrived.
        let outcome = if failure == Failure::NoConnection { Outcome::NotSent } else { Outcome::Unknown };
        Self { error: error.outcome_is(operation.outcome(outcome)), failure, retry_after: None }
    }
}

/// Sends once and reads the answer, within the time and the size that are allowed.
pub(super) async fn receive(
    transport: &Transport,
    operation: &Operation,
    request: Request,
    fresh: bool,
    until: Instant,
) -> Result<Answer, Failed> {
    let settings = &transport.settings;
    let cap = if operation.document { settings.max_document } else { settings.max_answer };
    let whole = async {
        let response = transport.connections.send(operation.effect, fresh, request).await;
        let response = response.map_err(|Unanswered { error, idle }| match lost(operation, &error) {
            Failed { failure: Failure::Broken, error, .. } if idle => Failed::new(operation, Failure::Stale, error),
            failed => failed,
        })?;
        let status = response.status();
        // Who waits for nobody ends the call.
        let patience = settings.max_retry_after.max(Duration::from_secs(1));
        let retry_after = retry_after(response.headers(), patience);
        let pages = Pages::of(response.headers());
        let body = read(operation, response, cap).await;
        let body = body.map_err(|failed| Failed { error: failed.error.status(status.as_u16()), ..failed })?;
        Ok(Answer { status, retry_after, body, unclear: None, pages })
    };
    match timeout_at(until, whole).await {
        Ok(answer) => answer,
        Err(_) => Err(Failed::new(operation, Failure::Timeout, Error::new(ErrorKind::Timeout))),
    }
}

/// From this size on the other calls of a thread would have to wait for a body to be read.
const LARGE: usize = 64 << 10;

/// Makes something of an answer: of a large one beside the runtime, and only until the call's time is over.
pub(super) async fn aside<T: Send + 'static>(
    operation: &Operation,
    answer: Answer,
    until: Instant,
    read: impl FnOnce(Answer) -> T + Send + 'static,
) -> Result<T, Failed> {
    if answer.body.len() < LARGE {
        return Ok(read(answer));
    }
    let status = answer.status.as_u16();
    let failed = |failure, kind, detail: &str| {
        let failed = Failed::new(operation, failure, Error::new(kind).detail(detail));
        Failed { error: failed.error.status(status), ..failed }
    };
    match timeout_at(until, spawn_blocking(move || read(answer))).await {
        Ok(Ok(read)) => Ok(read),
        // The runtime shuts down.
        Ok(Err(_)) => Err(failed(Failure::Unread, ErrorKind::Decode, "nobody is left to read the answer")),
        Err(_) => Err(failed(Failure::Unread, ErrorKind::Timeout, "while reading the answer")),
    }
}

impl From<Failed> for Error {
    fn from(failed: Failed) -> Self {
        failed.error
    }
}

/// reqwest prints URLs, and an IBAN can be in one: what failed is told in our own words.
fn lost(operation: &Operation, error: &reqwest::Error) -> Failed {
    let failure = match (error.is_connect(), error.is_timeout()) {
        (true, _) => Failure::NoConnection,
        (false, true) => Failure::Timeout,
        (false, false) => Failure::Broken,
    };
    let kind = if error.is_timeout() { ErrorKind::Timeout } else { ErrorKind::Transport };
    let what = if error.is_connect() { "no connection could be made" } else { "the connection broke off" };
    let why = why(error).map(|why| format!(": {why}")).unwrap_or_default();
    Failed::new(operation, failure, Error::new(kind).detail(format!("{what}{why}")))
}

/// The innermost cause that has a name. Of the libraries' words only these are recognized, and none is shown.
fn why(error: &reqwest::Error) -> Option<String> {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(inner) = cause {
        if let Some(io) = inner.downcast_ref::<io::Error>()
            && io.kind() != io::ErrorKind::Other
            && io.raw_os_error().is_some()
        {
            return Some(io.kind().to_string());
        }
        let said = inner.to_string();
        for (words, why) in [
            ("dns error", "the host's name cannot be resolved"),
            ("certificate", "the vendor's certificate is not accepted"),
            ("scheme is not http", "TLS is left out: turn the feature `rustls` or `native-tls` on"),
        ] {
            if said.contains(words) {
                return Some(why.into());
            }
        }
        cause = inner.source();
    }
    None
}

async fn read(operation: &Operation, mut response: Response, cap: usize) -> Result<Bytes, Failed> {
    let too_large = || {
        let error = Error::new(ErrorKind::TooLarge).detail(format!("more than {cap} bytes"));
        Failed::new(operation, Failure::Unread, error)
    };
    if response.content_length().is_some_and(|length| length > cap as u64) {
        return Err(too_large());
    }
    let compressed = compressed(response.headers());
    // Most answers are one chunk and are not copied.
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
    // Some servers name an encoding that they do not use.
    if compressed && !starts_as_json(&body) {
        let error = Error::new(ErrorKind::Decode).detail("the answer is compressed, which was not asked for");
        return Err(Failed::new(operation, Failure::Unread, error));
    }
    Ok(body)
}

/// Whether a header says so. `UTF-8`, nothing and whatever else is no compression stands there, too.
fn compressed(headers: &HeaderMap) -> bool {
    const CODINGS: [&str; 11] =
        ["gzip", "x-gzip", "deflate", "compress", "x-compress", "br", "zstd", "bzip2", "xz", "dcb", "dcz"];
    let values = headers.get_all(CONTENT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    let mut codings = values.flat_map(|value| value.split(',')).map(str::trim);
    codings.any(|coding| CODINGS.iter().any(|known| coding.eq_ignore_ascii_case(known)))
}

/// By its first byte, after a byte order mark; so does what is empty.
fn starts_as_json(body: &[u8]) -> bool {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body).trim_ascii_start();
    body.first().is_none_or(|byte| matches!(byte, b'{' | b'[' | b'"' | b'-' | b'0'..=b'9' | b't' | b'f' | b'n'))
}

/// How long a vendor wishes to be left alone: the longest of its wishes. One that cannot be read, or a time that is over,
/// still is a wish to wait, for as long as `patience`.
pub(super) fn retry_after(headers: &HeaderMap, patience: Duration) -> Option<Duration> {
    let date = |text: &str| httpdate::parse_http_date(text).ok();
    // By the vendor's own clock, if it tells the time.
    let now = headers.get(DATE).and_then(|value| date(value.to_str().ok()?.trim())).unwrap_or_else(SystemTime::now);
    let wish = |value: &HeaderValue| {
        let text = value.to_str().ok()?.trim();
        if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
            // More than a year counts as a year.
            return Some(Duration::from_secs(text.parse::<f64>().ok()?.ceil().min(LONGEST.as_secs_f64()) as u64));
        }
        date(text)?.duration_since(now).ok()
    };
    let wishes = headers.get_all(RETRY_AFTER).iter().map(|value| wish(value).unwrap_or(patience).min(LONGEST));
    wishes.max()
}

impl Answer {
    /// What a removal that had already been done would have answered.
    pub fn no_content() -> Self {
        Self {
            status: StatusCode::NO_CONTENT,
            retry_after: None,
            body: Bytes::new(),
            unclear: None,
            pages: Pages::default(),
        }
    }

    /// The answer, if it is a good one, or what the refusal means.
    pub(super) fn judge<V: Vendor>(self, operation: &Operation) -> Result<Self, Failed> {
        let success = self.status.is_success();
        let refusal = match V::word(self.status, &self.body) {
            Word::Silent if success => match self.doubt(operation) {
                Some(why) => return Err(self.doubtful(operation, why)),
                None => return Ok(self),
            },
            Word::Unclear(why) if success && operation.effect == Effect::Removal => {
                return Err(self.doubtful(operation, &why));
            }
            Word::Unclear(why) if success => return Ok(Self { unclear: Some(why), ..self }),
            Word::Silent | Word::Unclear(_) => None,
            Word::Refused(refusal) => Some(refusal),
        };
        let speaker = match (&refusal, self.body.is_empty()) {
            (Some(_), _) => Speaker::Vendor,
            (None, false) => Speaker::Other,
            (None, true) => Speaker::Nobody,
        };
        let (mut kind, mut outcome) = meaning(self.status, self.retry_after, speaker == Speaker::Vendor);
        let refusal = refusal.unwrap_or_default();
        let of_status = || V::advice(operation, self.status, speaker).or(advice(self.status, speaker));
        // Its words say more than the status, except where the status is about now and not about the request.
        if let (Some(own), false) = (refusal.kind, matches!(self.status.as_u16(), 408 | 429 | 500..)) {
            kind = own;
            if own == ErrorKind::Unavailable {
                outcome = Outcome::Unknown;
            }
        }
        // A 403 without a code of the vendor's may be about what was asked for, but for the exchange of a key.
        let of_caller = self.status == StatusCode::UNAUTHORIZED || refusal.kind.is_some() || !operation.authenticated;
        let mut error = Error::new(kind)
            .status(self.status.as_u16())
            .refusing_caller(kind == ErrorKind::Auth && of_caller)
            .outcome_is(operation.outcome(outcome))
            .vendor(refusal.code, refusal.trace_id)
            .advise(refusal.kind.map_or_else(of_status, |_| refusal.advice));
        if let Some(detail) = refusal.detail {
            error = error.detail(detail);
        }
        let failure = if success { Failure::Refusal } else { Failure::Status(self.status) };
        Err(Failed { error, failure, retry_after: self.retry_after })
    }

    /// Why a status of success says less than that the vendor has done what it was asked for.
    fn doubt(&self, operation: &Operation) -> Option<&'static str> {
        let status = self.status.as_u16();
        match operation.answer {
            [] if operation.code == "204" => (status != 204).then_some("it is not the documented 204 without content"),
            // Neither code nor body is documented. Any words can be those of a refusal, or of a proxy.
            [] if !matches!(status, 200 | 204 | 205) => Some("it does not say that it was done"),
            [] => match self.body.trim_ascii() {
                b"" | b"null" | b"{}" | b"true" => None,
                _ => Some("it is neither empty nor plainly a success"),
            },
            _ => (status > 205).then_some("the status is that of a part of an answer, or of several"),
        }
    }

    fn doubtful(&self, operation: &Operation, why: &str) -> Failed {
        Failed { error: self.undecodable(operation, why.into()), failure: Failure::Doubtful, retry_after: None }
    }

    fn undecodable(&self, operation: &Operation, detail: String) -> Error {
        Error::new(ErrorKind::Decode)
            .status(self.status.as_u16())
            .detail(detail)
            .outcome_is(operation.outcome(Outcome::Unknown))
            .advise(Some("compare the answer with the spec"))
    }

    /// It repeats another value than was sent.
    pub(super) fn of_another(&self, operation: &Operation, place: &str) -> Error {
        self.undecodable(
            operation,
            format!("{place} differs from the requested one: the response is for another request"),
        )
    }

    /// What a good answer says. Of what cannot be decoded this tells where and what was looked for, never what stood
    /// there.
    pub fn decode<T: DeserializeOwned>(&self, operation: &Operation) -> Result<T, Error> {
        let refuse = |detail: String| self.undecodable(operation, detail);
        if let Some(why) = &self.unclear {
            return Err(refuse(why.clone()));
        }
        let nothing = || serde_json::from_slice(b"null").map_err(|_| refuse("no content can be read".into()));
        match operation.answer {
            // That it is a good one is all that it says.
            [] => return nothing(),
            [("", "any", _)] if self.body.is_empty() => return nothing(),
            _ => {}
        }
        wire::decode(&self.body).map_err(refuse)
    }
}

/// What an HTTP status means. A status that the vendor has put into its own words is the vendor's; any other may come
/// from something before it, and then only a clear refusal says that the vendor has not acted.
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
        // 460 or 499, say, are a proxy's own, and tell how its side ended rather than what the vendor did.
        402..=499 if own_words || status.canonical_reason().is_some() => (ErrorKind::Refused, Outcome::Refused),
        _ => (ErrorKind::Unavailable, Outcome::Unknown),
    }
}

fn advice(status: StatusCode, speaker: Speaker) -> Option<&'static str> {
    match (status.as_u16(), speaker) {
        (300..=399, _) => Some("it redirects, which is never followed: check the base URL"),
        (401, _) => Some("check the credentials"),
        (403, Speaker::Other) => Some(
            "the answer is not the vendor's own: a firewall or a proxy refuses. Check that it allows this machine's IP \
             address and this `User-Agent`",
        ),
        (404 | 410, Speaker::Other | Speaker::Nobody) => Some("the answer is not the vendor's own: check the base URL"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Answer, LARGE, aside};
    use crate::{ErrorKind, Outcome, transport::Effect, transport::Operation};
    use std::{sync::mpsc, thread, time::Duration};
    use tokio::time::Instant;

    const OPERATION: Operation = Operation {
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

    fn answer(length: usize) -> Answer {
        Answer { body: vec![b' '; length].into(), ..Answer::no_content() }
    }

    #[tokio::test]
    async fn a_large_answer_is_read_beside_the_runtime() {
        let until = Instant::now() + Duration::from_secs(60);
        let here = thread::current().id();
        for (length, beside) in [(0, false), (LARGE - 1, false), (LARGE, true)] {
            let read = aside(&OPERATION, answer(length), until, |_| thread::current().id()).await;
            assert_eq!(read.ok().unwrap() != here, beside, "{length}");
        }
    }

    #[tokio::test]
    async fn reading_ends_with_the_time_of_the_call() {
        let (end, ended) = mpsc::channel::<()>();
        let until = Instant::now() + Duration::from_millis(1);
        let read = aside(&OPERATION, answer(LARGE), until, move |_| ended.recv());
        let error = read.await.err().unwrap().error;
        assert_eq!((error.kind(), error.outcome()), (ErrorKind::Timeout, Some(Outcome::Unknown)));
        drop(end);
    }
}
