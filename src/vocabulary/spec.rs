//! The origin of the specs from which the clients were generated.

use super::Provider;
use std::fmt;

/// The spec from which a vendor's client was generated; see [`spec_versions`](crate::spec_versions).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SpecVersion {
    /// The vendor.
    pub provider: Provider,
    /// The origin of the spec.
    pub origin: SpecOrigin,
}

impl SpecVersion {
    pub(crate) fn new(provider: Provider, origin: SpecOrigin) -> Self {
        Self { provider, origin }
    }
}

/// The origin of a spec. The hash is that of your file. Comments, and the order of keys, do not change it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SpecOrigin {
    /// The spec of this crate.
    Ours,
    /// The spec of this crate, changed by your `<vendor>.patch.yaml`.
    Patched(&'static str),
    /// Your own spec, `<vendor>.yaml`.
    Replaced(&'static str),
}

impl fmt::Display for SpecOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ours => f.pad("ours"),
            Self::Patched(hash) => f.pad(&format!("patched {hash}")),
            Self::Replaced(hash) => f.pad(&format!("replaced {hash}")),
        }
    }
}

impl fmt::Display for SpecVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.provider, self.origin)
    }
}
