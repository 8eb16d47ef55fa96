//! Overlays, from their files to the plan.

use std::path::Path;

use mcpwright::{Generator, Planned, Source};

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
extends: openapi.yaml
actions:
  - target: $.paths['/admin']
    remove: true
  - target: $.paths['/pets'].post
    update:
      x-mcp: {name: take_in}
      responses:
        '201': {$ref: '#/components/responses/Nowhere'}
";

fn plan(files: &[(&str, &str)], generator: impl FnOnce(&Path) -> Generator) -> Planned {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    generator(folder.path()).directory(folder.path()).plan().unwrap_or_else(|failure| panic!("{failure}"))
}

fn tools(planned: &Planned) -> Vec<&str> {
    planned.plan.components().map(|one| one.name.as_str()).collect()
}

#[test]
fn an_overlay_of_the_caller_is_applied() {
    let files =
        [("openapi.yaml", DOCUMENT), ("more/overlay.yaml", &OVERLAY.replace("openapi.yaml", "../openapi.yaml"))];
    let planned = plan(&files, |_| Generator::new("openapi.yaml").overlay("more/overlay.yaml"));
    assert_eq!(tools(&planned), ["take_in"]);
    let read: Vec<_> = planned.sources.paths().filter_map(Path::file_name).collect();
    assert_eq!(read, ["openapi.yaml", "overlay.yaml"], "both are watched");
}

#[test]
fn findings_about_what_an_overlay_brought_in_point_into_it() {
    let files = [("openapi.yaml", DOCUMENT), ("overlay.yaml", OVERLAY)];
    let planned = plan(&files, |_| Generator::new("openapi.yaml").overlay("overlay.yaml"));
    let found: Vec<_> = planned
        .diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.code.name == "unresolved-reference")
        .filter_map(|diagnostic| diagnostic.location.as_ref())
        .collect();
    let [location] = found.as_slice() else { panic!("{found:?}") };
    let name = planned.sources.name(location.file);
    assert!(name.ends_with("overlay.yaml"), "{name}");
    assert_eq!(planned.sources.position(location).unwrap().line, 11);
}

#[test]
fn an_overlay_of_the_configuration_is_relative_to_it_and_applied_once() {
    let append = "overlay: 1.0.0\ninfo: {title: T, version: '1'}\nactions:\n  - {target: $.servers, update: {url: 'https://two.example'}}\n";
    let configuration = "spec = '../openapi.yaml'\noverlays = ['append.yaml']\n";
    let files = [("openapi.yaml", DOCUMENT), ("crate/append.yaml", append), ("crate/mcpwright.toml", configuration)];
    let planned = plan(&files, |_| Generator::from_config("crate/mcpwright.toml").overlay("crate/append.yaml"));
    assert_eq!(planned.api.servers.len(), 2);
    assert_eq!(planned.overlays.len(), 1);
}

#[test]
fn an_overlay_for_another_document_is_told_and_applied() {
    let files = [("openapi.yaml", DOCUMENT), ("overlay.yaml", &OVERLAY.replace("openapi.yaml", "other.yaml"))];
    let planned = plan(&files, |_| Generator::new("openapi.yaml").overlay("overlay.yaml"));
    assert_eq!(tools(&planned), ["take_in"]);
    assert!(planned.diagnostics.iter().any(|diagnostic| diagnostic.code.name == "overlay-for-another-document"));
}

#[test]
fn an_ill_formed_overlay_stops_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let overlay = folder.path().join("overlay.yaml");
    std::fs::write(&overlay, OVERLAY.replace("remove: true", "remove: 'yes'")).unwrap();
    let source = Source::Text { name: "document".to_owned(), text: DOCUMENT.to_owned() };
    let failure = Generator::from_source(source).overlay(overlay.display().to_string()).plan().unwrap_err();
    assert_eq!(failure.to_string(), "`remove` is neither true nor false");
}
