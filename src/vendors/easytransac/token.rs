//! The token that Easytransac gives for the API key: kept, renewed in time, and asked for once however many wait.

use super::{Client, generated::operations, types::GenerateTokenResponse};
use crate::{
    transport::{perform, secret_header},
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

/// The vendor's clock is not trusted, only the lifetime that it states, from when the token arrived.
#[derive(Default)]
pub(super) struct Tokens(Mutex<State>);

#[derive(Default)]
struct State {
    current: Current,
    /// Failures in a row: of exchanges, and of new tokens that the vendor refused.
    failures: u32,
    /// Whether the vendor has taken a token since then.
    taken: bool,
    /// Since it took one last: whether a token was given up, and how many refusals there were.
    given_up: bool,
    refusals: u32,
    /// Renewals in a row that did not help the call, and until when the next refusal is no reason for one.
    unhelpful: u32,
    kept_until: Option<Instant>,
}

#[derive(Default)]
enum Current {
    #[default]
    Nothing,
    /// An exchange is under way, on a task of its own: who waits may give up. The task's end closes the channel.
    Asked(watch::Receiver<()>),
    Token {
        header: HeaderValue,
        renew_at: Instant,
    },
    /// Everybody is told so for a while, or each call would ask again; longer with each failure in a row.
    Failed {
        error: Error,
        until: Instant,
    },
}

/// A token that is said to last no time at all is still used this long, or every call would ask for one.
const SHORTEST: Duration = Duration::from_secs(1);
/// How long a token is used of which the lifetime cannot be read. The vendor refuses it when it is over.
const UNREADABLE: Duration = Duration::from_secs(60);
/// How long nobody asks again after a first failure, and at the most.
const PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// A vendor that has taken tokens may refuse a single operation. After this many refusals it refuses them all.
const REFUSALS: u32 = 10;

/// When to ask again after a failure, longer with each in a row.
fn after(failures: &mut u32, asked: Option<Duration>) -> Instant {
    let pause = PAUSE.saturating_mul(1 << (*failures).min(8)).max(asked.unwrap_or_default()).min(LONGEST_PAUSE);
    *failures = failures.saturating_add(1);
    Instant::now() + pause
}

impl State {
    /// Asking is of no use for a while.
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
    /// What to send with a call. An exchange goes on when its callers give up.
    pub async fn get(&self, client: &Client) -> Result<HeaderValue, Error> {
        loop {
            let mut exchange = match self.known_or_asked(client) {
                Ok(known) => return known,
                Err(exchange) => exchange,
            };
            // It never sends anything: this is the end of the task.
            let _ = exchange.changed().await;
        }
    }

    /// What need not be asked for, or the exchange that is under way.
    fn known_or_asked(&self, client: &Client) -> Result<Result<HeaderValue, Error>, watch::Receiver<()>> {
        let mut state = self.lock();
        let now = Instant::now();
        match &state.current {
            Current::Token { header, renew_at, .. } if now < *renew_at => return Ok(Ok(header.clone())),
            Current::Failed { error, until } if now < *until => return Ok(Err(error.clone())),
            // A task that ended without a result went with its runtime.
            Current::Asked(exchange) if exchange.has_changed().is_ok() => return Err(exchange.clone()),
            _ => {}
        }
        let (ended, exchange) = watch::channel(());
        state.current = Current::Asked(exchange.clone());
        let client = client.clone();
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

    /// The vendor refused a call with this header: whether to send it again with another. `renewed`: it was sent again
    /// already.
    pub fn refused(&self, header: &HeaderValue, renewed: bool) -> bool {
        let mut state = self.lock();
        // One that has been replaced meanwhile is left alone.
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
                .detail("the vendor refuses each new token")
                .advise(Some("check the application and its key"));
            state.fail(error, None);
        }
        false
    }

    /// The vendor took a call with this header.
    pub fn taken(&self, header: &HeaderValue, renewed: bool) {
        let mut state = self.lock();
        if state.holds(header) {
            (state.taken, state.given_up, state.refusals, state.failures) = (true, false, 0, 0);
            if renewed {
                (state.unhelpful, state.kept_until) = (0, None);
            }
        }
    }

    /// Whether a call that starts now would be sent with this header.
    pub fn holds(&self, header: &HeaderValue) -> bool {
        self.lock().holds(header)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A token and how long to use it.
async fn ask(client: &Client) -> Result<(HeaderValue, Duration), Error> {
    let operation = &operations::GENERATE_TOKEN;
    let key = client.shared.api_key.expose_secret();
    let request = client.generate_token().body_map(|body| body.api_key(key)).request();
    // With credentials it would wait for itself.
    const _: () =
        assert!(!operations::GENERATE_TOKEN.authenticated, "`generate_token` needs `security: []` in the spec");
    let answer: GenerateTokenResponse = perform(client, operation, request).await?;
    let header = secret_header(&format!("Bearer {}", answer.data.token.as_str()).into())
        .ok_or_else(|| Error::decode(Provider::Easytransac, operation.id, "data.token fits in no header"))?;
    Ok((header, answer.data.expires_in.as_ref().map_or(UNREADABLE, lifetime)))
}

/// A call that starts now should end before the token does.
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
    /// A token that was never asked for.
    pub(crate) fn with_token(self, token: &str) -> Self {
        let header = secret_header(&format!("Bearer {token}").into()).unwrap();
        let renew_at = Instant::now() + Duration::from_secs(3600);
        self.shared.tokens.lock().current = Current::Token { header, renew_at };
        self
    }
}
