//! Finds the names that are similar to a misspelt one.

/// The number of letters of a name that are compared. A longer text costs no more time.
const LONGEST_NAME: usize = 32;

/// Returns the names that are similar to this text, the most similar first. Ignores letter case and the characters
/// between words.
pub(crate) fn similar<'a>(text: &str, names: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let text = plain(text);
    let near = names.into_iter().map(|name| (strsim::normalized_damerau_levenshtein(&text, &plain(name)), name));
    let mut near: Vec<(f64, &str)> = near.filter(|(likeness, _)| *likeness > 0.6).collect();
    near.sort_by(|a, b| b.0.total_cmp(&a.0));
    near.into_iter().map(|(_, name)| name).collect()
}

fn plain(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).take(LONGEST_NAME).collect()
}
