//! The output of the program: the data of a command in one of four formats, and messages for people.
//!
//! A command makes a [`Printer`] before its first request, gives it one row for each record, and ends it with
//! [`Printer::finish`]. Every row has cells for the formats `table` and `csv`, and a value for the JSON formats.

use super::{Failure, Usage, file, layout};
use clap::ValueEnum;
use console::Style;
use serde::Serialize;
use std::{
    env,
    io::{self, Write},
    sync::OnceLock,
};

/// The format in which a command prints its data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people: fits a terminal. In a pipe: one line for each record, with complete cells and tabs between them.
    #[default]
    Table,
    /// One JSON array with an object for each record.
    Json,
    /// One JSON object a line for each record, as soon as the record is read.
    Jsonl,
    /// One line of CSV for each record, after a line with the names of the columns.
    Csv,
}

/// The options of a command that prints data.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Output")]
pub struct Form {
    /// The format of the output. `mandat schema` describes the JSON.
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
    format: Format,
    /// Print only these columns, in this order. For the formats table and csv. The error about an unknown name lists
    /// the names.
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    columns: Vec<String>,
    /// The same as --format jsonl.
    #[arg(long, conflicts_with_all = ["format", "columns"])]
    json: bool,
}

impl Form {
    pub fn new(format: Format, columns: Vec<String>) -> Self {
        Self { format, columns, json: false }
    }

    pub fn format(&self) -> Format {
        if self.json { Format::Jsonl } else { self.format }
    }

    pub fn is_json(&self) -> bool {
        matches!(self.format(), Format::Json | Format::Jsonl)
    }

    /// Starts the output of a command. Without `--columns`, it prints the `usual` columns. `further` are those that
    /// `--columns` can add.
    pub fn printer(&self, usual: &[&'static str], further: &[&'static str]) -> Result<Printer, Failure> {
        if self.is_json() && !self.columns.is_empty() {
            let why = "--columns chooses the cells of the formats table and csv. JSON has every field. Leave out one of the options";
            return Err(Usage(why.into()).into());
        }
        let all: Vec<&'static str> = usual.iter().chain(further).copied().collect();
        let chosen: Result<Vec<usize>, Usage> = self.columns.iter().map(|name| column(name, &all)).collect();
        let (chosen, is_default) = match chosen? {
            chosen if chosen.is_empty() => ((0..usual.len()).collect(), true),
            chosen => (chosen, false),
        };
        let names = chosen.iter().map(|at| all[*at]).collect();
        Ok(Printer { format: self.format(), names, chosen, is_default, is_live: false, rows: Vec::new(), count: 0 })
    }
}

/// Finds a column by its name. Ignores letter case and the characters between words.
fn column(name: &str, all: &[&'static str]) -> Result<usize, Usage> {
    let same = |known: &&str| file::squeezed(known) == file::squeezed(name);
    all.iter().position(same).ok_or_else(|| {
        let meant = file::suggestion(name, all.iter().copied());
        Usage(format!(
            "--columns: there is no column `{}`.{meant} The columns are {}",
            file::shown(name),
            all.join(", ")
        ))
    })
}

/// One cell of a table.
#[derive(Clone, Debug, Default)]
pub struct Cell {
    pub text: String,
    pub tone: Tone,
}

/// The meaning of a text, which decides its colour on a terminal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tone {
    #[default]
    Plain,
    /// You may act.
    Good,
    /// Something is open or not known.
    Open,
    /// You must not act, or something failed.
    Bad,
    /// Less important than the text beside it.
    Faint,
    /// A heading.
    Strong,
}

impl Cell {
    pub fn new(text: impl ToString) -> Self {
        Self { text: text.to_string(), tone: Tone::Plain }
    }

    /// Returns the cell of a value that may be absent.
    pub fn of(value: Option<impl ToString>) -> Self {
        value.map(Self::new).unwrap_or_default()
    }

    pub fn tone(self, tone: Tone) -> Self {
        Self { tone, ..self }
    }
}

/// Prints the records of one command in the format that the caller chose.
pub struct Printer {
    format: Format,
    names: Vec<&'static str>,
    /// The places of the printed cells in a row.
    chosen: Vec<usize>,
    /// True if the caller chose no columns.
    is_default: bool,
    /// True if each row is printed at once, so that the columns cannot be aligned.
    is_live: bool,
    /// The rows of a table on a terminal, which wait for the widths of their columns.
    rows: Vec<Vec<Cell>>,
    count: usize,
}

impl Printer {
    /// Prints each row at once, also in a table on a terminal.
    pub fn live(self) -> Self {
        Self { is_live: true, ..self }
    }

    pub fn is_json(&self) -> bool {
        matches!(self.format, Format::Json | Format::Jsonl)
    }

    /// Returns true if people read this output as a text: it is the usual table, without chosen columns.
    pub fn is_text(&self) -> bool {
        self.format == Format::Table && self.is_default
    }

    /// Returns true if [`is_text`](Self::is_text) and the output is a terminal.
    pub fn is_screen(&self) -> bool {
        self.is_text() && screen().width.is_some()
    }

    /// Returns true if the rows wait for the end, when their columns are aligned.
    pub fn is_aligned(&self) -> bool {
        self.format == Format::Table && screen().width.is_some() && !self.is_live
    }

    /// Prints one record. `cells` has a cell for each usual and each further column, in this order.
    pub fn row(&mut self, mut cells: Vec<Cell>, json: &impl Serialize) -> Result<(), Failure> {
        let chosen = |cells: &mut Vec<Cell>| -> Vec<Cell> {
            self.chosen.iter().map(|at| cells.get(*at).cloned().unwrap_or_default()).collect()
        };
        let bytes = match self.format {
            Format::Table if self.is_aligned() => {
                let cells = chosen(&mut cells);
                self.rows.push(cells);
                return Ok(());
            }
            Format::Table => {
                let cells = chosen(&mut cells);
                let line: Vec<String> = cells.iter().map(|cell| paint(cell.tone, &in_line(&cell.text))).collect();
                format!("{}\n", line.join("\t")).into_bytes()
            }
            Format::Json => {
                let start = file::Format::Json.before(self.count);
                format!("{start}{}", file::json_line(json)?.trim_end()).into_bytes()
            }
            Format::Jsonl => file::json_line(json)?.into_bytes(),
            Format::Csv => {
                let mut bytes = self.csv_header()?;
                let cells = chosen(&mut cells);
                file::csv_line(&mut bytes, cells.iter().map(|cell| cell.text.as_str()))?;
                bytes
            }
        };
        self.count += 1;
        write_out(&bytes)
    }

    /// Prints one record for people as a text of its own, in place of cells. Call this function only if
    /// [`is_text`](Self::is_text).
    pub fn text(&mut self, text: &str) -> Result<(), Failure> {
        self.count += 1;
        match screen().width {
            Some(width) => write_out(layout::fitted(text, width).as_bytes()),
            None => write_out(text.as_bytes()),
        }
    }

    fn csv_header(&self) -> Result<Vec<u8>, Failure> {
        let mut bytes = Vec::new();
        if self.count == 0 {
            file::csv_line(&mut bytes, self.names.iter().copied())?;
        }
        Ok(bytes)
    }

    /// Ends the output: prints the table of a terminal, and closes a JSON array.
    pub fn finish(mut self) -> Result<(), Failure> {
        let rows = std::mem::take(&mut self.rows);
        match (self.format, screen().width) {
            (Format::Table, Some(width)) if !rows.is_empty() => {
                let titles = self.names.iter().map(|name| name.replace('_', " ").to_uppercase());
                let titles = titles.map(|name| Cell::new(name).tone(Tone::Strong)).collect();
                let rows: Vec<Vec<Cell>> = std::iter::once(titles).chain(rows).collect();
                write_out(aligned(&rows, width).as_bytes())
            }
            (Format::Json, _) => write_out(file::Format::Json.after(self.count).as_bytes()),
            (Format::Csv, _) => write_out(&self.csv_header()?),
            _ => Ok(()),
        }
    }
}

/// Prints one JSON document, such as a schema.
pub fn document(json: &impl Serialize) -> Result<(), Failure> {
    write_out(format!("{}\n", serde_json::to_string_pretty(json)?).as_bytes())
}

/// Returns the rows as lines with aligned columns that fit the width.
fn aligned(rows: &[Vec<Cell>], width: usize) -> String {
    let texts: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(|cell| in_line(&cell.text)).collect()).collect();
    let mut out = String::new();
    for (row, line) in rows.iter().zip(layout::columns(&texts, width)) {
        let painted: Vec<String> = row.iter().zip(line).map(|(cell, text)| paint(cell.tone, &text)).collect();
        out += painted.join("  ").trim_end();
        out.push('\n');
    }
    out
}

/// Returns a text without line ends, tabs and invisible characters, which would break a line of a table.
fn in_line(text: &str) -> String {
    visible(text).replace(['\n', '\t', '\r'], " ")
}

/// Writes bytes to standard output and flushes them, so that the reader of a pipe sees them immediately. Returns an
/// error of a closed pipe unchanged, because the caller checks its kind.
pub fn write_out(bytes: &[u8]) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Err(e.into()),
        written => written.map_err(|e| format!("standard output: {e}").into()),
    }
}

/// The terminal of this process.
#[derive(Clone, Copy, Debug, Default)]
pub struct Screen {
    /// The width of standard output, if it is a terminal.
    pub width: Option<usize>,
    /// The width of standard error, if it is a terminal.
    errors_width: Option<usize>,
    colored: bool,
    errors_colored: bool,
    pub quiet: bool,
}

/// The options for all commands.
#[derive(Clone, Copy, Debug, Default, clap::Args)]
pub struct Look {
    /// Use colours: always, never, or on a terminal. NO_COLOR and CLICOLOR_FORCE are respected.
    #[arg(
        long,
        value_enum,
        value_name = "WHEN",
        default_value_t,
        global = true,
        help_heading = "Output",
        display_order = 900
    )]
    color: Color,
    /// Print no progress, no summary and no remarks. Errors are printed.
    #[arg(long, short, global = true, help_heading = "Output", display_order = 901)]
    quiet: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Color {
    #[default]
    Auto,
    Always,
    Never,
}

static SCREEN: OnceLock<Screen> = OnceLock::new();

/// Returns the terminal. There is one for the whole process, so no function takes it as an argument.
pub fn screen() -> &'static Screen {
    static PLAIN: Screen =
        Screen { width: None, errors_width: None, colored: false, errors_colored: false, quiet: false };
    SCREEN.get().unwrap_or(&PLAIN)
}

/// Examines the terminal once, before the command runs.
pub fn begin(look: Look) {
    let colored = |is_terminal: bool| match look.color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto if is_set("NO_COLOR") => false,
        Color::Auto if is_set("CLICOLOR_FORCE") && env::var_os("CLICOLOR_FORCE").is_some_and(|force| force != "0") => {
            true
        }
        Color::Auto => is_terminal && env::var_os("TERM").is_none_or(|term| term != "dumb"),
    };
    let width = |terminal: console::Term| terminal.is_term().then(|| usize::from(terminal.size().1).max(20));
    let (width, errors_width) = (width(console::Term::stdout()), width(console::Term::stderr()));
    // `set` fails only at a second call, and there is none.
    let _ = SCREEN.set(Screen {
        width,
        errors_width,
        colored: colored(width.is_some()),
        errors_colored: colored(errors_width.is_some()),
        quiet: look.quiet,
    });
}

fn is_set(name: &str) -> bool {
    env::var_os(name).is_some_and(|value| !value.is_empty())
}

/// Returns the text in the colour of its tone, if standard output has colours.
pub fn paint(tone: Tone, text: &str) -> String {
    styled(tone, text, screen().colored)
}

fn styled(tone: Tone, text: &str, colored: bool) -> String {
    let style = match tone {
        Tone::Plain => return text.to_owned(),
        Tone::Good => Style::new().green(),
        Tone::Open => Style::new().yellow(),
        Tone::Bad => Style::new().red(),
        Tone::Faint => Style::new().dim(),
        Tone::Strong => Style::new().bold(),
    };
    if colored { style.force_styling(true).apply_to(text).to_string() } else { text.to_owned() }
}

/// Returns a labelled text of a record, indented and wrapped to the terminal. The label is empty for a further text of
/// the same label.
pub fn labelled(label: &str, text: &str, tone: Tone) -> String {
    const INDENT: usize = 11;
    let width = screen().width.unwrap_or(usize::MAX).saturating_sub(INDENT);
    let mut out = String::new();
    for (at, line) in layout::wrapped(&visible(text), width).iter().enumerate() {
        let label = if at == 0 { label } else { "" };
        out += &format!("  {label:<8} {}\n", paint(tone, line));
    }
    out
}

/// Writes a message to standard error. Ignores a closed stream, on which `eprint!` would panic.
pub fn tell(text: &str) {
    let _ = io::stderr().write_all(for_errors(visible(text)).as_bytes());
}

/// Breaks the lines of a message, if standard error is a terminal.
fn for_errors(text: String) -> String {
    screen().errors_width.map_or_else(|| text.clone(), |width| layout::fitted(&text, width))
}

/// Writes a remark to standard error, unless the caller wants none.
pub fn remark(text: &str) {
    if !screen().quiet {
        tell(text);
    }
}

/// Writes an error to standard error.
pub fn complain(text: &str) {
    let name = styled(Tone::Bad, "mandat:", screen().errors_colored);
    let _ = io::stderr().write_all(for_errors(format!("{name} {}\n", visible(text))).as_bytes());
}

/// Replaces control characters in a text, because a terminal would execute them.
pub fn visible(text: &str) -> String {
    text.replace(|c: char| file::invisible(c) && !matches!(c, '\n' | '\t'), "?")
}
