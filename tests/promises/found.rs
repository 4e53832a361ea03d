//! A search for what a lost call may have made: values are compared, and absence is proved or an error.

use crate::support::{Server, http};
use mandat::{
    Error, ErrorKind,
    seqino::{Client, Config, types},
};
use serde_json::{Value, json as value};

async fn client(headers: &'static str, body: &Value) -> (Client, Server) {
    let body = body.to_string();
    let server = Server::start(move |_| http(200, headers, &body)).await;
    (Client::new(Config::new(server.url(), "key")).unwrap(), server)
}

fn of_ref(external_ref: impl Into<Value>) -> Value {
    value!({"client_id": "client_1", "status": "active", "external_ref": external_ref.into()})
}

fn of_scope(entry: Value) -> Value {
    value!({
        "id": "mdt_1", "client_id": "client_1", "start_date": "2024-01-15T00:00:00Z", "status": "active",
        "directory_entry": entry,
    })
}

async fn find_client(headers: &'static str, body: &Value, external_ref: &str) -> Result<bool, Error> {
    let (client, _server) = client(headers, body).await;
    Ok(client.find_client(external_ref).await?.is_some())
}

async fn find_mandates(headers: &'static str, body: &Value, scope: Value) -> Result<usize, Error> {
    let (client, _server) = client(headers, body).await;
    let scope: types::DirectoryEntry = serde_json::from_value(scope).unwrap();
    Ok(client.find_mandates("client_1", &scope).await?.len())
}

/// Headers that say that there is more than the two items of an answer.
const MORE: [&str; 6] = [
    "Link: <https://x/clients?page=2>; rel=\"next\"\r\n",
    "link: <https://x/clients?page=1>; rel=\"first\", <https://x/clients?page=2>; rel=next\r\n",
    "X-Total-Count: 3\r\n",
    "Content-Range: items 0-1/3\r\n",
    "X-Next-Page: 2\r\n",
    "X-Next-Cursor: abc\r\n",
];

/// And those that do not.
const ALL: [&str; 5] = [
    "",
    "Link: <https://x/clients?page=1>; rel=\"prev\"\r\n",
    "Link: <https://x/next.css>; rel=\"stylesheet\"\r\n",
    "X-Total-Count: 2\r\n",
    "X-Next-Page: \r\n",
];

#[tokio::test]
async fn nobody_is_missing_while_the_answer_says_that_there_is_more() {
    let clients = value!([of_ref("EXT-1"), of_ref("EXT-2")]);
    let entry = value!({"name": "Acme", "siren": "123456789"});
    let mandates = value!([of_scope(entry.clone()), of_scope(entry.clone())]);
    let other = value!({"name": "Acme", "siren": "987654321"});
    for headers in MORE {
        assert!(find_client(headers, &clients, "EXT-1").await.unwrap(), "{headers}");
        for error in [
            find_client(headers, &clients, "EXT-3").await.unwrap_err(),
            find_mandates(headers, &mandates, other.clone()).await.unwrap_err(),
            // One was found, and others may be on the next page.
            find_mandates(headers, &mandates, entry.clone()).await.unwrap_err(),
        ] {
            assert_eq!(error.kind(), ErrorKind::Decode, "{headers}");
            assert!(error.to_string().contains("not found in the items that were read"), "{headers}: {error}");
        }
    }
    for headers in ALL {
        assert!(!find_client(headers, &clients, "EXT-3").await.unwrap(), "{headers}");
        assert_eq!(find_mandates(headers, &mandates, other.clone()).await.unwrap(), 0, "{headers}");
        assert_eq!(find_mandates(headers, &mandates, entry.clone()).await.unwrap(), 2, "{headers}");
    }
}

#[tokio::test]
async fn identifiers_are_compared_as_values() {
    for (theirs, ours) in [("EXT-1 ", "EXT-1"), ("EXT-1", " EXT-1"), ("EXT-1", "EXT-1"), ("\tEXT-1\n", "EXT-1")] {
        assert!(find_client("", &value!([of_ref(theirs)]), ours).await.unwrap(), "{theirs:?} {ours:?}");
    }
    assert!(find_client("", &value!([of_ref(12345)]), "12345").await.unwrap());
    for (theirs, ours) in [("EXT-1", "EXT-12"), ("ext-1", "EXT-1"), ("EXT 1", "EXT1")] {
        assert!(!find_client("", &value!([of_ref(theirs)]), ours).await.unwrap(), "{theirs:?} {ours:?}");
    }
    let long = value!({"name": "Acme", "siren": "012345678", "siret": "01234567800012"});
    for theirs in [
        long.clone(),
        value!({"name": "Acme", "siren": 12_345_678, "siret": 1_234_567_800_012_u64}),
        value!({"name": "Acme", "siren": "012 345 678", "siret": " 012 345 678 00012"}),
        value!({"name": "Acme", "siren": "\u{a0}012\u{a0}345\u{a0}678", "siret": "01234567800012"}),
    ] {
        assert_eq!(find_mandates("", &value!([of_scope(theirs.clone())]), long.clone()).await.unwrap(), 1, "{theirs}");
    }
    let other = value!({"name": "Acme", "siren": "012345678", "siret": "01234567800013"});
    assert_eq!(find_mandates("", &value!([of_scope(other)]), long).await.unwrap(), 0);
}

#[tokio::test]
async fn what_cannot_be_read_may_be_the_one() {
    let entry = value!({"name": "Acme", "siren": "123456789"});
    for body in
        [value!([7]), value!([of_ref(value!({"a": 1}))]), value!([of_ref("x"), {"client_id": "c"}]), value!(null)]
    {
        assert_eq!(find_client("", &body, "EXT-1").await.unwrap_err().kind(), ErrorKind::Decode, "{body}");
    }
    for body in
        [value!([7]), value!([of_scope(value!(null))]), value!([of_scope(value!({}))]), value!(""), value!(false)]
    {
        let error = find_mandates("", &body, entry.clone()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Decode, "{body}");
    }
    // Two clients of one reference: nobody knows which is meant.
    let twice = value!([of_ref("EXT-1 "), of_ref(" EXT-1")]);
    assert_eq!(find_client("", &twice, "EXT-1").await.unwrap_err().kind(), ErrorKind::Decode);
}

#[tokio::test]
async fn an_empty_list_says_that_there_is_none_however_it_is_written() {
    for body in [value!([]), value!({})] {
        assert_eq!(find_mandates("", &body, value!({"name": "Acme", "siren": "123456789"})).await.unwrap(), 0);
    }
    assert!(!find_client("", &value!([]), "EXT-1").await.unwrap());
}
