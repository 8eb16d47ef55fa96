//! The command as a person meets it: what goes wrong, how it is said, and the exit code.

use std::path::Path;
use std::process::{Command, Output};

use mcpwright_tests::workspace;

const GOOD: &str = "\
openapi: 3.0.3
info: { title: Shop, version: '1' }
servers: [{ url: 'https://shop.example' }]
paths:
  /pets:
    get:
      operationId: listPets
      responses: { '200': { description: All pets } }
";

fn mcpwright(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(workspace::program("mcpwright"))
        .args(arguments)
        .current_dir(folder)
        .env("NO_COLOR", "1")
        .output()
        .expect("the command starts")
}

fn standard_error(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Bad documents: the text, and what standard error must hold.
const BAD_DOCUMENTS: &[(&str, &str, &[&str])] = &[
    ("empty", "", &["spec.yaml", "empty"]),
    ("blanks only", " \n\n", &["spec.yaml", "empty"]),
    ("not OpenAPI", "name: something else\n", &["spec.yaml", "openapi"]),
    ("a list", "- 1\n- 2\n", &["spec.yaml"]),
    ("broken YAML", "openapi: 3.0.3\ninfo: {title: Shop\npaths: [\n", &["spec.yaml:"]),
    ("broken JSON", "{\"openapi\": \"3.0.3\",\n \"info\": [}", &["spec.yaml:2:"]),
    ("an unknown version", "openapi: 4.5.6\ninfo: {title: Shop, version: '1'}\npaths: {}\n", &["spec.yaml:1", "4.5.6"]),
];

#[test]
fn a_document_that_cannot_be_read_is_an_error_with_its_place() {
    for (what, text, expected) in BAD_DOCUMENTS {
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::write(folder.path().join("spec.yaml"), text).expect("a document can be written");
        let output = mcpwright(folder.path(), &["generate", "spec.yaml", "--out", "out"]);
        let error = standard_error(&output);
        assert_eq!(output.status.code(), Some(2), "{what}: {error}");
        for expected in *expected {
            assert!(error.to_lowercase().contains(&expected.to_lowercase()), "{what}: {expected} is told: {error}");
        }
        assert!(!folder.path().join("out").exists(), "{what}: nothing is written");
    }
}

#[test]
fn a_missing_document_is_an_error_that_names_it() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let output = mcpwright(folder.path(), &["generate", "nowhere.yaml", "--out", "out"]);
    assert_eq!(output.status.code(), Some(2), "{}", standard_error(&output));
    assert!(standard_error(&output).contains("nowhere.yaml"), "{}", standard_error(&output));
}

#[test]
fn a_broken_reference_costs_its_operation_only() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let text = GOOD.to_owned()
        + "  /toys:\n    get:\n      operationId: listToys\n      parameters:\n      - $ref: '#/components/parameters/Nothing'\n\
           \x20     responses: { '200': { description: Toys } }\n";
    std::fs::write(folder.path().join("spec.yaml"), text).expect("a document can be written");
    let output = mcpwright(folder.path(), &["generate", "spec.yaml", "--out", "out"]);
    let error = standard_error(&output);
    assert_eq!(output.status.code(), Some(0), "{error}");
    assert!(error.contains("#/components/parameters/Nothing") && error.contains("spec.yaml:13"), "{error}");
    let output = mcpwright(folder.path(), &["generate", "spec.yaml", "--out", "strict", "--strict"]);
    assert_eq!(output.status.code(), Some(1), "strict: {}", standard_error(&output));
}

/// Bad configurations: the text, the exit code, and what standard error must hold.
const CONFIGURATIONS: &[(&str, &str, i32, &[&str])] = &[
    ("an unknown key", "prest = \"tools\"\n", 2, &["mcpwright.toml:1:1", "prest", "preset"]),
    ("no TOML", "preset = \n", 2, &["mcpwright.toml:1"]),
    ("a bad expression", "[[route]]\npath = \"(\"\nkind = \"exclude\"\n", 2, &["mcpwright.toml:2"]),
    (
        "a rule without effect",
        "[[route]]\npath = \"^/nothing\"\nkind = \"exclude\"\n",
        0,
        &["warning", "mcpwright.toml", "match"],
    ),
];

#[test]
fn files_outside_of_the_documents_folder_are_read_when_the_command_line_allows_it() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::create_dir(folder.path().join("api")).expect("a folder");
    let shared = "get: { operationId: listPets, responses: { '200': { description: All pets } } }\n";
    std::fs::write(folder.path().join("shared.yaml"), shared).expect("a file");
    let document = "openapi: 3.0.3\ninfo: { title: Shop, version: '1' }\npaths: { /pets: { $ref: ../shared.yaml } }\n";
    std::fs::write(folder.path().join("api/spec.yaml"), document).expect("a document");
    let tools = |arguments: &[&str]| {
        let output = mcpwright(folder.path(), &[&["inspect", "api/spec.yaml", "--json"], arguments].concat());
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("a report");
        report["resources"].as_array().map_or(0, Vec::len)
    };
    assert_eq!(tools(&[]), 0);
    assert_eq!(tools(&["--allow-outside"]), 1);

    // A new crate keeps what was allowed; one that would forget it is told so.
    let generate = ["generate", "api/spec.yaml", "--allow-outside", "--out", "shop"];
    let output = mcpwright(folder.path(), &generate);
    assert!(output.status.success(), "{}", standard_error(&output));
    let output = mcpwright(folder.path(), &["generate", "--out", "shop", "--check"]);
    assert!(output.status.success(), "{}", standard_error(&output));
    let configuration = folder.path().join("shop/mcpwright.toml");
    let text = std::fs::read_to_string(&configuration).expect("a configuration");
    std::fs::write(&configuration, text.replace("\nallow_outside = true", "")).expect("a configuration");
    let output = mcpwright(folder.path(), &generate);
    assert_eq!(output.status.code(), Some(2));
    assert!(standard_error(&output).contains("write `allow_outside = true` into it"), "{}", standard_error(&output));
}

#[test]
fn a_configuration_that_cannot_be_meant_is_told_with_its_place() {
    for (what, text, code, expected) in CONFIGURATIONS {
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::write(folder.path().join("spec.yaml"), GOOD).expect("a document can be written");
        std::fs::write(folder.path().join("mcpwright.toml"), text).expect("a configuration can be written");
        let output = mcpwright(folder.path(), &["generate", "spec.yaml", "--out", "out", "--config", "mcpwright.toml"]);
        let error = standard_error(&output);
        assert_eq!(output.status.code(), Some(*code), "{what}: {error}");
        for expected in *expected {
            assert!(error.contains(expected), "{what}: {expected} is told: {error}");
        }
    }
}

#[test]
fn files_of_others_are_not_overwritten() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(folder.path().join("spec.yaml"), GOOD).expect("a document can be written");
    let foreign = folder.path().join("out/src/generated/mod.rs");
    std::fs::create_dir_all(foreign.parent().expect("a folder")).expect("a folder can be made");
    std::fs::write(&foreign, "// by hand\n").expect("a file can be written");
    let output = mcpwright(folder.path(), &["generate", "spec.yaml", "--out", "out"]);
    assert_eq!(output.status.code(), Some(3), "{}", standard_error(&output));
    assert!(standard_error(&output).contains("mod.rs"), "{}", standard_error(&output));
    assert_eq!(std::fs::read_to_string(&foreign).expect("the file is there"), "// by hand\n");
}

#[test]
fn a_dry_run_and_a_check_write_nothing() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(folder.path().join("spec.yaml"), GOOD).expect("a document can be written");
    for (option, code) in [("--dry-run", 0), ("--check", 1)] {
        let output = mcpwright(folder.path(), &["generate", "spec.yaml", "--out", "out", option]);
        assert_eq!(output.status.code(), Some(code), "{option}: {}", standard_error(&output));
        assert!(!folder.path().join("out").exists(), "{option}");
    }
}

#[test]
fn a_wrong_option_is_a_usage_error() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for arguments in [&["generate"][..], &["generate", "spec.yaml", "--presett", "tools"], &["nonsense"]] {
        let output = mcpwright(folder.path(), arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", standard_error(&output));
        assert!(standard_error(&output).contains("Usage"), "{arguments:?}: {}", standard_error(&output));
    }
}
