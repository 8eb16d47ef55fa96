//! The `mcpwright` command: reads its options, calls the library, says what came of it.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
