//! Logs: on standard error only, since standard output belongs to the protocol.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use super::LogFormat;

/// Sends the process's logs to standard error, unless the program set up its own.
///
/// # Errors
/// When the level is none, in words for its user.
pub(super) fn start(level: &str, format: LogFormat) -> Result<(), String> {
    // rmcp says three lines per request at `info`, and one per error answer at `warn`.
    let directives =
        if level.contains('=') { level.to_owned() } else { format!("{level},rmcp=warn,rmcp::service=error") };
    let filter = EnvFilter::try_new(&directives)
        .map_err(|error| format!("--log-level is error, warn, info, debug, trace or directives: {error}"))?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    let set = match format {
        LogFormat::Text => builder.try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
    // Somebody was first: theirs counts.
    let _ = set;
    Ok(())
}
