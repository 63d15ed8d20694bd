//! Digests of rules: what a person approved is what the text said then, and nothing else.

use std::fmt::Write as _;

use matching::token::folded;
use sha2::{Digest as _, Sha256};

/// A digest of texts in their order. White space between words does not count.
pub fn hash(texts: &[&str]) -> String {
    let mut digest = Sha256::new();
    for text in texts {
        for word in text.split_whitespace() {
            digest.update(word.as_bytes());
            digest.update(b" ");
        }
        digest.update(b"\0");
    }
    let mut hex = String::with_capacity(32);
    for byte in &digest.finalize()[..16] {
        let _ = write!(hex, "{byte:02x}"); // Writing to a string cannot fail.
    }
    hex
}

/// Stands before the digest of what settles a market, where that is known.
const SETTLED_BY: char = '.';

/// A digest of rules, with that of who settles by them where it is known.
pub fn with_settlement(rules: &str, settled_by: Option<&str>) -> String {
    settled_by.map_or_else(|| rules.to_owned(), |by| format!("{rules}{SETTLED_BY}{by}"))
}

/// Whether two digests are of the same rules. A page that did not say who settles contradicts no
/// other one.
pub fn is_same(one: &str, other: &str) -> bool {
    let parts = |digest: &str| match digest.split_once(SETTLED_BY) {
        Some((rules, by)) => (rules.to_owned(), Some(by.to_owned())),
        None => (digest.to_owned(), None),
    };
    let ((one, by), (other, other_by)) = (parts(one), parts(other));
    one == other && by.zip(other_by).is_none_or(|(by, other)| by == other)
}

/// Longest name that is masked; a longer one is a sentence, and its words stand elsewhere too.
const NAME_WORDS_MAX: usize = 8;

/// The digest of a text in which everything that differs between markets of one series is masked:
/// numbers, months, weekdays, the `names`, and the words of them. Equal masks mean equal rules for
/// others.
pub fn mask(text: &str, names: &[&str]) -> String {
    let words = |text: &str| -> Vec<String> {
        let plain = |word: &str| word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
        folded(text).split_whitespace().map(plain).filter(|word| !word.is_empty()).collect()
    };
    let mut names: Vec<Vec<String>> = names.iter().map(|name| words(name)).collect();
    names.retain(|words| words.len() <= NAME_WORDS_MAX);
    // Of two names that begin alike the longer one is meant.
    names.sort_by_key(|words| std::cmp::Reverse(words.len()));
    let hides = |word: &str| names.iter().flatten().any(|w| w == word && w.chars().count() > 2);
    let text = words(text);
    let (mut masked, mut last_is_mask, mut at) = (String::new(), false, 0);
    while let Some(word) = text.get(at) {
        let stem = word.strip_suffix("'s").or_else(|| word.strip_suffix("’s")).unwrap_or(word);
        let is_number = word.chars().any(|c| c.is_ascii_digit());
        // A name as it stands, its short words with it: `LA Galaxy`.
        let whole = names.iter().find(|name| name.len() > 1 && is_here(&text[at..], name));
        let is_mask = is_number || CALENDAR.contains(&stem) || whole.is_some() || hides(stem);
        if !is_mask {
            masked.push_str(word);
            masked.push(' ');
        } else if !last_is_mask {
            masked.push_str("# "); // A name of two words is masked as one of a single word is.
        }
        last_is_mask = is_mask;
        at += whole.map_or(1, Vec::len);
    }
    hash(&[&masked])
}

/// True where the text begins with the name, be it somebody's: `Real Madrid's`.
fn is_here(text: &[String], name: &[String]) -> bool {
    let is = |word: &String, of: &String| {
        let rest = word.strip_prefix(of.as_str());
        matches!(rest, Some("" | "'s" | "’s"))
    };
    text.len() >= name.len() && text.iter().zip(name).all(|(word, of)| is(word, of))
}

/// Words of dates.
const CALENDAR: &[&str] = &[
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
    "jan",
    "feb",
    "mar",
    "apr",
    "jun",
    "jul",
    "aug",
    "sep",
    "sept",
    "oct",
    "nov",
    "dec",
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
    "am",
    "pm",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_page_did_not_say_contradicts_no_other() {
        let rules = |by| with_settlement("rules", by);
        assert!(is_same(&rules(Some("a")), &rules(Some("a"))));
        assert!(
            is_same(&rules(None), &rules(Some("a"))) && is_same(&rules(Some("a")), &rules(None))
        );
        assert!(!is_same(&rules(Some("a")), &rules(Some("b"))));
        assert!(!is_same(&rules(Some("a")), &with_settlement("others", Some("a"))));
        assert!(!is_same("rules", "others"));
    }

    #[test]
    fn a_mask_hides_names_and_dates_and_shows_rules() {
        let one = "If Real Madrid wins on November 3, 2026, then Yes. Overtime counts.";
        let other = "If Arsenal wins on December 12, 2026, then Yes. Overtime counts.";
        let third = "If Arsenal wins on December 12, 2026, then Yes. Overtime does not count.";
        assert_eq!(mask(one, &["Real Madrid"]), mask(other, &["Arsenal"]));
        assert_ne!(mask(other, &["Arsenal"]), mask(third, &["Arsenal"]));
        assert_ne!(mask(one, &[]), mask(other, &[]));
        // Short words of a name, and letters that people leave out.
        let galaxy = "If LA Galaxy's side wins the LA Galaxy vs Atlético game, as scheduled.";
        let roma = "If Roma's side wins the Roma vs Leeds game, as scheduled.";
        let by_name = mask(galaxy, &["LA Galaxy", "Atletico"]);
        assert_eq!(by_name, mask(roma, &["AS Roma", "Leeds"]));
    }
}
