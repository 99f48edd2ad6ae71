//! Variables, secrets and connections: declared where they are used, used where they are declared.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::Context;
use super::expressions::near;
use crate::base::diagnostic::{Finding, Level, codes};
use crate::plan::model::{CheckMapping, Measurement, Plan, Scalar, Script, SqlProbe};
use crate::plan::source::join;

pub(super) fn check(cx: &mut Context<'_>) {
    let plan = cx.plan();
    for (name, variable) in &plan.variables {
        let pointer = join("/variables", name);
        if variable.secret == Some(true) && variable.default.is_some() {
            secret(cx, &join(&pointer, "default"), name);
        }
        if is_reserved(name) {
            cx.find(
                codes::VARIABLE_RESERVED,
                &pointer,
                format!("`{name}` means something to every process of the run"),
                "choose another name: this one would change how commands are found, read or recorded",
            );
        }
    }
    for (environment, settings) in &plan.environments {
        let pointer = join(&join("/environments", environment), "variables");
        for name in settings.variables.keys() {
            match plan.variables.get(name) {
                Some(variable) if variable.secret == Some(true) => {
                    secret(cx, &join(&pointer, name), name);
                }
                Some(_) => {}
                None => undeclared(cx, &join(&pointer, name), name),
            }
        }
    }
    in_environments(cx);
    connections(cx);
    unused(cx);
}

fn secret(cx: &mut Context<'_>, pointer: &str, name: &str) {
    cx.find(
        codes::SECRET_IN_PLAN,
        pointer,
        format!("`{name}` is a secret, and its value stands in the plan"),
        "remove it here and give it with `env:`, `file:` or `command:`, or as ORCHESTRATE_VAR_...; \
         whoever reads the plan or the record of a run knows this one",
    );
}

/// Passwords and the like among the settings of commands and scripts.
fn in_environments(cx: &mut Context<'_>) {
    let look = |at: &str, env: &BTreeMap<String, Scalar>| -> Vec<String> {
        env.iter()
            .filter(|(name, value)| {
                names_a_secret(name) && !value.0.trim().is_empty() && !value.0.contains('$')
            })
            .map(|(name, _)| join(&format!("{at}/env"), name))
            .collect()
    };
    let mut places: Vec<String> = Vec::new();
    for (pointer, step) in cx.steps() {
        if let Some(details) = &step.execution_details {
            for (i, command) in details.commands.iter().enumerate() {
                if let Some(settings) = command.settings() {
                    let at = format!("{pointer}/execution_details/commands/{i}");
                    places.extend(look(&at, &settings.env));
                }
            }
            if let Some(settings) = details
                .automation_script
                .as_ref()
                .and_then(Script::settings)
            {
                let at = format!("{pointer}/execution_details/automation_script");
                places.extend(look(&at, &settings.env));
            }
        }
        if let Some(undo) = &step.rollback_procedure {
            for (i, item) in undo.rollback_steps.iter().enumerate() {
                if let Some(settings) = item.command() {
                    let at = format!("{pointer}/rollback_procedure/rollback_steps/{i}");
                    places.extend(look(&at, &settings.env));
                }
            }
            if let Some(settings) = undo.rollback_script.as_ref().and_then(Script::settings) {
                let at = format!("{pointer}/rollback_procedure/rollback_script");
                places.extend(look(&at, &settings.env));
            }
        }
    }
    for pointer in &places {
        let name = pointer.rsplit('/').next().unwrap_or_default();
        secret(cx, pointer, name);
    }
}

/// `DB_PASSWORD` holds a secret, `DB_PASSWORD_FILE` says where it is.
fn names_a_secret(name: &str) -> bool {
    let name = name.to_uppercase();
    [
        "PASSWORD",
        "PASSWD",
        "SECRET",
        "TOKEN",
        "API_KEY",
        "APIKEY",
        "PRIVATE_KEY",
        "SECRET_KEY",
    ]
    .iter()
    .any(|end| name.ends_with(end))
}

/// Names that change what a process does before it does anything.
fn is_reserved(name: &str) -> bool {
    name.starts_with("ORCHESTRATE_")
        || name.starts_with("LD_")
        || matches!(
            name,
            "PATH"
                | "IFS"
                | "ENV"
                | "BASH_ENV"
                | "SHELLOPTS"
                | "BASHOPTS"
                | "HOME"
                | "PYTHONSTARTUP"
        )
}

/// Names that clients look for by themselves: psql `PGHOST`, the tools of clouds their profiles.
fn is_read_by_clients(name: &str) -> bool {
    const BEGINNINGS: [&str; 38] = [
        "PG",
        "AWS_",
        "AZURE_",
        "ARM_",
        "GOOGLE_",
        "CLOUDSDK_",
        "GCP_",
        "TF_",
        "KUBE",
        "HELM_",
        "DOCKER_",
        "COMPOSE_",
        "VAULT_",
        "CONSUL_",
        "NOMAD_",
        "ANSIBLE_",
        "MYSQL_",
        "REDIS",
        "MONGO",
        "SSH_",
        "GIT_",
        "GH_",
        "GITHUB_",
        "CI_",
        "NODE_",
        "NPM_",
        "PYTHON",
        "PIP_",
        "JAVA_",
        "MAVEN_",
        "GRADLE_",
        "RAILS_",
        "DJANGO_",
        "FLYWAY_",
        "LIQUIBASE_",
        "CURL_",
        "SSL_",
        "OTEL_",
    ];
    BEGINNINGS.iter().any(|begins| name.starts_with(begins))
        || name.to_lowercase().ends_with("_proxy")
        || matches!(
            name,
            "TZ" | "LANG" | "TERM" | "EDITOR" | "PAGER" | "DATABASE_URL" | "NO_COLOR"
        )
        || name.starts_with("LC_")
}

/// An environment may set what commands want without declaring it, but a slip looks the same.
fn undeclared(cx: &mut Context<'_>, pointer: &str, name: &str) {
    let declared = &cx.plan().variables;
    let (level, help) = match near(name, declared.keys().map(String::as_str)) {
        Some(near) => (Level::Warning, format!("did you mean `{near}`?")),
        None => (
            Level::Note,
            format!(
                "declare it: `variables: {{{name}: {{description: ...}}}}`; other environments do not have it"
            ),
        ),
    };
    let message = format!("the plan declares no variable `{name}`");
    let mut finding =
        Finding::new(codes::VARIABLE_UNDECLARED, cx.locate(pointer), message).help(help);
    finding.level = level;
    cx.findings.push(finding);
}

/// Connections that SQL probes name.
fn connections(cx: &mut Context<'_>) {
    let plan = cx.plan();
    let mut known: HashSet<&str> = HashSet::from(["default"]);
    known.extend(plan.connections.keys().map(String::as_str));
    known.extend(cx.config().connections.keys().map(String::as_str));
    for environment in plan.environments.values() {
        known.extend(environment.connections.keys().map(String::as_str));
    }
    let mut wrong: Vec<(String, &str)> = Vec::new();
    each_sql(plan, &mut |at, sql| {
        if let SqlProbe::Mapping(mapping) = sql
            && let Some(name) = &mapping.connection
            && !known.contains(name.as_str())
        {
            wrong.push((join(&at, "connection"), name));
        }
    });
    for (pointer, name) in wrong {
        let help = match near(name, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!(
                "add `connections: {{{name}: {{url_env: NAME}}}}` to the plan or to orchestrate.yaml"
            ),
        };
        cx.find(
            codes::CONNECTION_UNKNOWN,
            &pointer,
            format!("no connection is called `{name}`"),
            help,
        );
    }
}

/// Calls back with each SQL probe, and its pointer.
fn each_sql<'a>(plan: &'a Plan, see: &mut dyn FnMut(String, &'a SqlProbe)) {
    super::checks::each_probe(plan, &mut |pointer, probe: &'a CheckMapping| {
        if let Some(sql) = &probe.sql {
            see(join(&pointer(), "sql"), sql);
        }
    });
    let mut measured = |measurement: &'a Option<Measurement>, at: String| {
        if let Some(Measurement::Mapping(mapping)) = measurement
            && let Some(sql) = &mapping.sql
        {
            see(join(&at, "sql"), sql);
        }
    };
    if let Some(monitoring) = &plan.monitoring_and_observability {
        for (m, metric) in monitoring.migration_monitoring.iter().enumerate() {
            let at = format!(
                "/monitoring_and_observability/migration_monitoring/{m}/measurement_method"
            );
            measured(&metric.measurement_method, at);
        }
    }
    for (i, probe) in plan.state_probes.iter().enumerate() {
        if let Some(sql) = &probe.sql {
            see(format!("/state_probes/{i}/sql"), sql);
        }
    }
}

/// Variables whose name stands nowhere: not in the plan, not in a file beside it.
fn unused(cx: &mut Context<'_>) {
    let plan = cx.plan();
    let mut open: Vec<&str> = plan.variables.keys().map(String::as_str).collect();
    if open.is_empty() {
        return;
    }
    // Looking through a long plan, and for many names, takes longer than a note is worth.
    let short = fs::metadata(&cx.loaded.path).is_ok_and(|about| about.len() < 1 << 20);
    if !short || open.len() > 200 {
        return;
    }
    let Ok(text) = fs::read_to_string(&cx.loaded.path) else {
        return;
    };
    // The declaration and the environments name it as a key; every other mention is a use. A comment counts
    // as one, too: a note that is missing does less harm than one that is wrong.
    open.retain(|name| !is_used(&text, name));
    if open.is_empty() {
        return;
    }
    let mut files = Files::default();
    for file in &cx.loaded.files {
        if *file != cx.loaded.path {
            files.add(file.clone());
        }
    }
    let linkage = plan.linkage.as_ref();
    let linked = [
        linkage.and_then(|l| l.automation_scripts_dir.as_deref()),
        linkage.and_then(|l| l.test_datasets_dir.as_deref()),
    ];
    for folder in linked.into_iter().flatten() {
        files.walk(&cx.folder().join(folder), 3);
    }
    for name in named_files(&text) {
        let path = cx.folder().join(name);
        if path.is_file() {
            files.add(path);
        }
    }
    for path in files.all {
        if open.is_empty() {
            return;
        }
        let readable =
            fs::metadata(&path).is_ok_and(|about| about.is_file() && about.len() < 1 << 20);
        if let Some(bytes) = readable.then(|| fs::read(&path).ok()).flatten() {
            let text = String::from_utf8_lossy(&bytes);
            open.retain(|name| !mentions(&text, name));
        }
    }
    // What a program that the plan only calls reads, nobody can see from here.
    if files.truncated {
        return;
    }
    for name in open {
        if is_read_by_clients(name) {
            continue;
        }
        cx.find(
            codes::VARIABLE_UNUSED,
            &join("/variables", name),
            format!("nothing in the plan or its scripts mentions `{name}`"),
            "remove it, or use it: commands see it as an environment variable of that name",
        );
    }
}

/// Whether a text mentions a name as a word of its own.
fn mentions(text: &str, name: &str) -> bool {
    words(text, name).next().is_some()
}

fn words<'t>(text: &'t str, name: &'t str) -> impl Iterator<Item = (usize, &'t str)> {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(name).filter(move |(at, _)| {
        let before = text[..*at].chars().next_back();
        let after = text[at + name.len()..].chars().next();
        !before.is_some_and(part) && !after.is_some_and(part)
    })
}

/// Whether the plan's own text uses a name, other than as a key.
fn is_used(text: &str, name: &str) -> bool {
    words(text, name).any(|(at, _)| {
        let after = &text[at + name.len()..];
        let is_key = match after.strip_prefix(['"', '\'']) {
            Some(rest) => rest.trim_start().starts_with(':'),
            None => after
                .strip_prefix(':')
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace)),
        };
        !is_key
    })
}

/// Words of the plan that may be files beside it: `scripts/deploy.sh`, `./undo`; and what `make` and its like read.
fn named_files(text: &str) -> HashSet<&str> {
    let mut names: HashSet<&str> =
        HashSet::from(["Makefile", "makefile", "justfile", "package.json", ".env"]);
    let apart = |c: char| c.is_whitespace() || "\"'`;,()[]{}<>|&=$".contains(c);
    names.extend(text.split(apart).filter(|word| {
        let may_be_path = word.contains('/') && !word.contains("://");
        may_be_path || [".sh", ".py", ".sql"].iter().any(|end| word.ends_with(end))
    }));
    names
}

/// Files beside the plan, each once and not too many of them.
#[derive(Default)]
struct Files {
    all: Vec<PathBuf>,
    known: HashSet<PathBuf>,
    truncated: bool,
}

impl Files {
    fn add(&mut self, path: PathBuf) {
        const MOST: usize = 2_000;
        if self.all.len() >= MOST {
            self.truncated = true;
        } else if self.known.insert(path.clone()) {
            self.all.push(path);
        }
    }

    /// Adds the files of a folder, down to a depth.
    fn walk(&mut self, folder: &Path, depth: usize) {
        let Ok(entries) = fs::read_dir(folder) else {
            return;
        };
        for entry in entries.flatten() {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() && depth > 0 => self.walk(&entry.path(), depth - 1),
                Ok(kind) if kind.is_dir() => self.truncated = true,
                _ => self.add(entry.path()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_no_use() {
        assert!(!is_used("variables:\n  WHO: {default: x}\n", "WHO"));
        assert!(!is_used("variables: {\"WHO\": {default: WHOEVER}}", "WHO"));
        assert!(is_used("commands: ['echo $WHO']", "WHO"));
        assert!(is_used("commands: ['echo ${WHO:-x}']", "WHO"));
        assert!(is_used("when: \"vars.WHO == 'x'\"", "WHO"));
    }
}
