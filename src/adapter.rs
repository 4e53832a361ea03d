//! The interface between the facade and a vendor. Each vendor's folder implements it.

use crate::{
    debit::{Debit, DebitRef, RecordRef},
    mandate::{Lookup, Mandate},
    transport::{OperationSpec, Transport, VendorResponse},
    vocabulary::{Error, Seen, SpecOrigin},
};
use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;
use std::{any::Any, fmt, sync::Arc};

/// A vendor's typed client, as the facade sees it.
pub(crate) trait Adapter: Any + fmt::Debug + Send + Sync {
    /// Reads one mandate from the vendor. `now` is the time of the request.
    fn read<'a>(&'a self, lookup: Lookup<'a>, now: DateTime<Utc>) -> BoxFuture<'a, Result<Mandate, Error>>;

    /// Reads one debit. `now` is the time of the request.
    fn read_debit<'a>(&'a self, reference: &'a DebitRef, _now: DateTime<Utc>) -> BoxFuture<'a, Result<Debit, Error>> {
        Box::pin(async { Err(Error::no_debits(reference.provider())) })
    }

    /// Requests a record. Returns the response before decoding, with the operation that was called.
    fn probe<'a>(
        &'a self,
        reference: RecordRef<'a>,
    ) -> BoxFuture<'a, Result<(&'static OperationSpec, VendorResponse), Error>>;

    /// Returns the vendor's part of a check of the set-up. Sends nothing before a future of the result is awaited.
    fn checkup(&self) -> Checkup<'_>;

    /// Returns the reader for one run of [`Mandates::statuses`](crate::Mandates::statuses). `None` if the vendor's API
    /// has no request for several mandates.
    fn batch_reader(self: Arc<Self>) -> Option<Arc<dyn BatchReader>> {
        None
    }

    /// Returns the maximum number of requests to the vendor that run at the same time.
    fn concurrency(&self) -> usize;
}

/// A vendor's part of a check of the set-up.
pub(crate) struct Checkup<'a> {
    pub transport: &'a Transport,
    pub spec: SpecOrigin,
    /// The address of the vendor's test environment, if its pages name one.
    pub test_address: Option<&'static str>,
    /// The vendor's code for an IP address that is not allowed, if its pages name one.
    pub address_code: Option<&'static str>,
    /// A call without credentials, if the vendor has one for this purpose.
    pub health: Option<BoxFuture<'a, Result<Seen, Error>>>,
    /// A call with credentials that changes nothing at the vendor, and whose response has no personal data. It makes
    /// one attempt, so that a wrong password is sent once. It may ask for a record that does not exist.
    pub call: BoxFuture<'a, Result<Seen, Error>>,
    /// The id of the call in the spec.
    pub operation: &'static str,
}

/// Reads the mandates of one run of [`Mandates::statuses`](crate::Mandates::statuses). A reader may keep a response
/// that several batches need, such as a list of clients.
pub(crate) trait BatchReader: Send + Sync {
    /// Reads the mandates of one client. Each mandate has its own result, in the order of `lookups`.
    fn read_batch<'a>(
        &'a self,
        lookups: &'a [Lookup<'a>],
        now: DateTime<Utc>,
    ) -> BoxFuture<'a, Vec<Result<Mandate, Error>>>;
}
