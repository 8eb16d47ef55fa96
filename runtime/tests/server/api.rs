use std::sync::{Arc, Mutex};

use axum::{extract::Request, response::IntoResponse};
use mcpwright_runtime::{
    Error, Server,
    catalog::{Api, Body, Hints, Kind, Method, Operation, Parameter},
    component::Call,
    content::ToolResult,
    context::Context,
    server::Options,
    testing::TestClient,
    upstream::{Settings, Upstream},
};
use serde_json::json;

static ID: Parameter = Parameter { name: "petId", schema: r#"{"type":"integer"}"#, ..Parameter::PATH };
static LIMIT: Parameter =
    Parameter { name: "limit", schema: r#"{"type":"integer","maximum":100}"#, ..Parameter::QUERY };
static STATUS: Parameter =
    Parameter { name: "status", schema: r##"{"type":"array","items":{"$ref":"#/$defs/Status"}}"##, ..Parameter::QUERY };
static KIND: Parameter =
    Parameter { name: "kind", schema: r#"{"type":"string","enum":["cat","dog"]}"#, ..Parameter::QUERY };

static LIST_PETS: Operation = Operation {
    id: "listPets",
    name: "list_pets",
    kind: Kind::ResourceTemplate,
    description: "Lists pets.",
    path: "/pets",
    uri: "api://petstore/pets{?limit,status*,kind}",
    plain_uri: "api://petstore/pets",
    parameters: &[&LIMIT, &STATUS, &KIND],
    definitions: &["Status"],
    ..Operation::DEFAULT
};
static GET_PET: Operation = Operation {
    id: "getPet",
    name: "get_pet",
    kind: Kind::ResourceTemplate,
    path: "/pets/{petId}",
    uri: "api://petstore/pets/{petId}",
    parameters: &[&ID],
    ..Operation::DEFAULT
};
static NEW_PET: Body =
    Body { schema: r#"{"type":"object","properties":{"name":{"type":"string"}},"required":["name"]}"#, ..Body::JSON };
static CREATE_PET: Operation = Operation {
    id: "createPet",
    name: "create_pet",
    method: Method::Post,
    path: "/pets",
    body: Some(&NEW_PET),
    hints: Hints::CREATE,
    ..Operation::DEFAULT
};
static API: Api = Api {
    name: "petstore",
    title: "Pets",
    version: "1.0.0",
    description: "A shop for pets.",
    definitions: &[mcpwright_runtime::catalog::Definition {
        name: "Status",
        schema: r#"{"type":"string","enum":["available","sold"]}"#,
    }],
    operations: &[&[&LIST_PETS, &GET_PET, &CREATE_PET]],
    ..Api::DEFAULT
};

type Seen = Arc<Mutex<Vec<String>>>;

/// An API in this process that remembers what it was asked.
fn upstream(seen: &Seen) -> Upstream {
    let seen = seen.clone();
    let application = axum::Router::new().fallback(move |request: Request| {
        let seen = seen.clone();
        async move {
            let (parts, body) = request.into_parts();
            let body = axum::body::to_bytes(body, 1 << 20).await.unwrap_or_default();
            let target = parts.uri.path_and_query().map_or("", |target| target.as_str());
            let line = format!("{} {target} {}", parts.method, String::from_utf8_lossy(&body));
            seen.lock().expect("a log").push(line.trim().to_owned());
            if parts.uri.path().ends_with("/404") {
                return (http::StatusCode::NOT_FOUND, "no such pet").into_response();
            }
            let answer = json!({"path": parts.uri.path()}).to_string();
            ([("content-type", "application/json")], answer).into_response()
        }
    });
    let settings = Settings { base_url: Some("http://pets.test/".into()), ..Settings::default() };
    Upstream::builder(&API).settings(settings).service(application).build().expect("an upstream")
}

fn server(seen: &Seen) -> Server {
    Server::new(&API).upstream(upstream(seen))
}

#[tokio::test]
async fn operations_are_offered_as_what_they_are() {
    let client = TestClient::start(server(&Seen::default())).await.expect("a client");
    let tools = client.list("tools").await.expect("tools");
    assert_eq!(tools.len(), 1);
    assert_eq!(tools[0]["inputSchema"]["properties"]["name"]["type"], "string");
    assert_eq!(tools[0]["annotations"]["readOnlyHint"], false);
    let templates = client.list("resourceTemplates").await.expect("templates");
    assert_eq!(templates[1]["uriTemplate"], "api://petstore/pets/{petId}");
    let resources = client.list("resources").await.expect("resources");
    assert_eq!(resources[0]["uri"], "api://petstore/pets");
}

#[tokio::test]
async fn a_tool_calls_the_api() {
    let seen = Seen::default();
    let client = TestClient::start(server(&seen)).await.expect("a client");
    let result = client.call_tool("create_pet", json!({"name": "Rex"})).await.expect("a result");
    assert_eq!(result["structuredContent"], json!({"path": "/pets"}));
    let result = client.call_tool("create_pet", json!({"name": 5})).await.expect("a result");
    assert_eq!(result["isError"], true);
    assert_eq!(*seen.lock().expect("a log"), [r#"POST /pets {"name":"Rex"}"#], "what is wrong is not sent");
}

#[tokio::test]
async fn a_resource_uri_becomes_a_request() {
    let seen = Seen::default();
    let client = TestClient::start(server(&seen)).await.expect("a client");
    for uri in
        ["api://petstore/pets", "api://petstore/pets?limit=5&status=sold&status=available", "api://petstore/pets/7"]
    {
        let result = client.read_resource(uri).await.unwrap_or_else(|error| panic!("{uri}: {error}"));
        assert_eq!(result["contents"][0]["uri"], uri);
        assert_eq!(result["contents"][0]["mimeType"], "application/json");
    }
    let expected = ["GET /pets", "GET /pets?limit=5&status=sold&status=available", "GET /pets/7"];
    assert_eq!(*seen.lock().expect("a log"), expected);
}

#[tokio::test]
async fn a_wrong_resource_uri_is_not_sent() {
    let seen = Seen::default();
    let client = TestClient::start(server(&seen)).await.expect("a client");
    for uri in [
        "api://petstore/pets/rex",
        "api://petstore/pets/7%2F..%2F..",
        "api://petstore/pets?limit=5000",
        "api://petstore/pets?status=eaten",
        "api://petstore/pets?limt=5",
        "api://petstore/pets/7/toys",
    ] {
        assert_eq!(client.read_resource(uri).await.expect_err(uri).code, -32602, "{uri}");
    }
    assert!(seen.lock().expect("a log").is_empty());
    let error = client.read_resource("api://petstore/pets/404").await.expect_err("the API says 404");
    assert_eq!(error.code, -32602);
}

#[tokio::test]
async fn enums_of_parameters_are_proposed() {
    let client = TestClient::start(server(&Seen::default())).await.expect("a client");
    for (variable, value, expected) in [
        ("kind", "", json!(["cat", "dog"])),
        ("kind", "d", json!(["dog"])),
        ("status", "s", json!(["sold"])),
        ("limit", "", json!([])),
    ] {
        let reference = json!({"type": "ref/resource", "uri": LIST_PETS.uri});
        let params = json!({"ref": reference, "argument": {"name": variable, "value": value}});
        let result = client.request("completion/complete", params).await.expect("proposals");
        assert_eq!(result["completion"]["values"], expected, "{variable}");
    }
}

#[tokio::test]
async fn resources_can_be_tools() {
    let seen = Seen::default();
    let options = Options { resources_as_tools: true, ..Options::default() };
    let client = TestClient::builder().options(options).start(server(&seen)).await.expect("a client");
    let names: Vec<_> = client.list("tools").await.expect("tools").iter().map(|tool| tool["name"].clone()).collect();
    assert_eq!(names, ["create_pet", "list_pets", "get_pet"]);
    client.call_tool("list_pets", json!({"limit": 2})).await.expect("a result");
    assert_eq!(*seen.lock().expect("a log"), ["GET /pets?limit=2"]);
}

#[tokio::test]
async fn a_resource_that_becomes_a_tool_gets_a_name_that_is_free() {
    const LONG: &str = "a23456789_b23456789_c23456789_d23456789_e23456789_f23456789_read";
    static TAKEN: Operation = Operation { name: LONG, ..Operation::DEFAULT };
    static ALSO_TAKEN: Operation =
        Operation { name: "a23456789_b23456789_c23456789_d23456789_e23456789_f2345678_read2", ..Operation::DEFAULT };
    static THING: Operation =
        Operation { name: LONG, kind: Kind::Resource, uri: "api://long/thing", ..Operation::DEFAULT };
    static LONG_API: Api = Api { name: "long", operations: &[&[&TAKEN, &ALSO_TAKEN, &THING]], ..Api::DEFAULT };
    let settings = Settings { base_url: Some("http://pets.test/".into()), ..Settings::default() };
    let upstream = Upstream::builder(&LONG_API).settings(settings).build().expect("an upstream");
    let options = Options { resources_as_tools: true, ..Options::default() };
    let server = Server::new(&LONG_API).upstream(upstream);
    let client = TestClient::builder().options(options).start(server).await.expect("a client");
    let tools = client.list("tools").await.expect("tools");
    assert_eq!(tools.len(), 3);
    assert_eq!(tools[2]["name"], "a23456789_b23456789_c23456789_d23456789_e23456789_f2345678_read3");
}

#[tokio::test]
async fn the_address_and_the_variables_of_one_api_are_not_those_of_another() {
    static MEADOW: Api = Api { name: "meadow", ..Api::DEFAULT };
    static SHOP: Api = Api { name: "Petstore", ..Api::DEFAULT };
    let refused = async |server: Server, base_url: Option<&str>| {
        let options = Options { base_url: base_url.map(str::to_owned), ..Options::default() };
        match TestClient::builder().options(options).start(server).await {
            Ok(_) => String::new(),
            Err(error) => error.to_string(),
        }
    };
    let error = refused(Server::new(&API).api(&MEADOW), Some("http://pets.test")).await;
    assert_eq!(error, "one base URL cannot serve several APIs: set PETSTORE_BASE_URL, MEADOW_BASE_URL");
    let error = refused(Server::new(&API).api(&SHOP), None).await;
    assert!(
        error.starts_with(r#"the APIs "petstore" and "Petstore" would both read the variables PETSTORE_…"#),
        "{error}"
    );
}

#[tokio::test]
async fn a_wrapper_stands_before_and_behind_the_call() {
    async fn polite(_: Context, mut call: Call) -> Result<ToolResult, Error> {
        if call.arguments["name"] == "Cerberus" {
            return Ok(ToolResult::error("No hellhounds."));
        }
        call.arguments["name"] = "Sir Rex".into();
        let mut result = call.proceed().await?;
        result.meta.insert("polite".into(), true.into());
        Ok(result)
    }
    let seen = Seen::default();
    let client = TestClient::start(server(&seen).wrap(&CREATE_PET, polite)).await.expect("a client");
    let result = client.call_tool("create_pet", json!({"name": "Rex"})).await.expect("a result");
    assert_eq!(result["_meta"]["polite"], true);
    let result = client.call_tool("create_pet", json!({"name": "Cerberus"})).await.expect("a result");
    assert_eq!(result["content"][0]["text"], "No hellhounds.");
    assert_eq!(*seen.lock().expect("a log"), [r#"POST /pets {"name":"Sir Rex"}"#]);
}
