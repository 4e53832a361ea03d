//! `mandat refresh`: many mandates, from a file to a file.
#![allow(clippy::result_large_err, reason = "a line that is refused is a line")]

use super::{
    End, Failure,
    connect::{Connection, told},
    rows::{HEADER, Row},
};
use chrono::Utc;
use clap::ValueEnum;
use futures_util::{StreamExt, stream};
use indicatif::{ProgressBar, ProgressStyle};
use std::{
    collections::{BTreeMap, HashSet},
    fs::{File, OpenOptions},
    io::{self, BufRead, BufReader, BufWriter, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::sync::mpsc;

/// Read every mandate of a file and say what changed.
///
/// FILE has one reference a line, or CSV with a column `reference`; what this command wrote is such a file, and what it
/// knows is compared. With a column `signed_on` (and last_collection, revoked_by_debtor, one_off_used,
/// last_acknowledged) a mandate to collect on has a verdict, too. Each line that comes out has the vendor's own word in
/// it.
#[derive(clap::Args)]
pub struct Arguments {
    /// The mandates; `-` is standard input.
    #[arg(value_name = "FILE")]
    input: Option<PathBuf>,
    /// Write there instead of to standard output: another file each time.
    #[arg(long, short, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Go on with a run that was stopped: what was read into --out is not read again, what could not be is.
    #[arg(long, requires = "out")]
    resume: bool,
    /// How to write.
    #[arg(long, value_enum, default_value_t = Format::Csv)]
    format: Format,
    /// Only what changed and what could not be read; it is no input for the next time.
    #[arg(long, conflicts_with = "out")]
    changes: bool,
    /// The references of a Seqino client stand together, so that memory does not grow with their number.
    #[arg(long)]
    sorted: bool,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Format {
    Csv,
    Jsonl,
}

pub async fn run(arguments: Arguments, connection: Connection) -> Result<End, Failure> {
    let Arguments { input, out, resume, format, changes, sorted } = arguments;
    let (rows, total) = rows(input.as_deref(), &connection)?;
    let done = match &out {
        Some(path) if path.exists() => {
            if input.is_some_and(|input| input.canonicalize().ok() == path.canonicalize().ok()) {
                return Err(format!("{} cannot be read and written at once: give another --out", path.display()).into());
            }
            if !resume && path.metadata()?.len() > 0 {
                let what = "is there: give another --out, or --resume if its run was stopped";
                return Err(format!("{} {what}", path.display()).into());
            }
            done(path, format)?
        }
        _ => HashSet::new(),
    };
    let there = done.len();
    let mut writer = Writer::open(out.as_deref(), format)?;
    let progress = progress(total);
    // Reading blocks, and a line that names no mandate is no reason to stop.
    let (tracked, wanted) = mpsc::channel(256);
    let (aside, mut refused) = mpsc::channel(256);
    std::thread::spawn(move || {
        for row in rows {
            let row = row.and_then(|row| row.tracked().map_err(|e| Row::refused(&row.reference, e.to_string())));
            let taken = match row {
                Ok(item) if done.contains(&item.reference.to_string()) => true,
                Ok(item) => tracked.blocking_send(item).is_ok(),
                Err(row) => aside.blocking_send(row).is_ok(),
            };
            if !taken {
                break;
            }
        }
    });
    let wanted = stream::unfold(wanted, |mut wanted| async { Some((wanted.recv().await?, wanted)) });
    let mut readings = connection.mandates.statuses(wanted);
    if sorted {
        readings = readings.sorted_by_client();
    }
    let mut summary = Summary { there, ..Summary::default() };
    loop {
        let row = tokio::select! {
            Some(row) = refused.recv() => row,
            Some(reading) = readings.next() => Row::of(&reading.tracked, reading.result.map_err(|e| told(&e)), Utc::now()),
            else => break,
        };
        summary.add(&row);
        progress.inc(1);
        if !changes || row.change.is_some() || row.error.is_some() {
            writer.write(&row)?;
        }
    }
    progress.finish_and_clear();
    super::tell(&summary.to_string());
    Ok(if summary.failed == 0 { End::Complete } else { End::Incomplete })
}

type Rows = Box<dyn Iterator<Item = Result<Row, Row>> + Send>;

/// The lines of the input, and how many there are if that is known; a line that cannot be read is an error.
fn rows(input: Option<&Path>, connection: &Connection) -> Result<(Rows, Option<u64>), Failure> {
    let Some(path) = input else {
        let all = connection.or_samples(Vec::new()).map_err(|_| "name a file, or try --sandbox")?;
        let count = all.len() as u64;
        return Ok((
            Box::new(all.into_iter().map(|reference| Ok(Row { reference: reference.to_string(), ..Row::default() }))),
            Some(count),
        ));
    };
    let told = |e: io::Error| format!("{}: {e}", path.display());
    let mut total = None;
    let source: Box<dyn Read + Send> = if path.as_os_str() == "-" {
        Box::new(io::stdin())
    } else {
        let mut file = File::open(path).map_err(told)?;
        let kind = file.metadata().map_err(told)?;
        if kind.is_dir() {
            return Err(format!("{} is a folder", path.display()).into());
        }
        // Nothing else can be read twice.
        if kind.is_file() {
            let mut lines = 0;
            for line in BufReader::new(&file).split(b'\n') {
                lines += u64::from(!line.map_err(told)?.is_empty());
            }
            total = Some(lines);
            file.seek(SeekFrom::Start(0)).map_err(told)?;
        }
        Box::new(file)
    };
    let mut source = BufReader::new(source);
    let mut first = Vec::new();
    source.read_until(b'\n', &mut first).map_err(told)?;
    let first = first.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&first).to_vec();
    let header = String::from_utf8_lossy(&first);
    let columns: Vec<&str> = header.trim_end().split([',', ';', '\t']).map(|name| name.trim_matches('"')).collect();
    if columns.contains(&"reference") {
        let separator = header.bytes().find(|byte| b",;\t".contains(byte)).unwrap_or(b',');
        let mut reader = csv::ReaderBuilder::new();
        let reader = reader.flexible(true).delimiter(separator).from_reader(io::Cursor::new(first).chain(source));
        let rows = reader.into_deserialize::<Row>().enumerate();
        let rows = rows.map(|(index, row)| row.map_err(|e| (index + 2, e.is_io_error(), cause(&e))));
        return Ok((until_broken(rows), total.map(|lines| lines.saturating_sub(1))));
    }
    let lines = io::Cursor::new(first).chain(source).lines().enumerate();
    let rows = lines.filter_map(|(index, line)| match line {
        Ok(line) if line.trim().is_empty() || line.starts_with('#') => None,
        Ok(line) => Some(Ok(Row { reference: line.trim().into(), ..Row::default() })),
        Err(e) if e.kind() == io::ErrorKind::InvalidData => Some(Err((index + 1, false, "it is no UTF-8"))),
        Err(_) => Some(Err((index + 1, true, "the rest cannot be read"))),
    });
    Ok((until_broken(rows), total))
}

/// Ends where nothing more can be read: the number of the line, whether that is so, and why.
fn until_broken(rows: impl Iterator<Item = Result<Row, (usize, bool, &'static str)>> + Send + 'static) -> Rows {
    Box::new(rows.scan(false, |broken, row| {
        if *broken {
            return None;
        }
        Some(row.map_err(|(line, last, why)| {
            *broken = last;
            Row::refused(&format!("(line {line})"), why.into())
        }))
    }))
}

/// What stands in the line is not told: it may be anything.
fn cause(error: &csv::Error) -> &'static str {
    match error.kind() {
        csv::ErrorKind::Io(_) => "the rest cannot be read",
        csv::ErrorKind::Utf8 { .. } => "it is no UTF-8",
        _ => "a column cannot be read: see `mandat refresh --help`",
    }
}

/// The references that a run has read before it was stopped. What it could not read is taken out of the file, and so is
/// a line that was cut off; a file of somebody else's is left alone.
fn done(path: &Path, format: Format) -> Result<HashSet<String>, Failure> {
    let text = std::fs::read(path)?;
    let foreign = || format!("{}: this command did not write it; give another --out", path.display());
    let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    let (kept, cut) = text.split_at(whole);
    let begins = match format {
        Format::Csv => HEADER.as_bytes(),
        Format::Jsonl => br#"{"reference":""#,
    };
    let begun = if kept.is_empty() { cut } else { kept };
    if !begun.iter().zip(begins).all(|(is, should)| is == should) || (begun == kept && kept.len() < begins.len()) {
        return Err(foreign().into());
    }
    let rows: Result<Vec<Row>, ()> = match format {
        Format::Jsonl => {
            let lines = kept.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
            lines.map(|line| serde_json::from_slice(line).map_err(drop)).collect()
        }
        Format::Csv => csv::Reader::from_reader(kept).into_deserialize().map(|row| row.map_err(drop)).collect(),
    };
    let mut rows = rows.map_err(|()| foreign())?;
    rows.retain(|row| row.error.is_none());
    // Whole at any time.
    let aside = path.with_extension("part");
    let mut writer = Writer::open(Some(&aside), format)?;
    for row in &rows {
        writer.write(row)?;
    }
    drop(writer);
    if rows.is_empty() {
        File::create(path).map(drop)?
    } else {
        std::fs::rename(&aside, path)?
    }
    Ok(rows.into_iter().map(|row| row.reference).collect())
}

/// A line is whole in the file before the next mandate is looked at.
struct Writer {
    out: BufWriter<Box<dyn Write>>,
    format: Format,
    begun: bool,
}

impl Writer {
    fn open(path: Option<&Path>, format: Format) -> Result<Self, Failure> {
        let Some(path) = path else {
            return Ok(Self { out: BufWriter::new(Box::new(io::stdout())), format, begun: false });
        };
        let told = |e: io::Error| format!("{}: {e}", path.display());
        let file = OpenOptions::new().create(true).append(true).open(path).map_err(told)?;
        let begun = file.metadata().map_err(told)?.len() > 0;
        Ok(Self { out: BufWriter::new(Box::new(file)), format, begun })
    }

    fn write(&mut self, row: &Row) -> Result<(), Failure> {
        match self.format {
            Format::Jsonl => {
                serde_json::to_writer(&mut self.out, row)?;
                self.out.write_all(b"\n")?;
            }
            Format::Csv => {
                let mut csv = csv::WriterBuilder::new().has_headers(!self.begun).from_writer(&mut self.out);
                csv.serialize(row)?;
                csv.flush()?;
                self.begun = true;
            }
        }
        Ok(self.out.flush()?)
    }
}

/// On a terminal only.
fn progress(total: Option<u64>) -> ProgressBar {
    let (bar, template) = match total {
        Some(total) => (ProgressBar::new(total), "{wide_bar} {human_pos}/{human_len} {eta}"),
        None => (ProgressBar::no_length(), "{spinner} {human_pos} {elapsed}"),
    };
    // The templates are right.
    bar.set_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

#[derive(Default)]
struct Summary {
    there: usize,
    all: u64,
    changed: u64,
    failed: u64,
    statuses: BTreeMap<String, u64>,
}

impl Summary {
    fn add(&mut self, row: &Row) {
        self.all += 1;
        self.changed += u64::from(row.change.as_deref().is_some_and(|change| change != "First"));
        if row.error.is_some() {
            self.failed += 1;
        } else if let Some(status) = row.status {
            *self.statuses.entry(status.to_string()).or_default() += 1;
        }
    }
}

impl std::fmt::Display for Summary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{} looked at, {} changed, {} not read", self.all, self.changed, self.failed)?;
        if self.there > 0 {
            writeln!(f, "{} were there already", self.there)?;
        }
        self.statuses.iter().try_for_each(|(status, count)| writeln!(f, "  {status:<21} {count:>8}"))
    }
}
