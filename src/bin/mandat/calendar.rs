//! The command `mandat calendar` prints the days on which banks settle no direct debit.

use super::{End, Failure};
use chrono::{Datelike, Utc};
use mandat::sepa::{closing_days, paris_day};
use std::io::{self, Write};

/// Print the days on which TARGET is closed, apart from weekends.
///
/// A direct debit is settled on a day on which TARGET is open.
#[derive(clap::Args)]
pub struct Arguments {
    /// The year whose closing days are printed [default: the present year in Paris].
    #[arg(long, value_parser = clap::value_parser!(i32).range(2002..=9999))]
    year: Option<i32>,
}

pub fn run(Arguments { year }: &Arguments) -> Result<End, Failure> {
    let mut out = io::stdout().lock();
    let year = year.unwrap_or_else(|| paris_day(Utc::now()).year());
    for (day, name) in closing_days(year) {
        writeln!(out, "{day} {} {name}", day.format("%a"))?;
    }
    Ok(End::Complete)
}
