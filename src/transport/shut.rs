//! Stops the calls of a run when the vendor refuses the caller. A run is one pass over many mandates.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

tokio::task_local! {
    static SHUT: Arc<AtomicBool>;
}

/// Runs calls until the vendor refuses the caller, which sets `shut`. No call of the run is sent after that. Many calls
/// may be waiting, and each further refusal could contribute to a lock of the account.
pub(crate) fn unless_shut<F: Future>(shut: Arc<AtomicBool>, calls: F) -> impl Future<Output = F::Output> {
    SHUT.scope(shut, calls)
}

pub(super) fn is_shut() -> bool {
    SHUT.try_with(|shut| shut.load(Ordering::Acquire)).unwrap_or(false)
}

/// Sets the flag that stops the current run. Does nothing for a call outside of a run.
pub(super) fn shut() {
    let _ = SHUT.try_with(|shut| shut.store(true, Ordering::Release));
}
