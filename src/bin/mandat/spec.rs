//! `mandat spec` shows the specs from which this program was built.

use super::{
    End, Failure,
    forms::SpecForm,
    output::{Cell, Form, document},
};
use mandat::{Provider, spec, spec_versions};

/// Show the specs of the vendors in this build.
#[derive(clap::Subcommand)]
#[command(after_help = "\
Examples:
  mandat spec versions
  mandat spec print safedebit > safedebit.json")]
pub enum Command {
    /// Print a line for each vendor: ours, patched or replaced.
    #[command(after_help = "Example:\n  mandat spec versions --format json")]
    Versions {
        #[command(flatten)]
        form: Form,
    },
    /// Print the whole spec of a vendor as JSON, with your changes.
    #[command(after_help = "Example:\n  mandat spec print seqino | jq .info")]
    Print {
        /// The vendor: easytransac, safedebit or seqino.
        vendor: Provider,
    },
}

pub fn run(command: &Command) -> Result<End, Failure> {
    match command {
        Command::Versions { form } => {
            let mut out = form.printer(&["vendor", "origin"], &[])?;
            for version in spec_versions() {
                if out.is_text() {
                    out.text(&format!("{version}\n"))?;
                    continue;
                }
                let form = SpecForm { vendor: version.provider.as_str().into(), origin: version.origin.to_string() };
                out.row(vec![Cell::new(&form.vendor), Cell::new(&form.origin)], &form)?;
            }
            out.finish()?;
        }
        Command::Print { vendor } => {
            document(&serde_json::from_str::<serde_json::Value>(spec(*vendor).unwrap_or_default())?)?;
        }
    }
    Ok(End::Complete)
}
