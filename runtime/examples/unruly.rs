//! Tools that misbehave, each in a way of its own, and one that does not: whatever they do stays their own affair.
//!
//! ```text
//! cargo run -p mcpwright-runtime --example unruly -- --handler-timeout 5
//! ```

use mcpwright_runtime::{Error, Server, component::Tool, context::Context};

fn main() -> std::process::ExitCode {
    Server::named("unruly")
        .tool(Tool::new("panic", "Panics.", panicking))
        .tool(Tool::new("hang", "Never answers.", hanging))
        .tool(Tool::new("flood", "Reports its progress without end.", flooding))
        .tool(Tool::new("large", "Answers with 100 MiB.", large))
        .tool(Tool::new("spin", "Keeps a thread busy for a while.", spinning))
        .tool(Tool::new("fine", "Works.", fine))
        .main()
}

async fn panicking(_: Context, (): ()) -> Result<(), Error> {
    panic!("this is on purpose")
}

async fn hanging(_: Context, (): ()) -> Result<(), Error> {
    std::future::pending().await
}

async fn flooding(context: Context, (): ()) -> Result<(), Error> {
    let mut number = 0.0;
    loop {
        number += 1.0;
        context.progress(number, None, Some("more")).await;
        tokio::task::yield_now().await;
    }
}

async fn large(_: Context, (): ()) -> Result<String, Error> {
    Ok("x".repeat(100 << 20))
}

async fn spinning(_: Context, (): ()) -> Result<u64, Error> {
    Ok((0..200_000_000_u64).fold(0, |sum, number| std::hint::black_box(sum ^ number)))
}

async fn fine(_: Context, (): ()) -> Result<&'static str, Error> {
    Ok("fine")
}
