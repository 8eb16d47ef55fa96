//! `application/x-www-form-urlencoded` (OpenAPI 3.2 §4.14.3, WHATWG URL §5).

use serde_json::Value;

use crate::{
    Error,
    catalog::{Body, PartEncoding, Style},
    upstream::{
        encode::{Place, encode as percent_encode},
        request::form_pairs,
        style::{Pair, Writer},
    },
};

/// Writes an object as a form; a string is taken as a form already written.
pub(super) fn encode(body: &Body, value: &Value) -> Result<String, Error> {
    let members = match value {
        Value::Object(members) => members,
        Value::String(form) => {
            let mut again = url::form_urlencoded::Serializer::new(String::new());
            again.extend_pairs(url::form_urlencoded::parse(form.as_bytes()));
            return Ok(again.finish());
        }
        _ => return Err(super::named(body, "has to be an object".to_owned())),
    };
    let mut fields: Vec<Pair> = Vec::new();
    for (name, value) in members {
        let encoding = body.encoding.iter().find(|encoding| encoding.name == name);
        fields.extend(field(encoding, name, value));
    }
    let fields = fields.into_iter().map(|(name, value)| match value {
        Some(value) => format!("{name}={value}"),
        None => name,
    });
    Ok(fields.collect::<Vec<_>>().join("&"))
}

fn field(encoding: Option<&PartEncoding>, name: &str, value: &Value) -> Vec<Pair> {
    let writer = Writer { place: Place::Form, reserved: false };
    if value.is_null() {
        return vec![(percent_encode(name, Place::Form, false), Some(String::new()))];
    }
    match encoding.and_then(|encoding| encoding.style) {
        Some((style, explode, reserved)) => {
            let writer = Writer { reserved, ..writer };
            writer.pairs(name, value, if style == Style::Simple { Style::Form } else { style }, explode)
        }
        None if encoding.is_some_and(|encoding| super::MediaType::parse(encoding.content_type).is_json()) => {
            vec![(
                percent_encode(name, Place::Form, false),
                Some(percent_encode(&value.to_string(), Place::Form, false)),
            )]
        }
        None => form_pairs(writer, name, value),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const BODY: Body = Body {
        media_type: "application/x-www-form-urlencoded",
        encoding: &[
            PartEncoding { name: "deep", style: Some((Style::DeepObject, true, false)), ..PartEncoding::DEFAULT },
            PartEncoding { name: "list", style: Some((Style::Form, false, false)), ..PartEncoding::DEFAULT },
            PartEncoding { name: "pipe", style: Some((Style::PipeDelimited, false, false)), ..PartEncoding::DEFAULT },
            PartEncoding { name: "raw", style: Some((Style::Form, true, true)), ..PartEncoding::DEFAULT },
            PartEncoding { name: "json", content_type: "application/json", ..PartEncoding::DEFAULT },
        ],
        ..Body::JSON
    };

    #[test]
    fn fields_follow_their_encoding() {
        for (value, expected) in [
            (json!({ "a": "1&admin=true", "b": 2 }), "a=1%26admin%3Dtrue&b=2"),
            (json!({ "a": "x y+z" }), "a=x+y%2Bz"),
            (json!({ "a": ["x", "y"] }), "a=x&a=y"),
            (json!({ "a": { "street": "3", "n": [1] } }), "a=%7B%22street%22%3A%223%22%2C%22n%22%3A%5B1%5D%7D"),
            (json!({ "a": null, "b": "" }), "a=&b="),
            (json!({ "a": [] , "b": true }), "b=true"),
            (json!({ "deep": { "a": { "b": 1 } } }), "deep%5Ba%5D%5Bb%5D=1"),
            (json!({ "list": ["a,b", "c"] }), "list=a%2Cb,c"),
            (json!({ "pipe": ["a", "b"] }), "pipe=a%7Cb"),
            (json!({ "raw": "a/b?c&d#e" }), "raw=a/b?c%26d%23e"),
            (json!({ "json": [1, "a"] }), "json=%5B1%2C%22a%22%5D"),
            (json!({ "a&b=": "c" }), "a%26b%3D=c"),
            (json!("a=1&b=x y"), "a=1&b=x+y"),
        ] {
            assert_eq!(encode(&BODY, &value).expect("a form"), expected, "{value}");
        }
    }
}
