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

pub(super) fn verb(context: &super::context::Context) -> Result<u8, super::Failure> {
    let text = schema_text();
    if context.json() {
        let schema: serde_json::Value = serde_json::from_str(&text).map_err(super::Failure::io)?;
        context.print_json(&serde_json::json!({
            "format_version": 1,
            "type": "schema",
            "schema": schema,
        }));
        context.result("schema", 0, None, None);
    } else {
        context.print(&text);
    }
    Ok(0)
}
