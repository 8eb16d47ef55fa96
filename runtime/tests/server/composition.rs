use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use mcpwright_runtime::{
    Error, Server,
    component::{Prompt, Resource, ResourceTemplate, Tool},
    compose::{Mounted, UriStyle},
    content::{Content, ResourceBody, ResourceContents, ToolResult},
    context::{Context, Elicitation},
    message::{CallTool, Complete, GetPrompt, ListPage, Page, PromptResult, ReadResource, ToolInfo},
    middleware::{Middleware, Next, ToolInjection},
    server::{Options, StartError},
    testing::{LEGACY, MODERN, TestClient},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize, JsonSchema)]
struct City {
    /// Which city.
    city: String,
}

async fn now(context: Context, City { city }: City) -> Result<String, Error> {
    let station = context.lifespan::<Station>().map_or("no station", |station| station.0);
    Ok(format!("Rain in {city}, says {station}"))
}

async fn link(_: Context, (): ()) -> Result<Content, Error> {
    Ok(Content::Link {
        uri: "data://cities".to_owned(),
        name: "cities".to_owned(),
        description: None,
        media_type: None,
    })
}

/// What a tool of an API answers whose document has links.
async fn hint(_: Context, (): ()) -> Result<ToolResult, Error> {
    let hints = json!({
        "one": {"tool": "now", "arguments": {"city": "Ely"}},
        "all": {"resource": "data://cities", "arguments": {}},
    });
    let mut result = ToolResult::text("{}");
    let text = "[What can follow:\n- one: `now` with {\"city\":\"Ely\"}\n- all: `data://cities` with {}]";
    result.content.push(Content::Text(text.to_owned()));
    result.meta.insert("io.github.mcpwright/http".to_owned(), json!({"status": 200, "links": hints}));
    Ok(result)
}

#[tokio::test]
async fn hints_of_an_inner_server_name_what_can_be_called_outside() {
    let inner = Server::named("inner").tool(Tool::new("hint", "Says what can follow.", hint));
    let server = Server::named("outer").mount("b", Server::named("middle").mount("a", inner));
    let client = TestClient::start(server).await.expect("a client");
    let result = client.call_tool("b_a_hint", json!({})).await.expect("a result");
    let hints = &result["_meta"]["io.github.mcpwright/http"]["links"];
    assert_eq!(hints["one"]["tool"], "b_a_now", "{result}");
    assert_eq!(hints["all"]["resource"], "data://b/a/cities", "{result}");
    let text = result["content"][1]["text"].as_str().expect("a text");
    assert!(text.contains("- one: `b_a_now` with ") && text.contains("- all: `data://b/a/cities` with "), "{text}");
}

async fn by_city(_: Context, City { city }: City) -> Result<String, Error> {
    Ok(format!("About {city}"))
}

async fn learn(context: Context, (): ()) -> Result<(), Error> {
    let server = context.server();
    server.add_tool(Tool::new("learnt", "Is new.", link)).map_err(|_| Error::failed("known already"))?;
    server.resource_updated("data://cities");
    Ok(())
}

async fn ask(context: Context, (): ()) -> Result<String, Error> {
    #[derive(Deserialize, JsonSchema)]
    struct Form {
        city: String,
    }
    match context.elicit::<Form>("Which city?").await? {
        Elicitation::Accepted(form) => Ok(form.city),
        _ => Err(Error::failed("nothing was said")),
    }
}

struct Station(&'static str);

fn weather() -> Server {
    Server::named("weather-station")
        .tool(Tool::new("now", "Tells the weather.", now).tag("public"))
        .tool(Tool::new("link", "Leads to the cities.", link))
        .tool(Tool::new("learn", "Adds a tool.", learn))
        .tool(Tool::new("ask", "Asks which city.", ask))
        .resource(Resource::text("data://cities", "cities", "Berlin").tag("public"))
        .resource_template(
            ResourceTemplate::new("data://cities/{city}", "city", by_city)
                .complete("city", async |_: Context, _: Complete| Ok(vec!["Bonn".to_owned()])),
        )
        .prompt(
            Prompt::new("report", "Reports.", by_city)
                .complete("city", async |_: Context, _: Complete| Ok(vec!["Berlin".to_owned()])),
        )
        .lifespan(async || Ok::<_, Error>(Station("Berlin-Dahlem")))
}

fn names(items: &[Value], key: &str) -> Vec<String> {
    items.iter().map(|item| item[key].as_str().unwrap_or_default().to_owned()).collect()
}

async fn tools(client: &TestClient) -> Vec<String> {
    names(&client.list("tools").await.expect("tools"), "name")
}

fn text(result: &Value) -> &str {
    result["content"][0]["text"].as_str().unwrap_or_default()
}

#[tokio::test]
async fn a_mounted_server_is_used_under_its_prefix() {
    for version in [LEGACY, MODERN] {
        let server = Server::named("outer").tool(Tool::new("own", "Is one's own.", link)).mount("weather", weather());
        let client = TestClient::builder()
            .version(version)
            .capabilities(json!({"elicitation": {}}))
            .answers(|_, _| Ok(json!({"action": "accept", "content": {"city": "Jena"}})))
            .start(server)
            .await
            .expect("a client");
        assert_eq!(tools(&client).await, ["own", "weather_now", "weather_link", "weather_learn", "weather_ask"]);
        let result = client.call_tool("weather_now", json!({"city": "Berlin"})).await.expect("a result");
        assert_eq!(text(&result), "Rain in Berlin, says Berlin-Dahlem", "its lifespan is there");
        let wrong = client.call_tool("weather_now", json!({"city": 7})).await.expect("a result");
        assert_eq!(wrong["isError"], true);
        let asked = client.call_tool("weather_ask", json!({})).await.expect("a result");
        assert_eq!(text(&asked), "Jena", "{version}: it can ask the client");
        let linked = client.call_tool("weather_link", json!({})).await.expect("a result");
        assert_eq!(linked["content"][0]["uri"], "data://weather/cities", "links lead somewhere from outside too");

        let resources = client.list("resources").await.expect("resources");
        assert_eq!(names(&resources, "uri"), ["data://weather/cities"]);
        let templates = client.list("resourceTemplates").await.expect("templates");
        assert_eq!(names(&templates, "uriTemplate"), ["data://weather/cities/{city}"]);
        for (uri, expected) in [("data://weather/cities", "Berlin"), ("data://weather/cities/Ulm", "About Ulm")] {
            let read = client.read_resource(uri).await.expect("contents");
            assert_eq!(read["contents"][0]["text"], expected);
            assert_eq!(read["contents"][0]["uri"], uri);
        }
        client.read_resource("data://cities").await.expect_err("it has another URI here");

        let prompts = client.list("prompts").await.expect("prompts");
        assert_eq!(names(&prompts, "name"), ["weather_report"]);
        assert_eq!(prompts[0]["arguments"][0]["name"], "city");
        let prompt = client.get_prompt("weather_report", json!({"city": "Bonn"})).await.expect("a prompt");
        assert_eq!(prompt["messages"][0]["content"]["text"], "About Bonn");
        for (reference, expected) in [
            (json!({"type": "ref/prompt", "name": "weather_report"}), "Berlin"),
            (json!({"type": "ref/resource", "uri": "data://weather/cities/{city}"}), "Bonn"),
        ] {
            let params = json!({"ref": reference, "argument": {"name": "city", "value": "B"}});
            let completed = client.request("completion/complete", params).await.expect("proposals");
            assert_eq!(completed["completion"]["values"], json!([expected]));
        }
    }
}

#[tokio::test]
async fn a_mount_is_live_and_an_import_is_a_copy() {
    for (server, live) in [
        (Server::named("outer").mount("weather", weather()), true),
        (Server::named("outer").import("weather", weather()), false),
    ] {
        let client = TestClient::builder().version(LEGACY).start(server).await.expect("a client");
        client.request("resources/subscribe", json!({"uri": "data://weather/cities"})).await.expect("a subscription");
        client.call_tool("weather_learn", json!({})).await.expect("a result");
        let updated = client.notification("notifications/resources/updated").await.expect("an update");
        assert_eq!(updated["params"]["uri"], "data://weather/cities");
        assert_eq!(tools(&client).await.contains(&"weather_learnt".to_owned()), live);
        assert_eq!(client.call_tool("weather_learnt", json!({})).await.is_ok(), live);
        let told = client.notifications();
        let told = told.iter().any(|told| told["method"] == "notifications/tools/list_changed");
        assert_eq!(told, live);
    }
}

#[tokio::test]
async fn servers_nest_and_prefixes_add_up() {
    let country = Server::named("country").mount("weather", weather());
    let client = TestClient::start(Server::named("world").mount("de", country)).await.expect("a client");
    let result = client.call_tool("de_weather_now", json!({"city": "Köln"})).await.expect("a result");
    assert_eq!(text(&result), "Rain in Köln, says Berlin-Dahlem");
    let read = client.read_resource("data://de/weather/cities/Ulm").await.expect("contents");
    assert_eq!(read["contents"][0]["uri"], "data://de/weather/cities/Ulm");
    client.call_tool("de_weather_learn", json!({})).await.expect("a result");
    assert!(tools(&client).await.contains(&"de_weather_learnt".to_owned()), "a change passes all levels");
}

#[tokio::test]
async fn prefixes_may_show_in_the_scheme_or_not_at_all() {
    let server = Server::named("outer").mount("w", Mounted::from(weather()).uris(UriStyle::Scheme));
    let client = TestClient::start(server).await.expect("a client");
    let read = client.read_resource("w+data://cities/Ulm").await.expect("contents");
    assert_eq!(read["contents"][0]["text"], "About Ulm");
    let client = TestClient::start(Server::named("outer").mount("", weather())).await.expect("a client");
    client.call_tool("now", json!({"city": "Ulm"})).await.expect("a result");
    client.read_resource("data://cities").await.expect("contents");
}

#[tokio::test]
async fn tags_decide_across_all_levels() {
    let only = Server::named("outer").tool(Tool::new("own", "", link)).mount("w", weather()).only("public");
    let client = TestClient::start(only).await.expect("a client");
    assert_eq!(tools(&client).await, ["w_now"]);
    assert_eq!(client.list("resources").await.expect("resources").len(), 1);
    client.call_tool("w_link", json!({})).await.expect_err("it is not offered");

    let without = Server::named("world").mount("c", Server::named("country").mount("w", weather())).disable("public");
    let client = TestClient::start(without).await.expect("a client");
    assert!(!tools(&client).await.contains(&"c_w_now".to_owned()));
    client.call_tool("c_w_now", json!({"city": "x"})).await.expect_err("it is not offered");
    client.read_resource("data://c/w/cities").await.expect_err("nor is this");

    let inside = Server::named("outer").mount("w", weather().only("public"));
    let client = TestClient::start(inside).await.expect("a client");
    assert_eq!(tools(&client).await, ["w_now"]);
}

type Log = Arc<Mutex<Vec<String>>>;

/// Shows and allows the tool `now` only where the request was marked by a layer outside.
struct OnlyMarked(Log);

#[derive(Clone)]
struct Mark;

#[async_trait]
impl Middleware for OnlyMarked {
    async fn on_list_tools(
        &self,
        context: &Context,
        page: ListPage,
        next: Next<'_, ListPage, Page<ToolInfo>>,
    ) -> Result<Page<ToolInfo>, Error> {
        let mut page = next.run(page).await?;
        let is_marked = context.get::<Mark>().is_some();
        page.items = page.items.iter().filter(|tool| is_marked || tool.name != "now").cloned().collect();
        Ok(page)
    }

    async fn on_call_tool(
        &self,
        context: &Context,
        call: CallTool,
        next: Next<'_, CallTool, ToolResult>,
    ) -> Result<ToolResult, Error> {
        self.0.lock().expect("a log").push(call.name.clone());
        if call.name == "now" && context.get::<Mark>().is_none() {
            return Err(Error::failed("not for you"));
        }
        next.run(call).await
    }
}

struct Marking;

#[async_trait]
impl Middleware for Marking {
    async fn on_request(
        &self,
        context: &Context,
        request: mcpwright_runtime::message::Request,
        next: Next<'_, mcpwright_runtime::message::Request, mcpwright_runtime::message::Response>,
    ) -> Result<mcpwright_runtime::message::Response, Error> {
        context.insert(Mark);
        next.run(request).await
    }
}

#[tokio::test]
async fn layers_of_an_inner_server_decide_about_what_is_its_own() {
    for is_marked in [false, true] {
        let log = Log::default();
        let injected = ToolInjection::new([Tool::new("extra", "Injected.", link)]);
        let inner = weather().middleware(OnlyMarked(log.clone())).middleware(injected);
        let mut server = Server::named("outer").tool(Tool::new("now", "Is one's own.", link)).mount("w", inner);
        if is_marked {
            server = server.middleware(Marking);
        }
        let client = TestClient::start(server).await.expect("a client");
        let listed = tools(&client).await;
        assert_eq!(listed.contains(&"w_now".to_owned()), is_marked, "{listed:?}");
        assert!(listed.contains(&"now".to_owned()) && listed.contains(&"w_extra".to_owned()), "{listed:?}");
        let called = client.call_tool("w_now", json!({"city": "x"})).await.expect("a result");
        assert_eq!(called["isError"], !is_marked);
        client.call_tool("now", json!({})).await.expect("the outer server's own");
        let extra = client.call_tool("w_extra", json!({})).await.expect("a result");
        assert_eq!(extra["content"][0]["uri"], "data://w/cities");
        assert_eq!(*log.lock().expect("a log"), ["now", "extra"], "and only about that");
    }
}

/// Offers a resource and a prompt that the server itself does not have.
struct More;

#[async_trait]
impl Middleware for More {
    async fn on_read_resource(
        &self,
        _: &Context,
        read: ReadResource,
        next: Next<'_, ReadResource, Vec<ResourceContents>>,
    ) -> Result<Vec<ResourceContents>, Error> {
        if read.uri != "more://here" {
            return next.run(read).await;
        }
        let body = ResourceBody::Text("more".to_owned());
        Ok(vec![ResourceContents { uri: read.uri, media_type: None, body, meta: serde_json::Map::new() }])
    }

    async fn on_get_prompt(
        &self,
        _: &Context,
        get: GetPrompt,
        next: Next<'_, GetPrompt, PromptResult>,
    ) -> Result<PromptResult, Error> {
        if get.name == "more" { Ok(PromptResult::default()) } else { next.run(get).await }
    }
}

#[tokio::test]
async fn what_only_layers_of_an_inner_server_offer_is_reached_and_what_is_hidden_is_not() {
    let server = Server::named("outer").mount("w", weather().middleware(More)).disable("public").disable("w_report");
    let client = TestClient::start(server).await.expect("a client");
    let read = client.read_resource("more://w/here").await.expect("contents");
    assert_eq!(read["contents"][0]["uri"], "more://w/here");
    client.get_prompt("w_more", json!({})).await.expect("a prompt");
    client.get_prompt("w_report", json!({"city": "x"})).await.expect_err("it is hidden");
    client.read_resource("data://w/cities").await.expect_err("it is hidden");
    client.call_tool("w_now", json!({"city": "x"})).await.expect_err("it is hidden");
}

#[tokio::test]
async fn lists_of_several_levels_come_in_pages() {
    let inner = weather().middleware(Marking);
    let server = Server::named("outer").mount("w", inner).mount("v", weather());
    let options = Options { page_size: 3, ..Options::default() };
    let client = TestClient::builder().options(options).start(server).await.expect("a client");
    let first = client.request("tools/list", json!({})).await.expect("a page");
    assert_eq!(first["tools"].as_array().map(Vec::len), Some(3));
    assert_eq!(tools(&client).await.len(), 8);
}

#[tokio::test]
async fn what_does_not_fit_together_names_both_sides() {
    let cases = [
        (
            Server::named("outer").tool(Tool::new("w_now", "", link)).mount("w", weather()),
            vec!["`w_now`", "added by hand", "`now` of the inner server `weather-station` (prefix `w`)"],
        ),
        (
            Server::named("outer")
                .mount("", weather().disable("data://cities"))
                .import("", Server::named("other").tool(Tool::new("now", "", link))),
            vec!["two tools are called `now`", "`weather-station`", "`other`"],
        ),
        (Server::named("outer").mount("a b", weather()), vec!["`a b` is no prefix"]),
        (
            Server::named("outer").mount("w", Server::named("inner").tool(Tool::new("a b", "", link))),
            vec!["in the inner server `inner`", "`a b` is no name"],
        ),
    ];
    for (server, expected) in cases {
        let Err(StartError::Components(problems)) = TestClient::start(server).await else { panic!("it starts") };
        let problem = problems[0].to_string();
        for part in expected {
            assert!(problem.contains(part), "{problem}");
        }
    }
}

#[tokio::test]
async fn what_only_the_outermost_server_can_have_is_refused_within() {
    let inner = Server::named("inner").http(|router, _| Ok::<_, Error>(router));
    let error = TestClient::start(Server::named("outer").mount("i", inner)).await.err().expect("it cannot start");
    let message = error.to_string();
    assert!(message.contains("`inner`") && message.contains("outermost"), "{message}");
}

#[tokio::test]
async fn lifespans_of_inner_servers_start_after_and_stop_before_those_around_them() {
    struct Outer;
    let log = Log::default();
    let push = |log: &Log, what: &str| log.lock().expect("a log").push(what.to_owned());
    let spanned = |name: &'static str| {
        let (start, stop) = (log.clone(), log.clone());
        Server::named(name).lifespan_until(
            async move || {
                push(&start, &format!("{name} starts"));
                Ok::<_, Error>(Outer)
            },
            async move |_| push(&stop, &format!("{name} stops")),
        )
    };
    async fn sees(context: Context, (): ()) -> Result<bool, Error> {
        Ok(context.lifespan::<Outer>().is_some())
    }
    let inner = Server::named("bare").tool(Tool::new("sees", "", sees));
    let server = spanned("outer").mount("a", spanned("inner")).mount("b", inner);
    let client = TestClient::start(server).await.expect("a client");
    let seen = client.call_tool("b_sees", json!({})).await.expect("a result");
    assert_eq!(text(&seen), "true", "values of the server around it are seen within");
    drop(client);
    for _ in 0..500 {
        if log.lock().expect("a log").len() == 4 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    let expected = ["outer starts", "inner starts", "inner stops", "outer stops"];
    assert_eq!(*log.lock().expect("a log"), expected);
}

#[tokio::test]
async fn names_stay_within_what_clients_take() {
    let long = "a".repeat(64);
    let inner = Server::named("inner").tool(Tool::new(long.clone(), "", link));
    let client = TestClient::start(Server::named("outer").mount("prefix", inner)).await.expect("a client");
    let names = tools(&client).await;
    assert_eq!(names[0].len(), 64);
    client.call_tool(&names[0], json!({})).await.expect("a result");
}
