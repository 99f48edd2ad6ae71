//! What a migration file says: from which version to which, by which operations.
//!
//! [`MigrationFile`] is the file as its author wrote it; the JSON Schema for editors is generated from it. A file that
//! keeps the rules becomes a [`Migration`], whose pointers are parsed and whose operations can be applied in both
//! directions. The rules are in [`MigrationFile::check`]; what an operation does to a document is in
//! [`transform`](super::transform).

mod check;
mod words;

pub use check::{Checked, Problem, Rule};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::json::Pointer;
use super::version::Version;

/// What a version looks like, for editors.
const VERSION: &str = Version::PATTERN;

/// What a pointer looks like, for editors.
const POINTER: &str = "^(/|$)";

/// A migration: how a document of one version becomes one of a later version, as a list of operations. The version
/// field and `migration_history` are kept by the program itself and are not written here. Going back to the earlier
/// version is derived from the same operations.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MigrationFile {
    /// The version that a document has before: MAJOR.MINOR.PATCH, in quotes or not. Example: `1.2.0`.
    #[schemars(regex(pattern = VERSION))]
    pub from_version: String,
    /// The version that it has afterwards, which is higher. The minor number rises with a change that only adds, the
    /// major number with any other. Example: `1.3.0`.
    #[schemars(regex(pattern = VERSION))]
    pub to_version: String,
    /// The kind of document: `run_manifest`, `brief`, `resolved_brief`, or the name that the `kind.yaml` of the folder
    /// gives. Without it the kind of that `kind.yaml`, else run manifests. Example: `run_manifest`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// What changes, in words, for the history that each document keeps. Without it the operations are told. Example:
    /// `["Add priority_level, normal where nothing is said"]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<String>,
    /// `true` says that this migration does more than add: it renames, moves, converts, sets or removes (default
    /// `false`). It then needs a higher major version, and `loses`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub breaking: Option<bool>,
    /// What is lost or no longer understood by older readers, in words; needed with `breaking: true`. Example: `readers
    /// of 1.x look for status under its old name`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loses: Option<String>,
    /// What is done to a document, in this order. Each item is a mapping with exactly one operation. Example: `[{add:
    /// {at: /priority_level, default: normal}}]`.
    #[serde(default)]
    pub operations: Vec<OperationItem>,
}

/// One operation on a document: exactly one of `add`, `rename`, `move`, `copy`, `set`, `convert`, `remove` and
/// `for_each`. Only `add` and `copy` are possible without `breaking: true`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(transform = exactly_one_operation)]
pub struct OperationItem {
    /// Adds a field with a default where it is not there yet; a field that is there stays as it is. Example: `{at:
    /// /priority_level, default: normal}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub add: Option<AddOperation>,
    /// Gives a field another name; its place and value stay. A document without the field is left as it is. Example:
    /// `{at: /state, to: status}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rename: Option<RenameOperation>,
    /// Moves a field to another place; its value stays. A document without the field is left as it is. Example: `{from:
    /// /owner, to: /metadata/owner}`.
    #[serde(default, rename = "move", skip_serializing_if = "Option::is_none")]
    pub r#move: Option<PlacesOperation>,
    /// Copies a field to another place, unless something is there already. Example: `{from: /status, to:
    /// /result/status}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copy: Option<PlacesOperation>,
    /// Makes this the value of a field, whatever it was. Example: `{at: /format, value: 2}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set: Option<SetOperation>,
    /// Writes a value in another type, or exchanges listed values for others. A value that fits neither is never
    /// guessed at: the document is left alone and named. Example: `{at: /retries, from: string, to: integer}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub convert: Option<ConvertOperation>,
    /// Removes a field. Its value is kept beside the document, so that the way back can restore it. Example: `{at:
    /// /legacy}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remove: Option<RemoveOperation>,
    /// Does operations to every element of an array or every value of an object. Example: `{in: /artifacts, do: [{add:
    /// {at: /checked, default: false}}]}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub for_each: Option<ForEachOperation>,
}

impl OperationItem {
    /// The names of the operations, of which each item has exactly one.
    pub const NAMES: [&'static str; 8] = [
        "add", "rename", "move", "copy", "set", "convert", "remove", "for_each",
    ];
}

/// Adds to the schema of an item that it has exactly one operation.
fn exactly_one_operation(schema: &mut schemars::Schema) {
    let branches: Vec<Value> = OperationItem::NAMES
        .iter()
        .map(|name| serde_json::json!({ "required": [name] }))
        .collect();
    schema.insert("oneOf".to_owned(), Value::Array(branches));
}

/// A field that is added, and what it holds where nothing was said.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AddOperation {
    /// Where the field is added, as a JSON pointer; what holds it must be there. Example: `/priority_level`.
    #[schemars(regex(pattern = POINTER))]
    pub at: String,
    /// Its value where it is not there yet: any JSON value, `null` too. Example: `normal`.
    pub default: Value,
}

/// A field that gets another name.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RenameOperation {
    /// The field, as a JSON pointer. Example: `/state`.
    #[schemars(regex(pattern = POINTER))]
    pub at: String,
    /// Its new name: the key alone, without a pointer. Example: `status`.
    pub to: String,
}

/// A field that is moved or copied.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlacesOperation {
    /// Where the field is now, as a JSON pointer. Example: `/owner`.
    #[schemars(regex(pattern = POINTER))]
    pub from: String,
    /// Where it goes, as a JSON pointer; what holds it must be there. Example: `/metadata/owner`.
    #[schemars(regex(pattern = POINTER))]
    pub to: String,
}

/// A field and the value that it gets.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetOperation {
    /// The field, as a JSON pointer. Example: `/format`.
    #[schemars(regex(pattern = POINTER))]
    pub at: String,
    /// Its new value: any JSON value, `null` too. Example: `2`.
    pub value: Value,
}

/// A value that is written differently: either `from` and `to` name types, or `values` lists pairs. `null` stays `null`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConvertOperation {
    /// The field, as a JSON pointer; inside `for_each` an empty pointer is the element itself. Example: `/retries`.
    #[schemars(regex(pattern = POINTER))]
    pub at: String,
    /// The type that every value has before. Example: `string`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<ScalarType>,
    /// The type that it has afterwards. The digits stay as they are written. Example: `integer`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<ScalarType>,
    /// Old values and the new ones in their place; a value that is not listed is refused. Example: `[{old: done, new:
    /// completed}]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<ValuePair>,
}

/// A type of plain values, as JSON names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ScalarType {
    /// Text, in double quotes.
    String,
    /// A whole number, written in digits alone.
    Integer,
    /// Any number, whole or not.
    Number,
    /// A truth value: `true` or `false`.
    Boolean,
}

/// An old value and the new one in its place.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ValuePair {
    /// The value before: text, a number, or a truth value. Example: `done`.
    pub old: Value,
    /// The value afterwards: text, a number, or a truth value. Example: `completed`.
    pub new: Value,
}

/// A field that goes away.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RemoveOperation {
    /// The field, as a JSON pointer. Example: `/legacy`.
    #[schemars(regex(pattern = POINTER))]
    pub at: String,
}

/// Operations on every element of an array, or on every value of an object.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ForEachOperation {
    /// The array or object, as a JSON pointer; a document without it is left as it is. Example: `/artifacts`.
    #[schemars(regex(pattern = POINTER))]
    pub r#in: String,
    /// What is done to each, in this order; pointers begin at the element. Example: `[{add: {at: /checked, default:
    /// false}}]`.
    pub r#do: Vec<OperationItem>,
}

/// A migration that keeps the rules.
#[derive(Debug, Clone, PartialEq)]
pub struct Migration {
    /// The version that it starts from.
    pub from_version: Version,
    /// The version that it leads to, which is higher.
    pub to_version: Version,
    /// The kind of its documents.
    pub kind: String,
    /// What changes, in words.
    pub changes: Vec<String>,
    /// What is lost, where it does more than add.
    pub loses: Option<String>,
    /// What is done, in this order.
    pub operations: Vec<Operation>,
}

/// What is done to a document, with parsed pointers.
#[derive(Debug, Clone, PartialEq)]
pub enum Operation {
    /// Adds a field where it is not there.
    Add {
        /// Where.
        at: Pointer,
        /// What.
        default: Value,
    },
    /// Gives a field another key.
    Rename {
        /// The field.
        at: Pointer,
        /// Its new key.
        to: String,
    },
    /// Moves a field.
    Move {
        /// From here.
        from: Pointer,
        /// To here.
        to: Pointer,
    },
    /// Copies a field to where nothing is.
    Copy {
        /// From here.
        from: Pointer,
        /// To here.
        to: Pointer,
    },
    /// Sets a field.
    Set {
        /// The field.
        at: Pointer,
        /// Its new value.
        value: Value,
    },
    /// Converts a value.
    Convert {
        /// The field.
        at: Pointer,
        /// How.
        how: Conversion,
    },
    /// Removes a field.
    Remove {
        /// The field.
        at: Pointer,
    },
    /// Does operations to every element.
    ForEach {
        /// The array or object.
        within: Pointer,
        /// What is done to each; pointers begin at the element.
        operations: Vec<Operation>,
    },
}

/// How a value is converted.
#[derive(Debug, Clone, PartialEq)]
pub enum Conversion {
    /// Written in another type.
    Type {
        /// The type before.
        from: ScalarType,
        /// The type afterwards.
        to: ScalarType,
    },
    /// Listed values for others: old, new. Each old value is there once.
    Values(Vec<(Value, Value)>),
}

impl Operation {
    /// Whether it leaves everything that is there as it is.
    #[must_use]
    pub fn only_adds(&self) -> bool {
        match self {
            Self::Add { .. } | Self::Copy { .. } => true,
            Self::ForEach { operations, .. } => operations.iter().all(Self::only_adds),
            Self::Rename { .. }
            | Self::Move { .. }
            | Self::Set { .. }
            | Self::Convert { .. }
            | Self::Remove { .. } => false,
        }
    }
}

impl Migration {
    /// Whether it leaves everything that is there as it is.
    #[must_use]
    pub fn only_adds(&self) -> bool {
        self.operations.iter().all(Operation::only_adds)
    }
}

impl ScalarType {
    /// Its name, as a migration file writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Boolean => "boolean",
        }
    }
}

#[cfg(test)]
mod tests;
