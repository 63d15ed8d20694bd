//! Catalogues of any size, from a seed: to measure the index, and to test it where every true pair
//! is known.

use crate::listing::{Listing, Outcome, Venue};
use crate::when::{Day, UnixTime};

const GIVEN: &[&str] = &[
    "Alma", "Boris", "Carla", "Dmitri", "Elena", "Farid", "Greta", "Hugo", "Irene", "Jonas",
    "Kira", "Leon", "Mira", "Nils", "Olga", "Pavel", "Quinn", "Rosa", "Sven", "Tara", "Umar",
    "Vera", "Wanda", "Yann", "Zora",
];
const SYLLABLES: &[&str] = &[
    "ba", "cor", "dan", "el", "fin", "gar", "hol", "is", "jor", "kel", "lam", "mor", "nov", "ost",
    "per", "quil", "ras", "sol", "tam", "ulv", "ver", "wes", "yar", "zan",
];
const STATES: &[(&str, &str)] = &[
    ("Ohio", "OH"),
    ("Texas", "TX"),
    ("Florida", "FL"),
    ("Nevada", "NV"),
    ("Maine", "ME"),
    ("Iowa", "IA"),
    ("Kansas", "KS"),
    ("Oregon", "OR"),
    ("Utah", "UT"),
    ("Michigan", "MI"),
];
const ASSETS: &[&str] = &["Bitcoin", "Ethereum", "Solana", "XRP", "Dogecoin"];
const MONTHS: &[&str] = &[
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// A generated catalogue: markets with equal `number` in both ids are one contract.
#[derive(Debug, Default)]
pub struct Catalogue {
    /// Kalshi's.
    pub kalshi: Vec<Listing>,
    /// Polymarket's.
    pub polymarket: Vec<Listing>,
    /// Ids of those that are one contract.
    pub pairs: Vec<(String, String)>,
}

/// `size` markets on each venue, half of them on both. Equal seeds give equal catalogues.
#[must_use]
pub fn catalogue(size: usize, seed: u64) -> Catalogue {
    let mut rng = Rng(seed | 1);
    let mut made = Catalogue::default();
    let mut seen = std::collections::HashSet::new();
    let mut number = 0;
    while made.kalshi.len() < size || made.polymarket.len() < size {
        let [here, there] = event(&mut rng);
        // Two draws of one question would be one contract under two numbers.
        if !seen.insert(there.0.clone()) || !seen.insert(here.0.clone()) {
            continue;
        }
        number += 1;
        let both = rng.below(2) == 0;
        let first = both || rng.below(2) == 0;
        let kalshi = listing(Venue::Kalshi, &format!("KXGEN-N{number}"), here);
        let polymarket = listing(Venue::Polymarket, &format!("0x{number:064x}"), there);
        if both && made.kalshi.len() < size && made.polymarket.len() < size {
            made.pairs.push((kalshi.id.clone(), polymarket.id.clone()));
            made.kalshi.push(kalshi);
            made.polymarket.push(polymarket);
        } else if first && made.kalshi.len() < size {
            made.kalshi.push(kalshi);
        } else if made.polymarket.len() < size {
            made.polymarket.push(polymarket);
        }
    }
    made
}

/// Title and close.
type Text = (String, UnixTime);

/// One question as both venues would write it.
fn event(rng: &mut Rng) -> [Text; 2] {
    let year = 2026 + i32::try_from(rng.below(2)).unwrap_or(0);
    let end = Day::new(year, 12, 31).unwrap_or_default();
    let close = [UnixTime(end.start().0 + 29 * 3600 - 60), end.start()];
    let person = name(rng);
    let titles = match rng.below(7) {
        0 => {
            let (state, _) = STATES[rng.below(STATES.len())];
            let office = ["Governor", "Attorney General", "Secretary of State"][rng.below(3)];
            [
                format!("Will {person} be the Democratic nominee for {office} in {state}?"),
                format!("Will {person} win the {year} Democratic nomination for {state} {office}?"),
            ]
        }
        1 => [
            format!("Will {person} be arrested before Jan {}?", year + 1),
            format!("Will {person} be arrested before {}?", year + 1),
        ],
        2 => [
            format!("Will {person} release a new album in {year}?"),
            format!("Will {person} release an album in {year}?"),
        ],
        3 => {
            let asset = ASSETS[rng.below(ASSETS.len())];
            let strike = 1_000 * (1 + rng.below(3_000));
            let month = rng.below(12);
            let day = 1 + rng.below(28);
            [
                format!(
                    "Will {asset} be above ${strike} on {} {day}, {year} at 5pm EDT?",
                    &MONTHS[month][..3]
                ),
                format!(
                    "Will the price of {asset} be above ${strike} on {} {day}, {year}, 5PM ET?",
                    MONTHS[month]
                ),
            ]
        }
        4 => {
            let (_, code) = STATES[rng.below(STATES.len())];
            let seat = 1 + rng.below(50);
            let party = ["Democratic", "Republican"][rng.below(2)];
            [
                format!("Will {party} win the House race for {code}-{seat:02} in {year}?"),
                format!("Will the {party} Party win the {code}-{seat:02} House seat in {year}?"),
            ]
        }
        5 => [
            format!("Will {person} visit {} before Jan 1, {}?", city(rng), year + 1),
            String::new(),
        ],
        _ => {
            let cup = format!("{} Open", city(rng));
            [
                format!("Will {person} win the {year} {cup}?"),
                format!("Will {person} be the {year} {cup} champion?"),
            ]
        }
    };
    let [here, there] = titles;
    let there = if there.is_empty() { here.replace("before Jan 1, ", "before ") } else { there };
    [(here, close[0]), (there, close[1])]
}

fn city(rng: &mut Rng) -> String {
    let mut text = format!("{}{}{}", rng.syllable(), rng.syllable(), rng.syllable());
    text.get_mut(..1).map(str::make_ascii_uppercase).unwrap_or_default();
    text
}

fn name(rng: &mut Rng) -> String {
    let given = GIVEN[rng.below(GIVEN.len())];
    format!("{given} {}", city(rng))
}

fn listing(venue: Venue, id: &str, (title, close): Text) -> Listing {
    let token =
        |side: &str| if venue == Venue::Polymarket { format!("{id}{side}") } else { String::new() };
    let rules = match venue {
        Venue::Kalshi => format!(
            "If this happens, then the market resolves to Yes. {title} The exchange names its sources in the contract terms."
        ),
        Venue::Polymarket => format!(
            "This market will resolve to \"Yes\" if it happens. Otherwise, this market will resolve to \"No\". {title} The resolution source will be a consensus of credible reporting."
        ),
    };
    Listing {
        venue,
        id: id.to_owned(),
        title,
        outcomes: ["Yes", "No"]
            .map(|name| Outcome { name: name.to_owned(), token: token(name) })
            .to_vec(),
        rules,
        close: Some(close),
        ..Listing::default()
    }
}

/// xorshift: enough for names.
struct Rng(u64);

impl Rng {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from((self.0 >> 11) % limit.max(1) as u64).unwrap_or(0)
    }

    fn syllable(&mut self) -> &'static str {
        SYLLABLES[self.below(SYLLABLES.len())]
    }
}
