//! Half of a stream: who may use it at a time, how much has passed, and how it is given up.

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use iroh::endpoint::VarInt;
use tokio::sync::{MappedMutexGuard, Mutex, MutexGuard};
use tokio_util::sync::CancellationToken;

use crate::{
    error::{EngineError, Result},
    home::Home,
    limiter::Chain,
    spent::Spent,
    transport::var_int,
};

/// A stream of the engine, in one direction.
pub trait OneWay: Send + 'static {
    /// Tells the peer that no more comes, or is wanted; nothing once the stream has ended.
    fn abandon(&mut self, number: VarInt);
}

/// Half of a stream, shared by JavaScript's handle and the verb that is under way.
pub struct Half<S, T> {
    /// Empty once the endpoint is closed.
    stream: Mutex<Option<S>>,
    passed: AtomicU64,
    /// What its bytes pass on this side.
    pub limits: Chain,
    given_up: CancellationToken,
    /// Where the time of the verbs goes.
    pub spent: Spent,
    /// What the verbs need beside the stream.
    pub tools: T,
    home: Home,
}

impl<S: OneWay, T: Send + Sync + 'static> Half<S, T> {
    /// Takes a stream that was just opened or accepted.
    pub fn new(stream: S, tools: T, home: Home) -> Arc<Self> {
        Arc::new(Self {
            stream: Mutex::new(Some(stream)),
            passed: AtomicU64::new(0),
            limits: Chain::default(),
            given_up: CancellationToken::new(),
            spent: Spent::default(),
            tools,
            home,
        })
    }

    /// Bytes that the stream took or gave so far; never waits for a verb.
    pub fn passed(&self) -> u64 {
        self.passed.load(Ordering::Relaxed)
    }

    /// Notes bytes that the stream took or gave.
    pub fn note_passed(&self, bytes: usize) {
        self.passed.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Waits for a verb's end or for the stream to be given up.
    ///
    /// A verb that is cut off lets go of the stream, which is then given up by [`Self::abandon`].
    pub async fn unless_given_up<R>(&self, verb: impl Future<Output = Result<R>>) -> Result<R> {
        tokio::select! {
            biased;
            () = self.given_up.cancelled() => Err(EngineError::cancelled("stream")),
            result = verb => result,
        }
    }

    /// Does a verb that moves much, where the connection is driven, unless the stream is given up.
    pub async fn run<R, F>(self: &Arc<Self>, verb: impl FnOnce(Arc<Self>) -> F) -> Result<R>
    where
        R: Send + 'static,
        F: Future<Output = Result<R>> + Send + 'static,
    {
        let half = Arc::clone(self);
        let verb = verb(Arc::clone(self));
        let work = async move { half.unless_given_up(verb).await };
        self.home.run(work).await?
    }

    /// Waits until no verb has the stream, and returns it.
    pub async fn stream(&self) -> Result<MappedMutexGuard<'_, S>> {
        let stream = self.stream.lock().await;
        MutexGuard::try_map(stream, Option::as_mut).map_err(|_| EngineError::cancelled("stream"))
    }

    /// Cuts the verb that is under way off.
    pub fn give_up(&self) {
        self.given_up.cancel();
    }

    /// Lets go of the stream, and with it of the endpoint's sockets.
    pub async fn release(&self) {
        self.give_up();
        self.stream.lock().await.take();
    }

    /// Abandons the stream; the verb that is under way is cut off first.
    pub fn abandon(self: &Arc<Self>, number: f64) -> Result<()> {
        let number = var_int("error number", number)?;
        self.give_up();
        if let Ok(mut stream) = self.stream.try_lock() {
            abandon(&mut stream, number);
            return Ok(());
        }
        let half = Arc::clone(self);
        napi::bindgen_prelude::spawn(async move {
            abandon(&mut *half.stream.lock().await, number);
        });
        Ok(())
    }
}

fn abandon(stream: &mut Option<impl OneWay>, number: VarInt) {
    if let Some(stream) = stream {
        stream.abandon(number);
    }
}
