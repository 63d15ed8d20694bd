//! Elections, central banks, printed figures, prices, weather, awards and deadlines; and what looks
//! like them: a person for a party, "or more" for "more than", another source, another day.

use engine::pair::Polarity;

use super::day::Day;
use super::{Ask, Bet, Board, Page, Scribe};

const STATES: &[&str] = &[
    "Ohio",
    "Georgia",
    "Nevada",
    "Arizona",
    "Pennsylvania",
    "Wisconsin",
    "Florida",
    "Iowa",
    "Colorado",
    "Missouri",
    "Indiana",
    "Utah",
    "Kansas",
    "Vermont",
];

/// (series, name, as rules call it, source)
const BANKS: &[(&str, &str, &str, &str)] = &[
    ("KXFEDDECISION", "Fed", "Federal Reserve", "Federal Reserve"),
    ("KXECBDECISION", "ECB", "European Central Bank", "European Central Bank"),
    ("KXBOEDECISION", "Bank of England", "Bank of England", "Bank of England"),
    ("KXBOJDECISION", "Bank of Japan", "Bank of Japan", "Bank of Japan"),
];

/// (series, figure, source, thresholds)
const PRINTS: &[(&str, &str, &str, [&str; 3])] = &[
    ("KXCPIYOYA", "CPI inflation rate", "Bureau of Labor Statistics", ["2.7", "2.9", "3.1"]),
    ("KXCPICOREA", "core CPI inflation rate", "Bureau of Labor Statistics", ["2.6", "2.8", "3.0"]),
    ("KXU3A", "unemployment rate", "Bureau of Labor Statistics", ["4.1", "4.3", "4.6"]),
    ("KXGDPA", "US real GDP growth", "Bureau of Economic Analysis", ["1.2", "2.2", "3.2"]),
    ("KXPCEA", "PCE inflation rate", "Bureau of Economic Analysis", ["2.3", "2.7", "2.8"]),
    ("KXRETAILA", "retail sales growth", "Census Bureau", ["0.2", "0.4", "0.6"]),
];

/// (series, name, symbol, levels in dollars)
const COINS: &[(&str, &str, &str, [u64; 2])] = &[
    ("KXBTCD", "Bitcoin", "BTC", [90_000, 100_000]),
    ("KXETHD", "Ethereum", "ETH", [3_000, 3_500]),
    ("KXSOLD", "Solana", "SOL", [150, 200]),
];

/// (series, city, station)
const CITIES: &[(&str, &str, &str)] = &[
    ("KXHIGHNY", "New York City", "Central Park"),
    ("KXHIGHCHI", "Chicago", "Midway Airport"),
    ("KXHIGHMIA", "Miami", "Miami International Airport"),
    ("KXHIGHDEN", "Denver", "Denver International Airport"),
    ("KXHIGHAUS", "Austin", "Camp Mabry"),
];

/// (series, award, who gives it, who may win)
type Award = (&'static str, &'static str, &'static str, [(&'static str, &'static str); 3]);

const AWARDS: &[Award] = &[
    (
        "KXBALLONDOR",
        "Ballon d'Or",
        "France Football",
        [("LYAM", "Lamine Yamal"), ("KMBA", "Kylian Mbappe"), ("PEDR", "Pedri")],
    ),
    (
        "KXOSCARACTO",
        "Academy Award for Best Actor",
        "Academy of Motion Picture Arts and Sciences",
        [("LDIC", "Leonardo DiCaprio"), ("TCHA", "Timothee Chalamet"), ("EHAW", "Ethan Hawke")],
    ),
    (
        "KXOSCARDIR",
        "Academy Award for Best Director",
        "Academy of Motion Picture Arts and Sciences",
        [("PAND", "Paul Thomas Anderson"), ("CZHA", "Chloe Zhao"), ("RCOO", "Ryan Coogler")],
    ),
];

const DEADLINES: &[(&str, &str)] = &[
    ("KXSHUTDOWN", "there be a federal government shutdown"),
    ("KXSTARSHIP", "Starship reach orbit"),
    ("KXTIKTOK", "TikTok be banned in the United States"),
    ("KXPOPEVISIT", "the Pope visit the United States"),
    ("KXMOONLAND", "a crewed lander touch down on the Moon"),
    ("KXNUCLEAR", "a new nuclear reactor start up in the United States"),
    ("KXCEASEFIRE", "Russia and Ukraine sign a ceasefire"),
    ("KXTARIFFCUT", "the United States and China sign a tariff agreement"),
];

pub(super) fn write(scribe: &mut Scribe, today: Day) {
    for (number, state) in STATES.iter().enumerate() {
        election(scribe, state, number % 2 == 0, today);
    }
    for bank in BANKS {
        for month in [today.next_month(), today.next_month().next_month()] {
            decision(scribe, *bank, month.plus(8));
        }
    }
    for print in PRINTS {
        let month = today.next_month();
        for month in [month, month.next_month()] {
            figure(scribe, *print, month);
        }
    }
    for coin in COINS {
        for week in 1..=6 {
            price(scribe, *coin, today.plus(7 * week));
        }
    }
    for city in CITIES {
        for ahead in 1..=6 {
            weather(scribe, *city, today.plus(ahead), 40 + 2 * ahead);
        }
    }
    for award in AWARDS {
        prize(scribe, *award, today);
    }
    for (series, what) in DEADLINES {
        deadline(scribe, series, what, today.next_month().month_end());
        deadline(scribe, series, what, today.next_month().next_month().month_end());
    }
}

fn market(rule: String, more: &str) -> [String; 2] {
    [rule, more.to_owned()]
}

fn election(scribe: &mut Scribe, state: &str, senate: bool, today: Day) {
    let year = today.year() + 2;
    let (race, series) = match senate {
        true => ("Senate", "KXSENATE"),
        false => ("governor", "KXGOVPARTY"),
    };
    let code: String = state.chars().take(4).collect::<String>().to_uppercase();
    let end = Day::of(today.plus(700).at(0, 0)).at(20, 0);
    let source = "Secretary of State";
    let board = Board {
        series,
        event: format!("{series}{code}-{}", year % 100),
        title: format!("{state} {race} winner? (Party)"),
        sub_title: year.to_string(),
        exclusive: true,
        category: "Elections",
        source,
        close: end,
        occurrence: None,
    };
    let page = Page {
        slug: format!("{}-{}-election-winner-{year}", state.to_lowercase(), race.to_lowercase()),
        title: format!("{state} {race} Election Winner {year}"),
        tags: &["politics", "elections"],
        series: "",
        neg_risk: true,
        end,
        start: None,
    };
    let number = scribe.page();
    let mut tickers = Vec::new();
    for (suffix, party, adjective) in
        [("R", "Republicans", "Republican"), ("D", "Democrats", "Democratic")]
    {
        let ticker = scribe.ask(
            &board,
            Ask {
                suffix,
                title: format!("Will {party} win the {race} race in {state} in {year}?"),
                yes: party.to_owned(),
                rules: market(
                    format!(
                        "If the {adjective} party's nominee wins the {year} {race} election in \
                         {state}, as certified by the {source}, then the market resolves to Yes."
                    ),
                    "",
                ),
                ..Ask::default()
            },
        );
        let condition = scribe.bet(
            number,
            &page,
            Bet {
                slug: format!("will-the-{}-win-{}", party.to_lowercase(), page.slug),
                question: format!("Will the {party} win the {state} {race} race in {year}?"),
                item: party.to_owned(),
                description: format!(
                    "This market will resolve to \"Yes\" if the {adjective} party's nominee wins the \
                     {year} {race} election in {state}. The resolution source is the result as \
                     certified by the {source}."
                ),
                ..Bet::default()
            },
        );
        scribe.equal(&ticker, &condition, Polarity::Same, "party of the winner");
        tickers.push((ticker, condition));
    }
    let person = scribe.bet(
        number,
        &page,
        Bet {
            slug: format!("will-jane-roe-win-{}", page.slug),
            question: format!("Will Jane Roe win the {state} {race} race in {year}?"),
            item: "Jane Roe".to_owned(),
            description: format!(
                "This market will resolve to \"Yes\" if Jane Roe wins the {year} {race} election in \
                 {state}, as certified by the {source}."
            ),
            ..Bet::default()
        },
    );
    scribe.alike(&tickers[0].0, &person, "a person, and not a party");
    let (republican, democrat) = (tickers[0].0.clone(), tickers[1].1.clone());
    scribe.alike(&republican, &democrat, "the other party");
}

fn decision(scribe: &mut Scribe, bank: (&str, &str, &str, &str), day: Day) {
    let (series, name, formal, source) = bank;
    let when = format!("{} {}", day.month(), day.year());
    let board = Board {
        series,
        event: format!("{series}-{}", day.month_code()),
        title: format!("{name} decision in {when}"),
        sub_title: day.short(),
        exclusive: true,
        category: "Economics",
        source,
        close: day.at(18, 59),
        occurrence: None,
    };
    let page = Page {
        slug: format!(
            "{}-decision-{}-{}",
            name.to_lowercase().replace(' ', "-"),
            day.month().to_lowercase(),
            day.year()
        ),
        title: format!("{name} decision in {}?", day.month()),
        tags: &["economy"],
        series: "",
        neg_risk: true,
        end: day.at(23, 0),
        start: None,
    };
    let void = "If the meeting is cancelled, the market for no change will resolve to Yes.";
    let number = scribe.page();
    let keep = scribe.ask(
        &board,
        Ask {
            suffix: "H0",
            title: format!("Will the {formal} Hike rates by 0bps at their {when} meeting?"),
            yes: format!("{name} maintains rate"),
            rules: market(
                format!(
                    "If the {formal} does a Hike of 0bps on {}, then the market resolves to Yes.",
                    day.full()
                ),
                void,
            ),
            custom: Some(("Hike", "0".to_owned())),
            ..Ask::default()
        },
    );
    let cut = scribe.ask(
        &board,
        Ask {
            suffix: "C25",
            title: format!("Will the {formal} Cut rates by 25bps at their {when} meeting?"),
            yes: "Cut 25bps".to_owned(),
            rules: market(
                format!(
                    "If the {formal} does a Cut of 25bps on {}, then the market resolves to Yes.",
                    day.full()
                ),
                void,
            ),
            custom: Some(("Cut", "25".to_owned())),
            ..Ask::default()
        },
    );
    let description = format!(
        "This market will resolve to the amount of basis points by which the {formal} changes its \
         rate at its {when} meeting. The resolution source is the {source}'s statement after its \
         meeting. {void}"
    );
    let mut bets = Vec::new();
    for (ending, question, item) in [
        (
            "no-change",
            format!("Will there be no change in {name} interest rates after the {when} meeting?"),
            "No change",
        ),
        (
            "25",
            format!("Will the {name} decrease interest rates by 25 bps after the {when} meeting?"),
            "25 bps decrease",
        ),
        (
            "50",
            format!("Will the {name} decrease interest rates by 50+ bps after the {when} meeting?"),
            "50+ bps decrease",
        ),
    ] {
        bets.push(scribe.bet(
            number,
            &page,
            Bet {
                slug: format!("{}-{ending}", page.slug),
                question,
                item: item.to_owned(),
                description: description.clone(),
                ..Bet::default()
            },
        ));
    }
    scribe.equal(&keep, &bets[0], Polarity::Same, "no change");
    scribe.equal(&cut, &bets[1], Polarity::Same, "a cut of a quarter");
    scribe.alike(&cut, &bets[2], "another bucket");
    scribe.alike(&keep, &bets[1], "another bucket");
}

fn figure(scribe: &mut Scribe, print: (&str, &str, &str, [&str; 3]), month: Day) {
    let (series, name, source, bounds) = print;
    let when = format!("{} {}", month.month(), month.year());
    let out = month.next_month().plus(11);
    let board = Board {
        series,
        event: format!("{series}-{}", month.month_code()),
        title: format!("{name} in {when}?"),
        sub_title: when.clone(),
        exclusive: false,
        category: "Economics",
        source,
        close: out.at(13, 29),
        occurrence: None,
    };
    let page = Page {
        slug: format!(
            "{}-{}-{}",
            name.to_lowercase().replace(' ', "-"),
            month.month().to_lowercase(),
            month.year()
        ),
        title: format!("{name} in {when}"),
        tags: &["economy"],
        series: "",
        neg_risk: false,
        end: out.at(14, 0),
        start: None,
    };
    let number = scribe.page();
    for (at, bound) in bounds.into_iter().enumerate() {
        let ticker = scribe.ask(
            &board,
            Ask {
                suffix: &format!("T{bound}"),
                title: format!("Will the {name} be above {bound}% in {when}?"),
                yes: format!("Above {bound}%"),
                rules: market(
                    format!(
                        "If the {name} for {when} reported by the {source} is greater than {bound}%, \
                         then the market resolves to Yes."
                    ),
                    "",
                ),
                strike: ["greater".into(), bound.to_owned(), String::new()],
                ..Ask::default()
            },
        );
        // The first threshold is asked the same way, the second turned round, the third nearly.
        let (words, rule) = match at {
            0 => (format!("above {bound}%"), format!("greater than {bound}%")),
            1 => (format!("{bound}% or less"), format!("{bound}% or less")),
            _ => (format!("{bound}% or more"), format!("{bound}% or more")),
        };
        let condition = scribe.bet(
            number,
            &page,
            Bet {
                slug: format!("{}-{}", page.slug, bound.replace('.', "pt")),
                question: format!("Will the {name} be {words} in {when}?"),
                item: words.clone(),
                description: format!(
                    "This market will resolve to \"Yes\" if the {name} for {when} is {rule}, \
                     according to the {source}. Otherwise, this market will resolve to \"No\"."
                ),
                ..Bet::default()
            },
        );
        match at {
            0 => scribe.equal(&ticker, &condition, Polarity::Same, "a printed figure"),
            1 => scribe.equal(&ticker, &condition, Polarity::Inverted, "a printed figure, turned"),
            _ => scribe.alike(&ticker, &condition, "\"or more\" is not \"more than\""),
        }
    }
}

fn price(scribe: &mut Scribe, coin: (&str, &str, &str, [u64; 2]), day: Day) {
    let (series, name, symbol, levels) = coin;
    let board = Board {
        series,
        event: format!("{series}-{}17", day.code()),
        title: format!("{name} price on {}?", day.short()),
        sub_title: format!("{} at 5pm EST", day.short()),
        exclusive: false,
        category: "Crypto",
        source: "CF Benchmarks",
        close: day.at(22, 0),
        occurrence: None,
    };
    let page = Page {
        slug: format!("{}-above-on-{}", name.to_lowercase(), day.iso()),
        title: format!("{name} above ___ on {}?", day.long()),
        tags: &["crypto"],
        series: "",
        neg_risk: false,
        end: day.at(17, 0),
        start: None,
    };
    let number = scribe.page();
    for level in levels {
        let ticker = scribe.ask(
            &board,
            Ask {
                suffix: &format!("T{}.99", level - 1),
                yes: format!("${level} or above"),
                rules: market(
                    format!(
                        "If the simple average of the sixty seconds of CF Benchmarks' {name} \
                         Real-Time Index before 5 PM EST is above {}.99 at 5 PM EST on {}, then the \
                         market resolves to Yes.",
                        level - 1,
                        day.short()
                    ),
                    "",
                ),
                strike: ["greater".into(), format!("{}.99", level - 1), String::new()],
                ..Ask::default()
            },
        );
        let condition = scribe.bet(
            number,
            &page,
            Bet {
                slug: format!("{}-{level}", page.slug),
                question: format!("Will the price of {name} be above ${level} on {}?", day.long()),
                item: level.to_string(),
                description: format!(
                    "This market will resolve to \"Yes\" if the Binance 1 minute candle for \
                     {symbol}/USDT 12:00 in the ET timezone (noon) on {} has a final \"Close\" price \
                     above {level}. Otherwise, this market will resolve to \"No\". The resolution \
                     source is Binance.",
                    day.full()
                ),
                ..Bet::default()
            },
        );
        scribe.alike(&ticker, &condition, "another source, at another hour");
    }
}

fn weather(scribe: &mut Scribe, city: (&str, &str, &str), day: Day, low: u64) {
    let (series, city, station) = city;
    let source = "National Weather Service";
    let board = Board {
        series,
        event: format!("{series}-{}", day.code()),
        title: format!("Highest temperature in {city} on {}?", day.short()),
        sub_title: day.short(),
        exclusive: true,
        category: "Climate and Weather",
        source,
        close: day.plus(1).at(4, 59),
        occurrence: None,
    };
    let page = Page {
        slug: format!(
            "highest-temperature-in-{}-on-{}",
            city.to_lowercase().replace(' ', "-"),
            day.iso()
        ),
        title: format!("Highest temperature in {city} on {}?", day.long()),
        tags: &["weather"],
        series: "",
        neg_risk: true,
        end: day.at(12, 0),
        start: None,
    };
    let number = scribe.page();
    let mut made = Vec::new();
    for low in [low, low + 2] {
        let high = low + 1;
        let ticker = scribe.ask(
            &board,
            Ask {
                suffix: &format!("B{low}.5"),
                title: format!("Will the high temp in {city} be {low}-{high}° on {}?", day.short()),
                yes: format!("{low}° to {high}°"),
                rules: market(
                    format!(
                        "If the highest temperature recorded at {station} in {city} for {} as \
                         reported by the {source}'s Climatological Report (Daily), is between \
                         {low}-{high}°, then the market resolves to Yes.",
                        day.full()
                    ),
                    "",
                ),
                strike: ["between".into(), low.to_string(), high.to_string()],
                ..Ask::default()
            },
        );
        let condition = scribe.bet(
            number,
            &page,
            Bet {
                slug: format!("{}-{low}-{high}", page.slug),
                question: format!(
                    "Will the highest temperature in {city} be between {low}-{high}°F on {}?",
                    day.long()
                ),
                item: format!("{low}-{high}°F"),
                description: format!(
                    "This market will resolve to the temperature range that contains the highest \
                     temperature recorded at {station} in degrees Fahrenheit on {}. The resolution \
                     source will be the {source} Climatological Report.",
                    day.full()
                ),
                ..Bet::default()
            },
        );
        scribe.equal(&ticker, &condition, Polarity::Same, "a bracket of temperatures");
        made.push((ticker, condition));
    }
    scribe.alike(&made[0].0, &made[1].1, "the next bracket");
}

fn prize(scribe: &mut Scribe, award: Award, today: Day) {
    let (series, name, giver, people) = award;
    let year = today.year() + 1;
    let end = today.plus(300).at(14, 0);
    let board = Board {
        series,
        event: format!("{series}-{}", year % 100),
        title: format!("{name} winner?"),
        sub_title: year.to_string(),
        exclusive: true,
        category: "Entertainment",
        source: giver,
        close: end,
        occurrence: None,
    };
    let page = Page {
        slug: format!("{}-winner-{year}", series.to_lowercase()),
        title: format!("{name} Winner {year}"),
        tags: &["culture"],
        series: "",
        neg_risk: true,
        end,
        start: None,
    };
    let number = scribe.page();
    let mut made = Vec::new();
    for (suffix, person) in people {
        let ticker = scribe.ask(
            &board,
            Ask {
                suffix,
                title: format!("Who will win the {year} {name}?"),
                yes: person.to_owned(),
                rules: market(
                    format!("If {person} wins the {year} {name}, then the market resolves to Yes."),
                    "",
                ),
                ..Ask::default()
            },
        );
        let condition = scribe.bet(
            number,
            &page,
            Bet {
                slug: format!("{}-{}", page.slug, suffix.to_lowercase()),
                question: format!("Will {person} win the {year} {name}?"),
                item: person.to_owned(),
                description: format!(
                    "This market will resolve to \"Yes\" if {person} wins the {year} {name}. The \
                     primary resolution source will be official information from {giver}."
                ),
                ..Bet::default()
            },
        );
        scribe.equal(&ticker, &condition, Polarity::Same, "an award");
        made.push((ticker, condition));
    }
    scribe.alike(&made[0].0, &made[1].1, "another nominee");
    scribe.bet(
        number,
        &page,
        Bet {
            slug: format!("{}-other", page.slug),
            question: format!("Will another person win the {year} {name}?"),
            item: "Other".to_owned(),
            description: "This market will resolve to \"Yes\" if anybody else wins.".to_owned(),
            ..Bet::default()
        },
    );
}

fn deadline(scribe: &mut Scribe, series: &str, what: &str, day: Day) {
    let next = day.plus(1);
    let board = Board {
        series,
        event: format!("{series}-{}", next.code()),
        title: format!("Will {what} before {}?", next.short()),
        sub_title: format!("Before {}", next.short()),
        exclusive: false,
        category: "Politics",
        source: "White House",
        close: next.at(4, 59),
        occurrence: None,
    };
    let ticker = scribe.ask(
        &board,
        Ask {
            suffix: "Y",
            title: format!("Will {what} before {}?", next.short()),
            yes: format!("Before {}", next.short()),
            rules: market(
                format!(
                    "If it is reported by the White House that this has happened before {}, then \
                     the market resolves to Yes: {what}.",
                    next.short()
                ),
                "",
            ),
            ..Ask::default()
        },
    );
    let slug = series.trim_start_matches("KX").to_lowercase();
    for (by, is_same) in [(day, true), (day.plus(14), false)] {
        let number = scribe.page();
        let page = Page {
            slug: format!("{slug}-by-{}", by.iso()),
            title: format!("Will {what} by...?"),
            tags: &["politics"],
            series: "",
            neg_risk: false,
            end: by.at(0, 0),
            start: None,
        };
        let condition = scribe.bet(
            number,
            &page,
            Bet {
                slug: page.slug.clone(),
                question: format!("Will {what} by {}?", by.full()),
                description: format!(
                    "This market will resolve to \"Yes\" if {what} by {}, 11:59 PM ET. Otherwise, \
                     this market will resolve to \"No\". The resolution source is the White House.",
                    by.full()
                ),
                ..Bet::default()
            },
        );
        match is_same {
            true => scribe.equal(&ticker, &condition, Polarity::Same, "a deadline"),
            false => scribe.alike(&ticker, &condition, "another deadline"),
        }
    }
}
