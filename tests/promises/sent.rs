//! A request contains the intended value in the notation that banks read, or the crate does not send the request.

use crate::support::{IBAN, Server, facade, json, test_settings};
use mandat::{
    Error, ErrorKind, Mandates, Outcome,
    safedebit::types,
    sepa::{Bic, Iban, Umr},
    seqino::types::{DirectoryEntry, builder::DirectoryEntry as DirectoryEntryBuilder},
};
use proptest::{prelude::*, test_runner::TestRunner};

/// Invisible characters: control characters, direction marks and zero-width characters.
const INVISIBLE: [&str; 10] =
    ["\0", "\n", "\r\n", "\t", "\u{1b}", "\u{200f}", "\u{202e}", "\u{200b}", "\u{2066}", "\u{feff}"];

async fn create_mandate(mandates: &Mandates, umr: &str) -> Result<(), Error> {
    let request = mandates.safedebit().unwrap().create_mandate().body_map(|body| {
        body.safedebit_consumer_reference("C-1")
            .url_ok("https://example.com/ok")
            .url_ko("https://example.com/ko")
            .url_cancel("https://example.com/cancel")
            .umr(umr)
    });
    request.send().await.map(drop)
}

async fn edit_iban(mandates: &Mandates, iban: &str) -> Result<(), Error> {
    let request = mandates.safedebit().unwrap().edit_mandate().body_map(|body| body.umr("RUM-1").iban(iban));
    request.send().await.map(drop)
}

async fn create_at_easytransac(mandates: &Mandates, iban: &str) -> Result<(), Error> {
    let request = mandates.easytransac().unwrap().create_mandate().body_map(|body| {
        body.email("abc@abc.com")
            .lastname("Été")
            .iban(iban)
            .address("12 rue de la Paix")
            .zip_code("75002")
            .city("Orléans")
            .country("FRA")
    });
    request.send().await.map(drop)
}

/// Asserts that the crate refused the request, and that the error names the field but not its value.
fn assert_refused<T>(result: Result<T, Error>, field: &str, value: &str) {
    let Err(error) = result else { panic!("the crate sent {value:?}") };
    assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{value:?}");
    // Only the error of a write has an outcome, so `None` is the error of a read.
    assert!(error.outcome().is_none_or(|outcome| outcome == Outcome::NotSent), "{value:?}");
    let said = error.to_string();
    assert!(said.contains(&format!("`{field}` is not valid: ")), "{said}");
    assert!(value.trim().len() < 4 || !said.contains(value.trim()), "{said}");
}

/// Returns the body of the last request that the server received.
fn body(server: &Server) -> serde_json::Value {
    let requests = server.requests();
    let (_, body) = requests.last().unwrap().split_once("\r\n\r\n").unwrap();
    serde_json::from_str(body).unwrap()
}

async fn server() -> (Server, Mandates) {
    let server = Server::with_token(|_| json(400, "{}")).await;
    let mandates = facade(&server.url(), &test_settings());
    (server, mandates)
}

#[tokio::test]
async fn invalid_umr_is_not_sent() {
    let (server, mandates) = server().await;
    for umr in ["", " ", "\u{a0}", "RUM-é", "/RUM", "RUM/", "R//M", "RUM\\1", "R\"M", "РУМ", "RUM😀"] {
        assert_refused(create_mandate(&mandates, umr).await, "umr", umr);
    }
    for invisible in INVISIBLE {
        for umr in [format!("{invisible}RUM-1"), format!("RUM{invisible}-1"), format!("RUM-1{invisible}")] {
            assert_refused(create_mandate(&mandates, &umr).await, "umr", &umr);
        }
    }
    assert_eq!(server.requests().len(), 0);
    drop(create_mandate(&mandates, "  RUM-1_a \u{a0}").await);
    assert_eq!(body(&server)["umr"], "RUM-1_a");
}

#[tokio::test]
async fn empty_identifiers_are_not_sent() {
    let (server, mandates) = server().await;
    let easytransac = mandates.easytransac().unwrap();
    let safedebit = mandates.safedebit().unwrap();
    let seqino = mandates.seqino().unwrap();
    for empty in ["", "  ", "\u{202f}"] {
        assert_refused(easytransac.get_transaction_status().order_id(empty).send().await, "order_id", empty);
        assert_refused(safedebit.search_mandate().umr(empty).send().await, "umr", empty);
        assert_refused(safedebit.search_consumer().consumer_reference(empty).send().await, "consumer_reference", empty);
        assert_refused(safedebit.find_debit("RUM-1", empty).await, "sdd_reference", empty);
        let revoked = safedebit.revoque_mandate().body_map(|body| body.umr(empty)).send().await;
        assert_refused(revoked, "umr", empty);
        assert_refused(seqino.list_clients().external_ref(empty).send().await, "external_ref", empty);
        let read = seqino.get_mandate().x_pdp_client_id(empty).mandate_id("m").send().await;
        assert_refused(read, "x_pdp_client_id", empty);
    }
    assert_eq!(server.requests().len(), 0);
}

#[tokio::test]
async fn empty_company_numbers_are_not_sent() {
    let (server, mandates) = server().await;
    let (safedebit, seqino) = (mandates.safedebit().unwrap(), mandates.seqino().unwrap());
    for siren in ["", "  ", "１２３４５６７８９", "123.456.789"] {
        let initiated = safedebit.initiate_beneficiary().body_map(|body| {
            body.social_reference("Acme").email("abc@abc.com").siren(siren).url_callback("https://example.com")
        });
        assert_refused(initiated.send().await, "siren", siren);
        let entry = seqino.get_directory_entry().x_pdp_client_id("c").siren(siren);
        assert_refused(entry.send().await, "siren", siren);
        assert_refused(create_at_seqino(&mandates, |entry| entry.siret(siren)).await, "siret", siren);
    }
    for empty in ["", "  "] {
        assert_refused(create_at_seqino(&mandates, |entry| entry.suffix(empty)).await, "suffix", empty);
        let created = create_at_seqino(&mandates, |entry| entry.routing_identifier(empty)).await;
        assert_refused(created, "routing_identifier", empty);
    }
    assert_eq!(server.requests().len(), 0);
    drop(create_at_seqino(&mandates, |entry| entry.siret("123 456 789\u{a0}00012").suffix(" A ")).await);
    let entry = &body(&server)["directory_entry"];
    assert_eq!((&entry["siret"], &entry["suffix"]), (&"12345678900012".into(), &"A".into()));
}

async fn create_at_seqino(
    mandates: &Mandates,
    scope: impl FnOnce(DirectoryEntryBuilder) -> DirectoryEntryBuilder,
) -> Result<(), Error> {
    let entry = scope(DirectoryEntry::builder().siren("123456789").name("Acme"));
    let request = mandates.seqino().unwrap().create_mandate().x_pdp_client_id("c");
    request.body_map(|body| body.start_date(chrono::Utc::now()).directory_entry(entry)).send().await.map(drop)
}

#[tokio::test]
async fn invoice_file_without_a_visible_name_is_not_sent() {
    let (server, mandates) = server().await;
    let submit = |name: &str| mandates.seqino().unwrap().submit_invoice_file().x_pdp_client_id("c").file(name, "x");
    for name in ["", " ", "a\r\nX-Other: y.pdf", "a\u{202e}fdp.exe", "a\0.pdf"] {
        assert_refused(submit(name).send().await, "file", name);
    }
    assert_eq!(server.requests().len(), 0);
    drop(submit(" Facture n\u{b0} 1, \u{e9}t\u{e9}.pdf ").send().await);
    assert!(
        server.requests()[0].contains("filename=\"Facture n\u{b0} 1, \u{e9}t\u{e9}.pdf\""),
        "{:?}",
        server.requests()
    );
}

#[tokio::test]
async fn invalid_iban_is_not_sent() {
    let (server, mandates) = server().await;
    let wrong_digit = IBAN.replace("76", "77");
    let invisible = format!("{IBAN}\u{200f}");
    for iban in ["", " ", "nonsense", "FR76", &wrong_digit, &IBAN[..26], &invisible, "ZZ7630001007941234567890185"] {
        assert_refused(edit_iban(&mandates, iban).await, "iban", iban);
        assert_refused(create_at_easytransac(&mandates, iban).await, "iban", iban);
    }
    assert_eq!(server.requests().len(), 0);
}

#[tokio::test]
async fn iban_with_impossible_check_digits_or_without_a_registered_country_is_not_sent() {
    let (server, mandates) = server().await;
    for iban in ["GB00HLFX11016111455365", "GB01BARC20714583608387", "US64SVBKUS6S3300958879"] {
        assert_refused(edit_iban(&mandates, iban).await, "iban", iban);
        assert_refused(create_at_easytransac(&mandates, iban).await, "iban", iban);
    }
    assert_eq!(server.requests().len(), 0);
}

#[tokio::test]
async fn setters_accept_checked_values_and_texts() {
    let (server, mandates) = server().await;
    let (iban, umr) = (Iban::try_from(IBAN).unwrap(), Umr::try_from("RUM-1").unwrap());
    let safedebit = mandates.safedebit().unwrap();
    drop(safedebit.edit_mandate().body_map(|body| body.umr(&umr).iban(&iban)).send().await);
    assert_eq!((&body(&server)["iban"], &body(&server)["umr"]), (&IBAN.into(), &"RUM-1".into()));
    let request = safedebit.create_mandate().body_map(|body| {
        body.safedebit_consumer_reference("C-1")
            .url_ok("https://a.fr")
            .url_ko("https://a.fr")
            .url_cancel("https://a.fr")
    });
    drop(request.body_map(|body| body.umr(Some(umr))).send().await);
    assert_eq!(body(&server)["umr"], "RUM-1");
    let bic = Bic::try_from("BNPAFRPP").unwrap();
    drop(mandates.easytransac().unwrap().create_mandate().body_map(|body| body.iban(iban).bic(bic)));
}

#[test]
fn iban_is_sent_uppercase_without_blanks() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (server, mandates) = runtime.block_on(server());
    let blanks = proptest::collection::vec("[ \u{a0}\u{202f}]{0,2}", IBAN.len());
    let written = (blanks, proptest::collection::vec(any::<bool>(), IBAN.len()));
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(40) };
    let result = TestRunner::new(config).run(&written, |(blanks, lower)| {
        let letter = |(c, lower): (char, bool)| if lower { c.to_ascii_lowercase() } else { c };
        let letters = IBAN.chars().zip(lower).map(letter);
        let iban: String = letters.zip(blanks).map(|(c, blank)| format!("{blank}{c}")).collect();
        runtime.block_on(async {
            drop(edit_iban(&mandates, &iban).await);
            prop_assert_eq!(&body(&server)["iban"], IBAN);
            drop(create_at_easytransac(&mandates, &iban).await);
            prop_assert_eq!(&body(&server)["iban"], IBAN);
            Ok(())
        })
    });
    result.unwrap();
}

#[tokio::test]
async fn letters_with_accents_are_sent_and_invisible_characters_are_refused() {
    let (server, mandates) = server().await;
    drop(create_at_easytransac(&mandates, IBAN).await);
    assert_eq!((&body(&server)["lastname"], &body(&server)["city"]), (&"Été".into(), &"Orléans".into()));
    let before = server.requests().len();
    for invisible in INVISIBLE {
        let city = format!("Orl{invisible}éans");
        let request = mandates.easytransac().unwrap().create_mandate().body_map(|body| body.city(city.as_str()));
        assert_refused(request.send().await, "city", &city);
    }
    assert_eq!(server.requests().len(), before);
}

/// When the crate reads a request from JSON, it keeps any value. So the crate must check the values of such a request
/// before it sends the request.
#[tokio::test]
async fn request_that_was_read_from_json_is_checked_before_sending() {
    let (server, mandates) = server().await;
    let client = mandates.safedebit().unwrap();
    let read = |iban: &str, umr: &str| -> types::EditMandateRequest {
        serde_json::from_value(serde_json::json!({"umr": umr, "iban": iban})).unwrap()
    };
    for (iban, umr, field) in [("nonsense", "RUM-1", "iban"), (IBAN, " ", "umr"), (IBAN, "RUM\u{202e}-1", "umr")] {
        assert_refused(
            client.edit_mandate().body(read(iban, umr)).send().await,
            field,
            if field == "umr" { umr } else { iban },
        );
    }
    assert_eq!(server.requests().len(), 0);
    drop(client.edit_mandate().body(read(&IBAN.to_lowercase(), " RUM-1 ")).send().await);
    assert_eq!((&body(&server)["iban"], &body(&server)["umr"]), (&IBAN.into(), &"RUM-1".into()));
}

#[tokio::test]
async fn health_request_is_sent_outside_the_api_path_without_credentials() {
    let server = Server::start(|_| json(200, "null")).await;
    for (base, path) in [("", "/health"), ("/api", "/health"), ("/proxy/api", "/proxy/health")] {
        let config = mandat::seqino::Config::new(format!("{}{base}", server.url()), "s3cret-k3y");
        mandat::seqino::Client::new(config).unwrap().get_health().send().await.unwrap();
        let request = server.requests().pop().unwrap();
        assert!(request.starts_with(&format!("GET {path} ")), "{request}");
        assert!(!request.contains("s3cret-k3y"), "{request}");
    }
    let config = mandat::seqino::Config::new(format!("{}/other", server.url()), "s3cret-k3y");
    let error = mandat::seqino::Client::new(config).unwrap().get_health().send().await.unwrap_err();
    assert!(error.to_string().contains("Configure a base URL that ends with `"), "{error}");
}
