//! What is no text at all is refused. What is told of ill-formed documents is in the command's own tests.

use super::load_file;

#[test]
fn bytes_that_are_no_text_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in [
        ("binary.json", &[0x89, b'P', b'N', b'G', 0xFF, 0xD8][..]),
        ("latin1.yaml", b"openapi: 3.0.3\ninfo: {title: caf\xe9}"),
        ("zeros.yaml", &[0; 64]),
    ] {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        let loaded = load_file(&path);
        assert!(loaded.outcome.is_err(), "{name}");
    }
    assert!(load_file(folder.path()).outcome.unwrap_err().to_string().contains("folder"));
    assert!(load_file(&folder.path().join("missing.yaml")).outcome.unwrap_err().to_string().contains("no such file"));
}
