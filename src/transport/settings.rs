//! What a caller may set about calls.

use std::{fmt, num::NonZeroU32, time::Duration};
use tokio::sync::Semaphore;

/// How long to wait, how much to read, how often to try, how much to ask for at once. The defaults suit a backend. More
/// than a year counts as a year, so `Duration::MAX` is as good as for ever.
///
/// ```
/// use mandat::Settings;
/// use std::time::Duration;
///
/// let settings = Settings {
///     overall_timeout: Duration::from_secs(10),
///     rate_per_second: std::num::NonZeroU32::new(20),
///     ..Settings::default()
/// };
/// ```
#[derive(Clone, Debug)]
pub struct Settings {
    /// How long a connection may take to open. 5 seconds.
    pub connect_timeout: Duration,
    /// How long one attempt may take, its answer included. 20 seconds.
    pub attempt_timeout: Duration,
    /// How long a call may take in all, with waiting, credentials and further attempts. 60 seconds.
    pub overall_timeout: Duration,
    /// How long a connection may be idle and still serve another read. 4 seconds, since the shortest time that vendors'
    /// servers usually keep one is 5. Zero: each request has a connection of its own. What changes anything always has.
    pub idle_timeout: Duration,
    /// How large an answer may be, in bytes. 4 MiB.
    pub max_answer: usize,
    /// How large an answer with a document in it may be, in bytes. 32 MiB.
    pub max_document: usize,
    /// How often a call is tried at most, the first time included. 3. What is tried again is said at
    /// [`Error::outcome`](crate::Error::outcome): reads, and what takes a right away; a write only if it was never
    /// sent.
    pub attempts: u32,
    /// The longest wait before the second attempt; it doubles with each further one. 200 milliseconds. How long is
    /// waited is drawn at random from zero to that.
    pub backoff: Duration,
    /// The longest that a vendor's `Retry-After` is waited for, and how long one is waited for that cannot be read or
    /// whose time is over. 10 seconds. If it asks for more, the call ends with
    /// [`RateLimited`](crate::ErrorKind::RateLimited) or [`Unavailable`](crate::ErrorKind::Unavailable).
    pub max_retry_after: Duration,
    /// How many attempts may be under way at once, or wait for `rate_per_second`, over all clones. 64.
    pub concurrency: usize,
    /// How many attempts may start in a second, over all clones. 15, since vendors document no limit; ask yours, and
    /// raise it. `None` is no limit. The default does not hold for a vendor on this machine.
    pub rate_per_second: Option<NonZeroU32>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(5),
            attempt_timeout: Duration::from_secs(20),
            overall_timeout: Duration::from_secs(60),
            idle_timeout: Duration::from_secs(4),
            max_answer: 4 << 20,
            max_document: 32 << 20,
            attempts: 3,
            backoff: Duration::from_millis(200),
            max_retry_after: Duration::from_secs(10),
            concurrency: 64,
            rate_per_second: NonZeroU32::new(15),
        }
    }
}

/// A year: so much can be added to any instant.
pub(super) const LONGEST: Duration = Duration::from_secs(365 * 24 * 3600);

impl Settings {
    /// With no number that an instant or a semaphore could not take. The default rate spares a vendor's servers; on
    /// this machine there are none.
    pub(super) fn bounded(self, loopback: bool) -> Self {
        let spared = loopback && self.rate_per_second == Self::default().rate_per_second;
        Self {
            rate_per_second: self.rate_per_second.filter(|_| !spared),
            connect_timeout: self.connect_timeout.min(LONGEST),
            attempt_timeout: self.attempt_timeout.min(LONGEST),
            overall_timeout: self.overall_timeout.min(LONGEST),
            idle_timeout: self.idle_timeout.min(LONGEST),
            backoff: self.backoff.min(LONGEST),
            max_retry_after: self.max_retry_after.min(LONGEST),
            concurrency: self.concurrency.clamp(1, Semaphore::MAX_PERMITS),
            ..self
        }
    }
}

/// Where a vendor is, and how it is reached: the part of a configuration that is the same for every vendor.
pub(crate) struct Endpoint {
    pub base_url: String,
    pub settings: Settings,
    pub http: Option<reqwest::ClientBuilder>,
    /// The host to which plain HTTP is allowed.
    pub plain_to: Option<String>,
    /// Whether the credential is for real money, as far as one can see.
    pub live: bool,
}

/// An address may be given with more than an address in it, which is refused later.
impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = !self.base_url.contains(['@', '?', '#']);
        f.write_str(if plain { &self.base_url } else { "(an address with more in it)" })
    }
}

impl Endpoint {
    pub fn new(base_url: impl Into<String>) -> Self {
        let (settings, http, plain_to, live) = (Settings::default(), None, None, false);
        Self { base_url: base_url.into(), settings, http, plain_to, live }
    }
}

/// The methods of a `Config` that has an `endpoint`.
macro_rules! endpoint_methods {
    () => {
        /// Other timeouts and limits.
        pub fn settings(mut self, settings: crate::Settings) -> Self {
            self.endpoint.settings = settings;
            self
        }

        /// An HTTP client of your own making, for a proxy or other root certificates. Redirects, retries,
        /// compression, verbose logging and the connect timeout are still set here. Each request has a connection of
        /// its own, so `idle_timeout` of the settings has no effect.
        pub fn http_client(mut self, builder: reqwest::ClientBuilder) -> Self {
            self.endpoint.http = Some(builder);
            self
        }

        /// Allows plain `http` to the host of the address, if it is this one: the name of a container with the sandbox
        /// in it, `sandbox` say, without a port. Credentials and personal data then travel in the clear, which a warning
        /// says each time. Never do this with a vendor: a live key is refused.
        pub fn allow_plain_http_to(mut self, host: impl Into<String>) -> Self {
            self.endpoint.plain_to = Some(host.into());
            self
        }
    };
}
pub(crate) use endpoint_methods;
