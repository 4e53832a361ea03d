//! Turns a stream of references to mandates into a stream of readings.

use crate::{
    adapter::BatchReader,
    facade::{Gate, Mandates},
    mandate::{Lookup, Mandate, MandateChange, StatusQuery},
    vocabulary::{Error, Provider},
};
use futures_util::{
    Stream, StreamExt,
    stream::{self, BoxStream, FuturesUnordered},
    task::AtomicWaker,
};
use std::{
    collections::{BTreeMap, VecDeque},
    fmt,
    future::poll_fn,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
    thread,
};
use tokio::task::JoinSet;

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
    /// Drop the stream to cancel its calls. Poll the stream within a Tokio runtime, because a spawned task runs the
    /// calls of each vendor.
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
    /// stream takes no further references from the input. So mix the vendors in the input: the run reads an input that
    /// is sorted by vendor one vendor after another.
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
        let results = Arc::new(Results::default());
        let lane = |provider: &Provider| {
            let adapter = self.adapter(*provider);
            let vendor = Reads {
                mandates: self.clone(),
                provider: *provider,
                // If a vendor is not configured, each of its references gets an error of its own.
                limit: adapter.as_ref().map_or(1, |adapter| adapter.concurrency()),
                reader: adapter.map(|adapter| adapter.clone().batch_reader()),
                gate: Gate::default(),
                waiting: Mutex::default(),
                task: AtomicWaker::new(),
                results: results.clone(),
            };
            (*provider, Lane { vendor: Arc::new(vendor), groups: BTreeMap::new(), started: false })
        };
        Statuses {
            mandates: self.clone(),
            input: Some(references.references(Sealed)),
            sorted: false,
            lanes: Provider::ALL.iter().map(lane).collect(),
            tasks: JoinSet::new(),
            results,
            done: VecDeque::new(),
        }
    }
}

/// No reading starts while the caller has not taken this number of results.
const READ_AHEAD: usize = 16;

/// The queries for the mandates that are read together.
type Batch = Vec<StatusQuery>;

/// The query for a mandate with the result of its reading.
type Done = (StatusQuery, Result<Mandate, Error>);

fn lock<T>(state: &Mutex<T>) -> MutexGuard<'_, T> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The results that the stream has not taken yet.
#[derive(Default)]
struct Results {
    state: Mutex<State>,
    stream: AtomicWaker,
}

#[derive(Default)]
struct State {
    /// The results, or the panic of a reading. A reading can panic if the caller's clock panics.
    done: VecDeque<thread::Result<Done>>,
    /// The number of batches that wait or are read.
    open: usize,
}

/// The readings at one vendor. One task drives all of them: they continue while the caller handles a result, and a task
/// for each of them would take more time.
struct Reads {
    mandates: Mandates,
    provider: Provider,
    reader: Result<Option<Arc<dyn BatchReader>>, Error>,
    /// The number of batches that are read at the same time.
    limit: usize,
    gate: Gate,
    waiting: Mutex<Waiting>,
    task: AtomicWaker,
    results: Arc<Results>,
}

#[derive(Default)]
struct Waiting {
    batches: VecDeque<Batch>,
    /// True if the task could read one more batch. The next batch then has to wake the task.
    idle: bool,
}

impl Waiting {
    fn take(&mut self) -> Option<Batch> {
        let batch = self.batches.pop_front();
        self.idle = batch.is_none();
        batch
    }
}

impl Reads {
    /// Drives the readings until the stream is dropped.
    fn drive(self: Arc<Self>) -> impl Future<Output = ()> + Send {
        let mut running = FuturesUnordered::new();
        poll_fn(move |cx| {
            self.task.register(cx.waker());
            let mut ended = false;
            loop {
                while running.len() < self.limit
                    && lock(&self.results.state).done.len() < READ_AHEAD
                    && let Some(batch) = lock(&self.waiting).take()
                {
                    running.push(self.clone().read(batch));
                }
                let polled = catch_unwind(AssertUnwindSafe(|| running.poll_next_unpin(cx)));
                let mut state = lock(&self.results.state);
                match polled {
                    Ok(Poll::Ready(Some(()))) => {}
                    Err(panic) => state.done.push_back(Err(panic)),
                    Ok(Poll::Ready(None) | Poll::Pending) => break,
                }
                state.open -= 1;
                ended = true;
            }
            if ended {
                self.results.stream.wake();
            }
            Poll::Pending
        })
    }

    /// Reads the mandates of one batch. Sends no request if the vendor has refused the caller.
    async fn read(self: Arc<Self>, batch: Batch) {
        let not_asked = || Err(Error::not_asked(self.provider));
        let Some(_turn) = self.gate.turn().await else {
            return batch.into_iter().for_each(|query| self.queue(query, not_asked()));
        };
        match &self.reader {
            Ok(Some(reader)) => {
                let results = self.mandates.read_batch(&**reader, &batch).await;
                let mut refused = false;
                for (query, result) in batch.into_iter().zip(results) {
                    self.gate.hear(self.provider, &result);
                    // One request read the whole batch. So report a refusal of the caller for one mandate, and
                    // `NotAsked` for the others.
                    let refuses = result.as_ref().is_err_and(Error::refuses_caller);
                    let again = refuses && std::mem::replace(&mut refused, true);
                    self.queue(query, if again { not_asked() } else { result });
                }
            }
            Ok(None) => {
                for query in batch {
                    let result = self.mandates.look(Lookup::from(&query)).await;
                    self.gate.hear(self.provider, &result);
                    self.queue(query, result);
                }
            }
            Err(error) => batch.into_iter().for_each(|query| self.queue(query, Err(error.clone()))),
        }
    }

    fn queue(&self, query: StatusQuery, result: Result<Mandate, Error>) {
        lock(&self.results.state).done.push_back(Ok((query, result)));
    }
}

/// One vendor of a run.
struct Lane {
    vendor: Arc<Reads>,
    groups: BTreeMap<Box<str>, Batch>,
    /// True once the vendor's task runs.
    started: bool,
}

impl Lane {
    fn take(&mut self, query: StatusQuery, sorted: bool) {
        let Some(client) = query.reference.client_id() else { return self.queue([vec![query]]) };
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
        let groups = std::mem::take(&mut self.groups);
        self.queue(groups.into_values());
    }

    fn queue(&self, batches: impl IntoIterator<Item = Batch, IntoIter: ExactSizeIterator>) {
        let batches = batches.into_iter();
        lock(&self.vendor.results.state).open += batches.len();
        let mut waiting = lock(&self.vendor.waiting);
        waiting.batches.extend(batches);
        // A task that reads as many batches as it may takes the next one by itself. The stream wakes a task that waits
        // for room for results.
        if std::mem::take(&mut waiting.idle) {
            self.vendor.task.wake();
        }
    }

    /// Returns true if the stream may take further references from the input.
    fn has_room(&self) -> bool {
        lock(&self.vendor.waiting).batches.len() < self.vendor.limit
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
    /// A task for each vendor. The tasks stop when the stream is dropped.
    tasks: JoinSet<()>,
    results: Arc<Results>,
    /// The results that the stream has taken.
    done: VecDeque<thread::Result<Done>>,
}

impl fmt::Debug for Statuses<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Statuses({:?}, {} running)", self.mandates, lock(&self.results.state).open)
    }
}

impl<'a> Statuses<'a> {
    /// Declares that the references of each client are next to each other in the input. The memory then does not grow
    /// with the number of references.
    ///
    /// If the input is not sorted in this way, every reference still gets a result. The mandates of a client are then
    /// requested more than once.
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

    /// Returns the next result that has arrived. Continues the panic of a reading.
    fn arrived(&mut self) -> Option<Done> {
        if self.done.is_empty() {
            std::mem::swap(&mut lock(&self.results.state).done, &mut self.done);
            if self.done.len() >= READ_AHEAD {
                // A task stops while its results fill the queue. The stream has emptied the queue, so wake the tasks.
                self.lanes.values().for_each(|lane| lane.vendor.task.wake());
            }
        }
        self.done.pop_front().map(|done| done.unwrap_or_else(|panic| resume_unwind(panic)))
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Done>> {
        loop {
            if let Some(done) = self.arrived() {
                return Poll::Ready(Some(done));
            }
            self.results.stream.register(cx.waker());
            let mut room = self.lanes.values().all(Lane::has_room);
            while room && let Some(input) = &mut self.input {
                match input.poll_next_unpin(cx) {
                    Poll::Ready(Some(query)) => {
                        if let Err(error) = query.reference.complete() {
                            return Poll::Ready(Some((query, Err(error))));
                        }
                        if let Some(lane) = self.lanes.get_mut(&query.reference.provider()) {
                            lane.take(query, self.sorted);
                            room = lane.has_room();
                        }
                    }
                    Poll::Ready(None) => {
                        self.input = None;
                        self.lanes.values_mut().for_each(Lane::flush);
                    }
                    Poll::Pending => break,
                }
            }
            for lane in self.lanes.values_mut().filter(|lane| !lane.started) {
                if !lock(&lane.vendor.waiting).batches.is_empty() {
                    lane.started = true;
                    self.tasks.spawn(lane.vendor.gate.pass(lane.vendor.clone().drive()));
                }
            }
            let state = lock(&self.results.state);
            if state.done.is_empty() {
                let all_read = self.input.is_none() && state.open == 0;
                drop(state);
                // A task ends only with its runtime. No further result can then arrive.
                let shut_down = matches!(self.tasks.poll_join_next(cx), Poll::Ready(Some(_)));
                return if shut_down || all_read { Poll::Ready(None) } else { Poll::Pending };
            }
        }
    }
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
