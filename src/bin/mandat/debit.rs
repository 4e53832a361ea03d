//! `mandat debit` shows the state of debits, and how final their money is.

use super::{
    End, Failure,
    connect::{self, told},
    forms::DebitForm,
    output::{Cell, Form, Printer, Tone, labelled, paint, remark},
    status::not_read,
    summary::{self, Cause, Kind},
};
use mandat::{
    Debit, DebitRef, DebitStatus, Provider,
    sandbox::Sandbox,
    sepa::{Finality, Scheme, Stage},
};
use std::collections::BTreeMap;

/// Show the state of debits, and how final their money is.
///
/// The name of a debit is easytransac:tid=<tid>, easytransac:orderId=<orderId> or
/// safedebit:umr=<umr>/sdd=<sdd_reference>. In a pipe, each debit is one line, with tabs between reference, status, raw
/// word, amount in euros, due date, stage and reason. An unknown value is -.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  mandat debit safedebit:umr=RUM-2026-0042/sdd=SDD-2026-0043
  mandat debit easytransac:orderId=order-1 --format json")]
pub struct Arguments {
    /// The debits to read, each by its reference.
    #[arg(value_name = "REF")]
    debits: Vec<DebitRef>,
    /// The scheme of the debits. No reading names it.
    #[arg(long, value_name = "core|b2b", default_value = "core", value_parser = scheme)]
    scheme: Scheme,
    #[command(flatten)]
    form: Form,
    #[command(flatten)]
    pub connection: connect::Options,
}

fn scheme(text: &str) -> Result<Scheme, &'static str> {
    match text {
        "core" => Ok(Scheme::Core),
        "b2b" => Ok(Scheme::B2b),
        _ => Err("write core or b2b"),
    }
}

pub async fn run(arguments: Arguments, before: connect::Options) -> Result<End, Failure> {
    let Arguments { mut debits, scheme, form, connection } = arguments;
    let mut out = form.printer(&USUAL, &FURTHER)?;
    let options = before.or(connection);
    options.named(!debits.is_empty(), "no debit. Add the reference of a debit")?;
    let connection = connect::connect(options).await?;
    if debits.is_empty() {
        let sample = Sandbox::CONSUMER;
        debits = vec![DebitRef::easytransac("ABC1-ABC1-ABC1"), DebitRef::safedebit(sample, sample)];
    }
    let (mut failed, mut unknown) = (0, 0);
    // A vendor that refused the caller gets no more requests: they can lock the account.
    let mut refused: BTreeMap<Provider, usize> = BTreeMap::new();
    for reference in &debits {
        if let Some(not_asked) = refused.get_mut(&reference.provider()) {
            *not_asked += 1;
            failed += 1;
            continue;
        }
        match connection.mandates.debit(reference).await {
            Ok(debit) => show(&mut out, &debit, scheme)?,
            Err(error) => {
                let cause = Cause::of(&error, told(&error));
                *if cause.kind == Kind::UnknownToVendor { &mut unknown } else { &mut failed } += 1;
                if error.refuses_caller() {
                    refused.insert(reference.provider(), 0);
                }
                not_read(&mut out, reference, &error)?;
            }
        }
    }
    out.finish()?;
    refused.retain(|_, not_asked| *not_asked > 0);
    remark(&summary::not_asked(&refused, "Debits"));
    Ok(End::of(debits.len(), failed, unknown))
}

/// The columns of a debit.
const USUAL: [&str; 7] = ["reference", "status", "raw", "amount", "due", "stage", "reason"];
const FURTHER: [&str; 7] =
    ["vendor", "evidence", "returnable_until", "refundable_until", "contestable_until", "source", "observed_at"];

fn show(out: &mut Printer, debit: &Debit, scheme: Scheme) -> Result<(), Failure> {
    let finality = debit.finality(scheme, debit.observed_at);
    if out.is_screen() {
        return out.text(&card(debit, finality));
    }
    let or_dash = |text: Option<String>| Cell::new(text.unwrap_or_else(|| "-".into()));
    let Debit { reference, status, raw, reason, .. } = debit;
    let cells = vec![
        Cell::new(reference),
        Cell::new(status).tone(tone(*status)),
        Cell::new(raw),
        or_dash(debit.amount.map(|amount| amount.to_string())),
        or_dash(debit.due.map(|due| due.to_string())),
        or_dash(finality.map(|finality| format!("{:?}", finality.stage))),
        or_dash(reason.as_ref().map(|reason| reason.as_str().to_owned())),
        Cell::new(reference.provider().as_str()),
        Cell::new(debit.evidence),
        or_dash(finality.map(|finality| finality.returnable_until.to_string())),
        or_dash(finality.and_then(|finality| finality.refundable_until).map(|day| day.to_string())),
        or_dash(finality.map(|finality| finality.contestable_until.to_string())),
        Cell::new(debit.source.as_str()),
        Cell::new(debit.observed_at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)),
    ];
    out.row(cells, &DebitForm { debit, finality })
}

/// Returns the text for one debit on a terminal.
fn card(debit: &Debit, finality: Option<Finality>) -> String {
    let Debit { reference, status, raw, .. } = debit;
    let plain = |label: &str, text: &str| labelled(label, text, Tone::Plain);
    let mut text = format!("{}\n", paint(Tone::Strong, &reference.to_string()));
    let status_text = format!("{status} (the vendor's word: {raw}; {})", debit.evidence);
    text += &labelled("status", &status_text, tone(*status));
    text += &plain("amount", &debit.amount.map_or_else(|| "-".into(), |amount| format!("{amount} euros")));
    text += &plain("due", &debit.due.map_or_else(|| "-".into(), |due| due.to_string()));
    if let Some(reason) = &debit.reason {
        text += &labelled("reason", &format!("{}: {}", reason.as_str(), reason.label()), Tone::Bad);
    }
    if let Some(Finality { stage, returnable_until, refundable_until, contestable_until, .. }) = finality {
        let stage_tone = if stage == Stage::Final { Tone::Good } else { Tone::Open };
        text += &labelled("stage", &format!("{stage:?}"), stage_tone);
        text += &plain("", &format!("returnable until {returnable_until}"));
        if let Some(day) = refundable_until {
            text += &plain("", &format!("refundable until {day}"));
        }
        text += &plain("", &format!("contestable until {contestable_until}"));
    }
    text
}

fn tone(status: DebitStatus) -> Tone {
    match status {
        DebitStatus::Collected | DebitStatus::PaidOut => Tone::Good,
        DebitStatus::Failed | DebitStatus::Returned | DebitStatus::Refunded | DebitStatus::Canceled => Tone::Bad,
        _ => Tone::Open,
    }
}
