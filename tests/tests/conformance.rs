//! The official conformance suite against generated servers, and against the example that serves all of its fixtures.
//!
//! There is no list of expected failures: a scenario is either run, and passes, or named below with the reason why a
//! server without fixtures cannot be asked it.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use mcpwright_tests::client::Era;
use mcpwright_tests::peers::Installed;
use mcpwright_tests::process::{HttpServer, Launch};
use mcpwright_tests::workspace;
use serde_json::Value;

/// The scenarios that a server passes whatever it serves. All others call tools, prompts or resources by name.
fn without_fixtures(era: Era) -> &'static [&'static str] {
    match era {
        Era::Legacy => &[
            "server-initialize",
            "ping",
            "completion-complete",
            "tools-list",
            "resources-list",
            "prompts-list",
            "server-sse-multiple-streams",
            "dns-rebinding-protection",
            "server-session-lifecycle",
        ],
        Era::Modern => &[
            "completion-complete",
            "tools-list",
            "resources-list",
            "prompts-list",
            "server-sse-multiple-streams",
            "dns-rebinding-protection",
            "sep-2164-resource-not-found",
            "caching",
            "http-header-validation",
            "input-required-result-unsupported-methods",
            "input-required-result-ignore-extra-params",
        ],
    }
}

#[tokio::test]
async fn a_generated_server_passes_every_scenario_without_fixtures() {
    let Some(installed) = Installed::find() else { return };
    let server = Launch::program("petstore-mcp").arguments(["--mock"]).http().await;
    let mut failures = Vec::new();
    for era in Era::BOTH {
        for scenario in without_fixtures(era) {
            let results = results_folder(&format!("petstore-{}-{scenario}", era.version()));
            let arguments = ["--scenario", scenario, "--spec-version", era.version()];
            let output = suite(&installed, &server, &results, &arguments).await;
            let ran = checks(&results);
            if ran.is_empty() {
                failures.push(format!("{scenario} in {} did not run: {output}", era.version()));
            }
            failures.extend(failed(&ran));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[tokio::test]
async fn the_example_with_all_fixtures_passes_the_set_of_2025_11_25() {
    everything_passes(Era::Legacy).await;
}

#[tokio::test]
async fn the_example_with_all_fixtures_passes_the_set_of_2026_07_28() {
    everything_passes(Era::Modern).await;
}

/// Runs the frozen set of a revision: what it requires, and what it runs without counting, such as the scenarios of the
/// tasks extension.
async fn everything_passes(era: Era) {
    let Some(installed) = Installed::find() else { return };
    let server = Launch::program("everything").http().await;
    let results = results_folder(&format!("everything-{}", era.version()));
    let output = suite(&installed, &server, &results, &["--requirements", era.version()]).await;
    let ran = checks(&results);
    let failures: Vec<_> = failed(&ran).collect();
    assert!(failures.is_empty(), "{}\n{}", failures.join("\n"), server.process.standard_error());
    assert!(ran.len() > 30, "the set ran: {output}");
}

/// An empty folder for the results of a run.
fn results_folder(name: &str) -> PathBuf {
    let folder = workspace::scratch("conformance").join(name);
    if folder.exists() {
        std::fs::remove_dir_all(&folder).expect("old results can be removed");
    }
    folder
}

/// Runs the suite and returns what it printed.
async fn suite(installed: &Installed, server: &HttpServer, results: &Path, arguments: &[&str]) -> String {
    let output = installed
        .node_program("conformance")
        .args(["server", "--url", &server.endpoint(), "--output-dir"])
        .arg(results)
        .args(arguments)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .expect("the suite starts");
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// The checks of every scenario that ran, with the scenario's name.
fn checks(results: &Path) -> Vec<(String, Vec<Value>)> {
    let Ok(folders) = std::fs::read_dir(results) else { return Vec::new() };
    folders
        .map(|folder| {
            let folder = folder.expect("results can be listed").path();
            let name = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            let text = std::fs::read(folder.join("checks.json")).expect("a scenario writes its checks");
            (name, serde_json::from_slice(&text).expect("checks are a list"))
        })
        .collect()
}

/// Every failed check in words.
fn failed(ran: &[(String, Vec<Value>)]) -> impl Iterator<Item = String> + '_ {
    ran.iter().flat_map(|(scenario, checks)| {
        checks.iter().filter(|check| check["status"] == "FAILURE").map(move |check| {
            let text = |member: &str| check[member].as_str().unwrap_or_default().to_owned();
            format!("{scenario}: {}: {}: {}", text("id"), text("description"), text("errorMessage"))
        })
    })
}
