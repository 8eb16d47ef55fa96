//! Response limiting: no result larger than a model can take.

use async_trait::async_trait;
use bytes::Bytes;
use serde::Deserialize;

use super::{Middleware, Next, error_handling::ForClient};
use crate::{
    Error,
    content::{Content, ResourceBody, ResourceContents, ToolResult},
    context::Context,
    message::{CallTool, ReadResource},
};

/// What [`ResponseLimiting`] allows.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ResponseLimitingConfig {
    /// The most bytes of one result.
    pub max_bytes: usize,
    /// The tools that are limited; all, and resources too, when empty.
    pub tools: Vec<String>,
}

impl Default for ResponseLimitingConfig {
    fn default() -> Self {
        Self { max_bytes: 1 << 20, tools: Vec::new() }
    }
}

/// Cuts results that are too large, and says so in the result. What cannot be cut (an image, structured content that a
/// schema promises) is left out; the result is then an error, so that nobody takes it for the whole.
#[derive(Debug, Clone, Default)]
pub struct ResponseLimiting(ResponseLimitingConfig);

impl ResponseLimiting {
    /// Allows what the configuration says.
    pub fn new(config: ResponseLimitingConfig) -> Self {
        Self(config)
    }
}

fn size(content: &Content) -> usize {
    match content {
        Content::Text(text) => text.len(),
        Content::Image { data, .. } | Content::Audio { data, .. } => encoded(data),
        Content::Resource(contents) => body_size(contents),
        Content::Link { uri, name, description, .. } => {
            uri.len() + name.len() + description.as_ref().map_or(0, String::len)
        }
    }
}

fn body_size(contents: &ResourceContents) -> usize {
    match &contents.body {
        ResourceBody::Text(text) => text.len(),
        ResourceBody::Blob(data) => encoded(data),
    }
}

/// Bytes travel as base64.
fn encoded(data: &Bytes) -> usize {
    data.len().div_ceil(3).saturating_mul(4)
}

fn cut(text: &mut String, limit: usize) {
    let limit = limit.min(text.len());
    let end = (0..=limit).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    text.truncate(end);
}

fn limit_tool(mut result: ToolResult, limit: usize, promises_structure: bool) -> ToolResult {
    let structured = result.structured.as_ref().map_or(0, |structured| structured.get().len());
    let total = result.content.iter().map(size).sum::<usize>() + structured;
    if total <= limit {
        return result;
    }
    let mut left = limit;
    let mut kept = Vec::new();
    let mut left_out = false;
    for mut content in result.content {
        let fits = size(&content) <= left;
        match &mut content {
            _ if fits => {}
            Content::Text(text) => cut(text, left),
            _ => {
                left_out = true;
                continue;
            }
        }
        left -= size(&content).min(left);
        if !matches!(&content, Content::Text(text) if text.is_empty()) {
            kept.push(content);
        }
    }
    kept.push(Content::Text(format!(
        "[The result has {total} bytes, of which this server sends {limit}. Ask for less: a page, a filter, fewer fields.]"
    )));
    result.content = kept;
    result.structured = None;
    result.is_error |= left_out || promises_structure;
    result
}

#[async_trait]
impl Middleware for ResponseLimiting {
    async fn on_call_tool(
        &self,
        context: &Context,
        call: CallTool,
        next: Next<'_, CallTool, ToolResult>,
    ) -> Result<ToolResult, Error> {
        if !self.0.tools.is_empty() && !self.0.tools.contains(&call.name) {
            return next.run(call).await;
        }
        let promises_structure = context.tool_info(&call.name).is_some_and(|info| info.output_schema.is_some());
        Ok(limit_tool(next.run(call).await?, self.0.max_bytes, promises_structure))
    }

    async fn on_read_resource(
        &self,
        context: &Context,
        read: ReadResource,
        next: Next<'_, ReadResource, Vec<ResourceContents>>,
    ) -> Result<Vec<ResourceContents>, Error> {
        let contents = next.run(read).await?;
        let total: usize = contents.iter().map(body_size).sum();
        if self.0.tools.is_empty() && total > self.0.max_bytes {
            // Half a document under its own URI would be taken for the whole.
            let limit = self.0.max_bytes;
            context.insert(ForClient);
            return Err(Error::failed(format!("The resource has {total} bytes; this server sends at most {limit}.")));
        }
        Ok(contents)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{json, value::RawValue};

    use super::{super::bench::Bench, *};

    #[tokio::test]
    async fn a_large_result_is_cut_and_says_so() {
        let limit = ResponseLimiting::new(ResponseLimitingConfig { max_bytes: 101, ..Default::default() });
        let server = Bench::new().layer(limit);
        let result = server.call("echo", json!({"text": "ü".repeat(500)})).await.unwrap();
        let Content::Text(first) = &result.content[0] else { panic!() };
        assert_eq!(first.len(), 100, "cut between characters");
        assert!(Bench::text(&result).contains("has 1000 bytes, of which this server sends 101"));
        assert!(!result.is_error);
        let small = server.call("echo", json!({"text": "x"})).await.unwrap();
        assert_eq!(Bench::text(&small), "x");
    }

    #[test]
    fn what_cannot_be_cut_is_left_out_and_the_result_an_error() {
        let image = Content::Image { data: Bytes::from(vec![0; 1000]), media_type: "image/png".to_owned() };
        let result = ToolResult { content: vec![Content::Text("caption".to_owned()), image], ..ToolResult::default() };
        let limited = limit_tool(result, 100, false);
        assert!(limited.is_error && limited.content.len() == 2);

        let structured = RawValue::from_string(format!("{{\"a\":\"{}\"}}", "x".repeat(200))).unwrap();
        let result = ToolResult { structured: Some(structured), ..ToolResult::text("short") };
        let limited = limit_tool(result.clone(), 100, true);
        assert!(limited.is_error && limited.structured.is_none());
        assert!(!limit_tool(result, 100, false).is_error, "no schema promises it");
    }
}
