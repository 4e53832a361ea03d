//! The gate stops the requests to a vendor that refuses the caller. Each request with a wrong password can contribute
//! to a lock of the account.

use crate::{
    transport::unless_shut,
    vocabulary::{Error, ErrorKind, Provider},
};
use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};
use tokio::sync::MutexGuard;

/// Decides whether requests to one vendor may be sent. Until the vendor has accepted the credentials, only one request
/// runs at a time, so that a wrong password is sent only once.
#[derive(Default)]
pub(crate) struct Gate {
    state: Mutex<State>,
    alone: tokio::sync::Mutex<()>,
    /// True after the vendor has refused the caller. The transport sets this flag before [`Gate::hear`] gets the
    /// result.
    shut: Arc<AtomicBool>,
}

#[derive(Clone, Copy, Default)]
enum State {
    #[default]
    Untried,
    Open,
    /// The number of consecutive refusals without a vendor code. Such a refusal may concern the caller, or only the
    /// request.
    Doubtful(u8),
    Shut,
}

/// After this many consecutive refusals without a vendor code, the gate lets no further request pass. A firewall sends
/// such refusals to a blocked caller, and sometimes for a single unusual request.
const DOUBTS: u8 = 5;

/// The permission to send a request. Keep the permission until [`Gate::hear`] has the result of the request.
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

    /// Runs `requests`, and stops before the next request once the gate is shut.
    pub fn pass<F: Future>(&self, requests: F) -> impl Future<Output = F::Output> + use<F> {
        unless_shut(self.shut.clone(), requests)
    }

    /// Updates the state of the gate with the result of a request.
    pub fn hear<T>(&self, provider: Provider, result: &Result<T, Error>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let next = match (*state, result) {
            // This request was sent before the vendor refused the caller, so its result does not change the state.
            (State::Shut, _) => return,
            (before, Err(error)) => match (error.kind(), before) {
                _ if error.refuses_caller() => State::Shut,
                (ErrorKind::Auth, State::Doubtful(times)) if error.vendor_code().is_none() => match times + 1 {
                    DOUBTS.. => State::Shut,
                    times => State::Doubtful(times),
                },
                (ErrorKind::Auth, _) if error.vendor_code().is_none() => State::Doubtful(1),
                // The error arose before any request was sent, so it says nothing about the credentials.
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
                "the vendor refuses the caller, so no more requests are sent. Correct the credentials, account or IP \
                 address"
            );
        }
    }

    /// Lets requests pass again, because the vendor has accepted the credentials.
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
