//! Our own source text, read as the tests of the architecture need it: without comments and literals, as a list of paths.
//!
//! This is no parser of Rust. It knows comments, literals and `use` trees, which is enough to say what a file names.

use std::fs;
use std::path::{Path, PathBuf};

use crate::fixtures::workspace;

/// A source file of the workspace.
#[derive(Debug, Clone)]
pub struct Source {
    /// From the workspace's folder, with `/`.
    pub path: String,
    /// Its text.
    pub text: String,
}

impl Source {
    /// Every name of more than one part that its code holds: `a::b::c`, with `use a::{b, c as d}` taken apart and `self`,
    /// `super` and `crate` resolved into `crate::...`. Comments and literals do not count.
    #[must_use]
    pub fn paths(&self) -> Vec<String> {
        let here = module_of(&self.path);
        let code = code_of(&self.text);
        let mut paths = Vec::new();
        let mut rest = code.as_str();
        while let Some((_, begun)) = cut_at_path(rest) {
            let (tree, left) = take_tree(begun);
            expand("", &tree, &mut paths);
            rest = left;
        }
        paths.iter().filter(|path| path.contains("::")).map(|path| resolve(path, &here)).collect()
    }
}

/// All Rust files of a package's folder, sorted.
///
/// # Panics
/// If a folder or file cannot be read.
#[must_use]
pub fn rust_files(package: &str) -> Vec<Source> {
    let mut found = Vec::new();
    let root = workspace();
    collect(&root.join(package), &mut found);
    found.retain(|path| path.extension().is_some_and(|extension| extension == "rs"));
    found.sort();
    let read = |path: PathBuf| {
        let text =
            fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let path = path.strip_prefix(&root).unwrap_or(&path).to_string_lossy().into_owned();
        Source { path, text }
    };
    found.into_iter().map(read).collect()
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    let entries =
        fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    for entry in entries.flatten() {
        let path = entry.path();
        if !path.is_dir() {
            found.push(path);
        } else if entry.file_name() != "target" {
            collect(&path, found);
        }
    }
}

/// `core/src/transcript/op/file.rs` → `crate::transcript::op::file`.
fn module_of(path: &str) -> Vec<String> {
    let inside = path.split_once("/src/").map_or(path, |(_, inside)| inside);
    let inside = inside.strip_suffix(".rs").unwrap_or(inside);
    let inside = inside.strip_suffix("/mod").unwrap_or(inside);
    let parts = inside.split('/').filter(|part| !matches!(*part, "lib" | "main"));
    ["crate"].into_iter().chain(parts).map(str::to_owned).collect()
}

/// The path from the crate's root where it begins with `self` or `super`.
fn resolve(path: &str, here: &[String]) -> String {
    let mut module = here.to_vec();
    let mut rest = path;
    if let Some(inside) = rest.strip_prefix("self::") {
        rest = inside;
    } else if !rest.starts_with("super::") {
        return path.to_owned();
    }
    while let Some(above) = rest.strip_prefix("super::") {
        module.pop();
        rest = above;
    }
    module.push(rest.to_owned());
    module.join("::")
}

/// The code up to the next name, and from it on.
fn cut_at_path(code: &str) -> Option<(&str, &str)> {
    let start = code.find(|letter: char| letter.is_alphabetic() || letter == '_')?;
    code.split_at_checked(start)
}

/// A path or a tree of paths at the beginning of `code`, without blanks, and what follows it.
fn take_tree(code: &str) -> (String, &str) {
    let mut tree = String::new();
    let mut depth = 0_usize;
    let mut rest = code;
    loop {
        let blank_free = rest.trim_start();
        if let Some(behind) = blank_free.strip_prefix("::") {
            tree.push_str("::");
            rest = behind;
            let opens = rest.trim_start().strip_prefix('{').filter(|_| tree.len() > 2);
            if let Some(inside) = opens {
                tree.push('{');
                depth += 1;
                rest = inside;
            }
            continue;
        }
        let inside_tree = if depth > 0 { blank_free } else { rest };
        match inside_tree.chars().next() {
            Some(letter) if letter.is_alphanumeric() || letter == '_' => {
                // Outside of braces two names in a row are two paths, as in `use a`.
                let glued = tree.is_empty() || depth > 0 || tree.ends_with("::");
                if !glued {
                    return (tree, rest);
                }
                let end =
                    inside_tree.find(|letter: char| !letter.is_alphanumeric() && letter != '_');
                let (name, behind) = inside_tree.split_at(end.unwrap_or(inside_tree.len()));
                if tree.ends_with(|letter: char| letter.is_alphanumeric() || letter == '_') {
                    tree.push(' ');
                }
                tree.push_str(name);
                rest = behind;
            }
            Some(mark @ (',' | '*')) if depth > 0 => {
                tree.push(mark);
                rest = inside_tree.strip_prefix(mark).unwrap_or_default();
            }
            Some('{') if depth > 0 => {
                tree.push('{');
                depth += 1;
                rest = inside_tree.strip_prefix('{').unwrap_or_default();
            }
            Some('}') if depth > 0 => {
                tree.push('}');
                depth -= 1;
                rest = inside_tree.strip_prefix('}').unwrap_or_default();
                if depth == 0 {
                    return (tree, rest);
                }
            }
            _ if tree.is_empty() => return (tree, rest.get(1..).unwrap_or_default()),
            _ => return (tree, rest),
        }
    }
}

/// The paths of a tree: `a::{b, c::{self, d as e}}` is `a::b`, `a::c`, `a::c::d`.
fn expand(prefix: &str, tree: &str, paths: &mut Vec<String>) {
    let Some((head, inside)) = tree.split_once('{') else {
        let name = tree.split(' ').next().unwrap_or(tree);
        let path = format!("{prefix}{name}");
        paths.push(path.strip_suffix("::self").unwrap_or(&path).to_owned());
        return;
    };
    let inside = inside.strip_suffix('}').unwrap_or(inside);
    let (mut depth, mut start) = (0_usize, 0);
    let ends = inside.char_indices().filter_map(|(at, letter)| {
        match letter {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        (letter == ',' && depth == 0).then_some(at)
    });
    let ends: Vec<usize> = ends.chain([inside.len()]).collect();
    for end in ends {
        let part = inside.get(start..end).unwrap_or_default();
        if !part.is_empty() {
            expand(&format!("{prefix}{head}"), part, paths);
        }
        start = end + 1;
    }
}

/// The text with its comments and the insides of its literals blanked.
#[must_use]
pub fn code_of(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        let behind = skip_uncode(rest, code.chars().next_back());
        if behind.len() == rest.len() {
            code.push(letter);
            rest = rest.strip_prefix(letter).unwrap_or_default();
        } else {
            code.push(' ');
            rest = behind;
        }
    }
    code
}

/// What follows the comment or literal that `text` begins with; `text` itself if it begins with neither.
fn skip_uncode(text: &str, before: Option<char>) -> &str {
    let in_name = before.is_some_and(|letter| letter.is_alphanumeric() || letter == '_');
    if text.starts_with("//") {
        return text.find('\n').and_then(|end| text.get(end..)).unwrap_or_default();
    }
    if text.starts_with("/*") {
        return skip_block_comment(text);
    }
    if text.starts_with('"') {
        return skip_quoted(text, '"');
    }
    if !in_name && let Some(raw) = text.strip_prefix('r') {
        let hashes = raw.len() - raw.trim_start_matches('#').len();
        if raw.trim_start_matches('#').starts_with('"') {
            let end = format!("\"{}", "#".repeat(hashes));
            let inside = raw.get(hashes + 1..).unwrap_or_default();
            return inside.split_once(&end).map_or("", |(_, behind)| behind);
        }
    }
    // A character, not a lifetime: `'x'`, `'\n'`.
    let mut letters = text.chars();
    if letters.next() == Some('\'')
        && (letters.next() == Some('\\') || letters.next() == Some('\''))
    {
        return skip_quoted(text, '\'');
    }
    text
}

fn skip_block_comment(text: &str) -> &str {
    let mut depth = 0_usize;
    let mut rest = text;
    while !rest.is_empty() {
        if let Some(inside) = rest.strip_prefix("/*") {
            depth += 1;
            rest = inside;
        } else if let Some(behind) = rest.strip_prefix("*/") {
            depth -= 1;
            rest = behind;
            if depth == 0 {
                break;
            }
        } else {
            let mut letters = rest.chars();
            letters.next();
            rest = letters.as_str();
        }
    }
    rest
}

fn skip_quoted(text: &str, quote: char) -> &str {
    let mut letters = text.chars();
    letters.next();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => drop(letters.next()),
            _ if letter == quote => break,
            _ => {}
        }
    }
    letters.as_str()
}

#[cfg(test)]
mod tests {
    use super::{Source, code_of};

    #[track_caller]
    fn check(code: &str, paths: &[&str]) {
        let source =
            Source { path: "core/src/transcript/op/file.rs".to_owned(), text: code.to_owned() };
        assert_eq!(source.paths(), paths, "{code}");
    }

    #[test]
    fn a_use_tree_is_taken_apart() {
        check("use std::fs;", &["std::fs"]);
        check(
            "use std::{fmt, fs::{self, File as F}, env};",
            &["std::fmt", "std::fs", "std::fs::File", "std::env"],
        );
        check("pub(super) use std :: {\n    io,\n    net,\n};", &["std::io", "std::net"]);
        check("let a = std::env::var; b.c()", &["std::env::var"]);
        check("let v: Vec<std::fs::File> = Vec::new();", &["std::fs::File", "Vec::new"]);
    }

    #[test]
    fn a_path_is_resolved_from_the_file_where_it_stands() {
        check("use super::name::X;", &["crate::transcript::op::name::X"]);
        check("use super::super::super::engine::X;", &["crate::engine::X"]);
        check(
            "use self::inner::X; use crate::id::Pid;",
            &["crate::transcript::op::file::inner::X", "crate::id::Pid"],
        );
    }

    #[test]
    fn comments_and_literals_name_nothing() {
        check(
            "//! std::fs\n/* std::env /* a::b */ c::d */ let s = \"std::net \\\" x::y\"; r#\"std::os \"a::b\"#; 'a'; ':'",
            &[],
        );
        check("fn f<'a>(x: &'a std::fs::File, y: '\\'')", &["std::fs::File"]);
        assert_eq!(code_of("a // b\nc"), "a  \nc");
    }
}
