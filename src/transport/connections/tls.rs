//! The certificates of the caller.

use super::Unavailable;
#[cfg(any(feature = "__rustls", feature = "native-tls"))]
use reqwest::Certificate;
use reqwest::ClientBuilder;
#[cfg(any(feature = "__rustls", feature = "native-tls"))]
use secrecy::ExposeSecret;
use secrecy::SecretSlice;

/// The caller's own root certificates, and the certificate with which the caller identifies itself. Both in PEM.
#[derive(Default)]
pub(crate) struct Tls {
    pub roots: Vec<u8>,
    pub identity: Option<SecretSlice<u8>>,
}

#[cfg(any(feature = "__rustls", feature = "native-tls"))]
const ROOTS: &str = "the root certificates cannot be read. Give certificates in PEM";
#[cfg(any(feature = "__rustls", feature = "native-tls"))]
const IDENTITY: &str = "the client identity cannot be read. Give a certificate and its private key, both in PEM";

impl Tls {
    /// Reads the root certificates of the caller one by one. So an error names them, and not those of the machine.
    #[cfg(feature = "__rustls")]
    fn roots(&self) -> Result<Vec<rustls::pki_types::CertificateDer<'static>>, Unavailable> {
        use rustls::pki_types::{CertificateDer, pem::PemObject};

        let roots: Vec<_> = CertificateDer::pem_slice_iter(&self.roots).collect::<Result<_, _>>().map_err(|_| ROOTS)?;
        if roots.is_empty() != self.roots.is_empty() {
            return Err(ROOTS.into());
        }
        let mut readable = rustls::RootCertStore::empty();
        roots.iter().try_for_each(|root| readable.add(root.clone())).map_err(|_| ROOTS)?;
        Ok(roots)
    }

    /// The settings of hyper's pool. `plain` means HTTP without TLS: reading the certificates of the machine takes
    /// long.
    #[cfg(feature = "__rustls")]
    pub(super) fn rustls(&self, plain: bool) -> Result<rustls::ClientConfig, Unavailable> {
        use rustls::{
            ClientConfig, RootCertStore,
            pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
        };
        use std::sync::Arc;

        let roots = self.roots()?;
        let provider = Arc::new(provider());
        let config = ClientConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions();
        let config = config.map_err(|_| "the TLS library cannot start")?;
        let config = if plain {
            config.with_root_certificates(RootCertStore::empty())
        } else {
            let verifier = rustls_platform_verifier::Verifier::new_with_extra_roots(roots, provider);
            let verifier = verifier.map_err(|_| "the root certificates of this machine cannot be read")?;
            config.dangerous().with_custom_certificate_verifier(Arc::new(verifier))
        };
        let Some(identity) = &self.identity else { return Ok(config.with_no_client_auth()) };
        let pem = identity.expose_secret();
        let chain = CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>().map_err(|_| IDENTITY)?;
        let key = PrivateKeyDer::from_pem_slice(pem).map_err(|_| IDENTITY)?;
        config.with_client_auth_cert(chain, key).map_err(|_| IDENTITY.into())
    }

    /// Adds the certificates to a client of reqwest.
    pub(super) fn reqwest(&self, builder: ClientBuilder) -> Result<ClientBuilder, Unavailable> {
        #[cfg(any(feature = "__rustls", feature = "native-tls"))]
        let builder = {
            #[cfg(feature = "__rustls")]
            self.roots()?;
            let roots = Certificate::from_pem_bundle(&self.roots).map_err(|_| ROOTS)?;
            if roots.is_empty() != self.roots.is_empty() {
                return Err(ROOTS.into());
            }
            let builder = if roots.is_empty() { builder } else { builder.tls_certs_merge(roots) };
            match &self.identity {
                Some(pem) => with_identity(builder, pem.expose_secret()).map_err(|_| IDENTITY)?,
                None => builder,
            }
        };
        Ok(builder)
    }
}

/// The cryptography of the TLS library.
#[cfg(feature = "__rustls")]
fn provider() -> rustls::crypto::CryptoProvider {
    #[cfg(feature = "rustls")]
    return rustls::crypto::aws_lc_rs::default_provider();
    #[cfg(not(feature = "rustls"))]
    rustls::crypto::ring::default_provider()
}

/// Sets the cryptography of the process, unless the program has set one. `reqwest` panics without one if aws-lc is not
/// in the build.
pub(super) fn provide() {
    #[cfg(all(feature = "__rustls", not(feature = "rustls")))]
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // Another thread can have set one in between.
        drop(provider().install_default());
    }
}

/// An identity belongs to one TLS library, so the client has to use the same one.
#[cfg(feature = "__rustls")]
fn with_identity(builder: ClientBuilder, pem: &[u8]) -> Result<ClientBuilder, reqwest::Error> {
    Ok(builder.tls_backend_rustls().identity(reqwest::Identity::from_pem(pem)?))
}

#[cfg(all(feature = "native-tls", not(feature = "__rustls")))]
fn with_identity(builder: ClientBuilder, pem: &[u8]) -> Result<ClientBuilder, reqwest::Error> {
    // native-tls expects the private key at the start of the text that it gets as the key.
    let begin = b"-----BEGIN PRIVATE KEY-----";
    let start = pem.windows(begin.len()).position(|part| part == begin).unwrap_or_default();
    Ok(builder.identity(reqwest::Identity::from_pkcs8_pem(pem, &pem[start..])?))
}
