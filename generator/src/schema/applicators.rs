//! Keywords that apply schemas: `allOf`, `anyOf`, `oneOf`, and the many spellings of `items`.

use serde_json::{Map, Value};

use super::{
    codes,
    node::{Node, Place, Step},
    types, walk,
};

impl<'a> Node<'_, 'a> {
    /// `allOf`, `anyOf` or `oneOf`; an object instead of the array is its only member.
    pub(super) fn branches(
        &mut self,
        keyword: &'a str,
        value: &'a Value,
        members: &'a Map<String, Value>,
        below: Place<'_, 'a>,
        converted: &mut Map<String, Value>,
    ) {
        let mut branches = Vec::new();
        match value {
            Value::Array(list) => {
                for (index, branch) in list.iter().enumerate() {
                    let mut schema = self.at(&[Step::Key(keyword), Step::Index(index)], branch, below);
                    if keyword != "allOf" {
                        self.tag(members, branch, &mut schema);
                    }
                    branches.push(schema);
                }
            }
            Value::Object(_) => {
                self.report(&codes::SCHEMA_REPAIRED, format!("`{keyword}` is no array"));
                branches.push(self.at(&[Step::Key(keyword)], value, below));
            }
            other => return self.ignored(keyword, other),
        }
        if branches.is_empty() {
            return self.report(&codes::SCHEMA_KEYWORD_IGNORED, format!("`{keyword}` is empty"));
        }
        converted.insert(keyword.to_owned(), Value::Array(branches));
    }

    /// `items`, `prefixItems` and `additionalItems` of any dialect: an array of `items` is `prefixItems` in 2020-12, and
    /// the `additionalItems` beside it are `items`.
    pub(super) fn items(
        &mut self,
        keyword: &'a str,
        value: &'a Value,
        members: &'a Map<String, Value>,
        below: Place<'_, 'a>,
        converted: &mut Map<String, Value>,
    ) {
        let is_tuple = members.get("items").is_some_and(Value::is_array);
        match (keyword, value) {
            ("items" | "prefixItems", Value::Array(list)) => {
                let schemas: Vec<Value> = list
                    .iter()
                    .enumerate()
                    .map(|(index, item)| self.at(&[Step::Key(keyword), Step::Index(index)], item, below))
                    .collect();
                if !schemas.is_empty() {
                    converted.insert("prefixItems".to_owned(), Value::Array(schemas));
                }
            }
            ("prefixItems", other) => self.ignored(keyword, other),
            ("additionalItems", _) if !is_tuple => {}
            ("additionalItems" | "items", _) => {
                let schema = self.at(&[Step::Key(keyword)], value, below);
                converted.insert("items".to_owned(), schema);
            }
            _ => {}
        }
    }

    /// Gives an array without `items` some that accept anything: many clients insist on the keyword.
    pub(super) fn arrays(&mut self, place: Place<'_, 'a>, converted: &mut Map<String, Value>) {
        let says_more = |keyword: &String| {
            matches!(keyword.as_str(), "$ref" | "items" | "prefixItems" | "unevaluatedItems")
                || matches!(walk::keyword(keyword), Some((_, walk::Relation::InPlace)))
        };
        if types::named(converted).is_some_and(|names| names.contains(&"array"))
            && !place.is_branch
            && !self.survey.has_unevaluated_items
            && !converted.keys().any(says_more)
        {
            converted.insert("items".to_owned(), Value::Object(Map::new()));
        }
    }
}
