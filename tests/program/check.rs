//! The command `mandat check` checks values such as IBANs, and never prints a value.

use crate::support::mandat;

#[test]
fn check_accepts_valid_values_of_each_type() {
    for (kind, value) in [
        ("iban", "FR76 3000 1007 9412 3456 7890 185"),
        ("umr", "RUM-2026-0042"),
        ("umr", "-1"),
        ("ics", "FR72ZZZ123456"),
        ("siren", "732 829 320"),
        ("siret", "35600000049837"),
        ("bic", "BNPAFRPP"),
        ("vat", "FR03552081317"),
    ] {
        let result = mandat(&["check", kind, value]);
        assert_eq!(result, (Some(0), "value 1: valid\n".into(), String::new()), "{kind}");
    }
}

#[test]
fn check_reports_the_broken_rule_without_printing_the_value() {
    for (kind, value) in [
        ("iban", "FR7730001007941234567890185"),
        ("iban", "US64SVBKUS6S3300958879"),
        ("umr", "/SECRET"),
        ("ics", "FR12ZZZ123456"),
        ("siren", "732829321"),
        ("siret", "35600000049838"),
        ("bic", "COBAZZFF"),
        ("vat", "FR04552081317"),
        ("umr", "--SECRET//1"),
    ] {
        let (code, out, err) = mandat(&["check", kind, value]);
        assert_eq!((code, out.as_str()), (Some(1), ""), "{kind}");
        assert!(err.starts_with("value 1: not a valid ") && err.contains("1 of 1 values are wrong"), "{err}");
        assert!(!err.contains(value) && !err.contains("SECRET"), "{err}");
    }
}

#[test]
fn check_names_each_invalid_value_by_its_position() {
    let (code, out, err) = mandat(&["check", "bic", "BNPAFRPP", "BNPAFRP", "bnpa fr pp"]);
    assert_eq!((code, out.as_str()), (Some(1), "value 1: valid\nvalue 3: valid\n"));
    assert_eq!(
        err,
        "value 2: not a valid BIC: the text has 7 characters. Use 8 or 11\nmandat: 1 of 3 values are wrong\n"
    );
}

#[test]
fn check_accepts_a_umr_with_an_underscore_but_warns() {
    let (code, out, err) = mandat(&["check", "umr", "RUM_42"]);
    assert_eq!((code, err.as_str()), (Some(0), ""));
    assert!(out.starts_with("value 1: accepted by some vendors, but not a valid UMR: at character 4"), "{out}");
}

#[test]
fn option_after_a_value_is_refused_and_not_checked_as_a_value() {
    let (code, out, err) = mandat(&["check", "siret", "--format", "csv", "--columns", "valid", "35600000049837"]);
    assert_eq!((code, out.as_str(), err.as_str()), (Some(0), "valid\ntrue\n", ""));
    for option in [&["--format", "csv"][..], &["--from", "ibans.txt"], &["--json"], &["--columns=valid"], &["-q"]] {
        let arguments = [&["check", "iban", "FR7630001007941234567890185"], option].concat();
        let (code, out, err) = mandat(&arguments);
        assert_eq!((code, out.as_str()), (Some(2), ""), "{err}");
        assert!(err.contains("before the values") && !err.contains("FR76"), "{err}");
    }
}

#[test]
fn check_without_a_value_or_with_an_unknown_type_is_a_usage_error() {
    for arguments in [&["check", "FR7630001007941234567890185", "1"][..], &["check", "FR7630001007941234567890185"]] {
        let (code, out, err) = mandat(arguments);
        assert_eq!((code, out.as_str()), (Some(2), ""));
        assert!(!err.contains("FR76"), "{err}");
    }
    assert_eq!(mandat(&["check", "iban"]).0, Some(2));
}

#[test]
fn calendar_command_lists_the_closing_days_of_a_year() {
    let (code, out, err) = mandat(&["calendar", "--year", "2027"]);
    assert_eq!((code, err.as_str()), (Some(0), ""));
    let days: Vec<_> = out.lines().map(|line| &line[..10]).collect();
    assert_eq!(days, ["2027-01-01", "2027-03-26", "2027-03-29", "2027-05-01", "2027-12-25", "2027-12-26"]);
    assert_eq!(mandat(&["calendar"]).1.lines().count(), 6);
}
