//! Groups, modules and constants: where each component stands in the generated crate, and under which name.

use std::collections::BTreeMap;

use heck::{ToShoutySnakeCase, ToSnakeCase};
use mcpwright_runtime::catalog::Method;

use super::{
    Component, Group, ParameterUse, SharedParameter,
    arguments::Laid,
    name::{disambiguated, hash, latin},
};
use crate::api::Operation;

/// The longest name of a module, which is a file's name too.
const MODULE_LIMIT: usize = 60;
/// Names of modules that are keywords, have a meaning to Cargo, or cannot be files on Windows.
const RESERVED: &[&str] = &[
    "abstract", "all", "as", "async", "await", "aux", "become", "box", "break", "con", "const", "continue", "crate",
    "do", "dyn", "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "lib",
    "loop", "macro", "main", "match", "mod", "move", "mut", "nul", "override", "priv", "prn", "pub", "ref", "return",
    "self", "static", "struct", "super", "trait", "true", "try", "type", "typeof", "union", "unsafe", "unsized", "use",
    "virtual", "where", "while", "yield",
];
/// Constants that a module has besides its operations.
const RESERVED_CONSTANTS: &[&str] = &["ALL", "OPERATIONS"];

/// The stable order of operations: path by segment, then a fixed order of methods.
pub(super) fn order(method: Method, path: &str) -> (Vec<&str>, u8, &'static str) {
    let rank = match method {
        Method::Get => 0,
        Method::Put => 1,
        Method::Post => 2,
        Method::Delete => 3,
        Method::Options => 4,
        Method::Head => 5,
        Method::Patch => 6,
        Method::Trace => 7,
        Method::Query => 8,
        Method::Other(_) => 9,
    };
    (path.split('/').collect(), rank, method.as_str())
}

/// The tag and the module of an operation: by its first tag, else by the first telling segment of its path.
pub(super) fn module(operation: &Operation) -> (String, String) {
    let tag = operation.tags.first().filter(|tag| !tag.trim().is_empty());
    if let Some(tag) = tag {
        return (tag.clone(), identifier(tag));
    }
    let segment = operation.path.split(['/', '?', '#']).find(|segment| {
        let is_version = segment.strip_prefix(['v', 'V']).is_some_and(|rest| {
            !rest.is_empty() && rest.chars().all(|character| character.is_ascii_digit() || character == '.')
        });
        let is_common = ["api", "rest"].iter().any(|common| segment.eq_ignore_ascii_case(common));
        !segment.is_empty() && !segment.contains(['{', '}']) && !is_version && !is_common
    });
    (String::new(), segment.map_or_else(|| "operations".to_owned(), identifier))
}

/// A legal Rust identifier in `snake_case` that is a legal file name too.
fn identifier(text: &str) -> String {
    let mut name: String = latin(text).to_snake_case();
    if name.len() > MODULE_LIMIT {
        name.truncate(MODULE_LIMIT - 7);
        name = format!("{}_{}", name.trim_end_matches('_'), &hash(text)[..6]);
    }
    if name.is_empty() {
        return format!("tag_{}", &hash(text)[..6]);
    }
    if name.starts_with(|character: char| character.is_ascii_digit()) {
        name.insert_str(0, "tag_");
    }
    let is_device =
        |prefix: &str| name.strip_prefix(prefix).is_some_and(|rest| matches!(rest.as_bytes(), [b'0'..=b'9']));
    if RESERVED.contains(&name.as_str()) || is_device("com") || is_device("lpt") {
        name.push('_');
    }
    name
}

/// A legal name of a constant.
fn constant(name: &str, prefix: &str) -> String {
    let mut constant = latin(name).to_shouty_snake_case();
    if constant.is_empty() || constant.starts_with(|character: char| character.is_ascii_digit()) {
        constant = format!("{prefix}_{constant}");
    }
    if RESERVED_CONSTANTS.contains(&constant.as_str()) {
        constant.push('_');
        constant.push_str(prefix);
    }
    constant.trim_end_matches('_').to_owned()
}

/// Puts components, in their stable order, into groups by module and names their constants. Tags that make the same
/// module share it.
pub(super) fn groups(components: Vec<(Component, (String, String))>) -> Vec<Group> {
    let mut groups: BTreeMap<String, Group> = BTreeMap::new();
    for (component, (tag, module)) in components {
        let group =
            groups.entry(module.clone()).or_insert_with(|| Group { module, tag: tag.clone(), components: Vec::new() });
        if group.tag.is_empty() || (!tag.is_empty() && tag < group.tag) {
            group.tag = tag;
        }
        group.components.push(component);
    }
    for group in groups.values_mut() {
        let key = |component: &Component| format!("{} {}", component.method, component.path);
        let wishes = group.components.iter().map(|one| (key(one), constant(&one.name, "OPERATION"))).collect();
        let constants: BTreeMap<String, String> = disambiguated(wishes);
        for component in &mut group.components {
            component.constant = constants.get(&key(component)).cloned().unwrap_or_default();
        }
    }
    groups.into_values().collect()
}

/// The component parameters that are used as they stand, by constant name, and a function from their keys to these names.
pub(super) fn shared(operations: &[Vec<Laid>]) -> (BTreeMap<String, SharedParameter>, BTreeMap<String, String>) {
    let mut components: BTreeMap<&str, Option<&Laid>> = BTreeMap::new();
    for laid in operations.iter().flatten() {
        let Some(key) = &laid.component else { continue };
        components
            .entry(key)
            .and_modify(|known| {
                // Two files may each have a component of this name.
                if known.is_some_and(|known| known.parameter != laid.parameter) {
                    *known = None;
                }
            })
            .or_insert(Some(laid));
    }
    let components: BTreeMap<String, &Laid> =
        components.into_iter().filter_map(|(key, laid)| Some((key.to_owned(), laid?))).collect();
    let wishes = components.keys().map(|key| (key.clone(), constant(key, "PARAMETER"))).collect();
    let constants: BTreeMap<String, String> = disambiguated(wishes);
    let shared = components
        .into_iter()
        .filter_map(|(key, laid)| {
            let constant = constants.get(&key)?.clone();
            Some((constant, SharedParameter { component: key, parameter: laid.parameter.clone() }))
        })
        .collect();
    (shared, constants)
}

/// How a component names a parameter.
pub(super) fn parameter_use(laid: Laid, constants: &BTreeMap<String, String>) -> ParameterUse {
    match laid.component.and_then(|key| constants.get(&key).cloned()) {
        Some(constant) => ParameterUse::Shared(constant),
        None => ParameterUse::Own(laid.parameter),
    }
}
