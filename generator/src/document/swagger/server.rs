//! Servers of Swagger 2.0: `schemes`, `host` and `basePath`.

use serde_json::Value;

use crate::document::shape::scalar_text;

/// `schemes`, `host` and `basePath` as servers, `https` first.
pub(in crate::document) fn servers(root: &Value) -> Vec<openapiv3::Server> {
    let text = |key: &str| root.get(key).and_then(Value::as_str).map(str::trim).unwrap_or_default();
    let base = text("basePath").trim_end_matches('/');
    let base = if base.is_empty() || base.starts_with('/') { base.to_owned() } else { format!("/{base}") };
    if let Some(server) = root.get("x-ms-parameterized-host").and_then(|host| parameterized_host(host, &base)) {
        return vec![server];
    }
    let host = text("host").trim_end_matches('/');
    let server = |url: String| openapiv3::Server { url, ..Default::default() };
    if host.is_empty() {
        return if base.is_empty() { Vec::new() } else { vec![server(base)] };
    }
    if host.contains("://") {
        return vec![server(format!("{host}{base}"))];
    }
    let mut schemes: Vec<&str> = match root.get("schemes") {
        Some(Value::Array(schemes)) => schemes.iter().filter_map(Value::as_str).collect(),
        Some(Value::String(scheme)) => vec![scheme],
        _ => Vec::new(),
    };
    schemes.retain(|scheme| matches!(*scheme, "http" | "https"));
    if schemes.is_empty() {
        schemes.push("https");
    }
    schemes.sort_by_key(|scheme| *scheme != "https");
    schemes.dedup();
    schemes.into_iter().map(|scheme| server(format!("{scheme}://{host}{base}"))).collect()
}

/// The extension by which Azure's documents have variables in the host.
fn parameterized_host(host: &Value, base: &str) -> Option<openapiv3::Server> {
    let template = host.get("hostTemplate")?.as_str()?.trim_end_matches('/');
    let prefix = if template.contains("://") || host.get("useSchemePrefix") == Some(&Value::Bool(false)) {
        ""
    } else {
        "https://"
    };
    let declared = host.get("parameters").and_then(Value::as_array);
    let declaration = |name: &str| {
        declared.into_iter().flatten().find(|declared| declared.get("name").and_then(Value::as_str) == Some(name))
    };
    let variables = template
        .split('{')
        .skip(1)
        .filter_map(|part| part.split_once('}'))
        .map(|(name, _)| {
            let member = |key: &str| declaration(name).and_then(|declaration| declaration.get(key));
            let variable = openapiv3::ServerVariable {
                default: member("default").map(scalar_text).unwrap_or_default(),
                enumeration: member("enum").and_then(Value::as_array).into_iter().flatten().map(scalar_text).collect(),
                description: member("description").and_then(Value::as_str).map(str::to_owned),
                ..Default::default()
            };
            (name.to_owned(), variable)
        })
        .collect();
    Some(openapiv3::Server {
        url: format!("{prefix}{template}{base}"),
        variables: Some(variables),
        ..Default::default()
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn schemes_host_and_base_path_become_servers() {
        for (root, expected) in [
            (
                json!({"host": "api.example.com", "basePath": "/v1/", "schemes": ["http", "https"]}),
                vec!["https://api.example.com/v1", "http://api.example.com/v1"],
            ),
            (json!({"host": "api.example.com:8080"}), vec!["https://api.example.com:8080"]),
            (json!({"host": "https://api.example.com/", "basePath": "v1"}), vec!["https://api.example.com/v1"]),
            (json!({"host": "api.example.com", "schemes": ["ws"]}), vec!["https://api.example.com"]),
            (json!({"basePath": "/v1"}), vec!["/v1"]),
            (json!({"basePath": "/"}), vec![]),
            (json!({}), vec![]),
        ] {
            let urls: Vec<String> = servers(&root).into_iter().map(|server| server.url).collect();
            assert_eq!(urls, expected, "{root}");
        }
    }

    #[test]
    fn a_parameterised_host_becomes_server_variables() {
        let root = json!({
            "host": "ignored.example.com",
            "basePath": "/v2",
            "x-ms-parameterized-host": {
                "hostTemplate": "{account}.example.com",
                "parameters": [{"name": "account", "default": "me", "description": "Whose"}],
            },
        });
        let servers = servers(&root);
        assert_eq!(servers[0].url, "https://{account}.example.com/v2");
        assert_eq!(servers[0].variables.as_ref().unwrap()["account"].default, "me");
    }
}
