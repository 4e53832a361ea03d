//! TLS and proxies, with both ways to send a request: hyper's pool, and a reqwest client of the caller.

use crate::support::test_settings;
use mandat::{Error, ErrorKind, Mandates, Outcome, seqino};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use std::{
    io,
    process::{Command, Output},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        RootCertStore, ServerConfig, crypto,
        pki_types::{CertificateDer, PrivateKeyDer},
        server::WebPkiClientVerifier,
    },
};

/// A certificate authority that a test creates.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    root: CertificateDer<'static>,
    pub pem: String,
}

impl Authority {
    pub fn new() -> Self {
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "the authority of a test");
        let key = KeyPair::generate().unwrap();
        let root = params.self_signed(&key).unwrap();
        Self { root: root.der().clone(), pem: root.pem(), issuer: Issuer::new(params, key) }
    }

    /// Issues a certificate for this host name or IP address. Its last day is in the year `until`.
    fn issue(&self, name: &str, until: i32) -> (rcgen::Certificate, KeyPair) {
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        (params.not_before, params.not_after) = (date_time_ymd(2000, 1, 1), date_time_ymd(until, 1, 1));
        let key = KeyPair::generate().unwrap();
        (params.signed_by(&key, &self.issuer).unwrap(), key)
    }

    /// Configures a TLS server with such a certificate. If `clients` is set, each caller has to show a certificate of
    /// that authority.
    pub fn server_config(&self, name: &str, until: i32, clients: Option<&Self>) -> ServerConfig {
        let (certificate, key) = self.issue(name, until);
        let provider = Arc::new(crypto::aws_lc_rs::default_provider());
        let config =
            ServerConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions().unwrap();
        let config = match clients {
            Some(authority) => {
                let mut roots = RootCertStore::empty();
                roots.add(authority.root.clone()).unwrap();
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
                config.with_client_cert_verifier(verifier.build().unwrap())
            }
            None => config.with_no_client_auth(),
        };
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        config.with_single_cert(vec![certificate.der().clone()], key).unwrap()
    }

    /// Starts a TLS server with such a certificate. It answers each request with an empty list of clients.
    async fn server(&self, name: &str, until: i32, clients: Option<&Self>) -> Server {
        let acceptor = TlsAcceptor::from(Arc::new(self.server_config(name, until, clients)));
        Server::start(move |stream| {
            let acceptor = acceptor.clone();
            async move { respond(acceptor.accept(stream).await?).await }
        })
        .await
    }
}

/// A server on loopback that counts the requests that it answered.
struct Server {
    port: u16,
    answered: Arc<AtomicUsize>,
}

impl Server {
    async fn start<F: Future<Output = io::Result<()>> + Send>(
        serve: impl Fn(TcpStream) -> F + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (port, answered) = (listener.local_addr().unwrap().port(), Arc::new(AtomicUsize::new(0)));
        let (count, serve) = (answered.clone(), Arc::new(serve));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (count, serve) = (count.clone(), serve.clone());
                tokio::spawn(async move {
                    if serve(stream).await.is_ok() {
                        count.fetch_add(1, Ordering::SeqCst);
                    }
                });
            }
        });
        Self { port, answered }
    }

    fn config(&self) -> seqino::Config {
        seqino::Config::new(format!("https://127.0.0.1:{}", self.port), "s3cret-k3y")
            .settings(test_settings().with_attempts(1))
    }
}

/// Reads the head of one request, and responds with an empty list.
async fn respond(mut stream: impl AsyncReadExt + AsyncWriteExt + Unpin) -> io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n[]").await?;
    stream.shutdown().await
}

/// Lists the clients with hyper's pool, then with a reqwest client of the caller. Both must have the same result.
async fn list(config: impl Fn() -> seqino::Config) -> Result<(), Error> {
    let read = async |config: seqino::Config| {
        let mandates = Mandates::builder().seqino(config).build()?;
        mandates.seqino()?.list_clients().send().await.map(drop)
    };
    let with_pool = read(config()).await;
    let with_reqwest = read(config().http_client(reqwest::Client::builder())).await;
    assert_eq!(with_pool.as_ref().err().map(Error::to_string), with_reqwest.as_ref().err().map(Error::to_string));
    with_pool
}

/// Asserts that no request was sent, and that the error shows the reason.
async fn assert_not_sent(server: &Server, config: impl Fn() -> seqino::Config, reason: &str) {
    let error = list(config).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport);
    assert!(error.to_string().contains(reason), "{error}");
    assert_eq!(server.answered.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn certificate_of_an_own_authority_is_accepted() {
    let authority = Authority::new();
    let server = authority.server("127.0.0.1", 2100, None).await;
    list(|| server.config().root_certificates(authority.pem.as_bytes())).await.unwrap();
    assert_eq!(server.answered.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn certificate_of_an_unknown_authority_is_refused() {
    let authority = Authority::new();
    let server = authority.server("127.0.0.1", 2100, None).await;
    assert_not_sent(
        &server,
        || server.config(),
        "the vendor's certificate is not accepted: this machine does not know its authority",
    )
    .await;
    // The other authority has the same name and another key.
    let other = Authority::new().pem;
    assert_not_sent(
        &server,
        || server.config().root_certificates(other.as_bytes()),
        "the vendor's certificate is not accepted: its signature is not that of its authority",
    )
    .await;
}

#[tokio::test]
async fn certificate_for_another_host_is_refused() {
    let authority = Authority::new();
    let server = authority.server("vendor.example", 2100, None).await;
    assert_not_sent(
        &server,
        || server.config().root_certificates(authority.pem.as_bytes()),
        "the vendor's certificate is not accepted: it is for another host",
    )
    .await;
}

#[tokio::test]
async fn expired_certificate_is_refused() {
    let authority = Authority::new();
    let server = authority.server("127.0.0.1", 2020, None).await;
    assert_not_sent(
        &server,
        || server.config().root_certificates(authority.pem.as_bytes()),
        "the vendor's certificate is not accepted: it has expired",
    )
    .await;
}

#[tokio::test]
async fn server_without_tls_gets_no_request() {
    let authority = Authority::new();
    let server = Server::start(async |mut stream: TcpStream| {
        stream.read_u8().await?;
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n").await?;
        Err(io::ErrorKind::InvalidData.into())
    })
    .await;
    let config = || server.config().root_certificates(authority.pem.as_bytes());
    assert_not_sent(&server, config, "no connection could be made").await;
}

#[tokio::test]
async fn server_that_requires_a_client_certificate_accepts_the_own_identity() {
    let (authority, clients) = (Authority::new(), Authority::new());
    let server = authority.server("127.0.0.1", 2100, Some(&clients)).await;
    let (certificate, key) = clients.issue("client.example", 2100);
    let identity = format!("{}{}", certificate.pem(), key.serialize_pem());
    let config = || server.config().root_certificates(authority.pem.as_bytes());
    list(|| config().client_identity(identity.as_bytes())).await.unwrap();
    assert_eq!(server.answered.load(Ordering::SeqCst), 2);
    assert!(list(config).await.is_err());
    assert_eq!(server.answered.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn unreadable_certificates_are_refused_before_any_request() {
    let server = Server::start(respond).await;
    let key = KeyPair::generate().unwrap().serialize_pem();
    let not_der = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let error = Mandates::builder().seqino(server.config().root_certificates(not_der)).build().unwrap_err();
    assert!(error.to_string().contains("the root certificates cannot be read"), "{error}");
    for roots in [&b"no certificate"[..], b"", include_bytes!("tls.rs")] {
        let config = || server.config().root_certificates(roots).client_identity("no certificate");
        let error = list(config).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotConfigured);
        assert!(error.to_string().contains("PEM") && !error.to_string().contains("no certificate"), "{error}");
    }
    let without_certificate = list(|| server.config().client_identity(key.as_bytes())).await.unwrap_err();
    assert_eq!(without_certificate.kind(), ErrorKind::NotConfigured);
    assert!(!format!("{:?}", server.config().client_identity(key.as_bytes())).contains(&key[40..60]));
}

#[tokio::test]
async fn write_to_a_server_with_another_certificate_is_not_sent() {
    let server = Authority::new().server("127.0.0.1", 2100, None).await;
    let mandates = Mandates::builder().seqino(server.config()).build().unwrap();
    let revoke = mandates.seqino().unwrap().revoke_mandate().x_pdp_client_id("client_1").mandate_id("mdt_1");
    assert_eq!(revoke.send().await.unwrap_err().outcome(), Some(Outcome::NotSent));
}

/// Accepts connections, and records the first bytes of each.
async fn recorder() -> (u16, Arc<std::sync::Mutex<Vec<String>>>) {
    let recorded = Arc::new(std::sync::Mutex::new(Vec::new()));
    let log = recorded.clone();
    let server = Server::start(move |mut stream| {
        let log = log.clone();
        async move {
            let mut first = [0; 64];
            let length = stream.read(&mut first).await?;
            log.lock().unwrap().push(String::from_utf8_lossy(&first[..length]).into_owned());
            Ok(())
        }
    })
    .await;
    (server.port, recorded)
}

/// An address on loopback in a form that the crate does not treat as this machine, so that proxies apply.
fn beyond_a_proxy(port: u16) -> String {
    format!("https://[::ffff:127.0.0.1]:{port}")
}

/// Runs the ignored test below in a process with these variables, because they are read from the environment.
async fn in_a_process(variables: &[(&str, String)]) -> Output {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "tls::helper_process_requests_the_list_of_clients", "--ignored", "--nocapture"]);
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"] {
        command.env_remove(name).env_remove(name.to_lowercase());
    }
    command.envs(variables.iter().map(|(name, value)| (name, value)));
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

#[tokio::test]
#[ignore = "runs only in the process of another test"]
async fn helper_process_requests_the_list_of_clients() {
    let Ok(url) = std::env::var("MANDAT_TEST_URL") else { return };
    let settings = test_settings().with_attempts(1).with_attempt_timeout(Duration::from_secs(5));
    let config = seqino::Config::new(url, "s3cret-k3y").settings(settings);
    let mandates = Mandates::builder().seqino(config).build().unwrap();
    assert!(mandates.seqino().unwrap().list_clients().send().await.is_err());
}

#[tokio::test]
async fn proxy_from_the_environment_is_used() {
    let ((proxy, to_proxy), (vendor, to_vendor)) = (recorder().await, recorder().await);
    let url = beyond_a_proxy(vendor);
    for name in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"] {
        let variables = [(name, format!("http://127.0.0.1:{proxy}")), ("MANDAT_TEST_URL", url.clone())];
        let ended = in_a_process(&variables).await;
        assert!(ended.status.success(), "{ended:?}");
        let got = to_proxy.lock().unwrap().split_off(0);
        assert!(matches!(&got[..], [one] if one.starts_with("CONNECT ")), "{name}: {got:?}");
    }
    assert!(to_vendor.lock().unwrap().is_empty());
}

#[tokio::test]
async fn vendor_in_no_proxy_gets_its_requests_directly() {
    let ((proxy, to_proxy), (vendor, to_vendor)) = (recorder().await, recorder().await);
    let variables = [
        ("HTTPS_PROXY", format!("http://127.0.0.1:{proxy}")),
        ("NO_PROXY", "::ffff:127.0.0.1".into()),
        ("MANDAT_TEST_URL", beyond_a_proxy(vendor)),
    ];
    let ended = in_a_process(&variables).await;
    assert!(ended.status.success(), "{ended:?}");
    assert!(to_proxy.lock().unwrap().is_empty());
    // A TLS handshake begins with the byte 22.
    assert!(matches!(&to_vendor.lock().unwrap()[..], [one] if one.starts_with('\u{16}')));
}

#[tokio::test]
async fn proxy_of_a_custom_http_client_is_used() {
    let ((proxy, to_proxy), (vendor, to_vendor)) = (recorder().await, recorder().await);
    let builder = reqwest::Client::builder().proxy(reqwest::Proxy::all(format!("http://127.0.0.1:{proxy}")).unwrap());
    let config = seqino::Config::new(beyond_a_proxy(vendor), "s3cret-k3y");
    let config = config.settings(test_settings().with_attempts(1)).http_client(builder);
    let mandates = Mandates::builder().seqino(config).build().unwrap();
    assert!(mandates.seqino().unwrap().list_clients().send().await.is_err());
    let got = to_proxy.lock().unwrap().split_off(0);
    assert!(matches!(&got[..], [one] if one.starts_with("CONNECT ")), "{got:?}");
    assert!(to_vendor.lock().unwrap().is_empty());
}
