//! Each fault of the sandbox changes the response exactly as its documentation says.

use mandat::{
    Provider,
    sandbox::{Fault, Sandbox, ScriptedResponse},
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// A connection to the sandbox that stays open for several requests.
struct Kept(TcpStream);

/// A response of the sandbox: its status, its headers and the bytes of its body.
#[derive(Debug, Default)]
struct Got {
    head: String,
    body: Vec<u8>,
}

impl Got {
    fn status(&self) -> u16 {
        self.head["HTTP/1.1 ".len()..][..3].parse().unwrap()
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")))
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.body.escape_ascii()))
    }
}

impl Kept {
    async fn to(sandbox: &Sandbox) -> Self {
        Self(TcpStream::connect(sandbox.address()).await.unwrap())
    }

    /// Sends a request. Returns `None` if the sandbox closed the connection before it sent a byte of the response.
    async fn send(&mut self, method: &str, path: &str, body: &str) -> Option<Got> {
        let host = format!("host: localhost\r\ncontent-length: {}", body.len());
        let credentials = "authorization: Basic JQheySHkalSNuakkmSmm==\r\ncontent-type: application/json";
        let request = format!("{method} {path} HTTP/1.1\r\n{host}\r\n{credentials}\r\n\r\n{body}");
        self.0.write_all(request.as_bytes()).await.ok()?;
        let (mut bytes, mut buffer) = (Vec::new(), [0; 64 * 1024]);
        loop {
            let read = self.0.read(&mut buffer).await.unwrap_or(0);
            bytes.extend_from_slice(&buffer[..read]);
            let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").map(|at| at + 4);
            let head = end.map(|end| String::from_utf8(bytes[..end].to_vec()).unwrap());
            let length = head.as_deref().and_then(|head| head.split("content-length: ").nth(1)?.lines().next());
            let whole =
                length.zip(end).is_some_and(|(length, end)| bytes.len() >= end + length.parse::<usize>().unwrap());
            if read == 0 || whole {
                let (head, end) = head.zip(end)?;
                return Some(Got { head, body: bytes[end..].to_vec() });
            }
        }
    }

    async fn search(&mut self) -> Option<Got> {
        self.send("GET", "/safedebit/ssp/search_mandate?umr=XXXXXXXXXXXXX", "").await
    }

    async fn create(&mut self, umr: &str) -> Option<Got> {
        let body = json!({
            "safedebit_consumer_reference": Sandbox::CONSUMER, "umr": umr, "url_ok": "https://example.com/ok",
            "url_ko": "https://example.com/ko", "url_cancel": "https://example.com/cancel",
        });
        self.send("POST", "/safedebit/ssp/create_mandate", &body.to_string()).await
    }
}

const FOUND: &str = r#"{"datas":[{"status":"1","umr":"XXXXXXXXXXXXX"}],"result":true}"#;

/// Injects the fault through the Rust API and sends a search, and then does both again with the fault injected over
/// HTTP. Asserts that the two responses are equal.
async fn searched(fault: Fault, order: Value) -> Option<Got> {
    let sandbox = Sandbox::start().await.unwrap();
    sandbox.inject(fault.on("search_mandate"));
    let by_rust = Kept::to(&sandbox).await.search().await;
    sandbox.clear_faults();
    let ordered = Kept::to(&sandbox).await.send("POST", "/_control/faults", &order.to_string()).await.unwrap();
    assert_eq!(ordered.status(), 200, "{}", ordered.body.escape_ascii());
    let by_http = Kept::to(&sandbox).await.search().await;
    let parts = |got: &Option<Got>| got.as_ref().map(|got| (got.status(), got.body.clone()));
    assert_eq!(parts(&by_rust), parts(&by_http), "{order}");
    by_http
}

#[tokio::test]
async fn fault_in_a_body_changes_only_the_requested_part() {
    let marked = format!("\u{feff}{FOUND}");
    let latin = [b"{\"sandbox_note\":\"\xe9\",", &FOUND.as_bytes()[1..]].concat();
    let begun = |field: &str| format!("{{{field},{}", &FOUND[1..]).into_bytes();
    let php = r#"{"datas":{"0":{"status":"1","umr":"XXXXXXXXXXXXX"}},"result":true}"#;
    let patched = r#"{"datas":[{"status":"1","umr":"XXXXXXXXXXXXX"}],"total":7}"#;
    let more = FOUND.replace(":[", ":[{},{},{},");
    let surrogate = r#""\ud800""#;
    for (fault, order, expected) in [
        (Fault::two_bodies(), json!({"fault": "two_bodies"}), FOUND.repeat(2).into_bytes()),
        (Fault::byte_order_mark(), json!({"fault": "byte_order_mark"}), marked.into_bytes()),
        (Fault::latin1(), json!({"fault": "latin1"}), latin),
        (
            Fault::field("note", surrogate),
            json!({"fault": "field", "name": "note", "value": surrogate}),
            begun(r#""note":"\ud800""#),
        ),
        (
            Fault::field("note", "\"a\nb\""),
            json!({"fault": "field", "name": "note", "value": "\"a\nb\""}),
            begun("\"note\":\"a\nb\""),
        ),
        (
            Fault::field("total", "1e400"),
            json!({"fault": "field", "name": "total", "value": "1e400"}),
            begun(r#""total":1e400"#),
        ),
        (
            Fault::field("result", "false"),
            json!({"fault": "field", "name": "result", "value": "false"}),
            begun(r#""result":false"#),
        ),
        (
            Fault::merge(json!({"result": null, "total": 7})),
            json!({"fault": "merge", "patch": {"result": null, "total": 7}}),
            patched.into(),
        ),
        (Fault::php_lists(json!({})), json!({"fault": "php_lists", "empty": {}}), php.into()),
        (Fault::items(3), json!({"fault": "items", "count": 3}), more.into()),
    ] {
        let got = searched(fault, order).await.unwrap();
        assert_eq!(got.status(), 200);
        assert_eq!(got.header("content-type"), Some("application/json"));
        assert_eq!(got.body.escape_ascii().to_string(), expected.escape_ascii().to_string());
    }
    // A fault may set the bytes of the body in any encoding.
    let sandbox = Sandbox::start().await.unwrap();
    sandbox.inject(Fault::field("note", b"\"r\xe9sum\xe9\""));
    let got = Kept::to(&sandbox).await.search().await.unwrap();
    assert!(got.body.starts_with(b"{\"note\":\"r\xe9sum\xe9\",\"datas\""));
}

#[tokio::test]
async fn faults_in_a_body_work_on_any_body() {
    let sandbox = Sandbox::start().await.unwrap();
    for (body, fault, expected) in [
        (json!({}), Fault::field("a", "1"), r#"{"a":1}"#),
        (json!([]), Fault::field("a", "1"), "[]"),
        (json!([{"b": 2}]), Fault::field("a", "1"), r#"[{"a":1,"b":2}]"#),
        (json!(["{"]), Fault::two_bodies(), r#"["{"]["{"]"#),
        (json!([]), Fault::items(2), "[{},{}]"),
        (json!([1]), Fault::items(2), "[{},{},1]"),
        (json!({"a": []}), Fault::items(2), r#"{"a":[{},{}]}"#),
        (json!({"a": "["}), Fault::items(2), r#"{"sandbox_items":[{},{}],"a":"["}"#),
        (json!({"a": [], "b": [[]]}), Fault::php_lists(""), r#"{"a":"","b":{"0":""}}"#),
        (json!({"a": []}), Fault::php_lists(false), r#"{"a":false}"#),
        (json!({"a": []}), Fault::php_lists(Value::Null), r#"{"a":null}"#),
        (json!([7]), Fault::php_lists(json!({})), r#"{"0":7}"#),
        (json!({"a": {"b": 1, "c": 2}}), Fault::merge(json!({"a": {"b": null}})), r#"{"a":{"c":2}}"#),
        (json!("é☃"), Fault::latin1(), "\"\\xe9?\""),
    ] {
        let answer = ScriptedResponse::new(200, body);
        sandbox.script(Provider::SafeDebit, "search_mandate", [answer]).unwrap();
        sandbox.clear_faults();
        sandbox.inject(fault);
        let got = Kept::to(&sandbox).await.search().await.unwrap();
        assert_eq!(got.body.escape_ascii().to_string().replace("\\\"", "\""), expected);
    }
    // A response without a body cannot be damaged, so the sandbox sends it unchanged.
    sandbox.script(Provider::SafeDebit, "search_mandate", [ScriptedResponse::new(204, None)]).unwrap();
    sandbox.clear_faults();
    sandbox.inject(Fault::two_bodies());
    let mut kept = Kept::to(&sandbox).await;
    kept.0
        .write_all(b"GET /safedebit/ssp/search_mandate HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
        .await
        .unwrap();
    let mut answer = String::new();
    kept.0.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 204") && answer.ends_with("\r\n\r\n"), "{answer}");
}

#[tokio::test]
async fn header_fault_adds_a_header_to_the_response() {
    for (name, value) in [("Content-Encoding", "UTF-8"), ("content-encoding", ""), ("Link", "</next>; rel=\"next\"")] {
        let got = searched(Fault::header(name, value), json!({"fault": "header", "name": name, "value": value}));
        let got = got.await.unwrap();
        assert_eq!(got.header(&name.to_lowercase()), Some(value), "{}", got.head);
        assert_eq!(got.body, FOUND.as_bytes());
    }
}

#[tokio::test]
async fn status_fault_sets_retry_after_and_optional_body() {
    let old = "Sunday, 06-Nov-94 08:49:37 GMT";
    for (fault, order, wish, body) in [
        (Fault::status(503), json!({}), None, ""),
        (Fault::status(503).retry_after(7), json!({"retry_after": 7}), Some("7"), ""),
        (Fault::status(503).retry_after("7.5"), json!({"retry_after": "7.5"}), Some("7.5"), ""),
        (Fault::status(503).retry_after(7.5), json!({"retry_after": 7.5}), Some("7.5"), ""),
        (Fault::status(503).retry_after(old), json!({"retry_after": old}), Some(old), ""),
        (Fault::status(503).with_body(), json!({"with_body": true}), None, FOUND),
    ] {
        let mut order = order;
        order["fault"] = "status".into();
        order["status"] = 503.into();
        let got = searched(fault, order).await.unwrap();
        assert_eq!((got.status(), got.header("retry-after"), &*got.body), (503, wish, body.as_bytes()));
    }
}

#[tokio::test]
async fn truncated_fault_sends_only_half_of_the_body() {
    let got =
        searched(Fault::truncated().after_effect(), json!({"fault": "truncated", "after_effect": true})).await.unwrap();
    assert_eq!((got.status(), got.header("content-length")), (200, None));
    // The body is sent in chunks, and the last chunk never arrives.
    let half = String::from_utf8(got.body).unwrap();
    assert!(
        half.contains(&FOUND[..FOUND.len() / 2]) && !half.contains(FOUND) && !half.ends_with("0\r\n\r\n"),
        "{half}"
    );
    // Without `after_effect` the simulated vendor has not acted, so the sandbox breaks off another body.
    let got = searched(Fault::truncated(), json!({"fault": "truncated"})).await.unwrap();
    assert_eq!((got.status(), String::from_utf8(got.body).unwrap().as_str()), (200, "1\r\n{\r\n"));
}

#[tokio::test]
async fn html_reset_empty_oversized_and_delay_faults_respond_as_documented() {
    let page = searched(Fault::html(), json!({"fault": "html"})).await.unwrap();
    assert!(page.body.starts_with(b"<html>") && page.status() == 200);
    assert!(searched(Fault::reset(), json!({"fault": "reset"})).await.is_none());
    let empty = searched(Fault::empty(), json!({"fault": "empty"})).await.unwrap();
    assert_eq!((empty.status(), empty.body.len()), (200, 0));
    let large = searched(Fault::oversized(1 << 20), json!({"fault": "oversized", "bytes": 1 << 20})).await.unwrap();
    assert_eq!(large.body.len(), (1 << 20) + 2);
    let short = std::time::Duration::from_millis(1);
    let late = searched(Fault::delay(short), json!({"fault": "delay", "milliseconds": 1})).await.unwrap();
    assert_eq!(late.body, FOUND.as_bytes());
}

#[tokio::test]
async fn late_second_response_fault_delays_later_responses_by_one_request() {
    let sandbox = Sandbox::start().await.unwrap();
    sandbox.inject(Fault::late_second_answer().on("create_mandate").times(1));
    let mut kept = Kept::to(&sandbox).await;
    let umr = |got: Option<Got>| got.unwrap().json()["umr"].as_str().unwrap().to_owned();
    assert_eq!(umr(kept.create("RUM-1").await), "RUM-1");
    assert_eq!(umr(kept.create("RUM-2").await), "RUM-1");
    assert_eq!(umr(Kept::to(&sandbox).await.create("RUM-3").await), "RUM-3");
    assert_eq!(umr(kept.search().await), "RUM-2");
    assert_eq!(kept.search().await.unwrap().body, FOUND.as_bytes());
    // The simulated vendor acted on each request. A control request gets its own response, and not a late one.
    assert_eq!(sandbox.mandates_at(Provider::SafeDebit), 4);
    let mandates = kept.send("GET", "/_control/mandates", "").await.unwrap().json();
    assert!(mandates.to_string().contains("safedebit:RUM-3"));
}

#[tokio::test]
async fn stale_connection_fault_closes_the_connection_at_the_next_request() {
    let sandbox = Sandbox::start().await.unwrap();
    sandbox.inject(Fault::stale_connection().times(1));
    let mut kept = Kept::to(&sandbox).await;
    assert_eq!(kept.search().await.unwrap().body, FOUND.as_bytes());
    assert!(kept.create("RUM-1").await.is_none());
    assert!(kept.search().await.is_none());
    assert_eq!((sandbox.requests().len(), sandbox.mandates_at(Provider::SafeDebit)), (1, 1));
    assert_eq!(Kept::to(&sandbox).await.create("RUM-1").await.unwrap().status(), 200);
}

#[tokio::test]
async fn faults_after_the_effect_apply_after_the_vendor_acted() {
    let all = || {
        [
            Fault::two_bodies(),
            Fault::byte_order_mark(),
            Fault::latin1(),
            Fault::field("a", "1"),
            Fault::merge(json!({"a": 1})),
            Fault::php_lists(""),
            Fault::items(1),
            Fault::header("a", "b"),
            Fault::late_second_answer(),
            Fault::stale_connection(),
            Fault::status(500).with_body(),
            Fault::delay(std::time::Duration::ZERO),
        ]
    };
    for fault in all().into_iter().chain(all().map(Fault::after_effect)) {
        let sandbox = Sandbox::start().await.unwrap();
        sandbox.inject(fault.clone());
        let created = Kept::to(&sandbox).await.create("RUM-1").await.unwrap();
        assert!(String::from_utf8_lossy(&created.body).contains("RUM-1"), "{fault:?}");
        assert_eq!(sandbox.mandates_at(Provider::SafeDebit), 2, "{fault:?}");
    }
    for fault in
        [Fault::reset(), Fault::empty(), Fault::truncated(), Fault::html(), Fault::oversized(1), Fault::status(500)]
    {
        for (after, mandates) in [(false, 1), (true, 2)] {
            let sandbox = Sandbox::start().await.unwrap();
            sandbox.inject(if after { fault.clone().after_effect() } else { fault.clone() });
            drop(Kept::to(&sandbox).await.create("RUM-1").await);
            assert_eq!(sandbox.mandates_at(Provider::SafeDebit), mandates, "{fault:?} {after}");
        }
    }
}

/// The chapter docs/testing.md must describe each kind of fault, because readers would not find the fault elsewhere.
#[tokio::test]
async fn book_documents_every_kind_of_fault() {
    let sandbox = Sandbox::start().await.unwrap();
    let refused = Kept::to(&sandbox).await.send("POST", "/_control/faults", r#"{"fault": ""}"#).await.unwrap().json();
    let (_, kinds) = refused["error"].as_str().unwrap().split_once("expected one of ").unwrap();
    let kinds: Vec<&str> = kinds.split('`').skip(1).step_by(2).collect();
    assert_eq!(kinds.len(), 17);
    let book = include_str!("../../docs/testing.md");
    let index = Kept::to(&sandbox).await.send("GET", "/_control", "").await.unwrap().json().to_string();
    for kind in kinds {
        assert!(book.lines().any(|line| line.starts_with("| `") && line.contains(&format!("| `{kind}`"))), "{kind}");
        assert!(index.contains(kind), "{kind}");
    }
}

#[tokio::test]
async fn misspelt_operation_is_refused_with_a_suggestion() {
    let sandbox = Sandbox::start().await.unwrap();
    let panicked = |act: &dyn Fn()| -> String {
        let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(act)).unwrap_err();
        *panic.downcast().unwrap()
    };
    for said in [
        panicked(&|| sandbox.inject(Fault::reset().on("serach_mandate"))),
        panicked(&|| sandbox.inject(Fault::reset().on("SearchMandates").at(Provider::SafeDebit))),
        panicked(&|| assert_eq!(sandbox.count("search-mandat"), 0)),
        sandbox.script(Provider::SafeDebit, "search_mandte", []).unwrap_err().to_string(),
    ] {
        assert!(said.contains("Did you mean `search_mandate`"), "{said}");
    }
    // The operation exists, but not at this vendor.
    let said = panicked(&|| sandbox.inject(Fault::reset().on("search_mandate").at(Provider::Seqino)));
    assert!(said.contains("has no operation `search_mandate`"), "{said}");
    // None of the refused faults occurs.
    assert_eq!(Kept::to(&sandbox).await.create("RUM-1").await.unwrap().status(), 200);
    for (fault, near) in [
        (r#"{"fault": "reset", "operation": "create_mandat"}"#, "Did you mean `create_mandate`"),
        (r#"{"fault": "reset", "operation": "revoke_mandate", "provider": "safedebit"}"#, "`revoque_mandate`"),
        (r#"{"fault": "reset", "operation": "\u0000"}"#, "operations"),
    ] {
        let refused = Kept::to(&sandbox).await.send("POST", "/_control/faults", fault).await.unwrap();
        let said = refused.json()["error"].to_string();
        assert!(refused.status() == 400 && said.contains(near), "{said}");
    }
    assert_eq!(sandbox.count("create_mandate"), 1);
}
