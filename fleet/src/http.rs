//! Health, readiness and metrics of a worker on HTTP, and requests to read a mandate at once.

use crate::{
    Failure,
    database::{Database, told},
    metrics::Metrics,
};
use axum::{
    Json, Router,
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    response::IntoResponse,
    routing::{get, post},
};
use mandat::MandateRef;
use serde::Deserialize;
use std::time::Duration;
use tokio::{net::TcpListener, sync::watch, time::timeout};

#[derive(Clone)]
struct Shared {
    database: Database,
    metrics: Metrics,
    ready: watch::Receiver<bool>,
}

/// Serves until `stopping` becomes true:
///
/// | request | response |
/// |---|---|
/// | `GET /health` | 200 while the process runs |
/// | `GET /ready` | 200 while the worker takes jobs and the database responds, else 503 |
/// | `GET /metrics` | the metrics in the text format of Prometheus |
/// | `POST /ask` with `{"account": "main", "reference": "safedebit:RUM-1"}` | 202: the mandate is due now. 404: the mandate is unknown |
///
/// The requests need no credentials. Let only your own machines reach the address.
///
/// # Errors
/// If the listener fails.
pub async fn serve(
    listener: TcpListener,
    database: Database,
    metrics: Metrics,
    ready: watch::Receiver<bool>,
    mut stopping: watch::Receiver<bool>,
) -> Result<(), Failure> {
    let router = Router::new()
        .route("/health", get(|| async { "alive\n" }))
        .route("/ready", get(ready_now))
        .route("/metrics", get(measured))
        .route("/ask", post(ask))
        .with_state(Shared { database, metrics, ready });
    let stop = async move { _ = stopping.wait_for(|stopping| *stopping).await };
    Ok(axum::serve(listener, router).with_graceful_shutdown(stop).await?)
}

async fn ready_now(State(shared): State<Shared>) -> (StatusCode, &'static str) {
    if !*shared.ready.borrow() {
        return (StatusCode::SERVICE_UNAVAILABLE, "the worker takes no jobs\n");
    }
    let responds =
        async { shared.database.connection().await?.query_one("SELECT 1", &[]).await.map_err(Failure::from) };
    match timeout(Duration::from_secs(2), responds).await {
        Ok(Ok(_)) => (StatusCode::OK, "ready\n"),
        _ => (StatusCode::SERVICE_UNAVAILABLE, "the database does not respond\n"),
    }
}

async fn measured(State(shared): State<Shared>) -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], shared.metrics.text())
}

#[derive(Deserialize)]
struct Ask {
    account: String,
    reference: MandateRef,
}

async fn ask(State(shared): State<Shared>, Json(Ask { account, reference }): Json<Ask>) -> (StatusCode, &'static str) {
    match shared.database.ask(&account, &reference).await {
        Ok(true) => (StatusCode::ACCEPTED, "the mandate is due now\n"),
        Ok(false) => (StatusCode::NOT_FOUND, "the account has no such mandate. Import the mandate first\n"),
        Err(error) => {
            tracing::warn!(error = told(&*error), "a request to read a mandate was not stored");
            (StatusCode::SERVICE_UNAVAILABLE, "the request was not stored. Send it again\n")
        }
    }
}
