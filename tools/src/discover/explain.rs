//! Two markets side by side on one screen: what differs, and where each side says it.

use std::fmt::Write as _;

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
    let said = match (judged.equality.equal, finding::verdict(judged).may_decide()) {
        (false, _) => "REFUSED: not one contract",
        (true, true) => "ONE CONTRACT: tradable by rule",
        (true, false) if finding::verdict(judged) == engine::pair::Verdict::Blocked => {
            "REFUSED: one question, and both sides resolve differently"
        }
        (true, false) => "ONE CONTRACT, as far as can be told: a person has to read it",
    };
    let mut line = |words: String| {
        let _ = writeln!(text, "{}", cut(&words, WIDTH)); // Writing to a string cannot fail.
    };
    let Equality { score, calibrated, .. } = judged.equality;
    line(format!("{said}   (score {score} of 1000, {calibrated} of 1000 such pairs are equal)"));
    let (market, other) = (&here.market, &there.market);
    let asked = match market.title.trim() {
        "" => here.event.as_ref().map_or("", |event| event.title.as_str()),
        title => title,
    };
    line(format!("  Kalshi      {}  {}", market.ticker, joined(&[asked, &market.yes_sub_title])));
    line(format!(
        "              {}",
        times(&[
            ("closes", market.close_time),
            ("expected", market.expected_expiration),
            ("about", market.occurrence),
        ])
    ));
    line(format!(
        "  Polymarket  {}  {}",
        other.slug,
        joined(&[&other.question, &other.group_item_title])
    ));
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
        _ => line("  Outcomes    nobody can say which answers which: not tradable".to_owned()),
    }
    if let Some(standing) = standing {
        line(format!("  Stands      {:?}: {}", standing.verdict, standing.why));
    }
    let against = finding::against(judged);
    for field in against.iter().take(FIELDS_MAX) {
        text.push('\n');
        shown(&mut text, field);
    }
    if against.len() > FIELDS_MAX {
        let more: Vec<&str> = against[FIELDS_MAX..].iter().map(|f| f.field.as_str()).collect();
        let _ = writeln!(text, "\n  also open: {}", cut(&more.join(", "), WIDTH - 14));
    }
    let gate = judged.gate.compared.iter().filter(|_| judged.equality.equal);
    let agreed: Vec<&str> = judged
        .compared
        .iter()
        .chain(gate)
        .filter(|field| matches!(field.relation, Relation::Equal | Relation::Compatible))
        .map(|field| field.field.as_str())
        .collect();
    if !agreed.is_empty() {
        let _ = writeln!(text, "\n  agree: {}", cut(&agreed.join(", "), WIDTH - 10));
    }
    if judged.equality.equal {
        let _ = writeln!(text, "  worst case: {}", worst(&judged.payoff));
    }
    text
}

/// A field with both values and the words that they were read from.
fn shown(text: &mut String, field: &Compared) {
    let mark = match field.relation {
        Relation::Different => "differs",
        Relation::Unknown => "unknown",
        Relation::Equal => "equal",
        Relation::Compatible => "compatible",
    };
    let _ = writeln!(text, "  {} {mark}", field.field);
    for (venue, value, words) in
        [("Kalshi", &field.here, &field.here_text), ("Polymarket", &field.there, &field.there_text)]
    {
        let value = if value.trim().is_empty() { "does not say" } else { value };
        let _ = writeln!(text, "    {venue:<10}  {}", cut(&plain(value), QUOTE_MAX));
        if !words.trim().is_empty() && words.trim() != value.trim() {
            let _ = writeln!(
                text,
                "                read in: \"{}\"",
                cut(&plain(words), QUOTE_MAX - 12)
            );
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
}
