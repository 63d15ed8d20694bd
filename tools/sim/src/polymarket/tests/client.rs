//! A client that signs: the other half of what the venue verifies.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use hmac::{Hmac, KeyInit, Mac};
use k256::ecdsa::SigningKey;
use sha2::Sha256;

use super::*;
use crate::polymarket::intake::Intake;

pub struct Trader {
    key: SigningKey,
    pub address: Address,
    pub funder: Address,
    pub kind: u8,
    pub api: Option<ApiKey>,
}

pub fn trader(seed: u8, kind: u8) -> Trader {
    let key = SigningKey::from_slice(&[seed; 32]).unwrap();
    let address = eip712::address_of(key.verifying_key());
    Trader { key, address, funder: if kind == 0 { address } else { [seed; 20] }, kind, api: None }
}

impl Trader {
    pub fn api(&self) -> &ApiKey {
        self.api.as_ref().unwrap()
    }

    pub fn sign(&self, digest: &Word) -> Vec<u8> {
        let (signature, recovery) = self.key.sign_prehash_recoverable(digest);
        let mut bytes = signature.to_bytes().to_vec();
        bytes.push(27 + recovery.to_byte());
        bytes
    }

    /// Through L1, as a client would.
    pub fn log_in(&mut self, venue: &mut Polymarket, now: Ns) {
        let stamp = (now.0 / 1_000_000_000).to_string();
        let digest = eip712::auth_digest(&self.address, &stamp, 0);
        let (address, signature) = (eip712::hex(&self.address), eip712::hex(&self.sign(&digest)));
        let headers = [
            ("POLY_ADDRESS", address.as_str()),
            ("POLY_SIGNATURE", &signature),
            ("POLY_TIMESTAMP", &stamp),
            ("POLY_NONCE", "0"),
        ];
        let mut ask = |method: &str, path: &str| {
            let request = Request { method, path, query: "", headers: &headers, body: b"" };
            let reply = venue.request(now, &request, &mut Outbox::default());
            (reply.status, serde_json::from_slice::<Value>(&reply.body).unwrap())
        };
        assert_eq!(ask("GET", "/auth/derive-api-key").0, 400, "nothing to derive yet");
        let (status, made) = ask("POST", "/auth/api-key");
        assert_eq!(status, 200, "{made}");
        assert_eq!(ask("POST", "/auth/api-key").0, 400, "made already");
        assert_eq!(ask("GET", "/auth/derive-api-key"), (200, made.clone()));
        let key = venue.keys.get(made["apiKey"].as_str().unwrap()).unwrap().clone();
        assert_eq!(key.json(), made);
        self.api = Some(key);
    }

    pub fn hello(&self) -> Value {
        json!({ "type": "user", "auth": self.api().json() })
    }

    /// A signed `POST /order` body; amounts in millionths.
    #[allow(clippy::too_many_arguments)]
    pub fn order(
        &self,
        venue: &Polymarket,
        market: usize,
        token: usize,
        side: &str,
        maker: u64,
        taker: u64,
        kind: &str,
    ) -> Value {
        let zero = format!("0x{}", "0".repeat(64));
        let funder = eip712::hex(&self.funder);
        let signer = if self.kind == 3 { funder.clone() } else { eip712::hex(&self.address) };
        let body = json!({
            "order": {
                "salt": venue.orders.len(),
                "maker": funder, "signer": signer,
                "tokenId": venue.markets[market].spec.tokens[token],
                "makerAmount": maker.to_string(), "takerAmount": taker.to_string(),
                "side": side, "expiration": "0", "signatureType": self.kind,
                "timestamp": "1795000000123", "metadata": zero, "builder": zero,
                "signature": "0x",
            },
            "orderType": kind, "owner": self.api().key, "postOnly": false,
        });
        self.signed(venue, market, body)
    }

    /// The same with another signature, after a change.
    pub fn signed(&self, venue: &Polymarket, market: usize, mut body: Value) -> Value {
        let exchange = venue.markets[market].exchange();
        let order = Intake::read(&body).unwrap().signed;
        let (digest, tail) = order.signing(exchange);
        let signature = [self.sign(&digest), tail].concat();
        body["order"]["signature"] = json!(eip712::hex(&signature));
        body
    }

    pub fn id(&self, venue: &Polymarket, market: usize, body: &Value) -> String {
        let exchange = venue.markets[market].exchange();
        eip712::hex(&Intake::read(body).unwrap().signed.id_for(exchange))
    }

    pub fn send(
        &self,
        venue: &mut Polymarket,
        now: Ns,
        method: &str,
        path: &str,
        body: &Value,
        out: &mut Outbox,
    ) -> (u16, Value) {
        let reply = self.reply(venue, now, method, path, "", body, out);
        (reply.status, serde_json::from_slice(&reply.body).unwrap())
    }

    pub fn get(&self, venue: &mut Polymarket, now: Ns, path: &str, query: &str) -> (u16, Value) {
        let mut out = Outbox::default();
        let reply = self.reply(venue, now, "GET", path, query, &Value::Null, &mut out);
        (reply.status, serde_json::from_slice(&reply.body).unwrap())
    }

    #[allow(clippy::too_many_arguments)]
    pub fn reply(
        &self,
        venue: &mut Polymarket,
        now: Ns,
        method: &str,
        path: &str,
        query: &str,
        body: &Value,
        out: &mut Outbox,
    ) -> Reply {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let stamp = (now.0 / 1_000_000_000).to_string();
        let api = self.api();
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&URL_SAFE.decode(&api.secret).unwrap()).unwrap();
        mac.update(format!("{stamp}{method}{path}{body}").as_bytes());
        let signature = URL_SAFE.encode(mac.finalize().into_bytes());
        let address = eip712::hex(&self.address);
        let headers = [
            ("POLY_ADDRESS", address.as_str()),
            ("POLY_SIGNATURE", &signature),
            ("POLY_TIMESTAMP", &stamp),
            ("POLY_API_KEY", &api.key),
            ("POLY_PASSPHRASE", &api.passphrase),
        ];
        let body = body.as_bytes();
        venue.request(now, &Request { method, path, query, headers: &headers, body }, out)
    }
}
