//! strace(1)'s lines, read: the call's name, its arguments as they are spelled, and how it returned.
//!
//! What an argument means is for [`operations`](super::operations); here are only the forms: words, strings in quotes,
//! structures in braces, lists in brackets.

/// A call that has returned.
///
/// ```
/// use standin_tests::lab::witness::strace::{Call, Returned};
/// let call = Call::read("mkdir(\"/a\", 0775) = -1 EEXIST (File exists)")?.unwrap();
/// assert_eq!((call.name.as_str(), call.path(0)), ("mkdir", Some("/a".to_owned())));
/// assert_eq!(call.returned, Returned::Failed("EEXIST".to_owned()));
/// # Ok::<(), String>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The system call.
    pub name: String,
    /// Each argument as it is spelled, without strace's comments.
    pub arguments: Vec<String>,
    /// How it returned.
    pub returned: Returned,
}

/// How a call returned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Returned {
    /// With this number.
    Number(u64),
    /// With this errno.
    Failed(String),
}

impl Call {
    /// Reads a line; none if it tells of no call that returned: of a signal or of an end.
    ///
    /// # Errors
    /// If it is no line of strace's, told with the line.
    pub fn read(line: &str) -> Result<Option<Self>, String> {
        let is_other = line.starts_with("+++ ") || line.starts_with("--- ");
        if is_other || line.trim_end().ends_with("= ?") {
            return Ok(None);
        }
        Self::parse(line).map(Some).ok_or_else(|| format!("no call as strace writes it: {line:?}"))
    }

    fn parse(line: &str) -> Option<Self> {
        let (name, rest) = line.split_once('(')?;
        let (arguments, rest) = parts(rest)?;
        let mut words = rest.trim_start().strip_prefix("= ")?.split(' ');
        let number = words.next()?;
        let returned = if number == "-1" {
            Returned::Failed(words.next()?.to_owned())
        } else {
            Returned::Number(unsigned(number)?)
        };
        let is_name = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        is_name.then(|| Self { name: name.to_owned(), arguments, returned })
    }

    /// An argument as it is spelled; nothing if there is none.
    #[must_use]
    pub fn word(&self, index: usize) -> &str {
        self.arguments.get(index).map_or("", String::as_str)
    }

    /// An argument that is a whole string.
    #[must_use]
    pub fn bytes(&self, index: usize) -> Option<Vec<u8>> {
        string(self.word(index))
    }

    /// The same as text.
    #[must_use]
    pub fn path(&self, index: usize) -> Option<String> {
        String::from_utf8(self.bytes(index)?).ok()
    }

    /// An argument that is a number, in any of C's spellings.
    #[must_use]
    pub fn number(&self, index: usize) -> Option<u64> {
        unsigned(self.word(index))
    }
}

/// A field of a structure, as it is spelled.
#[must_use]
pub fn field(structure: &str, name: &str) -> Option<String> {
    let (fields, _) = parts(structure.strip_prefix('{')?)?;
    fields.iter().find_map(|field| field.strip_prefix(name)?.strip_prefix('=')).map(str::to_owned)
}

/// The elements of a list.
#[must_use]
pub fn list(argument: &str) -> Option<Vec<String>> {
    Some(parts(argument.strip_prefix('[')?)?.0)
}

/// A string in quotes; none if strace cut it.
#[must_use]
pub fn string(argument: &str) -> Option<Vec<u8>> {
    let inside = argument.strip_prefix('"')?.strip_suffix('"')?;
    let mut bytes = Vec::with_capacity(inside.len());
    let mut rest = inside.bytes().peekable();
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        bytes.push(match rest.next()? {
            b'n' => b'\n',
            b't' => b'\t',
            b'r' => b'\r',
            b'v' => 0x0b,
            b'f' => 0x0c,
            first @ b'0'..=b'7' => {
                // One to three octal digits.
                let mut value = u32::from(first - b'0');
                for _ in 0..2 {
                    let digit = rest.next_if(|digit| matches!(digit, b'0'..=b'7'));
                    value = digit.map_or(value, |digit| value * 8 + u32::from(digit - b'0'));
                }
                u8::try_from(value).ok()?
            }
            itself @ (b'"' | b'\\') => itself,
            _ => return None,
        });
    }
    Some(bytes)
}

fn unsigned(word: &str) -> Option<u64> {
    if let Some(digits) = word.strip_prefix("0x") {
        return u64::from_str_radix(digits, 16).ok();
    }
    let radix = if word.starts_with('0') { 8 } else { 10 };
    u64::from_str_radix(word, radix).ok()
}

/// What stands between commas up to the bracket that closes, and what is behind that. Comments are left out.
fn parts(text: &str) -> Option<(Vec<String>, &str)> {
    let (mut parts, mut part, mut depth) = (Vec::new(), String::new(), 0_u32);
    let mut characters = text.chars();
    loop {
        let character = characters.next()?;
        match character {
            ')' | ']' | '}' if depth == 0 => break,
            ',' if depth == 0 => {
                parts.push(std::mem::take(&mut part).trim().to_owned());
                continue;
            }
            '/' if characters.as_str().starts_with('*') => {
                let (_, behind) = characters.as_str().split_once("*/")?;
                characters = behind.chars();
                continue;
            }
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            _ => {}
        }
        part.push(character);
        if character == '"' {
            loop {
                let inside = characters.next()?;
                part.push(inside);
                match inside {
                    '\\' => part.push(characters.next()?),
                    '"' => break,
                    _ => {}
                }
            }
        }
    }
    let last = part.trim();
    if !(parts.is_empty() && last.is_empty()) {
        parts.push(last.to_owned());
    }
    Some((parts, characters.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(line: &str) -> Call {
        Call::read(line).unwrap().unwrap()
    }

    #[test]
    fn a_call_is_its_name_its_arguments_and_what_it_returned() {
        let opened = call(r#"openat(AT_FDCWD, "/a, (b", O_WRONLY|O_TRUNC, 0666)   = 7"#);
        assert_eq!(opened.arguments.len(), 4);
        assert_eq!((opened.word(0), opened.word(2)), ("AT_FDCWD", "O_WRONLY|O_TRUNC"));
        assert_eq!(opened.path(1).unwrap(), "/a, (b");
        assert_eq!((opened.number(3), opened.returned), (Some(0o666), Returned::Number(7)));
        assert!(call("getpid() = 0x1f").arguments.is_empty());
        assert_eq!(call("getpid() = 0x1f").returned, Returned::Number(31));
        let failed = call(r#"rmdir("/a") = -1 EBUSY (Device or resource busy)"#);
        assert_eq!(failed.returned, Returned::Failed("EBUSY".to_owned()));
    }

    #[test]
    fn ends_and_signals_are_no_calls_and_other_text_is_refused() {
        for line in ["+++ exited with 3 +++", "--- SIGCHLD {} ---", "exit_group(3) = ?"] {
            assert_eq!(Call::read(line), Ok(None));
        }
        for line in ["", "a word", "read(3, \"cut", "read(3, \"a\", 4)", "read(3) = word"] {
            assert!(Call::read(line).is_err(), "{line}");
        }
    }

    #[test]
    fn strings_have_the_escapes_of_c_and_cut_ones_are_none() {
        let read = call(r#"read(3, "a\tb\n\"\\\0\01712\377", 99) = 11"#);
        assert_eq!(read.bytes(1).unwrap(), b"a\tb\n\"\\\0\x0f12\xff");
        assert_eq!(string(r#""half"..."#), None);
        assert_eq!(string(r#""\q""#), None);
        assert_eq!(string("NULL"), None);
    }

    #[test]
    fn structures_have_fields_and_lists_have_elements() {
        let told = call(concat!(
            r#"newfstatat(AT_FDCWD, "/a", {st_dev=makedev(0, 0x1d), st_mode=S_IFDIR|0755, "#,
            r#"st_atime=1 /* 2001-01-01T00:00:00, or so */, st_uid=2}, 0) = 0"#
        ));
        assert_eq!(field(told.word(2), "st_mode").unwrap(), "S_IFDIR|0755");
        assert_eq!(field(told.word(2), "st_dev").unwrap(), "makedev(0, 0x1d)");
        assert_eq!(field(told.word(2), "st_uid").unwrap(), "2");
        assert_eq!(field(told.word(2), "st_gid"), None);
        let listed =
            call(r#"getdents64(3, [{d_name="a"}, {d_name="b]"}] /* 2 entries */, 99) = 48"#);
        let entries = list(listed.word(1)).unwrap();
        assert_eq!(entries, [r#"{d_name="a"}"#, r#"{d_name="b]"}"#]);
        assert_eq!(list("[]"), Some(Vec::new()));
    }
}
