//! Catalogue pages from files: a folder of JSON as the venues sent it, packed or not.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::page::{Contents, Found};

/// Most bytes of one file, unpacked: a whole catalogue takes some hundred megabytes.
const FILE_LEN_MAX: u64 = 1 << 30;

/// Most files of a folder and those below it.
const FILES_MAX: usize = 100_000;

/// Deepest folder that is looked into.
const DEPTH_MAX: usize = 8;

/// What the files of a folder held.
#[derive(Default, Debug)]
pub struct Dump {
    /// Everything that was found, in the order of the files' names.
    pub found: Vec<Found>,
    /// What could not be read, with the file's name.
    pub wrong: Vec<String>,
    /// Files that held JSON.
    pub files: usize,
}

/// Reads a file, or a folder with all below it: `.json`, `.jsonl`, `.tar` of them, and any of
/// these with `.zst`. Other files are left alone; books among the JSON are no catalogue and are
/// passed over.
///
/// # Errors
/// Where the folder itself cannot be read.
pub fn read(path: &Path) -> io::Result<Dump> {
    let mut dump = Dump::default();
    let mut files = Vec::new();
    collect(path, DEPTH_MAX, &mut files)?;
    files.sort();
    for file in files {
        let name = file.strip_prefix(path).unwrap_or(&file).display().to_string();
        let name = if name.is_empty() { path.display().to_string() } else { name };
        match bytes(&file) {
            Ok(bytes) => dump.take(&name, &bytes),
            Err(error) => dump.wrong.push(format!("{name}: {error}")),
        }
    }
    Ok(dump)
}

impl Dump {
    fn take(&mut self, name: &str, bytes: &[u8]) {
        let plain = name.strip_suffix(".zst").unwrap_or(name);
        if plain.ends_with(".tar") {
            let members = tar_members(bytes);
            for (inside, text) in members {
                let inside = format!("{name}: {inside}");
                self.take(&inside, text);
            }
        } else if plain.ends_with(".jsonl") {
            for (number, line) in bytes.split(|b| *b == b'\n').enumerate() {
                if !line.trim_ascii().is_empty() {
                    self.page(&format!("{name} line {}", number + 1), line);
                }
            }
        } else if plain.ends_with(".json") {
            self.page(name, bytes);
        }
    }

    fn page(&mut self, name: &str, text: &[u8]) {
        let page: Value = match serde_json::from_slice(text) {
            Ok(page) => page,
            Err(_) if text.trim_ascii_start().starts_with(b"<") => {
                self.wrong.push(format!("{name}: a page of HTML instead of JSON"));
                return;
            }
            Err(error) => {
                self.wrong.push(format!("{name}: {error}"));
                return;
            }
        };
        self.files += 1;
        let contents = Contents::of(&page);
        self.found.extend(contents.found);
        self.wrong.extend(contents.wrong.into_iter().map(|wrong| format!("{name}: {wrong}")));
    }
}

fn collect(path: &Path, depth: usize, files: &mut Vec<PathBuf>) -> io::Result<()> {
    if fs::metadata(path)?.is_file() {
        files.push(path.to_owned());
        return Ok(());
    }
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        let kind = entry.file_type()?; // A link is not followed: it may lead in a circle.
        if kind.is_dir() && depth > 0 {
            collect(&entry.path(), depth - 1, files)?;
        } else if kind.is_file() && files.len() < FILES_MAX {
            files.push(entry.path());
        }
    }
    Ok(())
}

fn bytes(path: &Path) -> io::Result<Vec<u8>> {
    let name = path.to_string_lossy();
    let plain = name.strip_suffix(".zst").unwrap_or(&name);
    if ![".json", ".jsonl", ".tar"].iter().any(|end| plain.ends_with(end)) {
        return Ok(Vec::new());
    }
    let file = File::open(path)?;
    let mut bytes = Vec::new();
    let read = if name.ends_with(".zst") {
        zstd::Decoder::new(file)?.take(FILE_LEN_MAX + 1).read_to_end(&mut bytes)?
    } else {
        file.take(FILE_LEN_MAX + 1).read_to_end(&mut bytes)?
    };
    if read as u64 > FILE_LEN_MAX {
        return Err(io::Error::other(format!("longer than {FILE_LEN_MAX} bytes")));
    }
    Ok(bytes)
}

/// Names and bytes of the plain files in a tar archive. What is cut off ends it.
fn tar_members(archive: &[u8]) -> Vec<(String, &[u8])> {
    const BLOCK: usize = 512;
    let mut members = Vec::new();
    let mut rest = archive;
    while let Some((header, body)) = rest.split_at_checked(BLOCK) {
        let field = |from: usize, to: usize| {
            let bytes = &header[from..to];
            let end = bytes.iter().position(|b| *b == 0).unwrap_or(bytes.len());
            String::from_utf8_lossy(&bytes[..end]).trim().to_owned()
        };
        let Ok(len) = usize::from_str_radix(&field(124, 136), 8) else { break };
        let Some(data) = body.get(..len) else { break };
        let kind = header[156];
        if kind == b'0' || kind == 0 {
            let (prefix, name) = (field(345, 500), field(0, 100));
            let name = if prefix.is_empty() { name } else { format!("{prefix}/{name}") };
            members.push((name, data));
        }
        let Some(next) = len.div_ceil(BLOCK).checked_mul(BLOCK).and_then(|len| body.get(len..))
        else {
            break;
        };
        rest = next;
    }
    members
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_every_kind_are_read_and_what_is_broken_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let event = r#"{"event_ticker": "A", "series_ticker": "A"}"#;
        fs::write(at("a.json"), event).unwrap();
        fs::write(at("b.json"), "<html>blocked</html>").unwrap();
        fs::write(at("c.json"), r#"{"events": [{"event_ti"#).unwrap();
        fs::create_dir(at("sub")).unwrap();
        fs::write(at("sub/d.jsonl"), format!("{event}\n\n{event}\n")).unwrap();
        fs::write(at("book.txt"), "no JSON").unwrap();
        let packed = zstd::encode_all(event.as_bytes(), 1).unwrap();
        fs::write(at("e.json.zst"), &packed[..]).unwrap();
        fs::write(at("f.json.zst"), &packed[..packed.len() - 3]).unwrap();
        let dump = read(folder.path()).unwrap();
        assert_eq!((dump.found.len(), dump.files), (4, 4), "{:?}", dump.wrong);
        let wrong = dump.wrong.join("\n");
        assert_eq!(dump.wrong.len(), 3, "{wrong}");
        for part in ["b.json: a page of HTML", "c.json: EOF", "f.json.zst: "] {
            assert!(wrong.contains(part), "{part}: {wrong}");
        }
        assert!(read(&at("missing")).is_err());
    }

    #[test]
    fn an_archive_is_read_to_where_it_is_cut() {
        let mut archive = Vec::new();
        for name in ["one.json", "two.json"] {
            let text = b"{}";
            let mut header = [0u8; 512];
            header[..name.len()].copy_from_slice(name.as_bytes());
            header[124..136].copy_from_slice(b"00000000002\0");
            header[156] = b'0';
            archive.extend(header);
            archive.extend(text);
            archive.extend([0; 510]);
        }
        let names = |archive: &[u8]| -> Vec<String> {
            tar_members(archive).into_iter().map(|(name, _)| name).collect()
        };
        assert_eq!(names(&archive), ["one.json", "two.json"]);
        assert_eq!(names(&archive[..archive.len() - 511]), ["one.json"]);
        assert!(names(b"short").is_empty());
    }
}
