//! `approve`, `attest`, `resolve`.
use super::{
    arguments::{ApproveArgs, ResolveArgs},
    context::Context,
    failure::Failure,
};
pub(super) fn approve(_: &Context, _: &ApproveArgs) -> Result<u8, Failure> {
    Err(Failure::usage("soon"))
}
pub(super) fn attest(_: &Context, _: &ApproveArgs) -> Result<u8, Failure> {
    Err(Failure::usage("soon"))
}
pub(super) fn resolve(_: &Context, _: &ResolveArgs) -> Result<u8, Failure> {
    Err(Failure::usage("soon"))
}
