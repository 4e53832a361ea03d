//! A sandbox takes so little time and memory that each test can start its own.

use crate::control::CLIENT;
use mandat::{MandateRef, Provider, sandbox::Sandbox};
use serde_json::json;
use std::{fs, time::Instant};

/// Starts a sandbox and creates a mandate in the sandbox.
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
    let request = request.basic_auth("sandbox", Some("sandbox-password")).header("content-type", "application/json");
    let answer = request.body(body.to_string()).send().await.unwrap();
    assert!(answer.text().await.unwrap().contains("signature_url"));
    sandbox
}

#[tokio::test]
async fn hundred_sandboxes_in_one_process_keep_separate_state() {
    let mut all = Vec::new();
    for number in 0..100 {
        all.push(with_mandate(&format!("RUM-{number}")).await);
    }
    for (number, sandbox) in all.iter().enumerate() {
        // SafeDebit has the mandate of the vendor's samples and the mandate that this test created.
        assert_eq!(sandbox.mandates_at(Provider::SafeDebit), 2);
        assert!(sandbox.record(&MandateRef::safedebit(format!("RUM-{number}"))).is_some());
        assert_eq!(sandbox.requests().len(), 1);
    }
}

/// Returns the resident memory of this process in KiB on Linux, and 0 on other systems.
fn memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}

#[tokio::test]
#[ignore = "measures time and memory: cargo test --release --test promises sandbox_takes_little_time_and_memory -- --ignored --nocapture"]
async fn sandbox_takes_little_time_and_memory() {
    let since = Instant::now();
    // The first sandbox of a process also parses the specs and builds the checks, so the test measures it separately.
    let first = with_mandate("RUM-1").await;
    println!("first sandbox with one response: {:?}", since.elapsed());
    let (before, since) = (memory(), Instant::now());
    let mut all = vec![first];
    for _ in 0..500 {
        all.push(Sandbox::start().await.unwrap());
    }
    println!("each sandbox: {:?}, {:.1} KiB", since.elapsed() / 500, (memory() - before) as f64 / 500.0);
    let (before, since) = (memory(), Instant::now());
    for number in 0..500 {
        all.push(with_mandate(&format!("RUM-{number}")).await);
    }
    println!(
        "each sandbox with one response: {:?}, {:.1} KiB",
        since.elapsed() / 500,
        (memory() - before) as f64 / 500.0
    );
}
