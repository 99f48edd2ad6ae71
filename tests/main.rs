//! All integration tests, in one binary.

mod house;

mod corpus;
mod records;
mod supervise;
mod support;
