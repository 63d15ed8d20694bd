//! Leagues whose games the almanac lists: how both venues write them and their teams.

use serde_json::{Value, json};

/// A league: series on Kalshi, prefix on Polymarket, its tag, what a game of it is called there,
/// who says how it ended, and its teams as (code, code there, name here, name there).
/// As (code, code there, name here, name there).
pub(super) type Team = (&'static str, &'static str, &'static str, &'static str);

pub(super) struct League {
    pub(super) series: &'static str,
    pub(super) prefix: &'static str,
    pub(super) game: &'static str,
    pub(super) source: &'static str,
    pub(super) teams: &'static [Team],
}

/// Leagues whose games one of two wins; the away team stands first.
pub(super) const DUELS: &[League] = &[
    League {
        series: "NBA",
        prefix: "nba",
        game: "professional basketball game",
        source: "NBA",
        teams: &[
            ("BOS", "bos", "Boston", "Celtics"),
            ("LAL", "lal", "Los Angeles L", "Lakers"),
            ("MIA", "mia", "Miami", "Heat"),
            ("DEN", "den", "Denver", "Nuggets"),
            ("NYK", "nyk", "New York", "Knicks"),
            ("CHI", "chi", "Chicago", "Bulls"),
            ("DAL", "dal", "Dallas", "Mavericks"),
            ("MIL", "mil", "Milwaukee", "Bucks"),
        ],
    },
    League {
        series: "NFL",
        prefix: "nfl",
        game: "professional football game",
        source: "NFL",
        teams: &[
            ("KC", "kc", "Kansas City", "Chiefs"),
            ("BUF", "buf", "Buffalo", "Bills"),
            ("DET", "det", "Detroit", "Lions"),
            ("GB", "gb", "Green Bay", "Packers"),
            ("SEA", "sea", "Seattle", "Seahawks"),
            ("PIT", "pit", "Pittsburgh", "Steelers"),
        ],
    },
    League {
        series: "NHL",
        prefix: "nhl",
        game: "professional hockey game",
        source: "NHL",
        teams: &[
            ("EDM", "edm", "Edmonton", "Oilers"),
            ("TOR", "tor", "Toronto", "Maple Leafs"),
            ("COL", "col", "Colorado", "Avalanche"),
            ("TB", "tb", "Tampa Bay", "Lightning"),
            ("CAR", "car", "Carolina", "Hurricanes"),
            ("NSH", "nsh", "Nashville", "Predators"),
        ],
    },
    League {
        series: "MLB",
        prefix: "mlb",
        game: "professional baseball game",
        source: "MLB",
        teams: &[
            ("HOU", "hou", "Houston", "Astros"),
            ("SD", "sd", "San Diego", "Padres"),
            ("ATL", "atl", "Atlanta", "Braves"),
            ("PHI", "phi", "Philadelphia", "Phillies"),
        ],
    },
    League {
        series: "NCAAF",
        prefix: "cfb",
        game: "college football game",
        source: "NCAA",
        teams: &[
            ("MSU", "michst", "Michigan St.", "Michigan State"),
            ("ND", "nd", "Notre Dame", "Notre Dame"),
            ("LSU", "lsu", "LSU", "LSU"),
            ("MISS", "miss", "Ole Miss", "Ole Miss"),
            ("HOU", "hou", "Houston", "Houston"),
            ("TTU", "ttu", "Texas Tech", "Texas Tech"),
        ],
    },
    League {
        series: "NCAAMB",
        prefix: "cbb",
        game: "men's college basketball game",
        source: "NCAA",
        teams: &[
            ("DUKE", "duke", "Duke", "Duke Blue Devils"),
            ("UNC", "ncar", "North Carolina", "North Carolina Tar Heels"),
            ("KU", "kan", "Kansas", "Kansas Jayhawks"),
            ("ARIZ", "ariz", "Arizona", "Arizona Wildcats"),
        ],
    },
];

/// Leagues of soccer; the home team stands first.
pub(super) const SOCCER: &[League] = &[
    League {
        series: "EPL",
        prefix: "epl",
        game: "EPL",
        source: "Premier League",
        teams: &[
            ("ARS", "ars", "Arsenal", "Arsenal FC"),
            ("CFC", "che", "Chelsea", "Chelsea FC"),
            ("LFC", "liv", "Liverpool", "Liverpool FC"),
            ("EVE", "eve", "Everton", "Everton FC"),
            ("FUL", "ful", "Fulham", "Fulham FC"),
            ("BRE", "bre", "Brentford", "Brentford FC"),
        ],
    },
    League {
        series: "BUNDESLIGA",
        prefix: "bun",
        game: "Bundesliga",
        source: "governing body",
        teams: &[
            ("BVB", "dor", "Borussia Dortmund", "Borussia Dortmund"),
            ("FCB", "bay", "Bayern Munich", "FC Bayern München"),
            ("SGE", "ein", "Eintracht Frankfurt", "Eintracht Frankfurt"),
            ("RBL", "rbl", "RB Leipzig", "RB Leipzig"),
        ],
    },
    League {
        series: "LALIGA",
        prefix: "lal",
        game: "La Liga",
        source: "governing body",
        teams: &[
            ("RMA", "rea", "Real Madrid", "Real Madrid CF"),
            ("BAR", "bar", "Barcelona", "FC Barcelona"),
            ("SEV", "sev", "Sevilla", "Sevilla FC"),
            ("VIL", "vil", "Villarreal", "Villarreal CF"),
        ],
    },
    League {
        series: "SERIEA",
        prefix: "sea",
        game: "Serie A",
        source: "governing body",
        teams: &[
            ("JUV", "juv", "Juventus", "Juventus FC"),
            ("NAP", "nap", "Napoli", "SSC Napoli"),
            ("LAZ", "laz", "Lazio", "SS Lazio"),
            ("FIO", "fio", "Fiorentina", "ACF Fiorentina"),
        ],
    },
    League {
        series: "MLS",
        prefix: "mls",
        game: "MLS",
        source: "governing body",
        teams: &[
            ("VAN", "van", "Vancouver", "Vancouver Whitecaps FC"),
            ("HOU", "hou", "Houston", "Houston Dynamo FC"),
            ("POR", "por", "Portland", "Portland Timbers"),
            ("SEA", "sea", "Seattle", "Seattle Sounders FC"),
        ],
    },
    League {
        series: "LIGUE1",
        prefix: "fl1",
        game: "Ligue 1",
        source: "governing body",
        teams: &[
            ("PSG", "psg", "PSG", "Paris Saint-Germain FC"),
            ("OM", "mar", "Marseille", "Olympique de Marseille"),
            ("LYO", "lyo", "Lyon", "Olympique Lyonnais"),
            ("ASM", "mon", "Monaco", "AS Monaco FC"),
        ],
    },
    League {
        series: "UCL",
        prefix: "ucl",
        game: "UEFA Champions League",
        source: "UEFA",
        teams: &[
            ("RMA", "rea", "Real Madrid", "Real Madrid CF"),
            ("MCI", "mac", "Manchester City", "Manchester City FC"),
            ("SLB", "ben", "Benfica", "SL Benfica"),
            ("INT", "int", "Inter Milan", "FC Internazionale Milano"),
        ],
    },
    League {
        series: "UEL",
        prefix: "uel",
        game: "UEFA Europa League",
        source: "UEFA",
        teams: &[
            ("ROM", "rom", "Roma", "AS Roma"),
            ("FCP", "por", "Porto", "FC Porto"),
            ("AVL", "ast", "Aston Villa", "Aston Villa FC"),
            ("CEL", "cel", "Celtic", "Celtic FC"),
        ],
    },
    League {
        series: "EFLC",
        prefix: "elc",
        game: "EFL Championship",
        source: "EFL",
        teams: &[
            ("LEI", "lei", "Leicester", "Leicester City FC"),
            ("SHU", "shu", "Sheffield Utd", "Sheffield United FC"),
            ("WBA", "wba", "West Brom", "West Bromwich Albion FC"),
            ("SHW", "shw", "Sheffield Wednesday", "Sheffield Wednesday FC"),
        ],
    },
];

/// (series, prefix, name there, who says how it ended, teams as (code, code there, name))
pub(super) type Esport = (&'static str, &'static str, &'static str, &'static str, &'static [Side]);
pub(super) type Side = (&'static str, &'static str, &'static str);

pub(super) const ESPORTS: &[Esport] = &[
    (
        "CS2",
        "cs2",
        "Counter-Strike",
        "HLTV",
        &[
            ("NAVI", "navi", "Natus Vincere"),
            ("FAZE", "faze", "FaZe"),
            ("VIT", "vit", "Vitality"),
            ("MOUZ", "mouz", "MOUZ"),
        ],
    ),
    (
        "LOL",
        "lol",
        "LoL",
        "Riot Games",
        &[
            ("T1", "t1", "T1"),
            ("GEN", "gen", "Gen.G"),
            ("G2", "g2", "G2 Esports"),
            ("FNC", "fnc", "Fnatic"),
        ],
    ),
    (
        "COD",
        "codmw",
        "Call of Duty",
        "official tournament",
        &[
            ("OTX", "otx", "OpTic Texas"),
            ("LAT", "lat", "Los Angeles Thieves"),
            ("FAZE", "faze", "FaZe Vegas"),
            ("TOR", "tor", "Toronto KOI"),
        ],
    ),
];

/// Rows of Gamma's `/sports` and `/teams`. A sport's own tag is the one of its prefix; the first two
/// are those of all sports and of all games.
pub(super) fn beside() -> (Vec<Value>, Vec<Value>) {
    let (mut sports, mut teams) = (Vec::new(), Vec::new());
    let mut team = |league: &str, name: &str, alias: &str, code: &str| {
        teams.push(json!({
            "id": 100_000 + teams.len(),
            "name": name,
            "league": league,
            "record": "",
            "logo": "",
            "abbreviation": code,
            "alias": alias,
        }));
    };
    let mut sport = |prefix: &str, ordering: &str| {
        let number = sports.len() + 1;
        sports.push(json!({
            "id": number,
            "sport": prefix,
            "image": "",
            "resolution": "",
            "ordering": ordering,
            "tags": format!("1,{},100639", crate::polymarket::tag_id(prefix)),
            "series": (10_000 + number).to_string(),
        }));
    };
    for (leagues, ordering) in [(DUELS, "away"), (SOCCER, "home")] {
        for league in leagues {
            sport(league.prefix, ordering);
            for (_, code, here, there) in league.teams {
                team(league.prefix, there, here, code);
            }
        }
    }
    for (_, prefix, _, _, sides) in ESPORTS {
        sport(prefix, "home");
        for (_, code, name) in *sides {
            team(prefix, name, "", code);
        }
    }
    (sports, teams)
}
