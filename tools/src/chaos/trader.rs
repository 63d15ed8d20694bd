//! The engine of a simulation: the shipped tiles with their rings, on one thread, through pipes.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use ed25519_dalek::pkcs8::EncodePrivateKey;
use engine::clock::Clock;
use engine::core::Core;
use engine::event::Event;
use engine::live_tile::{Command, EVENT_RING_DEPTH, FeedEnds, LiveTile};
use engine::risk::Word;
use engine::tap::{TapReader, tap};
use engine::tile::{Now, Tile};
use engine::units::{Ns, Usd};
use exec::armory::Armory;
use exec::gate::figures::GateFigures;
use exec::journal::memory::Memory;
use exec::journal::tile::JournalTile;
use exec::journal::{JournalWriter, Record};
use exec::request::Origin;
use exec::sign::address::Address;
use exec::sign::kalshi::{KalshiSigner, WS_PATH};
use exec::sign::key::{KalshiKey, PolymarketKey};
use exec::sign::l2::{ApiCredentials, L2Signer};
use exec::sign::order::WalletKind;
use exec::sign::polymarket::{Chain, PolymarketSigner, Wallet};
use exec::sign::stamps::Lane;
use feeds::controls::{EventMarkets, MarketRules};
use feeds::feed::CONTROL_RING_DEPTH;
use feeds::fitness::Verdict;
use feeds::live::hearing::Hearing;
use feeds::live::tile::VERDICT_RING_DEPTH;
use feeds::live::{self, Ends, LiveFeed, Pace};
use rtrb::{Consumer, Producer, RingBuffer};
use sim::host::SiteId;
use sim::rng::Rng;
use sim::universe::PolymarketAccount as SimWallet;

use super::net::{FeedPipes, HOST, Lobby, Pipes};
use super::owner::Owner;
use crate::config::Config;
use crate::journal::keep::Journalled;
use crate::run::brakes::Brakes;
use crate::run::doors::KalshiLogin;
use crate::run::gates::{self, GateJournal, Gates, KalshiSide, PolymarketSide};
use crate::run::spec::RunSpec;
use crate::run::trade::write_down;

/// Kalshi's key id of the one trader.
pub const KEY_ID: &str = "0b9f3d7e-1c52-4a6f-9d80-5e3c7a1b2d4f";
/// What requests say of who sends them.
const USER_AGENT: &str = "parallax-chaos/1";
/// Steps of all tiles at one instant before something must be wrong: a frame a step, and no
/// backlog is that long.
const ROUNDS_MAX: usize = 100_000;

/// Time as the engine sees it.
#[derive(Clone, Default)]
pub struct HostClock(Rc<Cell<Now>>);

impl HostClock {
    /// Sets it.
    pub fn set(&self, now: Now) {
        self.0.set(now);
    }
}

impl Clock for HostClock {
    fn now(&self) -> Now {
        self.0.get()
    }

    fn raw(&self) -> u64 {
        self.0.get().mono.0
    }

    fn delta_ns(&self, start_raw: u64, end_raw: u64) -> u64 {
        end_raw.saturating_sub(start_raw)
    }
}

/// The trader's keys: made from a fixed seed, and worth nothing.
pub struct Keys {
    kalshi_pem: String,
    polymarket_hex: String,
    funder: Address,
    /// What the wallet's log-in gave.
    credentials: [String; 3],
}

impl Keys {
    /// The trader's keys. `credentials` asks the venue for those of a signer's address.
    ///
    /// # Errors
    /// Where a key cannot be made.
    pub fn new(
        credentials: impl FnOnce(&str) -> Option<[String; 3]>,
    ) -> Result<(Keys, String, SimWallet), String> {
        let text = |e: &dyn std::fmt::Display| format!("a key: {e}");
        let key = ed25519_dalek::SigningKey::from_bytes(&[7; 32]);
        let pem = key.to_pkcs8_pem(Default::default()).map_err(|e| text(&e))?;
        let public = KalshiKey::from_pem(pem.as_bytes()).map_err(|e| text(&e))?.public_pem();
        let polymarket_hex = "5b".repeat(32);
        let bare = Wallet { kind: WalletKind::Eoa, funder: None };
        let key = PolymarketKey::from_hex(&polymarket_hex).map_err(|e| text(&e))?;
        let signer =
            PolymarketSigner::new(key, Chain::Polygon, bare, Usd::ZERO).map_err(|e| text(&e))?;
        let owner = String::from_utf8_lossy(&signer.owner().to_checksum()).into_owned();
        let wallet = sim::accounts::polymarket(owner.clone(), 3);
        let funder = Address::parse(&wallet.funder).ok_or("a key: no funder")?;
        let credentials = credentials(&owner).ok_or("a key: no log-in")?;
        let kalshi_pem = pem.to_string();
        Ok((Keys { kalshi_pem, polymarket_hex, funder, credentials }, public, wallet))
    }

    /// Their files.
    ///
    /// # Errors
    /// Where none can be made.
    pub fn owner(&self) -> Result<Owner, String> {
        Owner::new(&self.kalshi_pem, &self.polymarket_hex)
    }

    /// What must stand nowhere.
    pub fn secrets(&self) -> [&str; 4] {
        let body = self.kalshi_pem.lines().nth(1).unwrap_or_default();
        [body, &self.polymarket_hex, &self.credentials[1], &self.credentials[2]]
    }

    /// Signs requests to Kalshi.
    ///
    /// # Errors
    /// Where the key is none.
    pub fn kalshi(&self) -> Result<KalshiSigner, String> {
        let key = KalshiKey::from_pem(self.kalshi_pem.as_bytes()).map_err(|e| e.to_string())?;
        KalshiSigner::new(key, KEY_ID, [1; 32]).map_err(|e| e.to_string())
    }

    /// Signs orders for Polymarket.
    ///
    /// # Errors
    /// Where the key is none.
    pub fn polymarket(&self) -> Result<PolymarketSigner, String> {
        let key = PolymarketKey::from_hex(&self.polymarket_hex).map_err(|e| e.to_string())?;
        let wallet = Wallet { kind: WalletKind::Deposit, funder: Some(self.funder) };
        let cost_max = Usd::new(10_000_000_000);
        PolymarketSigner::new(key, Chain::Polygon, wallet, cost_max).map_err(|e| e.to_string())
    }

    /// What the wallet's log-in gave.
    ///
    /// # Errors
    /// Where that is no log-in.
    pub fn credentials(&self) -> Result<ApiCredentials, String> {
        let [id, secret, passphrase] = &self.credentials;
        ApiCredentials::new(id, secret, passphrase).map_err(|e| e.to_string())
    }

    /// Who holds the funds on Polymarket, as its address is written.
    pub fn funder(&self) -> String {
        String::from_utf8_lossy(&self.funder.to_checksum()).into_owned()
    }

    fn armory(&self, salt: [u8; 32]) -> Result<Armory, String> {
        let signer = self.polymarket()?;
        let login = L2Signer::new(signer.owner(), self.credentials()?);
        Armory::new(signer, login, HOST, USER_AGENT, salt).map_err(|e| e.to_string())
    }
}

/// The tiles, and the ends of their rings that stay outside.
pub struct Trader {
    kalshi: LiveFeed<live::kalshi::Kalshi, KalshiLogin, EventMarkets, FeedPipes>,
    polymarket: LiveFeed<live::polymarket::Polymarket, (), MarketRules, FeedPipes>,
    core: LiveTile,
    gates: Gates<HostClock, Pipes>,
    journal: JournalTile<Memory>,
    /// What whoever watches a run writes down.
    watch: JournalWriter,
    events: Consumer<Event>,
    commands: Producer<Command>,
    brakes: Brakes,
    /// For whoever compares the feeds' books.
    verdicts: Option<Compared>,
    /// What a recorder that never comes to it would have to read.
    _taps: Vec<TapReader>,
    /// Of the last steps; monotonic, and Unix.
    now: Ns,
    wall: Ns,
}

/// How often a sync that is under way is looked after.
const SYNC_EVERY: Ns = Ns::from_ms(1);
/// Bytes of the ring of a recorder that stands still: full at once.
const TAP_BYTES: usize = 1 << 12;

/// What a trader is made of.
pub struct Parts<'a> {
    /// The configuration of simulated venues.
    pub config: &'a Config,
    /// How the run is set up.
    pub spec: &'a RunSpec,
    /// Keys.
    pub keys: &'a Keys,
    /// Where connections begin.
    pub lobby: &'a Rc<RefCell<Lobby>>,
    /// Time.
    pub clock: &'a HostClock,
    /// Depth of the rings from the feeds to the core.
    pub tops: usize,
    /// A recorder is there and stands still.
    pub records: bool,
}

/// The feeds' rings for what is said of their books, by venue, and when to ask Kalshi which of its
/// markets trade.
pub type Compared = ([Producer<Verdict>; 2], Arc<Hearing>);

impl Trader {
    /// A trader that connects with its first step, made as every run is made but for its network,
    /// its clock and its disk.
    ///
    /// # Errors
    /// What cannot be made, in words.
    pub fn new(
        parts: &Parts<'_>,
        journal: Journalled<Memory>,
        rng: &mut Rng,
    ) -> Result<Trader, String> {
        let Parts { config, spec, keys, lobby, clock, tops, records } = *parts;
        let now = clock.now();
        let (setup, file) = (spec.setup()?, spec.pair_file()?);
        let desk = spec.desk(&setup)?;
        let pipes = |site, path| Pipes { lobby: Rc::clone(lobby), site: SiteId(site), path };
        let origin = || Origin::new(HOST, USER_AGENT).map_err(|e| e.to_string());
        let mut salt = || {
            let mut salt = [0; 32];
            salt.chunks_mut(8).for_each(|part| part.copy_from_slice(&rng.bits().to_le_bytes()));
            salt
        };
        let number = |salt: [u8; 32]| u64::from_le_bytes(salt[..8].try_into().unwrap_or_default());
        let Journalled { tile: journal, writers: [first, second, ahead, watch], run, waits } =
            journal;
        let sides = (
            KalshiSide {
                signers: [keys.kalshi()?, keys.kalshi()?],
                origin: origin()?,
                net: pipes(0, WS_PATH),
                run,
                seed: number(salt()),
            },
            PolymarketSide {
                armories: [keys.armory(salt())?, keys.armory(salt())?],
                origin: origin()?,
                net: pipes(1, "/ws/user"),
                seed: number(salt()),
            },
        );
        let writes = GateJournal { run, writers: [first, second, ahead], waits };
        let (gates, rings) =
            gates::wire(config, spec, (&file, &setup.table), sides, clock, Some(writes))?;

        let mut taps = Vec::new();
        let mut tapped = || {
            records.then(|| {
                let (writer, reader) = tap(TAP_BYTES);
                taps.push(reader);
                writer
            })
        };
        let hearing = Arc::new(Hearing::default());
        let pace = |seed| Pace { seed, rotate_every: None, mark_frames: false };
        let (kalshi_tops, kalshi_tops_rx) = RingBuffer::new(tops);
        let (kalshi_controls, kalshi_controls_rx) = RingBuffer::new(CONTROL_RING_DEPTH);
        let (kalshi_verdicts, verdicts) = RingBuffer::new(VERDICT_RING_DEPTH);
        let ends = Ends {
            tops: kalshi_tops,
            controls: kalshi_controls,
            verdicts,
            markets: None,
            tap: tapped(),
            notices: setup.events,
        };
        let kalshi = LiveFeed::through(
            (FeedPipes::new(pipes(0, WS_PATH)), pace(number(salt()))),
            live::kalshi::Kalshi { markets_a_line: spec.markets_a_line[0], trades: false },
            setup.kalshi,
            KalshiLogin::new(keys.kalshi()?, Lane::Feed),
            ends,
            now,
        )
        .asked(Arc::clone(&hearing), now);
        let (polymarket_tops, polymarket_tops_rx) = RingBuffer::new(tops);
        let (polymarket_controls, polymarket_controls_rx) = RingBuffer::new(CONTROL_RING_DEPTH);
        let (polymarket_verdicts, verdicts) = RingBuffer::new(VERDICT_RING_DEPTH);
        let ends = Ends {
            tops: polymarket_tops,
            controls: polymarket_controls,
            verdicts,
            markets: None,
            tap: tapped(),
            notices: MarketRules,
        };
        let polymarket = LiveFeed::through(
            (FeedPipes::new(pipes(1, "/ws/market")), pace(number(salt()))),
            live::polymarket::Polymarket { markets_a_line: spec.markets_a_line[1] },
            setup.polymarket,
            (),
            ends,
            now,
        );

        let (events_tx, events) = RingBuffer::new(EVENT_RING_DEPTH);
        let (commands, commands_rx) = RingBuffer::new(4);
        let feeds = vec![
            FeedEnds { tops: kalshi_tops_rx, controls: kalshi_controls_rx },
            FeedEnds { tops: polymarket_tops_rx, controls: polymarket_controls_rx },
        ];
        let (feedback, outlet, brakes) = rings.ends(events_tx);
        let core = LiveTile::new(desk, feeds, feedback, commands_rx, outlet, tapped());
        Ok(Trader {
            kalshi,
            polymarket,
            core,
            gates,
            journal,
            watch,
            events,
            commands,
            brakes,
            verdicts: Some(([kalshi_verdicts, polymarket_verdicts], hearing)),
            _taps: taps,
            now: now.mono,
            wall: now.wall,
        })
    }

    /// The feeds' rings for what is said of their books; once.
    pub fn verdicts(&mut self) -> Option<Compared> {
        self.verdicts.take()
    }

    /// Steps all tiles until none has anything to do at this instant; the steps it took, or `None`
    /// where it never ends.
    pub fn settle(&mut self, now: Now) -> Option<usize> {
        (self.now, self.wall) = (now.mono, now.wall);
        for rounds in 0..ROUNDS_MAX {
            // As the thread that stops and arms a run does every half millisecond.
            self.brakes.flush(&mut self.commands);
            let done = self.kalshi.step(now)
                + self.polymarket.step(now)
                + self.core.step(now)
                + self.gates.kalshi.step(now)
                + self.gates.polymarket.step(now)
                + self.gates.signer.step(now)
                + self.journal.step(now);
            if done == 0 {
                return Some(rounds);
            }
        }
        None
    }

    /// When a tile has something to do though nothing comes; monotonic.
    pub fn next_deadline(&self) -> Option<Ns> {
        let tiles = [
            self.kalshi.next_deadline(),
            self.polymarket.next_deadline(),
            self.core.next_deadline(),
            self.gates.kalshi.next_deadline(),
            self.gates.polymarket.next_deadline(),
            self.gates.signer.next_deadline(),
        ];
        // A sync under way ends when the disk says so, not when the tile knows.
        let syncs = self.journal.is_busy().then(|| self.now.after(SYNC_EVERY));
        tiles.into_iter().chain([syncs]).flatten().min()
    }

    /// True while the disk does not hold all that was written.
    pub fn is_writing(&self) -> bool {
        self.journal.is_busy()
    }

    /// The journal cannot be written any more: no order leaves before a restart.
    pub fn is_shut(&self) -> bool {
        self.journal.failed().is_some()
    }

    /// Connections of the feeds that are open, by venue.
    pub fn open_lines(&self) -> [usize; 2] {
        [self.kalshi.open_lines().0, self.polymarket.open_lines().0]
    }

    /// What happened since. It is written down, and trading stops where a person must look, as
    /// whoever watches a run does it.
    pub fn event(&mut self) -> Option<Event> {
        let event = self.events.pop().ok()?;
        write_down(&mut self.watch, &event, self.core.core().pairs(), self.wall);
        if let Event::RiskTripped { risk, .. } = &event
            && risk.latches()
        {
            self.kill();
        }
        Some(event)
    }

    /// Inputs that the core took.
    pub fn inputs(&self) -> u64 {
        self.core.inputs()
    }

    /// The core.
    pub fn core(&self) -> &Core {
        self.core.core()
    }

    /// Stops trading: no byte of an order leaves from now on.
    pub fn kill(&mut self) {
        self.brakes.kill();
        self.brakes.flush(&mut self.commands);
    }

    /// Takes every token of Kalshi's that is not for cancels alone, as whoever asks for orders all
    /// the time would.
    pub fn exhaust(&self, now: Ns) {
        let budgets = self.gates.kalshi.clerk().budgets();
        for pair in self.core.core().pairs().pairs() {
            let market = pair.sides[0].market;
            while budgets.take(market, now) {}
        }
        while budgets.first().take(1, now) {}
    }

    /// Decides nothing more; what is under way goes on.
    pub fn hold(&mut self) -> bool {
        self.commands.push(Command::Hold).is_ok()
    }

    /// Tells the core and the gates what whoever watches a run found out.
    pub fn tell(&mut self, word: Word) {
        if let Word::Paid(payout) = word {
            self.watch.write(&Record::Paid(payout));
        }
        self.brakes.tell(word);
        self.brakes.flush(&mut self.commands);
    }

    /// A person has looked.
    pub fn arm(&mut self) {
        self.brakes.tell(Word::Arm);
        self.brakes.flush(&mut self.commands);
    }

    /// Both gates can get orders to their venues.
    pub fn is_ready(&self) -> bool {
        self.gates.kalshi.is_ready() && self.gates.polymarket.is_ready()
    }

    /// What the gates counted.
    pub fn figures(&self) -> [GateFigures; 2] {
        [self.gates.kalshi.figures(), self.gates.polymarket.figures()]
    }

    /// Orders of both gates that have not ended.
    pub fn open_orders(&self) -> usize {
        self.gates.kalshi.open_orders()[0] + self.gates.polymarket.open_orders()[0]
    }

    /// Events and arm requests that found no room.
    pub fn lost(&self) -> u64 {
        let lost = self.core.lost();
        lost.facts + lost.events + lost.arms
    }
}
