//! The module of security: the schemes, and each set of requirements that operations share.

use std::collections::BTreeMap;

use proc_macro2::{Ident, TokenStream};
use quote::quote;

use super::{
    Error, literal, names,
    rust::{self, Imports, ident},
};
use crate::{
    api::{ApiKeyLocation, Flow, FlowKind, Requirement, SecurityScheme, SecuritySchemeKind},
    plan::Plan,
};

/// The statics of a plan's schemes and requirements.
#[derive(Debug)]
pub(crate) struct Security {
    schemes: BTreeMap<String, String>,
    requirements: BTreeMap<Vec<Vec<Requirement>>, String>,
}

impl Security {
    /// Names schemes and requirements.
    pub(crate) fn of(plan: &Plan) -> Self {
        let schemes = names::allocate(
            plan.security_schemes
                .iter()
                .map(|scheme| (scheme.name.as_str(), format!("{}_SCHEME", names::constant(&scheme.name)))),
        );
        let sets: BTreeMap<&Vec<Vec<Requirement>>, String> = plan
            .components()
            .map(|component| &component.security)
            .filter(|set| !set.is_empty())
            .map(|set| (set, format!("{set:?}")))
            .collect();
        let mut requirements = names::allocate(sets.iter().map(|(set, key)| (key.as_str(), wish(set))));
        Self {
            requirements: sets
                .iter()
                .filter_map(|(set, key)| Some(((*set).clone(), requirements.remove(key.as_str())?)))
                .collect(),
            schemes: schemes.into_iter().map(|(key, name)| (key.to_owned(), name)).collect(),
        }
    }

    /// The static of a scheme; `None` for one that the plan does not have.
    pub(crate) fn scheme(&self, name: &str) -> Result<Option<Ident>, Error> {
        self.schemes.get(name).map(|name| ident(name)).transpose()
    }

    /// The static of a set of requirements.
    pub(crate) fn requirements(&self, set: &[Vec<Requirement>]) -> Result<Ident, Error> {
        ident(self.requirements.get(set).map_or("", String::as_str))
    }

    /// `security.rs`; `None` when nothing needs a credential.
    pub(crate) fn module(&self, plan: &Plan) -> Result<Option<String>, Error> {
        if self.schemes.is_empty() && self.requirements.is_empty() {
            return Ok(None);
        }
        let mut imports = Imports::default();
        let mut items = TokenStream::new();
        let schemes: BTreeMap<&str, &SecurityScheme> =
            plan.security_schemes.iter().map(|scheme| (scheme.name.as_str(), scheme)).collect();
        for (key, scheme) in schemes {
            let Some(name) = self.scheme(key)? else { continue };
            let documentation = literal::documentation(&format!("#/components/securitySchemes/{key}"));
            let value = scheme_expression(scheme, &mut imports);
            let kind = imports.catalog("SecurityScheme");
            items.extend(quote!(#documentation pub static #name: #kind = #value;));
        }
        let mut named: Vec<_> = self.requirements.iter().map(|(set, name)| (name, set)).collect();
        named.sort();
        for (name, set) in named {
            let name = ident(name)?;
            let value = self.set_expression(set, &mut imports)?;
            let requirement = imports.catalog("Requirement");
            let documentation = literal::documentation(&describe(set));
            items.extend(quote!(#documentation pub static #name: &[&[#requirement]] = #value;));
        }
        let imports = imports.items();
        rust::file("security.rs", &[], quote!(#imports #items)).map(Some)
    }

    fn set_expression(&self, set: &[Vec<Requirement>], imports: &mut Imports) -> Result<TokenStream, Error> {
        let kind = imports.catalog("Requirement");
        let mut alternatives = Vec::new();
        for alternative in set {
            let mut members = Vec::new();
            for requirement in alternative {
                let scheme =
                    self.scheme(&requirement.scheme)?.ok_or_else(|| Error::Scheme(requirement.scheme.clone()))?;
                let scopes = literal::strings(&requirement.scopes);
                members.push(quote!(#kind { scheme: &#scheme, scopes: #scopes }));
            }
            alternatives.push(quote!(&[#(#members),*]));
        }
        Ok(quote!(&[#(#alternatives),*]))
    }
}

/// `API_KEY_OR_OAUTH_READ_PETS`.
fn wish(set: &[Vec<Requirement>]) -> String {
    let alternative = |members: &Vec<Requirement>| {
        let names: Vec<String> = members
            .iter()
            .map(|one| {
                let words = std::iter::once(&one.scheme).chain(&one.scopes).map(|word| names::constant(word));
                words.collect::<Vec<_>>().join("_")
            })
            .collect();
        if names.is_empty() { "NONE".to_owned() } else { names.join("_AND_") }
    };
    set.iter().map(alternative).collect::<Vec<_>>().join("_OR_")
}

/// `api_key or oauth(read:pets)`.
fn describe(set: &[Vec<Requirement>]) -> String {
    let one = |requirement: &Requirement| {
        if requirement.scopes.is_empty() {
            requirement.scheme.clone()
        } else {
            format!("{}({})", requirement.scheme, requirement.scopes.join(" "))
        }
    };
    let alternative = |members: &Vec<Requirement>| {
        if members.is_empty() { "none".to_owned() } else { members.iter().map(one).collect::<Vec<_>>().join(" and ") }
    };
    set.iter().map(alternative).collect::<Vec<_>>().join(" or ")
}

fn scheme_expression(scheme: &SecurityScheme, imports: &mut Imports) -> TokenStream {
    let [name, description] = [&scheme.name, &scheme.description].map(|text| literal::string(text));
    let kinds = imports.catalog("SecuritySchemeKind");
    let kind = match &scheme.kind {
        SecuritySchemeKind::ApiKey { name, location } => {
            let name = literal::string(name);
            let locations = imports.catalog("ApiKeyLocation");
            let location = match location {
                ApiKeyLocation::Header => quote!(Header),
                ApiKeyLocation::Query => quote!(Query),
                ApiKeyLocation::Cookie => quote!(Cookie),
            };
            quote!(#kinds::ApiKey { name: #name, location: #locations::#location })
        }
        SecuritySchemeKind::HttpBasic => quote!(#kinds::HttpBasic),
        SecuritySchemeKind::HttpBearer { format } => {
            let format = literal::string(format);
            quote!(#kinds::HttpBearer { format: #format })
        }
        SecuritySchemeKind::Http { scheme } => {
            let scheme = literal::string(scheme);
            quote!(#kinds::Http { scheme: #scheme })
        }
        SecuritySchemeKind::OAuth2 { flows } => {
            let flows: Vec<_> = flows.iter().map(|flow| flow_expression(flow, imports)).collect();
            quote!(#kinds::OAuth2 { flows: &[#(#flows),*] })
        }
        SecuritySchemeKind::OpenIdConnect { url } => {
            let url = literal::string(url);
            quote!(#kinds::OpenIdConnect { url: #url })
        }
        SecuritySchemeKind::MutualTls => quote!(#kinds::MutualTls),
    };
    let scheme = imports.catalog("SecurityScheme");
    quote!(#scheme { name: #name, kind: #kind, description: #description })
}

fn flow_expression(flow: &Flow, imports: &mut Imports) -> TokenStream {
    let kinds = imports.catalog("FlowKind");
    let kind = match flow.kind {
        FlowKind::Implicit => quote!(Implicit),
        FlowKind::Password => quote!(Password),
        FlowKind::ClientCredentials => quote!(ClientCredentials),
        FlowKind::AuthorizationCode => quote!(AuthorizationCode),
        FlowKind::DeviceAuthorization => quote!(DeviceAuthorization),
    };
    let [authorization_url, token_url, refresh_url] =
        [&flow.authorization_url, &flow.token_url, &flow.refresh_url].map(|text| literal::string(text));
    let scopes = flow.scopes.iter().map(|(name, description)| {
        let [name, description] = [name, description].map(|text| literal::string(text));
        quote!((#name, #description))
    });
    let name = imports.catalog("Flow");
    quote! {
        #name {
            kind: #kinds::#kind,
            authorization_url: #authorization_url,
            token_url: #token_url,
            refresh_url: #refresh_url,
            scopes: &[#(#scopes),*],
        }
    }
}
