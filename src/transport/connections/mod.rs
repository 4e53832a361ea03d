//! The connections to one vendor: a request in; a status, headers and a body out.
//!
//! Reads share a pool. Each write or removal opens a new connection, which the vendor cannot have closed before. No
//! late response to an earlier request can arrive on a new connection.

mod client;
mod opened;
mod pool;
mod request;
mod response;
mod tls;

pub(super) use client::without_certificates;
pub(crate) use request::{Body, Request};
pub(super) use response::{Response, SendError, causes};
pub(crate) use tls::Tls;

use super::{Effect, Settings};
use crate::vocabulary::SpecOrigin;
use client::HttpClient;
use futures_util::future::Either;
use hyper::http::uri::{Authority, Scheme};
use hyper_util::client::proxy::matcher::Matcher;
use opened::OPENED;
use pool::Pool;
use reqwest::{ClientBuilder, Url, header::HeaderValue};
use std::cell::Cell;

/// Returns the `User-Agent`, because some firewalls refuse requests without one. `program` is the name of the caller's
/// program. `None` if no header can hold the name.
pub(super) fn user_agent(spec: SpecOrigin, program: Option<&str>) -> Option<HeaderValue> {
    let mut text = concat!("mandat/", env!("CARGO_PKG_VERSION")).to_owned();
    if spec != SpecOrigin::Ours {
        text += &format!(" ({spec})");
    }
    if let Some(program) = program {
        text += &format!(" {}", program.trim());
    }
    HeaderValue::try_from(text).ok()
}

/// The time after which a silent HTTP/2 connection is tested, and the time for the response to the test. Without the
/// test, all reads would wait on a connection whose peer has vanished.
#[cfg(feature = "http2")]
const PING: std::time::Duration = std::time::Duration::from_secs(5);

/// The server that the connections lead to.
struct Server {
    url: Url,
    scheme: Scheme,
    authority: Authority,
    /// The `Host` header.
    host: HeaderValue,
    user_agent: HeaderValue,
}

pub(super) struct Connections {
    way: Way,
    /// True if this machine opens the connections itself: without a proxy, and without an HTTP client of the caller.
    pub direct: bool,
}

/// The library that sends the requests. Both open and close connections by the same rules. hyper's pool needs less
/// time for a request. `reqwest` has more features.
enum Way {
    Pool(Box<Pool>),
    Client(Box<HttpClient>),
}

/// The reason why the connections to a vendor cannot be set up.
pub(super) type Unavailable = String;

impl Connections {
    /// Prepares the connections. Opens none yet.
    ///
    /// `own` is the HTTP client of the caller. `local` turns proxies off: a request to this machine must not leave this
    /// machine.
    pub fn new(
        url: &Url,
        own: Option<ClientBuilder>,
        tls: &Tls,
        user_agent: HeaderValue,
        local: bool,
        settings: &Settings,
    ) -> Result<Self, Unavailable> {
        let uri: hyper::Uri = url.as_str().parse().map_err(|_| "the base URL is no URI")?;
        let parts = uri.clone().into_parts();
        let (Some(scheme), Some(authority)) = (parts.scheme, parts.authority) else {
            return Err("the base URL has no host".into());
        };
        let host = HeaderValue::try_from(authority.as_str())
            .map_err(|_| "the host has a character that HTTP does not allow")?;
        let server = Server { url: url.clone(), scheme, authority, host, user_agent };
        let proxy = !local && Matcher::from_env().intercept(&uri).is_some();
        let direct = own.is_none() && !proxy;
        // hyper's pool has TLS by rustls only.
        let foreign_tls = server.scheme == Scheme::HTTPS && !cfg!(feature = "__rustls") && cfg!(feature = "native-tls");
        let way = if cfg!(feature = "reqwest-only") || own.is_some() || proxy || foreign_tls {
            Way::Client(Box::new(HttpClient::new(server, own, tls, local, settings)?))
        } else {
            Way::Pool(Box::new(Pool::new(server, tls, settings)?))
        };
        Ok(Self { way, direct })
    }

    /// Sends a request. A read uses an idle connection unless `fresh` is set; other requests open a new one.
    ///
    /// The future does not contain the request: it would be copied into each of the futures around it.
    pub fn send(
        &self,
        effect: Effect,
        fresh: bool,
        request: Request,
    ) -> impl Future<Output = Result<Response, SendError>> + Send {
        let shared = effect == Effect::Read && !fresh;
        let sending = match &self.way {
            Way::Pool(pool) => Either::Left(pool.send(shared, request)),
            Way::Client(client) => Either::Right(Box::pin(client.send(shared, request))),
        };
        OPENED.scope(Cell::new(false), async move {
            sending.await.map_err(|error| SendError { idle: shared && !OPENED.with(Cell::get), ..error })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{SpecOrigin, user_agent};

    #[test]
    fn user_agent_names_the_crate_a_patched_spec_and_the_program_of_the_caller() {
        let name = concat!("mandat/", env!("CARGO_PKG_VERSION"));
        let patched = SpecOrigin::Patched("4728ca46");
        assert_eq!(user_agent(SpecOrigin::Ours, None).unwrap(), name);
        assert_eq!(user_agent(patched, None).unwrap(), format!("{name} (patched 4728ca46)"));
        assert_eq!(user_agent(patched, Some("acme/2 ")).unwrap(), format!("{name} (patched 4728ca46) acme/2"));
        assert_eq!(user_agent(SpecOrigin::Ours, Some("acme\n")).unwrap(), format!("{name} acme"));
        assert!(user_agent(SpecOrigin::Ours, Some("ac\nme")).is_none());
    }
}
