//! How clients reach the server.

mod body;
pub(crate) mod http;
