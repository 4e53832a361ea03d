//! The facade asks Easytransac for one token, keeps it, and renews it before it expires.

use crate::support::{Act, KEY, Server, http, json, test_settings, token, token_called};
use mandat::{ErrorKind, MandateRef, Mandates, easytransac};
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
async fn concurrent_calls_share_one_token_request() {
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
async fn token_with_short_or_unreadable_lifetime_is_reused() {
    for expires_in in ["0", "1", "-5", "null", "\"soon\"", "\"\"", "99999999999999999999", "[]", "{}"] {
        let server = with_lifetime(expires_in).await;
        let mandates = facade(&server.url());
        for _ in 0..5 {
            mandates.status(&reference()).await.unwrap();
        }
        assert_eq!(server.count("POST /auth "), 1, "expiresIn {expires_in}");
    }
}

async fn with_lifetime(expires_in: &str) -> Server {
    let answer = token(300).replace("300", expires_in).replace("content-length: ", "x: ");
    Server::start(move |r| if r.starts_with("POST /auth ") { answer.clone() } else { json(200, MANDATE) }).await
}

#[tokio::test]
async fn token_lifetime_is_read_in_every_number_format() {
    for expires_in in ["300", "300.0", "3e2", "3.0E+2", "30000e-2", "\"300\"", "\" 300.0 \"", "\"3e2\"", "300.25"] {
        let server = with_lifetime(expires_in).await;
        let mandates = facade(&server.url());
        for (seconds, asked) in [(0, 1), (265, 1), (10, 2)] {
            later(seconds).await;
            mandates.status(&reference()).await.unwrap();
            assert_eq!(server.count("POST /auth "), asked, "expiresIn {expires_in}, {seconds} s later");
        }
    }
    // The facade treats a token with an unreadable lifetime as valid for about one minute.
    for expires_in in ["null", "\"soon\"", "\"5 minutes\"", "true"] {
        let server = with_lifetime(expires_in).await;
        let mandates = facade(&server.url());
        for (seconds, asked) in [(0, 1), (30, 1), (40, 2)] {
            later(seconds).await;
            mandates.status(&reference()).await.unwrap();
            assert_eq!(server.count("POST /auth "), asked, "expiresIn {expires_in}, {seconds} s later");
        }
    }
}

/// Advances tokio's clock. The clock is paused only during the advance, because the test uses real sockets.
async fn later(seconds: u64) {
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(seconds)).await;
    tokio::time::resume();
}

#[tokio::test]
async fn long_lived_token_is_used_for_one_day() {
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
async fn expired_token_is_renewed_once() {
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
fn live_api_key_at_the_test_environment_is_refused() {
    let error = Mandates::builder()
        .easytransac(easytransac::Config::sandbox(KEY.replace("_test_", "_live_")))
        .build()
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotConfigured);
    assert!(!format!("{error} {error:?}").contains("abcabc"));
}

#[tokio::test]
async fn token_is_renewed_shortly_before_it_expires() {
    let server = Server::with_token(|_| json(200, MANDATE)).await;
    let mandates = facade(&server.url());
    // The token is valid for 300 seconds, and the facade renews it 30 seconds before it expires.
    for (seconds, asked) in [(0, 1), (269, 1), (2, 2), (268, 2), (3, 3)] {
        later(seconds).await;
        mandates.status(&reference()).await.unwrap();
        assert_eq!(server.count("POST /auth "), asked, "after {seconds} s");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn token_that_expires_during_many_calls_is_renewed_once() {
    let asked = Arc::new(AtomicU32::new(0));
    let (asking, ended) = (asked.clone(), Arc::new(AtomicU32::new(0)));
    let ending = ended.clone();
    let server = Server::start(move |request| {
        if request.starts_with("POST /auth ") {
            let number = asking.fetch_add(1, Ordering::SeqCst);
            return token_called(&format!("number{number}.x.y"), 300);
        }
        // From the five-hundredth call on, the server refuses the first token.
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
    assert!(ended.load(Ordering::SeqCst) > 500, "some calls should use the token after it expired");
    assert_eq!(asked.load(Ordering::SeqCst), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn failed_token_request_is_shared_by_all_callers() {
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
async fn token_requests_that_fail_are_repeated_at_most_every_30_seconds() {
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
async fn retry_after_of_a_token_request_delays_at_most_30_seconds() {
    for (wish, rest) in [(20, 10), (u64::MAX, 20)] {
        let server = Server::start(move |_| http(429, &format!("retry-after: {wish}\r\n"), "")).await;
        let mandates = facade(&server.url());
        for (seconds, asked) in [(0, 1), (10, 1), (rest, 2)] {
            later(seconds).await;
            mandates.status(&reference()).await.unwrap_err();
            assert_eq!(server.count("POST /auth "), asked, "retry-after {wish}, {seconds} s later");
        }
    }
}

#[tokio::test]
async fn overall_timeout_ends_calls_that_wait_for_a_token() {
    let long = Act::Drip(vec![], Duration::from_secs(30), vec![]);
    let server = Server::start(move |_| long.clone()).await;
    let settings =
        test_settings().with_attempt_timeout(Duration::from_secs(20)).with_overall_timeout(Duration::from_millis(200));
    let mandates = crate::support::facade(&server.url(), &settings);
    let began = std::time::Instant::now();
    let calls = (0..20).map(|_| {
        let mandates = mandates.clone();
        tokio::spawn(async move { mandates.status(&reference()).await.unwrap_err() })
    });
    for call in Vec::from_iter(calls) {
        assert_eq!(call.await.unwrap().kind(), ErrorKind::Timeout);
    }
    // Without a shared token request, twenty timeouts one after another would take four seconds.
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
}

#[test]
fn empty_api_key_of_easytransac_is_refused() {
    let error = Mandates::builder().easytransac(easytransac::Config::sandbox(" ")).build().unwrap_err();
    assert_eq!(error.to_string(), "Easytransac: not configured: the API key is empty");
}

#[tokio::test]
async fn token_request_survives_cancelled_callers() {
    // This server delays the response to the token request until the test releases it.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (open, opened) = tokio::sync::watch::channel(false);
    let (auth, reads) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
    let counters = (auth.clone(), reads.clone());
    let server = tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let (mut opened, (auth, reads)) = (opened.clone(), counters.clone());
            tokio::spawn(async move {
                use tokio::io::{AsyncReadExt, AsyncWriteExt};
                let mut buffer = [0; 4096];
                let length = stream.read(&mut buffer).await.unwrap();
                let answer = match buffer[..length].starts_with(b"POST /auth ") {
                    true => {
                        auth.fetch_add(1, Ordering::SeqCst);
                        opened.wait_for(|open| *open).await.unwrap();
                        token(300)
                    }
                    false => {
                        reads.fetch_add(1, Ordering::SeqCst);
                        json(200, MANDATE)
                    }
                };
                let _ = stream.write_all(answer.as_bytes()).await;
            });
        }
    });
    let mandates = facade(&url);
    // Fifty callers ask for a status, and each cancels its call after 5 ms.
    for _ in 0..5 {
        let calls = (0..10).map(|_| {
            let mandates = mandates.clone();
            async move { tokio::time::timeout(Duration::from_millis(5), mandates.status(&reference())).await }
        });
        assert!(futures_util::future::join_all(calls).await.iter().all(Result::is_err));
    }
    // The facade has sent one token request, which still runs.
    while auth.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    open.send(true).unwrap();
    mandates.status(&reference()).await.unwrap();
    assert_eq!((auth.load(Ordering::SeqCst), reads.load(Ordering::SeqCst)), (1, 1));
    server.abort();
}

#[test]
fn token_request_restarts_on_a_new_runtime() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mandates = {
        let runtime = runtime();
        runtime.block_on(async {
            let server = Server::start(|_| Act::Drip(vec![], Duration::from_secs(60), vec![])).await;
            let mandates = facade(&server.url());
            let status = async { mandates.status(&reference()).await };
            assert!(tokio::time::timeout(Duration::from_millis(20), status).await.is_err());
            mandates
        })
    };
    runtime().block_on(async {
        // The server has ended, so the call should fail at once. The call must not wait for the token request of the
        // old runtime.
        let status = async { mandates.status(&reference()).await };
        let status = tokio::time::timeout(Duration::from_secs(20), status)
            .await
            .expect("the call should end before the timeout");
        assert_eq!(status.unwrap_err().operation(), Some("generate_token"));
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_whose_new_token_is_refused_do_not_multiply_token_requests() {
    for at_once in [true, false] {
        let server = Server::with_token(|_| json(401, "")).await;
        let mandates = facade(&server.url());
        let call = || {
            let mandates = mandates.clone();
            tokio::spawn(async move { mandates.status(&reference()).await.unwrap_err() })
        };
        let mut errors = Vec::new();
        if at_once {
            for call in Vec::from_iter((0..200).map(|_| call())) {
                errors.push(call.await.unwrap());
            }
        } else {
            for _ in 0..200 {
                errors.push(call().await.unwrap());
            }
        }
        assert!(errors.iter().all(|error| error.kind() == ErrorKind::Auth && error.refuses_caller()));
        // On a slow machine the pause between two token requests may pass during the test, so the test allows a second
        // one.
        let exchanges = server.count("POST /auth ");
        assert!((2..=6).contains(&exchanges), "{exchanges}");
        // At most 64 calls run at the same time, and each may try twice.
        let calls = server.count("GET /sdd/");
        assert!(calls <= 4 + 2 * 64 * usize::from(at_once), "{calls}");
    }
}

#[tokio::test]
async fn facade_pauses_token_requests_after_a_new_token_is_refused() {
    let server = Server::with_token(|_| json(401, "")).await;
    let mandates = facade(&server.url());
    for (seconds, asked) in [(0, 2), (1, 3), (2, 4), (3, 4), (1, 5), (8, 6), (16, 7), (30, 8), (30, 9)] {
        later(seconds).await;
        mandates.status(&reference()).await.unwrap_err();
        assert_eq!(server.count("POST /auth "), asked, "{seconds} s later");
        // During the pause after a refused token, the call fails without a token request.
        let error = mandates.status(&reference()).await.unwrap_err();
        assert!(error.to_string().contains("refuses each new token"), "{error}");
        assert_eq!(server.count("POST /auth "), asked, "{seconds} s later, again");
    }
}

#[tokio::test]
async fn operation_that_always_gets_401_does_not_block_other_operations() {
    // The server responds to one operation with 401, whatever the token.
    let server =
        Server::with_token(|r| if r.starts_with("GET /transaction/") { json(401, "") } else { json(200, MANDATE) });
    let server = server.await;
    let mandates = facade(&server.url());
    for _ in 0..100 {
        mandates.status(&reference()).await.unwrap();
        let refused = mandates.easytransac().unwrap().get_transaction_status().order_id("order-1").send().await;
        assert_eq!(refused.unwrap_err().http_status(), Some(401));
    }
    assert_eq!(server.count("GET /sdd/"), 100);
    assert!(server.count("GET /transaction/") <= 110);
    let exchanges = server.count("POST /auth ");
    assert!((2..=6).contains(&exchanges), "{exchanges}");
}

#[tokio::test]
async fn accepted_token_ends_the_pause_between_token_requests() {
    let bad = Arc::new(AtomicU32::new(2));
    let left = bad.clone();
    let server = Server::with_token(move |_| {
        match left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)) {
            Ok(_) => json(401, ""),
            Err(_) => json(200, MANDATE),
        }
    });
    let server = server.await;
    let mandates = facade(&server.url());
    mandates.status(&reference()).await.unwrap_err();
    later(1).await;
    mandates.status(&reference()).await.unwrap();
    assert_eq!(server.count("POST /auth "), 3);
    // After a token that the vendor accepted, the facade renews each token that expires early at once.
    for _ in 0..3 {
        bad.store(1, Ordering::SeqCst);
        mandates.status(&reference()).await.unwrap();
    }
    assert_eq!(server.count("POST /auth "), 6);
}

#[tokio::test]
async fn refusal_of_the_request_itself_shows_that_the_token_is_valid() {
    let turn = Arc::new(AtomicU32::new(0));
    let next = turn.clone();
    // Each call first gets a response that the token has expired, and then a refusal of the request.
    let server = Server::with_token(move |_| match next.fetch_add(1, Ordering::SeqCst) % 2 {
        0 => json(401, ""),
        _ => json(400, ""),
    });
    let server = server.await;
    let mandates = facade(&server.url());
    for _ in 0..3 {
        let refused = mandates.status(&reference()).await.unwrap_err();
        assert_eq!(refused.http_status(), Some(400), "{refused}");
    }
    assert_eq!(server.count("POST /auth "), 4);
}
