//! Follows mandates at three vendors from their creation to their end, with `Mandates`.
//!
//! Run the example with `cargo run --example quickstart`. The example needs no account and no network, because the
//! sandbox simulates the vendors on loopback.

use chrono::{Days, NaiveDate, TimeDelta};
use mandat::{
    Debit, Facts, LastCollection, Lookup, Mandate, MandateRef, Mandates, Purpose,
    safedebit::types::PaymentRequest,
    sandbox::Sandbox,
    wire::{AmountCents, DateTime},
};
use std::{error::Error, io::Write, time::Duration};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let sandbox = Sandbox::start().await?;
    run(&sandbox, &mut std::io::stdout()).await
}

/// Prints one line for each call of `Mandates::status`, after each change in the sandbox.
pub async fn run(sandbox: &Sandbox, out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    // In your own program: Mandates::builder().safedebit(safedebit::Config::new(base_url, login, password)).build()?
    let mandates = sandbox.mandates();
    let mut tour = Tour { sandbox, mandates: &mandates, out };

    // Easytransac collects money from a debtor by SEPA direct debit.
    let created = mandates
        .easytransac()?
        .create_mandate()
        .body_map(|body| {
            body.email("abc@abc.com")
                .lastname("ABCabc123")
                .iban("FR7630001007941234567890185")
                .address("ABCabc123")
                .zip_code("ABCabc123")
                .city("ABCabc123")
                .country("FRA")
        })
        .send()
        .await?;
    // The response to a creation proves no status. Store the reference of the mandate in one text column of your
    // database.
    let mandate = Mandate::from(&created).reference;
    tour.look("created", &mandate).await?;
    sandbox.sign(&mandate)?;
    tour.look("signed", &mandate).await?;
    sandbox.fail(&mandate)?;
    tour.look("failed", &mandate).await?;
    sandbox.answer(&mandate, "on_holiday")?;
    tour.look("an unknown word", &mandate).await?;

    // SafeDebit also collects money by SEPA direct debit. The debtor signs the mandate, and then you activate it.
    let created = mandates
        .safedebit()?
        .create_mandate()
        .body_map(|body| {
            body.safedebit_consumer_reference("XXXXXXXXXXXXX")
                .url_ok("https://xxxxx.xxx/ok")
                .url_ko("https://xxxxx.xxx/ko")
                .url_cancel("https://xxxxx.xxx/cancel")
                .umr("RUM-2026-0042")
                .status("6")
        })
        .send()
        .await?;
    let mandate = Mandate::from(&created).reference;
    tour.look("created", &mandate).await?;
    sandbox.sign(&mandate)?;
    tour.look("signed", &mandate).await?;
    sandbox.activate(&mandate)?;
    tour.look("activated", &mandate).await?;
    // Collect 12.50 euros, then read the debit.
    let body = PaymentRequest::builder().amount(AmountCents::from_cents(1250)).due_date("02/01/2030");
    let body = body.sdd_reference("SDD-2026-0042").umr(mandate.id()).safedebit_consumer_reference("XXXXXXXXXXXXX");
    let sent = mandates.safedebit()?.payment().body(body).send().await?;
    let debit = mandates.debit(&Debit::from((mandate.id(), sent.answer())).reference).await?;
    writeln!(tour.out, "Debit       {} is {} ({})", debit.reference, debit.status, debit.raw)?;
    sandbox.suspend(&mandate)?;
    tour.look("suspended", &mandate).await?;
    sandbox.revoke(&mandate)?;
    tour.look("revoked", &mandate).await?;
    sandbox.answer(&mandate, 9)?;
    tour.look("an unknown word", &mandate).await?;

    // Seqino PDP (now plateforme agréée, PA) handles e-invoices for a client.
    let seqino = mandates.seqino()?;
    let client_id = "client_abc123";
    let (starts, ends) = (sandbox.now() + TimeDelta::days(7), sandbox.now() + TimeDelta::days(365));
    let entry = mandat::seqino::types::DirectoryEntry::builder().siren("123456789").name("Acme Corporation");
    let request = seqino.create_mandate().x_pdp_client_id(client_id);
    let created = request
        .body_map(|body| body.start_date(starts).end_date(DateTime::from(ends)).directory_entry(entry))
        .send()
        .await?;
    let mandate = Mandate::try_from(&created)?.reference;
    tour.look("created", &mandate).await?;
    sandbox.sign(&mandate)?;
    tour.look("signed", &mandate).await?;
    sandbox.verify(&mandate)?;
    tour.look("verified, starts in a week", &mandate).await?;
    sandbox.advance(Duration::from_secs(8 * 24 * 3600));
    tour.look("a week later", &mandate).await?;
    seqino.update_client().client_id(client_id).body_map(|body| body.status("suspended")).send().await?;
    tour.look("its client suspended", &mandate).await?;
    seqino.update_client().client_id(client_id).body_map(|body| body.status("active")).send().await?;
    sandbox.advance(Duration::from_secs(400 * 24 * 3600));
    tour.look("past its end", &mandate).await?;
    sandbox.expire(&mandate)?;
    tour.look("expired", &mandate).await?;
    sandbox.fail(&mandate)?;
    tour.look("failed", &mandate).await?;
    sandbox.answer(&mandate, "on_holiday")?;
    tour.look("an unknown word", &mandate).await?;
    seqino.revoke_mandate().mandate_id(mandate.id()).x_pdp_client_id(client_id).send().await?;
    tour.look("revoked by a deletion", mandate.known()).await?;

    writeln!(tour.out, "\nStore references in this form: {}, {mandate}", MandateRef::safedebit("RUM-2026-0042"))?;
    Ok(())
}

struct Tour<'a, W> {
    sandbox: &'a Sandbox,
    mandates: &'a Mandates,
    out: &'a mut W,
}

impl<W: Write> Tour<'_, W> {
    async fn look(&mut self, step: &str, mandate: impl Into<Lookup<'_>>) -> Result<(), Box<dyn Error>> {
        let mandate = self.mandates.status(mandate).await?;
        let now = self.sandbox.now();
        let verdict = match mandate.reference.provider().purpose() {
            Purpose::Represent => mandate.may_represent(None, now),
            // A verdict on a collection needs the facts that only you know.
            _ => mandate.may_collect(&facts(mandat::sepa::paris_day(now)), now),
        };
        let (raw, status, next) = (mandate.raw.clone(), mandate.status, mandate.next_step());
        let vendor = mandate.reference.provider();
        writeln!(self.out, "{vendor:<11} {step:<26} {raw:<11} {status:<20} {verdict}; next: {next}")?;
        Ok(())
    }
}

fn facts(today: NaiveDate) -> Facts {
    Facts {
        signed_on: Some(today - Days::new(30)),
        signature_confirmed: Some(true),
        last_collection: LastCollection::Never,
        revoked_by_debtor: Some(false),
        one_off_used: Some(false),
        max_age: Duration::from_secs(60),
        last_acknowledged: None,
    }
}
