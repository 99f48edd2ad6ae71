//! Append and sync, durable replace, locks.
