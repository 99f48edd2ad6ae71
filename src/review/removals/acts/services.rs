//! Things that a service or a tool keeps: branches, images, volumes, objects of a cluster, files of a store.

use std::ops::Range;

use super::call::Call;
use super::{Deed, GONE, MADE, NEEDED, Reader};

impl Reader<'_> {
    pub(super) fn git(&mut self, call: &Call<'_>) {
        let words = call.texts();
        match words.get(1..).unwrap_or_default() {
            ["worktree", "remove", ..] => self.files(GONE, &call.plain(3, &[])),
            ["branch", "-D" | "-d" | "--delete", ..] | ["tag", "-d" | "--delete", ..] => {
                for (text, range) in call.plain(3, &[]) {
                    if let Some(text) = text {
                        self.add(GONE, format!("g/{text}"), &range);
                    }
                }
            }
            ["branch" | "tag", name] if !name.starts_with('-') => {
                self.add(MADE, format!("g/{name}"), &call.words[2].1);
            }
            ["switch" | "checkout" | "merge", name] if !name.starts_with('-') => {
                self.add(NEEDED, format!("g/{name}"), &call.words[2].1);
                self.anything_in_files(&call.range);
            }
            ["reset", "--hard", name] => {
                self.add(NEEDED, format!("g/{name}"), &call.words[3].1);
                self.anything_in_files(&call.range);
            }
            [
                "status" | "log" | "diff" | "show" | "rev-parse" | "push",
                ..,
            ] => {}
            _ => self.anything(&call.range),
        }
    }

    pub(super) fn docker(&mut self, call: &Call<'_>) {
        let words = call.texts();
        let (kind, deed, from) = match words.get(1..).unwrap_or_default() {
            ["rmi", ..] => ("i", GONE, 2),
            ["image", "rm", ..] => ("i", GONE, 3),
            ["volume", "rm", ..] => ("v", GONE, 3),
            ["volume", "create", ..] => ("v", MADE, 3),
            ["tag", ..] => {
                if let [(Some(image), range), (Some(new), _)] = call.plain(2, &[]).as_slice() {
                    self.add(NEEDED, format!("i/{image}"), range);
                    self.add(MADE, format!("i/{new}"), range);
                }
                return;
            }
            ["save", ..] => {
                if let Some((file, range)) = call.value(&["-o", "--output"]) {
                    self.file(MADE, Some(file), &range);
                }
                ("i", NEEDED, 2)
            }
            [
                "pull" | "build" | "load" | "import" | "commit" | "compose" | "buildx",
                ..,
            ] => {
                self.anything(&call.range);
                return;
            }
            ["run" | "create", ..] => {
                // What it mounts it may change.
                self.anything_in_files(&call.range);
                return;
            }
            ["exec", ..] => {
                self.anything(&call.range);
                return;
            }
            ["cp", ..] => {
                self.touched(&call.words[2..]);
                return;
            }
            _ => return,
        };
        for (text, range) in call.plain(from, &["-o", "--output", "-d", "--driver", "--label"]) {
            if let Some(text) = text {
                self.add(deed, format!("{kind}/{}", text.replace('/', ":")), &range);
            }
        }
    }

    pub(super) fn aws(&mut self, call: &Call<'_>, needed: Deed) {
        let words = call.plain(
            3,
            &[
                "--exclude",
                "--include",
                "--profile",
                "--region",
                "--endpoint-url",
            ],
        );
        let filtered = call.has(&["--exclude", "--include", "--dryrun"]);
        match (call.texts().get(1..3).unwrap_or_default(), words.as_slice()) {
            (["s3", "rm"], [(text, range)]) if !filtered => self.file(GONE, *text, range),
            (["s3", verb @ ("cp" | "mv" | "sync")], [(from, range), (to, place)]) => {
                if !filtered {
                    self.file(needed, *from, range);
                    if *verb == "mv" {
                        self.file(GONE, *from, range);
                    }
                }
                self.file(MADE, *to, place);
            }
            (["s3", "rm" | "ls" | "rb"], _) => {}
            _ => self.anything(&call.range),
        }
    }

    pub(super) fn kubectl(&mut self, call: &Call<'_>) {
        let flags = [
            "-n",
            "--namespace",
            "-c",
            "--context",
            "--timeout",
            "-p",
            "--patch",
            "--type",
            "-o",
            "-l",
            "--selector",
            "--replicas",
            "--to-revision",
        ];
        let namespace = call
            .value(&["-n", "--namespace"])
            .map_or("", |(name, _)| name)
            .to_owned();
        let words = call.plain(1, &flags);
        let named = |words: &[(Option<&str>, Range<usize>)]| -> Option<(String, Range<usize>)> {
            let (first, range) = words.first()?;
            let (kind, name, range) = match first.as_ref()?.split_once('/') {
                Some((kind, name)) => (kind, name, range),
                None => (first.as_ref().copied()?, words.get(1)?.0?, &words.get(1)?.1),
            };
            let kind = match kind.to_lowercase().split('.').next().unwrap_or_default() {
                "deploy" | "deployments" => "deployment".to_owned(),
                "svc" | "services" => "service".to_owned(),
                "cm" | "configmaps" => "configmap".to_owned(),
                "sts" | "statefulsets" => "statefulset".to_owned(),
                "secrets" => "secret".to_owned(),
                "pvc" | "persistentvolumeclaims" => "persistentvolumeclaim".to_owned(),
                "jobs" => "job".to_owned(),
                "cronjobs" | "cj" => "cronjob".to_owned(),
                "ing" | "ingresses" => "ingress".to_owned(),
                other => other.to_owned(),
            };
            Some((format!("k/{namespace} {kind}/{name}"), range.clone()))
        };
        match words.first().and_then(|(word, _)| *word) {
            Some("delete") if !call.has(&["-f", "-k", "-l", "--all", "--selector"]) => {
                if let Some((key, range)) = named(&words[1..]) {
                    self.add(GONE, key, &range);
                }
            }
            Some("scale" | "patch" | "label" | "annotate" | "get" | "autoscale") => {
                if let Some((key, range)) = named(&words[1..])
                    && !call.has(&["-f", "-k", "-l", "--selector", "--ignore-not-found"])
                {
                    self.add(NEEDED, key, &range);
                }
            }
            Some("rollout" | "set") => {
                if let Some((key, range)) = words.get(2..).and_then(named) {
                    self.add(NEEDED, key, &range);
                }
            }
            Some("apply" | "create" | "replace" | "run" | "expose") => {
                if let Some((file, range)) = call.value(&["-f", "--filename"]) {
                    self.file(NEEDED, Some(file), &range);
                }
                self.add(MADE, "k".to_owned(), &call.range);
            }
            Some("exec" | "cp") => self.anything(&call.range),
            _ => {}
        }
    }
}
