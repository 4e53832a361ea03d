//! The command `mandat watch` prints each change of a mandate.

use super::{
    End, Failure,
    connect::{self, Connection, told},
    file,
    forms::FailureForm,
    output::{Cell, Form, Printer, complain, remark, tell},
    status::tone,
    stop::stopped,
};
use chrono::SecondsFormat;
use futures_util::StreamExt;
use mandat::{ErrorKind, MandateChange, MandateRef, Permission};
use std::pin::pin;

/// Print each change of a mandate until you stop it, or until no change is expected.
///
/// A mandate that waits for a signature is read every few minutes, and an active one each day. After its end, a mandate
/// is read each week for three months.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  mandat watch seqino:client_abc123/mdt_abc123
  mandat watch safedebit:RUM-2026-0042 --format jsonl >> changes.jsonl")]
pub struct Arguments {
    /// The mandate to read, by its reference.
    #[arg(value_name = "REF")]
    mandate: Option<MandateRef>,
    #[command(flatten)]
    form: Form,
    #[command(flatten)]
    pub connection: connect::Options,
}

pub async fn run(Arguments { mandate, form, .. }: Arguments, connection: Connection) -> Result<End, Failure> {
    let (usual, further) =
        (["at", "reference", "status", "raw", "was", "class"], ["account", "verdict", "since", "source"]);
    let mut out = form.printer(&usual, &further)?.live();
    let wanted = connection.or_samples(mandate.into_iter().collect())?;
    let Some(reference) = wanted.into_iter().next() else { return Ok(End::Complete) };
    let mut stopped = pin!(stopped()?);
    let mut changes = connection.mandates.watch(reference.clone());
    loop {
        let change = tokio::select! {
            change = changes.next() => change,
            code = &mut stopped => {
                out.finish()?;
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
