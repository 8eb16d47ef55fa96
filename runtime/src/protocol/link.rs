//! One request's way back to its client, over rmcp's peer.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use async_trait::async_trait;
use rmcp::{
    RoleServer, model as wire,
    service::{Peer, RequestContext},
};
use serde_json::{Map, Value, json};

use super::{MODERN, convert};
use crate::{
    Error,
    context::{ClientCapabilities, ClientInfo, Link, Question},
    message::LogLevel,
};

/// How many progress reports and log messages a request may send per second; more are dropped.
const MESSAGES_PER_SECOND: u32 = 500;

pub(super) struct RequestLink {
    id: wire::RequestId,
    peer: Peer<RoleServer>,
    meta: wire::RequestMetaObject,
    version: wire::ProtocolVersion,
    http: Option<http::request::Parts>,
    capabilities: Option<wire::ClientCapabilities>,
    client: Option<wire::Implementation>,
    /// The lowest level that the client wants; `None` for no messages at all.
    level: Option<u8>,
    session: Option<Arc<str>>,
    kept: Option<Arc<Mutex<http::Extensions>>>,
    flood: Mutex<(Instant, u32)>,
}

impl RequestLink {
    /// `level` is that of `logging/setLevel`, which older versions have; `session` the id of a connection over pipes.
    pub(super) fn new(
        mut cx: RequestContext<RoleServer>,
        level: u8,
        session: Option<Arc<str>>,
        kept: Option<Arc<Mutex<http::Extensions>>>,
    ) -> Self {
        let version = cx.protocol_version().unwrap_or(wire::ProtocolVersion::V_2025_03_26);
        let level = if version.as_str() >= MODERN {
            cx.meta.log_level().map(|level| convert::level(level) as u8)
        } else {
            Some(level)
        };
        Self {
            capabilities: cx.client_capabilities(),
            client: cx.client_info(),
            http: cx.extensions.remove(),
            id: cx.id,
            peer: cx.peer,
            meta: cx.meta,
            version,
            level,
            session,
            kept,
            flood: Mutex::new((Instant::now(), 0)),
        }
    }

    /// Whether one more message may go out now.
    fn may_send(&self) -> bool {
        let mut flood = self.flood.lock().unwrap_or_else(PoisonError::into_inner);
        if flood.0.elapsed() > Duration::from_secs(1) {
            *flood = (Instant::now(), 0);
        }
        flood.1 += 1;
        flood.1 <= MESSAGES_PER_SECOND
    }
}

#[async_trait]
#[expect(deprecated, reason = "logging, sampling and roots are part of every protocol version that is served")]
impl Link for RequestLink {
    fn request_id(&self) -> String {
        self.id.to_string()
    }

    fn protocol_version(&self) -> &str {
        self.version.as_str()
    }

    fn client(&self) -> Option<ClientInfo> {
        self.client.as_ref().map(|client| ClientInfo { name: client.name.clone(), version: client.version.clone() })
    }

    fn client_capabilities(&self) -> ClientCapabilities {
        self.capabilities.as_ref().map(convert::capabilities).unwrap_or_default()
    }

    fn session_id(&self) -> Option<String> {
        let Some(http) = &self.http else { return self.session.as_deref().map(str::to_owned) };
        // From 2026-07-28 on there are no sessions, whatever a header says.
        let id = http.headers.get("mcp-session-id").filter(|_| !self.asks_in_result());
        id.and_then(|id| id.to_str().ok()).map(str::to_owned)
    }

    fn session(&self) -> Option<&Mutex<http::Extensions>> {
        let has_one = match &self.http {
            Some(http) => http.headers.contains_key("mcp-session-id") && !self.asks_in_result(),
            None => true,
        };
        self.kept.as_deref().filter(|_| has_one)
    }

    fn meta(&self) -> &Map<String, Value> {
        &self.meta.0.0
    }

    fn http(&self) -> Option<&http::request::Parts> {
        self.http.as_ref()
    }

    fn asks_in_result(&self) -> bool {
        self.version.as_str() >= MODERN
    }

    fn wants_log(&self, level: LogLevel) -> bool {
        self.level.is_some_and(|lowest| level as u8 >= lowest)
    }

    async fn progress(&self, progress: f64, total: Option<f64>, message: Option<&str>) {
        let Some(token) = self.meta.get_progress_token() else { return };
        if !self.may_send() {
            return;
        }
        let mut report = wire::ProgressNotificationParam::new(token, progress);
        report.total = total;
        report.message = message.map(str::to_owned);
        if let Err(error) = self.peer.notify_progress(report).await {
            tracing::debug!(%error, "progress was not reported");
        }
    }

    async fn log(&self, level: LogLevel, data: Value) {
        if !self.may_send() {
            return;
        }
        let message = wire::LoggingMessageNotificationParam::new(convert::wire_level(level), data);
        if let Err(error) = self.peer.notify_logging_message(message).await {
            tracing::debug!(%error, "a log message was not sent");
        }
    }

    async fn ask(&self, _: Option<&str>, question: Question) -> Result<Value, Error> {
        let request = json!({"method": question.method, "params": question.params});
        let request = match question.method {
            "roots/list" => serde_json::from_value(request).map(wire::ServerRequest::ListRootsRequest),
            "sampling/createMessage" => serde_json::from_value(request).map(wire::ServerRequest::CreateMessageRequest),
            _ => serde_json::from_value(request).map(wire::ServerRequest::ElicitRequest),
        };
        let request = request.map_err(|error| {
            tracing::error!(%error, method = question.method, "a question to the client is not well-formed");
            Error::internal("The server's question to the client is not well-formed.")
        })?;
        let answer = self.peer.send_request(request).await.map_err(|error| {
            tracing::debug!(%error, method = question.method, "a client did not answer");
            Error::failed(format!("The client did not answer {}: {error}.", question.method))
        })?;
        serde_json::to_value(answer).map_err(|_| Error::failed("The client's answer is no JSON."))
    }
}
