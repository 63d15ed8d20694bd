//! The channels that can be subscribed.

/// What can be subscribed here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Channel {
    Orderbook,
    Ticker,
    Trade,
    Fill,
    UserOrders,
    Positions,
    Lifecycle,
    Groups,
}

impl Channel {
    pub(super) fn from_name(name: &str) -> Option<Channel> {
        Some(match name {
            "orderbook_delta" => Channel::Orderbook,
            "ticker" => Channel::Ticker,
            "trade" => Channel::Trade,
            "fill" => Channel::Fill,
            "user_orders" => Channel::UserOrders,
            "market_positions" => Channel::Positions,
            "market_lifecycle_v2" => Channel::Lifecycle,
            "order_group_updates" => Channel::Groups,
            _ => return None,
        })
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Channel::Orderbook => "orderbook_delta",
            Channel::Ticker => "ticker",
            Channel::Trade => "trade",
            Channel::Fill => "fill",
            Channel::UserOrders => "user_orders",
            Channel::Positions => "market_positions",
            Channel::Lifecycle => "market_lifecycle_v2",
            Channel::Groups => "order_group_updates",
        }
    }

    pub(super) const fn is_counted(self) -> bool {
        match self {
            Channel::Orderbook | Channel::Trade | Channel::Lifecycle | Channel::Groups => true,
            Channel::Ticker | Channel::Fill | Channel::UserOrders | Channel::Positions => false,
        }
    }

    /// True where tickers narrow what it sends.
    pub(super) const fn is_filtered(self) -> bool {
        !matches!(self, Channel::Lifecycle | Channel::Groups)
    }
}
