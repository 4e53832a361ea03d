//! The command `mandat probe` compares the keys and types of a vendor's response with the spec.

use super::{
    End, Failure, Usage, connect,
    forms::ProbeForm,
    output::{Cell, Form, Printer, Tone, remark},
    status::not_read,
};
use chrono::Utc;
use mandat::{
    DebitRef, Error, ErrorKind, Mandate, MandateRef, MandateStatus, Mandates, Probe, Purpose, sepa::paris_day,
};
use std::{
    collections::BTreeMap,
    fmt,
    fs::File,
    io::Write,
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
#[command(after_help = "\
Examples:
  mandat probe safedebit:RUM-2026-0042
  mandat probe seqino:client_abc123/mdt_abc123 --patch seqino.patch.yaml")]
pub struct Arguments {
    /// The mandate or the debit to read, by its reference.
    #[arg(value_name = "REF")]
    records: Vec<Record>,
    /// Write the report as a patch of the spec: see the chapter "When a vendor changes".
    #[arg(long, value_name = "FILE", requires = "records")]
    patch: Option<PathBuf>,
    #[command(flatten)]
    form: Form,
    #[command(flatten)]
    pub connection: connect::Options,
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

pub async fn run(arguments: Arguments, before: connect::Options) -> Result<End, Failure> {
    let Arguments { records, patch, form, connection } = arguments;
    let mut out = form.printer(&["reference", "operation", "place", "spec", "response"], &[])?;
    if patch.is_some() && records.len() != 1 {
        let why = "--patch takes one reference. Run the command once for each, with its own file";
        return Err(Usage(why.into()).into());
    }
    let options = before.or(connection);
    options.named(!records.is_empty(), "no mandate and no debit. Add a reference")?;
    let connection = connect::connect(options).await?;
    let wanted = match records.is_empty() {
        true => connection.or_samples(Vec::new()).into_iter().map(Record::Mandate).collect(),
        false => records,
    };
    let (mut failed, mut unknown) = (0, 0);
    for record in &wanted {
        match report(record, &connection.mandates).await {
            Ok(report) => {
                show(&mut out, record, &report)?;
                if let Some(path) = &patch {
                    write_patch(&report, path)?;
                }
            }
            Err(error) => {
                not_read(&mut out, record, &error)?;
                *if error.kind() == ErrorKind::NotFound { &mut unknown } else { &mut failed } += 1;
            }
        }
    }
    out.finish()?;
    Ok(End::of(wanted.len(), failed, unknown))
}

/// Prints a report. In a table, each place of the response is a row. An empty cell `spec` means that the place matches
/// the spec.
fn show(out: &mut Printer, record: &Record, report: &Probe) -> Result<(), Failure> {
    if out.is_text() {
        return out.text(&format!("{report}\n"));
    }
    if out.is_json() {
        let reference = record.to_string();
        return out.row(Vec::new(), &ProbeForm { reference, matches: report.matches(), report });
    }
    let mut places: BTreeMap<&str, (&str, &str)> =
        report.shape.iter().map(|(place, found)| (place.as_str(), ("", found.as_str()))).collect();
    places.extend(report.differences.iter().map(|differs| (&*differs.place, (&*differs.spec, &*differs.answer))));
    for (place, (spec, answer)) in places {
        let tone = if spec.is_empty() { Tone::Plain } else { Tone::Open };
        let cells = vec![
            Cell::new(record),
            Cell::new(report.operation),
            Cell::new(place),
            Cell::new(spec).tone(tone),
            Cell::new(answer).tone(tone),
        ];
        out.row(cells, &())?;
    }
    report.damage.iter().try_for_each(|damage| {
        let cells = [record.to_string(), report.operation.into(), String::new(), String::new(), damage.clone()];
        out.row(cells.map(|text| Cell::new(text).tone(Tone::Bad)).into(), &())
    })
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
            remark(&format!(
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
            true => "the spec already describes this response",
            false => "the response as a whole differs from the spec. Change the spec by hand",
        };
        remark(&format!("{at}: not written: {why}\n"));
        return Ok(());
    };
    let created = File::create_new(path).and_then(|mut file| file.write_all(patch.as_bytes()));
    created.map_err(|e| format!("{at}: {e}. Name a new file, and add it to your patch").into())
}
