//! The program `mandat` reads or refuses any file of mandates. A file that the program reads is written without loss.

#[allow(dead_code, unused_imports, reason = "a part of the program")]
#[path = "../../src/bin/mandat/file/mod.rs"]
mod file;

use file::{Format, Record, Table};

pub fn run(bytes: &[u8]) {
    let Some(table) = read(bytes) else { return };
    for format in [Format::Csv, Format::Jsonl] {
        let rows: Vec<Record> = (0..table.rows.len()).map(|row| written(&table.record(row))).collect();
        let mut out = Vec::new();
        file::header(&mut out, format, &table.columns).expect("writing to memory should not fail");
        for (row, record) in table.rows.iter().zip(&rows) {
            file::row(&mut out, format, &table.columns, record, &row.cells).expect("writing to memory should not fail");
        }
        let again = read(&out).expect("the program should read the file that it wrote");
        assert_eq!(again.rows.len(), rows.len());
        for (row, record) in rows.iter().enumerate() {
            let read = again.record(row);
            for ((field, a), (_, b)) in read.cells().zip(record.cells()) {
                assert_eq!(a.trimmed(), b.trimmed(), "{}", field.name());
            }
            if let (Ok(a), Ok(b)) = (read.tracked(), record.tracked()) {
                assert_eq!((a.reference, a.stored, a.facts), (b.reference, b.stored, b.facts));
            }
        }
    }
}

fn read(bytes: &[u8]) -> Option<Table> {
    Table::read(&file::decode(bytes).ok()?, &[]).ok()
}

/// Returns the row that the program writes if the mandate did not change, or if the vendor sent no readable response.
fn written(given: &Record) -> Record {
    match given.tracked() {
        Ok(tracked) => Record::of(&tracked, tracked.stored.as_ref()),
        Err(_) => given.of_failure("not read in this run", "why"),
    }
}
