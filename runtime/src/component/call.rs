//! Operations as tools, and handlers that wrap them.

use std::{borrow::Cow, future::Future, sync::Arc};

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{Answer, IntoToolResult, LazySchema, handler};
use crate::{
    Error,
    catalog::{Api, Operation},
    content::ToolResult,
    context::Context,
    message::ToolInfo,
    upstream::{Scope, Upstream},
};

pub(crate) type WrapHandler = Arc<dyn Fn(Context, Call) -> Answer<ToolResult> + Send + Sync>;

/// One call of an operation on its way to the API, in the hands of a handler that wraps the operation.
#[must_use = "without `proceed` the API is not called"]
pub struct Call {
    /// The arguments, which meet the operation's schema. What a wrapper changes goes to the API unchecked.
    pub arguments: Map<String, Value>,
    operation: &'static Operation,
    upstream: Upstream,
    context: Context,
}

impl Call {
    /// The operation.
    pub fn operation(&self) -> &'static Operation {
        self.operation
    }

    /// The arguments as a type of one's own.
    ///
    /// # Errors
    /// [`crate::ErrorKind::InvalidParams`] when they do not fit.
    pub fn arguments_as<T: DeserializeOwned>(&self) -> Result<T, Error> {
        handler::arguments_of(self.arguments.clone())
    }

    /// Calls the API.
    ///
    /// # Errors
    /// When no answer came. An answer that reports a failure is a result with `is_error`.
    pub async fn proceed(self) -> Result<ToolResult, Error> {
        self.upstream.call_tool(self.operation, self.arguments, &scope(&self.context)).await
    }
}

pub(crate) fn wrap_handler<F, Fut, R>(wrapper: F) -> WrapHandler
where
    F: Fn(Context, Call) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<R, Error>> + Send + 'static,
    R: IntoToolResult + 'static,
{
    Arc::new(move |context, call| {
        let answer = wrapper(context, call);
        Box::pin(async move { answer.await?.into_tool_result() })
    })
}

/// An operation of the API, ready to be called.
pub(crate) struct OperationTool {
    pub(crate) operation: &'static Operation,
    pub(crate) upstream: Upstream,
    pub(crate) wrapper: Option<WrapHandler>,
}

impl OperationTool {
    pub(crate) async fn call(&self, context: Context, arguments: Map<String, Value>) -> Result<ToolResult, Error> {
        match &self.wrapper {
            None => self.upstream.call_tool(self.operation, arguments, &scope(&context)).await,
            Some(wrapper) => {
                let call = Call {
                    arguments,
                    operation: self.operation,
                    upstream: self.upstream.clone(),
                    context: context.clone(),
                };
                wrapper(context, call).await
            }
        }
    }
}

/// What the upstream client may know of the inbound request.
pub(crate) fn scope(context: &Context) -> Scope {
    let principal = context.principal();
    Scope {
        headers: context.headers().cloned().unwrap_or_default(),
        authenticated: principal.is_some(),
        issuer: principal.map(|principal| principal.issuer.clone()),
        subject: principal.map(|principal| principal.subject.clone()),
        cancelled: context.cancellation().clone(),
        freshness: context.get_or_default(),
        trace: context.trace(),
        #[cfg(feature = "otel")]
        span: context.get(),
    }
}

/// The description of an operation as a tool.
pub(crate) fn tool_info(api: &'static Api, operation: &'static Operation) -> ToolInfo {
    ToolInfo {
        name: operation.name.into(),
        title: operation.title.into(),
        description: operation.description.into(),
        input_schema: LazySchema::input(api, operation),
        output_schema: operation.output.is_some().then(|| LazySchema::output(api, operation)),
        hints: Some(operation.hints),
        icons: Vec::new(),
        tags: operation.tags.iter().map(|tag| Cow::Borrowed(*tag)).collect(),
        meta: Map::new(),
    }
}
