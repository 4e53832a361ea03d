//! A sandbox is cheap enough for each test to have its own.

use crate::control::CLIENT;
use mandat::{MandateRef, Provider, sandbox::Sandbox};
use serde_json::json;
use std::{fs, time::Instant};

/// Starts one, and has it create a mandate.
async fn with_mandate(umr: &str) -> Sandbox {
    let sandbox = Sandbox::start().await.unwrap();
    let body = json!({
        "safedebit_consumer_reference": Sandbox::CONSUMER,
        "url_ok": "https://example.com/ok",
        "url_ko": "https://example.com/ko",
        "url_cancel": "https://example.com/cancel",
        "umr": umr,
    });
    let request = CLIENT.post(format!("{}/create_mandate", sandbox.base_url(Provider::SafeDebit)));
    let answer = request.basic_auth("sandbox", Some("sandbox-password")).body(body.to_string()).send().await.unwrap();
    assert!(answer.text().await.unwrap().contains("signature_url"));
    sandbox
}

#[tokio::test]
async fn a_hundred_in_one_process_answer_each_with_its_own_state() {
    let mut all = Vec::new();
    for number in 0..100 {
        all.push(with_mandate(&format!("RUM-{number}")).await);
    }
    for (number, sandbox) in all.iter().enumerate() {
        // That of the vendor's samples, and its own.
        assert_eq!(sandbox.mandates_at(Provider::SafeDebit), 2);
        assert!(sandbox.record(&MandateRef::safedebit(format!("RUM-{number}"))).is_some());
        assert_eq!(sandbox.requests().len(), 1);
    }
}

/// In KiB; Linux only.
fn memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}

#[tokio::test]
#[ignore = "measures what one costs: cargo test --release --test promises what_one_costs -- --ignored --nocapture"]
async fn what_one_costs() {
    let since = Instant::now();
    // The specs are read and their checks made once in a process.
    let first = with_mandate("RUM-1").await;
    println!("the first, with an answer: {:?}", since.elapsed());
    let (before, since) = (memory(), Instant::now());
    let mut all = vec![first];
    for _ in 0..500 {
        all.push(Sandbox::start().await.unwrap());
    }
    println!("each start: {:?}, {:.1} KiB", since.elapsed() / 500, (memory() - before) as f64 / 500.0);
    let (before, since) = (memory(), Instant::now());
    for number in 0..500 {
        all.push(with_mandate(&format!("RUM-{number}")).await);
    }
    println!("each start with an answer: {:?}, {:.1} KiB", since.elapsed() / 500, (memory() - before) as f64 / 500.0);
}
