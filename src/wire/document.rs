//! Documents, such as a signed mandate or an identity card.

use super::{InvalidValue, text::plain_text};
use base64::{
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
    prelude::{BASE64_STANDARD, Engine},
};
use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;

/// A document, which is sent as base64. A document is personal data, so `Debug` shows only its length.
///
/// SafeDebit describes the field as base64. SafeDebit's sample is the base64 of a data URI
/// (`data:application/pdf;base64,...`). The vendor does not document which of the two forms it expects, so this type
/// has a constructor for each. [`to_bytes`](Self::to_bytes) reads both.
///
/// ```
/// use mandat::wire::{Document, MediaType};
///
/// let mandate = Document::data_uri(MediaType::Pdf, b"%PDF-1.7 ...")?;
/// assert_eq!(mandate.to_bytes()?, b"%PDF-1.7 ...");
/// # Ok::<(), mandat::wire::InvalidValue>(())
/// ```
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Document(String);

/// The media types of documents that SafeDebit accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MediaType {
    /// `application/pdf`.
    Pdf,
    /// `image/png`.
    Png,
    /// `image/jpeg`.
    Jpeg,
    /// `image/gif`.
    Gif,
}

impl MediaType {
    /// Returns the name of the media type, such as `application/pdf`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pdf => "application/pdf",
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::Gif => "image/gif",
        }
    }
}

/// Reads base64 with or without padding, because vendors send both.
const ANY_PADDING: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

impl Document {
    /// The size of the largest document that can be sent: 20 MiB, in bytes. This crate sets the limit, because no
    /// vendor documents one.
    pub const LARGEST: usize = 20 << 20;

    /// Makes a document from its bytes, as plain base64.
    ///
    /// # Errors
    /// An error if there are no bytes, or more than [`LARGEST`](Self::LARGEST).
    pub fn from_bytes(bytes: impl AsRef<[u8]>) -> Result<Self, InvalidValue> {
        sized(bytes.as_ref()).map(|bytes| Self(BASE64_STANDARD.encode(bytes)))
    }

    /// Makes a document from its bytes in the form of SafeDebit's sample: the base64 of a data URI.
    ///
    /// # Errors
    /// An error if there are no bytes, or more than [`LARGEST`](Self::LARGEST).
    pub fn data_uri(media_type: MediaType, bytes: impl AsRef<[u8]>) -> Result<Self, InvalidValue> {
        let content = BASE64_STANDARD.encode(sized(bytes.as_ref())?);
        Ok(Self(BASE64_STANDARD.encode(format!("data:{};base64,{content}", media_type.as_str()))))
    }

    /// Returns the bytes of the document. Reads base64, a data URI, and the base64 of a data URI.
    ///
    /// # Errors
    /// An error if the text is in none of these forms.
    pub fn to_bytes(&self) -> Result<Vec<u8>, InvalidValue> {
        let decode = |text: &[u8]| {
            // Remove whitespace, because some software breaks base64 into lines, as in mail.
            let text: Vec<u8> = text.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
            ANY_PADDING.decode(text).map_err(|_| InvalidValue("the document is not base64".into()))
        };
        match content(self.0.as_bytes()) {
            Some(within) => decode(within),
            None => decode(self.0.as_bytes()).and_then(|bytes| match content(&bytes) {
                Some(within) => decode(within),
                None => Ok(bytes),
            }),
        }
    }

    /// Returns the base64 text that is sent or was received.
    pub fn as_base64(&self) -> &str {
        &self.0
    }
}

fn sized(bytes: &[u8]) -> Result<&[u8], InvalidValue> {
    match bytes.len() {
        0 => Err(InvalidValue("the document is empty".into())),
        size if size > Document::LARGEST => {
            Err(InvalidValue(format!("the document has {size} bytes, at most {} are allowed", Document::LARGEST)))
        }
        _ => Ok(bytes),
    }
}

/// Returns the base64 part of a data URI, without the media type.
fn content(bytes: &[u8]) -> Option<&[u8]> {
    const MARK: &[u8] = b";base64,";
    let head = bytes.strip_prefix(b"data:")?;
    // Search only the first bytes, because a media type and its parameters are short.
    let at = head.windows(MARK.len()).take(256).position(|window| window == MARK)?;
    head.get(at + MARK.len()..)
}

impl TryFrom<&[u8]> for Document {
    type Error = InvalidValue;
    fn try_from(bytes: &[u8]) -> Result<Self, InvalidValue> {
        Self::from_bytes(bytes)
    }
}

impl TryFrom<Vec<u8>> for Document {
    type Error = InvalidValue;
    fn try_from(bytes: Vec<u8>) -> Result<Self, InvalidValue> {
        Self::from_bytes(bytes)
    }
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Document({} bytes of base64)", self.0.len())
    }
}

impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        plain_text(d).map(Self)
    }
}
