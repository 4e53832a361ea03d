//! The program `mandat` as a process, and the files that it reads and writes.

mod check;
mod credentials;
mod debit;
mod forms;
mod refresh;
mod sandbox;
#[cfg(unix)]
mod stopped;
mod support;
mod surface;
