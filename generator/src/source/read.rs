//! Bytes from files, URLs and standard input as text: UTF-8 or UTF-16, with or without a byte order mark.

use std::io::Read;

use super::{ReadOptions, Source};

/// Why a document could not be read.
#[derive(Debug, thiserror::Error)]
#[error("{name}: {message}")]
pub struct ReadError {
    /// The document's name.
    pub name: String,
    /// What went wrong.
    pub message: String,
}

impl ReadError {
    pub(crate) fn new(name: impl Into<String>, message: impl Into<String>) -> Self {
        Self { name: name.into(), message: message.into() }
    }
}

/// The whole of standard input.
pub(super) fn standard_input() -> Result<String, ReadError> {
    let limit = ReadOptions::default().max_bytes;
    let mut bytes = Vec::new();
    std::io::stdin()
        .lock()
        .take(limit + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| ReadError::new("<stdin>", error.to_string()))?;
    decode("<stdin>", bytes, limit)
}

/// The text of a source.
pub(super) fn text(source: &Source, options: &ReadOptions) -> Result<String, ReadError> {
    match source {
        Source::Text { name, text } => decode(name, text.clone().into_bytes(), options.max_bytes),
        Source::Path(path) => {
            let name = path.display().to_string();
            let failed = |error: std::io::Error| match error.kind() {
                std::io::ErrorKind::NotFound => ReadError::new(&name, "no such file"),
                _ => ReadError::new(&name, format!("cannot be read: {error}")),
            };
            let file = std::fs::File::open(path).map_err(failed)?;
            let metadata = file.metadata().map_err(failed)?;
            if metadata.is_dir() {
                return Err(ReadError::new(&name, "is a folder; name the OpenAPI document in it"));
            }
            // One byte more, so that the end is seen without growing. What is no plain file may lie about its length.
            let expected = usize::try_from(metadata.len().min(options.max_bytes) + 1).unwrap_or_default();
            let mut bytes = Vec::with_capacity(expected);
            file.take(options.max_bytes + 1).read_to_end(&mut bytes).map_err(failed)?;
            decode(&name, bytes, options.max_bytes)
        }
        Source::Url(url) => {
            let bytes = fetch(url, options.max_bytes)?;
            decode(url.as_str(), bytes, options.max_bytes)
        }
    }
}

fn decode(name: &str, bytes: Vec<u8>, limit: u64) -> Result<String, ReadError> {
    if bytes.len() as u64 > limit {
        return Err(ReadError::new(name, format!("is larger than {} MiB", limit / (1024 * 1024))));
    }
    let utf16 = |little_endian: bool, skip: usize| {
        let units = bytes[skip..].chunks_exact(2).map(|pair| {
            if little_endian { u16::from_le_bytes([pair[0], pair[1]]) } else { u16::from_be_bytes([pair[0], pair[1]]) }
        });
        char::decode_utf16(units)
            .collect::<Result<String, _>>()
            .map_err(|_| ReadError::new(name, "starts like UTF-16 but is not; save it as UTF-8"))
    };
    match bytes.as_slice() {
        [0xEF, 0xBB, 0xBF, ..] => utf8(name, bytes[3..].to_vec()),
        [0xFF, 0xFE, ..] => utf16(true, 2),
        [0xFE, 0xFF, ..] => utf16(false, 2),
        [first, 0, ..] if *first != 0 => utf16(true, 0),
        [0, second, ..] if *second != 0 => utf16(false, 0),
        _ => utf8(name, bytes),
    }
}

fn utf8(name: &str, bytes: Vec<u8>) -> Result<String, ReadError> {
    String::from_utf8(bytes).map_err(|error| {
        let line = error.as_bytes()[..error.utf8_error().valid_up_to()].iter().filter(|byte| **byte == b'\n').count();
        ReadError::new(name, format!("is not UTF-8 (line {}); save it as UTF-8", line + 1))
    })
}

#[cfg(not(feature = "fetch"))]
fn fetch(url: &url::Url, _limit: u64) -> Result<Vec<u8>, ReadError> {
    Err(ReadError::new(url.as_str(), "documents are read from URLs only with the feature `fetch`"))
}

#[cfg(feature = "fetch")]
fn fetch(url: &url::Url, limit: u64) -> Result<Vec<u8>, ReadError> {
    use std::time::Duration;

    let failed = |error: reqwest::Error| {
        // The outermost message says least: "error sending request".
        let error = error.without_url();
        let mut message = error.to_string();
        let mut cause = std::error::Error::source(&error);
        while let Some(inner) = cause {
            message = format!("{message}: {inner}");
            cause = inner.source();
        }
        ReadError::new(url.as_str(), message)
    };
    let fetch = async {
        let client = reqwest::Client::builder()
            .timeout(Duration::from_secs(60))
            .connect_timeout(Duration::from_secs(10))
            .user_agent(concat!("mcpwright/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(failed)?;
        let request = client
            .get(url.clone())
            .header("accept", "application/vnd.oai.openapi+json, application/json, application/yaml, text/yaml, */*");
        let mut response = request.send().await.and_then(reqwest::Response::error_for_status).map_err(failed)?;
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            bytes.extend_from_slice(&chunk);
            if bytes.len() as u64 > limit {
                break;
            }
        }
        Ok(bytes)
    };
    // A thread of its own, so that a caller inside of another runtime is not disturbed.
    std::thread::scope(|scope| {
        scope
            .spawn(|| {
                tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()
                    .map_err(|error| ReadError::new(url.as_str(), error.to_string()))?
                    .block_on(fetch)
            })
            .join()
            .unwrap_or_else(|_| Err(ReadError::new(url.as_str(), "cannot be fetched")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Result<String, ReadError> {
        decode("x", bytes.to_vec(), 1000)
    }

    #[test]
    fn every_unicode_encoding_is_read() {
        assert_eq!(read(b"\xEF\xBB\xBF{}").unwrap(), "{}");
        assert_eq!(read(b"\xFF\xFE{\0}\0").unwrap(), "{}");
        assert_eq!(read(b"\xFE\xFF\0{\0}").unwrap(), "{}");
        assert_eq!(read(b"{\0}\0").unwrap(), "{}");
        assert_eq!(read("{\"a\":\"é\"}".as_bytes()).unwrap(), "{\"a\":\"é\"}");
    }

    #[test]
    fn bytes_that_are_no_text_are_refused_with_their_line() {
        assert!(read(b"a: b\nc: \xff").unwrap_err().to_string().contains("line 2"));
    }

    #[test]
    fn a_text_over_the_limit_is_refused() {
        assert!(read(&[b' '; 1001]).unwrap_err().to_string().contains("larger"));
    }
}
