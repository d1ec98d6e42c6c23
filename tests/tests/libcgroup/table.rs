//! The table for users of libcgroup (core/src/cgroup/libcgroup.md): it misses nothing that the C library's header has. That each
//! row leads somewhere is rustdoc's to say.

use libtest_mimic::Failed;
use standin::cgroup::Code;

const TABLE: &str = include_str!("../../../core/src/cgroup/libcgroup.md");

macro_rules! codes {
    ($($name:literal $id:ident)*) => {
        [$(($name, Code::$id, concat!("(super::Code::", stringify!($id), ")"))),*]
    };
}

/// What the header of groups declares.
const NAMES: &str = "
    struct cgroup
    struct cgroup_controller
    NO_PERMS
    NO_UID_GID
    enum cgroup_delete_flag
    CGFLAG_DELETE_IGNORE_MIGRATION
    CGFLAG_DELETE_RECURSIVE
    CGFLAG_DELETE_EMPTY_ONLY
    cgroup_new_cgroup
    cgroup_add_controller
    cgroup_add_all_controllers
    cgroup_get_controller
    cgroup_free
    cgroup_free_controllers
    cgroup_create_cgroup
    cgroup_create_cgroup_from_parent
    cgroup_modify_cgroup
    cgroup_delete_cgroup
    cgroup_delete_cgroup_ext
    cgroup_get_cgroup
    cgroup_copy_cgroup
    cgroup_compare_cgroup
    cgroup_compare_controllers
    cgroup_set_uid_gid
    cgroup_get_uid_gid
    cgroup_set_permissions
    cgroup_add_value_string
    cgroup_add_value_int64
    cgroup_add_value_uint64
    cgroup_add_value_bool
    cgroup_get_value_string
    cgroup_get_value_int64
    cgroup_get_value_uint64
    cgroup_get_value_bool
    cgroup_set_value_string
    cgroup_set_value_int64
    cgroup_set_value_uint64
    cgroup_set_value_bool
    cgroup_get_value_name_count
    cgroup_get_value_name
    cgroup_get_procs
    cg_chmod_recursive
    cgroup_get_cgroup_name
";

/// The names of the numbers that its functions return, what they are here, and how a row links to it.
const CODES: [(&str, Code, &str); 31] = codes! {
    "ECGROUPNOTCOMPILED" NOT_COMPILED
    "ECGROUPNOTMOUNTED" NOT_MOUNTED
    "ECGROUPNOTEXIST" NOT_EXIST
    "ECGROUPNOTCREATED" NOT_CREATED
    "ECGROUPSUBSYSNOTMOUNTED" SUBSYSTEM_NOT_MOUNTED
    "ECGROUPNOTOWNER" NOT_OWNER
    "ECGROUPMULTIMOUNTED" MULTI_MOUNTED
    "ECGROUPNOTALLOWED" NOT_ALLOWED
    "ECGMAXVALUESEXCEEDED" MAX_VALUES_EXCEEDED
    "ECGCONTROLLEREXISTS" CONTROLLER_EXISTS
    "ECGVALUEEXISTS" VALUE_EXISTS
    "ECGINVAL" INVALID
    "ECGCONTROLLERCREATEFAILED" CONTROLLER_CREATE_FAILED
    "ECGFAIL" FAIL
    "ECGROUPNOTINITIALIZED" NOT_INITIALIZED
    "ECGROUPVALUENOTEXIST" VALUE_NOT_EXIST
    "ECGOTHER" OTHER
    "ECGROUPNOTEQUAL" NOT_EQUAL
    "ECGCONTROLLERNOTEQUAL" CONTROLLER_NOT_EQUAL
    "ECGROUPPARSEFAIL" PARSE_FAIL
    "ECGROUPNORULES" NO_RULES
    "ECGMOUNTFAIL" MOUNT_FAIL
    "ECGEOF" EOF
    "ECGCONFIGPARSEFAIL" CONFIG_PARSE_FAIL
    "ECGNAMESPACEPATHS" NAMESPACE_PATHS
    "ECGNAMESPACECONTROLLER" NAMESPACE_CONTROLLER
    "ECGMOUNTNAMESPACE" MOUNT_NAMESPACE
    "ECGROUPUNSUPP" UNSUPPORTED
    "ECGCANTSETVALUE" CANT_SET_VALUE
    "ECGNONEMPTY" NON_EMPTY
    "ECGNOVERSIONCONVERT" NO_VERSION_CONVERT
};

pub(crate) fn has_every_name() -> Result<(), Failed> {
    let names = NAMES.lines().map(str::trim).filter(|name| !name.is_empty());
    all_have_rows(names.map(|name| (name, "")))
}

pub(crate) fn has_every_code() -> Result<(), Failed> {
    for (name, code, _) in CODES {
        assert_eq!(code.to_string(), name);
    }
    all_have_rows(CODES.iter().map(|(name, _, link)| (*name, *link)))
}

/// Each of the names begins a row, and the row leads to where it is said to be.
fn all_have_rows<'a>(wanted: impl Iterator<Item = (&'a str, &'a str)>) -> Result<(), Failed> {
    let rows: Vec<(&str, &str)> = TABLE
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |")?.split_once(" | "))
        .collect();
    let has_row = |(name, link): &(&str, &str)| {
        let named = format!("`{name}`");
        rows.iter()
            .any(|(names, here)| names.split(", ").any(|it| it == named) && here.contains(link))
    };
    let missing: Vec<&str> =
        wanted.filter(|wanted| !has_row(wanted)).map(|(name, _)| name).collect();
    if missing.is_empty() { Ok(()) } else { Err(format!("no row has {missing:?}").into()) }
}
