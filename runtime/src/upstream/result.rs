//! Responses as results of tools and contents of resources.

mod failure;
mod links;
mod meta;
mod paging;
mod salvage;
mod sequence;
mod typed_xml;
mod xml;

pub(crate) use links::HINTS;
pub(crate) use meta::KEY as ANSWER_META;
use serde_json::{Map, Value, value::RawValue};

use super::{
    credentials::Applied,
    received::{Cut, Received},
};
use crate::{
    Error,
    catalog::{Api, Operation},
    content::{Content, ResourceBody, ResourceContents, ToolResult},
    error::ErrorKind,
};

/// What a result is made from.
pub(super) struct Source<'a> {
    pub(super) api: &'static Api,
    pub(super) operation: &'static Operation,
    /// The arguments of the call, for operations with links.
    pub(super) arguments: Option<&'a Map<String, Value>>,
    /// The prefix of environment variables, for advice.
    pub(super) prefix: &'a str,
    pub(super) received: &'a Received,
    pub(super) applied: &'a Applied,
}

/// What the body is to a client.
enum Shape {
    Empty,
    /// JSON, whole or mended.
    Json(Box<RawValue>),
    Text(String),
    Bytes,
}

impl Source<'_> {
    /// The result of a tool. A status other than 2xx is a failed result.
    pub(super) fn tool_result(&self) -> ToolResult {
        if !self.received.status.is_success() {
            let mut failure = self.failure();
            let body = serde_json::from_str(&self.received.text()).ok();
            self.add_links(body, &mut failure.content, &mut failure.meta);
            return failure;
        }
        let shape = self.shape();
        let mut result = match &shape {
            Shape::Empty => ToolResult::text(self.confirmation()),
            Shape::Json(json) => ToolResult::text(json.get()),
            Shape::Text(text) => ToolResult::text(text.clone()),
            Shape::Bytes => self.bytes(),
        };
        result.structured = match &shape {
            _ if result.is_error => None,
            Shape::Json(json) => self.structured(json),
            Shape::Text(text) => self.structured_text(text),
            Shape::Empty => self.structured_empty(),
            Shape::Bytes => None,
        };
        if let Some(cut) = self.received.cut
            && !matches!(shape, Shape::Bytes)
        {
            result.content.push(Content::Text(cut.notice()));
            // A client that checks the promised structure must not take a piece for the whole.
            result.is_error = self.operation.output.is_some() && result.structured.is_none();
        }
        if self.operation.output.is_some() && result.structured.is_none() && !result.is_error {
            // A client that checks the promised structure throws the whole result away unless it is an error.
            result.is_error = true;
            result.content.push(Content::Text(format!(
                "[The API answered {}, so the call was carried out, but not with the structure that its document promises.]",
                status_line(self.received.status)
            )));
        }
        let next = match &shape {
            Shape::Json(json) => paging::next(self.operation, self.received, Some(json)),
            _ => paging::next(self.operation, self.received, None),
        };
        if let Some(next) = &next {
            let arguments = Value::Object(next.clone());
            result
                .content
                .push(Content::Text(format!("[There is more: call again with these arguments changed: {arguments}]")));
        }
        result.meta = self.meta(next);
        self.add_links(self.link_body(&shape), &mut result.content, &mut result.meta);
        result
    }

    /// The contents of a resource.
    pub(super) fn contents(&self, uri: &str) -> Result<Vec<ResourceContents>, Error> {
        if !self.received.status.is_success() {
            let failure = self.failure();
            let kind = match self.received.status.as_u16() {
                404 | 410 => ErrorKind::NotFound,
                _ => ErrorKind::Failed,
            };
            let message = match failure.content.into_iter().next() {
                Some(Content::Text(text)) => text,
                _ => String::new(),
            };
            let mut error = Error::new(kind, message);
            if let Some(details) = failure.meta.into_iter().next() {
                error = error.with_data(details.1);
            }
            return Err(error);
        }
        let cut = self.received.cut;
        let shape = self.shape();
        let mut meta = self.meta(paging::next(self.operation, self.received, None));
        self.add_links(self.link_body(&shape), &mut Vec::new(), &mut meta);
        let body = match shape {
            Shape::Empty => ResourceBody::Text(String::new()),
            Shape::Json(json) => ResourceBody::Text(json.get().to_owned()),
            Shape::Text(text) => ResourceBody::Text(text),
            Shape::Bytes if cut.is_some() => return Err(Error::failed(self.too_long())),
            Shape::Bytes => ResourceBody::Blob(self.received.body.clone()),
        };
        let essence = self.received.media_type().essence();
        let mut contents = vec![ResourceContents {
            uri: uri.to_owned(),
            media_type: (!essence.is_empty()).then(|| essence.to_owned()),
            body,
            meta,
        }];
        if let Some(cut) = cut {
            contents.push(ResourceContents {
                uri: format!("{uri}#notice"),
                media_type: Some("text/plain".to_owned()),
                body: ResourceBody::Text(cut.notice()),
                meta: serde_json::Map::new(),
            });
        }
        Ok(contents)
    }

    fn shape(&self) -> Shape {
        let received = self.received;
        if received.body.is_empty() {
            return Shape::Empty;
        }
        let media_type = received.media_type();
        let readable = media_type.is_text() || media_type.is_range() && std::str::from_utf8(&received.body).is_ok();
        if !readable {
            return Shape::Bytes;
        }
        let mut text = received.text();
        if self.applied.leaks_into(&text) {
            text = self.applied.redact(text);
        }
        if media_type.is_json() || media_type.is_range() {
            if let Ok(json) = serde_json::from_str::<Box<RawValue>>(&text) {
                return Shape::Json(json);
            }
            if matches!(received.cut, Some(Cut::TooLong(_)))
                && let Some(json) = salvage::complete(&text)
            {
                return Shape::Json(json);
            }
        }
        Shape::Text(text)
    }

    /// JSON as `structuredContent`: an object as it is, anything else and what the catalog says is wrapped as the
    /// member `result`.
    fn structured(&self, json: &RawValue) -> Option<Box<RawValue>> {
        let is_object = json.get().starts_with('{');
        let wrapped = match self.operation.output {
            Some(output) => output.wrapped || !is_object,
            None => !is_object,
        };
        if wrapped { wrap(json.get()) } else { Some(json.to_owned()) }
    }

    /// Text as a structure: sequences of JSON as arrays, XML as objects where no other structure is promised, other
    /// text as a string where some structure is.
    fn structured_text(&self, text: &str) -> Option<Box<RawValue>> {
        let media_type = self.received.media_type();
        if media_type.is_json_sequence() || media_type.is_event_stream() {
            let items = if media_type.is_event_stream() { sequence::events(text) } else { sequence::lines(text) };
            if self.operation.output.is_some() || !items.is_empty() {
                return wrap(&format!("[{}]", items.join(",")));
            }
            return None;
        }
        match self.operation.output {
            None if media_type.is_xml() && !media_type.is_document() && self.received.cut.is_none() => {
                self.structured_xml(xml::value(text)?)
            }
            Some(output)
                if media_type.is_xml() && !self.operation.answer_xml.is_empty() && self.received.cut.is_none() =>
            {
                let schema: Value = serde_json::from_str(self.operation.answer_xml).ok()?;
                let value = typed_xml::value(&xml::value(text)?, &schema)?;
                if output.wrapped {
                    wrap(&value.to_string())
                } else {
                    value.is_object().then(|| RawValue::from_string(value.to_string()).ok())?
                }
            }
            Some(output) if output.wrapped && self.received.cut.is_none() => wrap(&Value::from(text).to_string()),
            _ => None,
        }
    }

    /// XML by its schema where the document has one that fits, else as it is written.
    fn structured_xml(&self, document: Value) -> Option<Box<RawValue>> {
        let value = self.typed_xml(document);
        let json = value.to_string();
        if value.is_object() { RawValue::from_string(json).ok() } else { wrap(&json) }
    }

    fn typed_xml(&self, document: Value) -> Value {
        let schema = serde_json::from_str(self.operation.answer_xml).ok();
        schema.and_then(|schema: Value| typed_xml::value(&document, &schema)).unwrap_or(document)
    }

    /// Nothing, where a structure is promised.
    fn structured_empty(&self) -> Option<Box<RawValue>> {
        match self.operation.output {
            Some(output) if output.wrapped => wrap("null"),
            Some(_) => RawValue::from_string("{}".to_owned()).ok(),
            None => None,
        }
    }

    fn confirmation(&self) -> String {
        let received = self.received;
        let mut text = format!("Done: the API answered {}", status_line(received.status));
        text.push_str(" without a body.");
        if let Some(location) = received.header("location") {
            text.push_str(&format!(" Location: {}", self.applied.redact(location.to_owned())));
        }
        text
    }

    fn bytes(&self) -> ToolResult {
        if self.received.cut.is_some() {
            return ToolResult::error(self.too_long());
        }
        let data = self.received.body.clone();
        let media_type = self.received.media_type();
        let essence = media_type.essence().to_owned();
        let content = if media_type.is_image() {
            Content::Image { data, media_type: essence }
        } else if media_type.is_audio() {
            Content::Audio { data, media_type: essence }
        } else {
            Content::Resource(ResourceContents {
                uri: format!(
                    "api://{}{}",
                    self.api.name,
                    self.operation.path.split(['?', '#', '{']).next().unwrap_or_default()
                ),
                media_type: Some(essence),
                body: ResourceBody::Blob(data),
                meta: serde_json::Map::new(),
            })
        };
        ToolResult { content: vec![content], ..ToolResult::default() }
    }

    fn too_long(&self) -> String {
        let limit = match self.received.cut {
            Some(Cut::TooLong(limit)) => format!("{limit} bytes"),
            _ => "this server allows".to_owned(),
        };
        format!(
            "the API's answer ({}) is longer than {limit}, and a piece of it is of no use; {}_MAX_RESPONSE_BYTES sets the limit",
            self.received.media_type().essence(),
            self.prefix
        )
    }
}

fn wrap(json: &str) -> Option<Box<RawValue>> {
    RawValue::from_string(format!("{{\"result\":{json}}}")).ok()
}

/// `404 Not Found`
fn status_line(status: http::StatusCode) -> String {
    match status.canonical_reason() {
        Some(reason) => format!("{} {reason}", status.as_u16()),
        None => status.as_u16().to_string(),
    }
}
