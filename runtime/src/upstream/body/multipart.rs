//! `multipart/form-data` (RFC 7578) and other multipart bodies.

use std::{
    collections::hash_map::RandomState,
    hash::{BuildHasher, Hasher},
};

use serde_json::Value;

use super::{Content, File, MediaType};
use crate::{
    Error,
    catalog::{Body, PartEncoding, Style},
    upstream::{
        encode::Place,
        style::{Writer, text},
    },
};

struct Part {
    name: String,
    filename: Option<String>,
    content_type: Option<String>,
    headers: &'static [(&'static str, &'static str)],
    bytes: Vec<u8>,
}

/// Writes one part per property; an array has one part per item. Objects are JSON, bytes are files.
pub(super) fn encode(body: &Body, media_type: MediaType<'_>, value: Value) -> Result<Content, Error> {
    let Value::Object(members) = value else {
        return Err(super::named(body, "has to be an object with one member per part".to_owned()));
    };
    let mut parts = Vec::new();
    for (name, value) in &members {
        let encoding = body.encoding.iter().find(|encoding| encoding.name == name);
        parts_of(name, value, encoding, &mut parts)?;
    }
    let essence = if media_type.is_range() { "multipart/form-data" } else { media_type.essence() };
    let form = essence.eq_ignore_ascii_case("multipart/form-data");
    let boundary = boundary(&parts);
    let mut bytes = Vec::new();
    for part in parts {
        bytes.extend_from_slice(format!("--{boundary}\r\n").as_bytes());
        if form {
            bytes.extend_from_slice(
                format!("Content-Disposition: form-data; name=\"{}\"", quoted(&part.name)).as_bytes(),
            );
            if let Some(filename) = &part.filename {
                bytes.extend_from_slice(format!("; filename=\"{}\"", quoted(filename)).as_bytes());
            }
            bytes.extend_from_slice(b"\r\n");
        }
        if let Some(content_type) = &part.content_type {
            bytes.extend_from_slice(format!("Content-Type: {content_type}\r\n").as_bytes());
        }
        for (name, value) in part.headers {
            bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        }
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(&part.bytes);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    Content::new(&format!("{essence}; boundary={boundary}"), bytes)
}

fn parts_of(name: &str, value: &Value, encoding: Option<&PartEncoding>, parts: &mut Vec<Part>) -> Result<(), Error> {
    let binary = encoding.is_some_and(|encoding| encoding.file);
    let headers = encoding.map_or(&[][..], |encoding| encoding.headers);
    let declared = encoding.map(|encoding| encoding.content_type).unwrap_or_default();
    if let Some((style, explode, _)) = encoding.and_then(|encoding| encoding.style)
        && !binary
    {
        let writer = Writer { place: Place::Verbatim, reserved: false };
        let style = if style == Style::Simple { Style::Form } else { style };
        for (name, value) in writer.pairs(name, value, style, explode) {
            let bytes = value.unwrap_or_default().into_bytes();
            parts.push(Part { name, filename: None, content_type: None, headers, bytes });
        }
        return Ok(());
    }
    let declared_one =
        || declared.split(',').map(str::trim).find(|one| !one.is_empty() && !one.contains('*')).map(str::to_owned);
    let is_json = MediaType::parse(declared).is_json();
    match value {
        Value::Array(items) if !is_json => {
            for item in items {
                parts_of(name, item, encoding, parts)?;
            }
        }
        value if (binary && !value.is_null()) || (!is_json && File::explicit(value).is_some()) => {
            let file = File::of(value).map_err(|why| Error::invalid_params(format!("`{name}`: {why}")))?;
            if let Some(given) = &file.content_type
                && !is_media_type(given)
            {
                return Err(Error::invalid_params(format!(
                    "`{name}`: `contentType` has to be a media type, `image/png`"
                )));
            }
            parts.push(Part {
                name: name.to_owned(),
                filename: Some(file.filename.unwrap_or_else(|| name.to_owned())),
                content_type: file.content_type.or_else(declared_one).or(Some("application/octet-stream".to_owned())),
                headers,
                bytes: file.bytes.to_vec(),
            });
        }
        value => {
            let complex = is_json || value.is_object() || value.is_array();
            parts.push(Part {
                name: name.to_owned(),
                filename: None,
                content_type: declared_one().or(complex.then(|| "application/json".to_owned())),
                headers,
                bytes: if complex { value.to_string().into_bytes() } else { text(value).into_bytes() },
            });
        }
    }
    Ok(())
}

fn is_media_type(text: &str) -> bool {
    let media_type = MediaType::parse(text);
    media_type.essence().split_once('/').is_some_and(|(first, second)| !first.is_empty() && !second.is_empty())
        && text.bytes().all(|byte| (b' '..0x7f).contains(&byte))
}

/// A name within quotes as browsers write it (WHATWG HTML §4.10.21.8): nothing can end the quotes or the line.
fn quoted(name: &str) -> String {
    let mut quoted = String::with_capacity(name.len());
    for character in name.chars() {
        match character {
            '"' => quoted.push_str("%22"),
            character if character.is_ascii_control() => quoted.push_str(&format!("%{:02X}", u32::from(character))),
            character => quoted.push(character),
        }
    }
    quoted
}

/// A boundary that no part contains.
fn boundary(parts: &[Part]) -> String {
    loop {
        let random = |salt: u64| {
            let mut hasher = RandomState::new().build_hasher();
            hasher.write_u64(salt);
            hasher.finish()
        };
        let boundary = format!("mcpwright-{:016x}{:016x}", random(1), random(2));
        if !parts.iter().any(|part| contains(&part.bytes, boundary.as_bytes())) {
            return boundary;
        }
    }
}

fn contains(bytes: &[u8], needle: &[u8]) -> bool {
    bytes.windows(needle.len()).any(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn written(body: &Body, value: Value) -> String {
        let content = encode(body, MediaType::parse(body.media_type), value).expect("a body");
        let media_type = content.media_type.to_str().expect("text").to_owned();
        let boundary = MediaType::parse(&media_type).parameter("boundary").expect("a boundary").to_owned();
        String::from_utf8(content.bytes.to_vec()).expect("text").replace(&boundary, "B").replace("\r\n", "\n")
    }

    const BODY: Body = Body {
        media_type: "multipart/form-data",
        encoding: &[
            PartEncoding {
                name: "meta",
                content_type: "application/vnd.x+json",
                headers: &[("X-Part", "1")],
                ..PartEncoding::DEFAULT
            },
            PartEncoding { name: "list", style: Some((Style::PipeDelimited, false, false)), ..PartEncoding::DEFAULT },
            PartEncoding { name: "deep", style: Some((Style::DeepObject, true, false)), ..PartEncoding::DEFAULT },
            PartEncoding { name: "file", content_type: "image/png, image/jpeg", file: true, ..PartEncoding::DEFAULT },
            PartEncoding { name: "files", file: true, ..PartEncoding::DEFAULT },
        ],
        ..Body::JSON
    };

    #[test]
    fn each_kind_of_value_has_its_part() {
        insta::assert_snapshot!(written(&BODY, json!({
            "file": "aGk=",
            "files": [{ "text": "one", "filename": "1.txt", "contentType": "text/plain" }, "dHdv"],
            "note": "plain",
            "count": 3,
            "tags": ["a", "b"],
            "object": { "a": null },
            "meta": { "k": [1] },
            "list": ["a", "b"],
            "deep": { "k": "v" },
        })), @r#"
        --B
        Content-Disposition: form-data; name="file"; filename="file"
        Content-Type: image/png

        hi
        --B
        Content-Disposition: form-data; name="files"; filename="1.txt"
        Content-Type: text/plain

        one
        --B
        Content-Disposition: form-data; name="files"; filename="files"
        Content-Type: application/octet-stream

        two
        --B
        Content-Disposition: form-data; name="note"

        plain
        --B
        Content-Disposition: form-data; name="count"

        3
        --B
        Content-Disposition: form-data; name="tags"

        a
        --B
        Content-Disposition: form-data; name="tags"

        b
        --B
        Content-Disposition: form-data; name="object"
        Content-Type: application/json

        {"a":null}
        --B
        Content-Disposition: form-data; name="meta"
        Content-Type: application/vnd.x+json
        X-Part: 1

        {"k":[1]}
        --B
        Content-Disposition: form-data; name="list"

        a|b
        --B
        Content-Disposition: form-data; name="deep[k]"

        v
        --B--
        "#);
    }

    #[test]
    fn u7_names_cannot_break_out_of_their_header() {
        let body = written(&BODY, json!({ "file": { "text": "x", "filename": "a\"\r\nX-Evil: 1\r\n\r\n.png" } }));
        assert!(body.contains("filename=\"a%22%0D%0AX-Evil: 1%0D%0A%0D%0A.png\""), "{body}");
        let error = encode(
            &BODY,
            MediaType::parse(BODY.media_type),
            json!({ "file": { "text": "x", "contentType": "a/b\r\nX-Evil: 1" } }),
        );
        assert!(error.is_err());
    }
}
