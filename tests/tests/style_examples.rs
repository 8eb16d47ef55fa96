//! The examples of parameter styles that others test their tools with (npm, `@readme/oas-examples`): every operation,
//! in both versions of the document, sends what the specification's table of styles says (OpenAPI 3.2 §4.12.2.4).

use mcpwright_tests::client::{Client, Era};
use mcpwright_tests::peers::Installed;
use mcpwright_tests::process::Launch;
use mcpwright_tests::upstream::{Answer, Recorded, Upstream};
use serde_json::{Value, json};

/// What a request holds beside its target.
enum Rest {
    Nothing,
    Cookie(&'static str),
    /// `primitive`, `array`, `object`
    Headers([&'static str; 3]),
    /// The name of each part, its media type if it has one, its text.
    Parts(&'static [(&'static str, &'static str, &'static str)]),
}

/// The tool of an operation, the request's target, and the rest.
fn table() -> Vec<(&'static str, &'static str, Rest)> {
    use Rest::{Cookie, Headers, Nothing, Parts};
    vec![
        (
            "cookies_standard",
            "GET /cookies",
            Cookie("primitive=blue; array=blue; array=black; array=brown; R=100; G=200; B=150"),
        ),
        (
            "cookies_form_exploded",
            "GET /cookies",
            Cookie("primitive=blue; array=blue; array=black; array=brown; R=100; G=200; B=150"),
        ),
        (
            "cookies_form_non_exploded",
            "GET /cookies",
            Cookie("primitive=blue; array=blue,black,brown; object=R,100,G,200,B,150"),
        ),
        ("headers_standard", "GET /anything/headers", Headers(["blue", "blue,black,brown", "R,100,G,200,B,150"])),
        (
            "headers_simple_non_exploded",
            "GET /anything/headers/simple",
            Headers(["blue", "blue,black,brown", "R,100,G,200,B,150"]),
        ),
        (
            "headers_simple_exploded",
            "POST /anything/headers/simple",
            Headers(["blue", "blue,black,brown", "R=100,G=200,B=150"]),
        ),
        ("paths_standard", "GET /anything/path/blue/blue,black,brown/R,100,G,200,B,150", Nothing),
        (
            "paths_matrix_non_exploded",
            "GET /anything/path/matrix/;primitive=blue/;array=blue,black,brown/;object=R,100,G,200,B,150",
            Nothing,
        ),
        (
            "paths_matrix_exploded",
            "POST /anything/path/matrix/;primitive=blue/;array=blue;array=black;array=brown/;R=100;G=200;B=150",
            Nothing,
        ),
        ("paths_label_non_exploded", "GET /anything/path/label/.blue/.blue,black,brown/.R,100,G,200,B,150", Nothing),
        ("paths_label_exploded", "POST /anything/path/label/.blue/.blue.black.brown/.R=100.G=200.B=150", Nothing),
        ("paths_simple_non_exploded", "GET /anything/path/simple/blue/blue,black,brown/R,100,G,200,B,150", Nothing),
        ("paths_simple_exploded", "POST /anything/path/simple/blue/blue,black,brown/R=100,G=200,B=150", Nothing),
        (
            "query_standard",
            "GET /anything/query?primitive=blue&array=blue&array=black&array=brown&R=100&G=200&B=150",
            Nothing,
        ),
        (
            "query_form_non_exploded",
            "GET /anything/query/form?primitive=blue&array=blue,black,brown&object=R,100,G,200,B,150",
            Nothing,
        ),
        (
            "query_form_exploded",
            "POST /anything/query/form?primitive=blue&array=blue&array=black&array=brown&R=100&G=200&B=150",
            Nothing,
        ),
        (
            "query_space_delimited_non_exploded",
            "GET /anything/query/spaceDelimited?array=blue%20black%20brown&object=R%20100%20G%20200%20B%20150",
            Nothing,
        ),
        (
            "query_pipe_delimited_non_exploded",
            "GET /anything/query/pipeDelimited?array=blue%7Cblack%7Cbrown&object=R%7C100%7CG%7C200%7CB%7C150",
            Nothing,
        ),
        (
            "query_deep_object_non_exploded",
            "GET /anything/query/deepObject?object%5BR%5D=100&object%5BG%5D=200&object%5BB%5D=150",
            Nothing,
        ),
        (
            "form_data_standard",
            "POST /anything/form-data",
            Parts(&[
                ("primitive", "", "blue"),
                ("array", "", "blue"),
                ("array", "", "black"),
                ("array", "", "brown"),
                ("object", "application/json", "{\"R\":100,\"G\":200,\"B\":150}"),
            ]),
        ),
        (
            "form_data_form_non_exploded",
            "POST /anything/form-data/form",
            Parts(&[("primitive", "", "blue"), ("array", "", "blue,black,brown"), ("object", "", "R,100,G,200,B,150")]),
        ),
        (
            "form_data_form_exploded",
            "PUT /anything/form-data/form",
            Parts(&[
                ("primitive", "", "blue"),
                ("array", "", "blue"),
                ("array", "", "black"),
                ("array", "", "brown"),
                ("R", "", "100"),
                ("G", "", "200"),
                ("B", "", "150"),
            ]),
        ),
        (
            "form_data_space_delimited_non_exploded",
            " /anything/form-data/spaceDelimited",
            Parts(&[("array", "", "blue black brown"), ("object", "", "R 100 G 200 B 150")]),
        ),
        (
            "form_data_pipe_delimited_non_exploded",
            "POST /anything/form-data/pipeDelimited",
            Parts(&[("array", "", "blue|black|brown"), ("object", "", "R|100|G|200|B|150")]),
        ),
        // The table has no array or primitive as a deep object; the brackets without a key are the usual way.
        (
            "form_data_deep_object_exploded",
            "POST /anything/form-data/deepObject",
            Parts(&[
                ("primitive", "", "blue"),
                ("array[]", "", "blue"),
                ("array[]", "", "black"),
                ("array[]", "", "brown"),
                ("object[R]", "", "100"),
                ("object[G]", "", "200"),
                ("object[B]", "", "150"),
            ]),
        ),
    ]
}

#[tokio::test]
async fn every_operation_of_the_examples_of_styles_sends_what_the_table_says() {
    let Some(installed) = Installed::find() else { return };
    for version in ["3.0", "3.1"] {
        let document = installed.node_file(&format!("@readme/oas-examples/{version}/json/parameters-style.json"));
        let upstream = Upstream::start(|_| Answer::json(200, &json!({ "ok": true }))).await;
        let server = Launch::program("mcpwright")
            .arguments(["serve", &*document.to_string_lossy(), "--preset", "tools", "--base-url", &upstream.url()])
            .http()
            .await;
        let mut client = Client::http(&server, Era::Modern).await;
        let tools = client.list("tools/list", "tools").await;
        let mut names: Vec<_> = tools.iter().filter_map(|tool| tool["name"].as_str()).collect();
        let mut expected: Vec<_> = table().into_iter().map(|(name, ..)| name).collect();
        names.sort_unstable();
        expected.sort_unstable();
        assert_eq!(names, expected, "{version}: every operation is in the table");

        let mut wrong = Vec::new();
        for (name, line, rest) in table() {
            let tool = tools.iter().find(|tool| tool["name"] == name).expect("the tool is listed");
            let result = client.call(name, arguments(&tool["inputSchema"])).await;
            assert!(result.as_ref().is_ok_and(|result| result["isError"] != true), "{version} {name}: {result:?}");
            let request = upstream.take_one();
            // The two versions differ in one method.
            if !request.line().ends_with(line) {
                wrong.push(format!("{version} {name}: {} is not {line}", request.line()));
            }
            if let Some(found) = differs(&request, &rest) {
                wrong.push(format!("{version} {name}: {found}"));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}

/// The values of the specification's table for the arguments that a tool has.
fn arguments(schema: &Value) -> Value {
    let values = json!({
        "primitive": "blue",
        "array": ["blue", "black", "brown"],
        "object": { "R": 100, "G": 200, "B": 150 },
    });
    let has = |name: &str| schema["properties"].get(name).is_some();
    values
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(name, _)| has(name))
        .map(|(n, v)| (n.clone(), v.clone()))
        .collect()
}

/// What a request holds instead of what it should.
fn differs(request: &Recorded, rest: &Rest) -> Option<String> {
    let header = |name: &str, expected: &str| {
        let found = request.header(name).unwrap_or_default();
        (found != expected).then(|| format!("{name} is {found}, not {expected}"))
    };
    match rest {
        Rest::Nothing => (!request.body.is_empty()).then(|| "there is a body".to_owned()),
        Rest::Cookie(expected) => header("cookie", expected),
        Rest::Headers(expected) => {
            ["primitive", "array", "object"].iter().zip(expected).find_map(|(name, expected)| header(name, expected))
        }
        Rest::Parts(expected) => {
            let found = parts(request);
            let expected: Vec<_> = expected.iter().map(|(n, m, t)| [*n, *m, *t].map(str::to_owned)).collect();
            (found != expected).then(|| format!("{found:?} is not {expected:?}"))
        }
    }
}

/// Name, media type and text of each part of a form (RFC 7578 §4).
fn parts(request: &Recorded) -> Vec<[String; 3]> {
    let media_type = request.header("content-type").unwrap_or_default();
    let boundary = media_type.strip_prefix("multipart/form-data; boundary=").expect("a form with a boundary");
    let body = String::from_utf8_lossy(&request.body).into_owned();
    let inner = body.strip_suffix(&format!("--{boundary}--\r\n")).expect("the body ends with the boundary");
    let opening = format!("--{boundary}\r\n");
    inner
        .split(&opening)
        .skip(1)
        .map(|piece| {
            let (head, text) = piece.split_once("\r\n\r\n").expect("a part has a head");
            let disposition = "Content-Disposition: form-data; name=\"";
            let mut lines = head.split("\r\n");
            let name = lines.next().and_then(|line| line.strip_prefix(disposition)?.strip_suffix('"'));
            let media_type = lines.next().and_then(|line| line.strip_prefix("Content-Type: "));
            let text = text.strip_suffix("\r\n").expect("a part ends with a line break");
            [name.expect("a part has a name"), media_type.unwrap_or_default(), text].map(str::to_owned)
        })
        .collect()
}
