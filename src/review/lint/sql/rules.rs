//! What a reviewer of a migration objects to in its SQL.
//!
//! Only what holds whatever the tables contain. A table that the plan itself creates holds nothing
//! that could be lost or blocked; the way back and the checks are not judged by rules that are
//! about going forward.

use std::collections::HashSet;
use std::ops::Range;

use sqlparser::ast::{
    AlterColumnOperation, AlterTable, AlterTableOperation as Op, AssignmentTarget, ColumnDef,
    ColumnOption, DataType, Expr, FromTable, Ident, ObjectName, ObjectType, RenameTableNameKind,
    Statement, TableConstraint, TableFactor,
};

use super::parsed::{Parsed, Stated};
use crate::base::diagnostic::{Code, Finding, Level, codes};
use crate::plan::load::Loaded;
use crate::plan::model::{PointProcedure, Step};
use crate::review::lint::collect::{Content, Role, Sending, Text};

/// What all rules know.
struct Facts<'a> {
    loaded: &'a Loaded,
    /// Tables that going forward creates.
    created: HashSet<String>,
    /// Columns that going forward adds.
    added: HashSet<(String, String)>,
    /// Tables that get a check which is validated later.
    checked: HashSet<String>,
    no_downtime: bool,
}

/// One text and what to find in it.
struct Review<'a> {
    facts: &'a Facts<'a>,
    text: &'a Text,
    parsed: &'a Parsed,
    step: Option<&'a Step>,
    /// The step, or its phase, is undone by a machine.
    way_back: bool,
    findings: Vec<Finding>,
}

/// Everything that the rules find, with the text it is in.
pub(super) fn check<'a>(
    loaded: &Loaded,
    scripts: &'a [(&'a Text, Parsed)],
) -> Vec<(&'a Text, Finding)> {
    let facts = facts(loaded, scripts);
    let mut found = Vec::new();
    for (text, parsed) in scripts {
        let phase = text
            .step
            .and_then(|(phase, _)| loaded.plan.migration_phases.get(phase));
        let step = text
            .step
            .and_then(|(_, step)| phase.and_then(|phase| phase.steps.get(step)));
        let phase_undo = phase
            .and_then(|phase| phase.rollback_point.as_ref())
            .is_some_and(|point| {
                matches!(&point.rollback_procedure, Some(PointProcedure::Mapping(mapping))
                    if mapping.script.is_some() || !mapping.steps.is_empty())
            });
        let mut review = Review {
            facts: &facts,
            text,
            parsed,
            step,
            way_back: phase_undo || step.is_some_and(crate::review::undo::can_run),
            findings: Vec::new(),
        };
        review.transactions();
        review.includes();
        if text.role == Role::Forward {
            review.forward();
        }
        found.extend(review.findings.into_iter().map(|finding| (*text, finding)));
    }
    found
}

fn facts<'a>(loaded: &'a Loaded, scripts: &[(&Text, Parsed)]) -> Facts<'a> {
    let mut facts = Facts {
        loaded,
        created: HashSet::new(),
        added: HashSet::new(),
        checked: HashSet::new(),
        no_downtime: loaded
            .plan
            .migration_overview
            .constraints
            .as_ref()
            .is_some_and(|constraints| constraints.downtime_allowed == Some(false)),
    };
    let forward = scripts
        .iter()
        .filter(|(text, _)| text.role == Role::Forward)
        .flat_map(|(_, parsed)| &parsed.statements);
    for statement in forward {
        match &statement.tree {
            Some(Statement::CreateTable(create)) => {
                facts.created.insert(plain(&create.name));
            }
            Some(Statement::AlterTable(alter)) => {
                for operation in &alter.operations {
                    match operation {
                        Op::AddColumn { column_def, .. } => {
                            let column = column_def.name.value.to_lowercase();
                            facts.added.insert((plain(&alter.name), column));
                        }
                        Op::AddConstraint {
                            constraint: TableConstraint::Check(_),
                            not_valid: true,
                        } => {
                            facts.checked.insert(plain(&alter.name));
                        }
                        Op::RenameTable {
                            table_name: RenameTableNameKind::To(to) | RenameTableNameKind::As(to),
                        } if facts.created.contains(&plain(&alter.name)) => {
                            facts.created.insert(plain(to));
                        }
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    facts
}

/// A name's last part in lower case, without quotes: what tells tables of one plan apart.
fn plain(name: &ObjectName) -> String {
    name.0.last().map_or(String::new(), |part| {
        part.to_string().trim_matches('"').to_lowercase()
    })
}

/// A statement that no transaction block may hold.
fn not_in_a_transaction(statement: &Stated) -> Option<&'static str> {
    let concurrently = || statement.words.iter().any(|word| word == "CONCURRENTLY");
    let begins = |words: &[&str]| statement.begins(words);
    if (begins(&["CREATE", "INDEX"]) || begins(&["CREATE", "UNIQUE", "INDEX"])) && concurrently() {
        Some("CREATE INDEX CONCURRENTLY")
    } else if begins(&["DROP", "INDEX"]) && concurrently() {
        Some("DROP INDEX CONCURRENTLY")
    } else if begins(&["REINDEX"]) && concurrently() {
        Some("REINDEX CONCURRENTLY")
    } else if begins(&["VACUUM"]) {
        Some("VACUUM")
    } else if begins(&["CREATE", "DATABASE"]) {
        Some("CREATE DATABASE")
    } else if begins(&["DROP", "DATABASE"]) {
        Some("DROP DATABASE")
    } else if begins(&["ALTER", "SYSTEM"]) {
        Some("ALTER SYSTEM")
    } else {
        None
    }
}

/// What a statement does to the transaction.
enum Turn {
    Begins,
    Ends,
    None,
}

fn turn(statement: &Stated) -> Turn {
    match statement.words.first().map(String::as_str) {
        Some("BEGIN") => Turn::Begins,
        Some("START") if statement.begins(&["START", "TRANSACTION"]) => Turn::Begins,
        Some("COMMIT" | "END" | "ABORT") => Turn::Ends,
        // Back to a savepoint is not out of the transaction.
        Some("ROLLBACK") if !statement.words.iter().any(|word| word == "TO") => Turn::Ends,
        Some("PREPARE") if statement.begins(&["PREPARE", "TRANSACTION"]) => Turn::Ends,
        _ => Turn::None,
    }
}

impl<'a> Review<'a> {
    fn find(
        &mut self,
        code: Code,
        range: &Range<usize>,
        message: String,
        help: impl Into<String>,
    ) -> &mut Finding {
        let place = self.text.place(self.facts.loaded, range.clone());
        self.findings
            .push(Finding::new(code, place, message).help(help));
        let last = self.findings.len() - 1;
        &mut self.findings[last]
    }

    /// Where transactions begin and end, and what must not be in one.
    fn transactions(&mut self) {
        let parsed = self.parsed;
        let mut open: Option<&Stated> = None;
        let mut changes = false;
        let many = parsed.statements.len() > 1;
        for statement in &parsed.statements {
            match turn(statement) {
                Turn::Begins => {
                    open = Some(statement);
                    changes = false;
                    continue;
                }
                Turn::Ends => {
                    open = None;
                    continue;
                }
                Turn::None => {}
            }
            let reads = matches!(
                statement.words.first().map(String::as_str),
                Some("SELECT" | "SET" | "SHOW" | "EXPLAIN" | "TABLE" | "VALUES" | "SAVEPOINT")
            );
            changes |= !reads;
            let Some(what) = not_in_a_transaction(statement) else {
                continue;
            };
            let (why, help) = match (open.is_some(), self.text.sending) {
                (true, _) => (
                    "stands between `BEGIN` and `COMMIT`",
                    "end the transaction before it, or move it into a script of its own",
                ),
                (false, Sending::Wrapped) => (
                    "is sent with `--single-transaction`",
                    "send it without that flag, in a script of its own",
                ),
                (false, Sending::AtOnce) if many => (
                    "is sent together with other statements, which makes one transaction of them",
                    "make it a command of its own, or put the statements into a .sql file",
                ),
                (false, Sending::AtOnce | Sending::Each) => continue,
            };
            self.find(
                codes::SQL_NO_TRANSACTION,
                &statement.head,
                format!("`{what}` cannot run in a transaction, and it {why}"),
                help,
            );
        }
        if let Some(begin) = open
            && changes
            && !parsed.branches
            && self.text.sending != Sending::Wrapped
            && parsed.unclear.iter().all(|unclear| !unclear.certain)
        {
            self.find(
                codes::SQL_OPEN_TRANSACTION,
                &begin.head,
                "the transaction that begins here is never committed".to_owned(),
                "the database drops all of it when the connection closes, and the step would count as done: end it with `COMMIT;`",
            );
        }
    }

    /// Files that the script reads.
    fn includes(&mut self) {
        let parsed = self.parsed;
        for include in &parsed.includes {
            let loaded = self.facts.loaded;
            let full = match &self.text.content {
                Content::File { path, .. } if include.beside => loaded
                    .resolve(path)
                    .parent()
                    .map(|folder| folder.join(&include.path)),
                Content::File { .. } | Content::Embedded { .. } => {
                    Some(loaded.resolve(&include.path))
                }
            };
            if full.is_some_and(|full| full.exists()) {
                continue;
            }
            let base = match include.beside {
                true => "the script's folder",
                false => {
                    "the plan file's folder, where `psql` is started; `\\ir` is relative to the script"
                }
            };
            self.find(
                codes::SQL_INCLUDE_MISSING,
                &include.range,
                format!("the file `{}` is missing", include.path),
                format!("it is looked for in {base}"),
            );
        }
    }

    /// What going forward does.
    fn forward(&mut self) {
        let parsed = self.parsed;
        let repeated = self
            .step
            .is_some_and(|step| step.idempotent == Some(true) && step.done_if.is_none());
        let mut here = Here::default();
        for statement in &parsed.statements {
            if let Some(tree) = &statement.tree {
                self.loses(statement, tree, &here);
                self.every_row(statement, tree, &here);
                self.blocks(statement, Some(tree), &here);
                self.not_null(statement, tree);
                if repeated {
                    self.not_repeatable(statement, tree, &here);
                }
                here.see(tree);
            } else {
                self.blocks(statement, None, &here);
            }
        }
    }

    /// A finding about something lost: weightier where nothing leads back.
    fn lost(&mut self, code: Code, range: &Range<usize>, message: String) {
        let way_back = self.way_back;
        let help = if way_back {
            "an undo makes it anew, but not what was in it: have a backup that the undo restores"
        } else {
            "nothing in this step leads back: take a backup, and give the step a rollback that restores it"
        };
        let finding = self.find(code, range, message, help);
        if way_back {
            finding.level = Level::Note;
        }
    }

    fn is_new(&self, table: &str, here: &Here) -> bool {
        here.created.contains(table) || self.facts.created.contains(table)
    }

    fn loses(&mut self, statement: &Stated, tree: &Statement, here: &Here) {
        match tree {
            Statement::Drop {
                object_type,
                names,
                temporary: false,
                ..
            } => {
                let what = match object_type {
                    ObjectType::Table => "table",
                    ObjectType::Schema => "schema",
                    ObjectType::Database => "database",
                    _ => return,
                };
                for name in names {
                    let plain = plain(name);
                    // Dropped, then created: what was there before is lost all the same.
                    let own = here.created.contains(&plain)
                        || (self.facts.created.contains(&plain) && !self.created_below(&plain));
                    if *object_type != ObjectType::Table || !own {
                        let message = format!("this drops the {what} `{name}` with all it holds");
                        self.lost(codes::SQL_LOSES_DATA, &statement.head, message);
                    }
                }
            }
            Statement::Truncate(truncate) => {
                for table in &truncate.table_names {
                    if !self.is_new(&plain(&table.name), here) {
                        let message = format!("this empties the table `{}`", table.name);
                        self.lost(codes::SQL_LOSES_DATA, &statement.head, message);
                    }
                }
            }
            Statement::AlterTable(alter) if !self.is_new(&plain(&alter.name), here) => {
                for operation in &alter.operations {
                    let Op::DropColumn { column_names, .. } = operation else {
                        continue;
                    };
                    for column in column_names {
                        let key = (plain(&alter.name), column.value.to_lowercase());
                        if !self.facts.added.contains(&key) {
                            let message =
                                format!("this drops the column `{column}` of `{}`", alter.name);
                            let at = statement.place_of(column);
                            self.lost(codes::SQL_LOSES_DATA, &at, message);
                        }
                    }
                }
            }
            _ => {}
        }
    }

    /// Whether this very text creates the table somewhere: when asked before that place, further down.
    fn created_below(&self, table: &str) -> bool {
        self.parsed.statements.iter().any(|statement| {
            matches!(&statement.tree, Some(Statement::CreateTable(create)) if plain(&create.name) == table)
        })
    }

    fn every_row(&mut self, statement: &Stated, tree: &Statement, here: &Here) {
        match tree {
            Statement::Delete(delete)
                if delete.selection.is_none()
                    && delete.using.is_none()
                    && delete.limit.is_none() =>
            {
                let (FromTable::WithFromKeyword(from) | FromTable::WithoutKeyword(from)) =
                    &delete.from;
                let Some(TableFactor::Table { name, .. }) = from.first().map(|t| &t.relation)
                else {
                    return;
                };
                if !self.is_new(&plain(name), here) {
                    let message = format!("this deletes every row of `{name}`: it has no `WHERE`");
                    self.lost(codes::SQL_EVERY_ROW, &statement.head, message);
                }
            }
            Statement::Update(update) if update.selection.is_none() && update.from.is_none() => {
                let TableFactor::Table { name, .. } = &update.table.relation else {
                    return;
                };
                let table = plain(name);
                if self.is_new(&table, here) {
                    return;
                }
                let targets = update.assignments.iter().flat_map(|a| match &a.target {
                    AssignmentTarget::ColumnName(name) => vec![name],
                    AssignmentTarget::Tuple(names) => names.iter().collect(),
                });
                let mut old = targets
                    .map(plain)
                    .filter(|column| !self.facts.added.contains(&(table.clone(), column.clone())));
                if let Some(column) = old.next() {
                    let message = format!(
                        "this overwrites `{column}` in every row of `{name}`: it has no `WHERE`"
                    );
                    self.lost(codes::SQL_EVERY_ROW, &statement.head, message);
                }
            }
            _ => {}
        }
    }

    /// Locks that keep others waiting, where the plan says that nobody may wait.
    fn blocks(&mut self, statement: &Stated, tree: Option<&Statement>, here: &Here) {
        if !self.facts.no_downtime {
            return;
        }
        let mut found = Vec::new();
        match tree {
            Some(Statement::CreateIndex(index))
                if !index.concurrently && !self.is_new(&plain(&index.table_name), here) =>
            {
                found.push((
                    statement.head.clone(),
                    format!(
                        "writes to `{}` wait until this index is built",
                        index.table_name
                    ),
                    "write `CREATE INDEX CONCURRENTLY`, outside a transaction",
                ));
            }
            Some(Statement::AlterTable(alter)) if !self.is_new(&plain(&alter.name), here) => {
                for operation in &alter.operations {
                    if let Some((message, help)) = self.waits(alter, operation) {
                        let name = name_of(operation);
                        let at = name.map_or(statement.head.clone(), |n| statement.place_of(n));
                        found.push((at, message, help));
                    }
                }
            }
            None if statement.begins(&["VACUUM", "FULL"]) => found.push((
                statement.head.clone(),
                "`VACUUM FULL` rewrites the table, and nobody can read or write it meanwhile"
                    .to_owned(),
                "plain `VACUUM` lets others work",
            )),
            Some(Statement::Vacuum(vacuum)) if vacuum.full => found.push((
                statement.head.clone(),
                "`VACUUM FULL` rewrites the table, and nobody can read or write it meanwhile"
                    .to_owned(),
                "plain `VACUUM` lets others work",
            )),
            None if statement.begins(&["CLUSTER"]) => found.push((
                statement.head.clone(),
                "`CLUSTER` rewrites the table, and nobody can read or write it meanwhile"
                    .to_owned(),
                "do it in a window that allows downtime",
            )),
            None if statement.begins(&["REINDEX"])
                && !statement.words.iter().any(|word| word == "CONCURRENTLY") =>
            {
                found.push((
                    statement.head.clone(),
                    "writes wait until `REINDEX` is done".to_owned(),
                    "write `REINDEX ... CONCURRENTLY`, outside a transaction",
                ));
            }
            _ => {}
        }
        for (at, message, help) in found {
            self.find(
                codes::SQL_BLOCKS,
                &at,
                format!("{message}; `downtime_allowed` is false"),
                help,
            );
        }
    }

    /// What an operation on a table with rows in it makes others wait for.
    fn waits(&self, alter: &AlterTable, operation: &Op) -> Option<(String, &'static str)> {
        let table = &alter.name;
        match operation {
            Op::AddConstraint {
                constraint,
                not_valid: false,
            } => {
                let what = match constraint {
                    TableConstraint::ForeignKey(_) => "foreign key",
                    TableConstraint::Check(_) => "check",
                    TableConstraint::Unique(_) | TableConstraint::PrimaryKey(_) => {
                        return Some((
                            format!(
                                "nobody can read or write `{table}` while the index of this constraint is built"
                            ),
                            "build it with `CREATE UNIQUE INDEX CONCURRENTLY`, then `ADD CONSTRAINT ... USING INDEX`",
                        ));
                    }
                    _ => return None,
                };
                Some((
                    format!("writes to `{table}` wait while every row is held against this {what}"),
                    "add it `NOT VALID`, then `VALIDATE CONSTRAINT` in a step of its own",
                ))
            }
            Op::AlterColumn {
                column_name,
                op: AlterColumnOperation::SetDataType { data_type, .. },
            } if !matches!(
                data_type,
                DataType::Text | DataType::Varchar(_) | DataType::CharacterVarying(_)
            ) =>
            {
                Some((
                    format!(
                        "changing the type of `{column_name}` rewrites `{table}`, and nobody can read or write it meanwhile"
                    ),
                    "add a column of the new type, fill it in batches, then switch over",
                ))
            }
            Op::AlterColumn {
                column_name,
                op: AlterColumnOperation::SetNotNull,
            } if !self.facts.checked.contains(&plain(table))
                && !self
                    .facts
                    .added
                    .contains(&(plain(table), column_name.value.to_lowercase())) =>
            {
                Some((
                    format!(
                        "nobody can read or write `{table}` while every row is looked at for `{column_name}`"
                    ),
                    "add `CHECK (column IS NOT NULL) NOT VALID`, validate it, and set NOT NULL after that",
                ))
            }
            Op::AddColumn { column_def, .. } if rewrites(column_def) => Some((
                format!(
                    "adding `{}` writes a value into every row of `{table}`, and nobody can read or write it meanwhile",
                    column_def.name
                ),
                "add the column without that default, set the default, and fill old rows in batches",
            )),
            _ => None,
        }
    }

    /// A column that no row of the table can have a value for.
    fn not_null(&mut self, statement: &Stated, tree: &Statement) {
        let Statement::AlterTable(alter) = tree else {
            return;
        };
        if self.facts.created.contains(&plain(&alter.name)) {
            return;
        }
        for operation in &alter.operations {
            let Op::AddColumn { column_def, .. } = operation else {
                continue;
            };
            let has = |wanted: fn(&ColumnOption) -> bool| {
                column_def
                    .options
                    .iter()
                    .any(|option| wanted(&option.option))
            };
            let filled = has(|option| {
                matches!(
                    option,
                    ColumnOption::Default(_)
                        | ColumnOption::Generated { .. }
                        | ColumnOption::Identity(_)
                )
            }) || serial(&column_def.data_type);
            let required =
                has(|option| matches!(option, ColumnOption::NotNull | ColumnOption::PrimaryKey(_)));
            if required && !filled {
                self.find(
                    codes::SQL_NOT_NULL,
                    &statement.place_of(&column_def.name),
                    format!(
                        "`{}` has no value in the rows that `{}` already has, and it must not be null",
                        column_def.name, alter.name
                    ),
                    "the statement fails unless the table is empty: give it a `DEFAULT`, or add it without `NOT NULL` and fill it first",
                );
            }
        }
    }

    /// What fails when it is done twice, in a step that says it can be.
    fn not_repeatable(&mut self, statement: &Stated, tree: &Statement, here: &Here) {
        const EXISTS: &str =
            "write `IF NOT EXISTS`, or `idempotent: false`, or say in `done_if` when it is done";
        const GONE: &str =
            "write `IF EXISTS`, or `idempotent: false`, or say in `done_if` when it is done";
        let head = || statement.head.clone();
        let mut found: Vec<(Range<usize>, String, &str)> = Vec::new();
        let exists = |at: Range<usize>, what: &str, name: String| {
            let article = if what.starts_with('i') { "an" } else { "a" };
            (
                at,
                format!("there is {article} {what} `{name}` already"),
                EXISTS,
            )
        };
        let gone = |at: Range<usize>, what: &str, name: String| {
            (at, format!("there is no {what} `{name}` any more"), GONE)
        };
        match tree {
            Statement::CreateTable(create)
                if !create.if_not_exists
                    && !create.temporary
                    && !here.dropped.contains(&plain(&create.name)) =>
            {
                found.push(exists(head(), "table", create.name.to_string()));
            }
            Statement::CreateIndex(index) if !index.if_not_exists => {
                if let Some(name) = &index.name
                    && !here.dropped.contains(&plain(name))
                    && !here.dropped.contains(&plain(&index.table_name))
                {
                    found.push(exists(head(), "index", name.to_string()));
                }
            }
            Statement::Drop {
                if_exists: false,
                object_type,
                names,
                ..
            } => {
                for name in names {
                    if !here.created.contains(&plain(name)) {
                        let what = object_type.to_string().to_lowercase();
                        found.push(gone(head(), &what, name.to_string()));
                    }
                }
            }
            Statement::AlterTable(alter) => {
                for operation in &alter.operations {
                    match operation {
                        Op::AddColumn {
                            if_not_exists: false,
                            column_def,
                            ..
                        } if !here.created.contains(&plain(&alter.name))
                            && !here.dropped.contains(&column_def.name.value.to_lowercase()) =>
                        {
                            let at = statement.place_of(&column_def.name);
                            found.push(exists(at, "column", column_def.name.to_string()));
                        }
                        Op::DropColumn {
                            if_exists: false,
                            column_names,
                            ..
                        } => {
                            let names = column_names.iter();
                            found.extend(names.map(|name| {
                                gone(statement.place_of(name), "column", name.to_string())
                            }));
                        }
                        Op::RenameColumn {
                            old_column_name, ..
                        } => {
                            let at = statement.place_of(old_column_name);
                            found.push(gone(at, "column", old_column_name.to_string()));
                        }
                        _ => {}
                    }
                }
            }
            _ => {}
        }
        for (at, message, help) in found {
            self.find(
                codes::SQL_NOT_REPEATABLE,
                &at,
                format!("the second time, {message}, and the step says `idempotent: true`"),
                help,
            );
        }
    }
}

/// What the statements so far have done.
#[derive(Default)]
struct Here {
    created: HashSet<String>,
    dropped: HashSet<String>,
}

impl Here {
    fn see(&mut self, tree: &Statement) {
        match tree {
            Statement::CreateTable(create) => {
                self.created.insert(plain(&create.name));
            }
            Statement::Drop {
                if_exists: true,
                names,
                ..
            } => self.dropped.extend(names.iter().map(plain)),
            Statement::AlterTable(alter) => {
                for operation in &alter.operations {
                    if let Op::DropColumn {
                        if_exists: true,
                        column_names,
                        ..
                    } = operation
                    {
                        let names = column_names.iter();
                        self.dropped
                            .extend(names.map(|name| name.value.to_lowercase()));
                    }
                }
            }
            _ => {}
        }
    }
}

/// The column or constraint that an operation is about.
fn name_of(operation: &Op) -> Option<&Ident> {
    match operation {
        Op::AlterColumn { column_name, .. } => Some(column_name),
        Op::AddColumn { column_def, .. } => Some(&column_def.name),
        Op::AddConstraint { constraint, .. } => match constraint {
            TableConstraint::ForeignKey(key) => key.name.as_ref(),
            TableConstraint::Check(check) => check.name.as_ref(),
            TableConstraint::Unique(unique) => unique.name.as_ref(),
            TableConstraint::PrimaryKey(primary) => primary.name.as_ref(),
            _ => None,
        },
        _ => None,
    }
}

/// `serial` and its kin, which bring a default.
fn serial(data_type: &DataType) -> bool {
    data_type.to_string().to_lowercase().contains("serial")
}

/// Whether a new column has another value in each row, which must be written there and then.
fn rewrites(column: &ColumnDef) -> bool {
    serial(&column.data_type)
        || column.options.iter().any(|option| match &option.option {
            ColumnOption::Default(Expr::Function(function)) => matches!(
                plain(&function.name).as_str(),
                "gen_random_uuid"
                    | "uuid_generate_v1"
                    | "uuid_generate_v4"
                    | "random"
                    | "clock_timestamp"
                    | "nextval"
            ),
            ColumnOption::Generated { .. } | ColumnOption::Identity(_) => true,
            _ => false,
        })
}
