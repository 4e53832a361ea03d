//! The crate keeps an unknown status word, and never allows the use of the mandate. The caller can map the word to a
//! status until a release of the crate knows it.

use mandat::{Account, ErrorKind, Mandate, MandateRef, MandateStatus, Mandates, Provider, sandbox::Sandbox};
use serde_json::{Value, json};

/// Creates one mandate at each vendor of this build in the sandbox.
pub async fn create_mandate_at_each_vendor(sandbox: &Sandbox, mandates: &Mandates) -> Vec<MandateRef> {
    let _ = (sandbox, mandates);
    #[allow(unused_mut, reason = "a build may have no vendor")]
    let mut all: Vec<MandateRef> = Vec::new();
    #[cfg(feature = "easytransac")]
    {
        let created = mandates.easytransac().unwrap().create_mandate();
        let created = created.body_map(|b| {
            b.email("abc@abc.com")
                .lastname("ABCabc123")
                .iban(crate::support::IBAN)
                .address("ABCabc123")
                .zip_code("ABCabc123")
                .city("ABCabc123")
                .country("FRA")
        });
        all.push(Mandate::from(&created.send().await.unwrap()).reference);
    }
    #[cfg(feature = "safedebit")]
    {
        let created = mandates.safedebit().unwrap().create_mandate();
        let created = created.body_map(|b| {
            b.safedebit_consumer_reference("XXXXXXXXXXXXX")
                .url_ok("https://xxxxx.xxx/ok")
                .url_ko("https://xxxxx.xxx/ko")
                .url_cancel("https://xxxxx.xxx/cancel")
        });
        all.push(Mandate::from(&created.send().await.unwrap()).reference);
    }
    #[cfg(feature = "seqino")]
    {
        let entry = mandat::seqino::types::DirectoryEntry::builder().siren("123456789").name("Acme Corporation");
        let created = mandates.seqino().unwrap().create_mandate().x_pdp_client_id("client_abc123");
        let created = created.body_map(|b| b.start_date(sandbox.now()).directory_entry(entry));
        all.push(Mandate::try_from(&created.send().await.unwrap()).unwrap().reference);
    }
    all
}

#[tokio::test]
async fn any_json_in_the_place_of_a_status_is_kept_as_text() {
    let sandbox = Sandbox::start().await.unwrap();
    let mandates = sandbox.mandates();
    for reference in create_mandate_at_each_vendor(&sandbox, &mandates).await {
        for (answered, kept, shown) in [
            (json!("brand_new"), "brand_new", "brand_new"),
            (json!(777), "777", "777"),
            (json!(-1.5), "-1.5", "-1.5"),
            (json!(true), "true", "true"),
            (Value::Null, "null", "null"),
            (json!({"a": 1}), r#"{"a":1}"#, "(an object)"),
            (json!(["FR76"]), r#"["FR76"]"#, "(a list)"),
            (json!("ACTIVE"), "ACTIVE", "ACTIVE"),
            (json!(" active"), " active", " active"),
            (json!(""), "", "(empty)"),
        ] {
            sandbox.answer(&reference, answered).unwrap();
            let mandate = mandates.status(&reference).await.unwrap();
            assert_eq!((mandate.status, mandate.raw.as_str()), (MandateStatus::Unrecognized, kept), "{reference}");
            assert_eq!(mandate.raw.to_string(), shown);
            assert!(!format!("{mandate:?}").contains("FR76"));
        }
    }
}

#[tokio::test]
async fn long_status_words_are_cut_to_64_bytes_without_splitting_a_character() {
    let sandbox = Sandbox::start().await.unwrap();
    let mandates = sandbox.mandates();
    for reference in create_mandate_at_each_vendor(&sandbox, &mandates).await {
        sandbox.answer(&reference, "é".repeat(100) + "z").unwrap();
        assert_eq!(mandates.status(&reference).await.unwrap().raw.as_str(), "é".repeat(32));
        sandbox.answer(&reference, format!("a{}", "é".repeat(100))).unwrap();
        assert_eq!(mandates.status(&reference).await.unwrap().raw.as_str(), format!("a{}", "é".repeat(31)));
    }
}

#[tokio::test]
async fn mapping_by_the_caller_applies_to_unknown_words_and_never_allows_more() {
    let sandbox = Sandbox::start().await.unwrap();
    let mut builder = sandbox.builder();
    for provider in Provider::ALL {
        builder = builder
            .map_status(*provider, "no_such_word", MandateStatus::Suspended)
            .map_status(*provider, "active", MandateStatus::Suspended)
            .map_status(*provider, "1", MandateStatus::Suspended)
            .map_status(*provider, "expired", MandateStatus::Pending)
            .map_status(*provider, "invalid", MandateStatus::Pending)
            .map_status(*provider, "3", MandateStatus::Pending);
    }
    let mandates = builder.build().unwrap();
    for reference in create_mandate_at_each_vendor(&sandbox, &mandates).await {
        let (active, ended, unchanged) = match reference.provider() {
            Provider::Easytransac => ("active", "invalid", MandateStatus::Invalid),
            Provider::SafeDebit => ("1", "3", MandateStatus::Revoked),
            _ => ("active", "expired", MandateStatus::Expired),
        };
        sandbox.answer(&reference, "no_such_word").unwrap();
        assert_eq!(mandates.status(&reference).await.unwrap().status, MandateStatus::Suspended);
        // The crate maps this status word to `Active`. The caller may map the word to a status that allows less.
        sandbox.answer(&reference, active).unwrap();
        assert_eq!(mandates.status(&reference).await.unwrap().status, MandateStatus::Suspended);
        // The crate maps this status word to a status of an ended mandate. The caller cannot map the word to a status
        // that allows the use.
        sandbox.answer(&reference, ended).unwrap();
        assert_eq!(mandates.status(&reference).await.unwrap().status, unchanged);
    }
}

#[test]
fn caller_cannot_map_a_status_word_to_active() {
    for status in [MandateStatus::Active, MandateStatus::Gone, MandateStatus::Unrecognized] {
        let error = Mandates::builder().map_status(Provider::Seqino, "no_such_word", status).build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotConfigured);
    }
}

#[tokio::test]
async fn mandate_counts_as_gone_only_if_it_was_known_and_the_vendor_reports_not_found() {
    let sandbox = Sandbox::start().await.unwrap();
    let mandates = sandbox.mandates();
    for reference in create_mandate_at_each_vendor(&sandbox, &mandates).await {
        let known = mandates.status(&reference).await.unwrap();
        sandbox.forget(&reference).unwrap();
        assert_eq!(mandates.status(&reference).await.unwrap_err().kind(), ErrorKind::NotFound, "{reference}");
        match mandates.status(&known).await {
            Ok(gone) => {
                assert_eq!((gone.status, gone.reference.provider()), (MandateStatus::Gone, Provider::Seqino));
                assert!(!matches!(gone.account, Account::NotApplicable));
            }
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::NotFound);
                assert_ne!(reference.provider(), Provider::Seqino);
            }
        }
    }
}
