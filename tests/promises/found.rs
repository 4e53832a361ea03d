//! After a lost response of Seqino, the crate searches Seqino's lists and compares values. The search reports "not
//! found" only if the list is complete and readable.

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

fn client_json(external_ref: impl Into<Value>) -> Value {
    value!({"client_id": "client_1", "status": "active", "external_ref": external_ref.into()})
}

fn mandate_json(entry: Value) -> Value {
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

/// Pagination headers of lists with more items than the two in the body.
const MORE: [&str; 12] = [
    "Link: <https://x/clients?page=2>; rel=\"next\"\r\n",
    "link: <https://x/clients?page=1>; rel=\"first\", <https://x/clients?page=2>; rel=next\r\n",
    "X-Total-Count: 3\r\n",
    "Content-Range: items 0-1/3\r\n",
    "X-Next-Page: 2\r\n",
    "X-Next-Cursor: abc\r\n",
    "X-Total-Pages: 2\r\n",
    "X-Has-More: true\r\n",
    "Content-Range: items 0-1/*\r\n",
    "X-Pagination: {\"TotalCount\":3,\"PageSize\":2}\r\n",
    "X-Pagination: {\"has_next\":true}\r\n",
    "X-Pagination: {\"next_page\":2}\r\n",
];

/// Pagination headers of lists with no further item.
const ALL: [&str; 9] = [
    "",
    "Link: <https://x/clients?page=1>; rel=\"prev\"\r\n",
    "Link: <https://x/next.css>; rel=\"stylesheet\"\r\n",
    "X-Total-Count: 2\r\n",
    "X-Next-Page: \r\n",
    "X-Total-Pages: 1\r\n",
    "X-Has-More: false\r\n",
    "X-Pagination: {\"TotalCount\":2,\"HasNext\":false,\"nextPage\":null}\r\n",
    "X-Pagination: 3\r\n",
];

#[tokio::test]
async fn search_in_an_incomplete_list_never_returns_not_found() {
    let clients = value!([client_json("EXT-1"), client_json("EXT-2")]);
    let entry = value!({"name": "Acme", "siren": "123456789"});
    let mandates = value!([mandate_json(entry.clone()), mandate_json(entry.clone())]);
    let other = value!({"name": "Acme", "siren": "987654321"});
    for headers in MORE {
        assert!(find_client(headers, &clients, "EXT-1").await.unwrap(), "{headers}");
        for error in [
            find_client(headers, &clients, "EXT-3").await.unwrap_err(),
            find_mandates(headers, &mandates, other.clone()).await.unwrap_err(),
            // One mandate in the first page matches, but the next page may contain another match.
            find_mandates(headers, &mandates, entry.clone()).await.unwrap_err(),
        ] {
            assert_eq!(error.kind(), ErrorKind::Decode, "{headers}");
            assert!(error.to_string().contains("which announces further records"), "{headers}: {error}");
        }
    }
    for headers in ALL {
        assert!(!find_client(headers, &clients, "EXT-3").await.unwrap(), "{headers}");
        assert_eq!(find_mandates(headers, &mandates, other.clone()).await.unwrap(), 0, "{headers}");
        assert_eq!(find_mandates(headers, &mandates, entry.clone()).await.unwrap(), 2, "{headers}");
    }
}

#[tokio::test]
async fn search_matches_identifiers_despite_blanks_and_number_types() {
    for (theirs, ours) in [("EXT-1 ", "EXT-1"), ("EXT-1", " EXT-1"), ("EXT-1", "EXT-1"), ("\tEXT-1\n", "EXT-1")] {
        assert!(find_client("", &value!([client_json(theirs)]), ours).await.unwrap(), "{theirs:?} {ours:?}");
    }
    assert!(find_client("", &value!([client_json(12345)]), "12345").await.unwrap());
    for (theirs, ours) in [("EXT-1", "EXT-12"), ("ext-1", "EXT-1"), ("EXT 1", "EXT1")] {
        assert!(!find_client("", &value!([client_json(theirs)]), ours).await.unwrap(), "{theirs:?} {ours:?}");
    }
    let long = value!({"name": "Acme", "siren": "012345678", "siret": "01234567800012"});
    for theirs in [
        long.clone(),
        value!({"name": "Acme", "siren": 12_345_678, "siret": 1_234_567_800_012_u64}),
        value!({"name": "Acme", "siren": "012 345 678", "siret": " 012 345 678 00012"}),
        value!({"name": "Acme", "siren": "\u{a0}012\u{a0}345\u{a0}678", "siret": "01234567800012"}),
    ] {
        assert_eq!(
            find_mandates("", &value!([mandate_json(theirs.clone())]), long.clone()).await.unwrap(),
            1,
            "{theirs}"
        );
    }
    let other = value!({"name": "Acme", "siren": "012345678", "siret": "01234567800013"});
    assert_eq!(find_mandates("", &value!([mandate_json(other)]), long).await.unwrap(), 0);
}

#[tokio::test]
async fn search_in_a_list_with_unreadable_items_is_an_error() {
    let entry = value!({"name": "Acme", "siren": "123456789"});
    for body in [
        value!([7]),
        value!([client_json(value!({"a": 1}))]),
        value!([client_json("x"), {"client_id": "c"}]),
        value!(null),
    ] {
        assert_eq!(find_client("", &body, "EXT-1").await.unwrap_err().kind(), ErrorKind::Decode, "{body}");
    }
    for body in [
        value!([7]),
        value!([mandate_json(value!(null))]),
        value!([mandate_json(value!({}))]),
        value!(""),
        value!(false),
    ] {
        let error = find_mandates("", &body, entry.clone()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Decode, "{body}");
    }
    // Two clients have the same reference, so the search can choose neither of them.
    let twice = value!([client_json("EXT-1 "), client_json(" EXT-1")]);
    assert_eq!(find_client("", &twice, "EXT-1").await.unwrap_err().kind(), ErrorKind::Decode);
}

#[tokio::test]
async fn search_in_an_empty_list_returns_not_found() {
    for body in [value!([]), value!({})] {
        assert_eq!(find_mandates("", &body, value!({"name": "Acme", "siren": "123456789"})).await.unwrap(), 0);
    }
    assert!(!find_client("", &value!([]), "EXT-1").await.unwrap());
}
