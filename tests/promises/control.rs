//! A test in any language can control the sandbox over HTTP.

use mandat::{
    MandateRef, MandateStatus, Mandates, Provider,
    sandbox::{Options, Sandbox},
};
use proptest::{prelude::*, test_runner::TestRunner};
use reqwest::Method;
use serde_json::{Value, json};
use std::{net::SocketAddr, sync::LazyLock};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// One plain HTTP client for all tests, because building a client is slow. The client keeps no connection between two
/// tests.
pub static CLIENT: LazyLock<reqwest::Client> =
    LazyLock::new(|| reqwest::Client::builder().pool_max_idle_per_host(0).build().unwrap());

/// Sends a control request to the sandbox. Returns the HTTP status and the JSON body of the response.
pub async fn send_control(sandbox: &Sandbox, method: &str, path: &str, body: impl Into<Option<Value>>) -> (u16, Value) {
    let url = format!("http://{}/_control{path}", sandbox.address());
    let method: Method = method.parse().unwrap();
    let body = body.into().map(|body| body.to_string()).unwrap_or_default();
    let request = CLIENT.request(method, url).header("content-type", "application/json").body(body);
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    (status, serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap())
}

pub async fn control(sandbox: &Sandbox, method: &str, path: &str, body: impl Into<Option<Value>>) -> Value {
    let (status, answer) = send_control(sandbox, method, path, body).await;
    assert_eq!(status, 200, "{method} {path}: {answer}");
    answer
}

/// Creates a mandate that the debtor has not signed yet. Returns the reference of the mandate.
async fn created(mandates: &Mandates, umr: &str) -> MandateRef {
    let request = mandates.safedebit().unwrap().create_mandate().body_map(|body| {
        body.safedebit_consumer_reference(Sandbox::CONSUMER)
            .url_ok("https://example.com/ok")
            .url_ko("https://example.com/ko")
            .url_cancel("https://example.com/cancel")
            .umr(umr)
    });
    request.send().await.unwrap();
    MandateRef::safedebit(umr)
}

async fn started() -> (Sandbox, Mandates) {
    let sandbox = Sandbox::start().await.unwrap();
    let mandates = sandbox.mandates();
    (sandbox, mandates)
}

#[tokio::test]
async fn control_index_lists_every_control_path() {
    let (sandbox, _) = started().await;
    let index = control(&sandbox, "GET", "", None).await;
    let said = index.to_string();
    for part in ["state", "reset", "clock", "mandates", "debits", "faults", "scripts", "journal"] {
        assert!(said.contains(&format!("/_control/{part}")), "{part}: {said}");
    }
}

#[tokio::test]
async fn sandbox_state_can_be_read_patched_and_reset_over_http() {
    let (sandbox, mandates) = started().await;
    let beginning = control(&sandbox, "GET", "/state", None).await;
    let reference = created(&mandates, "RUM 1/A?B").await;
    let state = control(&sandbox, "GET", "/state", None).await;
    assert_eq!(state["safedebit"]["mandates"]["RUM 1/A?B"]["status"], "5");

    // The body of the PATCH request is a JSON merge patch, in which null removes a field.
    let patch = json!({"status": "1", "sequence_type": null, "own": {"a": 1}});
    let record = control(&sandbox, "PATCH", "/state/safedebit/mandates/RUM%201%2FA%3FB", patch).await;
    assert_eq!((&record["status"], record.get("sequence_type")), (&json!("1"), None));
    assert_eq!(sandbox.record(&reference).unwrap()["own"], json!({"a": 1}));
    assert_eq!(mandates.status(&reference).await.unwrap().status, MandateStatus::Active);

    control(&sandbox, "POST", "/reset", None).await;
    assert_eq!(control(&sandbox, "GET", "/state", None).await, beginning);
    assert!(mandates.status(&reference).await.is_err());
}

#[tokio::test]
async fn control_request_sets_a_mandate_to_any_status_or_word() {
    let (sandbox, mandates) = started().await;
    let reference = created(&mandates, "RUM-1").await;
    let name = reference.to_string();
    for (change, status, word) in [
        (json!({"step": "sign"}), MandateStatus::Active, json!("1")),
        (json!({"step": "suspend"}), MandateStatus::Suspended, json!("2")),
        (json!({"step": "revoke"}), MandateStatus::Revoked, json!("3")),
        (json!({"status": "AwaitingActivation"}), MandateStatus::AwaitingActivation, json!("6")),
        (json!({"word": "brand_new"}), MandateStatus::Unrecognized, json!("brand_new")),
        (json!({"word": 7.5}), MandateStatus::Unrecognized, json!(7.5)),
        (json!({"word": null}), MandateStatus::Unrecognized, json!(null)),
    ] {
        let mut body = change;
        body["mandate"] = name.clone().into();
        control(&sandbox, "POST", "/mandates", body.clone()).await;
        let read = mandates.status(&reference).await;
        let all = control(&sandbox, "GET", "/mandates", None).await;
        let listed = all.as_array().unwrap().iter().find(|one| one["mandate"] == name.as_str()).unwrap();
        assert_eq!(listed["word"], word);
        assert_eq!(read.unwrap().status, status, "{body}");
    }
    control(&sandbox, "POST", "/mandates", json!({"mandate": name, "forget": true})).await;
    assert!(mandates.status(&reference).await.is_err());
}

#[tokio::test]
async fn sandbox_sends_each_scripted_response_once_in_order() {
    let (sandbox, mandates) = started().await;
    let reference = created(&mandates, "RUM-1").await;
    let answer =
        |status: &str| json!({"status": 200, "body": {"result": true, "datas": [{"umr": "RUM-1", "status": status}]}});
    let script = json!({"provider": "safedebit", "operation": "search_mandate", "answers": [answer("1"), answer("3")]});
    control(&sandbox, "POST", "/scripts", script.clone()).await;
    for expected in [MandateStatus::Active, MandateStatus::Revoked, MandateStatus::AwaitingSignature] {
        assert_eq!(mandates.status(&reference).await.unwrap().status, expected);
    }
    control(&sandbox, "POST", "/scripts", script).await;
    control(&sandbox, "DELETE", "/scripts", None).await;
    assert_eq!(mandates.status(&reference).await.unwrap().status, MandateStatus::AwaitingSignature);
}

/// Sends a search for a mandate several times. Returns the status of each response from the journal of the sandbox: 0
/// if the sandbox closed the connection.
async fn searched(sandbox: &Sandbox, times: usize) -> Vec<u16> {
    control(sandbox, "DELETE", "/journal", None).await;
    let url = format!("{}/search_mandate?umr=RUM-1", sandbox.base_url(Provider::SafeDebit));
    for _ in 0..times {
        let request = CLIENT.get(&url).basic_auth("sandbox", Some("sandbox-password"));
        // The request may fail. The journal of the sandbox contains the status of the response.
        drop(request.send().await);
    }
    let journal = control(sandbox, "GET", "/journal?operation=search_mandate", None).await;
    journal.as_array().unwrap().iter().map(|one| one["status"].as_u64().unwrap().try_into().unwrap()).collect()
}

#[tokio::test]
async fn faults_apply_to_their_operation_with_their_count_and_probability() {
    let (sandbox, _) = started().await;
    let fault = json!({"fault": "status", "status": 503, "operation": "search_mandate", "times": 2});
    control(&sandbox, "POST", "/faults", fault).await;
    assert_eq!(searched(&sandbox, 3).await, [503, 503, 200]);

    // Faults for another operation or another vendor must not change the response to a search.
    for elsewhere in [json!({"operation": "payment"}), json!({"provider": "seqino"})] {
        let mut fault = json!({"fault": "reset"});
        fault.as_object_mut().unwrap().extend(elsewhere.as_object().unwrap().clone());
        control(&sandbox, "POST", "/faults", fault).await;
    }
    assert_eq!(searched(&sandbox, 1).await, [200]);
    assert_eq!(control(&sandbox, "GET", "/faults", None).await["faults"], 3);
    control(&sandbox, "DELETE", "/faults", None).await;

    let mut courses = Vec::new();
    for seed in [7, 7, 8] {
        let fault = json!({"fault": "reset", "probability": 0.5, "seed": seed});
        control(&sandbox, "POST", "/faults", fault).await;
        courses.push(searched(&sandbox, 40).await);
        control(&sandbox, "DELETE", "/faults", None).await;
    }
    assert_eq!(courses[0], courses[1]);
    assert_ne!(courses[0], courses[2]);
    let struck = courses[0].iter().filter(|status| **status == 0).count();
    assert!((5..35).contains(&struck), "{:?}", courses[0]);
}

#[tokio::test]
async fn sandbox_clock_can_be_advanced_and_reset_over_http() {
    let (sandbox, _) = started().await;
    let before = sandbox.now();
    control(&sandbox, "POST", "/clock", json!({"advance_seconds": 86_400})).await;
    let now = control(&sandbox, "GET", "/clock", None).await["now"].as_str().unwrap().parse().unwrap();
    let moved: chrono::TimeDelta = chrono::DateTime::<chrono::Utc>::signed_duration_since(now, before);
    assert!((86_400..86_460).contains(&moved.num_seconds()), "{moved}");
    // Advance the clock of the sandbox further than it can represent.
    control(&sandbox, "POST", "/clock", json!({"advance_seconds": u64::MAX})).await;
    control(&sandbox, "POST", "/reset", None).await;
    assert!((sandbox.now() - before).num_seconds() < 60);
}

#[tokio::test]
async fn sandbox_journal_lists_every_request_without_secrets() {
    let (sandbox, mandates) = started().await;
    created(&mandates, "RUM-1").await;
    let seqino = sandbox.base_url(Provider::Seqino);
    let body = json!({"organization_name": "Zebulon", "contact_email": "zebulon@example.com", "external_ref": "E-1"});
    let request = CLIENT.post(format!("{seqino}/clients?secret=hunter2")).body(body.to_string());
    request.header("authorization", "hunter2").send().await.unwrap();
    let easytransac = sandbox.base_url(Provider::Easytransac);
    let body = json!({"apiKey": crate::support::KEY});
    CLIENT.post(format!("{easytransac}/auth")).body(body.to_string()).send().await.unwrap();

    let journal = control(&sandbox, "GET", "/journal", None).await;
    let operations: Vec<&str> =
        journal.as_array().unwrap().iter().map(|one| one["operation"].as_str().unwrap()).collect();
    assert_eq!(operations, ["create_mandate", "create_client", "generate_token"]);
    let text = journal.to_string();
    for secret in ["hunter2", "zebulon", "Zebulon", "et_test", "sandbox-password", "example.com/ok"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
    assert!(text.contains("RUM-1"));
    control(&sandbox, "DELETE", "/journal", None).await;
    assert_eq!(control(&sandbox, "GET", "/journal", None).await, json!([]));
}

#[tokio::test]
async fn sandbox_state_hides_personal_data_and_secrets() {
    let (sandbox, mandates) = started().await;
    created(&mandates, "RUM-1").await;
    let consumer = "/state/safedebit/consumers/XXXXXXXXXXXXX";
    // Put personal data into its own field, into an unknown field, and into a field for other values.
    let patch = json!({
        "consumer_email": "zebulon@example.com", "note": {"who": "Zebulon", "zebulon@example.com": 1},
        "shop_reference": "FR76 3000 1007 9412 3456 7890 185", "reference": ["zebulon@example.com"],
        "consumer_type": "Zebulon",
    });
    let shown = control(&sandbox, "PATCH", consumer, patch).await;
    assert_eq!(shown["safedebit_consumer_reference"], Sandbox::CONSUMER);
    let state = control(&sandbox, "GET", "/state", None).await;
    assert_eq!(state["safedebit"]["mandates"]["RUM-1"]["umr"], "RUM-1");
    assert_eq!(state["seqino"]["clients"]["client_abc123"]["status"], "active");
    // The sandbox shows fields that the spec does not mark as personal, just as `Debug` does.
    assert_eq!(shown["consumer_type"], "Zebulon");
    for text in [state.to_string(), shown.to_string()] {
        let text = text.replace("\"consumer_type\":\"Zebulon\"", "");
        for personal in ["FR76", "Zebulon", "zebulon", "contact@acme.com", "Acme", "example.com/ok"] {
            assert!(!text.contains(personal), "{personal} in {text}");
        }
    }
}

#[tokio::test]
async fn sandbox_state_hides_an_iban_that_is_used_as_an_id() {
    let (sandbox, mandates) = started().await;
    created(&mandates, "FR7630001007941234567890185").await;
    created(&mandates, "DE89370400440532013000").await;
    let state = control(&sandbox, "GET", "/state", None).await;
    let ids: Vec<&String> = state["safedebit"]["mandates"].as_object().unwrap().keys().collect();
    assert_eq!(ids, ["(masked id 1)", "(masked id 2)", Sandbox::CONSUMER]);
    assert!(!state.to_string().contains("30001007941") && !state.to_string().contains("0532013000"), "{state}");
}

#[tokio::test]
async fn host_name_with_a_final_dot_counts_as_the_same_host() {
    let sandbox = Sandbox::start_with(Options::default().host("sandbox.")).await.unwrap();
    for (host, status) in [("sandbox", 200), ("SANDBOX.:80", 200), ("localhost.", 200), ("sandbox..", 421), (".", 421)]
    {
        let lines = ["GET /_control/clock HTTP/1.1", &format!("host: {host}")];
        assert_eq!(raw_status(sandbox.address(), &lines, "").await, status, "{host}");
    }
}

/// Sends a raw HTTP request with these header lines to the sandbox. Returns the whole response.
async fn raw_request(to: SocketAddr, lines: &[&str], body: &str) -> String {
    let mut stream = TcpStream::connect(to).await.unwrap();
    let request =
        format!("{}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", lines.join("\r\n"), body.len());
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8(answer).unwrap()
}

async fn raw_status(to: SocketAddr, lines: &[&str], body: &str) -> u16 {
    let answer = raw_request(to, lines, body).await;
    assert!(answer.contains("server: mandat-sandbox"), "{answer}");
    answer["HTTP/1.1 ".len()..][..3].parse().unwrap()
}

const PATHS: [&str; 3] = ["/_control/clock", "/safedebit/ssp/search_mandate?umr=RUM-1", "/safedebit/pages/x"];

#[tokio::test]
async fn sandbox_refuses_requests_for_other_host_names() {
    let options =
        Options::default().host("sandbox").host("proxy.example.com:8080").host("192.0.2.7").host("2001:db8::7");
    let told = Sandbox::start_with(options).await.unwrap();
    let (sandbox, _) = started().await;
    let port = sandbox.address().port();
    for path in PATHS {
        let get = format!("GET {path} HTTP/1.1");
        for own in [
            &format!("127.0.0.1:{port}"),
            "127.0.0.1",
            "127.8.9.10:80",
            "localhost",
            "LocalHost:1",
            "localhost.",
            "[::1]:1",
            "[::ffff:127.0.0.1]",
        ] {
            let status = raw_status(sandbox.address(), &[&get, &format!("hOsT: {own}")], "").await;
            assert!(matches!(status, 200 | 404), "{own}: {status}");
        }
        for foreign in [
            "evil.example.com",
            &format!("evil.example.com:{port}"),
            "localhost.evil.example.com",
            "evil-localhost",
            "127.0.0.1.evil.example.com",
            "localhost@evil.example.com",
            "evil.example.com@localhost",
            "sandbox",
            "0.0.0.0",
            "[::]",
            "192.0.2.7",
            "10.0.0.1",
            "localhost/evil",
            "",
        ] {
            let status = raw_status(sandbox.address(), &[&get, &format!("host: {foreign}")], "").await;
            assert_eq!(status, 421, "{path} {foreign}");
        }
        for names in ["sandbox", "SANDBOX:4010", "proxy.example.com", "192.0.2.7:1", "[2001:db8::7]", "localhost"] {
            let status = raw_status(told.address(), &[&get, &format!("host: {names}")], "").await;
            assert!(matches!(status, 200 | 404), "{names}: {status}");
        }
        assert_eq!(raw_status(told.address(), &[&get, "host: sandbox.evil.example.com"], "").await, 421);
    }
}

#[tokio::test]
async fn sandbox_refuses_requests_without_exactly_one_host() {
    let (sandbox, _) = started().await;
    let own = format!("host: {}", sandbox.address());
    for path in PATHS {
        let get = format!("GET {path} HTTP/1.1");
        let to = sandbox.address();
        assert_eq!(raw_status(to, &[&get], "").await, 400);
        assert_eq!(raw_status(to, &[&get, &own, &own], "").await, 400);
        assert_eq!(raw_status(to, &[&get, &own, "host: evil.example.com"], "").await, 400);
        // The request line contains a host that differs from the `Host` header.
        let absolute = format!("GET http://evil.example.com{path} HTTP/1.1");
        assert_eq!(raw_status(to, &[&absolute, &own], "").await, 421);
        let absolute = format!("GET http://localhost{path} HTTP/1.1");
        assert!(matches!(raw_status(to, &[&absolute, &own], "").await, 200 | 404));
        let answer = raw_request(to, &[&format!("GET {path} HTTP/1.0")], "").await;
        assert!(answer.starts_with("HTTP/1.0 400"), "{answer}");
    }
}

#[test]
fn random_hosts_and_origins_cannot_control_the_sandbox() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (sandbox, _) = runtime.block_on(started());
    let (to, own) = (sandbox.address(), format!("host: {}", sandbox.address()));
    let fault = json!({"fault": "reset"}).to_string();
    let any = ("[a-z0-9.:@\\[\\]-]{0,20}", "([a-z]{1,5}://)?[a-z0-9.:@-]{0,20}");
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    let refused = TestRunner::new(config).run(&any, |(host, origin)| {
        let (host, origin) = (format!("host: {host}x"), format!("origin: {origin}x"));
        for lines in [[&*host, "x: y"], [&*own, &*origin]] {
            let lines = ["POST /_control/faults HTTP/1.1", lines[0], lines[1]];
            let status = runtime.block_on(raw_status(to, &lines, &fault));
            prop_assert!(matches!(status, 400 | 403 | 421), "{lines:?} {status}");
        }
        Ok(())
    });
    refused.unwrap();
    assert_eq!(runtime.block_on(control(&sandbox, "GET", "/faults", None))["faults"], 0);
}

#[tokio::test]
async fn web_pages_of_other_origins_cannot_control_the_sandbox() {
    let (sandbox, _) = started().await;
    let own = format!("host: {}", sandbox.address());
    let fault = json!({"fault": "reset"}).to_string();
    let post = "POST /_control/faults HTTP/1.1";
    let other_port = format!("http://127.0.0.1:{}", sandbox.address().port() ^ 1);
    for origin in ["null", "", "http://evil.example.com", &other_port, "http://localhost", "file://", "evil"] {
        let origin = format!("origin: {origin}");
        assert_eq!(raw_status(sandbox.address(), &[post, &own, &origin], &fault).await, 403, "{origin}");
        let get = "GET /_control/state HTTP/1.1";
        assert_eq!(raw_status(sandbox.address(), &[get, &own, &origin], "").await, 403, "{origin}");
        let asked = "OPTIONS /_control/state HTTP/1.1";
        assert_eq!(raw_status(sandbox.address(), &[asked, &own, &origin], "").await, 403, "{origin}");
    }
    let good = format!("origin: http://{}", sandbox.address());
    assert_eq!(raw_status(sandbox.address(), &[post, &own, &good, "origin: null"], &fault).await, 403);
    // A browser sends these content types to another origin without a preflight request.
    for kind in
        ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/json", "json", ""]
    {
        let kind = format!("content-type: {kind}");
        assert_eq!(raw_status(sandbox.address(), &[post, &own, &kind], &fault).await, 415, "{kind}");
        let reset = "POST /_control/reset HTTP/1.1";
        assert_eq!(raw_status(sandbox.address(), &[reset, &own, &kind], "").await, 415, "{kind}");
    }
    assert_eq!(control(&sandbox, "GET", "/faults", None).await["faults"], 0);
    for kind in ["application/json", "Application/JSON; charset=utf-8", "application/merge-patch+json"] {
        let kind = format!("content-type: {kind}");
        assert_eq!(raw_status(sandbox.address(), &[post, &own, &good, &kind], &fault).await, 200, "{kind}");
    }
    // A web page may call the API of a vendor from a browser, so the sandbox allows other origins for these paths.
    let vendor = ["GET /safedebit/ssp/search_mandate HTTP/1.1", &own, "origin: https://app.example.com"];
    sandbox.clear_faults();
    assert_eq!(raw_status(sandbox.address(), &vendor, "").await, 200);
}

/// Creates a mandate with this `Host` header. Returns the base URL of the signature link in the response.
async fn signature_link_base(sandbox: &Sandbox, host: &str) -> String {
    let body = json!({
        "safedebit_consumer_reference": Sandbox::CONSUMER, "url_ok": "https://example.com/ok",
        "url_ko": "https://example.com/ko", "url_cancel": "https://example.com/cancel",
    });
    let port = sandbox.address().port();
    let head = [
        "POST /safedebit/ssp/create_mandate HTTP/1.1",
        &format!("host: {host}"),
        "authorization: Basic JQheySHkalSNuakkmSmm==",
        "content-type: application/json",
    ];
    let answer = raw_request(([127, 0, 0, 1], port).into(), &head, &body.to_string()).await;
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    let body: Value = serde_json::from_str(body).unwrap();
    body["signature_url"].as_str().unwrap().split("/safedebit/").next().unwrap().to_owned()
}

#[tokio::test]
async fn signature_links_do_not_depend_on_the_host_header() {
    let start = |options: Options| async { Sandbox::start_with(options).await.unwrap() };
    let everywhere = || Options::default().with_listen(([0, 0, 0, 0], 0).into());
    let sandbox = Sandbox::start().await.unwrap();
    let own = format!("http://{}", sandbox.address());
    assert_eq!(signature_link_base(&sandbox, "localhost:1").await, own);
    assert_eq!(signature_link_base(&sandbox, "127.9.9.9").await, own);
    let named = start(everywhere().host("sandbox").host("localhost:8080")).await;
    let port = named.address().port();
    assert_eq!(signature_link_base(&named, "localhost:1").await, format!("http://sandbox:{port}"));
    assert!(named.public_url(Provider::Seqino).starts_with(&format!("http://sandbox:{port}/seqino/")));
    assert!(named.base_url(Provider::Seqino).starts_with(&format!("http://127.0.0.1:{port}/seqino/")));
    let mapped = start(everywhere().host("localhost:8080")).await;
    assert_eq!(signature_link_base(&mapped, "localhost:9").await.as_str(), "http://localhost:8080");
    let unnamed = start(everywhere()).await;
    assert_eq!(
        signature_link_base(&unnamed, "localhost").await,
        format!("http://127.0.0.1:{}", unnamed.address().port())
    );
}

#[tokio::test]
async fn sandbox_that_listens_on_all_interfaces_logs_a_warning() {
    let log = crate::traces::Log::listen();
    drop(Sandbox::start().await.unwrap());
    assert_eq!(log.text(), "");
    let options = Options::default().with_listen(([0, 0, 0, 0], 0).into());
    let sandbox = Sandbox::start_with(options).await.unwrap();
    let said = log.text();
    assert!(said.contains("WARN") && said.contains("every machine that reaches this address"), "{said}");
    let reference = MandateRef::safedebit(Sandbox::CONSUMER);
    assert_eq!(sandbox.mandates().status(&reference).await.unwrap().status, MandateStatus::Active);
}

#[tokio::test]
async fn sandbox_does_not_start_with_an_invalid_host_name() {
    for name in ["", " ", "http://sandbox", "sand box", "user@sandbox", "sandbox/path", ":80", "sandbox\r\nx: y"] {
        let error = Sandbox::start_with(Options::default().host(name)).await.unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput, "{name:?}");
        assert!(error.to_string().contains("is not a host"), "{error}");
    }
}

#[tokio::test]
async fn invalid_control_requests_get_a_specific_error() {
    let (sandbox, mandates) = started().await;
    let reference = created(&mandates, "RUM-1").await.to_string();
    let patched = "/state/safedebit/mandates/RUM-1";
    for (method, path, body, status, why) in [
        ("GET", "/nothing", None, 404, "/_control"),
        ("PUT", "/reset", None, 404, "/_control"),
        ("GET", "/journal?operation=creat", None, 400, "`creat`"),
        ("GET", "/journal?operation=create_mandat", None, 400, "Did you mean `create_mandate`"),
        ("GET", "/journal?opration=create_mandate", None, 400, "query parameter"),
        ("DELETE", "/journal?operation=create_mandate", None, 400, "query parameter"),
        ("GET", "/overview?serach=RUM-1", None, 400, "query parameter"),
        ("POST", "/clock", None, 400, "EOF"),
        ("POST", "/clock", Some(json!({"advance": 1})), 400, "advance_seconds"),
        ("POST", "/clock", Some(json!({"advance_seconds": -1})), 400, "-1"),
        ("POST", "/mandates", Some(json!({"mandate": reference})), 400, "one of step, status, word, forget"),
        ("POST", "/mandates", Some(json!({"mandate": reference, "step": "sing"})), 400, "`sign`"),
        ("POST", "/mandates", Some(json!({"mandate": reference, "status": "Actif"})), 400, "AwaitingSignature"),
        ("POST", "/mandates", Some(json!({"mandate": reference, "step": "verify"})), 409, "no such step"),
        ("POST", "/mandates", Some(json!({"mandate": reference, "status": "Gone"})), 409, "no word"),
        ("POST", "/mandates", Some(json!({"mandate": "RUM-1", "step": "sign"})), 400, "safedebit:<umr>"),
        ("POST", "/mandates", Some(json!({"mandate": "safedebit:RUM-2", "step": "sign"})), 404, "no such mandate"),
        ("POST", "/faults", Some(json!({"fault": "stauts"})), 400, "`status`"),
        ("POST", "/faults", Some(json!({"fault": "status"})), 400, "the field `status`"),
        ("POST", "/faults", Some(json!({"fault": "status", "status": 99})), 400, "200 to 599"),
        ("POST", "/faults", Some(json!({"fault": "oversized", "bytes": u64::MAX})), 400, "1 GiB"),
        ("POST", "/faults", Some(json!({"fault": "items", "count": u64::MAX})), 400, "at most"),
        ("POST", "/faults", Some(json!({"fault": "field", "name": "a"})), 400, "`value`"),
        ("POST", "/faults", Some(json!({"fault": "merge"})), 400, "`patch`"),
        ("POST", "/faults", Some(json!({"fault": "php_lists"})), 400, "`empty`"),
        ("POST", "/faults", Some(json!({"fault": "header", "name": "a b", "value": "c"})), 400, "the name of"),
        (
            "POST",
            "/faults",
            Some(json!({"fault": "header", "name": "a", "value": "b\nc"})),
            400,
            "the value is not valid",
        ),
        (
            "POST",
            "/faults",
            Some(json!({"fault": "status", "status": 503, "retry_after": "\u{7f}"})),
            400,
            "the value is not valid",
        ),
        ("POST", "/faults", Some(json!({"fault": "reset", "probability": 1.5})), 400, "0 to 1"),
        ("POST", "/faults", Some(json!({"fault": "reset", "operation": "creat"})), 400, "`creat`"),
        ("POST", "/faults", Some(json!({"fault": "reset", "provider": "paypal"})), 400, "easytransac"),
        ("POST", "/scripts", Some(json!({"provider": "seqino", "operation": "x", "answers": []})), 400, "`x`"),
        (
            "POST",
            "/scripts",
            Some(json!({"provider": "seqino", "operation": "get_client", "answers": [{"status": 7}]})),
            400,
            "200 to 599",
        ),
        ("PATCH", "/state/safedebit/mandates/RUM-2", Some(json!({})), 404, "/_control/state"),
        ("PATCH", "/state/paypal/mandates/RUM-1", Some(json!({})), 404, "/_control/state"),
        ("PATCH", patched, Some(json!([1])), 400, "object"),
    ] {
        let (got, answer) = send_control(&sandbox, method, path, body).await;
        let said = answer["error"].as_str().unwrap_or_default();
        assert!(got == status && said.contains(why), "{method} {path}: {got} {answer}");
    }
    // None of the refused requests may have changed the state of the sandbox.
    assert_eq!(sandbox.count("create_mandate"), 1);
    assert_eq!(control(&sandbox, "GET", "/faults", None).await["faults"], 0);
    let status = mandates.status(&MandateRef::safedebit("RUM-1")).await.unwrap().status;
    assert_eq!(status, MandateStatus::AwaitingSignature);
}
