//! All integration tests, in one binary.

mod house;

mod corpus;
mod supervise;
mod support;
