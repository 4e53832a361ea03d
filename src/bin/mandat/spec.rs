//! `mandat spec` shows the specs from which this program was built.

use super::{End, Failure};
use mandat::{Provider, spec, spec_versions};
use std::io::{self, Write};

/// Show the specs of the vendors in this build.
#[derive(clap::Subcommand)]
pub enum Command {
    /// Print a line for each vendor: ours, patched or replaced.
    Versions,
    /// Print the whole spec of a vendor as JSON, with your changes.
    Print {
        /// The vendor.
        vendor: Provider,
    },
}

pub fn run(command: &Command) -> Result<End, Failure> {
    let mut out = io::stdout().lock();
    match command {
        Command::Versions => spec_versions().iter().try_for_each(|version| writeln!(out, "{version}"))?,
        Command::Print { vendor } => {
            let spec: serde_json::Value = serde_json::from_str(spec(*vendor).unwrap_or_default())?;
            writeln!(out, "{spec:#}")?;
        }
    }
    Ok(End::Complete)
}
