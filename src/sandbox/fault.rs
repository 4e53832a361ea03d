//! Faults of the sandbox: failures that a test injects.

use super::{Provider, control};
use bytes::Bytes;
use hyper::header::{HeaderName, HeaderValue};
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::Duration;

/// A fault for [`Sandbox::inject`](super::Sandbox::inject): its kind, the calls that it affects, and how often.
///
/// ```
/// use mandat::sandbox::Fault;
///
/// // The vendor creates the mandate, but a proxy responds with 503. Only the first time.
/// let lost = Fault::status(503).after_effect().on("create_mandate").times(1);
/// // The connection of one call in ten breaks off. Each run affects the same calls.
/// let shaky = Fault::reset().with_probability(0.1, 42);
/// ```
///
/// The faults from [`two_bodies`](Self::two_bodies) to [`stale_connection`](Self::stale_connection),
/// [`delay`](Self::delay) and [`with_body`](Self::with_body) need the vendor's own response. They always occur after
/// the vendor has acted.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Written")]
#[must_use]
pub struct Fault {
    pub(super) what: What,
    after_effect: bool,
    provider: Option<Provider>,
    operation: Option<String>,
    times: Option<u32>,
    chance: Option<(f64, fastrand::Rng)>,
}

#[derive(Clone, Debug)]
pub(super) enum What {
    Delay(Duration),
    Status { status: u16, retry_after: Option<HeaderValue>, body: bool },
    Reset,
    Empty,
    Truncated,
    Html,
    Oversized(usize),
    TwoBodies,
    ByteOrderMark,
    Latin1,
    Field(Bytes),
    Merge(Value),
    PhpLists(Value),
    Items(usize),
    Header(HeaderName, HeaderValue),
    LateSecondAnswer,
    StaleConnection,
}

impl What {
    /// Returns true if the fault sends the vendor's own response, perhaps damaged. The simulated vendor has then acted.
    pub fn has_an_answer(&self) -> bool {
        match self {
            Self::Reset | Self::Empty | Self::Truncated | Self::Html | Self::Oversized(_) => false,
            Self::Status { body, .. } => *body,
            _ => true,
        }
    }

    /// Returns the kind of the fault, as in a control request.
    fn kind(&self) -> &'static str {
        match self {
            Self::Delay(_) => "delay",
            Self::Status { .. } => "status",
            Self::Reset => "reset",
            Self::Empty => "empty",
            Self::Truncated => "truncated",
            Self::Html => "html",
            Self::Oversized(_) => "oversized",
            Self::TwoBodies => "two_bodies",
            Self::ByteOrderMark => "byte_order_mark",
            Self::Latin1 => "latin1",
            Self::Field(_) => "field",
            Self::Merge(_) => "merge",
            Self::PhpLists(_) => "php_lists",
            Self::Items(_) => "items",
            Self::Header(..) => "header",
            Self::LateSecondAnswer => "late_second_answer",
            Self::StaleConnection => "stale_connection",
        }
    }

    /// Returns the damaged body, if the response has a body.
    pub fn damaged(&self, body: Option<&Value>) -> Option<Bytes> {
        let body = body?;
        let text = body.to_string();
        Some(match self {
            Self::TwoBodies => text.repeat(2).into(),
            Self::ByteOrderMark => format!("\u{feff}{text}").into(),
            Self::Latin1 => {
                let text = with_field(text, "\"sandbox_note\":\"é\"".as_bytes());
                let text = String::from_utf8_lossy(&text);
                text.chars().map(|c| u8::try_from(c).unwrap_or(b'?')).collect()
            }
            Self::Field(field) => with_field(text, field).into(),
            Self::Merge(patch) => {
                let mut body = body.clone();
                control::merge(&mut body, patch.clone());
                body.to_string().into()
            }
            Self::PhpLists(empty) => php_lists(body, empty).to_string().into(),
            Self::Items(count) => {
                let items = vec!["{}"; *count].join(",");
                match text.find(":[").map(|at| at + 2).or(text.starts_with('[').then_some(1)) {
                    Some(at) => {
                        let comma = if text[at..].starts_with(']') { "" } else { "," };
                        [&text[..at], &items, comma, &text[at..]].concat().into()
                    }
                    None => with_field(text, format!("\"sandbox_items\":[{items}]").as_bytes()).into(),
                }
            }
            _ => text.into(),
        })
    }
}

/// Adds a field at the start of the first object in a body.
fn with_field(body: String, field: &[u8]) -> Vec<u8> {
    let Some(at) = body.find('{') else { return body.into() };
    let (before, after) = body.as_bytes().split_at(at + 1);
    let comma: &[u8] = if after.starts_with(b"}") { b"" } else { b"," };
    [before, field, comma, after].concat()
}

/// Replaces each list by an object with numbers as keys, as PHP writes a filtered array. `empty` replaces an empty
/// list.
fn php_lists(value: &Value, empty: &Value) -> Value {
    match value {
        Value::Array(items) if items.is_empty() => empty.clone(),
        Value::Array(items) => {
            items.iter().enumerate().map(|(index, item)| (index.to_string(), php_lists(item, empty))).collect()
        }
        Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), php_lists(value, empty))).collect(),
        other => other.clone(),
    }
}

impl Fault {
    fn new(what: What) -> Self {
        Self { what, after_effect: false, provider: None, operation: None, times: None, chance: None }
    }

    /// The sandbox delays the response, in real time.
    pub fn delay(by: Duration) -> Self {
        Self::new(What::Delay(by))
    }

    /// The sandbox sends an empty response with this HTTP status, as a proxy does.
    pub fn status(status: u16) -> Self {
        Self::new(What::Status { status, retry_after: None, body: false })
    }

    /// The sandbox closes the connection without a response.
    pub fn reset() -> Self {
        Self::new(What::Reset)
    }

    /// The sandbox sends the vendor's HTTP status with an empty body.
    pub fn empty() -> Self {
        Self::new(What::Empty)
    }

    /// The sandbox closes the connection in the middle of the body.
    pub fn truncated() -> Self {
        Self::new(What::Truncated)
    }

    /// The sandbox sends an HTML page with status 200.
    pub fn html() -> Self {
        Self::new(What::Html)
    }

    /// The sandbox sends a body of this many bytes with status 200.
    pub fn oversized(bytes: usize) -> Self {
        Self::new(What::Oversized(bytes))
    }

    /// The body of the response contains the vendor's body twice.
    pub fn two_bodies() -> Self {
        Self::new(What::TwoBodies)
    }

    /// A byte order mark precedes the body of the response.
    pub fn byte_order_mark() -> Self {
        Self::new(What::ByteOrderMark)
    }

    /// The body of the response is in Latin-1. An additional field has an `é`, so that the body is not valid UTF-8.
    pub fn latin1() -> Self {
        Self::new(What::Latin1)
    }

    /// The first object of the body begins with this field. The value can be any bytes: a lone surrogate (`"\ud800"`),
    /// a raw line end, `1e400`, or the second value of a field.
    ///
    /// ```
    /// use mandat::sandbox::Fault;
    ///
    /// let surrogate = Fault::field("note", r#""\ud800""#);
    /// let twice = Fault::field("result", "false");
    /// ```
    pub fn field(name: &str, value: impl AsRef<[u8]>) -> Self {
        let name = format!("{}:", Value::from(name));
        Self::new(What::Field([name.as_bytes(), value.as_ref()].concat().into()))
    }

    /// A merge patch (RFC 7396) changes the body. A null in the patch removes a field.
    ///
    /// ```
    /// use mandat::sandbox::Fault;
    ///
    /// let soon = Fault::merge(serde_json::json!({"data": {"expiresIn": 300.0}})).on("generate_token");
    /// ```
    pub fn merge(patch: impl Into<Value>) -> Self {
        Self::new(What::Merge(patch.into()))
    }

    /// Each list in the body becomes an object with numbers as keys, as PHP writes a filtered array. An empty list
    /// becomes this value: `{}`, null, `""` or false.
    pub fn php_lists(empty: impl Into<Value>) -> Self {
        Self::new(What::PhpLists(empty.into()))
    }

    /// The first list of the body gets this number of additional items, each `{}`. A body without a list gets a list in
    /// an additional field.
    pub fn items(count: usize) -> Self {
        Self::new(What::Items(count))
    }

    /// The response has this header, such as `Content-Encoding: UTF-8`, or a `Link` to a next page.
    ///
    /// # Panics
    /// If the name or the value is not valid in a header.
    pub fn header(name: &str, value: &str) -> Self {
        Self::new(header(name, value).unwrap_or_else(|why| panic!("{why}")))
    }

    /// The vendor sends the response a second time, late. The next request on the connection gets this second response.
    /// Each later request gets the response to the request before it.
    pub fn late_second_answer() -> Self {
        Self::new(What::LateSecondAnswer)
    }

    /// The vendor closes the connection as idle. The vendor does not receive the next request on the connection, and
    /// the request gets no byte of a response.
    pub fn stale_connection() -> Self {
        Self::new(What::StaleConnection)
    }

    /// Adds this `Retry-After` header to a fault with a status: a number of seconds, or any text, such as `7.5` or a
    /// date.
    ///
    /// # Panics
    /// If the value is not valid in a header.
    pub fn retry_after(mut self, wish: impl ToString) -> Self {
        if let What::Status { retry_after, .. } = &mut self.what {
            *retry_after = Some(value(&wish.to_string()).unwrap_or_else(|why| panic!("{why}")));
        }
        self
    }

    /// Gives a fault with a status the vendor's own body. Otherwise its body is empty.
    pub fn with_body(mut self) -> Self {
        if let What::Status { body, .. } = &mut self.what {
            *body = true;
        }
        self
    }

    /// Makes the simulated vendor act before the fault. Otherwise the fault prevents the action.
    pub fn after_effect(mut self) -> Self {
        self.after_effect = true;
        self
    }

    /// Limits the fault to requests to this vendor.
    pub fn at(mut self, provider: Provider) -> Self {
        self.provider = Some(provider);
        self
    }

    /// Limits the fault to this operation, by its id in the spec. [`Sandbox::inject`](super::Sandbox::inject) refuses an
    /// unknown operation.
    pub fn on(mut self, operation: impl Into<String>) -> Self {
        self.operation = Some(operation.into());
        self
    }

    /// Limits the number of times that the fault occurs.
    pub fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }

    /// Sets the probability of the fault, from 0 to 1. The same seed affects the same calls.
    pub fn with_probability(mut self, probability: f64, seed: u64) -> Self {
        self.chance = Some((probability, fastrand::Rng::with_seed(seed)));
        self
    }

    /// Describes the fault in the words of its control request.
    pub(super) fn shown(&self) -> Value {
        json!({
            "fault": self.what.kind(), "after_effect": self.after_effect || self.what.has_an_answer(),
            "provider": self.provider, "operation": self.operation, "times": self.times,
            "probability": self.chance.as_ref().map(|(chance, _)| chance),
        })
    }

    /// Returns the vendor and the operation to which the fault is limited.
    pub(super) fn aim(&self) -> (Option<Provider>, Option<&str>) {
        (self.provider, self.operation.as_deref())
    }

    /// Returns true if the fault occurs at this call.
    pub(super) fn applies(&mut self, provider: Provider, operation: &str, after_effect: bool) -> bool {
        let meant = self.after_effect == after_effect
            && self.provider.is_none_or(|wanted| wanted == provider)
            && self.operation.as_deref().is_none_or(|wanted| wanted == operation);
        if !meant || self.times == Some(0) || self.chance.as_mut().is_some_and(|(chance, rng)| rng.f64() >= *chance) {
            return false;
        }
        if let Some(times) = &mut self.times {
            *times -= 1;
        }
        true
    }
}

fn header(name: &str, text: &str) -> Result<What, &'static str> {
    let name = name.parse().map_err(|_| "the name is not valid as the name of an HTTP header")?;
    Ok(What::Header(name, value(text)?))
}

fn value(text: &str) -> Result<HeaderValue, &'static str> {
    text.parse().map_err(|_| "the value is not valid in an HTTP header")
}

/// The maximum size of a response, because the sandbox builds each response in memory.
const LARGEST: usize = 1 << 30;

/// The JSON form of a fault in a control request.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    fault: Kind,
    status: Option<u16>,
    retry_after: Option<Value>,
    #[serde(default)]
    with_body: bool,
    bytes: Option<usize>,
    count: Option<usize>,
    milliseconds: Option<u64>,
    name: Option<String>,
    value: Option<String>,
    patch: Option<Value>,
    #[serde(default, deserialize_with = "control::even_null")]
    empty: Option<Value>,
    #[serde(default)]
    after_effect: bool,
    provider: Option<Provider>,
    operation: Option<String>,
    times: Option<u32>,
    probability: Option<f64>,
    #[serde(default)]
    seed: u64,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Delay,
    Status,
    Reset,
    Empty,
    Truncated,
    Html,
    Oversized,
    TwoBodies,
    ByteOrderMark,
    Latin1,
    Field,
    Merge,
    PhpLists,
    Items,
    Header,
    LateSecondAnswer,
    StaleConnection,
}

impl TryFrom<Written> for Fault {
    type Error = &'static str;

    fn try_from(written: Written) -> Result<Self, Self::Error> {
        let Written { name, value: text, .. } = &written;
        let named = || name.as_deref().zip(text.as_deref());
        let what = match written.fault {
            Kind::Delay => What::Delay(Duration::from_millis(
                written.milliseconds.ok_or("a fault of the kind delay needs the field `milliseconds`")?,
            )),
            Kind::Status => {
                match written.status.ok_or("a fault of the kind status needs its number in the field `status`")? {
                    status @ 200..=599 => {
                        let retry_after = match &written.retry_after {
                            None => None,
                            Some(Value::String(wish)) => Some(value(wish)?),
                            Some(wish) => Some(value(&wish.to_string())?),
                        };
                        What::Status { status, retry_after, body: written.with_body }
                    }
                    _ => return Err("the HTTP status of a fault is a number from 200 to 599"),
                }
            }
            Kind::Reset => What::Reset,
            Kind::Empty => What::Empty,
            Kind::Truncated => What::Truncated,
            Kind::Html => What::Html,
            Kind::Oversized => match written.bytes.ok_or("a fault of the kind oversized needs the field `bytes`")? {
                bytes if bytes <= LARGEST => What::Oversized(bytes),
                _ => return Err("the field `bytes` of a fault is at most 1 GiB"),
            },
            Kind::TwoBodies => What::TwoBodies,
            Kind::ByteOrderMark => What::ByteOrderMark,
            Kind::Latin1 => What::Latin1,
            Kind::Field => {
                let (name, value) =
                    named().ok_or("a fault of the kind field needs `name` and `value`, both as text")?;
                Self::field(name, value).what
            }
            Kind::Merge => What::Merge(written.patch.ok_or("a fault of the kind merge needs the field `patch`")?),
            Kind::PhpLists => {
                What::PhpLists(written.empty.ok_or("a fault of the kind php_lists needs the field `empty`")?)
            }
            Kind::Items => match written.count.ok_or("a fault of the kind items needs the field `count`")? {
                count if count <= LARGEST / 4 => What::Items(count),
                _ => return Err("the field `count` of a fault is at most 268435456"),
            },
            Kind::Header => {
                let (name, value) = named().ok_or("a fault of the kind header needs `name` and `value`")?;
                header(name, value)?
            }
            Kind::LateSecondAnswer => What::LateSecondAnswer,
            Kind::StaleConnection => What::StaleConnection,
        };
        if written.probability.is_some_and(|probability| !(0.0..=1.0).contains(&probability)) {
            return Err("the probability of a fault is from 0 to 1");
        }
        let Written { after_effect, provider, operation, times, seed, .. } = written;
        let chance = written.probability.map(|probability| (probability, fastrand::Rng::with_seed(seed)));
        Ok(Self { what, after_effect, provider, operation, times, chance })
    }
}
