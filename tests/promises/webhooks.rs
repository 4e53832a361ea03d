//! The crate verifies or refuses each callback, whatever bytes arrive. The tests also show the changes that a valid
//! signature does not exclude.

use crate::chance::{cases, seed};
use fastrand::Rng;
use mandat::{MandateRef, Provider, WebhookError, WebhookEvent};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// Byte sequences that often break parsers. The random tests insert these sequences into callbacks.
const PIECES: [&[u8]; 14] =
    [b"{", b"}", b"[", b"]", b"\"", b"$", b"&", b"=", b"%", b"null", b"1e999", b"\xff\xfe", b"\\ud800", b"Client["];

/// Changes bytes of the body at random, removes or repeats parts, and inserts byte sequences that break parsers.
fn mutated(body: &[u8], random: &mut Rng) -> Vec<u8> {
    crate::chance::mutated(body, &PIECES, random)
}

fn unreadable<T: std::fmt::Debug>(result: Result<T, WebhookError>) -> String {
    match result {
        Err(WebhookError::Unreadable(why)) => why,
        other => panic!("{other:?}"),
    }
}

/// A pattern for parts of a reference as an attacker might write them, with separators, dots, blanks or control
/// characters.
const UNTRUSTED: &str =
    "([A-Za-z0-9._-]{1,8}|[a-z./\\\\% ]{0,6}|\\.{1,3}|[a-z]\\PC[\u{0}-\u{1f}\u{202e}\u{200b}]?| ?RUM-1 ?)";

/// Returns true if the part of a reference contains only characters that cannot name another record. The rule does not
/// use the code of the crate.
fn names_only_itself(part: &str) -> bool {
    let trimmed = part.trim();
    let invisible: Vec<char> = ('\u{200b}'..='\u{200f}').chain('\u{2028}'..='\u{202e}').chain(['\u{feff}']).collect();
    let plain = |c: char| !"/\\%".contains(c) && !c.is_control() && !invisible.contains(&c);
    trimmed.chars().all(plain) && !trimmed.replace(['.', ' '], "").trim().is_empty()
}

#[cfg(feature = "easytransac")]
mod easytransac {
    use super::*;
    use mandat::easytransac::{sign_notification, types, verify_notification};
    use sha1::{Digest, Sha1};

    const KEY: &str = "myApiKey";

    /// Returns the signed sample in the vendor's SDK, with invented names of persons.
    fn sample() -> Value {
        json!({
            "OperationType": "payment", "RequestId": "KW5o8AEx98yx", "Tid": "9XLknkv8", "Uid": "2", "OrderId": "72",
            "Status": "captured", "Date": "2016-11-30 11:27:46", "Amount": "18.00", "AmountRefund": "6.00",
            "Currency": "EUR", "FixFees": "0.83", "Message": "Payment was successful", "3DSecure": "no",
            "OneClick": "no", "Alias": "412J33", "CardNumber": "************0025", "Test": "yes",
            "Error": "Error test",
            "Client": {
                "Id": "DZxemv4", "Email": "john@doe.com", "Firstname": "Pitest", "Lastname": "BULL",
                "Phone": "0388000000", "Address": "204 av vosges", "ZipCode": "67100", "City": "STRASB",
            },
            "Signature": "bcff7f9ffa5f65fd2cbac2fdd2255484b931fe76",
        })
    }

    fn verify(body: &Value) -> Result<WebhookEvent, WebhookError> {
        verify_notification(body.to_string().as_bytes(), &[KEY])
    }

    /// Signs these fields with the key `k`. Returns the whole body with its signature.
    fn signed(fields: Value) -> Value {
        let Value::Object(fields) = fields else { panic!() };
        serde_json::from_str(&sign_notification(fields, "k").unwrap()).unwrap()
    }

    /// Encodes the body as an HTML form, as the function `http_build_query` of PHP does.
    fn as_form(body: &Value) -> String {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        for (name, value) in body.as_object().unwrap() {
            match value {
                Value::Object(inner) => {
                    for (key, value) in inner {
                        form.append_pair(&format!("{name}[{key}]"), value.as_str().unwrap());
                    }
                }
                Value::Array(items) => {
                    for (index, item) in items.iter().enumerate() {
                        form.append_pair(&format!("{name}[{index}]"), item.as_str().unwrap());
                    }
                }
                value => drop(form.append_pair(name, value.as_str().unwrap())),
            }
        }
        form.finish()
    }

    #[test]
    fn published_easytransac_signatures_are_verified_in_json_and_forms() {
        let first = json!({
            "arg1": "abc", "arg2": "bcd", "arg3": "cde", "arg4": {"arg4.1": "abc"}, "arg5": {"arg5.1": "abc"},
            "Signature": "75822e279f8b9f9902b76672921356361f055e00",
        });
        for (body, key) in [(first, "abcd"), (sample(), KEY)] {
            let json = verify_notification(body.to_string().as_bytes(), &[key]).unwrap();
            let form = verify_notification(as_form(&body).as_bytes(), &["another", key]).unwrap();
            assert_eq!(json, form);
            assert_eq!(json.provider, Provider::Easytransac);
            assert_eq!(
                verify_notification(body.to_string().as_bytes(), &["another"]),
                Err(WebhookError::WrongSignature)
            );
        }
    }

    #[test]
    fn signature_covers_values_as_php_converts_them_to_text() {
        // Another program computed the expected signatures.
        let body = json!({
            "a": null, "B": false, "c": true, "D": 18.00, "e": 7, "F": 0.83, "g": [], "h": ["x", "y"],
            "i": {"b": "2", "A": "1"}, "Status": "captured", "Tid": "T1",
        });
        // The signature covers the text "$$1$18$7$0.83$x$y$1$2$captured$T1$k".
        assert_eq!(signed(body)["Signature"], "4d70edd7c81295f87ebe6084d7fd853f2f14fe05");
        let list: Vec<String> = (0..11).map(|i| format!("e{i}")).collect();
        let body = signed(json!({"AdditionalError": list}));
        // The signature covers the text "e0$e1$...$e10$k".
        assert_eq!(body["Signature"], "94ba01c2d97b243201b63b6970f3ee21a9ba45db");
        for form in [as_form(&body), as_form(&body).replace("%5B", "[").replace("%5D", "]")] {
            verify_notification(form.as_bytes(), &["k"]).unwrap();
        }
        let unnumbered = (0..11).fold(as_form(&body), |form, i| form.replace(&format!("%5B{i}%5D"), "[]"));
        verify_notification(unnumbered.as_bytes(), &["k"]).unwrap();
    }

    #[test]
    fn signatures_are_verified_in_utf8_windows_1252_and_iso_8859_15() {
        // Another program computed the expected signatures.
        for (encoding, signature, form) in [
            ("UTF-8", "e62f644ab864308f57b9533689a2ad955e0b59c1", "City=Fran%C3%A7ois&Name=L%C5%93uf+%E2%82%AC"),
            ("Windows-1252", "a7aac83c4bb046fdbf4fbe9df68d81da4badf730", "City=Fran%E7ois&Name=L%9Cuf+%80"),
            ("ISO 8859-15", "919dcb3c0dd949317955edd50aa69aec522ec35a", "City=Fran%E7ois&Name=L%BDuf+%A4"),
        ] {
            let form = format!("{form}&Tid=T1&Signature={signature}");
            let event = verify_notification(form.as_bytes(), &["k"]).unwrap();
            assert_eq!(event.text_at("/City").as_deref(), Some("François"), "{encoding}");
            // A form does not state its encoding. Windows-1252 and ISO 8859-15 encode `œ` and `€` differently.
            let name = if encoding == "ISO 8859-15" { "L½uf ¤" } else { "Lœuf €" };
            assert_eq!(event.text_at("/Name").as_deref(), Some(name), "{encoding}");
            let json = json!({"City": "François", "Name": "Lœuf €", "Tid": "T1", "Signature": signature}).to_string();
            let event = verify_notification(json.as_bytes(), &["k"]).unwrap();
            assert_eq!(event.text_at("/Name").as_deref(), Some("Lœuf €"), "{encoding}");
        }
    }

    /// Returns the signature of these values, in the order of their names. The values may be bytes of any encoding.
    fn signature(values: &[Vec<u8>]) -> String {
        let text = values.iter().flat_map(|value| [value, &b"$"[..]].concat());
        let digest = Sha1::digest(text.chain(KEY.bytes()).collect::<Vec<u8>>());
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn latin1(text: &str) -> Vec<u8> {
        text.chars().map(|c| u8::try_from(c).unwrap()).collect()
    }

    /// Returns a value of a form: percent-encodes every byte, or only the bytes with a meaning in a form.
    fn escaped(value: &[u8], all: bool) -> Vec<u8> {
        let breaks = |byte: u8| all || byte.is_ascii();
        value.iter().flat_map(|&b| if breaks(b) { format!("%{b:02X}").into_bytes() } else { vec![b] }).collect()
    }

    proptest! {
        #[test]
        fn signatures_are_verified_in_utf8_and_latin1(
            values in prop::collection::vec("[ -~\u{a1}-\u{ff}]{0,8}", 1..5),
            marked: bool, all: bool, blanks in "[ \t\r\n]{0,3}",
        ) {
            let names: Vec<String> = (0..values.len()).map(|at| format!("field{at}")).collect();
            let utf8: Vec<Vec<u8>> = values.iter().map(|value| value.clone().into_bytes()).collect();
            let narrow: Vec<Vec<u8>> = values.iter().map(|value| latin1(value)).collect();
            let fields: Map<_, _> = names.iter().cloned().zip(values.iter().cloned().map(Value::from)).collect();
            for (signed, written) in [(&utf8, &utf8), (&utf8, &narrow), (&narrow, &utf8), (&narrow, &narrow)] {
                // The crate reads bytes that are valid UTF-8 by chance as UTF-8.
                let by_chance = written.concat() != utf8.concat() && std::str::from_utf8(&written.concat()).is_ok();
                if by_chance && signed != written {
                    continue;
                }
                let signature = format!("{blanks}{}{blanks}", signature(signed).to_uppercase());
                let mut json = Value::from(fields.clone());
                json["Signature"] = signature.clone().into();
                let json = json.to_string();
                let json = if written == &utf8 { json.into_bytes() } else { latin1(&json) };
                let form = names.iter().zip(written).flat_map(|(name, value)| {
                    [name.as_bytes(), b"=", &escaped(value, all), b"&"].concat()
                });
                let last = [&b"Signature="[..], &escaped(signature.as_bytes(), true)].concat();
                for mut body in [json, form.chain(last).collect()] {
                    if marked && written == &utf8 {
                        body.splice(0..0, *b"\xef\xbb\xbf");
                    }
                    let event = verify_notification(&body, &["another", KEY]);
                    prop_assert!(event.is_ok(), "{event:?} {}", body.escape_ascii());
                    let other = verify_notification(&body, &["another"]);
                    prop_assert_eq!(other, Err(WebhookError::WrongSignature));
                }
            }
        }

        #[test]
        fn unsigned_bytes_are_never_verified(body in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(verify_notification(&body, &[KEY]).is_err());
            let form = [&b"Signature=bcff7f9ffa5f65fd2cbac2fdd2255484b931fe76&x="[..], &body].concat();
            prop_assert!(verify_notification(&form, &[KEY]).is_err());
        }

        #[test]
        fn blanks_around_a_key_are_ignored(before in "[ \t\r\n\u{feff}]{0,3}", after in "[ \t\r\n]{0,3}") {
            let around = format!("{before}{KEY}{after}");
            prop_assert!(verify_notification(sample().to_string().as_bytes(), &[&before, &around, ""]).is_ok());
            let fields = sample().as_object().unwrap().clone();
            prop_assert_eq!(sign_notification(fields.clone(), &around), sign_notification(fields, KEY));
        }
    }

    #[test]
    fn byte_order_mark_determines_the_encoding_of_a_notification() {
        let json = sample().to_string();
        let utf16 = |order: fn(u16) -> [u8; 2]| json.encode_utf16().flat_map(order).collect::<Vec<u8>>();
        for body in [
            [&b"\xef\xbb\xbf"[..], json.as_bytes()].concat(),
            [&b"\xff\xfe"[..], &utf16(u16::to_le_bytes)].concat(),
            [&b"\xfe\xff"[..], &utf16(u16::to_be_bytes)].concat(),
        ] {
            assert_eq!(verify_notification(&body, &[KEY]), verify(&sample()));
        }
    }

    #[test]
    fn verified_notification_keeps_unknown_fields() {
        let event = verify(&sample()).unwrap();
        assert_eq!(event.event.as_deref(), Some("captured"));
        assert_eq!(event.at, None);
        assert_eq!(event.text_at("/Client/City").as_deref(), Some("STRASB"));
        let typed: types::Notification = event.read().unwrap();
        assert_eq!((typed.tid.as_str(), typed.order_id.as_deref()), ("9XLknkv8", Some("72")));
        assert_eq!(typed.status, types::TransactionStatus::Captured);
        assert_eq!(typed.extra["Alias"], "412J33");
        let other = verify_notification(signed(json!({"Tid": "T1"})).to_string().as_bytes(), &["k"]).unwrap();
        assert_eq!(unreadable(other.read::<types::Notification>()), "`Status` is missing");
    }

    #[test]
    fn signing_again_replaces_the_old_signature() {
        for name in ["Signature", "SIGNATURE", "signature"] {
            let body = signed(json!({"Tid": "T1", name: "00"}));
            assert_eq!(verify_notification(body.to_string().as_bytes(), &["k"]).unwrap().body, body);
        }
    }

    #[test]
    fn duplicate_notifications_have_the_same_id() {
        let id = |body: &Value| verify_notification(body.to_string().as_bytes(), &["k"]).unwrap().id.unwrap();
        let pending = signed(json!({"Tid": "T1", "Status": "pending"}));
        let captured = signed(json!({"Tid": "T1", "Status": "captured"}));
        assert_eq!(id(&pending), id(&pending));
        assert_ne!(id(&pending), id(&captured));
        // The id must not contain the signature, because a reader of a log could copy the signature.
        assert!(!id(&captured).contains(captured["Signature"].as_str().unwrap()));
    }

    #[test]
    fn change_of_any_value_invalidates_the_signature() {
        fn leaves(value: &Value, path: String, found: &mut Vec<String>) {
            match value.as_object() {
                Some(fields) => fields.iter().for_each(|(key, value)| leaves(value, format!("{path}/{key}"), found)),
                None => found.push(path),
            }
        }
        let mut paths = Vec::new();
        leaves(&sample(), String::new(), &mut paths);
        assert_eq!(paths.len(), 27);
        for path in paths {
            for change in
                [|text: &str| format!("{text}0"), |text: &str| text[1..].to_owned(), |text: &str| text.replace('a', "")]
            {
                let mut body = sample();
                let value = body.pointer_mut(&path).unwrap();
                let changed = change(value.as_str().unwrap());
                if *value == changed {
                    continue;
                }
                *value = changed.into();
                assert_eq!(verify(&body), Err(WebhookError::WrongSignature), "{path}");
            }
        }
    }

    /// Each change below forges a notification without the key, and the verification accepts it. The documentation of
    /// `verify_notification` lists these changes. Only the vendor can correct the signature scheme.
    #[test]
    fn forgeries_that_the_signature_scheme_allows_are_verified() {
        let genuine = signed(json!({
            "Amount": "18.00", "AmountRefund": "6.00", "Description": "captured", "Message": "a$b", "Status": "failed",
            "Test": "", "Tid": "T1", "Client": {"City": "Paris"},
        }));
        let signature = &genuine["Signature"];
        let forged = |change: fn(&mut Map<String, Value>)| {
            let mut body = genuine.clone();
            change(body.as_object_mut().unwrap());
            assert_ne!(body, genuine);
            assert_eq!(&body["Signature"], signature);
            verify_notification(body.to_string().as_bytes(), &["k"])
        };
        fn rename(fields: &mut Map<String, Value>, from: &str, to: &str) {
            let value = fields.remove(from).unwrap();
            fields.insert(to.into(), value);
        }
        // The forged notification has the same values under other field names.
        let event = forged(|fields| {
            rename(fields, "Status", "Text");
            rename(fields, "Test", "Thing");
            rename(fields, "Message", "Stain");
            rename(fields, "Description", "Rest");
            rename(fields, "Rest", "Sort");
        });
        event.unwrap();
        let event = forged(|fields| {
            for (from, to) in [("Status", "Statut"), ("Message", "StatusX"), ("Description", "Status")] {
                rename(fields, from, to);
            }
        });
        assert_eq!(
            event.unwrap().event.as_deref(),
            Some("captured"),
            "the forged notification should have the forged event"
        );
        forged(|fields| rename(fields, "AmountRefund", "AmountPreAuth")).unwrap();
        // The forged notification splits or joins the values at another place.
        forged(|fields| {
            fields.insert("Message".into(), "a".into());
            fields.insert("Message2".into(), "b".into());
        })
        .unwrap();
        forged(|fields| {
            fields.insert("Description".into(), "captured$a".into());
            fields.insert("Message".into(), "b".into());
        })
        .unwrap();
        forged(|fields| {
            fields.remove("AmountRefund");
            fields.insert("Amount".into(), "18.00$6.00".into());
        })
        .unwrap();
        forged(|fields| drop(fields.insert("Client".into(), "Paris".into()))).unwrap();
        forged(|fields| drop(fields.insert("Order".into(), json!({})))).unwrap();
        // The forged notification has values of another JSON type.
        forged(|fields| drop(fields.insert("Test".into(), Value::Null))).unwrap();
        forged(|fields| drop(fields.insert("Test".into(), false.into()))).unwrap();
        // The crate gives all forgeries the same id as the genuine notification, so they count as duplicates.
        let first = verify_notification(genuine.to_string().as_bytes(), &["k"]).unwrap();
        assert_eq!(forged(|fields| rename(fields, "AmountRefund", "AmountPreAuth")).unwrap().id, first.id);
    }

    #[test]
    fn notification_that_the_signature_scheme_cannot_cover_is_refused() {
        let with = |name: &str, value: Value| {
            let mut body = sample();
            body[name] = value;
            unreadable(verify(&body))
        };
        assert_eq!(with("status", "failed".into()), "the names of two fields differ only in case");
        assert_eq!(with("signature", "".into()), "the names of two fields differ only in case");
        let deep = "a value is nested too deep for the signature";
        assert_eq!(with("Client", json!({"Address": {"City": "Paris"}})), deep);
        assert_eq!(with("AdditionalError", json!([["a"]])), deep);
        for number in [1e300, -1e15, 1e-300] {
            assert_eq!(with("Amount", number.into()), "a number is too large or too small for the signature");
        }
        let form = verify_notification(b"Client[a][b]=c&Signature=00", &[KEY]);
        assert_eq!(unreadable(form), "the brackets in the name of a form field are not valid");
    }

    #[test]
    fn error_about_a_notification_gives_a_reason_without_content() {
        let verify = |body: &[u8], keys: &[&str]| verify_notification(body, keys).unwrap_err();
        let body = sample().to_string();
        assert_eq!(verify(body.as_bytes(), &[]), WebhookError::NoSecret);
        assert_eq!(verify(body.as_bytes(), &["", " \r\n"]), WebhookError::NoSecret);
        assert_eq!(verify(&vec![b' '; WebhookEvent::MAX_BODY + 1], &[KEY]), WebhookError::TooLarge);
        for unsigned in ["", "{}", "Tid=T1", "Tid=T1&Signature=", r#"{"Signature": null}"#, "[]", "\u{feff}{}"] {
            assert_eq!(verify(unsigned.as_bytes(), &[KEY]), WebhookError::MissingSignature, "{unsigned}");
        }
        for wrong in ["0", "zz", "bcff7f9f", "bcff7f9ffa5f65fd2cbac2fdd2255484b931fe7600", "é", "$"] {
            let body = body.replace("bcff7f9ffa5f65fd2cbac2fdd2255484b931fe76", wrong);
            assert_eq!(verify(body.as_bytes(), &[KEY]), WebhookError::WrongSignature, "{wrong}");
        }
        let cut = verify(&body.as_bytes()[..100], &[KEY]);
        assert_eq!(cut.to_string(), "the notification cannot be read: the text ends too early, at line 1 column 100");
        let nested = format!(r#"{{"Client":{}"#, "[".repeat(100_000));
        assert_eq!(verify(nested.as_bytes(), &[KEY]).http_status(), 400);
    }

    #[test]
    fn damaged_notification_causes_no_panic_and_is_never_verified() {
        let mut random = Rng::with_seed(seed());
        let bodies = [sample().to_string(), as_form(&sample())];
        let genuine = verify(&sample()).unwrap();
        for _ in 0..cases(4_000) / 2 {
            let body = mutated(bodies[random.usize(..2)].as_bytes(), &mut random);
            let shown = match verify_notification(&body, &[KEY]) {
                Ok(event) => {
                    assert_eq!(event.id, genuine.id);
                    format!("{event:?}")
                }
                Err(e) => format!("{e} {e:?}"),
            };
            super::assert_shows_no_content(&shown);
            // Sign the damaged fields again, so that the test also covers the code that parses a body with a valid
            // signature.
            if let Ok(fields) = serde_json::from_slice(&body)
                && let Ok(signed) = sign_notification(fields, KEY)
            {
                let event = verify_notification(signed.as_bytes(), &[KEY]).unwrap();
                super::assert_shows_no_content(&format!("{event:?} {:?}", event.read::<types::Notification>().err()));
            }
        }
    }
}

#[cfg(feature = "seqino")]
mod seqino {
    use super::*;
    use base64::prelude::*;
    use mandat::seqino::{Encoding, sign_webhook, types, verify_request, verify_webhook};

    const NAME: &str = "x-example-signature";
    const SECRET: &str = "wh-s3cret";
    const EVENT: &str = r#"{"event_id":"evt_abc123def456","event_type":"mandate.activated","timestamp":"2026-10-01T08:00:00+02:00","sponsor_id":"BULL","data":{"client_id":"client_abc123","mandate_id":42,"iban":"FR7630001007941234567890185"}}"#;

    fn verify(body: &str, signature: &str) -> Result<WebhookEvent, WebhookError> {
        verify_webhook(body.as_bytes(), Some(signature.as_bytes()), Encoding::Hex, &[SECRET])
    }

    #[test]
    fn signature_of_an_event_is_the_hmac_sha256_of_its_body() {
        // The key and the body come from RFC 4231, test case 2. The body is not JSON, so the crate accepts the
        // signature and reports an error about the body.
        let (key, body) = ("Jefe", b"what do ya want for nothing?");
        let hex = b"5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        let base64 = b"W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM=";
        for (encoding, signature) in
            [(Encoding::Hex, &hex[..]), (Encoding::Hex, &hex.to_ascii_uppercase()), (Encoding::Base64, &base64[..])]
        {
            let read = unreadable(verify_webhook(body, Some(signature), encoding, &[key]));
            assert_eq!(read, "the text is not JSON, at line 1 column 1");
            let other = verify_webhook(b"what do ya want for nothing!", Some(signature), encoding, &[key]);
            assert_eq!(other, Err(WebhookError::WrongSignature));
        }
        assert_eq!(sign_webhook(body, Encoding::Hex, key).unwrap().as_bytes(), hex);
        assert_eq!(sign_webhook(body, Encoding::Base64, key).unwrap().as_bytes(), base64);
    }

    #[test]
    fn verified_event_has_type_time_and_mandate() {
        let event = verify(EVENT, &sign_webhook(EVENT.as_bytes(), Encoding::Hex, SECRET).unwrap()).unwrap();
        assert_eq!(event.provider, Provider::Seqino);
        assert_eq!(event.event.as_deref(), Some("mandate.activated"));
        assert_eq!(event.id.as_deref(), Some("evt_abc123def456"));
        assert_eq!(event.at, Some("2026-10-01T06:00:00Z".parse().unwrap()));
        let mandate = event.mandate_at(&["/data/client_id", "/data/mandate_id"]);
        assert_eq!(mandate, Some(MandateRef::seqino("client_abc123", "42")));
        for wrong in [&["/data/mandate_id"][..], &["/data/client_id", "/data/no"], &["", ""], &["/event_id"; 3], &[]] {
            assert_eq!(event.mandate_at(wrong), None, "{wrong:?}");
        }
        let typed: types::WebhookEventPayload = event.read().unwrap();
        assert_eq!(typed.event_type, types::WebhookEventType::MandateActivated);
        assert_eq!(typed.extra["data"]["mandate_id"], 42);
    }

    #[test]
    fn event_with_a_changed_body_or_signature_is_refused() {
        let signature = sign_webhook(EVENT.as_bytes(), Encoding::Hex, SECRET).unwrap();
        for at in 0..EVENT.len() {
            for bit in 0..8 {
                let mut body = EVENT.as_bytes().to_vec();
                body[at] ^= 1 << bit;
                let refused = verify_webhook(&body, Some(signature.as_bytes()), Encoding::Hex, &[SECRET]);
                assert_eq!(refused, Err(WebhookError::WrongSignature));
            }
        }
        for at in 0..signature.len() {
            let mut other = signature.clone().into_bytes();
            other[at] = if other[at] == b'0' { b'1' } else { b'0' };
            let refused = verify_webhook(EVENT.as_bytes(), Some(&other), Encoding::Hex, &[SECRET]);
            assert_eq!(refused, Err(WebhookError::WrongSignature));
        }
    }

    /// Returns the signature in one of the notations that vendors, proxies or people write.
    fn written_as(signature: &[u8; 32], form: u8, prefix: &str, blanks: &str) -> Vec<u8> {
        let written = match form {
            0 => signature.iter().map(|byte| format!("{byte:02x}")).collect(),
            1 => signature.iter().map(|byte| format!("{byte:02X}")).collect(),
            2 => BASE64_STANDARD.encode(signature),
            3 => BASE64_STANDARD_NO_PAD.encode(signature),
            4 => BASE64_URL_SAFE.encode(signature),
            _ => BASE64_URL_SAFE_NO_PAD.encode(signature),
        };
        format!("{blanks}{prefix}{written}{blanks}").into_bytes()
    }

    fn signed(body: &[u8]) -> [u8; 32] {
        let signature = sign_webhook(body, Encoding::Base64, SECRET).unwrap();
        BASE64_STANDARD.decode(signature).unwrap().try_into().unwrap()
    }

    proptest! {
        #[test]
        fn signature_header_is_read_in_every_notation(
            event_id in "[ -~é]{0,12}",
            upper in prop::collection::vec(any::<bool>(), NAME.len()),
            form in 0_u8..6,
            prefix in prop::sample::select(&["", "sha256=", "SHA256=", "hmac-sha256:", "sha256 ", "v1=", "sha256= "][..]),
            blanks in "[ \t]{0,3}",
            at in 0_usize..3,
            wrong: [u8; 32],
        ) {
            let body = json!({"event_id": event_id}).to_string().into_bytes();
            let case = |(letter, upper): (char, &bool)| if *upper { letter.to_ascii_uppercase() } else { letter };
            let name: String = NAME.chars().zip(&upper).map(case).collect();
            let with = |value: Vec<u8>| {
                let mut headers = vec![("content-type".to_owned(), b"application/json".to_vec()), ("x".into(), vec![0xff])];
                headers.insert(at, (name.clone(), value));
                verify_request(&body, headers, NAME, &["another", SECRET]).map(drop)
            };
            prop_assert_eq!(with(written_as(&signed(&body), form, prefix, &blanks)), Ok(()));
            prop_assert_eq!(with(written_as(&wrong, form, prefix, &blanks)), Err(WebhookError::WrongSignature));
            prop_assert_eq!(with(blanks.clone().into_bytes()), Err(WebhookError::MissingSignature));
        }

        #[test]
        fn unsigned_requests_are_never_verified(
            body in prop::collection::vec(any::<u8>(), 0..100),
            values in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..80), 0..4),
        ) {
            let headers = || values.iter().map(|value| (NAME, value));
            let refused = verify_request(&body, headers(), NAME, &[SECRET]).unwrap_err();
            prop_assert!(matches!(refused, WebhookError::MissingSignature | WebhookError::WrongSignature));
            for encoding in [Encoding::Hex, Encoding::Base64] {
                let signature = values.first().map(Vec::as_slice);
                prop_assert!(verify_webhook(&body, signature, encoding, &[SECRET]).is_err());
            }
            // The crate finds the correct signature among several ones, so any error must be about the content.
            let right = written_as(&signed(&body), 2, "", "");
            let headers = headers().chain([(NAME, &right)]);
            match verify_request(&body, headers, NAME, &[SECRET]) {
                Ok(_) | Err(WebhookError::Unreadable(_)) => {}
                Err(e) => panic!("{e}"),
            }
        }

        #[test]
        fn blanks_around_a_secret_are_ignored(before in "[ \t\r\n\u{feff}]{0,3}", after in "[ \t\r\n]{0,3}") {
            let around = format!("{before}{SECRET}{after}");
            let signature = sign_webhook(EVENT.as_bytes(), Encoding::Hex, &around).unwrap();
            prop_assert_eq!(&signature, &sign_webhook(EVENT.as_bytes(), Encoding::Hex, SECRET).unwrap());
            let headers = [(NAME, &signature)];
            prop_assert!(verify_request(EVENT.as_bytes(), headers, NAME, &[&before, &around]).is_ok());
        }
    }

    #[test]
    fn signature_is_found_among_several_in_one_header() {
        let body = EVENT.as_bytes();
        let sign = |secret| sign_webhook(body, Encoding::Hex, secret).unwrap();
        let (old, new) = (sign("old"), sign("new"));
        let both = format!("sha256={old}, sha256={new}");
        for headers in [vec![(NAME, &old), (NAME, &new)], vec![(NAME, &both)]] {
            assert!(verify_request(body, headers.clone(), NAME, &["new"]).is_ok());
            let third = verify_request(body, headers, NAME, &["third"]);
            assert_eq!(third, Err(WebhookError::WrongSignature));
        }
        let elsewhere = verify_request(body, [("x-other", &new)], NAME, &["new"]);
        assert_eq!(elsewhere, Err(WebhookError::MissingSignature));
    }

    #[test]
    fn signature_in_quotes_or_between_colons_is_read() {
        let signature = String::from_utf8(written_as(&signed(EVENT.as_bytes()), 2, "", "")).unwrap();
        for written in [format!("\"{signature}\""), format!("sig1=:{signature}:"), format!("sha256=\"{signature}\"")] {
            assert!(verify_request(EVENT.as_bytes(), [(NAME, written)], NAME, &[SECRET]).is_ok());
        }
        for empty in ["=", "::", "\"\"", "sha256="] {
            let refused = verify_request(EVENT.as_bytes(), [(NAME, empty)], NAME, &[SECRET]);
            assert_eq!(refused, Err(WebhookError::WrongSignature));
        }
    }

    #[test]
    fn signature_is_read_from_a_header_map_of_the_http_crate() {
        let mut headers = axum::http::HeaderMap::new();
        let signature = sign_webhook(EVENT.as_bytes(), Encoding::Hex, SECRET).unwrap();
        headers.insert("x-signature", signature.parse().unwrap());
        assert!(verify_request(EVENT.as_bytes(), &headers, "X-Signature", &[SECRET]).is_ok());
    }

    #[test]
    fn event_is_verified_with_or_without_its_signed_byte_order_mark() {
        let marked = [&b"\xef\xbb\xbf"[..], EVENT.as_bytes()].concat();
        for signature in [signed(&marked), signed(EVENT.as_bytes())] {
            let headers = [(NAME, written_as(&signature, 0, "", ""))];
            let event = verify_request(&marked, headers, NAME, &[SECRET]).unwrap();
            assert_eq!(event.id.as_deref(), Some("evt_abc123def456"));
        }
        // The sender signed the body with a byte order mark, but sent the body without it.
        let headers = [(NAME, written_as(&signed(&marked), 0, "", ""))];
        let refused = verify_request(EVENT.as_bytes(), headers, NAME, &[SECRET]);
        assert_eq!(refused, Err(WebhookError::WrongSignature));
    }

    #[test]
    fn latin1_text_in_a_signed_event_is_read() {
        let body = b"{\"event_id\": \"e1\", \"data\": {\"name\": \"Ren\xe9\"}}";
        let headers = [(NAME, written_as(&signed(body), 0, "", ""))];
        let event = verify_request(body, headers, NAME, &[SECRET]).unwrap();
        assert_eq!((event.id.as_deref(), event.text_at("/data/name").as_deref()), (Some("e1"), Some("René")));
    }

    #[test]
    fn damaged_value_in_a_signed_event_does_not_lose_other_values() {
        for damaged in [r#""\ud800""#, "\"two\nlines\"", "1e400", "NaN", r#""\x""#, ""] {
            for end in ["", "\n", "\0"] {
                let body = format!(r#"{{"a": {damaged}, "event_id": "e1", "event_type": "mandate.updated"}}{end}"#);
                let event = verify(&body, &sign_webhook(body.as_bytes(), Encoding::Hex, SECRET).unwrap()).unwrap();
                assert_eq!(
                    (event.id.as_deref(), event.event.as_deref()),
                    (Some("e1"), Some("mandate.updated")),
                    "{body}"
                );
            }
        }
        // Two different ids may look the same after damage, so the crate gives neither event an id for duplicates.
        let body = r#"{"event_id": "\ud800"}"#;
        assert_eq!(verify(body, &sign_webhook(body.as_bytes(), Encoding::Hex, SECRET).unwrap()).unwrap().id, None);
        for broken in [r#"{"event_id": "e1""#, "{} {}", "maintenance", "caf\u{e9}"] {
            let signature = sign_webhook(broken.as_bytes(), Encoding::Hex, SECRET).unwrap();
            assert!(matches!(verify(broken, &signature), Err(WebhookError::Unreadable(_))), "{broken}");
        }
    }

    #[test]
    fn event_id_is_read_from_text_or_number() {
        let id = |id: &str| {
            let body = format!(r#"{{"event_id": {id}}}"#);
            verify(&body, &sign_webhook(body.as_bytes(), Encoding::Hex, SECRET).unwrap()).unwrap().id
        };
        for (written, read) in [
            ("\"evt_1\"", Some("evt_1")),
            ("42", Some("42")),
            ("18446744073709551615", Some("18446744073709551615")),
            ("-1", Some("-1")),
            ("1.5", Some("1.5")),
            ("null", None),
            ("\"\"", None),
            ("\" \"", None),
            ("{}", None),
            ("true", None),
        ] {
            assert_eq!(id(written).as_deref(), read, "{written}");
        }
        let (one, other) = ("123456789012345678901234567890", "123456789012345678901234567891");
        assert!(id(one) != id(other) || id(one).is_none());
    }

    proptest! {
        #[test]
        fn reference_in_an_event_cannot_name_another_record(client in UNTRUSTED, id in UNTRUSTED) {
            let body = json!({"client": client, "id": id}).to_string();
            let event = verify(&body, &sign_webhook(body.as_bytes(), Encoding::Hex, SECRET).unwrap()).unwrap();
            let mandate = event.mandate_at(&["/client", "/id"]);
            let plain = [&client, &id].iter().all(|part| super::names_only_itself(part));
            prop_assert_eq!(mandate.is_some(), plain);
            if let Some(mandate) = mandate {
                prop_assert_eq!((mandate.client_id(), mandate.id()), (Some(client.trim()), id.trim()));
                prop_assert_eq!(mandate.to_string().parse::<MandateRef>().unwrap(), mandate);
            }
        }
    }

    #[test]
    fn signature_by_an_old_or_new_secret_is_verified_but_not_by_a_blank_one() {
        let body = EVENT.as_bytes();
        let with = |signed: &str, secrets: &[&str]| {
            let signature = sign_webhook(body, Encoding::Hex, signed).unwrap();
            verify_webhook(body, Some(signature.as_bytes()), Encoding::Hex, secrets).map(drop)
        };
        assert_eq!(with("new", &["new", "old"]), Ok(()));
        assert_eq!(with("old", &["new", "old"]), Ok(()));
        assert_eq!(with("old", &["new"]), Err(WebhookError::WrongSignature));
        // The crate ignores a blank secret: it does not prevent a check with the other secrets, and verifies no
        // signature.
        assert_eq!(with("old", &["old", ""]), Ok(()));
        assert_eq!(with("old", &[" ", "new"]), Err(WebhookError::WrongSignature));
        let blank = "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad";
        let by_nobody = verify_webhook(b"", Some(blank.as_bytes()), Encoding::Hex, &["", "new"]);
        assert_eq!(by_nobody, Err(WebhookError::WrongSignature), "HMAC-SHA256 of an empty body with an empty key");
        for none in [&[][..], &[""], &[" ", "\r\n", "\u{feff}"], &["\u{200b}", "\u{a0}"]] {
            assert_eq!(with("old", none), Err(WebhookError::NoSecret));
        }
        assert_eq!(sign_webhook(body, Encoding::Hex, ""), Err(WebhookError::NoSecret));
        assert_eq!(sign_webhook(body, Encoding::Hex, "\n"), Err(WebhookError::NoSecret));
    }

    #[test]
    fn log_about_a_trimmed_secret_does_not_show_the_secret() {
        let log = crate::traces::Log::listen();
        let signature = sign_webhook(EVENT.as_bytes(), Encoding::Hex, SECRET).unwrap();
        let verify = |secrets: &[&str]| {
            drop(verify_webhook(EVENT.as_bytes(), Some(signature.as_bytes()), Encoding::Hex, secrets).unwrap());
            log.text()
        };
        assert_eq!(verify(&[SECRET]), "");
        assert!(verify(&[SECRET, ""]).contains("a webhook secret is blank"));
        let line = format!("{SECRET}\n");
        let said = verify(&[&line]);
        assert!(said.contains("around a webhook secret were ignored"), "{said}");
        super::assert_shows_no_content(&said);
    }

    #[test]
    fn error_about_a_webhook_gives_a_reason() {
        let verify = |body: &[u8], signature| verify_webhook(body, signature, Encoding::Hex, &[SECRET]).map(drop);
        assert_eq!(verify(b"{}", None), Err(WebhookError::MissingSignature));
        assert_eq!(verify(b"{}", Some(b"")), Err(WebhookError::MissingSignature));
        for wrong in [&b"sha256="[..], b"abc", b"\xff", &[b'0'; 64], &[b'0'; 100_000]] {
            assert_eq!(verify(b"{}", Some(wrong)), Err(WebhookError::WrongSignature));
        }
        assert_eq!(verify(&vec![b' '; WebhookEvent::MAX_BODY + 1], Some(b"00")), Err(WebhookError::TooLarge));
    }

    #[test]
    fn damaged_event_causes_no_panic_and_is_never_verified() {
        let mut random = Rng::with_seed(seed());
        let signature = sign_webhook(EVENT.as_bytes(), Encoding::Hex, SECRET).unwrap();
        for _ in 0..cases(4_000) / 2 {
            let body = mutated(EVENT.as_bytes(), &mut random);
            let result = verify_webhook(&body, Some(signature.as_bytes()), Encoding::Hex, &[SECRET]);
            assert_eq!(result.is_ok(), body == EVENT.as_bytes());
            // Sign the damaged body again, so that the test also covers the code that parses a body with a valid
            // signature.
            let own = sign_webhook(&body, Encoding::Base64, SECRET).unwrap();
            match verify_webhook(&body, Some(own.as_bytes()), Encoding::Base64, &[SECRET]) {
                Ok(event) => {
                    let mandate = event.mandate_at(&["/data/client_id", "/data/mandate_id"]);
                    assert!(mandate.is_none_or(|m| m.to_string().parse().ok() == Some(m)));
                    let typed = event.read::<types::WebhookEventPayload>().err();
                    super::assert_shows_no_content(&format!("{event:?} {typed:?}"));
                }
                Err(e @ WebhookError::Unreadable(_)) => super::assert_shows_no_content(&format!("{e} {e:?}")),
                Err(e) => panic!("{e}"),
            }
        }
    }
}

#[cfg(feature = "safedebit")]
mod safedebit {
    use super::*;
    use mandat::safedebit::SignatureReturn;

    #[test]
    fn return_from_a_signature_page_gives_only_a_hint_of_the_mandate() {
        let back =
            SignatureReturn::parse(b"order=72&umr=RUM%2D1&umr=RUM-2&iban=FR7630001007941234567890185&x").unwrap();
        assert_eq!(back.hint("umr"), Some(MandateRef::safedebit("RUM-1")));
        assert_eq!(back.unverified("order"), Some("72"));
        assert_eq!(back.unverified("x"), Some(""));
        assert_eq!(back.hint("x"), None);
        assert_eq!(back.hint("rum"), None);
        super::assert_shows_no_content(&format!("{back:?}"));
        assert_eq!(SignatureReturn::parse(&vec![b'a'; WebhookEvent::MAX_BODY + 1]), Err(WebhookError::TooLarge));
    }

    #[test]
    fn return_query_with_a_question_mark_or_latin1_is_read() {
        let back = SignatureReturn::parse(b"?name=Ren%E9&umr=RUM-1").unwrap();
        assert_eq!((back.unverified("name"), back.hint("umr")), (Some("René"), Some(MandateRef::safedebit("RUM-1"))));
        let back = SignatureReturn::parse(b"\xef\xbb\xbfname=Ren%C3%A9&umr=RUM+1\r\n").unwrap();
        assert_eq!((back.unverified("name"), back.unverified("umr")), (Some("René"), Some("RUM 1")));
    }

    proptest! {
        #[test]
        fn hint_in_a_return_query_cannot_name_another_record(umr in UNTRUSTED) {
            let form = url::form_urlencoded::Serializer::new(String::new()).append_pair("umr", &umr).finish();
            let hint = SignatureReturn::parse(form.as_bytes()).unwrap().hint("umr");
            prop_assert_eq!(hint.is_some(), super::names_only_itself(&umr) && umr.trim().chars().count() <= 35);
            if let Some(hint) = hint {
                prop_assert_eq!(hint.id(), umr.trim());
                prop_assert_eq!(hint.to_string().parse::<MandateRef>().unwrap(), hint);
            }
        }

        #[test]
        fn return_query_keeps_the_names_and_values_of_a_form(pairs in prop::collection::vec((".{0,8}", ".{0,8}"), 0..5)) {
            let mut form = url::form_urlencoded::Serializer::new(String::new());
            form.extend_pairs(&pairs);
            let back = SignatureReturn::parse(form.finish().as_bytes()).unwrap();
            for (name, _) in &pairs {
                let first = pairs.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str());
                prop_assert_eq!(back.unverified(name), first);
            }
        }

        #[test]
        fn return_query_is_parsed_from_any_bytes_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            let back = SignatureReturn::parse(&bytes).unwrap();
            prop_assert!(back.hint("").is_none_or(|mandate| super::names_only_itself(mandate.id())));
        }
    }

    #[test]
    fn return_query_with_an_invalid_umr_gives_no_hint() {
        let hint = |value: &str| SignatureReturn::parse(format!("umr={value}").as_bytes()).unwrap().hint("umr");
        assert!(hint(&"a".repeat(35)).is_some());
        assert_eq!(hint("+RUM-1%20"), Some(MandateRef::safedebit("RUM-1")));
        for bad in [
            &"a".repeat(36),
            "",
            "+",
            "a%0Ab",
            "%00",
            "..",
            "%2E%2E",
            "+.+",
            "../clients/victim",
            "..%5Cclients%5Cvictim",
            "%252e%252e",
            "RUM-1%E2%80%AE",
        ] {
            assert_eq!(hint(bad), None, "{bad}");
        }
        let mut random = Rng::with_seed(seed());
        for _ in 0..cases(4_000) / 4 {
            let query = mutated(b"order=72&umr=RUM-2026-0042&mandate=%F0%9F%92%B6", &mut random);
            if let Some(mandate) = SignatureReturn::parse(&query).unwrap().hint("umr") {
                assert_eq!(mandate.to_string().parse::<MandateRef>().unwrap(), mandate);
            }
        }
    }
}

/// Asserts that the text shows no content of the bodies above.
fn assert_shows_no_content(shown: &str) {
    for content in [
        "captured",
        "9XLknkv8",
        "john@doe",
        "Pitest",
        "BULL",
        "18.00",
        "bcff7f9f",
        "evt_abc",
        "client_abc",
        "FR7630",
        "wh-s3cret",
        "myApiKey",
        "RUM-",
    ] {
        assert!(!shown.contains(content), "{content:?} is in {shown}");
    }
}

/// The test measures no time. It checks that the source code compares signatures only with functions that take constant
/// time.
#[test]
fn signatures_are_compared_in_constant_time() {
    // Counts the places in the source code that refuse a signature. Easytransac's code also refuses a signature that is
    // not hexadecimal.
    for (source, comparison, refusals) in [
        (include_str!("../../src/vendors/easytransac/notification.rs"), ".ct_eq(&given)", 2),
        (include_str!("../../src/vendors/seqino/webhook.rs"), ".verify_slice(signature)", 1),
    ] {
        assert_eq!(source.matches(comparison).count(), 1);
        assert_eq!(source.matches("WebhookError::WrongSignature)").count(), refusals);
    }
}

#[cfg(all(feature = "easytransac", feature = "safedebit", feature = "seqino"))]
#[path = "../../examples/webhooks.rs"]
#[allow(dead_code, reason = "the test does not call its main")]
mod example;

#[cfg(all(feature = "easytransac", feature = "safedebit", feature = "seqino"))]
#[tokio::test]
async fn example_webhooks_reads_each_mandate_once() {
    let sandbox = mandat::sandbox::Sandbox::start().await.unwrap();
    let mut out = Vec::new();
    example::run(&sandbox, &mut out).await.unwrap();
    crate::snapshot!("webhooks", String::from_utf8(out).unwrap());
    for read in ["get_mandate_status", "search_mandate", "get_mandate"] {
        assert_eq!(sandbox.count(read), 1, "{read}");
    }
}
