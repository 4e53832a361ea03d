//! A mistake in a spec stops the build with its place and its fix, and never with a panic. The same spec always
//! produces the same code.

#[path = "../build/mod.rs"]
mod generator;
#[path = "build_script/patches.rs"]
mod patches;
#[path = "build_script/reading.rs"]
mod reading;

use generator::{Made, Provider, generate};
use proptest::prelude::*;
use std::sync::OnceLock;

const EASYTRANSAC: &str = include_str!("../specs/easytransac.yaml");
const SAFEDEBIT: &str = include_str!("../specs/safedebit.yaml");
const SEQINO: &str = include_str!("../specs/seqino.yaml");
const SPECS: [(&str, &str); 3] = [("easytransac", EASYTRANSAC), ("safedebit", SAFEDEBIT), ("seqino", SEQINO)];

/// Returns what the build makes of the spec of a vendor. The build runs once for all tests.
fn made(vendor: &str, unverified: bool) -> &'static Made {
    static MADE: [[OnceLock<Made>; 2]; 3] = [const { [const { OnceLock::new() }; 2] }; 3];
    let at = SPECS.iter().position(|(name, _)| *name == vendor).unwrap();
    MADE[at][usize::from(unverified)]
        .get_or_init(|| generate(&Provider::named(vendor), SPECS[at].1, unverified).unwrap())
}

/// Returns the problems that the build reports for a spec, one per line. The text is empty if the build succeeds.
fn build(provider: &str, spec: &str) -> String {
    problems(&Provider::named(provider), spec)
}

fn problems(provider: &Provider, spec: &str) -> String {
    let problems = generate(provider, spec, false).err().unwrap_or_default();
    problems.iter().map(|problem| problem.within("spec.yaml")).collect::<Vec<_>>().join("\n")
}

/// Returns the spec with the text `from` replaced by `to`. Panics if the spec does not contain `from`.
fn changed(spec: &str, from: &str, to: &str) -> String {
    assert!(spec.contains(from), "the spec does not contain the text {from:?}, which the test should change");
    spec.replacen(from, to, 1)
}

/// The numbers of the lines of a text, from zero.
fn lines_of(text: &str) -> std::ops::Range<usize> {
    0..text.lines().count()
}

#[test]
fn each_mistake_in_a_spec_is_reported_with_its_place_and_a_fix() {
    let mistakes = [
        ("unreadable YAML", "seqino", changed(SEQINO, "paths:", "paths: [")),
        ("no YAML", "seqino", "\u{1}".into()),
        ("empty", "seqino", String::new()),
        ("another version", "seqino", changed(SEQINO, "openapi: 3.0.3", "openapi: 3.1.0")),
        ("no operationId", "seqino", changed(SEQINO, "      operationId: get_mandate\n", "")),
        ("operationId twice", "seqino", changed(SEQINO, "operationId: get_mandate\n", "operationId: list_mandates\n")),
        (
            "duplicate operationId",
            "seqino",
            changed(SEQINO, "operationId: get_mandate\n", "operationId: list_mandates\n"),
        ),
        (
            "operationId not in snake_case",
            "seqino",
            changed(SEQINO, "operationId: get_mandate\n", "operationId: getMandate\n"),
        ),
        (
            "inline string with a rule",
            "seqino",
            changed(SEQINO, "schema: {type: string}\n", "schema: {type: string, maxLength: 9}\n"),
        ),
        (
            "status words with the same name",
            "seqino",
            changed(SEQINO, "[processing, created,", "[processing, Created, created,").replace(
                "        - Listed in V4 only. Its meaning is not documented.\n",
                "        - ''\n        - ''\n",
            ),
        ),
        (
            "word name that cannot be used",
            "safedebit",
            changed(
                SAFEDEBIT,
                "x-enum-varnames: [WrongLogin, WrongPassword, IpNotAllowed",
                "x-enum-varnames: [WrongLogin, Unrecognized, Ip-Not",
            ),
        ),
        (
            "fewer names than words",
            "safedebit",
            changed(SAFEDEBIT, "x-enum-varnames: [WrongLogin, ", "x-enum-varnames: ["),
        ),
        (
            "more descriptions than words",
            "seqino",
            changed(SEQINO, "x-extensible-enum: [Private, Public]", "x-extensible-enum: [Private]"),
        ),
        (
            "descriptions that are no list",
            "seqino",
            changed(SEQINO, "x-enum-descriptions:\n", "x-enum-descriptions: none\n      x-note:\n"),
        ),
        ("unknown annotation", "seqino", changed(SEQINO, "x-evidence: documented", "x-evidenc: documented")),
        ("unknown annotation value", "seqino", changed(SEQINO, "x-evidence: documented", "x-evidence: certain")),
        (
            "needed field without a description",
            "seqino",
            changed(SEQINO, "x-needed: [status]\n", "x-needed: [state]\n"),
        ),
        (
            "x-needed in a request",
            "easytransac",
            changed(
                EASYTRANSAC,
                "    CreateMandateRequest:\n      type: object\n",
                "    CreateMandateRequest:\n      type: object\n      x-needed: [iban]\n",
            ),
        ),
        ("write without advice for a lost response", "seqino", changed(SEQINO, "x-lost-answer:", "x-note:")),
        (
            "repeated value missing in request and response",
            "safedebit",
            changed(SAFEDEBIT, "umr: $request.body#/umr", "rum: $request.body#/rum"),
        ),
        (
            "repeated value with an unreadable source",
            "seqino",
            changed(SEQINO, "client_id: $request.path.client_id", "client_id: path.client_id"),
        ),
        (
            "reference to a missing component",
            "seqino",
            changed(SEQINO, "'#/components/schemas/Siren'", "'#/components/schemas/Sirene'"),
        ),
        (
            "closed enum in a response",
            "seqino",
            changed(SEQINO, "x-extensible-enum: [Private, Public]", "enum: [Private, Public]")
                .replace("      x-enum-descriptions: ['', '']\n", ""),
        ),
        (
            "path at another host",
            "seqino",
            changed(SEQINO, "- url: https://pdp.seqino.dev\n", "- url: https://pdp.example.com\n"),
        ),
        (
            "path with two servers",
            "seqino",
            changed(
                SEQINO,
                "      - url: https://pdp.seqino.dev\n",
                "      - url: https://pdp.seqino.dev/a\n      - url: https://pdp.seqino.dev\n",
            ),
        ),
        (
            "x-in-use codes that are not a list",
            "safedebit",
            changed(SAFEDEBIT, "x-in-use: {codes: [EXIST_003]", "x-in-use: {codes: EXIST_003"),
        ),
        (
            "states by an optional word",
            "safedebit",
            changed(SAFEDEBIT, "        property: status\n", "        property: validation_type\n"),
        ),
        (
            "states with a shared name, a shared word or an unknown word",
            "safedebit",
            changed(
                SAFEDEBIT,
                "name: AwaitingValidation\n            words: [PENDING]",
                "name: Created\n            words: [CREATED, WAITING]",
            ),
        ),
        (
            "two success responses",
            "seqino",
            changed(SEQINO, "        '404':\n", "        '202': {description: Later}\n        '404':\n"),
        ),
        ("body that is not JSON", "seqino", changed(SEQINO, "application/json:", "application/xml:")),
        ("missing example", "easytransac", changed(EASYTRANSAC, "              example:\n", "              x-note:\n")),
        ("object without fields", "seqino", changed(SEQINO, "      additionalProperties: {} # any fields\n", "")),
        (
            "required field missing in the example",
            "easytransac",
            changed(EASYTRANSAC, "              zipCode: ABCabc123\n", ""),
        ),
        (
            "renamed field, but not in the example",
            "safedebit",
            changed(SAFEDEBIT, "required: [result, datas]", "required: [result, data]").replacen(
                "{type: boolean, enum: [true]}\n        datas:\n",
                "{type: boolean, enum: [true]}\n        data:\n",
                1,
            ),
        ),
        ("invalid pattern", "easytransac", changed(EASYTRANSAC, "pattern: '^[A-Z]{2}", "pattern: '^([A-Z]{2}")),
        (
            "lowering without effect",
            "safedebit",
            SAFEDEBIT.replace("'#/components/schemas/Failure'", "'#/components/schemas/Done'"),
        ),
        ("lowering without effect", "seqino", changed(SEQINO, "anyOf:", "oneOf:")),
        ("unsupported schema keyword", "seqino", changed(SEQINO, "minLength: 1\n", "minLenght: 1\n")),
        ("unknown type", "seqino", changed(SEQINO, "type: boolean", "type: bool")),
        (
            "x-sensitive without effect",
            "seqino",
            changed(SEQINO, "          type: boolean\n", "          type: boolean\n          x-sensitive: true\n"),
        ),
        (
            "response by reference",
            "seqino",
            changed(
                SEQINO,
                "        '204':\n          description: The client was deleted. No content.\n",
                "        '204': {$ref: '#/components/schemas/Client'}\n",
            ),
        ),
        (
            "path parameter without a description",
            "seqino",
            changed(SEQINO, "  /mandates/{mandate_id}:", "  /mandates/{mandat}:"),
        ),
        ("component name not in PascalCase", "seqino", SEQINO.replace("EntityName", "3DName")),
        (
            "required field without a description",
            "seqino",
            changed(SEQINO, "required: [siren, name]", "required: [siren, nom]"),
        ),
        (
            "word longer than its maximum length",
            "easytransac",
            changed(EASYTRANSAC, "[active, invalid,", "[active, deactivated,"),
        ),
        (
            "operationId that is a Rust keyword",
            "seqino",
            changed(SEQINO, "operationId: get_mandate\n", "operationId: type\n"),
        ),
        (
            "operationId that is a method of the client",
            "seqino",
            changed(SEQINO, "operationId: get_mandate\n", "operationId: probe\n"),
        ),
        (
            "oneOf schema",
            "seqino",
            changed(
                SEQINO,
                "items: {$ref: '#/components/schemas/DirectoryEntry'}",
                "items: {oneOf: [{$ref: '#/components/schemas/DirectoryEntry'}, {$ref: '#/components/schemas/Mandate'}]}",
            ),
        ),
        (
            "x-unverified on a read",
            "seqino",
            changed(SEQINO, "operationId: get_mandate\n", "operationId: get_mandate\n      x-unverified: true\n"),
        ),
        (
            "a list as a parameter",
            "seqino",
            changed(SEQINO, "schema: {type: string}\n", "schema: {type: array, items: {type: string}}\n"),
        ),
        (
            "an optional parameter in the path",
            "seqino",
            changed(SEQINO, "          in: path\n          required: true\n", "          in: path\n"),
        ),
        (
            "a form with a field that is not a file",
            "seqino",
            changed(SEQINO, "      format: binary\n", "      format: uuid\n"),
        ),
        (
            "an inline object",
            "seqino",
            changed(
                SEQINO,
                "items: {$ref: '#/components/schemas/DirectoryEntry'}",
                "items: {type: object, properties: {siren: {type: string}}}",
            ),
        ),
        (
            "a request body that is inline",
            "seqino",
            changed(
                SEQINO,
                "schema: {$ref: '#/components/schemas/CreateClientRequest'}",
                "schema: {type: object, additionalProperties: {}}",
            ),
        ),
        ("word without a meaning", "seqino", changed(SEQINO, "expired, error]", "expired, error, paused]")),
        ("meaning without a word", "seqino", changed(SEQINO, "pending_kyc, active, expired,", "pending_kyc, expired,")),
        ("meaning that is no status", "easytransac", changed(EASYTRANSAC, "{status: Pending,", "{status: Waiting,")),
        (
            "meaning of an account among mandates",
            "safedebit",
            changed(SAFEDEBIT, "{status: Revoked,", "{account: Inactive,"),
        ),
        ("guessed word as Active", "easytransac", changed(EASYTRANSAC, "{status: Pending,", "{status: Active,")),
        ("no operation", "seqino", "openapi: 3.0.3\ninfo: {title: x, version: '1'}\npaths: {}\n".into()),
    ];
    let mut all = String::new();
    for (what, provider, spec) in mistakes {
        let said = build(provider, &spec);
        assert!(!said.is_empty(), "{what}: the build succeeded");
        for line in said.lines() {
            assert!(line.starts_with("spec.yaml:") && line.contains(". Fix: "), "{what}: {line}");
        }
        all += &format!("{what}\n{said}\n\n");
    }
    insta::with_settings!({prepend_module_to_snapshot => false, omit_expression => true}, {
        insta::assert_snapshot!("build-errors", all);
    });
}

#[test]
fn same_spec_always_generates_the_same_code() {
    for (vendor, spec) in SPECS {
        // Only Easytransac has operations that need the feature `unverified`.
        let unverified = vendor == "easytransac";
        let again = generate(&Provider::named(vendor), spec, unverified).unwrap();
        assert_eq!(made(vendor, unverified).files(), again.files());
    }
}

/// The spec of a fourth vendor, which follows every rule of the build. The spec has no plain text, no list and no field
/// that is kept as any JSON.
const FOURTH: &str = include_str!("any_bytes/fourth.yaml");

#[test]
fn fourth_vendor_needs_only_a_valid_spec() {
    let spec = FOURTH.replace("    parameters: []\n", "");
    let made = generate(&Provider::named("fourth"), &spec, false);
    let made = made.unwrap_or_else(|problems| panic!("{problems:?}"));
    assert!(made.surface.contains("CreateMandate(body: CreateMandateRequest) -> Mandate"), "{}", made.surface);
    assert!(made.surface.contains("EndMandate(reference: Reference) -> ()"), "{}", made.surface);
    let said = problems(&Provider::named("fourth"), FOURTH);
    assert!(said.starts_with("spec.yaml:20:") && said.contains("unknown field `parameters`"), "{said}");
}

/// Returns a spec with a single operation, which has this method, these parameters and these responses.
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

const FIFTH: Provider = Provider { name: "fifth", lowerings: &[] };
const PARAMETER: &str = "[{name: at, in: query, required: true, schema: {type: string}, example: noon}]";

#[test]
fn spec_with_a_request_that_contains_itself_is_refused() {
    let spec = FOURTH.replace("    parameters: []\n", "").replace(", metadata: {a: b}", "").replace(
        "metadata: {type: object, additionalProperties: {type: string}}",
        "metadata: {$ref: '#/components/schemas/CreateMandateRequest'}",
    );
    let said = problems(&Provider::named("fourth"), &spec);
    assert!(said.contains("`CreateMandateRequest` of a request contains itself. Fix: "), "{said}");
}

#[test]
fn code_for_patch_differs_from_code_for_post_only_in_the_method() {
    let spec = |method| {
        only(method, PARAMETER, "{'204': {description: Changed.}}")
            .replace("x-source:", "x-lost-answer: Ask.\n      x-source:")
    };
    let [patch, post] = ["patch", "post"].map(|method| generate(&FIFTH, &spec(method), false).unwrap());
    assert!(patch.code.contains("method: \"PATCH\""), "{}", patch.code);
    // The specs of the crate have operations with POST, so other tests already show that this code compiles.
    assert_eq!(patch.code.replace("PATCH", "POST"), post.code);
    assert_eq!(patch.surface, post.surface);
}

#[test]
fn spec_may_have_a_single_operation_without_parameters_or_response() {
    let made = generate(&FIFTH, &only("delete", "[]", "{'204': {description: Gone.}}"), false);
    assert!(made.unwrap_or_else(|said| panic!("{said:?}")).surface.starts_with("TheState() -> ()\n"));
}

#[test]
fn every_generated_builder_is_marked_must_use() {
    let made = generate(&Provider::named("fourth"), &FOURTH.replace("    parameters: []\n", ""), false);
    let code = made.unwrap_or_else(|said| panic!("{said:?}")).code;
    let builders =
        code.split("pub mod builder {").skip(1).flat_map(|module| module.split("pub struct ").collect::<Vec<_>>());
    let marked = builders.filter(|before| before.trim_end().ends_with("#[must_use]")).count();
    // The generated code has one `must_use` mark for the builder of the request, and three for the builders of the
    // operations.
    assert_eq!(marked, 4, "{code}");
}

#[test]
fn parameter_with_a_name_reserved_by_the_generator_is_refused() {
    for name in ["client", "body", "request", "send", "send_again", "extra"] {
        let parameter = format!("[{{name: {name}, in: query, required: true, schema: {{type: string}}, example: x}}]");
        let spec = only("delete", &parameter, "{'204': {description: Gone.}}");
        let said = problems(&FIFTH, &spec);
        assert!(said.contains("has a name that is already in use"), "{said}");
    }
}

#[test]
fn inline_value_in_a_response_has_a_type_that_keeps_any_value() {
    for (schema, read_as) in [
        ("{type: object, additionalProperties: {type: string, example: x}}", "Option<Extra>"),
        ("{type: object, additionalProperties: {type: integer, nullable: true}}", "Option<Extra>"),
        ("{type: boolean, enum: [true, null], nullable: true}", "Option<Flag>"),
        ("{type: boolean, enum: [true], x-evidence: inferred}", "Option<Flag>"),
        ("{type: integer, minLength: 3, default: 3}", "Option<Int>"),
        ("{minimum: 3, nullable: true}", "Option<Json>"),
    ] {
        let answer = "{'200': {description: Read., content: {application/json: {schema: {$ref: '#/components/schemas/Read'}, \
                      example: {}}}}}";
        let object = format!("components: {{schemas: {{Read: {{type: object, properties: {{a: {schema}}}}}, State:");
        let spec = only("get", PARAMETER, answer).replace("components: {schemas: {State:", &object);
        let surface = generate(&FIFTH, &spec, false);
        let surface = surface.unwrap_or_else(|said| panic!("{schema}: {said:?}")).surface;
        assert!(surface.contains(&format!("a: {read_as}\n")), "{schema}:\n{surface}");
    }
}

#[test]
fn documentation_of_a_type_states_its_limits() {
    for (vendor, limits) in [
        ("easytransac", "1 to 64 characters. The vendor prints the pattern `^[A-Za-z0-9]+$`. It is not enforced."),
        ("easytransac", "20 characters. Pattern: `^[a-z0-9]{20}$`."),
        ("easytransac", "The phone's calling code. 1 to 999."),
        ("safedebit", "An amount in whole cents. At most 18 digits."),
    ] {
        assert!(made(vendor, false).code.contains(limits), "{vendor}: {limits}");
    }
}

#[test]
fn unverified_debit_operations_are_generated_only_with_the_feature() {
    let surface = |unverified| &made("easytransac", unverified).surface;
    assert!(!surface(false).contains("Debit"), "{}", surface(false));
    assert!(surface(true).contains("DebitMandate(mandate_id: KnownMandateId, body: DebitMandateRequest)"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Builds a spec with a missing end or missing lines. The build must succeed or report an error, and must not
    /// panic. The shortest spec needs the least time.
    #[test]
    fn damaged_specs_never_panic_the_build(from in lines_of(EASYTRANSAC), lines in 1_usize..40, cut in any::<bool>()) {
        let mut kept: Vec<&str> = EASYTRANSAC.lines().collect();
        let to = if cut { kept.len() } else { (from + lines).min(kept.len()) };
        kept.drain(from..to);
        build("easytransac", &kept.join("\n"));
    }
}
