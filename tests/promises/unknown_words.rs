//! A word that nobody knows is kept, told of, never allowed, and can be mapped until a release knows it.

use mandat::{Account, ErrorKind, Mandate, MandateRef, MandateStatus, Mandates, Provider, sandbox::Sandbox};
use serde_json::{Value, json};

/// A mandate at each vendor that there is, read back.
pub async fn one_of_each(sandbox: &Sandbox, mandates: &Mandates) -> Vec<MandateRef> {
    let _ = (sandbox, mandates);
    #[allow(unused_mut, reason = "there may be no provider")]
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
async fn any_json_as_a_status_gives_a_mandate_with_that_text_kept() {
    let sandbox = Sandbox::start().await.unwrap();
    let mandates = sandbox.mandates();
    for reference in one_of_each(&sandbox, &mandates).await {
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
async fn a_long_word_is_kept_up_to_64_bytes_and_never_cut_within_a_letter() {
    let sandbox = Sandbox::start().await.unwrap();
    let mandates = sandbox.mandates();
    for reference in one_of_each(&sandbox, &mandates).await {
        sandbox.answer(&reference, "é".repeat(100) + "z").unwrap();
        assert_eq!(mandates.status(&reference).await.unwrap().raw.as_str(), "é".repeat(32));
        sandbox.answer(&reference, format!("a{}", "é".repeat(100))).unwrap();
        assert_eq!(mandates.status(&reference).await.unwrap().raw.as_str(), format!("a{}", "é".repeat(31)));
    }
}

#[tokio::test]
async fn a_word_can_be_mapped_until_a_release_knows_it_and_then_only_to_less() {
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
    for reference in one_of_each(&sandbox, &mandates).await {
        let (active, ended, unchanged) = match reference.provider() {
            Provider::Easytransac => ("active", "invalid", MandateStatus::Invalid),
            Provider::SafeDebit => ("1", "3", MandateStatus::Revoked),
            _ => ("active", "expired", MandateStatus::Expired),
        };
        sandbox.answer(&reference, "no_such_word").unwrap();
        assert_eq!(mandates.status(&reference).await.unwrap().status, MandateStatus::Suspended);
        // The table says that it may be used; the caller permits less.
        sandbox.answer(&reference, active).unwrap();
        assert_eq!(mandates.status(&reference).await.unwrap().status, MandateStatus::Suspended);
        // The table permits nothing; the caller's choice permits no less.
        sandbox.answer(&reference, ended).unwrap();
        assert_eq!(mandates.status(&reference).await.unwrap().status, unchanged);
    }
}

#[test]
fn no_word_is_ever_mapped_to_what_would_let_it_be_used() {
    for status in [MandateStatus::Active, MandateStatus::Gone, MandateStatus::Unrecognized] {
        let error = Mandates::builder().map_status(Provider::Seqino, "no_such_word", status).build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotConfigured);
    }
}

#[tokio::test]
async fn a_mandate_is_gone_only_where_it_was_known_and_the_vendor_itself_says_so() {
    let sandbox = Sandbox::start().await.unwrap();
    let mandates = sandbox.mandates();
    for reference in one_of_each(&sandbox, &mandates).await {
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
