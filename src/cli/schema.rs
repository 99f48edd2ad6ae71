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

pub(super) fn verb(_: &super::context::Context) -> Result<u8, super::Failure> {
    schema(&mut io::stdout().lock()).map_err(super::Failure::io)?;
    Ok(0)
}
