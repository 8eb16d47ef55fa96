//! Objects: properties and their direction, `required` in all its spellings, dependencies.

use serde_json::{Map, Value};

use super::{
    codes,
    node::{Node, Place, Step},
    numbers::flag,
    pattern::Pattern,
    walk,
};

impl<'a> Node<'_, 'a> {
    /// The properties without those that are left out in this direction.
    pub(super) fn properties(&mut self, value: &'a Value, below: Place<'_, 'a>, converted: &mut Map<String, Value>) {
        let Value::Object(members) = value else { return self.ignored("properties", value) };
        let mut properties = Map::with_capacity(members.len());
        for (name, schema) in members {
            if self.survey.is_hidden(schema, self.direction) {
                continue;
            }
            let place = Place { property: Some(name), ..below };
            properties.insert(name.clone(), self.at(&[Step::Key("properties"), Step::Key(name)], schema, place));
        }
        converted.insert("properties".to_owned(), Value::Object(properties));
    }

    pub(super) fn pattern_properties(
        &mut self,
        value: &'a Value,
        below: Place<'_, 'a>,
        converted: &mut Map<String, Value>,
    ) {
        let Value::Object(members) = value else { return self.ignored("patternProperties", value) };
        let mut properties = Map::with_capacity(members.len());
        for (pattern, schema) in members {
            let usable = match self.shared.patterns.check(pattern) {
                Pattern::Kept => pattern.clone(),
                Pattern::Repaired(pattern) => pattern,
                Pattern::Unusable => {
                    self.report(&codes::PATTERN_IGNORED, format!("the pattern `{pattern}` is not used"));
                    continue;
                }
            };
            let steps = [Step::Key("patternProperties"), Step::Key(pattern)];
            properties.insert(usable, self.at(&steps, schema, below));
        }
        converted.insert("patternProperties".to_owned(), Value::Object(properties));
    }

    /// A pattern that does not compile takes `additionalProperties` with it, which would else refuse what it admits.
    pub(super) fn lost_patterns(members: &Map<String, Value>, converted: &mut Map<String, Value>) {
        let count = |schema: &Map<String, Value>| {
            schema.get("patternProperties").and_then(Value::as_object).map_or(0, Map::len)
        };
        if count(converted) < count(members) {
            converted.shift_remove("additionalProperties");
            converted.shift_remove("unevaluatedProperties");
        }
    }

    pub(super) fn dependencies(
        &mut self,
        keyword: &'a str,
        value: &'a Value,
        below: Place<'_, 'a>,
        converted: &mut Map<String, Value>,
    ) {
        let Value::Object(members) = value else { return self.ignored(keyword, value) };
        for (name, dependency) in members {
            let (keyword, dependency) = match dependency {
                Value::Array(names) => ("dependentRequired", Value::Array(strings(names))),
                schema if keyword != "dependentRequired" => {
                    ("dependentSchemas", self.at(&[Step::Key(keyword), Step::Key(name)], schema, below))
                }
                _ => continue,
            };
            let all = converted.entry(keyword).or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(all) = all {
                all.insert(name.clone(), dependency);
            }
        }
    }

    /// `required` as an array of unique names: without those that are left out in this direction, with those whose
    /// property says `required: true`. A name without a property is declared, so that clients learn of it, or dropped
    /// where the schema forbids further properties.
    pub(super) fn required(
        &mut self,
        members: &'a Map<String, Value>,
        hidden: &[&'a str],
        place: Place<'_, 'a>,
        converted: &mut Map<String, Value>,
    ) {
        let mut names: Vec<&'a str> = Vec::new();
        match members.get("required") {
            Some(Value::Array(listed)) => {
                for name in listed {
                    match name {
                        Value::String(name) => names.push(name),
                        _ => self.ignored("required", name),
                    }
                }
            }
            // `required: true` belongs to the schema around this one, which has read it.
            None | Some(Value::Bool(_) | Value::Null) => {}
            Some(Value::String(name)) if flag(&Value::from(name.as_str())).is_none() => {
                self.report(&codes::SCHEMA_REPAIRED, "`required` is no array".to_owned());
                names.push(name);
            }
            Some(Value::String(_)) => {}
            Some(other) => self.ignored("required", other),
        }
        let properties = members.get("properties").and_then(Value::as_object);
        for (name, property) in properties.into_iter().flatten() {
            if property.get("required").and_then(flag) == Some(true) {
                self.report(&codes::SCHEMA_REPAIRED, format!("`required: true` of `{name}` belongs to the object"));
                names.push(name);
            }
        }
        if names.is_empty() {
            return;
        }
        let mut seen = std::collections::HashSet::with_capacity(names.len());
        names.retain(|name| !hidden.contains(name) && seen.insert(*name));
        if let Some(properties) = properties.filter(|_| !place.is_branch && has_plain_properties(members)) {
            let is_closed = members.get("additionalProperties").and_then(flag) == Some(false);
            let undeclared: Vec<&str> = names.iter().filter(|name| !properties.contains_key(**name)).copied().collect();
            for name in undeclared {
                let outcome = if is_closed { "it is not required" } else { "any value is accepted for it" };
                let message = format!("`{name}` is required but is no property; {outcome}");
                self.report(&codes::SCHEMA_REPAIRED, message);
                if is_closed {
                    names.retain(|other| *other != name);
                } else if let Some(Value::Object(properties)) = converted.get_mut("properties") {
                    properties.insert(name.to_owned(), Value::Object(Map::new()));
                }
            }
        }
        if !names.is_empty() {
            converted.insert("required".to_owned(), Value::from(names));
        }
    }
}

/// Whether `properties` alone says which members an object has.
fn has_plain_properties(members: &Map<String, Value>) -> bool {
    let says_more = |keyword: &String| {
        matches!(keyword.as_str(), "$ref" | "patternProperties" | "unevaluatedProperties")
            || matches!(walk::keyword(keyword), Some((_, walk::Relation::InPlace)))
    };
    !members.keys().any(says_more)
        && members.get("additionalProperties").is_none_or(|additional| flag(additional).is_some())
        && members.get("properties").and_then(Value::as_object).is_some_and(|properties| !properties.is_empty())
}

/// The strings of an array, each once.
fn strings(values: &[Value]) -> Vec<Value> {
    let mut strings: Vec<Value> = Vec::with_capacity(values.len());
    for value in values.iter().filter(|value| value.is_string()) {
        if !strings.contains(value) {
            strings.push(value.clone());
        }
    }
    strings
}
