//! Many mandates, over time.

mod known;
mod schedule;
mod statuses;
mod watch;

pub use known::{Changed, Known, Permission};
pub use schedule::Schedule;
pub(crate) use statuses::Done;
pub use statuses::{Changes, Reading, References, Statuses};

use crate::{Facts, Lookup, MandateRef, Source};

/// A mandate to look at, with what you know of it. Made from a [`MandateRef`] alone, or from one and a [`Known`].
#[derive(Clone, Debug)]
pub struct Tracked {
    /// Which mandate.
    pub reference: MandateRef,
    /// What you have stored of it, if anything.
    pub known: Option<Known>,
    /// What only you know of a mandate to collect on; without it no verdict on it is compared.
    pub facts: Option<Facts>,
}

impl From<MandateRef> for Tracked {
    fn from(reference: MandateRef) -> Self {
        Self { reference, known: None, facts: None }
    }
}

impl From<&MandateRef> for Tracked {
    fn from(reference: &MandateRef) -> Self {
        reference.clone().into()
    }
}

impl From<(MandateRef, Known)> for Tracked {
    fn from((reference, known): (MandateRef, Known)) -> Self {
        Self { reference, known: Some(known), facts: None }
    }
}

impl From<(MandateRef, Option<Known>)> for Tracked {
    fn from((reference, known): (MandateRef, Option<Known>)) -> Self {
        Self { reference, known, facts: None }
    }
}

impl Tracked {
    pub(crate) fn lookup(&self) -> Lookup<'_> {
        let known = self.known.as_ref().is_some_and(|known| known.source == Source::Read);
        Lookup { reference: &self.reference, known }
    }
}
