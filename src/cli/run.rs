//! `run`.
use super::{arguments::RunArgs, context::Context, failure::Failure};
pub(super) fn verb(_: &Context, _: &RunArgs) -> Result<u8, Failure> {
    Err(Failure::usage("soon"))
}
