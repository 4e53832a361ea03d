//! A query for the status of a mandate, with your stored state and the facts that only you know.

use super::{Facts, Lookup, MandateRef, Source, StoredState};

/// A query for the status of a mandate, with your stored state and the facts that only you know. Convert a query from a
/// [`MandateRef`], or from a pair of a [`MandateRef`] and a [`StoredState`].
///
/// Pass the [`Facts`] to get a verdict on a direct-debit mandate:
///
/// ```
/// # #[cfg(all(feature = "safedebit", feature = "sandbox"))]
/// # mod example {
/// # use mandat::{Facts, LastCollection, MandateRef, Permission, StatusQuery, sandbox::Sandbox};
/// # use std::time::Duration;
/// # #[tokio::main(flavor = "current_thread")]
/// # pub async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let sandbox = Sandbox::start().await?;
/// # let mandates = sandbox.mandates();
/// use futures_util::StreamExt;
///
/// let facts = Facts {
///     signed_on: Some("2020-01-15".parse()?),
///     signature_confirmed: Some(true),
///     last_collection: LastCollection::Never,
///     revoked_by_debtor: Some(false),
///     one_off_used: Some(false),
///     max_age: Duration::from_secs(3600),
///     last_acknowledged: None,
/// };
/// let query = StatusQuery::new(MandateRef::safedebit("XXXXXXXXXXXXX")).with_facts(facts);
/// let reading = mandates.statuses([query]).changes().next().await.expect("the stream has one reading");
/// // Nothing was collected for 36 months.
/// assert_eq!(reading.result?.to.verdict, Some(Permission::Refused));
/// # Ok(())
/// # }
/// # }
/// # #[cfg(all(feature = "safedebit", feature = "sandbox"))]
/// # example::main().unwrap();
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StatusQuery {
    /// The reference of the mandate.
    pub reference: MandateRef,
    /// The state of the mandate that you stored after the last reading, if any.
    pub stored: Option<StoredState>,
    /// The facts about a direct-debit mandate that only you know. Without facts, no verdict is computed or compared.
    /// For an e-invoicing mandate, only [`Facts::last_acknowledged`] is used.
    pub facts: Option<Facts>,
}

impl StatusQuery {
    /// Creates a query without a stored state and without facts.
    pub fn new(reference: MandateRef) -> Self {
        Self { reference, stored: None, facts: None }
    }

    /// Sets [`stored`](Self::stored).
    #[must_use]
    pub fn with_stored(self, stored: impl Into<Option<StoredState>>) -> Self {
        Self { stored: stored.into(), ..self }
    }

    /// Sets [`facts`](Self::facts).
    #[must_use]
    pub fn with_facts(self, facts: impl Into<Option<Facts>>) -> Self {
        Self { facts: facts.into(), ..self }
    }
}

impl From<MandateRef> for StatusQuery {
    fn from(reference: MandateRef) -> Self {
        Self::new(reference)
    }
}

impl From<&MandateRef> for StatusQuery {
    fn from(reference: &MandateRef) -> Self {
        reference.clone().into()
    }
}

impl From<(MandateRef, StoredState)> for StatusQuery {
    fn from((reference, known): (MandateRef, StoredState)) -> Self {
        Self::new(reference).with_stored(known)
    }
}

impl From<(MandateRef, Option<StoredState>)> for StatusQuery {
    fn from((reference, stored): (MandateRef, Option<StoredState>)) -> Self {
        Self::new(reference).with_stored(stored)
    }
}

/// Converts a query to a lookup. The mandate counts as known to the vendor if the stored state comes from a read, not
/// only from a creation.
impl<'a> From<&'a StatusQuery> for Lookup<'a> {
    fn from(query: &'a StatusQuery) -> Self {
        let known = query.stored.as_ref().is_some_and(|known| known.source == Source::Read);
        Self { reference: &query.reference, known, past: query.stored.as_ref().and_then(StoredState::past) }
    }
}
