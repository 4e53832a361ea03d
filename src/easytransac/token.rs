//! The token that Easytransac gives for the API key: kept, renewed in time, and asked for once however many wait.

use super::{Client, generated::operations, types::GenerateTokenResponse};
use crate::{
    Error, ErrorKind, Provider,
    transport::{perform, secret_header},
};
use reqwest::header::HeaderValue;
use secrecy::ExposeSecret;
use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// The vendor's clock is not trusted, only the lifetime that it states, from when the token arrived.
#[derive(Default)]
pub(super) struct Tokens {
    current: Mutex<Current>,
    /// Held while a token is asked for: the others wait here and find it.
    asking: tokio::sync::Mutex<()>,
}

#[derive(Default)]
enum Current {
    #[default]
    Nothing,
    Token {
        header: HeaderValue,
        renew_at: Instant,
    },
    /// Asking failed. Everybody is told so for a while, or each call would ask again; longer with each failure in a row.
    Failed {
        error: Error,
        until: Instant,
        times: u32,
    },
}

/// A token that is said to last no time at all is still used this long, or every call would ask for one.
const SHORTEST: Duration = Duration::from_secs(1);
/// How long nobody asks again after a first failure, and at the most.
const PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

impl Tokens {
    pub async fn get(&self, client: &Client) -> Result<HeaderValue, Error> {
        if let Some(known) = self.known() {
            return known;
        }
        let _asking = self.asking.lock().await;
        if let Some(known) = self.known() {
            return known;
        }
        let result = ask(client).await;
        let now = Instant::now();
        let mut current = self.lock();
        *current = match &result {
            Ok((header, lifetime)) => Current::Token { header: header.clone(), renew_at: now + *lifetime },
            Err(error) => {
                let times = if let Current::Failed { times, .. } = *current { times + 1 } else { 0 };
                let asked = if let ErrorKind::RateLimited { retry_after } = error.kind() { retry_after } else { None };
                let pause = PAUSE.saturating_mul(1 << times.min(8)).max(asked.unwrap_or_default()).min(LONGEST_PAUSE);
                Current::Failed { error: error.clone(), until: now + pause, times }
            }
        };
        result.map(|(header, _)| header)
    }

    /// The vendor refused this header. One that has been replaced meanwhile is left alone.
    pub fn forget(&self, refused: &HeaderValue) -> bool {
        let mut current = self.lock();
        if matches!(&*current, Current::Token { header, .. } if header == refused) {
            *current = Current::Nothing;
        }
        true
    }

    /// What need not be asked for.
    fn known(&self) -> Option<Result<HeaderValue, Error>> {
        let now = Instant::now();
        match &*self.lock() {
            Current::Token { header, renew_at } if now < *renew_at => Some(Ok(header.clone())),
            Current::Failed { error, until, .. } if now < *until => Some(Err(error.clone())),
            _ => None,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
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
    let lifetime = answer.data.expires_in.get().and_then(|seconds| u64::try_from(seconds).ok()).unwrap_or(0);
    // A call that starts now should end before the token does.
    let lifetime = Duration::from_secs(lifetime.min(24 * 3600));
    Ok((header, (lifetime - (lifetime / 4).min(Duration::from_secs(30))).max(SHORTEST)))
}

#[cfg(test)]
impl Client {
    /// A token that was never asked for.
    pub(crate) fn with_token(self, token: &str) -> Self {
        let header = secret_header(&format!("Bearer {token}").into()).unwrap();
        let renew_at = Instant::now() + Duration::from_secs(3600);
        *self.shared.tokens.lock() = Current::Token { header, renew_at };
        self
    }
}
