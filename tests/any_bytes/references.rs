//! `MandateRef` parses any text to a reference that is written and read back unchanged, or returns an error that does
//! not quote the text.

use crate::round_trip::round_trip;
use mandat::{DebitRef, MandateRef, RawStatus};
use std::{collections::BTreeSet, sync::LazyLock};

pub fn run(bytes: &[u8]) {
    round_trip::<MandateRef>(bytes);
    round_trip::<DebitRef>(bytes);
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match text.parse::<MandateRef>() {
        Ok(reference) => assert_eq!(reference.to_string().parse::<MandateRef>().expect("a reference"), reference),
        Err(error) => assert!(REFUSALS.contains(&error.to_string()), "{error}"),
    }
    match text.parse::<DebitRef>() {
        Ok(reference) => assert_eq!(reference.to_string().parse::<DebitRef>().expect("a reference"), reference),
        Err(error) => assert!(DEBIT_REFUSALS.contains(&error.to_string()), "{error}"),
    }
    // A vendor may choose any text as the id of a mandate, so `MandateRef` must keep any id.
    if let Some((client, id)) = text.split_once('\n').filter(|(client, id)| !client.is_empty() && !id.is_empty()) {
        for reference in [MandateRef::easytransac(id), MandateRef::safedebit(id), MandateRef::seqino(client, id)] {
            assert_eq!(reference.to_string().parse::<MandateRef>().expect("a reference"), reference);
        }
    }
    let raw = RawStatus::new(text);
    assert!(raw.as_str().len() <= 64 && text.starts_with(raw.as_str()) && !raw.to_string().contains(char::is_control));
}

/// Misspelt vendors. The error suggests the vendor.
const MISSPELT: [&str; 3] = ["easytransa:1", "safedebi:1", "seqin:1"];

/// The only error texts that `MandateRef` may return for a text that is not a reference.
static REFUSALS: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
    let wrong = ["", "easytransac:", "safedebit:", "seqino:"].into_iter();
    wrong.chain(MISSPELT).map(|text| text.parse::<MandateRef>().expect_err("no reference").to_string()).collect()
});

static DEBIT_REFUSALS: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
    let wrong = [
        "",
        "easytransac:",
        "easytransac:tid=",
        "easytransac:orderId=",
        "safedebit:",
        "safedebit:umr=/sdd=1",
        "safedebit:umr=1/sdd=",
        "seqino:",
    ];
    let wrong = wrong.into_iter().chain(MISSPELT);
    wrong.map(|text| text.parse::<DebitRef>().expect_err("no reference").to_string()).collect()
});
