//! The command `mandat man` prints the manual pages.

use super::{End, Failure, output::write_out};
use clap::CommandFactory;
use std::{
    fs::{self, File},
    io::Write,
    path::PathBuf,
};

/// Print the manual page, or write a page for each command into a folder.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  mandat man | man -l -
  mandat man ~/.local/share/man/man1")]
pub struct Arguments {
    /// The folder for the pages. The command creates it, and replaces older pages and no other file.
    #[arg(value_name = "DIR")]
    folder: Option<PathBuf>,
}

pub fn run(Arguments { folder }: &Arguments) -> Result<End, Failure> {
    let mut command = super::Arguments::command();
    command.build();
    let Some(folder) = folder else {
        write_out(&page(command)?)?;
        return Ok(End::Complete);
    };
    fs::create_dir_all(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    for (name, page) in pages(command)? {
        let path = folder.join(name);
        let written = File::create(&path).and_then(|mut file| file.write_all(&page));
        written.map_err(|e| format!("{}: {e}", path.display()))?;
    }
    Ok(End::Complete)
}

/// Returns the page of a command and of each command below it, with the names of their files.
fn pages(command: clap::Command) -> Result<Vec<(String, Vec<u8>)>, Failure> {
    let below: Vec<clap::Command> =
        command.get_subcommands().filter(|below| below.get_name() != "help").cloned().collect();
    let name = command.get_display_name().unwrap_or_else(|| command.get_name());
    let mut all = vec![(format!("{name}.1"), page(command.clone())?)];
    for command in below {
        all.extend(pages(command)?);
    }
    Ok(all)
}

fn page(command: clap::Command) -> Result<Vec<u8>, Failure> {
    let mut page = Vec::new();
    clap_mangen::Man::new(command).render(&mut page)?;
    Ok(page)
}
