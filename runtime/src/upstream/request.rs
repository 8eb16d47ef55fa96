//! Turns an operation and its arguments into one HTTP request whose shape no argument can change.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use serde_json::{Map, Value};
use url::Url;

use super::{
    body,
    encode::{Place, encode, is_dot_segment},
    media::MediaType,
    style::{Pair, Writer, is_empty, text},
};
use crate::{
    Error,
    catalog::{Location, Operation, Parameter, Style, is_reserved_header},
};

/// The longest URL that is sent; `http` and most servers allow no more.
const MAX_URL: usize = 60_000;

/// A request before credentials and transport.
#[derive(Debug, Clone)]
pub(super) struct Request {
    /// The method.
    pub(super) method: http::Method,
    /// Scheme, host and port come from here and from nowhere else.
    pub(super) base: Url,
    /// The encoded path, the base URL's own in front.
    pub(super) path: String,
    /// The query's parts, encoded.
    pub(super) query: Vec<Pair>,
    /// The headers, without `Cookie`.
    pub(super) headers: HeaderMap,
    /// The cookies, encoded.
    pub(super) cookies: Vec<Pair>,
    /// The body.
    pub(super) body: Option<Bytes>,
}

impl Request {
    /// Builds the request of a call. Fails with `InvalidParams`, naming the argument, when a value cannot be sent.
    pub(super) fn build(operation: &Operation, mut arguments: Map<String, Value>, base: &Url) -> Result<Self, Error> {
        let method = http::Method::from_bytes(operation.method.as_str().as_bytes())
            .map_err(|_| Error::internal(format!("`{}` is no HTTP method", operation.method)))?;
        let mut request = Request {
            method,
            base: base.clone(),
            path: String::new(),
            query: Vec::new(),
            headers: HeaderMap::new(),
            cookies: Vec::new(),
            body: None,
        };
        let mut values = Vec::with_capacity(operation.parameters.len());
        for parameter in operation.parameters {
            if let Some(value) = take(parameter, &mut arguments)? {
                values.push((*parameter, value));
            }
        }
        request.expand_path(operation.path, &values)?;
        for (parameter, value) in &values {
            match parameter.location {
                Location::Path => {}
                Location::Query => request.query.extend(pairs(parameter, value, Place::Query)?),
                Location::QueryString => request.query_string(parameter, value)?,
                Location::Header => request.header(parameter, value)?,
                Location::Cookie => request.cookie(parameter, value)?,
            }
        }
        let accept = if operation.accept.is_empty() { "*/*" } else { operation.accept };
        if let Ok(accept) = HeaderValue::from_str(accept) {
            request.headers.insert(header::ACCEPT, accept);
        }
        match operation.body {
            Some(body) => {
                if let Some(content) = body::build(body, arguments)? {
                    request.headers.insert(header::CONTENT_TYPE, content.media_type);
                    request.body = Some(content.bytes);
                }
            }
            None => {
                if let Some(name) = arguments.keys().next() {
                    return Err(Error::invalid_params(format!("`{name}`: no such argument")));
                }
            }
        }
        request.url()?;
        Ok(request)
    }

    /// The final URL, compared with what was composed: `url` resolves dot segments and strips control characters, and a
    /// request that this would change is not sent.
    pub(super) fn url(&self) -> Result<Url, Error> {
        let mut query = String::new();
        for (index, (name, value)) in self.query.iter().enumerate() {
            if index > 0 {
                query.push('&');
            }
            query.push_str(name);
            if let Some(value) = value {
                query.push('=');
                query.push_str(value);
            }
        }
        // The base is a URL already: only path and query are parsed, not the host once more.
        let mut url = self.base.clone();
        url.set_fragment(None);
        url.set_path(&self.path);
        url.set_query((!self.query.is_empty()).then_some(&query));
        if url.as_str().len() > MAX_URL {
            return Err(Error::invalid_params(format!(
                "the arguments make a URL of {} bytes; at most {MAX_URL} can be sent",
                url.as_str().len()
            )));
        }
        if url.path() != self.path {
            return Err(Error::invalid_params("the arguments would change the path of the request"));
        }
        Ok(url)
    }

    /// The `Cookie` header's value.
    pub(super) fn cookie_header(&self) -> Option<String> {
        if self.cookies.is_empty() {
            return None;
        }
        let cookies =
            self.cookies.iter().map(|(name, value)| format!("{name}={}", value.as_deref().unwrap_or_default()));
        Some(cookies.collect::<Vec<_>>().join("; "))
    }

    /// Fills the path template. It may carry a query of its own and a fragment, which only tells operations apart.
    fn expand_path(&mut self, template: &str, values: &[(&'static Parameter, Value)]) -> Result<(), Error> {
        let template = template.split('#').next().unwrap_or_default();
        let (path, query) = template.split_once('?').unwrap_or((template, ""));
        let mut expanded = self.base.path().trim_end_matches('/').to_owned();
        for (index, segment) in path.split('/').enumerate() {
            if index > 0 || !segment.is_empty() {
                expanded.push('/');
            }
            let (text, variable) = expand_segment(segment, values, Place::Path)?;
            if let Some(variable) = variable
                && (text.is_empty() || is_dot_segment(&text))
            {
                let what = if text.is_empty() { "is empty" } else { "has `.` or `..` as a segment" };
                return Err(Error::invalid_params(format!(
                    "`{variable}`: the value {what}, which a path cannot carry"
                )));
            }
            expanded.push_str(&text);
        }
        if expanded.is_empty() {
            expanded.push('/');
        }
        self.path = expanded;
        for (name, value) in self.base.query_pairs() {
            self.query.push((encode(&name, Place::Query, false), Some(encode(&value, Place::Query, false))));
        }
        for part in query.split('&').filter(|part| !part.is_empty()) {
            let (name, value) = match part.split_once('=') {
                Some((name, value)) => (name, Some(expand_segment(value, values, Place::Query)?.0)),
                None => (part, None),
            };
            self.query.push((encode(name, Place::Query, true), value));
        }
        Ok(())
    }

    fn query_string(&mut self, parameter: &Parameter, value: &Value) -> Result<(), Error> {
        let media_type = MediaType::parse(parameter.content);
        match value {
            Value::Object(members) if media_type.is_form() || parameter.content.is_empty() => {
                let writer = Writer { place: Place::Query, reserved: false };
                for (name, value) in members {
                    self.query.extend(form_pairs(writer, name, value));
                }
            }
            Value::String(text) if media_type.is_form() => {
                for (name, value) in url::form_urlencoded::parse(text.as_bytes()) {
                    self.query.push((encode(&name, Place::Query, false), Some(encode(&value, Place::Query, false))));
                }
            }
            value => self.query.push((encode(&content_text(parameter, value), Place::Query, false), None)),
        }
        Ok(())
    }

    fn header(&mut self, parameter: &Parameter, value: &Value) -> Result<(), Error> {
        if is_defined_elsewhere(parameter.name) {
            return Ok(());
        }
        let argument = parameter.argument();
        if is_reserved_header(parameter.name) {
            return Err(Error::invalid_params(format!(
                "`{argument}`: the header `{}` cannot be set by an argument",
                parameter.name
            )));
        }
        let name = HeaderName::from_bytes(parameter.name.as_bytes())
            .map_err(|_| Error::invalid_params(format!("`{argument}`: `{}` is no header name", parameter.name)))?;
        if value.is_null() || is_empty(value) {
            return Ok(());
        }
        let text = if parameter.content.is_empty() {
            Writer { place: Place::Verbatim, reserved: false }.expand(
                parameter.name,
                value,
                Style::Simple,
                parameter.explode,
            )
        } else {
            ascii_json(&content_text(parameter, value))
        };
        let value = HeaderValue::from_bytes(text.as_bytes()).map_err(|_| {
            Error::invalid_params(format!("`{argument}`: a header cannot carry control characters such as line breaks"))
        })?;
        self.headers.insert(name, value);
        Ok(())
    }

    /// Style `form` percent-encodes; style `cookie` writes values as they are, which leaves out what would end them.
    fn cookie(&mut self, parameter: &Parameter, value: &Value) -> Result<(), Error> {
        let place = if parameter.style == Style::Cookie { Place::Verbatim } else { Place::Query };
        let legal = |text: &str| {
            text.bytes().all(|byte| (0x21..0x7f).contains(&byte) && !matches!(byte, b';' | b',' | b'"' | b'\\'))
        };
        if place == Place::Verbatim && !texts_of(value).iter().all(|text| legal(text)) {
            return Err(Error::invalid_params(format!(
                "`{}`: a cookie cannot carry spaces, `;`, `,`, `\"`, `\\`, control or non-ASCII characters",
                parameter.argument()
            )));
        }
        self.cookies.extend(pairs(parameter, value, place)?);
        Ok(())
    }
}

/// Every name and scalar of a value, as text.
fn texts_of(value: &Value) -> Vec<String> {
    match value {
        Value::Array(items) => items.iter().flat_map(texts_of).collect(),
        Value::Object(members) => {
            members.iter().flat_map(|(name, value)| texts_of(value).into_iter().chain([name.clone()])).collect()
        }
        value => vec![text(value)],
    }
}

/// The value of a parameter: the fixed one, or the client's argument. `null` means absent where that is possible.
fn take(parameter: &Parameter, arguments: &mut Map<String, Value>) -> Result<Option<Value>, Error> {
    let argument = parameter.argument();
    if !parameter.fixed.is_empty() {
        return match serde_json::from_str(parameter.fixed) {
            Ok(value) => Ok(Some(value)),
            Err(_) => Err(Error::internal(format!("the fixed value of `{argument}` is not JSON"))),
        };
    }
    match arguments.shift_remove(argument) {
        Some(Value::Null) if !parameter.required && !parameter.allow_empty_value && parameter.content.is_empty() => {
            Ok(None)
        }
        Some(Value::Null) if parameter.location == Location::Path && parameter.content.is_empty() => {
            Err(Error::invalid_params(format!("`{argument}`: null, which a path cannot carry")))
        }
        None if parameter.required => Err(Error::invalid_params(format!("`{argument}` is missing"))),
        value => Ok(value),
    }
}

/// A segment of the template, or a value of its query, with its variables filled, and the name of the last of them.
fn expand_segment(
    segment: &str,
    values: &[(&'static Parameter, Value)],
    place: Place,
) -> Result<(String, Option<&'static str>), Error> {
    let mut expanded = String::new();
    let mut variable = None;
    let mut rest = segment;
    while let Some((literal, after)) = rest.split_once('{') {
        let Some((name, after)) = after.split_once('}') else { break };
        expanded.push_str(&encode(literal, place, true));
        rest = after;
        let bare = name.trim_end_matches(['+', '*']);
        let Some((parameter, value)) = values.iter().find(|(parameter, _)| {
            parameter.location == Location::Path && (parameter.name == name || parameter.name == bare)
        }) else {
            return Err(Error::invalid_params(format!("`{name}` is missing")));
        };
        let writer = Writer { place, reserved: parameter.allow_reserved };
        expanded.push_str(&if parameter.content.is_empty() {
            writer.expand(parameter.name, value, parameter.style, parameter.explode)
        } else {
            encode(&content_text(parameter, value), place, false)
        });
        variable = Some(parameter.argument());
    }
    expanded.push_str(&encode(rest, place, true));
    Ok((expanded, variable))
}

/// The pairs of a query parameter or cookie.
fn pairs(parameter: &Parameter, value: &Value, place: Place) -> Result<Vec<Pair>, Error> {
    let writer = Writer { place, reserved: parameter.allow_reserved };
    let name = encode(parameter.name, place, false);
    if !parameter.content.is_empty() {
        return Ok(vec![(name, Some(encode(&content_text(parameter, value), place, false)))]);
    }
    // What is required cannot vanish: an array without items is the name alone, which forms read as an empty value.
    let kept = parameter.allow_empty_value || (parameter.required && value.is_array());
    if value.is_null() || (is_empty(value) && kept) {
        return Ok(vec![(name, Some(String::new()))]);
    }
    Ok(writer.pairs(parameter.name, value, parameter.style, parameter.explode))
}

/// The fields of a form that no Encoding Object describes: arrays repeat the name, objects are JSON.
pub(super) fn form_pairs(writer: Writer, name: &str, value: &Value) -> Vec<Pair> {
    match value {
        Value::Array(items) => items
            .iter()
            .map(|item| (encode(name, writer.place, false), Some(encode(&text(item), writer.place, false))))
            .collect(),
        value => vec![(encode(name, writer.place, false), Some(encode(&text(value), writer.place, false)))],
    }
}

/// The text of a parameter with `content`: JSON for JSON media types, else a string as it is.
fn content_text(parameter: &Parameter, value: &Value) -> String {
    match value {
        Value::String(text) if !MediaType::parse(parameter.content).is_json() => text.clone(),
        value => value.to_string(),
    }
}

/// JSON with everything beyond ASCII escaped, so that a header can carry it. Other text is unchanged in meaning too,
/// since JSON text is ASCII outside of its strings.
fn ascii_json(json: &str) -> String {
    let mut ascii = String::with_capacity(json.len());
    for character in json.chars() {
        if character.is_ascii() {
            ascii.push(character);
        } else {
            for unit in character.encode_utf16(&mut [0; 2]) {
                ascii.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    ascii
}

/// Header parameters that OpenAPI 3.2 §4.12.1 says to ignore: other parts of the document define them.
fn is_defined_elsewhere(name: &str) -> bool {
    ["accept", "content-type", "authorization"].iter().any(|header| name.eq_ignore_ascii_case(header))
}

#[cfg(test)]
mod round_trip;
#[cfg(test)]
mod tests;
