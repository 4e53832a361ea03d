//! The snapshots of these tests show a reviewer the request of each operation, made from the example in its spec. They
//! also show which failures are retried.

use super::{
    Call, Effect, Settings, Vendor,
    decision::{Attempt, Delays, Failure, Next, Progress, decide},
    limits::Limits,
    response::retry_after,
    settings::LONGEST,
};
use crate::vocabulary::Outcome;
use chrono::{DateTime, TimeDelta};
use proptest::prelude::*;
use reqwest::{
    StatusCode,
    header::{AUTHORIZATION, DATE, HeaderMap, HeaderValue, RETRY_AFTER},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    num::NonZeroU32,
    time::Duration,
};
use tokio::time::Instant;
use tower::retry::budget::Budget;

/// Creates an attempt with this failure, and with the outcome that the transport derives from the failure.
fn failed(effect: Effect, failure: Failure) -> Attempt {
    let outcome = match failure {
        Failure::NoConnection => Outcome::NotSent,
        Failure::Refusal => Outcome::Refused,
        Failure::Status(status) if matches!(status.as_u16(), 401 | 404 | 409 | 422 | 429) => Outcome::Refused,
        _ => Outcome::Unknown,
    };
    let outcome = (effect != Effect::Read).then_some(outcome);
    Attempt { failure, outcome, not_found: failure == Failure::Status(StatusCode::NOT_FOUND), repeatable: true }
}

const EFFECTS: [Effect; 3] = [Effect::Read, Effect::Write, Effect::Removal];

fn failures() -> impl Iterator<Item = Failure> {
    use Failure::{Broken, Doubtful, NoConnection, Refusal, Stale, Timeout, Unread};
    let statuses = (100..600).filter_map(|status| StatusCode::from_u16(status).ok()).map(Failure::Status);
    [NoConnection, Broken, Stale, Timeout, Unread, Doubtful, Refusal].into_iter().chain(statuses)
}

#[test]
fn each_failure_has_one_decision_for_each_effect() {
    let mut table = String::from("failure | Read | Write | Removal\n");
    let mut rest = BTreeSet::new();
    for failure in failures() {
        let next = EFFECTS.map(|effect| {
            let (next, _) = decide(effect, Progress::START, failed(effect, failure));
            format!("{next:?}")
        });
        match failure {
            // List in one row all statuses after which every call stops.
            Failure::Status(_) if next == ["Stop", "Stop", "Stop"] => drop(rest.insert(next.join(" | "))),
            _ => writeln!(table, "{failure:?} | {}", next.join(" | ")).unwrap(),
        }
    }
    writeln!(table, "every other status | {}", Vec::from_iter(rest).join("; ")).unwrap();
    insta::with_settings!({prepend_module_to_snapshot => false, omit_expression => true}, {
        insta::assert_snapshot!("decisions", table);
    });
}

/// Writes one row for each failure that is followed by another attempt: the next step, and the outcome of the call
/// after both failures.
#[test]
fn each_pair_of_failures_has_one_decision_for_each_effect() {
    let status = |code| Failure::Status(StatusCode::from_u16(code).unwrap());
    use Failure::{Broken, Doubtful, NoConnection, Refusal, Stale, Timeout, Unread};
    let some = [NoConnection, Broken, Stale, Timeout, Unread, Doubtful, Refusal];
    let some: Vec<_> = some.into_iter().chain([401, 404, 409, 422, 429, 500, 503].map(status)).collect();
    let mut table = String::from("effect | first | second | next | outcome\n");
    for effect in EFFECTS {
        for first in &some {
            let (next, progress) = decide(effect, Progress::START, failed(effect, *first));
            if matches!(next, Next::Stop | Next::Removed) {
                continue;
            }
            for second in &some {
                let (next, progress) = decide(effect, progress, failed(effect, *second));
                let outcome = if effect == Effect::Read { "-".into() } else { format!("{:?}", progress.outcome) };
                writeln!(table, "{effect:?} | {first:?} | {second:?} | {next:?} | {outcome}").unwrap();
            }
        }
    }
    insta::with_settings!({prepend_module_to_snapshot => false, omit_expression => true}, {
        insta::assert_snapshot!("decisions-in-pairs", table);
    });
}

#[test]
fn an_unknown_outcome_stays_unknown_and_a_write_is_never_repeated_after_it() {
    for effect in EFFECTS {
        for (first, second) in failures().flat_map(|first| failures().map(move |second| (first, second))) {
            let before =
                Progress { outcome: Outcome::Unknown, ..decide(effect, Progress::START, failed(effect, first)).1 };
            let (next, after) = decide(effect, before, failed(effect, second));
            assert_eq!(after.outcome, Outcome::Unknown, "{effect:?} {first:?} {second:?}");
            assert!(after.renewed >= before.renewed && after.fresh >= before.fresh);
            let unsent = matches!(second, Failure::NoConnection | Failure::Status(StatusCode::UNAUTHORIZED));
            assert!(effect != Effect::Write || unsent || next == Next::Stop, "{first:?} {second:?} {next:?}");
        }
    }
}

#[test]
fn only_a_removal_that_may_have_arrived_is_proven_by_not_found() {
    let not_found = |effect| failed(effect, Failure::Status(StatusCode::NOT_FOUND));
    for effect in EFFECTS {
        for first in failures() {
            let (_, before) = decide(effect, Progress::START, failed(effect, first));
            let (next, _) = decide(effect, before, not_found(effect));
            let unsent = matches!(first, Failure::NoConnection | Failure::Status(StatusCode::UNAUTHORIZED));
            let removed = effect == Effect::Removal && !unsent;
            assert_eq!(next, if removed { Next::Removed } else { Next::Stop }, "{effect:?} {first:?}");
        }
    }
}

#[test]
fn a_request_that_cannot_be_repeated_is_sent_once() {
    for (effect, failure) in EFFECTS.iter().flat_map(|effect| failures().map(move |failure| (*effect, failure))) {
        let attempt = Attempt { repeatable: false, ..failed(effect, failure) };
        assert_eq!(decide(effect, Progress::START, attempt).0, Next::Stop, "{effect:?} {failure:?}");
    }
}

#[test]
fn backoff_is_random_below_a_doubling_bound() {
    let mut longest = [Duration::ZERO; 4];
    for _ in 0..1000 {
        let mut delays = Delays::new(Duration::from_millis(100), 5);
        for (longest, bound) in longest.iter_mut().zip([100, 200, 400, 800]) {
            let delay = delays.next().unwrap();
            assert!(delay <= Duration::from_millis(bound));
            *longest = delay.max(*longest);
        }
        assert_eq!(delays.next(), None);
    }
    for (longest, bound) in longest.iter().zip([100, 200, 400, 800]) {
        assert!(*longest > Duration::from_millis(bound * 8 / 10), "{longest:?} of {bound} ms");
    }
}

/// Returns the wait in seconds for these `Retry-After` values. An unreadable value counts as ten seconds.
fn seconds_to_wait(date: Option<&str>, values: &[&str]) -> Option<u64> {
    let mut headers = HeaderMap::new();
    if let Some(date) = date {
        headers.insert(DATE, HeaderValue::from_str(date).unwrap());
    }
    for value in values {
        headers.append(RETRY_AFTER, HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    retry_after(&headers, Duration::from_secs(10)).map(|wait| wait.as_secs())
}

#[test]
fn unreadable_retry_after_still_means_waiting() {
    assert_eq!(seconds_to_wait(None, &[]), None);
    for (value, seconds) in
        [("0", 0), ("7", 7), (" 7 ", 7), ("007", 7), ("7.5", 8), ("7.0", 7), ("0.001", 1), ("7.", 7)]
    {
        assert_eq!(seconds_to_wait(None, &[value]), Some(seconds), "{value:?}");
    }
    for value in ["99999999999999999999999", "99999999999999999999999.5", &"9".repeat(400)] {
        assert_eq!(seconds_to_wait(None, &[value]), Some(LONGEST.as_secs()), "{value:?}");
    }
    for value in [
        "",
        " ",
        "-1",
        "-0",
        "+7",
        "7s",
        "7 seconds",
        "soon",
        "7,5",
        "5, 10",
        "1e3",
        "0x10",
        "inf",
        "NaN",
        ".",
        "7.5.1",
        "7é",
        "\u{6b63}",
        "null",
        "PT7S",
        "2026-01-31T12:00:00Z",
        "Sun, 32 Nov 2094 08:49:37 GMT",
        "Sun Nov  6 2094",
    ] {
        assert_eq!(seconds_to_wait(None, &[value]), Some(10), "{value:?}");
    }
    // If there are several `Retry-After` values, the longest wait counts.
    assert_eq!(seconds_to_wait(None, &["3", "20", "7"]), Some(20));
    assert_eq!(seconds_to_wait(None, &["3", "soon"]), Some(10));
    assert_eq!(seconds_to_wait(None, &["soon", "20"]), Some(20));
}

proptest! {
    #[test]
    fn retry_after_is_read_in_every_http_date_format(
        now in 0_i64..3_000_000_000,
        ahead in -1_000_000_i64..1_000_000,
        form in 0_usize..3,
        clock in 0_usize..3,
    ) {
        // A year with two digits means the nearest such year, so this test uses no date of the last century.
        let now = DateTime::from_timestamp(now.max(1_000_000_000), 0).unwrap();
        let then = now + TimeDelta::seconds(ahead);
        let forms = ["%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"];
        let [now, then] = [(now, forms[clock]), (then, forms[form])].map(|(at, form)| at.format(form).to_string());
        let expected = u64::try_from(ahead).unwrap_or(10);
        prop_assert_eq!(seconds_to_wait(Some(&now), &[&then]), Some(expected), "{} at {}", then, now);
    }

    #[test]
    fn further_retry_after_values_never_shorten_the_wait(values in prop::collection::vec("[ -~]{0,40}", 1..4)) {
        let each: Vec<_> = values.iter().map(|value| seconds_to_wait(None, &[value])).collect();
        let values: Vec<&str> = values.iter().map(String::as_str).collect();
        let all = seconds_to_wait(None, &values);
        prop_assert!(all.is_some() && each.iter().all(|one| one.is_some() && *one <= all), "{:?} {:?}", each, all);
    }
}

#[tokio::test(start_paused = true)]
async fn rate_limit_caps_attempts_per_second() {
    for per_second in [1, 7, 20, 1000] {
        let limits = Limits::new(&Settings { rate_per_second: NonZeroU32::new(per_second), ..Settings::default() });
        let began = Instant::now();
        for _ in 0..3 * per_second {
            limits.turn().await;
        }
        let seconds = began.elapsed().as_secs_f64();
        assert!(
            (1.8..=3.1).contains(&seconds),
            "{per_second} per second: the requests of three seconds took {seconds} s"
        );
    }
}

#[test]
fn default_rate_limit_exempts_loopback() {
    let rate = |settings: &Settings, loopback| settings.clone().bounded(loopback).rate_per_second.map(NonZeroU32::get);
    let default = Settings::default();
    assert!(rate(&default, false).is_some_and(|rate| rate <= 25));
    assert_eq!(rate(&default, true), None);
    let strict = Settings { strict_rate: true, ..Settings::default() };
    assert_eq!(rate(&strict, true), rate(&default, false));
    // A rate limit that the caller sets applies to every address. `None` also applies to every address, and means no
    // limit.
    for own in [None, NonZeroU32::new(1), NonZeroU32::new(1000)] {
        let settings = Settings { rate_per_second: own, ..Settings::default() };
        assert_eq!([rate(&settings, false), rate(&settings, true)], [own.map(NonZeroU32::get); 2]);
    }
}

#[tokio::test(start_paused = true)]
async fn waiting_calls_still_respect_the_rate_limit() {
    let settings = Settings { rate_per_second: NonZeroU32::new(10), concurrency: 1, ..Settings::default() };
    let limits = Limits::new(&settings);
    let slow = limits.turn().await;
    let calls = (0..50).map(|_| async { drop(limits.turn().await) });
    let released = async {
        tokio::time::sleep(Duration::from_secs(10)).await;
        drop(slow);
        Instant::now()
    };
    let (_, released) = tokio::join!(futures_util::future::join_all(calls), released);
    assert!(released.elapsed() > Duration::from_secs(4), "50 calls in {:?}", released.elapsed());
}

/// Sends requests through a strict rate limit: `delays` gives the milliseconds until the arrival and from there to the
/// response. A request without a response arrives within a second after its connection was closed. Returns the times of
/// the arrivals, sorted.
async fn arrivals(per_second: u32, requests: u32, delays: impl Fn(u32) -> (u64, Option<u64>) + Copy) -> Vec<Duration> {
    let rate_per_second = NonZeroU32::new(per_second);
    let limits = Limits::new(&Settings {
        rate_per_second,
        strict_rate: true,
        concurrency: per_second as usize,
        ..Settings::default()
    });
    let began = Instant::now();
    let requests = (0..requests).map(|request| {
        let limits = &limits;
        async move {
            let turn = limits.turn().await;
            let (until_arrival, until_response) = delays(request);
            let way = Duration::from_millis(until_arrival);
            let Some(until_response) = until_response else {
                drop(turn);
                return began.elapsed() + way;
            };
            tokio::time::sleep(way).await;
            let arrived = began.elapsed();
            tokio::time::sleep(Duration::from_millis(until_response)).await;
            turn.answered();
            arrived
        }
    });
    let mut arrived = futures_util::future::join_all(requests).await;
    arrived.sort_unstable();
    arrived
}

#[tokio::test(start_paused = true)]
async fn strict_rate_holds_at_the_vendor_even_if_requests_are_delayed() {
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    for per_second in [1, 3, 15, 31, 100] {
        let arrived = arrivals(per_second, 20 * per_second, |request| {
            let mut rng = fastrand::Rng::with_seed(seed ^ u64::from(request));
            match rng.u8(..100) {
                // The network stops for a while, and then delivers all requests together.
                0..10 => (1500 - u64::from(request) * 1000 / u64::from(per_second) % 1500, Some(0)),
                // Nobody waits for the response.
                10..15 => (rng.u64(..1000), None),
                _ => (rng.u64(..60), Some(rng.u64(..60))),
            }
        });
        let arrived = arrived.await;
        for (first, at) in arrived.iter().enumerate() {
            let within = arrived[first..].iter().take_while(|other| **other < *at + Duration::from_secs(1)).count();
            assert!(within <= per_second as usize, "{within} of {per_second} after {at:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn strict_rate_uses_nine_tenths_if_responses_take_a_tenth_of_a_second() {
    for per_second in [5, 15, 31, 100] {
        let seconds = 60;
        let arrived = arrivals(per_second, seconds * per_second, |_| (50, Some(50))).await;
        let used = arrived.len() as f64 / arrived.last().unwrap().as_secs_f64() / f64::from(per_second);
        assert!((0.9..=1.0).contains(&used), "{used} of {per_second}");
    }
}

#[test]
fn concurrency_is_the_setting_unless_the_rate_allows_fewer() {
    let concurrency = |concurrency, per_second, timeout| {
        let settings = Settings {
            concurrency,
            rate_per_second: NonZeroU32::new(per_second),
            overall_timeout: Duration::from_secs(timeout),
            ..Settings::default()
        };
        let endpoint = super::Endpoint { settings, ..super::Endpoint::new("http://127.0.0.1:1") };
        super::Transport::new(crate::SpecOrigin::Ours, crate::Provider::SafeDebit, endpoint).unwrap().concurrency()
    };
    assert_eq!(concurrency(7, 0, 60), 7);
    assert_eq!(concurrency(1, 1000, 60), 1);
    // Expect a quarter of the requests that the rate limit allows before the timeout: 2 × 60 / 4.
    assert_eq!(concurrency(64, 2, 60), 30);
    assert_eq!(concurrency(64, 1, 2), 1);
}

#[tokio::test(start_paused = true)]
async fn retry_budget_allows_one_retry_in_five_calls() {
    let limits = Limits::new(&Settings::default());
    let mut repeated = 0;
    for _ in 0..1000 {
        limits.budget.deposit();
        repeated += usize::from(limits.budget.withdraw()) + usize::from(limits.budget.withdraw());
    }
    assert!((200..=215).contains(&repeated), "{repeated} of 1000 calls were repeated");
}

/// Snapshots the requests of the operations that exist only with the feature `unverified`.
fn snapshot_unverified(requests: Vec<String>) {
    if !requests.is_empty() {
        insta::with_settings!({prepend_module_to_snapshot => false, omit_expression => true}, {
            insta::assert_snapshot!("requests-unverified", requests.join("\n"));
        });
    }
}

/// Returns the request line, headers and body of a request as text, with secrets masked.
async fn request_text<V: Vendor>(
    vendor: &V,
    operation: &'static super::OperationSpec,
    request: super::Built,
) -> String {
    let mut request = super::call::built(operation, vendor.transport(), request).unwrap();
    let call = Call { vendor, operation };
    let header = call.credentials().await.unwrap();
    let request = call.attempt(&mut request, header.as_ref());
    assert!(
        header.as_ref().is_none_or(HeaderValue::is_sensitive),
        "HTTP libraries log headers that are not marked sensitive"
    );
    assert!(request.headers.get(AUTHORIZATION).is_none_or(HeaderValue::is_sensitive));
    let url = &request.target;
    let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
    let mut out = format!("{} {}{query}\n", request.method, url.path());
    let headers: BTreeMap<&str, &str> =
        request.headers.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
    for (name, value) in headers {
        let value = match value.split_once(' ') {
            Some((scheme, _)) if name == "authorization" => format!("{scheme} ***"),
            None if name == "authorization" => "***".into(),
            // The boundary of a multipart form is random, so the snapshot masks it.
            Some((form, _)) if name == "content-type" => format!("{form} boundary=***"),
            _ => value.into(),
        };
        out += &format!("{name}: {value}\n");
    }
    if let Some(body) = request.body.as_bytes().filter(|body| !body.is_empty()) {
        let mut body: serde_json::Value = serde_json::from_slice(body).unwrap();
        if let Some(key) = body.get_mut("apiKey") {
            *key = "***".into();
        }
        out += &format!("\n{}\n", serde_json::to_string_pretty(&body).unwrap());
    }
    out
}

/// Lists the values of the example request that the response must repeat. A place without a value in the example shows
/// `-`.
fn repeated_values(operation: &super::OperationSpec, request: &super::Request) -> String {
    // Leave out `debit_mandate`, which exists only with the feature `unverified`.
    let places = operation.repeats.iter().filter(|_| operation.id != "debit_mandate").map(|(place, sent)| {
        let value = request.expected.iter().find(|(of, _)| of == place).map_or("-", |(_, value)| value);
        format!("{}: {place} = {sent:?} = {value}\n", operation.id)
    });
    places.collect()
}

macro_rules! operation_tests {
    ($feature:literal, $module:ident, $examples:ident, $paths:ident, $client:expr) => {
        #[cfg(feature = $feature)]
        mod $module {
            use crate::$module::{self as api, generated::operations};

            include!(concat!(env!("OUT_DIR"), "/", $feature, ".examples.rs"));

            #[test]
            #[allow(unused, reason = "no path of SafeDebit has a parameter")]
            fn ids_fill_exactly_one_path_segment() {
                let client: api::Client = $client;
                let transport = crate::transport::Vendor::transport(&client);
                let mut operations = 0;
                macro_rules! each {
                    ($operation:ident, |$id:ident| $builder:expr) => {
                        operations += 1;
                        crate::transport::path::tests::assert_id_is_one_segment(&operations::$operation, transport, |$id: &str| $builder.request().ok());
                    };
                }
                $paths!(client, api, each);
                assert_eq!(operations == 0, $feature == "safedebit");
            }

            #[test]
            fn repeated_values_are_found_in_the_request() {
                let client: api::Client = $client;
                let mut all = String::new();
                macro_rules! add {
                    ($id:literal, $operation:ident, $builder:expr) => {
                        all += &super::repeated_values(&operations::$operation, &$builder.request().unwrap());
                    };
                }
                $examples!(client, api, add);
                insta::with_settings!({prepend_module_to_snapshot => false, omit_expression => true}, {
                    insta::assert_snapshot!(concat!("repeats-", $feature), all);
                });
            }

            #[tokio::test]
            async fn requests_match_the_spec_examples() {
                let client: api::Client = $client;
                let mut all = Vec::new();
                macro_rules! add {
                    ($id:literal, $operation:ident, $builder:expr) => {
                        let text = super::request_text(&client, &operations::$operation, $builder.request()).await;
                        all.push(format!("--- {}\n{text}", $id));
                    };
                }
                $examples!(client, api, add);
                if cfg!(feature = "unverified") {
                    // `debit_mandate` has a snapshot of its own, so that the other snapshots are the same with and
                    // without the feature `unverified`.
                    let (own, others) = all.into_iter().partition(|text| text.starts_with("--- debit_mandate\n"));
                    all = others;
                    super::snapshot_unverified(own);
                }
                insta::with_settings!({prepend_module_to_snapshot => false, omit_expression => true}, {
                    insta::assert_snapshot!(concat!("requests-", $feature), all.join("\n"));
                });
            }
        }
    };
}

operation_tests!("easytransac", easytransac, easytransac_examples, easytransac_paths, {
    let config = api::Config::new("http://127.0.0.1:1/v2", "et_test_secret");
    api::Client::new(config).unwrap().with_token("secret")
});
operation_tests!(
    "safedebit",
    safedebit,
    safedebit_examples,
    safedebit_paths,
    api::Client::new(api::Config::new("http://127.0.0.1:1/ssp", "login", "secret")).unwrap()
);
operation_tests!(
    "seqino",
    seqino,
    seqino_examples,
    seqino_paths,
    api::Client::new(api::Config::new("http://127.0.0.1:1/api", "secret")).unwrap()
);
