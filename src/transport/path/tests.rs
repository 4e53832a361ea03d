//! Tests random ids in the path of every operation.

use crate::transport::{OperationSpec, Transport};
use percent_encoding::percent_decode_str;
use proptest::{prelude::*, test_runner::TestRunner};

/// Ids that URL parsers, proxies or servers could read as another path.
const HOSTILE: &[&str] = &[
    "",
    ".",
    "..",
    "...",
    " ",
    " ..",
    ".. ",
    ". .",
    "a/b",
    "/",
    "//",
    "/a",
    "a/",
    "../a",
    "a/..",
    "..\\a",
    "..\\..\\a",
    "\\",
    "\\\\host\\a",
    "a\\b",
    "%2e",
    "%2e%2e",
    ".%2e",
    "%2F",
    "%5c",
    "..%2fa",
    "..%5ca",
    "%252e%252e",
    "%",
    "%%",
    "..;",
    "..;/a",
    ";",
    "a;b=c",
    "?",
    "a?b",
    "#",
    "a#b",
    "\t",
    ".\t.",
    "\n..",
    "..\r\n",
    "\0",
    "a\0b",
    "\u{7f}",
    "\u{85}",
    "\u{a0}..",
    "\u{ff0e}\u{ff0e}",
    "\u{2024}\u{2024}",
    "\u{2215}a",
    "\u{ff0f}a",
    "\u{ff3c}a",
    "\u{202e}a",
    "\u{feff}..",
    "http://a",
    "//host",
    "@host",
    ":80",
    "a:b",
    "é",
    "&",
    "=",
    "+",
    "'",
    "\"",
    "<",
    ">",
    "`",
    "{",
    "}",
    "|",
    "^",
    "[",
    "]",
    "\u{d7ff}",
    "\u{10ffff}",
];

/// Asserts that an id fills exactly one segment of the operation's path. A failure shows the id and the seed.
pub(in crate::transport) fn assert_id_is_one_segment(
    operation: &OperationSpec,
    transport: &Transport,
    build: impl Fn(&str) -> Option<crate::transport::Request>,
) {
    // Requests contain a SIREN without its blanks, so compare ids without blanks.
    let dense = |text: &str| text.split_whitespace().collect::<String>();
    let base = transport.base_path(operation).unwrap();
    let one = |id: &str| {
        let Some(request) = build(id) else {
            // Only an invalid id is refused. A valid id has a letter or a digit, and no separator. A SIREN consists
            // only of letters and digits.
            let siren =
                operation.path.contains("{siren}") && !dense(id).bytes().all(|byte| byte.is_ascii_alphanumeric());
            assert!(
                siren
                    || !id.bytes().any(|byte| byte.is_ascii_alphanumeric())
                    || id.contains(['/', '\\', '%'])
                    || crate::wire::invisible(id).is_some(),
                "{id:?}"
            );
            return;
        };
        let path = request.target.path().strip_prefix(&*base).unwrap();
        assert_eq!(path.split('/').count(), operation.path.split('/').count(), "{id:?} led to {path}");
        let parts = path.split('/').zip(operation.path.split('/'));
        let (parameters, fixed): (Vec<_>, Vec<_>) = parts.partition(|(_, expected)| expected.starts_with('{'));
        assert!(fixed.iter().all(|(part, expected)| part == expected), "{id:?} led to {path}");
        let decoded = |part: &str| percent_decode_str(part).decode_utf8().unwrap().into_owned();
        assert!(parameters.iter().any(|(part, _)| dense(&decoded(part)) == dense(id)), "{id:?} led to {path}");
        // The id must be the same for a server that decodes the path twice.
        assert!(parameters.iter().all(|(part, _)| decoded(&decoded(part)) == decoded(part)), "{id:?} led to {path}");
    };
    HOSTILE.iter().for_each(|id| one(id));
    let piece = prop_oneof![
        3 => proptest::sample::select(HOSTILE).prop_map(str::to_owned),
        2 => "[A-Za-z0-9_-]{1,8}",
        1 => ".{1,4}",
        1 => any::<char>().prop_map(String::from),
    ];
    let id = proptest::collection::vec(piece, 0..4).prop_map(|pieces| pieces.concat());
    // Do not write a seed file beside the source: it would not be committed, and the failure shows the seed.
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) };
    TestRunner::new(config)
        .run(&id, |id| {
            one(&id);
            Ok(())
        })
        .unwrap();
}
