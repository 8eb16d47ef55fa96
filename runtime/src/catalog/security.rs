//! Security schemes and what operations require of them.

/// A Security Scheme Object.
#[derive(Debug)]
pub struct SecurityScheme {
    /// The key under `components.securitySchemes`.
    pub name: &'static str,
    /// What kind of credential it takes.
    pub kind: SecuritySchemeKind,
    /// What the document says of it.
    pub description: &'static str,
}

/// The kinds of credentials.
#[derive(Debug)]
pub enum SecuritySchemeKind {
    /// `apiKey`
    ApiKey {
        /// The name of the header, query parameter or cookie.
        name: &'static str,
        /// Where the key goes.
        location: ApiKeyLocation,
    },
    /// `http` with `basic` (RFC 7617)
    HttpBasic,
    /// `http` with `bearer` (RFC 6750)
    HttpBearer {
        /// `bearerFormat`, a hint for people.
        format: &'static str,
    },
    /// `http` with another scheme of the IANA registry
    Http {
        /// The scheme as it precedes the credential in `Authorization`.
        scheme: &'static str,
    },
    /// `oauth2`
    OAuth2 {
        /// The flows that the API offers.
        flows: &'static [Flow],
    },
    /// `openIdConnect`
    OpenIdConnect {
        /// The discovery document.
        url: &'static str,
    },
    /// `mutualTLS`
    MutualTls,
}

/// Where an API key goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ApiKeyLocation {
    /// A header.
    Header,
    /// The query.
    Query,
    /// A cookie.
    Cookie,
}

/// An OAuth Flow Object.
#[derive(Debug)]
pub struct Flow {
    /// Which flow.
    pub kind: FlowKind,
    /// `authorizationUrl` (or `deviceAuthorizationUrl`), possibly relative; empty when the flow has none.
    pub authorization_url: &'static str,
    /// `tokenUrl`, possibly relative; empty when the flow has none.
    pub token_url: &'static str,
    /// `refreshUrl`, possibly relative; empty when there is none.
    pub refresh_url: &'static str,
    /// The scopes: name and description.
    pub scopes: &'static [(&'static str, &'static str)],
}

/// The OAuth 2.0 flows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FlowKind {
    /// `implicit`
    Implicit,
    /// `password`
    Password,
    /// `clientCredentials`
    ClientCredentials,
    /// `authorizationCode`
    AuthorizationCode,
    /// `deviceAuthorization` (OpenAPI 3.2)
    DeviceAuthorization,
}

/// One scheme that an operation requires, with the scopes (or roles) that it needs.
#[derive(Debug)]
pub struct Requirement {
    /// The scheme.
    pub scheme: &'static SecurityScheme,
    /// The scopes.
    pub scopes: &'static [&'static str],
}
