//! Tests of the program `mandat`: how it runs as a process, and how it reads and writes files.

mod check;
mod credentials;
mod debit;
mod doctor;
mod formats;
mod forms;
mod generated;
mod refresh;
mod report;
#[cfg(unix)]
mod running;
mod sandbox;
mod screen;
#[cfg(unix)]
mod stopped;
mod support;
mod surface;
mod terminal;
mod widths;
mod writes;
