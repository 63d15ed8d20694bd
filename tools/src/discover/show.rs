//! Pairs as lines for people and as JSON for programs.

use std::fmt::Write as _;
use std::sync::LazyLock;

use engine::pair::Verdict;
use matching::alias::Aliases;
use serde_json::{Value, json};

use crate::catalogue::crawl::Account;
use crate::catalogue::discovery::Changes;
use crate::catalogue::moment::rfc3339;
use crate::catalogue::store::word;
use crate::catalogue::table::{Entry, Gaps};
use crate::catalogue::worth;

/// Pairs that are shown without being asked for all.
const LINES_MAX: usize = 60;

/// Pairs one a line, and how many there are.
pub fn lines(entries: &[Entry], counts: [u64; 2], hint: bool) -> String {
    let mut text = String::new();
    if !entries.is_empty() {
        let _ = writeln!(text, "{:<13} {:>8}  {:<36} question", "verdict", "a year", "pair");
    }
    for entry in entries.iter().take(LINES_MAX) {
        let apr = entry.worth.map_or("-".to_owned(), |worth| in_column(worth.apr_bp));
        let held = if entry.held { " (held)" } else { "" };
        let question = &entry.polymarket.market.question;
        let line = format!(
            "{:<13} {apr:>8}  {:<36} {question}{held}",
            word(entry.verdict()),
            entry.row.id,
        );
        let _ = writeln!(text, "{}", super::explain::cut(&line, 118));
    }
    if entries.len() > LINES_MAX {
        let _ = writeln!(text, "... and {} more (--json shows all)", entries.len() - LINES_MAX);
    }
    let count = |wanted: Verdict| entries.iter().filter(|e| e.verdict() == wanted).count();
    let [kalshi, polymarket] = counts;
    let _ = writeln!(
        text,
        "{} pairs of {kalshi} open markets on Kalshi and {polymarket} on Polymarket: {} tradable, \
         {} approved, {} need a review, {} blocked",
        entries.len(),
        count(Verdict::Tradable),
        count(Verdict::Approved),
        count(Verdict::NeedsReview),
        count(Verdict::Blocked),
    );
    if hint && !entries.is_empty() {
        text.push_str(
            "Write them with --out pairs.toml; read one with `parallax pairs show ID`.\n",
        );
    }
    text
}

/// Everything as one object.
pub fn json(
    entries: &[Entry],
    counts: [u64; 2],
    account: Option<&Account>,
    changes: &Changes,
) -> String {
    let crawl = account.map(|account| {
        json!({
            "pages": account.pages,
            "rows": account.rows,
            "changed": account.changed,
            "complete": {"kalshi": account.complete[0], "polymarket": account.complete[1]},
            "notes": account.notes,
            "notes_count": account.notes_count,
        })
    });
    let pairs: Vec<Value> = entries.iter().map(pair).collect();
    let object = json!({
        "markets": {"kalshi": counts[0], "polymarket": counts[1]},
        "crawl": crawl,
        "changes": {
            "found": changes.found,
            "ended": changes.ended,
            "paused": changes.paused,
            "matched": changes.matched,
        },
        "pairs": pairs,
    });
    format!("{object}\n")
}

/// One pair.
pub fn pair(entry: &Entry) -> Value {
    let (kalshi, polymarket) = (&entry.kalshi.market, &entry.polymarket.market);
    let gaps = entry.gaps();
    let tokens = |at: usize| polymarket.tokens.get(at);
    let judged: Value = serde_json::from_str(&entry.row.judgement).unwrap_or_default();
    json!({
        "id": entry.row.id,
        "verdict": word(entry.verdict()),
        "why": entry.why(),
        "polarity": entry.row.polarity,
        "score": entry.row.score,
        "kalshi_ticker": kalshi.ticker,
        "condition_id": polymarket.condition_id,
        "yes": tokens(0),
        "no": tokens(1),
        "mapping": judged["mapping"],
        "title": polymarket.question,
        "kalshi_title": kalshi.title,
        "kalshi_yes": kalshi.yes_sub_title,
        "slug": polymarket.slug,
        "close_time": kalshi.close_time.map(rfc3339),
        "expected_resolution": worth::resolution(&entry.kalshi, &entry.polymarket).map(rfc3339),
        "locked_s": entry.worth.map(|worth| worth.locked_s),
        "gain_micro_usd": entry.worth.map(|worth| worth.gain_e6),
        "apr_percent": entry.worth.map(|worth| apr(worth.apr_bp)),
        "held": entry.held,
        "missing": gaps.filled.iter().chain(&gaps.fatal).collect::<Vec<_>>(),
        "reasons": reasons(&judged["reasons"], &gaps),
        "payoff": judged["payoff"],
    })
}

/// The fields that keep it from trading: what the rules leave open, and what no page says.
fn reasons(judged: &Value, gaps: &Gaps) -> Vec<Value> {
    let missing = gaps.filled.iter().chain(&gaps.fatal).map(|gap| {
        json!({
            "field": "missing", "relation": "unknown", "here": "", "there": "",
            "here_text": gap, "there_text": "",
        })
    });
    judged.as_array().cloned().unwrap_or_default().into_iter().chain(missing).collect()
}

/// Hundredths of a percent as people write them.
pub fn apr(bp: i64) -> String {
    let sign = if bp < 0 { "-" } else { "" };
    let bp = bp.unsigned_abs();
    format!("{sign}{}.{:02} %", bp / 100, bp % 100)
}

/// The same for a column of eight characters: of a market that should be over by now no figure says
/// anything.
fn in_column(bp: i64) -> String {
    match bp {
        ..-99_999 => "< -999 %".to_owned(),
        100_000.. => "> 999 %".to_owned(),
        _ => apr(bp),
    }
}

/// Millionths of a dollar as people write them, to a hundredth of a cent.
pub fn dollars(e6: i64) -> String {
    let sign = if e6 < 0 { "-" } else { "" };
    let e4 = e6.unsigned_abs() / 100;
    format!("{sign}${}.{:04}", e4 / 10_000, e4 % 10_000)
}

/// What stands behind a league in the name of a series.
const BETS: &[&str] =
    &["", "GAME", "SPREAD", "TOTAL", "BTTS", "MATCH", "MAP", "1H", "ML", "SCORE", "ADVANCE"];

/// True where a pair's series is one of these leagues', or none are named. A league is named as the
/// matcher knows it: by either venue's code, or as people write it; another word is a series itself.
pub fn in_leagues(entry: &Entry, leagues: &[String]) -> bool {
    leagues.is_empty() || leagues.iter().any(|name| is_of(&entry.kalshi.market.ticker, name))
}

static NAMES: LazyLock<Aliases> = LazyLock::new(Aliases::builtin);

/// True for what names a league.
pub fn is_league(name: &str) -> bool {
    NAMES.league_named(name).is_some()
}

/// All leagues as they are named.
pub fn leagues() -> String {
    NAMES.leagues().map(|league| league.id.as_str()).collect::<Vec<_>>().join(", ")
}

/// True where a ticker is of a series of that league, or of the series itself.
pub(super) fn is_of(ticker: &str, name: &str) -> bool {
    let series = ticker.split('-').next().unwrap_or_default().to_uppercase();
    let series = series.strip_prefix("KX").unwrap_or(&series);
    let own = name.trim().to_uppercase();
    let stems: Vec<&str> = match NAMES.league_named(name) {
        Some(league) => league.stems.iter().map(String::as_str).collect(),
        None => vec![&own],
    };
    let rests = stems.into_iter().filter_map(|stem| series.strip_prefix(stem));
    rests.into_iter().any(|bet| BETS.contains(&bet))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_league_goes_by_either_venues_code_and_by_its_name() {
        for (ticker, names) in [
            ("KXBUNDESLIGAGAME-26MAR01BVBFCB-BVB", ["bundesliga", "bun", "BUN"]),
            ("KXEFLCBTTS-26MAR01LEESHU", ["elc", "EFLC", "EFL Championship"]),
            ("KXLIGUE1GAME-26MAR01PSGOM-TIE", ["ligue1", "fl1", "Ligue 1"]),
            ("KXNCAAMBSPREAD-26MAR01DUKEUNC-DUKE5", ["ncaam", "cbb", "college basketball"]),
            ("KXNCAAFTOTAL-26SEP19MSUND-44", ["ncaaf", "cfb", "college football"]),
            ("KXCODGAME-26JUN10OTXLAT-OTX", ["cod", "codmw", "Call of Duty"]),
            ("KXUCLGAME-26MAR10RMAMCI-RMA", ["ucl", "UCL", "champions league"]),
            ("KXUELGAME-26MAR10ROMPOR-ROM", ["uel", "UEL", "europa league"]),
        ] {
            for name in names {
                assert!(is_of(ticker, name), "{ticker} {name}");
            }
            for other in ["nba", "lal", "mls", ""] {
                assert!(!is_of(ticker, other), "{ticker} {other}");
            }
        }
        // `NBA` is not the league of women, whatever its letters; and a word of no league is a series.
        assert!(!is_of("KXWNBAGAME-26AUG09GSLA-LA", "nba"));
        assert!(is_of("KXSB-27-KC", "sb"));
    }

    #[test]
    fn percents_are_written_with_their_sign() {
        assert_eq!([0, 5, -123, 4_000].map(apr), ["0.00 %", "0.05 %", "-1.23 %", "40.00 %"]);
        let column = [-2_319_211, -99_999, 99_999, i64::MAX].map(in_column);
        assert_eq!(column, ["< -999 %", "-999.99 %", "999.99 %", "> 999 %"]);
        let sums = [-36_200, 0, 1_250_099, i64::MIN].map(dollars);
        assert_eq!(sums[..3], ["-$0.0362", "$0.0000", "$1.2500"]);
    }
}
