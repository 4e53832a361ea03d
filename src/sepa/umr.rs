//! The unique references of mandates (UMR).

use super::value::{Rule, ValueError, ValueKind, deserialize, is_blank, value};
use std::{
    cmp::Ordering,
    hash::{Hash, Hasher},
};

value! {
    /// The unique reference of a mandate (French RUM), as it was given.
    ///
    /// The SEPA rulebook allows 1 to 35 of the characters `a-z A-Z 0-9 / - ? : ( ) . , ' +` and blanks. A reference has
    /// no slash and no blank at its ends, and never two slashes in a row. Two references are equal if they differ only
    /// in case. A reference is unique together with the creditor identifier only.
    ///
    /// SafeDebit's own samples contain `_`, which the rulebook does not allow: see
    /// [`with_underscores`](Self::with_underscores).
    ///
    /// ```
    /// use mandat::sepa::Umr;
    ///
    /// assert_eq!(Umr::try_from("RUM-2026-0042")?, Umr::try_from("rum-2026-0042")?);
    /// assert!(Umr::try_from("RUM_42").is_err());
    /// let umr = Umr::with_underscores("RUM_42")?;
    /// assert_eq!(umr.warning().unwrap().position, Some(4));
    /// # Ok::<(), mandat::sepa::ValueError>(())
    /// ```
    Umr, masked
}
// A UMR that was stored with a `_` must be readable again.
deserialize! { Umr by with_underscores }

impl Umr {
    fn read(given: &str) -> Result<Self, ValueError> {
        let umr = Self::with_underscores(given)?;
        umr.warning().map_or(Ok(umr), Err)
    }

    /// Reads a UMR like `TryFrom`, but also accepts `_`. [`warning`](Self::warning) then returns the broken rule. Serde
    /// reads a UMR in the same way.
    ///
    /// # Errors
    /// If the UMR breaks any other rule.
    pub fn with_underscores(given: &str) -> Result<Self, ValueError> {
        let length = given.chars().count();
        let place = |found: fn(char) -> bool| given.chars().position(found).map(|at| at + 1);
        let end = |found: fn(char) -> bool| {
            let (first, last) = (given.starts_with(found), given.ends_with(found));
            first.then_some(1).or(last.then_some(length))
        };
        let error = |rule, position| Err(ValueError { kind: ValueKind::Umr, rule, position });
        if given.is_empty() {
            return error(Rule::NotEmpty, None);
        }
        if let Some(at) = end(is_blank) {
            return error(Rule::Blank, Some(at));
        }
        if let Some(at) = place(|c| !of_a_umr(c)) {
            return error(Rule::Character { wanted: "a-z, A-Z, 0-9, blanks and / - ? : ( ) . , ' +" }, Some(at));
        }
        if length > 35 {
            return error(Rule::Length { found: length, wanted: "1 to 35" }, None);
        }
        if let Some(at) = end(|c| c == '/').or(given.find("//").map(|at| at + 2)) {
            return error(Rule::Slash, Some(at));
        }
        Ok(Self(given.into()))
    }

    /// Returns the rule that this UMR breaks because it contains a `_`.
    pub fn warning(&self) -> Option<ValueError> {
        let at = self.0.find('_')?;
        Some(ValueError { kind: ValueKind::Umr, rule: Rule::Underscore, position: Some(at + 1) })
    }

    fn folded(&self) -> impl Iterator<Item = u8> {
        self.0.bytes().map(|byte| byte.to_ascii_lowercase())
    }
}

/// Returns true for a character that the SEPA rulebook allows in a UMR, and for `_`.
pub(crate) fn of_a_umr(c: char) -> bool {
    c.is_ascii_alphanumeric() || " /-?:().,'+_".contains(c)
}

impl PartialEq for Umr {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for Umr {}

impl Hash for Umr {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.folded().for_each(|byte| byte.hash(state));
        self.0.len().hash(state);
    }
}

impl PartialOrd for Umr {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Umr {
    fn cmp(&self, other: &Self) -> Ordering {
        self.folded().cmp(other.folded())
    }
}
