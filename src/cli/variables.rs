//! Values for the plan's variables (SPEC section 3): `--var`, `--var-file`, `ORCHESTRATE_VAR_<NAME>`, the
//! environment's, the default, highest first. Secrets come from the environment, a file or a command, never from `--var`.

use std::collections::BTreeMap;
use std::path::Path;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::arguments::VariableArgs;
use super::failure::Failure;
use crate::plan::model::{Plan, Variable};

/// What every process of the run gets to see.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Values {
    /// Values that may be recorded and shown.
    pub(super) plain: BTreeMap<String, String>,
    /// Values that are masked everywhere and never stored.
    pub(super) secret: BTreeMap<String, String>,
}

impl Values {
    pub(super) fn all(&self) -> BTreeMap<String, String> {
        self.plain
            .iter()
            .chain(&self.secret)
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    }

    /// What is masked in output. Empty values mask nothing.
    pub(super) fn masks(&self) -> Vec<String> {
        self.secret
            .values()
            .filter(|value| !value.is_empty())
            .cloned()
            .collect()
    }

    /// Keyed fingerprints: they tell whether the same secret was given again, and nothing else.
    pub(super) fn fingerprints(&self, key: &[u8]) -> BTreeMap<String, String> {
        self.secret
            .iter()
            .map(|(name, value)| (name.clone(), fingerprint(key, name, value)))
            .collect()
    }
}

fn fingerprint(key: &[u8], name: &str, value: &str) -> String {
    // HMAC takes keys of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
        return String::new();
    };
    mac.update(name.as_bytes());
    mac.update(&[0]);
    mac.update(value.as_bytes());
    mac.finalize()
        .into_bytes()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// The values of every variable of the plan. Where `may_run` is false no command is run, and a variable whose value only
/// its command knows has none.
pub(super) fn resolve(
    plan: &Plan,
    environment: Option<&str>,
    given: &VariableArgs,
    plan_dir: &Path,
    may_run: bool,
) -> Result<Values, Failure> {
    let typed = typed(plan, &given.vars)?;
    let mut files = BTreeMap::new();
    for path in &given.var_file {
        files.extend(read_file(plan, path)?);
    }
    let here = environment.and_then(|name| plan.environments.get(name));
    let mut values = Values::default();
    let mut missing = Vec::new();
    for (name, variable) in &plan.variables {
        let secret = variable.secret == Some(true);
        let found = typed
            .get(name)
            .or_else(|| files.get(name))
            .cloned()
            .or_else(|| std::env::var(format!("ORCHESTRATE_VAR_{name}")).ok())
            .or_else(|| {
                here.and_then(|e| e.variables.get(name))
                    .map(|value| value.as_str().to_owned())
            });
        let found = match found {
            Some(value) => Some(value),
            None if !may_run && !variable.command.is_empty() => continue,
            None => own_source(name, variable, plan_dir)?,
        };
        let found = found.or_else(|| {
            variable
                .default
                .as_ref()
                .map(|value| value.as_str().to_owned())
        });
        match found {
            Some(value) if secret => drop(values.secret.insert(name.clone(), value)),
            Some(value) => drop(values.plain.insert(name.clone(), value)),
            None if variable.required == Some(true) || secret => missing.push(name.as_str()),
            None => {}
        }
    }
    // An environment may set what the plan's commands want without declaring it.
    for (name, value) in here.map(|e| &e.variables).into_iter().flatten() {
        if !plan.variables.contains_key(name) {
            values.plain.insert(name.clone(), value.as_str().to_owned());
        }
    }
    if missing.is_empty() {
        Ok(values)
    } else {
        let is_secret = |name: &&&str| {
            plan.variables
                .get(**name)
                .is_some_and(|v| v.secret == Some(true))
        };
        let next = match missing.iter().find(|name| !is_secret(name)) {
            Some(open) => {
                format!("give each a value, e.g. `--var {open}=...`, or set ORCHESTRATE_VAR_{open}")
            }
            // `--var` would be refused: the command line is no place for a secret.
            None => format!("set ORCHESTRATE_VAR_{}, or use --var-file", missing[0]),
        };
        Err(Failure::usage(format!(
            "these variables of the plan have no value: {}",
            missing.join(", ")
        ))
        .next(next))
    }
}

/// Where a variable says itself that its value comes from.
fn own_source(name: &str, variable: &Variable, plan_dir: &Path) -> Result<Option<String>, Failure> {
    if let Some(value) = variable
        .env
        .as_ref()
        .and_then(|env| std::env::var(env).ok())
    {
        return Ok(Some(value));
    }
    if let Some(file) = &variable.file {
        let path = plan_dir.join(file);
        let text = std::fs::read_to_string(&path).map_err(|e| {
            Failure::usage(format!(
                "variable {name}: {} cannot be read: {e}",
                path.display()
            ))
        })?;
        return Ok(Some(text.trim_end_matches(['\n', '\r']).to_owned()));
    }
    let Some((program, arguments)) = variable.command.split_first() else {
        return Ok(None);
    };
    let output = duct::cmd(program, arguments)
        .dir(plan_dir)
        .stdin_null()
        .read()
        .map_err(|e| Failure::usage(format!("variable {name}: its command failed: {e}")))?;
    Ok(Some(output))
}

fn typed(plan: &Plan, vars: &[String]) -> Result<BTreeMap<String, String>, Failure> {
    let mut all = BTreeMap::new();
    for var in vars {
        let Some((name, value)) = var.split_once('=') else {
            return Err(Failure::usage(format!("--var {var:?} is not NAME=VALUE")));
        };
        known(plan, name)?;
        if plan
            .variables
            .get(name)
            .is_some_and(|v| v.secret == Some(true))
        {
            return Err(Failure::usage(format!(
                "{name} is secret: its value must not stand on the command line"
            ))
            .next(format!("set ORCHESTRATE_VAR_{name}, or use --var-file")));
        }
        all.insert(name.to_owned(), value.to_owned());
    }
    Ok(all)
}

fn known(plan: &Plan, name: &str) -> Result<(), Failure> {
    if plan.variables.contains_key(name) {
        return Ok(());
    }
    let near = plan.variables.keys().max_by(|a, b| {
        let similar = |other: &str| strsim::jaro_winkler(name, other);
        similar(a).total_cmp(&similar(b))
    });
    let failure = Failure::usage(format!("the plan has no variable {name:?}"));
    Err(match near {
        Some(near) => failure.next(format!("did you mean {near}?")),
        None => failure,
    })
}

fn read_file(plan: &Plan, path: &Path) -> Result<BTreeMap<String, String>, Failure> {
    let broken = |why: String| Failure::usage(format!("--var-file {}: {why}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|e| broken(e.to_string()))?;
    let values: BTreeMap<String, crate::plan::model::Scalar> =
        serde_yaml::from_str(&text).map_err(|e| broken(e.to_string()))?;
    let mut all = BTreeMap::new();
    for (name, value) in values {
        known(plan, &name)?;
        all.insert(name, value.as_str().to_owned());
    }
    Ok(all)
}
