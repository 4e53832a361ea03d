//! The client keeps any JSON in the place of a date, an amount, a document or a name. `Debug` shows the value only if
//! the value is valid.

use crate::round_trip::{assert_hides, round_trip};
use mandat::{
    easytransac::types,
    safedebit::types::MandateStatus,
    wire::{
        AmountCents, Cents, Date, DateTime, Document, Euros, Extra, Flag, Format, FrenchDate, Int, Json, Lenient, List,
        Number, OneOrMany,
    },
};
use serde::{Deserialize, Serialize};
use std::fmt::Debug;

/// A response with optional fields of known types among fields that the spec does not list.
#[derive(Debug, Deserialize, Serialize)]
struct Around {
    date: Option<FrenchDate>,
    amount: Option<Euros>,
    #[serde(flatten)]
    extra: Extra,
}

pub fn run(json: &[u8]) {
    lenient::<Date>(json);
    lenient::<DateTime>(json);
    lenient::<FrenchDate>(json);
    lenient::<Flag>(json);
    lenient::<Int<0, 999>>(json);
    lenient::<Number>(json);
    if let Some(amount) = lenient::<Cents<11>>(json).and_then(|cents| cents.get()) {
        assert_eq!(AmountCents::from_euros(amount.cents() / 100, (amount.cents() % 100) as u8), Some(amount));
    }
    lenient::<Euros>(json);
    round_trip::<List<Date>>(json);
    round_trip::<OneOrMany<Around>>(json);
    round_trip::<MandateStatus>(json);
    round_trip::<Json>(json);

    if let Some(document) = round_trip::<Document>(json) {
        assert_hides(&document, document.as_base64());
        // A document whose bytes start like a data URI would be decoded a second time, so this check skips such a
        // document.
        if let Ok(bytes) = document.to_bytes()
            && !bytes.starts_with(b"data:")
            && let Ok(sent) = Document::from_bytes(&bytes)
        {
            assert_eq!(sent.to_bytes().expect("a document in a request should be valid base64"), bytes);
        }
    }
    if let Some(iban) = round_trip::<types::Iban>(json) {
        // `Debug` of a masked IBAN shows the country and the last four characters, or nothing.
        assert!(format!("{iban:?}").len() <= "Iban(FR…0185)".len());
    }
    if let Some(address) = round_trip::<types::Email>(json) {
        assert_hides(&address, address.as_str());
        // A response may contain any text as an email address. A request needs the documented length and no invisible
        // character.
        let within = |text: &str| (6..=128).contains(&text.chars().count());
        let plain = address.as_str().bytes().all(|byte| byte.is_ascii_graphic());
        match types::Email::try_from(address.as_str()) {
            Ok(sent) => assert!(within(sent.as_str()) && !sent.as_str().chars().any(char::is_control)),
            Err(_) => assert!(!plain || !within(address.as_str())),
        }
    }
    if let Some(Around { extra, .. }) = round_trip::<Around>(json) {
        let without = |value: &Json| if value.is_string() { "".into() } else { value.clone().into_value() };
        let blank: Extra = extra.iter().map(|(key, value)| (key.clone(), without(value))).collect();
        assert_eq!(format!("{extra:?}"), format!("{blank:?}"));
    }
}

/// Checks that a value is kept as it was received if the type cannot read it. A value that can be read must be the same
/// after it is written and read again.
fn lenient<T: Value>(json: &[u8]) -> Option<T> {
    let value = round_trip::<T>(json)?;
    value.check();
    Some(value)
}

trait Value: serde::de::DeserializeOwned + Serialize + Debug {
    fn check(&self);
}

impl<F: Format> Value for Lenient<F> {
    fn check(&self) {
        match self {
            Self::Read(value) => assert_eq!(F::read(&F::show(*value)), Some(*value)),
            Self::Unread(text) => assert_hides(self, text.as_str()),
        }
    }
}
