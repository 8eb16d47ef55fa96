//! Cuts a schema to a budget so that it still accepts everything that it accepted.

use std::{collections::BTreeSet, sync::Arc};

use serde_json::{Map, Value, json};

use super::{Definitions, annotations::ANNOTATIONS, definitions::text_bytes, walk};

/// The deepest level that a cut schema keeps.
const MAX_LEVELS: usize = 12;

/// A schema within a budget.
#[derive(Debug, Clone, PartialEq)]
pub struct Trimmed {
    /// The schema.
    pub schema: Arc<Value>,
    /// The definitions that it refers to, directly or through others.
    pub definitions: BTreeSet<String>,
    /// Whether something was cut.
    pub is_cut: bool,
}

/// A schema that accepts at least what the given one accepts and whose text is, bundled with its definitions, not longer
/// than `budget` bytes. `None` when nothing worth having fits.
///
/// A schema within the budget stays as it is. Else its references are replaced by what they lead to, `title`,
/// `description`, `default` and `examples` go, and so does everything below the deepest level that fits: what stands
/// there keeps its `type` only. Levels are those of the data: properties and items; `anyOf` and its kin stay on one.
/// When the budget then still has room, the descriptions come back. `oneOf` becomes `anyOf`, and `not`, `if`,
/// `contains`, `unevaluatedProperties` and their like go, because cutting inside of them would make them stricter.
pub fn trim(schema: &Arc<Value>, definitions: &Definitions, budget: usize) -> Option<Trimmed> {
    let own = text_bytes(schema);
    if own <= budget
        && let Some((closure, bytes)) = definitions.bounded_closure([&**schema], budget)
        && own.saturating_add(bytes) <= budget
    {
        let definitions = closure.into_iter().map(str::to_owned).collect();
        return Some(Trimmed { schema: Arc::clone(schema), definitions, is_cut: false });
    }
    let mut best = None;
    for levels in 1..=MAX_LEVELS {
        let mut cutter = Cutter { definitions, is_described: false, is_dry: true, is_cut: false, left: budget };
        if cutter.schema(schema, levels, 0).is_none() {
            break;
        }
        best = Some(levels);
        if !cutter.is_cut {
            break;
        }
    }
    let (levels, bare) =
        (1..=best?).rev().find_map(|levels| Some((levels, cut(schema, definitions, levels, false, budget)?)))?;
    if says_nothing(&bare) {
        return None;
    }
    let schema = cut(schema, definitions, levels, true, budget).unwrap_or(bare);
    Some(Trimmed { schema: Arc::new(schema), definitions: BTreeSet::new(), is_cut: true })
}

/// The schema cut at a level; `None` when its text would exceed the budget.
fn cut(schema: &Value, definitions: &Definitions, levels: usize, is_described: bool, budget: usize) -> Option<Value> {
    let mut cutter = Cutter { definitions, is_described, is_dry: false, is_cut: false, left: budget };
    let cut = cutter.schema(schema, levels, 0)?;
    (text_bytes(&cut) <= budget).then_some(cut)
}

fn says_nothing(schema: &Value) -> bool {
    match schema {
        Value::Object(members) => {
            members.keys().all(|keyword| keyword == "type" || ANNOTATIONS.contains(&keyword.as_str()))
        }
        _ => true,
    }
}

/// How often references are resolved without descending into the data.
const MAX_HOPS: usize = 16;

struct Cutter<'d> {
    definitions: &'d Definitions,
    /// Whether descriptions stay.
    is_described: bool,
    /// Whether only the budget is counted: finding the level must not cost what building a schema costs.
    is_dry: bool,
    /// Whether something below the deepest level was lost.
    is_cut: bool,
    /// The bytes that are left, by an estimate that is never less than the text.
    left: usize,
}

impl Cutter<'_> {
    /// `None` when the budget is spent.
    fn schema(&mut self, schema: &Value, levels: usize, hops: usize) -> Option<Value> {
        let Value::Object(members) = schema else {
            self.spend(6)?;
            return Some(schema.clone());
        };
        self.spend(2)?;
        if levels == 0 {
            return self.bare(members, hops);
        }
        if hops > MAX_HOPS {
            self.is_cut = true;
            return Some(Value::Object(Map::new()));
        }
        let mut cut = Map::new();
        let mut resolved = None;
        for (keyword, value) in members {
            match keyword.as_str() {
                "$ref" => {
                    let target = walk::definition(members).and_then(|name| self.definitions.get(name));
                    if let Some(target) = target {
                        // For the `allOf` that may have to hold the target beside its siblings.
                        self.spend(if members.len() > 1 { r#"{"allOf":[,]}"#.len() } else { 0 })?;
                        resolved = Some(self.schema(&target.schema, levels, hops + 1)?);
                    }
                }
                "properties" | "patternProperties" => {
                    let Value::Object(properties) = value else { continue };
                    let mut kept = Map::with_capacity(if self.is_dry { 0 } else { properties.len() });
                    for (name, property) in properties {
                        self.spend(name.len() + 4)?;
                        let property = self.schema(property, levels - 1, 0)?;
                        if !self.is_dry {
                            kept.insert(name.clone(), property);
                        }
                    }
                    self.spend(keyword.len() + 6)?;
                    self.insert(keyword, Value::Object(kept), &mut cut);
                }
                "items" | "additionalProperties" => {
                    self.spend(keyword.len() + 4)?;
                    let schema = self.schema(value, levels - 1, 0)?;
                    self.insert(keyword, schema, &mut cut);
                }
                "prefixItems" => {
                    self.spend(keyword.len() + 6)?;
                    let mut kept = Vec::new();
                    for item in value.as_array().into_iter().flatten() {
                        self.spend(1)?;
                        kept.push(self.schema(item, levels - 1, 0)?);
                    }
                    self.insert(keyword, Value::Array(kept), &mut cut);
                }
                "allOf" | "anyOf" | "oneOf" => {
                    self.spend(keyword.len() + 6)?;
                    let mut kept = Vec::new();
                    for branch in value.as_array().into_iter().flatten() {
                        self.spend(1)?;
                        let branch = self.schema(branch, levels, hops + 1)?;
                        if !self.is_dry && !kept.contains(&branch) {
                            kept.push(branch);
                        }
                    }
                    // A schema may have both `anyOf` and `oneOf`; the second of them then goes.
                    let name = if keyword == "allOf" { "allOf" } else { "anyOf" };
                    if !kept.is_empty() && !cut.contains_key(name) {
                        cut.insert(name.to_owned(), Value::Array(kept));
                    }
                }
                "description" | "title" | "default" | "examples" | "deprecated" if !self.is_described => {}
                "description" => {
                    let text = crate::text::bounded(value.as_str().unwrap_or_default(), 200).into_owned();
                    self.keep(keyword, &Value::String(text), &mut cut)?;
                }
                "title" | "default" | "examples" | "$comment" => {}
                "not"
                | "if"
                | "then"
                | "else"
                | "contains"
                | "minContains"
                | "maxContains"
                | "propertyNames"
                | "unevaluatedProperties"
                | "unevaluatedItems"
                | "dependentSchemas"
                | "contentSchema" => {}
                _ => self.keep(keyword, value, &mut cut)?,
            }
        }
        if self.is_dry {
            return Some(Value::Null);
        }
        super::compose::simplify(&mut cut);
        let Some(resolved) = resolved else { return Some(Value::Object(cut)) };
        Some(match resolved {
            Value::Object(mut target) if super::compose::can_merge(&target, &cut) => {
                let description = cut.shift_remove("description");
                super::compose::merge(&mut target, cut);
                if let Some(description) = description {
                    target.insert("description".to_owned(), description);
                }
                Value::Object(target)
            }
            target => json!({ "allOf": [target, cut] }),
        })
    }

    /// The type only, that of the definition for a reference.
    fn bare(&mut self, members: &Map<String, Value>, hops: usize) -> Option<Value> {
        let mut bare = Map::new();
        self.is_cut |= members.keys().any(|keyword| keyword != "type" && !ANNOTATIONS.contains(&keyword.as_str()));
        if let Some(kind) = members.get("type") {
            self.keep("type", kind, &mut bare)?;
        } else if let Some(name) = walk::definition(members)
            && hops < MAX_HOPS
            && let Some(Value::Object(target)) = self.definitions.get(name).map(|definition| &definition.schema)
        {
            return self.bare(target, hops + 1);
        }
        Some(Value::Object(bare))
    }

    fn keep(&mut self, keyword: &str, value: &Value, cut: &mut Map<String, Value>) -> Option<()> {
        self.spend(keyword.len() + 4 + text_bytes(value))?;
        if !self.is_dry {
            cut.insert(keyword.to_owned(), value.clone());
        }
        Some(())
    }

    fn insert(&self, keyword: &str, value: Value, cut: &mut Map<String, Value>) {
        if !self.is_dry {
            cut.insert(keyword.to_owned(), value);
        }
    }

    fn spend(&mut self, bytes: usize) -> Option<()> {
        self.left = self.left.checked_sub(bytes)?;
        Some(())
    }
}
