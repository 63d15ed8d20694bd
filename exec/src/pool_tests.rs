use std::cell::RefCell;
use std::io::ErrorKind;
use std::rc::Rc;

use super::*;
use crate::http::reply::BadReply;
use crate::script::{Peer, Scripts};

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\n\r\n";
const MS: u64 = 1_000_000;

struct Rig {
    pool: Pool<Scripts>,
    now: u64,
}

/// Connections that are warm.
fn warm(size: usize) -> Rig {
    let config = PoolConfig { size, ..PoolConfig::default() };
    let scripts = Scripts { up: true, ..Scripts::default() };
    let mut rig = Rig { pool: Pool::new(scripts, config, 1), now: 1_000 * MS };
    assert_eq!(rig.poll(), vec![None; size]);
    assert_eq!(rig.poll(), vec![Some(News::Progress(Progress::Ready)); size]);
    assert_eq!(rig.pool.warm(), size);
    rig
}

impl Rig {
    /// The next news of each connection, 10 ms later.
    fn poll(&mut self) -> Vec<Option<News>> {
        self.now += 10 * MS;
        (0..self.pool.len()).map(|n| self.pool.poll(n, Ns(self.now))).collect()
    }

    /// The other side of the connection that was dialled as number `n`.
    fn peer(&self, n: usize) -> Rc<RefCell<Peer>> {
        Rc::clone(&self.pool.dial.peers.borrow()[n])
    }

    fn send(&mut self, number: usize) -> Result<bool, Lost> {
        self.pool.send(number, REQUEST, Ns(self.now))
    }
}

#[test]
fn the_fastest_idle_connection_is_used() {
    let mut rig = warm(3);
    for (number, wait) in [(0, 30), (1, 10), (2, 20)] {
        assert_eq!(rig.pool.fastest_idle(), Some(number), "what was not tried is tried first");
        assert_eq!(rig.send(number), Ok(true));
        rig.now += wait * MS;
        rig.peer(number).borrow_mut().answer(200, "", "x");
        assert_eq!(rig.poll()[number], Some(News::Progress(Progress::Answered)));
        assert_eq!(rig.pool.reply(number).unwrap().1, b"x");
        rig.pool.finish(number, Ns(rig.now));
    }
    assert_eq!(rig.pool.fastest_idle(), Some(1));
    assert_eq!(rig.send(1), Ok(true));
    assert_eq!(rig.send(1), Err(Lost::Failed(ErrorKind::NotConnected)), "one at a time");
}

#[test]
fn an_answer_in_pieces_tells_its_first_byte() {
    let mut rig = warm(1);
    assert_eq!(rig.send(0), Ok(true));
    assert_eq!(rig.peer(0).borrow_mut().requests().len(), 1);
    rig.peer(0).borrow_mut().to_read.extend(b"HTTP/1.1 200 OK\r\nContent-Le");
    assert_eq!(rig.poll(), [Some(News::Progress(Progress::FirstByte))]);
    assert_eq!(rig.poll(), [None]);
    rig.peer(0).borrow_mut().to_read.extend(b"ngth: 0\r\nConnection: close\r\n\r\n");
    assert_eq!(rig.poll(), [Some(News::Progress(Progress::Answered))]);
    rig.pool.finish(0, Ns(rig.now));
    assert!(rig.peer(0).borrow().closed, "the host said that it ends here");
    assert_eq!(rig.poll(), [None]);
    assert_eq!(rig.poll(), [Some(News::Progress(Progress::Ready))], "and it is replaced at once");
}

#[test]
fn a_clogged_connection_has_sent_nothing_until_it_is_free() {
    let mut rig = warm(1);
    rig.peer(0).borrow_mut().takes = Some(5);
    assert_eq!(rig.send(0), Ok(false));
    rig.peer(0).borrow_mut().takes = None;
    rig.peer(0).borrow_mut().is_clogged = true;
    assert_eq!(rig.poll(), [None]);
    assert_eq!(rig.peer(0).borrow().written, REQUEST);
    rig.peer(0).borrow_mut().is_clogged = false;
    assert_eq!(rig.poll(), [Some(News::Progress(Progress::Sent))]);
}

#[test]
fn what_a_lost_connection_was_doing_is_told() {
    let timed_out = |phase| Some(News::Lost(Lost::TimedOut, phase));
    let mut rig = warm(1);
    rig.peer(0).borrow_mut().fails = Some(ErrorKind::BrokenPipe);
    assert_eq!(rig.send(0), Err(Lost::Failed(ErrorKind::BrokenPipe)), "it never left");
    assert_eq!(rig.pool.warm(), 0);

    let mut rig = warm(1);
    rig.peer(0).borrow_mut().takes = Some(3);
    assert_eq!(rig.send(0), Ok(false));
    rig.now += 1_000 * MS;
    rig.peer(0).borrow_mut().takes = Some(0);
    assert_eq!(rig.poll(), [timed_out(Phase::Writing)]);

    let mut rig = warm(1);
    assert_eq!(rig.send(0), Ok(true));
    rig.now += 4_980 * MS;
    assert_eq!(rig.poll(), [None]);
    assert_eq!(rig.poll(), [timed_out(Phase::Waiting)]);

    for (bytes, lost) in [
        (&b""[..], Lost::Closed),
        (b"HTTP/1.1 200 OK\r\n", Lost::Bad(BadReply::CutOff)),
        (b"garbage\r\n\r\n", Lost::Bad(BadReply::NotHttp)),
    ] {
        let mut rig = warm(1);
        assert_eq!(rig.send(0), Ok(true));
        rig.peer(0).borrow_mut().to_read.extend(bytes);
        rig.peer(0).borrow_mut().is_over = true;
        let news = loop {
            match rig.poll()[0] {
                Some(News::Progress(_)) | None => {}
                Some(News::Lost(lost, phase)) => break (lost, phase),
            }
        };
        let phase =
            if lost == Lost::Bad(BadReply::CutOff) { Phase::Reading } else { Phase::Waiting };
        assert_eq!(news, (lost, phase));
    }
}

#[test]
fn an_idle_connection_that_ends_or_speaks_is_replaced() {
    let mut rig = warm(2);
    rig.peer(0).borrow_mut().is_over = true;
    rig.peer(1).borrow_mut().to_read.extend(b"HTTP/1.1 408 Timeout\r\n\r\n");
    let unasked = Lost::Bad(BadReply::Unasked);
    assert_eq!(
        rig.poll(),
        [Some(News::Lost(Lost::Closed, Phase::Idle)), Some(News::Lost(unasked, Phase::Idle))]
    );
    assert_eq!((rig.pool.warm(), rig.pool.fastest_idle()), (0, None));
    rig.now += 100 * MS;
    rig.poll();
    rig.poll();
    assert_eq!(rig.pool.warm(), 2);
    assert_eq!(rig.pool.turnover(), [2, 0]);
}

#[test]
fn an_old_connection_is_replaced_while_another_is_ready() {
    let mut rig = warm(2);
    rig.now += 31 * 60_000 * MS;
    rig.pool.rotate(Ns(rig.now));
    rig.pool.rotate(Ns(rig.now));
    assert_eq!((rig.pool.warm(), rig.pool.turnover()), (1, [0, 1]), "one at a time");
    rig.poll();
    rig.poll();
    rig.pool.rotate(Ns(rig.now));
    assert_eq!(rig.pool.turnover(), [0, 2]);
    rig.poll();
    rig.poll();
    rig.pool.rotate(Ns(rig.now));
    assert_eq!((rig.pool.warm(), rig.pool.turnover()), (2, [0, 2]));
}

#[test]
fn a_host_that_cannot_be_reached_is_asked_ever_more_rarely() {
    let mut rig = warm(1);
    rig.pool.dial.up = false;
    rig.peer(0).borrow_mut().is_over = true;
    rig.poll();
    for _ in 0..6_000 {
        if let Some(peer) = rig.pool.dial.peers.borrow().last() {
            peer.borrow_mut().fails = Some(ErrorKind::ConnectionRefused);
        }
        rig.poll();
    }
    let dials = rig.pool.dial.peers.borrow().len();
    assert!((8..30).contains(&dials), "{dials} in a minute");
}
