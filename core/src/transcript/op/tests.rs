//! The tables themselves: each row well-formed, each operation printed as it is read.

use std::collections::BTreeSet;

use super::*;

/// A line for each form of each operation, as it is printed. The test below asks that no row is
/// missing here.
const LINES: &[&str] = &[
    "mkdir /a",
    "mkdir /a 0700",
    "mkdir \"\"",
    "mkdir \"t\\xff\\n\"",
    "rmdir ../a/.",
    "write /a \"\"",
    "write /a \"<p> <fd:e>\\0\"",
    "read /a",
    "read~ /a",
    "key /a populated",
    "test /a == 0",
    "test /a == == -1",
    "test /a usage_usec >= 170141183460469231731687303715884105727",
    "ls .",
    "stat /a",
    "chmod /a 0000",
    "chown /a -1:0",
    "chdir /",
    "create /a",
    "unlink /a",
    "rename /a /b",
    "symlink x /a",
    "link /a /b",
    "access /a rwx",
    "access /a f",
    "statfs /a",
    "xset /a user.a \"x y\"",
    "xget /a user.a",
    "xlist /a",
    "xdel /a user.a",
    "open f /a rw",
    "fread f",
    "fwrite f x",
    "close f",
    "pollpri f -1",
    "mount cgroup /a",
    "mount cgroup2 /a \"\"",
    "mount tmpfs /a ro,rec,size=1M,,mode=0700",
    "umount /a",
    "fork p",
    "fork p \"into=/a b\" new=user,pid uid=1000",
    "thread t",
    "exit 256",
    "kill p KILL",
    "kill p 0",
    "kill p 99",
    "wait p",
    "wait p nohang",
    "status p",
    "pid",
    "ppid",
    "subreaper off",
    "setid 1000:1001",
    "capdrop setpcap kill",
    "proc p cgroup",
    "exec /bin/true",
    "exec echo a \"b c\"",
    "join p",
    "unshare user,pid,uts,mnt,net,ipc,cgroup,time",
    "setns p pid",
    "nsid p time_for_children",
    "hostname",
    "hostname \"\"",
    "domainname x",
    "idmap p uid \"0 1000 1\\n\"",
    "setgroups p deny",
    "alloc 16M",
    "release",
    "burn 20",
    "sleep 300",
    "socket s seqpacket nonblock",
    "socketpair a b dgram",
    "bind s @",
    "bind s @name",
    "bind s /mnt/s",
    "connect s unspec",
    "connect s \"@tname\\0\"",
    "listen s -1",
    "accept s c nonblock",
    "send s \"a b\"",
    "send s x to=@t fds=f,g*253 cred=<p>:5:-1 nonblock sigpipe",
    "fill s 4K",
    "recv s 10",
    "recv s 64K peek waitall nonblock cred fds=g,h pidfd",
    "sockopt s passcred on",
    "sockopt s error",
    "peercred s",
    "peerpidfd s",
    "shutdown s rw",
    "poll s in,out,rdhup 1000",
    "poll s none 0",
    "sockname s",
    "peername s",
    "dup s t",
    "ids",
    "caps",
    "setresuid 0 -1 65534",
    "setresgid 0 0 0",
    "setuid 1",
    "setgid 1",
    "grouplist none",
    "grouplist 1,2",
    "capset amb all off",
    "capset amb kill on",
    "capset bnd chown off",
    "prctl keepcaps",
    "prctl keepcaps 2",
    "prctl no_new_privs 1",
    "prctl securebits 2f",
    "prctl pdeathsig USR1",
    "prctl name \"a b(c\"",
    "rlimit p nofile",
    "rlimit 0 fsize 4:inf",
    "priority process p -100",
    "priority pgrp 0",
    "priority user 4325 11",
    "umask 0022",
    "setsid",
    "setpgid 0 p",
    "getpgid p",
    "getsid 0",
    "killpg 0 TERM",
    "signal USR1 restart",
    "sigmask block USR1,CHLD",
    "sigmask set none",
    "sigcount USR1",
    "sigpending",
    "readlink /a",
    "truncate /a -1",
    "openat2 g f \"\" r",
    "openat2 g cwd a path directory,no_symlinks",
    "flock f ex nonblock",
    "inotify i nonblock",
    "watch i w /a all,dont_follow",
    "watch i w /a none",
    "unwatch i w",
    "events i",
    "eventfd e 0 nonblock semaphore",
    "evread e",
    "evwrite e 18446744073709551615",
    "handle h /a",
    "samehandle h /a",
    "uname release",
    "reboot power_off",
    "clock boottime",
    "attach 0",
];

#[test]
fn every_operation_prints_as_it_is_read() {
    let mut seen = BTreeSet::new();
    for line in LINES {
        let op: Op = line.parse().unwrap_or_else(|error| panic!("{line}: {error}"));
        assert_eq!(op.to_string(), *line);
        let row = op_rows().find(|row| row.name == op.name()).unwrap();
        assert_eq!(row.theme, op.theme(), "{line}");
        seen.insert(op.name());
    }
    let missing: Vec<&str> =
        op_rows().map(|row| row.name).filter(|name| !seen.contains(name)).collect();
    assert!(missing.is_empty(), "rows without a line in this test: {missing:?}");
}

#[test]
fn every_row_has_its_own_name_a_usage_and_one_line_of_help() {
    let mut names = BTreeSet::new();
    for row in op_rows() {
        assert!(names.insert(row.name), "{} has two rows", row.name);
        assert!(
            row.name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'~'),
            "{}",
            row.name
        );
        assert!(row.summary().ends_with('.') && row.summary().len() < 120, "{}", row.name);
        assert!(
            row.usage().starts_with(row.name) && row.usage() == row.usage().trim(),
            "{}",
            row.name
        );
    }
    assert_eq!(names.len(), 110);
}

#[test]
fn an_operation_short_of_its_first_word_says_how_it_is_written() {
    for row in op_rows().filter(|row| !row.arguments.is_empty() && !row.arguments.starts_with('['))
    {
        let error = row.name.parse::<Op>().unwrap_err();
        assert_eq!(error.message, "a word is missing", "{}", row.name);
        assert_eq!((error.help, error.column), (row.usage(), row.name.len() + 1));
    }
}

#[test]
fn no_operation_takes_a_word_too_many() {
    for line in
        LINES.iter().filter(|line| !line.starts_with("exec") && !line.starts_with("capdrop"))
    {
        let mut wrong = (*line).to_owned();
        // Optional words are filled by then, so that one of these is beyond the last.
        for _ in 0..8 {
            wrong.push_str(" \u{fc}\u{fc}");
        }
        assert!(wrong.parse::<Op>().is_err(), "{wrong}");
    }
    let error = "rmdir /a /b".parse::<Op>().unwrap_err();
    assert_eq!(
        (error.column, error.width, error.message.as_str()),
        (10, 2, "`/b` is a word too many")
    );
}

#[track_caller]
fn refused(line: &str, column: usize, message: &str, help: &str) {
    let error = line.parse::<Op>().unwrap_err();
    assert_eq!(
        (error.column, error.message.as_str(), error.help.as_str()),
        (column, message, help),
        "{line}"
    );
}

#[test]
fn a_wrong_word_is_named_with_what_would_be_right() {
    refused("", 1, "an operation is missing", "ACTOR> OP ARG...");
    refused("open f /a x", 11, "`x` is not a way to open", "r, w or rw");
    refused("mkdir /a 0999", 10, "`0999` is not a mode", "octal digits up to 7777, such as 0755");
    refused(
        "mkdir \"a\\0\"",
        7,
        "`\"a\\0\"` is not a path or name",
        "any bytes but NUL: a kernel reads it up to its first NUL",
    );
    refused("fork p into", 8, "`into` needs a value", "fork LABEL [into=PATH] [new=KINDS] [uid=N]");
    refused(
        "fork p uid=1 uid=2",
        14,
        "`uid` stands here twice",
        "fork LABEL [into=PATH] [new=KINDS] [uid=N]",
    );
    refused(
        "recv a 1 peek=1",
        10,
        "`peek` takes no value",
        "recv FD SIZE [peek] [waitall] [nonblock] [cred] [fds=NEW,...] [pidfd]",
    );
    refused(
        "capset eff all off",
        12,
        "`all` is for the set amb alone",
        "capset inh|prm|eff|bnd|amb CAP|all on|off",
    );
    refused(
        "capset bnd chown on",
        18,
        "this only goes off",
        "capset inh|prm|eff|bnd|amb CAP|all on|off",
    );
    refused(
        "priority user 0",
        15,
        "root's processes are not the script's",
        "priority process|pgrp|user WHO [N]",
    );
    refused(
        "kill p SIGKILL",
        8,
        "`SIGKILL` is not a signal",
        "a name without SIG, such as KILL, or a number",
    );
    refused(
        "poll f in,foo 0",
        8,
        "`foo` is not an event of poll",
        "in, pri, out, err, hup, nval or rdhup, or none",
    );
    refused(
        "send a x cred=p:0:0",
        10,
        "`p:0:0` is not a set of credentials",
        "<LABEL>:UID:GID, such as <p>:0:0",
    );
    refused("test /a k ~ 1", 11, "`~` is not a comparison", "==, !=, <, <=, > or >=");
}

#[test]
fn an_unknown_operation_names_the_nearest() {
    for (wrong, name) in [
        ("mkdri", "mkdir"),
        ("sockt", "socket"),
        ("read-", "read"),
        ("umout", "umount"),
        ("xsett", "xset"),
    ] {
        assert_eq!(nearest(wrong.as_bytes()).map(|row| row.name), Some(name));
    }
    assert!(nearest(b"quaxolotl").is_none_or(|row| row.name.len() > 4));
    assert!(nearest(&[b'a'; 1 << 20]).is_none());
    assert_eq!(edits(b"", b"abc"), 3);
    assert_eq!(edits(b"abcd", b"abdc"), 1);
    assert_eq!(edits(b"kitten", b"sitting"), 3);
}
