//! What must survive: a journal of everything that moves a venue's accounts, and the ledger made
//! of it.
//!
//! A venue is a state machine, so the calls that changed it are its truth: requests that may
//! change something, makers' quotes, due timers, pauses, settlements. Each is one line of
//! `journal.jsonl`, written to the file before anything that follows from it leaves the process,
//! and synced to the disk in groups. So the death of the process loses nothing, and the death of
//! the machine what one group holds. [`replay`] feeds the lines to fresh venues, which end with the
//! same balances, positions, orders and used order ids. A last line that was cut is dropped.
//!
//! The lines hold what clients sent, their headers too; the file is for its owner only.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::rc::Rc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use engine::pair::Outcome;
use engine::payoff::Settlement;
use engine::units::{Ns, Px, Qty};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::venue::{ClientId, Outbox, Reply, Request, Side, Standing, Upset, Venue};

/// The file's name in the folder of a simulation.
pub const FILE: &str = "journal.jsonl";
/// Between two syncs to the disk.
const SYNC_EVERY: Duration = Duration::from_millis(50);

/// A line.
#[derive(Serialize, Deserialize, Clone, PartialEq, Eq, Debug)]
enum Entry {
    /// The first line: what the universe is made of.
    Begin(Value),
    /// A request and the status of its answer.
    Request {
        t: u64,
        site: usize,
        method: String,
        path: String,
        query: String,
        headers: Vec<(String, String)>,
        body: Body,
        status: u16,
    },
    /// (time, site, market, is a bid, price in 1e-4, size in 1e-2)
    Quote(u64, usize, usize, bool, u16, u64),
    /// (time, site)
    Tick(u64, usize),
    /// (time, site, market, paused)
    Pause(u64, usize, usize, bool),
    /// (time, site, market, what a YES pays)
    Settle(u64, usize, usize, Pays),
    /// (time, site, market)
    Refine(u64, usize, usize),
    /// (time, site, what)
    Upset(u64, usize, u8),
    /// (time, site, market)
    List(u64, usize, usize),
    /// (time, site, market)
    Close(u64, usize, usize),
    /// (time, site, market, type and multiplier in millionths)
    Fee(u64, usize, usize, Option<(String, u32)>),
}

#[derive(Serialize, Deserialize, Clone, PartialEq, Eq, Debug)]
enum Body {
    Text(String),
    Base64(String),
}

/// What a YES pays.
#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
#[serde(untagged)]
enum Pays {
    /// 1e-4 dollar.
    Px(u16),
    /// All or nothing, as journals say from before a market could be void.
    All(bool),
}

const UPSETS: [Upset; 5] = [
    Upset::Restart,
    Upset::FailSettlement,
    Upset::PauseAll(false),
    Upset::PauseAll(true),
    Upset::OverFill,
];

/// The open journal.
pub struct Journal {
    file: File,
    buffer: Vec<u8>,
    error: Option<io::Error>,
    /// Dropped to end the thread that syncs.
    dirty: Option<SyncSender<()>>,
    syncer: Option<JoinHandle<()>>,
}

impl Journal {
    /// A new journal in `dir`, in place of an older one. `begin` is handed back by [`replay`].
    ///
    /// # Errors
    /// Where the file cannot be made.
    pub fn create(dir: &Path, begin: Value) -> io::Result<Journal> {
        let path = dir.join(FILE);
        let mut options = OpenOptions::new();
        let file = options.write(true).create(true).truncate(true).mode(0o600).open(path)?;
        let mut journal = Journal::new(file)?;
        journal.append(&Entry::Begin(begin));
        journal.flush()?;
        Ok(journal)
    }

    /// The journal of `dir` to go on with; what follows its last whole line is cut off.
    ///
    /// # Errors
    /// Where the file cannot be opened or cut.
    pub fn resume(dir: &Path) -> io::Result<Journal> {
        let mut file = OpenOptions::new().read(true).write(true).open(dir.join(FILE))?;
        let mut whole = 0;
        let mut reader = BufReader::new(&file);
        let mut line = Vec::new();
        while reader.read_until(b'\n', &mut line)? > 0 {
            if line.ends_with(b"\n") {
                whole += line.len() as u64;
            }
            line.clear();
        }
        file.set_len(whole)?;
        file.seek(SeekFrom::End(0))?;
        Journal::new(file)
    }

    fn new(file: File) -> io::Result<Journal> {
        let synced = file.try_clone()?;
        let (dirty, wishes) = sync_channel(1);
        let syncer = std::thread::Builder::new()
            .name("sim-sync".to_owned())
            .spawn(move || sync(&synced, &wishes))?;
        Ok(Journal {
            file,
            buffer: Vec::new(),
            error: None,
            dirty: Some(dirty),
            syncer: Some(syncer),
        })
    }

    fn append(&mut self, entry: &Entry) {
        match serde_json::to_writer(&mut self.buffer, entry) {
            Ok(()) => self.buffer.push(b'\n'),
            Err(error) => self.error = Some(error.into()),
        }
    }

    /// Writes what was appended; the disk follows soon.
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub fn flush(&mut self) -> io::Result<()> {
        if let Some(error) = self.error.take() {
            return Err(error);
        }
        if !self.buffer.is_empty() {
            self.file.write_all(&self.buffer)?;
            self.buffer.clear();
            if let Some(dirty) = &self.dirty {
                // Full means that a sync is wished for already.
                let _ = dirty.try_send(());
            }
        }
        Ok(())
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        // An owner that cares has called `flush` and heard of errors.
        let _ = self.flush();
        self.dirty = None;
        if let Some(syncer) = self.syncer.take() {
            let _ = syncer.join();
        }
    }
}

fn sync(file: &File, wishes: &Receiver<()>) {
    while wishes.recv().is_ok() {
        // A disk that does not sync still has what the system holds.
        let _ = file.sync_data();
        std::thread::sleep(SYNC_EVERY); // what comes meanwhile is one group
    }
    let _ = file.sync_data();
}

/// A venue whose changes are written down.
pub struct Recorded {
    venue: Box<dyn Venue>,
    site: usize,
    journal: Rc<RefCell<Journal>>,
}

impl Recorded {
    /// Writes what happens to `venue` under the number of its site.
    pub fn new(venue: Box<dyn Venue>, site: usize, journal: Rc<RefCell<Journal>>) -> Recorded {
        Recorded { venue, site, journal }
    }

    fn append(&self, entry: &Entry) {
        self.journal.borrow_mut().append(entry);
    }
}

impl Venue for Recorded {
    fn request(&mut self, now: Ns, request: &Request<'_>, out: &mut Outbox) -> Reply {
        self.tick(now, out); // What is due would be done unwritten by a reading request.
        let reply = self.venue.request(now, request, out);
        // Reading changes nothing, but for keys that are made when they are asked for.
        if request.method != "GET" || request.path.contains("/auth/") {
            let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
            self.append(&Entry::Request {
                t: now.0,
                site: self.site,
                method: request.method.to_owned(),
                path: request.path.to_owned(),
                query: request.query.to_owned(),
                headers: request.headers.iter().map(own).collect(),
                body: match std::str::from_utf8(request.body) {
                    Ok(text) => Body::Text(text.to_owned()),
                    Err(_) => Body::Base64(STANDARD.encode(request.body)),
                },
                status: reply.status,
            });
        }
        reply
    }

    fn open(
        &mut self,
        now: Ns,
        client: ClientId,
        request: &Request<'_>,
        out: &mut Outbox,
    ) -> Result<(), Reply> {
        self.tick(now, out);
        self.venue.open(now, client, request, out)
    }

    fn text(&mut self, now: Ns, client: ClientId, text: &str, out: &mut Outbox) {
        self.tick(now, out);
        self.venue.text(now, client, text, out);
    }

    fn closed(&mut self, client: ClientId) {
        self.venue.closed(client);
    }

    fn tick(&mut self, now: Ns, out: &mut Outbox) {
        if self.venue.next_due().is_some_and(|due| due <= now) {
            self.append(&Entry::Tick(now.0, self.site));
            self.venue.tick(now, out);
        }
    }

    fn next_due(&self) -> Option<Ns> {
        self.venue.next_due()
    }

    fn quote(&mut self, now: Ns, market: usize, side: Side, px: Px, qty: Qty, out: &mut Outbox) {
        let is_bid = side == Side::Bid;
        self.append(&Entry::Quote(now.0, self.site, market, is_bid, px.e4(), qty.e2()));
        self.venue.quote(now, market, side, px, qty, out);
    }

    fn quoted(&self, market: usize, side: Side, px: Px) -> Qty {
        self.venue.quoted(market, side, px)
    }

    fn pause(&mut self, now: Ns, market: usize, paused: bool, out: &mut Outbox) {
        self.append(&Entry::Pause(now.0, self.site, market, paused));
        self.venue.pause(now, market, paused, out);
    }

    fn refine(&mut self, now: Ns, market: usize, out: &mut Outbox) -> bool {
        self.append(&Entry::Refine(now.0, self.site, market));
        self.venue.refine(now, market, out)
    }

    fn list(&mut self, now: Ns, market: usize, out: &mut Outbox) -> bool {
        self.append(&Entry::List(now.0, self.site, market));
        self.venue.list(now, market, out)
    }

    fn set_fee(
        &mut self,
        now: Ns,
        market: usize,
        fee: Option<(&str, u32)>,
        out: &mut Outbox,
    ) -> bool {
        let told = fee.map(|(fee_type, e6)| (fee_type.to_owned(), e6));
        self.append(&Entry::Fee(now.0, self.site, market, told));
        self.venue.set_fee(now, market, fee, out)
    }

    fn close(&mut self, now: Ns, market: usize, out: &mut Outbox) -> bool {
        self.append(&Entry::Close(now.0, self.site, market));
        self.venue.close(now, market, out)
    }

    fn settle(&mut self, now: Ns, market: usize, settlement: Settlement, out: &mut Outbox) {
        let yes = Pays::Px(settlement.each(Outcome::Yes).e4());
        self.append(&Entry::Settle(now.0, self.site, market, yes));
        self.venue.settle(now, market, settlement, out);
    }

    fn upset(&mut self, now: Ns, what: Upset, out: &mut Outbox) -> bool {
        let number = UPSETS.iter().position(|upset| *upset == what).unwrap_or_default();
        self.append(&Entry::Upset(now.0, self.site, number as u8));
        self.venue.upset(now, what, out)
    }

    fn ledger(&self) -> Value {
        self.venue.ledger()
    }

    fn moves(&self) -> u64 {
        self.venue.moves()
    }

    fn standing(&self, account: usize) -> Option<Standing> {
        self.venue.standing(account)
    }

    fn orders(&self, account: usize, from: usize) -> Vec<Value> {
        self.venue.orders(account, from)
    }
}

/// What a journal told.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Replayed {
    /// Lines after the first.
    pub entries: u64,
    /// The time of the last one; Unix nanoseconds.
    pub last: Ns,
    /// Markets that are settled, by number.
    pub settled: Vec<usize>,
    /// Markets that were listed while the venues ran, by number.
    pub listed: Vec<usize>,
    /// Sites that closed a market before its time, and the market's number.
    pub closed: Vec<(usize, usize)>,
    /// Sites that changed the fee of a market's event, the market's number, and the multiplier in
    /// millionths, in order.
    pub fees: Vec<(usize, usize, Option<u32>)>,
}

/// Why a journal cannot be gone on with.
#[derive(Debug)]
pub enum ReplayError {
    /// The file cannot be read.
    Io(io::Error),
    /// A line is no entry; its number from 1.
    Line(u64),
    /// It begins otherwise, or not at all.
    NoBegin,
    /// A venue answers another status than it did: (line, status then, status now).
    Differs(u64, u16, u16),
}

impl std::fmt::Display for ReplayError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            ReplayError::Io(error) => write!(f, "{FILE}: {error}"),
            ReplayError::Line(line) => write!(f, "{FILE}: line {line} is no entry of a journal"),
            ReplayError::NoBegin => write!(f, "{FILE}: the first line does not begin a journal"),
            ReplayError::Differs(line, then, now) => write!(
                f,
                "{FILE}: line {line} was answered {then} and is answered {now} now; \
                 start without --resume, or with the version that wrote it"
            ),
        }
    }
}

impl std::error::Error for ReplayError {}

impl From<io::Error> for ReplayError {
    fn from(error: io::Error) -> ReplayError {
        ReplayError::Io(error)
    }
}

/// What the journal of `dir` begins with.
///
/// # Errors
/// Where there is none.
pub fn begin(dir: &Path) -> Result<Value, ReplayError> {
    let mut line = String::new();
    BufReader::new(File::open(dir.join(FILE))?).read_line(&mut line)?;
    match serde_json::from_str(&line) {
        Ok(Entry::Begin(value)) => Ok(value),
        _ => Err(ReplayError::NoBegin),
    }
}

/// How many markets the journal of `dir` settled.
///
/// # Errors
/// Where it cannot be read.
pub fn settled(dir: &Path) -> Result<usize, ReplayError> {
    let mut markets = BTreeSet::new();
    for line in BufReader::new(File::open(dir.join(FILE))?).split(b'\n') {
        let line = line?;
        if line.starts_with(b"{\"Settle\"")
            && let Ok(Entry::Settle(_, _, market, _)) = serde_json::from_slice(&line)
        {
            markets.insert(market);
        }
    }
    Ok(markets.len())
}

/// Feeds the journal of `dir` to fresh venues, by the number of their sites.
///
/// # Errors
/// Where it cannot be read, or leads elsewhere than it did.
pub fn replay(dir: &Path, venues: &mut [Box<dyn Venue>]) -> Result<Replayed, ReplayError> {
    let mut reader = BufReader::new(File::open(dir.join(FILE))?);
    let (mut line, mut number, mut done) = (Vec::new(), 0, Replayed::default());
    while reader.read_until(b'\n', &mut line)? > 0 {
        if !line.ends_with(b"\n") {
            break; // cut while it was written
        }
        number += 1;
        let entry: Entry = serde_json::from_slice(&line).map_err(|_| ReplayError::Line(number))?;
        line.clear();
        if number == 1 {
            let Entry::Begin(_) = entry else { return Err(ReplayError::NoBegin) };
            continue;
        }
        apply(entry, number, venues, &mut done)?;
        done.entries += 1;
    }
    if number == 0 { Err(ReplayError::NoBegin) } else { Ok(done) }
}

fn apply(
    entry: Entry,
    line: u64,
    venues: &mut [Box<dyn Venue>],
    done: &mut Replayed,
) -> Result<(), ReplayError> {
    let (t, site) = match &entry {
        Entry::Begin(_) => return Err(ReplayError::Line(line)),
        Entry::Request { t, site, .. }
        | Entry::Quote(t, site, ..)
        | Entry::Tick(t, site)
        | Entry::Pause(t, site, ..)
        | Entry::Refine(t, site, _)
        | Entry::Settle(t, site, ..)
        | Entry::Upset(t, site, _)
        | Entry::Close(t, site, _)
        | Entry::Fee(t, site, ..)
        | Entry::List(t, site, _) => (Ns(*t), *site),
    };
    let venue = venues.get_mut(site).ok_or(ReplayError::Line(line))?;
    let mut out = Outbox::default(); // Nobody listens yet.
    match entry {
        Entry::Begin(_) => {}
        Entry::Request { method, path, query, headers, body, status, .. } => {
            let body = match body {
                Body::Text(text) => text.into_bytes(),
                Body::Base64(text) => STANDARD.decode(text).map_err(|_| ReplayError::Line(line))?,
            };
            let headers: Vec<(&str, &str)> =
                headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            let (method, path, query) = (&method, &path, &query);
            let request = Request { method, path, query, headers: &headers, body: &body };
            let reply = venue.request(t, &request, &mut out);
            if reply.status != status {
                return Err(ReplayError::Differs(line, status, reply.status));
            }
        }
        Entry::Quote(_, _, market, is_bid, px, qty) => {
            let (Some(px), Some(qty)) = (Px::new(px), Qty::new(qty)) else {
                return Err(ReplayError::Line(line));
            };
            let side = if is_bid { Side::Bid } else { Side::Ask };
            venue.quote(t, market, side, px, qty, &mut out);
        }
        Entry::Tick(..) => venue.tick(t, &mut out),
        Entry::Pause(_, _, market, paused) => venue.pause(t, market, paused, &mut out),
        Entry::Refine(_, _, market) => {
            venue.refine(t, market, &mut out);
        }
        Entry::Settle(_, _, market, yes) => {
            let settlement = match yes {
                Pays::Px(e4) => Settlement::split(Px::new(e4).ok_or(ReplayError::Line(line))?),
                Pays::All(true) => Settlement::YES,
                Pays::All(false) => Settlement::NO,
            };
            venue.settle(t, market, settlement, &mut out);
            if !done.settled.contains(&market) {
                done.settled.push(market);
            }
        }
        Entry::Fee(_, site, market, fee) => {
            let told = fee.as_ref().map(|(fee_type, e6)| (fee_type.as_str(), *e6));
            if venue.set_fee(t, market, told, &mut out) {
                done.fees.push((site, market, fee.map(|(_, e6)| e6)));
            }
        }
        Entry::Close(_, site, market) => {
            if venue.close(t, market, &mut out) {
                done.closed.push((site, market));
            }
        }
        Entry::Upset(_, _, what) => {
            let what = UPSETS.get(usize::from(what)).ok_or(ReplayError::Line(line))?;
            venue.upset(t, *what, &mut out);
        }
        Entry::List(_, _, market) => {
            venue.list(t, market, &mut out);
            if !done.listed.contains(&market) {
                done.listed.push(market);
            }
        }
    }
    done.last = done.last.max(t);
    Ok(())
}
