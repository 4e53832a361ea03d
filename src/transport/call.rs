//! One call of an operation: it sends the attempts, within the load limits and the deadline.

use super::{
    Built, Effect, OperationSpec, Request, Transport, Vendor, VendorResponse,
    decision::{self, Attempt, Delays, Next, Progress},
    path,
    response::{self, Failed, aside},
    shut::{is_shut, shut},
    trace::CallSpan,
};
use crate::vocabulary::{Error, ErrorKind, Outcome};
use reqwest::header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, HeaderValue};
use std::pin::Pin;
use tokio::time::{Instant, sleep, timeout_at};
use tower::retry::budget::Budget;

/// The advice if the vendor responds 404 to a removal.
const GONE_ALREADY: &str = "there is no such record: if the response to an earlier removal was lost, it succeeded";

/// A call as a boxed future. The state of a call is large, and each future around an unboxed call would copy it.
pub(super) type Calling<'a, T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 'a>>;

/// One call of an operation: it sends the attempts, within the load limits and the deadline.
pub(super) struct Call<'a, V> {
    pub vendor: &'a V,
    pub operation: &'static OperationSpec,
}

impl<'a, V: Vendor> Call<'a, V> {
    pub fn call<T: Send + 'static>(
        self,
        request: Built,
        read: impl FnOnce(VendorResponse) -> Result<T, Error> + Send + 'static,
    ) -> Calling<'a, T> {
        let mut request = built(self.operation, self.vendor.transport(), request);
        Box::pin(async move {
            let call = CallSpan::new(V::PROVIDER, self.operation);
            let settings = &self.vendor.transport().settings;
            let deadline = Instant::now() + self.vendor.call_limits().overall_timeout(settings);
            // Only `aside` depends on the type of the response, so that the compiler translates all other code once.
            let result = match call.within(self.attempts(&mut request, &call, deadline)).await {
                Ok(answer) => {
                    call.answered(answer.status);
                    aside(self.operation, answer, deadline, read).await.unwrap_or_else(|failed| Err(failed.error))
                }
                Err(e) => Err(e),
            };
            match result {
                Ok(read) => {
                    call.ended(None);
                    Ok(read)
                }
                Err(e) => Err(self.failed(&call, e)),
            }
        })
    }

    fn failed(&self, call: &CallSpan, e: Error) -> Error {
        if e.refuses_caller() {
            shut();
        }
        let e = e.during(V::PROVIDER, self.operation.id).advise_if_unknown(self.operation.lost_answer);
        let e = match self.operation.effect {
            Effect::Removal if e.kind() == ErrorKind::NotFound => e.advise(Some(GONE_ALREADY)),
            Effect::Removal => e.harmless_again(),
            Effect::Read | Effect::Write => e,
        };
        call.ended(Some(&e));
        e
    }

    async fn attempts(
        &self,
        request: &mut Result<Request, Error>,
        call: &CallSpan,
        deadline: Instant,
    ) -> Result<VendorResponse, Error> {
        let request = request.as_mut().map_err(|e| e.clone())?;
        let (operation, transport) = (self.operation, self.vendor.transport());
        let settings = &transport.settings;
        let mut delays = Delays::new(settings.backoff, self.vendor.call_limits().attempts(settings));
        let mut progress = Progress::START;
        transport.limits.budget.deposit();
        loop {
            // If this attempt fails before it is sent, the outcome of the earlier attempts remains.
            let ready = timeout_at(deadline, async {
                loop {
                    let header = self.credentials().await?;
                    let turn = transport.limits.turn().await;
                    if header.as_ref().is_none_or(|header| self.vendor.holds(header)) {
                        return Ok((header, turn));
                    }
                    turn.unused();
                }
            });
            let late = || {
                let advice = "start fewer calls at once, or raise `rate_per_second` or `concurrency` of `Settings`";
                Error::new(ErrorKind::Timeout).detail("the call waited too long for its turn").advise(Some(advice))
            };
            let ready = ready.await.unwrap_or_else(|_| Err(late()));
            let (header, turn) = ready.map_err(|e| e.outcome_is(operation.outcome(progress.outcome)))?;
            // Return `NotAsked` only before the first attempt. Later, the error has to report the outcome of the
            // earlier attempts.
            if progress == Progress::START && is_shut() {
                turn.unused();
                return Err(Error::not_asked(V::PROVIDER).outcome_is(operation.outcome(progress.outcome)));
            }
            call.attempt();
            let until = deadline.min(Instant::now() + settings.attempt_timeout);
            let copy = self.attempt(request, header.as_ref());
            let answer = response::receive(transport, operation, copy, progress.fresh, until).await;
            match &answer {
                Ok(_) => turn.answered(),
                Err(_) => drop(turn),
            }
            let judged = match answer {
                Ok(answer) => aside(operation, answer, deadline, |answer| answer.judge::<V>(operation)).await,
                Err(failed) => Err(failed),
            };
            let judged = judged.and_then(|judged| judged);
            // A refusal that concerns the request also proves that the vendor accepted the credentials.
            let took = match &judged {
                Ok(_) => true,
                Err(Failed { error, .. }) => matches!(
                    error.kind(),
                    ErrorKind::InvalidRequest | ErrorKind::NotFound | ErrorKind::Conflict | ErrorKind::Refused
                ),
            };
            if let Some(header) = &header
                && took
            {
                self.vendor.taken(header, progress.renewed);
            }
            let Failed { error, failure, retry_after } = match judged {
                Ok(answer) => return Ok(answer),
                Err(failed) => failed,
            };
            let (outcome, not_found) = (error.outcome(), error.kind() == ErrorKind::NotFound);
            let attempt = Attempt { failure, outcome, not_found, repeatable: request.is_repeatable() };
            let before = progress;
            let (next, after) = decision::decide(operation.effect, before, attempt);
            progress = after;
            let error = error.outcome_is(operation.outcome(progress.outcome));
            match next {
                Next::Removed => return Ok(VendorResponse::no_content()),
                Next::Renew => match header {
                    Some(header) if self.vendor.refused(&header, before.renewed) => {}
                    _ => return Err(error),
                },
                Next::Fresh => {}
                Next::Again => {
                    let Some(delay) = delays.next() else { return Err(error) };
                    let delay = delay.max(retry_after.unwrap_or_default());
                    let too_long = retry_after.is_some_and(|asked| asked > settings.max_retry_after);
                    if too_long || Instant::now() + delay >= deadline || !transport.limits.budget.withdraw() {
                        return Err(error);
                    }
                    sleep(delay).await;
                }
                Next::Stop => return Err(error),
            }
        }
    }

    /// Returns the credentials, if the operation needs them.
    pub async fn credentials(&self) -> Result<Option<HeaderValue>, Error> {
        if self.operation.authenticated { self.vendor.authorization().await.map(Some) } else { Ok(None) }
    }

    /// Returns the request for one attempt. Adds the headers for the accepted encoding, the accepted media type and the
    /// credentials.
    pub fn attempt(&self, request: &mut Request, credentials: Option<&HeaderValue>) -> Request {
        let mut attempt = request.attempt();
        attempt.headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        if !self.operation.answer.is_empty() {
            attempt.headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        }
        if let Some(header) = credentials {
            attempt.headers.insert(AUTHORIZATION, header.clone());
        }
        attempt
    }
}

/// Returns the built request. Returns an error if the path of its URL does not match the operation.
pub(super) fn built(operation: &OperationSpec, transport: &Transport, request: Built) -> Result<Request, Error> {
    let refuse = |what: String| Error::invalid(None, what).outcome_is(operation.outcome(Outcome::NotSent));
    let request = request.map_err(refuse)?;
    let base = transport.base_path(operation).map_err(refuse)?;
    let path = request.target.path().strip_prefix(&*base);
    if !path.is_some_and(|path| path::matches(path, &request.template)) {
        return Err(refuse("an id would change the path of the request. Use the id from the vendor".into()));
    }
    Ok(request)
}
