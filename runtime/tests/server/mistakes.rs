use std::{fs, path::Path};

/// All sources of the runtime, one after the other.
fn sources(folder: &Path, into: &mut String) {
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push_str(&fs::read_to_string(&path).expect("a source"));
        }
    }
}

#[test]
fn every_mistake_of_the_documentation_has_its_test() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(root.join("docs/mistakes.md")).expect("the documentation");
    let mut all = String::new();
    sources(&root.join("src"), &mut all);
    sources(&root.join("tests"), &mut all);
    let rows: Vec<&str> = text.lines().filter(|line| line.starts_with("| ")).skip(1).collect();
    assert!(rows.len() > 25, "{} rows", rows.len());
    for row in rows {
        let test =
            row.strip_suffix(" |").unwrap_or(row).rsplit('|').next().unwrap_or_default().trim().trim_matches('`');
        let by_the_compiler = test.is_empty() && row.contains("does not compile");
        assert!(by_the_compiler || (!test.is_empty() && all.contains(&format!("fn {test}("))), "{row}");
    }
}
