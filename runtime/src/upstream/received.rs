//! What came back from the API, read within limits.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use http::{HeaderMap, StatusCode, header};

use super::{
    media::MediaType,
    transport::{Answer, TransportError},
};

/// A response whose body has been read as far as the limits allow.
#[derive(Debug, Clone)]
pub(super) struct Received {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    /// Why the body is not whole.
    pub(super) cut: Option<Cut>,
}

/// Why a body is not whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cut {
    /// It is longer than this many bytes.
    TooLong(u32),
    /// It is a stream that was still open after this time.
    StillOpen(Duration),
}

impl Cut {
    /// What the reader of a cut body should know.
    pub(super) fn notice(self) -> String {
        match self {
            Cut::TooLong(limit) => format!("[The API's answer is longer than {limit} bytes; this is its beginning.]"),
            Cut::StillOpen(after) => {
                format!("[The API's stream was still open after {} s; this is what had come.]", after.as_secs())
            }
        }
    }
}

impl Received {
    /// Reads the body. A stream of events that outlives `timeout` gives what came until then.
    pub(super) async fn read(answer: Answer, limit: u32, timeout: Duration) -> Result<Self, TransportError> {
        let Answer { status, headers, mut body } = answer;
        let text = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let media_type = MediaType::parse(text);
        let is_stream = media_type.is_event_stream() || media_type.is_json_sequence();
        let deadline = tokio::time::Instant::now() + timeout;
        let mut bytes = BytesMut::new();
        let mut cut = None;
        loop {
            let chunk = match tokio::time::timeout_at(deadline, body.next()).await {
                Ok(None) => break,
                Ok(Some(chunk)) => chunk?,
                Err(_) if is_stream && !bytes.is_empty() => {
                    cut = Some(Cut::StillOpen(timeout));
                    break;
                }
                Err(_) => return Err(TransportError::Timeout),
            };
            let room = limit as usize - bytes.len();
            if chunk.len() > room {
                bytes.extend_from_slice(&chunk[..room]);
                cut = Some(Cut::TooLong(limit));
                break;
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(Self { status, headers, body: bytes.freeze(), cut })
    }

    /// A header as text; `None` when it is absent or not ASCII.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// `Content-Type`; empty when there is none.
    pub(super) fn content_type(&self) -> &str {
        self.header("content-type").unwrap_or_default()
    }

    /// The media type of the body: the declared one, or JSON where nothing is declared and it looks like JSON.
    pub(super) fn media_type(&self) -> MediaType<'_> {
        let declared = MediaType::parse(self.content_type());
        if declared.essence().is_empty() {
            let first = self.body.iter().find(|byte| !byte.is_ascii_whitespace());
            return match first {
                Some(b'{' | b'[')
                    if self.cut.is_none() && serde_json::from_slice::<serde::de::IgnoredAny>(&self.body).is_ok() =>
                {
                    MediaType::parse("application/json")
                }
                _ if std::str::from_utf8(&self.body).is_ok() => MediaType::parse("text/plain"),
                _ => MediaType::parse("application/octet-stream"),
            };
        }
        declared
    }

    /// The body as text, by the charset of the media type; bytes that are none become U+FFFD.
    pub(super) fn text(&self) -> String {
        let encoding = self
            .media_type()
            .parameter("charset")
            .and_then(|name| encoding_rs::Encoding::for_label(name.as_bytes()))
            .unwrap_or(encoding_rs::UTF_8);
        let (text, _, malformed) = encoding.decode(&self.body);
        let text = text.into_owned();
        // A cut may go through the middle of a character.
        if malformed && self.cut.is_some() { text.trim_end_matches('\u{fffd}').to_owned() } else { text }
    }
}
