//! What differs between venues: the words of a subscription, and what proves that a line lives.

use engine::top::MarketId;
use engine::units::Ns;

use crate::feed::VenueSession;
use crate::market::AddError;

/// What must be done about a line after a word of the venue.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Remedy {
    /// Nothing.
    None,
    /// The subscription is dead: subscribe to all of the line's markets again.
    Resubscribe,
    /// Nothing less than another connection helps.
    Reconnect,
}

/// A session whose markets are spread over connections.
pub trait Books: VenueSession {
    /// Number of markets.
    fn count(&self) -> usize;

    /// Number of markets that memory was taken for.
    fn room(&self) -> usize;

    /// Says on which connection a market is subscribed to.
    fn assign(&mut self, number: usize, conn: u32);

    /// Of a market's last Top.
    fn generation(&self, number: usize) -> u32;

    /// Whether a market's book is not whole, and a fresh one would make it so.
    fn awaits_book(&self, number: usize) -> bool;
}

/// A venue's way of speaking. The texts are handed to `say` in the order in which they are sent.
pub trait Dialect {
    /// The session that its frames are for.
    type Session: Books;
    /// What is known of a connection while it lasts.
    type Line: Default;
    /// A market that comes while the feed runs.
    type NewMarket;

    /// A line that has not proved its life for so long is dead.
    const SILENCE_NS_MAX: Ns;
    /// A text to send again and again, and how often.
    const PING: Option<(&'static str, Ns)>;
    /// Whether a fresh book takes an end of the market's subscription, so that a second such
    /// request would help no more than the first.
    const REFRESH_RESUBSCRIBES: bool;

    /// Markets that one line may carry.
    fn markets_a_line(&self) -> usize;

    /// Adds a market to the session.
    fn add_market(
        &self,
        session: &mut Self::Session,
        market: &Self::NewMarket,
    ) -> Result<MarketId, AddError>;

    /// The venue's name of a market's event, where its rules come for whole events.
    fn event_of<'m>(&self, _market: &'m Self::NewMarket) -> Option<&'m str> {
        None
    }

    /// Whether a message proves that the line lives; `None` is a control frame.
    fn proves_life(&self, text: Option<&[u8]>) -> bool;

    /// The first words on a connection that has just opened: all its markets. `first` is the line
    /// that also hears what concerns no market of its own.
    fn greet(
        &self,
        session: &Self::Session,
        line: &mut Self::Line,
        first: bool,
        markets: &[u16],
        say: &mut dyn FnMut(&str),
    );

    /// Asks for fresh books of markets that are subscribed to.
    fn refresh(
        &self,
        session: &Self::Session,
        line: &mut Self::Line,
        markets: &[u16],
        say: &mut dyn FnMut(&str),
    );

    /// Begins the subscription of all the line's markets anew.
    fn resubscribe(
        &self,
        session: &Self::Session,
        line: &mut Self::Line,
        markets: &[u16],
        say: &mut dyn FnMut(&str),
    );

    /// Subscribes to a further market.
    fn add(
        &self,
        session: &Self::Session,
        line: &mut Self::Line,
        market: u16,
        say: &mut dyn FnMut(&str),
    );

    /// Ends the subscription of one market.
    fn remove(
        &self,
        session: &Self::Session,
        line: &mut Self::Line,
        market: u16,
        say: &mut dyn FnMut(&str),
    );

    /// A subscription has a number from now on.
    fn on_subscribed(&self, line: &mut Self::Line, is_book: bool, sid: u64);

    /// The venue answered with an error.
    fn on_error(&self, line: &mut Self::Line, code: u64, sid: Option<u64>) -> Remedy;
}

/// Appends `"a","b",...`: names of markets are checked to need no escapes when they are added.
pub(crate) fn put_list<'a>(to: &mut String, names: impl Iterator<Item = &'a str>) {
    for (at, name) in names.enumerate() {
        if at > 0 {
            to.push(',');
        }
        to.push('"');
        to.push_str(name);
        to.push('"');
    }
}
