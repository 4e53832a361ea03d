//! No more is asked of a vendor at once than is allowed, by all clones together, and no call takes longer than it may.
#![cfg(feature = "seqino")]

use crate::support::{Act, Server, facade, hasty, json};
use futures_util::StreamExt;
use mandat::{ErrorKind, MandateRef, Mandates, Settings, seqino};
use std::{
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

#[tokio::test(flavor = "multi_thread")]
async fn no_more_attempts_are_under_way_than_are_allowed_over_all_clones() {
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (here, peak) = (now.clone(), most.clone());
    let server = Server::start(move |_| {
        peak.fetch_max(here.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        std::thread::sleep(Duration::from_millis(3));
        here.fetch_sub(1, Ordering::SeqCst);
        json(200, "[]")
    });
    let server = server.await;
    let mandates = facade(&server.url(), &Settings { concurrency: 2, ..hasty() });
    let calls: Vec<_> = (0..40)
        .map(|_| {
            let mandates = mandates.clone();
            tokio::spawn(async move { mandates.seqino().unwrap().list_clients().send().await.unwrap() })
        })
        .collect();
    for call in calls {
        call.await.unwrap();
    }
    assert!(most.load(Ordering::SeqCst) <= 2, "{} at once", most.load(Ordering::SeqCst));
    assert_eq!(server.requests().len(), 40);
}

#[tokio::test]
async fn a_call_ends_in_time_whatever_it_waits_for() {
    let slow = Act::Drip(vec![], Duration::from_secs(30), vec![]);
    let server = Server::start(move |_| slow.clone()).await;
    let settings = Settings {
        attempt_timeout: Duration::from_secs(10),
        overall_timeout: Duration::from_millis(100),
        concurrency: 1,
        ..hasty()
    };
    let mandates = facade(&server.url(), &settings);
    let began = Instant::now();
    let client = mandates.seqino().unwrap();
    let (first, second) = tokio::join!(client.list_clients().send(), client.list_clients().send());
    for error in [first.unwrap_err(), second.unwrap_err()] {
        assert_eq!(error.kind(), ErrorKind::Timeout);
    }
    // One waited for the vendor, one for its turn; neither for the ten seconds of an attempt.
    assert!(began.elapsed() < Duration::from_secs(5));
    assert!(server.requests().len() <= 2);
}

#[tokio::test]
async fn a_client_of_ones_own_still_follows_no_redirect() {
    let elsewhere = Server::start(|_| json(200, "[]")).await;
    let location = elsewhere.url();
    let server = Server::start(move |_| crate::support::http(302, &format!("location: {location}/clients\r\n"), ""));
    let server = server.await;
    let builder = reqwest::Client::builder().redirect(reqwest::redirect::Policy::limited(5)).user_agent("mine");
    let config = seqino::Config::new(server.url(), "s3cret-k3y").settings(hasty()).http_client(builder);
    let mandates = Mandates::builder().seqino(config).build().unwrap();
    let error = mandates.seqino().unwrap().list_clients().send().await.unwrap_err();
    assert_eq!((error.kind(), error.http_status()), (ErrorKind::Unavailable, Some(302)));
    assert!(elsewhere.requests().is_empty());
    assert!(server.requests()[0].contains("user-agent: mine"));
}

#[tokio::test]
async fn no_setting_and_no_wish_of_a_vendor_makes_a_call_panic() {
    let never = Duration::MAX;
    let server = Server::start(move |_| crate::support::http(503, &format!("retry-after: {}\r\n", u64::MAX), "")).await;
    for rate_per_second in [None, NonZeroU32::new(u32::MAX)] {
        let settings = Settings {
            connect_timeout: never,
            attempt_timeout: never,
            overall_timeout: never,
            max_answer: usize::MAX,
            max_document: usize::MAX,
            attempts: u32::MAX,
            backoff: never,
            max_retry_after: never,
            concurrency: usize::MAX,
            rate_per_second,
        };
        let mandates = facade(&server.url(), &settings);
        let error = mandates.seqino().unwrap().list_clients().send().await.unwrap_err();
        assert_eq!((error.kind(), error.http_status()), (ErrorKind::Unavailable, Some(503)));
        let reading = mandates.statuses([MandateRef::seqino("client_abc123", "mdt_1")]).next().await.unwrap();
        assert_eq!(reading.result.unwrap_err().kind(), ErrorKind::Unavailable);
    }
}
