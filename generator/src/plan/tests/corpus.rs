//! Real documents.

use std::{collections::BTreeSet, fmt::Write};

use mcpwright_runtime::catalog::Kind;

use super::*;
use crate::configuration::Preset;

/// The largest document that an unoptimised test reads, in bytes.
const MAX_BYTES: u64 = 2_000_000;

fn documents() -> Vec<PathBuf> {
    let small = |path: &PathBuf| path.metadata().is_ok_and(|metadata| metadata.len() <= MAX_BYTES);
    specs().into_iter().filter(small).collect()
}

#[test]
fn every_operation_is_in_exactly_one_list_and_names_are_legal_and_unique() {
    for path in documents() {
        let file = path.display().to_string();
        for preset in [Preset::Rest, Preset::Tools] {
            let planned = plan_source(Source::Path(path.clone()), &Configuration { preset, ..Default::default() });
            let plan = &planned.plan;
            let mut listed: Vec<String> = plan.components().map(|one| format!("{} {}", one.method, one.path)).collect();
            listed.extend(plan.excluded.iter().map(|one| format!("{} {}", one.method, one.path)));
            let mut found: Vec<String> =
                planned.api.operations.iter().map(|one| format!("{} {}", one.method, one.path)).collect();
            found.extend(planned.api.lost.iter().map(|one| format!("{} {}", one.method, one.path)));
            listed.sort();
            found.sort();
            assert_eq!(listed, found, "{file}");

            let (mut names, mut uris) = (BTreeSet::new(), BTreeSet::new());
            for component in plan.components() {
                assert!(is_name(&component.name), "{file}: {}", component.name);
                assert!(names.insert(component.name.clone()), "{file}: {} twice", component.name);
                assert_eq!(component.uri.is_empty(), component.kind == Kind::Tool, "{file}: {}", component.name);
                assert!(
                    component.uri.is_empty() || uris.insert(component.uri.clone()),
                    "{file}: {} twice",
                    component.uri
                );
                assert!(!component.title.is_empty() && !component.description.is_empty(), "{file}: {}", component.name);
                assert!(component.description.chars().count() <= 1000, "{file}: {}", component.name);
            }
            let mut modules = BTreeSet::new();
            for group in &plan.groups {
                assert!(is_identifier(&group.module) && modules.insert(&group.module), "{file}: {}", group.module);
                let mut constants = BTreeSet::new();
                for component in &group.components {
                    assert!(is_identifier(&component.constant), "{file}: {}", component.constant);
                    assert!(constants.insert(&component.constant), "{file}: {} twice", component.constant);
                }
            }
            assert!(plan.shared_parameters.keys().all(|constant| is_identifier(constant)), "{file}");
        }
    }
}

#[test]
fn arguments_are_legal_and_unique_in_every_document() {
    for path in documents() {
        let planned = plan_source(Source::Path(path.clone()), &Configuration::default());
        for component in planned.plan.components() {
            let mut seen = BTreeSet::new();
            let mut arguments: Vec<String> = planned
                .parameters(&component.name)
                .into_iter()
                .map(|one| if one.argument.is_empty() { one.name.clone() } else { one.argument.clone() })
                .collect();
            if let Some(body) = &component.body {
                if body.argument.is_empty() {
                    let properties = body.schema.get("properties").and_then(Value::as_object);
                    arguments.extend(properties.into_iter().flatten().map(|(name, _)| name.clone()));
                } else {
                    arguments.push(body.argument.clone());
                }
            }
            for argument in arguments {
                assert!(arguments::is_legal(&argument), "{}: {argument}", path.display());
                assert!(seen.insert(argument.clone()), "{}: {} {argument}", path.display(), component.name);
            }
        }
    }
}

#[test]
fn the_order_of_the_document_changes_nothing() {
    for path in documents() {
        let mut planned = plan_source(Source::Path(path.clone()), &Configuration::default());
        let forward = describe(&planned.plan);
        planned.api.operations.reverse();
        let middle = planned.api.operations.len() / 3;
        planned.api.operations.rotate_left(middle);
        planned.api.security_schemes.reverse();
        let shuffled = build(&planned.api, &Configuration::default(), &mut Diagnostics::default());
        assert!(forward == describe(&shuffled), "{}", path.display());
    }
}

#[test]
fn names_do_not_depend_on_the_number_of_operations() {
    for path in documents() {
        let mut planned = plan_source(Source::Path(path.clone()), &Configuration::default());
        let collided: BTreeSet<Location> = planned
            .diagnostics
            .iter()
            .filter(|one| one.code == &codes::NAME_COLLISION)
            .filter_map(|one| one.location.clone())
            .collect();
        let before: Vec<(Location, String)> =
            planned.plan.components().map(|one| (one.location.clone(), one.name.clone())).collect();
        let mut even = false;
        planned.api.operations.retain(|_| {
            even = !even;
            even
        });
        let half = build(&planned.api, &Configuration::default(), &mut Diagnostics::default());
        for component in half.components().filter(|one| !collided.contains(&one.location)) {
            assert!(
                before.contains(&(component.location.clone(), component.name.clone())),
                "{}: {}",
                path.display(),
                component.name
            );
        }
    }
}

/// Everything of a plan.
fn describe(plan: &Plan) -> String {
    let mut text = String::new();
    let _ = write!(text, "{plan:?}");
    text
}

fn is_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name.chars().all(|character| character.is_ascii_alphanumeric() || matches!(character, '_' | '-'))
}

fn is_identifier(name: &str) -> bool {
    syn::parse_str::<syn::Ident>(name).is_ok()
}
