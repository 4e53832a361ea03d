//! The settings of calls, and the address of a vendor.

use super::Tls;
use std::{fmt, num::NonZeroU32, time::Duration};
use tokio::sync::Semaphore;

/// Timeouts, size limits, retries and load limits of one vendor's client. The defaults suit a backend.
///
/// A duration of more than a year counts as a year, so `Duration::MAX` works as "no limit".
///
/// ```
/// use mandat::Settings;
/// use std::time::Duration;
///
/// let settings = Settings::default()
///     .with_overall_timeout(Duration::from_secs(10))
///     .with_rate_per_second(std::num::NonZeroU32::new(20));
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Settings {
    /// The maximum time to open a connection. Default: 5 seconds.
    pub connect_timeout: Duration,
    /// The maximum time for one attempt, including its response. Default: 20 seconds.
    pub attempt_timeout: Duration,
    /// The maximum time for a whole call, with its waits, its credentials and all attempts. Default: 60 seconds.
    pub overall_timeout: Duration,
    /// The time for which an idle connection is kept for the next read. Default: 4 seconds. Servers usually close an
    /// idle connection after 5 seconds or more.
    ///
    /// If the value is zero, every request opens a new connection. Writes and removals always open a new connection.
    pub idle_timeout: Duration,
    /// The size of the largest accepted response, in bytes. Default: 4 MiB. A larger response fails with
    /// [`TooLarge`](crate::ErrorKind::TooLarge).
    pub max_answer: usize,
    /// The size of the largest accepted response with a document, in bytes. Default: 32 MiB.
    pub max_document: usize,
    /// The maximum number of attempts of a call, including the first. Default: 3. Reads and removals are retried. A
    /// write is retried only if it was never sent; see [`Error::outcome`](crate::Error::outcome).
    pub attempts: u32,
    /// The maximum delay before the second attempt. Default: 200 milliseconds. The maximum doubles with each further
    /// attempt. The actual delay is random, from zero to the maximum.
    pub backoff: Duration,
    /// The maximum wait that a vendor's `Retry-After` may request. Default: 10 seconds. If the vendor requests a longer
    /// wait, the call ends with [`RateLimited`](crate::ErrorKind::RateLimited) or
    /// [`Unavailable`](crate::ErrorKind::Unavailable).
    ///
    /// A `Retry-After` that cannot be read, or that has a time in the past, counts as this maximum, and as at least one
    /// second.
    pub max_retry_after: Duration,
    /// The maximum number of attempts at one time, over all clones of the client. Default: 64. Attempts that wait for
    /// `rate_per_second` count too.
    pub concurrency: usize,
    /// The maximum number of attempts that start in one second, over all clones of the client. `None` means no limit.
    /// Default: 15, because vendors document no limit. Ask your vendor for the limit, then raise the value.
    ///
    /// The default value does not apply to a vendor on this machine, such as the sandbox.
    pub rate_per_second: Option<NonZeroU32>,
    /// Applies `rate_per_second` to the arrival of the requests at the vendor, and not only to their start. Default:
    /// false. Without `rate_per_second` the value has no effect.
    ///
    /// Requests can be delayed, and then arrive together. With a strict rate, a request counts until a second after its
    /// response, and without a response for two seconds. So no second has more arrivals than `rate_per_second`. The only
    /// exception is a network that delivers a request more than a second after its connection was closed.
    ///
    /// If responses take a tenth of a second, ten elevenths of the rate are used.
    pub strict_rate: bool,
    /// Uses HTTP/2 if the server offers it in the TLS handshake. Default: false, which means HTTP/1.1. Reads then share
    /// one connection. Writes and removals still open a new one.
    #[cfg(feature = "http2")]
    pub http2: bool,
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
            strict_rate: false,
            #[cfg(feature = "http2")]
            http2: false,
        }
    }
}

/// The longest duration of a setting, a year. A longer duration could overflow when it is added to an instant.
pub(super) const LONGEST: Duration = Duration::from_secs(365 * 24 * 3600);

impl Settings {
    crate::setters::setters! {
        with_connect_timeout connect_timeout: Duration,
        with_attempt_timeout attempt_timeout: Duration,
        with_overall_timeout overall_timeout: Duration,
        with_idle_timeout idle_timeout: Duration,
        with_max_answer max_answer: usize,
        with_max_document max_document: usize,
        with_attempts attempts: u32,
        with_backoff backoff: Duration,
        with_max_retry_after max_retry_after: Duration,
        with_concurrency concurrency: usize,
        with_rate_per_second rate_per_second: Option<NonZeroU32>,
        with_strict_rate strict_rate: bool,
    }
    #[cfg(feature = "http2")]
    crate::setters::setters! {
        with_http2 http2: bool,
    }

    /// Limits each number to the range of an instant or a semaphore. With `loopback`, removes the default rate limit,
    /// which protects a vendor's servers. No vendor's servers are on this machine. A strict rate is the caller's own.
    pub(super) fn bounded(self, loopback: bool) -> Self {
        let spared = loopback && !self.strict_rate && self.rate_per_second == Self::default().rate_per_second;
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

/// The base URL of a vendor, with the settings and the HTTP client. Every vendor's configuration has an `Endpoint`.
pub(crate) struct Endpoint {
    pub base_url: String,
    pub settings: Settings,
    pub http: Option<reqwest::ClientBuilder>,
    pub tls: Tls,
    /// The name of the caller's program, for the `User-Agent`.
    pub program: Option<String>,
    /// The host to which the caller allows plain HTTP.
    pub plain_to: Option<String>,
    /// True if the credential looks like a credential for production.
    pub live: bool,
}

/// `Debug` hides a base URL with a user, password, query or fragment, which may contain a secret. `Transport::new`
/// refuses such a URL.
impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = !self.base_url.contains(['@', '?', '#']);
        f.write_str(if plain { &self.base_url } else { "(a URL with more than a host and a path)" })
    }
}

impl Endpoint {
    pub fn new(base_url: impl Into<String>) -> Self {
        let (settings, http, tls, program, plain_to, live) =
            (Settings::default(), None, Tls::default(), None, None, false);
        Self { base_url: base_url.into(), settings, http, tls, program, plain_to, live }
    }
}

/// The limits of the calls of one client, in place of those in [`Settings`].
#[derive(Clone, Copy, Default)]
pub(crate) struct CallLimits {
    overall_timeout: Option<Duration>,
    attempts: Option<u32>,
}

impl CallLimits {
    pub fn with_timeout(self, timeout: Duration) -> Self {
        Self { overall_timeout: Some(timeout.min(LONGEST)), ..self }
    }

    pub fn with_attempts(self, attempts: u32) -> Self {
        Self { attempts: Some(attempts), ..self }
    }

    pub fn overall_timeout(self, settings: &Settings) -> Duration {
        self.overall_timeout.unwrap_or(settings.overall_timeout)
    }

    pub fn attempts(self, settings: &Settings) -> u32 {
        self.attempts.unwrap_or(settings.attempts)
    }
}

/// Defines the methods for the limits of the calls of every vendor's `Client`.
macro_rules! call_limit_methods {
    () => {
        /// Returns a client whose calls take at most this time, in place of
        /// [`Settings::overall_timeout`](crate::Settings::overall_timeout). Both clients share connections,
        /// credentials, rate and concurrency.
        #[must_use]
        pub fn with_timeout(&self, timeout: std::time::Duration) -> Self {
            Self { limits: self.limits.with_timeout(timeout), ..self.clone() }
        }

        /// Returns a client whose calls make at most this number of attempts, in place of
        /// [`Settings::attempts`](crate::Settings::attempts). Both clients share connections, credentials, rate and
        /// concurrency.
        #[must_use]
        pub fn with_attempts(&self, attempts: u32) -> Self {
            Self { limits: self.limits.with_attempts(attempts), ..self.clone() }
        }
    };
}
pub(crate) use call_limit_methods;

/// Defines the methods for the `endpoint` of every vendor's `Config`.
macro_rules! endpoint_methods {
    () => {
        /// Replaces the timeouts and limits.
        pub fn settings(mut self, settings: crate::Settings) -> Self {
            self.endpoint.settings = settings;
            self
        }

        /// Uses your own HTTP client, for example with a proxy or other root certificates.
        ///
        /// This crate still sets redirects, retries, compression, verbose logging, the connect timeout and the version
        /// of HTTP. Each request opens a new connection, so [`Settings::idle_timeout`](crate::Settings::idle_timeout)
        /// has no effect.
        pub fn http_client(mut self, builder: reqwest::ClientBuilder) -> Self {
            self.endpoint.http = Some(builder);
            self
        }

        /// Adds the name of your program to the `User-Agent`, for example `acme-billing/2.1`: the vendor then receives
        /// `mandat/0.1.0 acme-billing/2.1`. [`Client::new`] refuses a text that no header can hold.
        pub fn program(mut self, name: impl Into<String>) -> Self {
            self.endpoint.program = Some(name.into());
            self
        }

        /// Accepts servers with a certificate of these authorities, in addition to those of this machine. Give one or
        /// more certificates in PEM. [`Client::new`] refuses others.
        pub fn root_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
            self.endpoint.tls.roots = pem.into();
            self
        }

        /// Identifies your program by a certificate. Give the certificate, those of its authorities, and the private
        /// key (PKCS #8), in PEM. [`Client::new`] refuses others.
        pub fn client_identity(mut self, pem: impl Into<Vec<u8>>) -> Self {
            self.endpoint.tls.identity = Some(pem.into().into());
            self
        }

        /// Allows plain `http` to this host, such as `sandbox`, the name of a container that runs the sandbox. Pass the
        /// host of the base URL without a port.
        ///
        /// Credentials and personal data are then sent without encryption. Each new client logs a warning. Never use
        /// this setting with a real vendor: a live key is refused.
        pub fn allow_plain_http_to(mut self, host: impl Into<String>) -> Self {
            self.endpoint.plain_to = Some(host.into());
            self
        }
    };
}
pub(crate) use endpoint_methods;
