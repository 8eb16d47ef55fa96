//! A server with a component of every kind: the fixtures of the official conformance suite, and an example to copy from.
//!
//! ```text
//! cargo run -p mcpwright-runtime --example everything -- --transport http --port 8000
//! ```

mod asking;
mod contents;
mod lasting;
mod offers;
mod telling;

use mcpwright_runtime::{Server, component::Tool};
use serde_json::json;

fn main() -> std::process::ExitCode {
    server().main()
}

fn server() -> Server {
    let server = Server::named("everything")
        .version(env!("CARGO_PKG_VERSION"))
        .title("Everything")
        .instructions("Try each tool. None does any harm.")
        .website_url("https://modelcontextprotocol.io/")
        // Clients up to 2025-11-25 can only be asked within a session.
        .sessions(1000)
        .tool(Tool::new("test_simple_text", "Answers with text.", contents::simple_text))
        .tool(Tool::new("test_image_content", "Answers with a picture.", contents::image))
        .tool(Tool::new("test_audio_content", "Answers with sound.", contents::audio))
        .tool(Tool::new("test_embedded_resource", "Answers with a resource.", contents::embedded_resource))
        .tool(Tool::new("test_multiple_content_types", "Answers with a bit of everything.", contents::mixed))
        .tool(Tool::new("test_error_handling", "Always fails.", contents::failing))
        .tool(Tool::dynamic(
            "json_schema_2020_12_tool",
            "Has arguments that only JSON Schema 2020-12 can describe.",
            &contents::rich_schema(),
            contents::rich,
        ))
        .tool(Tool::dynamic(
            "test_custom_headers",
            "Has an argument that is repeated in a header, for routers.",
            &json!({
                "type": "object",
                "properties": {"region": {"type": "string", "x-mcp-header": "Region"}, "query": {"type": "string"}},
            }),
            contents::rich,
        ))
        .tool(Tool::new("test_tool_with_logging", "Logs while it works.", telling::logging))
        .tool(Tool::new("test_logging_tool", "Logs once.", telling::log_once))
        .tool(Tool::new("test_tool_with_progress", "Reports its progress.", telling::progress))
        .tool(Tool::new("test_reconnection", "Takes a moment.", telling::moment))
        .tool(Tool::new("test_wait", "Waits until the client gives up.", telling::wait))
        .tool(Tool::new("test_given_up", "Tells how many calls of test_wait were given up.", telling::given_up))
        .tool(Tool::new("test_trigger_tool_change", "Adds a tool, and removes it again.", telling::change_tools))
        .tool(Tool::new("test_trigger_prompt_change", "Adds a prompt, and removes it again.", telling::change_prompts));
    offers::add(lasting::add(asking::add(server)))
}
