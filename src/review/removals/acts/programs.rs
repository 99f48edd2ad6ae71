//! The programs that are known, and who reads each.

use super::call::Call;
use super::{Deed, EMPTIED, GONE, MADE, NEEDED, Reader};
use crate::review::words::Joint;

/// Programs that make no files but those that redirections name.
const TAME: [&str; 46] = [
    "echo",
    "printf",
    "true",
    "false",
    ":",
    "sleep",
    "date",
    "set",
    "shopt",
    "trap",
    "umask",
    "wait",
    "du",
    "df",
    "grep",
    "egrep",
    "fgrep",
    "id",
    "whoami",
    "hostname",
    "pwd",
    "systemctl",
    "service",
    "redis-cli",
    "kubectl",
    "docker",
    "podman",
    "nginx",
    "jq",
    "chmod",
    "chown",
    "chgrp",
    "exit",
    "return",
    "pg_isready",
    "type",
    "hash",
    "kill",
    "pkill",
    "pgrep",
    "sync",
    "basename",
    "dirname",
    "seq",
    "logger",
    "readlink",
];

/// Programs that read every file that they are given.
const READERS: [&str; 14] = [
    "cat",
    "head",
    "tail",
    "zcat",
    "bzcat",
    "xzcat",
    "sha256sum",
    "md5sum",
    "sha1sum",
    "cmp",
    "diff",
    "wc",
    "stat",
    "ls",
];

impl Reader<'_> {
    /// One command; whether it is a test.
    #[expect(clippy::too_many_lines, reason = "a table of programs")]
    pub(super) fn call(&mut self, call: &Call<'_>) -> bool {
        let Some(program) = call.words[0].0.as_deref() else {
            self.anything(&call.range);
            return false;
        };
        let joined = call.command.after == Joint::Or || call.command.after == Joint::And;
        let needed = if call.command.after == Joint::Or {
            Deed::Check
        } else {
            NEEDED
        };
        match program
            .rsplit_once('/')
            .filter(|(folder, _)| matches!(*folder, "/bin" | "/usr/bin" | "/usr/local/bin"))
            .map_or(program, |(_, name)| name)
        {
            "test" | "[" | "[[" => {
                let words = call.texts();
                let simple = !joined
                    && (words.len() == 3 || words.len() == 4)
                    && words[1].starts_with('-')
                    && words[1] != "-z"
                    && words[1] != "-n"
                    && words[1] != "-L"
                    && words[1] != "-h";
                let deed = match simple && call.certain {
                    true => Deed::Need {
                        exists: !matches!(words[1], "-s"),
                    },
                    false => Deed::Check,
                };
                self.files(deed, &call.plain(1, &[]));
                return true;
            }
            "cd" | "pushd" | "popd" => {
                if !call.command.nested {
                    self.moved = true;
                }
            }
            "export" | "readonly" | "local" | "declare" | "typeset" => {
                for (word, _) in &call.words[1..] {
                    match word.as_deref() {
                        Some(word) => {
                            if let Some((name, value)) = word.split_once('=') {
                                let value = Some(value.to_owned()).filter(|_| call.certain);
                                self.set(name, value);
                            }
                        }
                        // A name with a value that nobody knows: which name, the word does not say any more.
                        None => self.unknown_names(call),
                    }
                }
            }
            "read" | "mapfile" | "readarray" | "unset" | "for" | "select" | "getopts" => {
                for (word, _) in &call.words[1..] {
                    if let Some(word) = word {
                        self.set(word, None);
                    }
                }
            }
            "shift" => self.positions = false,
            "set" if call.has(&["--"]) => self.positions = false,
            "rm" | "unlink" => self.files(GONE, &call.plain(1, &[])),
            "rmdir"
                if !call.has(&["--ignore-fail-on-non-empty"])
                    && call.command.after != Joint::Or =>
            {
                self.files(GONE, &call.plain(1, &[]));
            }
            "shred" if call.letter('u') || call.has(&["--remove"]) => {
                self.files(GONE, &call.plain(1, &["-n", "-s"]));
            }
            "truncate"
                if matches!(call.value(&["-s", "--size"]), Some(("0", _)))
                    || call.has(&["-s0"]) =>
            {
                self.files(EMPTIED, &call.plain(1, &["-s", "-r", "--size"]));
            }
            "find" => self.find(call),
            "mv" | "cp" | "install" | "rsync" | "scp" => self.copy(program, call, needed),
            "ln" => self.link(call, needed),
            "mkdir" => self.files(Deed::Make { below: false }, &call.plain(1, &["-m"])),
            "touch" => self.files(
                Deed::Make { below: false },
                &call.plain(1, &["-d", "-r", "-t"]),
            ),
            "tee" => self.files(MADE, &call.plain(1, &[])),
            reader if READERS.contains(&reader) => {
                let deed = match reader {
                    "ls" | "stat" if needed == NEEDED => Deed::Need { exists: true },
                    _ => needed,
                };
                self.files(deed, &call.plain(1, &["-n", "-c", "-I", "--format"]));
            }
            zip @ ("gzip" | "gunzip" | "bzip2" | "bunzip2" | "xz" | "unxz" | "zstd" | "unzstd") => {
                self.zip(zip, call, needed)
            }
            "tar" => self.tar(call, needed),
            "unzip" => {
                self.anything_in_files(&call.range);
            }
            "dd" => {
                for (word, range) in &call.words[1..] {
                    let word = word.as_deref().unwrap_or_default();
                    if let Some(file) = word.strip_prefix("if=") {
                        self.file(needed, Some(file), range);
                    } else if let Some(file) = word.strip_prefix("of=") {
                        self.file(MADE, Some(file), range);
                    }
                }
            }
            "sed" | "awk" | "sort" | "curl" | "openssl" | "gpg" => self.touched(&call.words[1..]),
            "pg_restore" => {
                let flags = [
                    "-d", "-h", "-p", "-U", "-t", "-n", "-j", "-L", "-f", "-T", "-N", "-F",
                ];
                let made = call.value(&["-f", "--file"]);
                self.files(needed, &call.plain(1, &flags));
                match made {
                    Some((file, range)) => self.file(MADE, Some(file), &range),
                    None => self.add(MADE, "q".to_owned(), &call.range),
                }
            }
            "pg_dump" | "pg_dumpall" | "mysqldump" => {
                if let Some((file, range)) = call.value(&["-f", "--file", "-r"]) {
                    self.file(MADE, Some(file), &range);
                }
            }
            "psql" | "mysql" | "mariadb" => self.client(call, needed),
            "createdb" => self.database(MADE, call),
            "dropdb" => self.database(GONE, call),
            "." | "source" => self.source(call),
            "bash" | "sh" | "python3" | "python" => self.interpreter(program, call),
            "git" => self.git(call),
            "docker" | "podman" => self.docker(call),
            "aws" => self.aws(call, needed),
            "kubectl" | "oc" => self.kubectl(call),
            tame if TAME.contains(&tame) => {
                return matches!(
                    tame,
                    "grep" | "egrep" | "fgrep" | "pgrep" | "pg_isready" | "type" | "hash" | "false"
                );
            }
            "rmdir" | "shred" | "truncate" | "case" => {}
            script if script.contains('/') => {
                let args: Vec<Option<String>> = call.words[1..]
                    .iter()
                    .map(|(word, _)| word.clone())
                    .collect();
                self.script(script, args, call);
                // `./is-there && rm x` asks.
                return true;
            }
            _ => {
                self.touched(&call.words[1..]);
                self.anything(&call.range);
                return true;
            }
        }
        false
    }

    fn unknown_names(&mut self, call: &Call<'_>) {
        for word in &call.command.words[1..] {
            if let Some((name, _)) = word.assignment() {
                self.set(name, None);
            }
        }
    }
}
