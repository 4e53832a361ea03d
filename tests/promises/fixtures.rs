//! The client reads the sample responses in the vendors' documentation and all examples in the specs without loss.

use crate::{
    snapshot,
    support::{KEY, Server, json, token},
};
use mandat::{Mandate, Mandates};
use serde_json::Value;
use std::sync::{Arc, Mutex};

/// A test server that sends the response that the test set last, and a facade that is connected to this server.
struct Scripted {
    answer: Arc<Mutex<String>>,
    mandates: Mandates,
    _server: Server,
}

impl Scripted {
    async fn start() -> Self {
        let answer = Arc::new(Mutex::new(token(300)));
        let shared = answer.clone();
        let server =
            Server::start(
                move |request| {
                    if request.starts_with("POST /auth ") { token(300) } else { shared.lock().unwrap().clone() }
                },
            )
            .await;
        let url = server.url();
        let builder = Mandates::builder();
        #[cfg(feature = "easytransac")]
        let builder = builder.easytransac(mandat::easytransac::Config::new(&url, KEY));
        #[cfg(feature = "safedebit")]
        let builder = builder.safedebit(mandat::safedebit::Config::new(&url, "login", "password"));
        #[cfg(feature = "seqino")]
        let builder = builder.seqino(mandat::seqino::Config::new(&url, "key"));
        let _ = (url, KEY);
        Self { answer, mandates: builder.build().unwrap(), _server: server }
    }

    fn answers(&self, body: &str) {
        *self.answer.lock().unwrap() = if body.is_empty() { json(204, "") } else { json(200, body) };
    }
}

/// Returns a mandate as JSON, without the time of its reading.
fn shown(mandate: &Mandate) -> String {
    let mut value = serde_json::to_value(mandate).unwrap();
    value.as_object_mut().unwrap().remove("observed_at");
    serde_json::to_string_pretty(&value).unwrap()
}

#[cfg(feature = "easytransac")]
#[tokio::test]
async fn easytransac_sample_responses_are_read() {
    let scripted = Scripted::start().await;
    scripted.answers(include_str!("fixtures/easytransac-create_mandate.json"));
    let client = scripted.mandates.easytransac().unwrap();
    let request = r#"{"email":"abc@abc.com","lastname":"ABCabc123","iban":"FR7630001007941234567890185","address":"ABCabc123","zipCode":"ABCabc123","city":"ABCabc123","country":"FRA"}"#;
    let body: mandat::easytransac::types::CreateMandateRequest = serde_json::from_str(request).unwrap();
    let answer = client.create_mandate().body(body).send().await.unwrap();
    snapshot!("fixture-easytransac-create_mandate", shown(&Mandate::from(&answer)));
}

#[cfg(feature = "safedebit")]
#[tokio::test]
async fn safedebit_sample_responses_are_read() {
    let scripted = Scripted::start().await;
    let create = || {
        let request = scripted.mandates.safedebit().unwrap().create_mandate();
        request.body_map(|body| {
            body.safedebit_consumer_reference("XXXXXXXXXXXXX")
                .url_ok("https://xxxxx.xxx/ok")
                .url_ko("https://xxxxx.xxx/ko")
                .url_cancel("https://xxxxx.xxx/cancel")
        })
    };
    scripted.answers(include_str!("fixtures/safedebit-create_mandate.json"));
    let answer = create().send().await.unwrap();
    assert_eq!(answer.signature_url.as_str(), "https://xxxxxxxxx");
    snapshot!("fixture-safedebit-create_mandate", shown(&Mandate::from(&answer)));
    scripted.answers(include_str!("fixtures/safedebit-create_mandate-failed.json"));
    assert_eq!(create().send().await.unwrap_err().vendor_code(), Some("XXXX"));
}

#[cfg(feature = "seqino")]
#[tokio::test]
async fn seqino_sample_responses_are_read() {
    let scripted = Scripted::start().await;
    let client = scripted.mandates.seqino().unwrap();
    scripted.answers(include_str!("fixtures/seqino-list_clients.json"));
    assert!(client.list_clients().send().await.unwrap().is_empty());
    let sample = include_str!("fixtures/seqino-client.json");
    scripted.answers(sample);
    let answer = client.get_client().client_id("string").send().await.unwrap();
    assert_eq!(serde_json::to_value(&answer).unwrap(), serde_json::from_str::<Value>(sample).unwrap());
    let sample = include_str!("fixtures/seqino-create_onboarding_link.json");
    scripted.answers(sample);
    let answer = client.create_onboarding_link().send().await.unwrap();
    assert_eq!(serde_json::to_value(&answer).unwrap(), serde_json::from_str::<Value>(sample).unwrap());
}

/// Returns the example response of an operation in the spec, or `None` if the operation has no response body.
fn example(spec: &Value, id: &str) -> Option<Value> {
    let operations = spec["paths"].as_object().unwrap().values().flat_map(|item| item.as_object().unwrap().values());
    let operation = operations.into_iter().find(|operation| operation["operationId"] == id).unwrap();
    let answers = operation["responses"].as_object().unwrap();
    let (_, answer) = answers.iter().find(|(code, _)| code.starts_with('2')).unwrap();
    answer.pointer("/content/application~1json/example").cloned()
}

macro_rules! spec_example_tests {
    ($feature:literal, $module:ident, $examples:ident) => {
        #[cfg(feature = $feature)]
        mod $module {
            include!(concat!(env!("OUT_DIR"), "/", $feature, ".examples.rs"));

            #[tokio::test]
            async fn example_responses_of_the_specs_are_read_and_written_without_loss() {
                use mandat::$module as api;
                let spec = include_str!(concat!(env!("OUT_DIR"), "/", $feature, ".json"));
                let spec: super::Value = serde_json::from_str(spec).unwrap();
                let scripted = super::Scripted::start().await;
                let client = scripted.mandates.$module().unwrap();
                macro_rules! check {
                    ($id:literal, $operation:ident, $builder:expr) => {
                        let example = super::example(&spec, $id);
                        scripted.answers(&example.as_ref().map(ToString::to_string).unwrap_or_default());
                        let answer = $builder.send().await.unwrap();
                        assert_eq!(serde_json::to_value(&answer).unwrap(), example.unwrap_or_default(), $id);
                    };
                }
                $examples!(client, api, check);
            }
        }
    };
}
spec_example_tests!("easytransac", easytransac, easytransac_examples);
spec_example_tests!("safedebit", safedebit, safedebit_examples);
spec_example_tests!("seqino", seqino, seqino_examples);
