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

/// The changed response of each vendor, and its report as a patch. The files of users are added here.
#[cfg(all(feature = "easytransac", feature = "safedebit", feature = "seqino"))]
#[tokio::test]
async fn report_of_a_changed_response_is_a_patch_without_values() {
    use mandat::sandbox::ScriptedResponse;
    let sandbox = Sandbox::start().await.unwrap();
    let mandates = sandbox.mandates();
    let day = "2026-11-27".parse().unwrap();
    for (reference, operation, body, patch) in [
        (
            MandateRef::easytransac("realrealrealrealre12"),
            "get_mandate_status",
            include_str!("fixtures/changed-easytransac.json"),
            include_str!("fixtures/changed-easytransac.patch.yaml"),
        ),
        (
            MandateRef::safedebit("RUM-1"),
            "search_mandate",
            include_str!("fixtures/changed-safedebit.json"),
            include_str!("fixtures/changed-safedebit.patch.yaml"),
        ),
        (
            MandateRef::seqino("client_abc123", "mdt_abc123"),
            "get_mandate",
            include_str!("fixtures/changed-seqino.json"),
            include_str!("fixtures/changed-seqino.patch.yaml"),
        ),
    ] {
        let answer = ScriptedResponse::new(200, serde_json::from_str::<serde_json::Value>(body).unwrap());
        sandbox.script(reference.provider(), operation, [answer]).unwrap();
        let report = mandates.probe(&reference).await.unwrap();
        let written = report.to_patch(day).unwrap();
        // The first line has the version.
        assert!(written.lines().skip(1).eq(patch.lines().skip(1)), "{report}\n{written}");
        for value in ["RUM-1", "realreal", "registered", "1767225600", "first"] {
            assert!(!written.contains(value), "{written}");
        }
    }
}

#[cfg(feature = "seqino")]
#[tokio::test]
async fn hidden_keys_are_left_out_of_a_patch() {
    use mandat::sandbox::ScriptedResponse;
    let sandbox = Sandbox::start().await.unwrap();
    let mandates = sandbox.mandates();
    let reference = MandateRef::seqino("client_abc123", "mdt_abc123");
    let mut body = sandbox.record(&reference).unwrap();
    body[IBAN] = 1.into();
    let answer = ScriptedResponse::new(200, body);
    sandbox.script(reference.provider(), "get_mandate", [answer]).unwrap();
    let written = mandates.probe(&reference).await.unwrap().to_patch("2026-11-27".parse().unwrap()).unwrap();
    assert!(!written.contains(IBAN) && !written.contains('('), "{written}");
}

#[cfg(feature = "seqino")]
#[tokio::test]
async fn response_of_another_form_gives_no_patch() {
    use mandat::sandbox::ScriptedResponse;
    let sandbox = Sandbox::start().await.unwrap();
    let mandates = sandbox.mandates();
    let reference = MandateRef::seqino("client_abc123", "mdt_abc123");
    sandbox
        .script(reference.provider(), "get_mandate", [ScriptedResponse::new(200, serde_json::json!("down"))])
        .unwrap();
    let report = mandates.probe(&reference).await.unwrap();
    assert_eq!((report.matches(), report.to_patch("2026-11-27".parse().unwrap())), (false, None));
}
