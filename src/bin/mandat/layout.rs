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

/// Breaks a text into lines of this width at most, between words. A longer word is broken, too, so that nothing is lost.
pub fn wrapped(text: &str, width: usize) -> Vec<String> {
    let width = width.max(1);
    let mut lines = Vec::new();
    for paragraph in text.split('\n') {
        let mut line = String::new();
        for word in paragraph.split(' ') {
            let mut word = word;
            if !line.is_empty() && measure_text_width(&line) + 1 + measure_text_width(word) > width {
                lines.push(std::mem::take(&mut line));
            } else if !line.is_empty() {
                line.push(' ');
            }
            while measure_text_width(&line) + measure_text_width(word) > width {
                let mut room = width.saturating_sub(measure_text_width(&line));
                let end = word.char_indices().find(|(at, c)| {
                    let wide = measure_text_width(&word[*at..*at + c.len_utf8()]);
                    let full = wide > room;
                    room = room.saturating_sub(wide);
                    full && *at > 0
                });
                let Some((end, _)) = end else { break };
                line += &word[..end];
                word = &word[end..];
                lines.push(std::mem::take(&mut line));
            }
            line += word;
        }
        lines.push(line);
    }
    lines
}
