//! Draws the share of changes that are noticed within a time, as an SVG file.

use crate::{
    report::Row,
    world::{DAY, HOUR},
};
use std::fmt::Write as _;

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 420.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 16.0;
const TOP: f64 = 48.0;
const BOTTOM: f64 = 96.0;
/// The horizontal axis is logarithmic.
const TICKS: [(f64, &str); 8] = [
    (10.0, "10 s"),
    (60.0, "1 min"),
    (600.0, "10 min"),
    (HOUR, "1 h"),
    (6.0 * HOUR, "6 h"),
    (DAY, "1 day"),
    (7.0 * DAY, "7 days"),
    (30.0 * DAY, "30 days"),
];
const FIRST: f64 = 10.0;
const LAST: f64 = 40.0 * DAY;

fn x(seconds: f64) -> f64 {
    let part = (seconds.clamp(FIRST, LAST) / FIRST).ln() / (LAST / FIRST).ln();
    LEFT + part * (WIDTH - LEFT - RIGHT)
}

fn y(share: f64) -> f64 {
    HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)
}

/// Draws a line for each row.
///
/// The file has colours for light and dark pages, and each line has its own dashes for readers who see no colours. The
/// file has no empty line, because an empty line would end it within Markdown.
pub fn draw(title: &str, rows: &[Row]) -> String {
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{title}\">\n\
         <style>\n\
         svg {{ font: 13px sans-serif; --ink: #1f2328; --grid: #d0d7de; --page: #ffffff; --c0: #57606a; --c1: #b35900; --c2: #8250df; --c3: #0969da; }}\n\
         @media (prefers-color-scheme: dark) {{ svg {{ --ink: #e6edf3; --grid: #3d444d; --page: #0d1117; --c0: #9198a1; --c1: #f0883e; --c2: #be8fff; --c3: #58a6ff; }} }}\n\
         text {{ fill: var(--ink); }} .page {{ fill: var(--page); }} .grid {{ stroke: var(--grid); }} .line {{ fill: none; stroke-width: 2; }}\n\
         </style>\n\
         <rect class=\"page\" width=\"{WIDTH}\" height=\"{HEIGHT}\"/>\n\
         <text x=\"{LEFT}\" y=\"24\" font-size=\"16\" font-weight=\"bold\">{title}</text>\n"
    );
    let (left, right, top, bottom) = (LEFT, WIDTH - RIGHT, y(1.0), y(0.0));
    for (seconds, label) in TICKS {
        let x = x(seconds);
        let _ = writeln!(svg, "<path class=\"grid\" d=\"M{x:.1} {top:.1}V{bottom:.1}\"/>");
        let below = bottom + 18.0;
        let _ = writeln!(svg, "<text x=\"{x:.1}\" y=\"{below:.1}\" text-anchor=\"middle\">{label}</text>");
    }
    for percent in [0, 25, 50, 75, 99] {
        let (y, before) = (y(f64::from(percent) / 100.0), left - 8.0);
        let _ = writeln!(svg, "<path class=\"grid\" d=\"M{left:.1} {y:.1}H{right:.1}\"/>");
        let text = y + 4.0;
        let _ = writeln!(svg, "<text x=\"{before:.1}\" y=\"{text:.1}\" text-anchor=\"end\">{percent} %</text>");
    }
    let (middle, axis) = ((left + right) / 2.0, bottom + 38.0);
    let _ = writeln!(
        svg,
        "<text x=\"{middle:.1}\" y=\"{axis:.1}\" text-anchor=\"middle\">time from the change to its reading (logarithmic)</text>"
    );
    let middle = (top + bottom) / 2.0;
    let _ = writeln!(
        svg,
        "<text transform=\"translate(16 {middle:.1}) rotate(-90)\" text-anchor=\"middle\">share of changes noticed</text>"
    );
    for (number, row) in rows.iter().enumerate() {
        let dashes = ["2 3", "7 4", "12 3 2 3", "none"][number % 4];
        let style = format!("style=\"stroke: var(--c{})\" stroke-dasharray=\"{dashes}\"", number % 4);
        // Each hundredth is enough for a line, and the last thousandths show the tail.
        let points = row.lateness.iter().enumerate().filter(|(at, _)| (at + 1) % 10 == 0 || *at >= 989);
        let points = points.map(|(at, seconds)| format!("{:.1} {:.1}", x(*seconds), y((at + 1) as f64 / 1000.0)));
        let _ = writeln!(svg, "<path class=\"line\" {style} d=\"M{}\"/>", points.collect::<Vec<_>>().join("L"));
        let name = row.name.replace('`', "");
        let (column, height) = (left + 330.0 * (number % 2) as f64, HEIGHT - 34.0 + 22.0 * (number / 2) as f64);
        let (end, text) = (column + 36.0, column + 44.0);
        let _ = writeln!(svg, "<path class=\"line\" {style} d=\"M{column:.1} {height:.1}H{end:.1}\"/>");
        let height = height + 4.0;
        let _ = writeln!(svg, "<text x=\"{text:.1}\" y=\"{height:.1}\">{name}</text>");
    }
    svg + "</svg>\n"
}
