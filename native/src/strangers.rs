//! Peers that have dialled and that nobody has admitted yet: how many there may be, and who must wait.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap},
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tokio_util::sync::CancellationToken;

/// How many strangers there may be; see `EndpointOptions` in `engine.ts`.
#[derive(Clone, Copy)]
pub struct StrangerLimits {
    /// Strangers at once.
    pub total: usize,
    /// Strangers at once from one address.
    pub per_address: usize,
    /// Connections of one address that end without being admitted, before it must wait.
    pub failures: u32,
    /// For how long failures count, and how long such an address must wait.
    pub refusal: Duration,
}

/// The strangers of an endpoint.
pub struct Strangers {
    limits: StrangerLimits,
    members: Mutex<Members>,
}

#[derive(Default)]
struct Members {
    next: u64,
    /// In the order of their coming.
    present: BTreeMap<u64, Present>,
    failed: HashMap<Source, Failures>,
}

struct Present {
    source: Source,
    evicted: CancellationToken,
}

#[derive(Clone, Copy)]
struct Failures {
    since: Instant,
    count: u32,
}

/// What is to be done with a peer that dials.
pub enum Verdict {
    /// It is one too many.
    Refuse,
    /// It must show that it hears what is sent to its address.
    Retry,
    /// It may shake hands.
    Enter(Place),
}

/// A stranger's place; free again when it is dropped.
pub struct Place {
    strangers: Arc<Strangers>,
    number: u64,
    source: Source,
    /// Fires when the place is needed for somebody else.
    pub evicted: CancellationToken,
}

impl Strangers {
    /// Starts without any.
    pub fn new(limits: StrangerLimits) -> Arc<Self> {
        Arc::new(Self {
            limits,
            members: Mutex::default(),
        })
    }

    /// Gives a peer a place, if need be that of another stranger.
    ///
    /// That is who has been here for longest of those whose address has most places, so that a crowd
    /// takes them from itself. Nobody can fill the places of an address, or more than half of all, without hearing what is sent there.
    pub fn enter(
        self: &Arc<Self>,
        ip: Option<IpAddr>,
        is_validated: bool,
        now: Instant,
    ) -> Verdict {
        let source = Source::of(ip);
        let limits = &self.limits;
        let mut members = self.members();
        let beside = members.beside(&source);
        if beside >= limits.per_address || members.must_wait(&source, limits, now) {
            return Verdict::Refuse;
        }
        let is_crowded = beside >= limits.per_address / 2;
        if !is_validated && (is_crowded || members.present.len() >= limits.total / 2) {
            return Verdict::Retry;
        }
        while members.present.len() >= limits.total.max(1) {
            let Some(leaving) = members.take_out() else {
                break;
            };
            leaving.evicted.cancel();
        }
        let number = members.next;
        members.next += 1;
        let evicted = CancellationToken::new();
        let present = Present {
            source,
            evicted: evicted.clone(),
        };
        members.present.insert(number, present);
        Verdict::Enter(Place {
            strangers: Arc::clone(self),
            number,
            source,
            evicted,
        })
    }

    fn members(&self) -> MutexGuard<'_, Members> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// Forgets the failures of its address: somebody there was admitted.
    pub fn forgive(&self) {
        self.strangers.members().failed.remove(&self.source);
    }

    /// Notes that the peer shook hands and was not admitted.
    pub fn blame(&self, now: Instant) {
        if self.source == Source::Unknown {
            return;
        }
        let refusal = self.strangers.limits.refusal;
        let failed = &mut self.strangers.members().failed;
        if failed.len() >= MOST_FAILED && !failed.contains_key(&self.source) {
            failed.retain(|_, failures| now - failures.since < refusal);
            if failed.len() >= MOST_FAILED {
                return;
            }
        }
        let start = Failures {
            since: now,
            count: 0,
        };
        let failures = failed.entry(self.source).or_insert(start);
        if now - failures.since >= refusal {
            *failures = start;
        }
        failures.count += 1;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.strangers.members().present.remove(&self.number);
    }
}

impl Members {
    /// Strangers of one address; those without one are not counted.
    fn beside(&self, source: &Source) -> usize {
        let is_beside =
            |present: &&Present| present.source == *source && present.source != Source::Unknown;
        self.present.values().filter(is_beside).count()
    }

    /// Takes out the oldest one of the address that has most.
    fn take_out(&mut self) -> Option<Present> {
        let mut places = HashMap::<Source, usize>::new();
        for present in self.present.values() {
            *places.entry(present.source).or_default() += 1;
        }
        let rank = |(number, present): &(&u64, &Present)| {
            (places.get(&present.source).copied(), Reverse(**number))
        };
        let (&number, _) = self.present.iter().max_by_key(rank)?;
        self.present.remove(&number)
    }

    fn must_wait(&self, source: &Source, limits: &StrangerLimits, now: Instant) -> bool {
        self.failed.get(source).is_some_and(|failures| {
            failures.count >= limits.failures && now - failures.since < limits.refusal
        })
    }
}

/// Where a peer comes from, as far as that says who it is.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Source {
    V4([u8; 4]),
    /// One customer has a whole /64.
    V6([u16; 4]),
    Unknown,
}

impl Source {
    fn of(ip: Option<IpAddr>) -> Self {
        match ip.map(|ip| ip.to_canonical()) {
            Some(IpAddr::V4(ip)) => Self::V4(ip.octets()),
            Some(IpAddr::V6(ip)) => {
                let [a, b, c, d, ..] = Ipv6Addr::segments(&ip);
                Self::V6([a, b, c, d])
            }
            None => Self::Unknown,
        }
    }
}

/// Addresses whose failures are remembered, at most.
const MOST_FAILED: usize = 4096;

#[cfg(test)]
mod tests;
