//! The chapters of the book. The [front page](crate) lists them.
//!
//! Each chapter is also a file in `docs/`. The module `book` exists only in the documentation.

/// Makes a module of each chapter file. The macro defines the links before the text of the file, because Markdown uses
/// the first of two definitions. So a link in the documentation leads to a module, and the same link in the file leads
/// to another file.
macro_rules! chapters {
    ($($about:literal $name:ident = $file:literal;)+) => {$(
        #[doc = $about]
        ///
        /// [collect]: crate::book::collect
        /// [collect_fr]: crate::book::collect_fr
        /// [debits]: crate::book::debits
        /// [changes]: crate::book::changes
        /// [errors]: crate::book::errors
        /// [files]: crate::book::files
        /// [many]: crate::book::many
        /// [operations]: crate::book::operations
        /// [program]: crate::book::program
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
        #[doc = include_str!(concat!("../docs/", $file))]
        pub mod $name {}
    )+};
}

chapters! {
    "The statuses, their evidence, and the changes between them." statuses = "statuses.md";
    "Permission to use a mandate, and the reasons against it." verdicts = "verdicts.md";
    "Kinds of errors, retries, and the outcome of a write." errors = "errors.md";
    "Checked values, business days, reasons of banks, and the finality of a collection." sepa = "sepa.md";
    "The state of a debit, the reason of a bank, and the time when the money is yours." debits = "debits.md";
    "A guide from the data of a debtor to final money." collect = "collect.md";
    "Le même guide en français." collect_fr = "collect.fr.md";
    "Read many mandates, store their states, find changes, and read again." many = "many.md";
    "Files of mandates: columns, cells, stopped runs, credentials." files = "files.md";
    "The program `mandat`: commands, formats, writes, exit codes." program = "program.md";
    "Callbacks from the vendors, and the proof that each gives." webhooks = "webhooks.md";
    "The sandbox, which simulates the vendors for tests in any language." testing = "testing.md";
    "Your own patch of a spec: new words, fields, keys and operations without a release." changes = "changes.md";
    "Timeouts, limits, many processes, stored data, personal data, traces, clocks." operations = "operations.md";
    "The required parts of a response, damage elsewhere, and empty lists." reading = "reading.md";
    "One term for each concept." glossary = "glossary.md";
}
