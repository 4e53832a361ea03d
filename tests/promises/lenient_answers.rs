//! What a vendor answers against its own documentation loses nothing: neither the answer nor the rest of a list.

use crate::support::{KEY, Server, json};
use mandat::wire::{Date, FrenchDate};
use serde_json::{Value, json as value};

fn read<T: serde::de::DeserializeOwned>(json: &str) -> T {
    serde_json::from_str(json).unwrap()
}

#[test]
fn a_day_is_read_only_where_it_would_be_written_so() {
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

#[cfg(feature = "easytransac")]
mod easytransac {
    use super::*;
    use mandat::{MandateRef, MandateStatus, Mandates, easytransac};

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
    async fn an_unreadable_date_is_kept_as_text() {
        let mandate = read(value!({"mandateId": "12345", "status": "active", "dateCreated": "31.12.2024"})).await;
        assert_eq!(mandate.status, MandateStatus::Active);
        assert_eq!(mandate.created.unwrap().unread().unwrap().as_str(), "31.12.2024");
    }

    #[tokio::test]
    async fn a_number_for_a_text_and_an_unknown_field_lose_nothing() {
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
    async fn one_bad_item_of_a_list_does_not_lose_the_others() {
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
        assert_eq!(list[2].directory_entry.siren.as_str(), "123456789");
        let unread: Vec<(usize, &str)> = list.unread().iter().map(|item| (item.index, item.why.as_str())).collect();
        assert_eq!(
            unread,
            [(2, "expected struct Mandate"), (3, "`status` is missing"), (5, "expected struct Mandate")]
        );
        assert_eq!(list.unread()[0].text.as_str(), "42");
    }

    #[tokio::test]
    async fn clients_are_read_as_none_as_a_list_and_as_one() {
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
    async fn a_text_that_says_a_number_or_a_truth_is_read_as_one() {
        let (client, _server) = client(value!({
            "onboarding_url": "http://example.com", "link_id": 7, "expires_at": "2019-08-24T14:15:22+02:00",
            "includes_kyc": "true", "includes_signature": "perhaps",
        }))
        .await;
        let link = client.create_onboarding_link().send().await.unwrap();
        assert_eq!((link.includes_kyc.get(), link.includes_signature.get()), (Some(true), None));
        assert_eq!((link.link_id.as_str(), link.includes_signature.unread().unwrap().as_str()), ("7", "perhaps"));
        assert_eq!(link.expires_at.get().unwrap().to_rfc3339(), "2019-08-24T14:15:22+02:00");
    }
}
