//! Damage outside the needed fields of a response does not prevent a reading. The facade always notices damage in a
//! needed field.

use crate::support::{Act, Server, facade, test_settings, token};
use mandat::{Account, ErrorKind, Mandate, MandateRef, MandateStatus, Mandates};
use proptest::{prelude::*, test_runner::TestRunner};
use std::sync::{Arc, Mutex};
use tokio::runtime::{Builder, Runtime};

const CLIENT: &str = r#"{"client_id":"client_abc123","organization_name":"Acme","status":"active"}"#;

/// A test server that returns a response set by the test. Each `@` in the sample marks a place whose value no reading
/// needs.
struct Vendor {
    reference: MandateRef,
    sample: &'static str,
    /// The parts of the sample response that a reading needs. Each part must occur exactly once in the sample.
    needed: &'static [&'static str],
    runtime: Runtime,
    mandates: Mandates,
    body: Arc<Mutex<Vec<u8>>>,
    client: Arc<Mutex<Vec<u8>>>,
    _server: Server,
}

fn answer(body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 200 X\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

impl Vendor {
    fn start(reference: MandateRef, sample: &'static str, needed: &'static [&'static str]) -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let body = Arc::new(Mutex::new(Vec::new()));
        let client = Arc::new(Mutex::new(CLIENT.as_bytes().to_vec()));
        let (bodies, clients) = (body.clone(), client.clone());
        let server = runtime.block_on(Server::start(move |request| {
            if request.starts_with("POST /auth ") {
                return Act::from(token(300));
            }
            let of_client = request.starts_with("GET /clients/");
            let body = if of_client { &clients } else { &bodies };
            Act::Send(answer(&body.lock().unwrap()))
        }));
        let mandates = facade(&server.url(), &test_settings());
        Self { reference, sample, needed, runtime, mandates, body, client, _server: server }
    }

    fn all() -> Vec<Self> {
        vec![
            #[cfg(feature = "easytransac")]
            Self::start(
                MandateRef::easytransac("12345"),
                r#"{"success":true,"date":@,"data":{"mandateId":"12345","status":"active","dateCreated":@,"iban":@,
                    "list":[{"x":@},{"y":@}]},"else":{"z":@}}"#,
                &["true", "\"12345\"", "\"active\"", "\"success\"", "\"mandateId\"", "\"status\""],
            ),
            #[cfg(feature = "safedebit")]
            Self::start(
                MandateRef::safedebit("RUM-1"),
                r#"{"message":@,"result":true,"datas":[{"umr":"RUM-1","name":@,"status":"1","x":{"y":@}}],"z":@}"#,
                &["true", "\"RUM-1\"", "\"1\"", "\"result\"", "\"umr\"", "\"status\"", "\"datas\""],
            ),
            #[cfg(feature = "seqino")]
            Self::start(
                MandateRef::seqino("client_abc123", "mdt_1"),
                r#"{"created_at":@,"id":"mdt_1","client_id":"client_abc123","start_date":"2024-01-15T00:00:00Z",
                    "directory_entry":@,"status":"active","updated_at":@,"end_date":"2099-12-31T00:00:00Z","x":{"y":@}}"#,
                &[
                    "\"mdt_1\"",
                    "\"client_abc123\"",
                    "\"2024-01-15T00:00:00Z\"",
                    "\"2099-12-31T00:00:00Z\"",
                    "\"active\"",
                    "\"status\"",
                    "\"start_date\"",
                    "\"end_date\"",
                    "\"id\"",
                    "\"client_id\"",
                ],
            ),
        ]
    }

    fn read(&self, body: &[u8]) -> Result<Mandate, mandat::Error> {
        *self.body.lock().unwrap() = body.to_vec();
        self.runtime.block_on(self.mandates.status(&self.reference))
    }

    /// Returns the sample response with this text in each place whose value no reading needs.
    fn filled(&self, unneeded: &[u8]) -> Vec<u8> {
        let parts: Vec<&[u8]> = self.sample.split('@').map(str::as_bytes).collect();
        parts.join(unneeded)
    }

    fn healthy(&self) -> Mandate {
        self.read(&self.filled(b"\"x\"")).unwrap()
    }
}

/// Returns true if two readings agree about the status, the dates and the account of the mandate.
fn agrees(one: &Mandate, other: &Mandate) -> bool {
    let said = |mandate: &Mandate| {
        let Mandate { reference, status, raw, account, starts, ends, .. } = mandate.clone();
        (reference, status, raw, account, starts, ends)
    };
    said(one) == said(other)
}

/// Generates a byte that strict JSON parsers refuse, or an escape sequence that gives no valid text.
fn damaging_bytes() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        (0..0x20_u8).prop_map(|byte| vec![byte]),
        (0x7f..=0xff_u8).prop_map(|byte| vec![byte]),
        Just(br"\ud800".to_vec()),
        Just(br"\udfff".to_vec()),
        Just(br"\x".to_vec()),
        Just(b"\xef\xbb\xbf".to_vec()),
    ]
}

/// Generates a JSON scalar, which may be damaged.
fn scalar() -> impl Strategy<Value = Vec<u8>> {
    let bytes = |keep: fn(u8) -> bool, length| {
        prop::collection::vec(any::<u8>().prop_filter("the byte would end the scalar", move |byte| keep(*byte)), length)
    };
    let quoted = |within: Vec<u8>| [b"\"", within.as_slice(), b"\""].concat();
    let escapes = prop::collection::vec(
        prop::sample::select(vec![r"\ud800", r"\udc00", r"\x", r"\u12", r"\u00e9", r#"\""#, r"\\", "a", "\n"]),
        0..6,
    );
    let bare = |byte: u8| !matches!(byte, 0..=0x20 | 0x7f | b'"' | b'{' | b'}' | b'[' | b']' | b',' | b':');
    let known = [
        "1e400",
        "-1e999",
        "NaN",
        "-Infinity",
        "undefined",
        "None",
        "True",
        "'x'",
        "01",
        "+1",
        ".5",
        "1.",
        "0x1F",
        "null",
        "123456789012345678901234567890",
        "\"caf\u{e9}\"",
        "\"a\nb\tc\"",
        "",
    ];
    prop_oneof![
        bytes(|byte| !matches!(byte, b'"' | b'\\'), 0..24).prop_map(quoted),
        escapes.prop_map(move |parts| quoted(parts.concat().into_bytes())),
        bytes(bare, 1..12),
        prop::sample::select(known.to_vec()).prop_map(|text| text.as_bytes().to_vec()),
    ]
}

/// Generates bytes that stand before and after the JSON of a response.
fn around() -> impl Strategy<Value = (&'static [u8], &'static [u8])> {
    let before: [&[u8]; 4] = [b"", b"\xef\xbb\xbf", b"\xef\xbb\xbf\r\n", b" \n"];
    let after: [&[u8]; 4] = [b"", b"\n", b"\0", b"\xef\xbb\xbf"];
    (prop::sample::select(before.to_vec()), prop::sample::select(after.to_vec()))
}

fn cases(cases: u32) -> TestRunner {
    TestRunner::new(ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() })
}

#[test]
fn status_is_read_despite_damage_in_unneeded_fields() {
    for vendor in Vendor::all() {
        let healthy = vendor.healthy();
        assert_eq!(healthy.status, MandateStatus::Active);
        let run = cases(150).run(&(scalar(), around()), |(scalar, (before, after))| {
            let body = [before, &vendor.filled(&scalar), after].concat();
            let read = vendor.read(&body);
            prop_assert!(read.is_ok(), "{:?}: {}", String::from_utf8_lossy(&body), read.unwrap_err());
            prop_assert!(agrees(&read.unwrap(), &healthy), "{:?}", String::from_utf8_lossy(&body));
            Ok(())
        });
        run.unwrap_or_else(|e| panic!("{}: {e}", vendor.reference.provider()));
    }
}

#[test]
fn damage_in_a_needed_field_is_never_overlooked() {
    for vendor in Vendor::all() {
        let healthy = vendor.healthy();
        let place = (prop::sample::select(vendor.needed.to_vec()), any::<prop::sample::Index>());
        let run = cases(200).run(&(place, damaging_bytes(), scalar()), |((token, at), spoiling, scalar)| {
            let find = |bytes: &[u8]| bytes.windows(token.len()).position(|window| window == token.as_bytes());
            prop_assume!(find(&scalar).is_none());
            let body = vendor.filled(&scalar);
            let at = find(&body).unwrap() + 1 + at.index(token.len() - 1);
            let body = [&body[..at], &spoiling, &body[at..]].concat();
            if let Ok(read) = vendor.read(&body) {
                prop_assert!(!agrees(&read, &healthy), "{:?}", String::from_utf8_lossy(&body));
                // A damaged field may be read as an unknown status word or date, but never as another known status
                // word.
                let unread =
                    |date: &Option<mandat::wire::DateTime>| date.as_ref().is_some_and(|date| date.get().is_none());
                let open = read.status == MandateStatus::Unrecognized || unread(&read.starts) || unread(&read.ends);
                prop_assert!(open || read.account == Account::Differs, "{read:?}");
            }
            Ok(())
        });
        run.unwrap_or_else(|e| panic!("{}: {e}", vendor.reference.provider()));
    }
}

/// Generates a damaged JSON key that differs from every field of the vendor.
fn foreign_key() -> impl Strategy<Value = Vec<u8>> {
    let word = prop::sample::select(vec!["pr\u{e9}nom", "soci\u{e9}t\u{e9}", "\u{e9}", "n\u{b0}", "caf\u{e9}", "zzz"]);
    (word, damaging_bytes(), any::<prop::sample::Index>()).prop_map(|(word, damaging, at)| {
        let latin_1: Vec<u8> = word.chars().map(|c| c as u8).collect();
        let at = at.index(latin_1.len() + 1);
        [&latin_1[..at], &damaging, &latin_1[at..]].concat()
    })
}

#[test]
fn status_is_read_despite_a_damaged_key_of_an_unknown_field() {
    for vendor in Vendor::all() {
        let healthy = vendor.healthy();
        let run = cases(100).run(&foreign_key(), |key| {
            let value: &[u8] = b"\"1999-12-31T00:00:00Z\"";
            let body = vendor.filled(&[b"1,\"", key.as_slice(), b"\":", value].concat());
            let read = vendor.read(&body);
            prop_assert!(read.is_ok(), "{:?}: {}", String::from_utf8_lossy(&body), read.unwrap_err());
            prop_assert!(agrees(&read.unwrap(), &healthy), "{:?}", String::from_utf8_lossy(&body));
            Ok(())
        });
        run.unwrap_or_else(|e| panic!("{}: {e}", vendor.reference.provider()));
    }
}

#[cfg(feature = "seqino")]
#[test]
fn end_date_under_a_damaged_key_leaves_the_verdict_undetermined() {
    let vendor = Vendor::all().pop().unwrap();
    let rest = r#""id":"mdt_1","client_id":"client_abc123","start_date":"2024-01-15T00:00:00Z","status":"active""#;
    let past = r#""2024-06-01T00:00:00Z""#;
    for key in [
        &b"end\xe9date"[..],
        b"end_d\xc3te",
        b"\xffend_date",
        b"end_date\xa0",
        "end_dat\u{e9}".as_bytes(),
        br"end\ud800date",
        br"end_date\udc00",
        br"end\_date",
        b"end\x01_date",
        b"end_date\x7f",
        b" end_date",
        "\u{feff}end_date".as_bytes(),
    ] {
        for also in ["", r#","end_date":null"#, r#","end_date":"2099-12-31T00:00:00Z""#] {
            let parts = [b"{", rest.as_bytes(), also.as_bytes(), b",\"", key, b"\":", past.as_bytes(), b"}"];
            let body = parts.concat();
            let mandate = vendor.read(&body).unwrap();
            let verdict = mandate.may_represent(None, chrono::Utc::now());
            assert_eq!(verdict.permission(), mandat::Permission::Undetermined, "{:?}", String::from_utf8_lossy(&body));
        }
    }
}

#[test]
fn response_that_lacks_or_repeats_a_needed_field_is_an_error() {
    for vendor in Vendor::all() {
        let healthy = String::from_utf8(vendor.filled(b"1")).unwrap();
        // A mandate without an end date may lack the field `end_date`.
        let key = |token: &&&str| healthy.contains(&format!("{token}:")) && **token != "\"end_date\"";
        for key in vendor.needed.iter().filter(key) {
            let renamed = healthy.replace(key, "\"another\"");
            let twice = healthy.replacen(&format!("{key}:"), &format!("{key}:0,{key}:"), 1);
            for body in [renamed, twice] {
                let error = vendor.read(body.as_bytes()).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Decode, "{body}");
            }
        }
    }
}

#[test]
fn truncated_response_is_an_error() {
    for vendor in Vendor::all() {
        for filling in [&b"1"[..], b"\"caf\xe9\"", b"NaN"] {
            let body = vendor.filled(filling);
            for end in 0..body.len() {
                let cut = &body[..end];
                assert!(vendor.read(cut).is_err(), "{:?}", String::from_utf8_lossy(cut));
            }
        }
    }
}

#[test]
fn body_with_two_responses_is_an_error() {
    for vendor in Vendor::all() {
        for filling in [&b"1"[..], b"\"caf\xe9\""] {
            let body = vendor.filled(filling);
            for between in [&b""[..], b"\n", b",", b"\xef\xbb\xbf"] {
                assert!(vendor.read(&[&body, between, body.as_slice()].concat()).is_err());
            }
        }
    }
}

#[test]
fn deep_nesting_and_huge_numbers_in_unneeded_fields_do_not_prevent_a_reading() {
    let nested = [vec![b'['; 5_000], vec![b']'; 5_000]].concat();
    let digits = vec![b'9'; 5_000];
    for vendor in Vendor::all() {
        let healthy = vendor.healthy();
        for unneeded in [&nested, &digits] {
            let read = vendor.read(&vendor.filled(unneeded)).unwrap();
            assert!(agrees(&read, &healthy), "{}", vendor.reference);
        }
    }
}

#[test]
fn text_in_place_of_a_response_is_an_error_in_any_encoding() {
    for vendor in Vendor::all() {
        for body in [&b"\"active\""[..], b"\"caf\xe9\"", b"12\xff", b"null\xe9", b"<p>d\xe9sol\xe9</p>", b"\xe9"] {
            let error = vendor.read(body).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Decode, "{} {error}", body.escape_ascii());
        }
    }
}

#[test]
fn response_in_utf16_is_read() {
    for vendor in Vendor::all() {
        let body = String::from_utf8(vendor.filled(b"\"caf\xc3\xa9\"")).unwrap();
        let units = || "\u{feff}".encode_utf16().chain(body.encode_utf16());
        for body in
            [units().flat_map(u16::to_le_bytes).collect::<Vec<u8>>(), units().flat_map(u16::to_be_bytes).collect()]
        {
            assert!(agrees(&vendor.read(&body).unwrap(), &vendor.healthy()));
        }
    }
}

#[cfg(feature = "seqino")]
#[test]
fn seqino_client_is_read_if_only_id_and_status_are_valid() {
    let vendor = Vendor::all().pop().unwrap();
    let healthy = vendor.healthy();
    for (client, read) in [
        (&br#"{"client_id":"client_abc123","status":"active"}"#[..], true),
        (br#"{"client_id":"client_abc123","status":"active","contact_email":null,"created_at":null}"#, true),
        (b"{\"client_id\":\"client_abc123\",\"status\":\"active\",\"contact_email\":\"Ren\xe9\"}", true),
        (b"{\"client_id\":\"client_abc123\",\"status\":\"act\xe9ive\"}", false),
        (br#"{"client_id":"client_abc123"}"#, false),
    ] {
        *vendor.client.lock().unwrap() = client.to_vec();
        assert_eq!(vendor.healthy().account == healthy.account, read, "{}", String::from_utf8_lossy(client));
    }
}

#[cfg(feature = "seqino")]
#[test]
fn seqino_mandate_is_read_without_creation_date_or_directory_entry() {
    let vendor = Vendor::all().pop().unwrap();
    let needed = r#""id":"mdt_1","client_id":"client_abc123","start_date":"2024-01-15T00:00:00Z","status":"active""#;
    for rest in ["", r#","created_at":null,"directory_entry":null,"end_date":null"#, r#","directory_entry":{}"#] {
        let mandate = vendor.read(format!("{{{needed}{rest}}}").as_bytes()).unwrap();
        assert_eq!((mandate.status, mandate.created, mandate.ends), (MandateStatus::Active, None, None), "{rest}");
    }
}
