//! The sandbox takes orders over HTTP, from tests in any language.

use mandat::{MandateRef, MandateStatus, Mandates, Provider, sandbox::Sandbox};
use reqwest::Method;
use serde_json::{Value, json};
use std::sync::LazyLock;

/// A client of no vendor, made once as that takes long. No connection outlives the test that made it.
pub static CLIENT: LazyLock<reqwest::Client> =
    LazyLock::new(|| reqwest::Client::builder().pool_max_idle_per_host(0).build().unwrap());

/// Sends an order, and gives the HTTP status and the answer.
async fn order(sandbox: &Sandbox, method: &str, path: &str, body: impl Into<Option<Value>>) -> (u16, Value) {
    let url = format!("http://{}/_control{path}", sandbox.address());
    let method: Method = method.parse().unwrap();
    let body = body.into().map(|body| body.to_string()).unwrap_or_default();
    let answer = CLIENT.request(method, url).body(body).send().await.unwrap();
    let status = answer.status().as_u16();
    (status, serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap())
}

async fn ordered(sandbox: &Sandbox, method: &str, path: &str, body: impl Into<Option<Value>>) -> Value {
    let (status, answer) = order(sandbox, method, path, body).await;
    assert_eq!(status, 200, "{method} {path}: {answer}");
    answer
}

/// A mandate to sign, and its reference.
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
async fn it_lists_what_there_is() {
    let (sandbox, _) = started().await;
    let index = ordered(&sandbox, "GET", "", None).await;
    let said = index.to_string();
    for part in ["state", "reset", "clock", "mandates", "faults", "scripts", "journal"] {
        assert!(said.contains(&format!("/_control/{part}")), "{part}: {said}");
    }
}

#[tokio::test]
async fn state_is_listed_changed_and_reset() {
    let (sandbox, mandates) = started().await;
    let beginning = ordered(&sandbox, "GET", "/state", None).await;
    let reference = created(&mandates, "RUM 1/é").await;
    let state = ordered(&sandbox, "GET", "/state", None).await;
    assert_eq!(state["safedebit"]["mandates"]["RUM 1/é"]["status"], "5");

    // A merge patch: what is null goes.
    let patch = json!({"status": "1", "sequence_type": null, "own": {"a": 1}});
    let record = ordered(&sandbox, "PATCH", "/state/safedebit/mandates/RUM%201%2F%C3%A9", patch).await;
    assert_eq!((&record["status"], &record["own"], record.get("sequence_type")), (&json!("1"), &json!({"a": 1}), None));
    assert_eq!(mandates.status(&reference).await.unwrap().status, MandateStatus::Active);

    ordered(&sandbox, "POST", "/reset", None).await;
    assert_eq!(ordered(&sandbox, "GET", "/state", None).await, beginning);
    assert!(mandates.status(&reference).await.is_err());
}

#[tokio::test]
async fn a_mandate_is_moved_to_any_status_and_word() {
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
        ordered(&sandbox, "POST", "/mandates", body.clone()).await;
        let read = mandates.status(&reference).await;
        let all = ordered(&sandbox, "GET", "/mandates", None).await;
        let listed = all.as_array().unwrap().iter().find(|one| one["mandate"] == name.as_str()).unwrap();
        assert_eq!(listed["word"], word);
        assert_eq!(read.unwrap().status, status, "{body}");
    }
    ordered(&sandbox, "POST", "/mandates", json!({"mandate": name, "forget": true})).await;
    assert!(mandates.status(&reference).await.is_err());
}

#[tokio::test]
async fn a_scripted_sequence_of_answers_is_given_once_and_in_order() {
    let (sandbox, mandates) = started().await;
    let reference = created(&mandates, "RUM-1").await;
    let answer =
        |status: &str| json!({"status": 200, "body": {"result": true, "datas": [{"umr": "RUM-1", "status": status}]}});
    let script = json!({"provider": "safedebit", "operation": "search_mandate", "answers": [answer("1"), answer("3")]});
    ordered(&sandbox, "POST", "/scripts", script.clone()).await;
    for expected in [MandateStatus::Active, MandateStatus::Revoked, MandateStatus::AwaitingSignature] {
        assert_eq!(mandates.status(&reference).await.unwrap().status, expected);
    }
    ordered(&sandbox, "POST", "/scripts", script).await;
    ordered(&sandbox, "DELETE", "/scripts", None).await;
    assert_eq!(mandates.status(&reference).await.unwrap().status, MandateStatus::AwaitingSignature);
}

/// What `times` searches are answered, by HTTP status; 0 where the connection broke off.
async fn searched(sandbox: &Sandbox, times: usize) -> Vec<u16> {
    ordered(sandbox, "DELETE", "/journal", None).await;
    let url = format!("{}/search_mandate?umr=RUM-1", sandbox.base_url(Provider::SafeDebit));
    for _ in 0..times {
        let request = CLIENT.get(&url).basic_auth("sandbox", Some("sandbox-password"));
        // It may fail: the journal says how.
        drop(request.send().await);
    }
    let journal = ordered(sandbox, "GET", "/journal?operation=search_mandate", None).await;
    journal.as_array().unwrap().iter().map(|one| one["status"].as_u64().unwrap().try_into().unwrap()).collect()
}

#[tokio::test]
async fn faults_strike_by_operation_count_and_chance() {
    let (sandbox, _) = started().await;
    let fault = json!({"fault": "status", "status": 503, "operation": "search_mandate", "times": 2});
    ordered(&sandbox, "POST", "/faults", fault).await;
    assert_eq!(searched(&sandbox, 3).await, [503, 503, 200]);

    // Of another operation, and of another vendor.
    for elsewhere in [json!({"operation": "payment"}), json!({"provider": "seqino"})] {
        let mut fault = json!({"fault": "reset"});
        fault.as_object_mut().unwrap().extend(elsewhere.as_object().unwrap().clone());
        ordered(&sandbox, "POST", "/faults", fault).await;
    }
    assert_eq!(searched(&sandbox, 1).await, [200]);
    assert_eq!(ordered(&sandbox, "GET", "/faults", None).await["faults"], 3);
    ordered(&sandbox, "DELETE", "/faults", None).await;

    let mut courses = Vec::new();
    for seed in [7, 7, 8] {
        let fault = json!({"fault": "reset", "probability": 0.5, "seed": seed});
        ordered(&sandbox, "POST", "/faults", fault).await;
        courses.push(searched(&sandbox, 40).await);
        ordered(&sandbox, "DELETE", "/faults", None).await;
    }
    assert_eq!(courses[0], courses[1]);
    assert_ne!(courses[0], courses[2]);
    let struck = courses[0].iter().filter(|status| **status == 0).count();
    assert!((5..35).contains(&struck), "{:?}", courses[0]);
}

#[tokio::test]
async fn the_clock_moves_ahead_and_back_to_now() {
    let (sandbox, _) = started().await;
    let before = sandbox.now();
    ordered(&sandbox, "POST", "/clock", json!({"advance_seconds": 86_400})).await;
    let now = ordered(&sandbox, "GET", "/clock", None).await["now"].as_str().unwrap().parse().unwrap();
    let moved: chrono::TimeDelta = chrono::DateTime::<chrono::Utc>::signed_duration_since(now, before);
    assert!((86_400..86_460).contains(&moved.num_seconds()), "{moved}");
    // More than there is.
    ordered(&sandbox, "POST", "/clock", json!({"advance_seconds": u64::MAX})).await;
    ordered(&sandbox, "POST", "/reset", None).await;
    assert!((sandbox.now() - before).num_seconds() < 60);
}

#[tokio::test]
async fn the_journal_has_every_request_and_no_secret() {
    let (sandbox, mandates) = started().await;
    created(&mandates, "RUM-1").await;
    let seqino = sandbox.base_url(Provider::Seqino);
    let body = json!({"organization_name": "Zebulon", "contact_email": "zebulon@example.com", "external_ref": "E-1"});
    let request = CLIENT.post(format!("{seqino}/clients?secret=hunter2")).body(body.to_string());
    request.header("authorization", "hunter2").send().await.unwrap();
    let easytransac = sandbox.base_url(Provider::Easytransac);
    let body = json!({"apiKey": crate::support::KEY});
    CLIENT.post(format!("{easytransac}/auth")).body(body.to_string()).send().await.unwrap();

    let journal = ordered(&sandbox, "GET", "/journal", None).await;
    let operations: Vec<&str> =
        journal.as_array().unwrap().iter().map(|one| one["operation"].as_str().unwrap()).collect();
    assert_eq!(operations, ["create_mandate", "create_client", "generate_token"]);
    let text = journal.to_string();
    for secret in ["hunter2", "zebulon", "Zebulon", "et_test", "sandbox-password", "example.com/ok"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
    assert!(text.contains("RUM-1"));
    ordered(&sandbox, "DELETE", "/journal", None).await;
    assert_eq!(ordered(&sandbox, "GET", "/journal", None).await, json!([]));
}

#[tokio::test]
async fn a_wrong_order_is_told_what_is_wrong() {
    let (sandbox, mandates) = started().await;
    let reference = created(&mandates, "RUM-1").await.to_string();
    let patched = "/state/safedebit/mandates/RUM-1";
    for (method, path, body, status, why) in [
        ("GET", "/nothing", None, 404, "/_control"),
        ("PUT", "/reset", None, 404, "/_control"),
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
        ("POST", "/faults", Some(json!({"fault": "status"})), 400, "its number"),
        ("POST", "/faults", Some(json!({"fault": "status", "status": 99})), 400, "200 to 599"),
        ("POST", "/faults", Some(json!({"fault": "oversized", "bytes": u64::MAX})), 400, "1 GiB"),
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
        let (got, answer) = order(&sandbox, method, path, body).await;
        let said = answer["error"].as_str().unwrap_or_default();
        assert!(got == status && said.contains(why), "{method} {path}: {got} {answer}");
    }
    // And it has done nothing.
    assert_eq!(ordered(&sandbox, "GET", "/faults", None).await["faults"], 0);
    let status = mandates.status(&MandateRef::safedebit("RUM-1")).await.unwrap().status;
    assert_eq!(status, MandateStatus::AwaitingSignature);
}
