//! What the connections and streams of an endpoint share with it.
//!
//! Every one of them holds the endpoint's sockets, and JavaScript frees its handles when it likes.
//! So the endpoint knows them all, and empties them when it closes.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use iroh::endpoint;
use tokio::sync::Semaphore;

use crate::{
    coder::Coders,
    decoder::Decoder,
    encoder::Encoder,
    held::Held,
    home::Home,
    receive_half::{Intake, ReceiveHalf},
    send_half::{SendHalf, Sending},
    stream::Half,
};

/// Everything that was opened by an endpoint, its permits for writing files, and its coders.
pub struct Registry {
    /// Where its network is driven.
    pub home: Home,
    disk: Arc<Semaphore>,
    coders: Arc<Coders>,
    members: Mutex<Members>,
}

#[derive(Default)]
struct Members {
    connections: Vec<Weak<Held>>,
    sending: Vec<Weak<SendHalf>>,
    receiving: Vec<Weak<ReceiveHalf>>,
}

impl Registry {
    /// Starts with so many permits for writing files, and for encoding pieces.
    pub fn new(permits: usize, coders: usize, home: Home) -> Arc<Self> {
        let disk = Arc::new(Semaphore::new(permits.min(Semaphore::MAX_PERMITS)));
        Arc::new(Self {
            home,
            disk,
            coders: Coders::new(coders),
            members: Mutex::default(),
        })
    }

    /// Takes a connection in.
    pub fn connection(&self, inner: endpoint::Connection) -> Arc<Held> {
        let held = Held::new(inner);
        self.enter(|members| add(&mut members.connections, &held));
        held
    }

    /// Takes the sending half of a stream in.
    pub fn send_half(&self, stream: endpoint::SendStream) -> Arc<SendHalf> {
        let encoder = Encoder::new(Arc::clone(&self.coders));
        let half = Half::new(Sending::new(stream), encoder, self.home.clone());
        self.enter(|members| add(&mut members.sending, &half));
        half
    }

    /// Takes the receiving half of a stream in.
    pub fn receive_half(&self, stream: endpoint::RecvStream) -> Arc<ReceiveHalf> {
        let decoder = Decoder::new(Arc::clone(&self.coders));
        let intake = Intake::new(decoder, Arc::clone(&self.disk));
        let half = Half::new(stream, intake, self.home.clone());
        self.enter(|members| add(&mut members.receiving, &half));
        half
    }

    /// Gives up all streams and closes all connections without a word; what is pending on them ends.
    pub fn close_connections(&self) {
        self.enter(|members| {
            for half in members.sending.iter().filter_map(Weak::upgrade) {
                half.give_up();
            }
            for half in members.receiving.iter().filter_map(Weak::upgrade) {
                half.give_up();
            }
            for held in members.connections.iter().filter_map(Weak::upgrade) {
                held.close(0, "");
            }
        });
    }

    /// Empties every handle, once the connections are closed.
    pub async fn release(&self) {
        let members = self.enter(std::mem::take);
        for half in members.sending.iter().filter_map(Weak::upgrade) {
            half.release().await;
        }
        for half in members.receiving.iter().filter_map(Weak::upgrade) {
            half.release().await;
        }
        for held in members.connections.iter().filter_map(Weak::upgrade) {
            held.release();
        }
    }

    fn enter<T>(&self, call: impl FnOnce(&mut Members) -> T) -> T {
        call(&mut self.members.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Adds a member; whenever the list is full, those that are gone make room first.
fn add<T>(list: &mut Vec<Weak<T>>, member: &Arc<T>) {
    if list.len() == list.capacity() {
        list.retain(|weak| weak.strong_count() > 0);
        list.reserve(list.len() + 1);
    }
    list.push(Arc::downgrade(member));
}
