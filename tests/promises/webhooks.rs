//! A notification is verified or refused, whatever bytes come, and what a signature does not prove is known.

use crate::chance::{cases, seed};
use fastrand::Rng;
use mandat::{MandateRef, Provider, WebhookError, WebhookEvent};
use serde_json::{Map, Value, json};

/// What breaks readers.
const PIECES: [&[u8]; 14] =
    [b"{", b"}", b"[", b"]", b"\"", b"$", b"&", b"=", b"%", b"null", b"1e999", b"\xff\xfe", b"\\ud800", b"Client["];

/// Here and there another byte, a piece less, a piece twice, or what breaks readers.
fn mutated(body: &[u8], random: &mut Rng) -> Vec<u8> {
    crate::chance::mutated(body, &PIECES, random)
}

fn unreadable<T: std::fmt::Debug>(result: Result<T, WebhookError>) -> String {
    match result {
        Err(WebhookError::Unreadable(why)) => why,
        other => panic!("{other:?}"),
    }
}

#[cfg(feature = "easytransac")]
mod easytransac {
    use super::*;
    use mandat::easytransac::{sign_notification, types, verify_notification};

    const KEY: &str = "myApiKey";

    /// The signed sample of the vendor's SDK, with the names that it invents.
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

    /// What `sign_notification` says of these fields with the key `k`.
    fn signed(fields: Value) -> Value {
        let Value::Object(fields) = fields else { panic!() };
        serde_json::from_str(&sign_notification(fields, "k").unwrap()).unwrap()
    }

    /// The same as PHP's `http_build_query` writes it.
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
    fn both_published_signatures_are_verified_as_json_and_as_a_form() {
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
    fn values_are_written_as_the_vendors_language_writes_them() {
        // The expected texts are hashed by another program.
        let body = json!({
            "a": null, "B": false, "c": true, "D": 18.00, "e": 7, "F": 0.83, "g": [], "h": ["x", "y"],
            "i": {"b": "2", "A": "1"}, "Status": "captured", "Tid": "T1",
        });
        // "$$1$18$7$0.83$x$y$1$2$captured$T1$k"
        assert_eq!(signed(body)["Signature"], "4d70edd7c81295f87ebe6084d7fd853f2f14fe05");
        let list: Vec<String> = (0..11).map(|i| format!("e{i}")).collect();
        let body = signed(json!({"AdditionalError": list}));
        // "e0$e1$...$e10$k"
        assert_eq!(body["Signature"], "94ba01c2d97b243201b63b6970f3ee21a9ba45db");
        for form in [as_form(&body), as_form(&body).replace("%5B", "[").replace("%5D", "]")] {
            verify_notification(form.as_bytes(), &["k"]).unwrap();
        }
        let unnumbered = (0..11).fold(as_form(&body), |form, i| form.replace(&format!("%5B{i}%5D"), "[]"));
        verify_notification(unnumbered.as_bytes(), &["k"]).unwrap();
    }

    #[test]
    fn a_verified_notification_is_read_as_its_type_and_keeps_the_rest() {
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
    fn a_signature_among_the_fields_is_replaced_when_they_are_signed_anew() {
        for name in ["Signature", "SIGNATURE", "signature"] {
            let body = signed(json!({"Tid": "T1", name: "00"}));
            assert_eq!(verify_notification(body.to_string().as_bytes(), &["k"]).unwrap().body.0, body);
        }
    }

    #[test]
    fn one_notification_that_comes_twice_has_one_id_and_another_status_has_another() {
        let id = |body: &Value| verify_notification(body.to_string().as_bytes(), &["k"]).unwrap().id.unwrap();
        let pending = signed(json!({"Tid": "T1", "Status": "pending"}));
        let captured = signed(json!({"Tid": "T1", "Status": "captured"}));
        assert_eq!(id(&pending), id(&pending));
        assert_ne!(id(&pending), id(&captured));
        // Who reads the id in a log cannot sign with it.
        assert!(!id(&captured).contains(captured["Signature"].as_str().unwrap()));
    }

    #[test]
    fn no_value_can_be_changed() {
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

    /// Each of these is a forgery by somebody without the key, and verified. The documentation of
    /// `verify_notification` says so; a fix would have to come from the vendor.
    #[test]
    fn what_the_signature_does_not_prove_is_what_the_documentation_says() {
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
        // Names.
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
        assert_eq!(event.unwrap().event.as_deref(), Some("captured"), "a text under the name of the status");
        forged(|fields| rename(fields, "AmountRefund", "AmountPreAuth")).unwrap();
        // Boundaries.
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
        // Types.
        forged(|fields| drop(fields.insert("Test".into(), Value::Null))).unwrap();
        forged(|fields| drop(fields.insert("Test".into(), false.into()))).unwrap();
        // It is one notification all the same.
        let first = verify_notification(genuine.to_string().as_bytes(), &["k"]).unwrap();
        assert_eq!(forged(|fields| rename(fields, "AmountRefund", "AmountPreAuth")).unwrap().id, first.id);
    }

    #[test]
    fn what_the_scheme_leaves_open_is_refused() {
        let with = |name: &str, value: Value| {
            let mut body = sample();
            body[name] = value;
            unreadable(verify(&body))
        };
        assert_eq!(with("status", "failed".into()), "the names of two fields differ in case only");
        assert_eq!(with("signature", "".into()), "the names of two fields differ in case only");
        let deep = "a value is nested deeper than the signature reaches";
        assert_eq!(with("Client", json!({"Address": {"City": "Paris"}})), deep);
        assert_eq!(with("AdditionalError", json!([["a"]])), deep);
        for number in [1e300, -1e15, 1e-300] {
            assert_eq!(with("Amount", number.into()), "a number is too large or too small");
        }
        let form = verify_notification(b"Client[a][b]=c&Signature=00", &[KEY]);
        assert_eq!(unreadable(form), "the brackets of a field's name");
    }

    #[test]
    fn a_refusal_says_why_and_nothing_of_the_content() {
        let verify = |body: &[u8], keys: &[&str]| verify_notification(body, keys).unwrap_err();
        let body = sample().to_string();
        assert_eq!(verify(body.as_bytes(), &[]), WebhookError::NoSecret);
        assert_eq!(verify(body.as_bytes(), &[KEY, ""]), WebhookError::NoSecret);
        assert_eq!(verify(&vec![b' '; WebhookEvent::MAX_BODY + 1], &[KEY]), WebhookError::TooLarge);
        for unsigned in ["", "{}", "Tid=T1", "Tid=T1&Signature=", r#"{"Signature": null}"#, "[]", "\u{feff}{}"] {
            assert_eq!(verify(unsigned.as_bytes(), &[KEY]), WebhookError::MissingSignature, "{unsigned}");
        }
        for wrong in ["0", "zz", "bcff7f9f", "bcff7f9ffa5f65fd2cbac2fdd2255484b931fe7600", "é", "$"] {
            let body = body.replace("bcff7f9ffa5f65fd2cbac2fdd2255484b931fe76", wrong);
            assert_eq!(verify(body.as_bytes(), &[KEY]), WebhookError::WrongSignature, "{wrong}");
        }
        let cut = verify(&body.as_bytes()[..100], &[KEY]);
        assert_eq!(cut.to_string(), "it cannot be read: it ends too early, at line 1 column 100");
        let nested = format!(r#"{{"Client":{}"#, "[".repeat(100_000));
        assert_eq!(verify(nested.as_bytes(), &[KEY]).http_status(), 400);
    }

    #[test]
    fn whatever_bytes_come_nothing_panics_and_no_other_signed_text_is_verified() {
        let mut random = Rng::with_seed(seed());
        let bodies = [sample().to_string(), as_form(&sample())];
        let genuine = verify(&sample()).unwrap();
        for _ in 0..cases(20_000) / 2 {
            let body = mutated(bodies[random.usize(..2)].as_bytes(), &mut random);
            let shown = match verify_notification(&body, &[KEY]) {
                Ok(event) => {
                    assert_eq!(event.id, genuine.id);
                    format!("{event:?}")
                }
                Err(e) => format!("{e} {e:?}"),
            };
            super::shows_nothing(&shown);
            // Past the signature, too.
            if let Ok(fields) = serde_json::from_slice(&body)
                && let Ok(signed) = sign_notification(fields, KEY)
            {
                let event = verify_notification(signed.as_bytes(), &[KEY]).unwrap();
                super::shows_nothing(&format!("{event:?} {:?}", event.read::<types::Notification>().err()));
            }
        }
    }
}

#[cfg(feature = "seqino")]
mod seqino {
    use super::*;
    use mandat::seqino::{Encoding, sign_webhook, types, verify_webhook};

    const SECRET: &str = "wh-s3cret";
    const EVENT: &str = r#"{"event_id":"evt_abc123def456","event_type":"mandate.activated","timestamp":"2026-10-01T08:00:00+02:00","sponsor_id":"BULL","data":{"client_id":"client_abc123","mandate_id":42,"iban":"FR7630001007941234567890185"}}"#;

    fn verify(body: &str, signature: &str) -> Result<WebhookEvent, WebhookError> {
        verify_webhook(body.as_bytes(), Some(signature.as_bytes()), Encoding::Hex, &[SECRET])
    }

    #[test]
    fn the_signature_is_hmac_sha256_of_the_body() {
        // RFC 4231, test case 2: not JSON, so what is refused is the body and no longer the signature.
        let (key, body) = ("Jefe", b"what do ya want for nothing?");
        let hex = b"5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        let base64 = b"W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM=";
        for (encoding, signature) in
            [(Encoding::Hex, &hex[..]), (Encoding::Hex, &hex.to_ascii_uppercase()), (Encoding::Base64, &base64[..])]
        {
            let read = unreadable(verify_webhook(body, Some(signature), encoding, &[key]));
            assert_eq!(read, "it is no JSON, at line 1 column 1");
            let other = verify_webhook(b"what do ya want for nothing!", Some(signature), encoding, &[key]);
            assert_eq!(other, Err(WebhookError::WrongSignature));
        }
        assert_eq!(sign_webhook(body, Encoding::Hex, key).unwrap().as_bytes(), hex);
        assert_eq!(sign_webhook(body, Encoding::Base64, key).unwrap().as_bytes(), base64);
    }

    #[test]
    fn a_verified_event_says_what_happened_when_and_to_which_mandate() {
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
    fn no_byte_of_body_or_signature_can_be_changed() {
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

    #[test]
    fn while_a_secret_is_replaced_both_are_good_and_an_empty_one_never() {
        let body = EVENT.as_bytes();
        let with = |signed: &str, secrets: &[&str]| {
            let signature = sign_webhook(body, Encoding::Hex, signed).unwrap();
            verify_webhook(body, Some(signature.as_bytes()), Encoding::Hex, secrets).map(drop)
        };
        assert_eq!(with("new", &["new", "old"]), Ok(()));
        assert_eq!(with("old", &["new", "old"]), Ok(()));
        assert_eq!(with("old", &["new"]), Err(WebhookError::WrongSignature));
        assert_eq!(with("old", &["old", ""]), Err(WebhookError::NoSecret));
        assert_eq!(with("old", &[]), Err(WebhookError::NoSecret));
        assert_eq!(sign_webhook(body, Encoding::Hex, ""), Err(WebhookError::NoSecret));
    }

    #[test]
    fn a_refusal_says_why() {
        let verify = |body: &[u8], signature| verify_webhook(body, signature, Encoding::Hex, &[SECRET]).map(drop);
        assert_eq!(verify(b"{}", None), Err(WebhookError::MissingSignature));
        assert_eq!(verify(b"{}", Some(b"")), Err(WebhookError::MissingSignature));
        for wrong in [&b"sha256="[..], b"abc", b"\xff", &[b'0'; 64], &[b'0'; 100_000]] {
            assert_eq!(verify(b"{}", Some(wrong)), Err(WebhookError::WrongSignature));
        }
        assert_eq!(verify(&vec![b' '; WebhookEvent::MAX_BODY + 1], Some(b"00")), Err(WebhookError::TooLarge));
    }

    #[test]
    fn whatever_bytes_come_nothing_panics_and_only_what_was_signed_is_verified() {
        let mut random = Rng::with_seed(seed());
        let signature = sign_webhook(EVENT.as_bytes(), Encoding::Hex, SECRET).unwrap();
        for _ in 0..cases(20_000) / 2 {
            let body = mutated(EVENT.as_bytes(), &mut random);
            let result = verify_webhook(&body, Some(signature.as_bytes()), Encoding::Hex, &[SECRET]);
            assert_eq!(result.is_ok(), body == EVENT.as_bytes());
            // Past the signature, too.
            let own = sign_webhook(&body, Encoding::Base64, SECRET).unwrap();
            match verify_webhook(&body, Some(own.as_bytes()), Encoding::Base64, &[SECRET]) {
                Ok(event) => {
                    let mandate = event.mandate_at(&["/data/client_id", "/data/mandate_id"]);
                    assert!(mandate.is_none_or(|m| m.to_string().parse().ok() == Some(m)));
                    let typed = event.read::<types::WebhookEventPayload>().err();
                    super::shows_nothing(&format!("{event:?} {typed:?}"));
                }
                Err(e @ WebhookError::Unreadable(_)) => super::shows_nothing(&format!("{e} {e:?}")),
                Err(e) => panic!("{e}"),
            }
        }
    }
}

#[cfg(feature = "safedebit")]
mod safedebit {
    use super::*;
    use mandat::safedebit::Return;

    #[test]
    fn a_browser_that_comes_back_says_at_most_which_mandate_to_read() {
        let back = Return::parse(b"order=72&umr=RUM%2D1&umr=RUM-2&iban=FR7630001007941234567890185&x").unwrap();
        assert_eq!(back.hint("umr"), Some(MandateRef::safedebit("RUM-1")));
        assert_eq!(back.unverified("order"), Some("72"));
        assert_eq!(back.unverified("x"), Some(""));
        assert_eq!(back.hint("x"), None);
        assert_eq!(back.hint("rum"), None);
        super::shows_nothing(&format!("{back:?}"));
        assert_eq!(Return::parse(&vec![b'a'; WebhookEvent::MAX_BODY + 1]), Err(WebhookError::TooLarge));
    }

    #[test]
    fn what_cannot_be_a_umr_is_no_hint() {
        let hint = |value: &str| Return::parse(format!("umr={value}").as_bytes()).unwrap().hint("umr");
        assert!(hint(&"a".repeat(35)).is_some());
        for bad in [&"a".repeat(36), "", "a%0Ab", "%00"] {
            assert_eq!(hint(bad), None, "{bad}");
        }
        let mut random = Rng::with_seed(seed());
        for _ in 0..cases(20_000) / 20 {
            let query = mutated(b"order=72&umr=RUM-2026-0042&mandate=%F0%9F%92%B6", &mut random);
            if let Some(mandate) = Return::parse(&query).unwrap().hint("umr") {
                assert_eq!(mandate.to_string().parse::<MandateRef>().unwrap(), mandate);
            }
        }
    }
}

/// Nothing of what stands in the bodies above.
fn shows_nothing(shown: &str) {
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

/// A difference in time is not measured here; that nothing else compares signatures is.
#[test]
fn signatures_are_compared_in_constant_time() {
    for (source, comparison) in [
        (include_str!("../../src/easytransac/notification.rs"), ".ct_eq(given)"),
        (include_str!("../../src/seqino/webhook.rs"), ".verify_slice(&signature)"),
    ] {
        assert_eq!(source.matches(comparison).count(), 1);
        assert_eq!(source.matches("WebhookError::WrongSignature)").count(), 2, "encoding and comparison");
    }
}

#[cfg(all(feature = "easytransac", feature = "safedebit", feature = "seqino"))]
#[path = "../../examples/webhooks.rs"]
#[allow(dead_code, reason = "its main is not called")]
mod example;

#[cfg(all(feature = "easytransac", feature = "safedebit", feature = "seqino"))]
#[tokio::test]
async fn the_example_takes_each_callback_and_reads_each_mandate_once() {
    let sandbox = mandat::sandbox::Sandbox::start().await.unwrap();
    let mut out = Vec::new();
    example::run(&sandbox, &mut out).await.unwrap();
    crate::snapshot!("webhooks", String::from_utf8(out).unwrap());
    for read in ["get_mandate_status", "search_mandate", "get_mandate"] {
        assert_eq!(sandbox.count(read), 1, "{read}");
    }
}
