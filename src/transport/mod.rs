//! Sends every request: adds credentials, applies deadlines and limits, retries, and returns a response or an
//! [`Error`](crate::Error).
//!
//! Generated code builds a request with a [`Draft`] and calls [`perform`]. The trait [`Vendor`] describes the
//! differences between vendors.

mod base;
mod call;
mod connections;
mod credential;
mod decision;
mod draft;
mod limits;
mod meta;
mod operation;
mod path;
mod raw;
mod reach;
mod repeats;
mod response;
mod settings;
mod shut;
#[cfg(test)]
mod tests;
mod trace;
mod vendor;

pub(crate) use base::Transport;
pub(crate) use connections::{Request, Tls};
pub(crate) use credential::{credential, is_format, secret_header};
pub(crate) use draft::{Built, Draft, file_part};
pub use meta::Response;
pub use operation::Effect;
pub(crate) use operation::OperationSpec;
pub(crate) use path::path_fault;
pub(crate) use raw::raw_method;
pub use raw::{RawBody, RawRequest};
pub(crate) use repeats::Sent;
pub(crate) use response::{Pages, VendorResponse};
pub use settings::Settings;
pub(crate) use settings::{CallLimits, Endpoint, call_limit_methods, endpoint_methods};
pub(crate) use shut::unless_shut;
pub(crate) use vendor::{Refusal, Speaker, Vendor, VendorVerdict};

use crate::vocabulary::{Error, Resent};
use call::{Call, Calling};
use path::encode_path;
use serde::{Serialize, de::DeserializeOwned};

/// Sends a request of generated code and decodes the response. Returns an error if the response belongs to another
/// request. `told` returns the text at a place of the decoded response.
pub(crate) fn perform<'a, V: Vendor, T: DeserializeOwned + Serialize + Send + 'static>(
    vendor: &'a V,
    operation: &'static OperationSpec,
    mut request: Built,
    told: for<'t> fn(&'t T, &str) -> Option<&'t str>,
) -> Calling<'a, Response<T>> {
    let expected = request.as_mut().map(|request| std::mem::take(&mut request.expected)).unwrap_or_default();
    Call { vendor, operation }.call(request, move |answer| {
        let decoded = answer.decode(operation)?;
        let (told, whole) = (|place: &str| told(&decoded, place), || serde_json::to_vec(&decoded));
        match repeats::other(&expected, &told, &answer.body, &whole) {
            Some(place) => Err(answer.of_another(operation, place)),
            None => Ok(Response::new(answer.status, answer.headers, decoded)),
        }
    })
}

/// Sends a request for a list, and decodes the response. Also returns the paging headers of the response.
pub(crate) fn perform_page<'a, V: Vendor, T: DeserializeOwned + Send + 'static>(
    vendor: &'a V,
    operation: &'static OperationSpec,
    request: Built,
) -> Calling<'a, (T, Pages)> {
    Call { vendor, operation }.call(request, |answer| Ok((answer.decode(operation)?, Pages(answer.headers))))
}

/// Sends a request, and returns the response of the vendor before it is decoded.
pub(crate) fn exchange<'a, V: Vendor>(
    vendor: &'a V,
    operation: &'static OperationSpec,
    request: Built,
) -> Calling<'a, VendorResponse> {
    Call { vendor, operation }.call(request, Ok)
}

/// Interprets the result of a write that was sent again after its first response was lost. A vendor code in `in_use`
/// means that the reference exists already.
pub(crate) fn resent<T>(result: Result<T, Error>, in_use: &[&str]) -> Result<Resent<T>, Error> {
    match result {
        Ok(answer) => Ok(Resent::Done(answer)),
        Err(e) if e.vendor_code().is_some_and(|code| in_use.contains(&code)) => Ok(Resent::InUse),
        Err(e) => Err(e),
    }
}
