//! Easytransac (V2): SEPA direct debit mandates and PayByBank transfers.
//!
//! [errors]: crate::book::errors
//! [verdicts]: crate::book::verdicts
//! [webhooks]: crate::book::webhooks
// The first definition of a link counts; those of the file lead to files. Its example is run where there is a sandbox.
#![cfg_attr(any(not(doctest), feature = "sandbox"), doc = concat!("\n", include_str!("../../../docs/easytransac.md")))]

pub(crate) mod adapter;
mod find;
mod notification;
#[cfg(feature = "sandbox")]
pub(crate) mod sandbox;
mod token;

#[allow(missing_docs, missing_debug_implementations, clippy::all, clippy::pedantic, unused, reason = "generated")]
pub(crate) mod generated {
    include!(concat!(env!("OUT_DIR"), "/easytransac.rs"));
}
pub use generated::{builder, types};
#[cfg(feature = "sandbox")]
pub use notification::sign_notification;
pub use notification::verify_notification;

use crate::{
    Mandates, MandatesBuilder,
    transport::{Endpoint, Operation, Refusal, Speaker, Transport, Vendor, Word, credential, endpoint_methods},
    vocabulary::{Error, ErrorKind, Provider},
};
use reqwest::{StatusCode, header::HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use std::sync::Arc;
use token::Tokens;

/// The address of Easytransac's sandbox, the only one that its documentation shows.
pub const SANDBOX: &str = "https://api.sandbox.easytransac.com/v2";

/// Where Easytransac is, and who is calling.
#[derive(Debug)]
#[must_use]
pub struct Config {
    endpoint: Endpoint,
    api_key: SecretString,
}

impl Config {
    /// The vendor's sandbox, with a key that starts with `et_test_`.
    pub fn sandbox(api_key: impl Into<SecretString>) -> Self {
        Self::new(SANDBOX, api_key)
    }

    /// Another address: the production one is not in the documentation that could be read; Easytransac tells it.
    pub fn new(base_url: impl Into<String>, api_key: impl Into<SecretString>) -> Self {
        Self { endpoint: Endpoint::new(base_url), api_key: api_key.into() }
    }

    endpoint_methods!();
}

/// A client of Easytransac's API. Clones share connections and the token.
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
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
    /// A client. Nothing is sent yet.
    ///
    /// # Errors
    /// [`ErrorKind::NotConfigured`] for an address that cannot be right, or a live key at the sandbox.
    pub fn new(config: Config) -> Result<Self, Error> {
        let Config { endpoint, api_key } = config;
        let api_key = credential(Provider::Easytransac, "API key", api_key)?;
        let live = api_key.expose_secret().to_lowercase().starts_with("et_live_");
        let transport = Transport::new(Provider::Easytransac, Endpoint { live, ..endpoint })?;
        if live && transport.base_url().contains("//api.sandbox.easytransac.com") {
            let what = "a live key (et_live_) is pointed at the sandbox";
            return Err(Error::not_configured(Provider::Easytransac, what));
        }
        Ok(Self { shared: Arc::new(Shared { transport, api_key, tokens: Tokens::default() }) })
    }
}

impl MandatesBuilder {
    /// Uses Easytransac.
    pub fn easytransac(self, config: Config) -> Self {
        self.with_adapter(Provider::Easytransac, Client::new(config))
    }
}

impl Mandates {
    /// The typed client of Easytransac, with the same credentials, connections and limits.
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

    /// `success`, which every answer has, whatever the HTTP status. The body of a V2 error is not documented; the
    /// numbers are those of the vendor's ApiError list, which does not say whether it holds for V2.
    fn word(_: StatusCode, body: &[u8]) -> Word {
        // `Code` is that of V1.
        Word::of_flag(body, "success", ["code", "Code"], |codes| {
            let code = codes.into_iter().find(|code| !code.is_null());
            let code = code.map(|code| code.as_str().map_or_else(|| code.to_string(), str::to_owned));
            let (kind, advice) = match code.as_deref() {
                Some("9" | "10") => (Some(ErrorKind::Unavailable), Some("the service is down for the moment")),
                Some("11") => (Some(ErrorKind::Auth), Some("only listed IP addresses are allowed: list this one")),
                Some("3" | "4" | "7") => (Some(ErrorKind::Auth), Some("check the application and its key")),
                Some("1" | "5" | "101") => (Some(ErrorKind::InvalidRequest), None),
                _ => (None, None),
            };
            Refusal { kind, code, advice, ..Refusal::default() }
        })
    }

    fn advice(operation: &Operation, status: StatusCode, speaker: Speaker) -> Option<&'static str> {
        match (status, speaker) {
            // A page is not the API's, and other operations have nothing to do with direct debit.
            (StatusCode::FORBIDDEN, Speaker::Vendor | Speaker::Nobody) if operation.path.starts_with("/sdd/") => {
                Some("direct debit has to be switched on for the account by Easytransac's support: ask whether it is")
            }
            (StatusCode::NOT_FOUND | StatusCode::GONE, Speaker::Vendor) if operation.id == "get_transaction_status" => {
                Some(
                    "no transaction has this id. A debit whose answer was lost may exist all the same, since no page says \
                     that a debit is found by its `orderId`: look in the dashboard before you send it again",
                )
            }
            _ => None,
        }
    }
}
