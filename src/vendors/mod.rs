//! A folder for each vendor, and the functions that combine all vendors. Code outside this folder names no vendor's
//! folder.

#[cfg(feature = "sandbox")]
use crate::{
    Mandates, MandatesBuilder,
    sandbox::{Options, Sandbox, SimulatedVendor},
};
use crate::{
    facade::Probe,
    vocabulary::{DebitRow, Provider, SpecOrigin, SpecVersion, VocabularyRow},
};
use chrono::NaiveDate;
#[cfg(feature = "sandbox")]
use std::io;

#[cfg(feature = "easytransac")]
pub mod easytransac;
#[cfg(feature = "safedebit")]
pub mod safedebit;
#[cfg(feature = "seqino")]
pub mod seqino;

/// The parts of a vendor that the functions for all vendors combine.
struct Parts {
    provider: Provider,
    /// The spec as JSON.
    spec: &'static str,
    origin: SpecOrigin,
    vocabulary: fn() -> Vec<VocabularyRow>,
    debit_vocabulary: fn() -> Vec<DebitRow>,
    #[cfg(feature = "sandbox")]
    simulated: fn() -> SimulatedVendor,
    /// Adds the configuration of the simulated vendor.
    #[cfg(feature = "sandbox")]
    configured: fn(&Sandbox, MandatesBuilder) -> MandatesBuilder,
}

/// The vendors whose feature is on, in a list of build.rs: `&[easytransac::PARTS, …]`.
const VENDORS: &[Parts] = include!(concat!(env!("OUT_DIR"), "/vendors.rs"));

/// The table that maps the vendors' words to statuses, for the vendors whose feature is on.
/// [`Mandates::status`](crate::Mandates::status) uses it.
pub fn vocabulary() -> Vec<VocabularyRow> {
    VENDORS.iter().flat_map(|vendor| (vendor.vocabulary)()).collect()
}

/// The table that maps the vendors' words to statuses of debits, for the vendors whose feature is on.
/// [`Mandates::debit`](crate::Mandates::debit) uses it. Seqino has no debits.
pub fn debit_vocabulary() -> Vec<DebitRow> {
    VENDORS.iter().flat_map(|vendor| (vendor.debit_vocabulary)()).collect()
}

/// The specs from which this build generated its clients: those of this crate, or your own in the folder
/// `MANDAT_SPECS`. See [When a vendor changes](crate::book::changes).
pub fn spec_versions() -> Vec<SpecVersion> {
    VENDORS.iter().map(|vendor| SpecVersion::new(vendor.provider, vendor.origin)).collect()
}

/// The spec of a vendor as JSON, with your changes. `None` if the feature of the vendor is off.
pub fn spec(provider: Provider) -> Option<&'static str> {
    VENDORS.iter().find(|vendor| vendor.provider == provider).map(|vendor| vendor.spec)
}

#[cfg(feature = "sandbox")]
pub(crate) fn simulated() -> Vec<SimulatedVendor> {
    VENDORS.iter().map(|vendor| (vendor.simulated)()).collect()
}

impl Probe {
    /// The report as a patch of the spec, for your folder `MANDAT_SPECS`: see
    /// [When a vendor changes](crate::book::changes). It changes each part that differs, and marks each part that was
    /// known less well as `observed` on `day`. It has keys and types, and no value of the response.
    ///
    /// A key that came in place of another one of its type counts as its new name. The patch is against
    /// [`spec`](crate::spec): if you have a patch already, add this one to it.
    ///
    /// `None` if the patch would change nothing, or if the response as a whole has another form.
    pub fn to_patch(&self, day: NaiveDate) -> Option<String> {
        self.patch_of(spec(self.provider)?, day)
    }
}

#[cfg(feature = "sandbox")]
impl Sandbox {
    /// The consumer of SafeDebit that exists when the sandbox starts. SafeDebit's sample requests use this consumer.
    pub const CONSUMER: &str = "XXXXXXXXXXXXX";
    /// The client of Seqino that exists when the sandbox starts. Seqino's sample requests use this client.
    pub const CLIENT: &str = "client_abc123";

    /// Starts a sandbox on a free port of the loopback address.
    ///
    /// # Errors
    /// If no port is free.
    pub async fn start() -> io::Result<Self> {
        Self::start_with(Options::default()).await
    }

    /// Starts a sandbox with these options. Logs a warning if the sandbox listens on an address that is not loopback.
    ///
    /// # Errors
    /// If the sandbox cannot listen on the address, or if a host is not valid.
    pub async fn start_with(options: Options) -> io::Result<Self> {
        Self::simulate(simulated(), options).await
    }

    /// Creates the facade with the addresses, the credentials and the clock of this sandbox.
    ///
    /// # Panics
    /// Never: the sandbox's own addresses and credentials are valid.
    pub fn mandates(&self) -> Mandates {
        self.builder().build().unwrap_or_else(|e| unreachable!("the sandbox's own configuration: {e}"))
    }

    /// Creates a builder of the facade with the addresses, the credentials and the clock of this sandbox.
    pub fn builder(&self) -> MandatesBuilder {
        let clock = self.clock();
        let builder = Mandates::builder().clock(move || clock.now());
        VENDORS.iter().fold(builder, |builder, vendor| (vendor.configured)(self, builder))
    }
}
