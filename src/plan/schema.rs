//! The JSON Schema that the model generates.
