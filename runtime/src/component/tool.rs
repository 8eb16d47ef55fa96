//! Tools: custom ones as their authors write them, and all of them as the registry keeps them.

use std::{
    borrow::Cow,
    future::Future,
    sync::{Arc, OnceLock},
    time::Duration,
};

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{
    Answer, CallTerms, Hints, Icon, IntoToolResult, LazySchema, OperationTool, TaskSupport, Transformed, handler,
};
use crate::{
    Error,
    arguments::Validator,
    catalog::Operation,
    compose::Inner,
    content::ToolResult,
    context::Context,
    message::{CallTool, ToolInfo},
};

pub(crate) type ToolHandler = Arc<dyn Fn(Context, Map<String, Value>) -> Answer<ToolResult> + Send + Sync>;

/// A tool that is written by hand.
///
/// ```
/// use mcpwright_runtime::{Error, component::Tool, context::Context};
///
/// #[derive(serde::Deserialize, schemars::JsonSchema)]
/// struct Add {
///     /// The first summand.
///     a: i64,
///     b: i64,
/// }
///
/// async fn add(_: Context, Add { a, b }: Add) -> Result<i64, Error> {
///     a.checked_add(b).ok_or_else(|| Error::failed("The sum is too large."))
/// }
///
/// let tool = Tool::new("add", "Adds two whole numbers.", add).title("Addition");
/// ```
#[must_use]
pub struct Tool {
    pub(crate) info: ToolInfo,
    pub(crate) handler: ToolHandler,
    pub(crate) terms: CallTerms,
}

impl Tool {
    /// A tool whose arguments are the fields of `A`; `()` for none. Documentation comments of the fields become
    /// descriptions. The schema of the result comes from the type too, where it is [`super::Json`].
    pub fn new<F, Fut, A, R>(
        name: impl Into<Cow<'static, str>>,
        description: impl Into<Cow<'static, str>>,
        handler: F,
    ) -> Self
    where
        F: Fn(Context, A) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<R, Error>> + Send + 'static,
        A: DeserializeOwned + JsonSchema + 'static,
        R: IntoToolResult + 'static,
    {
        let run: ToolHandler = Arc::new(move |context, arguments| {
            let answer = handler::arguments_of::<A>(arguments).map(|arguments| handler(context, arguments));
            Box::pin(async move { answer?.await?.into_tool_result() })
        });
        let mut tool = Self::boxed(name.into(), description.into(), &handler::arguments_schema::<A>(), run);
        tool.info.output_schema = R::output_schema().as_ref().map(LazySchema::given);
        tool
    }

    /// A tool whose arguments are known only at run time: `schema` is the JSON Schema of an object, and the handler gets
    /// arguments that meet it.
    pub fn dynamic<F, Fut, R>(
        name: impl Into<Cow<'static, str>>,
        description: impl Into<Cow<'static, str>>,
        schema: &Value,
        handler: F,
    ) -> Self
    where
        F: Fn(Context, Map<String, Value>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<R, Error>> + Send + 'static,
        R: IntoToolResult + 'static,
    {
        let run: ToolHandler = Arc::new(move |context, arguments| {
            let answer = handler(context, arguments);
            Box::pin(async move { answer.await?.into_tool_result() })
        });
        Self::boxed(name.into(), description.into(), schema, run)
    }

    fn boxed(name: Cow<'static, str>, description: Cow<'static, str>, schema: &Value, handler: ToolHandler) -> Self {
        let info = ToolInfo {
            name,
            title: "".into(),
            description,
            input_schema: LazySchema::given(schema),
            output_schema: None,
            hints: None,
            icons: Vec::new(),
            tags: Vec::new(),
            meta: Map::new(),
        };
        Self { info, handler, terms: CallTerms::default() }
    }

    /// A name for people.
    pub fn title(mut self, title: impl Into<Cow<'static, str>>) -> Self {
        self.info.title = title.into();
        self
    }

    /// The annotations: whether it only reads, destroys, may be repeated, reaches outside.
    pub fn hints(mut self, hints: Hints) -> Self {
        self.info.hints = Some(hints);
        self
    }

    /// The schema of `structuredContent`: an object schema.
    pub fn output_schema(mut self, schema: &Value) -> Self {
        self.info.output_schema = Some(LazySchema::given(schema));
        self
    }

    /// Adds an icon.
    pub fn icon(mut self, icon: Icon) -> Self {
        self.info.icons.push(icon);
        self
    }

    /// Adds a tag.
    pub fn tag(mut self, tag: impl Into<Cow<'static, str>>) -> Self {
        self.info.tags.push(tag.into());
        self
    }

    /// Adds a member to `_meta`.
    pub fn meta(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.info.meta.insert(key.into(), value.into());
        self
    }

    /// Gives a call up after this time, instead of after the server's limit.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.terms.timeout = Some(timeout);
        self
    }

    /// Lets calls go on as tasks, from their start.
    pub fn task_support(mut self, support: TaskSupport) -> Self {
        self.terms.task_support = support;
        self
    }

    /// Lets the handler say when a call becomes a task, by [`Context::start_task`]: it can ask its questions and check
    /// what it was given before that.
    pub fn task_when_started(mut self) -> Self {
        self.terms.starts_task = true;
        self
    }

    /// How long a task is kept, from its creation; one that still runs then fails. 30 minutes when nothing is said.
    pub fn task_lifetime(mut self, lifetime: Duration) -> Self {
        self.terms.task_lifetime = lifetime;
        self
    }
}

/// A tool as the registry keeps it.
pub(crate) struct ToolEntry {
    pub(crate) info: Arc<ToolInfo>,
    pub(crate) terms: CallTerms,
    pub(crate) source: ToolSource,
    validator: OnceLock<Validator>,
}

pub(crate) enum ToolSource {
    Custom(ToolHandler),
    Operation(OperationTool),
    Mounted(Inner),
    Transformed(Arc<Transformed>),
    /// Of a server elsewhere, which checks the arguments itself.
    #[cfg(feature = "proxy")]
    Foreign(ToolHandler),
}

impl ToolEntry {
    pub(crate) fn new(info: ToolInfo, terms: CallTerms, source: ToolSource) -> Self {
        Self { info: Arc::new(info), terms, source, validator: OnceLock::new() }
    }

    /// The operation behind it.
    pub(crate) fn operation(&self) -> Option<&'static Operation> {
        match &self.source {
            ToolSource::Operation(OperationTool { operation, .. }) => Some(operation),
            ToolSource::Mounted(inner) => inner.child.engine.tool_operation(&inner.name),
            ToolSource::Transformed(transformed) => transformed.tool.operation(),
            #[cfg(feature = "proxy")]
            ToolSource::Foreign(_) => None,
            ToolSource::Custom(_) => None,
        }
    }

    /// Checks the arguments, then runs the tool.
    pub(crate) async fn call(&self, context: Context, arguments: Map<String, Value>) -> Result<ToolResult, Error> {
        let checked = |arguments| {
            let validator = self.validator.get_or_init(|| Validator::new(self.info.input_schema.text()));
            validator.check(arguments)
        };
        match &self.source {
            ToolSource::Custom(handler) => handler(context, checked(arguments)?).await,
            ToolSource::Operation(operation) => operation.call(context, checked(arguments)?).await,
            ToolSource::Transformed(transformed) => transformed.call(context, checked(arguments)?).await,
            #[cfg(feature = "proxy")]
            ToolSource::Foreign(handler) => handler(context, arguments).await,
            // The inner server checks the arguments itself, after its layers had them.
            ToolSource::Mounted(inner) => {
                inner.child.call(&context, CallTool { name: inner.name.clone(), arguments }).await
            }
        }
    }
}

impl From<Tool> for ToolEntry {
    fn from(tool: Tool) -> Self {
        Self::new(tool.info, tool.terms, ToolSource::Custom(tool.handler))
    }
}
