//! What every other wing stands on: identities, diagnostics, quantities, durable files, configuration.

pub mod config;
pub mod diagnostic;
pub mod durable;
pub mod id;
pub mod quantity;
pub mod stage;
pub mod watch;
