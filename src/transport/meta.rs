//! The status and the headers of a successful response.

use crate::wire::shape;
use chrono::{DateTime, Utc};
use reqwest::{
    StatusCode,
    header::{DATE, HeaderMap},
};
use std::{fmt, ops::Deref, time::SystemTime};

/// The response to a successful call: its body, its HTTP status and its headers.
///
/// A `Response` dereferences to its body. `Debug` shows the status and the body, but no header, because a header can
/// contain personal data.
///
/// A removal that an earlier attempt had completed has the status 204 and no header. The vendor's response to the last
/// attempt is then a 404.
///
/// ```no_run
/// # #[cfg(feature = "seqino")]
/// # async fn run(mandates: mandat::Mandates) -> Result<(), mandat::Error> {
/// let clients = mandates.seqino()?.list_clients().send_with_meta().await?;
/// println!("HTTP {}, trace {:?}, {:?}", clients.http_status(), clients.trace_id(), clients.date());
/// let clients = clients.into_inner();
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Response<T> {
    status: StatusCode,
    headers: HeaderMap,
    body: T,
}

impl<T> Response<T> {
    pub(super) fn new(status: StatusCode, headers: HeaderMap, body: T) -> Self {
        Self { status, headers, body }
    }

    /// The HTTP status, such as 201.
    pub fn http_status(&self) -> u16 {
        self.status.as_u16()
    }

    /// The vendor's trace id, if a header has one in the usual form. Pass it to the vendor's support.
    pub fn trace_id(&self) -> Option<&str> {
        trace_id(&self.headers)
    }

    /// The time of the response by the vendor's clock: the header `Date`.
    pub fn date(&self) -> Option<DateTime<Utc>> {
        date(&self.headers).map(Into::into)
    }

    /// All headers. A header can contain personal data.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// Returns the body alone.
    pub fn into_inner(self) -> T {
        self.body
    }

    pub(crate) fn map<U>(self, change: impl FnOnce(T) -> U) -> Response<U> {
        Response { status: self.status, headers: self.headers, body: change(self.body) }
    }
}

impl<T> Deref for Response<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.body
    }
}

impl<T: fmt::Debug> fmt::Debug for Response<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response").field("http_status", &self.http_status()).field("body", &self.body).finish()
    }
}

/// Returns the time of a response by the clock of its sender.
pub(super) fn date(headers: &HeaderMap) -> Option<SystemTime> {
    httpdate::parse_http_date(headers.get(DATE)?.to_str().ok()?.trim()).ok()
}

/// Returns the trace id in the headers of a response. No vendor documents such a header, so the names are those in
/// common use.
pub(super) fn trace_id(headers: &HeaderMap) -> Option<&str> {
    const NAMES: [&str; 6] =
        ["x-trace-id", "trace-id", "x-request-id", "request-id", "x-correlation-id", "traceparent"];
    let ids = NAMES.iter().filter_map(|name| headers.get(*name)?.to_str().ok());
    ids.map(str::trim).find(|id| shape::is_trace_id(id))
}
