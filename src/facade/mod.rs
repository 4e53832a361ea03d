//! [`Mandates`], the facade that reads a mandate from any vendor.

mod gate;
mod patch;
mod probe;

pub(crate) use gate::Gate;
pub use probe::{Difference, Probe};

use crate::{
    adapter::{Adapter, BatchReader},
    mandate::{Lookup, Mandate, MandateRef, Schedule, StatusQuery},
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

/// Reads mandates from any vendor, with one vocabulary for their status. Clones share connections, tokens and limits.
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
    /// One gate per vendor, for the watches.
    gates: [Gate; Provider::ALL.len()],
    /// The unknown status words that were already logged.
    told: Mutex<BTreeSet<(Provider, String)>>,
}

/// The meanings of status words that the caller configured.
type Mapped = BTreeMap<Provider, BTreeMap<String, MandateStatus>>;

/// The configured vendors.
type Adapters = BTreeMap<Provider, Arc<dyn Adapter>>;

type Clock = Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>;

/// The most unknown words that are logged. A vendor that sends a new word per mandate must not fill the memory.
const TOLD: usize = 256;

/// Shows which vendors are configured.
impl fmt::Debug for Mandates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.inner.adapters.values()).finish()
    }
}

impl Mandates {
    /// Starts a builder, to which you add the vendors that you use.
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
    /// Give a [`MandateRef`], a [`Mandate`] that you read before, or a [`StatusQuery`] with your stored state.
    ///
    /// The last two carry the earlier state. Only with them the reading can tell that the mandate was reinstated; see
    /// [`Mandate::reinstated_from`].
    ///
    /// With the last two, or with [`MandateRef::known`], a mandate that Seqino no longer knows is
    /// [`MandateStatus::Gone`] instead of an error. The responses of the other vendors are not clear enough for that,
    /// so the result is [`NotFound`](crate::ErrorKind::NotFound).
    ///
    /// # Errors
    /// - [`NotFound`](crate::ErrorKind::NotFound) only if the vendor itself does not know this mandate.
    /// - [`Decode`](crate::ErrorKind::Decode) if the response does not describe this mandate. Nothing is guessed.
    /// - [`NotConfigured`](crate::ErrorKind::NotConfigured) if the builder has no configuration of the vendor.
    /// - Any other kind if the call fails; see [`ErrorKind`](crate::ErrorKind).
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

    /// Reads a mandate and compares the shape of the response with the spec. The report has keys and JSON types, but no
    /// values, so you can commit it. Use it to confirm or correct an inferred fact in a spec.
    ///
    /// Also create a mandate, do not sign it, and read it once: a shape does not tell if the vendor's word for an active
    /// mandate means a signed one.
    ///
    /// # Errors
    /// As [`status`](Self::status), except that a response of another shape is a report and not an error.
    pub async fn probe(&self, reference: &MandateRef) -> Result<Probe, Error> {
        reference.complete()?;
        let (operation, answer) = self.adapter(reference.provider())?.probe(reference).await?;
        Ok(Probe::new(reference.provider(), operation, &answer.body))
    }

    /// Reads the mandates of one client. Each has its own result.
    pub(crate) async fn read_batch(
        &self,
        reader: &dyn BatchReader,
        batch: &[StatusQuery],
    ) -> Vec<Result<Mandate, Error>> {
        let lookups: Vec<Lookup<'_>> = batch.iter().map(Lookup::from).collect();
        let mut results = reader.read_batch(&lookups, self.now()).await;
        for (lookup, result) in lookups.iter().zip(&mut results) {
            if let Ok(mandate) = result {
                self.finish(*lookup, mandate);
            }
        }
        results
    }

    /// Returns the adapter of a vendor.
    ///
    /// # Errors
    /// [`NotConfigured`](crate::ErrorKind::NotConfigured) if the builder has no configuration of this vendor.
    pub(crate) fn adapter(&self, provider: Provider) -> Result<&Arc<dyn Adapter>, Error> {
        self.inner.adapters.get(&provider).ok_or_else(|| not_configured(provider))
    }

    /// Returns the typed client of a vendor, which is also its adapter.
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

    /// The gate of a vendor, which the watches share.
    pub(crate) fn gate(&self, provider: Provider) -> &Gate {
        &self.inner.gates[provider as usize]
    }

    pub(crate) fn schedule(&self) -> &Schedule {
        &self.inner.schedule
    }

    /// Completes a reading of an adapter: applies the caller's meanings and the earlier state.
    fn finish(&self, lookup: Lookup<'_>, mandate: &mut Mandate) {
        self.apply_mapping(mandate);
        if let Some(past) = lookup.past {
            mandate.follow(past);
        }
    }

    fn apply_mapping(&self, mandate: &mut Mandate) {
        let (provider, word) = (mandate.reference.provider(), mandate.raw.as_str());
        // The tables of this crate win, except over an active status that the caller restricts.
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
            // Log after unlocking: a subscriber may call back into `Mandates`.
            if new {
                // A raw word may hold personal data. An object or a list is shown by its kind alone.
                let shown = match shape::is_word(word) || word.is_empty() || word.starts_with(['{', '[']) {
                    true => mandate.raw.to_string(),
                    false => format!("({} characters, in `Mandate::raw`)", word.chars().count()),
                };
                tracing::warn!(
                    provider = provider.as_str(),
                    word = %shown,
                    "unknown mandate status: map it with map_status, and report it to the maintainers of mandat"
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
    /// Gives a status to a vendor's word that this version does not know.
    ///
    /// A word cannot be mapped to `Active`, because an unknown word must not permit a collection. It cannot be mapped
    /// to `Gone` or `Unrecognized` either. In these cases [`build`](Self::build) returns an error.
    ///
    /// If a later release knows the word, its table wins. The exception is a table that says `Active`: then your choice
    /// wins, because it permits less.
    pub fn map_status(mut self, provider: Provider, word: impl Into<String>, status: MandateStatus) -> Self {
        use MandateStatus::{Active, Gone, Unrecognized};
        if matches!(status, Active | Gone | Unrecognized) {
            let what = format!("map_status: a word cannot be mapped to {status}. Use another status");
            self.refused.get_or_insert(Error::not_configured(provider, what));
        }
        // Cut the word like the words from responses, so that the two compare as equal.
        let word = RawStatus::new(&word.into()).as_str().to_owned();
        self.mapped.entry(provider).or_default().insert(word, status);
        self
    }

    /// Replaces the clock of the system, for tests. The clock dates every reading, and is compared with start and end
    /// dates.
    pub fn clock(mut self, clock: impl Fn() -> DateTime<Utc> + Send + Sync + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Sets the times of the checks for [`Mandates::watch`].
    pub fn schedule(mut self, schedule: Schedule) -> Self {
        self.schedule = schedule;
        self
    }

    /// Builds the facade. Sends no request.
    ///
    /// # Errors
    /// [`NotConfigured`](crate::ErrorKind::NotConfigured) if a configuration is not valid. The error names the vendor
    /// and the fault.
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

    /// Adds a vendor. A later configuration replaces an earlier one. [`build`](Self::build) returns its error.
    pub(crate) fn with_adapter(mut self, provider: Provider, client: Result<impl Adapter, Error>) -> Self {
        self.adapters.insert(provider, client.map(|client| Arc::new(client) as Arc<dyn Adapter>));
        self
    }
}

fn not_configured(provider: Provider) -> Error {
    let name = provider.as_str();
    Error::not_configured(
        provider,
        format!("pass its `Config` to the builder: `.{name}(...)`. This needs the feature `{name}`"),
    )
}
