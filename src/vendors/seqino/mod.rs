//! Seqino PDP: e-invoicing for your clients. The API has clients, their mandates, lines of the state directory, and
//! invoices.
//!
//! [errors]: crate::book::errors
//! [statuses]: crate::book::statuses
//! [webhooks]: crate::book::webhooks
// Define the links before the included file. The first definition of a link is used, and the definitions in the file
// point to other files. The doctest of the file needs the sandbox.
#![cfg_attr(any(not(doctest), feature = "sandbox"), doc = concat!("\n", include_str!("../../../docs/seqino.md")))]

mod adapter;
mod batch;
mod find;
#[cfg(feature = "sandbox")]
mod sandbox;
mod webhook;

#[allow(missing_docs, missing_debug_implementations, clippy::all, clippy::pedantic, unused, reason = "generated")]
pub(crate) mod generated {
    include!(concat!(env!("OUT_DIR"), "/seqino.rs"));
}
pub use generated::{builder, types};
const SPEC_ORIGIN: SpecOrigin = include!(concat!(env!("OUT_DIR"), "/seqino.origin.rs"));
#[cfg(feature = "sandbox")]
pub use webhook::sign_webhook;
pub use webhook::{Encoding, verify_request, verify_webhook};

use super::Parts;
use crate::{
    Mandates, MandatesBuilder,
    transport::{
        CallLimits, Endpoint, Refusal, Transport, Vendor, VendorVerdict, call_limit_methods, credential,
        endpoint_methods, raw_method, secret_header,
    },
    vocabulary::{Error, Provider, SpecOrigin},
    wire,
};
use reqwest::{StatusCode, header::HeaderValue};
use secrecy::SecretString;
use serde::Deserialize;
use std::sync::Arc;

/// The parts of Seqino, which has no debits, for the functions for all vendors.
pub(super) const PARTS: Parts = Parts {
    provider: Provider::Seqino,
    spec: include_str!(concat!(env!("OUT_DIR"), "/seqino.json")),
    origin: SPEC_ORIGIN,
    vocabulary: adapter::vocabulary,
    debit_vocabulary: Vec::new,
    #[cfg(feature = "sandbox")]
    simulated: sandbox::simulated,
    #[cfg(feature = "sandbox")]
    configured: |sandbox, builder| builder.seqino(sandbox.seqino()),
};

/// The address of Seqino's development server, the only server in the newest documentation.
pub const DEVELOPMENT: &str = "https://pdp.seqino.dev/api";

/// The address of Seqino and your API key.
#[derive(Debug)]
#[must_use]
pub struct Config {
    endpoint: Endpoint,
    api_key: SecretString,
}

impl Config {
    /// Configures the vendor's development server.
    pub fn development(api_key: impl Into<SecretString>) -> Self {
        Self::new(DEVELOPMENT, api_key)
    }

    /// Configures another address. An older copy of the documentation gives `https://pdp.seqino.com/api/` as
    /// production.
    pub fn new(base_url: impl Into<String>, api_key: impl Into<SecretString>) -> Self {
        Self { endpoint: Endpoint::new(base_url), api_key: api_key.into() }
    }

    endpoint_methods!();
}

/// A client of Seqino's API. Clones of a client share its connections.
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
    limits: CallLimits,
}

struct Shared {
    transport: Transport,
    authorization: HeaderValue,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "seqino::Client({})", self.shared.transport.base_url())
    }
}

impl Client {
    /// Creates a client, without a request.
    ///
    /// # Errors
    /// [`NotConfigured`](crate::ErrorKind::NotConfigured) for an invalid address, or for an API key with a character
    /// that an HTTP header does not allow.
    pub fn new(config: Config) -> Result<Self, Error> {
        let Config { endpoint, api_key } = config;
        let api_key = credential(Provider::Seqino, "API key", api_key)?;
        // Seqino expects the API key alone in the header `Authorization`, without a scheme such as `Bearer`.
        let authorization = secret_header(&api_key).ok_or_else(|| {
            Error::not_configured(Provider::Seqino, "the API key has a character that HTTP does not allow")
        })?;
        let transport = Transport::new(SPEC_ORIGIN, Provider::Seqino, endpoint)?;
        let shared = Shared { transport, authorization };
        Ok(Self { shared: Arc::new(shared), limits: CallLimits::default() })
    }

    call_limit_methods!();
    raw_method!();
}

impl MandatesBuilder {
    /// Adds Seqino PDP to the facade.
    pub fn seqino(self, config: Config) -> Self {
        self.with_adapter(Provider::Seqino, Client::new(config))
    }
}

impl Mandates {
    /// Returns the typed client of Seqino PDP, with the credentials, connections and limits of this facade.
    ///
    /// # Errors
    /// [`NotConfigured`](crate::ErrorKind::NotConfigured) if the builder has no configuration of Seqino PDP.
    pub fn seqino(&self) -> Result<&Client, Error> {
        self.client(Provider::Seqino)
    }
}

impl Vendor for Client {
    const PROVIDER: Provider = Provider::Seqino;

    fn transport(&self) -> &Transport {
        &self.shared.transport
    }

    fn call_limits(&self) -> CallLimits {
        self.limits
    }

    async fn authorization(&self) -> Result<HeaderValue, Error> {
        Ok(self.shared.authorization.clone())
    }

    /// Reads a refusal by Seqino: `{error, code, trace_id}`, or a list of the invalid fields of the request. A body of
    /// another form does not come from Seqino's API.
    fn word(status: StatusCode, body: &[u8]) -> VendorVerdict {
        /// The documented fields of a refusal, all required. Only a 404 or 410 in exactly this form shows that a
        /// mandate is gone.
        #[derive(Deserialize)]
        struct Own {
            #[serde(rename = "error")]
            _error: wire::AnyText,
            code: i64,
            trace_id: String,
        }
        if status.is_success() {
            return VendorVerdict::Silent;
        }
        if let Some(own) = wire::read_own::<Own>(body) {
            let (code, trace_id) = (Some(own.code.to_string()), Some(own.trace_id));
            return VendorVerdict::Refused(Refusal { code, trace_id, ..Refusal::default() });
        }
        match wire::read_own::<types::ValidationErrorResponse>(body) {
            Some(list) if !list.detail.is_empty() => {
                let places: Vec<String> = list.detail.iter().take(8).map(|issue| place(&issue.loc)).collect();
                VendorVerdict::Refused(Refusal { detail: Some(places.join(", ")), ..Refusal::default() })
            }
            _ => VendorVerdict::Silent,
        }
    }
}

/// Returns the path of an invalid field, such as `body.external_ref`. A part that does not look like a field name is
/// hidden, because it may be a personal value.
fn place(parts: &[wire::Json]) -> String {
    let name = |text: &&str| text.len() <= 40 && text.chars().all(|c| c.is_ascii_lowercase() || c == '_');
    let part = |part: &wire::Json| part.as_str().filter(name).unwrap_or("…").to_owned();
    parts.iter().take(8).map(part).collect::<Vec<_>>().join(".")
}
