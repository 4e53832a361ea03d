//! A successful response also has its HTTP status, the trace id of the vendor and the time of the vendor.
#![cfg(all(feature = "easytransac", feature = "safedebit", feature = "seqino"))]

use crate::support::{IBAN, Server, facade, http, json, test_settings};
use mandat::{ErrorKind, sandbox::Sandbox};

const DATE: &str = "date: Fri, 20 Nov 2026 12:00:00 GMT\r\n";

#[tokio::test]
async fn successful_response_has_its_status_trace_id_and_date() {
    let server = Server::start(|_| http(200, &format!("{DATE}X-Request-Id: req_8f3a2b\r\n"), "[]")).await;
    let mandates = facade(&server.url(), &test_settings());
    let response = mandates.seqino().unwrap().list_clients().send_with_meta().await.unwrap();
    assert_eq!((response.http_status(), response.trace_id()), (200, Some("req_8f3a2b")));
    assert_eq!(response.date(), Some("2026-11-20T12:00:00Z".parse().unwrap()));
    assert_eq!(response.headers()["content-length"], "2");
    assert!(response.is_empty(), "a response should dereference to its body");
    assert!(response.into_inner().is_empty());
}

#[tokio::test]
async fn response_to_a_write_has_its_status_and_date() {
    let sandbox = Sandbox::start().await.unwrap();
    let mandates = sandbox.mandates();
    let create = mandates.safedebit().unwrap().create_mandate().body_map(|b| {
        b.safedebit_consumer_reference(Sandbox::CONSUMER)
            .url_ok("https://example.com/ok")
            .url_ko("https://example.com/ko")
            .url_cancel("https://example.com/cancel")
    });
    let created = create.send_with_meta().await.unwrap();
    assert_eq!((created.http_status(), created.trace_id()), (200, None));
    assert!(created.date().is_some() && !created.umr.as_str().is_empty());
    assert!(!format!("{created:?}").contains("sandbox"), "no header should be shown: {created:?}");
}

#[tokio::test]
async fn response_with_states_has_its_status() {
    let body = r#"{"result":true,"payment_reference":"P-1","sdd_reference":"SDD-1","status":"PENDING",
        "due_date":"02/01/2030","validation_type":"1"}"#;
    let server = Server::start(move |_| http(201, DATE, body)).await;
    let mandates = facade(&server.url(), &test_settings());
    let payment = mandates.safedebit().unwrap().payment().body_map(|b| {
        b.amount(mandat::wire::AmountCents::from_euros(12, 50).unwrap())
            .due_date("02/01/2030")
            .sdd_reference("SDD-1")
            .umr("RUM-1")
            .safedebit_consumer_reference("XXXXXXXXXXXXX")
    });
    let payment = payment.send_with_meta().await.unwrap();
    let reference = payment.answer().payment_reference.as_ref().unwrap();
    assert_eq!((payment.http_status(), reference.as_str()), (201, "P-1"));
}

#[tokio::test]
async fn trace_id_of_an_unusual_form_is_not_shown() {
    for id in [IBAN, "Ada Lovelace", "0612345678", ""] {
        let head = format!("x-trace-id: {id}\r\nx-correlation-id: {id}\r\ndate: yesterday\r\n");
        let server = Server::start(move |_| http(200, &head, "[]")).await;
        let mandates = facade(&server.url(), &test_settings());
        let response = mandates.seqino().unwrap().list_clients().send_with_meta().await.unwrap();
        assert_eq!((response.trace_id(), response.date()), (None, None), "{id}");
        assert!(id.is_empty() || !format!("{response:?}").contains(id));
    }
}

#[tokio::test]
async fn error_has_the_trace_id_of_a_header_unless_the_body_has_one() {
    let own = r#"{"error":"no","code":404,"trace_id":"trace-0042"}"#;
    for (status, body, kind, id) in [
        (404, own, ErrorKind::NotFound, "trace-0042"),
        (503, "", ErrorKind::Unavailable, "req_8f3a2b"),
        (404, r#"{"error":"no","code":404,"trace_id":"Ada"}"#, ErrorKind::NotFound, "req_8f3a2b"),
        (200, "{", ErrorKind::Decode, "req_8f3a2b"),
        (206, "[]", ErrorKind::Decode, "req_8f3a2b"),
    ] {
        let response = http(status, "x-request-id: req_8f3a2b\r\n", body);
        let server = Server::start(move |_| response.clone()).await;
        let mandates = facade(&server.url(), &test_settings().with_attempts(1));
        let error = mandates.seqino().unwrap().list_clients().send().await.unwrap_err();
        assert_eq!((error.kind(), error.trace_id()), (kind, Some(id)), "{status} {body}");
    }
    let server = Server::start(|_| json(503, "")).await;
    let mandates = facade(&server.url(), &test_settings().with_attempts(1));
    assert_eq!(mandates.seqino().unwrap().list_clients().send().await.unwrap_err().trace_id(), None);
}

#[tokio::test]
async fn removal_that_an_earlier_attempt_completed_has_the_status_204() {
    let first = std::sync::atomic::AtomicBool::new(true);
    let server = Server::start(move |_| match first.swap(false, std::sync::atomic::Ordering::SeqCst) {
        true => http(503, "", ""),
        false => json(404, r#"{"error":"no","code":404,"trace_id":"trace-0042"}"#),
    });
    let server = server.await;
    let mandates = facade(&server.url(), &test_settings());
    let revoke = mandates.seqino().unwrap().revoke_mandate().x_pdp_client_id("client_1").mandate_id("mdt_1");
    let revoked = revoke.send_with_meta().await.unwrap();
    assert_eq!((revoked.http_status(), revoked.headers().len()), (204, 0));
}
