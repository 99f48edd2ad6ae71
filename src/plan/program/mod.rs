//! The plan lowered to what the engine walks.
