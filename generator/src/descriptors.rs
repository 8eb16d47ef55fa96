//! A plan as descriptors in memory, so that it can be served without being compiled.

use std::collections::BTreeMap;

use mcpwright_runtime::catalog;
use serde_json::Value;

use crate::{
    api::{Flow, Requirement, SecurityScheme, SecuritySchemeKind, Server},
    plan::{Body, Component, Link, Output, Parameter, ParameterUse, PartEncoding, Plan},
};

/// The plan as descriptors. They live until the process ends: meant for one plan per process, or a few.
pub fn leak(plan: &Plan) -> &'static catalog::Api {
    let schemes: BTreeMap<&str, &'static catalog::SecurityScheme> =
        plan.security_schemes.iter().map(|scheme| (scheme.name.as_str(), security_scheme(scheme))).collect();
    let shared: BTreeMap<&str, &'static catalog::Parameter> = plan
        .shared_parameters
        .iter()
        .map(|(constant, shared)| (constant.as_str(), parameter(&shared.parameter)))
        .collect();
    let group = |components: &[Component]| {
        slice(components.iter().map(|component| {
            let parameters = component.parameters.iter().filter_map(|parameter_use| match parameter_use {
                ParameterUse::Shared(constant) => shared.get(constant.as_str()).copied(),
                ParameterUse::Own(own) => Some(parameter(own)),
            });
            operation(component, slice(parameters), security(&component.security, &schemes))
        }))
    };
    reference(catalog::Api {
        name: text(&plan.name),
        title: text(&plan.title),
        version: text(&plan.version),
        description: text(&plan.description),
        servers: servers(&plan.servers),
        security_schemes: slice(schemes.values().copied()),
        definitions: slice(
            plan.definitions
                .iter()
                .map(|(name, schema)| catalog::Definition { name: text(name), schema: json(schema) }),
        ),
        operations: slice(plan.groups.iter().map(|one| group(&one.components))),
        middleware: if plan.middleware.is_empty() { "" } else { json(&serde_json::json!(plan.middleware)) },
    })
}

fn reference<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}

fn slice<T>(items: impl Iterator<Item = T>) -> &'static [T] {
    let items: Vec<T> = items.collect();
    if items.is_empty() { &[] } else { Vec::leak(items) }
}

fn text(text: &str) -> &'static str {
    if text.is_empty() { "" } else { String::leak(text.to_owned()) }
}

fn json(value: &Value) -> &'static str {
    String::leak(value.to_string())
}

fn texts(items: &[String]) -> &'static [&'static str] {
    slice(items.iter().map(|item| text(item)))
}

fn pairs(items: &[(String, String)]) -> &'static [(&'static str, &'static str)] {
    slice(items.iter().map(|(name, value)| (text(name), text(value))))
}

fn operation(
    component: &Component,
    parameters: &'static [&'static catalog::Parameter],
    security: &'static [&'static [catalog::Requirement]],
) -> &'static catalog::Operation {
    reference(catalog::Operation {
        id: text(&component.id),
        name: text(&component.name),
        kind: component.kind,
        title: text(&component.title),
        description: text(&component.description),
        tags: texts(&component.tags),
        deprecated: component.deprecated,
        enabled: component.enabled,
        method: component.method,
        path: text(&component.path),
        uri: text(&component.uri),
        plain_uri: text(&component.plain_uri),
        media_type: text(&component.media_type),
        parameters,
        body: component.body.as_ref().map(body),
        output: component.output.as_ref().map(output),
        example: text(&component.example),
        accept: text(&component.accept),
        answer_xml: component.answer_xml.as_ref().map_or("", json),
        links: slice(component.links.iter().map(|response| catalog::ResponseLinks {
            status: text(&response.status),
            links: slice(response.links.iter().map(link)),
        })),
        definitions: texts(&component.definitions),
        security,
        servers: servers(&component.servers),
        hints: component.hints,
        policy: component.policy,
    })
}

fn parameter(parameter: &Parameter) -> &'static catalog::Parameter {
    reference(catalog::Parameter {
        name: text(&parameter.name),
        argument: text(&parameter.argument),
        location: parameter.location,
        description: text(&parameter.description),
        schema: json(&parameter.schema),
        required: parameter.required,
        deprecated: parameter.deprecated,
        style: parameter.style,
        explode: parameter.explode,
        allow_reserved: parameter.allow_reserved,
        allow_empty_value: parameter.allow_empty_value,
        content: text(&parameter.content),
        fixed: parameter.fixed.as_ref().map_or("", json),
    })
}

fn body(body: &Body) -> &'static catalog::Body {
    reference(catalog::Body {
        media_type: text(&body.media_type),
        schema: json(&body.schema),
        argument: text(&body.argument),
        required: body.required,
        encoding: slice(body.encoding.iter().map(part_encoding)),
        fixed: slice(body.fixed.iter().map(|(name, value)| (text(name), json(value)))),
        xml: body.xml.as_ref().map_or("", json),
    })
}

fn part_encoding(part: &PartEncoding) -> catalog::PartEncoding {
    catalog::PartEncoding {
        name: text(&part.name),
        content_type: text(&part.content_type),
        style: part.style,
        headers: pairs(&part.headers),
        file: part.file,
    }
}

fn link(link: &Link) -> catalog::Link {
    catalog::Link {
        name: text(&link.name),
        description: text(&link.description),
        kind: link.kind,
        operation: text(&link.operation),
        arguments: slice(link.arguments.iter().map(|(name, value)| (text(name), json(value)))),
    }
}

fn output(output: &Output) -> &'static catalog::Output {
    reference(catalog::Output {
        schema: json(&output.schema),
        definitions: texts(&output.definitions),
        wrapped: output.wrapped,
    })
}

fn servers(servers: &[Server]) -> &'static [&'static catalog::Server] {
    slice(servers.iter().map(|server| {
        reference(catalog::Server {
            url: text(&server.url),
            description: text(&server.description),
            variables: slice(server.variables.iter().map(|variable| catalog::ServerVariable {
                name: text(&variable.name),
                default: text(&variable.default),
                values: texts(&variable.values),
                description: text(&variable.description),
            })),
        })
    }))
}

fn security_scheme(scheme: &SecurityScheme) -> &'static catalog::SecurityScheme {
    use catalog::SecuritySchemeKind as Kind;
    let kind = match &scheme.kind {
        SecuritySchemeKind::ApiKey { name, location } => Kind::ApiKey { name: text(name), location: *location },
        SecuritySchemeKind::HttpBasic => Kind::HttpBasic,
        SecuritySchemeKind::HttpBearer { format } => Kind::HttpBearer { format: text(format) },
        SecuritySchemeKind::Http { scheme } => Kind::Http { scheme: text(scheme) },
        SecuritySchemeKind::OAuth2 { flows } => Kind::OAuth2 { flows: slice(flows.iter().map(flow)) },
        SecuritySchemeKind::OpenIdConnect { url } => Kind::OpenIdConnect { url: text(url) },
        SecuritySchemeKind::MutualTls => Kind::MutualTls,
    };
    reference(catalog::SecurityScheme { name: text(&scheme.name), kind, description: text(&scheme.description) })
}

fn flow(flow: &Flow) -> catalog::Flow {
    catalog::Flow {
        kind: flow.kind,
        authorization_url: text(&flow.authorization_url),
        token_url: text(&flow.token_url),
        refresh_url: text(&flow.refresh_url),
        scopes: pairs(&flow.scopes),
    }
}

fn security(
    alternatives: &[Vec<Requirement>],
    schemes: &BTreeMap<&str, &'static catalog::SecurityScheme>,
) -> &'static [&'static [catalog::Requirement]] {
    slice(alternatives.iter().map(|alternative| {
        slice(alternative.iter().filter_map(|requirement| {
            let scheme = schemes.get(requirement.scheme.as_str()).copied()?;
            Some(catalog::Requirement { scheme, scopes: texts(&requirement.scopes) })
        }))
    }))
}
