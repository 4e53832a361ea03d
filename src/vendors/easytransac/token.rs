//! Exchanges the API key for Easytransac's token, keeps the token, and renews it in time. All calls that wait for a
//! token share one exchange.

use super::{Client, generated::operations, types::GenerateTokenResponse};
use crate::{
    transport::{CallLimits, perform, secret_header},
    vocabulary::{Error, ErrorKind, Provider},
    wire::Int,
};
use reqwest::header::HeaderValue;
use secrecy::ExposeSecret;
use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{sync::watch, time::Instant};
use tracing::instrument::WithSubscriber;

/// The state of Easytransac's token. The token's lifetime counts from its arrival, because the vendor's clock may
/// differ from ours.
#[derive(Default)]
pub(super) struct Tokens(Mutex<State>);

#[derive(Default)]
struct State {
    current: Current,
    /// The number of consecutive failures. An exchange that failed and a new token that the vendor refused are
    /// failures.
    failures: u32,
    /// True if the vendor has accepted a token since the last failure.
    taken: bool,
    /// Both fields count from the last token that the vendor accepted. `given_up` is true if a token was discarded
    /// since then. `refusals` is the number of calls that the vendor refused since then.
    given_up: bool,
    refusals: u32,
    /// The number of consecutive renewals that did not help: the vendor refused the call again with the new token.
    /// Until `kept_until`, a refused call does not renew the token.
    unhelpful: u32,
    kept_until: Option<Instant>,
}

#[derive(Default)]
enum Current {
    #[default]
    Nothing,
    /// An exchange is running. It has its own task, so it continues when a waiting call is cancelled. The end of the
    /// task closes the channel.
    Asked(watch::Receiver<()>),
    Token {
        header: HeaderValue,
        renew_at: Instant,
    },
    /// The exchange of the API key failed. Before the instant `until`, all calls get this error without another
    /// exchange. The pause grows with each consecutive failure.
    Failed {
        error: Error,
        until: Instant,
    },
}

/// The minimum time for which a token is kept. Without this minimum, a token whose stated lifetime is zero would cause
/// an exchange for every call.
const SHORTEST: Duration = Duration::from_secs(1);
/// The time for which a token with an unreadable lifetime is kept. If the token expires earlier, the vendor refuses it
/// and it is renewed.
const UNREADABLE: Duration = Duration::from_secs(60);
/// The pause before the next exchange after a first failure, and the longest pause after several failures.
const PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// A vendor that accepts a token may still refuse a single operation. After this many refusals in a row, assume that
/// the vendor refuses every token.
const REFUSALS: u32 = 10;

/// Returns the time of the next exchange after a failure. The pause grows with each consecutive failure.
fn after(failures: &mut u32, asked: Option<Duration>) -> Instant {
    let pause = PAUSE.saturating_mul(1 << (*failures).min(8)).max(asked.unwrap_or_default()).min(LONGEST_PAUSE);
    *failures = failures.saturating_add(1);
    Instant::now() + pause
}

impl State {
    /// Records a failed exchange or a refused token, and starts the pause before the next exchange.
    fn fail(&mut self, error: Error, asked: Option<Duration>) {
        let until = after(&mut self.failures, asked);
        (self.taken, self.given_up, self.refusals) = (false, true, 0);
        self.current = Current::Failed { error, until };
    }

    fn holds(&self, of: &HeaderValue) -> bool {
        matches!(&self.current, Current::Token { header, .. } if header == of)
    }
}

impl Tokens {
    /// Returns the `Authorization` header for a call. If an exchange is running, waits for its end.
    pub async fn get(&self, client: &Client) -> Result<HeaderValue, Error> {
        loop {
            let mut exchange = match self.known_or_asked(client) {
                Ok(known) => return known,
                Err(exchange) => exchange,
            };
            // The channel sends no value. An error means that the exchange has ended.
            let _ = exchange.changed().await;
        }
    }

    /// Returns the token or the recent error. If there is neither, returns the running exchange, or starts one.
    fn known_or_asked(&self, client: &Client) -> Result<Result<HeaderValue, Error>, watch::Receiver<()>> {
        let mut state = self.lock();
        let now = Instant::now();
        match &state.current {
            Current::Token { header, renew_at, .. } if now < *renew_at => return Ok(Ok(header.clone())),
            Current::Failed { error, until } if now < *until => return Ok(Err(error.clone())),
            // The channel was closed without a result, because the runtime of the exchange was shut down. Start a new
            // exchange below.
            Current::Asked(exchange) if exchange.has_changed().is_ok() => return Err(exchange.clone()),
            _ => {}
        }
        let (ended, exchange) = watch::channel(());
        state.current = Current::Asked(exchange.clone());
        // The exchange serves all waiting calls, so it keeps none of the limits of this call.
        let client = Client { limits: CallLimits::default(), ..client.clone() };
        let task = async move {
            let result = ask(&client).await;
            client.shared.tokens.asked(result);
            drop(ended);
        };
        tokio::spawn(task.with_current_subscriber());
        Err(exchange)
    }

    fn asked(&self, result: Result<(HeaderValue, Duration), Error>) {
        let mut state = self.lock();
        match result {
            Ok((header, lifetime)) => {
                state.current = Current::Token { header, renew_at: Instant::now() + lifetime };
            }
            Err(error) => {
                let asked = if let ErrorKind::RateLimited { retry_after } = error.kind() { retry_after } else { None };
                state.fail(error, asked);
            }
        }
    }

    /// Records that the vendor refused a call with this `Authorization` header. Returns true if the caller should retry
    /// with another token. `renewed` is true if the call was already retried with a new token.
    pub fn refused(&self, header: &HeaderValue, renewed: bool) -> bool {
        let mut state = self.lock();
        // Another call has already replaced the refused token.
        if !state.holds(header) {
            return !renewed;
        }
        let kept = state.kept_until.is_some_and(|until| Instant::now() < until);
        if !(renewed || kept || state.given_up) {
            (state.current, state.given_up) = (Current::Nothing, true);
            return true;
        }
        state.refusals += 1;
        if renewed {
            state.kept_until = Some(after(&mut state.unhelpful, None));
        }
        if !state.taken || state.refusals > REFUSALS {
            let error = Error::new(ErrorKind::Auth)
                .status(401)
                .refusing_caller(true)
                .detail("the vendor refuses each new token of this API key")
                .advise(Some("check the application and its API key"));
            state.fail(error, None);
        }
        false
    }

    /// Records that the vendor accepted a call with this `Authorization` header.
    pub fn taken(&self, header: &HeaderValue, renewed: bool) {
        let mut state = self.lock();
        if state.holds(header) {
            (state.taken, state.given_up, state.refusals, state.failures) = (true, false, 0, 0);
            if renewed {
                (state.unhelpful, state.kept_until) = (0, None);
            }
        }
    }

    /// Returns true if a call that starts now would use this `Authorization` header.
    pub fn holds(&self, header: &HeaderValue) -> bool {
        self.lock().holds(header)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Exchanges the API key for a token. Returns the `Authorization` header, and the time for which to keep it.
async fn ask(client: &Client) -> Result<(HeaderValue, Duration), Error> {
    let operation = &operations::GENERATE_TOKEN;
    let key = client.shared.api_key.expose_secret();
    let request = client.generate_token().body_map(|body| body.api_key(key)).request();
    // If this operation needed a token, the exchange would wait for itself.
    const _: () =
        assert!(!operations::GENERATE_TOKEN.authenticated, "`generate_token` needs `security: []` in the spec");
    let answer = perform::<_, GenerateTokenResponse>(client, operation, request, |_, _| None).await?;
    let header = secret_header(&format!("Bearer {}", answer.data.token.as_str()).into()).ok_or_else(|| {
        Error::decode(Provider::Easytransac, operation.id, "data.token has a character that HTTP does not allow")
    })?;
    Ok((header, answer.data.expires_in.as_ref().map_or(UNREADABLE, lifetime)))
}

/// Returns the time for which a token is kept. It is shorter than the token's lifetime, so that the token does not
/// expire during a call.
fn lifetime<const MIN: i64, const MAX: i64>(stated: &Int<MIN, MAX>) -> Duration {
    // PHP writes a whole number as `300`, `300.0`, `3e2` or `"300"`.
    let seconds = match stated {
        Int::Read(seconds) => Some(*seconds as f64),
        Int::Unread(text) => text.as_str().trim().parse().ok().filter(|seconds: &f64| !seconds.is_nan()),
    };
    let Some(seconds) = seconds else { return UNREADABLE };
    let lifetime = Duration::from_secs_f64(seconds.clamp(0.0, 24.0 * 3600.0));
    (lifetime - (lifetime / 4).min(Duration::from_secs(30))).max(SHORTEST)
}

#[cfg(test)]
impl Client {
    /// Sets a token for a test, without an exchange.
    pub(crate) fn with_token(self, token: &str) -> Self {
        let header = secret_header(&format!("Bearer {token}").into()).unwrap();
        let renew_at = Instant::now() + Duration::from_secs(3600);
        self.shared.tokens.lock().current = Current::Token { header, renew_at };
        self
    }
}
