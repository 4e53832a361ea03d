//! Receives the callbacks of the three vendors on one axum server. The server verifies each callback, responds at once,
//! and then reads the mandate.
//!
//! Run the example with `cargo run --example webhooks`. The example needs no account and no network: the sandbox
//! simulates the vendors on loopback, and the program sends their callbacks to itself.

use axum::{
    Router,
    body::Bytes,
    extract::{RawQuery, State},
    http::{HeaderMap, StatusCode},
    routing::{get, post},
};
use mandat::{
    MandateRef, Mandates, WebhookError, WebhookEvent, easytransac,
    safedebit::SignatureReturn,
    sandbox::Sandbox,
    seqino::{self, Encoding},
};
use serde_json::{Map, json};
use std::{
    collections::HashSet,
    error::Error,
    io::Write,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::mpsc;

/// The API key of the application. Easytransac signs its notifications with this key.
const KEY: &str = "et_test_abcabcabc12-abcabc12-abcabc12-abcabc12-abcabc12-abcabc12";
/// The name of the header with Seqino's signature. Seqino documents neither this header nor the fields in the `data` of
/// an event. The first event that you receive shows both.
const SEQINO_SIGNATURE: &str = "x-example-signature";
const SEQINO_MANDATE: [&str; 2] = ["/data/client_id", "/data/mandate_id"];

struct App {
    seqino_secret: String,
    /// The ids of received events. In your own program, use your database instead of this set, and your job queue
    /// instead of the queue below.
    seen: Mutex<HashSet<String>>,
    to_read: mpsc::Sender<MandateRef>,
}

impl App {
    /// Puts the mandate of an event into the queue, once for each event. Returns the status of the response.
    fn take(
        &self,
        event: Result<WebhookEvent, WebhookError>,
        mandate: impl Fn(&WebhookEvent) -> Option<MandateRef>,
    ) -> StatusCode {
        let event = match event {
            Ok(event) => event,
            Err(e) => return StatusCode::from_u16(e.http_status()).unwrap_or(StatusCode::BAD_REQUEST),
        };
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if event.id.as_ref().is_some_and(|id| seen.contains(id)) {
            return StatusCode::NO_CONTENT;
        }
        if let Some(mandate) = mandate(&event)
            && self.to_read.try_send(mandate).is_err()
        {
            // The queue is full. Refuse the event, so that the vendor may deliver the event again.
            return StatusCode::SERVICE_UNAVAILABLE;
        }
        seen.extend(event.id);
        StatusCode::NO_CONTENT
    }
}

async fn from_easytransac(State(app): State<Arc<App>>, body: Bytes) -> StatusCode {
    app.take(easytransac::verify_notification(&body, &[KEY]), |event| {
        // A notification of Easytransac contains the id of your order. Your database knows the mandate of this order.
        (event.text_at("/OrderId")? == "order-72").then(|| MandateRef::easytransac("abcabcabcabcabcabc12"))
    })
}

async fn from_seqino(State(app): State<Arc<App>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let event = seqino::verify_request(&body, &headers, SEQINO_SIGNATURE, &[&app.seqino_secret]);
    app.take(event, |event| event.mandate_at(&SEQINO_MANDATE))
}

/// Handles the address `url_ok`, which a browser requests. The parameters prove nothing, because anybody can set them.
async fn back_from_safedebit(State(app): State<Arc<App>>, RawQuery(query): RawQuery) -> &'static str {
    let hint = SignatureReturn::parse(query.unwrap_or_default().as_bytes()).ok().and_then(|back| back.hint("umr"));
    if let Some(mandate) = hint {
        // Anybody can request this address. If the queue is full, drop the hint, because the next regular run reads the
        // mandate anyway.
        drop(app.to_read.try_send(mandate));
    }
    "Thank you. We are checking your mandate."
}

/// Reads each mandate in the queue from its vendor. Act only on these readings. In your own program, run this function
/// in a separate task.
async fn work(
    mandates: &Mandates,
    mut to_read: mpsc::Receiver<MandateRef>,
    out: &mut impl Write,
) -> Result<(), Box<dyn Error>> {
    while let Some(reference) = to_read.recv().await {
        match mandates.status(&reference).await {
            Ok(mandate) => writeln!(out, "read {:<40} {} ({})", reference.to_string(), mandate.status, mandate.raw)?,
            // Continue after a failed reading, because a hint may be wrong or a vendor may be down.
            Err(error) => writeln!(out, "not read: {error}")?,
        }
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    run(&Sandbox::start().await?, &mut std::io::stdout()).await
}

pub async fn run(sandbox: &Sandbox, out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let mandates = sandbox.mandates();
    let webhook = mandates.seqino()?.create_webhook().body_map(|body| body.url("https://example.com/seqino"));
    let seqino_secret = webhook.send().await?.secret.as_str().to_owned();

    let (to_read, queue) = mpsc::channel(1000);
    let app = Arc::new(App { seqino_secret: seqino_secret.clone(), seen: Mutex::default(), to_read });
    let router = Router::new()
        .route("/easytransac", post(from_easytransac))
        .route("/seqino", post(from_seqino))
        .route("/safedebit/ok", get(back_from_safedebit).post(back_from_safedebit))
        .with_state(app);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let here = format!("http://{}", listener.local_addr()?);
    let server = tokio::spawn(async move { axum::serve(listener, router).await });
    let http = reqwest::Client::new();

    // Send the callbacks that the vendors would send.
    let paid = Map::from_iter([
        ("Tid".to_owned(), json!("ABC1-ABC1-ABC1")),
        ("Status".to_owned(), json!("captured")),
        ("OrderId".to_owned(), json!("order-72")),
    ]);
    let notification = easytransac::sign_notification(paid, KEY)?;
    for (what, body) in [
        ("a notification of Easytransac", notification.clone()),
        ("a duplicate of the notification", notification.clone()),
        ("a notification with a forged order", notification.replace("order-72", "order-73")),
    ] {
        let answer = http.post(format!("{here}/easytransac")).body(body).send().await?;
        writeln!(out, "{what:<45} {}", answer.status())?;
    }
    let data = json!({"client_id": Sandbox::CLIENT, "mandate_id": "mdt_abc123"});
    let event =
        json!({"event_id": "evt_1", "event_type": "mandate.activated", "timestamp": sandbox.now(), "data": data});
    let event = event.to_string();
    let signature = seqino::sign_webhook(event.as_bytes(), Encoding::Hex, &seqino_secret)?;
    let answer = http.post(format!("{here}/seqino")).header(SEQINO_SIGNATURE, signature).body(event).send().await?;
    writeln!(out, "{:<45} {}", "an event of Seqino", answer.status())?;
    let answer = http.get(format!("{here}/safedebit/ok?umr={}", Sandbox::CONSUMER)).send().await?;
    writeln!(out, "{:<45} {}\n", "a browser that comes back from SafeDebit", answer.status())?;

    // Stop the server, so that its end of the queue closes. The function `work` then ends after the last reading.
    server.abort();
    let _ = server.await;
    drop(http);
    work(&mandates, queue, out).await
}
