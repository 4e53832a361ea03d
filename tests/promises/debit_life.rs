//! A debit at the simulated vendors goes by the calendar of TARGET and the clock of the sandbox, and comes back on
//! order.

use crate::control::{CLIENT, control, send_control};
use chrono::{Datelike, Days, NaiveDate, Weekday};
use mandat::{
    Debit, DebitRef, DebitStatus, Error, ErrorKind, MandateRef, Mandates, Provider,
    easytransac::{types::Notification, verify_notification},
    sandbox::Sandbox,
    sepa::{
        ClosingDay, LeadTimes, ReasonCode, Scheme, Sequence, add_business_days, closing_days, earliest_due_date,
        finality, paris_day,
    },
    wire::AmountCents,
};
use serde_json::{Value, json};
use std::time::Duration;

const SDD: &str = "SDD-1";
/// The mandate of Easytransac's samples, which is active.
const MANDATE: &str = "abcabcabcabcabcabc12";

fn order() -> DebitRef {
    DebitRef::easytransac_order("order-2")
}
const DAY: Duration = Duration::from_secs(24 * 3600);

async fn started() -> (Sandbox, Mandates) {
    let sandbox = Sandbox::start().await.unwrap();
    let mandates = sandbox.mandates();
    (sandbox, mandates)
}

/// Advances the clock to a day in the future.
fn go_to(sandbox: &Sandbox, day: NaiveDate) {
    let noon = day.and_hms_opt(11, 0, 0).unwrap().and_utc();
    sandbox.advance((noon - sandbox.now()).to_std().unwrap_or_default());
    assert_eq!(paris_day(sandbox.now()), day);
}

fn today(sandbox: &Sandbox) -> NaiveDate {
    paris_day(sandbox.now())
}

/// The first due date that a vendor accepts now.
fn first_due(sandbox: &Sandbox) -> NaiveDate {
    let mut lead = LeadTimes::default();
    lead.pre_notification = 0;
    earliest_due_date(sandbox.now(), Scheme::Core, &lead).unwrap()
}

async fn debit(mandates: &Mandates, umr: &str, sdd: &str, due: NaiveDate) -> Result<(), Error> {
    let request = mandates.safedebit()?.payment().body_map(|body| {
        body.amount(AmountCents::from_cents(4990))
            .due_date(due)
            .sdd_reference(sdd)
            .umr(umr)
            .safedebit_consumer_reference(Sandbox::CONSUMER)
    });
    request.send().await.map(drop)
}

fn reference(sdd: &str) -> DebitRef {
    DebitRef::safedebit(Sandbox::CONSUMER, sdd)
}

/// The word of a debit when it is read.
pub async fn word(mandates: &Mandates, debit: &DebitRef) -> String {
    mandates.debit(debit).await.unwrap().raw.as_str().to_owned()
}

/// A debit at Easytransac, of which the typed client has no request without the feature `unverified`.
pub async fn debit_at_easytransac(sandbox: &Sandbox, mandate: &str, order: &str) -> Value {
    let base = sandbox.base_url(Provider::Easytransac);
    let post = |path: &str, token: &str, body: Value| {
        let request = CLIENT.post(format!("{base}{path}")).header("content-type", "application/json");
        let request = request.bearer_auth(token).body(body.to_string());
        async { serde_json::from_slice::<Value>(&request.send().await.unwrap().bytes().await.unwrap()).unwrap() }
    };
    let token = post("/auth", "", json!({"apiKey": crate::support::KEY})).await;
    let token = token["data"]["token"].as_str().unwrap().to_owned();
    post(&format!("/sdd/mandate/{mandate}/debit"), &token, json!({"amount": 4990, "orderId": order})).await["data"]
        .take()
}

#[tokio::test]
async fn debit_is_submitted_the_business_day_before_and_settled_the_business_day_after() {
    let (sandbox, mandates) = started().await;
    // Around the Easter of next year, TARGET is closed for four days in a row.
    let year = today(&sandbox).year() + 1;
    let friday = closing_days(year).find(|(_, name)| *name == ClosingDay::GoodFriday).unwrap().0;
    let on = |days: i64| friday + chrono::TimeDelta::days(days);
    go_to(&sandbox, on(-2));
    assert_eq!(first_due(&sandbox), on(-1));
    debit(&mandates, Sandbox::CONSUMER, SDD, on(4)).await.unwrap();
    for (day, expected) in [
        (on(-2), "CREATED"),
        (on(-1), "CREATED"),
        (friday, "ISSUED"),
        (on(3), "ISSUED"),
        (on(4), "ISSUED"),
        (on(5), "SETTLED"),
    ] {
        go_to(&sandbox, day);
        assert_eq!(word(&mandates, &reference(SDD)).await, expected, "{day}");
        let request = mandates.safedebit().unwrap().edit_sdd();
        let changed = request.body_map(|body| body.sdd_reference(SDD).motif("x")).send().await;
        assert_eq!(changed.is_ok(), expected == "CREATED", "{day}");
    }
}

#[tokio::test]
async fn strict_vendor_refuses_due_dates_that_no_bank_takes() {
    let (sandbox, mandates) = started().await;
    let today = today(&sandbox);
    let next = |wanted: Weekday| today.iter_days().skip(1).find(|day| day.weekday() == wanted).unwrap();
    let first_due = first_due(&sandbox);
    let christmas = closing_days(today.year() + 1).find(|(_, name)| *name == ClosingDay::Christmas).unwrap().0;
    for due in
        [today - Days::new(1), today, next(Weekday::Sat), next(Weekday::Sun), christmas, first_due.pred_opt().unwrap()]
    {
        let error = debit(&mandates, Sandbox::CONSUMER, SDD, due).await.unwrap_err();
        assert_eq!((error.kind(), error.vendor_code()), (ErrorKind::Refused, Some("SANDBOX_003")), "{due}");
    }
    debit(&mandates, Sandbox::CONSUMER, SDD, first_due).await.unwrap();
    // A change of the due date is a new due date.
    let safedebit = mandates.safedebit().unwrap();
    let changed = safedebit.edit_sdd().body_map(|body| body.sdd_reference(SDD).due_date(christmas)).send().await;
    assert_eq!(changed.unwrap_err().kind(), ErrorKind::Refused);
    let again = |due: NaiveDate| {
        safedebit.add_rp_sdd().body_map(|body| {
            body.sdd_reference_origin(SDD).sdd_reference("RPA-1").due_date(due).amount(AmountCents::from_cents(1))
        })
    };
    assert_eq!(again(today).send().await.unwrap_err().kind(), ErrorKind::Refused);
}

#[tokio::test]
async fn debit_that_waits_past_its_day_cannot_be_validated() {
    let (sandbox, mandates) = started().await;
    let safedebit = mandates.safedebit().unwrap();
    let due = first_due(&sandbox);
    let request = safedebit.payment().body_map(|body| {
        body.amount(AmountCents::from_cents(123_456))
            .due_date(due)
            .sdd_reference(SDD)
            .umr(Sandbox::CONSUMER)
            .safedebit_consumer_reference(Sandbox::CONSUMER)
    });
    drop(request.send().await.unwrap());
    go_to(&sandbox, due);
    assert_eq!(word(&mandates, &reference(SDD)).await, "PENDING");
    let found = safedebit.find_debit(Sandbox::CONSUMER, SDD).await.unwrap().unwrap();
    let validated = safedebit.validate_payment().body_map(|body| {
        body.safedebit_consumer_reference(Sandbox::CONSUMER)
            .payment_reference(found.payment_reference)
            .validation_type("OTP")
            .validation_value("123456")
    });
    assert_eq!(validated.send().await.unwrap_err().kind(), ErrorKind::Refused);
    assert_eq!(sandbox.return_debit(&reference(SDD), ReasonCode::AM04).unwrap_err().kind(), ErrorKind::Refused);
}

#[tokio::test]
async fn returned_or_refunded_debit_has_the_words_of_each_vendor() {
    for (wait, change, safedebit, easytransac, status) in [
        (0, json!({"return": "AM04"}), "REJECTED", "failed", DebitStatus::Failed),
        (1, json!({"return": "AM04"}), "RETURNED", "failed", DebitStatus::Returned),
        (1, json!({"refund": true}), "REMBOURSE", "refunded", DebitStatus::Refunded),
    ] {
        let (sandbox, mandates) = started().await;
        let due = first_due(&sandbox);
        debit(&mandates, Sandbox::CONSUMER, SDD, due).await.unwrap();
        let created = debit_at_easytransac(&sandbox, MANDATE, "order-2").await;
        assert_eq!(created["status"], "pending");
        let tid = DebitRef::easytransac(created["tid"].as_str().unwrap());
        let send = async || {
            let mut all = [0; 2];
            for (debit, status) in [reference(SDD), order()].into_iter().zip(&mut all) {
                let mut body = change.clone();
                body["debit"] = json!(debit);
                *status = send_control(&sandbox, "POST", "/debits", body).await.0;
            }
            all
        };
        assert_eq!(send().await, [409; 2], "not presented yet");
        go_to(&sandbox, add_business_days(due, wait).unwrap());
        let read = async || [word(&mandates, &reference(SDD)).await, word(&mandates, &order()).await];
        assert_eq!(read().await, if wait == 0 { ["ISSUED", "pending"] } else { ["SETTLED", "captured"] });
        assert_eq!(send().await, [200; 2]);
        assert_eq!(send().await, [409; 2], "it has come back already");
        assert_eq!(read().await, [safedebit, easytransac]);
        assert_eq!(mandates.debit(&reference(SDD)).await.unwrap().status, status);
        // Neither vendor documents that its word excludes a return by the bank, so a one-off mandate is not free again.
        for debit in [reference(SDD), order()] {
            assert_ne!(mandates.debit(&debit).await.unwrap().one_off_used(Sequence::OneOff), Some(false));
        }

        // The notification verifies, and has the reason of the bank.
        let body = sandbox.notification(&tid).unwrap();
        assert!(verify_notification(body.as_bytes(), &[crate::support::KEY]).is_ok());
        let told = Debit::from(&serde_json::from_str::<Notification>(&body).unwrap());
        assert_eq!((&told.reference, told.raw.as_str(), told.status), (&tid, easytransac, status));
        let reason = change["return"].as_str().map(ReasonCode::from);
        assert_eq!((told.reason, told.amount), (reason, Some(AmountCents::from_cents(4990))));
        assert_eq!(sandbox.notification(&reference(SDD)), None);

        let all = control(&sandbox, "GET", "/debits", None).await;
        let listed = all.as_array().unwrap().iter().find(|one| one["debit"] == json!(reference(SDD))).unwrap();
        assert_eq!((&listed["word"], &listed["due"]), (&json!(safedebit), &json!(due)));
        assert_eq!(listed["reason"], *change.get("return").unwrap_or(&Value::Null));
    }
}

/// The sandbox returns a debit until the last day of the SEPA period, and not later.
#[tokio::test]
async fn debit_is_returned_only_within_the_period_of_its_reason() {
    let (sandbox, mandates) = started().await;
    let due = first_due(&sandbox);
    let periods = finality(due, Scheme::Core, sandbox.now());
    for (reason, last) in [
        (ReasonCode::AM04, periods.returnable_until),
        (ReasonCode::MD06, periods.refundable_until.unwrap()),
        (ReasonCode::MD01, periods.contestable_until),
    ] {
        for sdd in ["in-time", "late"] {
            sandbox.reset();
            debit(&mandates, Sandbox::CONSUMER, sdd, due).await.unwrap();
            go_to(&sandbox, last);
            if sdd == "late" {
                sandbox.advance(DAY);
            }
            let returned = sandbox.return_debit(&reference(sdd), reason.clone());
            assert_eq!(returned.is_ok(), sdd == "in-time", "{reason:?}");
            assert_eq!(word(&mandates, &reference(sdd)).await, if sdd == "late" { "SETTLED" } else { "RETURNED" });
        }
    }
}

#[tokio::test]
async fn debit_set_to_any_word_is_read_with_that_word() {
    let (sandbox, mandates) = started().await;
    debit(&mandates, Sandbox::CONSUMER, SDD, first_due(&sandbox)).await.unwrap();
    for set in ["REJECTED", "CREDITED", "on_the_moon"] {
        sandbox.edit_record(Provider::SafeDebit, "debits", SDD, |record| record["status"] = set.into()).unwrap();
        assert_eq!(word(&mandates, &reference(SDD)).await, set);
        sandbox.advance(40 * DAY);
        assert_eq!(word(&mandates, &reference(SDD)).await, set);
    }
    let created = debit_at_easytransac(&sandbox, MANDATE, "order-2").await;
    let path = format!("/state/easytransac/transactions/{}", created["tid"].as_str().unwrap());
    control(&sandbox, "PATCH", &path, json!({"status": "refunded"})).await;
    assert_eq!(word(&mandates, &order()).await, "refunded");
}

#[tokio::test]
async fn one_off_mandate_takes_one_debit_that_was_not_rejected() {
    let (sandbox, mandates) = started().await;
    let request = mandates.safedebit().unwrap().create_mandate().body_map(|body| {
        body.safedebit_consumer_reference(Sandbox::CONSUMER)
            .url_ok("https://example.com/ok")
            .url_ko("https://example.com/ko")
            .url_cancel("https://example.com/cancel")
            .umr("RUM-ONCE")
            .sequence_type("OOFF")
    });
    request.send().await.unwrap();
    sandbox.sign(&MandateRef::safedebit("RUM-ONCE")).unwrap();
    let due = first_due(&sandbox);
    debit(&mandates, "RUM-ONCE", "one", due).await.unwrap();
    assert_eq!(debit(&mandates, "RUM-ONCE", "two", due).await.unwrap_err().kind(), ErrorKind::Refused);
    go_to(&sandbox, due);
    sandbox.return_debit(&DebitRef::safedebit("RUM-ONCE", "one"), ReasonCode::AM04).unwrap();
    let due = first_due(&sandbox);
    debit(&mandates, "RUM-ONCE", "two", due).await.unwrap();
    go_to(&sandbox, add_business_days(due, 1).unwrap());
    sandbox.return_debit(&DebitRef::safedebit("RUM-ONCE", "two"), ReasonCode::AM04).unwrap();
    let due = first_due(&sandbox);
    assert_eq!(debit(&mandates, "RUM-ONCE", "three", due).await.unwrap_err().kind(), ErrorKind::Refused);
}

#[tokio::test]
async fn error_about_a_control_request_for_a_debit_names_the_mistake() {
    let (sandbox, _) = started().await;
    for (body, status, said) in [
        (json!({"debit": "safedebit:umr=RUM-1/sdd=SDD-1", "return": "AM04"}), 404, "no such debit"),
        (json!({"debit": reference(Sandbox::CONSUMER)}), 400, "send exactly one of return, refund"),
        (json!({"debit": reference(Sandbox::CONSUMER), "return": 4}), 400, "not valid"),
        (json!({"debit": "SDD-1", "refund": true}), 400, "not valid"),
        // A transfer is no debit.
        (json!({"debit": "easytransac:tid=ABC1-ABC1-ABC1", "refund": true}), 404, "no such debit"),
    ] {
        let (answered, answer) = send_control(&sandbox, "POST", "/debits", body).await;
        assert_eq!(answered, status, "{answer}");
        assert!(answer["error"].as_str().unwrap().contains(said), "{answer}");
    }
}

/// The client of this crate sends none of these values, so the test sends them over HTTP.
#[tokio::test]
async fn strict_vendor_refuses_wrong_ibans_and_umrs_over_http() {
    let (sandbox, _) = started().await;
    let edit = |body: Value| {
        let url = format!("{}/edit_mandate", sandbox.base_url(Provider::SafeDebit));
        let request = CLIENT.post(url).basic_auth("sandbox", Some("sandbox-password"));
        let request = request.header("content-type", "application/json").body(body.to_string());
        async { serde_json::from_slice::<Value>(&request.send().await.unwrap().bytes().await.unwrap()).unwrap() }
    };
    for iban in
        ["FR7730001007941234567890185", "GB00HLFX11016111455365", "GB01BARC20714583608387", "US64SVBKUS6S3300958879"]
    {
        let answer = edit(json!({"umr": Sandbox::CONSUMER, "iban": iban})).await;
        assert_eq!(answer["code"], "SANDBOX_001", "{answer}");
        assert!(!answer.to_string().contains(iban), "{answer}");
    }
    assert_eq!(edit(json!({"umr": Sandbox::CONSUMER, "iban": crate::support::IBAN})).await["result"], true);
    for umr in ["RUM\n1", "RUM\u{200f}1", "RUM-é", " RUM", "RUM ", "RUM//1"] {
        let url = format!("{}/create_mandate", sandbox.base_url(Provider::SafeDebit));
        let body = json!({"safedebit_consumer_reference": Sandbox::CONSUMER, "umr": umr, "url_ok": "https://a.fr",
            "url_ko": "https://a.fr", "url_cancel": "https://a.fr"});
        let request = CLIENT.post(url).basic_auth("sandbox", Some("sandbox-password"));
        let request = request.header("content-type", "application/json").body(body.to_string());
        let answer = request.send().await.unwrap().bytes().await.unwrap();
        let answer: Value = serde_json::from_slice(&answer).unwrap();
        assert_eq!(answer["code"], "SANDBOX_001", "{umr:?}");
    }
    assert_eq!(sandbox.mandates_at(Provider::SafeDebit), 1);
}

#[tokio::test]
async fn signing_page_names_the_creditor_and_the_kind_of_mandate() {
    let (sandbox, mandates) = started().await;
    let safedebit = mandates.safedebit().unwrap();
    let page = |link: String, language: &'static str| async move {
        CLIENT.get(format!("{link}?lang={language}")).send().await.unwrap().text().await.unwrap()
    };
    let _ = &sandbox;
    for (word, en, fr) in [("RCUR", "recurring", "récurrent"), ("OOFF", "one-off", "ponctuel")] {
        let request = safedebit.create_mandate().body_map(|body| {
            body.safedebit_consumer_reference(Sandbox::CONSUMER)
                .url_ok("https://example.com/ok")
                .url_ko("https://example.com/ko")
                .url_cancel("https://example.com/cancel")
                .sequence_type(word)
        });
        let link = serde_json::to_value(request.send().await.unwrap()).unwrap()["signature_url"].take();
        for (language, kind) in [("en", en), ("fr", fr)] {
            let html = page(link.as_str().unwrap().to_owned(), language).await;
            for shown in
                ["<dd>FR76 •••• 0185</dd>", "<dd>Sandbox SAS, ICS FR72ZZZ123456</dd>", &format!("<dd>{kind}</dd>")]
            {
                assert!(html.contains(shown), "{shown}: {html}");
            }
            assert!(!html.contains(word), "{html}");
        }
    }
    let request = safedebit.initiate_transfer().body_map(|body| {
        body.safedebit_consumer_reference(Sandbox::CONSUMER)
            .payment_reference("PAY-1")
            .amount(AmountCents::from_cents(123_456))
            .url_ok("https://example.com/ok")
    });
    let link = serde_json::to_value(request.send().await.unwrap()).unwrap()["link"].take();
    let html = page(link.as_str().unwrap().to_owned(), "fr").await;
    assert!(html.contains("<dd>1 234,56 €</dd>"), "{html}");
}

/// The crate removes the blanks, so the vendor and the reference have the same UMR.
#[tokio::test]
async fn mandate_with_blanks_around_its_umr_is_read_back() {
    let (sandbox, mandates) = started().await;
    let request = mandates.safedebit().unwrap().create_mandate().body_map(|body| {
        body.safedebit_consumer_reference(Sandbox::CONSUMER)
            .url_ok("https://example.com/ok")
            .url_ko("https://example.com/ko")
            .url_cancel("https://example.com/cancel")
            .umr(" RUM-1\u{a0}")
    });
    request.send().await.unwrap();
    for reference in [MandateRef::safedebit("RUM-1"), MandateRef::safedebit(" RUM-1 ")] {
        assert_eq!(mandates.status(&reference).await.unwrap().reference.id(), "RUM-1");
        assert!(sandbox.record(&reference).is_some());
    }
}
