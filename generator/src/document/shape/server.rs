//! Servers and security requirements.

use indexmap::IndexMap;
use serde_json::Value;

use super::{Shaper, child, scalar_text};
use crate::document::{codes, files::Target, lift::kind_of};

impl Shaper<'_, '_, '_> {
    /// Server Objects. A bare URL is read as one.
    pub(in crate::document) fn servers(&mut self, value: Option<&Value>, at: &Target) -> Vec<openapiv3::Server> {
        let mut servers = Vec::new();
        let items = match value {
            None | Some(Value::Null) => return servers,
            Some(Value::Array(items)) => items.as_slice(),
            Some(one @ Value::Object(_)) => {
                self.report(&codes::REPAIRED, at, "`servers` is an object; it is read as the only one");
                std::slice::from_ref(one)
            }
            Some(other) => {
                let message = format!("`servers` is {}, not an array; it is left out", kind_of(other));
                self.report(&codes::INVALID_MEMBER, at, message);
                return servers;
            }
        };
        for (index, server) in items.iter().enumerate() {
            let at = child(at, &index.to_string());
            let url = match server {
                Value::String(url) => {
                    self.report(&codes::REPAIRED, &at, "a server that is a text is read as its `url`");
                    Some(url.as_str())
                }
                server => server.get("url").and_then(Value::as_str),
            };
            let Some(url) = url else {
                self.report(&codes::INVALID_MEMBER, &at, "a server without `url` is left out");
                continue;
            };
            servers.push(openapiv3::Server {
                url: url.trim().to_owned(),
                description: self.text(server.get("description"), &child(&at, "description")),
                variables: server
                    .get("variables")
                    .map(|variables| self.server_variables(variables, &child(&at, "variables"))),
                ..Default::default()
            });
        }
        servers
    }

    fn server_variables(&mut self, value: &Value, at: &Target) -> IndexMap<String, openapiv3::ServerVariable> {
        let mut variables = IndexMap::new();
        for (name, variable) in self.members(value, "variables", at).into_iter().flatten() {
            let at = child(at, name);
            let enumeration: Vec<String> =
                variable.get("enum").and_then(Value::as_array).into_iter().flatten().map(scalar_text).collect();
            let default = match variable.get("default") {
                Some(value) => scalar_text(value),
                None => {
                    let message =
                        format!("the server variable `{name}` has no default; its first value is used, if it has one");
                    self.report(&codes::REPAIRED, &at, message);
                    enumeration.first().cloned().unwrap_or_default()
                }
            };
            let description = self.text(variable.get("description"), &child(&at, "description"));
            variables.insert(
                name.clone(),
                openapiv3::ServerVariable { enumeration, default, description, ..Default::default() },
            );
        }
        variables
    }

    /// Security requirements; `None` when the member is no array.
    pub(in crate::document) fn security(
        &mut self,
        value: &Value,
        at: &Target,
    ) -> Option<Vec<openapiv3::SecurityRequirement>> {
        let alternatives = match value {
            Value::Array(alternatives) => alternatives.as_slice(),
            Value::Object(_) => {
                self.report(&codes::REPAIRED, at, "`security` is an object; it is read as the only alternative");
                std::slice::from_ref(value)
            }
            Value::Null => return None,
            other => {
                let message = format!("`security` is {}, not an array; it is left out", kind_of(other));
                self.report(&codes::INVALID_MEMBER, at, message);
                return None;
            }
        };
        let mut requirements = Vec::with_capacity(alternatives.len());
        for (index, alternative) in alternatives.iter().enumerate() {
            let at = child(at, &index.to_string());
            let mut requirement = openapiv3::SecurityRequirement::new();
            match alternative {
                Value::Object(schemes) => {
                    for (name, scopes) in schemes {
                        let scopes = self.scopes(scopes, &child(&at, name));
                        requirement.insert(name.clone(), scopes);
                    }
                }
                Value::String(name) => {
                    self.report(
                        &codes::REPAIRED,
                        &at,
                        format!("the text `{name}` is read as a requirement without scopes"),
                    );
                    requirement.insert(name.clone(), Vec::new());
                }
                other => {
                    let message = format!("{} is no security requirement; it is left out", kind_of(other));
                    self.report(&codes::INVALID_MEMBER, &at, message);
                    continue;
                }
            }
            requirements.push(requirement);
        }
        Some(requirements)
    }

    fn scopes(&mut self, value: &Value, at: &Target) -> Vec<String> {
        match value {
            Value::Array(scopes) => scopes.iter().map(scalar_text).collect(),
            other => {
                self.report(&codes::REPAIRED, at, format!("the scopes are {}, not an array", kind_of(other)));
                other.as_str().map(str::to_owned).into_iter().collect()
            }
        }
    }
}
