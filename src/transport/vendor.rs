//! The differences between vendors from a built request to a decoded response.

use super::{OperationSpec, Transport};
use crate::{
    vocabulary::{Error, ErrorKind, Provider},
    wire,
};
use reqwest::{StatusCode, header::HeaderValue};
use serde_json::Value;

/// The differences between vendors from a built request to a decoded answer.
pub(crate) trait Vendor: Sync + 'static {
    const PROVIDER: Provider;

    fn transport(&self) -> &Transport;

    /// Returns the `Authorization` header. Some vendors need a login call first.
    fn authorization(&self) -> impl Future<Output = Result<HeaderValue, Error>> + Send;

    /// Called when the vendor refused this header with 401. Returns true if another header can be obtained, so that a
    /// retry makes sense. `renewed` is true if the call already used another header before.
    fn refused(&self, _header: &HeaderValue, _renewed: bool) -> bool {
        false
    }

    /// Called when the vendor accepted the credentials in this header.
    fn taken(&self, _header: &HeaderValue, _renewed: bool) {}

    /// Returns false if the vendor has refused this header to another call in the meantime.
    fn holds(&self, _header: &HeaderValue) -> bool {
        true
    }

    /// Reads from the body if the vendor refused the request.
    fn word(status: StatusCode, body: &[u8]) -> VendorVerdict;

    /// Advice for a refusal by its HTTP status. Used if the vendor sent no code with a known meaning.
    fn advice(_operation: &OperationSpec, _status: StatusCode, _speaker: Speaker) -> Option<&'static str> {
        None
    }
}

/// The sender of a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Speaker {
    /// The vendor's API, in its own form.
    Vendor,
    /// A firewall, a proxy or a server in front of the API: the body has another form.
    Other,
    /// Unknown: there is no body.
    Nobody,
}

/// The result of a request according to the body of the response.
#[derive(Debug)]
pub(crate) enum VendorVerdict {
    /// No refusal. The HTTP status decides, and the body is the requested data.
    Silent,
    /// A refusal.
    Refused(Refusal),
    /// Neither success nor refusal, with the reason.
    Unclear(String),
}

impl VendorVerdict {
    /// Reads the success flag of a vendor that sends one in every body. Only `true` means success. `refusal` builds the
    /// refusal from the values of the fields `names`.
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

/// A refusal as the vendor's body describes it.
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
