//! `Mandates` reads or refuses any HTTP response, and its errors show no part of the response.
//!
//! The first line of the fuzz input holds the initial of the vendor, the HTTP status and the header `Retry-After`. The
//! body of the response follows. After a NUL byte comes the body of the response about Seqino's client.

use crate::round_trip::round_trip;
use axum::{
    Router,
    http::{StatusCode, Uri, header::RETRY_AFTER},
    response::{IntoResponse, Response},
};
use mandat::{Error, Mandate, MandateRef, Mandates, Provider, Settings, Source, easytransac, safedebit, seqino};
use serde_json::value::RawValue;
use std::{
    cell::OnceCell,
    collections::BTreeMap,
    sync::{Arc, Mutex},
};
use tokio::{
    net::TcpListener,
    runtime::{Builder, Runtime},
};

const KEY: &str = "et_test_abcabcabc12-abcabc12-abcabc12-abcabc12-abcabc12-abcabc12";
const TOKEN: &str = r#"{"success": true, "date": "2024-12-31T23:59:59+02:00",
    "data": {"token": "t", "expiresIn": 86400, "expiresDate": "2024-12-31T23:59:59+02:00"}}"#;
const IBAN: &str = "FR7630001007941234567890185";

#[derive(Clone, Default)]
struct Answer {
    status: StatusCode,
    retry_after: String,
    mandate: Vec<u8>,
    client: Vec<u8>,
}

/// A facade that is connected to a test server. The server sends the response that the test set last.
struct World {
    runtime: Runtime,
    answer: Arc<Mutex<Answer>>,
    mandates: Mandates,
}

pub fn run(bytes: &[u8]) {
    thread_local! { static WORLD: OnceCell<World> = const { OnceCell::new() } }
    let (reference, answer) = read(bytes);
    WORLD.with(|world| {
        let World { runtime, answer: current, mandates } = world.get_or_init(World::new);
        let (status, body) = (answer.status, answer.mandate.clone());
        // Asserts that the vendor reported success, and that the body contains this flag as `true`, whatever else the
        // body contains.
        let yes = |flag: &str| {
            let yes = match serde_json::from_slice::<BTreeMap<String, Box<RawValue>>>(&body) {
                Ok(body) => body[flag].get() == "true",
                // The body is not valid JSON because another part is damaged, so search the text for the
                // flag.
                Err(_) => {
                    let text: String =
                        body.iter().filter(|byte| byte.is_ascii_graphic()).map(|b| char::from(*b)).collect();
                    text.contains(&format!(r#""{flag}":true"#))
                }
            };
            assert!(status.is_success() && yes, "the facade read a refusal by the vendor as a success");
        };
        *current.lock().expect("no holder of the lock panicked") = answer;
        match runtime.block_on(mandates.status(&reference)) {
            Ok(mandate) => {
                assert_eq!((&mandate.reference, mandate.source), (&reference, Source::Read));
                match reference.provider() {
                    Provider::Easytransac => yes("success"),
                    Provider::SafeDebit => yes("result"),
                    _ => assert!(status.is_success()),
                }
                round_trip::<Mandate>(&serde_json::to_vec(&mandate).expect("a mandate should be writable as JSON"))
                    .expect("a written mandate should be readable");
            }
            Err(error) => assert_shows_no_data(&error),
        }
        if let (Provider::SafeDebit, Ok(client)) = (reference.provider(), mandates.safedebit()) {
            let removal = client.revoque_mandate().body_map(|body| body.umr(reference.id()));
            let search = client.search_mandate().umr(reference.id());
            for result in [runtime.block_on(removal.send()).map(drop), runtime.block_on(search.send()).map(drop)] {
                match result {
                    Ok(()) => yes("result"),
                    Err(error) => assert_shows_no_data(&error),
                }
            }
        }
        match runtime.block_on(mandates.probe(&reference)) {
            Ok(probe) => assert!(!format!("{probe:?} {probe}").contains(IBAN)),
            Err(error) => assert_shows_no_data(&error),
        }
    });
}

fn read(bytes: &[u8]) -> (MandateRef, Answer) {
    let (head, body) = bytes.split_at(bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len()));
    let head = String::from_utf8_lossy(head);
    let mut head = head.splitn(3, ' ');
    let reference = match head.next() {
        Some("e") => MandateRef::easytransac("abcabcabcabcabcabc12"),
        Some("d") => MandateRef::safedebit("RUM-1"),
        _ => MandateRef::seqino("client_abc123", "mdt_abc123"),
    };
    let status = head.next().and_then(|status| status.parse().ok()).filter(|status| (200..600).contains(status));
    let mut bodies = body.splitn(2, |byte| *byte == 0);
    let mandate = bodies.next().unwrap_or_default();
    let answer = Answer {
        status: StatusCode::from_u16(status.unwrap_or(200)).expect("the HTTP status should be valid"),
        retry_after: head.next().unwrap_or_default().replace(|c: char| !matches!(c, ' '..='~'), ""),
        mandate: mandate.into(),
        client: bodies.next().unwrap_or(mandate).into(),
    };
    (reference, answer)
}

/// Asserts that an error shows no data of the response, except for the trace id: errors show the trace id as the vendor
/// sent it.
fn assert_shows_no_data(error: &Error) {
    let shown = format!("{error:?} {error}").replace(error.trace_id().unwrap_or("no trace"), "");
    assert!(!shown.contains(IBAN), "{shown}");
}

impl World {
    fn new() -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().expect("the runtime should start");
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a port should be free");
        let url = format!("http://{}", listener.local_addr().expect("the listener should have an address"));
        let answer = Arc::new(Mutex::new(Answer::default()));
        let shared = answer.clone();
        let answers = async move |uri: Uri| shared.lock().expect("no holder of the lock panicked").clone().to(&uri);
        runtime.spawn(async { axum::serve(listener, Router::new().fallback(answers)).await });
        let settings = Settings::default().with_attempts(1);
        let mandates = Mandates::builder()
            .easytransac(easytransac::Config::new(&url, KEY).settings(settings.clone()))
            .safedebit(safedebit::Config::new(&url, "login", "password").settings(settings.clone()))
            .seqino(seqino::Config::new(&url, "key").settings(settings))
            .build();
        Self { runtime, answer, mandates: mandates.expect("the facade should build") }
    }
}

impl Answer {
    fn to(self, uri: &Uri) -> Response {
        match uri.path() {
            "/auth" => TOKEN.into_response(),
            path => {
                let body = if path.starts_with("/clients/") { self.client } else { self.mandate };
                (self.status, [(RETRY_AFTER, self.retry_after)], body).into_response()
            }
        }
    }
}
