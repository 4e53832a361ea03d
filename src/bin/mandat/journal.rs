//! Writes an output file that appears only when it is complete, and keeps the readings of a stopped run.
//!
//! A run that writes `monday.csv` creates a folder `monday.csv.mandat`. The creation fails if the folder exists, so
//! every file in the folder belongs to this program. The run appends each reading to a journal in the folder. At the
//! end, the run writes all rows in order to a second file, renames that file to `monday.csv`, and removes the folder.

use super::{
    Failure,
    file::{self, Format, Record, Table},
};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, HashMap},
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, BufRead, BufReader, BufWriter, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

pub struct Journal {
    /// The path of the output file, which appears at the end of the run.
    out: PathBuf,
    folder: PathBuf,
    file: File,
    /// The first line of the journal. A resumed run uses readings only from a journal with the same first line.
    head: Head,
    /// True if this run created the folder.
    is_new: bool,
    /// The length of the journal in bytes.
    length: u64,
    /// The offset of each row's entry in the journal.
    entries: BTreeMap<usize, u64>,
}

/// The first line of a journal, which describes the run.
#[derive(PartialEq, Serialize, Deserialize)]
struct Head {
    mandat_journal: u32,
    columns: Vec<String>,
    origin: String,
}

/// Any other line of a journal: the program's own cells of a row, as the run read them and as it wrote them.
#[derive(Serialize, Deserialize)]
struct Entry {
    given: Record,
    written: Record,
    again: bool,
}

const JOURNAL: &str = "journal";
const WHOLE: &str = "whole";

impl Journal {
    pub fn begin(out: &Path, resume: bool, origin: String) -> Result<Self, Failure> {
        let mut name = out
            .file_name()
            .ok_or_else(|| format!("{} is not the name of a file. Give the name of a file", out.display()))?
            .to_owned();
        name.push(".mandat");
        let folder = out.with_file_name(name);
        let (shown, kept) = (out.display(), folder.display());
        let made = match fs::create_dir(&folder) {
            Ok(()) => true,
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => false,
            Err(e) => return Err(format!("{kept}: {e}").into()),
        };
        let columns = file::Field::ALL.map(|field| field.name().to_owned()).to_vec();
        let head = Head { mandat_journal: 1, columns, origin };
        let opened = if made {
            // Check the output after the folder was created, because another run may just have renamed its file and
            // removed the folder.
            is_free(out, resume).and_then(|()| Self::create(out, folder.clone(), head))
        } else {
            Self::open(out, folder.clone(), head, resume)
        };
        if made && opened.is_err() {
            // If another run has already written to the folder, the folder is not empty and stays.
            let _ = fs::remove_dir(&folder);
        }
        opened.map_err(|why| format!("{shown}: {why}").into())
    }

    fn create(out: &Path, folder: PathBuf, head: Head) -> Result<Self, String> {
        let path = folder.join(JOURNAL);
        let file =
            OpenOptions::new().create_new(true).read(true).append(true).open(&path).map_err(|e| e.to_string())?;
        lock(&file, &path)?;
        let mut journal =
            Self { out: out.into(), folder, file, head, is_new: true, length: 0, entries: BTreeMap::new() };
        let mut line = serde_json::to_vec(&journal.head).map_err(|e| e.to_string())?;
        line.push(b'\n');
        journal.append(&line).map_err(|e| {
            let _ = fs::remove_file(&path);
            e.to_string()
        })?;
        Ok(journal)
    }

    /// Opens the journal of a stopped run, or returns an error if the caller did not ask to resume.
    fn open(out: &Path, folder: PathBuf, head: Head, resume: bool) -> Result<Self, String> {
        let kept = folder.display().to_string();
        let foreign = || format!("{kept} exists, and this program did not create it. Move it to another folder.");
        let path = folder.join(JOURNAL);
        let is = |path: &Path, kind: fn(&fs::Metadata) -> bool| fs::symlink_metadata(path).is_ok_and(|is| kind(&is));
        if !is(&folder, fs::Metadata::is_dir) {
            return Err(foreign());
        }
        if fs::read_dir(&folder).is_ok_and(|mut files| files.next().is_none()) {
            // The earlier run was stopped before its first write, so start a new journal.
            return Self::create(out, folder, head);
        }
        if !is(&path, fs::Metadata::is_file) {
            return Err(foreign());
        }
        let file = OpenOptions::new().read(true).append(true).open(&path).map_err(|e| format!("{kept}: {e}"))?;
        lock(&file, &path)?;
        if !resume {
            return Err(format!(
                "an earlier run with this output was stopped. To continue that run, add --resume. To start again, \
                 remove {kept}."
            ));
        }
        is_free(out, resume)
            .map_err(|why| format!("{why} {kept} belongs to a stopped run. Remove it if you do not need it."))?;
        let mut first = String::new();
        let read = BufReader::new(&file).take(1 << 16).read_line(&mut first);
        let ours = serde_json::from_str::<serde_json::Value>(&first).is_ok_and(|head| head["mandat_journal"].is_u64());
        // The earlier run was stopped while it wrote the first line, so the journal has no readings.
        let cut = !first.ends_with('\n') && r#"{"mandat_journal":"#.starts_with(first.get(..18).unwrap_or(&first));
        if read.is_err() || !(ours || cut) {
            return Err(foreign());
        }
        let length = file.metadata().map_err(|e| format!("{kept}: {e}"))?.len();
        Ok(Self { out: out.into(), folder, file, head, is_new: false, length, entries: BTreeMap::new() })
    }

    /// Returns the readings of the stopped run, by row. Removes an incomplete last line from the journal.
    pub fn take_over(
        &mut self,
        table: &Table,
        fresh: impl Fn(&Record) -> bool,
    ) -> Result<BTreeMap<usize, Record>, Failure> {
        let mut found: HashMap<Vec<String>, Vec<(u64, Record)>> = HashMap::new();
        let (mut at, mut same_head) = (0, false);
        let mut lines = BufReader::new(File::open(self.folder.join(JOURNAL))?);
        let mut line = Vec::new();
        loop {
            line.clear();
            let read = lines.read_until(b'\n', &mut line)? as u64;
            if !line.ends_with(b"\n") {
                break;
            }
            if at == 0 {
                same_head = serde_json::from_slice::<Head>(&line).is_ok_and(|head| head == self.head);
            } else if let Ok(entry) = serde_json::from_slice::<Entry>(&line)
                && same_head
                && !entry.again
                && fresh(&entry.written)
            {
                found.entry(key(&entry.given)).or_default().push((at, entry.written));
            }
            at += read;
        }
        if !same_head {
            // Discard all readings, and start the journal with the first line of this run.
            at = 0;
        }
        self.file.set_len(at)?;
        self.length = at;
        if at == 0 {
            let mut line = serde_json::to_vec(&self.head)?;
            line.push(b'\n');
            self.append(&line)?;
        }
        let mut taken = BTreeMap::new();
        for row in 0..table.rows.len() {
            // The journal has one entry for each of two equal rows.
            if let Some((at, written)) = found.get_mut(&key(&table.record(row))).and_then(Vec::pop) {
                self.entries.insert(row, at);
                taken.insert(row, written);
            }
        }
        Ok(taken)
    }

    pub fn put(&mut self, row: usize, given: Record, written: Record, again: bool) -> Result<(), Failure> {
        let mut line = serde_json::to_vec(&Entry { given, written, again })?;
        line.push(b'\n');
        let at = self.length;
        self.append(&line).map_err(|e| format!("{}: {e}", self.folder.join(JOURNAL).display()))?;
        self.entries.insert(row, at);
        Ok(())
    }

    fn append(&mut self, line: &[u8]) -> io::Result<()> {
        self.file.write_all(line)?;
        self.length += line.len() as u64;
        Ok(())
    }

    /// Writes all rows in their order, gives the output file its name, and removes the folder.
    pub fn finish(self, table: &Table, format: Format) -> Result<(), Failure> {
        let whole = self.folder.join(WHOLE);
        let told = |e: io::Error| format!("{}: {e}", whole.display());
        let mut out = BufWriter::new(File::create(&whole).map_err(told)?);
        let mut journal = BufReader::new(File::open(self.folder.join(JOURNAL))?);
        file::header(&mut out, format, &table.columns).map_err(told)?;
        let mut line = String::new();
        for (row, given) in table.rows.iter().enumerate() {
            let at = self.entries.get(&row).ok_or("a row of the output has no result. This is a bug in mandat")?;
            journal.seek(SeekFrom::Start(*at))?;
            line.clear();
            journal.read_line(&mut line)?;
            let entry: Entry = serde_json::from_str(&line).map_err(|e| format!("{}: {e}", self.folder.display()))?;
            out.write_all(format.before(row).as_bytes()).map_err(told)?;
            file::row(&mut out, format, &table.columns, &entry.written, &given.cells).map_err(told)?;
        }
        out.write_all(format.after(table.rows.len()).as_bytes()).map_err(told)?;
        let out = out.into_inner().map_err(|e| told(e.into_error()))?;
        // Sync the file before the rename, so that after a crash the name never points to an incomplete file.
        out.sync_all().map_err(told)?;
        drop(out);
        give_name(&whole, &self.out).map_err(|why| format!("{}: {why}", self.out.display()))?;
        let _ = fs::remove_file(self.folder.join(JOURNAL));
        // If somebody else put a file into the folder, the folder is not empty and stays.
        let _ = fs::remove_dir(&self.folder);
        Ok(())
    }

    /// Removes the folder if the run has saved no row. So a run that was stopped at its start leaves nothing behind.
    pub fn give_up(self) {
        if self.is_new && self.entries.is_empty() {
            let _ = fs::remove_file(self.folder.join(JOURNAL));
            let _ = fs::remove_dir(&self.folder);
        }
    }

    pub fn left(&self) -> String {
        if self.entries.is_empty() {
            return "No row is saved. To start again, run the same command, with or without --resume.".into();
        }
        format!(
            "{} rows are saved in {}. To continue, run the same command with --resume.",
            self.entries.len(),
            self.folder.display()
        )
    }
}

/// Returns the key of a row in the journal. Two rows have the same key if all cells of this program are the same.
fn key(given: &Record) -> Vec<String> {
    given.cells().map(|(_, cell)| cell.shown().to_owned()).collect()
}

/// Locks the journal. The lock fails if another run has removed the journal since this run opened it.
fn lock(file: &File, path: &Path) -> Result<(), String> {
    match file.try_lock() {
        Ok(()) if is_still(file, path) => Ok(()),
        Ok(()) | Err(TryLockError::WouldBlock) => {
            Err("another run is writing the output file. Wait until the other run ends.".into())
        }
        Err(TryLockError::Error(e)) => Err(format!("{} cannot be locked: {e}", path.display())),
    }
}

#[cfg(unix)]
fn is_still(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let same = |a: fs::Metadata, b: fs::Metadata| (a.dev(), a.ino()) == (b.dev(), b.ino());
    file.metadata().is_ok_and(|a| fs::symlink_metadata(path).is_ok_and(|b| same(a, b)))
}

#[cfg(not(unix))]
fn is_still(_: &File, path: &Path) -> bool {
    path.exists()
}

/// Returns an error if the path has a file that is not empty.
fn is_free(out: &Path, resume: bool) -> Result<(), String> {
    match fs::symlink_metadata(out) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(e) => Err(e.to_string()),
        Ok(is) if is.is_file() && is.len() == 0 => Ok(()),
        Ok(_) if resume => {
            Err("the file exists, so its run is complete and there is nothing to resume. Use another --out to read \
                 everything again."
                .into())
        }
        Ok(_) => Err("the output file exists, and this program never overwrites a file. Use another --out.".into()),
    }
}

fn give_name(whole: &Path, out: &Path) -> Result<(), String> {
    match fs::hard_link(whole, out) {
        Ok(()) => fs::remove_file(whole).map_err(|e| e.to_string()),
        // A hard link failed, because the output is an empty file from before the run, or the file system has no hard
        // links.
        Err(_) => {
            is_free(out, false).map_err(|_| {
                "somebody created the output file during the run. Move that file to another folder".to_owned()
            })?;
            fs::rename(whole, out).map_err(|e| e.to_string())
        }
    }
}
