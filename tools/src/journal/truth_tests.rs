//! Which markets are asked about, and what one page that fails costs.

use super::*;

fn row(name: &str, held: [i64; 2]) -> HeldRow {
    let tokens = ["yes", "no"].map(|outcome| format!("{name} {outcome}"));
    HeldRow { name: name.to_owned(), tokens: Some(tokens), held }
}

fn shares(of: &[(&str, [i64; 2])]) -> BTreeMap<String, i64> {
    let of = of
        .iter()
        .flat_map(|(name, [yes, no])| [(format!("{name} yes"), *yes), (format!("{name} no"), *no)]);
    of.collect()
}

fn error(kind: RestErrorKind) -> RestError {
    RestError { method: "GET", url: "venue".to_owned(), kind }
}

#[test]
fn a_hedge_of_one_side_is_asked_about_once_it_is_less_and_otherwise_in_turns() {
    let held = vec![row("a", [5, 0]), row("b", [0, 7]), row("c", [3, 3]), row("d", [5, 0])];
    let now = shares(&[("a", [5, 0]), ("b", [0, 6]), ("c", [3, 3]), ("d", [9, 0])]);
    let mut wanted = Wanted { held, ..Wanted::default() };
    let asked = |wanted: &Wanted| {
        let mut asked = Vec::new();
        let mut ask = |name: &str| {
            asked.push(name.to_owned());
            Ok(None)
        };
        assert_eq!(winners(wanted, &now, &mut ask), (Vec::new(), Vec::new()));
        asked
    };
    assert_eq!(asked(&wanted), ["b"]);
    wanted.resolved = Some("d".to_owned());
    assert_eq!(asked(&wanted), ["b", "d"], "one a round");
}

#[test]
fn a_page_that_fails_costs_its_row_and_no_other() {
    let held = ["a", "b", "c", "d", "e", "f"].map(|name| row(name, [5, 0]));
    let names = ["a", "b", "c", "d", "e", "f"].map(|name| (name, [0, 0]));
    let (wanted, now) = (Wanted { held: held.into(), ..Wanted::default() }, shares(&names));
    let gone = || error(RestErrorKind::Status { status: 404, text: "gone".to_owned() });
    let mute = || error(RestErrorKind::NoAnswer("time-out".to_owned()));
    let read = |ask: &mut AskWinner<'_>| {
        let (rows, unread) = winners(&wanted, &now, ask);
        let rows = rows.into_iter().map(|row| (row.name, row.yes));
        (rows.collect::<Vec<_>>(), unread.len())
    };
    let won = |name: &str, outcome| Ok(Some(Resolved::Won(format!("{name} {outcome}"))));
    let (rows, unread) = read(&mut |name| match name {
        "b" => won("b", "yes"),
        "c" => won("c", "no"),
        "e" => Ok(Some(Resolved::Split([
            ("e no".to_owned(), Px::lit(6_667)),
            ("e yes".to_owned(), Px::lit(3_333)),
        ]))),
        "f" => Ok(None),
        _ => Err(gone()),
    });
    let named = |rows: &[(&str, Px)]| -> Vec<(String, Px)> {
        rows.iter().map(|(name, yes)| ((*name).to_owned(), *yes)).collect()
    };
    assert_eq!(rows, named(&[("b", Px::ONE), ("c", Px::ZERO), ("e", Px::lit(3_333))]));
    assert_eq!(unread, 2);
    let mut asked = 0;
    let (rows, unread) = read(&mut |name| {
        asked += 1;
        if name == "b" { won("b", "yes") } else { Err(mute()) }
    });
    assert_eq!((rows, unread, asked), (named(&[("b", Px::ONE)]), 5, 3), "a venue that is silent");
}
