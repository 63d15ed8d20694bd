//! Running numbers of Kalshi's subscriptions (kalshi.md section 2, "Rules for `seq`").

use engine::top::MARKETS_MAX;

/// Subscriptions that one feed follows; a connection has one a channel.
pub const SEQUENCES_MAX: usize = 4_096;
const _: () = assert!(MARKETS_MAX > SEQUENCES_MAX);

/// So many frames in a row that are older than the last one are no late copies: the count itself
/// is wrong, be it that the venue began anew or that one frame carried a number of another world.
pub const OLD_MAX: u8 = 16;

/// Where a frame stands in its subscription.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Order {
    /// It follows the last one.
    Next,
    /// It repeats or precedes the last one.
    Old,
    /// A frame is missing before it, or what is missing cannot be known.
    Gap,
}

/// The last number of each subscription. It is counted per connection and `sid`, over every
/// frame that carries one, whatever its type.
pub struct Sequences {
    list: Vec<Sequence>,
}

struct Sequence {
    conn: u32,
    sid: u64,
    last: u64,
    /// The last number that a control reply carried.
    control: Option<u64>,
    /// Old frames since the last one that was not.
    old: u8,
}

impl Default for Sequences {
    fn default() -> Sequences {
        Sequences { list: Vec::with_capacity(16) }
    }
}

impl Sequences {
    /// Judges a frame's number and counts on from it.
    #[inline]
    pub fn advance(&mut self, conn: u32, sid: u64, seq: u64) -> Order {
        for at in &mut self.list {
            if at.sid == sid && at.conn == conn {
                if seq == 0 || seq - 1 != at.last {
                    return at.surprise(seq);
                }
                at.last = seq;
                at.old = 0;
                return Order::Next;
            }
        }
        self.first_of(conn, sid, seq)
    }

    /// Judges the number of a control reply. Whether replies take a number or share one with a
    /// change is not confirmed: one that repeats a number still says what it says, and a change
    /// that then carries the number of the reply is not believed to be a mere copy.
    pub fn advance_control(&mut self, conn: u32, sid: u64, seq: u64) -> Order {
        let known = self.list.iter().find(|at| at.sid == sid && at.conn == conn);
        if known.is_some_and(|at| seq <= at.last) {
            return Order::Old;
        }
        let order = self.advance(conn, sid, seq);
        if let Some(at) = self.list.iter_mut().find(|at| at.sid == sid && at.conn == conn) {
            at.control = Some(seq);
        }
        order
    }

    /// Forgets a subscription that ended.
    pub fn end(&mut self, conn: u32, sid: u64) {
        self.list.retain(|at| at.sid != sid || at.conn != conn);
    }

    /// Forgets those of a connection that ended.
    pub fn end_all_of(&mut self, conn: u32) {
        self.list.retain(|at| at.conn != conn);
    }

    /// Forgets all of them.
    pub fn clear(&mut self) {
        self.list.clear();
    }

    /// The first frame of a subscription sets its count: a tape may begin in the middle. Beyond
    /// the limit nothing is counted, so nothing can be proved whole.
    #[cold]
    fn first_of(&mut self, conn: u32, sid: u64, seq: u64) -> Order {
        if self.list.len() >= SEQUENCES_MAX {
            return Order::Gap;
        }
        self.list.push(Sequence { conn, sid, last: seq, control: None, old: 0 });
        Order::Next
    }
}

impl Sequence {
    #[cold]
    fn surprise(&mut self, seq: u64) -> Order {
        if seq <= self.last {
            self.old += 1;
            let copy = self.control != Some(seq) || seq != self.last;
            if copy && self.old < OLD_MAX {
                return Order::Old;
            }
        }
        self.last = seq;
        self.control = None;
        self.old = 0;
        Order::Gap
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Order::*;

    #[test]
    fn counts_are_apart_for_each_connection_and_subscription() {
        let mut all = Sequences::default();
        for (conn, sid, seq, want) in [
            (1, 1, 5, Next), // whatever comes first
            (1, 1, 6, Next),
            (2, 1, 1, Next),
            (1, 2, 9, Next),
            (1, 1, 8, Gap),
            (2, 1, 2, Next),
            (1, 1, 9, Next),
            (1, 1, 9, Old),
            (1, 1, 3, Old),
            (1, 1, 10, Next),
        ] {
            assert_eq!(all.advance(conn, sid, seq), want, "{conn} {sid} {seq}");
        }
        all.end_all_of(2);
        assert_eq!(all.advance(2, 1, 1), Next, "a connection of that number began anew");
        assert_eq!(all.advance(1, 1, 12), Gap, "another one went on");
        all.end(1, 1);
        assert_eq!(all.advance(1, 1, 1), Next, "a subscription of that number began anew");
    }

    #[test]
    fn the_last_number_there_is_ends_a_count_without_a_wrap() {
        let mut all = Sequences::default();
        assert_eq!(all.advance(1, 1, u64::MAX - 1), Next);
        assert_eq!(all.advance(1, 1, u64::MAX), Next);
        assert_eq!(all.advance(1, 1, 0), Old);
        assert_eq!(all.advance(1, 1, u64::MAX), Old);
    }

    #[test]
    fn a_count_that_is_wrong_is_given_up() {
        let mut all = Sequences::default();
        assert_eq!(all.advance(1, 1, 10), Next);
        assert_eq!(all.advance(1, 1, 1 << 60), Gap, "a number of another world");
        for seq in 11..11 + u64::from(OLD_MAX) - 1 {
            assert_eq!(all.advance(1, 1, seq), Old);
        }
        assert_eq!(all.advance(1, 1, 26), Gap);
        assert_eq!(all.advance(1, 1, 27), Next);
    }

    #[test]
    fn a_control_reply_that_shares_its_number_with_a_change_is_a_gap() {
        let mut all = Sequences::default();
        assert_eq!(all.advance(1, 1, 5), Next);
        assert_eq!(all.advance_control(1, 1, 5), Old);
        assert_eq!(all.advance_control(1, 1, 6), Next);
        assert_eq!(all.advance_control(1, 1, 6), Old);
        assert_eq!(all.advance(1, 1, 6), Gap);
        assert_eq!(all.advance(1, 1, 7), Next);
        assert_eq!(all.advance(1, 1, 7), Old, "a copy of a change is a copy");
    }

    #[test]
    fn beyond_the_limit_nothing_is_proved() {
        let mut all = Sequences::default();
        for sid in 0..SEQUENCES_MAX as u64 {
            assert_eq!(all.advance(1, sid, 1), Next);
        }
        assert_eq!(all.advance(1, 99_999, 1), Gap);
        assert_eq!(all.advance(1, 99_999, 2), Gap);
        assert_eq!(all.advance(1, 7, 2), Next);
    }
}
