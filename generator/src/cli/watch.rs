//! `mcpwright serve --watch`: the server in a process of its own, started anew when its inputs change.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, ExitCode, Stdio},
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    thread,
    time::{Duration, Instant, SystemTime},
};

use mcpwright::{Planned, diagnostics::Severity};

use super::{
    input::{PresetOption, Shape},
    output::{Exit, Outcome, say},
    render, signal,
};

/// How often to look for changes.
const INTERVAL: Duration = Duration::from_millis(300);

/// How long a server may take to stop.
const STOPPING: Duration = Duration::from_secs(15);

/// A server that stops with this process, however that ends: it reads the other end of a pipe that only this process
/// holds.
struct Running {
    server: Child,
    pipe: Option<ChildStdin>,
}

impl Running {
    /// The exit code, once the server has ended by itself.
    fn ended(&mut self) -> Option<ExitCode> {
        let status = self.server.try_wait().ok()??;
        Some(ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1)))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.pipe.take());
        let deadline = Instant::now() + STOPPING;
        while let Ok(None) = self.server.try_wait()
            && Instant::now() < deadline
        {
            thread::sleep(Duration::from_millis(10));
        }
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// Runs the server, and again after every change that leaves it with a plan, until it ends or this process is asked to
/// stop.
///
/// # Errors
/// When there is nothing to watch, or the server cannot be started.
pub(crate) fn run(spec: &str, shape: &Shape, server: &[String], first: Planned) -> Outcome {
    let over_http = server.windows(2).any(|pair| pair[0] == "--transport" && pair[1] == "http")
        || server.iter().any(|option| option == "--transport=http");
    if !over_http {
        return Err(Exit::wrong("--watch serves over HTTP only: a client over stdio would lose its connection")
            .help("add --transport http"));
    }
    if spec == "-" {
        return Err(Exit::wrong("standard input cannot be watched").help("give a file"));
    }
    let (ask, asked) = mpsc::channel();
    signal::on_stop(move || {
        let _ = ask.send(());
    })
    .map_err(|error| Exit::wrong(format!("cannot wait for signals: {error}")))?;

    let mut planned = Some(first);
    let mut running: Option<Running> = None;
    loop {
        let mut files = Vec::new();
        if let Some(plan) = planned.take() {
            render::findings(&plan, Severity::Warning);
            files = plan.sources.paths().map(Path::to_owned).chain(shape.config.clone()).collect();
            drop(running.take());
            running = Some(start(spec, shape, server)?);
        }
        if files.is_empty() {
            files.push(PathBuf::from(spec));
            files.extend(shape.config.clone());
            files.extend(shape.overlays.iter().map(PathBuf::from));
        }
        let before = state(&files);
        while state(&files) == before {
            if stopped(&asked) {
                return Ok(ExitCode::SUCCESS);
            }
            // Wrong from the start, say: nothing to go on with.
            if let Some(code) = running.as_mut().and_then(Running::ended) {
                return Ok(code);
            }
        }
        // Editors write in several steps.
        if stopped(&asked) {
            return Ok(ExitCode::SUCCESS);
        }
        match shape.plan(Some(spec)) {
            Ok(plan) => {
                say("the document changed, serving it again");
                planned = Some(plan);
            }
            Err(exit) => {
                let _ = exit.report();
                say("the server goes on with the old document");
            }
        }
    }
}

/// Waits for [`INTERVAL`], or until this process is asked to stop: true then.
fn stopped(asked: &Receiver<()>) -> bool {
    !matches!(asked.recv_timeout(INTERVAL), Err(RecvTimeoutError::Timeout))
}

fn start(spec: &str, shape: &Shape, server: &[String]) -> Result<Running, Exit> {
    let program = std::env::current_exe().map_err(|error| Exit::wrong(format!("cannot find this program: {error}")))?;
    let mut command = Command::new(program);
    command.arg("serve").arg(spec);
    if let Some(path) = &shape.config {
        command.arg("--config").arg(path);
    }
    if let Some(name) = &shape.name {
        command.arg("--name").arg(name);
    }
    if let Some(preset) = shape.preset {
        command.arg("--preset").arg(match preset {
            PresetOption::Rest => "rest",
            PresetOption::Tools => "tools",
        });
    }
    for overlay in &shape.overlays {
        command.arg("--overlay").arg(overlay);
    }
    command.arg("--").args(server).arg("--stop-at-end-of-input").stdin(Stdio::piped());
    let mut server = command.spawn().map_err(|error| Exit::wrong(format!("cannot start the server: {error}")))?;
    let pipe = server.stdin.take();
    Ok(Running { server, pipe })
}

/// When files were changed last, and how large they are.
fn state(files: &[PathBuf]) -> BTreeMap<&Path, Option<(SystemTime, u64)>> {
    let one = |path: &Path| {
        let metadata = std::fs::metadata(path).ok()?;
        Some((metadata.modified().ok()?, metadata.len()))
    };
    files.iter().map(|path| (path.as_path(), one(path))).collect()
}
