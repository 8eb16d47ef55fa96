//! The comparison: one document, one upstream, one client and one machine for every server, in interleaved rounds.
//!
//! The figure that counts is the CPU time of the server process for each request: it hardly depends on what else the
//! machine does. `tests/bench/run` prepares everything and starts this; `--help` tells the options.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command")]

mod building;
mod document;
mod load;
mod planning;
mod report;
mod rivals;
mod servers;
mod serving;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

/// Compares generated servers with what a user would pick instead, and with the floor.
#[derive(Debug, Parser)]
struct Options {
    /// A minute instead of a quarter of an hour: every measurement runs, none says much.
    #[arg(long)]
    smoke: bool,
    /// Where to write the figures as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// The Python that has FastMCP; without it the comparison leaves FastMCP out.
    #[arg(long, value_name = "FILE")]
    python: Option<PathBuf>,
    /// Only these parts: planning, building, starting, listing, calling, reading, stdio, endurance.
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Build the generated servers, and measure them instead of `mcpwright serve`. Takes a quarter of an hour more.
    #[arg(long)]
    generated: bool,
    #[command(subcommand)]
    rival: Option<Rival>,
}

/// The servers that this program itself is.
#[derive(Debug, clap::Subcommand)]
enum Rival {
    /// A server written by hand on rmcp and reqwest.
    ByHand(Listen),
    /// A handler that forwards JSON and knows nothing of MCP.
    Floor(Listen),
}

#[derive(Debug, clap::Args)]
struct Listen {
    #[arg(long)]
    base_url: String,
    #[arg(long, default_value = "stdio")]
    transport: String,
    #[arg(long, default_value_t = 0)]
    port: u16,
}

#[tokio::main]
async fn main() -> ExitCode {
    let options = Options::parse();
    let done = match &options.rival {
        Some(Rival::ByHand(listen)) => {
            let port = (listen.transport == "http").then_some(listen.port);
            rivals::by_hand(&listen.base_url, port).await.map_err(|error| error.to_string())
        }
        Some(Rival::Floor(listen)) => {
            rivals::floor(&listen.base_url, listen.port).await.map_err(|error| error.to_string())
        }
        None => compare(&options).await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn compare(options: &Options) -> Result<(), String> {
    let wanted = |part: &str| options.only.is_empty() || options.only.iter().any(|only| only == part);
    let mut report = report::Report::default();
    let crates = building::prepare(options.smoke, wanted("building"), options.generated, &mut report).await;
    if wanted("planning") {
        planning::planning(options.smoke, &mut report).await;
    }
    let upstream = document::upstream().await;
    let field = servers::Field::new(&crates, &format!("http://{upstream}"), options.python.as_deref());
    let plan = serving::Plan::new(options.smoke);
    if wanted("starting") {
        serving::starting(&field, plan, &mut report).await;
    }
    if wanted("calling") {
        serving::calling(&field, plan, &mut report).await;
    }
    if wanted("reading") {
        serving::reading(&field, plan, &mut report).await;
    }
    if wanted("listing") {
        serving::listing(&field, plan, &mut report).await;
    }
    if wanted("stdio") {
        serving::stdio(&field, plan, &mut report).await;
    }
    if wanted("endurance") {
        serving::endurance(&field, plan, &mut report).await;
    }
    println!("{report}");
    if let Some(path) = &options.json {
        std::fs::write(path, report.json()).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    report.verdict()
}
