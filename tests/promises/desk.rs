//! The page of the sandbox at `/` and its control requests, and rules of the simulated vendors that the page shows.

use crate::{
    control::{CLIENT, control, send_control},
    sandbox_rules::{mandate, safedebit, send, word},
};
use mandat::{
    DebitStatus, MandateStatus, Provider,
    sandbox::{Fault, Sandbox},
};
use reqwest::Method;
use serde_json::{Value, json};

const SAMPLE: &str = Sandbox::CONSUMER;

/// Sends a GET request. Returns the status, the headers and the text.
async fn get(url: &str, headers: &[(&str, &str)]) -> (u16, reqwest::header::HeaderMap, String) {
    let request = headers.iter().fold(CLIENT.get(url), |request, (name, value)| request.header(*name, *value));
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    (status, headers, String::from_utf8(response.bytes().await.unwrap().to_vec()).unwrap())
}

#[tokio::test]
async fn edit_neither_revives_a_revoked_mandate_nor_signs_one() {
    let sandbox = Sandbox::start().await.unwrap();
    mandate(&sandbox, "RUM-1", json!({})).await;
    let edit = |umr: &'static str, status: &'static str| {
        let body = json!({"umr": umr, "status": status, "consumer_city": "Lyon"});
        let sandbox = &sandbox;
        async move { safedebit(sandbox, "edit_mandate", body).await["code"].clone() }
    };
    for status in ["1", "2", "6"] {
        assert_eq!(edit("RUM-1", status).await, "SANDBOX_003", "{status}");
    }
    assert_eq!((edit("RUM-1", "4").await, word(&sandbox, "RUM-1").await), (Value::Null, json!("4")));
    let signed = safedebit(&sandbox, "otu_confirm_mandat", json!({"umr": "RUM-1", "otu_value": "123456"})).await;
    assert_eq!((signed["result"].clone(), edit("RUM-1", "2").await), (json!(true), Value::Null));
    for umr in ["RUM-1", SAMPLE] {
        safedebit(&sandbox, "revoque_mandate", json!({"umr": umr, "revoque_reason": "1"})).await;
        for status in ["1", "2", "4", "5", "6"] {
            assert_eq!(edit(umr, status).await, "SANDBOX_003", "{umr} {status}");
        }
        assert_eq!((edit(umr, "3").await, word(&sandbox, umr).await), (Value::Null, json!("3")));
    }
}

#[tokio::test]
async fn body_without_a_content_type_is_refused() {
    let sandbox = Sandbox::start().await.unwrap();
    let url = format!("{}/revoque_mandate", sandbox.base_url(Provider::SafeDebit));
    let body = json!({"umr": SAMPLE, "revoque_reason": "1"}).to_string();
    let request = CLIENT.post(url).basic_auth("sandbox", Some("sandbox-password")).body(body);
    let refused: Value = serde_json::from_slice(&request.send().await.unwrap().bytes().await.unwrap()).unwrap();
    assert_eq!(refused["message"], "sandbox: header.Content-Type: this field is required", "{refused}");
    assert_eq!(word(&sandbox, SAMPLE).await, "1");
    let request = CLIENT.post(format!("{}/clients", sandbox.base_url(Provider::Seqino)));
    let response = request.header("authorization", "YOUR_API_KEY_HERE").body("{}").send().await.unwrap();
    assert_eq!(response.status(), 422);
    // A decision on a page needs the type of a form.
    let link = mandate(&sandbox, "RUM-1", json!({})).await;
    assert_eq!(CLIENT.post(&link).body("decision=agree").send().await.unwrap().status(), 415);
    assert_eq!(word(&sandbox, "RUM-1").await, "5");
}

#[tokio::test]
async fn reference_in_use_and_unknown_client_are_refused() {
    let sandbox = Sandbox::start().await.unwrap();
    let body = json!({
        "consumer_type": "0", "consumer_reference": "OTHER", "consumer_last_name": "Other", "consumer_first_name": "One",
        "consumer_store": "373222055", "consumer_address_street_number": "1", "consumer_address_street_type": "rue",
        "consumer_address_street_name": "A", "consumer_zip_code": "75001", "consumer_city": "Paris",
        "consumer_email": "abc@abc.com", "consumer_phone_number": "0102030405", "iban": "FR7630001007941234567890185",
        "consumer_birth_date": "03/02/1990",
    });
    assert_eq!(safedebit(&sandbox, "create_consumer", body).await["result"], true);
    let edit = |reference: &str| json!({"safedebit_consumer_reference": SAMPLE, "consumer_reference": reference});
    assert_eq!(safedebit(&sandbox, "edit_consumer", edit("OTHER")).await["code"], "EXIST_001");
    assert_eq!(safedebit(&sandbox, "edit_consumer", edit("SAMPLE")).await["result"], true);

    let request = CLIENT.post(format!("{}/clients/onboarding-link", sandbox.base_url(Provider::Seqino)));
    let request = request.header("authorization", "YOUR_API_KEY_HERE").header("x-pdp-client-id", "nobody");
    let body = json!({"include_kyc": true}).to_string();
    let response = request.header("content-type", "application/json").body(body).send().await.unwrap();
    assert_eq!(response.status(), 404);
}

#[tokio::test]
async fn pages_show_amounts_and_answers_in_the_words_of_their_reader() {
    let sandbox = Sandbox::start().await.unwrap();
    let transfer = json!({"safedebit_consumer_reference": SAMPLE, "payment_reference": "PAY-1", "amount": "123456789",
                          "url_ok": "https://example.com/ok", "url_ko": "https://example.com/ko",
                          "url_cancel": "https://example.com/cancel"});
    let transfer = safedebit(&sandbox, "initiate_transfer", transfer).await["link"].as_str().unwrap().to_owned();
    let body = json!({"include_kyc": true, "include_signature": false});
    let (_, link) = send(&sandbox, Provider::Seqino, Method::POST, "/clients/onboarding-link", body).await;
    let onboarding = link["onboarding_url"].as_str().unwrap().to_owned();
    for (page, language, shown) in [
        (&transfer, "fr", "1 234 567,89 €"),
        (&transfer, "en", "€1,234,567.89"),
        (&onboarding, "fr", "<dd>oui</dd>"),
        (&onboarding, "fr", "<dd>non</dd>"),
        (&onboarding, "en", "<dd>yes</dd>"),
        (&onboarding, "en", "<dd>no</dd>"),
    ] {
        let (status, _, text) = get(page, &[("accept-language", language)]).await;
        assert!(status == 200 && text.contains(shown), "{language} {shown}: {text}");
    }
}

#[tokio::test]
async fn page_of_the_sandbox_runs_only_its_own_script_and_has_two_languages() {
    let sandbox = Sandbox::start().await.unwrap();
    let mut nonces = Vec::new();
    for (language, tag) in [("en", "en"), ("fr-FR", "fr"), ("de", "fr")] {
        let (status, headers, text) = get(&sandbox.page_url(), &[("accept-language", language)]).await;
        assert!(status == 200 && text.contains(&format!("<html lang=\"{tag}\">")), "{language}");
        let policy = headers["content-security-policy"].to_str().unwrap();
        let nonce = policy.split("script-src 'nonce-").nth(1).unwrap().split('\'').next().unwrap().to_owned();
        assert!(text.contains(&format!("<script nonce=\"{nonce}\">")), "{policy}");
        for part in ["default-src 'none'", "connect-src 'self'", "frame-ancestors 'none'", "form-action 'none'"] {
            assert!(policy.contains(part), "{part}: {policy}");
        }
        assert!(!policy.contains("unsafe") && !text.contains("src=") && !text.contains("http"), "{policy}");
        nonces.push(nonce);
    }
    nonces.sort();
    nonces.dedup();
    assert_eq!(nonces.len(), 3);
    for method in ["POST", "PUT", "TRACE", "OPTIONS"] {
        let response = CLIENT.request(method.parse().unwrap(), sandbox.page_url()).send().await.unwrap();
        assert_eq!((response.status().as_u16(), &response.headers()["allow"]), (405, &"GET, HEAD".parse().unwrap()));
    }
}

#[tokio::test]
async fn page_of_another_site_cannot_send_control_requests_or_decisions() {
    let sandbox = Sandbox::start().await.unwrap();
    let link = mandate(&sandbox, "RUM-1", json!({})).await;
    let own = format!("http://{}", sandbox.address());
    for (header, value, allowed) in [
        ("sec-fetch-site", "cross-site", false),
        ("sec-fetch-site", "same-site", false),
        ("sec-fetch-site", "other", false),
        ("sec-fetch-site", "same-origin", true),
        ("sec-fetch-site", "none", true),
        ("origin", "http://evil.example.com", false),
        ("origin", "null", false),
        ("origin", &own, true),
    ] {
        for path in ["/state", "/overview", "/vendors"] {
            let (status, headers, _) = get(&format!("{}{path}", sandbox.control_url()), &[(header, value)]).await;
            assert_eq!(status, if allowed { 200 } else { 403 }, "{header}: {value}");
            assert!(!allowed || headers["cross-origin-resource-policy"] == "same-origin", "{path}");
        }
        let form = CLIENT.post(&link).header("content-type", "application/x-www-form-urlencoded");
        let response = form.header(header, value).body("decision=maybe").send().await.unwrap();
        assert_eq!(response.status(), if allowed { 400 } else { 403 }, "{header}: {value}");
    }
    // A link on another site leads to a page.
    assert_eq!(get(&link, &[("sec-fetch-site", "cross-site")]).await.0, 200);
    assert_eq!(word(&sandbox, "RUM-1").await, "5");
}

#[tokio::test]
async fn overview_lists_the_possible_steps_and_masks_personal_data() {
    let sandbox = Sandbox::start().await.unwrap();
    for provider in Provider::ALL {
        let new = control(&sandbox, "POST", "/samples", json!({"mandate_at": provider.as_str()})).await;
        assert!(new["mandate"].as_str().unwrap().starts_with(provider.as_str()), "{new}");
    }
    mandate(&sandbox, "FR7630001007941234567890185", json!({})).await;
    sandbox.inject(Fault::status(503).on("payment").at(Provider::SafeDebit).times(2));
    let overview = control(&sandbox, "GET", "/overview", None).await;
    let row = |overview: &Value, id: &str| {
        let all = overview["mandates"]["rows"].as_array().unwrap();
        all.iter().find(|row| row["mandate"].as_str().unwrap().ends_with(id)).unwrap().clone()
    };
    let waiting = row(&overview, "RUM-SANDBOX-000001");
    assert_eq!(waiting["steps"], json!(["sign", "activate", "suspend", "revoke"]));
    assert_eq!((&waiting["status"], &waiting["account"]), (&json!("AwaitingSignature"), &json!("FR76 •••• 0185")));
    let page = format!("http://{}{}", sandbox.address(), waiting["page"].as_str().unwrap());
    assert_eq!(get(&page, &[]).await.0, 200);
    assert_eq!(row(&overview, "FR7630001007941234567890185")["shown"], "safedebit:FR76 •••• 0185");
    assert_eq!(row(&overview, "mdt_000001")["status"], "Pending");
    assert_eq!(overview["faults"][0]["times"], 2, "{}", overview["faults"]);
    assert!(!overview["journal"].to_string().contains("30001007941"), "{overview}");
    assert_eq!(overview["journal"]["rows"][0]["operation"], "create_mandate");

    // A step that the overview lists is possible, and each other step is refused or changes nothing.
    for row in overview["mandates"]["rows"].as_array().unwrap() {
        for step in ["sign", "verify", "activate", "suspend", "expire", "revoke", "fail"] {
            let body = json!({"mandate": row["mandate"], "step": step});
            let listed = row["steps"].as_array().unwrap().contains(&step.into());
            let (status, _) = send_control(&sandbox, "POST", "/mandates", body).await;
            let reset = json!({"mandate": row["mandate"], "word": row["word"]});
            assert!(status == 200 || !listed, "{row} {step}: {status}");
            control(&sandbox, "POST", "/mandates", reset).await;
        }
    }
    let found = control(&sandbox, "GET", "/overview?search=rum-sandbox", None).await;
    assert_eq!((&found["mandates"]["found"], &found["debits"]["found"]), (&json!(1), &json!(0)));
}

#[tokio::test]
async fn sample_debit_follows_the_clock_step_by_step() {
    let sandbox = Sandbox::start().await.unwrap();
    for mandate in ["safedebit:XXXXXXXXXXXXX", "easytransac:abcabcabcabcabcabc12"] {
        control(&sandbox, "POST", "/samples", json!({"debit_on": mandate})).await;
    }
    let debits = || async {
        let overview = control(&sandbox, "GET", "/overview?search=s", None).await;
        let rows = overview["debits"]["rows"].as_array().unwrap().clone();
        rows.into_iter().filter(|row| row["amount"] == 1250).collect::<Vec<_>>()
    };
    for (safedebit, easytransac, returnable, refundable) in [
        ("Scheduled", "Pending", false, false),
        ("Submitted", "Pending", true, false),
        ("Collected", "Collected", true, true),
    ] {
        let now = debits().await;
        assert_eq!(now.len(), 2, "{now:?}");
        for row in &now {
            let status = if row["provider"] == "safedebit" { safedebit } else { easytransac };
            assert_eq!(row["status"], status, "{row}");
            assert_eq!((&row["returnable"], &row["refundable"]), (&json!(returnable), &json!(refundable)), "{row}");
        }
        match now[0]["next"]["at"].clone() {
            Value::Null => assert_eq!(safedebit, "Collected"),
            at => drop(control(&sandbox, "POST", "/clock", json!({"until": at})).await),
        }
    }
    let refused = [
        ("/clock", json!({"until": "2020-01-01T00:00:00Z"}), 409, "only advances"),
        ("/clock", json!({"until": "2999-01-01T00:00:00Z", "advance_seconds": 1}), 400, "exactly one"),
        ("/samples", json!({}), 400, "exactly one"),
        ("/samples", json!({"debit_on": "seqino:client_abc123/mdt_abc123"}), 409, "no debits"),
        ("/samples", json!({"debit_on": "safedebit:NOTHING"}), 404, "no such mandate"),
    ];
    for (path, body, status, why) in refused {
        let (got, said) = send_control(&sandbox, "POST", path, body).await;
        assert!(got == status && said["error"].as_str().unwrap().contains(why), "{path}: {got} {said}");
    }
    control(&sandbox, "POST", "/mandates", json!({"mandate": "safedebit:XXXXXXXXXXXXX", "step": "revoke"})).await;
    let (got, _) = send_control(&sandbox, "POST", "/samples", json!({"debit_on": "safedebit:XXXXXXXXXXXXX"})).await;
    assert_eq!(got, 409);
}

#[test]
fn page_has_words_for_every_status_in_both_languages() {
    // The page of a report shares the states of a mandate.
    let scripts = [include_str!("../../src/sandbox/element.js"), include_str!("../../src/sandbox/desk.js")];
    let texts = scripts.map(|script| {
        let (_, english) = script.split_once("\n  en: {").unwrap();
        let (english, french) = english.split_once("\n  fr: {").unwrap();
        [english, french.split_once("\n};").unwrap().0]
    });
    let (_, colours) = scripts[1].split_once("\nconst COLOURS").unwrap();
    let statuses = MandateStatus::ALL.iter().map(|status| status.as_str());
    for word in statuses.chain(DebitStatus::ALL.iter().map(|status| status.as_str())) {
        for language in [0, 1] {
            let named = texts.iter().any(|texts| texts[language].contains(&format!(" {word}: '")));
            assert!(named, "{word}");
        }
        assert!(word == "Unrecognized" || colours.contains(&format!("'{word}'")), "{word} has no colour");
    }
    // Both languages have the same texts.
    let keys = |texts: &str| {
        let found = regress::Regex::new(r"(?:^|[ {])([A-Za-z_0-9]+): '").unwrap();
        let mut keys: Vec<String> = found.find_iter(texts).map(|key| texts[key.group(1).unwrap()].to_owned()).collect();
        keys.sort();
        keys
    };
    for [english, french] in texts {
        assert_eq!(keys(english), keys(french));
    }
}
