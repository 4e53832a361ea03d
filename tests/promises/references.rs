//! A reference lives in one text column and comes back as it was.

use mandat::{ErrorKind, MandateRef, Provider};
use proptest::prelude::*;

#[test]
fn a_reference_reads_as_documented() {
    assert_eq!(MandateRef::easytransac("abcabcabcabcabcabc12").to_string(), "easytransac:abcabcabcabcabcabc12");
    assert_eq!(MandateRef::safedebit("RUM-2026-0042").to_string(), "safedebit:RUM-2026-0042");
    assert_eq!(MandateRef::seqino("client_abc123", "mdt_abc123").to_string(), "seqino:client_abc123/mdt_abc123");
    let reference: MandateRef = "seqino:client_abc123/mdt_abc123".parse().unwrap();
    assert_eq!(reference.provider(), Provider::Seqino);
    assert_eq!((reference.client_id(), reference.id()), (Some("client_abc123"), "mdt_abc123"));
    // SEPA allows a slash and a colon in a UMR.
    let reference: MandateRef = "safedebit:RUM/2026:42".parse().unwrap();
    assert_eq!((reference.client_id(), reference.id()), (None, "RUM/2026:42"));
}

proptest! {
    #[test]
    fn every_reference_round_trips(client in ".{1,20}", id in ".{1,35}") {
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
    fn any_text_is_a_reference_or_an_error_that_does_not_quote_it(text in ".*") {
        if let Err(e) = text.parse::<MandateRef>() {
            prop_assert_eq!(e.kind(), ErrorKind::InvalidRequest);
            prop_assert!(text.len() < 12 || !e.to_string().contains(&text));
        }
    }
}

#[test]
fn a_text_that_is_no_reference_is_told_how_one_reads() {
    for text in ["", "RUM-1", "gocardless:MD123", "safedebit:", "seqino:client_abc123", "seqino:/mdt_1", "seqino:c/"] {
        let error = text.parse::<MandateRef>().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{text:?}");
        assert!(
            error.to_string().contains("seqino:<client_id>/<mandate_id>")
                || error.to_string().contains("safedebit:<umr>")
        );
    }
}
