//! Decides which texts of a vendor may appear in an error or a log. A vendor can put personal data into any field. So a
//! text is shown only if it has the form of an error code, a trace id or a status word. Personal data usually does not
//! have these forms.

use crate::wire;
use regress::Regex;
use std::sync::LazyLock;

/// Returns true if a text has the form of an error code.
pub(crate) fn is_code(text: &str) -> bool {
    static SHAPES: LazyLock<Vec<Regex>> = LazyLock::new(|| {
        compiled(&[
            // `11`, `404`.
            "^(0|[1-9][0-9]{0,3})$",
            // `AUTH_003`.
            "^[A-Z]{2,12}(_[A-Z]{2,12})?_[0-9]{3}$",
            // The placeholder in SafeDebit's samples.
            "^X{1,16}$",
        ])
    });
    SHAPES.iter().any(|shape| shape.find(text).is_some())
}

/// Returns true if a text has the form of a trace id, which you can give to the vendor's support.
pub(crate) fn is_trace_id(text: &str) -> bool {
    static SHAPES: LazyLock<Vec<Regex>> = LazyLock::new(|| {
        compiled(&[
            // A UUID.
            "^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$",
            // Ids of spans, objects and traces contain a letter and a digit. A text of digits alone could be a card
            // number.
            "^(?=.*[a-f])(?=.*[0-9])([0-9a-f]{16}|[0-9a-f]{24}|[0-9a-f]{32})$",
            // A W3C `traceparent`.
            "^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$",
            // A ULID.
            "^(?=.*[A-Z].*[A-Z])[0-7][0-9A-HJKMNP-TV-Z]{25}$",
            // Examples are `trace-0042` and `req_8f3a2b`. Seven digits in a row could be a telephone number.
            "^(trace|trc|request|req|correlation|corr|span)[-_](?=.*[0-9])(?!.*[0-9]{7})[0-9a-f]{4,32}$",
            // The trace id of the sandbox.
            "^trace-sandbox$",
        ])
    });
    // Some IBANs consist only of hexadecimal digits, so check this first.
    !wire::looks_like_iban(text) && SHAPES.iter().any(|shape| shape.find(text).is_some())
}

/// Returns true if a text has the form of a status word. Capitals and hyphens are excluded, because the names of people
/// have them.
pub(crate) fn is_word(text: &str) -> bool {
    static SHAPES: LazyLock<Vec<Regex>> = LazyLock::new(|| compiled(&["^[a-z][a-z_]{0,31}$", "^[0-9]{1,2}$"]));
    SHAPES.iter().any(|shape| shape.find(text).is_some())
}

fn compiled(shapes: &[&str]) -> Vec<Regex> {
    // Leave out a pattern that does not compile. Its test then fails.
    shapes.iter().filter_map(|shape| Regex::new(shape).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn codes_trace_ids_and_words_of_vendors_are_shown() {
        for code in ["0", "3", "11", "101", "404", "1000", "AUTH_003", "EXIST_001", "NOK_001", "SANDBOX_004", "XXXX"] {
            assert!(is_code(code), "{code}");
        }
        for id in [
            "trace-0042",
            "trace-sandbox",
            "req_8f3a2b",
            "3f2504e0-4f89-41d3-9a0c-0305e82c3301",
            "4bf92f3577b34da6a3ce929d0e0e4736",
            "00f067aa0ba902b7",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "507f1f77bcf86cd799439011",
            "01ARZ3NDEKTSV4RRFFQ69G5FAV",
        ] {
            assert!(is_trace_id(id), "{id}");
        }
        for word in ["paused", "pending_kyc", "no_such_word", "9", "12"] {
            assert!(is_word(word), "{word}");
        }
    }

    /// Examples of personal data and secrets in their usual forms.
    const PERSONAL: [&str; 44] = [
        "FR7630001007941234567890185",
        "fr7630001007941234567890185",
        "FR76 3000 1007 9412 3456 7890 185",
        "FR76-3000-1007-9412-3456-7890-185",
        "FR76_3000_1007_9412_3456_7890_185",
        "FR76.3000.1007.9412.3456.7890.185",
        "BE68539007547034",
        "be68539007547034",
        "AD1200012030200359100100",
        "ad1200012030200359100100",
        "DE89370400440532013000",
        "30001007941234567890185",
        "BNPAFRPPXXX",
        "06-12-34-56-78",
        "06.12.34.56.78",
        "06_12_34_56_78",
        "0612345678",
        "33612345678",
        "trace-0612345678",
        "req_33612345678",
        "4970101234567890",
        "4970-1012-3456-7890",
        "1850578006084",
        "185057800608436",
        "1985-05-17",
        "17-05-1985",
        "19850517",
        "12AB34567",
        "75001",
        "Dupont",
        "DUPONT",
        "Jeanne-Dupont",
        "jeanne.dupont",
        "jeanne_dupont",
        "DUPONT_JEANNE",
        "DUPONT-1985",
        "jeanne.dupont@example.com",
        "trace-jeanne-dupont",
        "eyJhbGciOiJIUzI1NiJ9.e30.c2ln",
        "eyJhbGciOiJub25lIn0.e30.",
        "ABCabc123.ABCabc123.ABCabc123",
        "et_test_abcabc12-abcabc12",
        "https://sign.example.com/x",
        "12 rue de la Paix",
    ];

    #[test]
    fn personal_data_and_secrets_are_not_shown() {
        for text in PERSONAL {
            assert!(!is_code(text), "{text} as a code");
            assert!(!is_trace_id(text), "{text} as a trace id");
            // A name in lower case has the form of a status word. This limit is known.
            assert!(!is_word(text) || text == "jeanne_dupont", "{text} as a word");
        }
        for text in ["", " ", "\n", "é", "trace-0042\n", "\u{1b}[31m", "404 ", "０", "trace-\u{202e}0042"] {
            assert!(!is_code(text) && !is_trace_id(text) && !is_word(text), "{text:?}");
        }
    }

    #[test]
    fn trace_id_has_at_most_six_digits_in_a_row() {
        for digits in 1..=12 {
            let number = "123456789012"[..digits].to_owned();
            for (id, short) in [(format!("trace-{number}"), 4), (format!("req_a{number}b"), 2)] {
                assert_eq!(is_trace_id(&id), (short..=6).contains(&digits), "{id}");
            }
        }
    }

    proptest! {
        #[test]
        fn grouped_digits_are_not_shown(digits in "[0-9]{5,30}", between in "[-_. ]", every in 1_usize..6) {
            let groups: Vec<_> = digits.as_bytes().chunks(every).map(|group| String::from_utf8_lossy(group)).collect();
            let grouped = groups.join(&between);
            for text in [digits.clone(), grouped] {
                // Digits in the grouping of a UUID count as a UUID.
                let uuid = text.split('-').map(str::len).eq([8, 4, 4, 4, 12]);
                prop_assert!(uuid || (!is_code(&text) && !is_trace_id(&text) && !is_word(&text)), "{}", text);
            }
        }

        #[test]
        fn no_text_causes_a_panic(text in ".{0,80}") {
            let _ = (is_code(&text), is_trace_id(&text), is_word(&text));
        }
    }
}
