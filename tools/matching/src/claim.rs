//! What a listing claims: its text taken apart into fields that can be compared one by one.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::alias::{Aliases, Class};
use crate::claim_source::{anchor, league_of, ticker_year};
use crate::claim_words::{clock_at, district_at, honorific_at, is_negation, stem};
use crate::game::Game;
use crate::listing::{Listing, Venue};
use crate::phrase::{
    Deed, Gloss, after_at, answered, deed, edition_at, glosses, mention, tenor_at,
};
use crate::quantity::Quantity;
use crate::quantity_read::quantities;
use crate::span::{Span, spans};
use crate::token::{MICRO, Token, tokens};
use crate::when::{Day, UnixTime};

/// What sort of event a market is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs)] // The names are the documentation.
pub enum Kind {
    GameMoneyline,
    GameSpread,
    GameTotal,
    GameBothScore,
    GameScore,
    EsportsMatch,
    EsportsMap,
    Election,
    Nomination,
    Seats,
    CentralBank,
    Economic,
    AssetPrice,
    Weather,
    Award,
    Competition,
    Deadline,
    #[default]
    Other,
}

/// A word that no table knows, and the run of such words that it stands in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Term {
    /// Folded, and stemmed where it is no name.
    pub text: String,
    /// Whether it looks like a name.
    pub name: bool,
    /// Whether a table knows it as one entity, so that a name beside it makes another.
    pub known: bool,
    /// Number of the run of neighbouring names.
    pub run: usize,
    /// Stands before the colon of a question, so that the question need not say it.
    pub heading: bool,
}

/// The canonical form of one market.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Claim {
    /// What sort of event.
    pub kind: Kind,
    /// Known phrases by class, as their canonical values.
    pub slots: BTreeMap<Class, BTreeSet<String>>,
    /// All other words: entities and what is particular.
    pub terms: Vec<Term>,
    /// Thresholds and ranges.
    pub quantities: Vec<Quantity>,
    /// Dates.
    pub spans: Vec<Span>,
    /// Times of day, in minutes, with their zone's hours behind UTC where it is not eastern.
    pub clocks: Vec<(i32, bool)>,
    /// `not`, `fail to`.
    pub negated: bool,
    /// `Who will...?`, and nothing says whom YES names.
    pub asks: bool,
    /// A game, where it is one.
    pub game: Option<Game>,
    /// Year of the event's ticker.
    pub ticker_year: Option<i32>,
    /// End of trading.
    pub close: Option<UnixTime>,
    /// League that a ticker, slug or competition names.
    pub league: Option<String>,
    /// Numbers of a season or an edition.
    pub editions: Vec<i128>,
    /// Countries and known names, in the order of the text.
    pub actors: Vec<String>,
    /// Who does what the title says, and to whom.
    pub deed: Option<Deed>,
    /// Names that stand beside their abbreviation: `Tether (USDT)`.
    pub glosses: Vec<Gloss>,
    /// The text that all this was read from.
    pub text: String,
}

impl serde::Serialize for Class {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.field())
    }
}

impl Claim {
    /// Takes a listing apart. `league` helps where the other side of a pair names it.
    #[must_use]
    pub fn of(listing: &Listing, aliases: &Aliases, league: Option<&str>) -> Claim {
        let mut claim = Claim {
            close: listing.close,
            ticker_year: ticker_year(listing),
            text: shown(listing),
            ..Claim::default()
        };
        let named = league_of(listing, aliases);
        claim.league = named.or_else(|| league.map(str::to_owned));
        let anchor = anchor(listing);
        let subtitle = listing.subtitle.trim();
        let mention = mention(&listing.title, subtitle);
        let mut title = tokens(mention.as_ref().map_or(&listing.title, |m| &m.rest));
        claim.asks = asks(&title) && !answered(&listing.title);
        let which = title.first().is_some_and(|word| word.text == "which");
        if which && title.get(1).is_some_and(|word| !word.capital) {
            // `Which country`: the kind of what YES names.
            title.remove(1);
        }
        claim.glosses = glosses(&listing.title);
        claim.deed = deed(&title);
        let heading = heading(&title);
        if heading > 0 {
            claim.read(&title[..heading], aliases, anchor);
            claim.terms.iter_mut().for_each(|term| term.heading = true);
        }
        claim.read(&title[heading..], aliases, anchor);
        let said = mention.as_ref().is_some_and(|m| m.of_subtitle);
        // A target that was the price when trading began is no strike of the question.
        let target = subtitle.get(..12).is_some_and(|s| s.eq_ignore_ascii_case("target price"));
        let empty = matches!(subtitle, "" | "::") || subtitle.eq_ignore_ascii_case("yes");
        let says_more = !empty && !target && !said;
        if let Some(mention) = mention {
            claim.slot(Class::Narrow, &format!("says {}", mention.words));
            claim.asks &= !said;
        }
        if says_more && (listing.venue == Venue::Kalshi || claim.asks) {
            claim.read(&tokens(subtitle), aliases, anchor);
            claim.asks = false;
        }
        claim.strikes(listing);
        claim.mend(listing);
        claim.game = Game::of(listing, aliases, claim.league.as_deref());
        claim.kind = claim.sort_of();
        claim
    }

    /// Reads one text into the fields.
    fn read(&mut self, found: &[Token], aliases: &Aliases, anchor: Option<Day>) {
        let mut used = vec![false; found.len()];
        let mut spans = spans(found, &mut used, anchor);
        self.spans.append(&mut spans);
        let run_base = self.terms.iter().map(|term| term.run + 1).max().unwrap_or(0);
        let shouting = title_case(found, aliases);
        let mut run = run_base;
        let mut at = 0;
        while at < found.len() {
            if used[at] {
                at += 1;
                run += 1;
                continue;
            }
            at += self.take(found, &mut used, at, aliases, &mut run, shouting);
        }
        // Numbers last: `2nd place` and `CS2` are phrases, and what is left compares.
        for quantity in quantities(found, &mut used) {
            if !self.quantities.contains(&quantity) {
                self.quantities.push(quantity);
            }
        }
        self.terms.dedup();
    }

    /// Takes what begins at `at`; the number of tokens that it was.
    fn take(
        &mut self,
        found: &[Token],
        used: &mut [bool],
        at: usize,
        aliases: &Aliases,
        run: &mut usize,
        shouting: bool,
    ) -> usize {
        if let Some((district, length)) = district_at(found, at) {
            self.slot(Class::District, &district);
            used[at..at + length].fill(true);
            return length;
        }
        if let Some((minute, utc, length)) = clock_at(found, at) {
            self.clocks.push((minute, utc));
            used[at..at + length].fill(true);
            return length;
        }
        if let Some((edition, length)) = edition_at(found, at) {
            self.editions.push(edition);
            used[at..at + length].fill(true);
            return length;
        }
        if found[at].text == "who" && found[at].code {
            // The organisation, and no question.
            self.term("who".to_owned(), true, true, *run);
            return 1;
        }
        if honorific_at(found, at) {
            return 1;
        }
        if let Some((what, length)) = after_at(found, at).or_else(|| tenor_at(found, at)) {
            self.slot(Class::Narrow, &what);
            used[at..at + length].fill(true);
            return length;
        }
        if let Some((team, length)) = self.team_at(found, at, aliases) {
            self.term(format!("team:{team}"), true, true, *run);
            used[at..at + length].fill(true);
            return length;
        }
        let token = &found[at];
        if let Some(other) = earlier_than(found, at) {
            self.slot(Class::Narrow, &format!("before {other}"));
        }
        if is_negation(found, at) {
            self.negated = !self.negated;
            return 1;
        }
        if let Some((class, value, length)) = aliases.longest(found, at) {
            let name = found[at].capital;
            match class {
                Class::Stop | Class::Weak => {}
                // `may`, `us` and `out` in small letters are words; a country is written large.
                Class::Country | Class::State | Class::Org
                    if !name && found[at].text.len() <= 2 && length == 1 => {}
                Class::Org => self.term(value.to_owned(), true, true, *run),
                Class::Word => self.term(value.to_owned(), false, true, *run),
                _ => self.slot(class, value),
            }
            if matches!(class, Class::Org | Class::Country | Class::Asset) {
                self.actors.push(value.to_owned());
            }
            if !name || class == Class::Stop {
                *run += 1;
            }
            let numbers_stay = length == 1 && matches!(class, Class::Stop | Class::Weak);
            for mark in &mut used[at..at + length] {
                *mark = !numbers_stay || *mark;
            }
            return length;
        }
        if let Some(number) = token.number {
            if number.ordinal {
                self.slot(Class::Ordinal, &(number.micro / MICRO).to_string());
                used[at] = true;
            }
            return 1;
        }
        if matches!(token.text.as_str(), ">" | "<" | ">=" | "<=") {
            return 1;
        }
        let roman = token.code
            && token.text.len() >= 2
            && token.text.bytes().all(|b| b"ivxlc".contains(&b));
        if roman && self.has(Class::Event, "super-bowl") {
            // The number of an edition.
            return 1;
        }
        // A letter alone is an initial or an abbreviated city; joined to a name it stays.
        let name = token.capital && (!shouting || token.text.bytes().any(|b| b.is_ascii_digit()));
        if token.after_break {
            *run += 1;
        }
        let text = if token.capital { token.text.clone() } else { stem(&token.text) };
        self.term(text, name, false, *run);
        if !token.capital {
            *run += 1;
        }
        1
    }

    /// The longest team name that begins here, in the league that is known.
    fn team_at(&self, found: &[Token], at: usize, aliases: &Aliases) -> Option<(String, usize)> {
        let league = self.league.as_deref()?;
        if !found[at].capital {
            return None;
        }
        let longest = found.len().min(at + 5);
        (at + 1..=longest).rev().find_map(|end| {
            let words: Vec<&str> = found[at..end].iter().map(|t| t.text.as_str()).collect();
            let name = words.join(" ");
            let own = aliases.team(league, &name).map(str::to_owned);
            Some((own.or_else(|| aliases.team_elsewhere(league, &name))?, end - at))
        })
    }

    pub(crate) fn slot(&mut self, class: Class, value: &str) {
        self.slots.entry(class).or_default().insert(value.to_owned());
    }

    fn term(&mut self, text: String, name: bool, known: bool, run: usize) {
        if !self.terms.iter().any(|term| term.text == text) {
            self.terms.push(Term { text, name, known, run, heading: false });
        }
    }

    /// The values of a class.
    #[must_use]
    pub fn values(&self, class: Class) -> Option<&BTreeSet<String>> {
        self.slots.get(&class).filter(|set| !set.is_empty())
    }

    /// Whether a class has this value.
    #[must_use]
    pub fn has(&self, class: Class, value: &str) -> bool {
        self.slots.get(&class).is_some_and(|set| set.contains(value))
    }

    /// The steps in which the figure is published, where they are tenths or whole things.
    pub(crate) fn printed_step(&self) -> Option<i128> {
        const TENTHS: &[&str] = &[
            "cpi",
            "core-cpi",
            "pce",
            "core-pce",
            "ppi",
            "gdp",
            "unemployment",
            "retail-sales",
            "approval",
        ];
        let is = |metrics: &[&str]| metrics.iter().any(|metric| self.has(Class::Metric, metric));
        match (is(TENTHS), is(&["rotten-tomatoes"])) {
            (true, _) => Some(MICRO / 10),
            (_, true) => Some(MICRO),
            _ => None,
        }
    }
}

/// The words a person reads first.
fn shown(listing: &Listing) -> String {
    let subtitle = listing.subtitle.trim();
    let title = crate::token::bounded(listing.title.trim());
    if subtitle.is_empty() || subtitle == "::" || title.contains(subtitle) {
        title.to_owned()
    } else {
        format!("{title} [{}]", crate::token::bounded(subtitle))
    }
}

/// Words of a heading.
const HEADING_MAX: usize = 7;

/// How many words stand before the colon of `Topic: will it happen?`.
fn heading(title: &[Token]) -> usize {
    let question =
        |token: &Token| token.after_break && matches!(token.text.as_str(), "will" | "does" | "did");
    title.iter().take(HEADING_MAX + 1).position(question).unwrap_or(0)
}

/// `before OpenAI`: who comes second in an order of two; `before the 2027 season`: what has a time
/// of its own. A date has been taken out before.
fn earlier_than(found: &[Token], at: usize) -> Option<&str> {
    let next = found.get(at + 1)?;
    if crate::span::event_behind(found, at) {
        return Some("the event");
    }
    let name = next.capital && next.number.is_none() && next.date.is_none();
    let dated = crate::span::begins_date(found, at + 1);
    (found[at].text == "before" && name && !dated).then_some(next.text.as_str())
}

/// `Who will win?`: whom YES names stands elsewhere.
fn asks(title: &[Token]) -> bool {
    title
        .first()
        .filter(|t| !(t.code && t.text == "who"))
        .is_some_and(|t| matches!(t.text.as_str(), "who" | "which" | "what" | "where" | "how"))
}

/// Most words have capitals, so that they say nothing of names.
fn title_case(found: &[Token], aliases: &Aliases) -> bool {
    let words: Vec<bool> = found
        .iter()
        .enumerate()
        .filter(|(at, t)| *at > 0 && t.number.is_none() && t.text.len() > 2)
        .filter(|(at, _)| {
            aliases.longest(found, *at).is_some_and(|(class, _, _)| {
                matches!(class, Class::Stop | Class::Weak | Class::Verb | Class::Metric)
            })
        })
        .map(|(_, t)| t.capital)
        .collect();
    let large = words.iter().filter(|capital| **capital).count();
    words.len() >= 3 && large * 4 >= words.len() * 3
}
