//! Seqino PDP: e-invoicing for your clients. Covers clients, their mandates, lines of the state directory, and
//! invoices.
//!
//! [errors]: crate::book::errors
//! [statuses]: crate::book::statuses
//! [webhooks]: crate::book::webhooks
// Define the links before the file: the first definition of a link wins, and the file's definitions point to files.
// The doctest of the file needs the sandbox.
#![cfg_attr(any(not(doctest), feature = "sandbox"), doc = concat!("\n", include_str!("../../../docs/seqino.md")))]

pub(crate) mod adapter;
mod batch;
mod find;
#[cfg(feature = "sandbox")]
pub(crate) mod sandbox;
mod webhook;

#[allow(missing_docs, missing_debug_implementations, clippy::all, clippy::pedantic, unused, reason = "generated")]
pub(crate) mod generated {
    include!(concat!(env!("OUT_DIR"), "/seqino.rs"));
}
pub use generated::{builder, types};
/// The spec as JSON.
pub(super) const SPEC: &str = include_str!(concat!(env!("OUT_DIR"), "/seqino.json"));
pub(super) const SPEC_ORIGIN: SpecOrigin = include!(concat!(env!("OUT_DIR"), "/seqino.origin.rs"));
#[cfg(feature = "sandbox")]
pub use webhook::sign_webhook;
pub use webhook::{Encoding, verify_request, verify_webhook};

use crate::{
    Mandates, MandatesBuilder,
    transport::{Endpoint, Refusal, Transport, Vendor, VendorVerdict, credential, endpoint_methods, secret_header},
    vocabulary::{Error, Provider, SpecOrigin},
    wire,
};
use reqwest::{StatusCode, header::HeaderValue};
use secrecy::SecretString;
use serde::Deserialize;
use std::sync::Arc;

/// The development server, the only one that the newest documentation shows.
pub const DEVELOPMENT: &str = "https://pdp.seqino.dev/api";

/// The address of Seqino and your credentials.
#[derive(Debug)]
#[must_use]
pub struct Config {
    endpoint: Endpoint,
    api_key: SecretString,
}

impl Config {
    /// The vendor's development server.
    pub fn development(api_key: impl Into<SecretString>) -> Self {
        Self::new(DEVELOPMENT, api_key)
    }

    /// Another address. An older copy of the documentation gives `https://pdp.seqino.com/api/` as production.
    pub fn new(base_url: impl Into<String>, api_key: impl Into<SecretString>) -> Self {
        Self { endpoint: Endpoint::new(base_url), api_key: api_key.into() }
    }

    endpoint_methods!();
}

/// A client of Seqino's API. Clones share connections.
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
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
    /// Creates a client. Sends nothing yet.
    ///
    /// # Errors
    /// [`NotConfigured`](crate::ErrorKind::NotConfigured) for an invalid address, or for a key that is not valid in a header.
    pub fn new(config: Config) -> Result<Self, Error> {
        let Config { endpoint, api_key } = config;
        let api_key = credential(Provider::Seqino, "API key", api_key)?;
        // Send the key alone, without a scheme.
        let authorization = secret_header(&api_key)
            .ok_or_else(|| Error::not_configured(Provider::Seqino, "the key is not valid in a header"))?;
        let transport = Transport::new(SPEC_ORIGIN, Provider::Seqino, endpoint)?;
        Ok(Self { shared: Arc::new(Shared { transport, authorization }) })
    }
}

impl MandatesBuilder {
    /// Uses Seqino PDP.
    pub fn seqino(self, config: Config) -> Self {
        self.with_adapter(Provider::Seqino, Client::new(config))
    }
}

impl Mandates {
    /// The typed client of Seqino PDP, with the same credentials, connections and limits.
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

    async fn authorization(&self) -> Result<HeaderValue, Error> {
        Ok(self.shared.authorization.clone())
    }

    /// Reads `{error, code, trace_id}`, or a list of errors in a request. Any other body is not the vendor's.
    fn word(status: StatusCode, body: &[u8]) -> VendorVerdict {
        /// Exactly as documented: this shape decides if a mandate counts as gone.
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

/// The path of a field: `body.external_ref`. Hides a part that does not look like a field name: it may be a value.
fn place(parts: &[wire::Json]) -> String {
    let name = |text: &&str| text.len() <= 40 && text.chars().all(|c| c.is_ascii_lowercase() || c == '_');
    let part = |part: &wire::Json| part.as_str().filter(name).unwrap_or("…").to_owned();
    parts.iter().take(8).map(part).collect::<Vec<_>>().join(".")
}
