//! The chapters of the book. The [front page](crate) lists them.
//!
//! Each chapter is also a file in `docs/`. The module `book` exists only in the documentation.

/// Makes a module of each chapter file. The macro defines the links before the text of the file, because Markdown uses
/// the first of two definitions. So a link in the documentation leads to a module, and the same link in the file leads
/// to another file. The links of figures hold the figures themselves, because the documentation has no place for files.
macro_rules! chapters {
    ($($(#[$attribute:meta])? $about:literal $name:ident = $file:literal ;)+) => {$(
        $(#[$attribute])?
        #[doc = $about]
        ///
        /// [collect]: crate::book::collect
        /// [collect_fr]: crate::book::collect_fr
        /// [compatibility]: crate::book::compatibility
        /// [debits]: crate::book::debits
        /// [changes]: crate::book::changes
        /// [errors]: crate::book::errors
        /// [evidence]: crate::book::evidence
        /// [files]: crate::book::files
        /// [machines]: crate::book::machines
        /// [many]: crate::book::many
        /// [operations]: crate::book::operations
        /// [program]: crate::book::program
        /// [reading]: crate::book::reading
        /// [recipes]: crate::book::recipes
        /// [sepa]: crate::book::sepa
        /// [statuses]: crate::book::statuses
        /// [testing]: crate::book::testing
        /// [verdicts]: crate::book::verdicts
        /// [webhooks]: crate::book::webhooks
        #[cfg_attr(feature = "easytransac", doc = "[easytransac]: crate::easytransac")]
        #[cfg_attr(feature = "safedebit", doc = "[safedebit]: crate::safedebit")]
        #[cfg_attr(feature = "seqino", doc = "[seqino]: crate::seqino")]
        // The pictures themselves, because rustdoc copies no files.
        #[doc = include_str!("../docs/diagrams/definitions.md")]
        ///
        #[doc = include_str!(concat!("../docs/", $file))]
        pub mod $name {}
    )+};
}

chapters! {
    "A tutorial: from an empty folder to a nightly job." tutorial = "tutorial.md";
    "The statuses, their evidence, and the changes between them." statuses = "statuses.md";
    "Permission to use a mandate, and the reasons against it." verdicts = "verdicts.md";
    "Kinds of errors, retries, and the outcome of a write." errors = "errors.md";
    "Checked values, business days, reasons of banks, and the finality of a collection." sepa = "sepa.md";
    "The state of a debit, the reason of a bank, and the time when the money is yours." debits = "debits.md";
    "A guide from the data of a debtor to final money." collect = "collect.md";
    // A test shows that its programs are those of the English guide, which are doctests.
    #[cfg(not(doctest))] "Le même guide en français." collect_fr = "collect.fr.md";
    "Short programs to copy: accounts, web servers, job queues, tests, containers, moving." recipes = "recipes.md";
    "Read many mandates, store their states, find changes, and read again." many = "many.md";
    "Several machines on PostgreSQL, shares of a rate, lost machines, and the lateness of changes." machines = "machines.md";
    "Files of mandates: columns, cells, stopped runs, credentials." files = "files.md";
    "The program `mandat`: commands, formats, writes, exit codes." program = "program.md";
    "Callbacks from the vendors, and the proof that each gives." webhooks = "webhooks.md";
    "The sandbox, which simulates the vendors for tests in any language." testing = "testing.md";
    "Your own patch of a spec: new words, fields, keys and operations without a release." changes = "changes.md";
    "Timeouts, limits, many processes, stored data, personal data, traces, clocks." operations = "operations.md";
    "The required parts of a response, damage elsewhere, and empty lists." reading = "reading.md";
    "The parts that stay, and the parts that may change in a new version." compatibility = "compatibility.md";
    "The numbers of documented and inferred facts, and how to send a report." evidence = "evidence.md";
    "One term for each concept." glossary = "glossary.md";
}
