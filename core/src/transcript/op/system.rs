//! The system as a whole.

use super::operations;
use crate::transcript::choice::choices;
use crate::transcript::value::Who;

operations! {
    /// Operations on the system.
    SystemOp of System {
        /// Prints a field of uname(2); `release` as its first two numbers.
        Uname is "uname" "sysname|nodename|machine|domainname|release" { field: UnameField }
        /// Ends a pid namespace other than the initial one: reboot(2).
        Reboot is "reboot" "restart|halt|power_off" { how: RebootHow }
        /// Prints the actor's clock less the initial one, in whole seconds.
        Clock is "clock" "realtime|monotonic|boottime" { clock: ClockName }
        /// Attaches to a process as a debugger would, and lets go again: ptrace(2).
        Attach is "attach" "WHO" { who: Who }
    }
}

choices! {
    /// A field of uname(2).
    pub UnameField is "a field of uname" {
        Sysname = "sysname", Nodename = "nodename", Machine = "machine", Domainname = "domainname",
        Release = "release",
    }

    /// What `reboot` asks for.
    pub RebootHow is "a way to reboot" { Restart = "restart", Halt = "halt", PowerOff = "power_off" }

    /// A clock (clock_gettime(2)).
    pub ClockName is "a clock" { Realtime = "realtime", Monotonic = "monotonic", Boottime = "boottime" }
}
