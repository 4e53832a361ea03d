//! Any JSON in the place of a date, an amount, a document or a name is kept. It is shown only if it is valid.

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

/// Optional fields among unknown ones.
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
        // A document that starts as a data URI would be unpacked again, so leave it out.
        if let Ok(bytes) = document.to_bytes()
            && !bytes.starts_with(b"data:")
            && let Ok(sent) = Document::from_bytes(&bytes)
        {
            assert_eq!(sent.to_bytes().expect("valid base64"), bytes);
        }
    }
    if let Some(iban) = round_trip::<types::Iban>(json) {
        // A masked IBAN shows the country and the last four characters, or nothing.
        assert!(format!("{iban:?}").len() <= "Iban(FR…0185)".len());
    }
    if let Some(address) = round_trip::<types::Email>(json) {
        assert_hides(&address, address.as_str());
        // A response may hold any text. A request may not: it has the documented length and no invisible character.
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

/// A value is kept unread, or it is read and its written form reads back as the same value.
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
