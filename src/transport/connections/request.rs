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
    /// Returns a copy for another attempt, or `None` if the body is a stream, which can be read only once.
    pub fn try_clone(&self) -> Option<Self> {
        let body = Body::Bytes(self.body.as_bytes()?.clone());
        // Only the first attempt checks the path and the response.
        let (template, expected) = (Cow::Borrowed(""), Expected::new());
        let (method, target, headers) = (self.method.clone(), self.target.clone(), self.headers.clone());
        Some(Self { method, target, template, headers, body, expected })
    }
}
