//! From an API and a configuration to a plan.

use std::collections::{BTreeMap, BTreeSet};

use mcpwright_runtime::catalog::Kind;
use serde_json::Value;

use super::{
    Component, Excluded, Plan,
    arguments::{self, Laid},
    body, codes,
    decision::{self, Decision},
    group,
    links::Links,
    name,
    output::{self, Outputs},
    prose,
    route::Rules,
    uri,
};
use crate::{
    api::{Api, Operation},
    configuration::{Configuration, nearest},
    diagnostics::Diagnostics,
    schema::Definitions,
    text::{bounded, clean, one_line},
};

/// Routes, names, describes and lays out every operation of the API, or excludes it with a reason.
pub fn build(api: &Api, configuration: &Configuration, diagnostics: &mut Diagnostics) -> Plan {
    build_with(api, configuration, |_, decision| decision, diagnostics)
}

/// [`build`], with a function that sees every decision last and may change it. It is called for excluded operations too.
pub fn build_with(
    api: &Api,
    configuration: &Configuration,
    adjust: impl Fn(&Operation, Decision) -> Decision,
    diagnostics: &mut Diagnostics,
) -> Plan {
    let mut operations: Vec<&Operation> = api.operations.iter().collect();
    operations
        .sort_by(|left, right| group::order(left.method, &left.path).cmp(&group::order(right.method, &right.path)));
    let mut rules = Rules::new(configuration);
    let decisions: Vec<Decision> = operations
        .iter()
        .map(|operation| {
            let decision = decision::decide(operation, &api.extensions, configuration, &mut rules, diagnostics);
            adjust(operation, decision)
        })
        .collect();
    rules.finish(&operations, diagnostics);
    report_unmatched(&operations, configuration, diagnostics);

    let mut excluded: Vec<Excluded> = api
        .lost
        .iter()
        .map(|lost| Excluded { method: lost.method, path: lost.path.clone(), reason: lost.reason.clone() })
        .collect();
    let mut offered = Vec::with_capacity(operations.len());
    for (operation, decision) in operations.into_iter().zip(&decisions) {
        match decision.kind {
            Some(kind) => offered.push((operation, decision, kind)),
            None => excluded.push(Excluded {
                method: operation.method,
                path: operation.path.clone(),
                reason: decision.reason.clone(),
            }),
        }
    }
    excluded.sort_by(|left, right| group::order(left.method, &left.path).cmp(&group::order(right.method, &right.path)));

    let server = server_name(api, configuration);
    let pairs: Vec<(&Operation, &Decision)> =
        offered.iter().map(|(operation, decision, _)| (*operation, *decision)).collect();
    let names = name::names(&pairs, configuration, diagnostics);
    let mut outputs = Outputs::new(&api.definitions, configuration.output_budget);
    let mut laid_parameters = Vec::with_capacity(offered.len());
    let mut components = Vec::with_capacity(offered.len());
    for ((operation, decision, kind), name) in offered.into_iter().zip(names) {
        let planner = Planner { operation, decision, definitions: &api.definitions, configuration, server: &server };
        let (component, laid) = planner.component(kind, name, &mut outputs, diagnostics);
        components.push((component, group::module(operation)));
        laid_parameters.push(laid);
    }
    report_same_uris(components.iter().map(|(component, _)| component), diagnostics);
    let linked = Links::new(&pairs, &components, &laid_parameters).of_all(configuration.description_limit, diagnostics);
    for ((component, _), links) in components.iter_mut().zip(linked) {
        component.links = links;
    }
    let (shared_parameters, constants) = group::shared(&laid_parameters);
    for ((component, _), laid) in components.iter_mut().zip(laid_parameters) {
        component.parameters = laid.into_iter().map(|laid| group::parameter_use(laid, &constants)).collect();
    }

    let mut definitions: BTreeMap<String, Value> = BTreeMap::new();
    let mut schemes = BTreeSet::new();
    for (component, _) in &components {
        let of_output = component.output.iter().flat_map(|output| &output.definitions);
        for name in component.definitions.iter().chain(of_output) {
            if !definitions.contains_key(name)
                && let Some(definition) = api.definitions.get(name)
            {
                definitions.insert(name.clone(), definition.schema.clone());
            }
        }
        schemes.extend(component.security.iter().flatten().map(|requirement| requirement.scheme.as_str()));
    }
    let mut security_schemes: Vec<_> =
        api.security_schemes.iter().filter(|scheme| schemes.contains(scheme.name.as_str())).cloned().collect();
    security_schemes.sort_by(|left, right| left.name.cmp(&right.name));
    Plan {
        name: server,
        title: one_line(&api.document.title),
        version: one_line(&api.document.version),
        description: bounded(&clean(&api.document.description), configuration.description_limit).into_owned(),
        servers: api.servers.clone(),
        security_schemes,
        shared_parameters,
        definitions,
        groups: group::groups(components),
        middleware: configuration.middleware.clone(),
        excluded,
    }
}

/// The configured name; else what the title, or the file's name, says beyond that it is an API's description.
fn server_name(api: &Api, configuration: &Configuration) -> String {
    let title = &api.document.title;
    let file = std::path::Path::new(&api.document.file).file_stem().and_then(std::ffi::OsStr::to_str).unwrap_or("");
    let configured = configuration.name.as_deref().and_then(name::server_name);
    configured
        .or_else(|| [title, file].into_iter().find_map(name::short_server_name))
        .or_else(|| [title, file].into_iter().find_map(name::server_name))
        .unwrap_or_else(|| "api".to_owned())
}

struct Planner<'p> {
    operation: &'p Operation,
    decision: &'p Decision,
    definitions: &'p Definitions,
    configuration: &'p Configuration,
    server: &'p str,
}

impl Planner<'_> {
    /// The component without its parameters, and these.
    fn component(
        &self,
        kind: Kind,
        name: String,
        outputs: &mut Outputs<'_>,
        diagnostics: &mut Diagnostics,
    ) -> (Component, Vec<Laid>) {
        let Planner { operation, decision, definitions, configuration, server } = *self;
        let limit = configuration.description_limit;
        let (mut taken, mut used) = (BTreeSet::new(), BTreeSet::new());
        let laid = arguments::parameters(operation, decision, limit, &mut taken, &mut used, diagnostics);
        let body = body::body(operation, decision, definitions, limit, &taken, &mut used, diagnostics);
        self.report_unused(&used, &taken, diagnostics);
        let parameters: Vec<_> = laid.iter().map(|laid| &laid.parameter).collect();
        let uris = match kind {
            Kind::Tool => None,
            Kind::Resource | Kind::ResourceTemplate => {
                match uri::uris(operation, kind, server, &parameters, body.as_ref(), definitions) {
                    Ok(uris) => Some(uris),
                    Err(reason) => {
                        let message =
                            format!("{} {} is a tool and no resource: {reason}", operation.method, operation.path);
                        diagnostics.push(&codes::NOT_A_RESOURCE, Some(operation.location.clone()), message);
                        None
                    }
                }
            }
        };
        let (kind, uri, plain_uri) =
            uris.map_or((Kind::Tool, String::new(), String::new()), |uris| (uris.kind, uris.uri, uris.plain_uri));
        let schemas = parameters
            .iter()
            .filter(|parameter| parameter.fixed.is_none())
            .map(|parameter| &*parameter.schema)
            .chain(body.iter().map(|body| &body.schema));
        let closure = definitions.closure(schemas).into_iter().collect();
        let (media_type, example) = output::media_type_and_example(operation);
        let mut tags: Vec<String> = Vec::new();
        for tag in operation.tags.iter().chain(&decision.tags).map(|tag| one_line(tag)) {
            if !tag.is_empty() && !tags.contains(&tag) {
                tags.push(tag);
            }
        }
        let component = Component {
            constant: String::new(),
            location: operation.location.clone(),
            typed: decision.typed,
            id: operation.id.clone().unwrap_or_default(),
            title: prose::title(operation, decision, &name),
            name,
            kind,
            description: prose::description(operation, decision, limit),
            tags,
            deprecated: operation.deprecated,
            enabled: decision.enabled,
            method: operation.method,
            path: operation.path.clone(),
            uri,
            plain_uri,
            media_type,
            parameters: Vec::new(),
            body,
            output: outputs.output(operation, diagnostics),
            example,
            accept: output::accept(operation),
            answer_xml: output::answer_xml(operation),
            links: Vec::new(),
            definitions: closure,
            security: operation.security.clone(),
            servers: operation.servers.clone(),
            hints: decision.hints,
            policy: decision.policy,
        };
        (component, laid)
    }

    fn report_unused(&self, used: &BTreeSet<String>, known: &BTreeSet<String>, diagnostics: &mut Diagnostics) {
        let Planner { operation, decision, .. } = self;
        for name in decision.hidden.iter().chain(decision.fixed.keys()).filter(|name| !used.contains(*name)) {
            let message = format!("{} {} has no argument `{name}`", operation.method, operation.path);
            let found = diagnostics.push(&codes::ARGUMENT_UNMATCHED, Some(operation.location.clone()), message);
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            if let Some(nearest) = nearest(name, &known) {
                found.help(format!("did you mean `{nearest}`?"));
            }
        }
    }
}

/// Reports keys of the configuration that name no operation.
fn report_unmatched(operations: &[&Operation], configuration: &Configuration, diagnostics: &mut Diagnostics) {
    let keys = configuration.operations.keys().map(|key| (key, "operations"));
    for (key, table) in keys.chain(configuration.typed.iter().map(|key| (key, "typed"))) {
        if operations.iter().any(|operation| decision::is_named(key, operation)) {
            continue;
        }
        let message = format!("`{table}` of the configuration names `{key}`, which the document does not have");
        let found = diagnostics.push(&codes::OVERRIDE_UNMATCHED, None, message);
        let labels: Vec<String> =
            operations.iter().map(|operation| format!("{} {}", operation.method, operation.path)).collect();
        let ids = operations.iter().filter_map(|operation| operation.id.as_deref());
        let known: Vec<&str> = ids.chain(labels.iter().map(String::as_str)).collect();
        if let Some(nearest) = nearest(key, &known) {
            found.help(format!("did you mean `{nearest}`?"));
        }
    }
}

/// Reports templates that differ in nothing but the names of their variables.
fn report_same_uris<'c>(components: impl Iterator<Item = &'c Component>, diagnostics: &mut Diagnostics) {
    let mut seen: BTreeMap<String, &Component> = BTreeMap::new();
    for component in components.filter(|component| component.kind == Kind::ResourceTemplate) {
        let end = component.uri.find("{?").or_else(|| component.uri.find("{&")).unwrap_or(component.uri.len());
        let path = &component.uri[..end];
        let mut shape = String::new();
        for (index, part) in path.split('{').enumerate() {
            shape.push_str(if index == 0 { part } else { "{}" });
            shape.push_str(if index == 0 { "" } else { part.split_once('}').map_or("", |(_, after)| after) });
        }
        if let Some(first) = seen.get(&shape) {
            let message = format!("GET {} and GET {} have the same URIs", first.path, component.path);
            diagnostics.push(&codes::SAME_URI, Some(component.location.clone()), message);
        } else {
            seen.insert(shape, component);
        }
    }
}
