//! Digests of rules: what a person approved is what the text said then, and nothing else.

use std::fmt::Write as _;

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

/// Longest name that is masked; a longer one is a sentence, and its words stand elsewhere too.
const NAME_WORDS_MAX: usize = 8;

/// The digest of a text in which everything that differs between markets of one series is masked:
/// numbers, months, weekdays, and the words of `names`. Equal masks mean equal rules for others.
pub fn mask(text: &str, names: &[&str]) -> String {
    let plain = |word: &str| word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
    let mut hidden: Vec<String> = Vec::new();
    for name in names {
        let words: Vec<String> = name.split_whitespace().map(plain).collect();
        if words.len() <= NAME_WORDS_MAX {
            hidden.extend(words.into_iter().filter(|word| word.chars().count() > 2));
        }
    }
    let mut masked = String::with_capacity(text.len());
    let mut last_is_mask = false;
    for word in text.split_whitespace().map(plain).filter(|word| !word.is_empty()) {
        let is_number = word.chars().any(|c| c.is_ascii_digit());
        let stem = word.strip_suffix("'s").or_else(|| word.strip_suffix("’s")).unwrap_or(&word);
        let is_mask =
            is_number || CALENDAR.contains(&stem) || hidden.iter().any(|name| name == stem);
        if !is_mask {
            masked.push_str(&word);
            masked.push(' ');
        } else if !last_is_mask {
            masked.push_str("# "); // A name of two words is masked as one of a single word is.
        }
        last_is_mask = is_mask;
    }
    hash(&[&masked])
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
    fn a_mask_hides_names_and_dates_and_shows_rules() {
        let one = "If Real Madrid wins on November 3, 2026, then Yes. Overtime counts.";
        let other = "If Arsenal wins on December 12, 2026, then Yes. Overtime counts.";
        let third = "If Arsenal wins on December 12, 2026, then Yes. Overtime does not count.";
        assert_eq!(mask(one, &["Real Madrid"]), mask(other, &["Arsenal"]));
        assert_ne!(mask(other, &["Arsenal"]), mask(third, &["Arsenal"]));
        assert_ne!(mask(one, &[]), mask(other, &[]));
    }
}
