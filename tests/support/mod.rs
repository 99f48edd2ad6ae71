//! What several tests need. Each helper stops what it started, also when the test panics.

pub(crate) mod cli;
pub(crate) mod lsp;
pub(crate) mod manifests;
pub(crate) mod moments;
pub(crate) mod plans;
pub(crate) mod postgres;
pub(crate) mod practice;
pub(crate) mod tools;
pub(crate) mod tree;
