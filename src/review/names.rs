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
    if !is_name(name) {
        cx.find(
            codes::ENVIRONMENT_INVALID,
            &join(pointer, name),
            format!("`{name}` cannot be the name of a variable"),
            "variables reach commands as environment variables: letters, digits and `_`, no digit first",
        );
    }
}

/// Whether a process could be given this name in its environment.
fn is_name(name: &str) -> bool {
    !name.starts_with(|c: char| c.is_ascii_digit())
        && !name.is_empty()
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn source(cx: &mut Context<'_>, pointer: &str, connection: &Connection) {
    if connection.url_env.is_some() == connection.url_command.is_empty() {
        if let Some(name) = &connection.url_env
            && !is_name(name)
        {
            cx.find(
                codes::ENVIRONMENT_INVALID,
                &join(pointer, "url_env"),
                "`url_env` is the name of an environment variable, and this cannot be one",
                "write `url_env: DATABASE_URL`, and give the URL in that variable: it never stands in the plan",
            );
        }
        return;
    }
    cx.find(
        codes::CONNECTION_INVALID,
        pointer,
        "a connection needs exactly one of `url_env` and `url_command`",
        "write `url_env: DATABASE_URL`; the URL itself never stands in the plan",
    );
}
