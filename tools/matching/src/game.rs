//! Games of two teams: who plays, when, and what the market says of it.

use serde::Serialize;

use crate::alias::{Aliases, normal};
use crate::claim::Kind;
use crate::game_bet::{line_of, map_number, market_of, named, negated, place_of};
use crate::game_time::times;
use crate::game_title::versus;
use crate::listing::{Listing, Venue};
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

/// Surnames, in full where the subtitle names one so: two players may have one surname.
fn in_full(
    mut teams: [String; 2],
    listing: &Listing,
    aliases: &Aliases,
    league: Option<&str>,
) -> [String; 2] {
    let full = normal(&listing.subtitle);
    let place = place_of(aliases, league, &teams, &full);
    let longer = |short: &String| {
        let words: Vec<&str> = full.split(' ').collect();
        words.len() > 1 && words.len() <= 4 && words.last() == Some(&short.as_str())
    };
    if let Some(team) = place.and_then(|at| teams.get_mut(at)).filter(|team| longer(team)) {
        *team = full;
    }
    teams
}

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
    "academy",
    "reserves",
    "youth",
    "junior",
    "juniors",
    "challengers",
    "u19",
    "u20",
    "u23",
    "iii",
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
        if table.is_some_and(|l| !l.draw) && listing.title.to_lowercase().contains("in regulation")
        {
            // Without overtime it is another bet.
            return None;
        }
        let teams = in_full(teams, listing, aliases, league);
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
                || crate::claim_words::nickname(w, word)
                || (word.len() <= 2 && w.starts_with(word.as_str()))
        })
    };
    let more = long.iter().filter(|w| !short.contains(w));
    // `Christian Mbilli` is a person, and `Houston Christian` a college.
    let forename = long.first().filter(|w| *w == "christian");
    let other = |w: &String| OTHERS.contains(&w.as_str()) && forename != Some(w);
    let extra_names = short.len() == long.len() || !more.clone().any(other);
    short.iter().all(holds) && extra_names
}

/// The team of a name by the league's table, with words cut from its end.
pub(crate) fn team(aliases: &Aliases, league: &str, name: &str) -> Option<String> {
    let words: Vec<&str> = name.split(' ').collect();
    (1..=words.len()).rev().find_map(|end| {
        let exact = aliases.team(league, &words[..end].join(" "))?;
        let rest_is_plain = words[end..].iter().all(|w| !OTHERS.contains(w));
        rest_is_plain.then(|| exact.to_owned())
    })
}

/// The ticker's event part, without its date and time: `26AUG072140LADAZ`.
pub(crate) fn ticker_event(listing: &Listing) -> Option<&str> {
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

/// `26AUG07`.
pub(crate) fn ticker_day(text: &str) -> Option<Day> {
    const MONTHS: &str = "JANFEBMARAPRMAYJUNJULAUGSEPOCTNOVDEC";
    let year: i32 = text.get(..2)?.parse().ok()?;
    let month = MONTHS.find(text.get(2..5)?).filter(|at| at % 3 == 0)?;
    let day: u32 = text.get(5..7)?.parse().ok()?;
    Day::new(2000 + year, u32::try_from(month / 3).ok()? + 1, day)
}
