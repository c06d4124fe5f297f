//! A connection, what it counts and how it ended: all that stays when its endpoint is closed.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use iroh::{
    TransportAddr,
    endpoint::{self, ConnectionError, LocalTransportAddr, PathId, VarInt},
};
use napi_derive::napi;

use crate::{
    congestion::{Bottleneck, Counting, Filling, KnownPath},
    error::{EngineError, Result},
};

/// The connection itself, until its endpoint is closed.
pub struct Held {
    state: Mutex<State>,
    /// How it ended, once this side has closed it: noq puts the end of its own driver over that.
    ending: Mutex<Option<Ending>>,
    heard: Mutex<Heard>,
    /// The counts of the path that was selected at the last look.
    filling: Mutex<Option<(PathId, Arc<Filling>)>>,
}

/// What has come of the peer, as a look at the counters saw it first.
struct Heard {
    bytes: u64,
    at: Instant,
}

#[derive(Clone)]
struct Ending {
    error: ConnectionError,
    /// What this side said; QUIC does not keep that.
    code: u32,
    reason: String,
}

enum State {
    Open(endpoint::Connection),
    Released {
        error: ConnectionError,
        stats: ConnectionStats,
    },
}

/// How a connection ended.
#[napi(object)]
pub struct CloseReason {
    /// `peer`, `local` or `lost`.
    pub by: String,
    /// The application's error number.
    pub code: f64,
    /// Text for people; hostile when `by` is `peer`.
    pub reason: String,
}

/// Counters of a connection since its start.
#[napi(object)]
#[derive(Clone)]
pub struct ConnectionStats {
    /// The selected path's far address.
    pub remote_address: String,
    /// Whether a relay carries it.
    pub is_relayed: bool,
    /// This side's address on it, without a port.
    pub local_address: String,
    /// Smoothed round-trip time of that path.
    pub rtt_ms: f64,
    /// Bytes a second that it carries; 0 until the controller knows.
    pub rate_bytes_per_second: f64,
    /// What that path may have in flight.
    pub congestion_window_bytes: f64,
    /// What has arrived over that path.
    pub delivered_bytes: f64,
    /// What of it arrived when nothing more was there to be sent.
    pub unfilled_bytes: f64,
    /// QUIC packets lost, on all paths.
    pub lost_packets: f64,
    /// QUIC packets sent, on all paths.
    pub sent_packets: f64,
    /// UDP payload bytes sent, on all paths.
    pub sent_bytes: f64,
    /// UDP payload bytes received, on all paths.
    pub received_bytes: f64,
    /// Time since a look at the counters saw that something had come.
    pub silent_ms: f64,
    /// Largest UDP payload of the selected path.
    pub path_mtu_bytes: f64,
}

impl Held {
    /// Takes a connection whose handshake is done.
    pub fn new(inner: endpoint::Connection) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new(State::Open(inner)),
            ending: Mutex::new(None),
            heard: Mutex::new(Heard {
                bytes: 0,
                at: Instant::now(),
            }),
            filling: Mutex::new(None),
        })
    }

    /// Ends the connection at once; what was said first, here or by the peer, counts.
    pub fn close(&self, code: u32, reason: &str) {
        let Ok(inner) = self.open() else { return };
        let mut ending = self.ending();
        if ending.is_some() {
            return;
        }
        *ending = Some(match inner.close_reason() {
            Some(error) => Ending {
                error,
                code: 0,
                reason: String::new(),
            },
            None => Ending {
                error: ConnectionError::LocallyClosed,
                code,
                reason: reason.to_owned(),
            },
        });
        inner.close(VarInt::from_u32(code), reason.as_bytes());
    }

    /// Lets go of the connection, and with it of the sockets; only how it ended stays known.
    pub fn release(&self) {
        let mut state = self.state();
        if let State::Open(inner) = &*state {
            let error = inner
                .close_reason()
                .unwrap_or(ConnectionError::LocallyClosed);
            let stats = self.count(inner);
            *state = State::Released { error, stats };
        }
    }

    /// Returns the true cause of a failure that noq gave.
    fn cause(&self, error: ConnectionError) -> ConnectionError {
        self.ending()
            .as_ref()
            .map_or(error, |ending| ending.error.clone())
    }

    /// Returns the connection while there is one.
    pub fn open(&self) -> Result<endpoint::Connection> {
        match &*self.state() {
            State::Open(inner) => Ok(inner.clone()),
            State::Released { error, .. } => Err(self.cause(error.clone()).into()),
        }
    }

    /// Returns the counters, the last ones once the connection is gone.
    pub fn stats(&self) -> ConnectionStats {
        match &*self.state() {
            State::Open(inner) => self.count(inner),
            State::Released { stats, .. } => stats.clone(),
        }
    }

    /// Tells the selected path's controller what an earlier connection knew; others than ours do not listen.
    pub fn know_path(&self, path: KnownPath) {
        let Ok(inner) = self.open() else { return };
        let paths = inner.paths();
        let controller = selected(&paths).and_then(|path| controller(&inner, path.id()));
        let inner = controller.map(|controller| controller.parts().1.downcast::<Bottleneck>());
        if let Some(Ok(bottleneck)) = inner {
            bottleneck.know(path);
        }
    }

    /// Returns the counts of a path; asked of the engine once, as each question waits for its lock.
    fn filling(&self, inner: &endpoint::Connection, path: PathId) -> Option<Arc<Filling>> {
        let mut known = self.filling.lock().unwrap_or_else(PoisonError::into_inner);
        if known.as_ref().is_none_or(|(id, _)| *id != path) {
            *known = controller(inner, path).map(|controller| (path, controller.parts().0));
        }
        known.as_ref().map(|(_, filling)| Arc::clone(filling))
    }

    /// Resolves when the connection has ended.
    pub async fn closed(&self) -> CloseReason {
        let inner = match &*self.state() {
            State::Open(inner) => Ok(inner.clone()),
            State::Released { error, .. } => Err(error.clone()),
        };
        let error = match inner {
            Ok(inner) => inner.closed().await,
            Err(error) => error,
        };
        self.reason(error)
    }

    fn reason(&self, error: ConnectionError) -> CloseReason {
        let (by, code, reason) = match self.cause(error) {
            ConnectionError::ApplicationClosed(close) => {
                let reason = String::from_utf8_lossy(&close.reason).into_owned();
                ("peer", close.error_code.into_inner() as f64, reason)
            }
            ConnectionError::LocallyClosed => match self.ending().clone() {
                Some(said) => ("local", said.code.into(), said.reason),
                None => ("local", 0.0, String::new()),
            },
            other => ("lost", 0.0, EngineError::from(other).text()),
        };
        CloseReason {
            by: by.to_owned(),
            code,
            reason,
        }
    }

    /// Gives a failure of noq its true cause.
    pub fn of<T>(&self, result: Result<T, ConnectionError>) -> Result<T> {
        result.map_err(|error| self.cause(error).into())
    }

    fn ending(&self) -> MutexGuard<'_, Option<Ending>> {
        self.ending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count(&self, inner: &endpoint::Connection) -> ConnectionStats {
        let total = inner.stats();
        let paths = inner.paths();
        let path = selected(&paths);
        let on_path = path.as_ref().map(endpoint::Path::stats).unwrap_or_default();
        let filling = path
            .as_ref()
            .and_then(|path| self.filling(inner, path.id()));
        let remote_address = match path.as_ref().map(endpoint::Path::remote_addr) {
            Some(TransportAddr::Ip(address)) => address.to_string(),
            _ => String::new(),
        };
        let local_address = match path.as_ref().map(endpoint::Path::local_addr) {
            Some(LocalTransportAddr::Ip(Some(address))) => address.to_string(),
            _ => String::new(),
        };
        ConnectionStats {
            remote_address,
            is_relayed: path.as_ref().is_some_and(endpoint::Path::is_relay),
            local_address,
            rtt_ms: on_path.rtt.as_secs_f64() * 1000.0,
            rate_bytes_per_second: on_path.bandwidth_estimate.unwrap_or(0) as f64 / 8.0,
            congestion_window_bytes: on_path.cwnd as f64,
            delivered_bytes: filling.as_ref().map_or(0, |counts| counts.delivered()) as f64,
            unfilled_bytes: filling.as_ref().map_or(0, |counts| counts.unfilled()) as f64,
            lost_packets: total.lost_packets as f64,
            sent_packets: total.sent_packets as f64,
            sent_bytes: total.udp_tx.bytes as f64,
            received_bytes: total.udp_rx.bytes as f64,
            silent_ms: self.silent_ms(total.udp_rx.bytes),
            path_mtu_bytes: on_path.current_mtu.into(),
        }
    }

    fn silent_ms(&self, received_bytes: u64) -> f64 {
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if received_bytes > heard.bytes {
            *heard = Heard {
                bytes: received_bytes,
                at: now,
            };
        }
        now.duration_since(heard.at).as_secs_f64() * 1000.0
    }
}

/// Returns a path's controller: the engine gives a copy away, which shares its counts with its original.
fn controller(inner: &endpoint::Connection, path: PathId) -> Option<Counting> {
    let copy = inner.congestion_state(path)?.into_any();
    copy.downcast::<Counting>().ok().map(|counting| *counting)
}

fn selected<'a>(paths: &'a endpoint::PathList<'_>) -> Option<endpoint::Path<'a>> {
    let is_selected = paths.iter().find(endpoint::Path::is_selected);
    is_selected.or_else(|| paths.iter().next())
}
