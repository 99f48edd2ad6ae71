//! orchestrate.yaml: people, channels, connections, policy.
//!
//! What the operator says, as opposed to the plan's author: who the people are, where notifications go, how databases
//! are reached, and the policy of the place (SPEC sections 2a and 10). The file is searched for from the plan's folder
//! upwards; a second one belongs to the user. Where both speak, the one nearer to the plan wins, entry by entry, and
//! [`Config::origin`] says which it was.
//!
//! Nothing here reads the environment: the path of the user's file, and the values that `url_env` names, are the
//! command line's to find. Secrets never stand in these files.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};

use super::quantity::HumanDuration;

/// The name of the file that is searched for.
pub const FILE_NAME: &str = "orchestrate.yaml";

/// No configuration is longer, in bytes. Reading takes time that grows with the square of some malicious texts.
const LONGEST: u64 = 256 * 1024;

/// One `orchestrate.yaml`, as written.
#[derive(Debug, Clone, PartialEq, Default, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ConfigFile {
    /// The people that plans name, by the name that plans use ("DBA Lead").
    #[serde(deserialize_with = "unique")]
    pub people: BTreeMap<String, Person>,
    /// Where notifications go, by the name that plans use ("#eng-alerts").
    #[serde(deserialize_with = "unique")]
    pub channels: BTreeMap<String, Channel>,
    /// How databases are reached, by name; `default` is used where a plan names none.
    #[serde(deserialize_with = "unique")]
    pub connections: BTreeMap<String, Connection>,
    /// The policy of the place.
    pub policy: Policy,
}

/// Who a name in a plan is (SPEC section 6).
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Person {
    /// The operating system's names of the users who act under this name. More than one for a team.
    pub users: Vec<String>,
    /// OpenSSH public keys, one line each. Where there are any, only a signature by one of them counts.
    pub ssh_keys: Vec<String>,
    /// Where mail for them goes.
    pub email: Option<String>,
}

/// Where a secret URL comes from. Never the URL itself: it holds a password (SPEC section 2a).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Connection {
    /// `url_env: NAME`: the environment variable of this name holds it.
    UrlEnv(String),
    /// `url_command: [program, argument, ...]`: this command prints it.
    UrlCommand(Vec<String>),
}

/// Where notifications go: exactly one of `webhook`, `email`, `command`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Channel {
    /// An HTTP POST with a JSON body.
    Webhook(Connection),
    /// A mail.
    Email(Email),
    /// A command that gets the message on its standard input: program and arguments.
    Command(Vec<String>),
}

/// A channel that sends mail.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Email {
    /// The addresses it goes to.
    pub to: Vec<String>,
    /// The address it comes from.
    #[serde(default)]
    pub from: Option<String>,
    /// The mail server: an SMTP URL, from the environment or a command.
    #[serde(default)]
    pub server: Option<Connection>,
}

/// The policy of the place. Each may be left out; the command line and the environment go before it, the built-in
/// default after it (SPEC section 10).
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Policy {
    /// A person who started or wrote the run does not approve it, and a name that `people:` does not map to a user is
    /// refused (SPEC section 6).
    pub separation_of_duties: Option<bool>,
    /// Where runs are kept. A relative path counts from the folder of the file it stands in.
    pub state_dir: Option<PathBuf>,
    /// How many steps of equal order run at once; at least 1.
    pub jobs: Option<std::num::NonZeroU16>,
    /// Whether processes get only the few variables of SPEC section 3, and those that `pass_env` names.
    pub isolate_env: Option<bool>,
    /// Globs of further variables that processes get although `isolate_env` is set.
    pub pass_env: Option<Vec<String>>,
    /// Whether a production run needs a valid rehearsal certificate (SPEC section 9).
    pub require_rehearsal: Option<bool>,
    /// Automated criteria older than this are measured again when the last approval arrives (SPEC section 4).
    pub evidence_max_age: Option<HumanDuration>,
}

/// The configuration in force: what the files say together.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Config {
    /// What is in force. A relative `state_dir` has been resolved.
    pub values: ConfigFile,
    origins: BTreeMap<String, PathBuf>,
}

/// Why a configuration could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file is there and cannot be read.
    #[error("read {path}: {source}; mend or remove the file, since nothing runs on half a policy", path = path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The file is too long.
    #[error("read {path}: it is longer than 256 KiB, which no configuration is", path = path.display())]
    Long {
        /// The file.
        path: PathBuf,
    },
    /// The file does not say what a configuration can say.
    #[error("understand {place}: {message}")]
    Content {
        /// The file.
        path: PathBuf,
        /// Line and column, from 1, where they are known.
        at: Option<(usize, usize)>,
        /// `path:line:column`.
        place: String,
        /// What is wrong.
        message: String,
    },
}

impl ConfigFile {
    /// Reads the text of a configuration. An empty text is an empty configuration.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Content`]: bad YAML, an unknown key, a key given twice, a value of the wrong kind. `path` is only
    /// named in it.
    pub fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let parsed: Result<Option<Self>, _> = serde_yaml::from_str(text);
        match parsed {
            Ok(file) => Ok(file.unwrap_or_default()),
            Err(error) => {
                let at = error
                    .location()
                    .map(|location| (location.line(), location.column()));
                let place = at.map_or_else(
                    || path.display().to_string(),
                    |(line, column)| format!("{}:{line}:{column}", path.display()),
                );
                Err(ConfigError::Content {
                    path: path.to_owned(),
                    at,
                    place,
                    message: error.to_string(),
                })
            }
        }
    }

    fn read(path: &Path) -> Result<Option<Self>, ConfigError> {
        let failed = |source| ConfigError::Read {
            path: path.to_owned(),
            source,
        };
        match std::fs::metadata(path) {
            Ok(metadata) if metadata.len() > LONGEST => {
                return Err(ConfigError::Long {
                    path: path.to_owned(),
                });
            }
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(error)),
        }
        let text = std::fs::read_to_string(path).map_err(failed)?;
        Self::parse(&text, path).map(Some)
    }
}

impl Config {
    /// Reads the configuration for a plan in `plan_folder` (an absolute path), and the user's file if a path is given.
    /// A file that does not exist says nothing.
    ///
    /// # Errors
    ///
    /// Any file that is there and cannot be read or understood.
    pub fn load(plan_folder: &Path, user_file: Option<&Path>) -> Result<Self, ConfigError> {
        let mut config = Self::default();
        if let Some(path) = user_file
            && let Some(file) = ConfigFile::read(path)?
        {
            config.overlay(file, path);
        }
        for folder in plan_folder.ancestors() {
            let path = folder.join(FILE_NAME);
            // The user's file may itself lie above the plan; it must not count as the project's.
            if Some(path.as_path()) == user_file {
                continue;
            }
            if let Some(file) = ConfigFile::read(&path)? {
                config.overlay(file, &path);
                break;
            }
        }
        Ok(config)
    }

    /// Lays a file over what is in force; what it does not mention stays.
    pub fn overlay(&mut self, file: ConfigFile, path: &Path) {
        let Self { values, origins } = self;
        let mut came = |key: String| {
            origins.insert(key, path.to_owned());
        };
        for (name, person) in file.people {
            came(format!("people.{name}"));
            values.people.insert(name, person);
        }
        for (name, channel) in file.channels {
            came(format!("channels.{name}"));
            values.channels.insert(name, channel);
        }
        for (name, connection) in file.connections {
            came(format!("connections.{name}"));
            values.connections.insert(name, connection);
        }
        let mut policy = file.policy;
        policy.state_dir = policy
            .state_dir
            .map(|dir| path.parent().unwrap_or(Path::new("")).join(dir));
        let mut set = |key: &str, given: bool| {
            if given {
                came(format!("policy.{key}"));
            }
        };
        let into = &mut values.policy;
        set(
            "separation_of_duties",
            take(&mut into.separation_of_duties, policy.separation_of_duties),
        );
        set("state_dir", take(&mut into.state_dir, policy.state_dir));
        set("jobs", take(&mut into.jobs, policy.jobs));
        set(
            "isolate_env",
            take(&mut into.isolate_env, policy.isolate_env),
        );
        set("pass_env", take(&mut into.pass_env, policy.pass_env));
        set(
            "require_rehearsal",
            take(&mut into.require_rehearsal, policy.require_rehearsal),
        );
        set(
            "evidence_max_age",
            take(&mut into.evidence_max_age, policy.evidence_max_age),
        );
    }

    /// The file that an entry came from (`policy.jobs`, `channels.#eng-alerts`); none if no file gives it.
    #[must_use]
    pub fn origin(&self, key: &str) -> Option<&Path> {
        self.origins.get(key).map(PathBuf::as_path)
    }

    /// Every entry that a file gives and the file it came from, sorted by entry.
    pub fn origins(&self) -> impl Iterator<Item = (&str, &Path)> {
        self.origins
            .iter()
            .map(|(key, path)| (key.as_str(), path.as_path()))
    }

    /// The names in `people:` under which an operating system user may act, sorted.
    pub fn names_of<'c>(&'c self, user: &'c str) -> impl Iterator<Item = &'c str> {
        self.values
            .people
            .iter()
            .filter(move |(_, person)| person.users.iter().any(|known| known == user))
            .map(|(name, _)| name.as_str())
    }
}

/// Puts a value that was given in the place of an older one; whether one was given.
fn take<T>(into: &mut Option<T>, given: Option<T>) -> bool {
    let is_given = given.is_some();
    if is_given {
        *into = given;
    }
    is_given
}

/// A mapping whose keys are all different: YAML's reader would keep the last of two channels of one name and say
/// nothing.
fn unique<'de, D, T>(deserializer: D) -> Result<BTreeMap<String, T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    struct Unique<T>(PhantomData<T>);

    impl<'de, T: Deserialize<'de>> Visitor<'de> for Unique<T> {
        type Value = BTreeMap<String, T>;

        fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
            out.write_str("a mapping from names")
        }

        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(BTreeMap::new())
        }

        fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
            let mut map = BTreeMap::new();
            while let Some(name) = entries.next_key::<String>()? {
                let value = entries.next_value()?;
                if map.contains_key(&name) {
                    return Err(A::Error::custom(format!("{name:?} is given twice")));
                }
                map.insert(name, value);
            }
            Ok(map)
        }
    }

    deserializer.deserialize_any(Unique(PhantomData))
}

impl<'de> Deserialize<'de> for Connection {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Written {
            url_env: Option<String>,
            url_command: Option<Vec<String>>,
        }
        let written = Written::deserialize(deserializer)?;
        match (written.url_env, written.url_command) {
            (Some(name), None) if !name.is_empty() => Ok(Self::UrlEnv(name)),
            (None, Some(command)) if !command.is_empty() => Ok(Self::UrlCommand(command)),
            _ => Err(D::Error::custom(
                "give exactly one of url_env (a variable's name) and url_command (a program and its arguments)",
            )),
        }
    }
}

impl<'de> Deserialize<'de> for Channel {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(serde::Deserialize)]
        #[serde(untagged)]
        enum Command {
            Line(String),
            Words(Vec<String>),
        }
        #[derive(serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Written {
            webhook: Option<Connection>,
            email: Option<Email>,
            command: Option<Command>,
        }
        let written = Written::deserialize(deserializer)?;
        match (written.webhook, written.email, written.command) {
            (Some(webhook), None, None) => Ok(Self::Webhook(webhook)),
            (None, Some(email), None) if !email.to.is_empty() => Ok(Self::Email(email)),
            (None, None, Some(Command::Words(words))) if !words.is_empty() => {
                Ok(Self::Command(words))
            }
            // A line is for a shell, as it is everywhere in a plan (SPEC section 3).
            (None, None, Some(Command::Line(line))) if !line.trim().is_empty() => {
                Ok(Self::Command(
                    ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c"]
                        .into_iter()
                        .map(str::to_owned)
                        .chain([line])
                        .collect(),
                ))
            }
            _ => Err(D::Error::custom(
                "give exactly one of webhook, email (with an address under to) and command",
            )),
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<ConfigFile, ConfigError> {
        ConfigFile::parse(text, Path::new("orchestrate.yaml"))
    }

    const FULL: &str = "
people:
  DBA Lead: {users: [ana], ssh_keys: ['ssh-ed25519 AAAA ana']}
  DevOps Team: {users: [bo, ana], email: ops@example.org}
channels:
  '#eng-alerts': {webhook: {url_env: HOOK}}
  mail: {email: {to: [ops@example.org], server: {url_env: SMTP}}}
  pager: {command: [page, --now]}
  shell: {command: 'cat >> log'}
connections:
  default: {url_env: DATABASE_URL}
  replica: {url_command: [pass, show, db]}
policy:
  separation_of_duties: true
  state_dir: state
  jobs: 4
  isolate_env: true
  pass_env: ['AWS_*']
  require_rehearsal: true
  evidence_max_age: 10 minutes
";

    #[test]
    fn reads_everything() {
        let file = parse(FULL).unwrap();
        assert_eq!(file.people["DBA Lead"].users, ["ana"]);
        assert_eq!(
            file.channels["#eng-alerts"],
            Channel::Webhook(Connection::UrlEnv("HOOK".into()))
        );
        assert!(matches!(&file.channels["shell"], Channel::Command(words) if words[0] == "bash"));
        assert_eq!(file.policy.jobs.unwrap().get(), 4);
        assert_eq!(file.policy.evidence_max_age.unwrap().max_ms(), 600_000);
        for empty in ["", "# nothing\n", "---\n", "people:\n", "null"] {
            assert_eq!(parse(empty).unwrap(), ConfigFile::default(), "{empty:?}");
        }
    }

    #[test]
    fn errors_name_file_and_line() {
        for (text, line, said) in [
            ("people:\n  A: {users: [a], key: x}\n", 2, "key"),
            ("policies: {}\n", 1, "policies"),
            ("policy:\n  jobs: 0\n", 2, "zero"),
            ("policy:\n  evidence_max_age: soon\n", 2, "soon"),
            ("channels:\n  a: {webhook: {url: 'https://x'}}\n", 2, "url"),
            ("channels:\n  a: {}\n", 2, "exactly one"),
            ("channels:\n  a: {command: []}\n", 2, "exactly one"),
            (
                "channels:\n  a: {command: x}\n  a: {command: y}\n",
                2,
                "twice",
            ),
            (
                "connections:\n  default: {url_env: A, url_command: [b]}\n",
                2,
                "exactly one",
            ),
            ("connections: [a]\n", 1, "mapping"),
            ("people: [\n", 2, ""),
        ] {
            let error = parse(text).expect_err(text);
            let ConfigError::Content { at, .. } = &error else {
                panic!("{error}");
            };
            assert!(
                at.is_some_and(|(at, _)| at.abs_diff(line) <= 1),
                "{text}: {error}"
            );
            assert!(error.to_string().contains("orchestrate.yaml:"), "{error}");
            assert!(error.to_string().contains(said), "{text}: {error}");
        }
    }

    #[test]
    fn the_file_nearer_to_the_plan_wins() {
        let root = tempfile::tempdir().unwrap();
        let plan = root.path().join("project/plans/one");
        std::fs::create_dir_all(&plan).unwrap();
        let user = root.path().join("user.yaml");
        std::fs::write(&user, "policy: {jobs: 2, isolate_env: true}\nconnections: {a: {url_env: U}, b: {url_env: U}}\n")
            .unwrap();
        let project = root.path().join("project").join(FILE_NAME);
        std::fs::write(
            &project,
            "policy: {jobs: 8, state_dir: state}\nconnections: {a: {url_env: P}}\n",
        )
        .unwrap();
        // Further up than the nearest: not read, so that it may even be broken.
        std::fs::write(root.path().join(FILE_NAME), "[").unwrap();

        let config = Config::load(&plan, Some(&user)).unwrap();
        assert_eq!(config.values.policy.jobs.unwrap().get(), 8);
        assert_eq!(config.origin("policy.jobs"), Some(project.as_path()));
        assert_eq!(config.origin("policy.isolate_env"), Some(user.as_path()));
        assert_eq!(config.origin("policy.pass_env"), None);
        assert_eq!(
            config.values.policy.state_dir,
            Some(root.path().join("project/state"))
        );
        assert_eq!(
            config.values.connections["a"],
            Connection::UrlEnv("P".into())
        );
        assert_eq!(
            config.values.connections["b"],
            Connection::UrlEnv("U".into())
        );
        assert_eq!(config.origins().count(), 5);

        std::fs::write(&project, "jobs: 3\n").unwrap();
        let error = Config::load(&plan, None).unwrap_err().to_string();
        assert!(error.contains("orchestrate.yaml:1:1"), "{error}");
    }

    #[test]
    fn a_file_that_cannot_be_read_is_an_error() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join(FILE_NAME)).unwrap();
        assert!(matches!(
            Config::load(root.path(), None),
            Err(ConfigError::Read { .. })
        ));
        std::fs::remove_dir(root.path().join(FILE_NAME)).unwrap();
        std::fs::write(root.path().join(FILE_NAME), vec![b'#'; 300_000]).unwrap();
        assert!(matches!(
            Config::load(root.path(), None),
            Err(ConfigError::Long { .. })
        ));
    }

    #[test]
    fn users_act_under_names() {
        let mut config = Config::default();
        config.overlay(parse(FULL).unwrap(), Path::new("/etc/orchestrate.yaml"));
        assert_eq!(
            config.names_of("ana").collect::<Vec<_>>(),
            ["DBA Lead", "DevOps Team"]
        );
        assert_eq!(config.names_of("zoe").count(), 0);
    }
}
