//! The door before the venues: keys that were revoked open nothing, until somebody brings others.

use engine::units::Ns;
use sim::host::{Answer, Effects, Host, SiteId};
use sim::venue::{ClientId, Push, Reply, Request};

/// What every request to Polymarket that proves who sends it carries.
const KEY: &str = "POLY_API_KEY";

/// What of Kalshi is for members alone; the rest is told to anybody, whatever the headers say.
const PRIVATE: [&str; 3] = ["/trade-api/v2/portfolio", "/trade-api/v2/account", "/trade-api/ws"];

/// How a venue says that it does not know a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Word {
    /// 401.
    #[default]
    Unknown,
    /// 403: known, and not allowed any more.
    Forbidden,
}

/// Since and until when the keys of each site open nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Revoked {
    spans: [(Ns, Ns, Word); 2],
}

impl Revoked {
    /// The keys of a site open nothing from `now` until then.
    pub fn revoke(&mut self, site: SiteId, now: Ns, until: Ns, word: Word) {
        self.spans[site.0] = (now, until, word);
    }

    /// Keys work again.
    pub fn heal(&mut self) {
        self.spans = Default::default();
    }

    /// Since when the keys of a site open nothing.
    pub fn since(&self, now: Ns, site: SiteId) -> Option<Ns> {
        let (since, until, _) = self.spans[site.0];
        (now < until).then_some(since)
    }

    /// The answer to a request that carries a key which the venue does not know any more.
    fn refusal(&self, now: Ns, site: SiteId, request: &Request<'_>) -> Option<Answer> {
        self.since(now, site)?;
        let is_private = match site {
            SiteId(0) => PRIVATE.iter().any(|path| request.path.starts_with(path)),
            _ => request.header(KEY).is_some(),
        };
        if !is_private {
            return None;
        }
        let (status, body) = match (site, self.spans[site.0].2) {
            (SiteId(0), Word::Unknown) => (
                401,
                r#"{"error":{"code":"authentication_error","message":"authentication_error","details":"NOT_FOUND"}}"#,
            ),
            (SiteId(0), Word::Forbidden) => {
                (403, r#"{"error":{"code":"forbidden","message":"forbidden"}}"#)
            }
            (_, Word::Unknown) => (401, r#"{"error":"Unauthorized/Invalid api key"}"#),
            (_, Word::Forbidden) => (403, "<html>Forbidden</html>"),
        };
        Some(Reply::json(status, body).into())
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
        // On Polymarket's private channel the first frame says who we are.
        if site == SiteId(1) && self.revoked.since(now, site).is_some() && text.contains("\"auth\"")
        {
            effects.outbox.pushes.push(Push::Close(client));
            return;
        }
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
