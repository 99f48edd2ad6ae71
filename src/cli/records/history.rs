//! `history`.
use crate::cli::arguments::HistoryArgs;
use crate::cli::context::Context;
use crate::cli::failure::Failure;
pub(in crate::cli) fn history(_: &Context, _: &HistoryArgs) -> Result<u8, Failure> {
    Err(Failure::usage("soon"))
}
