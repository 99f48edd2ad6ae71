//! `status`.
use super::{arguments::StatusArgs, context::Context, failure::Failure};
pub(super) fn status(_: &Context, _: &StatusArgs) -> Result<u8, Failure> {
    Err(Failure::usage("soon"))
}
