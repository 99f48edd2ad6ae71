//! All integration tests, in one binary.

mod house;

mod corpus;
mod discount_code;
mod example_plan;
mod quickstart;
mod records;
mod supervise;
mod support;
