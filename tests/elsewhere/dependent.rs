//! An example program that depends on the crate mandat. The change drill uses this program to show how a change of a
//! vendor reaches a user of the crate.

mod tomorrow;

use mandat::{Error, Mandate, MandateRef, Mandates};

/// Asks a debtor to sign a mandate at SafeDebit. Returns the reference of the mandate.
pub async fn sign_up(mandates: &Mandates, umr: &str, back: &str) -> Result<MandateRef, Error> {
    let request = mandates.safedebit()?.create_mandate().body_map(|body| {
        body.safedebit_consumer_reference("XXXXXXXXXXXXX")
            .url_ok(back)
            .url_ko("https://example.com/ko")
            .url_cancel("https://example.com/cancel")
            .umr(umr)
    });
    Ok(Mandate::from(&request.send().await?).reference)
}

/// Counts the mandates of a debtor at SafeDebit.
pub async fn of_debtor(mandates: &Mandates, consumer: &str) -> Result<usize, Error> {
    let found = mandates.safedebit()?.search_mandate().safedebit_consumer_reference(consumer).send().await?;
    Ok(found.datas.len())
}

/// Counts the documents of a debtor at SafeDebit.
pub async fn documents(mandates: &Mandates, consumer: &str) -> Result<usize, Error> {
    let found = mandates.safedebit()?.get_available_files().safedebit_consumer_reference(consumer).send().await?;
    Ok(found.data.len())
}

/// Makes Seqino transmit the data of a client each month.
pub async fn each_month(mandates: &Mandates, client: &str) -> Result<(), Error> {
    let request = mandates.seqino()?.set_periodicity().x_pdp_client_id(client);
    let request = request.body_map(|body| {
        body.vat_regime("simplified").transaction_periodicity("monthly").payment_periodicity("monthly")
    });
    request.send().await.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use mandat::{MandateStatus, sandbox::Sandbox};

    const BACK: &str = "https://example.com/ok";

    #[tokio::test]
    async fn debtor_is_asked_for_a_mandate() {
        let sandbox = Sandbox::start().await.unwrap();
        let mandates = sandbox.mandates();
        let before = of_debtor(&mandates, Sandbox::CONSUMER).await.unwrap();
        let reference = sign_up(&mandates, "RUM-2026-0042", BACK).await.unwrap();
        sandbox.sign(&reference).unwrap();
        assert_eq!(mandates.status(&reference).await.unwrap().status, MandateStatus::Active);
        assert_eq!(of_debtor(&mandates, Sandbox::CONSUMER).await.unwrap(), before + 1);
        assert_ne!(documents(&mandates, Sandbox::CONSUMER).await.unwrap(), 0);
    }

    #[tokio::test]
    async fn return_url_of_256_characters_is_accepted() {
        let sandbox = Sandbox::start().await.unwrap();
        let back = format!("{BACK}?{}", "x".repeat(256 - BACK.len() - 1));
        let signed_up = sign_up(&sandbox.mandates(), "RUM-2026-0042", &back).await;
        assert!(signed_up.is_ok(), "{}; calls: {}", signed_up.unwrap_err(), sandbox.count("create_mandate"));
    }

    #[tokio::test]
    async fn monthly_transmission_is_accepted() {
        let sandbox = Sandbox::start().await.unwrap();
        let set = each_month(&sandbox.mandates(), Sandbox::CLIENT).await;
        assert!(set.is_ok(), "{}; calls: {}", set.unwrap_err(), sandbox.count("set_periodicity"));
    }

    async fn mandate_with_a_future_word(sandbox: &Sandbox) -> MandateRef {
        let entry = mandat::seqino::types::DirectoryEntry::builder().siren("123456789").name("Acme Corporation");
        let mandates = sandbox.mandates();
        let request = mandates.seqino().unwrap().create_mandate().x_pdp_client_id(Sandbox::CLIENT);
        let request = request.body_map(|body| body.start_date(sandbox.now()).directory_entry(entry));
        let reference = Mandate::try_from(&request.send().await.unwrap()).unwrap().reference;
        sandbox.answer(&reference, "rejected").unwrap();
        reference
    }

    #[tokio::test]
    async fn unknown_status_word_is_read_as_unrecognized() {
        let sandbox = Sandbox::start().await.unwrap();
        let reference = mandate_with_a_future_word(&sandbox).await;
        let mandate = tomorrow::look(&sandbox.mandates(), &reference).await.unwrap();
        assert_eq!((mandate.status, mandate.raw.as_str()), (MandateStatus::Unrecognized, "rejected"));
    }

    #[tokio::test]
    async fn unknown_status_word_has_the_meaning_that_the_caller_maps_it_to() {
        let sandbox = Sandbox::start().await.unwrap();
        let reference = mandate_with_a_future_word(&sandbox).await;
        let mandates = tomorrow::with_our_words(sandbox.builder()).build().unwrap();
        assert_eq!(mandates.status(&reference).await.unwrap().status, MandateStatus::Invalid);
    }
}
