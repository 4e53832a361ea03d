//! Each request names the crate as its sender and asks for an uncompressed response. The client reads a response
//! whatever its unneeded headers contain.
#![cfg(all(feature = "easytransac", feature = "safedebit", feature = "seqino"))]

use crate::support::{Server, facade, http, json, test_settings};
use mandat::{ErrorKind, MandateRef, Mandates, Outcome, seqino};

const UMR: &str = r#"{"result":true,"datas":[{"umr":"RUM-1","status":"1"}]}"#;

fn response(status: u16, headers: &[&str], body: &[u8]) -> crate::support::Act {
    let headers: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
    let head = format!("HTTP/1.1 {status} X\r\n{headers}connection: close\r\ncontent-length: {}\r\n\r\n", body.len());
    crate::support::Act::Send([head.as_bytes(), body].concat())
}

#[tokio::test]
async fn requests_name_the_crate_and_ask_for_no_compression() {
    let server = Server::with_token(|_| json(500, "")).await;
    let mandates = facade(&server.url(), &test_settings());
    for reference in [
        MandateRef::easytransac("abcabcabcabcabcabc12"),
        MandateRef::safedebit("RUM-1"),
        MandateRef::seqino("client_abc123", "mdt_1"),
    ] {
        mandates.status(&reference).await.unwrap_err();
    }
    let seqino = mandates.seqino().unwrap();
    seqino.delete_client().client_id("client_1").send().await.unwrap_err();
    let create = seqino.create_client();
    let create = create.body_map(|b| b.organization_name("Acme").contact_email("abc@abc.com").external_ref("EXT-1"));
    create.send().await.unwrap_err();
    let requests = server.requests();
    assert_eq!(requests.len(), 1 + 1 + 1 + 2 + 1 + 1);
    let name = format!("\r\nuser-agent: mandat/{}\r\n", env!("CARGO_PKG_VERSION"));
    for request in requests {
        assert!(request.contains(&name), "{request}");
        assert!(request.contains("\r\naccept-encoding: identity\r\n"), "{request}");
    }
}

#[tokio::test]
async fn custom_http_client_may_set_its_own_user_agent() {
    let mut headers = reqwest::header::HeaderMap::new();
    headers.insert("x-own", reqwest::header::HeaderValue::from_static("1"));
    headers.insert("user-agent", reqwest::header::HeaderValue::from_static("theirs"));
    let builder = reqwest::Client::builder;
    for (builder, name) in [
        (builder(), concat!("mandat/", env!("CARGO_PKG_VERSION"))),
        (builder().user_agent("mine"), "mine"),
        (builder().default_headers(headers), "theirs"),
    ] {
        let server = Server::start(|_| json(200, "[]")).await;
        let config = seqino::Config::new(server.url(), "s3cret-k3y").settings(test_settings()).http_client(builder);
        let mandates = Mandates::builder().seqino(config).build().unwrap();
        mandates.seqino().unwrap().list_clients().send().await.unwrap();
        let request = &server.requests()[0];
        assert_eq!(request.matches("user-agent: ").count(), 1, "{request}");
        assert!(request.contains(&format!("\r\nuser-agent: {name}\r\n")), "{request}");
    }
}

#[tokio::test]
async fn uncompressed_response_is_read_under_any_encoding_header() {
    for encoding in [
        "identity",
        "Identity",
        "UTF-8",
        "utf8",
        "",
        " ",
        "none",
        "null",
        "text",
        "application/json",
        "chunked",
        "7bit",
        "identity, identity",
        "gzip",
        "GZIP",
        "br",
        "identity, gzip",
        "deflate",
        "zstd",
    ] {
        for body in [UMR.to_owned(), format!("\r\n  {UMR}")] {
            let header = format!("content-encoding: {encoding}");
            let server = Server::start(move |_| response(200, &[&header], body.as_bytes())).await;
            let reading = facade(&server.url(), &test_settings()).status(&MandateRef::safedebit("RUM-1")).await;
            assert!(reading.is_ok(), "{encoding:?}: {}", reading.unwrap_err());
        }
    }
}

#[tokio::test]
async fn compressed_response_is_an_error_and_is_not_decompressed() {
    let bomb = include_bytes!("fixtures/bomb.gz");
    for headers in [
        vec!["content-encoding: gzip"],
        vec!["content-encoding: x-gzip"],
        vec!["content-encoding: UTF-8, GZIP"],
        vec!["content-encoding: identity", "content-encoding: gzip"],
    ] {
        let shown = format!("{headers:?}");
        let server = Server::start(move |_| response(200, &headers, bomb)).await;
        let mandates = facade(&server.url(), &test_settings());
        let error = mandates.status(&MandateRef::safedebit("RUM-1")).await.unwrap_err();
        assert!(error.kind() == ErrorKind::Decode && error.to_string().contains("compressed"), "{shown}: {error}");
        let edit = mandates.safedebit().unwrap().edit_mandate().body_map(|b| b.umr("RUM-1")).send();
        assert_eq!(edit.await.unwrap_err().outcome(), Some(Outcome::Unknown), "{shown}");
    }
}

#[tokio::test]
async fn response_with_a_status_from_206_to_299_is_not_a_success() {
    for status in [206, 207, 208, 226, 299] {
        let server = Server::start(move |request| match request.starts_with("GET /clients") {
            true => http(status, "content-range: bytes 0-1/400\r\n", "[]"),
            false => json(status, r#"{"result":true,"datas":[{"umr":"RUM-1","status":"1"}]}"#),
        });
        let server = server.await;
        let mandates = facade(&server.url(), &test_settings());
        for error in [
            mandates.seqino().unwrap().list_clients().send().await.map(drop).unwrap_err(),
            mandates.status(&MandateRef::safedebit("RUM-1")).await.map(drop).unwrap_err(),
            mandates
                .safedebit()
                .unwrap()
                .edit_mandate()
                .body_map(|b| b.umr("RUM-1"))
                .send()
                .await
                .map(drop)
                .unwrap_err(),
        ] {
            assert_eq!((error.kind(), error.http_status()), (ErrorKind::Decode, Some(status)), "{error}");
            assert!(error.outcome().is_none_or(|outcome| outcome == Outcome::Unknown));
        }
        assert_eq!(server.requests().len(), 3);
    }
}
