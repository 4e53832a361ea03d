//! A reference of a mandate fits in one text column and is read back unchanged.

use mandat::{ErrorKind, MandateRef, Provider};
use proptest::prelude::*;

#[test]
fn references_are_written_in_the_documented_format() {
    assert_eq!(MandateRef::easytransac("abcabcabcabcabcabc12").to_string(), "easytransac:abcabcabcabcabcabc12");
    assert_eq!(MandateRef::safedebit("RUM-2026-0042").to_string(), "safedebit:RUM-2026-0042");
    assert_eq!(MandateRef::seqino("client_abc123", "mdt_abc123").to_string(), "seqino:client_abc123/mdt_abc123");
    let reference: MandateRef = "seqino:client_abc123/mdt_abc123".parse().unwrap();
    assert_eq!(reference.provider(), Provider::Seqino);
    assert_eq!((reference.client_id(), reference.id()), (Some("client_abc123"), "mdt_abc123"));
    // SEPA allows a slash and a colon in the UMR of a mandate.
    let reference: MandateRef = "safedebit:RUM/2026:42".parse().unwrap();
    assert_eq!((reference.client_id(), reference.id()), (None, "RUM/2026:42"));
}

proptest! {
    #[test]
    fn references_are_read_back_unchanged_from_text_and_json(client in ".{1,20}", id in ".{1,35}") {
        for reference in [
            MandateRef::easytransac(&id),
            MandateRef::safedebit(&id),
            MandateRef::seqino(&client, &id),
        ] {
            prop_assert_eq!(&reference.to_string().parse::<MandateRef>().unwrap(), &reference);
            let json = serde_json::to_string(&reference).unwrap();
            prop_assert_eq!(&serde_json::from_str::<MandateRef>(&json).unwrap(), &reference);
        }
    }

    #[test]
    fn error_about_an_invalid_reference_does_not_quote_the_text(text in ".*") {
        if let Err(e) = text.parse::<MandateRef>() {
            prop_assert_eq!(e.kind(), ErrorKind::InvalidRequest);
            prop_assert!(text.len() < 12 || !e.to_string().contains(&text));
        }
    }
}

#[test]
fn error_about_an_invalid_reference_shows_the_expected_format() {
    for text in ["", "RUM-1", "gocardless:MD123", "safedebit:", "seqino:client_abc123", "seqino:/mdt_1", "seqino:c/"] {
        let error = text.parse::<MandateRef>().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{text:?}");
        assert!(
            error.to_string().contains("seqino:<client_id>/<mandate_id>")
                || error.to_string().contains("safedebit:<umr>")
        );
    }
}

proptest! {
    #[test]
    fn references_escape_control_and_direction_characters(id in r"[\PC\pC]{1,35}") {
        for reference in [MandateRef::safedebit(&id), MandateRef::seqino(&id, &id)] {
            let text = reference.to_string();
            for shown in [&text, &format!("{reference:?}")] {
                prop_assert!(!shown.contains(|c: char| c.is_control() || "\u{2028}\u{2029}\u{202e}".contains(c)), "{:?}", shown);
            }
            prop_assert_eq!(text.parse::<MandateRef>().unwrap(), reference);
        }
    }
}

#[test]
fn blanks_around_an_id_are_removed() {
    let reference = MandateRef::seqino(" client_1\u{a0}", " mdt_1 ");
    assert_eq!((reference.client_id(), reference.id()), (Some("client_1"), "mdt_1"));
    assert_eq!(MandateRef::safedebit(" RUM 1 "), "safedebit:%20RUM 1 ".parse().unwrap());
    assert_eq!(MandateRef::safedebit(" RUM 1 ").id(), "RUM 1");
    // An id that is blank or has an invisible character stays in the reference. The crate refuses to send such an id.
    for id in [" ", "\n", "RUM-1\n", "\u{200b}"] {
        assert_eq!(MandateRef::safedebit(id).id(), id);
    }
}

#[test]
fn invisible_characters_in_a_reference_are_percent_encoded() {
    let reference = MandateRef::safedebit("RUM\n50%\u{1b}[1m/\u{202e}é");
    assert_eq!(reference.to_string(), "safedebit:RUM%0A50%25%1B[1m/%E2%80%AEé");
    assert_eq!(format!("{reference:?}"), "MandateRef { provider: SafeDebit, client: None, id: (17 bytes) }");
    // A percent sign in a reference stands for itself if it starts no valid escape.
    for (text, id) in
        [("safedebit:50%", "50%"), ("safedebit:5%x1", "5%x1"), ("safedebit:%FF", "%FF"), ("safedebit:%0a", "\n")]
    {
        assert_eq!(text.parse::<MandateRef>().unwrap().id(), id);
    }
    let reference = MandateRef::safedebit("FR7630001007941234567890185");
    assert!(!format!("{reference:?}").contains("3000"));
    assert_eq!(
        format!("{:?}", MandateRef::seqino("client_1", "mdt_1")),
        r#"MandateRef { provider: Seqino, client: Some("client_1"), id: "mdt_1" }"#
    );
}
