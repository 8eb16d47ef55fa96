//! Discriminators (OpenAPI 3.2 §4.25): the value that names a variant, as a constant where that refuses nothing that the
//! document means, else in the description.

use serde_json::{Map, Value, json};

use super::{annotations::add_sentence, node::Node, survey::discriminator_property};

/// How many values a description lists.
const MAX_LISTED: usize = 16;

/// How many references and `allOf` levels are followed to find a property.
const MAX_HOPS: usize = 8;

impl<'a> Node<'_, 'a> {
    /// Adds to a branch of `oneOf` or `anyOf` the values of the discriminator that the mapping gives for it.
    pub(super) fn tag(&self, members: &'a Map<String, Value>, branch: &'a Value, converted: &mut Value) {
        let Some(discriminator) = members.get("discriminator") else { return };
        let Some(property) = discriminator.get("propertyName").and_then(Value::as_str) else { return };
        let Some(Value::Object(mapping)) = discriminator.get("mapping") else { return };
        let Value::Object(converted) = converted else { return };
        let target = |reference: &Value| reference.as_str().and_then(|reference| self.survey.resolve(reference));
        let Some(component) = branch.get("$ref").and_then(target) else { return };
        // It also takes what is named by no value, or by an unknown one.
        if discriminator.get("defaultMapping").and_then(target) == Some(component) {
            return;
        }
        let tags: Vec<&String> =
            mapping.iter().filter(|(_, mapped)| target(mapped) == Some(component)).map(|(tag, _)| tag).collect();
        if tags.is_empty() || converted.contains_key("properties") {
            return;
        }
        let own = self.own_tags(self.survey.component(component).value, property, MAX_HOPS);
        if own.as_ref().is_some_and(|own| {
            let is_said_already = own.iter().all(|tag| tags.iter().any(|mapped| mapped.as_str() == *tag));
            let is_contradicted = !own.iter().any(|tag| tags.iter().any(|mapped| mapped.as_str() == *tag));
            is_said_already || is_contradicted
        }) {
            return;
        }
        let tag = match tags.as_slice() {
            [tag] => json!({ "const": tag }),
            tags => json!({ "enum": tags }),
        };
        let mut properties = Map::new();
        properties.insert(property.to_owned(), tag);
        converted.insert("properties".to_owned(), Value::Object(properties));
    }

    /// The values that a variant's own schema allows for the discriminator; `None` when it does not list them.
    fn own_tags(&self, schema: &'a Value, property: &str, hops: usize) -> Option<Vec<&'a str>> {
        if hops == 0 {
            return None;
        }
        if let Some(own) = schema.get("properties").and_then(|properties| properties.get(property)) {
            if let Some(value) = own.get("const").and_then(Value::as_str) {
                return Some(vec![value]);
            }
            if let Some(Value::Array(values)) = own.get("enum") {
                return Some(values.iter().filter_map(Value::as_str).collect());
            }
        }
        let members = schema.get("allOf").and_then(Value::as_array).into_iter().flatten();
        std::iter::once(schema).chain(members).find_map(|member| {
            match member.get("$ref").and_then(Value::as_str).and_then(|reference| self.survey.resolve(reference)) {
                Some(target) => self.own_tags(self.survey.component(target).value, property, hops - 1),
                None if !std::ptr::eq(member, schema) => self.own_tags(member, property, hops - 1),
                None => None,
            }
        })
    }

    /// Says in the description which values the discriminator has, where the schema itself does not say it.
    pub(super) fn discriminator(&self, members: &'a Map<String, Value>, converted: &mut Map<String, Value>) {
        let Some(discriminator) = members.get("discriminator") else { return };
        let Some(property) = discriminator_property(discriminator) else { return };
        let own = members.get("properties").and_then(|properties| properties.get(property));
        if own.is_some_and(|own| own.get("enum").is_some() || own.get("const").is_some()) {
            return;
        }
        let mapping = discriminator.get("mapping").and_then(Value::as_object).filter(|mapping| !mapping.is_empty());
        let branches = ["oneOf", "anyOf"].iter().find_map(|keyword| members.get(*keyword)?.as_array());
        let tags: Vec<&str> = match (branches, mapping) {
            // The constants of the branches say it.
            (Some(_), Some(_)) => return,
            (Some(branches), None) => branches
                .iter()
                .filter_map(|branch| self.survey.resolve(branch.get("$ref")?.as_str()?))
                .map(|component| self.survey.component(component).key)
                .collect(),
            // The choice of subtypes says it.
            (None, _)
                if self.component.is_some_and(|component| self.survey.component(component).subtypes.is_some()) =>
            {
                return;
            }
            (None, Some(mapping)) => mapping.keys().map(String::as_str).collect(),
            (None, None) => return,
        };
        if tags.is_empty() {
            return;
        }
        let mut listed: Vec<String> = tags.iter().take(MAX_LISTED).map(|tag| format!("`{tag}`")).collect();
        if tags.len() > MAX_LISTED {
            listed.push("…".to_owned());
        }
        add_sentence(converted, &format!("`{property}` names the variant: {}", listed.join(", ")));
    }
}
