//! The reason codes with which banks reject, return or refuse a collection.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{convert::Infallible, fmt, str::FromStr};

/// The effect of a bank's reason code on the mandate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MandateEffect {
    /// The reason has no effect on the mandate.
    None,
    /// The mandate has not ended. Ask the debtor about the reason.
    Suspect,
    /// Ask the debtor if the reason occurs again, because the bank may hide the real reason.
    SuspectIfRepeated,
    /// Present no further collection until the cause has changed.
    Suspend,
    /// The mandate has ended.
    End,
}

/// The condition under which the same collection may be presented again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Representation {
    /// The same collection may not be presented again.
    Never,
    /// Present the collection again only after the account or the permission of the debtor changed.
    AfterChange,
    /// Present the collection again only if the debtor agrees.
    WithConsent,
    /// Present the collection again only after the creditor corrected it.
    AfterFix,
    /// Present the collection again later, and only a few times.
    Later,
    /// A person has to decide if the collection is presented again.
    NotAutomatically,
}

/// The party that has to act after a bank's reason code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Actor {
    /// You.
    Creditor,
    /// The debtor.
    Debtor,
    /// The debtor or the bank of the debtor.
    DebtorOrBank,
    /// The vendor.
    Vendor,
    /// Not known.
    Unknown,
}

macro_rules! reasons {
    ($($code:ident $effect:ident $representation:ident $actor:ident $en:literal $fr:literal)+) => {
        /// The reason of a bank, a code of ISO 20022.
        ///
        /// Two tables of vendors agree on the codes. The effects are inferred from them, and from the rulebooks. An
        /// unknown code has no effect, and nothing is presented again automatically.
        ///
        /// ```
        /// use mandat::sepa::{MandateEffect, ReasonCode, Representation};
        ///
        /// let reason = ReasonCode::from("AM04");
        /// assert_eq!(reason.label(), "insufficient funds");
        /// assert_eq!((reason.mandate_effect(), reason.representation()), (MandateEffect::None, Representation::Later));
        /// assert!(!ReasonCode::from("XX99").may_be_presented_automatically());
        /// ```
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum ReasonCode {
            $(#[doc = concat!(stringify!($code), ": ", $en, ".")] $code,)+
            /// Any other reason code, as the bank gave it.
            Other(String),
        }

        impl ReasonCode {
            /// Every known code.
            pub const KNOWN: &'static [Self] = &[$(Self::$code),+];

            /// The code.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$code => stringify!($code),)+
                    Self::Other(code) => code,
                }
            }

            /// Returns the effect of the code on the mandate.
            pub fn mandate_effect(&self) -> MandateEffect {
                match self {
                    $(Self::$code => MandateEffect::$effect,)+
                    Self::Other(_) => MandateEffect::None,
                }
            }

            /// Returns the condition under which the same collection may be presented again.
            pub fn representation(&self) -> Representation {
                match self {
                    $(Self::$code => Representation::$representation,)+
                    Self::Other(_) => Representation::NotAutomatically,
                }
            }

            /// Returns the party that has to act after this reason code.
            pub fn actor(&self) -> Actor {
                match self {
                    $(Self::$code => Actor::$actor,)+
                    Self::Other(_) => Actor::Vendor,
                }
            }

            /// Returns the meaning of the code in English.
            pub fn label(&self) -> &'static str {
                match self {
                    $(Self::$code => $en,)+
                    Self::Other(_) => "unknown reason",
                }
            }

            /// Returns the meaning of the code in French.
            pub fn label_fr(&self) -> &'static str {
                match self {
                    $(Self::$code => $fr,)+
                    Self::Other(_) => "motif inconnu",
                }
            }
        }

        /// Reads a reason code in any letter case, and ignores blanks at its ends.
        impl From<&str> for ReasonCode {
            fn from(text: &str) -> Self {
                match text.trim().to_ascii_uppercase().as_str() {
                    $(stringify!($code) => Self::$code,)+
                    _ => Self::Other(text.into()),
                }
            }
        }
    };
}

reasons! {
    MD01 End Never Creditor "no valid mandate" "absence de mandat valide"
    MD07 End Never Creditor "debtor deceased" "débiteur décédé"
    AC04 Suspend AfterChange Debtor "account closed" "compte clôturé"
    AC01 Suspend AfterChange DebtorOrBank "wrong account number" "numéro de compte incorrect"
    AC06 Suspend AfterChange DebtorOrBank "account blocked" "compte bloqué"
    AC13 Suspend AfterChange DebtorOrBank "consumer account in the scheme B2B" "compte de consommateur dans le schéma B2B"
    AG01 Suspend AfterChange DebtorOrBank "direct debit not allowed on this account" "prélèvement interdit sur ce compte"
    SL11 Suspend AfterChange DebtorOrBank "creditor not on the debtor's white list" "créancier absent de la liste blanche du débiteur"
    SL12 Suspend AfterChange DebtorOrBank "creditor on the debtor's black list" "créancier sur la liste noire du débiteur"
    MS02 Suspect WithConsent Debtor "refused by the debtor" "refus du débiteur"
    MD06 Suspect WithConsent Debtor "refund requested by the debtor" "remboursement demandé par le débiteur"
    AM04 None Later Debtor "insufficient funds" "provision insuffisante"
    MS03 SuspectIfRepeated Later Unknown "reason not given" "motif non communiqué"
    SL01 SuspectIfRepeated Later Unknown "specific service of the debtor's bank" "service spécifique de la banque du débiteur"
    RR04 SuspectIfRepeated Later Unknown "regulatory reason" "motif réglementaire"
    MD02 None AfterFix Creditor "mandate data missing or wrong" "données du mandat absentes ou incorrectes"
    BE05 None AfterFix Creditor "creditor identifier not recognised" "identifiant du créancier non reconnu"
    AG02 None AfterFix Creditor "wrong operation or sequence" "code opération ou séquence incorrect"
    RR01 None AfterFix Creditor "debtor's account or identifier missing" "compte ou identifiant du débiteur absent"
    RR02 None AfterFix Creditor "debtor's name or address missing" "nom ou adresse du débiteur absent"
    RR03 None AfterFix Creditor "creditor's name or address missing" "nom ou adresse du créancier absent"
    RC01 None AfterFix Creditor "wrong BIC" "BIC incorrect"
    FF01 None AfterFix Creditor "wrong file format" "format de fichier incorrect"
    FF05 None AfterFix Creditor "wrong type of direct debit" "type de prélèvement incorrect"
    AM05 None AfterFix Creditor "duplicate" "opération en double"
    MSUC Suspend Never Creditor "seven collections in a row failed" "sept prélèvements consécutifs ont échoué"
    DNOR None NotAutomatically Vendor "debtor's bank not reachable" "banque du débiteur non joignable"
    CNOR None NotAutomatically Vendor "creditor's bank not reachable" "banque du créancier non joignable"
}

impl ReasonCode {
    /// Returns true if a program may present the same collection again without asking a person. Limit the number of
    /// attempts.
    pub fn may_be_presented_automatically(&self) -> bool {
        self.representation() == Representation::Later
    }
}

impl FromStr for ReasonCode {
    type Err = Infallible;
    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(text.into())
    }
}

/// `Debug` shows a known reason code. Any other text can contain personal data, so only its length is shown.
impl fmt::Debug for ReasonCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Other(text) => write!(f, "Other({} bytes)", text.len()),
            known => f.write_str(known.as_str()),
        }
    }
}

impl Serialize for ReasonCode {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for ReasonCode {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Ok(std::borrow::Cow::<str>::deserialize(d)?.as_ref().into())
    }
}
