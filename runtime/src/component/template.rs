//! Resources whose URI has variables, written by hand or backed by an operation.

use std::{
    borrow::Cow,
    collections::HashMap,
    future::Future,
    sync::{Arc, OnceLock},
};

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{Answer, CompletionHandler, Icon, IntoResource, call, completion_handler, handler};
use crate::{
    Error,
    arguments::Validator,
    catalog::{self, Api, Operation},
    compose::Inner,
    content::ResourceContents,
    context::Context,
    message::{Complete, Completion, ResourceTemplateInfo},
    schema,
    upstream::Upstream,
    uri_template::{Captures, UriTemplate},
};

pub(crate) type TemplateHandler =
    Arc<dyn Fn(Context, Map<String, Value>, &str, &str) -> Answer<Vec<ResourceContents>> + Send + Sync>;

/// A family of resources that is written by hand.
#[must_use]
pub struct ResourceTemplate {
    pub(crate) info: ResourceTemplateInfo,
    pub(crate) schema: Value,
    pub(crate) handler: TemplateHandler,
    pub(crate) completions: HashMap<String, CompletionHandler>,
}

impl ResourceTemplate {
    /// Resources whose URIs match a template (RFC 6570) such as `users://{id}/posts{?page}`. The fields of `A` are the
    /// variables; numbers and booleans are read from their text. That both agree is checked when the server starts.
    pub fn new<F, Fut, A, R>(
        uri_template: impl Into<Cow<'static, str>>,
        name: impl Into<Cow<'static, str>>,
        handler: F,
    ) -> Self
    where
        F: Fn(Context, A) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<R, Error>> + Send + 'static,
        A: DeserializeOwned + JsonSchema + 'static,
        R: IntoResource + 'static,
    {
        let run: TemplateHandler = Arc::new(move |context, variables, uri, media_type| {
            let answer = handler::arguments_of::<A>(variables).map(|arguments| handler(context, arguments));
            let (uri, media_type) = (uri.to_owned(), media_type.to_owned());
            Box::pin(async move { Ok(answer?.await?.into_resource(&uri, &media_type)) })
        });
        let info = ResourceTemplateInfo {
            uri_template: uri_template.into(),
            name: name.into(),
            title: "".into(),
            description: "".into(),
            media_type: "".into(),
            icons: Vec::new(),
            tags: Vec::new(),
            meta: Map::new(),
        };
        Self { info, schema: handler::arguments_schema::<A>(), handler: run, completions: HashMap::new() }
    }

    /// A name for people.
    pub fn title(mut self, title: impl Into<Cow<'static, str>>) -> Self {
        self.info.title = title.into();
        self
    }

    /// What the resources hold.
    pub fn description(mut self, description: impl Into<Cow<'static, str>>) -> Self {
        self.info.description = description.into();
        self
    }

    /// The media type of all of them.
    pub fn media_type(mut self, media_type: impl Into<Cow<'static, str>>) -> Self {
        self.info.media_type = media_type.into();
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

    /// Proposes values for a variable. Enums propose theirs without it.
    pub fn complete<F, Fut, R>(mut self, variable: impl Into<String>, handler: F) -> Self
    where
        F: Fn(Context, Complete) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<R, Error>> + Send + 'static,
        R: Into<Completion>,
    {
        self.completions.insert(variable.into(), completion_handler(handler));
        self
    }
}

/// A template as the registry keeps it.
pub(crate) struct TemplateEntry {
    pub(crate) info: Arc<ResourceTemplateInfo>,
    pub(crate) template: UriTemplate,
    pub(crate) source: TemplateSource,
    pub(crate) completions: HashMap<String, CompletionHandler>,
    pub(crate) validator: OnceLock<Validator>,
}

pub(crate) enum TemplateSource {
    Custom { schema: Value, handler: TemplateHandler },
    Operation(OperationResource),
    Mounted(Inner),
}

impl TemplateEntry {
    pub(crate) async fn read(
        &self,
        context: Context,
        captures: &Captures<'_>,
        uri: &str,
    ) -> Result<Vec<ResourceContents>, Error> {
        if let TemplateSource::Mounted(inner) = &self.source
            && let Some(uri) = inner.child.naming.inner_uri(uri)
        {
            return inner.child.read(&context, uri).await;
        }
        if let Some(unknown) = captures.unknown.first() {
            let known: Vec<&str> = self.template.variables().collect();
            return Err(Error::invalid_params(format!(
                "`{}` is no variable of the template {}; it has {}.",
                unknown.escape_debug(),
                self.template,
                known.join(", ")
            )));
        }
        match &self.source {
            TemplateSource::Custom { schema, handler } => {
                let mut variables = Map::new();
                for (name, captured) in captures.iter() {
                    variables.insert(name.to_owned(), handler::coerce(schema, name, captured.text()));
                }
                handler(context, variables, uri, &self.info.media_type).await
            }
            TemplateSource::Operation(operation) => {
                let arguments = operation.arguments(captures);
                let validator = self.validator.get_or_init(|| Validator::new(operation.input_schema()));
                let arguments = validator.check(arguments)?;
                operation.read(context, arguments, uri).await
            }
            TemplateSource::Mounted(_) => Err(Error::not_found(format!("Resource not found: {}", uri.escape_debug()))),
        }
    }
}

/// An operation of the API that is read as a resource.
#[derive(Clone)]
pub(crate) struct OperationResource {
    pub(crate) api: &'static Api,
    pub(crate) operation: &'static Operation,
    pub(crate) upstream: Upstream,
}

impl OperationResource {
    pub(crate) async fn read(
        &self,
        context: Context,
        arguments: Map<String, Value>,
        uri: &str,
    ) -> Result<Vec<ResourceContents>, Error> {
        self.upstream.read_resource(self.operation, arguments, uri, &call::scope(&context)).await
    }

    fn input_schema(&self) -> String {
        schema::input(self.api, self.operation)
    }

    /// The arguments of the operation, out of the variables of its template.
    fn arguments(&self, captures: &Captures<'_>) -> Map<String, Value> {
        let mut arguments = Map::new();
        for parameter in self.operation.parameters {
            let variable = catalog::uri_variable(parameter.argument());
            let Some(captured) = captures.get(&variable) else { continue };
            let shape = Shape::of(self.api, parameter.schema, !parameter.content.is_empty());
            let value = match &shape {
                Shape::List(items) => captured.list().into_iter().map(|text| items.value(text)).collect(),
                other => other.value(captured.text()),
            };
            arguments.insert(parameter.argument().to_owned(), value);
        }
        arguments
    }

    /// The values that a variable can have, where its schema lists them.
    pub(crate) fn choices(&self, variable: &str) -> Vec<String> {
        let parameter =
            self.operation.parameters.iter().find(|parameter| catalog::uri_variable(parameter.argument()) == variable);
        let Some(parameter) = parameter else { return Vec::new() };
        let mut schema = resolve(self.api, parameter.schema);
        if let Some(items) = schema.get_mut("items").map(Value::take) {
            schema = follow(self.api, items);
        }
        choices(&schema)
    }
}

/// What a variable's text means.
#[derive(Debug, PartialEq)]
enum Shape {
    Text,
    Json,
    /// A number or boolean where the text is one, else text.
    Scalar,
    List(Box<Shape>),
}

impl Shape {
    fn of(api: &'static Api, schema: &str, is_content: bool) -> Self {
        if is_content { Shape::Json } else { Self::of_value(api, &resolve(api, schema), 0) }
    }

    fn of_value(api: &'static Api, schema: &Value, depth: usize) -> Self {
        let kinds: Vec<&str> = match schema.get("type") {
            Some(Value::String(kind)) => vec![kind],
            Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        if kinds.contains(&"string") {
            Shape::Text
        } else if kinds.contains(&"array") && depth < 4 {
            let items = schema.get("items").map(|items| follow(api, items.clone())).unwrap_or_default();
            Shape::List(Box::new(Self::of_value(api, &items, depth + 1)))
        } else if kinds.contains(&"object") || kinds.contains(&"array") {
            Shape::Json
        } else {
            Shape::Scalar
        }
    }

    fn value(&self, text: String) -> Value {
        match self {
            Shape::Text => Value::String(text),
            Shape::Json | Shape::List(_) => serde_json::from_str(&text).unwrap_or(Value::String(text)),
            Shape::Scalar => match serde_json::from_str::<Value>(&text) {
                Ok(value @ (Value::Number(_) | Value::Bool(_))) => value,
                _ => Value::String(text),
            },
        }
    }
}

/// The parsed schema, references to shared definitions followed.
fn resolve(api: &'static Api, schema: &str) -> Value {
    follow(api, serde_json::from_str(schema).unwrap_or_default())
}

fn follow(api: &'static Api, mut schema: Value) -> Value {
    for _ in 0..16 {
        let reference = schema.get("$ref").and_then(Value::as_str).and_then(|text| text.strip_prefix("#/$defs/"));
        let Some(definition) = reference.and_then(|name| api.definition(name)) else { break };
        schema = serde_json::from_str(definition).unwrap_or_default();
    }
    schema
}

/// The values that a schema lists: `enum`, `const`, or those of its items.
pub(crate) fn choices(schema: &Value) -> Vec<String> {
    let text = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        _ => None,
    };
    let listed = schema.get("enum").and_then(Value::as_array).map(|values| values.iter().filter_map(text).collect());
    listed
        .or_else(|| schema.get("const").and_then(text).map(|value| vec![value]))
        .or_else(|| schema.get("items").map(choices))
        .or_else(|| (schema.get("type")? == "boolean").then(|| vec!["true".to_owned(), "false".to_owned()]))
        .unwrap_or_default()
}
