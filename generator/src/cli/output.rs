//! Results go to standard output, everything else to standard error; how a command ends.

use std::{
    io::{self, IsTerminal, Write},
    process::ExitCode,
};

use annotate_snippets::{Level, Renderer};
use mcpwright::{emit, write};

/// What a command gives: its exit code, or why it stops.
pub(crate) type Outcome = Result<ExitCode, Exit>;

/// All is well.
pub(crate) const OK: u8 = 0;
/// There are findings: something is out of date, or a warning under `--strict`.
pub(crate) const FINDINGS: u8 = 1;
/// The command line, the document or the configuration is wrong, or the system is in the way.
pub(crate) const WRONG: u8 = 2;
/// Files of others would have been overwritten.
pub(crate) const REFUSED: u8 = 3;
/// Exit code: interrupted from the keyboard, as shells number it.
pub(crate) const INTERRUPTED: u8 = 130;

/// Why a command stops.
#[derive(Debug)]
pub(crate) struct Exit {
    code: u8,
    message: String,
    help: Option<String>,
}

impl Exit {
    /// Wrong usage or input.
    pub(crate) fn wrong(message: impl Into<String>) -> Self {
        Self { code: WRONG, message: message.into(), help: None }
    }

    /// Something is not as it should be.
    pub(crate) fn findings(message: impl Into<String>) -> Self {
        Self { code: FINDINGS, message: message.into(), help: None }
    }

    /// Something of others would have been overwritten.
    pub(crate) fn refused(message: impl Into<String>) -> Self {
        Self { code: REFUSED, message: message.into(), help: None }
    }

    /// What was said already needs no more words.
    pub(crate) fn silent(code: u8) -> Self {
        Self { code, message: String::new(), help: None }
    }

    /// Says how to go on.
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Tells why, and gives the code.
    pub(crate) fn report(self) -> ExitCode {
        if !self.message.is_empty() {
            let mut group =
                Level::ERROR.primary_title(&self.message).elements(Vec::<annotate_snippets::Message<'_>>::new());
            if let Some(help) = &self.help {
                group = group.element(Level::HELP.message(help));
            }
            say(&renderer().render(&[group]));
        }
        ExitCode::from(self.code)
    }
}

impl From<emit::Error> for Exit {
    fn from(error: emit::Error) -> Self {
        Exit::wrong(chain(&error))
    }
}

impl From<write::Error> for Exit {
    fn from(error: write::Error) -> Self {
        match &error {
            write::Error::Refused(refusal) => {
                Self { code: REFUSED, message: refusal.to_string(), help: Some(refusal.help().to_owned()) }
            }
            write::Error::Io { .. } => Exit::wrong(chain(&error)),
        }
    }
}

/// An error with its causes in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    text
}

/// Prints a result.
///
/// # Errors
/// When standard output is gone; a reader that has read enough is no error.
pub(crate) fn print(text: &str) -> Result<(), Exit> {
    stream(|output| output.write_all(text.as_bytes()))
}

/// Prints a value as JSON while it is written out: that of a large document has hundreds of megabytes.
///
/// # Errors
/// Like [`print`].
pub(crate) fn print_json(value: &impl serde::Serialize) -> Result<(), Exit> {
    stream(|output| {
        let mut output = io::BufWriter::with_capacity(64 * 1024, output);
        serde_json::to_writer_pretty(&mut output, value)?;
        output.write_all(b"\n")?;
        output.flush()
    })
}

fn stream(write: impl FnOnce(&mut io::StdoutLock<'_>) -> io::Result<()>) -> Result<(), Exit> {
    let mut output = io::stdout().lock();
    match write(&mut output).and_then(|()| output.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(Exit::silent(OK)),
        Err(error) => Err(Exit::wrong(format!("cannot write to standard output: {error}"))),
        Ok(()) => Ok(()),
    }
}

/// Tells the person at the terminal something.
pub(crate) fn say(text: &str) {
    // Without a standard error there is nobody to tell.
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Whether colours are wanted on a stream.
pub(crate) fn colours(stream: &impl IsTerminal) -> bool {
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    if set("NO_COLOR") || std::env::var_os("TERM").is_some_and(|term| term == "dumb") {
        return false;
    }
    set("CLICOLOR_FORCE") || stream.is_terminal()
}

/// How findings are drawn on standard error.
pub(crate) fn renderer() -> Renderer {
    if colours(&io::stderr()) { Renderer::styled() } else { Renderer::plain() }
}
