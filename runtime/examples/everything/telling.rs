//! Tools that tell the client something while they work.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use mcpwright_runtime::{
    Error,
    component::{Prompt, Tool},
    context::Context,
};

async fn pause() {
    tokio::time::sleep(Duration::from_millis(50)).await;
}

pub(crate) async fn logging(context: Context, (): ()) -> Result<&'static str, Error> {
    context.info("Tool execution started").await;
    pause().await;
    context.info("Tool processing data").await;
    pause().await;
    context.info("Tool execution completed").await;
    Ok("Tool with logging executed successfully")
}

pub(crate) async fn log_once(context: Context, (): ()) -> Result<&'static str, Error> {
    context.info("Hello").await;
    Ok("Logged, if you wanted to hear of it.")
}

pub(crate) async fn progress(context: Context, (): ()) -> Result<&'static str, Error> {
    for progress in [0.0, 50.0, 100.0] {
        let message = format!("Completed step {progress} of 100");
        context.progress(progress, Some(100.0), Some(&message)).await;
        pause().await;
    }
    Ok("Done, all of it.")
}

pub(crate) async fn moment(_: Context, (): ()) -> Result<&'static str, Error> {
    pause().await;
    Ok("Reconnection test completed successfully.")
}

/// How many calls of [`wait`] ended before their time.
static GIVEN_UP: AtomicU32 = AtomicU32::new(0);

struct Counted;

impl Drop for Counted {
    fn drop(&mut self) {
        GIVEN_UP.fetch_add(1, Ordering::Relaxed);
    }
}

/// A handler that is no longer wanted ends where it waits: what it holds is dropped.
pub(crate) async fn wait(context: Context, (): ()) -> Result<&'static str, Error> {
    let counted = Counted;
    context.progress(0.0, None, Some("Waiting")).await;
    tokio::time::sleep(Duration::from_secs(25)).await;
    std::mem::forget(counted);
    Ok("Nobody gave up.")
}

pub(crate) async fn given_up(_: Context, (): ()) -> Result<String, Error> {
    Ok(GIVEN_UP.load(Ordering::Relaxed).to_string())
}

async fn nothing(_: Context, (): ()) -> Result<&'static str, Error> {
    Ok("Nothing to see here.")
}

pub(crate) async fn change_tools(context: Context, (): ()) -> Result<&'static str, Error> {
    let server = context.server();
    // Somebody else may be doing the same just now: then there is a change already.
    let _ = server.add_tool(Tool::new("appearing_tool", "Was not there before.", nothing));
    server.remove_tool("appearing_tool");
    Ok("The list of tools changed twice.")
}

pub(crate) async fn change_prompts(context: Context, (): ()) -> Result<&'static str, Error> {
    let server = context.server();
    let _ = server.add_prompt(Prompt::new("appearing_prompt", "Was not there before.", nothing));
    server.remove_prompt("appearing_prompt");
    Ok("The list of prompts changed twice.")
}
