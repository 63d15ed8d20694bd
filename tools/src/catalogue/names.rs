//! Further names that mean the same, in a file beside the store.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use matching::alias::{AliasError, Aliases};

/// Why names cannot be read or added.
#[derive(Debug, thiserror::Error)]
pub enum NamesError {
    /// The file.
    #[error("{}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Names that cannot be added.
    #[error("{0}")]
    New(String),
    /// A line of it.
    #[error("{}: {source}", path.display())]
    Line {
        /// Which file.
        path: PathBuf,
        /// Which line, and why.
        source: AliasError,
    },
}

/// The file of names that belongs to a store.
#[must_use]
pub fn file(store: &Path) -> PathBuf {
    store.with_extension("names.tsv")
}

/// The names of the program, and those of the store's file before them. Also the file's text: when
/// it changes, all pairs are judged anew.
///
/// # Errors
/// [`NamesError`]
pub fn read(store: &Path) -> Result<(Aliases, String), NamesError> {
    let path = file(store);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(source) => return Err(NamesError::File { path, source }),
    };
    let aliases = Aliases::with(&text).map_err(|source| NamesError::Line { path, source })?;
    Ok((aliases, text))
}

/// Adds a line. The file is written anew beside itself and put in its place, and only where all of
/// it can be read.
///
/// # Errors
/// [`NamesError`]
pub fn add(store: &Path, columns: &[&str]) -> Result<PathBuf, NamesError> {
    let (_, mut text) = read(store)?;
    let path = file(store);
    // What is wrong with the new line is no fault of the file.
    Aliases::with(&columns.join("\t")).map_err(|error| NamesError::New(error.why))?;
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text.push_str(&columns.join("\t"));
    text.push('\n');
    Aliases::with(&text).map_err(|source| NamesError::Line { path: path.clone(), source })?;
    let written = |source| NamesError::File { path: path.clone(), source };
    let beside = path.with_extension("tsv.new");
    fs::write(&beside, &text).map_err(written)?;
    fs::rename(&beside, &path).map_err(written)?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use matching::{Listing, Matcher, Venue};

    #[test]
    fn a_name_that_was_added_makes_two_markets_one() {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("catalogue.db");
        let title = |venue, name: &str| Listing {
            venue,
            title: format!("Will {name} win the Quidditch Cup in 2026?"),
            ..Listing::default()
        };
        let (here, there) =
            (title(Venue::Kalshi, "Gryffindor"), title(Venue::Polymarket, "Red Lions House"));
        let equal = || {
            let (aliases, _) = read(&store).unwrap();
            Matcher::new(aliases).judge(&here, &there).equality.equal
        };
        assert!(!equal());
        add(&store, &["org", "gryffindor", "gryffindor | red lions house"]).unwrap();
        assert!(equal());
        // A line that makes no sense is refused, and the file stays as it was.
        let before = fs::read_to_string(file(&store)).unwrap();
        let error = add(&store, &["planet", "mars", "red planet"]).unwrap_err();
        assert!(error.to_string().starts_with("`planet` is no class"), "{error}");
        assert_eq!(fs::read_to_string(file(&store)).unwrap(), before);
    }
}
