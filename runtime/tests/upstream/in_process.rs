//! A service in this process instead of the network.

use axum::{Router, extract::Path, routing::get};
use mcpwright_runtime::{
    catalog::{Api, Operation, Parameter, Server},
    upstream::Upstream,
};
use serde_json::json;

use crate::recorder::{call, structured};

static ID: Parameter = Parameter { name: "id", ..Parameter::PATH };
static GET: Operation = Operation { path: "/pets/{id}", parameters: &[&ID], ..Operation::DEFAULT };
static API: Api = Api { servers: &[&Server { url: "/api", ..Server::DEFAULT }], ..Api::DEFAULT };

#[tokio::test]
async fn a_router_answers_without_a_socket() {
    let router =
        Router::new().route(
            "/api/pets/{id}",
            get(|Path(id): Path<String>| async move {
                ([("content-type", "application/json")], format!(r#"{{"id":"{id}"}}"#))
            }),
        );
    let upstream =
        Upstream::builder(&API).prefix("T").environment([("", ""); 0]).service(router).build().expect("an upstream");
    let result = call(&upstream, &GET, json!({ "id": "a b" })).await.expect("a result");
    assert_eq!(structured(&result), Some(json!({ "id": "a b" })));
}
