//! Files of mandates. The program keeps all cells of a file that it reads and writes again. This module does no I/O.

mod cell;
mod columns;
mod read;
mod record;
mod text;
mod write;

pub use cell::{boolean, date, instant, invisible, is_never, read_vendor_word, squeezed, suggestion};
pub use columns::{ANY_OWN, Field, shown};
pub use read::{Table, repeated_key};
pub use record::{Fault, Record, differing};
pub use text::decode;
pub use write::{Format, csv_line, header, json_line, row};
