//! Trace spans and events describe each call and show no personal data.

use crate::{
    support::{IBAN, Server, facade, json, test_settings},
    unknown_words::create_mandate_at_each_vendor,
};
use mandat::{MandateRef, sandbox::Sandbox};
use std::{
    cell::RefCell,
    io,
    sync::{Arc, Mutex, Once},
};
use tracing_subscriber::{
    filter::dynamic_filter_fn,
    fmt::{self, format::FmtSpan},
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

/// The text of all trace spans and events of a thread, at level TRACE.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<u8>>>);

thread_local! {
    /// The log of this thread. `tracing` remembers for the whole process which spans are enabled, so all tests share
    /// one subscriber.
    static LISTENER: RefCell<Option<Log>> = const { RefCell::new(None) };
}

impl Log {
    /// Starts to collect the spans and events of this thread in the returned log.
    pub fn listen() -> Self {
        static SUBSCRIBER: Once = Once::new();
        SUBSCRIBER.call_once(|| {
            let text = fmt::layer()
                .with_span_events(FmtSpan::CLOSE)
                .with_ansi(false)
                .without_time()
                .with_writer(|| LISTENER.with_borrow(Clone::clone).unwrap_or_default());
            // Most tests need no log, and formatting their spans and events would take long.
            let listens = dynamic_filter_fn(|_, _| LISTENER.with_borrow(Option::is_some));
            tracing_subscriber::registry().with(text).with(listens).init();
        });
        let log = Self::default();
        LISTENER.set(Some(log.clone()));
        log
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn number_of_logged_unknown_status_words_is_limited() {
    let log = Log::listen();
    let sandbox = Sandbox::start().await.unwrap();
    let mandates = sandbox.mandates();
    for reference in create_mandate_at_each_vendor(&sandbox, &mandates).await.into_iter().take(1) {
        for number in 0..300 {
            sandbox.answer(&reference, format!("word_{number}")).unwrap();
            mandates.status(&reference).await.unwrap();
        }
        let logged = log.text().lines().filter(|line| line.contains("unknown mandate status")).count();
        assert_eq!(logged, 256);
    }
}

#[tokio::test]
async fn each_unknown_status_word_is_logged_once_per_vendor() {
    let log = Log::listen();
    let sandbox = Sandbox::start().await.unwrap();
    let mandates = sandbox.mandates();
    let all = create_mandate_at_each_vendor(&sandbox, &mandates).await;
    for word in ["no_such_word", "nor_this", "no_such_word"] {
        for reference in &all {
            sandbox.answer(reference, word).unwrap();
            mandates.status(reference).await.unwrap();
            mandates.clone().status(reference).await.unwrap();
        }
    }
    let told =
        log.text().lines().filter(|line| line.contains("WARN") && line.contains("unknown mandate status")).count();
    assert_eq!(told, 2 * all.len());
    // A status that is not text can contain any data, so the log shows only the type of the value.
    for reference in &all {
        sandbox.answer(reference, serde_json::json!({"iban": IBAN})).unwrap();
        mandates.status(reference).await.unwrap();
    }
    let text = log.text();
    assert_eq!(text.matches("(an object)").count(), all.len());
    assert!(!text.contains(IBAN), "{text}");
}

#[tokio::test]
async fn status_word_that_may_be_personal_is_logged_only_by_its_length() {
    let sandbox = Sandbox::start().await.unwrap();
    let mandates = sandbox.mandates();
    for reference in create_mandate_at_each_vendor(&sandbox, &mandates).await {
        for word in [
            IBAN,
            "FR76 3000 1007 9412 3456 7890 185",
            "jeanne.dupond@example.com",
            "Jeanne Dupond",
            "DUPOND",
            "0601020304",
            "06-01-02-03-04",
            "eyJhbGciOiJIUzI1NiJ9.e30.c2ln",
            "https://sign.example.com/x",
            "line\n\u{1b}[31mforged",
        ] {
            let log = Log::listen();
            sandbox.answer(&reference, word).unwrap();
            mandates.status(&reference).await.unwrap();
            let text = log.text();
            let told: Vec<_> = text.lines().filter(|line| line.contains("unknown mandate status")).collect();
            assert_eq!(told.len(), 1, "{word:?}: {text}");
            assert!(told[0].contains(" characters, in `raw`)"), "{word:?}: {text}");
            assert!(!text.contains(word) && !text.contains('\u{1b}'), "{word:?}: {text}");
        }
    }
}

#[cfg(feature = "seqino")]
#[tokio::test]
async fn each_call_is_one_opentelemetry_span_without_personal_data() {
    const BOOK: &str = include_str!("../../docs/operations.md");
    let log = Log::listen();
    let calls = Mutex::new(0);
    let server = Server::start(move |_| {
        *calls.lock().unwrap() += 1;
        match *calls.lock().unwrap() {
            1 => json(503, ""),
            _ => json(404, r#"{"error":"not found","code":404,"trace_id":"trace-0042"}"#),
        }
    });
    let server = server.await;
    let client = facade(&server.url(), &test_settings());
    let client = client.seqino().unwrap();
    client.list_clients().external_ref("EXT-SECRET").send().await.unwrap_err();
    let text = log.text();
    let closed: Vec<&str> = text.lines().filter(|line| line.contains("call{") && line.contains("close")).collect();
    assert_eq!(closed.len(), 1, "{text}");
    for field in [
        "otel.kind=\"client\"",
        "otel.name=\"list_clients\"",
        "mandat.provider=\"seqino\"",
        "mandat.operation=\"list_clients\"",
        "http.request.method=\"GET\"",
        "url.template=\"/clients\"",
        "http.response.status_code=404",
        "http.request.resend_count=1",
        "mandat.vendor_trace_id=\"trace-0042\"",
        "error.type=\"NotFound\"",
        "otel.status_code=\"ERROR\"",
        "mandat.duration_ms=",
    ] {
        assert!(closed[0].contains(field), "{field} should be in {}", closed[0]);
        let (name, _) = field.split_once('=').unwrap();
        assert!(BOOK.contains(&format!("`{name}`")), "docs/operations.md should name {name}");
    }
    assert!(!text.contains("EXT-SECRET") && !text.contains("not found"), "{text}");
}

#[cfg(feature = "safedebit")]
#[tokio::test]
async fn call_that_sends_no_request_also_has_a_span() {
    // No server listens on port 1.
    let mandates = facade("http://127.0.0.1:1", &test_settings());
    let write = |umr: String| mandates.safedebit().unwrap().edit_mandate().body_map(|b| b.umr(umr).iban(IBAN)).send();
    let last_span = |log: &Log, told: &[&str]| {
        let text = log.text();
        let span = text.lines().rfind(|line| line.contains("call{") && line.contains("close")).unwrap();
        for field in [told, &["otel.status_code=\"ERROR\"", "mandat.duration_ms="]].concat() {
            assert!(span.contains(field), "{field} should be in {span}");
        }
        assert!(!text.contains("RRRR") && !text.contains(IBAN), "{text}");
        span.to_owned()
    };
    let log = Log::listen();
    mandates.status(&MandateRef::safedebit("R".repeat(99))).await.unwrap_err();
    let span = last_span(&log, &["mandat.operation=\"search_mandate\"", "error.type=\"InvalidRequest\""]);
    assert!(!span.contains("mandat.outcome"), "{span}");
    write("R".repeat(99)).await.unwrap_err();
    last_span(&log, &["error.type=\"InvalidRequest\"", "mandat.outcome=NotSent", "http.request.resend_count=0"]);
    write("R".repeat(9)).await.unwrap_err();
    last_span(&log, &["error.type=\"Transport\"", "mandat.outcome=NotSent", "http.request.resend_count=2"]);
}
