//! Answers as bytes and back.

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value, value::RawValue};

use crate::{
    content::{Content, ResourceBody, ResourceContents, ToolResult},
    message::{PromptMessage, PromptResult, Response, Role},
};

/// What is kept of an answer. `None` for kinds that are not kept.
pub(super) fn encode(answer: &Response) -> Option<Vec<u8>> {
    let kept = match answer {
        Response::Tool(result) => Kept::Tool {
            content: result.content.iter().map(Into::into).collect(),
            structured: result.structured.clone(),
            meta: result.meta.clone(),
        },
        Response::Resource(contents) => Kept::Resource(contents.iter().map(Into::into).collect()),
        Response::Prompt(result) => Kept::Prompt {
            description: result.description.clone(),
            messages: result
                .messages
                .iter()
                .map(|message| (message.role == Role::Assistant, (&message.content).into()))
                .collect(),
        },
        _ => return None,
    };
    serde_json::to_vec(&kept).ok()
}

/// The answer that was kept; `None` when the bytes are none, as after an update of the server.
pub(super) fn decode(bytes: &[u8]) -> Option<Response> {
    Some(match serde_json::from_slice(bytes).ok()? {
        Kept::Tool { content, structured, meta } => {
            let content = content.into_iter().map(Into::into).collect();
            Response::Tool(ToolResult { content, structured, is_error: false, meta })
        }
        Kept::Resource(contents) => Response::Resource(contents.into_iter().map(Into::into).collect()),
        Kept::Prompt { description, messages } => {
            let message = |(is_assistant, content): (bool, Block)| PromptMessage {
                role: if is_assistant { Role::Assistant } else { Role::User },
                content: content.into(),
            };
            Response::Prompt(PromptResult { description, messages: messages.into_iter().map(message).collect() })
        }
    })
}

#[derive(Serialize, Deserialize)]
enum Kept {
    Tool { content: Vec<Block>, structured: Option<Box<RawValue>>, meta: Map<String, Value> },
    Resource(Vec<Contents>),
    Prompt { description: Option<String>, messages: Vec<(bool, Block)> },
}

#[derive(Serialize, Deserialize)]
enum Block {
    Text(String),
    Image(Blob, String),
    Audio(Blob, String),
    Resource(Contents),
    Link { uri: String, name: String, description: Option<String>, media_type: Option<String> },
}

#[derive(Serialize, Deserialize)]
struct Contents {
    uri: String,
    media_type: Option<String>,
    body: Body,
    meta: Map<String, Value>,
}

#[derive(Serialize, Deserialize)]
enum Body {
    Text(String),
    Blob(Blob),
}

/// Bytes, as base64.
struct Blob(Bytes);

impl Serialize for Blob {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&BASE64_STANDARD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Blob {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        BASE64_STANDARD.decode(text).map(|bytes| Self(bytes.into())).map_err(serde::de::Error::custom)
    }
}

impl From<&Content> for Block {
    fn from(content: &Content) -> Self {
        match content.clone() {
            Content::Text(text) => Self::Text(text),
            Content::Image { data, media_type } => Self::Image(Blob(data), media_type),
            Content::Audio { data, media_type } => Self::Audio(Blob(data), media_type),
            Content::Resource(contents) => Self::Resource((&contents).into()),
            Content::Link { uri, name, description, media_type } => Self::Link { uri, name, description, media_type },
        }
    }
}

impl From<Block> for Content {
    fn from(block: Block) -> Self {
        match block {
            Block::Text(text) => Self::Text(text),
            Block::Image(data, media_type) => Self::Image { data: data.0, media_type },
            Block::Audio(data, media_type) => Self::Audio { data: data.0, media_type },
            Block::Resource(contents) => Self::Resource(contents.into()),
            Block::Link { uri, name, description, media_type } => Self::Link { uri, name, description, media_type },
        }
    }
}

impl From<&ResourceContents> for Contents {
    fn from(contents: &ResourceContents) -> Self {
        let ResourceContents { uri, media_type, body, meta } = contents.clone();
        let body = match body {
            ResourceBody::Text(text) => Body::Text(text),
            ResourceBody::Blob(data) => Body::Blob(Blob(data)),
        };
        Self { uri, media_type, body, meta }
    }
}

impl From<Contents> for ResourceContents {
    fn from(Contents { uri, media_type, body, meta }: Contents) -> Self {
        let body = match body {
            Body::Text(text) => ResourceBody::Text(text),
            Body::Blob(data) => ResourceBody::Blob(data.0),
        };
        Self { uri, media_type, body, meta }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_kind_of_content_comes_back_as_it_was() {
        let contents = |body| ResourceContents {
            uri: "a://b".to_owned(),
            media_type: Some("x/y".to_owned()),
            body,
            meta: Map::from_iter([("k".to_owned(), json!([1, null]))]),
        };
        let data = Bytes::from_static(&[0, 255, 128]);
        let all = vec![
            Content::Text("ü\0".to_owned()),
            Content::Image { data: data.clone(), media_type: "image/png".to_owned() },
            Content::Audio { data: data.clone(), media_type: "audio/wav".to_owned() },
            Content::Resource(contents(ResourceBody::Blob(data))),
            Content::Link { uri: "u".to_owned(), name: "n".to_owned(), description: None, media_type: None },
        ];
        let structured = RawValue::from_string(r#"{"big":12345678901234567890.10}"#.to_owned()).ok();
        let result = ToolResult { content: all, structured, ..ToolResult::default() };
        let prompt = PromptResult {
            description: Some("d".to_owned()),
            messages: vec![PromptMessage::assistant("a"), PromptMessage::user("u")],
        };
        for answer in [
            Response::Tool(result),
            Response::Resource(vec![contents(ResourceBody::Text("t".to_owned()))]),
            Response::Prompt(prompt),
        ] {
            let back = decode(&encode(&answer).unwrap()).unwrap();
            assert_eq!(format!("{back:?}"), format!("{answer:?}"));
        }
        assert!(encode(&Response::Empty).is_none() && decode(b"{}").is_none());
    }
}
