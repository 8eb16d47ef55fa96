//! Answers to bodies that are no JSON-RPC: an error that says so, in JSON-RPC's own form.

use axum::{body::Body, extract::Request, middleware::Next, response::Response};
use bytes::Bytes;
use http::{HeaderValue, Method, StatusCode, header};
use serde_json::{Value, json};

/// Reads the body, hands it on, and puts a JSON-RPC error in the place of a refusal of the body.
pub(super) async fn check(most: usize, request: Request, next: Next) -> Response {
    let is_json = request.headers().get(header::CONTENT_TYPE).is_some_and(|value| {
        let value = value.as_bytes();
        value.len() >= 16 && value[..16].eq_ignore_ascii_case(b"application/json")
    });
    if request.method() != Method::POST || !is_json {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    let Ok(bytes) = axum::body::to_bytes(body, most).await else {
        let message = format!("The body is larger than {most} bytes, or it broke off.");
        return refusal(StatusCode::PAYLOAD_TOO_LARGE, -32600, &message, &Value::Null);
    };
    let response = next.run(Request::from_parts(parts, Body::from(bytes.clone()))).await;
    if response.status() == StatusCode::UNSUPPORTED_MEDIA_TYPE { explain(&bytes) } else { response }
}

fn explain(bytes: &Bytes) -> Response {
    match serde_json::from_slice::<Value>(bytes) {
        Err(error) => refusal(StatusCode::BAD_REQUEST, -32700, &format!("The body is no JSON: {error}."), &Value::Null),
        Ok(Value::Array(_)) => {
            let message = "Batches are not part of this protocol. Send one message per request.";
            refusal(StatusCode::BAD_REQUEST, -32600, message, &Value::Null)
        }
        Ok(message) => {
            let id = message.get("id").filter(|id| id.is_string() || id.is_number()).unwrap_or(&Value::Null);
            refusal(StatusCode::BAD_REQUEST, -32600, "The body is no JSON-RPC 2.0 message.", id)
        }
    }
}

fn refusal(status: StatusCode, code: i64, message: &str, id: &Value) -> Response {
    let body = json!({"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": message}}).to_string();
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
