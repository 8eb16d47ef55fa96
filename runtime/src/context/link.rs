//! The way back to the client: what the protocol offers to a [`Context`](super::Context).

use std::sync::Mutex;

use async_trait::async_trait;
use serde_json::{Map, Value};

use crate::{Error, message::LogLevel};

/// Who a client says it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientInfo {
    /// The name, for programs.
    pub name: String,
    /// The version.
    pub version: String,
}

/// What a client can do, as it declares.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ClientCapabilities {
    /// It can show forms to its user.
    pub elicitation: bool,
    /// It can send its user to a URL.
    pub elicitation_url: bool,
    /// It can ask a model.
    pub sampling: bool,
    /// It can list the folders that it works in.
    pub roots: bool,
}

/// A request to the client, as it goes over the wire.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    pub(crate) method: &'static str,
    pub(crate) params: Value,
}

/// One request's connection to its client.
#[async_trait]
pub(crate) trait Link: Send + Sync {
    fn request_id(&self) -> String;
    fn protocol_version(&self) -> &str;
    fn client(&self) -> Option<ClientInfo>;
    fn client_capabilities(&self) -> ClientCapabilities;
    fn session_id(&self) -> Option<String>;
    /// What is kept for the session; `None` where each request stands alone.
    fn session(&self) -> Option<&Mutex<http::Extensions>> {
        None
    }
    fn meta(&self) -> &Map<String, Value>;
    fn http(&self) -> Option<&http::request::Parts>;
    /// Whether questions go into the result (from 2026-07-28) instead of being requests of their own.
    fn asks_in_result(&self) -> bool;
    fn wants_log(&self, level: LogLevel) -> bool;
    async fn progress(&self, progress: f64, total: Option<f64>, message: Option<&str>);
    async fn log(&self, level: LogLevel, data: Value);
    /// Asks by a request of its own; `key` is the name that the handler gave the question.
    async fn ask(&self, key: Option<&str>, question: Question) -> Result<Value, Error>;
    /// From here on the call is a task, if it may be one.
    fn start_task(&self) {}
}
