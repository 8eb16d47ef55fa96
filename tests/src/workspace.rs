//! Where things are: the workspace, its programs, the collection of real documents.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// The root folder of the workspace.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests are a member of a workspace")
}

/// The document `name` of the collection of real documents that lies beside a checkout, if there is one.
pub fn real_document(name: &str) -> Option<PathBuf> {
    root().ancestors().map(|folder| folder.join("shared/specs").join(name)).find(|candidate| candidate.is_file())
}

/// The folder for what tests build and keep between runs.
pub fn scratch(name: &str) -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    let folder = target.join(name);
    std::fs::create_dir_all(&folder).expect("the target folder is writable");
    folder
}

/// Whether what a test needs from outside must be there: then its absence is a failure, not a reason to skip.
pub fn services_required() -> bool {
    std::env::var_os("MCPWRIGHT_REQUIRE_SERVICES").is_some_and(|value| !value.is_empty() && value != "0")
}

/// Says why a test did not run.
///
/// # Panics
/// Where the environment says that everything must be there (`MCPWRIGHT_REQUIRE_SERVICES=1`).
#[expect(clippy::print_stderr, reason = "the only way for a test to say that it was skipped")]
pub fn skip(reason: &str) {
    assert!(!services_required(), "{reason}");
    eprintln!("skipped: {reason}");
}

/// The path of the program `name`: a binary or an example of a workspace member, built in the profile of the tests.
///
/// # Panics
/// When the workspace does not build, or has no such program.
pub fn program(name: &str) -> PathBuf {
    static PROGRAMS: OnceLock<HashMap<String, PathBuf>> = OnceLock::new();
    let programs = PROGRAMS.get_or_init(|| programs(if cfg!(debug_assertions) { &[] } else { &["--release"] }));
    match programs.get(name) {
        Some(path) => path.clone(),
        None => panic!("no member of the workspace has a program {name}; there are {:?}", programs.keys()),
    }
}

/// The program of a crate that is generated from a document and built against the workspace's runtime, with the
/// workspace's versions of everything, and nothing fetched. All such crates share one target folder, so that the
/// dependencies are built once.
///
/// # Panics
/// When the document does not generate, or the crate does not build without a warning.
pub fn generated(document: &Path, name: &str, options: &[&str]) -> PathBuf {
    let folder = scratch("generated-crates").join(format!("{name}-mcp"));
    // What an earlier run left may name a document that is gone.
    let _ = std::fs::remove_dir_all(&folder);
    let generated = Command::new(program("mcpwright"))
        .args(["generate".as_ref(), document.as_os_str(), "--out".as_ref(), folder.as_os_str()])
        .args(["--name", name, "--runtime", &format!("path:{}", root().join("runtime").display())])
        .args(options)
        .output()
        .expect("the command starts");
    assert!(generated.status.success(), "generates: {}", String::from_utf8_lossy(&generated.stderr));
    std::fs::copy(root().join("Cargo.lock"), folder.join("Cargo.lock")).expect("the lock file can be copied");
    let target = scratch("generated");
    let built = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["build", "--quiet", "--offline"])
        .env("CARGO_TARGET_DIR", &target)
        .env("RUSTFLAGS", "-Dwarnings")
        .current_dir(&folder)
        .output()
        .expect("cargo starts");
    assert!(built.status.success(), "builds without a warning: {}", String::from_utf8_lossy(&built.stderr));
    target.join("debug").join(format!("{name}-mcp"))
}

/// Builds all programs of the workspace and tells where they lie. Binaries *and* examples are asked for: with them
/// Cargo picks the same features as for the tests, so that nothing is compiled twice.
fn programs(profile: &[&str]) -> HashMap<String, PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["build", "--quiet", "--workspace", "--bins", "--examples", "--message-format=json-render-diagnostics"])
        .args(profile)
        .current_dir(root())
        .stderr(Stdio::inherit())
        .output()
        .expect("cargo starts");
    assert!(output.status.success(), "the programs of the workspace build");
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter_map(|message| {
            let name = message.pointer("/target/name")?.as_str()?.to_owned();
            let path = message.get("executable")?.as_str()?;
            Some((name, PathBuf::from(path)))
        })
        .collect()
}
