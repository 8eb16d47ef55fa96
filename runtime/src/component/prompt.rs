//! Prompts: templates of conversations.

use std::{borrow::Cow, collections::HashMap, future::Future, sync::Arc};

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{Answer, CompletionHandler, Icon, completion_handler, handler};
use crate::{
    Error,
    compose::Inner,
    context::Context,
    message::{Complete, Completion, GetPrompt, PromptArgument, PromptInfo, PromptMessage, PromptResult},
};

/// What handlers of prompts may return.
pub trait IntoPrompt {
    /// Makes the messages.
    fn into_prompt(self) -> PromptResult;
}

impl IntoPrompt for PromptResult {
    fn into_prompt(self) -> PromptResult {
        self
    }
}

/// One message of the user.
impl IntoPrompt for String {
    fn into_prompt(self) -> PromptResult {
        vec![PromptMessage::user(self)].into_prompt()
    }
}

/// One message of the user.
impl IntoPrompt for &'static str {
    fn into_prompt(self) -> PromptResult {
        vec![PromptMessage::user(self)].into_prompt()
    }
}

impl IntoPrompt for Vec<PromptMessage> {
    fn into_prompt(self) -> PromptResult {
        PromptResult { description: None, messages: self }
    }
}

pub(crate) type PromptHandler = Arc<dyn Fn(Context, Map<String, Value>) -> Answer<PromptResult> + Send + Sync>;

/// A prompt.
#[must_use]
pub struct Prompt {
    pub(crate) info: PromptInfo,
    pub(crate) schema: Value,
    pub(crate) handler: PromptHandler,
    pub(crate) completions: HashMap<String, CompletionHandler>,
}

impl Prompt {
    /// A prompt whose arguments are the fields of `A`; `()` for none. Clients send text: numbers and booleans are read
    /// from it.
    pub fn new<F, Fut, A, R>(
        name: impl Into<Cow<'static, str>>,
        description: impl Into<Cow<'static, str>>,
        handler: F,
    ) -> Self
    where
        F: Fn(Context, A) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<R, Error>> + Send + 'static,
        A: DeserializeOwned + JsonSchema + 'static,
        R: IntoPrompt + 'static,
    {
        let run: PromptHandler = Arc::new(move |context, arguments| {
            let answer = handler::arguments_of::<A>(arguments).map(|arguments| handler(context, arguments));
            Box::pin(async move { Ok(answer?.await?.into_prompt()) })
        });
        let schema = handler::arguments_schema::<A>();
        let info = PromptInfo {
            name: name.into(),
            title: "".into(),
            description: description.into(),
            arguments: arguments(&schema),
            icons: Vec::new(),
            tags: Vec::new(),
            meta: Map::new(),
        };
        Self { info, schema, handler: run, completions: HashMap::new() }
    }

    /// A name for people.
    pub fn title(mut self, title: impl Into<Cow<'static, str>>) -> Self {
        self.info.title = title.into();
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

    /// Proposes values for an argument. Enums propose theirs without it.
    pub fn complete<F, Fut, R>(mut self, argument: impl Into<String>, handler: F) -> Self
    where
        F: Fn(Context, Complete) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<R, Error>> + Send + 'static,
        R: Into<Completion>,
    {
        self.completions.insert(argument.into(), completion_handler(handler));
        self
    }
}

/// The arguments of a prompt, out of the schema of its argument type.
fn arguments(schema: &Value) -> Vec<PromptArgument> {
    let required = schema.get("required").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else { return Vec::new() };
    properties
        .iter()
        .map(|(name, property)| PromptArgument {
            name: name.clone(),
            description: property.get("description").and_then(Value::as_str).map(str::to_owned),
            required: required.iter().any(|required| required == name),
        })
        .collect()
}

/// A prompt as the registry keeps it.
pub(crate) struct PromptEntry {
    pub(crate) info: Arc<PromptInfo>,
    pub(crate) schema: Value,
    pub(crate) completions: HashMap<String, CompletionHandler>,
    pub(crate) source: PromptSource,
}

pub(crate) enum PromptSource {
    Custom(PromptHandler),
    Mounted(Inner),
}

impl PromptEntry {
    pub(crate) async fn get(&self, context: Context, arguments: Map<String, Value>) -> Result<PromptResult, Error> {
        let handler = match &self.source {
            PromptSource::Custom(handler) => handler,
            PromptSource::Mounted(inner) => {
                return inner.child.prompt(&context, GetPrompt { name: inner.name.clone(), arguments }).await;
            }
        };
        let missing: Vec<&str> = self
            .info
            .arguments
            .iter()
            .filter(|argument| argument.required && !arguments.contains_key(&argument.name))
            .map(|argument| argument.name.as_str())
            .collect();
        if !missing.is_empty() {
            let missing = missing.join("`, `");
            return Err(Error::invalid_params(format!("The prompt `{}` needs `{missing}`.", self.info.name)));
        }
        let arguments = arguments
            .into_iter()
            .map(|(name, value)| match value {
                Value::String(text) => {
                    let value = handler::coerce(&self.schema, &name, text);
                    (name, value)
                }
                other => (name, other),
            })
            .collect();
        let mut result = handler(context, arguments).await?;
        if result.description.is_none() && !self.info.description.is_empty() {
            result.description = Some(self.info.description.to_string());
        }
        Ok(result)
    }
}

impl From<Prompt> for PromptEntry {
    fn from(prompt: Prompt) -> Self {
        Self {
            info: Arc::new(prompt.info),
            schema: prompt.schema,
            completions: prompt.completions,
            source: PromptSource::Custom(prompt.handler),
        }
    }
}
