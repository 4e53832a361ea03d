//! The interface through which the transport handles the differences between vendors.

use super::{CallLimits, OperationSpec, Transport};
use crate::{
    vocabulary::{Error, ErrorKind, Provider},
    wire,
};
use reqwest::{StatusCode, header::HeaderValue};
use serde_json::Value;

/// The differences between vendors, from the credentials of a request to the interpretation of its response.
pub(crate) trait Vendor: Sync + 'static {
    const PROVIDER: Provider;

    fn transport(&self) -> &Transport;

    /// Returns the limits of this client's calls.
    fn call_limits(&self) -> CallLimits;

    /// Returns the value of the `Authorization` header. Some vendors need a login request first.
    fn authorization(&self) -> impl Future<Output = Result<HeaderValue, Error>> + Send;

    /// Records that the vendor refused this header with 401. Returns true if the vendor may accept another header, so
    /// that a retry makes sense. `renewed` is true if the call has already used another header.
    fn refused(&self, _header: &HeaderValue, _renewed: bool) -> bool {
        false
    }

    /// Records that the vendor accepted the credentials in this header.
    fn taken(&self, _header: &HeaderValue, _renewed: bool) {}

    /// Returns false if the vendor has refused this header in another call since the header was created.
    fn holds(&self, _header: &HeaderValue) -> bool {
        true
    }

    /// Decides by the body of a response whether the vendor refused the request.
    fn word(status: StatusCode, body: &[u8]) -> VendorVerdict;

    /// Returns the advice for a refusal with this HTTP status. The advice is used if the vendor sent no code with a
    /// known meaning.
    fn advice(_operation: &OperationSpec, _status: StatusCode, _speaker: Speaker) -> Option<&'static str> {
        None
    }
}

/// The sender of a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Speaker {
    /// The vendor's API sent the refusal: the body has the vendor's form.
    Vendor,
    /// A firewall, a proxy or a server in front of the API sent the refusal: the body has another form.
    Other,
    /// The sender of the refusal is unknown, because the response has no body.
    Nobody,
}

/// The result of a request according to the body of its response.
#[derive(Debug)]
pub(crate) enum VendorVerdict {
    /// The body contains no refusal. The HTTP status decides, and the body is the requested data.
    Silent,
    /// A refusal.
    Refused(Refusal),
    /// The body shows neither success nor refusal. The text is the reason.
    Unclear(String),
}

impl VendorVerdict {
    /// Reads the success flag of a vendor that sends such a flag in every body. Only `true` means success. `refusal`
    /// builds the refusal from the values of the fields `names`.
    pub fn of_flag<const N: usize>(
        body: &[u8],
        flag: &str,
        names: [&str; N],
        refusal: impl FnOnce([Value; N]) -> Refusal,
    ) -> Self {
        match wire::said(body, flag, names) {
            Ok((Some(true), _)) => Self::Silent,
            Ok((Some(false), said)) => Self::Refused(refusal(said)),
            Ok((None, _)) => Self::Unclear(format!("`{flag}` is neither true nor false")),
            Err(why) => Self::Unclear(why),
        }
    }
}

/// A refusal by the vendor, as the body of the response describes it.
#[derive(Debug, Default)]
pub(crate) struct Refusal {
    /// The kind of error, if the vendor's code is more precise than the HTTP status.
    pub kind: Option<ErrorKind>,
    pub code: Option<String>,
    pub trace_id: Option<String>,
    /// The fields that the vendor refuses, without their values.
    pub detail: Option<String>,
    pub advice: Option<&'static str>,
}
