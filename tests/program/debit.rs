//! `mandat debit` against a sandbox.

use crate::support::{Vendors, mandat};
use serde_json::Value;

#[test]
fn samples_of_the_sandbox_are_debits_of_two_vendors() {
    let (code, out, err) = mandat(&["--sandbox", "debit"]);
    assert_eq!((code, err.as_str()), (Some(0), ""));
    let references: Vec<_> = out.lines().map(|line| line.split('\t').next().unwrap()).collect();
    assert_eq!(references, ["easytransac:tid=ABC1-ABC1-ABC1", "safedebit:umr=XXXXXXXXXXXXX/sdd=XXXXXXXXXXXXX"]);
    assert!(out.lines().all(|line| line.split('\t').count() == 7), "{out}");
}

#[test]
fn json_has_the_debit_and_its_finality() {
    let (code, out, _) = mandat(&["--sandbox", "debit", "--json", "safedebit:umr=XXXXXXXXXXXXX/sdd=XXXXXXXXXXXXX"]);
    let line: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &line["debit"]["amount_cents"]), (Some(0), &Value::from(333)));
    assert!(line["debit"]["due"].is_string() && line.get("finality").is_some());
}

#[test]
fn vendor_that_refuses_the_caller_gets_one_request() {
    let vendors = Vendors::start("debit-refused");
    let references: Vec<String> = (0..5).map(|i| format!("safedebit:umr=RUM-1/sdd={i}")).collect();
    let mut arguments = vec!["debit", "easytransac:orderId=order-1"];
    arguments.extend(references.iter().map(String::as_str));
    let mut command = vendors.command(&arguments);
    let ended = command.env("SAFEDEBIT_PASSWORD", "wrong").output().unwrap();
    let err = String::from_utf8(ended.stderr).unwrap();
    assert_eq!((ended.status.code(), vendors.sandbox.count("search_payment")), (Some(3), 1), "{err}");
    assert!(
        err.contains(
            "SafeDebit refused the caller, so the run sent no more requests to SafeDebit. Debits not requested: 4."
        ),
        "{err}"
    );
    assert_eq!(String::from_utf8(ended.stdout).unwrap().lines().count(), 1);
}
