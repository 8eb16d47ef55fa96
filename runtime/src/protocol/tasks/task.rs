//! One task: what became of it so far, and the questions that it waits for.

use std::{
    collections::HashSet,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use rmcp::{model as wire, task_manager::current_timestamp};
use serde_json::Value;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::super::convert;
use crate::{Error, ErrorKind, context::Question};

/// How often clients should ask, in milliseconds.
const POLL_INTERVAL_MS: u64 = 1_000;

pub(in super::super) struct Task {
    pub(super) id: String,
    /// Whose it is; empty where nobody is told from others.
    pub(super) owner: String,
    pub(super) cancelled: CancellationToken,
    started: CancellationToken,
    lifetime: Duration,
    created: Instant,
    created_at: String,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    updated_at: Option<String>,
    message: Option<String>,
    questions: Vec<Open>,
    /// Names of questions serve once.
    keys: HashSet<String>,
    end: Option<wire::TaskPayload>,
    bytes: usize,
}

/// A question without an answer.
struct Open {
    key: String,
    request: wire::InputRequest,
    answer: oneshot::Sender<Value>,
}

impl State {
    fn touch(&mut self) {
        self.updated_at = Some(current_timestamp());
    }
}

impl Task {
    /// `None` without random numbers.
    pub(super) fn new(owner: String, lifetime: Duration, cancelled: CancellationToken) -> Option<Self> {
        let mut random = [0; 16];
        getrandom::fill(&mut random).ok()?;
        Some(Self {
            id: format!("{:032x}", u128::from_be_bytes(random)),
            owner,
            cancelled,
            started: CancellationToken::new(),
            lifetime,
            created: Instant::now(),
            created_at: current_timestamp(),
            state: Mutex::default(),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes it one that clients see.
    pub(super) fn start(&self) {
        self.started.cancel();
    }

    pub(super) fn has_started(&self) -> bool {
        self.started.is_cancelled()
    }

    pub(super) async fn started(&self) {
        self.started.cancelled().await;
    }

    pub(super) fn is_running(&self) -> bool {
        self.state().end.is_none()
    }

    /// The memory that its end takes.
    pub(super) fn bytes(&self) -> usize {
        self.state().bytes
    }

    /// How long it is still kept.
    pub(super) fn remaining(&self) -> Duration {
        self.lifetime.saturating_sub(self.created.elapsed())
    }

    pub(super) fn end(&self, end: wire::TaskPayload) {
        let bytes = match &end {
            wire::TaskPayload::Completed { result } | wire::TaskPayload::Failed { error: result } => {
                serde_json::to_vec(result).map_or(0, |text| text.len())
            }
            _ => 0,
        };
        let mut state = self.state();
        state.end = Some(end);
        state.bytes = bytes;
        state.questions.clear();
        state.touch();
    }

    /// Says how far it is.
    pub(super) fn report(&self, message: String) {
        let mut state = self.state();
        state.message = Some(message);
        state.touch();
    }

    /// Asks the client, and waits until it answers.
    pub(super) async fn ask(&self, key: Option<&str>, question: &Question) -> Result<Value, Error> {
        let request = convert::input_request(question)
            .map_err(|_| Error::internal("The server's question to the client is not well-formed."))?;
        let (answer, answered) = oneshot::channel();
        {
            let mut state = self.state();
            let topic = key.unwrap_or_else(|| question.method.split('/').next().unwrap_or_default());
            let mut name = key.map_or_else(|| format!("{topic}-1"), str::to_owned);
            let mut number = 2;
            while !state.keys.insert(name.clone()) {
                name = format!("{topic}-{number}");
                number += 1;
            }
            state.questions.push(Open { key: name, request, answer });
            state.touch();
        }
        answered.await.map_err(|_| Error::new(ErrorKind::Cancelled, "The task was cancelled."))
    }

    /// Takes answers, those to open questions. What is no object answers nothing.
    pub(in super::super) fn answer(&self, answers: impl IntoIterator<Item = (String, Value)>) {
        let mut state = self.state();
        for (key, answer) in answers {
            let open = state.questions.iter().position(|question| question.key == key);
            if let Some(open) = open.filter(|_| answer.is_object()) {
                // A handler that waits no more misses nothing.
                let _ = state.questions.remove(open).answer.send(answer);
                state.touch();
            }
        }
    }

    pub(in super::super) fn cancel(&self) {
        self.cancelled.cancel();
    }

    /// What a client is told at the start.
    pub(super) fn seed(&self) -> wire::Task {
        self.detailed().task
    }

    /// What a client is told when it asks.
    pub(in super::super) fn detailed(&self) -> wire::DetailedTask {
        let state = self.state();
        let payload = match &state.end {
            Some(end) => end.clone(),
            None if state.questions.is_empty() => wire::TaskPayload::Working,
            None => {
                let mut input_requests = wire::InputRequests::new();
                for question in &state.questions {
                    input_requests.insert(question.key.clone(), question.request.clone());
                }
                wire::TaskPayload::InputRequired { input_requests }
            }
        };
        let updated_at = state.updated_at.as_ref().unwrap_or(&self.created_at);
        let mut task = wire::Task::new(&self.id, payload.status(), &self.created_at, updated_at);
        task.status_message.clone_from(&state.message);
        task.ttl_ms = u64::try_from(self.lifetime.as_millis()).ok();
        task.poll_interval_ms = Some(POLL_INTERVAL_MS);
        wire::DetailedTask::new(task, payload)
    }
}
