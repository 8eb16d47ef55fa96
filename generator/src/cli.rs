//! The command line: one module per command, and how they speak.

mod diff;
mod explain;
mod generate;
mod input;
mod inspect;
mod install;
mod output;
mod progress;
mod render;
mod run;
mod serve;
mod signal;
mod target;
mod watch;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Makes Model Context Protocol servers from OpenAPI documents.
#[derive(Debug, Parser)]
#[command(name = "mcpwright", version, max_term_width = 100, arg_required_else_help = true)]
#[command(after_help = "Exit codes: 0 all is well, 1 findings (out of date, strict), 2 wrong usage or input, \
                        3 refused to overwrite files of others")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write the crate of a server, or bring its generated modules up to date
    Generate(generate::Options),
    /// Show what clients will see
    Inspect(inspect::Options),
    /// Serve a document at once, without compiling anything
    Serve(serve::Options),
    /// Generate, build and run in one go, in a cache folder
    Run(run::Options),
    /// Show what changes for clients between two versions of a document
    Diff(diff::Options),
    /// Write a server into the configuration of an MCP client
    Install(install::Options),
    /// Explain the code of a finding
    Explain(explain::Options),
}

/// Runs the command of this process.
pub(crate) fn main() -> ExitCode {
    let cli = Cli::parse();
    let outcome = match cli.command {
        Command::Generate(options) => generate::run(options),
        Command::Inspect(options) => inspect::run(options),
        Command::Serve(options) => serve::run(options),
        Command::Run(options) => run::run(options),
        Command::Diff(options) => diff::run(options),
        Command::Install(options) => install::run(options),
        Command::Explain(options) => explain::run(&options),
    };
    match outcome {
        Ok(code) => code,
        Err(exit) => exit.report(),
    }
}
