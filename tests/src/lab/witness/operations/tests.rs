//! Samples of calls, and the operations that they are.

use super::*;

/// The operations of one command, as a script has them, each with its answer behind it.
fn told(calls: &[&str]) -> Result<Vec<String>, String> {
    let calls: Vec<String> = calls.iter().map(|call| (*call).to_owned()).collect();
    let said = Reader::new(12, Counts::Shape).command(&calls, 0o022)?;
    Ok(said.iter().map(|said| format!("{} = {}", said.op, said.answer)).collect())
}

#[track_caller]
fn refused(calls: &[&str], why: &str) {
    let error = told(calls).unwrap_err();
    assert!(error.contains(why), "{error}");
}

#[test]
fn calls_on_names_are_operations_with_what_the_umask_leaves() {
    let told = told(&[
        r#"mkdir("/sys", 0775) = -1 EEXIST (File exists)"#,
        r#"mkdir("/sys/fs/cgroup/a", 0775) = 0"#,
        r"umask(0) = 022",
        r#"mkdirat(AT_FDCWD, "/sys/fs/cgroup/a", 0775) = -1 EEXIST (File exists)"#,
        r#"newfstatat(AT_FDCWD, "/sys/fs/cgroup/a", {st_mode=S_IFDIR|0755, st_uid=1, st_gid=2}, 0) = 0"#,
        r#"chmod("/sys/fs/cgroup/a", 0700) = 0"#,
        r#"chown("/sys/fs/cgroup/a", 3, 4) = -1 EPERM (Operation not permitted)"#,
        r#"access("/sys/fs/cgroup/a", R_OK|W_OK) = 0"#,
        r#"rmdir("/sys/fs/cgroup/a") = 0"#,
        "+++ exited with 0 +++",
    ]);
    let expected = [
        "mkdir /sys/fs/cgroup/a 0755 = ok",
        "mkdir /sys/fs/cgroup/a 0775 = EEXIST",
        "stat /sys/fs/cgroup/a = dir 0755 1:2",
        "chmod /sys/fs/cgroup/a 0700 = ok",
        "chown /sys/fs/cgroup/a 3:4 = EPERM",
        "access /sys/fs/cgroup/a rw = ok",
        "rmdir /sys/fs/cgroup/a = ok",
    ];
    assert_eq!(told.unwrap(), expected);
}

#[test]
fn what_is_read_in_parts_is_one_operation_where_it_began() {
    let told = told(&[
        r#"openat(AT_FDCWD, "/sys/fs/cgroup/tasks", O_WRONLY|O_CREAT|O_CLOEXEC, 0666) = 3"#,
        r#"openat(AT_FDCWD, "/sys/fs/cgroup/a/tasks", O_RDONLY) = 4"#,
        r#"newfstatat(4, "", {st_mode=S_IFREG|0644}, AT_EMPTY_PATH) = 0"#,
        r#"read(4, "12\n7\n", 5) = 5"#,
        r#"write(3, "12", 2) = -1 ESRCH (No such process)"#,
        r#"read(4, "", 5) = 0"#,
        "close(4) = 0",
        "close(3) = 0",
        r#"openat(AT_FDCWD, "/sys/fs/cgroup/", O_RDONLY|O_DIRECTORY) = 3"#,
        r#"getdents64(3, [{d_type=DT_DIR, d_name="."}, {d_name="b"}, {d_name="a"}], 99) = 72"#,
        r#"getdents64(3, [], 99) = 0"#,
    ]);
    let expected = [
        "openat2 f3 cwd /sys/fs/cgroup/tasks w creat = ok",
        "read /sys/fs/cgroup/a/tasks = | <p>",
        "fwrite f3 <p> = ESRCH",
        "close f3 = ok",
        "ls /sys/fs/cgroup/ = | a\n| b",
    ];
    assert_eq!(told.unwrap(), expected);
}

#[test]
fn a_file_that_all_read_is_said_once_and_a_hosts_counts_by_their_shape() {
    let calls = [
        r#"openat(AT_FDCWD, "/proc/cgroups", O_RDONLY) = 3"#,
        r#"read(3, "cpu\t1\t12\n", 99) = 9"#,
        "close(3) = 0",
        r#"openat(AT_FDCWD, "/proc/mounts", O_RDONLY) = 3"#,
        r#"read(3, "a b c\n", 6) = 6"#,
        "close(3) = 0",
    ];
    let twice = [calls, calls].concat();
    assert_eq!(told(&twice).unwrap(), ["read~ /proc/cgroups = | cpu\t#\t#"]);
}

#[test]
fn failures_to_open_are_told_as_such() {
    let told = told(&[
        r#"openat(AT_FDCWD, "/sys/fs/cgroup/x", O_RDONLY) = -1 ENOENT (No such file or directory)"#,
        r#"openat(AT_FDCWD, "/sys/fs/cgroup/x", O_RDONLY|O_DIRECTORY) = -1 ENOTDIR (Not a directory)"#,
        r#"openat(AT_FDCWD, "/sys/fs/cgroup/x", O_RDWR) = -1 EACCES (Permission denied)"#,
    ]);
    let expected = [
        "read /sys/fs/cgroup/x = ENOENT open",
        "ls /sys/fs/cgroup/x = ENOTDIR",
        "openat2 f0 cwd /sys/fs/cgroup/x rw = EACCES",
    ];
    assert_eq!(told.unwrap(), expected);
}

#[test]
fn what_has_no_operation_is_refused() {
    refused(&[r#"unlink("/sys/fs/cgroup/a") = 0"#], "no operation");
    refused(&[r#"chdir("/proc/1") = 0"#], "no operation");
    refused(&["clone(flags=SIGCHLD) = 13"], "not seen");
    refused(&[r#"rename("/tmp/a", "/sys/fs/cgroup/a") = 0"#], "no operation");
    let open = r#"openat(AT_FDCWD, "/sys/fs/cgroup/tasks", O_RDWR) = 3"#;
    refused(&[open, r#"write(3, "13", 2) = 2"#], "no label");
    refused(&[open, "dup(3) = 4"], "no operation");
    let open = r#"openat(AT_FDCWD, "/sys/fs/cgroup/a", O_RDONLY) = 3"#;
    refused(&[open, r#"read(3, "abcd", 4) = 4"#], "not read to its end");
    refused(&[open, r#"read(3, "ab"..., 4) = 4"#], "cut");
    refused(&[open], "never read");
    refused(&[r#"openat(AT_FDCWD, "/sys/fs/cgroup/a", O_WRONLY|O_SYNC) = 3"#], "O_SYNC");
    assert_eq!(told(&[r#"unlink("/tmp/a") = 0"#]).unwrap(), Vec::<String>::new());
}

#[test]
fn groups_of_others_are_known_and_left_to_the_form_to_leave_out() {
    let calls: Vec<String> = [
        r#"openat(AT_FDCWD, "/sys/fs/cgroup/cpu/", O_RDONLY|O_DIRECTORY) = 3"#,
        r#"getdents64(3, [{d_type=DT_DIR, d_name="other"}], 99) = 24"#,
        "close(3) = 0",
        r#"rmdir("/sys/fs/cgroup/cpu/standin-w") = 0"#,
    ]
    .map(str::to_owned)
    .to_vec();
    let mut reader = Reader::new(1, Counts::Exact);
    let said = reader.command(&calls, 0).unwrap();
    let foreign: Vec<bool> = said.iter().map(|said| reader.is_foreign(said)).collect();
    assert_eq!(foreign, [true, false]);
    assert!(reader.names_foreign("cpu:/other/a") && !reader.names_foreign("cpu:/standin-w"));
}
