//! All integration tests, in one binary.

mod house;
mod migrations;

mod bad_input;
mod broken;
mod corpus;
mod discount_code;
mod editor;
mod example_plan;
mod faults;
mod fmt;
mod init;
mod kill;
mod kill_discount;
mod lint;
mod manifest_faults;
mod manifest_index;
mod manifest_kill;
mod manifest_plan;
mod manifest_smoke;
mod manifest_step;
mod manifest_verbs;
mod outputs;
mod pages;
mod phrases;
mod preview;
mod quickstart;
mod readme;
mod records;
mod supervise;
mod support;
mod usage;
