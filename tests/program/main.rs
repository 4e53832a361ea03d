//! Tests of the program `mandat`: how it runs as a process, and how it reads and writes files.

mod check;
mod credentials;
mod debit;
mod doctor;
mod forms;
mod refresh;
mod report;
mod sandbox;
#[cfg(unix)]
mod stopped;
mod support;
mod surface;
