//! One HTTPS client: time-outs, limits, a budget, and errors that name the request.

use std::fs;
use std::path::Path;
use std::sync::{Arc, LazyLock};
use std::thread;
use std::time::{Duration, Instant};

use engine::units::Ns;
use serde::de::DeserializeOwned;
use ureq::http::Request;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};
use zeroize::Zeroizing;

use super::pace::Pace;
use super::{RestError, RestErrorKind, wall};

/// Largest answer: a page of the catalogue takes some megabytes.
const ANSWER_BYTES_MAX: u64 = 32 << 20;

/// How long a connection may take, and a whole exchange.
const CONNECT: Duration = Duration::from_secs(5);
const WHOLE: Duration = Duration::from_secs(15);

/// Explicit, because an edge refused the default of a library (polymarket.md section 1).
const USER_AGENT: &str = concat!("parallax/", env!("CARGO_PKG_VERSION"));

/// An HTTPS client. Copies share their connections.
#[derive(Clone)]
pub struct Agent(ureq::Agent);

/// A request, ready to be sent.
pub struct Call<'c> {
    /// `GET` and its kin.
    pub method: &'static str,
    /// Without a query.
    pub url: String,
    /// What follows the question mark.
    pub query: &'c str,
    /// Lines `name: value`, each with its line end.
    pub headers: &'c [u8],
    /// JSON.
    pub body: Option<&'c [u8]>,
}

/// An answer, whatever its status.
pub struct Answer {
    /// The status.
    pub status: u16,
    /// What the venue's clock shows, as HTTP writes it.
    pub date: Option<String>,
    /// Wiped: it may hold credentials.
    pub body: Zeroizing<Vec<u8>>,
}

/// Whoever carries requests to the venues, with the clock that goes with it: the same clients ask
/// real venues over HTTPS and simulated ones in memory, in simulated time.
pub trait Carrier {
    /// Sends a request and reads the answer.
    ///
    /// # Errors
    /// Where there is no answer.
    fn send(&self, call: &Call<'_>) -> Result<Answer, RestError>;

    /// The wall clock of this host.
    fn wall(&self) -> Ns;

    /// Time that only goes on, since whenever: what budgets run by.
    fn mono(&self) -> Ns;

    /// Waits so long for a budget.
    fn wait(&self, span: Ns);
}

/// Sends a request and reads a success's JSON.
pub(super) fn json<T: DeserializeOwned>(
    carrier: &impl Carrier,
    call: &Call<'_>,
) -> Result<T, RestError> {
    let fail = |kind| RestError { method: call.method, url: call.url.clone(), kind };
    let answer = carrier.send(call)?;
    if !(200..300).contains(&answer.status) {
        return Err(fail(RestErrorKind::status(answer.status, &answer.body)));
    }
    serde_json::from_slice(&answer.body)
        .map_err(|error| fail(RestErrorKind::Form(error.to_string())))
}

impl Agent {
    /// A client that trusts the public authorities, or the certificates of a PEM file alone.
    ///
    /// # Errors
    /// Where the file cannot be read or has no certificate.
    pub fn new(ca_file: Option<&Path>) -> Result<Agent, RestError> {
        let roots = match ca_file {
            None => RootCerts::WebPki,
            Some(path) => RootCerts::Specific(Arc::new(certificates(path)?)),
        };
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = TlsConfig::builder()
            .unversioned_rustls_crypto_provider(provider)
            .root_certs(roots)
            .build();
        let config = ureq::Agent::config_builder()
            .tls_config(tls)
            .https_only(true)
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .no_delay(true)
            .timeout_connect(Some(CONNECT))
            .timeout_global(Some(WHOLE))
            .user_agent(USER_AGENT)
            .build();
        Ok(Agent(config.new_agent()))
    }

    /// Asks anything of anybody who answers in JSON. `headers` are lines with their line ends.
    ///
    /// # Errors
    /// Where there is no answer, no success or no JSON.
    pub fn ask(
        &self,
        method: &'static str,
        url: &str,
        headers: &[u8],
        body: Option<&[u8]>,
    ) -> Result<serde_json::Value, RestError> {
        json(self, &Call { method, url: url.to_owned(), query: "", headers, body })
    }
}

impl Carrier for Agent {
    fn send(&self, call: &Call<'_>) -> Result<Answer, RestError> {
        let fail = |kind| RestError { method: call.method, url: call.url.clone(), kind };
        let uri = match call.query {
            "" => call.url.clone(),
            query => format!("{}?{query}", call.url),
        };
        let mut request = Request::builder().method(call.method).uri(uri);
        let lines = call.headers.split(|b| *b == b'\n').map(<[u8]>::trim_ascii);
        for line in lines.filter(|line| !line.is_empty()) {
            let colon = line.iter().position(|b| *b == b':').unwrap_or(line.len());
            let (name, value) = line.split_at(colon);
            let value = value.get(1..).unwrap_or_default().trim_ascii();
            request = request.header(name, value);
        }
        let wrong = |e: ureq::http::Error| fail(RestErrorKind::SetUp(e.to_string()));
        let sent = match call.body {
            None => self.0.run(request.body(()).map_err(wrong)?),
            Some(body) => {
                let request = request.header("Content-Type", "application/json");
                self.0.run(request.body(body).map_err(wrong)?)
            }
        };
        let lost = |error: ureq::Error| fail(RestErrorKind::NoAnswer(error.to_string()));
        let mut response = sent.map_err(lost)?;
        let date = response.headers().get("date").and_then(|d| d.to_str().ok()).map(str::to_owned);
        let status = response.status().as_u16();
        let body = response.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_vec();
        Ok(Answer { status, date, body: Zeroizing::new(body.map_err(lost)?) })
    }

    fn wall(&self) -> Ns {
        wall()
    }

    fn mono(&self) -> Ns {
        static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);
        Ns(u64::try_from(BEGAN.elapsed().as_nanos()).unwrap_or(u64::MAX))
    }

    fn wait(&self, span: Ns) {
        thread::sleep(Duration::from_nanos(span.0));
    }
}

fn certificates(path: &Path) -> Result<Vec<Certificate<'static>>, RestError> {
    let fail = |reason: String| RestError {
        method: "CA",
        url: path.display().to_string(),
        kind: RestErrorKind::SetUp(reason),
    };
    let pem = fs::read(path).map_err(|error| fail(error.to_string()))?;
    let mut list = Vec::new();
    for item in parse_pem(&pem) {
        if let PemItem::Certificate(certificate) = item.map_err(|e| fail(e.to_string()))? {
            list.push(certificate);
        }
    }
    match list.is_empty() {
        true => Err(fail("holds no certificate".into())),
        false => Ok(list),
    }
}

/// Takes tokens, and waits for them where there are none. A wall clock that is set back does not make
/// it wait.
pub(super) fn spend(carrier: &impl Carrier, pace: &mut Pace, cost: u32) {
    carrier.wait(pace.take(cost, carrier.mono()));
}

/// Unix seconds of an HTTP date such as `Sun, 06 Nov 1994 08:49:37 GMT`.
pub(super) fn http_date_s(text: &str) -> Option<i64> {
    // The one form that servers send is RFC 2822's, with GMT for its zone.
    let rfc = text.strip_suffix(" GMT")?;
    let format = time::format_description::well_known::Rfc2822;
    let date = time::OffsetDateTime::parse(&format!("{rfc} +0000"), &format);
    date.ok().map(time::OffsetDateTime::unix_timestamp)
}

/// Whole milliseconds.
pub(super) fn ms(at: Ns) -> i64 {
    i64::try_from(at.0 / 1_000_000).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    /// A host whose wall clock is set back an hour before each request.
    struct SetBack {
        asked: Cell<u64>,
        waited: Cell<u64>,
    }

    impl Carrier for SetBack {
        fn send(&self, call: &Call<'_>) -> Result<Answer, RestError> {
            unreachable!("{}", call.url)
        }

        fn wall(&self) -> Ns {
            Ns::from_ms(3_600_000 * (1_000 - self.asked.get()))
        }

        fn mono(&self) -> Ns {
            self.asked.set(self.asked.get() + 1);
            Ns::from_ms(100 * self.asked.get())
        }

        fn wait(&self, span: Ns) {
            self.waited.set(self.waited.get() + span.0);
        }
    }

    #[test]
    fn a_clock_that_is_set_back_makes_nobody_wait() {
        let host = SetBack { asked: Cell::new(0), waited: Cell::new(0) };
        let mut pace = Pace::new(10, 2);
        (0..100).for_each(|_| spend(&host, &mut pace, 1));
        assert_eq!(host.waited.get(), 0, "ten a second are asked for, and ten are there");
        let before = host.mono();
        assert!(Agent::new(None).unwrap().mono() <= Agent::new(None).unwrap().mono());
        assert!(host.mono() > before);
    }

    #[test]
    fn dates_of_http() {
        assert_eq!(http_date_s("Sun, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777));
        assert_eq!(http_date_s("Sun Nov  6 08:49:37 1994"), None);
        assert_eq!(http_date_s(""), None);
    }

    #[test]
    fn a_ca_file_must_hold_a_certificate() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ca.pem");
        assert!(Agent::new(Some(&path)).err().unwrap().to_string().contains("ca.pem"));
        std::fs::write(&path, "nothing").unwrap();
        assert!(Agent::new(Some(&path)).err().unwrap().to_string().contains("no certificate"));
        assert!(Agent::new(None).is_ok());
    }
}
