//! What goes over the wire beyond parameters and forms: links, servers, bodies and answers.

mod answers;
mod bodies;
mod links;
mod servers;
