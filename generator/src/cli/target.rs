//! Where a generated crate lies: how it reaches the runtime, the document and its configuration from there.

use std::{
    env,
    ffi::OsStr,
    path::{Component, Path, PathBuf},
    str::FromStr,
};

use mcpwright::emit::{Dependency, Workspace};

/// Where a generated crate takes `mcpwright-runtime` from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Runtime {
    /// The folder of the crate.
    Path(PathBuf),
    /// A git repository.
    Git(String),
    /// A version in the registry.
    Version(String),
}

impl FromStr for Runtime {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(path) = text.strip_prefix("path:") {
            let path = PathBuf::from(path);
            if !path.join("Cargo.toml").is_file() {
                return Err(format!("there is no crate in {}", path.display()));
            }
            return Ok(Runtime::Path(path));
        }
        if let Some(url) = text.strip_prefix("git:") {
            return if url.is_empty() { Err("the URL is missing".into()) } else { Ok(Runtime::Git(url.to_owned())) };
        }
        let version = |text: &str| text.starts_with(|first: char| first.is_ascii_digit() || "=^~>*".contains(first));
        if version(text) && !text.contains(['"', '\n']) {
            return Ok(Runtime::Version(text.to_owned()));
        }
        Err("give path:FOLDER, git:URL or a version".into())
    }
}

impl Default for Runtime {
    /// The checkout that this program was built from, as long as it is there; else the version of this program.
    fn default() -> Self {
        let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("runtime");
        if checkout.join("Cargo.toml").is_file() {
            Runtime::Path(checkout)
        } else {
            Runtime::Version(env!("CARGO_PKG_VERSION").to_owned())
        }
    }
}

impl Runtime {
    /// The dependencies of a crate in `folder`: the runtime's and the generator's.
    pub(crate) fn dependencies(&self, folder: &Path) -> (Dependency, Dependency) {
        match self {
            Runtime::Git(url) => (Dependency::Git(url.clone()), Dependency::Git(url.clone())),
            Runtime::Version(version) => (Dependency::Version(version.clone()), Dependency::Version(version.clone())),
            Runtime::Path(runtime) => {
                let runtime = absolute(runtime);
                let generator = runtime.with_file_name("generator");
                let from_here = |path: &Path| {
                    // A crate inside of the checkout stays right when the checkout moves; another one when it moves itself.
                    let inside = runtime.parent().is_some_and(|checkout| folder.starts_with(checkout));
                    slashes(&if inside { relative(folder, path) } else { path.to_owned() })
                };
                let generator = if generator.join("Cargo.toml").is_file() {
                    Dependency::Path(from_here(&generator))
                } else {
                    Dependency::Version(env!("CARGO_PKG_VERSION").to_owned())
                };
                (Dependency::Path(from_here(&runtime)), generator)
            }
        }
    }
}

/// A path from the root, without links where it exists, without `.` and `..`.
pub(crate) fn absolute(path: &Path) -> PathBuf {
    if let Ok(path) = path.canonicalize() {
        return path;
    }
    let path = env::current_dir().unwrap_or_default().join(path);
    // What exists of it may have links.
    let existing = path.ancestors().find_map(|ancestor| Some((ancestor, ancestor.canonicalize().ok()?)));
    let path = match existing {
        Some((ancestor, real)) => real.join(path.strip_prefix(ancestor).unwrap_or(Path::new(""))),
        None => path,
    };
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                plain.pop();
            }
            other => plain.push(other),
        }
    }
    plain
}

/// `to` as seen from the folder `from`; both absolute. Unchanged where no relative path leads there.
pub(crate) fn relative(from: &Path, to: &Path) -> PathBuf {
    let common = from.components().zip(to.components()).take_while(|(left, right)| left == right).count();
    if common == 0 {
        return to.to_owned();
    }
    let up = from.components().skip(common).map(|_| OsStr::new(".."));
    let down = to.components().skip(common).map(Component::as_os_str);
    let path: PathBuf = up.chain(down).collect();
    if path.as_os_str().is_empty() { PathBuf::from(".") } else { path }
}

/// A path with `/` between its parts.
pub(crate) fn slashes(path: &Path) -> String {
    let text = path.to_string_lossy();
    if cfg!(windows) { text.replace('\\', "/") } else { text.into_owned() }
}

/// How a crate in a folder (absolute) relates to a workspace above it.
pub(crate) fn workspace(folder: &Path) -> Workspace {
    for ancestor in folder.ancestors().skip(1) {
        let Ok(text) = std::fs::read_to_string(ancestor.join("Cargo.toml")) else { continue };
        let Ok(manifest) = text.parse::<toml::Table>() else { continue };
        let Some(workspace) = manifest.get("workspace") else { continue };
        let path = slashes(&relative(ancestor, folder));
        let lists = |key: &str| {
            let paths = workspace.get(key).and_then(toml::Value::as_array).into_iter().flatten();
            paths.filter_map(toml::Value::as_str).any(|member| match member.strip_suffix("/*") {
                Some(parent) => path.rsplit_once('/').is_some_and(|(above, _)| above == parent),
                None => member.trim_start_matches("./") == path,
            })
        };
        return if lists("exclude") {
            Workspace::None
        } else if lists("members") {
            Workspace::Member
        } else {
            Workspace::Stranger
        };
    }
    Workspace::None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_runtime_is_a_path_a_repository_or_a_version() {
        assert_eq!("git:https://host.example/m".parse(), Ok(Runtime::Git("https://host.example/m".into())));
        assert_eq!("0.1".parse(), Ok(Runtime::Version("0.1".into())));
        for text in ["path:/nowhere", "git:", "latest", ""] {
            assert!(text.parse::<Runtime>().is_err(), "{text}");
        }
    }

    #[test]
    fn paths_are_seen_from_the_crate() {
        for (from, to, expected) in
            [("/a/b", "/a/c/d", "../c/d"), ("/a", "/a/b", "b"), ("/a", "/a", "."), ("/a/b/c", "/a", "../..")]
        {
            assert_eq!(relative(Path::new(from), Path::new(to)), Path::new(expected), "{from} {to}");
        }
    }

    #[test]
    fn a_workspace_above_is_found() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path().canonicalize().unwrap();
        assert_eq!(workspace(&root.join("one")), Workspace::None);
        let text = "[workspace]\nmembers = [\"one\", \"more/*\"]\nexclude = [\"out\"]\n";
        std::fs::write(root.join("Cargo.toml"), text).unwrap();
        for (folder, expected) in [
            ("one", Workspace::Member),
            ("more/two", Workspace::Member),
            ("out", Workspace::None),
            ("target/three", Workspace::Stranger),
        ] {
            assert_eq!(workspace(&root.join(folder)), expected, "{folder}");
        }
    }
}
