//! `mandat probe`: the shape of a vendor's answer beside what the spec says.

use super::{
    End, Failure,
    connect::{Connection, told},
};
use mandat::MandateRef;
use std::io::{self, Write};

/// Report the keys and types of one answer, no values, beside the spec.
///
/// It is how a guess in a spec becomes a fact; the report may be committed.
#[derive(clap::Args)]
pub struct Arguments {
    /// The mandate.
    #[arg(value_name = "REF")]
    mandates: Vec<MandateRef>,
}

pub async fn run(Arguments { mandates }: Arguments, connection: Connection) -> Result<End, Failure> {
    let mut out = io::stdout().lock();
    let mut end = End::Complete;
    for reference in connection.or_samples(mandates)? {
        match connection.mandates.probe(&reference).await {
            Ok(report) => writeln!(out, "{report}")?,
            Err(error) => {
                super::tell(&format!("mandat: {reference}: {}\n", told(&error)));
                end = End::Incomplete;
            }
        }
    }
    Ok(end)
}
