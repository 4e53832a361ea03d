//! [`Mandates`], the facade that reads a mandate from any vendor.

mod check;
mod gate;
mod patch;
mod probe;

pub use check::{Check, CheckEnvironment, CheckReport, CheckResult, CheckStep};
pub(crate) use gate::Gate;
pub use probe::{Difference, Probe};

use crate::{
    adapter::{Adapter, BatchReader},
    debit::{Debit, DebitRef, RecordRef},
    mandate::{Lookup, Mandate, Schedule, StatusQuery},
    vocabulary::{DebitStatus, Error, Evidence, MandateStatus, Provider, RawStatus},
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
    /// One [`Gate`] per vendor. All watches on mandates of a vendor share its gate, so that one refusal of the caller
    /// stops them all.
    gates: [Gate; Provider::ALL.len()],
    /// The unknown status words that were already logged, so that each word is logged only once.
    told: Mutex<BTreeSet<(Provider, &'static str, String)>>,
}

/// The meanings of status words that the caller configured.
type Mapped = BTreeMap<Provider, BTreeMap<String, MandateStatus>>;

type Adapters = BTreeMap<Provider, Arc<dyn Adapter>>;

type Clock = Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>;

/// The maximum number of unknown status words that are logged. If a vendor sends a new word for each mandate, the list
/// must not grow without a limit.
const TOLD: usize = 256;

/// `Debug` shows only which vendors are configured.
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

    /// Reads one mandate from its vendor.
    ///
    /// Pass a [`MandateRef`](crate::MandateRef), a [`Mandate`] that you read before, or a [`StatusQuery`] with your
    /// stored state. A `Mandate` and a `StatusQuery` carry the earlier state. Without an earlier state, a reading
    /// cannot show that the mandate was reinstated; see [`Mandate::reinstated_from`].
    ///
    /// If you pass an earlier state or [`MandateRef::known`](crate::MandateRef::known), a mandate that Seqino no longer
    /// knows gets the status [`MandateStatus::Gone`] instead of an error. The responses of the other vendors are not
    /// clear enough for the status `Gone`, so the result is [`NotFound`](crate::ErrorKind::NotFound).
    ///
    /// # Errors
    /// - [`NotFound`](crate::ErrorKind::NotFound) only if the vendor itself does not know the mandate.
    /// - [`Decode`](crate::ErrorKind::Decode) if the response does not describe the requested mandate. The status is
    ///   never guessed.
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

    /// Reads a debit from its vendor.
    ///
    /// At Easytransac this is the state of a transaction, which need not be a debit. At SafeDebit the response of the
    /// search is inferred, so a response without this debit and its status is an error.
    ///
    /// # Errors
    /// - [`NotFound`](crate::ErrorKind::NotFound) if the vendor shows no such debit now. The debit may still exist.
    /// - [`Decode`](crate::ErrorKind::Decode) if the response does not describe this debit. Nothing is guessed.
    /// - [`NotConfigured`](crate::ErrorKind::NotConfigured) if the builder has no configuration of the vendor.
    /// - Any other kind if the call fails; see [`ErrorKind`](crate::ErrorKind).
    pub async fn debit(&self, reference: &DebitRef) -> Result<Debit, Error> {
        reference.complete()?;
        let provider = reference.provider();
        let debit = self.adapter(provider)?.read_debit(reference, self.now()).await?;
        self.gate(provider).reopen();
        // A known word can be `Unrecognized`, too: the vendor's pages contradict each other about its meaning.
        if debit.status == DebitStatus::Unrecognized && debit.evidence == Evidence::Inferred {
            self.tell_unknown(provider, "debit", &debit.raw, "report it to the maintainers of mandat");
        }
        Ok(debit)
    }

    /// Reads a mandate or a debit, and compares the shape of the response with the spec. The report has keys and JSON
    /// types, but no values, so you can commit it to a repository. Use the report to confirm or correct an inferred
    /// fact in a spec.
    ///
    /// Also create a mandate, leave it unsigned, and read its status. A report of keys and types cannot show whether
    /// the vendor calls an unsigned mandate active.
    ///
    /// # Errors
    /// The errors of [`status`](Self::status). A response of another shape is not an error: the report lists the
    /// differences.
    pub async fn probe<'a>(&self, reference: impl Into<RecordRef<'a>>) -> Result<Probe, Error> {
        let reference = reference.into();
        reference.complete()?;
        let (operation, answer) = self.adapter(reference.provider())?.probe(reference).await?;
        Ok(Probe::new(reference.provider(), operation, &answer.body))
    }

    /// Reads the mandates of one client. Each mandate has its own result.
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
    /// [`NotConfigured`](crate::ErrorKind::NotConfigured) if the builder has no configuration of this vendor.
    pub(crate) fn client<C: Adapter>(&self, provider: Provider) -> Result<&C, Error> {
        let adapter: &dyn Any = &**self.adapter(provider)?;
        adapter.downcast_ref().ok_or_else(|| not_configured(provider))
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        (self.inner.clock)()
    }

    /// Returns the gate of a vendor. All watches on mandates of the vendor share this gate.
    pub(crate) fn gate(&self, provider: Provider) -> &Gate {
        &self.inner.gates[provider as usize]
    }

    pub(crate) fn schedule(&self) -> &Schedule {
        &self.inner.schedule
    }

    /// Completes the reading of an adapter: applies the caller's mapping of unknown words, and compares the reading
    /// with the earlier state.
    fn finish(&self, lookup: Lookup<'_>, mandate: &mut Mandate) {
        self.apply_mapping(mandate);
        if let Some(past) = lookup.past {
            mandate.follow(past);
        }
    }

    fn apply_mapping(&self, mandate: &mut Mandate) {
        let (provider, word) = (mandate.reference.provider(), mandate.raw.as_str());
        // A meaning in the tables of this crate has priority over the caller's mapping. Exception: the caller may
        // replace `Active` by a status that permits less.
        let open = matches!(mandate.status, MandateStatus::Unrecognized | MandateStatus::Active);
        let mapped = self.inner.mapped.get(&provider).and_then(|words| words.get(word)).filter(|_| open);
        if let Some(status) = mapped {
            mandate.status = *status;
            mandate.next = status.next_step();
        } else if mandate.status == MandateStatus::Unrecognized {
            let advice = "map it with map_status, and report it to the maintainers of mandat";
            self.tell_unknown(provider, "mandate", &mandate.raw, advice);
        }
    }

    /// Logs a warning for an unknown word, once.
    fn tell_unknown(&self, provider: Provider, record: &'static str, raw: &RawStatus, advice: &str) {
        let word = raw.as_str();
        let new = {
            let mut told = self.inner.told.lock().unwrap_or_else(PoisonError::into_inner);
            told.len() < TOLD && told.insert((provider, record, word.to_owned()))
        };
        // Log after unlocking: a subscriber may call back into `Mandates`.
        if new {
            // A status word of a vendor may hold personal data. Log only a word of the usual form, or the kind of a
            // JSON object or list.
            let shown = match shape::is_word(word) || word.is_empty() || word.starts_with(['{', '[']) {
                true => raw.to_string(),
                false => format!("({} characters, in `raw`)", word.chars().count()),
            };
            tracing::warn!(provider = provider.as_str(), word = %shown, "the vendor sent an unknown {record} status: {advice}");
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
    /// Gives a status to a vendor's word that this version of the crate does not know.
    ///
    /// You cannot map a word to `Active`, because an unknown word must not permit a collection. You cannot map a word
    /// to `Gone` or `Unrecognized` either. In these cases [`build`](Self::build) returns an error.
    ///
    /// If a later version of the crate knows the word, the meaning in that version replaces yours. Exception: if that
    /// meaning is `Active`, your status remains, because it permits less.
    pub fn map_status(mut self, provider: Provider, word: impl Into<String>, status: MandateStatus) -> Self {
        use MandateStatus::{Active, Gone, Unrecognized};
        if matches!(status, Active | Gone | Unrecognized) {
            let what = format!("map_status: a vendor's word cannot be mapped to {status}. Map it to another status");
            self.refused.get_or_insert(Error::not_configured(provider, what));
        }
        // Cut the configured word to 64 bytes like the words in responses, so that both compare as equal.
        let word = RawStatus::new(&word.into()).as_str().to_owned();
        self.mapped.entry(provider).or_default().insert(word, status);
        self
    }

    /// Replaces the system clock, for tests. The clock sets the time of every reading, and decides whether a start or
    /// end date has passed.
    pub fn clock(mut self, clock: impl Fn() -> DateTime<Utc> + Send + Sync + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Sets the schedule by which [`Mandates::watch`] reads a mandate again.
    pub fn schedule(mut self, schedule: Schedule) -> Self {
        self.schedule = schedule;
        self
    }

    /// Builds the facade, without a request to any vendor.
    ///
    /// # Errors
    /// [`NotConfigured`](crate::ErrorKind::NotConfigured) if the configuration of a vendor is not valid. The error
    /// names the vendor and the invalid setting.
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

    /// Adds a vendor. A second configuration of the same vendor replaces the first. If the configuration is not valid,
    /// [`build`](Self::build) returns its error.
    pub(crate) fn with_adapter(mut self, provider: Provider, client: Result<impl Adapter, Error>) -> Self {
        self.adapters.insert(provider, client.map(|client| Arc::new(client) as Arc<dyn Adapter>));
        self
    }
}

fn not_configured(provider: Provider) -> Error {
    let name = provider.as_str();
    Error::not_configured(
        provider,
        format!("pass the vendor's `Config` to the builder: `.{name}(...)`. This needs the feature `{name}` of mandat"),
    )
}
