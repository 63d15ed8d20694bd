//! Polymarket's words (polymarket.md section 2.1).

use engine::grid::Grid;
use engine::top::MarketId;
use engine::units::Ns;

use crate::live::dialect::{Books, Dialect, Remedy, put_list};
use crate::market::AddError;
use crate::polymarket::session::{HashTerms, Session};

/// Path of the WebSocket.
pub const PATH: &str = "/ws/market";

/// Assets on one connection: larger counts were seen to stall silently.
pub const ASSETS_A_LINE_MAX: usize = 200;

/// The client pings.
const PING_EVERY: Ns = Ns::from_ms(10_000);
/// Without an answer for so long the official client gives a connection up.
const SILENCE_NS_MAX: Ns = Ns::from_ms(30_000);

/// How the feed subscribes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Polymarket {
    /// Markets on one connection, two assets each; more than [`ASSETS_A_LINE_MAX`] allow count as
    /// that.
    pub markets_a_line: usize,
}

/// A market that comes while the feed runs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewMarket {
    /// Its condition id.
    pub condition: String,
    /// Its tokens, the one that is YES first.
    pub tokens: [String; 2],
    /// Its price grid.
    pub grid: Grid,
    /// What its hashes need.
    pub terms: Option<HashTerms>,
}

fn assets(session: &Session, markets: &[u16], before: &str, after: &str) -> String {
    let tokens = markets.iter().flat_map(|market| {
        [0, 1].map(|token| session.token(usize::from(*market), token)).into_iter()
    });
    let mut text = String::with_capacity(128 + markets.len() * 160);
    text.push_str(before);
    put_list(&mut text, tokens.filter(|token| !token.is_empty()));
    text.push_str(after);
    text
}

fn subscribe(session: &Session, markets: &[u16]) -> String {
    let before = r#"{"operation":"subscribe","assets_ids":["#;
    assets(session, markets, before, r#"],"custom_feature_enabled":true}"#)
}

fn unsubscribe(session: &Session, markets: &[u16]) -> String {
    assets(session, markets, r#"{"operation":"unsubscribe","assets_ids":["#, "]}")
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

impl Dialect for Polymarket {
    type Session = Session;
    type Line = ();
    type NewMarket = NewMarket;

    const SILENCE_NS_MAX: Ns = SILENCE_NS_MAX;
    const PING: Option<(&'static str, Ns)> = Some(("PING", PING_EVERY));
    const REFRESH_RESUBSCRIBES: bool = true;

    fn markets_a_line(&self) -> usize {
        self.markets_a_line.min(ASSETS_A_LINE_MAX / 2)
    }

    fn add_market(&self, session: &mut Session, market: &NewMarket) -> Result<MarketId, AddError> {
        let tokens = market.tokens.each_ref().map(String::as_str);
        session.add_market(&market.condition, tokens, &market.grid, market.terms.clone())
    }

    /// Data may flow on while the venue has forgotten us: its answer to a ping counts, as with the
    /// official client.
    fn proves_life(&self, text: Option<&[u8]>) -> bool {
        text == Some(b"PONG")
    }

    fn greet(
        &self,
        session: &Session,
        _line: &mut (),
        _first: bool,
        markets: &[u16],
        say: &mut dyn FnMut(&str),
    ) {
        let before = r#"{"type":"market","assets_ids":["#;
        let after = r#"],"custom_feature_enabled":true,"initial_dump":true}"#;
        say(&assets(session, markets, before, after));
    }

    fn refresh(
        &self,
        session: &Session,
        _line: &mut (),
        markets: &[u16],
        say: &mut dyn FnMut(&str),
    ) {
        say(&unsubscribe(session, markets));
        say(&subscribe(session, markets));
    }

    fn resubscribe(
        &self,
        session: &Session,
        line: &mut (),
        markets: &[u16],
        say: &mut dyn FnMut(&str),
    ) {
        self.refresh(session, line, markets, say);
    }

    fn add(&self, session: &Session, _line: &mut (), market: u16, say: &mut dyn FnMut(&str)) {
        say(&subscribe(session, &[market]));
    }

    fn remove(&self, session: &Session, _line: &mut (), market: u16, say: &mut dyn FnMut(&str)) {
        say(&unsubscribe(session, &[market]));
    }

    fn on_subscribed(&self, _line: &mut (), _is_book: bool, _sid: u64) {}

    fn on_error(&self, _line: &mut (), _code: u64, _sid: Option<u64>) -> Remedy {
        Remedy::None
    }
}
