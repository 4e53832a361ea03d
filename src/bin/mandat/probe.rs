//! The command `mandat probe` compares the keys and types of a vendor's response with the spec.

use super::{
    End, Failure,
    connect::{Connection, told},
};
use mandat::{ErrorKind, Mandate, MandateRef, MandateStatus, Purpose};
use std::io::{self, Write};

/// Compare the keys and types of one response with the spec.
///
/// The report contains no values, so you can commit it. A report shows if an inference in the spec is right.
///
/// Also create a mandate that nobody signs, and run `probe` and `status` on this mandate. No vendor documents that a
/// mandate with its word for active is signed.
#[derive(clap::Args)]
pub struct Arguments {
    /// The mandate to read, by its reference.
    #[arg(value_name = "REF")]
    mandates: Vec<MandateRef>,
}

pub async fn run(Arguments { mandates }: Arguments, connection: Connection) -> Result<End, Failure> {
    let mut out = io::stdout().lock();
    let wanted = connection.or_samples(mandates)?;
    let (mut failed, mut unknown) = (0, 0);
    for reference in &wanted {
        let report = connection.mandates.probe(reference).await;
        let report = match report {
            // A list that lacks this mandate matches the spec, but its report would describe no mandate. So read the
            // mandate, too.
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
            Ok(report) => writeln!(out, "{report}")?,
            Err(error) => {
                super::tell(&format!("mandat: {reference}: {}\n", told(&error)));
                *if error.kind() == ErrorKind::NotFound { &mut unknown } else { &mut failed } += 1;
            }
        }
    }
    Ok(End::of(wanted.len(), failed, unknown))
}
