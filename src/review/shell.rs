//! Commands that bash would run without a complaint, and that do not do what their author thinks.
//!
//! What shellcheck knows is left to shellcheck; these rules know how *this* program runs a command: standard input is
//! closed, there is no terminal, nothing is templated, and the folder is the plan's.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use aho_corasick::AhoCorasick;

use super::Context;
use super::checks::{At, each_probe};
use super::commands::each_command;
use super::words::{self, Direction, Joint, Part, Word};
use crate::base::diagnostic::{Code, codes};
use crate::plan::model::Plan;
use crate::plan::source::join;

pub(super) fn check(cx: &mut Context<'_>) {
    let plan = cx.plan();
    let mut missing: Vec<(String, &str)> = Vec::new();
    // Asked of the disk once for each path.
    let mut asked: HashMap<&str, bool> = HashMap::new();
    each_text(plan, &mut |pointer, text| {
        if text.contains("{{") {
            template(cx, pointer, text);
        }
        let commands = simple_commands(text);
        for command in &commands {
            terminal(cx, pointer, command);
        }
        if ends_in_background(text) {
            cx.find(
                codes::LEFT_RUNNING,
                &pointer(),
                "this leaves a process running, and succeeds whatever becomes of it",
                "without the `&` the step waits for it; add `wait` where several run at once",
            );
        }
        for path in own_files(text, &commands) {
            let folder = cx.folder();
            let is_missing = *asked
                .entry(path)
                .or_insert_with(|| may_be_the_authors(folder, path) && !folder.join(path).exists());
            if is_missing {
                missing.push((pointer(), path));
            }
        }
    });
    if missing.is_empty() {
        return;
    }
    let mut texts = Vec::new();
    each_text(plan, &mut |_, text| texts.push(text));
    let elsewhere = spoken_of_elsewhere(missing.iter().map(|(_, path)| *path), &texts);
    for (pointer, path) in missing {
        if !elsewhere.contains(path) {
            cx.find(
                codes::COMMAND_FILE_MISSING,
                &pointer,
                format!("`{path}` is not there, and this would run it"),
                "commands run in the plan's folder; mend the path, or add the file",
            );
        }
    }
}

/// Calls back with each text that bash would run, and its pointer.
fn each_text<'a>(plan: &'a Plan, see: &mut dyn FnMut(At<'_>, &'a str)) {
    each_command(plan, &mut |pointer, text, _| see(pointer, text));
    each_probe(plan, &mut |pointer, probe| {
        if let (Some(command), None) = (&probe.command, &probe.shell) {
            see(&|| join(&pointer(), "command"), command);
        }
    });
}

/// The missing paths that more than one command speaks of: one may make what the other runs.
fn spoken_of_elsewhere<'t>(
    missing: impl Iterator<Item = &'t str>,
    texts: &[&str],
) -> HashSet<&'t str> {
    let paths: HashSet<&str> = missing.collect();
    let paths: Vec<&str> = paths.into_iter().collect();
    // All at once: thousands of paths, each looked for in thousands of commands, would take minutes. What a plan of the
    // largest size can hold always fits.
    let Ok(finder) = AhoCorasick::new(&paths) else {
        return HashSet::new();
    };
    // The last command that spoke of each, and whether it was not the first.
    let mut last: Vec<(Option<usize>, bool)> = vec![(None, false); paths.len()];
    for (command, text) in texts.iter().enumerate() {
        for found in finder.find_overlapping_iter(text) {
            let (speaker, several) = &mut last[found.pattern().as_usize()];
            *several |= speaker.is_some_and(|earlier| earlier != command);
            *speaker = Some(command);
        }
    }
    let several = paths.into_iter().zip(last);
    several
        .filter_map(|(path, (_, several))| several.then_some(path))
        .collect()
}

/// `{{ vars.X }}`: the author expects a value where bash sees two braces.
fn template(cx: &mut Context<'_>, pointer: At<'_>, text: &str) {
    const ROOTS: [&str; 6] = ["vars", "variables", "steps", "phases", "run", "env"];
    let plan = cx.plan();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once("{{") {
        rest = after;
        let Some((inside, _)) = after.split_once("}}") else {
            return;
        };
        let inside = inside.trim_matches([' ', '-']);
        let name: &str = inside
            .split(|c: char| !(c.is_alphanumeric() || c == '_'))
            .next()
            .unwrap_or_default();
        let dotted = inside[name.len()..].starts_with(['.', '[']);
        let is_ours = (ROOTS.contains(&name) && dotted) || plan.variables.contains_key(name);
        if is_ours {
            let variable = match inside.split_once('.') {
                Some(("vars" | "variables" | "env", name)) if is_name(name) => name,
                _ => name,
            };
            let help = if is_name(variable) && !ROOTS.contains(&variable) {
                format!(
                    "write `\"${variable}\"`: values of variables come as environment variables"
                )
            } else {
                "values come as environment variables: write `\"$NAME\"`".to_owned()
            };
            cx.find(
                codes::COMMAND_TEMPLATE,
                &pointer(),
                "commands are never templated: bash would see the braces",
                help,
            );
            return;
        }
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || c == '_')
}

/// Programs that do nothing, or the wrong thing, where there is no terminal and nothing to read.
fn terminal(cx: &mut Context<'_>, pointer: At<'_>, command: &Simple<'_>) {
    let words = &command.words;
    let mut words = words
        .iter()
        .copied()
        .skip_while(|word| *word == "sudo" || *word == "exec" || is_assignment(word));
    let Some(program) = words.next() else { return };
    let arguments: Vec<&str> = words.collect();
    let has = |wanted: &[&str]| arguments.iter().any(|a| wanted.contains(a));
    let program = program.rsplit('/').next().unwrap_or(program);
    let (code, message, help): (Code, String, &str) = match program {
        "vi" | "vim" | "nvim" | "nano" | "emacs" | "visudo" | "top" | "htop" => (
            codes::NEEDS_TERMINAL,
            format!("`{program}` needs a terminal, and a step has none"),
            "make it a `manual_steps` item, or write the change as a command",
        ),
        "crontab" if has(&["-e"]) => (
            codes::NEEDS_TERMINAL,
            "`crontab -e` needs a terminal, and a step has none".to_owned(),
            "install a file: `crontab FILE`",
        ),
        "kubectl" | "oc" if arguments.first() == Some(&"edit") => (
            codes::NEEDS_TERMINAL,
            format!("`{program} edit` needs a terminal, and a step has none"),
            "use `patch` or `apply`",
        ),
        "docker" | "podman" | "kubectl" | "oc" if wants_terminal(&arguments) => (
            codes::NEEDS_TERMINAL,
            format!("`{program}` is asked for a terminal, and a step has none"),
            "leave out `-t`",
        ),
        // Standard input is closed: they read nothing, do nothing, and succeed.
        "psql" | "mysql" | "sqlite3" | "mongosh" | "redis-cli"
            if !command.fed && reads_input(program, &arguments) =>
        {
            (
                codes::NOTHING_TO_READ,
                format!(
                    "`{program}` is given nothing to do: it reads the empty input and succeeds"
                ),
                "name what it runs, for example `psql -f FILE` or `psql -c STATEMENT`",
            )
        }
        _ => return,
    };
    cx.find(code, &pointer(), message, help);
}

/// `exec -it`, `run --rm -t`: options of what runs inside come after the container's name.
fn wants_terminal(arguments: &[&str]) -> bool {
    arguments
        .iter()
        .skip_while(|a| !matches!(**a, "exec" | "run"))
        .skip(1)
        .take_while(|a| a.starts_with('-') && **a != "--")
        .any(|a| matches!(*a, "-it" | "-ti" | "-t" | "--tty"))
}

fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| is_name(name))
}

/// Whether a database's client would read its statements from standard input.
fn reads_input(program: &str, arguments: &[&str]) -> bool {
    let starts = |options: &[&str]| {
        arguments
            .iter()
            .any(|a| options.iter().any(|option| a.starts_with(option)))
    };
    // Names of hosts, users and databases are the only arguments of a session.
    let positional = arguments.iter().filter(|a| !a.starts_with('-')).count();
    let told = match program {
        "psql" => {
            // `-Xqtc` and its like: letters in one word.
            let letters = arguments.iter().any(|a| {
                a.starts_with('-')
                    && !a.starts_with("--")
                    && a.chars()
                        .skip(1)
                        .take_while(|c| !"dhpUvPoLFRT".contains(*c))
                        .any(|c| matches!(c, 'c' | 'f' | 'l' | 'V' | '?'))
            });
            letters || starts(&["--command", "--file", "--list", "--version", "--help"])
        }
        "mysql" => {
            starts(&["-e", "--execute", "-V", "--version", "--help"])
                || arguments
                    .iter()
                    .any(|a| a.starts_with('-') && !a.starts_with("--") && a.ends_with('e'))
        }
        "sqlite3" => positional > 1 || starts(&["-version", "--version", "-help", "-cmd", "-init"]),
        "mongosh" => {
            starts(&["--eval", "-f", "--file", "--version", "--help"])
                || arguments.iter().any(|a| a.ends_with(".js"))
        }
        _ => positional > 0 || starts(&["-v", "--version", "--help", "--eval", "--pipe"]),
    };
    !told
}

/// A command without the ones that it stands between.
struct Simple<'t> {
    words: Vec<&'t str>,
    /// Something is, or may be, written to its standard input.
    fed: bool,
}

/// The simple commands of a text. A here-document inside `$(...)` is not ours to understand.
fn simple_commands(text: &str) -> Vec<Simple<'_>> {
    let commands = words::commands(text);
    let hidden = |word: &Word| {
        word.parts.contains(&Part::Unknown) && text[word.range.clone()].contains("<<")
    };
    if text.contains("<<") && commands.iter().any(|c| c.words.iter().any(hidden)) {
        return Vec::new();
    }
    let named = commands.iter().filter(|command| !command.words.is_empty());
    named
        .map(|command| Simple {
            words: command.words.iter().map(|w| written(w, text)).collect(),
            // Inside a loop or a group it may be given what that is given.
            fed: command.nested
                || command.before == Joint::Pipe
                || command.redirects.iter().any(|redirect| {
                    matches!(
                        redirect.kind,
                        Direction::Read | Direction::Here(_) | Direction::Feed
                    )
                }),
        })
        .collect()
}

/// A word as it is written; one that is quoted as a whole without its quotes.
fn written<'t>(word: &Word, text: &'t str) -> &'t str {
    let raw = &text[word.range.clone()];
    ['"', '\'']
        .iter()
        .find_map(|quote| raw.strip_prefix(*quote)?.strip_suffix(*quote))
        .filter(|inside| word.plain() == Some(*inside))
        .unwrap_or(raw)
}

/// The last command is sent into the background, and nobody waits for it. A service that is meant to outlive the step
/// says so (`nohup`, `setsid`, `disown`).
fn ends_in_background(text: &str) -> bool {
    let text = text.trim_end();
    text.ends_with('&')
        && !text.ends_with("&&")
        && !["nohup", "setsid", "disown", "systemd-run", "daemonize"]
            .iter()
            .any(|word| text.contains(word))
        && text.matches(['"', '\'']).count().is_multiple_of(2)
}

/// Files of the plan's folder that a text runs: `./undo.sh`, `bash scripts/x.sh`, `psql -f x.sql`. None where the text
/// goes elsewhere first.
fn own_files<'t>(text: &str, commands: &[Simple<'t>]) -> Vec<&'t str> {
    let mut files = Vec::new();
    // `[ -x ./hook.sh ] && ./hook.sh` is content without it.
    let mut asked_for: HashSet<&str> = HashSet::new();
    for command in commands {
        let mut words = command
            .words
            .iter()
            .copied()
            .skip_while(|word| matches!(*word, "sudo" | "exec") || is_assignment(word));
        let Some(program) = words.next() else {
            continue;
        };
        let named = match program {
            "test" | "[" | "[[" => {
                asked_for.extend(words);
                None
            }
            "bash" | "sh" | "python3" | "source" | "." => {
                words.next().filter(|word| word.contains(['/', '.']))
            }
            "psql" => words.skip_while(|word| *word != "-f").nth(1),
            _ => Some(program).filter(|word| word.contains('/')),
        };
        files.extend(named.filter(|path| is_plain_path(path) && !asked_for.contains(path)));
    }
    let goes = [
        "cd ",
        "pushd ",
        "chdir",
        "ssh ",
        "docker ",
        "podman ",
        "kubectl ",
        "chroot ",
        "nsenter ",
        "git clone",
        "tar ",
        "unzip ",
    ];
    // What comes after one of these happens elsewhere, or to files that are not there yet.
    if !files.is_empty()
        && let Some(from) = goes.iter().filter_map(|word| text.find(word)).min()
    {
        files.retain(|path| text.find(path).is_some_and(|at| at < from));
    }
    files
}

/// Whether a path names what somebody writes, rather than what an earlier step may have built.
fn may_be_the_authors(folder: &Path, path: &str) -> bool {
    let path = Path::new(path);
    let written = path.extension().is_some_and(|end| {
        ["sh", "bash", "py", "sql"]
            .iter()
            .any(|known| end == *known)
    });
    written
        || path
            .parent()
            .is_some_and(|parent| folder.join(parent).is_dir())
}

/// A relative path in which nothing is to be expanded.
fn is_plain_path(path: &str) -> bool {
    !path.starts_with(['/', '-', '~'])
        && path
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '/' | '.' | '_' | '-' | '+' | '@'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operators_cut_outside_quotes() {
        let words = |text| -> Vec<String> {
            simple_commands(text)
                .iter()
                .map(|command| command.words.join(" "))
                .collect()
        };
        assert_eq!(words("a | b && c; d 2>&1"), ["a", "b", "c", "d"]);
        assert_eq!(words("echo 'a | b' \"c; d\""), ["echo a | b c; d"]);
        assert_eq!(words("if test -e x; then ./y; fi"), ["test -e x", "./y"]);
        assert_eq!(words("cat <<E\nvim\nE"), ["cat"]);
        assert!(words("x=$(cat <<E\ndon't\nE\n)\nvim").is_empty());
        assert_eq!(
            words("echo 'one\nvim' # top\n'./y'"),
            ["echo one\nvim", "./y"]
        );
    }

    #[test]
    fn clients_that_read_their_input() {
        let reads = |text: &str| {
            let command = simple_commands(text).remove(0);
            !command.fed && reads_input(command.words[0], &command.words[1..])
        };
        for text in [
            "psql",
            "psql \"$DATABASE_URL\"",
            "psql -X -v ON_ERROR_STOP=1 -d cart",
            "mysql cart",
            "sqlite3 x.db",
            "redis-cli",
        ] {
            assert!(reads(text), "{text}");
        }
        for text in [
            "psql -c 'SELECT 1'",
            "psql -Xqtc 'SELECT 1'",
            "psql --file=x.sql",
            "psql -f x.sql",
            "psql -1f x.sql",
            "psql < x.sql",
            "psql -l",
            "psql -At -c 'select 1'",
            "mysql -Ne 'select 1'",
            "mysql -e x",
            "sqlite3 x.db 'select 1'",
            "redis-cli ping",
            "mongosh x.js",
            "psql <<< 'SELECT 1'",
            "psql <<E\nSELECT 1\nE",
            "(psql) < x.sql",
        ] {
            assert!(!reads(text), "{text}");
        }
        assert!(simple_commands("cat x | psql")[1].fed);
    }

    #[test]
    fn files_of_the_plan_that_run() {
        let own_files = |text| own_files(text, &simple_commands(text));
        assert_eq!(own_files("./undo.sh --now"), ["./undo.sh"]);
        assert_eq!(own_files("bash 'x/undo.sh'"), ["x/undo.sh"]);
        assert!(own_files("[ -x ./hook.sh ] && ./hook.sh").is_empty());
        assert_eq!(own_files("A=1 bash scripts/x.sh"), ["scripts/x.sh"]);
        assert_eq!(own_files("psql -X -f sql/up.sql"), ["sql/up.sql"]);
        for none in [
            "cd app && ./run",
            "/usr/bin/true",
            "\"$DIR\"/run",
            "./$X",
            "bash -c 'x'",
            "make a/b",
            "echo ./x",
        ] {
            assert!(own_files(none).is_empty(), "{none}");
        }
    }

    #[test]
    fn what_several_commands_speak_of_may_be_made_by_one() {
        let texts = ["make x", "./x; ./x --again", "./y", "./z > ./x.log"];
        let elsewhere = spoken_of_elsewhere(["./x", "./y", "./z", "./x"].into_iter(), &texts);
        assert_eq!(elsewhere, HashSet::from(["./x"]));
    }

    #[test]
    fn background_is_told_from_lists() {
        assert!(ends_in_background("sleep 9 &"));
        for no in [
            "a && b",
            "nohup ./serve &",
            "a & wait",
            "echo 'x &'",
            "cmd 2>&1",
        ] {
            assert!(!ends_in_background(no), "{no}");
        }
    }
}
