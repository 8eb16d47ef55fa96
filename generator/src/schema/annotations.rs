//! Keywords that say nothing of validity: titles, descriptions, formats.

use serde_json::{Map, Value};

use super::node::{Node, Place};
use crate::text;

/// The longest description, in characters.
const MAX_DESCRIPTION: usize = 1000;

/// The longest title, in characters.
const MAX_TITLE: usize = 120;

/// The keywords that say nothing of validity.
pub(super) const ANNOTATIONS: [&str; 10] = [
    "title",
    "description",
    "default",
    "examples",
    "deprecated",
    "format",
    "contentEncoding",
    "contentMediaType",
    "contentSchema",
    "$comment",
];

/// The annotations that belong to a value whatever its type, so that they may stand beside a choice of types.
pub(super) const OF_THE_VALUE: [&str; 5] = ["title", "description", "default", "examples", "deprecated"];

impl<'a> Node<'_, 'a> {
    pub(super) fn annotation(
        &mut self,
        keyword: &str,
        value: &'a Value,
        place: Place<'_, 'a>,
        converted: &mut Map<String, Value>,
    ) {
        let value = match (keyword, value) {
            ("deprecated", _) => (super::numbers::flag(value) == Some(true)).then_some(Value::Bool(true)),
            ("description", _) => sentence(value)
                .map(|written| Value::from(text::bounded(&text::clean(&written), MAX_DESCRIPTION).into_owned())),
            ("title", _) => sentence(value)
                .map(|written| text::bounded(&text::one_line(&written), MAX_TITLE).into_owned())
                .filter(|title| place.property.is_none_or(|name| !says_the_same(title, name)))
                .map(Value::from),
            (_, Value::String(word)) if !word.is_empty() => Some(value.clone()),
            _ => None,
        };
        match value {
            Some(Value::String(words)) if words.is_empty() => {}
            Some(Value::String(words)) if keyword == "description" => add_sentence_before(converted, words),
            Some(value) => drop(converted.insert(keyword.to_owned(), value)),
            None => {}
        }
    }
}

/// Adds a sentence to the description.
pub(super) fn add_sentence(schema: &mut Map<String, Value>, sentence: &str) {
    let description = match schema.get("description").and_then(Value::as_str) {
        Some(description) => format!("{description}\n{sentence}"),
        None => sentence.to_owned(),
    };
    schema.insert("description".to_owned(), Value::String(description));
}

/// Sets the description; a sentence that was added earlier follows it.
fn add_sentence_before(schema: &mut Map<String, Value>, description: String) {
    let description = match schema.get("description").and_then(Value::as_str) {
        Some(added) => format!("{description}\n{added}"),
        None => description,
    };
    schema.insert("description".to_owned(), Value::String(description));
}

/// Text, also where a number or boolean was written without quotes.
fn sentence(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        _ => None,
    }
}

/// Whether a title only repeats the property's name, as many frameworks write it: `Page Size` for `page_size`.
fn says_the_same(title: &str, name: &str) -> bool {
    let letters =
        |text: &str| -> String { text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect() };
    letters(title) == letters(name)
}
