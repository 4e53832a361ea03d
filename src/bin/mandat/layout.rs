//! Fits texts into the width of a terminal. Pure functions.

use console::{Alignment, measure_text_width, pad_str, truncate_str};

/// The width of the gap between two columns.
const GAP: usize = 2;

/// The least width of a column that is cut.
const NARROWEST: usize = 6;

/// Returns the cells of the rows, padded to columns that fit the width together. Cells that are too wide end with an
/// ellipsis. The widest columns lose their width first.
pub fn columns(rows: &[Vec<String>], width: usize) -> Vec<Vec<String>> {
    let count = rows.iter().map(Vec::len).max().unwrap_or_default();
    let natural = |at: usize| rows.iter().filter_map(|row| row.get(at)).map(|cell| measure_text_width(cell)).max();
    let mut widths: Vec<usize> = (0..count).map(|at| natural(at).unwrap_or_default()).collect();
    let available = width.saturating_sub(GAP * count.saturating_sub(1));
    while widths.iter().sum::<usize>() > available {
        match widths.iter_mut().max() {
            Some(widest) if *widest > NARROWEST => *widest -= 1,
            _ => break,
        }
    }
    let fitted = |cell: &String, width: usize| {
        pad_str(&truncate_str(cell, width, "…"), width, Alignment::Left, None).into_owned()
    };
    rows.iter().map(|row| row.iter().zip(&widths).map(|(cell, width)| fitted(cell, *width)).collect()).collect()
}

/// Breaks a text into lines of this width at most, between words. A longer word keeps a line of its own, so that a
/// terminal can still copy a link.
pub fn wrapped(text: &str, width: usize) -> Vec<String> {
    let (mut lines, mut line) = (Vec::new(), None::<String>);
    for word in text.split(' ') {
        match &mut line {
            Some(started) if measure_text_width(started) + 1 + measure_text_width(word) <= width => {
                started.push(' ');
                started.push_str(word);
            }
            _ => lines.extend(line.replace(word.to_owned())),
        }
    }
    lines.extend(line);
    lines
}

/// Breaks the lines of a text that are wider than this. The further lines of a broken one are indented.
pub fn fitted(text: &str, width: usize) -> String {
    let mut out = String::new();
    for whole in text.split_inclusive('\n') {
        let line = whole.strip_suffix('\n').unwrap_or(whole);
        if measure_text_width(line) <= width {
            out += whole;
            continue;
        }
        let content = line.trim_start_matches(' ');
        let indent = " ".repeat(line.len() - content.len());
        let further = format!("\n{indent}  ");
        out += &indent;
        out += &wrapped(content, width.saturating_sub(indent.len() + 2)).join(&further);
        out += &whole[line.len()..];
    }
    out
}
