//! Writes each row as a line of CSV or JSON.

use super::{
    Field, Record,
    cell::{self, Cell},
    columns::Columns,
};
use serde::ser::{Serialize, SerializeMap, Serializer};
use std::io::{self, Write};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Csv,
    Json,
    Jsonl,
}

impl Format {
    /// Returns the text before a row, if `count` rows are written already.
    pub fn before(self, count: usize) -> &'static str {
        match (self, count) {
            (Self::Json, 0) => "[\n",
            (Self::Json, _) => ",\n",
            _ => "",
        }
    }

    /// Returns the text after the last of `count` rows.
    pub fn after(self, count: usize) -> &'static str {
        match (self, count) {
            (Self::Json, 0) => "[]\n",
            (Self::Json, _) => "\n]\n",
            _ => "",
        }
    }
}

/// Writes the names of the columns: first the columns of this program, then the caller's own columns in the order of
/// the input.
pub fn header(out: &mut impl Write, format: Format, columns: &Columns) -> io::Result<()> {
    match format {
        Format::Json | Format::Jsonl => Ok(()),
        Format::Csv => {
            let ours = Field::ALL.iter().map(|field| field.name());
            csv_line(out, ours.chain(columns.own().iter().map(|(name, _)| name.as_str())))
        }
    }
}

/// Writes one row. `cells` are the cells of the row in the input, from which the caller's own cells are written
/// unchanged.
pub fn row(out: &mut impl Write, format: Format, columns: &Columns, record: &Record, cells: &[Cell]) -> io::Result<()> {
    const NONE: Cell = Cell::Absent;
    let own = columns.own().iter().map(|(name, place)| (&**name, cells.get(*place).unwrap_or(&NONE)));
    match format {
        Format::Json | Format::Jsonl => {
            let line = json_line(&Line(record, own))?;
            // In an array, the comma and the line end are written before the next row.
            out.write_all(if format == Format::Json { line.trim_end() } else { &line }.as_bytes())
        }
        Format::Csv => {
            csv_line(out, record.cells().map(|(_, cell)| cell.shown()).chain(own.map(|(_, cell)| cell.shown())))
        }
    }
}

/// Returns a line of JSON in which every invisible character is escaped. The escapes are valid, because JSON has no
/// invisible characters except blanks outside of strings.
pub fn json_line(value: &impl Serialize) -> io::Result<String> {
    let mut line = String::new();
    for c in serde_json::to_string(value)?.chars() {
        if cell::invisible(c) && !matches!(c, '\t' | '\r' | '\n') {
            line.extend(c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")));
        } else {
            line.push(c);
        }
    }
    line.push('\n');
    Ok(line)
}

/// Writes a line of CSV. No spreadsheet program executes its cells as formulas.
pub fn csv_line<'a>(out: &mut impl Write, cells: impl Iterator<Item = &'a str>) -> io::Result<()> {
    let mut line = Vec::new();
    let mut writer = csv::WriterBuilder::new().from_writer(&mut line);
    for cell in cells {
        writer.write_field(&*cell::harmless(cell))?;
    }
    writer.write_record(None::<&[u8]>)?;
    writer.flush()?;
    drop(writer);
    out.write_all(&line)
}

/// A JSON object with a key for each column of this program, and for each of the caller's own columns that the row has.
struct Line<'a, I>(&'a Record, I);

impl<'a, I: Iterator<Item = (&'a str, &'a Cell)> + Clone> Serialize for Line<'_, I> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        let mut map = s.serialize_map(None)?;
        for (field, cell) in self.0.cells() {
            map.serialize_entry(field.name(), cell)?;
        }
        for (name, cell) in self.1.clone().filter(|(_, cell)| !matches!(cell, Cell::Absent)) {
            map.serialize_entry(name, cell)?;
        }
        map.end()
    }
}
