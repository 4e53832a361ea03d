//! hyper's pool of connections.

use super::{Request, Response, SendError, Server, Settings, Tls, Unavailable, opened::Noted, response::Unread};
use hyper::Uri;
use hyper_util::{
    client::legacy::{Client, ResponseFuture, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use reqwest::{
    Body,
    header::{HOST, USER_AGENT},
};
use std::time::Duration;
use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};
use tokio::time::timeout;
use tower::{BoxError, Service};

/// Opens TCP connections, and TLS connections on top of them.
#[cfg(feature = "__rustls")]
type Connector = hyper_rustls::HttpsConnector<HttpConnector>;
#[cfg(not(feature = "__rustls"))]
type Connector = HttpConnector;

type HyperClient = Client<Noted<Timed>, Body>;

/// Opens a connection within a time, which includes the TLS handshake.
#[derive(Clone)]
struct Timed {
    connector: Connector,
    within: Duration,
}

impl Service<Uri> for Timed {
    type Response = <Connector as Service<Uri>>::Response;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.connector.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let opened = timeout(self.within, self.connector.call(uri));
        Box::pin(async move {
            let stream = opened.await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
            Ok(stream)
        })
    }
}

pub(super) struct Pool {
    server: Server,
    shared: HyperClient,
    /// Opens a new connection for each request.
    fresh: HyperClient,
}

impl Pool {
    pub fn new(server: Server, tls: &Tls, settings: &Settings) -> Result<Self, Unavailable> {
        let connector =
            Noted(Timed { connector: connector(&server, tls, settings)?, within: settings.connect_timeout });
        let client = |idle: Option<Duration>| -> HyperClient {
            let mut client = Client::builder(TokioExecutor::new());
            #[cfg(feature = "http2")]
            client
                .timer(TokioTimer::new())
                .http2_keep_alive_interval(super::PING)
                .http2_keep_alive_timeout(super::PING);
            client
                .pool_timer(TokioTimer::new())
                .pool_idle_timeout(idle)
                .pool_max_idle_per_host(if idle.is_some() { usize::MAX } else { 0 })
                // `Server` has the header.
                .set_host(false)
                .build(connector.clone())
        };
        let idle = Some(settings.idle_timeout).filter(|idle| !idle.is_zero());
        Ok(Self { server, shared: client(idle), fresh: client(None) })
    }

    pub fn send(
        &self,
        shared: bool,
        request: Request,
    ) -> impl Future<Output = Result<Response, SendError>> + Send + use<> {
        let sending = self.start(shared, request);
        async move {
            match sending?.await {
                Ok(response) => Ok(Response::new(response.map(Unread::Pool))),
                Err(error) => Err(SendError { connect: error.is_connect(), ..SendError::new(error) }),
            }
        }
    }

    fn start(&self, shared: bool, request: Request) -> Result<ResponseFuture, SendError> {
        let Request { method, target, headers, body, .. } = request;
        let mut uri = hyper::http::uri::Parts::default();
        uri.scheme = Some(self.server.scheme.clone());
        uri.authority = Some(self.server.authority.clone());
        uri.path_and_query = Some(target);
        let mut request = hyper::Request::new(body.into());
        *request.method_mut() = method;
        *request.uri_mut() = Uri::from_parts(uri).map_err(SendError::new)?;
        *request.headers_mut() = headers;
        request.headers_mut().insert(HOST, self.server.host.clone());
        request.headers_mut().insert(USER_AGENT, self.server.user_agent.clone());
        let client = if shared { &self.shared } else { &self.fresh };
        Ok(client.request(request))
    }
}

fn connector(server: &Server, tls: &Tls, settings: &Settings) -> Result<Connector, Unavailable> {
    let mut http = HttpConnector::new();
    // hyper divides this time among the addresses of the host.
    http.set_connect_timeout(Some(settings.connect_timeout));
    http.set_nodelay(true);
    // Notice a peer that vanished without closing its connection, as reqwest does by default.
    http.set_keepalive(Some(Duration::from_secs(15)));
    http.set_keepalive_interval(Some(Duration::from_secs(15)));
    http.set_keepalive_retries(Some(3));
    #[cfg(feature = "__rustls")]
    {
        http.enforce_http(false);
        let config = tls.rustls(server.scheme == hyper::http::uri::Scheme::HTTP)?;
        let connector =
            hyper_rustls::HttpsConnectorBuilder::new().with_tls_config(config).https_or_http().enable_http1();
        #[cfg(feature = "http2")]
        if settings.http2 {
            return Ok(connector.enable_http2().wrap_connector(http));
        }
        Ok(connector.wrap_connector(http))
    }
    #[cfg(not(feature = "__rustls"))]
    {
        let _ = (server, tls);
        Ok(http)
    }
}
