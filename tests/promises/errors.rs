//! Each failure of a call has a kind and an outcome, and its error shows no data of the request or the response.

use crate::{
    snapshot,
    support::{Act, IBAN, Server, facade, http, json, test_settings},
};
use chrono::{TimeDelta, Utc};
use futures_util::{
    FutureExt, StreamExt,
    future::{BoxFuture, join_all},
    stream,
};
use mandat::{Error, MandateRef, Mandates, Settings};
use std::{collections::BTreeSet, fmt::Write, sync::Mutex, time::Duration};

/// A telephone number, which the tests put in the place of an error code.
const PLANTED_NUMBER: &str = "0601020304";

/// Secrets and personal data, which the tests put into every request and response.
pub const PLANTED: [&str; 8] = [
    IBAN,
    PLANTED_NUMBER,
    "abcabc12-abcabc12",
    "p4ssw0rd",
    "jeanne.dupond@example.com",
    "Dupond-Planted",
    "s3cret-k3y",
    "https://sign.example.com/planted",
];

/// An active mandate as JSON. The client must not read a refusal with this text as an active mandate.
const ACTIVE: &str =
    r#"{"mandateId":"abcabcabcabcabcabc12","status":"active","dateCreated":"2026-01-31T12:00:00+02:00"}"#;

/// Returns one text that contains all planted secrets and personal data.
fn planted() -> String {
    PLANTED.join(" ")
}

/// Lists responses and connection faults, each with its label in the snapshot.
pub fn answers() -> Vec<(&'static str, Act)> {
    let html = format!("<html>{}</html>", planted());
    let page = |status| Act::from(http(status, "content-type: text/html\r\n", &html));
    let own = |status, body: &str| Act::from(json(status, body));
    let easytransac = |code: &str| format!(r#"{{"success":false,"code":{code},"detail":"{}"}}"#, planted());
    let safedebit = |code: &str| format!(r#"{{"result":false,"code":"{code}","message":"{}"}}"#, planted());
    let seqino = |code: u16| format!(r#"{{"error":"{}","code":{code},"trace_id":"trace-0042"}}"#, planted());
    let called = format!(r#"{{"error":"{}","code":400,"trace_id":"{PLANTED_NUMBER}"}}"#, planted());
    let issue = format!(r#"{{"detail":[{{"loc":["body","{IBAN}",0],"msg":"{}","type":"x"}}]}}"#, planted());
    let truncated = format!(r#"{{"success":true,"result":true,"data":{{"x":"{}"#, planted());
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 500\r\n\r\n{\"x\":".as_bytes();
    // Half of a surrogate pair, which is no valid Unicode text.
    let odd = r"\ud800";
    let long = Duration::from_secs(5);
    let endless = format!("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n\"{}", "x".repeat(200_000));
    // The current time on the clock of the vendor, which is one hour behind.
    let now = (Utc::now() - TimeDelta::hours(1)).format("%a, %d %b %Y %H:%M:%S GMT");
    vec![
        ("reset before the response", Act::Reset(vec![])),
        ("closed before the response", Act::Send(vec![])),
        ("reset in mid-body", Act::Reset(head.to_vec())),
        ("closed in mid-body", Act::Send(head.to_vec())),
        ("slow headers", Act::Drip(vec![], long, vec![])),
        ("slow body", Act::Drip(head.to_vec(), long, vec![])),
        ("response that is not HTTP", Act::Send(planted().into_bytes())),
        ("too large, with Content-Length", own(200, &format!("\"{}\"", "x".repeat(200_000)))),
        ("too large, without Content-Length", Act::from(endless)),
        ("gzip bomb", Act::Send(gzip_bomb())),
        ("200 HTML", page(200)),
        ("200 empty", own(200, "")),
        ("200 truncated JSON", own(200, &truncated)),
        ("200 other JSON", own(200, &format!(r#""{}""#, planted()))),
        ("200 success false", own(200, &easytransac("null"))),
        ("200 success false, code 9", own(200, &easytransac("9"))),
        ("200 success false, code 10", own(200, &easytransac("10"))),
        ("200 success false, code 11", own(200, &easytransac("\"11\""))),
        ("200 result false, EXIST_001", own(200, &safedebit("EXIST_001"))),
        ("200 result false, AUTH_003", own(200, &safedebit("AUTH_003"))),
        ("200 result false, code with personal data", own(200, &safedebit(&planted()))),
        ("200 result false, telephone number as code", own(200, &safedebit(PLANTED_NUMBER))),
        // A response with the key `code` twice is still a refusal.
        (
            "200 success false, duplicate code",
            own(200, &format!(r#"{{"success":false,"code":5,"code":5,"data":{ACTIVE}}}"#)),
        ),
        (
            "200 result false, duplicate code",
            own(200, r#"{"result":false,"code":"AUTH_003","code":"AUTH_003","datas":[]}"#),
        ),
        // The client notices the refusal although another part of the body is damaged.
        (
            "200 success false, damaged data",
            own(200, &format!(r#"{{"success":false,"code":5,"x":["{odd}"],"data":{ACTIVE}}}"#)),
        ),
        (
            "200 result false, damaged data",
            own(200, &format!(r#"{{"result":false,"code":"EXIST_003","datas":["{odd}"]}}"#)),
        ),
        ("200 result false, Latin-1", latin_1(r#"{"result":false,"code":"EXIST_003","message":"déjà"}"#)),
        (
            "200 result false, damaged code and data",
            own(200, &format!(r#"{{"result":false,"code":"{odd}","datas":["{odd}"]}}"#)),
        ),
        (
            "200 success and failure at once",
            own(200, r#"{"success":true,"result":true,"success":false,"result":false,"datas":[]}"#),
        ),
        ("301 to another host", Act::from(http(301, "location: https://example.com/\r\n", &html))),
        ("400 empty", own(400, "")),
        ("400 vendor JSON", own(400, &seqino(400))),
        ("400 vendor JSON, telephone number as trace id", own(400, &called)),
        ("401 HTML", page(401)),
        ("403 success false", own(403, &easytransac("null"))),
        ("403 HTML", page(403)),
        ("404 empty", own(404, "")),
        ("404 HTML", page(404)),
        ("404 success false", own(404, &easytransac("null"))),
        ("404 vendor JSON", own(404, &seqino(404))),
        ("408", page(408)),
        ("409 vendor JSON", own(409, &seqino(409))),
        ("418, a standard status", page(418)),
        ("422 vendor JSON", own(422, &issue)),
        ("429", page(429)),
        ("429 Retry-After 0", Act::from(http(429, "retry-after: 0\r\n", &html))),
        ("429 Retry-After 7", Act::from(http(429, "retry-after: 7\r\n", &html))),
        ("429 Retry-After a date", Act::from(http(429, &format!("date: {now}\r\nretry-after: {now}\r\n"), &html))),
        ("460, no standard status", page(460)),
        ("460 success false", own(460, &easytransac("null"))),
        ("500 HTML", page(500)),
        ("500 vendor JSON", own(500, &seqino(500))),
        ("502", page(502)),
        ("503", page(503)),
        ("503 Retry-After 7", Act::from(http(503, "retry-after: 7\r\n", &html))),
        ("504", page(504)),
    ]
}

/// Returns a response from a server that writes Latin-1.
fn latin_1(body: &str) -> Act {
    let body: Vec<u8> = body.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n";
    Act::Send([head.as_bytes(), &body].concat())
}

/// Returns ten megabytes of JSON, compressed to ten kilobytes.
fn gzip_bomb() -> Vec<u8> {
    let body = include_bytes!("fixtures/bomb.gz");
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-encoding: gzip\r\nconnection: close\r\n";
    [format!("{head}content-length: {}\r\n\r\n", body.len()).into_bytes(), body.to_vec()].concat()
}

/// Returns the response of each vendor to a request that succeeds.
fn good(request: &str) -> String {
    let body = match request.split(' ').take(2).collect::<Vec<_>>().join(" ").as_str() {
        line if line.starts_with("DELETE ") => return json(204, ""),
        "POST /sdd/mandate/create" | "GET /sdd/mandate/abcabcabcabcabcabc12/status" => {
            include_str!("fixtures/easytransac-create_mandate.json")
        }
        "GET /search_mandate?umr=RUM-1" => r#"{"result":true,"datas":[{"umr":"RUM-1","status":"1"}]}"#,
        "POST /edit_mandate" | "POST /revoque_mandate" => r#"{"result":true}"#,
        "GET /mandates/mdt_1" => {
            r#"{"id":"mdt_1","client_id":"client_abc123","start_date":"2024-01-15T00:00:00Z","status":"active","directory_entry":{"siren":"123456789","name":"Acme"},"created_at":"2019-08-24T14:15:22Z"}"#
        }
        "POST /clients" => {
            let sample = include_str!("fixtures/seqino-client.json");
            return json(200, &sample.replace(r#""external_ref": "string""#, r#""external_ref": "EXT-1""#));
        }
        _ => include_str!("fixtures/seqino-client.json"),
    };
    json(200, body)
}

/// A call with its name, the start of its first line, and its result.
type Sent = (&'static str, &'static str, Result<(), Error>);

/// Sends a read, a write and a removal to each vendor that offers these operations. The calls to different vendors run
/// beside one another, because many of them wait for a timeout.
async fn calls(mandates: &Mandates) -> Vec<Sent> {
    let _ = mandates;
    #[cfg(feature = "easytransac")]
    let easytransac = async {
        let client = mandates.easytransac().unwrap();
        let read = mandates.status(&MandateRef::easytransac("abcabcabcabcabcabc12")).await.map(drop);
        let write = client.create_mandate().body_map(|b| {
            b.email("jeanne.dupond@example.com")
                .lastname("Dupond-Planted")
                .iban(IBAN)
                .address("1 rue Planted")
                .zip_code("75001")
                .city("Paris")
                .country("FRA")
        });
        let write = write.send().await.map(drop);
        vec![("Easytransac read", "GET /sdd/mandate/", read), ("Easytransac write", "POST /sdd/mandate/", write)]
    };
    #[cfg(feature = "safedebit")]
    let safedebit = async {
        let client = mandates.safedebit().unwrap();
        let read = mandates.status(&MandateRef::safedebit("RUM-1")).await.map(drop);
        let write = client.edit_mandate().body_map(|b| b.umr("RUM-1").iban(IBAN).consumer_last_name("Dupond-Planted"));
        let write = write.send().await.map(drop);
        let removal = client.revoque_mandate().body_map(|b| b.umr("RUM-1").revoque_reason("2"));
        let removal = removal.send().await.map(drop);
        vec![
            ("SafeDebit read", "GET /search_mandate", read),
            ("SafeDebit write", "POST /edit_mandate", write),
            ("SafeDebit removal", "POST /revoque_mandate", removal),
        ]
    };
    #[cfg(feature = "seqino")]
    let seqino = async {
        let client = mandates.seqino().unwrap();
        let read = mandates.status(&MandateRef::seqino("client_abc123", "mdt_1")).await.map(drop);
        let write = client
            .create_client()
            .body_map(|b| b.organization_name("Acme").contact_email("jeanne.dupond@example.com").external_ref("EXT-1"));
        let write = write.send().await.map(drop);
        let removal = client.revoke_mandate().mandate_id("mdt_1").x_pdp_client_id("client_abc123");
        let removal = removal.send().await.map(drop);
        vec![
            ("Seqino read", "GET /mandates/", read),
            ("Seqino write", "POST /clients", write),
            ("Seqino removal", "DELETE /mandates/", removal),
        ]
    };
    let vendors: Vec<BoxFuture<'_, Vec<Sent>>> = vec![
        #[cfg(feature = "easytransac")]
        easytransac.boxed(),
        #[cfg(feature = "safedebit")]
        safedebit.boxed(),
        #[cfg(feature = "seqino")]
        seqino.boxed(),
    ];
    join_all(vendors).await.into_iter().flatten().collect()
}

pub fn assert_shows_no_planted_data(error: &Error) {
    let shown = format!("{error} {error:?} {error:#?}");
    for secret in PLANTED {
        assert!(!shown.contains(secret), "{secret:?} is in {shown:?}");
    }
    assert!(!shown.contains("://") && !shown.contains("127.0.0.1"), "a URL is in {shown:?}");
    assert!(std::error::Error::source(error).is_none());
}

/// Removes the column number from an error text, because the number depends on the test data.
fn without_column(words: &str) -> String {
    match words.split_once(" column ") {
        Some((before, after)) => format!("{before} column _{}", after.trim_start_matches(|c: char| c.is_ascii_digit())),
        None => words.to_owned(),
    }
}

/// Returns one line of the snapshot for a fault. For each call, the line has the kind of the error, the outcome, `+` if
/// a retry may help, and the number of requests.
async fn line(server: &Server, url: &str, settings: &Settings, words: &Mutex<BTreeSet<String>>) -> String {
    let mut line = String::new();
    for (call, request, result) in calls(&facade(url, settings)).await {
        let cell = match &result {
            Ok(()) => "ok".to_owned(),
            Err(error) => {
                assert_shows_no_planted_data(error);
                assert_eq!(error.outcome().is_some(), !call.ends_with("read"), "{call}");
                words.lock().unwrap().insert(without_column(error.to_string().split_once(": ").unwrap().1));
                let outcome = error.outcome().map(|outcome| format!("/{outcome:?}")).unwrap_or_default();
                let again = if error.is_retryable() { " +" } else { "" };
                format!("{}{outcome}{again}", error.kind().name())
            }
        };
        write!(line, " | {cell} {}", server.count(request)).unwrap();
    }
    line
}

#[tokio::test]
async fn each_failure_has_a_kind_and_an_outcome_and_shows_no_data() {
    let (mut matrix, words) = (String::new(), Mutex::default());
    let gone = Server::start(|_| String::new()).await.url();
    let nobody = Server::start(|_| String::new()).await;
    writeln!(matrix, "connection refused{}", line(&nobody, &gone, &test_settings(), &words).await).unwrap();
    let faults = answers().into_iter().map(async |(name, act)| {
        // The server responds normally to token requests and to the read of Seqino's client. All other requests get the
        // fault.
        let server = Server::with_token(move |request| match request.starts_with("GET /clients/") {
            true => good(request).into(),
            false => act.clone(),
        });
        let server = server.await;
        let wait = if name.starts_with("slow") { Duration::from_millis(200) } else { test_settings().attempt_timeout };
        let settings = test_settings().with_attempt_timeout(wait);
        format!("{name}{}\n", line(&server, &server.url(), &settings, &words).await)
    });
    // Some faults make each call wait, so four faults are tested at a time.
    matrix.extend(stream::iter(faults).buffered(4).collect::<Vec<_>>().await);
    for (name, act) in answers() {
        if !["401 HTML", "429 Retry-After 0", "503", "reset before the response"].contains(&name) {
            continue;
        }
        // The server lets the first request of each kind fail, and later requests succeed.
        let seen = Mutex::new(BTreeSet::new());
        let server = Server::with_token(move |request| {
            let first = seen.lock().unwrap().insert(request.lines().next().unwrap().to_owned());
            match first && !request.starts_with("GET /clients/") {
                true => act.clone(),
                false => good(request).into(),
            }
        });
        let server = server.await;
        writeln!(matrix, "once: {name}{}", line(&server, &server.url(), &test_settings(), &words).await).unwrap();
    }
    let server = Server::with_token(|request| good(request).replace("application/json", "text/plain")).await;
    writeln!(matrix, "wrong content type{}", line(&server, &server.url(), &test_settings(), &words).await).unwrap();
    if cfg!(all(feature = "easytransac", feature = "safedebit", feature = "seqino")) {
        let head =
            "fault | Easytransac read | write | SafeDebit read | write | removal | Seqino read | write | removal";
        snapshot!("failures", format!("{head}\n{matrix}"));
        snapshot!("error-words", Vec::from_iter(words.into_inner().unwrap()).join("\n"));
    }
}

/// Compares the error text for each vendor code, each HTTP status and each refused configuration with the snapshot.
#[cfg(all(feature = "easytransac", feature = "safedebit", feature = "seqino"))]
#[tokio::test]
async fn error_for_each_vendor_code_has_an_explanation_and_advice() {
    use mandat::{easytransac, safedebit, seqino};
    let mut said = String::new();
    let status = |reference: MandateRef, answer: String| async move {
        let server = Server::with_token(move |_| answer.clone()).await;
        let error = facade(&server.url(), &test_settings()).status(&reference).await.unwrap_err();
        format!("{:?} {error}\n", error.kind())
    };
    for code in safedebit::types::ErrorCode::KNOWN.iter().map(ToString::to_string).chain(["ODD_042".into()]) {
        let answer = json(200, &format!(r#"{{"result":false,"code":"{code}"}}"#));
        said += &status(MandateRef::safedebit("RUM-1"), answer).await;
    }
    for code in [1, 3, 4, 5, 7, 9, 10, 11, 101, 42] {
        let answer = json(200, &format!(r#"{{"success":false,"code":{code}}}"#));
        said += &status(MandateRef::easytransac("abcabcabcabcabcabc12"), answer).await;
    }
    for code in [400, 401, 403, 404, 409, 422, 429, 500, 503] {
        for reference in [MandateRef::easytransac("abcabcabcabcabcabc12"), MandateRef::seqino("client_abc123", "mdt_1")]
        {
            let own = match reference.provider() {
                mandat::Provider::Seqino => {
                    format!(r#"{{"error":"Why not","code":{code},"trace_id":"trace-0042"}}"#)
                }
                _ => String::new(),
            };
            said += &status(reference, json(code, &own)).await;
        }
    }
    for error in [
        Mandates::builder().build().unwrap().status(&MandateRef::safedebit("RUM-1")).await.unwrap_err(),
        easytransac::Client::new(easytransac::Config::sandbox("et_live_abcabc12")).unwrap_err(),
        easytransac::Client::new(easytransac::Config::new("http://example.com", "s3cret-k3y")).unwrap_err(),
        safedebit::Client::new(safedebit::Config::new("https://example.com", "", "p4ssw0rd")).unwrap_err(),
        safedebit::Client::new(safedebit::Config::new("https://example.com", "a:b", "p4ssw0rd")).unwrap_err(),
        seqino::Client::new(seqino::Config::new("not an address", "s3cret-k3y")).unwrap_err(),
        seqino::Client::new(seqino::Config::development("s3cret\nk3y")).unwrap_err(),
    ] {
        assert_shows_no_planted_data(&error);
        writeln!(said, "{:?} {error}", error.kind()).unwrap();
    }
    snapshot!("error-codes", said);
}

#[test]
fn error_about_an_invalid_value_does_not_show_the_value() {
    #[cfg(feature = "easytransac")]
    {
        use mandat::easytransac::types::{CreateMandateRequest, Iban};
        for wrong in ["FR76 3000 1007 9412", "FR76"] {
            let error = Iban::try_from(wrong).unwrap_err().to_string();
            assert_eq!(error, "this is not an IBAN: check for a missing, extra or wrong character");
        }
        // The crate does not check names, streets and cities with the documented pattern, because the vendor decides
        // about them.
        let body = CreateMandateRequest::builder()
            .lastname("d'Été Jean-Pierre")
            .address("12 rue de la Paix")
            .city("Orléans")
            .calling_code(33)
            .birth_date(chrono::NaiveDate::from_ymd_opt(1990, 1, 31).unwrap())
            .phone(None::<&str>);
        assert!(!format!("{body:?}").contains("Orléans"));
        let refused = format!("{:?}", body.calling_code(1000));
        assert!(refused.contains("`calling_code` is not valid: the value is not between 1 and 999"), "{refused}");
    }
}

/// Checks the advice after a 403. The advice depends on the sender of the response and on the operation.
#[cfg(all(feature = "easytransac", feature = "safedebit", feature = "seqino"))]
#[tokio::test]
async fn advice_after_a_403_depends_on_sender_and_operation() {
    let page = || Act::from(http(403, "content-type: text/html\r\n", "<!DOCTYPE html><html>Forbidden</html>"));
    let text = || Act::from(http(403, "content-type: text/plain\r\n", "Forbidden"));
    let own = || Act::from(json(403, r#"{"success":false}"#));
    let empty = || Act::from(json(403, ""));
    let (firewall, direct_debit) = ("`User-Agent`", "has to enable direct debit");
    for (answer, reading, exchange, payment) in [
        (page(), Some(firewall), Some(firewall), Some(firewall)),
        (text(), Some(firewall), Some(firewall), Some(firewall)),
        (own(), Some(direct_debit), None, None),
        (empty(), Some(direct_debit), None, None),
    ] {
        let said = |error: Error| error.advice().map(str::to_owned);
        let is = |said: Option<String>, wanted: Option<&str>| match (&said, wanted) {
            (Some(said), Some(wanted)) => {
                assert!(said.contains(wanted), "{said}");
                assert_eq!(said.contains(firewall), wanted == firewall);
            }
            (said, wanted) => assert_eq!((said.as_deref(), wanted), (None, None)),
        };
        let reference = MandateRef::easytransac("abcabcabcabcabcabc12");
        let refuse = answer.clone();
        let server = Server::with_token(move |_| refuse.clone()).await;
        let mandates = facade(&server.url(), &test_settings());
        is(said(mandates.status(&reference).await.unwrap_err()), reading);
        let status = mandates.easytransac().unwrap().get_transaction_status().order_id("order-1").send().await;
        is(said(status.unwrap_err()), payment);
        if !matches!(&answer, Act::Send(bytes) if bytes.windows(7).any(|part| part == b"success")) {
            for reference in [MandateRef::safedebit("RUM-1"), MandateRef::seqino("client_abc123", "mdt_1")] {
                is(said(mandates.status(&reference).await.unwrap_err()), payment);
            }
        }
        let server = Server::start(move |_| answer.clone()).await;
        let error = facade(&server.url(), &test_settings()).status(&reference).await.unwrap_err();
        assert_eq!(error.operation(), Some("generate_token"));
        is(said(error), exchange);
    }
}

#[cfg(feature = "easytransac")]
#[tokio::test]
async fn error_about_a_missing_payment_warns_that_the_debit_may_exist() {
    for status in [404, 410] {
        let server = Server::with_token(move |_| json(status, r#"{"success":false}"#)).await;
        let mandates = facade(&server.url(), &test_settings());
        let easytransac = mandates.easytransac().unwrap();
        let error = easytransac.get_transaction_status().order_id("order-1").send().await.unwrap_err();
        assert_eq!(error.kind(), mandat::ErrorKind::NotFound);
        let advice = error.advice().unwrap();
        assert!(advice.contains("may still exist") && advice.contains("before you retry"), "{advice}");
        // The error about a missing mandate gives no such advice about debits.
        let error = mandates.status(&MandateRef::easytransac("abcabcabcabcabcabc12")).await.unwrap_err();
        assert_eq!(error.advice(), None);
    }
}

#[cfg(feature = "safedebit")]
#[tokio::test]
async fn error_codes_of_the_sandbox_are_not_explained_as_vendor_codes() {
    let sandbox = mandat::sandbox::Sandbox::start().await.unwrap();
    let mandates = sandbox.mandates();
    let safedebit = mandates.safedebit().unwrap();
    let error = safedebit.revoque_mandate().body_map(|b| b.umr("RUM-UNKNOWN")).send().await.unwrap_err();
    assert_eq!(error.vendor_code(), Some("SANDBOX_002"));
    let said = error.to_string();
    assert!(said.contains("mandat's sandbox") && !said.contains("ask SafeDebit"), "{said}");
    const BOOK: &str = include_str!("../../docs/testing.md");
    for code in ["SANDBOX_001", "SANDBOX_002", "SANDBOX_003", "SANDBOX_004", "SANDBOX_005"] {
        assert!(BOOK.contains(code), "docs/testing.md should explain {code}");
    }
}

#[cfg(feature = "seqino")]
#[tokio::test]
async fn responses_over_the_size_limit_are_refused() {
    let cap = test_settings().max_answer;
    for (size, declared) in [(cap, true), (cap, false), (cap + 1, true), (cap + 1, false)] {
        let body = format!("[{}]", " ".repeat(size - 2));
        let server = Server::start(move |_| match declared {
            true => json(200, &body),
            false => format!("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{body}"),
        });
        let server = server.await;
        let mandates = facade(&server.url(), &test_settings());
        let result = mandates.seqino().unwrap().list_clients().send().await;
        assert_eq!(result.is_ok(), size == cap, "{size} {declared}");
        if let Err(error) = result {
            assert_eq!(error.kind(), mandat::ErrorKind::TooLarge);
        }
    }
}

#[cfg(feature = "safedebit")]
#[test]
fn masked_iban_shows_its_country_and_last_four_characters() {
    use mandat::safedebit::types::Iban;
    for (iban, shown) in [
        (IBAN, "Iban(FR…0185)"),
        ("DE89370400440532013000", "Iban(DE…3000)"),
        ("NO9386011117947", "Iban(NO…7947)"),
        ("FR76300010079", "Iban(***)"),
        ("", "Iban(***)"),
        ("ééééééééééé", "Iban(***)"),
    ] {
        // `Iban` accepts any text when it is read from JSON.
        let read: Iban = serde_json::from_value(iban.into()).unwrap();
        assert_eq!(format!("{read:?}"), shown);
    }
}

#[cfg(feature = "safedebit")]
#[tokio::test]
async fn one_error_names_every_missing_or_invalid_field() {
    let mandates = facade("http://127.0.0.1:1", &test_settings());
    let client = mandates.safedebit().unwrap();
    let error = client.create_mandate().body_map(|body| body.umr("U".repeat(36))).send().await.unwrap_err();
    let said = error.to_string();
    for part in [
        "`safedebit_consumer_reference` is missing",
        "`url_ok` is missing",
        "`url_ko` is missing",
        "`url_cancel` is missing",
        "`umr` is not valid: the value has 36 characters, at most 35 are allowed",
    ] {
        assert!(said.contains(part), "{part} should be in {said}");
    }
    assert_eq!(error.outcome(), Some(mandat::Outcome::NotSent));
}

#[cfg(feature = "seqino")]
#[tokio::test]
async fn one_error_reports_missing_parameters_and_body_fields_together() {
    let mandates = facade("http://127.0.0.1:1", &test_settings());
    let client = mandates.seqino().unwrap();
    let revoked = client.revoke_mandate().send().await.unwrap_err();
    assert!(revoked.to_string().contains("`mandate_id` is missing; `x_pdp_client_id` is missing"), "{revoked}");
    let created = client.create_mandate().send().await.unwrap_err();
    let missing = "`x_pdp_client_id` is missing; `directory_entry` is missing; `start_date` is missing";
    assert!(created.to_string().contains(missing), "{created}");
    // The error about an unfinished builder as the body names the same missing fields.
    let body = mandat::seqino::types::CreateMandateRequest::builder();
    let created = client.create_mandate().body(body).send().await.unwrap_err();
    assert!(created.to_string().contains(missing), "{created}");
    for error in [revoked, created] {
        assert_eq!(error.outcome(), Some(mandat::Outcome::NotSent));
    }
    let uploaded = client.submit_invoice_file().send().await.unwrap_err();
    assert!(uploaded.to_string().contains("`x_pdp_client_id` is missing; `file` is missing"), "{uploaded}");
}
