//! The first inputs of the fuzz targets: the examples in the specs, and values that other tests accept.

use serde_json::{Value, json};
use std::collections::BTreeSet;

const EASYTRANSAC: &str = include_str!(concat!(env!("OUT_DIR"), "/easytransac.json"));
const SAFEDEBIT: &str = include_str!(concat!(env!("OUT_DIR"), "/safedebit.json"));
const SEQINO: &str = include_str!(concat!(env!("OUT_DIR"), "/seqino.json"));

pub fn of(target: &str) -> Vec<Vec<u8>> {
    let texts = match target {
        "easytransac" => examples(EASYTRANSAC),
        "safedebit" => examples(SAFEDEBIT),
        "seqino" => examples(SEQINO),
        "references" => {
            ["easytransac:abc12", "safedebit:RUM/2026:42", "seqino:c%2F1/m%251", "\"safedebit:RUM-1\"", "c\nm"]
                .map(String::from)
                .into()
        }
        "rows" => return rows(),
        "spec" => vec![include_str!("fourth.yaml").into()],
        "status" => status(),
        "stored" => stored(),
        "webhooks" => webhooks(),
        "wire" => {
            let mut values = BTreeSet::from(["18.0", "0.1", "1e300", "\"12345\"", "[]"].map(String::from));
            for spec in [EASYTRANSAC, SAFEDEBIT, SEQINO] {
                let examples = examples(spec);
                examples.iter().for_each(|example| scalars(&serde_json::from_str(example).unwrap(), &mut values));
            }
            values.insert(
                json!({"date": "31/01/2026", "amount": 3.33, "iban": "FR7630001007941234567890185"}).to_string(),
            );
            values.into_iter().collect()
        }
        _ => panic!("the fuzz target {target} has no first inputs"),
    };
    assert!(!texts.is_empty(), "{target}");
    texts.into_iter().map(String::into_bytes).collect()
}

/// Returns all example bodies of requests and responses in a spec.
fn examples(spec: &str) -> Vec<String> {
    fn find(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(fields) => {
                for (key, value) in fields {
                    if key == "example" { found.push(value.to_string()) } else { find(value, found) }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| find(item, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    find(&serde_json::from_str(spec).unwrap(), &mut found);
    found
}

fn scalars(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => fields.values().for_each(|value| scalars(value, found)),
        Value::Array(items) => items.iter().for_each(|item| scalars(item, found)),
        scalar => drop(found.insert(scalar.to_string())),
    }
}

fn rows() -> Vec<Vec<u8>> {
    let header = "reference,status,raw,account,verdict,recognized,since,observed_at,signed_on,revoked_by_debtor";
    let time = "2026-09-01T12:00:00Z";
    let french =
        "sep=;\r\n\r\nRéférence;signed_on;One_off_used;x_note;\r\nsafedebit:RUM-1;01/09/2026;VRAI;\"'=1;\r\né\";\r\n";
    let texts = [
        format!("{header}\nseqino:c/m,Active,active,suspended,Refused,Active,{time},{time},,\n"),
        format!("{header}\nsafedebit:RUM-1,Unrecognized,\"7,\"\"8\",,,Revoked,{time},{time},2026-01-10,true\n"),
        "reference\neasytransac:abcabcabcabcabcabc12\n".into(),
        "# mine\n\neasytransac:abcabcabcabcabcabc12\nsafedebit:RUM-1".into(),
        format!(r#"{{"reference": "safedebit:1", "status": "gone", "observed_at": "{time}", "x_note": [1e400]}}"#),
        format!("\u{feff}{french}"),
    ];
    let utf_16 = french.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let latin = french.chars().map(|c| u8::try_from(c).unwrap()).collect();
    texts.into_iter().map(String::into_bytes).chain([utf_16, latin]).collect()
}

fn status() -> Vec<String> {
    let reading =
        json!({"mandateId": "abcabcabcabcabcabc12", "status": "active", "dateCreated": "2024-12-31T23:59:59+02:00"});
    let reading = json!({"success": true, "date": "2024-12-31T23:59:59+02:00", "data": reading});
    let found = json!({"result": true, "datas": [{"umr": "RUM-1", "status": "1", "sign_date": "31/01/2026"}]});
    let mandate = json!({
        "id": "mdt_abc123", "client_id": "client_abc123", "start_date": "2024-01-15T00:00:00Z", "status": "active",
        "directory_entry": {"siren": "123456789", "name": "Acme"}, "created_at": "2019-08-24T14:15:22Z",
        "end_date": "2099-01-15T00:00:00Z",
    });
    let client = json!({
        "client_id": "client_abc123", "organization_name": "Acme Corporation", "contact_email": "contact@acme.com",
        "external_ref": "EXT-12345", "sponsor_id": "s", "status": "active", "created_at": "2019-08-24T14:15:22Z",
    });
    let invalid =
        json!({"detail": [{"loc": ["path", "mandate_id"], "msg": "FR7630001007941234567890185", "type": "t"}]});
    vec![
        format!("e 200\n{reading}"),
        format!("e 401\n{}", json!({"success": false, "code": 11, "Code": "4", "iban": "FR7630001007941234567890185"})),
        format!("d 200\n{found}"),
        format!("d 200\n{}", json!({"result": false, "code": "AUTH_003", "message": "FR7630001007941234567890185"})),
        // A refusal by Easytransac whose JSON object contains the key `code` twice.
        "d 200\n".to_owned() + r#"{"result": false, "code": "AUTH_003", "code": "AUTH_003"}"#,
        "d 200\n".to_owned() + r#"{"result": false, "code": "EXIST_003", "datas": ["\ud800"]}"#,
        format!("s 200\n{mandate}\0{client}"),
        format!(
            "s 404\n{}",
            json!({"error": "not found", "code": 404, "trace_id": "0af7651916cd43dd8448eb211c80319c"})
        ),
        format!("s 422\n{invalid}"),
        "s 429 120\n".into(),
        "d 503 Wed, 21 Oct 2026 07:28:00 GMT\n<html>".into(),
    ]
}

fn stored() -> Vec<String> {
    let snapshot = include_str!("../promises/snapshots/stored.snap");
    let all: Value = serde_json::from_str(snapshot.splitn(3, "---\n").last().unwrap()).unwrap();
    let mut found = vec![all["mandate"].to_string(), all["change"].to_string(), all["change"]["to"].to_string()];
    found.extend(all["verdicts"].as_array().unwrap().iter().map(Value::to_string));
    found
}

fn webhooks() -> Vec<String> {
    let notification = json!({
        "Status": "captured", "Tid": "9XLknkv8", "Amount": 18.00, "Client": {"Email": "john@doe.com", "Id": "DZ"},
        "AdditionalError": ["a", null, true], "Signature": "bcff7f9ffa5f65fd2cbac2fdd2255484b931fe76",
    });
    let event = json!({
        "event_id": "e1", "event_type": "webhook.test", "timestamp": "2019-08-24T14:15:22Z",
        "data": {"client_id": "client_abc123", "mandate_id": "mdt_abc123"},
    });
    let form =
        "Status=captured&Client[Email]=john%40doe.com&AdditionalError[]=a&Signature=75822e279f8b9f9902b7667292135636";
    vec![notification.to_string(), event.to_string(), form.into(), "umr=RUM-2026-0042&umr=2&ok".into()]
}
