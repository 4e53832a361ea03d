//! `mandat debit` shows the state of debits, and how final their money is.

use super::{
    End, Failure,
    connect::{Connection, told},
    file,
    summary::{self, Cause, Kind},
};
use mandat::{
    Debit, DebitRef, Provider,
    sandbox::Sandbox,
    sepa::{Finality, Scheme},
};
use std::{
    collections::BTreeMap,
    io::{self, IsTerminal, Write},
};

/// Show the state of debits, and how final their money is.
///
/// The name of a debit is easytransac:tid=<tid>, easytransac:orderId=<orderId> or
/// safedebit:umr=<umr>/sdd=<sdd_reference>. In a pipe, each debit is one line, with tabs between reference, status, raw
/// word, amount in euros, due date, stage and reason. An unknown value is -.
#[derive(clap::Args)]
pub struct Arguments {
    /// The debits.
    #[arg(value_name = "REF")]
    debits: Vec<DebitRef>,
    /// The scheme of the debits. No reading names it.
    #[arg(long, value_name = "core|b2b", default_value = "core", value_parser = scheme)]
    scheme: Scheme,
    /// Print one line of JSON per debit.
    #[arg(long)]
    json: bool,
}

fn scheme(text: &str) -> Result<Scheme, &'static str> {
    match text {
        "core" => Ok(Scheme::Core),
        "b2b" => Ok(Scheme::B2b),
        _ => Err("write core or b2b"),
    }
}

pub async fn run(arguments: Arguments, connection: Connection) -> Result<End, Failure> {
    let Arguments { mut debits, scheme, json } = arguments;
    if debits.is_empty() {
        if connection.sandbox.is_none() {
            return Err("no debit is named. Name one, or try --sandbox".into());
        }
        let sample = Sandbox::CONSUMER;
        debits = vec![DebitRef::easytransac("ABC1-ABC1-ABC1"), DebitRef::safedebit(sample, sample)];
    }
    let (mut out, mut failed, mut unknown) = (io::stdout().lock(), 0, 0);
    // A vendor that refused the caller gets no more requests: they can lock the account.
    let mut refused: BTreeMap<Provider, usize> = BTreeMap::new();
    for reference in &debits {
        if let Some(not_asked) = refused.get_mut(&reference.provider()) {
            *not_asked += 1;
            failed += 1;
            continue;
        }
        match connection.mandates.debit(reference).await {
            Ok(debit) => show(&mut out, &debit, scheme, json)?,
            Err(error) => {
                let cause = Cause::of(&error, told(&error));
                *if cause.kind == Kind::UnknownToVendor { &mut unknown } else { &mut failed } += 1;
                if error.refuses_caller() {
                    refused.insert(reference.provider(), 0);
                }
                super::tell(&format!("mandat: {reference}: {}\n", cause.text));
            }
        }
    }
    refused.retain(|_, not_asked| *not_asked > 0);
    super::tell(&summary::not_asked(&refused, "Debits"));
    Ok(End::of(debits.len(), failed, unknown))
}

fn show(out: &mut impl Write, debit: &Debit, scheme: Scheme, json: bool) -> io::Result<()> {
    let finality = debit.finality(scheme, debit.observed_at);
    if json {
        return out.write_all(file::json_line(&serde_json::json!({"debit": debit, "finality": finality}))?.as_bytes());
    }
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".into());
    let Debit { reference, status, raw, reason, .. } = debit;
    let (amount, due) = (or_dash(debit.amount.map(|a| a.to_string())), or_dash(debit.due.map(|d| d.to_string())));
    let stage = or_dash(finality.map(|finality| format!("{:?}", finality.stage)));
    let code = or_dash(reason.as_ref().map(|reason| reason.as_str().to_owned()));
    if !io::stdout().is_terminal() {
        return writeln!(out, "{reference}\t{status}\t{raw}\t{amount}\t{due}\t{stage}\t{code}");
    }
    writeln!(out, "{reference}")?;
    writeln!(out, "  status   {status} (the vendor's word: {raw}; {})", debit.evidence)?;
    writeln!(out, "  amount   {amount} euros")?;
    writeln!(out, "  due      {due}")?;
    if let Some(reason) = reason {
        writeln!(out, "  reason   {code}: {}", reason.label())?;
    }
    if let Some(Finality { returnable_until, refundable_until, contestable_until, .. }) = finality {
        writeln!(out, "  stage    {stage}")?;
        writeln!(out, "           returnable until {returnable_until}")?;
        if let Some(day) = refundable_until {
            writeln!(out, "           refundable until {day}")?;
        }
        writeln!(out, "           contestable until {contestable_until}")?;
    }
    Ok(())
}
