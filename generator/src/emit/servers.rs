//! The module of servers: those of the document and those of single operations.

use std::collections::BTreeMap;

use proc_macro2::{Ident, TokenStream};
use quote::quote;

use super::{
    Error, literal, names,
    rust::{self, Imports, Members, ident},
};
use crate::{api::Server, plan::Plan};

/// The statics of all servers that a plan names.
#[derive(Debug)]
pub(crate) struct Servers {
    names: BTreeMap<String, String>,
}

/// What makes a server itself: everything that it holds.
fn key(server: &Server) -> String {
    format!("{server:?}")
}

impl Servers {
    /// Names the servers.
    pub(crate) fn of(plan: &Plan) -> Self {
        let wishes: Vec<(String, String)> =
            all(plan).map(|server| (key(server), names::constant(server.url.trim_start_matches("https://")))).collect();
        let names = names::allocate(wishes.iter().map(|(key, wish)| (key.as_str(), wish.clone())));
        Self { names: names.into_iter().map(|(key, name)| (key.to_owned(), name)).collect() }
    }

    /// The static of a server.
    pub(crate) fn name(&self, server: &Server) -> Result<Ident, Error> {
        ident(self.names.get(&key(server)).map_or("", String::as_str))
    }

    /// `servers.rs`; `None` when there is no server.
    pub(crate) fn module(&self, plan: &Plan) -> Result<Option<String>, Error> {
        let servers: BTreeMap<String, &Server> =
            all(plan).filter_map(|server| Some((self.names.get(&key(server))?.clone(), server))).collect();
        if servers.is_empty() {
            return Ok(None);
        }
        let mut imports = Imports::default();
        let mut items = TokenStream::new();
        for (name, server) in servers {
            let name = ident(&name)?;
            let documentation = literal::documentation(&server.url);
            let kind = imports.catalog("Server");
            let mut members = Members::default();
            members.text("url", &server.url).text("description", &server.description);
            if !server.variables.is_empty() {
                let variable = imports.catalog("ServerVariable");
                let variables = server.variables.iter().map(|one| {
                    let [name, default, description] =
                        [&one.name, &one.default, &one.description].map(|text| literal::string(text));
                    let values = literal::strings(&one.values);
                    quote!(#variable { name: #name, default: #default, values: #values, description: #description })
                });
                members.set("variables", quote!(&[#(#variables),*]));
            }
            items.extend(quote!(#documentation pub static #name: #kind = #kind { #members ..#kind::DEFAULT };));
        }
        let imports = imports.items();
        rust::file("servers.rs", &[], quote!(#imports #items)).map(Some)
    }
}

/// Every mention of a server.
fn all(plan: &Plan) -> impl Iterator<Item = &Server> {
    plan.servers.iter().chain(plan.components().flat_map(|component| &component.servers))
}
