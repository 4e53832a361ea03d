//! The output of the rows of a file: a stream, or a file that appears when it is complete.

use super::{
    Failure,
    file::{self, Field, Format, Record, Table},
    journal::Journal,
    output::{Cell, Form, Printer, Tone},
    status::tone,
};
use std::{
    collections::BTreeMap,
    fs::{self, OpenOptions},
    io::{self, IsTerminal, Write},
    path::Path,
};

/// Writes the rows of a table in the order of the input.
pub struct Output<'a> {
    table: &'a Table,
    format: Format,
    sink: Sink,
}

enum Sink {
    Stream(Stream),
    File(Journal),
}

/// The options with which [`Output::open`] opens an output.
pub struct Options<'a> {
    /// The path of the output file. `None` stands for standard output.
    pub out: Option<&'a Path>,
    pub resume: bool,
    pub format: Format,
    /// The cells to print on standard output in place of whole rows, if any.
    pub printed: Option<Form>,
    /// True if the output contains only rows that changed or could not be read.
    pub changes: bool,
    /// The addresses of the vendors. A resumed run does not use readings from other addresses.
    pub origin: String,
}

impl<'a> Output<'a> {
    /// Opens the output before any request. An output that cannot be written is an error here.
    pub fn open(table: &'a Table, options: Options<'_>) -> Result<Self, Failure> {
        let Options { out, resume, format, printed, changes, origin } = options;
        let sink = match out {
            None if printed.is_some() => {
                let printer = printed.map(|form| form.printer(&USUAL, &FURTHER)).transpose()?;
                Sink::Stream(Stream { printer, ..Stream::stdout(changes) })
            }
            None => Sink::Stream(Stream::stdout(changes)),
            Some(path) if STDOUT.iter().any(|name| path.as_os_str() == *name) => Sink::Stream(Stream::stdout(changes)),
            Some(path) => match special(path)? {
                true => Sink::Stream(Stream::special(path, changes)?),
                false => Sink::File(Journal::begin(path, resume, origin)?),
            },
        };
        let mut output = Self { table, format, sink };
        if let Sink::Stream(stream @ Stream { printer: None, .. }) = &mut output.sink {
            stream.write(|out| file::header(out, format, &table.columns))?;
        }
        Ok(output)
    }

    /// Returns the readings of a stopped run, by row. A reading is used if its row is unchanged and `fresh` accepts the
    /// reading.
    pub fn resumed(&mut self, fresh: impl Fn(&Record) -> bool) -> Result<BTreeMap<usize, Record>, Failure> {
        match &mut self.sink {
            Sink::Stream(_) => Ok(BTreeMap::new()),
            Sink::File(journal) => journal.take_over(self.table, fresh),
        }
    }

    /// Adds the result of a row. If `again` is true, a resumed run reads the mandate of the row again.
    pub fn put(&mut self, row: usize, written: Record, again: bool) -> Result<(), Failure> {
        match &mut self.sink {
            Sink::Stream(stream) => stream.put(row, written, self.table, self.format),
            Sink::File(journal) => journal.put(row, self.table.record(row), written, again),
        }
    }

    /// Completes the output. Call this function after the last row.
    pub fn finish(self) -> Result<(), Failure> {
        match self.sink {
            Sink::Stream(stream) => stream.finish(self.format),
            Sink::File(journal) => journal.finish(self.table, self.format),
        }
    }

    /// Returns the message for a run that ends while it is busy and cannot count its rows.
    pub fn advice(&self) -> &'static str {
        match self.sink {
            Sink::Stream(_) => "stopped.\n",
            Sink::File(_) => "stopped. To continue, run the same command with --resume.\n",
        }
    }

    /// Returns true if rows appear on a terminal one by one. A progress bar would be in their way.
    pub fn is_live(&self) -> bool {
        matches!(&self.sink, Sink::Stream(Stream { terminal: true, printer, .. })
            if printer.as_ref().is_none_or(|printer| !printer.is_aligned()))
    }

    /// Leaves no file behind if no row is saved.
    pub fn give_up(self) {
        if let Sink::File(journal) = self.sink {
            journal.give_up();
        }
    }

    /// Returns the message for a run that ends now: how many rows are saved, and how to continue.
    pub fn left(&self, rows: usize) -> String {
        match &self.sink {
            Sink::Stream(stream) => {
                format!("{} of {rows} rows are written. Only a run with --out can be resumed.", stream.next)
            }
            Sink::File(journal) => journal.left(),
        }
    }
}

/// Names of standard output. The program must not open them as files, because that could truncate a file, or fail on a
/// socket.
const STDOUT: [&str; 4] = ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"];

/// Returns true for a pipe or a device. Returns an error for a folder, and for a symbolic link to a file.
fn special(path: &Path) -> Result<bool, Failure> {
    let shown = path.display();
    let told = |e: io::Error| format!("{shown}: {e}");
    let is_link = match fs::symlink_metadata(path) {
        Ok(itself) => itself.is_symlink(),
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(e) => return Err(told(e).into()),
    };
    match fs::metadata(path) {
        Ok(target) if target.is_dir() => {
            Err(format!("{shown} is a folder. Give the name of a file in the folder.").into())
        }
        // A link to a device is allowed, such as /dev/fd/3 on some systems.
        Ok(target) if !target.is_file() => Ok(true),
        _ if is_link => Err(format!("{shown} is a symbolic link. Give the file to which the link points.").into()),
        Ok(_) => Ok(false),
        Err(e) => Err(told(e).into()),
    }
}

/// Writes rows in order. A row whose reading arrives early waits for the rows before it.
struct Stream {
    name: String,
    out: Box<dyn Write + Send>,
    terminal: bool,
    changes: bool,
    waiting: BTreeMap<usize, Record>,
    next: usize,
    /// The number of written rows.
    count: usize,
    /// Prints cells in place of whole rows.
    printer: Option<Printer>,
}

/// The columns of a row that people read.
const USUAL: [&str; 6] = ["reference", "status", "verdict", "change", "reasons", "error"];
const FURTHER: [&str; 14] = [
    "raw",
    "account",
    "signed_on",
    "signature_confirmed",
    "last_collection",
    "revoked_by_debtor",
    "one_off_used",
    "last_acknowledged",
    "recognized",
    "reinstated_from",
    "acknowledged_before",
    "source",
    "since",
    "observed_at",
];

/// Returns the cells of a row in the order of the columns.
fn cells(written: &Record) -> Vec<Cell> {
    let fields = USUAL.iter().chain(&FURTHER).filter_map(|name| Field::named(name));
    let cell = |field| {
        let text = written[field].shown();
        let colour = match field {
            Field::Status => text.parse().map_or(Tone::Plain, tone),
            Field::Verdict if text == "Allowed" => Tone::Good,
            Field::Verdict if text == "Refused" => Tone::Bad,
            Field::Verdict | Field::Change => Tone::Open,
            Field::Error => Tone::Bad,
            _ => Tone::Plain,
        };
        Cell::new(text).tone(colour)
    };
    fields.map(cell).collect()
}

impl Stream {
    fn to(name: String, out: Box<dyn Write + Send>, terminal: bool, changes: bool) -> Self {
        Self { name, out, terminal, changes, waiting: BTreeMap::new(), next: 0, count: 0, printer: None }
    }

    fn stdout(changes: bool) -> Self {
        Self::to("standard output".into(), Box::new(io::stdout()), io::stdout().is_terminal(), changes)
    }

    fn special(path: &Path, changes: bool) -> Result<Self, Failure> {
        let told = |e: io::Error| format!("{}: {e}", path.display());
        if is_pipe(&fs::metadata(path).map_err(told)?) {
            super::tell(&format!("{}: waiting until a program reads this pipe\n", path.display()));
        }
        let file = OpenOptions::new().write(true).open(path).map_err(told)?;
        let terminal = file.is_terminal();
        Ok(Self::to(path.display().to_string(), Box::new(file), terminal, changes))
    }

    fn put(&mut self, row: usize, written: Record, table: &Table, format: Format) -> Result<(), Failure> {
        self.waiting.insert(row, written);
        while let Some(written) = self.waiting.remove(&self.next) {
            if !self.changes || written.tells_something() {
                let (count, given) = (self.count, &table.rows[self.next].cells);
                self.count += 1;
                match &mut self.printer {
                    Some(printer) => printer.row(cells(&written), &())?,
                    None => self.write(|out| {
                        out.write_all(format.before(count).as_bytes())?;
                        file::row(out, format, &table.columns, &written, given)
                    })?,
                }
            }
            self.next += 1;
        }
        Ok(())
    }

    fn finish(mut self, format: Format) -> Result<(), Failure> {
        let count = self.count;
        match self.printer.take() {
            Some(printer) => printer.finish(),
            None => self.write(|out| out.write_all(format.after(count).as_bytes())),
        }
    }

    /// Writes a line and flushes it, so that the reader of a pipe sees the line immediately.
    fn write(&mut self, line: impl FnOnce(&mut Vec<u8>) -> io::Result<()>) -> Result<(), Failure> {
        let mut bytes = Vec::new();
        line(&mut bytes)?;
        if self.terminal {
            bytes = super::visible(&String::from_utf8_lossy(&bytes)).into_bytes();
        }
        match self.out.write_all(&bytes).and_then(|()| self.out.flush()) {
            // Return the error unchanged, because the caller checks its kind.
            Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Err(e.into()),
            written => written.map_err(|e| format!("{}: {e}", self.name).into()),
        }
    }
}

#[cfg(unix)]
fn is_pipe(kind: &fs::Metadata) -> bool {
    std::os::unix::fs::FileTypeExt::is_fifo(&kind.file_type())
}

#[cfg(not(unix))]
fn is_pipe(_: &fs::Metadata) -> bool {
    false
}
