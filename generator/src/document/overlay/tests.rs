use serde_json::{Value, json};

use super::*;

/// The document after the actions of an Overlay 1.1, where its values come from, and the codes of the findings.
fn applied(document: Value, actions: Value) -> (Value, Origins, Vec<&'static str>) {
    let mut diagnostics = Diagnostics::default();
    let mut changed = Changed::new(document, FileId(0));
    let overlay = json!({"overlay": "1.1.0", "info": {}, "actions": actions});
    changed.apply(&overlay, FileId(1), &mut diagnostics).unwrap();
    let (document, origins) = changed.finish();
    (document, origins, diagnostics.iter().map(|diagnostic| diagnostic.code.name).collect())
}

fn refused(overlay: Value) -> String {
    let mut changed = Changed::new(json!({"info": {"title": "a"}, "tags": [1, 2]}), FileId(0));
    let error = changed.apply(&overlay, FileId(1), &mut Diagnostics::default()).unwrap_err();
    format!("{}: {}", error.location.pointer, error.message)
}

#[test]
fn objects_merge_arrays_grow_and_primitives_are_replaced() {
    let document = json!({"info": {"title": "a", "x": {"y": 1}}, "tags": [{"name": "one"}], "list": [1]});
    let actions = json!([
        {"target": "$.info", "update": {"title": "b", "x": {"z": 2}}},
        {"target": "$.tags", "update": {"name": "two"}},
        {"target": "$", "update": {"list": [2]}},
        {"target": "$.list", "update": [3, 4]},
        {"target": "$.info.x.y", "update": 5},
    ]);
    let (document, origins, findings) = applied(document, actions);
    let expected = json!({
        "info": {"title": "b", "x": {"y": 5, "z": 2}},
        "tags": [{"name": "one"}, {"name": "two"}],
        "list": [1, 2, 3, 4],
    });
    assert_eq!(document, expected);
    assert!(findings.is_empty(), "{findings:?}");
    for (pointer, file, origin) in [
        ("/info/x", 0, "/info/x"),
        ("/info/x/z", 1, "/actions/0/update/x/z"),
        ("/tags/0/name", 0, "/tags/0/name"),
        ("/tags/1/name", 1, "/actions/1/update/name"),
        ("/list/3", 1, "/actions/3/update/1"),
        ("/info/x/y", 1, "/actions/4/update"),
    ] {
        let traced = origins.trace(pointer).unwrap();
        assert_eq!((traced.file.0, traced.pointer.as_str()), (file, origin), "{pointer}");
    }
}

#[test]
fn what_stands_behind_removed_elements_keeps_its_place() {
    let actions = json!([{"target": "$.tags[?@ < 3]", "remove": true}]);
    let (document, origins, _) = applied(json!({"tags": [1, 2, 3, 4]}), actions);
    assert_eq!(document, json!({"tags": [3, 4]}));
    assert_eq!(origins.trace("/tags/1").unwrap().pointer, "/tags/3");
}

#[test]
fn elements_and_what_they_hold_are_removed_together() {
    let document = json!({"a": [{"x-gone": true}, {"b": [{"x-gone": true}, 1], "c/d": {"x-gone": true}}]});
    let (document, ..) = applied(document, json!([{"target": "$..[?@['x-gone']]", "remove": true}]));
    assert_eq!(document, json!({"a": [{"b": [1]}]}));
}

#[test]
fn a_copy_comes_from_where_its_original_does() {
    let document = json!({"a": {"x": {"y": 1}}, "b": {}});
    let actions = json!([
        {"target": "$.a.x", "update": {"z": 2}},
        {"target": "$.b", "copy": "$.a"},
        {"target": "$.a", "remove": true},
    ]);
    let (document, origins, findings) = applied(document, actions);
    assert_eq!(document, json!({"b": {"x": {"y": 1, "z": 2}}}));
    assert!(findings.is_empty(), "{findings:?}");
    assert_eq!(origins.trace("/b/x/y").unwrap().pointer, "/a/x/y");
    assert_eq!(origins.trace("/b/x/z").unwrap().pointer, "/actions/0/update/z");
}

#[test]
fn whatever_has_no_effect_is_told() {
    for (action, code) in [
        (json!({"target": "$.paths", "update": {}}), "overlay-without-target"),
        (json!({"target": "$.info"}), "overlay-without-effect"),
        (json!({"target": "$.info", "remove": false}), "overlay-without-effect"),
        (json!({"target": "$.info", "remove": true, "update": {}}), "overlay-without-effect"),
        (json!({"target": "$.info", "update": {}, "remvoe": true}), "overlay-without-effect"),
        (json!({"target": "$.info", "update": {"title": {"en": "a"}}}), "overlay-mismatch"),
    ] {
        let (.., findings) = applied(json!({"info": {"title": "a"}}), json!([action]));
        assert_eq!(findings, [code], "{action}");
    }
}

#[test]
fn version_1_0_knows_no_copy() {
    let mut diagnostics = Diagnostics::default();
    let mut changed = Changed::new(json!({"a": {"x": 1}, "b": {}}), FileId(0));
    let overlay = json!({"overlay": "1.0.0", "actions": [{"target": "$.b", "copy": "$.a"}]});
    changed.apply(&overlay, FileId(1), &mut diagnostics).unwrap();
    assert_eq!(changed.document(), &json!({"a": {"x": 1}, "b": {}}));
    let messages: Vec<_> = diagnostics.iter().map(|diagnostic| diagnostic.message.as_str()).collect();
    assert_eq!(messages, ["Overlay 1.0 knows no `copy`", "the action neither updates nor removes anything"]);
}

#[test]
fn ill_formed_overlays_are_refused() {
    let with = |action: Value| json!({"overlay": "1.1.0", "actions": [action]});
    for (overlay, expected) in [
        (json!({"openapi": "3.1.0"}), ": this is no Overlay: it has no `overlay` member with a version"),
        (json!({"overlay": "2.0.0"}), "/overlay: version 2.0.0 of Overlay is not known"),
        (json!({"overlay": "1.0.0"}), ": the overlay has no list of `actions`"),
        (with(json!("x")), "/actions/0: the action is no object"),
        (with(json!({"update": {}})), "/actions/0: the action has no `target`"),
        (with(json!({"target": "$.info", "remove": "true"})), "/actions/0/remove: `remove` is neither true nor false"),
        (with(json!({"target": "$", "remove": true})), "/actions/0/target: the whole document is removed"),
        (with(json!({"target": "$.info", "copy": 1})), "/actions/0/copy: `copy` is no text"),
        (
            with(json!({"target": "$.info", "copy": "$.tags[*]"})),
            "/actions/0/copy: `$.tags[*]` matches 2 values, and one is to be copied",
        ),
        (
            with(json!({"target": "$.info", "copy": "$.tags", "update": {}})),
            "/actions/0: the action has both `update` and `copy`",
        ),
    ] {
        assert_eq!(refused(overlay.clone()), expected, "{overlay}");
    }
    let message = refused(with(json!({"target": "paths", "remove": true})));
    assert!(message.starts_with("/actions/0/target: `paths` is no JSONPath"), "{message}");
}

#[test]
fn a_document_does_not_grow_without_end() {
    let actions: Vec<Value> = (0..64).map(|step| json!({"target": "$", "update": {format!("x{step}"): {}}})).collect();
    let doubling: Vec<Value> = actions
        .into_iter()
        .enumerate()
        .flat_map(|(step, make)| [make, json!({"target": format!("$.x{step}"), "copy": "$"})])
        .collect();
    let overlay = json!({"overlay": "1.1.0", "actions": doubling});
    let mut changed = Changed { merge: Merge::new(1_000), ..Changed::new(json!({"info": {"title": "a"}}), FileId(0)) };
    let error = changed.apply(&overlay, FileId(1), &mut Diagnostics::default()).unwrap_err();
    assert!(error.message.contains("too large"), "{error}");
    assert!(changed.document().to_string().len() < 100_000);
}
