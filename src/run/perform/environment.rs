//! What a process gets to see (SPEC section 3: "every process").

use std::collections::BTreeMap;

use super::{Place, Purpose};

/// Names that let a caller's environment change what an interpreter runs. They are dropped.
const HIJACKS: [&str; 22] = [
    "BASH_ENV",
    "ENV",
    "SHELLOPTS",
    "BASHOPTS",
    "IFS",
    "CDPATH",
    "GLOBIGNORE",
    "PS4",
    "PROMPT_COMMAND",
    "PYTHONSTARTUP",
    "PYTHONHOME",
    "PYTHONPATH",
    "PYTHONINSPECT",
    "PERL5OPT",
    "PERL5LIB",
    "PERL5DB",
    "RUBYOPT",
    "RUBYLIB",
    "NODE_OPTIONS",
    "NODE_PATH",
    "JAVA_TOOL_OPTIONS",
    "_",
];

/// The same by their beginnings. What this tool says of itself is set anew for each process.
const HIJACK_PREFIXES: [&str; 4] = ["LD_", "DYLD_", "BASH_FUNC_", "ORCHESTRATE_"];

/// All that is passed on with `isolate_env: true`, apart from `LC_*` and `pass_env`.
const ISOLATED: [&str; 7] = [
    "PATH",
    "HOME",
    "USER",
    "LANG",
    "TZ",
    "TERM",
    "SSH_AUTH_SOCK",
];

/// The environment that all processes of a run share: the caller's less what hijacks interpreters, then the plan's
/// variables. `pass` are globs (`*` only) that are let through in any case.
#[must_use]
pub fn base(
    caller: impl IntoIterator<Item = (String, String)>,
    isolate: bool,
    pass: &[String],
    variables: &BTreeMap<String, String>,
) -> Vec<(String, String)> {
    let mut all: BTreeMap<String, String> = caller
        .into_iter()
        .filter(|(name, _)| {
            if pass.iter().any(|glob| matches(glob, name)) {
                return true;
            }
            if HIJACKS.contains(&name.as_str())
                || HIJACK_PREFIXES.iter().any(|p| name.starts_with(p))
            {
                return false;
            }
            !isolate || ISOLATED.contains(&name.as_str()) || name.starts_with("LC_")
        })
        .collect();
    all.extend(
        variables
            .iter()
            .map(|(name, value)| (name.clone(), value.clone())),
    );
    all.into_iter().collect()
}

/// `*` stands for any run of characters.
fn matches(glob: &str, name: &str) -> bool {
    let mut parts = glob.split('*');
    let Some(mut rest) = parts.next().and_then(|first| name.strip_prefix(first)) else {
        return false;
    };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else {
        return rest.is_empty();
    };
    for part in parts {
        match rest.find(part) {
            Some(i) => rest = &rest[i + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// What is said to one process about itself.
#[must_use]
pub fn own(place: &Place, purpose: &Purpose) -> Vec<(String, String)> {
    let text = |path: &std::path::Path| path.to_string_lossy().into_owned();
    let evidence = place
        .run_dir
        .join("evidence")
        .join(crate::base::id::file_stem(&purpose.evidence));
    let mut all = vec![
        ("ORCHESTRATE_RUN_ID", place.run.as_str().to_owned()),
        ("ORCHESTRATE_ATTEMPT", purpose.attempt.to_string()),
        (
            "ORCHESTRATE_DIRECTION",
            purpose.direction.as_str().to_owned(),
        ),
        ("ORCHESTRATE_EVIDENCE_DIR", text(&evidence)),
        ("ORCHESTRATE_PLAN_DIR", text(&place.plan_dir)),
        (
            "ORCHESTRATE_ENVIRONMENT",
            place.environment.clone().unwrap_or_default(),
        ),
    ];
    if let Some(phase) = &purpose.phase {
        all.push(("ORCHESTRATE_PHASE_ID", phase.as_str().to_owned()));
    }
    if let Some(step) = &purpose.step {
        all.push(("ORCHESTRATE_STEP_ID", step.as_str().to_owned()));
    }
    all.into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(isolate: bool, pass: &[&str]) -> Vec<String> {
        let caller = [
            "PATH",
            "BASH_ENV",
            "LD_PRELOAD",
            "BASH_FUNC_ls%%",
            "HOME",
            "LC_ALL",
            "MY_TOOL",
            "ORCHESTRATE_VAR_X",
        ];
        let caller = caller.iter().map(|n| ((*n).to_owned(), "x".to_owned()));
        let pass: Vec<String> = pass.iter().map(|p| (*p).to_owned()).collect();
        let variables = BTreeMap::from([("TARGET".to_owned(), "v2".to_owned())]);
        base(caller, isolate, &pass, &variables)
            .into_iter()
            .map(|(name, _)| name)
            .collect()
    }

    #[test]
    fn what_hijacks_interpreters_is_dropped() {
        assert_eq!(
            names(false, &[]),
            ["HOME", "LC_ALL", "MY_TOOL", "PATH", "TARGET"]
        );
    }

    #[test]
    fn isolation_leaves_little_and_globs_let_through() {
        assert_eq!(names(true, &[]), ["HOME", "LC_ALL", "PATH", "TARGET"]);
        assert_eq!(
            names(true, &["MY_*"]),
            ["HOME", "LC_ALL", "MY_TOOL", "PATH", "TARGET"]
        );
    }

    #[test]
    fn globs() {
        assert!(
            matches("AWS_*", "AWS_REGION")
                && matches("*", "X")
                && matches("A*C*", "ABCD")
                && matches("AB", "AB")
        );
        assert!(!matches("AWS_*", "AWS") && !matches("AB", "ABC") && !matches("*X", "XY"));
    }
}
