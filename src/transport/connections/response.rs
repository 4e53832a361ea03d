//! A response whose body is still to be read, and the failure to get one.

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use reqwest::{StatusCode, header::HeaderMap};
use std::{error::Error, io};

pub(crate) struct Response {
    pub status: StatusCode,
    pub headers: HeaderMap,
    body: Unread,
}

/// The rest of a body.
pub(super) enum Unread {
    Pool(Incoming),
    Client(reqwest::Body),
}

impl Response {
    pub(super) fn new(response: hyper::Response<Unread>) -> Self {
        let (parts, body) = response.into_parts();
        Self { status: parts.status, headers: parts.headers, body }
    }

    /// The length of the body in bytes, if the headers state it.
    pub fn content_length(&self) -> Option<u64> {
        match &self.body {
            Unread::Pool(body) => body.size_hint().exact(),
            Unread::Client(body) => body.size_hint().exact(),
        }
    }

    /// Reads the next part of the body. `None` means that the body has ended.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, SendError> {
        loop {
            let frame = match &mut self.body {
                Unread::Pool(body) => body.frame().await.map(|frame| frame.map_err(SendError::new)),
                Unread::Client(body) => body.frame().await.map(|frame| frame.map_err(SendError::new)),
            };
            match frame.transpose()?.map(hyper::body::Frame::into_data) {
                None => return Ok(None),
                Some(Ok(data)) => return Ok(Some(data)),
                // Trailers have no meaning at any vendor.
                Some(Err(_)) => {}
            }
        }
    }
}

/// A request that got no response, or a response without its end.
pub(crate) struct SendError {
    /// True if no connection could be opened, so nothing was sent.
    pub connect: bool,
    pub timeout: bool,
    /// True if the request used an idle connection, which the vendor may have closed.
    pub idle: bool,
    pub source: Box<dyn Error + Send + Sync>,
}

impl SendError {
    pub(super) fn new(source: impl Error + Send + Sync + 'static) -> Self {
        let timeout = causes(&source).any(timed_out);
        Self { connect: false, timeout, idle: false, source: Box::new(source) }
    }
}

/// The error and its causes.
pub(crate) fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error: &&'a (dyn Error + 'static)| (*error).source())
}

fn timed_out(error: &(dyn Error + 'static)) -> bool {
    error.downcast_ref::<reqwest::Error>().is_some_and(reqwest::Error::is_timeout)
        || error.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_timeout)
        || error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::TimedOut)
}
