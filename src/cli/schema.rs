//! `schema`: the JSON Schema of a plan, for editors and other tools.

use std::io::{self, Write};

use crate::plan::schema::schema_text;

/// The verb: prints the schema, byte for byte what is checked in under `schemas/`.
///
/// # Errors
///
/// Whatever writing to `out` fails with.
pub fn schema(out: &mut dyn Write) -> io::Result<()> {
    out.write_all(schema_text().as_bytes())
}
