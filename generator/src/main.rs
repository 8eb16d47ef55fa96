//! The mcpwright command.
fn main() {}
