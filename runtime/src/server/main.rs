//! The command of a server.

use std::{ffi::OsString, process::ExitCode, time::Duration};

use clap::ArgMatches;
use tokio_util::sync::CancellationToken;

use super::{LogFormat, Options, Server, StartError, Transport, list, logging, options};
use crate::transport;

/// Parses the command line and serves. Never panics, never leaves the process hanging.
pub(super) fn main<I, T>(server: Server, arguments: I) -> ExitCode
where
    I: IntoIterator<Item = T>,
    T: Into<OsString> + Clone,
{
    let matches = match options::command(&server).try_get_matches_from(arguments) {
        Ok(matches) => matches,
        Err(error) => {
            // Help and version are no mistakes.
            let code = if error.use_stderr() { 2 } else { 0 };
            let _ = error.print();
            return ExitCode::from(code);
        }
    };
    let format = match matches.get_one::<String>("log-format").map(String::as_str) {
        Some("json") => LogFormat::Json,
        _ => LogFormat::Text,
    };
    let level = matches.get_one::<String>("log-level").map_or("info", String::as_str);
    if let Err(error) = logging::start(level, format) {
        return failed(&error, 2);
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&format!("no threads: {error}"), 1),
    };
    let served = runtime.block_on(serve(server, &matches));
    // A read of standard input cannot be interrupted, and must not keep the process.
    runtime.shutdown_timeout(Duration::from_millis(100));
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error @ (StartError::Option(_) | StartError::Upstream(_))) => failed(&error.to_string(), 2),
        Err(error) => failed(&error.to_string(), 1),
    }
}

#[expect(clippy::print_stderr, reason = "the last word of a command, in plain text even when logs are JSON or off")]
fn failed(message: &str, code: u8) -> ExitCode {
    for line in message.lines() {
        eprintln!("error: {line}");
    }
    ExitCode::from(code)
}

async fn serve(server: Server, matches: &ArgMatches) -> Result<(), StartError> {
    let options = Options::from_matches(matches);
    if matches.get_flag("list") {
        let running = server.start(&options, Some(matches)).await?;
        let printed = list::print(&running);
        running.stop().await;
        return match printed {
            Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
                Err(StartError::Connection(error.to_string()))
            }
            _ => Ok(()),
        };
    }
    let stop = CancellationToken::new();
    let until_end_of_input = matches.get_flag("stop-at-end-of-input") && options.transport == Transport::Http;
    tokio::spawn(stop_when_asked(stop.clone(), options.limits.shutdown, until_end_of_input));
    match options.transport {
        Transport::Http => transport::http::serve(server, &options, Some(matches), stop).await,
        Transport::Stdio => {
            let running = server.start(&options, Some(matches)).await?;
            let served = running.serve_stdio(stop).await;
            running.stop().await;
            served
        }
    }
}

/// Fires `stop` at the first signal, or at the end of standard input where that is meant; ends the process at the next
/// signal, or when stopping takes too long.
async fn stop_when_asked(stop: CancellationToken, within: Duration, until_end_of_input: bool) {
    tokio::select! {
        () = signal() => {}
        () = end_of_input(), if until_end_of_input => {}
    }
    tracing::info!("stopping");
    stop.cancel();
    tokio::select! {
        () = signal() => tracing::warn!("stopped at once by a second signal"),
        () = tokio::time::sleep(within + within + Duration::from_secs(1)) => {
            tracing::error!("stopping took too long");
        }
    }
    std::process::exit(1);
}

/// The end of standard input, read by a thread that nobody has to wait for.
async fn end_of_input() {
    let (ended, end) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
        let _ = ended.send(());
    });
    let _ = end.await;
}

/// Ctrl-C, or SIGTERM.
async fn signal() {
    #[cfg(unix)]
    {
        let terminated = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate());
        if let Ok(mut terminated) = terminated {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminated.recv() => {}
            }
            return;
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}
