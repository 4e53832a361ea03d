//! Easytransac (V2): SEPA direct debit mandates and PayByBank transfers.
//!
//! [debits]: crate::book::debits
//! [errors]: crate::book::errors
//! [verdicts]: crate::book::verdicts
//! [webhooks]: crate::book::webhooks
// Define the links before the included file. The first definition of a link is used, and the definitions in the file
// point to other files. The doctest of the file needs the sandbox.
#![cfg_attr(any(not(doctest), feature = "sandbox"), doc = concat!("\n", include_str!("../../../docs/easytransac.md")))]

mod adapter;
mod debit;
mod find;
mod notification;
#[cfg(feature = "sandbox")]
mod sandbox;
mod token;

#[allow(missing_docs, missing_debug_implementations, clippy::all, clippy::pedantic, unused, reason = "generated")]
pub(crate) mod generated {
    include!(concat!(env!("OUT_DIR"), "/easytransac.rs"));
}
pub use generated::{builder, types};
const SPEC_ORIGIN: SpecOrigin = include!(concat!(env!("OUT_DIR"), "/easytransac.origin.rs"));
#[cfg(feature = "sandbox")]
pub use notification::sign_notification;
pub use notification::verify_notification;

use super::Parts;
use crate::{
    Mandates, MandatesBuilder,
    transport::{
        CallLimits, Endpoint, OperationSpec, Refusal, Speaker, Transport, Vendor, VendorVerdict, call_limit_methods,
        credential, endpoint_methods, raw_method,
    },
    vocabulary::{Error, ErrorKind, Provider, SpecOrigin},
};
use reqwest::{StatusCode, header::HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use std::sync::Arc;
use token::Tokens;

/// The parts of Easytransac, for the functions for all vendors.
pub(super) const PARTS: Parts = Parts {
    provider: Provider::Easytransac,
    spec: include_str!(concat!(env!("OUT_DIR"), "/easytransac.json")),
    origin: SPEC_ORIGIN,
    vocabulary: adapter::vocabulary,
    debit_vocabulary: debit::vocabulary,
    #[cfg(feature = "sandbox")]
    simulated: sandbox::simulated,
    #[cfg(feature = "sandbox")]
    configured: |sandbox, builder| builder.easytransac(sandbox.easytransac()),
};

/// The address of Easytransac's test environment, the only address in its documentation.
pub const SANDBOX: &str = "https://api.sandbox.easytransac.com/v2";

/// The address of Easytransac and your API key.
#[derive(Debug)]
#[must_use]
pub struct Config {
    endpoint: Endpoint,
    api_key: SecretString,
}

impl Config {
    /// Configures the vendor's test environment, with a key that starts with `et_test_`.
    pub fn sandbox(api_key: impl Into<SecretString>) -> Self {
        Self::new(SANDBOX, api_key)
    }

    /// Configures another address, such as production. Ask Easytransac for the production address: the documentation
    /// that we could read does not contain it.
    pub fn new(base_url: impl Into<String>, api_key: impl Into<SecretString>) -> Self {
        Self { endpoint: Endpoint::new(base_url), api_key: api_key.into() }
    }

    endpoint_methods!();
}

/// A client of Easytransac's API. Clones of a client share its connections and its token.
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
    limits: CallLimits,
}

struct Shared {
    transport: Transport,
    api_key: SecretString,
    tokens: Tokens,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "easytransac::Client({})", self.shared.transport.base_url())
    }
}

impl Client {
    /// Creates a client, without a request.
    ///
    /// # Errors
    /// [`ErrorKind::NotConfigured`] for an invalid address, or for a live key with the address of the test environment.
    pub fn new(config: Config) -> Result<Self, Error> {
        let Config { endpoint, api_key } = config;
        let api_key = credential(Provider::Easytransac, "API key", api_key)?;
        let live = api_key.expose_secret().to_lowercase().starts_with("et_live_");
        let transport = Transport::new(SPEC_ORIGIN, Provider::Easytransac, Endpoint { live, ..endpoint })?;
        if live && transport.base_url().contains("//api.sandbox.easytransac.com") {
            let what = "the API key is a live key (et_live_), but the address is Easytransac's test environment. Use a \
                        key that begins with et_test_";
            return Err(Error::not_configured(Provider::Easytransac, what));
        }
        let shared = Shared { transport, api_key, tokens: Tokens::default() };
        Ok(Self { shared: Arc::new(shared), limits: CallLimits::default() })
    }

    call_limit_methods!();
    raw_method!();
}

impl MandatesBuilder {
    /// Adds Easytransac to the facade.
    pub fn easytransac(self, config: Config) -> Self {
        self.with_adapter(Provider::Easytransac, Client::new(config))
    }
}

impl Mandates {
    /// Returns the typed client of Easytransac, with the credentials, connections and limits of this facade.
    ///
    /// # Errors
    /// [`NotConfigured`](crate::ErrorKind::NotConfigured) if the builder has no configuration of Easytransac.
    pub fn easytransac(&self) -> Result<&Client, Error> {
        self.client(Provider::Easytransac)
    }
}

impl Vendor for Client {
    const PROVIDER: Provider = Provider::Easytransac;

    fn transport(&self) -> &Transport {
        &self.shared.transport
    }

    fn call_limits(&self) -> CallLimits {
        self.limits
    }

    async fn authorization(&self) -> Result<HeaderValue, Error> {
        self.shared.tokens.get(self).await
    }

    fn refused(&self, header: &HeaderValue, renewed: bool) -> bool {
        self.shared.tokens.refused(header, renewed)
    }

    fn taken(&self, header: &HeaderValue, renewed: bool) {
        self.shared.tokens.taken(header, renewed);
    }

    fn holds(&self, header: &HeaderValue) -> bool {
        self.shared.tokens.holds(header)
    }

    /// Reads the field `success`, which every response has, whatever its HTTP status is. The body of a V2 error is not
    /// documented. The error codes come from the vendor's ApiError list, which does not say whether it applies to V2.
    fn word(_: StatusCode, body: &[u8]) -> VendorVerdict {
        // Version 1 of the API writes `Code`.
        VendorVerdict::of_flag(body, "success", ["code", "Code"], |codes| {
            let code = codes.into_iter().find(|code| !code.is_null());
            let code = code.map(|code| code.as_str().map_or_else(|| code.to_string(), str::to_owned));
            let (kind, advice) = match code.as_deref() {
                Some("9" | "10") => {
                    (Some(ErrorKind::Unavailable), Some("Easytransac's service is temporarily down: retry later"))
                }
                Some("11") => {
                    (Some(ErrorKind::Auth), Some("the IP address of this machine is not allowed: add it to the list"))
                }
                Some("3" | "4" | "7") => (Some(ErrorKind::Auth), Some("check the application and its API key")),
                Some("1" | "5" | "101") => (Some(ErrorKind::InvalidRequest), None),
                _ => (None, None),
            };
            Refusal { kind, code, advice, ..Refusal::default() }
        })
    }

    fn advice(operation: &OperationSpec, status: StatusCode, speaker: Speaker) -> Option<&'static str> {
        match (status, speaker) {
            // An HTML page does not come from the API, so this advice would be wrong. Only the operations of direct
            // debit have a path that begins with `/sdd/`.
            (StatusCode::FORBIDDEN, Speaker::Vendor | Speaker::Nobody) if operation.path.starts_with("/sdd/") => {
                Some("Easytransac's support has to enable direct debit for the account: ask if it is enabled")
            }
            (StatusCode::NOT_FOUND | StatusCode::GONE, Speaker::Vendor) if operation.id == "get_transaction_status" => {
                Some(
                    "Easytransac shows no transaction with this id. After a lost response the debit may still exist, \
                     because no page says that `orderId` finds a debit: look in the dashboard before you retry",
                )
            }
            _ => None,
        }
    }
}
