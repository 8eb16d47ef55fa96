//! From a document to what comes of it, without building anything: time, memory, and whether both grow with the document
//! and no faster.

use std::path::{Path, PathBuf};

use mcpwright_tests::workspace;
use tokio::process::Command;

use crate::building::run;
use crate::document::document;
use crate::report::Report;
use crate::servers::command;

/// How often each command is run; the median counts.
const ROUNDS: usize = 3;

/// Measures documents from small to the largest at hand.
pub(crate) async fn planning(smoke: bool, report: &mut Report) {
    let folder = workspace::scratch("bench");
    let made = |operations: usize| {
        let path = folder.join(format!("bench{operations}.json"));
        std::fs::write(&path, document(operations).to_string()).expect("the folder is writable");
        path
    };
    let sizes: &[usize] = if smoke { &[300] } else { &[2_500, 5_000, 10_000, 20_000] };
    let mut documents: Vec<(String, PathBuf)> =
        sizes.iter().map(|&size| (format!("plan {size} operations"), made(size))).collect();
    if !smoke {
        let real =
            [("plan GitHub, 1223 operations", "v30-github.json"), ("plan Microsoft Graph, 11422", "v30-msgraph.json")];
        let at_hand = real.map(|(name, file)| Some((name.to_owned(), workspace::real_document(file)?)));
        documents.extend(at_hand.into_iter().flatten());
    }
    for (scenario, document) in &documents {
        for _ in 0..if smoke { 1 } else { ROUNDS } {
            let megabytes = std::fs::metadata(document).map_or(0, |metadata| metadata.len()) as f64 / 1e6;
            report.add(scenario, "the document", "MB", megabytes);
            // The findings alone: everything up to the plan, and nothing of it printed.
            measure(scenario, "to a plan", inspect(document, "sarif"), report).await;
            measure(scenario, "inspect --json", inspect(document, "json"), report).await;
            measure(scenario, "generate --dry-run", generate(document, &folder), report).await;
        }
    }
}

async fn measure(scenario: &str, what: &str, command: Command, report: &mut Report) {
    let cost = run(command).await;
    report.add(scenario, what, "MB", cost.peak as f64 / 1e6);
    report.add(scenario, what, "CPU s", cost.cpu.as_secs_f64());
}

fn inspect(document: &Path, format: &str) -> Command {
    let mut inspect = Command::new(command());
    inspect.arg("inspect").arg(document).args(["--format", format, "--preset", "tools"]);
    inspect
}

fn generate(document: &Path, folder: &Path) -> Command {
    let mut generate = Command::new(command());
    generate.arg("generate").arg(document).arg("--dry-run").args(["--preset", "tools", "--name", "bench"]);
    generate.arg("--out").arg(folder.join("never-written"));
    generate
}
