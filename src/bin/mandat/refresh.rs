//! The command `mandat refresh` reads many mandates from a file, and writes the readings to a file.

use super::{
    End, Failure, Usage,
    connect::{self, Connection, told},
    file::{self, Fault, Field, Record, Table},
    input,
    output::{Form, Format, remark, screen, tell},
    sink::{Options, Output},
    stop::{end_line, stopped},
    summary::{Cause, Kind, Summary},
};
use chrono::{TimeDelta, Utc};
use clap::ValueEnum;
use futures_util::StreamExt;
use indicatif::{ProgressBar, ProgressFinish, ProgressState, ProgressStyle};
use mandat::{MandateRef, StatusQuery};
use std::{
    collections::{BTreeMap, HashMap},
    fmt, io,
    path::{Path, PathBuf},
    pin::pin,
    time::Duration,
};

/// Read every mandate of a file and report changes.
///
/// FILE is a list with one reference per line, or CSV or JSON lines with a column `reference`. FILE can also be the
/// output of an earlier run: the command then compares with the state in the file. Rows keep their order.
///
/// For mandates to collect on, write the facts in the columns signed_on, signature_confirmed, last_collection,
/// revoked_by_debtor and one_off_used. The verdict names each missing fact. Write a date as 2026-09-01 or 01/09/2026.
/// Write the other facts as yes or no, true or false, oui or non, 1 or 0.
///
/// Name your own columns with --own, or begin their names with x_. Any other column stops the run.
///
/// A summary on standard error counts the rows. Press Ctrl-C to stop: with --out, the finished rows are saved, and
/// --resume continues.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  mandat refresh mandates.csv --out monday.csv
  mandat refresh monday.csv --out tuesday.csv
  mandat refresh tuesday.csv --changes
  mandat --sandbox refresh --columns reference,status,verdict")]
pub struct Arguments {
    /// The file of mandates. `-` is standard input.
    #[arg(value_name = "FILE")]
    input: Option<PathBuf>,
    /// Write to this file instead of standard output. The file appears when the run is complete.
    #[arg(long, short, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Continue a stopped run with this --out. Rows without a reading are read again.
    #[arg(long, requires = "out")]
    resume: bool,
    /// With --resume, read a row again if its reading is older than this: 90s, 15m, 1h.
    #[arg(long, value_name = "AGE", value_parser = age, default_value = "1h")]
    max_age: TimeDelta,
    /// The name of a column of your own, which the command copies to the output. Repeat the option, or separate names
    /// by commas.
    #[arg(long, value_name = "COLUMN", value_delimiter = ',')]
    own: Vec<String>,
    /// The format of the rows. `table` is for people, and only for standard output. [default: csv; on a terminal table]
    #[arg(long, value_enum, value_name = "FORMAT", help_heading = "Output")]
    format: Option<Format>,
    /// Print only these columns, in this order. For the formats table and csv on standard output.
    #[arg(long, value_name = "NAMES", value_delimiter = ',', conflicts_with = "out", help_heading = "Output")]
    columns: Vec<String>,
    /// The same as --format jsonl.
    #[arg(long, conflicts_with_all = ["format", "columns"], help_heading = "Output")]
    json: bool,
    /// The form of the summary on standard error. `mandat schema summary` describes the JSON.
    #[arg(long, value_enum, value_name = "FORM", default_value_t, help_heading = "Output")]
    summary: SummaryFormat,
    /// Write only rows that changed or were not read. Do not use the result as input for the next run.
    #[arg(long, conflicts_with = "out")]
    changes: bool,
    /// The program accepts and ignores this option. The rows of one client may be in any order.
    #[arg(long, hide = true)]
    sorted: bool,
    #[command(flatten)]
    pub connection: connect::Options,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum SummaryFormat {
    #[default]
    Text,
    Json,
}

pub fn age(text: &str) -> Result<TimeDelta, &'static str> {
    let split = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        _ => return Err("write the age as 90s, 15m or 1h"),
    };
    let number = number.parse::<u32>().map_err(|_| "write the age as 90s, 15m or 1h")?;
    Ok(TimeDelta::seconds(i64::from(number) * seconds))
}

pub async fn run(arguments: Arguments, before: connect::Options) -> Result<End, Failure> {
    let Arguments { input, out, resume, max_age, own, format, columns, json, summary: form, changes, .. } = arguments;
    let options = before.or(arguments.connection);
    options.named(input.is_some(), "no file of mandates. Add a file")?;
    let usual = if out.is_none() && screen().width.is_some() { Format::Table } else { Format::Csv };
    let format = if json { Format::Jsonl } else { format.unwrap_or(usual) };
    if format == Format::Table && out.is_some() {
        return Err(Usage("the next run cannot read a table. Use --format csv with --out".into()).into());
    }
    let printed = (format == Format::Table || !columns.is_empty()).then(|| Form::new(format, columns));
    let format = match format {
        Format::Json => file::Format::Json,
        Format::Jsonl => file::Format::Jsonl,
        Format::Table | Format::Csv => file::Format::Csv,
    };
    let connection = connect::connect(options).await?;
    let table = read(input.as_deref(), &own, &connection)?;
    // Register the signal handlers before the journal is created. Otherwise a signal at the start would leave a
    // journal, and print no advice to resume.
    let signals = (stopped()?, stopped()?);
    let options = Options { out: out.as_deref(), resume, format, printed, changes, origin: connection.origin() };
    let mut output = match Output::open(&table, options) {
        Err(why) if is_closed(&why) => return Ok(End::Complete),
        opened => opened?,
    };
    let ended = ask(&table, max_age, &mut output, &connection, signals).await;
    let summary = match ended {
        Ok(Ended::Done(summary)) => summary,
        Ok(Ended::Stopped(code)) => {
            tell(&format!("stopped. {}\n", output.left(table.rows.len())));
            output.give_up();
            return Ok(End::Stopped(code));
        }
        // No program reads the output pipe any more. This is no failure of the command.
        Err(why) if is_closed(&why) => {
            tell(&format!("nobody reads the output any more. {}\n", output.left(table.rows.len())));
            return Ok(End::Complete);
        }
        Err(why) => return Err(format!("{why}. {}", output.left(table.rows.len())).into()),
    };
    let left = output.left(table.rows.len());
    output.finish().map_err(|why| format!("{why}. {left}"))?;
    match form {
        SummaryFormat::Text => remark(&summary.to_string()),
        SummaryFormat::Json => tell(&file::json_line(&summary.form())?),
    }
    Ok(match summary.not_read() {
        0 => End::Complete,
        _ if summary.none_read() => End::Nothing,
        _ => End::Incomplete,
    })
}

fn is_closed(why: &Failure) -> bool {
    why.downcast_ref().is_some_and(|e: &io::Error| e.kind() == io::ErrorKind::BrokenPipe)
}

fn read(path: Option<&Path>, own: &[String], connection: &Connection) -> Result<Table, Failure> {
    let Some(path) = path else {
        let samples = connection.or_samples(Vec::new());
        let samples: String = samples.iter().map(|reference| format!("{reference}\n")).collect();
        return Ok(Table::read(&samples, own)?);
    };
    let (shown, text) = (path.display(), input::read(path)?);
    let table = Table::read(&text, own).map_err(|why| format!("{shown}, {why}"))?;
    if table.rows.is_empty() && !table.has_header {
        return Err(format!("{shown} is empty. Write at least one reference, or a header").into());
    }
    if table.rows.is_empty() {
        remark(&format!("{shown} names columns, but contains no mandate\n"));
    }
    Ok(table)
}

enum Ended {
    Done(Summary),
    Stopped(u8),
}

/// Reads the mandates of all rows that have no reading yet.
async fn ask(
    table: &Table,
    max_age: TimeDelta,
    output: &mut Output<'_>,
    connection: &Connection,
    (stopped, late): (impl Future<Output = u8>, impl Future<Output = u8> + Send + 'static),
) -> Result<Ended, Failure> {
    let mut stopped = pin!(stopped);
    let advice = output.advice();
    tokio::spawn(async move {
        let code = late.await;
        // A write to a full pipe that nobody reads would block for ever, so wait only this long.
        tokio::time::sleep(GRACE).await;
        // Standard error may be the blocked pipe, so write the advice in a separate thread.
        std::thread::spawn(move || tell(advice));
        tokio::time::sleep(GRACE / 10).await;
        std::process::exit(code.into());
    });
    let now = Utc::now();
    let fresh =
        |written: &Record| written.observed_at().is_some_and(|at| (TimeDelta::zero()..=max_age).contains(&(now - at)));
    let taken = output.resumed(fresh)?;
    let mut summary = Summary::default();
    summary.resumed = taken.len();
    let progress = progress(table.rows.len(), !output.is_live());
    progress.inc(taken.len() as u64);
    taken.values().for_each(|written| summary.read(written));
    let line = |row: usize| table.rows[row].line;

    let Plan { wanted, refused } = plan(table, |row| taken.contains_key(&row));
    for (row, fault) in refused {
        let cause = Cause {
            label: format!("`{}` cannot be used", fault[0].column.name()),
            text: fault_text(line(row), &fault),
            kind: Kind::NotRead,
        };
        summary.failed(line(row), &cause);
        output.put(row, table.record(row).of_failure(cause.kind.reason(), &cause.text), true)?;
        progress.inc(1);
    }
    let rows: HashMap<MandateRef, Vec<usize>> =
        wanted.iter().map(|(tracked, rows)| (tracked.reference.clone(), rows.clone())).collect();
    // The plan already groups the mandates by client, so the batch need not sort them.
    let mut readings = connection.mandates.statuses(wanted.into_iter().map(|(tracked, _)| tracked)).sorted_by_client();
    loop {
        let reading = tokio::select! {
            reading = readings.next() => reading,
            code = &mut stopped => {
                // The bar takes its line with it, and the `^C` after it.
                if progress.is_hidden() {
                    end_line();
                }
                progress.finish_and_clear();
                return Ok(Ended::Stopped(code));
            }
        };
        let Some(reading) = reading else { break };
        for row in rows.get(&reading.query.reference).into_iter().flatten().copied() {
            let (written, again) = match &reading.result {
                Ok(mandate) => {
                    let written = Record::of_reading(&reading.query, mandate, Utc::now());
                    summary.read(&written);
                    (written, false)
                }
                Err(error) => {
                    let cause = Cause::of(error, told(error));
                    summary.failed(line(row), &cause);
                    (table.record(row).of_failure(cause.kind.reason(), &cause.text), true)
                }
            };
            output.put(row, written, again)?;
            progress.inc(1);
        }
    }
    progress.finish_and_clear();
    Ok(Ended::Done(summary))
}

/// The maximum duration of a write after a signal.
const GRACE: Duration = Duration::from_secs(3);

fn fault_text(line: usize, faults: &[Fault]) -> String {
    let faults = faults.iter().map(|Fault { column, text }| {
        let end = if text.ends_with(['.', '?']) { "" } else { "." };
        format!("`{}`: {text}{end}", column.name())
    });
    format!("line {line}, {}", faults.collect::<Vec<_>>().join(" "))
}

/// The mandates to read with their rows, and the rows with invalid cells.
struct Plan {
    wanted: Vec<(StatusQuery, Vec<usize>)>,
    refused: Vec<(usize, Vec<Fault>)>,
}

fn plan(table: &Table, is_done: impl Fn(usize) -> bool) -> Plan {
    let (mut named, mut order, mut refused) = (HashMap::new(), Vec::new(), Vec::new());
    for row in 0..table.rows.len() {
        match table.tracked(row) {
            Err(faults) => refused.push((row, faults)),
            Ok(tracked) => {
                let rows: &mut Vec<(usize, StatusQuery)> =
                    named.entry(tracked.reference.clone()).or_insert_with(|| {
                        order.push(tracked.reference.clone());
                        Vec::new()
                    });
                rows.push((row, tracked));
            }
        }
    }
    let mut wanted = Vec::new();
    for reference in order {
        let rows = named.remove(&reference).unwrap_or_default();
        match conflict(table, &rows) {
            Some(fault) => refused.extend(rows.into_iter().map(|(row, _)| (row, vec![fault.clone()]))),
            None => {
                let open: Vec<usize> = rows.iter().map(|(row, _)| *row).filter(|row| !is_done(*row)).collect();
                let tracked = rows.into_iter().next().map(|(_, tracked)| tracked);
                wanted.extend(tracked.filter(|_| !open.is_empty()).map(|tracked| (tracked, open)));
            }
        }
    }
    Plan { wanted: by_client(wanted), refused }
}

/// Returns an error if two rows of one mandate have different facts or a different stored state.
fn conflict(table: &Table, rows: &[(usize, StatusQuery)]) -> Option<Fault> {
    let ((first, known), others) = rows.split_first()?;
    others.iter().find_map(|(row, tracked)| {
        let differing = file::differing(known, tracked);
        (!differing.is_empty()).then(|| Fault {
            column: Field::Reference,
            text: format!(
                "lines {} and {} name the same mandate but differ in {}. Correct or delete one of the lines",
                table.rows[*first].line,
                table.rows[*row].line,
                differing.join(", ")
            ),
        })
    })
}

/// Groups the mandates by client. The place of a group is that of its first mandate.
fn by_client(wanted: Vec<(StatusQuery, Vec<usize>)>) -> Vec<(StatusQuery, Vec<usize>)> {
    let mut groups: BTreeMap<usize, Vec<_>> = BTreeMap::new();
    let mut clients = HashMap::new();
    for (place, item) in wanted.into_iter().enumerate() {
        let client = item.0.reference.client_id().map(|client| (item.0.reference.provider(), client.to_owned()));
        let place = client.map_or(place, |client| *clients.entry(client).or_insert(place));
        groups.entry(place).or_default().push(item);
    }
    groups.into_values().flatten().collect()
}

/// Returns the progress bar, which is visible only on a terminal. It disappears when the run ends for any reason.
fn progress(rows: usize, is_shown: bool) -> ProgressBar {
    if screen().quiet || !is_shown {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(rows as u64).with_finish(ProgressFinish::AndClear);
    // The template of the progress bar is a valid constant, so this error does not occur.
    let style = ProgressStyle::with_template("{wide_bar} {human_pos}/{human_len}  {rate}  {eta} left");
    let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
    // `{per_sec}` would show a fraction of a row.
    bar.set_style(style.with_key("rate", |state: &ProgressState, out: &mut dyn fmt::Write| {
        // A failed write to the line of the bar leaves the rate out.
        let _ = write!(out, "{:.0}/s", state.per_sec());
    }));
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}
