//! The configuration that points at simulated venues of this host.

/// Where simulated venues listen, and who we are there. Files are in the folder of the text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Simulated<'s> {
    /// Port of Kalshi.
    pub kalshi_port: u16,
    /// Port of Polymarket.
    pub polymarket_port: u16,
    /// `KALSHI-ACCESS-KEY`.
    pub key_id: &'s str,
    /// Holder of the funds on Polymarket.
    pub funder: &'s str,
    /// 0 to 3.
    pub signature_type: u8,
}

impl Simulated<'_> {
    /// The text of a configuration beside `ca.pem`, `pairs.toml`, `kalshi.pem` and
    /// `polymarket.key`. It allows orders, because no money is at stake; they still need `--live`
    /// and `DRY_RUN=0`.
    pub fn toml(&self) -> String {
        let Simulated { kalshi_port, polymarket_port, key_id, funder, signature_type } = self;
        format!(
            r#"# Points Parallax at the simulated venues of this folder. `parallax config` explains the keys.
mode = "live"
environment = "sim"
ca_file = "ca.pem"
pairs = ["pairs.toml"]
state_dir = "."

[kalshi]
rest = "https://localhost:{kalshi_port}/trade-api/v2"
ws = "wss://localhost:{kalshi_port}/trade-api/ws/v2"
key_id = "{key_id}"
key_file = "kalshi.pem"
tier = "premier"

[polymarket]
clob = "https://localhost:{polymarket_port}"
ws = "wss://localhost:{polymarket_port}/ws"
gamma = "https://localhost:{polymarket_port}"
geoblock = "https://localhost:{polymarket_port}/api/geoblock"
key_file = "polymarket.key"
funder = "{funder}"
signature_type = {signature_type}

[journal]
dir = "journal"

[limits]
order_notional_max = "250"
unsettled_notional_max = "5000"
day_loss_max = "2000"
# Simulated venues know no calendar.
pauses = []
"#
        )
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::{Environment, Variables, parse};

    #[test]
    fn the_text_is_a_good_configuration() {
        let funder = "0x00000000000000000000000000000000000000ab";
        let simulated = Simulated {
            kalshi_port: 1,
            polymarket_port: 2,
            key_id: "a-b",
            funder,
            signature_type: 3,
        };
        let path = Path::new("sim/parallax.toml");
        let config = parse(&simulated.toml(), path, &Variables::default(), None).ok().unwrap();
        assert_eq!(config.environment, Environment::Sim);
        assert_eq!(config.polymarket.ws.as_str(), "wss://localhost:2/ws");
        assert_eq!(config.ca_file.as_deref(), Some(Path::new("sim/ca.pem")));
    }
}
