//! A request to a path that the spec lacks has the credentials, limits, retries and errors of its client.
#![cfg(all(feature = "easytransac", feature = "safedebit", feature = "seqino"))]

use crate::support::{Act, Server, facade, http, json, test_settings};
use mandat::{Effect, ErrorKind, Method, Outcome, Provider, sandbox::Sandbox};
use serde_json::{Value, json as value};

#[tokio::test]
async fn raw_request_reads_a_record_at_each_vendor() {
    let sandbox = Sandbox::start().await.unwrap();
    let mandates = sandbox.mandates();
    let easytransac = mandates.easytransac().unwrap().raw(Method::GET, "/sdd/mandate/{id}/status");
    let safedebit = mandates.safedebit().unwrap().raw(Method::GET, "/search_mandate").query("umr", "XXXXXXXXXXXXX");
    let seqino = mandates.seqino().unwrap().raw(Method::GET, "/clients/{client}").id("client", Sandbox::CLIENT);
    for (request, place, expected) in [
        (easytransac.id("id", "abcabcabcabcabcabc12"), "/data/mandateId", "abcabcabcabcabcabc12"),
        (safedebit, "/datas/0/umr", "XXXXXXXXXXXXX"),
        (seqino, "/client_id", Sandbox::CLIENT),
    ] {
        let response = request.effect(Effect::Read).send().await.unwrap();
        assert_eq!(response.http_status(), 200);
        assert!(response.date().is_some(), "the sandbox should send the header `Date`");
        let body: Value = response.json().unwrap();
        assert_eq!(body.pointer(place).unwrap(), expected, "{body}");
    }
}

#[tokio::test]
async fn raw_write_sends_a_header_and_a_body() {
    let sandbox = Sandbox::start().await.unwrap();
    let mandates = sandbox.mandates();
    let body = value!({"start_date": sandbox.now(), "directory_entry": {"siren": "123456789", "name": "Acme"}});
    let request = mandates.seqino().unwrap().raw(Method::POST, "/mandates").header("x-pdp-client-id", Sandbox::CLIENT);
    let response = request.json(&body).send().await.unwrap();
    assert_eq!(response.http_status(), 201);
    assert_eq!(response.json::<Value>().unwrap()["client_id"], Sandbox::CLIENT);
}

#[tokio::test]
async fn refusal_of_a_raw_request_is_an_error_of_the_vendor() {
    let sandbox = Sandbox::start().await.unwrap();
    let mandates = sandbox.mandates();
    let unknown = mandates.seqino().unwrap().raw(Method::GET, "/clients/{id}").id("id", "nobody");
    let error = unknown.effect(Effect::Read).send().await.unwrap_err();
    assert_eq!((error.kind(), error.operation(), error.outcome()), (ErrorKind::NotFound, Some("raw"), None));
    let server = Server::start(|_| json(403, r#"{"result":false,"code":"NOK_001"}"#)).await;
    let mandates = facade(&server.url(), &test_settings());
    let refused = mandates.safedebit().unwrap().raw(Method::POST, "/new_operation").json(&value!({}));
    let error = refused.send().await.unwrap_err();
    assert_eq!((error.provider(), error.outcome()), (Some(Provider::SafeDebit), Some(Outcome::Refused)));
}

#[tokio::test]
async fn raw_request_is_retried_only_if_the_caller_states_that_it_is_no_write() {
    for (effect, attempts, outcome) in [
        (None, 1, Some(Outcome::Unknown)),
        (Some(Effect::Write), 1, Some(Outcome::Unknown)),
        (Some(Effect::Read), 3, None),
        (Some(Effect::Removal), 3, Some(Outcome::Unknown)),
    ] {
        for method in [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
            let server = Server::start(|_| Act::Reset(vec![])).await;
            let mandates = facade(&server.url(), &test_settings());
            let request = mandates.seqino().unwrap().raw(method.clone(), "/new");
            let request =
                effect.map_or(request, |effect| mandates.seqino().unwrap().raw(method, "/new").effect(effect));
            let error = request.send().await.unwrap_err();
            assert_eq!((error.kind(), error.outcome()), (ErrorKind::Transport, outcome), "{effect:?}");
            assert_eq!(server.requests().len(), attempts, "{effect:?}");
        }
    }
}

#[tokio::test]
async fn raw_write_without_the_success_flag_of_the_vendor_is_unknown() {
    let server = Server::with_token(|_| json(200, r#"{"rows":[]}"#)).await;
    let mandates = facade(&server.url(), &test_settings());
    let request = || mandates.easytransac().unwrap().raw(Method::POST, "/new");
    let error = request().send().await.unwrap_err();
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Decode, Some(Outcome::Unknown)));
    let response = request().effect(Effect::Read).send().await.unwrap();
    assert_eq!(response.as_bytes(), br#"{"rows":[]}"#);
}

#[tokio::test]
async fn raw_path_cannot_leave_the_base_url() {
    let server = Server::start(|_| json(200, "[]")).await;
    let mandates = facade(&format!("{}/api", server.url()), &test_settings());
    for path in [
        "",
        "/",
        "clients",
        "//evil.example/a",
        "/a//b",
        "/../a",
        "/a/..",
        "/a/./b",
        "/...",
        "https://evil.example/a",
        "/https://evil.example",
        "@evil.example",
        "/a?b=c",
        "/a#b",
        "/a%2f..",
        "/%2e%2e/a",
        "/a\\b",
        "\\\\evil",
        "/a b",
        "/a\r\nHost: evil.example",
        "/a\0",
        "/é",
        "/a;b",
        "/{}",
        "/{a",
        "/a}",
        "/{a}{b}",
        "/{a/b}",
        "/:80",
    ] {
        let error = mandates.seqino().unwrap().raw(Method::POST, path).send().await.expect_err(path);
        assert_eq!((error.kind(), error.outcome()), (ErrorKind::InvalidRequest, Some(Outcome::NotSent)), "{path:?}");
    }
    for id in ["", "..", "a/b", "a\\b", "%2e", "a\r\n"] {
        let request = mandates.seqino().unwrap().raw(Method::GET, "/clients/{id}").id("id", id);
        assert_eq!(request.send().await.expect_err(id).kind(), ErrorKind::InvalidRequest, "{id:?}");
    }
    let without = mandates.seqino().unwrap().raw(Method::GET, "/clients/{id}").send().await.unwrap_err();
    assert!(without.to_string().contains("has no value"), "{without}");
    let other = mandates.seqino().unwrap().raw(Method::GET, "/clients").id("id", "a").send().await.unwrap_err();
    assert!(other.to_string().contains("no parameter"), "{other}");
    assert!(server.requests().is_empty());
    let request = mandates.seqino().unwrap().raw(Method::GET, "/clients/{id}/a.b/").id("id", "a b?é").query("q", "a&b");
    request.send().await.unwrap();
    assert!(server.requests()[0].starts_with("GET /api/clients/a%20b%3F%C3%A9/a.b/?q=a%26b HTTP/1.1\r\n"));
}

#[tokio::test]
async fn raw_request_cannot_replace_the_headers_of_the_crate() {
    let server = Server::start(|_| json(200, "[]")).await;
    let mandates = facade(&server.url(), &test_settings());
    for name in ["Authorization", "host", "Content-Length", "transfer-encoding", "Connection", "accept-encoding", "a b"]
    {
        let request = mandates.seqino().unwrap().raw(Method::POST, "/new").header(name, "0");
        assert_eq!(request.send().await.expect_err(name).kind(), ErrorKind::InvalidRequest, "{name}");
    }
    let split = mandates.seqino().unwrap().raw(Method::POST, "/new").header("x-a", "1\r\nx-b: 2").send().await;
    assert_eq!(split.unwrap_err().kind(), ErrorKind::InvalidRequest);
    let method = mandates.seqino().unwrap().raw(Method::CONNECT, "/new").send().await;
    assert_eq!(method.unwrap_err().kind(), ErrorKind::InvalidRequest);
    assert!(server.requests().is_empty());
    mandates.seqino().unwrap().raw(Method::PUT, "/new").body("text/csv", "a;b").send().await.unwrap();
    let request = server.requests().remove(0);
    assert!(request.contains("authorization: s3cret-k3y\r\n") && request.contains("content-type: text/csv\r\n"));
    assert!(request.ends_with("\r\n\r\na;b"), "{request}");
}

#[tokio::test]
async fn debug_of_a_raw_request_and_its_response_shows_no_value() {
    let headers = "set-cookie: s3cret\r\nx-trace-id: req_8f3a2b\r\n";
    let server = Server::start(move |_| http(200, headers, r#"{"name":"Ada s3cret"}"#)).await;
    let mandates = facade(&server.url(), &test_settings());
    let request = mandates.seqino().unwrap().raw(Method::POST, "/s3cret/{id}").id("id", "s3cret-id");
    let request = request.query("q", "s3cret").header("x-a", "s3cret").json(&"s3cret");
    assert_eq!(format!("{request:?}"), "RawRequest(POST, Write)");
    let response = request.send().await.unwrap();
    assert_eq!(response.trace_id(), Some("req_8f3a2b"));
    assert_eq!(format!("{response:?}"), "Response { http_status: 200, body: RawBody(21 bytes) }");
    let error = mandates.seqino().unwrap().raw(Method::GET, "/s3cret s3cret").send().await.unwrap_err();
    assert!(!format!("{error:?}").contains("s3cret"));
}
