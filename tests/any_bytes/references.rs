//! Whatever text stands in a column is a reference that is written and read as itself, or an error that does not quote
//! it.

use crate::again::again;
use mandat::{MandateRef, RawStatus};

pub fn run(bytes: &[u8]) {
    again::<MandateRef>(bytes);
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match text.parse::<MandateRef>() {
        Ok(reference) => assert_eq!(reference.to_string().parse::<MandateRef>().expect("it is one"), reference),
        Err(error) => assert!(refusals().any(|told| told == error.to_string()), "{error}"),
    }
    // An id is what a vendor says it is.
    if let Some((client, id)) = text.split_once('\n').filter(|(client, id)| !client.is_empty() && !id.is_empty()) {
        for reference in [MandateRef::easytransac(id), MandateRef::safedebit(id), MandateRef::seqino(client, id)] {
            assert_eq!(reference.to_string().parse::<MandateRef>().expect("it is one"), reference);
        }
    }
    let raw = RawStatus::new(text);
    assert!(raw.as_str().len() <= 64 && text.starts_with(raw.as_str()) && !raw.to_string().contains(char::is_control));
}

/// All that is ever said, whatever the text.
fn refusals() -> impl Iterator<Item = String> {
    let wrong = ["", "easytransac:", "safedebit:", "seqino:"].into_iter();
    wrong.map(|text| text.parse::<MandateRef>().expect_err("it is none").to_string())
}
