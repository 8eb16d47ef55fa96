//! One normalised document, whatever version and however many files it came from.

pub mod store;
