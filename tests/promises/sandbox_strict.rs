//! The sandbox refuses ambiguous requests over HTTP, keeps the records of one party from another, and ends what a
//! revocation or a signature ended.

use crate::{
    control::{CLIENT, control, send_control},
    sandbox_rules::{decide, mandate, safedebit, send, word},
};
use chrono::NaiveDate;
use mandat::{
    Provider,
    sandbox::Sandbox,
    sepa::{LeadTimes, Scheme, earliest_due_date},
};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

const SAMPLE: &str = Sandbox::CONSUMER;
const KEY: &str = "YOUR_API_KEY_HERE";
const BASIC: &str = "Basic JQheySHkalSNuakkmSmm==";

/// Sends a request. Returns the HTTP status and the JSON body.
async fn answer(request: RequestBuilder) -> (u16, Value) {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    (status, serde_json::from_slice(&response.bytes().await.unwrap()).unwrap_or_default())
}

fn get(sandbox: &Sandbox, at: Provider, path: &str) -> RequestBuilder {
    CLIENT.get(format!("{}{path}", sandbox.base_url(at)))
}

#[tokio::test]
async fn parameter_that_is_given_twice_is_refused() {
    let sandbox = Sandbox::start().await.unwrap();
    let search = get(&sandbox, Provider::SafeDebit, &format!("/search_mandate?umr=RUM-1&umr={SAMPLE}"));
    let (_, refused) = answer(search.header("authorization", BASIC)).await;
    assert_eq!(refused["message"], "sandbox: query.umr: this parameter is given more than once", "{refused}");

    let twice = |request: RequestBuilder| {
        let request = request.header("authorization", KEY).header("x-pdp-client-id", Sandbox::CLIENT);
        answer(request.header("x-pdp-client-id", "client_000001"))
    };
    let (status, refused) = twice(get(&sandbox, Provider::Seqino, "/mandates")).await;
    let first = &refused["detail"][0];
    assert_eq!((status, &first["loc"]), (422, &json!(["header", "X-PDP-Client-Id"])), "{refused}");
    // The spec does not list the header for this operation. The link is still not for the newest client.
    let link = || {
        let url = format!("{}/clients/onboarding-link", sandbox.base_url(Provider::Seqino));
        CLIENT.post(url).header("content-type", "application/json").body(json!({"include_kyc": true}).to_string())
    };
    assert_eq!(twice(link()).await.0, 404);
    let empty = link().header("authorization", KEY).header("x-pdp-client-id", "");
    assert_eq!(answer(empty).await.0, 404);
}

#[tokio::test]
async fn empty_or_repeated_credentials_are_refused() {
    let sandbox = Sandbox::start().await.unwrap();
    for (at, path, values) in [
        (Provider::Easytransac, "/transaction/status?tid=ABC1-ABC1-ABC1", ["", "Bearer ", "Bearer"]),
        (Provider::SafeDebit, "/search_mandate", ["", "Basic ", "Basic Og=="]),
        (Provider::Seqino, "/clients", ["", " ", "ApiKey"]),
    ] {
        let refused = |(status, body): (u16, Value)| match at {
            Provider::SafeDebit => assert_eq!(body, json!({"result": false, "code": "AUTH_001"})),
            _ => assert_eq!(status, 401, "{at}: {body}"),
        };
        for value in values {
            refused(answer(get(&sandbox, at, path).header("authorization", value)).await);
        }
        refused(answer(get(&sandbox, at, path)).await);
        if let Some(right) = match at {
            Provider::SafeDebit => Some(BASIC),
            Provider::Seqino => Some(KEY),
            _ => None,
        } {
            let once = get(&sandbox, at, path).header("authorization", right);
            let twice = once.try_clone().unwrap().header("authorization", right);
            assert_eq!(answer(once).await.0, 200, "{at}");
            refused(answer(twice).await);
        }
    }
}

#[tokio::test]
async fn form_without_boundary_and_compressed_body_get_their_own_reason() {
    let sandbox = Sandbox::start().await.unwrap();
    let post = |path: &str, kind: &str| {
        let request = CLIENT.post(format!("{}{path}", sandbox.base_url(Provider::Seqino)));
        let request = request.header("authorization", KEY).header("x-pdp-client-id", Sandbox::CLIENT);
        request.header("content-type", kind)
    };
    for kind in ["multipart/form-data", "Multipart/Form-Data; charset=utf-8"] {
        let form = post("/invoicing/files/submit", kind).body("--b\r\n\r\n--b--");
        let (status, refused) = answer(form).await;
        let why = "the Content-Type of this form names no boundary";
        assert_eq!((status, &refused["detail"][0]["msg"]), (422, &json!(why)), "{kind}: {refused}");
    }

    let client = json!({"organization_name": "A", "contact_email": "a@example.com", "external_ref": "A"}).to_string();
    let compressed = post("/clients", "application/json").header("content-encoding", "gzip").body(client.clone());
    let (status, refused) = answer(compressed).await;
    let why = "the sandbox reads no compressed body (Content-Encoding)";
    assert_eq!((status, &refused["detail"][0]["msg"]), (422, &json!(why)), "{refused}");
    let plain = post("/clients", "application/json").header("content-encoding", "identity").body(client);
    assert_eq!(answer(plain).await.0, 201);
}

#[tokio::test]
async fn page_of_a_shop_refuses_other_methods() {
    let sandbox = Sandbox::start().await.unwrap();
    let shop = format!("http://{}/_shop", sandbox.address());
    for method in ["PUT", "DELETE", "TRACE", "OPTIONS", "PATCH"] {
        let response = CLIENT.request(method.parse().unwrap(), format!("{shop}/ok")).send().await.unwrap();
        assert_eq!(
            (response.status().as_u16(), &response.headers()["allow"]),
            (405, &"GET, HEAD, POST".parse().unwrap())
        );
    }
    for (path, status, said) in [("ok", 200, "Back at the merchant"), ("other", 404, "This link is unknown.")] {
        let page = CLIENT.get(format!("{shop}/{path}?lang=en")).send().await.unwrap();
        assert_eq!(page.status(), status);
        assert!(page.text().await.unwrap().contains(said), "{path}");
    }
}

#[tokio::test]
async fn page_takes_exactly_one_decision() {
    let sandbox = Sandbox::start().await.unwrap();
    let link = mandate(&sandbox, "RUM-1", json!({})).await;
    for both in ["cancel&decision=agree", "agree&decision=cancel", "agree&decision=agree", "", "AGREE"] {
        assert_eq!(decide(&link, both).await.0, 400, "{both}");
    }
    assert_eq!(word(&sandbox, "RUM-1").await, "5");
}

#[tokio::test]
async fn link_for_a_transfer_or_a_beneficiary_agrees_once() {
    let sandbox = Sandbox::start().await.unwrap();
    let transfer = json!({"safedebit_consumer_reference": SAMPLE, "payment_reference": "PAY-1", "amount": "1250",
                          "url_ok": "https://example.com/ok", "url_ko": "https://example.com/ko"});
    let transfer = safedebit(&sandbox, "initiate_transfer", transfer).await["link"].as_str().unwrap().to_owned();
    let company = json!({"social_reference": "Acme", "email": "abc@abc.com", "siren": "123456789",
                         "url_callback": "https://example.com/"});
    let company = safedebit(&sandbox, "initiate_beneficiary", company).await["url"].as_str().unwrap().to_owned();
    for (link, status, next) in [(&transfer, 303, Some("https://example.com/ok")), (&company, 200, None)] {
        for _ in 0..2 {
            let (got, to, _) = decide(link, "agree").await;
            assert_eq!((got, to.as_deref()), (status, next));
        }
        let page = CLIENT.get(link).send().await.unwrap();
        assert_eq!(page.status(), 410);
        let page = page.text().await.unwrap();
        assert!(page.contains("déjà été utilisé") && !page.contains("/ko"), "{page}");
    }
    let state = control(&sandbox, "GET", "/state", None).await;
    assert_eq!(state["safedebit"]["transfers"]["PAY-1"]["status"], "SETTLED", "{state}");
}

#[tokio::test]
async fn signature_by_a_control_request_uses_up_the_link() {
    let sandbox = Sandbox::start().await.unwrap();
    let link = mandate(&sandbox, "RUM-1", json!({"status": "5"})).await;
    control(&sandbox, "POST", "/mandates", json!({"mandate": "safedebit:RUM-1", "step": "sign"})).await;
    // The mandate has the word that the request named, which is also the word before the signature.
    assert_eq!(word(&sandbox, "RUM-1").await, "5");
    assert_eq!(CLIENT.get(&link).send().await.unwrap().status(), 410);
    let late = safedebit(&sandbox, "otu_confirm_mandat", json!({"umr": "RUM-1", "otu_value": "123456"})).await;
    assert_eq!(late["code"], "SANDBOX_003", "{late}");
    let today = mandat::sepa::paris_day(sandbox.now()).format("%d/%m/%Y");
    let path = format!("/search_mandate?umr=RUM-1&sign_date_max={today}");
    let (_, found) = send(&sandbox, Provider::SafeDebit, Method::GET, &path, Value::Null).await;
    assert_eq!(found["datas"][0]["umr"], "RUM-1", "{found}");
}

#[tokio::test]
async fn signature_revives_no_mandate_that_ended() {
    let sandbox = Sandbox::start().await.unwrap();
    mandate(&sandbox, "RUM-1", json!({})).await;
    for (name, word) in [
        ("safedebit:RUM-1", "3"),
        ("easytransac:abcabcabcabcabcabc12", "invalid"),
        ("seqino:client_abc123/mdt_abc123", "expired"),
    ] {
        control(&sandbox, "POST", "/mandates", json!({"mandate": name, "word": word})).await;
        let (status, refused) =
            send_control(&sandbox, "POST", "/mandates", json!({"mandate": name, "step": "sign"})).await;
        assert_eq!(status, 409, "{name}: {refused}");
        let all = control(&sandbox, "GET", "/mandates", None).await;
        let is = all.as_array().unwrap().iter().find(|one| one["mandate"] == name).unwrap()["word"].clone();
        assert_eq!(is, word, "{name}");
    }
}

/// Returns the first due date that is in time.
fn due(sandbox: &Sandbox) -> NaiveDate {
    earliest_due_date(sandbox.now(), Scheme::Core, &LeadTimes::default()).unwrap()
}

#[tokio::test]
async fn debit_of_a_revoked_mandate_is_neither_validated_nor_presented_again() {
    let sandbox = Sandbox::start().await.unwrap();
    let french = |day: NaiveDate| day.format("%d/%m/%Y").to_string();
    for umr in ["RUM-1", "RUM-2"] {
        mandate(&sandbox, umr, json!({})).await;
        control(&sandbox, "POST", "/mandates", json!({"mandate": format!("safedebit:{umr}"), "step": "sign"})).await;
    }
    let revoke = |umr: &'static str| safedebit(&sandbox, "revoque_mandate", json!({"umr": umr, "revoque_reason": "1"}));
    let pay = |umr: &str, sdd: &str, amount: &str| {
        let body = json!({"safedebit_consumer_reference": SAMPLE, "umr": umr, "sdd_reference": sdd, "amount": amount,
                          "due_date": french(due(&sandbox))});
        let sandbox = &sandbox;
        async move { safedebit(sandbox, "payment", body).await }
    };
    let waiting = pay("RUM-1", "SDD-1", "100000").await;
    assert_eq!(waiting["status"], "PENDING", "{waiting}");
    revoke("RUM-1").await;
    let validation = json!({"safedebit_consumer_reference": SAMPLE, "payment_reference": waiting["payment_reference"],
                            "validation_type": "OTP", "validation_value": "123456"});
    let refused = safedebit(&sandbox, "validate_payment", validation).await;
    assert_eq!(refused["message"], "sandbox: the mandate of the debit is not active", "{refused}");

    assert_eq!(pay("RUM-2", "SDD-2", "1250").await["status"], "CREATED");
    let guarantee = json!({"safedebit_consumer_reference": SAMPLE, "amount": "1250", "type": "1", "echeance_number": "1",
                           "umr": "RUM-2", "sdd": ["SDD-2"]});
    assert_eq!(safedebit(&sandbox, "secure", guarantee).await["result"], true);
    let later = format!("{}T12:00:00Z", due(&sandbox));
    control(&sandbox, "POST", "/clock", json!({"until": later})).await;
    let back = json!({"debit": "safedebit:umr=RUM-2/sdd=SDD-2", "return": "AM04"});
    control(&sandbox, "POST", "/debits", back).await;
    let again = |sdd: &str| {
        let body = json!({"sdd_reference_origin": "SDD-2", "sdd_reference": sdd, "amount": "1250",
                          "due_date": french(due(&sandbox))});
        let sandbox = &sandbox;
        async move { safedebit(sandbox, "add_rp_sdd", body).await }
    };
    assert_eq!(again("RP-1").await["result"], true);
    revoke("RUM-2").await;
    let refused = again("RP-2").await;
    assert_eq!(refused["message"], "sandbox: the mandate of the debit is not active", "{refused}");
}

#[tokio::test]
async fn record_of_another_party_is_unknown() {
    let sandbox = Sandbox::start().await.unwrap();
    // A guarantee covers the debits of its consumer only.
    let other = json!({"safedebit_consumer_reference": "OTHER"});
    control(&sandbox, "PATCH", &format!("/state/safedebit/debits/{SAMPLE}"), other).await;
    let guarantee = json!({"safedebit_consumer_reference": SAMPLE, "amount": "333", "type": "1", "echeance_number": "1",
                           "umr": SAMPLE, "sdd": [SAMPLE]});
    assert_eq!(safedebit(&sandbox, "secure", guarantee).await["code"], "SANDBOX_002");

    // An edit names the payment and the mandate of the debit, and changes neither.
    for (key, value, code) in [
        ("payment_reference", "PAY-9", "SANDBOX_002"),
        ("umr", "RUM-9", "SANDBOX_002"),
        ("payment_reference", SAMPLE, ""),
        ("umr", SAMPLE, ""),
    ] {
        let edit = json!({"sdd_reference": SAMPLE, "motif": "x", key: value});
        let edited = safedebit(&sandbox, "edit_sdd", edit).await;
        assert_eq!(edited["code"].as_str().unwrap_or_default(), code, "{key} {value}: {edited}");
    }

    let client = json!({"organization_name": "Zwei", "contact_email": "a@example.com", "external_ref": "Zwei"});
    let (_, client) = send(&sandbox, Provider::Seqino, Method::POST, "/clients", client).await;
    let draft = json!({"issue_date": "2026-11-28", "type_code": "380", "currency_code": "EUR",
                       "seller": {"name": "Acme", "postal_address": {"city_name": "Paris"}}});
    let (status, created) = send(&sandbox, Provider::Seqino, Method::POST, "/drafts", draft.clone()).await;
    assert_eq!(status, 201, "{created}");
    let path = format!("/drafts/{}", created["draft_id"].as_str().unwrap());
    let with = |client: &str, method: Method| {
        let request = CLIENT.request(method.clone(), format!("{}{path}", sandbox.base_url(Provider::Seqino)));
        let request = request.header("authorization", KEY).header("x-pdp-client-id", client);
        match method {
            Method::PUT => answer(request.header("content-type", "application/json").body(draft.to_string())),
            _ => answer(request.header("accept", "application/json").body("")),
        }
    };
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        assert_eq!(with(client["client_id"].as_str().unwrap(), method.clone()).await.0, 404, "{method}");
    }
    for (method, status) in [(Method::GET, 200), (Method::PUT, 200), (Method::DELETE, 204), (Method::GET, 404)] {
        assert_eq!(with(Sandbox::CLIENT, method.clone()).await.0, status, "{method}");
    }
}

#[tokio::test]
async fn signing_page_shows_the_account_of_the_mandate_and_no_complete_iban() {
    let sandbox = Sandbox::start().await.unwrap();
    let umr = "FR7630001007941234567890185";
    let link = mandate(&sandbox, umr, json!({})).await;
    let page = || async { CLIENT.get(&link).send().await.unwrap().text().await.unwrap() };
    // One line has the account, and one the reference.
    assert_eq!(page().await.matches("<dd>FR76 •••• 0185</dd>").count(), 2);
    let edit = json!({"umr": umr, "iban": "DE89370400440532013000"});
    assert_eq!(safedebit(&sandbox, "edit_mandate", edit).await["result"], true);
    let text = page().await;
    assert!(text.contains("<dd>DE89 •••• 3000</dd>") && !text.contains(&format!("<dd>{umr}")), "{text}");
}
