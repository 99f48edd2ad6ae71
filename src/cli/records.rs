//! The record of runs: `history`, `logs`, `audit`.
use super::{
    arguments::{AuditArgs, HistoryArgs, LogsArgs},
    context::Context,
    failure::Failure,
};
pub(super) fn history(_: &Context, _: &HistoryArgs) -> Result<u8, Failure> {
    Err(Failure::usage("soon"))
}
pub(super) fn logs(_: &Context, _: &LogsArgs) -> Result<u8, Failure> {
    Err(Failure::usage("soon"))
}
pub(super) fn audit(_: &Context, _: &AuditArgs) -> Result<u8, Failure> {
    Err(Failure::usage("soon"))
}
