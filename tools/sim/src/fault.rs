//! Faults by seed and by order of the administrator: which kinds there are, when they strike, and
//! how often they did.
//!
//! A plan arms a kind for a site at chosen moments; it strikes at the first chance after. The same
//! seed and the same calls give the same faults.

use std::collections::{BTreeMap, VecDeque};

use engine::units::{Ns, Venue};
use serde_json::{Map, Value};

use crate::host::{Break, SiteId};
use crate::rng::Rng;
use crate::venue::{ClientId, Outbox, Push, Reply};

/// What can go wrong.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Kind {
    /// A WebSocket is closed.
    Drop,
    /// A WebSocket says nothing for a while, then everything.
    Stall,
    /// A WebSocket says nothing ever again and stays open.
    HalfOpen,
    /// A WebSocket is reset in the middle of a frame.
    Reset,
    /// A request is taken, and neither processed nor answered; its connection stays open.
    Mute,
    /// A book message is lost.
    Gap,
    /// A message is sent twice.
    Duplicate,
    /// Two messages change places.
    Reorder,
    /// A word on an order or a fill comes long after what it tells happened, and after what
    /// happened later.
    Late,
    /// A frame that is no message.
    Garbage,
    /// An answer that takes long.
    Slow,
    /// A request is processed and its answer lost.
    ReplyLost,
    /// A request is processed and answered with a server error.
    FalseError,
    /// A request is processed and answered with success, but without a word of its order.
    Hollow,
    /// Requests are refused as too many, for a while.
    Storm429,
    /// Requests are refused with a server error, for a while.
    Storm5xx,
    /// Makers cancel most of what they offer just before an order comes.
    PartialFill,
    /// Makers cancel all that they offer just before an order comes.
    RejectedLeg,
    /// The venue's clock goes wrong, then right again.
    ClockSkew,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Kind; 19] = [
        Kind::Drop,
        Kind::Stall,
        Kind::HalfOpen,
        Kind::Reset,
        Kind::Mute,
        Kind::Gap,
        Kind::Duplicate,
        Kind::Reorder,
        Kind::Late,
        Kind::Garbage,
        Kind::Slow,
        Kind::ReplyLost,
        Kind::FalseError,
        Kind::Hollow,
        Kind::Storm429,
        Kind::Storm5xx,
        Kind::PartialFill,
        Kind::RejectedLeg,
        Kind::ClockSkew,
    ];

    /// The name in calls of the administrator and in the ledger.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Drop => "drop",
            Kind::Stall => "stall",
            Kind::HalfOpen => "half_open",
            Kind::Reset => "reset_mid_frame",
            Kind::Mute => "mute",
            Kind::Gap => "gap",
            Kind::Duplicate => "duplicate",
            Kind::Reorder => "reorder",
            Kind::Late => "late",
            Kind::Garbage => "garbage",
            Kind::Slow => "slow_reply",
            Kind::ReplyLost => "reply_lost",
            Kind::FalseError => "false_error",
            Kind::Hollow => "hollow_reply",
            Kind::Storm429 => "storm_429",
            Kind::Storm5xx => "storm_5xx",
            Kind::PartialFill => "partial_fill",
            Kind::RejectedLeg => "rejected_leg",
            Kind::ClockSkew => "clock_skew",
        }
    }

    /// The kind of that name.
    pub fn from_name(name: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// How much rarer than the usual kind it is: what costs a connection is repaired slowly.
    const fn rarity(self) -> u64 {
        match self {
            Kind::Gap | Kind::Duplicate | Kind::Reorder | Kind::PartialFill | Kind::Slow => 1,
            Kind::Drop
            | Kind::Late
            | Kind::Garbage
            | Kind::ReplyLost
            | Kind::FalseError
            | Kind::Hollow
            | Kind::RejectedLeg => 2,
            Kind::Stall | Kind::Reset | Kind::Storm429 | Kind::Storm5xx => 3,
            Kind::HalfOpen | Kind::Mute | Kind::ClockSkew => 5,
        }
    }
}

/// How much goes wrong by itself.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Level {
    /// Nothing.
    #[default]
    None,
    /// A usual kind strikes each venue every forty seconds or so.
    Low,
    /// Every eight seconds.
    High,
}

impl Level {
    /// Mean time between two faults of a usual kind at one site.
    const fn mean(self) -> Option<Ns> {
        match self {
            Level::None => None,
            Level::Low => Some(Ns::from_ms(40_000)),
            Level::High => Some(Ns::from_ms(8_000)),
        }
    }
}

/// The largest error of a venue's clock that chance makes. Kalshi takes stamps of plus or minus
/// ten seconds (kalshi.md section 1); what is signed ahead is older than now.
const SKEW_MS_MAX: u64 = 2_000;

/// How far into a message its type is looked for.
const HEAD_LEN: usize = 4_096;

/// What happens to an answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ReplyFault {
    /// It comes that much later.
    Late(Ns),
    /// It never comes; this happens to the connection.
    Lost(Break),
    /// This comes in its place.
    Other(Reply),
}

/// The faults of all sites.
pub struct Faults {
    rng: Rng,
    sites: Vec<SiteFaults>,
}

#[derive(Default)]
struct SiteFaults {
    /// When chance arms a kind next, and its mean time between two of them.
    plan: Vec<(Ns, Kind, Ns)>,
    /// How often a kind strikes at the next chances, and for how long where that matters.
    armed: BTreeMap<Kind, VecDeque<Option<Ns>>>,
    /// Refusals until then.
    storm: Option<(Ns, Kind)>,
    /// A message that waits for the next one to overtake it.
    overtaken: Option<Push>,
    /// Messages that come late, and when.
    late: Vec<(Ns, Push)>,
    counts: BTreeMap<Kind, u64>,
    clock: Clock,
}

/// A venue's clock: it goes wrong and right again by running slow or fast, never backwards.
#[derive(Default)]
struct Clock {
    told: Ns,
    real: Ns,
    offset: i64,
    wanted: i64,
    right_again: Ns,
}

impl SiteFaults {
    fn planned(kinds: &[(Kind, Ns)], now: Ns, rng: &mut Rng) -> SiteFaults {
        let entry = |(kind, mean): &(Kind, Ns)| (next(rng, now, *mean), *kind, *mean);
        SiteFaults { plan: kinds.iter().map(entry).collect(), ..SiteFaults::default() }
    }
}

impl Faults {
    /// Faults of a level at so many sites.
    pub fn new(seed: u64, level: Level, sites: usize, now: Ns) -> Faults {
        let mut rng = Rng::new(seed ^ 0x6661_756c_7473);
        let kinds = level.mean().map_or(Vec::new(), |mean| {
            Kind::ALL.map(|kind| (kind, Ns(mean.0 * kind.rarity()))).to_vec()
        });
        let sites = (0..sites).map(|_| SiteFaults::planned(&kinds, now, &mut rng));
        let sites = sites.collect();
        Faults { rng, sites }
    }

    /// Plans these kinds, each with its mean time between two of them at a site, in place of what
    /// was planned.
    pub fn plan(&mut self, now: Ns, kinds: &[(Kind, Ns)]) {
        for site in &mut self.sites {
            site.plan = SiteFaults::planned(kinds, now, &mut self.rng).plan;
        }
    }

    /// Nothing goes wrong from now on, and clocks become right again.
    pub fn heal(&mut self) {
        for site in &mut self.sites {
            site.plan.clear();
            site.armed.clear();
            site.storm = None;
            (site.clock.wanted, site.clock.right_again) = (0, Ns(u64::MAX));
        }
    }

    /// Makes a kind strike at the next `times` chances; `span` is for how long.
    pub fn arm(&mut self, site: SiteId, kind: Kind, times: u32, span: Option<Ns>) {
        let armed = self.sites[site.0].armed.entry(kind).or_default();
        armed.extend((0..times).map(|_| span));
    }

    /// Sets a venue's clock wrong by so much until it is set again.
    pub fn skew(&mut self, site: SiteId, offset_ns: i64) {
        let site = &mut self.sites[site.0];
        (site.clock.wanted, site.clock.right_again) = (offset_ns, Ns(u64::MAX));
        *site.counts.entry(Kind::ClockSkew).or_default() += 1;
    }

    /// Arms what the plan says, and starts what needs no chance.
    pub fn tick(&mut self, now: Ns) {
        for index in 0..self.sites.len() {
            for entry in 0..self.sites[index].plan.len() {
                let (at, kind, mean) = self.sites[index].plan[entry];
                if at <= now {
                    self.sites[index].plan[entry].0 = next(&mut self.rng, now, mean);
                    let armed = self.sites[index].armed.entry(kind).or_default();
                    if armed.is_empty() {
                        armed.push_back(None); // No chance since the last time: not twice at once.
                    }
                }
            }
        }
        for index in 0..self.sites.len() {
            let site = SiteId(index);
            for kind in [Kind::Storm429, Kind::Storm5xx] {
                if let Some(span) = self.strike(site, kind, (300, 2_000)) {
                    self.sites[index].storm = Some((now.after(span), kind));
                }
            }
            if let Some(span) = self.strike(site, Kind::ClockSkew, (4_000, 12_000)) {
                let size = self.rng.between(100, SKEW_MS_MAX) as i64 * 1_000_000;
                let late = self.rng.chance(1, 2);
                let clock = &mut self.sites[index].clock;
                clock.wanted = if late { -size } else { size };
                clock.right_again = now.after(span);
            }
            let clock = &mut self.sites[index].clock;
            if clock.right_again <= now {
                (clock.wanted, clock.right_again) = (0, Ns(u64::MAX));
            }
        }
    }

    /// When chance does something next.
    pub fn next_due(&self) -> Option<Ns> {
        let of = |site: &SiteFaults| {
            let planned = site.plan.iter().map(|(at, ..)| *at);
            planned.chain(site.late.iter().map(|(at, _)| *at)).min()
        };
        self.sites.iter().filter_map(of).min()
    }

    /// What a venue's clock shows.
    pub fn clock(&mut self, site: SiteId, now: Ns) -> Ns {
        let clock = &mut self.sites[site.0].clock;
        let passed = now.since(clock.real).0;
        clock.real = clock.real.max(now);
        // It gains or loses at most half of the time that passes.
        let most = i64::try_from(passed / 2).unwrap_or(i64::MAX);
        clock.offset += (clock.wanted - clock.offset).clamp(-most, most);
        clock.told = clock.told.max(Ns(now.0.saturating_add_signed(clock.offset)));
        clock.told
    }

    /// When it is really a time of the venue's clock, or somewhat before.
    pub fn real(&self, site: SiteId, told: Ns) -> Ns {
        let clock = &self.sites[site.0].clock;
        Ns(told.0.saturating_add_signed(-clock.offset.max(clock.wanted)))
    }

    /// What happens to a connection in place of an answer, before the venue sees the request.
    pub fn muted(&mut self, site: SiteId) -> Option<Break> {
        self.strike(site, Kind::Mute, (0, 0)).map(|_| Break::Silence)
    }

    /// What happens to one of a site's WebSockets.
    pub fn broken<T: Copy>(&mut self, site: SiteId, now: Ns, open: &[T]) -> Option<(T, Break)> {
        if open.is_empty() {
            return None;
        }
        let how = if self.strike(site, Kind::Drop, (0, 0)).is_some() {
            Break::Drop
        } else if let Some(span) = self.strike(site, Kind::Stall, (200, 4_000)) {
            Break::Stall(now.after(span))
        } else if self.strike(site, Kind::HalfOpen, (0, 0)).is_some() {
            Break::Silence
        } else {
            self.strike(site, Kind::Reset, (0, 0))?;
            Break::ResetMidFrame
        };
        Some((*self.rng.pick(open), how))
    }

    /// How many thousandths of their offers makers keep when this order comes.
    pub fn thinned(&mut self, site: SiteId) -> Option<u64> {
        if self.strike(site, Kind::RejectedLeg, (0, 0)).is_some() {
            return Some(0);
        }
        self.strike(site, Kind::PartialFill, (0, 0)).map(|_| self.rng.between(20, 400))
    }

    /// An answer that stands in front of the venue, which does not see the request.
    pub fn refused(&mut self, site: SiteId, venue: Venue, now: Ns) -> Option<Reply> {
        let (until, kind) = self.sites[site.0].storm?;
        if until <= now {
            self.sites[site.0].storm = None;
            return None;
        }
        Some(match (kind, venue) {
            (Kind::Storm429, Venue::Kalshi) => {
                Reply::json(429, "{\"error\":\"too many requests\"}")
            }
            (Kind::Storm429, Venue::Polymarket) => {
                Reply::json(429, "{\"error\":\"Too Many Requests\"}")
            }
            _ => html(503),
        })
    }

    /// What happens to the answer of a venue that has processed the request.
    pub fn reply(&mut self, site: SiteId) -> Option<ReplyFault> {
        if self.strike(site, Kind::ReplyLost, (0, 0)).is_some() {
            let how = if self.rng.chance(1, 2) { Break::Drop } else { Break::Reset };
            return Some(ReplyFault::Lost(how));
        }
        if self.strike(site, Kind::FalseError, (0, 0)).is_some() {
            return Some(ReplyFault::Other(html(502)));
        }
        if self.strike(site, Kind::Hollow, (0, 0)).is_some() {
            return Some(ReplyFault::Other(Reply::json(200, "{}")));
        }
        self.strike(site, Kind::Slow, (50, 1_500)).map(ReplyFault::Late)
    }

    /// What comes late and is due, behind what goes out anyway.
    pub fn late(&mut self, site: SiteId, now: Ns, outbox: &mut Outbox) {
        let late = &mut self.sites[site.0].late;
        while let Some(at) = late.iter().position(|(at, _)| *at <= now) {
            outbox.pushes.push(late.remove(at).1);
        }
    }

    /// Spoils what a venue pushes: some messages are lost, doubled, late, or change places.
    pub fn pushes(&mut self, site: SiteId, now: Ns, outbox: &mut Outbox, from: usize) {
        let quiet = self.sites[site.0].overtaken.is_none();
        if outbox.pushes.len() == from || (quiet && self.sites[site.0].armed.is_empty()) {
            return;
        }
        for push in outbox.pushes.split_off(from) {
            let late = self.sites[site.0].overtaken.take();
            let Some((client, about)) = data(&push) else {
                outbox.pushes.extend([push].into_iter().chain(late));
                continue;
            };
            if about == About::Book && self.strike(site, Kind::Gap, (0, 0)).is_some() {
                outbox.pushes.extend(late);
                continue;
            }
            if self.strike(site, Kind::Garbage, (0, 0)).is_some() {
                let garbage =
                    ["{\"type\":\"orderbook_delta\",\"sid\":", "\u{0}\u{1}garbage", "[]]", "{}"];
                let text = (*self.rng.pick(&garbage)).to_owned();
                outbox.pushes.push(Push::Text(client, text));
            }
            if self.strike(site, Kind::Duplicate, (0, 0)).is_some() {
                outbox.pushes.push(push.clone());
            }
            if about == About::Other
                && let Some(span) = self.strike(site, Kind::Late, (50, 5_000))
            {
                self.sites[site.0].late.push((now.after(span), push));
                outbox.pushes.extend(late);
                continue;
            }
            if late.is_none() && self.strike(site, Kind::Reorder, (0, 0)).is_some() {
                self.sites[site.0].overtaken = Some(push);
                continue;
            }
            outbox.pushes.extend([push].into_iter().chain(late));
        }
    }

    /// How often each kind struck, by site.
    pub fn ledger(&self, site: SiteId) -> Value {
        let counts = self.sites[site.0].counts.iter();
        let counts = counts.map(|(kind, count)| (kind.name().to_owned(), Value::from(*count)));
        Value::Object(counts.collect::<Map<_, _>>())
    }

    /// Takes a chance: how long the fault lasts, where its kind is armed; milliseconds where
    /// chance decides.
    fn strike(&mut self, site: SiteId, kind: Kind, ms: (u64, u64)) -> Option<Ns> {
        let site = &mut self.sites[site.0];
        let armed = site.armed.get_mut(&kind)?;
        let span = armed.pop_front();
        if armed.is_empty() {
            site.armed.remove(&kind);
        }
        *site.counts.entry(kind).or_default() += 1;
        Some(span?.unwrap_or_else(|| Ns::from_ms(self.rng.between(ms.0, ms.1))))
    }
}

/// When a kind is armed next: between half of its mean time and one and a half of it.
fn next(rng: &mut Rng, now: Ns, Ns(mean): Ns) -> Ns {
    now.after(Ns(rng.between(mean / 2, mean + mean / 2)))
}

/// What a push is about, as far as faults care.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum About {
    Book,
    Other,
}

/// Whose data a text is; nothing for replies to commands, which no network loses alone.
fn data(push: &Push) -> Option<(ClientId, About)> {
    let Push::Text(client, text) = push else { return None };
    let head = &text.as_bytes()[..text.len().min(HEAD_LEN)];
    let has = |word: &&str| head.windows(word.len()).any(|window| window == word.as_bytes());
    // Both `type` and `event_type` end so.
    if ["type\":\"orderbook_delta\"", "type\":\"price_change\""].iter().any(has) {
        return Some((*client, About::Book));
    }
    let others = [
        "type\":\"fill\"",
        "type\":\"user_order\"",
        "type\":\"order\"",
        "type\":\"trade\"",
        "type\":\"ticker\"",
    ];
    others.iter().any(has).then_some((*client, About::Other))
}

/// What a gateway says that stands in front of a venue.
fn html(status: u16) -> Reply {
    let reason = crate::front::http::reason(status);
    let body = format!("<html><head><title>{status} {reason}</title></head></html>");
    Reply { status, headers: Vec::new(), content_type: "text/html", body: body.into_bytes() }
}
