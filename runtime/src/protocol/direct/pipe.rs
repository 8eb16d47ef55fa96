//! The short way over pipes: in front of rmcp's transport, one JSON-RPC message per line.

use std::{
    borrow::Cow,
    collections::HashMap,
    io,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use rmcp::model as wire;
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader, DuplexStream},
    sync::{Mutex as AsyncMutex, Semaphore},
    task::{JoinHandle, JoinSet},
};
use tokio_util::sync::CancellationToken;

use super::{Direct, Era, Plain};

/// The longest line that is looked at, in bytes; longer ones pass through to rmcp, which has a limit of its own.
const LONGEST: usize = 1 << 20;
/// How many requests of a connection may be under way here; more wait unread.
const MOST: usize = 1024;
/// How long a client that does not read can hold up the end of its connection.
const PATIENCE: Duration = Duration::from_secs(5);
/// Between this and rmcp, in bytes.
const BUFFER: usize = 64 * 1024;

/// What the short way leaves over, and where the answers to that go.
type Rest = (DuplexStream, DuplexStream);

/// Puts the short way in front of a pair of pipes.
pub(in super::super) fn pipe(
    direct: Direct,
    input: impl AsyncRead + Send + Unpin + 'static,
    output: impl AsyncWrite + Send + Unpin + 'static,
    stop: &CancellationToken,
) -> (Rest, Keep) {
    let output = Arc::new(AsyncMutex::new(output));
    // Streams that end when the other half is dropped; each is used in one direction.
    let (theirs, rest) = tokio::io::duplex(BUFFER);
    let (answers, ours) = tokio::io::duplex(BUFFER);
    let writing = tokio::spawn(forward(answers, output.clone()));
    let reader = Reader {
        direct,
        output,
        rest,
        stop: stop.clone(),
        running: Running::default(),
        places: Arc::new(Semaphore::new(MOST)),
        tasks: JoinSet::new(),
        version: None,
        initialized: false,
        is_met: false,
    };
    let reading = tokio::spawn(reader.run(input));
    ((theirs, ours), Keep { reading, writing })
}

/// What keeps the pipes going.
pub(in super::super) struct Keep {
    reading: JoinHandle<()>,
    writing: JoinHandle<()>,
}

impl Keep {
    /// Stops reading, and waits until everything that was answered is written, or the client does not read any more.
    pub(in super::super) async fn finish(mut self) {
        self.reading.abort();
        if tokio::time::timeout(PATIENCE, &mut self.writing).await.is_err() {
            self.writing.abort();
        }
    }
}

/// The requests under way, by the text of their id.
#[derive(Clone, Default)]
struct Running(Arc<Mutex<HashMap<Box<str>, CancellationToken>>>);

impl Running {
    fn with<T>(&self, act: impl FnOnce(&mut HashMap<Box<str>, CancellationToken>) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

struct Reader<W> {
    direct: Direct,
    output: Arc<AsyncMutex<W>>,
    rest: DuplexStream,
    stop: CancellationToken,
    running: Running,
    places: Arc<Semaphore>,
    tasks: JoinSet<()>,
    /// The version that `initialize` asked for.
    version: Option<&'static str>,
    /// Whether the handshake of older versions is done.
    initialized: bool,
    /// Whether rmcp has had a request: before the first it takes a notification for a broken client, and hangs up.
    is_met: bool,
}

/// A message that may matter for those that follow.
#[derive(Deserialize)]
struct Note<'a> {
    #[serde(borrow, default)]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    method: Option<Cow<'a, str>>,
    #[serde(borrow)]
    params: Option<NoteParams<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NoteParams<'a> {
    #[serde(borrow, default)]
    request_id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    protocol_version: Option<Cow<'a, str>>,
}

impl<W: AsyncWrite + Send + Unpin + 'static> Reader<W> {
    async fn run(mut self, input: impl AsyncRead + Send + Unpin) {
        if let Err(error) = self.read(BufReader::with_capacity(BUFFER, input)).await {
            tracing::debug!(%error, "the client's end of the pipe broke");
        }
        // What was asked before the client closed its end is still answered.
        while self.tasks.join_next().await.is_some() {}
    }

    async fn read(&mut self, mut input: BufReader<impl AsyncRead + Send + Unpin>) -> io::Result<()> {
        let mut line = Vec::new();
        let mut is_long = false;
        loop {
            let available = input.fill_buf().await?;
            if available.is_empty() {
                // A last message without a line end is rmcp's.
                return self.rest.write_all(&line).await;
            }
            let end = available.iter().position(|byte| *byte == b'\n').map(|index| index + 1);
            let taken = end.unwrap_or(available.len());
            if is_long {
                self.rest.write_all(&available[..taken]).await?;
                is_long = end.is_none();
            } else {
                line.extend_from_slice(&available[..taken]);
                if end.is_some() {
                    self.message(&line).await?;
                    line.clear();
                    line.shrink_to(BUFFER);
                } else if line.len() > LONGEST {
                    self.rest.write_all(&line).await?;
                    line = Vec::new();
                    is_long = true;
                }
            }
            input.consume(taken);
        }
    }

    async fn message(&mut self, line: &[u8]) -> io::Result<()> {
        while self.tasks.try_join_next().is_some() {}
        match Plain::recognise(line).and_then(|plain| self.in_order(plain)) {
            Some(plain) => self.start(plain).await,
            None => {
                let is_notification = self.note(line);
                self.is_met |= !is_notification;
                if self.is_met {
                    self.rest.write_all(line).await?;
                } else {
                    self.direct.notify(line).await;
                }
            }
        }
        Ok(())
    }

    fn in_order(&self, mut plain: Plain) -> Option<Plain> {
        if plain.era == Era::Legacy {
            plain.version = self.version.filter(|_| self.initialized)?;
        }
        self.direct.takes(&plain).then_some(plain)
    }

    /// Takes what matters from a message; says whether it is one that wants no answer.
    fn note(&mut self, line: &[u8]) -> bool {
        let Ok(Note { id, method: Some(method), params }) = serde_json::from_slice::<Note<'_>>(line) else {
            return false;
        };
        match &*method {
            "initialize" => {
                let asked = params.and_then(|params| params.protocol_version);
                let known = wire::ProtocolVersion::KNOWN_VERSIONS.iter().map(wire::ProtocolVersion::as_str);
                let older = known.filter(|version| *version < super::super::MODERN);
                self.version = older.clone().find(|version| asked.as_deref() == Some(version)).or_else(|| older.max());
            }
            "notifications/initialized" => self.initialized = self.version.is_some(),
            "notifications/cancelled" => {
                if let Some(id) = params.and_then(|params| params.request_id)
                    && let Some(token) = self.running.with(|running| running.get(id.get()).cloned())
                {
                    token.cancel();
                }
            }
            _ => {}
        }
        id.is_none()
    }

    async fn start(&mut self, plain: Plain) {
        let Ok(place) = self.places.clone().acquire_owned().await else { return };
        let (direct, output, running) = (self.direct.clone(), self.output.clone(), self.running.clone());
        let cancelled = self.stop.child_token();
        let id: Box<str> = plain.id.get().into();
        running.with(|running| running.insert(id.clone(), cancelled.clone()));
        self.tasks.spawn(async move {
            let answer = direct.answer(plain, None, cancelled.clone()).await;
            running.with(|running| running.remove(&id));
            // Nobody waits for the answer to a request that was cancelled.
            if !cancelled.is_cancelled() {
                let mut output = output.lock().await;
                for piece in &answer.pieces {
                    if output.write_all(piece).await.is_err() {
                        return;
                    }
                }
                if output.write_all(b"\n").await.is_ok() {
                    let _ = output.flush().await;
                }
            }
            drop(place);
        });
    }
}

/// Writes what rmcp answers, a whole line at a time.
async fn forward(answers: DuplexStream, output: Arc<AsyncMutex<impl AsyncWrite + Unpin>>) {
    let mut answers = BufReader::with_capacity(BUFFER, answers);
    let written: io::Result<()> = async {
        while !answers.fill_buf().await?.is_empty() {
            let mut output = output.lock().await;
            loop {
                let available = answers.fill_buf().await?;
                let end = available.iter().position(|byte| *byte == b'\n').map(|index| index + 1);
                let taken = end.unwrap_or(available.len());
                output.write_all(&available[..taken]).await?;
                answers.consume(taken);
                if end.is_some() || taken == 0 {
                    break;
                }
            }
            output.flush().await?;
        }
        Ok(())
    }
    .await;
    if let Err(error) = written {
        tracing::debug!(%error, "the client no longer reads");
    }
}
