//! The servers of the comparison and how each is started.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use mcpwright_tests::client::Era;
use mcpwright_tests::process::{HttpServer, Launch};
use mcpwright_tests::workspace;

use crate::building::Crates;

/// A server of the comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Contender {
    Mcpwright,
    FastMcp,
    ByHand,
    Floor,
}

impl Contender {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Contender::Mcpwright => "mcpwright",
            Contender::FastMcp => "fastmcp",
            Contender::ByHand => "by hand (rmcp)",
            Contender::Floor => "floor (axum)",
        }
    }

    /// The name that a server gives to the tool of an operation.
    pub(crate) fn tool(self, operation: &'static str) -> &'static str {
        match (self, operation) {
            (Contender::FastMcp, operation) => operation,
            (_, "getPet") => "get_pet",
            (_, "listPets") => "list_pets",
            (_, "createPet") => "create_pet",
            (_, other) => other,
        }
    }

    pub(crate) fn eras(self) -> &'static [Era] {
        if self == Contender::Floor { &[Era::Modern] } else { &Era::BOTH }
    }
}

/// The command `mcpwright`: beside this program, where it was built with it, or built now.
pub(crate) fn command() -> PathBuf {
    let beside = std::env::current_exe().ok().map(|program| program.with_file_name("mcpwright"));
    beside.filter(|path| path.is_file()).unwrap_or_else(|| workspace::program("mcpwright"))
}

/// Everything that can be started.
#[derive(Debug)]
pub(crate) struct Field<'a> {
    crates: &'a Crates,
    base: String,
    python: Option<PathBuf>,
}

impl<'a> Field<'a> {
    pub(crate) fn new(crates: &'a Crates, base: &str, python: Option<&Path>) -> Field<'a> {
        Field { crates, base: base.to_owned(), python: python.map(Path::to_owned) }
    }

    /// The contenders that are here.
    pub(crate) fn contenders(&self, of: &[Contender]) -> Vec<Contender> {
        of.iter().copied().filter(|&one| one != Contender::FastMcp || self.python.is_some()).collect()
    }

    /// The sizes of documents that are here, smallest first.
    pub(crate) fn sizes(&self) -> impl Iterator<Item = usize> + '_ {
        self.crates.sizes()
    }

    /// How to start a server of the document with `operations` operations.
    pub(crate) fn launch(&self, contender: Contender, operations: usize, preset: &str) -> Launch {
        let own = |command: &str| {
            let program = std::env::current_exe().expect("this program has a path");
            Launch::path(program).arguments([command])
        };
        let launch = match contender {
            Contender::ByHand => own("by-hand"),
            Contender::Floor => own("floor"),
            Contender::Mcpwright => match self.crates.program(operations) {
                Some(program) if preset == "tools" => Launch::path(program),
                _ => Launch::path(command())
                    .arguments(["serve".as_ref(), self.crates.document(operations).as_os_str()])
                    .arguments(["--preset", preset]),
            },
            Contender::FastMcp => Launch::path(self.python.clone().unwrap_or_default())
                .arguments([workspace::root().join("tests/bench/fastmcp_server.py")])
                .arguments([self.crates.document(operations)])
                .arguments(["--preset", preset]),
        };
        launch.arguments(["--base-url", &self.base])
    }

    /// Starts one on HTTP.
    pub(crate) async fn http(&self, contender: Contender, operations: usize, preset: &str) -> (HttpServer, SocketAddr) {
        let server = self.launch(contender, operations, preset).http().await;
        let address = server.origin().trim_start_matches("http://").parse().expect("an origin holds an address");
        (server, address)
    }
}
