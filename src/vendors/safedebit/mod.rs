//! SafeDebit (API v1): SEPA direct debit mandates, their signature, consumers and documents.
//!
//! [debits]: crate::book::debits
//! [errors]: crate::book::errors
//! [verdicts]: crate::book::verdicts
//! [webhooks]: crate::book::webhooks
// Define the links before the included file. The first definition of a link is used, and the definitions in the file
// point to other files. The doctest of the file needs the sandbox.
#![cfg_attr(any(not(doctest), feature = "sandbox"), doc = concat!("\n", include_str!("../../../docs/safedebit.md")))]

mod adapter;
mod debit;
mod find;
mod redirect;
#[cfg(feature = "sandbox")]
mod sandbox;

#[allow(missing_docs, missing_debug_implementations, clippy::all, clippy::pedantic, unused, reason = "generated")]
pub(crate) mod generated {
    include!(concat!(env!("OUT_DIR"), "/safedebit.rs"));
}
pub use find::FoundDebit;
pub use generated::{builder, types};
const SPEC_ORIGIN: SpecOrigin = include!(concat!(env!("OUT_DIR"), "/safedebit.origin.rs"));
pub use redirect::SignatureReturn;

use super::Parts;
use crate::{
    Mandates, MandatesBuilder,
    transport::{
        CallLimits, Endpoint, Refusal, Transport, Vendor, VendorVerdict, call_limit_methods, credential,
        endpoint_methods, raw_method, secret_header,
    },
    vocabulary::{Error, ErrorKind, Provider, SpecOrigin},
};
use base64::prelude::{BASE64_STANDARD, Engine};
use reqwest::{StatusCode, header::HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use std::sync::Arc;
use types::ErrorCode;

/// The parts of SafeDebit, for the functions for all vendors.
pub(super) const PARTS: Parts = Parts {
    provider: Provider::SafeDebit,
    spec: include_str!(concat!(env!("OUT_DIR"), "/safedebit.json")),
    origin: SPEC_ORIGIN,
    vocabulary: adapter::vocabulary,
    debit_vocabulary: debit::vocabulary,
    #[cfg(feature = "sandbox")]
    simulated: sandbox::simulated,
    #[cfg(feature = "sandbox")]
    configured: |sandbox, builder| builder.safedebit(sandbox.safedebit()),
};

/// The address of SafeDebit, your login and your password.
#[derive(Debug)]
#[must_use]
pub struct Config {
    endpoint: Endpoint,
    login: SecretString,
    password: SecretString,
}

impl Config {
    /// Configures the address that SafeDebit gave you (`https://<your subdomain>.safedebit.fr/ssp`), your login and
    /// your password.
    pub fn new(base_url: impl Into<String>, login: impl Into<SecretString>, password: impl Into<SecretString>) -> Self {
        Self { endpoint: Endpoint::new(base_url), login: login.into(), password: password.into() }
    }

    endpoint_methods!();
}

/// A client of SafeDebit's API. Clones of a client share its connections.
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
        write!(f, "safedebit::Client({})", self.shared.transport.base_url())
    }
}

impl Client {
    /// Creates a client, without a request.
    ///
    /// # Errors
    /// [`ErrorKind::NotConfigured`] for an invalid address, or for a login with a colon.
    pub fn new(config: Config) -> Result<Self, Error> {
        let Config { endpoint, login, password } = config;
        let login = credential(Provider::SafeDebit, "login", login)?;
        let password = credential(Provider::SafeDebit, "password", password)?;
        if login.expose_secret().contains(':') {
            return Err(Error::not_configured(
                Provider::SafeDebit,
                "the login contains a colon, which HTTP Basic does not allow",
            ));
        }
        let pair = format!("{}:{}", login.expose_secret(), password.expose_secret());
        let header = SecretString::from(format!("Basic {}", BASE64_STANDARD.encode(pair)));
        let authorization = secret_header(&header).ok_or_else(|| {
            Error::not_configured(
                Provider::SafeDebit,
                "the login or the password has a character that HTTP does not allow",
            )
        })?;
        let transport = Transport::new(SPEC_ORIGIN, Provider::SafeDebit, endpoint)?;
        let shared = Shared { transport, authorization };
        Ok(Self { shared: Arc::new(shared), limits: CallLimits::default() })
    }

    call_limit_methods!();
    raw_method!();
}

impl MandatesBuilder {
    /// Adds SafeDebit to the facade.
    pub fn safedebit(self, config: Config) -> Self {
        self.with_adapter(Provider::SafeDebit, Client::new(config))
    }
}

impl Mandates {
    /// Returns the typed client of SafeDebit, with the credentials, connections and limits of this facade.
    ///
    /// # Errors
    /// [`NotConfigured`](crate::ErrorKind::NotConfigured) if the builder has no configuration of SafeDebit.
    pub fn safedebit(&self) -> Result<&Client, Error> {
        self.client(Provider::SafeDebit)
    }
}

impl Vendor for Client {
    const PROVIDER: Provider = Provider::SafeDebit;

    fn transport(&self) -> &Transport {
        &self.shared.transport
    }

    fn call_limits(&self) -> CallLimits {
        self.limits
    }

    async fn authorization(&self) -> Result<HeaderValue, Error> {
        Ok(self.shared.authorization.clone())
    }

    /// Reads the field `result`, which every response has. The HTTP status is usually 200, so it does not show a
    /// refusal.
    fn word(_: StatusCode, body: &[u8]) -> VendorVerdict {
        VendorVerdict::of_flag(body, "result", ["code"], |[code]| {
            let code = serde_json::from_value::<Option<ErrorCode>>(code).unwrap_or_default();
            let (kind, advice) = code.as_ref().map_or((ErrorKind::Refused, None), meaning);
            let code = code.map(|code| code.as_str().to_owned());
            Refusal { kind: Some(kind), code, advice, ..Refusal::default() }
        })
    }
}

/// Returns the meaning of an error code. Source: the annex, <https://doc.safedebit.fr/api/v1/annexe.php?lang=en_US>.
fn meaning(code: &ErrorCode) -> (ErrorKind, Option<&'static str>) {
    match code {
        ErrorCode::WrongLogin => (ErrorKind::Auth, Some("the login is wrong")),
        ErrorCode::WrongPassword => (ErrorKind::Auth, Some("the password is wrong")),
        ErrorCode::IpNotAllowed => {
            (ErrorKind::Auth, Some("the IP address of this machine is not allowed: ask SafeDebit to add it"))
        }
        ErrorCode::AccountInactive => (ErrorKind::Auth, Some("the account is inactive: ask SafeDebit")),
        ErrorCode::AccountInvalid => (ErrorKind::Auth, Some("the account is invalid: ask SafeDebit")),
        ErrorCode::ConsumerReferenceInUse => (ErrorKind::Conflict, Some("the consumer reference is already in use")),
        ErrorCode::SafedebitConsumerReferenceInvalid => {
            (ErrorKind::InvalidRequest, Some("the SafeDebit consumer reference is not valid"))
        }
        ErrorCode::SddReferenceInUse => (ErrorKind::Conflict, Some("the debit reference is already in use")),
        ErrorCode::BeneficiaryReferenceInUse => {
            (ErrorKind::Conflict, Some("the beneficiary reference is already in use"))
        }
        ErrorCode::PaymentReferenceInUse => (ErrorKind::Conflict, Some("the payment reference is already in use")),
        ErrorCode::Nok001 => (ErrorKind::Refused, Some("the check was negative. The code is not documented")),
        ErrorCode::Unrecognized(code) if code.starts_with("SANDBOX_") => (
            ErrorKind::Refused,
            Some("a rule of mandat's sandbox refused the request: see docs/testing.md. SafeDebit has no such code"),
        ),
        ErrorCode::Unrecognized(_) => {
            (ErrorKind::Refused, Some("the annex of SafeDebit's documentation does not show this code: ask SafeDebit"))
        }
    }
}
