//! The command `mandat calendar` prints the days on which banks settle no direct debit.

use super::{
    End, Failure,
    forms::DayForm,
    output::{Cell, Form},
};
use chrono::{Datelike, Utc};
use mandat::sepa::{closing_days, paris_day};

/// Print the days on which TARGET is closed, apart from weekends.
///
/// A direct debit is settled on a day on which TARGET is open.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  mandat calendar --year 2027
  mandat calendar --format csv > closed.csv")]
pub struct Arguments {
    /// The year whose closing days are printed [default: the present year in Paris].
    #[arg(long, value_parser = year)]
    year: Option<i32>,
    #[command(flatten)]
    form: Form,
}

fn year(text: &str) -> Result<i32, &'static str> {
    let year = text.parse::<i32>().ok().filter(|year| (2002..=9999).contains(year));
    year.ok_or("write a year from 2002 to 9999")
}

pub fn run(Arguments { year, form }: &Arguments) -> Result<End, Failure> {
    let mut out = form.printer(&["day", "weekday", "name"], &[])?;
    let year = year.unwrap_or_else(|| paris_day(Utc::now()).year());
    for (day, name) in closing_days(year) {
        let form = DayForm { day, weekday: day.format("%a").to_string(), name: name.to_string() };
        out.row(vec![Cell::new(day), Cell::new(&form.weekday), Cell::new(&form.name)], &form)?;
    }
    out.finish()?;
    Ok(End::Complete)
}
