//! The names of environment variables: a prefix from the server's name, then the setting or the security scheme.

use secrecy::SecretString;

use super::ConfigurationError;

/// Where settings and credentials are read from.
pub(super) trait Environment {
    /// The value of a variable; `None` when it is not set or empty.
    fn get(&self, name: &str) -> Option<String>;
}

/// The process's own environment.
pub(super) struct Process;

impl Environment for Process {
    fn get(&self, name: &str) -> Option<String> {
        std::env::var(name).ok().filter(|value| !value.is_empty())
    }
}

impl Environment for std::collections::BTreeMap<String, String> {
    fn get(&self, name: &str) -> Option<String> {
        std::collections::BTreeMap::get(self, name).filter(|value| !value.is_empty()).cloned()
    }
}

/// A secret from a variable, or from the file that `<NAME>_FILE` names (as Docker and Kubernetes mount them).
pub(super) fn secret(environment: &dyn Environment, name: &str) -> Result<Option<SecretString>, ConfigurationError> {
    if let Some(value) = environment.get(name) {
        return Ok(Some(value.into()));
    }
    let file_variable = format!("{name}_FILE");
    let Some(path) = environment.get(&file_variable) else { return Ok(None) };
    let text = std::fs::read_to_string(&path).map_err(|error| {
        ConfigurationError::new(format!("cannot read the file {path:?} that {file_variable} names: {error}"))
    })?;
    let text = text.trim_end_matches(['\r', '\n']);
    if text.is_empty() {
        return Err(ConfigurationError::new(format!("the file {path:?} that {file_variable} names is empty")));
    }
    Ok(Some(text.to_owned().into()))
}
