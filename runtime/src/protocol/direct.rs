//! The short way for plain requests: parsed once, answered by the engine, written once, with lists kept as they go out.
//!
//! Whatever is not plainly recognised (another method, parameters or headers that are not in order, a client that wants to
//! hear of progress) goes rmcp's way, which also words every refusal. Both ways give the same answers.

mod answer;
mod http;
mod link;
mod pipe;
mod request;

use std::sync::{Arc, Mutex};

use tokio_util::sync::CancellationToken;

use self::{
    answer::{Answer, Writer},
    link::DirectLink,
    request::{Era, Plain},
};
pub(super) use self::{http::gate, pipe::pipe};
use super::{Protocol, Shared, convert, state};
use crate::{
    auth::Principal,
    context::{Context, Outcome, Rounds},
    engine::Engine,
};

/// What the short way needs to answer.
#[derive(Clone)]
pub(super) struct Direct {
    engine: Arc<Engine>,
    shared: Arc<Shared>,
    session: Option<Arc<str>>,
    kept: Option<Arc<Mutex<::http::Extensions>>>,
}

impl Direct {
    /// Beside a connection of the ordinary way, or all of them.
    pub(super) fn new(protocol: &Protocol) -> Self {
        Self {
            engine: protocol.engine.clone(),
            shared: protocol.shared.clone(),
            session: protocol.session.clone(),
            kept: protocol.kept.clone(),
        }
    }

    /// Whether a request may go the short way. In the older versions a handler may send messages at any time, for which
    /// there is no way here: there only lists and operations of the API are taken.
    fn takes(&self, plain: &Plain) -> bool {
        match plain.era {
            // A call that may become a task goes the way that knows them.
            Era::Modern => !self.engine.registry().may_be_task(&plain.request),
            Era::Legacy => !self.engine.has_layers() && self.engine.registry().is_quiet(&plain.request),
        }
    }

    /// Whether a tool has arguments that clients repeat in HTTP headers.
    fn has_header_arguments(&self, tool: &str) -> bool {
        self.engine.tool_info(tool).is_some_and(|info| info.input_schema.has_header_arguments())
    }

    /// Tells the layers of a notification that goes no further.
    async fn notify(&self, message: &[u8]) {
        if !self.engine.has_layers() {
            return;
        }
        let Some(notification) = request::notification(message) else { return };
        let link = DirectLink {
            id: String::new(),
            version: super::MODERN,
            meta: serde_json::Map::new(),
            http: None,
            client: None,
            capabilities: crate::context::ClientCapabilities::default(),
            session: self.session.clone(),
            kept: self.kept.clone(),
        };
        let context = Context::new(Arc::new(link), CancellationToken::new(), self.engine.clone(), Rounds::default());
        self.engine.notification(&context, notification).await;
    }

    /// Answers a request that [`Direct::takes`].
    async fn answer(&self, plain: Plain, http: Option<::http::request::Parts>, cancelled: CancellationToken) -> Answer {
        let Plain { id, request, era, version, meta, client, capabilities } = plain;
        let principal = http.as_ref().and_then(|parts| parts.extensions.get::<Arc<Principal>>());
        let binding = state::binding(&request, &state::owner(principal.map(|principal| &**principal)));
        let is_call = matches!(request, crate::message::Request::CallTool(_));
        let link = DirectLink {
            id: serde_json::from_str(id.get()).unwrap_or_else(|_| id.get().to_owned()),
            version,
            meta,
            http,
            client,
            capabilities,
            session: self.session.clone(),
            kept: self.kept.clone(),
        };
        let context = Context::new(Arc::new(link), cancelled, self.engine.clone(), Rounds::default());
        let writer = Writer { id: &id, era, list_ttl_ms: self.engine.list_ttl_ms };
        match self.engine.request(&context, request).await {
            Outcome::Done(Ok(response)) => writer.response(response),
            Outcome::Done(Err(error)) if is_call => match convert::tool_error(error) {
                Ok(result) => writer.failed_call(result),
                Err(error) => writer.error(error),
            },
            Outcome::Done(Err(error)) => writer.error(convert::error(error)),
            Outcome::Asks { questions, answers } => match super::asks(&self.shared.seal, questions, &answers, &binding)
            {
                Ok(asks) => writer.result(&asks),
                Err(error) => writer.error(error),
            },
        }
    }
}
