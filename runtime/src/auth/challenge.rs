//! How a request is refused: the status and the `WWW-Authenticate` header of RFC 6750 section 3 and RFC 9728
//! section 5.1.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde_json::json;

/// The reasons for which a request is refused.
#[derive(Debug, Clone, Copy)]
pub(super) enum Refusal<'a> {
    /// No token: 401, without an error code.
    NoToken,
    /// A malformed request: 400.
    InvalidRequest(&'static str),
    /// A token that is not valid: 401.
    InvalidToken,
    /// These scopes are needed, and not all granted: 403.
    InsufficientScope(&'a [String]),
    /// Whoever must be asked about the token does not answer: 503.
    Unavailable,
}

/// What every challenge says. All of it was checked when it was configured: nothing of a request gets into a header.
#[derive(Debug, Clone)]
pub(super) struct Challenges {
    /// The URL of the protected resource metadata.
    pub(super) metadata: String,
    /// The scopes that any request needs.
    pub(super) scopes: Vec<String>,
}

impl Challenges {
    pub(super) fn answer(&self, refusal: Refusal<'_>) -> Response {
        let (status, error, description, scopes) = match refusal {
            Refusal::NoToken => (StatusCode::UNAUTHORIZED, "", "a bearer token is required", self.scopes.as_slice()),
            Refusal::InvalidToken => {
                (StatusCode::UNAUTHORIZED, "invalid_token", "the token is not valid here", self.scopes.as_slice())
            }
            Refusal::InvalidRequest(description) => (StatusCode::BAD_REQUEST, "invalid_request", description, &[][..]),
            Refusal::InsufficientScope(scopes) => {
                (StatusCode::FORBIDDEN, "insufficient_scope", "the token lacks a scope", scopes)
            }
            Refusal::Unavailable => {
                let body = axum::body::Body::from(json!({"error": "temporarily_unavailable"}).to_string());
                let headers = [(header::RETRY_AFTER, "5"), (header::CONTENT_TYPE, "application/json")];
                return (StatusCode::SERVICE_UNAVAILABLE, headers, body).into_response();
            }
        };
        // Some clients cannot read escaped quotes: no value here holds any.
        let mut challenge = format!("Bearer resource_metadata=\"{}\"", self.metadata);
        if !scopes.is_empty() {
            challenge.push_str(&format!(", scope=\"{}\"", scopes.join(" ")));
        }
        if !error.is_empty() {
            challenge.push_str(&format!(", error=\"{error}\", error_description=\"{description}\""));
        }
        let error = if error.is_empty() { "unauthorized" } else { error };
        let body = json!({"error": error, "error_description": description}).to_string();
        let mut response = (status, [(header::CONTENT_TYPE, "application/json")], body).into_response();
        if let Ok(challenge) = HeaderValue::from_str(&challenge) {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

/// Whether text is one scope (RFC 6749 section 3.3), and so safe within a quoted header value.
pub(super) fn is_scope(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e))
}
