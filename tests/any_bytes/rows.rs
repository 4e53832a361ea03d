//! Whatever file of references is given is read or refused line by line, and what is written of a line is what it said.

#[allow(dead_code, reason = "a part of the program")]
#[path = "../../src/bin/mandat/rows.rs"]
mod program;

use program::Row;

pub fn run(file: &[u8]) {
    let rows = csv::ReaderBuilder::new().flexible(true).from_reader(file).into_deserialize::<Row>();
    for row in rows.flatten() {
        let Ok(tracked) = row.tracked() else { continue };
        let row = Row::from((&tracked, tracked.known.as_ref()));
        let mut out = csv::Writer::from_writer(Vec::new());
        out.serialize(&row).expect("a row has its columns");
        let out = out.into_inner().expect("it is in memory");
        let read: Row = csv::Reader::from_reader(&*out).into_deserialize().flatten().next().expect("it is a row");
        let again = read.tracked().expect("it was one");
        assert_eq!((again.reference, again.known, again.facts), (tracked.reference, tracked.known, tracked.facts));
    }
}
