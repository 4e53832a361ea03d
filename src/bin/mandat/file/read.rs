//! Reads a file of mandates: a list of references, CSV in any of its forms, or JSON lines.

use super::{
    Fault, Field, Record,
    cell::{self, Cell, blank, nearest},
    columns::{self, Columns},
};
use mandat::{Provider, StatusQuery};
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    io::Read,
};

/// The rows of a file of mandates, and its columns.
#[derive(Debug)]
pub struct Table {
    pub columns: Columns,
    pub rows: Vec<Row>,
    /// True if the first line of the file names the columns.
    pub has_header: bool,
}

/// One row of the file. The row spans several lines if a quoted cell contains line ends.
#[derive(Debug)]
pub struct Row {
    /// The number of the row's first line in the file, counted from 1.
    pub line: usize,
    /// The cells of the row, at the places of the table's columns.
    pub cells: Vec<Cell>,
}

impl Table {
    /// Returns the cells of a row in the columns of this program.
    pub fn record(&self, row: usize) -> Record {
        let mut record = Record::default();
        for field in Field::ALL {
            if let Some(cell) = self.columns.place(field).and_then(|place| self.rows[row].cells.get(place)) {
                record[field] = cell.clone();
            }
        }
        record
    }

    /// Returns the mandate of a row, with its facts and stored state, or the invalid cells of the row.
    pub fn tracked(&self, row: usize) -> Result<StatusQuery, Vec<Fault>> {
        let record = self.record(row);
        let reference = record[Field::Reference].trimmed();
        // In a list without columns, a second word belongs to another column, such as an IBAN.
        if !self.has_header && reference.contains(char::is_whitespace) && !reference.contains(" #") {
            let text = "the line contains more than a reference. Write one reference and nothing else. Write %20 for a \
                        blank in an id";
            return Err(vec![Fault { column: Field::Reference, text: text.into() }]);
        }
        record.tracked()
    }

    /// Reads the whole file. An error gives a line and makes the whole file unusable. [`tracked`](Self::tracked) finds
    /// the invalid cells of a single row.
    pub fn read(text: &str, own: &[String]) -> Result<Self, String> {
        let Some(head) = Head::find(text)? else {
            return Ok(Self { columns: Columns::of_list(), rows: Vec::new(), has_header: false });
        };
        match head.form {
            Form::List => Ok(list(text)),
            Form::Csv(separator) => csv(text, &head, separator, own),
            Form::JsonLines => json_lines(text, own),
        }
    }
}

enum Form {
    List,
    Csv(u8),
    JsonLines,
}

/// The first line of the file with content.
struct Head {
    form: Form,
    /// The offset of the first line in bytes.
    start: usize,
    line: usize,
}

const SEPARATORS: [char; 4] = [';', ',', '\t', '|'];

impl Head {
    /// Finds the first line with content. Returns `None` for a file without content.
    fn find(text: &str) -> Result<Option<Self>, String> {
        let mut hint = None;
        for (line, start, content) in lines(text) {
            if let Some(separator) = separator_hint(content) {
                hint = Some(separator);
                continue;
            }
            let head = |form| Ok(Some(Self { form, start, line }));
            if content.chars().all(|c| blank(c) || SEPARATORS.contains(&c)) {
                continue;
            }
            if content.starts_with('{') {
                return head(Form::JsonLines);
            }
            let names = |separator: char| first_record(&text[start..], separator as u8);
            if let Some(separator) = separator(hint, content, names) {
                return head(Form::Csv(separator as u8));
            }
            if content.starts_with('#') {
                continue;
            }
            if content.starts_with('[') {
                return Err(format!(
                    "line {line}: the file is a JSON array. Write one JSON object per line, with jq -c '.[]'"
                ));
            }
            // A header with another separator, such as `RUM:IBAN`, would turn all lines into references. So the line
            // must name a vendor.
            let names_vendor = content.trim_start_matches('"').split_once(':').is_some_and(|(name, _)| {
                nearest(name, Provider::ALL.iter().map(|provider| provider.as_str())).is_some()
            });
            if content.contains(SEPARATORS) || !names_vendor {
                let widest = SEPARATORS.into_iter().map(names).max_by_key(Vec::len).unwrap_or_default();
                return Err(no_reference(line, &widest));
            }
            return head(Form::List);
        }
        Ok(None)
    }
}

/// Returns the separator with which the line is a header with a column `reference`. A `sep=` line of Excel has
/// priority. Otherwise the function chooses the separator with the fewest unknown column names.
fn separator(hint: Option<char>, line: &str, names: impl Fn(char) -> Vec<String>) -> Option<char> {
    let unknown = |separator: &char| {
        let names = names(*separator);
        let fields: Vec<_> = names.iter().map(|name| Field::named(cell::read_harmless(name))).collect();
        // A comment may consist of the word `reference` alone, which is then no header.
        let remark = names.len() == 1 && line.starts_with('#');
        let found = !remark && fields.contains(&Some(Field::Reference));
        found.then(|| fields.iter().filter(|field| field.is_none()).count())
    };
    let hint = hint.filter(|separator| unknown(separator).is_some());
    hint.or_else(|| SEPARATORS.into_iter().filter(|c| unknown(c).is_some()).min_by_key(unknown))
}

/// Returns the error for a header without the column `reference`. The error quotes a name only if the name is similar
/// to `reference`, because other names may be cells of a file without a header.
fn no_reference(line: usize, names: &[String]) -> String {
    let near = names.iter().find_map(|name| Some((name, nearest(name, ["reference"])?)));
    let near = near.map(|(name, meant)| format!(" Did you mean `{meant}` instead of `{}`?", columns::shown(name)));
    format!(
        "line {line}: the line is neither a reference nor a header with a column `reference`.{} Write one reference per \
         line (safedebit:RUM-1), or name the columns in the first line: reference,signed_on",
        near.unwrap_or_default()
    )
}

/// Returns each line with its number, counted from 1, and its offset in bytes. Lines end as on Windows, Unix or an old
/// Mac.
fn lines(text: &str) -> impl Iterator<Item = (usize, usize, &str)> {
    let (mut start, mut number) = (0, 0);
    std::iter::from_fn(move || {
        let rest = text.get(start..).filter(|rest| !rest.is_empty())?;
        let length = rest.find(['\r', '\n']).unwrap_or(rest.len());
        let here = start;
        start += length + if rest[length..].starts_with("\r\n") { 2 } else { 1 };
        number += 1;
        Some((number, here, rest[..length].trim_matches(blank)))
    })
}

/// Returns the separator that Excel names in a line such as `sep=;`.
fn separator_hint(line: &str) -> Option<char> {
    let line = line.trim_matches('"').to_ascii_lowercase();
    // If the separator is a tab, `lines` has already removed it from the end of the line.
    let separator = line.strip_prefix("sep=")?.chars().next().unwrap_or('\t');
    Some(separator).filter(char::is_ascii)
}

fn first_record(text: &str, separator: u8) -> Vec<String> {
    let mut record = csv::StringRecord::new();
    let read = reader(separator).from_reader(text.as_bytes()).read_record(&mut record);
    if read.is_ok() { record.iter().map(str::to_owned).collect() } else { Vec::new() }
}

fn reader(separator: u8) -> csv::ReaderBuilder {
    let mut reader = csv::ReaderBuilder::new();
    reader.has_headers(false).flexible(true).delimiter(separator);
    reader
}

fn list(text: &str) -> Table {
    let rows = lines(text).filter(|(_, _, content)| !content.is_empty() && !content.starts_with('#'));
    let quoted = |content: &str| content.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).map(str::to_owned);
    let rows = rows.map(|(line, _, content)| {
        let reference = quoted(content).unwrap_or_else(|| content.to_owned());
        Row { line, cells: vec![Cell::text(reference)] }
    });
    Table { columns: Columns::of_list(), rows: rows.collect(), has_header: false }
}

/// A row that the program adds after the last row. If a quoted cell is not closed, this row becomes a part of that
/// cell.
const END: &str = "\u{1}end";

fn csv(text: &str, head: &Head, separator: u8, own: &[String]) -> Result<Table, String> {
    let (body, end) = (&text[head.start..], format!("\n{END}\n"));
    let mut reader = reader(separator).from_reader(body.as_bytes().chain(end.as_bytes()));
    let mut record = csv::StringRecord::new();
    let (mut rows, mut lines) = (Vec::new(), Lines { text: body, line: head.line, at: 0 });
    let (mut names, mut faults): (Option<Vec<String>>, Vec<String>) = (None, Vec::new());
    let mut line = head.line;
    loop {
        let before = line;
        line = lines.at(usize::try_from(reader.position().byte()).unwrap_or(usize::MAX));
        if !reader.read_record(&mut record).map_err(|_| format!("line {line}: the line is not readable as CSV"))? {
            // The added row is missing, so it became a part of a quoted cell that is not closed.
            return Err(format!(
                "line {before}: a quotation mark opens a cell, and no quotation mark closes the cell. Add one"
            ));
        }
        if record.len() == 1 && &record[0] == END {
            break;
        }
        let cells = record.iter().map(cell::read_harmless);
        match &names {
            None => names = Some(cells.map(str::to_owned).collect()),
            Some(names) => match row(cells.map(Cell::from).collect(), names.len(), separator) {
                Ok(cells) if cells.iter().all(Cell::is_blank) => {}
                Ok(cells) => rows.push(Row { line, cells }),
                Err(why) => faults.push(format!("line {line}: {why}")),
            },
        }
    }
    if !faults.is_empty() {
        let more = faults.len().saturating_sub(MOST_FAULTS);
        faults.truncate(MOST_FAULTS);
        let more = if more > 0 { format!(" {more} more lines have such errors.") } else { String::new() };
        return Err(faults.join(" ") + &more);
    }
    let names = names.unwrap_or_default();
    // A spreadsheet program adds separators to each line if somebody once edited a cell far to the right.
    let used = |place: &usize| rows.iter().any(|row| row.cells.get(*place).is_some_and(|cell| !cell.is_blank()));
    let unnamed = |name: &str| name.trim_matches(blank).is_empty();
    if let Some(place) = (0..names.len()).find(|place| unnamed(&names[*place]) && used(place)) {
        return Err(format!(
            "line {}: column {} has values, but no name. Give the column a name.",
            head.line,
            place + 1
        ));
    }
    let named = names.iter().map(String::as_str).enumerate().filter(|(_, name)| !unnamed(name));
    let columns = Columns::of(named, own).map_err(|why| format!("line {}: {why}", head.line))?;
    Ok(Table { columns, rows, has_header: true })
}

/// The maximum number of lines that one error names.
const MOST_FAULTS: usize = 5;

/// Returns the cells of a row. If the columns of the cells are uncertain, the function returns an error, because a fact
/// could come from the wrong column.
fn row(mut cells: Vec<Cell>, width: usize, separator: u8) -> Result<Vec<Cell>, String> {
    // A spreadsheet program with another separator reads the line as one cell. When it saves the file, it quotes each
    // line that contains a quote.
    if let [only] = &*cells
        && width > 1
        && only.shown().contains(char::from(separator))
    {
        let whole = first_record(only.shown(), separator);
        if whole.len() == width {
            cells = whole.iter().map(|cell| Cell::from(cell::read_harmless(cell))).collect();
        }
    }
    // Ignore blank cells at the end of the row that the first line does not have.
    while cells.len() > width && cells.last().is_some_and(Cell::is_blank) {
        cells.pop();
    }
    if cells.len() > width {
        let count = cells.len();
        return Err(format!(
            "the row has {count} cells, but the first line has {width}. Quote each cell that contains the separator."
        ));
    }
    if cells.iter().any(swallows_lines) {
        return Err("a cell contains several lines with references. Look for a missing or extra quotation mark.".into());
    }
    Ok(cells)
}

/// Returns true if a stray quotation mark joined several rows into this cell.
fn swallows_lines(cell: &Cell) -> bool {
    let names_mandate = |line: &str| {
        Provider::ALL.iter().any(|provider| {
            line.match_indices(provider.as_str()).any(|(at, name)| line[at + name.len()..].starts_with(':'))
        })
    };
    cell.shown().contains(['\r', '\n']) && cell.shown().split(['\r', '\n']).skip(1).any(names_mandate)
}

/// Counts the lines of a text up to a position, without starting again at each call.
struct Lines<'a> {
    text: &'a str,
    line: usize,
    at: usize,
}

impl Lines<'_> {
    /// Returns the number of the line with the first character at or after `byte` that is not a line end.
    fn at(&mut self, byte: usize) -> usize {
        let bytes = self.text.as_bytes();
        while let Some(here) = bytes.get(self.at)
            && (self.at < byte || matches!(here, b'\r' | b'\n'))
        {
            // Count a Windows line end once, at its second character.
            self.line += usize::from(*here == b'\n' || *here == b'\r' && bytes.get(self.at + 1) != Some(&b'\n'));
            self.at += 1;
        }
        self.line
    }
}

fn json_lines(text: &str, own: &[String]) -> Result<Table, String> {
    let mut names: Vec<String> = Vec::new();
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    let mut rows = Vec::new();
    for (line, _, content) in lines(text).filter(|(_, _, content)| !content.is_empty()) {
        let object: Object = serde_json::from_str(content).map_err(|error| match error.classify() {
            serde_json::error::Category::Eof => {
                format!("line {line}: the JSON object is incomplete. The end of the file may be missing.")
            }
            _ => {
                format!(
                    "line {line}, column {}: the line is not a JSON object. Write one JSON object per line",
                    error.column()
                )
            }
        })?;
        let mut cells = Vec::new();
        for (name, value) in object.0 {
            let place = *places.entry(name.clone()).or_insert_with(|| {
                names.push(name);
                names.len() - 1
            });
            if cells.len() <= place {
                cells.resize_with(place + 1, Cell::default);
            }
            if !matches!(cells[place], Cell::Absent) {
                return Err(format!("line {line}: the JSON object has a key twice. Keep one of them"));
            }
            cells[place] = Cell::json(value.to_owned());
            // With a NUL character in a cell, the program could not read its own CSV output as text.
            if cells[place].shown().contains('\0') {
                return Err(format!("line {line}: a cell contains a NUL character. Remove the character"));
            }
        }
        rows.push(Row { line, cells });
    }
    let columns = Columns::of(names.iter().map(String::as_str).enumerate(), own)?;
    Ok(Table { columns, rows, has_header: true })
}

/// Returns the first key that an object in a JSON text has twice, with the line of its second value. serde_json alone
/// would take the second value silently.
pub fn repeated_key(text: &str) -> Option<(String, usize)> {
    fn within(part: &str, text: &str) -> Option<(String, usize)> {
        if let Ok(items) = serde_json::from_str::<Vec<&RawValue>>(part) {
            return items.iter().find_map(|item| within(item.get(), text));
        }
        let Object(entries) = serde_json::from_str(part).ok()?;
        let mut keys = BTreeSet::new();
        entries.into_iter().find_map(|(key, value)| {
            let start = value.get().as_ptr().addr() - text.as_ptr().addr();
            match keys.insert(key.clone()) {
                true => within(value.get(), text),
                false => Some((key, 1 + text[..start].matches('\n').count())),
            }
        })
    }
    within(text, text)
}

/// A JSON object that keeps the order of its keys, and each value as its place in the text.
struct Object<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Object<'de> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Keys;
        impl<'de> Visitor<'de> for Keys {
            type Value = Object<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object<'de>, A::Error> {
                let mut keys = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    keys.push(entry);
                }
                Ok(Object(keys))
            }
        }
        d.deserialize_map(Keys)
    }
}
