//! How a run is set up, as values that its tape carries: whoever has them can repeat it.

use std::collections::BTreeMap;

use engine::core::{Core, CoreConfig, NO_LIMIT};
use engine::desk::Desk;
use engine::pair::{PairId, PairTable};
use engine::paper::PaperCore;
use engine::repair::RepairConfig;
use engine::risk::day::DayResult;
use engine::risk::limits::RiskLimits;
use engine::risk::{Guard, Word};
use engine::units::{Ns, Qty, Shares, Usd, Venue};
use feeds::kalshi::session::NoSide;
use serde::{Deserialize, Serialize};

use super::legs::RepairSpec;
use super::risk::RiskSpec;
use super::shards;
use crate::pairs::{self, PairFile};
use crate::replay::setup::{self, FeedOptions, Setup};

/// Who fills the orders of a run.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Fills {
    /// Paper venues inside of the core, against the books that stand.
    Paper,
    /// The venues, through the gates.
    Venues,
}

/// How a run is set up. Money in micro-dollars, sizes in 1e-2 contract, times in nanoseconds.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunSpec {
    /// Who fills.
    pub fills: Fills,
    /// Least gain a contract.
    pub min_profit: i64,
    /// Most contracts a bundle.
    pub max_qty: u64,
    /// Money at Kalshi and at Polymarket when the run began.
    pub cash: [i64; 2],
    /// Kalshi's money by shard when the run began; none where all of it is one purse.
    #[serde(default)]
    pub shards: BTreeMap<u32, i64>,
    /// Positions when the run began, by pair: Kalshi's (YES above zero, NO below) and Polymarket's
    /// YES and NO; 1e-6 contracts.
    #[serde(default)]
    pub held: BTreeMap<String, [i64; 3]>,
    /// Rest of a pair after a bundle.
    pub cooldown: u64,
    /// How long a bundle may take to leave.
    pub deadline: u64,
    /// Kalshi's balance grid.
    pub balance_grid: i64,
    /// Everything else that may not be exceeded; `None` is no limit.
    #[serde(default)]
    pub risk: Option<RiskSpec>,
    /// Ids of pairs that are never traded.
    #[serde(default)]
    pub blocked: Vec<String>,
    /// The day on which the run began, since the epoch, and what it had come to.
    #[serde(default)]
    pub today: (u64, i64),
    /// What a contract is taken to have cost that was alone on one side before, where it is closed.
    #[serde(default)]
    pub adopted_each: i64,
    /// Most that one order may come to; `None` is no limit.
    pub max_notional: Option<i64>,
    /// Most money out at once; `None` is no limit.
    pub max_unsettled: Option<i64>,
    /// How close to leaving a pair's order is signed ahead; `None` signs none ahead.
    pub arm_within: Option<i64>,
    /// How what one leg filled alone is closed; `None` leaves it open.
    #[serde(default)]
    pub repair: Option<RepairSpec>,
    /// Paper venues answer after this long, Kalshi's and Polymarket's.
    pub latency: [u64; 2],
    /// Markets on one connection of Kalshi and of Polymarket.
    pub markets_a_line: [usize; 2],
    /// Every how many Polymarket books the hash is compared; 0 is never.
    pub audit_every: u32,
    /// The pair files, whole: name and text.
    pub pairs: Vec<(String, String)>,
    /// Names of the pairs among them that are wanted; empty is all.
    pub wanted: Vec<String>,
    /// How many more pairs may join while it lasts.
    #[serde(default)]
    pub reserve: usize,
    /// What Kalshi's fee multiplier is assumed to be at least, in millionths.
    pub multiplier_min_e6: u32,
}

/// The name of the note's one value.
const SPEC: &str = "spec";

impl RunSpec {
    /// A paper run over these pairs with everything else at its default.
    pub fn new(pairs: Vec<(String, String)>) -> RunSpec {
        let config = CoreConfig::default();
        RunSpec {
            fills: Fills::Paper,
            min_profit: config.min_profit.e6(),
            max_qty: config.max_qty.e2(),
            cash: config.cash.map(Usd::e6),
            shards: BTreeMap::new(),
            held: BTreeMap::new(),
            cooldown: config.cooldown.0,
            deadline: config.deadline.0,
            balance_grid: config.balance_grid.e6(),
            risk: None,
            blocked: Vec::new(),
            today: (0, 0),
            adopted_each: 0,
            max_notional: None,
            max_unsettled: None,
            arm_within: None,
            repair: Some(RepairConfig::default().into()),
            latency: [5_000_000; 2],
            markets_a_line: [250, 100],
            audit_every: 16,
            pairs,
            wanted: Vec::new(),
            reserve: 0,
            multiplier_min_e6: 0,
        }
    }

    /// What the core may do.
    ///
    /// # Errors
    /// A size beyond what the engine can hold.
    pub fn core_config(&self) -> Result<CoreConfig, String> {
        let max_qty = Qty::new(self.max_qty)
            .ok_or_else(|| format!("max_qty {} is beyond any order", self.max_qty))?;
        Ok(CoreConfig {
            min_profit: Usd::new(self.min_profit),
            max_qty,
            cash: self.cash.map(Usd::new),
            cooldown: Ns(self.cooldown),
            deadline: Ns(self.deadline),
            balance_grid: Usd::new(self.balance_grid),
            max_notional: self.max_notional.map_or(NO_LIMIT, Usd::new),
            max_unsettled: self.max_unsettled.map_or(NO_LIMIT, Usd::new),
            arm_within: self.arm_within.map(Usd::new),
            repair: self.repair.map(RepairConfig::from),
            trade: true,
        })
    }

    /// The pairs.
    ///
    /// # Errors
    /// What is wrong with the pair file.
    pub fn pair_file(&self) -> Result<PairFile, String> {
        let mut file = pairs::parse_all(&self.pairs).map_err(|error| error.to_string())?;
        file.pairs.retain(|pair| self.wanted.is_empty() || self.wanted.contains(&pair.id));
        for pair in &mut file.pairs {
            let own = &mut pair.kalshi.fee_multiplier_e6;
            *own = (*own).max(self.multiplier_min_e6);
        }
        Ok(file)
    }

    /// Sessions that know the pairs' markets and nothing else, each on its connection, and the
    /// pairs.
    ///
    /// # Errors
    /// What is wrong with the pair file.
    pub fn setup(&self) -> Result<Setup, String> {
        let options =
            FeedOptions { no_side: NoSide::YesPrice, audit_every: self.audit_every, learn: false };
        let mut setup = setup::setup_for(&self.pair_file()?, options, self.reserve)
            .map_err(|error| error.to_string())?;
        // As a live feed spreads its markets: in the order of their numbers.
        let [kalshi, polymarket] = self.markets_a_line.map(|markets| markets.max(1));
        for number in 0..setup.kalshi.markets() {
            setup.kalshi.assign(number, (number / kalshi) as u32 + 1);
        }
        for number in 0..setup.polymarket.markets() {
            setup.polymarket.assign(number, (number / polymarket) as u32 + 1);
        }
        Ok(setup)
    }

    /// The core with what stands behind it.
    ///
    /// # Errors
    /// As [`RunSpec::core_config`].
    pub fn desk(&self, setup: &Setup) -> Result<Desk, String> {
        let (table, config) = (setup.table.clone(), self.core_config()?);
        let limits = self.limits()?;
        let today = DayResult { day: self.today.0, result: Usd::new(self.today.1) };
        let mut desk = match self.fills {
            Fills::Paper => {
                let core = PaperCore::new(table, setup.markets, config, self.latency.map(Ns));
                Desk::Paper(core.with_limits(&limits, today))
            }
            Fills::Venues => {
                let core = Core::new(table, setup.markets, config).with_limits(&limits, today);
                Desk::Real(self.holding(core))
            }
        };
        for word in self.blocks(&setup.table) {
            desk.tell(word);
        }
        if !self.shards.is_empty() {
            let words = shards::words(&self.shards, &setup.table, &self.pair_file()?);
            words.into_iter().for_each(|word| desk.tell(word));
        }
        Ok(desk)
    }

    /// What may be at stake.
    ///
    /// # Errors
    /// A value that no limit can have.
    pub fn limits(&self) -> Result<RiskLimits, String> {
        self.risk.as_ref().map_or(Ok(RiskLimits::NONE), RiskSpec::limits)
    }

    /// Words that take markets out of trading.
    pub fn blocks(&self, table: &PairTable) -> Vec<Word> {
        let blocked = table.pairs().iter().filter(|pair| self.blocked.contains(&pair.id));
        let words = blocked.flat_map(|pair| {
            pair.sides.map(|side| Word::Block { market: side.market, blocked: true })
        });
        words.collect()
    }

    /// The guard of each venue's gate. It begins with what is held there: of the other venue it will
    /// hear nothing, so what it began with would stay for ever.
    ///
    /// # Errors
    /// As [`RunSpec::limits`].
    pub fn guards(&self, table: &PairTable) -> Result<[Guard; 2], String> {
        let most = self.max_unsettled.map_or(NO_LIMIT, Usd::new);
        let mut guard = Guard::new(&self.limits()?, table).with_unsettled(most);
        self.blocks(table).into_iter().for_each(|word| guard.tell(word));
        Ok(Venue::ALL.map(|venue| {
            let mut guard = guard.clone();
            for (pair, net, held) in self.positions(table) {
                guard.begin_at(venue, pair, net, held);
            }
            guard
        }))
    }

    /// A core with the positions that were there before.
    fn holding(&self, mut core: Core) -> Core {
        let each = Usd::new(self.adopted_each);
        for (pair, net, held) in self.positions(core.pairs()) {
            core.begin_with(pair, net, held, each);
        }
        // A gate tells when it can get orders out. Before that a bundle would leave by the other
        // one alone.
        Venue::ALL.into_iter().for_each(|venue| core.on_gate(venue, false));
        core
    }

    /// What is held of each pair: Kalshi's position, and Polymarket's tokens of each outcome.
    fn positions(&self, table: &PairTable) -> Vec<(PairId, i64, [Shares; 2])> {
        let shares = |e6: i64| Shares::new(u64::try_from(e6).unwrap_or(0));
        let pairs = table.pairs().iter().zip(0..);
        let held = pairs.filter_map(|(pair, at)| {
            let [net, yes, no] = *self.held.get(&pair.id)?;
            Some((PairId(at), net, [shares(yes), shares(no)]))
        });
        held.collect()
    }

    /// As the note that begins a tape.
    pub fn to_note(&self) -> BTreeMap<String, String> {
        // Integers and texts always have a JSON form.
        let text = serde_json::to_string(self).unwrap_or_default();
        BTreeMap::from([(SPEC.to_owned(), text)])
    }

    /// From the note that begins a tape.
    ///
    /// # Errors
    /// What is missing or not understood.
    pub fn from_note(values: &BTreeMap<String, String>) -> Result<RunSpec, String> {
        let text = values.get(SPEC).ok_or("the note that begins the run lacks its `spec`")?;
        serde_json::from_str(text).map_err(|error| format!("the run's `spec`: {error}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::pair::{Outcome, Polarity};

    #[test]
    fn a_spec_survives_its_note() {
        let model = crate::model::Model::new(crate::model::Options::default());
        let spec = RunSpec {
            fills: Fills::Venues,
            max_notional: Some(5),
            arm_within: Some(-7),
            multiplier_min_e6: 2_000_000,
            ..RunSpec::new(vec![("model".to_owned(), model.pairs_toml())])
        };
        assert_eq!(RunSpec::from_note(&spec.to_note()), Ok(spec.clone()));
        assert!(RunSpec::from_note(&BTreeMap::new()).unwrap_err().contains("spec"));
        assert_eq!(spec.core_config().unwrap().max_notional, Usd::new(5));
        assert_eq!(spec.core_config().unwrap().max_unsettled, NO_LIMIT);
        let all = spec.pair_file().unwrap().pairs;
        assert!(all.iter().all(|pair| pair.kalshi.fee_multiplier_e6 == 2_000_000));
        let one = RunSpec { wanted: vec![all[1].id.clone()], ..spec };
        assert_eq!(one.pair_file().unwrap().pairs, all[1..2]);
        // What is held goes with its pair, wherever that stands.
        let held = BTreeMap::from([(all[1].id.clone(), [-5, 6, 7])]);
        let one = RunSpec { held, ..one };
        let one = RunSpec::from_note(&one.to_note()).unwrap();
        let desk = one.desk(&one.setup().unwrap()).unwrap();
        let [first, second] = desk.core().pairs().pairs()[0].sides.map(|s| s.market.index());
        assert_eq!(desk.core().net().position_e6(first), -5);
        let tokens = [Outcome::Yes, Outcome::No].map(|o| desk.core().tokens().balance(second, o));
        assert_eq!(tokens, [Shares::new(6), Shares::new(7)]);
    }

    #[test]
    fn each_gate_begins_with_what_is_held_at_its_own_venue() {
        let model = crate::model::Model::new(crate::model::Options::default());
        let spec = RunSpec::new(vec![("model".to_owned(), model.pairs_toml())]);
        let pair = spec.pair_file().unwrap().pairs[1].clone();
        // The tokens that pay when Kalshi's NO does not.
        let [yes, no] = match pair.polarity {
            Polarity::Same => [100_000_000, 0],
            Polarity::Inverted => [0, 100_000_000],
        };
        let held = BTreeMap::from([(pair.id, [-150_000_000, yes, no])]);
        let spec = RunSpec { fills: Fills::Venues, held, ..spec };
        let setup = spec.setup().unwrap();
        let [kalshi, polymarket] = spec.guards(&setup.table).unwrap();
        let core = spec.desk(&setup).unwrap();
        let core = core.core().guard().exposure();
        let at = |guard: &Guard, venue| guard.exposure().venue(venue).notional;
        for (guard, own, other) in [
            (&kalshi, Venue::Kalshi, Venue::Polymarket),
            (&polymarket, Venue::Polymarket, Venue::Kalshi),
        ] {
            assert_eq!(at(guard, own), core.venue(own).notional);
            assert_eq!(at(guard, other), Usd::ZERO);
            assert_eq!(guard.exposure().pair(PairId(1)), core.venue(own));
        }
        // A hundred are hedged: half a dollar on each venue; fifty are not.
        assert_eq!(at(&kalshi, Venue::Kalshi), Usd::new(100_000_000));
        assert_eq!(at(&polymarket, Venue::Polymarket), Usd::new(50_000_000));
    }
}
