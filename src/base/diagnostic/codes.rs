//! The registry of codes: stable names of everything that can be found in a plan.
//!
//! OR00 reading a file, OR01 its shape, OR02 ids, references and order, OR03 what runs, OR04 gates
//! and approvals, OR05 the way back, OR06 files around the plan, OR07 what this version cannot
//! execute, OR08 times.

use std::fmt;

use super::Level;

/// A finding's stable code, such as `OR0103`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(&'static str);

impl Code {
    /// The code as it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.0
    }

    /// What the registry says about it.
    #[must_use]
    pub fn info(self) -> &'static CodeInfo {
        // Codes are only made by the table below, so the search always finds one.
        REGISTRY
            .binary_search_by_key(&self.0, |info| info.code.0)
            .map_or(&REGISTRY[0], |at| &REGISTRY[at])
    }

    /// The code that is written like this, in any case.
    #[must_use]
    pub fn find(text: &str) -> Option<&'static CodeInfo> {
        REGISTRY
            .iter()
            .find(|info| info.code.0.eq_ignore_ascii_case(text))
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// What the registry says about a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CodeInfo {
    /// The code.
    pub code: Code,
    /// How much its findings weigh.
    pub level: Level,
    /// In a few words.
    pub title: &'static str,
    /// In a paragraph: what it means for the migration and how to mend it.
    pub explanation: &'static str,
}

macro_rules! codes {
    ($($name:ident $code:literal $level:ident $title:literal $explanation:literal;)*) => {
        $(
            #[doc = $title]
            pub const $name: Code = Code($code);
        )*
        /// Every code, in order.
        pub const REGISTRY: &[CodeInfo] = &[$(
            CodeInfo { code: $name, level: Level::$level, title: $title, explanation: $explanation },
        )*];
    };
}

codes! {
    FILE_MISSING "OR0001" Error "The file cannot be read"
        "The plan file, or a file that it includes, is missing or cannot be opened. Nothing was started. Check the path and the permissions; paths in a plan resolve against the plan file's folder.";
    NOT_A_FILE "OR0002" Error "The path is not a file"
        "A plan is one file. The path names a folder, a socket or a device. Name the migration-strategy.yaml inside it.";
    TOO_LARGE "OR0003" Error "The file is too large"
        "A plan may have at most 64 MiB. Move data out of the plan into files that its scripts read.";
    NOT_UTF8 "OR0004" Error "The file is not UTF-8"
        "A plan is UTF-8 text; a byte order mark at the start is fine. Convert the file, for example with iconv.";
    EMPTY "OR0005" Error "The plan is empty"
        "The file has no YAML document in it, only white space or comments. A plan has at least metadata, migration_overview and migration_phases.";
    SYNTAX "OR0006" Error "The YAML cannot be parsed"
        "The text is not YAML 1.2. The place is where parsing stopped; the cause is often a line above: a missing quote, a tab, or wrong indentation.";
    SEVERAL_DOCUMENTS "OR0007" Error "There are several YAML documents"
        "A plan is one document. A line with three dashes begins another one. Keep one plan per file; sections that several plans share go into an included file.";
    TOO_DEEP "OR0008" Error "The YAML is nested too deep"
        "Collections may be nested at most 250 deep. No plan needs more; such a file is damaged or hostile.";
    ALIASES_EXPAND "OR0009" Error "Aliases expand too far"
        "Aliases may make the document at most ten times as large as it is written. Beyond that a small file could fill the memory.";
    RECURSIVE_ALIAS "OR0010" Error "An alias contains itself"
        "An alias names an anchor that is still open, so the value would contain itself without end.";
    DUPLICATE_KEY "OR0011" Error "A key is given twice"
        "A mapping has the same key twice. Which one counts would be a guess, so neither does. Remove or rename one.";
    KEY_NOT_TEXT "OR0012" Error "A key is not text"
        "Keys of mappings are strings. A number, a truth value, a list or a mapping as key means something else than its author thought. Put it in quotes.";
    UNKNOWN_TAG "OR0013" Error "A YAML tag is not supported"
        "Only the tags of the YAML core schema have a meaning here (!!str, !!int, !!float, !!bool, !!null, !!seq, !!map), and the value must fit the tag.";
    BAD_MERGE "OR0014" Error "A merge key has nothing to merge"
        "The value of a merge key is a mapping or a list of mappings, usually aliases.";
    NOT_A_MAPPING "OR0101" Error "The plan is not a mapping"
        "At its top level a plan is a mapping with the keys metadata, migration_overview, migration_phases and so on.";
    UNKNOWN_KEY "OR0102" Error "A key is unknown"
        "The format has no such key here. A misspelled key would be silently without effect, so it is an error. Keys of your own start with x- and pass.";
    MISSING_KEY "OR0103" Error "A required key is missing"
        "The mapping lacks a key without which it has no meaning. A key whose value is null counts as missing.";
    WRONG_TYPE "OR0104" Error "A value has the wrong type"
        "The format wants another type here. Text that looks like a number, such as a version, needs quotes; a list is written with dashes or brackets.";
    UNKNOWN_VALUE "OR0105" Error "A value is not one of the choices"
        "The format has a fixed set of values here. They are written exactly as the message lists them.";
    PROBE_COUNT "OR0106" Error "A check needs exactly one probe"
        "A check that is a mapping has a title (check) and exactly one probe: command, sql, http, file, metric, baseline, dataset, when or manual. Two checks are two items of the list.";
    TOO_FEW "OR0107" Error "A list is empty"
        "The format wants at least one item here.";
    OUT_OF_RANGE "OR0108" Error "A number is out of range"
        "The number is smaller or larger than the format allows here.";
    SHAPE "OR0109" Error "The shape is wrong"
        "The value does not fit the format. The JSON Schema that `orchestrate schema` prints says what fits.";
    DUPLICATE_ID "OR0201" Error "An id is used twice"
        "Ids name what people answer, what the journal records and what a rollback undoes. Two things of one name could not be told apart.";
    BAD_ID "OR0202" Error "An id cannot be used"
        "Ids name files in the run folder and appear in commands that people copy. They must not be empty, and must not contain control characters, white space at the ends, or slashes.";
    DUPLICATE_ORDER "OR0203" Error "Two phases have the same order"
        "Phases run one after the other by rising order. With equal orders their sequence would be a guess. (Steps of equal order run together; phases never do.)";
    UNKNOWN_REFERENCE "OR0204" Error "A reference names nothing"
        "A reference to a step, phase, gate or catalogue entry names nothing in this plan. The run would wait for something that never happens.";
    DEPENDENCY_CYCLE "OR0205" Error "Steps wait for each other"
        "The dependencies form a cycle, so none of these steps could ever start.";
    FORWARD_DEPENDENCY "OR0206" Error "A step waits for a later phase"
        "Phases run one after the other, so a step cannot wait for a step of a later phase: the run would never get there.";
    NO_STEPS "OR0207" Warning "A phase has no steps"
        "The phase does nothing; only its gate is evaluated.";
    UNKNOWN_MENTION "OR0208" Warning "A mention names nothing"
        "A risk or the critical path mentions a step or phase that is not in this plan. The run does not need it; whoever reads the plan does.";
    BAD_EXPRESSION "OR0209" Error "An expression cannot be understood"
        "The text of a `when` probe is no expression, so the probe could never pass. Expressions are minijinja over the facts of the run, such as steps['STEP-1-1'].succeeded and vars.TARGET.";
    UNCLEAR_CHECK "OR0210" Warning "A check is not what it seems"
        "The text looks like a condition or a fact, and it is none: it names no defined metric, no step, no phase and no gate, or several at once. So it counts as prose: the block's tests cover it, or a person attests it.";
    SCRIPT_MISSING "OR0301" Error "A script that would run is missing"
        "The plan would run this script, and it is not there. Paths resolve against the plan file's folder.";
    SCRIPT_CANNOT_RUN "OR0302" Error "A script cannot be run"
        "A script runs by its run bit and shebang, else by its extension: .sh by bash, .py by python3, .sql by psql. This one has none of them, or cannot be read.";
    SQL_WITHOUT_CONNECTION "OR0303" Warning "SQL has no connection"
        "A .sql script or `shell: sql` goes to the connection `default`. The plan defines none, so the environment variable DATABASE_URL must hold its URL when the run starts.";
    SQL_AS_COMMAND "OR0304" Error "A command looks like SQL"
        "The text would be run by bash, and it looks like an SQL statement. Write `shell: sql` beside it, or put it in a .sql file named by automation_script.";
    PROSE_AS_COMMAND "OR0305" Error "A command looks like prose"
        "The text would be run by bash, and it looks like a sentence. Prose belongs in manual_steps; a command is written as it would be typed.";
    SCRIPT_AND_COMMANDS "OR0306" Note "Both a script and commands are given"
        "The script runs; the commands only document what it does.";
    NOTHING_TO_DO "OR0307" Warning "A step has no action"
        "The step has no script, no commands and no manual steps. It only validates.";
    RETRY_UNSAFE "OR0308" Error "A retry could do harm"
        "A retry repeats the whole step after a failure. That is safe only if the step is idempotent, or if its undo runs in between. This step is neither.";
    FOLDER_MISSING "OR0309" Error "The scripts folder is missing"
        "linkage.automation_scripts_dir names a folder that does not exist. It says where scripts are kept; paths of scripts resolve against the plan file's folder all the same.";
    BLOCKED_PREREQUISITE "OR0310" Warning "A prerequisite is blocked"
        "A prerequisite whose status is `blocked` stops the run before its first step.";
    SAME_SCRIPT "OR0311" Warning "One script does different things"
        "Several steps run the same script without arguments, and their commands document different things. The script cannot tell which step it runs for, unless it looks at ORCHESTRATE_STEP_ID. Give each step its arguments: {path: ..., args: [...]}.";
    APPROVERS_MISSING "OR0401" Error "Approval is required but nobody can give it"
        "The gate waits for approvals and lists no approvers, so nobody could ever open it.";
    APPROVAL_NOT_SAID "OR0402" Warning "Approvers are given but approval is not required"
        "Approvers count as required all the same. Write `approval_required: true` to say so, or remove them.";
    APPROVALS_IMPOSSIBLE "OR0403" Error "More approvals are needed than there are approvers"
        "approvals_needed is larger than the list of approvers, or zero, so the gate could never open or would open by itself.";
    GATE_LOCATION "OR0404" Error "A gate stands nowhere"
        "The location of a gate names no phase and no step of this plan, so the gate would never be evaluated.";
    NO_GATE "OR0405" Warning "A phase has no gate"
        "Nothing is checked between this phase and the next.";
    GATE_ROLLBACK_IMPOSSIBLE "OR0406" Warning "A gate rolls back over a step without a way back"
        "failure_response is `rollback`, but the phase holds a step that cannot be undone. The rollback would stop at it.";
    NO_WAY_BACK "OR0501" Warning "A step has no way back"
        "The step says nothing of how it is undone. If it changes nothing, write `effect: none`; if it cannot be undone, write `can_rollback: false`, so that everyone knows before the run.";
    CLAIM_WITHOUT_MEANS "OR0502" Error "A rollback is claimed but nothing is there"
        "can_rollback is true, but there is no rollback_script and no rollback_steps. The undo would do nothing and look like success.";
    PROSE_ROLLBACK "OR0503" Warning "A rollback is prose only"
        "A person has to do these steps. Without a terminal the run stops there (exit 7) with the list of what remains. If a command can do it, write `- run: ...`.";
    DATASET_MISSING "OR0601" Error "A test dataset is missing"
        "The run would evaluate this test dataset, and there is no file of that name in linkage.test_datasets_dir: <id>.yaml, .json, .sh, .sql, .py, or an executable <id>.";
    DATASETS_DIR "OR0602" Error "There is no folder for test datasets"
        "The plan names test datasets, but linkage.test_datasets_dir is not given or not a folder, so none of them can be found.";
    LINKED_FILE_MISSING "OR0603" Warning "A linked file is missing"
        "linkage names a file that does not exist. The run does not need it; whoever reads the plan does.";
    INCLUDE_CONFLICT "OR0604" Error "An include contradicts the plan"
        "The included file gives another value for something that the plan, or an earlier include, already says.";
    INCLUDE_CYCLE "OR0605" Error "A file includes itself"
        "The chain of includes comes back to a file that is still being read.";
    NOT_EXECUTED "OR0701" Error "This version cannot execute this yet"
        "The key belongs to the format, but this version does not act on it. Running the plan as if it were not there could be wrong, so it is an error.";
    ENVIRONMENT_INVALID "OR0702" Error "A name cannot be an environment variable"
        "Variables reach commands as environment variables. Names begin with a letter or an underscore and go on with letters, digits and underscores.";
    CONNECTION_INVALID "OR0703" Error "A connection needs exactly one source"
        "A connection names where its URL comes from: url_env or url_command, one of them.";
    CANNOT_ACT "OR0704" Error "The run cannot act on this"
        "The plan can be read, but the run would have to act on this value and cannot understand it. Guessing could be wrong, so it is an error.";
    TIME_UNCLEAR "OR0801" Warning "A time cannot be understood"
        "The text is no duration, such as `30m`, `2 hours` or `3 days`, or no window, such as `Weekday 10am-4pm America/New_York`. The run cannot act on it, and reports cannot compare it.";
    TIMEOUT_INVALID "OR0802" Error "A time that the run needs cannot be understood"
        "The run would have to act on this time (a timeout, a backoff, an observation), and it is no duration such as `30s`, `5m`, `2 hours` or `3 days`.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_sorted_unique_and_explained() {
        assert!(REGISTRY.windows(2).all(|w| w[0].code < w[1].code));
        for info in REGISTRY {
            assert!(!info.explanation.is_empty() && !info.title.ends_with('.'));
            assert_eq!(info.code.info(), info);
            assert_eq!(Code::find(&info.code.as_str().to_lowercase()), Some(info));
        }
    }
}
