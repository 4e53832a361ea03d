//! The command `mandat status` shows the status of mandates and the verdicts on their use.

use super::{
    End, Failure,
    connect::{Connection, told},
    file,
    summary::{self, Cause, Kind},
};
use chrono::{DateTime, NaiveDate, Utc};
use futures_util::StreamExt;
use mandat::{
    Account, Facts, LastCollection, Mandate, MandateRef, MandateStatus, NextStep, Provider, Purpose, StatusQuery,
    Verdict,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, IsTerminal, Write},
    time::Duration,
};

/// Show the status of mandates, and if you may use them.
///
/// In a pipe, each mandate is one line, with tabs between reference, status, raw word, verdict and next step. A verdict
/// on a collection names each fact that you did not state.
#[derive(clap::Args)]
pub struct Arguments {
    /// The mandates to read, each by its reference.
    #[arg(value_name = "REF")]
    mandates: Vec<MandateRef>,
    /// Print one line of JSON per mandate.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    facts: StatedFacts,
}

/// Facts that only the caller knows. A fact whose option is absent is unknown.
#[derive(clap::Args)]
struct StatedFacts {
    /// The day on which the debtor signed: 2026-09-01 or 01/09/2026.
    #[arg(long, value_name = "DATE", value_parser = date)]
    signed_on: Option<NaiveDate>,
    /// You have the signed document, or saw the day of signature at the vendor.
    #[arg(long, value_name = "yes|no", value_parser = answer, num_args = 0..=1, require_equals = true, default_missing_value = "yes")]
    signature_confirmed: Option<bool>,
    /// The day of the last presented collection, or `never`.
    #[arg(long, value_name = "DATE|never", value_parser = last_collection)]
    last_collection: Option<LastCollection>,
    /// The debtor told you that the mandate is revoked.
    #[arg(long, value_name = "yes|no", value_parser = answer, num_args = 0..=1, require_equals = true, default_missing_value = "yes")]
    revoked_by_debtor: Option<bool>,
    /// The mandate was for one collection, which has been presented.
    #[arg(long, value_name = "yes|no", value_parser = answer, num_args = 0..=1, require_equals = true, default_missing_value = "yes")]
    one_off_used: Option<bool>,
    /// The last status that you know and have acted on.
    #[arg(long, value_name = "STATUS")]
    last_acknowledged: Option<MandateStatus>,
}

fn date(text: &str) -> Result<NaiveDate, &'static str> {
    file::date(text).ok_or("write the date as 2026-09-01 or 01/09/2026")
}

fn answer(text: &str) -> Result<bool, &'static str> {
    file::boolean(text).ok_or("write the fact as yes or no")
}

fn last_collection(text: &str) -> Result<LastCollection, &'static str> {
    if file::is_never(text) { Ok(LastCollection::Never) } else { date(text).map(LastCollection::On) }
}

impl From<StatedFacts> for Facts {
    fn from(stated: StatedFacts) -> Self {
        let StatedFacts {
            signed_on,
            signature_confirmed,
            last_collection,
            revoked_by_debtor,
            one_off_used,
            last_acknowledged,
        } = stated;
        Self {
            signed_on,
            signature_confirmed,
            last_collection: last_collection.unwrap_or(LastCollection::NotKnown),
            revoked_by_debtor,
            one_off_used,
            // A reading may be one minute old, because the program computes the verdict immediately after the reading.
            max_age: Duration::from_secs(60),
            last_acknowledged,
        }
    }
}

pub async fn run(arguments: Arguments, connection: Connection) -> Result<End, Failure> {
    let Arguments { mandates, json, facts } = arguments;
    let (wanted, facts) = (connection.or_samples(mandates)?, Facts::from(facts));
    let once: BTreeSet<&MandateRef> = wanted.iter().collect();
    let named = once.len();
    let tracked = |reference: &MandateRef| StatusQuery::from(reference).with_facts(facts.clone());
    let readings = connection.mandates.statuses(once.into_iter().map(tracked));
    let mut readings: BTreeMap<MandateRef, _> =
        readings.map(|reading| (reading.query.reference, (reading.result, Utc::now()))).collect().await;
    let (mut out, mut failed, mut unknown) = (io::stdout().lock(), 0, 0);
    let mut not_asked: BTreeMap<Provider, usize> = BTreeMap::new();
    // Keep the order of the arguments, and show a repeated mandate once.
    for reference in &wanted {
        let error = match readings.remove(reference) {
            Some((Ok(mandate), at)) => {
                show(&mut out, &mandate, &facts, json, at)?;
                continue;
            }
            Some((Err(error), _)) => Cause::of(&error, told(&error)),
            None => continue,
        };
        match error.kind {
            Kind::UnknownToVendor => unknown += 1,
            Kind::NotRead => failed += 1,
            Kind::NotAsked(provider) => {
                failed += 1;
                *not_asked.entry(provider).or_default() += 1;
                continue;
            }
        }
        super::tell(&format!("mandat: {reference}: {}\n", error.text));
    }
    super::tell(&summary::not_asked(&not_asked, "Mandates"));
    Ok(End::of(named, failed, unknown))
}

fn show(out: &mut impl Write, mandate: &Mandate, facts: &Facts, json: bool, now: DateTime<Utc>) -> io::Result<()> {
    let verdict = match mandate.reference.provider().purpose() {
        Purpose::Represent => mandate.may_represent(facts.last_acknowledged, now),
        _ => mandate.may_collect(facts, now),
    };
    if json {
        let line = file::json_line(&serde_json::json!({"mandate": mandate, "verdict": verdict}))?;
        return out.write_all(line.as_bytes());
    }
    let Mandate { reference, status, raw, .. } = mandate;
    let next = next(mandate, &verdict);
    if !io::stdout().is_terminal() {
        return writeln!(out, "{reference}\t{status}\t{raw}\t{verdict}\t{next}");
    }
    writeln!(out, "{reference}")?;
    writeln!(out, "  status   {status} (the vendor's word: {raw})")?;
    writeln!(out, "  verdict  {}", verdict.permission())?;
    for reason in verdict.reasons() {
        writeln!(out, "           {reason}")?;
    }
    if let Account::Read { status, raw } = &mandate.account {
        writeln!(out, "  client   {status} ({raw})")?;
    }
    writeln!(out, "  next     {next}")
}

/// Returns the next step. `next_step` knows only the status, so its text could contradict a verdict that is not
/// `Allowed`.
fn next(mandate: &Mandate, verdict: &Verdict) -> String {
    match mandate.next_step() {
        NextStep::Use if !verdict.is_allowed() => "you: resolve the reasons first".into(),
        next => next.to_string(),
    }
}
