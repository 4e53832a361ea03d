//! No operation shows personal data or secrets in `Debug`, errors or logs, whatever response the vendor sends.

use crate::{
    errors::{answers, assert_shows_no_planted_data},
    support::{Act, KEY, Server, facade, json, test_settings},
    traces::Log,
};
use serde_json::{Value, json as value};
use std::sync::{Arc, Mutex};

/// The personal data in the examples of the specs, and the secrets with which the tests send their requests.
const SECRETS: [&str; 12] = [
    "FR7630001007941234567890185",
    "abc@abc.com",
    "contact@acme.com",
    "Acme Corporation",
    "ABCabc123",
    "https://xxxxx.xxx/ok",
    "https://your-app.com",
    "abcabc12-abcabc12",
    "p4ssw0rd",
    "bG9naW46cDRzc3cwcmQ",
    "s3cret-k3y",
    "secret-jwt",
];

/// Further personal data that the test responses contain, in unknown fields and in fields that must be masked.
const ANSWERED: [&str; 4] =
    ["https://sign.example.com/planted", "+33600000000", "jeanne.dupond@example.com", "Dupond-Planted"];

fn assert_shows_no_secret(what: &str, shown: &str) {
    for secret in SECRETS.iter().chain(&ANSWERED) {
        assert!(!shown.contains(secret), "{what}: {secret:?} is in {shown}");
    }
}

/// Returns the example response of an operation, with personal data planted in every object.
fn planted(spec: &Value, id: &str) -> String {
    let operations = spec["paths"].as_object().unwrap().values().flat_map(|item| item.as_object().unwrap().values());
    let operation = operations.into_iter().find(|operation| operation["operationId"] == id).unwrap();
    let answers = operation["responses"].as_object().unwrap();
    let (code, answer) = answers.iter().find(|(code, _)| code.starts_with('2')).unwrap();
    let Some(mut example) = answer.pointer("/content/application~1json/example").cloned() else {
        return json(code.parse().unwrap_or(204), "");
    };
    plant(&mut example);
    json(code.parse().unwrap_or(200), &example.to_string())
}

fn plant(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.values_mut().for_each(plant);
            // The order id in the sample equals the name of a person in the sample, so the test replaces the order id.
            if let Some(order) = fields.get_mut("orderId") {
                *order = "order-1".into();
            }
            for (key, planted) in [("signature_url", 0), ("phone", 1), ("contact_email", 2), ("onboarding_url", 0)] {
                fields.insert(key.into(), ANSWERED[planted].into());
            }
            fields.insert("extra_data".into(), value!({"iban": SECRETS[0], "names": [ANSWERED[3]]}));
        }
        Value::Array(items) => items.iter_mut().for_each(plant),
        _ => {}
    }
}

/// Starts a server that sends the response that the test set last.
async fn scripted_server() -> (Arc<Mutex<Act>>, Server) {
    let answer = Arc::new(Mutex::new(Act::from(json(500, ""))));
    let shared = answer.clone();
    let server = Server::start(move |request| match request.starts_with("POST /auth ") {
        true => crate::support::token_called("secret-jwt", 300).into(),
        false => shared.lock().unwrap().clone(),
    });
    (answer, server.await)
}

/// Lists values that a vendor could put into the wrong field. Each has a part that no output may show.
fn misplaced_values() -> Vec<(Value, &'static str)> {
    let iban = "FR7630001007941234567890185";
    vec![
        (iban.into(), "30001007941"),
        ("FR76 3000 1007 9412 3456 7890 185".into(), "3000 1007"),
        ("fr76-3000-1007-9412-3456-7890-185".into(), "3000-1007"),
        ("RUM FR7630001007941234567890185".into(), "30001007941"),
        ("jeanne.dupond@example.com".into(), "dupond"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln".into(), "eyJ"),
        ("eyJhbGciOiJub25lIn0.e30.".into(), "eyJ"),
        ("https://sign.example.com/planted".into(), "sign.example"),
        ("sign.example.com/planted".into(), "sign.example"),
        ("06-12-34-56-78".into(), "12-34"),
        ("+33 6 12 34 56 78".into(), "12 34"),
        ("RUM-1\nforged: line".into(), "forged"),
        ("RUM-1\u{1b}[31mforged".into(), "forged"),
        ("RUM-1\u{202e}forged".into(), "forged"),
        (value!({"iban": iban}), "30001007941"),
        (value!({iban: 1}), "30001007941"),
        (value!(["jeanne.dupond@example.com"]), "dupond"),
    ]
}

/// Collects the paths of all texts and numbers in a JSON value.
fn leaves(value: &Value, place: &str, out: &mut Vec<String>) {
    match value {
        Value::Object(fields) => fields.iter().for_each(|(key, value)| leaves(value, &format!("{place}/{key}"), out)),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, item)| leaves(item, &format!("{place}/{index}"), out));
        }
        Value::Bool(_) | Value::Null => {}
        Value::String(_) | Value::Number(_) => out.push(place.into()),
    }
}

/// Returns copies of the example response: one for each misplaced value in all places, and further copies with a
/// misplaced value in a single place.
fn responses_with_misplaced_values(spec: &Value, id: &str) -> Vec<(String, &'static str)> {
    let operations = spec["paths"].as_object().unwrap().values().flat_map(|item| item.as_object().unwrap().values());
    let operation = operations.into_iter().find(|operation| operation["operationId"] == id).unwrap();
    let answers = operation["responses"].as_object().unwrap();
    let (code, answer) = answers.iter().find(|(code, _)| code.starts_with('2')).unwrap();
    let Some(example) = answer.pointer("/content/application~1json/example") else { return Vec::new() };
    let (mut places, misplaced) = (Vec::new(), misplaced_values());
    leaves(example, "", &mut places);
    let with = |places: &[String], planted: &Value| {
        let mut example = example.clone();
        places.iter().for_each(|place| *example.pointer_mut(place).unwrap() = planted.clone());
        json(code.parse().unwrap_or(200), &example.to_string())
    };
    let everywhere = misplaced.iter().map(|(planted, part)| (with(&places, planted), *part));
    // Neighbouring places get different misplaced values.
    let one_by_one = places.iter().enumerate().map(|(index, place)| {
        let (planted, part) = &misplaced[(index * 5 + id.len()) % misplaced.len()];
        (with(std::slice::from_ref(place), planted), *part)
    });
    everywhere.chain(one_by_one).collect()
}

/// Asserts that the output contains neither this part of a value nor a control sequence.
fn assert_hides(what: &str, shown: &str, part: &str) {
    assert!(!shown.contains(part), "{what}: {part:?} is in {shown}");
    assert!(!shown.contains(['\u{1b}', '\u{202e}']), "{what}: {shown:?}");
}

#[tokio::test]
async fn mandates_hide_personal_data_in_reference_and_status_fields() {
    use mandat::MandateRef;
    for (planted, part) in misplaced_values() {
        let reference = planted.as_str().unwrap_or("RUM-1").to_owned();
        let body = value!({
            "success": true, "result": true, "id": reference, "client_id": planted, "start_date": planted,
            "end_date": planted, "created_at": planted, "status": planted,
            "data": {"mandateId": reference, "status": planted, "dateCreated": planted},
            "datas": [{"umr": reference, "status": planted, "other": planted}],
        });
        let server = Server::with_token(move |_| json(200, &body.to_string())).await;
        let mandates = facade(&server.url(), &test_settings());
        let log = Log::listen();
        let references: Vec<MandateRef> = vec![
            #[cfg(feature = "easytransac")]
            MandateRef::easytransac(&reference),
            #[cfg(feature = "safedebit")]
            MandateRef::safedebit(&reference),
            #[cfg(feature = "seqino")]
            MandateRef::seqino("client_1", &reference),
        ];
        for reference in references {
            assert_hides("a reference", &format!("{reference:?}"), part);
            let text = reference.to_string();
            assert!(!text.contains(char::is_control), "{text:?}");
            assert_eq!(text.parse::<MandateRef>().unwrap(), reference);
            match mandates.status(&reference).await {
                Ok(mandate) => {
                    assert_hides("a mandate", &format!("{mandate:?}"), part);
                    assert_hides("a word", &format!("{} {:?}", mandate.raw, mandate.raw), part);
                }
                Err(error) => assert_hides("an error", &format!("{error} {error:?}"), part),
            }
        }
        assert_hides("a log", &log.text(), part);
    }
}

macro_rules! leak_tests_for_each_operation {
    ($feature:literal, $module:ident, $examples:ident) => {
        #[cfg(feature = $feature)]
        mod $module {
            use super::*;

            include!(concat!(env!("OUT_DIR"), "/", $feature, ".examples.rs"));

            fn spec() -> Value {
                serde_json::from_str(include_str!(concat!(env!("OUT_DIR"), "/", $feature, ".json"))).unwrap()
            }

            #[tokio::test]
            async fn successful_operations_show_no_personal_data() {
                use mandat::$module as api;
                let (log, spec) = (Log::listen(), spec());
                let (answer, server) = scripted_server().await;
                let mandates = facade(&server.url(), &test_settings());
                let client = mandates.$module().unwrap();
                let mut shown = 0;
                macro_rules! check {
                    ($id:literal, $operation:ident, $builder:expr) => {
                        *answer.lock().unwrap() = planted(&spec, $id).into();
                        let builder = format!("{:?}", $builder);
                        // The order id in the sample equals the name of a person in the sample, so the test ignores the
                        // order id.
                        let order = ["order_id: Ok(Some(\"ABCabc123\"))", "order_id: Ok(Some(OrderId(ABCabc123)))"];
                        let builder = order.iter().fold(builder, |builder, order| builder.replace(order, ""));
                        assert_shows_no_secret($id, &builder);
                        if $id != "generate_token" {
                            let answer = $builder.send().await.unwrap();
                            assert_shows_no_secret($id, &format!("{answer:?} {answer:#?}"));
                        }
                        shown += 1;
                    };
                }
                $examples!(client, api, check);
                assert!(shown > 4);
                assert_shows_no_secret("the facade", &format!("{mandates:?} {client:?}"));
                assert_shows_no_secret("a log", &log.text());
            }

            #[tokio::test]
            async fn personal_data_in_the_wrong_field_of_a_response_is_not_shown() {
                use mandat::$module as api;
                let spec = spec();
                let (answer, server) = scripted_server().await;
                let mandates = facade(&server.url(), &test_settings());
                let client = mandates.$module().unwrap();
                let mut read = 0;
                macro_rules! check {
                    ($id:literal, $operation:ident, $builder:expr) => {
                        for (response, part) in responses_with_misplaced_values(&spec, $id) {
                            *answer.lock().unwrap() = response.into();
                            match $builder.send().await {
                                Ok(answer) => {
                                    read += 1;
                                    assert_hides($id, &format!("{answer:?}"), part);
                                    assert_hides($id, &format!("{answer:#?}"), part);
                                }
                                Err(error) => assert_hides($id, &format!("{error} {error:?}"), part),
                            }
                        }
                    };
                }
                $examples!(client, api, check);
                assert!(read > 50, "{read}");
            }

            #[tokio::test]
            async fn failed_operations_show_no_personal_data() {
                use mandat::$module as api;
                let log = Log::listen();
                let (answer, server) = scripted_server().await;
                let mandates = facade(&server.url(), &test_settings());
                let client = mandates.$module().unwrap();
                for (name, act) in answers() {
                    if name.starts_with("slow") {
                        continue;
                    }
                    *answer.lock().unwrap() = act;
                    macro_rules! check {
                        ($id:literal, $operation:ident, $builder:expr) => {
                            if let Err(error) = $builder.send().await {
                                assert_shows_no_planted_data(&error);
                                assert_shows_no_secret($id, &format!("{error} {error:?}"));
                            }
                        };
                    }
                    $examples!(client, api, check);
                }
                let text = log.text();
                assert!(text.contains("error.type"), "the call should log an error");
                assert_shows_no_secret("a log", &text);
                for secret in crate::errors::PLANTED {
                    assert!(!text.contains(secret), "the log contains {secret}");
                }
            }
        }
    };
}
leak_tests_for_each_operation!("easytransac", easytransac, easytransac_examples);
leak_tests_for_each_operation!("safedebit", safedebit, safedebit_examples);
leak_tests_for_each_operation!("seqino", seqino, seqino_examples);

#[test]
fn debug_of_a_configuration_shows_no_credentials() {
    #[cfg(feature = "easytransac")]
    assert_shows_no_secret("a configuration", &format!("{:?}", mandat::easytransac::Config::sandbox(KEY)));
    #[cfg(feature = "safedebit")]
    {
        let config = mandat::safedebit::Config::new("https://login:p4ssw0rd@x.safedebit.fr/ssp", "login", "p4ssw0rd");
        assert_shows_no_secret("a configuration", &format!("{config:?} {config:#?}"));
    }
    #[cfg(feature = "seqino")]
    assert_shows_no_secret(
        "a configuration",
        &format!("{:?}", mandat::seqino::Config::new("https://x/?key=s3cret-k3y", "s3cret-k3y")),
    );
    let _ = KEY;
}
