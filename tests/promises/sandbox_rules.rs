//! The simulated vendors accept over HTTP only documented requests, and take no more from a request than documented.

use crate::control::{CLIENT, control};
use chrono::Datelike;
use mandat::{
    Provider,
    sandbox::{Fault, Sandbox},
};
use reqwest::{Client, Method, redirect::Policy};
use serde_json::{Value, json};
use std::{net::SocketAddr, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

const SAMPLE: &str = Sandbox::CONSUMER;

/// Sends a request to a simulated vendor with its valid credentials. Returns the HTTP status and the JSON body.
pub async fn send(sandbox: &Sandbox, at: Provider, method: Method, path: &str, body: Value) -> (u16, Value) {
    let request = CLIENT.request(method, format!("{}{path}", sandbox.base_url(at)));
    let request = match at {
        Provider::SafeDebit => request.basic_auth("sandbox", Some("sandbox-password")),
        _ => request.header("authorization", "YOUR_API_KEY_HERE").header("x-pdp-client-id", Sandbox::CLIENT),
    };
    let request = match body {
        Value::Null => request,
        body => request.header("content-type", "application/json").body(body.to_string()),
    };
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    (status, serde_json::from_slice(&response.bytes().await.unwrap()).unwrap_or_default())
}

pub async fn safedebit(sandbox: &Sandbox, operation: &str, body: Value) -> Value {
    send(sandbox, Provider::SafeDebit, Method::POST, &format!("/{operation}"), body).await.1
}

/// Returns the number of records that a search of SafeDebit finds, or its refusal.
async fn found(sandbox: &Sandbox, search: &str) -> Result<usize, String> {
    let (_, body) = send(sandbox, Provider::SafeDebit, Method::GET, &format!("/{search}"), Value::Null).await;
    match body["datas"].as_array() {
        Some(all) => Ok(all.len()),
        None => Err(body["message"].as_str().unwrap().to_owned()),
    }
}

/// Creates a mandate that waits for signature. Returns the signature link.
pub async fn mandate(sandbox: &Sandbox, umr: &str, more: Value) -> String {
    let mut body = json!({
        "safedebit_consumer_reference": SAMPLE, "umr": umr, "url_ok": "https://example.com/ok",
        "url_ko": "https://example.com/ko", "url_cancel": "https://example.com/cancel",
    });
    body.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
    safedebit(sandbox, "create_mandate", body).await["signature_url"].as_str().unwrap().to_owned()
}

pub async fn word(sandbox: &Sandbox, umr: &str) -> Value {
    let all = control(sandbox, "GET", "/mandates", None).await;
    let name = format!("safedebit:{umr}");
    all.as_array().unwrap().iter().find(|one| one["mandate"] == name.as_str()).unwrap()["word"].clone()
}

/// Sends raw bytes and closes the sending side. Returns the whole response.
async fn raw(to: SocketAddr, bytes: &str) -> String {
    let mut stream = TcpStream::connect(to).await.unwrap();
    stream.write_all(bytes.as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut response = Vec::new();
    // The sandbox may reset the connection after its response.
    drop(stream.read_to_end(&mut response).await);
    String::from_utf8(response).unwrap()
}

#[tokio::test]
async fn fields_that_the_spec_does_not_name_change_nothing() {
    let sandbox = Sandbox::start().await.unwrap();
    let undocumented = json!({"after_signing": "6", "sign_date": "x"});
    mandate(&sandbox, "RUM-1", undocumented).await;
    assert_eq!(
        safedebit(&sandbox, "otu_confirm_mandat", json!({"umr": "RUM-1", "otu_value": "123456"})).await["result"],
        true
    );
    assert_eq!(word(&sandbox, "RUM-1").await, "1");

    let file = json!({"safedebit_consumer_reference": SAMPLE, "file_data": "YQ==", "file_type": "2", "file_key": 7});
    assert_eq!(safedebit(&sandbox, "upload_file", file).await["result"], true);
    let path = format!("/get_available_files?safedebit_consumer_reference={SAMPLE}");
    let (_, files) = send(&sandbox, Provider::SafeDebit, Method::GET, &path, Value::Null).await;
    assert!(files["data"].as_array().unwrap().iter().all(|file| file["file_key"].is_string()), "{files}");

    let beneficiary = json!({"social_reference": "Acme", "email": "abc@abc.com", "siren": "123456789", "url_callback": "https://example.com/", "status": 7});
    let beneficiary = safedebit(&sandbox, "initiate_beneficiary", beneficiary).await;
    assert_eq!(beneficiary["status"], "0", "{beneficiary}");

    let (path, body) = (format!("/clients/{}", Sandbox::CLIENT), json!({"client_id": "other", "sponsor_id": 7}));
    let (status, client) = send(&sandbox, Provider::Seqino, Method::PUT, &path, body).await;
    assert_eq!(
        (status, &client["client_id"], &client["sponsor_id"]),
        (200, &json!(Sandbox::CLIENT), &json!("sponsor_sandbox"))
    );
    // An undocumented query parameter is no filter.
    assert_eq!(found(&sandbox, "search_mandate?after_signing=9").await, Ok(2));
}

#[tokio::test]
async fn empty_code_or_reference_signs_and_pays_nothing() {
    let sandbox = Sandbox::start().await.unwrap();
    mandate(&sandbox, "RUM-1", json!({})).await;
    for code in ["", "000000", " ", "X", "XXXXXX"] {
        let refused = safedebit(&sandbox, "otu_confirm_mandat", json!({"umr": "RUM-1", "otu_value": code})).await;
        assert_eq!((&refused["result"], &refused["code"]), (&json!(false), &json!("NOK_001")), "{refused}");
    }
    assert_eq!(word(&sandbox, "RUM-1").await, "5");
    let due = mandat::sepa::earliest_due_date(
        sandbox.now() + chrono::TimeDelta::days(7),
        mandat::sepa::Scheme::Core,
        &mandat::sepa::LeadTimes::default(),
    );
    let payment = |sdd: &str| {
        json!({"amount": "100000", "due_date": due.unwrap().format("%d/%m/%Y").to_string(), "sdd_reference": sdd,
               "safedebit_consumer_reference": SAMPLE, "umr": SAMPLE})
    };
    let waiting = safedebit(&sandbox, "payment", payment("SDD-1")).await;
    assert_eq!(waiting["status"], "PENDING", "{waiting}");
    let validation = |code: &str| {
        json!({"safedebit_consumer_reference": SAMPLE, "payment_reference": waiting["payment_reference"],
               "validation_type": "OTP", "validation_value": code})
    };
    for code in ["", "X", "XXXXXXXX"] {
        assert_eq!(safedebit(&sandbox, "validate_payment", validation(code)).await["code"], "NOK_001", "{code}");
    }
    assert_eq!(safedebit(&sandbox, "validate_payment", validation("123456")).await["status"], "VALIDATED");

    // A cancelled payment stays cancelled, even that of the samples.
    assert_eq!(safedebit(&sandbox, "cancel_sdd", json!({"sdd_reference": SAMPLE})).await["result"], true);
    let mut again = validation("123456");
    again["payment_reference"] = SAMPLE.into();
    assert_eq!(safedebit(&sandbox, "validate_payment", again).await["code"], "SANDBOX_003");

    for (operation, body) in [
        ("cancel_sdd", json!({"sdd_reference": ""})),
        ("payment", payment("")),
        ("revoque_mandate", json!({"umr": "", "revoque_reason": "1"})),
        ("edit_mandate", json!({"umr": "", "status": "2"})),
    ] {
        let refused = safedebit(&sandbox, operation, body).await;
        assert_eq!(refused["code"], "SANDBOX_001", "{operation}: {refused}");
    }
}

#[tokio::test]
async fn code_for_the_signature_never_revives_a_revoked_mandate() {
    let sandbox = Sandbox::start().await.unwrap();
    mandate(&sandbox, "RUM-1", json!({})).await;
    for umr in ["RUM-1", SAMPLE] {
        safedebit(&sandbox, "revoque_mandate", json!({"umr": umr, "revoque_reason": "1"})).await;
        let refused = safedebit(&sandbox, "otu_confirm_mandat", json!({"umr": umr, "otu_value": "123456"})).await;
        assert_eq!((&refused["code"], word(&sandbox, umr).await), (&json!("SANDBOX_003"), json!("3")), "{refused}");
    }
}

#[tokio::test]
async fn each_documented_filter_of_a_search_filters_or_is_refused() {
    let sandbox = Sandbox::start().await.unwrap();
    mandate(&sandbox, "RUM-1", json!({"sequence_type": "OOFF"})).await;
    let edit = json!({
        "safedebit_consumer_reference": SAMPLE, "consumer_gender": "F", "identity_type": "3", "id_number": "007",
        "emission_date": "02/01/2020", "expire_date": "02/01/2030", "consumer_birth_day": "03/02/1990",
        "consumer_birth_city": "Lyon", "nationality": "FR", "consumer_use_name": "Use", "consumer_pseudonyme": "Pseudo",
        "consumer_other_last_name": "Other", "consumer_address_street_number": "12", "consumer_address_street_type": "rue",
    });
    assert_eq!(safedebit(&sandbox, "edit_consumer", edit).await["result"], true);
    let guarantee = json!({"safedebit_consumer_reference": SAMPLE, "amount": "999", "type": "1", "echeance_number": "1",
                           "umr": SAMPLE, "sdd": [SAMPLE]});
    let guarantee = safedebit(&sandbox, "secure", guarantee).await["safedebit_secure_reference"].clone();
    let guarantee = guarantee.as_str().unwrap();
    let iban = "FR7630001007941234567890185";
    // Each row has a filter, a value that matches a record (if there is one), and a value that matches none.
    let filters = [
        ("search_mandate?", "safedebit_consumer_reference", SAMPLE, "NOBODY"),
        ("search_mandate?", "consumer_reference", "SAMPLE", "NOBODY"),
        ("search_mandate?", "umr", SAMPLE, "NOTHING"),
        ("search_mandate?", "status", "1", "2"),
        ("search_mandate?", "sequence_type", "RCUR", ""),
        ("search_mandate?", "sign_date", "02/01/2020", "03/01/2020"),
        ("search_mandate?", "sign_date_min", "02/01/2020", "03/01/2020"),
        ("search_mandate?", "sign_date_max", "02/01/2020", "01/01/2020"),
        ("search_mandate?", "sign_city", "ABCabc123", "Lyon"),
        ("search_mandate?", "consumer_first_name", "ABCabc123", "Nobody"),
        ("search_mandate?", "consumer_last_name", "ABCabc123", "Nobody"),
        ("search_mandate?", "consumer_address_street_number", "12", "13"),
        ("search_mandate?", "consumer_address_street_type", "rue", "avenue"),
        ("search_consumer?", "consumer_reference", "SAMPLE", "NOBODY"),
        ("search_consumer?consumer_reference=SAMPLE&", "safedebit_consumer_reference", SAMPLE, "NOBODY"),
        ("search_consumer?consumer_reference=SAMPLE&", "consumer_store", "", "373222055"),
        ("search_consumer?consumer_reference=SAMPLE&", "consumer_gender", "F", "M"),
        ("search_consumer?consumer_reference=SAMPLE&", "consumer_first_name", "ABCabc123", "Nobody"),
        ("search_consumer?consumer_reference=SAMPLE&", "consumer_use_name", "Use", "Nobody"),
        ("search_consumer?consumer_reference=SAMPLE&", "consumer_pseudonyme", "Pseudo", "Nobody"),
        ("search_consumer?consumer_reference=SAMPLE&", "consumer_last_name", "ABCabc123", "Nobody"),
        ("search_consumer?consumer_reference=SAMPLE&", "consumer_other_last_name", "Other", "Nobody"),
        ("search_consumer?consumer_reference=SAMPLE&", "identity_type", "3", "1"),
        ("search_consumer?consumer_reference=SAMPLE&", "id_number", "007", "7"),
        ("search_consumer?consumer_reference=SAMPLE&", "emission_date", "02/01/2020", "03/01/2020"),
        ("search_consumer?consumer_reference=SAMPLE&", "emission_date_min", "02/01/2020", "03/01/2020"),
        ("search_consumer?consumer_reference=SAMPLE&", "emission_date_max", "02/01/2020", "01/01/2020"),
        ("search_consumer?consumer_reference=SAMPLE&", "expire_date", "02/01/2030", "03/01/2030"),
        ("search_consumer?consumer_reference=SAMPLE&", "expire_date_min", "02/01/2030", "03/01/2030"),
        ("search_consumer?consumer_reference=SAMPLE&", "expire_date_max", "02/01/2030", "01/01/2030"),
        ("search_consumer?consumer_reference=SAMPLE&", "consumer_birth_day", "03/02/1990", "04/02/1990"),
        ("search_consumer?consumer_reference=SAMPLE&", "consumer_birth_day_min", "03/02/1990", "04/02/1990"),
        ("search_consumer?consumer_reference=SAMPLE&", "consumer_birth_day_max", "03/02/1990", "02/02/1990"),
        ("search_consumer?consumer_reference=SAMPLE&", "consumer_birth_city", "Lyon", "Paris"),
        ("search_consumer?consumer_reference=SAMPLE&", "nationality", "FR", "DE"),
        ("search_consumer?consumer_reference=SAMPLE&", "consumer_address_street_number", "12", "13"),
        ("search_consumer?consumer_reference=SAMPLE&", "consumer_address_street_type", "rue", "avenue"),
        ("search_payment?", "payment_reference", SAMPLE, "NOTHING"),
        ("search_payment?", "payment_reference_list", "[\"PAY-9\",\"XXXXXXXXXXXXX\"]", "[]"),
        ("search_payment?", "safedebit_secure_reference", guarantee, "SF_9"),
        ("search_payment?", "payment_method", "SAFEDEBIT", "CB"),
        ("search_payment?", "consumer_store", "", "373222055"),
        ("search_payment?", "safedebit_consumer_reference", SAMPLE, "NOBODY"),
        ("search_payment?", "transaction_id", "", "T-1"),
        ("search_payment?", "basket_id", "", "B-1"),
        ("search_payment?", "beneficiary_reference", "", "BEN-1"),
        ("search_payment?", "umr", SAMPLE, "RUM-1"),
        ("search_payment?", "amount", "0333", "334"),
        ("search_payment?", "amount_min", "333", "334"),
        ("search_payment?", "amount_max", "1000", "332"),
        ("search_payment?", "creation_date", "", "02/01/2020"),
        ("search_payment?", "creation_date_min", "", "02/01/2020"),
        ("search_payment?", "creation_date_max", "", "02/01/2020"),
        ("search_payment?", "validation_date", "", "02/01/2020"),
        ("search_payment?", "validation_date_min", "", "02/01/2020"),
        ("search_payment?", "validation_date_max", "", "02/01/2020"),
        ("search_payment?", "reject_date", "", "02/01/2020"),
        ("search_payment?", "reject_date_min", "", "02/01/2020"),
        ("search_payment?", "reject_date_max", "", "02/01/2020"),
        ("search_payment?", "echeance_number", "1", "2"),
        ("search_control?", "safedebit_secure_reference", guarantee, "SF_9"),
        ("search_control?", "iban", iban, "DE89370400440532013000"),
        ("search_control?", "type", "1", "2"),
        ("search_control?", "amount", "999", "99"),
        ("search_control?", "amount_min", "999", "1000"),
        ("search_control?", "amount_max", "999", "100"),
        ("search_control?", "date", "", "02/01/2020"),
        ("search_control?", "date_min", "02/01/2020", "02/01/2120"),
        ("search_control?", "date_max", "02/01/2120", "02/01/2020"),
    ];
    let refused = [
        ("search_payment?", "payment_status", "01"),
        ("search_control?", "encours_type", "1"),
        ("search_payment?", "payment_reference_list", "PAY-1"),
    ];
    let spec: Value = serde_json::from_str(include_str!(concat!(env!("OUT_DIR"), "/safedebit.sandbox.json"))).unwrap();
    for search in ["search_mandate", "search_consumer", "search_payment", "search_control"] {
        for parameter in spec["paths"][format!("/{search}")]["get"]["parameters"].as_array().unwrap() {
            let shared = parameter["$ref"].as_str().and_then(|to| spec.pointer(to.trim_start_matches('#')));
            let name = shared.unwrap_or(parameter)["name"].as_str().unwrap();
            let mut tested = filters.iter().map(|row| (row.0, row.1)).chain(refused.iter().map(|row| (row.0, row.1)));
            assert!(tested.any(|row| row.0.starts_with(search) && row.1 == name), "{search}: {name} is not tested");
        }
    }
    for (search, filter, matching, other) in filters {
        for (value, number) in [(matching, true), (other, false)].into_iter().filter(|(value, _)| !value.is_empty()) {
            let query = url::form_urlencoded::Serializer::new(String::new()).append_pair(filter, value).finish();
            let found = found(&sandbox, &format!("{search}{query}")).await;
            assert_eq!(found.as_ref().map(|found| *found > 0), Ok(number), "{search}{query} {found:?}");
        }
    }
    for (search, filter, value) in refused {
        let refused = found(&sandbox, &format!("{search}{filter}={value}")).await.unwrap_err();
        assert!(refused.starts_with("sandbox: query."), "{search}: {refused}");
    }
    let events = |query: &'static str| send(&sandbox, Provider::Seqino, Method::GET, query, Value::Null);
    let (status, refused) = events("/lifecycle-events?object_id=mdt_abc123").await;
    assert!(status == 400 && refused["error"].as_str().unwrap().starts_with("sandbox: object_id"), "{refused}");
    assert_eq!(events("/mandates?status_filter=expired").await, (200, json!([])));
    assert_eq!(events("/clients?external_ref=NOBODY").await, (200, json!([])));
}

#[tokio::test]
async fn payment_and_document_of_another_consumer_are_unknown() {
    let sandbox = Sandbox::start().await.unwrap();
    let body = json!({
        "consumer_type": "0", "consumer_reference": "OTHER", "consumer_last_name": "Other", "consumer_first_name": "One",
        "consumer_store": "373222055", "consumer_address_street_number": "1", "consumer_address_street_type": "rue",
        "consumer_address_street_name": "A", "consumer_zip_code": "75001", "consumer_city": "Paris",
        "consumer_email": "abc@abc.com", "consumer_phone_number": "0102030405", "iban": "FR7630001007941234567890185",
        "consumer_birth_date": "03/02/1990",
    });
    let other = safedebit(&sandbox, "create_consumer", body).await["safedebit_consumer_reference"].clone();
    let other = other.as_str().unwrap();
    for (consumer, validated) in [(other, json!("SANDBOX_002")), (SAMPLE, json!(null))] {
        let body = json!({"safedebit_consumer_reference": consumer, "payment_reference": SAMPLE,
                          "validation_type": "OTP", "validation_value": "123456"});
        let response = safedebit(&sandbox, "validate_payment", body).await;
        assert_eq!(response["code"], validated, "{response}");
        let path = format!("/download_mandate_file?safedebit_consumer_reference={consumer}&umr={SAMPLE}");
        let (_, document) = send(&sandbox, Provider::SafeDebit, Method::GET, &path, Value::Null).await;
        assert_eq!(document["code"], validated, "{document}");
    }
    let born = |day: &str| format!("search_consumer?consumer_reference=OTHER&consumer_birth_day={day}");
    assert_eq!(found(&sandbox, &born("03/02/1990")).await, Ok(1));
    assert_eq!(found(&sandbox, &born("04/02/1990")).await, Ok(0));
    // A search by shop finds a payment by the shop of its consumer.
    let moved = json!({"safedebit_consumer_reference": other});
    control(&sandbox, "PATCH", &format!("/state/safedebit/debits/{SAMPLE}"), moved).await;
    assert_eq!(found(&sandbox, "search_payment?consumer_store=373222055").await, Ok(1));
}

/// Submits a decision on a page. Returns the status, the next address, and the text.
pub async fn decide(link: &str, decision: &str) -> (u16, Option<String>, String) {
    let client = Client::builder().redirect(Policy::none()).build().unwrap();
    let form = client.post(link).header("content-type", "application/x-www-form-urlencoded");
    let response = form.body(format!("decision={decision}")).send().await.unwrap();
    let next = response.headers().get("location").map(|next| next.to_str().unwrap().to_owned());
    let status = response.status().as_u16();
    (status, next, String::from_utf8(response.bytes().await.unwrap().to_vec()).unwrap())
}

#[tokio::test]
async fn second_click_on_a_page_shows_the_result_of_the_first() {
    let sandbox = Sandbox::start().await.unwrap();
    let ok = Some("https://example.com/ok?umr=RUM-1".to_owned());
    let link = mandate(&sandbox, "RUM-1", json!({"status": "5"})).await;
    for _ in 0..2 {
        let (status, next, _) = decide(&link, "agree").await;
        assert_eq!((status, &next), (307, &ok));
    }
    // The link is used, although the mandate has the same word as before the signature.
    assert_eq!(word(&sandbox, "RUM-1").await, "5");
    let page = CLIENT.get(&link).send().await.unwrap();
    assert_eq!(page.status(), 410);
    let page = String::from_utf8(page.bytes().await.unwrap().to_vec()).unwrap();
    assert!(page.contains("déjà été utilisé") && !page.contains("/ko"), "{page}");
    let late = safedebit(&sandbox, "otu_confirm_mandat", json!({"umr": "RUM-1", "otu_value": "123456"})).await;
    assert_eq!(late["code"], "SANDBOX_003", "{late}");

    // After a revocation the second click signs nothing.
    let link = mandate(&sandbox, "RUM-2", json!({})).await;
    decide(&link, "agree").await;
    safedebit(&sandbox, "revoque_mandate", json!({"umr": "RUM-2", "revoque_reason": "1"})).await;
    assert_eq!(decide(&link, "agree").await.0, 307);
    assert_eq!(word(&sandbox, "RUM-2").await, "3");

    let body = json!({"include_kyc": true, "include_signature": true, "callback_url": "https://example.com/back"});
    let (_, onboarding) = send(&sandbox, Provider::Seqino, Method::POST, "/clients/onboarding-link", body).await;
    let onboarding = onboarding["onboarding_url"].as_str().unwrap();
    for _ in 0..2 {
        let (status, next, _) = decide(onboarding, "agree").await;
        assert_eq!((status, next.as_deref()), (303, Some("https://example.com/back")));
    }
}

#[tokio::test]
async fn request_with_another_content_type_is_refused() {
    let sandbox = Sandbox::start().await.unwrap();
    let revoke = json!({"umr": SAMPLE, "revoque_reason": "1"}).to_string();
    let url = format!("{}/revoque_mandate", sandbox.base_url(Provider::SafeDebit));
    for kind in
        ["text/plain", "application/x-www-form-urlencoded", "application/xml", "", "application/json-patch+json"]
    {
        let request = CLIENT.post(&url).basic_auth("sandbox", Some("sandbox-password")).header("content-type", kind);
        let body = request.body(revoke.clone()).send().await.unwrap().bytes().await.unwrap();
        let body: Value = serde_json::from_slice(&body).unwrap();
        let why = body["message"].as_str().unwrap_or_default();
        assert_eq!(why, "sandbox: header.Content-Type: this is not application/json", "{kind}: {body}");
    }
    assert_eq!(word(&sandbox, SAMPLE).await, "1");
    let request = CLIENT.post(&url).basic_auth("sandbox", Some("sandbox-password"));
    request.header("content-type", "Application/JSON; charset=utf-8").body(revoke).send().await.unwrap();
    assert_eq!(word(&sandbox, SAMPLE).await, "3");

    let file = json!({"file": "x"});
    let (status, refused) = send(&sandbox, Provider::Seqino, Method::POST, "/invoicing/files/submit", file).await;
    assert_eq!((status, &refused["detail"][0]["msg"]), (422, &json!("this is not multipart/form-data")));
}

#[tokio::test]
async fn damaged_request_body_gets_its_own_reason() {
    let sandbox = Sandbox::start().await.unwrap();
    let url = format!("{}/revoque_mandate", sandbox.base_url(Provider::SafeDebit));
    for (body, why) in [
        ("{\"umr\": ", "body: this is not JSON: EOF while parsing a value at line 1 column 8"),
        ("{\"umr\": FR7630001007941234567890185}", "body: this is not JSON: expected value at line 1 column 9"),
        ("", "body: this field is required"),
    ] {
        let request = CLIENT.post(&url).basic_auth("sandbox", Some("sandbox-password"));
        let response = request.header("content-type", "application/json").body(body).send().await.unwrap();
        let response: Value = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap();
        assert_eq!(response["message"], format!("sandbox: {why}"), "{body}");
    }
    let auth = CLIENT.post(format!("{}/auth", sandbox.base_url(Provider::Easytransac)));
    let response = auth.header("content-type", "application/json").body("[").send().await.unwrap();
    let response: Value = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap();
    let message = response["message"].as_str().unwrap_or_default();
    assert!(response["code"] == 101 && message.starts_with("sandbox: body: this is not JSON: EOF"), "{response}");
    let cut = "--b\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.xml\"\r\n\r\n<Invoice";
    let request = CLIENT.post(format!("{}/invoicing/files/submit", sandbox.base_url(Provider::Seqino)));
    let request = request.header("authorization", "YOUR_API_KEY_HERE").header("x-pdp-client-id", Sandbox::CLIENT);
    let response = request.header("content-type", "multipart/form-data; boundary=b").body(cut).send().await.unwrap();
    let response: Value = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap();
    assert_eq!(response["detail"][0]["msg"], "this form is cut off or damaged", "{response}");

    let head = format!("POST /safedebit/ssp/revoque_mandate HTTP/1.1\r\nhost: {}\r\n", sandbox.address());
    for (rest, why) in [
        ("content-length: 50\r\n\r\n{\"umr\":", "is cut off"),
        ("transfer-encoding: chunked\r\n\r\n7\r\n{\"umr\"", "is cut off"),
        ("transfer-encoding: chunked\r\n\r\nxyz\r\n{}\r\n0\r\n\r\n", "a chunk of the body is not valid"),
    ] {
        let response = raw(sandbox.address(), &format!("{head}{rest}")).await;
        assert!(response.starts_with("HTTP/1.1 400 ") && response.contains(why), "{rest}: {response}");
    }
    assert_eq!(word(&sandbox, SAMPLE).await, "1");

    let large = CLIENT.post(&url).header("content-type", "application/json").body(vec![b' '; (64 << 20) + 1]);
    let response = large.send().await.unwrap();
    assert_eq!(response.status(), 413);
    assert!(String::from_utf8_lossy(&response.bytes().await.unwrap()).contains("larger than 64 MiB"));
}

#[tokio::test]
async fn truncated_fault_sends_a_head_and_a_part_of_a_body() {
    let sandbox = Sandbox::start().await.unwrap();
    let head = format!(
        "GET /safedebit/ssp/search_mandate HTTP/1.1\r\nhost: {}\r\nauthorization: Basic JQheySHkalSNuakkmSmm==\r\n\r\n",
        sandbox.address()
    );
    for fault in [Fault::truncated(), Fault::truncated().after_effect()] {
        sandbox.inject(fault.times(1));
        let response = raw(sandbox.address(), &head).await;
        let (start, body) = response.split_once("\r\n\r\n").unwrap();
        assert!(start.starts_with("HTTP/1.1 200 ") && body.contains('{') && !body.contains('}'), "{response}");
    }
    // The journal has no status for a response that is not complete.
    let journal = control(&sandbox, "GET", "/journal", None).await;
    assert!(journal.as_array().unwrap().iter().all(|request| request["status"] == 0), "{journal}");
}

#[tokio::test]
async fn response_401_names_the_scheme_and_schemes_match_in_any_case() {
    let sandbox = Sandbox::start().await.unwrap();
    for (at, path, scheme) in [
        (Provider::Easytransac, "/transaction/status?tid=ABC1-ABC1-ABC1", "Bearer"),
        (Provider::Seqino, "/clients", "ApiKey"),
    ] {
        let url = format!("{}{path}", sandbox.base_url(at));
        let refused = CLIENT.get(url).header("authorization", "Bearer wrong").send().await.unwrap();
        let challenge = refused.headers().get("www-authenticate").map(|value| value.to_str().unwrap());
        assert_eq!((refused.status().as_u16(), challenge), (401, Some(scheme)));
    }
    let auth = CLIENT.post(format!("{}/auth", sandbox.base_url(Provider::Easytransac)));
    let auth = auth.header("content-type", "application/json").body(json!({"apiKey": crate::support::KEY}).to_string());
    let token: Value = serde_json::from_slice(&auth.send().await.unwrap().bytes().await.unwrap()).unwrap();
    let token = token["data"]["token"].as_str().unwrap();
    for scheme in ["bearer", "BEARER", "Bearer"] {
        let url = format!("{}/transaction/status?tid=ABC1-ABC1-ABC1", sandbox.base_url(Provider::Easytransac));
        let response = CLIENT.get(url).header("authorization", format!("{scheme} {token}")).send().await.unwrap();
        assert_eq!(response.status(), 200, "{scheme}");
    }
    let url = format!("{}/search_mandate", sandbox.base_url(Provider::SafeDebit));
    let response = CLIENT.get(url).header("authorization", "basic JQheySHkalSNuakkmSmm==").send().await.unwrap();
    assert!(String::from_utf8_lossy(&response.bytes().await.unwrap()).contains("datas"));
}

#[tokio::test]
async fn transaction_is_found_only_if_each_given_reference_matches() {
    let sandbox = Sandbox::start().await.unwrap();
    let auth = CLIENT.post(format!("{}/auth", sandbox.base_url(Provider::Easytransac)));
    let auth = auth.header("content-type", "application/json").body(json!({"apiKey": crate::support::KEY}).to_string());
    let token: Value = serde_json::from_slice(&auth.send().await.unwrap().bytes().await.unwrap()).unwrap();
    let token = token["data"]["token"].as_str().unwrap();
    for (query, status) in [
        ("tid=ABC1-ABC1-ABC1", 200),
        ("orderId=order-1", 200),
        ("tid=ABC1-ABC1-ABC1&orderId=order-1", 200),
        ("tid=ABC1-ABC1-ABC1&orderId=order-2", 404),
        ("", 404),
        ("amount=1000", 404),
    ] {
        let url = format!("{}/transaction/status?{query}", sandbox.base_url(Provider::Easytransac));
        assert_eq!(CLIENT.get(url).bearer_auth(token).send().await.unwrap().status(), status, "{query}");
    }
}

#[tokio::test]
async fn pages_refuse_other_methods_and_explain_unknown_links() {
    let sandbox = Sandbox::start().await.unwrap();
    let link = mandate(&sandbox, "RUM-1", json!({})).await;
    for method in ["PUT", "DELETE", "TRACE", "OPTIONS", "PATCH"] {
        let response = CLIENT.request(method.parse().unwrap(), &link).body("decision=agree").send().await.unwrap();
        assert_eq!(
            (response.status().as_u16(), &response.headers()["allow"]),
            (405, &"GET, HEAD, POST".parse().unwrap())
        );
    }
    let (status, _, text) = decide(&link, "maybe").await;
    assert!(status == 400 && text.contains("decision=agree"), "{text}");
    let json = CLIENT.post(&link).header("content-type", "text/plain").body("decision=agree").send().await.unwrap();
    assert_eq!(json.status(), 415);
    assert_eq!(word(&sandbox, "RUM-1").await, "5");
    let page = |accepted: &'static str, link: String| async move {
        let response = CLIENT.get(link).header("accept-language", accepted).send().await.unwrap();
        let status = response.status().as_u16();
        (status, String::from_utf8(response.bytes().await.unwrap().to_vec()).unwrap())
    };
    for (accepted, language) in [
        ("fr;q=0.1, en;q=0.9", "en"),
        ("en;q=0.1, fr;q=0.9", "fr"),
        ("en, fr", "en"),
        ("EN-gb;q=0.5", "en"),
        ("en;q=0", "fr"),
        ("de, en;q=0.3", "en"),
        ("fr;q=0, *", "en"),
        ("*", "fr"),
        ("enm, frr", "fr"),
        ("", "fr"),
        ("en; q=x", "fr"),
        ("de, en ; q=0.2, fr; q=0.1", "en"),
    ] {
        let (status, text) = page(accepted, link.clone()).await;
        assert!(status == 200 && text.contains(&format!("<html lang=\"{language}\">")), "{accepted}: {text}");
    }
    let unknown = format!("http://{}/safedebit/pages/unknown", sandbox.address());
    for (accepted, said) in [("en", "This link is unknown."), ("fr", "Ce lien est inconnu.")] {
        let (status, text) = page(accepted, unknown.clone()).await;
        assert!(status == 404 && text.contains(said), "{text}");
    }
    assert_eq!(decide(&unknown, "agree").await.0, 404);
}

#[tokio::test]
async fn usage_counts_each_request_by_method_day_and_success() {
    let sandbox = Sandbox::start().await.unwrap();
    let get = |path: &'static str| send(&sandbox, Provider::Seqino, Method::GET, path, Value::Null);
    let post = |path: &'static str, body: Value| send(&sandbox, Provider::Seqino, Method::POST, path, body);
    assert_eq!(post("/mandates", json!({})).await.0, 422);
    assert_eq!(get("/mandates/nothing").await.0, 404);
    assert_eq!(get("/mandates").await.0, 200);
    let url = format!("{}/mandates", sandbox.base_url(Provider::Seqino));
    let refused = CLIENT.get(url).header("x-pdp-client-id", Sandbox::CLIENT).send().await.unwrap();
    assert_eq!(refused.status(), 401);

    let (_, usage) = get("/usage/metrics").await;
    assert_eq!((&usage["total_api_calls"], &usage["total_failed_calls"]), (&json!(3), &json!(2)), "{usage}");
    let endpoint = |endpoint: &str, method: &str| {
        let all = usage["endpoint_usage"].as_array().unwrap();
        let found = all.iter().find(|one| one["endpoint"] == endpoint && one["method"] == method);
        found.map(|one| (one["success_count"].as_u64().unwrap(), one["error_count"].as_u64().unwrap()))
    };
    assert_eq!(endpoint("/mandates", "POST"), Some((0, 1)), "{usage}");
    assert_eq!(endpoint("/mandates", "GET"), Some((1, 0)), "{usage}");
    assert_eq!(endpoint("/mandates/{mandate_id}", "GET"), Some((0, 1)), "{usage}");

    let (_, early) = get("/usage/metrics?start_date=2019-01-01&end_date=2019-12-31").await;
    assert_eq!((&early["total_api_calls"], &early["start_date"]), (&json!(0), &json!("2019-01-01")), "{early}");
    sandbox.advance(Duration::from_secs(24 * 3600 * 800));
    let (_, later) = get("/usage/metrics?period=daily").await;
    assert_eq!((&later["total_api_calls"], &later["success_rate"]), (&json!(0), &json!(100.0)), "{later}");
    let (_, summary) = get("/usage/summary").await;
    assert_eq!(
        (&summary["current_month_calls"], &summary["previous_month_calls"]),
        (&json!(1), &json!(0)),
        "{summary}"
    );
    let month = || mandat::sepa::paris_day(sandbox.now()).month();
    let this_month = month();
    while month() == this_month {
        sandbox.advance(Duration::from_secs(24 * 3600));
    }
    let (_, summary) = get("/usage/summary").await;
    assert_eq!(
        (&summary["current_month_calls"], &summary["previous_month_calls"]),
        (&json!(0), &json!(2)),
        "{summary}"
    );
    assert_eq!(summary["month_over_month_change"], -100.0, "{summary}");
}

#[tokio::test]
async fn onboarding_link_without_a_header_is_for_the_newest_client() {
    let sandbox = Sandbox::start().await.unwrap();
    for name in ["One", "Zwei"] {
        let body = json!({"organization_name": name, "contact_email": "a@example.com", "external_ref": name});
        assert_eq!(send(&sandbox, Provider::Seqino, Method::POST, "/clients", body).await.0, 201);
    }
    let request = CLIENT.post(format!("{}/clients/onboarding-link", sandbox.base_url(Provider::Seqino)));
    let request = request.header("authorization", "YOUR_API_KEY_HERE").header("content-type", "application/json");
    let response =
        request.body(json!({"include_kyc": true, "include_signature": true}).to_string()).send().await.unwrap();
    let link: Value = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap();
    let page = CLIENT.get(link["onboarding_url"].as_str().unwrap()).send().await.unwrap();
    let page = String::from_utf8(page.bytes().await.unwrap().to_vec()).unwrap();
    assert!(page.contains("Zwei") && !page.contains("Acme"), "{page}");
}
