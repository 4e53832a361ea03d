//! A debit is read with its state, and money is never reported as safer than the vendor's response says.

use crate::{
    snapshot,
    support::{IBAN, day},
    traces::Log,
};
use chrono::{DateTime, Days, TimeDelta, Utc};
use mandat::{
    Debit, DebitRef, DebitSource, DebitStatus, ErrorKind, Evidence, MandateRef, Provider,
    safedebit::types::SddReference,
    sandbox::{Sandbox, ScriptedResponse},
    sepa::{ReasonCode, Scheme, Sequence, Stage, finality},
    wire::AmountCents,
};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::fmt::Write;

const UMR: &str = "RUM-1";

fn sdd() -> DebitRef {
    DebitRef::safedebit(UMR, "SDD-1")
}

/// Reads the debit of a vendor whose next response is this one.
async fn read(reference: &DebitRef, body: Value) -> Result<Debit, mandat::Error> {
    let sandbox = Sandbox::start().await.unwrap();
    let operation = match reference.provider() {
        Provider::Easytransac => "get_transaction_status",
        _ => "search_payment",
    };
    sandbox.script(reference.provider(), operation, [ScriptedResponse::new(200, body)]).unwrap();
    sandbox.mandates().debit(reference).await
}

fn transaction(data: Value) -> Value {
    json!({"success": true, "date": "2026-11-20T12:00:00+01:00", "data": data})
}

/// A response to `search_payment` with this debit.
fn payments(debit: Value) -> Value {
    json!({"result": true, "datas": [{"payment_reference": "PAY-1", "umr": UMR, "sdd": [debit]}]})
}

/// Makes a reading of a debit at SafeDebit from JSON.
fn reading(status: DebitStatus, source: DebitSource, due: Option<&str>, observed_at: DateTime<Utc>) -> Debit {
    let debit = json!({
        "reference": "safedebit:umr=RUM-1/sdd=SDD-1", "status": status, "raw": "X", "evidence": "Documented",
        "due": due, "observed_at": observed_at, "source": source, "extra": {},
    });
    serde_json::from_value(debit).unwrap()
}

#[test]
fn vocabulary_of_debits_matches_the_snapshot() {
    let mut table = String::from("vendor | raw | status | evidence\n");
    for row in mandat::debit_vocabulary() {
        writeln!(table, "{} | {} | {} | {}", row.provider.name(), row.raw, row.status, row.evidence).unwrap();
    }
    snapshot!("debit_vocabulary", table);
}

#[tokio::test]
async fn each_word_is_read_as_the_table_says() {
    for row in mandat::debit_vocabulary() {
        let debit = match row.provider {
            Provider::Easytransac => {
                let data = json!({"tid": "T-1", "status": row.raw, "amount": 1250, "orderId": "order-1"});
                read(&DebitRef::easytransac("T-1"), transaction(data)).await
            }
            _ => read(&sdd(), payments(json!({"sdd_reference": "SDD-1", "status": row.raw, "amount": "1250"}))).await,
        };
        let debit = debit.unwrap();
        assert_eq!((debit.status, debit.evidence, debit.raw.as_str()), (row.status, row.evidence, row.raw.as_str()));
        assert_eq!((debit.amount, debit.source), (Some(AmountCents::from_cents(1250)), DebitSource::Read));
    }
}

#[tokio::test]
async fn unknown_word_is_unrecognized_and_kept() {
    for (reference, body) in [
        (DebitRef::easytransac("T-1"), transaction(json!({"tid": "T-1", "status": "lost"}))),
        (sdd(), payments(json!({"sdd_reference": "SDD-1", "status": "lost"}))),
    ] {
        let debit = read(&reference, body).await.unwrap();
        assert_eq!((debit.status, debit.raw.as_str()), (DebitStatus::Unrecognized, "lost"));
        assert_eq!((debit.amount, debit.finality(Scheme::Core, Utc::now())), (None, None));
    }
}

#[tokio::test]
async fn unknown_word_is_logged_once_and_without_personal_data() {
    let sandbox = Sandbox::start().await.unwrap();
    let (mandates, log) = (sandbox.mandates(), Log::listen());
    for word in ["lost", "lost", IBAN] {
        let body = payments(json!({"sdd_reference": "SDD-1", "status": word}));
        sandbox.script(Provider::SafeDebit, "search_payment", [ScriptedResponse::new(200, body)]).unwrap();
        mandates.debit(&sdd()).await.unwrap();
    }
    let text = log.text();
    assert_eq!(text.matches("unknown debit status: report it to the maintainers of mandat").count(), 2, "{text}");
    assert!(text.contains("lost") && !text.contains(IBAN), "{text}");
}

#[tokio::test]
async fn debit_of_safedebit_is_followed_from_creation_to_cancellation() {
    let sandbox = Sandbox::start().await.unwrap();
    let (mandates, umr) = (sandbox.mandates(), Sandbox::CONSUMER);
    let client = mandates.safedebit().unwrap();
    let request = client.payment().body_map(|body| {
        body.amount(AmountCents::from_cents(1250))
            .due_date("02/01/2030")
            .sdd_reference("SDD-1")
            .umr(umr)
            .safedebit_consumer_reference(Sandbox::CONSUMER)
    });
    let created = Debit::from((umr, request.send().await.unwrap().answer()));
    assert_eq!((created.status, created.source), (DebitStatus::Scheduled, DebitSource::Created));
    assert_eq!(created.finality(Scheme::Core, sandbox.now()), None);

    let debit = mandates.debit(&created.reference).await.unwrap();
    assert_eq!((debit.status, debit.source), (DebitStatus::Scheduled, DebitSource::Read));
    assert_eq!((debit.amount, debit.due), (Some(AmountCents::from_cents(1250)), Some(day("2030-01-02"))));
    assert_eq!(debit.finality(Scheme::Core, sandbox.now()).unwrap().stage, Stage::NotDue);

    let canceled = client
        .cancel_sdd_batch()
        .body_map(|body| body.sdds(vec![SddReference::try_from("SDD-1").unwrap()]))
        .send()
        .await
        .unwrap();
    let canceled = Debit::from((umr, &canceled.sdds[0]));
    assert_eq!((canceled.status, canceled.source), (DebitStatus::Canceled, DebitSource::Changed));
    let debit = mandates.debit(&created.reference).await.unwrap();
    assert_eq!((&debit.reference, debit.status), (&canceled.reference, DebitStatus::Canceled));

    let missing = mandates.debit(&DebitRef::safedebit(umr, "SDD-2")).await.unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NotFound);
    assert!(missing.to_string().contains("The debit may still exist"), "{missing}");
}

#[tokio::test]
async fn transaction_is_read_by_tid_or_by_order_id() {
    let sandbox = Sandbox::start().await.unwrap();
    let mandates = sandbox.mandates();
    for reference in [DebitRef::easytransac("ABC1-ABC1-ABC1"), DebitRef::easytransac_order("order-1")] {
        let debit = mandates.debit(&reference).await.unwrap();
        assert_eq!((debit.status, debit.due), (DebitStatus::Collected, None));
        assert_eq!(debit.amount, Some(AmountCents::from_cents(1000)));
        assert!(debit.created.unwrap().get().is_some());
    }
    let error = mandates.debit(&DebitRef::easytransac("T-2")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[cfg(feature = "unverified")]
#[tokio::test]
async fn debit_of_easytransac_is_read_back_after_its_creation() {
    let sandbox = Sandbox::start().await.unwrap();
    let mandates = sandbox.mandates();
    let request = mandates.easytransac().unwrap().debit_mandate().mandate_id("abcabcabcabcabcabc12");
    let amount = AmountCents::from_euros(12, 50).unwrap();
    let created = request.body_map(|body| body.amount(amount).order_id("order-2")).send().await.unwrap();
    let created = Debit::from(created.answer());
    assert_eq!((created.amount, created.source), (Some(amount), DebitSource::Created));
    assert_eq!(created.one_off_used(Sequence::OneOff), Some(true));
    for reference in [created.reference, DebitRef::easytransac_order("order-2")] {
        let debit = mandates.debit(&reference).await.unwrap();
        assert_eq!((debit.amount, debit.source), (Some(amount), DebitSource::Read));
    }
}

#[tokio::test]
async fn response_about_another_debit_is_a_decode_error() {
    let easytransac = DebitRef::easytransac("T-1");
    for (reference, body, looked_for) in [
        (&easytransac, transaction(json!({"tid": "T-2", "status": "captured"})), "tid"),
        (&easytransac, transaction(json!({"tid": "T-1"})), "`status` is missing"),
        (
            &DebitRef::easytransac_order("order-1"),
            transaction(json!({"tid": "T-1", "status": "captured"})),
            "data.orderId is missing",
        ),
        (&sdd(), payments(json!({"sdd_reference": "SDD-1"})), "the status of the debit is missing"),
        (&sdd(), payments(json!({"status": "SETTLED"})), "`sdd_reference` is missing"),
        (&sdd(), json!({"result": true, "datas": [{"payment_reference": "PAY-1"}]}), "datas[0].sdd is missing"),
        (&sdd(), json!({"result": true}), "`datas` is missing"),
        (&sdd(), json!({"result": true, "datas": null}), "`datas` is not a list"),
        (
            &DebitRef::safedebit("RUM-2", "SDD-1"),
            payments(json!({"sdd_reference": "SDD-1", "status": "SETTLED"})),
            "the umr of the payment differs",
        ),
    ] {
        let error = read(reference, body).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Decode, "{error}");
        assert!(error.to_string().contains(looked_for), "{looked_for}: {error}");
    }
}

#[tokio::test]
async fn unread_amount_and_due_date_stay_in_extra() {
    let body = json!({
        "sdd_reference": "SDD-1", "status": "SETTLED", "amount": "12,50", "due_date": "soon", "bank": "A",
    });
    let debit = read(&sdd(), payments(body)).await.unwrap();
    assert_eq!((debit.amount, debit.due), (None, None));
    let kept = ["amount", "due_date", "bank"].map(|key| debit.extra[key].as_str().unwrap().to_owned());
    assert_eq!(kept, ["12,50", "soon", "A"]);
}

#[tokio::test]
async fn reason_of_a_bank_is_one_known_code_of_an_ended_debit() {
    let reason = async |fields: Value| {
        let mut debit = json!({"sdd_reference": "SDD-1", "status": "RETURNED"});
        fields.as_object().unwrap().iter().for_each(|(key, value)| debit[key] = value.clone());
        read(&sdd(), payments(debit)).await.unwrap().reason
    };
    assert_eq!(reason(json!({"reject_code": "AM04", "bank": "A"})).await, Some(ReasonCode::AM04));
    assert_eq!(reason(json!({"reject_code": "MD01", "code": "MD01"})).await, Some(ReasonCode::MD01));
    for none in [
        json!({}),
        json!({"reject_code": "AM04", "code": "MD01"}),
        json!({"reject_code": "ZZ42"}),
        json!({"text": "insufficient funds (AM04)"}),
        json!({"status": "SETTLED", "reject_code": "AM04"}),
    ] {
        assert_eq!(reason(none.clone()).await, None, "{none}");
    }
}

#[test]
fn amounts_of_a_cancelled_order_are_euros() {
    let read = |amount: &str| {
        let sdd =
            json!({"sdd_reference": "SDD-1", "sdd_status": "TOREMBOURSE", "amount": amount, "due_date": "02/01/2030"});
        let sdd: mandat::safedebit::types::OrderSdd = serde_json::from_value(sdd).unwrap();
        Debit::from((UMR, &sdd))
    };
    let debit = read("3.33");
    assert_eq!((debit.status, debit.source), (DebitStatus::RefundDue, DebitSource::Changed));
    assert_eq!((debit.amount, debit.due), (Some(AmountCents::from_cents(333)), Some(day("2030-01-02"))));
    // 333 may be cents.
    assert_eq!(read("333").amount, None);
}

#[test]
fn validated_debit_carries_its_status() {
    let answer = json!({"sdd_reference": "SDD-1", "amount": "1250", "due_date": "02/01/2030", "status": "CREATED"});
    let answer: mandat::safedebit::types::ValidatedSdd = serde_json::from_value(answer).unwrap();
    let debit = Debit::from((UMR, &answer));
    assert_eq!((debit.reference, debit.status, debit.source), (sdd(), DebitStatus::Scheduled, DebitSource::Changed));
}

#[test]
fn notification_is_a_hint_and_a_chargeback_is_a_return() {
    let notified = |fields: Value| {
        let mut notice =
            json!({"Tid": "T-1", "Status": "captured", "Amount": "18.00", "Currency": "EUR", "Signature": "x"});
        fields.as_object().unwrap().iter().for_each(|(key, value)| notice[key] = value.clone());
        Debit::from(&serde_json::from_value::<mandat::easytransac::types::Notification>(notice).unwrap())
    };
    let debit = notified(json!({}));
    assert_eq!((debit.reference, debit.status), (DebitRef::easytransac("T-1"), DebitStatus::Collected));
    assert_eq!((debit.amount, debit.source), (Some(AmountCents::from_cents(1800)), DebitSource::Notified));
    assert_eq!(notified(json!({"Currency": "CHF"})).amount, None);
    let (date, blank) = ("2026-11-20 12:00:00", "");
    for (fields, status) in [
        (json!({"DateChargeback": blank}), DebitStatus::Collected),
        (json!({"DateChargeback": date}), DebitStatus::Returned),
        (json!({"DateChargeback": date, "DateRepresentment": date}), DebitStatus::Unrecognized),
        (json!({"DateRefund": date}), DebitStatus::Refunded),
        (json!({"Status": "failed"}), DebitStatus::Failed),
    ] {
        assert_eq!(notified(fields.clone()).status, status, "{fields}");
    }
    let failed = notified(json!({"Status": "failed", "Error": "refused", "AdditionalError": ["MS02"]}));
    assert_eq!(failed.reason, Some(ReasonCode::MS02));
    assert!(!format!("{failed:?}").contains("refused"));
}

#[test]
fn money_is_final_only_in_a_reading_after_all_periods() {
    let (due, at) = ("2027-03-25", |day: &str| format!("{day}T12:00:00Z").parse::<DateTime<Utc>>().unwrap());
    let stage = |status, source, read: &str, now: &str| {
        reading(status, source, Some(due), at(read)).finality(Scheme::Core, at(now)).map(|finality| finality.stage)
    };
    use DebitSource::{Changed, Created, Notified, Read};
    use DebitStatus::{Collected, PaidOut, Scheduled, Submitted};
    let later = "2031-01-01";
    for (status, source, read, now, wanted) in [
        (Collected, Read, "2027-03-26", "2027-03-26", Some(Stage::Returnable)),
        (Collected, Read, "2027-04-06", "2027-04-06", Some(Stage::Refundable)),
        (PaidOut, Changed, "2027-06-01", later, Some(Stage::Contestable)),
        (PaidOut, Read, later, later, Some(Stage::Final)),
        // The debit can have gone back since the reading.
        (Collected, Read, "2027-03-26", later, Some(Stage::Returnable)),
        // The clock is wrong: the reading is later than now. No money is final then.
        (Collected, Read, later, "2027-03-26", Some(Stage::Returnable)),
        // The vendor does not say that the bank has the debit, or that money moved.
        (Scheduled, Read, later, later, Some(Stage::NotDue)),
        (Submitted, Read, later, later, Some(Stage::Returnable)),
        (Collected, Created, later, later, None),
        (Collected, Notified, later, later, None),
    ] {
        assert_eq!(stage(status, source, read, now), wanted, "{status} {read} {now}");
    }
    let mut inferred = reading(Collected, Read, Some(due), at(later));
    inferred.evidence = Evidence::Inferred;
    assert_eq!(inferred.finality(Scheme::Core, at(later)).unwrap().stage, Stage::Contestable);
    assert_eq!(reading(Collected, Read, None, at(later)).finality(Scheme::Core, at(later)), None);
    let days = reading(Collected, Read, Some(due), at(later)).finality(Scheme::B2b, at(later)).unwrap();
    assert_eq!((days.refundable_until, days.contestable_until), (None, day("2028-04-25")));
}

proptest! {
    #[test]
    fn no_reading_is_more_final_than_the_rules_at_its_time(
        status in prop::sample::select(DebitStatus::ALL),
        source in prop::sample::select(DebitSource::ALL),
        (read, now) in (0_i64..900, 0_i64..900),
        b2b in any::<bool>(),
    ) {
        let (due, scheme) = (day("2027-03-25"), if b2b { Scheme::B2b } else { Scheme::Core });
        let after = |days| (due - Days::new(60)).and_hms_opt(12, 0, 0).unwrap().and_utc() + TimeDelta::days(days);
        let debit = reading(status, source, Some("2027-03-25"), after(read));
        let money = matches!(status, DebitStatus::Collected | DebitStatus::PaidOut);
        match debit.finality(scheme, after(now)) {
            Some(found) => {
                let rules = finality(due, scheme, after(read.min(now)));
                prop_assert!(found.stage <= rules.stage && (money || found.stage <= Stage::Returnable));
                prop_assert_eq!(found.contestable_until, rules.contestable_until);
            }
            None => prop_assert!(!money || matches!(source, DebitSource::Created | DebitSource::Notified)),
        }
    }

    #[test]
    fn references_of_debits_round_trip_through_text_and_json(one in ".{1,35}", two in ".{1,35}") {
        for reference in
            [DebitRef::easytransac(&one), DebitRef::easytransac_order(&one), DebitRef::safedebit(&one, &two)]
        {
            prop_assert_eq!(&reference.to_string().parse::<DebitRef>().unwrap(), &reference);
            let json = serde_json::to_string(&reference).unwrap();
            prop_assert_eq!(&serde_json::from_str::<DebitRef>(&json).unwrap(), &reference);
        }
    }
}

#[test]
fn text_forms_of_debits_and_mandates_differ() {
    assert_eq!(sdd().to_string(), "safedebit:umr=RUM-1/sdd=SDD-1");
    assert_eq!(DebitRef::safedebit("A/B=1", "50%").to_string(), "safedebit:umr=A%2FB=1/sdd=50%25");
    assert_eq!((sdd().part("umr"), sdd().part("sdd"), sdd().part("tid")), (Some("RUM-1"), Some("SDD-1"), None));
    for mandate in [
        MandateRef::easytransac("abcabcabcabcabcabc12"),
        MandateRef::safedebit("RUM/2026/42"),
        MandateRef::safedebit("RUM-2026-0042"),
    ] {
        assert!(mandate.to_string().parse::<DebitRef>().is_err(), "{mandate}");
    }
    for text in [
        "",
        "sdd=1",
        "stripe:tid=1",
        "easytransac:",
        "easytransac:tid",
        "easytransac:tid=",
        "easytransac:sdd=1",
        "safedebit:umr=1",
        "safedebit:sdd=1/umr=1",
        "safedebit:umr=1/sdd=2/sdd=3",
        "safedebit:umr=/sdd=1",
    ] {
        let error = text.parse::<DebitRef>().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{text}");
        assert!(error.to_string().contains("=<"), "{text}: {error}");
    }
    let shown = format!("{:?}", DebitRef::safedebit(IBAN, "SDD-1"));
    assert_eq!(shown, r#"DebitRef { provider: SafeDebit, umr: (27 bytes), sdd: "SDD-1" }"#);
}

#[test]
fn seqino_has_no_debits() {
    let error = "seqino:client_abc123/mdt_abc123".parse::<DebitRef>().unwrap_err();
    assert_eq!((error.kind(), error.provider()), (ErrorKind::NotApplicable, Some(Provider::Seqino)));
    assert_eq!(error.to_string(), "Seqino PDP: not applicable: this vendor has no debits");
}

#[tokio::test]
async fn empty_reference_is_refused_before_a_request() {
    let sandbox = Sandbox::start().await.unwrap();
    for reference in [DebitRef::safedebit("", "SDD-1"), DebitRef::safedebit("RUM-1", ""), DebitRef::easytransac("")] {
        let error = sandbox.mandates().debit(&reference).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest);
        assert_eq!(sandbox.mandates().probe(&reference).await.unwrap_err().kind(), ErrorKind::InvalidRequest);
    }
    assert!(sandbox.requests().is_empty());
}

#[tokio::test]
async fn probe_compares_the_response_of_a_debit_with_the_spec() {
    let sandbox = Sandbox::start().await.unwrap();
    for (reference, operation) in [
        (DebitRef::easytransac("ABC1-ABC1-ABC1"), "get_transaction_status"),
        (DebitRef::safedebit(Sandbox::CONSUMER, Sandbox::CONSUMER), "search_payment"),
    ] {
        let probe = sandbox.mandates().probe(&reference).await.unwrap();
        assert!(probe.matches() && probe.operation == operation, "{probe}");
    }
}

#[test]
fn one_off_mandate_is_used_by_a_debit_that_did_not_fail() {
    use DebitSource::{Created, Read};
    let used = |status, source, sequence| reading(status, source, None, Utc::now()).one_off_used(sequence);
    for status in DebitStatus::ALL {
        assert_eq!(used(*status, Read, Sequence::Recurring), Some(false));
        let wanted = match status {
            DebitStatus::Failed | DebitStatus::Canceled => Some(false),
            DebitStatus::Unrecognized => None,
            _ => Some(true),
        };
        assert_eq!(used(*status, Read, Sequence::OneOff), wanted, "{status}");
        // Only the vendor's present state frees the mandate.
        assert_ne!(used(*status, Created, Sequence::OneOff), Some(false), "{status}");
        // A word whose meaning is inferred may also stand for a return by the bank.
        for evidence in [Evidence::WordDocumented, Evidence::Observed, Evidence::Inferred] {
            let mut debit = reading(*status, Read, None, Utc::now());
            debit.evidence = evidence;
            assert_ne!(debit.one_off_used(Sequence::OneOff), Some(false), "{status} {evidence:?}");
        }
    }
}

#[tokio::test]
async fn sequence_is_sent_in_the_words_of_the_vendor() {
    let sandbox = Sandbox::start().await.unwrap();
    let mandates = sandbox.mandates();
    for (sequence, word) in [(Sequence::OneOff, "OOFF"), (Sequence::Recurring, "RCUR")] {
        let request = mandates.safedebit().unwrap().search_mandate().umr("RUM-1").sequence_type(sequence);
        request.send().await.unwrap();
        assert_eq!(sandbox.requests().last().unwrap().parameters["sequence_type"], word);
        assert_eq!(serde_json::to_value(sequence).unwrap(), word);
    }
}

#[tokio::test]
async fn debit_round_trips_through_json_and_reads_words_of_a_newer_version() {
    let body = json!({
        "sdd_reference": "SDD-1", "status": "RETURNED", "amount": "1250", "due_date": "02/01/2030", "code": "AM04",
    });
    let debit = read(&sdd(), payments(body)).await.unwrap();
    let stored = serde_json::to_value(&debit).unwrap();
    assert_eq!((&stored["amount_cents"], &stored["reason"]), (&json!(1250), &json!("AM04")));
    assert_eq!(serde_json::from_value::<Debit>(stored.clone()).unwrap(), debit);
    // A word of a newer version.
    let mut newer = stored;
    newer["status"] = "Disputed".into();
    newer["source"] = "Guessed".into();
    let newer: Debit = serde_json::from_value(newer).unwrap();
    assert_eq!((newer.status, newer.source), (DebitStatus::Unrecognized, DebitSource::Created));
}
