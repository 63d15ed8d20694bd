use super::*;
use crate::token::tokens;

#[test]
fn times_after_an_event_and_tenors_are_read_in_words_and_figures() {
    let after = |text: &str| after_at(&tokens(text), 0).map(|(what, _)| what);
    assert_eq!(after("one day after launch"), after("24 hours after launch"));
    assert_ne!(after("one day after launch"), after("one week after launch"));
    assert_eq!(after("one day of rain"), None);
    let tenor = |text: &str| tenor_at(&tokens(text), 0).map(|(what, _)| what);
    assert_eq!(tenor("10-year Treasury yield"), tenor("10Y Treasury yield"));
    assert_ne!(tenor("10-year Treasury yield"), tenor("2-year Treasury yield"));
    assert_eq!(tenor("10 year sentence"), None);
}

#[test]
fn seasons_have_numbers_and_years_are_none() {
    let edition = |text: &str| edition_at(&tokens(text), 0).map(|(number, _)| number);
    assert_eq!(edition("Season 35"), Some(35));
    assert_eq!(edition("season 2026"), None);
    assert_eq!(edition("season of 50"), None);
}

#[test]
fn an_abbreviation_in_brackets_is_a_gloss_and_a_format_or_a_party_is_none() {
    let found = glosses("Will Tether (USDT) beat Spirit (BO3) or Smith (R)?");
    let want = Gloss { words: vec!["tether".into(), "will".into()], code: "usdt".into() };
    assert_eq!(found, vec![want]);
}

#[test]
fn what_is_said_stands_in_quotes_or_in_the_subtitle() {
    let words = |title: &str, subtitle: &str| mention(title, subtitle).map(|m| m.words);
    let quoted = words("Will Powell say \"Soft landing\" in July?", "");
    assert_eq!(quoted, words("What will Powell say in July?", "Soft landing"));
    assert_eq!(quoted, words("Will Powell say soft landing in July?", "Soft landing"));
    assert_eq!(words("Will he say \u{201c}B / a\u{201d}?", ""), Some("a / b".to_owned()));
    assert_eq!(words("Will Powell say anything?", ""), None);
    assert_eq!(words("Will rates rise?", "Yes"), None);
}

#[test]
fn an_answer_stands_behind_its_question() {
    assert!(answered("Which company is best? - Google"));
    assert!(!answered("Which company is best?"));
}
