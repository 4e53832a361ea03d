//! The command `mandat watch` prints each change of a mandate.

use super::{
    End, Failure,
    connect::{Connection, told},
    file,
};
use chrono::SecondsFormat;
use futures_util::StreamExt;
use mandat::{MandateChange, MandateRef};
use std::io::{self, Write};

/// Print each change of a mandate until you stop it, or until no change is expected.
///
/// The command reads the mandate every few minutes while the mandate waits for a signature, daily while it is active,
/// and weekly for three months after its end.
#[derive(clap::Args)]
pub struct Arguments {
    /// The mandate to read, by its reference.
    #[arg(value_name = "REF")]
    mandate: Option<MandateRef>,
    /// Print one line of JSON per change.
    #[arg(long)]
    json: bool,
}

pub async fn run(Arguments { mandate, json }: Arguments, connection: Connection) -> Result<End, Failure> {
    let wanted = connection.or_samples(mandate.into_iter().collect())?;
    let Some(reference) = wanted.into_iter().next() else { return Ok(End::Complete) };
    let mut changes = connection.mandates.watch(reference.clone());
    while let Some(change) = changes.next().await {
        match change {
            Ok(change) if json => io::stdout().write_all(file::json_line(&change)?.as_bytes())?,
            Ok(change) => writeln!(io::stdout(), "{}", line(&change))?,
            // Continue the watch after a retryable error, because the next reading may succeed.
            Err(error) if error.is_retryable() => {
                super::tell(&format!("mandat: {reference}: {error}; the next reading follows later\n"))
            }
            Err(error) => return Err(format!("{reference}: {}", told(&error)).into()),
        }
    }
    Ok(End::Complete)
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
