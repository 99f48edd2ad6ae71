//! `manifest verify`.

use std::cell::RefCell;
use std::collections::BTreeMap;

use super::super::context::Context;
use super::super::failure::Failure;
use super::arguments::VerifyArgs;
use super::engine::{Known, target};
use super::eyes::Eyes;
use super::output::{Meter, result, tell};
use super::tree::{self, Root};
use super::{interrupt, interrupted};
use crate::manifest::Version;
use crate::manifest::files::scan;
use crate::show::manifest::Verification;

const VERB: &str = "manifest verify";

pub(super) fn verb(context: &Context, arguments: &VerifyArgs) -> Result<u8, Failure> {
    let root = Root::of(&arguments.tree.root)?;
    let known = Known::load(context, &arguments.tree.migrations)?;
    let required = arguments
        .require_version
        .as_deref()
        .map(|version| target(&known, version))
        .transpose()?;
    let pattern = known.pattern(arguments.tree.pattern.as_deref());
    let place = tree::place(context, &root, &pattern, None)?;
    let stop = interrupt::flag()?;
    let eyes = Eyes::new(context, &root, Meter::new(context, "verify", None), false);
    let verified: RefCell<BTreeMap<Version, u64>> = RefCell::default();
    let scanned = scan(
        &place,
        |_, text| known.engine.verify(text),
        |path, _, outcome| match (outcome, required) {
            (Ok(whole), Some(required)) if whole.version != required => eyes.failed(
                path,
                "other_version",
                format!("its version is {}, not {required}", whole.version),
                None,
            ),
            (Ok(whole), _) => *verified.borrow_mut().entry(whole.version).or_default() += 1,
            (Err(refused), _) => {
                eyes.failed(path, refused.class(), refused.to_string(), refused.place())
            }
        },
        &mut &eyes,
        &stop,
    )
    .map_err(Failure::io)?;
    let learnt = eyes.close();
    if scanned.stopped {
        return interrupted(context, VERB);
    }
    let verification = Verification {
        place: root.place(&pattern),
        verified: verified
            .into_inner()
            .into_iter()
            .map(|(version, n)| (version.to_string(), n))
            .collect(),
        failures: learnt.failures,
        required: required.map(|version| version.to_string()),
        backups: None,
    };
    if verification.is_empty() {
        // A check that looked at nothing proves nothing.
        return Err(Failure::usage(format!(
            "no file below {} has a path like {pattern}, so there is nothing to verify",
            tree::shown(&root.typed)
        ))
        .means("nothing was verified and nothing disproven")
        .next("look at ROOT and --pattern"));
    }
    let exit_code = verification.exit_code();
    tell(context, &verification.ledger());
    result(context, VERB, exit_code, None, &verification.json());
    Ok(exit_code)
}
