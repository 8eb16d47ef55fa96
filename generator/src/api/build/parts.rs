//! Servers, encodings and styles, one to one.

use serde_json::Value;

use crate::{
    api::{Encoding, Server, ServerVariable, Style},
    document::extra,
};

pub(super) fn server(server: &openapiv3::Server) -> Server {
    Server {
        url: server.url.clone(),
        description: server.description.clone().unwrap_or_default(),
        variables: server
            .variables
            .iter()
            .flatten()
            .map(|(name, variable)| ServerVariable {
                name: name.clone(),
                default: variable.default.clone(),
                values: variable.enumeration.clone(),
                description: variable.description.clone().unwrap_or_default(),
            })
            .collect(),
    }
}

pub(super) fn encoding(name: &str, encoding: &openapiv3::Encoding) -> Encoding {
    let styled = encoding.extensions.get(extra::STYLED) == Some(&Value::Bool(true));
    let extended = encoding.extensions.get(extra::STYLE).and_then(Value::as_str).map(style);
    let query_style = match encoding.style {
        Some(openapiv3::QueryStyle::SpaceDelimited) => Style::SpaceDelimited,
        Some(openapiv3::QueryStyle::PipeDelimited) => Style::PipeDelimited,
        Some(openapiv3::QueryStyle::DeepObject) => Style::DeepObject,
        _ => Style::Form,
    };
    Encoding {
        name: name.to_owned(),
        content_type: encoding.content_type.clone().unwrap_or_default(),
        style: styled.then_some((extended.unwrap_or(query_style), encoding.explode, encoding.allow_reserved)),
        headers: encoding
            .extensions
            .get(extra::HEADERS)
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
            .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
            .collect(),
    }
}

pub(super) fn style(name: &str) -> Style {
    match name {
        "simple" => Style::Simple,
        "label" => Style::Label,
        "matrix" => Style::Matrix,
        "spaceDelimited" => Style::SpaceDelimited,
        "pipeDelimited" => Style::PipeDelimited,
        "tabDelimited" => Style::TabDelimited,
        "deepObject" => Style::DeepObject,
        "cookie" => Style::Cookie,
        _ => Style::Form,
    }
}
