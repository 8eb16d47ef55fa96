//! Converts the schemas of a store, and the components that they reach, once per form.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use serde_json::{Map, Value, json};

use super::{
    Definitions, Direction,
    node::Node,
    pattern::Patterns,
    survey::{Position, Survey},
};
use crate::{
    diagnostics::Diagnostics,
    document::store::{SchemaId, SchemaStore},
};

/// Converts the schemas of a store.
///
/// Components are converted once and shared as definitions. Where a component, or one that it refers to, has `readOnly`
/// or `writeOnly` properties, its form in requests is a definition of its own, `<Name>Input`. A reference to a base
/// class with a discriminator becomes, in requests, a reference to `Any<Name>`: the choice between its subtypes.
#[derive(Debug)]
pub struct Converter<'a> {
    store: &'a SchemaStore,
    survey: Survey<'a>,
    converted: HashMap<(SchemaId, Direction), Arc<Value>>,
    shared: Shared,
}

/// What lasts from one schema to the next.
#[derive(Debug, Default)]
pub(super) struct Shared {
    pub(super) patterns: Patterns,
    requested: HashSet<(usize, Form)>,
    pending: Vec<(usize, Form)>,
    /// Schemas whose findings have been reported.
    diagnosed: HashSet<SchemaId>,
}

/// Which of its definitions a component is referred to by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Form {
    /// The only one, or the one in responses.
    Plain,
    /// The one in requests.
    Input,
    /// The choice between the subtypes, in requests.
    Any,
}

impl Shared {
    /// The reference to a component in a direction; `is_polymorphic` where any subtype may stand.
    pub(super) fn reference(
        &mut self,
        survey: &Survey<'_>,
        index: usize,
        direction: Direction,
        is_polymorphic: bool,
    ) -> String {
        let component = survey.component(index);
        let (form, name) = match (direction, &component.input_name, &component.any_name) {
            (Direction::Request, _, Some(name)) if is_polymorphic => (Form::Any, name),
            (Direction::Request, Some(name), _) => (Form::Input, name),
            _ => (Form::Plain, &component.name),
        };
        if self.requested.insert((index, form)) {
            self.pending.push((index, form));
        }
        format!("#/$defs/{name}")
    }
}

impl<'a> Converter<'a> {
    /// Nothing converted yet.
    pub fn new(store: &'a SchemaStore) -> Self {
        Self { store, survey: Survey::new(store), converted: HashMap::new(), shared: Shared::default() }
    }

    /// One schema as JSON Schema 2020-12. Findings are reported at the first conversion.
    pub fn convert(&mut self, id: SchemaId, direction: Direction, diagnostics: &mut Diagnostics) -> Arc<Value> {
        if let Some(converted) = self.converted.get(&(id, direction)) {
            return Arc::clone(converted);
        }
        let converted = Arc::new(self.node(id, None, direction, diagnostics));
        self.converted.insert((id, direction), Arc::clone(&converted));
        converted
    }

    /// The definitions that the converted schemas refer to, directly or through others.
    pub fn finish(mut self, diagnostics: &mut Diagnostics) -> Definitions {
        let mut definitions = Definitions::default();
        while let Some((index, form)) = self.shared.pending.pop() {
            let component = self.survey.component(index);
            let id = component.id;
            let (name, schema) = match form {
                Form::Plain => {
                    let name = component.name.clone();
                    (name, self.node(id, Some(index), Direction::Response, diagnostics))
                }
                Form::Input => {
                    let name = component.input_name.clone().unwrap_or_default();
                    (name, self.node(id, Some(index), Direction::Request, diagnostics))
                }
                Form::Any => (component.any_name.clone().unwrap_or_default(), self.choice(index)),
            };
            definitions.insert(name, schema);
        }
        definitions
    }

    fn node(
        &mut self,
        id: SchemaId,
        component: Option<usize>,
        direction: Direction,
        diagnostics: &mut Diagnostics,
    ) -> Value {
        let stored = self.store.get(id);
        let is_new = self.shared.diagnosed.insert(id);
        let position = if component.is_some() { Position::ROOT } else { Position::ANONYMOUS };
        Node {
            survey: &self.survey,
            shared: &mut self.shared,
            diagnostics: is_new.then_some(diagnostics),
            location: &stored.location,
            path: Vec::new(),
            component,
            direction,
        }
        .root(&stored.value, position)
    }

    /// The subtypes of a base class, each with its value of the discriminator, and the base itself, so that nothing is
    /// refused that the base accepts.
    fn choice(&mut self, index: usize) -> Value {
        let mut alternatives = Vec::new();
        if let Some((property, subtypes)) = &self.survey.component(index).subtypes {
            for subtype in subtypes {
                let reference = self.shared.reference(&self.survey, subtype.component, Direction::Request, false);
                let tag = match subtype.tags.as_slice() {
                    [tag] => json!({ "const": tag }),
                    tags => json!({ "enum": tags }),
                };
                let mut properties = Map::new();
                properties.insert((*property).to_owned(), tag);
                alternatives.push(json!({ "$ref": reference, "properties": properties, "required": [property] }));
            }
        }
        let base = self.shared.reference(&self.survey, index, Direction::Request, false);
        alternatives.push(json!({ "$ref": base }));
        json!({ "anyOf": alternatives })
    }
}
