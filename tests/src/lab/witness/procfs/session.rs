//! The table of sessions: who is there, and which tools look at them.

/// A cast of processes and the commands that look at it.
#[derive(Debug, PartialEq, Eq)]
pub struct Session {
    /// The recording's name.
    pub name: &'static str,
    /// What it shows.
    pub about: &'static str,
    /// The script that makes the cast. It begins with the fork of `a`, the first of a PID namespace, of whom all others come; each
    /// `fork` and `thread` so takes the next number there.
    pub cast: &'static str,
    /// Whether the tools run as the user [`USER`], and not as root.
    pub by_user: bool,
    /// The commands, as a shell would be given them; no word has a blank.
    pub commands: &'static [&'static str],
}

/// An ordinary user.
pub const USER: u32 = 1000;

impl Session {
    /// The session of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        SESSIONS.iter().find(|session| session.name == name)
    }

    /// The number that the first tool has where the cast is.
    #[must_use]
    pub fn first_tool(&self) -> u32 {
        let makes = |line: &&str| line.contains("> fork ") || line.contains("> thread ");
        let made = self.cast.lines().filter(makes).count();
        u32::try_from(made).unwrap_or(u32::MAX).saturating_add(1)
    }
}

/// In all states, of two users, with a session, a thread and a child.
const PROCESSES: &str = "\
init> fork a new=pid,mnt
a> mount proc /proc
a> fork b
b> fork c
b> exec /bin/sleep 1000
a> fork d
d> setsid
d> fork e
e> prctl name \"two words)\"
e> priority process 0 5
e> setpgid 0 0
a> fork f uid=1000
f> signal USR1 ignore
f> sigmask block TERM,HUP
f> exec /bin/sleep 2000
a> fork g
g> thread h
h> prctl name thread
a> fork i
i> exit 3
a> fork j
a> kill j STOP
a> fork k
k> grouplist 4,5
k> setresgid 6 7 8
k> setresuid 1 2 3
";

/// In namespaces of each kind.
const NAMESPACES: &str = "\
init> fork a new=pid,mnt
a> mount proc /proc
a> fork b new=uts
b> exec /bin/sleep 1000
a> fork c new=ipc,net
a> fork d new=user
init> idmap d uid \"0 100000 10\"
d> fork e new=cgroup,mnt
e> exec /bin/sleep 2000
a> fork f
f> unshare time
a> fork g new=pid
g> fork h
a> fork i uid=1000
a> fork j
j> exit 0
";

/// In a tree of mounts.
const MOUNTS: &str = "\
init> fork a new=pid,mnt
a> mount proc /proc
a> mount tmpfs /mnt size=1M,mode=700
a> mkdir /mnt/x
a> mount tmpfs /mnt/x ro,nosuid,nodev,noexec
a> mkdir \"/mnt/a b\"
a> mount tmpfs \"/mnt/a b\"
a> mkdir /mnt/s
a> mount tmpfs /mnt/s
a> mount tmpfs /mnt/s shared
";

/// In control groups.
const GROUPS: &str = "\
init> fork a new=pid,mnt
a> mount proc /proc
a> mkdir CGROUP/standin-w
a> mkdir CGROUP/standin-w/x
a> fork b into=CGROUP/standin-w
a> fork c into=CGROUP/standin-w/x
c> unshare cgroup
a> fork d into=CGROUP/standin-w/x
d> exit 0
a> rmdir CGROUP/standin-w/x
";

/// All sessions.
pub const SESSIONS: &[Session] = &[
    Session {
        name: "ps",
        about: "ps looks at processes in all states",
        cast: PROCESSES,
        by_user: false,
        commands: &[
            "ps -ef",
            "ps -eLf",
            "ps -e --forest",
            "ps axo pid,ppid,pgid,sid,tpgid,tty,user,group,stat,comm,nlwp,ni,pri,rtprio,cls",
            "ps -eo pid,ruser,euser,suser,fuser,rgroup,egroup,sgroup,fgroup,supgid",
            "ps -eo pid,pending,blocked,ignored,caught,flags,wchan,args",
            "ps -eo pid,environ",
            "ps -u 1000 -o pid,comm",
        ],
    },
    Session {
        name: "ps_of_a_user",
        about: "a user's ps looks at the same processes",
        cast: PROCESSES,
        by_user: true,
        commands: &[
            "ps -ef",
            "ps -eLo pid,lwp,stat,comm,wchan",
            "ps -eo pid,environ",
            "pgrep -a sleep",
            "pwdx 2 8",
            "lsns",
        ],
    },
    Session {
        name: "procps",
        about: "other tools of ps's package",
        cast: PROCESSES,
        by_user: false,
        commands: &[
            "pgrep -a sleep",
            "pgrep -u 1000 -l",
            "pgrep -P 1",
            "pgrep -f 2000",
            "pwdx 1 2",
            "pkill -0 sleep",
            "uptime",
            "free",
            "sysctl kernel.pid_max kernel.ostype fs.nr_open vm.swappiness",
        ],
    },
    Session {
        name: "lsns",
        about: "lsns and ps look at processes in namespaces",
        cast: NAMESPACES,
        by_user: false,
        commands: &[
            "lsns",
            "lsns -t pid -o NS,TYPE,NPROCS,PID,PPID,COMMAND,UID,USER",
            "lsns -t user",
            "lsns -p 3",
            "ps -eo pid,user,cgroupns,ipcns,mntns,netns,pidns,userns,utsns,comm",
            "pgrep --ns 2 --nslist uts",
        ],
    },
    Session {
        name: "findmnt",
        about: "findmnt looks at a tree of mounts",
        cast: MOUNTS,
        by_user: false,
        commands: &[
            "findmnt",
            "findmnt -t cgroup2",
            "findmnt -t tmpfs -o ID,PARENT,TARGET,SOURCE,FSTYPE,OPTIONS,VFS-OPTIONS,FS-OPTIONS,PROPAGATION",
            "findmnt /mnt/x",
            "findmnt -D -t tmpfs",
        ],
    },
    Session {
        name: "groups",
        about: "ps and lsns tell of control groups and their namespaces",
        cast: GROUPS,
        by_user: false,
        commands: &["ps -eo pid,stat,cgroup", "ps -eo pid,cgroupns", "lsns -t cgroup"],
    },
];
