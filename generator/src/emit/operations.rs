//! The modules of operations: one static each, with its larger schemas in files.

use mcpwright_runtime::catalog::{Hints, Kind, Method, Policy};
use proc_macro2::{Literal, TokenStream};
use quote::quote;
use serde_json::Value;

use super::{
    Error, Tree, json, literal, parameters,
    rust::{self, Imports, Members, ident},
    security::Security,
    servers::Servers,
};
use crate::plan::{Body, Component, Group, Output, ParameterUse, PartEncoding, Plan};

/// Schemas longer than this many bytes in one line lie in files of their own.
const LONGEST_INLINE_SCHEMA: usize = 80;

/// Writes `operations/` and the schemas of its operations.
pub(crate) fn modules(plan: &Plan, servers: &Servers, security: &Security, tree: &mut Tree) -> Result<(), Error> {
    let mut modules = TokenStream::new();
    let mut lists = TokenStream::new();
    for group in &plan.groups {
        let module = ident(&group.module)?;
        let documentation = literal::documentation(&group.module);
        modules.extend(quote!(#documentation pub mod #module;));
        lists.extend(quote!(#module::ALL,));
        let path = format!("operations/{}.rs", file_stem(&group.module));
        let text = Writer { group, servers, security, tree, imports: Imports::default() }.module(&path)?;
        tree.generated(path, text);
    }
    let text = rust::file(
        "operations/mod.rs",
        &[],
        quote! {
            use mcpwright_runtime::catalog::Operation;
            #modules

            /// The operations in groups.
            pub static ALL: &[&[&Operation]] = &[#lists];
        },
    )?;
    tree.generated("operations/mod.rs", text);
    Ok(())
}

/// A module's name as that of a file or folder.
fn file_stem(module: &str) -> &str {
    module.strip_prefix("r#").unwrap_or(module)
}

/// Writes one group.
struct Writer<'a> {
    group: &'a Group,
    servers: &'a Servers,
    security: &'a Security,
    tree: &'a mut Tree,
    imports: Imports,
}

impl Writer<'_> {
    fn module(mut self, path: &str) -> Result<String, Error> {
        let mut items = TokenStream::new();
        let mut names = Vec::new();
        for component in &self.group.components {
            let name = ident(&component.constant)?;
            let documentation = literal::documentation(&format!("{} {}", component.method, component.path));
            let operation = self.imports.catalog("Operation");
            let members = self.operation(component)?;
            items.extend(quote! {
                #documentation
                pub static #name: #operation = #operation { #members ..#operation::DEFAULT };
            });
            names.push(name);
        }
        let operation = self.imports.catalog("Operation");
        let imports = self.imports.items();
        rust::file(
            path,
            &[],
            quote! {
                #imports
                #items
                /// The operations of this group.
                pub static ALL: &[&#operation] = &[#(&#names),*];
            },
        )
    }

    fn operation(&mut self, component: &Component) -> Result<Members, Error> {
        let mut members = Members::default();
        members.text("id", &component.id).text("name", &component.name);
        if let Some(kind) = kind(component.kind, &mut self.imports) {
            members.set("kind", kind);
        }
        members.text("title", &component.title).text("description", &component.description);
        if !component.tags.is_empty() {
            members.set("tags", literal::strings(&component.tags));
        }
        members
            .unless(!component.deprecated, "deprecated", component.deprecated)
            .unless(component.enabled, "enabled", component.enabled)
            .set("method", method(component.method, &mut self.imports))
            .text("path", &component.path)
            .text("uri", &component.uri)
            .text("plain_uri", &component.plain_uri)
            .text("media_type", &component.media_type);
        if !component.parameters.is_empty() {
            let mut uses = Vec::new();
            for parameter in &component.parameters {
                uses.push(match parameter {
                    ParameterUse::Shared(constant) => {
                        let module = self.imports.module("parameters");
                        let constant = ident(constant)?;
                        quote!(&#module::#constant)
                    }
                    ParameterUse::Own(parameter) => {
                        let parameter = parameters::expression(parameter, &mut self.imports);
                        quote!(&#parameter)
                    }
                });
            }
            members.set("parameters", quote!(&[#(#uses),*]));
        }
        if let Some(body) = &component.body {
            let body = self.body(component, body);
            members.set("body", quote!(Some(&#body)));
        }
        if let Some(output) = &component.output {
            let output = self.output(component, output);
            members.set("output", quote!(Some(&#output)));
        }
        if !component.example.is_empty() {
            let example = self.example(component);
            members.set("example", example);
        }
        members.text("accept", &component.accept);
        if let Some(xml) = &component.answer_xml {
            let xml = self.schema(component, "answer.xml", xml);
            members.set("answer_xml", xml);
        }
        if !component.links.is_empty() {
            let links = self.links(component);
            members.set("links", links);
        }
        if !component.definitions.is_empty() {
            members.set("definitions", literal::strings(&component.definitions));
        }
        if !component.security.is_empty() {
            let set = self.security.requirements(&component.security)?;
            let module = self.imports.module("security");
            members.set("security", quote!(#module::#set));
        }
        if !component.servers.is_empty() {
            let module = self.imports.module("servers");
            let names =
                component.servers.iter().map(|server| self.servers.name(server)).collect::<Result<Vec<_>, _>>()?;
            members.set("servers", quote!(&[#(&#module::#names),*]));
        }
        if component.hints != Hints::READ {
            members.set("hints", hints(component.hints, &mut self.imports));
        }
        if let Some(policy) = policy(component.policy, &mut self.imports) {
            members.set("policy", policy);
        }
        Ok(members)
    }

    fn body(&mut self, component: &Component, body: &Body) -> TokenStream {
        let name = self.imports.catalog("Body");
        let mut members = Members::default();
        if body.media_type != "application/json" {
            members.text("media_type", &body.media_type);
        }
        let schema = self.schema(component, "body", &body.schema);
        members.set("schema", schema).text("argument", &body.argument).unless(body.required, "required", body.required);
        if !body.encoding.is_empty() {
            let encodings: Vec<_> =
                body.encoding.iter().map(|encoding| part_encoding(encoding, &mut self.imports)).collect();
            members.set("encoding", quote!(&[#(#encodings),*]));
        }
        if !body.fixed.is_empty() {
            let fixed = body.fixed.iter().map(|(name, value)| {
                let name = literal::string(name);
                let value = literal::json(&json::compact(value));
                quote!((#name, #value))
            });
            members.set("fixed", quote!(&[#(#fixed),*]));
        }
        if let Some(xml) = &body.xml {
            let xml = self.schema(component, "body.xml", xml);
            members.set("xml", xml);
        }
        quote!(#name { #members ..#name::JSON })
    }

    fn output(&mut self, component: &Component, output: &Output) -> TokenStream {
        let name = self.imports.catalog("Output");
        let schema = self.schema(component, "output", &output.schema);
        let mut members = Members::default();
        members.set("schema", schema);
        if !output.definitions.is_empty() {
            members.set("definitions", literal::strings(&output.definitions));
        }
        members.unless(!output.wrapped, "wrapped", output.wrapped);
        quote!(#name { #members ..#name::DEFAULT })
    }

    fn links(&mut self, component: &Component) -> TokenStream {
        let [response_name, link_name] = ["ResponseLinks", "Link"].map(|name| self.imports.catalog(name));
        let responses = component.links.iter().map(|response| {
            let status = literal::string(&response.status);
            let links = response.links.iter().map(|link| {
                let mut members = Members::default();
                members.text("name", &link.name).text("description", &link.description);
                if let Some(kind) = kind(link.kind, &mut self.imports) {
                    members.set("kind", kind);
                }
                members.text("operation", &link.operation);
                if !link.arguments.is_empty() {
                    let arguments = link.arguments.iter().map(|(name, value)| {
                        let name = literal::string(name);
                        let value = literal::json(&json::compact(value));
                        quote!((#name, #value))
                    });
                    members.set("arguments", quote!(&[#(#arguments),*]));
                }
                quote!(#link_name { #members ..#link_name::DEFAULT })
            });
            quote!(#response_name { status: #status, links: &[#(#links),*] })
        });
        quote!(&[#(#responses),*])
    }

    /// A schema in place when it is short, else in a file.
    fn schema(&mut self, component: &Component, part: &str, schema: &Value) -> TokenStream {
        let compact = json::compact(schema);
        if compact.len() <= LONGEST_INLINE_SCHEMA {
            let text = literal::json(&compact);
            return quote!(#text);
        }
        self.include(component, &format!("{part}.json"), json::pretty(schema))
    }

    fn example(&mut self, component: &Component) -> TokenStream {
        match serde_json::from_str::<Value>(&component.example) {
            Ok(value) => self.schema(component, "example", &value),
            Err(_) if component.example.len() <= LONGEST_INLINE_SCHEMA || literal::speaks(&component.example) => {
                let text = literal::string(&component.example);
                quote!(#text)
            }
            Err(_) => self.include(component, "example.txt", component.example.clone()),
        }
    }

    /// Puts a text into a file beside the operation's others.
    fn include(&mut self, component: &Component, part: &str, text: String) -> TokenStream {
        let folder = file_stem(&self.group.module);
        let path = format!("schemas/{folder}/{}.{part}", component.constant.to_lowercase());
        let from_here = format!("../{path}");
        self.tree.generated(path, text);
        quote!(include_str!(#from_here))
    }
}

/// A kind by name, unless it is the usual one.
fn kind(kind: Kind, imports: &mut Imports) -> Option<TokenStream> {
    let mut name = || imports.catalog("Kind");
    match kind {
        Kind::Tool => None,
        Kind::Resource => Some(name()).map(|name| quote!(#name::Resource)),
        Kind::ResourceTemplate => Some(name()).map(|name| quote!(#name::ResourceTemplate)),
    }
}

/// A method by name.
fn method(method: Method, imports: &mut Imports) -> TokenStream {
    let name = imports.catalog("Method");
    match method {
        Method::Get => quote!(#name::Get),
        Method::Put => quote!(#name::Put),
        Method::Post => quote!(#name::Post),
        Method::Delete => quote!(#name::Delete),
        Method::Options => quote!(#name::Options),
        Method::Head => quote!(#name::Head),
        Method::Patch => quote!(#name::Patch),
        Method::Trace => quote!(#name::Trace),
        Method::Query => quote!(#name::Query),
        Method::Other(other) => {
            let other = literal::string(other);
            quote!(#name::Other(#other))
        }
    }
}

/// Annotations by name where they are the usual ones.
fn hints(hints: Hints, imports: &mut Imports) -> TokenStream {
    let name = imports.catalog("Hints");
    match hints {
        Hints::READ => quote!(#name::READ),
        Hints::CREATE => quote!(#name::CREATE),
        Hints::REPLACE => quote!(#name::REPLACE),
        Hints::UPDATE => quote!(#name::UPDATE),
        Hints { read_only, destructive, idempotent, open_world } => quote! {
            #name {
                read_only: #read_only,
                destructive: #destructive,
                idempotent: #idempotent,
                open_world: #open_world,
            }
        },
    }
}

/// A policy, unless it is the server's own.
fn policy(policy: Policy, imports: &mut Imports) -> Option<TokenStream> {
    let Policy { timeout_ms, retries, max_response_bytes } = policy;
    let mut members = Members::default();
    let mut any = false;
    let mut set = |name: &'static str, value: Option<Literal>| {
        if let Some(value) = value {
            members.set(name, quote!(Some(#value)));
            any = true;
        }
    };
    set("timeout_ms", timeout_ms.map(Literal::u32_unsuffixed));
    set("retries", retries.map(Literal::u8_unsuffixed));
    set("max_response_bytes", max_response_bytes.map(Literal::u32_unsuffixed));
    any.then(|| {
        let name = imports.catalog("Policy");
        quote!(#name { #members ..#name::DEFAULT })
    })
}

/// How a part of a body is encoded.
fn part_encoding(encoding: &PartEncoding, imports: &mut Imports) -> TokenStream {
    let name = imports.catalog("PartEncoding");
    let mut members = Members::default();
    members.text("name", &encoding.name).text("content_type", &encoding.content_type);
    if let Some((style, explode, allow_reserved)) = encoding.style {
        let style = parameters::style(style, imports);
        members.set("style", quote!(Some((#style, #explode, #allow_reserved))));
    }
    if !encoding.headers.is_empty() {
        let headers = encoding.headers.iter().map(|(name, value)| {
            let [name, value] = [name, value].map(|text| literal::string(text));
            quote!((#name, #value))
        });
        members.set("headers", quote!(&[#(#headers),*]));
    }
    members.unless(!encoding.file, "file", encoding.file);
    quote!(#name { #members ..#name::DEFAULT })
}
