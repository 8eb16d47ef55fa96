use std::{net::SocketAddr, time::Duration};

use mcpwright_runtime::{
    Error, Server,
    component::{Hints, Prompt, Resource, ResourceTemplate, Tool},
    compose::Remote,
    content::Content,
    context::{Context, Elicitation},
    message::Complete,
    server::Options,
    testing::{LEGACY, MODERN, TestClient},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::oneshot;

#[derive(Deserialize, JsonSchema)]
struct Name {
    name: String,
}

async fn greet(_: Context, Name { name }: Name) -> Result<String, Error> {
    Ok(format!("Hello {name}"))
}

async fn ask(context: Context, (): ()) -> Result<String, Error> {
    match context.elicit::<Name>("Who?").await? {
        Elicitation::Accepted(form) => Ok(form.name),
        _ => Err(Error::failed("nobody said")),
    }
}

async fn work(context: Context, (): ()) -> Result<Vec<Content>, Error> {
    context.progress(1.0, Some(2.0), Some("half")).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    Ok(vec![
        Content::Image { data: vec![1, 2, 3].into(), media_type: "image/png".to_owned() },
        Content::Link { uri: "far://note".to_owned(), name: "n".to_owned(), description: None, media_type: None },
    ])
}

async fn fail(_: Context, (): ()) -> Result<(), Error> {
    Err(Error::failed("the far side says no"))
}

async fn hang(_: Context, (): ()) -> Result<(), Error> {
    std::future::pending().await
}

async fn touch(context: Context, (): ()) -> Result<(), Error> {
    context.server().resource_updated("far://note");
    Ok(())
}

async fn grow(context: Context, (): ()) -> Result<(), Error> {
    context.server().add_tool(Tool::new("grown", "Is new.", fail)).map_err(|_| Error::failed("grown already"))
}

fn far() -> Server {
    Server::named("far")
        .tool(Tool::new("greet", "Greets.", greet).hints(Hints::READ).tag("polite").title("Greeting"))
        .tool(Tool::new("ask", "Asks.", ask))
        .tool(Tool::new("work", "Works.", work))
        .tool(Tool::new("fail", "Fails.", fail))
        .tool(Tool::new("hang", "Hangs.", hang))
        .tool(Tool::new("touch", "Changes the note.", touch))
        .tool(Tool::new("grow", "Adds a tool.", grow))
        .resource(Resource::text("far://note", "note", "a note"))
        .resource_template(
            ResourceTemplate::new("far://people/{name}", "people", greet)
                .complete("name", async |_: Context, _: Complete| Ok(vec!["Ada".to_owned()])),
        )
        .prompt(Prompt::new("welcome", "Welcomes.", greet))
}

/// A server that is served over HTTP until it is killed.
struct Site {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    served: tokio::task::JoinHandle<()>,
}

impl Site {
    async fn open(port: u16, sessions: usize) -> Self {
        let address: SocketAddr = if port == 0 {
            std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address")
        } else {
            ([127, 0, 0, 1], port).into()
        };
        let (stop, stopped) = oneshot::channel::<()>();
        let mut options = Options { port: address.port(), sessions, ..Options::default() };
        options.limits.shutdown = Duration::from_millis(50);
        let served = tokio::spawn(async move {
            let stop = async {
                let _ = stopped.await;
            };
            far().serve_http(&options, stop).await.expect("it serves");
        });
        for _ in 0..500 {
            if tokio::net::TcpStream::connect(address).await.is_ok() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Self { address, stop, served }
    }

    fn remote(&self) -> Remote {
        Remote::http(format!("http://{}/mcp", self.address)).named("far")
    }

    async fn close(self) -> u16 {
        let _ = self.stop.send(());
        self.served.await.expect("it stops");
        self.address.port()
    }
}

fn names(items: &[Value], key: &str) -> Vec<String> {
    items.iter().map(|item| item[key].as_str().unwrap_or_default().to_owned()).collect()
}

fn text(result: &Value) -> &str {
    result["content"][0]["text"].as_str().unwrap_or_default()
}

#[tokio::test]
async fn a_proxied_server_is_used_like_a_mounted_one() {
    let site = Site::open(0, 0).await;
    for version in [LEGACY, MODERN] {
        let client = TestClient::builder()
            .version(version)
            .capabilities(json!({"elicitation": {}}))
            .answers(|_, _| Ok(json!({"action": "accept", "content": {"name": "Ada"}})))
            .start(Server::named("near").proxy("far", site.remote()))
            .await
            .expect("a client");
        let tools = client.list("tools").await.expect("tools");
        let found = names(&tools, "name");
        assert_eq!(found[..3], ["far_greet", "far_ask", "far_work"]);
        assert_eq!(tools[0]["annotations"]["readOnlyHint"], true);
        assert_eq!(tools[0]["title"], "Greeting");
        assert_eq!(tools[0]["_meta"]["mcpwright/tags"], json!(["polite"]));
        assert_eq!(tools[0]["inputSchema"]["required"], json!(["name"]));

        let result = client.call_tool("far_greet", json!({"name": "Bob"})).await.expect("a result");
        assert_eq!(text(&result), "Hello Bob");
        let wrong = client.call_tool("far_greet", json!({"name": 7})).await.expect("a result");
        assert_eq!(wrong["isError"], true, "the far side checks: {wrong}");
        let failed = client.call_tool("far_fail", json!({})).await.expect("a result");
        assert_eq!((failed["isError"].as_bool(), text(&failed)), (Some(true), "the far side says no"));
        let asked = client.call_tool("far_ask", json!({})).await.expect("a result");
        assert_eq!(text(&asked), "Ada", "{version}: what the far side asks is asked here");

        let call = json!({"name": "far_work", "arguments": {}, "_meta": {"progressToken": 1}});
        let worked = client.request("tools/call", call).await.expect("a result");
        assert_eq!(worked["content"][0]["data"], "AQID");
        assert_eq!(worked["content"][1]["uri"], "far://far/note", "links lead somewhere from here");
        let told = client.notifications();
        assert!(told.iter().any(|told| told["params"]["message"] == "half"), "{told:?}");

        for (uri, expected) in [("far://far/note", "a note"), ("far://far/people/Eve", "Hello Eve")] {
            let read = client.read_resource(uri).await.expect("contents");
            assert_eq!(
                (read["contents"][0]["text"].as_str(), read["contents"][0]["uri"].as_str()),
                (Some(expected), Some(uri))
            );
        }
        let prompt = client.get_prompt("far_welcome", json!({"name": "Eve"})).await.expect("a prompt");
        assert_eq!(prompt["messages"][0]["content"]["text"], "Hello Eve");
        let params = json!({
            "ref": {"type": "ref/resource", "uri": "far://far/people/{name}"},
            "argument": {"name": "name", "value": "A"},
        });
        let completed = client.request("completion/complete", params).await.expect("proposals");
        assert_eq!(completed["completion"]["values"], json!(["Ada"]));
    }
}

#[tokio::test]
async fn what_changes_on_the_far_side_shows_here() {
    let site = Site::open(0, 0).await;
    let client = TestClient::builder()
        .version(LEGACY)
        .start(Server::named("near").proxy("far", site.remote()))
        .await
        .expect("a client");
    client.request("resources/subscribe", json!({"uri": "far://far/note"})).await.expect("a subscription");
    let mut updated = None;
    for _ in 0..100 {
        // The far side may not yet know that somebody listens.
        client.call_tool("far_touch", json!({})).await.expect("a result");
        tokio::time::sleep(Duration::from_millis(20)).await;
        let told = client.notifications();
        updated = told.into_iter().find(|told| told["method"] == "notifications/resources/updated");
        if updated.is_some() {
            break;
        }
    }
    assert_eq!(updated.expect("an update")["params"]["uri"], "far://far/note");
    client.call_tool("far_grow", json!({})).await.expect("a result");
    client.notification("notifications/tools/list_changed").await.expect("a change");
    let found = names(&client.list("tools").await.expect("tools"), "name");
    assert!(found.contains(&"far_grown".to_owned()), "{found:?}");
}

#[tokio::test]
async fn a_dead_server_harms_nobody_and_is_back_when_it_is_back() {
    for sessions in [0, 10] {
        let site = Site::open(0, sessions).await;
        let near = Server::named("near").tool(Tool::new("own", "Works.", greet)).proxy("far", site.remote());
        let client = TestClient::start(near).await.expect("a client");
        client.call_tool("far_greet", json!({"name": "A"})).await.expect("a result");
        let hanging = client.call_tool("far_hang", json!({}));
        let killing = async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            site.close().await
        };
        let (hung, port) = tokio::join!(hanging, killing);
        assert_eq!(hung.expect("a result")["isError"], true, "a call under way ends");

        let own = client.call_tool("own", json!({"name": "B"})).await.expect("a result");
        assert_eq!(text(&own), "Hello B");
        assert!(client.list("tools").await.expect("tools").len() > 5, "its tools stay listed");
        let dead = client.call_tool("far_greet", json!({"name": "C"})).await.expect("a result");
        assert_eq!(dead["isError"], true);
        assert!(text(&dead).contains("`far`") && text(&dead).contains("cannot be reached"), "{dead}");
        assert!(!text(&dead).contains("127.0.0.1"), "addresses are not for clients");

        let _site = Site::open(port, sessions).await;
        let mut last = Value::Null;
        for _ in 0..100 {
            last = client.call_tool("far_greet", json!({"name": "D"})).await.expect("a result");
            if last["isError"] == false {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert_eq!(text(&last), "Hello D", "{sessions} sessions");
    }
}

#[tokio::test]
async fn a_server_starts_without_the_one_it_proxies() {
    let site = Site::open(0, 0).await;
    let remote = site.remote();
    let port = site.close().await;
    let near = Server::named("near").tool(Tool::new("own", "Works.", greet)).proxy("far", remote);
    let client = TestClient::builder().version(LEGACY).start(near).await.expect("it starts");
    assert_eq!(names(&client.list("tools").await.expect("tools"), "name"), ["own"]);
    let _site = Site::open(port, 0).await;
    client.notification("notifications/tools/list_changed").await.expect("it is connected to");
    client.call_tool("far_greet", json!({"name": "A"})).await.expect("a result");
}

#[tokio::test]
async fn a_circle_of_servers_ends() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").port();
    let remote = Remote::http(format!("http://127.0.0.1:{port}/mcp")).named("self");
    let server = Server::named("snake").tool(Tool::new("greet", "Greets.", greet)).proxy("s", remote);
    let options = Options { port, ..Options::default() };
    let serving = tokio::spawn(async move { server.serve_http(&options, std::future::pending()).await });
    let looking = Remote::http(format!("http://127.0.0.1:{port}/mcp")).named("snake");
    let client = TestClient::start(Server::named("near").proxy("n", looking)).await.expect("a client");
    let mut last = 0;
    for _ in 0..20 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        last = client.list("tools").await.expect("tools").len();
    }
    assert!((1..=20).contains(&last), "{last} tools");
    serving.abort();
}

#[cfg(unix)]
#[tokio::test]
async fn a_command_sees_only_what_it_is_given() {
    let folder = tempfile::tempdir().expect("a folder");
    let noted = folder.path().join("environment");
    let remote = Remote::command("sh")
        .argument("-c")
        .argument(r#"env > "$NOTED.new"; mv "$NOTED.new" "$NOTED""#)
        .variable("NOTED", noted.to_str().expect("a plain path"))
        .inherit("CARGO_PKG_NAME");
    let _client = TestClient::start(Server::named("near").proxy("far", remote)).await.expect("it starts");
    let seen = std::fs::read_to_string(&noted).expect("the command ran");
    assert!(seen.contains("PATH=") && seen.contains("CARGO_PKG_NAME="), "{seen}");
    assert!(!seen.contains("CARGO_MANIFEST_DIR="), "what it is not given stays here: {seen}");
}
