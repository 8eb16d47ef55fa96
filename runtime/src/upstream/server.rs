//! The base URL: from the configuration or from the document, never from arguments.

use std::collections::BTreeSet;

use url::Url;

use super::{ConfigurationError, Settings};
use crate::catalog::{Operation, Server, ServerVariable};

/// The base URLs of an API, resolved once.
#[derive(Debug, Clone)]
pub(super) struct Servers {
    configured: Option<Url>,
    /// What relative servers of the document are resolved against.
    document: Result<Url, ConfigurationError>,
    settings: Settings,
}

impl Servers {
    /// Resolves what can be resolved. That no server is usable becomes an error only when a call needs one, except for
    /// a configured base URL that is wrong.
    pub(super) fn new(
        servers: &[&'static Server],
        operations: impl Iterator<Item = &'static Operation>,
        settings: &Settings,
        prefix: &str,
    ) -> Result<Self, ConfigurationError> {
        check_variables(servers, operations, settings, prefix)?;
        let configured = match &settings.base_url {
            Some(text) => Some(parse(text, &format!("{prefix}_BASE_URL"))?),
            None => None,
        };
        let document = match (choose(servers, settings, prefix), &configured) {
            (_, Some(configured)) => Ok(configured.clone()),
            (Ok(Some(server)), None) => absolute(server, settings, prefix),
            (Ok(None), None) => Err(unknown_server(prefix, "the document names no server")),
            (Err(error), None) => return Err(error),
        };
        Ok(Self { configured, document, settings: settings.clone() })
    }

    /// The base URL of an operation: the configured one, else its own server, else the API's.
    pub(super) fn base(&self, operation: &Operation, prefix: &str) -> Result<Url, ConfigurationError> {
        match (&self.configured, operation.servers.first()) {
            (Some(configured), _) => Ok(configured.clone()),
            (None, Some(server)) => {
                let url = expand(server, &self.settings, prefix)?;
                match (parse(&url, "the operation's server"), &self.document) {
                    (Ok(url), _) => Ok(url),
                    (Err(_), Ok(document)) => join(document, &url),
                    (Err(_), Err(error)) => Err(error.clone()),
                }
            }
            (None, None) => self.document.clone(),
        }
    }

    /// The API's own base URL, if one is known.
    pub(super) fn api(&self) -> Result<&Url, &ConfigurationError> {
        self.configured.as_ref().map_or(self.document.as_ref(), Ok)
    }
}

/// Refuses values of variables that no server has or takes: they would change nothing, or be found out by a call only.
fn check_variables(
    servers: &[&'static Server],
    operations: impl Iterator<Item = &'static Operation>,
    settings: &Settings,
    prefix: &str,
) -> Result<(), ConfigurationError> {
    if settings.server_variables.is_empty() {
        return Ok(());
    }
    let all = servers.iter().copied().chain(operations.flat_map(|operation| operation.servers.iter().copied()));
    let known: Vec<&ServerVariable> = all.flat_map(|server| server.variables).collect();
    for (name, value) in &settings.server_variables {
        let mut error = None;
        let mut taken = false;
        for variable in known.iter().filter(|variable| variable.name == name) {
            match check_value(variable, value, prefix) {
                Ok(()) => taken = true,
                Err(why) => error = Some(why),
            }
        }
        match error {
            _ if taken => {}
            Some(error) => return Err(error),
            None => {
                let names: BTreeSet<&str> = known.iter().map(|variable| variable.name).collect();
                let names =
                    if names.is_empty() { "none".to_owned() } else { names.into_iter().collect::<Vec<_>>().join(", ") };
                return Err(ConfigurationError::new(format!(
                    "{prefix}_SERVER_VARIABLES names `{name}`, which no server of the document has; they have: {names}"
                )));
            }
        }
    }
    Ok(())
}

/// Whether a configured value may stand for a variable.
fn check_value(variable: &ServerVariable, value: &str, prefix: &str) -> Result<(), ConfigurationError> {
    if !variable.values.is_empty() && !variable.values.contains(&value) {
        return Err(ConfigurationError::new(format!(
            "the server variable `{}` is {value:?} in {prefix}_SERVER_VARIABLES; it has to be one of {}",
            variable.name,
            variable.values.join(", ")
        )));
    }
    if value.contains(['#', '?']) {
        return Err(ConfigurationError::new(format!(
            "the server variable `{}` has `#` or `?` in its value in {prefix}_SERVER_VARIABLES, which would end the path",
            variable.name
        )));
    }
    Ok(())
}

fn choose(
    servers: &[&'static Server],
    settings: &Settings,
    prefix: &str,
) -> Result<Option<&'static Server>, ConfigurationError> {
    let Some(wanted) = &settings.server else { return Ok(servers.first().copied()) };
    let found = match wanted.parse::<usize>() {
        Ok(index) => servers.get(index),
        Err(_) => servers.iter().find(|server| server.description.eq_ignore_ascii_case(wanted) || server.url == wanted),
    };
    found.copied().map(Some).ok_or_else(|| {
        let known: Vec<String> = servers
            .iter()
            .enumerate()
            .map(|(index, server)| format!("{index} {} {}", server.url, server.description))
            .collect();
        ConfigurationError::new(format!(
            "{prefix}_SERVER is {wanted:?}, but the document's servers are: {}",
            known.join("; ")
        ))
    })
}

fn absolute(server: &Server, settings: &Settings, prefix: &str) -> Result<Url, ConfigurationError> {
    let text = expand(server, settings, prefix)?;
    if text.contains("://") {
        return parse(&text, "the document's server");
    }
    Err(unknown_server(prefix, &format!("the document's server {text:?} is relative")))
}

fn unknown_server(prefix: &str, why: &str) -> ConfigurationError {
    ConfigurationError::new(format!(
        "where the API is cannot be told: {why}. Set {prefix}_BASE_URL or --base-url, for example to https://api.example.com/v1"
    ))
}

/// Fills the variables of a server's URL from the configuration or from their defaults.
fn expand(server: &Server, settings: &Settings, prefix: &str) -> Result<String, ConfigurationError> {
    let mut url = server.url.to_owned();
    for variable in server.variables {
        let configured = settings
            .server_variables
            .iter()
            .rev()
            .find(|(name, _)| name == variable.name)
            .map(|(_, value)| value.as_str());
        if let Some(value) = configured {
            check_value(variable, value, prefix)?;
        }
        let value = configured.unwrap_or(variable.default);
        url = url.replace(&format!("{{{}}}", variable.name), value);
    }
    if let Some((_, rest)) = url.split_once('{')
        && let Some((name, _)) = rest.split_once('}')
    {
        return Err(ConfigurationError::new(format!(
            "the server variable `{name}` has no value; set {prefix}_SERVER_VARIABLES={name}=…"
        )));
    }
    Ok(url)
}

fn parse(text: &str, what: &str) -> Result<Url, ConfigurationError> {
    let url = Url::parse(text.trim())
        .map_err(|error| ConfigurationError::new(format!("{what} is {text:?}, which is no URL: {error}")))?;
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return Err(ConfigurationError::new(format!("{what} has to be an http or https URL, not `{}:`", url.scheme())));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(ConfigurationError::new(format!(
            "{what} has a user name or password in it; set them with the variables of the security scheme"
        )));
    }
    if url.fragment().is_some() {
        return Err(ConfigurationError::new(format!("{what} has a fragment (`#`), which is never sent")));
    }
    Ok(url)
}

fn join(base: &Url, relative: &str) -> Result<Url, ConfigurationError> {
    base.join(relative)
        .ok()
        .filter(|url| url.origin() == base.origin())
        .ok_or_else(|| ConfigurationError::new(format!("the operation's server {relative:?} is not usable")))
}

#[cfg(test)]
mod tests {
    use super::*;

    static VARIABLE: Server = Server {
        url: "https://{region}.example.com/{stage}",
        variables: &[
            ServerVariable { name: "region", default: "eu", values: &["eu", "us"], description: "" },
            ServerVariable { name: "stage", default: "v1", values: &[], description: "" },
        ],
        ..Server::DEFAULT
    };
    static RELATIVE: Server = Server { url: "/v2", ..Server::DEFAULT };
    static SANDBOX: Server = Server { url: "http://sandbox.example.com", description: "Sandbox", ..Server::DEFAULT };
    static FILE: Server = Server { url: "file:///etc", ..Server::DEFAULT };

    fn base(servers: &[&'static Server], settings: Settings, operation: &Operation) -> Result<String, String> {
        Servers::new(servers, std::iter::empty(), &settings, "P")
            .and_then(|servers| servers.base(operation, "P"))
            .map(|url| url.to_string())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn the_base_url_comes_from_configuration_or_document() {
        let with = |set: &dyn Fn(&mut Settings)| {
            let mut settings = Settings::default();
            set(&mut settings);
            settings
        };
        static OWN: Operation = Operation { servers: &[&SANDBOX], ..Operation::DEFAULT };
        static OWN_RELATIVE: Operation = Operation { servers: &[&RELATIVE], ..Operation::DEFAULT };
        for (servers, settings, operation, expected) in [
            (&[&VARIABLE][..], with(&|_| {}), &Operation::DEFAULT, "https://eu.example.com/v1"),
            (
                &[&VARIABLE],
                with(&|settings| settings.server_variables = vec![("region".into(), "us".into())]),
                &Operation::DEFAULT,
                "https://us.example.com/v1",
            ),
            (
                &[&VARIABLE, &SANDBOX],
                with(&|settings| settings.server = Some("sandbox".into())),
                &Operation::DEFAULT,
                "http://sandbox.example.com/",
            ),
            (&[&VARIABLE], with(&|_| {}), &OWN, "http://sandbox.example.com/"),
            (&[&VARIABLE], with(&|_| {}), &OWN_RELATIVE, "https://eu.example.com/v2"),
            (
                &[&VARIABLE],
                with(&|settings| settings.base_url = Some("http://127.0.0.1:1/x".into())),
                &OWN,
                "http://127.0.0.1:1/x",
            ),
        ] {
            assert_eq!(base(servers, settings, operation).as_deref(), Ok(expected));
        }
    }

    /// Case U8 of the attack table.
    #[test]
    fn what_is_not_usable_says_what_to_set() {
        let variables =
            |value: &str| Settings { server_variables: vec![("region".into(), value.into())], ..Settings::default() };
        let configured = |url: &str| Settings { base_url: Some(url.into()), ..Settings::default() };
        for (servers, settings, expected) in [
            (&[][..], Settings::default(), "P_BASE_URL"),
            (&[&RELATIVE], Settings::default(), "P_BASE_URL"),
            (&[&FILE], Settings::default(), "http or https"),
            (&[&VARIABLE], variables("evil.test/#"), "one of eu, us"),
            (&[&VARIABLE], configured("ftp://x"), "P_BASE_URL"),
            (&[&VARIABLE], configured("http://user:secret@x"), "user name or password"),
            (&[&VARIABLE], Settings { server: Some("7".into()), ..Settings::default() }, "P_SERVER"),
        ] {
            let error = base(servers, settings, &Operation::DEFAULT).expect_err("an error");
            assert!(error.contains(expected), "{error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
