//! The connections to one vendor. Reads share a pool of idle connections. Each write or removal opens a new connection,
//! because the vendor may have closed an idle one. A new connection also cannot deliver a late response to an earlier
//! request.

use super::{Effect, Settings};
use reqwest::{Client, ClientBuilder, Request, Response};
use std::{
    cell::Cell,
    task::{Context, Poll},
};
use tower::{Layer, Service};

pub(super) struct Connections {
    shared: Client,
    own: Client,
}

/// Some firewalls refuse requests without a `User-Agent`.
const USER_AGENT: &str = concat!("mandat/", env!("CARGO_PKG_VERSION"));

/// Sets the `User-Agent`, unless the caller's HTTP client sets one. The `Debug` output is the only place where
/// `reqwest` shows this.
fn named(own: ClientBuilder) -> ClientBuilder {
    if format!("{own:?}").contains("\"user-agent\"") { own } else { own.user_agent(USER_AGENT) }
}

/// A request that failed without a response.
pub(super) struct Unanswered {
    pub error: reqwest::Error,
    /// True if the request used an idle connection, which the vendor may have closed.
    pub idle: bool,
}

impl Connections {
    /// Opens the connection pools of one vendor.
    ///
    /// `own` is the HTTP client of the caller. It can be built only once, so reads and writes both use it, without idle
    /// connections. `plain` means HTTP without TLS. `local` turns proxies off, because a request to this machine must
    /// not leave it.
    pub fn new(
        own: Option<ClientBuilder>,
        #[cfg_attr(
            not(any(feature = "rustls", feature = "native-tls")),
            allow(unused_variables, reason = "without TLS there are no certificates")
        )]
        plain: bool,
        local: bool,
        settings: &Settings,
    ) -> Result<Self, reqwest::Error> {
        let common = |builder: ClientBuilder| {
            let builder = if local { builder.no_proxy() } else { builder };
            builder
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
                .connection_verbose(false)
        };
        let new = || match ClientBuilder::new().user_agent(USER_AGENT) {
            // Do not load the certificates of the machine for plain HTTP, which needs none, because loading them takes
            // long.
            #[cfg(feature = "rustls")]
            builder if plain => builder.tls_backend_rustls().tls_certs_only([]),
            #[cfg(all(feature = "native-tls", not(feature = "rustls")))]
            builder if plain => builder.tls_certs_only([]),
            builder => builder,
        };
        let unshared = |builder| common(builder).pool_max_idle_per_host(0).build();
        if own.is_some() || settings.idle_timeout.is_zero() {
            let client = unshared(own.map_or_else(new, named))?;
            return Ok(Self { shared: client.clone(), own: client });
        }
        let shared = common(new()).pool_idle_timeout(settings.idle_timeout).connector_layer(Note);
        Ok(Self { shared: shared.build()?, own: unshared(new())? })
    }

    pub fn client(&self) -> &Client {
        &self.shared
    }

    /// Sends a request. A read uses an idle connection unless `fresh` is set. Other requests always open a new
    /// connection.
    pub async fn send(&self, effect: Effect, fresh: bool, request: Request) -> Result<Response, Unanswered> {
        if effect != Effect::Read || fresh {
            return self.own.execute(request).await.map_err(|error| Unanswered { error, idle: false });
        }
        let sent = async {
            let answer = self.shared.execute(request).await;
            answer.map_err(|error| Unanswered { error, idle: !OPENED.with(Cell::get) })
        };
        OPENED.scope(Cell::new(false), sent).await
    }
}

tokio::task_local! {
    /// True if the current request opened a new connection. False if it used an idle connection.
    static OPENED: Cell<bool>;
}

/// Records when a request opens a connection, because `reqwest` does not report this.
#[derive(Clone)]
struct Note;

#[derive(Clone)]
struct Noted<S>(S);

impl<S> Layer<S> for Note {
    type Service = Noted<S>;

    fn layer(&self, inner: S) -> Noted<S> {
        Noted(inner)
    }
}

impl<S: Service<R>, R> Service<R> for Noted<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: R) -> S::Future {
        // `OPENED` exists only during a request. Ignore a connection that hyper opens in the background afterwards.
        let _ = OPENED.try_with(|opened| opened.set(true));
        self.0.call(request)
    }
}
