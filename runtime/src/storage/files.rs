//! Files of stores on a disk: named by URLs, private to their owner, with a key for encryption beside them.

use std::{
    fs::OpenOptions,
    io::{self, Write},
    path::{Path, PathBuf},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use url::Url;

use super::{Error, KeyRing};

/// The file or folder that a URL such as `sqlite:///path` names.
pub(super) fn path(url: &Url) -> Result<PathBuf, Error> {
    let scheme = url.scheme();
    let wrong = || Error::Url(format!("a path is named as {scheme}:///absolute/path or {scheme}:relative/path"));
    if url.has_host() && url.host_str().is_some_and(|host| !host.is_empty()) {
        return Err(wrong());
    }
    let path = percent_encoding::percent_decode_str(url.path()).decode_utf8().map_err(|_| wrong())?;
    #[cfg(windows)]
    let path = path.strip_prefix('/').filter(|rest| rest.as_bytes().get(1) == Some(&b':')).unwrap_or(&path);
    if path.is_empty() || path.ends_with('/') || path.contains('\0') {
        return Err(wrong());
    }
    Ok(PathBuf::from(&*path))
}

/// The key ring in `<path>.key`, made on first use.
pub(super) async fn key_beside(path: PathBuf) -> Result<KeyRing, Error> {
    let made = tokio::task::spawn_blocking(move || {
        let mut file = path.into_os_string();
        file.push(".key");
        let file = PathBuf::from(file);
        if !file.exists() {
            create_key(&file).map_err(|error| key_failed(&file, &error))?;
        }
        let text = make_private(&file).and_then(|()| std::fs::read_to_string(&file));
        KeyRing::parse(&text.map_err(|error| key_failed(&file, &error))?.into())
    });
    made.await.map_err(|error| Error::EncryptionKey(error.to_string()))?
}

fn key_failed(file: &Path, error: &io::Error) -> Error {
    Error::EncryptionKey(format!("{}: {error}", file.display()))
}

/// Writes a new key. Of several processes one wins, and none sees a half-written file.
fn create_key(file: &Path) -> io::Result<()> {
    let (mut secret, mut suffix) = ([0; 32], [0; 8]);
    aws_lc_rs::rand::fill(&mut secret)
        .and_then(|()| aws_lc_rs::rand::fill(&mut suffix))
        .map_err(|_| io::Error::other("the system has no randomness"))?;
    let mut draft = file.as_os_str().to_owned();
    draft.push(format!(".{}", super::key::hex(&suffix)));
    let mut handle = private().create_new(true).open(&draft)?;
    handle.write_all(BASE64_STANDARD.encode(secret).as_bytes())?;
    handle.sync_all()?;
    let linked = std::fs::hard_link(&draft, file);
    std::fs::remove_file(&draft)?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Creates a file that only its owner may read, or takes the rights of others away.
pub(super) fn make_private(path: &Path) -> io::Result<()> {
    let named = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
    match private().create_new(true).open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => take_rights(path, 0o600).map_err(named),
        Err(error) => Err(named(error)),
    }
}

/// Creates a folder that only its owner may enter, or takes the rights of others away from one that is empty or has a
/// file of this name, which shows whose it is. Its parent must exist.
#[cfg(feature = "rocksdb")]
pub(super) fn make_private_folder(path: &Path, sign: &str) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    let named = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
    match builder.create(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            // Whoever names `/tmp` by mistake must not lock everybody out of it.
            if !path.join(sign).is_file() && std::fs::read_dir(path).map_err(named)?.next().is_some() {
                return Err(named(io::Error::other("the folder holds other files; name one for the store alone")));
            }
            take_rights(path, 0o700).map_err(named)
        }
        other => other.map_err(named),
    }
}

#[cfg(unix)]
fn take_rights(path: &Path, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    if std::fs::metadata(path)?.permissions().mode() & 0o077 != 0 {
        tracing::warn!(path = %path.display(), "others could read this; now only its owner may");
        std::fs::set_permissions(path, PermissionsExt::from_mode(mode))?;
    }
    Ok(())
}

#[cfg(not(unix))]
fn take_rights(_path: &Path, _mode: u32) -> io::Result<()> {
    Ok(())
}
