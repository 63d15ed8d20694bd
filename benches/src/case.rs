//! What can be measured: a prepared state, and messages to feed it one after the other.

use engine::units::Venue;

use crate::baseline::Baseline;
use crate::corpus::Corpus;
use crate::pipeline::Pipeline;

/// A state with its frames. It is fed once, from the first message to the last.
pub trait Case {
    /// Feeds the next `count` messages.
    fn feed(&mut self, count: usize);

    /// Number of messages that are left.
    fn len(&self) -> usize;

    /// True for no message at all.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A number over what came out, so that the work is done and can be compared.
    fn result(&self) -> u64;
}

/// The loop around every measurement, a function of its own so that a profiler can be told to
/// collect inside it alone.
#[inline(never)]
pub fn measured_loop<C: Case>(case: &mut C, count: usize) {
    case.feed(count);
}

/// One frame from its bytes to its decision, a function of its own: instructions are counted
/// inside it alone, so that neither the loop nor the filling of the books takes part.
#[inline(never)]
fn one_kalshi<E: Engine>(engine: &mut E, frame: &[u8]) {
    engine.on_kalshi(frame);
}

/// As [`one_kalshi`].
#[inline(never)]
fn one_poly<E: Engine>(engine: &mut E, frame: &[u8]) {
    engine.on_poly(frame);
}

/// The frames of one venue, or of both in turns.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Feed {
    /// Kalshi's deltas.
    Kalshi,
    /// Polymarket's price changes.
    Poly,
    /// One of each in turns.
    Both,
}

/// Something that takes the frames of both venues.
pub trait Engine {
    /// With books filled.
    fn filled(corpus: &Corpus) -> Self;

    /// Takes one Kalshi frame.
    fn on_kalshi(&mut self, frame: &[u8]);

    /// Takes one Polymarket frame.
    fn on_poly(&mut self, frame: &[u8]);

    /// A number over what came out.
    fn result(&self) -> u64;
}

/// An engine and its frames.
pub struct Fed<'a, E> {
    engine: E,
    /// Whose they are and what they say, in order: so that finding them costs next to nothing.
    frames: Vec<(Venue, &'a [u8])>,
    /// How many of them were fed.
    fed: usize,
}

/// The shipped code.
pub type Shipped<'a> = Fed<'a, Pipeline>;
/// The ordinary way.
pub type Ordinary<'a> = Fed<'a, Baseline>;

impl<'a, E: Engine> Fed<'a, E> {
    /// An engine whose books are filled, and the hot frames of `feed`.
    pub fn new(corpus: &'a Corpus, feed: Feed) -> Fed<'a, E> {
        let kalshi = corpus.kalshi_hot.iter().map(|frame| (Venue::Kalshi, frame));
        let poly = corpus.poly_hot.iter().map(|frame| (Venue::Polymarket, frame));
        let frames = match feed {
            Feed::Kalshi => kalshi.collect(),
            Feed::Poly => poly.collect(),
            Feed::Both => kalshi.zip(poly).flat_map(|(k, p)| [k, p]).collect(),
        };
        Fed { engine: E::filled(corpus), frames, fed: 0 }
    }

    /// Feeds `count` messages that are not to be measured: what a market's first messages teach is
    /// known before its later ones.
    #[must_use]
    pub fn warmed(mut self, count: usize) -> Fed<'a, E> {
        for &(venue, frame) in &self.frames[..count] {
            match venue {
                Venue::Kalshi => self.engine.on_kalshi(frame),
                Venue::Polymarket => self.engine.on_poly(frame),
            }
        }
        self.fed = count;
        self
    }

    /// What takes the frames.
    pub fn engine(&self) -> &E {
        &self.engine
    }
}

impl<E: Engine> Case for Fed<'_, E> {
    #[inline(always)]
    fn feed(&mut self, count: usize) {
        let from = self.fed;
        self.fed += count;
        for &(venue, frame) in &self.frames[from..from + count] {
            match venue {
                Venue::Kalshi => one_kalshi(&mut self.engine, frame),
                Venue::Polymarket => one_poly(&mut self.engine, frame),
            }
        }
    }

    fn len(&self) -> usize {
        self.frames.len() - self.fed
    }

    fn result(&self) -> u64 {
        self.engine.result()
    }
}

impl Engine for Pipeline {
    fn filled(corpus: &Corpus) -> Pipeline {
        Pipeline::filled(corpus)
    }

    #[inline]
    fn on_kalshi(&mut self, frame: &[u8]) {
        Pipeline::on_kalshi(self, frame);
    }

    #[inline]
    fn on_poly(&mut self, frame: &[u8]) {
        Pipeline::on_poly(self, frame);
    }

    fn result(&self) -> u64 {
        self.core.figures().edge_hash
    }
}

impl Engine for Baseline {
    fn filled(corpus: &Corpus) -> Baseline {
        Baseline::filled(corpus)
    }

    fn on_kalshi(&mut self, frame: &[u8]) {
        Baseline::on_kalshi(self, frame);
    }

    fn on_poly(&mut self, frame: &[u8]) {
        Baseline::on_poly(self, frame);
    }

    fn result(&self) -> u64 {
        self.candidates()
    }
}
