//! Games of two teams: who plays, when, and what the market says of it.

use serde::Serialize;

use crate::alias::{Aliases, normal};
use crate::claim::Kind;
use crate::listing::{Listing, Venue};
use crate::quantity::micro;
use crate::when::{Day, UnixTime};

/// What is bet on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum GameMarket {
    /// Who wins, or that nobody does.
    Moneyline,
    /// A team wins by more than a line.
    Spread,
    /// Both together score more than a line.
    Total,
    /// Both score.
    BothScore,
    /// One map of a match.
    Map,
    /// Who goes on to the next round.
    Advance,
    /// Who wins a series of several games.
    Series,
    /// The goals of both.
    ExactScore,
}

/// What YES names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Named {
    /// One of the two teams, by its place in `teams`.
    Team(usize),
    /// Neither wins.
    Draw,
    /// More than the line.
    Over,
    /// Less than the line.
    Under,
    /// The thing itself happens.
    Yes,
}

/// One market on one game.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Game {
    /// League, where ticker, slug or text names it.
    pub league: Option<String>,
    /// Canonical names where the league's table knows them, else folded ones; in the order of the
    /// text. The second is empty where a text names one team alone.
    pub teams: [String; 2],
    /// What is bet on.
    pub market: GameMarket,
    /// What YES names; none where it is not said.
    pub named: Option<Named>,
    /// Whether `named` follows from the order of the names alone.
    pub assumed: bool,
    /// Line of a spread as `wins by more than`, or of a total, in millionths.
    pub line: Option<i128>,
    /// YES is that it does not happen: `Will Arsenal not win?`
    pub negated: bool,
    /// Goals of an exact score, in the order of `teams`.
    pub score: Option<[u32; 2]>,
    /// Number of the map.
    pub map: Option<u32>,
    /// Start, where it is known to the minute.
    pub start: Option<UnixTime>,
    /// Kalshi's time of the outcome, some hours after the start.
    pub ends: Option<UnixTime>,
    /// Local day.
    pub day: Option<Day>,
    /// Whether a draw is possible.
    pub draw: bool,
    /// Esports call a game a match.
    pub esports: bool,
}

/// Words that end the name of the second team.
const ENDS: &[&str] = &[
    "winner",
    "winners",
    "mens",
    "womens",
    "pro",
    "professional",
    "college",
    "game",
    "match",
    "soccer",
    "football",
    "baseball",
    "basketball",
    "hockey",
    "end",
    "ends",
    "both",
    "o",
    "spread",
    "total",
    "round",
    "to",
    "over",
    "under",
    "who",
    "moneyline",
    "map",
    "team",
    "btts",
    "on",
    "in",
    "bo1",
    "bo3",
    "bo5",
    "exact",
    "series",
    "esports",
    "more",
    "draw",
    "fight",
    "bout",
];
/// Words that make another team of a name.
const OTHERS: &[&str] = &[
    "st",
    "state",
    "tech",
    "am",
    "m",
    "city",
    "united",
    "b",
    "ii",
    "u21",
    "w",
    "women",
    "oh",
    "ohio",
    "north",
    "south",
    "east",
    "west",
    "northern",
    "southern",
    "eastern",
    "western",
    "central",
    "christian",
    "baptist",
    "valley",
    "wednesday",
];

impl Game {
    /// The game of a listing, where it is one.
    #[must_use]
    pub fn of(listing: &Listing, aliases: &Aliases, league: Option<&str>) -> Option<Game> {
        let texts = [&listing.title, &listing.event_title];
        let titles = texts.iter().find_map(|text| versus(text, ticker_is_game(listing)));
        let one = crate::game_one::teams(&listing.title);
        let codes = league.and_then(|league| ticker_teams(listing, aliases, league));
        let teams = match (titles, codes) {
            (Some([a, b]), codes) => {
                let known =
                    league.and_then(|l| Some([team(aliases, l, &a)?, team(aliases, l, &b)?]));
                known.or(codes).unwrap_or([a, b])
            }
            (None, Some(codes)) if one.is_some() || ticker_is_game(listing) => codes,
            (None, _) => one?
                .map(|name| league.and_then(|league| team(aliases, league, &name)).unwrap_or(name)),
        };
        let table = league.and_then(|id| aliases.league(id));
        let esports = table.is_some_and(|l| l.sport == "esports");
        let market = market_of(listing, esports)?;
        let (named, assumed) = named(listing, aliases, league, &teams, market);
        let line = line_of(listing, market);
        let score = match market {
            GameMarket::ExactScore => {
                let place = |name: &str| place_of(aliases, league, &teams, name);
                let texts = [listing.subtitle.as_str(), listing.title.as_str()];
                Some(crate::game_one::score(texts, &teams, &place)?)
            }
            _ => None,
        };
        let (day, start) = times(listing);
        Some(Game {
            league: league.map(str::to_owned),
            teams,
            market,
            named,
            assumed,
            line,
            negated: negated(&listing.title),
            score,
            map: map_number(&listing.title).or_else(|| map_number(&listing.event_title)),
            start,
            ends: listing.occurrence.filter(|_| listing.venue == Venue::Kalshi),
            day,
            draw: table.is_some_and(|l| l.draw) && market == GameMarket::Moneyline,
            esports,
        })
    }

    /// The sort of event.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self.market {
            GameMarket::Spread => Kind::GameSpread,
            GameMarket::Total => Kind::GameTotal,
            GameMarket::BothScore => Kind::GameBothScore,
            GameMarket::ExactScore => Kind::GameScore,
            GameMarket::Map => Kind::EsportsMap,
            _ if self.esports => Kind::EsportsMatch,
            _ => Kind::GameMoneyline,
        }
    }

    /// The place in `other.teams` of our first team; none where the games have not the same teams.
    #[must_use]
    pub fn same_teams(&self, other: &Game) -> Option<usize> {
        let [a, b] = &self.teams;
        let [c, d] = &other.teams;
        // A team that is not named fits any, but one must be named by both.
        let fits = |x: &str, y: &str| x.is_empty() || y.is_empty() || same_team(x, y);
        let both = |x: &str, y: &str, v: &str, w: &str| {
            fits(x, y) && fits(v, w) && (same_team(x, y) || same_team(v, w))
        };
        let (straight, crossed) = (both(a, c, b, d), both(a, d, b, c));
        match (straight, crossed) {
            (true, false) => Some(0),
            (false, true) => Some(1),
            _ => None,
        }
    }
}

/// Whether two names can be one team: equal, or one adds to the other what makes no other team.
pub(crate) fn same_team(a: &str, b: &str) -> bool {
    let drop = |name: &str| -> Vec<String> {
        let plain = ["fc", "cf", "sc", "afc", "the", "team", "esports", "club", "ac", "de"];
        let words = name.split([' ', ':']).map(|w| match w {
            "state" => "st",
            "utd" => "united",
            other => other,
        });
        words.filter(|w| !w.is_empty() && !plain.contains(w)).map(str::to_owned).collect()
    };
    let (a, b) = (drop(a), drop(b));
    let (short, long) = if a.len() <= b.len() { (&a, &b) } else { (&b, &a) };
    if short.is_empty() {
        return false;
    }
    let holds = |word: &String| {
        long.iter().any(|w| {
            w == word
                || crate::claim_words::alike(w, word)
                || (word.len() <= 2 && w.starts_with(word.as_str()))
        })
    };
    let more = long.iter().filter(|w| !short.contains(w));
    let extra_names =
        short.len() == long.len() || more.clone().all(|w| !OTHERS.contains(&w.as_str()));
    short.iter().all(holds) && extra_names
}

/// `A vs B` of a text, folded.
fn versus(text: &str, sports: bool) -> Option<[String; 2]> {
    let lower = format!(" {} ", crate::token::folded(text).to_lowercase());
    // Of two universities of one name the lesser known is named with its state.
    let lower = lower.replace("(oh)", "oh").replace("(ohio)", "oh").replace("(fl)", "fl");
    // In other titles `at` is a word.
    let signs: &[&str] =
        if sports { &[" vs. ", " vs ", " v. ", " @ ", " at "] } else { &[" vs. ", " vs ", " @ "] };
    // Earnings are no team.
    let figures = ["earnings", "estimates", "expectations", "record", "forecast"];
    let opponents = !figures.iter().any(|word| lower.contains(word));
    let beats: &[&str] =
        if opponents && lower.starts_with(" will ") { &[" beat ", " defeat "] } else { &[] };
    let (at, sign) =
        signs.iter().chain(beats).find_map(|sign| lower.find(sign).map(|at| (at, sign)))?;
    let left = lower.get(..at)?;
    let right = lower.get(at + sign.len()..)?;
    let left = left.rsplit(": ").next()?;
    let left = ["win the ", "will the ", "will ", "beat the "].iter().fold(left, |text, cut| {
        text.rfind(cut).and_then(|at| text.get(at + cut.len()..)).unwrap_or(text)
    });
    let right = right.split([':', '?', '(', '|', '–']).next()?.split(" - ").next()?;
    let words = normal(right);
    // A name has at least one word, be it `Team` of `Team Spirit`.
    let ends = |(at, word): &(usize, &str)| *at == 0 || !ENDS.contains(word);
    let right: Vec<&str> = words.split(' ').enumerate().take_while(ends).map(|(_, w)| w).collect();
    let (left, right) = (normal(left), right.join(" "));
    let right = right.strip_prefix("the ").map_or(right.clone(), str::to_owned);
    let fits = |name: &str| !name.is_empty() && name.split(' ').count() <= 6;
    (fits(&left) && fits(&right)).then_some([left, right])
}

/// The team of a name by the league's table, with words cut from its end.
fn team(aliases: &Aliases, league: &str, name: &str) -> Option<String> {
    let words: Vec<&str> = name.split(' ').collect();
    (1..=words.len()).rev().find_map(|end| {
        let exact = aliases.team(league, &words[..end].join(" "))?;
        let rest_is_plain = words[end..].iter().all(|w| !OTHERS.contains(w));
        rest_is_plain.then(|| exact.to_owned())
    })
}

/// The ticker's event part, without its date and time: `26AUG072140LADAZ`.
fn ticker_event(listing: &Listing) -> Option<&str> {
    if listing.venue != Venue::Kalshi {
        return None;
    }
    listing.id.split('-').nth(1)
}

fn ticker_is_game(listing: &Listing) -> bool {
    if listing.venue != Venue::Kalshi {
        return false;
    }
    let series = listing.id.split('-').next().unwrap_or("");
    ["GAME", "MATCH", "SPREAD", "TOTAL", "BTTS", "MAP", "SCORE"]
        .iter()
        .any(|end| series.ends_with(end))
}

fn ticker_teams(listing: &Listing, aliases: &Aliases, league: &str) -> Option<[String; 2]> {
    let run = match listing.venue {
        Venue::Kalshi => {
            let event = ticker_event(listing)?;
            let rest = event.get(7..)?;
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            let (a, b) =
                aliases.split_codes(league, rest.get(if digits >= 4 { 4 } else { 0 }..)?)?;
            return Some([a.to_owned(), b.to_owned()]);
        }
        Venue::Polymarket => &listing.slug,
    };
    let mut parts = run.split('-').skip(1);
    let (a, b) = (parts.next()?, parts.next()?);
    let named = |code: &str| aliases.team_of_code(league, code).map(str::to_owned);
    Some([named(a)?, named(b)?])
}

/// What is bet on, by typed field, series or words; none for what this program does not know.
fn market_of(listing: &Listing, esports: bool) -> Option<GameMarket> {
    let series = listing.id.split('-').next().unwrap_or("").to_ascii_uppercase();
    let text = format!("{} {}", listing.title, listing.subtitle).to_lowercase();
    let kalshi = listing.venue == Venue::Kalshi;
    match listing.sport.market_type.as_str() {
        "moneyline" => return Some(GameMarket::Moneyline),
        "spreads" => return Some(GameMarket::Spread),
        "totals" => return Some(GameMarket::Total),
        "both_teams_to_score" => return Some(GameMarket::BothScore),
        "child_moneyline" if esports => return Some(GameMarket::Map),
        "soccer_exact_score" => return Some(GameMarket::ExactScore),
        "soccer_team_to_advance" => return Some(GameMarket::Advance),
        "" => {}
        _ => return None,
    }
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    let exact = (kalshi && series.ends_with("SCORE")) || has(&["exact score", "correct score"]);
    if exact || text.contains("final score be") {
        return Some(GameMarket::ExactScore);
    }
    let partly = ["1H", "2H", "1Q", "F5", "TEAMTOTAL"];
    if has(PARTS) || (kalshi && partly.iter().any(|part| series.contains(part))) {
        return None;
    }
    if !esports
        && !text.contains("world series")
        && (has(&[" series?", "series winner", "win series"]) || series.ends_with("SERIES"))
    {
        return Some(GameMarket::Series);
    }
    if (kalshi && series.ends_with("BTTS")) || has(&["both teams to score", "btts"]) {
        Some(GameMarket::BothScore)
    } else if has(&["to advance", "advances"]) {
        Some(GameMarket::Advance)
    } else if (kalshi && series.ends_with("SPREAD")) || has(&["spread", "wins by", "win by"]) {
        Some(GameMarket::Spread)
    } else if (kalshi && series.ends_with("TOTAL")) || has(&["o/u", "total", "over ", "under "]) {
        Some(GameMarket::Total)
    } else if esports && map_number(&listing.title).is_some() {
        Some(GameMarket::Map)
    } else {
        Some(GameMarket::Moneyline)
    }
}

/// Whether a title says `not`; `no` may be the code of a team.
fn negated(title: &str) -> bool {
    let words = format!(" {} ", normal(title));
    [" not ", " wont ", " never ", " fail to ", " fails to "].iter().any(|no| words.contains(no))
}

/// Words of bets on a part of a game, on one team's part, or on a player: none that is known here.
const PARTS: &[&str] = &[
    "final score",
    "first half",
    "1st half",
    "second half",
    "2nd half",
    "1h ",
    "2h ",
    "half-time",
    "halftime",
    "half time",
    "quarter:",
    "1st quarter",
    "first quarter",
    "1st period",
    "first period",
    "1st inning",
    "first inning",
    "5 innings",
    "set 1",
    "set 2",
    "first set",
    "1st set",
    "team total",
    "corners",
    "cards",
    "goalscorer",
    "score first",
    "first to score",
    "clean sheet",
    "method of",
    "margin",
];

fn map_number(text: &str) -> Option<u32> {
    let lower = text.to_lowercase();
    let (_, rest) = lower.split_once("map ").or_else(|| lower.split_once("game "))?;
    rest.chars().next()?.to_digit(10).filter(|n| (1..=7).contains(n))
}

/// Whom or what YES names, and whether the order of the names alone says so.
fn named(
    listing: &Listing,
    aliases: &Aliases,
    league: Option<&str>,
    teams: &[String; 2],
    market: GameMarket,
) -> (Option<Named>, bool) {
    let place = |name: &str| place_of(aliases, league, teams, name);
    let yes = listing.yes().map_or("", |yes| yes.name.as_str());
    let plain = listing.is_yes_no();
    let text =
        crate::token::folded(&format!("{} {}", listing.title, listing.subtitle)).to_lowercase();
    match market {
        GameMarket::BothScore | GameMarket::ExactScore => (Some(Named::Yes), false),
        GameMarket::Total => {
            let side = if plain { text.as_str() } else { &yes.to_lowercase() };
            let under = side.contains("under") && !side.contains("over");
            (
                Some(if under { Named::Under } else { Named::Over }),
                plain && !text.contains("over") && !under,
            )
        }
        _ => {
            if !plain {
                return (place(yes).map(Named::Team), false);
            }
            let tie =
                ["draw", "tie"].iter().any(|w| normal(&text).split(' ').any(|word| word == *w));
            let suffix = listing.id.rsplit('-').next().unwrap_or("");
            if listing.venue == Venue::Kalshi && suffix == "TIE" || tie {
                return (Some(Named::Draw), false);
            }
            let code = league.and_then(|l| {
                let letters = suffix.trim_end_matches(|c: char| c.is_ascii_digit());
                let by_code =
                    aliases.team_of_code(l, suffix).or_else(|| aliases.team_of_code(l, letters));
                by_code.filter(|_| listing.venue == Venue::Kalshi)
            });
            let subject = text
                .split_once("will ")
                .and_then(|(_, rest)| {
                    [" win", " beat", " advance", " defeat"].iter().find_map(|w| rest.split_once(w))
                })
                .and_then(|(name, _)| place(name.strip_prefix("the ").unwrap_or(name)));
            let wins =
                text.split_once(" wins").and_then(|(before, _)| place(before.rsplit(':').next()?));
            let of_subtitle = place(listing.subtitle.trim_end_matches(" advances"));
            let found = of_subtitle.or(code.and_then(place)).or(subject).or(wins);
            if found.is_some() {
                return (found.map(Named::Team), false);
            }
            if text.starts_with("spread: ") && teams[1].is_empty() {
                return (Some(Named::Team(0)), false);
            }
            // `A vs. B` without outcomes: by custom the first is YES. Good for a study, not for money.
            let bare = listing.outcomes.is_empty() && !text.contains("will ");
            (bare.then_some(Named::Team(0)), bare)
        }
    }
}

/// The place of a name among two teams.
fn place_of(
    aliases: &Aliases,
    league: Option<&str>,
    teams: &[String; 2],
    name: &str,
) -> Option<usize> {
    let name = normal(name);
    let known = league.and_then(|league| team(aliases, league, &name)).unwrap_or(name);
    match [same_team(&known, &teams[0]), same_team(&known, &teams[1])] {
        [true, false] => Some(0),
        [false, true] => Some(1),
        _ => None,
    }
}

/// The line, as what the named team must win by, or what both must score more than.
fn line_of(listing: &Listing, market: GameMarket) -> Option<i128> {
    if !matches!(market, GameMarket::Spread | GameMarket::Total) {
        return None;
    }
    if let Some(line) = listing.sport.line.as_deref().and_then(micro) {
        // A spread of -3.5 is to win by more than 3.5.
        return Some(if market == GameMarket::Spread { -line } else { line });
    }
    if let Some(floor) = listing.strike.floor.as_deref().and_then(micro) {
        return Some(floor);
    }
    let text = format!("{} {}", listing.title, listing.subtitle);
    let number = text.split([' ', '(', ')', '?', ':']).find_map(|word| {
        let halves = word.ends_with(".5") && word.len() <= 6;
        halves.then(|| micro(word)).flatten()
    })?;
    let spread_written =
        market == GameMarket::Spread && text.contains(['+', '-']) && !text.contains("by ");
    Some(if spread_written { -number } else { number })
}

/// Local day and start: by ticker, typed field or slug.
fn times(listing: &Listing) -> (Option<Day>, Option<UnixTime>) {
    if let Some(event) = ticker_event(listing) {
        let day = event.get(..7).and_then(ticker_day);
        let clock = event.get(7..11).filter(|t| t.bytes().all(|b| b.is_ascii_digit()));
        let start = day.zip(clock).and_then(|(day, clock)| {
            let hour: i64 = clock.get(..2)?.parse().ok()?;
            let minute: i64 = clock.get(2..)?.parse().ok()?;
            (hour < 24 && minute < 60)
                .then(|| UnixTime::from_eastern(day, hour * 3600 + minute * 60))
        });
        return (day, start.or(listing.sport.start));
    }
    let start = listing.sport.start;
    let dated = |text: &str| {
        (0..text.len().saturating_sub(9)).find_map(|at| {
            let part = text.get(at..at + 10)?;
            UnixTime::parse(part).map(UnixTime::day)
        })
    };
    let dated = dated(&listing.slug).or_else(|| dated(crate::token::bounded(&listing.title)));
    (dated.or(start.map(UnixTime::eastern_day)), start)
}

/// `26AUG07`.
pub(crate) fn ticker_day(text: &str) -> Option<Day> {
    const MONTHS: &str = "JANFEBMARAPRMAYJUNJULAUGSEPOCTNOVDEC";
    let year: i32 = text.get(..2)?.parse().ok()?;
    let month = MONTHS.find(text.get(2..5)?).filter(|at| at % 3 == 0)?;
    let day: u32 = text.get(5..7)?.parse().ok()?;
    Day::new(2000 + year, u32::try_from(month / 3).ok()? + 1, day)
}
