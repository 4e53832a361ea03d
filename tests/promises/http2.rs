//! HTTP/2 over TLS where the server offers it, with hyper's pool and with a reqwest client of the caller.

use crate::{support::test_settings, tls::Authority};
use bytes::Bytes;
use http_body_util::Full;
use hyper::{Request, Response, body::Incoming, service::service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo};
use mandat::{ErrorKind, Mandates, Outcome, Settings, seqino};
use std::{
    convert::Infallible,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{net::TcpListener, task::JoinSet};
use tokio_rustls::TlsAcceptor;

/// A TLS server on loopback. It offers these protocols, and records the connection and the protocol of each request.
struct Server {
    authority: Authority,
    port: u16,
    log: Arc<Mutex<Vec<(usize, String)>>>,
    /// The connections. Drop them to close them.
    open: Arc<Mutex<JoinSet<()>>>,
}

impl Server {
    async fn start(protocols: &[&str]) -> Self {
        let authority = Authority::new();
        let mut config = authority.server_config("127.0.0.1", 2100, None);
        config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (log, open) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(JoinSet::new())));
        let (requests, connections) = (log.clone(), open.clone());
        tokio::spawn(async move {
            for number in 0.. {
                let Ok((stream, _)) = listener.accept().await else { return };
                let (log, acceptor) = (requests.clone(), acceptor.clone());
                let respond = service_fn(move |request: Request<Incoming>| {
                    log.lock().unwrap().push((number, format!("{:?}", request.version())));
                    async move {
                        // A request for this path gets no response.
                        if request.uri().path().ends_with("/usage/limits") {
                            std::future::pending::<()>().await;
                        }
                        Ok::<_, Infallible>(Response::new(Full::new(Bytes::from_static(b"[]"))))
                    }
                });
                connections.lock().unwrap().spawn(async move {
                    let Ok(stream) = acceptor.accept(stream).await else { return };
                    let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
                    let stream = TokioIo::new(stream);
                    // The client may end a connection at any time.
                    let _ = match http2 {
                        true => {
                            let server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
                            server.serve_connection(stream, respond).await
                        }
                        false => hyper::server::conn::http1::Builder::new().serve_connection(stream, respond).await,
                    };
                });
            }
        });
        Self { authority, port, log, open }
    }

    /// Configures hyper's pool, or a reqwest client of the caller.
    fn mandates(&self, settings: Settings, own: bool) -> Mandates {
        let config = seqino::Config::new(format!("https://127.0.0.1:{}", self.port), "s3cret-k3y").settings(settings);
        let config = config.root_certificates(self.authority.pem.as_bytes());
        let config = if own { config.http_client(reqwest::Client::builder()) } else { config };
        Mandates::builder().seqino(config).build().unwrap()
    }

    fn requests(&self) -> Vec<(usize, String)> {
        std::mem::take(&mut *self.log.lock().unwrap())
    }

    /// Asserts that each request of `calls` came in this version of HTTP.
    fn assert_version(&self, calls: usize, version: &str) {
        let requests = self.requests();
        assert_eq!(requests.len(), calls);
        assert!(requests.iter().all(|(_, one)| one == version), "{requests:?}");
    }
}

fn http2() -> Settings {
    test_settings().with_attempts(1).with_http2(true)
}

async fn list(mandates: &Mandates) {
    mandates.seqino().unwrap().list_clients().send().await.unwrap();
}

#[tokio::test]
async fn http2_is_used_if_the_server_offers_it() {
    let server = Server::start(&["h2", "http/1.1"]).await;
    for own in [false, true] {
        list(&server.mandates(http2(), own)).await;
        server.assert_version(1, "HTTP/2.0");
    }
}

#[tokio::test]
async fn http1_is_used_if_the_server_offers_nothing_else() {
    for protocols in [&["http/1.1"][..], &[]] {
        let server = Server::start(protocols).await;
        for own in [false, true] {
            list(&server.mandates(http2(), own)).await;
            server.assert_version(1, "HTTP/1.1");
        }
    }
}

#[tokio::test]
async fn http2_is_off_by_default() {
    let server = Server::start(&["h2", "http/1.1"]).await;
    for own in [false, true] {
        list(&server.mandates(test_settings(), own)).await;
        server.assert_version(1, "HTTP/1.1");
    }
}

#[tokio::test]
async fn reads_share_one_connection_and_each_write_opens_its_own() {
    let server = Server::start(&["h2"]).await;
    let mandates = server.mandates(http2(), false);
    list(&mandates).await;
    let reads = (0..40).map(|_| list(&mandates));
    futures_util::future::join_all(reads).await;
    let requests = server.requests();
    assert_eq!(requests.len(), 41);
    assert!(requests.iter().all(|(connection, version)| *connection == 0 && version == "HTTP/2.0"), "{requests:?}");
    for number in 1..4 {
        let revoke = mandates.seqino().unwrap().revoke_mandate().x_pdp_client_id("client_1").mandate_id("mdt_1");
        let _ = revoke.send().await;
        assert_eq!(server.requests(), [(number, "HTTP/2.0".to_owned())]);
    }
}

#[tokio::test]
async fn read_succeeds_although_the_server_closed_the_shared_connection() {
    let server = Server::start(&["h2"]).await;
    let mandates = server.mandates(http2(), false);
    for number in 0..5 {
        list(&mandates).await;
        assert_eq!(server.requests(), [(number, "HTTP/2.0".to_owned())]);
        server.open.lock().unwrap().abort_all();
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn write_is_not_sent_if_no_connection_can_be_made() {
    let server = Server::start(&["h2"]).await;
    let mandates = server.mandates(http2(), false);
    list(&mandates).await;
    let other = Server::start(&["h2"]).await;
    let wrong = Server { authority: Authority::new(), ..other };
    let mandates = wrong.mandates(http2(), false);
    let revoke = mandates.seqino().unwrap().revoke_mandate().x_pdp_client_id("client_1").mandate_id("mdt_1");
    assert_eq!(revoke.send().await.unwrap_err().outcome(), Some(Outcome::NotSent));
}

#[tokio::test]
async fn slow_response_does_not_delay_other_reads_on_its_connection() {
    let server = Server::start(&["h2"]).await;
    let mandates = server.mandates(http2(), false);
    list(&mandates).await;
    let patient = mandates.seqino().unwrap();
    let impatient = patient.with_timeout(Duration::from_millis(300));
    let (slow, ()) = tokio::join!(impatient.get_usage_limits().x_pdp_client_id("client_1").send(), async {
        for _ in 0..10 {
            list(&mandates).await;
        }
    });
    assert_eq!(slow.unwrap_err().kind(), ErrorKind::Timeout);
    list(&mandates).await;
    assert!(server.requests().iter().all(|(connection, _)| *connection == 0), "a timeout should close no connection");
}
