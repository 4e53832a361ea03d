//! Fifty thousand mandates at a two-hundredth of the rate behave like ten million at the whole rate.

use super::*;
use crate::{
    order::Planner,
    report::{lateness, quantile},
    world::{self, Group, Life, MONTH},
};
use std::time::Duration;

const OPTIONS: Options = Options { seed: 20_260_901, scale: 200, used: 1.0, figures: None };
/// A batch takes a minute, so that it has several calls at this rate. A quarter of it is for mandates in force.
const RUN: Run = Run { calls_per_second: 0.5, batch: 64.0, from: 2.0 * DAY, until: 62.0 * DAY, end: 72.0 * DAY };

fn simulated(rule: Rule) -> Vec<Outcome> {
    let outcome = |vendor| {
        let mut world = world(&OPTIONS, vendor);
        let order = order_of(rule, &world, RUN);
        simulate(&mut world, &order, RUN, &mut Rng::with_seed(OPTIONS.seed))
    };
    (0..VENDORS.len()).map(outcome).collect()
}

fn bounds() -> Vec<Bound> {
    (0..VENDORS.len()).map(|vendor| Bound::new([(&world(&OPTIONS, vendor), RUN.calls_per_second)])).collect()
}

#[test]
fn paced_schedule_notices_99_percent_of_the_changes_within_1_3_of_the_lower_bound() {
    let (outcomes, bounds) = (simulated(Rule::Paced), bounds());
    for ((outcome, bound), vendor) in outcomes.iter().zip(&bounds).zip(VENDORS) {
        let ratio = outcome.late_99() / bound.lateness(0.99);
        assert!(ratio < 1.3, "{}: {ratio}, with the seed {}", vendor.name, OPTIONS.seed);
    }
    let late = lateness(outcomes.iter().flat_map(|outcome| &outcome.noticed));
    let ratio = quantile(&late, 0.99) / Bound::join(bounds).lateness(0.99);
    assert!(ratio < 1.3, "all vendors: {ratio}, with the seed {}", OPTIONS.seed);
}

#[test]
fn no_order_is_better_than_the_lower_bound() {
    for (name, rule) in ORDERS {
        for ((outcome, bound), vendor) in simulated(rule).iter().zip(bounds()).zip(VENDORS) {
            let late = lateness(outcome.noticed.iter());
            for share in [0.1, 0.5, 0.75, 0.9, 0.99] {
                let (late, least) = (quantile(&late, share), bound.lateness(share));
                // A twentieth allows for chance: the bound holds for an endless run.
                assert!(late > least * 0.95, "{name}, {}: {share} within {late} s of {least} s", vendor.name);
            }
        }
    }
}

#[test]
fn every_change_is_counted_once_although_machines_are_lost() {
    for (name, rule) in ORDERS {
        for outcome in simulated(rule) {
            assert!(outcome.lost_machines > 1700 && outcome.repeated > 100, "{name}");
            // 2 % of 16,666 mandates change in a month. Four standard deviations are 100.
            let expected = f64::from(MANDATES / OPTIONS.scale / 3) * world::CHANGES * (RUN.until - RUN.from) / MONTH;
            let counted = outcome.noticed.len() as f64;
            assert!((counted - expected).abs() < 4.0 * expected.sqrt(), "{name}: {counted} of {expected}");
        }
    }
}

#[test]
fn no_order_makes_more_calls_than_the_rate_allows() {
    for (name, rule) in ORDERS {
        for outcome in simulated(rule) {
            let most = (RUN.end * RUN.calls_per_second) as u64;
            assert!(outcome.calls <= most + 1000, "{name}: {} calls, and {most} are allowed", outcome.calls);
        }
    }
}

#[test]
fn same_seed_gives_the_same_result() {
    let noticed = || simulated(Rule::Paced).iter().map(|outcome| lateness(outcome.noticed.iter())).collect::<Vec<_>>();
    assert_eq!(noticed(), noticed());
}

#[test]
fn lower_bound_of_equal_mandates_is_their_number_divided_by_the_rate() {
    // Without mandates that are set up or ended, all clients of one mandate are alike.
    let mut world = world(&OPTIONS, 2);
    world.vendor.listed = None;
    let bound = Bound::new([(&world, 2.0)]);
    let all = bound.lateness(1.0 - 1e-12);
    assert!((all - f64::from(world.calls()) / 2.0).abs() < 1.0, "{all}");
    assert!(bound.lateness(0.5) < 0.5 * all, "the mandates that change often come first");
    let joined = Bound::join(vec![Bound::new([(&world, 2.0)]), Bound::new([(&world, 2.0)])]);
    assert!((joined.lateness(0.9) - bound.lateness(0.9)).abs() < 1e-3);
}

#[test]
fn remembered_wait_is_the_wait_that_the_schedule_gives() {
    let mut world = world(&OPTIONS, 1);
    let order = Order::Scheduled(Schedule::default().with_in_force(Duration::from_secs(30_000)));
    let mut planner = Planner::new(&order, &world);
    for call in 0..5000 {
        for now in [0.0, 40_000.0, 4_000_000.0] {
            world.read(call, now, |_| ());
            let planned = planner.plan(&world, call, now).map(|(due, _)| due);
            match (planned, planner.next_check(&world, call, call, now)) {
                (Some(planned), Some(asked)) => assert!((planned - asked).abs() < 0.1, "{planned} and {asked}"),
                (planned, asked) => assert_eq!(planned, asked),
            }
        }
    }
}

#[test]
fn drawn_changes_follow_the_rates_of_the_bound() {
    for vendor in VENDORS {
        let world = World::new(vendor, 1_000_000, OPTIONS.seed);
        // Ten minutes for mandates that are set up, whose rates fall, and ten days for the others, in which the windows
        // of the collections pass.
        let mut expected = [0.0; 2];
        let mut drawn = [0.0; 2];
        for index in 0..1_000_000 {
            let setup = world.mandates[index as usize].seen == Life::Setup;
            let time = if setup { 600.0 } else { 10.0 * DAY };
            let steps = if setup { 1 } else { 20 };
            let rate = |step| world.rate(index, time * (f64::from(step) + 0.5) / f64::from(steps));
            expected[usize::from(setup)] += (0..steps).map(rate).sum::<f64>() * time / f64::from(steps);
            drawn[usize::from(setup)] += f64::from(u8::from(world.unnoticed(index, time).is_some()));
        }
        for (expected, drawn) in expected.into_iter().zip(drawn) {
            let chance = 4.0 * f64::sqrt(expected) + 0.005 * expected;
            assert!(f64::abs(expected - drawn) < chance, "{}: {drawn} changes of {expected}", vendor.name);
        }
    }
}

#[test]
fn seven_tenths_of_the_changes_in_force_have_a_collection_ahead() {
    let world = World::new(VENDORS[0], 1_000_000, OPTIONS.seed);
    let changes = (0..1_000_000).filter_map(|index| world.unnoticed(index, MONTH));
    let groups: Vec<_> = changes.map(|noticed| noticed.group).collect();
    let count = |group| groups.iter().filter(|one| **one == group).count() as f64;
    let share = count(Group::CollectionAhead) / (count(Group::CollectionAhead) + count(Group::AtRest));
    assert!((share - 0.7).abs() < 0.02, "{share}");
}
