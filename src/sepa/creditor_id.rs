//! Creditor identifiers.

use super::{
    country,
    value::{Reader, Rule, ValueError, ValueKind, deserialize, remainder, value},
};

value! {
    /// The creditor identifier of SEPA (French ICS), in capitals and without blanks.
    ///
    /// It consists of a country, two check digits, a business code of the creditor's choice (usually `ZZZ`), and the
    /// national identifier. The check digits do not cover the business code. A French one has 13 characters.
    ///
    /// ```
    /// use mandat::sepa::CreditorId;
    ///
    /// let ics: CreditorId = "FR72ZZZ123456".parse()?;
    /// assert_eq!((ics.business_code(), ics.national()), ("ZZZ", "123456"));
    /// assert!(CreditorId::try_from("FR72001123456").is_ok());
    /// assert!(CreditorId::try_from("FR12ZZZ123456").is_err());
    /// # Ok::<(), mandat::sepa::ValueError>(())
    /// ```
    #[derive(PartialEq, Eq, Hash, PartialOrd, Ord)]
    CreditorId, masked
}
deserialize! { CreditorId by read }

impl CreditorId {
    fn read(given: &str) -> Result<Self, ValueError> {
        let reader = Reader::new(ValueKind::CreditorId, given)?;
        let text = &reader.text;
        reader.length(|length| (8..=35).contains(&length), "8 to 35, in France 13")?;
        reader.letters(0..2)?;
        if !country::exists(&text[..2]) {
            return Err(reader.at(0, Rule::Country));
        }
        if text.starts_with("FR") {
            reader.length(|length| length == 13, "13")?;
        }
        reader.possible_check_digits(2)?;
        if remainder(text[7..].bytes().chain(text[..4].bytes())) != 1 {
            return Err(reader.at(2, Rule::CheckDigits));
        }
        Ok(Self(reader.text))
    }

    /// Returns the country code of the creditor identifier, such as `FR`.
    pub fn country(&self) -> &str {
        &self.0[..2]
    }

    /// Returns the three characters that the creditor chooses, usually `ZZZ`.
    pub fn business_code(&self) -> &str {
        &self.0[4..7]
    }

    /// Returns the part of the identifier that an authority of the country assigns, in France the Banque de France.
    pub fn national(&self) -> &str {
        &self.0[7..]
    }
}
