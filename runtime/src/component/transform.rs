//! Tools made of other tools: other names, fewer arguments, a function around the call.

use std::{borrow::Cow, future::Future, sync::Arc, time::Duration};

use serde_json::{Map, Value};

use super::{Answer, Hints, IntoToolResult, LazySchema, ToolEntry};
use crate::{Error, content::ToolResult, context::Context, message::ToolInfo};

type Derive = Arc<dyn Fn(&Context) -> Result<Value, Error> + Send + Sync>;
type Around = Arc<dyn Fn(Context, TransformedCall) -> Answer<ToolResult> + Send + Sync>;

/// What becomes of an argument.
enum Change {
    Rename(String),
    Describe(String),
    /// Shown as optional; this is passed where the caller leaves it out.
    Default(Value),
    /// Not shown; this is always passed.
    Fixed(Value),
    /// Not shown; made for each call.
    Derived(Derive),
}

/// How a tool is offered instead of as it is: [`crate::Server::transform`]. Works on every tool, whether it is generated,
/// written by hand, or of a mounted server. Arguments are named as the tool itself names them.
///
/// ```
/// use mcpwright_runtime::component::Transform;
///
/// let transform = Transform::new()
///     .name("adopt")
///     .description("Adopts a pet of our own shop.")
///     .rename("petId", "pet")
///     .fix("shop", 7)
///     .default_value("quantity", 1);
/// ```
#[derive(Default)]
#[must_use]
pub struct Transform {
    name: Option<Cow<'static, str>>,
    title: Option<Cow<'static, str>>,
    description: Option<Cow<'static, str>>,
    hints: Option<Hints>,
    tags: Vec<Cow<'static, str>>,
    timeout: Option<Duration>,
    output_schema: Option<Option<LazySchema>>,
    changes: Vec<(String, Change)>,
    around: Option<Around>,
}

/// A call of a transformed tool, in the hands of the function around it.
#[must_use = "without `proceed` the tool is not called"]
pub struct TransformedCall {
    /// The arguments as the caller sees them, which meet the transformed schema. What the function changes is checked again
    /// by the tool.
    pub arguments: Map<String, Value>,
    inner: Arc<Transformed>,
    context: Context,
}

impl TransformedCall {
    /// Calls the tool.
    ///
    /// # Errors
    /// What the tool answers.
    pub async fn proceed(self) -> Result<ToolResult, Error> {
        self.inner.proceed(self.context, self.arguments).await
    }
}

impl Transform {
    /// Changes nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Another name.
    pub fn name(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Another name for people.
    pub fn title(mut self, title: impl Into<Cow<'static, str>>) -> Self {
        self.title = Some(title.into());
        self
    }

    /// Another description.
    pub fn description(mut self, description: impl Into<Cow<'static, str>>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// Other annotations.
    pub fn hints(mut self, hints: Hints) -> Self {
        self.hints = Some(hints);
        self
    }

    /// One more tag.
    pub fn tag(mut self, tag: impl Into<Cow<'static, str>>) -> Self {
        self.tags.push(tag.into());
        self
    }

    /// Gives a call up after this time.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Another schema of `structuredContent`.
    pub fn output_schema(mut self, schema: &Value) -> Self {
        self.output_schema = Some(Some(LazySchema::given(schema)));
        self
    }

    fn change(mut self, argument: impl Into<String>, change: Change) -> Self {
        self.changes.push((argument.into(), change));
        self
    }

    /// Shows an argument under another name.
    pub fn rename(self, argument: impl Into<String>, name: impl Into<String>) -> Self {
        self.change(argument, Change::Rename(name.into()))
    }

    /// Describes an argument otherwise.
    pub fn describe(self, argument: impl Into<String>, description: impl Into<String>) -> Self {
        self.change(argument, Change::Describe(description.into()))
    }

    /// Passes this where the caller leaves the argument out.
    pub fn default_value(self, argument: impl Into<String>, value: impl Into<Value>) -> Self {
        self.change(argument, Change::Default(value.into()))
    }

    /// Does not show an argument, and always passes this for it.
    pub fn fix(self, argument: impl Into<String>, value: impl Into<Value>) -> Self {
        self.change(argument, Change::Fixed(value.into()))
    }

    /// Does not show an argument, and passes what the function makes of the request: the principal's name, say.
    pub fn derive<F>(self, argument: impl Into<String>, make: F) -> Self
    where
        F: Fn(&Context) -> Result<Value, Error> + Send + Sync + 'static,
    {
        self.change(argument, Change::Derived(Arc::new(make)))
    }

    /// Puts a function around the call: it may change arguments and result, or answer itself. The schema of the result is
    /// then that of the function's type, where it has one.
    pub fn around<F, Fut, R>(mut self, function: F) -> Self
    where
        F: Fn(Context, TransformedCall) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<R, Error>> + Send + 'static,
        R: IntoToolResult + 'static,
    {
        self.around = Some(Arc::new(move |context, call| {
            let answer = function(context, call);
            Box::pin(async move { answer.await?.into_tool_result() })
        }));
        self.output_schema.get_or_insert_with(|| R::output_schema().as_ref().map(LazySchema::given));
        self
    }

    /// The time limit, where it is another one.
    pub(crate) fn time_limit(&self) -> Option<Duration> {
        self.timeout
    }

    /// The description of the tool that a tool becomes.
    ///
    /// # Errors
    /// What does not fit the tool, for its author.
    pub(crate) fn info(&self, info: &ToolInfo) -> Result<ToolInfo, String> {
        let mut info = info.clone();
        if let Some(name) = &self.name {
            info.name = name.clone();
        }
        if let Some(title) = &self.title {
            info.title = title.clone();
        }
        if let Some(description) = &self.description {
            info.description = description.clone();
        }
        if self.hints.is_some() {
            info.hints = self.hints;
        }
        info.tags.extend(self.tags.iter().cloned());
        if let Some(schema) = &self.output_schema {
            info.output_schema = schema.clone();
        }
        if !self.changes.is_empty() {
            info.input_schema = LazySchema::given(&Value::Object(self.schema((**info.input_schema.object()).clone())?));
        }
        Ok(info)
    }

    /// The name that an argument is shown under; `None` when it is not shown.
    fn shown<'a>(&'a self, argument: &'a str) -> Option<&'a str> {
        self.changes.iter().filter(|(of, _)| of == argument).try_fold(argument, |name, (_, change)| match change {
            Change::Rename(name) => Some(name.as_str()),
            Change::Fixed(_) | Change::Derived(_) => None,
            Change::Describe(_) | Change::Default(_) => Some(name),
        })
    }

    fn schema(&self, mut schema: Map<String, Value>) -> Result<Map<String, Value>, String> {
        let Some(Value::Object(mut properties)) = schema.get_mut("properties").map(Value::take) else {
            return Err("it has no arguments that could be changed".to_owned());
        };
        let mut required: Vec<Value> = match schema.get_mut("required").map(Value::take) {
            Some(Value::Array(required)) => required,
            _ => Vec::new(),
        };
        for (argument, change) in &self.changes {
            let Some(property) = properties.get_mut(argument) else {
                let known: Vec<&str> = properties.keys().map(String::as_str).collect();
                return Err(format!("it has no argument `{argument}`; it has {}", known.join(", ")));
            };
            let note = match change {
                Change::Describe(text) => ("description", Value::from(text.as_str())),
                Change::Default(value) => {
                    required.retain(|name| name != argument);
                    ("default", value.clone())
                }
                Change::Fixed(_) | Change::Derived(_) | Change::Rename(_) => continue,
            };
            // A property may be `true`, which allows everything.
            if !property.is_object() {
                *property = Value::Object(Map::new());
            }
            if let Some(property) = property.as_object_mut() {
                property.insert(note.0.to_owned(), note.1);
            }
        }
        let mut shown = Map::new();
        for (argument, property) in properties {
            let Some(name) = self.shown(&argument) else { continue };
            if shown.insert(name.to_owned(), property).is_some() {
                return Err(format!("two arguments would be called `{name}`"));
            }
        }
        let required = required.iter().filter_map(Value::as_str).filter_map(|name| self.shown(name));
        let required: Vec<Value> = required.map(Value::from).collect();
        schema.insert("properties".to_owned(), Value::Object(shown));
        if required.is_empty() {
            schema.shift_remove("required");
        } else {
            schema.insert("required".to_owned(), Value::Array(required));
        }
        Ok(schema)
    }

    /// From the arguments as the caller sees them to those of the tool.
    fn inward(&self, context: &Context, mut given: Map<String, Value>) -> Result<Map<String, Value>, Error> {
        let mut passed = Map::new();
        for (argument, change) in &self.changes {
            if let Change::Rename(name) = change
                && let Some(value) = given.shift_remove(name)
            {
                passed.insert(argument.clone(), value);
            }
        }
        // Where a tool takes more than it names, the hidden names must not come in that way.
        given.retain(|name, _| self.shown(name) == Some(name));
        passed.extend(given);
        for (argument, change) in &self.changes {
            match change {
                Change::Default(value) if !passed.contains_key(argument) => {
                    passed.insert(argument.clone(), value.clone());
                }
                Change::Fixed(value) => {
                    passed.insert(argument.clone(), value.clone());
                }
                Change::Derived(make) => {
                    passed.insert(argument.clone(), make(context)?);
                }
                Change::Rename(_) | Change::Describe(_) | Change::Default(_) => {}
            }
        }
        Ok(passed)
    }
}

/// A tool as the registry keeps it, with what it is made of.
pub(crate) struct Transformed {
    pub(crate) tool: Arc<ToolEntry>,
    pub(crate) transform: Arc<Transform>,
}

impl Transformed {
    /// Runs the tool with arguments that meet the transformed schema.
    pub(crate) async fn call(
        self: &Arc<Self>,
        context: Context,
        arguments: Map<String, Value>,
    ) -> Result<ToolResult, Error> {
        match &self.transform.around {
            Some(around) => {
                let call = TransformedCall { arguments, inner: self.clone(), context: context.clone() };
                around(context, call).await
            }
            None => self.proceed(context, arguments).await,
        }
    }

    fn proceed(&self, context: Context, arguments: Map<String, Value>) -> Answer<ToolResult> {
        let (tool, transform) = (self.tool.clone(), self.transform.clone());
        Box::pin(async move {
            let arguments = transform.inward(&context, arguments)?;
            tool.call(context, arguments).await
        })
    }
}
