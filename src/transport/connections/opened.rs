//! Records that a request opened a connection. Neither HTTP library reports this.

use std::{
    cell::Cell,
    task::{Context, Poll},
};
use tower::{Layer, Service};

tokio::task_local! {
    /// True if the current request began to open a connection. If false, the request used an idle one.
    pub(super) static OPENED: Cell<bool>;
}

/// Wraps a connector in [`Noted`].
#[derive(Clone)]
pub(super) struct Note;

/// A connector that sets [`OPENED`].
#[derive(Clone)]
pub(super) struct Noted<S>(pub S);

impl<S> Layer<S> for Note {
    type Service = Noted<S>;

    fn layer(&self, inner: S) -> Noted<S> {
        Noted(inner)
    }
}

impl<S: Service<R>, R> Service<R> for Noted<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: R) -> S::Future {
        // Outside a request there is no `OPENED`: hyper finishes opening a connection in the background.
        let _ = OPENED.try_with(|opened| opened.set(true));
        self.0.call(request)
    }
}
