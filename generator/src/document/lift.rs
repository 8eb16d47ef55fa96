//! Lifts schemas out of the document into the store, each place once.

mod names;
mod rewrite;
mod target;

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::{
    files::{Files, Target, push_token},
    store::{SchemaId, SchemaStore, StoredSchema},
};
use crate::diagnostics::{Diagnostics, Location};
use rewrite::Scope;

pub(super) use rewrite::kind_of;

/// How many references that are whole components may follow each other.
const MAX_DETOURS: usize = 8;

/// Collects the schemas of a document.
pub(super) struct Lifter {
    store: SchemaStore,
    lifted: HashMap<Target, SchemaId>,
    names: HashMap<Target, String>,
    taken: HashSet<String>,
    /// What stands in for components that are only references.
    adopted: HashMap<Target, Target>,
    pending: Vec<Target>,
    spliced: usize,
    /// The pointer above the root's named schemas: `/components/schemas` or `/definitions`.
    home: &'static str,
    root: crate::source::FileId,
}

impl Lifter {
    pub(super) fn new(root: crate::source::FileId, home: &'static str) -> Self {
        Self {
            store: SchemaStore::default(),
            lifted: HashMap::new(),
            names: HashMap::new(),
            taken: HashSet::new(),
            adopted: HashMap::new(),
            pending: Vec::new(),
            spliced: 0,
            home,
            root,
        }
    }

    /// Names and lifts the root's own components, so that they keep their names whatever else refers to them.
    pub(super) fn components(&mut self, files: &mut Files<'_>, diagnostics: &mut Diagnostics) {
        let mut home = Target { file: self.root, pointer: self.home.to_owned() };
        let mut root = files.value(home.file);
        // The whole section may be a reference.
        for _ in 0..MAX_DETOURS {
            let Some(reference) = root.pointer(&home.pointer).and_then(super::shape::reference) else { break };
            let Ok(target) = files.resolve(home.file, reference, diagnostics) else { break };
            home = target;
            root = files.value(home.file);
        }
        let Some(schemas) = root.pointer(&home.pointer).and_then(Value::as_object) else { return };
        let targets: Vec<Target> = schemas
            .keys()
            .map(|name| {
                let mut pointer = home.pointer.clone();
                push_token(&mut pointer, name);
                let target = Target { file: home.file, pointer };
                self.names.insert(target.clone(), name.clone());
                self.taken.insert(name.clone());
                target
            })
            .collect();
        for target in targets {
            self.adopt(&target, files, diagnostics);
            self.lift_component(target, files, diagnostics);
        }
    }

    /// A component that is nothing but a reference gives its name to what lies behind it, if that has none of its own.
    fn adopt(&mut self, component: &Target, files: &mut Files<'_>, diagnostics: &mut Diagnostics) {
        let mut behind = component.clone();
        for _ in 0..MAX_DETOURS {
            let root = files.value(behind.file);
            let Some(members) = root.pointer(&behind.pointer).and_then(Value::as_object) else { return };
            match (members.get("$ref"), members.len()) {
                (Some(Value::String(reference)), 1) => match files.resolve(behind.file, reference, diagnostics) {
                    Ok(target) => behind = target,
                    Err(_) => return,
                },
                _ => break,
            }
        }
        if behind == *component || self.names.contains_key(&behind) {
            return;
        }
        if let Some(name) = self.names.get(component).cloned() {
            self.names.insert(behind.clone(), name.clone());
            self.names.insert(component.clone(), name);
            self.adopted.insert(component.clone(), behind);
        }
    }

    /// Lifts the schema at a place; the same place gives the same schema.
    pub(super) fn lift(
        &mut self,
        value: &Value,
        at: &Target,
        files: &mut Files<'_>,
        diagnostics: &mut Diagnostics,
    ) -> SchemaId {
        self.lift_within(value, at, None, files, diagnostics)
    }

    /// Lifts a schema that lies within another one with an `$id`.
    fn lift_within(
        &mut self,
        value: &Value,
        at: &Target,
        resource: Option<String>,
        files: &mut Files<'_>,
        diagnostics: &mut Diagnostics,
    ) -> SchemaId {
        if let Some(id) = self.lifted.get(at) {
            return *id;
        }
        let scope = Scope { file: at.file, resource, splices: 0, depth: 0 };
        let value = self.rewrite(value, &at.pointer, &scope, files, diagnostics);
        let id = self
            .store
            .insert(StoredSchema { value, location: Location { file: at.file, pointer: at.pointer.clone() } });
        self.lifted.insert(at.clone(), id);
        id
    }

    fn lift_component(&mut self, target: Target, files: &mut Files<'_>, diagnostics: &mut Diagnostics) {
        let Some(name) = self.names.get(&target).cloned() else { return };
        if self.store.component(&name).is_some() {
            return;
        }
        let target = self.adopted.get(&target).cloned().unwrap_or(target);
        let root = files.value(target.file);
        let value = root.pointer(&target.pointer).unwrap_or(&Value::Bool(true));
        let identified =
            |pointer: &&str| root.pointer(pointer).is_some_and(|above| above.get("$id").is_some_and(Value::is_string));
        let above = target.pointer.match_indices('/').map(|(at, _)| &target.pointer[..at]).rfind(identified);
        let id = self.lift_within(value, &target, above.map(str::to_owned), files, diagnostics);
        self.store.name(name, id);
    }

    /// Lifts what references have asked for and gives the schemas out.
    pub(super) fn finish(mut self, files: &mut Files<'_>, diagnostics: &mut Diagnostics) -> SchemaStore {
        while let Some(target) = self.pending.pop() {
            self.lift_component(target, files, diagnostics);
        }
        self.store
    }
}
