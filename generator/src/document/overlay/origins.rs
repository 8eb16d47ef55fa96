//! Where the values of a changed document come from.

use std::collections::BTreeMap;

use crate::diagnostics::Location;

/// A tree beside the document: a node says where the value at its place comes from; a value without a node comes from
/// where its parent's does.
#[derive(Debug, Clone, Default)]
pub(crate) struct Origins {
    origin: Option<Location>,
    below: BTreeMap<String, Origins>,
}

impl Origins {
    /// Everything comes from one place.
    pub(crate) fn at(origin: Location) -> Self {
        Self { origin: Some(origin), below: BTreeMap::new() }
    }

    /// Where the value at a pointer comes from.
    pub(crate) fn trace(&self, pointer: &str) -> Option<Location> {
        let mut node = self;
        let mut rest = pointer;
        let mut found = self.origin.clone().map(|origin| (origin, pointer));
        while let Some((token, after)) = first(rest) {
            let Some(below) = node.below.get(token) else { break };
            node = below;
            rest = after;
            if let Some(origin) = &below.origin {
                found = Some((origin.clone(), after));
            }
        }
        found.map(|(origin, rest)| Location { file: origin.file, pointer: origin.pointer + rest })
    }

    /// What is known about the value at a pointer and what is below it.
    pub(super) fn subtree(&self, pointer: &str) -> Self {
        let mut node = Some(self);
        let mut rest = pointer;
        while let (Some(here), Some((token, after))) = (node, first(rest)) {
            node = here.below.get(token);
            rest = after;
        }
        let below = node.map(|node| node.below.clone()).unwrap_or_default();
        Self { origin: self.trace(pointer), below }
    }

    /// The node at a pointer, made where it is missing.
    pub(super) fn entry(&mut self, pointer: &str) -> &mut Self {
        let mut node = self;
        let mut rest = pointer;
        while let Some((token, after)) = first(rest) {
            node = node.child(token);
            rest = after;
        }
        node
    }

    /// The node below, made where it is missing. `token` is escaped as in a JSON Pointer.
    pub(super) fn child(&mut self, token: &str) -> &mut Self {
        self.below.entry(token.to_owned()).or_default()
    }

    /// Puts a node below.
    pub(super) fn set(&mut self, token: &str, node: Self) {
        self.below.insert(token.to_owned(), node);
    }

    /// Forgets a node below.
    pub(super) fn forget(&mut self, token: &str) {
        self.below.remove(token);
    }

    /// Forgets every node below.
    pub(super) fn forget_all(&mut self) {
        self.below.clear();
    }
}

/// The first token of a pointer, still escaped, and the rest.
fn first(pointer: &str) -> Option<(&str, &str)> {
    let inner = pointer.strip_prefix('/')?;
    Some(inner.find('/').map_or((inner, ""), |end| inner.split_at(end)))
}
