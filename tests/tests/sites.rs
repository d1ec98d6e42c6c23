//! `fixtures/errno-sites.toml` says what the fixtures say: each line that a row names is an operation that answers that errno.

use std::collections::BTreeMap;

use standin::transcript::Operation;
use standin_tests::errno_sites::{self, Line, Proof, Site};
use standin_tests::fixtures;

#[test]
fn each_line_that_shows_a_site_is_an_operation_that_answers_its_errno() {
    let complaints: Vec<String> = lines()
        .filter_map(|(site, line)| {
            let answer = match line.operation(fixtures::cached()) {
                Ok(operation) => errno(operation),
                Err(complaint) => return Some(format!("{}: {complaint}", site.id)),
            };
            let expected = site.errno.to_string();
            (answer != Some(expected.as_str()))
                .then(|| format!("{}: {line} says {answer:?}, not {expected}", site.id))
        })
        .collect();
    assert!(complaints.is_empty(), "\n  {}", complaints.join("\n  "));
}

#[test]
fn each_line_is_of_a_kernel_that_has_the_site() {
    for (site, line) in lines() {
        let kernel = line.fixture.split('/').next().unwrap_or_default();
        assert!(
            site.kernels.iter().any(|release| release.word() == kernel),
            "{}: {line} is of another kernel",
            site.id
        );
    }
}

#[test]
fn a_line_shows_one_site() {
    let mut shown: BTreeMap<&Line, &Site> = BTreeMap::new();
    let sites = lines();
    for (site, line) in sites {
        if let Some(other) = shown.insert(line, site) {
            panic!("{line} cannot show both {} and {}", other.id, site.id);
        }
    }
}

#[test]
fn the_explicit_errnos_of_a_function_are_counted_from_one() {
    let mut last: BTreeMap<(&str, &str), u32> = BTreeMap::new();
    for site in all() {
        let (function, ordinal) = site.id.rsplit_once('.').unwrap();
        let before = last.insert((&site.file, function), ordinal.parse().unwrap());
        assert_eq!(ordinal, (before.unwrap_or(0) + 1).to_string(), "{}", site.id);
    }
}

/// The errno with which an operation failed, at its opening or at the transfer.
fn errno(operation: &Operation) -> Option<&str> {
    operation.answer.as_ref()?.as_status()?.split(' ').next()
}

fn all() -> &'static [Site] {
    static SITES: std::sync::LazyLock<Vec<Site>> = std::sync::LazyLock::new(errno_sites::all);
    &SITES
}

fn lines() -> impl Iterator<Item = (&'static Site, &'static Line)> {
    all().iter().flat_map(|site| match &site.proof {
        Proof::Shown(lines) => lines.iter().map(|line| (site, line)).collect::<Vec<_>>(),
        Proof::Unreached(_) => Vec::new(),
    })
}
