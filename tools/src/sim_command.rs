//! `parallax sim`: the simulated venues on loopback, for any client.

mod options; // what it is asked for

use std::fs;
use std::io::{self, Read};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use engine::units::{Ns, Venue};
use serde_json::{Value, json};
use sim::accounts;
use sim::almanac::Almanac;
use sim::ca::Authority;
use sim::front::{Idle, Server};
use sim::host::SiteId;
use sim::ledger::ReplayError;
use sim::universe::Universe;
use sim::world::{self, World};
use sim::{cast, ledger, model};

use crate::config::Simulated;
use crate::journal::lock;
use crate::stdout;

pub use options::{Catalogue, FaultLevel, KeyKind, SimArgs, Which};

/// Why a simulation did not start or did not end well.
#[derive(thiserror::Error, Debug)]
pub enum SimError {
    /// A file or the socket.
    #[error("{what}: {source}")]
    Io {
        /// What could not be done.
        what: String,
        /// Why.
        source: io::Error,
    },
    /// The journal cannot be gone on with.
    #[error("{}: {source}", dir.display())]
    Replay {
        /// Whose journal.
        dir: PathBuf,
        /// Why.
        source: ReplayError,
    },
    /// The journal begins otherwise than this program begins one.
    #[error("{}: the journal is of another version; start without --resume", dir.display())]
    Begin {
        /// Whose journal.
        dir: PathBuf,
    },
}

/// For `map_err`: says what was tried.
fn io_error(what: impl Into<String>) -> impl FnOnce(io::Error) -> SimError {
    move |source| SimError::Io { what: what.into(), source }
}

/// Markets that are listed while the venues run, at most.
const LATE_MAX: usize = 8;

/// What the markets and accounts are made of; the first line of the journal.
struct Seedling {
    seed: u64,
    markets: usize,
    start: Ns,
    which: Which,
    key_id: String,
    signature_type: u8,
    almanac: bool,
}

impl Seedling {
    fn to_json(&self) -> Value {
        json!({
            "seed": self.seed,
            "markets": self.markets,
            "start_ns": self.start.0,
            "venues": self.which.venues().iter().map(|venue| venue.name()).collect::<Vec<_>>(),
            "kalshi_key_id": self.key_id,
            "signature_type": self.signature_type,
            "catalogue": self.almanac,
        })
    }

    fn from_json(value: &Value) -> Option<Seedling> {
        let names: Vec<&str> = value["venues"].as_array()?.iter().flat_map(Value::as_str).collect();
        let which = [Which::Kalshi, Which::Polymarket, Which::Both]
            .into_iter()
            .find(|which| names.iter().copied().eq(which.venues().iter().map(|v| v.name())))?;
        Some(Seedling {
            seed: value["seed"].as_u64()?,
            markets: usize::try_from(value["markets"].as_u64()?).ok()?,
            start: Ns(value["start_ns"].as_u64()?),
            which,
            key_id: value["kalshi_key_id"].as_str()?.to_owned(),
            signature_type: u8::try_from(value["signature_type"].as_u64()?).ok()?,
            almanac: value["catalogue"].as_bool()?,
        })
    }

    fn universe(&self, kalshi_public: String, signer: String) -> Universe {
        Universe {
            // Those behind `markets` are listed later.
            markets: cast::markets(self.seed, self.markets + LATE_MAX, self.start),
            kalshi: vec![accounts::kalshi(&self.key_id, kalshi_public)],
            polymarket: vec![accounts::polymarket(signer, self.signature_type)],
        }
    }
}

/// Runs `parallax sim`.
///
/// # Errors
/// Where a file cannot be written, a port is taken, or a journal leads elsewhere.
pub fn run(args: &SimArgs) -> Result<(), SimError> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&stop))
            .map_err(io_error("listening to signals"))?;
    }
    if args.until_stdin_closes {
        watch_stdin(Arc::clone(&stop));
    }
    let clock = Clock::new();
    let dir = args.resume.as_ref().unwrap_or(&args.dir);
    let (seedling, universe) = match &args.resume {
        None => plant(args, dir, clock.now())?,
        Some(dir) => take_up(args, dir)?,
    };
    let admin_token = random_hex().map_err(io_error("drawing a token"))?;
    let options = world::Options {
        model: model::Options {
            seed: seedling.seed ^ args.resume.as_ref().map_or(0, |_| clock.now().0),
            arb_per_minute: args.arb_per_minute,
            ..model::Options::default()
        },
        faults: args.faults.into(),
        admin_token: admin_token.clone(),
    };
    let venues = seedling.which.venues();
    let almanac = match seedling.almanac {
        true => Almanac::new(seedling.seed, seedling.start),
        false => Almanac::default(),
    };
    let (known, late) = universe.markets.split_at(seedling.markets.min(universe.markets.len()));
    let now = clock.now();
    let venues_made = make(venues, &universe, known.len(), &almanac, seedling.start);
    let every = args.list_every.map(|seconds| Ns::from_ms(seconds * 1_000));
    let world =
        World::new(known, venues_made, options, now).listing_later(late.to_vec(), every, now);
    let mut world = match args.resume {
        None => world.record(dir, seedling.to_json()).map_err(io_error("journal.jsonl"))?,
        Some(_) => world
            .resume(dir, clock.now())
            .map_err(|source| SimError::Replay { dir: dir.clone(), source })?,
    };
    let (mut server, ports) = listen(args, venues, dir)?;
    let account = &universe.polymarket[0];
    let ready = describe(args, dir, &seedling, account, venues, &ports, &admin_token);
    write(dir, "sim.json", &format!("{ready:#}\n"), true)?;
    write(dir, "sim.env", &environment(dir, &seedling, account)?, true)?;
    write(dir, "pairs.toml", &cast::pairs_toml(&world.open_markets()), false)?;
    let truth = format!("{:#}\n", almanac.to_json());
    write(dir, "catalogue-truth.json", &truth, false)?;
    if let &[kalshi_port, polymarket_port] = ports.as_slice() {
        let simulated = Simulated {
            kalshi_port,
            polymarket_port,
            key_id: &seedling.key_id,
            funder: &account.funder,
            signature_type: account.signature_type,
        };
        write(dir, "parallax.toml", &simulated.toml(), false)?;
    }
    print(&format!("{ready}\n"))?;

    let started = Instant::now();
    let limit = args.seconds.map(Duration::from_secs);
    let idle = Idle { spin: Duration::from_micros(args.spin) };
    let end = world.end();
    let mut watched = args.while_locked.as_deref().map(|path| Watched::new(path, args.linger));
    let is_over = |_| {
        stop.load(Ordering::Relaxed)
            || end.load(Ordering::Relaxed)
            || limit.is_some_and(|limit| started.elapsed() >= limit)
            || watched.as_mut().is_some_and(Watched::is_forsaken)
    };
    server.run(&mut world, idle, || clock.now(), is_over).map_err(io_error("serving"))?;

    let last = world.ledger();
    write(dir, "ledger.json", &format!("{last:#}\n"), false)?;
    if args.json {
        print(&format!("{last}\n"))?;
    }
    match world.failure() {
        None => Ok(()),
        Some(error) => {
            Err(io_error("journal.jsonl")(io::Error::new(error.kind(), error.to_string())))
        }
    }
}

/// A new simulation: its folder and keys.
fn plant(args: &SimArgs, dir: &Path, now: Ns) -> Result<(Seedling, Universe), SimError> {
    fs::create_dir_all(dir).map_err(io_error(dir.display().to_string()))?;
    let at = |name: &str| io_error(dir.join(name).display().to_string());
    let public =
        accounts::make_kalshi(dir, args.kalshi_key.into()).map_err(at(accounts::KALSHI_FILE))?;
    let signer = accounts::make_polymarket(dir).map_err(at(accounts::POLYMARKET_FILE))?;
    let digits = random_hex().map_err(io_error("drawing a key id"))?;
    let seedling = Seedling {
        seed: args.seed,
        markets: usize::from(args.markets),
        start: now,
        which: args.venues,
        // A UUID of version 4.
        key_id: format!(
            "{}-{}-4{}-8{}-{}",
            &digits[..8],
            &digits[8..12],
            &digits[13..16],
            &digits[17..20],
            &digits[20..32]
        ),
        signature_type: args.signature_type,
        almanac: args.catalogue == Catalogue::Full,
    };
    let universe = seedling.universe(public, signer);
    Ok((seedling, universe))
}

/// How many markets are listed once so many are settled: each time that all are, as many new ones
/// follow. The first ones stay what they are.
fn listed(at_once: usize, settled: usize) -> usize {
    (at_once * (1 + settled / at_once.max(1))).min(cast::MARKETS_MAX)
}

/// An older simulation as its folder describes it.
fn take_up(args: &SimArgs, dir: &Path) -> Result<(Seedling, Universe), SimError> {
    let begin =
        ledger::begin(dir).map_err(|source| SimError::Replay { dir: dir.to_owned(), source })?;
    let mut seedling = Seedling::from_json(&begin)
        .filter(|seedling| seedling.which == args.venues)
        .ok_or_else(|| SimError::Begin { dir: dir.to_owned() })?;
    let settled =
        ledger::settled(dir).map_err(|source| SimError::Replay { dir: dir.to_owned(), source })?;
    seedling.markets = listed(seedling.markets, settled);
    let at = |name: &str| io_error(dir.join(name).display().to_string());
    let public = accounts::read_kalshi(dir).map_err(at(accounts::KALSHI_FILE))?;
    let signer = accounts::read_polymarket(dir).map_err(at(accounts::POLYMARKET_FILE))?;
    let universe = seedling.universe(public, signer);
    Ok((seedling, universe))
}

fn make(
    venues: &[Venue],
    universe: &Universe,
    known: usize,
    almanac: &Almanac,
    start: Ns,
) -> Vec<(Venue, Box<dyn sim::venue::Venue>)> {
    let make = |venue: &Venue| -> (Venue, Box<dyn sim::venue::Venue>) {
        match venue {
            Venue::Kalshi => {
                let kalshi = sim::kalshi::Kalshi::new(universe, start).withholding(known);
                (*venue, Box::new(kalshi.listing(&almanac.kalshi, start)))
            }
            Venue::Polymarket => {
                let polymarket = sim::polymarket::Polymarket::new(universe, start);
                let polymarket =
                    polymarket.withholding(known).with_sports(&almanac.sports, &almanac.teams);
                (*venue, Box::new(polymarket.listing(&almanac.polymarket, start)))
            }
        }
    };
    venues.iter().map(make).collect()
}

/// Opens the ports, and writes the certificate that clients have to trust.
fn listen(args: &SimArgs, venues: &[Venue], dir: &Path) -> Result<(Server, Vec<u16>), SimError> {
    let authority = Authority::new().map_err(io_error("making certificates"))?;
    write(dir, "ca.pem", &authority.pem, false)?;
    let mut listeners = Vec::new();
    for number in 0..venues.len() as u16 {
        let port = if args.port == 0 { 0 } else { args.port.saturating_add(number) };
        let listener = TcpListener::bind((args.bind, port))
            .map_err(io_error(format!("listening on {}:{port}", args.bind)))?;
        listeners.push((listener, Arc::clone(&authority.server)));
    }
    let server = Server::new(listeners).map_err(io_error("listening"))?;
    let mut ports = Vec::new();
    for number in 0..venues.len() {
        let addr = server.local_addr(SiteId(number)).map_err(io_error("listening"))?;
        ports.push(addr.port());
    }
    Ok((server, ports))
}

/// The start-up line: everything that a client or a parent process needs to know.
fn describe(
    args: &SimArgs,
    dir: &Path,
    seedling: &Seedling,
    account: &sim::universe::PolymarketAccount,
    venues: &[Venue],
    ports: &[u16],
    admin_token: &str,
) -> Value {
    let path = |name: &str| fs::canonicalize(dir).unwrap_or(dir.to_owned()).join(name);
    let mut ready = json!({
        "ready": true,
        "pid": std::process::id(),
        "seed": seedling.seed,
        "faults": format!("{:?}", args.faults).to_lowercase(),
        "admin_token": admin_token,
        "dir": path(""),
        "ca": path("ca.pem"),
        "pairs": path("pairs.toml"),
        "env": path("sim.env"),
        "config": (venues.len() == 2).then(|| path("parallax.toml")),
        "journal": path(ledger::FILE),
    });
    for (venue, port) in venues.iter().zip(ports) {
        let base = format!("localhost:{port}");
        ready[venue.name()] = match venue {
            Venue::Kalshi => json!({
                "port": port,
                "rest": format!("https://{base}/trade-api/v2"),
                "ws": format!("wss://{base}/trade-api/ws/v2"),
                "key_id": seedling.key_id,
                "key_file": path(accounts::KALSHI_FILE),
            }),
            Venue::Polymarket => json!({
                "port": port,
                "rest": format!("https://{base}"),
                "gamma": format!("https://{base}"),
                "ws_market": format!("wss://{base}/ws/market"),
                "ws_user": format!("wss://{base}/ws/user"),
                "key_file": path(accounts::POLYMARKET_FILE),
                "signer": account.signer,
                "funder": account.funder,
                "signature_type": account.signature_type,
            }),
        };
    }
    ready
}

/// `sim.env`.
fn environment(
    dir: &Path,
    seedling: &Seedling,
    account: &sim::universe::PolymarketAccount,
) -> Result<String, SimError> {
    let dir = fs::canonicalize(dir).map_err(io_error(dir.display().to_string()))?;
    let key_file = dir.join(accounts::POLYMARKET_FILE);
    let key = fs::read_to_string(&key_file).map_err(io_error(key_file.display().to_string()))?;
    Ok(format!(
        "KALSHI_API_KEY_ID={}\nKALSHI_PRIVATE_KEY_PATH={}\nPOLY_PRIVATE_KEY={}\n\
         POLY_FUNDER={}\nPOLY_SIGNATURE_TYPE={}\n",
        seedling.key_id,
        dir.join(accounts::KALSHI_FILE).display(),
        key.trim(),
        account.funder,
        account.signature_type,
    ))
}

/// Writes a file as a whole: readers see the old one or the new one.
fn write(dir: &Path, name: &str, text: &str, secret: bool) -> Result<(), SimError> {
    let path = dir.join(name);
    let fresh = dir.join(format!("{name}.new"));
    let written = match secret {
        true => accounts::write_secret(&fresh, text),
        false => fs::write(&fresh, text),
    };
    let done = written.and_then(|()| fs::rename(&fresh, &path));
    done.map_err(io_error(path.display().to_string()))
}

fn print(text: &str) -> Result<(), SimError> {
    stdout::print(text).map_err(io_error("standard output"))
}

fn random_hex() -> io::Result<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Reads standard input to its end on a thread of its own, which nobody waits for.
fn watch_stdin(stop: Arc<AtomicBool>) {
    std::thread::spawn(move || {
        let mut room = [0; 4_096];
        let mut stdin = io::stdin().lock();
        while matches!(stdin.read(&mut room), Ok(1..)) {}
        stop.store(true, Ordering::Relaxed);
    });
}

/// A file whose lock says that somebody still needs the venues.
struct Watched<'a> {
    path: &'a Path,
    linger: Duration,
    looked: Instant,
    held: Instant,
}

impl<'a> Watched<'a> {
    /// How often it is looked at: trying a lock costs a few system calls.
    const EVERY: Duration = Duration::from_millis(500);

    fn new(path: &'a Path, linger_s: u64) -> Watched<'a> {
        let now = Instant::now();
        Watched { path, linger: Duration::from_secs(linger_s), looked: now, held: now }
    }

    fn is_forsaken(&mut self) -> bool {
        if self.looked.elapsed() < Watched::EVERY {
            return false;
        }
        self.looked = Instant::now();
        if lock::is_held(self.path) {
            self.held = self.looked;
        }
        self.held.elapsed() >= self.linger
    }
}

/// Unix time that never steps back: the wall clock at the start, and the monotonic one since.
struct Clock {
    wall: Ns,
    start: Instant,
}

impl Clock {
    fn new() -> Clock {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Clock { wall: Ns(wall.as_nanos() as u64), start: Instant::now() }
    }

    fn now(&self) -> Ns {
        self.wall.after(Ns(self.start.elapsed().as_nanos() as u64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_markets_follow_settled_ones_and_the_old_ones_stay() {
        assert_eq!([0, 5, 6, 11, 12].map(|settled| listed(6, settled)), [6, 6, 12, 12, 18]);
        assert_eq!(listed(6, 63), cast::MARKETS_MAX);
        let (few, many) = (cast::markets(3, 6, Ns(1)), cast::markets(3, 12, Ns(1)));
        assert_eq!(format!("{few:?}"), format!("{:?}", &many[..6]));
        let mut tickers: Vec<_> = many.iter().map(|market| &market.kalshi.ticker).collect();
        tickers.sort();
        tickers.dedup();
        assert_eq!(tickers.len(), 12);
    }
}
