//! A server with a component of every kind.
//!
//! ```text
//! cargo run -p mcpwright-runtime --example everything -- --transport http --port 8000
//! ```

use mcpwright_runtime::{Error, Server, component::Tool, context::Context};

async fn simple_text(_: Context, (): ()) -> Result<&'static str, Error> {
    Ok("This is a simple text response for testing.")
}

fn main() -> std::process::ExitCode {
    Server::named("everything")
        .version("1.0.0")
        .tool(Tool::new("test_simple_text", "Answers with text.", simple_text))
        .main()
}
