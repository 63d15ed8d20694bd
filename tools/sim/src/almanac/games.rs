//! Games of two teams: moneyline, spread, total, both to score, matches and maps; and games of the
//! same two on another day, the same game's other markets, and half of a draw.

use engine::pair::Polarity;

use super::day::Day;
use super::leagues::{DUELS, ESPORTS, League, SOCCER, Team};
use super::{Ask, Bet, Board, Page, Scribe};

/// What both venues say of a game that does not take its course.
const VOID: &str = "If the game is postponed, the market will remain open until the game has been \
                    completed. If the game is cancelled, the market will resolve 50-50.";

/// Days of games, and the days between a game and its look-alike.
const DAYS: u64 = 4;
const LATER: u64 = 2;

pub(super) fn write(scribe: &mut Scribe, today: Day) {
    for league in DUELS {
        for round in 0..DAYS {
            for (number, teams) in league.teams.chunks_exact(2).enumerate() {
                let day = today.plus(2 + 4 * round + number as u64);
                duel(scribe, league, [teams[0], teams[1]], day, number == 0);
            }
        }
    }
    for league in SOCCER {
        for round in 0..DAYS {
            for (number, teams) in league.teams.chunks_exact(2).enumerate() {
                let day = today.plus(3 + 5 * round + number as u64);
                soccer(scribe, league, [teams[0], teams[1]], day);
            }
        }
    }
    for (series, prefix, name, source, teams) in ESPORTS {
        for round in 0..DAYS {
            for pair in teams.chunks_exact(2) {
                let day = today.plus(2 + 3 * round);
                esport(scribe, [series, prefix, name, source], [pair[0], pair[1]], day);
            }
        }
    }
}

/// The board of a game on Kalshi.
fn board<'b>(
    series: &'b str,
    kind: &str,
    codes: &str,
    names: &str,
    day: Day,
    source: &'b str,
) -> Board<'b> {
    Board {
        series,
        event: format!("{series}-{}{codes}", day.code()),
        title: format!("{names}{kind}"),
        sub_title: format!("{} ({})", codes, &day.short()[..6]),
        exclusive: kind.is_empty(),
        category: "Sports",
        source,
        close: day.plus(7).at(20, 0),
        occurrence: Some(day.at(22, 30)),
    }
}

fn duel(scribe: &mut Scribe, league: &League, teams: [Team; 2], day: Day, whole: bool) {
    let [(code, slug, here, there), (code2, slug2, here2, there2)] = teams;
    let (names, codes) = (format!("{here} vs {here2}"), format!("{code}{code2}"));
    let game = format!("{names} {} originally scheduled for {}", league.game, day.short());
    let series = format!("KX{}GAME", league.series);
    let winner = board(&series, "", &codes, &names, day, league.source);
    let mut tickers = Vec::new();
    for (suffix, team) in [(code, here), (code2, here2)] {
        tickers.push(scribe.ask(
            &winner,
            Ask {
                suffix,
                title: format!("{names} Winner?"),
                yes: team.to_owned(),
                rules: [
                    format!("If {team} wins the {game}, then the market resolves to Yes."),
                    VOID.to_owned(),
                ],
                strike: ["structured".into(), String::new(), String::new()],
                custom: None,
            },
        ));
    }
    let versus = format!("{there} vs. {there2}");
    let page = |day: Day| Page {
        slug: format!("{}-{slug}-{slug2}-{}", league.prefix, day.iso()),
        title: versus.clone(),
        tags: &["sports", "games"],
        series: league.prefix,
        neg_risk: false,
        end: day.plus(7).at(20, 0),
        start: Some(day.at(20, 0)),
    };
    let intro = |day: Day| {
        format!("In the upcoming {} game, scheduled for {} at 3:00PM ET", league.series, day.long())
    };
    let moneyline = |day: Day| Bet {
        slug: page(day).slug,
        question: versus.clone(),
        outcomes: Some([there, there2]),
        description: format!(
            "{}: If the {there} win, the market will resolve to \"{there}\". If the {there2} win, \
             the market will resolve to \"{there2}\". {VOID} The result will be determined by the \
             final score including any overtime, as published by the {}.",
            intro(day),
            league.source
        ),
        game: Some(("moneyline", None)),
        ..Bet::default()
    };
    let number = scribe.page();
    let condition = scribe.bet(number, &page(day), moneyline(day));
    scribe.equal(&tickers[0], &condition, Polarity::Same, "winner, first team");
    scribe.equal(&tickers[1], &condition, Polarity::Inverted, "winner, second team");
    let later = scribe.page();
    let another = scribe.bet(later, &page(day.plus(LATER)), moneyline(day.plus(LATER)));
    scribe.alike(&tickers[0], &another, "the same teams on another day");
    if !whole {
        return;
    }
    let series = format!("KX{}SPREAD", league.series);
    let spread = board(&series, ": Spread", &codes, &names, day, league.source);
    let words = format!("{here2} wins by over 4.5 points");
    let ticker = scribe.ask(
        &spread,
        Ask {
            suffix: &format!("{code2}4"),
            title: format!("{words}?"),
            yes: words,
            rules: [
                format!(
                    "If {here2} wins by more than 4.5 points in the {game}, then the market \
                     resolves to Yes."
                ),
                VOID.to_owned(),
            ],
            strike: ["greater".into(), "4.5".into(), String::new()],
            custom: None,
        },
    );
    for (line, points, is_same) in [("4.5", 5, true), ("7.5", 8, false)] {
        let condition = scribe.bet(
            number,
            &page(day),
            Bet {
                slug: format!("{}-spread-home-{}", page(day).slug, line.replace('.', "pt")),
                question: format!("Spread: {there2} (-{line})"),
                outcomes: Some([there2, there]),
                description: format!(
                    "{}: This market will resolve to \"{there2}\" if the {there2} win the game by \
                     {points} or more points. Otherwise, this market will resolve to \"{there}\". \
                     {VOID} The result is published by the {}.",
                    intro(day),
                    league.source
                ),
                game: Some(("spreads", Some(format!("-{line}")))),
                ..Bet::default()
            },
        );
        match is_same {
            true => scribe.equal(&ticker, &condition, Polarity::Same, "spread"),
            false => scribe.alike(&ticker, &condition, "another line"),
        }
    }
    let series = format!("KX{}TOTAL", league.series);
    let total = board(&series, ": Total Points", &codes, &names, day, league.source);
    let ticker = scribe.ask(
        &total,
        Ask {
            suffix: "44",
            title: format!("{names}: Total Points"),
            yes: "Over 44.5 points scored".to_owned(),
            rules: [
                format!(
                    "If the teams in the {game} collectively score more than 44.5 points, then the \
                     market resolves to Yes."
                ),
                VOID.to_owned(),
            ],
            strike: ["greater".into(), "44.5".into(), String::new()],
            custom: None,
        },
    );
    let condition = scribe.bet(
        number,
        &page(day),
        Bet {
            slug: format!("{}-total-44pt5", page(day).slug),
            question: format!("{versus}: O/U 44.5"),
            outcomes: Some(["Over", "Under"]),
            description: format!(
                "{}: This market will resolve to \"Over\" if the combined score is 45 or more \
                 points. Otherwise, this market will resolve to \"Under\". {VOID} The result is \
                 published by the {}.",
                intro(day),
                league.source
            ),
            game: Some(("totals", Some("44.5".to_owned()))),
            ..Bet::default()
        },
    );
    scribe.equal(&ticker, &condition, Polarity::Same, "total");
}

fn soccer(scribe: &mut Scribe, league: &League, teams: [Team; 2], day: Day) {
    let [(code, slug, here, there), (code2, slug2, here2, there2)] = teams;
    let (names, codes) = (format!("{here} vs {here2}"), format!("{code}{code2}"));
    let game = format!(
        "the {names} professional {} soccer game originally scheduled for {} after 90 minutes plus \
         stoppage time (does not include extra time or penalties), then the market resolves to Yes.",
        league.game,
        day.short()
    );
    let series = format!("KX{}GAME", league.series);
    let winner = board(&series, "", &codes, &names, day, league.source);
    let page = Page {
        slug: format!("{}-{slug}-{slug2}-{}", league.prefix, day.iso()),
        title: format!("{there} vs. {there2}"),
        tags: &["sports", "soccer", "games"],
        series: league.prefix,
        neg_risk: true,
        end: day.plus(7).at(20, 0),
        start: Some(day.at(20, 0)),
    };
    let intro = format!("In the upcoming {} game, scheduled for {}: ", league.game, day.full());
    let rest = format!(
        "this market will resolve to \"Yes\". Otherwise, this market will resolve to \"No\". {VOID} \
         This market refers only to the outcome within the first 90 minutes of regular play plus \
         stoppage time, as published by the {}.",
        league.source
    );
    let number = scribe.page();
    let mut made = Vec::new();
    for (suffix, ending, yes, question, item, when) in [
        (
            code,
            slug,
            here,
            format!("Will {there} win on {}?", day.iso()),
            there,
            format!("{there} wins"),
        ),
        (
            code2,
            slug2,
            here2,
            format!("Will {there2} win on {}?", day.iso()),
            there2,
            format!("{there2} wins"),
        ),
        (
            "TIE",
            "draw",
            "Tie",
            format!("Will {there} vs. {there2} end in a draw?"),
            "Draw",
            "the game ends in a draw".to_owned(),
        ),
    ] {
        let rule = match yes {
            "Tie" => format!("If the game ends in a tie in {game}"),
            team => format!("If {team} wins {game}"),
        };
        let ticker = scribe.ask(
            &winner,
            Ask {
                suffix,
                title: format!("{names} Winner?"),
                yes: yes.to_owned(),
                rules: [rule, VOID.to_owned()],
                strike: ["structured".into(), String::new(), String::new()],
                custom: None,
            },
        );
        let condition = scribe.bet(
            number,
            &page,
            Bet {
                slug: format!("{}-{ending}", page.slug),
                question,
                item: item.to_owned(),
                description: format!("{intro}If {when}, {rest}"),
                game: Some(("moneyline", None)),
                ..Bet::default()
            },
        );
        scribe.equal(&ticker, &condition, Polarity::Same, "three ways to end");
        made.push((ticker, condition));
    }
    for (one, other) in [(0, 1), (1, 2), (2, 0)] {
        scribe.alike(&made[one].0, &made[other].1, "another outcome of the same game");
    }
    let series = format!("KX{}BTTS", league.series);
    let both = board(&series, ": Both Teams to Score", &codes, &names, day, league.source);
    let ticker = scribe.ask(
        &both,
        Ask {
            suffix: "BTTS",
            title: format!("{names}: Both Teams to Score?"),
            yes: "Both Teams To Score".to_owned(),
            rules: [format!("If both teams score a goal in {game}"), VOID.to_owned()],
            ..Ask::default()
        },
    );
    let condition = scribe.bet(
        number,
        &page,
        Bet {
            slug: format!("{}-btts", page.slug),
            question: format!("{there} vs. {there2}: Both Teams to Score"),
            description: format!("{intro}If both teams score at least one goal, {rest}"),
            game: Some(("both_teams_to_score", None)),
            ..Bet::default()
        },
    );
    scribe.equal(&ticker, &condition, Polarity::Same, "both teams score");
}

fn esport(
    scribe: &mut Scribe,
    [league, prefix, name, source]: [&str; 4],
    [(code, slug, one), (code2, slug2, two)]: [(&str, &str, &str); 2],
    day: Day,
) {
    let series = format!("KX{league}GAME");
    let winner =
        board(&series, "", &format!("{code}{code2}"), &format!("{one} vs {two}"), day, source);
    let void = "If the match is postponed, the market will remain open until the match has been \
                completed. If the match is cancelled, the market will resolve 50-50.";
    let ticker = scribe.ask(
        &winner,
        Ask {
            suffix: code,
            title: format!("Will {one} win the {one} vs {two} {league} match?"),
            yes: one.to_owned(),
            rules: [
                format!(
                    "If {one} wins the {one} vs. {two} {league} match originally scheduled for {}, \
                     then the market resolves to Yes.",
                    day.short()
                ),
                void.to_owned(),
            ],
            strike: ["structured".into(), String::new(), String::new()],
            custom: None,
        },
    );
    let page = Page {
        slug: format!("{prefix}-{slug}-{slug2}-{}", day.iso()),
        title: format!("{name}: {one} vs {two} (BO3)"),
        tags: &["esports", "games"],
        series: prefix,
        neg_risk: false,
        end: day.plus(7).at(20, 0),
        start: Some(day.at(20, 0)),
    };
    let number = scribe.page();
    for (map, is_match) in [("", true), ("Map 1", false)] {
        let (question, what, ending) = match is_match {
            true => (page.title.clone(), "match".to_owned(), ""),
            false => (
                format!("{name}: {one} vs {two} - {map} Winner"),
                format!("{map} of the match"),
                "-game1",
            ),
        };
        let condition = scribe.bet(
            number,
            &page,
            Bet {
                slug: format!("{}{ending}", page.slug),
                question,
                outcomes: Some([one, two]),
                description: format!(
                    "This market is on the {name} match between {one} and {two} scheduled for {}. \
                     It resolves to the team that wins the {what}. {void} Source: {source}.",
                    day.full()
                ),
                game: Some((if is_match { "moneyline" } else { "child_moneyline" }, None)),
                ..Bet::default()
            },
        );
        match is_match {
            true => scribe.equal(&ticker, &condition, Polarity::Same, "match"),
            false => scribe.alike(&ticker, &condition, "one map of the match"),
        }
    }
}
