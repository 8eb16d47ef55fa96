//! The survey: what becomes of every document of a collection, as a table.
//!
//! `cargo run --release -p mcpwright-tests --bin mcpwright-survey -- PATH…` gives each document to `mcpwright inspect` and
//! to `mcpwright generate`, in both presets, each in a process of its own. It fails when a document is not read or a crate
//! is not written, when both tell different numbers of components, and when an operation is neither a component nor
//! excluded nor named by an error. Files that are no OpenAPI documents are passed over, as parts of documents are.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command")]

mod collection;
mod process;
mod row;

use std::{path::PathBuf, process::ExitCode};

use clap::Parser;
use mcpwright_tests::workspace;

use self::{
    collection::{Entry, collect},
    row::{HEAD, Sum},
};

/// Tells what becomes of every document of a collection.
#[derive(Debug, Parser)]
struct Options {
    /// Documents, folders that are searched for them, or lists: tables with tabs, whose columns `file` and `operations`
    /// name documents beside them and what is expected of each.
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// Print JSON, one document a line.
    #[arg(long)]
    json: bool,
    /// The command `mcpwright` [default: beside this program, or built now].
    #[arg(long, value_name = "FILE")]
    command: Option<PathBuf>,
}

fn main() -> ExitCode {
    let options = Options::parse();
    let beside = std::env::current_exe().ok().map(|program| program.with_file_name("mcpwright"));
    let command = options.command.clone();
    let command = command.or(beside.filter(|path| path.is_file())).unwrap_or_else(|| workspace::program("mcpwright"));
    let mut entries: Vec<Entry> = Vec::new();
    for path in &options.paths {
        if let Err(error) = collect(path, &mut entries) {
            eprintln!("error: {}: {error}", path.display());
            return ExitCode::from(2);
        }
    }
    entries.sort_by(|one, other| one.file.cmp(&other.file));
    if !options.json {
        println!("{HEAD}");
    }
    let mut sum = Sum::default();
    for entry in &entries {
        let Some(row) = row::survey(&command, entry) else { continue };
        sum.add(&row);
        if options.json {
            println!("{}", row.json(&entry.file));
        } else {
            println!("{}", row.line(&entry.file));
        }
    }
    eprintln!("{sum}; {} other files", entries.len() - sum.documents);
    if sum.is_well() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
