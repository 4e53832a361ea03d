//! The way back from SafeDebit's signature page: a browser that comes to `url_ok`, `url_ko` or `url_cancel`.

use crate::{
    mandate::MandateRef,
    vocabulary::Provider,
    webhook::{self, WebhookError, WebhookEvent},
};
use std::fmt;

/// What a browser brought to `url_ok`, `url_ko` or `url_cancel`. **Nothing signs it**: anybody can open these addresses
/// with anything in them. That `url_ok` was reached does not prove that a mandate is signed, nor does `url_cancel` that
/// it is not, and who comes need not be the debtor. Show that person nothing of the mandate for it.
///
/// It can say which mandate to read, and no more: take [`hint`](Self::hint) to
/// [`Mandates::status`](crate::Mandates::status). A debtor may also sign and never come back, so look at the mandates
/// that wait for a signature in any case. Each hint costs a read, and anybody can send many: limit them.
///
/// The documentation says that the UMR is handed back to `url_ok`, that IBAN and BIC are in a POST, and that data of
/// yours may stand in the query of the three addresses. It names no parameter, so you give the name: best that of one
/// of your own, put into the address when the mandate is created, with a value that cannot be guessed.
///
/// ```
/// use mandat::{MandateRef, safedebit::Return};
///
/// // url_ok was https://example.com/ok?mandate=RUM-2026-0042
/// let back = Return::parse(b"mandate=RUM-2026-0042")?;
/// assert_eq!(back.hint("mandate"), Some(MandateRef::safedebit("RUM-2026-0042")));
/// # Ok::<(), mandat::WebhookError>(())
/// ```
///
/// `Debug` shows nothing of the content. Source: <https://doc.safedebit.fr/api/v1/create_mandate.php?lang=en_US>.
#[derive(Clone, PartialEq, Eq)]
pub struct Return(Vec<(String, String)>);

impl Return {
    /// Reads the query of the address, with or without its `?`, or the form in the body. Bytes that are not UTF-8 are read
    /// as Windows-1252, a superset of Latin-1.
    ///
    /// # Errors
    /// [`WebhookError::TooLarge`].
    pub fn parse(query_or_form: &[u8]) -> Result<Self, WebhookError> {
        if query_or_form.len() > WebhookEvent::MAX_BODY {
            return Err(WebhookError::TooLarge);
        }
        Ok(Self(webhook::bytes::form(query_or_form.strip_prefix(b"?").unwrap_or(query_or_form))))
    }

    /// The first value of a parameter, which may be anybody's invention.
    pub fn unverified(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The mandate that a parameter names, to be read.
    ///
    /// `None` for a value that is blank or longer than 35 characters. `None` also for a value that could reach another path
    /// or forge a log: with a `/`, a `\` or a `%`, with a control character or an invisible character, or with only dots and
    /// blanks. Blanks at its ends are removed.
    pub fn hint(&self, name: &str) -> Option<MandateRef> {
        let mandate = webhook::reference(Provider::SafeDebit, vec![self.unverified(name)?.into()])?;
        Some(mandate).filter(|mandate| mandate.id().chars().count() <= 35)
    }
}

impl fmt::Debug for Return {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Return(unverified)")
    }
}
