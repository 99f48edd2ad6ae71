//! `manifest list-versions`.

use std::cell::RefCell;
use std::collections::BTreeMap;

use super::super::context::Context;
use super::super::failure::Failure;
use super::arguments::ListVersionsArgs;
use super::engine::{Known, target};
use super::eyes::Eyes;
use super::output::{Meter, result, tell};
use super::tree::{self, Command, Root};
use super::{VersionOrText, interrupt, interrupted};
use crate::manifest::files::scan;
use crate::manifest::{Failure as Refused, Version};
use crate::show::manifest::{OfVersion, Versions, Way};

const VERB: &str = "manifest list-versions";

/// Different versions that no migration knows, beyond which they share a row: a tree of garbage must not fill memory.
const UNKNOWN: usize = 50;

pub(super) fn verb(context: &Context, arguments: &ListVersionsArgs) -> Result<u8, Failure> {
    let root = Root::of(&arguments.tree.root)?;
    let known = Known::load(context, &arguments.tree.migrations)?;
    let wanted = target(&known, &arguments.target_version)?;
    let pattern = known.pattern(arguments.tree.pattern.as_deref());
    let place = tree::place(context, &root, &pattern, None)?;
    let stop = interrupt::flag()?;
    let eyes = Eyes::new(context, &root, Meter::new(context, "list", None), false);
    let counts: RefCell<BTreeMap<VersionOrText, u64>> = RefCell::default();
    let count = |version| *counts.borrow_mut().entry(version).or_default() += 1;
    let scanned = scan(
        &place,
        |_, text| known.engine.inspect(text),
        |path, _, inspected| match inspected {
            Ok(version) => count(VersionOrText::Version(version)),
            Err(Refused::UnknownVersion { version, .. }) => {
                let full = counts.borrow().len() >= UNKNOWN;
                let text = VersionOrText::Text(version);
                if full && !counts.borrow().contains_key(&text) {
                    count(VersionOrText::Text("other unknown ones".to_owned()));
                } else {
                    count(text);
                }
            }
            Err(refused) => {
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
    let versions = Versions {
        place: root.place(&pattern),
        versions: counts
            .into_inner()
            .into_iter()
            .map(|(version, count)| OfVersion {
                way: way(&known, &version, wanted),
                version: version.to_string(),
                count,
            })
            .collect(),
        target: wanted.to_string(),
        latest: known.latest().to_string(),
        failures: learnt.failures,
        preview: preview(context, arguments),
    };
    tell(context, &versions.ledger());
    result(context, VERB, 0, None, &versions.json());
    Ok(0)
}

fn way(known: &Known, version: &VersionOrText, wanted: Version) -> Way {
    let VersionOrText::Version(version) = version else {
        return Way::Unknown;
    };
    match known.engine.registry().path(*version, wanted) {
        _ if *version == wanted => Way::There,
        None => Way::Nowhere,
        Some(_) if *version < wanted => Way::Forward,
        Some(_) => Way::Back,
    }
}

fn preview(context: &Context, arguments: &ListVersionsArgs) -> String {
    Command::new("manifest migrate")
        .tree(&arguments.tree)
        .target(&arguments.target_version)
        .state_dir(context)
        .flag("--dry-run", true)
        .into_text()
}
