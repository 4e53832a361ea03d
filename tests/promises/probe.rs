//! A probe shows the keys and types of a vendor's response, without values, and each difference from the spec.

use crate::{
    support::{IBAN, Server, json},
    unknown_words::create_mandate_at_each_vendor,
};
use mandat::{MandateRef, sandbox::Sandbox};

#[tokio::test]
async fn probe_finds_no_difference_in_a_response_that_matches_the_spec() {
    let sandbox = Sandbox::start().await.unwrap();
    let mandates = sandbox.mandates();
    for reference in create_mandate_at_each_vendor(&sandbox, &mandates).await {
        let probe = mandates.probe(&reference).await.unwrap();
        assert!(probe.matches(), "{probe}");
    }
}

#[cfg(feature = "easytransac")]
#[tokio::test]
async fn probe_reports_each_difference_by_place_without_values() {
    use mandat::{Mandates, easytransac};
    let body = format!(
        r#"{{"success":true,"data":{{"mandateId":"abcabcabcabcabcabc12","state":"active","status":7,"iban":"{IBAN}","{IBAN}":1}}}}"#
    );
    let server = Server::with_token(move |_| json(200, &body)).await;
    let config = easytransac::Config::new(server.url(), crate::support::KEY);
    let mandates = Mandates::builder().easytransac(config).build().unwrap();
    let probe = mandates.probe(&MandateRef::easytransac("abcabcabcabcabcabc12")).await.unwrap();
    assert!(!probe.matches());
    assert_eq!(
        probe.to_string().lines().next().unwrap(),
        "Easytransac get_mandate_status: differs at data.status: the spec has string, the response has number; \
         differs at data.(a key of 27 bytes): the spec has nothing, the response has number; \
         differs at data.iban: the spec has nothing, the response has string; \
         differs at data.state: the spec has nothing, the response has string"
    );
    let report = serde_json::to_string(&probe).unwrap();
    assert!(!report.contains(IBAN) && !report.contains("active\""), "{report}");
}

#[cfg(feature = "safedebit")]
#[tokio::test]
async fn probe_reports_missing_keys_with_the_type_in_the_spec() {
    use mandat::{Mandates, safedebit};
    for (body, told) in [
        (r#"{"result":true,"datas":[{"umr":"RUM-1","status":"1"}]}"#, "SafeDebit search_mandate: matches"),
        (r#"{"result":true,"datas":[]}"#, "SafeDebit search_mandate: matches"),
        (
            r#"{"result":true,"data":[{"umr":"RUM-1"}]}"#,
            "SafeDebit search_mandate: differs at datas: the spec has required array, the response has nothing; \
             differs at data: the spec has nothing, the response has array",
        ),
        (
            r#"{"result":true,"datas":[{"rum":"RUM-1","status":"1"}]}"#,
            "SafeDebit search_mandate: differs at datas[].umr: the spec has required string, the response has nothing; \
             differs at datas[].rum: the spec has nothing, the response has string",
        ),
        (
            r#"{"result":true,"datas":[{"umr":"RUM-1","status":"1"},{"umr":"RUM-2"}]}"#,
            "SafeDebit search_mandate: differs at datas[].status: \
             the spec has required string, the response has string or nothing",
        ),
        (
            r#"{"result":true,"datas":[{"umr":"RUM-1","status":null}]}"#,
            "SafeDebit search_mandate: differs at datas[].status: the spec has string, the response has null",
        ),
        (
            "<html>",
            "SafeDebit search_mandate: differs at the whole response: \
             the spec has object, the response has no JSON: the text is not JSON, at line 1 column 1",
        ),
    ] {
        let server = Server::start(move |_| json(200, body)).await;
        let config = safedebit::Config::new(server.url(), "login", "password");
        let mandates = Mandates::builder().safedebit(config).build().unwrap();
        let probe = mandates.probe(&MandateRef::safedebit("RUM-1")).await.unwrap();
        assert_eq!(probe.to_string().lines().next().unwrap(), told);
    }
}

#[cfg(feature = "safedebit")]
#[tokio::test]
async fn probe_reads_damaged_responses_and_locates_the_damage() {
    use crate::support::Act;
    use mandat::{Mandates, safedebit};
    for (body, told) in [
        (
            &b"\xef\xbb\xbf{\"result\":true,\"datas\":[{\"umr\":\"RUM-1\",\"status\":\"1\"}]}"[..],
            "SafeDebit search_mandate: is damaged: a byte order mark, at line 1 column 1",
        ),
        (
            b"{\"result\":true,\n\"datas\":[{\"umr\":\"RUM-1\",\"status\":\"1\",\"name\":\"Ren\xe9\"}]}",
            "SafeDebit search_mandate: \
             is damaged: a text that is not valid UTF-8 or has an escape that JSON does not allow, at line 2 column 45; \
             differs at datas[].name: the spec has nothing, the response has string",
        ),
        (
            br#"{"result":true,"datas":[{"umr":"RUM-1","status":"\ud800"}]}"#,
            "SafeDebit search_mandate: is damaged: half a surrogate pair, at line 1 column 50",
        ),
        (
            br#"{"result":true,"datas":[{"umr":"RUM-1","status":"1","x":1e400}]}"#,
            "SafeDebit search_mandate: is damaged: a number out of range, at line 1 column 57; \
             differs at datas[].x: the spec has nothing, the response has number",
        ),
        (
            br#"{"result":true,"datas":[{"umr":"RUM-1""#,
            "SafeDebit search_mandate: differs at the whole response: \
             the spec has object, the response has no JSON: the text ends too early, at line 1 column 38",
        ),
        (
            b"",
            "SafeDebit search_mandate: differs at the whole response: \
             the spec has object, the response has no JSON: the body is empty",
        ),
    ] {
        let server = Server::start(move |_| {
            let head = format!("HTTP/1.1 200 X\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len());
            Act::Send([head.as_bytes(), body].concat())
        })
        .await;
        let config = safedebit::Config::new(server.url(), "login", "password");
        let mandates = Mandates::builder().safedebit(config).build().unwrap();
        let probe = mandates.probe(&MandateRef::safedebit("RUM-1")).await.unwrap();
        assert!(!probe.matches());
        assert_eq!(probe.to_string().lines().next().unwrap(), told);
    }
}
