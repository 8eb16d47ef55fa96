//! The root of the generated modules, and the table of shared definitions.

use std::collections::BTreeMap;

use proc_macro2::TokenStream;
use quote::quote;

use super::{
    Error, Tree, json, literal, names,
    rust::{self, Imports, Members, ident},
    security::Security,
    servers::Servers,
};
use crate::plan::Plan;

/// Which modules there are beside `operations`.
#[derive(Debug, Default)]
pub(crate) struct Modules {
    pub(crate) arguments: bool,
    pub(crate) definitions: bool,
    pub(crate) parameters: bool,
    pub(crate) security: bool,
    pub(crate) servers: bool,
}

/// `definitions.rs` and a file per definition. Whether there are any.
pub(crate) fn definitions(plan: &Plan, tree: &mut Tree) -> Result<bool, Error> {
    if plan.definitions.is_empty() {
        return Ok(false);
    }
    let files = names::allocate(plan.definitions.keys().map(|name| (name.as_str(), name.clone())));
    let mut entries = TokenStream::new();
    let mut imports = Imports::default();
    let kind = imports.catalog("Definition");
    for (name, schema) in &plan.definitions {
        let path = format!("schemas/{}.json", files.get(name.as_str()).unwrap_or(name));
        let name = literal::string(name);
        entries.extend(quote!(#kind { name: #name, schema: include_str!(#path) },));
        tree.generated(path, json::pretty(schema));
    }
    let imports = imports.items();
    let text = rust::file(
        "definitions.rs",
        &[],
        quote! {
            #imports
            /// The schemas that operations share, by name.
            pub static ALL: &[#kind] = &[#entries];
        },
    )?;
    tree.generated("definitions.rs", text);
    Ok(true)
}

/// `mod.rs`: the modules and the API.
pub(crate) fn root(
    plan: &Plan,
    servers: &Servers,
    security: &Security,
    modules: &Modules,
    version: &str,
) -> Result<String, Error> {
    let mut items = TokenStream::new();
    let mut module = |present: bool, documentation: &str, name: &str| -> Result<(), Error> {
        if present {
            let name = ident(name)?;
            items.extend(quote!(#[doc = #documentation] pub mod #name;));
        }
        Ok(())
    };
    module(modules.arguments, " Arguments as structs, for the operations that the configuration lists.", "arguments")?;
    module(modules.definitions, " The schemas that operations share.", "definitions")?;
    module(true, " The operations in groups.", "operations")?;
    module(modules.parameters, " The parameters that operations share.", "parameters")?;
    module(modules.security, " The security schemes and what operations require of them.", "security")?;
    module(modules.servers, " The servers of the API.", "servers")?;

    let mut members = Members::default();
    members
        .text("name", &plan.name)
        .text("title", &plan.title)
        .text("version", &plan.version)
        .text("description", &plan.description);
    if !plan.servers.is_empty() {
        let names = plan.servers.iter().map(|server| servers.name(server)).collect::<Result<Vec<_>, _>>()?;
        members.set("servers", quote!(&[#(&servers::#names),*]));
    }
    if !plan.security_schemes.is_empty() {
        let schemes: BTreeMap<&str, _> =
            plan.security_schemes.iter().map(|scheme| (scheme.name.as_str(), scheme)).collect();
        let mut names = Vec::new();
        for name in schemes.keys() {
            names.extend(security.scheme(name)?);
        }
        members.set("security_schemes", quote!(&[#(&security::#names),*]));
    }
    if modules.definitions {
        members.set("definitions", quote!(definitions::ALL));
    }
    members.set("operations", quote!(operations::ALL));
    if !plan.middleware.is_empty() {
        members.text("middleware", &serde_json::json!(plan.middleware).to_string());
    }
    let notes = [format!("Made by mcpwright {version}.")];
    rust::file(
        "mod.rs",
        &notes,
        quote! {
            use mcpwright_runtime::catalog::Api;
            #items

            /// The API: what `Server::new` takes.
            pub static API: Api = Api { #members ..Api::DEFAULT };
        },
    )
}
