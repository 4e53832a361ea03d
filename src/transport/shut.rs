//! Stops the calls of a run when the vendor refuses the caller.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

tokio::task_local! {
    static SHUT: Arc<AtomicBool>;
}

/// Runs calls until a refusal of the caller sets `shut`. No call is sent after that: each one would count towards a lock
/// of the account, and many calls of a run wait for their turn.
pub(crate) fn unless_shut<F: Future>(shut: Arc<AtomicBool>, calls: F) -> impl Future<Output = F::Output> {
    SHUT.scope(shut, calls)
}

pub(super) fn is_shut() -> bool {
    SHUT.try_with(|shut| shut.load(Ordering::Acquire)).unwrap_or(false)
}

/// Sets the flag of the run. A call outside of a run has none.
pub(super) fn shut() {
    let _ = SHUT.try_with(|shut| shut.store(true, Ordering::Release));
}
