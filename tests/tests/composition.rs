//! One server made of three generated ones: mounted, imported, and passed on from another process that is killed and comes
//! back.

use std::path::Path;
use std::time::{Duration, Instant};

use mcpwright_runtime::Server;
use mcpwright_runtime::compose::Remote;
use mcpwright_runtime::testing::TestClient;
use mcpwright_runtime::upstream::{Settings, Upstream as Api};
use mcpwright_tests::process::{Launch, free_port};
use mcpwright_tests::upstream::{Answer, Upstream};
use mcpwright_tests::workspace;
use serde_json::{Value, json};

/// An API that says which of the three asked.
async fn api(who: &'static str) -> Upstream {
    Upstream::start(move |request| Answer::json(200, &json!({ "id": 1, "name": format!("{who} {}", request.target) })))
        .await
}

fn settings(upstream: &Upstream) -> Settings {
    Settings { base_url: Some(upstream.url()), ..Settings::default() }
}

/// The server of the tests: the built-in one mounted live, the pet shop imported, and another pet shop elsewhere.
fn hub(mounted: &Upstream, imported: &Upstream, elsewhere: Remote) -> Server {
    let live = Api::builder(&build_script_mcp::generated::API)
        .settings(settings(mounted))
        .credential("api_key", "s3cret")
        .build()
        .expect("an upstream");
    let copy = Api::builder(&petstore_mcp::generated::API)
        .settings(settings(imported))
        .credential("api_key", "s3cret")
        .build()
        .expect("an upstream");
    Server::named("hub")
        .mount("live", build_script_mcp::server().upstream(live))
        .import("copy", petstore_mcp::server().upstream(copy))
        .proxy("far", elsewhere)
}

async fn read(client: &TestClient, uri: &str) -> String {
    let read = client.read_resource(uri).await;
    read.map_or_else(|error| error.message, |read| read["contents"][0]["text"].as_str().unwrap_or_default().to_owned())
}

/// What of all three is used, with what each says.
async fn works(client: &TestClient) {
    let mounted = client.call_tool("live_get_pet", json!({ "petId": 1 })).await.expect("a result");
    assert_eq!(mounted["structuredContent"]["name"], "mounted /pets/1", "{mounted}");
    let imported = read(client, "api://copy/petstore/pets/2").await;
    assert!(imported.contains("imported /pets/2"), "{imported}");
}

async fn far_works(client: &TestClient) -> bool {
    let far = read(client, "api://far/petstore/pets/3").await;
    assert!(far.contains("far /pets/3") || far.contains("cannot be reached"), "{far}");
    far.contains("far /pets/3")
}

async fn comes_back(client: &TestClient) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !far_works(client).await {
        assert!(Instant::now() < deadline, "the other server is used again once it is back");
        works(client).await;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn names(items: &[Value]) -> Vec<&str> {
    items.iter().map(|item| item["name"].as_str().unwrap_or_default()).collect()
}

#[tokio::test]
async fn a_server_of_three_serves_on_while_one_behind_a_url_is_killed_and_comes_back() {
    let (mounted, imported, far) = (api("mounted").await, api("imported").await, api("far").await);
    let launch =
        Launch::program("petstore-mcp").arguments(["--base-url", &far.url()]).variable("PETSTORE_API_KEY", "s3cret");
    let port = free_port();
    let process = launch.http_at(port).await;
    let remote = Remote::http(process.endpoint()).named("far");
    let client = TestClient::start(hub(&mounted, &imported, remote)).await.expect("a client");
    let tools = client.list("tools").await.expect("tools");
    for tool in ["live_get_pet", "copy_place_order", "far_place_order"] {
        assert!(names(&tools).contains(&tool), "{tool} of {:?}", names(&tools));
    }
    works(&client).await;
    assert!(far_works(&client).await);

    drop(process);
    for _ in 0..3 {
        works(&client).await;
        assert!(!far_works(&client).await);
        assert_eq!(client.list("tools").await.expect("tools").len(), tools.len());
    }
    let _process = launch.http_at(port).await;
    comes_back(&client).await;
    works(&client).await;
}

#[cfg(unix)]
#[tokio::test]
async fn a_command_that_is_killed_is_started_again() {
    let (mounted, imported, far) = (api("mounted").await, api("imported").await, api("far").await);
    let folder = tempfile::tempdir().expect("a folder");
    let noted = folder.path().join("process");
    let program = workspace::program("petstore-mcp");
    let script = r#"echo $$ >> "$NOTED"; exec "$PROGRAM" --base-url "$API""#;
    let remote = Remote::command("sh")
        .named("far")
        .argument("-c")
        .argument(script)
        .variable("NOTED", text(&noted))
        .variable("PROGRAM", text(&program))
        .variable("API", far.url())
        .variable("PETSTORE_API_KEY", "s3cret");
    let client = TestClient::start(hub(&mounted, &imported, remote)).await.expect("a client");
    works(&client).await;
    assert!(far_works(&client).await);
    let first = processes(&noted);
    assert_eq!(first.len(), 1);

    let killed = std::process::Command::new("kill").args(["-KILL", &first[0]]).status().expect("a signal");
    assert!(killed.success());
    works(&client).await;
    comes_back(&client).await;
    assert_eq!(processes(&noted).len(), 2, "it was started once more");

    let last = processes(&noted).pop().expect("a process");
    drop(client);
    let deadline = Instant::now() + Duration::from_secs(20);
    while Path::new("/proc").join(&last).exists() {
        assert!(Instant::now() < deadline, "it is stopped with the server");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[cfg(unix)]
fn text(path: &Path) -> String {
    path.to_str().expect("a plain path").to_owned()
}

/// The ids of the processes that were started, in order.
#[cfg(unix)]
fn processes(noted: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(noted).expect("notes");
    text.lines().map(str::to_owned).collect()
}
