//! What must be known of all components before one is converted: which forms they have, which circles they close.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use super::{
    Direction,
    names::Names,
    numbers::flag,
    walk::{self, Relation},
};
use crate::document::store::{SchemaId, SchemaStore};

/// How many subtypes a base class may have for a reference to it to list them.
const MAX_SUBTYPES: usize = 12;

/// How many references are followed to find out whether a property is `readOnly` or `writeOnly`.
const MAX_HOPS: usize = 8;

/// All components of a store.
#[derive(Debug)]
pub(super) struct Survey<'a> {
    index: HashMap<&'a str, usize>,
    components: Vec<Component<'a>>,
    /// Whether any schema has `unevaluatedItems`, so that an `items` that accepts anything would mean something.
    pub(super) has_unevaluated_items: bool,
}

/// One component.
#[derive(Debug)]
pub(super) struct Component<'a> {
    pub(super) id: SchemaId,
    pub(super) value: &'a Value,
    /// The key in the document, which is also the implicit value of a discriminator.
    pub(super) key: &'a str,
    /// For a base class with a discriminator: the property's name and the subtypes. Else nothing.
    pub(super) subtypes: Option<(&'a str, Vec<Subtype<'a>>)>,
    /// Whether the form in requests differs from the one in responses.
    pub(super) is_directed: bool,
    /// References in place that close a circle.
    broken: HashSet<usize>,
    /// The name of the form in responses, which is the only one unless the component is directed.
    pub(super) name: String,
    /// The name of the form in requests.
    pub(super) input_name: Option<String>,
    /// The name of the choice between the subtypes, in requests.
    pub(super) any_name: Option<String>,
}

/// A subtype of a base class.
#[derive(Debug)]
pub(super) struct Subtype<'a> {
    pub(super) component: usize,
    /// The values of the discriminator that name it.
    pub(super) tags: Vec<&'a str>,
}

/// Where a subschema stands in its component.
#[derive(Debug, Clone, Copy)]
pub(super) struct Position {
    /// Whether it applies to the same value as the component itself.
    pub(super) is_in_place: bool,
    /// Whether it is a member of an `allOf`.
    pub(super) is_all_of: bool,
}

impl Position {
    /// The root of a component.
    pub(super) const ROOT: Position = Position { is_in_place: true, is_all_of: false };
    /// The root of a schema that nothing refers to.
    pub(super) const ANONYMOUS: Position = Position { is_in_place: false, is_all_of: false };

    /// The position of what stands under a keyword of a schema.
    pub(super) fn below(self, keyword: &str, schema: &Map<String, Value>) -> Position {
        let is_in_place = matches!(walk::keyword(keyword), Some((_, Relation::InPlace)));
        Position {
            is_in_place: is_in_place && self.is_in_place,
            is_all_of: is_in_place && (self.is_all_of || (keyword == "allOf" && !is_mere_wrapper(schema))),
        }
    }

    /// Whether a reference here means any of the subtypes of the class that it names.
    pub(super) fn is_polymorphic(self) -> bool {
        !self.is_in_place && !self.is_all_of
    }
}

/// Whether an `allOf` only serves to put a description beside a reference, as OpenAPI 3.0 demands.
fn is_mere_wrapper(schema: &Map<String, Value>) -> bool {
    schema.get("allOf").and_then(Value::as_array).is_some_and(|members| members.len() == 1)
        && !schema.contains_key("properties")
}

/// What a component refers to.
#[derive(Default)]
struct Facts {
    references: Vec<usize>,
    in_place: Vec<usize>,
    is_directed: bool,
    has_unevaluated_items: bool,
}

impl<'a> Survey<'a> {
    pub(super) fn new(store: &'a SchemaStore) -> Self {
        let mut survey = Self { index: HashMap::new(), components: Vec::new(), has_unevaluated_items: false };
        for (key, id) in store.components() {
            survey.index.insert(key, survey.components.len());
            survey.components.push(Component {
                id,
                value: &store.get(id).value,
                key,
                subtypes: None,
                is_directed: false,
                broken: HashSet::new(),
                name: String::new(),
                input_name: None,
                any_name: None,
            });
        }
        survey.find_subtypes();
        let facts: Vec<Facts> = survey
            .components
            .iter()
            .map(|component| {
                let mut facts = Facts::default();
                survey.facts(component.value, Position::ROOT, &mut facts);
                facts
            })
            .collect();
        survey.has_unevaluated_items = facts.iter().any(|facts| facts.has_unevaluated_items);
        survey.break_circles(&facts);
        survey.spread_direction(&facts);
        survey.give_names();
        survey
    }

    /// The component that `#/components/schemas/<name>` refers to.
    pub(super) fn resolve(&self, reference: &str) -> Option<usize> {
        let name = reference.strip_prefix("#/components/schemas/")?;
        if name.contains('~') {
            return self.index.get(name.replace("~1", "/").replace("~0", "~").as_str()).copied();
        }
        self.index.get(name).copied()
    }

    pub(super) fn component(&self, index: usize) -> &Component<'a> {
        &self.components[index]
    }

    /// Whether this reference, in place, would close a circle.
    pub(super) fn is_broken(&self, from: usize, to: usize) -> bool {
        self.components[from].broken.contains(&to)
    }

    /// Whether a property with this schema is left out in this direction.
    pub(super) fn is_hidden(&self, schema: &'a Value, direction: Direction) -> bool {
        let keyword = match direction {
            Direction::Request => "readOnly",
            Direction::Response => "writeOnly",
        };
        let mut schema = schema;
        for _ in 0..MAX_HOPS {
            let Value::Object(members) = schema else { return false };
            if let Some(flag) = members.get(keyword).and_then(flag) {
                return flag;
            }
            schema = match (members.get("$ref"), members.get("allOf").and_then(Value::as_array).map(Vec::as_slice)) {
                (Some(Value::String(reference)), _) => match self.resolve(reference) {
                    Some(target) => self.components[target].value,
                    None => return false,
                },
                (_, Some([only])) => only,
                _ => return false,
            };
        }
        false
    }

    /// Adds the properties that are left out in this direction, those of `allOf` members included.
    pub(super) fn hidden(&self, schema: &'a Map<String, Value>, direction: Direction, names: &mut Vec<&'a str>) {
        self.hidden_within(schema, direction, &mut HashSet::new(), names);
    }

    fn hidden_within(
        &self,
        schema: &'a Map<String, Value>,
        direction: Direction,
        visited: &mut HashSet<usize>,
        names: &mut Vec<&'a str>,
    ) {
        if let Some(Value::Object(properties)) = schema.get("properties") {
            for (name, property) in properties {
                if self.is_hidden(property, direction) && !names.contains(&name.as_str()) {
                    names.push(name);
                }
            }
        }
        let target = schema.get("$ref").and_then(Value::as_str).and_then(|reference| self.resolve(reference));
        if let Some(target) = target
            && self.components[target].is_directed
            && visited.insert(target)
            && let Value::Object(target) = self.components[target].value
        {
            self.hidden_within(target, direction, visited, names);
        }
        for member in schema.get("allOf").and_then(Value::as_array).into_iter().flatten() {
            if let Value::Object(member) = member {
                self.hidden_within(member, direction, visited, names);
            }
        }
    }

    /// Finds the subtypes of the base classes that have a discriminator.
    fn find_subtypes(&mut self) {
        let mut children: HashMap<usize, Vec<usize>> = HashMap::new();
        for (child, component) in self.components.iter().enumerate() {
            for member in component.value.get("allOf").and_then(Value::as_array).into_iter().flatten() {
                let parent = member.get("$ref").and_then(Value::as_str).and_then(|reference| self.resolve(reference));
                if let Some(parent) = parent {
                    children.entry(parent).or_default().push(child);
                }
            }
        }
        for base in 0..self.components.len() {
            let value = self.components[base].value;
            let Some(property) = value.get("discriminator").and_then(discriminator_property) else { continue };
            if value.get("oneOf").is_some() || value.get("anyOf").is_some() {
                continue;
            }
            let mut mapped: Vec<(usize, &'a str)> = Vec::new();
            if let Some(Value::Object(mapping)) = value.pointer("/discriminator/mapping") {
                for (tag, target) in mapping {
                    if let Some(target) = target.as_str().and_then(|reference| self.resolve(reference)) {
                        mapped.push((target, tag));
                    }
                }
            }
            let mut found: Vec<usize> = Vec::new();
            let mut open: Vec<usize> = mapped.iter().map(|(target, _)| *target).collect();
            open.extend(children.get(&base).into_iter().flatten());
            open.reverse();
            while let Some(subtype) = open.pop() {
                if subtype == base || found.contains(&subtype) {
                    continue;
                }
                found.push(subtype);
                if found.len() > MAX_SUBTYPES {
                    break;
                }
                open.extend(children.get(&subtype).into_iter().flatten().rev());
            }
            if found.is_empty() || found.len() > MAX_SUBTYPES {
                continue;
            }
            let subtypes = found
                .into_iter()
                .map(|component| {
                    let mut tags: Vec<&str> =
                        mapped.iter().filter(|(target, _)| *target == component).map(|(_, tag)| *tag).collect();
                    if tags.is_empty() {
                        tags.push(self.components[component].key);
                    }
                    Subtype { component, tags }
                })
                .collect();
            self.components[base].subtypes = Some((property, subtypes));
        }
    }

    fn facts(&self, schema: &'a Value, position: Position, facts: &mut Facts) {
        let Value::Object(members) = schema else { return };
        facts.has_unevaluated_items |= members.contains_key("unevaluatedItems");
        if let Some(target) = members.get("$ref").and_then(Value::as_str).and_then(|reference| self.resolve(reference))
        {
            facts.references.push(target);
            if position.is_in_place {
                facts.in_place.push(target);
            }
            facts.is_directed |= position.is_polymorphic() && self.components[target].subtypes.is_some();
        }
        walk::subschemas(members, |keyword, _, subschema| {
            if keyword == "properties" && !facts.is_directed {
                facts.is_directed =
                    self.is_hidden(subschema, Direction::Request) || self.is_hidden(subschema, Direction::Response);
            }
            if !matches!(walk::keyword(keyword), Some((_, Relation::None))) {
                self.facts(subschema, position.below(keyword, members), facts);
            }
        });
    }

    /// Finds the references in place that lead back to where they came from.
    fn break_circles(&mut self, facts: &[Facts]) {
        #[derive(Clone, Copy, PartialEq)]
        enum State {
            New,
            Open,
            Closed,
        }
        let mut states = vec![State::New; facts.len()];
        for root in 0..facts.len() {
            if states[root] != State::New {
                continue;
            }
            states[root] = State::Open;
            let mut stack = vec![(root, 0)];
            while let Some((component, next)) = stack.last_mut() {
                let component = *component;
                let Some(target) = facts[component].in_place.get(*next).copied() else {
                    states[component] = State::Closed;
                    stack.pop();
                    continue;
                };
                *next += 1;
                match states[target] {
                    State::New => {
                        states[target] = State::Open;
                        stack.push((target, 0));
                    }
                    State::Open => {
                        self.components[component].broken.insert(target);
                    }
                    State::Closed => {}
                }
            }
        }
    }

    /// What refers to a component with two forms has two forms itself.
    fn spread_direction(&mut self, facts: &[Facts]) {
        let mut referrers: Vec<Vec<usize>> = vec![Vec::new(); facts.len()];
        for (component, facts) in facts.iter().enumerate() {
            for target in &facts.references {
                referrers[*target].push(component);
            }
        }
        let mut open: Vec<usize> =
            facts.iter().enumerate().filter(|(_, facts)| facts.is_directed).map(|(index, _)| index).collect();
        while let Some(component) = open.pop() {
            if !std::mem::replace(&mut self.components[component].is_directed, true) {
                open.append(&mut referrers[component]);
            }
        }
    }

    fn give_names(&mut self) {
        let mut names = Names::default();
        let mut order: Vec<usize> = (0..self.components.len()).collect();
        order.sort_unstable_by_key(|index| self.components[*index].key);
        for index in &order {
            let component = &mut self.components[*index];
            component.name = names.give(component.key);
        }
        for index in order {
            let component = &mut self.components[index];
            if component.is_directed {
                component.input_name = Some(names.give(&format!("{}Input", component.key)));
            }
            if component.subtypes.is_some() {
                component.any_name = Some(names.give(&format!("Any{}", component.key)));
            }
        }
    }
}

/// The property that a discriminator names: an object since 3.0, the bare name in 2.0.
pub(super) fn discriminator_property(discriminator: &Value) -> Option<&str> {
    match discriminator {
        Value::String(name) => Some(name),
        discriminator => discriminator.get("propertyName")?.as_str(),
    }
}
