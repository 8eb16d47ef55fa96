//! What the operator of a server may set, on the command line or by environment variables.

use std::time::Duration;

use clap::{Arg, ArgAction, ArgMatches, Command, builder::PossibleValuesParser, value_parser};

use super::{Server, prefix};
use crate::upstream::Settings;

/// How clients reach a server.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Transport {
    /// Standard input and output: one client, which started the process.
    #[default]
    Stdio,
    /// Streamable HTTP.
    Http,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object per line.
    Json,
}

/// Limits that keep one client from harming others.
#[derive(Debug, Clone)]
pub struct Limits {
    /// How long a handler may take.
    pub handler: Duration,
    /// How many requests may be under way; more are refused.
    pub concurrency: usize,
    /// The largest HTTP body, in bytes.
    pub body_bytes: usize,
    /// When a session that says nothing ends.
    pub session_idle: Duration,
    /// How long stopping may take.
    pub shutdown: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            handler: Duration::from_secs(300),
            concurrency: 1024,
            body_bytes: 4 << 20,
            session_idle: Duration::from_secs(30 * 60),
            shutdown: Duration::from_secs(10),
        }
    }
}

/// The options of a server.
#[derive(Debug, Clone)]
pub struct Options {
    /// How clients reach it.
    pub transport: Transport,
    /// The address to listen at.
    pub host: String,
    /// The port to listen at; 0 takes a free one.
    pub port: u16,
    /// The path of the MCP endpoint.
    pub path: String,
    /// The values of `Host` that are accepted beside those of this machine; `*` for any.
    pub allowed_hosts: Vec<String>,
    /// The values of `Origin` that are accepted beside those of this machine; `*` for any. Requests without one, which
    /// no browser sends, always are.
    pub allowed_origins: Vec<String>,
    /// How many sessions of protocol versions up to 2025-11-25 may live over HTTP; 0 serves these without sessions.
    pub sessions: usize,
    /// How many components a page of a list has; 0 for all on one page.
    pub page_size: usize,
    /// Offer the API's resources as tools, for clients that only know tools.
    pub resources_as_tools: bool,
    /// The secret that instances of one server share, so that a client's answer may reach another instance than asked.
    pub state_secret: Option<String>,
    /// Answer from the document's examples and schemas instead of calling the API.
    pub mock: bool,
    /// The URL of the API, instead of the document's servers.
    pub base_url: Option<String>,
    /// The limits.
    pub limits: Limits,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            transport: Transport::Stdio,
            host: "127.0.0.1".to_owned(),
            port: 8000,
            path: "/mcp".to_owned(),
            allowed_hosts: Vec::new(),
            allowed_origins: Vec::new(),
            sessions: 0,
            page_size: 0,
            resources_as_tools: false,
            state_secret: None,
            mock: false,
            base_url: None,
            limits: Limits::default(),
        }
    }
}

/// The command line of a server.
pub(super) fn command(server: &Server) -> Command {
    let prefix = prefix(&server.info.name);
    let option = |name: &'static str, value: &'static str, help: &'static str| {
        let variable = format!("{prefix}_{}", name.to_uppercase().replace('-', "_"));
        Arg::new(name).long(name).value_name(value).help(help).env(variable).hide_env_values(true)
    };
    let flag = |name: &'static str, help: &'static str| {
        option(name, "", help)
            .action(ArgAction::SetTrue)
            .value_parser(clap::builder::FalseyValueParser::new())
            .num_args(0)
    };
    let defaults = server.options();
    let number = |arg: Arg, default: usize| arg.value_parser(value_parser!(usize)).default_value(default.to_string());
    let seconds = |arg: Arg, default: Duration| {
        arg.value_parser(value_parser!(u32).range(1..)).default_value(default.as_secs().to_string())
    };
    let one_of = |arg: Arg, values: &'static [&'static str]| {
        arg.value_parser(PossibleValuesParser::new(values)).default_value(values[0])
    };
    let http = "HTTP";
    let limits = "Limits";
    let mut command = Command::new(server.info.name.clone())
        .version(server.info.version.clone())
        .about(format!("MCP server: {}", server.info.title.as_deref().unwrap_or(&server.info.name)))
        .after_help(format!(
            "Only in the environment:\n  \
             {prefix}_MIDDLEWARE    Layers, as JSON: {{\"logging\": {{}}, \"response_caching\": {{\"tools_ms\": 5000}}}}\n  \
             {prefix}_STORAGE       Where layers and sessions are kept: memory://, sqlite:///path, redis://host\n  \
             {prefix}_STORAGE_KEYS  Secrets in base64 that encrypt it, the newest first"
        ))
        .arg(one_of(option("transport", "KIND", "How clients reach the server"), &["stdio", "http"]))
        .arg(option("host", "ADDRESS", "Listen at this address").default_value(defaults.host).help_heading(http))
        .arg(
            option("port", "PORT", "Listen at this port; 0 takes a free one")
                .value_parser(value_parser!(u16))
                .default_value(defaults.port.to_string())
                .help_heading(http),
        )
        .arg(option("path", "PATH", "The path of the MCP endpoint").default_value(defaults.path).help_heading(http))
        .arg(
            option(
                "allowed-hosts",
                "HOST,…",
                "Accept requests for these hosts too (* for any); this machine always is",
            )
            .value_delimiter(',')
            .help_heading(http),
        )
        .arg(
            option("allowed-origins", "ORIGIN,…", "Accept browser pages of these origins too (* for any)")
                .value_delimiter(',')
                .help_heading(http),
        )
        .arg(
            number(
                option("sessions", "NUMBER", "Keep up to so many sessions of clients up to 2025-11-25; 0: none"),
                defaults.sessions,
            )
            .help_heading(http),
        )
        .arg(number(option("page-size", "NUMBER", "Components on one page of a list; 0: all"), defaults.page_size))
        // For programs that start a server of their own and must not leave it behind.
        .arg(
            Arg::new("stop-at-end-of-input")
                .long("stop-at-end-of-input")
                .help("Over HTTP: stop when standard input ends")
                .action(ArgAction::SetTrue)
                .hide(true),
        )
        .arg(flag("resources-as-tools", "Offer resources as tools, for clients that only know tools"))
        .arg(
            option("state-secret", "TEXT", "A secret of at least 32 bytes that all instances of this server share")
                .hide_default_value(true),
        )
        .arg(
            seconds(option("handler-timeout", "SECONDS", "Give a request up after this time"), defaults.limits.handler)
                .help_heading(limits),
        )
        .arg(
            number(
                option("max-requests", "NUMBER", "Refuse requests beyond so many at once"),
                defaults.limits.concurrency,
            )
            .help_heading(limits),
        )
        .arg(
            number(option("max-body-bytes", "BYTES", "Refuse larger HTTP bodies"), defaults.limits.body_bytes)
                .help_heading(limits),
        )
        .arg(
            seconds(option("session-idle", "SECONDS", "End sessions that say nothing"), defaults.limits.session_idle)
                .help_heading(limits),
        )
        .arg(
            seconds(option("shutdown-timeout", "SECONDS", "How long stopping may take"), defaults.limits.shutdown)
                .help_heading(limits),
        )
        .arg(
            option("log-level", "LEVEL", "error, warn, info, debug, trace, or directives per module")
                .default_value("info"),
        )
        .arg(one_of(option("log-format", "FORMAT", "How log lines look on standard error"), &["text", "json"]))
        .arg(Arg::new("list").long("list").action(ArgAction::SetTrue).help("Print what the server offers, and exit"));
    if let Some(api) = server.only_api() {
        command = Settings::options(command, &super::prefix(api.name));
    }
    command
}

impl Options {
    pub(super) fn from_matches(matches: &ArgMatches) -> Self {
        let text = |name: &str| matches.get_one::<String>(name).cloned();
        let texts = |name: &str| -> Vec<String> {
            let values = matches.get_many::<String>(name).unwrap_or_default();
            values.map(|value| value.trim().to_owned()).filter(|value| !value.is_empty()).collect()
        };
        let defaults = Self::default();
        let number = |name: &str, default: usize| matches.get_one::<usize>(name).copied().unwrap_or(default);
        let seconds = |name: &str, default: Duration| {
            matches.get_one::<u32>(name).map_or(default, |seconds| Duration::from_secs((*seconds).into()))
        };
        Self {
            transport: match text("transport").as_deref() {
                Some("http") => Transport::Http,
                _ => Transport::Stdio,
            },
            host: text("host").unwrap_or(defaults.host),
            port: matches.get_one::<u16>("port").copied().unwrap_or(defaults.port),
            path: text("path").unwrap_or(defaults.path),
            allowed_hosts: texts("allowed-hosts"),
            allowed_origins: texts("allowed-origins"),
            sessions: number("sessions", defaults.sessions),
            page_size: number("page-size", defaults.page_size),
            resources_as_tools: matches.get_flag("resources-as-tools"),
            state_secret: text("state-secret"),
            mock: false,
            base_url: None,
            limits: Limits {
                handler: seconds("handler-timeout", defaults.limits.handler),
                concurrency: number("max-requests", defaults.limits.concurrency),
                body_bytes: number("max-body-bytes", defaults.limits.body_bytes),
                session_idle: seconds("session-idle", defaults.limits.session_idle),
                shutdown: seconds("shutdown-timeout", defaults.limits.shutdown),
            },
        }
    }
}
