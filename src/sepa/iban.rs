//! The numbers of bank accounts (IBAN).

use super::value::{Reader, Rule, ValueError, ValueKind, deserialize, remainder, value};
use std::fmt;

value! {
    /// The number of a bank account (ISO 13616), in its electronic form: capitals, no blanks.
    ///
    /// The country is in the registry of IBANs, the account number has the length and the form of that country, and the
    /// check digits fit. Blanks between groups, no-break spaces and small letters are read. A valid IBAN need not
    /// exist: only a bank knows its accounts.
    ///
    /// `Debug` shows the country and the last four characters. There is no `Display`.
    ///
    /// ```
    /// use mandat::sepa::Iban;
    ///
    /// let iban: Iban = "fr76 3000 1007 9412 3456 7890 185".parse()?;
    /// assert_eq!((iban.as_str(), iban.country()), ("FR7630001007941234567890185", "FR"));
    /// assert_eq!(format!("{iban:?}"), "Iban(FR…0185)");
    /// # Ok::<(), mandat::sepa::ValueError>(())
    /// ```
    #[derive(PartialEq, Eq, Hash, PartialOrd, Ord)]
    Iban
}
deserialize! { Iban by read }

impl Iban {
    fn read(given: &str) -> Result<Self, ValueError> {
        let reader = Reader::new(ValueKind::Iban, given)?;
        // The shortest IBAN is that of Norway, with 15 characters.
        reader.length(|length| (15..=34).contains(&length), "15 to 34, as the country of the IBAN requires")?;
        reader.letters(0..2)?;
        reader.possible_check_digits(2)?;
        let text = &reader.text;
        match text.parse::<iban::Iban>() {
            Err(iban::ParseIbanError::UnknownCountry(_)) => match has_form_of_new_country(&text[..2], &text[4..]) {
                Some(true) => Ok(()),
                Some(false) => Err(reader.at(4, Rule::AccountNumber)),
                None => Err(reader.at(0, Rule::Country)),
            },
            Err(iban::ParseIbanError::InvalidBban(_)) => Err(reader.at(4, Rule::AccountNumber)),
            Err(iban::ParseIbanError::InvalidBaseIban { .. }) => Err(reader.at(2, Rule::CheckDigits)),
            Ok(_) => Ok(()),
        }?;
        Ok(Self(reader.text))
    }

    /// Returns the country code of the IBAN, such as `FR`.
    pub fn country(&self) -> &str {
        &self.0[..2]
    }
}

/// Checks the account number of the two registered countries that `iban_validate` 5.0 does not know. Returns `None` for
/// any other country.
fn has_form_of_new_country(country: &str, account: &str) -> Option<bool> {
    let is = |part: &str, length: usize, allowed: fn(&u8) -> bool| {
        part.len() == length && part.bytes().all(|byte| allowed(&byte))
    };
    let (bank, number) = account.split_at(4);
    let bank = is(bank, 4, u8::is_ascii_uppercase);
    match country {
        "HN" => Some(bank && is(number, 20, u8::is_ascii_digit)),
        "PK" => Some(bank && is(number, 16, u8::is_ascii_alphanumeric)),
        _ => None,
    }
}

impl fmt::Debug for Iban {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Iban({}…{})", self.country(), &self.0[self.0.len() - 4..])
    }
}

/// Returns true if the check digits of an ASCII text in the form of an IBAN match its other characters, for any
/// country.
pub(crate) fn check_digits_fit(text: &str) -> bool {
    remainder(text.bytes().cycle().skip(4).take(text.len())) == 1
}
