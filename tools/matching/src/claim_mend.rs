//! Several ways to write one thing become one, once all of a text is read.

use std::collections::BTreeSet;

use crate::alias::Class;
use crate::claim::Claim;
use crate::listing::{Listing, Venue};
use crate::quantity::{Match, Quantity, Unit, says};
use crate::span::SpanKind;
use crate::token::MICRO;

/// Words of a central bank's meeting.
const MEETING: &[&str] = &["meet", "meeting", "decision", "decis"];

impl Claim {
    /// Several ways to write one thing become one.
    pub(crate) fn mend(&mut self, listing: &Listing) {
        self.counted(listing);
        let bank = self.values(Class::Bank).is_some() || self.has(Class::Metric, "fed-rate");
        let nothing = |q: &Quantity| q.bare && q.low.is_some_and(|low| low.0 == 0);
        if bank && self.values(Class::Direction).is_some() && self.quantities.iter().any(nothing) {
            self.slot(Class::Direction, "hold");
        }
        self.ceremony(listing);
        self.implied();
        self.beside();
        self.seats();
        match bank {
            // What it decides it decides at a meeting.
            true => self.terms.retain(|term| !MEETING.contains(&term.text.as_str())),
            false => self.meeting(),
        }
        if let Some(superlatives) = self.slots.get_mut(&Class::Superlative)
            && superlatives.len() > 1
        {
            // The hottest on record is the hottest ever.
            superlatives.remove("record");
        }
        if self.has(Class::Direction, "hold") {
            // `Hike by 0 bps` is the decision to hold.
            self.slots.insert(Class::Direction, BTreeSet::from(["hold".to_owned()]));
            self.quantities.retain(|q| q.low.is_some_and(|low| low.0 != 0));
        }
        // To hold an election is no direction.
        if !bank
            && self.values(Class::Metric).is_none()
            && self.values(Class::Asset).is_none()
            && let Some(directions) = self.slots.get_mut(&Class::Direction)
        {
            directions.remove("hold");
        }
        if bank {
            self.bank_steps();
        }
        if self.has(Class::Direction, "up") && self.has(Class::Direction, "down") {
            let first = listing.yes().map_or("up", |yes| yes.name.as_str());
            let value = if first.eq_ignore_ascii_case("down") { "down" } else { "up" };
            self.slots.insert(Class::Direction, BTreeSet::from([value.to_owned()]));
        }
        let zero = |q: &Quantity| q.low == Some((0, false)) && q.high.is_none();
        if self.has(Class::Metric, "margin") && self.quantities.iter().any(zero) {
            // A margin above nothing is a win.
            self.slots.remove(&Class::Metric);
            self.quantities.retain(|q| !zero(q));
            self.slot(Class::Verb, "win");
        }
        let economic = self.values(Class::Metric).is_some() && !bank;
        if economic && self.has(Class::Direction, "rise") && !self.quantities.is_empty() {
            self.slots.remove(&Class::Direction);
        }
        let figure = self.values(Class::Metric).is_some() && !self.quantities.is_empty();
        if (self.values(Class::Asset).is_some() || figure) && self.has(Class::Verb, "reach") {
            self.slots.insert(Class::Verb, BTreeSet::from(["hit-high".to_owned()]));
        }
        if self.has(Class::Verb, "hit-high") || self.has(Class::Verb, "hit-low") {
            self.slots.entry(Class::Verb).or_default().remove("hit");
        }
        self.window();
        self.electoral();
        self.places();
        let compared: Vec<Quantity> = self.quantities.iter().copied().filter(|q| !q.bare).collect();
        self.quantities.retain(|q| !q.bare || !compared.iter().any(|c| says(*c, *q)));
        // Title and subtitle say one bound twice, the subtitle more exactly.
        let mut exact: Vec<Quantity> = Vec::new();
        for quantity in self.quantities.drain(..).rev() {
            let said = |q: &Quantity| matches!(q.compare(quantity), Match::Equal | Match::Boundary);
            if !exact.iter().any(said) {
                exact.push(quantity);
            }
        }
        exact.sort();
        self.quantities = exact;
    }

    /// The ceremony that a ticker names and the title leaves out.
    fn ceremony(&mut self, listing: &Listing) {
        const SERIES: &[(&str, &str)] = &[
            ("KXOSCAR", "oscars"),
            ("KXGRAM", "grammys"),
            ("KXEMMY", "emmys"),
            ("KXGOLDENGLOBE", "golden-globes"),
            ("KXTONY", "tonys"),
            ("KXBAFTA", "baftas"),
        ];
        let of_ticker = SERIES.iter().find(|(stem, _)| listing.id.starts_with(stem));
        if let (Some((_, event)), None) = (of_ticker, self.values(Class::Event))
            && listing.venue == Venue::Kalshi
        {
            self.slot(Class::Event, event);
        }
        // Prizes that one ceremony alone gives.
        const PRIZES: &[(&str, &str)] = &[
            ("best-picture", "oscars"),
            ("album-of-the-year", "grammys"),
            ("record-of-the-year", "grammys"),
            ("song-of-the-year", "grammys"),
            ("best-new-artist", "grammys"),
            ("drama-series", "emmys"),
            ("comedy-series", "emmys"),
            ("limited-series", "emmys"),
        ];
        let prize = PRIZES.iter().find(|(award, _)| self.has(Class::Award, award));
        if let (Some((_, event)), None) = (prize, self.values(Class::Event)) {
            self.slot(Class::Event, event);
        }
    }

    /// Words that stand for numbers: nothing of `how many`, a growth that is negative.
    fn counted(&mut self, listing: &Listing) {
        let none = |q: &Quantity| q.bare && q.low.is_some_and(|low| low.0 == 0);
        let many = listing.title.to_lowercase().contains("how many");
        if many && self.quantities.len() == 1 && self.quantities.iter().all(none) {
            self.quantities.clear();
            self.negated = !self.negated;
        }
        if self.values(Class::Metric).is_none() || !self.quantities.is_empty() {
            return;
        }
        let signs = [
            ("negativ", Quantity::below(0, false, Unit::Percent)),
            ("positiv", Quantity::above(0, false, Unit::Percent)),
        ];
        for (word, quantity) in signs {
            if let Some(at) = self.terms.iter().position(|term| term.text == word) {
                self.terms.remove(at);
                self.quantities.push(quantity);
            }
        }
    }

    /// What words mean beside others: gold beside the Olympics, to come first in a vote.
    fn beside(&mut self) {
        if self.values(Class::Event).is_some_and(|set| set.iter().any(|e| e.ends_with("olympics")))
        {
            for (asset, medal) in [("gold", "gold-medal"), ("silver", "silver-medal")] {
                if self.has(Class::Asset, asset) {
                    self.slots.entry(Class::Asset).or_default().remove(asset);
                    self.slot(Class::Narrow, medal);
                }
            }
        }
        if self.has(Class::Verb, "finish-first") {
            // Who has the most votes of a first round has not won yet.
            self.slots.entry(Class::Verb).or_default().remove("finish-first");
            let voted = self.values(Class::Office).is_some() || self.has(Class::Stage, "primary");
            match voted {
                true => self.slot(Class::Narrow, "first of the round"),
                false => self.slot(Class::Verb, "win"),
            }
        }
        // Out of a stage is not through it.
        let out = self.terms.iter().position(|term| term.text == "abolish");
        if let (Some(at), Some(_)) = (out, self.values(Class::Stage)) {
            self.terms.remove(at);
            let verb = if self.has(Class::Stage, "group") { "miss" } else { "eliminate" };
            self.slot(Class::Verb, verb);
        }
        let bank = self.values(Class::Bank).is_some() || self.has(Class::Metric, "fed-rate");
        let change = self.terms.iter().position(|term| term.text == "chang");
        if let (Some(at), true, None) = (change, bank, self.values(Class::Direction)) {
            self.terms.remove(at);
            self.slot(Class::Direction, "change");
        }
        self.slots.retain(|_, values| !values.is_empty());
    }

    /// What words of one field say of another.
    fn implied(&mut self) {
        let later = self.spans.iter().any(|span| span.kind == SpanKind::After);
        if later && self.has(Class::Narrow, "delayed") {
            // Put off past a day is to come after it.
            self.slots.entry(Class::Narrow).or_default().remove("delayed");
        }
        if self.has(Class::Narrow, "opening-weekend") && self.values(Class::Metric).is_none() {
            self.slot(Class::Metric, "box-office");
        }
    }

    /// A meeting of two people is that they meet.
    fn meeting(&mut self) {
        let at = self.terms.iter().position(|term| term.text == "meet" || term.text == "meeting");
        if let (Some(at), None) = (at, self.values(Class::Verb)) {
            self.terms.remove(at);
            self.slot(Class::Verb, "meet");
        }
    }

    /// To hold seats is to have won them; seats that nobody counts are a word.
    fn seats(&mut self) {
        if !self.has(Class::Metric, "seats") {
            return;
        }
        if let Some(directions) = self.slots.get_mut(&Class::Direction) {
            directions.remove("hold");
        }
        if self.quantities.is_empty() {
            self.slots.remove(&Class::Metric);
        }
    }

    /// `#1` is the top, and a mark of a count is reached where it is hit.
    fn places(&mut self) {
        if self.has(Class::Ordinal, "1") && self.values(Class::Superlative).is_none() {
            self.slots.remove(&Class::Ordinal);
            self.slot(Class::Superlative, "top");
        }
        let many = |q: &Quantity| q.low.is_some_and(|low| low.0 >= 1000 * MICRO);
        let counted = self.quantities.iter().any(|q| q.unit == Unit::Dollar || many(q));
        if counted && self.has(Class::Verb, "reach") && self.values(Class::Stage).is_none() {
            self.slots.entry(Class::Verb).or_default().remove("reach");
            self.slot(Class::Verb, "hit");
        }
    }

    /// Up or down within a quarter of an hour is not up or down within a whole one.
    fn window(&mut self) {
        let moves = self.has(Class::Direction, "up") || self.has(Class::Direction, "down");
        if self.values(Class::Asset).is_none() || !moves {
            return;
        }
        let minutes = match self.clocks.as_slice() {
            [(from, _), (to, _)] => (to - from).rem_euclid(24 * 60),
            [_] => 60,
            _ => return,
        };
        self.slot(Class::Narrow, &format!("{minutes} minutes"));
    }

    fn electoral(&mut self) {
        // `the 17th congressional district of Texas` is TX-17.
        let district = self.terms.iter().any(|t| t.text == "district" || t.text == "congressional");
        let state = self.values(Class::State).and_then(|s| s.first()).cloned();
        let ordinal = self.values(Class::Ordinal).and_then(|s| s.first()).cloned();
        if let (true, Some(state), Some(ordinal)) = (district, state, ordinal) {
            self.slot(Class::District, &format!("{state}-{ordinal}"));
            self.slots.remove(&Class::Ordinal);
            self.terms.retain(|t| t.text != "district" && t.text != "congressional");
        }
        if let Some(district) = self.values(Class::District).and_then(|d| d.first()).cloned() {
            // The district says the state, and that the office is a seat of the House.
            let of = district.split('-').next().unwrap_or("").to_owned();
            if let Some(states) = self.slots.get_mut(&Class::State) {
                states.remove(&of);
            }
            if self.values(Class::Office).is_none() {
                self.slot(Class::Office, "house");
            }
        }
        if self.has(Class::Ordinal, "1") && self.values(Class::Superlative).is_some() {
            self.slots.remove(&Class::Ordinal);
        }
        let office = self.slots.contains_key(&Class::Office);
        if let Some(countries) = self.slots.get_mut(&Class::Country)
            && countries.len() == 1
            && office
        {
            // `the U.S. Senate`: an office without a country is an American one.
            countries.remove("us");
        }
        self.slots.retain(|_, values| !values.is_empty());
    }

    /// Rates move in quarters: more than 25 basis points is at least 50.
    fn bank_steps(&mut self) {
        let quarter = MICRO / 4;
        let small = |value: i128| value.rem_euclid(quarter) == 0 && value.abs() <= 3 * MICRO;
        let moves = self.has(Class::Direction, "rise") || self.has(Class::Direction, "fall");
        for q in self.quantities.iter_mut().filter(|q| moves && q.unit == Unit::Percent) {
            if let Some((value, false)) = q.low.filter(|low| small(low.0)) {
                q.low = Some((value + quarter, true));
            }
        }
    }
}
