//! Bytes as arguments: base64 text, or an object with `data` or `text`.

use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use bytes::Bytes;
use serde_json::Value;

const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);

/// The content of a file or of a binary body.
#[derive(Debug)]
pub(in crate::upstream) struct File {
    /// The bytes, decoded.
    pub(in crate::upstream) bytes: Bytes,
    /// The name that the client gave.
    pub(in crate::upstream) filename: Option<String>,
    /// The media type that the client gave.
    pub(in crate::upstream) content_type: Option<String>,
}

impl File {
    /// Reads an argument in either form. The error says what is wrong.
    pub(in crate::upstream) fn of(value: &Value) -> Result<Self, String> {
        if let Some(file) = Self::explicit(value) {
            return file;
        }
        match value {
            Value::String(text) => Ok(Self { bytes: decode(text)?, filename: None, content_type: None }),
            _ => Err("has to be base64 text, or an object with `data` (base64) or `text`".to_owned()),
        }
    }

    /// Reads the object form; `None` when the value is not one.
    pub(in crate::upstream) fn explicit(value: &Value) -> Option<Result<Self, String>> {
        const MEMBERS: [&str; 4] = ["data", "text", "filename", "contentType"];
        let members = value.as_object()?;
        if members.is_empty()
            || !members.iter().all(|(name, value)| MEMBERS.contains(&name.as_str()) && value.is_string())
        {
            return None;
        }
        let member = |name: &str| members.get(name).and_then(Value::as_str);
        let bytes = match (member("data"), member("text")) {
            (Some(data), None) => decode(data),
            (None, Some(text)) => Ok(Bytes::copy_from_slice(text.as_bytes())),
            (Some(_), Some(_)) => Err("has both `data` and `text`; one of them is enough".to_owned()),
            (None, None) => return None,
        };
        Some(bytes.map(|bytes| Self {
            bytes,
            filename: member("filename").map(str::to_owned),
            content_type: member("contentType").map(str::to_owned),
        }))
    }
}

/// Decodes base64 in either alphabet, with or without padding, line breaks and a `data:` URL around it.
fn decode(text: &str) -> Result<Bytes, String> {
    let text = match text.strip_prefix("data:").and_then(|rest| rest.split_once(";base64,")) {
        Some((_, encoded)) => encoded,
        None => text,
    };
    let compact: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let engine = if compact.iter().any(|byte| matches!(byte, b'-' | b'_')) { &URL_SAFE } else { &STANDARD };
    engine
        .decode(compact)
        .map(Bytes::from)
        .map_err(|_| "is not base64; for text, give an object with the member `text`".to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn bytes_come_as_base64_or_as_an_object() {
        for value in [
            json!("aGk_"),
            json!("aGk/"),
            json!("aG\nk/"),
            json!("data:image/png;base64,aGk/"),
            json!({ "data": "aGk/" }),
            json!({ "text": "hi?", "filename": "a.txt", "contentType": "text/plain" }),
        ] {
            assert_eq!(File::of(&value).expect("a file").bytes, "hi?", "{value}");
        }
        assert_eq!(File::of(&json!("aGk")).expect("unpadded").bytes, "hi");
    }

    #[test]
    fn what_is_no_file_says_why() {
        assert!(File::of(&json!("not base64!")).is_err_and(|why| why.contains("base64")));
        assert!(File::of(&json!({ "data": "aGk=", "text": "hi" })).is_err_and(|why| why.contains("both")));
        assert!(File::of(&json!({ "data": 1 })).is_err());
        assert!(File::of(&json!(null)).is_err());
    }
}
