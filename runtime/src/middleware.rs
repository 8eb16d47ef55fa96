//! Middleware: code around every message, in layers.
//!
//! A message passes the hooks from the general to the particular: `on_message`, then `on_request` or `on_notification`,
//! then the hook of its kind. Middleware runs as added, the first outermost: for each hook of the first middleware all
//! hooks of the second run inside. `next` is consumed by its call, so a handler runs at most once.
//!
//! ```
//! use async_trait::async_trait;
//! use mcpwright_runtime::{
//!     Error,
//!     content::ToolResult,
//!     context::Context,
//!     message::CallTool,
//!     middleware::{Middleware, Next},
//! };
//!
//! struct NoSecrets;
//!
//! #[async_trait]
//! impl Middleware for NoSecrets {
//!     async fn on_call_tool(
//!         &self,
//!         context: &Context,
//!         call: CallTool,
//!         next: Next<'_, CallTool, ToolResult>,
//!     ) -> Result<ToolResult, Error> {
//!         if call.arguments.contains_key("password") {
//!             return Err(Error::invalid_params("Do not pass passwords."));
//!         }
//!         next.run(call).await
//!     }
//! }
//! ```
//!
//! What middleware wants to remember for the rest of one request it keeps in [`Context::insert`].

mod as_tools;
mod authorization;
#[cfg(test)]
mod bench;
mod chain;
pub(crate) mod configuration;
mod error_handling;
mod logging;
#[cfg(test)]
mod many_principals;
mod rate_limiting;
mod response_caching;
mod response_limiting;
mod retry;
mod timing;
mod tool_injection;

use std::sync::Arc;

use async_trait::async_trait;

pub use self::{
    as_tools::{PromptsAsTools, ResourcesAsTools},
    authorization::{Authorization, AuthorizationConfig},
    chain::{Next, NextMessage},
    configuration::{MiddlewareConfig, MiddlewareConfigError, NoSettings, TimingConfig},
    error_handling::{ErrorHandling, ErrorHandlingConfig},
    logging::{Logging, LoggingConfig},
    rate_limiting::{Algorithm, LimitScope, OnOutage, RateLimiting, RateLimitingConfig},
    response_caching::{NoStore, ResponseCaching, ResponseCachingConfig},
    response_limiting::{ResponseLimiting, ResponseLimitingConfig},
    retry::{Retry, RetryConfig},
    timing::{OperationTiming, Timing},
    tool_injection::ToolInjection,
};
pub(crate) use chain::{Terminal, run, run_notification};

use crate::{
    Error,
    content::{ResourceContents, ToolResult},
    context::Context,
    message::{
        CallTool, Complete, Completion, GetPrompt, ListPage, Notification, Page, PromptInfo, PromptResult,
        ReadResource, Request, ResourceInfo, ResourceTemplateInfo, Response, ServerInfo, ToolInfo,
    },
};

/// A request or a notification.
#[derive(Debug, Clone)]
pub enum Message {
    /// It wants an answer.
    Request(Request),
    /// It wants none.
    Notification(Notification),
}

/// A layer around messages. Every hook passes on by default.
#[async_trait]
#[allow(unused_variables)]
pub trait Middleware: Send + Sync + 'static {
    /// A name, for logs and for warnings about the order of layers.
    fn name(&self) -> &'static str {
        std::any::type_name::<Self>()
    }

    /// The description of a tool as this layer offers it; `inner` is what the layers further in and the server have under
    /// the name. A layer that adds, replaces or takes away tools says so here too: other layers decide by it who may call
    /// what.
    fn tool_info(&self, name: &str, inner: Option<Arc<ToolInfo>>) -> Option<Arc<ToolInfo>> {
        inner
    }

    /// Any message. The answer to a notification is [`Response::Empty`], which goes nowhere.
    async fn on_message(&self, context: &Context, message: Message, next: NextMessage<'_>) -> Result<Response, Error> {
        next.run(message).await
    }

    /// Any request.
    async fn on_request(
        &self,
        context: &Context,
        request: Request,
        next: Next<'_, Request, Response>,
    ) -> Result<Response, Error> {
        next.run(request).await
    }

    /// Any notification.
    async fn on_notification(
        &self,
        context: &Context,
        notification: Notification,
        next: Next<'_, Notification, ()>,
    ) -> Result<(), Error> {
        next.run(notification).await
    }

    /// `initialize`, up to 2025-11-25.
    async fn on_initialize(
        &self,
        context: &Context,
        next: Next<'_, (), Arc<ServerInfo>>,
    ) -> Result<Arc<ServerInfo>, Error> {
        next.run(()).await
    }

    /// `server/discover`, from 2026-07-28.
    async fn on_discover(
        &self,
        context: &Context,
        next: Next<'_, (), Arc<ServerInfo>>,
    ) -> Result<Arc<ServerInfo>, Error> {
        next.run(()).await
    }

    /// `tools/call`
    async fn on_call_tool(
        &self,
        context: &Context,
        call: CallTool,
        next: Next<'_, CallTool, ToolResult>,
    ) -> Result<ToolResult, Error> {
        next.run(call).await
    }

    /// `resources/read`
    async fn on_read_resource(
        &self,
        context: &Context,
        read: ReadResource,
        next: Next<'_, ReadResource, Vec<ResourceContents>>,
    ) -> Result<Vec<ResourceContents>, Error> {
        next.run(read).await
    }

    /// `prompts/get`
    async fn on_get_prompt(
        &self,
        context: &Context,
        get: GetPrompt,
        next: Next<'_, GetPrompt, PromptResult>,
    ) -> Result<PromptResult, Error> {
        next.run(get).await
    }

    /// `completion/complete`
    async fn on_complete(
        &self,
        context: &Context,
        complete: Complete,
        next: Next<'_, Complete, Completion>,
    ) -> Result<Completion, Error> {
        next.run(complete).await
    }

    /// `tools/list`
    async fn on_list_tools(
        &self,
        context: &Context,
        page: ListPage,
        next: Next<'_, ListPage, Page<ToolInfo>>,
    ) -> Result<Page<ToolInfo>, Error> {
        next.run(page).await
    }

    /// `resources/list`
    async fn on_list_resources(
        &self,
        context: &Context,
        page: ListPage,
        next: Next<'_, ListPage, Page<ResourceInfo>>,
    ) -> Result<Page<ResourceInfo>, Error> {
        next.run(page).await
    }

    /// `resources/templates/list`
    async fn on_list_resource_templates(
        &self,
        context: &Context,
        page: ListPage,
        next: Next<'_, ListPage, Page<ResourceTemplateInfo>>,
    ) -> Result<Page<ResourceTemplateInfo>, Error> {
        next.run(page).await
    }

    /// `prompts/list`
    async fn on_list_prompts(
        &self,
        context: &Context,
        page: ListPage,
        next: Next<'_, ListPage, Page<PromptInfo>>,
    ) -> Result<Page<PromptInfo>, Error> {
        next.run(page).await
    }
}
