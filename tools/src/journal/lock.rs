//! One engine an account: two would spend the same money and answer each other's orders.
//!
//! The key files are what is locked, whatever folder or configuration an engine runs from, the
//! journal's folder, and the account itself: a key may be copied, replaced while a run goes on, or be in no file at all. An
//! account is taken by binding an address in the kernel that stands for what its venue calls it,
//! so that there is no file which somebody could lose or delete. The system gives both back when
//! their holder dies.

use std::fs::{self, File, TryLockError};
use std::io;
use std::os::linux::fs::MetadataExt as _;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use sha2::{Digest as _, Sha256};

use crate::config::{Config, Environment, Url, WalletKey};
use crate::rest::keys::{self, KeyProblem};

/// Whoever only looks whether a lock is held holds it for a moment.
const PATIENCE: Duration = Duration::from_millis(500);

/// Between two tries.
const AGAIN: Duration = Duration::from_millis(20);

/// What is locked; the locks end with it.
#[derive(Debug)]
pub struct Lock {
    _files: Vec<File>,
    _accounts: Vec<UnixDatagram>,
}

/// Why an account cannot be locked.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Somebody has it.
    #[error(
        "another engine{} trades with this account (its {what} is locked): end it first, one engine an account",
        pid.map(|pid| format!(", process {pid},")).unwrap_or_default()
    )]
    Held {
        /// The key file, or what the venue calls the account.
        what: String,
        /// Who, where the system tells.
        pid: Option<u32>,
    },
    /// Somebody writes this journal.
    #[error(
        "another engine{} writes the journal {}: end it first, or name another folder (`journal.dir`)",
        pid.map(|pid| format!(", process {pid},")).unwrap_or_default(),
        path.display()
    )]
    Journal {
        /// Its folder.
        path: PathBuf,
        /// Who, where the system tells.
        pid: Option<u32>,
    },
    /// The file cannot be opened or locked at all.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The system gives no address that would stand for the account.
    #[error("the lock of {what}: {source}")]
    Address {
        /// What the venue calls the account.
        what: String,
        /// Why.
        source: io::Error,
    },
    /// The wallet's key cannot be read.
    #[error(transparent)]
    Key(#[from] KeyProblem),
}

impl Lock {
    /// Locks the accounts of a configuration, their key files, and the journal's folder.
    ///
    /// # Errors
    /// [`LockError`]
    pub fn take(config: &Config) -> Result<Lock, LockError> {
        let mut paths: Vec<&Path> = Vec::new();
        paths.extend(config.kalshi.key.as_ref().map(|key| key.file.as_path()));
        if let Some(WalletKey::File(path)) = &config.polymarket.key {
            paths.push(path);
        }
        let mut lock = Lock::of(&paths)?;
        lock._files.push(journal(&config.journal.dir)?);
        for account in Account::all(config)? {
            lock._accounts.push(account.take(PATIENCE)?);
        }
        Ok(lock)
    }

    /// Locks these files.
    ///
    /// # Errors
    /// [`LockError`]
    pub fn of(paths: &[&Path]) -> Result<Lock, LockError> {
        Lock::within(paths, PATIENCE)
    }

    /// Locks these files, where whoever has them gives them back within that time.
    ///
    /// # Errors
    /// [`LockError`]
    pub fn within(paths: &[&Path], patience: Duration) -> Result<Lock, LockError> {
        let lock = |path: &&Path| {
            let what = || format!("key {}", path.display());
            let held = || LockError::Held { what: what(), pid: holder(path) };
            locked(path, patience)?.ok_or_else(held)
        };
        let files = paths.iter().map(lock).collect::<Result<_, LockError>>()?;
        Ok(Lock { _files: files, _accounts: Vec::new() })
    }
}

/// The folder of a journal: two engines in it would write one chain, whatever their accounts.
fn journal(folder: &Path) -> Result<File, LockError> {
    let path = folder.to_path_buf();
    fs::create_dir_all(folder).map_err(|source| LockError::Io { path: path.clone(), source })?;
    let held = || LockError::Journal { path, pid: holder(folder) };
    locked(folder, PATIENCE)?.ok_or_else(held)
}

/// A file that is locked now, or `None` where somebody else keeps its lock for so long.
fn locked(path: &Path, patience: Duration) -> Result<Option<File>, LockError> {
    let fail = |source| LockError::Io { path: path.to_path_buf(), source };
    let file = File::open(path).map_err(fail)?;
    let taken = patiently(patience, || match file.try_lock() {
        Ok(()) => Ok(Some(())),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(source)) => Err(source),
    });
    Ok(taken.map_err(fail)?.map(|()| file))
}

/// Tries until there is something, or for so long.
fn patiently<T>(
    patience: Duration,
    mut attempt: impl FnMut() -> io::Result<Option<T>>,
) -> io::Result<Option<T>> {
    let began = Instant::now();
    loop {
        let found = attempt()?;
        if found.is_some() || began.elapsed() >= patience {
            return Ok(found);
        }
        std::thread::sleep(AGAIN);
    }
}

/// An account as its venue knows it.
struct Account {
    /// Which venue.
    place: String,
    /// What it is called there.
    what: String,
}

impl Account {
    fn all(config: &Config) -> Result<Vec<Account>, LockError> {
        // Simulated venues are told apart by where they are; of the others there is one each.
        let place = |name: &str, url: &Url| match config.environment {
            Environment::Sim => format!("{name} {}", url.as_str()),
            Environment::Prod | Environment::Demo => name.to_owned(),
        };
        let kalshi = config.kalshi.key.as_ref().map(|key| Account {
            place: place("kalshi", &config.kalshi.rest),
            what: format!("Kalshi key id {}", key.id),
        });
        let wallet = keys::polymarket(config)?.map(|signer| Account {
            place: place("polymarket", &config.polymarket.clob),
            what: format!(
                "Polymarket wallet {}",
                String::from_utf8_lossy(&signer.maker().to_lower())
            ),
        });
        Ok(kalshi.into_iter().chain(wallet).collect())
    }

    /// The address that stands for it. Everybody on this host sees it, and reads nothing of it.
    fn address(&self) -> String {
        let hash = Sha256::digest(format!("{}\n{}", self.place, self.what));
        let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("parallax-account-{hex}")
    }

    fn take(&self, patience: Duration) -> Result<UnixDatagram, LockError> {
        let fail = |source| LockError::Address { what: self.what.clone(), source };
        let name = self.address();
        let address = SocketAddr::from_abstract_name(&name).map_err(fail)?;
        let taken = patiently(patience, || match UnixDatagram::bind_addr(&address) {
            Ok(bound) => Ok(Some(bound)),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => Ok(None),
            Err(error) => Err(error),
        });
        let held = || LockError::Held { what: self.what.clone(), pid: owner(&name) };
        taken.map_err(fail)?.ok_or_else(held)
    }
}

/// The process that has such an address, where we may see its files.
fn owner(name: &str) -> Option<u32> {
    let inode = inode_in(&fs::read_to_string("/proc/net/unix").ok()?, name)?;
    let wanted = PathBuf::from(format!("socket:[{inode}]"));
    let has = |pid: u32| {
        let files = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
        files.into_iter().any(|file| fs::read_link(file.path()).is_ok_and(|to| to == wanted))
    };
    let processes = fs::read_dir("/proc").ok()?.flatten();
    let pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.into_iter().find(|pid| has(*pid))
}

/// Lines read `0000000000000000: 00000002 00000000 00000000 0002 01 4711 @name`.
fn inode_in(sockets: &str, name: &str) -> Option<u64> {
    sockets.lines().find_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [_, _, _, _, _, _, inode, path] = fields.as_slice() else { return None };
        let is_it = path.strip_prefix('@') == Some(name);
        inode.parse().ok().filter(|_| is_it)
    })
}

/// True while somebody else holds the lock of that file.
pub fn is_held(path: &Path) -> bool {
    let file = File::open(path);
    file.is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

/// The process that the kernel names as the holder of a file's lock.
fn holder(path: &Path) -> Option<u32> {
    let inode = fs::metadata(path).ok()?.st_ino();
    let locks = fs::read_to_string("/proc/locks").ok()?;
    holder_in(&locks, inode)
}

/// Lines read `1: FLOCK  ADVISORY  WRITE 1234 fd:00:5678 0 EOF`.
fn holder_in(locks: &str, inode: u64) -> Option<u32> {
    locks.lines().find_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [_, "FLOCK", _, "WRITE", pid, file, ..] = fields.as_slice() else { return None };
        let ours = file.rsplit(':').next()?.parse::<u64>().ok()? == inode;
        pid.parse().ok().filter(|pid| ours && *pid != 0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_engine_is_refused_and_told_who_the_first_is() {
        let folder = tempfile::tempdir().unwrap();
        let key = folder.path().join("key.pem");
        fs::write(&key, "secret").unwrap();
        assert!(!is_held(&key));
        let first = Lock::of(&[&key]).unwrap();
        assert!(is_held(&key));
        let error = Lock::of(&[&key]).unwrap_err().to_string();
        assert!(error.contains("key.pem") && error.contains("one engine an account"), "{error}");
        assert!(!error.contains("secret"));
        drop(first);
        assert!(!is_held(&key));
        Lock::of(&[&key]).unwrap();
        let missing = Lock::of(&[&folder.path().join("none")]).unwrap_err();
        assert!(missing.to_string().contains("none"));
    }

    /// A configuration of simulated venues with copies of these keys in `folder`.
    fn config(folder: &Path, (key_id, pem, wallet): (&str, &str, &str)) -> Config {
        for (name, text) in [("k.pem", pem), ("w.key", wallet)] {
            sim::accounts::write_secret(&folder.join(name), text).unwrap();
        }
        let text = format!(
            "environment = \"sim\"\nca_file = \"ca.pem\"\n[kalshi]\nkey_id = \"{key_id}\"\n\
             key_file = \"k.pem\"\nrest = \"https://127.0.0.1:1/trade-api/v2\"\n\
             ws = \"wss://127.0.0.1:1/trade-api/ws/v2\"\n[polymarket]\nkey_file = \"w.key\"\n\
             signature_type = 0\nclob = \"https://127.0.0.1:2\"\nws = \"wss://127.0.0.1:2/ws\"\n\
             gamma = \"https://127.0.0.1:2\"\ngeoblock = \"https://127.0.0.1:2/api/geoblock\"\n"
        );
        let path = folder.join("parallax.toml");
        crate::config::parse(&text, &path, &crate::config::Variables::default(), None).unwrap()
    }

    #[test]
    fn a_copy_of_a_key_opens_no_second_engine() {
        let pid = std::process::id();
        let folders = [(); 4].map(|()| tempfile::tempdir().unwrap());
        let [mine, other] = ["a", "b"].map(|name| format!("{name}-{pid}"));
        let [first, second] = ["41", "42"].map(|byte| format!("{pid:08x}{}", byte.repeat(28)));
        let of =
            |at: usize, key: &str, wallet: &str| config(folders[at].path(), (key, "pem", wallet));
        let held = Lock::take(&of(0, &mine, &first)).unwrap();
        let told = Lock::take(&of(1, &mine, &second)).unwrap_err().to_string();
        assert!(told.contains(&format!("process {pid},")) && told.contains(&mine), "{told}");
        let told = Lock::take(&of(2, &other, &first)).unwrap_err().to_string();
        assert!(told.contains("Polymarket wallet 0x") && !told.contains(&first), "{told}");
        // Another account may trade beside it, in a folder of its own, and this one once its engine
        // is gone.
        Lock::take(&of(3, &other, &second)).unwrap();
        let mut inside = of(3, &other, &second);
        inside.journal.dir = of(0, &mine, &first).journal.dir;
        let told = Lock::take(&inside).unwrap_err().to_string();
        assert!(told.contains("journal.dir") && told.contains("process"), "{told}");
        drop(held);
        Lock::take(&of(1, &mine, &second)).unwrap();
    }

    #[test]
    fn an_account_is_found_by_its_address() {
        let sockets = "Num RefCount Protocol Flags Type St Inode Path\n\
                       0: 00000002 00000000 00000000 0002 01 4711\n\
                       0: 00000002 00000000 00000000 0002 01 4712 @name-too\n\
                       0: 00000002 00000000 00000000 0002 01 4713 @name\n";
        assert_eq!(inode_in(sockets, "name"), Some(4_713));
        assert_eq!(inode_in(sockets, "nam"), None);
    }

    #[test]
    fn the_holder_is_found_by_its_file() {
        let locks = "1: POSIX  ADVISORY  WRITE 7 fd:00:42 0 EOF\n\
                     2: FLOCK  ADVISORY  WRITE 1234 fd:00:42 0 EOF\n\
                     2: -> FLOCK  ADVISORY  WRITE 9 fd:00:42 0 EOF\n\
                     3: FLOCK  ADVISORY  WRITE 0 fd:00:43 0 EOF\n";
        assert_eq!(holder_in(locks, 42), Some(1_234));
        assert_eq!((holder_in(locks, 43), holder_in(locks, 44)), (None, None));
    }
}
