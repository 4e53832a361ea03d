//! The crate reads a SEPA value, such as an IBAN, as people write it. An error about an invalid value names the broken
//! rule and the position, and never shows the value.

use crate::chance;
use mandat::sepa::{Bic, CreditorId, FrenchVat, Iban, Rule, Siren, Siret, Umr, ValueError};
use std::{
    collections::HashSet,
    fmt::Debug,
    hash::{BuildHasher, RandomState},
};

const IBAN: &str = "FR7630001007941234567890185";

/// Returns the published example IBANs, one for each registered country.
fn examples() -> impl Iterator<Item = &'static str> {
    include_str!("fixtures/iban-examples.txt").split("\n\n").nth(1).unwrap().lines()
}

/// Returns the broken rule and the position of an error.
fn broken<T: Debug>(read: Result<T, ValueError>) -> (Rule, Option<usize>) {
    let error = read.unwrap_err();
    (error.rule, error.position)
}

#[test]
fn example_iban_of_each_registered_country_is_accepted() {
    assert_eq!(examples().count(), 87);
    // The crate `iban_validate` lacks two countries of the registry, so this test adds their examples.
    for example in examples().chain(["HN88CABF00000000000250005469", "PK36SCBL0000001123456702"]) {
        let iban = Iban::try_from(example).unwrap();
        assert_eq!((iban.as_str(), iban.country()), (example, &example[..2]));
    }
}

#[test]
fn registry_of_iban_formats_agrees_with_another_implementation() {
    for (a, b) in (b'A'..=b'Z').flat_map(|a| (b'A'..=b'Z').map(move |b| (a, b))) {
        let country = String::from_utf8(vec![a, b]).unwrap();
        let account = "0".repeat(20);
        let check = sepa_oracle::iban::iban_check_digits(&country, &account);
        let registered = match Iban::try_from(format!("{country}{check}{account}").as_str()) {
            Ok(_) => true,
            Err(error) => error.rule != Rule::Country,
        };
        assert_eq!(registered, sepa_oracle::iban::iban_bban_format(&country).is_some(), "{country}");
        let exists = Bic::try_from(format!("AAAA{country}AA").as_str()).is_ok();
        assert_eq!(exists, sepa_oracle::country::is_country_code(&country), "{country}");
    }
}

#[test]
fn iban_with_impossible_check_digits_is_refused() {
    for iban in ["GB00HLFX11016111455365", "GB01BARC20714583608387", "US64SVBKUS6S3300958879"] {
        assert!(Iban::try_from(iban).is_err(), "{iban}");
    }
    // The check digits 99 and 02 have the same remainder by 97, so both pass the check. Only 02 can result from the
    // calculation.
    let fits = |check: &str| {
        (0..10_000).map(|n| format!("DE{check}3704004405320{n:05}")).find(|iban| Iban::try_from(iban.as_str()).is_ok())
    };
    let iban = fits("02").unwrap();
    let impossible = iban.replacen("02", "99", 1);
    assert_eq!(broken(Iban::try_from(impossible.as_str())), (Rule::CheckDigits, Some(3)));
    assert_eq!(fits("99"), None);
    assert!(fits("98").is_some());
}

#[test]
fn iban_is_read_in_the_notations_that_people_use() {
    for written in [
        "fr76 3000 1007 9412 3456 7890 185",
        "FR76\u{a0}3000\u{202f}1007 9412 3456 7890 185",
        " FR7630001007941234567890185 ",
    ] {
        assert_eq!(Iban::try_from(written).unwrap().as_str(), IBAN);
    }
}

#[test]
fn error_about_a_value_names_the_broken_rule_and_the_position() {
    let check = |text: &str| broken(Iban::try_from(text));
    assert_eq!(check(""), (Rule::NotEmpty, None));
    assert_eq!(check(" "), (Rule::NotEmpty, None));
    assert!(matches!(check("FR76 3000 1007!"), (Rule::Character { .. }, Some(15))));
    assert!(matches!(check("FR76"), (Rule::Length { found: 4, .. }, None)));
    assert!(matches!(check("F 176300010079412345"), (Rule::Character { .. }, Some(3))));
    assert_eq!(check("FR77 3000 1007 9412 3456 7890 185"), (Rule::CheckDigits, Some(3)));
    assert_eq!(check("US64SVBKUS6S3300958879"), (Rule::Country, Some(1)));
    // The check digits are correct, but the length differs from that of a French IBAN.
    let short = format!("FR{}30001007941234567890", sepa_oracle::iban::iban_check_digits("FR", "30001007941234567890"));
    assert_eq!(check(&short), (Rule::AccountNumber, Some(5)));
    let line = format!("{IBAN}\n");
    assert!(matches!(check(&line), (Rule::Character { .. }, Some(28))));
}

#[test]
fn bic_without_8_or_11_characters_or_an_existing_country_is_refused() {
    for good in ["BNPAFRPP", "bnpa fr pp xxx", "E097AEXX"] {
        assert!(Bic::try_from(good).is_ok(), "{good}");
    }
    assert_eq!(Bic::try_from("BNPAFRPPXXX").unwrap().branch(), Some("XXX"));
    assert_eq!(Bic::try_from("BNPAFRPP").unwrap().branch(), None);
    // The fifth and sixth characters of NOTPROVIDED are the country code of Romania.
    assert_eq!(broken(Bic::try_from("NOTPROVIDED")), (Rule::Provided, None));
    assert_eq!(broken(Bic::try_from("COBA ZZ FF")), (Rule::Country, Some(6)));
    assert!(matches!(broken(Bic::try_from("BNPAFRPPX")), (Rule::Length { found: 9, .. }, None)));
    assert!(matches!(broken(Bic::try_from("BNPA1RPP")), (Rule::Character { .. }, Some(5))));
}

#[test]
fn umr_with_characters_outside_the_sepa_rulebook_is_refused() {
    for good in ["RUM-2026-0042", "a b", "++A(1)/B?:.,'", "x"] {
        assert_eq!(Umr::try_from(good).unwrap().as_str(), good);
    }
    for (bad, rule, position) in [
        ("", Rule::NotEmpty, None),
        (" RUM", Rule::Blank, Some(1)),
        ("RUM ", Rule::Blank, Some(4)),
        ("/RUM", Rule::Slash, Some(1)),
        ("RUM/", Rule::Slash, Some(4)),
        ("A//B", Rule::Slash, Some(3)),
        ("RUM_1", Rule::Underscore, Some(4)),
    ] {
        assert_eq!(broken(Umr::try_from(bad)), (rule, position), "{bad}");
    }
    for (bad, at) in [("RUM-é", 5), ("RUM#1", 4), ("R\u{a0}M", 2), ("R\u{202e}M", 2), ("РУМ", 1), ("R\nM", 2)] {
        assert!(matches!(broken(Umr::try_from(bad)), (Rule::Character { .. }, Some(place)) if place == at), "{bad}");
    }
    assert!(Umr::try_from("A".repeat(35)).is_ok());
    assert!(matches!(broken(Umr::try_from("A".repeat(36))), (Rule::Length { found: 36, .. }, None)));
}

#[test]
fn umrs_that_differ_only_in_letter_case_are_equal() {
    let [upper, lower] = ["RUM-A1", "rum-a1"].map(|text| Umr::try_from(text).unwrap());
    let state = RandomState::new();
    assert_eq!(upper, lower);
    assert_eq!(state.hash_one(&upper), state.hash_one(&lower));
    assert!(upper.cmp(&lower).is_eq() && upper < Umr::try_from("rum-a2").unwrap());
    assert_eq!(HashSet::from([upper, lower.clone()]).len(), 1);
    assert_eq!(lower.as_str(), "rum-a1");
}

#[test]
fn umr_with_an_underscore_is_accepted_with_a_warning_and_read_back() {
    let umr = Umr::with_underscores("RUM_42").unwrap();
    assert_eq!(umr.warning().map(|error| (error.rule, error.position)), Some((Rule::Underscore, Some(4))));
    assert_eq!(Umr::with_underscores("RUM-42").unwrap().warning(), None);
    assert!(Umr::with_underscores("RUM_42/").is_err());
    let json = serde_json::to_string(&umr).unwrap();
    assert_eq!(serde_json::from_str::<Umr>(&json).unwrap(), umr);
}

#[test]
fn creditor_identifier_is_checked_without_its_business_code() {
    for good in
        ["DE98ZZZ09999999999", "FR72ZZZ123456", "FR46ZZZ001122", "FR49ZZZ000001", "FR72001123456", "fr72 zzz 123456"]
    {
        assert!(CreditorId::try_from(good).is_ok(), "{good}");
    }
    for bad in ["FR12ZZZ123456", "FR14ZZZ001122"] {
        assert_eq!(broken(CreditorId::try_from(bad)), (Rule::CheckDigits, Some(3)));
    }
    assert!(matches!(broken(CreditorId::try_from("FR72ZZZ1234567")), (Rule::Length { found: 14, .. }, None)));
    assert_eq!(broken(CreditorId::try_from("ZZ72ZZZ123456")), (Rule::Country, Some(1)));
}

#[test]
fn company_numbers_are_checked_by_luhn() {
    for good in ["732829320", "552 081 317", "356000000"] {
        assert!(Siren::try_from(good).is_ok(), "{good}");
    }
    assert_eq!(broken(Siren::try_from("732 829 321")), (Rule::CheckDigits, Some(11)));
    assert!(matches!(broken(Siren::try_from("73282932A")), (Rule::Character { .. }, Some(9))));
    let siret = Siret::try_from("732 829 320 00074").unwrap();
    assert_eq!(siret.siren(), Siren::try_from("732829320").unwrap());
    assert!(Siret::try_from("73282932000075").is_err());
    // These are two SIRETs of La Poste. The first fails the Luhn check, but the sum of its digits is 45, a multiple of
    // 5. The second passes the Luhn check.
    assert!(Siret::try_from("35600000049837").is_ok() && Siret::try_from("35600000000048").is_ok());
    assert!(Siret::try_from("35600000049838").is_err());
}

#[test]
fn vat_number_is_checked_by_the_key_of_its_company() {
    assert_eq!(FrenchVat::try_from("FR03552081317").unwrap().siren(), Siren::try_from("552081317").unwrap());
    assert_eq!(broken(FrenchVat::try_from("FR04552081317")), (Rule::CheckDigits, Some(3)));
    assert_eq!(broken(FrenchVat::try_from("DE03552081317")), (Rule::Country, Some(1)));
    assert_eq!(broken(FrenchVat::try_from("FR03552081318")), (Rule::CheckDigits, Some(13)));
}

#[test]
fn sepa_values_are_masked_in_debug_and_errors() {
    let shown = [
        format!("{:?}", Iban::try_from(IBAN).unwrap()),
        format!("{:?}", Bic::try_from("BNPAFRPP").unwrap()),
        format!("{:?}", Umr::try_from("RUM-1").unwrap()),
        format!("{:?}", CreditorId::try_from("FR72ZZZ123456").unwrap()),
        format!("{:?}", Siren::try_from("732829320").unwrap()),
        format!("{:?}", Siret::try_from("73282932000074").unwrap()),
        format!("{:?}", FrenchVat::try_from("FR03552081317").unwrap()),
    ];
    assert_eq!(shown.join(" "), "Iban(FR…0185) Bic(***) Umr(***) CreditorId(***) Siren(***) Siret(***) FrenchVat(***)");
    for secret in ["FR7630001007941234567890186", "SECRET-NAME", "Jean Dupond é"] {
        let errors = [
            Iban::try_from(secret).unwrap_err(),
            Bic::try_from(secret).unwrap_err(),
            Siren::try_from(secret).unwrap_err(),
        ];
        for error in errors {
            let text = format!("{error} {error:?}");
            assert!(!text.contains(secret) && !text.contains(&secret[4..9]), "{text}");
        }
    }
}

#[test]
fn sepa_values_are_written_to_json_and_read_back_as_text() {
    let iban: Iban = serde_json::from_str("\"fr76 3000 1007 9412 3456 7890 185\"").unwrap();
    assert_eq!(serde_json::to_value(&iban).unwrap(), IBAN);
    let error = serde_json::from_str::<Iban>("\"FR7730001007941234567890185\"").unwrap_err();
    assert!(!error.to_string().contains("3000"), "{error}");
    assert!(serde_json::from_str::<Siren>("\"732829321\"").is_err());
}

/// Computes the remainder by 97 through long division of the text, digit by digit.
fn mod97(text: &str) -> u32 {
    let number: String = text.chars().map(|c| c.to_digit(36).unwrap().to_string()).collect();
    number.bytes().fold(0, |rest, digit| (rest * 10 + u32::from(digit - b'0')) % 97)
}

fn blanks_removed(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_ascii_uppercase()
}

#[test]
fn ibans_in_random_texts_are_judged_as_another_implementation_does() {
    let mut random = fastrand::Rng::with_seed(chance::seed());
    let seeds: Vec<&str> = examples()
        .chain(["DE98ZZZ09999999999", "FR72ZZZ123456", "BNPAFRPPXXX", "73282932000074", "FR03552081317", "RUM-1"])
        .collect();
    let pieces: [&[u8]; 8] = [b" ", b"\xc2\xa0", b"A", b"0", b"99", b"//", b"\xc3\xa9", b"zzz"];
    let mut valid = 0;
    for _ in 0..chance::cases(2000) {
        let seed = seeds[random.usize(..seeds.len())];
        let text = match random.u8(..3) {
            0 => seed.to_owned(),
            1 => seed.chars().map(|c| if random.u8(..12) == 0 { random.alphanumeric() } else { c }).collect(),
            _ => String::from_utf8_lossy(&chance::mutated(seed.as_bytes(), &pieces, &mut random)).into_owned(),
        };
        let bare = blanks_removed(&text);
        // The other implementation also accepts line breaks as blanks, so this test compares single lines only.
        let one_line =
            !text.contains(|c: char| c.is_whitespace() && (c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')));
        let iban = Iban::try_from(text.as_str());
        // The other implementation accepts any country and impossible check digits, so this test excludes such IBANs.
        let registered = bare.get(..2).is_some_and(|country| sepa_oracle::iban::iban_bban_format(country).is_some());
        let possible = bare.get(2..4).is_some_and(|check| !["00", "01", "99"].contains(&check));
        let other = sepa_oracle::iban::validate_iban(&text).is_ok() && registered && possible && one_line;
        assert_eq!(iban.is_ok(), other, "{text:?}");
        if let Ok(iban) = iban {
            assert_eq!(mod97(&format!("{}{}", &iban.as_str()[4..], &iban.as_str()[..4])), 1);
            valid += 1;
        }
        let bic = Bic::try_from(text.as_str());
        assert_eq!(bic.is_ok(), sepa_oracle::bic::validate_bic(&text).is_ok() && one_line, "{text:?}");
        let ics = CreditorId::try_from(text.as_str());
        let long_enough = bare.len() == 13 || !bare.starts_with("FR");
        assert_eq!(
            ics.is_ok(),
            sepa_oracle::creditor_id::validate_creditor_id(&text).is_ok() && long_enough && one_line,
            "{text:?}"
        );
        let umr = Umr::with_underscores(&text);
        assert_eq!(umr.as_ref().is_ok_and(|umr| umr.warning().is_none()), Umr::try_from(text.as_str()).is_ok());
        drop((Siren::try_from(text.as_str()), Siret::try_from(text.as_str()), FrenchVat::try_from(text.as_str())));
    }
    assert!(valid > 0);
}
