//! The numbers that libcgroup's functions return, for programs and people who know them: [`Code`].
//!
//! Data alone. Which error has which number is in `error`.

use std::fmt;

/// An error number of the C library libcgroup.
///
/// Numbers say less than an [`Error`](super::Error) does: many refusals share one.
///
/// ```
/// use standin::cgroup::Code;
/// assert_eq!(Code::NOT_EXIST.number(), 50002);
/// assert_eq!(Code::NOT_EXIST.to_string(), "ECGROUPNOTEXIST");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(u16);

struct Row {
    code: Code,
    name: &'static str,
    meaning: &'static str,
}

macro_rules! codes {
    ($($number:literal $id:ident $name:literal $meaning:literal;)*) => {
        impl Code {
            $(#[doc = concat!("`", $name, "` (", $number, "): ", $meaning, ".")] pub const $id: Code = Code($number);)*
        }

        const TABLE: &[Row] = &[$(Row { code: Code::$id, name: $name, meaning: $meaning },)*];
    };
}

codes! {
    50000 NOT_COMPILED "ECGROUPNOTCOMPILED" "the kernel has no cgroups";
    50001 NOT_MOUNTED "ECGROUPNOTMOUNTED" "no hierarchy is mounted";
    50002 NOT_EXIST "ECGROUPNOTEXIST" "there is no such group";
    50003 NOT_CREATED "ECGROUPNOTCREATED" "the group was not made";
    50004 SUBSYSTEM_NOT_MOUNTED "ECGROUPSUBSYSNOTMOUNTED" "no hierarchy has the controller";
    50005 NOT_OWNER "ECGROUPNOTOWNER" "the caller does not own it";
    50006 MULTI_MOUNTED "ECGROUPMULTIMOUNTED" "controllers are mounted more than once";
    50007 NOT_ALLOWED "ECGROUPNOTALLOWED" "the caller may not do it";
    50008 MAX_VALUES_EXCEEDED "ECGMAXVALUESEXCEEDED" "a table of the C library is full";
    50009 CONTROLLER_EXISTS "ECGCONTROLLEREXISTS" "the controller is there already";
    50010 VALUE_EXISTS "ECGVALUEEXISTS" "the value is there already";
    50011 INVALID "ECGINVAL" "an argument makes no sense";
    50012 CONTROLLER_CREATE_FAILED "ECGCONTROLLERCREATEFAILED" "memory ran out";
    50013 FAIL "ECGFAIL" "something went wrong inside";
    50014 NOT_INITIALIZED "ECGROUPNOTINITIALIZED" "the C library was not initialised";
    50015 VALUE_NOT_EXIST "ECGROUPVALUENOTEXIST" "the group has no such file";
    50016 OTHER "ECGOTHER" "the kernel refused, see the errno";
    50017 NOT_EQUAL "ECGROUPNOTEQUAL" "groups differ";
    50018 CONTROLLER_NOT_EQUAL "ECGCONTROLLERNOTEQUAL" "controllers differ";
    50019 PARSE_FAIL "ECGROUPPARSEFAIL" "the rules file makes no sense";
    50020 NO_RULES "ECGROUPNORULES" "the rules file is missing";
    50021 MOUNT_FAIL "ECGMOUNTFAIL" "mounting failed";
    50023 EOF "ECGEOF" "an iterator is at its end";
    50024 CONFIG_PARSE_FAIL "ECGCONFIGPARSEFAIL" "the configuration makes no sense, or a value is too long";
    50025 NAMESPACE_PATHS "ECGNAMESPACEPATHS" "paths of a namespace clash";
    50026 NAMESPACE_CONTROLLER "ECGNAMESPACECONTROLLER" "controllers of a namespace clash";
    50027 MOUNT_NAMESPACE "ECGMOUNTNAMESPACE" "mounts and namespaces clash";
    50028 UNSUPPORTED "ECGROUPUNSUPP" "the group does not have that";
    50029 CANT_SET_VALUE "ECGCANTSETVALUE" "the value cannot be set";
    50030 NON_EMPTY "ECGNONEMPTY" "the group is not empty";
    50031 NO_VERSION_CONVERT "ECGNOVERSIONCONVERT" "v1 and v2 have nothing alike here";
}

impl Code {
    fn row(self) -> Option<&'static Row> {
        TABLE.iter().find(|row| row.code == self)
    }

    /// The number.
    #[must_use]
    pub const fn number(self) -> u16 {
        self.0
    }

    /// What it means, as half a sentence.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        self.row().map_or("", |row| row.meaning)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.row().map_or("", |row| row.name))
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{self} ({})", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::TABLE;

    #[test]
    fn the_table_ascends_without_the_number_that_was_never_given() {
        let numbers: Vec<u16> = TABLE.iter().map(|row| row.code.number()).collect();
        let expected: Vec<u16> = (50000..=50031).filter(|number| *number != 50022).collect();
        assert_eq!(numbers, expected);
        for row in TABLE {
            assert!(row.name.starts_with("ECG") && !row.meaning.ends_with('.'), "{:?}", row.code);
        }
    }
}
