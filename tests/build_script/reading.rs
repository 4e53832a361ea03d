//! The reader of YAML finds the same values as another reader, and the place of each mistake.

use crate::{
    EASYTRANSAC, SAFEDEBIT, SEQINO,
    generator::{model::Meaning, problem::Problem, yaml::Node},
    lines_of,
};
use proptest::prelude::*;
use serde_json::Value;

fn values(text: &str) -> Result<Value, String> {
    Node::read(text, false).map(|node| node.json()).map_err(|problem| problem.within("spec.yaml"))
}

fn by_the_other_reader(text: &str) -> Result<Value, String> {
    serde_saphyr::from_str(text).map_err(|e| e.to_string())
}

#[test]
fn specs_have_the_values_that_another_reader_finds() {
    for spec in [EASYTRANSAC, SAFEDEBIT, SEQINO] {
        assert_eq!(values(spec).unwrap(), by_the_other_reader(spec).unwrap());
    }
}

#[test]
fn each_form_of_a_scalar_has_the_value_that_another_reader_finds() {
    let texts = [
        "1",
        "-1",
        "+1",
        "'1'",
        "\"1\"",
        "!!str 1",
        "1.5",
        ".5",
        "-1.5e3",
        "1e3",
        "0x1F",
        "0o17",
        "18446744073709551615",
        "-9223372036854775808",
        "true",
        "False",
        "'true'",
        "null",
        "~",
        "",
        "Null",
        "nothing",
        "2026-11-27",
        "3.0.3",
        "1-2",
        "e",
        "-",
        "inf",
        "nan",
        "a: b",
        "[1, 'a', null]",
        "{a: 1, 'b': [true]}",
        "|\n  two\n  lines\n",
        ">-\n  one\n  line\n",
    ];
    for text in texts {
        let text = format!("value: {text}");
        let (own, other) = (values(&text), by_the_other_reader(&text));
        assert_eq!(own.as_ref().ok(), other.as_ref().ok(), "{text}: {own:?} {other:?}");
    }
}

#[test]
fn text_that_is_no_single_document_is_refused_with_its_place() {
    let deep = format!("{}1{}", "[".repeat(70), "]".repeat(70));
    let mistakes = [
        ("a: 1\na: 2\n", "spec.yaml:2:1: the spec cannot be read: duplicate mapping key: a. "),
        (
            "a: &a 1\nb: *a\n",
            "spec.yaml:2:4: the spec cannot be read: an alias is not supported, so write the value here. ",
        ),
        ("a: !!int 1\n", "spec.yaml:1:10: the spec cannot be read: the tag `tag:yaml.org,2002:int` is not supported. "),
        ("a: 1\n---\nb: 2\n", "spec.yaml:3:1: the spec cannot be read: there is more than one document. "),
        ("[a]: 1\n", "spec.yaml:1:1: the spec cannot be read: a key is a list or a map. "),
        (&deep, "the spec cannot be read: more than 64 values inside one another. "),
    ];
    for (text, problem) in mistakes {
        let found = values(text).unwrap_err();
        assert!(found.contains(problem), "{found}");
    }
}

#[test]
fn mistake_in_a_value_has_the_place_of_the_value() {
    let read = |text: &str| Node::read(text, false).unwrap().to::<Vec<Meaning>>().map(drop);
    let problem = |text| read(text).map_err(|problem: Problem| problem.within("spec.yaml")).unwrap_err();
    assert!(problem("- {x-evidence: sure}\n").starts_with("spec.yaml:1:16: "));
    assert!(problem("- {status: Active}\n").starts_with("spec.yaml:1:3: the spec cannot be read: missing field"));
    assert!(problem("- {x-evidence: inferred, status: [a]}\n").starts_with("spec.yaml:1:34: "));
    assert!(problem("- {x-evidence: null}\n").starts_with("spec.yaml:1:16: "));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Reads a spec without some of its lines. Both readers accept it with the same values, or refuse it.
    #[test]
    fn damaged_spec_has_the_values_that_another_reader_finds(from in lines_of(EASYTRANSAC), lines in 1_usize..40) {
        let mut kept: Vec<&str> = EASYTRANSAC.lines().collect();
        kept.drain(from..(from + lines).min(kept.len()));
        let text = kept.join("\n");
        prop_assert_eq!(values(&text).ok(), by_the_other_reader(&text).ok());
    }
}
