//! The facade accepts a reading only for the requested mandate and its own client.

use crate::support::{Server, facade, json, test_settings};
use serde_json::{Value, json as value};

#[cfg(feature = "easytransac")]
#[tokio::test]
async fn easytransac_response_with_another_mandate_id_is_a_decode_error() {
    use mandat::{ErrorKind, MandateRef};
    let server = Server::with_token(|_| json(200, include_str!("fixtures/easytransac-create_mandate.json"))).await;
    let mandates = facade(&server.url(), &test_settings());
    assert!(mandates.status(&MandateRef::easytransac("abcabcabcabcabcabc12")).await.is_ok());
    let error = mandates.status(&MandateRef::easytransac("abcabcabcabcabcabc13")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert!(error.to_string().contains("data.mandateId is not the requested value"), "{error}");
}

#[cfg(feature = "seqino")]
mod seqino {
    use super::*;
    use crate::support::noon;
    use mandat::{
        Account, AccountStatus, Error, ErrorKind, Mandate, MandateRef, MandateStatus, Mandates, Verdict, seqino::Config,
    };

    fn mandate() -> Value {
        value!({
            "id": "mdt_1", "client_id": "client_abc123", "start_date": "2024-01-15T00:00:00Z", "end_date": null,
            "status": "active", "directory_entry": {"siren": "123456789", "name": "Acme Corporation"},
            "created_at": "2019-08-24T14:15:22Z",
        })
    }

    fn client() -> Value {
        value!({
            "client_id": "client_abc123", "organization_name": "Acme Corporation", "contact_email": "contact@acme.com",
            "external_ref": "EXT-12345", "sponsor_id": "s", "status": "active", "created_at": "2019-08-24T14:15:22Z",
        })
    }

    async fn read(mandate: Value, client: (u16, Value)) -> Result<Mandate, Error> {
        let server = Server::start(move |request| match request.starts_with("GET /clients/") {
            true => json(client.0, &client.1.to_string()),
            false => json(200, &mandate.to_string()),
        });
        let server = server.await;
        let config = Config::new(server.url(), "key").settings(test_settings());
        let mandates = Mandates::builder().seqino(config).clock(noon).build().unwrap();
        mandates.status(&MandateRef::seqino("client_abc123", "mdt_1")).await
    }

    fn with(mut object: Value, key: &str, changed: Value) -> Value {
        object[key] = changed;
        object
    }

    #[tokio::test]
    async fn seqino_response_with_another_or_no_id_is_a_decode_error() {
        let other = "id is not the requested value";
        let missing = "`id` is not the requested mandate id";
        for (id, expected) in [(value!("mdt_2"), other), (Value::Null, missing), (value!(""), missing)] {
            let error = read(with(mandate(), "id", id), (200, client())).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Decode);
            assert!(error.to_string().contains(expected), "{error}");
        }
    }

    #[tokio::test]
    async fn unreadable_client_keeps_the_status_and_leaves_the_verdict_undetermined() {
        let unread = |account: &Account| *account == Account::NotRead;
        let differs = |account: &Account| *account == Account::Differs;
        let unrecognized =
            |account: &Account| matches!(account, Account::Read { status: AccountStatus::Unrecognized, .. });
        type Expected = fn(&Account) -> bool;
        let cases: [(Value, (u16, Value), Expected); 7] = [
            (mandate(), (500, client()), unread),
            (mandate(), (404, Value::Null), unread),
            (mandate(), (200, value!([])), unread),
            (mandate(), (200, with(client(), "client_id", value!("client_2"))), unread),
            (mandate(), (200, with(client(), "client_id", Value::Null)), unread),
            (mandate(), (200, with(client(), "status", value!("frozen"))), unrecognized),
            (with(mandate(), "client_id", value!("client_2")), (200, client()), differs),
        ];
        for (mandate, client, expected) in cases {
            let shown = format!("{mandate} {client:?}");
            let mandate = read(mandate, client).await.unwrap();
            assert_eq!(mandate.status, MandateStatus::Active, "{shown}");
            assert!(expected(&mandate.account), "{shown}: {:?}", mandate.account);
            assert!(matches!(mandate.may_represent(None, noon()), Verdict::Undetermined(_)), "{shown}");
        }
    }

    #[tokio::test]
    async fn seqino_mandate_is_active_from_its_start_until_just_before_its_end() {
        let at = |seconds| (noon() + chrono::TimeDelta::seconds(seconds)).to_rfc3339();
        for (start, end, status) in [
            (at(0), None, MandateStatus::Active),
            (at(1), None, MandateStatus::AwaitingActivation),
            (at(-9), Some(at(1)), MandateStatus::Active),
            (at(-9), Some(at(0)), MandateStatus::Expired),
            (at(1), Some(at(0)), MandateStatus::Expired),
            ("soon".into(), None, MandateStatus::Active),
            (at(-9), Some("one day".into()), MandateStatus::Active),
        ] {
            let shown = format!("{start} to {end:?}");
            let readable = !shown.contains("soon") && !shown.contains("day");
            let dated = with(with(mandate(), "start_date", start.into()), "end_date", end.into());
            let mandate = read(dated, (200, client())).await.unwrap();
            assert_eq!(mandate.status, status, "{shown}");
            let allowed = status == MandateStatus::Active && readable;
            assert_eq!(mandate.may_represent(None, noon()).is_allowed(), allowed, "{shown}");
        }
    }

    #[tokio::test]
    async fn mandate_counts_as_gone_only_if_its_client_exists_and_the_vendor_sends_its_own_error() {
        let own = r#"{"error":"not found","code":404,"trace_id":"t"}"#;
        for (mandate, client_status, gone) in [
            (own, 200, true),
            (own, 404, false),
            (r#"{"error":null,"code":404,"trace_id":"t"}"#, 200, false),
            (r#"{"error":"not found","code":"404","trace_id":"t"}"#, 200, false),
            (r#"{"error":"not found","code":404}"#, 200, false),
            (r#"{"detail":"Not Found"}"#, 200, false),
            ("", 200, false),
        ] {
            for status in [404, 410] {
                let server = Server::start(move |request| match request.starts_with("GET /clients/") {
                    true => json(client_status, &client().to_string()),
                    false => json(status, mandate),
                });
                let server = server.await;
                let config = Config::new(server.url(), "key").settings(test_settings());
                let mandates = Mandates::builder().seqino(config).build().unwrap();
                let known = MandateRef::seqino("client_abc123", "mdt_1");
                let read = mandates.status(known.known()).await;
                let is_gone = read.as_ref().is_ok_and(|read| read.status == MandateStatus::Gone);
                assert_eq!(is_gone, gone, "{status} {mandate} {client_status}");
                assert!(read.is_err() || read.unwrap().raw.as_str() == status.to_string());
                assert!(mandates.status(&known).await.is_err());
            }
        }
    }
}
