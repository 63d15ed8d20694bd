//! Kalshi's words (kalshi.md section 2, "Commands").

use core::fmt::Write;

use engine::grid::Grid;
use engine::top::MarketId;
use engine::units::Ns;

use crate::kalshi::session::{NoSide, Session};
use crate::live::dialect::{Books, Dialect, Remedy, put_list};
use crate::market::AddError;

/// Path of the WebSocket.
pub const PATH: &str = "/trade-api/ws/v2";

/// Markets that one command names: the longest stays far below the venue's longest message.
pub const MARKETS_A_COMMAND: usize = 500;

/// The venue pings every 10 s.
const SILENCE_NS_MAX: Ns = Ns::from_ms(25_000);

/// A channel died, or we read too slowly.
const ERRORS_TERMINAL: [u64; 2] = [10, 25];
/// The connection is not logged in.
const ERROR_NOT_LOGGED_IN: u64 = 9;

/// How the feed subscribes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Kalshi {
    /// Markets on one connection. A gap in its numbers takes all of them.
    pub markets_a_line: usize,
    /// Whether public trades of the markets are heard too.
    pub trades: bool,
}

/// What is known of a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Line {
    /// Of the last command.
    id: u64,
    /// The subscription of the books.
    books: Option<u64>,
    /// It was begun anew once already.
    renewed: bool,
}

/// A market that comes while the feed runs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewMarket {
    /// Its event: fees change for whole events.
    pub event: String,
    /// Its ticker.
    pub ticker: String,
    /// Its price grid.
    pub grid: Grid,
}

impl Kalshi {
    fn command(line: &mut Line, cmd: &str, params: impl FnOnce(&mut String)) -> String {
        line.id += 1;
        let mut text = String::with_capacity(256);
        // Writing to a String cannot fail.
        let _ = write!(text, r#"{{"id":{},"cmd":"{cmd}","params":{{"#, line.id);
        params(&mut text);
        text.push_str("}}");
        text
    }

    fn subscribe(
        &self,
        session: &Session,
        line: &mut Line,
        markets: &[u16],
        say: &mut dyn FnMut(&str),
    ) {
        for markets in markets.chunks(MARKETS_A_COMMAND) {
            let yes = session.no_side() == NoSide::YesPrice;
            let channels =
                if self.trades { r#""orderbook_delta","trade""# } else { r#""orderbook_delta""# };
            say(&Kalshi::command(line, "subscribe", |to| {
                let _ = write!(to, r#""channels":[{channels}],"market_tickers":["#);
                put_list(to, tickers(session, markets));
                let _ = write!(to, r#"],"use_yes_price":{yes},"skip_ticker_ack":true"#);
            }));
        }
    }

    fn update(
        session: &Session,
        line: &mut Line,
        action: &str,
        markets: &[u16],
        say: &mut dyn FnMut(&str),
    ) {
        let Some(sid) = line.books else { return };
        for markets in markets.chunks(MARKETS_A_COMMAND) {
            say(&Kalshi::command(line, "update_subscription", |to| {
                let _ = write!(to, r#""sids":[{sid}],"market_tickers":["#);
                put_list(to, tickers(session, markets));
                let _ = write!(to, r#"],"action":"{action}""#);
            }));
        }
    }
}

fn tickers<'a>(session: &'a Session, markets: &'a [u16]) -> impl Iterator<Item = &'a str> {
    markets.iter().map(|market| session.ticker(usize::from(*market)))
}

impl Books for Session {
    fn count(&self) -> usize {
        self.markets()
    }

    fn room(&self) -> usize {
        Session::room(self)
    }

    fn assign(&mut self, number: usize, conn: u32) {
        Session::assign(self, number, conn);
    }

    fn generation(&self, number: usize) -> u32 {
        self.top(number).generation
    }

    #[inline]
    fn awaits_book(&self, number: usize) -> bool {
        Session::awaits_book(self, number)
    }
}

impl Dialect for Kalshi {
    type Session = Session;
    type Line = Line;
    type NewMarket = NewMarket;

    const SILENCE_NS_MAX: Ns = SILENCE_NS_MAX;
    const PING: Option<(&'static str, Ns)> = None;
    const REFRESH_RESUBSCRIBES: bool = false;

    fn markets_a_line(&self) -> usize {
        self.markets_a_line
    }

    fn add_market(&self, session: &mut Session, market: &NewMarket) -> Result<MarketId, AddError> {
        session.add_market(&market.ticker, &market.grid)
    }

    fn event_of<'m>(&self, market: &'m NewMarket) -> Option<&'m str> {
        Some(&market.event)
    }

    fn proves_life(&self, _text: Option<&[u8]>) -> bool {
        true
    }

    fn greet(
        &self,
        session: &Session,
        line: &mut Line,
        first: bool,
        markets: &[u16],
        say: &mut dyn FnMut(&str),
    ) {
        *line = Line::default();
        if first {
            say(&Kalshi::command(line, "subscribe", |to| {
                to.push_str(r#""channels":["market_lifecycle_v2"]"#);
            }));
        }
        self.subscribe(session, line, markets, say);
    }

    fn refresh(
        &self,
        session: &Session,
        line: &mut Line,
        markets: &[u16],
        say: &mut dyn FnMut(&str),
    ) {
        Kalshi::update(session, line, "get_snapshot", markets, say);
    }

    fn resubscribe(
        &self,
        session: &Session,
        line: &mut Line,
        markets: &[u16],
        say: &mut dyn FnMut(&str),
    ) {
        line.renewed = true;
        if let Some(sid) = line.books.take() {
            say(&Kalshi::command(line, "unsubscribe", |to| {
                let _ = write!(to, r#""sids":[{sid}]"#);
            }));
        }
        self.subscribe(session, line, markets, say);
    }

    fn add(&self, session: &Session, line: &mut Line, market: u16, say: &mut dyn FnMut(&str)) {
        // Without a number the subscription is still on its way; another command adds to it.
        match line.books {
            Some(_) => Kalshi::update(session, line, "add_markets", &[market], say),
            None => self.subscribe(session, line, &[market], say),
        }
    }

    fn remove(&self, session: &Session, line: &mut Line, market: u16, say: &mut dyn FnMut(&str)) {
        Kalshi::update(session, line, "delete_markets", &[market], say);
    }

    fn on_subscribed(&self, line: &mut Line, is_book: bool, sid: u64) {
        if is_book {
            line.books = Some(sid);
        }
    }

    fn on_error(&self, line: &mut Line, code: u64, sid: Option<u64>) -> Remedy {
        if code == ERROR_NOT_LOGGED_IN {
            return Remedy::Reconnect;
        }
        if !ERRORS_TERMINAL.contains(&code) {
            return Remedy::None;
        }
        if sid.is_some() && sid == line.books && !line.renewed {
            line.books = None; // it is dead already: nothing is left to unsubscribe
            return Remedy::Resubscribe;
        }
        Remedy::Reconnect
    }
}
