//! The commands beside `generate`: what they say of themselves, and that they do what they say.

use std::{
    fmt::Write as _,
    fs,
    path::Path,
    process::{Command, Output, Stdio},
    time::{Duration, Instant},
};

use mcpwright_tests::{
    client::{Client, Era},
    process::{Launch, free_port},
    workspace,
};

fn mcpwright(folder: &Path, arguments: &[&str]) -> Output {
    command(folder, arguments).output().expect("the command starts")
}

fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(workspace::program("mcpwright"));
    command.args(arguments).current_dir(folder).env("NO_COLOR", "1").stdin(Stdio::null());
    command
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A document with `count` operations whose descriptions hold `word`.
fn document(count: usize, word: &str) -> String {
    let mut text =
        "openapi: 3.1.0\ninfo: {title: Shop, version: '1'}\nservers: [{url: 'https://shop.example'}]\npaths:\n"
            .to_owned();
    for number in 0..count {
        let _ = writeln!(
            text,
            "  /things/{number}:\n    post:\n      operationId: thing{number}\n      tags: [t{}]\n      description: A {word}.\n      \
             requestBody: {{content: {{application/json: {{schema: {{type: object, properties: {{{word}: {{type: string}}}}}}}}}}}}\n      \
             responses: {{'200': {{description: Done}}}}",
            number % 40
        );
    }
    text
}

#[test]
fn every_command_explains_itself() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for name in ["", "generate", "inspect", "serve", "run", "diff", "install", "explain"] {
        let arguments: Vec<&str> = [name, "--help"].into_iter().filter(|word| !word.is_empty()).collect();
        let output = mcpwright(folder.path(), &arguments);
        assert!(output.status.success(), "{name}: {}", text(&output.stderr));
        let snapshot = if name.is_empty() { "help" } else { name };
        insta::assert_snapshot!(snapshot, text(&output.stdout));
    }
}

#[test]
fn every_code_of_a_finding_is_explained() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let output = mcpwright(folder.path(), &["explain"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let list = text(&output.stdout);
    let codes: Vec<&str> = list.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert!(codes.len() > 20, "{list}");
    let output = mcpwright(folder.path(), &["explain", "unresolved-referense"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("unresolved-reference"), "the nearest is named: {}", text(&output.stderr));
}

/// What a change of the document means for clients: the old operation, the new one, the line of `diff`.
const DIFFERENCES: &[(&str, &str, &str, bool)] = &[
    ("{name: a, in: query, schema: {type: string}}", "", "argument a is gone", true),
    (
        "{name: a, in: query, schema: {type: string}}",
        "{name: a, in: query, schema: {type: string}}, {name: b, in: query, required: true, schema: {type: string}}",
        "argument b is new and required",
        true,
    ),
    (
        "{name: a, in: query, schema: {type: string}}",
        "{name: a, in: query, schema: {type: integer}}",
        "argument a takes integer, took string",
        true,
    ),
    (
        "{name: a, in: query, schema: {type: integer}}",
        "{name: a, in: query, schema: {type: number}}",
        "argument a takes number, took integer",
        false,
    ),
    (
        "{name: a, in: query, schema: {enum: [x, y]}}",
        "{name: a, in: query, schema: {enum: [x, z]}}",
        r#"argument a no longer takes "y""#,
        true,
    ),
    (
        "{name: a, in: query, schema: {enum: [x]}}",
        "{name: a, in: query, schema: {enum: [x, z]}}",
        "argument a has another schema",
        false,
    ),
];

#[test]
fn a_difference_says_what_breaks_clients() {
    for (old, new, expected, breaking) in DIFFERENCES {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for (name, parameters) in [("old.yaml", old), ("new.yaml", new)] {
            let text = format!(
                "openapi: 3.1.0\ninfo: {{title: Shop, version: '1'}}\nservers: [{{url: 'https://shop.example'}}]\npaths:\n  \
                 /a:\n    post:\n      operationId: a\n      parameters: [{parameters}]\n      responses: {{'200': {{description: Done}}}}\n"
            );
            fs::write(folder.path().join(name), text).expect("a document can be written");
        }
        let output = mcpwright(folder.path(), &["diff", "old.yaml", "new.yaml"]);
        let said = text(&output.stdout);
        assert_eq!(output.status.code(), Some(i32::from(*breaking)), "{said}{}", text(&output.stderr));
        assert!(said.contains(expected), "{expected}: {said}");
        assert_eq!(said.contains("[breaking]"), *breaking, "{said}");
        let output = mcpwright(folder.path(), &["diff", "old.yaml", "old.yaml"]);
        assert_eq!(text(&output.stdout), "nothing changes for clients\n");
    }
}

#[cfg(unix)]
#[test]
fn an_interrupted_generation_leaves_the_old_crate_whole() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for word in ["dog", "cat"] {
        fs::write(folder.path().join(format!("{word}.yaml")), document(1_200, word))
            .expect("a document can be written");
    }
    let output = mcpwright(folder.path(), &["generate", "dog.yaml", "--out", "out", "--name", "shop"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let out = folder.path().join("out");
    let is_staged = || {
        fs::read_dir(&out)
            .expect("the crate is there")
            .flatten()
            .any(|entry| entry.file_name().to_string_lossy().starts_with(".mcpwright"))
    };
    for delay in [0, 5, 20, 60] {
        let mut child = command(folder.path(), &["generate", "cat.yaml", "--out", "out", "--name", "shop"])
            .stderr(Stdio::null())
            .spawn()
            .expect("the command starts");
        let deadline = Instant::now() + Duration::from_secs(60);
        while !is_staged() && child.try_wait().expect("a state").is_none() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_millis(delay));
        let _ = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
        let status = child.wait().expect("it ends");
        let fresh = |word: &str| {
            let spec = format!("{word}.yaml");
            mcpwright(folder.path(), &["generate", &spec, "--out", "out", "--name", "shop", "--check"]).status.success()
        };
        let expected = if status.success() { "cat" } else { "dog" };
        assert!(fresh(expected), "after {delay} ms: {status}, the crate is not wholly that of {expected}.yaml");
        assert!(!is_staged(), "after {delay} ms nothing lies about");
        if status.success() {
            break;
        }
    }
}

/// `run` builds with the cargo that `CARGO` names. This one builds without optimisation, in the folder where other tests
/// build, and lays the program where a release build would.
#[cfg(unix)]
#[test]
fn run_makes_builds_and_starts_a_server_and_passes_its_status_on() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::write(folder.path().join("spec.yaml"), document(2, "dog")).expect("a document can be written");
    let script = folder.path().join("cargo");
    let text_of_script = format!(
        "#!/bin/sh -e\n[ \"$*\" = 'build --release --quiet' ]\ncp '{lock}' Cargo.lock\nout=$CARGO_TARGET_DIR/release\n\
         RUSTFLAGS=-Dwarnings CARGO_TARGET_DIR='{target}' '{cargo}' build --quiet --offline\n\
         mkdir -p \"$out\"\ncp '{target}/debug/shop-mcp' \"$out\"\necho built >> '{log}'\n",
        lock = workspace::root().join("Cargo.lock").display(),
        target = workspace::scratch("generated").display(),
        cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into()),
        log = folder.path().join("log").display(),
    );
    fs::write(&script, text_of_script).expect("a script can be written");
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).expect("it can be made a program");
    let run = |options: &[&str]| {
        let runtime = format!("path:{}", workspace::root().join("runtime").display());
        command(folder.path(), &["run", "spec.yaml", "--preset", "tools", "--runtime", &runtime, "--"])
            .args(options)
            .env("CARGO", &script)
            .env("XDG_CACHE_HOME", folder.path().join("cache"))
            .env("HOME", folder.path())
            .output()
            .expect("the command starts")
    };

    let output = run(&["--mock", "--list"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("thing1"), "{}", text(&output.stdout));
    fs::write(folder.path().join("spec.yaml"), document(3, "cat")).expect("a document can be written");
    let output = run(&["--mock", "--list"]);
    assert!(text(&output.stdout).contains("thing2"), "a changed document is built anew: {}", text(&output.stdout));
    assert_eq!(fs::read_to_string(folder.path().join("log")).expect("a log"), "built\nbuilt\n");
    let output = run(&["--no-such-option"]);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
    fs::write(&script, "#!/bin/sh\nexit 101\n").expect("a script can be written");
    let output = run(&[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("does not build"), "{}", text(&output.stderr));
}

#[tokio::test]
async fn a_watched_document_is_served_anew_when_it_changes() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("spec.yaml");
    fs::write(&path, document(1, "dog")).expect("a document can be written");
    let arguments = ["serve".into(), path.clone().into_os_string(), "--watch".into(), "--mock".into()];
    let server = Launch::program("mcpwright").arguments(arguments).http().await;
    let tools = async || Client::http(&server, Era::Modern).await.list("tools/list", "tools").await;
    assert_eq!(tools().await.len(), 1);

    fs::write(&path, "openapi: [\n").expect("a document can be written");
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!(tools().await.len(), 1, "a broken document changes nothing: {}", server.process.standard_error());
    assert!(server.process.standard_error().contains("goes on with the old document"));

    fs::write(&path, document(2, "dog")).expect("a document can be written");
    let deadline = Instant::now() + Duration::from_secs(30);
    let client = reqwest::Client::new();
    loop {
        let answers = client.get(format!("{}/health", server.origin())).send().await.is_ok();
        if answers && server.process.standard_error().contains("serving it again") && tools().await.len() == 2 {
            break;
        }
        assert!(Instant::now() < deadline, "{}", server.process.standard_error());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[cfg(unix)]
#[tokio::test]
async fn what_serves_a_watched_document_ends_with_the_command() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("spec.yaml");
    fs::write(&path, document(1, "dog")).expect("a document can be written");
    let arguments = ["serve".into(), path.clone().into_os_string(), "--watch".into(), "--mock".into()];
    let launch = Launch::program("mcpwright").arguments(arguments);
    let port = free_port();
    let free = || std::net::TcpListener::bind(("127.0.0.1", port)).is_ok();

    let mut server = launch.http_at(port).await;
    assert!(!free());
    assert!(server.process.terminate().await.success(), "{}", server.process.standard_error());
    assert!(free(), "a supervisor may start it again at once");

    let mut server = launch.http_at(port).await;
    let id = server.process.id().expect("it runs").to_string();
    assert!(Command::new("kill").args(["-KILL", &id]).status().expect("kill runs").success());
    server.process.wait().await;
    tokio::time::timeout(Duration::from_secs(60), async {
        while !free() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await
    .expect("the server notices that its command is gone");
}

#[test]
fn a_server_is_written_into_the_configuration_of_a_client() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::write(folder.path().join("spec.yaml"), document(1, "dog")).expect("a document can be written");
    fs::write(folder.path().join("mcp.json"), r#"{"mcpServers": {"other": {"command": "x"}}}"#).expect("a file");
    let arguments = ["install", "spec.yaml", "--client", "claude-code", "--file", "mcp.json", "--env", "SHOP_TOKEN=x"];
    let output = mcpwright(folder.path(), &arguments);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let written = fs::read_to_string(folder.path().join("mcp.json")).expect("the file is there");
    let written: serde_json::Value = serde_json::from_str(&written).expect("it is JSON");
    assert_eq!(written["mcpServers"]["other"]["command"], "x", "{written}");
    let servers = written["mcpServers"].as_object().expect("servers");
    let entry = servers.iter().find(|(name, _)| *name != "other").expect("a new entry").1;
    assert_eq!(entry["env"]["SHOP_TOKEN"], "x", "{entry}");

    // What was written starts a server.
    let program = entry["command"].as_str().expect("a command");
    let arguments = entry["args"].as_array().expect("arguments").iter().map(|one| one.as_str().expect("a text"));
    let output = Command::new(program).args(arguments).arg("--list").current_dir("/").output().expect("it starts");
    assert!(text(&output.stdout).contains("thing0"), "{} {}", text(&output.stdout), text(&output.stderr));
}
