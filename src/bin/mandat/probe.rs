//! The command `mandat probe` compares the keys and types of a vendor's response with the spec.

use super::{
    End, Failure,
    connect::{Connection, told},
};
use chrono::Utc;
use mandat::{
    DebitRef, Error, ErrorKind, Mandate, MandateRef, MandateStatus, Mandates, Probe, Purpose, sepa::paris_day,
};
use std::{
    fmt,
    fs::File,
    io::{self, Write},
    path::{Path, PathBuf},
    str::FromStr,
};

/// Compare the keys and types of one response with the spec.
///
/// The report contains no values, so you can commit it. A report shows if an inference in the spec is right.
///
/// Also create a mandate that nobody signs, and run `probe` and `status` on this mandate. No vendor documents that a
/// mandate with its word for active is signed.
#[derive(clap::Args)]
pub struct Arguments {
    /// The mandate or the debit to read, by its reference.
    #[arg(value_name = "REF")]
    records: Vec<Record>,
    /// Write the report as a patch of the spec: see the chapter "When a vendor changes".
    #[arg(long, value_name = "FILE", requires = "records")]
    patch: Option<PathBuf>,
}

#[derive(Clone)]
enum Record {
    Mandate(MandateRef),
    Debit(DebitRef),
}

/// No reference to a mandate has the form of a debit.
impl FromStr for Record {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self, Error> {
        text.parse().map(Self::Debit).or_else(|_| text.parse().map(Self::Mandate))
    }
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mandate(reference) => reference.fmt(f),
            Self::Debit(reference) => reference.fmt(f),
        }
    }
}

pub async fn run(Arguments { records, patch }: Arguments, connection: Connection) -> Result<End, Failure> {
    let mut out = io::stdout().lock();
    let wanted = match records.is_empty() {
        true => connection.or_samples(Vec::new())?.into_iter().map(Record::Mandate).collect(),
        false => records,
    };
    if patch.is_some() && wanted.len() != 1 {
        return Err("--patch takes one reference. Run the command once for each, with its own file".into());
    }
    let (mut failed, mut unknown) = (0, 0);
    for record in &wanted {
        match report(record, &connection.mandates).await {
            Ok(report) => {
                writeln!(out, "{report}")?;
                if let Some(path) = &patch {
                    write_patch(&report, path)?;
                }
            }
            Err(error) => {
                super::tell(&format!("mandat: {record}: {}\n", told(&error)));
                *if error.kind() == ErrorKind::NotFound { &mut unknown } else { &mut failed } += 1;
            }
        }
    }
    Ok(End::of(wanted.len(), failed, unknown))
}

/// A list without the record matches the spec, but its report would show no record.
async fn report(record: &Record, mandates: &Mandates) -> Result<Probe, Error> {
    let reference = match record {
        Record::Mandate(reference) => reference,
        Record::Debit(reference) => {
            let report = mandates.probe(reference).await?;
            let read = mandates.debit(reference).await;
            return read.err().filter(|error| error.kind() == ErrorKind::NotFound).map_or(Ok(report), Err);
        }
    };
    let report = mandates.probe(reference).await?;
    match mandates.status(reference).await {
        Err(error) if error.kind() == ErrorKind::NotFound => Err(error),
        Ok(Mandate { status: MandateStatus::Active, raw, .. })
            if reference.provider().purpose() == Purpose::Collect =>
        {
            super::tell(&format!(
                "{reference}: \"{raw}\" may also be the word of an unsigned mandate. To find out, create a mandate, do \
                 not sign it, and read it once.\n"
            ));
            Ok(report)
        }
        _ => Ok(report),
    }
}

/// Creates the file. An existing file stays unchanged, because it may be the patch of this build.
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
