//! Calls that outlive their request: the extension `io.modelcontextprotocol/tasks` of 2026-07-28 (SEP-2663).
//!
//! Tasks live in the process that began them, as long as they said, and belong to the principal that called.

mod link;
mod task;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use rmcp::{ErrorData, RoleServer, model as wire, service::RequestContext};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use self::{link::TaskLink, task::Task};
use super::{Protocol, asks, convert, mismatch};
use crate::{
    Error, ErrorKind,
    component::CallTerms,
    context::{Context, Outcome, Rounds},
    message::{Request, Response},
};

/// How many tasks are kept, running or done.
const MOST: usize = 1_000;

/// How many bytes the results that wait for their clients may take.
const MOST_BYTES: usize = if cfg!(test) { 8 << 20 } else { 256 << 20 };

/// How long an end can be seen at least.
const GRACE: Duration = Duration::from_secs(60);

/// The tasks of a server.
#[derive(Default)]
pub(crate) struct Tasks {
    kept: Mutex<HashMap<String, Arc<Task>>>,
    stop: CancellationToken,
}

impl Tasks {
    /// Ends all tasks.
    pub(crate) fn stop(&self) {
        self.stop.cancel();
        self.lock().clear();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Arc<Task>>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for a task, which nobody sees until it starts; `None` when there are too many.
    fn prepare(&self, owner: String, lifetime: Duration) -> Option<Arc<Task>> {
        let mut kept = self.lock();
        let bytes: usize = kept.values().map(|task| task.bytes()).sum();
        let of_owner = kept.values().filter(|task| task.owner == owner).count();
        // Nobody who can be told from others takes the last half of the places.
        let share = if owner.is_empty() { MOST } else { MOST / 2 };
        if kept.len() >= MOST || of_owner >= share || bytes >= MOST_BYTES {
            return None;
        }
        let task = Arc::new(Task::new(owner, lifetime, self.stop.child_token())?);
        kept.insert(task.id.clone(), task.clone());
        Some(task)
    }

    /// A task that has started, for its owner.
    fn find(&self, id: &str, owner: &str) -> Result<Arc<Task>, ErrorData> {
        let task = self.lock().get(id).filter(|task| task.owner == owner && task.has_started()).cloned();
        task.ok_or_else(|| ErrorData::invalid_params("There is no such task, or no more.", None))
    }

    fn forget(&self, id: &str) {
        self.lock().remove(id);
    }
}

/// Frees the place of a call that came to its end without becoming a task.
struct Place {
    tasks: Arc<Tasks>,
    task: Arc<Task>,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.task.cancelled.cancel();
        self.tasks.forget(&self.task.id);
    }
}

/// A client that does not know tasks called what is only done as one.
pub(super) fn required() -> ErrorData {
    ErrorData::missing_required_client_capability(wire::ClientCapabilities::builder().enable_tasks().build())
}

fn overloaded() -> ErrorData {
    convert::error(Error::new(ErrorKind::Overloaded, "The server has too many tasks. Try again later."))
}

impl Protocol {
    /// Calls a tool for a client that knows tasks.
    pub(super) async fn call_as_task(
        &self,
        cx: RequestContext<RoleServer>,
        request: Request,
        terms: CallTerms,
        round: super::Round,
    ) -> Result<wire::CallToolResponse, ErrorData> {
        let tasks = self.shared.tasks.clone();
        let task = tasks.prepare(round.owner, terms.task_lifetime).ok_or_else(overloaded)?;
        let place = Place { tasks, task: task.clone() };
        let gone = cx.ct.clone();
        let link = TaskLink::new(self.link(cx), task.clone());
        if !terms.starts_task {
            task.start();
        }
        let context =
            Context::new(Arc::new(link), task.cancelled.clone(), self.engine.clone(), Rounds::new(round.answers));
        let limit = terms.timeout.map_or(terms.task_lifetime, |timeout| timeout.min(terms.task_lifetime));
        let engine = self.engine.clone();
        let mut call = Box::pin(async move { engine.unhurried(&context, request, limit).await });
        let before_start = self.engine.time_limit(terms.timeout);

        let ended = tokio::select! {
            biased;
            outcome = &mut call => Some(outcome),
            () = task.started() => None,
            () = gone.cancelled() => return Err(convert::error(Error::new(ErrorKind::Cancelled, "The request was cancelled."))),
            () = tokio::time::sleep(before_start) => {
                let message = format!("The request took longer than {} s and was given up.", before_start.as_secs_f64());
                return convert::tool_error(Error::new(ErrorKind::TimedOut, message)).map(Into::into);
            }
        };
        let handle = match ended {
            Some(outcome) if !task.has_started() => {
                return match outcome {
                    Outcome::Done(Ok(Response::Tool(result))) => Ok(convert::tool_result(result)?.into()),
                    Outcome::Done(Ok(_)) => Err(mismatch()),
                    Outcome::Done(Err(error)) => convert::tool_error(error).map(Into::into),
                    Outcome::Asks { questions, answers } => {
                        asks(&self.shared.seal, questions, &answers, &round.binding).map(Into::into)
                    }
                };
            }
            Some(outcome) => {
                task.end(ending(outcome, &task));
                task.seed()
            }
            None => task.seed(),
        };
        tokio::spawn(async move {
            if task.is_running() {
                let outcome = call.as_mut().await;
                task.end(ending(outcome, &task));
            }
            // What the handler held is let go of now, not when the task is forgotten.
            drop(call);
            tokio::select! {
                () = tokio::time::sleep(task.remaining().max(GRACE)) => {}
                () = place.tasks.stop.cancelled() => {}
            }
            drop(place);
        });
        Ok(wire::CreateTaskResult::new(handle).into())
    }

    pub(super) fn task_of(&self, cx: &RequestContext<RoleServer>, id: &str) -> Result<Arc<Task>, ErrorData> {
        self.shared.tasks.find(id, &super::owner(cx))
    }
}

/// What clients see of how a call ended: what the model should know is a result, what went wrong with the server is a
/// failure.
fn ending(outcome: Outcome<Result<Response, Error>>, task: &Task) -> wire::TaskPayload {
    let failed = |error: ErrorData| {
        let error = serde_json::to_value(error).ok().and_then(|error| error.as_object().cloned());
        wire::TaskPayload::Failed { error: error.unwrap_or_default() }
    };
    let result = match outcome {
        Outcome::Done(Ok(Response::Tool(result))) => convert::tool_result(result),
        Outcome::Done(Err(error)) if error.kind == ErrorKind::Cancelled && task.cancelled.is_cancelled() => {
            return wire::TaskPayload::Cancelled;
        }
        Outcome::Done(Err(error)) if matches!(error.kind, ErrorKind::Internal | ErrorKind::TimedOut) => {
            return failed(convert::error(error));
        }
        Outcome::Done(Err(error)) => convert::tool_error(error),
        Outcome::Done(Ok(_)) | Outcome::Asks { .. } => Err(mismatch()),
    };
    let object = result.and_then(|result| match serde_json::to_value(result) {
        Ok(Value::Object(object)) => Ok(object),
        _ => Err(mismatch()),
    });
    object.map_or_else(failed, |result| wire::TaskPayload::Completed { result })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prepared(tasks: &Tasks, owner: &str) -> Option<Arc<Task>> {
        tasks.prepare(owner.to_owned(), Duration::from_secs(60))
    }

    #[test]
    fn a_task_is_there_for_its_owner_alone_and_once_it_has_started() {
        let tasks = Tasks::default();
        let task = prepared(&tasks, "ada").expect("a place");
        assert!(tasks.find(&task.id, "ada").is_err());
        task.start();
        assert!(tasks.find(&task.id, "ada").is_ok());
        for other in ["", "bob"] {
            assert!(tasks.find(&task.id, other).is_err());
        }
    }

    #[test]
    fn one_principal_leaves_room_for_others() {
        let tasks = Tasks::default();
        let begun = (0..MOST).filter(|_| prepared(&tasks, "ada").is_some()).count();
        assert_eq!(begun, MOST / 2);
        assert!(prepared(&tasks, "bob").is_some());
    }

    #[test]
    fn results_that_nobody_fetches_take_bounded_memory() {
        let tasks = Tasks::default();
        let mut begun = 0;
        while let Some(task) = prepared(&tasks, "") {
            let result = serde_json::Map::from_iter([("text".to_owned(), "x".repeat(1 << 20).into())]);
            task.end(wire::TaskPayload::Completed { result });
            begun += 1;
        }
        assert_eq!(begun, 8);
    }
}
