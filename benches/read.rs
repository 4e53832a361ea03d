//! Measures the cost of reading one mandate with the facade, and with the typed client. Compares both with handwritten
//! code on reqwest and serde, and with hyper as the practical minimum. Run it with `cargo bench --bench read`.
//!
//! One process simulates the vendors and sends the same bytes in each response. All clients are in another process, on
//! one thread, and take turns. `cargo bench --bench read -- 1 16` compares them only with these numbers of concurrent
//! calls. For a profiler, `cargo bench --bench read -- one <vendor> <connection> <client> <at once> <reads>` runs one
//! client alone. `benches/compare` builds this file with the clients of other generators.

mod measure;
#[cfg(peers)]
mod peers;

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use http_body_util::{BodyExt, Empty};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client as HyperClient, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use mandat::{MandateRef, MandateStatus, Mandates, Settings, easytransac, safedebit};
use measure::{Counting, Failure, Spread, allocated, cpu};
use reqwest::{
    Url,
    header::{ACCEPT, AUTHORIZATION, HeaderValue},
};
use serde::Deserialize;
use std::{
    env,
    io::{BufRead, BufReader, Read},
    net::SocketAddr,
    process::{Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpListener,
    time::timeout,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ClientConfig, RootCertStore, ServerConfig, crypto,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    },
};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The number of reads per turn, and the number of turns: each client reads twenty thousand times.
const READS: usize = 1_000;
const ROUNDS: usize = 20;
const TIMEOUT: Duration = Duration::from_secs(20);

fn main() -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    // Remove the argument `--bench`, which cargo adds.
    let arguments: Vec<String> = env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["vendors"] => runtime.block_on(serve()),
        ["one", vendor, connection, way, at_once, reads] => {
            let vendor =
                Vendor::ALL.into_iter().find(|known| format!("{known:?}") == vendor).ok_or("no such vendor")?;
            let known = |known: &&Connection| format!("{known:?}") == connection;
            let connection = *Connection::ALL.iter().find(known).ok_or("no such connection")?;
            let way = WAYS.iter().position(|known| *known == way).ok_or("no such way")?;
            let (at_once, reads) = (at_once.parse()?, reads.parse()?);
            with_vendors(|at| {
                runtime.block_on(async { Ways::new(vendor, connection, at, at_once)?.turn(way, reads).await.map(drop) })
            })
        }
        ref numbers => with_vendors(|at| {
            let mut summary = Summary::default();
            let numbers = if numbers.is_empty() { &["1", "16", "64", "256"] } else { numbers };
            for connection in Connection::ALL {
                for vendor in Vendor::ALL {
                    for at_once in numbers {
                        let at_once = at_once.parse()?;
                        runtime.block_on(compare(vendor, *connection, at, at_once, &mut summary))?;
                    }
                }
            }
            println!("\n{summary}");
            Ok(())
        }),
    }
}

#[derive(Clone, Copy, Debug)]
enum Vendor {
    SafeDebit,
    Easytransac,
}

impl Vendor {
    const ALL: [Self; 2] = [Self::SafeDebit, Self::Easytransac];
    const ID: &str = "abcabcabcabcabcabc12";
    /// An API key of Easytransac in its documented form.
    const KEY: &str = "et_test_abcabcabc12-abcabc12-abcabc12-abcabc12-abcabc12-abcabc12";

    /// Returns the vendor's response, which is the same for every mandate.
    fn answer(self) -> &'static str {
        match self {
            Self::SafeDebit => r#"{"result":true,"datas":[{"umr":"abcabcabcabcabcabc12","status":"1"}]}"#,
            Self::Easytransac => concat!(
                r#"{"success":true,"date":"2024-12-31T23:59:59+02:00","data":{"mandateId":"abcabcabcabcabcabc12","#,
                r#""status":"active","dateCreated":"2024-12-31T23:59:59+02:00"}}"#
            ),
        }
    }

    /// Checks that the response is a success for this mandate, and returns the status word of the mandate.
    fn read(self, body: &[u8]) -> Result<String, Failure> {
        #[derive(Deserialize)]
        struct SafeDebit {
            result: bool,
            datas: Vec<Mandate>,
        }
        #[derive(Deserialize)]
        struct Easytransac {
            success: bool,
            data: Mandate,
        }
        #[derive(Deserialize)]
        struct Mandate {
            #[serde(alias = "mandateId")]
            umr: String,
            status: String,
        }
        let (success, mandate) = match self {
            Self::SafeDebit => {
                let SafeDebit { result, datas } = serde_json::from_slice(body)?;
                (result, datas.into_iter().next().ok_or("no mandate")?)
            }
            Self::Easytransac => {
                let Easytransac { success, data } = serde_json::from_slice(body)?;
                (success, data)
            }
        };
        if success && mandate.umr == Self::ID { Ok(mandate.status) } else { Err("another mandate, or none".into()) }
    }
}

/// The protocols of a connection.
#[derive(Clone, Copy, Debug)]
enum Connection {
    /// HTTP/1.1 without encryption.
    Plain,
    /// HTTP/1.1 over TLS.
    Tls,
    /// HTTP/2 over TLS.
    #[cfg(feature = "http2")]
    Http2,
}

impl Connection {
    const ALL: &[Self] = &[
        Self::Plain,
        Self::Tls,
        #[cfg(feature = "http2")]
        Self::Http2,
    ];

    fn is_http2(self) -> bool {
        !matches!(self, Self::Plain | Self::Tls)
    }
}

/// The addresses of the simulated vendors by connection and vendor, and the certificate of the servers.
struct At {
    addresses: Vec<[SocketAddr; 2]>,
    certificate: String,
}

/// Runs the simulated vendors, which respond to each request as soon as it is complete. They read only the start and
/// the end of a request.
async fn serve() -> Result<(), Failure> {
    let own = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()])?;
    let acceptor = |connection: Connection| -> Result<TlsAcceptor, Failure> {
        let provider = Arc::new(crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
        let key = PrivateKeyDer::try_from(own.signing_key.serialize_der())?;
        let mut config = config.with_no_client_auth().with_single_cert(vec![own.cert.der().clone()], key)?;
        if connection.is_http2() {
            config.alpn_protocols = vec![b"h2".to_vec()];
        }
        Ok(TlsAcceptor::from(Arc::new(config)))
    };
    for connection in Connection::ALL.iter().copied() {
        let acceptor = acceptor(connection)?;
        for vendor in Vendor::ALL {
            let (listener, acceptor) = (TcpListener::bind("127.0.0.1:0").await?, acceptor.clone());
            println!("{}", listener.local_addr()?);
            tokio::spawn(async move {
                while let Ok((stream, _)) = listener.accept().await {
                    let acceptor = acceptor.clone();
                    tokio::spawn(async move {
                        stream.set_nodelay(true)?;
                        match connection {
                            Connection::Plain => answer(stream, vendor).await,
                            Connection::Tls => answer(acceptor.accept(stream).await?, vendor).await,
                            #[cfg(feature = "http2")]
                            Connection::Http2 => http2(acceptor.accept(stream).await?, vendor).await,
                        }
                    });
                }
            });
        }
    }
    println!("{}", own.cert.pem());
    // Run the simulated vendors until the parent process ends.
    let gone = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()));
    gone.await??;
    Ok(())
}

/// Easytransac's response to the request for a token.
const TOKEN: &str = r#"{"success":true,"date":"2024-12-31T23:59:59+02:00","data":{"token":"ABCabc123","expiresIn":3600,"expiresDate":"2024-12-31T23:59:59+02:00"}}"#;

#[cfg(feature = "http2")]
async fn http2(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, vendor: Vendor) -> std::io::Result<()> {
    let respond = hyper::service::service_fn(move |request: hyper::Request<hyper::body::Incoming>| async move {
        let body = if request.method() == hyper::Method::POST { TOKEN } else { vendor.answer() };
        let response = hyper::Response::builder().header("content-type", "application/json");
        response.body(http_body_util::Full::new(Bytes::from_static(body.as_bytes())))
    });
    let server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
    let _ = server.serve_connection(hyper_util::rt::TokioIo::new(stream), respond).await;
    Ok(())
}

async fn answer(mut connection: impl AsyncRead + AsyncWrite + Unpin, vendor: Vendor) -> std::io::Result<()> {
    let with_head = |body: &str, more: &str| {
        let length = body.len();
        format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n{more}content-length: {length}\r\n\r\n{body}")
    };
    let (token, answer) = (with_head(TOKEN, "connection: close\r\n"), with_head(vendor.answer(), ""));
    let mut request = Vec::with_capacity(4096);
    while connection.read_buf(&mut request).await? > 0 {
        if request.starts_with(b"POST") && request.ends_with(b"}") {
            connection.write_all(token.as_bytes()).await?;
            return connection.shutdown().await;
        }
        if request.ends_with(b"\r\n\r\n") && request.starts_with(b"GET") {
            connection.write_all(answer.as_bytes()).await?;
            connection.flush().await?;
            request.clear();
        }
    }
    Ok(())
}

fn with_vendors(run: impl FnOnce(&At) -> Result<(), Failure>) -> Result<(), Failure> {
    let mut vendors = Command::new(env::current_exe()?);
    let mut vendors = vendors.arg("vendors").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let mut lines = BufReader::new(vendors.stdout.take().ok_or("no output")?).lines();
    let mut address = || -> Result<SocketAddr, Failure> { Ok(lines.next().ok_or("no address")??.parse()?) };
    let addresses = Connection::ALL.iter().map(|_| Ok([address()?, address()?])).collect::<Result<_, Failure>>()?;
    let mut certificate = String::new();
    while !certificate.contains("-----END") {
        certificate += &format!("{}\n", lines.next().ok_or("no certificate")??);
    }
    let result = run(&At { addresses, certificate });
    drop(vendors.stdin.take());
    vendors.wait()?;
    result
}

/// The names of the clients to compare. The third client is the baseline.
const WAYS: &[&str] = &[
    "facade",
    "typed",
    "reqwest",
    "hyper",
    "statuses",
    #[cfg(peers)]
    "openapi-generator",
    #[cfg(peers)]
    "progenitor",
];
const BY_HAND: usize = 2;

struct Ways {
    at_once: usize,
    facade: Mandates,
    reference: MandateRef,
    reqwest: ByReqwest,
    hyper: ByHyper,
    #[cfg(peers)]
    peers: peers::Peers,
}

/// A client that reads mandates. The reading fails if the response has another mandate, or a mandate that is not
/// active.
trait Reader {
    async fn read(&self) -> Result<(), Failure>;
}

impl Ways {
    fn new(vendor: Vendor, connection: Connection, at: &At, at_once: usize) -> Result<Self, Failure> {
        let scheme = if matches!(connection, Connection::Plain) { "http" } else { "https" };
        let base_url = format!("{scheme}://{}", at.addresses[connection as usize][vendor as usize]);
        let settings = Settings::default().with_concurrency(at_once);
        #[cfg(feature = "http2")]
        let settings = settings.with_http2(connection.is_http2());
        let pem = at.certificate.as_bytes();
        let (builder, reference) = match vendor {
            Vendor::SafeDebit => {
                let config = safedebit::Config::new(&base_url, "login", "password").settings(settings);
                let config = config.root_certificates(pem);
                (Mandates::builder().safedebit(config), MandateRef::safedebit(Vendor::ID))
            }
            Vendor::Easytransac => {
                let config = easytransac::Config::new(&base_url, Vendor::KEY).settings(settings);
                let config = config.root_certificates(pem);
                (Mandates::builder().easytransac(config), MandateRef::easytransac(Vendor::ID))
            }
        };
        let authorization = HeaderValue::from_static(match vendor {
            Vendor::SafeDebit => "Basic bG9naW46cGFzc3dvcmQ=",
            Vendor::Easytransac => "Bearer ABCabc123",
        });
        let http = || -> Result<reqwest::ClientBuilder, Failure> {
            let certificate = reqwest::Certificate::from_pem(pem)?;
            Ok(reqwest::Client::builder().no_proxy().timeout(TIMEOUT).tls_certs_merge([certificate]))
        };
        #[cfg(peers)]
        let peers = peers::Peers::new(vendor, &base_url, &authorization, &http)?;
        let reqwest = ByReqwest {
            vendor,
            http: http()?.build()?,
            base_url: base_url.parse()?,
            authorization: authorization.clone(),
        };
        let mut tcp = HttpConnector::new();
        tcp.set_nodelay(true);
        tcp.enforce_http(false);
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(pem)?)?;
        let provider = Arc::new(crypto::aws_lc_rs::default_provider());
        let tls = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
        let tls = tls.with_root_certificates(roots).with_no_client_auth();
        let connector = HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1();
        // The server offers HTTP/2 only where the connection has it.
        #[cfg(feature = "http2")]
        let connector = connector.enable_http2();
        let connector = connector.wrap_connector(tcp);
        let http = HyperClient::builder(TokioExecutor::new()).pool_timer(TokioTimer::new()).build(connector);
        let hyper = ByHyper { vendor, http, base_url, authorization };
        Ok(Self {
            at_once,
            facade: builder.build()?,
            reference,
            reqwest,
            hyper,
            #[cfg(peers)]
            peers,
        })
    }

    /// Reads a mandate `reads` times with one client.
    async fn turn(&self, way: usize, reads: usize) -> Result<Took, Failure> {
        let (cpu_before, allocated_before, began) = (cpu()?, allocated(), Instant::now());
        let each = match WAYS[way] {
            "facade" => self.with(&Facade(self), reads).await?,
            "typed" => match self.facade.safedebit() {
                Ok(client) => self.with(client, reads).await?,
                Err(_) => self.with(self.facade.easytransac()?, reads).await?,
            },
            "reqwest" => self.with(&self.reqwest, reads).await?,
            "hyper" => self.with(&self.hyper, reads).await?,
            #[cfg(peers)]
            "openapi-generator" => self.with(&self.peers.openapi_generator, reads).await?,
            #[cfg(peers)]
            "progenitor" => self.with(&self.peers.progenitor, reads).await?,
            _ => {
                let mut readings = self.facade.statuses(std::iter::repeat_n(&self.reference, reads));
                while let Some(reading) = readings.next().await {
                    active(reading.result?.status == MandateStatus::Active)?;
                }
                None
            }
        };
        let (took, allocated, worked) = (began.elapsed(), allocated(), cpu()?.saturating_sub(cpu_before));
        let per_read = |value: f64| value / reads as f64;
        Ok(Took {
            micros: each.unwrap_or(per_read(took.as_secs_f64() * 1e6)),
            cpu_micros: per_read(worked.as_secs_f64() * 1e6),
            allocations: per_read((allocated.times - allocated_before.times) as f64),
            bytes: per_read((allocated.bytes - allocated_before.bytes) as f64),
        })
    }

    /// Returns the median time of a read if the client sends its requests one after another.
    async fn with(&self, reader: &impl Reader, reads: usize) -> Result<Option<f64>, Failure> {
        if self.at_once > 1 {
            let readings = stream::iter(0..reads).map(|_| reader.read()).buffer_unordered(self.at_once);
            return readings.try_collect::<()>().await.map(|()| None);
        }
        let mut each = Vec::with_capacity(reads);
        for _ in 0..reads {
            let began = Instant::now();
            reader.read().await?;
            each.push(began.elapsed().as_secs_f64() * 1e6);
        }
        Ok(Some(Spread::of(each).median))
    }
}

/// The average or median cost of a read with one client.
#[derive(Clone, Copy)]
struct Took {
    micros: f64,
    cpu_micros: f64,
    allocations: f64,
    bytes: f64,
}

/// One line for each comparison, in Markdown: the processor time relative to handwritten code, and the allocations.
#[derive(Default)]
struct Summary {
    times: Vec<String>,
    allocations: Vec<String>,
}

impl std::fmt::Display for Summary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (what, lines) in
            [("processor time, relative to reqwest by hand", &self.times), ("allocations", &self.allocations)]
        {
            writeln!(f, "{what}:\n\n| vendor | connection | at once | {} |", WAYS.join(" | "))?;
            writeln!(f, "|---|---|---|{}", "---|".repeat(WAYS.len()))?;
            lines.iter().try_for_each(|line| writeln!(f, "{line}"))?;
            writeln!(f)?;
        }
        Ok(())
    }
}

async fn compare(
    vendor: Vendor,
    connection: Connection,
    at: &At,
    at_once: usize,
    summary: &mut Summary,
) -> Result<(), Failure> {
    let ways = Ways::new(vendor, connection, at, at_once)?;
    let mut rounds: Vec<[Took; WAYS.len()]> = Vec::new();
    for round in 0..=ROUNDS {
        let mut took = [None; WAYS.len()];
        // Change the order of the clients in each round.
        for way in (0..WAYS.len()).map(|turn| (turn + round) % WAYS.len()) {
            took[way] = Some(ways.turn(way, READS).await?);
        }
        // Ignore the first round, because the clients open their connections in it.
        if round > 0 {
            rounds.push(took.map(|took| took.unwrap_or_else(|| unreachable!("each client should have had its turn"))));
        }
    }
    let of = |way: usize, value: fn(&Took) -> f64| Spread::of(rounds.iter().map(|round| value(&round[way])));
    let ratio = |way: usize, value: fn(&Took) -> f64| {
        Spread::of(rounds.iter().map(|round| value(&round[way]) / value(&round[BY_HAND])))
    };
    println!("\n{vendor:?}, {connection:?}, {at_once} at once, {ROUNDS} rounds of {READS} reads with each client");
    println!(
        "{:17} {:>8} {:26} {:>8} {:26} {:>11} {:>6}",
        "", "µs", "to reqwest", "CPU µs", "to reqwest", "allocations", "bytes"
    );
    for (way, name) in WAYS.iter().enumerate() {
        println!(
            "{name:17} {:8.1} {:26} {:8.1} {:26} {:11.1} {:6.0}",
            of(way, |took| took.micros).median,
            ratio(way, |took| took.micros),
            of(way, |took| took.cpu_micros).median,
            ratio(way, |took| took.cpu_micros),
            of(way, |took| took.allocations).median,
            of(way, |took| took.bytes).median,
        );
    }
    let line = |cell: &dyn Fn(usize) -> String| {
        let cells: Vec<String> = (0..WAYS.len()).map(cell).collect();
        format!("| {vendor:?} | {connection:?} | {at_once} | {} |", cells.join(" | "))
    };
    summary.times.push(line(&|way| ratio(way, |took| took.cpu_micros).to_string()));
    summary.allocations.push(line(&|way| format!("{:.0}", of(way, |took| took.allocations).median)));
    Ok(())
}

fn active(active: bool) -> Result<(), Failure> {
    if active { Ok(()) } else { Err("the mandate is not active".into()) }
}

struct Facade<'a>(&'a Ways);

impl Reader for Facade<'_> {
    async fn read(&self) -> Result<(), Failure> {
        active(self.0.facade.status(&self.0.reference).await?.status == MandateStatus::Active)
    }
}

impl Reader for safedebit::Client {
    async fn read(&self) -> Result<(), Failure> {
        let found = self.search_mandate().umr(Vendor::ID).send().await?.datas;
        let mandate = found.first().filter(|mandate| mandate.umr.as_str() == Vendor::ID);
        active(mandate.ok_or("no mandate")?.status == safedebit::types::MandateStatus::Active)
    }
}

impl Reader for easytransac::Client {
    async fn read(&self) -> Result<(), Failure> {
        let mandate = self.get_mandate_status().mandate_id(Vendor::ID).send().await?.data;
        let own = mandate.mandate_id.as_str() == Vendor::ID;
        active(own && mandate.status == easytransac::types::MandateStatus::Active)
    }
}

/// Handwritten code that uses reqwest and serde, without this crate.
struct ByReqwest {
    vendor: Vendor,
    http: reqwest::Client,
    base_url: Url,
    authorization: HeaderValue,
}

impl Reader for ByReqwest {
    async fn read(&self) -> Result<(), Failure> {
        let mut url = self.base_url.clone();
        match self.vendor {
            Vendor::SafeDebit => {
                url.set_path("search_mandate");
                url.query_pairs_mut().append_pair("umr", Vendor::ID);
            }
            Vendor::Easytransac => {
                let mut path = url.path_segments_mut().map_err(|()| "no base URL")?;
                path.clear().extend(["sdd", "mandate", Vendor::ID, "status"]);
            }
        }
        let request = self.http.get(url).header(AUTHORIZATION, self.authorization.clone());
        let request = request.header(ACCEPT, HeaderValue::from_static("application/json"));
        let body = request.send().await?.error_for_status()?.bytes().await?;
        active(matches!(self.vendor.read(&body)?.as_str(), "1" | "active"))
    }
}

/// Handwritten code that uses hyper instead of reqwest.
struct ByHyper {
    vendor: Vendor,
    http: HyperClient<HttpsConnector<HttpConnector>, Empty<Bytes>>,
    base_url: String,
    authorization: HeaderValue,
}

impl Reader for ByHyper {
    async fn read(&self) -> Result<(), Failure> {
        let id = percent_encoding::utf8_percent_encode(Vendor::ID, percent_encoding::NON_ALPHANUMERIC);
        let url = match self.vendor {
            Vendor::SafeDebit => format!("{}/search_mandate?umr={id}", self.base_url),
            Vendor::Easytransac => format!("{}/sdd/mandate/{id}/status", self.base_url),
        };
        let request = hyper::Request::get(url).header(AUTHORIZATION, self.authorization.clone());
        let request = request.header(ACCEPT, HeaderValue::from_static("application/json")).body(Empty::new())?;
        let answer = async {
            let answer = self.http.request(request).await?;
            if !answer.status().is_success() {
                return Err("it failed".into());
            }
            Ok::<_, Failure>(answer.into_body().collect().await?.to_bytes())
        };
        let body = timeout(TIMEOUT, answer).await??;
        active(matches!(self.vendor.read(&body)?.as_str(), "1" | "active"))
    }
}
