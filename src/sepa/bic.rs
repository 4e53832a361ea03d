//! Bank identifier codes (BIC).

use super::{
    country,
    value::{Reader, Rule, ValueError, ValueKind, deserialize, value},
};

value! {
    /// The identifier code of a bank (BIC, ISO 9362), in capitals and without blanks: 8 characters, or 11 with a
    /// branch.
    ///
    /// The check includes the country, which must exist. The check cannot show that the bank exists.
    #[derive(PartialEq, Eq, Hash, PartialOrd, Ord)]
    Bic, masked
}
deserialize! { Bic by read }

impl Bic {
    fn read(given: &str) -> Result<Self, ValueError> {
        let reader = Reader::new(ValueKind::Bic, given)?;
        reader.length(|length| length == 8 || length == 11, "8 or 11")?;
        // Since 2014, ISO 9362 allows digits in the first four characters, which name the bank.
        reader.letters(4..6)?;
        if reader.text == "NOTPROVIDED" {
            return Err(reader.whole(Rule::Provided));
        }
        if !country::exists(&reader.text[4..6]) {
            return Err(reader.at(4, Rule::Country));
        }
        Ok(Self(reader.text))
    }

    /// Returns the country code of the bank, such as `FR`.
    pub fn country(&self) -> &str {
        &self.0[4..6]
    }

    /// Returns the code of the bank's branch, if the BIC has one.
    pub fn branch(&self) -> Option<&str> {
        self.0.get(8..).filter(|branch| !branch.is_empty())
    }
}
