//! Connecting to the other server, staying connected, and following what it offers.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use super::{
    Remote,
    components::fill,
    line::{Line, State},
};
use crate::{
    engine::{Change, Engine},
    protocol::{Client, Failure},
};

/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(10);
/// How long the start of this server waits for the first attempt.
const START: Duration = Duration::from_secs(5);
/// The pause after a first failure, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(10));
/// Lists are read again after this time, for servers that do not tell of changes.
const REFRESH: Duration = Duration::from_secs(60);
/// The pause before listening for changes again.
const LISTEN_AGAIN: Duration = Duration::from_secs(1);
/// Changes that come within this time are one.
const SETTLE: Duration = Duration::from_millis(50);

/// Stops the connection when it is cancelled.
pub(crate) struct Keeper {
    stop: CancellationToken,
    task: tokio::task::JoinHandle<()>,
}

impl Keeper {
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        let _ = self.task.await;
    }
}

/// Connects to the other server and keeps connected; its components become those of `engine`. Waits for the first
/// attempt to end, so that a server that is there is offered from the start.
pub(crate) async fn keep(remote: Remote, engine: &Arc<Engine>) -> Keeper {
    let stop = CancellationToken::new();
    let (tell, state) = watch::channel(State::Connecting);
    let line = Arc::new(Line { name: remote.name.clone(), state: state.clone(), wake: Arc::new(Notify::new()) });
    let work = Work { remote, engine: Arc::downgrade(engine), tell, line, told: Vec::new(), resources: Vec::new() };
    let task = tokio::spawn(work.run(stop.clone()));
    let mut first = state;
    let _ = tokio::time::timeout(START, first.wait_for(|state| !matches!(state, State::Connecting))).await;
    Keeper { stop, task }
}

struct Work {
    remote: Remote,
    engine: Weak<Engine>,
    tell: watch::Sender<State>,
    line: Arc<Line>,
    /// The lists as they were last, as text.
    told: Vec<String>,
    /// The URIs of the resources.
    resources: Vec<String>,
}

impl Work {
    async fn run(mut self, stop: CancellationToken) {
        let mut pause = PAUSES.0;
        loop {
            let began = tokio::time::Instant::now();
            if self.serve_once(&stop).await {
                pause = PAUSES.0;
            }
            self.tell.send_replace(State::Down);
            if stop.is_cancelled() || self.engine.strong_count() == 0 {
                return;
            }
            // Whoever asks in the meantime makes it shorter, but not a storm of attempts.
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = self.line.wake.notified() => tokio::time::sleep_until(began + PAUSES.0).await,
                () = stop.cancelled() => return,
            }
            pause = (pause * 2).min(PAUSES.1);
            self.tell.send_replace(State::Connecting);
        }
    }

    /// Connects, and follows the other server until it is gone. Says whether it was there.
    async fn serve_once(&mut self, stop: &CancellationToken) -> bool {
        let name = self.remote.name.clone();
        let changed = Arc::new(Notify::new());
        let connected = tokio::time::timeout(CONNECT, Client::connect(&self.remote, changed.clone())).await;
        let (client, connection) = match connected {
            Ok(Ok((client, connection))) => (Arc::new(client), connection),
            Ok(Err(reason)) => {
                tracing::warn!(server = name, reason, "a proxied server cannot be reached");
                return false;
            }
            Err(_) => {
                tracing::warn!(server = name, "a proxied server does not answer");
                return false;
            }
        };
        if !self.refresh(&client).await {
            return false;
        }
        tracing::info!(server = name, "a proxied server is connected");
        self.tell.send_replace(State::Up(client.clone()));
        let listening = {
            let (client, wake) = (client.clone(), self.line.wake.clone());
            let (engine, resources) = (self.engine.clone(), self.resources.clone());
            let updated = move |uri| {
                if let Some(engine) = engine.upgrade() {
                    engine.tell(Change::Resource(uri));
                }
            };
            tokio::spawn(async move {
                // A server that does not tell of changes is looked at from time to time. One that did and stops may be gone.
                while client.listen(&resources, &updated).await {
                    wake.notify_one();
                    tokio::time::sleep(LISTEN_AGAIN).await;
                }
            })
        };
        let end = connection.ending();
        let mut gone = std::pin::pin!(connection.ended());
        loop {
            tokio::select! {
                () = &mut gone => {
                    listening.abort();
                    tracing::warn!(server = name, "a proxied server is gone");
                    return true;
                }
                () = self.line.wake.notified() => {
                    // A request failed. Is it the connection?
                    if !self.refresh(&client).await { break; }
                }
                () = changed.notified() => {
                    tokio::time::sleep(SETTLE).await;
                    if !self.refresh(&client).await { break; }
                }
                () = tokio::time::sleep(REFRESH) => {
                    if !self.refresh(&client).await { break; }
                }
                () = stop.cancelled() => break,
            }
        }
        listening.abort();
        end();
        if tokio::time::timeout(CONNECT, gone).await.is_err() {
            tracing::warn!(server = name, "a proxied server does not let go");
        }
        true
    }

    /// Takes over what the other server offers now.
    async fn refresh(&mut self, client: &Client) -> bool {
        let offers = match tokio::time::timeout(CONNECT, client.offers()).await {
            Ok(Ok(offers)) => offers,
            Ok(Err(Failure::Answered(error))) => {
                tracing::warn!(server = self.remote.name, %error, "a proxied server does not tell what it offers");
                return true;
            }
            Ok(Err(Failure::Broken(reason))) => {
                tracing::warn!(server = self.remote.name, reason, "a proxied server cannot be reached");
                return false;
            }
            Err(_) => return false,
        };
        let Some(engine) = self.engine.upgrade() else { return false };
        let now = vec![
            format!("{:?}", offers.tools),
            format!("{:?}{:?}", offers.resources, offers.templates),
            format!("{:?}", offers.prompts),
        ];
        let lists = [Change::Tools, Change::Resources, Change::Prompts];
        let before = std::mem::take(&mut self.told);
        let changes = lists.into_iter().enumerate().filter(|(index, _)| before.get(*index) != now.get(*index));
        let changes: Vec<Change> = changes.map(|(_, change)| change).collect();
        self.told = now;
        self.resources = offers.resources.iter().map(|info| info.uri.to_string()).collect();
        if !changes.is_empty() {
            let line = &self.line;
            engine.replace(&changes, |builder| fill(builder, offers, line));
        }
        true
    }
}
