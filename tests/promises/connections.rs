//! A server may close an idle connection: each reading still succeeds, and the outcome of each write is known. The
//! client accepts a response only for its own request.
#![cfg(all(feature = "easytransac", feature = "safedebit", feature = "seqino"))]

use crate::support::{facade, test_settings};
use mandat::{ErrorKind, MandateRef, Mandates, seqino};
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::Barrier,
};

/// The ways in which the test server reacts to a request.
#[derive(Clone)]
enum Do {
    Answer(String),
    /// Sends the response, waits, and then sends a second response that no request asked for.
    More(String, Duration, String),
    /// Waits until the client has given up, and then sends the response.
    Late(Duration, String),
    Close,
    Reset,
}

/// A test server that keeps each connection open until the function `act` tells it to close the connection.
struct Kept {
    url: String,
    /// The number of the connection on which each request arrived, and the text of the request.
    log: Arc<Mutex<Vec<(usize, String)>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Kept {
    /// Starts the server. For each request, the server calls `act` with the number of earlier requests on the
    /// connection and with the text of the request.
    async fn start<F: Future<Output = Do> + Send>(act: impl Fn(usize, String) -> F + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let log = Arc::new(Mutex::new(Vec::new()));
        let (requests, act) = (log.clone(), Arc::new(act));
        let task = tokio::spawn(async move {
            for number in 0.. {
                let Ok((stream, _)) = listener.accept().await else { return };
                let (log, act) = (requests.clone(), act.clone());
                tokio::spawn(async move { serve(stream, number, &log, &*act).await });
            }
        });
        Self { url, log, task }
    }

    fn requests(&self) -> Vec<(usize, String)> {
        self.log.lock().unwrap().clone()
    }

    /// Counts the requests on each connection.
    fn used(&self) -> BTreeMap<usize, usize> {
        let mut used = BTreeMap::new();
        self.requests().iter().for_each(|(connection, _)| *used.entry(*connection).or_default() += 1);
        used
    }
}

async fn serve<F: Future<Output = Do>>(
    mut stream: TcpStream,
    number: usize,
    log: &Mutex<Vec<(usize, String)>>,
    act: &(impl Fn(usize, String) -> F + Sync),
) {
    for before in 0.. {
        let Some(request) = request(&mut stream).await else { return };
        log.lock().unwrap().push((number, request.clone()));
        match act(before, request).await {
            Do::Answer(answer) => drop(stream.write_all(answer.as_bytes()).await),
            Do::More(answer, wait, more) if wait.is_zero() => {
                drop(stream.write_all(format!("{answer}{more}").as_bytes()).await);
            }
            Do::More(answer, wait, more) => {
                drop(stream.write_all(answer.as_bytes()).await);
                tokio::time::sleep(wait).await;
                drop(stream.write_all(more.as_bytes()).await);
            }
            Do::Late(wait, answer) => {
                tokio::time::sleep(wait).await;
                drop(stream.write_all(answer.as_bytes()).await);
            }
            Do::Close => return,
            Do::Reset => return drop(stream.set_zero_linger()),
        }
    }
}

async fn request(stream: &mut TcpStream) -> Option<String> {
    let (mut bytes, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
                return Some(text);
            }
        }
        match stream.read(&mut buffer).await {
            Ok(n) if n > 0 => bytes.extend_from_slice(&buffer[..n]),
            _ => return None,
        }
    }
}

/// Returns an HTTP response that keeps the connection open.
fn kept(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

/// Returns SafeDebit's response to a search or to the creation of a mandate.
fn safedebit(request: &str) -> String {
    if request.starts_with("GET /search_mandate") {
        let umr = request.split_once("umr=").unwrap().1.split(' ').next().unwrap();
        return kept(&format!(r#"{{"result":true,"datas":[{{"umr":"{umr}","status":"1"}}]}}"#));
    }
    let body: serde_json::Value = serde_json::from_str(request.split_once("\r\n\r\n").unwrap().1).unwrap();
    let umr = body["umr"].as_str().unwrap();
    match request.starts_with("POST /create_mandate") {
        true => kept(&format!(
            r#"{{"result":true,"umr":"{umr}","signature_url":"https://sign.example.com/{umr}","status":"1"}}"#
        )),
        false => kept(r#"{"result":true}"#),
    }
}

async fn create(mandates: &Mandates, umr: &str) -> Result<String, mandat::Error> {
    let create = mandates.safedebit().unwrap().create_mandate().body_map(|b| {
        b.safedebit_consumer_reference("XXXXXXXXXXXXX")
            .url_ok("https://example.com/ok")
            .url_ko("https://example.com/ko")
            .url_cancel("https://example.com/cancel")
            .umr(umr)
    });
    create.send().await.map(|answer| answer.umr.as_str().to_owned())
}

const MANY: usize = 64;

/// Reads `MANY` mandates at the same time. The server waits until all requests have arrived, so each request needs its
/// own connection.
async fn read_many(mandates: &Mandates) -> Vec<Result<(), mandat::Error>> {
    let reads = (0..MANY).map(|i| {
        let mandates = mandates.clone();
        tokio::spawn(async move { mandates.status(&MandateRef::safedebit(format!("RUM-{i}"))).await.map(drop) })
    });
    let mut all = Vec::new();
    for read in Vec::from_iter(reads) {
        all.push(read.await.unwrap());
    }
    all
}

/// Starts a server with `MANY` connections. Once the test sets the flag, the server reacts to the next request on each
/// connection with `close`.
async fn server_closing_idle_connections(close: Do) -> (Kept, Arc<AtomicBool>) {
    let (closed, all) = (Arc::new(AtomicBool::new(false)), Arc::new(Barrier::new(MANY)));
    let closing = closed.clone();
    let server = Kept::start(move |before, request| {
        let (close, closing, all) = (close.clone(), closing.clone(), all.clone());
        async move {
            let quiet = closing.load(Ordering::SeqCst);
            if quiet && before > 0 {
                return close;
            }
            if !quiet && before == 0 && request.starts_with("GET") {
                all.wait().await;
            }
            Do::Answer(safedebit(&request))
        }
    });
    (server.await, closed)
}

#[tokio::test]
async fn readings_succeed_although_the_server_closed_idle_connections() {
    for close in [Do::Close, Do::Reset] {
        let (server, closed) = server_closing_idle_connections(close).await;
        // The settings allow no retry, and no retry budget would cover 64 retries. So a success shows that a closed
        // connection counts as no attempt.
        let mandates = facade(&server.url, &test_settings().with_attempts(1));
        assert!(read_many(&mandates).await.iter().all(Result::is_ok));
        assert_eq!(server.used().len(), MANY);
        closed.store(true, Ordering::SeqCst);
        for (i, read) in read_many(&mandates).await.into_iter().enumerate() {
            assert!(read.is_ok(), "{i}: {}", read.unwrap_err());
        }
        let stale = server.used().values().filter(|requests| **requests > 1).count();
        assert!(stale > MANY / 2, "the client reused only {stale} of {MANY} connections that the server had closed");
    }
}

#[tokio::test]
async fn attempt_is_counted_if_the_server_closes_a_new_connection() {
    let first = AtomicBool::new(true);
    let server = Kept::start(move |_, request| {
        let well = first.swap(false, Ordering::SeqCst);
        async move { if well { Do::Answer(safedebit(&request)) } else { Do::Close } }
    });
    let server = server.await;
    let mandates = facade(&server.url, &test_settings());
    mandates.status(&MandateRef::safedebit("RUM-1")).await.unwrap();
    let error = mandates.status(&MandateRef::safedebit("RUM-1")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport);
    // The server gets one successful request, one request on the same connection, which the server closes, and three
    // attempts on new connections.
    assert_eq!(server.requests().len(), 1 + 1 + 3);
}

#[tokio::test]
async fn outcome_of_a_write_after_idle_time_is_known() {
    for close in [Do::Close, Do::Reset] {
        let (server, closed) = server_closing_idle_connections(close).await;
        let mandates = facade(&server.url, &test_settings());
        assert!(read_many(&mandates).await.iter().all(Result::is_ok));
        create(&mandates, "RUM-0").await.unwrap();
        closed.store(true, Ordering::SeqCst);
        assert_eq!(create(&mandates, "RUM-1").await.unwrap(), "RUM-1");
        mandates.safedebit().unwrap().revoque_mandate().body_map(|b| b.umr("RUM-1")).send().await.unwrap();
        assert_eq!(server.requests().iter().filter(|(_, request)| request.starts_with("POST")).count(), 3);
    }
}

#[tokio::test]
async fn each_write_is_sent_on_a_new_connection() {
    let server = Kept::start(|_, request| async move { Do::Answer(safedebit(&request)) }).await;
    let mandates = facade(&server.url, &test_settings());
    for i in 0..10 {
        mandates.status(&MandateRef::safedebit("RUM-1")).await.unwrap();
        create(&mandates, &format!("RUM-{i}")).await.unwrap();
        mandates.safedebit().unwrap().revoque_mandate().body_map(|b| b.umr("RUM-1")).send().await.unwrap();
    }
    let used = server.used();
    for (connection, request) in server.requests().iter().filter(|(_, request)| request.starts_with("POST")) {
        assert_eq!(used[connection], 1, "{request}");
    }
    // All reads use the same connection.
    assert_eq!(used.len(), 1 + 20);
}

#[tokio::test]
async fn client_closes_idle_connections_after_the_idle_timeout() {
    let server = Kept::start(|_, request| async move { Do::Answer(safedebit(&request)) }).await;
    for (idle_timeout, connections) in
        [(Duration::from_secs(60), 1), (Duration::from_millis(1), 3), (Duration::ZERO, 3)]
    {
        let before = server.used().len();
        let mandates = facade(&server.url, &test_settings().with_idle_timeout(idle_timeout));
        for _ in 0..3 {
            mandates.status(&MandateRef::safedebit("RUM-1")).await.unwrap();
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert_eq!(server.used().len() - before, connections, "{idle_timeout:?}");
    }
}

#[tokio::test]
async fn client_with_a_custom_http_client_handles_closed_connections() {
    let server =
        Kept::start(
            |before, request| async move { if before > 0 { Do::Close } else { Do::Answer(safedebit(&request)) } },
        );
    let server = server.await;
    let config = mandat::safedebit::Config::new(&server.url, "login", "p4ssw0rd");
    let config = config.settings(test_settings()).http_client(reqwest::Client::builder());
    let mandates = Mandates::builder().safedebit(config).build().unwrap();
    for i in 0..5 {
        mandates.status(&MandateRef::safedebit("RUM-1")).await.unwrap();
        create(&mandates, &format!("RUM-{i}")).await.unwrap();
    }
    assert_eq!((server.requests().len(), server.used().len()), (10, 10));
}

/// A new connection that breaks is no idle connection that the vendor closed, so the read counts as an attempt.
#[tokio::test]
async fn read_on_a_new_connection_is_sent_no_more_often_than_the_attempts_allow() {
    for own in [false, true] {
        let server = Kept::start(|_, _| async { Do::Close }).await;
        let config = mandat::safedebit::Config::new(&server.url, "login", "p4ssw0rd");
        let config = config.settings(test_settings().with_attempts(1));
        let config = if own { config.http_client(reqwest::Client::builder()) } else { config };
        let mandates = Mandates::builder().safedebit(config).build().unwrap();
        mandates.status(&MandateRef::safedebit("RUM-1")).await.unwrap_err();
        assert_eq!(server.requests().len(), 1, "own client: {own}");
    }
}

/// The client must not take the second response to one request for the response to the next request.
#[tokio::test]
async fn late_second_response_is_not_taken_for_the_next_write() {
    for wait in [0, 1, 5] {
        let server = Kept::start(move |_, request| async move {
            let answer = safedebit(&request);
            Do::More(answer.clone(), Duration::from_millis(wait), answer)
        });
        let server = server.await;
        let mandates = facade(&server.url, &test_settings());
        for i in 0..100 {
            let umr = format!("RUM-{i}");
            assert_eq!(create(&mandates, &umr).await.unwrap(), umr, "{wait} ms");
            let reading = mandates.status(&MandateRef::safedebit(&umr)).await;
            // A read compares the reference in the response with the requested one, so a response to another request is
            // an error.
            assert!(reading.is_ok() || reading.as_ref().is_err_and(|e| e.kind() == ErrorKind::Decode), "{reading:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn connection_with_surplus_bytes_is_not_reused() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = asked.clone();
    // Each list has a different length, so the length shows to which request the list belongs.
    let server = Kept::start(move |_, _| {
        let number = counter.fetch_add(1, Ordering::SeqCst);
        let client = include_str!("fixtures/seqino-client.json");
        let list = move |items: usize| kept(&format!("[{}]", vec![client; items].join(",")));
        async move { Do::More(list(number), Duration::ZERO, list(0)) }
    });
    let server = server.await;
    let mandates = facade(&server.url, &test_settings());
    for number in 0..200 {
        let list = mandates.seqino().unwrap().list_clients().send().await.unwrap();
        assert_eq!(list.len(), number);
    }
    assert_eq!(server.used().len(), 200);
}

#[tokio::test]
async fn late_response_is_not_taken_for_the_next_request() {
    let asked = AtomicUsize::new(0);
    let server = Kept::start(move |_, _| {
        let number = asked.fetch_add(1, Ordering::SeqCst);
        let client = include_str!("fixtures/seqino-client.json");
        async move {
            match number {
                0 => Do::Answer(kept("[]")),
                1 => Do::Late(Duration::from_millis(300), kept(&format!("[{client}]"))),
                _ => Do::Answer(kept(&format!("[{client},{client}]"))),
            }
        }
    });
    let server = server.await;
    let settings = test_settings().with_attempt_timeout(Duration::from_millis(100)).with_attempts(1);
    let config = seqino::Config::new(&server.url, "s3cret-k3y").settings(settings);
    let mandates = Mandates::builder().seqino(config).build().unwrap();
    let list = || mandates.seqino().unwrap().list_clients().send();
    assert_eq!(list().await.unwrap().len(), 0);
    assert_eq!(list().await.unwrap_err().kind(), ErrorKind::Timeout);
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert_eq!(list().await.unwrap().len(), 2);
    let connections: Vec<_> = server.requests().into_iter().map(|(connection, _)| connection).collect();
    assert_eq!(connections, [0, 0, 1]);
}
