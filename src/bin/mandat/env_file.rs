//! Reads credentials from a file of `NAME=value` lines.

use super::{Failure, file};
use std::{collections::BTreeMap, path::Path};

/// Reads the file. An error gives the number of the line but never quotes the line, because it may contain a secret.
pub fn read(path: &Path) -> Result<BTreeMap<String, String>, Failure> {
    let shown = path.display();
    let bytes = std::fs::read(path).map_err(|e| format!("{shown}: {e}"))?;
    let text = file::decode(&bytes).map_err(|why| format!("{shown}: {why}"))?;
    parse(&text).map_err(|(line, why)| format!("{shown}, line {line}: {why}").into())
}

fn parse(text: &str) -> Result<BTreeMap<String, String>, (usize, &'static str)> {
    let mut values = BTreeMap::new();
    for (index, line) in text.lines().enumerate() {
        let told = |why| (index + 1, why);
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (name, text) = line.split_once('=').ok_or(told("the line has no `=`. Write NAME=value"))?;
        let name = name.strip_prefix("export").filter(|rest| rest.starts_with([' ', '\t'])).unwrap_or(name).trim();
        if name.is_empty() || name.contains(|c: char| !c.is_ascii_alphanumeric() && c != '_') {
            return Err(told("the name before the `=` is not valid. Use letters, digits and _ in the name"));
        }
        if values.insert(name.to_owned(), value(text.trim()).map_err(told)?).is_some() {
            return Err(told("an earlier line sets the same name. Keep one of the lines"));
        }
    }
    Ok(values)
}

/// Returns the value in a line, without its comment and its quotes. A comment begins with a `#` after a blank. In
/// single quotes, every character is literal. In double quotes, `\"` and `\\` stand for a quote and a backslash.
fn value(text: &str) -> Result<String, &'static str> {
    let Some(quote) = text.chars().next().filter(|c| matches!(c, '"' | '\'')) else {
        let comment = text.char_indices().find(|(at, c)| *c == '#' && (*at == 0 || text[..*at].ends_with([' ', '\t'])));
        let end = comment.map_or(text.len(), |(at, _)| at);
        return Ok(text[..end].trim_end().to_owned());
    };
    let mut value = String::new();
    let mut rest = text[1..].chars();
    loop {
        match rest.next().ok_or("the value starts with a quote that is not closed. Add the closing quote")? {
            c if c == quote => break,
            '\\' if quote == '"' => match rest.next() {
                Some(c @ ('"' | '\\')) => value.push(c),
                other => value.extend(['\\'].into_iter().chain(other)),
            },
            c => value.push(c),
        }
    }
    let rest = rest.as_str();
    let comment = rest.trim_start();
    let closed = comment.is_empty() || comment.starts_with('#') && comment.len() < rest.len();
    if closed { Ok(value) } else { Err("there is text after the closing quote of the value. Quote the whole value") }
}
