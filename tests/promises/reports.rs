//! A report of `mandat probe` becomes a fixture, and a list of the facts that the report confirms or refutes in the
//! spec.
//!
//! Put a report into `tests/promises/reports/<day>-<name>.txt`, as `mandat probe` printed it, and accept the snapshot.
//! A line that begins with `#` is a remark.

use crate::{evidence::specs, snapshot};
use mandat::{
    DebitRef, MandateRef, Probe, Provider,
    sandbox::{Sandbox, ScriptedResponse},
};
use serde_json::{Map, Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    fs,
};

/// The JSON types of one response, by place. `nothing` stands for a value that some items lack.
struct Report {
    provider: Provider,
    operation: String,
    shape: BTreeMap<String, BTreeSet<&'static str>>,
}

/// A field of a response in the spec.
#[derive(Debug)]
struct Field {
    kind: &'static str,
    required: bool,
    mark: String,
}

const KINDS: [&str; 6] = ["array", "boolean", "null", "number", "object", "string"];

/// Reads a report as `Probe` prints it. An error names the line, and does not quote it: a line may hold personal data.
fn read(text: &str) -> Result<Report, String> {
    let mut lines = text.lines().enumerate().filter(|(_, line)| !line.starts_with('#') && !line.trim().is_empty());
    let (_, head) = lines.next().ok_or("the report is empty")?;
    let unread = |number: usize, wanted: &str| format!("line {}: this is not {wanted}", number + 1);
    let (of, told) = head.split_once(": ").ok_or(unread(0, "the first line of a report"))?;
    let provider = Provider::ALL.iter().find(|provider| of.starts_with(&format!("{provider} ")));
    let provider = *provider.ok_or(unread(0, "the first line of a report: no vendor"))?;
    let operation = of[provider.to_string().len() + 1..].to_owned();
    let mut shape = BTreeMap::new();
    for (number, line) in lines {
        let (place, kinds) = line.trim().split_once(": ").ok_or(unread(number, "a place and its JSON types"))?;
        // A key that can be personal is hidden: `(a key of 27 bytes)`.
        let key = |c: char| c.is_ascii_alphanumeric() || "_.[]".contains(c);
        if !place.chars().all(key) && !is_hidden(place) {
            return Err(unread(number, "a place"));
        }
        let known = |kind| KINDS.into_iter().find(|known| *known == kind).ok_or(unread(number, "a JSON type"));
        shape.insert(place.to_owned(), kinds.split(" or ").map(known).collect::<Result<BTreeSet<_>, _>>()?);
    }
    if shape.is_empty() {
        return Err("the response is no JSON object or list, so the report shows no field".into());
    }
    for lacking in told.split("differs at ").filter(|told| told.split("; ").any(|told| told.ends_with(" or nothing"))) {
        let place = lacking.split(": ").next().unwrap_or_default();
        shape.entry(place.to_owned()).or_default().insert("nothing");
    }
    let whole = if shape.keys().any(|place| place.starts_with('[')) { "array" } else { "object" };
    shape.insert(String::new(), BTreeSet::from([whole]));
    Ok(Report { provider, operation, shape })
}

fn is_hidden(place: &str) -> bool {
    place.contains('(')
}

fn parent(place: &str) -> &str {
    place.strip_suffix("[]").or(place.rsplit_once('.').map(|(parent, _)| parent)).unwrap_or_default()
}

/// The operation of a spec, and its successful response.
fn operation<'a>(spec: &'a Value, id: &str) -> Option<(&'a Value, &'a Value)> {
    let items = spec["paths"].as_object()?.values().flat_map(|item| item.as_object().into_iter().flatten());
    let (_, operation) = items.into_iter().find(|(_, operation)| operation["operationId"] == id)?;
    let (_, response) = operation["responses"].as_object()?.iter().find(|(code, _)| code.starts_with('2'))?;
    Some((operation, response))
}

/// Returns the fields that the spec has in the response of an operation, by their place, such as `data.status`.
fn described(spec: &Value, id: &str) -> BTreeMap<String, Field> {
    let mut fields = BTreeMap::new();
    if let Some((operation, response)) = operation(spec, id) {
        let mark = response["x-evidence"].as_str().or(operation["x-evidence"].as_str()).unwrap_or_default();
        describe(spec, &response["content"]["application/json"]["schema"], String::new(), true, mark, &mut fields);
    }
    fields
}

fn describe(
    spec: &Value,
    schema: &Value,
    place: String,
    required: bool,
    mark: &str,
    fields: &mut BTreeMap<String, Field>,
) {
    let mark = schema["x-evidence"].as_str().unwrap_or(mark);
    let required = required && schema["nullable"] != true;
    // If a response has several forms, the first form is the success.
    let form = ["allOf", "oneOf", "anyOf"].into_iter().find_map(|forms| schema[forms].get(0));
    let named = schema["$ref"].as_str().and_then(|name| spec.pointer(name.trim_start_matches('#')));
    // A schema inside itself is described once.
    if let Some(inner) = form.or(named).filter(|_| place.split('.').count() < 6) {
        return describe(spec, inner, place, required, mark, fields);
    }
    let kind = match schema["type"].as_str() {
        Some("integer") => "number",
        Some(kind) => KINDS.into_iter().find(|known| *known == kind).unwrap_or("any"),
        None => "any",
    };
    if let Some(items) = schema.get("items") {
        describe(spec, items, format!("{place}[]"), false, mark, fields);
    }
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let listed =
            |list: &str| schema[list].as_array().is_some_and(|names| names.iter().any(|listed| listed == name));
        let at = if place.is_empty() { name.clone() } else { format!("{place}.{name}") };
        describe(spec, property, at, listed("required") || listed("x-needed"), mark, fields);
    }
    fields.insert(place, Field { kind, required, mark: mark.into() });
}

/// Compares a report with each field of the spec. Lists each field that the spec lacks, too.
fn findings(report: &Report, spec: &Value) -> Vec<String> {
    let fields = described(spec, &report.operation);
    let seen = |place: &str, kind: &str| report.shape.get(place).is_some_and(|kinds| kinds.contains(kind));
    let mut found = Vec::new();
    for (place, Field { kind, required, mark }) in &fields {
        let need = if *required { "required " } else { "" };
        let named = if place.is_empty() { "the whole response" } else { place };
        let fact = format!("{named}: {need}{kind} ({mark})");
        let Some(kinds) = report.shape.get(place) else {
            // A field counts as missing only if the object around it is present.
            if !place.ends_with("[]") && seen(parent(place), "object") {
                found.push(match required {
                    true => format!("refutes   {fact}, the response has nothing"),
                    false => format!("silent on {fact}"),
                });
            }
            continue;
        };
        let shown = Vec::from_iter(kinds.iter().copied()).join(" or ");
        let fits = |found: &&str| found == kind || *kind == "any" || (!required && ["null", "nothing"].contains(found));
        found.push(match mark.as_str() {
            _ if !kinds.iter().all(fits) => format!("refutes   {fact}, the response has {shown}"),
            _ if !kinds.iter().any(|found| found == kind || *kind == "any") => format!("silent on {fact}"),
            "documented" => format!("agrees on {fact}"),
            _ => format!("confirms  {fact}"),
        });
    }
    for (place, kinds) in &report.shape {
        let around = fields.keys().any(|known| known != place && !known.is_empty() && parent(known) == parent(place));
        if !fields.contains_key(place) && (is_hidden(place) || around) {
            found.push(format!("adds      {place}: {}", Vec::from_iter(kinds.iter().copied()).join(" or ")));
        }
    }
    found.sort_by_key(|finding| finding.starts_with("silent"));
    found
}

/// A response with these JSON types. The values are those of the example in the spec, or placeholders.
fn fixture(report: &Report, place: &str, example: &Value, item: usize) -> Option<Value> {
    let kinds = Vec::from_iter(report.shape.get(place)?);
    let kind = *kinds[item % kinds.len()];
    let inside = || report.shape.keys().filter(move |inner| !inner.is_empty() && parent(inner) == place);
    Some(match kind {
        "nothing" => return None,
        "null" => Value::Null,
        "boolean" => {
            if example.is_boolean() {
                example.clone()
            } else {
                json!(true)
            }
        }
        "number" => {
            if example.is_number() {
                example.clone()
            } else {
                json!(1)
            }
        }
        "string" => {
            if example.is_string() {
                example.clone()
            } else {
                json!("text")
            }
        }
        "array" => {
            let items = format!("{place}[]");
            let below = report.shape.iter().filter(|(inner, _)| inner.starts_with(&items));
            let count = below.map(|(_, kinds)| kinds.len()).max().unwrap_or(0);
            (0..count).filter_map(|item| fixture(report, &items, &example[0], item)).collect()
        }
        _ => {
            let fields = inside().filter(|inner| !is_hidden(inner) && !inner.ends_with("[]"));
            let fields = fields.filter_map(|inner| {
                let name = inner.rsplit_once('.').map_or(inner.as_str(), |(_, name)| name);
                Some((name.to_owned(), fixture(report, inner, &example[name], item)?))
            });
            Value::Object(fields.collect::<Map<_, _>>())
        }
    })
}

/// Reads the fixture with a probe, as the vendor's response.
async fn probe(report: &Report, fixture: &Value) -> Probe {
    let sandbox = Sandbox::start().await.unwrap();
    let answer = ScriptedResponse::new(200, fixture.clone());
    sandbox.script(report.provider, &report.operation, [answer]).unwrap();
    let mandates = sandbox.mandates();
    match report.operation.as_str() {
        "get_mandate_status" => mandates.probe(&MandateRef::easytransac("abcabcabcabcabcabc12")).await,
        "search_mandate" => mandates.probe(&MandateRef::safedebit(Sandbox::CONSUMER)).await,
        "get_mandate" => mandates.probe(&MandateRef::seqino(Sandbox::CLIENT, "mdt_abc123")).await,
        "get_transaction_status" => mandates.probe(&DebitRef::easytransac("ABC1-ABC1-ABC1")).await,
        "search_payment" => mandates.probe(&DebitRef::safedebit(Sandbox::CONSUMER, Sandbox::CONSUMER)).await,
        other => panic!("no probe calls the operation {other}"),
    }
    .unwrap()
}

fn spec_of(provider: Provider) -> &'static Value {
    specs().find(|(vendor, _)| provider.to_string().starts_with(vendor)).unwrap().1
}

fn reports() -> Vec<(String, String)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/promises/reports");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut all: Vec<_> = files
        .map(|path| (path.file_stem().unwrap().to_str().unwrap().to_owned(), fs::read_to_string(path).unwrap()))
        .collect();
    all.sort();
    all
}

#[tokio::test]
async fn each_report_becomes_a_fixture_and_a_list_of_findings() {
    let mut seen = BTreeSet::new();
    for (name, text) in reports() {
        let report = read(&text).unwrap_or_else(|e| panic!("{name}: {e}"));
        seen.insert(report.provider);
        let spec = spec_of(report.provider);
        let (_, response) = operation(spec, &report.operation).unwrap();
        let fixture = fixture(&report, "", &response["content"]["application/json"]["example"], 0).unwrap();
        let again = probe(&report, &fixture).await;
        // The fixture is complete: a probe of it prints the same report.
        let visible = |text: &str| {
            let lines = text.lines().filter(|line| line.starts_with(' ') && !is_hidden(line));
            lines.map(|line| line.trim().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(visible(&again.to_string()), visible(&text), "{name}");
        let findings = findings(&report, spec);
        let count = |verb: &str| findings.iter().filter(|finding| finding.starts_with(verb)).count();
        // The report and this list name the same differences, as long as the spec is that of the report.
        assert_eq!(count("refutes") + count("adds"), again.differences.len(), "{name}\n{findings:#?}\n{again}");

        let day = name.get(..10).and_then(|day| day.parse().ok()).unwrap_or_else(|| panic!("{name}: begin with a day"));
        let mut shown = format!("{} {}\n\n{}\n", report.provider, report.operation, findings.join("\n"));
        write!(shown, "\n{}\n", serde_json::to_string_pretty(&fixture).unwrap()).unwrap();
        if let Some(patch) = again.to_patch(day) {
            write!(shown, "\n{}", patch.lines().skip(1).collect::<Vec<_>>().join("\n")).unwrap();
        }
        snapshot!(format!("report-{name}"), shown);
    }
    assert_eq!(seen.len(), Provider::ALL.len());
}

#[test]
fn report_with_a_value_is_refused_without_quoting_it() {
    let head = "SafeDebit search_mandate: matches\n";
    for (lines, refusal) in [
        ("  datas[].iban: FR7630001007941234567890185\n", "line 2: this is not a JSON type"),
        ("  datas[].FR76 3000: string\n", "line 2: this is not a place"),
        ("  result: boolean\nsafedebit:RUM-2026-0042: SafeDebit refuses\n", "line 3: this is not a place"),
        ("  result: boolean\n  Jean Dupont\n", "line 3: this is not a place and its JSON types"),
        ("", "the response is no JSON object or list, so the report shows no field"),
    ] {
        assert_eq!(read(&format!("{head}{lines}")).err().as_deref(), Some(refusal), "{lines}");
    }
    assert!(read("Stripe get_mandate: matches\n").err().unwrap().contains("no vendor"));
    assert_eq!(read("# only a remark\n").err().as_deref(), Some("the report is empty"));
}

/// Judges the spec by a response that follows the spec, and by one that breaks it.
#[test]
fn report_refutes_a_field_of_another_type_and_a_missing_required_field() {
    let spec = spec_of(Provider::Seqino);
    let judged = |lines: &str| {
        let text = format!("Seqino PDP get_mandate: matches\n{lines}");
        findings(&read(&text).unwrap(), spec)
    };
    let whole = judged("  id: string\n  client_id: string\n  status: string\n  end_date: null\n");
    let about = |findings: &[String], place: &str| {
        let found: Vec<_> =
            findings.iter().filter(|finding| finding[10..].starts_with(&format!("{place}: "))).collect();
        assert_eq!(found.len(), 1, "{place}: {findings:#?}");
        found[0].split_whitespace().next().unwrap().to_owned()
    };
    assert_eq!(about(&whole, "status"), "confirms");
    assert_eq!(about(&whole, "end_date"), "silent");
    assert_eq!(about(&whole, "updated_at"), "silent");
    let broken = judged("  id: number\n  client_id: string\n  new_key: string\n");
    assert_eq!(about(&broken, "id"), "refutes");
    assert_eq!(about(&broken, "status"), "refutes");
    assert_eq!(about(&broken, "new_key"), "adds");
}
