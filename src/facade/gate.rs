//! Stops the requests to a vendor that refuses the caller. Each request with a wrong password can bring a lock of the
//! account closer.

use crate::{
    transport::unless_shut,
    vocabulary::{Error, ErrorKind, Provider},
};
use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};
use tokio::sync::MutexGuard;

/// Lets requests to one vendor pass. Until the vendor has accepted the credentials, only one request runs at a time, so
/// that a wrong password is sent once.
#[derive(Default)]
pub(crate) struct Gate {
    state: Mutex<State>,
    alone: tokio::sync::Mutex<()>,
    /// The transport sets it at a refusal of the caller, earlier than the gate hears of that.
    shut: Arc<AtomicBool>,
}

#[derive(Clone, Copy, Default)]
enum State {
    #[default]
    Untried,
    Open,
    /// The number of doubtful refusals in a row: they may concern the caller or only the request.
    Doubtful(u8),
    Shut,
}

/// The gate shuts after this many doubtful refusals in a row. A firewall sends a refusal without a vendor code for a
/// blocked caller, and sometimes for one odd request.
const DOUBTS: u8 = 5;

/// The permission to send a request. Keep it until the gate has [heard](Gate::hear) the result.
pub(crate) struct Turn<'a> {
    _alone: Option<MutexGuard<'a, ()>>,
}

impl Gate {
    /// Waits for the permission to send a request. Returns `None` if the vendor has refused the caller.
    pub async fn turn(&self) -> Option<Turn<'_>> {
        let alone = match self.state() {
            State::Untried | State::Doubtful(_) => Some(self.alone.lock().await),
            State::Open | State::Shut => None,
        };
        match self.state() {
            State::Shut => None,
            State::Open => Some(Turn { _alone: None }),
            State::Untried | State::Doubtful(_) => Some(Turn { _alone: alone }),
        }
    }

    /// Makes requests. None is sent once the gate is shut.
    pub fn pass<F: Future>(&self, requests: F) -> impl Future<Output = F::Output> + use<F> {
        unless_shut(self.shut.clone(), requests)
    }

    /// Updates the gate with the result of a request.
    pub fn hear<T>(&self, provider: Provider, result: &Result<T, Error>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let next = match (*state, result) {
            // A request that was sent before the refusal proves nothing.
            (State::Shut, _) => return,
            (before, Err(error)) => match (error.kind(), before) {
                _ if error.refuses_caller() => State::Shut,
                (ErrorKind::Auth, State::Doubtful(times)) if error.vendor_code().is_none() => match times + 1 {
                    DOUBTS.. => State::Shut,
                    times => State::Doubtful(times),
                },
                (ErrorKind::Auth, _) if error.vendor_code().is_none() => State::Doubtful(1),
                // No request was sent.
                (ErrorKind::NotAsked, _) => before,
                (ErrorKind::InvalidRequest | ErrorKind::NotConfigured, _) if error.http_status().is_none() => before,
                _ => State::Open,
            },
            (_, Ok(_)) => State::Open,
        };
        *state = next;
        drop(state);
        if let State::Shut = next {
            self.shut.store(true, Ordering::Release);
            tracing::warn!(
                provider = provider.as_str(),
                "the vendor refuses the caller, no more requests are sent. Correct credentials, account or IP address"
            );
        }
    }

    /// Opens the gate, because the vendor has accepted the credentials after all.
    pub fn reopen(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        *state = State::Open;
        self.shut.store(false, Ordering::Release);
    }

    fn state(&self) -> State {
        if self.shut.load(Ordering::Acquire) {
            return State::Shut;
        }
        *self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
