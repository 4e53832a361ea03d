//! Turns a stream of references into a stream of readings.

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
/// The compiler infers `M` to choose between the two. You never write it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an iterator or stream of references to mandates",
    label = "this cannot be read as references",
    note = "give an iterator or a `futures_util::Stream` whose items are `MandateRef`, `&MandateRef`, \
            `(MandateRef, StoredState)`, `(MandateRef, Option<StoredState>)` or `StatusQuery`",
    note = "parse a text first: `text.parse::<MandateRef>()?`"
)]
pub trait References<'a, M> {
    #[doc(hidden)]
    fn references(self, _: Sealed) -> BoxStream<'a, StatusQuery>;
}

/// A crate that cannot name this type cannot implement [`References`].
#[derive(Debug)]
pub struct Sealed;

/// Marks the argument as an iterator.
#[derive(Debug)]
pub enum Iterated {}
/// Marks the argument as a stream.
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

/// The result for one reference.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StatusResult<T = Mandate> {
    /// The query, as you gave it.
    pub query: StatusQuery,
    /// The reading, or the error.
    pub result: Result<T, Error>,
}

impl Mandates {
    /// Reads many mandates. Yields one [`StatusResult`] per reference, in the order in which the responses arrive.
    ///
    /// Drop the stream to cancel. Poll it within a Tokio runtime, because it spawns its calls as tasks.
    ///
    /// # Failures
    ///
    /// A failed reading does not stop the others. If a vendor [refuses the caller](Error::refuses_caller), the run
    /// sends it no further request. The vendor's other references then fail with
    /// [`NotAsked`](crate::ErrorKind::NotAsked). The first request to a vendor runs alone, so that a wrong password is
    /// sent only once.
    ///
    /// # Load and memory
    ///
    /// Each vendor runs up to [`Settings::concurrency`](crate::Settings::concurrency) calls at once. The same number of
    /// its references may wait in memory. When one vendor has reached this number, the stream takes no further
    /// references.
    ///
    /// Seqino's references are read in batches by client. All of them stay in memory until the input ends. If the input
    /// is [sorted](Statuses::sorted_by_client), only the waiting clients stay in memory. The run reads Seqino's list of
    /// clients once, and again after five minutes. It reads the list of mandates once per client, and single mandates
    /// only if a list lacks them.
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
            // Each reference of a vendor without configuration gets its own error.
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

/// The number of finished batches that wait for the caller. Each task can hold one more.
const READ_AHEAD: usize = 16;

/// The mandates of one client, or one mandate of a vendor without clients.
type Batch = Vec<StatusQuery>;

/// A mandate of a batch with its result.
type Done = (StatusQuery, Result<Mandate, Error>);

/// The batches that wait for a task.
#[derive(Clone, Default)]
struct Queue(Arc<Mutex<VecDeque<Batch>>>);

impl Queue {
    fn with<T>(&self, act: impl FnOnce(&mut VecDeque<Batch>) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The waiting and the running work at one vendor.
struct Lane {
    reader: Result<Arc<dyn BatchReader>, Error>,
    waiting: Queue,
    groups: BTreeMap<Box<str>, Batch>,
    /// The number of running tasks. A task reads one batch after the other, because a new task costs more.
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

    /// Queues the collected clients, when no more of their references are expected.
    fn flush(&mut self) {
        let groups = std::mem::take(&mut self.groups).into_values();
        self.waiting.with(|waiting| waiting.extend(groups));
    }
}

/// The stream of [`Mandates::statuses`].
#[must_use = "a stream does nothing unless polled"]
pub struct Statuses<'a> {
    mandates: Mandates,
    /// The references still to read. `None` after the last.
    input: Option<BoxStream<'a, StatusQuery>>,
    sorted: bool,
    lanes: BTreeMap<Provider, Lane>,
    /// The tasks. They continue while the caller handles a reading, and end when the stream is dropped.
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
    /// States that the references of each client are next to each other in the input. Memory then does not grow with
    /// the number of references.
    ///
    /// If they are not, every reference still gets a result, but the list of a client is read more than once.
    pub fn sorted_by_client(mut self) -> Self {
        self.sorted = true;
        self
    }

    /// Yields only changes and errors.
    ///
    /// A mandate without a stored state ([`StatusQuery::stored`] is `None`) always counts as changed. A client that could
    /// not be read does not count as a change.
    ///
    /// Store [`MandateChange::to`] of each change. After an interrupted run, start again with the stored states: unchanged
    /// mandates are read again but not yielded.
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
                            // Sending fails only after the stream was dropped, when this task is cancelled too.
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
                // Tasks are cancelled only when this is dropped. A panic can come from the clock of the caller.
                Poll::Ready(Some(Err(error))) => match error.try_into_panic() {
                    Ok(panic) => std::panic::resume_unwind(panic),
                    Err(_) => return Poll::Ready(None),
                },
                // Check `read` too: Tokio's cooperative budget can hide results for a moment.
                Poll::Ready(None) if self.input.is_none() && self.read.is_empty() => return Poll::Ready(None),
                Poll::Ready(None) | Poll::Pending => return Poll::Pending,
            }
        }
    }
}

/// Reads the mandates of one client, unless the vendor has refused the caller.
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
            // One request read the whole batch, so report its refusal once.
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
