//! Which of a venue's markets trade, and until when: asked of its REST API once a round, and at once
//! where words about it may have been missed or a market came. The feed decides what an answer is
//! worth; it takes no market to trade before one came.

use std::ops::Deref;

use feeds::fitness::{Fitness, Listed, Verdict};

use super::{AskBest, CrossCheck, MARKETS_A_CALL, MISSES, Seen, Standing};

/// How a venue lists a market.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Trading {
    /// Whether orders for it are taken.
    pub trades: bool,
    /// When it closes, Unix seconds; 0 where that cannot be read.
    pub close_s: u32,
}

/// What the feed was told of one market.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Told {
    listed: Option<Listed>,
    /// Answers in a row that say that it trades again.
    resumes: u8,
}

impl Told {
    /// Takes an answer in; returns what is new to the feed. That a market trades again is known
    /// from the channel that told of its pause: REST answers lag, so that one alone could lift a
    /// pause that has just begun.
    fn word(&mut self, listed: Listed) -> Option<Listed> {
        let before = self.listed.filter(|before| before.heard == listed.heard);
        if before.is_some_and(|before| !before.trades) && listed.trades {
            self.resumes += 1;
            if self.resumes < MISSES {
                return None;
            }
        }
        self.resumes = 0;
        (self.listed.replace(listed) != Some(listed)).then_some(listed)
    }
}

impl<S: Deref<Target = Seen>> CrossCheck<S> {
    /// True where the feed waits for an answer that was not asked for yet.
    pub fn wants(&self) -> bool {
        let Some(hearing) = &self.hearing else { return false };
        let stretch = hearing.stretch();
        stretch.is_some_and(|stretch| self.tried != Some(stretch) || self.seen.is_come(self.venue))
    }

    /// Asks which markets trade, and tells the feed what is new to it.
    pub fn learn(&mut self, venue: &mut impl AskBest) {
        let Some(heard) = self.hearing.as_ref().and_then(|hearing| hearing.stretch()) else {
            return; // Whatever the answer, it would be out of date.
        };
        self.tried = Some(heard);
        self.take_newcomers();
        for from in (0..self.markets.len()).step_by(MARKETS_A_CALL) {
            let to = self.markets.len().min(from + MARKETS_A_CALL);
            let markets = &self.markets[from..to];
            let names: Vec<&str> = markets.iter().map(|(checked, _)| &*checked.name).collect();
            match venue.trading(&names) {
                Ok(shown) => {
                    for (place, trading) in (from..to).zip(shown) {
                        let listed = trading.map(|Trading { trades, close_s }| Listed {
                            heard,
                            trades,
                            close_s,
                        });
                        listed.into_iter().for_each(|listed| self.tell(place, listed));
                    }
                }
                Err(error) => {
                    self.figures.failed += 1;
                    self.error = error.to_string();
                    return; // The next round asks again.
                }
            }
        }
    }

    fn tell(&mut self, place: usize, listed: Listed) {
        let (checked, Standing { told, .. }) = &mut self.markets[place];
        let was = *told;
        let Some(listed) = told.word(listed) else { return };
        let verdict = Verdict { market: checked.market, says: Fitness::Listed(listed) };
        if self.verdicts.push(verdict).is_err() {
            // The feed was not told, so that the next round must say it again.
            *told = was;
            self.figures.held += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use engine::top::MarketId;
    use engine::units::Venue;
    use feeds::live::hearing::Hearing;
    use rtrb::Consumer;

    use super::*;
    use crate::crosscheck::{Best, Checked};
    use crate::rest::{RestError, RestErrorKind};

    const OPEN: Trading = Trading { trades: true, close_s: 77 };
    const SHUT: Trading = Trading { trades: false, close_s: 77 };

    fn checked(index: usize) -> Checked {
        let market = MarketId::new(Venue::Kalshi, index).unwrap();
        Checked { market, name: format!("KX{index}") }
    }

    /// Lists each market so, and counts the questions; fails where it is told to.
    struct Lister(Option<Trading>, usize);

    impl AskBest for Lister {
        fn best(&mut self, markets: &[&str]) -> Result<Vec<Option<Best>>, RestError> {
            Ok(vec![None; markets.len()])
        }

        fn trading(&mut self, markets: &[&str]) -> Result<Vec<Option<Trading>>, RestError> {
            assert!(markets.len() <= MARKETS_A_CALL);
            self.1 += 1;
            let failed =
                || RestError { method: "GET", url: String::new(), kind: RestErrorKind::NoStamp };
            self.0.map(|trading| vec![Some(trading); markets.len()]).ok_or_else(failed)
        }
    }

    type Rig<'a> = (CrossCheck<&'a Seen>, Arc<Hearing>, Consumer<Verdict>);

    fn rig(seen: &Seen, markets: usize, room: usize) -> Rig<'_> {
        let (verdicts, told) = rtrb::RingBuffer::new(room);
        let markets = (0..markets).map(checked).collect();
        let hearing = Arc::new(Hearing::default());
        let check = CrossCheck::new(seen, Venue::Kalshi, markets, verdicts);
        (check.hearing(Arc::clone(&hearing)), hearing, told)
    }

    fn said(told: &mut Consumer<Verdict>) -> Vec<(usize, u16, bool)> {
        let word = |verdict: Verdict| match verdict.says {
            Fitness::Listed(it) => (verdict.market.index(), it.heard, it.trades),
            says => panic!("{says:?}"),
        };
        core::iter::from_fn(|| told.pop().ok()).map(word).collect()
    }

    #[test]
    fn it_is_asked_at_once_after_each_moment_that_missed_something_and_said_when_it_is_new() {
        let seen = Seen::default();
        let (mut check, hearing, mut told) = rig(&seen, 2, 8);
        let mut lister = Lister(Some(OPEN), 0);
        check.learn(&mut lister);
        assert!(!check.wants() && lister.1 == 0, "nobody hears what comes after the answer");
        hearing.tell(Some(1));
        assert!(check.wants());
        check.learn(&mut lister);
        assert_eq!((said(&mut told), check.wants()), (vec![(0, 1, true), (1, 1, true)], false));
        check.learn(&mut lister);
        assert_eq!(said(&mut told), [], "it is known");
        hearing.tell(None);
        assert!(!check.wants());
        hearing.tell(Some(2));
        assert!(check.wants());
        check.round(&mut lister, |_| {});
        assert_eq!(said(&mut told), [(0, 2, true), (1, 2, true)], "between two parts of a round");
        lister.0 = Some(Trading { close_s: 78, ..OPEN });
        check.learn(&mut lister);
        assert_eq!(said(&mut told).len(), 2, "a close moved");
        // Another pair of a known market begins with what its own file says of the close.
        seen.add(checked(1));
        assert!(check.wants());
        check.learn(&mut lister);
        assert_eq!((said(&mut told), check.wants()), (vec![(1, 2, true)], false));
    }

    #[test]
    fn a_pause_is_told_at_once_and_its_end_when_two_answers_say_so() {
        let seen = Seen::default();
        let (mut check, hearing, mut told) = rig(&seen, 1, 8);
        hearing.tell(Some(1));
        let mut answer = |trading| {
            check.learn(&mut Lister(Some(trading), 0));
            said(&mut told)
        };
        assert_eq!(answer(OPEN), [(0, 1, true)]);
        assert_eq!(answer(SHUT), [(0, 1, false)]);
        assert_eq!(answer(OPEN), []);
        assert_eq!(answer(SHUT), []);
        assert_eq!(answer(OPEN), []);
        assert_eq!(answer(OPEN), [(0, 1, true)]);
        assert_eq!(answer(SHUT), [(0, 1, false)]);
        hearing.tell(Some(2));
        assert_eq!(answer(OPEN), [(0, 2, true)], "it is all there is to know");
    }

    #[test]
    fn what_was_not_answered_or_found_no_room_is_asked_again() {
        let seen = Seen::default();
        let (mut check, hearing, mut told) = rig(&seen, 150, 120);
        hearing.tell(Some(1));
        let mut lister = Lister(None, 0);
        check.learn(&mut lister);
        assert_eq!((lister.1, check.figures().failed, check.wants()), (1, 1, false));
        lister.0 = Some(OPEN);
        check.learn(&mut lister);
        assert_eq!((lister.1, said(&mut told).len(), check.figures().held), (4, 120, 30));
        check.learn(&mut lister);
        assert_eq!(said(&mut told).len(), 30);
    }
}
