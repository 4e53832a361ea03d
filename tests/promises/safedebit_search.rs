//! The format of SafeDebit's search response is inferred. The client reads a response that is not clearly the requested
//! mandate as an error. The error names the missing or different part.

use crate::support::{Server, http, json};
use mandat::{ErrorKind, MandateRef, MandateStatus, Mandates, safedebit};

async fn read(body: &'static str) -> Result<mandat::Mandate, mandat::Error> {
    let server = Server::start(move |_| json(200, body)).await;
    let config = safedebit::Config::new(server.url(), "login", "password");
    Mandates::builder().safedebit(config).build().unwrap().status(&MandateRef::safedebit("RUM-1")).await
}

#[tokio::test]
async fn response_without_the_requested_mandate_is_a_decode_error() {
    for (body, looked_for) in [
        (r#"{"result":true,"data":[]}"#, "`datas` is missing"),
        (r#"{"result":true}"#, "`datas` is missing"),
        (r#"{"result":true,"datas":{"umr":"RUM-1","status":"1"}}"#, "expected a list, at datas"),
        (r#"{"result":true,"datas":null}"#, "`datas` is not a list"),
        (r#"{"result":true,"datas":[{"umr":"RUM-2","status":"1"}]}"#, "datas[0].umr is not the requested UMR"),
        (
            r#"{"result":true,"datas":[{"umr":"RUM-1","status":"1"},{"umr":"RUM-1","status":"3"}]}"#,
            "more than one mandate with this UMR",
        ),
        (r#"{"result":true,"datas":[{"umr":"RUM-1"}]}"#, "datas[0]: `status` is missing"),
        (r#"{"result":true,"datas":[{"status":"1"}]}"#, "datas[0]: `umr` is missing"),
        (r#"{"result":true,"datas":[{"umr":"RUM-1","status":"1"},7]}"#, "datas[1]: expected"),
        (r#"{"datas":[]}"#, "`result` is neither true nor false"),
        (r#"{"result":0,"datas":[{"umr":"RUM-1","status":"1"}]}"#, "`result` is neither true nor false"),
        (r#"{"result":null,"datas":[{"umr":"RUM-1","status":"1"}]}"#, "`result` is neither true nor false"),
        (r#"{"result":"true","datas":[{"umr":"RUM-1","status":"1"}]}"#, "`result` is neither true nor false"),
        (r#"[]"#, "expected"),
    ] {
        let error = read(body).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Decode, "{body}");
        assert!(error.to_string().contains(looked_for), "{body}: {error}");
        assert_eq!((error.outcome(), error.operation()), (None, Some("search_mandate")));
    }
}

#[tokio::test]
async fn empty_search_result_is_reported_as_not_found() {
    assert_eq!(read(r#"{"result":true,"datas":[]}"#).await.unwrap_err().kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn empty_page_is_reported_as_not_found_only_without_further_pages() {
    for (headers, more) in [
        ("", false),
        ("x-total-count: 0\r\n", false),
        ("link: <https://x/?page=2>; rel=next\r\n", true),
        ("x-total-count: 3\r\n", true),
    ] {
        let server = Server::start(move |_| http(200, headers, r#"{"result":true,"datas":[]}"#)).await;
        let config = safedebit::Config::new(server.url(), "login", "password");
        let mandates = Mandates::builder().safedebit(config).build().unwrap();
        let safedebit = mandates.safedebit().unwrap();
        let error = mandates.status(&MandateRef::safedebit("RUM-1")).await.unwrap_err();
        assert_eq!(error.kind(), if more { ErrorKind::Decode } else { ErrorKind::NotFound }, "{headers}");
        for found in [
            safedebit.find_debit("RUM-1", "SDD-1").await.map(drop),
            safedebit.find_consumer("C-1").await.map(drop),
            safedebit.find_payment("P-1").await.map(drop),
        ] {
            let told = found.map_err(|error| error.to_string());
            let uncertain = "which announces further records";
            assert!(
                told.as_ref().map_or_else(|why| more && why.contains(uncertain), |()| !more),
                "{headers}: {told:?}"
            );
        }
    }
}

#[tokio::test]
async fn mandate_is_read_although_its_reference_has_blanks_around_it() {
    let server = Server::start(|_| json(200, r#"{"result":true,"datas":[{"umr":"RUM-1","status":"1"}]}"#)).await;
    let config = safedebit::Config::new(server.url(), "login", "password");
    let mandates = Mandates::builder().safedebit(config).build().unwrap();
    assert_eq!(mandates.status(&MandateRef::safedebit(" RUM-1 ")).await.unwrap().status, MandateStatus::Active);
}

#[tokio::test]
async fn numeric_status_is_read_as_the_status_word_with_that_number() {
    let mandate = read(r#"{"result":true,"datas":[{"umr":"RUM-1","status":1,"iban":"x"}]}"#).await.unwrap();
    assert_eq!((mandate.status, mandate.raw.as_str()), (MandateStatus::Active, "1"));
    assert!(mandate.extra.contains_key("iban"));
}
