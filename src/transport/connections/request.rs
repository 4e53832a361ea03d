//! A request before an attempt adds the host and the credentials.

use crate::transport::repeats::Expected;
use bytes::Bytes;
use hyper::http::uri::PathAndQuery;
use reqwest::{Method, header::HeaderMap};
use std::{borrow::Cow, fmt};

/// `Debug` hides the target and the body, because both may contain personal data.
pub(crate) struct Request {
    pub method: Method,
    /// The path with the query, both encoded.
    pub target: PathAndQuery,
    /// The path below the base URL, with parameters such as `{id}` in place of the ids.
    pub template: Cow<'static, str>,
    pub headers: HeaderMap,
    pub body: Body,
    /// The values that the response has to repeat.
    pub expected: Expected,
}

pub(crate) enum Body {
    /// JSON, or empty.
    Bytes(Bytes),
    /// A form with a file.
    Stream(reqwest::Body),
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Request({})", self.method)
    }
}

impl Body {
    /// Returns the bytes of a body that is not a stream.
    pub fn as_bytes(&self) -> Option<&Bytes> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            Self::Stream(_) => None,
        }
    }
}

impl From<Body> for reqwest::Body {
    fn from(body: Body) -> Self {
        match body {
            Body::Bytes(bytes) => bytes.into(),
            Body::Stream(stream) => stream,
        }
    }
}

impl Request {
    /// Returns true if another attempt can send the body, because the body is not a stream.
    pub fn is_repeatable(&self) -> bool {
        self.body.as_bytes().is_some()
    }

    /// Returns a copy for one attempt. Takes the body if it is a stream, which can be read only once.
    pub fn attempt(&mut self) -> Self {
        let body = match &mut self.body {
            Body::Bytes(bytes) => Body::Bytes(bytes.clone()),
            Body::Stream(stream) => Body::Stream(std::mem::take(stream)),
        };
        // Only the call checks the path and the response.
        let (template, expected) = (Cow::Borrowed(""), Expected::new());
        let (method, target, headers) = (self.method.clone(), self.target.clone(), self.headers.clone());
        Self { method, target, template, headers, body, expected }
    }
}
