//! The table of attacks in `docs/security.md` is complete, and its tests exist.

use std::path::Path;

fn sources(folder: &Path, found: &mut String) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push_str(&std::fs::read_to_string(&path).unwrap());
        }
    }
}

#[test]
fn every_case_of_the_table_of_attacks_has_tests_that_exist() {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut code = String::new();
    sources(&own.join("src"), &mut code);
    sources(&own.join("../tests/tests"), &mut code);
    let table = include_str!("../../../docs/security.md");
    let cases = (1..=11).map(|n| format!("T{n}")).chain((1..=4).map(|n| format!("X{n}")));
    for case in cases.chain((1..=9).map(|n| format!("C{n}"))) {
        let row =
            table.lines().find(|line| line.starts_with(&format!("| {case} |"))).unwrap_or_else(|| panic!("{case}"));
        let names = row.rsplit('|').nth(1).unwrap();
        let names: Vec<&str> = names.split('`').skip(1).step_by(2).collect();
        assert!(!names.is_empty(), "{case}");
        for name in names {
            assert!(code.contains(&format!("fn {name}(")), "{case}: no test is called {name}");
        }
    }
}
