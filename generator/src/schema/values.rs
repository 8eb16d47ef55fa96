//! The data in schemas: `enum`, `const`, `default` and examples, made to agree with the type.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::{
    codes,
    node::{Node, excerpt},
    numbers::flag,
    types,
};

/// The longest default, in bytes of its text.
const MAX_DEFAULT: usize = 1000;

/// The longest example, in bytes of its text, and how many are kept.
const MAX_EXAMPLE: usize = 200;
const MAX_EXAMPLES: usize = 3;

/// Types of which one value is as good as its text.
const SCALARS: [&str; 4] = ["string", "integer", "number", "boolean"];

impl<'a> Node<'_, 'a> {
    pub(super) fn values(&mut self, members: &'a Map<String, Value>, converted: &mut Map<String, Value>) {
        match members.get("enum") {
            Some(Value::Array(values)) => self.enumeration("enum", values, converted),
            None | Some(Value::Null) => {}
            Some(scalar @ (Value::String(_) | Value::Number(_) | Value::Bool(_))) => {
                self.report(&codes::SCHEMA_REPAIRED, "`enum` is no array".to_owned());
                self.enumeration("enum", std::slice::from_ref(scalar), converted);
            }
            Some(other) => self.ignored("enum", other),
        }
        if let Some(value) = members.get("const") {
            self.enumeration("const", std::slice::from_ref(value), converted);
        }
        if let Some(value) = members.get("default") {
            self.default(value, members, converted);
        }
        self.examples(members, converted);
    }

    /// An enumeration whose values agree with the type: values of another type are read as meant, else the type admits
    /// them too.
    fn enumeration(&mut self, keyword: &str, values: &[Value], converted: &mut Map<String, Value>) {
        if values.is_empty() {
            return self.report(&codes::SCHEMA_KEYWORD_IGNORED, format!("`{keyword}` is empty"));
        }
        let mut names: Vec<String> = types::named(converted).into_iter().flatten().map(str::to_owned).collect();
        let is_typed = !names.is_empty();
        let of_type = |value: &Value, names: &[String]| names.iter().any(|name| types::is_of(value, name));
        let is_scalar = names.iter().any(|name| SCALARS.contains(&name.as_str()));
        if is_typed && !is_scalar && !values.iter().any(|value| of_type(value, &names)) {
            return self.misplaced_enumeration(keyword, values, converted);
        }
        let mut seen = HashSet::new();
        let mut kept: Vec<Value> = Vec::with_capacity(values.len());
        let mut repaired = None;
        for value in values {
            let value = if !is_typed || of_type(value, &names) {
                value.clone()
            } else if let Some(read) = names.iter().find_map(|name| read_as(value, name)) {
                repaired = Some(value);
                read
            } else {
                repaired = repaired.or_else(|| (!value.is_null()).then_some(value));
                names.push(type_of(value).to_owned());
                value.clone()
            };
            if seen.insert(value.to_string()) {
                kept.push(value);
            }
        }
        if let Some(value) = repaired {
            let message = format!("{} in the `{keyword}` is not of the type", excerpt(value));
            self.report(&codes::SCHEMA_REPAIRED, message);
        }
        if kept.len() < values.len() {
            self.report(&codes::SCHEMA_REPAIRED, format!("the `{keyword}` names a value twice"));
        }
        if is_typed {
            // Every number is one of `number`.
            if names.iter().any(|name| name == "number") {
                names.retain(|name| name != "integer");
            }
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            converted.insert("type".to_owned(), types::keyword(&names));
        }
        let value = match (keyword, kept.pop()) {
            ("const", Some(value)) => value,
            (_, last) => {
                kept.extend(last);
                Value::Array(kept)
            }
        };
        converted.insert(keyword.to_owned(), value);
    }

    /// An enumeration of scalars on an array is meant for its items; on an object it means nothing.
    fn misplaced_enumeration(&mut self, keyword: &str, values: &[Value], converted: &mut Map<String, Value>) {
        let is_array = types::named(converted).is_some_and(|names| names.contains(&"array"));
        if is_array && keyword == "enum" {
            let items = converted.entry("items").or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(items) = items
                && !items.contains_key("enum")
                && !items.contains_key("$ref")
            {
                self.report(&codes::SCHEMA_REPAIRED, "the `enum` of an array was read as that of its items".to_owned());
                return self.enumeration("enum", values, items);
            }
        }
        self.report(&codes::SCHEMA_KEYWORD_IGNORED, format!("no value of the `{keyword}` is of the type"));
    }

    fn default(&mut self, value: &Value, members: &Map<String, Value>, converted: &mut Map<String, Value>) {
        if value.to_string().len() > MAX_DEFAULT {
            return;
        }
        let names = types::named(converted).unwrap_or_default();
        let is_nullable = ["nullable", "x-nullable"].iter().any(|name| members.get(*name).and_then(flag) == Some(true));
        let read = if names.is_empty() || names.iter().any(|name| types::is_of(value, name)) {
            Some(value.clone())
        } else if value.is_null() {
            // `default: null` is how many say that there is none.
            is_nullable.then_some(Value::Null)
        } else if names.contains(&"array") && !value.is_array() {
            let item = converted.get("items").and_then(Value::as_object).and_then(types::named);
            item.is_none_or(|names| names.iter().any(|name| types::is_of(value, name)))
                .then(|| Value::Array(vec![value.clone()]))
        } else {
            names.iter().find_map(|name| read_as(value, name))
        };
        match read {
            Some(read) => {
                if read != *value {
                    let message = format!("the default {} was read as {}", excerpt(value), excerpt(&read));
                    self.report(&codes::SCHEMA_REPAIRED, message);
                }
                converted.insert("default".to_owned(), read);
            }
            None if value.is_null() => {}
            None => self
                .report(&codes::SCHEMA_KEYWORD_IGNORED, format!("the default {} is not of the type", excerpt(value))),
        }
    }

    /// `example`, `examples` in all their spellings, as far as they are short and of the type.
    fn examples(&mut self, members: &Map<String, Value>, converted: &mut Map<String, Value>) {
        let mut candidates: Vec<&Value> = Vec::new();
        match members.get("examples") {
            Some(Value::Array(values)) => candidates.extend(values),
            // The Example Objects of a media type.
            Some(Value::Object(named)) => {
                candidates.extend(named.values().map(|example| example.get("value").unwrap_or(example)));
            }
            Some(Value::Null) | None => {}
            Some(single) => candidates.push(single),
        }
        candidates.extend(["example", "x-example"].iter().filter_map(|name| members.get(*name)));
        let names = types::named(converted).unwrap_or_default();
        let mut examples: Vec<Value> = Vec::new();
        for candidate in candidates {
            if examples.len() == MAX_EXAMPLES {
                break;
            }
            let is_of_type = names.is_empty() || names.iter().any(|name| types::is_of(candidate, name));
            let example = match is_of_type {
                true => Some(candidate.clone()),
                false => names.iter().find_map(|name| read_as(candidate, name)),
            };
            if let Some(example) = example
                && !examples.contains(&example)
                && super::definitions::text_bytes(&example) <= MAX_EXAMPLE
            {
                examples.push(example);
            }
        }
        if !examples.is_empty() {
            converted.insert("examples".to_owned(), Value::Array(examples));
        }
    }
}

/// A scalar read as one of another type: `"10"` as an integer, `10` as a string.
fn read_as(value: &Value, name: &str) -> Option<Value> {
    match (value, name) {
        (Value::String(text), "integer" | "number" | "boolean") => {
            let read: Value = serde_json::from_str(text.trim()).ok().or_else(|| flag(value).map(Value::Bool))?;
            types::is_of(&read, name).then_some(read)
        }
        (Value::Number(_) | Value::Bool(_), "string") => Some(Value::String(value.to_string())),
        _ => None,
    }
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) if types::is_of(value, "integer") => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
