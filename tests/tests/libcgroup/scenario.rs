//! The file `scenarios`, read: what is there beforehand, who calls, and the calls.

/// What is made before the calls; paths are below /sys/fs/cgroup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Given {
    Group { path: String },
    Written { path: String, text: String },
    Owned { path: String, user: u32, group: u32 },
    Process { label: String, path: String },
}

#[derive(Clone, Debug)]
pub(crate) struct Scenario {
    pub(crate) label: String,
    pub(crate) given: Vec<Given>,
    /// Who calls; root unless it is said.
    pub(crate) user: u32,
    /// Each a name and words, as they are written.
    pub(crate) written: Vec<String>,
    /// The same, with what `{7*4095}` stands for.
    pub(crate) calls: Vec<String>,
}

/// All of them.
pub(crate) fn all() -> Vec<Scenario> {
    let mut found: Vec<Scenario> = Vec::new();
    let lines = include_str!("scenarios").lines().map(str::trim);
    for line in lines.filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(label) = line.strip_prefix("= ") {
            let label = label.to_owned();
            let (given, written, calls) = (Vec::new(), Vec::new(), Vec::new());
            found.push(Scenario { label, given, user: 0, written, calls });
            continue;
        }
        let scenario = found.last_mut().expect("a line stands behind a label");
        if let Some(given) = line.strip_prefix("given: ") {
            scenario.given.push(read(given));
        } else if let Some(user) = line.strip_prefix("as: ") {
            scenario.user = user.parse().expect("a user's number");
        } else {
            scenario.written.push(line.to_owned());
            scenario.calls.push(repeated(line));
        }
    }
    found
}

fn read(given: &str) -> Given {
    let words: Vec<&str> = given.splitn(3, ' ').collect();
    match words[..] {
        ["mkdir", path] => Given::Group { path: path.to_owned() },
        ["write", path, text] => Given::Written { path: path.to_owned(), text: text.to_owned() },
        ["chown", path, owner] => {
            let (user, group) = owner.split_once(':').expect("an owner is USER:GROUP");
            let number = |text: &str| text.parse().expect("a number");
            Given::Owned { path: path.to_owned(), user: number(user), group: number(group) }
        }
        ["process", label, path] => {
            Given::Process { label: label.to_owned(), path: path.to_owned() }
        }
        _ => panic!("nothing is given like {given:?}"),
    }
}

/// A call with so many of a character for `{CHARACTER*COUNT}`.
fn repeated(line: &str) -> String {
    let Some((before, rest)) = line.split_once('{') else { return line.to_owned() };
    let (what, behind) = rest.split_once('}').expect("what is opened is closed");
    let (character, count) = what.split_once('*').expect("it is CHARACTER*COUNT");
    format!("{before}{}{behind}", character.repeat(count.parse().expect("a number")))
}

/// A word of a call, with what stands for characters that a word cannot hold.
pub(crate) fn spelled(word: &str) -> String {
    word.replace("\\n", "\n").replace("\\s", " ").replace("\\e", "")
}
