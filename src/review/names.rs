//! Names of variables and sources of connections.

use super::Context;
use crate::base::diagnostic::codes;
use crate::plan::model::Connection;
use crate::plan::source::join;

pub(super) fn check(cx: &mut Context<'_>) {
    let plan = cx.plan();
    for name in plan.variables.keys() {
        variable(cx, "/variables", name);
    }
    for (name, connection) in &plan.connections {
        source(cx, &join("/connections", name), connection);
    }
    for (environment, settings) in &plan.environments {
        let pointer = join("/environments", environment);
        for name in settings.variables.keys() {
            variable(cx, &join(&pointer, "variables"), name);
        }
        for (name, connection) in &settings.connections {
            source(cx, &join(&join(&pointer, "connections"), name), connection);
        }
    }
}

fn variable(cx: &mut Context<'_>, pointer: &str, name: &str) {
    let mut chars = name.chars();
    let first = chars
        .next()
        .is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    if !first || !chars.all(|c| c.is_ascii_alphanumeric() || c == '_') {
        cx.find(
            codes::ENVIRONMENT_INVALID,
            &join(pointer, name),
            format!("`{name}` cannot be the name of a variable"),
            "variables reach commands as environment variables: letters, digits and `_`, no digit first",
        );
    }
}

fn source(cx: &mut Context<'_>, pointer: &str, connection: &Connection) {
    if connection.url_env.is_some() == connection.url_command.is_empty() {
        return;
    }
    cx.find(
        codes::CONNECTION_INVALID,
        pointer,
        "a connection needs exactly one of `url_env` and `url_command`",
        "write `url_env: DATABASE_URL`; the URL itself never stands in the plan",
    );
}
