//! Polymarket's slow requests (polymarket.md sections 1, 4, 5, 7 and 8).

mod answers; // what comes back

use std::collections::BTreeMap;

use engine::units::{Shares, Usd};
use exec::id::Id;
use exec::private::{OrderNews, Page, polymarket as private};
use exec::sign::address::Address;
use exec::sign::l2::{ApiCredentials, L2Signer};
use exec::sign::polymarket::PolymarketSigner;
use feeds::json::Parser;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use self::answers::{BalanceReply, BookReply, ClobReply, ClosedReply, GammaReply};
pub use self::answers::{
    Book, Cancelled, ClobMarket, GammaMarket, Geoblock, OpenOrder, Posted, Resolved, Told, Trade,
    allowances_of,
};
use super::agent::{self, Agent, Call, Carrier};
use super::pace::Pace;
use super::{RestError, RestErrorKind};
use crate::config::{PolymarketConfig, Secret};

/// The tightest of the limits that slow requests meet is 100 in ten seconds (polymarket.md
/// section 9); this keeps a tenth of all below it.
const REQUESTS_PER_S: u32 = 9;
const REQUESTS_BURST: u32 = 20;

/// First and last cursor of `/data/` listings.
const CURSOR_FIRST: &str = "MA==";
const CURSOR_LAST: &str = "LTE=";

/// Most pages of one listing.
const PAGES_MAX: usize = 1_000;

const NO_KEY: &str = "set POLY_PRIVATE_KEY, or polymarket.key_file";

/// A client of Polymarket's REST APIs.
pub struct PolymarketRest<A = Agent> {
    agent: A,
    clob: String,
    gamma: String,
    geoblock: String,
    signature_type: u8,
    l2: Option<L2Signer>,
    budget: Pace,
}

impl<A: Carrier> PolymarketRest<A> {
    /// A client. Private requests need [`PolymarketRest::log_in`] first.
    pub fn new(config: &PolymarketConfig, agent: A) -> PolymarketRest<A> {
        PolymarketRest {
            agent,
            clob: config.clob.as_str().to_owned(),
            gamma: config.gamma.as_str().to_owned(),
            geoblock: config.geoblock.as_str().to_owned(),
            signature_type: config.signature_type,
            l2: None,
            budget: Pace::new(REQUESTS_PER_S, REQUESTS_BURST),
        }
    }

    /// Signs private requests from now on: with `given`, or with credentials that are made or, if
    /// there are some, derived by a signature of the wallet (polymarket.md section 4.1).
    ///
    /// # Errors
    /// [`RestError`].
    pub fn log_in(
        &mut self,
        wallet: &mut PolymarketSigner,
        given: Option<ApiCredentials>,
    ) -> Result<(), RestError> {
        let credentials = match given {
            Some(given) => given,
            None => self.credentials(wallet)?,
        };
        self.l2 = Some(L2Signer::new(wallet.owner(), credentials));
        Ok(())
    }

    /// Credentials of a wallet: created, or derived where there are some.
    ///
    /// # Errors
    /// [`RestError`] of the derivation.
    pub fn credentials(
        &mut self,
        wallet: &mut PolymarketSigner,
    ) -> Result<ApiCredentials, RestError> {
        #[derive(Deserialize)]
        struct Reply {
            #[serde(rename = "apiKey")]
            key: String,
            secret: Secret,
            passphrase: Secret,
        }
        let mut ask = |method, path: &str| -> Result<Reply, RestError> {
            agent::spend(&self.agent, &mut self.budget, 1);
            let header = wallet.prove(self.agent.wall().0 / 1_000_000_000, 0);
            let url = format!("{}{path}", self.clob);
            let headers = header.as_bytes();
            agent::json(&self.agent, &Call { method, url, query: "", headers, body: None })
        };
        let reply = match ask("POST", "/auth/api-key") {
            // A venue that is busy says nothing of whether there are some.
            Err(RestError { kind: kind @ RestErrorKind::Status { .. }, .. })
                if !kind.may_pass() =>
            {
                ask("GET", "/auth/derive-api-key")?
            }
            other => other?,
        };
        let (secret, passphrase) = (reply.secret.expose(), reply.passphrase.expose());
        ApiCredentials::new(&reply.key, secret, passphrase).map_err(|error| {
            let kind = RestErrorKind::Form(error.to_string());
            RestError { method: "GET", url: format!("{}/auth/derive-api-key", self.clob), kind }
        })
    }

    /// The `owner` of order bodies; `None` before the log-in.
    pub fn owner(&self) -> Option<&str> {
        self.l2.as_ref().map(L2Signer::owner)
    }

    /// When a request left, what second the venue's clock showed, and when the answer came; both
    /// ends in Unix milliseconds of this host.
    ///
    /// # Errors
    /// [`RestError`].
    pub fn time(&mut self) -> Result<(i64, i64, i64), RestError> {
        agent::spend(&self.agent, &mut self.budget, 1);
        let url = format!("{}/time", self.clob);
        let sent = agent::ms(self.agent.wall());
        let call = Call { method: "GET", url, query: "", headers: &[], body: None };
        let second: i64 = agent::json(&self.agent, &call)?;
        Ok((sent, second, agent::ms(self.agent.wall())))
    }

    /// Which version of orders it takes.
    ///
    /// # Errors
    /// [`RestError`].
    pub fn version(&mut self) -> Result<u32, RestError> {
        #[derive(Deserialize)]
        struct Reply {
            version: u32,
        }
        Ok(self.public::<Reply>("/version", "")?.version)
    }

    /// Whether it serves this host.
    ///
    /// # Errors
    /// [`RestError`].
    pub fn geoblock(&mut self) -> Result<Geoblock, RestError> {
        agent::spend(&self.agent, &mut self.budget, 1);
        let url = self.geoblock.clone();
        agent::json(&self.agent, &Call { method: "GET", url, query: "", headers: &[], body: None })
    }

    /// A token's book.
    ///
    /// # Errors
    /// [`RestError`].
    pub fn book(&mut self, token: &str) -> Result<Book, RestError> {
        let reply: BookReply = self.public("/book", &format!("token_id={token}"))?;
        reply.book().ok_or_else(|| self.form("/book", "the tick or the minimum is no number"))
    }

    /// Books of several tokens at once. Tokens that it does not know are left out of the answer.
    ///
    /// # Errors
    /// [`RestError`].
    pub fn books(&mut self, tokens: &[&str]) -> Result<Vec<Book>, RestError> {
        agent::spend(&self.agent, &mut self.budget, 1);
        let list: Vec<Value> =
            tokens.iter().map(|token| serde_json::json!({ "token_id": token })).collect();
        let body = Value::from(list).to_string();
        let url = format!("{}/books", self.clob);
        let body = Some(body.as_bytes());
        let call = Call { method: "POST", url, query: "", headers: &[], body };
        let replies: Vec<BookReply> = agent::json(&self.agent, &call)?;
        Ok(replies.into_iter().filter_map(BookReply::book).collect())
    }

    /// A market's parameters.
    ///
    /// # Errors
    /// [`RestError`].
    pub fn clob_market(&mut self, condition_id: &str) -> Result<ClobMarket, RestError> {
        let reply: ClobReply = self.public(&format!("/clob-markets/{condition_id}"), "")?;
        Ok(reply.market())
    }

    /// How a market ended, once that is final; `None` before.
    ///
    /// # Errors
    /// [`RestError`].
    pub fn resolved(&mut self, condition_id: &str) -> Result<Option<Resolved>, RestError> {
        let reply: ClosedReply = self.public(&format!("/markets/{condition_id}"), "")?;
        Ok(reply.resolved())
    }

    /// pUSD of the account.
    ///
    /// # Errors
    /// [`RestError`].
    pub fn balance(&mut self) -> Result<Usd, RestError> {
        let query = format!("asset_type=COLLATERAL&signature_type={}", self.signature_type);
        self.units(&query).map(Usd::new)
    }

    /// Shares of a token.
    ///
    /// # Errors
    /// [`RestError`].
    pub fn shares(&mut self, token: &str, is_v2: bool) -> Result<Shares, RestError> {
        let kind = if is_v2 { "CONDITIONAL-V2" } else { "CONDITIONAL" };
        let signature_type = self.signature_type;
        let query = format!("asset_type={kind}&token_id={token}&signature_type={signature_type}");
        Ok(Shares::new(u64::try_from(self.units(&query)?).unwrap_or(0)))
    }

    /// Open orders of the account.
    ///
    /// # Errors
    /// [`RestError`].
    pub fn orders(&mut self) -> Result<Vec<OpenOrder>, RestError> {
        self.pages("/data/orders", "")
    }

    /// Trades of the account after `after_s` (Unix seconds).
    ///
    /// # Errors
    /// [`RestError`].
    pub fn trades(&mut self, after_s: u64) -> Result<Vec<Trade>, RestError> {
        self.pages("/data/trades", &format!("after={after_s}&"))
    }

    /// An order of ours by its id; `None` where the venue does not know it.
    ///
    /// # Errors
    /// [`RestError`].
    pub fn order(&mut self, id: &Id) -> Result<Option<OrderNews>, RestError> {
        let path = format!("/data/order/{id}");
        match self.private::<Value>("GET", &path, "", None) {
            Ok(row) => private::order(&mut Parser::new(), row.to_string().as_bytes(), *id)
                .map_err(|_| self.form(&path, "it says nothing of that order")),
            Err(RestError { kind: RestErrorKind::Status { status: 404, .. }, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// What taker orders of the account filled after `after_s` (Unix seconds), one row a price of
    /// each trade, exactly as the gate reads them.
    ///
    /// # Errors
    /// [`RestError`].
    pub fn fills(&mut self, after_s: u64) -> Result<Vec<Told>, RestError> {
        let rows: Vec<Value> = self.pages("/data/trades", &format!("after={after_s}&"))?;
        let (mut parser, mut all) = (Parser::new(), Vec::new());
        for row in rows {
            let text = |key: &str| row[key].as_str().unwrap_or_default().to_owned();
            let taker = Id::parse(&text("taker_order_id"));
            let (token, sells, status) = (text("asset_id"), text("side") == "SELL", text("status"));
            let status = status.trim_start_matches("TRADE_STATUS_");
            let is_final = matches!(status, "CONFIRMED" | "FAILED");
            let page = serde_json::json!({ "data": [row] }).to_string();
            let read = private::trades(&mut parser, page.as_bytes(), &mut |news| {
                if Some(news.order) == taker {
                    all.push(Told { news, token: token.clone(), sells, is_final });
                }
            });
            if read != Page::Whole {
                return Err(self.form("/data/trades", "a trade that cannot be read"));
            }
        }
        Ok(all)
    }

    /// A page of open markets of the catalogue, and the cursor of the next one.
    ///
    /// # Errors
    /// [`RestError`].
    pub fn markets(
        &mut self,
        cursor: Option<&str>,
    ) -> Result<(Vec<GammaMarket>, Option<String>), RestError> {
        #[derive(Deserialize)]
        struct Page {
            markets: Vec<GammaReply>,
            next_cursor: Option<String>,
        }
        agent::spend(&self.agent, &mut self.budget, 1);
        let url = format!("{}/markets/keyset", self.gamma);
        let mut query = "closed=false&limit=100".to_owned();
        if let Some(cursor) = cursor {
            query.push_str(&format!("&after_cursor={cursor}"));
        }
        let call = Call { method: "GET", url, query: &query, headers: &[], body: None };
        let page: Page = agent::json(&self.agent, &call)?;
        let markets = page.markets.into_iter().filter_map(GammaReply::market).collect();
        Ok((markets, page.next_cursor.filter(|cursor| !cursor.is_empty())))
    }

    /// A page of a public listing of Gamma, as it is.
    ///
    /// # Errors
    /// [`RestError`].
    pub fn listing(&mut self, path: &str, query: &str) -> Result<Value, RestError> {
        agent::spend(&self.agent, &mut self.budget, 1);
        let url = format!("{}{path}", self.gamma);
        agent::json(&self.agent, &Call { method: "GET", url, query, headers: &[], body: None })
    }

    /// Sends an order: the body of [`exec::sign::order::SignedOrder::push_body`].
    ///
    /// # Errors
    /// [`RestError`]. Without an answer, and after most 5xx, the order may be there all the same:
    /// look it up by its id, which was known before.
    pub fn create(&mut self, body: &[u8]) -> Result<Posted, RestError> {
        self.private("POST", "/order", "", Some(body))
    }

    /// Takes an order back: the body of [`exec::sign::order::write_cancel`].
    ///
    /// # Errors
    /// [`RestError`].
    pub fn cancel(&mut self, body: &[u8]) -> Result<Cancelled, RestError> {
        self.private("DELETE", "/order", "", Some(body))
    }

    /// How much pUSD each contract may take from the wallet, as far as the venue knows.
    ///
    /// # Errors
    /// [`RestError`].
    pub fn allowances(&mut self) -> Result<BTreeMap<Address, Usd>, RestError> {
        let query = format!("asset_type=COLLATERAL&signature_type={}", self.signature_type);
        let reply = self.balance_and_allowances(&query)?;
        let wrong = || self.form("/balance-allowance", "an allowance is no number");
        allowances_of(&reply.allowances).ok_or_else(wrong)
    }

    fn units(&mut self, query: &str) -> Result<i64, RestError> {
        let reply = self.balance_and_allowances(query)?;
        reply.balance.parse().map_err(|_| self.form("/balance-allowance", "balance is no number"))
    }

    fn balance_and_allowances(&mut self, query: &str) -> Result<BalanceReply, RestError> {
        self.private("GET", "/balance-allowance", query, None)
    }

    fn form(&self, path: &str, reason: &str) -> RestError {
        let kind = RestErrorKind::Form(reason.to_owned());
        RestError { method: "GET", url: format!("{}{path}", self.clob), kind }
    }

    fn public<T: DeserializeOwned>(&mut self, path: &str, query: &str) -> Result<T, RestError> {
        agent::spend(&self.agent, &mut self.budget, 1);
        let url = format!("{}{path}", self.clob);
        agent::json(&self.agent, &Call { method: "GET", url, query, headers: &[], body: None })
    }

    fn private<T: DeserializeOwned>(
        &mut self,
        method: &'static str,
        path: &str,
        query: &str,
        body: Option<&[u8]>,
    ) -> Result<T, RestError> {
        let url = format!("{}{path}", self.clob);
        let Some(l2) = &mut self.l2 else {
            return Err(RestError { method, url, kind: RestErrorKind::NoKey(NO_KEY) });
        };
        agent::spend(&self.agent, &mut self.budget, 1);
        let header =
            l2.sign(self.agent.wall().0 / 1_000_000_000, method, path, body.unwrap_or_default());
        agent::json(&self.agent, &Call { method, url, query, headers: header.as_bytes(), body })
    }

    /// All pages of a listing; `query` ends with `&` or is empty.
    fn pages<T: DeserializeOwned>(&mut self, path: &str, query: &str) -> Result<Vec<T>, RestError> {
        #[derive(Deserialize)]
        #[serde(bound = "T: DeserializeOwned")]
        struct Page<T> {
            data: Vec<T>,
            next_cursor: String,
        }
        let mut all = Vec::new();
        let mut cursor = CURSOR_FIRST.to_owned();
        for _ in 0..PAGES_MAX {
            let query = format!("{query}next_cursor={cursor}");
            let page: Page<T> = self.private("GET", path, &query, None)?;
            all.extend(page.data);
            if [CURSOR_LAST, "", cursor.as_str()].contains(&page.next_cursor.as_str()) {
                return Ok(all);
            }
            cursor = page.next_cursor;
        }
        Err(self.form(path, "more than a thousand pages"))
    }
}
