//! The `$id`s and anchors of the schemas of a document (JSON Schema 2020-12 §8.2).

use std::collections::{HashMap, HashSet};

use serde_json::Value;
use url::Url;

use super::files::{Target, push_token};
use crate::source::FileId;

/// What is known of the files indexed so far.
#[derive(Default)]
pub(super) struct Identifiers {
    indexed: HashSet<FileId>,
    resources: HashMap<String, Target>,
    bases: HashMap<Target, String>,
    anchors: HashMap<(FileId, String), Vec<String>>,
}

impl Identifiers {
    /// Takes a file in, once.
    pub(super) fn index(&mut self, file: FileId, value: &Value) {
        if self.indexed.insert(file) {
            self.collect(file, value, &mut String::new(), None);
        }
    }

    /// The schema with an `$id`, relative to that of the schema in which the reference stands.
    pub(super) fn resource(&self, identifier: &str, within: Option<&Target>) -> Option<Target> {
        let base = within.and_then(|within| self.bases.get(within));
        let joined = base.and_then(|base| Some(Url::parse(base).ok()?.join(identifier).ok()?.to_string()));
        joined.and_then(|joined| self.resources.get(&joined)).or_else(|| self.resources.get(identifier)).cloned()
    }

    /// The pointer of the schema with an `$anchor` (or `$dynamicAnchor`, or the older `$id: "#name"`) below a pointer.
    pub(super) fn anchor(&self, file: FileId, below: &str, anchor: &str) -> Option<String> {
        let pointers = self.anchors.get(&(file, anchor.to_owned()))?;
        let inside = |pointer: &&String| {
            pointer.strip_prefix(below).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        pointers.iter().find(inside).cloned()
    }

    fn collect(&mut self, file: FileId, value: &Value, pointer: &mut String, base: Option<&Url>) {
        match value {
            Value::Object(members) => {
                let text = |key: &str| members.get(key).and_then(Value::as_str);
                let mut own_base = None;
                match text("$id") {
                    Some(identifier) if identifier.starts_with('#') => self.name(file, &identifier[1..], pointer),
                    Some(identifier) => {
                        let identifier = identifier.trim_end_matches('#');
                        own_base = base.map_or_else(|| Url::parse(identifier), |base| base.join(identifier)).ok();
                        let absolute = own_base.as_ref().map_or_else(|| identifier.to_owned(), Url::to_string);
                        let target = Target { file, pointer: pointer.clone() };
                        self.bases.insert(target.clone(), absolute.clone());
                        self.resources.entry(absolute).or_insert(target);
                    }
                    None => {}
                }
                for anchor in [text("$anchor"), text("$dynamicAnchor")].into_iter().flatten() {
                    self.name(file, anchor, pointer);
                }
                for (key, member) in members {
                    self.below(file, key, member, pointer, own_base.as_ref().or(base));
                }
            }
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.below(file, &index.to_string(), item, pointer, base);
                }
            }
            _ => {}
        }
    }

    fn below(&mut self, file: FileId, token: &str, value: &Value, pointer: &mut String, base: Option<&Url>) {
        if value.is_object() || value.is_array() {
            let length = pointer.len();
            push_token(pointer, token);
            self.collect(file, value, pointer, base);
            pointer.truncate(length);
        }
    }

    fn name(&mut self, file: FileId, anchor: &str, pointer: &str) {
        self.anchors.entry((file, anchor.to_owned())).or_default().push(pointer.to_owned());
    }
}
