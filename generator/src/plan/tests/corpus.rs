//! Real documents.

use std::{collections::BTreeSet, sync::LazyLock};

use mcpwright_runtime::catalog::Kind;

use super::*;
use crate::{api::Operation, configuration::Preset};

/// The largest document that an unoptimised test reads, in bytes.
const MAX_BYTES: u64 = 2_000_000;

/// The documents, each read once: name and API.
pub(super) fn documents() -> &'static [(String, Api)] {
    static DOCUMENTS: LazyLock<Vec<(String, Api)>> = LazyLock::new(|| {
        let small = |path: &PathBuf| path.metadata().is_ok_and(|metadata| metadata.len() <= MAX_BYTES);
        let load = |path: PathBuf| {
            let (mut sources, mut diagnostics) = (Sources::default(), Diagnostics::default());
            let name = path.display().to_string();
            let api = crate::load(Source::Path(path), &Default::default(), &mut sources, &mut diagnostics).unwrap();
            (name, api)
        };
        specs().into_iter().filter(small).map(load).collect()
    });
    &DOCUMENTS
}

/// The API with other operations.
fn with_operations(api: &Api, operations: Vec<Operation>) -> Api {
    Api {
        document: api.document.clone(),
        servers: api.servers.clone(),
        security_schemes: api.security_schemes.iter().rev().cloned().collect(),
        tags: api.tags.iter().rev().cloned().collect(),
        operations,
        lost: api.lost.iter().rev().cloned().collect(),
        definitions: api.definitions.clone(),
        extensions: api.extensions.clone(),
    }
}

fn plan_of(api: &Api, configuration: &Configuration) -> (Plan, Diagnostics) {
    let mut diagnostics = Diagnostics::default();
    let plan = build(api, configuration, &mut diagnostics);
    (plan, diagnostics)
}

#[test]
fn every_operation_is_in_exactly_one_list_and_names_are_legal_and_unique() {
    for (file, api) in documents() {
        for preset in [Preset::Rest, Preset::Tools] {
            let (plan, _) = plan_of(api, &Configuration { preset, ..Default::default() });
            let mut listed: Vec<String> = plan.components().map(|one| format!("{} {}", one.method, one.path)).collect();
            listed.extend(plan.excluded.iter().map(|one| format!("{} {}", one.method, one.path)));
            let mut found: Vec<String> =
                api.operations.iter().map(|one| format!("{} {}", one.method, one.path)).collect();
            found.extend(api.lost.iter().map(|one| format!("{} {}", one.method, one.path)));
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
    for (file, api) in documents() {
        let (plan, _) = plan_of(api, &Configuration::default());
        for component in plan.components() {
            let mut seen = BTreeSet::new();
            let mut arguments: Vec<String> = plan.parameters(component).map(|one| one.argument().to_owned()).collect();
            if let Some(body) = &component.body {
                if body.argument.is_empty() {
                    let properties = body.schema.get("properties").and_then(Value::as_object);
                    arguments.extend(properties.into_iter().flatten().map(|(name, _)| name.clone()));
                } else {
                    arguments.push(body.argument.clone());
                }
            }
            for argument in arguments {
                assert!(arguments::is_legal(&argument), "{file}: {argument}");
                assert!(seen.insert(argument.clone()), "{file}: {} {argument}", component.name);
            }
        }
    }
}

#[test]
fn the_order_of_the_document_changes_nothing() {
    for (file, api) in documents() {
        let (forward, _) = plan_of(api, &Configuration::default());
        let mut operations: Vec<Operation> = api.operations.iter().rev().cloned().collect();
        let middle = operations.len() / 3;
        operations.rotate_left(middle);
        let (shuffled, _) = plan_of(&with_operations(api, operations), &Configuration::default());
        assert!(format!("{forward:?}") == format!("{shuffled:?}"), "{file}");
    }
}

#[test]
fn names_do_not_depend_on_the_number_of_operations() {
    for (file, api) in documents() {
        let (whole, diagnostics) = plan_of(api, &Configuration::default());
        let collided: BTreeSet<&Location> = diagnostics
            .iter()
            .filter(|one| one.code == &codes::NAME_COLLISION)
            .filter_map(|one| one.location.as_ref())
            .collect();
        let before: BTreeSet<(&Location, &str)> =
            whole.components().map(|one| (&one.location, one.name.as_str())).collect();
        let (half, _) = plan_of(
            &with_operations(api, api.operations.iter().step_by(2).cloned().collect()),
            &Configuration::default(),
        );
        for component in half.components().filter(|one| !collided.contains(&one.location)) {
            assert!(before.contains(&(&component.location, component.name.as_str())), "{file}: {}", component.name);
        }
    }
}

fn is_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name.chars().all(|character| character.is_ascii_alphanumeric() || matches!(character, '_' | '-'))
}

fn is_identifier(name: &str) -> bool {
    syn::parse_str::<syn::Ident>(name).is_ok()
}
