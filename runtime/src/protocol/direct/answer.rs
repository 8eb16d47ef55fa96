//! Writing answers. Lists are written once and kept with their page.

use bytes::Bytes;
use rmcp::{ErrorData, model as wire};
use serde::Serialize;
use serde_json::{Map, Value, value::RawValue};

use super::{
    super::{convert, mismatch},
    request::Era,
};
use crate::{
    content::ToolResult,
    message::{Page, Response, ToolInfo},
    schema,
};

/// An answer as it goes out: a JSON-RPC message in pieces, without a line end.
pub(super) struct Answer {
    pub(super) pieces: Vec<Bytes>,
    /// The code of the error, if it is one.
    pub(super) error: Option<i32>,
}

impl Answer {
    fn whole(text: impl Into<Bytes>) -> Self {
        Self { pieces: vec![text.into()], error: None }
    }
}

/// Writes the answers to one request.
pub(super) struct Writer<'a> {
    pub(super) id: &'a RawValue,
    pub(super) era: Era,
    pub(super) list_ttl_ms: u64,
}

#[derive(Serialize)]
struct Envelope<'a, T> {
    jsonrpc: &'static str,
    id: &'a RawValue,
    result: T,
}

#[derive(Serialize)]
struct Failure<'a> {
    jsonrpc: &'static str,
    id: &'a RawValue,
    error: &'a ErrorData,
}

/// `CallToolResult` with the structured content as text.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CallResult {
    #[serde(skip_serializing_if = "Option::is_none")]
    result_type: Option<&'static str>,
    content: Vec<wire::ContentBlock>,
    #[serde(skip_serializing_if = "Option::is_none")]
    structured_content: Option<Box<RawValue>>,
    is_error: bool,
    #[serde(rename = "_meta", skip_serializing_if = "Map::is_empty")]
    meta: Map<String, Value>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ReadResult {
    #[serde(skip_serializing_if = "Option::is_none")]
    result_type: Option<&'static str>,
    ttl_ms: u64,
    cache_scope: &'static str,
    contents: Vec<wire::ResourceContents>,
}

/// A tool but for its schemas.
#[derive(Serialize)]
struct ToolHead<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    annotations: Option<wire::ToolAnnotations>,
    #[serde(skip_serializing_if = "Option::is_none")]
    icons: Option<Vec<wire::Icon>>,
    #[serde(rename = "_meta", skip_serializing_if = "Option::is_none")]
    meta: Option<wire::MetaObject>,
}

impl Writer<'_> {
    fn result_type(&self) -> Option<&'static str> {
        (self.era == Era::Modern).then_some("complete")
    }

    pub(super) fn response(&self, response: Response) -> Answer {
        match response {
            Response::Tool(result) => self.tool(result),
            Response::Resource(contents) => self.result(&ReadResult {
                result_type: self.result_type(),
                ttl_ms: 0,
                cache_scope: "private",
                contents: contents.into_iter().map(convert::resource_contents).collect(),
            }),
            Response::Tools(page) => self.list("tools", &page, write_tool),
            Response::Resources(page) => self.list("resources", &page, |info, out| push(out, &convert::resource(info))),
            Response::ResourceTemplates(page) => {
                self.list("resourceTemplates", &page, |info, out| push(out, &convert::template(info)))
            }
            Response::Prompts(page) => self.list("prompts", &page, |info, out| push(out, &convert::prompt(info))),
            _ => self.error(mismatch()),
        }
    }

    fn tool(&self, result: ToolResult) -> Answer {
        let ToolResult { content, structured, is_error, meta } = result;
        self.result(&CallResult {
            result_type: self.result_type(),
            content: content.into_iter().map(convert::content).collect(),
            structured_content: structured.map(one_line),
            is_error,
            meta,
        })
    }

    /// A call that failed in a way that the model should see.
    pub(super) fn failed_call(&self, mut result: wire::CallToolResult) -> Answer {
        if self.era == Era::Legacy {
            result.result_type = None;
        }
        self.result(&result)
    }

    pub(super) fn result(&self, result: &impl Serialize) -> Answer {
        match serde_json::to_vec(&Envelope { jsonrpc: "2.0", id: self.id, result }) {
            Ok(text) => Answer::whole(text),
            Err(error) => {
                tracing::error!(%error, "an answer cannot be written");
                self.error(ErrorData::internal_error("The answer cannot be written as JSON.", None))
            }
        }
    }

    pub(super) fn error(&self, mut error: ErrorData) -> Answer {
        if self.era == Era::Modern && error.code == wire::ErrorCode::RESOURCE_NOT_FOUND {
            error.code = wire::ErrorCode::INVALID_PARAMS;
        }
        let text = serde_json::to_vec(&Failure { jsonrpc: "2.0", id: self.id, error: &error }).unwrap_or_default();
        Answer { pieces: vec![text.into()], error: Some(error.code.0) }
    }

    fn list<T>(&self, member: &str, page: &Page<T>, write: impl Fn(&T, &mut Vec<u8>)) -> Answer {
        let items = page.encoded(|items| {
            let mut text = Vec::new();
            for (index, item) in items.iter().enumerate() {
                text.push(if index == 0 { b'[' } else { b',' });
                write(item, &mut text);
            }
            text.extend_from_slice(if items.is_empty() { b"[]" } else { b"]" });
            text.into()
        });
        let mut head = format!(r#"{{"jsonrpc":"2.0","id":{},"result":{{"#, self.id.get());
        if self.era == Era::Modern {
            head.push_str(r#""resultType":"complete","#);
        }
        if let Some(cursor) = &page.next_cursor {
            head.push_str(&format!(r#""nextCursor":{},"#, Value::from(cursor.as_str())));
        }
        head.push_str(&format!(r#""ttlMs":{},"cacheScope":"private","{member}":"#, self.list_ttl_ms));
        Answer { pieces: vec![head.into(), items, Bytes::from_static(b"}}")], error: None }
    }
}

/// What an API answers may have line breaks, which end a message over pipes.
fn one_line(raw: Box<RawValue>) -> Box<RawValue> {
    if !raw.get().contains(['\n', '\r']) {
        return raw;
    }
    let mut text = Vec::new();
    schema::compact(raw.get(), &mut text);
    String::from_utf8(text).ok().and_then(|text| RawValue::from_string(text).ok()).unwrap_or(raw)
}

fn push(out: &mut Vec<u8>, value: &impl Serialize) {
    if let Err(error) = serde_json::to_writer(&mut *out, value) {
        tracing::error!(%error, "a component's description cannot be written");
    }
}

/// A tool, with its schemas as the texts that they are.
fn write_tool(info: &ToolInfo, out: &mut Vec<u8>) {
    fn some(text: &str) -> Option<&str> {
        (!text.is_empty()).then_some(text)
    }
    push(
        out,
        &ToolHead {
            name: &info.name,
            title: some(&info.title),
            description: some(&info.description),
            annotations: convert::annotations(info),
            icons: convert::icons(&info.icons),
            meta: convert::meta(&info.meta, &info.tags),
        },
    );
    if out.last() == Some(&b'}') {
        out.pop();
    }
    out.extend_from_slice(br#","inputSchema":"#);
    info.input_schema.write(out);
    if let Some(schema) = &info.output_schema {
        out.extend_from_slice(br#","outputSchema":"#);
        schema.write(out);
    }
    out.push(b'}');
}
