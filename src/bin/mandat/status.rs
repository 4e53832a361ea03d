//! `mandat status`: what state mandates are in, whether they may be used, and why not.

use super::{
    End, Failure,
    connect::{Connection, told},
};
use chrono::{DateTime, NaiveDate, Utc};
use futures_util::StreamExt;
use mandat::{Account, Facts, LastCollection, Mandate, MandateRef, Purpose, Verdict};
use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, IsTerminal, Write},
    time::Duration,
};

/// Say what state mandates are in, whether they may be used, and why not.
///
/// In a pipe: a line for each, with tabs between reference, status, raw word, verdict, next step.
#[derive(clap::Args)]
pub struct Arguments {
    /// The mandates.
    #[arg(value_name = "REF")]
    mandates: Vec<MandateRef>,
    /// A line of JSON for each.
    #[arg(long)]
    json: bool,
    /// The day on which the debtor signed, YYYY-MM-DD. Without it there is no verdict on collecting.
    #[arg(long, value_name = "DATE", value_parser = date)]
    signed_on: Option<NaiveDate>,
    /// The day of the last collection that was presented.
    #[arg(long, value_name = "DATE", value_parser = date, requires = "signed_on")]
    last_collection: Option<NaiveDate>,
    /// The debtor has revoked it with you.
    #[arg(long, requires = "signed_on")]
    revoked_by_debtor: bool,
    /// It was for one collection, which has been presented.
    #[arg(long, requires = "signed_on")]
    one_off_used: bool,
}

fn date(text: &str) -> Result<NaiveDate, &'static str> {
    text.parse().map_err(|_| "write it as 2026-09-01")
}

impl Arguments {
    fn facts(&self) -> Option<Facts> {
        Some(Facts {
            signed_on: Some(self.signed_on?),
            signature_confirmed: None,
            last_collection: self.last_collection.map_or(LastCollection::Never, LastCollection::On),
            revoked_by_debtor: Some(self.revoked_by_debtor),
            one_off_used: Some(self.one_off_used),
            // It is read now.
            max_age: Duration::from_secs(60),
            last_acknowledged: None,
        })
    }
}

pub async fn run(mut arguments: Arguments, connection: Connection) -> Result<End, Failure> {
    let wanted = connection.or_samples(std::mem::take(&mut arguments.mandates))?;
    let once: BTreeSet<&MandateRef> = wanted.iter().collect();
    let readings = connection.mandates.statuses(once);
    let mut readings: BTreeMap<MandateRef, _> =
        readings.map(|reading| (reading.tracked.reference, (reading.result, Utc::now()))).collect().await;
    let (mut out, mut end) = (io::stdout().lock(), End::Complete);
    // In the order in which they were named, and one that was named twice once.
    for reference in &wanted {
        match readings.remove(reference) {
            Some((Ok(mandate), at)) => show(&mut out, &mandate, &arguments, at)?,
            Some((Err(error), _)) => {
                super::tell(&format!("mandat: {reference}: {}\n", told(&error)));
                end = End::Incomplete;
            }
            None => {}
        }
    }
    Ok(end)
}

fn show(out: &mut impl Write, mandate: &Mandate, arguments: &Arguments, now: DateTime<Utc>) -> io::Result<()> {
    let verdict = match (mandate.reference.provider().purpose(), arguments.facts()) {
        (Purpose::Represent, _) => Some(mandate.may_represent(None, now)),
        (_, Some(facts)) => Some(mandate.may_collect(&facts, now)),
        (_, None) => None,
    };
    if arguments.json {
        return writeln!(out, "{}", serde_json::json!({"mandate": mandate, "verdict": verdict}));
    }
    let Mandate { reference, status, raw, .. } = mandate;
    let next = mandate.next_step();
    if !io::stdout().is_terminal() {
        let verdict = verdict.as_ref().map(Verdict::to_string).unwrap_or_default();
        return writeln!(out, "{reference}\t{status}\t{raw}\t{verdict}\t{next}");
    }
    writeln!(out, "{reference}")?;
    writeln!(out, "  status   {status} (the vendor's word: {raw})")?;
    match verdict {
        Some(verdict) => {
            writeln!(out, "  verdict  {}", verdict.permission())?;
            for reason in verdict.reasons() {
                writeln!(out, "           {reason}")?;
            }
        }
        None => writeln!(out, "  verdict  not asked: state --signed-on")?,
    }
    if let Account::Read { status, raw } = &mandate.account {
        writeln!(out, "  client   {status} ({raw})")?;
    }
    writeln!(out, "  next     {next}")
}
