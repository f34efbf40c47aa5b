//! The contract as its users see it: the corpus, the generated schemas and files, batches and records.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod contract {
    mod batches;
    mod corpus;
    mod differential;
    mod generated;
    mod mutation;
    mod oracle;
    mod records;
}
