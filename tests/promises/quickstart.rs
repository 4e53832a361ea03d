//! Each line that `cargo run --example quickstart` prints comes from one call of `Mandates::status`, which sends a
//! request to a server.

#[path = "../../examples/quickstart.rs"]
#[allow(dead_code, reason = "the test does not call its main")]
mod example;

use crate::snapshot;
use mandat::{MandateStatus, Provider, sandbox::Sandbox};
use std::collections::BTreeSet;

#[tokio::test]
async fn quickstart_reads_one_status_per_line() {
    let sandbox = Sandbox::start().await.unwrap();
    let mut out = Vec::new();
    example::run(&sandbox, &mut out).await.unwrap();
    let out = String::from_utf8(out).unwrap();
    for (provider, read) in [
        (Provider::Easytransac, "get_mandate_status"),
        (Provider::SafeDebit, "search_mandate"),
        (Provider::Seqino, "get_mandate"),
    ] {
        let lines = out.lines().filter(|line| line.starts_with(provider.name())).count();
        assert_eq!(lines, sandbox.count(read), "{provider}: lines and reads");
    }
}

#[tokio::test]
async fn quickstart_shows_every_reachable_status_and_an_unknown_word() {
    let sandbox = Sandbox::start().await.unwrap();
    let mut out = Vec::new();
    example::run(&sandbox, &mut out).await.unwrap();
    let out = String::from_utf8(out).unwrap();
    for provider in Provider::ALL {
        let shown: BTreeSet<&str> = out
            .lines()
            .filter(|line| line.starts_with(provider.name()))
            .map(|line| MandateStatus::ALL.iter().find(|s| line.contains(&format!(" {s} "))).unwrap().as_str())
            .collect();
        let mut reachable: BTreeSet<&str> = mandat::vocabulary()
            .iter()
            .filter(|row| row.provider == *provider)
            .map(|row| row.status.as_str())
            .collect();
        reachable.insert("Unrecognized");
        if *provider == Provider::Seqino {
            reachable.insert("Gone");
        }
        assert_eq!(shown, reachable, "{provider}");
    }
}

#[tokio::test]
async fn quickstart_output_matches_the_snapshot() {
    let sandbox = Sandbox::start().await.unwrap();
    let mut out = Vec::new();
    example::run(&sandbox, &mut out).await.unwrap();
    let date = regress::Regex::new(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ").unwrap();
    snapshot!("quickstart", date.replace_all(&String::from_utf8(out).unwrap(), "<date>"));
}
