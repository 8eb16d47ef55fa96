//! `mcpwright serve`: the engine of a generated server, with descriptors made in memory.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::{Child, Command, ExitCode, Stdio},
    thread,
    time::{Duration, SystemTime},
};

use clap::{Args, Parser};
use mcpwright::{Planned, descriptors, diagnostics::Severity, emit};
use mcpwright_runtime::Server;

use super::{
    input::Shape,
    output::{Exit, Outcome, say},
    render,
};

/// How often `--watch` looks for changes.
const INTERVAL: Duration = Duration::from_millis(300);

/// The options of `serve`.
#[derive(Debug, Args)]
#[command(
    after_help = "Everything else is an option of the server: --transport, --host, --port, --base-url, --mock …; \
                        `mcpwright serve SPEC -- --help` lists them with their environment variables"
)]
pub(crate) struct Options {
    /// The document: a file, a URL, `-` for standard input, or the folder of a generated crate
    spec: String,
    #[command(flatten)]
    own: Own,
    /// Options of the server
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "OPTION")]
    server: Vec<String>,
}

/// The options that are not the server's. They may stand among those.
#[derive(Debug, Clone, Default, Args)]
struct Own {
    #[command(flatten)]
    shape: Shape,
    /// Serve again whenever the document or the configuration changes (over HTTP)
    #[arg(long)]
    watch: bool,
}

/// [`Own`] as a command line by itself.
#[derive(Debug, Parser)]
#[command(no_binary_name = true, disable_help_flag = true)]
struct OwnLine {
    #[command(flatten)]
    own: Own,
}

pub(crate) fn run(options: Options) -> Outcome {
    let (own, server) = sort(options.own, options.server)?;
    let planned = own.shape.plan(Some(&options.spec))?;
    if own.watch {
        return watch(&options.spec, &own, &server, planned);
    }
    render::findings(&planned, Severity::Warning);
    let program = emit::crate_name(&planned.plan.name);
    let api = descriptors::leak(&planned.plan);
    drop(planned);
    Ok(Server::new(api).run_with(std::iter::once(program).chain(server)))
}

/// Takes one's own options out of those that are left for the server.
fn sort(own: Own, rest: Vec<String>) -> Result<(Own, Vec<String>), Exit> {
    let mut mine = Vec::new();
    let mut server = Vec::new();
    let mut rest = rest.into_iter();
    while let Some(word) = rest.next() {
        let name = word.split('=').next().unwrap_or(&word);
        match name {
            "--" => server.extend(rest.by_ref()),
            "--watch" => mine.push(word),
            "--config" | "--name" | "--preset" | "--overlay" => {
                let has_value = word.contains('=');
                mine.push(word);
                if !has_value {
                    mine.extend(rest.next());
                }
            }
            _ => server.push(word),
        }
    }
    let late = match OwnLine::try_parse_from(mine) {
        Ok(line) => line.own,
        Err(error) => {
            let _ = error.print();
            return Err(Exit::silent(super::output::WRONG));
        }
    };
    let shape = Shape {
        config: late.shape.config.or(own.shape.config),
        name: late.shape.name.or(own.shape.name),
        preset: late.shape.preset.or(own.shape.preset),
        overlays: own.shape.overlays.into_iter().chain(late.shape.overlays).collect(),
    };
    Ok((Own { shape, watch: own.watch || late.watch }, server))
}

/// The server as a process of its own, which ends with this value.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs the server in a process of its own, and again after every change that leaves it with a plan.
fn watch(spec: &str, own: &Own, server: &[String], first: Planned) -> Outcome {
    let over_http = server.windows(2).any(|pair| pair[0] == "--transport" && pair[1] == "http")
        || server.iter().any(|option| option == "--transport=http");
    if !over_http {
        return Err(Exit::wrong("--watch serves over HTTP only: a client over stdio would lose its connection")
            .help("add --transport http"));
    }
    if spec == "-" {
        return Err(Exit::wrong("standard input cannot be watched").help("give a file"));
    }
    let mut planned = Some(first);
    let mut running: Option<Running> = None;
    loop {
        let mut files = Vec::new();
        if let Some(plan) = planned.take() {
            render::findings(&plan, Severity::Warning);
            files = inputs(&plan, own);
            drop(running.take());
            running = Some(Running(start(spec, own, server)?));
        }
        if files.is_empty() {
            files.push(PathBuf::from(spec));
            files.extend(own.shape.config.clone());
            files.extend(own.shape.overlays.iter().map(PathBuf::from));
        }
        let before = state(&files);
        while state(&files) == before {
            thread::sleep(INTERVAL);
            if let Some(Running(child)) = &mut running
                && let Ok(Some(status)) = child.try_wait()
            {
                // Interrupted, or wrong from the start: nothing to go on with.
                return Ok(ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1)));
            }
        }
        // Editors write in several steps.
        thread::sleep(INTERVAL);
        match own.shape.plan(Some(spec)) {
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

fn start(spec: &str, own: &Own, server: &[String]) -> Result<Child, Exit> {
    let program = std::env::current_exe().map_err(|error| Exit::wrong(format!("cannot find this program: {error}")))?;
    let mut command = Command::new(program);
    command.arg("serve").arg(spec);
    if let Some(path) = &own.shape.config {
        command.arg("--config").arg(path);
    }
    if let Some(name) = &own.shape.name {
        command.arg("--name").arg(name);
    }
    if let Some(preset) = own.shape.preset {
        command.arg("--preset").arg(match preset {
            super::input::PresetOption::Rest => "rest",
            super::input::PresetOption::Tools => "tools",
        });
    }
    for overlay in &own.shape.overlays {
        command.arg("--overlay").arg(overlay);
    }
    command.arg("--").args(server).stdin(Stdio::null());
    command.spawn().map_err(|error| Exit::wrong(format!("cannot start the server: {error}")))
}

/// The files that a plan was made of.
fn inputs(planned: &Planned, own: &Own) -> Vec<PathBuf> {
    planned.sources.paths().map(Path::to_owned).chain(own.shape.config.clone()).collect()
}

/// When files were changed last, and how large they are.
fn state(files: &[PathBuf]) -> BTreeMap<&Path, Option<(SystemTime, u64)>> {
    let one = |path: &Path| {
        let metadata = std::fs::metadata(path).ok()?;
        Some((metadata.modified().ok()?, metadata.len()))
    };
    files.iter().map(|path| (path.as_path(), one(path))).collect()
}
