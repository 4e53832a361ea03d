//! A test server whose responses each test scripts, and helper functions that several tests share.
#![allow(dead_code, reason = "some sets of features leave helpers unused")]

use chrono::{DateTime, NaiveDate, TimeZone, Utc};
use mandat::{Facts, LastCollection, Mandates, Settings};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// The sample IBAN in the documentation of a vendor.
pub const IBAN: &str = "FR7630001007941234567890185";
/// The sample API key from Easytransac's documentation.
pub const KEY: &str = "et_test_abcabcabc12-abcabc12-abcabc12-abcabc12-abcabc12-abcabc12";

/// The ways in which the test server reacts to a request.
#[derive(Clone)]
pub enum Act {
    /// Sends these bytes and then closes the connection.
    Send(Vec<u8>),
    /// Sends the first bytes, waits, sends the rest, and then closes the connection.
    Drip(Vec<u8>, Duration, Vec<u8>),
    /// Sends these bytes and then resets the connection.
    Reset(Vec<u8>),
}

impl From<String> for Act {
    fn from(text: String) -> Self {
        Self::Send(text.into_bytes())
    }
}

/// An HTTP server on loopback that calls a function of the test for each request.
pub struct Server {
    address: String,
    requests: Arc<Mutex<Vec<String>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Server {
    /// Starts the server, which calls `answer` with the text of each request. `answer` returns the whole response, or
    /// another `Act`.
    pub async fn start<A: Into<Act>>(answer: impl Fn(&str) -> A + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (log, answer) = (requests.clone(), Arc::new(answer));
        let task = tokio::spawn(async move {
            loop {
                let Ok((stream, _)) = listener.accept().await else { return };
                let answer = answer.clone();
                tokio::spawn(serve(stream, log.clone(), move |request| answer(request).into()));
            }
        });
        Self { address, requests, task }
    }

    /// Starts a server that returns a token to Easytransac's token request, and passes every other request to `answer`.
    pub async fn with_token<A: Into<Act>>(answer: impl Fn(&str) -> A + Send + Sync + 'static) -> Self {
        let token_or = move |request: &str| match request.starts_with("POST /auth ") {
            true => token(300).into(),
            false => answer(request).into(),
        };
        Self::start::<Act>(token_or).await
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    /// Counts the received requests whose first line contains this text.
    pub fn count(&self, in_first_line: &str) -> usize {
        self.requests().iter().filter(|request| request.lines().next().unwrap_or("").contains(in_first_line)).count()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(mut stream: TcpStream, log: Arc<Mutex<Vec<String>>>, answer: impl Fn(&str) -> Act) {
    let mut bytes = Vec::new();
    let mut buffer = [0; 16 * 1024];
    let request = loop {
        match stream.read(&mut buffer).await {
            Ok(n) if n > 0 => bytes.extend_from_slice(&buffer[..n]),
            _ => return,
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        if body.len() >= length.and_then(|length| length.parse().ok()).unwrap_or(0) {
            break text;
        }
    };
    let act = answer(&request);
    log.lock().unwrap().push(request);
    match act {
        Act::Send(bytes) => drop(stream.write_all(&bytes).await),
        Act::Drip(first, pause, rest) => {
            drop(stream.write_all(&first).await);
            tokio::time::sleep(pause).await;
            drop(stream.write_all(&rest).await);
        }
        Act::Reset(first) => {
            if !first.is_empty() {
                drop(stream.write_all(&first).await);
                // Wait until the bytes are sent, because a reset discards bytes that are still in the buffer.
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            drop(stream.set_zero_linger());
            return;
        }
    }
    drop(stream.shutdown().await);
}

/// Returns settings with short waits between attempts.
pub fn test_settings() -> Settings {
    Settings::default()
        .with_connect_timeout(Duration::from_secs(1))
        // The timeout of an attempt is long, so that a busy machine causes no timeout. Tests of this timeout set their
        // own.
        .with_attempt_timeout(Duration::from_secs(20))
        .with_overall_timeout(Duration::from_secs(60))
        .with_max_answer(64 * 1024)
        .with_backoff(Duration::from_millis(1))
        .with_max_retry_after(Duration::from_secs(1))
}

/// Builds a facade that uses one address for every vendor of this build.
pub fn facade(url: &str, settings: &Settings) -> Mandates {
    let builder = Mandates::builder();
    #[cfg(feature = "easytransac")]
    let builder = builder.easytransac(mandat::easytransac::Config::new(url, KEY).settings(settings.clone()));
    #[cfg(feature = "safedebit")]
    let builder =
        builder.safedebit(mandat::safedebit::Config::new(url, "login", "p4ssw0rd").settings(settings.clone()));
    #[cfg(feature = "seqino")]
    let builder = builder.seqino(mandat::seqino::Config::new(url, "s3cret-k3y").settings(settings.clone()));
    let _ = (url, settings, KEY);
    builder.build().unwrap()
}

/// Returns an HTTP response with a JSON body.
pub fn json(status: u16, body: &str) -> String {
    http(status, "content-type: application/json\r\n", body)
}

/// Returns an HTTP response with a body and these headers. Each header ends with CRLF.
pub fn http(status: u16, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status} X\r\n{headers}connection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

pub fn token(expires_in: i64) -> String {
    token_called("ABCabc123.ABCabc123.ABCabc123", expires_in)
}

pub fn token_called(token: &str, expires_in: i64) -> String {
    let date = "2024-12-31T23:59:59+02:00";
    let data = format!(r#"{{"token":"{token}","expiresIn":{expires_in},"expiresDate":"{date}"}}"#);
    json(200, &format!(r#"{{"success":true,"date":"{date}","data":{data}}}"#))
}

/// The instant at which the tests compute verdicts.
pub fn noon() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 11, 20, 12, 0, 0).unwrap()
}

pub fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// Returns facts that allow a collection.
pub fn good_facts() -> Facts {
    Facts {
        signed_on: Some(day("2026-01-10")),
        signature_confirmed: Some(true),
        last_collection: LastCollection::Never,
        revoked_by_debtor: Some(false),
        one_off_used: Some(false),
        max_age: Duration::from_secs(3600),
        last_acknowledged: None,
    }
}

/// Compares the text with the snapshot of this name in `snapshots/`.
#[macro_export]
macro_rules! snapshot {
    ($name:expr, $text:expr) => {
        insta::with_settings!({prepend_module_to_snapshot => false, omit_expression => true}, {
            insta::assert_snapshot!($name, $text);
        })
    };
}
