//! The door before the venues: keys that were revoked open nothing, until somebody brings others.

use engine::units::Ns;
use sim::host::{Answer, Effects, Host, SiteId};
use sim::venue::{ClientId, Reply, Request};

/// What every request that proves who sends it carries, by site.
const KEYS: [&str; 2] = ["KALSHI-ACCESS-KEY", "POLY_API_KEY"];

/// Until when the keys of a site open nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Revoked(pub [Ns; 2]);

impl Revoked {
    /// The answer to a request that carries a key which the venue does not know any more.
    fn refusal(&self, now: Ns, site: SiteId, request: &Request<'_>) -> Option<Answer> {
        if now >= self.0[site.0] || request.header(KEYS[site.0]).is_none() {
            return None;
        }
        let body = match site {
            SiteId(0) => {
                r#"{"error":{"code":"authentication_error","message":"authentication_error","details":"NOT_FOUND"}}"#
            }
            _ => r#"{"error":"Unauthorized/Invalid api key"}"#,
        };
        Some(Reply::json(401, body).into())
    }
}

/// The venues behind that door.
pub struct Door<'a, H> {
    /// The venues.
    pub host: &'a mut H,
    /// Whose keys open nothing.
    pub revoked: Revoked,
}

impl<H: Host> Host for Door<'_, H> {
    fn request(
        &mut self,
        now: Ns,
        site: SiteId,
        request: &Request<'_>,
        effects: &mut Effects,
    ) -> Answer {
        match self.revoked.refusal(now, site, request) {
            Some(answer) => answer,
            None => self.host.request(now, site, request, effects),
        }
    }

    fn open(
        &mut self,
        now: Ns,
        site: SiteId,
        client: ClientId,
        request: &Request<'_>,
        effects: &mut Effects,
    ) -> Result<(), Answer> {
        match self.revoked.refusal(now, site, request) {
            Some(answer) => Err(answer),
            None => self.host.open(now, site, client, request, effects),
        }
    }

    fn text(&mut self, now: Ns, site: SiteId, client: ClientId, text: &str, effects: &mut Effects) {
        self.host.text(now, site, client, text, effects);
    }

    fn closed(&mut self, site: SiteId, client: ClientId) {
        self.host.closed(site, client);
    }

    fn tick(&mut self, now: Ns, effects: &mut Effects) {
        self.host.tick(now, effects);
    }

    fn next_due(&self) -> Option<Ns> {
        self.host.next_due()
    }
}
