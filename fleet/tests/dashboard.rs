//! The dashboard and the README show the metrics that a worker has.

use serde_json::Value;
use std::collections::BTreeSet;

const README: &str = include_str!("../README.md");
const METRICS: &str = include_str!("../src/metrics.rs");

fn dashboard() -> Value {
    serde_json::from_str(include_str!("../grafana.json")).unwrap()
}

/// The names of metrics in a text, without the endings that Prometheus adds.
fn named(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    let names = words.filter(|word| word.starts_with("mandat_fleet_"));
    let stem = |name: &str| ["_total", "_bucket"].iter().fold(name.to_owned(), |name, end| name.replace(end, ""));
    names.map(stem).collect()
}

/// The metrics that the source registers.
fn registered() -> BTreeSet<String> {
    let calls = METRICS.split("registry.register(").skip(1);
    calls.map(|call| format!("mandat_fleet_{}", call.split('"').nth(1).unwrap())).collect()
}

#[test]
fn dashboard_shows_every_metric_of_a_worker_and_no_other() {
    assert!(registered().len() >= 7, "{:?}", registered());
    assert_eq!(named(&dashboard()["panels"].to_string()), registered());
}

#[test]
fn readme_lists_every_metric_of_a_worker() {
    let rows: String = README.lines().filter(|line| line.starts_with("| `mandat_fleet_")).collect();
    assert_eq!(named(&rows), registered());
}

#[test]
fn panels_of_the_dashboard_do_not_overlap() {
    let dashboard = dashboard();
    let panels = dashboard["panels"].as_array().unwrap();
    let ids: BTreeSet<_> = panels.iter().map(|panel| panel["id"].as_u64().unwrap()).collect();
    assert_eq!(ids.len(), panels.len(), "each panel needs a number of its own");
    let places = panels.iter().flat_map(|panel| {
        let [x, y, w, h] = ["x", "y", "w", "h"].map(|name| panel["gridPos"][name].as_u64().unwrap());
        assert!(x + w <= 24, "{} is wider than the page", panel["title"]);
        (x..x + w).flat_map(move |x| (y..y + h).map(move |y| (x, y)))
    });
    let mut taken = BTreeSet::new();
    for place in places {
        assert!(taken.insert(place), "two panels share {place:?}");
    }
}
