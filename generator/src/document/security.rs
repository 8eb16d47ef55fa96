//! Security Scheme Objects of every version.

use serde_json::Value;

use super::{
    codes,
    files::Target,
    shape::{Shaper, child, scalar_text},
    version::SpecificationVersion,
};
use crate::{
    api::{ApiKeyLocation, Flow, FlowKind, SecurityScheme, SecuritySchemeKind},
    diagnostics::Location,
};

impl Shaper<'_, '_, '_> {
    pub(super) fn security_schemes(&mut self, root: &Value) -> Vec<(String, SecurityScheme)> {
        let home = if self.version == SpecificationVersion::V2_0 {
            "/securityDefinitions"
        } else {
            "/components/securitySchemes"
        };
        let mut schemes = Vec::new();
        let at = Target { file: self.root, pointer: home.to_owned() };
        let Some((section, at)) = root
            .pointer(home)
            .and_then(|section| self.follow(section, &at, |_, section, at| (section.clone(), at.clone())))
        else {
            return schemes;
        };
        for (name, value) in self.members(&section, "security schemes", &at).into_iter().flatten() {
            let at = child(&at, name);
            let scheme = self.follow(value, &at, |shaper, value, at| shaper.security_scheme(name, value, at)).flatten();
            if let Some(scheme) = scheme {
                schemes.push((name.clone(), scheme));
            }
        }
        schemes
    }

    fn security_scheme(&mut self, name: &str, value: &Value, at: &Target) -> Option<SecurityScheme> {
        let text = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default().trim().to_owned();
        let kind = match text("type").to_ascii_lowercase().as_str() {
            "apikey" => {
                let location = match text("in").to_ascii_lowercase().as_str() {
                    "query" => ApiKeyLocation::Query,
                    "cookie" => ApiKeyLocation::Cookie,
                    _ => ApiKeyLocation::Header,
                };
                let key = text("name");
                if key.is_empty() {
                    self.report(
                        &codes::INVALID_MEMBER,
                        at,
                        format!(
                            "the security scheme `{name}` names no header, query parameter or cookie; it is left out"
                        ),
                    );
                    return None;
                }
                // An API key in `Authorization` with the prefix "Bearer" in its description stays what it says it is.
                SecuritySchemeKind::ApiKey { name: key, location }
            }
            "basic" => SecuritySchemeKind::HttpBasic,
            "http" => match text("scheme").to_ascii_lowercase().as_str() {
                "basic" => SecuritySchemeKind::HttpBasic,
                "bearer" => SecuritySchemeKind::HttpBearer { format: text("bearerFormat") },
                _ => SecuritySchemeKind::Http { scheme: text("scheme") },
            },
            "oauth2" => SecuritySchemeKind::OAuth2 { flows: flows(value, self.version) },
            "openidconnect" => SecuritySchemeKind::OpenIdConnect { url: text("openIdConnectUrl") },
            "mutualtls" => SecuritySchemeKind::MutualTls,
            other => {
                self.report(
                    &codes::INVALID_MEMBER,
                    at,
                    format!("the security scheme `{name}` has the unknown type `{other}`; it is left out"),
                );
                return None;
            }
        };
        Some(SecurityScheme {
            name: name.to_owned(),
            kind,
            description: text("description"),
            location: Location { file: at.file, pointer: at.pointer.clone() },
        })
    }
}

fn flows(value: &Value, version: SpecificationVersion) -> Vec<Flow> {
    let flow = |kind, value: &Value| {
        let text = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let authorization = text("authorizationUrl");
        Flow {
            kind,
            authorization_url: if authorization.is_empty() { text("deviceAuthorizationUrl") } else { authorization },
            token_url: text("tokenUrl"),
            refresh_url: text("refreshUrl"),
            scopes: value
                .get("scopes")
                .and_then(Value::as_object)
                .into_iter()
                .flatten()
                .filter(|(scope, _)| !scope.starts_with("x-"))
                .map(|(scope, description)| (scope.clone(), scalar_text(description)))
                .collect(),
        }
    };
    if version == SpecificationVersion::V2_0 {
        let kind = match value.get("flow").and_then(Value::as_str).unwrap_or_default() {
            "password" => FlowKind::Password,
            "application" => FlowKind::ClientCredentials,
            "accessCode" => FlowKind::AuthorizationCode,
            _ => FlowKind::Implicit,
        };
        return vec![flow(kind, value)];
    }
    let kinds = [
        ("implicit", FlowKind::Implicit),
        ("password", FlowKind::Password),
        ("clientCredentials", FlowKind::ClientCredentials),
        ("authorizationCode", FlowKind::AuthorizationCode),
        ("deviceAuthorization", FlowKind::DeviceAuthorization),
    ];
    kinds
        .into_iter()
        .filter_map(|(key, kind)| Some(flow(kind, value.get("flows")?.get(key).filter(|value| value.is_object())?)))
        .collect()
}
