//! The crate makes no write twice and reports no failure as a success. A caller can resolve each unknown outcome.

use mandat::{
    Error, Outcome, Provider,
    sandbox::{Fault, Sandbox},
};

/// Lists the faults of the sandbox before and after the simulated vendor acts. A clear refusal occurs only before the
/// vendor acts.
fn faults() -> Vec<Fault> {
    let both = [
        Fault::reset(),
        Fault::truncated(),
        Fault::empty(),
        Fault::html(),
        Fault::oversized(1 << 20),
        Fault::status(500),
        Fault::status(502),
        Fault::status(503),
        Fault::status(503).retry_after(0),
        Fault::status(504),
        Fault::status(408),
        Fault::status(301),
        Fault::status(404),
    ];
    let after = both.clone().into_iter().map(Fault::after_effect);
    let before = [Fault::status(400), Fault::status(401), Fault::status(403), Fault::status(429).retry_after(0)];
    both.into_iter().chain(after).chain(before).map(|fault| fault.times(1)).collect()
}

/// Injects each fault once, then injects faults at random, and counts the outcomes of the writes.
struct FaultRun {
    /// The faults to inject next. `None` stands for a write without a fault.
    faults: Vec<Option<Fault>>,
    rng: fastrand::Rng,
    /// The number of writes with a fault after which the test ends.
    wanted: usize,
    writes: usize,
    faulted: usize,
    doubtful: usize,
    failed: usize,
    done: usize,
}

/// Returns the number of creations with a fault at each vendor. Without the variable `MANDAT_FAULTED`, the test injects
/// each fault once.
fn faulted() -> usize {
    std::env::var("MANDAT_FAULTED").map_or(0, |number| number.parse().expect("MANDAT_FAULTED must be a number"))
}

impl FaultRun {
    fn new(wanted: usize) -> Self {
        let faults = faults().into_iter().map(Some).chain([const { None }; 3]).collect();
        // The random numbers start from a fixed seed, so that a failure can be repeated.
        let rng = fastrand::Rng::with_seed(42);
        Self { faults, rng, wanted, writes: 0, faulted: 0, doubtful: 0, failed: 0, done: 0 }
    }

    fn is_over(&self) -> bool {
        self.writes >= self.faults.len() && self.faulted >= self.wanted
    }

    /// Removes all records from the sandbox after each hundred writes, so that its lists stay short.
    fn tidy(&self, sandbox: &Sandbox) {
        if self.writes.is_multiple_of(100) {
            sandbox.reset();
        }
    }

    fn fault(&mut self, sandbox: &Sandbox, operation: &str) {
        sandbox.clear_faults();
        let fault = match self.faults.get(self.writes) {
            Some(fault) => fault,
            None => self.rng.choice(&self.faults).unwrap(),
        };
        self.writes += 1;
        if let Some(fault) = fault {
            sandbox.inject(fault.clone().on(operation));
            self.faulted += 1;
        }
    }

    /// Compares the result of a write with the number of records that the write created.
    fn judge<T>(&mut self, result: &Result<T, Error>, made: usize) -> Option<Outcome> {
        assert!(made <= 1, "one call made {made} records");
        match result {
            Ok(_) => {
                assert_eq!(made, 1, "the call reported success, but no record exists");
                self.done += 1;
                None
            }
            Err(error) => {
                let outcome = error.outcome().expect("the error of a write should have an outcome");
                match outcome {
                    Outcome::Unknown => self.doubtful += 1,
                    _ => {
                        assert_eq!(made, 0, "the call reported that no record exists ({error}), but the record exists");
                        self.failed += 1;
                    }
                }
                Some(outcome)
            }
        }
    }

    fn assert_every_outcome_occurred(&self) {
        let Self { doubtful, failed, done, .. } = self;
        assert!(*doubtful > 0 && *failed > 0 && *done > 0, "{doubtful} doubtful, {failed} failed, {done} done");
    }
}

#[cfg(feature = "easytransac")]
#[tokio::test]
async fn easytransac_creates_no_mandate_twice() {
    let sandbox = Sandbox::start().await.unwrap();
    let mandates = sandbox.mandates();
    let client = mandates.easytransac().unwrap();
    let mut run = FaultRun::new(faulted());
    while !run.is_over() {
        run.tidy(&sandbox);
        let before = sandbox.mandates_at(Provider::Easytransac);
        run.fault(&sandbox, "create_mandate");
        let result = client.create_mandate().body_map(|b| {
            b.email("abc@abc.com")
                .lastname("ABCabc123")
                .iban(crate::support::IBAN)
                .address("ABCabc123")
                .zip_code("ABCabc123")
                .city("ABCabc123")
                .country("FRA")
        });
        let result = result.send().await;
        run.judge(&result, sandbox.mandates_at(Provider::Easytransac) - before);
        if let Err(error) = result
            && error.outcome() == Some(Outcome::Unknown)
        {
            // Easytransac offers no search for a lost mandate, so the error must advise the caller to look in the
            // dashboard.
            assert!(error.advice().unwrap().contains("dashboard"), "{error}");
        }
    }
    run.assert_every_outcome_occurred();
}

#[cfg(feature = "safedebit")]
#[tokio::test]
async fn safedebit_creates_no_mandate_twice_and_search_finds_lost_mandates() {
    use mandat::{ErrorKind, MandateRef};
    let sandbox = Sandbox::start().await.unwrap();
    let mandates = sandbox.mandates();
    let client = mandates.safedebit().unwrap();
    let mut run = FaultRun::new(faulted());
    while !run.is_over() {
        run.tidy(&sandbox);
        let umr = format!("RUM-{}", run.writes);
        let before = sandbox.mandates_at(Provider::SafeDebit);
        run.fault(&sandbox, "create_mandate");
        let result = client.create_mandate().body_map(|b| {
            b.safedebit_consumer_reference(Sandbox::CONSUMER)
                .url_ok("https://xxxxx.xxx/ok")
                .url_ko("https://xxxxx.xxx/ko")
                .url_cancel("https://xxxxx.xxx/cancel")
                .umr(&umr)
        });
        let result = result.send().await;
        let made = sandbox.mandates_at(Provider::SafeDebit) - before;
        if run.judge(&result, made) == Some(Outcome::Unknown) {
            sandbox.clear_faults();
            let found = match mandates.status(&MandateRef::safedebit(&umr)).await {
                Ok(_) => 1,
                Err(error) if error.kind() == ErrorKind::NotFound => 0,
                Err(error) => panic!("{error}"),
            };
            assert_eq!(found, made);
        }
    }
    run.assert_every_outcome_occurred();
}

#[cfg(feature = "safedebit")]
#[tokio::test]
async fn consumer_after_a_lost_response_is_found_and_a_reused_reference_is_a_conflict() {
    use mandat::{ErrorKind, Resent};
    let sandbox = Sandbox::start().await.unwrap();
    let mandates = sandbox.mandates();
    let client = mandates.safedebit().unwrap();
    let request = |i: usize| {
        let example = serde_json::json!({
            "consumer_type": "0", "consumer_reference": format!("C-{i}"), "consumer_last_name": "ABCabc123",
            "consumer_first_name": "ABCabc123", "consumer_address_street_number": "1",
            "consumer_address_street_type": "rue", "consumer_address_street_name": "ABCabc123",
            "consumer_zip_code": "75001", "consumer_city": "ABCabc123", "consumer_email": "abc@abc.com",
            "consumer_phone_number": "0600000000", "iban": crate::support::IBAN,
        });
        let body: mandat::safedebit::types::CreateConsumerRequest = serde_json::from_value(example).unwrap();
        client.create_consumer().body(body)
    };
    let found = async |i: usize| {
        let consumer = client.find_consumer(&format!("C-{i}")).await.unwrap();
        // The next step of the test needs the reference that SafeDebit gave to the consumer.
        assert!(consumer.as_ref().is_none_or(|consumer| consumer.safedebit_consumer_reference.is_some()));
        usize::from(consumer.is_some())
    };
    let mut run = FaultRun::new(faulted() / 10);
    while !run.is_over() {
        run.tidy(&sandbox);
        let i = run.writes;
        run.fault(&sandbox, "create_consumer");
        let result = request(i).send().await;
        sandbox.clear_faults();
        let made = found(i).await;
        if run.judge(&result, made) == Some(Outcome::Unknown) {
            let resent = request(i).send_again().await.unwrap();
            assert_eq!(matches!(resent, Resent::InUse), made == 1);
            assert_eq!(found(i).await, 1);
        }
    }
    run.assert_every_outcome_occurred();
    let twice = [request(run.writes).send().await, request(run.writes).send().await];
    let taken = twice.into_iter().collect::<Result<Vec<_>, _>>().unwrap_err();
    assert_eq!((taken.kind(), taken.vendor_code()), (ErrorKind::Conflict, Some("EXIST_001")));
}

#[cfg(feature = "safedebit")]
#[tokio::test]
async fn no_debit_is_made_twice_and_lost_debits_are_found() {
    use mandat::{Resent, wire::AmountCents};
    let sandbox = Sandbox::start().await.unwrap();
    let mandates = sandbox.mandates();
    let client = mandates.safedebit().unwrap();
    let request = |reference: &str, cents| {
        client.payment().body_map(|body| {
            body.amount(AmountCents::from_cents(cents))
                .due_date("02/01/2030")
                .sdd_reference(reference)
                .umr(Sandbox::CONSUMER)
                .safedebit_consumer_reference(Sandbox::CONSUMER)
        })
    };
    let mut run = FaultRun::new(faulted() / 10);
    while !run.is_over() {
        run.tidy(&sandbox);
        let reference = format!("SDD-{}", run.writes);
        run.fault(&sandbox, "payment");
        let result = request(&reference, 1250).send().await;
        sandbox.clear_faults();
        let found = client.find_debit(Sandbox::CONSUMER, &reference).await.unwrap();
        if run.judge(&result, usize::from(found.is_some())) == Some(Outcome::Unknown) {
            // The second request has another amount. If the first request created a debit, the debit keeps the first
            // amount.
            let resent = request(&reference, 9900).send_again().await.unwrap();
            assert_eq!(matches!(resent, Resent::InUse), found.is_some());
            let now = client.find_debit(Sandbox::CONSUMER, &reference).await.unwrap().unwrap();
            let cents = now.debit.amount.and_then(|amount| amount.get()).unwrap().cents();
            assert_eq!(cents, if found.is_some() { 1250 } else { 9900 });
            assert_eq!(now.umr.unwrap().as_str(), Sandbox::CONSUMER);
        }
    }
    run.assert_every_outcome_occurred();
}

#[cfg(feature = "safedebit")]
#[tokio::test]
async fn debit_awaiting_validation_is_not_reported_as_created() {
    use mandat::{
        safedebit::types::{PaymentState, ValidatePaymentState},
        wire::AmountCents,
    };
    let sandbox = Sandbox::start().await.unwrap();
    let mandates = sandbox.mandates();
    let client = mandates.safedebit().unwrap();
    let payment = async |reference: &str, euros| {
        let request = client.payment().body_map(|body| {
            body.amount(AmountCents::from_euros(euros, 0).unwrap())
                .due_date("02/01/2030")
                .sdd_reference(reference)
                .umr(Sandbox::CONSUMER)
                .safedebit_consumer_reference(Sandbox::CONSUMER)
        });
        request.send().await.unwrap()
    };
    assert!(matches!(payment("SDD-1", 12).await, PaymentState::Created(_)));
    let PaymentState::AwaitingValidation(waiting) = payment("SDD-2", 1500).await else {
        panic!("the debit should await validation")
    };
    assert!(waiting.validation_type.is_some());
    let found = client.find_debit(Sandbox::CONSUMER, "SDD-2").await.unwrap().unwrap();
    assert_eq!(found.debit.status.unwrap().as_str(), "PENDING");
    let request = client.validate_payment().body_map(|body| {
        body.safedebit_consumer_reference(Sandbox::CONSUMER)
            .payment_reference(found.payment_reference)
            .validation_type(waiting.validation_type.unwrap())
            .validation_value("123456")
    });
    assert!(matches!(request.send().await.unwrap(), ValidatePaymentState::Validated(_)));
}

#[cfg(feature = "safedebit")]
#[tokio::test]
async fn undocumented_payment_status_leaves_the_outcome_unclear() {
    use crate::support::{Server, facade, json, test_settings};
    use mandat::{safedebit::types::PaymentState, wire::AmountCents};
    let answer = r#"{"result":true,"status":"ACCEPTED","sdd_reference":"SDD-1","due_date":"02/01/2030"}"#;
    let server = Server::start(move |_| json(200, answer)).await;
    let mandates = facade(&server.url(), &test_settings());
    let request = mandates.safedebit().unwrap().payment().body_map(|body| {
        body.amount(AmountCents::from_cents(1))
            .due_date("02/01/2030")
            .sdd_reference("SDD-1")
            .safedebit_consumer_reference("C")
    });
    let state = request.send().await.unwrap();
    assert!(matches!(&state, PaymentState::Unclear(answer) if answer.status.as_str() == "ACCEPTED"));
    assert_eq!(state.answer().sdd_reference.as_str(), "SDD-1");
}

#[cfg(feature = "safedebit")]
#[tokio::test]
async fn search_response_that_is_not_clear_is_an_error() {
    use crate::support::{Server, facade, json, test_settings};
    use mandat::ErrorKind;
    for (datas, consumer, debit, payment) in [
        ("[]", Some(false), Some(false), Some(false)),
        (r#"[{"consumer_reference":"R","safedebit_consumer_reference":"S"}]"#, Some(true), None, None),
        (r#"[{"consumer_reference":" R ","safedebit_consumer_reference":"S"}]"#, Some(true), None, None),
        (r#"[{"consumer_reference":"other","safedebit_consumer_reference":"S"}]"#, Some(false), None, None),
        (r#"[{"consumer_reference":"R"}]"#, None, None, None),
        (r#"[{"safedebit_consumer_reference":"S"}]"#, None, None, None),
        (r#"[{"consumer_reference":"R","safedebit_consumer_reference":"S"},7]"#, None, None, None),
        (r#"[{"payment_reference":"R","sdd":[{"sdd_reference":"R"}]}]"#, None, Some(true), Some(true)),
        (r#"[{"payment_reference":"P","sdd":[{"sdd_reference":"other"}]}]"#, None, Some(false), Some(false)),
        (r#"[{"payment_reference":"R"}]"#, None, None, Some(true)),
        (r#"[{"payment_reference":"P","sdd":[{}]}]"#, None, None, Some(false)),
        (
            r#"[{"payment_reference":"R","sdd":[{"sdd_reference":"R"}]},{"payment_reference":"R","sdd":[{"sdd_reference":"R"}]}]"#,
            None,
            None,
            None,
        ),
        ("7", None, None, None),
        ("null", None, None, None),
        ("false", None, None, None),
        (r#""x""#, None, None, None),
    ] {
        let body = format!(r#"{{"result":true,"datas":{datas}}}"#);
        let server = Server::start(move |_| json(200, &body)).await;
        let mandates = facade(&server.url(), &test_settings());
        let client = mandates.safedebit().unwrap();
        let told = |result: Result<bool, Error>| match result {
            Ok(found) => Some(found),
            Err(error) if error.kind() == ErrorKind::Decode => None,
            Err(error) => panic!("{error}"),
        };
        assert_eq!(told(client.find_consumer("R").await.map(|found| found.is_some())), consumer, "{datas}");
        assert_eq!(told(client.find_debit("RUM-1", "R").await.map(|found| found.is_some())), debit, "{datas}");
        assert_eq!(told(client.find_payment("R").await.map(|found| found.is_some())), payment, "{datas}");
    }
}

#[cfg(feature = "easytransac")]
#[tokio::test]
async fn search_finds_a_transaction_only_by_its_order_id() {
    use crate::support::{Server, facade, json, test_settings};
    use mandat::ErrorKind;
    let answer = |order: &str| {
        format!(
            r#"{{"success":true,"date":"2026-09-01T10:00:00+02:00","data":{{"tid":"T-1","status":"captured"{order}}}}}"#
        )
    };
    for (status, body, found) in [
        (200, answer(r#","orderId":"O-1""#), Ok(true)),
        (200, answer(r#","orderId":"O-2""#), Err(ErrorKind::Decode)),
        (200, answer(""), Err(ErrorKind::Decode)),
        (404, r#"{"success":false}"#.into(), Ok(false)),
        // The 404 does not have the vendor's error format, so it does not prove that the transaction is missing.
        (404, "{}".into(), Err(ErrorKind::Unavailable)),
    ] {
        let server = Server::with_token({
            let body = body.clone();
            move |_| json(status, &body)
        })
        .await;
        let mandates = facade(&server.url(), &test_settings());
        let result = mandates.easytransac().unwrap().find_transaction("O-1").await;
        assert_eq!(result.map(|found| found.is_some()).map_err(|error| error.kind()), found, "{body}");
    }
}

#[cfg(feature = "seqino")]
#[tokio::test]
async fn seqino_creates_nothing_twice_and_lists_find_lost_records() {
    use mandat::seqino::types::DirectoryEntry;
    let sandbox = Sandbox::start().await.unwrap();
    let mandates = sandbox.mandates();
    let client = mandates.seqino().unwrap();
    let (mut run, mut of_clients) = (FaultRun::new(faulted()), FaultRun::new(0));
    while !(run.is_over() && of_clients.is_over()) {
        of_clients.tidy(&sandbox);
        let reference = format!("EXT-{}", of_clients.writes);
        of_clients.fault(&sandbox, "create_client");
        let result = client.create_client().body_map(|b| {
            b.organization_name("Acme Corporation").contact_email("contact@acme.com").external_ref(&reference)
        });
        let result = result.send().await;
        sandbox.clear_faults();
        let found = client.find_client(&reference).await.unwrap();
        let outcome = of_clients.judge(&result, usize::from(found.is_some()));
        // The test creates the next mandates for this client, so that no list grows long.
        let Some(id) = found.and_then(|client| client.client_id) else { continue };
        assert!(outcome.is_none_or(|outcome| outcome == Outcome::Unknown));

        for _ in 0..4 {
            let siret = format!("{:014}", run.writes);
            let scope: DirectoryEntry =
                DirectoryEntry::builder().siren("123456789").name("Acme").siret(siret).try_into().unwrap();
            let before = sandbox.mandates_at(Provider::Seqino);
            run.fault(&sandbox, "create_mandate");
            let result = client.create_mandate().x_pdp_client_id(&id);
            let result = result.body_map(|b| b.start_date(sandbox.now()).directory_entry(scope.clone())).send().await;
            let made = sandbox.mandates_at(Provider::Seqino) - before;
            if run.judge(&result, made) == Some(Outcome::Unknown) {
                sandbox.clear_faults();
                assert_eq!(client.find_mandates(&id, &scope).await.unwrap().len(), made);
            }
        }
    }
    run.assert_every_outcome_occurred();
    of_clients.assert_every_outcome_occurred();
}

#[cfg(feature = "seqino")]
#[tokio::test]
async fn unreadable_list_is_not_read_as_an_empty_list() {
    use crate::support::{Server, facade, json, test_settings};
    use mandat::ErrorKind;
    for body in [r#"{"clients":[]}"#, "{}", r#"{"detail":"x"}"#, "[{}]", "[null]", "7", "null"] {
        let server = Server::start(move |_| json(200, body)).await;
        let mandates = facade(&server.url(), &test_settings());
        let error = mandates.seqino().unwrap().find_client("EXT-1").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Decode, "{body}");
    }
}

#[cfg(feature = "seqino")]
#[tokio::test]
async fn mandate_is_found_although_seqino_added_fields() {
    use crate::support::{Server, facade, json, test_settings};
    use mandat::seqino::types::DirectoryEntry;
    let mandate = r#"[{"id":"mdt_1","client_id":"client_abc123","start_date":"2024-01-15T00:00:00Z","status":"active",
        "directory_entry":{"siren":"123456789","name":"Acme","siret":"12345678900012","suffix":""},
        "created_at":"2019-08-24T14:15:22Z"}]"#;
    let server = Server::start(move |_| json(200, mandate)).await;
    let mandates = facade(&server.url(), &test_settings());
    let scope = || DirectoryEntry::builder().siren("123456789").name("Acme");
    for (scope, found) in [
        (scope(), 1),
        (scope().siret("12345678900012"), 1),
        (scope().siret("12345678900020"), 0),
        (scope().suffix("A"), 0),
        (DirectoryEntry::builder().siren("987654321").name("Acme"), 0),
    ] {
        let scope: DirectoryEntry = scope.try_into().unwrap();
        let mandates = mandates.seqino().unwrap().find_mandates("client_abc123", &scope).await.unwrap();
        assert_eq!(mandates.len(), found, "{scope:?}");
    }
}

/// A 404 proves a removal only if an earlier attempt reached the vendor. In this test, no attempt reached the vendor.
#[cfg(feature = "seqino")]
#[tokio::test]
async fn removal_that_was_not_sent_is_not_reported_as_done() {
    use crate::support::{facade, json, test_settings};
    use mandat::ErrorKind;
    // Reserve a port on which no server listens yet.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let port = socket.local_addr().unwrap();
    let settings = test_settings().with_backoff(std::time::Duration::from_millis(300)).with_attempts(20);
    let mandates = facade(&format!("http://{port}"), &settings);
    let removal = async {
        let seqino = mandates.seqino().unwrap();
        seqino.revoke_mandate().mandate_id("mdt_1").x_pdp_client_id("client_abc123").send().await
    };
    let server = async {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        let listener = socket.listen(8).unwrap();
        let (mut stream, _) = listener.accept().await.unwrap();
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let _ = stream.read(&mut [0; 4096]).await.unwrap();
        let unknown = json(404, r#"{"error":"Mandate not found","code":404,"trace_id":"trace-0042"}"#);
        stream.write_all(unknown.as_bytes()).await.unwrap();
    };
    let (result, ()) = tokio::join!(removal, server);
    assert_eq!(result.unwrap_err().kind(), ErrorKind::NotFound);
}

#[cfg(any(feature = "safedebit", feature = "seqino"))]
#[tokio::test]
async fn removals_succeed_despite_transient_faults() {
    let sandbox = Sandbox::start().await.unwrap();
    let settings = crate::support::test_settings();
    let builder = mandat::Mandates::builder();
    #[cfg(feature = "safedebit")]
    let builder = builder.safedebit(sandbox.safedebit().settings(settings.clone()));
    #[cfg(feature = "seqino")]
    let builder = builder.seqino(sandbox.seqino().settings(settings.clone()));
    #[cfg(feature = "easytransac")]
    let builder = builder.easytransac(sandbox.easytransac().settings(settings.clone()));
    let mandates = builder.build().unwrap();
    let passing =
        [Fault::reset(), Fault::status(502), Fault::status(503).retry_after(0), Fault::status(429), Fault::truncated()];
    let passing = passing.into_iter().flat_map(|fault| [fault.clone(), fault.after_effect()]);
    for fault in passing {
        for reference in crate::unknown_words::create_mandate_at_each_vendor(&sandbox, &mandates).await {
            let operation = match reference.provider() {
                Provider::SafeDebit => "revoque_mandate",
                Provider::Seqino => "revoke_mandate",
                _ => continue,
            };
            sandbox.inject(fault.clone().on(operation).times(1));
            let result: Result<(), Error> = match reference.provider() {
                #[cfg(feature = "safedebit")]
                Provider::SafeDebit => {
                    let client = mandates.safedebit().unwrap();
                    client.revoque_mandate().body_map(|b| b.umr(reference.id())).send().await.map(drop)
                }
                #[cfg(feature = "seqino")]
                Provider::Seqino => {
                    let client = mandates.seqino().unwrap();
                    client.revoke_mandate().mandate_id(reference.id()).x_pdp_client_id(Sandbox::CLIENT).send().await
                }
                _ => unreachable!("no removal there"),
            };
            sandbox.clear_faults();
            assert!(result.is_ok(), "{fault:?} {reference}: {}", result.unwrap_err());
            let over = match mandates.status(reference.known()).await {
                Ok(mandate) => mandate.status.phase() == mandat::Phase::Ended,
                Err(error) => panic!("{error}"),
            };
            assert!(over, "{fault:?} {reference}");
        }
    }
}
