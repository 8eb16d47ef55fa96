//! What handlers of tools may return.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, value::to_raw_value};

use crate::{
    Error,
    content::{Content, ToolResult},
};

/// What can become the result of a tool.
pub trait IntoToolResult {
    /// Makes the result.
    ///
    /// # Errors
    /// When the value cannot be written as JSON.
    fn into_tool_result(self) -> Result<ToolResult, Error>;

    /// The schema of `structuredContent`, where the type knows it.
    fn output_schema() -> Option<Value>
    where
        Self: Sized,
    {
        None
    }
}

impl IntoToolResult for ToolResult {
    fn into_tool_result(self) -> Result<ToolResult, Error> {
        Ok(self)
    }
}

/// A short confirmation, since some clients take a result without content for a failure.
impl IntoToolResult for () {
    fn into_tool_result(self) -> Result<ToolResult, Error> {
        Ok(ToolResult::text("Done."))
    }
}

macro_rules! text {
    ($($type:ty),*) => {$(
        impl IntoToolResult for $type {
            fn into_tool_result(self) -> Result<ToolResult, Error> {
                Ok(ToolResult::text(self.to_string()))
            }
        }
    )*};
}
text!(&'static str, Cow<'static, str>, bool, i32, i64, u32, u64, usize, f64);

impl IntoToolResult for String {
    fn into_tool_result(self) -> Result<ToolResult, Error> {
        Ok(ToolResult::text(self))
    }
}

impl IntoToolResult for Content {
    fn into_tool_result(self) -> Result<ToolResult, Error> {
        Ok(ToolResult { content: vec![self], ..ToolResult::default() })
    }
}

impl IntoToolResult for Vec<Content> {
    fn into_tool_result(self) -> Result<ToolResult, Error> {
        Ok(ToolResult { content: self, ..ToolResult::default() })
    }
}

/// JSON without a schema: text, and `structuredContent` when it is an object.
impl IntoToolResult for Value {
    fn into_tool_result(self) -> Result<ToolResult, Error> {
        structured(&self)
    }
}

/// A value that is offered as text and as `structuredContent`, with its schema as the tool's output schema. It has to be
/// an object in JSON.
#[derive(Debug, Clone)]
pub struct Json<T>(pub T);

impl<T: Serialize + JsonSchema> IntoToolResult for Json<T> {
    fn into_tool_result(self) -> Result<ToolResult, Error> {
        structured(&self.0)
    }

    fn output_schema() -> Option<Value> {
        let schema = super::handler::schema_of::<T>();
        (schema.get("type").and_then(Value::as_str) == Some("object")).then_some(schema)
    }
}

fn structured<T: Serialize>(value: &T) -> Result<ToolResult, Error> {
    let raw = to_raw_value(value).map_err(|error| {
        tracing::error!(%error, "a tool's result cannot be written as JSON");
        Error::internal("The tool's result cannot be written as JSON.")
    })?;
    let text = raw.get().to_owned();
    let structured = text.starts_with('{').then_some(raw);
    Ok(ToolResult { content: vec![Content::Text(text)], structured, ..ToolResult::default() })
}
