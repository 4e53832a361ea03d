//! `mandat probe` compares the shape of a vendor's response with the spec.

use super::{
    End, Failure,
    connect::{Connection, told},
};
use chrono::Utc;
use mandat::{ErrorKind, Mandate, MandateRef, MandateStatus, Probe, Purpose, sepa::paris_day};
use std::{
    fs::File,
    io::{self, Write},
    path::{Path, PathBuf},
};

/// Compare the keys and types of one response with the spec.
///
/// The report contains no values, so you can commit it. It turns a guess in a spec into a fact.
///
/// Also create a mandate, do not sign it, and probe and read it once. The vendors do not document that the word of an
/// active mandate means a signed one.
#[derive(clap::Args)]
pub struct Arguments {
    /// The mandate.
    #[arg(value_name = "REF")]
    mandates: Vec<MandateRef>,
    /// Write the report as a patch of the spec: see the chapter "When a vendor changes".
    #[arg(long, value_name = "FILE", requires = "mandates")]
    patch: Option<PathBuf>,
}

pub async fn run(Arguments { mandates, patch }: Arguments, connection: Connection) -> Result<End, Failure> {
    let mut out = io::stdout().lock();
    let wanted = connection.or_samples(mandates)?;
    if patch.is_some() && wanted.len() != 1 {
        return Err("--patch takes one mandate. Run the command once for each, with its own file".into());
    }
    let (mut failed, mut unknown) = (0, 0);
    for reference in &wanted {
        let report = connection.mandates.probe(reference).await;
        let report = match report {
            // A list without this mandate matches the spec, but its report would show no mandate.
            Ok(report) => match connection.mandates.status(reference).await {
                Err(error) if error.kind() == ErrorKind::NotFound => Err(error),
                Ok(Mandate { status: MandateStatus::Active, raw, .. })
                    if reference.provider().purpose() == Purpose::Collect =>
                {
                    super::tell(&format!(
                        "{reference}: \"{raw}\" may also be the word of an unsigned mandate. To find out, create a \
                         mandate, do not sign it, and read it once.\n"
                    ));
                    Ok(report)
                }
                _ => Ok(report),
            },
            error => error,
        };
        match report {
            Ok(report) => {
                writeln!(out, "{report}")?;
                if let Some(path) = &patch {
                    write_patch(&report, path)?;
                }
            }
            Err(error) => {
                super::tell(&format!("mandat: {reference}: {}\n", told(&error)));
                *if error.kind() == ErrorKind::NotFound { &mut unknown } else { &mut failed } += 1;
            }
        }
    }
    Ok(End::of(wanted.len(), failed, unknown))
}

/// Creates the file. One that exists stays as it is: it may be the patch of this build.
fn write_patch(report: &Probe, path: &Path) -> Result<(), Failure> {
    let at = path.display();
    let Some(patch) = report.to_patch(paris_day(Utc::now())) else {
        let why = match report.matches() {
            true => "the spec says all of this already",
            false => "the response as a whole is not what the spec says. Change the spec by hand",
        };
        super::tell(&format!("{at}: not written: {why}\n"));
        return Ok(());
    };
    let created = File::create_new(path).and_then(|mut file| file.write_all(patch.as_bytes()));
    created.map_err(|e| format!("{at}: {e}. Name a new file, and add it to your patch").into())
}
