//! A request and a response of the sandbox, in the form that the simulations of the vendors use.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use hyper::{
    HeaderMap,
    header::{AsHeaderName, CONTENT_TYPE, HeaderName, HeaderValue, WWW_AUTHENTICATE},
};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// A request to a simulated vendor.
#[derive(Default)]
pub(crate) struct Request {
    /// The id of the requested operation in the spec.
    pub operation: String,
    pub method: String,
    /// The path template of the operation in the spec.
    pub template: String,
    pub path: BTreeMap<String, String>,
    pub query: BTreeMap<String, String>,
    /// The names that the query has more than once.
    pub repeated: BTreeSet<String>,
    pub headers: HeaderMap,
    /// The body of the request. Null if the request has none.
    pub body: Value,
    /// The reason why the body cannot be read.
    pub unreadable: Option<String>,
    /// The file in a form, if the request uploads one.
    pub file: Option<Upload>,
    pub now: DateTime<Utc>,
    /// The base URL of this vendor's pages, such as `http://127.0.0.1:8080/safedebit/pages/`.
    pub pages: String,
}

/// Returns a header that the request has exactly once.
pub(super) fn only(headers: &HeaderMap, name: impl AsHeaderName) -> Option<&HeaderValue> {
    let mut all = headers.get_all(name).iter();
    all.next().filter(|_| all.next().is_none())
}

/// Returns the media type of a `Content-Type` in small letters, without its parameters.
pub(super) fn media_type(content_type: &HeaderValue) -> String {
    let text = content_type.to_str().unwrap_or_default();
    text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

pub(crate) struct Upload {
    pub name: String,
    pub content: Bytes,
}

impl Request {
    /// Returns a header that the request has exactly once.
    pub fn header(&self, name: &str) -> Option<&str> {
        only(&self.headers, name)?.to_str().ok()
    }

    /// Returns true if the request has another `Content-Type` than this one.
    pub fn is_not(&self, documented: &str) -> bool {
        self.headers.get_all(CONTENT_TYPE).iter().any(|given| media_type(given) != documented)
    }

    /// Returns true if the request has a body, also one that cannot be read.
    pub fn has_body(&self) -> bool {
        !self.body.is_null() || self.file.is_some() || self.unreadable.is_some()
    }

    /// Returns the credentials in `Authorization` if it has this scheme, in any case.
    pub fn credentials(&self, scheme: &str) -> Option<&str> {
        let (given, credentials) = self.header("authorization")?.split_once(' ')?;
        given.eq_ignore_ascii_case(scheme).then(|| credentials.trim_start())
    }

    /// Returns a text field of the body.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.body.get(key).and_then(Value::as_str)
    }

    /// Returns a text from the body or from the query.
    pub fn given(&self, key: &str) -> Option<&str> {
        self.text(key).or_else(|| self.query.get(key).map(String::as_str))
    }
}

/// The response of a simulated vendor.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub status: u16,
    pub body: Option<Value>,
    /// A further header: `Allow` or `WWW-Authenticate`.
    pub header: Option<(HeaderName, String)>,
}

impl Reply {
    pub fn new(status: u16, body: Value) -> Self {
        Self { status, body: Some(body), header: None }
    }

    pub fn empty(status: u16) -> Self {
        Self { status, body: None, header: None }
    }

    /// Names the scheme of authentication in a response 401.
    pub fn challenge(mut self, scheme: &str) -> Self {
        self.header = (self.status == 401).then(|| (WWW_AUTHENTICATE, scheme.to_owned()));
        self
    }
}
