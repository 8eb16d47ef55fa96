//! The survey: what becomes of every document of a collection, as a table.
//!
//! `cargo run --release -p mcpwright-tests --bin mcpwright-survey -- FOLDER…` lets `mcpwright inspect` read each document
//! in a process of its own, in both presets. It fails when a document is not read, or when an operation is neither a
//! component nor excluded nor named by an error. Files that are no OpenAPI documents are passed over, as parts of
//! documents are.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command")]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
    time::Duration,
};

use clap::Parser;
use mcpwright_tests::{usage::Usage, workspace};
use serde_json::{Value, json};

/// Tells what becomes of every document of a collection.
#[derive(Debug, Parser)]
struct Options {
    /// Documents, or folders that are searched for them.
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// Print JSON, one document a line.
    #[arg(long)]
    json: bool,
    /// The command `mcpwright` [default: beside this program, or built now].
    #[arg(long, value_name = "FILE")]
    command: Option<PathBuf>,
}

/// The preset by name, in the order of the columns.
const PRESETS: [&str; 2] = ["rest", "tools"];

fn main() -> ExitCode {
    let options = Options::parse();
    let beside = std::env::current_exe().ok().map(|program| program.with_file_name("mcpwright"));
    let command = options.command.clone();
    let command = command.or(beside.filter(|path| path.is_file())).unwrap_or_else(|| workspace::program("mcpwright"));
    let mut files = Vec::new();
    for path in &options.paths {
        if let Err(error) = collect(path, &mut files) {
            eprintln!("error: {}: {error}", path.display());
            return ExitCode::from(2);
        }
    }
    files.sort();
    if !options.json {
        println!(
            "{:<44} {:>10} {:>10} {:>8} {:>6} {:>7} {:>8}  findings",
            "document", "operations", "components", "excluded", "lost", "CPU ms", "peak MB"
        );
    }
    let mut sum = Sum::default();
    for file in &files {
        let Some(row) = survey(&command, file) else { continue };
        sum.add(&row);
        if options.json {
            println!("{}", row.json(file));
        } else {
            println!("{}", row.line(file));
        }
    }
    eprintln!(
        "{} documents, {} operations, {} lost, {} documents not read; {} other files",
        sum.documents,
        sum.operations,
        sum.lost,
        sum.failures,
        files.len() - sum.documents
    );
    if sum.lost > 0 || sum.failures > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// All files below a path that a document could be in.
fn collect(path: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    if !path.is_dir() {
        fs::metadata(path)?;
        files.push(path.to_owned());
        return Ok(());
    }
    for entry in fs::read_dir(path)? {
        let path = entry?.path();
        let is_document = ["json", "yaml", "yml"].iter().any(|end| path.extension().is_some_and(|other| other == *end));
        if path.is_dir() || is_document {
            collect(&path, files)?;
        }
    }
    Ok(())
}

#[derive(Default)]
struct Sum {
    documents: usize,
    operations: u64,
    lost: u64,
    failures: usize,
}

impl Sum {
    fn add(&mut self, row: &Row) {
        self.documents += 1;
        self.operations += row.operations;
        self.lost += row.lost;
        self.failures += usize::from(row.failure.is_some());
    }
}

/// What became of one document: the worse of both presets, and what reading it cost at most.
#[derive(Default)]
struct Row {
    operations: u64,
    components: u64,
    excluded: u64,
    /// Operations that are neither and that no error names.
    lost: u64,
    findings: BTreeMap<String, u64>,
    cpu: Duration,
    peak: u64,
    failure: Option<String>,
}

impl Row {
    fn line(&self, file: &Path) -> String {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let findings: Vec<String> = self.findings.iter().map(|(code, count)| format!("{code} {count}")).collect();
        let said = self.failure.clone().unwrap_or_else(|| findings.join(", "));
        format!(
            "{name:<44} {:>10} {:>10} {:>8} {:>6} {:>7} {:>8.0}  {said}",
            self.operations,
            self.components,
            self.excluded,
            self.lost,
            self.cpu.as_millis(),
            self.peak as f64 / 1e6
        )
    }

    fn json(&self, file: &Path) -> Value {
        json!({
            "file": file.display().to_string(), "operations": self.operations, "components": self.components,
            "excluded": self.excluded, "lost": self.lost, "findings": self.findings,
            "cpuMs": self.cpu.as_millis() as u64, "peakBytes": self.peak, "failure": self.failure,
        })
    }
}

/// Inspects a document in both presets; `None` for a file that is none.
fn survey(command: &Path, file: &Path) -> Option<Row> {
    let mut row = Row::default();
    for preset in PRESETS {
        let (output, usage) = match inspect(command, file, preset) {
            Ok(done) => done,
            Err(error) => {
                row.failure = Some(error.to_string());
                return Some(row);
            }
        };
        row.cpu = row.cpu.max(usage.0);
        row.peak = row.peak.max(usage.1);
        let Ok(report) = serde_json::from_slice::<Value>(&output.stdout) else {
            let said = String::from_utf8_lossy(&output.stderr);
            if said.contains("not an OpenAPI document") {
                return None;
            }
            row.failure = Some(said.lines().next().unwrap_or("nothing was said").to_owned());
            return Some(row);
        };
        row.read(&report);
    }
    Some(row)
}

impl Row {
    fn read(&mut self, report: &Value) {
        let count = |member: &str| report[member].as_array().map_or(0, |list| list.len() as u64);
        self.operations = report["document"]["operations"].as_u64().unwrap_or_default();
        self.components = count("tools") + count("resources") + count("resourceTemplates");
        self.excluded = count("excluded");
        self.findings.clear();
        let mut errors = 0;
        for finding in report["diagnostics"].as_array().into_iter().flatten() {
            let code = finding["code"].as_str().unwrap_or("without a code");
            *self.findings.entry(code.to_owned()).or_default() += 1;
            errors += u64::from(finding["severity"] == "error");
        }
        let lost = self.operations.saturating_sub(self.components + self.excluded).saturating_sub(errors);
        self.lost = self.lost.max(lost);
    }
}

/// Runs `mcpwright inspect`; also tells its CPU time and its peak of memory in bytes.
fn inspect(command: &Path, file: &Path, preset: &str) -> std::io::Result<(std::process::Output, (Duration, u64))> {
    let mut child = Command::new(command)
        .arg("inspect")
        .arg(file)
        .args(["--json", "--preset", preset])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let children = || Usage::of(std::process::id()).map_or(Duration::ZERO, |usage| usage.children);
    let before = children();
    let id = child.id();
    // The pipes are read by a thread of their own; what the process holds at most is asked for while it writes.
    let (mut standard_output, mut standard_error) = (child.stdout.take(), child.stderr.take());
    let read = std::thread::spawn(move || -> std::io::Result<(Vec<u8>, Vec<u8>)> {
        use std::io::Read as _;
        let (mut output, mut error) = (Vec::new(), Vec::new());
        let errors = std::thread::spawn(move || {
            if let Some(pipe) = standard_error.as_mut() {
                let _ = pipe.read_to_end(&mut error);
            }
            error
        });
        if let Some(pipe) = standard_output.as_mut() {
            pipe.read_to_end(&mut output)?;
        }
        Ok((output, errors.join().unwrap_or_default()))
    });
    let mut peak = 0;
    let status = loop {
        peak = Usage::of(id).map_or(peak, |usage| peak.max(usage.peak));
        if let Some(status) = child.try_wait()? {
            break status;
        }
        std::thread::sleep(Duration::from_millis(2));
    };
    let (stdout, stderr) = read.join().unwrap_or_else(|_| Ok(Default::default()))?;
    let cpu = children().saturating_sub(before);
    Ok((std::process::Output { status, stdout, stderr }, (cpu, peak)))
}
