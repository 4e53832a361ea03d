//! Easytransac's token: asked for once, kept, renewed in time, and never guessed.

use crate::support::{Act, KEY, Server, hasty, http, json, token, token_called};
use mandat::{ErrorKind, MandateRef, Mandates, Settings, easytransac};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

const MANDATE: &str = r#"{"success":true,"date":"2024-12-31T23:59:59+02:00","data":{"mandateId":"abcabcabcabcabcabc12","status":"active","dateCreated":"2024-12-31T23:59:59+02:00"}}"#;

fn facade(url: &str) -> Mandates {
    Mandates::builder().easytransac(easytransac::Config::new(url, KEY)).build().unwrap()
}

fn reference() -> MandateRef {
    MandateRef::easytransac("abcabcabcabcabcabc12")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_tasks_that_start_with_no_token_ask_for_one() {
    let server = Server::with_token(|_| json(200, MANDATE)).await;
    let mandates = facade(&server.url());
    let tasks: Vec<_> = (0..1000)
        .map(|_| {
            let mandates = mandates.clone();
            tokio::spawn(async move { mandates.status(&reference()).await.map(|_| ()) })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert_eq!((server.count("POST /auth "), server.count("GET /sdd/mandate/")), (1, 1000));
}

#[tokio::test]
async fn a_lifetime_of_zero_or_one_or_none_that_can_be_read_does_not_ask_for_every_call() {
    for expires_in in ["0", "1", "-5", "null", "\"soon\"", "99999999999999999999"] {
        let answer = token(300).replace("300", expires_in).replace("content-length: ", "x: ");
        let server =
            Server::start(move |r| if r.starts_with("POST /auth ") { answer.clone() } else { json(200, MANDATE) })
                .await;
        let mandates = facade(&server.url());
        for _ in 0..5 {
            mandates.status(&reference()).await.unwrap();
        }
        assert_eq!(server.count("POST /auth "), 1, "expiresIn {expires_in}");
    }
}

/// Moves tokio's clock, which stands still only while it is moved: the sockets are real.
async fn later(seconds: u64) {
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(seconds)).await;
    tokio::time::resume();
}

#[tokio::test]
async fn a_token_that_is_said_to_last_for_ever_is_used_for_a_day_at_most() {
    for expires_in in [i64::MAX, i64::MAX / 1_000_000_000, 25 * 3600] {
        let server =
            Server::start(move |r| if r.starts_with("POST /auth ") { token(expires_in) } else { json(200, MANDATE) });
        let server = server.await;
        let mandates = facade(&server.url());
        for (seconds, asked) in [(0, 1), (23 * 3600, 1), (3600, 2)] {
            later(seconds).await;
            mandates.status(&reference()).await.unwrap();
            assert_eq!(server.count("POST /auth "), asked, "expiresIn {expires_in}, {seconds} s later");
        }
    }
}

#[tokio::test]
async fn a_token_that_the_vendor_refuses_is_renewed_once_and_the_call_repeated_once() {
    let calls = AtomicU32::new(0);
    let server = Server::with_token(move |_| match calls.fetch_add(1, Ordering::SeqCst) {
        0 => json(401, ""),
        _ => json(200, MANDATE),
    })
    .await;
    facade(&server.url()).status(&reference()).await.unwrap();
    assert_eq!((server.count("POST /auth "), server.count("GET /sdd/")), (2, 2));

    let server = Server::with_token(|_| json(401, "")).await;
    let error = facade(&server.url()).status(&reference()).await.unwrap_err();
    assert_eq!((error.kind(), error.http_status()), (ErrorKind::Auth, Some(401)));
    assert_eq!((server.count("POST /auth "), server.count("GET /sdd/")), (2, 2));
}

#[test]
fn a_live_key_at_the_sandbox_is_refused_before_anything_is_sent() {
    let error = Mandates::builder()
        .easytransac(easytransac::Config::sandbox(KEY.replace("_test_", "_live_")))
        .build()
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotConfigured);
    assert!(!format!("{error} {error:?}").contains("abcabc"));
}

#[tokio::test]
async fn a_token_is_renewed_before_it_ends_and_not_long_before() {
    let server = Server::with_token(|_| json(200, MANDATE)).await;
    let mandates = facade(&server.url());
    // 300 seconds: 30 of them are kept back.
    for (seconds, asked) in [(0, 1), (269, 1), (2, 2), (268, 2), (3, 3)] {
        later(seconds).await;
        mandates.status(&reference()).await.unwrap();
        assert_eq!(server.count("POST /auth "), asked, "after {seconds} s");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_ends_during_a_thousand_calls_is_renewed_once() {
    let asked = Arc::new(AtomicU32::new(0));
    let (asking, ended) = (asked.clone(), Arc::new(AtomicU32::new(0)));
    let ending = ended.clone();
    let server = Server::start(move |request| {
        if request.starts_with("POST /auth ") {
            let number = asking.fetch_add(1, Ordering::SeqCst);
            return token_called(&format!("number{number}.x.y"), 300);
        }
        // From the five-hundredth call on the first token is no longer taken.
        if request.contains("number0.") && ending.fetch_add(1, Ordering::SeqCst) >= 500 {
            return json(401, "");
        }
        json(200, MANDATE)
    });
    let server = server.await;
    let mandates = facade(&server.url());
    let tasks: Vec<_> = (0..1000)
        .map(|_| {
            let mandates = mandates.clone();
            tokio::spawn(async move { mandates.status(&reference()).await.map(|_| ()) })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert!(ended.load(Ordering::SeqCst) > 500, "no call met the end of the token");
    assert_eq!(asked.load(Ordering::SeqCst), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_exchange_is_not_hammered_and_everybody_is_told_why() {
    let server = Server::start(|_| json(401, r#"{"success":false,"code":3}"#)).await;
    let mandates = facade(&server.url());
    let tasks: Vec<_> = (0..300)
        .map(|_| {
            let mandates = mandates.clone();
            tokio::spawn(async move { mandates.status(&reference()).await.unwrap_err() })
        })
        .collect();
    for task in tasks {
        let error = task.await.unwrap();
        assert_eq!((error.kind(), error.operation()), (ErrorKind::Auth, Some("generate_token")));
    }
    assert_eq!(server.count("POST /auth "), 1);
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn an_exchange_that_goes_on_failing_is_asked_for_ever_less_often_but_twice_a_minute_at_least() {
    let server = Server::start(|_| json(401, r#"{"success":false,"code":3}"#)).await;
    let mandates = facade(&server.url());
    for (seconds, asked) in
        [(0, 1), (1, 2), (2, 3), (4, 4), (8, 5), (10, 5), (6, 6), (20, 6), (10, 7), (20, 7), (10, 8), (30, 9)]
    {
        later(seconds).await;
        mandates.status(&reference()).await.unwrap_err();
        assert_eq!(server.count("POST /auth "), asked, "{seconds} s later");
    }
}

#[tokio::test]
async fn an_exchange_that_asks_to_wait_is_waited_for_half_a_minute_at_most() {
    for (wish, rest) in [(20, 10), (u64::MAX, 20)] {
        let server = Server::start(move |_| http(429, &format!("retry-after: {wish}\r\n"), "")).await;
        let mandates = facade(&server.url());
        for (seconds, asked) in [(0, 1), (10, 1), (rest, 2)] {
            later(seconds).await;
            mandates.status(&reference()).await.unwrap_err();
            assert_eq!(server.count("POST /auth "), asked, "of {wish} s, {seconds} s later");
        }
    }
}

#[tokio::test]
async fn a_hanging_exchange_holds_nobody_longer_than_the_call_may_take() {
    let long = Act::Drip(vec![], Duration::from_secs(30), vec![]);
    let server = Server::start(move |_| long.clone()).await;
    let settings =
        Settings { attempt_timeout: Duration::from_secs(20), overall_timeout: Duration::from_millis(200), ..hasty() };
    let mandates = crate::support::facade(&server.url(), &settings);
    let began = std::time::Instant::now();
    let calls = (0..20).map(|_| {
        let mandates = mandates.clone();
        tokio::spawn(async move { mandates.status(&reference()).await.unwrap_err() })
    });
    for call in Vec::from_iter(calls) {
        assert_eq!(call.await.unwrap().kind(), ErrorKind::Timeout);
    }
    // Twenty in a row would take four seconds.
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
}

#[test]
fn an_empty_credential_is_refused_before_anything_is_sent() {
    let error = Mandates::builder().easytransac(easytransac::Config::sandbox(" ")).build().unwrap_err();
    assert_eq!(error.to_string(), "Easytransac: not configured: the API key is empty");
}
