//! `mcpwright generate`: writes the crate of a server, or brings its generated modules up to date.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use clap::Args;
use mcpwright::{
    Planned, Preset, Source,
    emit::{self, Files, Settings},
    write::{self, Change, Changes},
};

use super::{
    input::{CONFIGURATION, Shape, judge},
    output::{Exit, INTERRUPTED, Outcome, WRONG, print, say},
    progress::Progress,
    signal,
    target::{self, Runtime},
};

/// The options of `generate`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The document: a file, a URL, or `-` for standard input [default: what mcpwright.toml names]
    #[arg(value_name = "SPEC")]
    spec: Option<String>,
    /// The folder of the crate [default: this folder, when its mcpwright.toml names the document]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    #[command(flatten)]
    shape: Shape,
    /// Write nothing; show what would change, and fail if anything would
    #[arg(long)]
    check: bool,
    /// Write nothing; list what would be written
    #[arg(long, conflicts_with = "check")]
    dry_run: bool,
    /// Fail on warnings
    #[arg(long)]
    strict: bool,
    /// Where the crate takes mcpwright-runtime from: path:FOLDER, git:URL or a version
    #[arg(long, value_name = "WHERE")]
    runtime: Option<Runtime>,
}

pub(crate) fn run(mut options: Options) -> Outcome {
    let out = match (&options.out, &options.spec) {
        (Some(out), _) => out.clone(),
        (None, None) if options.shape.config.is_some() || Path::new(CONFIGURATION).is_file() => PathBuf::from("."),
        (None, Some(_)) => return Err(usage("the folder of the crate is missing: give it with --out <DIR>")),
        (None, None) => {
            return Err(usage("the document is missing, and there is no mcpwright.toml here that names one"));
        }
    };
    let own = out.join(CONFIGURATION);
    if options.shape.config.is_none() && own.is_file() {
        options.shape.config = Some(own);
    }
    if options.spec.is_none() && options.shape.config.is_none() {
        return Err(usage("the document is missing, and the crate has no mcpwright.toml that names one"));
    }
    let planned = options.shape.plan(options.spec.as_deref())?;
    keep_options(&planned, &out, options.shape.config.as_deref())?;
    judge(&planned, options.strict)?;

    let runtime = options.runtime.unwrap_or_default();
    let files = files(&planned, &out, options.shape.config.as_deref(), &runtime)?;
    let document: Vec<&Path> = planned.sources.paths().collect();
    let changes = write::compare(&out, &files, &document)?;
    if options.check {
        return check(&changes);
    }
    if options.dry_run {
        let list: String = changes.iter().map(|(path, change)| format!("{} {path}\n", sign(change))).collect();
        print(&list)?;
        say(&format!("{}, {} unchanged", count(changes.len(), "file"), changes.unchanged()));
        return Ok(ExitCode::SUCCESS);
    }
    let said = summary(&planned, &changes, &out);
    write_whole(changes)?;
    say(&said);
    Ok(ExitCode::SUCCESS)
}

/// Refuses options that the crate would forget: the next run, its build and its tests know only its configuration.
fn keep_options(planned: &Planned, out: &Path, configuration: Option<&Path>) -> Result<(), Exit> {
    if planned.overlays.iter().any(|overlay| matches!(overlay, Source::Text { .. })) {
        return Err(Exit::wrong("an overlay from standard input could not be applied again").help("give a file"));
    }
    let Some(configuration) = configuration else { return Ok(()) };
    let known = &planned.configuration;
    for (name, is_given, is_kept) in [
        ("allow_outside", planned.allow_outside, known.allow_outside),
        ("allow_remote", planned.allow_remote, known.allow_remote),
    ] {
        if is_given && !is_kept {
            let option = name.replace('_', "-");
            let message = format!("{} has no `{name}`, and the crate would forget it", configuration.display());
            return Err(
                Exit::wrong(message).help(format!("write `{name} = true` into it, and run this without --{option}"))
            );
        }
    }
    let folder = target::absolute(configuration.parent().unwrap_or(out));
    let from_there = |path: &Path| target::slashes(&target::relative(&folder, &target::absolute(path)));
    if planned.overlays.len() <= planned.configuration.overlays.len() {
        return Ok(());
    }
    let names: Vec<String> = planned.overlays.iter().filter_map(|overlay| named(overlay, &from_there)).collect();
    Err(Exit::wrong(format!("{} has no such overlay, and the crate would forget it", configuration.display()))
        .help(format!("write `overlays = {}` into it, and run this without --overlay", serde_json::json!(names))))
}

/// A document as a configuration names it.
fn named(source: &Source, path: &impl Fn(&Path) -> String) -> Option<String> {
    match source {
        Source::Path(file) => Some(path(file)),
        Source::Url(url) => Some(url.to_string()),
        Source::Text { .. } => None,
    }
}

/// The files of a crate in a folder.
///
/// # Errors
/// When the plan cannot be written as Rust.
pub(crate) fn files(
    planned: &Planned,
    out: &Path,
    configuration: Option<&Path>,
    runtime: &Runtime,
) -> Result<Files, Exit> {
    let folder = target::absolute(out);
    let from_here = |path: &Path| target::slashes(&target::relative(&folder, &target::absolute(path)));
    let (runtime, generator) = runtime.dependencies(&folder);
    let settings = Settings {
        runtime,
        generator,
        spec: named(&planned.spec, &from_here),
        configuration: configuration.map_or_else(|| CONFIGURATION.to_owned(), from_here),
        preset: match planned.configuration.preset {
            Preset::Rest => "rest",
            Preset::Tools => "tools",
        },
        workspace: target::workspace(&folder),
        allow_remote: planned.allow_remote,
        allow_outside: planned.allow_outside,
        overlays: planned.overlays.iter().filter_map(|overlay| named(overlay, &from_here)).collect(),
    };
    Ok(emit::files(&planned.plan, &settings)?)
}

/// Writes changes so that an interruption leaves the old crate whole.
///
/// # Errors
/// When a file cannot be written.
pub(crate) fn write_whole(changes: Changes) -> Result<(), Exit> {
    if changes.is_empty() {
        return Ok(());
    }
    let progress = Progress::start("Writing the crate");
    let interrupted = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&interrupted);
    // Without the handler an interruption would only leave the stage behind.
    let _ = signal::on_interrupt(move || flag.store(true, Ordering::Relaxed));
    let staged = changes.stage()?;
    if interrupted.load(Ordering::Relaxed) {
        drop(staged);
        return Err(Exit::silent(INTERRUPTED));
    }
    // From here on an interruption comes too late: the files are being moved into place.
    let written = staged.commit();
    drop(progress);
    Ok(written?)
}

fn check(changes: &Changes) -> Outcome {
    if changes.is_empty() {
        say(&format!("up to date, {}", count(changes.unchanged(), "file")));
        return Ok(ExitCode::SUCCESS);
    }
    print(&changes.diff())?;
    Err(Exit::findings(format!("{} out of date", count(changes.len(), "file")))
        .help("run the same without --check, and look at the difference"))
}

fn summary(planned: &Planned, changes: &Changes, out: &Path) -> String {
    let plan = &planned.plan;
    let offered = count(plan.components().count(), "component");
    let excluded = match plan.excluded.len() {
        0 => String::new(),
        excluded => format!(", {} not offered", count(excluded, "operation")),
    };
    if changes.is_empty() {
        return format!("{}: up to date ({offered}{excluded})", out.display());
    }
    let mut lines = format!(
        "{}: {} written, {} unchanged ({offered}{excluded})",
        out.display(),
        count(changes.len(), "file"),
        changes.unchanged()
    );
    if changes.iter().any(|(path, _)| path == "Cargo.toml") {
        lines.push_str(&format!("\nTry it: cd {} && cargo run -- --mock --list", out.display()));
    }
    lines
}

fn sign(change: &Change) -> char {
    match change {
        Change::Create { .. } => '+',
        Change::Update { .. } => '~',
        Change::Delete { .. } => '-',
    }
}

/// `1 file`, `2 files`.
fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// A mistake on the command line, told as all others are.
fn usage(message: &str) -> Exit {
    use clap::{CommandFactory, error::ErrorKind};
    let mut command = super::Cli::command();
    let command = command.find_subcommand_mut("generate").map(|command| command.clone().bin_name("mcpwright generate"));
    if let Some(mut command) = command {
        let _ = command.error(ErrorKind::MissingRequiredArgument, message).print();
        return Exit::silent(WRONG);
    }
    Exit::wrong(message)
}
