//! The way back to the client from a request that came the short way: there is none but its answer.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use serde_json::{Map, Value};

use crate::{
    Error,
    context::{ClientCapabilities, ClientInfo, Link, Question},
    message::LogLevel,
};

pub(super) struct DirectLink {
    pub(super) id: String,
    pub(super) version: &'static str,
    pub(super) meta: Map<String, Value>,
    pub(super) http: Option<http::request::Parts>,
    pub(super) client: Option<ClientInfo>,
    pub(super) capabilities: ClientCapabilities,
    pub(super) session: Option<Arc<str>>,
    pub(super) kept: Option<Arc<Mutex<http::Extensions>>>,
}

#[async_trait]
impl Link for DirectLink {
    fn request_id(&self) -> String {
        self.id.clone()
    }

    fn protocol_version(&self) -> &str {
        self.version
    }

    fn client(&self) -> Option<ClientInfo> {
        self.client.clone()
    }

    fn client_capabilities(&self) -> ClientCapabilities {
        self.capabilities
    }

    fn session_id(&self) -> Option<String> {
        self.session.as_deref().map(str::to_owned)
    }

    fn session(&self) -> Option<&Mutex<http::Extensions>> {
        self.kept.as_deref()
    }

    fn meta(&self) -> &Map<String, Value> {
        &self.meta
    }

    fn http(&self) -> Option<&http::request::Parts> {
        self.http.as_ref()
    }

    fn asks_in_result(&self) -> bool {
        true
    }

    fn wants_log(&self, _: LogLevel) -> bool {
        false
    }

    async fn progress(&self, _: f64, _: Option<f64>, _: Option<&str>) {}

    async fn log(&self, _: LogLevel, _: Value) {}

    async fn ask(&self, _: Option<&str>, _: Question) -> Result<Value, Error> {
        Err(Error::failed("The client cannot be asked outside of a result."))
    }
}
