//! A response that belongs to another request is an error.
#![cfg(all(feature = "easytransac", feature = "safedebit", feature = "seqino"))]

use crate::support::{Server, facade, json, test_settings};
use mandat::{Error, ErrorKind, Mandates, Outcome, wire::AmountCents};
use serde_json::{Value, json as value};

async fn call(mandates: &Mandates, operation: &str) -> Result<(), Error> {
    let (easytransac, safedebit, seqino) =
        (mandates.easytransac().unwrap(), mandates.safedebit().unwrap(), mandates.seqino().unwrap());
    match operation {
        "create_mandate at SafeDebit" => {
            let create = safedebit.create_mandate().body_map(|b| {
                b.safedebit_consumer_reference("XXXXXXXXXXXXX")
                    .url_ok("https://example.com/ok")
                    .url_ko("https://example.com/ko")
                    .url_cancel("https://example.com/cancel")
                    .umr("RUM-1")
            });
            create.send().await.map(drop)
        }
        "payment" => {
            let payment = safedebit.payment().body_map(|b| {
                b.amount(AmountCents::from_euros(12, 50).unwrap())
                    .due_date("02/01/2030")
                    .sdd_reference("SDD-1")
                    .umr("RUM-1")
                    .safedebit_consumer_reference("XXXXXXXXXXXXX")
            });
            payment.send().await.map(drop)
        }
        "create_client" => {
            let create = seqino
                .create_client()
                .body_map(|b| b.organization_name("Acme").contact_email("abc@abc.com").external_ref("EXT-1"));
            create.send().await.map(drop)
        }
        "update_client" => {
            let update = seqino.update_client().client_id("client_1").body_map(|b| b.external_ref("EXT-1"));
            update.send().await.map(drop)
        }
        "get_client" => seqino.get_client().client_id("client_1").send().await.map(drop),
        "create_mandate at Seqino" => {
            let entry = mandat::seqino::types::DirectoryEntry::builder().siren("012345678").name("Acme");
            let create = seqino.create_mandate().x_pdp_client_id("client_1");
            let now = chrono::Utc::now();
            create.body_map(|b| b.start_date(now).directory_entry(entry)).send().await.map(drop)
        }
        "get_transaction_status" => easytransac.get_transaction_status().order_id("order-1").send().await.map(drop),
        _ => unreachable!("{operation}"),
    }
}

fn client() -> Value {
    value!({
        "client_id": "client_1", "organization_name": "Acme", "contact_email": "abc@abc.com", "external_ref": "EXT-1",
        "sponsor_id": "s", "status": "active", "created_at": "2019-08-24T14:15:22Z",
    })
}

/// Lists operations. Each has a response, the field that repeats a value of the request, and a flag for a write.
fn answers() -> Vec<(&'static str, Value, &'static str, bool)> {
    let date = "2024-12-31T23:59:59+02:00";
    let transaction = value!({"success": true, "date": date, "data": {
        "tid": "ABC1-ABC1-ABC1", "orderId": "order-1", "status": "captured", "amount": 1000, "dateCreated": date,
    }});
    let payment = value!({
        "result": true, "payment_reference": "P-1", "sdd_reference": "SDD-1", "status": "PENDING",
        "due_date": "02/01/2030", "validation_type": "1",
    });
    let mandate = value!({
        "id": "mdt_1", "client_id": "client_1", "start_date": "2024-01-15T00:00:00Z", "status": "active",
        "directory_entry": {"siren": "012345678", "name": "Acme"}, "created_at": "2019-08-24T14:15:22Z",
    });
    let create = value!({"result": true, "umr": "RUM-1", "signature_url": "https://example.com/x", "status": "1"});
    vec![
        ("create_mandate at SafeDebit", create, "/umr", true),
        ("payment", payment, "/sdd_reference", true),
        ("create_client", client(), "/external_ref", true),
        ("update_client", client(), "/client_id", true),
        ("update_client", client(), "/external_ref", true),
        ("get_client", client(), "/client_id", false),
        ("create_mandate at Seqino", mandate.clone(), "/client_id", true),
        ("create_mandate at Seqino", mandate, "/directory_entry/siren", true),
        ("get_transaction_status", transaction, "/data/orderId", false),
    ]
}

async fn answered(operation: &str, answer: &Value) -> Result<(), Error> {
    let body = answer.to_string();
    let server = Server::with_token(move |_| json(200, &body)).await;
    call(&facade(&server.url(), &test_settings()), operation).await
}

#[tokio::test]
async fn response_with_another_reference_leaves_a_write_unknown() {
    for (operation, mut answer, place, write) in answers() {
        let right = answered(operation, &answer).await;
        assert!(right.is_ok(), "{operation}: {}", right.unwrap_err());
        let own = answer.pointer(place).unwrap().as_str().unwrap().to_owned();
        for other in [format!("{own}2"), format!("X{own}"), "RUM-9".into(), own.replace('1', "7")] {
            *answer.pointer_mut(place).unwrap() = other.clone().into();
            let error = answered(operation, &answer).await.expect_err(operation);
            assert_eq!(error.kind(), ErrorKind::Decode, "{operation}: {error}");
            assert_eq!(error.outcome(), write.then_some(Outcome::Unknown), "{operation}: {error}");
            assert!(
                error.to_string().contains(&format!("{} is not the requested value", place[1..].replace('/', "."))),
                "{error}"
            );
            assert!(!error.is_retryable() && !error.to_string().contains(&other), "{error}");
        }
        // The same value in another notation is accepted in a response.
        for same in [format!(" {own} "), own.to_lowercase(), own.to_uppercase()] {
            *answer.pointer_mut(place).unwrap() = same.clone().into();
            let result = answered(operation, &answer).await;
            assert!(result.is_ok(), "{operation} {same:?}: {}", result.unwrap_err());
        }
    }
}

#[tokio::test]
async fn response_that_repeats_a_value_twice_or_under_a_damaged_key_is_refused() {
    for (operation, answer, place, write) in answers() {
        let key = place.rsplit('/').next().unwrap();
        let own = format!("\"{key}\":{}", answer.pointer(place).unwrap());
        let body = answer.to_string();
        assert!(body.contains(&own), "{operation}");
        for doubt in
            [format!("{own},\"{key}\":\"RUM-9\""), format!("\"{key}\":\"RUM-9\",{own}"), format!("{own},{own}")]
        {
            let body = body.replacen(&own, &doubt, 1);
            let server = Server::with_token(move |_| json(200, &body)).await;
            let error = call(&facade(&server.url(), &test_settings()), operation).await.expect_err(operation);
            assert_eq!(
                (error.kind(), error.outcome()),
                (ErrorKind::Decode, write.then_some(Outcome::Unknown)),
                "{doubt}"
            );
        }
        // A directory entry with a damaged key is kept as JSON, and nothing is read from it.
        if place.contains("directory_entry") {
            continue;
        }
        // The key is damaged, and the value is that of another request.
        let damaged = body.replacen(&own, &format!("{own},\"{key}\u{fffd}\":\"RUM-9\""), 1);
        let server = Server::with_token(move |_| json(200, &damaged)).await;
        let error = call(&facade(&server.url(), &test_settings()), operation).await.expect_err(operation);
        assert_eq!(error.kind(), ErrorKind::Decode, "{operation}");
    }
}

#[tokio::test]
async fn siren_that_is_sent_as_a_number_matches_its_text() {
    let (operation, mut answer, place, _) =
        answers().into_iter().find(|(_, _, place, _)| place.ends_with("siren")).unwrap();
    for (siren, same) in [(value!(12_345_678), true), (value!(12_345_679), false)] {
        *answer.pointer_mut(place).unwrap() = siren.clone();
        assert_eq!(answered(operation, &answer).await.is_ok(), same, "{siren}");
    }
}
