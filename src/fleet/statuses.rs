//! A stream of references in, a stream of readings out.

use crate::{
    adapter::BatchReader,
    facade::{Gate, Mandates},
    mandate::{Changed, Mandate, Tracked},
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

/// What [`Mandates::statuses`] takes: an iterator or a stream of what a [`Tracked`] is made from.
///
/// `M` tells the two apart and is never named.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no iterator or stream of references to mandates",
    label = "this cannot be read as references",
    note = "give an iterator or a `futures_util::Stream` whose items are `MandateRef`, `&MandateRef`, \
            `(MandateRef, Known)`, `(MandateRef, Option<Known>)` or `Tracked`",
    note = "texts are parsed first: `text.parse::<MandateRef>()?`"
)]
pub trait References<'a, M> {
    #[doc(hidden)]
    fn references(self) -> BoxStream<'a, Tracked>;
}

/// An iterator.
#[derive(Debug)]
pub enum Iterated {}
/// A stream.
#[derive(Debug)]
pub enum Streamed {}

impl<'a, I> References<'a, Iterated> for I
where
    I: IntoIterator<Item: Into<Tracked> + 'a, IntoIter: Send + 'a>,
{
    fn references(self) -> BoxStream<'a, Tracked> {
        stream::iter(self.into_iter().map(Into::into)).boxed()
    }
}

impl<'a, S> References<'a, Streamed> for S
where
    S: Stream<Item: Into<Tracked> + 'a> + Send + 'a,
{
    fn references(self) -> BoxStream<'a, Tracked> {
        self.map(Into::into).boxed()
    }
}

/// What became of one reference.
#[derive(Clone, Debug)]
pub struct Reading<T = Mandate> {
    /// What was asked for, as you gave it.
    pub tracked: Tracked,
    /// What was read, or why it was not.
    pub result: Result<T, Error>,
}

impl Mandates {
    /// Reads many mandates: each reference is answered once, in the order in which the answers come. One that fails
    /// ends nothing, unless the vendor [refuses the caller](Error::refuses_caller): then it is asked no more in this run,
    /// and the rest of its references is [`NotAsked`](crate::ErrorKind::NotAsked). So that a wrong password is sent
    /// once, the first request to a vendor is under way alone. To cancel, drop the stream. It has to be polled within a Tokio runtime, on which the calls are
    /// tasks.
    ///
    /// Up to [`Settings::concurrency`](crate::Settings::concurrency) calls are under way at each vendor. As many of its
    /// references wait in memory; then no more are taken in, of any vendor. Seqino's go by client, in batches: all are
    /// held until the last is in, or, where they come [sorted](Statuses::sorted_by_client), as many clients wait with
    /// all of theirs. Seqino is asked once for its clients (again after five minutes), and once for the mandates of
    /// each; only what a list lacks is read one by one.
    ///
    /// ```no_run
    /// # async fn run(mandates: mandat::Mandates, references: Vec<mandat::MandateRef>) {
    /// use futures_util::StreamExt;
    ///
    /// let mut readings = mandates.statuses(references);
    /// while let Some(reading) = readings.next().await {
    ///     match reading.result {
    ///         Ok(mandate) => println!("{}: {}", mandate.reference, mandate.status),
    ///         Err(error) => eprintln!("{}: {error}", reading.tracked.reference),
    ///     }
    /// }
    /// # }
    /// ```
    pub fn statuses<'a, M>(&self, references: impl References<'a, M>) -> Statuses<'a> {
        let lane = |provider: &Provider| {
            let adapter = self.adapter(*provider);
            // A vendor that is not configured refuses its references one by one.
            let limit = adapter.as_ref().map_or(1, |adapter| adapter.concurrency());
            let reader = adapter.map(|adapter| adapter.clone().batch_reader());
            let (waiting, groups, gate) = (Queue::default(), BTreeMap::new(), Arc::default());
            (*provider, Lane { reader, waiting, groups, running: 0, limit, gate })
        };
        let (sender, read) = mpsc::channel(READ_AHEAD);
        Statuses {
            mandates: self.clone(),
            input: Some(references.references()),
            sorted: false,
            lanes: Provider::ALL.iter().map(lane).collect(),
            running: JoinSet::new(),
            sender,
            read,
            done: VecDeque::new(),
        }
    }
}

/// So many batches are read before the caller takes them, and those in the hands of tasks.
const READ_AHEAD: usize = 16;

/// Mandates of one client, or one mandate of a vendor that has no clients.
type Batch = Vec<Tracked>;

/// What became of one of them.
type Done = (Tracked, Result<Mandate, Error>);

/// What waits for a task to read it.
#[derive(Clone, Default)]
struct Queue(Arc<Mutex<VecDeque<Batch>>>);

impl Queue {
    fn with<T>(&self, act: impl FnOnce(&mut VecDeque<Batch>) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What waits and what runs at one vendor.
struct Lane {
    reader: Result<Arc<dyn BatchReader>, Error>,
    waiting: Queue,
    groups: BTreeMap<Box<str>, Batch>,
    /// Tasks. Each takes one batch after the other, since to begin one costs more than to read on.
    running: usize,
    limit: usize,
    gate: Arc<Gate>,
}

impl Lane {
    fn take(&mut self, tracked: Tracked, sorted: bool) {
        let Some(client) = tracked.reference.client_id() else {
            return self.waiting.with(|waiting| waiting.push_back(vec![tracked]));
        };
        if let Some(group) = self.groups.get_mut(client) {
            return group.push(tracked);
        }
        if sorted {
            self.flush();
        }
        self.groups.insert(client.into(), vec![tracked]);
    }

    /// Nothing more comes for the clients that there are.
    fn flush(&mut self) {
        let groups = std::mem::take(&mut self.groups).into_values();
        self.waiting.with(|waiting| waiting.extend(groups));
    }
}

/// The stream of [`Mandates::statuses`].
#[must_use = "a stream does nothing unless polled"]
pub struct Statuses<'a> {
    mandates: Mandates,
    /// `None` at its end.
    input: Option<BoxStream<'a, Tracked>>,
    sorted: bool,
    lanes: BTreeMap<Provider, Lane>,
    /// Tasks: they go on while the caller deals with a reading, and end when this is dropped.
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
    /// Says that references of one client stand together, so that memory does not grow with their number. If they do
    /// not, all are still answered; a client's list is then read more than once.
    pub fn sorted_by_client(mut self) -> Self {
        self.sorted = true;
        self
    }

    /// Only what is not as it was known, and what could not be read.
    ///
    /// A mandate whose [`Tracked::known`] is `None` always comes out. Store [`Changed::to`]: a run that stopped
    /// half-way goes on from what you stored, and reads again what did not change, which does not come out. That a
    /// client could not be read this time is no change.
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
                    Poll::Ready(Some(tracked)) => {
                        if let Err(error) = tracked.reference.complete() {
                            return Poll::Ready(Some((tracked, Err(error))));
                        }
                        if let Some(lane) = self.lanes.get_mut(&tracked.reference.provider()) {
                            lane.take(tracked, self.sorted);
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
                            // Nobody is left to tell only while this task is being ended.
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
                // No task is cancelled while this is there; a panic is the caller's own clock's.
                Poll::Ready(Some(Err(error))) => match error.try_into_panic() {
                    Ok(panic) => std::panic::resume_unwind(panic),
                    Err(_) => return Poll::Ready(None),
                },
                // What Tokio withholds for a while, to let others run, is still there.
                Poll::Ready(None) if self.input.is_none() && self.read.is_empty() => return Poll::Ready(None),
                Poll::Ready(None) | Poll::Pending => return Poll::Pending,
            }
        }
    }
}

/// Reads mandates of one client, if the vendor may still be asked.
async fn read(
    mandates: &Mandates,
    provider: Provider,
    reader: &Result<Arc<dyn BatchReader>, Error>,
    gate: &Gate,
    batch: Batch,
) -> Vec<Done> {
    let not_asked = |tracked| (tracked, Err(Error::not_asked(provider)));
    let Some(_turn) = gate.turn().await else { return batch.into_iter().map(not_asked).collect() };
    let results = match reader {
        Ok(reader) => gate.pass(mandates.read_batch(&**reader, &batch)).await,
        Err(error) => vec![Err(error.clone()); batch.len()],
    };
    let mut refused = false;
    let mut once = |(tracked, result): Done| {
        gate.hear(provider, &result);
        match &result {
            // One request was for all of them.
            Err(error) if error.refuses_caller() && std::mem::replace(&mut refused, true) => not_asked(tracked),
            _ => (tracked, result),
        }
    };
    batch.into_iter().zip(results).map(&mut once).collect()
}

impl Stream for Statuses<'_> {
    type Item = Reading;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Reading>> {
        self.poll(cx).map(|done| done.map(|(tracked, result)| Reading { tracked, result }))
    }
}

/// The stream of [`Statuses::changes`].
#[derive(Debug)]
#[must_use = "a stream does nothing unless polled"]
pub struct Changes<'a>(Statuses<'a>);

impl Stream for Changes<'_> {
    type Item = Reading<Changed>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Reading<Changed>>> {
        loop {
            let Some((tracked, result)) = std::task::ready!(self.0.poll(cx)) else { return Poll::Ready(None) };
            let now = self.0.mandates.now();
            let compare =
                |mandate| Changed::between(tracked.known.as_ref(), &mandate, tracked.facts.as_ref(), now).map(Ok);
            if let Some(result) = result.map_or_else(|error| Some(Err(error)), compare) {
                return Poll::Ready(Some(Reading { tracked, result }));
            }
        }
    }
}
