//! Arguments as structs, for the operations that the configuration lists.

use std::collections::BTreeMap;

use heck::{ToSnakeCase, ToUpperCamelCase};
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use serde_json::Value;

use super::{Error, literal, names, rust};
use crate::plan::{Component, Parameter, ParameterUse, Plan};

/// How deep arrays in arrays are typed; deeper ones are plain JSON.
const MAX_DEPTH: usize = 4;

/// `arguments.rs`; `None` when no operation is listed.
pub(crate) fn module(plan: &Plan) -> Result<Option<String>, Error> {
    let typed: Vec<(String, &Component)> = plan
        .groups
        .iter()
        .flat_map(|group| group.components.iter().map(move |component| (group, component)))
        .filter(|(_, component)| component.typed)
        .map(|(group, component)| (format!("{}::{}", group.module, component.constant), component))
        .collect();
    if typed.is_empty() {
        return Ok(None);
    }
    let names =
        names::allocate(typed.iter().map(|(key, component)| (key.as_str(), component.constant.to_upper_camel_case())));
    let mut items = TokenStream::new();
    for (key, component) in &typed {
        let name = type_name(names.get(key.as_str()).map_or("", String::as_str))?;
        let documentation = literal::documentation(&format!("{} {}", component.method, component.path));
        let fields = fields(plan, component)?;
        items.extend(quote! {
            #documentation
            #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
            #[serde(crate = "mcpwright_runtime::serde")]
            pub struct #name { #fields }
        });
    }
    let imports = quote!(
        use mcpwright_runtime::serde::{Deserialize, Serialize};
    );
    rust::file("arguments.rs", &[], quote!(#imports #items)).map(Some)
}

fn type_name(name: &str) -> Result<Ident, Error> {
    rust::ident(name)
}

/// One argument: its name for clients, its schema, and whether it must be given.
type Argument<'a> = (&'a str, &'a Value, bool);

fn fields(plan: &Plan, component: &Component) -> Result<TokenStream, Error> {
    let arguments = arguments(plan, component);
    let names = names::allocate(arguments.iter().map(|(name, ..)| (*name, field_name(name))));
    let mut fields = TokenStream::new();
    for (argument, schema, required) in &arguments {
        let name = names.get(argument).map_or("", String::as_str);
        // `self`, `super`, `crate` and `Self` cannot be raw.
        let field = syn::parse_str::<Ident>(name)
            .or_else(|_| syn::parse_str::<Ident>(&format!("r#{name}")))
            .unwrap_or_else(|_| format_ident!("{name}_"));
        let rename = (field != argument).then(|| {
            let argument = literal::string(argument);
            quote!(#[serde(rename = #argument)])
        });
        let kind = kind(schema, 0);
        let (kind, optional) = if *required {
            (kind, quote!())
        } else {
            (quote!(Option<#kind>), quote!(#[serde(default, skip_serializing_if = "Option::is_none")]))
        };
        let documentation = literal::documentation(argument);
        fields.extend(quote!(#documentation #rename #optional pub #field: #kind,));
    }
    Ok(fields)
}

/// A legal name in `snake_case`, keywords aside.
fn field_name(argument: &str) -> String {
    let ascii: String =
        argument.chars().map(|character| if character.is_ascii_alphanumeric() { character } else { '_' }).collect();
    let name = ascii.to_snake_case();
    match name.as_bytes().first() {
        None => "unnamed".to_owned(),
        Some(first) if first.is_ascii_digit() => format!("n{name}"),
        Some(_) => name,
    }
}

/// What clients give: parameters that are not fixed, then the body or its members.
fn arguments<'a>(plan: &'a Plan, component: &'a Component) -> Vec<Argument<'a>> {
    let parameter = |parameter: &'a Parameter| {
        let name = if parameter.argument.is_empty() { &parameter.name } else { &parameter.argument };
        parameter.fixed.is_none().then_some((name.as_str(), &*parameter.schema, parameter.required))
    };
    let mut arguments: Vec<Argument<'a>> = component
        .parameters
        .iter()
        .filter_map(|one| match one {
            ParameterUse::Shared(name) => plan.shared_parameters.get(name).map(|shared| &shared.parameter),
            ParameterUse::Own(own) => Some(own),
        })
        .filter_map(parameter)
        .collect();
    if let Some(body) = &component.body {
        if !body.argument.is_empty() {
            arguments.push((&body.argument, &body.schema, body.required));
        } else if let Some(properties) = body.schema.get("properties").and_then(Value::as_object) {
            let required: Vec<&str> = body
                .schema
                .get("required")
                .and_then(Value::as_array)
                .map(|names| names.iter().filter_map(Value::as_str).collect())
                .unwrap_or_default();
            arguments.extend(
                properties
                    .iter()
                    .map(|(name, schema)| (name.as_str(), schema, body.required && required.contains(&name.as_str()))),
            );
        }
    }
    let mut seen = BTreeMap::new();
    arguments.retain(|(name, ..)| seen.insert(*name, ()).is_none());
    arguments
}

/// The Rust type of a schema: scalars and arrays of them; all else is JSON.
fn kind(schema: &Value, depth: usize) -> TokenStream {
    let json = quote!(mcpwright_runtime::serde_json::Value);
    let (name, nullable) = match schema.get("type") {
        Some(Value::String(name)) => (name.as_str(), false),
        Some(Value::Array(names)) => {
            let mut others = names.iter().filter_map(Value::as_str).filter(|name| *name != "null");
            match (others.next(), others.next()) {
                (Some(name), None) => (name, names.len() == 2),
                _ => return json,
            }
        }
        _ => return json,
    };
    let kind = match name {
        "string" => quote!(String),
        "integer" => quote!(i64),
        "number" => quote!(f64),
        "boolean" => quote!(bool),
        "array" if depth < MAX_DEPTH => {
            let items = schema.get("items").map_or(json, |items| self::kind(items, depth + 1));
            quote!(Vec<#items>)
        }
        _ => return json,
    };
    if nullable { quote!(Option<#kind>) } else { kind }
}
