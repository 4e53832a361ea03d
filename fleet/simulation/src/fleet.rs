//! Eight machines read the mandates of one vendor. Each machine works in one lane, which has its share of the rate.

use crate::{
    order::{Order, Planner, urgency},
    world::{HOUR, Noticed, World},
};
use fastrand::Rng;
use std::collections::VecDeque;

pub const MACHINES: usize = 8;
/// Another machine takes over the lane of a lost machine after this time, in seconds.
const TAKEOVER: f64 = 20.0;

/// One simulation: its rate, and its duration in seconds. Changes count between `from` and `until`.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    pub calls_per_second: f64,
    /// The most seconds of calls in a batch.
    pub batch: f64,
    pub from: f64,
    pub until: f64,
    /// Readings continue after `until`, so that the last changes are noticed.
    pub end: f64,
}

/// The result of one simulation.
#[derive(Default)]
pub struct Outcome {
    pub noticed: Vec<Noticed>,
    /// All calls, with those that were repeated.
    pub calls: u64,
    /// The calls that were made for nothing, because their machine was lost.
    pub repeated: u64,
    pub lost_machines: u64,
}

/// Reads the world in an order, and collects the changes.
pub fn simulate(world: &mut World, order: &Order, run: Run, rng: &mut Rng) -> Outcome {
    let mut outcome = Outcome::default();
    let mut planner = Planner::new(order, world);
    for (lane, losses) in losses(run.end, rng).into_iter().enumerate() {
        work(world, &mut planner, run, rng, (lane, losses), &mut outcome);
    }
    for index in 0..world.mandates.len() as u32 {
        if let Some(noticed) = world.unnoticed(index, run.end) {
            outcome.note(noticed, run);
        }
    }
    outcome
}

/// Makes the calls of one lane. No lane waits for another, so each is simulated on its own.
fn work(
    world: &mut World,
    planner: &mut Planner<'_>,
    run: Run,
    rng: &mut Rng,
    (lane, mut losses): (usize, VecDeque<f64>),
    outcome: &mut Outcome,
) {
    let mut queue = Queue::new(world.calls().div_ceil(MACHINES as u32), run.end);
    for call in (lane as u32..world.calls()).step_by(MACHINES) {
        // Before the start the same order was at work, so the first wait is a part of a whole one.
        if let Some((due, urgency)) = planner.plan(world, call, 0.0) {
            let due = if *planner.order == Order::Nightly { due } else { due * rng.f64() };
            queue.push(call / MACHINES as u32, due, urgency);
        }
    }
    let share = run.calls_per_second / MACHINES as f64;
    let size = ((share * run.batch) as usize).max(1);
    let mut batch = Vec::new();
    let mut now = 0.0;
    while now < run.end {
        batch.clear();
        // A quarter of a batch is for mandates in force, so that urgent ones never displace them all.
        let resting = std::iter::from_fn(|| queue.pop(now, urgency::IN_FORCE)).take(size.div_ceil(4));
        batch.extend(resting);
        while batch.len() < size
            && let Some(place) = (0..urgency::ALL).find_map(|urgency| queue.pop(now, urgency))
        {
            batch.push(place);
        }
        if batch.is_empty() {
            now += BUCKET;
            continue;
        }
        let takes = batch.len() as f64 / share;
        while let Some(lost) = losses.front().copied().filter(|lost| *lost < now + takes) {
            losses.pop_front();
            if lost >= now {
                // Nothing of the batch is stored. The machine that takes over makes all its calls again.
                let made = ((lost - now) * share).ceil() as u64;
                (outcome.calls, outcome.repeated) = (outcome.calls + made, outcome.repeated + made);
            }
            // Otherwise the machine was lost while it waited for due mandates.
            now = now.max(lost + TAKEOVER);
            outcome.lost_machines += 1;
        }
        for (number, place) in batch.iter().enumerate() {
            let (call, read) = (place * MACHINES as u32 + lane as u32, now + (number + 1) as f64 / share);
            for index in world.read_by(call) {
                world.read(index, read, |noticed| outcome.note(noticed, run));
            }
            if let Some((due, urgency)) = planner.plan(world, call, read) {
                queue.push(*place, due, urgency);
            }
        }
        outcome.calls += batch.len() as u64;
        now += takes;
    }
}

impl Outcome {
    fn note(&mut self, noticed: Noticed, run: Run) {
        if (run.from..run.until).contains(&noticed.changed_at) {
            self.noticed.push(noticed);
        }
    }
}

/// The times at which the machine of each lane is lost: one machine in each hour.
fn losses(end: f64, rng: &mut Rng) -> [VecDeque<f64>; MACHINES] {
    let mut lost = [const { VecDeque::new() }; MACHINES];
    for hour in 0..(end / HOUR) as u32 {
        lost[rng.usize(..MACHINES)].push_back((f64::from(hour) + rng.f64()) * HOUR);
    }
    lost
}

/// The width of a bucket of the queue in seconds. Mandates that are due in one bucket keep the order of their planning.
const BUCKET: f64 = 10.0;
const NONE: u32 = u32::MAX;

/// The calls of one lane, by urgency and due time. Each bucket is a linked list, so the queue needs four bytes for a call.
/// `place` is the number of a call in the lane.
struct Queue {
    urgencies: [Buckets; urgency::ALL],
    next: Vec<u32>,
}

#[derive(Clone)]
struct Buckets {
    /// The first and the last place of each bucket.
    ends: Vec<(u32, u32)>,
    /// No bucket before this one has a place.
    from: usize,
}

impl Queue {
    fn new(places: u32, end: f64) -> Self {
        let buckets = Buckets { ends: vec![(NONE, NONE); (end / BUCKET) as usize + 1], from: 0 };
        Self { urgencies: std::array::from_fn(|_| buckets.clone()), next: vec![NONE; places as usize] }
    }

    /// Adds a call, unless its due time is after the end of the simulation.
    fn push(&mut self, place: u32, due: f64, urgency: usize) {
        let buckets = &mut self.urgencies[urgency];
        let at = ((due / BUCKET) as usize).max(buckets.from);
        let Some((first, last)) = buckets.ends.get_mut(at) else { return };
        if *first == NONE {
            *first = place;
        } else {
            self.next[*last as usize] = place;
        }
        *last = place;
        self.next[place as usize] = NONE;
    }

    /// Takes the call of this urgency that has been due for the longest time.
    fn pop(&mut self, now: f64, urgency: usize) -> Option<u32> {
        let due = (now / BUCKET) as usize;
        let buckets = &mut self.urgencies[urgency];
        while buckets.from < due.min(buckets.ends.len()) {
            let (first, _) = &mut buckets.ends[buckets.from];
            if *first != NONE {
                let place = *first;
                *first = self.next[place as usize];
                return Some(place);
            }
            buckets.from += 1;
        }
        None
    }
}
