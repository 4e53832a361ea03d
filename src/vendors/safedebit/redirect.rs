//! Reads the request with which a browser returns from SafeDebit's signature page to your server: to `url_ok`, `url_ko`
//! or `url_cancel`.

use crate::{
    mandate::MandateRef,
    vocabulary::Provider,
    webhook::{self, WebhookError, WebhookEvent},
};
use std::fmt;

/// The parameters of a browser's request to `url_ok`, `url_ko` or `url_cancel`. **They are not signed**: anybody can
/// open these addresses with any parameters. A request to `url_ok` does not prove that a mandate is signed. A request
/// to `url_cancel` does not prove that it is unsigned. The visitor may be somebody other than the debtor, so show no
/// data of the mandate in the response.
///
/// The request only names a mandate to read: pass [`hint`](Self::hint) to
/// [`Mandates::status`](crate::Mandates::status). A debtor may also sign without a return to your server, so also check
/// the mandates that wait for a signature. Each hint causes a request to SafeDebit, and anybody can send many hints:
/// limit their number.
///
/// By the documentation, SafeDebit sends the UMR to `url_ok`, and IBAN and BIC in a POST. The query of the three
/// addresses may contain your own data. The documentation names no parameter, so you pass the name. Preferably use your
/// own parameter: add it to the address when you create the mandate, with a value that nobody can guess.
///
/// ```
/// use mandat::{MandateRef, safedebit::SignatureReturn};
///
/// // url_ok was https://example.com/ok?mandate=RUM-2026-0042
/// let back = SignatureReturn::parse(b"mandate=RUM-2026-0042")?;
/// assert_eq!(back.hint("mandate"), Some(MandateRef::safedebit("RUM-2026-0042")));
/// # Ok::<(), mandat::WebhookError>(())
/// ```
///
/// `Debug` does not show the parameters. Source: <https://doc.safedebit.fr/api/v1/create_mandate.php?lang=en_US>.
#[derive(Clone, PartialEq, Eq)]
pub struct SignatureReturn(Vec<(String, String)>);

impl SignatureReturn {
    /// Reads the query of the requested address, with or without its `?`, or the URL-encoded form in the body. Text
    /// that is not UTF-8 is read as Windows-1252, a superset of Latin-1.
    ///
    /// # Errors
    /// [`WebhookError::TooLarge`] for more bytes than [`WebhookEvent::MAX_BODY`].
    pub fn parse(query_or_form: &[u8]) -> Result<Self, WebhookError> {
        if query_or_form.len() > WebhookEvent::MAX_BODY {
            return Err(WebhookError::TooLarge);
        }
        Ok(Self(webhook::bytes::form(query_or_form.strip_prefix(b"?").unwrap_or(query_or_form))))
    }

    /// Returns the first value of a parameter. Anybody may have invented this value.
    pub fn unverified(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Returns the mandate that a parameter names. Read this mandate from the vendor.
    ///
    /// Returns `None` for a value that is blank or longer than 35 characters. Returns `None` also for a value that
    /// could change the path of a request or forge a log line. Such a value has a `/`, a `\`, a `%`, a control
    /// character or an invisible character, or consists of dots and blanks. Blanks at the ends of the value are
    /// removed.
    pub fn hint(&self, name: &str) -> Option<MandateRef> {
        let mandate = webhook::reference(Provider::SafeDebit, vec![self.unverified(name)?.into()])?;
        Some(mandate).filter(|mandate| mandate.id().chars().count() <= 35)
    }
}

impl fmt::Debug for SignatureReturn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Return(unverified)")
    }
}
