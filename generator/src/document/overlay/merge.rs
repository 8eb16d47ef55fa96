//! How an action changes values (Overlay 1.1, "Action Object").

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::Origins;
use crate::{diagnostics::Location, document::files::push_token};

/// Merges updates, and keeps count of what they add.
pub(super) struct Merge {
    room: usize,
    mismatches: Vec<Mismatch>,
}

/// A value that was replaced by one of another kind.
pub(super) struct Mismatch {
    /// Where the new value comes from.
    pub(super) place: Option<Location>,
    /// What kind of value the old one was.
    pub(super) old: &'static str,
    /// And the new one.
    pub(super) new: &'static str,
}

impl Merge {
    /// Merges at most so many values.
    pub(super) fn new(room: usize) -> Self {
        Self { room, mismatches: Vec::new() }
    }

    /// What did not go together since the last call.
    pub(super) fn mismatches(&mut self) -> Vec<Mismatch> {
        std::mem::take(&mut self.mismatches)
    }

    /// Merges an update into what a target selects: an object member by member, an array by appending. `false` when
    /// there is no room left.
    #[must_use]
    pub(super) fn target(&mut self, value: &mut Value, origins: &mut Origins, update: &Value, from: &Origins) -> bool {
        let Some(room) = self.room.checked_sub(count(update)) else { return false };
        self.room = room;
        match (value, update) {
            (Value::Array(items), entry) if !entry.is_array() => {
                origins.set(&items.len().to_string(), from.clone());
                items.push(entry.clone());
            }
            (value, update) => self.merge(value, origins, update, from),
        }
        true
    }

    fn merge(&mut self, value: &mut Value, origins: &mut Origins, update: &Value, from: &Origins) {
        match (value, update) {
            (Value::Object(members), Value::Object(updates)) => {
                for (name, update) in updates {
                    let mut pointer = String::new();
                    push_token(&mut pointer, name);
                    let from = from.subtree(&pointer);
                    let token = pointer.trim_start_matches('/');
                    match members.get_mut(name) {
                        Some(value) => self.merge(value, origins.child(token), update, &from),
                        None => {
                            members.insert(name.clone(), update.clone());
                            origins.set(token, from);
                        }
                    }
                }
            }
            (Value::Array(items), Value::Array(updates)) => {
                for (index, entry) in updates.iter().enumerate() {
                    origins.set(&items.len().to_string(), from.subtree(&format!("/{index}")));
                    items.push(entry.clone());
                }
            }
            (value, update) => {
                let (old, new) = (kind(value), kind(update));
                if old != new {
                    self.mismatches.push(Mismatch { place: from.trace(""), old, new });
                }
                *value = update.clone();
                *origins = from.clone();
            }
        }
    }
}

/// What goes together: two objects, two arrays, or two values that are neither.
fn kind(value: &Value) -> &'static str {
    match value {
        Value::Object(_) => "an object",
        Value::Array(_) => "an array",
        _ => "a primitive value",
    }
}

/// How many values a value consists of.
fn count(value: &Value) -> usize {
    1 + match value {
        Value::Object(members) => members.values().map(count).sum(),
        Value::Array(items) => items.iter().map(count).sum(),
        _ => 0,
    }
}

/// Takes values out of the objects and arrays that hold them.
pub(super) fn remove(document: &mut Value, origins: &mut Origins, pointers: &[String]) {
    let mut by_parent: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (parent, token) in pointers.iter().filter_map(|pointer| pointer.rsplit_once('/')) {
        by_parent.entry(parent).or_default().insert(token);
    }
    let mut parents: Vec<_> = by_parent.into_iter().collect();
    // The deepest first, so that the indexes in the other pointers hold until their turn.
    parents.sort_by_key(|(parent, _)| std::cmp::Reverse(parent.matches('/').count()));
    for (parent, tokens) in parents {
        match document.pointer_mut(parent) {
            Some(Value::Object(members)) => {
                let node = origins.entry(parent);
                let names: BTreeSet<String> =
                    tokens.iter().map(|token| token.replace("~1", "/").replace("~0", "~")).collect();
                members.retain(|name, _| !names.contains(name));
                tokens.iter().for_each(|token| node.forget(token));
            }
            Some(Value::Array(items)) => {
                let gone: BTreeSet<usize> = tokens.iter().filter_map(|token| token.parse().ok()).collect();
                let kept: Vec<usize> = (0..items.len()).filter(|index| !gone.contains(index)).collect();
                let moved: Vec<Origins> =
                    kept.iter().map(|index| origins.subtree(&format!("{parent}/{index}"))).collect();
                let mut index = 0;
                items.retain(|_| {
                    index += 1;
                    !gone.contains(&(index - 1))
                });
                let list = origins.entry(parent);
                list.forget_all();
                for (index, node) in moved.into_iter().enumerate() {
                    list.set(&index.to_string(), node);
                }
            }
            _ => {}
        }
    }
}
