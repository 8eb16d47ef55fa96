//! Multi-round-trip requests (2026-07-28): a handler that asks its client is stopped, the questions go out as the result,
//! and when the client comes back with answers the handler runs again from its start and finds them.
//!
//! So that a handler reads the same in both eras it just awaits the answer. Its questions are counted: the same handler
//! with the same arguments and the same answers asks the same questions in the same order.

use std::{
    collections::BTreeMap,
    future::Future,
    pin::pin,
    sync::{Mutex, PoisonError},
    task::Poll,
};

use serde_json::Value;

use super::{Question, link::Link};
use crate::Error;

/// The answers that a request brought along, and the questions that it raised.
#[derive(Debug, Default)]
pub(crate) struct Rounds(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    answers: BTreeMap<String, Value>,
    asked: usize,
    open: Vec<(String, Question)>,
}

/// Questions under the keys of their answers.
type Questions = Vec<(String, Question)>;

/// What became of a handler.
pub(crate) enum Outcome<T> {
    /// It is done.
    Done(T),
    /// It waits for answers to these questions. The answers that it has are kept for the next round.
    Asks { questions: Questions, answers: BTreeMap<String, Value> },
}

impl Rounds {
    pub(crate) fn new(answers: BTreeMap<String, Value>) -> Self {
        Self(Mutex::new(State { answers, ..State::default() }))
    }

    /// The answer, at once or by a request of its own or in a later run of the handler.
    pub(crate) async fn ask(&self, link: &dyn Link, key: Option<&str>, question: Question) -> Result<Value, Error> {
        if !link.asks_in_result() {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).asked += 1;
            return link.ask(key, question).await;
        }
        let answer = {
            let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            state.asked += 1;
            let key = key.map_or_else(
                || {
                    let topic = question.method.split('/').next().unwrap_or_default();
                    format!("{topic}-{}", state.asked)
                },
                str::to_owned,
            );
            match state.answers.get(&key) {
                Some(answer) => Some(answer.clone()),
                None => {
                    state.open.push((key, question));
                    None
                }
            }
        };
        match answer {
            Some(answer) => Ok(answer),
            // `run` sees the open question and drops this future.
            None => std::future::pending().await,
        }
    }

    /// Whether anything was asked, or answered.
    pub(crate) fn was_interactive(&self) -> bool {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.asked > 0 || !state.answers.is_empty()
    }

    fn take_open(&self) -> Option<(Questions, BTreeMap<String, Value>)> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.open.is_empty() {
            return None;
        }
        Some((std::mem::take(&mut state.open), std::mem::take(&mut state.answers)))
    }
}

/// Runs a handler until it is done or waits for answers that only a later round can bring.
pub(crate) async fn run<T>(rounds: &Rounds, handler: impl Future<Output = T>) -> Outcome<T> {
    let mut handler = pin!(handler);
    std::future::poll_fn(|context| match handler.as_mut().poll(context) {
        Poll::Ready(done) => Poll::Ready(Outcome::Done(done)),
        Poll::Pending => match rounds.take_open() {
            Some((questions, answers)) => Poll::Ready(Outcome::Asks { questions, answers }),
            None => Poll::Pending,
        },
    })
    .await
}
