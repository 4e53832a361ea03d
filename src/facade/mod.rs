//! [`Mandates`]: one question, any vendor.

mod gate;
mod probe;

pub(crate) use gate::Gate;
pub use probe::{Difference, Probe};

use crate::{
    adapter::{Adapter, BatchReader},
    mandate::{Lookup, Mandate, MandateRef, Schedule, Tracked},
    vocabulary::{Error, MandateStatus, Provider, RawStatus},
    wire::shape,
};
use chrono::{DateTime, Utc};
use std::{
    any::Any,
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

/// Mandates at any vendor: what state they are in, in one vocabulary. Clones share connections, tokens and limits.
///
/// ```no_run
/// # #[cfg(all(feature = "easytransac", feature = "safedebit", feature = "seqino"))]
/// # async fn run(api_key: String, base_url: String, login: String, password: String) -> Result<(), mandat::Error> {
/// use mandat::{MandateRef, Mandates, easytransac, safedebit};
///
/// let mandates = Mandates::builder()
///     .easytransac(easytransac::Config::sandbox(api_key))
///     .safedebit(safedebit::Config::new(base_url, login, password))
///     .build()?;
/// let mandate = mandates.status(&MandateRef::safedebit("RUM-2026-0042")).await?;
/// println!("{} ({})", mandate.status, mandate.raw);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Mandates {
    inner: Arc<Inner>,
}

struct Inner {
    adapters: Adapters,
    mapped: Mapped,
    clock: Clock,
    schedule: Schedule,
    /// By provider, for the watches.
    gates: [Gate; Provider::ALL.len()],
    /// Words that nobody knows and that were told of already.
    told: Mutex<BTreeSet<(Provider, String)>>,
}

/// The caller's meanings of words.
type Mapped = BTreeMap<Provider, BTreeMap<String, MandateStatus>>;

/// The configured vendors.
type Adapters = BTreeMap<Provider, Arc<dyn Adapter>>;

type Clock = Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>;

/// So many unknown words are told of; a vendor that invents one per mandate must not fill the memory.
const TOLD: usize = 256;

/// Shows which vendors are configured.
impl fmt::Debug for Mandates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.inner.adapters.values()).finish()
    }
}

impl Mandates {
    /// Configures the vendors that you use.
    pub fn builder() -> MandatesBuilder {
        MandatesBuilder {
            adapters: BTreeMap::new(),
            mapped: Mapped::new(),
            refused: None,
            clock: Arc::new(Utc::now),
            schedule: Schedule::default(),
        }
    }

    /// Reads a mandate from its vendor.
    ///
    /// Give a [`MandateRef`], a [`Mandate`] that you read before, or a [`Tracked`] with what you have stored. With one of
    /// the last two (or [`MandateRef::known`]) a mandate that Seqino no longer knows is [`MandateStatus::Gone`] instead of
    /// an error. The other vendors do not say so plainly enough: there it stays [`NotFound`](crate::ErrorKind::NotFound).
    ///
    /// Only the last two also tell whether the mandate came back from an end: see [`Mandate::reinstated_from`].
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) only if the vendor itself says so for this one mandate. [`Decode`](crate::ErrorKind::Decode) if the
    /// answer is not that mandate: nothing is guessed. [`NotConfigured`](crate::ErrorKind::NotConfigured) without that vendor.
    pub async fn status(&self, lookup: impl Into<Lookup<'_>>) -> Result<Mandate, Error> {
        let lookup = lookup.into();
        let mandate = self.look(lookup).await?;
        self.gate(lookup.reference.provider()).reopen();
        Ok(mandate)
    }

    pub(crate) async fn look(&self, lookup: Lookup<'_>) -> Result<Mandate, Error> {
        lookup.reference.complete()?;
        let mut mandate = self.adapter(lookup.reference.provider())?.read(lookup, self.now()).await?;
        self.finish(lookup, &mut mandate);
        Ok(mandate)
    }

    /// Reads a mandate and reports the shape of the answer beside what the spec says: keys and JSON types, no values.
    /// It is how a guess in a spec becomes a fact; the report can be committed.
    ///
    /// Also create a mandate, do not sign it, and read it once: a shape does not tell if the vendor's word for an active
    /// mandate means a signed one.
    ///
    /// # Errors
    /// As [`status`](Self::status), but an answer of another shape is a report and no error.
    pub async fn probe(&self, reference: &MandateRef) -> Result<Probe, Error> {
        reference.complete()?;
        let (operation, answer) = self.adapter(reference.provider())?.probe(reference).await?;
        Ok(Probe::new(reference.provider(), operation, &answer.body))
    }

    /// Reads mandates of one client, each with a result of its own.
    pub(crate) async fn read_batch(&self, reader: &dyn BatchReader, batch: &[Tracked]) -> Vec<Result<Mandate, Error>> {
        let lookups: Vec<Lookup<'_>> = batch.iter().map(Lookup::from).collect();
        let mut results = reader.read_batch(&lookups, self.now()).await;
        for (lookup, result) in lookups.iter().zip(&mut results) {
            if let Ok(mandate) = result {
                self.finish(*lookup, mandate);
            }
        }
        results
    }

    /// The adapter of a vendor.
    ///
    /// # Errors
    /// [`NotConfigured`](crate::ErrorKind::NotConfigured) if the builder has no configuration of this vendor.
    pub(crate) fn adapter(&self, provider: Provider) -> Result<&Arc<dyn Adapter>, Error> {
        self.inner.adapters.get(&provider).ok_or_else(|| not_configured(provider))
    }

    /// The typed client of a vendor, which is its adapter.
    ///
    /// # Errors
    /// As [`adapter`](Self::adapter).
    pub(crate) fn client<C: Adapter>(&self, provider: Provider) -> Result<&C, Error> {
        let adapter: &dyn Any = &**self.adapter(provider)?;
        adapter.downcast_ref().ok_or_else(|| not_configured(provider))
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        (self.inner.clock)()
    }

    /// What the watches know of a vendor's refusals.
    pub(crate) fn gate(&self, provider: Provider) -> &Gate {
        &self.inner.gates[provider as usize]
    }

    pub(crate) fn schedule(&self) -> &Schedule {
        &self.inner.schedule
    }

    /// What an adapter leaves to do: the caller's own words, and what was known before.
    fn finish(&self, lookup: Lookup<'_>, mandate: &mut Mandate) {
        self.apply_mapping(mandate);
        if let Some(past) = lookup.past {
            mandate.follow(past);
        }
    }

    fn apply_mapping(&self, mandate: &mut Mandate) {
        let (provider, word) = (mandate.reference.provider(), mandate.raw.as_str());
        // A word of our tables is ours to read, unless the caller's choice permits less.
        let open = matches!(mandate.status, MandateStatus::Unrecognized | MandateStatus::Active);
        let mapped = self.inner.mapped.get(&provider).and_then(|words| words.get(word)).filter(|_| open);
        if let Some(status) = mapped {
            mandate.status = *status;
            mandate.next = status.next_step();
        } else if mandate.status == MandateStatus::Unrecognized {
            let new = {
                let mut told = self.inner.told.lock().unwrap_or_else(PoisonError::into_inner);
                told.len() < TOLD && told.insert((provider, word.to_owned()))
            };
            // A subscriber may ask us something.
            if new {
                // A vendor may have put anything there. What is no scalar is shown by its kind alone.
                let shown = match shape::is_word(word) || word.is_empty() || word.starts_with(['{', '[']) {
                    true => mandate.raw.to_string(),
                    false => format!("({} characters, in `Mandate::raw`)", word.chars().count()),
                };
                tracing::warn!(
                    provider = provider.as_str(),
                    word = %shown,
                    "unknown mandate status: map it with map_status, and tell the maintainers of mandat"
                );
            }
        }
    }
}

/// Configures [`Mandates`].
#[must_use]
pub struct MandatesBuilder {
    adapters: BTreeMap<Provider, Result<Arc<dyn Adapter>, Error>>,
    mapped: Mapped,
    refused: Option<Error>,
    clock: Clock,
    schedule: Schedule,
}

impl fmt::Debug for MandatesBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.adapters.values()).finish()
    }
}

impl MandatesBuilder {
    /// Gives a meaning to a vendor's word that this version does not know, until a release does.
    ///
    /// It never maps to `Active`: whether an unknown word lets you collect is not for a table to say. When a later
    /// release knows the word, its table wins, unless your choice permits less.
    pub fn map_status(mut self, provider: Provider, word: impl Into<String>, status: MandateStatus) -> Self {
        use MandateStatus::{Active, Gone, Unrecognized};
        if matches!(status, Active | Gone | Unrecognized) {
            let what = format!("map_status: a word cannot be mapped to {status}");
            self.refused.get_or_insert(Error::not_configured(provider, what));
        }
        // As it is kept of an answer.
        let word = RawStatus::new(&word.into()).as_str().to_owned();
        self.mapped.entry(provider).or_default().insert(word, status);
        self
    }

    /// Another clock than the system's, for tests. It decides about start and end dates and stamps every reading.
    pub fn clock(mut self, clock: impl Fn() -> DateTime<Utc> + Send + Sync + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// When [`Mandates::watch`] looks at a mandate again.
    pub fn schedule(mut self, schedule: Schedule) -> Self {
        self.schedule = schedule;
        self
    }

    /// The facade. Nothing is sent yet.
    ///
    /// # Errors
    /// [`NotConfigured`](crate::ErrorKind::NotConfigured), with what is wrong in which configuration.
    pub fn build(self) -> Result<Mandates, Error> {
        if let Some(refused) = self.refused {
            return Err(refused);
        }
        let Self { adapters, mapped, clock, schedule, .. } = self;
        let connected = adapters.into_iter().map(|(provider, adapter)| Ok((provider, adapter?)));
        let adapters = connected.collect::<Result<Adapters, Error>>()?;
        let (gates, told) = (Default::default(), Mutex::default());
        Ok(Mandates { inner: Arc::new(Inner { adapters, mapped, clock, schedule, gates, told }) })
    }

    /// Adds a vendor. The last configuration of a vendor counts, and [`build`](Self::build) returns its error.
    pub(crate) fn with_adapter(mut self, provider: Provider, client: Result<impl Adapter, Error>) -> Self {
        self.adapters.insert(provider, client.map(|client| Arc::new(client) as Arc<dyn Adapter>));
        self
    }
}

fn not_configured(provider: Provider) -> Error {
    let name = provider.as_str();
    Error::not_configured(
        provider,
        format!("give the builder its `Config`: `.{name}(...)`. It needs the feature `{name}`"),
    )
}
