//! The command `mandat report` writes a page about the mandates of a file.
//!
//! The page is one file without any request: its style, its script and its data are in it. The script builds every part
//! of the page from the data, as text and never as markup. A content security policy allows only this script.

mod data;
mod reasons;

use super::{
    End, Failure,
    file::{ANY_OWN, Table},
    input,
    output::write_out,
};
use base64::prelude::{BASE64_STANDARD, Engine};
use chrono::Utc;
use clap::ValueEnum;
use data::Data;
use maud::{DOCTYPE, PreEscaped, html};
use sha2::{Digest, Sha256};
use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

/// Write a page about the mandates of a file, to print or to send.
///
/// FILE is the output of `mandat refresh`. The page shows the states of the mandates, the changes, and who has to act.
/// It names the mandates that you may not use, with every reason. The references are its only personal data. The page
/// needs no network.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  mandat report tuesday.csv --html tuesday.html
  mandat report tuesday.csv --html etat.html --lang fr")]
pub struct Arguments {
    /// The file that `mandat refresh` wrote. `-` is standard input.
    #[arg(value_name = "FILE")]
    input: PathBuf,
    /// Write the page to this new file. `-` is standard output.
    #[arg(long, value_name = "FILE")]
    html: PathBuf,
    /// The language of the page. Without this option: that of the reader's browser. The page has a switch, too.
    #[arg(long, value_enum)]
    lang: Option<Language>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Language {
    Fr,
    En,
}

pub fn run(Arguments { input: path, html, lang }: &Arguments) -> Result<End, Failure> {
    let (shown, text) = (path.display(), input::read(path)?);
    // The page has none of the caller's own columns, so their names do not matter.
    let table = Table::read(&text, &[ANY_OWN.into()]).map_err(|why| format!("{shown}, {why}"))?;
    if table.rows.is_empty() {
        return Err(format!("{shown} contains no mandate. Give the output of `mandat refresh`").into());
    }
    let name = path.file_name().filter(|name| *name != "-").unwrap_or_default();
    let language = lang.map(|lang| match lang {
        Language::Fr => "fr",
        Language::En => "en",
    });
    let data = Data::of(&table, name.to_string_lossy().into_owned(), language, Utc::now());
    write(html, page(&serde_json::to_string(&data)?, language).as_bytes())?;
    Ok(End::Complete)
}

/// Writes the page to a new file. An existing file stays unchanged.
fn write(path: &Path, page: &[u8]) -> Result<(), Failure> {
    if path.as_os_str() == "-" {
        return write_out(page);
    }
    let shown = path.display();
    let mut file = File::create_new(path).map_err(|e| match e.kind() {
        io::ErrorKind::AlreadyExists => {
            format!("{shown} exists, and this program never overwrites a file. Use another --html.")
        }
        _ => format!("{shown}: {e}"),
    })?;
    file.write_all(page).and_then(|()| file.sync_all()).map_err(|e| {
        // Leave no incomplete page.
        let _ = fs::remove_file(path);
        format!("{shown}: {e}").into()
    })
}

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = concat!(include_str!("../../../sandbox/element.js"), include_str!("page.js"));

fn page(data: &str, language: Option<&str>) -> String {
    let hash = |text: &str| format!("'sha256-{}'", BASE64_STANDARD.encode(Sha256::digest(text)));
    let policy = format!(
        "default-src 'none'; script-src {}; style-src {}; base-uri 'none'; form-action 'none'",
        hash(SCRIPT),
        hash(STYLE)
    );
    let page = html! {
        (DOCTYPE)
        html lang=(language.unwrap_or("fr")) {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="robots" content="noindex";
                title { "mandat" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                noscript {
                    p lang="fr" { "Cette page a besoin de JavaScript, qui se trouve entièrement dans ce fichier." }
                    p lang="en" { "This page needs JavaScript, all of which is in this file." }
                }
                script type="application/json" id="data" { (PreEscaped(harmless(data))) }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    };
    page.into_string()
}

/// Escapes the characters of JSON that could end the element `script` or a line of JavaScript. The JSON has the same
/// values.
fn harmless(json: &str) -> String {
    let mut text = String::with_capacity(json.len() + json.len() / 32);
    for c in json.chars() {
        match c {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => text.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => text.push(c),
        }
    }
    text
}
