//! The simulated venues in a process of their own, as a demonstration needs them: started, asked,
//! and ended with it. Where the demonstration dies they live on for a while, and the next one finds
//! them as they are.

use std::io::{self, BufRead, BufReader};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::config::{self, Config, Simulated, Variables};
use crate::rest::{Agent, RestError};
use crate::sim_command::FaultLevel;

/// How long the venues may take to end and write their last ledger.
const END: Duration = Duration::from_secs(10);

/// How often living venues are asked whether they are those of a folder.
const FIND_TRIES: usize = 3;

/// Why the simulated venues cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ChildError {
    /// The process did not start or did not tell its ports.
    #[error("the simulated venues did not start: {0}")]
    Start(String),
    /// A call failed.
    #[error("the simulated venues: {0}")]
    Call(#[from] RestError),
}

/// What the simulated venues are to be.
#[derive(Clone, Debug)]
pub struct Wanted<'a> {
    /// Their folder.
    pub dir: &'a Path,
    /// Go on with what is in the folder.
    pub resume: bool,
    /// Chooses the markets and how they move.
    pub seed: u64,
    /// How much goes wrong by itself.
    pub faults: FaultLevel,
    /// Arbitrages that open a minute.
    pub arb_per_minute: u32,
    /// Microseconds for which they spin after work.
    pub spin_us: u64,
}

/// The file whose lock keeps the venues alive: the engine that trades with them holds it.
pub const LOCKED: &str = sim::accounts::KALSHI_FILE;

/// The running venues.
pub struct Venues {
    /// The process, where this one started it.
    child: Option<Child>,
    ready: Value,
    dir: PathBuf,
}

impl Venues {
    /// Starts both venues, and returns when they listen.
    ///
    /// # Errors
    /// [`ChildError::Start`]
    pub fn start(wanted: &Wanted<'_>) -> Result<Venues, ChildError> {
        let failed = |error: io::Error| ChildError::Start(error.to_string());
        let program = std::env::current_exe().map_err(failed)?;
        let mut command = Command::new(program);
        command.args(["sim", "both", "--port", "0", "--faults", wanted.faults.name()]);
        command.arg("--while-locked").arg(wanted.dir.join(LOCKED));
        if wanted.resume {
            command.arg("--resume").arg(wanted.dir);
        } else {
            command.arg("--dir").arg(wanted.dir).args(["--seed", &wanted.seed.to_string()]);
        }
        command.args(["--arb-per-minute", &wanted.arb_per_minute.to_string()]);
        command.args(["--spin", &wanted.spin_us.to_string()]);
        let mut child = command
            .process_group(0) // Ctrl-C is for us: the venues must outlive the settlement.
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .map_err(failed)?;
        let mut line = String::new();
        let read = match child.stdout.take() {
            Some(stdout) => BufReader::new(stdout).read_line(&mut line),
            None => Ok(0),
        };
        let ready = match read {
            Ok(_) => serde_json::from_str(&line)
                .map_err(|_| ChildError::Start(format!("their first line is `{}`", line.trim()))),
            Err(error) => Err(failed(error)),
        };
        let mut venues =
            Venues { child: Some(child), ready: Value::Null, dir: wanted.dir.to_owned() };
        // On an error the venues are ended by being dropped.
        venues.ready = ready?;
        Ok(venues)
    }

    /// The venues of a folder that outlived who started them; `None` where there are none.
    pub fn find(dir: &Path) -> Option<Venues> {
        let text = std::fs::read_to_string(dir.join("sim.json")).ok()?;
        let ready: Value = serde_json::from_str(&text).ok()?;
        let mut venues = Venues { child: None, ready, dir: dir.to_owned() };
        if venues.are_gone() {
            return None;
        }
        // The number of a process may be another's by now: only the venues know their token.
        let config = venues.config().ok()?;
        let agent = Agent::new(config.ca_file.as_deref()).ok()?;
        (0..FIND_TRIES).any(|_| venues.ledgers(&agent).is_ok()).then_some(venues)
    }

    /// The folder with their keys, addresses and pairs.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// What they said when they were ready.
    pub fn ready(&self) -> &Value {
        &self.ready
    }

    /// The configuration that trades with these venues, also written into their folder.
    ///
    /// # Errors
    /// Where it cannot be written or what the venues said does not make one.
    pub fn config(&self) -> Result<Config, ChildError> {
        let number = |venue: &str, key: &str| self.ready[venue][key].as_u64().unwrap_or_default();
        let text = |venue: &str, key: &str| self.ready[venue][key].as_str().unwrap_or_default();
        // Ports and types fit: the venues said them.
        let port = |venue: &str| u16::try_from(number(venue, "port")).unwrap_or_default();
        let toml = Simulated {
            kalshi_port: port("kalshi"),
            polymarket_port: port("polymarket"),
            key_id: text("kalshi", "key_id"),
            funder: text("polymarket", "funder"),
            signature_type: u8::try_from(number("polymarket", "signature_type"))
                .unwrap_or_default(),
        }
        .toml();
        let path = self.dir.join("parallax.toml");
        std::fs::write(&path, &toml)
            .map_err(|error| ChildError::Start(format!("{}: {error}", path.display())))?;
        config::parse(&toml, &path, &Variables::default(), None)
            .map_err(|error| ChildError::Start(error.to_string()))
    }

    /// The ledgers of both venues.
    ///
    /// # Errors
    /// [`ChildError::Call`]
    pub fn ledgers(&self, agent: &Agent) -> Result<Ledgers, ChildError> {
        let all = self.call(agent, "GET", "ledger", None)?;
        let of = |name: &str| all["venues"][name].clone();
        let (kalshi, polymarket) = (of("kalshi"), of("polymarket"));
        Ok(Ledgers { kalshi, polymarket, all })
    }

    /// Settles every market by its fair value.
    ///
    /// # Errors
    /// [`ChildError::Call`]
    pub fn settle_all(&self, agent: &Agent) -> Result<(), ChildError> {
        self.call(agent, "POST", "settle-all", Some(&json!({})))?;
        Ok(())
    }

    /// Lists one more market on both venues; the name of its pair.
    ///
    /// # Errors
    /// [`ChildError::Call`]
    pub fn list(&self, agent: &Agent) -> Result<String, ChildError> {
        let said = self.call(agent, "POST", "list", Some(&json!({})))?;
        Ok(said["market"]["pair"].as_str().unwrap_or_default().to_owned())
    }

    /// Opens an arbitrage of `edge_micro_usd` a contract.
    ///
    /// # Errors
    /// [`ChildError::Call`]
    pub fn inject(
        &self,
        agent: &Agent,
        pair: &str,
        direction: &str,
        edge_micro_usd: i64,
    ) -> Result<(), ChildError> {
        let pair = pair.parse::<u64>().map_or_else(|_| json!(pair), |number| json!(number));
        let body =
            json!({ "pair": pair, "direction": direction, "edge_micro_usd": edge_micro_usd });
        self.call(agent, "POST", "inject", Some(&body))?;
        Ok(())
    }

    fn call(
        &self,
        agent: &Agent,
        method: &'static str,
        what: &str,
        body: Option<&Value>,
    ) -> Result<Value, ChildError> {
        let port = self.ready["kalshi"]["port"].as_u64().unwrap_or_default();
        let token = self.ready["admin_token"].as_str().unwrap_or_default();
        let headers = format!("x-sim-token: {token}\r\n");
        let url = format!("https://localhost:{port}/sim/{what}");
        let body = body.map(Value::to_string);
        Ok(agent.ask(method, &url, headers.as_bytes(), body.as_deref().map(str::as_bytes))?)
    }

    /// True where they are gone, though nobody asked them to.
    pub fn are_gone(&mut self) -> bool {
        match &mut self.child {
            Some(child) => !matches!(child.try_wait(), Ok(None)),
            None => !self.ready["pid"].as_u64().is_some_and(is_alive),
        }
    }

    /// Asks the venues to end, and waits until they have written their last ledger.
    ///
    /// # Errors
    /// [`ChildError::Start`] where they do not end.
    pub fn end(mut self, agent: &Agent) -> Result<(), ChildError> {
        // They may be gone before their answer is here; what counts is that they end.
        let asked = self.call(agent, "POST", "end", Some(&json!({})));
        let began = Instant::now();
        while !self.are_gone() {
            if began.elapsed() >= END {
                asked?;
                return Err(ChildError::Start("they do not end".to_owned()));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        match self.child.as_mut().map(Child::wait).transpose() {
            Ok(Some(status)) if !status.success() => {
                Err(ChildError::Start(format!("they ended with {status}")))
            }
            Ok(_) => Ok(()),
            Err(error) => Err(ChildError::Start(error.to_string())),
        }
    }
}

impl Drop for Venues {
    /// Whatever happened, no process that this one started stays behind.
    fn drop(&mut self) {
        if let Some(child) = &mut self.child
            && matches!(child.try_wait(), Ok(None))
        {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// True while a process runs; one that ended and that nobody waited for does not.
fn is_alive(pid: u64) -> bool {
    // The state follows the name, which stands in parentheses and may hold anything.
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat.rsplit(')').next().and_then(|rest| rest.trim_start().chars().next());
    state.is_some_and(|state| !matches!(state, 'Z' | 'X'))
}

/// What the venues say of every account.
pub struct Ledgers {
    /// Kalshi's.
    pub kalshi: Value,
    /// Polymarket's.
    pub polymarket: Value,
    /// All of it, faults included.
    pub all: Value,
}
