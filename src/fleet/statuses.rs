//! Turns a stream of references to mandates into a stream of readings.

use crate::{
    adapter::BatchReader,
    facade::{Gate, Mandates},
    mandate::{Mandate, MandateChange, StatusQuery},
    vocabulary::{Error, Provider},
};
use futures_util::{
    Stream, StreamExt,
    stream::{self, BoxStream},
};
use std::{
    collections::{BTreeMap, VecDeque},
    fmt,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};
use tokio::{
    sync::mpsc::{self, Receiver, Sender},
    task::JoinSet,
};

/// The argument of [`Mandates::statuses`]: an iterator or a stream. Its items convert to [`StatusQuery`].
///
/// The compiler infers the type parameter `M`, which distinguishes an iterator from a stream. You never write `M`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an iterator or stream of references to mandates",
    label = "this is not an iterator or stream of references",
    note = "pass an iterator or a `futures_util::Stream` whose items are `MandateRef`, `&MandateRef`, \
            `(MandateRef, StoredState)`, `(MandateRef, Option<StoredState>)` or `StatusQuery`",
    note = "convert a text into a reference first: `text.parse::<MandateRef>()?`"
)]
pub trait References<'a, M> {
    #[doc(hidden)]
    fn references(self, _: Sealed) -> BoxStream<'a, StatusQuery>;
}

/// A parameter that prevents other crates from implementing [`References`]: they cannot name this type.
#[derive(Debug)]
pub struct Sealed;

/// Marks the argument of [`Mandates::statuses`] as an iterator.
#[derive(Debug)]
pub enum Iterated {}
/// Marks the argument of [`Mandates::statuses`] as a stream.
#[derive(Debug)]
pub enum Streamed {}

impl<'a, I> References<'a, Iterated> for I
where
    I: IntoIterator<Item: Into<StatusQuery> + 'a, IntoIter: Send + 'a>,
{
    fn references(self, _: Sealed) -> BoxStream<'a, StatusQuery> {
        stream::iter(self.into_iter().map(Into::into)).boxed()
    }
}

impl<'a, S> References<'a, Streamed> for S
where
    S: Stream<Item: Into<StatusQuery> + 'a> + Send + 'a,
{
    fn references(self, _: Sealed) -> BoxStream<'a, StatusQuery> {
        self.map(Into::into).boxed()
    }
}

/// One item of the stream of [`Mandates::statuses`]: a query with its result.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StatusResult<T = Mandate> {
    /// The query, as you passed it.
    pub query: StatusQuery,
    /// The reading of the mandate, or the error.
    pub result: Result<T, Error>,
}

impl Mandates {
    /// Reads many mandates. The stream yields one [`StatusResult`] per reference, in the order in which the responses
    /// arrive.
    ///
    /// Drop the stream to cancel its calls. Poll the stream within a Tokio runtime, because its calls run as spawned
    /// tasks.
    ///
    /// # Failures
    ///
    /// A failed reading does not stop the other readings. If a vendor [refuses the caller](Error::refuses_caller), the
    /// run sends no further request to this vendor. Its remaining references fail with
    /// [`NotAsked`](crate::ErrorKind::NotAsked). The first request to a vendor runs alone, so that a wrong password is
    /// sent only once.
    ///
    /// # Load and memory
    ///
    /// For each vendor, up to [`Settings::concurrency`](crate::Settings::concurrency) calls run at the same time. The
    /// same number of references to its mandates may wait in memory. When one vendor has reached this number, the
    /// stream takes no further references from the input.
    ///
    /// References to Seqino's mandates are read in batches by client, so they stay in memory until the input ends. If
    /// the input is [sorted](Statuses::sorted_by_client), only the references of waiting clients stay in memory. The
    /// run reads Seqino's list of clients once, and again after five minutes. The run reads the list of mandates once
    /// per client, and a single mandate only if the list lacks it.
    ///
    /// ```no_run
    /// # async fn run(mandates: mandat::Mandates, references: Vec<mandat::MandateRef>) {
    /// use futures_util::StreamExt;
    ///
    /// let mut readings = mandates.statuses(references);
    /// while let Some(reading) = readings.next().await {
    ///     match reading.result {
    ///         Ok(mandate) => println!("{}: {}", mandate.reference, mandate.status),
    ///         Err(error) => eprintln!("{}: {error}", reading.query.reference),
    ///     }
    /// }
    /// # }
    /// ```
    pub fn statuses<'a, M>(&self, references: impl References<'a, M>) -> Statuses<'a> {
        let lane = |provider: &Provider| {
            let adapter = self.adapter(*provider);
            // If a vendor is not configured, each of its references gets an error of its own.
            let limit = adapter.as_ref().map_or(1, |adapter| adapter.concurrency());
            let reader = adapter.map(|adapter| adapter.clone().batch_reader());
            let (waiting, groups, gate) = (Queue::default(), BTreeMap::new(), Arc::default());
            (*provider, Lane { reader, waiting, groups, running: 0, limit, gate })
        };
        let (sender, read) = mpsc::channel(READ_AHEAD);
        Statuses {
            mandates: self.clone(),
            input: Some(references.references(Sealed)),
            sorted: false,
            lanes: Provider::ALL.iter().map(lane).collect(),
            running: JoinSet::new(),
            sender,
            read,
            done: VecDeque::new(),
        }
    }
}

/// The number of finished batches that may wait until the caller takes them. Each task can hold one more batch.
const READ_AHEAD: usize = 16;

/// The queries for the mandates of one Seqino client, or the query for one mandate of another vendor.
type Batch = Vec<StatusQuery>;

/// The query for a mandate with the result of its reading.
type Done = (StatusQuery, Result<Mandate, Error>);

/// The batches that wait until a task reads them.
#[derive(Clone, Default)]
struct Queue(Arc<Mutex<VecDeque<Batch>>>);

impl Queue {
    fn with<T>(&self, act: impl FnOnce(&mut VecDeque<Batch>) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The waiting and the running calls of one vendor.
struct Lane {
    reader: Result<Arc<dyn BatchReader>, Error>,
    waiting: Queue,
    groups: BTreeMap<Box<str>, Batch>,
    /// The number of running tasks. Each task reads one batch after the other, because a new task for each batch takes
    /// more time.
    running: usize,
    limit: usize,
    gate: Arc<Gate>,
}

impl Lane {
    fn take(&mut self, query: StatusQuery, sorted: bool) {
        let Some(client) = query.reference.client_id() else {
            return self.waiting.with(|waiting| waiting.push_back(vec![query]));
        };
        if let Some(group) = self.groups.get_mut(client) {
            return group.push(query);
        }
        if sorted {
            self.flush();
        }
        self.groups.insert(client.into(), vec![query]);
    }

    /// Queues the references that were collected by client. Call this when the input has no more references of these
    /// clients.
    fn flush(&mut self) {
        let groups = std::mem::take(&mut self.groups).into_values();
        self.waiting.with(|waiting| waiting.extend(groups));
    }
}

/// The stream of [`Mandates::statuses`].
#[must_use = "a stream does nothing unless polled"]
pub struct Statuses<'a> {
    mandates: Mandates,
    /// The references that the stream has not taken yet. `None` after the end of the input.
    input: Option<BoxStream<'a, StatusQuery>>,
    sorted: bool,
    lanes: BTreeMap<Provider, Lane>,
    /// The tasks that read mandates. The tasks continue while the caller handles a reading, and stop when the stream is
    /// dropped.
    running: JoinSet<Provider>,
    sender: Sender<Vec<Done>>,
    read: Receiver<Vec<Done>>,
    done: VecDeque<Done>,
}

impl fmt::Debug for Statuses<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Statuses({:?}, {} running)", self.mandates, self.running.len())
    }
}

impl<'a> Statuses<'a> {
    /// Declares that the references of each client are next to each other in the input. The memory then does not grow
    /// with the number of references.
    ///
    /// If the input is not sorted in this way, every reference still gets a result, but the mandates of a client are
    /// listed more than once.
    pub fn sorted_by_client(mut self) -> Self {
        self.sorted = true;
        self
    }

    /// Yields only the changed mandates and the errors.
    ///
    /// A mandate without a stored state ([`StatusQuery::stored`] is `None`) always counts as changed. A failed reading
    /// of a Seqino client does not count as a change of its mandates.
    ///
    /// Store the [`MandateChange::to`] of each change. After an interrupted run, start again with the stored states.
    /// The new run reads the unchanged mandates again, but does not yield them.
    pub fn changes(self) -> Changes<'a> {
        Changes(self)
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Done>> {
        loop {
            if let Some(done) = self.done.pop_front() {
                return Poll::Ready(Some(done));
            }
            while let Some(input) = &mut self.input
                && self.lanes.values().all(|lane| lane.waiting.with(|waiting| waiting.len()) < lane.limit)
            {
                match input.poll_next_unpin(cx) {
                    Poll::Ready(Some(query)) => {
                        if let Err(error) = query.reference.complete() {
                            return Poll::Ready(Some((query, Err(error))));
                        }
                        if let Some(lane) = self.lanes.get_mut(&query.reference.provider()) {
                            lane.take(query, self.sorted);
                        }
                    }
                    Poll::Ready(None) => {
                        self.input = None;
                        self.lanes.values_mut().for_each(Lane::flush);
                    }
                    Poll::Pending => break,
                }
            }
            for (provider, lane) in &mut self.lanes {
                while lane.running < lane.limit
                    && let Some(mut batch) = lane.waiting.with(VecDeque::pop_front)
                {
                    lane.running += 1;
                    let (mandates, reader, provider) = (self.mandates.clone(), lane.reader.clone(), *provider);
                    let (waiting, gate, sender) = (lane.waiting.clone(), lane.gate.clone(), self.sender.clone());
                    self.running.spawn(async move {
                        loop {
                            // Ignore a failure to send the results. It occurs only after the stream was dropped, and
                            // this task is then cancelled too.
                            let _ = sender.send(read(&mandates, provider, &reader, &gate, batch).await).await;
                            match waiting.with(VecDeque::pop_front) {
                                Some(next) => batch = next,
                                None => return provider,
                            }
                        }
                    });
                }
            }
            if let Poll::Ready(Some(results)) = self.read.poll_recv(cx) {
                self.done.extend(results);
                continue;
            }
            match self.running.poll_join_next(cx) {
                Poll::Ready(Some(Ok(provider))) => {
                    if let Some(lane) = self.lanes.get_mut(&provider) {
                        lane.running -= 1;
                    }
                }
                // A task is cancelled only when the stream is dropped. A task can panic if the caller's clock panics.
                Poll::Ready(Some(Err(error))) => match error.try_into_panic() {
                    Ok(panic) => std::panic::resume_unwind(panic),
                    Err(_) => return Poll::Ready(None),
                },
                // Check `read` too: the channel can report no result for a moment, because Tokio limits the work of a
                // task per poll.
                Poll::Ready(None) if self.input.is_none() && self.read.is_empty() => return Poll::Ready(None),
                Poll::Ready(None) | Poll::Pending => return Poll::Pending,
            }
        }
    }
}

/// Reads the mandates of one client. Sends no request if the vendor has refused the caller.
async fn read(
    mandates: &Mandates,
    provider: Provider,
    reader: &Result<Arc<dyn BatchReader>, Error>,
    gate: &Gate,
    batch: Batch,
) -> Vec<Done> {
    let not_asked = |query| (query, Err(Error::not_asked(provider)));
    let Some(_turn) = gate.turn().await else { return batch.into_iter().map(not_asked).collect() };
    let results = match reader {
        Ok(reader) => gate.pass(mandates.read_batch(&**reader, &batch)).await,
        Err(error) => vec![Err(error.clone()); batch.len()],
    };
    let mut refused = false;
    let mut once = |(query, result): Done| {
        gate.hear(provider, &result);
        match &result {
            // One request read the whole batch. So report a refusal of the caller for one mandate, and `NotAsked` for
            // the others.
            Err(error) if error.refuses_caller() && std::mem::replace(&mut refused, true) => not_asked(query),
            _ => (query, result),
        }
    };
    batch.into_iter().zip(results).map(&mut once).collect()
}

impl Stream for Statuses<'_> {
    type Item = StatusResult;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<StatusResult>> {
        self.poll(cx).map(|done| done.map(|(query, result)| StatusResult { query, result }))
    }
}

/// The stream of [`Statuses::changes`].
#[derive(Debug)]
#[must_use = "a stream does nothing unless polled"]
pub struct Changes<'a>(Statuses<'a>);

impl Stream for Changes<'_> {
    type Item = StatusResult<MandateChange>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<StatusResult<MandateChange>>> {
        loop {
            let Some((query, result)) = std::task::ready!(self.0.poll(cx)) else { return Poll::Ready(None) };
            let now = self.0.mandates.now();
            let compare =
                |mandate| MandateChange::between(query.stored.as_ref(), &mandate, query.facts.as_ref(), now).map(Ok);
            if let Some(result) = result.map_or_else(|error| Some(Err(error)), compare) {
                return Poll::Ready(Some(StatusResult { query, result }));
            }
        }
    }
}
