//! JSON-RPC over a pipe in memory, the client's side.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream, WriteHalf},
    sync::{Notify, oneshot},
};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::RpcError;
use crate::server::Running;

pub(super) type Answers = Box<dyn Fn(&str, &Value) -> Result<Value, RpcError> + Send + Sync>;

pub(super) struct Pipe {
    shared: Arc<Shared>,
    next: AtomicI64,
    _stop: DropGuard,
}

struct Shared {
    writer: tokio::sync::Mutex<WriteHalf<DuplexStream>>,
    waiting: Mutex<HashMap<i64, oneshot::Sender<Value>>>,
    notifications: Mutex<Vec<Value>>,
    arrived: Notify,
    answers: Answers,
}

impl Pipe {
    pub(super) fn open(running: Running, answers: Answers) -> Self {
        let (client, server) = tokio::io::duplex(1 << 16);
        let (input, output) = tokio::io::split(server);
        let (reader, writer) = tokio::io::split(client);
        let stop = CancellationToken::new();
        let stopping = stop.clone();
        tokio::spawn(async move {
            if let Err(error) = running.serve_pipe(input, output, stopping).await {
                tracing::debug!(%error, "the pipe broke");
            }
            running.stop().await;
        });
        let shared = Arc::new(Shared {
            writer: tokio::sync::Mutex::new(writer),
            waiting: Mutex::default(),
            notifications: Mutex::default(),
            arrived: Notify::new(),
            answers,
        });
        let receiving = shared.clone();
        tokio::spawn(async move {
            let mut lines = BufReader::new(reader).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                if let Ok(message) = serde_json::from_str::<Value>(&line) {
                    receiving.receive(message).await;
                }
            }
            // Nobody will answer any more.
            receiving.waiting.lock().unwrap_or_else(PoisonError::into_inner).clear();
        });
        Self { shared, next: AtomicI64::new(1), _stop: stop.drop_guard() }
    }

    pub(super) async fn request(&self, method: &str, params: Value) -> Result<Value, RpcError> {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let (sender, receiver) = oneshot::channel();
        self.shared.waiting.lock().unwrap_or_else(PoisonError::into_inner).insert(id, sender);
        self.send(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params})).await;
        let Ok(mut answer) = receiver.await else {
            return Err(RpcError { code: -32000, message: "the connection is closed".to_owned(), data: None });
        };
        match answer.get_mut("error").map(Value::take) {
            None => Ok(answer.get_mut("result").map(Value::take).unwrap_or_default()),
            Some(error) => Err(RpcError {
                code: error.get("code").and_then(Value::as_i64).unwrap_or_default(),
                message: error.get("message").and_then(Value::as_str).unwrap_or_default().to_owned(),
                data: error.get("data").cloned(),
            }),
        }
    }

    pub(super) async fn send(&self, message: &Value) {
        self.shared.send_line(&message.to_string()).await;
    }

    pub(super) async fn send_line(&self, line: &str) {
        self.shared.send_line(line).await;
    }

    pub(super) fn answer(&self, method: &str, params: &Value) -> Result<Value, RpcError> {
        (self.shared.answers)(method, params)
    }

    pub(super) fn take_notifications(&self) -> Vec<Value> {
        std::mem::take(&mut *self.shared.notifications.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) async fn notification(&self, method: &str) -> Value {
        loop {
            let arrived = self.shared.arrived.notified();
            {
                let mut all = self.shared.notifications.lock().unwrap_or_else(PoisonError::into_inner);
                let found = all.iter().position(|told| told.get("method").is_some_and(|told| told == method));
                if let Some(found) = found {
                    return all.remove(found);
                }
            }
            arrived.await;
        }
    }
}

impl Shared {
    /// A closed connection shows when an answer is waited for.
    async fn send_line(&self, line: &str) {
        let mut writer = self.writer.lock().await;
        let _ = writer.write_all(line.as_bytes()).await;
        let _ = writer.write_all(b"\n").await;
        let _ = writer.flush().await;
    }

    async fn receive(&self, message: Value) {
        let id = message.get("id").cloned();
        match (message.get("method").and_then(Value::as_str), id) {
            (Some(method), Some(id)) => {
                let params = message.get("params").unwrap_or(&Value::Null);
                let answer = match (self.answers)(method, params) {
                    Ok(result) => json!({"jsonrpc": "2.0", "id": id, "result": result}),
                    Err(error) => {
                        json!({"jsonrpc": "2.0", "id": id, "error": {"code": error.code, "message": error.message}})
                    }
                };
                self.send_line(&answer.to_string()).await;
            }
            (Some(_), None) => {
                self.notifications.lock().unwrap_or_else(PoisonError::into_inner).push(message);
                self.arrived.notify_waiters();
            }
            (None, id) => {
                let waiting = id.and_then(|id| {
                    let id = id.as_i64()?;
                    self.waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(&id)
                });
                match waiting {
                    // A test that gave up does not hear.
                    Some(waiting) => drop(waiting.send(message)),
                    None => {
                        self.notifications.lock().unwrap_or_else(PoisonError::into_inner).push(message);
                        self.arrived.notify_waiters();
                    }
                }
            }
        }
    }
}
