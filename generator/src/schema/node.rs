//! Converts one schema object, keyword by keyword.

use serde_json::{Map, Value};

use super::{
    Direction, codes, compose,
    convert::Shared,
    numbers::{self, Bound},
    pattern::Pattern,
    survey::{Position, Survey},
    types, walk,
};
use crate::{
    diagnostics::{Code, Diagnostics, Location},
    text,
};

/// The deepest nesting of schemas within schemas.
const MAX_DEPTH: usize = 40;

/// The conversion of one stored schema.
pub(super) struct Node<'n, 'a> {
    pub(super) survey: &'n Survey<'a>,
    pub(super) shared: &'n mut Shared,
    /// `None` when the findings of this schema have been reported already.
    pub(super) diagnostics: Option<&'n mut Diagnostics>,
    pub(super) location: &'n Location,
    /// The keys from the stored schema to the current one.
    pub(super) path: Vec<Step<'a>>,
    /// The component that is converted, if it is one.
    pub(super) component: Option<usize>,
    pub(super) direction: Direction,
}

/// A step of a JSON Pointer.
#[derive(Debug, Clone, Copy)]
pub(super) enum Step<'a> {
    Key(&'a str),
    Index(usize),
}

/// What a schema's conversion needs to know of its surroundings.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'p, 'a> {
    pub(super) position: Position,
    /// Whether it is a branch of `allOf`, `anyOf`, `not` …: the schema around it says more of the same value.
    pub(super) is_branch: bool,
    pub(super) depth: usize,
    /// The property that it is the schema of.
    pub(super) property: Option<&'a str>,
    /// Properties that the schemas around it leave out in this direction.
    pub(super) hidden: &'p [&'a str],
}

impl<'p, 'a> Place<'p, 'a> {
    /// The place of what stands under a keyword.
    fn below<'q>(self, keyword: &str, schema: &Map<String, Value>, hidden: &'q [&'a str]) -> Place<'q, 'a> {
        let is_branch = matches!(walk::keyword(keyword), Some((_, walk::Relation::InPlace)));
        Place {
            position: self.position.below(keyword, schema),
            is_branch,
            depth: self.depth + 1,
            property: None,
            hidden: if is_branch { hidden } else { &[] },
        }
    }
}

impl<'a> Node<'_, 'a> {
    /// Converts the stored schema.
    pub(super) fn root(&mut self, value: &'a Value, position: Position) -> Value {
        self.schema(value, Place { position, is_branch: false, depth: 0, property: None, hidden: &[] })
    }

    pub(super) fn schema(&mut self, value: &'a Value, place: Place<'_, 'a>) -> Value {
        match value {
            Value::Object(members) if place.depth < MAX_DEPTH => self.object(members, place),
            Value::Object(_) => {
                self.report(&codes::SCHEMA_TOO_DEEP, format!("the schema nests deeper than {MAX_DEPTH} levels"));
                Value::Bool(true)
            }
            Value::Bool(_) => value.clone(),
            Value::Null => Value::Bool(true),
            _ => {
                self.report(&codes::SCHEMA_KEYWORD_IGNORED, "a schema must be an object or a boolean".to_owned());
                Value::Bool(true)
            }
        }
    }

    /// Converts the schema under a keyword.
    pub(super) fn at(&mut self, steps: &[Step<'a>], value: &'a Value, place: Place<'_, 'a>) -> Value {
        let length = self.path.len();
        self.path.extend_from_slice(steps);
        let converted = self.schema(value, place);
        self.path.truncate(length);
        converted
    }

    fn object(&mut self, members: &'a Map<String, Value>, place: Place<'_, 'a>) -> Value {
        let mut hidden = place.hidden.to_vec();
        self.survey.hidden(members, self.direction, &mut hidden);
        let mut converted = Map::new();
        for (keyword, value) in members {
            self.keyword(keyword, value, members, &hidden, place, &mut converted);
        }
        Self::lost_patterns(members, &mut converted);
        self.required(members, &hidden, place, &mut converted);
        self.values(members, &mut converted);
        self.arrays(place, &mut converted);
        self.discriminator(members, &mut converted);
        compose::simplify(&mut converted);
        let is_nullable = ["nullable", "x-nullable"]
            .iter()
            .any(|keyword| members.get(*keyword).and_then(numbers::flag) == Some(true));
        if is_nullable {
            super::nullable::admit_null(&mut converted);
        }
        Value::Object(converted)
    }

    fn keyword(
        &mut self,
        keyword: &'a str,
        value: &'a Value,
        members: &'a Map<String, Value>,
        hidden: &[&'a str],
        place: Place<'_, 'a>,
        converted: &mut Map<String, Value>,
    ) {
        let below = place.below(keyword, members, hidden);
        match keyword {
            "$ref" => self.reference(value, place, converted),
            "type" => self.types(value, members, converted),
            "title" | "description" | "deprecated" | "format" | "contentEncoding" | "contentMediaType" => {
                self.annotation(keyword, value, place, converted);
            }
            "properties" => self.properties(value, below, converted),
            "patternProperties" => self.pattern_properties(value, below, converted),
            "dependentRequired" | "dependentSchemas" | "dependencies" => {
                self.dependencies(keyword, value, below, converted);
            }
            "allOf" | "anyOf" | "oneOf" => self.branches(keyword, value, members, below, converted),
            "items" | "prefixItems" | "additionalItems" => self.items(keyword, value, members, below, converted),
            "not" | "if" | "contains" | "propertyNames" | "unevaluatedItems" | "contentSchema" => {
                let schema = self.at(&[Step::Key(keyword)], value, below);
                converted.insert(keyword.to_owned(), schema);
            }
            "then" | "else" if members.contains_key("if") => {
                let schema = self.at(&[Step::Key(keyword)], value, below);
                converted.insert(keyword.to_owned(), schema);
            }
            "additionalProperties" | "unevaluatedProperties" => {
                let schema = match numbers::flag(value) {
                    Some(flag) => Value::Bool(flag),
                    None => self.at(&[Step::Key(keyword)], value, below),
                };
                converted.insert(keyword.to_owned(), schema);
            }
            "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" => {
                match numbers::bound(keyword, value, members) {
                    Bound::Is(name, number) => self.bound(name, number, value, converted),
                    Bound::Silent => {}
                    Bound::Senseless => self.ignored(keyword, value),
                }
            }
            "multipleOf" => match numbers::number(value) {
                Some(number) if number.as_f64().is_some_and(|float| float > 0.0) => {
                    converted.insert(keyword.to_owned(), Value::Number(number));
                }
                _ => self.ignored(keyword, value),
            },
            "minLength" | "maxLength" | "minItems" | "maxItems" | "minProperties" | "maxProperties" | "minContains"
            | "maxContains" => self.count(keyword, value, converted),
            "uniqueItems" => match numbers::flag(value) {
                Some(true) => drop(converted.insert(keyword.to_owned(), Value::Bool(true))),
                Some(false) => {}
                None => self.ignored(keyword, value),
            },
            "pattern" => self.pattern(value, converted),
            // The others are read where they matter (`nullable`, `enum`, `required` …), or say nothing in 2020-12.
            _ => {}
        }
    }

    fn reference(&mut self, value: &'a Value, place: Place<'_, 'a>, converted: &mut Map<String, Value>) {
        let Some(target) = value.as_str().and_then(|reference| self.survey.resolve(reference)) else { return };
        if let Some(component) = self.component
            && place.position.is_in_place
            && self.survey.is_broken(component, target)
        {
            let name = self.survey.component(target).key;
            self.report(&codes::SCHEMA_CYCLE, format!("the reference to `{name}` leads back to itself"));
            return;
        }
        let is_polymorphic = place.position.is_polymorphic();
        let reference = self.shared.reference(self.survey, target, self.direction, is_polymorphic);
        converted.insert("$ref".to_owned(), Value::String(reference));
    }

    fn types(&mut self, value: &'a Value, members: &Map<String, Value>, converted: &mut Map<String, Value>) {
        let types = types::types(value);
        if types.is_repaired {
            let read = if types.names.is_empty() { "any type".to_owned() } else { types.names.join(" or ") };
            self.report(&codes::SCHEMA_REPAIRED, format!("`type: {}` is no type; read as {read}", excerpt(value)));
        }
        if !types.names.is_empty() {
            converted.insert("type".to_owned(), types::keyword(&types.names));
        }
        if let Some(format) = types.format
            && !members.contains_key("format")
        {
            converted.insert("format".to_owned(), Value::from(format));
        }
        if types.names.is_empty() && value == "file" {
            converted.insert("format".to_owned(), Value::from("binary"));
        }
    }

    fn bound(
        &mut self,
        name: &'static str,
        number: serde_json::Number,
        written: &Value,
        converted: &mut Map<String, Value>,
    ) {
        if written.is_string() {
            self.report(&codes::SCHEMA_REPAIRED, format!("`{name}` is a number written as text"));
        }
        converted.entry(name).or_insert(Value::Number(number));
    }

    fn count(&mut self, keyword: &str, value: &Value, converted: &mut Map<String, Value>) {
        match numbers::natural(value) {
            // What is beyond the range of clients' integers bounds nothing.
            Some(natural) if keyword.starts_with("max") && i64::try_from(natural).is_err() => {}
            Some(natural) => drop(converted.insert(keyword.to_owned(), Value::from(natural))),
            None if keyword.starts_with("max")
                && numbers::number(value).and_then(|number| number.as_f64()).is_some_and(|float| float > 1e15) => {}
            None => self.ignored(keyword, value),
        }
    }

    fn pattern(&mut self, value: &Value, converted: &mut Map<String, Value>) {
        let Value::String(pattern) = value else { return self.ignored("pattern", value) };
        match self.shared.patterns.check(pattern) {
            Pattern::Kept => drop(converted.insert("pattern".to_owned(), value.clone())),
            Pattern::Repaired(pattern) => {
                self.report(&codes::SCHEMA_REPAIRED, format!("the pattern was read as `{pattern}`"));
                converted.insert("pattern".to_owned(), Value::String(pattern));
            }
            Pattern::Unusable => {
                let shown = text::bounded(pattern, 200);
                self.report(&codes::PATTERN_IGNORED, format!("the pattern `{shown}` is not used"));
                super::annotations::add_sentence(converted, &format!("Pattern: `{shown}`"));
            }
        }
    }

    /// Reports a keyword that is left out.
    pub(super) fn ignored(&mut self, keyword: &str, value: &Value) {
        self.report(&codes::SCHEMA_KEYWORD_IGNORED, format!("`{keyword}` cannot be {}", excerpt(value)));
    }

    /// Reports a finding at the current schema.
    pub(super) fn report(&mut self, code: &'static Code, message: String) {
        let Some(diagnostics) = self.diagnostics.as_deref_mut() else { return };
        let mut pointer = self.location.pointer.clone();
        for step in &self.path {
            pointer.push('/');
            match step {
                Step::Key(key) => pointer.push_str(&key.replace('~', "~0").replace('/', "~1")),
                Step::Index(index) => pointer.push_str(&index.to_string()),
            }
        }
        diagnostics.push(code, Some(Location { file: self.location.file, pointer }), message);
    }
}

/// The beginning of a value's text.
pub(super) fn excerpt(value: &Value) -> String {
    let shown = match value {
        Value::Array(_) => "an array".to_owned(),
        Value::Object(_) => "an object".to_owned(),
        scalar => format!("`{scalar}`"),
    };
    text::bounded(&shown, 60).into_owned()
}
