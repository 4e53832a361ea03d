//! Tests of the program `mandat`: how it runs as a process, and how it reads and writes files.

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
