//! The sandbox accepts the examples of the specs, refuses requests as each vendor does, and shares no state with other
//! sandboxes.

use crate::unknown_words::create_mandate_at_each_vendor;
use mandat::{ErrorKind, MandateRef, MandateStatus, Mandates, Provider, sandbox::Sandbox};

macro_rules! spec_example_tests {
    ($feature:literal, $module:ident, $examples:ident) => {
        #[cfg(feature = $feature)]
        mod $module {
            include!(concat!(env!("OUT_DIR"), "/", $feature, ".examples.rs"));

            #[tokio::test]
            async fn sandbox_accepts_the_example_requests_of_the_specs() {
                use mandat::{ErrorKind, sandbox::Sandbox, $module as api};
                use std::collections::BTreeSet;
                let sandbox = Sandbox::start().await.unwrap();
                let mandates = sandbox.mandates();
                let client = mandates.$module().unwrap();
                let (mut all, mut taken) = (BTreeSet::new(), BTreeSet::new());
                // Send each example to a fresh sandbox first, and then send all to one sandbox: some examples need a
                // record that another example creates.
                for alone in [true, false, false] {
                    macro_rules! check {
                        ($id:literal, $operation:ident, $builder:expr) => {
                            if alone {
                                sandbox.reset();
                            }
                            all.insert($id);
                            match $builder.send().await {
                                Ok(_) => drop(taken.insert($id)),
                                Err(error) => {
                                    let own = matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Conflict);
                                    assert!(own || !alone, "{}: {error}; {:?}", $id, sandbox.requests().last());
                                }
                            }
                        };
                    }
                    $examples!(client, api, check);
                }
                // The sandbox refuses the deletion of the client in the example, because this client has a mandate.
                all.remove("delete_client");
                assert_eq!(taken, all);
            }
        }
    };
}
spec_example_tests!("easytransac", easytransac, easytransac_examples);
spec_example_tests!("safedebit", safedebit, safedebit_examples);
spec_example_tests!("seqino", seqino, seqino_examples);

#[tokio::test]
async fn wrong_credentials_get_the_error_format_of_the_vendor() {
    let sandbox = Sandbox::start().await.unwrap();
    let url = |provider| sandbox.base_url(provider);
    let _ = (&url, Provider::ALL);
    #[cfg(feature = "easytransac")]
    {
        let key = crate::support::KEY.replace("abc", "def");
        let config = mandat::easytransac::Config::new(url(Provider::Easytransac), key);
        let mandates = Mandates::builder().easytransac(config).build().unwrap();
        let error = mandates.status(&MandateRef::easytransac("abcabcabcabcabcabc12")).await.unwrap_err();
        assert_eq!((error.kind(), error.http_status()), (ErrorKind::Auth, Some(401)));
        // With the wrong key, the token request already fails.
        assert_eq!(error.operation(), Some("generate_token"));
    }
    #[cfg(feature = "safedebit")]
    for (login, password, code) in [("sandbox", "wrong", "AUTH_002"), ("wrong", "sandbox-password", "AUTH_001")] {
        let config = mandat::safedebit::Config::new(url(Provider::SafeDebit), login, password);
        let mandates = Mandates::builder().safedebit(config).build().unwrap();
        let error = mandates.status(&MandateRef::safedebit("RUM-1")).await.unwrap_err();
        assert_eq!((error.kind(), error.vendor_code(), error.http_status()), (ErrorKind::Auth, Some(code), Some(200)));
    }
    #[cfg(feature = "seqino")]
    {
        let config = mandat::seqino::Config::new(url(Provider::Seqino), "wrong");
        let mandates = Mandates::builder().seqino(config).build().unwrap();
        let error = mandates.status(&MandateRef::seqino("client_abc123", "mdt_1")).await.unwrap_err();
        assert_eq!((error.kind(), error.http_status()), (ErrorKind::Auth, Some(401)));
        assert!(error.trace_id().is_some());
    }
}

#[tokio::test]
async fn sandboxes_share_no_state_or_clock() {
    let (one, other) = (Sandbox::start().await.unwrap(), Sandbox::start().await.unwrap());
    let mandates = one.mandates();
    for reference in create_mandate_at_each_vendor(&one, &mandates).await {
        assert!(mandates.status(&reference).await.is_ok());
        assert_eq!(other.mandates().status(&reference).await.unwrap_err().kind(), ErrorKind::NotFound);
        one.advance(std::time::Duration::from_secs(3600));
        assert!(one.now() > other.now());
    }
}

#[tokio::test]
async fn sandbox_refuses_a_step_that_the_vendor_does_not_have() {
    let sandbox = Sandbox::start().await.unwrap();
    let mandates = sandbox.mandates();
    for reference in create_mandate_at_each_vendor(&sandbox, &mandates).await {
        let no_such_step = match reference.provider() {
            Provider::Seqino => sandbox.suspend(&reference),
            _ => sandbox.expire(&reference),
        };
        assert_eq!(no_such_step.unwrap_err().kind(), ErrorKind::Refused);
        sandbox.sign(&reference).unwrap();
        sandbox.activate(&reference).unwrap();
        assert_eq!(mandates.status(&reference).await.unwrap().status, MandateStatus::Active);
    }
    let unknown = sandbox.sign(&MandateRef::safedebit("nobody")).unwrap_err();
    assert!(matches!(unknown.kind(), ErrorKind::NotFound | ErrorKind::NotConfigured));
}

#[tokio::test]
async fn call_to_an_unconfigured_vendor_is_a_clear_error() {
    let mandates = Mandates::builder().build().unwrap();
    for reference in [
        MandateRef::easytransac("abcabcabcabcabcabc12"),
        MandateRef::safedebit("RUM-1"),
        MandateRef::seqino("client_abc123", "mdt_1"),
    ] {
        let error = mandates.status(&reference).await.unwrap_err();
        assert_eq!((error.kind(), error.provider()), (ErrorKind::NotConfigured, Some(reference.provider())));
        assert!(error.to_string().contains(reference.provider().as_str()), "{error}");
    }
}

#[cfg(feature = "seqino")]
#[test]
fn invalid_base_urls_are_refused() {
    for (url, why) in [
        ("", "no URL"),
        ("pdp.seqino.dev/api", "no URL"),
        ("http://pdp.seqino.dev/api", "not https"),
        ("ftp://pdp.seqino.dev/api", "not https"),
        ("https://pdp.seqino.dev/api?x=1", "more than a host and a path"),
        ("https://pdp.seqino.dev/api?", "more than a host and a path"),
        ("https://pdp.seqino.dev/api#x", "more than a host and a path"),
        ("https://user@pdp.seqino.dev/api", "more than a host and a path"),
        ("https://:password@pdp.seqino.dev/api", "more than a host and a path"),
        ("https://user:password@pdp.seqino.dev/api", "more than a host and a path"),
        ("file:///api", "no host"),
    ] {
        let error = Mandates::builder().seqino(mandat::seqino::Config::new(url, "key")).build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotConfigured, "{url}");
        assert!(error.to_string().contains(why), "{url}: {error}");
    }
    for url in ["https://pdp.seqino.dev/api/", "http://127.0.0.1:8052", "http://localhost:8052/", "http://[::1]:1"] {
        assert!(Mandates::builder().seqino(mandat::seqino::Config::new(url, "key")).build().is_ok(), "{url}");
    }
}
