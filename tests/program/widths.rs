//! Texts fit the width of a terminal, and nothing is lost by it.

#[path = "../../src/bin/mandat/layout.rs"]
mod layout;

use console::measure_text_width;
use proptest::prelude::*;

fn text() -> impl Strategy<Value = String> {
    "[a-zé€中 ]{0,60}"
}

proptest! {
    #[test]
    fn wrapped_text_keeps_every_character_and_breaks_only_between_words(text in text(), width in 1..40usize) {
        let lines = layout::wrapped(&text, width);
        prop_assert_eq!(lines.join(" "), text);
        for line in lines {
            prop_assert!(measure_text_width(&line) <= width || !line.trim().contains(' '), "{:?}", line);
        }
    }

    #[test]
    fn fitted_text_changes_only_lines_that_are_too_wide(text in text(), indent in 0..6usize, width in 20..60usize) {
        let given = format!("{}{text}\nshort\n", " ".repeat(indent));
        let fitted = layout::fitted(&given, width);
        let wide = measure_text_width(given.lines().next().unwrap()) > width;
        prop_assert!(wide || fitted == given);
        prop_assert!(fitted.ends_with("\nshort\n"));
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        prop_assert_eq!(words(&fitted), words(&given));
    }

    #[test]
    fn columns_fit_the_width_and_are_aligned(
        rows in prop::collection::vec(prop::collection::vec(text(), 4), 1..6),
        width in 30..100usize,
    ) {
        let lines = layout::columns(&rows, width);
        let widths = |row: &Vec<String>| row.iter().map(|cell| measure_text_width(cell)).collect::<Vec<_>>();
        for (row, given) in lines.iter().zip(&rows) {
            prop_assert_eq!(widths(row), widths(&lines[0]));
            prop_assert!(widths(row).iter().sum::<usize>() + 3 * 2 <= width);
            for (cell, given) in row.iter().zip(given) {
                prop_assert!(cell.trim_end() == given.trim_end() || cell.trim_end().ends_with('…'), "{:?}", cell);
            }
        }
    }
}
