//! The command `mandat watch` prints each change of a mandate.

use super::{
    End, Failure,
    connect::{self, told},
    file,
    forms::FailureForm,
    output::{Cell, Form, Printer, complain, remark, tell},
    refresh,
    status::tone,
    stop::{end_line, stopped},
};
use chrono::SecondsFormat;
use futures_util::StreamExt;
use mandat::{ErrorKind, MandateChange, MandateRef, Permission, Schedule};
use std::{pin::pin, time::Duration};

/// Print each change of a mandate until you stop it, or until no change is expected.
///
/// A mandate that waits for a signature is read every few minutes, and an active one each day. After its end, a mandate
/// is read each week for three months. `--every` replaces these times.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  mandat watch seqino:client_abc123/mdt_abc123
  mandat watch safedebit:RUM-2026-0042 --every 30s   # while the debtor signs
  mandat watch safedebit:RUM-2026-0042 --format jsonl >> changes.jsonl")]
pub struct Arguments {
    /// The mandate to read, by its reference.
    #[arg(value_name = "REF")]
    mandate: Option<MandateRef>,
    /// Read the mandate this often, at any status: 10s, 15m, 1h. Each reading counts against the rate of the vendor.
    #[arg(long, value_name = "TIME", value_parser = every)]
    every: Option<Duration>,
    #[command(flatten)]
    form: Form,
    #[command(flatten)]
    pub connection: connect::Options,
}

fn every(text: &str) -> Result<Duration, &'static str> {
    let every = refresh::age(text).ok().and_then(|age| age.to_std().ok()).filter(|every| !every.is_zero());
    every.ok_or("write the time as 10s, 15m or 1h")
}

/// Returns the schedule that reads a mandate of any status this often.
fn fixed(every: Duration) -> Schedule {
    let schedule = Schedule::default().with_awaiting_signature(every).with_setting_up(every).with_longest(every);
    schedule.with_in_force(every).with_ended(every).with_given_up(Duration::MAX).with_jitter(0)
}

pub async fn run(arguments: Arguments, before: connect::Options) -> Result<End, Failure> {
    let Arguments { mandate, every, form, connection } = arguments;
    let (usual, further) =
        (["at", "reference", "status", "raw", "was", "class"], ["account", "verdict", "since", "source"]);
    let mut out = form.printer(&usual, &further)?.live();
    let mut options = before.or(connection);
    options.schedule = every.map(fixed).unwrap_or_default();
    options.named(mandate.is_some(), "no mandate. Add the reference of a mandate")?;
    let connection = connect::connect(options).await?;
    let wanted = connection.or_samples(mandate.into_iter().collect());
    let Some(reference) = wanted.into_iter().next() else { return Ok(End::Complete) };
    let mut stopped = pin!(stopped()?);
    let mut changes = connection.mandates.watch(reference.clone());
    loop {
        let change = tokio::select! {
            change = changes.next() => change,
            code = &mut stopped => {
                out.finish()?;
                end_line();
                remark(&format!("stopped. To go on, run the same command again: its first line is the present state of {reference}.\n"));
                return Ok(End::Stopped(code));
            }
        };
        match change {
            None => break,
            Some(Ok(change)) => show(&mut out, &change)?,
            // Continue the watch after a retryable error, because the next reading may succeed.
            Some(Err(error)) if error.is_retryable() => {
                complain(&format!("{reference}: {}; the next reading follows later", told(&error)));
            }
            Some(Err(error)) => {
                out.finish()?;
                match form.is_json() {
                    true => tell(&file::json_line(&FailureForm::of(reference.to_string(), &error))?),
                    false => complain(&format!("{reference}: {}", told(&error))),
                }
                let unknown = usize::from(error.kind() == ErrorKind::NotFound);
                return Ok(End::of(1, 1 - unknown, unknown));
            }
        }
    }
    out.finish()?;
    Ok(End::Complete)
}

/// Prints a change as soon as it is known, also on a terminal.
fn show(out: &mut Printer, change: &MandateChange) -> Result<(), Failure> {
    if out.is_text() {
        return out.text(&format!("{}\n", line(change)));
    }
    let MandateChange { reference, class, from, to, .. } = change;
    let cells = vec![
        Cell::new(to.observed_at.to_rfc3339_opts(SecondsFormat::Secs, true)),
        Cell::new(reference),
        Cell::new(to.status).tone(tone(to.status)),
        Cell::new(&to.raw),
        Cell::of(from.as_ref().map(|from| from.status)),
        Cell::of(class.map(|class| class.as_str())),
        Cell::of(to.account.as_ref()),
        Cell::of(to.verdict.map(Permission::as_str)),
        Cell::new(to.since.to_rfc3339_opts(SecondsFormat::Secs, true)),
        Cell::new(to.source.as_str()),
    ];
    out.row(cells, change)
}

fn line(MandateChange { reference, class, from, to, .. }: &MandateChange) -> String {
    let at = to.observed_at.to_rfc3339_opts(SecondsFormat::Secs, true);
    let now = format!("{at}  {reference}  {} ({})", to.status, to.raw);
    match (from, class) {
        (None, _) => now,
        (Some(from), Some(class)) => format!("{now}, was {} ({}): {class}", from.status, from.raw),
        (Some(from), None) => format!("{now}, was ({})", from.raw),
    }
}
