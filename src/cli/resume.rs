//! `resume`, `rollback`.
use super::{
    arguments::{ResumeArgs, RollbackArgs},
    context::Context,
    failure::Failure,
};
pub(super) fn resume(_: &Context, _: &ResumeArgs) -> Result<u8, Failure> {
    Err(Failure::usage("soon"))
}
pub(super) fn rollback(_: &Context, _: &RollbackArgs) -> Result<u8, Failure> {
    Err(Failure::usage("soon"))
}
