//! The connections to one vendor. Reads share a pool. Each write or removal opens a new connection: the vendor cannot
//! have closed it before, and no late response to an earlier request can arrive on it.

use super::{Effect, Settings};
use crate::vocabulary::SpecOrigin;
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
fn user_agent(spec: SpecOrigin) -> String {
    let name = concat!("mandat/", env!("CARGO_PKG_VERSION"));
    if spec == SpecOrigin::Ours { name.into() } else { format!("{name} ({spec})") }
}

/// Sets the `User-Agent`, unless the caller's builder has one. `reqwest` shows that in its `Debug` output only.
fn named(own: ClientBuilder, user_agent: String) -> ClientBuilder {
    if format!("{own:?}").contains("\"user-agent\"") { own } else { own.user_agent(user_agent) }
}

/// A request that got no response.
pub(super) struct Unanswered {
    pub error: reqwest::Error,
    /// True if the request used an idle connection, which the vendor may have closed.
    pub idle: bool,
}

impl Connections {
    /// Opens the pools.
    ///
    /// `own` is the HTTP client of the caller. It can be built only once, so reads and writes both use it, without a
    /// pool of idle connections. `plain` means HTTP without TLS. `local` turns proxies off: a request to this machine
    /// must not leave it.
    pub fn new(
        own: Option<ClientBuilder>,
        spec: SpecOrigin,
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
                // A redirect could send a credential to another host.
                .redirect(reqwest::redirect::Policy::none())
                // The transport decides on retries. reqwest would copy each request to be ready for its own.
                .retry(reqwest::retry::never().max_retries_per_request(0))
                // Never decompress: a small malicious response could expand to a huge one.
                .no_gzip()
                .no_brotli()
                .no_deflate()
                .no_zstd()
                .connection_verbose(false)
        };
        let new = || match ClientBuilder::new().user_agent(user_agent(spec)) {
            // Reading the certificates of the machine takes long, and plain HTTP needs none.
            #[cfg(feature = "rustls")]
            builder if plain => builder.tls_backend_rustls().tls_certs_only([]),
            #[cfg(all(feature = "native-tls", not(feature = "rustls")))]
            builder if plain => builder.tls_certs_only([]),
            builder => builder,
        };
        let unshared = |builder| common(builder).pool_max_idle_per_host(0).build();
        if own.is_some() || settings.idle_timeout.is_zero() {
            let client = unshared(own.map_or_else(new, |own| named(own, user_agent(spec))))?;
            return Ok(Self { shared: client.clone(), own: client });
        }
        let shared = common(new()).pool_idle_timeout(settings.idle_timeout).connector_layer(Note);
        Ok(Self { shared: shared.build()?, own: unshared(new())? })
    }

    /// The HTTP client that builds requests.
    pub fn client(&self) -> &Client {
        &self.shared
    }

    /// Sends a request. A read uses an idle connection unless `fresh` is set; other requests open a new one.
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
    /// True if the current request began to open a connection. If false, it used an idle one.
    static OPENED: Cell<bool>;
}

/// Records that a request opens a connection. `reqwest` does not report this.
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
        // Outside a request there is no `OPENED`: hyper finishes opening a connection in the background.
        let _ = OPENED.try_with(|opened| opened.set(true));
        self.0.call(request)
    }
}

#[cfg(test)]
mod tests {
    use super::{SpecOrigin, user_agent};

    #[test]
    fn user_agent_names_a_patched_spec() {
        let name = concat!("mandat/", env!("CARGO_PKG_VERSION"));
        assert_eq!(user_agent(SpecOrigin::Ours), name);
        assert_eq!(user_agent(SpecOrigin::Patched("4728ca46")), format!("{name} (patched 4728ca46)"));
    }
}
