//! Small readers of tokens: districts, times of day, negation, word endings.

use crate::token::{MICRO, Token};

const STATES: &str = "al ak az ar ca co ct de fl ga hi id il in ia ks ky la me md ma mi mn ms mo mt ne \
                      nv nh nj nm ny nc nd oh ok or pa ri sc sd tn tx ut vt va wa wv wi wy";
/// States with one seat in the House, where `AL` and `01` are the same.
const AT_LARGE: &[&str] = &["ak", "de", "nd", "sd", "vt", "wy"];

/// `TX-17`, `PA-8`, `AK-AL`: its name and number of tokens.
pub(crate) fn district_at(found: &[Token], at: usize) -> Option<(String, usize)> {
    let token = found.get(at)?;
    let next = found.get(at + 1)?;
    let is_state = token.code && STATES.split_whitespace().any(|state| state == token.text);
    if !is_state || !(next.hyphen || next.code || next.number.is_some()) || next.after_break {
        return None;
    }
    if next.text == "al" && next.code && next.hyphen {
        return Some((format!("{}-1", token.text), 2));
    }
    let number = next.number.filter(|n| !n.percent && !n.dollar && n.micro % MICRO == 0)?;
    let seat = number.micro / MICRO;
    if !(0..=60).contains(&seat) {
        return None;
    }
    let seat = if AT_LARGE.contains(&token.text.as_str()) { 1 } else { seat };
    Some((format!("{}-{seat}", token.text), 2))
}

/// `5pm`, `3:00 PM ET`, `12:00 UTC`: minutes after midnight, whether in UTC, number of tokens.
pub(crate) fn clock_at(found: &[Token], at: usize) -> Option<(i32, bool, usize)> {
    let token = found.get(at)?;
    let text = |n: usize| found.get(n).map_or("", |t| t.text.as_str());
    let (hour, mut minute, mut half, mut end);
    if let Some((digits, suffix)) = split_half(&token.text) {
        (hour, minute, half, end) = (digits.parse::<i32>().ok()?, 0, Some(suffix), at + 1);
    } else {
        let number = token.number.filter(|n| n.micro % MICRO == 0 && n.micro < 24 * MICRO)?;
        hour = i32::try_from(number.micro / MICRO).ok().filter(|h| *h >= 0)?;
        (minute, half, end) = (0, None, at + 1);
        let next = text(end);
        let digits: String = next.chars().take_while(char::is_ascii_digit).collect();
        let colon = found.get(end).is_some_and(|t| t.after_break) && digits.len() == 2;
        let rest = next.get(digits.len()..).unwrap_or("");
        if colon && matches!(rest, "" | "am" | "pm") {
            minute = digits.parse().ok().filter(|m| *m < 60)?;
            half = (!rest.is_empty()).then_some(rest);
            end += 1;
        }
        if half.is_none() && matches!(text(end), "am" | "pm") {
            half = Some(text(end));
            end += 1;
        }
        // `3:1` may be a score: a clock without `pm` needs its zone.
        if half.is_none() && !(colon && zone(text(end)).is_some()) {
            return None;
        }
    }
    let hour = match half {
        Some("pm") if hour < 12 => hour + 12,
        Some("am") if hour == 12 => 0,
        _ => hour,
    };
    let utc = zone(text(end));
    end += usize::from(utc.is_some());
    (hour < 24).then_some((hour * 60 + minute, utc.unwrap_or(false), end - at))
}

/// `5pm` as `5` and `pm`.
fn split_half(text: &str) -> Option<(&str, &str)> {
    let cut = text.len().checked_sub(2)?;
    let (digits, half) = (text.get(..cut)?, text.get(cut..)?);
    let hours = (1..=2).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    (hours && matches!(half, "am" | "pm")).then_some((digits, half))
}

/// Whether a word is a time zone, and that UTC.
fn zone(text: &str) -> Option<bool> {
    match text {
        "et" | "est" | "edt" => Some(false),
        "utc" | "gmt" => Some(true),
        _ => None,
    }
}

/// `not`, `fails to`, and `no` where it does not begin a number or `no change`.
pub(crate) fn is_negation(found: &[Token], at: usize) -> bool {
    let next = found.get(at + 1).map_or("", |t| t.text.as_str());
    match found[at].text.as_str() {
        "not" | "wont" | "never" | "without" | "cannot" | "isnt" | "doesnt" => {
            !matches!(next, "more" | "less" | "fewer" | "later")
        }
        "fail" | "fails" => next == "to",
        "no" => !matches!(
            next,
            "change" | "more" | "less" | "fewer" | "later" | "one" | "earlier" | "" | "1"
        ),
        _ => false,
    }
}

/// `Sen. Warren`, `Cardinal Parolin`: how a person is addressed, before the name.
pub(crate) fn honorific_at(found: &[Token], at: usize) -> bool {
    const WORDS: &[&str] = &[
        "mr",
        "mrs",
        "ms",
        "dr",
        "sir",
        "dame",
        "sen",
        "rep",
        "congressman",
        "congresswoman",
        "cardinal",
        "archbishop",
        "bishop",
        "ayatollah",
        "sheikh",
        "sultan",
        "emir",
        "judge",
        "justice",
        "gen",
        "adm",
        "col",
        "capt",
        "sgt",
        "professor",
        "prof",
        "ambassador",
        "lord",
        "baroness",
        "hon",
        "singer",
        "rapper",
        "actor",
        "actress",
    ];
    let word = &found[at];
    let named = |token: &Token| token.capital && !token.code && token.number.is_none();
    WORDS.contains(&word.text.as_str())
        && word.capital
        && found.get(at + 1).is_some_and(|next| named(next) && next.text.len() > 2)
}

/// A word without its ending: enough for `cases` and `case`.
pub(crate) fn stem(word: &str) -> String {
    for ending in ["ing", "ed", "es", "s"] {
        if let Some(stem) = word.strip_suffix(ending)
            && stem.len() >= 4
            && !stem.ends_with('s')
            && stem.is_ascii()
        {
            return stem.trim_end_matches('e').to_owned();
        }
    }
    if word.len() >= 5 { word.trim_end_matches('e').to_owned() } else { word.to_owned() }
}

/// A word without the ending that makes a noun of a verb: `detonated` and `detonation`.
pub(crate) fn root(word: &str) -> &str {
    const ENDINGS: &[&str] = &[
        "ament", "ional", "ations", "ation", "ments", "ment", "ions", "ion", "ance", "ing", "ed",
        "at", "e",
    ];
    let cut = |ending: &&str| word.strip_suffix(*ending).filter(|stem| stem.len() >= 5);
    ENDINGS.iter().find_map(cut).unwrap_or(word).trim_end_matches('e')
}

/// Whether two words are one name: a slip of one letter in a long one, or an initial.
pub(crate) fn alike(a: &str, b: &str) -> bool {
    if a == b {
        return true;
    }
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    if short.chars().any(|c| c.is_ascii_digit()) || long.chars().any(|c| c.is_ascii_digit()) {
        return false;
    }
    let plural = short.len() >= 4 && long.strip_suffix('s') == Some(short);
    plural || (short.len() >= 5 && one_edit(short, long))
}

/// Whether one letter added or dropped, or one changed for a letter that sounds like it, makes one
/// of the other. Names that begin differently are two names.
fn one_edit(short: &str, long: &str) -> bool {
    let (a, b): (Vec<char>, Vec<char>) = (short.chars().collect(), long.chars().collect());
    let same = a.iter().zip(&b).take_while(|(x, y)| x == y).count();
    let rest = |list: &[char], skip: usize| list.get(same + skip..).unwrap_or(&[]).to_vec();
    if same == 0 {
        return false;
    }
    match b.len().checked_sub(a.len()) {
        Some(0) => {
            let sounds = a.get(same).zip(b.get(same)).is_some_and(|(x, y)| {
                SOUNDS.iter().any(|group| group.contains(*x) && group.contains(*y))
            });
            sounds && rest(&a, 1) == rest(&b, 1)
        }
        Some(1) => rest(&a, 0) == rest(&b, 1),
        _ => false,
    }
}

/// Whether two first names are one person's, where the surname agrees.
pub(crate) fn nickname(a: &str, b: &str) -> bool {
    let is = |short: &str, long: &str| {
        NICKNAMES.iter().any(|(nick, names)| *nick == short && names.split(' ').any(|n| n == long))
    };
    is(a, b) || is(b, a)
}

/// Short names, and the names that they are short for.
const NICKNAMES: &[(&str, &str)] = &[
    ("abe", "abraham"),
    ("alex", "alexander alexandra alejandro"),
    ("andy", "andrew"),
    ("ben", "benjamin"),
    ("beth", "elizabeth"),
    ("bill", "william"),
    ("bob", "robert"),
    ("bobby", "robert"),
    ("charlie", "charles"),
    ("chris", "christopher christian christine"),
    ("chuck", "charles"),
    ("dan", "daniel"),
    ("dave", "david"),
    ("don", "donald"),
    ("ed", "edward edwin"),
    ("fred", "frederick"),
    ("greg", "gregory"),
    ("jack", "john"),
    ("jeff", "jeffrey"),
    ("jim", "james"),
    ("jimmy", "james"),
    ("joe", "joseph"),
    ("jon", "jonathan"),
    ("josh", "joshua"),
    ("kate", "katherine"),
    ("ken", "kenneth"),
    ("larry", "lawrence"),
    ("liz", "elizabeth"),
    ("maggie", "margaret"),
    ("matt", "matthew"),
    ("mike", "michael"),
    ("nick", "nicholas nicolas"),
    ("ollie", "oliver"),
    ("pat", "patrick patricia"),
    ("pete", "peter"),
    ("phil", "philip phillip"),
    ("ray", "raymond"),
    ("rick", "richard"),
    ("rob", "robert"),
    ("ron", "ronald"),
    ("russ", "russell"),
    ("sam", "samuel samantha"),
    ("steve", "steven stephen"),
    ("sue", "susan"),
    ("ted", "edward theodore"),
    ("tim", "timothy"),
    ("tom", "thomas"),
    ("tony", "anthony"),
    ("vini", "vinicius"),
    ("zach", "zachary"),
];

/// Letters that are written for each other.
const SOUNDS: &[&str] = &["aeiouy", "sz", "ckq", "vw", "ij"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::tokens;

    #[test]
    fn a_slip_of_a_letter_is_one_name_and_another_name_is_not() {
        for (a, b) in [
            ("walsh", "walish"),
            ("cristopher", "christopher"),
            ("zelensky", "zelenskyy"),
            ("grammys", "grammy"),
        ] {
            assert!(alike(a, b) && alike(b, a), "{a} {b}");
        }
        for (a, b) in [
            ("smith", "amith"),
            ("martin", "marvin"),
            ("abc", "abd"),
            ("gpt5", "gpt6"),
            ("elfin", "kelfin"),
        ] {
            assert!(!alike(a, b) && !alike(b, a), "{a} {b}");
        }
    }

    #[test]
    fn districts_and_clocks_are_read_as_people_write_them() {
        let district = |text: &str| district_at(&tokens(text), 0);
        assert_eq!(district("TX-17"), Some(("tx-17".to_owned(), 2)));
        assert_eq!(district("PA-08"), district("PA-8"));
        assert_eq!(district("AK-AL"), district("AK-01"));
        assert_eq!(district("OR 2026"), None);
        assert_eq!(district("In 5"), None);
        let clock = |text: &str| clock_at(&tokens(text), 0);
        assert_eq!(clock("5pm EST"), Some((17 * 60, false, 2)));
        assert_eq!(clock("3:15 PM ET"), Some((15 * 60 + 15, false, 4)));
        assert_eq!(clock("12:00 UTC"), Some((12 * 60, true, 3)));
        assert_eq!(clock("3:15"), None);
        assert_eq!(clock("12am"), Some((0, false, 1)));
    }
}
