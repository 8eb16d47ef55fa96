//! What middleware asks about a request: who it is of, and what it is about.

use std::{borrow::Cow, sync::Arc};

use super::Context;
use crate::{
    Error,
    auth::Principal,
    catalog::Operation,
    message::{PromptInfo, Request, Response, ToolInfo},
};

impl Context {
    /// Whom the token of the HTTP request stands for; `None` where nobody was authenticated, as over stdio.
    pub fn principal(&self) -> Option<&Principal> {
        self.http_extension::<Arc<Principal>>().map(|principal| &**principal)
    }

    /// Whether the request came from the one who started this process, over stdio.
    pub(crate) fn is_local(&self) -> bool {
        self.inner.link.http().is_none()
    }

    /// The name of the server.
    pub(crate) fn server_name(&self) -> String {
        self.engine.info.name.clone()
    }

    /// The description of a tool as it is offered now, by the server or by a layer.
    pub fn tool_info(&self, name: &str) -> Option<Arc<ToolInfo>> {
        self.engine.tool_info(name)
    }

    /// The description of a prompt of the server, as it is now.
    pub fn prompt_info(&self, name: &str) -> Option<Arc<PromptInfo>> {
        self.engine.registry().prompt_info(name)
    }

    /// The name under which a resource is listed, a URI or a template, and its tags.
    pub(crate) fn resource_labels(&self, uri: &str) -> Option<(String, Vec<Cow<'static, str>>)> {
        self.engine.registry().resource_labels(uri)
    }

    /// The operation of the API behind a tool.
    pub(crate) fn tool_operation(&self, name: &str) -> Option<&'static Operation> {
        self.engine.tool_operation(name)
    }

    /// Makes one more request on behalf of this one: through all layers, from the outermost on, so that none is evaded.
    pub(crate) async fn request(&self, request: Request) -> Result<Response, Error> {
        self.engine.through(self, request).await
    }

    /// The operation of the API behind a resource or template, under the name that lists show.
    pub(crate) fn resource_operation(&self, name: &str) -> Option<&'static Operation> {
        self.engine.registry().resource_operation(name)
    }

    /// Whether there is a tool, prompt or resource of this name or URI.
    pub(crate) fn knows(&self, name: &str) -> bool {
        self.tool_info(name).is_some() || self.prompt_info(name).is_some() || self.resource_labels(name).is_some()
    }

    /// Whether the client's user was asked something in this request, or answered in it.
    pub(crate) fn was_interactive(&self) -> bool {
        self.inner.rounds.was_interactive()
    }
}
