use std::path::PathBuf;

use serde_json::{Value, json};

use super::*;
use crate::{
    Source, Sources,
    api::Api,
    configuration::Configuration,
    diagnostics::{Diagnostics, Severity},
    inspect::Report,
};

mod corpus;
mod layout;
mod links;
mod names;
mod routes;
#[cfg(feature = "cli")]
mod uris;

/// A planned document.
struct Planned {
    api: Api,
    plan: Plan,
    diagnostics: Diagnostics,
    sources: Sources,
}

impl Planned {
    fn component(&self, name: &str) -> &Component {
        let known: Vec<_> = self.plan.components().map(|component| component.name.as_str()).collect();
        self.plan.components().find(|component| component.name == name).unwrap_or_else(|| panic!("{name}: {known:?}"))
    }

    fn parameters(&self, name: &str) -> Vec<&Parameter> {
        self.plan.parameters(self.component(name)).collect()
    }

    /// The findings of planning with at least this severity: code and message.
    fn findings(&self, at_least: Severity) -> Vec<(&str, &str)> {
        self.diagnostics
            .iter()
            .filter(|one| one.severity >= at_least && codes::ALL.contains(&one.code))
            .map(|one| (one.code.name, one.message.as_str()))
            .collect()
    }
}

/// Plans the paths (YAML, flow or block) of a document under a configuration (TOML).
fn plan(paths: &str, configuration: &str) -> Planned {
    let indented: String = paths.lines().map(|line| format!("  {line}\n")).collect();
    plan_document(&format!("openapi: 3.1.0\ninfo: {{title: Pets, version: '1'}}\npaths:\n{indented}"), configuration)
}

fn plan_document(text: &str, configuration: &str) -> Planned {
    let source = Source::Text { name: "pets.yaml".into(), text: text.into() };
    plan_source(source, &Configuration::parse(configuration, "mcpwright.toml").unwrap())
}

fn plan_source(source: Source, configuration: &Configuration) -> Planned {
    let (mut sources, mut diagnostics) = (Sources::default(), Diagnostics::default());
    let api = crate::load(source, &Default::default(), &mut sources, &mut diagnostics).unwrap();
    let plan = build(&api, configuration, &mut diagnostics);
    Planned { api, plan, diagnostics, sources }
}

/// The real documents beside the repository, when they are there.
fn specs() -> Vec<PathBuf> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .map(|folder| folder.join("shared/specs"))
        .find(|folder| folder.is_dir());
    let Some(entries) = folder.and_then(|folder| folder.read_dir().ok()) else { return Vec::new() };
    let mut specs: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "json" || extension == "yaml"))
        .collect();
    specs.sort();
    specs
}

/// A report as JSON.
fn report(planned: &Planned) -> Value {
    serde_json::to_value(Report::new(&planned.api, &planned.plan, &planned.diagnostics, &planned.sources)).unwrap()
}
