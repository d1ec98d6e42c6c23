//! COVERAGE.md says what is true.

use standin_tests::coverage;
use standin_tests::fixtures::workspace;

#[test]
fn the_file_in_the_tree_is_what_is_counted_now() {
    let (path, text) = (workspace().join("COVERAGE.md"), coverage::text());
    if std::env::var_os("STANDIN_UPDATE").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let there = std::fs::read_to_string(&path).unwrap_or_default();
    let differs = there.lines().zip(text.lines()).find(|(old, new)| old != new);
    assert!(
        there == text,
        "COVERAGE.md is out of date, first at {differs:?}; STANDIN_UPDATE=1 writes it anew"
    );
}
