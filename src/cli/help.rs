//! Completions and manual pages.
use super::{
    arguments::{CompletionsArgs, ManArgs},
    context::Context,
    failure::Failure,
};
pub(super) fn completions(_: &Context, _: &CompletionsArgs) -> Result<u8, Failure> {
    Err(Failure::usage("soon"))
}
pub(super) fn man(_: &Context, _: &ManArgs) -> Result<u8, Failure> {
    Err(Failure::usage("soon"))
}
