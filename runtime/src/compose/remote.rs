//! A server that runs elsewhere, passed on as if it were mounted: `Server::proxy`.

mod components;
mod keep;
mod line;

use std::collections::HashMap;

use http::{HeaderName, HeaderValue};
use secrecy::SecretString;

pub(crate) use keep::keep;

/// An MCP server that runs elsewhere: behind a URL, or as a command that this process starts.
#[derive(Debug, Clone)]
#[must_use]
pub struct Remote {
    name: String,
    pub(crate) reach: Reach,
    inherited: Vec<String>,
}

/// How a server is reached.
#[derive(Debug, Clone)]
pub(crate) enum Reach {
    Http { url: String, headers: HashMap<HeaderName, HeaderValue>, token: Option<SecretString> },
    Command { program: String, arguments: Vec<String>, variables: Vec<(String, SecretString)> },
}

impl Remote {
    /// A server behind a URL: its MCP endpoint over streamable HTTP.
    pub fn http(url: impl Into<String>) -> Self {
        let url = url.into();
        let name = url::Url::parse(&url).ok().and_then(|url| url.host_str().map(str::to_owned));
        let reach = Reach::Http { url, headers: HashMap::new(), token: None };
        Self { name: name.unwrap_or_else(|| "remote".to_owned()), reach, inherited: Vec::new() }
    }

    /// A server that speaks over its standard input and output. It is started with this server, started again when it
    /// dies, and stopped with this server. Of the environment it sees what it needs to run at all (`PATH`, `HOME` …) and
    /// what [`Remote::variable`] and [`Remote::inherit`] give: credentials of this server are not for others.
    pub fn command(program: impl Into<String>) -> Self {
        let program = program.into();
        let name = std::path::Path::new(&program).file_stem().map(|name| name.to_string_lossy().into_owned());
        let reach = Reach::Command { program, arguments: Vec::new(), variables: Vec::new() };
        Self { name: name.unwrap_or_else(|| "remote".to_owned()), reach, inherited: Vec::new() }
    }

    /// The name in messages and logs, instead of the host's or the program's.
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Sends a bearer token, over HTTP.
    pub fn bearer(mut self, secret: impl Into<SecretString>) -> Self {
        if let Reach::Http { token, .. } = &mut self.reach {
            *token = Some(secret.into());
        }
        self
    }

    /// Sends a header, over HTTP.
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        if let Reach::Http { headers, .. } = &mut self.reach {
            headers.insert(name, value);
        }
        self
    }

    /// Adds an argument of the command.
    pub fn argument(mut self, argument: impl Into<String>) -> Self {
        if let Reach::Command { arguments, .. } = &mut self.reach {
            arguments.push(argument.into());
        }
        self
    }

    /// Sets an environment variable of the command.
    pub fn variable(mut self, name: impl Into<String>, value: impl Into<SecretString>) -> Self {
        if let Reach::Command { variables, .. } = &mut self.reach {
            variables.push((name.into(), value.into()));
        }
        self
    }

    /// Hands an environment variable of this process on to the command.
    pub fn inherit(mut self, name: impl Into<String>) -> Self {
        self.inherited.push(name.into());
        self
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The variables of this process that the command sees.
    pub(crate) fn inherited(&self) -> impl Iterator<Item = &str> {
        let always = [
            "PATH",
            "HOME",
            "USER",
            "LOGNAME",
            "SHELL",
            "TERM",
            "LANG",
            "LC_ALL",
            "TZ",
            "TMPDIR",
            "TEMP",
            "TMP",
            "SYSTEMROOT",
            "SYSTEMDRIVE",
            "APPDATA",
            "LOCALAPPDATA",
            "PROGRAMFILES",
            "USERPROFILE",
            "COMSPEC",
            "PATHEXT",
        ];
        always.into_iter().chain(self.inherited.iter().map(String::as_str))
    }
}
