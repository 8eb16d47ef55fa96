//! Overlays on the command line: every command applies them, a crate keeps them, and mistakes are shown in their place.

use std::{
    fs,
    path::Path,
    process::{Command, Output, Stdio},
};

use mcpwright_tests::workspace;

const DOCUMENT: &str = "\
openapi: 3.0.3
info: {title: Shop, version: '1'}
servers: [{url: 'https://shop.example'}]
paths:
  /admin:
    delete: {operationId: wipe, responses: {'204': {description: gone}}}
  /pets:
    post: {operationId: addPet, responses: {'200': {description: done}}}
";

const OVERLAY: &str = "\
overlay: 1.0.0
info: {title: For assistants, version: '1'}
actions:
  - target: $.paths['/admin']
    remove: true
";

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::write(folder.path().join("openapi.yaml"), DOCUMENT).expect("a document");
    fs::write(folder.path().join("overlay.yaml"), OVERLAY).expect("an overlay");
    folder
}

fn mcpwright(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(workspace::program("mcpwright"))
        .args(arguments)
        .current_dir(folder)
        .env("NO_COLOR", "1")
        .stdin(Stdio::null())
        .output()
        .expect("the command starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn inspect_serve_and_diff_apply_them() {
    let folder = folder();
    for arguments in [
        &["inspect", "openapi.yaml", "--overlay", "overlay.yaml"][..],
        &["serve", "openapi.yaml", "--overlay", "overlay.yaml", "--list"],
        &["serve", "openapi.yaml", "--list", "--overlay=overlay.yaml"],
    ] {
        let output = mcpwright(folder.path(), arguments);
        let listed = text(&output.stdout);
        assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
        assert!(listed.contains("add_pet") && !listed.contains("wipe"), "{arguments:?}: {listed}");
    }
    fs::write(folder.path().join("new.yaml"), DOCUMENT.replace("/admin", "/owner")).expect("a document");
    let output = mcpwright(folder.path(), &["diff", "openapi.yaml", "new.yaml", "--overlay", "overlay.yaml"]);
    let changes = text(&output.stdout);
    assert!(changes.contains("/owner") && !changes.contains("/admin"), "{changes}");
}

#[test]
fn a_crate_keeps_them_in_its_configuration() {
    let folder = folder();
    let generate = ["generate", "openapi.yaml", "--overlay", "overlay.yaml", "--out", "shop"];
    let output = mcpwright(folder.path(), &generate);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let configuration = fs::read_to_string(folder.path().join("shop/mcpwright.toml")).expect("a configuration");
    assert!(configuration.contains("overlays = [\"../overlay.yaml\"]"), "{configuration}");
    // The crate needs no option any more, and one that says the same changes nothing.
    for arguments in [&["generate", "--out", "shop", "--check"][..], &[&generate[..], &["--check"]].concat()] {
        let output = mcpwright(folder.path(), arguments);
        assert!(output.status.success(), "{arguments:?}: {}{}", text(&output.stdout), text(&output.stderr));
    }
}

#[test]
fn one_that_the_crate_would_forget_is_refused() {
    let folder = folder();
    let output = mcpwright(folder.path(), &["generate", "openapi.yaml", "--out", "shop"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let output = mcpwright(folder.path(), &["generate", "--out", "shop", "--overlay", "overlay.yaml"]);
    assert_eq!(output.status.code(), Some(2));
    let error = text(&output.stderr);
    assert!(error.contains("overlays = [\"../overlay.yaml\"]"), "the line to write is named: {error}");
    assert!(folder.path().join("shop/src/generated/operations").is_dir());
}

#[test]
fn mistakes_are_shown_in_their_place() {
    let folder = folder();
    let faulty = "\
overlay: 1.0.0
info: {title: Faulty, version: '1'}
extends: other.yaml
actions:
  - target: $.paths['/nowhere']
    remove: true
  - target: $.paths['/admin']
    remove: true
    update: {summary: gone}
  - target: $.info
    update: {title: {en: Shop}}
  - target: $.paths['/pets'].post
    udpate: {summary: New}
  - target: $.paths['/pets'].post
    copy: $.info
  - target: $.paths['/pets'].post.responses
    update: {'404': {$ref: '#/components/responses/Missing'}}
";
    fs::write(folder.path().join("faulty.yaml"), faulty).expect("an overlay");
    let warnings = mcpwright(folder.path(), &["inspect", "openapi.yaml", "--overlay", "faulty.yaml"]);
    assert!(warnings.status.success());
    fs::write(folder.path().join("wrong.yaml"), OVERLAY.replace("$.paths['/admin']", "/paths/admin"))
        .expect("an overlay");
    let refused = mcpwright(folder.path(), &["generate", "openapi.yaml", "--overlay", "wrong.yaml", "--out", "shop"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(!folder.path().join("shop").exists(), "nothing is written");
    insta::assert_snapshot!(format!("{}\n{}", text(&warnings.stderr), text(&refused.stderr)));
}
