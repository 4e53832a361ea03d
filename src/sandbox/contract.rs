//! Checks the sandbox with the specs. Each example matches its own schema, and the spec describes each response that
//! the sandbox sends.

use super::{
    Reply, Request,
    spec::{operations, server_path},
    world::World,
};
use serde_json::{Map, Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    thread,
};

/// An operation of a spec, with the example of its request.
struct Example {
    id: String,
    method: String,
    path: String,
    query: BTreeMap<String, String>,
    headers: Vec<(String, String)>,
    body: Value,
    form: bool,
}

fn world() -> World {
    World::new(crate::vendors::simulated(), Arc::default(), 0)
}

fn at<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    let target = value["$ref"].as_str().and_then(|to| document.pointer(to.trim_start_matches('#')));
    target.unwrap_or(value)
}

fn examples(document: &Value, base: &str) -> Vec<Example> {
    let one = |(path, item, method, operation): (&str, &Value, &str, &Value)| {
        let base = server_path(item).unwrap_or_else(|| base.to_owned());
        let mut example = Example {
            id: operation["operationId"].as_str().unwrap().into(),
            method: method.to_uppercase(),
            path: format!("{base}{path}"),
            query: BTreeMap::new(),
            headers: Vec::new(),
            body: operation.pointer("/requestBody/content/application~1json/example").cloned().unwrap_or_default(),
            form: operation.pointer("/requestBody/content/multipart~1form-data").is_some(),
        };
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let parameter = at(document, parameter);
            let name = parameter["name"].as_str().unwrap();
            let value = match &parameter["example"] {
                Value::Null => continue,
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            match parameter["in"].as_str().unwrap() {
                "path" => example.path = example.path.replace(&format!("{{{name}}}"), &value),
                "query" => drop(example.query.insert(name.into(), value)),
                _ => example.headers.push((name.into(), value)),
            }
        }
        example
    };
    operations(document).map(one).collect()
}

impl Example {
    fn call(&self, authorization: &str) -> Request {
        let mut call = Request { query: self.query.clone(), body: self.body.clone(), ..Request::default() };
        call.pages = "http://127.0.0.1/pages/".into();
        for (name, value) in [("authorization".to_owned(), authorization.to_owned())].iter().chain(&self.headers) {
            let name: hyper::header::HeaderName = name.parse().unwrap();
            call.headers.insert(name, value.parse().unwrap());
        }
        let media = if self.form { "multipart/form-data" } else { "application/json" };
        call.headers.insert(hyper::header::CONTENT_TYPE, media.parse().unwrap());
        if self.form {
            call.file = Some(super::request::Upload { name: "invoice.xml".into(), content: "<Invoice/>".into() });
        }
        call
    }
}

/// Returns variants of the example body, each with a single error.
fn mutilated(body: &Value) -> Vec<Value> {
    let mut all = vec![json!([]), json!("text"), Value::Null, json!({})];
    for key in body.as_object().into_iter().flat_map(Map::keys) {
        let with = |value: Value| {
            let mut body = body.clone();
            body[key] = value;
            body
        };
        let mut without = body.clone();
        without.as_object_mut().unwrap().remove(key);
        all.extend([
            without,
            with(Value::Null),
            with(json!(-1)),
            with(json!("x".repeat(5000))),
            with(json!({"a": []})),
        ]);
        all.extend([with(json!("")), with(json!("01/01/1900")), with(json!("nobody"))]);
    }
    all
}

#[test]
fn example_of_each_request_matches_its_own_schema() {
    for vendor in &world().vendors {
        for example in examples(vendor.spec.document(), vendor.spec.base_path()) {
            let (route, path) = vendor.spec.find(&example.method, &example.path).unwrap();
            assert_eq!(route.operation, example.id);
            let call = Request { path, ..example.call("") };
            let found = vendor.spec.violations(route, &call);
            let found: Vec<_> = found.iter().map(|v| format!("{}: {}", v.place.join("."), v.what)).collect();
            assert!(found.is_empty(), "{}: {found:?}", example.id);
        }
    }
}

#[test]
fn example_of_each_response_matches_its_own_schema() {
    for vendor in &world().vendors {
        let document = vendor.spec.document();
        for example in examples(document, vendor.spec.base_path()) {
            let (.., operation) = operations(document).find(|(.., o)| o["operationId"] == *example.id).unwrap();
            for (status, answer) in operation["responses"].as_object().unwrap() {
                let answer = at(document, answer).pointer("/content/application~1json/example");
                let Some(body) = answer else { continue };
                let status = status.replace("XX", "00").parse().unwrap_or(500);
                let undescribed = vendor.spec.undescribed(&example.id, &Reply::new(status, body.clone()));
                assert_eq!(undescribed, None, "{} {status}", example.id);
            }
        }
    }
}

/// Sends the example of each request, then the example with each field of a record in turn, and with each error in
/// turn. The spec must describe each response of the sandbox.
#[test]
fn every_sandbox_response_is_described_by_its_spec() {
    let vendors: Vec<&str> = world().vendors.iter().map(|vendor| vendor.provider.as_str()).collect();
    let undescribed: BTreeSet<String> = thread::scope(|all| {
        let vendors: Vec<_> = vendors.into_iter().map(|vendor| all.spawn(move || undescribed(vendor))).collect();
        vendors.into_iter().flat_map(|vendor| vendor.join().unwrap()).collect()
    });
    assert_eq!(undescribed, BTreeSet::new());
}

fn undescribed(vendor: &str) -> BTreeSet<String> {
    let mut world = world();
    let mut undescribed = BTreeSet::new();
    let kinds = world.vendors.iter().flat_map(|vendor| vendor.store.kinds());
    let records = kinds.flat_map(|(_, records)| records.values());
    let names = records.filter_map(Value::as_object).flat_map(Map::keys).cloned();
    let names: BTreeSet<String> = names.chain(["after_signing".into(), "sign_date".into()]).collect();
    let spec = world.named(vendor).unwrap().spec;
    for example in examples(spec.document(), spec.base_path()) {
        let authorization = authorization(&mut world, vendor);
        let mut send = |change: &dyn Fn(&mut Request)| {
            let mut call = example.call(&authorization);
            change(&mut call);
            let (reply, _) = world.receive(vendor, &example.method, &example.path, call).unwrap();
            if let Some(why) = spec.undescribed(&example.id, &documented(reply)) {
                undescribed.insert(format!("{}: {why}", example.id));
            }
        };
        for _ in 0..3 {
            send(&|_| {});
        }
        for name in &names {
            send(&|call| {
                if let Some(fields) = call.body.as_object_mut() {
                    fields.entry(name.as_str()).or_insert(json!(7));
                }
            });
        }
        send(&|call| drop(call.headers.remove("authorization")));
        send(&|call| drop(call.headers.insert("authorization", "Bearer nobody".parse().unwrap())));
        send(&|call| drop(call.headers.remove("x-pdp-client-id")));
        send(&|call| call.query.clear());
        for body in mutilated(&example.body) {
            send(&|call| call.body = body.clone());
        }
    }
    undescribed
}

/// Replaces the error codes of the sandbox by documented ones, because SafeDebit's spec does not list the sandbox's
/// codes.
fn documented(mut reply: Reply) -> Reply {
    if let Some(code) = reply.body.as_mut().and_then(|body| body.get_mut("code"))
        && code.as_str().is_some_and(|code| code.starts_with("SANDBOX_"))
    {
        *code = "AUTH_001".into();
    }
    reply
}

/// Returns a valid `Authorization` header for a vendor.
fn authorization(world: &mut World, provider: &str) -> String {
    match provider {
        "safedebit" => "Basic JQheySHkalSNuakkmSmm==".into(),
        "seqino" => "YOUR_API_KEY_HERE".into(),
        _ => {
            let spec = world.named(provider).unwrap().spec;
            let all = examples(spec.document(), spec.base_path());
            let token = all.iter().find(|example| example.id == "generate_token").unwrap();
            let (reply, _) = world.receive(provider, &token.method, &token.path, token.call("")).unwrap();
            format!("Bearer {}", reply.body.unwrap()["data"]["token"].as_str().unwrap())
        }
    }
}
