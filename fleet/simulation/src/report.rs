//! The tables of the results.

use crate::{
    bound::Bound,
    fleet::Outcome,
    world::{DAY, Group, Noticed, VENDORS},
};
use std::fmt::Write as _;

/// The result of one order at one rate, or of the lower bound. All times are in seconds.
pub struct Row {
    pub calls_per_second: f64,
    pub name: String,
    /// The lateness at 1 to 999 thousandths of all changes.
    pub lateness: Vec<f64>,
    /// The lateness at 99 % of the changes of each vendor.
    vendors: [f64; 3],
    /// The lateness at 99 % of the changes of each group. A bound has no groups.
    groups: Option<[f64; 3]>,
    calls_a_day: Option<f64>,
    repeated: Option<f64>,
}

impl Row {
    pub fn of_bound(calls_per_second: f64, bounds: Vec<Bound>) -> Self {
        let vendors = std::array::from_fn(|vendor| bounds.get(vendor).map_or(f64::NAN, |bound| bound.lateness(0.99)));
        let bound = Bound::join(bounds);
        let lateness = thousandths(|share| bound.lateness(share));
        let name = "lower bound".to_owned();
        Self { calls_per_second, name, lateness, vendors, groups: None, calls_a_day: None, repeated: None }
    }

    pub fn of_order(calls_per_second: f64, name: &str, outcomes: &[Outcome], end: f64) -> Self {
        let all = || outcomes.iter().flat_map(|outcome| &outcome.noticed);
        let late = lateness(all());
        let group = |group| quantile(&lateness(all().filter(|noticed| noticed.group == group)), 0.99);
        let vendor = |vendor: usize| outcomes.get(vendor).map_or(f64::NAN, Outcome::late_99);
        let sum = |of: fn(&Outcome) -> u64| outcomes.iter().map(of).sum::<u64>() as f64;
        Self {
            calls_per_second,
            name: name.to_owned(),
            lateness: thousandths(|share| quantile(&late, share)),
            vendors: std::array::from_fn(vendor),
            groups: Some([Group::Setup, Group::CollectionAhead, Group::AtRest].map(group)),
            calls_a_day: Some(sum(|outcome| outcome.calls) / (end / DAY)),
            repeated: Some(sum(|outcome| outcome.repeated) / sum(|outcome| outcome.calls)),
        }
    }

    fn at(&self, share: f64) -> f64 {
        self.lateness[(share * 1000.0) as usize - 1]
    }
}

impl Outcome {
    pub fn late_99(&self) -> f64 {
        quantile(&lateness(self.noticed.iter()), 0.99)
    }
}

fn thousandths(of: impl Fn(f64) -> f64) -> Vec<f64> {
    (1..1000).map(|share| of(f64::from(share) / 1000.0)).collect()
}

/// Writes the rows as tables of Markdown. The first row of each rate is the lower bound.
pub fn tables(rows: &[Row]) -> String {
    let mut all = String::from(
        "| calls a second | order | median | 99 % | 99 % / bound | set up | collection ahead | at rest |\n\
         |---|---|---|---|---|---|---|---|\n",
    );
    let mut vendors = format!(
        "| calls a second | order | {} | calls a day | repeated |\n|---|---|---|---|---|---|---|\n",
        VENDORS.map(|vendor| vendor.name).join(" | ")
    );
    let mut bound = f64::NAN;
    for row in rows {
        let Row { calls_per_second, name, .. } = row;
        if row.groups.is_none() {
            bound = row.at(0.99);
        }
        let groups = row.groups.unwrap_or([f64::NAN; 3]).map(spoken).join(" | ");
        let (median, late) = (spoken(row.at(0.5)), spoken(row.at(0.99)));
        let ratio = row.at(0.99) / bound;
        let _ = writeln!(all, "| {calls_per_second} | {name} | {median} | {late} | {ratio:.2} | {groups} |");
        let of_vendors = row.vendors.map(spoken).join(" | ");
        let calls = row.calls_a_day.map_or("-".to_owned(), |calls| format!("{:.2} million", calls / 1e6));
        let repeated = row.repeated.map_or("-".to_owned(), |share| format!("{:.3} %", share * 100.0));
        let _ = writeln!(vendors, "| {calls_per_second} | {name} | {of_vendors} | {calls} | {repeated} |");
    }
    format!("{all}\n{vendors}")
}

/// The lateness of each change in seconds, sorted.
pub fn lateness<'a>(noticed: impl Iterator<Item = &'a Noticed>) -> Vec<f64> {
    let mut late: Vec<_> = noticed.map(|noticed| noticed.noticed_at - noticed.changed_at).collect();
    late.sort_unstable_by(f64::total_cmp);
    late
}

pub fn quantile(sorted: &[f64], share: f64) -> f64 {
    let at = (sorted.len() as f64 * share) as usize;
    sorted.get(at.min(sorted.len().saturating_sub(1))).copied().unwrap_or(f64::NAN)
}

/// Writes a duration as people say it.
fn spoken(seconds: f64) -> String {
    match seconds {
        s if s.is_nan() => "-".to_owned(),
        s if s < 100.0 => format!("{s:.0} s"),
        s if s < 100.0 * 60.0 => format!("{:.0} min", s / 60.0),
        s if s < 72.0 * 3600.0 => format!("{:.1} h", s / 3600.0),
        s => format!("{:.1} days", s / DAY),
    }
}
