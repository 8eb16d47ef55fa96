//! A server that demands tokens: `whoami` for any valid one, `admin` for those with the scope `admin`.
//!
//! ```text
//! SECURED_ISSUER=https://id.example.com SECURED_JWKS_URL=https://id.example.com/jwks \
//! SECURED_AUDIENCE=http://127.0.0.1:8000/mcp \
//!     cargo run -p mcpwright-runtime --example secured -- --transport http --port 8000
//! ```

use std::process::ExitCode;

use mcpwright_runtime::{
    Error, Server,
    auth::{Auth, ConfigError, JwtIssuer, JwtVerifier},
    component::{Hints, Tool},
    context::Context,
    middleware::Authorization,
};

fn main() -> ExitCode {
    match auth() {
        Ok(auth) => server(auth).main(),
        Err(problem) => {
            let _ = std::io::Write::write_all(&mut std::io::stderr(), format!("{problem}\n").as_bytes());
            ExitCode::from(2)
        }
    }
}

/// Tokens of one issuer, which are for this server.
fn auth() -> Result<Option<Auth>, ConfigError> {
    let variable = |name: &str| std::env::var(format!("SECURED_{name}")).ok().filter(|value| !value.is_empty());
    let (Some(issuer), Some(audience)) = (variable("ISSUER"), variable("AUDIENCE")) else { return Ok(None) };
    let keys = match variable("JWKS_URL") {
        Some(url) => JwtIssuer::jwks(&issuer, url),
        None => JwtIssuer::discover(&issuer),
    };
    let verifier = JwtVerifier::new([keys.audience(&audience)])?;
    let auth = Auth::from(verifier).authorization_server(issuer).supported_scopes(["admin"]);
    // Where the audience is a URL it is the one that clients know this server by.
    Ok(Some(if audience.contains("://") { auth.resource(audience) } else { auth }))
}

fn server(auth: Option<Auth>) -> Server {
    let server = Server::named("secured")
        .version(env!("CARGO_PKG_VERSION"))
        .tool(Tool::new("whoami", "Says whom the token stands for.", whoami).hints(Hints::READ))
        .tool(Tool::new("admin", "Is for those with the scope `admin`.", admin).hints(Hints::READ))
        .middleware(Authorization::default().component("admin", ["admin"]));
    match auth {
        Some(auth) => server.auth(auth),
        None => server,
    }
}

async fn whoami(context: Context, (): ()) -> Result<String, Error> {
    Ok(context.principal().map_or_else(|| "the user of this process".to_owned(), |who| who.subject.clone()))
}

async fn admin(_: Context, (): ()) -> Result<&'static str, Error> {
    Ok("welcome")
}
