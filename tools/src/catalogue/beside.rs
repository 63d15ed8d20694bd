//! What Gamma lists beside events and markets: tags, sports and teams. Teams bring further names,
//! sports and tags say which league an event is of. Nothing of it replaces what the program knows:
//! a name that could mean two teams is left out.

use std::collections::{HashMap, HashSet};

use matching::alias::{Aliases, normal};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::fields::Fields;

/// A word that events carry.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Tag {
    /// Gamma's number.
    pub id: String,
    /// As events name it.
    pub slug: String,
}

/// A sport or league.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Sport {
    /// The word that slugs of its games begin with.
    pub sport: String,
    /// Numbers of its tags.
    pub tags: Vec<String>,
    /// The number of its series.
    pub series: String,
}

/// A team.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Team {
    /// Gamma's number.
    pub id: String,
    /// Its league, as slugs write it.
    pub league: String,
    /// Its name.
    pub name: String,
    /// Another name.
    pub alias: String,
    /// Its code, as slugs write it.
    pub code: String,
}

/// One of them.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Beside {
    /// A tag.
    Tag(Tag),
    /// A sport.
    Sport(Sport),
    /// A team.
    Team(Team),
}

impl Beside {
    /// Reads what is one of them; `None` for anything else.
    pub fn read(value: &Value) -> Option<Beside> {
        let mut fields = Fields::of(value)?;
        let has = |key: &str| value.get(key).is_some_and(|value| !value.is_null());
        if has("sport") && has("series") {
            let tags = fields.text("tags");
            let tags = tags.split(',').map(|id| id.trim().to_owned());
            return Some(Beside::Sport(Sport {
                sport: fields.name("sport")?,
                tags: tags.filter(|id| !id.is_empty()).collect(),
                series: fields.text("series"),
            }));
        }
        let id = fields.name("id")?;
        if has("league") && has("name") {
            return Some(Beside::Team(Team {
                id,
                league: fields.name("league")?,
                name: fields.name("name")?,
                alias: fields.text("alias"),
                code: fields.text("abbreviation"),
            }));
        }
        match has("label") && has("slug") {
            true => Some(Beside::Tag(Tag { id, slug: fields.name("slug")? })),
            false => None,
        }
    }

    /// What names it among all of them.
    pub fn id(&self) -> String {
        match self {
            Beside::Tag(tag) => format!("tag {}", tag.id),
            Beside::Sport(sport) => format!("sport {}", sport.sport),
            Beside::Team(team) => format!("team {}", team.id),
        }
    }
}

/// The names of teams as lines of a table of names, each of a team that is known under another
/// name or of one that is not known at all.
pub fn names(all: &[Beside], known: &Aliases) -> String {
    let teams: Vec<(&str, &Team)> = all
        .iter()
        .filter_map(|one| match one {
            Beside::Team(team) => Some((known.league_of_slug(&team.league)?.id.as_str(), team)),
            _ => None,
        })
        .collect();
    let mut lines: Vec<String> = Vec::new();
    for (league, team) in &teams {
        let others = || teams.iter().filter(|(of, other)| of == league && other.id != team.id);
        // A name inside of another team's name is no name of one team.
        let mistaken = |name: &str| {
            let inside = |text: &str| format!(" {} ", normal(text)).contains(&format!(" {name} "));
            others().any(|(_, other)| inside(&other.name) || inside(&other.alias))
        };
        let mut own: Vec<String> = [&team.name, &team.alias].map(|name| normal(name)).into();
        own.dedup();
        let found: HashSet<&str> = own.iter().filter_map(|name| known.team(league, name)).collect();
        let mut found = found.into_iter();
        own.retain(|name| name.len() > 2 && !mistaken(name));
        let (canonical, codes) = match (found.next(), found.next()) {
            // Two of its names are two teams here.
            (_, Some(_)) => continue,
            (Some(canonical), None) => (canonical.to_owned(), String::new()),
            (None, None) => {
                let code = team.code.to_ascii_uppercase();
                let is_code = code.len() > 1 && code.bytes().all(|b| b.is_ascii_alphanumeric());
                let shared = others().any(|(_, other)| other.code.eq_ignore_ascii_case(&code));
                let free = is_code && !shared && known.team_of_code(league, &code).is_none();
                let Some(first) = own.first() else { continue };
                (first.clone(), if free { code } else { String::new() })
            }
        };
        own.retain(|name| known.team(league, name).is_none());
        if !own.is_empty() {
            lines.push(format!("{league}\t{canonical}\t{codes}\t{}", own.join(" | ")));
        }
    }
    lines.sort();
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// The leagues that tags alone name: those of one sport and no other.
pub fn leagues(all: &[Beside], known: &Aliases) -> HashMap<String, String> {
    let mut sports: HashMap<&str, HashSet<&str>> = HashMap::new();
    for one in all {
        if let Beside::Sport(sport) = one {
            for tag in &sport.tags {
                sports.entry(tag).or_default().insert(&sport.sport);
            }
        }
    }
    let league = |tag: &Tag| {
        let of = sports.get(tag.id.as_str()).filter(|of| of.len() == 1)?;
        let league = known.league_of_slug(of.iter().next()?)?;
        Some((tag.slug.clone(), league.id.clone()))
    };
    all.iter()
        .filter_map(|one| if let Beside::Tag(tag) = one { league(tag) } else { None })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(rows: &Value) -> Vec<Beside> {
        rows.as_array().unwrap().iter().filter_map(Beside::read).collect()
    }

    #[test]
    fn teams_add_names_and_never_take_one_from_another() {
        let all = read(&json!([
            {"id": 1, "league": "nba", "name": "Celtics", "alias": "Shamrock Men", "abbreviation": "bos"},
            {"id": 2, "league": "nba", "name": "Sonics", "alias": "Seattle Sonics", "abbreviation": "sea"},
            // Its alias is another team's name here, so that nobody knows which is meant.
            {"id": 3, "league": "nba", "name": "Lakers", "alias": "Celtics", "abbreviation": "lal"},
            {"id": 4, "league": "nowhere", "name": "X", "abbreviation": "x"},
            {"id": 5, "name": "no league"}, 7, {"id": "9", "label": "EPL", "slug": "EPL"},
        ]));
        assert_eq!(all.len(), 5);
        let mut known = Aliases::builtin();
        let text = names(&all, &known);
        known.extend(&text).unwrap();
        assert_eq!(known.team("nba", "Shamrock Men"), Some("celtics"));
        assert_eq!(known.team("nba", "Celtics"), Some("celtics"), "{text}");
        assert_eq!(known.team("nba", "Lakers"), Some("lakers"), "{text}");
        assert_eq!(known.team("nba", "Seattle Sonics"), known.team("nba", "Sonics"));
        assert_eq!(known.team_of_code("nba", "SEA"), known.team("nba", "Sonics"));
        assert_eq!(known.team_of_code("nba", "BOS"), Some("celtics"));
    }

    #[test]
    fn a_tag_of_one_sport_alone_names_its_league() {
        let all = read(&json!([
            {"id": 1, "sport": "epl", "series": "10188", "tags": "1,82, 306"},
            {"id": 2, "sport": "nba", "series": "2", "tags": "1,745"},
            {"id": "1", "label": "Sports", "slug": "sports"},
            {"id": "306", "label": "Premier League", "slug": "premier-league"},
            {"id": "745", "label": "NBA", "slug": "nba-basketball"},
            {"id": "5", "label": "Politics", "slug": "politics"},
        ]));
        let leagues = leagues(&all, &Aliases::builtin());
        let of = |slug: &str| leagues.get(slug).map(String::as_str);
        assert_eq!((of("premier-league"), of("nba-basketball")), (Some("epl"), Some("nba")));
        assert_eq!((of("sports"), of("politics")), (None, None));
    }
}
