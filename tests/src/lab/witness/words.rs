//! strace(1)'s words for calls, flags and states, as a script has them.

use super::strace::field;

/// Names of calls that do what another one does.
const SAME: [(&str, &str); 9] = [
    ("openat", "open"),
    ("newfstatat", "stat"),
    ("lstat", "stat"),
    ("mkdirat", "mkdir"),
    ("fchmodat", "chmod"),
    ("lchown", "chown"),
    ("fchownat", "chown"),
    ("faccessat", "access"),
    ("faccessat2", "access"),
];
/// Flags of open(2) by their names in a script; those without one change nothing that can be seen.
const FLAGS: [(&str, &str); 8] = [
    ("O_CREAT", "creat"),
    ("O_EXCL", "excl"),
    ("O_TRUNC", "trunc"),
    ("O_APPEND", "append"),
    ("O_NOFOLLOW", "nofollow"),
    ("O_CLOEXEC", ""),
    ("O_NONBLOCK", ""),
    ("O_LARGEFILE", ""),
];

/// The name of the call that does the same, if there is one.
pub(super) fn plain_name(name: &str) -> &str {
    SAME.iter().find(|(other, _)| *other == name).map_or(name, |(_, plain)| plain)
}

/// Flags of open(2) behind its mode, those that have a name in a script.
pub(super) fn open_flags(flags: &[&str]) -> Result<String, String> {
    let known = |flag: &&str| {
        let row = FLAGS.iter().find(|(name, _)| name == flag);
        row.map(|(_, word)| *word).ok_or(format!("{flag} has no name in a script"))
    };
    let words: Vec<&str> = flags.iter().map(known).collect::<Result<_, _>>()?;
    let named: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
    Ok(named.join(","))
}

/// access(2)'s mode in letters.
pub(super) fn access_mode(words: &str) -> Result<String, String> {
    let letter = |word| match word {
        "F_OK" => Ok('f'),
        "R_OK" => Ok('r'),
        "W_OK" => Ok('w'),
        "X_OK" => Ok('x'),
        _ => Err(format!("{word} is no mode of access")),
    };
    words.split('|').map(letter).collect()
}

/// A status as `stat` prints it: type, permissions, owners.
pub(super) fn status(structure: &str) -> Option<String> {
    let (mode, uid) = (field(structure, "st_mode")?, field(structure, "st_uid")?);
    let gid = field(structure, "st_gid")?;
    let (kind, bits) = mode.split_once('|')?;
    let kind = match kind {
        "S_IFDIR" => "dir",
        "S_IFREG" => "file",
        _ => return None,
    };
    let bits = u32::from_str_radix(bits, 8).ok()?;
    Some(format!("{kind} {bits:04o} {uid}:{gid}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_and_modes_have_their_names_or_are_refused() {
        assert_eq!(open_flags(&["O_CREAT", "O_CLOEXEC", "O_TRUNC"]).unwrap(), "creat,trunc");
        assert_eq!(open_flags(&[]).unwrap(), "");
        assert!(open_flags(&["O_PATH"]).unwrap_err().contains("O_PATH"));
        assert_eq!(access_mode("F_OK").unwrap(), "f");
        assert_eq!(access_mode("R_OK|X_OK").unwrap(), "rx");
        assert!(access_mode("R_OK|Q_OK").unwrap_err().contains("Q_OK"));
        assert_eq!((plain_name("openat"), plain_name("read")), ("open", "read"));
    }

    #[test]
    fn a_status_is_its_type_its_permissions_and_its_owners() {
        let told =
            |mode: &str| status(&format!("{{st_ino=4, st_mode={mode}, st_uid=1, st_gid=2}}"));
        assert_eq!(told("S_IFREG|0440").unwrap(), "file 0440 1:2");
        assert_eq!(told("S_IFDIR|0755").unwrap(), "dir 0755 1:2");
        assert_eq!((told("S_IFLNK|0777"), told("S_IFDIR|S_ISVTX|0777")), (None, None));
    }
}
