//! Opens one tracing span per call: level `INFO`, target `mandat`, name `call`. Without a subscriber the span is
//! disabled.
//!
//! The names of the span's fields follow OpenTelemetry where it defines a name. `docs/operations.md` lists the fields
//! for operators.
//!
//! Never record a URL, query, header or body in a span: they may contain credentials or personal data.

use super::OperationSpec;
use crate::vocabulary::{Error, Provider};
use reqwest::StatusCode;
use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Instant,
};
use tracing::{Instrument, Span, field::Empty};

pub(super) struct CallSpan {
    span: Span,
    began: Option<Instant>,
    attempts: AtomicU32,
}

impl CallSpan {
    pub fn new(provider: Provider, operation: &'static OperationSpec) -> Self {
        let span = tracing::info_span!(
            target: "mandat",
            "call",
            otel.kind = "client",
            otel.name = operation.id,
            mandat.provider = provider.as_str(),
            mandat.operation = operation.id,
            http.request.method = operation.method,
            url.template = operation.path,
            http.response.status_code = Empty,
            http.request.resend_count = Empty,
            mandat.duration_ms = Empty,
            mandat.vendor_trace_id = Empty,
            mandat.outcome = Empty,
            error.type = Empty,
            otel.status_code = Empty,
        );
        let began = (!span.is_disabled()).then(Instant::now);
        Self { span, began, attempts: AtomicU32::new(0) }
    }

    pub fn within<F: Future>(&self, call: F) -> impl Future<Output = F::Output> {
        call.instrument(self.span.clone())
    }

    /// Increments the number of attempts in the span.
    pub fn attempt(&self) {
        self.attempts.fetch_add(1, Ordering::Relaxed);
    }

    pub fn answered(&self, status: StatusCode) {
        self.span.record("http.response.status_code", status.as_u16());
    }

    pub fn ended(&self, error: Option<&Error>) {
        let (span, Some(began)) = (&self.span, self.began) else { return };
        span.record("mandat.duration_ms", u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX));
        span.record("http.request.resend_count", self.attempts.load(Ordering::Relaxed).saturating_sub(1));
        let Some(error) = error else { return };
        span.record("otel.status_code", "ERROR");
        span.record("error.type", error.kind().name());
        if let Some(status) = error.http_status() {
            span.record("http.response.status_code", status);
        }
        if let Some(outcome) = error.outcome() {
            span.record("mandat.outcome", tracing::field::debug(outcome));
        }
        if let Some(id) = error.trace_id() {
            span.record("mandat.vendor_trace_id", id);
        }
    }
}
