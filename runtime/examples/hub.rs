//! Servers within a server: one mounted, one imported, a tool offered as something else.
//!
//! ```text
//! cargo run -p mcpwright-runtime --example hub -- --list
//! ```

use mcpwright_runtime::{
    Error, Server,
    component::{Resource, Tool, Transform},
    context::Context,
};
use schemars::JsonSchema;
use serde::Deserialize;

#[derive(Deserialize, JsonSchema)]
struct Place {
    /// The city.
    city: String,
    /// `metric` or `imperial`.
    units: String,
}

async fn forecast(_: Context, Place { city, units }: Place) -> Result<String, Error> {
    Ok(format!("Rain in {city}, in {units} units."))
}

async fn open_station(context: Context, Place { city, .. }: Place) -> Result<(), Error> {
    let station = Resource::text(format!("weather://stations/{city}"), city, "It rains.");
    context.server().add_resource(station).map_err(|_| Error::failed("There is such a station already."))
}

/// A server of its own, which could as well be another crate's.
fn weather() -> Server {
    Server::named("weather")
        .tool(Tool::new("forecast", "Tells the weather.", forecast))
        .tool(Tool::new("open_station", "Adds a resource.", open_station))
        .resource(Resource::text("weather://stations", "stations", "All of them."))
}

fn phrases() -> Server {
    Server::named("phrases").resource(Resource::text("text://greeting", "greeting", "Good morning."))
}

fn main() -> std::process::ExitCode {
    Server::named("hub")
        .title("Hub")
        .mount("weather", weather())
        .import("phrases", phrases())
        .transform(
            "weather_forecast",
            Transform::new().name("forecast").description("Tells the weather here.").fix("units", "metric"),
        )
        .main()
}
