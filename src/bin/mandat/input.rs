//! Reads the input of a command: a file, or standard input.

use super::{Failure, file};
use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

/// The maximum size of a file. The whole file is in memory, where each row takes up to a kilobyte.
const LARGEST: u64 = 128 << 20;

/// Returns the text of a file, in any encoding that [`file::decode`] reads. The path `-` stands for standard input.
pub fn read(path: &Path) -> Result<String, Failure> {
    let shown = path.display();
    let told = |e: io::Error| format!("{shown}: {e}");
    let mut bytes = Vec::new();
    let source: Box<dyn Read> = if path.as_os_str() == "-" {
        Box::new(io::stdin())
    } else {
        let file = File::open(path).map_err(told)?;
        if file.metadata().map_err(told)?.is_dir() {
            return Err(format!("{shown} is a folder. Give the name of a file").into());
        }
        Box::new(file)
    };
    source.take(LARGEST + 1).read_to_end(&mut bytes).map_err(told)?;
    if bytes.len() as u64 > LARGEST {
        return Err(format!("{shown} is larger than {} MiB", LARGEST >> 20).into());
    }
    Ok(file::decode(&bytes).map_err(|why| format!("{shown}: {why}"))?)
}
