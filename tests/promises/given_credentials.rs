//! The crate trims each credential and refuses invisible characters in it. A credential travels over plain HTTP only to
//! a host that the caller names.
#![cfg(all(feature = "easytransac", feature = "safedebit", feature = "seqino"))]

use crate::{
    support::{KEY, Server, json, test_settings},
    traces::Log,
};
use mandat::{Error, ErrorKind, Mandates, easytransac, safedebit, seqino};
use proptest::prelude::*;

const URL: &str = "http://127.0.0.1:1";

/// Builds a client of each vendor with this credential. For SafeDebit it builds two clients: one with the credential as
/// login, one with it as password.
fn built(secret: &str) -> [(&'static str, Result<(), Error>); 4] {
    let build = |builder: mandat::MandatesBuilder| builder.build().map(drop);
    [
        ("API key", build(Mandates::builder().easytransac(easytransac::Config::new(URL, secret)))),
        ("login", build(Mandates::builder().safedebit(safedebit::Config::new(URL, secret, "p4ssw0rd")))),
        ("password", build(Mandates::builder().safedebit(safedebit::Config::new(URL, "login", secret)))),
        ("API key", build(Mandates::builder().seqino(seqino::Config::new(URL, secret)))),
    ]
}

#[test]
fn blanks_around_a_credential_are_trimmed_and_logged() {
    for around in ["\n", "\r\n", " ", "\t", "\u{a0}", "\u{feff}", "\u{200b}", " \n\n "] {
        for given in
            [format!("s3cret-k3y{around}"), format!("{around}s3cret-k3y"), format!("{around}s3cret-k3y{around}")]
        {
            let log = Log::listen();
            for (what, result) in built(&given) {
                assert!(result.is_ok(), "{what} {given:?}: {}", result.unwrap_err());
            }
            let text = log.text();
            assert_eq!(text.matches("removed the blanks around a credential").count(), 4, "{given:?}: {text}");
            assert!(text.contains("credential=\"password\"") && !text.contains("s3cret"), "{text}");
        }
    }
    let log = Log::listen();
    assert!(built("s3cret-k3y").into_iter().all(|(_, result)| result.is_ok()));
    assert!(!log.text().contains("blanks"));
}

#[test]
fn blank_credentials_and_invisible_characters_are_refused() {
    for blank in ["", " ", "\n", "\t\r\n", "\u{a0}", "\u{feff}", "\u{200b} \u{200b}"] {
        for (what, result) in built(blank) {
            let error = result.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NotConfigured);
            assert!(error.to_string().ends_with(&format!("the {what} is empty")), "{blank:?}: {error}");
        }
    }
    for within in ["\n", "\r", "\t", "\0", "\u{1b}", "\u{7f}", "\u{85}", "\u{200b}", "\u{202e}", "\u{feff}", "\u{ad}"] {
        for (what, result) in built(&format!("s3cret{within}k3y")) {
            let error = result.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NotConfigured);
            let shown = format!("{error} {error:?}");
            assert!(shown.contains(&format!("the {what} contains an invisible character")), "{within:?}: {shown}");
            assert!(!shown.contains("s3cret") && !shown.contains("k3y"), "{shown}");
        }
    }
    // A control character at the end of a credential is no blank, so the crate refuses it and does not trim it.
    assert!(built("s3cret-k3y\u{1b}").into_iter().all(|(_, result)| result.is_err()));
}

/// Sends a request with this password to a test server. Returns the password that arrived there.
async fn sent(server: &Server, password: &str) -> Option<String> {
    use base64::prelude::{BASE64_STANDARD, Engine};
    let config = safedebit::Config::new(server.url(), "login", password).settings(test_settings());
    let mandates = Mandates::builder().safedebit(config).build().ok()?;
    let _ = mandates.status(&mandat::MandateRef::safedebit("RUM-1")).await;
    let request = server.requests().pop()?;
    let header = request.lines().find_map(|line| line.strip_prefix("authorization: Basic "))?;
    let pair = String::from_utf8(BASE64_STANDARD.decode(header).unwrap()).unwrap();
    Some(pair.strip_prefix("login:")?.to_owned())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn credentials_are_sent_trimmed_and_otherwise_unchanged(
        password in "[ \\n\\t]{0,2}[!-~é€]{1,10}( [!-~é]{1,10})?[ \\r\\n]{0,2}",
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let sent = runtime.block_on(async {
            let server = Server::start(|_| json(500, "")).await;
            sent(&server, &password).await
        });
        prop_assert_eq!(sent.as_deref(), Some(password.trim()));
    }
}

// On other systems the address 0.0.0.0 does not lead to this machine.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn plain_http_is_allowed_only_to_the_named_host() {
    let server = Server::with_token(|_| json(404, "")).await;
    let url = server.url().replace("127.0.0.1", "0.0.0.0");
    let refused = |result: Result<Mandates, Error>| {
        let error = result.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotConfigured);
        assert!(error.to_string().contains("is not https"), "{error}");
    };
    let builder = Mandates::builder;
    refused(builder().easytransac(easytransac::Config::new(&url, KEY)).build());
    for host in
        ["", " ", "*", "0", "0.0.0", "0.0.0.1", "127.0.0.1", "sandbox", "http://0.0.0.0", "0.0.0.0:80", "0.0.0.0/"]
    {
        refused(builder().easytransac(easytransac::Config::new(&url, KEY).allow_plain_http_to(host)).build());
        refused(builder().safedebit(safedebit::Config::new(&url, "login", "p").allow_plain_http_to(host)).build());
        refused(builder().seqino(seqino::Config::new(&url, "key").allow_plain_http_to(host)).build());
    }
    // The crate refuses a host that only begins or ends like the permitted host.
    for url in ["http://sandbox.example.com/v2", "http://my-sandbox/v2", "http://sandbox.:4010/v2"] {
        refused(builder().easytransac(easytransac::Config::new(url, KEY).allow_plain_http_to("sandbox")).build());
    }
    for live in ["et_live_abcabc12", "ET_LIVE_abcabc12", " et_live_abcabc12\n"] {
        let config = easytransac::Config::new(&url, live).allow_plain_http_to("0.0.0.0");
        let error = builder().easytransac(config).build().unwrap_err();
        assert!(error.to_string().contains("a live key") && !error.to_string().contains("abcabc12"), "{error}");
    }
    let log = Log::listen();
    let mandates = builder()
        .easytransac(easytransac::Config::new(&url, KEY).allow_plain_http_to("0.0.0.0").settings(test_settings()))
        .safedebit(
            safedebit::Config::new(&url, "login", "p4ssw0rd").allow_plain_http_to("0.0.0.0").settings(test_settings()),
        )
        .seqino(seqino::Config::new(&url, "s3cret-k3y").allow_plain_http_to("0.0.0.0").settings(test_settings()))
        .build()
        .unwrap();
    let text = log.text();
    assert_eq!(
        text.lines().filter(|line| line.contains("WARN") && line.contains("without encryption")).count(),
        3,
        "{text}"
    );
    mandates.status(&mandat::MandateRef::safedebit("RUM-1")).await.unwrap_err();
    assert_eq!(server.count("GET /search_mandate"), 1);
    // The crate ignores the letter case of host names when it compares them.
    let config = easytransac::Config::new("http://Sandbox:4010/easytransac/v2", KEY).allow_plain_http_to("sandbox");
    builder().easytransac(config).build().unwrap();
    for named in ["fd00::1", "[FD00::1]"] {
        let config = easytransac::Config::new("http://[fd00::1]:4010/v2", KEY).allow_plain_http_to(named);
        builder().easytransac(config).build().unwrap();
    }
}

#[test]
fn https_and_loopback_log_no_plain_http_warning() {
    let log = Log::listen();
    let config = easytransac::Config::new(URL, "et_live_abcabc12").allow_plain_http_to("sandbox");
    Mandates::builder().easytransac(config).build().unwrap();
    let config = easytransac::Config::new("https://example.com/v2", "et_live_abcabc12").allow_plain_http_to("sandbox");
    Mandates::builder().easytransac(config).build().unwrap();
    assert!(!log.text().contains("without encryption"), "{}", log.text());
}
