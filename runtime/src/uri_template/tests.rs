use std::path::PathBuf;

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;

fn template(text: &str) -> UriTemplate {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// The folder of the official test vectors, where the checkout has one beside it.
fn vectors(file: &str) -> Option<Map<String, Value>> {
    let start = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let path = start.ancestors().map(|folder| folder.join("shared/vectors/uri-templates").join(file));
    let text = path.filter_map(|path| std::fs::read_to_string(path).ok()).next()?;
    Some(serde_json::from_str(&text).expect("vectors are JSON"))
}

#[test]
fn the_official_vectors_expand() {
    for file in ["spec-examples.json", "spec-examples-by-section.json", "extended-tests.json"] {
        for (section, group) in vectors(file).unwrap_or_default() {
            let values = group["variables"].as_object().expect("variables");
            for case in group["testcases"].as_array().expect("cases") {
                let text = case[0].as_str().expect("template");
                let expanded = template(text).expand(values);
                let right = match &case[1] {
                    Value::String(one) => *one == expanded,
                    Value::Array(any) => any.iter().any(|one| *one == expanded),
                    _ => true,
                };
                assert!(right, "{file}, {section}: {text} became {expanded}, not {}", case[1]);
            }
        }
    }
}

#[test]
fn the_official_wrong_templates_are_refused() {
    for (section, group) in vectors("negative-tests.json").unwrap_or_default() {
        let values = group["variables"].as_object().expect("variables");
        for case in group["testcases"].as_array().expect("cases") {
            let text = case[0].as_str().expect("template");
            if case[1] != Value::Bool(false) {
                continue;
            }
            // A prefix of a list or object is only wrong with the values at hand.
            let prefixed = text.contains(':')
                && text.parse::<UriTemplate>().is_ok_and(|template| {
                    template.variables().any(|name| values.get(name).is_some_and(|value| !value.is_string()))
                });
            assert!(text.parse::<UriTemplate>().is_err() || prefixed, "{section}: {text} was taken");
        }
    }
}

#[test]
fn paths_match_by_segment() {
    let pets = template("api://shop/pets/{petId}");
    let captures = pets.captures("api://shop/pets/a%2Fb%20c").expect("a match");
    assert_eq!(captures.get("petId").map(Captured::text).as_deref(), Some("a/b c"));
    for other in ["api://shop/pets/", "api://shop/pets/1/toys", "api://shop/pets", "api://shop/pets/1?x=1", ""] {
        assert!(pets.captures(other).is_none(), "{other}");
    }
    let toy = template("api://shop/pets/{petId}/toys/{toy}.json");
    let captures = toy.captures("api://shop/pets/7/toys/ball.red.json").expect("a match");
    assert_eq!(captures.get("toy").map(Captured::text).as_deref(), Some("ball.red"));
}

#[test]
fn queries_match_in_any_order() {
    let list = template("api://shop/pets{?limit,tags*}");
    let captures = list.captures("api://shop/pets?tags=a%2Cb&limit=5&tags=c").expect("a match");
    assert_eq!(captures.get("limit").map(Captured::text).as_deref(), Some("5"));
    assert_eq!(captures.get("tags").map(Captured::list), Some(vec!["a,b".to_owned(), "c".to_owned()]));
    assert!(list.captures("api://shop/pets").expect("all are optional").get("limit").is_none());
    assert_eq!(list.captures("api://shop/pets?limt=5").expect("a match").unknown, ["limt"]);
    let fixed = template("api://shop/pets?beta=true{&limit}");
    assert!(fixed.captures("api://shop/pets?beta=true&limit=1").is_some());
    assert!(fixed.captures("api://shop/pets?limit=1").is_none());
}

#[test]
fn the_other_operators_match_too() {
    for (text, uri, expected) in [
        ("file:///{+path}", "file:///a/b/c.txt", json!({"path": "a/b/c.txt"})),
        ("x://h{/a,b}", "x://h/1/2", json!({"a": "1", "b": "2"})),
        ("x://h{/path*}", "x://h/1/2/3", json!({"path": "1,2,3"})),
        ("x://h/a{.format}", "x://h/a.json", json!({"format": "json"})),
        ("x://h/a{;v}", "x://h/a;v=1", json!({"v": "1"})),
        ("x://h/a{#part}", "x://h/a#top", json!({"part": "top"})),
        ("x://{a,b}", "x://1,2", json!({"a": "1", "b": "2"})),
        ("x://{a}-{b}", "x://1-2-3", json!({"a": "1-2", "b": "3"})),
    ] {
        let template = template(text);
        let captures = template.captures(uri).unwrap_or_else(|| panic!("{text} does not match {uri}"));
        let found: Map<String, Value> =
            captures.iter().map(|(name, value)| (name.to_owned(), value.text().into())).collect();
        assert_eq!(Value::Object(found), expected, "{text}");
    }
}

#[test]
fn hostile_uris_end_soon() {
    let greedy = template("x://{+a}{+b}{+c}{+d}{+e}{+f}/end");
    let uri = format!("x://{}", "a".repeat(60_000));
    assert!(greedy.captures(&uri).is_none());
    assert!(greedy.captures(&"x".repeat(1 << 20)).is_none());
}

proptest! {
    #[test]
    fn parsing_never_panics(text in "\\PC{0,40}|[{}?&*,:a-z+#./;%0-9]{0,30}") {
        if let Ok(template) = text.parse::<UriTemplate>() {
            let uri = template.expand(&Map::new());
            let _ = template.captures(&uri);
            let _ = template.captures(&text);
        }
    }

    #[test]
    fn every_value_round_trips(
        id in "\\PC{1,20}",
        ids in prop::collection::vec("\\PC{1,10}", 1..4),
        query in prop::option::of("\\PC{0,20}"),
        tags in prop::collection::vec("\\PC{0,10}", 0..4),
    ) {
        let template = template("api://shop/{id}/of/{ids}{?query,tags*}");
        let mut values = Map::new();
        values.insert("id".into(), id.clone().into());
        values.insert("ids".into(), ids.clone().into());
        values.insert("query".into(), query.clone().into());
        values.insert("tags".into(), tags.clone().into());
        let uri = template.expand(&values);
        let captures = template.captures(&uri).expect("a match");
        prop_assert_eq!(captures.get("id").map(Captured::text), Some(id));
        prop_assert_eq!(captures.get("ids").map(Captured::list), Some(ids));
        prop_assert_eq!(captures.get("query").map(Captured::text), query);
        let found = captures.get("tags").map(Captured::list).unwrap_or_default();
        prop_assert_eq!(found, tags);
    }
}
