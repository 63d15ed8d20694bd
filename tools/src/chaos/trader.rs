//! The engine of a simulation: the shipped tiles with their rings, on one thread, through pipes.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;

use ed25519_dalek::pkcs8::EncodePrivateKey;
use engine::clock::Clock;
use engine::core::Core;
use engine::core_tile::EVENT_RING_DEPTH;
use engine::event::{Event, Feedback};
use engine::live_tile::{
    ARM_RING_DEPTH, Command, FEEDBACK_RING_DEPTH, FeedEnds, LiveOutlet, LiveTile,
};
use engine::tile::{Now, Tile};
use engine::units::{Ns, Usd, Venue};
use exec::armed::armed_ring;
use exec::armory::Armory;
use exec::gate::figures::GateFigures;
use exec::gate::kalshi::{KalshiAccount, KalshiClerk, KalshiLimits};
use exec::gate::orders::Patience;
use exec::gate::polymarket::{PolymarketAccount, PolymarketClerk, PolymarketLimits};
use exec::gate::{Gate, GateConfig, GateEnds};
use exec::journal::durable::{Durable, rings as journal_rings};
use exec::journal::memory::Memory;
use exec::journal::tile::{JournalConfig, JournalTile};
use exec::journal::{JournalWriter, Record};
use exec::pool::PoolConfig;
use exec::request::Origin;
use exec::sign::address::Address;
use exec::sign::kalshi::{KalshiSigner, WS_PATH};
use exec::sign::key::{KalshiKey, PolymarketKey};
use exec::sign::l2::{ApiCredentials, L2Signer};
use exec::sign::order::WalletKind;
use exec::sign::polymarket::{Chain, PolymarketSigner, Wallet};
use exec::sign::pool::{HeaderSpread, header_pool};
use exec::sign::stamps::Lane;
use exec::signer::{ArmDuty, HeaderDuty, SignerTile};
use feeds::controls::EventMarkets;
use feeds::feed::{CONTROL_RING_DEPTH, TOP_RING_DEPTH};
use feeds::fitness::Verdict;
use feeds::live::tile::VERDICT_RING_DEPTH;
use feeds::live::{self, Ends, LiveFeed, Pace};
use rtrb::{Consumer, Producer, RingBuffer};
use sim::host::SiteId;
use sim::rng::Rng;
use sim::universe::PolymarketAccount as SimWallet;

use super::net::{FeedPipes, HOST, Lobby, Pipes};
use crate::run::doors::KalshiLogin;
use crate::run::gates;
use crate::run::spec::RunSpec;

/// Kalshi's key id of the one trader.
pub const KEY_ID: &str = "0b9f3d7e-1c52-4a6f-9d80-5e3c7a1b2d4f";
/// Orders kept ready for Polymarket: few, since each costs a signature every second.
const ARMED: usize = 8;
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

    /// What must stand nowhere.
    pub fn secrets(&self) -> [&str; 4] {
        let body = self.kalshi_pem.lines().nth(1).unwrap_or_default();
        [body, &self.polymarket_hex, &self.credentials[1], &self.credentials[2]]
    }

    fn kalshi(&self) -> Result<KalshiSigner, String> {
        let key = KalshiKey::from_pem(self.kalshi_pem.as_bytes()).map_err(|e| e.to_string())?;
        KalshiSigner::new(key, KEY_ID, [1; 32]).map_err(|e| e.to_string())
    }

    fn armory(&self, salt: [u8; 32]) -> Result<Armory, String> {
        let key = PolymarketKey::from_hex(&self.polymarket_hex).map_err(|e| e.to_string())?;
        let wallet = Wallet { kind: WalletKind::Deposit, funder: Some(self.funder) };
        let cost_max = Usd::new(10_000_000_000);
        let signer = PolymarketSigner::new(key, Chain::Polygon, wallet, cost_max)
            .map_err(|e| e.to_string())?;
        let [id, secret, passphrase] = &self.credentials;
        let credentials = ApiCredentials::new(id, secret, passphrase).map_err(|e| e.to_string())?;
        let login = L2Signer::new(signer.owner(), credentials);
        Armory::new(signer, login, HOST, USER_AGENT, salt).map_err(|e| e.to_string())
    }
}

/// The tiles, and the ends of their rings that stay outside.
pub struct Trader {
    kalshi: LiveFeed<live::kalshi::Kalshi, KalshiLogin, EventMarkets, FeedPipes>,
    polymarket: LiveFeed<live::polymarket::Polymarket, (), (), FeedPipes>,
    core: LiveTile,
    kalshi_gate: Gate<KalshiClerk, Pipes, HostClock>,
    polymarket_gate: Gate<PolymarketClerk, Pipes, HostClock>,
    signer: SignerTile,
    journal: JournalTile<Memory>,
    /// Nobody watches the run here.
    _watch: JournalWriter,
    events: Consumer<Event>,
    commands: Producer<Command>,
    /// Nobody cross-checks here; the feeds see a ring that stays empty.
    _verdicts: [Producer<Verdict>; 2],
    kill_epoch: Arc<AtomicU32>,
    /// Of the last steps; monotonic.
    now: Ns,
}

/// How often a sync that is under way is looked after.
const SYNC_EVERY: Ns = Ns::from_ms(1);

/// What a trader is made of.
pub struct Parts<'a> {
    /// How the run is set up.
    pub spec: &'a RunSpec,
    /// Keys.
    pub keys: &'a Keys,
    /// Where connections begin.
    pub lobby: &'a Rc<RefCell<Lobby>>,
    /// Time.
    pub clock: &'a HostClock,
    /// Where the journal lies.
    pub memory: &'a Memory,
    /// The number of the run, which never repeats.
    pub run: u64,
}

/// Bytes of a segment of the journal.
const SEGMENT_BYTES: usize = 1 << 20;
/// Bundles whose ids are reserved at once.
const IDS_BLOCK: u64 = 64;

impl Trader {
    /// A trader that connects with its first step.
    ///
    /// # Errors
    /// What cannot be made, in words.
    pub fn new(parts: &Parts<'_>, rng: &mut Rng) -> Result<Trader, String> {
        let Parts { spec, keys, lobby, clock, memory, run } = *parts;
        let now = clock.now();
        let setup = spec.setup()?;
        let desk = spec.desk(&setup)?;
        let terms = gates::terms(&spec.pair_file()?, &setup.table)?;
        let pipes = |site, path| Pipes { lobby: Rc::clone(lobby), site: SiteId(site), path };
        let mut salt = || {
            let mut salt = [0; 32];
            salt.chunks_mut(8).for_each(|part| part.copy_from_slice(&rng.bits().to_le_bytes()));
            salt
        };
        let number = |salt: [u8; 32]| u64::from_le_bytes(salt[..8].try_into().unwrap_or_default());

        let pairs = setup.table.pairs().len().max(1);
        let ((to_kalshi, kalshi_bundles), (to_polymarket, polymarket_bundles)) =
            (RingBuffer::new(pairs), RingBuffer::new(pairs));
        let durable = Durable::new();
        let ([kalshi_journal, polymarket_journal, signer_journal, watch], records) =
            journal_rings(&durable);
        let layout = JournalConfig { segment_bytes: SEGMENT_BYTES, ids_block: IDS_BLOCK };
        let opened = JournalTile::open(memory.clone(), records, durable, layout, &mut |_, _| {});
        let (mut journal, _) = opened.map_err(|error| error.to_string())?;
        let cash = Venue::ALL.map(|venue| {
            let cash = Usd::new(spec.cash[venue.index()]);
            Record::Cash { venue, cash }
        });
        let opening = [Record::Run { run, wall: now.wall, live: true }, cash[0], cash[1]];
        journal.begin(&opening, now).map_err(|error| error.to_string())?;
        let (kalshi_feedback, from_kalshi) = RingBuffer::<Feedback>::new(FEEDBACK_RING_DEPTH);
        let (polymarket_feedback, from_polymarket) = RingBuffer::new(FEEDBACK_RING_DEPTH);
        let (arms, requests) = RingBuffer::new(ARM_RING_DEPTH);
        let kill_epoch = Arc::new(AtomicU32::new(0));
        let config = |seed| GateConfig {
            // The simulated Kalshi takes stamps of at most ten seconds.
            patience: Patience { absence: Ns::from_ms(15_000), ..Patience::default() },
            orders: PoolConfig { size: 2, ..PoolConfig::default() },
            seed,
            ..GateConfig::default()
        };
        let origin = || Origin::new(HOST, USER_AGENT).map_err(|e| e.to_string());

        let (header_filler, headers) = header_pool(HeaderSpread::default());
        let account = KalshiAccount {
            signer: keys.kalshi()?,
            headers,
            origin: origin()?,
            terms: terms.kalshi,
            fees: terms.fees[0].clone(),
            balance_grid: Usd::new(spec.balance_grid),
            limits: KalshiLimits {
                write_rate: 1_200,
                write_capacity: 3_600,
                read_rate: 1_200,
                read_capacity: 1_200,
            },
            run,
        };
        let ends = GateEnds {
            bundles: kalshi_bundles,
            feedback: kalshi_feedback,
            kill_epoch: Arc::clone(&kill_epoch),
        };
        let clerk = KalshiClerk::new(account);
        let net = pipes(0, WS_PATH);
        let kalshi_gate = Gate::new(clerk, net, ends, config(number(salt())), clock.clone())
            .with_journal(kalshi_journal, true);

        let (armed_filler, armed) = armed_ring();
        let account = PolymarketAccount {
            armory: keys.armory(salt())?,
            armed,
            origin: origin()?,
            terms: terms.polymarket.clone(),
            fees: terms.fees[1].clone(),
            limits: PolymarketLimits {
                order_rate: 40,
                order_burst: 60,
                cancel_rate: 80,
                cancel_burst: 120,
            },
            heartbeat: false,
        };
        let ends = GateEnds {
            bundles: polymarket_bundles,
            feedback: polymarket_feedback,
            kill_epoch: Arc::clone(&kill_epoch),
        };
        let clerk = PolymarketClerk::new(account);
        let net = pipes(1, "/ws/user");
        let polymarket_gate = Gate::new(clerk, net, ends, config(number(salt())), clock.clone())
            .with_journal(polymarket_journal, true);
        let signer = SignerTile::new(
            Some(HeaderDuty { signer: keys.kalshi()?, filler: header_filler }),
            Some(ArmDuty {
                armory: keys.armory(salt())?,
                terms: terms.polymarket,
                requests,
                rules: None,
                filler: armed_filler,
                orders_max: ARMED,
            }),
        )
        .with_journal(signer_journal);

        let (kalshi_tops, kalshi_tops_rx) = RingBuffer::new(TOP_RING_DEPTH);
        let (kalshi_controls, kalshi_controls_rx) = RingBuffer::new(CONTROL_RING_DEPTH);
        let (kalshi_verdicts, verdicts) = RingBuffer::new(VERDICT_RING_DEPTH);
        let pace = |seed| Pace { seed, rotate_every: None, mark_frames: false };
        let ends = Ends {
            tops: kalshi_tops,
            controls: kalshi_controls,
            verdicts,
            markets: None,
            tap: None,
            notices: setup.events,
        };
        let kalshi = LiveFeed::through(
            (FeedPipes::new(pipes(0, WS_PATH)), pace(number(salt()))),
            live::kalshi::Kalshi { markets_a_line: spec.markets_a_line[0], trades: false },
            setup.kalshi,
            KalshiLogin::new(keys.kalshi()?, Lane::Feed),
            ends,
            now,
        );
        let (polymarket_tops, polymarket_tops_rx) = RingBuffer::new(TOP_RING_DEPTH);
        let (polymarket_controls, polymarket_controls_rx) = RingBuffer::new(CONTROL_RING_DEPTH);
        let (polymarket_verdicts, verdicts) = RingBuffer::new(VERDICT_RING_DEPTH);
        let ends = Ends {
            tops: polymarket_tops,
            controls: polymarket_controls,
            verdicts,
            markets: None,
            tap: None,
            notices: (),
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
        let budgets = [kalshi_gate.clerk().budgets(), polymarket_gate.clerk().budgets()];
        let outlet = LiveOutlet::new(vec![to_kalshi, to_polymarket], Some(arms), events_tx)
            .with_budgets(budgets);
        let feedback = vec![from_kalshi, from_polymarket];
        let core = LiveTile::new(desk, feeds, feedback, commands_rx, outlet, None);
        Ok(Trader {
            kalshi,
            polymarket,
            core,
            kalshi_gate,
            polymarket_gate,
            signer,
            journal,
            _watch: watch,
            events,
            commands,
            _verdicts: [kalshi_verdicts, polymarket_verdicts],
            kill_epoch,
            now: now.mono,
        })
    }

    /// Steps all tiles until none has anything to do at this instant; the steps it took, or `None`
    /// where it never ends.
    pub fn settle(&mut self, now: Now) -> Option<usize> {
        self.now = now.mono;
        for rounds in 0..ROUNDS_MAX {
            let done = self.kalshi.step(now)
                + self.polymarket.step(now)
                + self.core.step(now)
                + self.kalshi_gate.step(now)
                + self.polymarket_gate.step(now)
                + self.signer.step(now)
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
            self.kalshi_gate.next_deadline(),
            self.polymarket_gate.next_deadline(),
            self.signer.next_deadline(),
        ];
        // A sync under way ends when the disk says so, not when the tile knows.
        let syncs = self.journal.is_busy().then(|| self.now.after(SYNC_EVERY));
        tiles.into_iter().chain([syncs]).flatten().min()
    }

    /// The journal cannot be written any more: no order leaves before a restart.
    pub fn is_shut(&self) -> bool {
        self.journal.failed().is_some()
    }

    /// Connections of the feeds that are open, by venue.
    pub fn open_lines(&self) -> [usize; 2] {
        [self.kalshi.open_lines().0, self.polymarket.open_lines().0]
    }

    /// What happened since.
    pub fn event(&mut self) -> Option<Event> {
        self.events.pop().ok()
    }

    /// Inputs that the core took.
    pub fn inputs(&self) -> u64 {
        self.core.inputs()
    }

    /// The core.
    pub fn core(&self) -> &Core {
        self.core.core()
    }

    /// Tells the core something; false where its ring is full.
    pub fn tell(&mut self, command: Command) -> bool {
        self.commands.push(command).is_ok()
    }

    /// Raised by whoever stops trading, before the core hears of it.
    pub fn kill_epoch(&self) -> &AtomicU32 {
        &self.kill_epoch
    }

    /// Both gates can get orders to their venues.
    pub fn is_ready(&self) -> bool {
        self.kalshi_gate.is_ready() && self.polymarket_gate.is_ready()
    }

    /// What the gates counted.
    pub fn figures(&self) -> [GateFigures; 2] {
        [self.kalshi_gate.figures(), self.polymarket_gate.figures()]
    }

    /// Orders of both gates that have not ended.
    pub fn open_orders(&self) -> usize {
        self.kalshi_gate.open_orders()[0] + self.polymarket_gate.open_orders()[0]
    }

    /// Events and arm requests that found no room.
    pub fn lost(&self) -> u64 {
        let [events, arms, _] = self.core.lost();
        events + arms
    }
}
