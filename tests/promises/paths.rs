//! An id in the path of a request reaches its own record at the vendor, or the crate sends no request.

use crate::support::{Server, facade, json, test_settings};
use futures_util::StreamExt;
use mandat::{Error, ErrorKind, MandateRef, Outcome};
use proptest::{prelude::*, test_runner::TestRunner};
use std::collections::BTreeSet;

/// The paths of all requests that the calls in this test may send. `{}` stands for one segment.
const PATHS: &[&str] = &[
    "/auth",
    "/sdd/mandate/{}/status",
    "/clients",
    "/clients/{}",
    "/mandates",
    "/mandates/{}",
    "/drafts/{}",
    "/directory/{}",
    "/mandates/directory/{}",
    "/invoicing/invoice_data/{}",
];

/// Returns the decoded path segment that contains the id, or `None` if the path has no id. Panics at any path outside
/// `PATHS`.
fn id_in_path(request: &str) -> Option<String> {
    let path = request.split(' ').nth(1).unwrap().split('?').next().unwrap();
    assert!(!path.contains('\\'), "{request}");
    let parts: Vec<&str> = path.split('/').collect();
    let fits = |form: &&&str| {
        let form: Vec<&str> = form.split('/').collect();
        form.len() == parts.len() && form.iter().zip(&parts).all(|(form, part)| form == part || *form == "{}")
    };
    let form = PATHS.iter().find(fits).unwrap_or_else(|| panic!("{path} is not a path of these calls"));
    let segment = parts[form.split('/').position(|part| part == "{}")?];
    let decoded = percent_encoding::percent_decode_str(segment).decode_utf8().unwrap().into_owned();
    assert!(!decoded.contains(['/', '\\', '%']) && !["", ".", ".."].contains(&decoded.as_str()), "{request}");
    Some(decoded)
}

/// Makes every call that puts an id into a path, once through the clients and once through the facade. Returns the
/// errors.
async fn call_each_path_with_id(mandates: &mandat::Mandates, id: &str) -> Vec<Error> {
    let mut errors = Vec::new();
    macro_rules! call {
        ($($call:expr),+ $(,)?) => { $(if let Err(error) = $call.await { errors.push(error) })+ };
    }
    let (easytransac, seqino) = (mandates.easytransac().unwrap(), mandates.seqino().unwrap());
    let update = mandat::seqino::types::UpdateClientRequest::builder();
    call!(
        easytransac.get_mandate_status().mandate_id(id).send(),
        seqino.get_client().client_id(id).send(),
        seqino.update_client().client_id(id).body(update).send(),
        seqino.delete_client().client_id(id).send(),
        seqino.get_draft().x_pdp_client_id("c").draft_id(id).send(),
        seqino.delete_draft().x_pdp_client_id("c").draft_id(id).send(),
        seqino.get_invoice_data().x_pdp_client_id("c").invoice_id(id).send(),
        seqino.get_mandate().x_pdp_client_id("c").mandate_id(id).send(),
        seqino.revoke_mandate().x_pdp_client_id("c").mandate_id(id).send(),
    );
    for reference in [MandateRef::easytransac(id), MandateRef::seqino("c", id), MandateRef::seqino(id, "m")] {
        // The crate never looked up a mandate with an invalid id, so its status must not be `Gone`.
        match mandates.status(reference.known()).await {
            Ok(mandate) => assert_ne!(mandate.status, mandat::MandateStatus::Gone, "{reference:?}"),
            Err(error) => errors.push(error),
        }
        call!(mandates.probe(&reference));
        let mut readings = mandates.statuses([&reference]);
        errors.extend(readings.next().await.unwrap().result.err());
    }
    errors
}

async fn server() -> Server {
    Server::start(|request| match request.split(' ').next().unwrap() {
        _ if request.starts_with("POST /auth ") => crate::support::token(300),
        "DELETE" => json(204, ""),
        _ => json(404, r#"{"error": "Not found", "code": 404, "trace_id": "t-1"}"#),
    })
    .await
}

#[tokio::test]
async fn id_that_would_change_the_path_is_refused_before_sending() {
    let server = server().await;
    let mandates = facade(&server.url(), &test_settings());
    let hostile = [
        "",
        ".",
        "..",
        " ",
        ". .",
        "/",
        "a/b",
        "../clients/victim",
        "..\\clients\\victim",
        "..\\..\\clients\\victim",
        "\\",
        "a\\b",
        "a\\..\\b",
        "\\\\host\\a",
        "%2e%2e",
        "..%2fclients%2fvictim",
        "..%5cclients%5cvictim",
        "%252e%252e",
        "%",
        "a\nb",
        ".\t.",
        "\0",
        "a\u{7f}",
        "\u{85}",
    ];
    for id in hostile {
        for error in call_each_path_with_id(&mandates, id).await {
            // A request that contains only the valid part of the reference gets a 404. The test checks the paths of
            // these requests below.
            if error.http_status() != Some(404) {
                assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{id:?}: {error}");
            }
            assert!(matches!(error.outcome(), None | Some(Outcome::NotSent)), "{id:?}: {error}");
            assert!(id.len() < 4 || !error.to_string().contains(id), "{error}");
        }
    }
    let asked: BTreeSet<String> = server.requests().iter().filter_map(|request| id_in_path(request)).collect();
    // Requests for the lists of clients and mandates have no id in their path. `c` and `m` are the valid parts of the
    // references.
    assert!(asked.iter().all(|id| id == "c" || id == "m"), "{asked:?}");
    assert_eq!(server.count("DELETE"), 0);
}

#[test]
fn request_with_any_id_reaches_only_the_record_with_that_id() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (server, mandates) = runtime.block_on(async {
        let server = server().await;
        let mandates = facade(&server.url(), &test_settings());
        (server, mandates)
    });
    let id = prop_oneof![
        r"[a-zA-Z0-9._~:;@!$&'()*+,=^`{}|<>#? -]{1,12}",
        ".{1,6}",
        r"[./\\%]{0,3}[a-z]{0,3}[./\\%]{0,3}",
        r"(\.|%2[eE]){1,3}",
    ];
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(60) };
    let result = TestRunner::new(config).run(&id, |id| {
        let before = server.requests().len();
        let errors = runtime.block_on(call_each_path_with_id(&mandates, &id));
        for request in &server.requests()[before..] {
            if let Some(reached) = id_in_path(request) {
                prop_assert!(reached == id.trim() || reached == "c" || reached == "m", "{id:?} reached {reached:?}");
            }
        }
        prop_assert!(errors.iter().all(|error| error.http_status() == Some(404) || error.http_status().is_none()));
        Ok(())
    });
    result.unwrap();
}
