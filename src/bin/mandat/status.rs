//! The command `mandat status` shows the status of mandates and the verdicts on their use.

use super::{
    End, Failure,
    connect::{self, told},
    file,
    forms::{FailureForm, MandateForm},
    output::{Cell, Form, Printer, Tone, complain, labelled, paint, remark},
    summary::{self, Cause, Kind},
};
use chrono::{DateTime, NaiveDate, Utc};
use futures_util::StreamExt;
use mandat::{
    Account, AccountStatus, Error, Facts, LastCollection, Mandate, MandateRef, MandateStatus, NextStep, Permission,
    Phase, Provider, Purpose, StatusQuery, Verdict,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// Show the status of mandates, and if you may use them.
///
/// In a pipe, each mandate is one line, with tabs between reference, status, raw word, verdict, reasons and next step.
/// A verdict on a collection names each fact that you did not state.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  mandat status safedebit:RUM-2026-0042
  mandat status safedebit:RUM-2026-0042 --signed-on 2026-09-01 \\
      --signature-confirmed --last-collection never \\
      --revoked-by-debtor=no --one-off-used=no
  mandat --sandbox status --format csv --columns reference,status,verdict")]
pub struct Arguments {
    /// The mandates to read, each by its reference.
    #[arg(value_name = "REF")]
    mandates: Vec<MandateRef>,
    #[command(flatten)]
    facts: StatedFacts,
    #[command(flatten)]
    form: Form,
    #[command(flatten)]
    pub connection: connect::Options,
}

/// Facts that only the caller knows. A fact whose option is absent is unknown.
#[derive(clap::Args)]
#[command(next_help_heading = "Facts")]
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

/// The columns of a mandate.
const USUAL: [&str; 6] = ["reference", "status", "raw", "verdict", "reasons", "next"];
const FURTHER: [&str; 9] =
    ["vendor", "evidence", "account", "reinstated_from", "starts", "ends", "created", "source", "observed_at"];

/// Starts the output of a command that prints mandates.
pub fn printer(form: &Form) -> Result<Printer, Failure> {
    form.printer(&USUAL, &FURTHER)
}

pub async fn run(arguments: Arguments, before: connect::Options) -> Result<End, Failure> {
    let Arguments { mandates, facts, form, connection } = arguments;
    let mut out = printer(&form)?;
    let options = before.or(connection);
    options.named(!mandates.is_empty(), "no mandate. Add the reference of a mandate")?;
    let connection = connect::connect(options).await?;
    let (wanted, facts) = (connection.or_samples(mandates), Facts::from(facts));
    let once: BTreeSet<&MandateRef> = wanted.iter().collect();
    let named = once.len();
    let tracked = |reference: &MandateRef| StatusQuery::from(reference).with_facts(facts.clone());
    let readings = connection.mandates.statuses(once.into_iter().map(tracked));
    let mut readings: BTreeMap<MandateRef, _> =
        readings.map(|reading| (reading.query.reference, (reading.result, Utc::now()))).collect().await;
    let (mut failed, mut unknown) = (0, 0);
    let mut not_asked: BTreeMap<Provider, usize> = BTreeMap::new();
    // Keep the order of the arguments, and show a repeated mandate once.
    for reference in &wanted {
        let error = match readings.remove(reference) {
            Some((Ok(mandate), at)) => {
                show(&mut out, &mandate, &facts, None, at)?;
                continue;
            }
            Some((Err(error), _)) => error,
            None => continue,
        };
        match Cause::of(&error, told(&error)).kind {
            Kind::UnknownToVendor => unknown += 1,
            Kind::NotRead => failed += 1,
            Kind::NotAsked(provider) => {
                failed += 1;
                *not_asked.entry(provider).or_default() += 1;
                if !out.is_json() {
                    continue;
                }
            }
        }
        not_read(&mut out, reference, &error)?;
    }
    out.finish()?;
    remark(&summary::not_asked(&not_asked, "Mandates"));
    Ok(End::of(named, failed, unknown))
}

/// Reports a record that could not be read: in the JSON formats in its place, otherwise on standard error.
pub fn not_read(out: &mut Printer, reference: &impl ToString, error: &Error) -> Result<(), Failure> {
    if out.is_json() {
        return out.row(Vec::new(), &FailureForm::of(reference.to_string(), error));
    }
    complain(&format!("{}: {}", reference.to_string(), told(error)));
    Ok(())
}

/// Starts the output of a command that also prints the link where the debtor signs.
pub fn printer_with_link(form: &Form) -> Result<Printer, Failure> {
    let usual: Vec<&'static str> = USUAL.into_iter().chain(["signature_url"]).collect();
    form.printer(&usual, &FURTHER)
}

/// Prints one mandate with the verdict on its use. Pass a link, which may be empty, exactly if the output comes from
/// [`printer_with_link`].
pub fn show(
    out: &mut Printer,
    mandate: &Mandate,
    facts: &Facts,
    link: Option<&str>,
    now: DateTime<Utc>,
) -> Result<(), Failure> {
    let verdict = match mandate.reference.provider().purpose() {
        Purpose::Represent => mandate.may_represent(facts.last_acknowledged, now),
        _ => mandate.may_collect(facts, now),
    };
    let next = next(mandate, &verdict);
    let signature_url = link.filter(|link| !link.is_empty());
    if out.is_screen() {
        return out.text(&card(mandate, &verdict, &next, signature_url));
    }
    let reasons: Vec<String> = verdict.reasons().iter().map(ToString::to_string).collect();
    let form = MandateForm { mandate, verdict: &verdict, reasons, next_step: &next, signature_url };
    let mut cells = cells(mandate, &verdict, &next);
    if let Some(link) = link {
        cells.insert(USUAL.len(), Cell::new(link));
    }
    out.row(cells, &form)
}

fn cells(mandate: &Mandate, verdict: &Verdict, next: &str) -> Vec<Cell> {
    let Mandate { reference, status, raw, .. } = mandate;
    let reasons: Vec<String> = verdict.reasons().iter().map(ToString::to_string).collect();
    let account = match &mandate.account {
        Account::Read { status, raw } => Cell::new(format!("{status} ({raw})")).tone(account_tone(*status)),
        Account::NotApplicable => Cell::default(),
        Account::Differs => Cell::new("another client").tone(Tone::Bad),
        _ => Cell::new("not read").tone(Tone::Open),
    };
    vec![
        Cell::new(reference),
        Cell::new(status).tone(tone(*status)),
        Cell::new(raw),
        Cell::new(verdict.permission()).tone(verdict_tone(verdict)),
        Cell::new(reasons.join("; ")),
        Cell::new(next),
        Cell::new(reference.provider().as_str()),
        Cell::new(mandate.evidence),
        account,
        Cell::of(mandate.reinstated_from),
        Cell::of(mandate.starts.as_ref().map(instant)),
        Cell::of(mandate.ends.as_ref().map(instant)),
        Cell::of(mandate.created.as_ref().map(instant)),
        Cell::new(mandate.source.as_str()),
        Cell::new(mandate.observed_at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)),
    ]
}

/// Returns an instant of the vendor. A text that is no instant may be personal data, so it is not shown.
fn instant(at: &mandat::wire::DateTime) -> String {
    at.get().map_or_else(|| "unreadable".into(), |at| at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true))
}

/// Returns the text for one mandate on a terminal.
fn card(mandate: &Mandate, verdict: &Verdict, next: &str, signature_url: Option<&str>) -> String {
    let Mandate { reference, status, raw, .. } = mandate;
    let mut text = format!("{}\n", paint(Tone::Strong, &reference.to_string()));
    text += &labelled("status", &format!("{status} (the vendor's word: {raw})"), tone(*status));
    text += &labelled("verdict", &verdict.permission().to_string(), verdict_tone(verdict));
    text.extend(verdict.reasons().iter().map(|reason| labelled("", &reason.to_string(), Tone::Plain)));
    if let Account::Read { status, raw } = &mandate.account {
        text += &labelled("client", &format!("{status} ({raw})"), account_tone(*status));
    }
    text += &labelled("next", next, Tone::Plain);
    if let Some(url) = signature_url {
        text += &labelled("sign at", url, Tone::Plain);
    }
    text
}

/// Returns the colour of a status.
pub fn tone(status: MandateStatus) -> Tone {
    match status.phase() {
        Phase::InForce => Tone::Good,
        Phase::Ended => Tone::Bad,
        _ => Tone::Open,
    }
}

fn account_tone(status: AccountStatus) -> Tone {
    if status == AccountStatus::Active { Tone::Good } else { Tone::Open }
}

fn verdict_tone(verdict: &Verdict) -> Tone {
    match verdict.permission() {
        Permission::Allowed => Tone::Good,
        Permission::Refused => Tone::Bad,
        _ => Tone::Open,
    }
}

/// Returns the next step. `next_step` knows only the status, so its text could contradict a verdict that is not
/// `Allowed`.
fn next(mandate: &Mandate, verdict: &Verdict) -> String {
    match mandate.next_step() {
        NextStep::Use if !verdict.is_allowed() => "you: resolve the reasons first".into(),
        next => next.to_string(),
    }
}
