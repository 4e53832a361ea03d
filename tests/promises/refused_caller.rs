//! The facade sends no further requests to a vendor that refuses the caller's credentials, because repeated refusals
//! can lock an account.
#![cfg(all(feature = "easytransac", feature = "safedebit", feature = "seqino"))]

use crate::support::{Act, Server, facade, http, json, test_settings};
use futures_util::{StreamExt, future::join_all, stream};
use mandat::{ErrorKind, MandateRef, Mandates, Provider};
use std::{
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

/// The number of mandates in a batch. It is far above the number of calls that run at the same time.
const MANDATES: usize = 500;

fn references(provider: Provider, count: usize) -> Vec<MandateRef> {
    (0..count)
        .map(|i| match provider {
            Provider::Easytransac => MandateRef::easytransac(format!("abcabcabcabc{i:08}")),
            Provider::SafeDebit => MandateRef::safedebit(format!("RUM-{i}")),
            _ => MandateRef::seqino(format!("client_{}", i / 20), format!("mdt_{i}")),
        })
        .collect()
}

/// Reads these mandates in one batch. Returns the number of failed readings of each kind.
async fn run(mandates: &Mandates, references: Vec<MandateRef>) -> Vec<(ErrorKind, usize)> {
    let mut kinds: Vec<(ErrorKind, usize)> = Vec::new();
    let mut readings = mandates.statuses(references);
    while let Some(reading) = readings.next().await {
        let Err(error) = reading.result else { continue };
        assert_eq!(error.provider(), Some(reading.query.reference.provider()));
        assert!(error.is_retryable() == (error.kind() == ErrorKind::Transport), "{error}");
        match kinds.iter_mut().find(|(kind, _)| *kind == error.kind()) {
            Some((_, count)) => *count += 1,
            None => kinds.push((error.kind(), 1)),
        }
    }
    kinds
}

/// Lists each way in which a vendor refuses the caller: the vendor, a flag, the response, and the number of requests of
/// one call. The flag is true if the vendor refuses the token request, too.
fn refusals() -> Vec<(Provider, bool, Act, usize)> {
    let page = |status| Act::from(http(status, "content-type: text/html\r\n", "<html>Forbidden</html>"));
    let mut all = Vec::new();
    for code in ["AUTH_001", "AUTH_002", "AUTH_003", "AUTH_004", "AUTH_005"] {
        let answer = json(200, &format!(r#"{{"result":false,"code":"{code}"}}"#));
        all.push((Provider::SafeDebit, false, answer.into(), 1));
    }
    for code in ["3", "4", "7", "11"] {
        for status in [200, 403] {
            let answer = json(status, &format!(r#"{{"success":false,"code":{code}}}"#));
            all.push((Provider::Easytransac, false, Act::from(answer.clone()), 2));
            all.push((Provider::Easytransac, true, answer.into(), 1));
        }
    }
    all.push((Provider::Easytransac, true, page(403), 1));
    all.push((Provider::Easytransac, true, page(401), 1));
    // After the 401 the call renews the token once and sends the request once more.
    all.push((Provider::Easytransac, false, page(401), 4));
    all.push((Provider::SafeDebit, false, page(401), 1));
    all.push((Provider::Seqino, false, page(401), 1));
    let own = r#"{"error":"Invalid API key","code":401,"trace_id":"trace-0042"}"#;
    all.push((Provider::Seqino, false, json(401, own).into(), 1));
    all
}

#[tokio::test]
async fn batch_stops_at_the_first_refusal_of_the_caller() {
    for (provider, also_key, answer, requests) in refusals() {
        let what = format!(
            "{provider} {also_key} {:?}",
            match &answer {
                Act::Send(bytes) => String::from_utf8_lossy(bytes).into_owned(),
                _ => String::new(),
            }
        );
        let refuse = answer.clone();
        let server = match also_key {
            true => Server::start(move |_| refuse.clone()).await,
            false => Server::with_token(move |_| refuse.clone()).await,
        };
        let mandates = facade(&server.url(), &test_settings());
        let kinds = run(&mandates, references(provider, MANDATES)).await;
        assert_eq!(kinds, [(ErrorKind::Auth, 1), (ErrorKind::NotAsked, MANDATES - 1)], "{what}");
        assert_eq!(server.requests().len(), requests, "{what}");
    }
}

#[tokio::test]
async fn refusal_by_one_vendor_does_not_stop_readings_at_other_vendors() {
    let server = Server::with_token(|request| match request.starts_with("GET /search_mandate") {
        true => json(200, r#"{"result":false,"code":"AUTH_002"}"#),
        false => json(404, r#"{"success":false}"#),
    });
    let server = server.await;
    let both = [references(Provider::SafeDebit, 50), references(Provider::Easytransac, 50)].concat();
    let mut kinds = run(&facade(&server.url(), &test_settings()), both).await;
    kinds.sort_by_key(|(kind, _)| kind.name());
    assert_eq!(kinds, [(ErrorKind::Auth, 1), (ErrorKind::NotAsked, 49), (ErrorKind::NotFound, 50)]);
}

/// Returns a successful response to `GET /search_mandate?umr=...`.
fn found(request: &str) -> String {
    let umr = request.split_once("umr=").unwrap().1.split(' ').next().unwrap();
    json(200, &format!(r#"{{"result":true,"datas":[{{"umr":"{umr}","status":"1"}}]}}"#))
}

#[tokio::test(flavor = "multi_thread")]
async fn password_change_during_a_batch_causes_at_most_one_refusal_per_parallel_request() {
    let asked = AtomicUsize::new(0);
    let server = Server::start(move |request| match asked.fetch_add(1, Ordering::SeqCst) {
        0..100 => found(request),
        _ => json(200, r#"{"result":false,"code":"AUTH_002"}"#),
    });
    let server = server.await;
    let mandates = facade(&server.url(), &test_settings().with_concurrency(8));
    let kinds = run(&mandates, references(Provider::SafeDebit, 1000)).await;
    let requests = server.requests().len();
    assert!((101..=108).contains(&requests), "{requests}");
    let refused = requests - 100;
    assert!(kinds.contains(&(ErrorKind::Auth, refused)), "{kinds:?}");
    assert!(kinds.contains(&(ErrorKind::NotAsked, 1000 - requests)), "{kinds:?}");
}

#[tokio::test]
async fn refusal_during_a_batch_stops_calls_that_wait_for_the_rate_limit() {
    let batches = [Provider::SafeDebit, Provider::Seqino].map(async |provider| {
        let asked = AtomicUsize::new(0);
        let server = Server::start(move |request| match asked.fetch_add(1, Ordering::SeqCst) {
            0..5 if provider == Provider::SafeDebit => found(request),
            0..5 => json(200, "[]"),
            _ => json(401, "{}"),
        });
        let server = server.await;
        // More calls wait than the rate limit allows at once. On loopback the default settings have no rate limit.
        let settings = test_settings().with_rate_per_second(NonZeroU32::new(20)).with_concurrency(16);
        let kinds = run(&facade(&server.url(), &settings), references(provider, 1000)).await;
        let requests = server.requests().len();
        assert!((6..=8).contains(&requests), "{provider}: {requests}");
        let auth: usize = kinds.iter().filter(|(kind, _)| *kind == ErrorKind::Auth).map(|(_, count)| count).sum();
        assert!(auth <= requests - 5, "{provider}: {kinds:?}");
    });
    join_all(batches).await;
}

#[tokio::test]
async fn client_that_the_caller_may_not_read_does_not_stop_a_batch() {
    let own = r#"{"error":"Forbidden","code":403,"trace_id":"trace-0042"}"#;
    let server = Server::start(move |request| match request.starts_with("GET /clients ") {
        true => json(200, "[]"),
        false => json(403, own),
    });
    let server = server.await;
    let kinds = run(&facade(&server.url(), &test_settings()), references(Provider::Seqino, 200)).await;
    assert_eq!(kinds, [(ErrorKind::Auth, 200)]);
}

#[tokio::test]
async fn five_html_pages_of_a_firewall_in_a_row_stop_a_batch() {
    let page = || http(403, "content-type: text/html\r\n", "<html>Forbidden</html>");
    let server = Server::start(move |_| page()).await;
    let kinds = run(&facade(&server.url(), &test_settings()), references(Provider::SafeDebit, 1000)).await;
    assert_eq!(kinds, [(ErrorKind::Auth, 5), (ErrorKind::NotAsked, 995)]);
    assert_eq!(server.requests().len(), 5);

    let asked = AtomicUsize::new(0);
    let server = Server::start(move |request| match asked.fetch_add(1, Ordering::SeqCst) % 5 {
        4 => found(request),
        _ => page(),
    });
    let server = server.await;
    let mandates = facade(&server.url(), &test_settings().with_concurrency(1));
    assert_eq!(run(&mandates, references(Provider::SafeDebit, 200)).await, [(ErrorKind::Auth, 160)]);
}

#[tokio::test]
async fn number_of_refusals_is_limited_after_a_lost_first_response() {
    let asked = AtomicUsize::new(0);
    let server = Server::start(move |_| match asked.fetch_add(1, Ordering::SeqCst) {
        0 => Act::Reset(vec![]),
        _ => json(200, r#"{"result":false,"code":"AUTH_002"}"#).into(),
    });
    let server = server.await;
    let mandates = facade(&server.url(), &test_settings().with_attempts(1).with_concurrency(8));
    let kinds = run(&mandates, references(Provider::SafeDebit, 1000)).await;
    assert!(kinds.contains(&(ErrorKind::Transport, 1)), "{kinds:?}");
    assert!(server.requests().len() <= 1 + 8, "{}", server.requests().len());
}

#[tokio::test]
async fn watches_of_a_refused_caller_end_after_one_request() {
    let right = Arc::new(AtomicBool::new(false));
    let password = right.clone();
    let server = Server::start(move |request| match password.load(Ordering::SeqCst) {
        true => found(request),
        false => json(200, r#"{"result":false,"code":"AUTH_002"}"#),
    });
    let server = server.await;
    let mandates = facade(&server.url(), &test_settings());
    let watch_all = || async {
        let watches = references(Provider::SafeDebit, 500).into_iter().map(|reference| mandates.watch(reference));
        let first = stream::iter(watches).map(|mut watch| async move { (watch.next().await.unwrap(), watch) });
        Vec::from_iter(first.buffer_unordered(500).collect::<Vec<_>>().await)
    };
    let all = watch_all().await;
    assert_eq!(server.requests().len(), 1);
    let mut refused = 0;
    for (first, mut watch) in all {
        match first.unwrap_err().kind() {
            ErrorKind::Auth => refused += 1,
            kind => assert_eq!(kind, ErrorKind::NotAsked),
        }
        assert!(watch.next().await.is_none(), "the watch should end");
    }
    assert_eq!(refused, 1);
    // The watches can start again once the vendor accepts the credentials.
    right.store(true, Ordering::SeqCst);
    mandates.status(&MandateRef::safedebit("RUM-1")).await.unwrap();
    assert!(watch_all().await.iter().all(|(first, _)| first.is_ok()));
}
