//! What components answer with: content blocks, tool results, resource contents.

use bytes::Bytes;
use serde_json::{Map, Value, value::RawValue};

/// One block of a tool's result or of a prompt.
#[derive(Debug, Clone)]
pub enum Content {
    /// Text.
    Text(String),
    /// An image.
    Image {
        /// The bytes, not encoded.
        data: Bytes,
        /// `image/png` …
        media_type: String,
    },
    /// Sound.
    Audio {
        /// The bytes, not encoded.
        data: Bytes,
        /// `audio/mpeg` …
        media_type: String,
    },
    /// The contents of a resource, embedded.
    Resource(ResourceContents),
    /// A reference to a resource that the client may read.
    Link {
        /// The URI.
        uri: String,
        /// The name.
        name: String,
        /// What it is.
        description: Option<String>,
        /// Its media type.
        media_type: Option<String>,
    },
}

/// The contents of one resource.
#[derive(Debug, Clone)]
pub struct ResourceContents {
    /// The URI that was read.
    pub uri: String,
    /// The media type.
    pub media_type: Option<String>,
    /// The contents.
    pub body: ResourceBody,
    /// `_meta`.
    pub meta: Map<String, Value>,
}

/// Text or bytes.
#[derive(Debug, Clone)]
pub enum ResourceBody {
    /// Text.
    Text(String),
    /// Anything else, not encoded.
    Blob(Bytes),
}

/// The result of a tool.
#[derive(Debug, Clone, Default)]
pub struct ToolResult {
    /// The blocks.
    pub content: Vec<Content>,
    /// `structuredContent` as JSON text, so that what an upstream API answered passes through unparsed. Always an
    /// object, since protocol versions up to 2025-11-25 allow nothing else.
    pub structured: Option<Box<RawValue>>,
    /// Whether the tool failed; the content then says why, for the model.
    pub is_error: bool,
    /// `_meta`.
    pub meta: Map<String, Value>,
}

impl ToolResult {
    /// One block of text.
    pub fn text(text: impl Into<String>) -> Self {
        Self { content: vec![Content::Text(text.into())], ..Self::default() }
    }

    /// A failure that the model should see.
    pub fn error(text: impl Into<String>) -> Self {
        Self { is_error: true, ..Self::text(text) }
    }
}
