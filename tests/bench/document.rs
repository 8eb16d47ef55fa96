//! The OpenAPI document of the comparison and the HTTP API behind it.

use std::net::SocketAddr;

use axum::Router;
use axum::routing::get;
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;

/// A document with `operations` operations: three of a pet shop, the rest to fill lists with.
pub(crate) fn document(operations: usize) -> Value {
    let pet = json!({ "$ref": "#/components/schemas/Pet" });
    let answer = |schema: &Value| {
        json!({ "200": {
        "description": "OK",
        "content": { "application/json": { "schema": schema } },
    } })
    };
    let mut paths = Map::new();
    paths.insert(
        "/pets".to_owned(),
        json!({
            "get": {
                "operationId": "listPets",
                "summary": "List all pets",
                "parameters": [{ "name": "limit", "in": "query", "schema": { "type": "integer", "maximum": 100 } }],
                "responses": answer(&json!({ "type": "array", "items": pet })),
            },
            "post": {
                "operationId": "createPet",
                "summary": "Create a pet",
                "requestBody": { "required": true, "content": { "application/json": { "schema": pet } } },
                "responses": answer(&pet),
            },
        }),
    );
    paths.insert(
        "/pets/{petId}".to_owned(),
        json!({ "get": {
        "operationId": "getPet",
        "summary": "A pet by its number",
        "parameters": [{ "name": "petId", "in": "path", "required": true, "schema": { "type": "integer" } }],
        "responses": answer(&pet),
    } }),
    );
    for number in 3..operations {
        paths.insert(
            format!("/shops/{{shopId}}/shelves{number}/{{shelf}}"),
            json!({ "post": {
            "operationId": format!("fillShelf{number}"),
            "summary": format!("Fill shelf {number} of a shop"),
            "description": "Puts pets on a shelf. What stood there before is sold at a discount.",
            "parameters": [
                { "name": "shopId", "in": "path", "required": true, "schema": { "type": "string", "format": "uuid" } },
                { "name": "shelf", "in": "path", "required": true, "schema": { "type": "integer", "minimum": 1 } },
                { "name": "urgent", "in": "query", "description": "At once", "schema": { "type": "boolean" } },
            ],
            "requestBody": { "content": { "application/json": { "schema": pet } } },
            "responses": answer(&pet),
        } }),
        );
    }
    json!({
        "openapi": "3.0.3",
        "info": { "title": "Bench", "version": "1.0.0" },
        "servers": [{ "url": "http://127.0.0.1" }],
        "paths": paths,
        "components": { "schemas": { "Pet": {
            "type": "object",
            "required": ["id", "name"],
            "properties": {
                "id": { "type": "integer" },
                "name": { "type": "string", "maxLength": 80 },
                "tag": { "type": "string", "enum": ["cat", "dog", "newt"] },
                "born": { "type": "string", "format": "date" },
            },
        } } },
    })
}

/// Serves the API on a loopback port: answers that are ready beforehand.
pub(crate) async fn upstream() -> SocketAddr {
    let pet = json!({ "id": 7, "name": "Rex", "tag": "dog", "born": "2020-01-31" });
    let pets: Vec<_> = (0..140).map(|_| pet.clone()).collect();
    let (pet, pets) = (pet.to_string(), json!(pets).to_string());
    let json = [("content-type", "application/json")];
    let created = pet.clone();
    let router = Router::new()
        .route("/pets", get(async move || (json, pets.clone())).post(async move || (json, created.clone())))
        .route("/pets/{id}", get(async move || (json, pet.clone())));
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a loopback port");
    let address = listener.local_addr().expect("a bound address");
    tokio::spawn(async move {
        axum::serve(
            axum::serve::ListenerExt::tap_io(listener, |stream| {
                // Small answers go out at once.
                let _ = stream.set_nodelay(true);
            }),
            router,
        )
        .await
    });
    address
}
