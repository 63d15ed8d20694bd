//! One `[[pair]]` of the text -> a [`PairSpec`].

use engine::grid::Grid;
use engine::pair::{LegOrder, MULTIPLIER_E6_MAX, Polarity, Verdict};
use engine::units::Px;
use toml::Spanned;
use toml::de::DeTable;

use super::node::{Node, shown};
use super::{
    FILE_LEN_MAX, FeeType, KalshiSpec, PairError, PairErrorKind, PairSpec, Placed, PolymarketSpec,
    SCHEMA, Source, Version,
};

const TOP_KEYS: &[&str] = &["schema", "pair"];
const PAIR_KEYS: &[&str] = &[
    "id",
    "polarity",
    "event",
    "verdict",
    "legs",
    "expected_resolution",
    "worst_payoff",
    "kalshi",
    "polymarket",
];
/// In the order of [`LegOrder::ALL`].
const LEG_ORDERS: &[&str] = &[
    LegOrder::Both.name(),
    LegOrder::First.name(),
    LegOrder::Second.name(),
    LegOrder::Auto.name(),
];
const KALSHI_KEYS: &[&str] =
    &["ticker", "event", "grid", "fee_type", "fee_multiplier", "exchange_index", "close_time"];
const BAND_KEYS: &[&str] = &["start", "end", "step"];
const POLYMARKET_KEYS: &[&str] = &[
    "condition_id",
    "yes",
    "no",
    "tick",
    "min_size",
    "min_notional",
    "fee_rate",
    "fee_exponent",
    "neg_risk",
    "version",
    "taker_delay_ms",
    "game_start",
];

/// The largest uint256: no token id is above it. Decimal texts of equal length compare as numbers.
const TOKEN_MAX: &str =
    "115792089237316195423570985008687907853269984665640564039457584007913129639935";

/// The longest delay taken as meant; the venue's longest is some seconds (polymarket.md section 9).
const TAKER_DELAY_MS_MAX: u32 = 600_000;

/// Appends the pairs of one file.
pub(super) fn pairs_of<'t>(
    source: Source<'t>,
    placed: &mut Vec<Placed<'t>>,
) -> Result<(), PairError> {
    if source.text.len() > FILE_LEN_MAX {
        return Err(PairError::file(source.name, None, PairErrorKind::FileTooLong));
    }
    let document = DeTable::parse(source.text).map_err(|error| {
        let line = error.span().map(|span| source.line(span.start));
        PairError::file(source.name, line, PairErrorKind::Toml(shown(error.message())))
    })?;
    let top = Node { source, table: document.get_ref(), at: 0, pair: None, path: String::new() };
    schema(&top)?;
    top.only(TOP_KEYS)?;
    if !top.table.contains_key("pair") {
        return Ok(()); // A table of no pairs is what an empty discovery writes.
    }
    for (number, mut node) in top.children("pair", "[[pair]] tables")?.into_iter().enumerate() {
        node.path = String::new();
        let unnamed = format!("number {}", number + 1);
        let named = node.table.get("id").map(Spanned::get_ref).and_then(|id| id.as_str());
        let label = named.map(|id| format!("\"{}\"", shown(id))).unwrap_or(unnamed);
        placed.push(Placed { at: node.at, spec: pair(&node.called(&label))?, source });
    }
    Ok(())
}

fn schema(top: &Node<'_>) -> Result<(), PairError> {
    let Some(value) = top.table.get("schema") else {
        return Err(PairError::file(top.source.name, Some(1), PairErrorKind::NoSchema));
    };
    let number = value.get_ref().as_integer();
    if number.is_some_and(|n| u64::from_str_radix(n.as_str(), n.radix()) == Ok(SCHEMA)) {
        return Ok(());
    }
    let span = value.span();
    let text = top.source.text.get(span).unwrap_or_default();
    Err(top.error("schema", PairErrorKind::Schema(shown(text))))
}

fn pair(node: &Node<'_>) -> Result<PairSpec, PairError> {
    node.only(PAIR_KEYS)?;
    let polarity = match node.word("polarity", &["same", "inverted"])? {
        0 => Polarity::Same,
        _ => Polarity::Inverted,
    };
    let verdict = if node.table.contains_key("verdict") {
        match node.word("verdict", &["tradable", "approved", "needs-review", "blocked"])? {
            0 => Verdict::Tradable,
            1 => Verdict::Approved,
            2 => Verdict::NeedsReview,
            _ => Verdict::Blocked,
        }
    } else {
        Verdict::Unspecified
    };
    let event = "a short name as text: letters, digits and -._:/+=#@";
    Ok(PairSpec {
        id: node.name("id", "a unique name as text: letters, digits and -._:/+=#@")?,
        polarity,
        event: match node.table.contains_key("event") {
            true => Some(node.name("event", event)?),
            false => None,
        },
        verdict,
        legs: match node.table.contains_key("legs") {
            true => Some(LegOrder::ALL[node.word("legs", LEG_ORDERS)?]),
            false => None,
        },
        expected_resolution: node.time_opt("expected_resolution")?,
        worst_payoff: match node.table.contains_key("worst_payoff") {
            true => node.price("worst_payoff")?,
            false => Px::ZERO,
        },
        kalshi: kalshi(&node.child("kalshi")?)?,
        polymarket: polymarket(&node.child("polymarket")?)?,
    })
}

fn kalshi(node: &Node<'_>) -> Result<KalshiSpec, PairError> {
    node.only(KALSHI_KEYS)?;
    let want = "the fee_type of the market's series as text, such as \"quadratic\"";
    let fee_type = match node.name("fee_type", want)?.as_str() {
        "quadratic" => FeeType::Quadratic,
        "quadratic_with_maker_fees" => FeeType::QuadraticWithMakerFees,
        "quadratic_with_combo_maker_fees" => FeeType::QuadraticWithComboMakerFees,
        other => FeeType::Other(other.to_owned()),
    };
    Ok(KalshiSpec {
        ticker: node.name("ticker", "the market's ticker as text")?,
        event: node.name("event", "the event's ticker as text")?,
        grid: grid(node)?,
        fee_type,
        fee_multiplier_e6: node.factor_e6(
            "fee_multiplier",
            MULTIPLIER_E6_MAX,
            "a decimal as text, \"0\" to \"100\", at most 6 decimals",
        )?,
        exchange_index: node.integer(
            "exchange_index",
            i32::MAX as u32,
            "the market's own shard, 0 or above, without quotes",
        )?,
        close_time: node.time_opt("close_time")?,
    })
}

fn grid(node: &Node<'_>) -> Result<Grid, PairError> {
    let want = "an array of { start, end, step } with prices as text";
    let mut bands = Vec::new();
    for band in node.children("grid", want)? {
        band.only(BAND_KEYS)?;
        bands.push((band.price("start")?.e4(), band.price("end")?.e4(), band.price("step")?.e4()));
    }
    let grid =
        Grid::banded(&bands).map_err(|error| node.error("grid", PairErrorKind::Grid(error)))?;
    // An order's price is inside of the dollar; without one the market could never trade.
    let inside = |step| grid.px_of(step) > Px::ZERO && grid.px_of(step) < Px::ONE;
    match (0..grid.steps()).any(inside) {
        true => Ok(grid),
        false => Err(node.error("grid", PairErrorKind::GridWithoutPrice)),
    }
}

fn polymarket(node: &Node<'_>) -> Result<PolymarketSpec, PairError> {
    node.only(POLYMARKET_KEYS)?;
    let (yes, no) = (token(node, "yes")?, token(node, "no")?);
    if yes == no {
        return Err(node.error("no", PairErrorKind::SameTokens));
    }
    let tick = node.price("tick")?;
    // A tick of a whole dollar divides it too, and leaves no price between nothing and all.
    let grid = Grid::uniform(tick.e4())
        .ok()
        .filter(|grid| grid.steps() > 2)
        .ok_or_else(|| node.error("tick", PairErrorKind::Tick(tick.to_string())))?;
    let (min_size, min_size_text) = node.min_size("min_size")?;
    let exponent = "1 or 2, without quotes";
    Ok(PolymarketSpec {
        condition_id: condition_id(node)?,
        yes,
        no,
        tick,
        grid,
        min_size,
        min_size_text: min_size_text.to_owned(),
        min_notional: node.min_notional("min_notional")?,
        fee_rate_e6: node.factor_e6(
            "fee_rate",
            999_999,
            "a decimal as text, from \"0\" to below \"1\", at most 6 decimals",
        )?,
        fee_exponent: match node.integer("fee_exponent", 2, exponent)? {
            1 => 1,
            2 => 2,
            other => return Err(node.refused("fee_exponent", &other.to_string(), exponent)),
        },
        neg_risk: node.boolean("neg_risk")?,
        version: match node.word("version", &["v1", "v2"])? {
            0 => Version::V1,
            _ => Version::V2,
        },
        taker_delay_ms: match node.table.contains_key("taker_delay_ms") {
            true => node.integer(
                "taker_delay_ms",
                TAKER_DELAY_MS_MAX,
                "milliseconds, 0 to 600000, without quotes",
            )?,
            false => 0,
        },
        game_start: node.time_opt("game_start")?,
    })
}

fn condition_id(node: &Node<'_>) -> Result<String, PairError> {
    let want = "the condition id as text: 0x and 64 hexadecimal digits";
    let text = node.text("condition_id", want)?;
    let digits = text.strip_prefix("0x").unwrap_or_default();
    if digits.len() != 64 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(node.refused("condition_id", text, want));
    }
    Ok(text.to_ascii_lowercase())
}

fn token(node: &Node<'_>, key: &'static str) -> Result<String, PairError> {
    let want =
        "the token or position id as text: a decimal number of at most 78 digits, below 2^256";
    let text = node.text(key, want)?;
    let decimal = text.bytes().all(|b| b.is_ascii_digit());
    // Identity is compared as text, so a number has one spelling: no zero in front.
    let plain = decimal && !text.is_empty() && !text.starts_with('0');
    let fits = text.len() < TOKEN_MAX.len() || (text.len() == TOKEN_MAX.len() && text <= TOKEN_MAX);
    if plain && fits { Ok(text.to_owned()) } else { Err(node.refused(key, text, want)) }
}
