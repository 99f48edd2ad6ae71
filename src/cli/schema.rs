//! `schema`: the JSON Schema of a plan or of a manifest migration, for editors and other tools, and the reference of the format, for people; byte
//! for byte what is checked in under `schemas/`.

use crate::plan::schema::{migration_schema_text, reference_text, schema_text};

pub(super) fn verb(
    context: &super::context::Context,
    arguments: &super::arguments::SchemaArgs,
) -> Result<u8, super::Failure> {
    if arguments.reference {
        let text = reference_text();
        if context.json() {
            context.print_json(&serde_json::json!({
                "format_version": 1,
                "type": "reference",
                "markdown": text,
            }));
            context.result("schema", 0, None, None);
        } else {
            context.print(&text);
        }
        return Ok(0);
    }
    let text = if arguments.manifest_migration {
        migration_schema_text()
    } else {
        schema_text()
    };
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
