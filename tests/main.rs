//! All integration tests, in one binary.

mod corpus;
mod quickstart;
mod records;
mod supervise;
mod support;
