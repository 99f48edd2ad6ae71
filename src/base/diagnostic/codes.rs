//! The registry of codes: stable names of everything that can be found in a plan.
//!
//! OR00 reading a file, OR01 its shape, OR02 ids, references and order, OR03 what runs, OR04 gates
//! and approvals, OR05 the way back, OR06 files around the plan, OR07 what this version cannot
//! execute, OR08 times, OR09 completeness and risks, OR10 metrics, monitoring and notifications, OR11 states from which
//! there is no way out, OR12 what linters say of scripts, OR13 comments that allow findings,
//! OR14 manifests and their migrations.
//!
//! Each code has a page of Markdown under `pages/`.

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
    /// The page that `orchestrate explain` shows, in Markdown: what it is, why it hurts in a window, how to mend it,
    /// an example.
    pub page: &'static str,
}

macro_rules! codes {
    ($($name:ident $code:ident $level:ident $title:literal;)*) => {
        $(
            #[doc = $title]
            pub const $name: Code = Code(stringify!($code));
        )*
        /// Every code, in order.
        pub const REGISTRY: &[CodeInfo] = &[$(
            CodeInfo {
                code: $name,
                level: Level::$level,
                title: $title,
                page: include_str!(concat!("pages/", stringify!($code), ".md")),
            },
        )*];
    };
}

codes! {
    FILE_MISSING OR0001 Error "The file cannot be read";
    NOT_A_FILE OR0002 Error "The path is not a file";
    TOO_LARGE OR0003 Error "The file is too large";
    NOT_UTF8 OR0004 Error "The file is not UTF-8";
    EMPTY OR0005 Error "The plan is empty";
    SYNTAX OR0006 Error "The YAML cannot be parsed";
    SEVERAL_DOCUMENTS OR0007 Error "There are several YAML documents";
    TOO_DEEP OR0008 Error "The YAML is nested too deep";
    ALIASES_EXPAND OR0009 Error "Aliases expand too far";
    RECURSIVE_ALIAS OR0010 Error "An alias contains itself";
    DUPLICATE_KEY OR0011 Error "A key is given twice";
    KEY_NOT_TEXT OR0012 Error "A key is not text";
    UNKNOWN_TAG OR0013 Error "A YAML tag is not supported";
    BAD_MERGE OR0014 Error "A merge key has nothing to merge";
    NOT_A_MAPPING OR0101 Error "The plan is not a mapping";
    UNKNOWN_KEY OR0102 Error "A key is unknown";
    MISSING_KEY OR0103 Error "A required key is missing";
    WRONG_TYPE OR0104 Error "A value has the wrong type";
    UNKNOWN_VALUE OR0105 Error "A value is not one of the choices";
    PROBE_COUNT OR0106 Error "A check needs exactly one probe";
    TOO_FEW OR0107 Error "A list is empty";
    OUT_OF_RANGE OR0108 Error "A number is out of range";
    SHAPE OR0109 Error "The shape is wrong";
    DUPLICATE_ID OR0201 Error "An id is used twice";
    BAD_ID OR0202 Error "An id cannot be used";
    DUPLICATE_ORDER OR0203 Error "Two phases have the same order";
    UNKNOWN_REFERENCE OR0204 Error "A reference names nothing";
    DEPENDENCY_CYCLE OR0205 Error "Steps wait for each other";
    FORWARD_DEPENDENCY OR0206 Error "A step waits for a later phase";
    NO_STEPS OR0207 Warning "A phase has no steps";
    UNKNOWN_MENTION OR0208 Warning "A mention names nothing";
    BAD_EXPRESSION OR0209 Error "An expression cannot be understood";
    UNCLEAR_CHECK OR0210 Warning "A check is not what it seems";
    NEVER_TRUE OR0211 Error "A check can never be true when it is asked";
    TRUE_BY_CHANCE OR0212 Warning "A check asks about a step that nothing waits for";
    NEVER_DEFINED OR0213 Error "An expression asks for what is never there";
    PASSES_ALWAYS OR0214 Warning "A check passes whatever happens";
    IDS_ALIKE OR0215 Warning "Two ids can hardly be told apart";
    SCRIPT_MISSING OR0301 Error "A script that would run is missing";
    SCRIPT_CANNOT_RUN OR0302 Error "A script cannot be run";
    SQL_WITHOUT_CONNECTION OR0303 Warning "SQL has no connection";
    SQL_AS_COMMAND OR0304 Error "A command looks like SQL";
    PROSE_AS_COMMAND OR0305 Error "A command looks like prose";
    SCRIPT_AND_COMMANDS OR0306 Note "Both a script and commands are given";
    NOTHING_TO_DO OR0307 Warning "A step has no action";
    RETRY_UNSAFE OR0308 Error "A retry could do harm";
    FOLDER_MISSING OR0309 Error "The scripts folder is missing";
    BLOCKED_PREREQUISITE OR0310 Warning "A prerequisite is blocked";
    SAME_SCRIPT OR0311 Warning "One script does different things";
    OUTCOME_OPEN OR0312 Note "After a crash only a person can say what happened";
    DONE_IF_MANUAL OR0313 Warning "A `done_if` asks a person";
    COMMAND_TEMPLATE OR0314 Warning "A command expects a template";
    COMMAND_FILE_MISSING OR0315 Warning "A command runs a file that is not there";
    NEEDS_TERMINAL OR0316 Warning "A command needs a terminal";
    NOTHING_TO_READ OR0317 Warning "A client is given nothing to do";
    LEFT_RUNNING OR0318 Warning "A process is left running";
    ARGUMENT_LITERAL OR0319 Warning "An argument waits for a shell that is not there";
    APPROVERS_MISSING OR0401 Error "Approval is required but nobody can give it";
    APPROVAL_NOT_SAID OR0402 Warning "Approvers are given but approval is not required";
    APPROVALS_IMPOSSIBLE OR0403 Error "More approvals are needed than there are approvers";
    GATE_LOCATION OR0404 Error "A gate stands nowhere";
    NO_GATE OR0405 Warning "A phase has no gate";
    GATE_ROLLBACK_IMPOSSIBLE OR0406 Warning "A gate rolls back over a step without a way back";
    GATE_ON_NOTHING OR0407 Warning "A gate opens on nothing";
    APPROVER_TWICE OR0408 Warning "An approver is listed twice";
    OWN_APPROVAL OR0409 Warning "Somebody approves his own work";
    DECIDER_MISSING OR0410 Warning "Nobody is named who decides on a rollback";
    NAME_UNMAPPED OR0411 Warning "A name is mapped to nobody";
    NOT_AUTOMATED OR0412 Warning "A gate is not as automated as it says";
    NO_WAY_BACK OR0501 Warning "A step has no way back";
    CLAIM_WITHOUT_MEANS OR0502 Error "A rollback is claimed but nothing is there";
    PROSE_ROLLBACK OR0503 Warning "A rollback is prose only";
    NEVER_REHEARSED OR0504 Warning "No rollback was ever tested";
    REHEARSAL_FAILED OR0505 Warning "The test of a rollback did not pass";
    MEANS_NEVER_USED OR0506 Warning "A rollback is there and never runs";
    EFFECT_DENIED OR0507 Warning "A step without effect has something to undo";
    UNDO_TWICE OR0508 Note "Commands beside a rollback script do not run";
    LEVEL_TWICE OR0509 Warning "A rollback level is described twice";
    REPLACES_NOTHING OR0510 Warning "A rollback level replaces the undo by nothing";
    LEVEL_COMMAND OR0511 Warning "A command of a rollback level never runs";
    UNDO_REPEATS OR0513 Warning "A way back does the same as the way there";
    DATASET_MISSING OR0601 Error "A test dataset is missing";
    DATASETS_DIR OR0602 Error "There is no folder for test datasets";
    LINKED_FILE_MISSING OR0603 Warning "A linked file is missing";
    INCLUDE_CONFLICT OR0604 Error "An include contradicts the plan";
    INCLUDE_CYCLE OR0605 Error "A file includes itself";
    ENHANCEMENT_DISAGREES OR0606 Warning "The plan and its enhancement disagree";
    DATASET_MALFORMED OR0607 Error "A test dataset cannot be used";
    PATH_OUTSIDE OR0608 Warning "A path leaves the plan's folder";
    EVIDENCE_MISSING OR0609 Warning "A dataset that is named as evidence is missing";
    NOT_EXECUTED OR0701 Error "This version cannot execute this yet";
    ENVIRONMENT_INVALID OR0702 Error "A name cannot be an environment variable";
    CONNECTION_INVALID OR0703 Error "A connection needs exactly one source";
    CANNOT_ACT OR0704 Error "The run cannot act on this";
    PROBE_SENSELESS OR0705 Error "A probe could never give an honest answer";
    SETTING_UNREAD OR0706 Error "Nothing reads a setting of a probe";
    SECRET_IN_PLAN OR0707 Warning "A secret stands in the plan";
    VARIABLE_UNUSED OR0708 Note "Nothing mentions a variable";
    VARIABLE_UNDECLARED OR0709 Warning "An environment gives a variable that is not declared";
    CONNECTION_UNKNOWN OR0710 Warning "A connection is not defined";
    VARIABLE_RESERVED OR0711 Warning "A variable has a name that processes understand";
    TIME_UNCLEAR OR0801 Warning "A time cannot be understood";
    TIMEOUT_INVALID OR0802 Error "A time that the run needs cannot be understood";
    STEPS_EXCEED_PHASE OR0803 Warning "Steps take longer than their phase";
    PHASES_EXCEED_TOTAL OR0804 Warning "Phases take longer than the whole";
    CRITICAL_PATH OR0805 Warning "The critical path is not the longest";
    PHASE_OUTGROWS_WINDOW OR0806 Warning "A phase is longer than the window";
    RUN_OUTGROWS_WINDOW OR0807 Note "The run needs several windows";
    STEP_OUTGROWS_WINDOW OR0808 Warning "A step is longer than the window";
    BACK_OUTSIDE_WINDOW OR0809 Warning "The way back does not fit into the window";
    DOWNTIME_TOO_LONG OR0810 Warning "Downtime is longer than accepted";
    DOWNTIME_CONTRADICTED OR0811 Warning "Downtime is needed and forbidden";
    TIMEOUT_TOO_SHORT OR0812 Warning "A timeout is shorter than the estimate";
    OBSERVE_RARELY OR0813 Warning "Something is looked at too rarely";
    MILESTONE_ORDER OR0814 Warning "Milestones contradict each other";
    MILESTONE_PAST OR0815 Warning "A milestone is in the past";
    MILESTONE_OUTSIDE_WINDOW OR0816 Note "A milestone is outside the window";
    CLOCK_CHANGE OR0817 Warning "The clocks change in the next window";
    INCOMPLETE OR0901 Warning "The plan leaves something out";
    RISK_OPEN OR0902 Warning "Nothing is done against a risk";
    RISK_UNTRIED OR0903 Warning "The answer to a high risk was never tried";
    DEADLINE_PASSED OR0904 Warning "A deadline has passed";
    VERIFIED_UNSHOWN OR0905 Warning "A prerequisite is called verified without evidence";
    ENTRY_UNUSED OR0906 Warning "Nothing applies a catalogue entry";
    CHANGED_TWICE OR0907 Warning "A setting is changed twice";
    DEPLOYMENT_UNKNOWN OR0908 Warning "An order names what is not deployed";
    OUT_OF_SEQUENCE OR0909 Warning "Services may be deployed out of sequence";
    LABEL_TWICE OR0910 Warning "Two entries share an id";
    BLANK_TEXT OR0911 Warning "A text is blank";
    THRESHOLD_INSIDE OR1001 Warning "A threshold strikes in normal times";
    THRESHOLD_ORDER OR1002 Warning "Thresholds are in the wrong order";
    THRESHOLD_UNCLEAR OR1003 Warning "A range or threshold cannot be understood";
    METRIC_TWICE OR1004 Warning "Two metrics have one name";
    METRIC_NOT_MEASURED OR1005 Warning "No machine can measure a metric";
    METRIC_UNDEFINED OR1006 Warning "A metric to watch is not defined";
    METRIC_UNUSED OR1007 Note "Nothing asks about a metric";
    CHANNEL_WITHOUT_ENDPOINT OR1008 Warning "A channel leads nowhere";
    NOTIFICATION_UNSENT OR1009 Warning "A notification is never sent";
    TIMING_UNCLEAR OR1010 Warning "A moment cannot be understood";
    FREQUENCY_UNCLEAR OR1011 Warning "A frequency cannot be understood";
    NOTHING_ASKED OR1012 Warning "A continuous check looks at nothing";
    HOLDS_IN_TROUBLE OR1013 Warning "A check holds only in trouble";
    DEAD_END OR1101 Warning "A failure leaves no way on and no way back";
    DEAD_END_AT_GATE OR1102 Warning "A gate that says no leaves no way on and no way back";
    NEVER_COMPLETES OR1103 Error "The run can never complete";
    ROLLBACK_STOPS OR1104 Warning "An automatic rollback stops half-way";
    REMOVED_BY_UNDO OR1105 Warning "An undo needs what an earlier undo removed";
    REMOVED_BEFORE_UNDO OR1106 Warning "A step removes what the way back needs";
    REMOVALS_UNREAD OR1107 Note "Not all that is removed was looked at";
    SHELL_SYNTAX OR1201 Error "A shell cannot parse a text";
    PYTHON_SYNTAX OR1202 Error "Python cannot parse a text";
    SHELL_OBJECTION OR1203 Warning "A shell linter objects";
    SHELL_REMARK OR1204 Note "A shell linter has a remark";
    SQL_SYNTAX OR1205 Warning "SQL cannot be parsed";
    SQL_LOSES_DATA OR1206 Warning "SQL drops or empties what holds data";
    SQL_EVERY_ROW OR1207 Warning "SQL changes every row of a table";
    SQL_BLOCKS OR1208 Warning "SQL makes others wait where no downtime is allowed";
    SQL_NOT_NULL OR1209 Warning "A new column has no value in old rows";
    SQL_NO_TRANSACTION OR1210 Error "SQL cannot run in a transaction";
    SQL_OPEN_TRANSACTION OR1211 Error "A transaction is never committed";
    SQL_NOT_REPEATABLE OR1212 Warning "SQL of an idempotent step fails the second time";
    SQL_INCLUDE_MISSING OR1213 Warning "A file that SQL reads is missing";
    ALLOW_MALFORMED OR1301 Warning "A comment seems to allow a finding and does not";
    ALLOW_WITHOUT_REASON OR1302 Warning "A finding is allowed without a reason";
    ALLOW_UNKNOWN_CODE OR1303 Warning "A code that is allowed does not exist";
    ALLOW_UNUSED OR1304 Warning "A finding is allowed that is not there";
    ALLOW_REFUSED OR1305 Warning "A finding is allowed that cannot be";
    MIGRATION_NOT_A_MAPPING OR1400 Error "A migration file is not a mapping";
    MIGRATION_VERSION OR1401 Error "A version cannot be read";
    MIGRATION_DOWNWARD OR1402 Error "A migration does not lead upwards";
    OPERATION_COUNT OR1403 Error "An item needs exactly one operation";
    BAD_POINTER OR1404 Error "A pointer names no field";
    NOT_ADDITIVE OR1405 Error "A migration does more than add and does not say so";
    IDENTITY_TOUCHED OR1406 Error "A migration touches the identity of a document";
    VERSION_TOUCHED OR1407 Error "A migration touches the version or the history";
    OPERATIONS_CONTRADICT OR1408 Error "Operations contradict each other";
    CONVERSION_UNCLEAR OR1409 Error "A conversion is not clear";
    NEEDLESSLY_BREAKING OR1410 Warning "A migration is called breaking and only adds";
    PATCH_CHANGES OR1411 Warning "A patch version changes fields";
    SAME_HOP OR1412 Error "Two migrations lead from one version to another";
    KIND_UNKNOWN OR1413 Error "A kind of document is unknown";
    KIND_UNUSABLE OR1414 Error "A kind of document cannot be used";
    SCHEMA_UNUSABLE OR1415 Error "The schema of a version cannot be used";
    MIGRATION_ISLAND OR1416 Warning "No migration leads to the beginning of another";
    NO_MIGRATIONS OR1417 Warning "A migrations folder is empty";
    MANIFEST_UNSAID OR1420 Error "A manifest step does not say what it migrates";
    MANIFEST_TYPE OR1421 Warning "A step's type and its action disagree about manifests";
    MANIFEST_TWO_ACTIONS OR1422 Error "A manifest step has a second action";
    MANIFEST_ROOT OR1423 Error "The root of a manifest step is not a folder";
    MANIFEST_ROOT_MISSING OR1424 Warning "The root of a manifest step is not there";
    MANIFEST_MIGRATIONS OR1425 Error "The migrations of a manifest step are not there";
    MANIFEST_TARGET OR1426 Error "No migration leads to the target version";
    MANIFEST_PATTERN OR1427 Error "A pattern can match no manifest";
    MANIFEST_NUMBER OR1428 Error "A number of a manifest step is zero";
    MANIFEST_NO_BACKUP OR1429 Warning "A manifest step keeps no backups and has no way back";
    MANIFEST_OUTSIDE OR1430 Note "A manifest step leaves the plan's folder";
    MANIFEST_TOGETHER OR1431 Warning "Two steps migrate the same manifests at the same time";
    MANIFEST_NOT_COUNTED OR1432 Error "A check asks for counts that are not there";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_sorted_unique_and_explained() {
        assert!(REGISTRY.windows(2).all(|w| w[0].code < w[1].code));
        for info in REGISTRY {
            assert!(!info.page.is_empty() && !info.title.ends_with('.'));
            assert_eq!(info.code.info(), info);
            assert_eq!(Code::find(&info.code.as_str().to_lowercase()), Some(info));
        }
    }
}
