//! From a document to a server: what generating and building cost.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use mcpwright_tests::usage::Usage;
use mcpwright_tests::workspace;
use tokio::process::Command;

use crate::document::document;
use crate::report::Report;
use crate::servers::command;

/// The generated crates, by the number of operations.
#[derive(Debug, Default)]
pub(crate) struct Crates {
    built: BTreeMap<usize, Built>,
}

#[derive(Debug)]
struct Built {
    document: PathBuf,
    program: Option<PathBuf>,
}

impl Crates {
    /// The document with `operations` operations.
    pub(crate) fn document(&self, operations: usize) -> PathBuf {
        self.built[&operations].document.clone()
    }

    /// The server that was generated from it, unless the comparison leaves building out.
    pub(crate) fn program(&self, operations: usize) -> Option<PathBuf> {
        self.built[&operations].program.clone()
    }

    /// All numbers of operations, smallest first.
    pub(crate) fn sizes(&self) -> impl Iterator<Item = usize> + '_ {
        self.built.keys().copied()
    }
}

/// Writes the documents that everything else uses, generates crates of them and, with `build`, builds those; `figures`
/// says whether to take the time. What is neither measured nor built is not generated.
pub(crate) async fn prepare(smoke: bool, figures: bool, build: bool, report: &mut Report) -> Crates {
    let folder = workspace::scratch("bench");
    let mut crates = Crates::default();
    let mut documents = vec![(20, None), (300, None)];
    if !smoke {
        // Where the real document is at hand, it is the one with 1,223 operations.
        documents.push((1223, workspace::real_document("v30-github.json")));
    }
    for (operations, real) in documents {
        let path = real.unwrap_or_else(|| {
            let path = folder.join(format!("bench{operations}.json"));
            std::fs::write(&path, document(operations).to_string()).expect("the folder is writable");
            path
        });
        if !build && !figures {
            crates.built.insert(operations, Built { document: path, program: None });
            continue;
        }
        let name = format!("bench{operations}-mcp");
        let generated = folder.join(&name);
        if generated.exists() {
            std::fs::remove_dir_all(&generated).expect("the folder is writable");
        }
        let scenario = format!("generate and build {operations}");
        let cost = run(generator(&path, &generated, &name)).await;
        if figures {
            report.add(&scenario, "mcpwright", "generate CPU s", cost.cpu.as_secs_f64());
            report.add(&scenario, "mcpwright", "generate MB", cost.peak as f64 / 1e6);
        }
        if !build {
            crates.built.insert(operations, Built { document: path, program: None });
            continue;
        }
        let lock = workspace::root().join("Cargo.lock");
        std::fs::copy(lock, generated.join("Cargo.lock")).expect("the lock file can be copied");
        let target = workspace::scratch("generated");
        let first = run(cargo(&generated, &target)).await;
        let program = target.join(if cfg!(debug_assertions) { "debug" } else { "release" }).join(&name);
        if figures {
            report.add(&scenario, "mcpwright", "first build s", first.cpu.as_secs_f64());
            // Again, when everything but the generated crate is built.
            touch(&generated.join("src/lib.rs"));
            let again = run(cargo(&generated, &target)).await;
            report.add(&scenario, "mcpwright", "build CPU s", again.cpu.as_secs_f64());
            report.add(&scenario, "mcpwright", "build wall s", again.wall.as_secs_f64());
            let size = program.metadata().map_or(0, |metadata| metadata.len());
            report.add(&scenario, "mcpwright", "binary MB", size as f64 / 1e6);
        }
        crates.built.insert(operations, Built { document: path, program: Some(program) });
    }
    if let Some(graph) = workspace::real_document("v30-msgraph.json").filter(|_| figures && !smoke) {
        let generated = folder.join("graph-mcp");
        let cost = run(generator(&graph, &generated, "graph-mcp")).await;
        report.add("generate 11422", "mcpwright", "generate CPU s", cost.cpu.as_secs_f64());
        report.add("generate 11422", "mcpwright", "generate MB", cost.peak as f64 / 1e6);
    }
    crates
}

fn generator(document: &Path, folder: &Path, name: &str) -> Command {
    let mut command = Command::new(command());
    command.arg("generate").arg(document).arg("--out").arg(folder).args(["--preset", "tools", "--name", name]);
    command.args(["--runtime", &format!("path:{}", workspace::root().join("runtime").display())]);
    command
}

fn cargo(folder: &Path, target: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(["build", "--quiet", "--offline"]).current_dir(folder).env("CARGO_TARGET_DIR", target);
    command.args(if cfg!(debug_assertions) { None } else { Some("--release") });
    command
}

fn touch(file: &Path) {
    let now = std::time::SystemTime::now();
    let file = std::fs::File::options().append(true).open(file).expect("the generated crate has a library");
    file.set_modified(now).expect("its time can be set");
}

/// What a command cost.
#[derive(Debug)]
pub(crate) struct Cost {
    pub(crate) wall: Duration,
    pub(crate) cpu: Duration,
    pub(crate) peak: u64,
}

/// Runs a command to its end. Its CPU time is what this process's children have more of afterwards.
pub(crate) async fn run(mut command: Command) -> Cost {
    let children = || Usage::of(std::process::id()).map_or(Duration::ZERO, |usage| usage.children);
    let before = children();
    let begin = Instant::now();
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().expect("the command starts");
    let mut peak = 0;
    let status = loop {
        let used = child.id().and_then(Usage::of);
        peak = used.map_or(peak, |usage| peak.max(usage.peak));
        if let Some(status) = child.try_wait().expect("the command can be waited for") {
            break status;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    };
    assert!(status.success(), "{command:?} ends with {status}");
    Cost { wall: begin.elapsed(), cpu: children().saturating_sub(before), peak }
}
