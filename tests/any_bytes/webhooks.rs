//! The webhook functions verify or refuse any posted body: they never accept an unsigned body, and always accept a
//! signed one.

use mandat::{
    MandateRef, WebhookError, easytransac,
    safedebit::SignatureReturn,
    seqino::{self, Encoding},
};
use serde_json::Value;

const SECRET: &str = "a secret of ours";

pub fn run(body: &[u8]) {
    // Random bytes do not contain a valid signature, because the chance is negligible.
    assert!(easytransac::verify_notification(body, &[SECRET]).is_err());
    if let Ok(Value::Object(fields)) = serde_json::from_slice(body)
        && let Ok(signed) = easytransac::sign_notification(fields, SECRET)
    {
        let event = easytransac::verify_notification(signed.as_bytes(), &["another", SECRET])
            .expect("the signed body should be verified");
        assert!(easytransac::verify_notification(signed.as_bytes(), &["another"]).is_err());
        let _ = (event.mandate_at(&["/MandateId"]), event.read::<easytransac::types::Notification>());
    }

    for encoding in [Encoding::Hex, Encoding::Base64] {
        assert!(seqino::verify_webhook(body, Some(body), encoding, &[SECRET]).is_err());
        let headers = [("x-signature", body), ("x-signature", b"sha256=00")];
        assert!(seqino::verify_request(body, headers, "X-Signature", &[SECRET]).is_err());
        let signed = seqino::sign_webhook(body, encoding, SECRET).expect("the body should be under the size limit");
        let headers = [("x-signature", body), ("X-SIGNATURE", signed.as_bytes())];
        match seqino::verify_request(body, headers, "x-signature", &["another", SECRET, ""]) {
            Ok(event) => {
                let mandate = event.mandate_at(&["/data/client_id", "/data/mandate_id"]);
                assert!(mandate.is_none_or(|it| it.to_string().parse::<MandateRef>().is_ok_and(|again| again == it)));
                let _ = event.read::<seqino::types::WebhookEventPayload>();
            }
            Err(error) => assert!(matches!(error, WebhookError::Unreadable(_)), "{error}"),
        }
    }

    let back = SignatureReturn::parse(body).expect("the body should be under the size limit");
    if let Some(umr) = back.hint("umr") {
        assert!((1..=35).contains(&umr.id().chars().count()) && !umr.id().contains(char::is_control));
        assert!(!umr.id().contains(['/', '\\', '%']) && umr.id().trim() == umr.id());
    }
}
