//! Whatever a vendor answers over HTTP, `Mandates` says what it is, or an error says why not and shows nothing of it.
//!
//! The first line is the vendor's initial, the HTTP status and what stands in `Retry-After`; then comes the body, and
//! after a NUL that of Seqino's client.

use crate::again::again;
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

/// A facade to a server that answers what was put in last.
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
        // Whatever else it says, and however often it says it.
        let yes = |flag: &str| {
            let yes = match serde_json::from_slice::<BTreeMap<String, Box<RawValue>>>(&body) {
                Ok(body) => body[flag].get() == "true",
                // Something else in it is damaged.
                Err(_) => {
                    let text: String =
                        body.iter().filter(|byte| byte.is_ascii_graphic()).map(|b| char::from(*b)).collect();
                    text.contains(&format!(r#""{flag}":true"#))
                }
            };
            assert!(status.is_success() && yes, "a refusal was read as success");
        };
        *current.lock().expect("nobody panics with it") = answer;
        match runtime.block_on(mandates.status(&reference)) {
            Ok(mandate) => {
                assert_eq!((&mandate.reference, mandate.source), (&reference, Source::Read));
                match reference.provider() {
                    Provider::Easytransac => yes("success"),
                    Provider::SafeDebit => yes("result"),
                    _ => assert!(status.is_success()),
                }
                again::<Mandate>(&serde_json::to_vec(&mandate).expect("it is written")).expect("it is read");
            }
            Err(error) => shows_nothing(&error),
        }
        if let (Provider::SafeDebit, Ok(client)) = (reference.provider(), mandates.safedebit()) {
            let removal = client.revoque_mandate().body_map(|body| body.umr(reference.id()));
            let search = client.search_mandate().umr(reference.id());
            for result in [runtime.block_on(removal.send()).map(drop), runtime.block_on(search.send()).map(drop)] {
                match result {
                    Ok(()) => yes("result"),
                    Err(error) => shows_nothing(&error),
                }
            }
        }
        match runtime.block_on(mandates.probe(&reference)) {
            Ok(probe) => assert!(!format!("{probe:?} {probe}").contains(IBAN)),
            Err(error) => shows_nothing(&error),
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
        status: StatusCode::from_u16(status.unwrap_or(200)).expect("it is one"),
        retry_after: head.next().unwrap_or_default().replace(|c: char| !matches!(c, ' '..='~'), ""),
        mandate: mandate.into(),
        client: bodies.next().unwrap_or(mandate).into(),
    };
    (reference, answer)
}

/// A trace id is shown as it came.
fn shows_nothing(error: &Error) {
    let shown = format!("{error:?} {error}").replace(error.trace_id().unwrap_or("no trace"), "");
    assert!(!shown.contains(IBAN), "{shown}");
}

impl World {
    fn new() -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let answer = Arc::new(Mutex::new(Answer::default()));
        let shared = answer.clone();
        let answers = async move |uri: Uri| shared.lock().expect("nobody panics with it").clone().to(&uri);
        runtime.spawn(async { axum::serve(listener, Router::new().fallback(answers)).await });
        let settings = Settings { attempts: 1, ..Settings::default() };
        let mandates = Mandates::builder()
            .easytransac(easytransac::Config::new(&url, KEY).settings(settings.clone()))
            .safedebit(safedebit::Config::new(&url, "login", "password").settings(settings.clone()))
            .seqino(seqino::Config::new(&url, "key").settings(settings))
            .build();
        Self { runtime, answer, mandates: mandates.expect("it is configured") }
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
