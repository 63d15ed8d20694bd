use super::*;

#[test]
fn every_line_of_the_tables_is_read() {
    let tables = Aliases::builtin();
    assert!(tables.league("epl").is_some_and(|league| league.draw && league.home_first));
    assert_eq!(tables.team("mlb", "Los Angeles D"), Some("dodgers"));
    assert_eq!(tables.team("nba", "LA Lakers"), Some("lakers"));
}

#[test]
fn series_and_slugs_name_their_league() {
    let tables = Aliases::builtin();
    let of_series = |t: &str| tables.league_of_series(t).map(|l| l.id.clone());
    assert_eq!(of_series("KXMLBGAME-26AUG072140LADAZ-LAD").as_deref(), Some("mlb"));
    assert_eq!(of_series("KXNCAAMBGAME-26JAN05DUKEUNC-DUKE").as_deref(), Some("ncaam"));
    assert_eq!(of_series("KXWNBAGAME-26AUG09GSLA-LA").as_deref(), Some("wnba"));
    assert_eq!(of_series("KXFED-26DEC-T3.50"), None);
    let of_slug = |t: &str| tables.league_of_slug(t).map(|l| l.id.clone());
    assert_eq!(of_slug("fl1-psg-lyo-2026-08-20").as_deref(), Some("ligue1"));
    assert_eq!(of_slug("will-it-rain"), None);
}

#[test]
fn codes_that_run_together_are_cut_where_only_one_cut_exists() {
    let tables = Aliases::builtin();
    assert_eq!(tables.split_codes("mlb", "LADAZ"), Some(("dodgers", "diamondbacks")));
    assert_eq!(tables.split_codes("nfl", "DENKC"), Some(("broncos", "chiefs")));
    assert_eq!(tables.split_codes("mlb", "XXYYY"), None);
}

#[test]
fn a_line_that_is_none_says_why() {
    let mut tables = Aliases::builtin();
    let error = tables.extend("# fine\norg\tacme\tacme corp | acme\nfoo\tx\ty").unwrap_err();
    assert_eq!(error.line, 3);
    assert!(error.to_string().contains("`foo` is no class"), "{error}");
    assert!(tables.extend("org\tx").unwrap_err().why.contains("2 columns"));
    assert!(tables.extend("nosuch\tteam\tT\tteam").unwrap_err().why.contains("no league"));
}

#[test]
fn the_code_of_a_state_is_no_phrase() {
    let tables = Aliases::builtin();
    let class =
        |text: &str| tables.longest(&crate::token::tokens(text), 0).map(|(class, ..)| class);
    for word in ["In 2026", "Or", "Me", "OK", "HI"] {
        assert_ne!(class(word), Some(Class::State), "{word}");
    }
    assert_eq!(class("AL MVP"), Some(Class::Conference));
    assert_eq!(class("New Hampshire"), Some(Class::State));
}
