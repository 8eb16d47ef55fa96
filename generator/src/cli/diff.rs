//! `mcpwright diff`: what changes for clients between two versions of a document.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    io,
    process::ExitCode,
};

use clap::Args;
use mcpwright::{
    inspect::{ComponentReport, Report},
    text::one_line,
};
use serde_json::Value;

use super::{
    input::Shape,
    output::{self, Exit, FINDINGS, Outcome, print},
};

/// The options of `diff`.
#[derive(Debug, Args)]
#[command(after_help = "Exit code 1 says that something breaks clients")]
pub(crate) struct Options {
    /// The old document: a file, a URL or the folder of a generated crate
    old: String,
    /// The new document
    new: String,
    #[command(flatten)]
    shape: Shape,
}

/// A component with what kind of list it is in.
type Listed<'a> = (&'static str, &'a ComponentReport);

pub(crate) fn run(options: Options) -> Outcome {
    let report = |spec: &str| -> Result<Report, Exit> {
        let planned = options.shape.plan(Some(spec))?;
        Ok(Report::new(&planned.api, &planned.plan, &planned.diagnostics, &planned.sources))
    };
    let (old, new) = (report(&options.old)?, report(&options.new)?);
    let changes = compare(&old, &new);
    print(&text(&changes, output::colours(&io::stdout())))?;
    let breaking = changes.iter().any(|change| change.breaking);
    Ok(if breaking { ExitCode::from(FINDINGS) } else { ExitCode::SUCCESS })
}

/// One change.
#[derive(Debug, PartialEq, Eq)]
struct Change {
    sign: char,
    text: String,
    breaking: bool,
}

/// Components by method and path, which stay when names change.
fn components(report: &Report) -> BTreeMap<(&str, &str), Listed<'_>> {
    let lists =
        [("tool", &report.tools), ("resource", &report.resources), ("resource template", &report.resource_templates)];
    lists
        .into_iter()
        .flat_map(|(kind, list)| list.iter().map(move |one| ((one.path.as_str(), one.method.as_str()), (kind, one))))
        .collect()
}

fn compare(old: &Report, new: &Report) -> Vec<Change> {
    let (old, new) = (components(old), components(new));
    let mut changes = Vec::new();
    for (key, before) in &old {
        match new.get(key) {
            None => changes.push(Change { sign: '-', text: label(before), breaking: true }),
            Some(after) => changes.extend(changed(before, after)),
        }
    }
    for (key, after) in &new {
        if !old.contains_key(key) {
            changes.push(Change { sign: '+', text: label(after), breaking: false });
        }
    }
    changes
}

fn label((kind, one): &Listed<'_>) -> String {
    format!("{kind} {} ({} {})", one.name, one.method, one_line(&one.path))
}

/// What is different about one component.
fn changed(before: &Listed<'_>, after: &Listed<'_>) -> Vec<Change> {
    let mut changes = Vec::new();
    let mut add = |what: String, breaking: bool| {
        changes.push(Change { sign: '~', text: format!("{}: {what}", label(after)), breaking });
    };
    let ((old_kind, old), (new_kind, new)) = (before, after);
    if old_kind != new_kind {
        add(format!("was a {old_kind}"), true);
    }
    if old.name != new.name {
        add(format!("was named {}", old.name), true);
    }
    let uri = |one: &ComponentReport| one.uri.clone().or_else(|| one.uri_template.clone());
    if old_kind == new_kind && uri(old) != uri(new) {
        let shown = |uri: Option<String>| uri.unwrap_or_else(|| "nothing".to_owned());
        add(format!("URI was {}, is {}", one_line(&shown(uri(old))), one_line(&shown(uri(new)))), true);
    }
    let (old_input, new_input) = (Input::of(old), Input::of(new));
    for (name, schema) in &old_input.properties {
        match new_input.properties.get(name) {
            None => add(format!("argument {} is gone", one_line(name)), true),
            Some(new_schema) if shape(new_schema) != shape(schema) => {
                let (what, breaking) = narrowed(schema, new_schema);
                add(format!("argument {} {what}", one_line(name)), breaking);
            }
            Some(_) => {}
        }
        if new_input.required.contains(name) && !old_input.required.contains(name) {
            add(format!("argument {} is required now", one_line(name)), true);
        }
    }
    for name in new_input.properties.keys().filter(|name| !old_input.properties.contains_key(*name)) {
        let required = new_input.required.contains(name);
        let how = if required { "new and required" } else { "new" };
        add(format!("argument {} is {how}", one_line(name)), required);
    }
    if old_input.definitions != new_input.definitions {
        add("shared schemas of its arguments changed".to_owned(), false);
    }
    let output = |one: &ComponentReport| {
        one.output_schema
            .as_ref()
            .and_then(|schema| serde_json::from_str::<Value>(schema.get()).ok())
            .map(|one| shape(&one))
    };
    if output(old) != output(new) {
        add("the result has another schema".to_owned(), false);
    }
    if old.annotations.destructive_hint != new.annotations.destructive_hint {
        let now = if new.annotations.destructive_hint { "is destructive now" } else { "is no longer destructive" };
        add(now.to_owned(), false);
    }
    if !old.deprecated && new.deprecated {
        add("is deprecated now".to_owned(), false);
    }
    changes
}

/// The arguments of a component.
#[derive(Debug, Default)]
struct Input {
    properties: BTreeMap<String, Value>,
    required: BTreeSet<String>,
    definitions: BTreeMap<String, Value>,
}

impl Input {
    fn of(component: &ComponentReport) -> Self {
        let Ok(schema) = serde_json::from_str::<Value>(component.input_schema.get()) else { return Self::default() };
        let map = |name: &str, change: fn(&Value) -> Value| {
            let members = schema.get(name).and_then(Value::as_object).into_iter().flatten();
            members.map(|(name, schema)| (name.clone(), change(schema))).collect()
        };
        let required = schema.get("required").and_then(Value::as_array).into_iter().flatten();
        Self {
            properties: map("properties", Value::clone),
            required: required.filter_map(Value::as_str).map(str::to_owned).collect(),
            definitions: map("$defs", shape),
        }
    }
}

/// How another schema treats the values that the old one took, as far as its root tells, and whether it refuses some.
fn narrowed(old: &Value, new: &Value) -> (String, bool) {
    let types = |schema: &Value| -> BTreeSet<String> {
        match schema.get("type") {
            Some(Value::String(one)) => BTreeSet::from([one.clone()]),
            Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            _ => BTreeSet::new(),
        }
    };
    let (took, takes) = (types(old), types(new));
    if took != takes && !takes.is_empty() {
        let refused = |one: &String| !(takes.contains(one) || one == "integer" && takes.contains("number"));
        let words = |types: &BTreeSet<String>| match types.len() {
            0 => "anything".to_owned(),
            _ => types.iter().map(String::as_str).collect::<Vec<_>>().join(" or "),
        };
        let breaking = took.is_empty() || took.iter().any(refused);
        return (format!("takes {}, took {}", words(&takes), words(&took)), breaking);
    }
    let values = |schema: &Value| schema.get("enum").and_then(Value::as_array).cloned();
    match (values(old), values(new)) {
        (None, Some(new)) => (format!("takes only {} values now", new.len()), true),
        (Some(old), Some(new)) => match old.iter().find(|value| !new.contains(value)) {
            Some(gone) => (format!("no longer takes {}", one_line(&gone.to_string())), true),
            None => ("has another schema".to_owned(), false),
        },
        _ => ("has another schema".to_owned(), false),
    }
}

/// A schema without its prose.
fn shape(schema: &Value) -> Value {
    match schema {
        Value::Object(members) => members
            .iter()
            .filter(|(name, value)| {
                !(matches!(name.as_str(), "description" | "title" | "$comment") && value.is_string()
                    || *name == "examples")
            })
            .map(|(name, value)| (name.clone(), shape(value)))
            .collect(),
        Value::Array(items) => items.iter().map(shape).collect(),
        other => other.clone(),
    }
}

fn text(changes: &[Change], colours: bool) -> String {
    if changes.is_empty() {
        return "nothing changes for clients\n".to_owned();
    }
    let mut text = String::new();
    for change in changes {
        let (colour, plain) = match (colours, change.breaking, change.sign) {
            (false, ..) => ("", ""),
            (true, true, _) => ("\u{1b}[31m", "\u{1b}[0m"),
            (true, false, '+') => ("\u{1b}[32m", "\u{1b}[0m"),
            (true, false, _) => ("\u{1b}[33m", "\u{1b}[0m"),
        };
        let breaking = if change.breaking { "  [breaking]" } else { "" };
        let _ = writeln!(text, "{colour}{} {}{breaking}{plain}", change.sign, change.text);
    }
    let breaking = changes.iter().filter(|change| change.breaking).count();
    let _ = writeln!(text, "\n{} changes, {breaking} of them breaking", changes.len());
    text
}
