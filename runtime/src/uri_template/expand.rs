//! Expansion (RFC 6570 section 3).

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::{Operator, Part, UriTemplate, Variable};

impl UriTemplate {
    /// Fills the variables in. Variables without a value, and null, vanish. Nested values are written as JSON text.
    pub fn expand(&self, values: &Map<String, Value>) -> String {
        let mut uri = String::new();
        for part in &self.parts {
            match part {
                Part::Literal(text) => uri.push_str(text),
                Part::Expression(operator, variables) => expression(*operator, variables, values, &mut uri),
            }
        }
        uri
    }
}

fn expression(operator: Operator, variables: &[Variable], values: &Map<String, Value>, uri: &mut String) {
    let (first, separator, named, empty) = operator.shape();
    let mut before = first;
    for variable in variables {
        for text in pieces(operator, variable, values, named, empty) {
            uri.push_str(before);
            uri.push_str(&text);
            before = separator;
        }
    }
}

/// What one variable adds, each piece to be set apart by the operator's separator.
fn pieces(
    operator: Operator,
    variable: &Variable,
    values: &Map<String, Value>,
    named: bool,
    empty: &str,
) -> Vec<String> {
    let keep = operator.keeps_reserved();
    let write = |text: &str| encode(text, keep);
    let pair = |name: &str, value: String| {
        if !named {
            value
        } else if value.is_empty() {
            format!("{name}{empty}")
        } else {
            format!("{name}={value}")
        }
    };
    match values.get(&variable.name) {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(items)) => {
            let items: Vec<String> = items.iter().filter_map(text_of).map(|item| write(&item)).collect();
            if items.is_empty() {
                Vec::new()
            } else if variable.explode {
                items.into_iter().map(|item| pair(&variable.name, item)).collect()
            } else {
                vec![pair(&variable.name, items.join(","))]
            }
        }
        Some(Value::Object(members)) => {
            let members = members.iter().filter_map(|(key, value)| Some((write(key), write(&text_of(value)?))));
            if variable.explode {
                let equals = |(key, value): (String, String)| match (value.is_empty(), named) {
                    (true, true) => format!("{key}{empty}"),
                    _ => format!("{key}={value}"),
                };
                members.map(equals).collect()
            } else {
                let flat: Vec<String> = members.flat_map(|(key, value)| [key, value]).collect();
                if flat.is_empty() { Vec::new() } else { vec![pair(&variable.name, flat.join(","))] }
            }
        }
        Some(scalar) => {
            let text = text_of(scalar).unwrap_or_default();
            let text = match variable.prefix {
                Some(length) => text.chars().take(length).collect(),
                None => text,
            };
            vec![pair(&variable.name, write(&text))]
        }
    }
}

/// A value as text; `None` for null.
fn text_of(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(Cow::Borrowed(text)),
        other => Some(Cow::Owned(other.to_string())),
    }
}

/// Percent-encodes everything but unreserved characters, and but reserved ones and existing triplets where these stay.
pub(super) fn encode(text: &str, keep_reserved: bool) -> String {
    let bytes = text.as_bytes();
    let mut encoded = String::with_capacity(bytes.len());
    for (at, &byte) in bytes.iter().enumerate() {
        let triplet = || {
            let digits = bytes.get(at + 1..at + 3);
            byte == b'%' && digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
        };
        let stays = byte.is_ascii_alphanumeric()
            || b"-._~".contains(&byte)
            || (keep_reserved && (b":/?#[]@!$&'()*+,;=".contains(&byte) || triplet()));
        if stays {
            encoded.push(char::from(byte));
        } else {
            const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
            encoded.push('%');
            encoded.push(char::from(DIGITS[usize::from(byte >> 4)]));
            encoded.push(char::from(DIGITS[usize::from(byte & 15)]));
        }
    }
    encoded
}
