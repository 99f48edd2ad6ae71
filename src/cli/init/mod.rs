//! `init`: a plan to begin with, and the files that it needs.
//!
//! Nothing that exists is ever overwritten: a file of another content in the way refuses everything, and with `--force`
//! it is set aside under another name first. The schema is written beside the plan and named in the plan's first line,
//! so that an editor with a YAML language server completes and explains without a network.

mod templates;

use std::io::BufRead as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use serde_json::json;

pub(super) use templates::Template;
use templates::{File, PLAN};

use super::arguments::InitArgs;
use super::context::Context;
use super::failure::Failure;
use crate::base::durable;
use crate::plan::schema::schema_text;
use crate::show::text::{quote, wrap};

/// The schema's name beside the plan; the first line of each template names it.
const SCHEMA: &str = "migration-strategy.schema.json";

/// Columns before what is said of a template.
const HANG: usize = 14;

/// What is filled into a template.
struct Answers {
    template: Template,
    name: String,
    owner: String,
}

/// A file that is to be written.
struct Planned {
    path: PathBuf,
    bytes: Vec<u8>,
    mode: u32,
}

pub(super) fn verb(context: &Context, arguments: &InitArgs) -> Result<u8, Failure> {
    let plan = plan_path(&arguments.path);
    let folder = super::validate::folder_of(&plan).to_owned();
    let answers = answers(context, arguments, &folder)?;
    let planned = planned(&answers, &plan, &folder);
    let (missing, clashing) = sort_out(planned)?;
    if !clashing.is_empty() && !arguments.force {
        let names: Vec<_> = clashing.iter().map(|file| shown(&file.path)).collect();
        return Err(Failure::refused(format!(
            "{} already: {}",
            if names.len() == 1 {
                "this file exists"
            } else {
                "these files exist"
            },
            names.join(", ")
        ))
        .next(
            "name another folder (`orchestrate init DIR`), or set the files aside with --force",
        ));
    }
    let mut kept = Vec::new();
    for file in &clashing {
        kept.push(set_aside(&file.path)?);
    }
    let mut written = Vec::new();
    for file in clashing.iter().chain(&missing) {
        write(file)?;
        written.push(shown(&file.path));
    }
    written.sort();
    tell(context, &answers, &plan, &written, &kept);
    Ok(0)
}

/// Where the plan goes: a name that ends in .yaml or .yml is a file, everything else a folder.
fn plan_path(given: &Path) -> PathBuf {
    let is_file = given
        .extension()
        .is_some_and(|extension| extension == "yaml" || extension == "yml");
    if is_file && !given.is_dir() {
        given.to_owned()
    } else {
        given.join(PLAN)
    }
}

/// From flags, else from the person at the terminal, else the defaults.
fn answers(context: &Context, arguments: &InitArgs, folder: &Path) -> Result<Answers, Failure> {
    let default_name = default_name(folder);
    let default_owner = context.actor().name;
    let mut answers = Answers {
        template: arguments.template.unwrap_or(Template::Minimal),
        name: arguments.name.clone().unwrap_or(default_name),
        owner: arguments.owner.clone().unwrap_or(default_owner),
    };
    if context.interactive {
        if arguments.template.is_none() {
            answers.template = ask_template(context)?;
        }
        if arguments.name.is_none() {
            answers.name = ask(context, "The migration's name", &answers.name)?;
        }
        if arguments.owner.is_none() {
            answers.owner = ask(context, "Who answers for its steps", &answers.owner)?;
        }
    }
    for (what, value) in [("--name", &answers.name), ("--owner", &answers.owner)] {
        if value.trim().is_empty() || value.chars().any(char::is_control) {
            return Err(Failure::usage(format!("{what} wants a name on one line")));
        }
    }
    Ok(answers)
}

fn ask_template(context: &Context) -> Result<Template, Failure> {
    use clap::ValueEnum as _;
    context.say("Which plan to begin with:");
    for template in Template::value_variants() {
        let help = template
            .to_possible_value()
            .and_then(|value| value.get_help().map(ToString::to_string))
            .unwrap_or_default();
        let mut name = template.as_str();
        let room = context.width.saturating_sub(HANG);
        for line in wrap(&help, room) {
            context.say(&format!("  {name:<11} {line}"));
            name = "";
        }
    }
    loop {
        let typed = ask(context, "Template", Template::Minimal.as_str())?;
        match Template::from_str(&typed, true) {
            Ok(template) => return Ok(template),
            Err(_) => context.say(&format!("There is no template {typed:?}.")),
        }
    }
}

/// One question; an empty line is the default.
fn ask(context: &Context, question: &str, default: &str) -> Result<String, Failure> {
    context.say(&format!("{question} [{default}]:"));
    let mut line = String::new();
    let read = std::io::stdin()
        .lock()
        .read_line(&mut line)
        .map_err(|e| Failure::io(format!("read an answer: {e}")).means("nothing was written"))?;
    if read == 0 {
        return Err(Failure::usage("the questions were not answered")
            .means("nothing was written")
            .next("give the answers as --template, --name and --owner"));
    }
    let typed = line.trim();
    Ok(if typed.is_empty() { default } else { typed }.to_owned())
}

/// The folder's name, as words.
fn default_name(folder: &Path) -> String {
    std::path::absolute(folder)
        .ok()
        .and_then(|path| {
            path.file_name()
                .map(|name| name.to_string_lossy().into_owned())
        })
        .map(|name| name.replace(['_', '-'], " ").trim().to_owned())
        .filter(|name| !name.is_empty() && !name.chars().any(char::is_control))
        .unwrap_or_else(|| "My migration".to_owned())
}

/// Everything that belongs to the template, the plan under the name that was asked for.
fn planned(answers: &Answers, plan: &Path, folder: &Path) -> Vec<Planned> {
    let mut all: Vec<Planned> = answers
        .template
        .files()
        .iter()
        .map(|file| Planned {
            path: if file.path == PLAN {
                plan.to_owned()
            } else {
                folder.join(file.path)
            },
            bytes: fill_in(file, answers).into_bytes(),
            mode: if file.runs { 0o755 } else { 0o644 },
        })
        .collect();
    all.push(Planned {
        path: folder.join(SCHEMA),
        bytes: schema_text().into_bytes(),
        mode: 0o644,
    });
    all
}

/// Names go into double quotes, where JSON's escapes are YAML's too.
fn fill_in(file: &File, answers: &Answers) -> String {
    let today = jiff::Timestamp::now()
        .strftime("%Y-%m-%dT00:00:00Z")
        .to_string();
    let mut text = file.text.to_owned();
    for (place, value) in [
        ("\"@name@\"", &answers.name),
        ("\"@owner@\"", &answers.owner),
        ("\"@date@\"", &today),
    ] {
        text = text.replace(place, &json!(value).to_string());
    }
    text
}

/// What is missing, and what exists with another content. What exists as it would be written needs nothing.
fn sort_out(planned: Vec<Planned>) -> Result<(Vec<Planned>, Vec<Planned>), Failure> {
    let (mut missing, mut clashing) = (Vec::new(), Vec::new());
    for file in planned {
        match std::fs::symlink_metadata(&file.path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => missing.push(file),
            Err(error) if error.kind() == std::io::ErrorKind::NotADirectory => {
                let name = file.path.display();
                return Err(Failure::usage(format!(
                    "{name} cannot be written: what its path names as a folder is a file"
                ))
                .means("nothing was written")
                .next("name a folder, or a plan that ends in .yaml or .yml"));
            }
            Err(error) => {
                return Err(Failure::usage(format!("{}: {error}", file.path.display()))
                    .means("nothing was written"));
            }
            Ok(_) if std::fs::read(&file.path).is_ok_and(|bytes| bytes == file.bytes) => {}
            Ok(_) => clashing.push(file),
        }
    }
    Ok((missing, clashing))
}

/// Gives what exists a name that is free, and says which.
fn set_aside(path: &Path) -> Result<String, Failure> {
    let name = path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let free = (0..1000)
        .map(|number| match number {
            0 => path.with_file_name(format!("{name}.old")),
            _ => path.with_file_name(format!("{name}.old.{number}")),
        })
        .find(|to| std::fs::symlink_metadata(to).is_err());
    let Some(to) = free else {
        return Err(
            Failure::io(format!("{} has too many old copies", path.display()))
                .means("nothing was overwritten"),
        );
    };
    std::fs::rename(path, &to).map_err(|e| {
        Failure::io(format!("set {} aside: {e}", path.display())).means("nothing was overwritten")
    })?;
    Ok(shown(&to))
}

fn write(file: &Planned) -> Result<(), Failure> {
    let folder = super::validate::folder_of(&file.path);
    let failed = |error: &dyn std::fmt::Display| {
        Failure::io(format!("write {}: {error}", file.path.display()))
            .means("some files of the template may be there; nothing that existed was overwritten")
    };
    std::fs::create_dir_all(folder).map_err(|e| failed(&e))?;
    durable::replace(&file.path, &file.bytes, file.mode).map_err(|e| failed(&e))?;
    // A file system without modes says so here rather than when the step runs.
    let mode = std::fs::metadata(&file.path)
        .map_err(|e| failed(&e))?
        .permissions()
        .mode();
    if file.mode & 0o100 != 0 && mode & 0o100 == 0 {
        return Err(failed(&"this file system keeps no run bits"));
    }
    Ok(())
}

fn shown(path: &Path) -> String {
    let path = path.strip_prefix(".").unwrap_or(path);
    path.display().to_string()
}

fn tell(context: &Context, answers: &Answers, plan: &Path, written: &[String], kept: &[String]) {
    let typed = quote(&shown(plan));
    let env = answers.template.practice();
    let next = [
        format!("orchestrate validate {typed}"),
        format!("orchestrate preview {typed}"),
        format!("orchestrate run {typed} --env {env} --dry-run"),
        format!("orchestrate run {typed} --env {env}"),
    ];
    if context.json() {
        context.print_json(&json!({
            "format_version": 1,
            "type": "init",
            "template": answers.template.as_str(),
            "plan": shown(plan),
            "written": written,
            "set_aside": kept,
            "next": next,
        }));
        context.result("init", 0, None, None);
        return;
    }
    let mut text = String::new();
    for file in kept {
        text.push_str(&format!("set aside {file}\n"));
    }
    for file in written {
        text.push_str(&format!("wrote     {file}\n"));
    }
    if written.is_empty() {
        text.push_str("everything is there already\n");
    }
    let about = format!(
        "Editors with a YAML language server complete and explain the plan: its first line names {SCHEMA} beside it."
    );
    let then = "Now change the plan to say what your migration does, and type:";
    for said in [&*about, then] {
        text.push('\n');
        for line in wrap(said, context.width) {
            text.push_str(&line);
            text.push('\n');
        }
    }
    for command in next {
        text.push_str(&format!("  {command}\n"));
    }
    context.print(&text);
}
