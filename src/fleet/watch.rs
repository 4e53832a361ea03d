//! A watch on one mandate: a stream that reads the mandate again and again, and yields its changes.

use crate::{
    facade::Mandates,
    mandate::{Lookup, MandateChange, StatusQuery},
    vocabulary::{Error, ErrorKind},
};
use futures_util::{
    StreamExt,
    stream::{self, BoxStream},
};
use std::time::Duration;

impl Mandates {
    /// Reads a mandate at the times of the builder's [`Schedule`](crate::Schedule) and yields each change. Without a
    /// stored state, the first reading also counts as a change. The stream ends when the schedule requires no further
    /// reading.
    ///
    /// If a reading fails, the stream yields the error and tries again, with growing waits. Drop the stream to stop the
    /// watch.
    ///
    /// If the vendor [refuses the caller](Error::refuses_caller), the stream yields that error and ends. Every other
    /// watch on a mandate of this vendor then ends at its next reading with [`NotAsked`](crate::ErrorKind::NotAsked).
    /// New watches end in the same way until a call of [`status`](Mandates::status) succeeds.
    ///
    /// ```no_run
    /// # async fn run(mandates: mandat::Mandates) -> Result<(), mandat::Error> {
    /// use futures_util::StreamExt;
    /// use mandat::MandateRef;
    ///
    /// let mut changes = mandates.watch(MandateRef::safedebit("RUM-2026-0042"));
    /// while let Some(change) = changes.next().await {
    ///     let change = change?;
    ///     println!("{} since {}", change.to.status, change.to.since);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn watch(&self, mandate: impl Into<StatusQuery>) -> BoxStream<'static, Result<MandateChange, Error>> {
        let watch = Watch { mandates: self.clone(), query: mandate.into(), wait: Some(Duration::ZERO), failed: 0 };
        stream::unfold(watch, |mut watch| async move { watch.next().await.map(|change| (change, watch)) }).boxed()
    }
}

struct Watch {
    mandates: Mandates,
    query: StatusQuery,
    /// The time until the next reading. `None` if no further reading is needed.
    wait: Option<Duration>,
    failed: u32,
}

impl Watch {
    async fn next(&mut self) -> Option<Result<MandateChange, Error>> {
        loop {
            tokio::time::sleep(self.wait?).await;
            let schedule = self.mandates.schedule();
            let provider = self.query.reference.provider();
            let gate = self.mandates.gate(provider);
            let Some(turn) = gate.turn().await else {
                self.wait = None;
                return Some(Err(Error::not_asked(provider)));
            };
            let read = gate.pass(self.mandates.look(Lookup::from(&self.query))).await;
            gate.hear(provider, &read);
            drop(turn);
            let mandate = match read {
                Ok(mandate) => mandate,
                Err(error) if error.refuses_caller() || error.kind() == ErrorKind::NotAsked => {
                    self.wait = None;
                    return Some(Err(error));
                }
                Err(error) => {
                    let wait = schedule.awaiting_signature.saturating_mul(1 << self.failed.min(16));
                    self.wait = Some(wait.min(schedule.longest.max(schedule.awaiting_signature)));
                    self.failed += 1;
                    return Some(Err(error));
                }
            };
            self.failed = 0;
            let now = self.mandates.now();
            let StatusQuery { stored, facts, .. } = &mut self.query;
            let change = MandateChange::between(stored.as_ref(), &mandate, facts.as_ref(), now);
            if let Some(change) = &change {
                *stored = Some(change.to.clone());
            }
            let next = schedule.next_check(&mandate, stored.as_ref(), now);
            self.wait = next.map(|next| (next - now).to_std().unwrap_or_default());
            if let Some(change) = change {
                return Some(Ok(change));
            }
        }
    }
}
