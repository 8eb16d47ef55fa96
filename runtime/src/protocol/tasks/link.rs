//! The way back to a client whose call is a task, or may become one.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use serde_json::{Map, Value};

use super::{super::link::RequestLink, task::Task};
use crate::{
    Error,
    context::{ClientCapabilities, ClientInfo, Link, Question},
    message::LogLevel,
};

/// Until the task starts, the request's own way; after that there is no request any more: progress becomes the task's
/// status, questions wait in it, log messages go nowhere.
pub(super) struct TaskLink {
    request: RequestLink,
    task: Arc<Task>,
}

impl TaskLink {
    pub(super) fn new(request: RequestLink, task: Arc<Task>) -> Self {
        Self { request, task }
    }
}

#[async_trait]
impl Link for TaskLink {
    fn request_id(&self) -> String {
        self.request.request_id()
    }

    fn protocol_version(&self) -> &str {
        self.request.protocol_version()
    }

    fn client(&self) -> Option<ClientInfo> {
        self.request.client()
    }

    fn client_capabilities(&self) -> ClientCapabilities {
        self.request.client_capabilities()
    }

    fn session_id(&self) -> Option<String> {
        self.request.session_id()
    }

    fn session(&self) -> Option<&Mutex<http::Extensions>> {
        self.request.session()
    }

    fn meta(&self) -> &Map<String, Value> {
        self.request.meta()
    }

    fn http(&self) -> Option<&http::request::Parts> {
        self.request.http()
    }

    fn asks_in_result(&self) -> bool {
        !self.task.has_started()
    }

    fn wants_log(&self, level: LogLevel) -> bool {
        !self.task.has_started() && self.request.wants_log(level)
    }

    async fn progress(&self, progress: f64, total: Option<f64>, message: Option<&str>) {
        if !self.task.has_started() {
            return self.request.progress(progress, total, message).await;
        }
        let so_far = total.map_or_else(|| progress.to_string(), |total| format!("{progress} of {total}"));
        self.task.report(message.map_or_else(|| so_far.clone(), |message| format!("{message} ({so_far})")));
    }

    async fn log(&self, level: LogLevel, data: Value) {
        self.request.log(level, data).await;
    }

    async fn ask(&self, key: Option<&str>, question: Question) -> Result<Value, Error> {
        self.task.ask(key, &question).await
    }

    fn start_task(&self) {
        self.task.start();
    }
}
