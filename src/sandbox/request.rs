//! A request and a response, in the form that the simulations use.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use hyper::HeaderMap;
use serde_json::Value;
use std::collections::BTreeMap;

/// A request.
#[derive(Default)]
pub(crate) struct Request {
    /// The operation, by its id in the spec.
    pub operation: String,
    pub method: String,
    /// The path template of the spec.
    pub template: String,
    pub path: BTreeMap<String, String>,
    pub query: BTreeMap<String, String>,
    pub headers: HeaderMap,
    /// The body. Null if there is none.
    pub body: Value,
    /// The file of a form.
    pub file: Option<Upload>,
    pub now: DateTime<Utc>,
    /// The base URL of this vendor's pages: `http://127.0.0.1:8080/safedebit/pages/`.
    pub pages: String,
}

pub(crate) struct Upload {
    pub name: String,
    pub content: Bytes,
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// A text of the body.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.body.get(key).and_then(Value::as_str)
    }

    /// A text of the body or of the query.
    pub fn given(&self, key: &str) -> Option<&str> {
        self.text(key).or_else(|| self.query.get(key).map(String::as_str))
    }
}

/// A response.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub status: u16,
    pub body: Option<Value>,
    /// The allowed methods, for a request with another method.
    pub allow: Option<String>,
}

impl Reply {
    pub fn new(status: u16, body: Value) -> Self {
        Self { status, body: Some(body), allow: None }
    }

    pub fn empty(status: u16) -> Self {
        Self { status, body: None, allow: None }
    }
}
