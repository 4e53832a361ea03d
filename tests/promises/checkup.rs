//! `Mandates::check` says at which step the set-up of a vendor fails, and sends a wrong credential once.
#![cfg(all(feature = "easytransac", feature = "safedebit", feature = "seqino"))]

use crate::support::{Act, KEY, Server, facade, http, json, test_settings, token};
use futures_util::future::join_all;
use mandat::{
    CheckEnvironment, CheckReport, CheckResult, CheckStep, Mandates, Provider, easytransac, safedebit,
    sandbox::Sandbox, seqino,
};
use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, SystemTime},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

/// The steps that a vendor has, in their order.
fn steps(provider: Provider) -> Vec<CheckStep> {
    let all = CheckStep::ALL.iter().copied().filter(|step| *step != CheckStep::Other);
    all.filter(|step| *step != CheckStep::Health || provider == Provider::Seqino).collect()
}

/// Asserts that the check fails at this step only, and returns the text of the step.
fn fails_at(report: &CheckReport, step: CheckStep) -> String {
    let failed: Vec<_> = report.checks.iter().filter(|check| check.result == CheckResult::Failed).collect();
    let [failed] = &failed[..] else { panic!("{report}") };
    assert_eq!(failed.step, step, "{report}");
    assert_eq!(report.checks.iter().map(|check| check.step).collect::<Vec<_>>(), steps(report.provider), "{report}");
    // Nothing after the failed step may look checked. The clock is known from any response.
    for check in report.checks.iter().filter(|check| check.step > step && check.step != CheckStep::Clock) {
        assert_eq!(check.result, CheckResult::NotChecked, "{report}");
    }
    assert!(!report.works());
    format!("{}; {}", failed.found, failed.advice.clone().unwrap_or_default())
}

async fn check(mandates: &Mandates, provider: Provider) -> CheckReport {
    mandates.check_vendor(provider).await.unwrap()
}

/// A server that answers the calls of a check as each vendor documents.
fn good(request: &str) -> String {
    let first = request.lines().next().unwrap_or_default();
    if first.starts_with("POST /auth ") {
        token(300)
    } else if first.starts_with("GET /sdd/mandate/") {
        json(404, r#"{"success":false}"#)
    } else if first.starts_with("GET /search_mandate?") {
        json(200, r#"{"result":true,"datas":[]}"#)
    } else if first.starts_with("GET /webhooks/event-types ") {
        json(200, r#"{"event_types":[]}"#)
    } else {
        json(200, "null")
    }
}

#[tokio::test]
async fn sandbox_passes_every_step() {
    let sandbox = Sandbox::start().await.unwrap();
    let reports = sandbox.mandates().check().await;
    assert_eq!(reports.iter().map(|report| report.provider).collect::<Vec<_>>(), Provider::ALL);
    for report in reports {
        assert!(report.works());
        assert_eq!(report.checks.iter().map(|check| check.step).collect::<Vec<_>>(), steps(report.provider));
        for check in &report.checks {
            let expected = if check.step == CheckStep::Tls { CheckResult::NotChecked } else { CheckResult::Passed };
            assert_eq!((check.result, &check.advice), (expected, &None), "{report}");
        }
        assert_eq!((report.environment, report.spec.as_str()), (CheckEnvironment::ThisMachine, "ours"));
        assert_eq!(report.address, sandbox.base_url(report.provider));
    }
}

#[tokio::test]
async fn check_sends_reads_only() {
    let server = Server::start(good).await;
    for report in facade(&server.url(), &test_settings()).check().await {
        assert!(report.works(), "{report}");
    }
    let mut lines: Vec<_> =
        server.requests().iter().map(|request| request.lines().next().unwrap().to_owned()).collect();
    lines.sort();
    assert_eq!(
        lines,
        [
            "GET /health HTTP/1.1",
            "GET /sdd/mandate/mandat00doctor000000/status HTTP/1.1",
            "GET /search_mandate?umr=MANDAT-DOCTOR HTTP/1.1",
            "GET /webhooks/event-types HTTP/1.1",
            "POST /auth HTTP/1.1",
        ]
    );
    let health = server.requests().into_iter().find(|request| request.starts_with("GET /health")).unwrap();
    assert!(!health.to_lowercase().contains("authorization"), "{health}");
}

#[tokio::test]
async fn unknown_host_fails_at_dns() {
    let config = seqino::Config::new("https://vendor.invalid/api", "s3cret-k3y").settings(test_settings());
    let mandates = Mandates::builder().seqino(config).build().unwrap();
    let report = check(&mandates, Provider::Seqino).await;
    let said = fails_at(&report, CheckStep::Dns);
    assert!(said.contains("compare the host"), "{said}");
    assert_eq!(report.environment, CheckEnvironment::Other);
}

#[tokio::test]
async fn refused_port_fails_at_the_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    for scheme in ["http", "https"] {
        let mandates = facade(&format!("{scheme}://127.0.0.1:{port}"), &test_settings());
        for provider in Provider::ALL {
            let said = fails_at(&check(&mandates, *provider).await, CheckStep::Connection);
            assert!(said.contains("refuses the connection") && said.contains("check the port"), "{said}");
        }
    }
}

#[cfg(feature = "rustls")]
#[tokio::test]
async fn server_without_tls_fails_at_tls() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                if stream.read_u8().await.is_ok() {
                    drop(stream.write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n").await);
                }
            });
        }
    });
    let mandates = facade(&format!("https://127.0.0.1:{port}"), &test_settings());
    for provider in Provider::ALL {
        let said = fails_at(&check(&mandates, *provider).await, CheckStep::Tls);
        assert!(said.contains("does not speak TLS") && said.contains("compare the address"), "{said}");
    }
}

#[tokio::test]
async fn host_that_never_answers_a_handshake_fails_at_tls_and_a_silent_server_at_the_response() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let mut open = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            open.push(stream);
        }
    });
    let settings = test_settings()
        .with_connect_timeout(Duration::from_millis(300))
        .with_attempt_timeout(Duration::from_millis(600))
        .with_overall_timeout(Duration::from_secs(2));
    let checks = [("https", CheckStep::Tls), ("http", CheckStep::Response)].into_iter().flat_map(|(scheme, step)| {
        let mandates = facade(&format!("{scheme}://127.0.0.1:{port}"), &settings);
        Provider::ALL.iter().map(move |provider| (mandates.clone(), *provider, step))
    });
    // Each check waits for its timeouts, so the checks run beside one another.
    join_all(checks.map(async |(mandates, provider, step)| {
        let report = check(&mandates, provider).await;
        fails_at(&report, step);
        assert_eq!(report.result(CheckStep::Clock), Some(CheckResult::NotChecked));
    }))
    .await;
}

#[tokio::test]
async fn wrong_credentials_are_sent_once_and_fail_at_the_credentials() {
    let refusals = [
        (Provider::Easytransac, 403, r#"{"success":false,"code":4}"#),
        (Provider::Easytransac, 401, ""),
        (Provider::SafeDebit, 200, r#"{"result":false,"code":"AUTH_002"}"#),
        (Provider::SafeDebit, 401, ""),
        (Provider::Seqino, 401, r#"{"error":"Invalid API key","code":401,"trace_id":"trace-0042"}"#),
    ];
    for (provider, status, body) in refusals {
        let server = Server::start(move |request| match request.starts_with("GET /health ") {
            true => json(200, "null"),
            false => json(status, body),
        });
        let server = server.await;
        let report = check(&facade(&server.url(), &test_settings()), provider).await;
        let said = fails_at(&report, CheckStep::Credentials);
        assert!(said.contains("access is refused"), "{said}");
        let credentials = server.requests().into_iter().filter(|request| !request.starts_with("GET /health ")).count();
        assert_eq!(credentials, 1, "{provider} {status}");
        for secret in ["p4ssw0rd", "s3cret-k3y", KEY] {
            let shown = format!("{report} {report:?} {}", serde_json::to_string(&report).unwrap());
            assert!(!shown.contains(secret));
        }
    }
}

#[tokio::test]
async fn refused_ip_address_has_its_own_step() {
    let page = "<html><p>Forbidden. Your IP 203.0.113.7 is not allowed.</p></html>";
    let html = || http(403, "content-type: text/html\r\n", page);
    let refusals = [
        (Provider::Easytransac, json(200, r#"{"success":false,"code":11}"#)),
        (Provider::SafeDebit, json(200, r#"{"result":false,"code":"AUTH_003"}"#)),
        (Provider::Easytransac, html()),
        (Provider::SafeDebit, html()),
        (Provider::Seqino, html()),
    ];
    for (provider, refusal) in refusals {
        let server = Server::start(move |request| match request.starts_with("GET /health ") {
            true => json(200, "null"),
            false => refusal.clone(),
        });
        let report = check(&facade(&server.await.url(), &test_settings()), provider).await;
        let said = fails_at(&report, CheckStep::IpAddress);
        assert!(said.contains("list the public IP address of this machine") && !said.contains("203.0.113.7"), "{said}");
    }
    // A page that names no IP address does not say what is refused.
    let server = Server::start(|_| http(403, "content-type: text/html\r\n", "<html>Forbidden</html>")).await;
    let report = check(&facade(&server.url(), &test_settings()), Provider::SafeDebit).await;
    let said = fails_at(&report, CheckStep::Call);
    assert!(said.contains("firewall or a proxy"), "{said}");
    for step in [CheckStep::IpAddress, CheckStep::Credentials] {
        assert_eq!(report.result(step), Some(CheckResult::NotChecked));
    }
}

#[tokio::test]
async fn refusal_of_another_server_does_not_show_that_credentials_are_accepted() {
    let page = || http(400, "content-type: text/html\r\n", "<html>Bad Request</html>");
    for provider in Provider::ALL {
        let servers = [Server::start(move |_| page()).await, Server::with_token(move |_| page()).await];
        for server in servers {
            let report = check(&facade(&server.url(), &test_settings()), *provider).await;
            fails_at(&report, CheckStep::Call);
            for step in [CheckStep::IpAddress, CheckStep::Credentials] {
                assert_eq!(report.result(step), Some(CheckResult::NotChecked), "{report}");
            }
        }
    }
}

#[tokio::test]
async fn direct_debit_that_is_not_enabled_fails_at_the_call() {
    let server = Server::with_token(|_| json(403, r#"{"success":false}"#)).await;
    let said = fails_at(&check(&facade(&server.url(), &test_settings()), Provider::Easytransac).await, CheckStep::Call);
    assert!(said.contains("enable direct debit"), "{said}");
}

#[tokio::test]
async fn vendor_that_is_down_fails_at_the_response_after_one_attempt() {
    for (status, words) in
        [(503, "HTTP 503"), (500, "HTTP 500"), (429, "too many requests"), (302, "never follows a redirect")]
    {
        let server = Server::start(move |_| http(status, "retry-after: 0\r\n", "")).await;
        for provider in [Provider::SafeDebit, Provider::Seqino] {
            let before = server.requests().len();
            let report = check(&facade(&server.url(), &test_settings()), provider).await;
            let said = fails_at(&report, CheckStep::Response);
            assert!(said.contains(words), "{said}");
            let expected = if provider == Provider::Seqino { 2 } else { 1 };
            assert_eq!(server.requests().len() - before, expected, "{provider} {status}");
        }
    }
    let server = Server::start(|_| Act::Reset(vec![])).await;
    let said =
        fails_at(&check(&facade(&server.url(), &test_settings()), Provider::SafeDebit).await, CheckStep::Response);
    assert!(said.contains("the connection broke off"), "{said}");
}

#[tokio::test]
async fn failed_health_check_is_a_warning_if_the_api_works() {
    let server = Server::start(|request: &str| match request.starts_with("GET /health ") {
        true => http(404, "", ""),
        false => good(request),
    });
    let report = check(&facade(&server.await.url(), &test_settings()), Provider::Seqino).await;
    assert!(report.works(), "{report}");
    assert_eq!(report.result(CheckStep::Health), Some(CheckResult::Warning));
    assert_eq!(report.result(CheckStep::Call), Some(CheckResult::Passed));
}

#[tokio::test]
async fn undocumented_response_fails_at_the_call() {
    for (provider, body) in [
        (Provider::Easytransac, r#"{"success":true}"#),
        (Provider::SafeDebit, r#"{"result":true,"datas":null}"#),
        (Provider::SafeDebit, "<html>Welcome to this network</html>"),
        (Provider::Seqino, "<html>Welcome to this network</html>"),
    ] {
        let server = Server::with_token(move |_| json(200, body)).await;
        let report = check(&facade(&server.url(), &test_settings()), provider).await;
        fails_at(&report, CheckStep::Call);
        assert_eq!(report.result(CheckStep::Credentials), Some(CheckResult::NotChecked), "{report}");
    }
}

#[tokio::test]
async fn clock_of_another_minute_is_a_warning_with_its_seconds() {
    for (ahead, expected) in [(0, None), (-45, None), (45, None), (300, Some("behind")), (-7200, Some("ahead of"))] {
        for refused in [false, true] {
            let server = Server::start(move |_| {
                let now = SystemTime::now();
                let by = Duration::from_secs(u64::try_from(i64::abs(ahead)).unwrap());
                let date = httpdate::fmt_http_date(if ahead < 0 { now - by } else { now + by });
                let body =
                    if refused { r#"{"result":false,"code":"AUTH_001"}"# } else { r#"{"result":true,"datas":[]}"# };
                http(200, &format!("date: {date}\r\ncontent-type: application/json\r\n"), body)
            });
            let report = check(&facade(&server.await.url(), &test_settings()), Provider::SafeDebit).await;
            assert_eq!(report.works(), !refused, "{report}");
            let clock = report.checks.iter().find(|check| check.step == CheckStep::Clock).unwrap();
            let Some(side) = expected else {
                assert_eq!(clock.result, CheckResult::Passed, "{report}");
                continue;
            };
            assert_eq!(clock.result, CheckResult::Warning, "{report}");
            let seconds: i64 = clock.found.split(' ').find_map(|word| word.parse().ok()).unwrap();
            assert!((ahead.abs() - 30..=ahead.abs()).contains(&seconds), "{report}");
            assert!(clock.found.contains(&format!("s {side} the clock")), "{report}");
            assert!(clock.advice.as_deref().unwrap().contains("NTP"), "{report}");
        }
    }
}

#[tokio::test]
async fn response_without_a_date_leaves_the_clock_unchecked() {
    for date in ["", "date: yesterday\r\n"] {
        let server = Server::start(move |_| http(200, date, r#"{"result":true,"datas":[]}"#)).await;
        let report = check(&facade(&server.url(), &test_settings()), Provider::SafeDebit).await;
        assert_eq!(report.result(CheckStep::Clock), Some(CheckResult::NotChecked), "{report}");
        assert!(report.works());
    }
}

#[tokio::test]
async fn each_vendor_is_checked_on_its_own() {
    let (good_one, asked) = (Server::start(good).await, AtomicUsize::new(0));
    let bad = Server::start(move |_| {
        asked.fetch_add(1, Ordering::SeqCst);
        json(200, r#"{"result":false,"code":"AUTH_004"}"#)
    });
    let bad = bad.await;
    let mandates = Mandates::builder()
        .easytransac(easytransac::Config::new(good_one.url(), KEY).settings(test_settings()))
        .safedebit(safedebit::Config::new(bad.url(), "login", "p4ssw0rd").settings(test_settings()))
        .build()
        .unwrap();
    let works: Vec<_> = mandates.check().await.iter().map(|report| (report.provider, report.works())).collect();
    assert_eq!(works, [(Provider::Easytransac, true), (Provider::SafeDebit, false)]);
    assert!(mandates.check_vendor(Provider::Seqino).await.is_err());
}

#[tokio::test]
async fn addresses_of_the_test_environments_are_recognized() {
    // The name of a proxy that is not there: no request leaves this machine.
    let proxy = || reqwest::Client::builder().proxy(reqwest::Proxy::all("http://127.0.0.1:1").unwrap());
    let settings = test_settings().with_attempts(1);
    let mandates = Mandates::builder()
        .easytransac(easytransac::Config::sandbox(KEY).settings(settings.clone()).http_client(proxy()))
        .safedebit(
            safedebit::Config::new("https://a.example/ssp", "l", "p").settings(settings.clone()).http_client(proxy()),
        )
        .seqino(seqino::Config::development("key").settings(settings).http_client(proxy()))
        .build()
        .unwrap();
    let reports = mandates.check().await;
    let found: Vec<_> = reports.iter().map(|report| report.environment).collect();
    assert_eq!(found, [CheckEnvironment::Test, CheckEnvironment::Other, CheckEnvironment::Test]);
    for report in reports {
        // This machine cannot know how the caller's client connects.
        assert_eq!(report.result(CheckStep::Dns), Some(CheckResult::NotChecked), "{report}");
        assert_eq!(report.result(CheckStep::Connection), Some(CheckResult::Failed), "{report}");
    }
}
