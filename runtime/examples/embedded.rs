//! A server within an axum application of one's own, with a value that lives as long as the server.
//!
//! ```text
//! cargo run -p mcpwright-runtime --example embedded -- --port 8000
//! ```

use std::{
    io::Write,
    sync::atomic::{AtomicU64, Ordering},
};

use axum::{Router, routing::get, serve::ListenerExt};
use mcpwright_runtime::{Error, Server, component::Tool, context::Context, server::Options};

/// What a real server would keep here: a pool of connections, say.
struct Visits(AtomicU64);

async fn count(context: Context, (): ()) -> Result<u64, Error> {
    let visits = context.lifespan::<Visits>().ok_or_else(|| Error::internal("The server has not started."))?;
    Ok(visits.0.fetch_add(1, Ordering::Relaxed) + 1)
}

fn server() -> Server {
    Server::named("embedded")
        .lifespan_until(
            async || Ok::<_, Error>(Visits(AtomicU64::new(0))),
            async |visits| {
                let _ = writeln!(std::io::stderr(), "{} visits", visits.0.load(Ordering::Relaxed));
            },
        )
        .tool(Tool::new("count", "Counts its calls.", count))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let port = std::env::args().skip_while(|argument| argument != "--port").nth(1).unwrap_or_else(|| "8000".to_owned());
    let tools = server().into_router(&Options { path: "/tools".to_owned(), ..Options::default() }).await?;
    let application = Router::new().route("/", get(|| async { "My own application." })).merge(tools);
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    let listener = listener.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    let stop = async {
        let _ = tokio::signal::ctrl_c().await;
    };
    axum::serve(listener, application).with_graceful_shutdown(stop).await?;
    Ok(())
}
