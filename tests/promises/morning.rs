//! The example program `morning`, which stores readings, prints each change once, as the snapshot shows.

use crate::snapshot;

#[path = "../../examples/morning.rs"]
#[allow(dead_code, reason = "the test does not call its main")]
mod example;

#[tokio::test]
async fn example_morning_prints_each_change_once() {
    let mut out = Vec::new();
    example::run(&mut out).await.unwrap();
    let text = String::from_utf8(out).unwrap();
    let count = |word: &str| text.matches(word).count();
    assert_eq!([count("new -> "), count("-> Revoked"), count("-> Invalid"), count("Refused")], [3, 1, 1, 1], "{text}");
    let mut mornings: Vec<Vec<&str>> = Vec::new();
    for line in text.lines() {
        match line.strip_prefix("  ") {
            None => mornings.push(vec![line]),
            Some(_) => mornings.last_mut().unwrap().push(line),
        }
    }
    // The vendors' lines can have any order in the last two runs, so the test sorts them.
    let of_two: Vec<&str> = mornings.split_off(2).into_iter().flatten().filter(|line| line.starts_with("  ")).collect();
    mornings.push(of_two);
    for morning in &mut mornings {
        morning.sort_unstable();
    }
    let text: String = mornings.into_iter().flatten().map(|line| format!("{line}\n")).collect();
    snapshot!("morning", text);
}
