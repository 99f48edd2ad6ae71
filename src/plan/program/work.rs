//! Commands and scripts, lowered to processes.

use super::lower::Lowering;
use super::types::{Expect, InputKind, Process, Run, Shell, Work};
use crate::base::quantity::HumanDuration;
use crate::plan::model;

impl Lowering<'_> {
    /// A duration in milliseconds; one that cannot be understood is an error, because the run would act on it.
    pub(super) fn duration(&mut self, text: Option<&str>, at: &str) -> Option<u64> {
        let text = text?;
        match HumanDuration::parse(text) {
            Ok(duration) => u64::try_from(duration.max_ms()).ok(),
            Err(why) => {
                self.error(at, format!("this time is not understood: {why}"));
                None
            }
        }
    }

    pub(super) fn shell(shell: Option<&model::Shell>) -> Shell {
        match shell {
            None => Shell::Bash,
            Some(model::Shell::Name(name)) => match name.as_str() {
                "bash" => Shell::Bash,
                "sh" => Shell::Sh,
                "python" | "python3" => Shell::Python,
                "sql" => Shell::Sql,
                other => Shell::Argv(vec![other.to_owned(), "-c".to_owned()]),
            },
            Some(model::Shell::Argv(argv)) => Shell::Argv(argv.clone()),
        }
    }

    pub(super) fn command(&mut self, item: &model::CommandItem, at: &str) -> Process {
        match item {
            model::CommandItem::Text(text) => shell_text(text, Shell::Bash),
            model::CommandItem::Mapping(mapping) => self.mapping(mapping, at),
        }
    }

    pub(super) fn mapping(&mut self, mapping: &model::CommandMapping, at: &str) -> Process {
        let mut process = shell_text(&mapping.run, Self::shell(mapping.shell.as_ref()));
        process.env = pairs(&mapping.env);
        process.timeout_ms = self.duration(mapping.timeout.as_deref(), &format!("{at}/timeout"));
        if let Some(name) = &mapping.name {
            process.name.clone_from(name);
        }
        process
    }

    pub(super) fn script(&mut self, script: &model::Script, at: &str) -> Process {
        self.input(script.path(), InputKind::Script);
        let path = script.path().to_owned();
        let Some(settings) = script.settings() else {
            let run = Run::Script {
                path: path.clone(),
                args: Vec::new(),
                shell: None,
            };
            return Process {
                name: path,
                run,
                env: Vec::new(),
                timeout_ms: None,
            };
        };
        let args: Vec<String> = settings
            .args
            .iter()
            .map(|arg| arg.as_str().to_owned())
            .collect();
        let timeout_ms = self.duration(settings.timeout.as_deref(), &format!("{at}/timeout"));
        let shell = settings
            .shell
            .as_ref()
            .map(|shell| Self::shell(Some(shell)));
        let mut name = path.clone();
        for arg in &args {
            name.push(' ');
            name.push_str(arg);
        }
        Process {
            name,
            run: Run::Script { path, args, shell },
            env: pairs(&settings.env),
            timeout_ms,
        }
    }

    pub(super) fn one(process: Process, timeout_ms: Option<u64>) -> Work {
        Work {
            processes: vec![process],
            timeout_ms,
        }
    }
}

/// Text for an interpreter, named by its first line.
pub(super) fn shell_text(text: &str, shell: Shell) -> Process {
    let first = text
        .lines()
        .find(|line| !line.trim().is_empty())
        .unwrap_or_default()
        .trim();
    let mut name: String = first.chars().take(80).collect();
    if name.len() < first.len() || text.trim().lines().count() > 1 {
        name.push('…');
    }
    Process {
        name,
        run: Run::Shell {
            shell,
            text: text.to_owned(),
        },
        env: Vec::new(),
        timeout_ms: None,
    }
}

pub(super) fn pairs(
    env: &std::collections::BTreeMap<String, model::Scalar>,
) -> Vec<(String, String)> {
    env.iter()
        .map(|(name, value)| (name.clone(), value.as_str().to_owned()))
        .collect()
}

pub(super) fn expect(written: Option<&model::Expect>) -> Expect {
    written.map_or_else(Expect::default, |e| Expect {
        exit_code: e.exit_code,
        stdout: e.stdout.as_ref().map(|s| s.as_str().to_owned()),
        stdout_contains: e.stdout_contains.as_ref().map(|s| s.as_str().to_owned()),
        stdout_matches: e.stdout_matches.clone(),
        json: e.json.as_ref().map(|json| json.0.clone()),
    })
}
