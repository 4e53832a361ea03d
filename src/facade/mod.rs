//! [`Mandates`]: one question, any vendor.

mod probe;

pub use probe::{Difference, Probe};

use crate::{
    Error, ErrorKind, Lookup, Mandate, MandateRef, MandateStatus, Provider, RawStatus, Schedule, Tracked,
    fleet::{Done, Gate},
    provider::for_each_provider,
    shape,
    status::{Meaning, VocabularyRow},
    transport::{Answer, Operation, Vendor},
};
use chrono::{DateTime, Utc};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

/// What each provider's client does for the facade.
pub(crate) trait Adapter: Sized + Sync {
    /// What the reads of one run of [`Mandates::statuses`] share.
    type Run: Default + Send + Sync;

    /// Reads one mandate and says it in the words of the vocabulary. `now` is when it was asked.
    fn read(&self, lookup: Lookup<'_>, now: DateTime<Utc>) -> impl Future<Output = Result<Mandate, Error>> + Send;

    /// Reads mandates of one client, as many as there are `lookups`; of a vendor without clients it is one.
    fn read_all(
        &self,
        _run: &Self::Run,
        lookups: &[Lookup<'_>],
        now: DateTime<Utc>,
    ) -> impl Future<Output = Vec<Result<Mandate, Error>>> + Send {
        async move {
            let mut readings = Vec::with_capacity(lookups.len());
            for lookup in lookups {
                readings.push(self.read(*lookup, now).await);
            }
            readings
        }
    }

    /// The body that answers for a mandate, and the operation that gave it.
    fn probe(&self, reference: &MandateRef)
    -> impl Future<Output = Result<(&'static Operation, Answer), Error>> + Send;

    /// Every word of the spec with its meaning.
    fn words() -> Vec<(String, Meaning)>;
}

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
    clients: Clients,
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

type Clock = Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>;

/// So many unknown words are told of; a vendor that invents one per mandate must not fill the memory.
const TOLD: usize = 256;

/// Shows which vendors are configured.
impl fmt::Debug for Mandates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.clients.fmt(f)
    }
}

impl Mandates {
    /// Configures the vendors that you use.
    pub fn builder() -> MandatesBuilder {
        MandatesBuilder {
            configs: Configs::default(),
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
    /// an error. The other vendors do not say so plainly enough: there it stays [`ErrorKind::NotFound`].
    ///
    /// Only the last two also tell whether the mandate came back from an end: see [`Mandate::reinstated_from`].
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] only if the vendor itself says so for this one mandate. [`ErrorKind::Decode`] if the
    /// answer is not that mandate: nothing is guessed. [`ErrorKind::NotConfigured`] without that vendor.
    pub async fn status(&self, lookup: impl Into<Lookup<'_>>) -> Result<Mandate, Error> {
        let lookup = lookup.into();
        let mandate = self.look(lookup).await?;
        self.gate(lookup.reference.provider()).reopen();
        Ok(mandate)
    }

    pub(crate) async fn look(&self, lookup: Lookup<'_>) -> Result<Mandate, Error> {
        lookup.reference.complete()?;
        let mut mandate = self.read(lookup, self.now()).await?;
        self.finish(lookup, &mut mandate);
        Ok(mandate)
    }

    /// Reads a mandate and reports the shape of the answer beside what the spec says: keys and JSON types, no values.
    /// It is how a guess in a spec becomes a fact; the report can be committed.
    ///
    /// # Errors
    /// As [`status`](Self::status), but an answer of another shape is a report and no error.
    pub async fn probe(&self, reference: &MandateRef) -> Result<Probe, Error> {
        reference.complete()?;
        let (operation, answer) = self.read_raw(reference).await?;
        Ok(Probe::new(reference.provider(), operation, &answer.body))
    }

    /// Reads what came together, each on its own account.
    pub(crate) async fn read_batch(&self, provider: Provider, runs: &Runs, batch: Vec<Tracked>) -> Vec<Done> {
        let lookups: Vec<Lookup<'_>> = batch.iter().map(Lookup::from).collect();
        let mut readings = match self.read_all(provider, runs, &lookups, self.now()).await {
            Ok(readings) => readings,
            Err(error) => vec![Err(error); lookups.len()],
        };
        for (lookup, reading) in lookups.iter().zip(&mut readings) {
            if let Ok(mandate) = reading {
                self.finish(*lookup, mandate);
            }
        }
        batch.into_iter().zip(readings).collect()
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
    configs: Configs,
    mapped: Mapped,
    refused: Option<Error>,
    clock: Clock,
    schedule: Schedule,
}

impl fmt::Debug for MandatesBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.configs.fmt(f)
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
    /// [`ErrorKind::NotConfigured`], with what is wrong in which configuration.
    pub fn build(self) -> Result<Mandates, Error> {
        if let Some(refused) = self.refused {
            return Err(refused);
        }
        let Self { configs, mapped, clock, schedule, .. } = self;
        let (clients, gates, told) = (configs.connect()?, Default::default(), Mutex::default());
        Ok(Mandates { inner: Arc::new(Inner { clients, mapped, clock, schedule, gates, told }) })
    }
}

/// What depends on which providers there are.
macro_rules! per_provider {
    ($($feature:literal, $module:ident, $variant:ident, $shown:literal, $use:ident, $form:literal, $parts:tt;)+) => {
        #[derive(Debug, Default)]
        struct Configs {
            $(#[cfg(feature = $feature)] $module: Option<crate::$module::Config>,)+
        }

        #[derive(Debug)]
        struct Clients {
            $(#[cfg(feature = $feature)] $module: Option<crate::$module::Client>,)+
        }

        /// What the reads of one run share, by provider.
        #[derive(Default)]
        pub(crate) struct Runs {
            $(#[cfg(feature = $feature)] $module: <crate::$module::Client as Adapter>::Run,)+
        }

        impl Configs {
            fn connect(self) -> Result<Clients, Error> {
                Ok(Clients {
                    $(#[cfg(feature = $feature)] $module: self.$module.map(crate::$module::Client::new).transpose()?,)+
                })
            }
        }

        impl MandatesBuilder {
            $(
                #[cfg(feature = $feature)]
                #[doc = concat!("Uses ", $shown, ".")]
                pub fn $module(mut self, config: crate::$module::Config) -> Self {
                    self.configs.$module = Some(config);
                    self
                }
            )+
        }

        #[allow(unreachable_patterns, reason = "with every feature on, each match has every provider")]
        impl Mandates {
            $(
                #[cfg(feature = $feature)]
                #[doc = concat!("The typed client of ", $shown, ", with the same credentials and connections.")]
                ///
                /// # Errors
                /// [`ErrorKind::NotConfigured`] if the builder was not given its configuration.
                pub fn $module(&self) -> Result<&crate::$module::Client, Error> {
                    let missing = || Error::not_configured(Provider::$variant, concat!("give the builder its `Config`: `.", $feature, "(...)`"));
                    self.inner.clients.$module.as_ref().ok_or_else(missing)
                }
            )+

            async fn read(&self, lookup: Lookup<'_>, _now: DateTime<Utc>) -> Result<Mandate, Error> {
                match lookup.reference.provider() {
                    $(
                        #[cfg(feature = $feature)]
                        Provider::$variant => self.$module()?.read(lookup, _now).await,
                    )+
                    provider => Err(left_out(provider)),
                }
            }

            async fn read_all(
                &self,
                provider: Provider,
                _runs: &Runs,
                _lookups: &[Lookup<'_>],
                _now: DateTime<Utc>,
            ) -> Result<Vec<Result<Mandate, Error>>, Error> {
                match provider {
                    $(
                        #[cfg(feature = $feature)]
                        Provider::$variant => Ok(self.$module()?.read_all(&_runs.$module, _lookups, _now).await),
                    )+
                    provider => Err(left_out(provider)),
                }
            }

            /// How many calls may be under way at a vendor. One that is not configured refuses them one by one.
            pub(crate) fn concurrency(&self, provider: Provider) -> usize {
                match provider {
                    $(
                        #[cfg(feature = $feature)]
                        Provider::$variant => self.$module().map_or(1, |client| client.transport().concurrency()),
                    )+
                    _ => 1,
                }
            }

            async fn read_raw(&self, reference: &MandateRef) -> Result<(&'static Operation, Answer), Error> {
                match reference.provider() {
                    $(
                        #[cfg(feature = $feature)]
                        Provider::$variant => self.$module()?.probe(reference).await,
                    )+
                    provider => Err(left_out(provider)),
                }
            }
        }

        /// The table that maps vendors' words to statuses, for the providers whose feature is on: what
        /// [`Mandates::status`] goes by.
        pub fn vocabulary() -> Vec<VocabularyRow> {
            #[allow(unused_mut, reason = "with no feature on, there is nothing to add")]
            let mut rows = Vec::new();
            $(
                #[cfg(feature = $feature)]
                rows.extend(<crate::$module::Client as Adapter>::words().into_iter().map(|(raw, meaning)| VocabularyRow {
                    provider: Provider::$variant,
                    raw,
                    status: meaning.status,
                    next_step: meaning.next,
                    evidence: meaning.evidence,
                }));
            )+
            rows
        }
    };
}
for_each_provider!(per_provider);

fn left_out(provider: Provider) -> Error {
    Error::new(ErrorKind::NotConfigured)
        .at(Some(provider))
        .detail(format!("turn the feature `{}` of mandat on", provider.as_str()))
}
