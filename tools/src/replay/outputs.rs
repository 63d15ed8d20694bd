//! Where a replay writes, checked before the first byte: an output that is also an input would
//! destroy a recording that nobody can make again.

use std::path::{Path, PathBuf};
use std::{env, fs};

use super::options::ReplayArgs;

/// Two arguments that name one file, the second of them written by the replay.
#[derive(Debug, thiserror::Error)]
#[error("{option} {}: {other} is the same file; write to another name", path.display())]
pub struct Clash {
    /// The option of the output.
    pub option: &'static str,
    /// The output.
    pub path: PathBuf,
    /// What the file is already used for.
    pub other: &'static str,
}

/// Checks that no file is both read and written, nor written twice.
///
/// # Errors
/// [`Clash`], which names the output and what else its file is.
pub fn check(args: &ReplayArgs) -> Result<(), Clash> {
    let mut taken: Vec<(&'static str, Identity)> = Vec::new();
    let inputs = args
        .tapes
        .iter()
        .map(|path| ("a tape to play", path))
        .chain(args.pairs.iter().map(|path| ("a pair file to read", path)))
        .chain(args.golden.iter().map(|path| ("the golden file", path)));
    for (what, path) in inputs {
        taken.push((what, Identity::of(path)));
    }
    let outputs = [
        ("--decisions", "the file of decisions", &args.decisions),
        ("--miss-log", "the miss log", &args.miss_log),
    ];
    for (option, what, path) in outputs {
        let Some(path) = path else { continue };
        let identity = Identity::of(path);
        if let Some((other, _)) = taken.iter().find(|(_, other)| identity.same(other)) {
            return Err(Clash { option, path: path.clone(), other });
        }
        taken.push((what, identity));
    }
    Ok(())
}

/// What tells one regular file from another, whatever path or link leads to it.
struct Identity {
    /// Device and inode, where the file exists.
    inode: Option<(u64, u64)>,
    /// The path with its folder resolved, for a file that is yet to be made.
    path: PathBuf,
}

impl Identity {
    fn of(path: &Path) -> Identity {
        use std::os::unix::fs::MetadataExt as _;
        // Devices such as /dev/null may serve several outputs at once.
        let inode = fs::metadata(path)
            .ok()
            .filter(fs::Metadata::is_file)
            .map(|meta| (meta.dev(), meta.ino()));
        Identity { inode, path: resolved(path) }
    }

    fn same(&self, other: &Identity) -> bool {
        match (self.inode, other.inode) {
            (Some(mine), Some(theirs)) => mine == theirs,
            (None, None) => self.path == other.path && !self.path.starts_with("/dev"),
            _ => false,
        }
    }
}

fn resolved(path: &Path) -> PathBuf {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.map(Path::to_owned).or_else(|| env::current_dir().ok());
    match (folder.and_then(|folder| folder.canonicalize().ok()), path.file_name()) {
        (Some(folder), Some(name)) => folder.join(name),
        _ => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        args: ReplayArgs,
    }

    fn clash(words: &[&str]) -> Option<Clash> {
        let words = ["replay"].iter().chain(words);
        check(&Cli::try_parse_from(words).unwrap().args).err()
    }

    #[test]
    fn an_output_never_replaces_an_input() {
        let temp = tempfile::tempdir().unwrap();
        let at = |name: &str| temp.path().join(name).to_str().unwrap().to_owned();
        for name in ["a.jsonl", "pairs.toml", "golden.json"] {
            fs::write(at(name), "").unwrap();
        }
        symlink(at("a.jsonl"), at("link")).unwrap();
        fs::hard_link(at("a.jsonl"), at("hard")).unwrap();
        let [tape, pairs, golden] = [at("a.jsonl"), at("pairs.toml"), at("golden.json")];
        let inputs = [tape.as_str(), "--pairs", &pairs, "--golden", &golden];
        for option in ["--decisions", "--miss-log"] {
            for name in ["a.jsonl", "link", "hard", "./a.jsonl", "pairs.toml", "golden.json"] {
                let path = at(name);
                let words: Vec<&str> = inputs.iter().copied().chain([option, &path]).collect();
                let clash = clash(&words).unwrap();
                assert_eq!(clash.option, option, "{name}");
            }
        }
        let (new, log) = (at("new.jsonl"), at("log.jsonl"));
        assert!(clash(&[&tape, "--decisions", &new, "--miss-log", &log]).is_none());
    }

    #[test]
    fn two_outputs_never_share_a_file() {
        let temp = tempfile::tempdir().unwrap();
        let new = temp.path().join("new.jsonl").to_str().unwrap().to_owned();
        let text = clash(&["a.jsonl", "--decisions", &new, "--miss-log", &new]).unwrap();
        assert!(text.to_string().contains("the file of decisions is the same file"), "{text}");
        let null = "/dev/null";
        assert!(clash(&["a.jsonl", "--decisions", null, "--miss-log", null]).is_none());
    }
}
