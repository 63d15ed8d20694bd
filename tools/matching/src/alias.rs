//! Names that mean the same: phrases of titles, teams and their codes, leagues and their series.
//! The tables are data files of this crate; a file of the same form can add to them.

use std::collections::HashMap;

use crate::token::{Token, tokens};

/// What a phrase is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs)] // The names are the documentation; `data/phrases.tsv` shows each.
pub enum Class {
    Party,
    State,
    District,
    Country,
    Office,
    Stage,
    Rank,
    Verb,
    Direction,
    Metric,
    Basis,
    Asset,
    Bank,
    League,
    Conference,
    Award,
    Scope,
    Event,
    Next,
    Superlative,
    Control,
    Ordinal,
    Narrow,
    Org,
    Word,
    Weak,
    Stop,
}

impl Class {
    /// The class of a data file's first column.
    #[must_use]
    pub fn parse(word: &str) -> Option<Class> {
        Some(match word {
            "party" => Class::Party,
            "state" => Class::State,
            "country" => Class::Country,
            "office" => Class::Office,
            "stage" => Class::Stage,
            "rank" => Class::Rank,
            "verb" => Class::Verb,
            "direction" => Class::Direction,
            "metric" => Class::Metric,
            "basis" => Class::Basis,
            "asset" => Class::Asset,
            "bank" => Class::Bank,
            "league" => Class::League,
            "conference" => Class::Conference,
            "award" => Class::Award,
            "scope" => Class::Scope,
            "event" => Class::Event,
            "next" => Class::Next,
            "super" => Class::Superlative,
            "congress" => Class::Control,
            "narrow" => Class::Narrow,
            "org" => Class::Org,
            "word" => Class::Word,
            "weak" => Class::Weak,
            "stop" => Class::Stop,
            _ => return None,
        })
    }

    /// The name of the field in a judgement.
    #[must_use]
    pub fn field(self) -> &'static str {
        match self {
            Class::Party => "party",
            Class::State => "state",
            Class::District => "district",
            Class::Country => "country",
            Class::Office => "office",
            Class::Stage => "stage",
            Class::Rank => "rank",
            Class::Verb => "what happens",
            Class::Direction => "direction",
            Class::Metric => "metric",
            Class::Basis => "basis",
            Class::Asset => "asset",
            Class::Bank => "central bank",
            Class::League => "league",
            Class::Conference => "conference",
            Class::Award => "award",
            Class::Scope => "scope",
            Class::Event => "competition",
            Class::Next => "next or first",
            Class::Superlative => "superlative",
            Class::Control => "control or seat",
            Class::Ordinal => "ordinal",
            Class::Narrow => "what exactly",
            Class::Org => "entity",
            Class::Word | Class::Weak | Class::Stop => "word",
        }
    }
}

/// A competition: how its games are written by both venues.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct League {
    /// Our name.
    pub id: String,
    /// `soccer`, `basketball`...
    pub sport: String,
    /// Whether the home team stands first.
    pub home_first: bool,
    /// Whether a game has three outcomes.
    pub draw: bool,
    /// Stems of Kalshi series: `KX` + stem + `GAME`.
    pub stems: Vec<String>,
    /// Prefixes of Polymarket slugs.
    pub prefixes: Vec<String>,
}

/// A line of a table that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AliasError {
    /// Line number, from 1.
    pub line: usize,
    /// What is wrong, and how to mend it.
    pub why: String,
}

impl std::fmt::Display for AliasError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}: {}", self.line, self.why)
    }
}

impl std::error::Error for AliasError {}

#[derive(Clone, Debug)]
struct Phrase {
    words: Vec<String>,
    class: Class,
    value: String,
}

/// All tables.
#[derive(Clone, Debug, Default)]
pub struct Aliases {
    by_first: HashMap<String, Vec<Phrase>>,
    leagues: Vec<League>,
    team_names: HashMap<String, HashMap<String, String>>,
    team_codes: HashMap<String, HashMap<String, String>>,
    /// Full names such as `boston bruins`, with the leagues that know them by their last word too.
    full_names: HashMap<String, Vec<(String, String)>>,
}

impl Aliases {
    /// The tables that come with the program.
    #[must_use]
    pub fn builtin() -> Aliases {
        let mut tables = Aliases::default();
        tables.extend_leagues();
        tables.extend_builtin();
        tables.index_full_names();
        tables
    }

    /// The tables that come with the program, and a person's own before them: what is added wins.
    ///
    /// # Errors
    /// The first line of `extra` that cannot be read.
    pub fn with(extra: &str) -> Result<Aliases, AliasError> {
        let mut tables = Aliases::default();
        tables.extend_leagues();
        tables.extend(extra)?;
        tables.extend_builtin();
        tables.index_full_names();
        Ok(tables)
    }

    fn extend_leagues(&mut self) {
        self.extend(include_str!("../data/leagues.tsv"))
            .expect("the tables of this crate are tested");
    }

    fn extend_builtin(&mut self) {
        for text in [
            include_str!("../data/places.tsv"),
            include_str!("../data/phrases.tsv"),
            include_str!("../data/teams.tsv"),
        ] {
            self.extend(text).expect("the tables of this crate are tested");
        }
    }

    /// Adds lines of the same forms: `class<TAB>canonical<TAB>phrase | phrase`, a team as
    /// `league<TAB>team<TAB>CODES<TAB>names`, a league with seven columns. Of two lines for
    /// one name the first wins.
    ///
    /// # Errors
    /// The first line that is none of these.
    pub fn extend(&mut self, text: &str) -> Result<(), AliasError> {
        for (number, line) in text.lines().enumerate() {
            let line = line.trim_end();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let columns: Vec<&str> = line.split('\t').collect();
            self.line(&columns).map_err(|why| AliasError { line: number + 1, why })?;
        }
        Ok(())
    }

    fn line(&mut self, columns: &[&str]) -> Result<(), String> {
        match columns {
            [class, value, phrases] => {
                let class = Class::parse(class).ok_or_else(|| {
                    format!(
                        "`{class}` is no class; use one such as org, country, verb, metric, weak"
                    )
                })?;
                for phrase in split(phrases) {
                    self.phrase(class, value, &phrase);
                }
                // The code of a state is a word of its own (`In`, `Or`, `Me`), or of a league (`AL`).
                if !matches!(class, Class::Weak | Class::Stop | Class::State) {
                    self.phrase(class, value, &normal(value));
                }
                Ok(())
            }
            [league, team, codes, names] => {
                if !self.leagues.iter().any(|l| l.id == *league) {
                    return Err(format!("`{league}` is no league of the league table"));
                }
                let by_name = self.team_names.entry((*league).to_owned()).or_default();
                for name in split(names) {
                    by_name.entry(name).or_insert_with(|| (*team).to_owned());
                }
                let by_code = self.team_codes.entry((*league).to_owned()).or_default();
                for code in codes.split_whitespace() {
                    by_code.entry(code.to_ascii_uppercase()).or_insert_with(|| (*team).to_owned());
                }
                Ok(())
            }
            [id, sport, order, draw, stems, prefixes, names] => {
                let list = |text: &str| text.split_whitespace().map(str::to_owned).collect();
                self.leagues.push(League {
                    id: (*id).to_owned(),
                    sport: (*sport).to_owned(),
                    home_first: *order == "home-away",
                    draw: *draw == "yes",
                    stems: list(stems),
                    prefixes: list(prefixes),
                });
                for name in split(names) {
                    self.phrase(Class::League, id, &name);
                }
                Ok(())
            }
            other => Err(format!(
                "{} columns; a phrase has 3 (class, canonical, phrases), a team 4, a league 7, divided by tabs",
                other.len()
            )),
        }
    }

    fn phrase(&mut self, class: Class, value: &str, phrase: &str) {
        let words: Vec<String> = phrase.split(' ').map(str::to_owned).collect();
        let Some(first) = words.first().filter(|w| !w.is_empty()) else { return };
        let list = self.by_first.entry(first.clone()).or_default();
        if list.iter().any(|known| known.words == words) {
            return;
        }
        let at =
            list.iter().position(|known| known.words.len() < words.len()).unwrap_or(list.len());
        list.insert(at, Phrase { words, class, value: value.to_owned() });
    }

    /// The longest phrase that begins at `at`: its class, value and number of tokens.
    #[must_use]
    pub fn longest(&self, found: &[Token], at: usize) -> Option<(Class, &str, usize)> {
        let list = self.by_first.get(&found.get(at)?.text)?;
        list.iter()
            .find(|phrase| {
                phrase.words.iter().enumerate().all(|(n, word)| {
                    found.get(at + n).is_some_and(|token| {
                        token.text == *word && token.number.is_none_or(|number| !number.year)
                    })
                })
            })
            .map(|phrase| (phrase.class, phrase.value.as_str(), phrase.words.len()))
    }

    fn index_full_names(&mut self) {
        for (league, names) in &self.team_names {
            for (name, team) in names {
                let last = name.rsplit_once(' ').and_then(|(_, last)| names.get(last));
                if last == Some(team) {
                    let known = self.full_names.entry(name.clone()).or_default();
                    known.push((league.clone(), team.clone()));
                    known.sort();
                }
            }
        }
    }

    /// The team of another sport that a full name names, such as `Boston Bruins`: by its last word
    /// alone that team must be known too, so that a city is none.
    #[must_use]
    pub fn team_elsewhere(&self, league: &str, name: &str) -> Option<String> {
        let known = self.full_names.get(name)?;
        let sport = self.league(league).map(|l| l.sport.as_str())?;
        let other = |id: &str| self.league(id).is_some_and(|l| l.sport != sport);
        known.iter().find(|(id, _)| other(id)).map(|(id, team)| format!("{id} {team}"))
    }

    /// The league with this id.
    #[must_use]
    pub fn league(&self, id: &str) -> Option<&League> {
        self.leagues.iter().find(|league| league.id == id)
    }

    /// All leagues, in the order of their table.
    pub fn leagues(&self) -> impl Iterator<Item = &League> {
        self.leagues.iter()
    }

    /// The league that a person names: by our name, a code of either venue, or as titles write it.
    #[must_use]
    pub fn league_named(&self, name: &str) -> Option<&League> {
        let name = name.trim();
        let is = |code: &String| code.eq_ignore_ascii_case(name);
        let by_code = self
            .leagues
            .iter()
            .find(|l| is(&l.id) || l.stems.iter().any(is) || l.prefixes.iter().any(is));
        by_code.or_else(|| {
            let words = tokens(name);
            let (class, value, length) = self.longest(&words, 0)?;
            self.league(value).filter(|_| class == Class::League && length == words.len())
        })
    }

    /// The league of a Kalshi series ticker: the longest stem that it begins with.
    #[must_use]
    pub fn league_of_series(&self, ticker: &str) -> Option<&League> {
        let series = ticker.split('-').next().unwrap_or("").to_ascii_uppercase();
        let stem = series.strip_prefix("KX").unwrap_or(&series);
        let fits = |league: &League| {
            league.stems.iter().filter(|s| stem.starts_with(s.as_str())).map(String::len).max()
        };
        let best = self.leagues.iter().filter_map(|l| fits(l).map(|length| (length, l)));
        best.max_by_key(|(length, _)| *length).map(|(_, league)| league)
    }

    /// The league of a Polymarket slug: the word before the first dash.
    #[must_use]
    pub fn league_of_slug(&self, slug: &str) -> Option<&League> {
        let prefix = slug.split('-').next()?;
        self.leagues.iter().find(|league| league.prefixes.iter().any(|p| p == prefix))
    }

    /// The team of a name, within one league.
    #[must_use]
    pub fn team(&self, league: &str, name: &str) -> Option<&str> {
        let name = normal(name);
        if let Some(team) = self.team_names.get(league).and_then(|names| names.get(&name)) {
            return Some(team);
        }
        // A name that two of the other tables know is left.
        let others = same_teams_as(league).iter();
        let mut found = others.filter_map(|other| self.team_names.get(*other)?.get(&name));
        let team = found.next()?;
        found.all(|other| other == team).then_some(team)
    }

    /// The team of a code, within one league.
    #[must_use]
    pub fn team_of_code(&self, league: &str, code: &str) -> Option<&str> {
        let code = code.to_ascii_uppercase();
        if let Some(team) = self.team_codes.get(league).and_then(|codes| codes.get(&code)) {
            return Some(team);
        }
        let others = same_teams_as(league).iter();
        let mut found = others.filter_map(|other| self.team_codes.get(*other)?.get(&code));
        let team = found.next()?;
        found.all(|other| other == team).then_some(team)
    }

    /// Two codes that run together, as in `LADAZ`; none where they can be cut in two ways.
    #[must_use]
    pub fn split_codes(&self, league: &str, run: &str) -> Option<(&str, &str)> {
        let mut found = None;
        for cut in 1..run.len() {
            let (Some(left), Some(right)) = (run.get(..cut), run.get(cut..)) else { continue };
            let (Some(left), Some(right)) =
                (self.team_of_code(league, left), self.team_of_code(league, right))
            else {
                continue;
            };
            if found.is_some_and(|known| known != (left, right)) {
                return None;
            }
            found = Some((left, right));
        }
        found
    }
}

/// Leagues in whose tables the teams of a league stand too: the cups of Europe are played by teams
/// of its leagues, and colleges have one name in all sports.
fn same_teams_as(league: &str) -> &'static [&'static str] {
    match league {
        "ucl" => &["epl", "bundesliga", "laliga", "seriea", "ligue1", "uel"],
        "uel" => &["epl", "bundesliga", "laliga", "seriea", "ligue1", "ucl"],
        "ncaam" => &["ncaaf"],
        "ncaaf" => &["ncaam"],
        _ => &[],
    }
}

/// Phrases divided by `|`, as tokens joined with blanks.
fn split(text: &str) -> Vec<String> {
    text.split('|').map(normal).filter(|phrase| !phrase.is_empty()).collect()
}

/// A phrase as its folded tokens joined with blanks.
#[must_use]
pub fn normal(text: &str) -> String {
    let words: Vec<String> = tokens(text).into_iter().map(|token| token.text).collect();
    words.join(" ")
}

#[cfg(test)]
#[path = "alias_tests.rs"]
mod tests;
