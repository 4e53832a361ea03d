//! The identification numbers of French companies.

use super::value::{Reader, Rule, ValueError, ValueKind, deserialize, value};

value! {
    /// The number of a French company (SIREN): nine digits, the last of which is the check digit by the Luhn algorithm.
    #[derive(PartialEq, Eq, Hash, PartialOrd, Ord)]
    Siren, masked
}
deserialize! { Siren by read }

value! {
    /// The number of an establishment of a French company (SIRET): the SIREN of the company and five more digits.
    ///
    /// The check digit is computed by the Luhn algorithm over all 14 digits. La Poste has more establishments than such
    /// numbers. For La Poste, the sum of the digits may instead be a multiple of five.
    #[derive(PartialEq, Eq, Hash, PartialOrd, Ord)]
    Siret, masked
}
deserialize! { Siret by read }

value! {
    /// The VAT number of a French company: `FR`, two digits, and its SIREN.
    ///
    /// ```
    /// use mandat::sepa::FrenchVat;
    ///
    /// let vat: FrenchVat = "FR 03 552 081 317".parse()?;
    /// assert_eq!(vat.siren().as_str(), "552081317");
    /// # Ok::<(), mandat::sepa::ValueError>(())
    /// ```
    #[derive(PartialEq, Eq, Hash, PartialOrd, Ord)]
    FrenchVat, masked
}
deserialize! { FrenchVat by read }

const LA_POSTE: &str = "356000000";

impl Siren {
    fn read(given: &str) -> Result<Self, ValueError> {
        let reader = Reader::new(ValueKind::Siren, given)?;
        reader.digits(0..reader.text.len())?;
        reader.length(|length| length == 9, "9")?;
        check_luhn(&reader, 0)?;
        Ok(Self(reader.text))
    }
}

impl Siret {
    fn read(given: &str) -> Result<Self, ValueError> {
        let reader = Reader::new(ValueKind::Siret, given)?;
        let text = &reader.text;
        reader.digits(0..text.len())?;
        reader.length(|length| length == 14, "14")?;
        let sum: u32 = text.bytes().map(|digit| u32::from(digit - b'0')).sum();
        if !(text.starts_with(LA_POSTE) && sum.is_multiple_of(5)) {
            check_luhn(&reader, 0)?;
        }
        Ok(Self(reader.text))
    }

    /// Returns the number of the company to which the establishment belongs.
    pub fn siren(&self) -> Siren {
        Siren(self.0[..9].into())
    }
}

impl FrenchVat {
    fn read(given: &str) -> Result<Self, ValueError> {
        let reader = Reader::new(ValueKind::FrenchVat, given)?;
        let text = &reader.text;
        reader.letters(0..text.len().min(2))?;
        if !text.starts_with("FR") {
            return Err(reader.at(0, Rule::Country));
        }
        reader.digits(2..text.len())?;
        reader.length(|length| length == 13, "13")?;
        check_luhn(&reader, 4)?;
        let number = |part: &str| part.bytes().fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0'));
        if number(&text[2..4]) != (12 + 3 * (number(&text[4..]) % 97)) % 97 {
            return Err(reader.at(2, Rule::CheckDigits));
        }
        Ok(Self(reader.text))
    }

    /// Returns the number of the company.
    pub fn siren(&self) -> Siren {
        Siren(self.0[4..].into())
    }
}

/// Checks the digits from `start` on with the Luhn algorithm. The last of them is the check digit.
fn check_luhn(reader: &Reader<'_>, start: usize) -> Result<(), ValueError> {
    let digits = reader.text[start..].bytes().rev().map(|digit| u32::from(digit - b'0'));
    let sum: u32 = digits
        .enumerate()
        .map(|(place, digit)| match (place % 2, digit * 2) {
            (0, _) => digit,
            (_, twice) => twice / 10 + twice % 10,
        })
        .sum();
    if sum.is_multiple_of(10) { Ok(()) } else { Err(reader.at(reader.text.len() - 1, Rule::CheckDigits)) }
}
