//! What a server's operator may set about the upstream API: options of the command line and environment variables.

use std::{path::PathBuf, time::Duration};

use clap::{Arg, ArgAction, ArgMatches, Command};

use super::{
    ConfigurationError,
    environment::{Environment, Process},
};

/// How the upstream API is called. Every member has an option and an environment variable; see [`Settings::options`].
#[derive(Debug, Clone)]
pub struct Settings {
    /// The URL that the paths are appended to, instead of the document's servers: absolute, `http` or `https`.
    pub base_url: Option<String>,
    /// Which of the document's servers is used: its index from 0, or its description.
    pub server: Option<String>,
    /// Values of server variables, by name.
    pub server_variables: Vec<(String, String)>,
    /// Until a call, with all its repetitions, is given up.
    pub timeout: Duration,
    /// Until connecting is given up.
    pub connect_timeout: Duration,
    /// How often a failed call is repeated where repeating is safe.
    pub retries: u8,
    /// The largest response body that is read, decompressed, in bytes. What is longer is cut, and the result says so.
    pub max_response_bytes: u32,
    /// How many calls are under way at once; others wait.
    pub concurrency: usize,
    /// A proxy for all requests. Without it the system's proxy variables apply (`HTTPS_PROXY` …); `none`: no proxy.
    pub proxy: Option<String>,
    /// A PEM file of further certificate authorities to trust.
    pub ca_file: Option<PathBuf>,
    /// A PEM file with the client certificate chain, for mutual TLS. It may hold the key too.
    pub client_certificate: Option<PathBuf>,
    /// A PEM file with the client certificate's key.
    pub client_key: Option<PathBuf>,
    /// `User-Agent`.
    pub user_agent: String,
    /// Names of inbound headers that are handed on to the API. None by default. `Authorization` is never handed on from
    /// clients that authenticated to this server, since their token is not meant for the API.
    pub forward_headers: Vec<String>,
    /// What happens when a response does not match the document.
    pub validate_output: ValidateOutput,
    /// Answer from the document's examples and schemas instead of calling the API.
    pub mock: bool,
}

/// What happens when a response does not match the output schema.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ValidateOutput {
    /// It is not looked at.
    #[default]
    Off,
    /// The log says so.
    Warn,
    /// The result is an error that says where.
    Error,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            base_url: None,
            server: None,
            server_variables: Vec::new(),
            timeout: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(10),
            retries: 2,
            max_response_bytes: 1 << 20,
            concurrency: 100,
            proxy: None,
            ca_file: None,
            client_certificate: None,
            client_key: None,
            user_agent: concat!("mcpwright/", env!("CARGO_PKG_VERSION")).to_owned(),
            forward_headers: Vec::new(),
            validate_output: ValidateOutput::Off,
            mock: false,
        }
    }
}

/// One setting: its option and, with the prefix, its variable.
struct Setting {
    option: &'static str,
    variable: &'static str,
    value: &'static str,
    help: &'static str,
    apply: fn(&mut Settings, &str) -> Result<(), String>,
}

/// In the order of `--help`.
const SETTINGS: [Setting; 16] = [
    Setting {
        option: "base-url",
        variable: "BASE_URL",
        value: "URL",
        help: "Where the API is, instead of the servers that its document names",
        apply: |settings, value| {
            settings.base_url = Some(value.to_owned());
            Ok(())
        },
    },
    Setting {
        option: "server",
        variable: "SERVER",
        value: "INDEX|DESCRIPTION",
        help: "Which of the document's servers to use [default: 0]",
        apply: |settings, value| {
            settings.server = Some(value.to_owned());
            Ok(())
        },
    },
    Setting {
        option: "server-variable",
        variable: "SERVER_VARIABLES",
        value: "NAME=VALUE,…",
        help: "Values of the variables in the server's URL",
        apply: |settings, value| {
            for pair in value.split(',').filter(|pair| !pair.trim().is_empty()) {
                let (name, value) = pair.split_once('=').ok_or("wants NAME=VALUE")?;
                settings.server_variables.push((name.trim().to_owned(), value.trim().to_owned()));
            }
            Ok(())
        },
    },
    Setting {
        option: "timeout",
        variable: "TIMEOUT",
        value: "SECONDS",
        help: "Give up a call of the API after this time [default: 30]",
        apply: |settings, value| seconds(value).map(|timeout| settings.timeout = timeout),
    },
    Setting {
        option: "connect-timeout",
        variable: "CONNECT_TIMEOUT",
        value: "SECONDS",
        help: "Give up connecting to the API after this time [default: 10]",
        apply: |settings, value| seconds(value).map(|timeout| settings.connect_timeout = timeout),
    },
    Setting {
        option: "retries",
        variable: "RETRIES",
        value: "NUMBER",
        help: "How often to repeat a failed call where that is safe [default: 2]",
        apply: |settings, value| number(value).map(|retries| settings.retries = retries),
    },
    Setting {
        option: "max-response-bytes",
        variable: "MAX_RESPONSE_BYTES",
        value: "BYTES",
        help: "Cut longer answers of the API [default: 1048576]",
        apply: |settings, value| number(value).map(|bytes| settings.max_response_bytes = bytes),
    },
    Setting {
        option: "concurrency",
        variable: "CONCURRENCY",
        value: "NUMBER",
        help: "How many calls of the API may be under way at once [default: 100]",
        apply: |settings, value| match number(value)? {
            0 => Err("has to be at least 1".to_owned()),
            calls => {
                settings.concurrency = calls;
                Ok(())
            }
        },
    },
    Setting {
        option: "proxy",
        variable: "PROXY",
        value: "URL|none",
        help: "A proxy for calls of the API, instead of the system's",
        apply: |settings, value| {
            settings.proxy = Some(value.to_owned());
            Ok(())
        },
    },
    Setting {
        option: "ca-file",
        variable: "CA_FILE",
        value: "FILE",
        help: "Trust the certificate authorities in this PEM file too",
        apply: |settings, value| {
            settings.ca_file = Some(value.into());
            Ok(())
        },
    },
    Setting {
        option: "client-certificate",
        variable: "CLIENT_CERTIFICATE",
        value: "FILE",
        help: "Show the API the client certificate in this PEM file",
        apply: |settings, value| {
            settings.client_certificate = Some(value.into());
            Ok(())
        },
    },
    Setting {
        option: "client-key",
        variable: "CLIENT_KEY",
        value: "FILE",
        help: "The key of the client certificate, when it is in a file of its own",
        apply: |settings, value| {
            settings.client_key = Some(value.into());
            Ok(())
        },
    },
    Setting {
        option: "user-agent",
        variable: "USER_AGENT",
        value: "TEXT",
        help: "Who calls the API",
        apply: |settings, value| {
            settings.user_agent = value.to_owned();
            Ok(())
        },
    },
    Setting {
        option: "forward-headers",
        variable: "FORWARD_HEADERS",
        value: "NAME,…",
        help: "Hand these headers of HTTP clients on to the API [default: none]",
        apply: |settings, value| {
            let names = value.split(',').map(str::trim).filter(|name| !name.is_empty());
            settings.forward_headers.extend(names.map(str::to_owned));
            Ok(())
        },
    },
    Setting {
        option: "validate-output",
        variable: "VALIDATE_OUTPUT",
        value: "off|warn|error",
        help: "What to do with answers that do not match the document [default: off]",
        apply: |settings, value| {
            settings.validate_output = match value {
                "off" => ValidateOutput::Off,
                "warn" => ValidateOutput::Warn,
                "error" => ValidateOutput::Error,
                _ => return Err("wants off, warn or error".to_owned()),
            };
            Ok(())
        },
    },
    Setting {
        option: "mock",
        variable: "MOCK",
        value: "",
        help: "Answer from the document's examples and schemas; the API is not called",
        apply: |settings, value| {
            settings.mock = match value {
                "1" | "true" | "yes" | "on" => true,
                "0" | "false" | "no" | "off" => false,
                _ => return Err("wants true or false".to_owned()),
            };
            Ok(())
        },
    },
];

impl Settings {
    /// The defaults, changed by the environment variables with a prefix: `PETSTORE` reads `PETSTORE_BASE_URL` ….
    pub fn from_environment(prefix: &str) -> Result<Self, ConfigurationError> {
        Self::read(prefix, &Process)
    }

    pub(super) fn read(prefix: &str, environment: &dyn Environment) -> Result<Self, ConfigurationError> {
        let mut settings = Self::default();
        for setting in &SETTINGS {
            let variable = format!("{prefix}_{}", setting.variable);
            if let Some(value) = environment.get(&variable) {
                (setting.apply)(&mut settings, &value)
                    .map_err(|why| ConfigurationError::new(format!("{variable} {why}, not {value:?}")))?;
            }
        }
        Ok(settings)
    }

    /// The options, under a heading of their own, each with its environment variable.
    pub fn options(command: Command, prefix: &str) -> Command {
        let args = SETTINGS.iter().map(|setting| {
            let help = format!("{} [env: {prefix}_{}]", setting.help, setting.variable);
            let arg = Arg::new(setting.option).long(setting.option).help(help).help_heading("The API");
            match setting.value {
                "" => arg.action(ArgAction::SetTrue),
                value => arg.value_name(value).action(ArgAction::Append),
            }
        });
        command.args(args)
    }

    /// The environment, changed by the options that were given.
    pub fn from_matches(matches: &ArgMatches, prefix: &str) -> Result<Self, ConfigurationError> {
        let mut settings = Self::from_environment(prefix)?;
        for setting in &SETTINGS {
            let values: Vec<String> = match setting.value {
                "" if matches.get_flag(setting.option) => vec!["true".to_owned()],
                "" => Vec::new(),
                _ => matches.get_many(setting.option).unwrap_or_default().cloned().collect(),
            };
            for value in values {
                (setting.apply)(&mut settings, &value)
                    .map_err(|why| ConfigurationError::new(format!("--{} {why}, not {value:?}", setting.option)))?;
            }
        }
        Ok(settings)
    }

    /// The environment variables: name and meaning, for `--help` and documentation.
    pub fn variables(prefix: &str) -> Vec<(String, &'static str)> {
        SETTINGS.iter().map(|setting| (format!("{prefix}_{}", setting.variable), setting.help)).collect()
    }
}

fn seconds(value: &str) -> Result<Duration, String> {
    match value.trim().trim_end_matches('s').parse::<f64>() {
        Ok(seconds) if seconds > 0.0 && seconds <= 86_400.0 => Ok(Duration::from_secs_f64(seconds)),
        _ => Err("wants seconds, more than 0 and at most 86400".to_owned()),
    }
}

fn number<N: std::str::FromStr>(value: &str) -> Result<N, String> {
    value.trim().parse().map_err(|_| "wants a whole number in range".to_owned())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn environment(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn the_environment_sets_everything() {
        let settings = Settings::read(
            "PETSTORE",
            &environment(&[
                ("PETSTORE_BASE_URL", "http://127.0.0.1:1"),
                ("PETSTORE_TIMEOUT", "1.5"),
                ("PETSTORE_SERVER_VARIABLES", "region=eu, stage=test"),
                ("PETSTORE_FORWARD_HEADERS", "X-Tenant, traceparent"),
                ("PETSTORE_MOCK", "true"),
                ("OTHER_RETRIES", "9"),
            ]),
        )
        .expect("settings");
        assert_eq!(settings.base_url.as_deref(), Some("http://127.0.0.1:1"));
        assert_eq!(settings.timeout, Duration::from_millis(1500));
        assert_eq!(settings.server_variables, [("region".into(), "eu".into()), ("stage".into(), "test".into())]);
        assert_eq!(settings.forward_headers, ["X-Tenant", "traceparent"]);
        assert!(settings.mock);
        assert_eq!(settings.retries, 2);
    }

    #[test]
    fn a_wrong_value_names_its_variable() {
        for (name, value) in [("P_TIMEOUT", "soon"), ("P_RETRIES", "-1"), ("P_CONCURRENCY", "0"), ("P_MOCK", "perhaps")]
        {
            let error = Settings::read("P", &environment(&[(name, value)])).expect_err("an error").to_string();
            assert!(error.contains(name) && error.contains(value), "{error}");
        }
    }

    #[test]
    fn options_come_after_the_environment() {
        let command = Settings::options(Command::new("x"), "MCPWRIGHT_TEST_UNSET");
        let matches = command.get_matches_from(["x", "--timeout", "3", "--mock", "--server-variable", "a=b"]);
        let settings = Settings::from_matches(&matches, "MCPWRIGHT_TEST_UNSET").expect("settings");
        assert_eq!(settings.timeout, Duration::from_secs(3));
        assert!(settings.mock);
        assert_eq!(settings.server_variables, [("a".to_owned(), "b".to_owned())]);
    }
}
