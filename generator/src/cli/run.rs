//! `mcpwright run`: generates into a cache folder, builds there and runs the server.

use std::{
    env,
    path::PathBuf,
    process::{Command, ExitCode, Stdio},
};

use clap::Args;
use mcpwright::{emit, write};

use super::{
    generate,
    input::{CONFIGURATION, Shape, judge},
    output::{Exit, Outcome, say},
    target::Runtime,
};

/// The options of `run`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The document: a file, a URL, or `-` for standard input
    spec: String,
    #[command(flatten)]
    shape: Shape,
    /// Where the crate takes mcpwright-runtime from: path:FOLDER, git:URL or a version
    #[arg(long, value_name = "WHERE")]
    runtime: Option<Runtime>,
    /// Options of the server, after `--`
    #[arg(last = true, value_name = "OPTION")]
    server: Vec<String>,
}

pub(crate) fn run(options: Options) -> Outcome {
    let planned = options.shape.plan(Some(&options.spec))?;
    judge(&planned, false)?;
    let cache = cache()?;
    let name = emit::crate_name(&planned.plan.name);
    let folder = cache.join("servers").join(&name);
    let files = generate::files(&planned, &folder, None, &options.runtime.unwrap_or_default())?;
    // The folder is the cache's own: files that are written once for a user are made anew here.
    let mut changes = write::compare(&folder, &files, &[])?;
    for path in ["Cargo.toml", CONFIGURATION] {
        if files
            .get(path)
            .is_some_and(|file| std::fs::read_to_string(folder.join(path)).is_ok_and(|text| text != file.text))
        {
            std::fs::remove_dir_all(&folder)
                .map_err(|error| Exit::wrong(format!("cannot empty the cache: {error}")))?;
            changes = write::compare(&folder, &files, &[])?;
            break;
        }
    }
    generate::write_whole(changes)?;
    say(&format!("building {name} in {}", folder.display()));
    let target = cache.join("target");
    let status = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["build", "--release", "--quiet"])
        .current_dir(&folder)
        .env("CARGO_TARGET_DIR", &target)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status()
        .map_err(|error| {
            Exit::wrong(format!("cannot start cargo: {error}")).help("install Rust, or use `mcpwright serve`")
        })?;
    if !status.success() {
        return Err(Exit::wrong("the server does not build").help("`mcpwright serve` needs no building"));
    }
    let program = target.join("release").join(format!("{name}{}", env::consts::EXE_SUFFIX));
    become_server(Command::new(&program).args(&options.server))
        .map_err(|error| Exit::wrong(format!("cannot start {}: {error}", program.display())))
}

/// The server takes the place of this process, so that signals reach it and nothing is left when it ends.
#[cfg(unix)]
fn become_server(command: &mut Command) -> std::io::Result<ExitCode> {
    Err(std::os::unix::process::CommandExt::exec(command))
}

/// Waits for the server: its exit code.
#[cfg(not(unix))]
fn become_server(command: &mut Command) -> std::io::Result<ExitCode> {
    let status = command.status()?;
    Ok(ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1)))
}

/// The folder for what can be made again.
fn cache() -> Result<PathBuf, Exit> {
    let variable = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let home = || variable("HOME");
    let base = if cfg!(windows) {
        variable("LOCALAPPDATA")
    } else if cfg!(target_os = "macos") {
        home().map(|home| home.join("Library/Caches"))
    } else {
        variable("XDG_CACHE_HOME").filter(|path| path.is_absolute()).or_else(|| home().map(|home| home.join(".cache")))
    };
    base.map(|base| base.join("mcpwright"))
        .ok_or_else(|| Exit::wrong("there is no folder for the cache").help("set HOME or XDG_CACHE_HOME"))
}
