//! Tags, and the hierarchy that OpenAPI 3.2 gives them (§4.22).

use std::collections::HashSet;

use serde_json::Value;

use super::{Shaper, child};
use crate::document::{codes, files::Target, lift::kind_of};

impl Shaper<'_, '_, '_> {
    /// The tags of the document, each with its description. Learns which tag is above which.
    pub(super) fn tags(&mut self, root: &Value) -> Vec<(String, String)> {
        let mut seen = HashSet::new();
        let at = Target { file: self.root, pointer: "/tags".to_owned() };
        let mut tags = Vec::new();
        let list = match root.get("tags") {
            Some(Value::Array(list)) => list.as_slice(),
            None | Some(Value::Null) => &[],
            Some(other) => {
                let message = format!("`tags` is {}, not an array; it is left out", kind_of(other));
                self.report(&codes::INVALID_MEMBER, &at, message);
                &[]
            }
        };
        for (index, tag) in list.iter().enumerate() {
            let at = child(&at, &index.to_string());
            let name = tag.get("name").unwrap_or(tag);
            let Some(name) = self.text(Some(name), &child(&at, "name")) else { continue };
            let text = |key| (tag.get(key), child(&at, key));
            let described = [text("description"), text("summary")];
            let description = described.into_iter().find_map(|(value, at)| self.text(value, &at)).unwrap_or_default();
            if seen.insert(name.clone()) {
                if let Some(parent) = self.text(tag.get("parent"), &child(&at, "parent")) {
                    self.parents.insert(name.clone(), parent);
                }
                tags.push((name, description));
            }
        }
        tags
    }

    /// The tags of an operation: its own, and those above them.
    pub(super) fn operation_tags(&mut self, value: Option<&Value>, at: &Target) -> Vec<String> {
        let mut tags = match value {
            Some(Value::Array(tags)) => tags
                .iter()
                .enumerate()
                .filter_map(|(index, tag)| {
                    let at = child(at, &index.to_string());
                    self.text(Some(tag.get("name").unwrap_or(tag)), &at)
                })
                .collect(),
            Some(Value::String(tag)) => {
                self.report(&codes::REPAIRED, at, format!("`tags` is a text; it is read as the one tag `{tag}`"));
                vec![tag.clone()]
            }
            None | Some(Value::Null) => Vec::new(),
            Some(other) => {
                self.report(&codes::INVALID_MEMBER, at, format!("`tags` is {}; it is left out", kind_of(other)));
                Vec::new()
            }
        };
        // Those above are appended and looked at in their turn; one that is there already ends a circle.
        let mut index = 0;
        while let Some(tag) = tags.get(index) {
            if let Some(parent) = self.parents.get(tag).filter(|parent| !tags.contains(parent)) {
                tags.push(parent.clone());
            }
            index += 1;
        }
        tags
    }
}
