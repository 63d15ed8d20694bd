//! What can be measured: a prepared state, and messages to feed it one after the other.

use crate::baseline::Baseline;
use crate::corpus::Corpus;
use crate::pipeline::Pipeline;

/// A state with its frames. It is fed once, from the first message to the last.
pub trait Case {
    /// Feeds message `at`.
    fn message(&mut self, at: usize);

    /// Number of messages.
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
    for at in 0..count {
        case.message(at);
    }
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

/// The shipped code.
pub struct Shipped<'a> {
    pipeline: Pipeline,
    corpus: &'a Corpus,
    feed: Feed,
}

impl<'a> Shipped<'a> {
    /// With books filled.
    pub fn new(corpus: &'a Corpus, feed: Feed) -> Shipped<'a> {
        Shipped { pipeline: Pipeline::filled(corpus), corpus, feed }
    }

    /// What was built.
    pub fn pipeline(&self) -> &Pipeline {
        &self.pipeline
    }
}

impl Case for Shipped<'_> {
    #[inline]
    fn message(&mut self, at: usize) {
        match self.feed {
            Feed::Kalshi => self.pipeline.on_kalshi(self.corpus.kalshi_hot.get(at)),
            Feed::Poly => self.pipeline.on_poly(self.corpus.poly_hot.get(at)),
            Feed::Both if at.is_multiple_of(2) => {
                self.pipeline.on_kalshi(self.corpus.kalshi_hot.get(at / 2));
            }
            Feed::Both => self.pipeline.on_poly(self.corpus.poly_hot.get(at / 2)),
        }
    }

    fn len(&self) -> usize {
        count(self.corpus, self.feed)
    }

    fn result(&self) -> u64 {
        self.pipeline.core.figures().edge_hash
    }
}

/// The ordinary way.
pub struct Ordinary<'a> {
    baseline: Baseline,
    corpus: &'a Corpus,
    feed: Feed,
}

impl<'a> Ordinary<'a> {
    /// With books filled.
    pub fn new(corpus: &'a Corpus, feed: Feed) -> Ordinary<'a> {
        Ordinary { baseline: Baseline::filled(corpus), corpus, feed }
    }

    /// What was built.
    pub fn baseline(&self) -> &Baseline {
        &self.baseline
    }
}

impl Case for Ordinary<'_> {
    #[inline]
    fn message(&mut self, at: usize) {
        match self.feed {
            Feed::Kalshi => self.baseline.on_kalshi(self.corpus.kalshi_hot.get(at)),
            Feed::Poly => self.baseline.on_poly(self.corpus.poly_hot.get(at)),
            Feed::Both if at.is_multiple_of(2) => {
                self.baseline.on_kalshi(self.corpus.kalshi_hot.get(at / 2));
            }
            Feed::Both => self.baseline.on_poly(self.corpus.poly_hot.get(at / 2)),
        }
    }

    fn len(&self) -> usize {
        count(self.corpus, self.feed)
    }

    fn result(&self) -> u64 {
        self.baseline.candidates()
    }
}

fn count(corpus: &Corpus, feed: Feed) -> usize {
    match feed {
        Feed::Kalshi => corpus.kalshi_hot.len(),
        Feed::Poly => corpus.poly_hot.len(),
        Feed::Both => 2 * corpus.kalshi_hot.len().min(corpus.poly_hot.len()),
    }
}
