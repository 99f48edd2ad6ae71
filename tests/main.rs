//! All integration tests, in one binary.

mod supervise;
mod support;
