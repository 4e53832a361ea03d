//! All clones of `Mandates` together respect the limit of simultaneous requests, and no call lasts longer than its
//! timeout.
#![cfg(feature = "seqino")]

use crate::support::{Act, Server, facade, http, json, test_settings};
use chrono::{TimeDelta, Utc};
use futures_util::StreamExt;
use mandat::{ErrorKind, MandateRef, Mandates, Outcome, Settings, seqino};
use std::{
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

#[tokio::test(flavor = "multi_thread")]
async fn all_clones_together_respect_the_concurrency_limit() {
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (here, peak) = (now.clone(), most.clone());
    let server = Server::start(move |_| {
        peak.fetch_max(here.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        std::thread::sleep(Duration::from_millis(3));
        here.fetch_sub(1, Ordering::SeqCst);
        json(200, "[]")
    });
    let server = server.await;
    let mandates = facade(&server.url(), &test_settings().with_concurrency(2));
    let calls: Vec<_> = (0..40)
        .map(|_| {
            let mandates = mandates.clone();
            tokio::spawn(async move { mandates.seqino().unwrap().list_clients().send().await.unwrap() })
        })
        .collect();
    for call in calls {
        call.await.unwrap();
    }
    assert!(
        most.load(Ordering::SeqCst) <= 2,
        "the server got {} requests at the same time",
        most.load(Ordering::SeqCst)
    );
    assert_eq!(server.requests().len(), 40);
}

#[tokio::test]
async fn overall_timeout_includes_the_wait_for_other_calls() {
    let slow = Act::Drip(vec![], Duration::from_secs(30), vec![]);
    let server = Server::start(move |_| slow.clone()).await;
    let settings = test_settings()
        .with_attempt_timeout(Duration::from_secs(10))
        .with_overall_timeout(Duration::from_millis(100))
        .with_concurrency(1);
    let mandates = facade(&server.url(), &settings);
    let began = Instant::now();
    let client = mandates.seqino().unwrap();
    let (first, second) = tokio::join!(client.list_clients().send(), client.list_clients().send());
    for error in [first.unwrap_err(), second.unwrap_err()] {
        assert_eq!(error.kind(), ErrorKind::Timeout);
    }
    // One call waited for the vendor, and the other waited for the first to finish. Both ended long before the timeout
    // of a single attempt.
    assert!(began.elapsed() < Duration::from_secs(5));
    assert!(server.requests().len() <= 2);
}

#[tokio::test]
async fn client_with_its_own_call_limits_leaves_the_other_clients_unchanged() {
    let server = Server::start(|_| http(503, "", "")).await;
    let mandates = facade(&server.url(), &test_settings().with_attempts(3));
    let client = mandates.seqino().unwrap();
    for (client, requests) in [(client.with_attempts(1), 1), (client.clone(), 3), (client.with_attempts(2), 2)] {
        let before = server.requests().len();
        client.list_clients().send().await.unwrap_err();
        assert_eq!(server.requests().len() - before, requests);
    }
}

#[tokio::test]
async fn client_with_its_own_timeout_ends_its_calls_by_then() {
    let server = Server::start(|_| Act::Drip(Vec::new(), Duration::from_secs(30), Vec::new())).await;
    let mandates = facade(&server.url(), &test_settings());
    let began = Instant::now();
    let client = mandates.seqino().unwrap().with_timeout(Duration::from_millis(50));
    assert_eq!(client.list_clients().send().await.unwrap_err().kind(), ErrorKind::Timeout);
    assert!(began.elapsed() < Duration::from_secs(20));
    // The longest duration must not overflow an instant.
    let endless = mandates.seqino().unwrap().with_timeout(Duration::MAX);
    assert!(tokio::time::timeout(Duration::from_millis(20), endless.list_clients().send()).await.is_err());
}

#[tokio::test]
async fn client_with_a_custom_http_client_follows_no_redirect() {
    let elsewhere = Server::start(|_| json(200, "[]")).await;
    let location = elsewhere.url();
    let server = Server::start(move |_| http(302, &format!("location: {location}/clients\r\n"), ""));
    let server = server.await;
    let builder = reqwest::Client::builder().redirect(reqwest::redirect::Policy::limited(5)).user_agent("mine");
    let config = seqino::Config::new(server.url(), "s3cret-k3y").settings(test_settings()).http_client(builder);
    let mandates = Mandates::builder().seqino(config).build().unwrap();
    let error = mandates.seqino().unwrap().list_clients().send().await.unwrap_err();
    assert_eq!((error.kind(), error.http_status()), (ErrorKind::Unavailable, Some(302)));
    assert!(elsewhere.requests().is_empty());
    assert!(server.requests()[0].contains("user-agent: mine"));
}

#[tokio::test]
async fn requests_to_loopback_are_not_sent_through_a_proxy() {
    let proxy = Server::start(|_| json(200, "[]")).await;
    let server = Server::start(|_| json(200, "[]")).await;
    let builder = reqwest::Client::builder().proxy(reqwest::Proxy::all(proxy.url()).unwrap());
    let config = seqino::Config::new(server.url(), "s3cret-k3y").settings(test_settings()).http_client(builder);
    let mandates = Mandates::builder().seqino(config).build().unwrap();
    mandates.seqino().unwrap().list_clients().send().await.unwrap();
    assert_eq!((proxy.requests().len(), server.requests().len()), (0, 1));
}

#[tokio::test]
async fn date_in_retry_after_is_compared_with_the_vendors_clock() {
    // The clock of the vendor is one hour ahead.
    let now = Utc::now() + TimeDelta::hours(1);
    let [now, then] = [now, now + TimeDelta::seconds(1)].map(|date| date.format("%a, %d %b %Y %H:%M:%S GMT"));
    let calls = [
        "retry-after: 1\r\n".to_owned(),
        "retry-after: 0.5\r\n".to_owned(),
        "retry-after: soon\r\n".to_owned(),
        format!("date: {now}\r\nretry-after: {then}\r\n"),
    ]
    .map(|headers| async move {
        let busy = http(503, &headers, "");
        let first = AtomicBool::new(true);
        let server = Server::start(move |_| match first.swap(false, Ordering::SeqCst) {
            true => busy.clone(),
            false => json(200, "[]"),
        });
        let server = server.await;
        let mandates = facade(&server.url(), &test_settings().with_max_retry_after(Duration::from_secs(2)));
        let began = Instant::now();
        mandates.seqino().unwrap().list_clients().send().await.unwrap();
        assert!(began.elapsed() >= Duration::from_secs(1), "{headers}: {:?}", began.elapsed());
        assert_eq!(server.requests().len(), 2, "{headers}");
    });
    futures_util::future::join_all(calls).await;
}

#[tokio::test]
async fn call_fails_at_once_if_retry_after_exceeds_its_timeout() {
    let server = Server::start(|_| http(503, "retry-after: 30\r\n", "")).await;
    let (overall_timeout, max_retry_after) = (Duration::from_secs(20), Duration::from_secs(60));
    let mandates = facade(
        &server.url(),
        &test_settings().with_overall_timeout(overall_timeout).with_max_retry_after(max_retry_after),
    );
    let error = mandates.seqino().unwrap().list_clients().send().await.unwrap_err();
    // If the call had waited for the time in `Retry-After`, it would have failed with a timeout instead of the status
    // 503.
    assert_eq!((error.kind(), error.http_status()), (ErrorKind::Unavailable, Some(503)));
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn retry_budget_limits_the_retries_in_an_outage() {
    let server = Server::start(|_| http(503, "", "")).await;
    let mandates = facade(&server.url(), &test_settings());
    for _ in 0..300 {
        mandates.seqino().unwrap().list_clients().send().await.unwrap_err();
    }
    // Without a retry budget the server would get 900 requests. On a slow machine the test takes longer, and the budget
    // allows a few more.
    let requests = server.requests().len();
    assert!((340..450).contains(&requests), "{requests}");
}

// On other systems, the kernel completes or refuses a connection that no program accepts.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn connect_timeout_has_the_outcome_not_sent() {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    // Fill the queue of waiting connections, so that the next connection does not open.
    let mut waiting = Vec::new();
    let open = || tokio::time::timeout(Duration::from_millis(300), tokio::net::TcpStream::connect(address));
    while let Ok(stream) = open().await {
        waiting.push(stream.unwrap());
    }
    let settings = test_settings().with_connect_timeout(Duration::from_millis(100)).with_attempts(1);
    let mandates = facade(&format!("http://{address}"), &settings);
    let create = mandates.seqino().unwrap().create_client();
    let create = create.body_map(|b| b.organization_name("Acme").contact_email("abc@abc.com").external_ref("EXT-1"));
    let error = create.send().await.unwrap_err();
    // After an attempt timeout the outcome would be unknown. After a connect timeout the request was certainly not
    // sent.
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Timeout, Some(Outcome::NotSent)), "{error}");
    let error = mandates.seqino().unwrap().list_clients().send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(error.to_string().contains("no connection could be made"), "{error}");
}

#[tokio::test]
async fn extreme_settings_and_retry_after_values_do_not_cause_a_panic() {
    let never = Duration::MAX;
    let server = Server::start(move |_| http(503, &format!("retry-after: {}\r\n", u64::MAX), "")).await;
    for rate_per_second in [None, NonZeroU32::new(u32::MAX)] {
        let settings = Settings::default()
            .with_connect_timeout(never)
            .with_attempt_timeout(never)
            .with_overall_timeout(never)
            .with_idle_timeout(never)
            .with_max_answer(usize::MAX)
            .with_max_document(usize::MAX)
            .with_attempts(u32::MAX)
            .with_backoff(never)
            .with_max_retry_after(never)
            .with_concurrency(usize::MAX)
            .with_rate_per_second(rate_per_second);
        let mandates = facade(&server.url(), &settings);
        let error = mandates.seqino().unwrap().list_clients().send().await.unwrap_err();
        assert_eq!((error.kind(), error.http_status()), (ErrorKind::Unavailable, Some(503)));
        let reading = mandates.statuses([MandateRef::seqino("client_abc123", "mdt_1")]).next().await.unwrap();
        assert_eq!(reading.result.unwrap_err().kind(), ErrorKind::Unavailable);
    }
}
