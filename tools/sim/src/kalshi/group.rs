//! Order groups: a breaker that cancels a member's orders when too much fills in 15 seconds
//! (kalshi.md section 4, "Order groups").

use std::collections::VecDeque;

use engine::units::{Ns, Qty};

/// The span over which fills are counted.
const WINDOW: Ns = Ns::from_ms(15_000);

/// A group of a member's orders on one shard.
#[derive(Clone, Debug)]
pub struct Group {
    /// Its id.
    pub id: String,
    /// The account's number.
    pub account: usize,
    /// The shard.
    pub shard: u32,
    /// Most contracts in the window.
    pub limit: Qty,
    /// True until it is reset: no order of it rests or comes.
    pub is_triggered: bool,
    /// True when it is no more.
    pub is_deleted: bool,
    fills: VecDeque<(Ns, u64)>,
}

impl Group {
    /// A group without fills.
    pub const fn new(id: String, account: usize, shard: u32, limit: Qty) -> Group {
        let fills = VecDeque::new();
        Group { id, account, shard, limit, is_triggered: false, is_deleted: false, fills }
    }

    /// Counts a fill; true where that is beyond the limit.
    pub fn fill(&mut self, now: Ns, count: Qty) -> bool {
        self.fills.push_back((now, count.e2()));
        while self.fills.front().is_some_and(|(at, _)| now.since(*at) >= WINDOW) {
            self.fills.pop_front();
        }
        self.exceeds()
    }

    /// Allows orders again, and forgets the fills.
    pub fn reset(&mut self) {
        self.fills.clear();
        self.is_triggered = false;
    }

    /// True where the fills are beyond the limit.
    pub fn exceeds(&self) -> bool {
        self.fills.iter().fold(0, |sum: u64, (_, e2)| sum.saturating_add(*e2)) > self.limit.e2()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fills_count_for_fifteen_seconds() {
        let mut group = Group::new("og".to_owned(), 0, 0, Qty::lit(1_000));
        assert!(!group.fill(Ns::from_ms(0), Qty::lit(600)));
        assert!(!group.fill(Ns::from_ms(10_000), Qty::lit(400)), "the limit itself is allowed");
        assert!(!group.fill(Ns::from_ms(15_000), Qty::lit(600)), "the first has left the window");
        assert!(group.fill(Ns::from_ms(15_001), Qty::lit(1)));
        group.reset();
        assert!(!group.exceeds());
    }
}
