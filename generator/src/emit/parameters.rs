//! Parameters, and the module of those that operations share.

use mcpwright_runtime::catalog;
use proc_macro2::TokenStream;
use quote::quote;

use super::{
    Error, json, literal,
    rust::{self, Imports, Members, ident},
};
use crate::{
    api::{ParameterLocation, Style},
    plan::{Parameter, Plan},
};

/// `parameters.rs`; `None` when no parameter is shared.
pub(crate) fn module(plan: &Plan) -> Result<Option<String>, Error> {
    if plan.shared_parameters.is_empty() {
        return Ok(None);
    }
    let mut imports = Imports::default();
    let mut items = TokenStream::new();
    for (constant, shared) in &plan.shared_parameters {
        let name = ident(constant)?;
        let documentation = literal::documentation(&format!("#/components/parameters/{}", shared.component));
        let value = expression(&shared.parameter, &mut imports);
        let parameter = imports.catalog("Parameter");
        items.extend(quote!(#documentation pub static #name: #parameter = #value;));
    }
    let imports = imports.items();
    rust::file("parameters.rs", &[], quote!(#imports #items)).map(Some)
}

/// A parameter as a struct literal.
pub(crate) fn expression(parameter: &Parameter, imports: &mut Imports) -> TokenStream {
    let name = imports.catalog("Parameter");
    let (base, base_name) = match parameter.location {
        ParameterLocation::Path => (&catalog::Parameter::PATH, quote!(PATH)),
        ParameterLocation::Query => (&catalog::Parameter::QUERY, quote!(QUERY)),
        ParameterLocation::QueryString => (&catalog::Parameter::QUERY_STRING, quote!(QUERY_STRING)),
        ParameterLocation::Header => (&catalog::Parameter::HEADER, quote!(HEADER)),
        ParameterLocation::Cookie => (&catalog::Parameter::COOKIE, quote!(COOKIE)),
    };
    let mut members = Members::default();
    members.text("name", &parameter.name);
    if parameter.argument != parameter.name {
        members.text("argument", &parameter.argument);
    }
    members
        .text("description", &parameter.description)
        .set("schema", literal::json(&json::compact(&parameter.schema)))
        .unless(parameter.required == base.required, "required", parameter.required)
        .unless(parameter.deprecated == base.deprecated, "deprecated", parameter.deprecated);
    if parameter.style != base.style {
        members.set("style", style(parameter.style, imports));
    }
    members
        .unless(parameter.explode == base.explode, "explode", parameter.explode)
        .unless(!parameter.allow_reserved, "allow_reserved", parameter.allow_reserved)
        .unless(!parameter.allow_empty_value, "allow_empty_value", parameter.allow_empty_value)
        .text("content", &parameter.content);
    if let Some(fixed) = &parameter.fixed {
        members.set("fixed", literal::json(&json::compact(fixed)));
    }
    quote!(#name { #members ..#name::#base_name })
}

/// A style by name.
pub(crate) fn style(style: Style, imports: &mut Imports) -> TokenStream {
    let name = imports.catalog("Style");
    match style {
        Style::Simple => quote!(#name::Simple),
        Style::Label => quote!(#name::Label),
        Style::Matrix => quote!(#name::Matrix),
        Style::Form => quote!(#name::Form),
        Style::SpaceDelimited => quote!(#name::SpaceDelimited),
        Style::PipeDelimited => quote!(#name::PipeDelimited),
        Style::TabDelimited => quote!(#name::TabDelimited),
        Style::DeepObject => quote!(#name::DeepObject),
        Style::Cookie => quote!(#name::Cookie),
    }
}
