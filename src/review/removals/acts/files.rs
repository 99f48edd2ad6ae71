//! Programs that move, copy, link, pack and search files.

use super::call::Call;
use super::{Deed, GONE, MADE, Reader};

impl Reader<'_> {
    /// `find PATH... -delete` without a condition that lets some files be.
    pub(super) fn find(&mut self, call: &Call<'_>) {
        let words = call.texts();
        if words.contains(&"-exec") || words.contains(&"-execdir") {
            return;
        }
        let paths = words[1..]
            .iter()
            .take_while(|word| !word.starts_with('-'))
            .count();
        let mut rest = words[1 + paths..].iter();
        let mut whole = false;
        while let Some(word) = rest.next() {
            match *word {
                "-delete" => whole = true,
                "-type" => {
                    // Links and folders may stay; what is asked for are files.
                    if rest.next() != Some(&"f") {
                        return;
                    }
                }
                "-mindepth" if rest.next() == Some(&"1") => {}
                _ => return,
            }
        }
        if whole {
            let found: Vec<_> = call.words[1..=paths]
                .iter()
                .map(|(text, range)| (text.as_deref(), range.clone()))
                .collect();
            self.files(GONE, &found);
        }
    }

    pub(super) fn copy(&mut self, program: &str, call: &Call<'_>, needed: Deed) {
        if call.has(&["-t", "--target-directory"]) && program != "rsync" {
            self.touched(&call.words[1..]);
            return;
        }
        if program == "install" && call.letter('d') {
            self.files(
                Deed::Make { below: false },
                &call.plain(1, &["-m", "-o", "-g"]),
            );
            return;
        }
        let with_value: &[&str] = match program {
            "install" => &["-m", "-o", "-g", "-S"],
            "rsync" => &[
                "-e",
                "-f",
                "-T",
                "-M",
                "--exclude",
                "--include",
                "--filter",
                "--rsh",
                "--exclude-from",
                "--files-from",
                "--chmod",
            ],
            "scp" => &["-P", "-i", "-o", "-F", "-l", "-c", "-J"],
            _ => &["-S", "--suffix"],
        };
        let words = call.plain(1, with_value);
        let Some(((target, place), sources)) = words.split_last() else {
            return;
        };
        for (source, range) in sources {
            self.file(needed, *source, range);
            if program == "mv" && !call.letter('n') {
                self.file(GONE, *source, range);
            }
        }
        self.file(MADE, *target, place);
        // In a folder that is there it gets the source's own name.
        if let Some(target) = target.map(|target| target.trim_end_matches('/')) {
            for (source, _) in sources {
                let name = source
                    .map(|source| source.trim_end_matches('/'))
                    .and_then(|source| source.rsplit('/').next());
                if let Some(name) = name {
                    self.file(MADE, Some(&format!("{target}/{name}")), place);
                }
            }
        }
    }

    pub(super) fn link(&mut self, call: &Call<'_>, needed: Deed) {
        let words = call.plain(1, &["-S"]);
        let [(Some(target), range), (Some(link), place)] = words.as_slice() else {
            self.touched(&call.words[1..]);
            return;
        };
        let symbolic = call.letter('s') || call.has(&["--symbolic"]);
        let from_here = !symbolic
            || call.letter('r')
            || call.has(&["--relative"])
            || target.starts_with(['/', '$', '~']);
        let target = match link.rsplit_once('/').filter(|_| !from_here) {
            Some((folder, _)) if !target.starts_with("..") => format!("{folder}/{target}"),
            Some(_) => String::new(),
            None => (*target).to_owned(),
        };
        self.file(needed, Some(&target), range);
        self.file(MADE, Some(link), place);
    }

    pub(super) fn zip(&mut self, program: &str, call: &Call<'_>, needed: Deed) {
        let unpack = program.contains("un") || call.letter('d') || call.has(&["--decompress"]);
        let keep = call.letter('k')
            || call.letter('c')
            || call.letter('t')
            || call.letter('l')
            || call.has(&["--keep", "--stdout", "--test", "--list"])
            || program.ends_with("zstd");
        let ending = match program {
            "gzip" | "gunzip" => ".gz",
            "bzip2" | "bunzip2" => ".bz2",
            "xz" | "unxz" => ".xz",
            _ => ".zst",
        };
        for (text, range) in call.plain(1, &["-S", "-o"]) {
            self.file(needed, text, &range);
            if !keep {
                self.file(GONE, text, &range);
            }
            let other = text.map(|text| match unpack {
                true => text.strip_suffix(ending).unwrap_or(text).to_owned(),
                false => format!("{text}{ending}"),
            });
            self.file(MADE, other.as_deref(), &range);
        }
    }

    pub(super) fn tar(&mut self, call: &Call<'_>, needed: Deed) {
        let mode = call.texts().get(1).copied().unwrap_or_default().to_owned();
        let letters = match mode.strip_prefix("--") {
            Some(_) => "",
            None => mode.trim_start_matches('-'),
        };
        let reads =
            letters.contains('x') || letters.contains('t') || call.has(&["--extract", "--list"]);
        let extracts = letters.contains('x') || call.has(&["--extract"]);
        let archive = if letters.ends_with('f') {
            call.words
                .get(2)
                .map(|(text, range)| (text.clone(), range.clone()))
        } else {
            call.value(&["-f", "--file"])
                .map(|(text, range)| (Some(text.to_owned()), range))
        };
        let Some((archive, range)) = archive else {
            self.anything_in_files(&call.range);
            return;
        };
        if !reads {
            self.file(MADE, archive.as_deref(), &range);
            return;
        }
        if archive.as_deref() != Some("-") {
            self.file(needed, archive.as_deref(), &range);
        }
        if extracts {
            match call.value(&["-C", "--directory"]) {
                Some((folder, range)) => {
                    let folder = folder.to_owned();
                    self.file(MADE, Some(&folder), &range);
                }
                None => self.anything_in_files(&call.range),
            }
        }
    }
}
