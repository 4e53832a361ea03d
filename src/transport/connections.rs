//! The connections to one vendor. Reads share them. What changes anything has a connection of its own, which nobody
//! used before: the vendor cannot have closed it, and no late answer to an earlier request can come on it.

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

/// Firewalls refuse requests without one.
const USER_AGENT: &str = concat!("mandat/", env!("CARGO_PKG_VERSION"));

/// A client of the caller's own may have a name of its own, which `reqwest` shows nowhere else.
fn named(own: ClientBuilder) -> ClientBuilder {
    if format!("{own:?}").contains("\"user-agent\"") { own } else { own.user_agent(USER_AGENT) }
}

/// A request without an answer.
pub(super) struct Unanswered {
    pub error: reqwest::Error,
    /// It went out on a connection that had been idle, which the vendor may have closed meanwhile.
    pub idle: bool,
}

impl Connections {
    /// `own` is a client of the caller's making. It can be built once only, so none of its connections is shared.
    /// `local`: what is on this machine must not travel through a proxy elsewhere.
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
                // A credential never travels to another host.
                .redirect(reqwest::redirect::Policy::none())
                // What is tried again is decided here; to be ready for more, it would copy each request.
                .retry(reqwest::retry::never().max_retries_per_request(0))
                // Nothing is decompressed: no vendor asked for it, and a few bytes must not become many.
                .no_gzip()
                .no_brotli()
                .no_deflate()
                .no_zstd()
                .connection_verbose(false)
        };
        let new = || match ClientBuilder::new().user_agent(USER_AGENT) {
            // To read the machine's certificates takes long, and plain HTTP needs none.
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

    /// To build requests with.
    pub fn client(&self) -> &Client {
        &self.shared
    }

    /// Sends a request; on a new connection if it is `fresh`.
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
    /// Whether the request under way asked for a new connection. If not, an idle one was there.
    static OPENED: Cell<bool>;
}

/// Notes each new connection. `reqwest` does not tell whether a request went out on one.
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
        // Another request can take the connection that this one began to open: that goes on outside of it.
        let _ = OPENED.try_with(|opened| opened.set(true));
        self.0.call(request)
    }
}
