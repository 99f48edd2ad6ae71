//! All integration tests, in one binary.

mod corpus;
mod supervise;
mod support;
