//! The `mcpwright` command: reads its options, calls the library, says what came of it.

mod cli;

use std::process::ExitCode;

/// Half of the time on a large document went into the system's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cli::main()
}
