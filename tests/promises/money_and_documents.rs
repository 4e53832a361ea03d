//! Amounts of money name their unit, and documents are bytes.

use mandat::wire::{AmountCents, Cents, Document, Euros, MediaType};

fn read<T: serde::de::DeserializeOwned>(json: &str) -> T {
    serde_json::from_str(json).unwrap()
}

#[test]
fn cents_are_read_from_text_or_number_and_other_values_are_kept() {
    for (json, cents) in [("\"1250\"", Some(1250)), ("1250", Some(1250)), ("\"0\"", Some(0)), ("\"12.50\"", None)] {
        let amount: Cents = read(json);
        assert_eq!(amount.get().map(AmountCents::cents), cents, "{json}");
    }
    let odd: Cents = read("\"12,50 EUR\"");
    assert_eq!(odd.unread().unwrap().as_str(), "12,50 EUR");
    assert_eq!(serde_json::to_string(&odd).unwrap(), "\"12,50 EUR\"");
    assert!(!format!("{odd:?}").contains("EUR"));
}

#[test]
fn amounts_in_euros_are_read_as_cents() {
    for (json, cents) in [
        ("\"3.33\"", Some(333)),
        ("\"3.3\"", Some(330)),
        ("\"3\"", None),
        ("333", None),
        ("3.33", Some(333)),
        ("\"0.05\"", Some(5)),
        ("\"3.333\"", None),
        ("\"3,33\"", None),
        ("\".5\"", None),
        ("\"-3.33\"", None),
        ("\"184467440737095516.16\"", None),
    ] {
        let amount: Euros = read(json);
        assert_eq!(amount.get().map(AmountCents::cents), cents, "{json}");
    }
    assert_eq!(serde_json::to_string(&Euros::from(AmountCents::from_cents(333))).unwrap(), "\"3.33\"");
}

#[test]
fn amounts_with_more_than_the_documented_digits_are_refused() {
    let amount = |cents| Cents::<11>::try_from(AmountCents::from_cents(cents));
    assert_eq!(serde_json::to_string(&amount(99_999_999_999).unwrap()).unwrap(), "\"99999999999\"");
    assert_eq!(amount(100_000_000_000).unwrap_err().to_string(), "the amount has more than 11 digits in cents");
    assert_eq!(AmountCents::from_euros(12, 100), None);
    assert_eq!(AmountCents::from_euros(u64::MAX, 0), None);
}

#[test]
fn documents_are_read_from_base64_and_data_uris() {
    // The start of the document in SafeDebit's sample. The documentation of SafeDebit cuts off the rest.
    let sample = "ZGF0YTphcHBsaWNhdGlvbi9wZGY7YmFzZTY0LEpWQkVSaTA9";
    for text in [
        sample,
        "data:application/pdf;base64,JVBERi0=",
        "data:application/pdf;name=a.pdf;base64,JVBERi0=",
        "JVBERi0=",
        "JVBERi0",
        "JVBE\\r\\nRi0=\\n",
    ] {
        let document: Document = read(&format!("\"{text}\""));
        assert_eq!(document.to_bytes().unwrap(), b"%PDF-", "{text}");
    }
    assert_eq!(Document::data_uri(MediaType::Pdf, b"%PDF-").unwrap().as_base64(), sample);
    assert_eq!(Document::from_bytes(b"%PDF-").unwrap().as_base64(), "JVBERi0=");
}

#[cfg(feature = "safedebit")]
#[tokio::test]
async fn responses_with_documents_have_their_own_size_limit() {
    use crate::support::{Server, facade, json, test_settings};
    use mandat::ErrorKind;
    let settings = test_settings().with_max_document(2 * test_settings().max_answer);
    let over = settings.max_document - test_settings().max_answer / 2;
    for (size, read) in [(over, true), (settings.max_document, false)] {
        let body = format!(r#"{{"result":true,"file_data":"{}"}}"#, "A".repeat(size));
        let server = Server::start(move |_| json(200, &body)).await;
        let mandates = facade(&server.url(), &settings);
        let request = mandates.safedebit().unwrap().download_mandate_file().safedebit_consumer_reference("C-1");
        let answer = request.send().await.map(|answer| answer.file_data.as_base64().len());
        assert_eq!(answer.map_err(|error| error.kind()), if read { Ok(size) } else { Err(ErrorKind::TooLarge) });
    }
}

#[test]
fn error_about_an_invalid_document_does_not_show_the_document() {
    assert_eq!(Document::from_bytes([]).unwrap_err().to_string(), "the document is empty");
    assert!(Document::from_bytes(vec![0; Document::LARGEST]).is_ok());
    let error = Document::from_bytes(vec![0; Document::LARGEST + 1]).unwrap_err().to_string();
    assert_eq!(error, "the document has 20971521 bytes, at most 20971520 are allowed");
    let document: Document = read("\"no base64, a secret\"");
    assert_eq!(document.to_bytes().unwrap_err().to_string(), "the document is not base64");
    assert_eq!(format!("{document:?}"), "Document(19 bytes of base64)");
}
