//! Kalshi's order groups: when too much fills in fifteen seconds the venue itself cancels a group's
//! orders and takes no more (kalshi.md section 4, "Order groups"). One a shard that we trade on.

use engine::units::{Ns, Qty};

use crate::id::Id;
use crate::request::kalshi as request;

/// What could not be done is asked for again after this long.
const AGAIN: Ns = Ns::from_ms(1_000);

/// What the venue says of an order of a group that it stopped.
const REFUSAL: &[u8] = b"ORDER_GROUP_RISK_LIMIT";

/// A shard's group.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Group {
    /// No market of ours is there.
    Unused,
    /// To be made.
    Wanted,
    /// Orders go into it.
    Open(Id),
    /// The venue stopped it: a person must look.
    Triggered(Id),
    /// A person looked: to be opened again.
    Reset(Id),
    /// An order in it met something that is not there: perhaps the group.
    Doubted(Id),
}

/// The groups of all shards.
#[derive(Clone, Debug)]
pub(super) struct Groups {
    contracts: Qty,
    shards: Vec<Group>,
    /// The shard whose request is under way.
    asked: Option<usize>,
    /// The venue stopped one, and nobody was told yet.
    untold: bool,
    due: Ns,
}

impl Groups {
    /// Groups in which no more than so many contracts fill in fifteen seconds, for each of these
    /// of `count` shards; an index beyond is the last.
    pub(super) fn new(contracts: Qty, count: usize, used: impl Iterator<Item = u32>) -> Groups {
        let mut shards = vec![Group::Unused; count];
        for shard in used {
            shards[(shard as usize).min(count - 1)] = Group::Wanted;
        }
        Groups { contracts, shards, asked: None, untold: false, due: Ns(0) }
    }

    fn at(&mut self, shard: u32) -> &mut Group {
        let last = self.shards.len() - 1;
        &mut self.shards[(shard as usize).min(last)]
    }

    /// A market of that shard came.
    pub(super) fn need(&mut self, shard: u32) {
        let group = self.at(shard);
        if *group == Group::Unused {
            *group = Group::Wanted;
        }
    }

    /// The group that orders of a shard go into, where it is there.
    pub(super) fn open(&self, shard: u32) -> Option<Id> {
        match self.shards.get((shard as usize).min(self.shards.len() - 1)) {
            Some(Group::Open(id)) => Some(*id),
            _ => None,
        }
    }

    /// True where every shard that we trade on has its group.
    pub(super) fn stand(&self) -> bool {
        self.shards.iter().all(|group| matches!(group, Group::Unused | Group::Open(_)))
    }

    /// Reads the refusal of an order: the venue may have stopped its group, or somebody may have
    /// deleted it.
    #[cold]
    pub(super) fn refused(&mut self, shard: u32, status: u16, body: &[u8]) {
        let Group::Open(id) = *self.at(shard) else { return };
        if body.windows(REFUSAL.len()).any(|part| part == REFUSAL) {
            self.stopped(id);
        } else if status == 404 {
            *self.at(shard) = Group::Doubted(id);
        }
    }

    /// Somebody deleted that group: a new one is made. One that was stopped waits for a person all
    /// the same.
    pub(super) fn deleted(&mut self, id: Id) {
        for group in &mut self.shards {
            if matches!(*group, Group::Open(it) | Group::Reset(it) | Group::Doubted(it) if it == id)
            {
                *group = Group::Wanted;
            }
        }
    }

    /// The venue stopped that group.
    pub(super) fn stopped(&mut self, id: Id) {
        for group in self.shards.iter_mut().filter(|group| **group == Group::Open(id)) {
            *group = Group::Triggered(id);
            self.untold = true;
        }
    }

    /// True once for each time that the venue stopped one.
    pub(super) fn take_stop(&mut self) -> bool {
        core::mem::take(&mut self.untold)
    }

    /// A person says that trading may go on.
    pub(super) fn arm(&mut self) {
        for group in &mut self.shards {
            if let Group::Triggered(id) = *group {
                *group = Group::Reset(id);
            }
        }
    }

    /// True where something is to be asked of the venue.
    pub(super) fn is_due(&self, now: Ns) -> bool {
        now >= self.due && self.next().is_some()
    }

    fn next(&self) -> Option<usize> {
        self.shards
            .iter()
            .position(|group| matches!(group, Group::Wanted | Group::Reset(_) | Group::Doubted(_)))
    }

    /// Writes path and body of what is to be asked, and says its method.
    pub(super) fn ask(
        &mut self,
        now: Ns,
        path: &mut String,
        body: &mut Vec<u8>,
    ) -> Option<&'static str> {
        let shard = self.next()?;
        self.due = now.after(AGAIN);
        self.asked = Some(shard);
        let its = match self.shards[shard] {
            Group::Reset(id) => Some((id, request::GroupChange::Reset, "PUT")),
            Group::Doubted(id) => Some((id, request::GroupChange::Itself, "GET")),
            Group::Unused | Group::Wanted | Group::Open(_) | Group::Triggered(_) => None,
        };
        if let Some((id, change, method)) = its {
            body.clear();
            request::group_path(id, change, path);
            return Some(method);
        }
        request::group_create(self.contracts, shard as u32, body);
        path.clear();
        path.push_str(request::GROUP_CREATE_PATH);
        Some("POST")
    }

    /// The group that was asked of is not there: a new one is made.
    pub(super) fn missing(&mut self) {
        let Some(shard) = self.asked.take() else { return };
        if let Group::Reset(_) | Group::Doubted(_) = self.shards[shard] {
            self.shards[shard] = Group::Wanted;
        }
    }

    /// What was asked was done; `made` is the id of a new group. What was not done is asked again.
    pub(super) fn done(&mut self, made: Option<Id>) {
        let Some(shard) = self.asked.take() else { return };
        let open = match self.shards[shard] {
            Group::Reset(id) | Group::Doubted(id) => Some(id),
            Group::Wanted => made,
            Group::Unused | Group::Open(_) | Group::Triggered(_) => None,
        };
        if let Some(id) = open {
            self.shards[shard] = Group::Open(id);
            self.due = Ns(0);
        }
    }
}
