//! Helpers of the end-to-end, interoperability and conformance tests and of the benchmarks.
//!
//! A test starts a recording [`upstream`], builds and starts a server ([`process`]), speaks to it with the plain
//! [`client`] or with an independent one ([`peers`]), and asserts on what each side saw.

pub mod client;
pub mod peers;
pub mod process;
pub mod sample;
pub mod upstream;
pub mod usage;
pub mod workspace;
