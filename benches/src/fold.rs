//! The best prices after every change folded into one number, to be compared with other engines.

use engine::units::Px;
use serde::Deserialize;

use crate::corpus::Corpus;
use crate::pipeline::Pipeline;

/// From 0: `x * 31 + bid * 1000 + ask` in whole cents, wrapping; an empty side counts as 0.
fn fold(x: u64, (bid, ask): (Option<Px>, Option<Px>)) -> u64 {
    let cents = |px: Option<Px>| px.map_or(0, |px| u64::from(px.e4() / 100));
    x.wrapping_mul(31).wrapping_add(cents(bid) * 1_000 + cents(ask))
}

/// The YES book after each Kalshi delta.
pub fn kalshi(corpus: &Corpus, count: usize) -> u64 {
    #[derive(Deserialize)]
    struct Frame {
        msg: Message,
    }
    #[derive(Deserialize)]
    struct Message {
        market_ticker: String,
    }
    let mut pipeline = Pipeline::filled(corpus);
    let mut x = 0;
    for frame in corpus.kalshi_hot.iter().take(count) {
        pipeline.on_kalshi(frame);
        let name = serde_json::from_slice::<Frame>(frame).ok();
        let number = name.and_then(|f| pipeline.kalshi.number_of(&f.msg.market_ticker));
        if let Some(number) = number {
            x = fold(x, pipeline.kalshi.best(number));
        }
    }
    x
}

/// The entry's own token after each price_change, entry by entry in their order.
pub fn poly(corpus: &Corpus, count: usize) -> u64 {
    #[derive(Deserialize)]
    struct Frame {
        market: String,
        price_changes: Vec<Entry>,
    }
    #[derive(Deserialize)]
    struct Entry {
        asset_id: String,
    }
    let mut pipeline = Pipeline::filled(corpus);
    let mut x = 0;
    for frame in corpus.poly_hot.iter().take(count) {
        pipeline.on_poly(frame);
        let Ok(frame) = serde_json::from_slice::<Frame>(frame) else { continue };
        let Some(number) = pipeline.poly.number_of(&frame.market) else { continue };
        for entry in &frame.price_changes {
            let token = (0..2).find(|token| pipeline.poly.token(number, *token) == entry.asset_id);
            if let Some(token) = token {
                x = fold(x, pipeline.poly.best(number, token));
            }
        }
    }
    x
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::baseline::Baseline;
    use crate::corpus::Form;
    use crate::generate::{self, Plan};

    #[test]
    fn the_ordinary_way_folds_to_the_same() {
        for form in [Form::Plain, Form::Mixed] {
            let corpus =
                generate::corpus(Plan { pairs: 8, messages: 2_000, form, seed: 3, steady: false });
            let mut slow = Baseline::filled(&corpus);
            let best = |slow: &Baseline, name: &str| {
                let (bid, ask) = slow.book(name).and_then(crate::baseline::Book::best).unwrap();
                (Px::new(bid), Px::new(ask))
            };
            let (mut kalshi_fold, mut poly_fold) = (0, 0);
            for frame in corpus.kalshi_hot.iter() {
                slow.on_kalshi(frame);
                let text = core::str::from_utf8(frame).unwrap();
                let names = &corpus.pairs.iter().find(|names| text.contains(&names.ticker));
                kalshi_fold = fold(kalshi_fold, best(&slow, &names.unwrap().ticker));
            }
            for frame in corpus.poly_hot.iter() {
                slow.on_poly(frame);
                let text = core::str::from_utf8(frame).unwrap();
                let names = corpus.pairs.iter().find(|names| text.contains(&names.condition));
                for token in &names.unwrap().tokens {
                    poly_fold = fold(poly_fold, best(&slow, token));
                }
            }
            assert_eq!(slow.mismatches(), 0, "what is generated states its own best prices");
            assert_eq!(kalshi(&corpus, 2_000), kalshi_fold);
            assert_eq!(poly(&corpus, 2_000), poly_fold);
        }
    }
}
