//! The chapters of the book. The [front page](crate) lists them.
//!
//! Each chapter is also a file in `docs/`. This module exists only in the documentation.

/// Makes a module of each chapter file. Its links come before the file, because Markdown uses the first of two
/// definitions. So links lead to modules here, and to files where somebody reads the file itself.
macro_rules! chapters {
    ($($about:literal $name:ident;)+) => {$(
        #[doc = $about]
        ///
        /// [changes]: crate::book::changes
        /// [errors]: crate::book::errors
        /// [files]: crate::book::files
        /// [many]: crate::book::many
        /// [operations]: crate::book::operations
        /// [reading]: crate::book::reading
        /// [sepa]: crate::book::sepa
        /// [statuses]: crate::book::statuses
        /// [testing]: crate::book::testing
        /// [verdicts]: crate::book::verdicts
        /// [webhooks]: crate::book::webhooks
        #[cfg_attr(feature = "easytransac", doc = "[easytransac]: crate::easytransac")]
        #[cfg_attr(feature = "safedebit", doc = "[safedebit]: crate::safedebit")]
        #[cfg_attr(feature = "seqino", doc = "[seqino]: crate::seqino")]
        ///
        #[doc = include_str!(concat!("../docs/", stringify!($name), ".md"))]
        pub mod $name {}
    )+};
}

chapters! {
    "The statuses, their evidence, and the changes between them." statuses;
    "Permission to use a mandate, and the reasons against it." verdicts;
    "Kinds of errors, retries, and the outcome of a write." errors;
    "Checked values, business days, reasons of banks, and the finality of a collection." sepa;
    "Read many mandates, store their states, find changes, and read again." many;
    "The program `mandat`: files of mandates, stopped runs, exit codes, credentials." files;
    "Callbacks from the vendors, and the proof that each gives." webhooks;
    "The sandbox, which simulates the vendors for tests in any language." testing;
    "Your own patch of a spec: new words, fields, keys and operations without a release." changes;
    "Timeouts, limits, many processes, stored data, personal data, traces, clocks." operations;
    "The required parts of a response, damage elsewhere, and empty lists." reading;
    "One term for each concept." glossary;
}
