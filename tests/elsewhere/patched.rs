//! A program with its own patches of three vendors. The drill runs it.

use mandat::{
    DebitStatus, Evidence, MandateRef, MandateStatus, Mandates, SpecOrigin, easytransac, safedebit, sandbox::Sandbox,
    seqino, spec_versions,
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sandbox = Sandbox::start().await?;
    let mandates = sandbox.mandates();
    assert!(spec_versions().iter().all(|version| matches!(version.origin, SpecOrigin::Patched(_))));

    // A new word, with its meaning.
    let reference = MandateRef::seqino(Sandbox::CLIENT, "mdt_abc123");
    sandbox.set_status(&reference, MandateStatus::Suspended)?;
    let mandate = mandates.status(&reference).await?;
    assert_eq!((mandate.raw.as_str(), mandate.evidence), ("paused", Evidence::Observed));
    let rows = mandat::vocabulary();
    let row = rows.iter().find(|row| row.raw == "paused").ok_or("no row")?;
    assert_eq!(row.observed_on, "2026-11-27".parse().ok());

    // A new operation, and a new required field of a request.
    let language = mandates.seqino()?.get_language().send().await?;
    assert_eq!(language.language.as_deref(), Some("fr"));
    let without = periodicity(&mandates, None).await.unwrap_err().to_string();
    assert!(without.contains("`first_month` is missing"), "{without}");
    periodicity(&mandates, Some(1)).await?;

    // New words of an event and of a debit.
    assert_eq!(seqino::types::WebhookEventType::MandateSuspended.as_str(), "mandate.suspended");
    assert_eq!(safedebit::types::PaymentStatus::Declined.as_str(), "DECLINED");
    assert_eq!(easytransac::types::TransactionStatus::Disputed.as_str(), "disputed");
    let rows = mandat::debit_vocabulary();
    let row = rows.iter().find(|row| row.raw == "disputed").ok_or("no row")?;
    assert_eq!((row.status, row.evidence), (DebitStatus::Returned, Evidence::Observed));

    // A new optional field.
    let reference = MandateRef::easytransac("abcabcabcabcabcabc12");
    sandbox.edit(&reference, |record| record["signed"] = true.into())?;
    let answer = mandates.easytransac()?.get_mandate_status().mandate_id(reference.id()).send().await?;
    assert_eq!(answer.data.signed, Some(true.into()));

    // Two keys with new names: the field, the facade and the sandbox follow.
    let reference = MandateRef::safedebit("XXXXXXXXXXXXX");
    let report = mandates.probe(&reference).await?;
    assert!(report.matches() && report.shape.contains_key("data[].rum"), "{report}");
    assert_eq!(mandates.status(&reference).await?.status, MandateStatus::Active);
    let found = mandates.safedebit()?.search_mandate().umr(reference.id()).send().await?;
    assert_eq!(found.datas.first().map(|mandate| mandate.umr.as_str()), Some(reference.id()));

    println!("patched");
    Ok(())
}

async fn periodicity(mandates: &Mandates, first_month: Option<i64>) -> Result<(), mandat::Error> {
    let request = mandates.seqino()?.set_periodicity().x_pdp_client_id(Sandbox::CLIENT).body_map(|body| {
        let body = body.vat_regime("simplified").transaction_periodicity("monthly").payment_periodicity("monthly");
        match first_month {
            Some(month) => body.first_month(month),
            None => body,
        }
    });
    request.send().await.map(drop)
}
