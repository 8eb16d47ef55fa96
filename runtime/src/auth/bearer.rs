//! The token in a request (RFC 6750 section 2.1): in the `Authorization` header, once, and nowhere else.

use http::{header, request::Parts};
use secrecy::SecretString;
use url::form_urlencoded;

/// What a request presents.
#[derive(Debug)]
pub(super) enum Presented {
    /// Nothing that is a token.
    Nothing,
    /// A token.
    Token(SecretString),
    /// Something that the specification forbids.
    Malformed(&'static str),
}

/// Takes the token out of a request: the header is gone afterwards, so that nothing can pass it on.
pub(super) fn take(parts: &mut Parts) -> Presented {
    let header: Vec<_> = match parts.headers.entry(header::AUTHORIZATION) {
        header::Entry::Occupied(entry) => {
            let (_, values) = entry.remove_entry_mult();
            values.collect()
        }
        header::Entry::Vacant(_) => Vec::new(),
    };
    let query = parts.uri.query().unwrap_or_default();
    if form_urlencoded::parse(query.as_bytes()).any(|(name, _)| name == "access_token") {
        return Presented::Malformed("a token in the URL is not accepted, it ends up in logs");
    }
    match header.as_slice() {
        [] => Presented::Nothing,
        [value] => credentials(value.as_bytes()),
        _ => Presented::Malformed("there is more than one Authorization header"),
    }
}

fn credentials(value: &[u8]) -> Presented {
    const WRONG: Presented = Presented::Malformed("the Authorization header is malformed");
    let Ok(value) = std::str::from_utf8(value) else { return WRONG };
    let (scheme, token) = value.split_once(' ').unwrap_or((value, ""));
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Presented::Nothing;
    }
    let token = token.trim_start_matches(' ');
    let body = token.trim_end_matches('=');
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte);
    if body.is_empty() || !body.bytes().all(is_token) {
        return WRONG;
    }
    Presented::Token(token.into())
}
