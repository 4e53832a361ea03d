//! `reqwest`: for the HTTP client of the caller, for a proxy from the environment, and for the TLS of the system.

#[cfg(feature = "http2")]
use super::PING;
use super::{Request, Response, SendError, Server, Settings, Tls, Unavailable, opened::Note, response::Unread};
use hyper::http::uri::Scheme;
use reqwest::{Client, ClientBuilder, header::HeaderValue};

pub(super) struct HttpClient {
    server: Server,
    shared: Client,
    /// Opens a new connection for each request.
    fresh: Client,
}

/// Sets the `User-Agent`, unless the caller's HTTP client sets one. The `Debug` output is the only place where
/// `reqwest` shows this.
fn named(own: ClientBuilder, user_agent: HeaderValue) -> ClientBuilder {
    if format!("{own:?}").contains("\"user-agent\"") { own } else { own.user_agent(user_agent) }
}

/// Sets the version of HTTP. Another crate of a program can turn on HTTP/2 in `reqwest`.
fn version(builder: ClientBuilder, settings: &Settings) -> ClientBuilder {
    #[cfg(feature = "http2")]
    if settings.http2 {
        return builder.http2_keep_alive_interval(PING).http2_keep_alive_timeout(PING);
    }
    let _ = settings;
    builder.http1_only()
}

/// A client for plain HTTP. Reading the certificates of the machine takes long, and plain HTTP needs none.
pub(crate) fn without_certificates(builder: ClientBuilder) -> ClientBuilder {
    #[cfg(feature = "__rustls")]
    return builder.tls_backend_rustls().tls_certs_only([]);
    #[cfg(all(feature = "native-tls", not(feature = "__rustls")))]
    return builder.tls_certs_only([]);
    #[cfg(not(any(feature = "__rustls", feature = "native-tls")))]
    builder
}

impl HttpClient {
    /// `own` can be built only once, so reads and writes both use it, without a pool of idle connections.
    pub fn new(
        server: Server,
        own: Option<ClientBuilder>,
        tls: &Tls,
        local: bool,
        settings: &Settings,
    ) -> Result<Self, Unavailable> {
        let common = |builder: ClientBuilder| -> Result<ClientBuilder, Unavailable> {
            let builder = if local { builder.no_proxy() } else { builder };
            let builder = builder
                .connect_timeout(settings.connect_timeout)
                // Do not follow a redirect, because it could send a credential to another host.
                .redirect(reqwest::redirect::Policy::none())
                // The transport decides about retries. If reqwest also retried, it would have to copy each request.
                .retry(reqwest::retry::never().max_retries_per_request(0))
                // Never decompress a response, because a small malicious response could expand to a huge one.
                .no_gzip()
                .no_brotli()
                .no_deflate()
                .no_zstd()
                .connection_verbose(false);
            tls.reqwest(version(builder, settings))
        };
        super::tls::provide();
        let failed = |_| "the HTTP client cannot start".to_owned();
        let build = |builder: ClientBuilder| builder.build().map_err(failed);
        let unshared = |builder| build(common(builder)?.pool_max_idle_per_host(0).connector_layer(Note));
        let plain = server.scheme == Scheme::HTTP;
        let new = || {
            let builder = ClientBuilder::new().user_agent(server.user_agent.clone());
            if plain { without_certificates(builder) } else { builder }
        };
        if own.is_some() || settings.idle_timeout.is_zero() {
            let client = unshared(own.map_or_else(new, |own| named(own, server.user_agent.clone())))?;
            return Ok(Self { server, shared: client.clone(), fresh: client });
        }
        let shared = common(new())?.pool_idle_timeout(settings.idle_timeout).connector_layer(Note);
        let (shared, fresh) = (build(shared)?, unshared(new())?);
        Ok(Self { server, shared, fresh })
    }

    pub async fn send(&self, shared: bool, request: Request) -> Result<Response, SendError> {
        let Request { method, target, headers, body, .. } = request;
        let mut url = self.server.url.clone();
        url.set_path(target.path());
        url.set_query(target.query());
        let mut request = reqwest::Request::new(method, url);
        *request.headers_mut() = headers;
        *request.body_mut() = body.as_bytes().is_none_or(|bytes| !bytes.is_empty()).then(|| body.into());
        let client = if shared { &self.shared } else { &self.fresh };
        match client.execute(request).await {
            Ok(response) => Ok(Response::new(hyper::Response::from(response).map(Unread::Client))),
            Err(error) => Err(SendError { connect: error.is_connect(), ..SendError::new(error) }),
        }
    }
}
