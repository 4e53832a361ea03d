//! One mandate, looked at again and again.

use crate::{
    facade::Mandates,
    mandate::{Changed, Lookup, Tracked},
    vocabulary::{Error, ErrorKind},
};
use futures_util::{
    StreamExt,
    stream::{self, BoxStream},
};
use std::time::Duration;

impl Mandates {
    /// Looks at a mandate as the [`Schedule`](crate::Schedule) of the builder says, and yields each change; the first
    /// reading, too, if nothing was known. It ends when there is nothing left to look for.
    ///
    /// A reading that fails is yielded as an error and tried again, later and later: drop the stream to give up. But a
    /// [refusal of the caller](Error::refuses_caller) ends the stream after the error. Any other watch of this vendor
    /// ends with [`NotAsked`](crate::ErrorKind::NotAsked) when it would look again, until
    /// [`status`](Mandates::status) has succeeded.
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
    pub fn watch(&self, mandate: impl Into<Tracked>) -> BoxStream<'static, Result<Changed, Error>> {
        let watch = Watch { mandates: self.clone(), tracked: mandate.into(), wait: Some(Duration::ZERO), failed: 0 };
        stream::unfold(watch, |mut watch| async move { watch.next().await.map(|change| (change, watch)) }).boxed()
    }
}

struct Watch {
    mandates: Mandates,
    tracked: Tracked,
    /// `None` if there is no need to look again.
    wait: Option<Duration>,
    failed: u32,
}

impl Watch {
    async fn next(&mut self) -> Option<Result<Changed, Error>> {
        loop {
            tokio::time::sleep(self.wait?).await;
            let schedule = self.mandates.schedule();
            let provider = self.tracked.reference.provider();
            let gate = self.mandates.gate(provider);
            let Some(turn) = gate.turn().await else {
                self.wait = None;
                return Some(Err(Error::not_asked(provider)));
            };
            let read = gate.pass(self.mandates.look(Lookup::from(&self.tracked))).await;
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
            let Tracked { known, facts, .. } = &mut self.tracked;
            let change = Changed::between(known.as_ref(), &mandate, facts.as_ref(), now);
            if let Some(change) = &change {
                *known = Some(change.to.clone());
            }
            let next = schedule.next_check(&mandate, known.as_ref(), now);
            self.wait = next.map(|next| (next - now).to_std().unwrap_or_default());
            if let Some(change) = change {
                return Some(Ok(change));
            }
        }
    }
}
