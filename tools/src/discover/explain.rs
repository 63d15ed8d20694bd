//! Two markets side by side on one screen: what differs, and where each side says it.

use std::fmt::Write as _;

use engine::pair::Verdict;
use matching::judgement::{Compared, Equality, Judgement, Relation};
use matching::payoff::Payoff;

use crate::catalogue::finding;
use crate::catalogue::moment::rfc3339;
use crate::catalogue::store::{KalshiRow, PolymarketRow, Standing};

/// Characters of a line.
const WIDTH: usize = 100;

/// Most fields that are shown with the words that they were read from.
const FIELDS_MAX: usize = 4;

/// Characters of the words that a field was read from.
const QUOTE_MAX: usize = 82;

/// The screen of a pair.
pub fn screen(
    here: &KalshiRow,
    there: &PolymarketRow,
    judged: &Judgement,
    standing: Option<&Standing>,
) -> String {
    let mut text = String::new();
    let stands = standing.map(|standing| standing.verdict);
    let said = match (judged.equality.equal, finding::verdict(judged).may_decide()) {
        (false, _) => "REFUSED: not one contract",
        (true, _) if stands == Some(Verdict::Approved) => "ONE CONTRACT: a person approved it",
        (true, true) if stands.is_some_and(|verdict| !verdict.may_decide()) => {
            "ONE CONTRACT by rule, and not to be traded as it stands"
        }
        (true, true) => "ONE CONTRACT: tradable by rule",
        (true, false) if finding::verdict(judged) == Verdict::Blocked => {
            "REFUSED: one question, and both sides resolve differently"
        }
        (true, false) => "ONE CONTRACT, as far as can be told: a person has to read it",
    };
    let mut line = |words: String| {
        let _ = writeln!(text, "{}", cut(&words, WIDTH)); // Writing to a string cannot fail.
    };
    let Equality { score, calibrated, .. } = judged.equality;
    line(said.to_owned());
    line(format!(
        "  Likeness    {score} of 1000; of 1000 pairs so alike, {calibrated} are one contract"
    ));
    let (market, other) = (&here.market, &there.market);
    let asked = match market.title.trim() {
        "" => here.event.as_ref().map_or("", |event| event.title.as_str()),
        title => title,
    };
    line(format!("  Kalshi      {}", market.ticker));
    line(format!("              {}", joined(&[asked, &market.yes_sub_title])));
    line(format!(
        "              {}",
        times(&[
            ("closes", market.close_time),
            ("expected", market.expected_expiration),
            ("about", market.occurrence),
        ])
    ));
    line(format!("  Polymarket  {}", other.slug));
    line(format!("              {}", joined(&[&other.question, &other.group_item_title])));
    line(format!("              {}", times(&[("ends", other.end), ("starts", other.game_start)])));
    line(format!("              {}", other.condition_id));
    match (&judged.mapping, finding::polarity(judged, &other.tokens)) {
        (Some(map), Some(polarity)) => line(format!(
            "  Outcomes    {polarity:?}: YES = \"{}\" (token {}), NO = \"{}\" (token {})",
            map.with_yes_name,
            short(&map.with_yes),
            map.with_no_name,
            short(&map.with_no)
        )),
        _ if !judged.equality.equal => {}
        _ => line("  Outcomes    nobody can say which answers which: not tradable".to_owned()),
    }
    if let Some(standing) = standing {
        line(format!("  Stands      {:?}: {}", standing.verdict, standing.why));
    }
    // A line is enough for all of which neither side says anything.
    let silent = |field: &&Compared| field.here.trim().is_empty() && field.there.trim().is_empty();
    let all = finding::against(judged).into_iter();
    let (neither, against): (Vec<&Compared>, Vec<&Compared>) = all.partition(silent);
    let pages = Pages::of(here, there);
    for field in against.iter().take(FIELDS_MAX) {
        text.push('\n');
        shown(&mut text, field, &pages);
    }
    text.push('\n');
    let mut list = |what: &str, names: Vec<&str>| {
        if !names.is_empty() {
            let names = cut(&names.join(", "), WIDTH - what.len() - 4);
            let _ = writeln!(text, "  {what}: {names}");
        }
    };
    list("also open", against.iter().skip(FIELDS_MAX).map(|field| field.field.as_str()).collect());
    list("neither says", neither.iter().map(|field| field.field.as_str()).collect());
    let gate = judged.gate.compared.iter().filter(|_| judged.equality.equal);
    let agreed = judged
        .compared
        .iter()
        .chain(gate)
        .filter(|field| matches!(field.relation, Relation::Equal | Relation::Compatible));
    list("agree", agreed.map(|field| field.field.as_str()).collect());
    if judged.equality.equal {
        let _ = writeln!(text, "  worst case: {}", worst(&judged.payoff));
    }
    text
}

/// The texts of both pages by what a trader calls them, the most telling first.
struct Pages {
    here: Vec<(&'static str, String)>,
    there: Vec<(&'static str, String)>,
    /// Where each side says when a game begins: no sentence does.
    start: [String; 2],
}

impl Pages {
    fn of(here: &KalshiRow, there: &PolymarketRow) -> Pages {
        let (market, other) = (&here.market, &there.market);
        let event = |text: fn(&crate::catalogue::kalshi::Event) -> &String| {
            here.event.as_ref().map_or(String::new(), |event| plain(text(event)))
        };
        let page = there.event.as_ref().map_or(String::new(), |event| plain(&event.title));
        let about = market.occurrence.map(|at| format!(", occurrence_datetime {}", rfc3339(at)));
        let begins = other.game_start.map(|at| format!(", gameStartTime {}", rfc3339(at)));
        Pages {
            here: vec![
                ("title", plain(&market.title)),
                ("title of the event", event(|event| &event.title)),
                ("name of the outcome", plain(&market.yes_sub_title)),
                ("rules", plain(&market.rules_primary)),
                ("second rules", plain(&market.rules_secondary)),
            ],
            there: vec![
                ("question", plain(&other.question)),
                ("name of the outcome", plain(&other.group_item_title)),
                ("title of the event", page),
                ("description", plain(&other.description)),
            ],
            start: [
                format!("ticker {}{}", market.ticker, about.unwrap_or_default()),
                format!("slug {}{}", other.slug, begins.unwrap_or_default()),
            ],
        }
    }
}

/// Which of the texts holds these words; empty where none does.
fn place(texts: &[(&'static str, String)], words: &str) -> &'static str {
    let words = plain(words);
    // Words of two texts stand together with a bar or brackets between: the first one counts.
    let holds = |text: &str| !text.is_empty() && (text.contains(&words) || words.starts_with(text));
    texts.iter().find(|(_, text)| holds(text)).map_or("", |(name, _)| name)
}

/// A field with both values and the words that they were read from.
fn shown(text: &mut String, field: &Compared, pages: &Pages) {
    let mark = match field.relation {
        Relation::Different => "differs",
        Relation::Unknown => "unknown",
        Relation::Equal => "equal",
        Relation::Compatible => "compatible",
    };
    let _ = writeln!(text, "  {} {mark}", field.field);
    let sides = [
        ("Kalshi", &field.here, &field.here_text, &pages.here, &pages.start[0]),
        ("Polymarket", &field.there, &field.there_text, &pages.there, &pages.start[1]),
    ];
    for (venue, value, words, texts, start) in sides {
        let value = if value.trim().is_empty() { "does not say" } else { value };
        let _ = writeln!(text, "    {venue:<10}  {}", cut(&plain(value), QUOTE_MAX));
        let outcome = texts.iter().find(|(name, text)| {
            *name == "name of the outcome" && text.to_lowercase() == plain(value).to_lowercase()
        });
        if field.field == "start" {
            let _ = writeln!(text, "                read in {}", cut(start, QUOTE_MAX - 12));
        } else if let Some((name, outcome)) = outcome {
            let words = cut(outcome, QUOTE_MAX - 12 - name.len());
            let _ = writeln!(text, "                read in the {name}: \"{words}\"");
        } else if !words.trim().is_empty() && words.trim() != value.trim() {
            let place = match place(texts, words) {
                "" => String::new(),
                name => format!(" the {name}"),
            };
            let most = QUOTE_MAX - 12 - place.len();
            let words = telling(&plain(words), value, most);
            let _ = writeln!(text, "                read in{place}: \"{words}\"");
        }
    }
}

/// What a hedged contract pays at least, and in which cases.
fn worst(payoff: &Payoff) -> String {
    let cases = payoff.cases.iter().filter(|case| !case.excluded && case.together == payoff.worst);
    let names: Vec<&str> = cases.map(|case| case.name.as_str()).collect();
    let worst = payoff.worst;
    format!("both legs pay ${}.{:04} ({})", worst / 10_000, worst % 10_000, names.join(", "))
}

fn joined(texts: &[&str]) -> String {
    let some: Vec<String> =
        texts.iter().map(|text| plain(text)).filter(|t| !t.is_empty()).collect();
    some.join(" | ")
}

fn times(times: &[(&str, Option<i64>)]) -> String {
    let said = times.iter().filter_map(|(name, at)| Some(format!("{name} {}", rfc3339((*at)?))));
    said.collect::<Vec<_>>().join(", ")
}

/// One line of so many characters at most. Texts come from venues: what would steer a terminal is
/// left out.
pub(super) fn cut(text: &str, most: usize) -> String {
    let of_line = |c: char| if c.is_whitespace() { ' ' } else { c };
    let line: String = text.chars().map(of_line).filter(|c| !c.is_control()).collect();
    let line = line.trim_end();
    match line.char_indices().nth(most) {
        None => line.to_owned(),
        Some(_) => line.chars().take(most.saturating_sub(3)).chain("...".chars()).collect(),
    }
}

/// So many characters of a text at most, those among them in which the value stands: a sentence
/// that is cut before the word that matters says nothing.
fn telling(text: &str, value: &str, most: usize) -> String {
    let length = text.chars().count();
    let lower = text.to_lowercase();
    // Lower case can be longer: then nothing says where a word stands.
    let same = lower.chars().count() == length;
    let words = value.split(|c: char| !c.is_alphanumeric() && c != '.');
    let mut words: Vec<String> = words.filter(|w| w.len() > 1).map(str::to_lowercase).collect();
    words.sort_by_key(|word| std::cmp::Reverse(word.len()));
    let found = words.iter().find_map(|word| lower.find(word.as_str()).map(|at| (at, word)));
    let Some((at, word)) = found.filter(|_| same) else { return cut(text, most) };
    let end = lower[..at].chars().count() + word.chars().count();
    if length <= most || end + 3 <= most {
        return cut(text, most);
    }
    // Three dots in front, and some words behind the one that matters.
    let room = most.saturating_sub(3);
    let from = end.saturating_sub(room * 3 / 4).min(length.saturating_sub(room));
    let rest: String = text.chars().skip(from).collect();
    format!("...{}", cut(&rest, room))
}

/// A text of a venue as one run of words.
fn plain(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The start of a long id.
fn short(id: &str) -> String {
    match id.char_indices().nth(12) {
        None => id.to_owned(),
        Some((end, _)) => format!("{}...", &id[..end]),
    }
}

#[cfg(test)]
mod tests {
    use matching::alias::Aliases;
    use matching::listing::Listing;
    use matching::matcher::Matcher;

    use super::*;

    fn field(name: &str, relation: Relation) -> Compared {
        Compared {
            field: name.into(),
            relation,
            here: "> 3.5".into(),
            there: ">= 3.5".into(),
            here_text: "greater than 3.5 percent ".repeat(20),
            there_text: "3.5% or above".into(),
        }
    }

    #[test]
    fn a_refusal_fits_one_screen_and_quotes_both_sides() {
        let mut compared: Vec<Compared> =
            (0..30).map(|n| field(&format!("agrees-{n}"), Relation::Equal)).collect();
        compared.extend((0..9).map(|n| field(&format!("open-{n}"), Relation::Unknown)));
        compared.push(field("threshold", Relation::Different));
        compared[0].here_text = "\x1b[2J".into();
        let nothing = Listing::default();
        let mut judged = Matcher::new(Aliases::default()).judge(&nothing, &nothing);
        judged.equality.equal = true;
        judged.reasons = Vec::new();
        judged.compared = compared;
        let text = screen(&KalshiRow::default(), &PolymarketRow::default(), &judged, None);
        assert!(text.lines().count() <= 40, "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
        let differs = text.find("threshold differs").unwrap();
        assert!(differs < text.find("open-0 unknown").unwrap(), "what contradicts comes first");
        assert!(
            text.contains("read in: \"greater than 3.5 percent") && text.contains("3.5% or above")
        );
        assert!(!text.contains('\x1b'), "a venue does not steer the terminal");
        assert!(text.contains("REFUSED") && text.contains("worst case: both legs pay $"), "{text}");
        assert!(text.contains("also open: open-3, open-4"), "{text}");
    }

    #[test]
    fn what_was_read_is_named_by_its_place_and_silence_takes_one_line() {
        let (mut here, mut there) = (KalshiRow::default(), PolymarketRow::default());
        here.market.ticker = "KXNBAGAME-26NOV23BOSLAL-BOS".into();
        here.market.rules_primary = "Pays if it is greater  than 3.5 percent.".into();
        there.market.question = "3.5% or above?".into();
        there.market.slug = "nba-bos-lal-2026-11-25".into();
        there.market.game_start = Some(0);
        let nothing = Listing::default();
        let mut judged = Matcher::new(Aliases::default()).judge(&nothing, &nothing);
        let mut strike = field("strike", Relation::Different);
        strike.here_text = "greater than 3.5 percent".into();
        let mut silent = field("tie", Relation::Unknown);
        (silent.here, silent.there) = (String::new(), String::new());
        judged.compared = vec![strike, field("start", Relation::Different), silent];
        judged.equality.equal = false;
        let text = screen(&here, &there, &judged, None);
        assert!(text.contains("read in the rules: \"greater than 3.5 percent\""), "{text}");
        assert!(text.contains("read in the question: \"3.5% or above\""), "{text}");
        assert!(text.contains("read in ticker KXNBAGAME-26NOV23BOSLAL-BOS"), "{text}");
        assert!(text.contains("gameStartTime 1970-01-01T00:00:00Z"), "{text}");
        assert!(!text.contains("does not say"), "{text}");
    }

    #[test]
    fn a_quote_holds_the_word_that_matters_and_an_outcome_is_read_where_it_is_named() {
        let long =
            format!("{}the figure is rounded to tenths{}", "word ".repeat(40), " x".repeat(60));
        for (text, value) in [(long.as_str(), "rounded: tenths"), ("a tenths", "tenths")] {
            let quote = telling(text, value, 60);
            assert!(quote.contains("tenths") && quote.chars().count() <= 60, "{quote}");
        }
        assert_eq!(telling(&long, "another", 20), cut(&long, 20));
        assert!(telling(&format!("{} end", "ß".repeat(80)), "end", 20).ends_with("end"));

        let (mut here, there) = (KalshiRow::default(), PolymarketRow::default());
        here.market.title = "Arsenal vs Chelsea Winner?".into();
        here.market.yes_sub_title = "Arsenal".into();
        let nothing = Listing::default();
        let mut judged = Matcher::new(Aliases::default()).judge(&nothing, &nothing);
        let mut outcome = field("outcome", Relation::Different);
        outcome.here = "arsenal".into();
        outcome.here_text = "Arsenal vs Chelsea Winner? | Arsenal".into();
        judged.compared = vec![outcome];
        let text = screen(&here, &there, &judged, None);
        assert!(text.contains("read in the name of the outcome: \"Arsenal\""), "{text}");
    }
}
