//! A mistake in a spec stops the build with the place and the mend, never with a panic, and the same spec always gives
//! the same code.

#[path = "../build/mod.rs"]
mod generator;

use generator::{PROVIDERS, Provider, generate};
use proptest::prelude::*;

const EASYTRANSAC: &str = include_str!("../specs/easytransac.yaml");
const SAFEDEBIT: &str = include_str!("../specs/safedebit.yaml");
const SEQINO: &str = include_str!("../specs/seqino.yaml");

/// What the build says of a spec, one problem a line; empty if it is content.
fn build(provider: &str, spec: &str) -> String {
    let provider = PROVIDERS.iter().find(|p| p.name == provider).unwrap();
    match generate(provider, spec, false) {
        Ok(_) => String::new(),
        Err(problems) => problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"),
    }
}

/// A spec with one change, which has to be possible.
fn changed(spec: &str, from: &str, to: &str) -> String {
    assert!(spec.contains(from), "there is no {from:?} to change");
    spec.replacen(from, to, 1)
}

#[test]
fn each_mistake_is_told_with_its_place_and_its_mend() {
    let mistakes = [
        ("unreadable YAML", "seqino", changed(SEQINO, "paths:", "paths: [")),
        ("no YAML", "seqino", "\u{1}".into()),
        ("empty", "seqino", String::new()),
        ("another version", "seqino", changed(SEQINO, "openapi: 3.0.3", "openapi: 3.1.0")),
        ("no operationId", "seqino", changed(SEQINO, "operationId: get_mandate\n", "x-note: none\n")),
        ("operationId twice", "seqino", changed(SEQINO, "operationId: get_mandate\n", "operationId: list_mandates\n")),
        (
            "operationId as a method cannot be called",
            "seqino",
            changed(SEQINO, "operationId: get_mandate\n", "operationId: getMandate\n"),
        ),
        (
            "inline string",
            "seqino",
            changed(SEQINO, "schema: {type: string}\n", "schema: {type: string, maxLength: 9}\n"),
        ),
        (
            "colliding words",
            "seqino",
            changed(SEQINO, "[processing, created,", "[processing, Created, created,").replace(
                "        - Listed in V4 only. Its meaning is not documented.\n",
                "        - ''\n        - ''\n",
            ),
        ),
        (
            "a word that is no name",
            "safedebit",
            changed(
                SAFEDEBIT,
                "x-enum-varnames: [WrongLogin, WrongPassword, IpNotAllowed",
                "x-enum-varnames: [WrongLogin, Unrecognized, Ip-Not",
            ),
        ),
        (
            "words and names of two lengths",
            "safedebit",
            changed(SAFEDEBIT, "x-enum-varnames: [WrongLogin, ", "x-enum-varnames: ["),
        ),
        (
            "more descriptions than words, and one that is no list",
            "seqino",
            changed(SEQINO, "x-extensible-enum: [Private, Public]", "x-extensible-enum: [Private]").replacen(
                "      x-enum-descriptions:\n",
                "      x-enum-descriptions: none\n      x-note:\n",
                1,
            ),
        ),
        ("unknown annotation", "seqino", changed(SEQINO, "x-evidence: documented", "x-evidenc: documented")),
        ("unknown annotation value", "seqino", changed(SEQINO, "x-evidence: documented", "x-evidence: certain")),
        (
            "a needed field that is not described",
            "seqino",
            changed(SEQINO, "x-needed: [status]\n", "x-needed: [state]\n"),
        ),
        (
            "a request that says what an answer needs",
            "easytransac",
            changed(
                EASYTRANSAC,
                "    CreateMandateRequest:\n      type: object\n",
                "    CreateMandateRequest:\n      type: object\n      x-needed: [iban]\n",
            ),
        ),
        ("a write that says nothing of a lost answer", "seqino", changed(SEQINO, "x-lost-answer:", "x-note:")),
        (
            "an answer that repeats what is neither in it nor in the request",
            "safedebit",
            changed(SAFEDEBIT, "umr: $request.body#/umr", "rum: $request.body#/rum"),
        ),
        (
            "an answer that repeats what is not said how",
            "seqino",
            changed(SEQINO, "client_id: $request.path.client_id", "client_id: path.client_id"),
        ),
        (
            "a reference to nothing",
            "seqino",
            changed(SEQINO, "'#/components/schemas/Siren'", "'#/components/schemas/Sirene'"),
        ),
        (
            "a closed enum in an answer",
            "seqino",
            changed(SEQINO, "x-extensible-enum: [Private, Public]", "enum: [Private, Public]")
                .replace("      x-enum-descriptions: ['', '']\n", ""),
        ),
        (
            "a path at another host",
            "seqino",
            changed(SEQINO, "- url: https://pdp.seqino.dev\n", "- url: https://pdp.example.com\n"),
        ),
        (
            "a path at two addresses",
            "seqino",
            changed(
                SEQINO,
                "      - url: https://pdp.seqino.dev\n",
                "      - url: https://pdp.seqino.dev/a\n      - url: https://pdp.seqino.dev\n",
            ),
        ),
        (
            "codes of a reference in use that are no list",
            "safedebit",
            changed(SAFEDEBIT, "x-in-use: {codes: [EXIST_003]", "x-in-use: {codes: EXIST_003"),
        ),
        (
            "states by a word that not every answer has",
            "safedebit",
            changed(SAFEDEBIT, "        property: status\n", "        property: validation_type\n"),
        ),
        (
            "states that share a name, a word, or have one that is not documented",
            "safedebit",
            changed(
                SAFEDEBIT,
                "name: AwaitingValidation\n            words: [PENDING]",
                "name: Created\n            words: [CREATED, WAITING]",
            ),
        ),
        (
            "two successes",
            "seqino",
            changed(SEQINO, "        '404':\n", "        '202': {description: Later}\n        '404':\n"),
        ),
        ("a body that is no JSON", "seqino", changed(SEQINO, "application/json:", "application/xml:")),
        ("no example", "easytransac", changed(EASYTRANSAC, "              example:\n", "              x-note:\n")),
        (
            "an object of which nothing is said",
            "seqino",
            changed(SEQINO, "      additionalProperties: {} # any fields\n", ""),
        ),
        (
            "a required field that the example lacks",
            "easytransac",
            changed(EASYTRANSAC, "              zipCode: ABCabc123\n", ""),
        ),
        (
            "a field that was renamed, and not in the example",
            "safedebit",
            changed(SAFEDEBIT, "required: [result, datas]", "required: [result, data]").replacen(
                "{type: boolean, enum: [true]}\n        datas:\n",
                "{type: boolean, enum: [true]}\n        data:\n",
                1,
            ),
        ),
        (
            "a pattern that does not compile",
            "easytransac",
            changed(EASYTRANSAC, "pattern: '^[A-Z]{2}", "pattern: '^([A-Z]{2}"),
        ),
        (
            "a lowering with nothing to do",
            "safedebit",
            SAFEDEBIT.replace("'#/components/schemas/Failure'", "'#/components/schemas/Done'"),
        ),
        ("a lowering with nothing to do", "seqino", changed(SEQINO, "anyOf:", "oneOf:")),
        ("a schema keyword of which nothing is made", "seqino", changed(SEQINO, "minLength: 1\n", "minLenght: 1\n")),
        ("an unknown type", "seqino", changed(SEQINO, "type: boolean", "type: bool")),
        (
            "x-sensitive where it does nothing",
            "seqino",
            changed(SEQINO, "          type: boolean\n", "          type: boolean\n          x-sensitive: true\n"),
        ),
        (
            "a body that is a reference",
            "seqino",
            changed(
                SEQINO,
                "        '204':\n          description: The client was deleted. No content.\n",
                "        '204': {$ref: '#/components/schemas/Client'}\n",
            ),
        ),
        (
            "a path parameter that is not described",
            "seqino",
            changed(SEQINO, "  /mandates/{mandate_id}:", "  /mandates/{mandat}:"),
        ),
        ("a component that is no name", "seqino", SEQINO.replace("EntityName", "3DName")),
        (
            "a required field that is not described",
            "seqino",
            changed(SEQINO, "required: [siren, name]", "required: [siren, nom]"),
        ),
        (
            "a word outside of its own length",
            "easytransac",
            changed(EASYTRANSAC, "[active, invalid,", "[active, deactivated,"),
        ),
        (
            "an operationId that cannot be a method",
            "seqino",
            changed(SEQINO, "operationId: get_mandate\n", "operationId: type\n"),
        ),
        (
            "an operationId that the client has",
            "seqino",
            changed(SEQINO, "operationId: get_mandate\n", "operationId: probe\n"),
        ),
        (
            "a choice of forms",
            "seqino",
            changed(
                SEQINO,
                "items: {$ref: '#/components/schemas/DirectoryEntry'}",
                "items: {oneOf: [{$ref: '#/components/schemas/DirectoryEntry'}, {$ref: '#/components/schemas/Mandate'}]}",
            ),
        ),
        (
            "x-unverified on what is no write",
            "seqino",
            changed(SEQINO, "operationId: get_mandate\n", "operationId: get_mandate\n      x-unverified: true\n"),
        ),
        ("no operation", "seqino", "openapi: 3.0.3\ninfo: {title: x, version: '1'}\npaths: {}\n".into()),
    ];
    let mut all = String::new();
    for (what, provider, spec) in mistakes {
        let said = build(provider, &spec);
        assert!(!said.is_empty(), "{what}: the build is content");
        for line in said.lines() {
            assert!(line.starts_with("at ") && line.contains(". Mend: "), "{what}: {line}");
        }
        all += &format!("{what}\n{said}\n\n");
    }
    insta::with_settings!({prepend_module_to_snapshot => false, omit_expression => true}, {
        insta::assert_snapshot!("build-errors", all);
    });
}

#[test]
fn a_spec_gives_the_same_code_each_time() {
    for (provider, spec) in [("easytransac", EASYTRANSAC), ("safedebit", SAFEDEBIT), ("seqino", SEQINO)] {
        let provider = PROVIDERS.iter().find(|p| p.name == provider).unwrap();
        let first = generate(provider, spec, true).unwrap();
        let second = generate(provider, spec, true).unwrap();
        assert_eq!(first.files(), second.files());
    }
}

/// A fourth vendor that keeps every rule, and has no plain text, no list and no unknown field in it.
const FOURTH: &str = include_str!("any_bytes/fourth.yaml");

#[test]
fn a_fourth_vendor_needs_nothing_but_a_spec_that_keeps_the_rules() {
    let spec = FOURTH.replace("    parameters: []\n", "");
    let made = generate(&Provider { name: "fourth", lowerings: &[] }, &spec, false);
    let made = made.unwrap_or_else(|problems| panic!("{problems:?}"));
    assert!(made.surface.contains("CreateMandate(body: CreateMandateRequest) -> Mandate"), "{}", made.surface);
    assert!(made.surface.contains("EndMandate(reference: Reference) -> ()"), "{}", made.surface);
    let said = generate(&Provider { name: "fourth", lowerings: &[] }, FOURTH, false).err().unwrap();
    assert!(said[0].to_string().contains("at paths./mandates/{reference}.parameters"), "{said:?}");
}

/// A spec of one operation.
fn only(method: &str, parameters: &str, responses: &str) -> String {
    format!(
        "
openapi: 3.0.3
info: {{title: Fifth, version: '1'}}
paths:
  /state:
    {method}:
      operationId: the_state
      x-evidence: documented
      x-source: https://example.com/state
      parameters: {parameters}
      responses: {responses}
components: {{schemas: {{State: {{type: string, x-extensible-enum: [open, closed]}}}}}}
"
    )
}

#[test]
fn a_polish_with_nothing_to_do_stops_the_build() {
    let parameter = "[{name: at, in: query, required: true, schema: {type: string}, example: noon}]";
    let content = "{application/json: {schema: {$ref: '#/components/schemas/State'}, example: open}}";
    let answer = |content: &str| format!("{{'200': {{description: Read., content: {content}}}}}");
    let object = "{application/json: {schema: {type: object, properties: {at: {type: string}}}, example: {}}}";
    for (polish, spec) in [
        ("no_accept", only("delete", "[]", "{'204': {description: Gone.}}")),
        ("open_structs", only("get", parameter, &answer(content))),
        ("all_faults", only("get", "[]", &answer(object))),
    ] {
        let said = generate(&Provider { name: "fifth", lowerings: &[] }, &spec, false).err().unwrap();
        assert!(said[0].to_string().contains(&format!("the polish `{polish}` found nothing to do")), "{said:?}");
    }
}

#[test]
fn a_parameter_that_would_take_a_name_of_ours_is_refused() {
    for name in ["client", "body", "request", "send", "extra"] {
        let parameter = format!("[{{name: {name}, in: query, required: true, schema: {{type: string}}, example: x}}]");
        let spec = only("delete", &parameter, "{'204': {description: Gone.}}");
        let said = generate(&Provider { name: "fifth", lowerings: &[] }, &spec, false).err().unwrap();
        assert!(said[0].to_string().contains("cannot be told apart"), "{said:?}");
    }
}

#[test]
fn whatever_is_said_of_an_inline_value_it_is_read_leniently_and_not_shown() {
    let parameter = "[{name: at, in: query, required: true, schema: {type: string}, example: noon}]";
    for (schema, read_as) in [
        ("{type: object, additionalProperties: {type: string, example: x}}", "Option<Extra>"),
        ("{type: object, additionalProperties: {type: integer, nullable: true}}", "Option<Extra>"),
        ("{type: boolean, enum: [true, null], nullable: true}", "Option<Flag>"),
        ("{type: boolean, enum: [true], x-evidence: inferred}", "Option<Flag>"),
        ("{type: integer, minLength: 3, default: 3}", "Option<Int>"),
        ("{minimum: 3, nullable: true}", "Option<Json>"),
    ] {
        let object = format!("{{schema: {{type: object, properties: {{a: {schema}}}}}, example: {{}}}}");
        let answer = format!("{{'200': {{description: Read., content: {{application/json: {object}}}}}}}");
        let surface = generate(&Provider { name: "fifth", lowerings: &[] }, &only("get", parameter, &answer), false);
        let surface = surface.unwrap_or_else(|said| panic!("{schema}: {said:?}")).surface;
        assert!(surface.contains(&format!("a: {read_as}\n")), "{schema}:\n{surface}");
    }
}

#[test]
fn a_write_that_is_a_guess_and_moves_money_is_made_only_on_demand() {
    let provider = PROVIDERS.iter().find(|p| p.name == "easytransac").unwrap();
    let surface = |unverified| generate(provider, EASYTRANSAC, unverified).unwrap().surface;
    assert!(!surface(false).contains("Debit"), "{}", surface(false));
    assert!(surface(true).contains("DebitMandate(mandate_id: KnownMandateId, body: DebitMandateRequest)"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// A spec that is cut, or has lines taken out, is refused or built; nothing panics.
    #[test]
    fn no_mangled_spec_makes_the_build_panic(from in 0_usize..900, lines in 1_usize..40, cut in any::<bool>()) {
        let mut kept: Vec<&str> = SEQINO.lines().collect();
        let from = from.min(kept.len());
        let to = if cut { kept.len() } else { (from + lines).min(kept.len()) };
        kept.drain(from..to);
        build("seqino", &kept.join("\n"));
    }
}
