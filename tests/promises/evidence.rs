//! How well each thing in the specs is known: whoever changes a mark sees it in review.

use crate::snapshot;
use serde_json::Value;
use std::fmt::Write;

const SPECS: [(&str, &str); 3] = [
    ("Easytransac", include_str!("../../specs/easytransac.yaml")),
    ("SafeDebit", include_str!("../../specs/safedebit.yaml")),
    ("Seqino", include_str!("../../specs/seqino.yaml")),
];

fn specs() -> impl Iterator<Item = (&'static str, Value)> {
    SPECS.into_iter().map(|(vendor, text)| (vendor, serde_saphyr::from_str(text).unwrap()))
}

/// Every operation's id and mark, in the order of the spec.
fn operations(spec: &Value) -> Vec<(&str, &str)> {
    let items = spec["paths"].as_object().unwrap().values().flat_map(|item| item.as_object().unwrap().values());
    let operations = items.filter(|item| item.get("operationId").is_some());
    operations.map(|item| (item["operationId"].as_str().unwrap(), item["x-evidence"].as_str().unwrap())).collect()
}

/// Every mark below an operation or a component, with its place in short.
fn marks(place: &str, value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            let fields_of = |key: &str| ["properties", "schema", "content", "items", "schemas"].contains(&key);
            let place = match (fields.get("operationId"), fields.get("in")) {
                (Some(id), _) => id.as_str().unwrap().to_owned(),
                (_, Some(_)) => format!("{place} {}", fields["name"].as_str().unwrap()),
                _ => place.to_owned(),
            };
            if let (Some(mark), None) = (fields.get("x-evidence"), fields.get("operationId")) {
                found.push(format!("{place}: {}", mark.as_str().unwrap()));
            }
            for (key, value) in fields.iter().filter(|(key, _)| !["example", "default"].contains(&key.as_str())) {
                let place = match key.as_str() {
                    key if fields_of(key) => place.clone(),
                    key if place.is_empty() => key.to_owned(),
                    key => format!("{place}.{key}"),
                };
                marks(&place, value, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| marks(place, item, found)),
        _ => {}
    }
}

#[test]
fn each_mark_is_as_reviewed() {
    for (vendor, spec) in specs() {
        let mut text: String = operations(&spec).iter().map(|(id, mark)| format!("{id}: {mark}\n")).collect();
        let mut weaker = Vec::new();
        marks("", &spec["paths"], &mut weaker);
        marks("", &spec["components"], &mut weaker);
        writeln!(text, "\nWithin them:\n{}", weaker.join("\n")).unwrap();
        snapshot!(format!("evidence-{}", vendor.to_lowercase()), text);
    }
}

#[test]
fn the_table_of_evidence_is_that_of_the_specs() {
    let mut table = String::from("| vendor | documented | partial | inferred |\n|---|---|---|---|\n");
    for (vendor, spec) in specs() {
        let all = operations(&spec);
        let cell = |wanted: &str| {
            let ids: Vec<_> = all.iter().filter(|(_, mark)| *mark == wanted).map(|(id, _)| format!("`{id}`")).collect();
            format!("{}: {}", ids.len(), ids.join(" "))
        };
        let cells = ["documented", "partial", "inferred"].map(|mark| cell(mark).trim_end_matches(": ").to_owned());
        writeln!(table, "| {vendor} ({}) | {} |", all.len(), cells.join(" | ")).unwrap();
    }
    let readme = include_str!("../../specs/README.md");
    assert!(readme.contains(&table), "specs/README.md should hold this table:\n\n{table}");
}

#[test]
fn the_table_of_what_is_described_has_every_operation_of_seqino() {
    let readme = include_str!("../../specs/README.md");
    let (_, table) = readme.split_once("## What of Seqino is described").unwrap();
    let (_, spec) = specs().last().unwrap();
    for (id, _) in operations(&spec) {
        assert_eq!(table.matches(&format!("`{id}`")).count(), 1, "{id}");
    }
}
