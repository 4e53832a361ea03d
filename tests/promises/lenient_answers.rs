//! A response that differs from the vendor's documentation loses no data. The client reads the rest of the response,
//! and all other items of a list.

use crate::support::{KEY, Server, json};
use mandat::wire::{Date, DateTime, Extra, FrenchDate, Int, Json, List, OneOrMany};
use proptest::prelude::*;
use serde_json::{Value, json as value};

fn read<T: serde::de::DeserializeOwned>(json: &str) -> T {
    serde_json::from_str(json).unwrap()
}

#[test]
fn dates_are_read_only_in_their_exact_format() {
    for text in ["+12345-1-1", "-123-01-01", "2026-1-001", " 2026-1-01", "2026-02-30"] {
        let date: Date = read(&format!("{text:?}"));
        assert_eq!(date.unread().map(|text| text.as_str()), Some(text));
    }
    for text in ["1/1/+12345", "01/01/-123", " 1/01/2026", "01/01/26"] {
        let date: FrenchDate = read(&format!("{text:?}"));
        assert_eq!(date.unread().map(|text| text.as_str()), Some(text));
    }
    assert_eq!(read::<Date>("\"2026-01-31\"").get(), read::<FrenchDate>("\"31/01/2026\"").get());
}

#[test]
fn placeholders_such_as_0000_00_00_are_read_as_no_date() {
    for text in ["0001-01-01", "0000-00-00", "1753-01-01", "1900-01-01", "0001-12-31", ""] {
        assert_eq!(read::<Date>(&format!("{text:?}")).get(), None, "{text}");
        for time in ["T00:00:00Z", "T00:00:00", " 00:00:00", "T00:00:00.000+01:00"] {
            assert_eq!(read::<DateTime>(&format!("\"{text}{time}\"")).get(), None, "{text}{time}");
        }
    }
    for text in ["1970-01-01T00:00:00Z", "1970-01-01T01:00:00+01:00"] {
        assert_eq!(read::<DateTime>(&format!("{text:?}")).get(), None, "{text}");
    }
    for text in ["01/01/0001", "00/00/0000", "01/01/1900"] {
        assert_eq!(read::<FrenchDate>(&format!("{text:?}")).get(), None, "{text}");
    }
    assert!(read::<Date>("\"1930-01-01\"").get().is_some(), "a birth date should be read");
}

#[test]
fn integers_are_read_in_each_notation_of_json() {
    for json in ["300", "300.0", "3e2", "3E+2", "30000e-2", "0.3e3", "\"300\"", "\"300.0\"", "\"3e2\"", "300.000"] {
        assert_eq!(read::<Int<0, 86400>>(json).get(), Some(300), "{json}");
    }
    for json in
        ["300.5", "3e-1", "1e400", "9223372036854775808", "\"\"", "\".5\"", "\"3 00\"", "\"0x3\"", "null", "[3]"]
    {
        assert_eq!(read::<Int<0, 86400>>(json).get(), None, "{json}");
    }
    for json in ["0.0", "-0", "0e9", "-0.00"] {
        assert_eq!(read::<Int<0, 86400>>(json).get(), Some(0), "{json}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_integers_are_read_in_every_json_notation(number in any::<i64>(), zeros in 0..5_usize, shift in 0..5_usize) {
        let zeros = "0".repeat(zeros);
        let (sign, digits) = if number < 0 { ("-", number.to_string()[1..].to_owned()) } else { ("", number.to_string()) };
        let (before, after) = digits.split_at(digits.len() - shift.min(digits.len() - 1));
        let shift = after.len();
        for json in [
            format!("{number}"),
            format!("{number}.{zeros}0"),
            format!("{number}{zeros}e-{}", zeros.len()),
            format!("{sign}{before}.{after}0e{shift}"),
            format!("{sign}{before}.{after}0E+{shift}"),
        ] {
            prop_assert_eq!(read::<Int<{ i64::MIN }, { i64::MAX }>>(&json).get(), Some(number), "{}", json);
            prop_assert_eq!(read::<Int<{ i64::MIN }, { i64::MAX }>>(&format!("{json:?}")).get(), Some(number), "{}", json);
        }
    }

    #[test]
    fn numbers_in_unknown_fields_keep_every_digit(number in r"-?(0|[1-9][0-9]{0,40})(\.[0-9]{1,20})?") {
        let json = format!(r#"{{"known":true,"amount":{number},"list":[{number},{{"x":{number}}}]}}"#);
        let (extra, any): (Extra, Json) = (read(&json), read(&json));
        prop_assert_eq!(extra["amount"].as_json(), &number);
        prop_assert_eq!(any.as_json(), &json);
        for written in [serde_json::to_string(&extra).unwrap(), serde_json::to_string(&any).unwrap()] {
            prop_assert_eq!(written.matches(&number).count(), 3, "{}", written);
            let again: Extra = read(&written);
            prop_assert_eq!(again["amount"].as_json(), &number);
        }
        let unread: Date = read(&number);
        prop_assert_eq!(unread.unread().unwrap().as_str(), &number);
    }
}

#[test]
fn lists_are_read_in_every_form_that_php_writes() {
    for (json, items, explicit) in [
        ("[]", 0, true),
        ("{}", 0, true),
        ("null", 0, false),
        ("false", 0, false),
        ("\"\"", 0, false),
        (r#"["2026-01-31"]"#, 1, true),
        (r#"{"0":"2026-01-31","2":"2026-02-28"}"#, 2, true),
        (r#"{"17":"2026-01-31"}"#, 1, true),
    ] {
        let list: List<Date> = read(json);
        assert_eq!((list.len(), list.unread().len(), list.is_explicit()), (items, 0, explicit), "{json}");
        // The list that was written as JSON is read as the same list.
        let again: List<Date> = read(&serde_json::to_string(&list).unwrap());
        assert_eq!((&again, again.is_explicit()), (&list, explicit), "{json}");
    }
    for json in ["true", "0", "1", "\"none\"", r#"{"a":"2026-01-31"}"#, r#"{"0":"2026-01-31","a":1}"#, "{\"\":1}"] {
        assert!(serde_json::from_str::<List<Date>>(json).is_err(), "{json}");
    }
    // Some vendors send a single item instead of a list. The client reads an object without numeric keys as one item.
    assert_eq!(read::<OneOrMany<Extra>>(r#"{"id":"x"}"#).len(), 1);
    assert_eq!(read::<OneOrMany<Extra>>(r#"{"0":{"id":"x"},"3":{"id":"y"}}"#).len(), 2);
}

/// Each repeated value once doubled the length of the kept text, so that forty values filled the memory.
#[cfg(feature = "seqino")]
#[test]
fn field_that_occurs_a_thousand_times_takes_little_memory() {
    for key in ["created_at", "external_ref", "unknown"] {
        for field in ["1", "\"x\"", r#""\ud800""#, r#""\\""#] {
            let field = format!(r#""{key}":{field},"#);
            let json = format!(r#"{{{}"client_id":"c","status":"active"}}"#, field.repeat(1000));
            let client: mandat::seqino::types::Client = read(&json);
            let created = client.created_at.as_ref().and_then(DateTime::get);
            assert_eq!((client.status.as_str(), created, &client.external_ref), ("active", None, &None), "{field}");
            assert!(serde_json::to_string(&client).unwrap().len() < 500, "{field}");
            assert!(format!("{client:?}").len() < 2000, "{field}");
        }
    }
}

#[cfg(feature = "easytransac")]
mod easytransac {
    use super::*;
    use mandat::{MandateRef, MandateStatus, Mandates, easytransac};

    /// One token request must be enough. If the client read the lifetime as zero, it would send a token request each
    /// second.
    #[tokio::test]
    async fn token_lifetimes_are_read_in_every_notation() {
        let calls = ["300", "300.0", "3e2", "\"300\"", "null", "\"soon\"", "1e400"].map(|lifetime| async move {
            let token = format!(r#"{{"success":true,"data":{{"token":"t","expiresIn":{lifetime}}}}}"#);
            let body = value!({"success": true, "data": {"mandateId": "12345", "status": "active"}}).to_string();
            let server = Server::start(move |request| {
                json(200, if request.starts_with("POST /auth ") { &token } else { &body })
            })
            .await;
            let config = easytransac::Config::new(server.url(), KEY);
            let mandates = Mandates::builder().easytransac(config).build().unwrap();
            mandates.status(&MandateRef::easytransac("12345")).await.unwrap();
            // Wait longer than the shortest time for which the client uses a token.
            tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
            mandates.status(&MandateRef::easytransac("12345")).await.unwrap();
            assert_eq!(server.count("/auth"), 1, "{lifetime}");
        });
        futures_util::future::join_all(calls).await;
    }

    async fn read(data: Value) -> mandat::Mandate {
        let body = value!({"success": true, "data": data}).to_string();
        let server = Server::with_token(move |_| json(200, &body)).await;
        let config = easytransac::Config::new(server.url(), KEY);
        Mandates::builder()
            .easytransac(config)
            .build()
            .unwrap()
            .status(&MandateRef::easytransac("12345"))
            .await
            .unwrap()
    }

    #[tokio::test]
    async fn unreadable_dates_are_kept_as_text() {
        let mandate = read(value!({"mandateId": "12345", "status": "active", "dateCreated": "31.12.2024"})).await;
        assert_eq!(mandate.status, MandateStatus::Active);
        assert_eq!(mandate.created.unwrap().unread().unwrap().as_str(), "31.12.2024");
    }

    #[tokio::test]
    async fn numbers_in_place_of_text_and_unknown_fields_are_kept() {
        let answered = value!({"mandateId": 12345, "status": "active", "dateCreated": 1735678799, "iban": {"a": [1]}});
        let mandate = read(answered).await;
        assert_eq!(mandate.status, MandateStatus::Active);
        assert_eq!(mandate.created.unwrap().unread().unwrap().as_str(), "1735678799");
        assert_eq!(mandate.extra["iban"], value!({"a": [1]}));
        assert_eq!(format!("{:?}", mandate.extra), "{iban: object}");
    }
}

#[cfg(feature = "seqino")]
mod seqino {
    use super::*;
    use mandat::seqino::{Client, Config};

    async fn client(body: Value) -> (Client, Server) {
        let body = body.to_string();
        let server = Server::start(move |_| json(200, &body)).await;
        (Client::new(Config::new(server.url(), KEY)).unwrap(), server)
    }

    fn mandate(change: impl FnOnce(&mut Value)) -> Value {
        let mut mandate = value!({
            "id": "mdt_1", "client_id": "client_abc123", "start_date": "2024-01-15T00:00:00Z", "status": "active",
            "directory_entry": {"siren": "123456789", "name": "Acme Corporation"}, "created_at": "2019-08-24T14:15:22Z",
        });
        change(&mut mandate);
        mandate
    }

    #[tokio::test]
    async fn unreadable_item_in_a_list_does_not_lose_the_other_items() {
        let (client, _server) = client(value!([
            mandate(|_| {}),
            mandate(|m| m["start_date"] = "soon".into()),
            42,
            mandate(|m| drop(m.as_object_mut().unwrap().remove("status"))),
            mandate(|m| m["directory_entry"]["siren"] = 123_456_789.into()),
            null,
            mandate(|m| m["status"] = "paused".into()),
        ]))
        .await;
        let list = client.list_mandates().x_pdp_client_id("client_abc123").send().await.unwrap();
        let words: Vec<&str> = list.iter().map(|mandate| mandate.status.as_str()).collect();
        assert_eq!(words, ["active", "active", "active", "paused"]);
        assert_eq!(list[1].start_date.get(), None);
        assert_eq!(list[1].start_date.unread().unwrap().as_str(), "soon");
        assert_eq!(list[2].directory_entry.as_ref().unwrap().siren.as_str(), "123456789");
        let unread: Vec<(usize, &str)> = list.unread().iter().map(|item| (item.index, item.why.as_str())).collect();
        assert_eq!(
            unread,
            [(2, "expected struct Mandate"), (3, "`status` is missing"), (5, "expected struct Mandate")]
        );
        assert_eq!(list.unread()[0].text.as_str(), "42");
    }

    #[tokio::test]
    async fn clients_are_read_from_a_list_or_a_single_object() {
        let one = value!({
            "client_id": "client_abc123", "organization_name": "Acme Corporation", "contact_email": "contact@acme.com",
            "external_ref": "EXT-12345", "sponsor_id": "s", "status": "active", "created_at": "2019-08-24T14:15:22Z",
        });
        for (answered, count) in [(value!([]), 0), (value!([one]), 1), (one.clone(), 1), (value!([one, one]), 2)] {
            let (client, _server) = client(answered).await;
            assert_eq!(client.list_clients().send().await.unwrap().len(), count);
        }
    }

    #[tokio::test]
    async fn booleans_and_numbers_that_are_sent_as_text_are_read() {
        let (client, _server) = client(value!({
            "onboarding_url": "http://example.com", "link_id": 7, "expires_at": "2019-08-24T14:15:22+02:00",
            "includes_kyc": "true", "includes_signature": "perhaps",
        }))
        .await;
        let link = client.create_onboarding_link().send().await.unwrap();
        let (kyc, signature) = (link.includes_kyc.unwrap(), link.includes_signature.unwrap());
        assert_eq!((kyc.get(), signature.get()), (Some(true), None));
        assert_eq!((link.link_id.as_deref(), signature.unread().unwrap().as_str()), (Some("7"), "perhaps"));
        assert_eq!(link.expires_at.unwrap().get().unwrap().to_rfc3339(), "2019-08-24T14:15:22+02:00");
    }
}
