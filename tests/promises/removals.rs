//! After each removal, the outcome, the advice and `is_retryable` agree, whatever response the vendor sends.
#![cfg(all(feature = "safedebit", feature = "seqino"))]

use crate::support::{Act, Server, facade, http, json, test_settings};
use futures_util::{StreamExt, stream};
use mandat::{Error, ErrorKind, Mandates, Outcome};
use std::{collections::BTreeMap, sync::Mutex};

const GONE: &str = r#"{"error":"Not found","code":404,"trace_id":"trace-0042"}"#;

/// Makes every removal. Returns the name of each operation, its request line and its result.
async fn removals(mandates: &Mandates) -> Vec<(&'static str, &'static str, Result<(), Error>)> {
    let (safedebit, seqino) = (mandates.safedebit().unwrap(), mandates.seqino().unwrap());
    vec![
        (
            "revoque_mandate",
            "POST /revoque_mandate",
            safedebit.revoque_mandate().body_map(|b| b.umr("RUM-1")).send().await.map(drop),
        ),
        (
            "revoke_mandate",
            "DELETE /mandates/mdt_1",
            seqino.revoke_mandate().mandate_id("mdt_1").x_pdp_client_id("client_abc123").send().await,
        ),
        ("delete_client", "DELETE /clients/client_1", seqino.delete_client().client_id("client_1").send().await),
        (
            "delete_draft",
            "DELETE /drafts/draft_1",
            seqino.delete_draft().draft_id("draft_1").x_pdp_client_id("client_abc123").send().await,
        ),
    ]
}

/// Starts a server that sends the response `first` to the first request of each removal, and the response `later` to
/// each further request.
async fn first_then_later(first: Act, later: Act) -> (Server, Mandates) {
    let seen = Mutex::new(BTreeMap::new());
    let server = Server::start(move |request: &str| {
        let line = request.lines().next().unwrap().to_owned();
        let mut seen = seen.lock().unwrap();
        let times: &mut usize = seen.entry(line).or_default();
        *times += 1;
        if *times == 1 { first.clone() } else { later.clone() }
    });
    let server = server.await;
    let mandates = facade(&server.url(), &test_settings());
    (server, mandates)
}

fn assert_consistent(what: &str, error: &Error) {
    let unknown = error.outcome() == Some(Outcome::Unknown);
    let advice = error.advice().unwrap_or_default();
    assert_eq!(unknown, advice.contains("Send it again"), "{what}: {error}");
    assert!(!unknown || error.is_retryable(), "{what}: {error}");
    assert!(error.outcome() != Some(Outcome::Refused) || !error.to_string().contains("may have acted"), "{what}");
}

/// Response bodies that do not confirm the removal. Some of the bodies are refusals.
const BODIES: [&str; 16] = [
    "false",
    "\"maintenance\"",
    "\"ok\"",
    "0",
    "1",
    "[]",
    "[false]",
    "<html>Maintenance</html>",
    "OK",
    r#"{"error":"Mandate is locked","code":500,"trace_id":"trace-0042"}"#,
    GONE,
    r#"{"detail":[{"loc":["path"],"msg":"x","type":"x"}]}"#,
    r#"{"success":false}"#,
    r#"{"deleted":false}"#,
    r#"{"status":"pending"}"#,
    r#"{"ok":tru"#,
];

/// Combines the HTTP statuses 200 and 205 with each of these bodies, and each other HTTP status of success with a third
/// of them. The client treats the other statuses alike, so the three thirds together show as much.
fn successes() -> Vec<(String, Act)> {
    let mut all = Vec::new();
    for (number, status) in [200, 205, 201, 202, 203, 206, 207, 208, 226, 299].into_iter().enumerate() {
        for (index, body) in BODIES.into_iter().chain(["", "{}", "null", "true", " {} "]).enumerate() {
            if number < 2 || index % 3 == number % 3 {
                all.push((format!("{status} {body}"), Act::from(json(status, body))));
            }
        }
    }
    all
}

#[tokio::test]
async fn undocumented_success_counts_as_a_removal_only_if_a_retry_finds_no_record() {
    // Most of the time passes between two attempts, so the cases run beside one another.
    let cases = stream::iter(successes()).for_each_concurrent(8, async |(what, first)| {
        // The vendor had removed the record at the first request, so the retry gets 404 or 410.
        for gone in [404, 410].into_iter().take(if what.starts_with("200") { 2 } else { 1 }) {
            let (server, mandates) = first_then_later(first.clone(), json(gone, GONE).into()).await;
            for (name, line, result) in removals(&mandates).await.into_iter().skip(1) {
                assert!(result.is_ok(), "{name}, {what}, then {gone}: {}", result.unwrap_err());
                assert!((1..=2).contains(&server.count(line)), "{name} {what}");
            }
        }
        // The vendor sends the same response to each request.
        let (server, mandates) = first_then_later(first.clone(), first).await;
        for (name, line, result) in removals(&mandates).await {
            let plain = ["", "{}", "null", "true", " {} "]
                .iter()
                .any(|body| [200, 205].iter().any(|status| what == format!("{status} {body}")));
            match result {
                Ok(()) => assert!(
                    name == "delete_draft" && plain,
                    "{name} succeeded after {what}, but the response does not confirm the removal"
                ),
                Err(error) => {
                    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Decode, Some(Outcome::Unknown)), "{name}");
                    assert_consistent(&format!("{name} {what}"), &error);
                    assert!(server.count(line) <= 3, "{name} {what}");
                }
            }
        }
    });
    cases.await;
}

#[tokio::test]
async fn response_with_status_204_confirms_a_removal_despite_any_body() {
    for body in ["", "{}", GONE, "<html>Maintenance</html>"] {
        let (server, mandates) = first_then_later(json(204, body).into(), Act::Reset(vec![])).await;
        for (name, line, result) in removals(&mandates).await.into_iter().skip(1) {
            assert!(result.is_ok(), "{name} {body}: {}", result.unwrap_err());
            assert_eq!(server.count(line), 1, "{name} {body}");
        }
    }
}

#[tokio::test]
async fn refusal_after_a_lost_response_leaves_the_outcome_of_a_removal_unknown() {
    let lost = [Act::Reset(vec![]), json(503, "").into(), json(504, "").into(), json(200, "<html></html>").into()];
    let refusals = [
        json(400, r#"{"error":"x","code":400,"trace_id":"trace-0042"}"#),
        json(401, ""),
        json(403, ""),
        json(409, r#"{"error":"x","code":409,"trace_id":"trace-0042"}"#),
        json(418, ""),
        json(422, ""),
        json(200, r#"{"result":false,"code":"NOK_001"}"#),
        json(429, ""),
        http(429, "retry-after: 7\r\n", ""),
    ];
    for first in lost {
        for refusal in refusals.clone() {
            let (_server, mandates) = first_then_later(first.clone(), refusal.clone().into()).await;
            for (name, _, result) in removals(&mandates).await {
                let error = result.unwrap_err();
                assert_eq!(error.outcome(), Some(Outcome::Unknown), "{name} {refusal}: {error}");
                assert_consistent(&format!("{name} {refusal}"), &error);
            }
        }
    }
}

#[tokio::test]
async fn error_about_a_missing_record_mentions_a_possible_earlier_removal() {
    for status in [404, 410] {
        let (server, mandates) = first_then_later(json(status, GONE).into(), json(status, GONE).into()).await;
        for (name, line, result) in removals(&mandates).await.into_iter().skip(1) {
            let error = result.unwrap_err();
            assert_eq!((error.kind(), error.outcome()), (ErrorKind::NotFound, Some(Outcome::Refused)), "{name}");
            assert!(error.advice().unwrap().contains("an earlier removal was lost, it succeeded"), "{error}");
            assert!(!error.is_retryable());
            assert_eq!(server.count(line), 1);
        }
    }
}

#[tokio::test]
async fn outcome_advice_and_retryable_agree_after_any_failure() {
    for (what, answer) in crate::errors::answers() {
        if what.starts_with("slow") {
            continue;
        }
        let (_server, mandates) = first_then_later(answer.clone(), answer).await;
        for (name, _, result) in removals(&mandates).await {
            if let Err(error) = result {
                assert_consistent(&format!("{name} {what}"), &error);
            }
        }
    }
}
