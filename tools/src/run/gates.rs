//! What a run needs to send orders: accounts, terms of every market, signers and gates.

use std::sync::Arc;
use std::sync::atomic::AtomicU32;

use engine::budget::OrderBudgets;
use engine::clock::{Clock, TscClock};
use engine::event::{ArmRequest, Control, Dispatch, Event, Feedback};
use engine::lanes::Lanes;
use engine::live_tile::{ARM_RING_DEPTH, FEEDBACK_RING_DEPTH, LiveOutlet, RULE_RING_DEPTH};
use engine::pair::{FeeRule, PairTable};
use engine::risk::Word;
use engine::units::{Ns, Venue};
use exec::armed::armed_ring;
use exec::armory::Armory;
use exec::gate::admit::WORD_RING_DEPTH;
use exec::gate::kalshi::{KalshiAccount, KalshiClerk, KalshiLimits};
use exec::gate::net::{Net, TlsNet};
use exec::gate::orders::Patience;
use exec::gate::polymarket::{PolymarketAccount, PolymarketClerk, PolymarketLimits};
use exec::gate::{GateConfig, GateEnds, KalshiGate, NewTerms, PolymarketGate, TERMS_RING_DEPTH};
use exec::journal::JournalWriter;
use exec::pool::PoolConfig;
use exec::request::Origin;
use exec::sign::kalshi::KalshiSigner;
use exec::sign::l2::L2Signer;
use exec::sign::pool::header_pool;
use exec::sign::position::MarketVersion;
use exec::signer::{ArmDuty, HeaderDuty, SignerTile};
use exec::terms::{KalshiTerms, PolymarketTerms, TermsTable};
use exec::token::TokenId;
use rtrb::{Consumer, Producer, RingBuffer};

use super::brakes::Brakes;
use super::doors;
use super::spec::RunSpec;
use crate::account;
use crate::config::{Config, Environment};
use crate::crash::Fused;
use crate::pairs::{PairFile, PairSpec, Version};
use crate::rest::polymarket::PolymarketRest;
use crate::rest::{Agent, keys};

/// What requests say of who sends them: the edge refuses some libraries' own names.
const USER_AGENT: &str = concat!("parallax/", env!("CARGO_PKG_VERSION"));

/// A standard account of Polymarket (polymarket.md section 9).
const STANDARD: PolymarketLimits =
    PolymarketLimits { order_rate: 40, order_burst: 60, cancel_rate: 80, cancel_burst: 120 };

/// The tiles that send orders.
pub struct Gates<T = TscClock, N: Net = Fused<TlsNet>> {
    /// Kalshi's.
    pub kalshi: KalshiGate<T, N>,
    /// Polymarket's.
    pub polymarket: PolymarketGate<T, N>,
    /// Keeps headers and orders ready for them.
    pub signer: SignerTile,
}

/// What the gates write of a run, and whether they wait for the disk.
pub struct GateJournal {
    /// Number of the run.
    pub run: u64,
    /// Kalshi's, Polymarket's, the signer's.
    pub writers: [JournalWriter; 3],
    /// Orders leave only when they are durable.
    pub waits: bool,
}

/// The core's ends of the gates' rings.
pub struct GateRings {
    /// Bundles, by venue.
    pub bundles: Vec<Producer<Dispatch>>,
    /// What became of them, by venue.
    pub feedback: Vec<Consumer<Feedback>>,
    /// Orders to be signed ahead.
    pub arms: Producer<ArmRequest>,
    /// Rules that changed, for both gates and the signer.
    pub rules: Vec<Producer<Control>>,
    /// Raised by whoever stops trading.
    pub kill_epoch: Arc<AtomicU32>,
    /// What each gate is told, by venue.
    pub words: Vec<Producer<Word>>,
    /// What the venues let us send, by venue.
    pub budgets: [Arc<OrderBudgets>; 2],
    /// How many orders each gate can send at once.
    pub lanes: [Arc<Lanes>; 2],
    /// Markets of pairs that join; whoever finds pairs takes it.
    pub terms: Option<TermsRings>,
}

/// The ways by which gates and signer learn the markets of pairs that join.
pub struct TermsRings {
    /// To Kalshi's gate.
    pub kalshi: Producer<NewTerms<KalshiTerms>>,
    /// To Polymarket's gate and to the signer.
    pub polymarket: [Producer<NewTerms<PolymarketTerms>>; 2],
}

impl GateRings {
    /// What the core hears of the gates, what it tells them, and how they are stopped.
    pub fn ends(self, events: Producer<Event>) -> (Vec<Consumer<Feedback>>, LiveOutlet, Brakes) {
        let outlet = LiveOutlet::new(self.bundles, Some(self.arms), events)
            .with_budgets(self.budgets)
            .with_lanes(self.lanes)
            .with_rules(self.rules);
        (self.feedback, outlet, Brakes::new(self.kill_epoch, self.words))
    }
}

/// Terms of every market of the pairs.
pub struct Terms {
    /// Kalshi's.
    pub kalshi: TermsTable<KalshiTerms>,
    /// Polymarket's.
    pub polymarket: TermsTable<PolymarketTerms>,
    /// What each charges.
    pub fees: [TermsTable<FeeRule>; 2],
}

/// The terms of every market of the pairs.
///
/// # Errors
/// Names the pair and what is wrong with it.
pub fn terms(file: &PairFile, table: &PairTable) -> Result<Terms, String> {
    let mut terms = Terms {
        kalshi: TermsTable::new(Venue::Kalshi),
        polymarket: TermsTable::new(Venue::Polymarket),
        fees: [TermsTable::new(Venue::Kalshi), TermsTable::new(Venue::Polymarket)],
    };
    for (spec, pair) in file.pairs.iter().zip(table.pairs()) {
        let of = |reason: &dyn std::fmt::Display| format!("pair \"{}\": {reason}", spec.id);
        let [first, second] = pair.sides;
        terms
            .kalshi
            .set(first.market, kalshi_terms(spec))
            .map_err(|_| of(&"market of another venue"))?;
        let polymarket = polymarket_terms(spec).map_err(|wrong| of(&wrong))?;
        terms.polymarket.set(second.market, polymarket).map_err(|_| of(&"another venue"))?;
        for (fees, side) in terms.fees.iter_mut().zip(pair.sides) {
            fees.set(side.market, side.fee).map_err(|_| of(&"another venue"))?;
        }
    }
    terms.kalshi.reserve(table.reserve());
    terms.polymarket.reserve(table.reserve());
    terms.fees.iter_mut().for_each(|fees| fees.reserve(table.reserve()));
    Ok(terms)
}

/// What an order at a pair's market on Kalshi needs.
pub fn kalshi_terms(spec: &PairSpec) -> KalshiTerms {
    KalshiTerms {
        ticker: spec.kalshi.ticker.clone(),
        exchange_index: spec.kalshi.exchange_index,
        grid: spec.kalshi.grid,
    }
}

/// What an order at a pair's market on Polymarket needs.
///
/// # Errors
/// What is wrong with it, in words.
pub fn polymarket_terms(spec: &PairSpec) -> Result<PolymarketTerms, String> {
    let p = &spec.polymarket;
    let token = |text: &str| TokenId::parse(text).ok_or_else(|| format!("`{text}` is no token id"));
    let version = match p.version {
        Version::V1 => MarketVersion::V1,
        Version::V2 => MarketVersion::V2,
    };
    PolymarketTerms::new([token(&p.yes)?, token(&p.no)?], version, p.neg_risk, p.tick)
        .map_err(|wrong| wrong.to_string())
}

fn rule_rings() -> (Vec<Producer<Control>>, [Consumer<Control>; 3]) {
    let mut rules = Vec::new();
    let heard = [(); 3].map(|()| {
        let (tell, hear) = RingBuffer::new(RULE_RING_DEPTH);
        rules.push(tell);
        hear
    });
    (rules, heard)
}

/// How long an order that no list holds may still come into being. Simulated venues take stamps of
/// ten seconds, run at most two seconds wrong, and their lists do not lag.
fn patience(environment: Environment) -> Patience {
    match environment {
        Environment::Sim => Patience { absence: Ns::from_ms(15_000), ..Patience::default() },
        _ => Patience::default(),
    }
}

/// Who we are on Kalshi, and how it is reached.
pub struct KalshiSide<N> {
    /// The gate's and the signer's, which sign apart from each other.
    pub signers: [KalshiSigner; 2],
    /// Stands in every request.
    pub origin: Origin,
    /// Connections.
    pub net: N,
    /// Number of the run, of which the ids of its orders are made.
    pub run: u64,
    /// Seed of the waits between tries.
    pub seed: u64,
}

/// Who we are on Polymarket, and how it is reached.
pub struct PolymarketSide<N> {
    /// The gate's and the signer's, each with a generator of its own.
    pub armories: [Armory; 2],
    /// Stands in every request.
    pub origin: Origin,
    /// Connections.
    pub net: N,
    /// Seed of the waits between tries.
    pub seed: u64,
}

/// Makes the gates of a run. It logs in to Polymarket, so it blocks.
///
/// # Errors
/// What cannot be found, read or reached, in words that name it.
pub fn gates(
    config: &Config,
    spec: &RunSpec,
    pairs: (&PairFile, &PairTable),
    agent: &Agent,
    clock: &TscClock,
    journal: Option<GateJournal>,
) -> Result<(Gates, GateRings), String> {
    let tls = doors::tls(config)?;
    let fused = |net| Fused::new(net, config.crash_at.clone());
    let random = || keys::seed().map_err(|problem| problem.0);
    let number = |seed: [u8; 32]| seed.first_chunk().map_or(0, |le| u64::from_le_bytes(*le));
    let no_key = "no key: set kalshi.key_id and kalshi.key_file";
    let kalshi_key = || keys::kalshi(config).map_err(|p| p.0)?.ok_or_else(|| no_key.to_owned());
    let endpoint = doors::endpoint(&config.kalshi.rest)?;
    let kalshi = KalshiSide {
        signers: [kalshi_key()?, kalshi_key()?],
        origin: Origin::new(&endpoint.authority(), USER_AGENT).map_err(|e| e.to_string())?,
        net: fused(TlsNet {
            orders: endpoint,
            channel: doors::endpoint(&config.kalshi.ws)?,
            channel_path: config.kalshi.ws.path().to_owned(),
            tls: Arc::clone(&tls),
        }),
        run: journal.as_ref().map_or_else(|| random().map(number), |j| Ok(j.run))?,
        seed: number(random()?),
    };

    let wallet = || {
        keys::polymarket(config)
            .map_err(|p| p.0)?
            .ok_or_else(|| "no key: set polymarket.key_file or POLY_PRIVATE_KEY".to_owned())
    };
    let mut rest = PolymarketRest::new(&config.polymarket, agent.clone());
    let endpoint = doors::endpoint(&config.polymarket.clob)?;
    let host = endpoint.authority();
    let mut armory = || -> Result<Armory, String> {
        let mut wallet = wallet()?;
        let credentials =
            account::credentials(config, &mut rest, &mut wallet).map_err(|e| e.to_string())?;
        let login = L2Signer::new(wallet.owner(), credentials);
        Armory::new(wallet, login, &host, USER_AGENT, random()?).map_err(|e| e.to_string())
    };
    let polymarket = PolymarketSide {
        armories: [armory()?, armory()?],
        origin: Origin::new(&host, USER_AGENT).map_err(|e| e.to_string())?,
        net: fused(TlsNet {
            orders: endpoint,
            channel: doors::endpoint(&config.polymarket.ws)?,
            channel_path: format!("{}/user", config.polymarket.ws.path()),
            tls,
        }),
        seed: number(random()?),
    };
    wire(config, spec, pairs, (kalshi, polymarket), clock, journal)
}

/// The gates and the signer with their rings, whatever network and whatever clock: what trades on
/// real venues and what a simulation tries to break are made here, and nowhere else.
///
/// # Errors
/// What is wrong with the pairs or the limits.
pub fn wire<N: Net + Clone, T: Clock + Clone>(
    config: &Config,
    spec: &RunSpec,
    (file, table): (&PairFile, &PairTable),
    (kalshi, polymarket): (KalshiSide<N>, PolymarketSide<N>),
    clock: &T,
    journal: Option<GateJournal>,
) -> Result<(Gates<T, N>, GateRings), String> {
    let ring = || RingBuffer::new(table.slots().max(1));
    let ((to_kalshi, kalshi_bundles), (to_polymarket, polymarket_bundles)) = (ring(), ring());
    let (kalshi_feedback, from_kalshi) = RingBuffer::new(FEEDBACK_RING_DEPTH);
    let (polymarket_feedback, from_polymarket) = RingBuffer::new(FEEDBACK_RING_DEPTH);
    let (arms, requests) = RingBuffer::new(ARM_RING_DEPTH);
    let (rules, [kalshi_rules, polymarket_rules, signer_rules]) = rule_rings();
    let (kalshi_words, kalshi_heard) = RingBuffer::new(WORD_RING_DEPTH);
    let (polymarket_words, polymarket_heard) = RingBuffer::new(WORD_RING_DEPTH);
    let [kalshi_guard, polymarket_guard] = spec.guards(table)?;
    let kill_epoch = Arc::new(AtomicU32::new(0));
    let markets = terms(file, table)?;

    let (header_filler, headers) = header_pool(config.signing.headers);
    let [signer, ahead] = kalshi.signers;
    let account = KalshiAccount {
        signer,
        headers,
        origin: kalshi.origin,
        terms: markets.kalshi,
        fees: markets.fees[0].clone(),
        balance_grid: config.kalshi.balance_grid,
        limits: KalshiLimits {
            write_rate: config.kalshi.tier.write_per_s,
            write_capacity: config.kalshi.tier.write_burst,
            read_rate: config.kalshi.tier.read_per_s,
            read_capacity: config.kalshi.tier.read_burst,
        },
        run: kalshi.run,
    };
    let patience = patience(config.environment);
    let gate_config = |connections: usize, seed: u64| GateConfig {
        patience,
        orders: PoolConfig { size: connections.max(1), ..PoolConfig::default() },
        // Simulated venues reach no order that comes after.
        sweep_rest: match config.environment {
            Environment::Sim => Ns(0),
            _ => GateConfig::default().sweep_rest,
        },
        seed,
        ..GateConfig::default()
    };
    let ends = GateEnds {
        bundles: kalshi_bundles,
        feedback: kalshi_feedback,
        kill_epoch: Arc::clone(&kill_epoch),
    };
    let clerk = KalshiClerk::new(account).with_groups(config.limits.kalshi_group);
    let settings = gate_config(config.kalshi.order_connections, kalshi.seed);
    let kalshi = KalshiGate::new(clerk, kalshi.net, ends, settings, clock.clone())
        .with_rules(kalshi_rules)
        .with_guard(kalshi_guard, kalshi_heard);

    let (armed_filler, armed) = armed_ring();
    let [armory, arming] = polymarket.armories;
    let account = PolymarketAccount {
        armory,
        armed,
        origin: polymarket.origin,
        terms: markets.polymarket.clone(),
        fees: markets.fees[1].clone(),
        limits: STANDARD,
        heartbeat: config.polymarket.heartbeat,
    };
    let ends = GateEnds {
        bundles: polymarket_bundles,
        feedback: polymarket_feedback,
        kill_epoch: Arc::clone(&kill_epoch),
    };
    let settings = gate_config(config.polymarket.order_connections, polymarket.seed);
    let clerk = PolymarketClerk::new(account);
    let polymarket = PolymarketGate::new(clerk, polymarket.net, ends, settings, clock.clone())
        .with_rules(polymarket_rules)
        .with_guard(polymarket_guard, polymarket_heard);
    let signer = SignerTile::new(
        Some(HeaderDuty { signer: ahead, filler: header_filler }),
        Some(ArmDuty {
            armory: arming,
            terms: markets.polymarket,
            requests,
            rules: Some(signer_rules),
            filler: armed_filler,
            orders_max: config.signing.orders,
        }),
    );
    let (kalshi, polymarket, signer) = match journal {
        None => (kalshi, polymarket, signer),
        Some(GateJournal { writers: [first, second, ahead], waits, .. }) => (
            kalshi.with_journal(first, waits),
            polymarket.with_journal(second, waits),
            signer.with_journal(ahead),
        ),
    };
    let (kalshi_markets, coming) = RingBuffer::new(TERMS_RING_DEPTH);
    let kalshi = kalshi.with_markets(coming);
    let (polymarket_markets, coming) = RingBuffer::new(TERMS_RING_DEPTH);
    let polymarket = polymarket.with_markets(coming);
    let (signer_markets, coming) = RingBuffer::new(TERMS_RING_DEPTH);
    let signer = signer.with_markets(coming);
    let lanes = [Arc::new(Lanes::new()), Arc::new(Lanes::new())];
    let kalshi = kalshi.with_lanes(Arc::clone(&lanes[0]));
    let polymarket = polymarket.with_lanes(Arc::clone(&lanes[1]));
    let rings = GateRings {
        bundles: vec![to_kalshi, to_polymarket],
        feedback: vec![from_kalshi, from_polymarket],
        arms,
        rules,
        kill_epoch,
        words: vec![kalshi_words, polymarket_words],
        lanes,
        budgets: [kalshi.clerk().budgets(), polymarket.clerk().budgets()],
        terms: Some(TermsRings {
            kalshi: kalshi_markets,
            polymarket: [polymarket_markets, signer_markets],
        }),
    };
    Ok((Gates { kalshi, polymarket, signer }, rings))
}
