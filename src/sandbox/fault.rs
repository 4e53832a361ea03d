//! What can go wrong on demand.

use super::Provider;
use serde::Deserialize;
use std::time::Duration;

/// A fault for [`Sandbox::inject`](super::Sandbox::inject): what happens, to which calls, and how often.
///
/// ```
/// use mandat::sandbox::Fault;
///
/// // The vendor creates the mandate, but a proxy answers 503; the first time only.
/// let lost = Fault::status(503).after_effect().on("create_mandate").times(1);
/// // One call in ten breaks off, the same ones in each run.
/// let shaky = Fault::reset().with_probability(0.1, 42);
/// ```
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Written")]
#[must_use]
pub struct Fault {
    pub(super) what: What,
    after_effect: bool,
    provider: Option<Provider>,
    operation: Option<String>,
    times: Option<u32>,
    chance: Option<(f64, fastrand::Rng)>,
}

#[derive(Clone, Debug)]
pub(super) enum What {
    Delay(Duration),
    Status(u16, Option<u64>),
    Reset,
    Empty,
    Truncated,
    Html,
    Oversized(usize),
}

impl Fault {
    fn new(what: What) -> Self {
        Self { what, after_effect: false, provider: None, operation: None, times: None, chance: None }
    }

    /// The answer comes later, in real time.
    pub fn delay(by: Duration) -> Self {
        Self::new(What::Delay(by))
    }

    /// An empty answer of this HTTP status, as of a proxy.
    pub fn status(status: u16) -> Self {
        Self::new(What::Status(status, None))
    }

    /// The connection breaks off without an answer.
    pub fn reset() -> Self {
        Self::new(What::Reset)
    }

    /// The vendor's status with an empty body.
    pub fn empty() -> Self {
        Self::new(What::Empty)
    }

    /// The connection breaks off in the middle of the body.
    pub fn truncated() -> Self {
        Self::new(What::Truncated)
    }

    /// An HTML page under 200.
    pub fn html() -> Self {
        Self::new(What::Html)
    }

    /// A body of so many bytes under 200.
    pub fn oversized(bytes: usize) -> Self {
        Self::new(What::Oversized(bytes))
    }

    /// With a `Retry-After` of so many seconds, if the fault is a status.
    pub fn retry_after(mut self, seconds: u64) -> Self {
        if let What::Status(_, after) = &mut self.what {
            *after = Some(seconds);
        }
        self
    }

    /// The vendor does what it was asked to, and then it goes wrong. Otherwise it goes wrong before.
    pub fn after_effect(mut self) -> Self {
        self.after_effect = true;
        self
    }

    /// At this vendor only.
    pub fn at(mut self, provider: Provider) -> Self {
        self.provider = Some(provider);
        self
    }

    /// In this operation only, by its id in the spec.
    pub fn on(mut self, operation: impl Into<String>) -> Self {
        self.operation = Some(operation.into());
        self
    }

    /// So often, then no more.
    pub fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }

    /// With this probability, from 0 to 1. The same seed makes the same calls fail.
    pub fn with_probability(mut self, probability: f64, seed: u64) -> Self {
        self.chance = Some((probability, fastrand::Rng::with_seed(seed)));
        self
    }

    /// Where it may strike.
    pub(super) fn aim(&self) -> (Option<Provider>, Option<&str>) {
        (self.provider, self.operation.as_deref())
    }

    /// Whether it goes wrong this time.
    pub(super) fn strikes(&mut self, provider: Provider, operation: &str, after_effect: bool) -> bool {
        let meant = self.after_effect == after_effect
            && self.provider.is_none_or(|wanted| wanted == provider)
            && self.operation.as_deref().is_none_or(|wanted| wanted == operation);
        if !meant || self.times == Some(0) || self.chance.as_mut().is_some_and(|(chance, rng)| rng.f64() >= *chance) {
            return false;
        }
        if let Some(times) = &mut self.times {
            *times -= 1;
        }
        true
    }
}

/// It is made in memory.
const LARGEST: usize = 1 << 30;

/// A fault as it is written in JSON.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    fault: Kind,
    status: Option<u16>,
    retry_after: Option<u64>,
    bytes: Option<usize>,
    milliseconds: Option<u64>,
    #[serde(default)]
    after_effect: bool,
    provider: Option<Provider>,
    operation: Option<String>,
    times: Option<u32>,
    probability: Option<f64>,
    #[serde(default)]
    seed: u64,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Delay,
    Status,
    Reset,
    Empty,
    Truncated,
    Html,
    Oversized,
}

impl TryFrom<Written> for Fault {
    type Error = &'static str;

    fn try_from(written: Written) -> Result<Self, Self::Error> {
        let what = match written.fault {
            Kind::Delay => {
                What::Delay(Duration::from_millis(written.milliseconds.ok_or("a delay wants milliseconds")?))
            }
            Kind::Status => match written.status.ok_or("a status wants its number")? {
                status @ 200..=599 => What::Status(status, written.retry_after),
                _ => return Err("a status is from 200 to 599"),
            },
            Kind::Reset => What::Reset,
            Kind::Empty => What::Empty,
            Kind::Truncated => What::Truncated,
            Kind::Html => What::Html,
            Kind::Oversized => match written.bytes.ok_or("an oversized answer wants bytes")? {
                bytes if bytes <= LARGEST => What::Oversized(bytes),
                _ => return Err("an oversized answer has 1 GiB at most"),
            },
        };
        if written.probability.is_some_and(|probability| !(0.0..=1.0).contains(&probability)) {
            return Err("a probability is from 0 to 1");
        }
        let Written { after_effect, provider, operation, times, seed, .. } = written;
        let chance = written.probability.map(|probability| (probability, fastrand::Rng::with_seed(seed)));
        Ok(Self { what, after_effect, provider, operation, times, chance })
    }
}
