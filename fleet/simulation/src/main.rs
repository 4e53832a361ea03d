//! Simulates how late the changes of ten million mandates are noticed, by three orders of reading, and compares them
//! with a lower bound. Nothing here uses a network. The results are in docs/machines.md.

mod bound;
mod figure;
mod fleet;
mod order;
mod report;
#[cfg(test)]
mod tests;
mod world;

use bound::Bound;
use fastrand::Rng;
use fleet::{Outcome, Run, simulate};
use mandat::Schedule;
use order::Order;
use report::Row;
use std::{
    collections::VecDeque,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Mutex,
    thread,
    time::Instant,
};
use world::{DAY, VENDORS, World};

const MANDATES: u32 = 10_000_000;
/// The orders that are compared.
const ORDERS: [(&str, Rule); 3] =
    [("each night", Rule::Nightly), ("`Schedule::default()`", Rule::Default), ("`Schedule::paced`", Rule::Paced)];
/// The share of the rate that a paced schedule keeps for mandates in force. The rest serves other readings and repeats.
const KEPT: f64 = 0.9;

/// The seconds of calls in a batch, which a lost machine repeats. `mandat-fleet` takes two seconds of calls, and stores its
/// readings each second, so it repeats fewer calls.
const BATCH: f64 = 3.0;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rule {
    Nightly,
    Default,
    Paced,
}

/// A rate for each vendor, with the days of a run: the changes between the first two days count, and readings end on
/// the third.
struct Case {
    calls_per_second: f64,
    days: [f64; 3],
}

/// At 10 calls a second a pass takes four days, so the run takes longer.
const CASES: [Case; 2] = [
    Case { calls_per_second: 100.0, days: [2.0, 7.0, 9.0] },
    Case { calls_per_second: 10.0, days: [12.0, 32.0, 40.0] },
];

struct Options {
    seed: u64,
    /// Divides the mandates and the rates, for a quick look.
    scale: u32,
    /// The part of the rate at which calls start. The lower bound always has the whole rate.
    used: f64,
    /// The folder for the figures, `docs/diagrams`.
    figures: Option<PathBuf>,
}

impl Options {
    fn read(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self { seed: Rng::new().u64(..), scale: 1, used: 1.0, figures: None };
        while let Some(name) = arguments.next() {
            let value = arguments.next().ok_or_else(|| format!("{name} needs a value"))?;
            match name.as_str() {
                "--seed" => options.seed = value.parse().map_err(|_| "--seed needs a whole number")?,
                "--scale" => {
                    let scale = value.parse().ok().filter(|scale| (1..=10_000).contains(scale));
                    options.scale = scale.ok_or("--scale needs a number from 1 to 10000")?;
                }
                "--used" => {
                    let used = value.parse().ok().filter(|used| *used > 0.0 && *used <= 1.0);
                    options.used = used.ok_or("--used needs a number above 0, and 1 at most")?;
                }
                "--figures" => options.figures = Some(value.into()),
                _ => return Err(format!("{name} is unknown. Use --seed N, --scale N, --used PART, --figures FOLDER")),
            }
        }
        Ok(options)
    }
}

fn main() -> ExitCode {
    match Options::read(std::env::args().skip(1)).and_then(|options| run(&options)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<(), String> {
    let started = Instant::now();
    let mut rows = Vec::new();
    for Case { calls_per_second, days } in CASES {
        let [from, until, end] = days.map(|day| day * DAY);
        let rate = calls_per_second / f64::from(options.scale);
        let run = Run { calls_per_second: rate * options.used, batch: BATCH, from, until, end };
        let simulated = simulate_all(options, run);
        let of_vendor = |vendor| Bound::new([(&world(options, vendor), rate)]);
        let of_case = rows.len();
        rows.push(Row::of_bound(calls_per_second, (0..VENDORS.len()).map(of_vendor).collect()));
        let orders = ORDERS.iter().zip(&simulated);
        rows.extend(orders.map(|((name, _), outcomes)| Row::of_order(calls_per_second, name, outcomes, end)));
        if let Some(folder) = &options.figures {
            let title =
                format!("{} mandates, {calls_per_second} calls a second for each vendor", counted(options.scale));
            let svg = figure::draw(&title, &rows[of_case..]);
            write(&folder.join(format!("machines-{calls_per_second}.svg")), &svg)?;
        }
    }
    println!("{}", report::tables(&rows));
    println!("Seed {}, {} mandates, {} machines.", options.seed, MANDATES / options.scale, fleet::MACHINES);
    eprintln!("The simulation took {} seconds.", started.elapsed().as_secs());
    Ok(())
}

/// Says the number of mandates. A smaller number has smaller rates, too.
fn counted(scale: u32) -> String {
    match scale {
        1 => "Ten million".to_owned(),
        _ => format!("1/{scale} of ten million"),
    }
}

fn write(file: &Path, text: &str) -> Result<(), String> {
    std::fs::write(file, text).map_err(|e| format!("{}: {e}", file.display()))
}

/// The world of a vendor. It depends only on the seed, so each order meets the same mandates.
fn world(options: &Options, vendor: usize) -> World {
    World::new(
        VENDORS[vendor],
        MANDATES / options.scale / VENDORS.len() as u32,
        options.seed.wrapping_add(vendor as u64),
    )
}

/// Simulates each order at each vendor. Returns the outcomes of the vendors for each order.
fn simulate_all(options: &Options, run: Run) -> Vec<Vec<Outcome>> {
    let jobs = (0..ORDERS.len()).flat_map(|order| (0..VENDORS.len()).map(move |vendor| (order, vendor)));
    let jobs: Mutex<VecDeque<_>> = Mutex::new(jobs.collect());
    let done = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                loop {
                    let job = jobs.lock().expect("no thread has panicked").pop_front();
                    let Some((order, vendor)) = job else { return };
                    let mut world = world(options, vendor);
                    let order_of = order_of(ORDERS[order].1, &world, run);
                    let mut rng = Rng::with_seed(options.seed ^ vendor as u64);
                    let outcome = simulate(&mut world, &order_of, run, &mut rng);
                    done.lock().expect("no thread has panicked").push((order, vendor, outcome));
                }
            });
        }
    });
    let mut done = done.into_inner().expect("no thread has panicked");
    done.sort_by_key(|(order, vendor, _)| (*order, *vendor));
    let mut done = done.into_iter().map(|(.., outcome)| outcome);
    ORDERS.iter().map(|_| done.by_ref().take(VENDORS.len()).collect()).collect()
}

fn order_of(rule: Rule, world: &World, run: Run) -> Order {
    match rule {
        Rule::Nightly => Order::Nightly,
        Rule::Default => Order::Scheduled(Schedule::default()),
        Rule::Paced => Order::Scheduled(Schedule::default().paced(world.calls_in_force(), run.calls_per_second * KEPT)),
    }
}
