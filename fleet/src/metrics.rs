//! The metrics of a process, in the text format of Prometheus. The units are in the names, as OpenTelemetry maps its
//! names to Prometheus.

use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
    },
    registry::Registry,
};
use std::{fmt, sync::Arc};
use tracing::{
    Subscriber,
    field::{Field, Visit},
    span,
};
use tracing_subscriber::{Layer, layer::Context, registry::LookupSpan};

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(crate) struct ByVendor {
    pub vendor: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(crate) struct ByAccount {
    pub account: String,
    pub vendor: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(crate) struct ByKind {
    pub account: String,
    pub vendor: String,
    pub kind: String,
}

/// The metrics of this process. Clones share the values.
#[derive(Clone)]
pub struct Metrics {
    registry: Arc<Registry>,
    calls: Family<ByVendor, Counter>,
    call_wait: Family<ByVendor, Histogram, fn() -> Histogram>,
    pub(crate) lateness: Family<ByAccount, Histogram, fn() -> Histogram>,
    pub(crate) changes: Family<ByKind, Counter>,
    pub(crate) unknown_words: Family<ByAccount, Counter>,
    pub(crate) failures: Family<ByKind, Counter>,
    pub(crate) due: Family<ByAccount, Gauge>,
    pub(crate) oldest_due: Family<ByAccount, Gauge>,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Metrics")
    }
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("mandat_fleet");
        // From 5 milliseconds to 80 seconds, and from a second to twelve days.
        let call_wait =
            Family::new_with_constructor((|| Histogram::new(exponential_buckets(0.005, 2.0, 15))) as fn() -> _);
        let lateness =
            Family::new_with_constructor((|| Histogram::new(exponential_buckets(1.0, 4.0, 11))) as fn() -> _);
        let calls = Family::default();
        let (changes, unknown_words, failures) = (Family::default(), Family::default(), Family::default());
        let (due, oldest_due) = (Family::<ByAccount, Gauge>::default(), Family::<ByAccount, Gauge>::default());
        registry.register("calls", "Requests to the vendors, with retries", calls.clone());
        registry.register("call_wait_seconds", "Time of a call with its waits and retries", call_wait.clone());
        registry.register(
            "lateness_seconds",
            "Time from the planned to the real reading of a mandate",
            lateness.clone(),
        );
        registry.register("changes", "Changes stored in the outbox, by class", changes.clone());
        registry.register("unknown_words", "Readings with a word that has no status", unknown_words.clone());
        registry.register("failures", "Failed readings, by kind of error", failures.clone());
        registry.register("due", "Mandates that are due now, up to 10,000 of an account", due.clone());
        registry.register("oldest_due_seconds", "Time since the oldest due mandate was due", oldest_due.clone());
        let registry = Arc::new(registry);
        Self { registry, calls, call_wait, lateness, changes, unknown_words, failures, due, oldest_due }
    }
}

impl Metrics {
    /// The metrics as text, for `GET /metrics`.
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = encode(&mut text, &self.registry);
        text
    }

    /// A layer for `tracing` that counts the calls of mandat by its spans.
    pub fn layer<S: Subscriber + for<'a> LookupSpan<'a>>(&self) -> impl Layer<S> + use<S> {
        Calls(self.clone())
    }
}

/// Counts the spans `call` of mandat. A span carries no URL, header or body.
struct Calls(Metrics);

#[derive(Default)]
struct Call {
    vendor: Option<String>,
    resent: u64,
    milliseconds: Option<u64>,
}

impl Visit for Call {
    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "mandat.provider" {
            self.vendor = Some(value.to_owned());
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        match field.name() {
            "http.request.resend_count" => self.resent = value,
            "mandat.duration_ms" => self.milliseconds = Some(value),
            _ => {}
        }
    }
}

fn is_call(metadata: &tracing::Metadata<'_>) -> bool {
    metadata.target() == "mandat" && metadata.name() == "call"
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Calls {
    fn on_new_span(&self, attributes: &span::Attributes<'_>, id: &span::Id, context: Context<'_, S>) {
        if let Some(span) = context.span(id).filter(|_| is_call(attributes.metadata())) {
            let mut call = Call::default();
            attributes.record(&mut call);
            span.extensions_mut().replace(call);
        }
    }

    fn on_record(&self, id: &span::Id, values: &span::Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(call) = span.extensions_mut().get_mut::<Call>()
        {
            values.record(call);
        }
    }

    fn on_close(&self, id: span::Id, context: Context<'_, S>) {
        let Some(call) = context.span(&id).and_then(|span| span.extensions_mut().remove::<Call>()) else { return };
        let Some(vendor) = call.vendor else { return };
        let labels = ByVendor { vendor };
        self.0.calls.get_or_create(&labels).inc_by(1 + call.resent);
        if let Some(milliseconds) = call.milliseconds {
            #[allow(clippy::cast_precision_loss, reason = "a duration below 285,000 years")]
            self.0.call_wait.get_or_create(&labels).observe(milliseconds as f64 / 1000.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracing_subscriber::layer::SubscriberExt;

    #[test]
    fn a_span_of_mandat_counts_its_attempts_and_its_time() {
        let metrics = Metrics::default();
        tracing::subscriber::with_default(tracing_subscriber::registry().with(metrics.layer()), || {
            let span = tracing::info_span!(
                target: "mandat", "call", mandat.provider = "seqino",
                http.request.resend_count = tracing::field::Empty, mandat.duration_ms = tracing::field::Empty
            );
            span.record("http.request.resend_count", 2_u32);
            span.record("mandat.duration_ms", 1500_u64);
            drop(span);
            drop(tracing::info_span!(target: "other", "call", mandat.provider = "seqino"));
        });
        let text = metrics.text();
        assert!(text.contains("mandat_fleet_calls_total{vendor=\"seqino\"} 3"), "{text}");
        assert!(text.contains("mandat_fleet_call_wait_seconds_sum{vendor=\"seqino\"} 1.5"), "{text}");
    }
}
