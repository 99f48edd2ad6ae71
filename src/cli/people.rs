//! Whether somebody may act under a name (SPEC section 6): `people:` in `orchestrate.yaml` maps names to users.

use std::collections::BTreeMap;

use super::failure::Failure;
use crate::base::config::{Config, Person};

/// Who the names in plans are, and who is asking.
#[derive(Debug, Clone)]
pub(super) struct People {
    known: BTreeMap<String, Person>,
    user: String,
    strict: bool,
}

impl People {
    /// `strict`: duties are separated, so a name that is mapped to nobody is refused.
    pub(super) fn new(config: &Config, user: &str, strict: bool) -> Self {
        let strict = strict || config.values.policy.separation_of_duties == Some(true);
        Self {
            known: config.values.people.clone(),
            user: user.to_owned(),
            strict,
        }
    }

    /// Whether this user may answer under `name`.
    pub(super) fn may_answer(&self, name: &str) -> Result<(), Failure> {
        let person = self
            .known
            .iter()
            .find(|(known, _)| known.trim().to_lowercase() == name.trim().to_lowercase());
        let Some((known, person)) = person else {
            return if self.strict {
                Err(Failure::refused(format!(
                    "{name} is not among `people:` in orchestrate.yaml, and duties are separated"
                ))
                .next("add the name with its users to orchestrate.yaml"))
            } else {
                Ok(())
            };
        };
        if !person.ssh_keys.is_empty() {
            return Err(Failure::refused(format!(
                "only a signature by one of the SSH keys of {known} counts, and this version cannot verify signatures yet"
            ))
            .next("take the keys out of orchestrate.yaml, or let somebody else answer"));
        }
        if !person.users.is_empty() && !person.users.contains(&self.user) {
            return Err(Failure::refused(format!(
                "{} may not act as {known}: orchestrate.yaml names {}",
                self.user,
                person.users.join(", ")
            )));
        }
        Ok(())
    }
}
